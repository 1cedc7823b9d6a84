# SPDX-License-Identifier: MIT
"""The world: devices, the tunnels between them, and time. No input or output but the devices' syslog."""
import heapq
import itertools
import random

from .clock import Clock
from .device import Device
from .ike import End, Link
from .sdwan import Fabric

STEP = 1.0  # the longest time that passes at once, seconds


class World:
    def __init__(self, spec):
        self.clock = Clock(spec.get("start"), spec.get("speed", 1.0))
        self.random = random.Random(spec.get("seed", 1))
        self.pairs, self.count, self.numbers = itertools.count(1), itertools.count(), itertools.count()
        self.queue, self.at = [], self.clock.now()
        self.devices = {}
        for options in spec["devices"]:
            options = dict(options)
            name = options.pop("name")
            self.devices[name] = Device(self, name, options)
        self.links = [self.link(one) for one in spec.get("tunnels", [])]
        self.fabric = Fabric(self, spec.get("sdwan", {}))
        for link in self.links:
            link.negotiate(link.a if link.a.may_initiate else link.b, link.b if link.a.may_initiate else link.a, self.at)
        for tunnel in self.fabric.tunnels:
            tunnel.last = self.at
            for end in (tunnel.a, tunnel.b):
                end.bfd, end.since = True, self.at - 6410
        if spec.get("quiet_start", True):  # what set the world up is nobody's news
            for device in self.devices.values():
                device.log.buffer.clear()

    def now(self):
        return self.at

    def next_pair(self):
        return next(self.pairs)

    def spi(self):
        return self.random.randrange(0x01000000, 0xFE000000)

    def link(self, spec):
        one, two = self.devices[spec["a"]], self.devices[spec["b"]]
        kinds = spec.get("kind", "svti")
        kinds = [kinds, kinds] if isinstance(kinds, str) else kinds
        pps = spec.get("pps", 10)
        pps = pps if isinstance(pps, (list, tuple)) else [pps, pps]
        addresses = [spec.get("a_address", one.address), spec.get("b_address", two.address)]
        if addresses[0] == addresses[1]:
            raise ValueError(f"tunnel {spec['a']}-{spec['b']}: both ends are {addresses[0]}")
        seen = [spec.get("a_public", addresses[0]), spec.get("b_public", addresses[1])]  # by the other end: NAT in between
        number, ends = next(self.numbers), []
        networks = [f"10.{number // 100 + 100}.{number % 100 * 2 + side}.0/255.255.255.0/0/0" for side in (0, 1)]
        for side, (device, peer) in enumerate(((one, two), (two, one))):
            options = dict(spec.get("common", {}), **spec.get("a_end" if side == 0 else "b_end", {}))
            options.setdefault("pps", pps[side])
            options.setdefault("networks", networks[::-1] if side else networks)
            options.setdefault("tunnel_address", self.tunnel_address(kinds[side], number, side))
            options.setdefault("dpd", spec.get("dpd"))
            options.setdefault("public", seen[side])
            options.setdefault("port", 500 if seen == addresses else 4500)
            ends.append(End(device, addresses[side], seen[1 - side], kinds[side], options))
        return Link(self, *ends, spec.get("ike", 2))

    @staticmethod
    def tunnel_address(kind, number, side):
        """In one cloud, whose hub is 172.16.0.1, or in a network of the tunnel's own."""
        if kind == "mgre-nhrp-dynamic":
            return "172.16.0.1"
        if kind == "mgre-nhrp-static":
            return f"172.16.{number // 250}.{number % 250 + 2}"
        return f"172.{17 + number // 250}.{number % 250}.{side + 1}"

    def later(self, seconds, call, *arguments):
        heapq.heappush(self.queue, (self.at + seconds, next(self.count), call, arguments))

    def run(self):
        """Lets the world catch up with its clock."""
        until = self.clock.now()
        while self.at < until:
            step = min(STEP, until - self.at)
            if self.queue:
                step = min(step, max(self.queue[0][0] - self.at, 0.0))
            self.at += step
            while self.queue and self.queue[0][0] <= self.at:
                _, _, call, arguments = heapq.heappop(self.queue)
                call(*arguments)
            if step:
                for link in self.links:
                    link.tick(step, self.at)
                self.fabric.tick(step, self.at)

    def skip(self, seconds):
        self.clock.skip(seconds)
        self.run()

    def links_of(self, device):
        """(link, end) for each IKE tunnel of a device."""
        return [(link, end) for link in self.links for end in (link.a, link.b) if end.device is device]
