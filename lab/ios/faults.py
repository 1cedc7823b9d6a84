# SPDX-License-Identifier: MIT
"""What a test breaks. Each is what the notes or faults.md describe, made at one place, and says what it did."""
from .ike import NEGOTIATION
from .sdwan import RUNGS, Advert


class Faults:
    def __init__(self, world):
        self.world = world

    def names(self):
        return sorted(name for name in dir(self) if name[0] != "_" and name not in ("names", "world"))

    def _link(self, sender, receiver):
        for link, end in self.world.links_of(self._device(sender)):
            if link.other(end).device.name == receiver:
                return link, end, link.other(end)
        raise ValueError(f"no IKE tunnel between {sender} and {receiver}")

    def _device(self, name):
        if name not in self.world.devices:
            raise ValueError(f"no device {name}")
        return self.world.devices[name]

    def _edge(self, name):
        edge = self._device(name).edge
        if edge is None:
            raise ValueError(f"{name} is not in the SD-WAN")
        return edge

    def desync(self, sender, receiver):
        """The ends rekeyed, but the sender's outbound half was never installed: it goes on with an SA that the receiver has
        deleted, and does not understand the receiver's DELETE (T2, C2, B9)."""
        link, s, r = self._link(sender, receiver)
        now, old = self.world.now(), s.current()
        if old is None:
            raise ValueError(f"{sender} has no SA to {receiver}")
        pair, new, back = self.world.next_pair(), self.world.spi(), self.world.spi()
        link.delete(r, r.inbound + r.outbound)
        link.delete(s, [sa for sa in s.inbound + s.outbound if sa is not old])
        link.install(r, pair, new, back, now)
        link.install(s, pair, back, 0, now)
        old.deaf = True
        return {"spi": old.spi, "receiver_has": new, "src": s.public, "dst": r.address}

    def lose_state(self, receiver, sender, silent=True):
        """The receiver forgets all it had with that peer, IKE SA included, and has nothing to send that would start it again
        (T4, T14): B10 cannot work, B11 can."""
        link, s, r = self._link(sender, receiver)
        old = s.current()
        link.delete(r, r.inbound + r.outbound)
        r.device.trace.clear()  # what it does not know any more, it has no memory of
        r.device.spis.clear()
        r.ike.clear()
        r.since = None
        if silent:
            r.pps = 0
        return {"spi": old.spi if old else None, "src": s.public, "dst": r.address}

    def reload(self, device, seconds=0.0, silent=False):
        """The device restarts: SAs, counters, memory and log are gone; after `seconds` it is there again (T4)."""
        d = self._device(device)
        d.up = False
        d.reset()
        d.log.buffer.clear()
        for session in list(d.sessions):
            session.end_of_input()
        for link, end in self.world.links_of(d):
            for lost in end.inbound, end.outbound, end.ike:
                lost.clear()
            end.encaps = end.decaps = end.no_sa = end.invalid_sa = 0
            end.since = end.trying = None
            if silent:
                end.pps = 0
        for end in d.edge.ends if d.edge else []:
            end.encaps = end.decaps = end.invalid_sa = 0
            end.cleared = 0
        self.world.later(seconds, self._boot, d)
        return {}

    def _boot(self, d):
        d.up, d.booted = True, self.world.now()
        d.log.say("%SYS-5-RESTART: System restarted --")
        d.log.say("%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON")
        if d.edge:
            self.world.fabric.rekey(d.edge)
            self.world.fabric.clear_control(d.edge)

    def rekey_transient(self, sender, receiver):
        """A rekey in which one packet still comes with the old SA (T1, B6): one line, and all is well."""
        link, s, r = self._link(sender, receiver)
        old = s.current()
        link.negotiate(s, r, self.world.now())
        link.delete(r, [sa for sa in r.inbound if sa.spi == old.spi])
        r.device.log.unknown_spi(s.public, r.address, old.spi, r.physical)
        r.device.drop("IN_US_V4_PKT_SA_NOT_FOUND_SPI", 1)
        r.invalid_sa += 1
        return {"spi": old.spi}

    def extra_child(self, sender, receiver):
        """The sender lists an older child that the receiver has not; nobody sends on it (T12)."""
        link, s, _ = self._link(sender, receiver)
        inbound, outbound = self.world.spi(), self.world.spi()
        link.install(s, 0, inbound, outbound, self.world.now())
        s.inbound[-1].deaf = s.outbound[-1].deaf = True
        return {"inbound": inbound, "outbound": outbound}

    def sdwan_replay(self, sender, receiver):
        """Looks like an unknown SPI and is none: what arrives is older than the receiver's window (C15). The sender's
        new keys mend it (reported, unconfirmed)."""
        s, r = self._edge(sender), self._edge(receiver)
        hit = [end for end in r.ends if end.peer.edge is s]
        for end in hit:
            end.replay = True
        return {"tunnels": len(hit)}

    def sdwan_desync(self, sender, receiver, color=None, late="sender"):
        """Scenario 1 (B16, T20): the sender encrypts towards the receiver's TLOC with an SPI that this accepts no more.
        late="sender": it was told the right one; "controller": it was not."""
        s, r = self._edge(sender), self._edge(receiver)
        hit = []
        for tloc in r.tlocs.values():
            if color in (None, tloc.color) and tloc.key in s.used:
                now_has = s.used[tloc.key]
                stale = Advert(tloc.accepts[0][0] - 1, "*****dead", now_has.port, now_has.version - 1)
                s.used[tloc.key] = stale
                if late == "controller":
                    s.told[tloc.key] = stale
                peers = [end.peer for end in r.ends if end.tloc is tloc and end.peer.edge is s]
                hit += [{"spi": stale.spi, "src": peer.public, "dst": tloc.address, "color": tloc.color} for peer in peers]
        if not hit:
            raise ValueError(f"no tunnel from {sender} to {receiver}")
        return {"tunnels": hit}

    def sdwan_cleared(self, device, peer, needs="port_hop"):
        """Scenario 2 (B17, T23): as if someone had typed `clear crypto sa peer`. `needs` is the first rung that mends it:
        port_hop, omp or control."""
        edge, other = self._edge(device), self._edge(peer)
        hit = [end for end in edge.ends if end.peer.edge is other]
        for end in hit:
            end.cleared, end.encaps, end.decaps = RUNGS[needs], 0, 0
        return {"tunnels": len(hit)}

    def key_lag(self, device, seconds):
        """From now on each new key of the device reaches its data plane so much later than the other edges use it (C15)."""
        self._edge(device).program_lag = seconds
        return {}

    def rekey_burst(self, hub, seconds=20.0):
        """A rekey at scale: all edges of the hub use its new keys `seconds` before it accepts them. Says how many."""
        edge = self._edge(hub)
        was, edge.program_lag = edge.program_lag, seconds
        self.world.fabric.rekey(edge)
        edge.program_lag = was
        return {"tunnels": len(edge.ends)}

    def traffic(self, device, pps, peer=None):
        """Packets a second that the device sends, over its IKE tunnels (to `peer`) and its SD-WAN tunnels."""
        d = self._device(device)
        for link, end in self.world.links_of(d):
            if peer in (None, link.other(end).device.name):
                end.pps = pps
        if d.edge and peer is None:
            d.edge.pps = pps
        return {}

    def power(self, device, up):
        """Takes the device's data plane off the network, without loss of state, or puts it back."""
        self._device(device).up = up
        return {}


SETTLE = NEGOTIATION + 0.2  # after which a negotiation is over
