# SPDX-License-Identifier: MIT
"""spimend audit --live: the daemon's devices are asked and compared, without any event. The devices are lab/ios's."""
import json
import os
import pty
import re
import signal
import subprocess

from daemon import wait_for
from devices import Fleet, missing  # noqa: F401
from repairs import Wan
from shell import NOBODY, expect

SAS = "show crypto ipsec sa"
LAST = "show crypto isakmp sa"
PATIENCE = 280  # of a device that hangs: the daemon's time limit for each of its commands


def command(d, *words):
    return [os.path.join(d.build, "spimend"), "audit", "--live", "--socket", d.control, *words]


def audit(d, *words, **who):
    """(exit status, stdout, stderr)."""
    done = subprocess.run(command(d, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False, text=True, **who)
    return done.returncode, done.stdout, done.stderr


def audit_json(d, *words):
    """(exit status, findings, summary, stderr)."""
    status, out, err = audit(d, "--json", *words)
    objects = [json.loads(line) for line in out.splitlines()]
    if not objects:
        raise RuntimeError(f"nothing printed: {err}")
    return status, objects[:-1], objects[-1], err


def only_looked(d, problems):
    for name in d.names():
        typed = [line for line in d.typed(name) if not re.match("show |terminal |enable$", line)]
        problems += [f"typed on {name}: {typed}"] if typed else []


def differ(problems, what, found, wanted):
    problems += [f"{what}: {found}, not {wanted}"] if found != wanted else []


def in_step_and_not(build):
    problems = []
    with Fleet(build, count=4) as d:
        status, findings, summary, err = audit_json(d)
        differ(problems, "in step", (status, findings, err), (0, [], ""))
        differ(problems, "in step", [summary[key] for key in ("devices", "tunnels", "tunnels_in_sync", "devices_failed")], [4, 3, 3, 0])
        differ(problems, "readings", d.typed("spoke").count(SAS), 2)
        lost = d.world.fault("desync", sender="spoke", receiver="hub")
        status, findings, summary, err = audit_json(d)
        errors = [one for one in findings if one["severity"] == "error"]
        differ(problems, "desync", (status, [one["code"] for one in errors], err), (1, ["sa-missing"], ""))
        for one in errors:
            differ(problems, "SPI", int(one["spi"], 16), lost["spi"])
            differ(problems, "ends", [(end["device"], end["role"]) for end in one["ends"]],
                   [("spoke", "sender"), ("hub", "receiver")])
            differ(problems, "confidence", one["confidence"], "certain")
            differ(problems, "plan", (one["plan"][0]["device"], one["plan"][0]["command"]),
                   ("spoke", f"clear crypto sa entry 192.0.2.2 esp 0x{lost['spi']:x}"))
            differ(problems, "evidence", {row["file"].partition(",")[0] for row in one["evidence"] if row["file"]}, {SAS})
        status, out, err = audit(d)
        expect(problems, "for people", out, f"0x{lost['spi']:x}", "show crypto ipsec sa, second reading", "1 error, ")
        before = d.typed("hub").count(SAS)
        status, findings, summary, err = audit_json(d, "spoke2", "spoke3", "spoke2")
        differ(problems, "two alone", (status, summary["devices"], d.typed("hub").count(SAS)), (0, 2, before))
        status, out, err = audit(d, "hub", "elsewhere")
        differ(problems, "nobody's", (status, out, err), (2, "", "spimend audit: no device 'elsewhere' is configured\n"))
        only_looked(d, problems)
        return problems + (d.tail() if problems else [])


def gone_meanwhile(build):
    """What two readings show and the third does not, was none: somebody repaired it, or a rekey ended."""
    problems = []
    with Fleet(build, count=3) as d:
        d.world.behave("spoke2", slow=300)  # the others wait for it between two readings
        d.world.fault("desync", sender="spoke", receiver="hub")
        with subprocess.Popen(command(d, "--json"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            if not wait_for(lambda: min(d.typed(name).count(LAST) for name in ("hub", "spoke")) == 2, PATIENCE):
                problems.append(f"not read twice: {d.typed('hub')} {d.typed('spoke')}")
            subprocess.run(d.world.ssh("spoke"), check=False, timeout=60, text=True, stdout=subprocess.DEVNULL,
                           input="enable\nhunter2\nclear crypto sa peer 192.0.2.2\nexit\n")
            d.world.advance(5)
            out, err = process.communicate(timeout=PATIENCE)
        objects = [json.loads(line) for line in out.splitlines()]
        differ(problems, "gone", ([one.get("code") for one in objects[:-1]], err, process.returncode), ([], "", 0))
        if objects:
            differ(problems, "counted", [objects[-1][key] for key in ("errors", "tunnels", "tunnels_in_sync")], [0, 2, 2])
        differ(problems, "repaired", [line for line in d.typed("spoke") if line.startswith("clear")],
               ["clear crypto sa peer 192.0.2.2"])
        differ(problems, "readings", [d.typed(name).count(SAS) for name in d.names()], [3, 3, 2])
        return problems + ([out, *d.tail()] if problems else [])


def not_all_can_be_read(build):
    """One hangs, one does not let us in, one has no login, one cuts the line: said, and the others are judged."""
    problems = []
    with Fleet(build, count=5, spoke3={"enable": "swordfish"}) as d:
        with open(d.config, "a", encoding="utf-8") as file:
            file.write("device unknown\n address 192.0.2.99\n")
        d.restart()
        d.world.behave("spoke2", hang=SAS)
        d.world.behave("spoke4", drop=300)
        d.world.fault("desync", sender="spoke", receiver="hub")
        status, findings, summary, err = audit_json(d)
        differ(problems, "judged", (status, [one["code"] for one in findings if one["severity"] == "error"]), (2, ["sa-missing"]))
        differ(problems, "counted", (summary["devices_failed"], summary["tunnels"]), (4, 1))
        for name, words in (("spoke2", "it did not answer in time"), ("spoke3", "privileged mode"), ("unknown", "no 'ssh user' line"),
                            ("spoke4", "")):
            said = [line for line in err.splitlines() if line.startswith(f"spimend audit: {name}: ")]
            problems += [] if len(said) == 1 and words in said[0] else [f"of {name} is said: {said} in {err}"]
        only_looked(d, problems)
        return problems + (d.tail() if problems else [])


def who_and_when(build):
    """Nobody but operators; interrupted, it ends at once and leaves no session; progress only on a terminal."""
    problems = []
    with Fleet(build) as d:
        status, out, err = audit(d, user=NOBODY, group=NOBODY, extra_groups=[])
        differ(problems, "anybody", (status, out), (2, ""))
        expect(problems, "anybody", err, "--live is for root and for the members of the group")
        shells = [subprocess.Popen([os.path.join(d.build, "spimend"), "shell", "--socket", d.control], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True) for _ in range(16)]
        for one in shells:
            one.stdin.write("show clock\n")
            one.stdin.flush()
            one.stdout.readline()
        differ(problems, "no session is free", audit(d), (2, "", "spimend audit: too many sessions at once; try again\n"))
        for one in shells:
            one.communicate()
        d.world.behave("spoke", hang=SAS)
        ours, theirs = pty.openpty()
        with subprocess.Popen(command(d), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
                              text=True) as process:
            os.close(theirs)
            shown = b""
            while b"1 of 2 devices" not in shown:
                shown += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=20)
        shown += os.read(ours, 4096)
        os.close(ours)
        differ(problems, "interrupted", (process.returncode, out), (2, ""))
        expect(problems, "interrupted", shown.decode(), "interrupted: nothing is compared")
        d.world.behave("spoke")
        if not wait_for(lambda: audit(d, "hub")[0] == 0, 5):
            problems.append("it does not go on after an interrupt")
        only_looked(d, problems)
        return problems + (d.tail() if problems else [])


def sdwan(build):
    """Keys that a controller hands out: what the sender still uses and the receiver has no more, and no crypto clear."""
    problems = []
    with Wan(build, mode="observe") as d:
        status, findings, summary, err = audit_json(d)
        differ(problems, "in step", (status, findings, err), (0, [], ""))
        differ(problems, "outputs", {key: summary["outputs"].get(key) for key in ("sdwan-local-sa", "sdwan-outbound", "sdwan-bfd")},
               {"sdwan-local-sa": 4, "sdwan-outbound": 4, "sdwan-bfd": 4})
        d.world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
        status, findings, summary, err = audit_json(d)
        found = [one for one in findings if one["code"] == "sdwan-sa-missing"]
        differ(problems, "late key", (status, {tuple(end["device"] for end in one["ends"]) for one in found}),
               (1, {("spoke", "hub")}))
        for one in found:
            differ(problems, "never", "No `clear crypto" in (one["never"] or ""), True)
        problems += [f"late key: {err}"] if err else []
        only_looked(d, problems)
        return problems + ([json.dumps(findings), *d.tail()] if problems else [])


TESTS = [
    ("audit --live: in step, and one SA that only one end has", in_step_and_not),
    ("audit --live: what is gone on a third reading", gone_meanwhile),
    ("audit --live: SD-WAN, a controller's key that is late", sdwan),
    ("audit --live: devices that cannot be read are said, the rest is judged", not_all_can_be_read),
    ("audit --live: who may, and an interrupt", who_and_when),
]
SANITIZED = TESTS
