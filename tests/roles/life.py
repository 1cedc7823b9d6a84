# SPDX-License-Identifier: MIT
"""Start, confinement, death and return, reload, stop."""
import json
import os
import signal
import socket
import time

from daemon import ROLES, Daemon, as_user, wait_for
from world import send_strays, stray_count

NET_ADMIN = 1 << 12


def confined(build):
    problems = []
    with Daemon(build, "sense interface in") as d:
        roles = d.roles()
        for role in ROLES:
            if role not in roles:
                problems.append(f"there is no {role}: {d.processes()}")
                continue
            is_ = d.status_of(roles[role])
            expected = {"Uid": "65534\t65534\t65534\t65534", "Groups": "", "NoNewPrivs": "1", "Seccomp": "2",
                        "CapBnd": f"{0:016x}", "Threads": "1"}
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                expected[name] = f"{NET_ADMIN if role == 'act' else 0:016x}"
            problems += [f"{role}: {name} is {is_[name]!r}, not {value!r}" for name, value in expected.items()
                         if is_[name] != value]
            held = [os.readlink(f"/proc/{roles[role]}/fd/{fd}") for fd in os.listdir(f"/proc/{roles[role]}/fd")]
            for file, owner in (("spimendd.lock", ""), ("act.journal", "act"), ("spimend.db", "core"),
                                ("xfrm_stat", "sense"), ("anon_inode:bpf-map", "sense")):
                if any(path.endswith(file) for path in held) and role != owner:
                    problems.append(f"{role} holds {file}")
            if not d.said(f"[{role}]: confined: uid 65534"):
                problems.append(f"{role} does not say how it is confined")
        if d.spimend("status")[0] != 0:
            problems.append(f"spimend status: {d.spimend('status')}")
        return problems + (d.tail() if problems else [])


def sanitized_says_so(build):
    with Daemon(build, "sense interface in") as d:
        said = [role for role in ROLES if d.said(f"[{role}]: built with sanitizers: no system-call filter")]
        problems = [] if said == list(ROLES) else [f"only {said} say so"]
        status = d.spimend("status")
        if status[0] != 0:
            problems.append(f"spimend status: {status}")
        if d.stop() != 0:
            problems.append("it did not end well")
        if d.said("ERROR: ") or d.said("runtime error"):
            problems += d.tail()
        return problems


def killed(build):
    problems = []
    with Daemon(build, "sense interface in") as d:
        for role in ROLES:
            before = d.roles()
            os.kill(before[role], signal.SIGKILL)
            if not wait_for(lambda: d.roles().get(role) not in (None, before[role]) and d.answers()):
                problems.append(f"{role} did not come back")
                continue
            after = d.roles()
            problems += [f"{other} was started anew with it" for other in ROLES
                         if other != role and after.get(other) != before[other]]
            if not d.said(f"{role} (pid {before[role]}) was killed by signal 9"):
                problems.append(f"nobody says that {role} was killed")
        # All are wired to each other again: nothing is away, and the sensor's state arrives.
        whole = wait_for(lambda: "is away" not in d.page() and "1 interface up" in d.page())
        return problems + ([] if whole else [d.page()]) + (d.tail() if problems or not whole else [])


def deaf_to_children(build):
    """Started by somebody who ignores SIGCHLD, which execve() hands on."""
    with Daemon(build, "sense interface in", start=False) as d:
        plain = d.command
        d.command = lambda *options: ["python3", "-c", "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
                                      "os.execvp(sys.argv[1], sys.argv[1:])", *plain(*options)]
        d.start()
        pid = d.roles()["act"]
        os.kill(pid, signal.SIGKILL)
        back = wait_for(lambda: d.roles().get("act") not in (None, pid))
        return [] if back else ["act did not come back", *d.tail()]


def strict_umask(build):
    """As in the systemd unit: what it makes itself is there for core, and for those who may ask, all the same."""
    with Daemon(build, "sense interface in", "control-group daemon", start=False) as d:
        plain = d.command
        d.command = lambda *options: ["sh", "-c", 'umask 077; exec "$@"', "sh", *plain(*options)]
        d.start()
        got = d.ask(uid=1)
        problems = [] if isinstance(got, list) and got[0].get("status") == 0 else [f"a member of the group: {got}"]
        return problems + (["there is no store", *d.tail()] if "there is no store" in d.page() else [])


def crash_loop(build):
    with Daemon(build, "sense interface in") as d:
        for _ in range(6):
            pid = wait_for(lambda: d.roles().get("core"))
            if not pid:
                return ["core did not come back", *d.tail()]
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda p=pid: p not in d.processes(), 2)
        if not wait_for(d.answers, 20):
            return ["it does not answer any more", *d.tail()]
        return [] if d.process.poll() is None else ["the daemon ended"]


def parent_killed(build):
    with Daemon(build, "sense interface in") as d:
        d.process.kill()
        d.process.wait()
        left = wait_for(lambda: not d.processes())
        if not left:
            return [f"still there: {d.processes()}"]
        # And the next one finds its way past what the dead one left behind.
        d.start()
        return [] if wait_for(d.answers) else ["the next one does not answer", *d.tail()]


def violation(build):
    """SIGSYS from outside takes the way of a forbidden call, which tests/unit/test_confine makes."""
    problems = []
    with Daemon(build, "sense interface in") as d:
        for role in ROLES:
            pid = d.roles()[role]
            os.kill(pid, signal.SIGSYS)
            if not wait_for(lambda: d.roles().get(role) not in (None, pid)):
                problems.append(f"{role} did not come back")
            if not d.said(f"{role} made the system call") or not d.said(f"{role} (pid {pid}) was ended by its system-call"):
                problems.append(f"nobody says what {role} did")
        return problems + (d.tail() if problems else [])


def stop(build):
    problems = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with Daemon(build, "sense interface in") as d:
            d.process.send_signal(number)
            status = d.process.wait(10)
            if status != 0:
                problems.append(f"signal {number}: status {status}")
            if d.processes() or os.path.exists(d.control):
                problems.append(f"signal {number}: left behind: {d.processes()}, {os.listdir(os.path.dirname(d.control))}")
    return problems


def stop_with_stuck_role(build):
    with Daemon(build, "sense interface in") as d:
        os.kill(d.roles()["act"], signal.SIGSTOP)
        status = d.stop(20)
        problems = [] if status == 0 else [f"status {status}"]
        if not d.said("act does not stop: it is killed") or d.processes():
            problems += [f"left: {d.processes()}", *d.tail()]
        return problems


def second(build):
    problems = []
    with Daemon(build, "sense interface in") as d:
        status, said = d.run("-f")
        if status != 2 or f"another spimendd (pid {d.process.pid}) runs" not in said:
            problems.append(f"same state directory: status {status}, {said}")
        lock = os.path.join(d.state, "spimendd.lock")
        if as_user(65534, lambda: os.open(lock, os.O_RDONLY)) != "PermissionError":
            problems.append("anybody may take the lock, and keep the next one from starting")
        with Daemon(build, "sense interface in", start=False) as other:
            other.control = d.control
            other.write()
            status, said = other.run("-f")
            if status != 2 or "control socket" not in said:
                problems.append(f"same control socket: status {status}, {said}")
        if not d.answers():
            problems.append("the first one does not answer any more")
    return problems


def refusals(build):
    problems = []
    with Daemon(build, "sense interface in", start=False) as d:
        got = as_user(65534, lambda: d.run("-f"))
        # ip netns exec itself needs root: without the namespace, then.
        command = [os.path.join(build, "spimendd"), "-f", "-c", d.config]
        d.command = lambda *options: command
        got = as_user(65534, d.run)
        if got[0] != 2 or "must be started by root" not in got[1]:
            problems.append(f"without root: {got}")
    with Daemon(build, "sense interface in", start=False) as d:
        os.mkdir(d.state)
        os.chown(d.state, 65534, 65534)
        status, said = d.run("-f")
        if status != 2 or "must belong to root" not in said:
            problems.append(f"somebody else's state directory: {status}, {said}")
    for what in ("state", "run"):
        with Daemon(build, "sense interface in", start=False) as d:
            folder = os.path.join(d.folder, "theirs")
            os.mkdir(folder)
            os.chown(folder, 65534, 65534)
            setattr(d, "state" if what == "state" else "control", os.path.join(folder, what))
            d.write()
            status, said = d.run("-f")
            if status != 2 or "could take the place of" not in said or os.listdir(folder):
                problems.append(f"{what} in somebody else's folder: {status}, {said}, {os.listdir(folder)}")
    with Daemon(build, "sense interface in", start=False) as d:
        os.mkdir(os.path.dirname(d.control))
        with open(d.control, "w", encoding="ascii") as file:
            file.write("precious")
        status, said = d.run("-f")
        with open(d.control, encoding="ascii") as file:
            if status != 2 or "control socket" not in said or file.read() != "precious":
                problems.append(f"a file in the control socket's place: {status}, {said}")
    return problems


def mode_of(d):
    got = d.ask()
    return got and json.loads(got[1]).get("mode")


def reload(build):
    problems = []
    with Daemon(build, "sense interface in", "no sense xfrm") as d:
        pids = d.roles()
        d.write("mode observe")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: mode_of(d) == "observe"):
            problems.append(f"the mode is {mode_of(d)}")
        if d.roles() != pids:
            problems.append("roles were started anew for nothing")
        before = stray_count(d)
        if not wait_for(lambda: send_strays(d, 3) or stray_count(d) > before):
            problems.append("strays are not counted")
        since, before = len(d.text()), stray_count(d)
        d.write("mode observe", "sense interface lo", "sense interface nosuch")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: d.said("hears interface lo", since) and "interface nosuch is not there" in d.page()):
            problems.append(f"another interface: {d.page()}")
        d.write("mode observe")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: "nosuch" not in d.page() and "1 interface up" in d.page()):
            problems.append(f"one interface less: {d.page()}")
        if d.roles() != pids or stray_count(d) < before:
            problems.append(f"sense was started anew for an interface: {pids} {d.roles()}, {before} {stray_count(d)} strays")
        since = len(d.text())
        d.write("mode repair", "mood bad")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: d.said("is not taken", since)):
            problems.append("a bad configuration is not refused")
        if not d.said("spimend.conf:9: ", since) or mode_of(d) != "observe":
            problems.append(f"bad configuration: mode {mode_of(d)}")
        os.unlink(d.config)
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: d.said("No such file", since)) or not d.answers():
            problems.append("a configuration that is gone")
        d.write("mode repair", "sense xfrm", "sense encap-port 4501")
        d.process.send_signal(signal.SIGHUP)

        def renewed():
            now = d.roles()
            return mode_of(d) == "repair" and all(now.get(role) not in (None, pids[role]) for role in ("sense", "act"))
        if not wait_for(renewed) or d.roles().get("core") != pids["core"]:
            problems.append(f"what senses and acts differently is not started anew: {pids} {d.roles()}")
        if not wait_for(lambda: "is away" not in d.page()):
            problems.append(d.page())
        d.lines[0:0] = ["state-directory /elsewhere"]
        d.write("mode repair")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: d.said("state-directory changed: that takes a restart")) or os.path.exists("/elsewhere"):
            problems.append("a changed state directory")
        return problems + (d.tail() if problems else [])


def notify(build):
    problems, said = [], []
    with Daemon(build, "sense interface in", start=False) as d:
        path = os.path.join(d.folder, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(0.2)

            def hears(words, seconds=10):
                late = time.monotonic() + seconds
                while not any(words in line for line in said) and time.monotonic() < late:
                    try:
                        said.append(manager.recv(4096).decode())
                    except TimeoutError:
                        pass
                return any(words in line for line in said)

            d.start(env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="300000"))
            for words in ("READY=1", f"MAINPID={d.process.pid}", "STATUS=advise", "WATCHDOG=1"):
                if not hears(words):
                    problems.append(f"no {words}")
            d.write("mode observe")
            d.process.send_signal(signal.SIGHUP)
            for words in ("RELOADING=1\nMONOTONIC_USEC=", "STATUS=observe"):
                if not hears(words):
                    problems.append(f"no {words}")
            os.kill(d.roles()["act"], signal.SIGKILL)
            if not hears("act is away"):
                problems.append("the status does not say that act is away")
            d.process.send_signal(signal.SIGTERM)
            if not hears("STOPPING=1"):
                problems.append("no STOPPING")
            d.process.wait(10)
    return problems + (said if problems else [])


TESTS = [
    ("each role is confined: user, capabilities, no new privileges, system calls, descriptors", confined),
    ("kill -9 of each role: it comes back alone, and is wired again", killed),
    ("started with SIGCHLD ignored, it notices a role's end all the same", deaf_to_children),
    ("under a strict umask its folders are there for those who need them", strict_umask),
    ("a role that dies again and again does not end the daemon", crash_loop),
    ("roles end with their parent; a new one takes the place over", parent_killed),
    ("a forbidden system call ends the role, and the log names it", violation),
    ("SIGTERM and SIGINT end all, and leave nothing behind", stop),
    ("a role that does not stop is killed within a bound", stop_with_stuck_role),
    ("a second instance is refused, and says who runs", second),
    ("no root, a state directory of somebody else, a file in the way: refused, nothing harmed", refusals),
    ("SIGHUP: a good configuration holds, a bad one is refused, roles are renewed only where they must", reload),
    ("the service manager hears READY, STATUS, WATCHDOG, RELOADING, STOPPING", notify),
]
SANITIZED = [
    ("it runs, answers and ends; without a system-call filter, which it says", sanitized_says_so),
    ("kill -9 of each role: it comes back alone, and is wired again", killed),
    ("SIGHUP: a good configuration holds, a bad one is refused, roles are renewed only where they must", reload),
]
