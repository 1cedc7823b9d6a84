# SPDX-License-Identifier: MIT
"""NHRP and DMVPN: whether a mapping is static or learnt decides who may begin (B12)."""
from .clock import ago
from .table import IOS, command

LEGEND = """Legend: Attrb --> S - Static, D - Dynamic, I - Incomplete
        N - NATed, L - Local, X - No Socket
        T1 - Route Installed, T2 - Nexthop-override
        C - CTS Capable
        # Ent --> Number of NHRP entries with same NBMA peer
        NHS Status: E --> Expecting Replies, R --> Responding, W --> Waiting
        UpDn Time --> Up or Down Time for a Tunnel
==========================================================================
"""


def mappings(d):
    """(end, the peer's tunnel address) by interface."""
    by = {}
    for link, end in d.world.links_of(d):
        if end.kind.startswith("mgre"):
            by.setdefault(end.interface, []).append((end, link.other(end).tunnel_address))
    return by


@command("show ip nhrp")
def nhrp(session, _):
    d, now = session.device, session.device.world.now()
    text = ""
    for interface, peers in mappings(d).items():
        for end, address in peers:
            static = end.kind == "mgre-nhrp-static"
            born = ago(now - (end.since or now))
            text += (f"{address}/32 via {address}\n   {interface} created {born}, {'never expire' if static else 'expire 00:02:27'}\n"
                     f"   Type: {'static' if static else 'dynamic'}, Flags: {'' if static else 'router nhop rib'}\n"
                     f"   NBMA address: {end.peer_address}\n")
    return text


@command("show dmvpn")
def dmvpn(session, _):
    d, now = session.device, session.device.world.now()
    text = "\n" + LEGEND + "\n"
    for interface, peers in mappings(d).items():
        kind = "Spoke" if any(end.kind == "mgre-nhrp-static" for end, _ in peers) else "Hub"
        text += (f"Interface: {interface}, IPv4 NHRP Details \nType:{kind}, NHRP Peers:{len(peers)}, \n\n"
                 " # Ent  Peer NBMA Addr Peer Tunnel Add State  UpDn Tm Attrb\n"
                 " ----- --------------- --------------- ----- -------- -----\n")
        for end, address in peers:
            text += row(end, address, now)
        text += "\n"
    return text


def row(end, address, now):
    state = "UP" if end.outbound else "IKE"
    since = ago(now - end.since) if end.since else "never"
    return (f" {1:5} {end.peer_address:<15} {address:>15} {state:>5} {since:>8} "
            f"{'S' if end.kind == 'mgre-nhrp-static' else 'D':>5}\n")


@command("show dmvpn detail", platforms=IOS)
def dmvpn_detail(session, _):
    from .show_crypto import permit
    d = session.device
    text = dmvpn(session, {}) + "\nCrypto Session Details: \n" + "-" * 80 + "\n\n"
    for interface, peers in mappings(d).items():
        for end, _ in peers:
            text += f"Interface: {interface}\n  Session: [0x{0x7F000000 + end.number * 0x100:X}]\n"
            text += "".join(f"  IKEv{ike.version} SA: local {end.address}/{end.port} remote {end.peer_address}/{end.port} Active \n"
                            for ike in end.ike)
            text += f"  Crypto Session Status: {'UP-ACTIVE' if end.outbound else 'DOWN'}     \n  fvrf: (none),\tPhase1_id: " \
                    f"{end.peer_address}\n  IPSEC FLOW: {permit(end)} \n        Active SAs: {len(end.inbound) + len(end.outbound)}, " \
                    f"origin: crypto map\n        Inbound:  #pkts dec'ed {end.decaps} drop {end.invalid_sa} life (KB/Sec) 0/0\n" \
                    f"        Outbound: #pkts enc'ed {end.encaps} drop {end.no_sa} life (KB/Sec) 0/0\n"
            newest = end.current()
            text += f"   Outbound SPI : 0x{newest.spi if newest else 0:08X}, transform : esp-256-aes esp-sha256-hmac \n" \
                    f"    Socket State: {'Open' if end.inbound else 'Closed'}\n\n"
    return text + "Pending DMVPN Sessions:\n\n"
