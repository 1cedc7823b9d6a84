# SPDX-License-Identifier: MIT
"""How a test starts a world: see README.md, "For tests"."""
import grp
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from . import processes

HERE = os.path.dirname(os.path.abspath(__file__))
SSHD = "/usr/sbin/sshd"
# Root's sshd has accounts of its own; each has a shell, which ForceCommand runs through.
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
ACCOUNT = "{name}:{password}:{uid}:65534::/:/bin/sh\n"
PAM = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
CAGE = """mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/pam" /etc/pam.d && shift && exec "$@" """
CONFIG = """{listen}
{more}HostKey {folder}/{key}
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
MaxStartups 2000
MaxSessions 100
LogLevel ERROR
Banner {banner}
ForceCommand exec {entry} {folder}/session
DisableForwarding yes
"""
# The first value counts: these stand before CONFIG's.
JUMP = "ForceCommand exec false\nAllowTcpForwarding local\nX11Forwarding no\nAllowAgentForwarding no\n"
LISTEN_MAX = 16  # addresses an sshd takes


class Failed(Exception):
    """What the world's process said no to."""


def missing():
    """What this needs and has not got: programs, and an account that sshd lets in."""
    lacking = [name for name in (SSHD, "ssh", "ssh-keygen", "nc", "stty", "unshare") if not shutil.which(name)]
    if os.getuid() and pwd.getpwuid(os.getuid()).pw_shell.endswith(("nologin", "false")):
        lacking.append("a login shell of this account")
    if os.getuid() and not terminals():
        lacking.append("terminals that belong to the group tty (or root)")
    return lacking


def terminals():
    """sshd without root cannot give a terminal away, so it must belong to the right group from the beginning."""
    pair = os.openpty()
    try:
        return os.fstat(pair[1]).st_gid == grp.getgrnam("tty").gr_gid
    finally:
        for fd in pair:
            os.close(fd)


class World:
    """with World() as w: after device(), tunnel(), sdwan() and start(), `w.ssh(name)` is a client's command line."""

    def __init__(self, parent=None, inside=(), accounts=("netops", "reader"), password=None, **options):
        """`inside` goes before every process (["ip", "netns", "exec", NAME]); accounts: who may log in, where we are root
        (else only the account that runs this); password: of these, for an sshd that takes one: PasswordAuthentication yes,
        or UsePAM yes and KbdInteractiveAuthentication yes (device(sshd=...)); options: seed, start (epoch), speed."""
        self.folder = tempfile.mkdtemp(prefix="ios-", dir=parent)
        os.chmod(self.folder, 0o755)
        self.inside = list(inside)
        self.accounts = list(accounts) if os.getuid() == 0 else [pwd.getpwuid(os.getuid()).pw_name]
        self.account, self.jump, self.password = self.accounts[0], None, password
        self.spec = dict(options, devices=[], tunnels=[])
        self.devices, self.processes, self.listeners, self.numbers = {}, [], {}, itertools.count(1)
        self.wire = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    # --- what there is

    def device(self, name, ssh=True, sshd="", **options):
        """Options: device.py, DEFAULTS. A host of its own on loopback, unless one is given. sshd: lines for its sshd,
        such as "Ciphers aes128-cbc\\n"."""
        number = next(self.numbers)
        options.setdefault("host", f"127.77.{number // 250}.{number % 250 + 1}")
        if ssh and not options.get("port"):
            options["port"] = free_port(options["host"])
        self.devices[name] = dict(options, name=name)
        self.spec["devices"].append(self.devices[name])
        self.devices[name] = dict(options, name=name, ssh=ssh, sshd=sshd)
        return self

    def tunnel(self, a, b, kind="svti", **options):
        """kind: of both ends, or [a's, b's]. ike=1|2, pps=N or [a's, b's], dpd=[interval, retries], a_address, b_address,
        a_public, a_end={...}, b_end={...} (ike.py, End)."""
        self.spec["tunnels"].append(dict(options, a=a, b=b, kind=kind))
        return self

    def sdwan(self, *edges, **options):
        """edges: {"device", "system_ip", "site", "tlocs": [{"color", "address"}]}; options: hubs=[names], pairwise, rekey."""
        self.spec["sdwan"] = dict(options, edges=list(edges))
        return self

    def jump_host(self, host="127.77.200.1", port=0, sshd=""):
        """A machine whose sshd only passes connections on: place it before start(); self.jump is its (host, port)."""
        self.jump, self.jump_lines = (host, port or free_port(host)), sshd
        return self

    # --- start and end

    def start(self, shared=False):
        """shared: one sshd and host key for up to 16 devices."""
        try:
            self.bring_up(LISTEN_MAX if shared else 1)
        except BaseException:
            self.end()
            raise
        return self

    def bring_up(self, step):
        self.write("world.json", json.dumps(self.spec))
        self.spawn([sys.executable, "-m", "ios.serve", self.folder], "world.log", stdin=subprocess.PIPE,
                   env=dict(os.environ, PYTHONPATH=os.path.dirname(HERE), PYTHONDONTWRITEBYTECODE="1"))
        self.keygen("client")
        hashed = self.hashed()
        self.write("passwd", ACCOUNTS + "".join(
            ACCOUNT.format(name=name, uid=12345 + number, password=hashed) for number, name in enumerate(self.accounts)))
        os.mkdir(os.path.join(self.folder, "pam"))
        self.write("pam/sshd", PAM)
        wanted = [one for one in self.devices.values() if one["ssh"]]
        known = ""
        for number, at in enumerate(range(0, len(wanted), step)):
            group = wanted[at:at + step]
            known += self.sshd(f"host{number}", group)
        if self.jump:
            known += self.sshd("jump", [{"name": "", "host": self.jump[0], "port": self.jump[1], "sshd": self.jump_lines}], JUMP)
        self.write("known", known)
        self.wait(lambda: "ready" in self.read("world.log"))
        for one in wanted:
            self.wait(lambda one=one: self.reaches(one["host"], one["port"]))
        if self.jump:
            self.wait(lambda: self.reaches(*self.jump))
        self.order("listeners", pids=[process.pid for process in self.processes[1:]])  # to be ended should we be killed

    def hashed(self):
        if not self.password:
            return "x"
        return subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=self.password + "\n", stdout=subprocess.PIPE, check=True,
                              text=True).stdout.strip()

    def sshd(self, key, group, forced=None):
        self.keygen(key)
        banner = group[0].get("login")
        if banner:
            self.write(f"{key}.banner", banner + "\n")
        listen = "\n".join(f"ListenAddress {one['host']}:{one['port']}" for one in group)
        text = CONFIG.format(listen=listen, folder=self.folder, key=key, entry=os.path.join(HERE, "entry"),
                             banner=os.path.join(self.folder, f"{key}.banner") if banner else "none", more=group[0].get("sshd", ""))
        if forced:
            text = forced + text.replace("DisableForwarding yes\n", "")
        self.write(f"{key}.config", text)
        command = [SSHD, "-D", "-e", "-f", os.path.join(self.folder, f"{key}.config")]
        if os.getuid() == 0:
            command = ["unshare", "-m", "sh", "-c", CAGE, "sh", self.folder, *command]
        process = self.spawn(command, f"{key}.log")
        self.listeners.update((one["name"], process) for one in group)
        line = " ".join(self.read(f"{key}.pub").split()[:2])
        return "".join(f"{one['host'] if one['port'] == 22 else '[{host}]:{port}'.format(**one)} {line}\n" for one in group)

    def freeze(self, name):
        """Its sshd takes connections and says nothing, not even its version; sessions that are there go on."""
        os.kill(self.listeners[name].pid, signal.SIGSTOP)

    def thaw(self, name):
        os.kill(self.listeners[name].pid, signal.SIGCONT)

    def unplug(self, name):
        """Connections are refused, sessions end: for good."""
        process = self.listeners[name]
        kill(process)
        self.processes.remove(process)

    def end(self):
        if self.wire:
            self.wire.close()
        for process in reversed(self.processes):
            kill(process)
            if process.stdin:
                process.stdin.close()
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- for clients

    @property
    def key(self):
        return os.path.join(self.folder, "client")

    @property
    def known_hosts(self):
        return os.path.join(self.folder, "known")

    def place(self, name):
        """(host, port) of its sshd."""
        return self.devices[name]["host"], self.devices[name]["port"]

    def ssh(self, name, *words, options=(), tty=True, identity=None, account=None):
        host, port = self.place(name)
        options = [*options, f"IdentityFile={identity or self.key}", f"UserKnownHostsFile={self.known_hosts}", "BatchMode=yes", "LogLevel=ERROR",
                   "IdentitiesOnly=yes", "StrictHostKeyChecking=yes"]
        return [*self.inside, "ssh", "-F", "none", "-e", "none", "-tt" if tty else "-T", "-p", str(port),
                *(f"-o{one}" for one in options), f"{account or self.account}@{host}", *words]

    # --- the world's process

    def order(self, do, **args):
        if self.wire is None:
            self.wire = socket.socket(socket.AF_UNIX)
            self.wire.settimeout(60)
            self.wire.connect(os.path.join(self.folder, "control"))
            self.lines = self.wire.makefile("rb")
        self.wire.sendall(json.dumps(dict(args, do=do)).encode() + b"\n")
        answer = json.loads(self.lines.readline() or b'{"ok": false, "error": "the world has ended"}')
        if not answer["ok"]:
            raise Failed(answer["error"])
        return answer["result"]

    def fault(self, name, **args):
        """faults.py says which there are."""
        return self.order("fault", name=name, **args)

    def behave(self, device, **args):
        """misbehaviour.py; without arguments: well again. For sessions that begin afterwards."""
        return self.order("behave", device=device, **args)

    def advance(self, seconds):
        """Lets the world's time pass at once: traffic, lifetimes, log limits."""
        return self.order("advance", seconds=seconds)

    def state(self, device):
        """The truth (snapshot.py)."""
        return self.order("state", device=device)

    def log(self, device):
        return self.order("log", device=device)

    def say(self, device, message):
        """A log line of the device's: "%SYS-5-CONFIG_I: ..."."""
        return self.order("say", device=device, message=message)

    def change(self, device, **args):
        return self.order("set", device=device, **args)

    def typed(self, device=None):
        """All commands, in their order: {"at", "device", "session", "user", "privilege", "command"}."""
        return self.order("typed", device=device)

    def transcripts(self, device):
        """The sessions with it, oldest first: a list of {"at", "what": login|typed|out|answered|paged|end, "text"} each."""
        self.order("flush")
        folder = os.path.join(self.folder, "transcripts")
        names = [name for name in os.listdir(folder) if name.rsplit("-", 1)[0] == device]
        result = []
        for name in sorted(names, key=lambda name: int(name.rsplit("-", 1)[1].split(".")[0])):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                result.append([json.loads(line) for line in file if line.endswith("\n")])
        return result

    # --- small things

    def spawn(self, command, log, stdin=subprocess.DEVNULL, **more):
        with open(os.path.join(self.folder, log), "wb") as out:
            process = subprocess.Popen([*self.inside, *command], stdin=stdin, stdout=out, stderr=out, start_new_session=True,
                                       **more)
        self.processes.append(process)
        return process

    def keygen(self, name):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", os.path.join(self.folder, name)],
                       check=True, stdin=subprocess.DEVNULL)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, done, seconds=20):
        until = time.monotonic() + seconds
        while not done():
            dead = [process.args for process in self.processes if process.poll() is not None]
            if dead or time.monotonic() > until:
                logs = "".join(self.read(name) for name in sorted(os.listdir(self.folder)) if name.endswith(".log"))
                raise Failed(f"the world does not come up: {dead} {logs}")
            time.sleep(0.02)

    def reaches(self, host, port):
        if self.inside:
            probe = [*self.inside, "nc", "-z", host, str(port)]
            return subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 0
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            return False


def kill(process):
    """The process and what it started, by their ids."""
    for pid in [process.pid, *processes.descendants(process.pid)]:
        processes.end(pid)
    process.wait()


def free_port(host):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
