# SPDX-License-Identifier: MIT
"""spimend report on a real black hole, as `sudo make run` leaves one behind: the page tells what happened at the gateway."""
import os
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
                      "desync (ledger-dead)", "initiate", "until traffic flowed again", "IKE daemon 0 is away", "Find out why 192.0.2.2 lost its SAs"):
            if words not in page.text:
                problems.append(f"report.html: no '{words}'")
        timeline = content(folder, "timeline.txt")
        for kind in (" sighting ", " incident ", " step ", " ike ", " sa-born "):
            if kind not in timeline:
                problems.append(f"timeline.txt: no{kind}event")
        if "initiate" not in content(folder, "journal.txt"):
            problems.append("journal.txt: not what was ordered")
        return problems
