# SPDX-License-Identifier: MIT
"""lab audit: what both gateways print is saved, as a person would, and compared by `spimend audit`: in step, then with a
CHILD_SA that B lost and A does not know of, then healed by what the plan says."""
import os
import subprocess

import faults
from demo import say, title
from laboratory import Lab
from net import LabError
from routers import BUILD, show


def audit(lab, label):
    named = []
    for side, host in (("A", lab.a), ("B", lab.b)):
        path = lab.path(f"{label}-{side}.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(host.swanctl(["--list-sas"]))
        named.append(f"{side}={path}")
    say("$ spimend audit " + " ".join(f"{one.partition('=')[0]}={os.path.basename(one)}" for one in named))
    done = subprocess.run([os.path.join(BUILD, "spimend"), "audit", *named], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False, text=True)
    show(done.stdout.replace(lab.path(""), ""))
    return done.returncode


def run(lab):
    lab.up(plugin=True, children=2)
    if not os.access(os.path.join(BUILD, "spimend"), os.X_OK):
        raise LabError(f"{BUILD}/spimend is not built: make")
    title("1. Two gateways in step: `swanctl --list-sas` of both, saved and compared")
    in_step = audit(lab, "before")
    made = faults.make(lab, "child-lost" if lab.options["plugin"] else "delete-lost")
    title(f"2. {made['done']}: A would send into it, and nothing says so yet")
    lost = audit(lab, "lost")
    title("3. What the plan says, typed at A")
    stale = next(each for each in lab.a.children(state=None) if each["spi-out"] == made["spi"])
    say(f"$ swanctl --rekey --child-id {stale['uniqueid']}")
    lab.a.swanctl(["--rekey", "--child-id", str(stale["uniqueid"])])
    lab.wait(lambda: not any(each.get("spi-out") == made["spi"] for each in lab.a.children(state=None)), 10, "the rekey")
    lab.wait(lambda: len(lab.a.children()) == len(lab.b.children()), 10, "both ends to list the same")
    healed = audit(lab, "healed")
    if (in_step, lost, healed) != (0, 1, 0):
        raise LabError(f"audit's exit statuses are {in_step}, {lost}, {healed}; expected 0, 1, 0")


def compare(given):
    lab = Lab("audit")
    try:
        run(lab)
    finally:
        lab.down()
