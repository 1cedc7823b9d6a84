# SPDX-License-Identifier: MIT
"""lab note: what note.py sets up, for a person who wants to see it: the text, what is made of it, the event, the evidence."""
import time

import faults
from demo import say, title
from laboratory import Lab
from net import LabError
from note import Collector, Note, Texts, WAIT_S, read

FOLLOWED = ("%CRYPTO-4-RECVD_PKT_INV_SPI", "%HA_EM-6-LOG", ": desync", ": healed", "order ", "left out")
SHOWN = 12  # lines of the debugs


def show(lines, most=None):
    lines = list(lines)
    for line in lines[:most]:
        print(f"   | {line}", flush=True)
    if most and len(lines) > most:
        print(f"   | ... {len(lines) - most} more", flush=True)


def follow(note, since):
    """Both logs, line by line as they come, until the spoke is done."""
    names, told = {note.hub: "hub", note.spoke: "spoke"}, {note.hub: 0, note.spoke: 0}
    late = time.monotonic() + WAIT_S + 15
    while time.monotonic() < late:
        for daemon, name in names.items():
            lines = [line for line in note.said(daemon, "") if any(words in line for words in FOLLOWED)]
            for line in lines[told[daemon]:]:
                say(f"{time.time() - since:+6.2f} s {name:<5} {line.partition(']: ')[2]}", hang=18)
            told[daemon] = len(lines)
        if note.said(note.spoke, "DONE ON SPOKE"):
            return True
        time.sleep(0.05)
    return False


def run(lab, given):
    texts = read(given.text) if given.text else Texts()
    title("1. The applet as a document prints it")
    show(texts.hub_listing.strip().splitlines())
    lab.up(ike=given.ike, plugin=True)
    collector, note = Collector(lab), Note(lab, texts)
    collector.start()
    lab.traffic.start()
    title("2. What `spimend lint --reflow` makes of it, with the lab's addresses")
    show(note.listings[note.hub])
    title(f"3. Typed into `spimend shell` of the hub, put into the spoke's configuration; mode {given.mode}; debugs on, both ends")
    printed = note.start(given.mode, [note.hub])
    show(printed[note.hub].rstrip().splitlines())
    more = ["debug crypto ikev2"] if given.ike == 2 else []
    note.debugs(note.spoke, more)
    show(note.debugs(note.hub, more).rstrip().splitlines()[-6:])
    title("4. The event, and who says what when")
    fault = "child-lost" if lab.options["plugin"] else "delete-lost"
    entry = faults.make(lab, fault)
    say(f"{entry['done']}: {lab.a.address} encrypts on.")
    ended = follow(note, entry["since"])
    title("5. What was kept: disk0:hub.txt at the hub")
    show(line for line in note.hub.type("more disk0:hub.txt").splitlines() if line.strip())
    kept = note.hub.type("show logging").partition("Log Buffer")[2].splitlines()[2:]
    title(f"6. The debugs, before the event and {WAIT_S} s behind it: `show logging` at the hub")
    show(kept, SHOWN)
    heard = collector.text(collector.log).count("<191>")
    say(f"The syslog server at C heard {heard} debug lines from both ends"
        + (f", snmptrapd {collector.text(collector.traps).count('2323232')} trap." if collector.has_traps else "."))
    off = [daemon.type("show debug").strip() for daemon in (note.hub, note.spoke)]
    say("`show debug` prints nothing at either end." if not any(off) else f"debugs are still on: {off}")
    return 0 if ended and not any(off) else 1


def demo(given):
    began, lab = time.monotonic(), Lab("note")
    try:
        status = run(lab, given)
    finally:
        lab.down()
    if status:
        raise LabError("the applets did not come to their end")
    print(f"\n   {time.monotonic() - began:.0f} s; the lab is removed.", flush=True)
    return status
