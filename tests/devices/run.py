#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lab/ios itself, over the system's sshd: that it behaves as reference and notes say, well and badly (lab/ios/README.md).

    run.py [--only WORD]"""
import concurrent.futures
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "lab"), HERE]
from ios import api  # noqa: E402
from suite import Suite  # noqa: E402

import bad_manners  # noqa: E402
import layouts  # noqa: E402
import scale  # noqa: E402
import terminal  # noqa: E402
import tunnels  # noqa: E402
import wan  # noqa: E402
import ways  # noqa: E402

AT_ONCE = 3
ROOMS = (terminal, tunnels, wan, bad_manners, layouts, ways, scale)


def main():
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    suite = Suite("devices")
    lacking = api.missing()
    rooms = [room for room in ROOMS if any(only in name for name, _ in room.TESTS)]
    if lacking:
        for room in rooms:
            suite.skip(room.__name__, f"no {', '.join(lacking)}")
        return suite.close()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:  # most of the time is spent waiting
        for judged in pool.map(lambda room: judge(room, only), rooms):
            for name, problems in judged:
                suite.judge(name, problems)
    return suite.close()


def judge(room, only):
    """[(test, problems)] of one world."""
    judged = []
    try:
        with room.world() as world:
            for name, test in room.TESTS:
                if only in name:
                    try:
                        problems = test(world)
                    except Exception:  # noqa: BLE001  a test that dies has failed
                        problems = traceback.format_exc().splitlines()
                    judged.append((name, problems))
            folder = world.folder
    except Exception:  # noqa: BLE001  nor may a world that does not come up go unseen
        return judged + [(f"{room.__name__}: its world", traceback.format_exc().splitlines())]
    gone = [f"{folder} is still there"] if os.path.exists(folder) else left(folder)
    return judged + [(f"{room.__name__}: nothing is left", gone)]


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
