#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real strongSwan on both ends, real faults, the real spimendd beside B: judged by verdict, cause, action and restored ping.

    run.py [--seed N] [--only WORD]   faults in random order, each followed by a healthy control; the seed is printed

Runs in a cage of its own (lab/net.py): whatever ends it, nothing is left behind. Needs root and the lab's packages; what
cannot run here is skipped and says why. SPIMEND_LAB_BUILD is the build folder that has spimendd (default: build-check, else
build), SPIMEND_LAB_KEEP a folder for the logs of labs in which something failed."""
import argparse
import os
import queue
import random
import shutil
import sys
import threading
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "lab"), HERE]
import gateway  # noqa: E402
import histories  # noqa: E402
import itself  # noqa: E402
import killed  # noqa: E402
import net  # noqa: E402
from laboratory import HERE as LAB  # noqa: E402
from suite import Suite  # noqa: E402

PARALLEL = 3  # on two cores: most of the time each waits


def find_build():
    """Names the build folder for lab/spimendd.py; None when no spimendd is built."""
    for folder in [os.environ.get("SPIMEND_LAB_BUILD"), "build-check", "build"]:
        if folder and os.access(os.path.join(ROOT, folder, "spimendd"), os.X_OK) \
                and os.access(os.path.join(ROOT, folder, "spimend"), os.X_OK):
            os.environ["SPIMEND_LAB_BUILD"] = folder
            return folder
    return None


def prerequisites(suite):
    """False when nothing can run here, which is then said."""
    try:
        net.demand_root()
        net.demand_tools()
    except net.LabError as error:
        suite.skip("two gateways that break and heal", str(error))
        return False
    return True


def run_all(suite, jobs):
    """Runs jobs, each a function that gets a report function, some at once; prints what they report as it comes."""
    waiting, said = queue.Queue(), queue.Queue()
    for job in jobs:
        waiting.put(job)

    def work():
        while True:
            try:
                name, job = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                job(lambda *line: said.put(line))
            except Exception:
                said.put((name, traceback.format_exc().splitlines()))
        said.put(None)

    for _ in range(PARALLEL):
        threading.Thread(target=work, daemon=True).start()
    running = PARALLEL
    while running:
        line = said.get()
        if line is None:
            running -= 1
        elif line[1] is None:
            suite.skip(line[0], line[2])
        else:
            suite.judge(line[0], line[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", help="tests that have this word in their name")
    given = parser.parse_args()
    suite = Suite("lab")
    if not prerequisites(suite):
        return suite.close()
    plugin, why = gateway.build_plugin(LAB)  # before the cage, which has no /run and so perhaps no name lookups
    if not net.caged():
        net.cage([sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10 ** 6)
    print(f"lab: seed {seed}; again with: tests/lab/run.py --seed {seed}", flush=True)
    jobs = itself.jobs()
    if find_build():
        jobs += histories.jobs(seed, plugin is not None, why) + killed.jobs()
    else:
        suite.skip("two gateways that break and heal", "no spimendd is built: make")
    run_all(suite, [job for job in jobs if not given.only or given.only in job[0]])
    shutil.rmtree("/run/spimend-lab", ignore_errors=True)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
