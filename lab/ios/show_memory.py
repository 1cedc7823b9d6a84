# SPDX-License-Identifier: MIT
"""What a router remembers of SPIs, and what its data plane dropped."""
from .device import DROP_NAMES
from .table import XE, command

DISABLED = "Tracing currently disabled, from exec command\n"


@command("show monitor event-trace crypto ipsec event all", "show monitor event-trace crypto ipsec event all detail")
def trace_all(session, _):
    d = session.device
    return "\n".join(d.trace) + "\n" if d.trace else "Tracing currently enabled, from exec command\n" if d.traced else DISABLED


@command("show monitor event-trace crypto ipsec event latest")
def trace_latest(session, _):
    d = session.device
    fresh, d.trace_seen = list(d.trace)[getattr(d, "trace_seen", 0):], len(d.trace)
    return "\n".join(fresh) + "\n" if fresh else "" if d.traced else DISABLED


@command("show crypto ipsec spi-lookup detail")
def spi_lookup(session, _):
    d, now = session.device, session.device.world.now()
    lines = ["", "Active SPI table", "     SPI Prot Local Address            Type", "  Handle VRF  Remote Address           IDB"]
    for end in d.ends:
        for sa in end.inbound:
            handle = d.spis.get(sa.spi, (0x40003000, 0))[0]
            lines.append(f"{sa.spi:08X} ipsec {end.address} type {handle:08X} 0 {end.peer_address} {500 + end.number}")
    lines += ["", "Transient SPI table", "     SPI   HANDLE R Time created"]
    lines += [f"{spi:08X} {handle:08X} 0 {int(now - at)}" for spi, (handle, at) in d.spis.items()]
    return "\n".join(lines + [""])


RULE = "-" * 72


@command("show platform hardware qfp active feature ipsec datapath drops [all]", platforms=XE)
def datapath(session, args):
    d = session.device
    lines = [RULE, "Drop Type  Name                                     Packets", RULE]
    for number, name in DROP_NAMES.items():
        if "all" in args or d.drops[name]:
            lines.append(f"{number:9}  {name:<40} {d.drops[name]:20}")
    return "\n".join(lines + [""])


@command("show platform hardware qfp active statistics drop", platforms=XE)
def statistics(session, _):
    d = session.device
    rule = "-" * 73
    lost = {name: n for name, n in d.drops.items() if name.startswith("IN_")}
    octets = sum(d.octets[name] for name in lost)
    lines = [rule, "Global Drop Stats                         Packets                  Octets  ", rule]
    rows = [("IpsecInput", sum(lost.values()), octets), ("Ipv4NoAdj", 7, 296), ("Ipv4NoRoute", 181, 7964)]
    sent = sum(n for name, n in d.drops.items() if name.startswith("OUT_"))
    if sent:
        rows.insert(0, ("IpsecIkeIndicate", sent, sent * 120))
    lines += [f"{name:<29} {packets:>19} {size:>23}  " for name, packets, size in rows if packets]
    return "\n".join(lines + [""])
