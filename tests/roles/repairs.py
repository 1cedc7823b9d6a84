# SPDX-License-Identifier: MIT
"""From a router's log line to the verified repair: lab/ios tells by syslog, the daemon looks, judges, types, looks again.
lab/ios is a simulation, and the two SD-WAN scenarios were tried against nothing else."""
import json
import os
import re
import signal
import subprocess
import time

from daemon import wait_for
from devices import Fleet, missing, tape  # noqa: F401
from shell import expect, shell

PROMPT = 60  # seconds that a repair may take on a busy machine


class Told(Fleet):
    """A fleet whose devices send their syslog here."""

    def __init__(self, build, mode="repair", rights="repair", count=2, more=(), **devices):
        names = ["hub", "spoke", *(f"spoke{n}" for n in range(2, count))]
        told = {name: {"syslog": ["127.0.0.1", 5514], **devices.get(name, {})} for name in names}
        super().__init__(build, count, [f"mode {mode}", "fleet wait 2", "fleet burst-wait 2", "fleet verify 30",
                                        "syslog listen udp 127.0.0.1 port 5514", "syslog source 192.0.2.0/24", *more], **told)
        self.rights = rights

    def write_devices(self, **instead):
        super().write_devices(**instead)
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.replace(" platform ", f" rights {self.rights}\n platform "))

    def incidents(self):
        answer = self.ask("incidents")
        return [one for one in map(json.loads, answer[1].splitlines()) if one["schema"] == "spimend.incident/1"] if answer else []

    def becomes(self, state, seconds=PROMPT):
        """The one incident once it is in that state, else the list of what there is."""
        def found():
            there = self.incidents()
            return there[0] if len(there) == 1 and there[0]["state"] == state else None
        return wait_for(found, seconds) or self.incidents()

    def changes(self, device):
        """What was typed there beside what looks."""
        return [line for line in self.typed(device) if not re.match("show |terminal |enable$", line)]

    def explain(self):
        return "".join(self.ask("explain", json_form=False, ident=one["id"])[1] for one in self.incidents())

    def say(self, word, ident, step, uid=0):
        done = subprocess.run([os.path.join(self.build, "spimend"), word, ident, str(step), "--socket", self.control],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False, text=True,
                              **({"user": uid, "group": uid, "extra_groups": []} if uid else {}))
        return done.returncode, done.stdout


class Wan(Told):
    """Two SD-WAN edges; their TLOCs have other addresses than those that they are logged in to."""
    platform = "sdwan"

    def connect(self):
        self.world.sdwan(*({"device": name, "system_ip": f"172.16.255.{n}", "site": n, "tlocs": [
            {"color": color, "address": f"10.{n}{k}.{n}{k}.1"} for k, color in enumerate(("mpls", "lte"))]}
            for n, name in enumerate(("hub", "spoke"), 1)), hubs=["hub"])

    def bfd(self):
        return [one["bfd"] for one in self.world.state("hub")["sdwan"]["tunnels"]]

    def surveyed(self):
        """All have told whose addresses are whose, and of which site they are: 'status' says so."""
        def told():
            devices = json.loads(self.ask("status")[1])["devices"]
            return [devices[key] for key in ("addresses_asked", "addresses_told", "sites_asked", "sites_told")] == [len(self.names())] * 4
        asked = wait_for(lambda: all("show ip interface brief" in self.typed(name, survey=True) for name in self.names()), 30)
        return asked and wait_for(told, 30)


def report(d, problems):
    if problems:
        problems += [d.explain(), f"hub: {d.typed('hub')}", f"spoke: {d.typed('spoke')}", *d.tail()]
    return problems


def stale_at_the_sender(build):
    problems = []
    with Told(build) as d:
        d.world.advance(5)  # packets came on it before: of a child that never got any the cause is less likely
        lost = d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        healed = d.becomes("healed")
        wanted = f"clear crypto sa entry 192.0.2.2 esp 0x{lost['spi']:X}"
        if isinstance(healed, list):
            problems.append(f"not healed: {healed}")
        elif (healed["verdict"], healed["confidence"], [one["text"] for one in healed["actions"]]) != ("desync", "likely", [wanted]):
            problems.append(f"healed otherwise: {healed}")
        if d.changes("spoke") != [wanted] or d.changes("hub"):
            problems.append(f"typed: {d.changes('spoke')} {d.changes('hub')}")
        if lost["spi"] in d.world.state("spoke")["tunnels"][0]["outbound"]:
            problems.append("the sender still has the SA")
        _, journal = shell(d, "enable\nshow spimend journal spoke\n")
        expect(problems, "the journal", journal, wanted, "accepts", absent=["hunter2"])
        one = d.incidents()[0]["id"]
        shown = tape(d, "spoke", "--incident", one)
        expect(problems, "the tape of the incident", shown, f" incident {one} > {wanted}\n", f" incident {one} < spoke#", " by the rule\n",
               absent=["hunter2"])
        problems += [f"not of the incident: {line}" for line in shown.splitlines() if f"incident {one}" not in line]
        if shown.index(f"{wanted}, by the rule") > shown.index(f"> {wanted}"):
            problems.append("it was typed before it was journalled")
        # What comes of the same afterwards is none of it: replays.
        d.world.say("hub", "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=192.0.2.2, "
                           f"prot=50, spi=0x{lost['spi']:X}({lost['spi']}), srcaddr=192.0.2.3, input interface=GigabitEthernet1")
        time.sleep(6)
        if d.changes("spoke") != [wanted] or d.changes("hub"):
            problems.append(f"typed afterwards: {d.changes('spoke')} {d.changes('hub')}")
        return report(d, problems)


def only_looked_at(build):
    """Neither mode advise nor a device without rights types anything; both say what they would."""
    problems = []
    for mode, rights in (("advise", "repair"), ("repair", "read-only")):
        with Told(build, mode, rights) as d:
            d.world.fault("desync", sender="spoke", receiver="hub")
            d.world.advance(65)
            if not wait_for(lambda: [one for one in d.incidents() if (one["verdict"], one["rule"]) == ("desync", "sa-table")], PROMPT):
                problems.append(f"{mode}: not proved: {d.incidents()}")
            time.sleep(5)
            if d.changes("spoke") or d.changes("hub"):
                problems.append(f"{mode}, {rights}: typed {d.changes('spoke')} {d.changes('hub')}")
            expect(problems, f"{mode}, {rights}", d.explain(), "clear crypto sa")
            problems = report(d, problems)
    return problems


def harmless(build):
    """A rekey in flight: looked at, and nothing else. Somebody who is none of ours names our devices: not even that."""
    problems = []
    with Told(build) as d:
        d.world.fault("rekey_transient", sender="spoke", receiver="hub")
        transient = wait_for(lambda: [one for one in d.incidents() if one["verdict"] == "transient"], PROMPT)
        problems += [] if transient else [f"no transient: {d.incidents()}"]
        before = {name: len(d.typed(name)) for name in d.names()}
        forge = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('192.0.2.1', 0))\n"
                 "for n in range(20000):\n"
                 "    s.sendto(b'<188>1: hub: *Nov 29 2026 13:00:00.000: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec\\'d IPSEC packet "
                 "has invalid spi for destaddr=192.0.2.2, prot=50, spi=0x%X(%d), srcaddr=192.0.2.3' % (n + 4096, n + 4096), "
                 "('127.0.0.1', 5514))\n")
        subprocess.run(["ip", "netns", "exec", d.space, "python3", "-c", forge], check=True)
        time.sleep(6)
        grown = {name: d.typed(name)[before[name]:] for name in d.names()}
        if any(line.startswith("show crypto") for lines in grown.values() for line in lines) or d.changes("hub") or d.changes("spoke"):
            problems.append(f"somebody else's word was followed: {grown}")
        return report(d, problems)


def controller_is_late(build):
    """Scenario 1 of the note (B16): new keys at the receiver, by a person's word and once."""
    problems = []
    with Wan(build) as d:
        problems += [] if d.surveyed() else ["their addresses are not asked for"]
        d.world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
        d.world.advance(70)
        waits = d.becomes("awaiting-approval")
        if isinstance(waits, list):
            return report(d, problems + [f"nobody is asked: {waits}"])
        expect(problems, "explain", d.explain(), f"spimend approve {waits['id']} 1", "ipsec-rekey", "BFD", "show sdwan omp peers: ")
        expect(problems, "status", d.ask("status", json_form=False)[1], "2 of 2 told their addresses; 2 of 2 SD-WAN routers their site")
        status, said = d.say("approve", waits["id"], 1, uid=65534)
        if status == 0 or d.changes("hub"):
            problems.append(f"anybody may approve: {status} {said} {d.changes('hub')}")
        status, said = d.say("approve", waits["id"], 1)
        expect(problems, "approve", said, "request platform software sdwan security ipsec-rekey")
        problems += [] if status == 0 else [f"approve: {status}"]
        healed = d.becomes("healed")
        if isinstance(healed, list) or d.changes("hub") != ["request platform software sdwan security ipsec-rekey"] or d.changes("spoke"):
            problems.append(f"not healed by that alone: {healed} {d.changes('hub')} {d.changes('spoke')}")
        problems += [] if all(d.bfd()) else [f"BFD: {d.bfd()}"]
        status, said = d.say("approve", waits["id"], 1)
        problems += [] if status else ["a word counts twice"]
        return report(d, problems)


def nobody_is_asked(build):
    """The same where the configuration lets that step go: no word, and the journal has what it disturbs in front of it."""
    problems = []
    wanted = "request platform software sdwan security ipsec-rekey"
    with Wan(build, more=["repair sdwan approval not-required ipsec-rekey"]) as d:
        problems += [] if d.surveyed() else ["their addresses are not asked for"]
        d.world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
        d.world.advance(70)
        healed = d.becomes("healed")
        if isinstance(healed, list) or d.changes("hub") != [wanted] or d.changes("spoke"):
            return report(d, problems + [f"not healed by that alone: {healed} {d.changes('hub')} {d.changes('spoke')}"])
        step = healed["steps"][0]
        if (step["needs_approval"], step["who"], step["blast_radius"]["counted"]) != (False, None, True):
            problems.append(f"otherwise: {step}")
        _, journal = shell(d, "enable\nshow spimend journal hub\n")
        expect(problems, "the journal", journal, f"{wanted}: to be typed without a person", "blast radius: new keys for all SD-WAN tunnels",
               f"{wanted}, by the configuration, which asks for nobody")
        expect(problems, "explain", d.explain(), "without a person, by 'repair sdwan approval'")
        return report(d, problems)


def somebody_cleared(build):
    """Scenario 2 (B17): no rekey helps, so the ladder begins at the port hop; and a crypto clear is never typed."""
    problems = []
    with Wan(build) as d:
        problems += [] if d.surveyed() else ["their addresses are not asked for"]
        d.world.fault("sdwan_cleared", device="hub", peer="spoke", needs="omp")
        d.world.advance(70)
        for rung in ("port_hop", "omp all"):
            waits = d.becomes("awaiting-approval")
            if isinstance(waits, list):
                return report(d, problems + [f"nobody is asked for {rung}: {waits}"])
            step = next((one["step"] for one in waits["steps"] if one["state"] == "offered"), 0)
            status, said = d.say("approve", waits["id"], step)
            expect(problems, rung, said, rung)
            problems += [] if status == 0 else [f"{rung}: {status} {said}"]
            wait_for(lambda rung=rung: any(rung in line for line in d.changes("hub")), PROMPT)
        healed = d.becomes("healed")
        problems += [f"not healed: {healed}"] if isinstance(healed, list) else []
        typed = d.changes("hub") + d.changes("spoke")
        if any("crypto" in line for line in typed) or any("control" in line or "rekey" in line for line in typed):
            problems.append(f"typed: {typed}")
        _, shown = d.on("hub", "clear crypto sa peer 10.20.20.1")
        expect(problems, "a clear by hand", shown, "% ")
        return report(d, problems)


class Party(Told):
    """An SD-WAN edge with an IKE tunnel to a router of somebody's (B16)."""

    def __init__(self, build):
        super().__init__(build, hub={"platform": "sdwan"})

    def write_devices(self, **instead):
        super().write_devices(**instead)
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        head, hub, rest = text.partition("device hub\n")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(head + hub + rest.replace("platform ios-xe", "platform sd-wan", 1))


def third_party(build):
    """The router is SD-WAN's, the tunnel is not: IKE's ladder, at the other end, and no word is needed."""
    problems = []
    with Party(build) as d:
        lost = d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        healed = d.becomes("healed")
        if isinstance(healed, list) or d.changes("hub") or d.changes("spoke") != [f"clear crypto sa entry 192.0.2.2 esp 0x{lost['spi']:X}"]:
            problems.append(f"not healed, or otherwise: {healed} {d.changes('hub')} {d.changes('spoke')}")
        return report(d, problems)


def started_anew(build):
    """Killed as it has typed: what was typed is not typed again, and the case comes to its end."""
    problems = []
    with Told(build) as d:
        d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        if not wait_for(lambda: d.changes("spoke"), PROMPT):
            problems.append("nothing is typed")
        os.kill(d.roles()["core"], 9)
        healed = d.becomes("healed")
        if isinstance(healed, list) or len(d.changes("spoke")) != 1:
            problems.append(f"not healed, or typed twice: {healed} {d.changes('spoke')}")
        return report(d, problems)


def outside_the_window(build):
    """Nothing is typed, and the incident says when it will be. A reload that opens a window is followed by it, behind new looks."""
    problems = []
    opens, closes = (time.strftime("%H:%M", time.gmtime(time.time() + hours * 3600)) for hours in (2, 3))
    with Told(build, more=[f"fleet window {opens} {closes}"]) as d:
        d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        if not wait_for(lambda: f"Waits for the window of spoke, {opens} UTC." in d.explain(), PROMPT):
            problems.append("it does not say what it waits for")
        time.sleep(3)
        if d.changes("spoke") or d.changes("hub"):
            problems.append(f"typed outside: {d.changes('spoke')} {d.changes('hub')}")
        _, refused = shell(d, "enable\nconfigure terminal\nspimend\nno fleet window\nend\n")
        expect(problems, "a window that is typed away", refused, "fleet window")
        with open(d.config, encoding="utf-8") as file:
            text = file.read()
        with open(d.config, "w", encoding="utf-8") as file:
            file.write(text.replace(f"fleet window {opens} {closes}", "fleet window 00:00 24:00"))
        looked = len(d.typed("hub"))
        d.process.send_signal(signal.SIGHUP)
        healed = d.becomes("healed")
        if isinstance(healed, list) or len(d.changes("spoke")) != 1 or len(d.typed("hub")) < looked + 2:
            problems.append(f"not healed, or without new looks: {healed} {d.changes('spoke')} {d.typed('hub')[looked:]}")
        return report(d, problems)


APPLETS = r"""event manager applet hears
 event syslog pattern "RECVD_PKT_INV_SPI.*srcaddr=([0-9.]+)"
 spimend device hub
 action 1 cli command "enable"
 action 2 regexp "srcaddr=([0-9.]+)" "$_syslog_msg" match peer
 action 3 cli command "show crypto ipsec sa peer $peer | include current outbound"
 action 4 syslog msg "hub: $_cli_result"
event manager applet here
 event syslog pattern "RECVD_PKT_INV_SPI"
 action 1 syslog msg "taken for one of ours"
"""


def applets_of_devices(build):
    """A device's line starts the applet that names it, there, once a minute; and no other."""
    problems = []
    with Told(build, "observe") as d:
        with open(d.config, "a", encoding="utf-8") as file:
            file.write(APPLETS)
        d.restart()
        d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(140)
        if not wait_for(lambda: d.said("hub:      current outbound spi:") or d.said("hub: ") and d.said("current outbound spi"), 20):
            problems.append("the applet did not see its device's line")
        if "show crypto ipsec sa peer 192.0.2.3" not in d.typed("hub"):
            problems.append(f"typed: {d.typed('hub')}")
        if d.said("taken for one of ours") or d.text().count("HA_EM-6-LOG: hears") != 1:
            problems.append("another applet, or more than one run in a minute")
        return report(d, problems)


TESTS = [
    ("a stale SA at the sender, from the log line to the repair", stale_at_the_sender),
    ("what may only be looked at is only looked at", only_looked_at),
    ("a rekey in flight, and somebody else's word", harmless),
    ("a device's line starts the applet that names it", applets_of_devices),
    ("a third party's tunnel on an SD-WAN router", third_party),
    ("a core that dies behind the step", started_anew),
    ("outside the maintenance window", outside_the_window),
    ("SD-WAN: a late key, by a person's word", controller_is_late),
    ("SD-WAN: a late key, and the configuration asks for nobody", nobody_is_asked),
    ("SD-WAN: an SA that was cleared by hand", somebody_cleared),
]
SANITIZED = [one for one in TESTS if one[1] in (stale_at_the_sender, applets_of_devices, started_anew, controller_is_late)]
