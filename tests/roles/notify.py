# SPDX-License-Identifier: MIT
"""Traps and messages, in and out: net-snmp's snmptrap and snmptrapd, rsyslogd and OpenSSL at the other end."""
import itertools
import json
import os
import shutil
import subprocess
import tempfile

from daemon import Daemon, ip, wait_for
from shell import expect, shell
from world import PEER, ConstantDaemon, send_strays

ROOT_OF_NOTE = "1.3.6.1.4.1.9.10.91"
TOOLS = ("snmptrap", "snmptrapd", "rsyslogd", "openssl")


def missing():
    return [tool for tool in TOOLS if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]


KEYS = {"ann": "auth sha256 longenough\npriv aes128 longenough2\n", "bob": "auth sha longenough\n",
        "eve": "auth sha256 anotherone\npriv aes128 anotherone2\n"}


def write_keys(folder):
    for name, keys in KEYS.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(keys)


def configure(d, outside, inside=()):
    """Commands outside of the block `spimend` and further ones inside; FOLDER is the daemon's."""
    write_keys(d.folder)
    outside, inside = ([line.replace("FOLDER", d.folder) for line in lines] for lines in (outside, inside))
    d.write(text="\n".join(["hostname hub", *outside, "spimend", f" user {d.user}", f" state-directory {d.state}",
                            f" control-socket {d.control}", " no sense xfrm", *(f" {line}" for line in inside), ""]))


class Hub(Daemon):
    """A spimendd with these commands."""

    def __init__(self, build, outside, inside=()):
        super().__init__(build, start=False)
        self.outside, self.inside = outside, inside

    def __enter__(self):
        super().__enter__()
        try:
            configure(self, self.outside, self.inside)
            if any("FOLDER/vici" in line for line in self.inside):
                ConstantDaemon(os.path.join(self.folder, "vici"))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def status(self):
        got = self.ask()
        return json.loads(got[1]) if got else {}

    def traps(self):
        return self.status().get("traps") or {}

    def receivers(self, kind):
        return [r for r in self.status().get("receivers", []) if r["kind"] == kind]

    def netns(self, *words, **more):
        env = dict(os.environ, MIBS="", SNMPCONFPATH=self.folder, SNMP_PERSISTENT_DIR=os.path.join(self.folder, "snmp"))
        return subprocess.run(["ip", "netns", "exec", self.space, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20, check=False, text=True, env=env, **more)

    def start_in(self, *words):
        """A program in the namespace, that ends with it."""
        env = dict(os.environ, MIBS="", SNMPCONFPATH=self.folder, SNMP_PERSISTENT_DIR=os.path.join(self.folder, "snmp"))
        self.others.append(subprocess.Popen(["ip", "netns", "exec", self.space, *words], stdin=subprocess.DEVNULL,
                                            stdout=open(os.path.join(self.folder, "other"), "ab"), stderr=subprocess.STDOUT,
                                            env=env))

    def trap(self, *words, source="127.0.0.1", kind="snmptrap"):
        return self.netns(kind, *words[:-1], "--clientaddr=" + source, *words[-1])

    def policy_event(self, *auth, value="2323232", source="127.0.0.1", kind="snmptrap"):
        return self.netns(kind, *auth, "--clientaddr=" + source, "127.0.0.1:1162", "12345", ROOT_OF_NOTE + ".0.2",
                          ROOT_OF_NOTE + ".1.2.3.1.7.1", "s", "command_hub", ROOT_OF_NOTE + ".1.2.3.1.9.1", "i", value,
                          ROOT_OF_NOTE + ".1.2.3.1.11.1", "s", "")


ENGINE = "0x8000000001020304"
ANN = ["-v3", "-e", ENGINE, "-u", "ann", "-l", "authPriv", "-a", "SHA-256", "-A", "longenough", "-x", "AES", "-X", "longenough2"]
HEARS = ["snmp-server manager", "snmp-server host 127.0.0.1 public event-manager",
         "snmp-server host 127.0.0.3 other udp-port 9", "snmp-server community second RO",
         "snmp-server user ann key-file FOLDER/ann", "snmp-server user bob key-file FOLDER/bob"]


def traps_are_heard(build):
    """Each version and level that net-snmp sends is taken, what must not be is refused, and counted by the reason."""
    problems = []
    with Hub(build, HEARS, ["sense trap-port 1162"]) as d:
        wait_for(lambda: d.said("hears traps"))
        sent = [
            ("taken", ["-v2c", "-c", "public"], {}),
            ("taken", ["-v2c", "-c", "second"], {}),
            ("wrong-community", ["-v2c", "-c", "other"], {}),  # of another host
            ("wrong-community", ["-v2c", "-c", "publi"], {}),
            ("wrong-source", ["-v2c", "-c", "public"], {"source": "127.0.0.2"}),
            ("taken", ["-v2c", "-c", "other"], {"source": "127.0.0.3"}),
            ("taken", ANN, {}),
            ("wrong-hash", [w.replace("longenough2", "x").replace("longenough", "another one") if w == "longenough" else w
                            for w in ANN], {}),
            ("wrong-user", [w if w != "ann" else "eve" for w in ANN], {}),
            ("wrong-user", ["-v3", "-e", ENGINE, "-u", "ann", "-l", "authNoPriv", "-a", "SHA-256", "-A", "longenough"], {}),
            ("wrong-user", ["-v3", "-e", ENGINE, "-u", "ann", "-l", "noAuthNoPriv"], {}),
            ("unreadable", [w if w != "longenough2" else "quite another" for w in ANN], {}),
            ("taken", ["-v3", "-e", ENGINE, "-u", "bob", "-l", "authNoPriv", "-a", "SHA", "-A", "longenough"], {}),
        ]
        wanted = {}
        for fate, auth, more in sent:
            done = d.policy_event(*auth, **more)
            if done.returncode:
                problems.append(f"snmptrap {auth}: {done.stdout}")
            wanted[fate] = wanted.get(fate, 0) + 1
        done = d.netns("snmptrap", "-v1", "-c", "public", "127.0.0.1:1162", ROOT_OF_NOTE, "127.0.0.1", "6", "2", "12345",
                       ROOT_OF_NOTE + ".1.2.3.1.9.1", "i", "2323232")
        wanted["taken"] += 1
        # An inform that is right is answered; of others its sender hears nothing.
        for community, fate, answered in (("public", "taken", True), ("wrong", "wrong-community", False)):
            done = d.netns("snmpinform", "-v2c", "-c", community, "-r", "0", "-t", "3" if answered else "0.3", "127.0.0.1:1162", "1",
                           ROOT_OF_NOTE + ".0.2", ROOT_OF_NOTE + ".1.2.3.1.9.1", "i", "1")
            if (done.returncode == 0) != answered:
                problems.append(f"an inform with {community}: {done.returncode} {done.stdout}")
            wanted[fate] += 1
        d.netns("snmpget", "-v2c", "-c", "public", "-r", "0", "-t", "0.3", "127.0.0.1:1162", "1.3.6.1.2.1.1.1.0")
        wanted["no-trap"] = 1
        for garbage in (b"", b"\x30\x80\x02", b"x" * 3000, bytes(9000)):
            d.netns("python3", "-c", f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto({garbage!r}, "
                                     "('127.0.0.1', 1162))")
        wanted["malformed"], wanted["too-long"] = 3, 1
        wait_for(lambda: d.traps().get("received") == sum(wanted.values()))
        got = d.traps()
        for fate, count in wanted.items():
            if got.get(fate) != count:
                problems.append(f"{fate}: {got.get(fate)} instead of {count}")
        if got.get("answered") != 1:
            problems.append(f"{got.get('answered')} answers to an inform")
        if got.get("received") != sum(wanted.values()):
            problems.append(f"received {got.get('received')} of {sum(wanted.values())}")
        if "refused last: from 127.0.0.1" not in d.page():
            problems.append("status does not say who was refused last")
        return problems + ([json.dumps(got)] + d.tail() if problems else [])


def inform(d, *auth, source="127.0.0.1", patience="3"):
    """What net-snmp's snmpinform ends with: 0 when it was answered."""
    return d.policy_event(*auth, "-r", "1", "-t", patience, source=source, kind="snmpinform")


def informs_of_v3_are_answered(build):
    """net-snmp asks for the engine, is told, and its inform is answered; strangers and wrong passwords hear nothing of it."""
    problems = []
    ann, bob = [w for w in ANN if w not in ("-e", ENGINE)], ["-v3", "-u", "bob", "-l", "authNoPriv", "-a", "SHA", "-A", "longenough"]
    with Hub(build, HEARS, ["sense trap-port 1162"]) as d:
        wait_for(lambda: d.said("hears traps"))
        for turn in range(2):
            for auth in (ann, bob):
                done = inform(d, *auth)
                if done.returncode:
                    problems.append(f"turn {turn}, {auth}: not answered: {done.stdout}")
            if turn == 0:
                if not wait_for(lambda: d.traps().get("taken") == 2 and d.traps().get("asks-engine", 0) >= 2):
                    problems.append(f"two informs: {d.traps()}")
                old = d.roles()["sense"]  # a new one is the same engine, with the same clock
                os.kill(old, 9)
                wait_for(lambda old=old: d.roles().get("sense") not in (None, old) and d.traps().get("received") == 0, 20)
        if not wait_for(lambda: d.traps().get("taken") == 2):
            problems.append(f"after a new start of sense: {d.traps()}")
        for auth, more in ((ann, {"source": "127.0.0.2"}), ([w if w != "longenough" else "another one" for w in ann], {}),
                           ([w if w != "ann" else "eve" for w in ann], {})):
            if inform(d, *auth, patience="0.5", **more).returncode == 0:
                problems.append(f"{auth} {more}: answered")
        wait_for(lambda: all(d.traps().get(f"wrong-{what}") for what in ("source", "hash", "user")))
        got = d.traps()
        if not got.get("wrong-source") or not got.get("wrong-hash") or not got.get("wrong-user") or got.get("taken") != 2:
            problems.append(f"what must not be: {got}")
        return problems + (d.tail() if problems else [])


def bad_sa_is_said(build):
    """ciscoEnhIpsecFlowBadSa, cipSecNoSa and the syslog line in a trap are understood, and said once each; no more than
    ten a minute."""
    problems = []
    line = ("decaps: rec'd IPSEC packet has invalid spi for destaddr=192.0.2.7, prot=50, spi=0xB761863E(3076621886), "
            "srcaddr=192.0.2.3")
    history = "1.3.6.1.4.1.9.9.41.1.2.3.1"
    with Hub(build, HEARS, ["sense trap-port 1162"]) as d:
        wait_for(lambda: d.said("hears traps"))
        to = ["snmptrap", "-v2c", "-c", "public", "127.0.0.1:1162", "1"]
        d.netns(*to, "1.3.6.1.4.1.9.9.432.0.5", "1.3.6.1.4.1.9.9.432.1.3.2.1.5.7", "u", "3735928559")
        d.netns(*to, "1.3.6.1.4.1.9.9.171.2.0.13")
        d.netns(*to, "1.3.6.1.4.1.9.9.41.2.0.1", history + ".2.9", "s", "CRYPTO", history + ".3.9", "i", "5",
                history + ".4.9", "s", "RECVD_PKT_INV_SPI", history + ".5.9", "s", line)
        for words in ("SPI 0xdeadbeef, which it has no SA for", "packets come for an SA that it has not",
                      "SPI 0xb761863e, which"):
            if not wait_for(lambda words=words: d.said(words), 5):
                problems.append(f"not said: {words}")
        for _ in range(20):
            d.netns(*to, "1.3.6.1.4.1.9.9.171.2.0.13")
        wait_for(lambda: d.traps().get("taken") == 23)
        said = d.text().count("a trap from 127.0.0.1")
        if said != 10:
            problems.append(f"{said} lines instead of 10")
        return problems + (d.tail() if problems else [])


def the_port_comes_and_goes(build):
    """A port that is taken is said and tried again; a reload opens another one, and closes it."""
    problems = []
    with Hub(build, HEARS, ["sense trap-port 1162"]) as d:
        wait_for(lambda: d.said("hears traps on UDP port 1162"))
        configure(d, HEARS, ["sense trap-port 1163"])
        d.process.send_signal(1)
        if not wait_for(lambda: d.said("hears traps on UDP port 1163")):
            problems.append("the new port is not heard")
        configure(d, HEARS[1:], ["sense trap-port 1163"])
        d.process.send_signal(1)
        if not wait_for(lambda: d.text().count("was read again") == 2 and d.status() and d.status().get("traps") is None):
            problems.append(f"it hears without 'snmp-server manager': {d.status().get('traps')}")
        os.chmod(os.path.join(d.folder, "ann"), 0o644)
        d.process.send_signal(1)
        if not wait_for(lambda: d.said("SNMP user ann") and d.said("others than its owner may read it")):
            problems.append("keys that all may read are taken")
        return problems + (d.tail() if problems else [])


NOTE = [  # note 000's two applets, both on one gateway that sends its traps to itself; the wait is shorter
    "snmp-server enable traps event-manager", "snmp-server manager",
    "snmp-server host 127.0.0.1 public udp-port 1162 event-manager",
    "event manager applet command_hub", f' event syslog pattern "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr={PEER}"',
    ' action 1 cli command "enable"', ' action 2 syslog msg "command_hub is running ..." priority informational',
    ' action 2.5 cli command "show version | append disk0:hub.txt"', ' action 3 cli command "show crypto sockets | append disk0:hub.txt"',
    ' action 4 cli command "show crypto isa sa | append disk0:hub.txt"',
    ' action 5 cli command "show crypto ipsec sa detail | append disk0:hub.txt"',
    ' action 6 cli command "show dmvpn detail | append disk0:hub.txt"', " action 7 wait 1",
    ' action 8 cli command "undebug all"', ' action 8.1 snmp-trap intdata1 2323232 strdata ""',
    ' action 9 syslog priority informational msg "DONE ON HUB"',
    "event manager applet spoke_app",
    " event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9. oid-val \"2323232\" op eq src-ip-address 127.0.0.1 maxrun 35",
    ' action 1.0 syslog msg "Received trap from Hub..."', ' action 2.0 cli command "enable"',
    ' action 3.0 cli command "undebug all"', ' action 4.0 syslog msg "DONE ON SPOKE"']


def make_stray(d, spi=0x1234567):
    """Sends until it is said: the first ones come while our address is still new to the sensor."""
    def once():
        send_strays(d, 2, spi=spi)
        return wait_for(lambda: d.said(f"spi=0x{spi:08X}"), 0.5)
    return wait_for(once, 10)


def the_notes_applets(build):
    """A stray packet's line starts the hub's applet, its trap the spoke's; the file holds the shows, all debugs are off."""
    problems = []
    for root in ("", "dial eem-root 1.3.6.1.4.1.9.10.134"):  # the applet waits below .91 all the same
        with Hub(build, NOTE, ["sense trap-port 1162", "sense interface in", "sense strongswan FOLDER/vici", root]) as d:
            wait_for(lambda d=d: d.said("hears traps") and d.said("hears interface in") and "1 live" in d.page())
            _, shown = shell(d, f"enable\ndebug crypto condition peer ipv4 {PEER}\ndebug crypto isakmp\ndebug crypto ipsec\n"
                                "show debug\n")
            expect(problems, "debugs on", shown, "Crypto ISAKMP debugging is on", "Crypto IPSEC debugging is on")
            make_stray(d)
            for words in ("%CRYPTO-4-RECVD_PKT_INV_SPI", "%HA_EM-6-LOG: command_hub: command_hub is running ...",
                          "%HA_EM-6-LOG: command_hub: DONE ON HUB", "%HA_EM-6-LOG: spoke_app: Received trap from Hub...",
                          "%HA_EM-6-LOG: spoke_app: DONE ON SPOKE"):
                if not wait_for(lambda d=d, words=words: d.said(words), 15):
                    problems.append(f"not said: {words}")
            _, shown = shell(d, "enable\nshow debug\nmore disk0:hub.txt\n")
            expect(problems, "afterwards", shown, "spimend Software, Version", absent=["debugging is on", "No such file"])
            if problems:
                return problems + [shown] + d.tail()
    return problems


def debugs_are_conditional(build):
    """Of another peer nothing is shown; those of the condition's go to the syslog server."""
    problems = []

    def heard():
        with open(os.path.join(d.folder, "other"), encoding="utf-8") as file:
            return file.read()
    with Hub(build, ["logging host 127.0.0.1 port 1514"], ["sense interface in", "sense strongswan FOLDER/vici"]) as d:
        d.start_in("python3", "-c", "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                   "s.bind(('127.0.0.1', 1514)); print('listens', flush=True)\nwhile True: print(s.recv(2000).decode(), flush=True)")
        wait_for(lambda: d.said("hears interface in") and "1 live" in d.page() and "listens" in heard())
        shell(d, "enable\ndebug crypto condition peer ipv4 192.0.2.77\ndebug crypto ipsec\n")
        make_stray(d)
        if not wait_for(lambda: "%CRYPTO-4" in heard()) or "IPSEC(decaps)" in heard():
            problems.append(f"with another peer's condition the syslog server hears: {heard()}")
        shell(d, f"enable\nundebug all\ndebug crypto condition peer ipv4 {PEER}\ndebug crypto ipsec\n")
        send_strays(d, 2, spi=0x7654321)

        if not wait_for(lambda: "<191>" in heard() and "IPSEC(decaps): " in heard()):
            problems.append(f"the syslog server hears: {heard()}")
        return problems + (d.tail() if problems else [])


# --- The role dial, alone: dialer.c is its parent and its core ------------------------------------------------------

RSYSLOG = """module(load="imudp") module(load="imtcp" maxSessions="20")
global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{folder}/ca.pem"
       DefaultNetstreamDriverCertFile="{folder}/server.pem" DefaultNetstreamDriverKeyFile="{folder}/server.key")
template(name="raw" type="string" string="%inputname%|%rawmsg%\n")
input(type="imudp" address="127.0.0.1" port="1514" name="udp")
input(type="imtcp" address="127.0.0.1" port="1601" name="tcp" StreamDriver.Name="ptcp")
input(type="imtcp" address="127.0.0.1" port="1654" name="tls" StreamDriver.Name="ossl" StreamDriver.Mode="1"
      StreamDriver.AuthMode="anon")
*.* action(type="omfile" file="{folder}/heard" template="raw")
"""


PASTED = ["snmp-server group netops v3 priv read ALL", "snmp-server manager", "snmp-server host 127.0.0.1 public",
          "snmp-server user ann netops v3 auth sha-2 256 longenough priv aes 128 longenough2",
          "snmp-server user bob netops v3 auth sha longenough"]


def memory_has(pid, word):
    """Whether that process has the word in what it may write to: its heap and its stack."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            area, rights, *_ = line.split()
            if "rw" not in rights or "[v" in line:
                continue
            begin, end = (int(number, 16) for number in area.split("-"))
            try:
                memory.seek(begin)
                if word in memory.read(min(end - begin, 256 << 20)):
                    return True
            except OSError:
                pass
    return False


def passwords_in_the_file_stay_there(build):
    """IOS's own line of a user: taken from a file of its owner's alone, shown to nobody, kept by `write memory`."""
    problems = []
    with Hub(build, [], ["sense trap-port 1162"]) as d:
        configure(d, PASTED, ["sense trap-port 1162"])
        for mode in (0o644, 0o640, 0o602):
            os.chmod(d.config, mode)
            status, said = d.run("-n")
            if status == 0 or f"mode {mode:04o} lets others" not in said or "longenough" in said:
                problems.append(f"mode {mode:o}: {status} {said}")
        os.chmod(d.config, 0o600)
        d.process.send_signal(1)
        if not wait_for(lambda: d.said("was read again")):
            problems.append("it is not read again")
        if not wait_for(lambda: d.policy_event(*ANN).returncode or d.traps().get("taken"), 20):
            problems.append(f"net-snmp's trap with these passwords is not taken: {d.traps()}")
        _, shown = shell(d, "enable\nshow running-config\nshow startup-config\n")
        expect(problems, "shown", shown, "user ann netops v3 auth sha256 <hidden> priv aes 128 <hidden>",
               "user ann netops v3 auth sha-2 256 <hidden> priv aes 128 <hidden>", absent=["longenough"])
        _, shown = shell(d, "enable\nconf t\nsnmp-server user ann netops v3 auth sha256 <hidden> priv aes 128 <hidden>\n"
                            "snmp-server user eve netops v3 auth sha hunter2hunter2\nhostname spoke\nend\nwrite memory\n"
                            "show running-config | include user\n")
        expect(problems, "typed", shown, "passwords are not typed here", "[OK]", "user bob netops v3 auth sha <hidden>",
               absent=["user eve netops v3 auth sha <hidden>"])
        with open(d.config, encoding="utf-8") as file:
            expect(problems, "the file", file.read(), "hostname spoke", "bob netops v3 auth sha longenough\n",
                   "ann netops v3 auth sha256 longenough priv aes 128 longenough2\n", absent=["<hidden>"])
        if os.stat(d.config).st_mode & 0o777 != 0o600:
            problems.append(f"its mode: {os.stat(d.config).st_mode:o}")
        status, said = d.run("-n")
        problems += [f"what was written is not taken: {said}"] if status else []
        for role, knows in (("core", False), ("act", False), ("sense", True)):
            if memory_has(d.roles()[role], b"longenough2") != knows:
                problems.append(f"a password is {'not ' if knows else ''}in the memory of {role}")
        os.chmod(d.config, 0o644)
        _, shown = shell(d, "enable\nconf t\nhostname hub\nend\nwrite memory\n")
        expect(problems, "written where others read", shown, absent=["[OK]"])
        d.write(text="\n".join(["snmp-server user ann g v3 auth sha <hidden>", "spimend", f" user {d.user}", ""]))
        status, said = d.run("-n")
        if status == 0 or "has <hidden> in the place of a password" not in said:
            problems.append(f"a file without passwords: {status} {said}")
        if "longenough" in d.text() or "hunter2" in d.text():
            problems.append("a password stands in the log")
        return problems + (d.tail() if problems else [])


class Dialer:
    """A role dial with these commands of configuration, in a network namespace of its own."""
    numbers = itertools.count(1)  # tests run side by side: each takes one of its own

    def __init__(self, build, *lines):
        self.build, self.lines = build, lines

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="dial-")
        self.space = f"spdi{os.getpid()}x{next(self.numbers)}"
        self.programs, self.process = [], None
        ip("netns", "add", self.space)
        ip("-n", self.space, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for program in self.programs + ([self.process] if self.process else []):
            program.kill()
            program.wait()
        subprocess.run(["ip", "netns", "del", self.space], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *files):
        write_keys(self.folder)
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(["hostname hub", *self.lines, "spimend", " no sense xfrm", ""]).replace("FOLDER", self.folder))
        self.process = subprocess.Popen(["ip", "netns", "exec", self.space, os.path.join(self.build, "tests/roles/roles_dialer"),
                                         os.path.join(self.build, "spimendd"), self.path("conf"), *files],
                                        stdin=subprocess.PIPE, stdout=open(self.path("said"), "wb"), stderr=subprocess.STDOUT)
        if not wait_for(lambda: "ready" in self.said()):
            raise RuntimeError("the role does not come up: " + self.said())

    def run(self, *words, output=None):
        env = dict(os.environ, MIBS="", SNMPCONFPATH=self.folder, SNMP_PERSISTENT_DIR=self.path("snmp"))
        self.programs.append(subprocess.Popen(["ip", "netns", "exec", self.space, *words], stdin=subprocess.PIPE, env=env,
                                              stdout=open(output or self.path("other"), "ab"), stderr=subprocess.STDOUT))
        return self.programs[-1]

    def tell(self, *commands):
        self.process.stdin.write("".join(command + "\n" for command in commands).encode())
        self.process.stdin.flush()

    def text(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def said(self):
        return self.text("said")

    def state(self, which):
        """What was told last of "syslog 0" or "snmp 1"."""
        lines = [line for line in self.said().splitlines() if line.startswith(which + " ")]
        return lines[-1] if lines else ""

    def listens(self, port, kind="-lnt"):
        return f":{port} " in subprocess.run(["ip", "netns", "exec", self.space, "ss", kind], stdout=subprocess.PIPE, check=False,
                                             text=True).stdout


def traps_are_sent(build):
    """net-snmp's snmptrapd hears v2c and v3 authPriv; a user that has no keys, or that it does not know, gets nowhere."""
    problems = []
    with Dialer(build, "snmp-server host 127.0.0.1 version 2c public udp-port 1163",
                "snmp-server host 127.0.0.1 version 3 priv ann udp-port 1163",
                "snmp-server host 127.0.0.1 version 3 auth bob udp-port 1163",
                "snmp-server host 127.0.0.1 version 3 priv bob udp-port 1164",
                "snmp-server host 127.0.0.1 version 3 priv eve udp-port 1163",
                "snmp-server user ann key-file FOLDER/ann", "snmp-server user bob key-file FOLDER/bob",
                "snmp-server user eve key-file FOLDER/eve",
                f"snmp-server engineid local {ENGINE[2:]}") as d:
        with open(d.path("trapd.conf"), "w", encoding="utf-8") as file:
            file.write(f"authCommunity log public\nauthUser log ann priv\nauthUser log bob auth\nauthUser log eve priv\n"
                       f"createUser -e {ENGINE} ann SHA-256 longenough AES longenough2\n"
                       f"createUser -e {ENGINE} bob SHA longenough\n"
                       f"createUser -e {ENGINE} eve SHA-256 longenough AES longenough2\n")
        d.run("snmptrapd", "-f", "-Lo", "-n", "-On", "-C", "-c", d.path("trapd.conf"), "udp:127.0.0.1:1163", output=d.path("heard"))
        wait_for(lambda: "NET-SNMP version" in d.text("heard") or d.listens(1163, "-lnu"))
        d.start()
        d.tell("trap 0 2323232", "trap 1 -5", "trap 2 77", "trap 3 78", "trap 4 79")
        for number in (2323232, -5, 77):
            if not wait_for(lambda number=number: f"{ROOT_OF_NOTE}.1.2.3.1.9.1 = INTEGER: {number}" in d.text("heard")):
                problems.append(f"snmptrapd does not hear {number}")
        heard = d.text("heard")
        if f".1.3.6.1.6.3.1.1.4.1.0 = OID: .{ROOT_OF_NOTE}.0.2" not in heard or '.7.1 = STRING: "command_hub"' not in heard:
            problems.append("it is no policy event")
        for number in (78, 79):
            if f"INTEGER: {number}" in heard:
                problems.append(f"snmptrapd hears {number}")
        for which, words in (("snmp 0", "up sent 1 dropped 0"), ("snmp 1", "up sent 1"), ("snmp 2", "up sent 1"),
                             ("snmp 3", "dropped 1"), ("snmp 4", "sent 1")):
            if not wait_for(lambda which=which, words=words: words in d.state(which), 5):
                problems.append(f"{which}: {d.state(which)!r} without {words!r}")
        if "no keys for that level" not in d.state("snmp 3"):
            problems.append(f"why nothing was sent: {d.state('snmp 3')}")
        if "violation" in d.said():
            problems.append("it made a forbidden system call")
        return problems + ([heard, d.said(), d.text("other")] if problems else [])


INFORMS = ["snmp-server host 127.0.0.1 informs version 2c public udp-port 1163",
           "snmp-server host 127.0.0.1 informs version 3 priv ann udp-port 1163",
           "snmp-server host ::1 informs version 3 auth bob udp-port 1163",
           "snmp-server host 127.0.0.1 informs version 3 priv eve udp-port 1163",
           "snmp-server host 127.0.0.2 informs version 3 priv ann udp-port 1164",
           "snmp-server user ann key-file FOLDER/ann", "snmp-server user bob key-file FOLDER/bob",
           "snmp-server user eve key-file FOLDER/eve"]


def informs_are_sent(build):
    """snmptrapd hears each once and answers, also one that was away, and one that was started anew with another engine; a
    password that it has not is said, and nobody who answers is said as well."""
    problems = []

    def trapd(engine):
        return d.run("snmptrapd", "-f", "-Lo", "-n", "-On", "-C", "-c", d.path("trapd.conf"), f"--engineID={engine}",
                     "--persistentDir=" + d.path(engine), "udp:127.0.0.1:1163", "udp6:[::1]:1163", output=d.path("heard"))

    def heard(number):
        return d.text("heard").count(f"INTEGER: {number}")
    with Dialer(build, *INFORMS) as d:
        with open(d.path("trapd.conf"), "w", encoding="utf-8") as file:
            file.write("authCommunity log public\nauthUser log ann priv\nauthUser log bob auth\nauthUser log eve priv\n"
                       "createUser ann SHA-256 longenough AES longenough2\ncreateUser bob SHA longenough\n"
                       "createUser eve SHA-256 notherpassword AES longenough2\n")
        d.start()
        d.tell("trap 0 1001", "trap 1 1002", "trap 2 1003")  # nobody listens yet
        wait_for(lambda: "waiting 1" in d.state("snmp 1"), 5)
        one = trapd("first")
        for host, number in ((0, 1001), (1, 1002), (2, 1003)):
            if not wait_for(lambda host=host: "sent 1" in d.state(f"snmp {host}"), 20) or not heard(number):
                problems.append(f"snmp {host}: {d.state(f'snmp {host}')!r}, heard {heard(number)} times")
        d.tell(*(f"trap {host} {number}" for host, number in ((0, 2001), (1, 2002), (2, 2003), (3, 2004), (4, 2005))))
        for host, number in ((0, 2001), (1, 2002), (2, 2003)):
            if not wait_for(lambda host=host: "sent 2" in d.state(f"snmp {host}"), 20) or heard(number) != 1:
                problems.append(f"snmp {host}, again: {d.state(f'snmp {host}')!r}, heard {heard(number)} times")
        if not wait_for(lambda: "another password of the SNMP user" in d.state("snmp 3"), 20) or heard(2004):
            problems.append(f"a wrong password: {d.state('snmp 3')!r}")
        one.kill()
        one.wait()
        two = trapd("second")
        wait_for(lambda: d.listens(1163, "-lnu"))
        d.tell("trap 1 3002")
        if not wait_for(lambda: "sent 3" in d.state("snmp 1"), 25) or heard(3002) != 1:
            problems.append(f"after another engine: {d.state('snmp 1')!r}, heard {heard(3002)} times")
        if not wait_for(lambda: "does not tell its SNMP engine" in d.state("snmp 4"), 40) or "dropped 1" not in d.state("snmp 4"):
            problems.append(f"nobody there: {d.state('snmp 4')!r}")
        two.kill()
        if "violation" in d.said():
            problems.append("it made a forbidden system call")
        return problems + ([d.text("heard"), d.said(), d.text("other")] if problems else [])


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def make_certificates(d, address="127.0.0.1"):
    """An authority, a server's certificate for that address, and another authority that signed nothing."""
    for name in ("ca", "stranger"):
        subprocess.run(["openssl", "req", "-x509", *EC, "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-keyout", d.path(name + ".key"), "-out", d.path(name + ".pem")], check=True, stderr=subprocess.PIPE)
    with open(d.path("ext"), "w", encoding="utf-8") as file:
        file.write(f"subjectAltName=IP:{address},DNS:logs.example\n")
    subprocess.run(["openssl", "req", *EC, "-nodes", "-subj", "/CN=server", "-keyout", d.path("server.key"),
                    "-out", d.path("server.csr")], check=True, stderr=subprocess.PIPE)
    subprocess.run(["openssl", "x509", "-req", "-in", d.path("server.csr"), "-CA", d.path("ca.pem"), "-CAkey", d.path("ca.key"),
                    "-CAcreateserial", "-days", "2", "-extfile", d.path("ext"), "-out", d.path("server.pem")], check=True,
                   stderr=subprocess.PIPE)


STRAY = "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi"


def lines_are_sent(build):
    """rsyslogd hears them by UDP, TCP and TLS, in both forms; one that starts late gets what waited."""
    problems = []
    with Dialer(build, "logging host 127.0.0.1 port 1514", "logging host 127.0.0.1 transport tcp port 1601 format rfc5424",
                "logging host 127.0.0.1 transport tls port 1654",
                "logging host 127.0.0.2 transport tls port 1654 server logs.example format rfc5424") as d:
        make_certificates(d)
        with open(d.path("rsyslog.conf"), "w", encoding="utf-8") as file:
            file.write(RSYSLOG.format(folder=d.folder))
        d.start(d.path("ca.pem"), "/nowhere", "/nowhere")
        d.tell(f"line 1 4 {STRAY} 1", f"line 2 4 {STRAY} 2")  # nobody listens yet
        if not wait_for(lambda: "failures" in d.state("syslog 1") and "waiting 1" in d.state("syslog 1"), 5):
            problems.append(f"what waits: {d.state('syslog 1')}")
        d.run("rsyslogd", "-n", "-f", d.path("rsyslog.conf"), "-i", d.path("pid"))
        if not wait_for(lambda: d.listens(1654) and d.listens(1514, "-lnu")):
            return ["rsyslogd does not come up", d.text("other")]
        d.tell(*(f"line {host} 4 {STRAY} 3" for host in range(3)), "stale 0")
        for words in ("tcp|<188>1 ", "tls|<188>2: hub: ", "udp|<188>3: hub: ", f" hub spimendd - CRYPTO-4-RECVD_PKT_INV_SPI - {STRAY} 3",
                      f" UTC: {STRAY} 3", f"{STRAY} 1\n", f"{STRAY} 2\n"):
            if not wait_for(lambda words=words: words in d.text("heard"), 15):
                problems.append(f"rsyslogd does not hear {words!r}")
        if "stale" in d.text("heard"):
            problems.append("what was meant for another configuration is sent")
        d.tell(*(f"line 0 6 %SYS-6-FLOOD: {i}" for i in range(3000)))
        if not wait_for(lambda: " dropped 0 " not in d.state("syslog 0") and "dropped" in d.state("syslog 0"), 5):
            problems.append(f"3000 lines at once: {d.state('syslog 0')}")
        if "violation" in d.said():
            problems.append("it made a forbidden system call")
        return problems + ([d.text("heard")[:2000], d.said(), d.text("other")] if problems else [])


def certificates_are_checked(build):
    """Another authority, another address, another name: nothing is sent, and it is said why."""
    problems = []
    cases = [("ca.pem", "127.0.0.1", "", None), ("ca.pem", "127.0.0.1", "server logs.example", None),
             ("stranger.pem", "127.0.0.1", "", "unable to get local issuer certificate"),
             ("ca.pem", "127.0.0.2", "", "IP address mismatch"),
             ("ca.pem", "127.0.0.1", "server other.example", "hostname mismatch"),
             ("nowhere", "127.0.0.1", "", "'dial tls trust'")]
    for trust, address, name, refused in cases:
        with Dialer(build, f"logging host {address} transport tls port 1654 {name}") as d:
            make_certificates(d)
            heard = d.run("openssl", "s_server", "-accept", "1654", "-key", d.path("server.key"), "-cert", d.path("server.pem"),
                          "-quiet", output=d.path("heard"))
            wait_for(lambda d=d: d.listens(1654))
            d.start(d.path(trust), "/nowhere", "/nowhere")
            d.tell(f"line 0 4 {STRAY}")
            wait_for(lambda d=d, refused=refused: refused in d.said() if refused else STRAY in d.text("heard"), 8)
            got = STRAY in d.text("heard")
            if got == bool(refused) or heard.poll() is not None:
                problems.append(f"{trust} {address} {name}: {'sent' if got else 'not sent'}")
            if refused and refused not in d.said():
                problems.append(f"{trust} {address} {name}: {refused!r} is not in {d.said()}")
    return problems


TESTS = [
    ("passwords of SNMP users in the configuration stay there", passwords_in_the_file_stay_there),
    ("traps of every version are heard, wrong sources, communities, users and keys refused and counted", traps_are_heard),
    ("informs of v3 are answered, to hosts of ours alone", informs_of_v3_are_answered),
    ("traps about unknown SPIs are understood and said, within a limit", bad_sa_is_said),
    ("the trap port follows the configuration", the_port_comes_and_goes),
    ("the applets of note 000: a stray packet, four shows, a trap, debugs off at both ends", the_notes_applets),
    ("debugs are of the condition's peer, and go to the syslog server", debugs_are_conditional),
    ("snmptrapd hears the traps that are sent, v2c and v3", traps_are_sent),
    ("snmptrapd answers the informs that are sent, v2c and v3", informs_are_sent),
    ("rsyslogd hears the lines that are sent, by UDP, TCP and TLS, also late", lines_are_sent),
    ("a syslog server with the wrong certificate gets nothing", certificates_are_checked),
]
SANITIZED = TESTS
