# SPDX-License-Identifier: MIT
"""spimendd beside a gateway, B unless it is said, with a configuration that the lab writes: the interface, charon's VICI
socket, and nothing else of the lab. What it says is read as any user reads it, with the program spimend over the control
socket."""
import json
import os
import signal
import subprocess
import time

from gateway import write
from net import LabError, send

ROLES = ("sense", "core", "act", "dial")

CONFIG = """\
hostname {hostname}
crypto isakmp invalid-spi-recovery
{commands}spimend
 mode {mode}
 user nobody
 state-directory {folder}/state
 control-socket {folder}/control
 sense interface v{name}
 sense strongswan {vici}{plugin}
"""


class Spimendd:
    def __init__(self, lab, side="B"):
        self.lab, self.side = lab, side
        self.gateway = lab.b if side == "B" else lab.a
        self.folder = lab.path("spimendd" if side == "B" else f"spimendd-{side}")
        self.control = os.path.join(self.folder, "control")
        self.log = os.path.join(self.folder, "log")
        self.build = os.environ.get("SPIMEND_LAB_BUILD") or "build"  # the folder that has the programs

    def program(self, name):
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        path = os.path.join(here, self.build, name)
        if not os.access(path, os.X_OK):
            raise LabError(f"{path} is not built: make")
        return path

    def _pid_file(self):
        return os.path.join(self.folder, "pid")

    def pid(self):
        """The parent's, while it runs."""
        try:
            with open(self._pid_file(), encoding="ascii") as file:
                pid = int(file.read())
        except (OSError, ValueError):
            return None
        return pid if pid in self.lab.net.processes(self.side) else None

    def roles(self):
        """{role: pid} of the processes that the parent started."""
        parent, found = self.pid(), {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
                if fields[0] == "Z" or int(fields[1]) != parent:
                    continue
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().replace(b"\0", b" ").decode("utf-8", "replace").split()
            except (OSError, ValueError, IndexError):
                continue
            for role in ROLES:
                if any(word in (role, f"--role={role}") or word.endswith(f":{role}") for word in words):
                    found[role] = int(entry)
        return found

    def start(self, mode="repair", extra=(), commands=(), hostname=None):
        """Starts it and waits until it answers and has read charon's SAs. Ledger and incidents stay where they are.
        `extra` are lines of the block spimend, `commands` those in front of it."""
        if self.pid():
            raise LabError("spimendd runs already: lab/lab stop-spimendd")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o711)
        plugin = f" plugin {self.gateway.product_path}" if self.lab.options["product"] else ""
        write(os.path.join(self.folder, "conf"),
              CONFIG.format(name=self.side, hostname=hostname or self.side, mode=mode,
                            commands="".join(f"{line}\n" for line in commands),
                            folder=self.folder, vici=self.gateway.vici_path, plugin=plugin)
              + "".join(f" {line}\n" for line in extra))
        self._run()

    def restart(self):
        """Ends it in good order and starts it again, with the configuration that it had."""
        self.stop()
        self._run()

    def begin(self):
        """Starts it with the configuration that it had, and does not wait for it to know a tunnel."""
        child = self.lab.net.start(self.side, [self.program("spimendd"), "-f", "-c", os.path.join(self.folder, "conf")], self.log)
        self.lab.adopt(child)
        write(self._pid_file(), str(child.pid))

    def _run(self):
        program = self.program("spimendd")
        child = self.lab.net.start(self.side, [program, "-f", "-c", os.path.join(self.folder, "conf")], self.log)
        self.lab.adopt(child)
        write(self._pid_file(), str(child.pid))
        try:
            self.lab.wait(lambda: child.poll() is not None or self.knows_tunnel(), 10, "spimendd to know the tunnel")
        except LabError as error:
            raise LabError(f"{error}; {self.last_words()}") from None
        if child.poll() is not None:
            raise LabError(f"spimendd ended with status {child.returncode}; {self.last_words()}")

    def last_words(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            lines = []
        return f"{self.log}: {lines[-1] if lines else 'empty'}"

    def stop(self):
        """True when it ran."""
        pid = self.pid()
        if not pid:
            return False
        send(pid, signal.SIGTERM)
        late = time.monotonic() + 10
        while self.pid():
            for child in self.lab.children:
                child.poll()
            if time.monotonic() > late:
                send(pid, signal.SIGKILL)
                raise LabError(f"spimendd did not end within 10 s; {self.last_words()}")
            time.sleep(0.02)
        return True

    # --- asking -------------------------------------------------------------------------------------------------------

    def command(self, *arguments):
        return [self.program("spimend"), *arguments, "--socket", self.control]

    def ask(self, *arguments):
        """(exit status, standard output)"""
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        if done.returncode not in (0, 1):
            raise LabError(f"spimend {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
        return done.returncode, done.stdout

    def type(self, *lines, privileged=True):
        """What its command line prints when these are typed into one session; it need not like them."""
        text = "\n".join((["enable"] if privileged else []) + list(lines)) + "\n"
        done = subprocess.run(self.command("shell"), input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20, check=False)
        return done.stdout

    def said(self, words, start=0):
        """The lines of its log from byte `start` on that have these words."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                file.seek(start)
                return [line.rstrip("\n") for line in file if words in line]
        except FileNotFoundError:
            return []

    def objects(self, *arguments):
        return [json.loads(line) for line in self.ask(*arguments, "--json")[1].splitlines()]

    def incidents(self):
        return [found for found in self.objects("incidents") if found["schema"].startswith("spimend.incident/")]

    def status(self):
        return self.objects("status")

    def knows_tunnel(self):
        """It has connected to charon, and lists the SPIs that its gateway has now."""
        try:
            shown = self.ask("status")[1].lower()
            return all(child["spi-in"] in shown for child in self.gateway.children())
        except (LabError, OSError):
            return False
