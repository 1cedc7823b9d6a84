# SPDX-License-Identifier: MIT
"""journald's journal, as systemd's own programs write and read it: systemd-journal-remote makes the files that journald
would, and journalctl reads them for the daemon. No systemd runs here: that journald itself writes them is not tested."""
import os
import shutil
import signal
import struct
import subprocess
import time

from daemon import wait_for
from fleet import SPOKE, Fleet, stray

REMOTE = "/lib/systemd/systemd-journal-remote"
GROUP = 54321  # whose files these are: nobody's of this machine


def missing():
    return [name for name in ("/usr/bin/journalctl", REMOTE) if not shutil.which(name)]


def field(name, value):
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


class Journal:
    def __init__(self, folder):
        self.folder, self.count = os.path.join(folder, "journal"), 0
        os.chmod(folder, 0o755)

    def make(self):
        os.mkdir(self.folder)
        os.chown(self.folder, 0, GROUP)
        os.chmod(self.folder, 0o2750)

    def add(self, message, ago=0.0, host="gw1", identifier="rtlog", transport="syslog", **more):
        """One entry: when it was said, `ago` seconds before journald took it."""
        self.count += 1
        now = int(time.time() * 1e6)
        parts = {"__REALTIME_TIMESTAMP": now, "__MONOTONIC_TIMESTAMP": 1000 + self.count, "_BOOT_ID": "0123456789abcdef" * 2,
                 "_HOSTNAME": host, "_TRANSPORT": transport, "SYSLOG_IDENTIFIER": identifier, "SYSLOG_PID": 77,
                 "_SOURCE_REALTIME_TIMESTAMP": now - int(ago * 1e6), "MESSAGE": message, **more}
        entry = b"".join(field(name, str(value).encode()) for name, value in parts.items()) + b"\n"
        subprocess.run([REMOTE, f"--output={self.folder}/remote.journal", "-"], input=entry, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def readers(d):
    """The process that reads the journal, as a list of at most one."""
    found = []
    for pid in d.processes():
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                found += [pid] if file.read() == "journalctl\n" else []
        except OSError:
            pass
    return found


def entries_become_incidents(build):
    """A repeat is a desync under the entry's host, or whom its text names; a message's second line is none of its own; what
    spimendd says, and what was there before, is passed over; what journald dropped is counted, when journald says so."""
    problems = []
    with Fleet(build, start=False) as d:
        journal = Journal(d.folder)
        journal.make()
        journal.add(stray(0x11000000))  # before us
        d.lines.append(f"syslog journald {journal.folder}")
        d.write()
        d.start()
        if not wait_for(lambda: d.said("reads the journal")):
            return ["sense has no pipe"] + d.tail()
        time.sleep(0.1)
        journal.add(stray(0x12000000), ago=80)
        journal.add(stray(0x12000000), ago=10)
        journal.add(stray(0x13000000), identifier="spimendd")
        journal.add(f"first\n<188>7: {stray(0x14000000)}")
        journal.add("Suppressed 12 messages from x.service", transport="driver", N_DROPPED=12)
        journal.add("Suppressed 12 messages from x.service", N_DROPPED=500)
        journal.add("MAC_IPSEC_EVENT op=SA-notfound src=192.0.2.5 dst=198.51.100.9 spi=352321537(0x15000001) seqno=7",
                    identifier="audit", transport="audit", host="gw2", SYSLOG_PID="")
        journal.add(f"hub1: {stray(0x16000000)}")
        wait_for(lambda: len(d.incidents()) == 4 and (d.syslog().get("received") or 0) == 8)
        found, counts = {i["spi"]: i for i in d.incidents()}, d.syslog()
        if set(found) != {"0x12000000", "0x14000000", "0x15000001", "0x16000000"}:
            return [f"{sorted(found)} {counts}"] + d.tail()
        one = found["0x12000000"]
        if (one["observer"], one["verdict"], one["rule"], one["src"]) != ("gw1", "desync", "log-repeat", SPOKE) or \
                not one["evidence"][0]["from"].startswith("journald:"):
            problems.append(f"{one}")
        if "rtlog[77]: first <188>7: %CRYPTO" not in found["0x14000000"]["evidence"][0]["text"] or \
                [found[spi]["observer"] for spi in ("0x15000001", "0x16000000")] != ["gw2", "hub1"]:
            problems += [f"{spi}: {i['observer']}: {i['evidence'][0]['text']}" for spi, i in found.items()]
        wanted = {"received": 8, "lines": 7, "dropped": 12, "lost": 0, "connections_broken": 0}
        problems += [f"{name}: {counts.get(name)}, not {value}" for name, value in wanted.items() if counts.get(name) != value]
        if (counts["fates"]["own"], counts["fates"]["taken"]) != (1, 7) or \
                counts["journald"] != {"directory": journal.folder, "error": None}:
            problems.append(f"{counts}")
        wait_for(lambda: "threw messages away" in d.page(), 3)
        for words in f"journald {journal.folder}", "12 DROPPED by journald", "threw messages away":
            if words not in d.page():
                problems.append(f"status does not say {words}: {d.page()}")
        with open(f"/proc/{readers(d)[0]}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        if status["Gid"].split() != [str(GROUP)] * 4 or status["Groups"].strip() or \
                "0" in status["Uid"].split() or int(status["CapEff"], 16) or \
                int(status["CapBnd"], 16) or status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
            problems.append(f"journalctl may more than it should: {status}")
        return problems + (d.tail() if problems else [])


def nothing_is_lost(build):
    """journalctl, sense and the journal itself end, or come later: all that was logged meanwhile is read, once."""
    problems = []
    with Fleet(build, start=False) as d:
        journal = Journal(d.folder)
        d.lines.append(f"syslog journald {journal.folder}")
        d.write()
        d.start()
        if not wait_for(lambda: "is not read" in d.page()):
            problems.append(f"a journal that is not there is no trouble: {d.page()}")
        journal.make()
        journal.add(stray(0x21000000))
        if not wait_for(lambda: len(d.incidents()) == 1, 40):
            return problems + [f"it was not found when it came: {d.syslog()}"] + d.tail()
        if not wait_for(lambda: "is not read" not in d.page(), 20):
            problems.append(f"it is read, and yet a trouble: {d.page()}")

        def ends(what, pid, spi, number):
            os.kill(pid, signal.SIGSTOP)  # so that what comes now is surely not read by it
            journal.add(stray(spi))
            os.kill(pid, signal.SIGKILL)
            journal.add(stray(spi + 1))
            if not wait_for(lambda: len(d.incidents()) == number, 20):
                problems.append(f"after {what} was killed: {[i['spi'] for i in d.incidents()]} {d.syslog()}")
        ends("journalctl", readers(d)[0], 0x22000000, 3)
        if not wait_for(lambda: d.syslog().get("received") == 3, 3):
            problems.append(f"{d.syslog().get('received')} entries were read of 3")
        time.sleep(1.2)  # sense tells once a second how far it is
        ends("sense", d.roles()["sense"], 0x23000000, 5)
        wait_for(lambda: readers(d))
        if not wait_for(lambda: d.syslog().get("received") == 2, 3):
            problems.append(f"after sense was killed: {d.syslog().get('received')} entries, not 2")
        if [i["messages"] for i in d.incidents()] != [1] * 5:
            problems.append(f"{d.incidents()}")
        pids = readers(d)
        d.stop()
        if any(os.path.exists(f"/proc/{pid}") for pid in pids):
            problems.append("journalctl outlives the daemon")
        return problems + (d.tail() if problems else [])


TESTS = [("syslog: journald's journal becomes incidents, its reader is confined", entries_become_incidents),
         ("syslog: journald's journal is read without a gap", nothing_is_lost)]
SANITIZED = TESTS
