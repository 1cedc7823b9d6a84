# SPDX-License-Identifier: MIT
"""The line: log in, type, read pages, ask and confirm."""
import os
import subprocess

from client import Client
from expect import expect, same, true
from ios.api import World


def world():
    w = World()
    w.device("rt1", address="192.0.2.1", enable="letmein", login="Authorised use only", motd="Maintenance on Sunday",
             exec="Welcome to rt1", deny=["show version"], confirm={"clear crypto sa peer": "Really? [confirm]"}, load_lines=True)
    w.device("rt2", address="192.0.2.2", platform="ios", privilege=15)
    w.device("fw1", address="192.0.2.3", platform="asa", enable="letmein")
    w.tunnel("rt1", "rt2", kind="svti")
    w.tunnel("fw1", "rt2", kind="static-crypto-map")
    return w.start()


def log_in(w):
    with Client(w, "rt1", options=["LogLevel=INFO"]) as c:
        banner = c.until()
        problems = expect("banners", banner, "Authorised use only", "Maintenance on Sunday", "Welcome to rt1", "\r\nrt1>")
        problems += expect("user exec", c.do("show running-config"), "% Invalid input detected at '^' marker.")
        problems += expect("a clear in user exec", c.do("clear crypto sa peer 192.0.2.2"), "    ^\n% Invalid input", absent=["      ^"])
        c.press("enable\r")
        c.until("Password: $")
        for _ in range(2):
            c.press("wrong\r")
            c.until("Password: $")
        c.press("wrong\r")
        problems += expect("three wrong passwords", c.until(), "% Bad secrets", "rt1>", absent=["wrong"])
        c.press("enable\r")
        c.until("Password: $")
        c.press("letmein\r")
        problems += expect("the right one", c.until(), "rt1#", absent=["letmein"])
        problems += expect("load", c.do("show clock"), "Load for five secs: ", "Time source is NTP, ", " UTC ")
        c.press("exit\r")
        problems += true("exit ends the connection", c.ended())
    told = w.transcripts("rt1")[-1]
    problems += same("the transcript begins", told[0]["what"], "login")
    typed = [one["text"] for one in told if one["what"] == "typed"]
    problems += same("what was typed", typed, ["show running-config", "clear crypto sa peer 192.0.2.2", "enable"] + ["(not echoed)"] * 3
                     + ["enable", "(not echoed)", "show clock", "exit"])
    problems += true("the password is in no transcript", "letmein" not in str(told), told)
    return problems + same("commands", [one["command"] for one in w.typed("rt1")][-2:], ["show clock", "exit"])


def pages(w):
    with Client(w, "rt2") as c:
        problems = expect("privileged at once", c.until(), "rt2#")
        c.press("show crypto ipsec sa\r")
        first = c.until(" --More-- $")
        problems += same("lines of a page, with the command's own", first.count("\r\n"), 24)
        c.press("\r")
        problems += same("a line", c.until(" --More-- $").count("\r\n"), 1)
        c.press(" ")
        got = c.until(" --More-- $")
        problems += expect("the prompt is wiped out", got, "\b" * 9 + " " * 9 + "\b" * 9)
        c.press("q")
        problems += expect("q", c.until(), "rt2#", absent=["pcp sas:\r\n\r\nrt2#"])
        c.do("terminal length 0")
        problems += expect("terminal length 0", c.do("show crypto ipsec sa"), "outbound pcp sas:", absent=["More"])
        w.behave("rt2", pager=True)
    with Client(w, "rt2") as c:
        c.until()
        c.do("terminal length 0")
        c.press("show crypto ipsec sa\r")
        problems += expect("pages in spite of it", c.until(" --More-- $"), "interface: ")
    w.behave("rt2")
    with Client(w, "fw1") as c:
        c.until()
        c.press("show crypto ipsec sa\r")
        problems += expect("the ASA's", c.until("<--- More --->$"), "current_peer: 192.0.2.2")
        c.press("q")
        c.until()
    return problems


def words(w):
    with Client(w, "rt2") as c:
        c.login()
        problems = same("nonsense", c.do("show crypto nonsense"), "                ^\n% Invalid input detected at '^' marker.\n")
        problems += expect("ambiguous", c.do("show c"), '% Ambiguous command:  "show c"')
        problems += same("incomplete", c.do("show crypto"), "% Incomplete command.\n")
        problems += expect("abbreviated", c.do("sh cry ips sa | i current"), "current_peer 192.0.2.1", "current_peer 192.0.2.3",
                           "current outbound spi: 0x", absent=["pkts"])
        problems += expect("section", c.do("show running-config | section crypto ikev2"), "crypto ikev2 profile PEERS",
                           " keyring local KEYS", absent=["interface"])
        problems += expect("count", c.do("show crypto ipsec sa | count spi:"), "= 6")
        problems += expect("exclude", c.do("show crypto ipsec sa | exclude sas"), "local crypto", absent=["esp sas"])
        problems += expect("IOS has no QFP", c.do("show platform hardware qfp active statistics drop"), "% Invalid input")
        problems += expect("nor SD-WAN", c.do("clear sdwan omp all"), "      ^", "% Invalid input")
        c.press("show crypto ?")
        problems += expect("help", c.until(r"show crypto \?[\s\S]*show crypto $"), "  ipsec", "  isakmp", "  session")
        c.press("\x15ter\t\x03")
        problems += expect("completion", c.until(), "terminal ")
        c.do("configure terminal", r"\(config\)#$")
        c.press("hostname other\r")
        problems += expect("configuration", c.until(r"\(config\)#$"), "other(config)#")
        c.do("crypto isakmp invalid-spi-recovery", r"\(config\)#$")
        problems += expect("nonsense there", c.do("florble", r"\(config\)#$"), "% Invalid input")
        c.press("\x1a")
        problems += expect("Ctrl-Z", c.until(), "other#")
        problems += expect("kept", c.do("show running-config | include recovery|hostname"), "hostname other",
                           "crypto isakmp invalid-spi-recovery")
        problems += expect("logged", c.do("show logging | include CONFIG"), "%SYS-5-CONFIG_I: Configured from console by ")
    w.change("rt2", hostname="rt2", recovery=False)
    done = subprocess.run(w.ssh("rt2", "show clock", tty=False), stdout=subprocess.PIPE, text=True, timeout=20, check=False)
    return problems + expect("a command without a terminal", done.stdout, " UTC ") + same("its status", done.returncode, 0)


def refusals(w):
    with Client(w, "rt1") as c:
        c.until()
        problems = expect("not authorised", c.do("show version"), "Command authorization failed.")
        c.press("enable\r")
        c.until("Password: $")
        c.press("letmein\r")
        c.until()
        before = w.state("rt1")["tunnels"][0]["inbound"]
        c.press("clear crypto sa peer 192.0.2.2\r")
        c.until(r"\[confirm\]$")
        c.press("n")
        c.until()
        problems += same("not confirmed", w.state("rt1")["tunnels"][0]["inbound"], before)
        c.press("clear crypto sa peer 192.0.2.2\r")
        c.until(r"\[confirm\]$")
        c.press("\r")
        c.until()
        problems += true("confirmed", w.state("rt1")["tunnels"][0]["inbound"] != before)
    return problems


def strangers(w):
    """A key that is not known, and a host that is another."""
    problems = []
    stranger = os.path.join(w.folder, "stranger")
    w.keygen("stranger")
    host, port = w.place("rt2")
    w.write("wrong", f"[{host}]:{port} " + " ".join(w.read("stranger.pub").split()[:2]) + "\n")
    wrong = [f"UserKnownHostsFile={os.path.join(w.folder, 'wrong')}"]
    for what, command, said in (("a stranger's key", w.ssh("rt2", "show clock", tty=False, identity=stranger), "Permission denied"),
                                ("another host key", w.ssh("rt2", "show clock", tty=False, options=wrong), "verification failed")):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
        problems += expect(what, done.stdout, said, absent=["UTC"]) + true(f"{what} is refused", done.returncode == 255)
    return problems


TESTS = [("log in, banners, enable, and what is written down", log_in), ("page by page", pages),
         ("words: abbreviated, wrong, filtered, configured", words), ("authorisation and confirmation", refusals),
         ("keys: of strangers, and of another host", strangers)]
