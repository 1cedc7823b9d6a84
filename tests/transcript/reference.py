# SPDX-License-Identifier: MIT
"""Real text that is not ours to commit: the source notes and the corpus of log lines beside the repository, where they are.

Looked for in ../shared, or in the folder that SPIMEND_SHARED names. Without it these tests are skipped, visibly."""
import csv
import glob
import json
import os
import re

from contract import contract_problems
from suite import ROOT
from suite import run as execute

SHARED = os.environ.get("SPIMEND_SHARED", os.path.join(ROOT, "..", "shared"))
UNPARSED = re.compile(r"^(a template|cut in the middle|the name without its message)")
SOURCE = re.compile(r"(?:srcaddr= ?|src_addr |\) from |remip=[\"']?|src=)(\d+\.\d+\.\d+\.\d+)\b")
SPI = re.compile(r"(?:spi= ?[\"']?0x|SPI= 0x|SPI 0x|spi=[\"']|spi=\d+\(0x)([0-9A-Fa-f]{3,8})\b")


def analyze(spimend, *arguments):
    """Returns (incidents, summary, problems)."""
    result = execute([spimend, "analyze", "--json", "--now", "2026-11-20T00:00:00Z", *arguments], timeout=60)
    problems = contract_problems(result.out)
    if problems or result.status not in (0, 1):
        return [], {}, problems + [f"exit status {result.status}", result.tail(5)]
    objects = [json.loads(line) for line in result.out.decode().splitlines()]
    return objects[:-1], objects[-1], []


def find(incidents, spi, src):
    return next((one for one in incidents if one["spi"] == spi and one["src"] == src), None)


def expect(problems, incident, what, **wanted):
    if not incident:
        problems.append(f"{what}: not found")
        return
    problems += [f"{what}: {key} is {incident[key]}, expected {value}"
                 for key, value in wanted.items() if incident[key] != value]


def check_notes(suite, spimend, notes):
    incidents, summary, problems = analyze(spimend, *notes)
    expect(problems, find(incidents, "0x1db73bbb", "10.1.1.1"), "the SPI that came again",
           verdict="desync", rule="log-repeat")
    expect(problems, find(incidents, "0xb761863e", "10.1.1.1"), "the SPI that came once", verdict="transient")
    tunnel = find(incidents, "0x241bbff1", "10.20.20.1")
    expect(problems, tunnel, "the line of Tunnel10001", tunnel_kind="sdwan", interface="Tunnel10001")
    if tunnel:
        commands = [step["command"] or "" for step in tunnel["plan"]]
        problems += [f"the line of Tunnel10001: the plan says {one}" for one in commands if "clear crypto" in one]
        if not any("sdwan" in one for one in commands):
            problems.append(f"the line of Tunnel10001: no SD-WAN command in {commands}")
    for spi, src in (("0x215ebff1", "10.40.40.1"), ("0x241bbff1", "10.20.20.1")):
        one = find(incidents, spi, src)
        if not one or "decimal-differs" not in one["flags"]:
            problems.append(f"{spi}: not flagged decimal-differs")
    for spi, src in (("0x68842105", "11.1.1.3"),):
        expect(problems, find(incidents, spi, src), "the wrapped line", dst="213.163.222.7", interface="Ethernet0/0")
    found = sum(one["messages"] + one["copies"] for one in incidents)
    written = 0
    for note in notes:
        with open(note, encoding="utf-8") as file:
            written += len(re.findall(r"rec'd\s+IPSEC\s+packet\s+has\s+invalid\s+spi\s+for\s+destaddr=", file.read()))
    if found != written:
        problems.append(f"{written} messages stand in the notes, {found} were found")
    problems += [f"unparsed: {one}" for one in summary.get("unparsed_lines", []) if not UNPARSED.match(one["reason"])]
    suite.judge("reference: every message of the notes, with its verdict and plan", problems)

    # Note by note too: the ones that others do not help
    problems = []
    for note in notes:
        incidents, _, found = analyze(spimend, note)
        problems += [f"{note}: {one}" for one in found]
        problems += [f"{note}: {step['command']} for Tunnel10001" for one in incidents if one["interface"] == "Tunnel10001"
                     for step in one["plan"] if "clear crypto" in (step["command"] or "")]
    suite.judge("reference: each note alone", problems)


LISTINGS = (  # in the note about EEM: where each begins and ends, and lines that must come out
    (r"^!--- To test.*?^HUB\" ! end$", (
        '!--- To test if this output gets logged to the file called "hub"',
        "sh ip int bri | tee /append disk0:hub.txt", "conf t", "event manager applet command_hub",
        ' event syslog pattern "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=11.1.1.3"', ' action 1 cli command "enable"',
        ' action 5 cli command "show crypto ipsec sa detail | append disk0:hub.txt"', " action 7 wait 18",
        ' action 8.1 snmp-trap intdata1 2323232 strdata ""', ' action 9 syslog priority informational msg "DONE ON HUB"', "end")),
    (r"^conf t$\s+!\s+^event manager applet spoke_app.*?^end$", (
        "event manager applet spoke_app", ' event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9. oid-val "2323232" op eq '
        "src-ip-address 213.163.222.7 maxrun 35", ' action 4.0 syslog msg "DONE ON SPOKE"', "end")),
)


def check_listings(suite, spimend, note):
    """The note's own applets: restored by lint --reflow, and then read without an error."""
    with open(note, encoding="utf-8") as file:
        text = file.read()
    problems = []
    for pattern, wanted in LISTINGS:
        found = re.search(pattern, text, re.M | re.S)
        if not found:
            problems.append(f"no listing like {pattern[:30]}")
            continue
        shown = execute([spimend, "lint", "--reflow", "-"], stdin=found[0].encode())
        lines = shown.out.decode().splitlines()
        problems += [f"exit status {shown.status}", shown.tail(5)] if shown.status else []
        problems += [f"not restored: {line}" for line in wanted if line not in lines]
        again = execute([spimend, "lint", "--json", "-"], stdin=shown.out)
        findings = [json.loads(line) for line in again.out.decode().splitlines()]
        problems += [f"{one['line']}: {one['text']}" for one in findings if one.get("level") == "error"]
        if "command_hub" in found[0] and not any("90 %" in one.get("text", "") for one in findings):
            problems.append("the hub's wait of 18 s of 20 is not said")
    suite.judge("reference: the applets of the note are restored and read", problems)


def check_corpus(suite, spimend, corpus):
    incidents, summary, problems = analyze(spimend, corpus)
    with open(corpus, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    told = 0
    for number, row in enumerate(rows, 2):
        source, spi = SOURCE.search(row["raw"]), SPI.search(row["raw"])
        if not source or not spi:
            continue
        told += 1
        value = f"{int(spi[1], 16):#x}"
        together = any(one["spi"] == value and one["sources"] > 1 for one in incidents)  # one SPI from many sources
        if not together and not find(incidents, value, source[1]):
            problems.append(f"row {number}: no incident of {spi[1]} from {source[1]}: {row['raw'][:160]}")
    if not told:
        problems.append("no row has an SPI and a source: look at the patterns of this test")
    problems += [f"unparsed: {one}" for one in summary.get("unparsed_lines", []) if not UNPARSED.match(one["reason"])]
    suite.judge(f"reference: {told} corpus rows with SPI and source, all parsed", problems)


def run(suite, spimend):
    notes = sorted(glob.glob(os.path.join(SHARED, "reference/notes/*.txt")))
    corpus = os.path.join(SHARED, "corpus/syslog.tsv")
    if notes:
        check_notes(suite, spimend, notes)
        for note in notes:
            if os.path.basename(note).startswith("000"):
                check_listings(suite, spimend, note)
    else:
        suite.skip("reference: the notes", f"no {os.path.join(SHARED, 'reference/notes')}")
    if os.path.exists(corpus):
        check_corpus(suite, spimend, corpus)
    else:
        suite.skip("reference: the corpus", f"no {corpus}")
