# SPDX-License-Identifier: MIT
"""lab demo, which is what `sudo make run` shows: a tunnel, a black hole, the same black hole with spimend, and what spimend
has to say about it. For a person who sees all this for the first time."""
import os
import subprocess
import sys
import textwrap
import threading
import time

import faults
from laboratory import ROOT, Lab

STEP_S = 0.1    # one character of a strip
BEFORE_S = 1    # a strip begins so long before the fault
ALONE_S = 6     # how long the black hole is left alone
WIDTH = 100
FAULTS = (  # fault, title, what the table calls it
    ("restart", "B's IKE daemon is killed, and starts again", "IKE daemon killed and restarted"),
    ("child-forgotten", "B's data plane loses one SA, and IKE goes on answering: no liveness check can see that",
     "SA lost below the IKE daemon"),
)


def say(text, hang=3):
    """A paragraph, indented, in lines that fit."""
    print(textwrap.fill(text, WIDTH, initial_indent="   ", subsequent_indent=" " * hang, break_on_hyphens=False), flush=True)


def title(text):
    print(f"\n{bold(text)}", flush=True)


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def strip(lab, since, until):
    """The pings as a line: a dot for each tenth of a second with an answer, an x for one without."""
    answered, text, at = lab.traffic.answered("A", since - BEFORE_S), "", since - BEFORE_S
    while at + STEP_S <= until:
        text += "." if any(at <= each < at + STEP_S for each in answered) else "x"
        at += STEP_S
    say(f"pings    {text}", hang=12)


class Watch:
    """`spimend watch`, line by line as it comes, each with the time since the fault."""

    def __init__(self, lab):
        self.since = time.time()
        self.child = subprocess.Popen(lab.spimendd.command("watch"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            if line.strip():  # its own date and time make room for ours
                say(f"{time.time() - self.since:+.2f} s  {' '.join(line.split()[2:])}", hang=12)

    def close(self):
        self.child.terminate()
        self.child.wait()
        self.thread.join(2)


def alone(lab, fault):
    """The fault without spimend; returns the silence so far."""
    lab.traffic.start()
    time.sleep(BEFORE_S)
    entry = faults.make(lab, fault)
    time.sleep(ALONE_S)
    strip(lab, entry["since"], time.time())
    child, there = lab.a.child(), {each["spi-in"] for each in lab.b.children()}
    what = "lists that SA, and drops each all the same" if child["spi-out"] in there else "has no such SA and drops each"
    say(f"A lists the tunnel as {child['state']} and has sent {child['packets-out']} packets with SPI 0x{child['spi-out']}."
        f" B {what}. Nobody is told; left alone, this lasts until the next rekey, up to an hour.")
    return lab.traffic.outage(entry["since"])[0]


def helped(lab, fault):
    """The same with spimendd; returns (outage or None, the incident's id or None)."""
    lab.traffic.start()
    time.sleep(BEFORE_S)
    watch = Watch(lab)
    try:
        entry = faults.make(lab, fault)
        watch.since = entry["since"]
        lab.traffic.outage(entry["since"])
        late = time.monotonic() + 15
        while time.monotonic() < late:
            seconds, _, ended = lab.traffic.outage(entry["since"])
            over = [found for found in lab.spimendd.incidents() if found["state"] in ("healed", "unverified", "gave-up")]
            if ended and seconds > 0.1 and time.time() - ended > 1 and over:
                break
            time.sleep(0.1)
    finally:
        watch.close()
    strip(lab, entry["since"], time.time())
    found = lab.spimendd.incidents()
    return (seconds if ended else None), (found[-1]["id"] if found else None)


def log_line(lab):
    """The line that the gateway wrote as a router would."""
    with open(lab.spimendd.log, encoding="utf-8", errors="replace") as file:
        return next((line[line.index("%CRYPTO"):].strip() for line in file if "%CRYPTO-4-RECVD_PKT_INV_SPI" in line), None)


def start_both(lab):
    """spimendd beside B mends; the one beside A only watches, and hands over what it recorded when B's asks."""
    key = lab.path("evidence-key")
    with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(os.urandom(32).hex())
    for daemon, mode, peer in ((lab.spimendd_a, "observe", lab.b.address), (lab.spimendd, "repair", lab.a.address)):
        daemon.start(mode, extra=["evidence after 5", f"evidence peer {peer} key-file {key}"])


def await_other_end(lab, incident):
    """A's part comes when the incident begins, and once more when its window is over."""
    late = time.monotonic() + 15
    while time.monotonic() < late:
        ends = {line.get("end") for line in lab.spimendd.objects("evidence", incident) if line.get("kind") == "sa-born"}
        if ends >= {"A", "B"}:
            return
        time.sleep(0.5)


def report(lab, incident):
    """Writes what spimend hands over of an incident, where the lab's removal does not reach; returns the page's path."""
    folder = os.path.join(ROOT, lab.spimendd.build, "demo-report")
    await_other_end(lab, incident)
    lab.spimendd.ask("report", incident, "--output", folder, "--force")
    owner = int(os.environ.get("SUDO_UID", "0")), int(os.environ.get("SUDO_GID", "0"))
    for path in [folder] + [os.path.join(folder, name) for name in os.listdir(folder)]:
        os.chown(path, *owner, follow_symlinks=False)  # it is for its owner alone, and that is who called sudo
    page = os.path.join(folder, "report.html")
    say(f"$ spimend report {incident}")
    say(f"hands over what both recorded to whoever has to find the cause: a page that opens offline, with both ends in one picture, a timeline, and"
        f" a capture for Wireshark. Here: {page}")
    return page


def noise(lab):
    for name in ("scan", "forged"):
        before = {found["id"] for found in lab.spimendd.incidents()}
        made = faults.make(lab, name)
        time.sleep(1)
        new = [found for found in lab.spimendd.incidents() if found["id"] not in before]
        verdicts = ", ".join(sorted({found["verdict"] for found in new})) or "nothing"
        say(f"{made['done']}: judged {verdicts}; {sum(len(found['actions']) for found in new)} actions, longest silence of"
            f" the pings {lab.traffic.outage(made['since'])[0]:.2f} s.")


def introduce(lab):
    title("Two gateways and a tunnel")
    say(f"A {lab.a.address} (LAN 10.1.1.0/24)  ===== IKEv2, ESP =====  B {lab.b.address} (LAN 10.2.1.0/24)")
    say(f"Both are real strongSwan {lab.a.version()}, each in a network namespace of its own. A's LAN pings B's, 50 times a"
        " second; below, each character is a tenth of a second: a dot for answers, an x for silence.")


def demo(given):
    began, results, page = time.monotonic(), [], None
    lab = Lab("demo")
    try:
        for number, (fault, what, short) in enumerate(FAULTS):
            why = lab.up(plugin=True)
            if number == 0:
                introduce(lab)
            title(f"{number + 1}. {what}")
            if faults.FAULTS[fault].plugin and not lab.options["plugin"]:
                say(f"Skipped: it needs the lab's plugin for charon ({why}).")
                continue
            say("Without spimend:")
            silence = alone(lab, fault)
            lab.up(plugin=True)
            start_both(lab)
            say("With spimendd beside B, in mode repair, and one beside A that only records; what `spimend watch` prints, and when:")
            outage, incident = helped(lab, fault)
            results.append((short, silence, outage))
            if number == 0:
                line = log_line(lab)
                if line:
                    say("In its log, as a router would say it:")
                    say(line)
                if incident:
                    say(f"$ spimend explain {incident}")
                    for line in lab.spimendd.ask("explain", incident)[1].rstrip().splitlines():
                        print(f"     {line}".rstrip(), flush=True)
                    page = report(lab, incident)
        if lab.spimendd.pid():
            title(f"{len(FAULTS) + 1}. A stranger scans B, and somebody forges A's address: nothing may be done")
            noise(lab)
        title("How long the pings were silent")
        print(f"   {'':<36} {'without':>12} {'with spimend':>14}")
        for short, silence, outage in results:
            ended = f"{outage:.2f} s" if outage else "not healed"
            print(f"   {short:<36} {f'> {silence:.0f} s, open':>12} {ended:>14}")
    finally:
        lab.down()
    print(f"\n   {time.monotonic() - began:.0f} s; the lab is removed. To try it yourself: lab/README.md. To measure it:"
          " sudo lab/lab measure", flush=True)
    if page:
        print(f"   The report of the first incident stays: {page}", flush=True)
    return 0 if results and all(outage for *_, outage in results) else 1
