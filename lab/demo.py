# SPDX-License-Identifier: MIT
"""lab demo, which is what `sudo make run` shows: a tunnel, a black hole, the same black hole with spimend, and what spimend
has to say about it. For a person who sees all this for the first time: few lines, and each says what it is about."""
import os
import subprocess
import sys
import textwrap
import threading
import time

import faults
from laboratory import Lab

STEP_S = 0.1    # one character of a strip
ALONE_S = 6     # how long the black hole is left alone
WIDTH = 78


def say(text=""):
    print(textwrap.fill(text, WIDTH) if text else "", flush=True)


def title(text):
    print(f"\n{bold(text)}", flush=True)


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


class Strip:
    """The pings as one line that grows: a dot for each tenth of a second with an answer, an x for one without."""

    def __init__(self, lab, since):
        self.lab, self.at, self.text = lab, since, ""

    def grow(self, until):
        answered = self.lab.traffic.answered("A", self.at - STEP_S)
        while self.at + STEP_S <= until:
            self.text += "." if any(self.at <= at < self.at + STEP_S for at in answered) else "x"
            self.at += STEP_S

    def show(self):
        print("   pings  " + "\n          ".join(textwrap.wrap(self.text, WIDTH - 10)), flush=True)


class Watch:
    """`spimend watch`, line by line as it comes, each with the time since the fault."""

    def __init__(self, lab):
        self.since = None
        self.child = subprocess.Popen(lab.spimendd.command("watch"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            if line.strip() and self.since is not None:
                self.lines.append(line)
                print(f"   {time.time() - self.since:+6.2f} s  {line.rstrip()}", flush=True)

    def close(self):
        self.child.terminate()
        self.child.wait()
        self.thread.join(2)


def alone(lab, fault):
    """The fault without spimend; returns the silence so far."""
    lab.traffic.start()
    time.sleep(1)
    strip = Strip(lab, time.time() - 1)
    entry = faults.make(lab, fault)
    say(f"   {entry['done']}.")
    time.sleep(ALONE_S)
    strip.grow(time.time())
    strip.show()
    return entry, lab.traffic.outage(entry["since"])[0]


def helped(lab, fault):
    """The same with spimendd; returns (outage or None, the incident's id)."""
    lab.traffic.start()
    time.sleep(1)
    watch = Watch(lab)
    strip = Strip(lab, time.time() - 1)
    watch.since = time.time()
    try:
        entry = faults.make(lab, fault)
        watch.since = entry["since"]
        say(f"   {entry['done']}.")
        late = time.monotonic() + 15
        while time.monotonic() < late:
            seconds, _, ended = lab.traffic.outage(entry["since"])
            over = [found for found in lab.spimendd.incidents() if found["state"] in ("healed", "unverified", "gave-up")]
            if ended and seconds > 0.1 and time.time() - ended > 1 and over:
                break
            time.sleep(0.1)
        time.sleep(0.5)
    finally:
        watch.close()
    strip.grow(time.time())
    strip.show()
    found = lab.spimendd.incidents()
    return (seconds if ended else None), (found[-1]["id"] if found else None)


def demo(given):
    began = time.monotonic()
    with_plugin = True
    results = []
    lab = Lab("demo")
    try:
        why = lab.up(plugin=True)
        with_plugin = lab.options["plugin"]
        version = lab.a.version()
        title("1. Two gateways and a tunnel")
        say(f"   A {lab.a.address}, LAN 10.1.1.0/24  ===  IKEv2, ESP  ===  B {lab.b.address}, LAN 10.2.1.0/24")
        say(f"   Both are real strongSwan {version}, each in a network namespace of its own; their LANs ping each other.")

        title("2. The black hole, without spimend")
        entry, silence = alone(lab, "restart")
        child = lab.a.child()
        say(f"   A knows nothing of it. It lists the tunnel as {child['state']} and has sent {child['packets-out']} packets"
            f" with SPI 0x{child['spi-out']}; B has no such SPI, drops each, and tells nobody. Left alone, this lasts until"
            " the next rekey, most of an hour away.")
        results.append(("B's IKE daemon killed and restarted", f"> {silence:.0f} s", "restart"))

        title("3. The same fault, with spimend on B (mode repair)")
        lab.up(plugin=True)
        lab.spimendd.start("repair")
        outage, incident = helped(lab, "restart")
        results[-1] += (outage,)
        if incident:
            title("4. What spimend says about it")
            show(lab, "explain", incident)

        if with_plugin:
            title("5. A fault that no liveness check can see: B's data plane loses one SA, and IKE goes on answering")
            lab.up(plugin=True)
            lab.spimendd.start("repair")
            outage, _ = helped(lab, "child-forgotten")
            results.append(("an SA lost below the IKE daemon", "never seen", "child-forgotten", outage))
        else:
            title("5. Skipped: faults below the IKE daemon")
            say(f"   They need the lab's plugin for charon ({why}).")

        title("6. A stranger scans B, and somebody forges A's address: spimend does nothing")
        for noise in ("scan", "forged"):
            watched = len(lab.spimendd.incidents())
            made = faults.make(lab, noise)
            time.sleep(1)
            acted = sum(bool(found["actions"]) for found in lab.spimendd.incidents()[watched:])
            outage = lab.traffic.outage(made["since"])[0]
            say(f"   {made['done']}: {acted} actions, longest silence {outage:.2f} s.")

        title("The difference")
        print(f"   {'fault':<40} {'without':>12} {'with spimend':>14}")
        for what, without, _, seconds in results:
            print(f"   {what:<40} {without:>12} {f'{seconds:.2f} s' if seconds else 'not healed':>14}")
    finally:
        lab.down()
    print(f"\n   {time.monotonic() - began:.0f} s; the lab is removed. To try it yourself: lab/README.md.\n"
          "   Measured properly: sudo lab/lab measure", flush=True)
    return 0 if all(seconds for *_, seconds in results) else 1


def show(lab, *arguments):
    _, text = lab.spimendd.ask(*arguments)
    for line in text.rstrip().splitlines():
        print(f"   {line}", flush=True)


