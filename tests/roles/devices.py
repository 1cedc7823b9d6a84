# SPDX-License-Identifier: MIT
"""Devices over ssh: lab/ios behind real sshds in the daemon's namespace, asked through the shell."""
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lab"))
from daemon import Daemon, ip, wait_for  # noqa: E402
from ios.api import World, missing  # noqa: E402,F401
from shell import expect, shell  # noqa: E402

PORT = 2022
PASSWORD = "correct horse battery"
PLATFORMS = {"sdwan": "sd-wan"}  # lab/ios's words to ours, where they differ


class Fleet(Daemon):
    """A daemon with a hub and spokes to log in to. The keys are the dialling user's; `world` is what lab/ios gives."""
    platform = "ios-xe"

    def __init__(self, build, count=2, extra=(), **devices):
        super().__init__(build, "sense xfrm", start=False)
        self.count, self.extra, self.options = count, list(extra), devices
        self.world = None

    def __enter__(self):
        super().__enter__()
        try:
            ip("-n", self.space, "addr", "add", "192.0.2.1/24", "dev", "lo")
            self.world = World(inside=["ip", "netns", "exec", self.space], password=PASSWORD)
            for number, name in enumerate(self.names(), 2):
                ip("-n", self.space, "addr", "add", f"192.0.2.{number}/24", "dev", "lo")
                self.world.device(name, **{"platform": self.platform, "address": f"192.0.2.{number}", "host": f"192.0.2.{number}",
                                           "port": PORT, "enable": "hunter2", **self.options.get(name, {})})
            self.connect()
            self.world.start()
            self.key = self.secret_file("key", open_text(self.world.key))
            self.enable = self.secret_file("enable", "hunter2\n")
            self.hosts = os.path.join(self.folder, "known_hosts")
            shutil.copy(self.world.known_hosts, self.hosts)
            self.write_devices()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.world:
            self.world.end()
        super().__exit__()

    def typed(self, device, survey=False):
        """What was; without the questions for its addresses and its site, which each gets 5 s after the start."""
        asked = ("show ip interface brief", "show sdwan control local-properties")
        return [one["command"] for one in self.world.typed(device) if survey or one["command"] not in asked]

    def connect(self):
        """What is between them."""
        for spoke in self.names()[1:]:
            self.world.tunnel(spoke, "hub", kind="svti", pps=[10, 10])

    def names(self):
        return ["hub", "spoke", *(f"spoke{n}" for n in range(2, self.count))]

    def secret_file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        user = pwd.getpwnam(self.user)
        os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def write_devices(self, **instead):
        lines = []
        for number, name in enumerate(self.names(), 2):
            lines += [f"device {name}", f" address 192.0.2.{number}", f" platform {PLATFORMS.get(self.platform, self.platform)}",
                      f" ssh user {self.world.account} {instead.get('login', 'key-file ' + instead.get('key', self.key))} port {PORT}",
                      f" enable password-file {instead.get('enable', self.enable)}"]
        self.write(f"ssh known-hosts {self.hosts}", *self.extra)
        with open(self.config, "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def restart(self):
        self.stop()
        os.unlink(self.log)
        self.start()

    def on(self, device, command):
        return shell(self, f"enable\non {device} {command}\n")

    def clients(self, address=""):
        """{pid: words} of ssh's processes."""
        return {pid: words for pid, words in self.processes().items()
                if words.startswith("/usr/bin/ssh ") and words.endswith(address)}


def open_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tape(d, device, *options):
    done = subprocess.run([os.path.join(d.build, "spimend"), "journal", device, "--socket", d.control, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False, text=True, errors="replace")
    return done.stdout


def taped(build):
    """Every byte that was typed and that came, without secrets, for those alone who may; also of what went wrong."""
    problems = []
    with Fleet(build, count=3) as d:
        d.world.behave("hub", interleave=3)
        d.world.behave("spoke2", hang="show clock")
        d.on("hub", "show crypto ipsec sa")
        d.on("spoke", "show running-config")
        shown = tape(d, "hub")
        order = ["uid 0: show crypto ipsec sa\n", "= a session begins", "< hub>\\\n", "> enable\n", "< Password: \\\n", "> <removed>\n", "> terminal length 0\n",
                 "> terminal width 512\n", "> show crypto ipsec sa\n", "current_peer 192.0.2.3"]
        at = -1
        for wanted in order:
            found = shown.find(wanted, at + 1)
            if found < 0:
                problems.append(f"not on the tape, or not in its place: {wanted!r}")
            at = max(at, found)
        expect(problems, "the tape", shown, "< hub#\\\n", ": %SEC-6-IPACCESSLOGP: list OUTSIDE denied", absent=["hunter2", "\x1b"])
        expect(problems, "the tape of a configuration", tape(d, "spoke"), "< hostname spoke", "<removed>", absent=["hunter2"])
        rows = [json.loads(line) for line in tape(d, "hub", "--json").splitlines()]
        if {row["kind"] for row in rows} != {"note", "received", "sent", "done"} or {row["device"] for row in rows} != {"hub"}:
            problems.append(f"as JSON: {rows[:3]}")
        if [row["at"] for row in rows] != sorted(row["at"] for row in rows):
            problems.append("its times are not in order")
        expect(problems, "of no incident", tape(d, "hub", "--incident", "zzz"), "Nothing was done on hub for incident zzz yet.")
        expect(problems, "no device", tape(d, "elsewhere"), "no device 'elsewhere' is configured")
        expect(problems, "no name", tape(d, "../x"), "no device has such a name")
        for name in os.listdir(os.path.join(d.state, "core", "devices")):
            mode = os.stat(os.path.join(d.state, "core", "devices", name)).st_mode & 0o777
            if mode != 0o600:
                problems.append(f"{name}: mode {mode:o}")
        if os.stat(os.path.join(d.state, "core", "devices")).st_mode & 0o077:
            problems.append("others may look into the folder")
        d.on("spoke2", "show clock")
        expect(problems, "one that hangs", tape(d, "spoke2"), "> show clock\n", "= the session ends: it prints nothing any more")
        os.unlink(d.hosts)
        d.restart()
        d.on("hub", "show clock")
        shown = tape(d, "hub")
        expect(problems, "what ssh says", shown, "! ", "Host key verification failed.", "= the session ends: Host key verification failed.")
        return problems + (shown.splitlines()[-40:] + d.tail() if problems else [])


def shows(build):
    problems = []
    with Fleet(build) as d:
        status, shown = d.on("spoke", "show crypto ipsec sa")
        expect(problems, "SAs", shown, "current_peer 192.0.2.2", "inbound esp sas:", absent=["spoke#", "--More--", "hunter2"])
        problems += [f"SAs: exit status {status}"] if status else []
        if d.typed("spoke")[:4] != ["enable", "terminal length 0", "terminal width 512", "show crypto ipsec sa"]:
            problems.append(f"typed: {d.typed('spoke')}")
        before = d.clients("192.0.2.3")
        status, shown = d.on("spoke", "show crypto ipsec sa | include spi: 0x | count spi")
        expect(problems, "filtered here", shown, "Number of lines which match regexp = 3")
        if d.clients("192.0.2.3") != before or len(before) != 1:
            problems.append(f"another log-in for the second command: {before} {d.clients()}")
        if any("|" in line for line in d.typed("spoke")):
            problems.append(f"a pipe was typed: {d.typed('spoke')}")
        for pid, words in before.items():
            if "hunter2" in words or os.stat(f"/proc/{pid}").st_uid != pwd.getpwnam(d.user).pw_uid:
                problems.append(f"{pid}: {words}")
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                if "NoNewPrivs:\t1" not in file.read():
                    problems.append("ssh may get new privileges")
        status, shown = d.on("hub", "show nonsense")
        expect(problems, "a command that is none", shown, "Invalid input detected")
        status, shown = d.on("hub", "show running-config")
        expect(problems, "configuration", shown, "hostname hub", "<removed>", absent=["hunter2"])
        _, shown = shell(d, "enable\nshow spimend journal spoke\nshow spimend journal hub | json\nshow spimend journal elsewhere\n")
        expect(problems, "journals", shown, "Z uid 0: show crypto ipsec sa", '"spimend.device-journal/1","device":"hub"',
               "uid 0: show running-config", "no device 'elsewhere' is configured", absent=["hunter2", "include"])
        if not d.said("uid 0: on spoke: show crypto ipsec sa"):
            problems.append("the log does not say who typed what")
        if d.said("hunter2"):
            problems.append("the password is in the log")
        return problems + (d.tail() if problems else [])


def refusals(build):
    problems = []
    with Fleet(build) as d:
        for command, words in (("clear crypto sa peer 192.0.2.2", "is not known from a reading"), ("reload", "only 'show'"),
                               ("show version ; reload", "letters, digits"), ("show drops history qfp clear", "does not clear")):
            _, shown = d.on("spoke", command)
            expect(problems, command, shown, words)
        _, shown = d.on("nobody", "show version")
        expect(problems, "an unknown device", shown, "no device 'nobody' is configured")
        _, shown = shell(d, "on spoke show version\n")
        expect(problems, "without enable", shown, "Invalid input")
        if [line for line in d.typed("spoke") if line.startswith(("show", "clear", "reload"))]:
            problems.append(f"typed: {d.typed('spoke')}")
        # What keeps a log-in from happening, each said, and not tried again at once.
        with open(d.hosts, encoding="utf-8") as file:
            lines = file.read().splitlines()
        hub, spoke = (next(line for line in lines if f"[192.0.2.{n}]" in line) for n in (2, 3))
        with open(d.hosts, "w", encoding="utf-8") as file:
            file.write(spoke.replace(spoke.split()[2], hub.split()[2]) + "\n")
        _, shown = d.on("spoke", "show version")
        expect(problems, "a wrong host key", shown, "nobody can log in: Host key verification failed")
        _, shown = d.on("spoke", "show version")
        expect(problems, "again at once", shown, "it is not tried again yet")
        _, shown = d.on("hub", "show version")
        expect(problems, "no host key", shown, "Host key verification failed")
        shutil.copy(d.world.known_hosts, d.hosts)
        stranger = os.path.join(d.folder, "stranger")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True, stdin=subprocess.DEVNULL)
        d.write_devices(key=d.secret_file("other", open_text(stranger)))
        d.restart()
        _, shown = d.on("spoke", "show version")
        expect(problems, "another key", shown, "nobody can log in", "Permission denied")
        d.write_devices(enable=d.secret_file("wrong", "swordfish\n"))
        d.restart()
        _, shown = d.on("spoke", "show version")
        expect(problems, "a wrong password", shown, "does not give privileged mode", absent=["swordfish"])
        os.chmod(d.enable, 0o644)
        d.write_devices()
        d.restart()
        _, shown = d.on("spoke", "show version")
        expect(problems, "a password that others may read", shown, "others may read it")
        return problems + (d.tail() if problems else [])


# Both ways in which sshd takes a password; where it knows both, a second try would be a second failure.
BY_PASSWORD = {"sshd": "PubkeyAuthentication no\nPasswordAuthentication yes\nLogLevel VERBOSE\n"}
BY_QUESTION = {"sshd": BY_PASSWORD["sshd"] + "UsePAM yes\nKbdInteractiveAuthentication yes\n"}
ASKS_AGAIN = dict(BY_PASSWORD, motd="netops@192.0.2.6's password: ")  # in ssh's words, when it let us in


def failures(d, number):
    """What the sshd of that device says of log-ins that it did not let in."""
    return [line for line in d.world.read(f"host{number}.log").splitlines() if line.startswith("Failed ")]


def leaks(d, secret):
    """Where the secret stands that it should not: processes, the log, and all that the daemon keeps."""
    found = []
    places = [f"/proc/{pid}/{name}" for pid in d.processes() for name in ("cmdline", "environ")]
    for folder, _, files in os.walk(d.state):
        places += [os.path.join(folder, name) for name in files]
    for place in places:
        try:
            with open(place, "rb") as file:
                found += [place] if secret.encode() in file.read() else []
        except OSError:  # gone by now, or the socket of a connection that is shared
            pass
    return found + (["the log"] if d.said(secret) else [])


def slips(d):
    return [name for name in os.listdir(os.path.join(d.state, "ssh")) if name.startswith("ask")]


def passwords(build):
    """A password by reference: told to ssh alone, once, when ssh asks; one that is wrong locks nobody out."""
    problems = []
    wrong = "hunter3hunter3"
    ways = {"hub": BY_PASSWORD, "spoke": BY_QUESTION, "spoke2": BY_PASSWORD, "spoke3": BY_PASSWORD, "spoke4": ASKS_AGAIN}
    with Fleet(build, count=5, **ways) as d:
        secret = d.secret_file("password", PASSWORD + "\n")
        d.write_devices(login=f"password-file {secret}")
        d.restart()
        for device in "hub", "spoke":
            status, shown = d.on(device, "show clock")
            expect(problems, f"{device}, with its password", shown, "UTC", absent=["%"])
            expect(problems, f"the tape of {device}", tape(d, device), "! (the device took its password)\n", "> show clock\n", absent=[PASSWORD])
        problems += [f"a slip is left: {slips(d)}"] if slips(d) else []
        problems += [f"the password stands in {place}" for place in leaks(d, PASSWORD)]
        problems += [f"it was tried in vain: {failures(d, 0)} {failures(d, 1)}"] if failures(d, 0) + failures(d, 1) else []
        _, shown = d.on("spoke4", "show clock")
        expect(problems, "a device that asks when it let us in", shown, "UTC")
        if any(PASSWORD in str(line) for line in d.world.typed("spoke4")) or PASSWORD in tape(d, "spoke4"):
            problems.append("a device that asks in ssh's words was told the password")
        _, shown = shell(d, "enable\nshow running-config\n")
        expect(problems, "the configuration", shown, f" password-file {secret}", absent=[PASSWORD])
        # A wrong one: once on each, on three, and on no other.
        d.secret_file("password", wrong + "\n")
        d.restart()
        for number, device in enumerate(("hub", "spoke", "spoke2")):
            _, shown = d.on(device, "show clock")
            expect(problems, f"{device}, a wrong password", shown, "nobody can log in: its password was not taken")
            _, shown = d.on(device, "show clock")
            expect(problems, f"{device}, again at once", shown, "in a row; it is tried nowhere for" if number == 2 else "it is not tried again for")
            if len(failures(d, number)) != 1:
                problems.append(f"{device}: tried {failures(d, number)}")
        _, shown = d.on("spoke3", "show clock")
        expect(problems, "another device", shown, "not taken on 3 devices in a row")
        problems += [f"another device was tried: {failures(d, 3)}"] if failures(d, 3) else []
        problems += [f"the wrong password stands in {place}" for place in leaks(d, wrong)]
        problems += [f"a slip is left: {slips(d)}"] if slips(d) else []
        d.secret_file("password", PASSWORD + "\n")
        for device in "spoke3", "hub":
            _, shown = d.on(device, "show clock")
            expect(problems, f"{device}, with the right one in the file", shown, "UTC", absent=["%"])
        os.chmod(secret, 0o644)
        d.restart()
        _, shown = d.on("spoke2", "show clock")
        expect(problems, "a file that others may read", shown, "the file of its password: others may read it")
        problems += [f"it was tried all the same: {failures(d, 2)}"] if len(failures(d, 2)) != 1 else []
        return problems + (tape(d, "spoke").splitlines()[-30:] + d.tail() if problems else [])


class Gated(Fleet):
    """Behind a host in between, which takes a password too."""

    def connect(self):
        super().connect()
        ip("-n", self.space, "addr", "add", "192.0.2.99/24", "dev", "lo")
        self.world.jump_host("192.0.2.99", PORT, sshd=BY_PASSWORD["sshd"])

    def write_devices(self, **instead):
        super().write_devices(**instead)
        if "gate" not in instead:
            return
        with open(self.config, encoding="utf-8") as file:
            text = file.read().replace(" enable password-file", " ssh jump gate\n enable password-file")
        for name in instead.get("dead", ()):
            before, behind = text.split(f"device {name}\n")
            text = before + f"device {name}\n" + behind.replace(f"port {PORT}", f"port {PORT + 1}", 1)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"{text}device gate\n address 192.0.2.99\n platform ios\n"
                       f" ssh user {self.world.account} password-file {instead['gate']} port {PORT}\n")


def passwords_of_many(build):
    """A wrong one on many devices at once is as many failures as are allowed, not as many as there are devices."""
    problems = []
    with Gated(build, count=8, **{name: BY_PASSWORD for name in ("hub", "spoke", *(f"spoke{n}" for n in range(2, 8)))}) as d:
        secret, wrong = d.secret_file("password", PASSWORD + "\n"), d.secret_file("wrong", "hunter3hunter3\n")
        d.write_devices(login=f"password-file {wrong}")
        d.restart()
        told = []
        threads = [threading.Thread(target=lambda name=name: told.append(d.on(name, "show clock")[1])) for name in d.names()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        tried = [line for number in range(8) for line in failures(d, number)]
        if len(tried) != 3:
            problems.append(f"tried {len(tried)} times: {tried}")
        if len(told) != 8 or sum("its password was not taken" in one for one in told) != 3 or \
           sum("not taken on 3 devices in a row" in one for one in told) != 5:
            problems.append(f"told: {told}")
        # Each host of a log-in is told its own.
        d.write_devices(login=f"password-file {secret}", gate=wrong)
        d.restart()
        _, shown = d.on("spoke", "show clock")
        expect(problems, "a wrong one of the host in between", shown, "its password was not taken by the host in between")
        gate = os.path.join(d.world.folder, "jump.log")
        if open_text(gate).count("Failed password") != 1 or len(failures(d, 1)) > 1:
            problems.append(f"tried: {open_text(gate)} {failures(d, 1)}")
        d.write_devices(login=f"password-file {secret}", gate=secret)
        d.restart()
        _, shown = d.on("spoke", "show clock")
        expect(problems, "through the host in between", shown, "UTC")
        expect(problems, "its tape", tape(d, "spoke"), "! (the host in between took its password)\n", "! (the device took its password)\n")
        # Devices behind it that are dead say nothing of its password.
        d.write_devices(login=f"password-file {secret}", gate=secret, dead=("spoke2", "spoke3", "spoke4"))
        d.restart()
        for name in "spoke2", "spoke3", "spoke4":
            for shared in os.listdir(os.path.join(d.state, "ssh")):  # each log-in asks for the password anew
                os.unlink(os.path.join(d.state, "ssh", shared))
            _, shown = d.on(name, "show clock")
            expect(problems, f"{name}, which is dead", shown, "nobody can log in", absent=["its password"])
        _, shown = d.on("spoke", "show clock")
        expect(problems, "beside dead ones", shown, "UTC")
        problems += [f"a password stands in {place}" for place in leaks(d, PASSWORD) + leaks(d, "hunter3hunter3")]
        problems += [f"a slip is left: {slips(d)}"] if slips(d) else []
        return problems + (tape(d, "spoke").splitlines()[-30:] + d.tail() if problems else [])


def upgraded(build):
    """The program is another one by now, and the daemon not started anew: a password is told as before, and never an empty one."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="roles-") as folder:
        os.chmod(folder, 0o755)
        program = os.path.join(folder, "spimendd")
        for name in "spimend", "spimendd":
            shutil.copy(os.path.join(build, name), folder)
        with Fleet(folder, count=2, hub=BY_PASSWORD, spoke=BY_PASSWORD) as d:
            secret = d.secret_file("password", PASSWORD + "\n")
            d.write_devices(login=f"password-file {secret}")
            d.restart()
            _, shown = d.on("hub", "show clock")
            expect(problems, "before", shown, "UTC")
            shutil.copy(os.path.join(build, "spimendd"), program + ".new")
            os.replace(program + ".new", program)
            _, shown = d.on("spoke", "show clock")
            expect(problems, "behind an upgrade", shown, "UTC", absent=["%"])
            problems += [f"tried in vain: {failures(d, 1)}"] if failures(d, 1) else []
            return problems + (tape(d, "spoke").splitlines()[-30:] + d.tail() if problems else [])


def bad_manners(build):
    """A device that is slow, hangs, pages, talks in between or prints nonsense; another one is not disturbed by it."""
    problems = []
    with Fleet(build, count=5) as d:
        d.world.behave("spoke2", hang="show clock")
        d.world.behave("spoke3", interleave=3)
        d.world.behave("spoke4", pager=True)
        told = []
        thread = threading.Thread(target=lambda: told.append(d.on("spoke2", "show clock")))
        thread.start()
        began = time.monotonic()
        _, shown = d.on("hub", "show clock")
        expect(problems, "beside one that hangs", shown, "UTC")
        problems += ["a device that hangs holds up another"] if time.monotonic() - began > 15 else []
        _, shown = d.on("spoke3", "show crypto ipsec sa")
        expect(problems, "its log in between", shown, "inbound esp sas:", absent=["%SYS-", "%LINK"])
        _, shown = d.on("spoke4", "show crypto ipsec sa detail")
        expect(problems, "pages", shown, "inbound esp sas:", absent=["More"])
        thread.join(90)
        expect(problems, "one that hangs", told[0][1] if told else "", "% it did not answer in time: it prints nothing any more")
        return problems + (d.tail() if problems else [])


APPLET = """event manager applet look
 event none
 spimend device spoke
 action 1 cli command "enable"
 action 2 cli command "show crypto ipsec sa | include current_peer"
 action 3 regexp "current_peer ([0-9.]+)" "$_cli_result" match peer
 action 4 syslog msg "the peer is $peer"
"""


def applets(build):
    """What stands on a device is typed there; a device that there is not is refused when the file is read."""
    problems = []
    with Fleet(build) as d:
        with open(d.config, "a", encoding="utf-8") as file:
            file.write(APPLET)
        d.restart()
        shell(d, "enable\nevent manager run look\n")
        if not wait_for(lambda: d.said("look: the peer is 192.0.2.2")):
            problems.append("the applet did not see its device")
        if d.typed("spoke")[-1:] != ["show crypto ipsec sa"] or any("crypto" in line for line in d.typed("hub")):
            problems.append(f"typed: {d.typed('spoke')} {d.typed('hub')}")
        with open(d.config, "a", encoding="utf-8") as file:
            file.write(APPLET.replace("look", "other").replace("device spoke", "device nowhere"))
        status, said = d.run("-n")
        expect(problems, "an unknown device", said,
               "applet other stands on device 'nowhere': no line 'device' of the configuration names that one")
        problems += [] if status == 2 else [f"exit status {status}"]
        return problems + (d.tail() if problems else [])


def roles_die(build):
    problems = []
    with Fleet(build) as d:
        for role, words in (("ssh", "the role ssh ended"), ("sense", "ended")):
            d.world.behave("spoke", hang="show clock")
            told = []
            thread = threading.Thread(target=lambda told=told: told.append(d.on("spoke", "show clock")))
            thread.start()
            if not wait_for(lambda: d.typed("spoke")[-1:] == ["show clock"], 20):
                problems.append(f"{role}: nobody asks")
            os.kill(d.roles()[role], 9)
            thread.join(60)
            expect(problems, f"{role} died", told[0][1] if told else "no answer", words)
            d.world.behave("spoke")
            d.on("spoke", "show version")
            if not wait_for(lambda: "UTC" in d.on("hub", "show clock")[1], 20):
                problems.append(f"{role}: it does not go on")
        if not wait_for(lambda: len(d.clients()) <= 2, 5):
            problems.append(f"clients are left: {d.clients()}")
        status = d.stop()
        problems += [] if status == 0 else [f"exit status {status}"]
        if not wait_for(lambda: not d.clients(), 5):
            problems.append(f"clients are left behind: {d.clients()}")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("what devices show, over ssh", shows),
    ("every byte of it is kept, without secrets", taped),
    ("what is not typed on devices, and whom nobody logs in to", refusals),
    ("a password by reference, told once and to ssh alone", passwords),
    ("passwords of many devices, and of a host in between", passwords_of_many),
    ("a password, when the program was replaced", upgraded),
    ("devices with bad manners hold up nobody else", bad_manners),
    ("an applet that stands on a device", applets),
    ("the roles that talk to devices may die", roles_die),
]
SANITIZED = TESTS
