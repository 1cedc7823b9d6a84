# SPDX-License-Identifier: MIT
"""strongSwan's VICI as the lab needs it: one command at a time on a socket of its own.

Called by gateway.py. It has nothing to do with spimendd's client: what the tests hold against spimendd must not come from
spimendd's own code."""
import socket
import struct

REQUEST, RESPONSE, UNKNOWN, REGISTER, UNREGISTER, CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


class ViciError(Exception):
    pass


def encode(message):
    out = b""
    for key, value in message.items():
        name = bytes([len(key)]) + key.encode()
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + name + encode(value) + bytes([SECTION_END])
        elif isinstance(value, list):
            out += bytes([LIST_START]) + name
            for item in value:
                out += bytes([LIST_ITEM]) + struct.pack("!H", len(item)) + item.encode()
            out += bytes([LIST_END])
        else:
            text = str(value).encode()
            out += bytes([KEY_VALUE]) + name + struct.pack("!H", len(text)) + text
    return out


def decode(data):
    at = 0

    def take(count):
        nonlocal at
        if at + count > len(data):
            raise ViciError("a message that ends early")
        at += count
        return data[at - count:at]

    def name():
        return take(take(1)[0]).decode("utf-8", "replace")

    def value():
        return take(struct.unpack("!H", take(2))[0]).decode("utf-8", "replace")

    root, stack, items = {}, [], None
    here = root
    while at < len(data):
        kind = take(1)[0]
        if kind == SECTION_START:
            stack.append(here)
            here = here.setdefault(name(), {})
        elif kind == SECTION_END:
            here = stack.pop()
        elif kind == KEY_VALUE:
            key = name()
            here[key] = value()
        elif kind == LIST_START:
            items = here.setdefault(name(), [])
        elif kind == LIST_ITEM:
            items.append(value())
        elif kind != LIST_END:
            raise ViciError(f"an unknown element: {kind}")
    return root


class Vici:
    """One connection; `with Vici(path) as vici`."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _send(self, kind, name, body=b""):
        packet = bytes([kind, len(name)]) + name.encode() + body
        self.socket.sendall(struct.pack("!I", len(packet)) + packet)

    def _read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ViciError("charon closed the connection")
            data += more
        return data

    def _receive(self):
        packet = self._read(struct.unpack("!I", self._read(4))[0])
        if packet[0] in (EVENT, REQUEST):
            return packet[0], decode(packet[2 + packet[1]:])
        return packet[0], decode(packet[1:])

    def call(self, command, **arguments):
        """The response; names take "_" for "-"."""
        self._send(REQUEST, command, encode({key.replace("_", "-"): value for key, value in arguments.items()}))
        while True:
            kind, message = self._receive()
            if kind == RESPONSE:
                return message
            if kind == UNKNOWN:
                raise ViciError(f"charon knows no command {command}")

    def stream(self, command, event, **arguments):
        """What a list command streams as events."""
        self._send(REGISTER, event)
        while self._receive()[0] != CONFIRM:
            pass
        self._send(REQUEST, command, encode(arguments))
        found = []
        while True:
            kind, message = self._receive()
            if kind == EVENT:
                found.append(message)
            elif kind == RESPONSE:
                return found
