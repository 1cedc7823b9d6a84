# SPDX-License-Identifier: MIT
"""Embedded Event Manager as a note of Cisco's uses it (B18 to B24), on two Linux gateways: conditional debugs at both ends
all the time; when an unknown SPI is logged, the receiver's applet keeps four shows in a file, waits 18 s for the
aftermath, switches its debugs off and sends a trap, at which the sender's applet switches off its own.

The applets come as such notes print them, with commands run together and lines broken; `spimend lint --reflow` restores
them, the addresses are made the lab's, and they are pasted: into `spimend shell` or into the startup configuration. B is
the receiver and called hub, A the sender and called spoke, C collects: a syslog server and net-snmp's snmptrapd, where
there is one. `lab/lab note` shows it, tests/lab/note.py tests it."""
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time

import faults
import gateway
from demo import say, title
from laboratory import Lab
from net import LabError, OUTER

HUB, SPOKE = "203.0.113.7", "198.51.100.3"  # in the texts below
TRAP_OBJECT = "1.3.6.1.4.1.9.10.91.1.2.3.1.9"
WAIT_S = 18  # the applet's own

DEBUGS = """\
debug crypto condition peer ipv4 <peer IP address> debug crypto isakmp debug crypto ipsec debug crypto
engine
"""

HUB_COMMANDS = """\
snmp-server enable traps event-manager snmp-server host 198.51.100.3 public event-manager
snmp-server manager
"""

HUB_LISTING = """\
!--- See first that the file can be written sh ip int bri | tee /append disk0:hub.txt conf t ! event manager

applet command_hub event syslog pattern "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=198.51.100.3" action 1

cli command "enable" action 2 syslog msg "command_hub is running ..." priority informational action 3 cli

command "show crypto sockets | append disk0:hub.txt" action 4 cli command "show crypto isa sa | append

disk0:hub.txt" action 5 cli command "show crypto ipsec sa detail | append disk0:hub.txt" action 6 cli command

"show dmvpn detail | append disk0:hub.txt" action 7 wait 18 action 8 cli command "undebug all" action 8.1 snmp-trap

intdata1 2323232 strdata "" action 9 syslog priority informational msg "DONE ON HUB" ! end
"""

SPOKE_COMMANDS = """\
snmp-server enable traps event-manager

snmp-server host 203.0.113.7 public event-manager

snmp-server manager
"""

SPOKE_LISTING = """\
conf t ! event manager applet spoke_app event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9. oid-val "2323232"

op eq src-ip-address 203.0.113.7 maxrun 35 action 1.0 syslog msg "Received trap from Hub..." action 2.0 cli

command "enable" action 3.0 cli command "undebug all" action 4.0 syslog msg "DONE ON SPOKE" ! end
"""


@dataclasses.dataclass
class Texts:
    """What a note gives, as it gives it."""
    debugs: str = DEBUGS
    hub_commands: str = HUB_COMMANDS
    hub_listing: str = HUB_LISTING
    spoke_commands: str = SPOKE_COMMANDS
    spoke_listing: str = SPOKE_LISTING
    hub: str = HUB        # the addresses in them
    spoke: str = SPOKE


def read(path):
    """The texts of the note itself, where somebody has it as a file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()

    def find(what, pattern):
        found = re.search(pattern, text, re.M | re.S)
        if not found:
            raise LabError(f"{path}: {what} is not there: is that the note with the two applets?")
        return found[0]
    snmp = re.findall(r"^snmp-server .*$", text, re.M)
    if len(snmp) % 2 or not snmp:
        raise LabError(f"{path}: {len(snmp)} lines of snmp-server, expected as many for the hub as for the spoke")
    half = len(snmp) // 2
    hub_listing = find("the hub's listing", r"^!--- .*?^HUB\" ! end$")
    spoke_listing = find("the spoke's listing", r"^conf t$\s+!\s+^event manager applet spoke_app.*?^end$")
    return Texts(find("the list of debugs", r"^debug crypto condition peer.*?crypto engine$"), "\n\n".join(snmp[:half]), hub_listing,
                 "\n\n".join(snmp[half:]), spoke_listing, re.search(r"src-ip-address ([\d.]+)", spoke_listing)[1],
                 re.search(r"srcaddr=([\d.]+)", hub_listing)[1])


def restore(daemon, text):
    """The lines that `spimend lint --reflow` makes of a text."""
    done = subprocess.run([daemon.program("spimend"), "lint", "--reflow", "-"], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    if done.returncode:
        raise LabError(f"spimend lint --reflow: {done.stderr.strip()}")
    return done.stdout.splitlines()


class Collector:
    """C as the machine that collects: what both gateways send by syslog, and their traps, as net-snmp's snmptrapd prints them."""

    def __init__(self, lab):
        self.lab = lab
        self.log, self.traps = lab.path("syslog.heard"), lab.path("traps.heard")
        self.has_traps = shutil.which("snmptrapd", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None

    def start(self):
        lab, here = self.lab, os.path.dirname(os.path.abspath(__file__))
        lab.adopt(lab.net.start("C", [sys.executable, "-B", os.path.join(here, "listen.py")], self.log))
        lab.wait(lambda: "listens" in self.text(self.log), 10, "the syslog server")
        if not self.has_traps:
            return
        gateway.write(lab.path("snmptrapd.conf"), "authCommunity log public\n")
        lab.adopt(lab.net.start("C", ["snmptrapd", "-f", "-Lo", "-n", "-On", "-C", "-c", lab.path("snmptrapd.conf"), "udp:162"],
                                self.traps, env={"MIBS": "", "SNMPCONFPATH": lab.folder, "SNMP_PERSISTENT_DIR": lab.path("snmp")}))
        lab.wait(lambda: ":162 " in lab.net.run("C", ["ss", "-lnu"]), 10, "snmptrapd")

    @staticmethod
    def text(path):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self, sender, words):
        """What came from that address by syslog."""
        return [line for line in self.text(self.log).splitlines() if line.split()[1:2] == [sender] and words in line]


class Note:
    """The two gateways of a lab that is up, with the note's configuration."""

    def __init__(self, lab, texts=None):
        self.lab, self.texts = lab, texts or Texts()
        self.hub, self.spoke = lab.spimendd, lab.spimendd_a
        self.addresses = {self.texts.hub: lab.b.address, self.texts.spoke: lab.a.address}
        self.commands = {self.hub: self._lines(self.texts.hub_commands), self.spoke: self._lines(self.texts.spoke_commands)}
        self.listings = {self.hub: self._lines(self.texts.hub_listing), self.spoke: self._lines(self.texts.spoke_listing)}
        self.starts = {}

    def _lines(self, text):
        """Restored, and the addresses made ours: nothing else is changed."""
        lines = restore(self.hub, text)
        for theirs, ours in self.addresses.items():
            lines = [re.sub(rf"(?<![\d.]){re.escape(theirs)}(?![\d.])", ours, line) for line in lines]
        return [line for line in lines if line.strip()]

    def collectors(self):
        """Lines of configuration for C, which collects what both say."""
        address = OUTER[self.lab.options["ip"]]["C"]
        return [f"logging host {address}", f"snmp-server host {address} public event-manager"]

    def start(self, mode, pasted, extra=()):
        """spimendd at both ends. The daemons in `pasted` get their lines in `spimend shell` once they run, the others have
        them in their startup configuration; returns what the pasting printed."""
        printed = {}
        for daemon, name in ((self.hub, "hub"), (self.spoke, "spoke")):
            before = self.collectors()
            if daemon not in pasted:
                before += self.commands[daemon] + configuration(self.listings[daemon])
            daemon.start(mode, extra, before, name)
            self.starts[daemon] = log_size(daemon)
            if daemon in pasted:
                printed[daemon] = daemon.type("configure terminal", *self.commands[daemon], "end", *self.listings[daemon])
        for daemon in (self.hub, self.spoke):
            self.lab.wait(lambda daemon=daemon: daemon.said("hears traps"), 5, "spimendd to hear traps")
        return printed

    def debugs(self, daemon, more=()):
        """Switches the note's debugs on, about the other end."""
        peer = self.lab.a.address if daemon is self.hub else self.lab.b.address
        lines = [line.replace("<peer IP address>", peer) for line in restore(self.hub, self.texts.debugs)]
        return daemon.type(*lines, *more, "show debug")

    def said(self, daemon, words):
        return daemon.said(words, self.starts[daemon])


def log_size(daemon):
    return os.path.getsize(daemon.log) if os.path.exists(daemon.log) else 0


def configuration(lines):
    """What of pasted lines is configuration: from `configure terminal` on."""
    began = [number for number, line in enumerate(lines) if re.match(r"conf\S* t\S*$", line.strip())]
    return lines[began[0]:] if began else lines
