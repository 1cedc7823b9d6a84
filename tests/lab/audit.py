# SPDX-License-Identifier: MIT
"""`spimend audit` on two real gateways: in step, with one CHILD_SA that B lost, and healed by what the plan says.

Saved is what `swanctl --list-sas` and `ip xfrm state` print at both ends, as a person would save it."""
import json
import os
import subprocess
import traceback

import faults
from laboratory import Lab
from net import LabError

FORMS = ("", " --raw", " --raw --pretty")


def jobs(builds, has_plugin, why):
    return [("audit: a CHILD_SA that B lost", lambda report: run(report, builds["sanitized"], has_plugin, why))]


def save(lab, label):
    """The files of both ends: {form: [NAME=FILE, ...]}."""
    named = {form: [] for form in FORMS}
    for side, host in (("A", lab.a), ("B", lab.b)):
        # charon does ESP in user space here: the kernel has no state, and some kernels have no XFRM at all
        states = subprocess.run(lab.net.inside(side, ["ip", "-s", "xfrm", "state"]), stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False).stdout
        for at, form in enumerate(FORMS):
            path = lab.path(f"{label}-{side}-{at}.txt")
            with open(path, "wb") as file:
                file.write(host.swanctl(["--list-sas", *form.split()]).encode())
                file.write(b"root@%s:~# ip -s xfrm state\n" % side.encode() + states if states else b"")
            named[form].append(f"{side}={path}")
    return named


def audit(build, named):
    """(findings, summary, exit status)"""
    shown = subprocess.run([os.path.join(build, "spimend"), "audit", "--json", *named], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False, timeout=30)
    objects = [json.loads(line) for line in shown.stdout.decode().splitlines()]
    if not objects:
        raise LabError(f"audit said nothing: {shown.stderr.decode()}")
    return objects[:-1], objects[-1], shown.returncode


def judge_in_step(build, saved):
    problems = []
    for form, named in saved.items():
        found, summary, status = audit(build, named)
        if found or status or (summary["tunnels"], summary["tunnels_in_sync"]) != (1, 1):
            problems.append(f"in step,{form}: status {status}, {found}, {summary}")
    return problems


def judge_lost(lab, build, saved, spi):
    problems = []
    stale = next(each for each in lab.a.children(state=None) if each["spi-out"] == spi)
    for form, named in saved.items():
        found, summary, status = audit(build, named)
        missing = [one for one in found if one["code"] == "sa-missing"]
        if status != 1 or len(missing) != 1 or len(found) != 1:
            problems.append(f"lost,{form}: status {status}, {found}, {summary}")
            continue
        one = missing[0]
        want = {"spi": f"0x{int(spi, 16):x}", "cause": "child-missing", "severity": "error"}
        problems += [f"lost,{form}: {key} is {one[key]}, expected {value}" for key, value in want.items() if one[key] != value]
        if [end["device"] for end in one["ends"]] != ["A", "B"]:
            problems.append(f"lost,{form}: the sender is not A: {one['ends']}")
        command = f"swanctl --rekey --child-id {stale['uniqueid']}"
        if not one["plan"] or (one["plan"][0]["device"], one["plan"][0]["command"]) != ("A", command):
            problems.append(f"lost,{form}: the first step is not '{command}' at A: {one['plan']}")
    return problems


def run(report, build, has_plugin, why):
    title = "audit: two gateways in step, then one CHILD_SA that B lost: named, with what heals it"
    if not has_plugin:
        report(title, None, why)
        return
    lab, problems = Lab("audit"), []
    try:
        lab.up(plugin=True, children=2)
        problems += judge_in_step(build, save(lab, "before"))
        made = faults.make(lab, "child-lost")
        problems += judge_lost(lab, build, save(lab, "lost"), made["spi"])
        # What the plan says does heal it: both ends are in step again.
        stale = next(each for each in lab.a.children(state=None) if each["spi-out"] == made["spi"])
        lab.a.swanctl(["--rekey", "--child-id", str(stale["uniqueid"])])
        lab.wait(lambda: not any(each.get("spi-out") == made["spi"] for each in lab.a.children(state=None))
                 and len(lab.b.children()) == 2, 10, "the child to be made anew")
        problems += judge_in_step(build, save(lab, "healed"))
    except LabError as error:
        problems.append(str(error))
    except Exception:
        problems += traceback.format_exc().splitlines()
    finally:
        lab.down()
    report(title, problems)
