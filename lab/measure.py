# SPDX-License-Identifier: MIT
"""lab measure: how long each fault keeps the traffic away, with spimend and without.

Every run has a lab of its own, a spimendd with its defaults and an empty ledger, and pings every 20 ms. The outage is the
longest silence between two answers at A. Beside it: from the first packet on the wire with the SPI that B lost to the first
one with the SPI of the new SA, which is spimend's own share, without what the fault itself took."""
import concurrent.futures
import json
import os
import statistics
import sys
import time

import compare
import faults
import wire
from compare import figures
from laboratory import Lab
from net import LabError

WATCH_S = 10   # a run without spimend is watched so long
HEAL_S = 20    # a run with it fails after this
LONG = """\
Without spimend, watched longer in an earlier measurement (reference, not this run): strongSwan's defaults, over 300 s,
nothing ends it before the rekey after 54 to 57 min. With DPD 30 s and dpd_action restart, 164 to 195 s for a receiver that
lost everything; for one that lost a CHILD_SA only, no end, since its IKE SA answers."""


def measured_faults(ike):
    return [known.name for known in faults.FAULTS.values() if known.actions and ike in known.ike]


def run_once(fault, ike, ip, spimend, slot):
    """One run as plain data; "outage" is None when the silence did not end."""
    lab = Lab(f"m{slot}")
    try:
        lab.up(ike=ike, ip=ip, plugin=faults.FAULTS[fault].plugin)
        if faults.FAULTS[fault].plugin and not lab.options["plugin"]:
            return {"fault": fault, "skipped": "charon's fault plugin cannot be built here"}
        if spimend:
            lab.spimendd.start()
        lab.traffic.start(20)
        time.sleep(0.5)
        entry = faults.make(lab, fault)
        if entry.get("healthy"):
            raise LabError(entry["done"])
        late = time.monotonic() + (HEAL_S if spimend else WATCH_S)
        while time.monotonic() < late:
            seconds, silent, ended = lab.traffic.outage(entry["since"])
            if ended and seconds > 0.1 and time.time() - ended > 0.4:
                break
            time.sleep(0.1)
        else:
            ended = None
        found = {"fault": fault, "ike": ike, "ip": ip, "spimend": spimend, "outage": seconds if ended else None,
                 "stray_to_new": stray_to_new(lab, entry["spi"], silent, ended)}
        if spimend:
            found["incidents"] = [{key: incident[key] for key in ("verdict", "cause", "confidence", "state")}
                                  for incident in lab.spimendd.incidents()]
        return found
    except LabError as error:
        return {"fault": fault, "ike": ike, "ip": ip, "spimend": spimend, "error": str(error)}
    finally:
        lab.down()


def stray_to_new(lab, spi, silent, ended):
    """Seconds on the wire from the first packet with the lost SPI that B did not take, so after the last answer before the
    silence, to the first one with another SPI; None where there is no such packet."""
    if not spi or not ended:
        return None
    old, first = int(spi, 16), None
    for esp in wire.esp_packets(lab.wire, lab.b.address, silent):
        if esp.spi == old and first is None:
            first = esp.at
        elif esp.spi != old and first is not None and esp.at <= ended:
            return esp.at - first
    return None


def cell(pair):
    return f"{pair[0]:7.2f} s {pair[1]:7.2f} s" if pair else f"{'-':>9} {'-':>9}"


def run_jobs(given, jobs, run):
    """What run(*job, slot) found, in the order of jobs; some at once, each slot a lab of its own."""
    done, began = [], time.monotonic()
    slots = list(range(given.parallel))
    with concurrent.futures.ThreadPoolExecutor(given.parallel) as pool:
        def work(job):
            slot = slots.pop()
            try:
                return run(*job, slot)
            finally:
                slots.append(slot)
        for found in pool.map(work, jobs):
            done.append(found)
            if sys.stderr.isatty():
                print(f"\r{len(done)} of {len(jobs)} runs, {time.monotonic() - began:.0f} s ", end="", file=sys.stderr)
            if "error" in found:
                print(f"lab: a run of {found['fault']} failed: {found['error']}", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return done


def write_json(given, found):
    if not given.json:
        return
    with open(given.json, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    owner = os.stat(os.path.dirname(os.path.abspath(given.json)))
    os.chown(given.json, owner.st_uid, owner.st_gid)
    print(f"every run: {given.json}")


def measure(given):
    if given.with_plugin:
        return compare.compare(given, run_jobs, write_json)
    wanted = given.fault or measured_faults(given.ike)
    for fault in wanted:
        if fault not in measured_faults(given.ike):
            raise LabError(f"{fault} makes no outage with IKEv{given.ike}; one of: {', '.join(measured_faults(given.ike))}")
    jobs = [(fault, given.ike, given.ip, spimend) for fault in wanted
            for spimend in [False] * given.without + [True] * given.runs]
    done = run_jobs(given, jobs, run_once)
    print_table(given, wanted, done)
    write_json(given, {"schema": "spimend.lab-measure/1", "ike": given.ike, "ip": given.ip, "interval_ms": 20, "runs": done})
    return 1 if any("error" in run or run.get("spimend") and run["outage"] is None for run in done) else 0


def print_table(given, wanted, done):
    print(f"Outage (longest silence, pings every 20 ms), IKEv{given.ike} over IPv{given.ip}, {given.runs} runs a fault\n")
    print(f"{'':<18} {'without':>9}   {'with spimend':^19}   {'first stray to new SA':^21}")
    print(f"{'fault':<18} {'':>9}   {'median':>9} {'worst':>9}   {'median':>9} {'worst':>9}")
    for fault in wanted:
        runs = [run for run in done if run["fault"] == fault]
        if any("skipped" in run for run in runs):
            print(f"{fault:<18} skipped: {runs[0]['skipped']}")
            continue
        bare = [run for run in runs if run.get("spimend") is False and "error" not in run]
        helped = [run for run in runs if run.get("spimend") and "error" not in run]
        without = "-" if not bare else f"> {WATCH_S} s" if all(run["outage"] is None for run in bare) \
            else f"{max(run['outage'] or WATCH_S for run in bare):.2f} s"
        failed = sum(run["outage"] is None for run in helped) + sum("error" in run for run in runs)
        print(f"{fault:<18} {without:>9}   {cell(figures(helped, 'outage'))}   {cell(figures(helped, 'stray_to_new'))}"
              + (f"   {failed} of {len(runs)} FAILED" if failed else ""))
    print(f"\n{LONG}")
