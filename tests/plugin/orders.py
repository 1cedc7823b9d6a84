# SPDX-License-Identifier: MIT
"""What the plugin is told to do, and what is left at both ends. B is the receiver that lost an SA, A the sender."""
import subprocess
import threading
import time

import faults

WAIT = 4000


def ids(child):
    return {"ike_id": int(child["ike_id"]), "protocol": 50, "spi": int(child["spi-in"], 16)}


def lose(lab):
    """B's charon loses its child; what A still sends with."""
    child = lab.b.child()
    lab.b.inject(f"lose {child['ike_id']} {child['spi-in']}")
    return child


def expect(problems, what, found, wanted):
    if found != wanted:
        problems.append(f"{what}: {found}, not {wanted}")


def initiate_alone(lab):
    """The control: what VICI alone leaves behind."""
    lose(lab)
    lab.b.initiate()
    problems = []
    if not lab.settles(lab.traffic.answers):
        problems.append("initiate did not even restore traffic")
    expect(problems, "children at A and B", lab.counts(), (2, 1))
    return problems


def delete_then_initiate(lab):
    problems = []
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        child = lose(lab)
        result = b.order("delete", wait_ms=WAIT, **ids(child))
        v1 = lab.options["ike"] == 1
        expect(problems, "outcome", result["outcome"], "sent" if v1 else "peer-owned")
        expect(problems, "the peer's own SPI", result.get("peer_spi"), None if v1 else int(child["spi-out"], 16))
        heard = a.reports("delete-received", 2, spi=int(child["spi-in"], 16))
        if not heard or "child_id" not in heard[0] or heard[0]["peer_spi"] != int(child["spi-out"], 16):
            problems.append(f"A's plugin did not report the DELETE: {a.heard}")
        if not a.reports("child-died", 2, reason="peer-delete", peer_spi=int(child["spi-in"], 16)):
            problems.append(f"A's plugin did not report why its child died: {a.heard}")
        lab.b.initiate()
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers()):
        problems.append(f"children at A and B: {lab.counts()}, traffic: {lab.traffic.answers()}")
    return problems


def spimends_client(lab):
    """The same through src/repair/plugin, as the role act uses it."""
    if not lab.order:
        return "tests/plugin/order could not be built"
    problems, child = [], lab.b.child()

    def order(kind, child_id, spi):
        done = subprocess.run([lab.order, lab.socket_of(lab.b), kind, child["ike_id"], str(child_id), "50", spi, str(WAIT)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=30, check=False)
        return done.stdout.splitlines()
    v1 = lab.options["ike"] == 1
    for kind, child_id, spi, wanted in (
            ("delete", 0, child["spi-in"], "ours 00000000"), ("delete", 0, "cafebabe", "sent" if v1 else "peer-had-none"),
            ("liveness", 0, "0", "done 00000000"), ("invalid-spi", 0, "cafebabe", "sent" if v1 else "done"),
            ("drop-child", child["uniqueid"], child["spi-in"], "done 00000000"),
            ("delete", 0, child["spi-in"], "sent 00000000" if v1 else f"peer-owned {child['spi-out']}")):
        said = order(kind, child_id, spi)
        results = [line for line in said if line.startswith("result")]
        if len(results) != 1 or not results[0].startswith(f"result 42 {wanted}") or not said[0].startswith("up 5."):
            problems.append(f"{kind} {spi}: {said}, not {wanted}")
    lab.b.initiate()
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers()):
        problems.append(f"children at A and B: {lab.counts()}")
    return problems


def foreign_spi(lab):
    problems, before = [], (lab.a.children(state=None), lab.b.children(state=None))
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        for protocol in (50, 51):
            result = b.order("delete", ike_id=int(lab.b.child()["ike_id"]), protocol=protocol, spi=0xcafebabe, wait_ms=WAIT)
            expect(problems, "outcome", result["outcome"], "sent" if lab.options["ike"] == 1 else "peer-had-none")
            heard = a.reports("delete-received", 2, spi=0xcafebabe, protocol=protocol)
            if not heard or "child_id" in heard[0]:
                problems.append(f"A's plugin reports {heard}")
    after = (lab.a.children(state=None), lab.b.children(state=None))
    expect(problems, "children", [[c["spi-in"] for c in side] for side in after], [[c["spi-in"] for c in side] for side in before])
    if not lab.traffic.answers():
        problems.append("traffic has stopped")
    return problems


def own_spi(lab):
    """A working child's SPI is not deleted behind charon's back."""
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b:
        expect(problems, "outcome", b.order("delete", wait_ms=WAIT, **ids(child))["outcome"], "ours")
    expect(problems, "children", lab.counts(), (1, 1))
    return problems


def no_such_ike(lab):
    problems = []
    with lab.plug(lab.b) as b:
        for kind, more in (("delete", {"protocol": 50, "spi": 5, "wait_ms": WAIT}), ("liveness", {"wait_ms": WAIT}),
                           ("drop-child", {"child_id": 1, "spi": 5})):
            expect(problems, kind, b.order(kind, ike_id=4_000_000_000, **more)["outcome"], "ike-gone")
    return problems


def drop_stale(lab):
    """The data plane lost the SA, charon lists it: drop ours, DELETE theirs, initiate."""
    problems, child = [], lab.b.child()
    lab.b.inject(f"forget {lab.a.address} {lab.b.address} {child['spi-in']}")
    numbers = {"ike_id": int(child["ike_id"]), "child_id": int(child["uniqueid"]), "spi": int(child["spi-in"], 16)}
    with lab.plug(lab.b) as b:
        for wrong in ("child_id", "spi"):
            result = b.order("drop-child", **dict(numbers, **{wrong: numbers[wrong] + 1}))
            expect(problems, f"drop with another {wrong}", result["outcome"], "not-found")
        expect(problems, "children before", lab.counts(), (1, 1))
        expect(problems, "drop", b.order("drop-child", **numbers)["outcome"], "done")
        expect(problems, "children then", lab.counts(), (1, 0))
        if not b.reports("child-died", 2, reason="dropped", child_id=numbers["child_id"]):
            problems.append(f"no report of its death: {b.heard}")
        result = b.order("delete", wait_ms=WAIT, **ids(child))
        if result["outcome"] not in ("peer-owned", "sent"):
            problems.append(f"the DELETE: {result}")
    lab.b.initiate()
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers()):
        problems.append(f"children at A and B: {lab.counts()}")
    return problems


def alive(lab):
    problems = []
    with lab.plug(lab.b) as b:
        expect(problems, "liveness", b.order("liveness", ike_id=int(lab.b.child()["ike_id"]), wait_ms=WAIT)["outcome"], "done")
        lab.drop_on_wire([faults.from_a(lab)])
        result = b.order("liveness", ike_id=int(lab.b.child()["ike_id"]), wait_ms=500)
        expect(problems, "with a silent peer", result["outcome"], "no-reply")
    return problems


def notify_inside(lab):
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        result = b.order("invalid-spi", wait_ms=WAIT, **ids(child))
        expect(problems, "outcome", result["outcome"], "sent" if lab.options["ike"] == 1 else "done")
        heard = a.reports("invalid-spi-inside", 2, spi=int(child["spi-in"], 16))
        if not heard or "child_id" not in heard[0] or not heard[0]["flags"] & 2:
            problems.append(f"A's plugin reports {heard}")
        elif heard[0]["spi_size"] != (4 if lab.options["ike"] == 1 else 0):
            problems.append(f"SPI size {heard[0]['spi_size']}")
    expect(problems, "children", lab.counts(), (1, 1))
    return problems


# --- IKEv2: answers that are late, or never come ----------------------------------------------------------------------

def late_answer(lab):
    problems, child = [], lose(lab)
    with lab.plug(lab.b) as b:
        lab.drop_on_wire([faults.from_b(lab)])
        serial = b.send("delete", wait_ms=500, **ids(child))
        expect(problems, "outcome", b.answer(serial)["outcome"], "no-reply")
        lab.drop_none()
        late = b.answer(serial, kinds=("late",))  # charon sends again after 4 s
        expect(problems, "in the end", (late["outcome"], late.get("peer_spi")), ("peer-owned", int(child["spi-out"], 16)))
    return problems


def window_taken(lab):
    problems, child = [], lose(lab)
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        lab.drop_on_wire([faults.from_b(lab)])
        first = b.send("delete", wait_ms=6000, **ids(child))
        lab.wait(lambda: lab.dropped()[0], 3, "the DELETE on the wire")
        result = b.order("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe0001, wait_ms=300)
        expect(problems, "behind it", result["outcome"], "window-taken")
        third = b.send("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe0002, wait_ms=20000)
        lab.drop_none()
        expect(problems, "the first", b.answer(first)["outcome"], "peer-owned")
        expect(problems, "the third", b.answer(third)["outcome"], "peer-had-none")
        a.reports("delete-received", 2, spi=0xcafe0002)
        if a.reports("delete-received", spi=0xcafe0001):
            problems.append("the order that was taken back went out")
    return problems


def ike_goes_away(lab):
    """The IKE SA is destroyed under a DELETE that waits for its answer, and under one that waits for its turn."""
    problems, child = [], lose(lab)
    with lab.plug(lab.b) as b:
        lab.drop_on_wire([faults.from_b(lab)])
        sent = b.send("delete", wait_ms=20000, **ids(child))
        lab.wait(lambda: lab.dropped()[0], 3, "the DELETE on the wire")
        waits = b.send("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe0003, wait_ms=20000)
        drop = b.send("drop-child", ike_id=int(child["ike_id"]), child_id=1, spi=1)
        with lab.b.vici() as vici:
            vici.call("terminate", ike_id=child["ike_id"], force="yes", timeout=500)
        for serial in (sent, waits):
            expect(problems, "outcome", b.answer(serial)["outcome"], "ike-gone")
        if b.answer(drop)["outcome"] not in ("not-found", "ike-gone"):
            problems.append("a drop for no child")
        if not b.reports("ike-died", 2, reason="our-delete"):
            problems.append(f"no report of its end: {b.heard}")
    return problems


def busy(lab):
    """A child in an exchange is not taken away from under it."""
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b:
        lab.drop_on_wire([faults.from_b(lab)])
        lab.b.call("rekey", child_id=child["uniqueid"])
        lab.wait(lambda: lab.dropped()[0], 3, "the rekey on the wire")
        result = b.order("drop-child", ike_id=int(child["ike_id"]), child_id=int(child["uniqueid"]),
                         spi=int(child["spi-in"], 16))
        expect(problems, "outcome", result["outcome"], "busy")
        lab.drop_none()
        if not lab.settles(lambda: [new for new in lab.b.children() if new["spi-in"] != child["spi-in"]], 10):
            problems.append("the rekey did not go on")
    return problems


def many_orders(lab):
    """More than may wait: the surplus is refused, each gets exactly one result, and none goes out twice."""
    problems, child = [], lose(lab)
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        lab.drop_on_wire([faults.from_b(lab)])
        first = b.send("delete", wait_ms=8000, **ids(child))
        lab.wait(lambda: lab.dropped()[0], 3, "the DELETE on the wire")
        serials = [b.send("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe1000 + n, wait_ms=20000)
                   for n in range(40)]
        refused = [s for s in serials[31:] if b.answer(s)["outcome"] == "limit"]
        expect(problems, "refused", len(refused), 9)
        lab.drop_none()
        expect(problems, "the first", b.answer(first)["outcome"], "peer-owned")
        outcomes = [b.answer(s)["outcome"] for s in serials[:31]]
        expect(problems, "the rest", set(outcomes), {"peer-had-none"})
        heard = [r["spi"] for r in a.reports("delete-received", 3, count=32)]
        expect(problems, "DELETEs that A heard", sorted(heard), sorted({*heard}))
    return problems


def client_leaves(lab):
    """What a connection that closes had ordered, and was not sent, is not sent any more."""
    problems, child = [], lose(lab)
    with lab.plug(lab.a) as a:
        with lab.plug(lab.b) as b:
            lab.drop_on_wire([faults.from_b(lab)])
            b.send("delete", wait_ms=8000, **ids(child))
            lab.wait(lambda: lab.dropped()[0], 3, "the DELETE on the wire")
            b.send("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe2000, wait_ms=20000)
            time.sleep(0.1)
        time.sleep(0.2)
        lab.drop_none()
        with lab.plug(lab.b) as b:  # its own order queues behind
            result = b.order("delete", ike_id=int(child["ike_id"]), protocol=50, spi=0xcafe2001, wait_ms=20000)
            expect(problems, "another connection's order", result["outcome"], "peer-had-none")
        a.reports("delete-received", 2, spi=0xcafe2001)
        if a.reports("delete-received", spi=0xcafe2000):
            problems.append("an order without its client went out")
    return problems


def both_at_once(lab):
    """Both ends DELETE each other's SPI at the same moment."""
    problems, b_child, a_child = [], lab.b.child(), lab.a.child()
    lab.b.inject(f"lose {b_child['ike_id']} {b_child['spi-in']}")
    lab.a.inject(f"lose {a_child['ike_id']} {a_child['spi-in']}")
    results = {}

    def go(side, child):
        with lab.plug(side) as client:
            results[side.name] = client.order("delete", wait_ms=WAIT, **ids(child))["outcome"]
    threads = [threading.Thread(target=go, args=pair) for pair in ((lab.a, a_child), (lab.b, b_child))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(problems, "outcomes", results, {"A": "peer-had-none", "B": "peer-had-none"})
    lab.b.initiate()
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers()):
        problems.append(f"children: {lab.counts()}")
    return problems


def never_answers(lab):
    """charon gives the peer up under the DELETE (its timeouts are short here)."""
    problems, child = [], lose(lab)
    with lab.plug(lab.b) as b:
        lab.drop_on_wire([faults.from_b(lab)])
        serial = b.send("delete", wait_ms=200, **ids(child))
        expect(problems, "outcome", b.answer(serial)["outcome"], "no-reply")
        expect(problems, "in the end", b.answer(serial, kinds=("late",))["outcome"], "ike-gone")
        if not b.reports("ike-died", 2, reason="peer-dead"):
            problems.append(f"why the IKE SA died: {b.heard}")
    return problems


BOTH = [("initiate alone leaves the stale SA at the sender (control)", initiate_alone),
        ("DELETE for a lost SPI, then initiate: one child at both ends", delete_then_initiate),
        ("all four orders through spimend's own client", spimends_client),
        ("DELETE for an SPI that the peer does not own harms nothing", foreign_spi),
        ("DELETE for an SPI that is ours is refused", own_spi),
        ("an IKE SA that does not exist", no_such_ike),
        ("drop our own stale child, DELETE, initiate: one child at both ends", drop_stale),
        ("liveness now, of a peer that answers and of one that does not", alive),
        ("INVALID_SPI inside the IKE SA arrives and changes nothing", notify_inside)]
V1 = BOTH[1:]  # IKEv1 replaces the stale SA by itself, as REKEYED
V2 = [("an answer that comes late", late_answer),
      ("an order that does not get the window is taken back", window_taken),
      ("the IKE SA goes away while the DELETE waits", ike_goes_away),
      ("a child in an exchange is not dropped", busy),
      ("more orders than may wait", many_orders),
      ("a client that leaves takes its unsent orders along", client_leaves),
      ("both ends DELETE at once", both_at_once)]


def worlds():
    yield "IKEv2", {"ike": 2}, BOTH + V2
    yield "IKEv1", {"ike": 1}, V1
    yield "IKEv2 over IPv6", {"ike": 2, "ip": 6}, BOTH[1:4]
    yield "IKEv2, impatient", {"ike": 2, "top": "retransmit_timeout = 0.3\n  retransmit_tries = 1"}, \
        [("a peer that never answers", never_answers)]
