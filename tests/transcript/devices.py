# SPDX-License-Identifier: MIT
"""Real outputs of devices that are not ours to commit, beside the repository where they are: what `spimend audit` makes of
each.

Looked for in ../shared/corpus/devices, or below the folder that SPIMEND_SHARED names. What their authors extracted,
with their own tools, is held against the number of records; the rest must be said to be no output that is known."""
import csv
import json
import os
import re

from contract import audit_problems
from reference import SHARED
from suite import run as execute

FOLDER = os.path.join(SHARED, "corpus/devices")
# command, the output's name, and of what there is one a record: keys in the expected values, or a pattern in the text
# itself, where the authors' tools put several into one
KNOWN = (
    (r"show crypto ipsec sa( detail| interface \{interface\}| ipv6 detailed| peer \{peer_address\})?$", "ipsec-sa",
     r"local +ident \("),
    (r"show crypto ikev2 (sa|session)( .*)?$", "ikev2-sa", ()),
    (r"show crypto isakmp sa( .*)?$", "isakmp-sa", ("session_state", "c_id", "state")),
    (r"show crypto session( .*)?$", "session", ()),
    (r"show crypto ipsec spi-lookup detail$", "spi-lookup", ()),
    (r"show monitor event-trace crypto ipsec event latest$", "event-trace", ()),
    (r"show sdwan ipsec local-sa( .*)?$", "sdwan-local-sa", ("spi",)),
    (r"show sdwan ipsec outbound-connections$", "sdwan-outbound", ("spi",)),
    (r"show sdwan omp tlocs$", "sdwan-tlocs", ("encap_spi",)),
    (r"show sdwan bfd sessions( table)?$", "sdwan-bfd", ("site_id",)),
    (r"show sdwan control connections$", "sdwan-control", r"(?m)^(vsmart|vmanage|vbond) "),
    (r"show sdwan omp peers$", "sdwan-omp", r"(?m)^ *[0-9.]+ +(vsmart|vedge) "),
    (r"show sdwan control local-properties$", "sdwan-edge", ("site_id",)),
    (r"show asp drop$|show platform hardware qfp .*(statistics drop|datapath drops all)( history)?$|show drops history", "drops", ()),
)
MANGLED = ("golden_output_isakmp", "golden_output_isakmp_no_ipv4")  # addresses that their author made unreadable


def cases():
    """(command, name, text's path, expected values' path) of each case."""
    with open(os.path.join(FOLDER, "index.tsv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            base = os.path.join(FOLDER, row["case"])
            for text, expected in ((base + "_output.txt", base + "_expected.json"), (base + ".raw", base + ".yml")):
                if os.path.exists(text):
                    yield row["command"], row["case"], text, expected


def count(value, keys):
    if isinstance(value, dict):
        return sum(key in keys and not isinstance(one, (dict, list)) or count(one, keys) for key, one in value.items()) \
            + sum(key in keys and isinstance(one, dict) for key, one in value.items())
    return sum(count(one, keys) for one in value) if isinstance(value, list) else 0


def expected_records(text, path, keys):
    """How many records there must be; None where that cannot be told."""
    if isinstance(keys, str):
        with open(text, encoding="utf-8", errors="replace") as file:
            return len(re.findall(keys, file.read()))
    if not keys or not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".json"):
        return count(json.loads(text), keys) or None
    return len(re.findall(r"^  - ", text, re.M)) or None


def problems_of(spimend, command, name, text, expected):
    shown = execute([spimend, "audit", "--json", "device=" + text], timeout=60)
    problems = audit_problems(shown.out)
    if problems or shown.status not in (0, 1, 2):
        return [f"{name}: {one}" for one in problems] + [f"{name}: exit status {shown.status}", shown.tail(5)]
    summary = json.loads(shown.out.decode().splitlines()[-1])
    known = next((row for row in KNOWN if re.match(row[0], command)), None)
    if not known:
        said = shown.err.decode()
        return [] if not summary["records"] and "no output that is known" in said else [f"{name}: read as {summary['outputs']}"]
    if list(summary["outputs"]) != [known[1]]:
        return [f"{name}: {command} was read as {summary['outputs']}"]
    wanted = expected_records(text, expected, known[2])
    if wanted is not None and wanted != summary["records"] and os.path.basename(name) not in MANGLED:
        return [f"{name}: {summary['records']} records of {wanted}"]
    if shown.status == 2 and os.path.basename(name) not in MANGLED:
        return [f"{name}: {shown.err.decode().strip()}"]
    return []


def run(suite, spimend):
    title = "devices: each saved output is read as what it is, whole, or said to be none that is known"
    if not os.path.exists(os.path.join(FOLDER, "index.tsv")):
        suite.skip(title, f"no {FOLDER}")
        return
    problems, number, texts = [], 0, []
    for command, name, text, expected in cases():
        number += 1
        texts.append(text)
        problems += problems_of(spimend, command, name, text, expected)
    suite.judge(f"{title} ({number})", problems if number else ["no case"])
    # Their addresses are invented and repeat, so what is found proves nothing; that it is said, and how, does.
    fleet = execute([spimend, "audit", "--json", *(f"d{at}={text}" for at, text in enumerate(texts))], timeout=60)
    suite.judge("devices: all of them as one fleet", audit_problems(fleet.out)
                + ([] if fleet.status == 2 else [f"exit status {fleet.status}"]))
