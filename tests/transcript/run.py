#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Transcript tests: what a command prints, byte for byte.

    cases/NAME/cmd      a shell line; $SPIMEND is the program, $CAPTURE is tests/packet_files.py, and examples/ is
                        the project's folder of that name
    cases/NAME/out      its standard output
    cases/NAME/err      its standard error; without the file it must be empty
    cases/NAME/status   its exit status; without the file 0
    cases/NAME/...      input files, beside which the line runs, in a copy

A case whose line has --json and no pipe is also held against the JSON contract (contract.py). What a shell line cannot
wait for is in follow.py; captures.py holds counts against tshark's; what is not ours to commit is checked by reference.py
and devices.py.

    run.py [--spimend FILE] [--accept] [NAME...]     --accept writes what came out as what is expected;
                                                     NAME: a case, or captures, devices, follow, pages, reference or
                                                     reports
"""
import argparse
import difflib
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, HERE)
import captures  # noqa: E402
import devices  # noqa: E402
import follow  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402
import reports  # noqa: E402
from contract import audit_problems, contract_problems  # noqa: E402
from suite import ROOT, Suite, run  # noqa: E402

CASES = os.path.join(HERE, "cases")
EXPECTED = ("cmd", "out", "err", "status")
PARTS = {"captures": captures.run, "devices": devices.run, "follow": follow.run, "pages": pages.run_pages,
         "reference": reference.run, "reports": reports.run_reports}
LIMIT = 60  # seconds a case may take


def content(path, default=b""):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return default


def execute(name, spimend):
    """Runs the case in a copy of its folder."""
    folder = os.path.join(CASES, name)
    with tempfile.TemporaryDirectory(prefix="transcript-") as scratch:
        for entry in os.listdir(folder):
            source = os.path.join(folder, entry)
            if entry in EXPECTED:
                continue
            if os.path.isdir(source):
                shutil.copytree(source, os.path.join(scratch, entry), symlinks=True)
            else:
                shutil.copy2(source, scratch)
        os.symlink(os.path.join(ROOT, "examples"), os.path.join(scratch, "examples"))
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": scratch, "TMPDIR": scratch,
            "LC_ALL": "C", "TZ": "UTC", "NO_COLOR": "1", "SPIMEND": spimend, "PYTHONDONTWRITEBYTECODE": "1",
            "CAPTURE": os.path.join(ROOT, "tests/packet_files.py"),
            "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        }
        return run(["/bin/sh", "-c", content(os.path.join(folder, "cmd")).decode()], timeout=LIMIT, env=env, cwd=scratch)


def difference(what, want, got):
    if want == got:
        return []
    lines = list(difflib.unified_diff(want.decode("utf-8", "replace").splitlines(),
                                      got.decode("utf-8", "replace").splitlines(),
                                      f"{what} expected", f"{what} got", lineterm=""))
    return lines or [f"{what}: differs only in bytes that cannot be shown, or in its last line break"]


def problems_of(name, result):
    folder = os.path.join(CASES, name)
    if result.timed_out:
        return [f"not done after {LIMIT} s"]
    problems = []
    if os.path.exists(os.path.join(folder, "out")):
        problems += difference("out", content(os.path.join(folder, "out")), result.out)
    else:
        problems.append("no expected output: look at it, then run with --accept")
    problems += difference("err", content(os.path.join(folder, "err")), result.err)
    status = int(content(os.path.join(folder, "status"), b"0"))
    if result.status != status:
        problems.append(f"exit status {result.status}, expected {status}")
    return problems


def is_contract(name):
    command = content(os.path.join(CASES, name, "cmd"))
    return b"--json" in command and b"|" not in command and b" lint " not in command


def accept(name, result):
    """Writes what came out; absent files mean empty or 0."""
    found = (("out", result.out, None), ("err", result.err, b""), ("status", b"%d\n" % result.status, b"0\n"))
    for file, got, default in found:
        path = os.path.join(CASES, name, file)
        if got != default:
            with open(path, "wb") as to:
                to.write(got)
        elif os.path.exists(path):
            os.unlink(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spimend", default=os.path.join(ROOT, "build/spimend"))
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    suite = Suite("transcript")
    names = sorted(entry for entry in os.listdir(CASES) if os.path.exists(os.path.join(CASES, entry, "cmd")))
    unknown = set(options.name) - set(names) - set(PARTS)
    for name in sorted(unknown):
        suite.fail(name, "no such case")
    names = [name for name in names if not options.name or name in options.name]
    spimend = os.path.abspath(options.spimend)
    if not os.access(spimend, os.X_OK):
        suite.fail("the program is built", f"{options.spimend} is no program")
        return suite.close()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, result in zip(names, pool.map(lambda one: execute(one, spimend), names)):
            if options.accept and not result.timed_out:
                accept(name, result)
            suite.judge(name, problems_of(name, result))
            if is_contract(name):
                check = audit_problems if b" audit " in content(os.path.join(CASES, name, "cmd")) else contract_problems
                suite.judge(f"{name}, JSON contract", check(result.out))
    for name, part in PARTS.items():
        if name in options.name or not options.name and not options.accept:
            part(suite, spimend)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
