#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real kernel ESP, in a user-mode Linux (a kernel as a process, no root needed): B loses an SA; audit records, XFRM counters
and the packet sensor must agree on every packet. Also the sensor's BPF programs on an older kernel, with the interpreter."""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from suite import ROOT, Suite, run  # noqa: E402

HERE = os.path.join(ROOT, "tests/uml")
BUILT = os.environ.get("SPIMEND_UML_BUILD")  # a build folder of one's own, without sanitizers, up to date
TARGETS = "tests/uml/uml_witness tests/netns/netns_sensor"
LOST = "0xb7618631"


def build():
    if BUILT:
        return None
    env = dict(os.environ, CC="gcc", SPIMEND_BUILD_TARGETS=TARGETS)
    return run(["scripts/build", "build-gcc", "-Dwerror=true"], timeout=280, env=env)


def boot(scratch):
    """Returns what the guest printed, and whether it ended by itself."""
    shim = os.path.join(scratch, "xstate.so")
    made = run([os.environ.get("CC", "gcc"), "-O1", "-Wall", "-shared", "-fPIC", "-o", shim, os.path.join(HERE, "xstate.c")])
    if made.status:
        return made.tail(), False
    command = ["linux.uml", "mem=256M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "audit=1", "con=null", "con0=null,fd:1",
               f"uml_dir={scratch}", f"init={HERE}/init.sh"]
    # What the kernel does not know of its command line becomes init's environment.
    command += [f"GUEST={HERE}/guest.sh", f"BUILD={os.path.abspath(BUILT or os.path.join(ROOT, 'build-gcc'))}"]
    result = run(command, timeout=90, env=dict(os.environ, LD_PRELOAD=shim))
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


def check_guest(suite, text):
    carry, lost = "tunnels that carry: 2" in text, "tunnels that do not: 2" in text
    suite.judge("the guest's tunnels carry, then lose their SAs", [] if carry and lost else text.splitlines()[-60:])
    audit = lines(text, "witness: audit")
    state = lines(text, "witness: state") or [{}]
    problems = check_flow(audit, "10.88.0.1") + check_flow(audit, "fd88::1")
    if (state[0].get("records"), state[0].get("malformed")) != ("6", "0"):
        problems.append(f"state {state}")
    suite.judge("audit: one record a lost packet, over IPv4 and IPv6", problems)
    counters = lines(text, "witness: counters")
    problems = [] if len(counters) == 2 else [f"{len(counters)} readings, not 2"]
    problems += [] if problems or counters[0]["present"] == "8" else [f"{counters[0]['present']} counters of 8"]
    for name in [] if problems else counters[0]:
        rise = int(counters[1][name]) - int(counters[0][name])
        if rise != (6 if name == "XfrmInNoStates" else 0):
            problems.append(f"{name} rose by {rise}")
    suite.judge("XFRM counters: XfrmInNoStates rises by the lost packets, nothing else does", problems)
    sensor = lines(text, "sensor: sighting")
    problems = check_flow(sensor, "10.88.0.1") + check_flow(sensor, "fd88::1")
    problems += [f"not known as dead: {one}" for one in sensor if one["ledger"] != "1"]
    if not any(one.get("packets") == "3" for one in lines(text, "sensor: count")):
        problems.append("the count is not 3")
    suite.judge("packet sensor: the same packets, on the guest's kernel", problems)


def main():
    suite = Suite("uml")
    for tool, package in (("linux.uml", "user-mode-linux"), ("ip", "iproute2"), ("ping", "iputils-ping")):
        if not shutil.which(tool):
            suite.skip("real kernel ESP", f"{tool} is not installed (Debian: {package})")
            return suite.close()
    built = build()
    if built and built.status:
        suite.fail("build", built.tail(60))
        return suite.close()
    scratch = tempfile.mkdtemp(prefix="uml-")
    try:
        text, ended = boot(scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    suite.judge("the guest boots and ends", [] if ended else text.splitlines()[-60:])
    if ended:
        check_guest(suite, text)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
