#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real strongSwan on both ends, real faults, the real spimendd beside B: judged by verdict, cause, action and restored ping.

    run.py [--seed N] [--only WORD]   faults in random order, each followed by a healthy control; the seed is printed

Runs in a cage of its own (lab/net.py): whatever ends it, nothing is left behind. Needs root and the lab's packages; what
cannot run here is skipped and says why. IPv4 has spimendd as it is shipped, confined; IPv6 has the one with sanitizers,
which cannot be. SPIMEND_LAB_BUILD names one build folder for all, SPIMEND_LAB_KEEP a folder for the logs of labs in which
something failed."""
import argparse
import json
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
import applets  # noqa: E402
import audit  # noqa: E402
import end_to_end  # noqa: E402
import gateway  # noqa: E402
import handover  # noqa: E402
import histories  # noqa: E402
import itself  # noqa: E402
import killed  # noqa: E402
import net  # noqa: E402
import siblings  # noqa: E402
from laboratory import HERE as LAB  # noqa: E402
from suite import Suite, build_check, run  # noqa: E402

PARALLEL = 3  # on two cores: most of the time each waits


def has_programs(folder):
    return all(os.access(os.path.join(ROOT, folder, name), os.X_OK) for name in ("spimend", "spimendd"))


def find_builds():
    """{"shipped": folder, "sanitized": folder}, brought up to date; or raises with why not."""
    given = os.environ.get("SPIMEND_LAB_BUILD")
    if given:
        return {"shipped": given, "sanitized": given}
    built = build_check("spimend", "spimendd")
    if built.status:
        raise net.LabError(built.tail())
    for folder in ("build-gcc", "build"):
        if has_programs(folder):
            env = dict(os.environ, SPIMEND_BUILD_TARGETS="spimend spimendd")
            if run(["scripts/as-user", "scripts/build", folder], timeout=500, env=env).status == 0:
                return {"shipped": folder, "sanitized": "build-check"}
    return {"shipped": "build-check", "sanitized": "build-check"}


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
    if not net.caged():  # what follows needs names and networks, which the cage has not
        try:
            os.environ["SPIMEND_LAB_BUILT"] = json.dumps([find_builds(), *gateway.build_plugin(LAB), *gateway.build_product()])
        except net.LabError as error:
            suite.fail("spimendd can be built", str(error))
            return suite.close()
        net.cage([sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    builds, plugin, why, product, no_product = json.loads(os.environ["SPIMEND_LAB_BUILT"])
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10 ** 6)
    print(f"lab: seed {seed}; again with: tests/lab/run.py --seed {seed}", flush=True)
    print(f"lab: spimendd of {builds['shipped']} (IPv4), and of {builds['sanitized']} (IPv6)", flush=True)
    # the longest first
    jobs = applets.jobs(builds, plugin is not None) + itself.jobs() \
        + histories.jobs(seed, plugin is not None, why, builds) + killed.jobs(builds) \
        + siblings.jobs(builds, plugin is not None, why) + audit.jobs(builds, plugin is not None, why) \
        + end_to_end.jobs(builds, product, no_product) + handover.jobs(builds)
    run_all(suite, [job for job in jobs if not given.only or given.only in job[0]])
    shutil.rmtree("/run/spimend-lab", ignore_errors=True)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
