# SPDX-License-Identifier: MIT
"""Captures, held against tshark and capinfos where they are installed: each scene of tests/packet_files.py, all shapes of
packets in each format, and a real capture made here, where that can be.

tshark must count the same packets of each SPI, and the same IKE messages; capinfos the same packets and times. That also
shows that what tests/packet_files.py writes are the formats they are called."""
import collections
import datetime
import json
import os
import re
import shutil
import sys
import tempfile

from suite import ROOT, run as execute

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests"))
import packet_files as capture  # noqa: E402

# As spimend: a first fragment is a packet of its own.
TSHARK = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]


def seen_by_tshark(path):
    """({(source, destination, protocol, SPI): packets}, IKE messages) of a capture."""
    fields = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "esp.spi", "ah.spi", "isakmp.exchangetype", "esp.sequence"]
    told = execute(TSHARK + ["-r", path, "-T", "fields", "-E", "separator=|"] + [arg for f in fields for arg in ("-e", f)],
                   timeout=60)
    flows, ike = collections.Counter(), 0
    for line in told.out.decode().splitlines():
        source4, source6, target4, target6, esp, ah, exchange, sequence = line.split("|")
        ike += bool(exchange)
        if ah or esp and sequence:  # ESP that is cut before its sequence number is none for spimend
            # Of tunnelled packets the innermost addresses count, which are of the one family that has the SPI behind it.
            pair = (source6, target6) if source6 else (source4.split(",")[-1], target4.split(",")[-1])
            flows[(*pair, "ah" if ah else "esp", int(ah or esp, 16))] += 1
    return flows, ike


def seen_by_spimend(spimend, path):
    """The same, and the summary."""
    told = execute([spimend, "analyze", "--json", path], timeout=60)
    if told.status not in (0, 1) or told.err:
        raise RuntimeError(f"exit status {told.status}: {told.tail()}")
    summary = json.loads(told.out.decode().splitlines()[-1])["capture"]
    flows = collections.Counter()
    for flow in summary["flows"]:
        flows[(flow["src"], flow["dst"], flow["proto"], int(flow["spi"], 16))] += flow["packets"]
    return flows, summary["ike"], summary


def compare(spimend, path):
    problems = []
    flows, ike, summary = seen_by_spimend(spimend, path)
    want, want_ike = seen_by_tshark(path)
    if flows != want:
        problems += [f"{key}: {flows[key]} packets, tshark counts {want[key]}" for key in sorted(set(flows) | set(want), key=str)
                     if flows[key] != want[key]]
    if ike != want_ike:
        problems.append(f"{ike} IKE messages, tshark counts {want_ike}")
    if not flows:
        problems.append("no flow at all")
    info = execute(["capinfos", "-T", "-r", "-c", "-a", "-e", "-S", path], timeout=60).out.decode().split("\t")
    if int(info[1]) != summary["packets"]:
        problems.append(f"{summary['packets']} packets, capinfos counts {info[1]}")
    times = [re.sub(r"\..*", "", t) for t in info[2:4]]
    for key, told in (("first_packet", times[0]), ("last_packet", times[1])):
        ours = summary[key]
        if ours is None and told.strip() in ("n/a", "0", "4294967295"):
            continue
        at = datetime.datetime.fromtimestamp(int(told), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        if ours is None or not ours.startswith(at):
            problems.append(f"{key} {ours}, capinfos says {at}")
    return problems


def against_tshark(suite, spimend, scratch):
    for scene in capture.SCENES:
        for name, make in capture.FORMATS.items():
            if name != "pcapng" and scene != "shapes":  # tshark takes its time
                continue
            path = os.path.join(scratch, f"{scene}.{name}")
            with open(path, "wb") as to:
                to.write(make(*capture.SCENES[scene]()))
            problems = compare(spimend, path)
            suite.judge(f"captures: {scene} as {name} has what tshark and capinfos see", problems)


def many_pieces(suite, spimend, scratch):
    """A file larger than the windows in which it is mapped, through a pipe and from disk: the same is told."""
    packets = capture.in_time(*(capture.stream(capture.SPOKE, capture.HUB, 0xc0000000 + n, 0, 60, 0.01, 1000 + n)
                                for n in range(14)))
    problems = []
    for name, make in (("pcap", capture.pcap), ("pcapng", capture.pcapng)):
        path = os.path.join(scratch, f"large.{name}")
        with open(path, "wb") as to:
            to.write(make(packets))
        if os.path.getsize(path) < 9 << 20:
            problems.append(f"{name}: {os.path.getsize(path)} bytes are not mapped in several windows")
        mapped = execute([spimend, "analyze", "--json", path], timeout=60)
        piped = execute(["sh", "-c", 'cat "$1" | "$0" analyze --json -', spimend, path], timeout=60)
        if mapped.out.replace(path.encode(), b"-") != piped.out or mapped.status != piped.status:
            problems.append(f"{name}: mapped and piped differ")
        if json.loads(mapped.out.decode().splitlines()[-1])["capture"]["packets"] != len(packets):
            problems.append(f"{name}: not all {len(packets)} packets were read")
    suite.judge("captures: a large file, mapped and through a pipe", problems)


def real_one(suite, spimend, scratch):
    """ESP in UDP sent by the kernel over loopback in a namespace of its own, captured by tcpdump on `lo` and on `any`."""
    test = "captures: tcpdump's own, of real packets"
    if os.geteuid() != 0 or not all(map(shutil.which, ("tcpdump", "ip", "unshare", "tshark"))):
        suite.skip(test, "needs root (tcpdump gives up its rights, which a user's namespace refuses), ip, unshare and tshark")
        return
    script = r"""
ip link set lo up
tcpdump -Z root -q -U -i lo -w - udp >"$1/lo.pcap" 2>"$1/log" & A=$!
tcpdump -Z root -q -U -i any -y LINUX_SLL2 -w - udp >"$1/any.pcap" 2>>"$1/log" & B=$!
for i in $(seq 100); do [ "$(grep -c 'listening on' "$1/log")" = 2 ] && break; sleep 0.1; done
python3 - <<END
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 4500))
for n in range(40):
    s.sendto(struct.pack(">II", 0xc0ffee01, n + 500) + bytes(60), ("127.0.0.2", 4500))
END
for i in $(seq 50); do [ "$(tcpdump -r "$1/lo.pcap" 2>/dev/null | wc -l)" -ge 40 ] && break; sleep 0.1; done
sleep 0.3
kill $A $B; wait
"""
    made = execute(["unshare", "--net", "sh", "-c", script, "sh", scratch], timeout=60)
    problems = []
    for name in ("lo.pcap", "any.pcap"):
        path = os.path.join(scratch, name)
        if not os.path.exists(path):
            problems.append(f"{name}: not captured: {made.tail()}")
            continue
        flows, _, summary = seen_by_spimend(spimend, path)
        want, _ = seen_by_tshark(path)
        key = ("127.0.0.1", "127.0.0.2", "esp", 0xc0ffee01)
        if flows != want or flows[key] < 40:
            problems.append(f"{name}: {dict(flows)}, tshark sees {dict(want)}")
    suite.judge(test, problems)


def run(suite, spimend):
    with tempfile.TemporaryDirectory(prefix="captures-") as scratch:
        many_pieces(suite, spimend, scratch)
        if shutil.which("tshark") and shutil.which("capinfos"):
            against_tshark(suite, spimend, scratch)
        else:
            suite.skip("captures: what tshark and capinfos see", "they are not installed")
        real_one(suite, spimend, scratch)
