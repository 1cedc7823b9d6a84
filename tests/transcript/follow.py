# SPDX-License-Identifier: MIT
"""`spimend analyze --follow` while the file grows, is rotated and truncated, and on a pipe: a shell line cannot wait for
what it says in between."""
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time

PATIENCE = 20  # seconds until something that should be said must have been said
LINE = ("Nov  3 {time} gw1 100: Nov  3 {time}.100: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi "
        "for destaddr=192.0.2.1, prot=50, spi=0x{spi:08X}({spi}), srcaddr={src}\n")


def line(time_of_day, spi=0x3D0012AB, src="198.51.100.7"):
    return LINE.format(time=time_of_day, spi=spi, src=src)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


class Follower:
    """The program, and what it says, object by object."""
    def __init__(self, spimend, files, stdin=subprocess.DEVNULL):
        self.child = subprocess.Popen([spimend, "analyze", "--json", "--follow", "--now", "2026-11-20T00:00:00Z", *files],
                                      stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = queue.Queue()
        self.heard = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for raw in self.child.stdout:
            self.said.put(raw)
        self.said.put(None)

    def wait_for(self, what, test):
        """The next object that passes the test; raises with what came instead."""
        until = time.monotonic() + PATIENCE
        while (left := until - time.monotonic()) > 0:
            try:
                raw = self.said.get(timeout=left)
            except queue.Empty:
                break
            if raw is None:
                raise AssertionError(f"ended before {what}; said {self.brief()}; stderr: {self.child.stderr.read()!r}")
            self.heard.append(json.loads(raw))
            if test(self.heard[-1]):
                return self.heard[-1]
        raise AssertionError(f"no {what} within {PATIENCE} s; said {self.brief()}")

    def wait_for_verdict(self, verdict, spi=0x3D0012AB):
        return self.wait_for(f"{verdict} of {spi:#x}",
                             lambda one: one.get("verdict") == verdict and one.get("spi") == f"{spi:#x}")

    def brief(self):
        return [(one.get("verdict"), one.get("spi"), one.get("messages")) for one in self.heard]

    def stop(self, signal_number=None):
        """Returns (summary, exit status)."""
        if signal_number:
            self.child.send_signal(signal_number)
        summary = self.wait_for("summary", lambda one: one["schema"] == "spimend.summary/1")
        return summary, self.child.wait(PATIENCE)

    def end(self):
        self.child.kill()
        self.child.wait()


def grows_and_rotates(spimend, folder):
    log = os.path.join(folder, "routers.log")
    append(log, line("09:00:00"))
    follower = Follower(spimend, [log])
    try:
        first = follower.wait_for_verdict("undecided")
        append(log, line("09:01:01"))
        again = follower.wait_for_verdict("desync")
        assert again["messages"] == 2 and again["rule"] == "log-repeat", again
        assert first["id"] == again["id"], "the id changed with the verdict"
        os.rename(log, log + ".1")
        append(log + ".1", line("09:02:02"))  # syslogd writes on until it is told
        append(log, line("09:03:00", 0x5E000001, "198.51.100.8"))
        other = follower.wait_for_verdict("undecided", 0x5E000001)
        assert other["evidence"][0]["from"].endswith("routers.log:1"), other["evidence"]
        os.truncate(log, 0)
        time.sleep(1)  # who truncates and writes the same length at once is not noticed by anybody
        append(log, line("09:04:30", 0x5E000001, "198.51.100.8"))
        follower.wait_for_verdict("desync", 0x5E000001)
        half = line("09:05:30", 0x6F000001, "198.51.100.9")
        append(log, half[:90])
        time.sleep(0.5)
        append(log, half[90:])
        follower.wait_for_verdict("undecided", 0x6F000001)
        summary, status = follower.stop(signal.SIGINT)
        assert summary["messages"] == 6 and summary["unparsed"] == 0, summary
        assert summary["verdicts"]["desync"] == 2, summary
        assert status == 1, f"exit status {status}"
    finally:
        follower.end()


def waits_for_a_file(spimend, folder):
    """Nothing wrong: SIGTERM ends it with 0; and what did not change is not said twice."""
    log = os.path.join(folder, "quiet.log")
    append(log, line("09:00:00"))
    follower = Follower(spimend, [log])
    try:
        follower.wait_for_verdict("undecided")
        append(log, "Nov  3 09:01:00 gw1 7: Nov  3 09:01:00.000: %SYS-6-LOGOUT: User netops has exited tty session 1\n")
        append(log, "Nov  3 09:20:00 gw1 8: Nov  3 09:20:00.000: %SYS-6-LOGOUT: User netops has exited tty session 1\n")
        follower.wait_for_verdict("transient")
        summary, status = follower.stop(signal.SIGTERM)
        assert status == 0, f"exit status {status}"
        said = [one["verdict"] for one in follower.heard if "verdict" in one]
        assert said == ["undecided", "transient"], said
    finally:
        follower.end()


def reads_a_pipe(spimend, _folder):
    reading, writing = os.pipe()
    follower = Follower(spimend, ["-"], stdin=reading)
    os.close(reading)
    try:
        os.write(writing, line("09:00:00").encode())
        follower.wait_for_verdict("undecided")
        os.write(writing, line("09:01:01").encode())
        follower.wait_for_verdict("desync")
        os.close(writing)
        writing = -1
        summary, status = follower.stop()
        assert status == 1 and summary["lines"] == 2, (status, summary)
    finally:
        if writing >= 0:
            os.close(writing)
        follower.end()


TESTS = {"follow: a file that grows, is rotated and truncated": grows_and_rotates,
         "follow: only what changed is said": waits_for_a_file,
         "follow: a pipe, to its end": reads_a_pipe}


def run(suite, spimend):
    for name, test in TESTS.items():
        with tempfile.TemporaryDirectory(prefix="follow-") as folder:
            try:
                test(spimend, folder)
                suite.ok(name)
            except (AssertionError, OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
                suite.fail(name, str(error) or repr(error))
