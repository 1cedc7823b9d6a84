# SPDX-License-Identifier: MIT
"""One line a test and a closing count: what every suite prints and scripts/check adds up.

    ok   unit/test_text/takes a word
    FAIL house/one way of dependencies
         src/parse/log.c:12: parse may not include judge/ledger.h
    skip fuzz/syslog: clang is not installed
    suite unit: passed 12, failed 0, skipped 0
"""
import os
import re
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSING = re.compile(r"^suite (\S+): passed (\d+), failed (\d+), skipped (\d+)$")


class Suite:
    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0

    def _line(self, word, test, detail=""):
        print(f"{word:<4} {self.name}/{test}", flush=True)
        for line in detail.rstrip().splitlines():
            print(f"     {line}")
        sys.stdout.flush()

    def ok(self, test):
        self.passed += 1
        self._line("ok", test)

    def fail(self, test, detail=""):
        self.failed += 1
        self._line("FAIL", test, detail)

    def skip(self, test, why):
        self.skipped += 1
        self._line("skip", f"{test}: {why}")

    def judge(self, test, problems):
        """Passes when there are no problems (a list of lines)."""
        if problems:
            self.fail(test, "\n".join(problems))
        else:
            self.ok(test)

    def close(self):
        """Prints the count; returns the exit status: a suite that ran nothing has failed."""
        print(f"suite {self.name}: passed {self.passed}, failed {self.failed}, skipped {self.skipped}", flush=True)
        return 1 if self.failed or not self.passed + self.skipped else 0


class Result:
    def __init__(self, status, out, err, timed_out):
        self.status, self.out, self.err, self.timed_out = status, out, err, timed_out

    def tail(self, lines=30):
        text = (self.out + self.err).decode("utf-8", "replace").splitlines()
        return "\n".join(text[-lines:])


def run(command, timeout=60, env=None, cwd=ROOT, stdin=b""):
    """Runs a command in its own process group and leaves none of it behind."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=env, cwd=cwd, start_new_session=True)
    timed_out = False
    try:
        out, err = child.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        kill_group(child.pid)
        out, err = child.communicate()
    finally:
        kill_group(child.pid)
        child.wait()
    return Result(child.returncode, out, err, timed_out)


def build_check(*targets, timeout=500):
    """Builds targets of build-check/ as the user whose tree it is, also from a suite that runs as root."""
    options = ["-Db_sanitize=address,undefined", "-Dwerror=true", "-Dbuildtype=debug", "-Doptimization=1"]
    env = dict(os.environ, CC=os.environ.get("CC", "gcc"), SPIMEND_BUILD_TARGETS=" ".join(targets))
    return run(["scripts/as-user", "scripts/build", "build-check", *options], timeout=timeout, env=env)


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
