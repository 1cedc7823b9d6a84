# SPDX-License-Identifier: MIT
"""Real kernel ESP in guests, whatever machine they run on (machine.py here, tests/kernel/machine.py):

    guest.sh   B loses an SA; audit records, XFRM counters and the packet sensor must agree on every packet. Also the
               sensor's BPF programs on an older kernel
    heal.sh    two real charons, spimendd beside one: groups of cases.py, judged by verdict, cause, action, restored ping
    kinds.sh   the same two, over each tunnel kind of kinds.py: is it known, and done as B12 allows? See lab/lab matrix

A machine has patience, the factor by which its limits are longer (no test asserts a time); parallel guests; tools as
(program, Debian package); prepare(scratch), which raises Unavailable; and command(scratch, memory in MiB, environment),
which gives the words to run it, and what to add to the environment."""
import argparse
import ctypes
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import cases
import kind_runs
import kinds
from suite import ROOT, Suite, kill_group, run

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.environ.get("SPIMEND_UML_BUILD")  # a build folder of one's own, without sanitizers, up to date
TARGETS = "spimend spimendd tests/uml/uml_witness tests/netns/netns_sensor"
LOST = "0xb7618631"
PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """Why there is no such machine here."""


def build():
    if BUILT:
        return None
    env = dict(os.environ, CC="gcc", SPIMEND_BUILD_TARGETS=TARGETS)
    return run(["scripts/build", "build-gcc", "-Dwerror=true"], timeout=280, env=env)


class Guest:
    """One boot of a machine. Its lines come while it runs; what runs it ends with us, however we end."""
    running = set()

    def __init__(self, machine, scratch, guest, memory, seconds, build=None, **environment):
        environment.update(GUEST=f"{HERE}/{guest}", START=f"{HERE}/start.sh", PATIENCE=str(machine.patience),
                           BUILD=os.path.abspath(build or BUILT or os.path.join(ROOT, "build-gcc")))
        # What the kernel does not know of its command line becomes the environment of its first process.
        words, more = machine.command(tempfile.mkdtemp(dir=scratch), memory,
                                      [f"{name}={value.replace(' ', '_')}" for name, value in environment.items()])
        self.command, self.environment = ["setpriv", "--pdeathsig", "KILL", *words], dict(os.environ, **more)
        self.seconds, self.said, self.ended = seconds * machine.patience, [], False

    def lines(self):
        child = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.running.add(child.pid)
        late = threading.Timer(self.seconds, kill_group, [child.pid])
        late.start()
        try:
            for raw in child.stdout:
                self.said.append(raw.decode("utf-8", "replace").replace("\r", "").rstrip("\n"))
                self.ended = self.ended or self.said[-1].endswith("guest ended 0")
                yield self.said[-1]
        finally:
            late.cancel()
            kill_group(child.pid)
            self.running.discard(child.pid)
            child.wait()
            child.stdout.close()

    def text(self):
        """All that it says until its end."""
        return "\n".join(self.lines())


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


def witness(machine, scratch, report):
    guest = Guest(machine, scratch, "guest.sh", 256, 300)
    text = guest.text()
    report("the guest boots and ends", [] if guest.ended else text.splitlines()[-60:])
    if guest.ended:
        check_guest(report, text)


def heal(machine, scratch, report, groups, only):
    """A guest through some of the groups of cases.py."""
    wanted = {f"{group}: {case.name}" for group in groups for case in cases.GROUPS[group][1] if only in case.name}
    if not wanted:
        return
    guest = Guest(machine, scratch, "heal.sh", 512, 600, GROUPS_WANTED=",".join(groups), ONLY=only)
    for line in guest.lines():
        if not line.startswith("heal: "):
            continue
        told = json.loads(line[6:])
        wanted.discard(told["test"])
        outage = f" (dark for {told['outage']:.2f} s)" if told["outage"] is not None and told["healed"] else ""
        report(told["test"] + outage, told["problems"])
    for name in wanted:
        report(name, ["it did not come to that:", *([] if guest.ended else guest.said[-20:])])


def fault_plugin():
    """Charon's, of the lab; None where it cannot be built."""
    built = run(["lab/plugin/build"], timeout=900)
    return built.out.decode().strip() if built.status == 0 else None


def tunnel_kinds(machine, scratch, report, names, faults):
    """A guest through some of the tunnel kinds."""
    for told in kind_runs.play(lambda *words, **more: Guest(machine, scratch, *words, **more), names, faults):
        test = f"{told['kind']}: {kinds.fault(told['fault']).title}"
        showed = kind_runs.showed(told)
        if told.get("error") == showed:
            report(test, None, showed[len(kind_runs.NOT_RUN):])
        else:
            report(f"{test} ({showed})", kind_runs.problems(told))


def run_all(suite, jobs, parallel):
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

    for _ in range(parallel):
        threading.Thread(target=work, daemon=True).start()
    running = parallel
    while running:
        line = said.get()
        if line is None:
            running -= 1
        elif line[1] is None:
            suite.skip(line[0], line[2])
        else:
            suite.judge(*line)


def missing(machine):
    for tool, package in (*machine.tools, ("setpriv", "util-linux"), ("ip", "iproute2"), ("tc", "iproute2"),
                          ("ping", "iputils-ping"), ("charon-systemd", "charon-systemd"), ("swanctl", "strongswan-swanctl")):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"{tool} is not installed (Debian: {package})"
    return None


def end_with_parent():
    """Who is killed cannot end what it started."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def main(name, machine, guests, what, kinds_of_guests=()):
    """The suite of that name: what every guest tells, and the groups of cases that are in `guests`, one guest each; then the
    tunnel kinds of kinds.py that are in `kinds_of_guests`, the same."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases that have this word in their name, of the groups that have such")
    only = parser.parse_args().only
    end_with_parent()
    suite = Suite(name)
    why = missing(machine)
    if why:
        suite.skip("real kernel ESP", why)
        return suite.close()
    built = build()
    if built and built.status:
        suite.fail("build", built.tail(60))
        return suite.close()
    scratch = tempfile.mkdtemp(prefix=f"{name}-")
    try:
        machine.prepare(scratch)
        jobs = [lambda report, groups=groups: heal(machine, scratch, report, groups, only) for groups in guests]
        wanted = [[kind for kind in kinds_of if only in kind] for kinds_of in kinds_of_guests]
        faults = fault_plugin() if any(wanted) else None
        jobs += [lambda report, names=names: tunnel_kinds(machine, scratch, report, names, faults)
                 for names in wanted if names]
        run_all(suite, ([] if only else [lambda report: witness(machine, scratch, report)]) + jobs, machine.parallel)
    except Unavailable as error:
        suite.skip("real kernel ESP", str(error))
    finally:
        for group in list(Guest.running):  # a guest of user-mode Linux is several processes
            kill_group(group)
        shutil.rmtree(scratch, ignore_errors=True)
    return suite.close()
