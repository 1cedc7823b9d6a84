#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real kernel ESP, in user-mode Linux (a kernel as a process, no root needed), in guests that run side by side:

    guest.sh   B loses an SA; audit records, XFRM counters and the packet sensor must agree on every packet. Also the
               sensor's BPF programs on an older kernel, with the interpreter
    heal.sh    two real charons, spimendd beside one: every case of cases.py, judged by verdict, cause, action, restored ping

    run.py [--only WORD]   cases that have this word in their name (of the groups that have such)"""
import argparse
import json
import os
import queue
import re
import shutil
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), HERE]
import cases  # noqa: E402
from suite import ROOT, Suite, run  # noqa: E402

BUILT = os.environ.get("SPIMEND_UML_BUILD")  # a build folder of one's own, without sanitizers, up to date
TARGETS = "spimend spimendd tests/uml/uml_witness tests/netns/netns_sensor"
PARALLEL = 3  # guests at a time, of one processor each, which mostly wait
LOST = "0xb7618631"


def build():
    if BUILT:
        return None
    env = dict(os.environ, CC="gcc", SPIMEND_BUILD_TARGETS=TARGETS)
    return run(["scripts/build", "build-gcc", "-Dwerror=true"], timeout=280, env=env)


def make_shim(scratch):
    """What linux.uml needs on a processor with AMX (xstate.c)."""
    made = run([os.environ.get("CC", "gcc"), "-O1", "-Wall", "-shared", "-fPIC", "-o", os.path.join(scratch, "xstate.so"),
                os.path.join(HERE, "xstate.c")])
    return made.tail() if made.status else None


def boot(scratch, guest, memory, seconds, **environment):
    """Returns what the guest printed, and whether it ended by itself."""
    folder = tempfile.mkdtemp(dir=scratch)
    command = ["linux.uml", f"mem={memory}M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "loglevel=1", "audit=1", "con=null",
               "con0=null,fd:1", f"uml_dir={folder}", f"init={HERE}/init.sh"]
    # What the kernel does not know of its command line becomes init's environment.
    command += [f"GUEST={HERE}/{guest}", f"BUILD={os.path.abspath(BUILT or os.path.join(ROOT, 'build-gcc'))}"]
    command += [f"{name}={value.replace(' ', '_')}" for name, value in environment.items()]
    result = run(command, timeout=seconds, env=dict(os.environ, LD_PRELOAD=os.path.join(scratch, "xstate.so")))
    text = result.out.decode("utf-8", "replace").replace("\r", "")
    return text, "guest ended 0" in text


def values(line):
    return dict(re.findall(r"(\w+)=(\S+)", line))


def lines(text, start):
    return [values(line) for line in text.splitlines() if line.startswith(start)]


def check_flow(found, src, packets=3):
    """All that was said of the flow from src: every packet once, in order, nothing else."""
    mine = [one for one in found if one["src"] == src]
    problems = [f"{one}" for one in mine if one["spi"] != LOST or one["protocol"] != "50" or one["valid"] != "1"]
    if sum(int(one["packets"]) for one in mine) != packets:
        problems.append(f"{packets} packets expected: {mine}")
    elif (mine[0]["first"], mine[-1]["last"], mine[-1]["highest"]) != ("3", "5", "5"):
        problems.append(f"sequence numbers 3 to 5 expected: {mine}")
    return problems


def check_guest(report, text):
    carry, lost = "tunnels that carry: 2" in text, "tunnels that do not: 2" in text
    report("the guest's tunnels carry, then lose their SAs", [] if carry and lost else text.splitlines()[-60:])
    audit = lines(text, "witness: audit")
    state = lines(text, "witness: state") or [{}]
    problems = check_flow(audit, "10.88.0.1") + check_flow(audit, "fd88::1")
    if (state[0].get("records"), state[0].get("malformed")) != ("6", "0"):
        problems.append(f"state {state}")
    report("audit: one record a lost packet, over IPv4 and IPv6", problems)
    late = (lines(text, "late: state") or [{}])[0]
    good = late.get("malformed") == "0" and int(late.get("lost", 0)) >= 1 and int(late.get("records", 6)) < 6
    report("audit: what overruns the buffer is lost, and counted", [] if good else [f"state {late}"])
    counters = lines(text, "witness: counters")
    problems = [] if len(counters) == 2 else [f"{len(counters)} readings, not 2"]
    problems += [] if problems or counters[0]["present"] == "8" else [f"{counters[0]['present']} counters of 8"]
    for name in [] if problems else counters[0]:
        rise = int(counters[1][name]) - int(counters[0][name])
        if rise != (6 if name == "XfrmInNoStates" else 0):
            problems.append(f"{name} rose by {rise}")
    report("XFRM counters: XfrmInNoStates rises by the lost packets, nothing else does", problems)
    sensor = lines(text, "sensor: sighting")
    problems = check_flow(sensor, "10.88.0.1") + check_flow(sensor, "fd88::1")
    problems += [f"not known as dead: {one}" for one in sensor if one["ledger"] != "1"]
    if not any(one.get("packets") == "3" for one in lines(text, "sensor: count")):
        problems.append("the count is not 3")
    report("packet sensor: the same packets, on the guest's kernel", problems)


def witness(scratch, report):
    text, ended = boot(scratch, "guest.sh", 256, 90)
    report("the guest boots and ends", [] if ended else text.splitlines()[-60:])
    if ended:
        check_guest(report, text)


def heal(scratch, report, groups, only):
    """A guest through some of the groups of cases.py."""
    wanted = {f"{group}: {case.name}" for group in groups for case in cases.GROUPS[group][1] if only in case.name}
    if not wanted:
        return
    text, ended = boot(scratch, "heal.sh", 512, 200, GROUPS_WANTED=",".join(groups), ONLY=only)
    for line in text.splitlines():
        if not line.startswith("heal: "):
            continue
        told = json.loads(line[6:])
        wanted.discard(told["test"])
        outage = f" (dark for {told['outage']:.2f} s)" if told["outage"] is not None and told["healed"] else ""
        report(told["test"] + outage, told["problems"])
    for name in wanted:
        report(name, ["it did not come to that:", *([] if ended else text.splitlines()[-20:])])


def run_all(suite, jobs):
    """Runs jobs, some at once; prints what they report as it comes."""
    waiting, said = queue.Queue(), queue.Queue()
    for job in jobs:
        waiting.put(job)

    def work():
        while True:
            try:
                waiting.get_nowait()(lambda *line: said.put(line))
            except queue.Empty:
                break
            except Exception as error:
                said.put(("the guests", [repr(error)]))
        said.put(None)

    for _ in range(PARALLEL):
        threading.Thread(target=work, daemon=True).start()
    running = PARALLEL
    while running:
        line = said.get()
        if line is None:
            running -= 1
        else:
            suite.judge(*line)


def missing():
    for tool, package in (("linux.uml", "user-mode-linux"), ("ip", "iproute2"), ("tc", "iproute2"), ("ping", "iputils-ping"),
                          ("charon-systemd", "charon-systemd"), ("swanctl", "strongswan-swanctl")):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"{tool} is not installed (Debian: {package})"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    only = parser.parse_args().only
    suite = Suite("uml")
    why = missing()
    if why:
        suite.skip("real kernel ESP", why)
        return suite.close()
    built = build()
    if built and built.status:
        suite.fail("build", built.tail(60))
        return suite.close()
    scratch = tempfile.mkdtemp(prefix="uml-")
    try:
        wrong = make_shim(scratch)
        if wrong:
            suite.fail("build", wrong)
            return suite.close()
        jobs = [lambda report, groups=groups: heal(scratch, report, groups, only) for groups in cases.GUESTS]
        run_all(suite, ([] if only else [lambda report: witness(scratch, report)]) + jobs)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
