# SPDX-License-Identifier: MIT
"""The faults: one function each, and a table that says what each does to both ends and what spimend should make of it
(causes and verdicts: the names that spimend prints). They act on charon, on the wire and through the stranger C; spimendd
has no part in them and no channel to them.

Each function gets the lab with its tunnel up, makes its fault, and returns what a person should read and what a test must
know: {"done": text, "spi": the SPI that B will not know, "since": when it began}."""
import dataclasses
import time

import inject_run
from gateway import child_name
from net import LabError


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    make: object
    help: str
    sender: str    # what A has and does then
    receiver: str  # what B has and does then
    verdicts: tuple
    causes: tuple       # acceptable names; empty: not judged by cause
    actions: tuple      # what spimend should do, one of these; empty: nothing may be done
    plugin: bool = False
    ike: tuple = (1, 2)
    takes: int = 0      # seconds until the fault is there

    @property
    def harmless(self):
        return not self.actions


FAULTS = {}


def fault(name, help, **facts):
    def register(function):
        FAULTS[name] = Fault(name, function, help, **facts)
        return function
    return register


def needing_plugin():
    return [known.name for known in FAULTS.values() if known.plugin]


def make(lab, name):
    if name not in FAULTS:
        raise LabError(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    wanted = FAULTS[name]
    if lab.options["ike"] not in wanted.ike:
        raise LabError(f"{name} exists with IKEv{wanted.ike[0]} only")
    if wanted.plugin and not lab.options["plugin"]:
        raise LabError(f"{name} needs charon's fault plugin, which this lab does not have")
    return lab.note(name, **wanted.make(lab))


def from_b(lab, *more):
    """nft expressions: IKE from B on port 4500 (ESP has its SPI where IKE has the non-ESP marker, four zero bytes)."""
    return " ".join([f"{'ip6' if lab.options['ip'] == 6 else 'ip'} saddr {lab.b.address} udp dport 4500 @th,64,32 0", *more])


def from_a(lab, *more):
    return from_b(lab, *more).replace(lab.b.address, lab.a.address)


CREATE_CHILD_SA, INFORMATIONAL = 36, 37


def request(exchange):
    """An IKEv2 request of that exchange, behind the marker (RFC 7296 3.1: exchange type at octet 18, response flag 0x20)."""
    return f"@th,240,8 {exchange} @th,248,8 & 0x20 == 0"


# --- Faults that lose state -------------------------------------------------------------------------------------------

@fault("restart", "kill -9 of B's charon, and start it again",
       sender="IKE SA and child up; encrypts with the old SPI for as long as nobody tells it",
       receiver="charon runs, with no IKE SA and no SPI of before",
       verdicts=("desync",), causes=("receiver-lost-state",), actions=("initiate",))
def restart(lab):
    lab.b.outlive_second()
    child, since = lab.b.child(), time.time()
    lab.b.kill()
    lab.b.start()
    return {"done": "B's charon was killed and runs again; it knows nothing of before", "spi": child["spi-in"],
            "since": since}


@fault("delete-lost", "B tears the tunnel down, and its DELETE is lost on the wire",
       sender="IKE SA and child up; encrypts on",
       receiver="IKEv2: no IKE SA, no child (it gave up asking for an answer). IKEv1, whose DELETE nobody acknowledges: no "
                "child, the IKE SA lives",
       verdicts=("desync",), causes=("delete-lost", "unilateral-delete"), actions=("initiate",))
def delete_lost(lab):
    child, since = lab.b.child(), time.time()
    # The DELETE alone where it can be told: on a busy machine this is lifted late, and a repair may be there before.
    lab.drop_on_wire([from_b(lab, *([request(INFORMATIONAL)] if lab.options["ike"] == 2 else []))])
    try:
        if lab.options["ike"] == 1:
            lab.b.call("terminate", child_id=child["uniqueid"], timeout=2000)
        else:  # what is left of an exchange that stays unanswered, without the 165 s that it takes
            lab.b.ordered.append("terminate")
            with lab.b.vici() as vici:  # it says that terminating failed: true, as far as the peer goes
                vici.call("terminate", ike_id=child["ike_id"], force="yes", timeout=500)
            lab.wait(lambda: all(sa["uniqueid"] != child["ike_id"] for sa in lab.b.ike_sas()), 5, "B's IKE SA to go")
        lab.wait(lambda: lab.dropped()[0], 5, "the DELETE on the wire")
    finally:
        lab.drop_none()
    return {"done": "B closed the tunnel and A never heard of it", "spi": child["spi-in"], "since": since}


@fault("child-forgotten", "B's data plane loses the inbound SA; charon still lists it",
       sender="all up; encrypts on; liveness checks are answered",
       receiver="charon lists the child, its packets are dropped",
       verdicts=("desync",), causes=("child-missing",), actions=("rekey-child", "terminate-child", "initiate"), plugin=True)
def child_forgotten(lab):
    child, since = lab.b.child(), time.time()
    lab.b.inject(f"forget {lab.a.address} {lab.b.address} {child['spi-in']}")
    return {"done": f"B's data plane has no SA 0x{child['spi-in']} any more, its charon lists it", "spi": child["spi-in"],
            "since": since}


@fault("child-lost", "B's charon loses a CHILD_SA; the IKE SA lives",
       sender="all up; encrypts on; liveness checks are answered",
       receiver="IKE SA up, no child",
       verdicts=("desync",), causes=("child-missing", "unilateral-delete", "delete-lost"), actions=("initiate",),
       plugin=True)
def child_lost(lab):
    child, since = lab.b.child(), time.time()
    lab.b.inject(f"lose {child['ike_id']} {child['spi-in']}")
    return {"done": f"B's charon has no CHILD_SA with 0x{child['spi-in']} any more, and told nobody", "spi": child["spi-in"],
            "since": since}


@fault("sad-flushed", "B's data plane loses every SA, both ways; charon still lists them",
       sender="all up; encrypts on; liveness checks are answered",
       receiver="charon lists the children, nothing gets in or out",
       verdicts=("desync",), causes=("child-missing",), actions=("rekey-child", "terminate-child", "initiate"), plugin=True)
def sad_flushed(lab):
    child, since, lost = lab.b.child(), time.time(), 0
    for each in lab.b.children(state=None):
        for src, dst, spi in ((lab.a, lab.b, each["spi-in"]), (lab.b, lab.a, each.get("spi-out"))):
            try:
                lab.b.inject(f"forget {src.address} {dst.address} {spi}")
                lost += 1
            except LabError:
                if each["state"] == "INSTALLED":
                    raise
                # one that was rekeyed: half of it is gone already
    return {"done": f"B's data plane lost all its SAs, {lost} of them", "spi": child["spi-in"], "since": since}


@fault("lifetime-mismatch", "B's SAs live 6 s without a rekey, A's an hour; B's DELETE is lost",
       sender="IKE SA and child up; encrypts on",
       receiver="the child expired; IKEv1 has no answer to its DELETE, and nobody makes a new one",
       verdicts=("desync",), causes=("lifetime-mismatch-time",), actions=("initiate",), ike=(1,), takes=7)
def lifetime_mismatch(lab):
    lab.b.configure(child_extra="rekey_time = 0s\n      life_time = 6s\n      rand_time = 0s")
    lab.b.load()
    old = lab.b.child()
    lab.a.call("terminate", child_id=lab.a.child()["uniqueid"])
    lab.a.initiate()
    child = lab.wait(lambda: [new for new in lab.b.children(name=child_name(1)) if new["spi-in"] != old["spi-in"]], 5,
                     "the SA with the short life")[0]
    lab.drop_on_wire([from_b(lab)])
    try:
        lab.wait(lambda: not [each for each in lab.b.children(state=None) if each["spi-in"] == child["spi-in"]], 10,
                 "the SA to expire")
        since = time.time()
        lab.wait(lambda: lab.dropped()[0], 5, "the DELETE on the wire")
    finally:
        lab.drop_none()
        lab.b.configure()  # the next one lives as long as A's
        lab.b.load()
    return {"done": "B's SA expired; A's has an hour to go", "spi": child["spi-in"], "since": since}


@fault("rekey-collision", "both ends rekey at once and a packet of each is lost: A never installs its outbound SA",
       sender="IKE SA up, one child without its outbound half (strongswan#1896): nothing goes out any more",
       receiver="IKE SA and child up; what it sends arrives, and no answer ever comes",
       verdicts=("desync", "other-fault", "undecided"), causes=("rekey-collision", "unknown", "child-missing"),
       actions=("rekey-child", "initiate"), ike=(2,), takes=5)
def rekey_collision(lab):
    # child-missing: after child-lost A still holds the SA that B lost, and falls back to it when it has no better one
    child = lab.b.child()
    lab.drop_on_wire([from_a(lab, request(CREATE_CHILD_SA)), from_b(lab, request(INFORMATIONAL))])
    try:
        lab.a.call("rekey", child_id=lab.a.child()["uniqueid"])
        lab.wait(lambda: lab.dropped()[0], 5, "A's rekey on the wire")
        time.sleep(0.3)  # both are sent again after 4 s, and A's must come first
        lab.b.call("rekey", child_id=child["uniqueid"])
        lab.wait(lambda: lab.dropped()[1], 5, "B's DELETE on the wire")
    finally:
        lab.drop_none()
    # A hears TEMPORARY_FAILURE, and takes the DELETE that follows for an ordinary one
    lab.wait(lambda: all(each.get("spi-out") != child["spi-in"] for each in lab.a.children(state=None)), 12,
             "A to hear of the DELETE")
    since = time.time()
    if lab.traffic.answers("B"):  # a busy machine may turn the order round, which ends well
        return {"done": "both ends rekeyed at once, and it ended well", "spi": None, "since": since, "healthy": True}
    return {"done": "both ends rekeyed at once; A has no outbound SA", "spi": None, "since": since}


# --- Packets that nobody asked for ------------------------------------------------------------------------------------

@fault("scan", "a stranger on the wire sends ESP, plain and in UDP, with random SPIs",
       sender="nothing", receiver="drops the stranger's packets; the tunnel works",
       verdicts=("noise",), causes=("scan-or-spoof",), actions=())
def scan(lab):
    since = time.time()
    sent = inject_run.scan(lab, count=150, gap=20)
    return {"done": f"{sent} packets with random SPIs from a stranger", "spi": None, "since": since}


@fault("forged", "a stranger sends ESP with random SPIs and A's source address",
       sender="nothing", receiver="drops the forged packets; the tunnel works",
       verdicts=("noise",), causes=("scan-or-spoof",), actions=())
def forged(lab):
    since = time.time()
    sent = inject_run.forge(lab, count=150, gap=20)
    return {"done": f"{sent} packets with random SPIs that carry A's address", "spi": None, "since": since}


@fault("replay", "a stranger recorded the tunnel, and sends the packets of a dead SA again, from A's address",
       sender="nothing", receiver="drops the packets of an SPI that was its own once; the tunnel works",
       verdicts=("transient", "noise", "undecided"), causes=(), actions=(), takes=10)
def replay(lab):
    old = lab.b.child()
    recorded = inject_run.record(lab, int(old["spi-in"], 16))
    lab.a.rekey()
    if lab.options["ike"] == 1:  # which keeps a rekeyed SA until it expires
        lab.b.call("terminate", child_id=old["uniqueid"])
    lab.wait(lambda: all(child["spi-in"] != old["spi-in"] for child in lab.b.children(state=None)), 15, "the old SA's end")
    time.sleep(2)  # well past the overlap: nothing of it is in flight any more
    since = time.time()
    sent = inject_run.replay(lab, recorded, gap=50)
    return {"done": f"{sent} recorded packets of 0x{old['spi-in']}, which was rekeyed", "spi": old["spi-in"], "since": since}


# --- Healthy: nothing may happen --------------------------------------------------------------------------------------

HEALTHY = dict(verdicts=("transient",), causes=(), actions=())


@fault("rekey-load", "healthy: rekeys from either end, under load", takes=4, sender="rekeys", receiver="rekeys", **HEALTHY)
def rekey_load(lab):
    since = time.time()
    for side in (lab.a, lab.b, lab.a, lab.b):
        side.rekey()
        time.sleep(0.7)
    return {"done": "four rekeys, two from each end", "spi": None, "since": since}


@fault("idle", "healthy: no traffic for a while", takes=4, sender="nothing", receiver="nothing", **HEALTHY)
def idle(lab):
    since, ran = time.time(), bool(lab.traffic.pids("A"))
    lab.traffic.stop()
    time.sleep(4)
    if ran:
        lab.traffic.start(append=True)
    return {"done": "four seconds without traffic", "spi": None, "since": since}


@fault("spimendd-restart", "healthy: spimendd is stopped and started again", takes=2, sender="nothing",
       receiver="nothing; spimendd reads its ledger again", **HEALTHY)
def spimendd_restart(lab):
    since = time.time()
    if not lab.spimendd.pid():
        raise LabError("spimendd does not run: lab/lab start-spimendd")
    lab.spimendd.restart()
    return {"done": "spimendd was stopped and runs again", "spi": None, "since": since}
