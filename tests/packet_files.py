#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Capture files for tests: packets by hand, pcap and pcapng in every variant that is read, and scenes of a gateway.

    packet_files.py SCENE [FORMAT]   writes a scene to standard output; FORMAT: pcap (default), pcap-big, pcap-nano, pcapng,
                                     pcapng-big, pcapng-simple, pcapng-old, pcapng-binary
    packet_files.py --list           the scenes

Nothing here knows how spimend reads: the formats are written after their drafts, and tests/transcript/captures.py shows the
files to capinfos and tshark too.
"""
import ipaddress
import struct
import sys

HUB, SPOKE, OTHER, STRANGER = "192.0.2.1", "203.0.113.9", "203.0.113.20", "198.51.100.66"
HUB6, SPOKE6 = "2001:db8::1", "2001:db8:9::9"
START = 1767225600.0  # 2026-01-01 00:00:00 UTC
ETHERNET, RAW, RAW12, RAW14, IPV4, IPV6, COOKED, COOKED2 = 1, 101, 12, 14, 228, 229, 113, 276


# ---- packets ----

def esp(spi, sequence, size=64):
    return struct.pack(">II", spi, sequence) + bytes(size)


def ah(spi, sequence):
    return struct.pack(">BBHII", 6, 4, 0, spi, sequence) + bytes(12) + bytes(40)


def udp(source, target, data, length=None):
    return struct.pack(">HHHH", source, target, length or 8 + len(data), 0) + data


def ip(source, target, protocol, data, fragment=0, options=b""):
    """IPv4 or IPv6 by the addresses."""
    source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if source.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + source.packed + target.packed + data
    words = 5 + len(options) // 4
    return struct.pack(">BBHHHBBH", 4 << 4 | words, 0, words * 4 + len(data), 1, fragment, 64, protocol, 0) \
        + source.packed + target.packed + options + data


def ether(network, kind=None, tags=()):
    kind = kind or (0x86dd if network[0] >> 4 == 6 else 0x0800)
    return bytes.fromhex("020000000002020000000001") + b"".join(struct.pack(">HH", *tag) for tag in tags) \
        + struct.pack(">H", kind) + network


def cooked(network, version):
    kind = 0x86dd if network[0] >> 4 == 6 else 0x0800
    if version == 1:
        return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + network
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, bytes(8)) + network


def gre(network, key=None):
    kind = 0x86dd if network[0] >> 4 == 6 else 0x0800
    return struct.pack(">HH", 0x2000 if key is not None else 0, kind) + (struct.pack(">I", key) if key is not None else b"") \
        + network


def ike(exchange, version=2, flags=0x08, first=46, body=b"\0" * 32, message=0, spis=(1, 2)):
    return struct.pack(">QQBBBBII", *spis, first, version << 4, exchange, flags, message, 28 + len(body)) + body


def notify2(spi, kind=11, size=0, protocol=3):
    """An IKEv2 notify payload, last of its message."""
    return struct.pack(">BBHBBH", 0, 0, 12, protocol, size, kind) + struct.pack(">I", spi)


def notify1(spi, kind=11):
    return struct.pack(">BBHIBBH", 0, 0, 16, 1, 3, 4, kind) + struct.pack(">I", spi)


# ---- files ----

class Packet:
    def __init__(self, at, data, cut=None, link=0):
        self.at, self.data, self.length, self.link = at, data[:cut], len(data), link


def pcap(packets, link=ETHERNET, order="<", nano=False, snap=65535):
    unit = 1000000000 if nano else 1000000
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snap, link)]
    for p in packets:
        ticks = round(p.at * unit)
        out.append(struct.pack(order + "IIII", ticks // unit, ticks % unit, len(p.data), p.length) + p.data)
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order="<"):
    return block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(order="<", link=ETHERNET, resolution=None, offset=None, snap=0):
    options = b""
    if resolution is not None:
        options += option(order, 9, bytes([resolution]))
    if offset is not None:
        options += option(order, 14, struct.pack(order + "q", offset))
    if options:
        options += struct.pack(order + "HH", 0, 0)
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def enhanced(p, order="<", unit=1000000, offset=0, options=b""):
    ticks = round((p.at - offset) * unit)
    body = struct.pack(order + "IIIII", p.link, ticks >> 32, ticks & 0xffffffff, len(p.data), p.length)
    return block(order, 6, body + p.data + bytes(-len(p.data) % 4) + options)


def old(p, order="<", unit=1000000):
    ticks = round(p.at * unit)
    return block(order, 2, struct.pack(order + "HHIIII", p.link, 0, ticks >> 32, ticks & 0xffffffff, len(p.data), p.length)
                 + p.data)


def simple(p, order="<"):
    return block(order, 3, struct.pack(order + "I", p.length) + p.data)


def pcapng(packets, link=ETHERNET, order="<", how="enhanced"):
    noise = block(order, 5, struct.pack(order + "III", 0, 0, 0)) + block(order, 10, b"TLSK" + bytes(20))  # statistics, secrets
    if how == "simple":
        return section(order) + interface(order, link) + noise + b"".join(simple(p, order) for p in packets
                                                                               if len(p.data) == p.length)
    if how == "old":
        return section(order) + interface(order, link) + b"".join(old(p, order) for p in packets)
    if how == "binary":  # 2^-20 s since an hour before
        offset = round(START) - 3600
        return section(order) + interface(order, link, 0x80 | 20, offset) \
            + b"".join(enhanced(p, order, 1 << 20, offset) for p in packets)
    return section(order) + interface(order, link, 9) + noise \
        + b"".join(enhanced(p, order, 1000000000, options=option(order, 1, b"a comment")) for p in packets)


FORMATS = {
    "pcap": lambda packets, link: pcap(packets, link),
    "pcap-big": lambda packets, link: pcap(packets, link, ">"),
    "pcap-nano": lambda packets, link: pcap(packets, link, "<", True),
    "pcap-nano-big": lambda packets, link: pcap(packets, link, ">", True),
    "pcapng": lambda packets, link: pcapng(packets, link),
    "pcapng-big": lambda packets, link: pcapng(packets, link, ">"),
    "pcapng-simple": lambda packets, link: pcapng(packets, link, "<", "simple"),
    "pcapng-old": lambda packets, link: pcapng(packets, link, "<", "old"),
    "pcapng-binary": lambda packets, link: pcapng(packets, link, "<", "binary"),
}


# ---- scenes: (packets, link type) ----

def stream(source, target, spi, first, last, every=1.0, sequence=1000, wrap=None):
    """ESP of one SA from the second `first` to `last` of the capture."""
    packets, at = [], first
    while at <= last + 1e-9:
        data = esp(spi, sequence)
        data = ip(source, target, 17, udp(4500, 4500, data)) if wrap == "udp" else ip(source, target, 50, data)
        packets.append(Packet(START + at, ether(data)))
        sequence += 1
        at += every
    return packets


def in_time(*streams):
    return sorted((p for one in streams for p in one), key=lambda p: p.at)


def back(spi, first, last, every=1.0, target=SPOKE):
    return stream(HUB, target, spi, first, last, every, 5000)


def desync():
    """The hub has 0xc0000002 from the spoke; the spoke sends on 0xdead0001."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 40, 0.5, 77000), stream(OTHER, HUB, 0xc0000020, 0, 40, 1, 90),
                   back(0xa0000002, 0, 40), back(0xa0000020, 0, 40, 1, OTHER)), ETHERNET


def rekey():
    """The spoke goes over to a new SA, which the table has, at second 10; the last of the old come 1 s later."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 11, 0.5, 77000), stream(SPOKE, HUB, 0xc0000002, 10, 40, 0.5, 1),
                   back(0xa0000002, 0, 40)), ETHERNET


def late_rekey():
    """The same, a second before the capture ends: it proves nothing."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 39.5, 0.5, 77000), stream(SPOKE, HUB, 0xc0000002, 39, 40, 0.25, 1),
                   back(0xa0000002, 0, 40)), ETHERNET


def kept():
    """The spoke begins with the new SA at second 10 and goes on with the old one."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 40, 0.5, 77000), stream(SPOKE, HUB, 0xc0000002, 10, 40, 0.5, 1),
                   back(0xa0000002, 0, 40)), ETHERNET


def newborn():
    """An SA that begins within the capture, and that the table does not have."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 20, 40, 0.5, 1), stream(SPOKE, HUB, 0xc0000002, 0, 40, 1, 300),
                   back(0xa0000002, 0, 40)), ETHERNET


def newborn_before():
    """The same, but the table has one that took over from another later: it is younger, and its silence counts."""
    packets, link = newborn()
    return in_time(packets, stream(OTHER, HUB, 0xdead0020, 0, 35, 0.5, 900), stream(OTHER, HUB, 0xc0000020, 35, 45, 0.5, 1),
                   stream(SPOKE, HUB, 0xdead0001, 40.5, 45, 0.5, 42)), link


def early():
    """A few packets on an SA that begins and ends at once."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 20, 21, 0.25, 1), stream(SPOKE, HUB, 0xc0000002, 0, 40, 1, 300),
                   back(0xa0000002, 0, 40)), ETHERNET


def few():
    """Two strays at the end, and two of another SPI long before it."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 39, 39.5, 0.5, 77000), stream(SPOKE, HUB, 0xdead0002, 1, 1.1, 0.1, 5000),
                   stream(SPOKE, HUB, 0xc0000002, 0, 40, 1, 300), back(0xa0000002, 0, 40)), ETHERNET


def replayed():
    """One packet, again and again."""
    same = ether(ip(SPOKE, HUB, 50, esp(0xdead0001, 4711)))
    return in_time([Packet(START + n, same) for n in range(40)], stream(SPOKE, HUB, 0xc0000002, 0, 40, 1, 300),
                   back(0xa0000002, 0, 40)), ETHERNET


def ended():
    """It ended 10 s before the capture, and nothing took over: an SA that was deleted looks like that too."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 30, 0.5, 77000), stream(OTHER, HUB, 0xc0000020, 0, 40, 1, 90),
                   back(0xa0000002, 0, 40)), ETHERNET


def other_time():
    """What the hub sends is not in the table either."""
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 40, 0.5, 77000), back(0xbbbb0001, 0, 40)), ETHERNET


def scan():
    """Many SPIs from one source, one from many, and a live tunnel."""
    strays = [Packet(START + n / 7, ether(ip(STRANGER, HUB, 50, esp(0x41410000 + n * 7919, n)))) for n in range(60)]
    many = [Packet(START + 20 + n / 9, ether(ip(f"198.18.0.{n + 1}", HUB, 50, esp(0x5f5f5f5f, 1)))) for n in range(20)]
    return in_time(strays, many, stream(SPOKE, HUB, 0xc0000002, 0, 40, 1, 300), back(0xa0000002, 0, 40)), ETHERNET


def encapsulated():
    """The hub has the SA without UDP, and it comes in UDP."""
    return in_time(stream(SPOKE, HUB, 0xc0000002, 0, 20, 1, 300, "udp"), back(0xa0000002, 0, 20)), ETHERNET


def one_way():
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 30, 0.5, 77000), stream(OTHER, HUB, 0xc0000020, 0, 30, 1, 90),
                   back(0xa0000020, 0, 30, 1, OTHER)), ETHERNET


def notifies():
    """INVALID_SPI in clear: IKEv2 and IKEv1, and one that is encrypted and says nothing."""
    def tell(at, message):
        return Packet(START + at, ether(ip(HUB, SPOKE, 17, udp(500, 500, message))))
    return in_time(stream(SPOKE, HUB, 0xdead0001, 0, 3, 0.5, 77000), [
        tell(0.6, ike(37, 2, 0x08, 41, notify2(0xdead0001))),
        tell(1.6, ike(37, 2, 0x08, 41, notify2(0xdead0001, size=4))),
        tell(2.6, ike(5, 1, 0x00, 11, notify1(0x12345678))),
        tell(2.7, ike(5, 1, 0x01, 8, notify1(0x99999999))),
        tell(2.8, ike(37, 2, 0x20, 46)),
    ], [Packet(START + 2.9, ether(ip(SPOKE, HUB, 17, udp(500, 500, ike(34, 2, 0x08, 33)))))]), ETHERNET


def shapes():
    """Each way that ESP, AH and IKE can look like, and what they are not."""
    e = esp(0xc0000002, 7)
    v4, v6 = (SPOKE, HUB), (SPOKE6, HUB6)
    networks = [
        ip(*v4, 50, e), ip(*v4, 50, e, options=b"\x94\x04\0\0"), ip(*v4, 50, e, fragment=0x2000), ip(*v4, 50, e, fragment=0x2010),
        ip(*v6, 50, e), ip(*v6, 0, bytes([60]) + bytes(7) + bytes([50]) + bytes(7) + e),
        ip(*v6, 44, struct.pack(">BBHI", 50, 0, 1, 9) + e), ip(*v6, 44, struct.pack(">BBHI", 50, 0, 0x29, 9) + e),
        ip(*v4, 51, ah(0xc0000003, 9)), ip(*v6, 51, ah(0xc0000003, 9)),
        ip(*v4, 17, udp(4500, 4500, e)), ip(*v4, 17, udp(61000, 4500, e)), ip(*v4, 17, udp(4500, 61000, e)),
        ip(*v6, 17, udp(4500, 4500, e)),
        ip(*v4, 17, udp(4500, 4500, b"\xff")), ip(*v4, 17, udp(4500, 4500, bytes(4) + ike(36))),
        ip(*v4, 17, udp(500, 500, ike(34, first=33))), ip(*v4, 17, udp(500, 500, ike(2, 1, 0, 1))),
        ip(*v4, 17, udp(500, 500, ike(35), 2000), fragment=0x2000),
        ip(*v4, 17, udp(500, 500, bytes(40))), ip(*v4, 17, udp(53, 53, bytes(40))), ip(*v4, 6, bytes(20)),
        ip("10.0.0.1", "10.0.0.2", 47, gre(ip(*v4, 50, e))), ip("10.0.0.1", "10.0.0.2", 47, gre(ip(*v6, 50, e), 5)),
        ip("10.0.0.1", "10.0.0.2", 4, ip(*v4, 17, udp(4500, 4500, e))), ip("10.0.0.1", "10.0.0.2", 41, ip(*v6, 50, e)),
    ]
    return networks


def shapes_as(link):
    def wrap(network):
        if link == ETHERNET:
            return ether(network)
        return cooked(network, 1 if link == COOKED else 2) if link in (COOKED, COOKED2) else network

    def scene():
        networks = shapes()
        if link in (IPV4, IPV6):
            networks = [n for n in networks if n[0] >> 4 == (4 if link == IPV4 else 6)]
        packets = [Packet(START + i, wrap(n)) for i, n in enumerate(networks)]
        if link == ETHERNET:
            inner = ip(SPOKE, HUB, 50, esp(0xc0000002, 8))
            packets += [Packet(START + 100, ether(inner, tags=((0x8100, 10),))),
                        Packet(START + 101, ether(inner, tags=((0x88a8, 10), (0x8100, 20)))),
                        Packet(START + 102, ether(bytes(46), 0x0806)),
                        Packet(START + 103, ether(inner), cut=40)]
        return packets, link
    return scene


SCENES = {
    "desync": desync, "rekey": rekey, "late-rekey": late_rekey, "kept": kept, "newborn": newborn,
    "newborn-before": newborn_before, "early": early, "few": few, "replayed": replayed, "ended": ended, "other-time": other_time, "scan": scan,
    "encapsulated": encapsulated, "one-way": one_way, "notifies": notifies,
    "shapes": shapes_as(ETHERNET), "shapes-raw": shapes_as(RAW), "shapes-raw12": shapes_as(RAW12),
    "shapes-raw14": shapes_as(RAW14), "shapes-ipv4": shapes_as(IPV4), "shapes-ipv6": shapes_as(IPV6),
    "shapes-cooked": shapes_as(COOKED), "shapes-cooked2": shapes_as(COOKED2),
}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(SCENES))
        return 0
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in SCENES or sys.argv[2:] and sys.argv[2] not in FORMATS:
        print(__doc__, file=sys.stderr)
        return 2
    packets, link = SCENES[sys.argv[1]]()
    sys.stdout.buffer.write(FORMATS[(sys.argv[2:] or ["pcap"])[0]](packets, link))
    return 0


if __name__ == "__main__":
    sys.exit(main())
