# SPDX-License-Identifier: MIT
"""Tunnels over IKE: what breaks, what is logged and counted, and what mends it where (B3, B7, B10-B14)."""
import re
import socket

from client import Client
from expect import expect, same, soon, true
from ios.api import World


def world():
    w = World(seed=7, speed=0)  # time passes in advance() alone
    w.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    w.listener.bind(("127.0.0.1", 0))
    w.listener.settimeout(5)
    w.device("hub", address="192.0.2.1", syslog=["127.0.0.1", w.listener.getsockname()[1]], origin="hub")
    w.device("spoke", address="198.51.100.2", platform="ios")
    w.device("branch", address="198.51.100.3")
    w.device("fw", address="203.0.113.4", platform="asa", privilege=15)
    w.device("tail", address="203.0.113.5", ssh=False)
    w.device("long", address="203.0.113.6")
    w.device("short", address="203.0.113.7", deletes=False, ssh=False)
    w.tunnel("long", "short", pps=[10, 0], b_end={"lifetime": 300})
    w.tunnel("spoke", "hub", kind=["mgre-nhrp-static", "mgre-nhrp-dynamic"], ike=1)
    w.tunnel("branch", "hub", kind="svti", ike=2)
    w.tunnel("fw", "hub", kind="static-crypto-map", ike=2)
    w.tunnel("tail", "hub", kind=["static-crypto-map", "dynamic-crypto-map"], dpd=[10, 2])
    return w.start()


def end(w, device, peer):
    return next(one for one in w.state(device)["tunnels"] if one["peer"] == peer)


def moves(w, receiver, sender):
    """Whether the receiver decrypts what the sender sends."""
    before = end(w, receiver, sender)["decaps"]
    w.advance(2)
    return end(w, receiver, sender)["decaps"] > before


def type_at(w, device, *commands):
    with Client(w, device) as c:
        c.login()
        return [c.do(command) for command in commands][-1]


def strays(w, lost, receiver="hub"):
    return [line for line in w.log(receiver) if f"spi=0x{lost['spi']:X}({lost['spi']})" in line]


def drain(w):
    w.listener.setblocking(False)
    try:
        while True:
            w.listener.recv(4096)
    except BlockingIOError:
        pass
    w.listener.settimeout(5)


def desync(w, sender="branch"):
    """The sender encrypts with an SA that the hub does not have; what both show proves it."""
    w.advance(61)  # past the last line's minute
    drain(w)
    lost = w.fault("desync", sender=sender, receiver="hub")
    before = w.state("hub")
    w.advance(2)
    after = w.state("hub")
    problems = same("the sender's", end(w, sender, "hub")["current"], lost["spi"])
    problems += true("drops grow", after["drops"]["IN_US_V4_PKT_SA_NOT_FOUND_SPI"]
                     > before["drops"].get("IN_US_V4_PKT_SA_NOT_FOUND_SPI", 0) + 10)
    problems += true("it is black-holed", not moves(w, "hub", sender))
    problems += true("the other way it works", moves(w, sender, "hub"))
    data, (host, _) = w.listener.recvfrom(4096)
    problems += same("its syslog comes from it", host, w.place("hub")[0])
    problems += true("the datagram", re.match(
        rb"<188>\d+: hub: [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has "
        rb"invalid spi for destaddr=192.0.2.1, prot=50, spi=0x[0-9A-F]+\(\d+\), srcaddr=[\d.]+, input interface=GigabitEthernet1$",
        data), data)
    problems += same("one line", len(strays(w, lost)), 1)
    w.advance(40)
    problems += same("no other within the minute", len(strays(w, lost)), 1)
    w.advance(20)
    return problems + same("the second line after a minute", len(strays(w, lost)), 2), lost


def clear_at_sender(w):
    problems, lost = desync(w)
    with Client(w, "branch") as s, Client(w, "hub") as r:
        s.login()
        r.login()
        shown, had = s.do("show crypto ipsec sa peer 192.0.2.1 detail"), r.do("show crypto ipsec sa peer 198.51.100.3 detail")
        problems += expect("sender", shown, f"current outbound spi: 0x{lost['spi']:X}({lost['spi']})", "#pkts no sa (send) 0")
        problems += expect("receiver", had, f"spi: 0x{lost['receiver_has']:X}(", absent=[f"0x{lost['spi']:X}("])
        problems += true("counts what it lost", re.search(r"#pkts invalid sa \(rcv\) [1-9]", had))
        problems += expect("its memory", r.do("show crypto ipsec spi-lookup detail"), f"{lost['spi']:08X} 4")
        problems += expect("its trace", r.do("show monitor event-trace crypto ipsec event all"), "IPSEC-DELETE-SA",
                           f"sa_spi = 0x{lost['spi']:X}({lost['spi']})")
        problems += true("its drops", re.search(r"        4  IN_US_V4_PKT_SA_NOT_FOUND_SPI +[1-9]", r.do(
            "show platform hardware qfp active feature ipsec datapath drops")))
        problems += expect("all its drops", r.do("show platform hardware qfp active statistics drop | include Ipsec"), "IpsecInput")
        s.do("clear crypto sa peer 192.0.2.1")
    problems += soon("healed", lambda: moves(w, "hub", "branch"))
    return problems + true("the sender has forgotten it", lost["spi"] not in end(w, "branch", "hub")["outbound"])


def clear_entry(w):
    problems, lost = desync(w)
    type_at(w, "branch", f"clear crypto sa entry 192.0.2.1 esp 0x{lost['spi']:X}")
    problems += soon("healed", lambda: moves(w, "hub", "branch"))
    return problems + true("gone", lost["spi"] not in end(w, "branch", "hub")["outbound"])


def clear_at_receiver(w):
    """The receiver clears its good SAs: since it has traffic to send, new ones are made, and the sender moves to them.
    The stale one stays with the sender."""
    problems, lost = desync(w)
    type_at(w, "hub", "clear crypto sa peer 198.51.100.3")
    problems += soon("healed", lambda: moves(w, "hub", "branch"))
    problems += true("the stale one stays", lost["spi"] in end(w, "branch", "hub")["outbound"])
    type_at(w, "branch", "clear crypto sa peer 192.0.2.1")
    return problems + soon("mended", lambda: moves(w, "hub", "branch"))


def iske(w):
    """IKEv1 over mGRE: the spoke sends, the hub may not begin (B12)."""
    problems, lost = desync(w, "spoke")
    w.fault("traffic", device="spoke", pps=0, peer="hub")
    type_at(w, "hub", "clear crypto sa peer 198.51.100.2")
    w.advance(5)
    problems += same("the hub cannot begin", end(w, "hub", "spoke")["inbound"], [])
    w.fault("traffic", device="spoke", pps=10, peer="hub")
    type_at(w, "spoke", "clear crypto sa peer 192.0.2.1")
    problems += soon("healed", lambda: moves(w, "hub", "spoke"))
    shown = type_at(w, "hub", "show dmvpn")
    problems += expect("dmvpn at the hub", shown, "Type:Hub", "198.51.100.2") + true("dynamic", re.search(r"UP \S+ +D\n", shown + "\n"))
    problems += expect("nhrp at the spoke", type_at(w, "spoke", "show ip nhrp"), "Type: static", "NBMA address: 192.0.2.1")
    problems += expect("IKE", type_at(w, "hub", "show crypto isakmp sa"), "192.0.2.1       198.51.100.2    QM_IDLE")
    ike = type_at(w, "hub", "clear crypto isakmp", "show crypto session remote 198.51.100.2")
    return problems + expect("phase 2 outlives phase 1", ike, "UP-NO-IKE")


def recovery(w):
    """The receiver lost everything, IKE SA included: B10 cannot, B11 can where the peer is static."""
    w.advance(61)
    lost = w.fault("lose_state", receiver="hub", sender="branch")
    w.advance(90)
    problems = true("without recovery it stays", not moves(w, "hub", "branch"))
    problems += same("two lines", len(strays(w, lost)), 2)
    with Client(w, "hub") as c:
        c.login()
        c.do("configure terminal", r"\(config\)#$")
        c.do("crypto isakmp invalid-spi-recovery", r"\(config\)#$")
        c.do("end")
    problems += soon("with it, it heals", lambda: moves(w, "hub", "branch"))
    problems += true("the sender has forgotten it", lost["spi"] not in end(w, "branch", "hub")["outbound"])
    lost = w.fault("lose_state", receiver="hub", sender="spoke")
    w.advance(5)
    problems += true("not for a peer it only learns of (B12)", not moves(w, "hub", "spoke"))
    type_at(w, "spoke", "clear crypto session remote 192.0.2.1")
    problems += soon("the sender's clear does", lambda: moves(w, "hub", "spoke"))
    for peer in ("spoke", "branch"):
        w.fault("traffic", device="hub", pps=10, peer=peer)
    w.change("hub", recovery=False)
    return problems


def dead_peer(w):
    """DPD: the sender finds out by itself, and says so meanwhile."""
    lost = w.fault("lose_state", receiver="hub", sender="tail", silent=False)
    w.advance(5)
    problems = true("not yet", not moves(w, "hub", "tail"))
    w.advance(40)
    problems += true("then it is well again", moves(w, "hub", "tail"))
    problems += expect("the hub says", "\n".join(w.log("hub")), "%CRYPTO-4-IKMP_NO_SA: IKE message from 203.0.113.5 has no SA")
    return problems + true("forgotten", lost["spi"] not in end(w, "tail", "hub")["outbound"])


def transient(w):
    lost = w.fault("rekey_transient", sender="branch", receiver="hub")
    problems = true("goes on", moves(w, "hub", "branch"))
    w.advance(130)
    return problems + true("one line at most", len(strays(w, lost)) <= 1) + true("and on", moves(w, "hub", "branch"))


def lifetime(w):
    """Rekeys before the lifetime ends; the old SA outlives the new one's birth for a while, then is gone."""
    w.advance(61)
    first = end(w, "branch", "hub")["current"]
    lost = w.state("branch")["drops"]
    w.advance(3450)
    second = end(w, "branch", "hub")
    problems = true("another", second["current"] != first)
    w.advance(60)
    now_has = end(w, "branch", "hub")
    problems += same("one of each", (len(now_has["inbound"]), len(now_has["outbound"])), (1, 1))
    problems += same("nothing lost", w.state("branch")["drops"], lost)
    return problems + true("it works", moves(w, "hub", "branch"))


def delete_heals(w):
    """An SA that only the receiver deleted, and a DELETE that is understood: IOS mends it by itself (B10)."""
    with Client(w, "hub") as c:
        c.login()
        spi = end(w, "hub", "branch")["inbound"][0]
        c.do(f"clear crypto sa spi 0x{spi:X}")
    return soon("healed", lambda: moves(w, "hub", "branch") and spi not in end(w, "branch", "hub")["outbound"])


def extra(w):
    had = w.fault("extra_child", sender="branch", receiver="hub")
    spis = end(w, "branch", "hub")
    problems = true("two outbound", had["outbound"] in spis["outbound"] and spis["current"] != had["outbound"])
    problems += true("traffic does not care", moves(w, "hub", "branch"))
    problems += expect("both are shown", type_at(w, "branch", "show crypto ipsec sa peer 192.0.2.1"),
                       f"spi: 0x{had['outbound']:X}(", f"current outbound spi: 0x{spis['current']:X}(")
    type_at(w, "branch", "clear crypto sa peer 192.0.2.1")
    return problems + soon("cleared", lambda: moves(w, "hub", "branch") and len(end(w, "branch", "hub")["outbound"]) == 1)


def mismatch(w):
    """The receiver's lifetime is shorter, and the sender is not told: it happens again and again (T6)."""
    type_at(w, "long", "clear crypto sa peer 203.0.113.7")
    problems = soon("well", lambda: moves(w, "short", "long"))
    for _ in range(2):
        lost = end(w, "long", "short")["current"]
        w.advance(310)
        problems += true("the receiver's is gone", lost not in end(w, "short", "long")["inbound"])
        problems += true("the sender goes on", end(w, "long", "short")["current"] == lost)
        problems += true("black hole", not moves(w, "short", "long"))
        type_at(w, "long", "clear crypto sa peer 203.0.113.7")
        problems += soon("cleared", lambda: moves(w, "short", "long"))
    return problems


def other_clears(w):
    """IKEv2's clear takes the children along; phase 1 of IKEv1 goes alone; counters are counters; the ASA has words of its own."""
    before = end(w, "branch", "hub")
    type_at(w, "branch", "clear crypto ikev2 sa remote 192.0.2.1")
    gone = end(w, "branch", "hub")
    problems = same("all gone", (gone["inbound"], gone["outbound"], gone["ike"]), ([], [], 0))
    problems += same("at the other end too", end(w, "hub", "branch")["inbound"], [])
    problems += soon("made anew", lambda: moves(w, "hub", "branch"))
    problems += true("others", end(w, "branch", "hub")["inbound"] != before["inbound"])
    problems += expect("the log", "\n".join(w.log("branch")), "%CRYPTO-5-IKEV2_SESSION_STATUS: Crypto tunnel v2 is DOWN. Peer 192.0.2.1",
                       "v2 is UP. Peer 192.0.2.1")
    type_at(w, "hub", "clear crypto sa counters")
    problems += same("counters", end(w, "hub", "branch")["decaps"], 0)
    spis = end(w, "fw", "hub")["inbound"]
    with Client(w, "fw") as c:
        c.until()
        c.do("clear crypto ipsec sa peer 192.0.2.1")
    problems += soon("the ASA's", lambda: moves(w, "fw", "hub") and moves(w, "hub", "fw"))
    return problems + true("its SPIs", not set(spis) & set(end(w, "fw", "hub")["inbound"]))


def off_the_net(w):
    """A peer without power: what is sent is lost without a word, and it goes on where it stopped."""
    w.fault("power", device="branch", up=False)
    before = w.state("hub")
    w.advance(20)
    problems = same("no drops", w.state("hub")["drops"], before["drops"]) + true("nothing arrives", not moves(w, "hub", "branch"))
    w.fault("power", device="branch", up=True)
    return problems + true("it goes on", moves(w, "hub", "branch"))


def asa(w):
    lost = w.fault("desync", sender="hub", receiver="fw")
    w.advance(20)
    problems = expect("the ASA's line", "\n".join(w.log("fw")), f"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x{lost['spi']:08X}, "
                      "sequence number= 0x", ") from 192.0.2.1 to 203.0.113.4 with an invalid SPI.")
    lines = [line for line in w.log("fw") if "402114" in line]
    problems += true("every 5 s", 3 <= len(lines) <= 6, len(lines))
    with Client(w, "fw") as c:
        c.until()
        c.do("terminal pager 0")
        problems += true("its drops", re.search(r"Invalid SPI \(np-sp-invalid-spi\) +[1-9]", c.do("show asp drop")))
        shown = c.do("show crypto ipsec sa peer 192.0.2.1")
        problems += expect("its SAs", shown, f"current inbound spi : {lost['receiver_has']:08X}", "SA State: active",
                           absent=[f"{lost['spi']:08X}"])
        problems += expect("IKEv2", c.do("show crypto ikev2 sa"), "IKEv2 SAs:", f"ESP spi in/out: 0x{lost['receiver_has']:x}/0x")
        problems += expect("not IOS", c.do("terminal length 0"), "ERROR: % Invalid input detected at '^' marker.")
    type_at(w, "hub", "clear crypto sa peer 203.0.113.4")
    return problems + soon("healed", lambda: moves(w, "fw", "hub"))


def restart(w):
    with Client(w, "branch") as c:
        c.login()
        before = end(w, "branch", "hub")["inbound"]
        c.press("reload\r")
        c.until(r"\[confirm\]$")
        c.press("\r")
        problems = true("the session ends", c.ended())
    problems += true("nobody answers", not w.state("branch")["up"])
    w.advance(5)
    problems += soon("new SAs", lambda: moves(w, "branch", "hub"))
    problems += true("no old one", not set(before) & set(end(w, "branch", "hub")["inbound"]))
    return problems + expect("its log", "\n".join(w.log("branch")), "%SYS-5-RESTART: System restarted --")


TESTS = [("IKE: the sender's stale SA, cleared at the sender (B7, B14)", clear_at_sender),
         ("IKE: ... that one SA alone", clear_entry), ("IKE: ... cleared at the receiver", clear_at_receiver),
         ("IKE: a hub that may not begin (B12)", iske), ("IKE: invalid-spi-recovery (B11)", recovery), ("IKE: DPD (B8)", dead_peer),
         ("IKE: a transient (B6)", transient), ("IKE: a lifetime ends", lifetime),
         ("IKE: the DELETE of B10", delete_heals), ("IKE: a child too many (T12)", extra),
         ("IKE: lifetimes that differ (T6)", mismatch), ("IKE: other clears", other_clears),
         ("IKE: a peer off the net", off_the_net), ("ASA", asa), ("IKE: a reload", restart)]
