# SPDX-License-Identifier: MIT
"""A router's log: its buffer, the terminals that watch it, and real syslog datagrams (RFC 3164 as IOS writes it)."""
import collections
import re
import socket
import time

from .clock import MONTHS, stamp

BUFFER_LINES = 2000
SEVERITY = re.compile(r"-([0-7])-[A-Z0-9]")
FACILITY = 23  # local7, IOS' default


class Log:
    def __init__(self, device):
        self.device, self.buffer, self.watchers = device, collections.deque(maxlen=BUFFER_LINES), []
        self.logged, self.limited, self.sent, self.sequence = 0, 0, 0, 42
        self.last = {}  # what is limited: when it was last said
        self.socket = None

    def say(self, message):
        """`message` begins with its mnemonic: %FACILITY-severity-NAME: text."""
        d = self.device
        now = d.world.now()
        severity = int(SEVERITY.search(message)[1])
        line = f"{self.asa_stamp(now)}: {message}" if d.platform == "asa" else f"{stamp(now, d.zone, d.mark)}: {message}"
        self.buffer.append(line)
        self.logged += 1
        self.sequence += 1
        for watch in list(self.watchers):
            watch(line)
        if d.syslog:
            self.send(severity, line)

    @staticmethod
    def asa_stamp(at):
        t = time.gmtime(at)
        return f"{MONTHS[t.tm_mon - 1]} {t.tm_mday:02} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"

    def send(self, severity, line):
        d = self.device
        if self.socket is None:
            self.socket = socket.socket(socket.AF_INET6 if ":" in d.host else socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((d.host, 0))
            self.socket.setblocking(False)
        origin = f"{d.origin}: " if d.origin else ""
        number = "" if d.platform == "asa" else f"{self.sequence}: "
        try:
            self.socket.sendto(f"<{FACILITY * 8 + severity}>{number}{origin}{line}".encode(), tuple(d.syslog))
            self.sent += 1
        except OSError:
            pass  # nobody listens: a router does not care

    def too_soon(self, key, seconds):
        now = self.device.world.now()
        if now - self.last.get(key, 0) < seconds:
            self.limited += 1
            return True
        self.last[key] = now
        return False

    def replayed(self, src, dst, spi):
        """IOS XE's line about an SA that is there."""
        d = self.device
        if not self.too_soon("replay", d.log_seconds):
            self.say(f"%IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:000 TS:{int(d.world.now() * 1e9):020} %IPSEC-3-REPLAY_ERROR: "
                     f"IPSec SA receives anti-replay error, DP Handle 41, src_addr {src}, dest_addr {dst}, SPI 0x{spi:x}")

    def unknown_spi(self, src, dst, spi, interface, proto=50, sequence=45):
        """Says it as often as the platform does (B3; ASA: 5 s), and counts what it keeps to itself."""
        d = self.device
        key = (src, spi) if d.log_limit == "flow" else "unknown-spi"
        if self.too_soon(key, 5 if d.platform == "asa" else d.log_seconds):
            return
        if d.platform == "asa":
            self.say(f"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x{spi:08X}, sequence number= 0x{sequence:X}) "
                     f"from {src} to {dst} with an invalid SPI.")
            return
        tail = f", input interface={interface}" if d.log_interface and interface else ""
        self.say(f"%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr={dst}, "
                 f"prot={proto}, spi=0x{spi:X}({spi}), srcaddr={src}{tail}")
