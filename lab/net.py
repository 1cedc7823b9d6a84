# SPDX-License-Identifier: MIT
"""The lab's wire: network namespaces joined by a bridge, and what runs in them.

    A --- vA                 A, B: the two gateways, each with a LAN address on its loopback
            \\
             bridge (in W)   W: the wire itself: where packets are recorded and IKE messages get lost
            /      \\
    B --- vB        vC       C: a stranger on the same wire, or a third gateway that is B's peer too

Every process in a lab's namespaces is the lab's, so that removing a lab needs no list of them."""
import os
import shutil
import signal
import subprocess
import sys
import time

HOSTS = ("A", "B", "C", "W")
OUTER = {4: {"A": "192.0.2.1", "B": "192.0.2.2", "C": "192.0.2.66"},
         6: {"A": "2001:db8::1", "B": "2001:db8::2", "C": "2001:db8::66"}}
PREFIX = {4: 24, 6: 64}
CHILDREN = 4  # at most: LANs 10.1.K.0/24 and 10.2.K.0/24
PREFIX_NAME = "spimend-"


class LabError(Exception):
    """What to tell the user in one line."""


def lan(host, child):
    """The LAN of a gateway that the child of that number joins, and the gateway's own address in it."""
    side = {"A": 1, "B": 2, "C": 3}[host]
    return f"10.{side}.{child}.0/24", f"10.{side}.{child}.1"


def run(command, check=True, stdin=None, timeout=60):
    """Runs a command to its end; its output as text."""
    try:
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=None if stdin is not None else subprocess.DEVNULL, timeout=timeout, check=False)
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: sudo scripts/deps lab") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"took over {timeout} s: {' '.join(command)}") from None
    if check and done.returncode:
        raise LabError(f"{' '.join(command)}: {done.stdout.strip() or done.returncode}")
    return done.stdout


class Net:
    def __init__(self, name):
        self.name = name

    def namespace(self, host):
        return f"{PREFIX_NAME}{self.name}-{host}"

    def exists(self, host):
        return os.path.exists(f"/run/netns/{self.namespace(host)}")

    def inside(self, host, command):
        return ["ip", "netns", "exec", self.namespace(host), *command]

    def run(self, host, command, **options):
        return run(self.inside(host, command), **options)

    def start(self, host, command, log, env=None):
        """Starts a process in a namespace, in a session of its own: it outlives who started the lab."""
        with open(log, "ab") as out:
            return subprocess.Popen(self.inside(host, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    env=dict(os.environ, **(env or {})), start_new_session=True)

    def processes(self, host):
        return [int(word) for word in run(["ip", "netns", "pids", self.namespace(host)], check=False).split()
                if word.isdigit()]

    def up(self, family):
        for host in HOSTS:
            run(["ip", "netns", "add", self.namespace(host)])
        wire = self.namespace("W")
        # no multicast querier, no spanning tree: nobody may delay or add a frame
        run(["ip", "-n", wire, "link", "add", "wire", "type", "bridge", "stp_state", "0", "mcast_snooping", "0"])
        run(["ip", "-n", wire, "link", "set", "wire", "up"])
        for host in "ABC":
            end = self.namespace(host)
            run(["ip", "link", "add", f"v{host}", "netns", end, "type", "veth", "peer", "name", f"w{host}", "netns", wire])
            run(["ip", "-n", wire, "link", "set", f"w{host}", "master", "wire", "up"])
            nodad = ["nodad"] if family == 6 else []
            run(["ip", "-n", end, "addr", "add", f"{OUTER[family][host]}/{PREFIX[family]}", "dev", f"v{host}", *nodad])
            run(["ip", "-n", end, "link", "set", "lo", "up"])
            run(["ip", "-n", end, "link", "set", f"v{host}", "up"])
        for host in "ABC":
            for child in range(1, CHILDREN + 1):
                run(["ip", "-n", self.namespace(host), "addr", "add", lan(host, child)[1] + "/32", "dev", "lo"])

    def lengthen(self, rtt, log):
        """Puts a round trip time of so many milliseconds between A and everybody else; returns the process that does it."""
        wire = self.namespace("W")
        run(["ip", "-n", wire, "link", "set", "wA", "nomaster"])
        run(["ip", "-n", wire, "link", "add", "far", "type", "veth", "peer", "name", "near"])
        run(["ip", "-n", wire, "link", "set", "near", "master", "wire"])
        for end in ("wA", "far"):  # they pass everything on, whoever it is for
            run(["ip", "-n", wire, "link", "set", end, "promisc", "on"])
        for end in ("far", "near"):
            run(["ip", "-n", wire, "link", "set", end, "up"])
        here = os.path.dirname(os.path.abspath(__file__))
        return self.start("W", [sys.executable, "-B", os.path.join(here, "delay.py"), "wA", "far", str(rtt / 2)], log)

    def down(self):
        """Ends every process in the namespaces and removes them. Fine when there is none."""
        left = []
        for host in HOSTS:
            if not self.exists(host):
                continue
            for sign, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0)):
                for pid in self.processes(host):
                    send(pid, sign)
                late = time.monotonic() + patience
                while self.processes(host) and time.monotonic() < late:
                    time.sleep(0.02)
            left += self.processes(host)
            run(["ip", "netns", "del", self.namespace(host)], check=False)
        if left:
            raise LabError(f"processes that did not end: {' '.join(map(str, left))}")


def send(pid, sign):
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass


def names():
    """The labs that have a namespace now."""
    found = set()
    for entry in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        if entry.startswith(PREFIX_NAME) and entry[-2:] in {f"-{host}" for host in HOSTS}:
            found.add(entry[len(PREFIX_NAME):-2])
    return sorted(found)


def demand_root():
    if os.geteuid() != 0:
        raise LabError("needs root: it makes network namespaces and starts IKE daemons in them (sudo lab/lab ...)")


def demand_tools():
    missing = [tool for tool in ("ip", "nft", "tcpdump", "ping", "swanctl", "unshare", "charon-systemd")
               if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)} (sudo scripts/deps lab)")
    if not os.path.exists("/dev/net/tun"):
        raise LabError("/dev/net/tun does not exist: ESP in user space needs it")


def cage(arguments):
    """Runs arguments in a process and mount namespace of their own, and does not return. Whatever ends the caller, the
    kernel then ends every process in there, and the network namespaces and the labs' folders, which are mounts on a /run of
    our own, go with them: nothing can be left behind."""
    inner = 'mount -t tmpfs -o mode=755 lab /run && mkdir /run/netns && "$@"; exit $?'  # not exec: sh reaps the orphans
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inner, "lab", *arguments]
    os.environ["SPIMEND_LAB_CAGED"] = "1"
    sys.stdout.flush()
    os.execvp(command[0], command)


def caged():
    return os.environ.get("SPIMEND_LAB_CAGED") == "1"
