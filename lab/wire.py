# SPDX-License-Identifier: MIT
"""What went over the wire: reads the recording (pcap) and makes frames. Called by traffic.py, faults.py, inject.py and the
tests. ESP headers only: nothing here decrypts."""
import collections
import ipaddress
import os
import struct

ESP, UDP = 50, 17
NAT_PORT = 4500
Esp = collections.namedtuple("Esp", "at src dst spi sequence udp frame")


def records(path):
    """(time, frame) of each packet recorded so far; the last may still be being written."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24:
            return
        magic = struct.unpack("<I", head[:4])[0]
        scale = {0xa1b2c3d4: 1e-6, 0xa1b23c4d: 1e-9}[magic]
        while True:
            head = file.read(16)
            if len(head) < 16:
                return
            seconds, fraction, kept, _ = struct.unpack("<IIII", head)
            frame = file.read(kept)
            if len(frame) < kept:
                return
            yield seconds + fraction * scale, frame


def network(frame):
    """(source, destination, protocol, payload) of a frame with IPv4 or IPv6, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        length = (frame[14] & 15) * 4
        total = struct.unpack("!H", frame[16:18])[0]
        return (str(ipaddress.ip_address(frame[26:30])), str(ipaddress.ip_address(frame[30:34])), frame[23],
                frame[14 + length:14 + total])
    if kind == b"\x86\xdd" and len(frame) >= 54:
        total = struct.unpack("!H", frame[18:20])[0]
        return (str(ipaddress.ip_address(frame[22:38])), str(ipaddress.ip_address(frame[38:54])), frame[20],
                frame[54:54 + total])
    return None


def esp_of(at, frame):
    """The ESP packet in a frame, plain or in UDP 4500, or None: IKE has four zero bytes there, a keepalive is one byte."""
    packet = network(frame)
    if not packet:
        return None
    src, dst, protocol, data = packet
    if protocol == UDP:
        if len(data) < 8 or struct.unpack("!H", data[2:4])[0] != NAT_PORT:
            return None
        data = data[8:]
    elif protocol != ESP:
        return None
    if len(data) < 8 or data[:4] == b"\0\0\0\0":
        return None
    spi, sequence = struct.unpack("!II", data[:8])
    return Esp(at, src, dst, spi, sequence, protocol == UDP, frame)


def esp_packets(path, dst=None, since=0.0):
    for at, frame in records(path):
        if at >= since:
            esp = esp_of(at, frame)
            if esp and (dst is None or esp.dst == dst):
                yield esp


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def make_frame(source_mac, target_mac, src, dst, esp, udp):
    """A frame with ESP from src to dst, whoever really sends it. UDP has its checksum: IPv6 demands one."""
    source, target = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    protocol, payload = ESP, esp
    if udp:
        protocol = UDP
        head = struct.pack("!HHHH", NAT_PORT, NAT_PORT, 8 + len(esp), 0)
        pseudo = source.packed + target.packed + struct.pack("!II", 8 + len(esp), UDP)
        payload = head[:6] + struct.pack("!H", checksum(pseudo + head + esp) or 0xffff) + esp
    if source.version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), int.from_bytes(os.urandom(2), "big"), 0x4000, 64,
                           protocol, 0, source.packed, target.packed)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        kind = b"\x08\x00"
    else:
        head = struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64, source.packed, target.packed)
        kind = b"\x86\xdd"
    return target_mac + source_mac + kind + head + payload
