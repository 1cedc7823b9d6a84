# SPDX-License-Identifier: MIT
"""A spimendd of one's own: a network namespace with an interface, a configuration, a state directory, and what it says."""
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROLES = ("sense", "core", "act", "dial")


def wait_for(what, seconds=10):
    """What `what()` returns as soon as that is true, or its last value."""
    late = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > late:
            return found
        time.sleep(0.02)


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Daemon:
    """`with Daemon(build, "sense xfrm") as d:` in a namespace with the veth "in"; ends it and removes everything."""
    numbers = itertools.count(1)

    def __init__(self, build, *lines, state=None, start=True, user="nobody"):
        self.build, self.lines, self.user = build, list(lines), user
        self.state_given, self.starts = state, start

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="roles-")
        os.chmod(self.folder, 0o755)
        self.space = f"spro{os.getpid()}x{next(Daemon.numbers)}"
        self.state = self.state_given or os.path.join(self.folder, "state")
        self.control = os.path.join(self.folder, "run", "control")
        self.config = os.path.join(self.folder, "spimend.conf")
        self.log = os.path.join(self.folder, "log")
        self.process, self.others = None, []
        try:
            ip("netns", "add", self.space)
            ip("-n", self.space, "link", "set", "lo", "up")
            self.add_link()
            self.write()
            if self.starts:
                self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        for other in self.others:
            other.kill()
            other.wait()
        subprocess.run(["ip", "netns", "del", self.space], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def add_link(self):
        ip("-n", self.space, "link", "add", "in", "type", "veth", "peer", "name", "out")
        ip("-n", self.space, "link", "set", "in", "up")
        ip("-n", self.space, "link", "set", "out", "up")

    def remove_link(self):
        ip("-n", self.space, "link", "del", "in")

    def write(self, *more, text=None):
        text = text if text is not None else "\n".join(
            ["hostname test", "spimend", f" user {self.user}", f" state-directory {self.state}",
             f" control-socket {self.control}", *(f" {line}" for line in self.lines), *(f" {line}" for line in more), ""])
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def command(self, *options):
        return ["ip", "netns", "exec", self.space, os.path.join(self.build, "spimendd"), *options, "-c", self.config]

    def run(self, *options, timeout=20, env=None):
        """A spimendd that ends by itself: (exit status, what it said)."""
        done = subprocess.run(self.command(*options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False, env=env, text=True)
        return done.returncode, done.stdout

    def start(self, env=None, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command("-f"), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        if wait and not wait_for(lambda: self.said("ready:") or self.process.poll() is not None):
            raise RuntimeError("it did not come up: " + self.text())
        return self

    def text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def said(self, words, since=0):
        return words in self.text()[since:]

    def tail(self):
        """What it said last, and what a sanitizer had to say."""
        lines = self.text().splitlines()
        bad = next((at for at, line in enumerate(lines) if "runtime error" in line or "ERROR: AddressSanitizer" in line), None)
        return ([] if bad is None else lines[bad:bad + 25]) + lines[-12:]

    def stop(self, seconds=10):
        """Its exit status after SIGTERM; None when it does not end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        wait_for(lambda: not self.processes(), 5)

    def processes(self):
        """{pid: words} of all that run in the namespace."""
        found = {}
        pids = subprocess.run(["ip", "netns", "pids", self.space], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False, text=True).stdout.split()
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found[int(pid)] = file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            except OSError:
                pass
        return found

    def roles(self):
        return {role: pid for pid, words in self.processes().items() for role in (*ROLES, "ssh", "web") if words.endswith(f"--role={role}")}

    def status_of(self, pid):
        """/proc/PID/status as a dictionary."""
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}

    def ask(self, command="status", json_form=True, ident=None, uid=None, **more):
        """(exit status, text) as the control socket answers; None when it does not."""
        def talk():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(5)
                line.connect(self.control)
                line.sendall(json.dumps({"spimend": 1, "command": command, "id": ident, "json": json_form, **more}).encode() + b"\n")
                got = b""
                while True:
                    part = line.recv(65536)
                    if not part:
                        break
                    got += part
            head, _, rest = got.partition(b"\n")
            return json.loads(head), rest.decode("utf-8", "replace")
        if uid is None:
            try:
                return talk()
            except (OSError, ValueError):
                return None
        return as_user(uid, talk)

    def page(self):
        """`spimend status` for people; while nobody answers, nothing that a test waits for is in it."""
        got = self.ask(json_form=False)
        return got[1] if got else "is away"

    def answers(self):
        got = self.ask()
        return bool(got) and "spimend.status" in got[1]

    def spimend(self, *arguments):
        done = subprocess.run([os.path.join(self.build, "spimend"), *arguments, "--socket", self.control],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                              check=False, text=True)
        return done.returncode, done.stdout


def as_user(uid, deed):
    """What `deed()` returns in a process of that user, or the name of the exception that it ends with."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            said = json.dumps(deed())
        except Exception as error:  # noqa: BLE001 whatever it is, it is told
            said = json.dumps(type(error).__name__)
        os.write(theirs, said.encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return json.loads(said)
