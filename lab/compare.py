# SPDX-License-Identifier: MIT
"""lab measure --with-plugin: what a repair takes from the decision on, and what it leaves behind at both ends, for four ways
to mend the same fault:

    plugin       spimendd with its plugin in charon: a DELETE for exactly the lost SPI comes first
    without      spimendd without it: what VICI can, which for a lost CHILD_SA is initiate alone
    operator     terminate the IKE SA, then initiate: what a person would type, here without the time to notice and to type
    nothing      nobody does anything

From the decision (the incident's first action, or just before the operator's command) to the first packet that B gets with
another SPI than the lost one. The wire has a round trip time (delay.py), measured in each lab by pings outside the
tunnel. What is left behind is read when charon's own clearing is over."""
import datetime
import re
import statistics
import time

import faults
import wire
from gateway import CONNECTION, child_name
from laboratory import Lab
from net import LabError

WAYS = {"plugin": "spimend with plugin", "without": "spimend without it", "operator": "terminate, initiate", "nothing": "nothing"}
FAULTS = ("child-lost", "child-forgotten", "sad-flushed", "delete-lost", "restart")
PING_MS = 10
HEAL_S, WATCH_S = 30, 8
NOTICE_S = 0.5    # after which the operator acts at once
LEFT_S = 6        # until what is left is left for good: charon keeps a rekeyed SA for 5 s
GOAL_TRIPS, GOAL_MS = 3, 50


def round_trip(lab):
    """Milliseconds, the median of some pings beside the tunnel."""
    shown = lab.net.run("A", ["ping", "-n", "-c", "9", "-i", "0.1", lab.b.address])
    return statistics.median(float(found) for found in re.findall(r" time=([\d.]+) ms", shown))


def first_order(lab):
    """When spimendd gave its first order, by its own record; None before that."""
    for incident in lab.spimendd.incidents():
        for action in incident["actions"][:1]:
            return datetime.datetime.fromisoformat(action["at"].replace("Z", "+00:00")).timestamp()
    return None


def operate(lab):
    """What an operator would type at B, as fast as nobody can. Returns when."""
    time.sleep(NOTICE_S)
    decided = time.time()
    if lab.b.ike_sas():
        lab.b.call("terminate", ike=CONNECTION, timeout=10000)
    lab.b.initiate()
    return decided


def new_traffic(lab, lost, decided):
    """When B got the first packet after the decision with another SPI than the lost one."""
    for esp in wire.esp_packets(lab.wire, lab.b.address, decided):
        if esp.spi != int(lost, 16):
            return esp.at
    return None


def left(side):
    """(INSTALLED, REKEYED or otherwise on its way) children."""
    states = [child["state"] for child in side.children(state=None)]
    return states.count("INSTALLED"), len(states) - states.count("INSTALLED")


def holds(side, spi):
    """Whether it would still send with that SPI."""
    return any(child.get("spi-out") == spi and child["state"] == "INSTALLED" for child in side.children(state=None))


def wait_for_traffic(lab, entry, way):
    """(when it was decided, when traffic flowed), either None."""
    decided = operate(lab) if way == "operator" else None
    late = time.monotonic() + (HEAL_S if way != "nothing" else WATCH_S)
    while time.monotonic() < late:
        _, _, ended = lab.traffic.outage(entry["since"])
        if way in ("plugin", "without") and decided is None:
            decided = first_order(lab)
        carried = new_traffic(lab, entry["spi"], decided) if decided else None
        if carried and ended:
            return decided, carried
        time.sleep(0.1)
    return decided, None


def run_once(fault, way, given, slot):
    """One run as plain data."""
    lab = Lab(f"c{slot}")
    found = {"fault": fault, "way": way, "ike": given.ike, "ip": given.ip}
    try:
        lab.up(ike=given.ike, ip=given.ip, plugin=faults.FAULTS[fault].plugin, product=way == "plugin", rtt=given.rtt)
        if faults.FAULTS[fault].plugin and not lab.options["plugin"]:
            return dict(found, skipped="charon's fault plugin cannot be built here")
        if way in ("plugin", "without"):
            lab.spimendd.start()
        found["rtt_ms"] = round_trip(lab)
        lab.traffic.start(PING_MS)
        time.sleep(0.5)
        entry = faults.make(lab, fault)
        decided, carried = wait_for_traffic(lab, entry, way)
        time.sleep(LEFT_S)
        silence, _, ended = lab.traffic.outage(entry["since"])
        found.update(outage=silence if ended else None, decision_ms=(carried - decided) * 1000 if carried else None,
                     left={side.name: left(side) for side in (lab.a, lab.b)}, stale=holds(lab.a, entry["spi"]))
        if way in ("plugin", "without"):
            found["steps"] = [action["verb"] for incident in lab.spimendd.incidents() for action in incident["actions"]]
        return found
    except LabError as error:
        return dict(found, error=str(error))
    finally:
        lab.down()


# --- the table ------------------------------------------------------------------------------------------------------------

def figures(runs, key):
    values = sorted(run[key] for run in runs if run.get(key) is not None)
    return (statistics.median(values), values[-1]) if values else None


def most(runs, value):
    """What most runs say, and in how many."""
    said = [value(run) for run in runs]
    word = max(sorted(set(said)), key=said.count)
    return word if said.count(word) == len(said) else f"{word} ({said.count(word)}/{len(said)})"


def children(run, host, key="left"):
    installed, others = run[key][host]
    return f"{installed}+{others}" if others else f"{installed}"


def row(way, runs, failed):
    outage, decision = figures(runs, "outage"), figures(runs, "decision_ms")
    text = f"{WAYS[way]:<20} "
    text += f"{outage[0]:7.2f} s {outage[1]:7.2f} s " if outage else f"{f'> {WATCH_S} s':>9} {'-':>9} "
    if decision:
        trips = statistics.median(run["decision_ms"] / run["rtt_ms"] for run in runs if run["decision_ms"] is not None)
        text += f"{decision[0]:6.0f} ms {decision[1]:6.0f} ms {trips:5.1f}   "
    else:
        text += f"{'-':>9} {'-':>9} {'-':>5}   "
    text += f"{most(runs, lambda run: children(run, 'A')):<6} {most(runs, lambda run: children(run, 'B')):<6} "
    text += most(runs, lambda run: "yes" if run["stale"] else "no")
    return text + (f"   {failed} FAILED" if failed else "")


def print_table(given, done):
    rtt = figures([run for run in done if "rtt_ms" in run], "rtt_ms")
    print(f"IKEv{given.ike} over IPv{given.ip}, {given.runs} runs each, pings every {PING_MS} ms, round trip "
          + (f"{rtt[0]:.1f} ms (median; worst {rtt[1]:.1f})" if rtt else "not measured") + "\n")
    print(f"{'':<20} {'outage':^19} {'decision to traffic':^19} {'round':>5}   {'children left at':<13} stale SA")
    print(f"{'':<20} {'median':>9} {'worst':>9} {'median':>9} {'worst':>9} {'trips':>5}   {'A':<6} {'B':<6} at A")
    for fault in dict.fromkeys(run["fault"] for run in done):
        print(f"\n{fault}: {faults.FAULTS[fault].help}")
        for way in WAYS:
            runs = [run for run in done if run["fault"] == fault and run["way"] == way]
            good = [run for run in runs if "left" in run]
            if any("skipped" in run for run in runs):
                print(f"{WAYS[way]:<20} skipped: {runs[0]['skipped']}")
            elif good:
                print(row(way, good, len(runs) - len(good) + sum(is_failed(run) for run in good)))
            elif runs:
                print(f"{WAYS[way]:<20} all {len(runs)} runs FAILED")
    print_goal(done)


def print_goal(done):
    helped = [run for run in done if run["way"] == "plugin" and run.get("decision_ms") is not None]
    if not helped:
        return
    over = statistics.median(run["decision_ms"] - GOAL_TRIPS * run["rtt_ms"] for run in helped)
    print(f"\nGoal, with the plugin: median at most {GOAL_TRIPS} round trips plus {GOAL_MS} ms; it is {GOAL_TRIPS} round trips "
          f"{'plus' if over >= 0 else 'less'} {abs(over):.0f} ms: {'met' if over <= GOAL_MS else 'NOT met'}")
    print(f"Children: INSTALLED, + those listed in another state, {LEFT_S} s after traffic flowed. A is the sender.")


def is_failed(run):
    return run["way"] != "nothing" and run.get("decision_ms") is None


def compare(given, run_jobs, write_json):
    """What commands.measure() calls; run_jobs and write_json are measure.py's."""
    wanted = given.fault or [name for name in FAULTS if given.ike in faults.FAULTS[name].ike]
    for fault in wanted:
        if fault not in FAULTS:
            raise LabError(f"{fault} is not compared; one of: {', '.join(FAULTS)}")
    jobs = [(fault, way, given) for turn in range(given.runs) for fault in wanted for way in WAYS
            if way != "nothing" or turn < given.without]
    done = run_jobs(given, jobs, run_once)
    print_table(given, done)
    write_json(given, {"schema": "spimend.lab-compare/1", "ike": given.ike, "ip": given.ip, "interval_ms": PING_MS, "runs": done})
    return 1 if any("error" in run or "left" in run and is_failed(run) for run in done) else 0
