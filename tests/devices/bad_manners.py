# SPDX-License-Identifier: MIT
"""Devices as they are at 3 am: slow, silent, cut off, chatty, foreign."""
import re

from client import Client
from expect import expect, same, true
from ios.api import Failed, World


def world():
    w = World()
    w.device("rt", address="192.0.2.1", privilege=15)
    w.device("far", ssh=False, address="192.0.2.2")
    w.tunnel("rt", "far")
    return w.start()


def session(w, **wanted):
    w.behave("rt", **wanted)
    return Client(w, "rt")


def slow(w):
    with session(w, slow=2000) as c:
        c.until()
        c.do("terminal length 0")
        shown = c.do("show crypto ipsec sa | include pkts", seconds=20)
        crumbs = [one["text"] for one in w.transcripts("rt")[-1] if one["what"] == "out"]
        return true("in crumbs", max(map(len, crumbs)) <= 7) + expect("all came", shown, "#pkts not decompressed")


def hang(w):
    with session(w, hang="login") as c:
        problems = true("silence at login", c.silent(1.0))
    with session(w, hang="ipsec sa") as c:
        c.until()
        problems += expect("other commands", c.do("show clock"), "UTC")
        c.press("show crypto ipsec sa\r")
        c.until("show crypto ipsec sa\r\n$")
        problems += true("no more than the echo", c.silent())
    with session(w, hang="ipsec sa", hang_after=300) as c:
        c.until()
        c.do("terminal length 0")
        c.press("show crypto ipsec sa\r")
        problems += expect("in the midst", c.until("interface: Tunnel1[\\s\\S]*port"), absent=["outbound pcp"])
        while not c.silent():
            pass
        problems += expect("no end", c.all, absent=["outbound pcp"])
    w.behave("rt")
    with Client(w, "rt") as c:
        c.until()
        return problems + expect("others are not disturbed", c.do("show clock"), "UTC")


def cut(w):
    with session(w, cut=9) as c:
        c.until()
        return same("nine lines, and the prompt", c.do("show crypto ipsec sa").count("\n"), 8)


def drop(w):
    problems = []
    for hard in (False, True):
        with session(w, drop=700, hard=hard) as c:
            c.until()
            c.do("terminal length 0")
            c.press("show crypto ipsec sa\r")
            problems += true(f"the connection ends, hard={hard}", c.ended())
            problems += expect("after a part", c.all, "interface: Tunnel1", absent=["outbound pcp"])
    return problems


def chatty(w):
    with session(w, interleave=5) as c:
        c.until()
        c.do("terminal length 0")
        problems = expect("its own log in between", c.do("show crypto ipsec sa"), "%SEC-6-IPACCESSLOGP: list OUTSIDE", "outbound pcp sas")
    with session(w, interleave=4, middle=True) as c:
        c.until()
        c.do("terminal length 0")
        shown = c.do("show crypto ipsec sa")
        problems += true("in the middle of a line", re.search(r"[^\n ]\n[^\n]*%SEC-6-IPACCESSLOGP[^\n]*\n\S", shown), shown)
    with session(w) as c:
        c.until()
        c.do("terminal monitor")
        w.say("rt", "%SYS-5-CONFIG_I: Configured from console by somebody")
        problems += expect("terminal monitor", c.until("somebody"), "%SYS-5-CONFIG_I: Configured from console")
        c.press("show cl")
        c.until("show cl$")
        w.say("rt", "%LINK-3-UPDOWN: Interface GigabitEthernet3, changed state to down")
        c.until("to down\r\n$")
        c.press("ock\r")
        problems += expect("in the midst of a line", c.until(), "UTC")
        c.do("terminal no monitor")
        w.say("rt", "%SYS-5-CONFIG_I: Configured from console by nobody")
        return problems + true("no more", c.silent())


def foreign(w):
    with session(w, language="es") as c:
        c.until()
        problems = expect("an error in Spanish", c.do("show nonsense"), "% Entrada no válida detectada en el marcador '^'.", absent=["Invalid"])
    with session(w, garbage=True) as c:
        c.until()
        problems += expect("garbage", c.do("show clock"), "\x1b[5n", "UTC")
    with session(w, prompt="\x1b[32m% \x1b[0m") as c:
        problems += expect("another prompt", c.until("\x1b\\[0m$"), "\x1b[32mrt# \x1b[0m")
    w.change("rt", echo=False)
    with session(w) as c:
        c.until()
        c.press("show clock\r")
        problems += expect("no echo", c.until(), "UTC", absent=["show clock"])
    w.change("rt", echo=True)
    return problems


def wide(w):
    """IOS moves a long line to the left, unless the terminal is told to be wide."""
    with session(w) as c:
        c.until()
        line = "show crypto ipsec sa peer 192.0.2.2 detail | include pkts no sa|encaps:|decaps:|current"
        problems = expect("narrow", c.do(line) and c.all, "$")
        c.do("terminal width 512")
        c.all = ""
        problems += expect("wide", c.do(line) and c.all, line, "#pkts encaps: ", absent=["$"])
    return problems


def mistakes(w):
    problems = []
    for what, call in (("a fault", lambda: w.fault("nonsense")), ("a misbehaviour", lambda: w.behave("rt", nonsense=1)),
                       ("a device", lambda: w.state("nonsense")), ("an attribute", lambda: w.change("rt", nonsense=1))):
        try:
            call()
            problems.append(f"{what} that does not exist is taken")
        except Failed as failed:
            problems += expect(what, str(failed), "nonsense")
    return problems


TESTS = [("bad: slow", slow), ("bad: hangs", hang), ("bad: output is cut", cut), ("bad: the connection is dropped", drop),
         ("bad: its own log in between", chatty), ("bad: languages, garbage, prompts, no echo", foreign), ("bad: a narrow terminal", wide),
         ("bad: a test's own mistakes", mistakes)]
