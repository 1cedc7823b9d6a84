# SPDX-License-Identifier: MIT
"""The lab, before spimendd comes into it: its faults are real, and it leaves nothing behind."""
import os
import signal
import subprocess
import sys
import time

import faults
import net
from laboratory import HERE, ROOT, Lab
from witness import LabError, flows, wait_for


def jobs():
    return [("without spimendd", stays_dark), ("half-way", half_way), ("killed", killed_lab), ("root", not_root),
            ("README", readme)]


def stays_dark(report):
    """The control of all others: nobody but spimendd ends these."""
    for ike, name in ((2, "restart"), (1, "delete-lost")):
        lab, problems = Lab(f"d{ike}"), []
        try:
            lab.up(ike=ike, plugin=False)
            lab.traffic.start(40)
            entry = faults.make(lab, name)
            time.sleep(5)
            seconds, _, ended = lab.traffic.outage(entry["since"])
            if ended or seconds < 4:
                problems.append(f"silence of {seconds:.1f} s only")
            if not lab.traffic.strays(lab.b.address, {int(child["spi-in"], 16) for child in lab.b.children(state=None)},
                                      entry["since"]):
                problems.append("no packet with the lost SPI on the wire")
            lab.b.initiate()  # what heals it, by hand
            if not wait_for(lambda lab=lab: flows(lab), 5):
                problems.append("initiating at B does not heal it")
        except LabError as error:
            problems.append(str(error))
        finally:
            lab.down()
        report(f"without spimendd: IKEv{ike} {name} stays dark, until B initiates", problems)


def left_of(name):
    lab = Lab(name)
    found = [lab.net.namespace(host) for host in net.HOSTS if lab.net.exists(host)]
    return found + ([lab.folder] if os.path.exists(lab.folder) else [])


def half_way(report):
    """A gateway that cannot start: up fails, says so, and takes back what it had made."""
    class Broken(Lab):
        def _gateways(self):
            super()._gateways()
            self.b.start = self.fail

        def fail(self):
            raise LabError("no charon today")
    problems = []
    lab = Broken("half")
    try:
        lab.up(plugin=False)
        problems.append("it came up")
    except LabError as error:
        if str(error) != "no charon today":
            problems.append(str(error))
    finally:
        problems += [f"left behind: {what}" for what in left_of("half")]
        lab.down()
    report("an up that fails half-way leaves nothing behind", problems)


def killed_lab(report):
    """kill -9 of a caged program takes its lab with it."""
    program = "import sys, time; sys.path.insert(0, sys.argv[1]); from laboratory import Lab; Lab('gone').up();" \
              " print('up', flush=True); time.sleep(60)"
    caged = "import sys; sys.path.insert(0, sys.argv[1]); import net;" \
            f" net.cage([sys.executable, '-B', '-c', {program!r}, sys.argv[1]])"
    child = subprocess.Popen([sys.executable, "-B", "-c", caged, HERE], stdout=subprocess.PIPE, text=True)
    said = child.stdout.readline().strip()
    charons = mine(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    problems = [] if said == "up" and len(charons) >= 2 else [f"the lab did not come up: '{said}', {len(charons)} charons"]
    alive = wait_for(lambda: not [pid for pid in charons if os.path.exists(f"/proc/{pid}")], 5)
    if not alive:
        problems.append("its charons outlived it")
    report("a lab whose owner is killed leaves nothing behind", problems)


def mine(parent):
    """The charons below a process."""
    below, found = {parent}, []
    for _ in range(8):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                        head, _, tail = file.read().rpartition(")")
                except OSError:
                    continue
                if int(tail.split()[1]) in below and int(entry) not in below:
                    below.add(int(entry))
                    if head.endswith("charon-systemd"[:15]):
                        found.append(int(entry))
    return found


def not_root(report):
    program = os.path.join(ROOT, "lab", "lab")
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-B", program, "up"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    problems = [] if done.returncode == 2 and "root" in done.stdout else [f"{done.returncode}: {done.stdout}"]
    report("lab up without root says what it needs", problems)




def readme(report):
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        rows = "".join(line.split("|")[1] for line in file if line.startswith("|"))
    named = {word.strip() for word in rows.replace(",", " ").split()}
    report("lab/README.md has every fault", [f"{name} is missing" for name in faults.FAULTS if name not in named])
