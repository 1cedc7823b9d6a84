#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The house rules that a program can check (doc/style.md, doc/architecture.md).

Reads the sources, and the libraries and the program of build-gcc/ (scripts/check-build makes them).

    run.py             checks
    run.py --picture   puts what the program prints today into README.md, to be read before it is committed"""
import difflib
import glob
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from suite import ROOT, Suite, run  # noqa: E402

BUILD = os.environ.get("SPIMEND_HOUSE_BUILD", os.path.join(ROOT, "build-gcc"))
PURE = ("base", "model", "parse", "judge", "plan", "core", "fleet", "eem", "exec")
MAY_INCLUDE = {  # room: rooms whose headers it may include
    "base": {"base"},
    "model": {"base", "model"},
    "parse": {"base", "model", "parse"},
    "judge": {"base", "model", "judge"},
    "plan": {"base", "model", "plan"},
    "core": {"base", "model", "judge", "plan", "core"},
    "fleet": {"base", "model", "judge", "plan", "fleet"},
    "eem": {"base", "model", "eem"},
    "exec": {"base", "model", "parse", "judge", "plan", "core", "eem", "exec"},
    "sense": {"base", "model", "parse", "judge", "plan", "sense"},
    "repair": {"base", "model", "parse", "judge", "plan", "repair"},
    "record": {"base", "model", "parse", "judge", "plan", "core", "fleet", "eem", "record"},
    "serve": {"base", "model", "parse", "judge", "plan", "core", "eem", "exec", "serve"},
    "role": {"base", "model", "parse", "judge", "plan", "core", "fleet", "eem", "exec", "sense", "repair", "record", "serve",
             "role"},
    "cmd": {"base", "model", "parse", "judge", "plan", "core", "fleet", "eem", "sense", "repair", "record", "serve", "role",
            "cmd"},
}
# What a signal handler must know, where a flag does not do: room and variable. Each says why where it stands.
SIGNAL_STATE = {("sense", "guard")}
# Headers that only a room with inputs or outputs needs.
IMPURE_HEADERS = re.compile(
    r"^(time|unistd|fcntl|poll|signal|dirent|netdb|pthread|threads|spawn|syslog|termios|locale|zlib|zstd"
    r"|sys/(socket|stat|time|types|mman|ioctl|epoll|timerfd|inotify|wait|random|uio|un|select|resource|syscall))\.h$")
IMPURE_CALLS = re.compile(
    r"(?<![\w.>])(open|openat|creat|close|read|write|pread|pwrite|lseek|mmap|fopen|fdopen|freopen|fread|fwrite|fgets|getline"
    r"|fputs|fputc|puts|putchar|printf|fprintf|vprintf|vfprintf|perror|socket|connect|bind|listen|accept|send|sendto|sendmsg"
    r"|recv|recvfrom|recvmsg|getaddrinfo|poll|select|epoll_\w+|time|clock|clock_gettime|gettimeofday|localtime(_r)?"
    r"|gmtime(_r)?|mktime|timegm|strftime|strptime|nanosleep|usleep|sleep|getrandom|getentropy|rand|random|getenv"
    r"|secure_getenv|setlocale"
    r"|fork|exec[lv]\w*|system|popen|syscall|exit|_exit)\s*\(")
MEMORY_CALLS = re.compile(
    r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|alloca)\s*\(")
LINES_MAX = 800
COLUMNS_MAX = 125
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def sources(pattern="src/**/*.[ch]"):
    found = [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)]
    return sorted(found)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def code_of(path):
    """The file with comments and string contents blanked out, lines kept."""
    def blank(match):
        token = match[0]
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text_of(path), flags=re.S)


def room_of(path):
    return path.split("/")[1]


def library(room):
    return os.path.join(BUILD, "src", room, f"lib{room}.a")


def check_includes(suite):
    problems = []
    for path in sources() + sources("include/**/*.h"):
        room = room_of(path) if path.startswith("src/") else "include"
        for number, line in enumerate(text_of(path).splitlines(), 1):
            include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not include:
                continue
            first = include[1].split("/")[0] if "/" in include[1] else room
            allowed = {"spimend"} | (MAY_INCLUDE.get(room, set()) if room != "include" else {"include"})
            if first not in allowed:
                problems.append(f"{path}:{number}: {room} may not include {include[1]}")
    suite.judge("dependencies point one way", problems)


def check_pure_sources(suite):
    for room in PURE:
        problems = []
        for path in sources(f"src/{room}/*.[ch]"):
            for number, line in enumerate(text_of(path).splitlines(), 1):
                header = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
                if header and IMPURE_HEADERS.match(header[1]):
                    problems.append(f"{path}:{number}: a pure room includes <{header[1]}>")
            for number, line in enumerate(code_of(path).splitlines(), 1):
                for call in IMPURE_CALLS.finditer(line):
                    problems.append(f"{path}:{number}: a pure room calls {call[1]}()")
                if room != "base":
                    for call in MEMORY_CALLS.finditer(line):
                        problems.append(f"{path}:{number}: {call[1]}() outside base: use base/memory.h")
        suite.judge(f"src/{room} opens nothing, asks no clock, allocates through base", problems)


def allowed(name):
    words = set()
    for line in text_of(f"tests/house/{name}.allow").splitlines():
        if not line.startswith("#"):
            words.update(line.split())
    return words


def symbols(*objects):
    """(undefined, defined, [(name, section)] of writable data) over all members of archives or objects."""
    listed = run(["nm", "-f", "sysv", *objects])
    if listed.status:
        raise RuntimeError(listed.tail())
    undefined, defined, data = set(), set(), []
    for line in listed.out.decode().splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 7 or fields[0] == "Name":
            continue
        name, kind, section = fields[0], fields[2], fields[6]
        if kind in "Uvw":
            undefined.add(name)
        else:
            defined.add(name)
            if re.match(r"\.(t?data|t?bss)(?!\.rel\.ro)|\*COM\*", section):
                data.append((name, section))
    return undefined, defined, data


def check_libraries(suite):
    if not shutil.which("nm"):
        suite.skip("what the pure rooms' libraries call", "nm is not installed")
        return
    read = {}
    for room in MAY_INCLUDE:
        if os.path.exists(library(room)):
            read[room] = symbols(library(room))
        live = os.path.join(BUILD, "src", room, f"lib{room}_live.a")  # what only the daemon has
        if os.path.exists(live):
            read[f"{room}, live"] = symbols(live)
    absent = [room for room in PURE if room not in read and sources(f"src/{room}/*.c")]
    if absent:
        suite.fail("what the pure rooms' libraries call", "not built: " + " ".join(library(room) for room in absent))
    ours = set().union(*(defined for _, defined, _ in read.values())) if read else set()
    for room in PURE:
        if room not in read:
            continue
        may = allowed("pure") | (allowed("base") if room == "base" else set())
        problems = []
        for name in sorted(read[room][0] - ours):
            plain = re.sub(r"^__(?:isoc99_)?(\w+?)_chk$", r"\1", name)
            if name not in may and plain not in may and not name.startswith(("__asan", "__ubsan")):
                problems.append(f"lib{room}.a calls {name}: not in tests/house/pure.allow")
        suite.judge(f"lib{room}.a calls only pure functions", problems)
    mains = glob.glob(os.path.join(BUILD, "**", "spimend*.p", "*.o"), recursive=True)
    if mains and "cmd" not in read:
        read["cmd"] = symbols(*mains)
    problems = []
    for room, (_, _, data) in read.items():
        text = "\n".join(code_of(path) for path in sources(f"src/{room}/*.c"))
        for name, section in data:
            if (room, name) in SIGNAL_STATE:
                continue
            if room != "cmd" or not re.search(r"volatile\s+sig_atomic_t\s+" + re.escape(name) + r"\b", text):
                problems.append(f"src/{room}: {name} ({section}) can change and outlives its function")
    suite.judge("no mutable variable at file scope but a signal flag", problems)


def check_sources(suite):
    problems = []
    for path in sources():
        lines = text_of(path).count("\n")
        if lines > LINES_MAX:
            problems.append(f"{path}: {lines} lines; over {LINES_MAX} it is two rooms")
    suite.judge(f"no file in src over {LINES_MAX} lines", problems)

    problems = []
    for path in sources():
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                problems.append(f"{path}:{number}: {line.strip()}")
    suite.judge("nothing is left for later in src", problems)

    problems = [f"{path}:1: does not start with its licence"
                for path in sources() + sources("include/**/*.h")
                if not text_of(path).startswith("/* SPDX-License-Identifier: ")]
    suite.judge("every source names its licence", problems)

    problems = []
    written = [path for pattern in ("src/**/*.[ch]", "include/**/*.h", "tests/**/*.[ch]", "tests/**/*.py", "bench/*.c",
                                    "bench/analyze", "bench/audit", "scripts/*", "lab/*.py", "lab/ios/*.py", "lab/lab",
                                    "lab/plugin/*", "plugin/*",
                                    "bpf/*.bpf.c", "bpf/spi_[!s]*.h", "bpf/spi_shared.h")
               for path in sources(pattern)]
    for path in written:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            bare = STRING.sub('""', line)  # a message is not broken: it must be found by who reads it
            if len(bare) > COLUMNS_MAX or len(line) > COLUMNS_MAX and bare == line:
                problems.append(f"{path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}, but for a string")
    suite.judge(f"lines up to {COLUMNS_MAX} columns", problems)


def check_bpf(suite):
    made = re.search(r"sources with the hash (\w+)", text_of("bpf/spi_sensor.skel.h"))
    hashed = run(["scripts/bpf", "--hash"])
    same = made and hashed.status == 0 and made[1] == hashed.out.decode().strip()
    suite.judge("the committed BPF object is made from the sources as they are", [] if same else ["run scripts/bpf"])


def check_manual(suite):
    page = "doc/spimend.1"
    if shutil.which("mandoc"):
        lint = run(["mandoc", "-T", "lint", "-W", "warning", *sources("doc/*.[0-9]")])
        suite.judge("the manual page is clean", lint.tail().splitlines() if lint.status else [])
    else:
        suite.skip("the manual page is clean", "mandoc is not installed")

    manual = text_of(page)
    words = set(re.findall(r"^\.It (?:Cm|Li|Ql|Dq Li) (\S+)", manual, re.M))
    incident, fact = text_of("src/model/incident.c"), text_of("src/model/fact.c")
    names = {
        "rule": re.findall(r'\[RULE_\w+\] = "([^"]+)"', incident),
        "cause": re.findall(r'\[CAUSE_\w+\] = "([^"]+)"', incident),
        "tunnel kind": re.findall(r'\[TUNNEL_\w+\] = "([^"]+)"', incident),
        "flag": re.findall(r'^\t\{ "([^"]+)", "', fact, re.M),
    }
    problems = []
    for what, known in names.items():
        if not known:
            problems.append(f"no {what} names found in src/model")
        problems += [f"{page}: {what} {name} is not explained" for name in known if name not in words]
    suite.judge("the manual page explains every rule, cause, kind and flag", problems)
    check_findings(suite, manual)
    check_audit_findings(suite, manual)
    check_gateway_manual(suite, manual)

    problems = []
    if os.path.exists(os.path.join(ROOT, "src/judge/settings.c")):
        rows = re.findall(r'\{ "([a-z-]+)", "(s|count)", (\w+),', text_of("src/judge/settings.c").replace("DAY_S", "86400"))
        if not rows:
            problems.append("no thresholds found in src/judge/settings.c")
        for name, unit, value in rows:
            item = f".It Cm {name} Pq {value}{' s' if unit == 's' else ''}"
            if item not in manual.splitlines():
                problems.append(f"{page}: no line '{item}'")
    suite.judge("the manual page has every threshold with its default", problems)

    program = os.path.join(BUILD, "spimend")
    if not os.path.exists(program):
        suite.fail("every option is in the manual page and in README.md", f"not built: {program}")
        return
    printed = ""
    for command in ("analyze", "audit", "lint", "inventory", "report", "status", "shell"):
        shown = run([program, command, "--help"])
        printed += (shown.out + shown.err).decode("utf-8", "replace")
    options = sorted(set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", printed)) - {"help"})
    readme = text_of("README.md")
    in_manual = set(re.findall(r"Fl Fl ([a-z-]+)", manual))
    problems = [] if options else ["spimend analyze --help names no option"]
    problems += [f"{page}: --{option} is missing" for option in options if option not in in_manual]
    problems += [f"README.md: --{option} is missing" for option in options if f"--{option}" not in readme]
    problems += [f"{page}: --{option} does not exist" for option in sorted(in_manual - set(options) - {"help", "version"})]
    problems += [f"README.md: --{option} does not exist"
                 for option in sorted(set(re.findall(r"^\| `--([a-z-]+)", readme, re.M)) - set(options))]
    suite.judge("every option is in the manual page and in README.md", problems)

    shown = run([program, "analyze", "--thresholds"])
    rows = re.findall(r"^(\S+)\s+(\d+) (s|count)\s", shown.out.decode("utf-8", "replace"), re.M)
    problems = [] if rows else ["spimend analyze --thresholds lists none"]
    problems += [f"{page}: no line '.It Cm {name} Pq {value}{' s' if unit == 's' else ''}'" for name, value, unit in rows
                 if f".It Cm {name} Pq {value}{' s' if unit == 's' else ''}" not in manual.splitlines()]
    suite.judge("the manual page has the thresholds that the program lists", problems)

    known = set(re.findall(r"\bB\d+\b", manual))
    said = {number for path in sources("src/**/*.c") for string in STRING.findall(text_of(path))
            for number in re.findall(r"\bB\d+\b", string)}
    suite.judge("the manual page explains every B number that the texts name",
                [f"{page}: {number} is not explained" for number in sorted(said - known)])

    check_picture(suite, program)


FINDINGS = re.compile(
    r'compile_(?:fail|warn|unknown)\(\s*[&\w>.-]+,\s*(?:[^",;]+\?\s*)?"([a-z-]+)"(?:\s*:\s*"([a-z-]+)")?'
    r'|compile_keyword\([^"]*?"([a-z-]+)"|(?:lint_say|eem_report_add)\([^;"]*?,\s*"([a-z-]+)",|say\(lines, "([a-z-]+)"')


def check_findings(suite, manual):
    """Every finding of the lint has its line in the manual, and the other way round."""
    said = {name for path in sources("src/eem/*.c") for match in FINDINGS.finditer(text_of(path)) for name in match.groups() if name}
    section = re.search(r"^\.Sh LINT FINDINGS$(.*?)^\.Sh ", manual, re.M | re.S)
    known = set(re.findall(r"^\.It Cm (\S+)$", section[1], re.M)) if section else set()
    problems = [] if said else ["no findings found in src/eem"]
    problems += [f"doc/spimend.1: finding {name} is not explained" for name in sorted(said - known)]
    problems += [f"doc/spimend.1: there is no finding {name}" for name in sorted(known - said)]
    suite.judge("the manual page explains every finding of the lint", problems)


def check_audit_findings(suite, manual):
    said = set(re.findall(r'\[AUDIT_\w+\] = "([^"]+)"', text_of("src/model/audit.c")))
    section = re.search(r"^\.Sh AUDIT FINDINGS$(.*?)^\.Sh ", manual, re.M | re.S)
    known = set(re.findall(r"^\.It Cm (\S+)$", section[1], re.M)) if section else set()
    problems = [] if said else ["no codes found in src/model/audit.c"]
    problems += [f"doc/spimend.1: audit finding {name} is not explained" for name in sorted(said - known)]
    problems += [f"doc/spimend.1: there is no audit finding {name}" for name in sorted(known - said)]
    suite.judge("the manual page explains every finding of the audit", problems)


def check_gateway_manual(suite, manual):
    """What the daemon's configuration and output name."""
    rows = re.findall(r'^\t\{ "([a-z -]+)", "([^"]*)", CONFIG_(?:TOP|SPIMEND|DEVICE), VALUE_', text_of("src/parse/config_table.c"), re.M)
    conf = text_of("doc/spimend.conf.5").splitlines()
    known = [line for line in conf if line.startswith(".It Cm ")]
    problems = [] if rows else ["no commands found in src/parse/config_table.c"]
    for keywords, arguments in rows:
        item = f".It Cm {keywords}" + (f" Ar {arguments}" if arguments else "")
        if not any(line == item or line.startswith(item + " Pq ") for line in known):
            problems.append(f"doc/spimend.conf.5: no line '{item}'")
    for line in known:
        keywords = re.match(r"\.It Cm ([a-z -]+?)(?: Ar | Pq |$)", line)
        if not keywords or keywords[1] not in {row[0] for row in rows}:
            problems.append(f"doc/spimend.conf.5: there is no command '{line}'")
    suite.judge("the manual page of the configuration has every command", problems)

    daemon = text_of("doc/spimendd.8")
    repair, ledger = text_of("src/plan/repair.c"), text_of("src/judge/ledger.c")
    problems = []
    for what, page, text, names in (
            ("rung", "doc/spimendd.8", daemon, re.findall(r'\[RUNG_\w+\] = \{ "([^"]+)"', repair)),
            ("refusal", "doc/spimend.1", manual, re.findall(r'\[REFUSE_\w+\] = \{ "([^"]+)"', repair)),
            ("death", "doc/spimend.1", manual, re.findall(r'\[DEATH_\w+\] = "([^"]+)"', ledger))):
        if not names:
            problems.append(f"no {what} names found")
        problems += [f"{page}: {what} {name} is not explained"
                     for name in names if name != "none" and f".It Cm {name}\n" not in text]
    suite.judge("the manual pages explain every rung, refusal and death", problems)


def check_metrics(suite):
    """The table of metrics, its manual page, and what packaging/ makes of them."""
    rows = re.findall(r'\{ "(spimend_\w+)", METRIC_(\w+), "([\w,]*)", "([^"]+)",', text_of("src/record/metrics_table.c"))
    names = {name + ("_total" if kind == "COUNTER" else ""): labels.split(",") if labels else [] for name, kind, labels, _ in rows}
    known = dict(re.findall(r"^\.It Cm (spimend_\w+)(?: Ar (.+))?$", text_of("doc/spimendd.8"), re.M))
    problems = [] if rows else ["no metrics found in src/record/metrics_table.c"]
    problems += [f"doc/spimendd.8: no line for {name} {labels}" for name, labels in names.items()
                 if known.get(name, "none").split() != labels]
    problems += [f"doc/spimendd.8: there is no metric {name}" for name in known if name not in names]
    for path in sources("packaging/prometheus/*") + sources("packaging/grafana/*"):
        problems += [f"{path}: there is no metric {name}"
                     for name in sorted(set(re.findall(r"\bspimend_[a-z_]+", text_of(path))) - set(names))]
    suite.judge("every metric is in the manual page, and what packaging/ asks for is there", problems)


def check_page(suite):
    """Each file of the page is compiled in."""
    listed = set(re.findall(r"^  '([^']+)',", text_of("web/meson.build"), re.M))
    there = {path[len("web/"):] for path in sources("web/**/*") if os.path.isfile(os.path.join(ROOT, path))} - {"meson.build"}
    there = {name for name in there if not name.endswith((".md", ".test.mjs"))}
    suite.judge("every file of the page is named in web/meson.build",
                [f"web/{name}: not in web_files of web/meson.build" for name in sorted(there - listed)])


PICTURE = re.compile(r"^```\n\$ spimend ([^\n]*)\n(.*?)^```$", re.M | re.S)


def printed_picture(program, arguments):
    shown = run([program, *arguments.split()], env=dict(os.environ, COLUMNS="100", NO_COLOR="1"))
    return shown.out.decode("utf-8", "replace")


def check_picture(suite, program):
    test = "the picture in README.md is what the program prints"
    picture = PICTURE.search(text_of("README.md"))
    if not picture:
        suite.fail(test, "no picture: a block that starts with '$ spimend '")
        return
    got = printed_picture(program, picture[1])
    suite.judge(test, list(difflib.unified_diff(picture[2].splitlines(), got.splitlines(), "README.md", "printed",
                                                lineterm="")))


def take_picture():
    program, readme = os.path.join(BUILD, "spimend"), text_of("README.md")
    picture = PICTURE.search(readme)
    new = readme[:picture.start(2)] + printed_picture(program, picture[1]) + readme[picture.end(2):]
    with open(os.path.join(ROOT, "README.md"), "w", encoding="utf-8") as file:
        file.write(new)
    return 0


def main():
    if sys.argv[1:] == ["--picture"]:
        return take_picture()
    suite = Suite("house")
    check_includes(suite)
    check_pure_sources(suite)
    check_libraries(suite)
    check_sources(suite)
    check_bpf(suite)
    check_manual(suite)
    check_metrics(suite)
    check_page(suite)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
