# SPDX-License-Identifier: MIT
"""What happens to a tunnel on the kernel's own ESP, and what spimendd should make of it: verdict, cause, first step. heal.py
runs them in the guest of tests/uml/run.py. A case without actions must see no step at all."""
import contextlib
import dataclasses
import re
import sys
import time

from pair import OUTER, ROOT, VTI_KEY, Trouble, demand, run


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    make: object
    verdicts: tuple = ()   # empty: no incident at all may come
    causes: tuple = ()
    actions: tuple = ()    # the first step, one of these
    flows: bool = True     # traffic afterwards
    after: object = None   # puts right what nobody may mend


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
        if side.pair.vti:
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


def lose_vti(pair):
    """What came in over it is looked for under no mark from now on, and the SA has one."""
    run(["ip", "link", "del", "vti0"])


def add_vti(pair):
    pair.b.add_vti()
    demand(pair.flows, 5, "traffic over the new VTI")


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
    pair.a.order("initiate", child="lan", timeout=10000)
    spi = demand(lambda: [child for child in pair.b.children() if child["spi-in"] != old["spi-in"]], 5, "the bounded SA")
    with lost_ike():
        demand(lambda: spi[0]["spi-in"] not in [child["spi-in"] for child in pair.b.children(None)], 15, "the SA to expire")
        since = time.time()
        demand_loss()
    pair.b.configure()
    pair.b.load()
    return since


def expire_time(pair):
    return expire(pair, "rekey_time = 0s\n    life_time = 4s\n    rand_time = 0s")


def expire_volume(pair):
    return expire(pair, "rekey_time = 0s\n    life_time = 0s\n    rekey_bytes = 0\n    rand_bytes = 0\n    life_bytes = 4000")


def expire_both(pair):
    """IKEv2: who expires tells the other and makes a new one."""
    pair.b.configure("rekey_time = 0s\n    life_time = 3s\n    rand_time = 0s")
    pair.b.load()
    former = pair.b.child()
    pair.b.order("terminate", child_id=former["uniqueid"])  # a rekey would take the lifetimes of before
    pair.b.order("initiate", child="lan", timeout=10000)
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


def scan(pair):
    sent = run(["ip", "netns", "exec", "C", sys.executable, "-B", f"{ROOT}/lab/inject.py", "scan", OUTER[4]["B"], "80", "15"])
    if int(sent.split()[-1]) != 80:
        raise Trouble(f"the scan: {sent}")


DELETED = Case("an inbound SA deleted", delete_sa, ("desync",), ("child-missing",), ("rekey-child",))
FLUSHED = Case("the SAD flushed", flush, ("desync",), ("child-missing",), ("rekey-child",))
UNSEEN = Case("the SAD flushed while spimendd was away", flush_unseen, ("desync",), ("child-missing",), ("rekey-child",))
LEFT = Case("charon killed, its SAs left in the kernel", kill_charon)
LEFT_FLUSHED = Case("the SAs that a killed charon left, flushed", flush, ("desync",), ("receiver-lost-state",), ("initiate",))
DELETE_LOST = Case("the tunnel torn down, the DELETE lost", lose_delete, ("desync",), ("delete-lost", "unilateral-delete"),
                   ("initiate",))
LOST = Case("charon killed and the SAD flushed", kill_charon_flush, ("desync",), ("receiver-lost-state",), ("initiate",))
MARK = Case("an SA under another mark", mark, ("other-fault",), ("lookup-key-mismatch",), flows=False, after=renew)
VTI = Case("a VTI is gone, its SA has its mark", lose_vti, ("other-fault",), ("lookup-key-mismatch",), flows=False,
           after=add_vti)
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
RESTART = Case("healthy: spimendd restarted", restart_daemon)
SCAN = Case("a stranger scans", scan, ("noise",), ("scan-or-spoof",))

# name: options of the pair, cases in order
GROUPS = {
    "IKEv2 IPv4": (dict(), [DELETED, REKEYS, FLUSHED, SCAN, LEFT, LEFT_FLUSHED, RESTART, LOST, UNSEEN, DELETE_LOST, MARK, IF_ID,
                            ENCAP_SENDER, EXPIRY]),
    "IKEv2 IPv4 in UDP": (dict(encap=True), [DELETED, ENCAP_SENDER, REKEYS, ENCAP_RECEIVER, MARK]),
    "IKEv2 IPv6 by XDP": (dict(ip=6, xdp=True), [DELETED, REKEYS, LOST]),
    "IKEv2 by VTI": (dict(vti=True), [DELETED, REKEYS, VTI, FLUSHED]),
    "IKEv2 AH": (dict(ah=True), [DELETED, REKEYS, FLUSHED]),
    "IKEv1 IPv4": (dict(ike=1), [BY_TIME, REKEYS, BY_VOLUME, DELETED]),
}

# Which groups go through which guest, the longest first.
GUESTS = (("IKEv2 IPv4",), ("IKEv1 IPv4", "IKEv2 IPv6 by XDP"), ("IKEv2 IPv4 in UDP", "IKEv2 AH"), ("IKEv2 by VTI",))
