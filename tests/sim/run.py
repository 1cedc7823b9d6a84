#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Histories of gateways under a simulated clock (tests/sim): the model by itself, the fixed histories, and random ones from
seeds 1 on, most without sanitizers and some with. A failed history prints its seed; replay it with

    build-gcc/tests/sim/sim --seed N --trace

    run.py [--histories N] [--first SEED]"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from suite import Suite, build_check, run  # noqa: E402

SANITIZED = 400  # of the random histories, with sanitizers


def read(suite, result, what):
    """Takes over the lines "ok   sim/..." and "FAIL sim/..." with what follows them."""
    name, good, note = None, True, []

    def flush():
        if name and good:
            suite.ok(name)
        elif name:
            suite.fail(name, "\n".join(note))

    for line in result.out.decode("utf-8", "replace").splitlines():
        if line.startswith(("ok   sim/", "FAIL sim/")):
            flush()
            name, good, note = line[9:], line.startswith("ok"), []
        else:
            note.append(line.strip() if good else line)
            if good and line.strip():
                print(line, flush=True)
    flush()
    if result.timed_out or result.status not in (0, 1) or name is None:
        suite.fail(f"{what} ends by itself", f"exit status {result.status}\n" + result.tail(40))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--histories", type=int, default=10000)
    options.add_argument("--first", type=int, default=1)
    options = options.parse_args()
    suite = Suite("sim")
    environment = dict(os.environ, CC=os.environ.get("CC", "gcc"), SPIMEND_BUILD_TARGETS="tests/sim/sim")
    fast = run(["scripts/build", "build-gcc", "-Dwerror=true"], timeout=300, env=environment)
    safe = build_check("tests/sim/sim", timeout=300)
    if fast.status or safe.status:
        suite.fail("build", (fast if fast.status else safe).tail(40))
        return suite.close()
    read(suite, run(["build-gcc/tests/sim/sim", "--model", "--scripts"], timeout=120), "the fixed part")
    read(suite, run(["build-gcc/tests/sim/sim", "--histories", str(options.histories), "--first", str(options.first)],
                    timeout=500), "the random part")
    strict = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    read(suite, run(["build-check/tests/sim/sim", "--histories", str(SANITIZED), "--first", "500001"], timeout=300, env=strict),
         "the random part with sanitizers")
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
