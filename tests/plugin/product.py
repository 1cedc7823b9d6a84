# SPDX-License-Identifier: MIT
"""spimendd with the plugin: a child that B's charon lost is closed at A by a DELETE that spimendd ordered, and nothing stays
behind; roles that die in mid-repair repeat nothing."""
import os
import shutil
import signal
import time

from capture import deletes_on_wire, keys_options
from faults import from_b, make
from orders import expect

SENDING = "spimend: sending DELETE for "


def start(lab):
    """spimendd beside B, with what this world's plugin listens on; its ledger is empty."""
    lab.spimendd.stop()
    shutil.rmtree(lab.spimendd.folder, ignore_errors=True)
    lab.options["product"] = True  # for its configuration
    lab.spimendd.build = os.environ.get("SPIMEND_LAB_BUILD") or "build-check"
    lab.spimendd.start("repair")
    lab.wait(lambda: lab.spimendd.status()[0]["daemons"][0]["plugin"]["reports_up"], 10, "the plugin's reports")
    lab.traffic.start(20)
    time.sleep(0.5)


def stop(lab):
    lab.traffic.stop()
    lab.spimendd.stop()


def repaired(lab):
    return [found for found in lab.spimendd.incidents() if found["actions"]]


def actions(lab):
    return [(action["verb"], action["answer"]) for found in repaired(lab) for action in found["actions"]]


def sent(lab):
    """SPIs of the DELETEs that B's plugin sent, as charon's own log has them."""
    return [line.rsplit(" ", 1)[1] for line in lab.log_of(lab.b).splitlines() if SENDING in line]


def heals(lab):
    return lab.settles(lambda: [found["state"] for found in repaired(lab)] in (["healed"], ["unverified"]), 25)


def exact_delete(lab):
    problems = []
    before = len(sent(lab))
    start(lab)
    try:
        entry = make(lab, "child-lost")
        if not heals(lab):
            problems.append(f"not healed: {[(i['state'], i['verdict']) for i in lab.spimendd.incidents()]}")
        lab.settles(lambda: lab.counts() == (1, 1), 2)
        expect(problems, "children at A and B", lab.counts(), (1, 1))
        v1 = lab.options["ike"] == 1
        expect(problems, "what was done", actions(lab), [("delete-spi", "sent" if v1 else "peer-owned"), ("initiate", None)])
        expect(problems, "DELETEs that the plugin sent", sent(lab)[before:], [entry["spi"]])
        status = lab.spimendd.status()[0]["daemons"][0]["plugin"]
        if not status["up"] or not status["reports"] or status["reports_lost"] or status["malformed"]:
            problems.append(f"status says {status}")
        if keys_options()["plugins_more"] and shutil.which("tshark"):
            ours = [d for d in lab.wait(lambda: deletes_on_wire(lab), 5, "a DELETE in the recording") if d[0] == lab.b.address
                    and d[1] in ("0", "False", "")]
            expect(problems, "DELETEs of B on the wire, decrypted", [d[3].replace(":", "") for d in ours], [entry["spi"]])
    finally:
        stop(lab)
    return problems


def advise(lab):
    problems, before = [], len(sent(lab))
    start(lab)
    lab.spimendd.stop()
    lab.spimendd.start("advise")
    try:
        make(lab, "child-lost")
        lab.settles(lambda: any(found["verdict"] == "desync" for found in lab.spimendd.incidents()), 10)
        time.sleep(1)
        plans = [(found["live"]["next"]["rung"], found["live"]["next"]["refusal"]) for found in lab.spimendd.incidents()
                 if found["verdict"] == "desync"]
        expect(problems, "planned", plans, [("delete-spi", "mode")])
        expect(problems, "sent", sent(lab)[before:], [])
    finally:
        stop(lab)
    return problems


def killed(role):
    """The DELETE is on its way and A does not hear it: B's IKE is dropped until the role is back."""
    def test(lab):
        problems, before = [], len(sent(lab))
        start(lab)
        try:
            lab.drop_on_wire([from_b(lab)])
            entry = make(lab, "child-lost")
            lab.wait(lambda: sent(lab)[before:], 10, "the DELETE")
            pid = lab.spimendd.roles()[role]
            os.kill(pid, signal.SIGKILL)
            if not lab.settles(lambda: lab.spimendd.roles().get(role) not in (None, pid), 10):
                problems.append(f"{role} did not come back")
            lab.drop_none()
            if not lab.settles(lab.traffic.answers, 25):
                problems.append("the tunnel is dark")
            if not heals(lab):
                problems.append(f"not healed: {[(i['state'], i['verdict']) for i in repaired(lab)]}")
            expect(problems, "DELETEs that the plugin sent", sent(lab)[before:], [entry["spi"]])
            expect(problems, "verbs", [verb for verb, _ in actions(lab)], ["delete-spi", "initiate"])
            lab.settles(lambda: lab.counts() == (1, 1), 2)
            expect(problems, "children at A and B", lab.counts(), (1, 1))
            if problems:
                with open(lab.spimendd.log, encoding="utf-8", errors="replace") as log:
                    problems += log.read().splitlines()[-25:]
        finally:
            lab.drop_none()
            stop(lab)
        return problems
    return test


def worlds():
    for version in (2, 1):
        yield f"spimendd, IKEv{version}", dict(keys_options(), ike=version, keys_folder=True), \
            [("a lost child is closed at the peer by one exact DELETE", exact_delete)]
    yield "spimendd, modes and deaths", {}, [("advise plans and sends nothing", advise)] + [
        (f"kill -9 of {role} in mid-DELETE repeats nothing", killed(role)) for role in ("core", "act", "sense")]
