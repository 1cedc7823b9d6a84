# SPDX-License-Identifier: MIT
"""A person at a device: types, and waits for what should come."""
import os
import re
import select
import signal
import subprocess
import time

PROMPT = r"[\w-]+(\([\w-]+\))?[>#]$"


class Late(Exception):
    """What should have come did not."""


class Client:
    def __init__(self, world, device, options=(), tty=True, seconds=10):
        self.seconds, self.all = seconds, ""
        self.process = subprocess.Popen(world.ssh(device, options=options, tty=tty), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self, seconds):
        """What is there, or comes within that time; None at the end."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return ""
        data = self.process.stdout.read()
        if not data:
            return None
        text = data.decode("utf-8", "replace")
        self.all += text
        return text

    def until(self, pattern=PROMPT, seconds=None):
        """Reads on until the end of what came matches; that text."""
        got, last = "", time.monotonic() + (seconds or self.seconds)
        while not re.search(pattern, got):
            more = self.read(max(last - time.monotonic(), 0))
            if more is None or not more and time.monotonic() >= last:
                raise Late(f"waited for {pattern!r}, {'the connection ended' if more is None else 'nothing more'} after: {got[-900:]!r}")
            got += more
        return got

    def silent(self, seconds=0.4):
        """Whether nothing comes for so long."""
        return self.read(seconds) == ""

    def ended(self, seconds=5):
        last = time.monotonic() + seconds
        while time.monotonic() < last:
            if self.read(0.2) is None:
                return True
        return False

    def press(self, keys):
        try:
            self.process.stdin.write(keys.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def do(self, command, pattern=PROMPT, seconds=None):
        """Types a command; what came after its echo, without the prompt, with plain line ends."""
        self.press(command + "\r")
        got = self.until(pattern, seconds)
        return "\n".join(got.replace("\r\n", "\n").split("\n")[1:-1])

    def login(self, *commands):
        """To the privileged prompt, without pages."""
        self.until()
        for command in ("enable", "terminal length 0", "terminal width 512", *commands):
            self.do(command)
        return self
