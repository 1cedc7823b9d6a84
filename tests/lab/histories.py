# SPDX-License-Identifier: MIT
"""Long lives of a lab: every fault in random order, a healthy control after each, one spimendd all the way through."""
import random
import time

import faults
from laboratory import Lab
from witness import LabError, actions, flows, foreign_orders, keep, log_tail, sent_to_stranger, told, wait_for

HEAL_S = 25
CLOSED = ("healed", "unverified", "gave-up", "closed")
LABS = [(2, 4), (1, 4), (2, 6), (1, 6)]
CONTROLS = ["rekey-load", "idle", "spimendd-restart"]
# One life has as many faults as a site has in years: its budgets must not end the test. What budgets do is tested elsewhere.
BUDGETS = ["repair limit per-peer 100 per 60", "repair limit global 200 per 60", "repair back-off 1"]


def jobs(seed, has_plugin, why, builds):
    def job(ike, ip):
        build = builds["shipped" if ip == 4 else "sanitized"]
        return lambda report: History(ike, ip, report, build).live(seed, has_plugin, why)
    return [(f"IKEv{ike}, IPv{ip}", job(ike, ip)) for ike, ip in LABS]


class History:
    def __init__(self, ike, ip, report, build):
        self.ike, self.ip, self.report, self.build = ike, ip, report, build
        self.lab = Lab(f"h{ike}{ip}")
        self.last = "start"

    def live(self, seed, has_plugin, why):
        order = random.Random(f"{seed}/{self.ike}/{self.ip}")
        wanted = [name for name, known in faults.FAULTS.items() if self.ike in known.ike and name not in CONTROLS]
        order.shuffle(wanted)
        controls = []
        try:
            self.begin(has_plugin)
            for name in wanted:
                if faults.FAULTS[name].plugin and not has_plugin:
                    self.report(self.title(name), None, why)
                    continue
                if not controls:
                    controls = order.sample(CONTROLS, len(CONTROLS))
                for each in (name, controls.pop()):
                    self.step(each)
        finally:
            self.lab.down()

    def begin(self, has_plugin):
        self.lab.down()
        self.lab.up(ike=self.ike, ip=self.ip, plugin=has_plugin)
        self.lab.spimendd.build = self.build
        self.lab.spimendd.start("repair", BUDGETS)
        self.lab.traffic.start(40)

    def title(self, name):
        known = faults.FAULTS[name]
        what = "is healed" if known.actions else "sees no step"
        return f"IKEv{self.ike} IPv{self.ip}: {name} {what}, after {self.last}"

    def step(self, name):
        """One fault or control, judged; after a failure the lab starts anew, so that the next one is judged by itself."""
        title, known = self.title(name), faults.FAULTS[name]
        self.last = name
        try:
            before = {found["id"]: found for found in self.lab.spimendd.incidents()}
            ordered = len(foreign_orders(self.lab))
            entry = faults.make(self.lab, name)
            problems = self.judge_harmless(known, entry, before, ordered) if known.harmless or entry.get("healthy") \
                else self.judge_healed(known, entry, before, ordered)
        except LabError as error:
            problems = [str(error)]
        if problems:
            problems += [told(found) for found in self.safely(self.lab.spimendd.incidents)] + log_tail(self.lab)
            keep(self.lab)
            self.begin(self.lab.options["plugin"])
        self.report(title, problems)

    def safely(self, function):
        try:
            return function()
        except LabError:
            return []

    def new_incidents(self, before):
        return [found for found in self.lab.spimendd.incidents() if found["id"] not in before]

    def judge_healed(self, known, entry, before, ordered):
        lab = self.lab

        def healed():
            return flows(lab) and any(found["actions"] and found["state"] in CLOSED for found in self.new_incidents(before))
        wait_for(healed, HEAL_S)
        problems = []
        if not wait_for(lambda: flows(lab) and lab.traffic.answers("A") and lab.traffic.answers("B"), 2):
            problems.append(f"the tunnel is still dark after {time.time() - entry['since']:.1f} s")
        new = self.new_incidents(before)
        acted = [found for found in new if found["actions"]]
        if not acted:
            problems.append(f"no new incident with an action; new: {[told(found) for found in new]}")
        for found in acted:
            if found["verdict"] not in known.verdicts:
                problems.append(f"verdict {found['verdict']}, expected {' or '.join(known.verdicts)}")
            if known.causes and found["cause"] not in known.causes:
                problems.append(f"cause {found['cause']}, expected {' or '.join(known.causes)}")
            if found["src"] != lab.a.address:
                problems.append(f"the incident is about {found['src']}")
            if entry["spi"] and found["verdict"] == "desync" and int(found["spi"], 16) != int(entry["spi"], 16) \
                    and found["rule"] != "one-way":
                problems.append(f"the incident is about {found['spi']}, not 0x{entry['spi']}")
            if found["state"] not in ("healed", "unverified"):
                problems.append(f"the incident is {found['state']}")
        verbs = [verb for _, verb, _ in actions(acted)]
        if acted and verbs[0] not in known.actions:
            problems.append(f"the first step was {verbs[0]}, expected {' or '.join(known.actions)}")
        made = foreign_orders(lab)[ordered:]
        if len(made) != len(verbs):
            problems.append(f"charon was told {made}, the incidents own up to {verbs}")
        if len(verbs) > 2:
            problems.append(f"it took {len(verbs)} steps: {verbs}")
        return problems

    def judge_harmless(self, known, entry, before, ordered):
        lab, problems = self.lab, []
        causes = known.causes if known.harmless else ()  # a fault that happened to end well has none
        time.sleep(1.5)  # for what may still come of it
        made = foreign_orders(lab)[ordered:]
        if made:
            problems.append(f"charon was told {made}")
        after = lab.spimendd.incidents()
        for found in after:
            earlier = before.get(found["id"])
            if len(found["actions"]) > (len(earlier["actions"]) if earlier else 0):
                problems.append(f"something was done: {told(found)}")
            if not earlier and found["verdict"] not in (*known.verdicts, "undecided"):
                problems.append(f"a new incident with verdict {found['verdict']}: {told(found)}")
            if not earlier and causes and found["verdict"] in known.verdicts and found["cause"] not in causes:
                problems.append(f"cause {found['cause']}, expected {' or '.join(causes)}")
        if causes and not any(found["verdict"] in known.verdicts and found["last_seen"] for found in after):
            problems.append(f"nothing was said about it, expected {' or '.join(known.verdicts)}")
        lost = [found["id"] for found in before.values() if found["id"] not in {found["id"] for found in after}]
        if lost:
            problems.append(f"incidents got lost: {lost}")
        if sent_to_stranger(lab):
            problems.append("B sent something to the stranger")
        if not flows(lab):
            problems.append("the tunnel is dark")
        elif entry["what"] != "idle" and lab.traffic.outage(entry["since"])[0] > 1:
            problems.append(f"the pings were silent for {lab.traffic.outage(entry['since'])[0]:.2f} s")
        return problems
