# SPDX-License-Identifier: MIT
"""Quick crash detection end to end: two gateways with spimend at both ends, B is killed, started again, and cannot initiate."""
import os
import traceback

import crash as lab_crash
from laboratory import Lab
from witness import LabError


def jobs(builds, product, why):
    def job(everything):
        return lambda report: run(report, builds["shipped"], everything, product, why)
    return [(f"crash detection{' and spimendd' if everything else ''}", job(everything)) for everything in (False, True)]


def run(report, build, everything, product, why):
    title = f"crash detection: B, which only answers, is killed{' with its spimendd' if everything else ''}, and A notices"
    if not product:
        report(title, None, why)
        return
    os.environ["SPIMEND_LAB_PRODUCT"] = product
    lab = Lab("crashall" if everything else "crash")
    problems = []
    try:
        found = lab_crash.run_once(4, True, everything, lab, build)
        if found["outage"] is None:
            problems.append("not healed")
        if found["a"]["crashes"] != 1 or found["a"]["liveness_checks"] != 1:
            problems.append(f"not by B's token: {found['a']}")
        if found["b"]["tokens_sent"] < 1:
            problems.append(f"B told no token: {found['b']}")
        if found["children"] != (1, 1):
            problems.append(f"children at A and B: {found['children']}")
        mended = [i for i in found["incidents"] if i["cause"] == "receiver-lost-state" and i["verdict"] == "desync"]
        if len(mended) != 1 or [a["verb"] for a in mended[0]["actions"]] != ["notify-spi"]:
            problems.append(f"B's incidents: {found['incidents']}")
    except LabError as error:
        problems.append(str(error))
    except Exception:
        problems += traceback.format_exc().splitlines()
    finally:
        lab.down()
    report(title, problems)
