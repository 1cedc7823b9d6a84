# SPDX-License-Identifier: MIT
"""What the tests hold against spimendd's own words: charon's log, the wire, the pings."""
import os
import re
import shutil
import time

import wire
from net import LabError, OUTER

ORDER = re.compile(r" vici (rekey|terminate|initiate) ")
VERBS = {"rekey": ("rekey-child",), "terminate": ("terminate-child", "terminate-ike"), "initiate": ("initiate",)}


def orders(lab):
    """The verbs that came to B's charon over VICI, whoever sent them, as its own log has them, in order."""
    with open(os.path.join(lab.b.folder, "charon.log"), encoding="utf-8", errors="replace") as file:
        return [match[1] for match in ORDER.finditer(file.read())]


def foreign_orders(lab):
    """The same without the lab's own."""
    left = orders(lab)
    for verb in lab.b.ordered:
        if verb in left:
            left.remove(verb)
    return left


def wait_for(condition, seconds):
    """The condition's value, false when it never held."""
    late = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > late:
            return found
        time.sleep(0.05)


def flows(lab):
    """Both ends had answers just now."""
    now = time.time()
    return all(lab.traffic.answered(host, now - 0.5) for host in "AB")


def actions(incidents):
    """(incident id, verb, order) of everything that was done."""
    return [(incident["id"], action["verb"], action.get("order"))
            for incident in incidents for action in incident["actions"]]


def sent_to_stranger(lab):
    """Packets from B to the stranger C that are neither ICMP nor neighbour discovery."""
    family = lab.options["ip"]
    stranger, found = OUTER[family]["C"], 0
    for _, frame in wire.records(lab.wire):
        packet = wire.network(frame)
        if packet and packet[0] == lab.b.address and packet[1] == stranger and packet[2] not in (1, 58):
            found += 1
    return found


def told(incident):
    """An incident in one line."""
    done = ", ".join(f"{action.get('verb')} {action.get('outcome')}" for action in incident["actions"]) or "nothing done"
    return f"{incident['id']} {incident['src']} {incident['spi']}: {incident['verdict']}, {incident['cause']}," \
           f" {incident['state']}, {done}"


def keep(lab):
    """Copies a lab's files to SPIMEND_LAB_KEEP, when somebody wants them."""
    folder = os.environ.get("SPIMEND_LAB_KEEP")
    if folder and os.path.isdir(lab.folder):
        shutil.copytree(lab.folder, os.path.join(folder, f"{lab.name}-{time.time():.0f}"), dirs_exist_ok=True,
                        ignore=lambda where, names: [name for name in names if not os.path.isfile(os.path.join(where, name))
                                                     and not os.path.isdir(os.path.join(where, name))])


def log_tail(lab, lines=12):
    found = []
    for path in (lab.spimendd.log, os.path.join(lab.b.folder, "charon.log")):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found += [f"{os.path.basename(path)}: {line}" for line in file.read().splitlines()[-lines:]]
        except FileNotFoundError:
            pass
    return found


__all__ = ["LabError", "actions", "flows", "foreign_orders", "keep", "log_tail", "orders", "sent_to_stranger", "told",
           "wait_for"]
