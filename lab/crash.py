# SPDX-License-Identifier: MIT
"""lab crash: a receiver that is killed and can only answer, since it knows no address of its peer (B12). Both gateways run
spimendd with its plugin; B's `notify invalid-spi` makes A ask whether B is alive, B's answer has the token that B gave A
when their IKE SA was made (RFC 6290), and A drops that IKE SA and negotiates anew.

Beside it the same without both: A encrypts on, and B, which may not initiate, waits for it to notice."""
import os
import shutil
import signal
import statistics
import time

from laboratory import Lab
from net import LabError, send

WATCH_S = 10
LINES = ("crash-detection", "notify invalid-spi")
REFERENCE = """\
Without it, watched longer in an earlier measurement (reference, not this run): strongSwan's defaults, over 300 s;
with DPD 30 s and dpd_action restart at the sender, 194 to 195 s."""


def prepare(lab, ip, detection, build):
    lab.up(ike=2, ip=ip, plugin=False, product=True, responder=True)
    for daemon in (lab.spimendd_a, lab.spimendd):
        daemon.build = build or daemon.build
        daemon.start(extra=LINES if detection else ())
    if detection:
        lab.wait(lambda: all(is_on(daemon) for daemon in (lab.spimendd_a, lab.spimendd)), 10, "crash detection at both ends")
    for sa in lab.a.ike_sas():  # one that was made before has no tokens
        lab.a.call("terminate", ike_id=sa["uniqueid"], timeout=5000)
    lab.wait(lambda: not lab.b.ike_sas(), 5, "the old IKE SA to go")
    lab.a.initiate()
    lab.wait(lambda: lab.spimendd.knows_tunnel() and lab.spimendd_a.knows_tunnel(), 10, "both spimendds to know the tunnel")
    lab.traffic.start(20)
    time.sleep(1)


def is_on(daemon):
    status = daemon.status()[0]
    return all(each.get("plugin") and each["plugin"]["crash_detection"] for each in status["daemons"])


def kill_spimendd(daemon):
    for pid in [daemon.pid(), *daemon.roles().values()]:
        send(pid, signal.SIGKILL)
    daemon.lab.wait(lambda: daemon.pid() is None, 5, "spimendd's end")


def run_once(ip, detection, everything, lab=None, build=None):
    """(outage in s or None, from charon's return to the first answer or None, A's and B's figures)"""
    lab = lab or Lab("crash")
    try:
        prepare(lab, ip, detection, build)
        lab.b.outlive_second()
        since = time.time()
        if everything:
            kill_spimendd(lab.spimendd)
        lab.b.kill()
        lab.b.start()
        back = time.time()
        if everything:
            lab.spimendd.begin()
        late = time.monotonic() + WATCH_S
        while time.monotonic() < late:
            seconds, _, ended = lab.traffic.outage(since)
            if ended and seconds > 0.1 and time.time() - ended > 0.4:
                break
            time.sleep(0.05)
        else:
            seconds, ended = None, None
        keep = os.environ.get("SPIMEND_LAB_KEEP")
        if keep and detection and not ended:
            shutil.copytree(lab.folder, os.path.join(keep, f"crash-{time.time():.0f}"), dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("vici", "control", "spimend", "faults", "plugins"))
        return {"outage": seconds if ended else None, "noticed": max(ended - back, 0.0) if ended else None,
                "a": lab.spimendd_a.status()[0]["hints"], "b": lab.spimendd.status()[0]["hints"],
                "incidents": lab.spimendd.incidents(), "children": (len(lab.a.children()), len(lab.b.children()))}
    finally:
        lab.down()


def cell(values):
    return f"{statistics.median(values):6.2f} s {max(values):6.2f} s" if values else f"{'-':>8} {'-':>8}"


def crash(given):
    found = []
    for detection, runs in ((False, given.without), (True, given.runs)):
        for _ in range(runs):
            found.append((detection, run_once(given.ip, detection, given.all)))
    print(f"B's charon{' and spimendd are' if given.all else ' is'} killed and started again; B only answers. IKEv2 over "
          f"IPv{given.ip}, pings every 20 ms\n")
    print(f"{'':<26} {'outage':^17}   {'B is back, to traffic':^21}\n{'':<26} {'median':>8} {'worst':>8}   {'median':>8} {'worst':>8}")
    failed = 0
    for detection, name in ((False, "spimend alone"), (True, "with crash detection")):
        runs = [each for which, each in found if which == detection]
        healed = [each for each in runs if each["outage"] is not None]
        if runs:
            print(f"{name:<26} " + (f"{cell([each['outage'] for each in healed])}   {cell([each['noticed'] for each in healed])}"
                                    if healed else f"> {WATCH_S} s, not over"))
        if detection:
            failed = len(runs) - len(healed)
            by_token = sum(each["a"]["crashes"] for each in healed)
            print(f"\n{by_token} of {len(runs)} were noticed by B's token; {failed} did not heal")
    print(f"\n{REFERENCE}")
    if not found:
        raise LabError("--runs and --without are 0")
    return 1 if failed else 0
