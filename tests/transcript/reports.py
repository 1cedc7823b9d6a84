# SPDX-License-Identifier: MIT
"""spimend report --from: from recorded lines to a folder or an archive. The page as pages.py wants it; the capture as
tshark and capinfos read it; what cannot be read is counted; nothing that is there is written over unasked."""
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from pages import Page, problems_of  # noqa: E402
from suite import run  # noqa: E402

S, R = "198.51.100.7", "192.0.2.1"
STALE, NEW = 0x3EA71AED, 0x5D00B00F
ZERO = 1793703764_058000000  # 2026-11-03 11:02:44.058
FILES = ["capture.pcapng", "incident.json", "journal.txt", "recorded.ndjson", "report.html", "shows.txt", "timeline.txt"]
KEYS = ("schema end at boot mono kind src dst proto spi direction connection child reason packets bytes seq text length linktype data"
        " incident offset error").split()
AHEAD = 7200_000  # ms: the other end's clock
HOSTILE = "<script>x</script>\u202e'\""


def stamp(ns):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9)) + f".{ns % 10**9:09}Z"


def event(ms, kind, end="hub", **more):
    """A line of spimend.recorded/1, `ms` after the first stray packet."""
    line = dict.fromkeys(KEYS)
    at = stamp(ZERO + round((ms + (AHEAD if end == "spoke" else 0)) * 10**6))
    line.update(schema="spimend.recorded/1", end=end, at=at, mono=10**12 + round(ms * 10**6), kind=kind, **more)
    return line


def ip(src, dst, protocol, payload):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0)
    head += bytes(map(int, src.split("."))) + bytes(map(int, dst.split(".")))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + payload


def packet(ms, end, src, dst, data, length):
    return event(ms, "packet", end, src=src, dst=dst, length=length, linktype=101, data=data.hex())


def esp(ms, src, dst, spi, sequence, end="hub"):
    return packet(ms, end, src, dst, ip(src, dst, 50, struct.pack("!II", spi, sequence)), 152)


def ike(ms, src, dst, exchange, response, number, end="hub"):
    head = struct.pack("!QQBBBBII", 7, 8 if number else 0, 46, 0x20, exchange, (0x20 if response else 0) | 8, number, 28)
    return packet(ms, end, src, dst, ip(src, dst, 17, struct.pack("!HHHH", 500, 500, 36, 0) + head), 400)


def sa(ms, kind, end, src, dst, spi, direction, reason=None):
    return event(ms, kind, end, src=src, dst=dst, proto="esp", spi=hex(spi), direction=direction, connection="tunnel", child="lan1",
                 reason=reason)


def milli(ns):
    return stamp(ns)[:-7] + "Z"


def incident(**more):
    told = {
        "schema": "spimend.incident/1", "id": "4cjktrc", "observer": "hub", "src": S, "dst": R, "proto": "esp", "spi": hex(STALE),
        "encap": None, "interface": None, "tunnel_kind": "unknown", "first_seen": milli(ZERO), "last_seen": milli(ZERO + 600 * 10**6),
        "messages": 31, "packets": 31, "verdict": "desync", "rule": "ledger-dead", "cause": "receiver-lost-state",
        "confidence": "certain", "evidence": [{"at": milli(ZERO + 790 * 10**6), "from": "live", "kind": "live", "text": "12 packets accepted",
                                               "says": "tunnel-up", "end": "receiver"}],
        "flags": [], "plan": [], "actions": [{"action": 1, "at": milli(ZERO + 612 * 10**6), "verb": "initiate", "rung": "initiate-child",
                                              "order": 1, "outcome": "done", "took_ms": 40, "text": None, "answer": None, "peer_spi": None}],
        "state": "healed", "copies": 0, "spis": 1, "sources": 1,
        "live": {"connection": "tunnel", "child": "lan1", "decided": milli(ZERO + 610 * 10**6), "healed": milli(ZERO + 780 * 10**6),
                 "outage_ms": 780},
    }
    told.update(more)
    return told


def story():
    """A receiver that lost its SA; both ends recorded it."""
    lines = [
        event(-60000, "note", text="recorder started"),
        sa(-3600_000, "sa-born", "hub", S, R, STALE, "in"), sa(-3600_000, "sa-born", "spoke", S, R, STALE, "out"),
        sa(-2000, "sa-died", "hub", S, R, STALE, "in", "daemon-restart"),
        event(-1900, "ike", src=S, dst=R, text="IKE started"),
        event(-500, "clock", "spoke", offset=AHEAD * 10**6, error=400_000),
    ]
    for i in range(31):
        lines += [event(i * 20, "sighting", src=S, dst=R, proto="esp", spi=hex(STALE), packets=1, seq=900 + i),
                  esp(i * 20, S, R, STALE, 900 + i)]
    lines += [
        event(610, "incident", text="desync, receiver-lost-state (certain)", incident="4cjktrc"),
        event(612, "step", text="initiate, ordered", incident="4cjktrc"),
        ike(615, R, S, 34, False, 0), ike(615.4, R, S, 34, False, 0, "spoke"), ike(640, S, R, 34, True, 0),
        ike(650, R, S, 35, False, 1), ike(670, S, R, 35, True, 1),
        sa(671, "sa-born", "hub", S, R, NEW, "in"), sa(672, "sa-born", "spoke", S, R, NEW, "out"),
        event(700, "command", text=f"show crypto ipsec sa peer {S} {HOSTILE}"),
        event(701, "output", text="interface: Tunnel0\n  #pkts decaps: 12"), event(702, "output", text="  #pkts encaps: 9"),
        esp(780, S, R, NEW, 1), event(790, "sighting", src="203.0.113.5", dst=R, proto="esp", spi="0x1", packets=3, seq=1),
        event(800, "debug", text=HOSTILE),
    ]
    return sorted(lines, key=lambda line: line["mono"])


def written(folder, lines, first=None):
    path = os.path.join(folder, "stream.ndjson")
    with open(path, "w", encoding="utf-8") as file:
        for line in [first or incident()] + lines:
            file.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    return path


def content(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def wrong(problems, holds, what):
    if not holds:
        problems.append(what)


def report_problems(text):
    page, problems = problems_of(text)
    return page, [one for one in problems if not one.startswith(tuple(f"a link to {name}" for name in FILES))
                  and one not in {f"no id {name[1:]}" for name in FILES}]


def check_folder(suite, spimend, scratch):
    stream, folder = written(scratch, story()), os.path.join(scratch, "report")
    made = run([spimend, "report", "--from", stream, "--output", folder])
    if made.status or made.out.decode() != folder + "\n":
        suite.fail("reports: a folder", f"exit status {made.status}\n{made.tail()}")
        return None
    problems = []
    wrong(problems, sorted(os.listdir(folder)) == FILES, f"files: {sorted(os.listdir(folder))}")
    wrong(problems, stat.S_IMODE(os.stat(folder).st_mode) == 0o700, "the folder is open to others")
    wrong(problems, all(stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600 for name in FILES), "files are open to others")
    page, found = report_problems(content(folder, "report.html"))
    problems += found
    for words in ("Desync, healed after 780 ms: 198.51.100.7 to 192.0.2.1, ESP 0x3ea71aed", "31 packets with 0x3ea71aed, unknown here",
                  "0x3ea71aed receives until: daemon-restart", "198.51.100.7 (spoke)", "780 ms until traffic flowed again", "IKE_SA_INIT request",
                  "IKE_AUTH response", "traffic flows again", "Recorded by spoke (4 events), hub (79 events).", "spoke: its clock is ahead by 2 h, give or take 0.400 ms; its times are moved by that here",
                  "1 of them belong to other tunnels"):
        wrong(problems, words in page.text, f"report.html: no '{words}'")
    wrong(problems, page.text.count("IKE_SA_INIT request") == 3, "a message that both ends recorded is told twice")  # row, two pictures
    wrong(problems, json.loads(content(folder, "incident.json")) == incident(), "incident.json is another incident")
    wrong(problems, content(folder, "recorded.ndjson") == content(scratch, "stream.ndjson"), "recorded.ndjson is not what came")
    timeline = content(folder, "timeline.txt").splitlines()
    wrong(problems, len(timeline) == len(story()), f"timeline.txt has {len(timeline)} lines")
    wrong(problems, "2026-11-03 11:02:44.058000000 hub          sighting 198.51.100.7 -> 192.0.2.1 esp 0x3ea71aed 1 packet seq 900" in timeline,
          "timeline.txt: the first stray is not there")
    wrong(problems, "2026-11-03 11:02:44.730000000 spoke        sa-born  198.51.100.7 -> 192.0.2.1 esp 0x5d00b00f out tunnel/lan1" in timeline,
          "timeline.txt: the other end's time was not moved by its clock's offset")
    wrong(problems, "initiate, ordered" in content(folder, "journal.txt"), "journal.txt: no step")
    wrong(problems, "\n  #pkts decaps: 12\n  #pkts encaps: 9\n" in content(folder, "shows.txt"), "shows.txt: not what was printed")
    suite.judge("reports: a folder with page, incident, timeline, journal, shows and capture", problems)
    return folder


def check_capture(suite, folder):
    test = "reports: tshark and capinfos read the capture: ends, nanoseconds, comments at the decisive packets"
    if not shutil.which("tshark") or not shutil.which("capinfos"):
        suite.skip(test, "tshark and capinfos are not installed")
        return
    path = os.path.join(folder, "capture.pcapng")
    info = run(["capinfos", "-M", path]).out.decode("utf-8", "replace")
    listed = run(["tshark", "-r", path, "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.interface_name", "-e",
                  "esp.spi", "-e", "isakmp.exchangetype", "-e", "frame.comment", "-e", "frame.len"])
    rows = [line.split("\t") for line in listed.out.decode("utf-8", "replace").splitlines()]
    problems = [] if listed.status == 0 else [listed.tail()]
    problems += [f"capinfos: no '{words}'" for words in ("pcapng", "nanoseconds (9)", "Number of packets:   37", "Raw IP") if words not in info]
    wrong(problems, len(rows) == 37, f"{len(rows)} packets")
    wrong(problems, {row[2] for row in rows} == {"hub", "spoke"}, f"interfaces {sorted({row[2] for row in rows})}")
    wrong(problems, any(row[1] == "1793703764.058000000" for row in rows), "the time of the first stray is not there to the nanosecond")
    comments = [(row[3], row[5]) for row in rows if row[5]]
    wrong(problems, [row[1] for row in rows if row[5]][:2] == ["1793703764.058000000", "1793703764.658000000"],
          "the comments are not at the first and the last packet")
    wrong(problems, len(comments) == 3 and comments[0] == ("0x3ea71aed", "spimend: SPI 0x3ea71aed is not known to its receiver: the first such"
                                                          " packet of incident 4cjktrc that was kept"), f"comments {comments}")
    wrong(problems, comments[-1:] == [("0x5d00b00f", "spimend: the sender uses another SA now, SPI 0x5d00b00f")], "no comment at the successor")
    wrong(problems, [row[4] for row in rows if row[4]] == ["34", "34", "34", "35", "35"], "IKE exchanges")
    suite.judge(test, problems)


def check_absurd_clocks(suite, spimend, scratch):
    """A stream that somebody else made: whatever it says of clocks and ages, the page comes at once, with times as they were told."""
    problems, stray = [], event(0, "sighting", src=S, dst=R, proto="esp", spi=hex(STALE), packets=1)
    for offset in (9 * 10**18, -9 * 10**18, 7 * 10**18, 1 - 2**63, 2**63 - 1):
        lines = [event(0, "clock", "spoke", offset=offset, error=5), stray, sa(1, "sa-born", "spoke", S, R, STALE, "out"),
                 dict(stray, end="spoke"),
                 dict(event(3, "counter", "spoke", src=S, dst=R, proto="esp", spi=hex(NEW), direction="out",
                            text="listed: installed 999999999 s ago"), at="1970-01-01T00:00:00Z"),
                 dict(stray, at="2261-12-31T23:59:59Z")]
        folder = os.path.join(scratch, f"absurd{offset}")
        try:
            made = subprocess.run([spimend, "report", "--from", written(scratch, lines), "--output", folder], capture_output=True, timeout=30)
        except subprocess.TimeoutExpired:
            problems.append(f"offset {offset}: no end within 30 s")
            continue
        wrong(problems, made.returncode == 0, f"offset {offset}: exit status {made.returncode}: {made.stderr.decode()[-300:]}")
        wrong(problems, made.returncode or "2026-11-03 13:02:44.059000000 spoke        sa-born" in content(folder, "timeline.txt"),
              f"offset {offset}: a time was moved out of the calendar")
    suite.judge("reports: clocks that cannot be so wrong move nothing", problems)


def check_archive(suite, spimend, scratch):
    stream, archive = written(scratch, story()), os.path.join(scratch, "report.tar.zst")
    problems = []
    made = run([spimend, "report", "--from", stream, "--output", archive])
    wrong(problems, made.status == 0, made.tail())
    again = run([spimend, "report", "--from", stream, "--output", archive])
    wrong(problems, again.status == 2 and b"is there already; --force" in again.err, f"a second time: {again.status} {again.err!r}")
    forced = run([spimend, "report", "--from", stream, "--output", archive, "--force"])
    wrong(problems, forced.status == 0, forced.tail())
    wrong(problems, not os.path.exists(archive + ".part"), "the part is left behind")
    wrong(problems, stat.S_IMODE(os.stat(archive).st_mode) == 0o600, "the archive is open to others")
    with subprocess.Popen(["zstd", "-dc", archive], stdout=subprocess.PIPE) as plain:
        listed = subprocess.run(["tar", "-tvf", "-"], stdin=plain.stdout, capture_output=True, check=False)
    names = sorted(line.split()[-1] for line in listed.stdout.decode().splitlines())
    wrong(problems, listed.returncode == 0 and names == FILES, f"tar: {names} {listed.stderr!r}")
    os.mkdir(os.path.join(scratch, "out"))
    with subprocess.Popen(["zstd", "-dc", archive], stdout=subprocess.PIPE) as plain:
        subprocess.run(["tar", "-xf", "-", "-C", os.path.join(scratch, "out")], stdin=plain.stdout, check=False)
    wrong(problems, content(os.path.join(scratch, "out"), "recorded.ndjson") == content(scratch, "stream.ndjson"), "the archive has other bytes")
    suite.judge("reports: an archive that tar and zstd read; written over only when forced", problems)


def check_folder_there(suite, spimend, scratch):
    stream, folder, problems = written(scratch, story()), os.path.join(scratch, "there"), []
    os.mkdir(folder)
    os.symlink("/nowhere/else", os.path.join(folder, "report.html"))
    with open(os.path.join(folder, "mine.txt"), "w", encoding="utf-8") as file:
        file.write("mine")
    refused = run([spimend, "report", "--from", stream, "--output", folder])
    wrong(problems, refused.status == 2 and sorted(os.listdir(folder)) == ["mine.txt", "report.html"], "written without being forced")
    forced = run([spimend, "report", "--from", stream, "--output", folder, "--force"])
    wrong(problems, forced.status == 0 and not os.path.islink(os.path.join(folder, "report.html")), "a link was followed")
    wrong(problems, content(folder, "mine.txt") == "mine", "another file was touched")
    link = os.path.join(scratch, "link")
    os.symlink(folder, link)
    wrong(problems, run([spimend, "report", "--from", stream, "--output", link, "--force"]).status == 2, "a link as folder was followed")
    suite.judge("reports: no link is followed, and no other file touched", problems)


def check_bad_lines(suite, spimend, scratch):
    lines = story()
    bad = ["{", "", "x" * 70000, json.dumps({"schema": "spimend.recorded/1", "kind": "sa-eaten"}), json.dumps({**lines[0], "at": "yesterday"}),
           json.dumps({**lines[0], "data": "0g"}), json.dumps({**lines[0], "schema": "other/1"}), json.dumps({**lines[0], "spi": "12z"})]
    stream, folder, problems = written(scratch, bad + lines), os.path.join(scratch, "bad"), []
    made = run([spimend, "report", "--from", stream, "--output", folder])
    wrong(problems, made.status == 1 and b"7 recorded lines could not be read; the first is line 2 of " in made.err, made.tail())
    wrong(problems, "7 recorded lines could not be read" in content(folder, "report.html"), "the page does not say so")
    wrong(problems, len(content(folder, "timeline.txt").splitlines()) == len(lines), "what could be read is not all there")
    for name, text in (("no incident", json.dumps(lines[0]) + "\n"), ("empty", ""), ("no JSON", "hello\n"), ("binary", "\x00\x01\n")):
        with open(stream, "w", encoding="utf-8") as file:
            file.write(text)
        made = run([spimend, "report", "--from", stream, "--output", os.path.join(scratch, "none")])
        wrong(problems, made.status == 2 and b"no evidence of an incident" in made.err and not os.path.exists(os.path.join(scratch, "none")),
              f"{name}: {made.status} {made.err!r}")
    for name in ("../../etc", "a/b", "x" * 40, ""):
        made = run([spimend, "report", "--from", written(scratch, lines, incident(id=name))], cwd=scratch)
        wrong(problems, made.status == 2, f"an id {name!r} becomes a folder")
    suite.judge("reports: lines that cannot be read are counted, a stream that is none is refused", problems)


def check_sas(suite, spimend, scratch):
    """What a gateway's recorder tells of SAs: listed ones, requested SPIs, two deaths of one SA, a flush of all."""
    at = dict(src=S, dst=R, proto="esp", direction="in")
    lines = [
        event(-3000, "counter", spi=hex(STALE), text="listed: installed 3600 s ago", **at),
        event(-2500, "sa-born", spi="0x77", reason="requested", **at),
        event(-2400, "sa-born", spi="0x88", **at), event(-2300, "sa-died", spi="0x88", reason="rekeyed", **at),
        event(-2200, "sa-died", spi="0x88", reason="deleted", **at),
        event(-2000, "ike", text="IKE daemon 0 is away"), event(-1900, "sa-died", reason="flushed", text="the kernel: all SAs were flushed"),
        event(0, "sighting", src=S, dst=R, proto="esp", spi=hex(STALE), packets=3, direction="in"),
        event(300, "sighting", src=S, dst=R, proto="esp", spi=hex(STALE), packets=40, direction="in"),
    ]
    stream, folder = written(scratch, lines), os.path.join(scratch, "sas")
    made = run([spimend, "report", "--from", stream, "--output", folder])
    if made.status:
        suite.fail("reports: SAs as a gateway's recorder tells them", made.tail())
        return
    page, problems = report_problems(content(folder, "report.html"))
    for words in ("0x3ea71aed receives until: flushed", "0x00000088 receives until: rekeyed", "43 packets with 0x3ea71aed, unknown here",
                  "IKE daemon 0 is away", "the kernel: all SAs were flushed"):
        wrong(problems, words in page.text, f"no '{words}'")
    wrong(problems, "0x00000077" not in page.text, "a requested SPI is drawn as an SA")
    suite.judge("reports: SAs as a gateway's recorder tells them", problems)


def check_two_ends(suite, spimend, scratch):
    """Two recordings, made apart, whose clocks differ by two hours: joined by the IKE messages that both have."""
    ours = [line for line in story() if line["end"] == "hub"]
    theirs = [line for line in story() if line["end"] == "spoke" and line["kind"] != "clock"] \
        + [ike(639.6, S, R, 34, True, 0, "spoke"), event(100, "ike", "spoke", text="nothing known of it here")]
    os.makedirs(os.path.join(scratch, "other"))
    stream = written(scratch, ours)
    other = written(os.path.join(scratch, "other"), sorted(theirs, key=lambda line: line["mono"]), incident(id="zzzzzz", spi="0x5"))
    folder, problems = os.path.join(scratch, "joined"), []
    made = run([spimend, "report", "--from", stream, "--with", other, "--output", folder])
    if made.status:
        suite.fail("reports: what two ends recorded apart is joined", made.tail())
        return
    page, problems = report_problems(content(folder, "report.html"))
    for words in ("spoke: its clock is ahead by 2 h, give or take 0.400 ms; its times are moved by that here, not in recorded.ndjson. worked out"
                  " from 2 IKE messages that both recorded", "198.51.100.7 (spoke)", "nothing known of it here", "0x5d00b00f sends"):
        wrong(problems, words in page.text, f"no '{words}'")
    wrong(problems, "recorded nothing that is here" not in page.text, "an end is said to have recorded nothing")
    times = [line[:29] for line in content(folder, "timeline.txt").splitlines() if not line.startswith("no time")]
    wrong(problems, times == sorted(times) and len(times) == len(ours) + len(theirs), f"{len(times)} events, or not in order")
    again = run([spimend, "report", "--from", os.path.join(folder, "recorded.ndjson"), "--output", os.path.join(scratch, "again")])
    wrong(problems, again.status == 0 and content(os.path.join(scratch, "again"), "timeline.txt") == content(folder, "timeline.txt"),
          f"what was joined does not make the same report: {again.tail()}")
    told = event(-400, "clock", "spoke", offset=AHEAD * 10**6 + 5_000_000, error=20_000_000)
    joined = sorted([line for line in ours + theirs + [told]], key=lambda line: line["mono"])
    made = run([spimend, "report", "--from", written(scratch, joined), "--output", folder, "--force"])
    page = Page(content(folder, "report.html"))
    wrong(problems, made.status == 0 and "spoke: by 2 IKE messages that both recorded it is ahead by 2 h, give or take 0.400 ms, which is within"
          " that and taken instead." in page.text, "an offset that was told is not refined")
    wrong(problems, "2026-11-03 11:02:44.730000000 spoke        sa-born" in content(folder, "timeline.txt"), "its times are not moved by that")
    told["offset"] += 10**9  # what the messages tell is out of what was told: then it is not taken
    made = run([spimend, "report", "--from", written(scratch, joined), "--output", folder, "--force"])
    wrong(problems, made.status == 0 and "taken instead" not in Page(content(folder, "report.html")).text, "an offset beyond what was told is taken")
    stream = written(scratch, ours)
    apart = [line for line in theirs if line["kind"] != "packet"]
    other = written(os.path.join(scratch, "other"), apart[1:], apart[0])  # events alone, and none that both have
    made = run([spimend, "report", "--from", stream, "--with", other, "--output", folder, "--force"])
    page = Page(content(folder, "report.html"))
    wrong(problems, made.status == 0 and "how its clock stands to the other's is not known" in page.text, f"without messages: {made.tail()}")
    wrong(problems, len(content(folder, "timeline.txt").splitlines()) == len(ours) + len(apart) + 1, "an event is lost without messages")
    suite.judge("reports: what two ends recorded apart is joined, and how their clocks stand is said", problems)


def check_hostile(suite, spimend, scratch):
    name = HOSTILE
    lines = [dict(line, end=name, text=name if line["text"] else None, connection=name, reason=name) for line in story()]
    live = dict(incident()["live"], connection=name)
    first = incident(observer=name, live=live, note=[name], rule=name, cause=name, state=name, verdict="desync")
    stream, folder = written(scratch, lines, first), os.path.join(scratch, "hostile")
    made = run([spimend, "report", "--from", stream, "--output", folder])
    if made.status:
        suite.fail("reports: hostile names stay text", made.tail())
        return
    page, problems = report_problems(content(folder, "report.html"))
    wrong(problems, "<script>x</script>" in page.text, "the name is not there as text")
    for file in ("timeline.txt", "journal.txt", "shows.txt"):
        wrong(problems, "\x1b" not in content(folder, file), f"{file} can steer a terminal")
    suite.judge("reports: hostile names stay text", problems)


def check_size(suite, spimend, scratch):
    """As much as one answer of the daemon may hold: an hour, 64 MiB."""
    def lines():
        yield json.dumps(incident(last_seen=stamp(ZERO + 3600 * 10**9)))
        size = 0
        number = 0
        while size < 63 << 20:
            ms = number * 60
            line = json.dumps(esp(ms, S, R, STALE, number) if number % 2 else
                              event(ms, "sighting", src=S, dst=R, proto="esp", spi=hex(STALE), packets=3, seq=number))
            size += len(line) + 1
            number += 1
            yield line
    stream, folder = os.path.join(scratch, "stream.ndjson"), os.path.join(scratch, "big")
    with open(stream, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines())
    began = time.monotonic()
    made = run([spimend, "report", "--from", stream, "--output", folder], timeout=120)
    seconds = time.monotonic() - began
    problems = [] if made.status == 0 else [made.tail()]
    if not problems:
        text = content(folder, "report.html")
        problems = report_problems(text)[1]
        wrong(problems, len(text) < 300_000, f"the page has {len(text)} bytes")
    print(f"     an hour of evidence, {os.path.getsize(stream) >> 20} MiB: {seconds:.2f} s")
    suite.judge("reports: an hour of evidence, as much as the daemon answers, is one page of some pictures", problems)


def run_reports(suite, spimend):
    for check in (check_folder, check_archive, check_folder_there, check_absurd_clocks, check_bad_lines,
                  check_sas, check_two_ends, check_hostile,
                  check_size):
        with tempfile.TemporaryDirectory(prefix="reports-") as scratch:
            folder = check(suite, spimend, scratch)
            if folder:
                check_capture(suite, folder)
