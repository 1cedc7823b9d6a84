# SPDX-License-Identifier: MIT
"""IKE daemons that die, stay silent, answer half, and lie about lengths: spimendd lives, says so, and tries again."""
import os
import random
import socket
import struct
import threading

from daemon import Daemon, wait_for


class FakeDaemon:
    """A unix stream server; `deed(connection, number)` does what it likes with each connection."""
    def __init__(self, path, deed):
        self.deed, self.count, self.path = deed, 0, path
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.line.bind(path)
        self.line.listen(16)
        self.open = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                one, _ = self.line.accept()
            except OSError:
                return
            self.count += 1
            self.open.append(one)
            threading.Thread(target=self.one, args=(one, self.count), daemon=True).start()

    def one(self, connection, number):
        connection.settimeout(3)
        try:
            self.deed(connection, number)
        except OSError:
            pass

    def hang_up(self):
        while self.open:
            one = self.open.pop()
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.line.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.line.close()
        self.hang_up()
        os.unlink(self.path)


def frame(kind, *parts):
    body = bytes([kind]) + b"".join(parts)
    return struct.pack("!I", len(body)) + body


def close_at_once(connection, _):
    connection.close()


def silent(connection, _):
    connection.recv(1)
    threading.Event().wait(2)


def huge_length(connection, _):
    connection.recv(4096)
    connection.sendall(struct.pack("!I", 0xffffffff) + bytes(100))
    threading.Event().wait(1)


def zero_length(connection, _):
    connection.recv(4096)
    connection.sendall(bytes(4000))


def half(connection, _):
    connection.recv(4096)
    connection.sendall(frame(1, b"\x03\x06daemon\x00\x0echaron-sys")[:-4])
    connection.close()


def lies_within(connection, _):
    """Frames of the right length, in which elements claim more bytes than there are."""
    while True:
        connection.recv(4096)
        connection.sendall(frame(1, b"\x03\xffdaemon\xff\xff", os.urandom(20)))


def deep(connection, _):
    while True:
        connection.recv(4096)
        connection.sendall(frame(1, b"\x01\x01a" * 20000))


def unknown_frames(connection, _):
    connection.recv(4096)
    for kind in range(256):
        connection.sendall(frame(kind, os.urandom(kind)))


def drip(connection, _):
    """One byte now and then, of a message that never ends."""
    connection.recv(4096)
    connection.sendall(struct.pack("!I", 100000))
    for _ in range(100):
        connection.sendall(b"\x01")
        threading.Event().wait(0.02)


def noise(connection, number):
    chance = random.Random(number)
    for _ in range(50):
        connection.sendall(chance.randbytes(chance.randrange(1, 4096)))


def flood(connection, _):
    """Events that nobody asked for, as fast as the line takes them."""
    event = frame(7, b"\x0bchild-updown", b"\x03\x02up\x00\x03yes")
    for _ in range(20000):
        connection.sendall(event)


# --- One that behaves: it lists one tunnel, with another SPI at each list ----------------------------------------------

def message(**pairs):
    """VICI's elements: a dictionary is a section, anything else a value."""
    out = b""
    for name, value in pairs.items():
        name = name.replace("_", "-").encode()
        if isinstance(value, dict):
            out += b"\x01" + bytes([len(name)]) + name + message(**value) + b"\x02"
        else:
            text = str(value).encode()
            out += b"\x03" + bytes([len(name)]) + name + struct.pack("!H", len(text)) + text
    return out


def tunnel(spi):
    child = dict(name="lan", uniqueid=spi & 0xffff, reqid=1, state="INSTALLED", mode="TUNNEL", protocol="ESP",
                 spi_in=f"{spi:08x}", spi_out=f"{spi + 1:08x}", bytes_in=0, packets_in=0, bytes_out=0, packets_out=0,
                 install_time=10, rekey_time=1000, life_time=2000)
    return message(tunnel=dict(uniqueid=1, version=2, state="ESTABLISHED", local_host="10.99.0.2", local_port=500,
                               remote_host="10.99.0.1", remote_port=500, initiator_spi="1122334455667788",
                               responder_spi="8877665544332211", established=10, child_sas={"lan-1": child}))


class GoodDaemon(FakeDaemon):
    def __init__(self, path):
        self.spi = 0x10000000
        super().__init__(path, self.serve_one)

    def serve_one(self, connection, _):
        got = b""
        while True:
            while len(got) < 4 or len(got) < 4 + struct.unpack("!I", got[:4])[0]:
                try:
                    part = connection.recv(65536)
                except TimeoutError:
                    continue
                if not part:
                    return
                got += part
            size = struct.unpack("!I", got[:4])[0]
            kind, name, got = got[4], got[6:6 + got[5]].decode(), got[4 + size:]
            if kind in (3, 4):  # an event is registered, or not any more
                connection.sendall(frame(5))
                continue
            if name == "list-sas":
                self.spi += 16
                connection.sendall(frame(7, b"\x07list-sa", tunnel(self.spi)))
            connection.sendall(frame(1, message(daemon="charon-systemd", version="5.9.8") if name == "version" else b""))


DEEDS = [close_at_once, silent, huge_length, zero_length, half, lies_within, deep, unknown_frames, drip, noise, flood]


def garbage(build):
    problems = []
    with Daemon(build, "sense interface in", start=False) as d:
        path = os.path.join(d.folder, "vici")
        d.lines.append(f"sense strongswan {path}")
        d.write()
        d.start()
        if not wait_for(lambda: d.said(f"IKE daemon {path}: No such file")):
            problems.append("it does not say that there is no daemon")
        pids = d.roles()
        for deed in DEEDS:
            server = FakeDaemon(path, deed)
            if not wait_for(lambda s=server: s.count >= 4):  # two connections, twice: it came back
                problems.append(f"{deed.__name__}: it does not try again ({server.count} connections)")
            if not d.answers() or d.roles() != pids:
                problems.append(f"{deed.__name__}: {d.roles()}, it was {pids}")
                pids = wait_for(lambda: d.roles() if len(d.roles()) == 4 else None) or {}
            server.close()
        for role, pid in d.roles().items():
            size = int(d.status_of(pid)["VmRSS"].split()[0])
            if size > 400_000:
                problems.append(f"{role} takes {size} kB")
        if d.stop() != 0:
            problems.append("it did not end well")
        if d.said("ERROR: AddressSanitizer") or d.said("runtime error"):
            problems.append("a sanitizer complains")
        return problems + (d.tail() if problems else [])


def falling(build):
    """It comes up, and is gone as soon as it was listed, time and again: that takes longer and longer, not all our time."""
    with Daemon(build, "sense interface in", start=False) as d:
        path = os.path.join(d.folder, "vici")
        d.lines.append(f"sense strongswan {path}")
        d.write()

        class Falling(GoodDaemon):
            def serve_one(self, connection, number):
                threading.Timer(0.1, self.hang_up).start()
                super().serve_one(connection, number)
        server = Falling(path)
        d.start()
        wait_for(lambda: d.text().count("is lost") >= 10, 20)
        fell = d.text().count("is lost")
        threading.Event().wait(3)
        more = d.text().count("is lost") - fell
        server.close()
        problems = [] if fell >= 10 and more <= 6 else [f"lost {fell} times, and then {more} times in 3 s"]
        return problems + (d.tail() if problems else [])


TESTS = [("an IKE daemon that comes up and falls, time and again, is asked less and less", falling),
         ("IKE daemons that are none: act lives, says so, tries again", garbage)]
SANITIZED = [("IKE daemons that are none: act lives, says so, tries again", garbage)]
