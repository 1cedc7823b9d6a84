# SPDX-License-Identifier: MIT
"""Tunnels over IKE: what each end holds, what a packet does there, how the ends agree again.

An SA is at one end; the other end's half has the same SPI. An IKE SA is one object that both ends list while both have it:
one that a single end lists is a corpse, and carries no DELETE."""
import dataclasses

KINDS = {  # B12: may this end begin?
    "static-crypto-map": True, "dynamic-crypto-map": False, "gre-p2p": True, "mgre-nhrp-static": True,
    "mgre-nhrp-dynamic": False, "svti": True}
NEGOTIATION, OVERLAP = 0.3, 30.0  # seconds; the overlap of IOS is unconfirmed


@dataclasses.dataclass(eq=False)
class Sa:
    spi: int
    pair: int           # the negotiation that made it
    born: float
    conn: int
    lifetime: int = 3600
    packets: int = 0
    dies: float = None  # replaced by a rekey
    deaf: bool = False  # a DELETE for it is not understood (B9), or got lost


@dataclasses.dataclass(eq=False)
class IkeSa:
    version: int
    initiator: object   # the End that began
    spis: tuple         # initiator's, responder's
    born: float
    conns: dict
    lifetime: int = 86400
    lost: float = None  # when the other end forgot it


class End:
    """One end of a tunnel."""

    def __init__(self, device, address, peer, kind, options):
        if kind not in KINDS:
            raise ValueError(f"{kind}: no tunnel kind; there are {', '.join(KINDS)}")
        self.device, self.address, self.peer_address, self.kind = device, address, peer, kind
        self.public = options.get("public", address)  # what the other end sees
        self.number = options.get("number", len(device.ends))
        tunnel = kind in ("gre-p2p", "mgre-nhrp-static", "mgre-nhrp-dynamic", "svti")
        self.physical = options.get("physical", "GigabitEthernet1" if device.platform in ("ios-xe", "sdwan") else "Ethernet0/0")
        if device.platform == "asa":
            self.physical = "outside"
        name = "Tunnel0" if kind.startswith("mgre") else f"Tunnel{self.number + 1}"
        self.interface = options.get("interface", name if tunnel else self.physical)
        self.map = options.get("map", f"{self.interface}-head-0" if tunnel else "vpn-map")
        self.local = options.get("local", self.ident(kind, address, options["networks"][0]))
        self.remote = options.get("remote", self.ident(kind, peer, options["networks"][1]))
        self.tunnel_address = options["tunnel_address"]
        self.port = options.get("port", 500)
        self.pps = options.get("pps", 10)
        self.lifetime = options.get("lifetime", 3600)
        self.dpd = options.get("dpd")  # [interval, retries] or None
        self.vrf = options.get("vrf", "(none)")
        self.inbound, self.outbound, self.ike = [], [], []
        self.encaps = self.decaps = self.no_sa = self.invalid_sa = 0
        self.owed = 0.0          # parts of packets
        self.trying = None       # when a negotiation will be done
        self.since = None        # of its session
        self.probe = 0.0
        self.sent_total = 0
        device.ends.append(self)

    @staticmethod
    def ident(kind, address, network):
        if kind in ("static-crypto-map", "dynamic-crypto-map"):
            return network
        return "0.0.0.0/0.0.0.0/0/0" if kind == "svti" else f"{address}/255.255.255.255/47/0"

    @property
    def may_initiate(self):
        return KINDS[self.kind]

    def current(self):
        return max(self.outbound, key=lambda sa: sa.pair, default=None)

    def has_inbound(self, spi):
        return next((sa for sa in self.inbound if sa.spi == spi), None)


class Link:
    def __init__(self, world, a, b, version):
        self.world, self.a, self.b, self.version = world, a, b, version

    def other(self, end):
        return self.b if end is self.a else self.a

    def shared(self):
        return next((ike for ike in self.a.ike if ike in self.b.ike), None)

    # --- time

    def tick(self, dt, now):
        for end in (self.a, self.b):
            peer = self.other(end)
            if not end.device.up:
                continue
            self.age(end, peer, now)
            if end.trying and now >= end.trying:
                end.trying = None
                self.negotiate(end, peer, now)
            end.owed += end.pps * dt
            packets, end.owed = int(end.owed), end.owed % 1
            if packets:
                self.send(end, peer, packets, now)

    def age(self, end, peer, now):
        for sa in [sa for sa in end.inbound + end.outbound if sa.dies and now >= sa.dies or now - sa.born >= sa.lifetime]:
            self.delete(end, [sa])
        newest = end.current()
        if newest and not newest.dies and not newest.deaf and now - newest.born > newest.lifetime * 0.95 and end is self.a:
            self.initiate(end, now)
        dead = [ike for ike in end.ike if ike not in peer.ike or not peer.device.up]
        for ike in dead:
            ike.lost = ike.lost or now
            if not end.dpd:
                continue
            interval, retries = end.dpd
            if now - end.probe >= interval and peer.device.up:
                end.probe = now
                peer.device.log.say(f"%CRYPTO-4-IKMP_NO_SA: IKE message from {end.public} has no SA and is not an "
                                    "initialization offer")
            if now - ike.lost >= interval * (1 + retries):
                end.ike.remove(ike)
                self.delete(end, end.inbound + end.outbound)
                self.session(end, "DOWN")

    # --- packets

    def send(self, end, peer, packets, now):
        sa = end.current()
        if sa is None:
            end.no_sa += packets
            end.device.drop("OUT_V4_PKT_HIT_IKE_START_SP" if end.may_initiate else "OUT_IPV4_SA_NOT_FOUND", packets)
            self.initiate(end, now)
            return
        end.encaps += packets
        sa.packets += packets
        end.sent_total += packets
        if not peer.device.up:
            return
        half = peer.has_inbound(sa.spi)
        if half:
            peer.decaps += packets
            half.packets += packets
        else:
            self.stray(end, peer, sa, packets, now)

    def stray(self, sender, receiver, sa, packets, now):
        receiver.invalid_sa += packets
        receiver.device.drop("IN_US_V4_PKT_SA_NOT_FOUND_SPI", packets)
        receiver.device.log.unknown_spi(sender.public, receiver.address, sa.spi, receiver.physical, sequence=sa.packets)
        if sa.deaf:
            return
        if self.shared():  # B10
            if not receiver.device.deletes:
                return
            receiver.device.remember("IPSEC-SEND-KMI", "KMI Sent: IPSEC key engine->Crypto IKMP:KEY_ENG_DELETE_SAS, loc: "
                                     f"{receiver.address}, rem: {sender.public}")
            self.delete(sender, [one for one in sender.inbound + sender.outbound if one.pair == sa.pair])
        elif receiver.device.recovery and receiver.may_initiate and receiver.device.platform != "asa":  # B11, B12
            self.initiate(receiver, now)

    # --- agreement

    def initiate(self, end, now):
        if end.may_initiate and end.trying is None and self.other(end).device.up and end.device.up:
            end.trying = now + NEGOTIATION
            end.device.remember("IPSEC-SEND-KMI", "KMI Sent: IPSEC key engine->Crypto IKMP:KEY_ENG_REQUEST_SAS, loc: "
                                f"{end.address}, rem: {end.peer_address}, l_proxy: {end.local}, r_proxy: {end.remote}")

    def negotiate(self, end, peer, now):
        if not peer.device.up:
            return
        random = self.world.random
        ike = self.shared()
        if ike is None:
            # INITIAL_CONTACT: whoever is told forgets all it had with this peer.
            self.delete(peer, peer.inbound + peer.outbound)
            peer.ike.clear()
            end.ike.clear()
            ike = IkeSa(self.version, end, (random.getrandbits(64), random.getrandbits(64)), now,
                        {end: end.device.conn_id(), peer: peer.device.conn_id()})
            end.ike.append(ike)
            peer.ike.append(ike)
        for old in end.inbound + end.outbound + peer.inbound + peer.outbound:
            if not old.deaf and not old.dies:
                old.dies = now + OVERLAP
        pair = self.world.next_pair()
        mine, theirs = self.world.spi(), self.world.spi()
        self.install(end, pair, mine, theirs, now)
        self.install(peer, pair, theirs, mine, now)
        for one in (end, peer):
            self.session(one, "UP")

    def install(self, end, pair, inbound, outbound, now):
        d = end.device
        d.learn_spi(inbound)
        if inbound:
            end.inbound.append(Sa(inbound, pair, now, d.conn_id(), end.lifetime))
            self.note(end, "create", inbound, end.address, end.inbound[-1])
        if outbound:
            end.outbound.append(Sa(outbound, pair, now, d.conn_id(), end.lifetime))
            self.note(end, "create", outbound, end.peer_address, end.outbound[-1])

    def note(self, end, verb, spi, dest, sa):
        eq = "=" if verb == "create" else " ="
        end.device.remember(f"IPSEC-{verb.upper()}-SA", f"sa {verb} : (sa) sa_dest{eq} {dest}, sa_proto{eq} 50, sa_spi{eq} "
                            f"0x{spi:X}({spi}), sa_trans{eq} esp-256-aes esp-sha256-hmac , sa_conn_id{eq} {sa.conn}, "
                            f"sa_lifetime(k/sec){eq} (4608000/{sa.lifetime})")
        end.device.remember(f"IPSEC-{verb.upper()}-SA", f"sa {verb} : (sa),  loc: {end.address}, rem: {end.peer_address}, "
                            f"l_proxy: {end.local}, r_proxy: {end.remote}")

    def delete(self, end, sas):
        for sa in sas:
            for where, dest in ((end.inbound, end.address), (end.outbound, end.peer_address)):
                if sa in where:
                    where.remove(sa)
                    self.note(end, "delete", sa.spi, dest, sa)

    def session(self, end, state):
        d = end.device
        now = self.world.now()
        if state == "UP" and end.since is None:
            end.since = now
        elif state == "DOWN" and end.since is not None:
            end.since = None
        else:
            return
        if d.session_log and d.platform != "asa":
            name, what = ("SESSION_STATUS", f"is {state} .") if self.version == 1 else ("IKEV2_SESSION_STATUS", f"v2 is {state}.")
            d.log.say(f"%CRYPTO-5-{name}: Crypto tunnel {what} Peer {end.peer_address}:{end.port} Id: {end.peer_address}")

    # --- what people type

    def clear_sas(self, end, sas):
        """Deletes them, and tells the other end over the IKE SA if there is one: its halves, and what came with them."""
        peer = self.other(end)
        told = {sa.spi for sa in sas if sa in end.inbound}
        self.delete(end, sas)
        end.encaps = end.decaps = 0  # as B17's listing shows them after a clear
        if self.shared() and peer.device.up:
            pairs = {sa.pair for sa in peer.outbound if sa.spi in told and not sa.deaf}
            self.delete(peer, [sa for sa in peer.inbound + peer.outbound if sa.pair in pairs])

    def clear_ike(self, end, ike, children):
        peer = self.other(end)
        if children:
            self.clear_sas(end, end.inbound + end.outbound)
            if ike in peer.ike:
                self.delete(peer, peer.inbound + peer.outbound)
        for one in (end, peer) if ike in peer.ike else (end,):
            if ike in one.ike:
                one.ike.remove(ike)
            if children:
                self.session(one, "DOWN")
