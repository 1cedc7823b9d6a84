# SPDX-License-Identifier: MIT
"""IOS and IOS XE: SAs, IKE SAs, sessions, maps. Layouts follow real outputs of the same commands (README.md)."""
from .clock import ago, hms
from .table import command

DETAIL = """    #pkts no sa (send) {no_sa}, #pkts invalid sa (rcv) {invalid}
    #pkts encaps failed (send) 0, #pkts decaps failed (rcv) 0
    #pkts invalid prot (recv) 0, #pkts verify failed: 0
    #pkts invalid identity (recv) 0, #pkts invalid len (rcv) 0
    #pkts replay rollover (send): 0, #pkts replay rollover (rcv) 0
    ##pkts replay failed (rcv): 0
    #pkts tagged (send): 0, #pkts untagged (rcv): 0
    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0
    #pkts internal err (send): 0, #pkts internal err (recv) 0
"""
FLOW = """
   protected vrf: {vrf}
   local  ident (addr/mask/prot/port): ({local})
   remote ident (addr/mask/prot/port): ({remote})
   current_peer {peer} port {port}
     PERMIT, flags={{origin_is_acl,}}
    #pkts encaps: {encaps}, #pkts encrypt: {encaps}, #pkts digest: {encaps}
    #pkts decaps: {decaps}, #pkts decrypt: {decaps}, #pkts verify: {decaps}
    #pkts compressed: 0, #pkts decompressed: 0
    #pkts not compressed: 0, #pkts compr. failed: 0
    #pkts not decompressed: 0, #pkts decompress failed: 0
{errors}
{endpoints}
     plaintext mtu 1438, path mtu 1500, ip mtu 1500, ip mtu idb {idb}
     current outbound spi: {current}
     PFS (Y/N): N, DH group: none

     inbound esp sas:
{inbound}
     inbound ah sas:

     inbound pcp sas:

     outbound esp sas:
{outbound}
     outbound ah sas:

     outbound pcp sas:
"""
SA = """      spi: {spi}
        transform: {transform} ,
        in use settings ={{{settings}, }}
        conn id: {conn}, flow_id: {flow}:{low}, sibling_flags {sibling}, crypto map: {map}
        {timing}
        IV size: {iv} bytes
        replay detection support: Y{window}
        Status: ACTIVE(ACTIVE)
"""


def both(spi):
    return f"0x{spi:X}({spi})"


def endpoints(local, remote):
    if ":" in local:
        return f"     local crypto endpt.: {local},\n     remote crypto endpt.: {remote}"
    return f"     local crypto endpt.: {local}, remote crypto endpt.: {remote}"


def errors(detail, no_sa, invalid):
    return DETAIL.format(no_sa=no_sa, invalid=invalid) if detail else "    #send errors 0, #recv errors 0\n"


def ike_sa(end, sa, now):
    tunnel = end.local.endswith("/47/0")
    nat = end.port != 500
    left = max(int(sa.lifetime - (now - sa.born)), 0)
    return SA.format(
        spi=both(sa.spi), transform="esp-256-aes esp-sha256-hmac", conn=sa.conn, map=end.map, iv=16, window="",
        flow="Onboard VPN" if end.device.platform == "ios" else "CSR" if not tunnel else "ESG", low=sa.conn - 2000,
        sibling="80004040" if end.device.platform == "ios" else "FFFFFFFF80000048",
        settings=("Transport" if tunnel else "Tunnel") + (" UDP-Encaps" if nat else ""),
        timing=f"sa timing: remaining key lifetime (k/sec): ({max(4608000 - sa.packets // 8, 0)}/{left})")


def ike_flow(end, detail, now):
    current = end.current()
    return FLOW.format(
        vrf=end.vrf, local=end.local, remote=end.remote, peer=end.peer_address, port=end.port, encaps=end.encaps,
        decaps=end.decaps, errors=errors(detail, end.no_sa, end.invalid_sa),
        endpoints=endpoints(end.address, end.peer_address), idb=end.physical, current=both(current.spi) if current else "0x0(0)",
        inbound="".join(ike_sa(end, sa, now) for sa in end.inbound),
        outbound="".join(ike_sa(end, sa, now) for sa in end.outbound))


def sdwan_sa(end, spi, conn, now):
    return SA.format(spi=both(spi), transform="esp-gcm 256", settings="Transport UDP-Encaps, esn", conn=conn, flow="CSR",
                     low=conn - 2000, sibling="FFFFFFFF80000008", map=end.tloc.map, iv=8, window="",
                     timing="sa timing: remaining key lifetime (sec): 0\n        Kilobyte Volume Rekey has been disabled")


def sdwan_flow(end, detail, now):
    use = end.edge.used.get(end.peer.key)
    conn = 2001 + 2 * end.edge.ends.index(end)
    port = use.port if use else end.peer.port
    inbound = outbound = ""
    if not end.cleared:
        inbound = "".join(sdwan_sa(end, spi, conn + n * 2000, now) for n, (spi, _) in enumerate(end.tloc.accepts))
        outbound = sdwan_sa(end, use.spi, conn + 1, now) if use else ""
    return FLOW.format(
        vrf="(none)", local=f"{end.tloc.address}/255.255.255.255/0/{end.tloc.port}",
        remote=f"{end.peer.public}/255.255.255.255/0/{port}", peer=end.peer.public, port=500, encaps=end.encaps, decaps=end.decaps,
        errors=errors(detail, 0, end.invalid_sa),
        endpoints=endpoints(end.tloc.address, end.peer.public), idb=end.tloc.physical,
        current=both(use.spi) if use and not end.cleared else "0x0(0)", inbound=inbound, outbound=outbound)


MANUAL = """
interface: {interface}
    Crypto map tag: {interface}-OSPF-MAP, local addr FE80::1:2FF:FE03:405

   IPsecv6 policy name: OSPFv3-256

   protected vrf: (none)
   local  ident (addr/mask/prot/port): (FE80::/10/89/0)
   remote ident (addr/mask/prot/port): (::/0/89/0)
   current_peer FF02::5 port 500
     PERMIT, flags={{origin_is_acl,}}
    #pkts encaps: {packets}, #pkts encrypt: {packets}, #pkts digest: {packets}
    #pkts decaps: {packets}, #pkts decrypt: {packets}, #pkts verify: {packets}
    #pkts compressed: 0, #pkts decompressed: 0
    #pkts not compressed: 0, #pkts compr. failed: 0
    #pkts not decompressed: 0, #pkts decompress failed: 0
    #send errors 0, #recv errors 0

     local crypto endpt.: FE80::1:2FF:FE03:405,
     remote crypto endpt.: FF02::5
     plaintext mtu 1476, path mtu 1500, ipv6 mtu 1500, ipv6 mtu idb {interface}
     current outbound spi: 0x100(256)
     PFS (Y/N): N, DH group: none

     inbound esp sas:

     inbound ah sas:
{inbound}
     inbound pcp sas:

     outbound esp sas:

     outbound ah sas:
{outbound}
     outbound pcp sas:
"""
MANUAL_SA = """      spi: 0x100(256)
        transform: ah-md5-hmac ,
        in use settings ={{Transport, }}
        conn id: {conn}, flow_id: SW:{conn}, sibling_flags {flags}, crypto map: {interface}-OSPF-MAP, initiator : False
        sa timing: remaining key lifetime (sec): 0
        Kilobyte Volume Rekey has been disabled
        replay detection support: N
        Status: ACTIVE(ACTIVE)
"""
SIBLING = "FFFFFFFF80000019"


def manual(d, now):
    """An OSPFv3 neighbour, keyed by hand: no IKE, one SPI in both directions."""
    interface = "GigabitEthernet2"
    return MANUAL.format(interface=interface, packets=int(now - d.booted) // 10, inbound=MANUAL_SA.format(
        interface=interface, conn=71, flags=SIBLING), outbound=MANUAL_SA.format(interface=interface, conn=72, flags=SIBLING))


@command("show crypto ipsec sa [peer A] [detail]", "show crypto ipsec sa interface WORD [detail]")
def ipsec_sa(session, args):
    d, now = session.device, session.device.world.now()
    peer, detail, name = args.get("a"), "detail" in args, args.get("word")
    heads = {}
    for _, end in d.world.links_of(d):
        if peer in (None, end.peer_address) and name in (None, end.interface):
            heads.setdefault((end.interface, end.map, end.address), []).append(ike_flow(end, detail, now))
    for end in d.edge.ends if d.edge else []:
        if peer in (None, end.peer.public, end.peer.address) and name in (None, end.tloc.interface):
            heads.setdefault((end.tloc.interface, end.tloc.map, end.tloc.address), []).append(sdwan_flow(end, detail, now))
    shown = [f"\ninterface: {interface}\n    Crypto map tag: {tag}, local addr {local}\n" + "".join(flows)
             for (interface, tag, local), flows in heads.items()]
    if d.manual and peer is None and name in (None, "GigabitEthernet2"):
        shown.append(manual(d, now))
    if not shown:
        return "\nThere are no ipsec sas\n" if peer is None else f"\nThere are no ipsec sas for peer {peer}\n"
    return "".join(shown)


# --- IKE SAs

def ikes(d, version):
    return [(link, end, ike) for link, end in d.world.links_of(d) if link.version == version for ike in end.ike]


@command("show crypto isakmp sa")
def isakmp_sa(session, _):
    lines = ["IPv4 Crypto ISAKMP SA", "dst             src             state          conn-id status"]
    for _, end, ike in ikes(session.device, 1):
        begun = ike.initiator is end
        dst, src = (end.peer_address, end.address) if begun else (end.address, end.peer_address)
        lines.append(f"{dst:<15} {src:<15} {'QM_IDLE':<14} {ike.conns[end]:>7} ACTIVE")
    return "\n".join(lines + ["", "IPv6 Crypto ISAKMP SA", ""])


@command("show crypto isakmp sa detail")
def isakmp_detail(session, _):
    d = session.device
    lines = ["Codes: C - IKE configuration mode, D - Dead Peer Detection", "       K - Keepalives, N - NAT-traversal",
             "       T - cTCP encapsulation, X - IKE Extended Authentication", "       psk - Preshared key, rsig - RSA signature",
             "       renc - RSA encryption", "IPv4 Crypto ISAKMP SA", "",
             "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.", ""]
    for _, end, ike in ikes(d, 1):
        left = hms(ike.lifetime - (d.world.now() - ike.born))
        caps = ("D" if end.dpd else "") + ("N" if end.port != 500 else "")
        lines += [f"{ike.conns[end]:<5} {end.address:<15} {end.peer_address:<15} {'':<6} ACTIVE aes  sha256 psk  14 {left} {caps}",
                  f"       Engine-id:Conn-id =  SW:{ike.conns[end] - 1000}", ""]
    return "\n".join(lines + ["IPv6 Crypto ISAKMP SA", ""])


def ikev2(d, end, ike, number, detail):
    now = d.world.now()
    local, remote = f"{end.address}/{end.port}", f"{end.peer_address}/{end.port}"
    mine, theirs = ike.spis if ike.initiator is end else ike.spis[::-1]
    lines = ["Tunnel-id Local                 Remote                fvrf/ivrf            Status ",
             f"{number:<9} {local:<21} {remote:<21} {'none/none':<20} READY  ",
             "      Encr: AES-CBC, keysize: 256, PRF: SHA256, Hash: SHA256, DH Grp:14, Auth sign: PSK, Auth verify: PSK",
             f"      Life/Active Time: {ike.lifetime}/{int(now - ike.born)} sec"]
    if not detail:
        return lines + [""]
    interval, retry = end.dpd or (0, 0)
    return lines + [
        f"      CE id: {1000 + number}, Session-id: {number}", "      Status Description: Negotiation done",
        f"      Local spi: {mine:016X}       Remote spi: {theirs:016X}", f"      Local id: {end.address}",
        f"      Remote id: {end.peer_address}", "      Local req msg id:  2              Remote req msg id:  3         ",
        "      Local next msg id: 2              Remote next msg id: 3         ",
        "      Local req queued:  2              Remote req queued:  3         ",
        "      Local window:      5              Remote window:      5         ",
        f"      DPD configured for {interval} seconds, retry {retry}", "      Fragmentation not  configured.",
        "      Dynamic Route Update: enabled", "      Extended Authentication not configured.",
        "      NAT-T is detected  outside" if end.port != 500 else "      NAT-T is not detected  ",
        "      Cisco Trust Security SGT is disabled", f"      Initiator of SA : {'Yes' if ike.initiator is end else 'No'}", ""]


@command("show crypto ikev2 sa [remote A] [detail]")
def ikev2_sa(session, args):
    d = session.device
    lines = [" IPv4 Crypto IKEv2  SA ", ""]
    for number, (_, end, ike) in enumerate(ikes(d, 2), 1):
        if args.get("a") in (None, end.peer_address):
            lines += ikev2(d, end, ike, number, "detail" in args)
    return "\n".join(lines + [" IPv6 Crypto IKEv2  SA ", ""])


def selector(ident):
    """10.1.1.0/255.255.255.0/0/0 as IKEv2 shows it: its first and last address."""
    import ipaddress
    address, mask, *_ = ident.split("/")
    net = ipaddress.ip_network(f"{address}/{mask}", strict=False)
    return f"{net[0]}/0 - {net[-1]}/65535"


@command("show crypto ikev2 session")
def ikev2_session(session, _):
    d = session.device
    lines = [" IPv4 Crypto IKEv2 Session ", ""]
    for number, (_, end, ike) in enumerate(ikes(d, 2), 1):
        lines += [f"Session-id:{number}, Status:UP-ACTIVE, IKE count:1, CHILD count:{len(end.outbound)}", ""]
        lines += ikev2(d, end, ike, number, False)[:-1]
        for out in end.outbound:
            inbound = next((sa.spi for sa in end.inbound if sa.pair == out.pair), 0)
            lines += [f"Child sa: local selector  {selector(end.local)}", f"          remote selector {selector(end.remote)}",
                      f"          ESP spi in/out: 0x{inbound:X}/0x{out.spi:X}  "]
        lines += [""]
    return "\n".join(lines + [" IPv6 Crypto IKEv2 Session ", ""])


# --- sessions and maps

def status(end):
    if end.outbound or end.inbound:
        return "UP-ACTIVE     " if end.ike else "UP-NO-IKE"
    return "UP-IDLE" if end.ike else "DOWN-NEGOTIATING" if end.trying else "DOWN"


def permit(end):
    def host(ident):
        address, mask, prot, _ = ident.split("/")
        return prot, f"host {address}" if mask == "255.255.255.255" else f"{address}/{mask}"
    prot, local = host(end.local)
    return f"permit {'ip' if prot == '0' else prot} {local} {host(end.remote)[1]}"


CODES = """Code: C - IKE Configuration mode, D - Dead Peer Detection     
K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     
X - IKE Extended Authentication, F - IKE Fragmentation
R - IKE Auto Reconnect, U - IKE Dynamic Route Update
S - SIP VPN
"""


@command("show crypto session [remote A] [detail]")
def crypto_session(session, args):
    d, now = session.device, session.device.world.now()
    detail = "detail" in args
    text = "Crypto session current status\n\n" + (CODES + "\n" if detail else "")
    for link, end in d.world.links_of(d):
        if args.get("a") not in (None, end.peer_address):
            continue
        text += f"Interface: {end.interface}\n"
        if detail and end.since:
            text += f"Uptime: {ago(now - end.since)}\n"
        text += f"Session status: {status(end)}\nPeer: {end.peer_address} port {end.port} "
        text += ("fvrf: (none) ivrf: (none)\n" + (f"      Phase1_id: {end.peer_address}\n" if end.ike else "      Phase1_id: (none)\n")
                 + "      Desc: (none)\n") if detail else "\n"
        name = "IKEv1" if link.version == 1 else "IKEv2"
        for ike in end.ike:
            text += "  Session ID: 0  \n" if link.version == 1 else f"  Session ID: {1 + d.ends.index(end)}  \n"
            text += f"  {name} SA: local {end.address}/{end.port} remote {end.peer_address}/{end.port} Active \n"
            if detail:
                caps = ("D" if end.dpd else "") + ("N" if end.port != 500 else "") or "(none)"
                left = hms(ike.lifetime - (now - ike.born))
                text += f"          Capabilities:{caps} connid:{ike.conns[end]} lifetime:{left}\n"
        text += f"  IPSEC FLOW: {permit(end)} \n        Active SAs: {len(end.inbound) + len(end.outbound)}, origin: crypto map\n"
        if detail:
            newest = end.current()
            left = f"{4608000 - newest.packets // 8}/{int(newest.lifetime - (now - newest.born))}" if newest else "0/0"
            text += f"        Inbound:  #pkts dec'ed {end.decaps} drop {end.invalid_sa} life (KB/Sec) {left}\n"
            text += f"        Outbound: #pkts enc'ed {end.encaps} drop {end.no_sa} life (KB/Sec) {left}\n"
        text += "\n"
    return text


@command("show crypto map")
def crypto_map(session, _):
    d = session.device
    text, dynamic = "", False
    for number, (_, end) in enumerate(d.world.links_of(d)):
        if end.kind == "dynamic-crypto-map":
            dynamic = True
            continue
        if end.kind == "static-crypto-map":
            head = f'Crypto Map IPv4 "{end.map}" {10 + 10 * number} ipsec-isakmp\n'
            lists = f"\tExtended IP access list VPN{10 + 10 * number}\n"
        else:
            head = f'Crypto Map IPv4 "{end.map}" 65537 ipsec-isakmp\n\tMap is a PROFILE INSTANCE.\n'
            lists = "\tExtended IP access list \n"
        text += head + (f"\tPeer = {end.peer_address}\n" if end.kind != "mgre-nhrp-dynamic" or end.inbound else "") + (
            "\tAccess-List SS dynamic: False\n") + lists + (
            "\tSecurity association lifetime: 4608000 kilobytes/3600 seconds\n\tDualstack (Y/N): N\n\n"
            "\tResponder-Only (Y/N): N\n\tPFS (Y/N): N\n\tMixed-mode : Disabled\n"
            "\tTransform sets={\n\t\tAES256:  { esp-256-aes esp-sha256-hmac  } ,\n\t}\n"
            f"\tInterfaces using crypto map {end.map}:\n\t\t{end.interface}\n\n")
    if dynamic:
        name = next(end.map for end in d.ends if end.kind == "dynamic-crypto-map")
        text += (f'Crypto Map IPv4 "{name}" 65000 ipsec-isakmp\n\tDynamic map template tag: ANYONE\n'
                 f"\tInterfaces using crypto map {name}:\n\t\tGigabitEthernet1\n\n")
    for tloc in d.edge.tlocs.values() if d.edge else []:
        text += f'Crypto Map IPv4 "{tloc.map}" 65536 ipsec-manual\n\tInterfaces using crypto map {tloc.map}:\n\t\t{tloc.interface}\n\n'
    return text or "No crypto maps found.\n"


@command("show crypto sockets")
def sockets(session, _):
    d = session.device
    open_ = [end for end in d.ends if end.interface.startswith("Tunnel")]
    text = f"\nNumber of Crypto Socket connections {len(open_)}\n\n"
    for end in open_:
        local, remote = ((ident.split("/") for ident in (end.local, end.remote)))
        state = "Open" if end.inbound else "Closed"
        text += (f"   Tu{end.interface[6:]} Peers (local/remote): {end.address}/{end.peer_address} \n"
                 f"       Local Ident  (addr/mask/port/prot): ({local[0]}/{local[1]}/0/{local[2]})\n"
                 f"       Remote Ident (addr/mask/port/prot): ({remote[0]}/{remote[1]}/0/{remote[2]})\n"
                 f'       IPSec Profile: "PROTECT"\n       Socket State: {state}\n'
                 f'       Client: "TUNNEL SEC" (Client State: {"Active" if end.inbound else "Idle"})\n')
    text += "\nCrypto Sockets in Listen state:\n"
    return text + "".join(f'Client: "TUNNEL SEC" Profile: "PROTECT" Map-name: "{end.map}"\n' for end in open_)
