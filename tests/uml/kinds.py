# SPDX-License-Identifier: MIT
"""Tunnel kinds (B12) between two real charons: each a topology that a Pair brings up, whose end B is the one that loses
state, with what the notes answer for that kind ("may the receiver start IKE towards the sender?"), and the faults. Nothing
here is about the guest: whoever has namespaces, a kernel with ESP and GRE, and a Pair can run them.

FRR's nhrpd runs without its own tunnel protection, which needs a patched strongSwan: swanctl protects GRE, in transport
mode."""
import dataclasses
import os
import shutil
import subprocess

import cases
from pair import BASE, LAN, OUTER, VTI_KEY, Pair, Side, demand, read, run, write

TUNNEL = {"A": "10.9.0.1", "B": "10.9.0.2"}  # addresses of the GRE devices
KEY = 42
POOL = "10.3.0.0/24"
FRR = "/usr/lib/frr"

SWANCTL_CONF = """\
connections {{ tunnel {{
  version = 2
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = aes128-sha256-ecp256
  mobike = no
  {connection}
  local {{ auth = psk
          id = {name}.test }}
  remote {{ auth = psk
           id = {peer}.test }}
  children {{ lan {{
    esp_proposals = aes128-sha256
    {child}
  }} }}
}} }}
{rest}
secrets {{ ike-1 {{ secret = "only for the test" }} }}
"""


class KindSide(Side):
    def configure(self, extra=""):
        super().configure()  # strongswan.conf
        shape = self.pair.shape
        remote = "%any" if shape.anybody(self.name) else self.pair.outer[self.peer]
        write(os.path.join(self.folder, "swanctl", "swanctl.conf"), SWANCTL_CONF.format(
            local=self.address, remote=remote, name=self.name, peer=self.peer, connection=shape.connection(self.name),
            child=f"{shape.child(self.name)}\n    {extra}", rest=shape.rest(self.name)))


class KindPair(Pair):
    """A Pair of one of the shapes below."""
    side = KindSide

    def __init__(self, build, shape, **options):
        super().__init__(build, link=shape.link, **options)
        self.shape, self.outer = shape, OUTER[4]
        self.inner = dict(shape.inner)
        self.initiator = self.b if shape.anybody("A") else self.a

    def add_devices(self):
        super().add_devices()
        self.shape.add_devices(self)

    def bring_up(self):
        super().bring_up()
        self.shape.settle(self)

    def remove_devices(self):
        super().remove_devices()
        self.shape.remove_devices(self)


def ip(name, *words):
    run(["ip", *(["-n", "A"] if name == "A" else []), *" ".join(words).split()])


# --- Shapes -------------------------------------------------------------------------------------------------------------

class Shape:
    """A policy-based tunnel between the LANs; both ends know each other's address."""
    link = None
    inner = LAN

    def anybody(self, name):
        """The connection of that end takes any peer, and so can start none."""
        return False

    def connection(self, name):
        return ""

    def child(self, name):
        return f"local_ts = {LAN[name]}/32\n    remote_ts = {LAN['B' if name == 'A' else 'A']}/32"

    def rest(self, name):
        return ""

    def add_devices(self, pair):
        pass

    def settle(self, pair):
        """After IKE: what else must come up."""

    def remove_devices(self, pair):
        pass

    def missing(self):
        """Why it cannot be had here, or None."""

    def words(self):
        """The last words of what else runs."""
        return []


class Dynamic(Shape):
    def anybody(self, name):
        return name == "B"


class Vti(Shape):
    link = "vti"

    def child(self, name):
        return f"local_ts = 0.0.0.0/0\n    remote_ts = 0.0.0.0/0\n    mark_in = {VTI_KEY}\n    mark_out = {VTI_KEY}" \
            "\n    mark_in_sa = yes"


class ConfigMode(Shape):
    """B is a client that gets its inner address from A (config mode, as Cisco's EzVPN), and calls."""
    inner = {"A": LAN["A"], "B": POOL.replace(".0/24", ".1")}

    def anybody(self, name):
        return name == "A"

    def connection(self, name):
        return "vips = 0.0.0.0" if name == "B" else "pools = clients"

    def child(self, name):
        return f"remote_ts = {LAN['A']}/32" if name == "B" else f"local_ts = {LAN['A']}/32"

    def rest(self, name):
        return f"pools {{ clients {{ addrs = {POOL} }} }}" if name == "A" else ""


class Gre(Shape):
    """GRE in transport mode; one device for one peer."""
    inner = TUNNEL

    def child(self, name):
        return "mode = transport\n    local_ts = dynamic[gre]\n    remote_ts = dynamic[gre]"

    def add_devices(self, pair):
        for side in (pair.a, pair.b):
            ip(side.name, f"tunnel add gre1 mode gre local {side.address} {self.remote(pair, side)} key {KEY} ttl 64")
            ip(side.name, f"addr add {TUNNEL[side.name]}/{self.prefix} dev gre1")
            ip(side.name, "link set gre1 mtu 1400 up")

    prefix = 24

    def remote(self, pair, side):
        return f"remote {pair.outer[side.peer]}"

    def remove_devices(self, pair):
        for name in "AB":
            run(["ip", *(["-n", "A"] if name == "A" else []), "tunnel", "del", "gre1"], check=False)


class Nhrp(Gre):
    """Multipoint GRE, the peer's address by NHRP: FRR's nhrpd at both ends. `hub` is the end whom the other one registers
    with; it has its own mapping in its configuration, and the hub learns its."""
    prefix = 32

    def __init__(self, hub):
        self.hub, self.daemons = hub, []

    def anybody(self, name):
        return name == self.hub

    def remote(self, pair, side):
        return ""

    def missing(self):
        return None if os.path.exists(f"{FRR}/nhrpd") else "FRR's nhrpd is not installed (Debian: frr)"

    def words(self):
        return [f"{name}'s nhrpd: {line}" for name in "AB"
                for line in read(f"{BASE}/{name}/frr/nhrpd.out").splitlines()[-15:]]

    def config(self, pair, side):
        lines = ["log stdout", "interface gre1", " ip nhrp network-id 1"]
        if side.name != self.hub:
            lines += [f" ip nhrp map {TUNNEL[self.hub]} {pair.outer[self.hub]}",
                      f" ip nhrp nhs {TUNNEL[self.hub]} nbma {pair.outer[self.hub]}", " ip nhrp registration no-unique"]
        return "\n".join(lines) + "\n"

    def add_devices(self, pair):
        super().add_devices(pair)
        for side in (pair.a, pair.b):
            folder = f"{BASE}/{side.name}/frr"
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            write(f"{folder}/zebra.conf", "log stdout\n")
            write(f"{folder}/nhrpd.conf", self.config(pair, side))
            run(["chown", "-R", "frr:frr", folder])
            for daemon in ("zebra", "nhrpd"):
                self.start(side, folder, daemon)

    def start(self, side, folder, daemon):
        command = [*side.inside, f"{FRR}/{daemon}", "-u", "frr", "-g", "frr", "--vty_socket", folder,
                   "-z", f"{folder}/zserv.api", "-i", f"{folder}/{daemon}.pid", "-f", f"{folder}/{daemon}.conf", "-A", "127.0.0.1", "-P", "0"]
        with open(f"{folder}/{daemon}.out", "ab") as out:
            self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        demand(lambda: os.path.exists(f"{folder}/{daemon}.pid"), 40, f"{side.name}'s {daemon}")

    def settle(self, pair):
        demand(pair.flows_once, 40, "NHRP to register: " + read(f"{BASE}/A/frr/nhrpd.out")[-300:])

    def remove_devices(self, pair):
        for daemon in self.daemons:
            daemon.terminate()
            daemon.wait()
        self.daemons = []
        super().remove_devices(pair)


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str      # as spimend calls it
    title: str     # for people
    shape: object
    notes: str     # B12's answer, as spimend puts it


KINDS = (
    Kind("static-crypto-map", "policy-based, fixed peer", Shape, "yes"),
    Kind("dynamic-crypto-map", "policy-based, any peer", Dynamic, "no"),
    Kind("gre-p2p", "GRE point-to-point, protected", Gre, "yes"),
    Kind("mgre-nhrp-static", "mGRE, NHRP mapping configured", lambda: Nhrp("A"), "yes"),
    Kind("mgre-nhrp-dynamic", "mGRE, NHRP mapping learned", lambda: Nhrp("B"), "no"),
    Kind("svti", "VTI", Vti, "yes"),
    Kind("ezvpn-client", "config-mode client", ConfigMode, "not-applicable"),
)


# --- Faults at B --------------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    title: str
    make: object
    rung: str             # that heals it, without spimend's plugin in charon
    ike_lives: bool = True
    plugin: bool = False  # needs charon's fault plugin


def lose_child(pair):
    """charon's CHILD_SA is gone, its SAs too, and the peer is not told."""
    child = pair.b.child()
    pair.b.inject(f"lose {child['ike_id']} {child['spi-in']}")


FAULTS = (  # in this order: the last one may leave the tunnel dark
    Fault("sa-lost", "its kernel lost the SA", cases.delete_sa, "rekey-child"),
    Fault("child-lost", "its charon lost the child", lose_child, "initiate-child", plugin=True),
    Fault("state-lost", "restarted, no IKE SA left", cases.kill_charon_flush, "initiate-ike", ike_lives=False),
)


def kind(name):
    return next(one for one in KINDS if one.name == name)


def fault(name):
    return next(one for one in FAULTS if one.name == name)
