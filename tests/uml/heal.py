#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs in a guest of harness.py: GROUPS (separated by commas) of cases.py, one spimendd through each. A line a case:

    heal: {"test": ..., "problems": [...], "healed": whether something was mended, "outage": seconds or null}
"""
import json
import os
import time
import traceback

import cases
import pair as pairs
from pair import LIMIT, PATIENCE, Trouble, wait_for

HEAL_S = 15
ON_THE_WAY = 3  # packets
HARMLESS = ("undecided", "transient")
CALM_S = 0.8 * PATIENCE  # for what may still come of it
MODULES = ("veth", "esp4", "esp6", "ah4", "ah6", "xfrm_user", "af_packet", "authenc", "cbc", "hmac", "sha256_generic",
           "aes_generic", "echainiv", "gcm", "ip_vti", "xfrm_interface", "sch_ingress", "cls_u32", "act_gact")


def told(incident):
    done = ", ".join(f"{action['verb']} {action['outcome']}" for action in incident["actions"]) or "nothing done"
    return f"{incident['id']} {incident['src']} {incident['spi']}: {incident['verdict']}, {incident['rule']}," \
           f" {incident['cause']}, {incident['state']}, {incident['packets']} packets, {done}"


def refused():
    """Packets that B's kernel refused since its start, for whatever reason."""
    return sum(int(line.split()[1]) for line in pairs.read("/proc/net/xfrm_stat").splitlines() if line.startswith("XfrmIn"))


class Run:
    def __init__(self, pair):
        self.pair = pair

    def play(self, case):
        """(problems, outage) of one case."""
        pair = self.pair
        before = {found["id"]: len(found["actions"]) for found in pair.incidents()}
        orders, dropped, since = pair.b.orders(), refused(), time.time()
        since = case.make(pair) or since

        def new():
            return [found for found in pair.incidents() if len(found["actions"]) != before.get(found["id"], -1)
                    and (found["actions"] or found["id"] not in before)]

        if case.actions:
            wait_for(lambda: pair.flows() and any(found["state"] == "healed" for found in new()), HEAL_S)
        elif case.verdicts:
            wait_for(lambda: any(found["verdict"] in case.verdicts for found in new()), HEAL_S)
        time.sleep(CALM_S)
        if case.flows:
            wait_for(pair.flows, 3)
        found = new()  # in front of the kernel's own count, which goes on
        problems = self.judge(case, found, pair.b.orders() - orders, refused() - dropped)
        outage = pair.outage(since) if case.flows else None
        if case.flows and not case.actions and outage > LIMIT:
            problems.append(f"the pings were silent for {outage:.2f} s")
        if case.proof:
            problems += case.proof(pair)
        if problems:
            problems += [told(found) for found in pair.incidents()]
        if case.after:
            case.after(pair)
        return problems, outage

    def judge(self, case, new, orders, dropped):
        problems = [line for line in pairs.read(f"{pairs.BASE}/spimendd.log").splitlines() if "runtime error" in line]
        # Packet sensor and audit records tell of the same packets; at most what was on its way is counted twice. What came
        # on an SA before spimendd heard of it was not dropped.
        if sum(found["packets"] for found in new if found["rule"] != "early-use") > dropped + ON_THE_WAY:
            problems.append(f"more packets were counted than the {dropped} that the kernel dropped")
        if case.flows and not wait_for(self.pair.flows, 1):
            problems.append("the tunnel is dark")
        if case.verdicts and not [found for found in new if found["verdict"] in case.verdicts]:
            problems.append(f"no such incident: {case.verdicts[0]}")
        for found in new:
            is_other = found["verdict"] not in case.verdicts
            if is_other and not found["actions"] and (found["verdict"] in HARMLESS or found["packets"] <= ON_THE_WAY):
                continue  # what was on its way when an SA ended
            if is_other:
                problems.append(f"verdict {found['verdict']}, expected {' or '.join(case.verdicts) or 'no incident'}")
            elif case.causes and found["cause"] not in case.causes:
                problems.append(f"cause {found['cause']}, expected {' or '.join(case.causes)}")
            if case.actions and found["state"] != "healed":
                problems.append(f"the incident is {found['state']}")
        steps = [action["verb"] for found in new for action in found["actions"]]
        if len(steps) != orders:
            problems.append(f"charon was told {orders} things, the incidents own up to {steps}")
        if case.actions and (not steps or steps[0] not in case.actions):
            problems.append(f"steps {steps}, the first expected: {' or '.join(case.actions)}")
        if (steps and not case.actions) or len(steps) > 2:
            problems.append(f"too many steps: {steps}")
        return problems


def tail(pair, lines):
    found = []
    for name, text in (("spimendd", pairs.read(f"{pairs.BASE}/spimendd.log")), ("B's charon", pair.b.log())):
        found += [f"{name}: {line}" for line in text.splitlines()[-lines:]]
    return found


def say(test, problems, healed=False, outage=None):
    print("heal: " + json.dumps({"test": test, "problems": problems, "healed": healed, "outage": outage}), flush=True)


def play_group(name, build, only):
    options, wanted = cases.GROUPS[name]
    pair = pairs.Pair(build, **options)
    try:
        pair.up()
        for case in wanted:
            if only not in case.name:
                continue
            try:
                problems, outage = Run(pair).play(case)
            except Trouble as error:
                problems, outage = [str(error)], None
            if problems:
                problems += tail(pair, 25)
            say(f"{name}: {case.name}", problems, bool(case.actions), outage)
            if problems:  # the next one is judged by itself
                pair.down()
                pair = pairs.Pair(build, **options)
                pair.up()
    except Exception:
        say(f"{name}: the pair", traceback.format_exc().splitlines() + tail(pair, 25))
    finally:
        pair.down()


def main():
    for module in MODULES:
        pairs.run(["modprobe", "-q", module], check=False)
    pairs.load_ciphers()
    pairs.make_wires()
    for name in os.environ["GROUPS_WANTED"].split(","):
        play_group(name.replace("_", " "), os.environ["BUILD"], os.environ.get("ONLY", "").replace("_", " "))


if __name__ == "__main__":
    main()
