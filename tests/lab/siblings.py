# SPDX-License-Identifier: MIT
"""Two CHILD_SAs with one peer: a fault of one must not touch the other, and a fault of both must end for both."""
import time

import faults
from laboratory import Lab
from witness import LabError, keep, log_tail, told, wait_for

SPARES = ("child-forgotten", "child-lost")            # lan1 breaks, lan2 must not notice
RESTORES = ("sad-flushed", "restart", "delete-lost")  # both break, both must come back
BUDGETS = ["repair limit per-peer 100 per 60", "repair back-off 1"]


def jobs(builds, has_plugin, why):
    def job(ike, name):
        return lambda report: run(report, ike, name, builds["shipped"], has_plugin, why)
    return [(f"two children, IKEv{ike}: {name}", job(ike, name)) for ike in (2, 1) for name in SPARES + RESTORES]


def run(report, ike, name, build, has_plugin, why):
    title = f"IKEv{ike}, two children: {name} " + ("leaves the other alone" if name in SPARES else "ends for both")
    if faults.FAULTS[name].plugin and not has_plugin:
        report(title, None, why)
        return
    lab = Lab(f"s{ike}{name.replace('-', '')[:9]}")
    try:
        lab.up(ike=ike, plugin=has_plugin, children=2)
        lab.spimendd.build = build
        lab.spimendd.start("repair", BUDGETS)
        lab.traffic.start(40)
        lab.traffic.also(2, 40)
        problems = judge(lab, name)
        if problems:
            problems += [told(found) for found in lab.spimendd.incidents()] + log_tail(lab)
            keep(lab)
    except LabError as error:
        problems = [str(error), *log_tail(lab)]
    finally:
        lab.down()
    report(title, problems)


def judge(lab, name):
    other = lab.b.child(2)
    faults.make(lab, name)
    time.sleep(0.5)  # the fault is there, whatever is answered below is answered after it
    healed = wait_for(lambda: lab.traffic.answers("A", 1) and lab.traffic.answers("A", 2), 20)
    problems = [] if healed else [f"LAN {child} is still dark" for child in (1, 2) if not lab.traffic.answers("A", child)]
    if name not in SPARES:
        return problems
    if lab.b.child(2)["spi-in"] != other["spi-in"]:
        problems.append("the other child has a new SA")
    silence = lab.traffic.silence(2)
    if silence > 0.5:
        problems.append(f"the other child's pings were silent for {silence:.2f} s")
    return problems
