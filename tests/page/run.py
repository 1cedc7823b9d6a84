#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page in a real Chromium, driven by Playwright (page.mjs), served by a real spimendd: beside a real gateway while the
lab breaks it, and beside lab/ios's routers for a step that waits for a person.

    run.py [--only WORD] [--shots FOLDER]   FOLDER gets the screenshots

Root, Chromium, Node and npm, which fetches Playwright once into build-page/; what cannot be had is skipped, with the reason.
In a cage of its own (lab/net.py): whatever ends it, nothing is left behind."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "lab"), os.path.join(ROOT, "tests/roles")]
import faults  # noqa: E402
import fleet  # noqa: E402
import net  # noqa: E402
import repairs  # noqa: E402
import web  # noqa: E402
from laboratory import Lab  # noqa: E402
from suite import Suite, run  # noqa: E402

BUILD, MODULES = os.path.join(ROOT, "build-gcc"), os.path.join(ROOT, "build-page")
LIMIT_S = 240


class Browser:
    """page.mjs in a namespace: `with Browser(inside, ...) as b`, then told() and go()."""

    def __init__(self, inside, scenario, token, personal, shots):
        self.folder = tempfile.mkdtemp(prefix="spimend-page-", dir="/tmp")
        settings = {"base": f"http://127.0.0.1:{web.PORT}", "token": token, "personal": personal, "scenario": scenario,
                    "shots": shots, "modules": MODULES, "chromium": shutil.which("chromium")}
        env = dict(os.environ, HOME=self.folder, TMPDIR=self.folder, XDG_RUNTIME_DIR=self.folder)
        self.child = subprocess.Popen([*inside, shutil.which("node"), os.path.join(HERE, "page.mjs"), json.dumps(settings)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=env)
        self.late = threading.Timer(LIMIT_S, self.child.kill)
        self.late.start()
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.late.cancel()
        self.child.kill()
        self.child.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def until(self, what):
        """The line that tells `what`, or None when it ended without."""
        for line in self.child.stdout:
            said = json.loads(line)
            self.told.append(said)
            if said["what"] == what:
                return said
            if said["what"] == "end":
                break
        return None

    def go(self, words="go"):
        self.child.stdin.write(words + "\n")
        self.child.stdin.flush()

    def all(self, what):
        return [said for said in self.told if said["what"] == what]

    def end(self):
        """What was wrong in the browser's eyes."""
        end = (self.all("end") or [self.until("end")])[0]
        return end["wrong"] if end else ["the browser ended early: " + (self.child.stderr.read() or "")[-600:]]


def page_token(state):
    with open(os.path.join(state, "web", "token"), encoding="ascii") as file:
        return file.read().strip()


def incident_appears(shots):
    """The list tells of it by itself; its timeline has the SA that died, the strays, the new one, the moment of healing."""
    problems, lab = [], Lab("page")
    try:
        lab.up()
        lab.traffic.start()
        lab.spimendd.start(extra=[f"web listen 127.0.0.1 {web.PORT}", "web user games"])
        token_file = os.path.join(lab.spimendd.folder, "state", "web", "token")
        lab.wait(lambda: os.path.exists(token_file) and "spimendd[web]: confined" in open(lab.spimendd.log).read(), 20, "the page")
        with Browser(lab.net.inside("B", []), "incident", page_token(os.path.join(lab.spimendd.folder, "state")), "", shots) as b:
            if not b.until("ready"):
                return b.end()
            made = faults.make(lab, "restart")
            b.go()
            seen = b.until("incident")
            problems += b.end()
        if seen:
            spi = f"0x{int(made['spi'], 16):x}"
            died = [bar for bar in seen["bars"] if bar.startswith(f"{spi} in") and "died" in bar]
            problems += [] if seen["lanes"] == 2 else [f"{seen['lanes']} lanes"]
            problems += [] if died else [f"no bar of {spi} that died: {seen['bars']}"]
            problems += [] if len(seen["bars"]) >= 2 else [f"no successor: {seen['bars']}"]
            problems += [] if seen["strays"] and seen["healed"] else [f"no strays, or no moment of healing: {seen}"]
            problems += [] if spi in seen["title"] else [f"the title: {seen['title']}"]
            live = [one for one in lab.spimendd.incidents() if one["id"] == seen["id"]]
            problems += [] if live else [f"spimendd knows no incident {seen['id']}"]
    finally:
        lab.down()
    return problems


class Served(repairs.Wan):
    def __init__(self, build):
        super().__init__(build, more=web.LISTEN)


def step_is_approved(shots):
    """Refused with a wrong token, with the page's, from another origin and a second time; done with the person's own."""
    problems = []
    with Served(BUILD) as d:
        problems += [] if d.surveyed() else ["their addresses are not asked for"]
        web.start(d)
        with Browser(["ip", "netns", "exec", d.space], "approval", web.page_token(d), web.personal(d), shots) as b:
            if not b.until("ready"):
                return problems + b.end() + d.tail()
            d.world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
            d.world.advance(70)
            b.go()
            if b.until("before"):
                typed = d.changes("hub") + d.changes("spoke")
                b.go(f"typed {typed}" if typed else "nothing typed")
                b.until("approved")
            problems += b.end()
            foreign = b.all("foreign")[0]["tries"] if b.all("foreign") else []
            problems += [] if len(foreign) == 2 and not any("200" in one for one in foreign) else [f"another origin: {foreign}"]
            refused, again = b.all("refused"), b.all("again")
            problems += [] if len(refused) == 2 else [f"wrong tokens: {refused}"]
            problems += [] if again and again[0]["status"] == 409 else [f"a second time: {again}"]
        if d.changes("hub") != ["request platform software sdwan security ipsec-rekey"] or d.changes("spoke"):
            problems.append(f"typed: {d.changes('hub')} {d.changes('spoke')}")
        return repairs.report(d, problems)


def hostile_text(shots):
    """What a router writes is text, whatever it is."""
    with fleet.Fleet(BUILD, "syslog listen udp 127.0.0.1 port 5514", "syslog source 127.0.0.0/8", *web.LISTEN) as d:
        web.start(d)
        with Browser(["ip", "netns", "exec", d.space], "hostile", web.page_token(d), "", shots) as b:
            if not b.until("ready"):
                return b.end() + d.tail()
            line = fleet.stray(0x1db73bbb) + ", input interface=<img/src=x/onerror=window.hacked=1>\"'><script>hacked=1</script>"
            d.send(f"<188>7: hub: *{fleet.stamp(ago=70)}: {line}", f"<188>8: hub: *{fleet.stamp()}: {line}")
            b.go()
            problems = b.end()
        return problems + (d.tail() if problems else [])


def session_ends_and_comes_back(shots):
    """With the keyboard past the head, out and in again, and live again after the stream was refused."""
    with fleet.Fleet(BUILD, *web.LISTEN) as d:
        web.start(d)
        with Browser(["ip", "netns", "exec", d.space], "session", web.page_token(d), "", shots) as b:
            problems = b.end()
        return problems + (d.tail() if problems else [])


TESTS = [
    ("an incident appears while the lab breaks, and its timeline is right", incident_appears),
    ("a step is approved by a person's own token, once, and from this page alone", step_is_approved),
    ("what routers write never becomes markup", hostile_text),
    ("a log-out leads to a log-in that stays, and a refused stream is asked for again", session_ends_and_comes_back),
]


def prepare(suite):
    """Why it cannot run here, or None."""
    absent = [tool for tool in ("node", "npm", "chromium") if not shutil.which(tool)]
    if os.geteuid():
        return "needs root"
    if absent:
        return f"not installed: {', '.join(absent)}"
    if not os.path.exists(os.path.join(MODULES, "node_modules/playwright-core")):
        os.makedirs(MODULES, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), MODULES)
        got = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=MODULES, timeout=120)
        if got.status:
            return f"npm cannot fetch Playwright: {got.tail(2)}"
    env = dict(os.environ, SPIMEND_BUILD_TARGETS="spimend spimendd")
    built = run(["scripts/as-user", "scripts/build", "build-gcc"], timeout=500, env=env)
    if built.status:
        suite.fail("build", built.tail(30))
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="tests that have this word in their name")
    parser.add_argument("--shots", help="a folder for screenshots")
    given = parser.parse_args()
    suite = Suite("page")
    os.environ["SPIMEND_LAB_BUILD"] = BUILD
    if not net.caged():
        why = prepare(suite)
        if why or suite.failed:
            for name, _ in TESTS if why else []:
                suite.skip(name, why)
            return suite.close()
        net.demand_tools()
        net.cage([sys.executable, *sys.argv])
    if given.shots:
        os.makedirs(given.shots, exist_ok=True)
    for name, test in TESTS:
        if not given.only or given.only in name:
            try:
                suite.judge(name, test(given.shots and os.path.abspath(given.shots)))
            except Exception:
                suite.fail(name, traceback.format_exc())
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
