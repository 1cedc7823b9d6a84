# SPDX-License-Identifier: MIT
"""Ways to a device: accounts, a jump host, one connection for many sessions, an sshd of old, another network namespace."""
import os
import subprocess

from client import Client
from expect import expect, same, soon, true
from ios.api import World
from suite import ROOT

OLD = "Ciphers aes128-cbc\nKexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-ed25519\n"


def world():
    w = World()
    w.device("rt", address="192.0.2.1", levels={"reader": 1}, privilege=15)
    w.device("old", address="192.0.2.2", platform="ios", sshd=OLD)
    w.tunnel("rt", "old")
    return w.jump_host().start()


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=20, check=False)
    return done.returncode, done.stdout


def accounts(w):
    if len(w.accounts) < 2:
        return same("the only account", w.accounts, [w.account])
    problems = []
    for account, level in (("netops", 15), ("reader", 1)):
        _, shown = run(w.ssh("rt", "show privilege", tty=False, account=account))
        problems += expect(account, shown, f"level is {level}\n")
    _, shown = run(w.ssh("rt", "clear crypto sa peer 192.0.2.2", tty=False, account="reader"))
    problems += expect("reader may not", shown, "% Invalid input")
    _, shown = run(w.ssh("rt", "show clock", tty=False, account="stranger"))
    problems += expect("a stranger", shown, "Permission denied", absent=["UTC"])
    return problems + same("who typed", [one["user"] for one in w.typed("rt")][-3:], ["netops", "reader", "reader"])


def no_shell(w):
    """What an account gets is the device."""
    mark = os.path.join(w.folder, "mark")
    problems = []
    for line in (f"touch {mark}", f"show clock; touch {mark}", f"$(touch {mark})", f"' ; touch {mark} ; '"):
        run(w.ssh("rt", line, tty=False))
    problems += true("a shell", not os.path.exists(mark))
    status, _ = run([*w.ssh("rt", tty=False)[:-1], "-W", "127.0.0.1:22", f"{w.account}@{w.place('rt')[0]}"])
    return problems + true("no forwarding", status != 0)


def jump(w):
    host, port = w.jump
    step = w.ssh("rt", tty=False)[:-1]
    step[step.index("-p") + 1] = str(port)
    proxy = " ".join([*step, "-W", "%h:%p", f"{w.account}@{host}"])
    status, shown = run(w.ssh("rt", "show clock", tty=False, options=[f"ProxyCommand={proxy}"]))
    problems = expect("through the jump host", shown, "UTC") + same("status", status, 0)
    problems += same("from whom it comes", w.transcripts("rt")[-1][0]["text"], f"{w.account} from 127.0.0.1")
    status, shown = run([*step, f"{w.account}@{host}", "show clock"])
    return problems + true("it is no device", status != 0 and "UTC" not in shown)


def one_connection(w):
    path = os.path.join(w.folder, "master")
    shared = [f"ControlPath={path}", "ControlMaster=auto", "ControlPersist=no"]
    with Client(w, "rt", options=shared) as first:
        first.until()
        with Client(w, "rt", options=shared) as second:
            second.until()
            first.press("show clo")
            second.do("terminal width 40")
            problems = expect("each its own state", second.do("show terminal"), "Width: 40 columns")
            first.press("ck\r")
            problems += expect("undisturbed", first.until(), "show clock", "UTC")
            problems += expect("its own width", first.do("show terminal"), "Width: 80 columns")
            return problems + true("one connection", os.path.exists(path))


def of_old(w):
    status, shown = run(w.ssh("old", "show clock", tty=False, options=["LogLevel=INFO"]))
    problems = true("a client of today does not like it", status == 255 and "no matching" in shown, shown)
    options = ["Ciphers=+aes128-cbc", "KexAlgorithms=+diffie-hellman-group14-sha1"]
    _, shown = run(w.ssh("old", "show clock", tty=False, options=options))
    return problems + expect("unless it is told", shown, "UTC")


def away(w):
    began = w.order("sessions")["ever"]
    w.freeze("old")
    options = ["ConnectTimeout=1", "LogLevel=INFO"]
    status, shown = run(w.ssh("old", "show clock", tty=False, options=options))
    problems = same("frozen: status", status, 255) + expect("frozen", shown, "timed out")
    w.thaw("old")
    w.unplug("old")
    _, shown = run(w.ssh("old", "show clock", tty=False, options=options))
    problems += expect("unplugged", shown, "Connection refused")
    return problems + same("no session", w.order("sessions")["ever"], began)


UP = os.path.join(ROOT, "lab", "ios", "up")


def for_people(_):
    done = subprocess.run([UP], input="desync branch hub\nadvance 5\nstate hub\nnonsense\ndesync\nadvance\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    return same("status", done.returncode, 0) + expect(
        "up", done.stdout, "ssh -F none ", '"receiver_has": ', '"IN_US_V4_PKT_SA_NOT_FOUND_SPI": ', "Failed: no order nonsense",
        "missing 2 required", "IndexError", absent=["Traceback"])


def killed(_):
    """Who starts a world and is killed leaves nothing either."""
    up = subprocess.Popen([UP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = up.stdout.readline().split()
    folder = os.path.dirname(next(word for word in line if "IdentityFile=" in word).split("=")[1])
    host, port = line[-1].split("@")[1], line[line.index("-p") + 1]
    problems = true("it is there", os.path.isdir(folder))
    up.kill()
    up.wait()
    up.stdin.close()
    up.stdout.close()
    problems += soon("its folder goes", lambda: not os.path.exists(folder))
    return problems + soon("its sshd goes", lambda: subprocess.run(["nc", "-z", host, port], check=False).returncode != 0)


def elsewhere(_):
    """In a namespace of the test's own, at the addresses of its tunnels."""
    if os.getuid():
        return []
    name = f"ios-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for words in (["link", "set", "lo", "up"], ["addr", "add", "192.0.2.1/32", "dev", "lo"]):
            subprocess.run(["ip", "-n", name, *words], check=True)
        with World(inside=["ip", "netns", "exec", name]) as w:
            w.device("rt", host="192.0.2.1", port=22, address="192.0.2.1").start()
            return expect("there", run(w.ssh("rt", "show clock", tty=False))[1], "UTC")
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


TESTS = [("ways: accounts and their levels", accounts), ("ways: no other shell, nothing forwarded", no_shell),
         ("ways: a jump host", jump), ("ways: many sessions over one connection", one_connection),
         ("ways: an sshd of old", of_old), ("ways: frozen, and unplugged", away),
         ("ways: by hand", for_people), ("ways: who started it is killed", killed),
         ("ways: another network namespace", elsewhere)]
