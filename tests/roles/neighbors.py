# SPDX-License-Identifier: MIT
"""Neighbours on a line: a real lldpd at its other end, in a namespace of its own, and frames that nobody should send."""
import json
import os
import shutil
import socket
import subprocess

from daemon import ip, wait_for
from notify import Hub
from shell import expect, shell
from world import CLONE_NEWNET, LIBC

NEIGHBOURS = r"""event manager applet lldp
 event neighbor-discovery interface in lldp all
 action 1 syslog msg "lldp: $_nd_notification $_nd_local_intf_name $_nd_port_id $_nd_lldp_system_name"
 action 2 syslog msg "says: $_nd_lldp_port_description, $_nd_lldp_ttl, $_nd_lldp_system_description"
event manager applet first
 event neighbor-discovery interface regexp ^in$ lldp add
 action 1 regexp "^(.*)$" "$_nd_port_id" match port
 action 2 cli command "enable"
 action 3 cli command "show interface $port"
event manager applet cdp
 event neighbor-discovery interface in cdp all
 action 1 syslog msg "cdp: $_nd_notification $_nd_cdp_entry_name $_nd_port_id $_nd_cdp_capabilities_string"
"""
UNHEARD = "event manager applet {0}\n event neighbor-discovery interface {0} lldp add\n action 1 syslog msg x\n"


def missing():
    return [tool for tool in ("lldpd", "lldpcli") if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]


class Lldpd:
    """The neighbour: "out" is its line, in a namespace of its own."""

    def __init__(self, d):
        self.space, self.socket = d.space + "n", os.path.join(d.folder, "lldpd")
        ip("netns", "add", self.space)
        ip("-n", d.space, "link", "set", "out", "netns", self.space)
        ip("-n", self.space, "link", "set", "out", "up")
        ip("-n", self.space, "address", "add", "192.0.2.77/24", "dev", "out")
        ip("-n", self.space, "link", "set", "lo", "up")
        with open(os.path.join(d.folder, "lldpd.conf"), "w", encoding="utf-8") as file:
            file.write("configure system hostname neighbour\nconfigure lldp portidsubtype ifname\n"
                       "configure lldp tx-interval 1\nconfigure lldp tx-hold 3\n")
        self.command = ["ip", "netns", "exec", self.space, "lldpd", "-d", "-l", "-ccccc", "-I", "out", "-S", "a real one", "-u", self.socket,
                        "-O", os.path.join(d.folder, "lldpd.conf")]
        self.log = os.path.join(d.folder, "lldpd.log")
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def tell(self, *words):
        subprocess.run(["ip", "netns", "exec", self.space, "lldpcli", "-u", self.socket, *words], check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)

    def stop(self, gently):
        pids = subprocess.run(["ip", "netns", "pids", self.space], stdout=subprocess.PIPE, check=False, text=True).stdout.split()
        for signal in [] if gently else [19, 9]:  # stopped first: who sees the other one die would say good-bye
            for pid in pids:
                os.kill(int(pid), signal)
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def remove(self):
        self.stop(False)
        subprocess.run(["ip", "netns", "del", self.space], check=False, stderr=subprocess.DEVNULL)


def send(space, frames):
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{space}") as there:
        LIBC.setns(there.fileno(), CLONE_NEWNET)
        try:
            line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            line.bind(("out", 0))
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)
    for frame in frames:
        line.send(frame)
    line.close()


HEAD = bytes.fromhex("0180c200000e" "020000000001" "88cc")
IDS = bytes.fromhex("020704020000000000" "0a"[:0] + "0406056574683039")
HOSTILE = [
    HEAD + bytes.fromhex("0207"),                        # a TLV that runs over the end
    HEAD + bytes.fromhex("060200780000"),                # the TTL first
    bytes.fromhex("020000000099" "020000000001" "88cc") + IDS + bytes.fromhex("060200780000"),  # to one station
]


def counts(d):
    got = d.ask()
    return json.loads(got[1]).get("neighbors", {}) if got and "{" in got[1] else {}


def neighbours_are_told(build):
    """What lldpd sends by LLDP and CDP: it comes, it changes, it goes with a word and without one; nothing else counts."""
    problems = []
    with Hub(build, NEIGHBOURS.splitlines(), ["sense interface in"]) as d:
        line = Lldpd(d)
        try:
            for words in ("hears LLDP on interface in", "hears CDP on interface in"):
                if not wait_for(lambda words=words: d.said(words)):
                    problems.append(f"not said: {words}")
            line.start()
            for words in ("lldp: add in out neighbour", "says: out, 3, a real one", "cdp: add neighbour out"):
                if not wait_for(lambda words=words: d.said(words), 30):
                    problems.append(f"not said: {words}")
            if not wait_for(lambda: d.said("applet first:")):
                problems.append("a text from the neighbour reaches a command")
            line.tell("configure", "ports", "out", "lldp", "portdescription", "another")
            if not wait_for(lambda: d.said("lldp: update in out neighbour") and d.said("says: another, 3"), 20):
                problems.append("a change is not told")
            since = len(d.text())
            line.stop(True)  # with a last word
            if not wait_for(lambda: d.said("lldp: delete in out neighbour", since), 20):
                problems.append("that it goes is not told")
            line.start()
            if not wait_for(lambda: d.said("lldp: add in out neighbour", since), 30):
                problems.append("it does not come again")
            since = len(d.text())
            line.stop(False)  # without one
            if not wait_for(lambda: d.said("lldp: delete in out neighbour", since), 20):
                problems.append("its time is not over")
            send(line.space, HOSTILE)
            if not wait_for(lambda: counts(d).get("truncated") and counts(d)["order"] and counts(d)["not-ours"]):
                problems.append(f"what is malformed is not counted: {counts(d)}")
            if not d.answers():
                problems.append("the daemon does not answer any more")
        finally:
            line.remove()
        return problems + (d.tail() if problems else [])


def what_is_not_sensed_is_refused(build):
    """And where no applet waits for neighbours any more, nothing is heard."""
    problems = []
    with Hub(build, [], ["sense interface in"]) as d:
        _, shown = shell(d, "enable\nconf t\n" + UNHEARD.format("elsewhere") + "end\nconf t\n" + UNHEARD.format("in") + "end\n"
                            "show run | include neighbor\n")
        expect(problems, "typed", shown, "no interface of a 'sense interface' line is meant", "neighbor-discovery interface in lldp add")
        if not wait_for(lambda: d.said("hears LLDP on interface in")):
            problems.append("a typed applet does not hear")
        shell(d, "enable\nconf t\nno event manager applet in\nend\n")
        if not wait_for(lambda: counts(d).get("sockets") == 0):
            problems.append(f"it is still heard: {counts(d)}")
        d.write(text=UNHEARD.format("elsewhere"))
        status, said = d.run("-n")
        if status == 0 or "spimend.conf:2: event neighbor-discovery interface elsewhere lldp add: no interface" not in said:
            problems.append(f"from a file: {status} {said}")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("neighbours by LLDP and CDP are told to applets", neighbours_are_told),
    ("neighbours are heard where an applet waits for them", what_is_not_sensed_is_refused),
]
SANITIZED = TESTS
