#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The packet sensor on real frames: two network namespaces and a veth pair, the packet socket and generic XDP, the root half
and an unprivileged half (tests/netns/sensor.c). Needs root; skips visibly without."""
import ctypes
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from suite import ROOT, Suite, build_check, run  # noqa: E402

OUT, IN = f"spkA{os.getpid()}", f"spkB{os.getpid()}"
MAC_OUT, MAC_IN = "02:00:00:00:00:01", "02:00:00:00:00:02"
PEER, STRANGER, US, PEER6, US6 = "10.77.0.1", "192.0.2.66", "10.77.0.2", "fd77::1", "fd77::2"
BUILT = os.environ.get("SPIMEND_NETNS_BUILD")  # a build folder of one's own, up to date
PROGRAM = os.path.join(ROOT, BUILT or "build-check", "tests/netns/netns_sensor")
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Wire:
    """The two namespaces; frames go in at OUT's end."""
    def __enter__(self):
        self.made = []
        try:
            for name in (OUT, IN):
                self.ip("netns", "add", name)
                self.made.append(name)
            self.ip("link", "add", "out", "address", MAC_OUT, "netns", OUT, "type", "veth",
                    "peer", "name", "in", "address", MAC_IN, "netns", IN)
            for name, link, four, six in ((OUT, "out", PEER, PEER6), (IN, "in", US, US6)):
                # An IPv6 address would be gone with the link, and then no packet to it is for us.
                run(["ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv6.conf.{link}.keep_addr_on_down=1"])
                self.ip("-n", name, "addr", "add", four + "/24", "dev", link)
                self.ip("-n", name, "addr", "add", six + "/64", "dev", link, "nodad")
                self.ip("-n", name, "link", "set", "lo", "up")
            self.up()
            self.socket = self.socket_in(OUT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.made:
            run(["ip", "netns", "del", name])

    @staticmethod
    def ip(*words):
        result = run(["ip", *words])
        if result.status:
            raise RuntimeError(f"ip {' '.join(words)}: {result.tail()}")

    def up(self):
        self.ip("-n", OUT, "link", "set", "out", "up")
        self.ip("-n", IN, "link", "set", "in", "up")
        for _ in range(100):  # a veth that was just set up may drop what comes in the same instant
            if b"LOWER_UP" in run(["ip", "-n", IN, "link", "show", "dev", "in", "up"]).out:
                return
            time.sleep(0.02)

    def down(self):
        self.ip("-n", IN, "link", "set", "in", "down")

    @staticmethod
    def socket_in(name):
        """A packet socket stays in the namespace that it was made in."""
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{name}") as there:
            if LIBC.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                made.bind(("out", 0))
            finally:
                LIBC.setns(home.fileno(), CLONE_NEWNET)
        return made

    def send(self, *frames):
        for frame in frames:
            self.socket.send(frame)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(body, kind, tags=(), to=MAC_IN, pad=True):
    frame = mac(to) + mac(MAC_OUT)
    for protocol, number in tags:
        frame += struct.pack("!HH", protocol, number)
    frame += struct.pack("!H", kind) + body
    return frame.ljust(60, b"\0") if pad else frame


def ipv4(body, protocol=50, src=PEER, dst=US, options=b"", fragment=0, **link):
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 1, fragment, 64, protocol, 0,
                         socket.inet_aton(src), socket.inet_aton(dst)) + options
    total = 0
    for word, in struct.iter_unpack("!H", header):
        total += word
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ethernet(header[:10] + struct.pack("!H", ~total & 0xffff) + header[12:] + body, 0x0800, **link)


def ipv6(body, following=50, src=PEER6, dst=US6, **link):
    return ethernet(struct.pack("!IHBB16s16s", 6 << 28, len(body), following, 64, socket.inet_pton(socket.AF_INET6, src),
                                socket.inet_pton(socket.AF_INET6, dst)) + body, 0x86dd, **link)


def esp(spi, sequence=1):
    return struct.pack("!II", spi, sequence) + b"\xaa" * 24


def ah(spi, sequence=1):
    return struct.pack("!BBHII", 6, 4, 0, spi, sequence) + b"\xbb" * 12


def udp(body, port=4500, source=4500):
    return struct.pack("!HHHH", source, port, 8 + len(body), 0) + body


class Sensor:
    def __init__(self, way, how="", interface="in"):
        self.lines, self.buffer = [], b""
        self.child = subprocess.Popen(["ip", "netns", "exec", IN, PROGRAM, way, interface], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
        self.refused = self.line()
        ready = self.line()
        if ready != "ready ok":
            raise RuntimeError(ready)
        self.refusal = self.ask("open " + how, fails=True)

    def line(self, seconds=20):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if not select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("the sensor does not answer")
            got = os.read(self.child.stdout.fileno(), 65536)
            if not got:
                raise RuntimeError("the sensor ended: " + self.buffer.decode("utf-8", "replace"))
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def ask(self, command, fails=False):
        """Returns the lines that it told until its answer, each as a word and its values."""
        self.child.stdin.write(command.encode() + b"\n")
        self.child.stdin.flush()
        told = []
        while True:
            line = self.line()
            if line == "done":
                return told
            if line.startswith("error"):
                if fails:
                    return line
                raise RuntimeError(f"{command}: {line}")
            told.append((line.split()[0], dict(re.findall(r"(\w+)=(\S+)", line))))

    def sightings(self, ms=150):
        return [values for word, values in self.ask(f"wait {ms}") if word == "sighting"]

    def count(self, dst, protocol, spi):
        return self.ask(f"count {dst} {protocol} {spi:#x}")[0][1]

    def state(self):
        self.ask("walk")
        return {key: int(value) for key, value in self.ask("state")[0][1].items()}

    def close(self):
        self.child.stdin.close()
        try:
            status = self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            status = self.child.wait()
        rest = self.buffer + self.child.stdout.read()
        self.child.stdout.close()
        return rest.decode("utf-8", "replace") if status or b"ERROR" in rest else ""


def differences(got, **want):
    return [f"{key} is {got.get(key)}, not {value}" for key, value in want.items() if got.get(key) != str(value)]


def one(sightings, **want):
    """Problems, unless there is exactly one sighting, with these values."""
    if len(sightings) != 1:
        return [f"{len(sightings)} sightings, not 1: {sightings}"]
    return differences(sightings[0], order=1, valid=1, **want)


def check_known(wire, sensor):
    sensor.ask(f"live {US} 50 0xc0000001")
    sensor.ask(f"live {US6} 50 0xc0000002")
    wire.send(*[ipv4(esp(0xc0000001, n)) for n in (5, 7, 6)], ipv6(esp(0xc0000002, 9)), ipv4(udp(esp(0xc0000001, 8)), 17))
    problems = [f"told: {s}" for s in sensor.sightings()]
    problems += differences(sensor.count(US, 50, 0xc0000001), packets=4, highest=8, udp=1, seen=1, valid=1)
    problems += differences(sensor.count(US6, 50, 0xc0000002), packets=1, highest=9, udp=0)
    return problems


def check_dead(wire, sensor):
    sensor.ask(f"dead {US} 50 0xd0000001 1000")
    wire.send(*[ipv4(esp(0xd0000001, n)) for n in (20, 21, 22)])
    problems = one(sensor.sightings(), ledger=1, spi="0xd0000001", packets=3, first=20, last=22, highest=22, src=PEER, dst=US,
                   protocol=50, udp=0, interface="in")
    return problems + differences(sensor.count(US, 50, 0xd0000001), packets=3, highest=1000)


def check_state_change(wire, sensor):
    sensor.ask(f"live {US} 50 0xe0000001")
    wire.send(*[ipv4(esp(0xe0000001, n)) for n in range(1, 5)])
    problems = [f"told while live: {s}" for s in sensor.sightings()]
    sensor.ask(f"dead {US} 50 0xe0000001")
    wire.send(ipv4(esp(0xe0000001, 5)))
    problems += one(sensor.sightings(), ledger=1, packets=1)
    problems += differences(sensor.count(US, 50, 0xe0000001), packets=5, highest=5)
    sensor.ask("restart")
    if sensor.child.poll() is None and "xdp" not in sensor.child.args:
        sensor.ask("open")
    problems += differences(sensor.count(US, 50, 0xe0000001), packets=5, highest=5)
    sensor.ask(f"forget {US} 50 0xe0000001")
    wire.send(ipv4(esp(0xe0000001, 6)))
    return problems + one(sensor.sightings(), ledger=0, packets=1)


def check_anew(wire, sensor):
    """Of what was live, only what is told again stays so; counts go on, and are told again."""
    for spi in (0xe1000001, 0xe1000002):
        sensor.ask(f"live {US} 50 {spi:#x}")
        wire.send(ipv4(esp(spi, 1)))
    problems = [f"told while live: {s}" for s in sensor.sightings()]
    sensor.ask("walk")
    sensor.ask("anew 10000")
    told = [values["spi"] for word, values in sensor.ask("walk") if word == "count"]
    problems += [f"{spi} not told again" for spi in ("0xe1000001", "0xe1000002") if spi not in told]
    wire.send(ipv4(esp(0xe1000002, 2)))
    problems += [f"told within the grace: {s}" for s in sensor.sightings()]
    sensor.ask("anew 0")
    sensor.ask(f"live {US} 50 0xe1000001")
    sensor.ask("walk")
    wire.send(ipv4(esp(0xe1000001, 3)), ipv4(esp(0xe1000002, 4)))
    problems += one(sensor.sightings(), spi="0xe1000002", ledger=0, packets=1)
    return problems + differences(sensor.count(US, 50, 0xe1000001), packets=2, highest=3)


def unknown(name, wire, sensor, frame, **want):
    wire.send(frame)
    return [f"{name}: {p}" for p in one(sensor.sightings(100), ledger=0, packets=1, **want)]


def check_shapes(wire, sensor):
    """Each way that an unknown SPI may arrive in, a different SPI each."""
    six = struct.pack("!BBH4x", 60, 0, 0)  # hop-by-hop, then destination options, routing, first fragment
    six += struct.pack("!BBH4x", 43, 0, 0) + struct.pack("!BBH4x", 44, 0, 0) + struct.pack("!BBHI", 50, 0, 1, 7)
    shapes = [
        ("plain", ipv4(esp(0x11, 9)), dict(spi="0x00000011", src=PEER, dst=US, first=9, udp=0, ports="0:0", interface="in")),
        ("options", ipv4(esp(0x12), options=b"\x94\x04\0\0"), dict(spi="0x00000012")),
        ("first fragment", ipv4(esp(0x13), fragment=0x2000), dict(spi="0x00000013")),
        ("AH", ipv4(ah(0x14, 3), 51), dict(spi="0x00000014", protocol=51, first=3)),
        ("UDP", ipv4(udp(esp(0x15), 4500, 61000), 17), dict(spi="0x00000015", udp=1, ports="61000:4500", protocol=50)),
        ("UDP, configured port", ipv4(udp(esp(0x16), 4510), 17), dict(spi="0x00000016", ports="4500:4510")),
        ("SPI 0xff000001 in UDP", ipv4(udp(esp(0xff000001)), 17), dict(spi="0xff000001", udp=1)),
        ("IPv6", ipv6(esp(0x18)), dict(spi="0x00000018", src=PEER6, dst=US6)),
        ("IPv6 extension headers", ipv6(six + esp(0x19), 0), dict(spi="0x00000019")),
        ("IPv6 UDP", ipv6(udp(esp(0x1a)), 17), dict(spi="0x0000001a", udp=1)),
        ("IPv6 AH", ipv6(ah(0x1b), 51), dict(spi="0x0000001b", protocol=51)),
        ("VLAN", ipv4(esp(0x1c), tags=[(0x8100, 10)]), dict(spi="0x0000001c")),
        ("QinQ", ipv6(esp(0x1d), tags=[(0x88a8, 10), (0x8100, 20)]), dict(spi="0x0000001d")),
        ("QinQ, UDP", ipv4(udp(esp(0x1e)), 17, tags=[(0x8100, 10), (0x8100, 20)]), dict(spi="0x0000001e", udp=1)),
    ]
    problems = []
    for name, frame, want in shapes:
        problems += unknown(name, wire, sensor, frame, **want)
    return problems


def check_silence(wire, sensor):
    """What must not be told, among it the traps."""
    wire.send(
        ipv4(udp(b"\xff"), 17),                                     # keepalive, padded to 60 bytes (B9)
        ipv4(udp(b"\xff", 4510), 17),
        ipv6(udp(b"\xff"), 17),
        ipv4(udp(b"\0\0\0\0" + b"\x11" * 40), 17),                  # IKE
        ipv4(udp(b"\x11" * 40, 500), 17),
        ipv4(udp(esp(0x21), 4501), 17),
        ipv4(udp(esp(0x21), 61000, 4500), 17),                      # from 4500, not to it
        ipv4(b"\xaa" * 40, fragment=100),                           # later fragment of ESP
        ipv4(udp(esp(0x22)), 17, fragment=100),
        ipv4(b"\x12\x34\x56\x78", 50),                              # too short for a sequence number, padded
        ipv4(b"\x11" * 40, 6), ipv6(b"\x11" * 40, 58),
        ipv6(struct.pack("!BBHI", 50, 0, 8, 7) + esp(0x23), 44),    # later fragment
        ethernet(b"\x11" * 40, 0x0806), ethernet(b"", 0x0800), ethernet(b"\x45", 0x0800, pad=False),
        ipv4(esp(0x24), dst="10.77.0.99"), ipv6(esp(0x25), dst="fd77::99"))  # on the way to others
    if "xdp" not in sensor.child.args:
        wire.send(ipv4(esp(0x26), to="02:00:00:00:00:99"))          # another machine's frame
    return [f"told: {s}" for s in sensor.sightings()]


def check_limits(wire, sensor):
    """A stranger's flood is sampled; a peer's and the ledger's packets come through in its midst."""
    sensor.ask(f"dead {US} 50 0xd1000001")
    sensor.ask(f"peer {PEER}")
    before = sensor.state()
    strange = [ipv4(esp(0x70000000 + n), src=STRANGER) for n in range(400)]
    wire.send(*strange[:200], ipv4(esp(0xd1000001, 1)), ipv4(esp(0x31, 1)), *strange[200:], ipv4(esp(0xd1000001, 2)))
    sightings = sensor.sightings(250)
    after = sensor.state()
    told = sum(int(s["packets"]) for s in sightings if s["src"] == STRANGER)
    problems = [] if 1 <= told <= 100 else [f"{told} packets of the stranger told, of 400 at 40 a second"]
    problems += one([s for s in sightings if s["spi"] == "0xd1000001"], packets=2, ledger=1, src=PEER)
    problems += one([s for s in sightings if s["spi"] == "0x00000031"], packets=1, ledger=0)
    rise = {key: after[key] - before[key] for key in after}
    for key, want in (("strays", 403), ("esp", 403), ("sampled", 400 - told), ("lost", 0), ("flows_dropped", 0)):
        if rise[key] != want:
            problems.append(f"{key} rose by {rise[key]}, not {want}")
    return problems


def check_flood(wire, sensor):
    """100,000 forged packets; the ledger's stray in between is told and counted exactly."""
    sensor.ask(f"dead {US} 50 0xd2000001")
    before = sensor.state()
    flood = subprocess.Popen(["ip", "netns", "exec", OUT, PROGRAM, "flood", "out", MAC_IN, PEER, US, "100000"])
    sent, heard = 0, []
    while flood.poll() is None or sent < 20:
        sent += 1
        wire.send(ipv4(esp(0xd2000001, sent)))
        heard += [s for s in sensor.sightings(10) if s["spi"] == "0xd2000001"]
    heard += [s for s in sensor.sightings(200) if s["spi"] == "0xd2000001"]
    after = sensor.state()
    problems = differences(sensor.count(US, 50, 0xd2000001), packets=sent, highest=sent)
    if flood.returncode:
        problems.append(f"the flood ended with {flood.returncode}")
    told = sum(int(s["packets"]) for s in heard)
    if not min(sent, 64) <= told <= sent:
        problems.append(f"{told} of {sent} told")
    if after["lost"] != before["lost"]:
        problems.append(f"the ring lost {after['lost'] - before['lost']}")
    if after["strays"] - before["strays"] != 100000 + sent:
        problems.append(f"{after['strays'] - before['strays']} counted of {100000 + sent}")
    return problems


def check_full(wire, sensor):
    sensor.ask("forget-all")
    for n in range(64):
        sensor.ask(f"live {US} 50 {0x1000 + n:#x}")
    problems = []
    if sensor.ask(f"live {US} 50 0x2000", fails=True) != "error No space left on device":
        problems.append("the 65th SPI of 64 was taken")
    sensor.ask(f"forget {US} 50 0x1000")
    sensor.ask(f"dead {US} 50 0x2000")
    wire.send(ipv4(esp(0x2000, 4)))
    problems += one(sensor.sightings(), ledger=1)
    problems += differences(sensor.count(US, 50, 0x2000), packets=1, highest=4)
    sensor.ask("forget-all")
    return problems


def check_lost(wire, sensor):
    """An interface that goes down is told, and heard again when it was opened again."""
    wire.down()
    told = sensor.ask("wait 200")
    problems = [] if any(word == "lost" and values["interface"] == "in" for word, values in told) else [f"told {told}"]
    problems += [] if sensor.state()["down"] == 1 else ["not counted as down"]
    if sensor.ask("open", fails=True) != "error Network is down":
        problems.append("opened while it is down")
    wire.up()
    sensor.ask("open")
    problems += unknown("again", wire, sensor, ipv4(esp(0x51)), spi="0x00000051")
    return problems


CHECKS = {
    "known SPIs are counted and not told": check_known,
    "a dead SPI is told": check_dead,
    "counts survive a change of state and a restart of the sensor": check_state_change,
    "what is not told again after a new start is forgotten": check_anew,
    "an unknown SPI is told in each shape": check_shapes,
    "what is no ESP for us is not told": check_silence,
    "a stranger's flood is sampled, others come through": check_limits,
    "no stray of the ledger is lost in a flood": check_flood,
    "a full map says so, and its slots are used again": check_full,
}
SOCKET_CHECKS = {"an interface goes down and returns": check_lost}


def check_way(suite, wire, way, how, checks):
    name = f"{way} {how}".strip()
    try:
        sensor = Sensor(way, how)
    except RuntimeError as error:
        suite.fail(f"{name}: starts", str(error))
        return
    suite.judge(f"{name}: hears without any privilege",
                [] if sensor.refused == "unprivileged refused=1" and not sensor.refusal else [sensor.refused, str(sensor.refusal)])
    try:
        for test, check in checks.items():
            # Other packets than ours (neighbour discovery) never carry ESP; wait for what the last check left.
            sensor.sightings(30)
            suite.judge(f"{name}: {test}", check(wire, sensor))
    except (RuntimeError, OSError) as error:
        suite.fail(f"{name}: {test}", str(error))
    suite.judge(f"{name}: ends cleanly", sensor.close().splitlines()[:40])


def check_refusals():
    """XDP reads Ethernet: elsewhere it is refused, and a packet socket hears what there is."""
    problems = []
    for way, want in (("xdp", "error Operation not supported"), ("packet", [])):
        sensor = Sensor(way, interface="lo")
        if sensor.refusal != want:
            problems.append(f"{way} on the loopback: {sensor.refusal}")
        problems += sensor.close().splitlines()[:40]
    again = Sensor("xdp"), Sensor("xdp")
    if again[1].refusal != "error Device or resource busy":
        problems.append(f"a second program on one interface: {again[1].refusal}")
    for sensor in again:
        problems += sensor.close().splitlines()[:40]
    return problems


def main():
    suite = Suite("netns")
    for why, lacks in (("needs root", os.geteuid() != 0), ("ip is not installed", not shutil.which("ip"))):
        if lacks:
            suite.skip("the packet sensor on real frames", why)
            return suite.close()
    built = None if BUILT else build_check("tests/netns/netns_sensor")
    if built and built.status:
        suite.fail("build", built.tail(60))
        return suite.close()
    with Wire() as wire:
        check_way(suite, wire, "packet", "", {**CHECKS, **SOCKET_CHECKS})
        check_way(suite, wire, "xdp", "", CHECKS)
        check_way(suite, wire, "xdp", "native", {key: CHECKS[key] for key in list(CHECKS)[:2]})
        suite.judge("XDP is refused where it cannot be", check_refusals())
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
