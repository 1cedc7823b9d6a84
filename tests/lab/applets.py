# SPDX-License-Identifier: MIT
"""Applets of both ends as a note prints them (B18 to B24, lab/note.py), on two gateways, with what they lean on: debugs,
traps, `clear crypto sa peer`. One lab for all of it: IKEv1 and mode observe, then IKEv2 and mode repair; C is a third
gateway, with a tunnel to B."""
import datetime
import glob
import os
import re
import threading
import time
import traceback

import faults
import gateway
import inject_run
import note as lab_note
from laboratory import ROOT, Lab
from net import OUTER
from witness import LabError, foreign_orders, keep, log_tail, wait_for

SPI = re.compile(r"\bspi: 0x([0-9A-F]+)\(")
STAMP = re.compile(r"^(\d+-\d+-\d+T\d+:\d+:\d+\.\d+)Z ")
RUNNING, DONE = "%HA_EM-6-LOG: command_hub: command_hub is running ...", "%HA_EM-6-LOG: command_hub: DONE ON HUB"
RECEIVED, SPOKE_DONE = "%HA_EM-6-LOG: spoke_app: Received trap from Hub...", "%HA_EM-6-LOG: spoke_app: DONE ON SPOKE"
SHOWS = ("Number of Crypto Socket connections", "IPv4 Crypto ISAKMP SA", "Crypto map tag: ", "Legend: Attrb")
BUDGET = ["repair limit per-peer 2 per 600"]  # the repair, and one clear


def jobs(builds, has_plugin):
    return [("applets of both ends", lambda report: Run(report, builds["shipped"], has_plugin).all())]


def stamp_of(line):
    found = STAMP.match(line)
    return datetime.datetime.fromisoformat(found[1]).replace(tzinfo=datetime.timezone.utc).timestamp() if found else 0.0


class Recorder:
    """What VICI lists at B, several times a second, by a client that is none of spimend's."""

    def __init__(self, lab):
        self.lab, self.taken, self.ended = lab, [], threading.Event()
        self.thread = threading.Thread(target=self._record, daemon=True)
        self.thread.start()

    def _record(self):
        while not self.ended.wait(0.03):
            self.take()

    def take(self):
        """Once more, now."""
        try:
            self.taken.append((time.time(), spis(self.lab.b.children(state=None))))
        except OSError:
            pass

    def close(self):
        self.ended.set()
        self.thread.join(5)

    def around(self, at):
        """The sets of SPIs that were listed about then."""
        return [found for when, found in self.taken if at - 0.5 < when < at + 1]


def spis(children):
    return {int(child[key], 16) for child in children for key in ("spi-in", "spi-out") if child.get(key)}


def in_buffer(daemon, words=""):
    """The lines of its logging buffer with these words."""
    lines = daemon.type("show logging").partition("Log Buffer")[2].splitlines()[2:]
    return [line for line in lines if words in line]


class Run:
    def __init__(self, report, build, has_plugin):
        self.report, self.build, self.has_plugin = report, build, has_plugin
        # what loses one child alone: with IKEv2 only the fault plugin can
        self.second_ike = 2 if has_plugin else 1
        self.lab = Lab("note")
        self.third = OUTER[4]["C"]
        self.recorder = self.collector = self.note = None

    def all(self):
        lab = self.lab
        try:
            lab.up(ike=1, plugin=self.has_plugin, children=2, third=True)
            for daemon in (lab.spimendd, lab.spimendd_a):
                daemon.build = self.build
            lab.traffic.start(40)
            lab.traffic.also(2, 40)
            lab.traffic.also(1, 40, "C")
            self.collector, self.recorder = lab_note.Collector(lab), Recorder(lab)
            self.collector.start()
            self.note = lab_note.Note(lab, self.texts())
            self.step("note 000, IKEv1, mode observe, the hub's applet typed into the shell: evidence, trap, debugs off at both ends",
                      self.observe)
            self.step("debugs: strays that anybody can forge are bounded, counted and said", self.bounded)
            self.step(f"note 000, IKEv{self.second_ike}, mode repair, the hub's applet in the startup configuration: the evidence beside the repair",
                      self.repair)
            self.step("clear crypto sa peer: that peer's SAs are renewed, the others and their traffic are not touched", self.clear)
            self.step("traps: net-snmp's snmptrapd hears them too", self.traps)
        except LabError as error:
            self.report("note 000: the lab comes up", [str(error), *log_tail(lab)])
        finally:
            if self.recorder:
                self.recorder.close()
            lab.down()

    def step(self, title, function):
        try:
            problems = function()
        except LabError as error:
            problems = [str(error)]
        except Exception:
            problems = traceback.format_exc().splitlines()
        if problems is None:
            self.report(title, None, "snmptrapd is not installed")
            return
        if problems:
            problems += log_tail(self.lab)
            keep(self.lab)
        self.report(title, problems)

    def texts(self):
        """The note itself where it lies beside the repository, else our words for it."""
        found = glob.glob(os.path.join(os.path.dirname(ROOT), "shared/reference/notes/000_*.txt"))
        return lab_note.read(found[0]) if found else lab_note.Texts()

    # --- the note, once in each mode --------------------------------------------------------------------------------------

    def begin(self, mode, pasted, extra=()):
        """spimendd at both ends with the applets, a file that can be written, and debugs on."""
        note, problems = self.note, []
        for daemon, printed in note.start(mode, pasted, extra).items():
            problems += [f"typing says: {line}" for line in printed.splitlines() if line.lstrip().startswith(("%", "^"))]
        for command in ("show ip interface brief | tee /append disk0:hub.txt", "show ip interface brief | append disk0:hub.txt"):
            shown = note.hub.type("delete disk0:hub.txt", command, "more disk0:hub.txt")
            if shown.count("vB  ") != (2 if "tee" in command else 1):
                problems.append(f"{command}: {shown}")
        for daemon, peer in ((note.hub, self.lab.a), (note.spoke, self.lab.b)):
            is_v2 = self.lab.options["ike"] == 2
            shown = note.debugs(daemon, ("debug crypto ikev2",) if is_v2 else ())
            if ("all IKE SAs here are IKEv2" in shown) != is_v2:
                problems.append(f"{daemon.side}: which version of IKE is debugged: {shown}")
            for words in ("Crypto ISAKMP debugging is on", "Crypto IPSEC debugging is on", "Crypto Engine debugging is on",
                          f"Crypto conditional debug: peer ipv4 {peer.address}"):
                if words not in shown:
                    problems.append(f"{daemon.side}: show debug: no '{words}'")
        return problems

    def end(self):
        """Waits for both applets and holds what they left against the other witnesses."""
        note, problems = self.note, []
        if not wait_for(lambda: note.said(note.hub, DONE), lab_note.WAIT_S + 12):
            return ["the hub's applet does not get to its end", *note.said(note.hub, "applet")]
        if not wait_for(lambda: note.said(note.spoke, SPOKE_DONE), 5):
            problems.append("the spoke's applet did not run, or not to its end")
        for daemon, wanted in ((note.hub, (RUNNING, DONE)), (note.spoke, (RECEIVED, SPOKE_DONE))):
            said = [line.partition("]: ")[2] for line in note.said(daemon, "%HA_EM-6-LOG")]
            if said != list(wanted):
                problems.append(f"{daemon.side} said {said}")
            shown = daemon.type("show debug")
            if shown.strip():
                problems.append(f"{daemon.side}: debugs are not off: {shown}")
            sent = [line.partition(" UTC: ")[2].rstrip("'") for line in
                    self.collector.lines(daemon.gateway.address, "%HA_EM-6-LOG")]
            if sent[-len(wanted):] != list(wanted):
                problems.append(f"{daemon.side}: the syslog server heard {sent}")
        first, last = (stamp_of(note.said(note.hub, words)[0]) for words in (RUNNING, DONE))
        if last - first < lab_note.WAIT_S - 0.1:
            problems.append(f"the debugs had {last - first:.1f} s of the aftermath")
        return problems + self.judge_file(first)

    def judge_file(self, at):
        shown = self.note.hub.type("more disk0:hub.txt").partition(SHOWS[0])[2]
        places = [(SHOWS[0] + shown).find(words) for words in SHOWS]
        problems = [] if -1 not in places and places == sorted(places) else [f"hub.txt: the shows are at {places}: {shown}"]
        found, listed = {int(value, 16) for value in SPI.findall(shown)}, self.recorder.around(at)
        if found not in listed:
            problems.append(f"hub.txt has the SPIs {sorted(map(hex, found))}, VICI had {[sorted(map(hex, each)) for each in listed]}")
        return problems

    def observe(self):
        lab, note = self.lab, self.note
        problems = self.begin("observe", [note.hub])
        broken = lab.b.child(1)
        faults.make(lab, "delete-lost")
        if not wait_for(lambda: note.said(note.hub, RUNNING), 10):
            return problems + ["the hub's applet does not run"]
        if int(broken["spi-in"], 16) in spis(lab.b.children(state=None)):
            problems.append("the fault is none")
        self.recorder.take()  # before what follows changes it
        shown = note.hub.type(f"clear crypto sa peer {lab.a.address}")
        if "the mode is observe" not in shown:
            problems.append(f"clear crypto sa peer in mode observe: {shown}")
        if foreign_orders(lab):
            problems.append(f"in mode observe charon was told {foreign_orders(lab)}")
        # the aftermath: what the debugs are there for; and the other peer's, which nobody asked for
        lab.c.rekey_of(gateway.THIRD_CHILD)
        lab.b.initiate(1)
        lab.a.rekey(2)
        return problems + self.judge_debugs(broken) + self.end()

    def judge_debugs(self, broken):
        """Of the condition's peer, and of no other; before the event and after it; in the buffer and at the syslog server."""
        lab, note, problems = self.lab, self.note, []
        third, lost = lab.c.children(name=gateway.THIRD_CHILD)[0], broken["spi-in"]
        wanted = {note.hub: ("ISAKMP:", "IPSEC(create_sa): sa created", "CRYPTO_ENGINE: SA installed", f"former spi 0x{lost.upper()} from {lab.a.address}",
                             f"established with SPIs {lab.b.child(1)['spi-in']}_i", "detected rekeying of CHILD_SA lan2"),
                  note.spoke: ("ISAKMP:", "IPSEC(rekey_sa): sa rekeyed", f"established with SPIs {lab.a.child(2)['spi-in']}_i")}
        for daemon, words in wanted.items():
            for each in words:
                if not wait_for(lambda daemon=daemon, each=each: in_buffer(daemon, each), 5):
                    problems.append(f"{daemon.side}: the logging buffer has no '{each}'")
                if not wait_for(lambda daemon=daemon, each=each: self.collector.lines(daemon.gateway.address, each), 5):
                    problems.append(f"{daemon.side}: the syslog server heard no '{each}'")
            lines = in_buffer(daemon)
            problems += [f"{daemon.side}: of another peer: {line}" for line in lines if self.third in line
                         or any(third[key] in line.lower() for key in ("spi-in", "spi-out"))]
        before = [line for line in in_buffer(note.hub) if "%CRYPTO-4" in line or "ISAKMP" in line or "IPSEC(" in line]
        if not before or "%CRYPTO-4" in before[0]:
            problems.append(f"no debug of before the event: it begins with {before[:1]}")
        return problems

    def bounded(self):
        """The spoke gets forged packets with random SPIs, for it has no applet that they start."""
        lab, note = self.lab, self.note
        note.debugs(note.spoke)
        note.spoke.type("clear logging")
        sent = inject_run.run(lab, "forge", lab.a.address, 1000, 1, lab.b.address)
        problems = [] if wait_for(lambda: in_buffer(note.spoke, "held back"), 5) else ["nothing is said to have been held back"]
        lines = in_buffer(note.spoke)
        strays = [line for line in lines if "IPSEC(decaps)" in line]
        lab.b.rekey(2)  # what the daemon says has its place all the same
        if not wait_for(lambda: in_buffer(note.spoke, "IPSEC(rekey_sa)"), 5):
            problems.append("a rekey at the same time is not told")
        seconds = stamp_span(strays)
        if not strays or len(strays) > 40 + 20 * (seconds + 1):
            problems.append(f"{len(strays)} lines in {seconds:.1f} s for {sent} packets")
        note.spoke.type("undebug all")
        return problems

    def repair(self):
        lab = self.lab
        for daemon in (self.note.hub, self.note.spoke):
            daemon.stop()
        lab.change_ike(self.second_ike)
        note = self.note = lab_note.Note(lab)  # our own words this time, flattened otherwise
        problems = self.begin("repair", [note.spoke], [*BUDGET, f"peer {self.third} observe"])
        known = {found["id"] for found in note.hub.incidents()}
        faults.make(lab, "child-lost" if self.has_plugin else "delete-lost")
        if not wait_for(lambda: [found for found in note.hub.incidents() if found["id"] not in known
                                 and found["state"] in ("healed", "unverified")], 15):
            problems.append("the desync is not healed beside the applet")
        if not wait_for(lambda: lab.traffic.answers("A") and lab.traffic.answers("B"), 5):
            problems.append("the tunnel is dark")
        for words in ("IPSEC(recovery): order ", "IPSEC(create_sa): sa created",
                      "IKEv2:(SESSION ID = " if self.second_ike == 2 else "ISAKMP:("):
            if not in_buffer(note.hub, words):
                problems.append(f"the logging buffer has no '{words}'")
        problems += self.end()
        if ("'show crypto ikev2 sa' lists them" in note.hub.type("more disk0:hub.txt")) != (self.second_ike == 2):
            problems.append("show crypto isakmp sa does not say which version the IKE SAs have")
        return problems

    # --- by hand ----------------------------------------------------------------------------------------------------------

    def clear(self):
        lab, hub, problems = self.lab, self.note.hub, []
        if not wait_for(lambda: len(lab.b.children(name="lan1")) == 1 == len(lab.b.children(name="lan2")), 10):
            return [f"B has {[child['name'] for child in lab.b.children()]}"]
        before = {child["name"]: child for child in lab.b.children()}
        ikes = {sa["uniqueid"] for sa in lab.b.ike_sas()}
        done, since = len(foreign_orders(lab)), time.time()
        shown = hub.type(f"clear crypto sa peer {lab.a.address}")
        if shown.count("rekey-child tunnel/lan") != 2:
            problems.append(f"clear crypto sa peer: {shown}")

        def renewed():
            now = {child["name"]: child for child in lab.b.children()}
            return all(name in now and now[name]["spi-in"] != before[name]["spi-in"] for name in ("lan1", "lan2"))
        if not wait_for(renewed, 10):
            problems.append("the SAs with that peer are not new")
        third = lab.b.children(name=gateway.THIRD_CHILD)
        if [child["spi-in"] for child in third] != [before[gateway.THIRD_CHILD]["spi-in"]]:
            problems.append("another peer's SA is another one")
        if {sa["uniqueid"] for sa in lab.b.ike_sas()} != ikes:
            problems.append("an IKE SA is another one")
        if not wait_for(lambda: len(hub.said("clear crypto sa peer: order")) == 2, 5):
            problems.append(f"the log has {hub.said('clear crypto sa peer')}")
        for host, child in (("A", 2), ("C", 1)):
            if lab.traffic.silence(child, host, since - 0.5) > 1:
                problems.append(f"pings from {host} were silent for {lab.traffic.silence(child, host, since - 0.5):.2f} s")
        for words, why in ((f"peer {lab.a.address}", "budget"), (f"peer {self.third}", "lets this peer alone"),
                           ("peer 203.0.113.99", "no SA with this peer"), ("", "all peers")):
            shown = hub.type(f"clear crypto sa {words}")
            if why not in shown:
                problems.append(f"clear crypto sa {words}: {shown}")
        for command in ("clear crypto session", f"clear crypto session remote {lab.a.address}", "clear crypto ikev2 sa"):
            if "% refused" not in hub.type(command):
                problems.append(f"{command} is not refused")
        made = foreign_orders(lab)[done:]
        if made != ["rekey", "rekey"]:
            problems.append(f"charon was told {made}")
        return problems

    def traps(self):
        if not self.collector.has_traps:
            return None
        heard = [line for line in self.collector.text(self.collector.traps).splitlines() if "2323232" in line]
        problems = [] if len(heard) == 2 else [f"{len(heard)} traps were heard, not one in each mode"]
        for words in (f".{lab_note.TRAP_OBJECT}.1 = INTEGER: 2323232", "OID: .1.3.6.1.4.1.9.10.91.0.2", 'STRING: "command_hub"'):
            problems += [f"no {words} in {line}" for line in heard if words not in line]
        return problems


def stamp_span(lines):
    """Seconds from the first to the last of the buffer's lines."""
    times = [datetime.datetime.strptime(line.partition(" UTC")[0], "%b %d %H:%M:%S.%f") for line in lines]
    return (times[-1] - times[0]).total_seconds() if times else 0.0
