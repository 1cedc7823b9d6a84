# SPDX-License-Identifier: MIT
"""The world around it: interfaces that come and go, a full disk, who may ask, syslog, strays on the wire."""
import contextlib
import ctypes
import json
import os
import socket
import sqlite3
import struct
import subprocess
import time

from daemon import Daemon, ip, wait_for
from hostile import GoodDaemon

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
US, PEER = "10.99.0.2", "10.99.0.1"


def interfaces_up(d):
    got = d.ask(json_form=False)
    return got[1].partition("sensors")[2].split()[0] if got else None


def interface_returns(build):
    problems = []
    with Daemon(build, "sense interface in") as d:
        for turn in range(2):
            if not wait_for(lambda: interfaces_up(d) == "1"):
                problems.append(f"turn {turn}: the interface is not heard")
            pids, since = d.roles(), len(d.text())
            d.remove_link()
            if not wait_for(lambda: d.said("interface in ", since) and interfaces_up(d) == "0"):
                problems.append(f"turn {turn}: nobody notices that it is gone")
            since = len(d.text())
            d.add_link()
            if not wait_for(lambda: d.said("hears interface in", since)):
                problems.append(f"turn {turn}: it is not heard again")
            if d.roles() != pids:
                problems.append(f"turn {turn}: roles were started anew: {pids} {d.roles()}")
        since = len(d.text())
        ip("-n", d.space, "link", "set", "in", "down")
        wait_for(lambda: interfaces_up(d) == "0", 3)
        ip("-n", d.space, "link", "set", "in", "up")
        if not wait_for(lambda: interfaces_up(d) == "1"):
            problems.append("down and up: it is not heard again")
        before = stray_count(d)
        if not wait_for(lambda: send_strays(d, 3) or stray_count(d) > before):
            problems.append(f"what arrives on it afterwards is not seen: {d.ask(json_form=False)[1]}")
        return problems + (d.tail() if problems else [])


def interface_comes_late(build):
    with Daemon(build, "sense interface late", "sense interface in") as d:
        problems = [] if d.said("interface late is not there") else ["it does not say that one is missing"]
        if not wait_for(lambda: "interface late is not there" in d.page()) or d.ask()[0].get("status") != 1:
            problems.append(f"status does not say so: {d.ask(json_form=False)}")
        os.kill(d.roles()["core"], 9)  # who is told anew
        if not wait_for(lambda: "interface late is not there" in d.page()):
            problems.append(f"status of a new core does not say so: {d.page()}")
        ip("-n", d.space, "link", "add", "late", "type", "veth", "peer", "name", "early")
        ip("-n", d.space, "link", "set", "early", "up")
        ip("-n", d.space, "link", "set", "late", "up")
        if not wait_for(lambda: d.said("hears interface late")):
            problems.append("it is not heard")
        if not wait_for(lambda: d.answers() and "interface late" not in d.page()):
            problems.append(f"status goes on saying that it is missing: {d.page()}")
        ip("-n", d.space, "link", "set", "in", "down")
        if not wait_for(lambda: "interface in is down" in d.page()):
            problems.append(f"status does not say that it is down: {d.page()}")
        return problems + (d.tail() if problems else [])


def send_strays(d, count, spi=0x1234567, source=PEER):
    """ESP to our address, with an SPI that nobody knows."""
    subprocess.run(["ip", "-n", d.space, "addr", "add", US + "/24", "dev", "in"], check=False, stderr=subprocess.DEVNULL)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{d.space}") as there:
        LIBC.setns(there.fileno(), CLONE_NEWNET)
        try:
            line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            line.bind(("out", 0))
            there_mac = open_mac(d)
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)
    for number in range(count):
        esp = struct.pack("!II", spi, number + 1) + bytes(64)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(esp), 0, 0, 64, 50, 0, socket.inet_aton(source),
                           socket.inet_aton(US))
        total = sum(struct.unpack("!10H", head))
        total = (total >> 16) + (total & 0xffff)
        head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[12:]
        line.send(there_mac + b"\x02\0\0\0\0\x01" + b"\x08\0" + head + esp)
    line.close()


def open_mac(d):
    shown = subprocess.run(["ip", "-n", d.space, "-j", "link", "show", "dev", "in"], stdout=subprocess.PIPE, check=True)
    return bytes.fromhex(json.loads(shown.stdout)[0]["address"].replace(":", ""))


def stray_count(d):
    got = d.ask(json_form=False)
    words = got[1].partition("sensors")[2].partition("\n")[0] if got else ""
    return int(words.split(" stray")[0].split()[-1]) if " stray" in words else -1


def disk_full(build):
    """An IKE daemon whose SAs are new at each list gives the ledger something to keep."""
    problems = []
    with Daemon(build, "sense interface in", start=False) as d:
        path = os.path.join(d.folder, "vici")
        d.lines.append(f"sense strongswan {path}")
        d.write()
        os.mkdir(d.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", d.state], check=True)
        try:
            server = GoodDaemon(path)
            d.start()
            if not wait_for(lambda: "1 live" in d.page()):
                problems.append(f"the ledger is not filled: {d.page()}")
            fill(d, "ballast")
            late = time.monotonic() + 10
            while not d.said("the store cannot be written") and time.monotonic() < late:
                server.hang_up()
                time.sleep(0.3)
            if not d.said("the store cannot be written"):
                problems.append("it does not say that the disk is full")
            if "cannot be written" not in d.page():
                problems.append(f"spimend status does not say so: {d.page()}")
            before = stray_count(d)
            if not wait_for(lambda: send_strays(d, 3) or stray_count(d) > before):
                problems.append("it does not go on judging")
            # A core that must begin on a full disk begins.
            pid = d.roles()["core"]
            os.kill(pid, 9)
            if not wait_for(lambda: d.roles().get("core") not in (None, pid) and d.answers()):
                problems.append("core does not begin on a full disk")
            os.unlink(os.path.join(d.state, "ballast"))
            server.hang_up()
            if not wait_for(lambda: "TROUBLE" not in d.page() and " live" in d.page()):
                problems.append(f"with room again the trouble stays: {d.page()}")
            if d.stop() != 0:
                problems.append("it did not end well")
        finally:
            d.kill()
            subprocess.run(["umount", "-l", d.state], check=False)
        return problems + (d.tail() if problems else [])


class ConstantDaemon(GoodDaemon):
    """Its SA is the same at each list: what is known of it changes once only."""
    spi = property(lambda self: 0x10000010, lambda self, value: None)


def store_comes_late(build):
    """What core knew before there was a store is in it afterwards, although nothing of that changes any more."""
    problems = []
    with Daemon(build, "sense interface in", start=False) as d:
        vici, obstacle = os.path.join(d.folder, "vici"), os.path.join(d.state, "core", "spimend.db")
        d.lines.append(f"sense strongswan {vici}")
        d.write()
        os.makedirs(obstacle)
        ConstantDaemon(vici)
        d.start()
        if not d.said("will not survive a restart") or not wait_for(lambda: "1 live" in d.page()):
            problems.append(f"without a store: {d.page()}")
        os.rmdir(obstacle)
        if not wait_for(lambda: d.said("there is a store now")) or "there is no store" in d.page():
            problems.append(f"it is not tried again: {d.page()}")
        if d.stop() != 0:
            problems.append("it did not end well")
        with contextlib.closing(sqlite3.connect(obstacle)) as store:
            kept = store.execute("SELECT spi FROM ledger").fetchall()
        if kept != [(0x10000010,)]:
            problems.append(f"in the store are {kept}")
        return problems + (d.tail() if problems else [])


def fill(d, name):
    """Writes until there is no byte left."""
    with open(os.path.join(d.state, name), "wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def who_may_ask(build):
    problems = []
    with Daemon(build, "sense interface in") as d:
        got = d.ask(uid=65534)
        if not isinstance(got, list) or got[0].get("status") != 0:
            problems.append(f"the configured user may not ask: {got}")
        got = d.ask(uid=1)
        if got != "PermissionError":
            problems.append(f"anybody may ask: {got}")
        bad = d.ask("reboot")
        if not bad or bad[0].get("status") != 2:
            problems.append(f"a command that is none: {bad}")
    with Daemon(build, "sense interface in", "control-group daemon") as d:
        got = d.ask(uid=1)  # whose group is daemon
        if not isinstance(got, list) or got[0].get("status") != 0:
            problems.append(f"a member of the control group may not ask: {got}")
        got = d.ask(uid=2)
        if got != "PermissionError":
            problems.append(f"who is no member may ask: {got}")
    return problems


def no_journal(build):
    """A link in the journal's place leads root nowhere; without a journal nothing is done, which is said."""
    with Daemon(build, "sense interface in", start=False) as d:
        os.mkdir(d.state)
        target = os.path.join(d.folder, "target")
        os.symlink(target, os.path.join(d.state, "act.journal"))
        d.start()
        problems = [f"{target} was made"] if os.path.exists(target) else []
        if not wait_for(lambda: "act has no journal" in (d.ask(json_form=False) or ("", ""))[1]):
            problems.append(f"status: {d.ask(json_form=False)}")
        return problems + (d.tail() if problems else [])


SYSLOG = """mount -t tmpfs -o mode=755 tmpfs /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 &&
: > /dev/log && mount --bind "$1" /dev/log && exec "$2" -c "$3" """


def background(build):
    """Without -f: the caller gets the shell back when it is ready, and the log goes to syslog."""
    problems, lines = [], []
    with Daemon(build, "sense interface in", start=False) as d:
        path = os.path.join(d.folder, "syslog")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
            syslog.bind(path)
            os.chmod(path, 0o666)
            syslog.settimeout(0.2)
            env = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "JOURNAL_STREAM")}
            done = subprocess.run(["ip", "netns", "exec", d.space, "unshare", "-m", "sh", "-c", SYSLOG, "sh", path,
                                   os.path.join(build, "spimendd"), d.config], stdin=subprocess.DEVNULL, timeout=20,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=env, text=True)
            if done.returncode:
                problems.append(f"status {done.returncode}: {done.stdout}")
            if not d.answers():
                problems.append("it does not answer as soon as the caller has the shell back")
            parents = [pid for pid, words in d.processes().items() if "--role" not in words]
            try:
                while True:
                    lines.append(syslog.recv(4096).decode())
            except TimeoutError:
                pass
            if not any(line.startswith("<29>") and line.endswith("IKE daemons") and "spimendd[" in line for line in lines):
                problems.append("syslog does not hear that it is ready")
            if not any("confined" in line for line in lines):
                problems.append("syslog does not hear the roles")
            for pid in parents:
                if os.readlink(f"/proc/{pid}/cwd") != "/" or os.readlink(f"/proc/{pid}/fd/0") != "/dev/null":
                    problems.append("it keeps its caller's folder or terminal")
                os.kill(pid, 15)
            if len(parents) != 1 or not wait_for(lambda: not d.processes()):
                problems.append(f"processes: {d.processes()}")
    return problems + (lines if problems else [])


def nowhere_to_log(build):
    with Daemon(build, "sense interface in", start=False) as d:
        env = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "JOURNAL_STREAM")}
        done = subprocess.run(["ip", "netns", "exec", d.space, "unshare", "-m", "sh", "-c",
                               'mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && exec "$1" -c "$2"', "sh",
                               os.path.join(build, "spimendd"), d.config], stdin=subprocess.DEVNULL, timeout=20,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=env, text=True)
        if done.returncode != 2 or "use -f" not in done.stdout:
            return [f"status {done.returncode}: {done.stdout}"]
        return [] if not d.processes() else [f"left: {d.processes()}"]


TESTS = [
    ("an interface that is deleted and made again, or down and up, is heard again", interface_returns),
    ("an interface that comes late is heard", interface_comes_late),
    ("a full disk: it says so, judges on, and writes when there is room", disk_full),
    ("a store that comes later gets the ledger from before", store_comes_late),
    ("root, the user and the control group may ask, nobody else", who_may_ask),
    ("a link in the journal's place is not followed, and said", no_journal),
    ("in the background it logs to syslog, and the caller waits until it is ready", background),
    ("in the background without a log it does not start", nowhere_to_log),
]
SANITIZED = [
    ("an interface that is deleted and made again, or down and up, is heard again", interface_returns),
    ("a full disk: it says so, judges on, and writes when there is room", disk_full),
]
