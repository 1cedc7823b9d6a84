#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lab/ios itself, over the system's sshd: that it behaves as reference and notes say, well and badly (lab/ios/README.md).

    run.py [--only WORD]"""
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "lab"), HERE]
from ios import api  # noqa: E402
from suite import Suite  # noqa: E402

import bad_manners  # noqa: E402
import scale  # noqa: E402
import terminal  # noqa: E402
import tunnels  # noqa: E402
import wan  # noqa: E402

ROOMS = (terminal, tunnels, wan, bad_manners, scale)


def main():
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    suite = Suite("devices")
    lacking = api.missing()
    for room in ROOMS:
        tests = [(name, test) for name, test in room.TESTS if only in name]
        if not tests:
            continue
        if lacking:
            suite.skip(room.__name__, f"no {', '.join(lacking)}")
            continue
        with room.world() as world:
            for name, test in tests:
                try:
                    problems = test(world)
                except Exception:  # noqa: BLE001  a test that dies has failed
                    problems = traceback.format_exc().splitlines()
                suite.judge(name, problems)
            folder = world.folder
        suite.judge(f"{room.__name__}: nothing is left", [f"{folder} is still there"] if os.path.exists(folder) else left(folder))
    return suite.close()


def left(folder):
    """Processes that still run for a world that has ended."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if folder in words:
            found.append(f"{pid}: {words}")
    return found


if __name__ == "__main__":
    sys.exit(main())
