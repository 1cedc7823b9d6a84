# SPDX-License-Identifier: MIT
"""The fleet's syslog: real datagrams and connections to a real daemon, what it makes of them, and what it refuses."""
import json
import os
import signal
import socket
import ssl
import subprocess
import time

from daemon import Daemon, wait_for
from world import CLONE_NEWNET, LIBC

HUB, SPOKE = "198.51.100.7", "192.0.2.1"


def stray(spi, source=SPOKE, hub=HUB):
    return (f"%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr={hub}, prot=50, "
            f"spi=0x{spi:08X}({spi}), srcaddr={source}")


def stamp(ago=0, millis=0):
    at = time.gmtime(time.time() - ago)
    return f"{time.strftime('%b', at)} {at.tm_mday:2d} {time.strftime('%H:%M:%S', at)}.{millis:03d}"


class Fleet(Daemon):
    """A daemon without a gateway, that hears syslog."""

    def __init__(self, build, *lines, **more):
        super().__init__(build, "no sense xfrm", *lines, **more)

    def inside(self, deed):
        """What `deed()` returns, done in the daemon's namespace."""
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{self.space}") as there:
            LIBC.setns(there.fileno(), CLONE_NEWNET)
            try:
                return deed()
            finally:
                LIBC.setns(home.fileno(), CLONE_NEWNET)

    def socket(self, kind=socket.SOCK_DGRAM, source="127.0.0.1", family=socket.AF_INET, port=5514, to=None):
        def make():
            made = socket.socket(family, kind)
            made.bind((source, 0))
            made.settimeout(5)
            made.connect((to or ("::1" if family == socket.AF_INET6 else "127.0.0.1"), port))
            return made
        return self.inside(make)

    def send(self, *messages, source="127.0.0.1", **more):
        with self.socket(source=source, **more) as out:
            for message in messages:
                out.send(message if isinstance(message, bytes) else message.encode())

    def syslog(self):
        got = self.ask()
        return (json.loads(got[1]).get("syslog") or {}) if got else {}

    def incidents(self):
        got = self.ask("incidents")
        rows = [json.loads(line) for line in got[1].splitlines()] if got else []
        return [row for row in rows if row["schema"] == "spimend.incident/1"]

    def explain(self, ident):
        got = self.ask("explain", json_form=False, ident=ident)
        return got[1] if got else ""


UDP = ("syslog listen udp port 5514", "syslog source 127.0.0.1", "syslog source 127.0.0.2", "syslog source ::1",
       "syslog source 127.0.1.0/24 relay")


def lines_become_incidents(build):
    """A repeat after more than 50 s is a desync, once is undecided, copies count once; the plan names who would have to act."""
    problems = []
    with Fleet(build, *UDP) as d:
        wait_for(lambda: d.said("hears syslog on udp port 5514"))
        d.send(f"<188>77: hub1: {stamp(90)}: {stray(0x1db73bbb)}", f"<188>78: hub1: {stamp(20)}: {stray(0x1db73bbb)}",
               f"<188>79: hub1: {stamp(20)}: {stray(0x1db73bbb)}", f"<189>80: hub1: {stamp(3)}: %SYS-5-CONFIG_I: Configured")
        d.send(f"<188>1 {time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}Z hub2 {stray(0x22222222, '192.0.2.2')}",
               source="127.0.0.2")
        d.send(f"<188>{stray(0x33333333, '192.0.2.3')}", family=socket.AF_INET6, source="::1")
        found = wait_for(lambda: len(d.incidents()) == 3 and {i["spi"]: i for i in d.incidents()}) or {}
        one = found.get("0x1db73bbb")
        if not one:
            return [f"no incidents: {d.syslog()} {d.incidents()}"] + d.tail()
        wanted = {"observer": "hub1", "src": SPOKE, "dst": HUB, "verdict": "desync", "rule": "log-repeat", "messages": 2,
                  "state": "open"}
        problems += [f"{key} is {one[key]}, not {value}" for key, value in wanted.items() if one[key] != value]
        if not one["plan"] or one["actions"]:
            problems.append(f"no plan, or something was done: {one['plan']} {one['actions']}")
        if not one["evidence"][0]["from"].startswith("127.0.0.1/udp:") or "hub1" not in one["evidence"][0]["text"]:
            problems.append(f"the evidence names no sender: {one['evidence']}")
        for spi, observer in (("0x22222222", "hub2"), ("0x33333333", "::1")):
            if found[spi]["observer"] != observer or found[spi]["verdict"] != "undecided":
                problems.append(f"{spi}: {found[spi]}")
        if "clear crypto" not in d.explain(one["id"]) or "spimend does none of them" not in d.explain(one["id"]):
            problems.append(f"explain says no step: {d.explain(one['id'])}")
        if one["id"] not in (d.ask("incidents", json_form=False) or [0, ""])[1]:
            problems.append("the table does not list it")
        if d.ask("incidents")[0].get("status") != 1:
            problems.append("the exit status of incidents is not 1")
        if not wait_for(lambda: d.said("syslog tells of")):
            problems.append("the log does not say so")
        return problems + (d.tail() if problems else [])


def framings(build):
    """Both framings of RFC 6587 over TCP, cut anywhere; what is none is closed and counted; limits on connections hold."""
    problems = []
    with Fleet(build, "syslog listen tcp port 5601", "syslog source 127.0.0.1", "syslog source 127.0.0.2",
               "syslog source 127.0.1.0/24 relay") as d:
        wait_for(lambda: d.said("hears syslog on tcp port 5601"))
        lines = [f"<188>{n}: hub1: {stamp(100 - n)}: {stray(0x40000000 + n)}" for n in range(4)]
        with d.socket(socket.SOCK_STREAM, port=5601) as out:
            for part in "\n".join(lines[:2]).encode() + b"\n", b"<188>half a ", b"line\n" + lines[2].encode():  # its end is the connection's
                out.send(part)
                time.sleep(0.05)
        octets = b"".join(b"%d %s" % (len(line), line.encode()) for line in lines[3:] + ["<189>with\na break", "<189>last"])
        with d.socket(socket.SOCK_STREAM, port=5601, source="127.0.0.2") as out:
            for at in range(0, len(octets), 7):
                out.send(octets[at:at + 7])
        if not wait_for(lambda: len(d.incidents()) == 4):
            problems.append(f"not all four: {d.incidents()}")
        if not wait_for(lambda: d.syslog().get("connections_open") == 0 and d.syslog()["fates"]["taken"] == 7):
            problems.append(f"counts after two connections: {d.syslog()}")
        broken = {"a length of 1 GB": b"1073741824 x", "a number alone": b"99999999999999999999", "no blank": b"12x45", "zero": b"0 "}
        for what, sent in broken.items():
            with d.socket(socket.SOCK_STREAM, port=5601) as out:
                out.send(sent)
                if out.recv(10):
                    problems.append(f"{what}: it is answered")
        if not wait_for(lambda: d.syslog().get("connections_broken") == len(broken)):
            problems.append(f"broken framing: {d.syslog()}")
        before = d.syslog()
        with d.socket(socket.SOCK_STREAM, port=5601) as out:  # no line break for ever
            for _ in range(64):
                out.sendall(b"x" * 16384)
            out.sendall(b"\n" + lines[0].replace("40000000", "4fffffff").encode() + b"\n")
        if not wait_for(lambda: len(d.incidents()) == 5):
            problems.append(f"after a line of 1 MiB nothing is read: {d.syslog()}")
        if not wait_for(lambda: d.syslog()["cut"] == before["cut"] + 1):
            problems.append(f"a long line is cut {d.syslog()['cut'] - before['cut']} times")
        for what in bytes(3000) + b"\n", b"\xff\xfe\x80 <999>\n", b"<1000>x\n<>y\n\n\n\r\n":
            d.send(what, kind=socket.SOCK_STREAM, port=5601)
        silent = [d.socket(socket.SOCK_STREAM, port=5601) for _ in range(33)]
        if not wait_for(lambda: d.syslog().get("connections_refused") == 1 and d.syslog().get("connections_open") == 32):
            problems.append(f"the 33rd connection of one source: {d.syslog()}")
        for one in silent:
            one.close()
        with d.socket(socket.SOCK_STREAM, port=5601, source="127.0.0.9") as out:
            if out.recv(10) or not wait_for(lambda: d.syslog()["connections_refused"] == 2):
                problems.append("a foreign connection is not closed")
        if not wait_for(lambda: d.syslog().get("connections_open") == 0):
            problems.append(f"connections stay: {d.syslog()}")
        return problems + (d.tail() if problems else [])


def make_certificates(folder):
    """A CA, a server's and a client's certificate of it, and a client's of another CA."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    for ca in "ca", "other":
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca + ".key",
                "-out", ca + ".pem", "-subj", "/CN=" + ca, "-days", "2")
    for name, ca in ("server", "ca"), ("client", "ca"), ("stranger", "other"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
                "-out", name + ".csr", "-subj", "/CN=" + name)
        with open(os.path.join(folder, "san"), "w", encoding="ascii") as file:
            file.write("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:spimend.example\n")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial",
                "-out", name + ".pem", "-days", "2", "-extfile", "san")
    for name in os.listdir(folder):
        if name.endswith(".key"):
            os.chmod(os.path.join(folder, name), 0o600)


def tls(build):
    """RFC 5425: a client is taken with a certificate of the CA that is asked for, and only then; garbage ends its connection alone."""
    problems = []
    with Fleet(build, start=False) as d:
        make_certificates(d.folder)
        path = lambda name: os.path.join(d.folder, name)  # noqa: E731
        own = f"certificate {path('server.pem')} key {path('server.key')}"
        d.lines += [f"syslog listen tls port 6514 {own}", f"syslog listen tls port 6515 {own} client-ca {path('ca.pem')}",
                    "syslog source 127.0.0.1"]
        d.write()
        d.start()
        wait_for(lambda: d.text().count("hears syslog on tls port") == 2)

        def connect(port, client=None):
            context = ssl.create_default_context(cafile=path("ca.pem"))
            if client:
                context.load_cert_chain(path(client + ".pem"), path(client + ".key"))
            return context.wrap_socket(d.socket(socket.SOCK_STREAM, port=port), server_hostname="127.0.0.1")

        def say(port, spi, client=None):
            with connect(port, client) as out:
                line = f"<188>1: hub1: {stamp()}: {stray(spi)}".encode()
                out.send(b"%d %s" % (len(line), line))
                out.settimeout(0.5)
                try:
                    return out.recv(1)  # where the certificate is refused, TLS 1.3 tells here
                except TimeoutError:
                    return b""
        say(6514, 0x50000001)
        say(6515, 0x50000002, "client")
        for client in None, "stranger":
            try:
                say(6515, 0x50000003, client)
                problems.append(f"a client with the certificate {client} is not refused")
            except OSError:
                pass
        with d.socket(socket.SOCK_STREAM, port=6514) as out:
            out.send(b"<188>no TLS at all\n" * 100)
        found = wait_for(lambda: len(d.incidents()) == 2 and d.syslog().get("tls_failed", 0) >= 3 and d.incidents())
        if not found or {i["spi"] for i in found} != {"0x50000001", "0x50000002"}:
            problems.append(f"{d.syslog()} {d.incidents()}")
        elif not found[0]["evidence"][0]["from"].startswith("127.0.0.1/tls:"):
            problems.append(f"evidence {found[0]['evidence']}")
        os.chmod(path("server.key"), 0o604)
        with Fleet(build, *d.lines, start=False) as other:
            other.start()
            if not wait_for(lambda: other.said("others may read that key")) or "syslog is not heard on tls" not in other.page():
                problems.append(f"a key that all may read is used: {other.page()}")
        return problems + (d.tail() if problems else [])


def reload(build):
    """Another source, a device, a certificate in the place of the old one, another port: by SIGHUP, and what was told stays."""
    problems = []
    with Fleet(build, start=False) as d:
        make_certificates(d.folder)
        path = lambda name: os.path.join(d.folder, name)  # noqa: E731
        d.lines += ["syslog listen udp port 5514", "syslog source 127.0.0.1",
                    f"syslog listen tls port 6514 certificate {path('server.pem')} key {path('server.key')}"]
        d.write()
        d.start()
        wait_for(lambda: d.text().count("hears syslog on") == 2)
        d.send(f"<188>1: hub1: {stamp()}: {stray(0x10000001)}")
        for source in "127.0.0.2", "127.0.0.3":
            d.send(f"<188>1: {source}: {stamp()}: {stray(0x10000002)}", source=source)
        wait_for(lambda: d.incidents() and d.syslog()["fates"]["foreign"] == 2)
        sense = d.roles()["sense"]
        for end in ".pem", ".key":
            os.replace(path("stranger" + end), path("server" + end))

        def authority():
            for ca in "ca", "other":
                context = ssl.create_default_context(cafile=path(ca + ".pem"))
                try:
                    context.wrap_socket(d.socket(socket.SOCK_STREAM, port=6514), server_hostname="127.0.0.1").close()
                    return ca
                except ssl.SSLError:
                    pass
            return None
        if authority() != "ca":
            problems.append("another certificate before the reload")
        d.write("syslog source 127.0.0.2", "device rt3", " address 127.0.0.3")
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: d.said("was read again"))
        if not wait_for(lambda: authority() == "other"):
            problems.append(f"the certificate is still that of {authority()}")
        for place, source in enumerate(("127.0.0.2", "127.0.0.3")):
            d.send(f"<188>1: {source}: {stamp()}: {stray(0x10000003 + place)}", source=source)
        if not wait_for(lambda: len(d.incidents()) == 3):
            problems.append(f"a new source or a device is not heard: {d.incidents()} {d.syslog()}")
        if d.roles()["sense"] != sense or d.syslog().get("received") is None:
            problems.append("sense was started anew for that")
        d.lines[1] = "syslog listen udp port 5515"
        d.write()
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: d.said("hears syslog on udp port 5515"))
        d.send(f"<188>1: hub1: {stamp()}: {stray(0x10000009)}", port=5515)
        if not wait_for(lambda: len(d.incidents()) == 4):
            problems.append(f"another port is not heard: {d.incidents()} {d.syslog()}")
        return problems + (d.tail() if problems else [])


def files(build):
    """Files are followed over rotation, truncation and a sense that is killed; what was there before is passed over."""
    problems = []
    with Fleet(build, start=False) as d:
        log = os.path.join(d.folder, "router.log")
        numbers = iter(range(0x60000000, 0x60001000))

        def add(mode="a"):
            spi = next(numbers)
            with open(log, mode, encoding="ascii") as file:
                file.write(f"{stamp()[:15]} rt7 {stamp()}: {stray(spi)}\n")
            return f"0x{spi:08x}"
        add()
        d.lines += [f"syslog file {log}", f"syslog file {d.folder}/none"]
        d.write()
        d.start()
        wait_for(lambda: d.said("follows log file 1"))
        if "none is not followed" not in d.page():
            problems.append("a file that is not there is no trouble")
        spis = [add()]
        wait_for(lambda: len(d.incidents()) == 1)
        os.rename(log, log + ".1")
        with open(log + ".1", "a", encoding="ascii") as file:
            file.write(f"{stamp()[:15]} rt7 {stamp()}: {stray(0x61000000)}\n")
        spis += ["0x61000000", add("w")]
        if not wait_for(lambda: len(d.incidents()) == 3):
            problems.append(f"rotation: {[i['spi'] for i in d.incidents()]}")
        with open(log, "a", encoding="ascii") as file:
            file.write(f"{stamp()[:15]} rt7 {stamp()}: %SYS-5-CONFIG_I: Configured from console by vty0\n")
        wait_for(lambda: (d.syslog().get("lines") or 0) >= 4)  # it is read up to here; now it becomes shorter
        spis.append(add("w"))
        if not wait_for(lambda: len(d.incidents()) == 4):
            problems.append(f"truncation: {[i['spi'] for i in d.incidents()]}")
        os.kill(d.roles()["sense"], 9)
        spis.append(add())
        if not wait_for(lambda: len(d.incidents()) == 5):
            problems.append(f"after sense was killed: {[i['spi'] for i in d.incidents()]}")
        found = d.incidents()
        if sorted(i["spi"] for i in found) != sorted(spis) or found[0]["observer"] != "rt7" or not found[0]["evidence"][0]["from"].startswith(log):
            problems.append(f"{spis}: {found}")
        return problems + (d.tail() if problems else [])


def quiet(build):
    """Once, and the device logged on for more than five minutes after it: a transient, and nothing to do (B6)."""
    problems = []
    with Fleet(build, start=False) as d:
        log = os.path.join(d.folder, "router.log")
        d.lines.append(f"syslog file {log}")
        d.write()
        d.start()
        wait_for(lambda: d.said("ready:"))
        with open(log, "w", encoding="ascii") as file:  # it appears: all of it is new
            file.write(f"{stamp(400)[:15]} rt7 {stamp(400)}: {stray(0x65000000)}\n")
        if not wait_for(lambda: d.incidents() and d.incidents()[0]["verdict"] == "undecided"):
            problems.append(f"at first: {d.incidents()}")
        with open(log, "a", encoding="ascii") as file:
            file.write(f"{stamp(10)[:15]} rt7 {stamp(10)}: %SYS-5-CONFIG_I: Configured from console by vty0\n")
        if not wait_for(lambda: d.incidents() and d.incidents()[0]["verdict"] == "transient", 20):
            problems.append(f"later: {d.incidents()}")
        elif d.incidents()[0]["plan"] or d.incidents()[0]["state"] != "closed" or d.ask("incidents")[0].get("status") != 0:
            problems.append(f"a transient asks for something: {d.incidents()}")
        return problems + (d.tail() if problems else [])


def restarts(build):
    """A core that is killed, and a daemon that is started anew, have the incidents that there were, under the same names."""
    problems = []
    with Fleet(build, *UDP) as d:
        wait_for(lambda: d.said("hears syslog on udp"))
        d.send(*(f"<188>{n}: hub1: {stamp(80 - 60 * n)}: {stray(0x70000001)}" for n in range(2)),
               f"<188>3: hub1: {stamp()}: {stray(0x70000002, '192.0.2.9')}")
        before = wait_for(lambda: len(d.incidents()) == 2 and {i["id"]: (i["verdict"], i["first_seen"]) for i in d.incidents()})
        if not before:
            return [f"no incidents: {d.syslog()}"] + d.tail()
        time.sleep(1)  # the store is written twice a second
        for what in "core", "daemon":
            if what == "core":
                os.kill(d.roles()["core"], 9)
            else:
                d.stop()
                d.start()
            after = wait_for(lambda: len(d.incidents()) == 2 and {i["id"]: (i["verdict"], i["first_seen"]) for i in d.incidents()})
            if after != before:
                problems.append(f"after a new {what}: {before}, then {after}")
        d.send(f"<188>4: hub1: {stamp()}: {stray(0x70000003, '192.0.2.8')}")
        if not wait_for(lambda: len(d.incidents()) == 3):
            problems.append("afterwards nothing is heard")
        return problems + (d.tail() if problems else [])


def names(build):
    """A source speaks for itself: another one's name is its own address. A relay is believed, clocks that are off are not."""
    problems = []
    with Fleet(build, *UDP) as d:
        wait_for(lambda: d.said("hears syslog on udp"))
        d.send(f"<188>1: hub1: {stamp()}: {stray(1 << 28)}")
        wait_for(lambda: d.incidents())
        d.send(f"<188>2: hub1: {stamp()}: {stray(2 << 28)}", source="127.0.0.2")
        d.send(f"<188>3: rt9: {stamp()}: {stray(3 << 28)}", source="127.0.1.4")
        d.send(f"<188>4: rt9: {stamp()}: {stray(4 << 28)}", source="127.0.1.5")
        d.send(f"<188>5: hub1: Mar  1 2031 00:00:00: {stray(5 << 28)}", f"<188>6: hub1: Mar  1 1995 00:00:00: {stray(6 << 28)}")
        wanted = {1: "hub1", 2: "127.0.0.2", 3: "rt9", 4: "rt9", 5: "hub1", 6: "hub1"}
        wait_for(lambda: len(d.incidents()) == 6)
        found = {int(i["spi"], 16) >> 28: i for i in d.incidents()}
        if {n: i["observer"] for n, i in found.items()} != wanted:
            problems.append(f"{[(n, i['observer']) for n, i in found.items()]}")
        today = time.strftime("%Y-%m-%d", time.gmtime())
        problems += [f"at {i['first_seen']}" for i in found.values() if i["first_seen"][:10] != today]
        if not wait_for(lambda: (d.syslog()["borrowed_names"], d.syslog()["clock_off"]) == (1, 2)):
            problems.append(f"counts: {d.syslog()}")
        return problems + (d.tail() if problems else [])


def flood(build):
    """100,000 lines from allowed and other sources: each that was sent is taken, refused by its source, or lost by the socket."""
    problems = []
    with Fleet(build, *UDP) as d:
        wait_for(lambda: d.said("hears syslog on udp"))
        sent = {"127.0.0.1": 0, "127.0.0.2": 0, "127.0.0.7": 0, "127.0.5.5": 0}
        sockets = {source: d.socket(source=source) for source in sent}
        plain = f"<189>80: hub1: {stamp()}: %SYS-5-CONFIG_I: Configured from console by vty0 (10.0.0.1)".encode()
        for n in range(100000):
            source = list(sent)[n & 3]
            message = plain if n % 101 else f"<188>{n}: hub{n & 3}: {stamp()}: {stray(0x10000000 + n, f'192.0.2.{n // 404}')}".encode()
            sockets[source].send(message)
            sent[source] += 1
        facts = sum(n % 101 == 0 and n & 3 < 2 for n in range(100000))  # of those that may speak
        for one in sockets.values():
            one.close()
        wait_for(lambda: d.syslog().get("received", 0) + d.syslog().get("lost", 0) >= 100000, 30)
        wait_for(lambda: d.syslog().get("messages") == facts, 5)
        s = d.syslog()
        if s["received"] + s["lost"] != 100000 or sum(s["fates"].values()) != s["received"]:
            problems.append(f"the sums differ: {s}")
        if s["lost"] == 0 and (s["fates"]["foreign"], s["foreign"]["loopback"]) != (50000, 50000):
            problems.append(f"of others: {s}")
        if s["lines"] != s["fates"]["taken"] or s["messages"] > facts or (s["lost"] == 0 and s["messages"] != facts):
            problems.append(f"facts: {s}")
        if "of others" not in d.page():
            problems.append(f"status does not tell: {d.page()}")
        if set(d.roles()) != {"sense", "core", "act", "dial"}:
            problems.append(f"roles: {d.roles()}")
        return problems + (d.tail() if problems else [])


def bursts(build):
    """Two thousand tunnels that fall at one hub within seconds are one incident with one plan; a neighbour of theirs is its own."""
    problems = []
    with Fleet(build, *UDP) as d:
        wait_for(lambda: d.said("hears syslog on udp"))
        for ago in 70, 5:
            d.send(*(f"<188>{n}: hub1: {stamp(ago, n % 1000)}: {stray(0x20000000 + n, f'10.{n >> 8}.{n & 255}.1')}" for n in range(2000)))
            d.send(f"<188>1: hub2: {stamp(ago)}: {stray(0x30000000, '10.99.1.1', '203.0.113.7')}", source="127.0.0.2")
            time.sleep(0.2)
        found = wait_for(lambda: (d.syslog().get("messages") == 4002 and d.incidents()), 20) or []
        if len(found) != 2:
            return [f"{len(found)} incidents: {found[:3]} {d.syslog()}"] + d.tail()
        one = next(i for i in found if i["dst"] == HUB)
        wanted = {"src": None, "spi": None, "verdict": "desync", "messages": 4000, "cause": "receiver-lost-state", "state": "open"}
        problems += [f"{key} is {one[key]}, not {value}" for key, value in wanted.items() if one[key] != value]
        if "many-peers" not in one["flags"] or not one["plan"] or "take one peer first" not in json.dumps(one["plan"]):
            problems.append(f"flags and plan: {one['flags']} {one['plan']}")
        if "2000 sources" not in (d.ask("incidents", json_form=False) or [0, ""])[1]:
            problems.append(f"the table: {d.ask('incidents', json_form=False)}")
        if "take one peer first" not in d.explain(one["id"]):
            problems.append(f"explain: {d.explain(one['id'])}")
        if d.text().count("syslog tells of") > 4:
            problems.append("the log has a line for each of them")
        return problems + (d.tail() if problems else [])


def many_flows(build):
    """More flows than are weighed in one go: all are judged, incidents stand in order, core answers, and what comes
    while they are weighed comes in behind."""
    problems, flows = [], 24000
    with Fleet(build, "syslog listen udp port 5514", "syslog source 127.0.0.0/8", "limit syslog-flows 100000") as d:
        wait_for(lambda: d.said("hears syslog on udp"))
        for part in range(4):
            with d.socket(source=f"127.0.3.{part + 1}") as out:
                for n in range(part, flows, 4):
                    spoke = f"10.{n >> 8}.{n & 255}.1"
                    for ago in 100, 30:
                        out.send(f"<188>{n}: hub{part}: {stamp(ago)}: {stray(0x10000000 + n, spoke, f'198.51.100.{part}')}".encode())
                    if n % 64 < 4:
                        time.sleep(0.002)
        slowest, since = 0.0, time.monotonic()
        while time.monotonic() - since < 60 and (d.syslog().get("messages"), d.syslog().get("copies")) != (2 * flows, 0):
            asked = time.monotonic()
            d.answers()
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.1)
        d.send(f"<188>1: hub9: {stamp()}: {stray(0x7f000001, '192.0.2.77', '198.51.100.9')}", source="127.0.3.9")
        counts = d.syslog()
        if counts.get("messages") != 2 * flows or counts.get("lost") or counts.get("flows_refused"):
            problems.append(f"{counts}")
        if not wait_for(lambda: any(i["spi"] == "0x7f000001" for i in d.incidents()), 30):
            problems.append(f"what came later is no incident; the slowest answer took {slowest:.2f} s")
        found = [i["first_seen"] for i in d.incidents()]
        if found != sorted(found):
            problems.append("they are not in order")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("syslog: lines of three senders become incidents", lines_become_incidents),
    ("syslog: both framings over TCP, and what is none", framings),
    ("syslog: many flows are weighed in slices", many_flows),
    ("syslog: TLS, with and without clients' certificates", tls),
    ("syslog: a reload takes sources, devices, certificates and ports", reload),
    ("syslog: files are followed", files),
    ("syslog: once and then quiet is a transient", quiet),
    ("syslog: incidents outlive core and daemon", restarts),
    ("syslog: who speaks for whom, and clocks that are off", names),
    ("syslog: many tunnels that fall together are one incident", bursts),
    ("syslog: a flood is counted to the last line", flood),
]
SANITIZED = TESTS
