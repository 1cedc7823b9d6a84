# SPDX-License-Identifier: MIT
"""A client of the plugin's protocol, from doc/plugin-protocol.md alone: it shares no code with spimend's."""
import ipaddress
import socket
import struct
import time

KINDS = {"hello": 1, "delete": 2, "drop-child": 3, "liveness": 4, "invalid-spi": 5, "notify-outside": 6, "welcome": 64, "result": 65, "late": 66,
         "delete-received": 128, "ike-delete-received": 129, "invalid-spi-inside": 130, "invalid-spi-outside": 131,
         "invalid-ike-spi": 132, "unknown-ike-sa": 133, "child-rekeyed": 134, "ike-rekeyed": 135, "child-died": 136,
         "ike-died": 137, "lost": 138, "crash-detected": 139, "token-refused": 140, "token-sent": 141}
OUTCOMES = ["peer-owned", "peer-had-none", "done", "sent", "no-reply", "window-taken", "ike-gone", "ours", "not-found", "busy",
            "unsupported", "limit", "invalid"]
REASONS = ["unknown", "peer-delete", "our-delete", "expired", "rekeyed", "peer-dead", "initial-contact", "ike-died", "dropped",
           "install-failed", "peer-crashed"]
FIELDS = [None, ("ike_id", 4), ("child_id", 4), ("protocol", 1), ("spi", 4), ("peer_spi", 4), ("wait_ms", 4), ("outcome", 1),
          ("reason", 1), ("took_us", 4), ("new_ike_id", 4), ("new_child_id", 4), ("new_spi", 4), ("new_peer_spi", 4),
          ("spi_size", 1), ("local", "address"), ("remote", "address"), ("local_port", 2), ("remote_port", 2),
          ("ike_spi_i", 8), ("ike_spi_r", 8), ("exchange", 1), ("flags", 1), ("count", 4), ("text", "text")]
ANSWER, PROTECTED, IN_USE = 1, 2, 4
CRASH_ON, CRASH_OFF, ANEW, SA_LIVES = 4, 8, 1, 1


def encode(kind, serial, **values):
    body = b""
    for tag, field in enumerate(FIELDS):
        if field and field[0] in values:
            value = values.pop(field[0])
            data = value.encode() if field[1] == "text" else ipaddress.ip_address(value).packed if field[1] == "address" \
                else value.to_bytes(field[1], "big")
            body += bytes([tag, len(data)]) + data
    assert not values, values
    return struct.pack("!BBHI", 1, KINDS[kind], 8 + len(body), serial) + body


def decode(data):
    version, kind, length, serial = struct.unpack("!BBHI", data[:8])
    if version != 1 or length != len(data):
        raise ValueError(f"not a message: {data.hex()}")
    found = {"kind": {number: name for name, number in KINDS.items()}[kind], "serial": serial}
    at = 8
    while at < length:
        tag, size = data[at], data[at + 1]
        value, (name, form) = data[at + 2:at + 2 + size], FIELDS[tag]
        at += 2 + size
        found[name] = value.decode() if form == "text" else str(ipaddress.ip_address(value)) if form == "address" \
            else int.from_bytes(value, "big")
        if form not in ("text", "address") and size != form:
            raise ValueError(f"{name} of {size} bytes")
    if "outcome" in found:
        found["outcome"] = OUTCOMES[found["outcome"]]
    if "reason" in found:
        found["reason"] = REASONS[found["reason"]]
    return found


class Client:
    """One connection; `with Client(path) as client`. What comes while an answer is waited for is kept in `heard`."""

    def __init__(self, path, reports=True, greet=True, timeout=20, flags=0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.serial, self.heard, self.version, self.crash = 0, [], None, False
        if greet:
            welcome = self.answer(self.send("hello", flags=int(reports) | flags))
            self.version, self.crash = welcome["text"], bool(welcome["flags"] & CRASH_ON)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, **values):
        self.serial += 1
        self.socket.send(encode(kind, self.serial, **values))
        return self.serial

    def read(self):
        data = self.socket.recv(4096)
        if not data:
            raise ConnectionError("the plugin closed the connection")
        return decode(data)

    def answer(self, serial, kinds=("welcome", "result")):
        while True:
            for message in self.heard:
                if message["serial"] == serial and message["kind"] in kinds:
                    self.heard.remove(message)
                    return message
            self.heard.append(self.read())

    def order(self, kind, **values):
        return self.answer(self.send(kind, **values))

    def reports(self, kind, seconds=0.0, count=1, **values):
        """Reports of that kind with those values; waits for `count` of them at most that long."""
        late = time.monotonic() + seconds
        while True:
            found = [m for m in self.heard if m["kind"] == kind and all(m.get(k) == v for k, v in values.items())]
            left = late - time.monotonic()
            if len(found) >= count and seconds or left <= 0 and not self._more(0.0):
                return found
            if left > 0:
                self._more(left)

    def _more(self, seconds):
        before = self.socket.gettimeout()
        self.socket.settimeout(max(seconds, 0.01))
        try:
            self.heard.append(self.read())
            return True
        except (TimeoutError, BlockingIOError):
            return False
        finally:
            self.socket.settimeout(before)
