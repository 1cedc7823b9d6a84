# SPDX-License-Identifier: MIT
"""What the plugin reports: what peers say inside an IKE SA, what anybody says outside, and why SAs died."""
import os
import struct
import time

from orders import expect, ids
from world import World

INITIATOR, NOTIFY, ENCRYPTED = 0x08, 41, 46
INVALID_IKE_SPI, INVALID_SPI = 4, 11
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
for i, line in enumerate(sys.stdin):
    s.sendto(bytes.fromhex(line), (sys.argv[1], 500))
    if i % 10 == 9:
        time.sleep(0.01)
"""


def ike(first, body, spi_i=0x1122334455667788, spi_r=0x99aabbccddeeff00, exchange=37):
    """RFC 7296 3.1."""
    return struct.pack("!QQBBBBII", spi_i, spi_r, first, 0x20, exchange, INITIATOR, 0, 28 + len(body)) + body


def notify(kind, spi=b"", data=b"", protocol=0, following=0, length=None):
    """RFC 7296 3.10."""
    size = 8 + len(spi) + len(data) if length is None else length
    return struct.pack("!BBHBBH", following, 0, size, protocol, len(spi), kind) + spi + data


def send_from_stranger(lab, packets):
    lab.net.run("C", ["python3", "-c", SEND, lab.b.address], stdin="".join(packet.hex() + "\n" for packet in packets))


def told_outside(lab):
    problems, spi = [], bytes.fromhex("deadbeef")
    with lab.plug(lab.b) as b:
        send_from_stranger(lab, [ike(NOTIFY, notify(INVALID_SPI, data=spi)),
                                 ike(NOTIFY, notify(INVALID_SPI, spi=spi, protocol=3)),
                                 ike(NOTIFY, notify(INVALID_SPI, spi=spi)),
                                 ike(NOTIFY, notify(INVALID_IKE_SPI)),
                                 ike(NOTIFY, notify(16384, following=NOTIFY) + notify(INVALID_SPI, data=b"\0\0\1\0"))])
        heard = sorted(b.reports("invalid-spi-outside", 3, count=4), key=lambda m: (-m["spi"], m["spi_size"], "protocol" in m))
        expect(problems, "INVALID_SPI", [(m["spi"], m["spi_size"], m.get("protocol")) for m in heard],
               [(0xdeadbeef, 0, None), (0xdeadbeef, 4, None), (0xdeadbeef, 4, 50), (0x100, 0, None)])
        for m in heard + b.reports("invalid-ike-spi", 3):
            expect(problems, "who and to whom", (m["remote"], m["local"], m["local_port"], m["ike_spi_i"]),
                   ("192.0.2.66", lab.b.address, 500, 0x1122334455667788))
        expect(problems, "INVALID_IKE_SPI", len(b.reports("invalid-ike-spi", 3)), 1)
    expect(problems, "children", lab.counts(), (1, 1))
    return problems


def odd_outside(lab):
    """Unprotected messages that do not hold what they say, and others that are none of our business."""
    problems = []
    with lab.plug(lab.b) as b:
        send_from_stranger(lab, [ike(NOTIFY, notify(INVALID_SPI)), ike(NOTIFY, notify(INVALID_SPI, data=b"\1\2\3")),
                                 ike(NOTIFY, notify(INVALID_SPI, spi=b"\1" * 8)), ike(NOTIFY, b"\0\0"), ike(NOTIFY, b""),
                                 ike(NOTIFY, notify(INVALID_SPI, data=b"\1\2\3\4", length=400)),
                                 ike(NOTIFY, notify(INVALID_SPI, data=b"\1\2\3\4", length=4)), ike(0, b""), ike(NOTIFY, b"\xff" * 900),
                                 ike(NOTIFY, struct.pack("!BBHBBH", 0, 0, 12, 0, 255, INVALID_SPI) + b"\1\2\3\4"),
                                 ike(NOTIFY, notify(16389, data=b"x" * 20))])
        send_from_stranger(lab, [ike(NOTIFY, notify(INVALID_SPI, data=b"\0\0\2\0"))])
        if not b.reports("invalid-spi-outside", 3, spi=0x200):
            problems.append("the sound one was not heard")
        expect(problems, "heard of the odd ones", len(b.reports("invalid-spi-outside")), 1)
    return problems


def unknown_ike(lab):
    problems = []
    with lab.plug(lab.b) as b:
        send_from_stranger(lab, [ike(ENCRYPTED, b"\0" * 40)])
        heard = b.reports("unknown-ike-sa", 3)
        expect(problems, "heard", [(m["remote"], m["ike_spi_i"], m["ike_spi_r"], m["exchange"]) for m in heard],
               [("192.0.2.66", 0x1122334455667788, 0x99aabbccddeeff00, 37)])
    return problems


def flood(lab):
    """What anybody can cause is limited, and what was left out is counted."""
    problems, sent = [], 600
    with lab.plug(lab.b) as b:
        time.sleep(2.5)  # what the tests before took of the limit comes back
        send_from_stranger(lab, [ike(NOTIFY, notify(INVALID_SPI, data=struct.pack("!I", n))) for n in range(sent)])
        lab.settles(lambda: len(b.reports("invalid-spi-outside")) + sum(m["count"] for m in b.reports("lost")) >= sent, 5)
        heard, lost = len(b.reports("invalid-spi-outside")), sum(m["count"] for m in b.reports("lost"))
        expect(problems, "heard and lost", heard + lost, sent)
        if not 40 <= heard <= 200:
            problems.append(f"{heard} of {sent} were reported")
    return problems


def rekeys(lab):
    problems = []
    with lab.plug(lab.b) as b:
        old = lab.b.rekey()
        new = lab.b.child()
        heard = b.reports("child-rekeyed", 3)
        expect(problems, "the child's rekey", [(m["child_id"], m["spi"], m["peer_spi"], m["new_child_id"], m["new_spi"]) for m in heard],
               [(int(old["uniqueid"]), int(old["spi-in"], 16), int(old["spi-out"], 16), int(new["uniqueid"]), int(new["spi-in"], 16))])
        if lab.options["ike"] == 2:
            if not b.reports("child-died", 8, child_id=int(old["uniqueid"]), reason="rekeyed"):
                problems.append(f"the old child's end: {b.reports('child-died')}")
            lab.b.call("rekey", ike_id=new["ike_id"])
            heard = b.reports("ike-rekeyed", 5)
            expect(problems, "the IKE SA's rekey", [m["ike_id"] for m in heard], [int(new["ike_id"])])
            result = b.order("delete", ike_id=heard[0]["new_ike_id"], protocol=50, spi=0xcafe3000, wait_ms=4000)
            expect(problems, "DELETE over the new IKE SA", result["outcome"], "peer-had-none")
    return problems


def deletes(lab):
    problems = []
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        child = lab.b.child()
        lab.a.call("terminate", child_id=lab.a.child()["uniqueid"])
        if not b.reports("child-died", 3, child_id=int(child["uniqueid"]), reason="peer-delete"):
            problems.append(f"at B: {b.heard}")
        if not a.reports("child-died", 3, spi=int(child["spi-out"], 16), reason="our-delete"):
            problems.append(f"at A: {a.heard}")
        lab.a.initiate()
        child = lab.b.child()
        lab.a.call("terminate", ike_id=lab.a.child()["ike_id"])
        if not b.reports("ike-delete-received", 3, ike_id=int(child["ike_id"])):
            problems.append(f"B did not hear the IKE SA's DELETE: {b.heard}")
        # IKEv1 says goodbye to each child as well, in a message of its own: charon's threads take the two in any order
        of_child = ("ike-died",) if lab.options["ike"] == 2 else ("peer-delete", "ike-died")
        ended = b.reports("child-died", 3, child_id=int(child["uniqueid"]))
        if not b.reports("ike-died", 3, reason="peer-delete") or not ended or ended[0]["reason"] not in of_child:
            problems.append(f"at B, of the IKE SA: {b.heard}")
        if not a.reports("ike-died", 3, reason="our-delete"):
            problems.append(f"at A, of the IKE SA: {a.heard}")
    return problems


def initial_contact(lab):
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b:
        lab.a.kill()
        os.unlink(os.path.join(lab.a.folder, "spimend"))
        lab.a.start()
        lab.a.initiate()
        if not b.reports("ike-died", 5, ike_id=int(child["ike_id"]), reason="initial-contact"):
            problems.append(f"of the IKE SA: {b.heard}")
        if not b.reports("child-died", 3, child_id=int(child["uniqueid"]), reason="ike-died"):
            problems.append(f"of the child: {b.heard}")
    return problems


def expiry(lab):
    problems = []
    lab.b.configure(child_extra="rekey_time = 0s\n      life_time = 2s\n      rand_time = 0s")
    lab.b.load()
    try:
        with lab.plug(lab.b) as b:
            lab.b.call("terminate", child_id=lab.b.child()["uniqueid"])
            lab.b.initiate()
            child = lab.b.child()
            if not b.reports("child-died", 8, child_id=int(child["uniqueid"]), reason="expired"):
                problems.append(f"heard: {b.reports('child-died')}")
    finally:
        lab.b.configure()
        lab.b.load()
    return problems


def not_asked_for(lab):
    problems = []
    with lab.plug(lab.b, reports=False) as b:
        lab.b.rekey()
        b.order("liveness", ike_id=int(lab.b.child()["ike_id"]), wait_ms=4000)
        expect(problems, "reports", b.heard, [])
    return problems


def odd_inside(lab):
    if not World.odd:
        return "the odd plugin could not be built"
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b, lab.plug(lab.a) as a:
        expect(problems, "sent", b.order("invalid-spi", wait_ms=4000, **ids(child))["outcome"], "done")
        heard = a.reports("invalid-spi-inside", 3)
        expect(problems, "heard", [(m["spi"], m["spi_size"], m.get("protocol"), "child_id" in m) for m in heard],
               [(int(child["spi-in"], 16), 4, None, True)])
    expect(problems, "children", lab.counts(), (1, 1))
    return problems


def both():
    return [("rekeys", rekeys), ("DELETEs, ours and the peer's", deletes), ("a peer that started anew", initial_contact),
            ("a hard lifetime", expiry), ("none to who did not ask", not_asked_for)]


def worlds():
    yield "reports, IKEv2", {"ike": 2}, [
        ("unprotected INVALID_SPI, SPI size 0 and 4, and INVALID_IKE_SPI", told_outside),
        ("unprotected messages that are odd", odd_outside), ("a message for an unknown IKE SA", unknown_ike),
        ("a flood is limited and counted", flood)] + both()
    yield "reports, IKEv2, an odd peer", {"load": " spimend odd", "plugins_more": {"odd": World.odd} if World.odd else {}}, \
        [("INVALID_SPI inside with SPI size 4 (B9)", odd_inside)]
    yield "reports, IKEv1", {"ike": 1}, both()
