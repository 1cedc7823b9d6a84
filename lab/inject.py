#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sends what nobody asked for. faults.py runs it in the stranger's namespace C; it talks to nothing but the wire.

    inject.py scan  DST COUNT GAP_MS             ESP and ESP in UDP with random SPIs from C's own address, by plain sockets
    inject.py forge DST COUNT GAP_MS SRC         the same, but frames that carry SRC's address
    inject.py replay FRAMES GAP_MS               recorded frames (a pcap) as they were, but for the MAC address

Prints how many packets went out."""
import ipaddress
import os
import socket
import sys
import time

import wire

INTERFACE = "vC"


def random_esp():
    """An ESP header with a random SPI outside the reserved range and a plausible sequence number, and some noise."""
    spi = 256 + int.from_bytes(os.urandom(4), "big") % (2 ** 32 - 512)
    sequence = 1 + int.from_bytes(os.urandom(2), "big")
    return spi.to_bytes(4, "big") + sequence.to_bytes(4, "big") + os.urandom(64)


def mac_of(interface):
    with open(f"/sys/class/net/{interface}/address", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace(":", ""))


def neighbour(dst):
    """The MAC address that dst has on our wire; a datagram to the discard port makes the kernel ask."""
    with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
        sock.sendto(b"", (dst, 9))
    for _ in range(50):
        with os.popen(f"ip neigh show {ipaddress.ip_address(dst)} dev {INTERFACE}") as shown:
            words = shown.read().split()
        if "lladdr" in words:
            return bytes.fromhex(words[words.index("lladdr") + 1].replace(":", ""))
        time.sleep(0.02)
    raise SystemExit(f"inject: nobody answers for {dst}")


def family_of(address):
    return socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6


def scan(dst, count, gap):
    udp = socket.socket(family_of(dst), socket.SOCK_DGRAM)
    plain = socket.socket(family_of(dst), socket.SOCK_RAW, wire.ESP)
    for number in range(count):
        if number % 2:
            udp.sendto(random_esp(), (dst, wire.NAT_PORT))
        else:
            plain.sendto(random_esp(), (dst, 0))
        time.sleep(gap)
    return count


def forge(dst, count, gap, src):
    target, own = neighbour(dst), mac_of(INTERFACE)
    return send_frames((wire.make_frame(own, target, src, dst, random_esp(), number % 2 == 1)
                        for number in range(count)), gap)


def replay(path, gap):
    # C's own MAC: the bridge must not learn that A moved
    own = mac_of(INTERFACE)
    return send_frames((frame[:6] + own + frame[12:] for _, frame in wire.records(path)), gap)


def send_frames(frames, gap):
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((INTERFACE, 0))
        for frame in frames:
            sock.send(frame)
            sent += 1
            time.sleep(gap)
    return sent


def main():
    verb, *rest = sys.argv[1:]
    if verb == "scan":
        print(scan(rest[0], int(rest[1]), int(rest[2]) / 1000))
    elif verb == "forge":
        print(forge(rest[0], int(rest[1]), int(rest[2]) / 1000, rest[3]))
    elif verb == "replay":
        print(replay(rest[0], int(rest[1]) / 1000))
    else:
        raise SystemExit("inject: see its first lines")


if __name__ == "__main__":
    main()
