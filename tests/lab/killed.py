# SPDX-License-Identifier: MIT
"""kill -9 of a role in mid-repair: incident and ledger are intact, and the action is not repeated.

The middle of a repair is made long: the wire drops IKE_SA_INIT, so that spimendd's order hangs in charon, which sends it
again after 4 s (retransmit_timeout); by then the wire is whole again."""
import os
import signal
import time

import faults
from laboratory import Lab
from spimendd import ROLES
from witness import LabError, actions, flows, foreign_orders, keep, log_tail, told, wait_for

ENDED = ("healed", "unverified")


def jobs(builds):
    def job(role):
        return lambda report: run(role, report, builds["shipped"])
    return [(f"kill -9 of {role} in mid-repair", job(role)) for role in ("core", "act", "sense", "spimendd")] \
        + [("advise", lambda report: advise(report, builds["shipped"]))]


def run(role, report, build):
    title = f"kill -9 of {role} in mid-repair: incident and ledger intact, the action not repeated"
    lab = Lab(f"k{role}")
    try:
        lab.up(plugin=False)
        lab.spimendd.build = build
        lab.spimendd.start("repair")
        lab.traffic.start(40)
        problems = kill_role(lab, role)
        if problems:
            problems += [told(found) for found in lab.spimendd.incidents()] + log_tail(lab)
            keep(lab)
    except LabError as error:
        problems = [str(error), *log_tail(lab)]
        keep(lab)
    finally:
        lab.down()
    report(title, problems)


def kill_role(lab, role):
    lab.drop_on_wire(["udp dport 500"])
    faults.make(lab, "restart")
    if not wait_for(lambda: foreign_orders(lab) == ["initiate"], 10):
        return [f"no repair began; charon was told {foreign_orders(lab)}"]
    before = wait_for(lambda: [found for found in lab.spimendd.incidents() if found["actions"]], 2)
    if not before:
        return ["no incident tells of the repair"]
    problems = kill_parent(lab) if role == "spimendd" else kill_one(lab, role)
    lab.drop_none()
    if not wait_for(lambda: flows(lab), 20):
        problems.append("the tunnel is still dark")
    wait_for(lambda: all(found["state"] in ENDED for found in lab.spimendd.incidents() if found["actions"]), 20)
    time.sleep(2)  # for a repeated action to show
    after = {found["id"]: found for found in lab.spimendd.incidents()}
    for found in before:
        now = after.get(found["id"])
        if not now:
            problems.append(f"the incident is lost: {told(found)}")
        elif (now["src"], now["spi"], now["first_seen"], now["cause"]) != (found["src"], found["spi"], found["first_seen"],
                                                                           found["cause"]):
            problems.append(f"the incident changed: {told(found)} is now {told(now)}")
        elif now["state"] not in ENDED:
            problems.append(f"the incident stays {now['state']}")
    if foreign_orders(lab) != ["initiate"]:
        problems.append(f"charon was told {foreign_orders(lab)}")
    if len(actions(after.values())) != 1:
        problems.append(f"actions told of: {actions(after.values())}")
    return problems + second_fault(lab, set(after))


def kill_one(lab, role):
    pid = lab.spimendd.roles().get(role)
    if not pid:
        return [f"no process of role {role}: {lab.spimendd.roles()}"]
    os.kill(pid, signal.SIGKILL)
    back = wait_for(lambda: lab.spimendd.roles().get(role) not in (None, pid) and answers(lab), 10)
    return [] if back else [f"{role} did not come back"]


def kill_parent(lab):
    """The whole daemon, as a crash of the machine's memory would have it: its roles must not outlive it."""
    roles = lab.spimendd.roles()
    os.kill(lab.spimendd.pid(), signal.SIGKILL)
    gone = wait_for(lambda: not any(alive(pid) for pid in roles.values()), 5)
    lab.spimendd.restart()
    return [] if gone and set(roles) == set(ROLES) else [f"roles outlived their parent, or were not {ROLES}: {roles}"]


def alive(pid):
    """Not a zombie: what reaps orphans here does so in its own time."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def second_fault(lab, known):
    """The ledger is intact when it still proves the next case: B's SPIs that were learnt before and after the kill."""
    faults.make(lab, "delete-lost")
    found = wait_for(lambda: [new for new in lab.spimendd.incidents()
                              if new["id"] not in known and new["verdict"] == "desync"], 10)
    if not found:
        return ["a fault after it was not found"]
    return [] if found[0]["cause"] == "delete-lost" else [f"a fault after it has cause {found[0]['cause']}"]


def answers(lab):
    try:
        lab.spimendd.incidents()
        return True
    except LabError:
        return False


def advise(report, build):
    """Without the mode there is no action: the plan alone is printed."""
    lab, title = Lab("advise"), "mode advise: plans, and does nothing"
    try:
        lab.up(plugin=False)
        lab.spimendd.build = build
        lab.spimendd.start("advise")
        lab.traffic.start(40)
        faults.make(lab, "restart")
        wait_for(lambda: any(each["verdict"] == "desync" for each in lab.spimendd.incidents()), 10)
        time.sleep(3)
        found = [each for each in lab.spimendd.incidents() if each["verdict"] == "desync"]
        problems = []
        if not found:
            problems.append("the desync was not found")
        elif not found[0]["plan"]:
            problems.append("no plan")
        if foreign_orders(lab) or actions(lab.spimendd.incidents()):
            problems.append(f"something was done: {foreign_orders(lab)}")
        if flows(lab):
            problems.append("the tunnel healed by itself: the fault is none")
        if problems:
            problems += log_tail(lab)
            keep(lab)
    except LabError as error:
        problems = [str(error), *log_tail(lab)]
    finally:
        lab.down()
    report(title, problems)
