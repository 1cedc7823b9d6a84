#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run.py [FOLDER]: the Debian packages (those that lie in FOLDER, or made now): held against lintian, and installed, run,
removed and purged in a tree that debootstrap has just made. Root, and the archive that apt here knows; what cannot be had is
skipped, with the reason."""
import contextlib
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from suite import ROOT, Suite, run  # noqa: E402

UNIT = "lib/systemd/system/spimendd.service"
EXPOSURE_MOST = 45  # tenths, as `systemd-analyze security` rates it: 4.5 is its "OK", where most daemons have 9.6, "UNSAFE"
TOGETHER = "installed, run, removed, purged"


def archive():
    """(address of Debian's archive, its code name) that apt uses here; None without."""
    told = run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(CODENAME) $(SUITE)", "Identifier: Packages"])
    release = {}
    with open("/etc/os-release", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.strip().partition("=")
            release[name] = value.strip('"')
    for line in told.out.decode().splitlines():
        words = line.split()
        if len(words) >= 3 and words[0] == "Debian" and words[2] == release.get("VERSION_CODENAME"):
            return words[1], words[2]
    return None


class Tree:
    """A system of its own below a folder, in a network namespace without a way out once it is made."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "tree")
        self.space = f"spimend-package-{os.getpid()}"

    def make(self, where, name):
        made = run(["debootstrap", "--variant=minbase", name, self.folder, where], timeout=600)
        if made.status:
            return made.tail(5)
        # Its own sources are debootstrap's; settings of ours, a proxy's for one, are needed to reach them.
        for path in glob.glob("/etc/apt/apt.conf.d/*"):
            if re.search(rb"Acquire::|Proxy", open(path, "rb").read()):
                shutil.copy(path, os.path.join(self.folder, "etc/apt/apt.conf.d"))
        with open(self.path("usr/sbin/policy-rc.d"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 101\n")  # no service is started by installing: nothing would supervise it here
        os.chmod(self.path("usr/sbin/policy-rc.d"), 0o755)
        return None

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command, timeout=300):
        return run(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
                    *self.within(), *command], timeout=timeout)

    def within(self):
        """With /proc and /dev there, in a mount namespace of the command's own: nothing of it stays."""
        mounts = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts, self.folder]

    def files(self):
        """All there is, but for what every installation changes."""
        found = set()
        for base, folders, names in os.walk(self.folder):
            folders[:] = [one for one in folders if os.path.join(base, one) not in
                          (self.path("proc"), self.path("sys"), self.path("dev"), self.path("var/cache"), self.path("var/lib/apt"))]
            found.update(os.path.relpath(os.path.join(base, one), self.folder) for one in folders + names)
        return {one for one in found if not one.startswith(("var/log/", "var/lib/dpkg/", "var/lib/systemd/deb-systemd"))}

    def end(self):
        subprocess.run(["ip", "netns", "del", self.space], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def unit_settings(path):
    """What a unit file says, lists joined."""
    told = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith("#"):
                told[name] = (told[name] + " " + value) if name == "CapabilityBoundingSet" and name in told else value
    return told


def as_the_unit(tree, told):
    """ExecStartPre, then ExecStart, as root with the unit's capabilities and no others; told ready over a socket of ours."""
    problems = []
    if "User" in told:
        return [f"the unit has User={told['User']}: this test starts it as root"]
    bounding = "-all," + ",".join("+" + one.removeprefix("CAP_").lower() for one in told["CapabilityBoundingSet"].split())
    inside = ["ip", "netns", "exec", tree.space, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET=/run/notify",
              "JOURNAL_STREAM=8:1",  # as a service manager says that stderr is the journal
              *tree.within(), "setpriv", "--bounding-set", bounding, "--inh-caps=-all", "--no-new-privs"]
    checked = run(inside + told["ExecStartPre"].split())
    if checked.status:
        return [f"ExecStartPre: exit status {checked.status}"] + checked.tail(5).splitlines()
    os.makedirs(tree.path("run/systemd/journal"), exist_ok=True)
    with (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
          socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal):
        manager.bind(tree.path("run/notify"))
        journal.bind(tree.path("run/systemd/journal/socket"))
        journal.setblocking(False)
        manager.settimeout(0.5)
        with open(tree.path("run/said"), "wb") as log:
            daemon = subprocess.Popen(inside + told["ExecStart"].split(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            said, late = "", time.monotonic() + 30
            while "READY=1" not in said and time.monotonic() < late and daemon.poll() is None:
                try:
                    said += manager.recv(4096).decode() + "\n"
                except TimeoutError:
                    pass
            if "READY=1" not in said:
                return ["it does not tell that it is ready"] + open(tree.path("run/said"), errors="replace").read().splitlines()[-8:]
            shown = tree.run("spimend", "status")
            problems += [] if b"mode advise" in shown.out and not shown.status else ["spimend status: " + shown.tail(5)]
            heard = b""
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard += journal.recv(65536)
            problems += [] if b"SYSLOG_IDENTIFIER=spimendd" in heard else [f"the journal hears nothing of it: {heard[:300]}"]
            bounds = {int(re.search(r"CapBnd:\s*([0-9a-f]+)", open(f"/proc/{pid}/status").read())[1], 16)
                      for pid in children(daemon.pid)}
            problems += [] if bounds and all(bound & (1 << 21) == 0 for bound in bounds) else [f"CAP_SYS_ADMIN is there: {bounds}"]
        finally:
            daemon.terminate()
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
                problems.append("it does not end by SIGTERM")
            os.unlink(tree.path("run/notify"))
            os.unlink(tree.path("run/systemd/journal/socket"))
            os.unlink(tree.path("run/said"))
        problems += [] if daemon.returncode == 0 else [f"exit status {daemon.returncode}"]
    return problems


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def judge_completion(tree):
    """What bash would offer for words as they are typed."""
    problems = []
    for typed, wanted in (("spimend an", ["analyze"]), ("spimend analyze --ye", ["--year"]), ("spimend explain ", []),
                          ("spimend de", ["deny"])):
        words = typed.split(" ")
        shell = ("source /usr/share/bash-completion/completions/spimend; COMP_WORDS=(" + " ".join(f"'{one}'" for one in words)
                 + f"); COMP_CWORD={len(words) - 1}; _spimend 2>&1; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        got = tree.run("bash", "-c", shell).out.decode().split()
        problems += [] if got == wanted else [f"'{typed}': {got}, expected {wanted}"]
    return problems


def judge_unit(tree):
    problems = []
    verified = tree.run("systemd-analyze", "verify", "--man=no", "/" + UNIT)
    words = (verified.out + verified.err).decode()
    problems += [f"verify: {line}" for line in words.splitlines() if "spimendd" in line]
    if verified.status:
        problems.append(f"systemd-analyze verify: exit status {verified.status}: {words}")
    rated = tree.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MOST}", "/" + UNIT)
    if rated.status:
        problems.append(f"systemd-analyze security: exit status {rated.status}: {rated.tail(3)}")
    return problems


def installed(suite, tree, parcel):
    before = tree.files()
    shutil.copy(parcel, tree.path("root"))
    name = "/root/" + os.path.basename(parcel)
    tree.run("apt-get", "update", "-q")
    done = tree.run("apt-get", "install", "-qy", "--no-install-recommends", name)
    if done.status:
        suite.fail("apt installs it in a fresh tree", done.tail(15))
        return
    suite.ok("apt installs it in a fresh tree")
    wanted = ("etc/spimend/spimend.conf", "usr/sbin/spimendd", "usr/bin/spimend", UNIT)
    problems = [f"{one} is missing" for one in wanted if not os.path.exists(tree.path(one))]
    for what, sought in (("passwd", "spimend:"), ("passwd", "spimend-web:"), ("passwd", "spimend-hook:"),
                         ("group", "spimend-operators:")):
        with open(tree.path(f"etc/{what}"), encoding="utf-8") as file:
            problems += [] if any(line.startswith(sought) for line in file) else [f"no {sought} in {what}"]
    problems += [] if os.path.islink(tree.path("etc/systemd/system/multi-user.target.wants/spimendd.service")) else ["not enabled"]
    problems += [] if os.stat(tree.path("etc/spimend/spimend.conf")).st_mode & 0o777 == 0o640 else ["everybody reads its settings"]
    suite.judge("its files, account, group and unit are there", problems)
    suite.judge("systemd takes the unit, and rates it well", judge_unit(tree))
    suite.judge("bash completes commands, options and identities", judge_completion(tree))
    subprocess.run(["ip", "netns", "add", tree.space], check=True)
    subprocess.run(["ip", "-n", tree.space, "link", "set", "lo", "up"], check=True)
    suite.judge("the unit's command runs with the unit's capabilities, and says so to a service manager",
                as_the_unit(tree, unit_settings(tree.path(UNIT))))

    with open(tree.path("etc/spimend/spimend.conf"), "a", encoding="utf-8") as file:
        file.write(" ! a word of the operator\n")
    again = tree.run("apt-get", "install", "-qy", "--reinstall", name)
    kept = open(tree.path("etc/spimend/spimend.conf"), encoding="utf-8").read()
    removed = tree.run("apt-get", "remove", "-qy", "spimend")
    problems = [f"exit status {one.status}: {one.tail(5)}" for one in (again, removed) if one.status]
    problems += [] if "a word of the operator" in kept else ["an upgrade takes the operator's settings away"]
    problems += [] if os.path.exists(tree.path("etc/spimend/spimend.conf")) else ["removing takes the settings away"]
    problems += [] if os.path.exists(tree.path("var/lib/spimend")) else ["removing takes the incidents away"]
    problems += ["removing leaves the program"] if os.path.exists(tree.path("usr/sbin/spimendd")) else []
    suite.judge("an upgrade keeps settings, removing keeps settings and incidents", problems)

    for name in ("spimend.conf.previous", "spimend.conf.new"):  # as `write memory` leaves them
        shutil.copy(tree.path("etc/spimend/spimend.conf"), tree.path("etc/spimend/" + name))
    purged = tree.run("apt-get", "purge", "-qy", "spimend")
    left = sorted(one for one in tree.files() - before if "spimend" in one and not one.startswith("root/"))
    suite.judge("purging leaves nothing", ([purged.tail(5)] if purged.status else []) + left)


def main():
    suite = Suite("package")
    if os.geteuid() or not all(shutil.which(one) for one in ("dpkg-buildpackage", "dh", "lintian", "debootstrap")):
        suite.skip(TOGETHER, "needs root, debhelper, lintian and debootstrap")
        return suite.close()
    folder = tempfile.mkdtemp(prefix="spimend-package-")
    os.chmod(folder, 0o755)
    tree = Tree(folder)
    try:
        where, built = sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "parcels"), None
        if len(sys.argv) < 2:  # other suites may run at the same time, and wait for answers
            built = run(["nice", os.path.join(ROOT, "scripts/deb"), where], timeout=900)
        parcels = sorted(one for one in glob.glob(os.path.join(where, "*.deb")) if "dbgsym" not in one)
        if built and built.status or not parcels:
            suite.fail("make deb", built.tail(20) if built else f"nothing in {where}")
            return suite.close()
        suite.ok(f"make deb: {', '.join(os.path.basename(one).partition('_')[0] for one in parcels)}")
        if len(parcels) < 2 and built:
            suite.skip("spimend-plugin", built.err.decode().strip().splitlines()[0])
        clean = run(["lintian", "--allow-root", "--fail-on", "error,warning", *parcels], timeout=300)
        suite.judge("lintian finds no error and no warning", [clean.tail(20)] if clean.status else [])
        known = archive()
        if not known:
            suite.skip(TOGETHER, "apt knows no archive of this system's release")
            return suite.close()
        why = tree.make(*known)
        if why:
            suite.skip(TOGETHER, f"debootstrap: {why.splitlines()[-1]}")
            return suite.close()
        installed(suite, tree, next(one for one in parcels if os.path.basename(one).startswith("spimend_")))
    finally:
        tree.end()
        shutil.rmtree(folder, ignore_errors=True)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
