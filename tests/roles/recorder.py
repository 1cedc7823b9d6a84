# SPDX-License-Identifier: MIT
"""The flight recorder and the evidence of an incident: what a real daemon keeps, also when it is killed in mid-write, when
its disk is full and when it is flooded; and what it never keeps."""
import json
import os
import re
import socket
import struct
import subprocess
import time

from daemon import Daemon, ip, wait_for
from repairs import Told
from world import CLONE_NEWNET, LIBC, fill, open_mac, send_strays, stray_count

MASK = (1 << 64) - 1


def siphash(salt, at, data):
    """SipHash-1-3, written a second time."""
    def turn(x, by):
        return (x << by | x >> 64 - by) & MASK

    def rounds(v, count):
        for _ in range(count):
            v[0] = v[0] + v[1] & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = v[2] + v[3] & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    v = [salt ^ 0x736f6d6570736575, at ^ 0x646f72616e646f6d, salt ^ 0x6c7967656e657261, at ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    words = struct.unpack(f"<{whole // 8}Q", data[:whole]) + (
        int.from_bytes(data[whole:], "little") | (len(data) & 0xff) << 56,)
    for word in words:
        v[3] ^= word
        rounds(v, 1)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(v, 3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def payloads(data):
    """The records of a segment that hold, by a second reader, and in how many places something else stands."""
    salt, = struct.unpack_from("<Q", data, 48)
    if data[:8] != b"spmdrec1" or siphash(salt, 0, data[:120]) != struct.unpack_from("<Q", data, 120)[0]:
        return [], 1
    found, at, torn, is_torn = [], 128, 0, False
    while at < len(data):
        if data[at:at + 4] == b"SMDR" and at + 16 <= len(data):
            length, _, check = struct.unpack_from("<HHQ", data, at + 4)
            payload = data[at + 16:at + 16 + length]
            if len(payload) == length and siphash(salt, at, payload) == check:
                found.append(payload)
                at += 16 + length
                is_torn = False
                continue
        torn += not is_torn
        is_torn = True
        at += 1
    return found, torn


def segments(d):
    folder = os.path.join(d.state, "recorder")
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            found.append(file.read())
    return found


def recorder(d):
    answer = d.ask()
    return json.loads(answer[1].splitlines()[0])["recorder"] if answer else {}


def evidence(d, ident):
    answer = d.ask("evidence", ident=ident)
    return (answer[0], [json.loads(line) for line in answer[1].splitlines()]) if answer else ({}, [])


KEYS = ["schema", "end", "at", "boot", "mono", "kind", "src", "dst", "proto", "spi", "direction", "connection", "child", "reason",
        "packets", "bytes", "seq", "text", "length", "linktype", "data", "incident", "offset", "error"]


def judge_lines(problems, lines, ident):
    """What holds for each evidence: the contract, and the order."""
    if not lines or lines[0].get("schema") != "spimend.incident/1" or lines[0].get("id") != ident:
        problems.append(f"the first line is not the incident: {lines[:1]}")
        return
    for line in lines[1:]:
        if list(line) != KEYS or line["schema"] != "spimend.recorded/1":
            problems.append(f"not a recorded event: {line}")
            return
    order = [line["mono"] for line in lines[1:] if line["mono"] is not None]
    if order != sorted(order):
        problems.append("the lines are not in order of time")


def of_a_fleet(build):
    """A desync between two routers: what was typed on both and what they printed is there afterwards, without secrets."""
    problems = []
    with Told(build) as d:
        lost = d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        healed = d.becomes("healed")
        if isinstance(healed, list):
            return [f"not healed: {healed}", *d.tail()]
        ident = healed["id"]
        head, lines = evidence(d, ident)
        judge_lines(problems, lines, ident)
        if head.get("status") != 0:
            problems.append(f"status {head}")
        events = lines[1:]
        said = {(e["end"], e["kind"]) for e in events}
        for wanted in (("hub", "command"), ("hub", "output"), ("spoke", "command"), ("spoke", "output"), ("hub", "sighting"),
                       ("hub", "incident")):
            if wanted not in said:
                problems.append(f"nothing of {wanted}: {sorted(said, key=str)}")
        spi = f"{lost['spi']:08x}"
        if not any(e["kind"] == "output" and spi in (e["text"] or "").lower() for e in events):
            problems.append(f"no output has the SPI {spi}")
        if not any(e["kind"] == "command" and "clear crypto sa entry" in e["text"] for e in events):
            problems.append("what was typed to repair is not there")
        texts = " ".join(str(e["text"]) for e in events)
        if "hunter2" in texts:
            problems.append("a password is in the evidence")
        if "healed" not in " ".join(e["text"] for e in events if e["kind"] == "incident"):
            problems.append("how it ended is not there")
        status, page = d.spimend("evidence", ident)
        if status != 0 or "clear crypto sa entry" not in page:
            problems.append(f"spimend evidence: {status} {page[:500]}")
        status, page = d.spimend("evidence", "zzzzzz")
        if status != 2 or "no" not in page:
            problems.append(f"of an incident that there is not: {status} {page}")
        # It outlives the ring, and the daemon.
        if d.stop() != 0:
            problems.append("it did not end well")
        for name in os.listdir(os.path.join(d.state, "recorder")):
            os.unlink(os.path.join(d.state, "recorder", name))
        d.start()
        wait_for(d.answers)
        _, again = evidence(d, ident)
        if len([e for e in again if e.get("kind") == "output"]) != len([e for e in events if e["kind"] == "output"]):
            problems.append(f"after a restart {len(again)} lines instead of {len(lines)}")
        for folder in ("recorder", "evidence"):
            for name in os.listdir(os.path.join(d.state, folder)):
                with open(os.path.join(d.state, folder, name), "rb") as file:
                    if b"hunter2" in file.read():
                        problems.append(f"a password is in {folder}/{name}")
        return problems + (d.tail() if problems else [])


def killed_in_mid_write(build):
    """core is killed at random under a stream of events: a second reader finds every record of its segments but the last."""
    problems = []
    with Daemon(build, "sense interface in") as d:
        wait_for(lambda: "1 interface up" in d.page())
        for round_ in range(4):
            pid = d.roles()["core"]
            for burst in range(30):
                send_strays(d, 20, spi=0x1000000 + round_ * 1000 + burst)
                if burst == 20 + round_:
                    os.kill(pid, 9)
            if not wait_for(lambda: d.roles().get("core") not in (None, pid) and d.answers(), 20):
                return ["core does not come back", *d.tail()]
        wait_for(lambda: recorder(d).get("works"))
        time.sleep(len(segments(d)) + 2)  # it reads one a second
        figures = recorder(d)
        d.stop()
        found = [payloads(data) for data in segments(d)]
        strays = sum(payload[0] == 5 for records, _ in found for payload in records)
        torn = sum(torn for _, torn in found)
        if strays < 40:
            problems.append(f"only {strays} sightings are recorded")
        if torn > 4 or figures["torn"] > torn or figures["lost"]:
            problems.append(f"{torn} torn; it says {figures}")
        if abs(sum(len(records) for records, _ in found) - figures["records"]) > 30:
            problems.append(f"{sum(len(records) for records, _ in found)} records; it says {figures}")
        if sum(payload.endswith(b"the recorder started") for records, _ in found for payload in records) < 4:
            problems.append("its starts are not recorded")
        return problems + (d.tail() if problems else [])


def a_full_disk(build):
    """Said once, nothing else suffers, and it goes on when there is room."""
    problems = []
    with Daemon(build, "sense interface in", "evidence ring-size 1", start=False) as d:
        os.mkdir(d.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", d.state], check=True)
        try:
            d.start()
            wait_for(lambda: "1 interface up" in d.page())
            if not wait_for(lambda: recorder(d).get("records")):
                problems.append(f"nothing is recorded: {recorder(d)}")
            fill(d, "ballast")
            late = time.monotonic() + 15
            while not d.said("the flight recorder cannot be written") and time.monotonic() < late:
                send_strays(d, 3)
                time.sleep(0.3)
            if d.text().count("the flight recorder cannot be written") != 1:
                problems.append(f"said {d.text().count('the flight recorder cannot be written')} times")
            if "CANNOT BE WRITTEN" not in d.page() or recorder(d).get("works"):
                problems.append(f"status does not say so: {d.page()}")
            send_strays(d, 3)
            if not d.answers():
                problems.append("it does not answer any more")
            os.unlink(os.path.join(d.state, "ballast"))
            if not wait_for(lambda: d.said("the flight recorder can be written again"), 15):
                problems.append("it does not go on")
            if not wait_for(lambda: recorder(d).get("works")):
                problems.append(f"it does not work again: {recorder(d)}")
            size = sum(len(data) for data in segments(d))
            if size > 1 << 20:
                problems.append(f"{size} bytes in a ring of a mebibyte")
        finally:
            d.kill()
            subprocess.run(["umount", "-l", d.state], check=False)
        return problems + (d.tail() if problems else [])


def strangers_do_not_empty_it(build):
    """Whoever sends strays fills a share of the ring and no more; what is left out is counted and said in it."""
    problems = []
    with Daemon(build, "sense interface in") as d:
        wait_for(lambda: "1 interface up" in d.page())
        before = recorder(d)["records"]
        late = time.monotonic() + 3
        spi = 0x2000000
        while time.monotonic() < late:
            for _ in range(50):
                spi += 1
                send_strays(d, 1, spi=spi)
        time.sleep(1.5)
        figures = recorder(d)
        if figures["records"] - before > 5 * 100 + 50:
            problems.append(f"{figures['records'] - before} records within 5 s: {figures}")
        if spi - 0x2000000 > 1000 and not figures["held"]:
            problems.append(f"{spi - 0x2000000} strays, and none is held back: {figures}")
        d.stop()
        if figures["held"] and not any(b"are not recorded: more packets" in data for data in segments(d)):
            problems.append("it is not said in the ring")
        return problems + (d.tail() if problems else [])


def send_ike(d, port, ike, source=500, src="192.0.2.2", dst="192.0.2.1"):
    """A UDP datagram to `port`, raw: it needs no address and nobody who listens."""
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{d.space}") as there:
        LIBC.setns(there.fileno(), CLONE_NEWNET)
        try:
            line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            line.bind(("out", 0))
            mac = open_mac(d)
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)
    udp = struct.pack("!HHHH", source, port, 8 + len(ike), 0) + ike
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(src),
                       socket.inet_aton(dst))
    line.send(mac + b"\x02\0\0\0\0\x01" + b"\x08\0" + head + udp)
    line.close()
    return head + udp


def heads_of_packets(build):
    """Of an IKE message its header, of a plaintext notify the notify, of a stray up to its sequence number; never more."""
    problems = []
    ike = bytes(range(1, 9)) + bytes(8) + bytes([33, 0x20, 34, 8]) + bytes(8)
    notify = bytes(range(1, 17)) + bytes([41, 0x20, 37, 0]) + bytes(8) + \
        bytes([0, 0, 0, 12, 0, 0, 0, 11, 0x1d, 0xb7, 0x3b, 0xbb])
    with Daemon(build, "sense interface in") as d:
        wait_for(lambda: "1 interface up" in d.page())
        sent = [send_ike(d, 500, ike + b"\x5a" * 300), send_ike(d, 4500, bytes(4) + ike + b"\x5a" * 300),
                send_ike(d, 500, notify + b"\x5a" * 40)]
        send_ike(d, 4500, b"\x5a" * 100)  # ESP in UDP is none
        send_ike(d, 501, ike, source=501)
        # Its address is new: not the first strays are for us yet.
        wait_for(lambda: send_strays(d, 3, spi=0x7654321) or stray_count(d) > 0)
        time.sleep(0.5)
        d.stop()
        packets = [payload for data in segments(d) for payload in payloads(data)[0] if payload[0] == 6]
        wanted = [sent[0][:20 + 8 + 28], sent[1][:20 + 8 + 4 + 28], sent[2][:20 + 8 + 28 + 12]]
        for head in wanted:
            if not any(payload.endswith(head) for payload in packets):
                problems.append(f"not recorded: {head.hex()}")
        if not any(payload.endswith(struct.pack("!II", 0x7654321, 1)) for payload in packets):
            problems.append("the stray's first bytes are not recorded")
        if b"\x5a\x5a\x5a\x5a" in b"".join(segments(d)):
            problems.append("payload is recorded")
        if sum(not payload.endswith(bytes([0, 0, 0, 1])) for payload in packets) != 3:
            problems.append(f"{len(packets)} packets: {[payload.hex() for payload in packets]}")
        if not any(b"notify INVALID_SPI 0x1db73bbb" in payload for payload in packets):
            problems.append("the notify is not told")
        return problems + (d.tail() if problems else [])


class Neighbour:
    """A second gateway in the namespace of the first: its state, its key, its socket."""

    def __init__(self, d, key, name="neighbour"):
        self.folder = os.path.join(d.folder, "neighbour")
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self.control, self.state = os.path.join(self.folder, "run", "control"), os.path.join(self.folder, "state")
        self.log, config = os.path.join(self.folder, "log"), os.path.join(self.folder, "conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"hostname {name}\nspimend\n user nobody\n state-directory {self.state}\n control-socket {self.control}\n"
                       f" sense interface in\n evidence after 5\n evidence peer 192.0.2.3 key-file {key}\n")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", d.space, os.path.join(d.build, "spimendd"), "-f", "-c", config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        d.others.append(self.process)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def key_file(d, name, text):
    path = os.path.join(d.folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    return path


IKE = bytes(range(1, 9)) + bytes(8) + bytes([33, 0x20, 34, 8]) + bytes(8)


def asked_of_a_neighbour(build, ours, theirs, has_our_name=False):
    """An incident between two ends of which one is a neighbour that runs spimend: (problems, evidence, what both said)."""
    with Told(build, "advise", more=()) as d:
        # One namespace for all: what goes to the spoke's address comes from it, as if the hub had another one.
        ip("-n", d.space, "route", "replace", "local", "192.0.2.3", "dev", "lo", "table", "local", "src", "192.0.2.3")
        key = key_file(d, "evidence-key", ours)
        with open(d.config, encoding="utf-8") as file:
            name = re.search(r"^hostname (\S+)", file.read(), re.M)
        other = Neighbour(d, key_file(d, "neighbour-key", theirs), name.group(1) if has_our_name else "neighbour")
        if not wait_for(lambda: "ready:" in other.text(), 15):
            return [f"the neighbour does not come up: {other.text()}"], [], ""
        time.sleep(1)
        for pair in (("192.0.2.3", "192.0.2.2"), ("192.0.2.2", "192.0.2.3"), ("192.0.2.9", "192.0.2.2"), ("192.0.2.3", "192.0.2.9")):
            send_ike(d, 500, IKE + b"\x5a" * 40, src=pair[0], dst=pair[1])
        with open(d.config, encoding="utf-8") as file:
            text = file.read()
        with open(d.config, "w", encoding="utf-8") as file:
            file.write(text.replace("spimend\n", f"spimend\n evidence after 5\n evidence port 7792\n evidence peer 192.0.2.3 key-file {key}\n",
                                    1))
        d.process.send_signal(1)
        time.sleep(1.5)
        d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        if not wait_for(lambda: [one for one in d.incidents() if one["verdict"] == "desync"], 60):
            return [f"no incident: {d.incidents()}", *d.tail()], [], ""
        ident = d.incidents()[0]["id"]

        def answered():
            lines = evidence(d, ident)[1]
            return lines if any(line.get("end") == "neighbour" or
                                any(word in (line.get("text") or "") for word in ("evidence of", "own record")) for line in lines) else None

        lines = wait_for(answered, 30) or evidence(d, ident)[1]
        said = d.text() + other.text()
        kept = b""
        for state in (d.state, other.state):
            for folder, _, names in os.walk(state):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        kept += file.read()
        other.stop()
        problems = []
        for key in (ours, theirs):
            if key in said or key.encode() in kept or bytes.fromhex(key) in kept:
                problems.append("a key is in a log or on disk")
        return problems, lines, said


def of_two_gateways(build):
    """The neighbour is asked, freezes, and hands over what is of the two ends; its clock's offset is estimated and told."""
    key = os.urandom(32).hex()
    problems, lines, said = asked_of_a_neighbour(build, key, key)
    theirs = [line for line in lines if line.get("end") == "neighbour"]
    packets = [line for line in theirs if line["kind"] == "packet"]
    clocks = [line for line in theirs if line["kind"] == "clock"]
    if {(line["src"], line["dst"]) for line in packets} != {("192.0.2.3", "192.0.2.2"), ("192.0.2.2", "192.0.2.3")}:
        problems.append(f"of the neighbour: {theirs}")
    if len(clocks) != 1 or abs(clocks[0]["offset"]) > clocks[0]["error"] or not 0 < clocks[0]["error"] < 500000000:
        problems.append(f"one machine has one clock: {clocks}")
    if {line["kind"] for line in theirs} - {"packet", "clock", "sighting"}:
        problems.append(f"more than it may: {theirs}")
    return problems + (said.splitlines()[-30:] if problems else [])


def of_a_stranger(build):
    """Another key: nothing is handed over, nothing breaks, and why is said in the evidence."""
    problems, lines, said = asked_of_a_neighbour(build, os.urandom(32).hex(), os.urandom(32).hex())
    if any(line.get("end") == "neighbour" for line in lines):
        problems.append(f"it got something: {lines}")
    if not any("the handshake failed" in (line.get("text") or "") for line in lines):
        problems.append(f"why is not said: {[line.get('text') for line in lines][-6:]}")
    return problems + (said.splitlines()[-30:] if problems else [])


def of_ourselves(build):
    """One key for both directions: an answer that is our own record, by host name and boot, is none of the peer's."""
    key = os.urandom(32).hex()
    problems, lines, said = asked_of_a_neighbour(build, key, key, has_our_name=True)
    if not any("this gateway's own record" in (line.get("text") or "") for line in lines):
        problems.append(f"it is not said: {[line.get('text') for line in lines][-6:]}")
    taken = [line for line in lines if line.get("error") is not None or line.get("end") == "192.0.2.3"]
    if taken:
        problems.append(f"it was taken for a peer's: {taken[:4]}")
    return problems + (said.splitlines()[-30:] if problems else [])


LISTEN = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind((sys.argv[1], 1163))\n"
          "while True: print(s.recv(4000).hex(), flush=True)")


def a_trap_to_the_other_end(build):
    """B19: an end that runs no spimend is told when the window is over; who is no end of the incident is not."""
    problems = []
    with Told(build, "advise") as d:
        heard = {}
        for address in ("192.0.2.1", "192.0.2.3"):
            heard[address] = open(os.path.join(d.folder, f"heard-{address}"), "w+", encoding="ascii")
            d.others.append(subprocess.Popen(["ip", "netns", "exec", d.space, "python3", "-c", LISTEN, address], stdout=heard[address],
                                             stderr=subprocess.DEVNULL))
        with open(d.config, encoding="utf-8") as file:
            text = file.read()
        hosts = "".join(f"snmp-server host {address} public udp-port 1163 event-manager\n" for address in heard)
        with open(d.config, "w", encoding="utf-8") as file:
            file.write(text.replace("spimend\n", "snmp-server enable traps event-manager\n" + hosts +
                                    "spimend\n evidence after 3\n evidence trap 2323232\n", 1))
        d.process.send_signal(1)
        time.sleep(1.5)
        d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        if not wait_for(lambda: [one for one in d.incidents() if one["verdict"] == "desync"], 60):
            return [f"no incident: {d.incidents()}", *d.tail()]

        def said(address):
            heard[address].seek(0)
            return heard[address].read().split()

        wait_for(lambda: said("192.0.2.3"), 30)
        ident = d.incidents()[0]["id"]
        if len(said("192.0.2.3")) != 1 or not all("0203237320" in one and ident.encode().hex() in one for one in said("192.0.2.3")):
            problems.append(f"the end heard {said('192.0.2.3')}")
        if said("192.0.2.1"):
            problems.append(f"who is no end heard {said('192.0.2.1')}")
        for file in heard.values():
            file.close()
        return problems + (d.tail() if problems else [])


def turned_off(build):
    problems = []
    with Daemon(build, "sense interface in", "no evidence recorder") as d:
        wait_for(lambda: "1 interface up" in d.page())
        send_strays(d, 5)
        time.sleep(1)
        if segments(d) or recorder(d)["on"] or "recorder   off" not in d.page():
            problems.append(f"{len(segments(d))} segments; {recorder(d)}")
        d.write()
        d.lines[-1] = "evidence recorder"
        d.write()
        d.process.send_signal(1)
        if not wait_for(lambda: recorder(d).get("works") and recorder(d)["on"]):
            problems.append(f"a reload does not turn it on: {recorder(d)}")
        return problems + (d.tail() if problems else [])


def what_is_typed(build):
    """A session's lines and their answers are events too, without what is secret in them."""
    problems = []
    with Daemon(build, "sense interface in") as d:
        d.spimend("-c", "show version")
        d.spimend("-c", "enable", "-c", "configure terminal", "-c", "snmp-server community s3cr3t ro", "-c", "end")
        d.stop()
        data = b"".join(segments(d))
        if b"show version" not in data or b"snmp-server community" not in data:
            problems.append("what was typed is not recorded")
        if b"s3cr3t" in data:
            problems.append("a community is in the ring")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("recorder: what was typed on two routers and what they printed is frozen", of_a_fleet),
    ("recorder: core killed in mid-write loses at most what was being written", killed_in_mid_write),
    ("recorder: a full disk stops it, says so once, and it goes on", a_full_disk),
    ("recorder: strangers do not empty it", strangers_do_not_empty_it),
    ("recorder: of packets their headers, and nothing behind them", heads_of_packets),
    ("recorder: a neighbour that runs spimend hands over its part", of_two_gateways),
    ("recorder: what is our own is not taken for a peer's", of_ourselves),
    ("recorder: a neighbour with another key gets nothing and gives nothing", of_a_stranger),
    ("recorder: an end without spimend gets a trap when the window is over", a_trap_to_the_other_end),
    ("recorder: it can be turned off and on", turned_off),
    ("recorder: what is typed is kept, what is secret is not", what_is_typed),
]
SANITIZED = [TESTS[1], TESTS[3], TESTS[4], TESTS[5], TESTS[9]]
