# SPDX-License-Identifier: MIT
"""The tunnel kinds of kinds.py, played in guests: starts them, gathers what kinds_guest.py says, judges it, and puts it into
words. `lab/lab matrix` prints a table of that; the suite compares it with what must come."""
import json

import kinds

GUESTS = (("mgre-nhrp-static", "static-crypto-map"), ("mgre-nhrp-dynamic", "svti"),
          ("gre-p2p", "dynamic-crypto-map", "ezvpn-client"))
GUEST_S = 240  # at most
NOT_RUN = "not run: "


def play(boot, names, faults=None, product=None):
    """The runs of those kinds in one guest, told or not; boot(guest, memory, seconds, **environment) makes a Guest. `faults`
    and `product`: paths of charon's plugins, where they are to be had."""
    environment = {"KINDS_WANTED": ",".join(names)}
    environment.update({name: path for name, path in (("FAULT_PLUGIN", faults), ("PRODUCT_PLUGIN", product)) if path})
    guest = boot("kinds.sh", 512, GUEST_S, **environment)
    text = guest.text()
    told = [json.loads(line[8:]) for line in text.splitlines() if line.startswith("matrix: ")]
    runs = [run for run in told if run["fault"]]
    for name in names:
        broken = next((run for run in told if run["kind"] == name and not run["fault"]), None)
        why = broken or {"error": "the guest did not come to that", "log": [] if guest.ended else text.splitlines()[-20:]}
        runs += [dict(why, kind=name, fault=fault.name) for fault in kinds.FAULTS
                 if not any(run["kind"] == name and run["fault"] == fault.name for run in runs)]
    return [dict(run, plugin=bool(product)) for run in runs]


def rungs(run):
    """Each rung that was taken, once, in order."""
    taken = [action["rung"] for action in run["actions"]]
    return [rung for at, rung in enumerate(taken) if rung not in taken[:at]]


def showed(run):
    """What the run showed, in words."""
    if "error" in run:
        return run["error"] if run["error"].startswith(NOT_RUN) else NOT_RUN + run["error"].strip().splitlines()[-1]
    if "id" not in run:
        return "no incident" if run["flows"] else "dark, and no incident"
    done = ", ".join(rungs(run)) or "nothing done"
    if run["state"] == "healed" and run["flows"]:
        stale = run["children"]["A"] - run["children"]["B"]
        return f"healed in {run['outage']:.1f} s: {done}" + ("; a stale child stays at the sender" if stale > 0 else "")
    refusal = (run["next"] or {}).get("refusal")
    if refusal and not run["actions"]:
        return f"refused: {refusal}" + (", yet traffic flows" if run["flows"] else "")
    return f"{run['state']}: {done}" + (f", then {refusal}" if refusal else "")


def notes_say(run):
    """The notes' answer, as spimend explain gives it."""
    if "answer" not in run:
        return "-"
    if kinds.fault(run["fault"]).ike_lives:
        return "yes (B10)"
    return f"{run['answer']['receiver_may_start_ike']} (B12)"


def ours(run):
    """What spimend says that it does of such a one."""
    if "answer" not in run:
        return "-"
    answer = run["answer"]["over_ike" if kinds.fault(run["fault"]).ike_lives else "without_ike"]
    return f"no: {answer['refusal']}" if answer["refusal"] else "yes"


def problems(run):
    """What is not as it must be; a run that could not be made here is for who asks to skip."""
    if "error" in run:
        return [run["error"], *run.get("log", [])]
    kind, fault, found = kinds.kind(run["kind"]), kinds.fault(run["fault"]), []
    if "id" not in run:
        return ["no incident came of it"]
    if run["tunnel_kind"] != kind.name:
        found.append(f"spimend calls it {run['tunnel_kind']}")
    if run["verdict"] != "desync":
        found.append(f"the verdict is {run['verdict']}")
    if run["answer"]["receiver_may_start_ike"] != kind.notes:
        found.append(f"explain answers B12 with {run['answer']['receiver_may_start_ike']}, the notes with {kind.notes}")
    if f"{kind.name}. " not in run["explain"] or "(B12)" not in run["explain"]:
        found.append("explain does not tell the kind")
    inside = [row["tunnel_address"] for row in run["dmvpn"] if row["interface"] == "gre1" and row["state"] != "NHRP"]
    if kind.name.startswith("mgre-nhrp") and kinds.TUNNEL["A"] not in inside:
        found.append(f"show dmvpn has not what NHRP resolved: {run['dmvpn']}")
    over_vici = [action for action in run["actions"] if action["verb"] not in ("delete-spi", "liveness")]
    if len(over_vici) != run["orders"]:
        found.append(f"charon was told {run['orders']} things, the incident owns up to {len(over_vici)}")
    if kind.notes == "no" and not fault.ike_lives:
        if run["actions"] or (run["next"] or {}).get("refusal") != "dynamic-peer" or ours(run) != "no: dynamic-peer":
            found.append("a peer that is not known in advance was to be left alone")
    elif run["state"] != "healed" or not run["flows"] or ours(run) != "yes":
        found.append("to be healed")
    elif not run["plugin"] and rungs(run) != [fault.rung]:
        found.append(f"to be healed by {fault.rung}")
    elif run["plugin"] and run["children"] != {"A": 1, "B": 1}:
        found.append(f"with an exact DELETE nothing stale may stay: {run['children']}")
    if found:
        found += [showed(run), *run["explain"].splitlines(), *run.get("log", [])]
    return found
