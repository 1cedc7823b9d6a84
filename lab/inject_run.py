# SPDX-License-Identifier: MIT
"""Runs inject.py as the stranger C, and records what it is to replay. Called by faults.py."""
import os
import struct
import sys

import wire
from net import LabError, OUTER

HERE = os.path.dirname(os.path.abspath(__file__))
FRAMES = 60


def run(lab, *arguments):

    sent = lab.net.run("C", [sys.executable, "-B", os.path.join(HERE, "inject.py"), *map(str, arguments)], timeout=120)
    return int(sent.split()[-1])


def scan(lab, count, gap):
    return run(lab, "scan", lab.b.address, count, gap)


def forge(lab, count, gap):
    return run(lab, "forge", lab.b.address, count, gap, OUTER[lab.options["ip"]]["A"])


def record(lab, spi):
    """The newest packets of that SPI towards B, from the wire's recording, as a pcap of its own."""
    def found():
        return [esp for esp in wire.esp_packets(lab.wire, lab.b.address) if esp.spi == spi]
    for _ in range(5):
        if not lab.traffic.answers():
            raise LabError("the tunnel does not work: nothing worth recording")
    packets = lab.wait(found, 5, f"packets of 0x{spi:08x} in the recording")[-FRAMES:]
    path = lab.path("replay.pcap")
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for esp in packets:
            seconds, micros = divmod(int(esp.at * 1e6), 1000000)
            file.write(struct.pack("<IIII", seconds, micros, len(esp.frame), len(esp.frame)) + esp.frame)
    return path


def replay(lab, path, gap):
    return run(lab, "replay", path, gap)
