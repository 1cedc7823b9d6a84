#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The daemon's processes: real ones, started, killed, reloaded, starved and lied to, each in a network namespace of its own.

    run.py [--only WORD]

Without root only what needs none runs, and the rest says so. SPIMEND_ROLES_BUILD names a folder with an optimised build,
SPIMEND_ROLES_SANITIZED one with sanitizers; without them build-gcc and build-check are brought up to date."""
import argparse
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), HERE]
import audit  # noqa: E402
import devices  # noqa: E402
import eem  # noqa: E402
import feeding  # noqa: E402
import fleet  # noqa: E402
import hooks  # noqa: E402
import hostile  # noqa: E402
import journald  # noqa: E402
import life  # noqa: E402
import neighbors  # noqa: E402
import notify  # noqa: E402
import plain  # noqa: E402
import recorder  # noqa: E402
import reporting  # noqa: E402
import repairs  # noqa: E402
import shell  # noqa: E402
import ssh  # noqa: E402
import web  # noqa: E402
import world  # noqa: E402
from suite import ROOT, Suite, build_check, run  # noqa: E402

PARALLEL = 5  # on two cores: most of the time each waits


def builds(suite):
    """(optimised, sanitized) folders; None for what could not be built."""
    optimised = os.environ.get("SPIMEND_ROLES_BUILD")
    if not optimised:
        env = dict(os.environ, CC="gcc", SPIMEND_BUILD_TARGETS="spimend spimendd")
        built = run(["scripts/as-user", "scripts/build", "build-gcc", "-Dwerror=true"], timeout=300, env=env)
        suite.judge("build", built.tail(40).splitlines() if built.status else [])
        optimised = None if built.status else "build-gcc"
    sanitized = os.environ.get("SPIMEND_ROLES_SANITIZED")
    if not sanitized:
        built = build_check("spimend", "spimendd", "tests/roles/roles_dialer")
        suite.judge("build with sanitizers", built.tail(40).splitlines() if built.status else [])
        sanitized = None if built.status else "build-check"
    folders = [folder and os.path.join(ROOT, folder) for folder in (optimised, sanitized)]
    return [folder if folder and os.access(os.path.join(folder, "spimendd"), os.X_OK) else None for folder in folders]


def into_cage():
    """Begins anew in mount and process namespaces of its own: whatever ends it, nothing of it is left behind."""
    os.environ["SPIMEND_ROLES_CAGE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
                          "sh", "-c", 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"', "sh",
                          sys.executable, os.path.abspath(__file__), *sys.argv[1:]])


def play(test):
    """What is wrong with it: a list of lines."""
    _, deed, build = test
    try:
        return deed(build)
    except Exception:  # noqa: BLE001 a test that cannot run has failed
        return traceback.format_exc().splitlines()


def main():
    if os.geteuid() == 0 and not os.environ.get("SPIMEND_ROLES_CAGE"):
        into_cage()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    suite = Suite("roles")
    optimised, sanitized = builds(suite)
    tests = [(name, deed, optimised) for name, deed in plain.TESTS] if optimised else []
    if os.geteuid() == 0:
        absent = notify.missing()
        if absent:
            suite.skip("traps and messages, in and out", "not installed: " + ", ".join(absent))
        modules = [life, world, hostile, shell, eem, fleet, web] + ([] if absent else [notify, hooks])
        if feeding.missing():
            suite.skip("rsyslogd and syslog-ng forward to the daemon", "not installed: " + ", ".join(feeding.missing()))
        else:
            modules.append(feeding)
        if journald.missing():
            suite.skip("journald's journal", "not installed: " + ", ".join(journald.missing()))
        else:
            modules.append(journald)
        if neighbors.missing():
            suite.skip("neighbours by LLDP and CDP", "not installed: " + ", ".join(neighbors.missing()))
        else:
            modules.append(neighbors)
        if ssh.missing():
            suite.skip("the shell over sshd and on a screen", "not installed: " + ", ".join(ssh.missing()))
        elif optimised:
            tests += [(name, deed, optimised) for name, deed in ssh.TESTS]
        if devices.missing():
            suite.skip("devices over ssh", "not installed: " + ", ".join(devices.missing()))
        else:
            modules += [devices, repairs, audit, recorder, reporting]
            tests += [(name, deed, optimised) for name, deed in web.DEVICE_TESTS] if optimised else []
        for module in modules:
            tests += [(name, deed, optimised) for name, deed in module.TESTS] if optimised else []
            tests += [(f"{name} (sanitizers)", deed, sanitized) for name, deed in module.SANITIZED] if sanitized else []
    else:
        suite.skip("the daemon itself", "needs root")
    wanted = [test for test in tests if options.only in test[0]]
    with ThreadPoolExecutor(PARALLEL) as pool:
        for (name, *_), problems in zip(wanted, pool.map(play, wanted)):
            suite.judge(name, problems)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
