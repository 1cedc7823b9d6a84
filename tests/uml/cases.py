# SPDX-License-Identifier: MIT
"""What happens to a tunnel on the kernel's own ESP, and what spimendd should make of it: verdict, cause, first step. heal.py
runs them in a guest of harness.py. A case without actions must see no step at all."""
import contextlib
import dataclasses
import os
import re
import signal
import sys
import time

from pair import OUTER, PATIENCE, ROOT, VTI_KEY, Trouble, demand, read, run


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    make: object
    verdicts: tuple = ()   # empty: no incident at all may come
    causes: tuple = ()
    actions: tuple = ()    # the first step, one of these
    flows: bool = True     # traffic afterwards
    after: object = None   # puts right what nobody may mend
    proof: object = None   # what else must be so then: a list of problems


# --- The kernel's table ---------------------------------------------------------------------------------------------------

class Sa:
    """One SA as `ip xfrm state` lists it, to be taken away and put back changed. Its keys never leave this process."""

    def __init__(self, side, inbound=True, child=None):
        self.side, child = side, child or side.child()
        self.inside = ["-n", "A"] if side.name == "A" else []
        peer = side.pair.b if side.name == "A" else side.pair.a
        self.src, self.dst = (peer.address, side.address) if inbound else (side.address, peer.address)
        self.protocol = "ah" if side.pair.ah else "esp"
        self.spi = "0x" + child["spi-in" if inbound else "spi-out"]
        self.id = f"src {self.src} dst {self.dst} proto {self.protocol} spi {self.spi}"
        if side.pair.link == "vti":
            self.id += f" mark {VTI_KEY}"

    def delete(self):
        run(["ip", *self.inside, "xfrm", "state", "delete", *self.id.split()])

    def change(self, drop="", add=""):
        """Takes it away and puts it back at once without what matches `drop`, and with `add`. Traffic does not notice."""
        shown = run(["ip", *self.inside, "xfrm", "state", "get", *self.id.split()])
        sequence = re.search(r"anti-replay context: seq (0x\w+), oseq (0x\w+)", shown)
        shown = shown[:shown.index("anti-replay")]
        shown = re.sub(r"encap type (\w+) sport (\d+) dport (\d+) addr (\S+)", r"encap \1 \2 \3 \4", shown)
        add += f" replay-seq {sequence[1]} replay-oseq {sequence[2]}"
        words = " ".join((re.sub(drop, "", shown) if drop else shown).split())
        # Once in some fifty runs the kernel says "File exists", and it does: as if somebody had put it back in between.
        demand(lambda: self.replace(f"xfrm state add {words} {add}"), 2, f"the SA to change: {self.id}")

    def replace(self, added):
        shown = run(["ip", *self.inside, "xfrm", "state", "get", *self.id.split()], check=False)
        lines = ([f"xfrm state delete {self.id}"] if f"spi {self.spi}" in shown else []) + [added]
        try:
            run(["ip", *self.inside, "-batch", "-"], stdin="\n".join(lines) + "\n")
        except Trouble:
            return False
        return True


def delete_sa(pair):
    Sa(pair.b).delete()


def flush(pair):
    run(["ip", "xfrm", "state", "flush"])


def kill_charon(pair):
    """charon starts anew; the kernel goes on with the SAs that it has."""
    pair.b.outlive_second()
    pair.b.kill()
    pair.b.start()
    time.sleep(1.5)


def kill_charon_flush(pair):
    pair.b.outlive_second()
    pair.b.kill()
    flush(pair)
    pair.b.start()


def flush_unseen(pair):
    pair.stop_daemon()
    flush(pair)
    pair.start_daemon()


def mark(pair):
    Sa(pair.b).change(add="mark 7 mask 0xff")


def lose_link(pair):
    """VTI: what came in over it is looked for under no mark from now on, and the SA has one. XFRM interface: the SA has an
    interface id, nothing with that id is there any more, and no policy holds without it."""
    pair.b.lose_link()


def add_link(pair):
    pair.b.add_link()
    demand(pair.flows, 5, "traffic over the new link")


def if_id(pair):
    Sa(pair.b).change(add="if_id 5")


ENCAP = r"encap \S+ \d+ \d+ \S+"


def encap_differs(side):
    if side.pair.encap:
        Sa(side, inbound=side.name == "B").change(drop=ENCAP)
    else:
        Sa(side, inbound=side.name == "B").change(add="encap espinudp 4500 4500 0.0.0.0")


def encap_at_sender(pair):
    encap_differs(pair.a)


def encap_at_receiver(pair):
    encap_differs(pair.b)


def renew(pair):
    """What the test itself must put right: a new pair of SAs."""
    pair.b.rekey()
    demand(pair.flows, 5, "traffic after the test's own rekey")


# --- IKE that gets lost ---------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def lost_ike():
    """What B's charon sends is lost on the wire."""
    lose = "filter add dev toA egress protocol ip u32 match ip protocol 17 0xff match ip sport 500 0xffff action drop"
    run(["tc", "qdisc", "add", "dev", "toA", "clsact"])
    try:
        run(["tc", *lose.split()])
        yield
    finally:
        run(["tc", "qdisc", "del", "dev", "toA", "clsact"])


def demand_loss():
    demand(lambda: re.search(r"dropped [1-9]", run(["tc", "-s", "filter", "show", "dev", "toA", "egress"])), 5, "the DELETE")


def lose_delete(pair):
    """B gives the IKE SA up, its DELETE is lost: A goes on."""
    child = pair.b.child()
    with lost_ike():
        pair.b.ordered += 1
        pair.b.call("terminate", ike_id=child["ike_id"], force="yes", timeout=500)  # it says that it failed: so it did
        demand(lambda: not pair.b.children(None), 5, "B's child to go")
        demand_loss()


# --- Lifetimes (IKEv1: nobody acknowledges its DELETE, nobody makes a new child) ------------------------------------------

def expire(pair, limit):
    """B's SAs are bounded, A's are not; B's DELETE is lost."""
    pair.b.configure(limit)
    pair.b.load()
    old = pair.b.child()
    pair.a.order("terminate", child_id=pair.a.child()["uniqueid"])
    pair.a.initiate()
    spi = demand(lambda: [child for child in pair.b.children() if child["spi-in"] != old["spi-in"]], 5, "the bounded SA")
    with lost_ike():
        pair.b.configure()  # or what spimendd makes is bounded as well, and gone in the next case
        pair.b.load()
        demand(lambda: spi[0]["spi-in"] not in [child["spi-in"] for child in pair.b.children(None)], 15, "the SA to expire")
        since = time.time()
        demand_loss()
    return since


def expire_time(pair):
    return expire(pair, f"rekey_time = 0s\n    life_time = {4 * PATIENCE:.0f}s\n    rand_time = 0s")


def expire_volume(pair):
    return expire(pair, "rekey_time = 0s\n    life_time = 0s\n    rekey_bytes = 0\n    rand_bytes = 0\n"
                  f"    life_bytes = {8000 * PATIENCE:.0f}")


def expire_both(pair):
    """IKEv2: who expires tells the other and makes a new one."""
    pair.b.configure(f"rekey_time = 0s\n    life_time = {3 * PATIENCE:.0f}s\n    rand_time = 0s")
    pair.b.load()
    former = pair.b.child()
    pair.b.order("terminate", child_id=former["uniqueid"])  # a rekey would take the lifetimes of before
    pair.b.initiate()
    old = pair.b.child()
    pair.b.configure()
    pair.b.load()
    demand(lambda: all(child["spi-in"] != old["spi-in"] for child in pair.b.children(None)), 10, "the SA to expire")
    demand(pair.flows, 5, "traffic on the next one")


# --- Healthy --------------------------------------------------------------------------------------------------------------

def rekeys(pair):
    for side in (pair.a, pair.b, pair.a, pair.b):
        side.rekey()
        time.sleep(0.3)


def restart_daemon(pair):
    pair.stop_daemon()
    pair.start_daemon()


def foreign(pair):
    """An SA that no IKE daemon knows: what the kernel tells of itself, as it comes and goes, and to one who asks later."""
    def demand_known(what, more):
        demand(lambda: any(s["sas"] == known + more for s in pair.sensors()), 5, f"the kernel's SAs, {what}")

    sa = f"src 203.0.113.1 dst {pair.b.address} proto esp spi 0x12345"
    known = pair.sensors()[0]["sas"]
    run(["ip", "xfrm", "state", "add", *sa.split(), "mode", "tunnel", "auth", "hmac(sha256)", "0x" + "01" * 32,
         "enc", "cbc(aes)", "0x" + "02" * 16])
    demand_known("one more, told by the monitor", 1)
    restart_daemon(pair)
    demand_known("one more, from the dump", 1)
    run(["ip", "xfrm", "state", "delete", *sa.split()])
    demand_known("as before, told by the monitor", 0)


def scan(pair, count=80, gap=15):
    sent = run(["ip", "netns", "exec", "C", sys.executable, "-B", f"{ROOT}/lab/inject.py", "scan", OUTER[4]["B"], str(count),
                str(gap)])
    if int(sent.split()[-1]) != count:
        raise Trouble(f"the scan: {sent}")


NETLINK_AUDIT = "9"
GROWTH_KIB = 24 << 10  # of spimendd's memory, whatever comes


def audit_dropped():
    """Records that the sockets of the audit group could not take."""
    rows = [line.split() for line in read("/proc/net/netlink").splitlines()[1:]]
    return sum(int(row[8]) for row in rows if row[1] == NETLINK_AUDIT)


def flood(pair):
    """More strays than the audit sensor can be told of: it stands still meanwhile, as on a machine with too much to do."""
    pair.before_flood = pair.memory()
    sense = pair.role("sense")
    os.kill(sense, signal.SIGSTOP)
    try:
        for _ in range(10):
            scan(pair, 2000, 0)
            if audit_dropped():
                return
    finally:
        os.kill(sense, signal.SIGCONT)
    raise Trouble("the audit socket takes everything")


def flood_proof(pair):
    sensors = demand(lambda: next((s for s in pair.sensors() if s["audit_lost"]), None), 5, "the loss to be counted")
    problems = []
    if not 0 < sensors["audit_records"] < sensors["XfrmInNoStates"]:
        problems.append(f"of {sensors['XfrmInNoStates']} strays {sensors['audit_records']} were told")
    if pair.memory() > pair.before_flood + GROWTH_KIB:
        problems.append(f"spimendd grew from {pair.before_flood} to {pair.memory()} KiB")
    return problems


DELETED = Case("an inbound SA deleted", delete_sa, ("desync",), ("child-missing",), ("rekey-child",))
FLUSHED = Case("the SAD flushed", flush, ("desync",), ("child-missing",), ("rekey-child",))
UNSEEN = Case("the SAD flushed while spimendd was away", flush_unseen, ("desync",), ("child-missing",), ("rekey-child",))
LEFT = Case("charon killed, its SAs left in the kernel", kill_charon)
LEFT_FLUSHED = Case("the SAs that a killed charon left, flushed", flush, ("desync",), ("receiver-lost-state",), ("initiate",))
DELETE_LOST = Case("the tunnel torn down, the DELETE lost", lose_delete, ("desync",), ("delete-lost", "unilateral-delete"),
                   ("initiate",))
LOST = Case("charon killed and the SAD flushed", kill_charon_flush, ("desync",), ("receiver-lost-state",), ("initiate",))
MARK = Case("an SA under another mark", mark, ("other-fault",), ("lookup-key-mismatch",), flows=False, after=renew)
VTI = Case("a VTI is gone, its SA has its mark", lose_link, ("other-fault",), ("lookup-key-mismatch",), flows=False,
           after=add_link)
XFRM_LINK = Case("an XFRM interface is gone, its SA has its id", lose_link, ("other-fault",), ("lookup-key-mismatch",),
                 flows=False, after=add_link)
XFRM_ID = Case("an SA under another interface id than the XFRM interface has", if_id, ("other-fault",),
               ("lookup-key-mismatch",), flows=False, after=renew)
IF_ID = Case("healthy: an SA under an interface id, which the kernel does not look for", if_id, after=renew)
ENCAP_SENDER = Case("UDP encapsulation differs at the sender", encap_at_sender, ("other-fault",), ("encap-mismatch",),
                    ("terminate-ike",))  # what charon installed is not what its peer sends (C6)
ENCAP_RECEIVER = Case("UDP encapsulation differs at the receiver", encap_at_receiver, ("other-fault",), ("encap-mismatch",),
                      ("terminate-ike",))
BY_TIME = Case("hard expiry by time, the DELETE lost", expire_time, ("desync",), ("lifetime-mismatch-time",), ("initiate",))
BY_VOLUME = Case("hard expiry by volume, the DELETE lost", expire_volume, ("desync",), ("lifetime-mismatch-volume",),
                 ("initiate",))
EXPIRY = Case("hard expiry that both ends hear of", expire_both)
REKEYS = Case("healthy: rekeys under load", rekeys)
FOREIGN = Case("healthy: an SA by hand comes and goes, as XFRM monitor and dump tell", foreign)
RESTART = Case("healthy: spimendd restarted", restart_daemon)
SCAN = Case("a stranger scans", scan, ("noise",), ("scan-or-spoof",))
FLOOD = Case("a stranger's flood, more than the audit sensor can read", flood, ("noise",), ("scan-or-spoof",), proof=flood_proof)

# name: options of the pair, cases in order
GROUPS = {
    "IKEv2 IPv4": (dict(), [DELETED, FOREIGN, REKEYS, FLUSHED, SCAN, LEFT, LEFT_FLUSHED, RESTART, LOST, UNSEEN,
                            DELETE_LOST, MARK, IF_ID, ENCAP_SENDER, EXPIRY]),
    "IKEv2 IPv4 in UDP": (dict(encap=True), [DELETED, ENCAP_SENDER, REKEYS, ENCAP_RECEIVER, MARK]),
    "IKEv2 IPv6 by XDP": (dict(ip=6, xdp="generic"), [DELETED, REKEYS, LOST, MARK]),
    "IKEv2 by VTI": (dict(link="vti"), [DELETED, REKEYS, VTI, FLUSHED]),
    "IKEv2 AH": (dict(ah=True), [DELETED, REKEYS, FLUSHED, LOST]),
    "IKEv1 IPv4": (dict(ike=1), [FLOOD, BY_TIME, REKEYS, BY_VOLUME, DELETED]),
    "IKEv2 by XFRM interface": (dict(link="xfrm"), [DELETED, REKEYS, XFRM_ID, XFRM_LINK, FLUSHED]),
    "IKEv2 GCM by native XDP": (dict(cipher="aes128gcm16", xdp="native"), [DELETED, REKEYS, FLUSHED, LOST]),
}

# Which groups go through which guest of user-mode Linux, the longest first. It has neither XFRM interfaces nor native XDP.
GUESTS = (("IKEv2 IPv4",), ("IKEv1 IPv4", "IKEv2 IPv6 by XDP"), ("IKEv2 IPv4 in UDP", "IKEv2 AH"), ("IKEv2 by VTI",))
EVERY_KERNEL = tuple((name,) for name in GROUPS)  # a kernel that has everything
