# SPDX-License-Identifier: MIT
"""The truth about a device, for tests to compare with what it shows and with what a client made of it."""


def device(d):
    return {
        "up": d.up, "drops": dict(d.drops), "recovery": d.recovery, "log_lines": d.log.logged, "limited": d.log.limited,
        "tunnels": [ike_end(link, end) for link, end in d.world.links_of(d)],
        "sdwan": edge(d.edge) if d.edge else None}


def ike_end(link, end):
    current = end.current()
    return {
        "peer": link.other(end).device.name, "peer_address": end.peer_address, "address": end.address, "kind": end.kind,
        "interface": end.interface, "inbound": [sa.spi for sa in end.inbound], "outbound": [sa.spi for sa in end.outbound],
        "current": current.spi if current else None, "ike": len(end.ike), "shared_ike": link.shared() is not None,
        "encaps": end.encaps, "decaps": end.decaps, "no_sa": end.no_sa, "invalid_sa": end.invalid_sa}


def edge(e):
    now = e.device.world.now()
    return {
        "tlocs": {color: {"accepts": [spi for spi, _ in tloc.accepts], "offers": tloc.offer[0], "port": tloc.port}
                  for color, tloc in e.tlocs.items()},
        "bfd": {"up": sum(end.bfd for end in e.ends), "all": len(e.ends), "flaps": e.flaps},
        "control_up": len(e.control(now)), "omp_up": sum(now >= since for since in e.omp_up.values()),
        "tunnels": [{
            "peer": end.peer.edge.device.name, "color": end.tloc.color, "bfd": end.bfd, "transitions": end.transitions,
            "encaps": end.encaps, "decaps": end.decaps, "invalid_sa": end.invalid_sa, "cleared": bool(end.cleared),
            "uses": getattr(e.used.get(end.peer.key), "spi", None), "told": getattr(e.told.get(end.peer.key), "spi", None)}
            for end in e.ends]}
