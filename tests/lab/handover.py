# SPDX-License-Identifier: MIT
"""spimend report on a real black hole, as `sudo make run` leaves one behind: the page tells what happened at the gateway."""
import os
import shutil
import subprocess
import sys
import tempfile

import faults
from laboratory import Lab
from witness import LabError, keep, log_tail, wait_for

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transcript"))
from reports import FILES, content, report_problems  # noqa: E402


def jobs(builds):
    return [("report of a black hole", lambda report: run(report, builds["shipped"]))]


def run(report, build):
    title = "spimend report of a black hole: both lanes, the packets, the repair, and the moment traffic flowed again"
    lab = Lab("handover")
    try:
        lab.up(plugin=False)
        lab.spimendd.build = build
        lab.spimendd.start("repair")
        lab.traffic.start(40)
        problems = break_and_report(lab)
        if problems:
            problems += log_tail(lab)
            keep(lab)
    except LabError as error:
        problems = [str(error), *log_tail(lab)]
        keep(lab)
    finally:
        lab.down()
    report(title, problems)


def break_and_report(lab):
    stale = lab.b.children()[0]["spi-in"]
    faults.make(lab, "restart")
    found = wait_for(lambda: [one for one in lab.spimendd.incidents() if one["state"] == "healed"], 20)
    if not found:
        return ["it did not heal"]
    with tempfile.TemporaryDirectory(prefix="handover-") as scratch:
        folder = os.path.join(scratch, "report")
        lab.spimendd.ask("report", found[0]["id"], "--output", folder)
        if sorted(os.listdir(folder)) != FILES:
            return [f"files: {sorted(os.listdir(folder))}"]
        page, problems = report_problems(content(folder, "report.html"))
        successor = lab.b.children()[0]["spi-in"]
        for words in (f"0x{stale.zfill(8)} sends", f"0x{stale.zfill(8)} receives until: ", "unknown here", f"0x{successor.zfill(8)} receives",
                      "desync (ledger-dead)", "initiate", "until traffic flowed again", "IKE_SA_INIT request", "IKE daemon 0 is away", "Find out why 192.0.2.2 lost its SAs"):
            if words not in page.text:
                problems.append(f"report.html: no '{words}'")
        timeline = content(folder, "timeline.txt")
        for kind in (" sighting ", " packet ", " incident ", " step ", " ike ", " sa-born "):
            if kind not in timeline:
                problems.append(f"timeline.txt: no{kind}event")
        if "initiate" not in content(folder, "journal.txt"):
            problems.append("journal.txt: not what was ordered")
        return problems + capture_problems(os.path.join(folder, "capture.pcapng"), int(stale, 16))


def capture_problems(path, stale):
    """As tshark reads it: the first and the last stray packet have their comments, and the new IKE SA is in it."""
    if not shutil.which("tshark"):
        return []
    listed = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "esp.spi", "-e", "isakmp.exchangetype", "-e", "frame.comment"],
                            capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    comments = [(int(row[0], 16), row[2]) for row in rows if row[2]]
    problems = [] if listed.returncode == 0 else [f"tshark: {listed.stderr}"]
    if len(comments) < 2 or {spi for spi, _ in comments[:2]} != {stale} or "is not known to its receiver" not in comments[0][1]:
        problems.append(f"comments in the capture: {comments}")
    if not {"34", "35"} <= {row[1] for row in rows}:
        problems.append(f"IKE exchanges in the capture: {sorted({row[1] for row in rows})}")
    return problems
