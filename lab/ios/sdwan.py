# SPDX-License-Identifier: MIT
"""SD-WAN: no IKE. Each TLOC makes the key and SPI that others use towards it, OMP carries them, BFD tells (B15-B17).

`told` is what the controllers told an edge, `used` what its data plane encrypts with. An edge accepts the last two SPIs of
its TLOC. A tunnel whose SAs someone cleared stays cleared until something makes the tunnel anew."""
import dataclasses

OMP_DELAY, CONTROL_DELAY, BFD_DELAY = 0.3, 1.0, 1.0  # seconds: a key's way, a connection's and a session's coming up
RUNGS = {"port_hop": 1, "omp": 2, "control": 3}
PORTS = (12346, 12366, 12386, 12406, 12426)


@dataclasses.dataclass(frozen=True)
class Advert:
    spi: int
    key: str
    port: int
    version: int


class Tloc:
    def __init__(self, edge, number, options):
        self.edge, self.color, self.address = edge, options["color"], options["address"]
        self.public = options.get("public", self.address)
        self.physical = options.get("physical", f"GigabitEthernet{number}")
        self.interface = options.get("interface", f"Tunnel{10000 + number}")
        self.map = f"{self.interface}-vesen-head-0"
        self.offset, self.hops, self.hopped = options.get("offset", 0), 0, None
        self.version = 1
        world = edge.device.world
        self.accepts = []  # (SPI, key hash), the newest last
        self.next_spi = 256 + world.random.randrange(2, 60)
        for _ in range(2):
            self.new_key()
            self.accept()

    @property
    def port(self):
        return PORTS[self.hops % len(PORTS)] + self.offset

    @property
    def key(self):
        return (self.edge.system_ip, self.color)

    def new_key(self):
        """What it offers from now on; what it accepts is another matter until accept()."""
        self.next_spi += 1
        self.offer = (self.next_spi, f"*****{self.edge.device.world.random.getrandbits(16):04x}")

    def accept(self):
        self.accepts = self.accepts[-1:] + [self.offer]

    def advert(self):
        return Advert(*self.offer, self.port, self.version)


@dataclasses.dataclass
class Control:
    kind: str
    system_ip: str
    site: int
    address: str
    public: str
    color: str
    up_at: float


class Edge:
    def __init__(self, device, options):
        self.device, self.system_ip, self.site = device, options["system_ip"], options.get("site", 100)
        device.edge = self
        self.told, self.used, self.ends = {}, {}, []
        self.multiplier, self.hello = options.get("multiplier", 7), options.get("hello", 1000)
        self.pps = options.get("pps", 10)
        self.program_lag = options.get("program_lag", 0.0)  # its own new key, to its data plane (C15)
        self.receive_lag = options.get("receive_lag", 0.0)  # others' new keys
        self.tlocs = {}
        for number, tloc in enumerate(options["tlocs"], 1):
            self.tlocs[tloc["color"]] = Tloc(self, number, tloc)
        self.controls, self.omp_up = [], {}
        self.flaps = 0

    def control(self, now, kinds=("vsmart", "vmanage")):
        return [one for one in self.controls if one.kind in kinds and now >= one.up_at]


class SdEnd:
    def __init__(self, tunnel, tloc, peer):
        self.tunnel, self.tloc, self.peer, self.edge = tunnel, tloc, peer, tloc.edge
        self.encaps = self.decaps = self.invalid_sa = 0
        self.tx = self.rx = 0    # packets since the beginning, whatever is cleared
        self.owed = 0.0
        self.replay = False      # all that arrives is too old
        self.cleared = 0         # by hand: the rung of RUNGS that mends it
        self.bfd, self.since, self.transitions = False, None, 0
        self.edge.ends.append(self)


class Tunnel:
    """Between two TLOCs."""

    def __init__(self, world, one, two):
        self.world, self.ready, self.good = world, 0.0, 0.0
        self.a, self.b = SdEnd(self, one, two), SdEnd(self, two, one)

    def other(self, end):
        return self.b if end is self.a else self.a

    def tick(self, dt, now):
        arrived = True
        for end in (self.a, self.b):
            arrived = self.send(end, self.other(end), dt, now) and arrived
        if arrived:
            self.good = self.good or now
            if now >= self.ready and now - self.good >= BFD_DELAY:
                self.bfd(True, now)
            self.last = now
        else:
            self.good = 0.0
            if now - getattr(self, "last", 0) > self.a.edge.multiplier * self.a.edge.hello / 1000:
                self.bfd(False, now)

    def send(self, s, r, dt, now):
        """Whether what s sends is accepted at r."""
        use = s.edge.used.get(r.tloc.key)
        if s.cleared or not use or not s.edge.device.up:
            return False
        s.owed += dt * (1000 / s.edge.hello + (s.edge.pps if s.bfd else 0))
        packets, s.owed = int(s.owed), s.owed % 1
        s.encaps += packets
        s.tx += packets
        if not r.edge.device.up or use.port != r.tloc.port:
            return False
        if r.replay:
            r.edge.device.drop("IN_CD_SW_IPSEC_ANTI_REPLAY_FAIL", packets)
            if packets:
                r.edge.device.log.replayed(s.tloc.public, r.tloc.address, use.spi)
            return False
        if not r.cleared and any(use.spi == spi for spi, _ in r.tloc.accepts):
            r.decaps += packets
            r.rx += packets
            return True
        if packets:
            r.invalid_sa += packets
            r.edge.device.drop("IN_US_V4_PKT_SA_NOT_FOUND_SPI", packets)
            r.edge.device.log.unknown_spi(s.tloc.public, r.tloc.address, use.spi, r.tloc.interface)
        return False

    def bfd(self, up, now, why="timeout"):
        if self.a.bfd == up:
            return
        for end in (self.a, self.b):
            end.bfd, end.since = up, now if up else None
            end.transitions += 1
            end.edge.flaps += not up
            peer = self.other(end)
            end.edge.device.log.say(
                f"%Cisco-SDWAN-{end.edge.device.hostname}-FTMD-6-INFO-1400002: bfd-state-change: system-ip:{peer.edge.system_ip} "
                f"src-ip:{end.tloc.address} dst-ip:{peer.tloc.public} local-color:{end.tloc.color} remote-color:{peer.tloc.color} "
                f"new-state:{'up' if up else 'down'} flap-reason:{'na' if up else why}")

    def remake(self, now, rung):
        """The tunnel is torn down and made anew: what a rung above ipsec-rekey does to it."""
        self.bfd(False, now, "na")
        self.ready, self.good = now + CONTROL_DELAY, 0.0
        for end in (self.a, self.b):
            end.encaps = end.decaps = 0
            end.replay = False
            if RUNGS[rung] >= end.cleared:
                end.cleared = 0


class Fabric:
    def __init__(self, world, spec):
        self.world, self.edges, self.tunnels = world, [], []
        self.organization = spec.get("organization", "example-wan")
        self.pairwise = spec.get("pairwise", False)
        self.rekey_seconds = spec.get("rekey", 86400)
        self.controllers = spec.get("controllers", [
            {"kind": "vsmart", "system_ip": "172.31.0.1", "site": 900, "address": "198.51.100.11"},
            {"kind": "vsmart", "system_ip": "172.31.0.2", "site": 901, "address": "198.51.100.12"},
            {"kind": "vmanage", "system_ip": "172.31.0.9", "site": 902, "address": "198.51.100.19"}])
        hubs = spec.get("hubs")  # None: full mesh of equal colours
        now = world.now()
        for options in spec.get("edges", []):
            edge = Edge(world.devices[options["device"]], options)
            self.edges.append(edge)
            for tloc in edge.tlocs.values():
                for one in self.controllers:
                    if one["kind"] != "vmanage" or tloc is next(iter(edge.tlocs.values())):
                        edge.controls.append(Control(one["kind"], one["system_ip"], one["site"], one["address"],
                                                     one.get("public", one["address"]), tloc.color, now - 90000))
            edge.omp_up = {one["system_ip"]: now - 90000 for one in self.controllers if one["kind"] == "vsmart"}
        for number, edge in enumerate(self.edges):
            for other in self.edges[:number]:
                if hubs is None or edge.device.name in hubs or other.device.name in hubs:
                    self.connect(other, edge)
        for edge in self.edges:
            self.publish(edge, at_once=True)

    def connect(self, one, two):
        for tloc in one.tlocs.values():
            peer = two.tlocs.get(tloc.color)
            if peer:
                self.tunnels.append(Tunnel(self.world, tloc, peer))

    def tick(self, dt, now):
        for tunnel in self.tunnels:
            tunnel.tick(dt, now)

    def publish(self, edge, colors=None, at_once=False):
        """Over OMP: its TLOCs' SPIs and ports, to every edge that has a tunnel with it."""
        for color, tloc in edge.tlocs.items():
            if colors is None or color in colors:
                tloc.version += 1
                advert = tloc.advert()
                for end in edge.ends:
                    if end.tloc is tloc:
                        other = end.peer.edge
                        if at_once:
                            other.told[tloc.key] = other.used[tloc.key] = advert
                            continue
                        self.world.later(OMP_DELAY, other.told.__setitem__, tloc.key, advert)
                        self.world.later(OMP_DELAY + other.receive_lag, other.used.__setitem__, tloc.key, advert)

    # --- what people type

    def rekey(self, edge):
        """New keys for all TLOCs of the device (B16). Does not make a cleared tunnel anew (B17)."""
        for end in edge.ends:
            end.tunnel.other(end).replay = False
        for tloc in edge.tlocs.values():
            tloc.new_key()
            if edge.program_lag:
                self.world.later(edge.program_lag + OMP_DELAY, tloc.accept)
            else:
                tloc.accept()
        self.publish(edge)

    def port_hop(self, edge, color):
        now = self.world.now()
        tloc = edge.tlocs[color]
        tloc.hops += 1
        tloc.hopped = now
        for end in edge.ends:
            if end.tloc is tloc:
                end.tunnel.remake(now, "port_hop")
        for one in edge.controls:
            if one.color == color:
                one.up_at = now + CONTROL_DELAY
        self.publish(edge, {color})

    def clear_omp(self, edge, rung="omp"):
        now = self.world.now()
        for end in edge.ends:
            end.tunnel.remake(now, rung)
        edge.omp_up = dict.fromkeys(edge.omp_up, now + CONTROL_DELAY)
        edge.told.clear()
        edge.used.clear()
        self.world.later(CONTROL_DELAY, self.relearn, edge)

    def relearn(self, edge):
        self.publish(edge)
        for other in self.edges:
            for tloc in other.tlocs.values():
                edge_has = any(end.peer is tloc for end in edge.ends)
                if edge_has:
                    edge.told[tloc.key] = edge.used[tloc.key] = tloc.advert()

    def clear_control(self, edge):
        now = self.world.now()
        for one in edge.controls:
            one.up_at = now + CONTROL_DELAY
        self.clear_omp(edge, "control")

    def clear_sa(self, edge, peer):
        """`clear crypto sa peer` on a tunnel that no IKE makes again (B17). How many it hit."""
        hit = [end for end in edge.ends if end.peer.public == peer or end.peer.address == peer]
        for end in hit:
            end.cleared = max(end.cleared, RUNGS["port_hop"])
            end.encaps = end.decaps = 0
        return len(hit)
