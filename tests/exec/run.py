#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Transcripts of the command line: cases/NAME.in is typed, cases/NAME.out is what a terminal shows, byte for byte.

    run.py [--accept] [NAME...]     --accept writes what came out as what is expected, to be read before it is committed

A command of the graph that no transcript runs is a failure."""
import difflib
import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from suite import ROOT, Suite, build_check, run  # noqa: E402

CASES = os.path.join(HERE, "cases")
DRIVER = os.path.join(ROOT, "build-check", "tests", "exec", "driver")
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1", LC_ALL="C", TZ="UTC")


def content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def problems_of(name, trace, accept):
    got = run([DRIVER, "--trace", trace], env=ENV, stdin=content(os.path.join(CASES, name + ".in")))
    if got.status or got.timed_out or got.err:
        return [f"exit status {got.status}", *got.tail().splitlines()]
    expected = os.path.join(CASES, name + ".out")
    if accept:
        with open(expected, "wb") as file:
            file.write(got.out)
    want = content(expected)
    if want == got.out:
        return []
    return list(difflib.unified_diff(want.decode("utf-8", "replace").splitlines(), got.out.decode("utf-8", "replace").splitlines(),
                                     name + ".out", "shown", lineterm="")) or ["differs only in what cannot be shown"]


def main():
    suite = Suite("exec")
    arguments = sys.argv[1:]
    accept = "--accept" in arguments
    wanted = [word for word in arguments if not word.startswith("-")]
    built = build_check("tests/exec/driver")
    if built.status:
        suite.fail("build", built.tail(60))
        return suite.close()
    names = sorted(entry[:-3] for entry in os.listdir(CASES) if entry.endswith(".in"))
    with tempfile.TemporaryDirectory(prefix="exec-") as scratch:
        trace = os.path.join(scratch, "trace")
        for name in names:
            if not wanted or name in wanted:
                suite.judge(name, problems_of(name, trace, accept))
        if not wanted:
            ran = set(content(trace).decode().splitlines())
            rows = run([DRIVER, "--rows"], env=ENV).out.decode().splitlines()
            suite.judge("every command of the graph has a transcript",
                        [f"{row}: in no case of tests/exec/cases" for row in rows if row not in ran] if rows else ["no rows"])
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
