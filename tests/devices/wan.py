# SPDX-License-Identifier: MIT
"""SD-WAN: both scenarios of the note, the trap, a third party's tunnel on the same router, a rekey at scale (B15-B17)."""
import re

from client import Client
from expect import expect, same, soon, true
from ios.api import World
from tunnels import moves

COLORS = ("mpls", "lte")
EDGES = 40


def world():
    w = World(seed=11, speed=0)  # time passes in advance() alone
    w.device("rt1", platform="sdwan", address="10.10.10.1", log_interface=True)
    w.device("rt2", platform="sdwan", address="10.20.20.1")
    w.device("party", platform="ios", address="203.0.113.9")
    w.device("hub", platform="sdwan", address="10.99.0.1", log_limit="flow")
    for number in range(EDGES):
        w.device(f"edge{number}", ssh=False, platform="sdwan", address=f"10.99.1.{number + 1}")
    w.tunnel("rt1", "party", kind="svti")
    two = [{"device": f"rt{n}", "system_ip": f"172.16.255.{n}", "site": n, "tlocs": [
        {"color": color, "address": f"10.{n}{k}.{n}{k}.1"} for k, color in enumerate(COLORS)]} for n in (1, 2)]
    many = [{"device": "hub", "system_ip": "172.16.254.1", "site": 90, "tlocs": [{"color": "gold", "address": "10.99.0.1"}]}]
    many += [{"device": f"edge{n}", "system_ip": f"172.16.253.{n + 1}", "site": 1000 + n,
              "tlocs": [{"color": "gold", "address": f"10.99.1.{n + 1}"}]} for n in range(EDGES)]
    w.sdwan(*two, *many, hubs=["rt1", "hub"])
    return w.start()


def tunnel(w, device, peer, color):
    return next(one for one in w.state(device)["sdwan"]["tunnels"] if one["peer"] == peer and one["color"] == color)


def bfd(w, device="rt1", peer="rt2"):
    return [tunnel(w, device, peer, color)["bfd"] for color in COLORS]


def at(w, device):
    return Client(w, device).login()


def scenario_one(w):
    lost = w.fault("sdwan_desync", sender="rt2", receiver="rt1", color="mpls")["tunnels"]
    w.advance(10)
    problems = same("tunnels", len(lost), 1) + same("BFD", bfd(w), [False, True])
    line = [one for one in w.log("rt1") if "INV_SPI" in one]
    problems += same("lines", len(line), 1) + expect("line", line[0], f"destaddr={lost[0]['dst']}, prot=50, spi=0x{lost[0]['spi']:X}",
                                                     f"srcaddr={lost[0]['src']}, input interface=Tunnel10001")
    before = w.state("rt1")["tunnels"][0]
    with at(w, "rt1") as r, at(w, "rt2") as s:
        accepts, uses = r.do("show sdwan ipsec local-sa"), s.do("show sdwan ipsec outbound-connections | include mpls")
        problems += true("the sender uses another SPI", re.search(rf" {lost[0]['spi']} +1438 ", uses), uses)
        problems += true("than the receiver accepts", not re.search(rf"mpls +{lost[0]['spi']} ", accepts), accepts)
        told = s.do("show sdwan omp tlocs | section 172.16.255.1")
        problems += true("though it was told", str(w.state("rt1")["sdwan"]["tlocs"]["mpls"]["offers"]) in s.do(
            "show sdwan omp tlocs | include encap-spi"), told)
        problems += true("BFD", re.search(r"172.16.255.2 .* down +mpls .* NA ", r.do("show sdwan bfd sessions | include mpls")))
        problems += true("drops", re.search("SA_NOT_FOUND_SPI +[1-9]", r.do(
            "show platform hardware qfp active feature ipsec datapath drops all")))
        s.do("request platform software sdwan security ipsec-rekey")
        w.advance(5)
        problems += same("new keys at the sender do not help", bfd(w), [False, True])
        r.do("request platform software sdwan security ipsec-rekey")
        w.advance(5)
        problems += same("at the receiver they do (B16)", bfd(w), [True, True])
        problems += true("and the other colour did not flap", tunnel(w, "rt1", "rt2", "lte")["transitions"] == 0)
    after = w.state("rt1")["tunnels"][0]
    return problems + same("the tunnel over IKE was not touched (B16)", after["inbound"], before["inbound"])


def clear(c, color=0):
    return c.do(f"clear crypto sa peer 10.2{color}.2{color}.1")


def trap(w):
    """B17: the clear works, and nobody makes new SAs."""
    with at(w, "rt1") as c:
        clear(c)
        w.advance(10)
        problems = same("BFD", bfd(w), [False, True])
        shown = c.do("show crypto ipsec sa peer 10.20.20.1")
        problems += expect("the flow without SAs", shown, "Crypto map tag: Tunnel10001-vesen-head-0", "/255.255.255.255/0/12346)",
                           "current_peer 10.20.20.1 port 500", "#pkts encaps: 0,", "#pkts decaps: 0,", "current outbound spi: 0x0(0)",
                           absent=["spi: 0x1"])
        c.do("request platform software sdwan security ipsec-rekey")
        w.advance(10)
        problems += same("a rekey does not help", bfd(w), [False, True])
        counts = tunnel(w, "rt1", "rt2", "mpls")
        problems += same("nothing is sent or accepted", (counts["encaps"], counts["decaps"]), (0, 0))
        control = w.state("rt1")["sdwan"]["control_up"]
        c.do("request platform software sdwan port_hop color mpls")
        problems += true("control connections of the colour flap", w.state("rt1")["sdwan"]["control_up"] < control)
        w.advance(6)
        problems += same("a port hop does", bfd(w), [True, True])
        problems += same("the next port", w.state("rt1")["sdwan"]["tlocs"]["mpls"]["port"], 12366)
        problems += expect("as it shows", c.do("show crypto ipsec sa peer 10.20.20.1"), "/255.255.255.255/0/12366)")
        problems += expect("in the other's eyes", at_once(w, "rt2", "show sdwan bfd sessions | include mpls"), " 12366 ")
        problems += same("only that colour flapped", tunnel(w, "rt1", "rt2", "lte")["transitions"], 0)
        problems += same("control", w.state("rt1")["sdwan"]["control_up"], control)
    return problems


def at_once(w, device, command):
    with at(w, device) as c:
        return c.do(command)


def wider(w):
    problems = []
    for command, needs, harm in (("clear sdwan omp all", "omp", "omp_up"),
                                 ("clear sdwan control connections", "control", "control_up")):
        w.fault("sdwan_cleared", device="rt1", peer="rt2", needs=needs)
        w.advance(10)
        problems += same("BFD", bfd(w), [False, False])
        with at(w, "rt1") as c:
            for color in COLORS:
                c.do(f"request platform software sdwan port_hop color {color}")
            w.advance(8)
            problems += same(f"{needs}: a port hop does not suffice", bfd(w), [False, False])
            if needs == "control":
                c.do("clear sdwan omp all")
                w.advance(8)
                problems += same("nor OMP", bfd(w), [False, False])
            c.do(command)
            problems += same(f"{command} takes them down", w.state("rt1")["sdwan"][harm], 0)
            w.advance(8)
            problems += same(command, bfd(w), [True, True])
            problems += true("they are back", w.state("rt1")["sdwan"][harm] > 0)
            problems += expect("peers", c.do("show sdwan omp peers"), " up ", absent=["init"])
    return problems


def third_party(w):
    """B16: a tunnel over IKE on the same router is mended by the clear, and not by new SD-WAN keys."""
    w.fault("desync", sender="rt1", receiver="party")
    w.advance(3)
    problems = true("broken", not moves(w, "party", "rt1"))
    with at(w, "rt1") as c:
        c.do("request platform software sdwan security ipsec-rekey")
        problems += true("SD-WAN's keys do not matter", not moves(w, "party", "rt1"))
        flaps = w.state("rt1")["sdwan"]["bfd"]["flaps"]
        c.do("clear crypto sa peer 203.0.113.9")
        problems += soon("the clear does", lambda: moves(w, "party", "rt1"))
        w.advance(10)
        problems += same("no BFD session flapped", w.state("rt1")["sdwan"]["bfd"]["flaps"], flaps)
        problems += expect("both kinds", c.do("show crypto ipsec sa"), "vesen-head-0", "Crypto map tag: Tunnel1-head-0")
    return problems


def replay(w):
    """Anti-replay drops: another counter, another line, not an unknown SPI (C15)."""
    w.fault("sdwan_replay", sender="rt2", receiver="rt1")
    before = w.state("rt1")["drops"]
    w.advance(10)
    after = w.state("rt1")["drops"]
    problems = same("BFD", bfd(w), [False, False])
    name = "IN_CD_SW_IPSEC_ANTI_REPLAY_FAIL"
    problems += true("its counter", after.get(name, 0) > before.get(name, 0))
    problems += same("not ours", after.get("IN_US_V4_PKT_SA_NOT_FOUND_SPI"), before.get("IN_US_V4_PKT_SA_NOT_FOUND_SPI"))
    problems += expect("its line", "\n".join(w.log("rt1")), "%IPSEC-3-REPLAY_ERROR: IPSec SA receives anti-replay error, DP Handle 41, "
                       "src_addr 10.2")
    at_once(w, "rt2", "request platform software sdwan security ipsec-rekey")
    w.advance(6)
    return problems + same("the sender's new keys", bfd(w), [True, True])


def lag(w):
    """A key that the device's data plane gets late: within the detection time a burst, beyond it a flap (C15, T20)."""
    def strays():
        return w.state("rt1")["drops"].get("IN_US_V4_PKT_SA_NOT_FOUND_SPI", 0)
    problems = []
    for seconds, flaps in ((4, False), (15, True)):
        w.fault("key_lag", device="rt1", seconds=seconds)
        before, had = strays(), tunnel(w, "rt1", "rt2", "mpls")["transitions"]
        with at(w, "rt1") as c:
            c.do("request platform software sdwan security ipsec-rekey")
        w.advance(3)
        problems += true("the others use it already", strays() > before)
        state = w.state("rt1")["sdwan"]["tlocs"]["mpls"]
        problems += true("it offers what it does not accept", state["offers"] not in state["accepts"], state)
        w.advance(17)
        problems += same(f"after {seconds} s", bfd(w), [True, True])
        problems += same("flapped", tunnel(w, "rt1", "rt2", "mpls")["transitions"] > had, flaps)
    w.fault("key_lag", device="rt1", seconds=0)
    return problems


def burst(w):
    """A rekey at scale: all edges use the hub's new key before it does (C15)."""
    count = w.fault("rekey_burst", hub="hub", seconds=3.0)["tunnels"]
    w.advance(3)
    lines = [line for line in w.log("hub") if "INV_SPI" in line]
    problems = same("tunnels", count, EDGES) + same("lines, one for each", len(lines), EDGES)
    w.advance(3)
    lines_then = len([line for line in w.log("hub") if "INV_SPI" in line])
    w.advance(70)
    problems += same("then silence", len([line for line in w.log("hub") if "INV_SPI" in line]), lines_then)
    problems += same("within the detection time nothing flaps", w.state("hub")["sdwan"]["bfd"]["flaps"], 0)
    w.fault("rekey_burst", hub="hub", seconds=20.0)
    w.advance(19)
    problems += same("beyond it all do", w.state("hub")["sdwan"]["bfd"]["up"], 0)
    w.advance(10)
    return problems + same("and come back", w.state("hub")["sdwan"]["bfd"]["up"], EDGES)


TESTS = [("SD-WAN: scenario 1, new keys (B16)", scenario_one), ("SD-WAN: scenario 2, the trap of the clear (B17)", trap),
         ("SD-WAN: scenario 2, wider rungs", wider), ("SD-WAN: a third party's tunnel (B16)", third_party),
         ("SD-WAN: keys that lag (T20)", lag), ("SD-WAN: anti-replay is another matter (C15)", replay),
         ("SD-WAN: a rekey at scale (C15)", burst)]
