#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""spimend's plugin inside real charons (strongSwan), two of them on a wire of their own (lab/).

    run.py [--only WORD]   tests whose name has WORD

Needs root, the lab's packages and strongSwan's source package; what cannot run here is skipped and says why. Runs in a cage
of its own (lab/net.py): whatever ends it, nothing is left behind. SPIMEND_PLUGIN_KEEP names a folder for the logs of worlds
in which something failed."""
import argparse
import json
import os
import shutil
import sys
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
import world  # noqa: E402
from suite import Suite, build_check  # noqa: E402
import gateway  # noqa: E402
import net  # noqa: E402
import capture  # noqa: E402
import orders  # noqa: E402
import product  # noqa: E402
import reports  # noqa: E402
import safety  # noqa: E402
import tokens  # noqa: E402

EVERYTHING = "the plugin inside charon"




def prerequisites(suite):
    try:
        net.demand_root()
        net.demand_tools()
    except net.LabError as error:
        suite.skip(EVERYTHING, str(error))
        return False
    return True


def build_all():
    """What needs the network and names of users, which the cage has not."""
    fault, why_not = gateway.build_plugin(world.LAB)
    plugin, why = world.build()
    client = build_check("tests/plugin/order", "spimend", "spimendd") if plugin else None
    return {"fault": fault, "plugin": plugin, "why": why or why_not and f"fault plugin: {why_not}",
            **(world.build_helpers() if plugin else {"keys": None, "odd": None}),
            "order": os.path.join(world.ROOT, "build-check/tests/plugin/order") if client and client.status == 0 else None}


def run_world(suite, only, title, options, tests):
    """One world for several tests, each of which gets it with its tunnel up and says what is wrong."""
    wanted = [(name, test) for name, test in tests if not only or only in f"{title}: {name}"]
    if not wanted:
        return
    lab = world.World("plug")
    failed = suite.failed
    try:
        lab.start_up(**options)
        for name, test in wanted:
            try:
                lab.restore()
                problems = test(lab)
                if isinstance(problems, str):
                    suite.skip(f"{title}: {name}", problems)
                    continue
            except Exception:
                problems = traceback.format_exc().splitlines()
            suite.judge(f"{title}: {name}", problems)
    except Exception:
        suite.fail(f"{title}: a world", traceback.format_exc())
    finally:
        keep = os.environ.get("SPIMEND_PLUGIN_KEEP")
        if keep and suite.failed > failed:
            shutil.copytree(lab.folder, os.path.join(keep, title.replace(" ", "-")), dirs_exist_ok=True,
                            ignore=lambda folder, names: [n for n in names if os.path.exists(os.path.join(folder, n))
                                                          and not os.path.isfile(os.path.join(folder, n))
                                                          and not os.path.isdir(os.path.join(folder, n))])
        lab.down()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    given = parser.parse_args()
    suite = Suite("plugin")
    if not prerequisites(suite):
        return suite.close()
    if not net.caged():
        os.environ["SPIMEND_PLUGIN_BUILT"] = json.dumps(build_all())
        net.cage([sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    built = json.loads(os.environ["SPIMEND_PLUGIN_BUILT"])
    if built["why"]:
        suite.skip(EVERYTHING, built["why"])
        return suite.close()
    world.World.built, world.World.fault, world.World.keys = built["plugin"], built["fault"], built["keys"]
    world.World.order, world.World.odd = built["order"], built["odd"]
    for module in (orders, reports, tokens, safety, capture, product):
        for title, options, tests in module.worlds():
            run_world(suite, given.only, title, options, tests)
    shutil.rmtree("/run/spimend-lab", ignore_errors=True)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
