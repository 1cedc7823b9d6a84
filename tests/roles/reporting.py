# SPDX-License-Identifier: MIT
"""spimend report on what a real daemon recorded: between two routers, whose log, commands and outputs are in it."""
import json
import os
import sys

from repairs import Told

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "transcript"))
from reports import FILES, content, report_problems  # noqa: E402


def of_a_fleet(build):
    problems = []
    with Told(build) as d:
        lost = d.world.fault("desync", sender="spoke", receiver="hub")
        d.world.advance(65)
        healed = d.becomes("healed")
        if isinstance(healed, list):
            return [f"not healed: {healed}", *d.tail()]
        folder = os.path.join(d.state, "..", "report-of-it")
        keep = os.environ.get("SPIMEND_KEEP_REPORT")
        status, said = d.spimend("report", healed["id"], "--output", keep or folder)
        folder = keep or folder
        if status != 0:
            return [f"exit status {status}: {said}", *d.tail()]
        if sorted(os.listdir(folder)) != FILES:
            problems.append(f"files: {sorted(os.listdir(folder))}")
        page, found = report_problems(content(folder, "report.html"))
        problems += found
        spi = f"0x{lost['spi']:08x}"
        for words in (spi, "Recorded by", "command", "clear crypto sa entry", "What was recorded"):
            if words not in page.text:
                problems.append(f"report.html: no '{words}'")
        if page.pictures != 2:
            problems.append(f"{page.pictures} pictures, one for each width is expected")
        if json.loads(content(folder, "incident.json"))["id"] != healed["id"]:
            problems.append("incident.json is another incident")
        shows = content(folder, "shows.txt")
        if f"{lost['spi']:08X}" not in shows.upper() or shows.count("===") < 4 or "goes on" in shows:
            problems.append(f"shows.txt: {shows[:2000]}")
        if "clear crypto sa entry" not in content(folder, "journal.txt"):
            problems.append("journal.txt has not what was typed")
        if len(content(folder, "timeline.txt").splitlines()) != len(content(folder, "recorded.ndjson").splitlines()) - 1:
            problems.append("timeline.txt has not each event on a line")
        if any("hunter2" in content(folder, name) for name in FILES if name != "capture.pcapng"):
            problems.append("a password is in the report")
        status, said = d.spimend("report", "zzzzzz", "--output", folder + "-none")
        if status != 2 or os.path.exists(folder + "-none"):
            problems.append(f"of an incident that there is not: {status} {said}")
        return problems + (d.tail() if problems else [])


TESTS = [("reports: a report on an incident between two routers", of_a_fleet)]
SANITIZED = []
