#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fleet's mind against lab/ios: from a router's hint to the repair that is proved, by what the simulated routers print
and by the readers of the parse room. No network and no ssh: commands go into the routers' sessions in this process, and time
is simulated. What passes here has been checked against a simulation of routers (lab/ios/README.md).

    run.py [--only WORD]"""
import asyncio
import json
import os
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "lab")]
from ios.faults import Faults  # noqa: E402
from ios.session import Session  # noqa: E402
from ios.world import World  # noqa: E402
from suite import ROOT, Suite, build_check  # noqa: E402

BUILD = os.environ.get("SPIMEND_FLEET_BUILD")
TICK = 0.5
OURS = {"sdwan": "sd-wan"}  # a platform as spimend.conf names it


class Unheard:
    """A transcript that nobody keeps."""
    def command(self, *_):
        pass

    note = sent = received = command


class Fleet:
    """A world of routers and the mind that looks after them."""
    def __init__(self, devices, more=None, **spec):
        self.world = World(dict(spec, speed=0, seed=5, devices=[
            {"name": name, "platform": platform, "address": address, **(more or {})} for name, platform, address in devices]))
        self.faults = Faults(self.world)
        self.typed, self.orders, self.notices = [], [], []
        words = [word for name, platform, address in sorted(devices)
                 for word in (name, OURS.get(platform, platform), address)]
        self.mind = subprocess.Popen([os.path.join(BUILD, "tests/fleet/mind"), *words],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.world.skip(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _, complaints = self.mind.communicate()
        if self.mind.returncode and not sys.exc_info()[0]:
            raise RuntimeError(f"mind ended with {self.mind.returncode}: {complaints.decode()[-3000:]}")

    def tell(self, line, body=b""):
        """What it answers that is no order and no notice."""
        self.mind.stdin.write(line.encode() + b"\n" + body)
        self.mind.stdin.flush()
        said = []
        while True:
            line = self.mind.stdout.readline().decode().rstrip("\n")
            if line == ".":
                return said
            if not line:
                raise RuntimeError("mind ended")
            kind, text = line[0], line[2:]
            if kind == "O":
                self.orders.append(text.split(" ", 2))
            elif kind == "N":
                self.notices.append(text)
            else:
                said.append(text)

    def print_of(self, device, command):
        """What the router prints for it."""
        parts = []

        async def drain():
            pass

        async def once():
            session = Session(self.world.devices[device], "netops", parts.append, drain, lambda: None, Unheard(),
                              tty=False, size=(512, 0))
            session.privilege = 15
            await session.run(command)

        asyncio.run(once())
        return b"".join(parts).replace(b"\r\n", b"\n")

    def run(self, seconds):
        for _ in range(int(seconds / TICK)):
            self.tell(f"T {int(TICK * 1000)}")
            self.world.skip(TICK)
            while self.orders:
                request, device, command = self.orders.pop(0)
                printed = self.print_of(device, command)
                if not command.startswith("show "):
                    self.typed.append((device, command))
                self.world.skip(0.1)
                refused = b"Invalid input" in printed or b"Incomplete" in printed
                self.tell(f"A {request} {int(refused)} {len(printed)}", printed)

    def sight(self, device, src, dst, spi):
        return self.tell(f"S {device} {src} {dst} {spi}")[0]

    def incident(self):
        return json.loads(self.tell("I")[0])

    def until(self, *states, seconds=900):
        """The incident, in one of these states or when it is too late."""
        for _ in range(0, seconds, 15):
            self.run(15)
            if self.incident()["state"] in states:
                break
        return self.incident()

    def agree(self):
        incident = self.incident()
        return self.tell(f"Y {incident['id']} {len(incident['steps'])}")[0]


def same(what, found, expected):
    return [] if found == expected else [f"{what}: {found!r}, expected {expected!r}"]


# --- IKE


def pair(platform, hub="ios-xe", more=None):
    return Fleet([("hub", hub, "192.0.2.1"), ("spoke", platform, "198.51.100.2")], more,
                 tunnels=[{"a": "spoke", "b": "hub", "kind": "svti", "pps": 10}])


def desync_of(platform, typed):
    def test():
        with pair(platform) as f:
            lost = f.faults.desync(sender="spoke", receiver="hub")
            problems = same("the hint", f.sight("hub", lost["src"], lost["dst"], lost["spi"]), "taken")
            incident = f.until("healed", "gave-up", "unverified")
            return problems + same("state", incident["state"], "healed") + same("rule", incident["rule"], "sa-table") \
                + same("SPI", incident["spi"], hex(lost["spi"])) + same("typed", f.typed, [("spoke", line) for line in typed(lost)]) \
                + same("helped", incident["steps"][-1]["helped"], True)
    return test


def entry(lost, words="clear crypto sa"):
    return f"{words} entry {lost['dst']} esp 0x{lost['spi']:X}"


def told(incident, *words):
    """Each of these stands in a line of evidence."""
    lines = [one["text"] for one in incident["evidence"]]
    return [f"no evidence with {word!r}: {lines}" for word in words if not any(word in line for line in lines)]


TRACE, LOOKUP, DROPS = "show monitor event-trace crypto ipsec: ", "show crypto ipsec spi-lookup: ", "drop counters: "


def memory_of(hub, *words, never=(), more=None):
    """What the receiver remembers of the SPI stands beside the proof, and sharpens the cause."""
    def test():
        with pair("ios", hub, more) as f:
            lost = f.faults.desync(sender="spoke", receiver="hub")
            f.world.skip(5)
            f.sight("hub", lost["src"], lost["dst"], lost["spi"])
            incident = f.until("healed", "gave-up", "unverified")
            spi = f"0x{lost['spi']:08x}"
            problems = same("state", incident["state"], "healed") + told(incident, *[word.replace("SPI", spi) for word in words])
            problems += same("cause", incident["cause"], "delete-lost" if f"{TRACE}SPI was an inbound SA, and was deleted" in words
                             or f"{LOOKUP}SPI is one that it knows" in words else "unknown")
            return problems + [f"evidence with {word!r}" for word in never if not told(incident, word)]
    return test


def behind_nat(count, idents=False, public="203.0.113.77"):
    """Spokes that the hub sees under one address: all behind the same NAT. They are logged in to elsewhere."""
    spokes = [f"spoke{n}" for n in range(count)]
    kinds = ["static-crypto-map", "dynamic-crypto-map"] if idents else "svti"
    f = Fleet([("hub", "ios-xe", "192.0.2.1"), *((name, "ios-xe", f"10.255.0.{n + 1}") for n, name in enumerate(spokes))],
              tunnels=[{"a": name, "b": "hub", "kind": kinds, "pps": 10, "a_address": "192.168.1.2", "a_public": public}
                       for name in spokes])
    for n, name in enumerate(spokes):
        f.tell(f"D {name} 10.100.{2 * n}.1")  # an inside interface of its: what its crypto map protects
    return f


def a_sender_behind_nat(count, idents):
    def test():
        with behind_nat(count, idents) as f:
            lost = f.faults.desync(sender="spoke1", receiver="hub")
            problems = same("the hint", f.sight("hub", lost["src"], lost["dst"], lost["spi"]), "taken")
            incident = f.until("healed", "gave-up", "unverified")
            return problems + same("src", incident["src"], "203.0.113.77") + same("state", incident["state"], "healed") \
                + same("who it is", incident["sender_device"], "spoke1") + same("flags", incident["flags"], ["nat-t"]) \
                + same("typed", f.typed, [("spoke1", entry(lost))])
    return test


def too_many_behind_nat():
    with behind_nat(6) as f:
        lost = f.faults.desync(sender="spoke1", receiver="hub")
        f.sight("hub", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("healed", "gave-up", "unverified")
        wanted = f"show crypto ipsec sa peer 192.0.2.1` proves it where the outbound SPI is 0x{lost['spi']:08x}"
        return same("state", incident["state"], "gave-up") + same("verdict", incident["verdict"], "undecided") + same("typed", f.typed, []) \
            + ([] if wanted in incident["waits_for"] else [incident["waits_for"]])


def a_hint_about_a_healthy_one_behind_nat():
    with behind_nat(3) as f:
        _, end = next(iter(f.world.links_of(f.world.devices["spoke2"])))
        f.sight("hub", "203.0.113.77", "192.0.2.1", end.current().spi)
        incident = f.until("closed", "gave-up", "unverified")
        return same("state", incident["state"], "closed") + same("verdict", incident["verdict"], "transient") + same("typed", f.typed, [])


def receiver_lost_state():
    with pair("ios-xe") as f:
        lost = f.faults.lose_state(receiver="hub", sender="spoke")
        f.sight("hub", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("healed", "gave-up", "unverified")
        return same("state", incident["state"], "healed") + same("cause", incident["cause"], "receiver-lost-state") \
            + same("typed", f.typed, [("spoke", entry(lost))])


def healthy_is_not_touched():
    with pair("ios-xe") as f:
        problems = []
        for spi in (0x1db73bbb, 0xb761863e, 256):
            f.sight("hub", "198.51.100.2", "192.0.2.1", spi)
            f.run(90)
            problems += same("verdict", f.incident()["verdict"], "transient")
        return problems + same("typed", f.typed, [])


def a_rekey_is_a_transient():
    with pair("ios-xe") as f:
        spi = f.faults.rekey_transient(sender="spoke", receiver="hub")["spi"]
        f.sight("hub", "198.51.100.2", "192.0.2.1", spi)
        incident = f.until("closed", "gave-up")
        return same("verdict", incident["verdict"], "transient") + same("typed", f.typed, [])


# --- SD-WAN


def wan():
    devices = [(f"rt{n}", "sdwan", f"10.10.{n}0.{n}") for n in (1, 2, 3)] + [("third", "ios", "203.0.113.9")]
    edges = [{"device": f"rt{n}", "system_ip": f"172.16.255.{n}", "site": n,
              "tlocs": [{"color": "mpls", "address": f"10.10.{n}0.{n}"}]} for n in (1, 2, 3)]
    return Fleet(devices, sdwan={"edges": edges}, tunnels=[{"a": "rt1", "b": "third", "kind": "svti", "pps": 10}])


def scenario_one():
    with wan() as f:
        lost = f.faults.sdwan_desync(sender="rt2", receiver="rt1")["tunnels"][0]
        f.world.skip(30)
        f.sight("rt1", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("awaiting-approval", "gave-up")
        problems = same("state", incident["state"], "awaiting-approval") + same("typed", f.typed, [])
        problems += same("BFD sessions counted", incident["steps"][0]["blast_radius"]["bfd_up"], 1)
        problems += same("the word", f.agree(), "agreed")
        incident = f.until("healed", "gave-up", "unverified")
        return problems + same("state", incident["state"], "healed") + same("cause", incident["cause"], "controller-key-lag") \
            + same("typed", f.typed, [("rt1", "request platform software sdwan security ipsec-rekey")]) \
            + same("who", incident["steps"][0]["who"], "alice")


def scenario_two_of(needs, typed):
    def test():
        with wan() as f:
            f.faults.sdwan_cleared(device="rt1", peer="rt2", needs=needs)
            f.world.skip(30)
            f.sight("rt1", "10.10.20.2", "10.10.10.1", 259)
            problems = []
            for _ in typed:
                incident = f.until("awaiting-approval", "gave-up")
                problems += same("state", incident["state"], "awaiting-approval") + same("rule", incident["rule"], "sdwan-sa-cleared")
                problems += same("the word", f.agree(), "agreed")
                f.run(15)
            incident = f.until("healed", "gave-up", "unverified")
            return problems + same("state", incident["state"], "healed") + same("typed", f.typed, [("rt1", line) for line in typed])
    return test


def omp_is_looked_at():
    with wan() as f:
        lost = f.faults.sdwan_desync(sender="rt2", receiver="rt1")["tunnels"][0]
        f.world.skip(30)
        f.sight("rt1", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("awaiting-approval", "gave-up")
        return told(incident, "show sdwan omp peers: 2 of 2 are up", DROPS) \
            + same("asked at both ends", len([one for one in incident["evidence"] if "omp peers" in one["text"]]), 2)


def one_site_at_a_time(sites, typed):
    """Two desyncs at two receivers, and a word on both: at once where the routers told different sites."""
    def test():
        devices = [(f"rt{n}", "sdwan", f"10.10.{n}0.{n}") for n in (1, 2, 3, 4)]
        edges = [{"device": f"rt{n}", "system_ip": f"172.16.255.{n}", "site": sites[n - 1],
                  "tlocs": [{"color": "mpls", "address": f"10.10.{n}0.{n}"}]} for n in (1, 2, 3, 4)]
        with Fleet(devices, sdwan={"edges": edges}) as f:
            ids, problems = [], []
            for sender, receiver in (("rt2", "rt1"), ("rt4", "rt3")):
                lost = [one for one in f.faults.sdwan_desync(sender=sender, receiver=receiver)["tunnels"]][0]
                f.world.skip(30)
                f.sight(receiver, lost["src"], lost["dst"], lost["spi"])
                problems += same("state", f.until("awaiting-approval", "gave-up")["state"], "awaiting-approval")
                ids.append(f.incident()["id"])
            problems += [word for one in ids for word in same("the word", f.tell(f"Y {one} 1")[0], "agreed")]
            for _ in range(40):
                if len(f.typed) == typed:
                    break
                f.run(0.5)
            f.run(2)
            return problems + same("typed at once", len(f.typed), typed)
    return test


def unattended():
    """The new keys are made without a person, and the port hop that would come next asks for one."""
    with wan() as f:
        f.tell("U ipsec-rekey")
        lost = f.faults.sdwan_desync(sender="rt2", receiver="rt1")["tunnels"][0]
        f.world.skip(30)
        f.sight("rt1", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("healed", "gave-up", "unverified", "awaiting-approval")
        problems = same("state", incident["state"], "healed") \
            + same("typed", f.typed, [("rt1", "request platform software sdwan security ipsec-rekey")]) \
            + same("asked", incident["steps"][0]["needs_approval"], False) + same("who", incident["steps"][0]["who"], None) \
            + same("BFD sessions counted", incident["steps"][0]["blast_radius"]["bfd_up"], 1)
    with wan() as f:
        f.tell("U ipsec-rekey")
        f.faults.sdwan_cleared(device="rt1", peer="rt2", needs="port_hop")
        f.world.skip(30)
        f.sight("rt1", "10.10.20.2", "10.10.10.1", 259)
        return problems + same("state where the SA was cleared", f.until("awaiting-approval", "gave-up")["state"], "awaiting-approval") \
            + same("typed there", f.typed, [])


def third_party_on_an_sdwan_router():
    """B16."""
    with wan() as f:
        lost = f.faults.desync(sender="rt1", receiver="third")
        f.sight("third", lost["src"], lost["dst"], lost["spi"])
        incident = f.until("healed", "gave-up", "unverified")
        return same("state", incident["state"], "healed") + same("typed", f.typed, [("rt1", entry(lost))])


def a_clear_is_refused_where_controllers_make_the_keys():
    with wan() as f:
        problems = [] if f.tell("C rt1 10.10.20.2")[0].startswith("no: whether IKE") else ["allowed before it was looked at"]
        f.sight("rt1", "10.10.20.2", "10.10.10.1", 259)
        f.sight("third", "10.10.10.1", "203.0.113.9", 259)
        f.run(60)
        no = f.tell("C rt1 10.10.20.2")[0]
        problems += [] if no.startswith("no: ") and "B17" in no else [f"of an SD-WAN tunnel: {no}"]
        return problems + same("of the third party's", f.tell("C rt1 203.0.113.9")[0], "yes") + same("typed", f.typed, [])


def a_rekey_at_scale_is_one_incident():
    """C15: the edges use a hub's new keys before it accepts them."""
    edges = [(f"edge{n:02}", "sdwan", f"10.99.1.{n + 1}") for n in range(EDGES)]
    tlocs = [{"device": name, "system_ip": f"172.16.253.{n + 1}", "site": 1000 + n, "tlocs": [{"color": "gold", "address": address}]}
             for n, (name, _, address) in enumerate([*edges, ("hub", "sdwan", "10.99.0.1")])]
    with Fleet([*edges, ("hub", "sdwan", "10.99.0.1")], sdwan={"edges": tlocs, "hubs": ["hub"]}) as f:
        f.faults.rekey_burst(hub="hub", seconds=20)
        f.run(1)
        for second in range(10):
            for _, _, address in edges:
                f.sight("hub", address, "10.99.0.1", 300 + second)
            f.run(1)
        problems = same("looked before the burst could end", f.incident()["looks"], 0)
        incident = f.until("closed", "gave-up", "healed", "awaiting-approval")
        return problems + same("state", incident["state"], "closed") + same("verdict", incident["verdict"], "transient") \
            + same("burst", incident["is_burst"], True) + same("incidents", f.tell("I")[1:], []) + same("typed", f.typed, []) \
            + ([] if incident["looks"] <= 5 else [f"{incident['looks']} looks for one burst"])


EDGES = 30
PORT_HOP = "request platform software sdwan port_hop color mpls"
TESTS = [
    ("a desync of IOS is cleared at the sender and proved", desync_of("ios", lambda lost: [entry(lost)])),
    ("the same of IOS XE", desync_of("ios-xe", lambda lost: [entry(lost)])),
    ("an ASA that refuses the narrowest step gets the next", desync_of(
        "asa", lambda lost: [entry(lost, "clear crypto ipsec sa"), f"clear crypto ipsec sa peer {lost['dst']}"])),
    ("a receiver that lost its state", receiver_lost_state),
    ("a sender behind NAT is found by its own table", a_sender_behind_nat(3, False)),
    ("one of many behind NAT, by what is protected towards it", a_sender_behind_nat(6, True)),
    ("one of many behind NAT, and nothing tells which", too_many_behind_nat),
    ("a forged hint about a healthy tunnel behind NAT", a_hint_about_a_healthy_one_behind_nat),
    ("what an IOS XE remembers and counted", memory_of(
        "ios-xe", f"{TRACE}SPI was an inbound SA, and was deleted", f"{LOOKUP}SPI is one that it knows", f"{DROPS}",
        "more packets because there is no such SA")),
    ("what an IOS remembers: it has no such counters", memory_of(
        "ios", f"{TRACE}SPI was an inbound SA, and was deleted", never=(DROPS,))),
    ("a trace that is off proves nothing", memory_of(
        "ios-xe", f"{TRACE}SPI is not in it", f"{LOOKUP}SPI is one that it knows", more={"trace": False})),
    ("an ASA has counters alone", memory_of("asa", DROPS, never=(TRACE, LOOKUP))),
    ("hints about a healthy tunnel type nothing", healthy_is_not_touched),
    ("a rekey is a transient", a_rekey_is_a_transient),
    ("SD-WAN scenario 1: new keys at the receiver, with a word", scenario_one),
    ("SD-WAN: a step that the configuration lets go unattended", unattended),
    ("SD-WAN: OMP is looked at, at both ends", omp_is_looked_at),
    ("SD-WAN: one site, one change", one_site_at_a_time([7, 2, 7, 4], 1)),
    ("SD-WAN: two sites, two changes", one_site_at_a_time([1, 2, 3, 4], 2)),
    ("SD-WAN scenario 2: the port hop helps", scenario_two_of("port_hop", [PORT_HOP])),
    ("SD-WAN scenario 2: OMP is needed", scenario_two_of("omp", [PORT_HOP, "clear sdwan omp all"])),
    ("SD-WAN scenario 2: control connections are needed", scenario_two_of(
        "control", [PORT_HOP, "clear sdwan omp all", "clear sdwan control connections"])),
    ("a third party's IKE tunnel on an SD-WAN router", third_party_on_an_sdwan_router),
    ("a rekey at scale is one incident of which a sample is looked at", a_rekey_at_scale_is_one_incident),
    ("clears are refused on SD-WAN tunnels", a_clear_is_refused_where_controllers_make_the_keys),
]


def main():
    global BUILD  # noqa: PLW0603
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    suite = Suite("fleet")
    if not BUILD:
        build_check("tests/fleet/mind")
        BUILD = os.path.join(ROOT, "build-check")
    for name, test in TESTS:
        if only in name:
            try:
                problems = test()
            except Exception:  # noqa: BLE001  a test that dies has failed
                problems = traceback.format_exc().splitlines()
            suite.judge(name, problems)
    return suite.close()


if __name__ == "__main__":
    sys.exit(main())
