# SPDX-License-Identifier: MIT
"""Runs in a guest: the tunnel kinds KINDS_WANTED of kinds.py through their faults, spimendd in mode repair beside B. A line
a run:

    matrix: {"kind", "fault", then either "error" or what was seen: see look()}
"""
import datetime
import json
import os
import time
import traceback

import kinds
import pair as pairs
from heal import MODULES, tail
from pair import PATIENCE, Trouble, wait_for

HEAL_S = 20
CALM_S = 1.0 * PATIENCE  # for what may still come of it
# Refusals that time may lift: a charon that starts reads its configuration in a while.
PASSING = ("busy", "backoff", "budget", "breaker", "verdict", "sequence", "daemon-down", "not-configured", "stranger")
FINAL_S = 2.5 * PATIENCE  # a refusal that stands for so long is the answer


def say(kind, fault, **told):
    print("matrix: " + json.dumps(dict({"kind": kind, "fault": fault}, **told)), flush=True)


def install_plugins():
    """Puts charon's plugins of the lab where charon looks for plugins: this root is the guest's own."""
    found = []
    for name, path in ((pairs.FAULTS, os.environ.get("FAULT_PLUGIN")), (pairs.PRODUCT, os.environ.get("PRODUCT_PLUGIN"))):
        if path:
            pairs.run(["cp", path, f"/usr/lib/ipsec/plugins/libstrongswan-{name}.so"])
            found.append(name)
    return found


def at(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def since_then(pair, since):
    """The incidents that something was seen of since then, with the actions since then, the latest last. One that was healed
    before may be there again: a sender with a stale child may go back to it."""
    found = sorted((one for one in pair.incidents() if at(one["last_seen"]) >= since), key=lambda one: at(one["last_seen"]))
    return [dict(one, actions=[action for action in one["actions"] if at(action["at"]) >= since]) for one in found]


def look(pair, since, orders):
    """What became of a fault: the incident of it as spimend tells it, and what charon was told."""
    found = [one for one in since_then(pair, since) if one["verdict"] in ("desync", "other-fault")]
    found = [one for one in found if one["actions"]] or found
    told = {"flows": pair.flows(), "outage": pair.outage(since), "orders": pair.b.orders() - orders,
            "children": {side.name: len(side.children()) for side in (pair.a, pair.b)}, "incidents": len(found)}
    if found:
        one = found[-1]
        told.update({key: one[key] for key in ("id", "tunnel_kind", "verdict", "cause", "state", "actions")})
        told.update(next=one["live"]["next"], answer=one["live"]["kind"], explain=pair.ask("explain", one["id"]))
        told.update(dmvpn=[json.loads(line) for line in pair.ask("-c", "show dmvpn | json").splitlines()])
    return told


class Watch:
    """Looks on until a fault is healed, or refused for good."""

    def __init__(self, pair, begin):
        self.pair, self.begin = pair, begin
        self.refusal, self.since = None, 0.0

    def is_over(self):
        refusal = None
        for one in since_then(self.pair, self.begin):
            if one["state"] == "healed" and at(one["live"]["healed"]) >= self.begin and self.pair.flows():
                return True
            if one["verdict"] == "desync" and one["state"] == "open":
                refusal = one["live"]["next"]["refusal"] or refusal
        if refusal != self.refusal:
            self.refusal, self.since = refusal, time.time()
        return refusal and refusal not in PASSING and time.time() - self.since > FINAL_S


def play(pair, fault):
    time.sleep(0.2)  # what is on its way belongs to what was before
    orders, since = pair.b.orders(), time.time()
    fault.make(pair)
    wait_for(Watch(pair, since).is_over, HEAL_S)
    time.sleep(CALM_S)
    return look(pair, since, orders)


def play_kind(kind, build, plugins):
    shape = kind.shape()
    why = shape.missing()
    for fault in kinds.FAULTS if why else ():
        say(kind.name, fault.name, error=f"not run: {why}")
    if why:
        return
    pair = kinds.KindPair(build, shape, plugins=plugins)
    try:
        pair.up()
        for fault in kinds.FAULTS:
            if fault.plugin and pairs.FAULTS not in plugins:
                say(kind.name, fault.name, error="not run: charon's fault plugin cannot be built here")
                continue
            try:
                say(kind.name, fault.name, **play(pair, fault))
            except Trouble as error:
                say(kind.name, fault.name, error=str(error), log=tail(pair, 15))
    except Exception:
        say(kind.name, None, error=traceback.format_exc(), log=tail(pair, 15) + shape.words())
    finally:
        pair.down()


def main():
    for module in (*MODULES, "ip_gre"):
        pairs.run(["modprobe", "-q", module], check=False)
    pairs.load_ciphers()
    pairs.make_wires()
    plugins = install_plugins()
    wanted = os.environ["KINDS_WANTED"].split(",")
    for kind in kinds.KINDS:
        if kind.name in wanted:
            play_kind(kind, os.environ["BUILD"], plugins)


if __name__ == "__main__":
    main()
