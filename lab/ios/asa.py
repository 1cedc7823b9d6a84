# SPDX-License-Identifier: MIT
"""The ASA's dialect."""
from .clock import long_stamp, words
from .show_crypto import selector
from .table import command

ASA = ("asa",)
FLOW = """
interface: {interface}
    Crypto map tag: {map}, seq num: {number}, local addr: {address}

      access-list VPN{number} extended permit ip {acl}
      local ident (addr/mask/prot/port): ({local})
      remote ident (addr/mask/prot/port): ({remote})
      current_peer: {peer}


      #pkts encaps: {encaps}, #pkts encrypt: {encaps}, #pkts digest: {encaps}
      #pkts decaps: {decaps}, #pkts decrypt: {decaps}, #pkts verify: {decaps}
      #pkts compressed: 0, #pkts decompressed: 0
      #pkts not compressed: {encaps}, #pkts comp failed: 0, #pkts decomp failed: 0
      #pre-frag successes: 0, #pre-frag failures: 0, #fragments created: 0
      #PMTUs sent: 0, #PMTUs rcvd: 0, #decapsulated frgs needing reassembly: 0
      #TFC rcvd: 0, #TFC sent: 0
      #Valid ICMP Errors rcvd: 0, #Invalid ICMP Errors rcvd: 0
      #send errors: 0, #recv errors: 0

      local crypto endpt.: {address}/{port}, remote crypto endpt.: {peer}/{port}
      path mtu 1500, ipsec overhead 74(44), media mtu 1500
      PMTU time remaining (sec): 0, DF policy: copy-df
      ICMP error validation: disabled, TFC packets: disabled
      current outbound spi: {out:08X}
      current inbound spi : {into:08X}

    inbound esp sas:
{inbound}    outbound esp sas:
{outbound}"""
SA = """      spi: 0x{spi:08X} ({spi})
         SA State: active
         transform: esp-aes-256 esp-sha-256-hmac no compression
         in use settings ={{L2L, Tunnel, {nat}{ike}, }}
         slot: 0, conn_id: {conn}, crypto-map: {map}
         sa timing: remaining key lifetime (kB/sec): ({kb}/{left})
         IV size: 16 bytes
         replay detection support: Y
         Anti replay bitmap:
          0xFFFFFFFF 0xFFFFFFFF
"""


def one(link, end, sa, now):
    return SA.format(spi=sa.spi, nat=" NAT-T-Encaps, " if end.port != 500 else "", ike=f"IKEv{link.version}", conn=sa.conn * 4096,
                     map=end.map, kb=max(4285440 - sa.packets // 8, 0), left=max(int(sa.lifetime - (now - sa.born)), 0))


@command("show crypto ipsec sa [peer A] [detail]", platforms=ASA)
def ipsec_sa(session, args):
    d, now = session.device, session.device.world.now()
    text = ""
    for number, (link, end) in enumerate(d.world.links_of(d), 1):
        if args.get("a") not in (None, end.peer_address) or not (end.inbound or end.outbound):
            continue
        current, newest = end.current(), max(end.inbound, key=lambda sa: sa.pair, default=None)
        acl = " ".join(" ".join(ident.split("/")[:2]) for ident in (end.local, end.remote))
        text += FLOW.format(
            interface=end.physical, map=end.map, number=number, address=end.address, acl=acl, local=end.local,
            remote=end.remote, peer=end.peer_address,
            encaps=end.encaps, decaps=end.decaps, port=end.port, out=current.spi if current else 0,
            into=newest.spi if newest else 0, inbound="".join(one(link, end, sa, now) for sa in end.inbound),
            outbound="".join(one(link, end, sa, now) for sa in end.outbound))
    return text or "\nThere are no ipsec sas\n"


@command("show crypto ikev2 sa [detail]", platforms=ASA)
def ikev2_sa(session, _):
    d, now = session.device, session.device.world.now()
    text = ""
    for number, (link, end) in enumerate(d.world.links_of(d), 1):
        for ike in end.ike if link.version == 2 else []:
            role = "INITIATOR" if ike.initiator is end else "RESPONDER"
            local, remote = f"{end.address}/{end.port}", f"{end.peer_address}/{end.port}"
            text += (f"\nSession-id:{number}, Status:UP-ACTIVE, IKE count:1, CHILD count:{len(end.outbound)}\n\n"
                     f"{'Tunnel-id Local':<62}{'Remote':<56}{'Status':<15}Role\n"
                     f"{ike.conns[end]:9} {local:<51} {remote:<52}{'READY':>10}    {role}\n"
                     "      Encr: AES-CBC, keysize: 256, Hash: SHA256, DH Grp:14, Auth sign: PSK, Auth verify: PSK\n"
                     f"      Life/Active Time: {ike.lifetime}/{int(now - ike.born)} sec\n")
            for out in end.outbound:
                into = next((sa.spi for sa in end.inbound if sa.pair == out.pair), 0)
                text += (f"Child sa: local selector  {selector(end.local)}\n          remote selector {selector(end.remote)}\n"
                         f"          ESP spi in/out: 0x{into:x}/0x{out.spi:x}  \n")
    return f"\nIKEv2 SAs:\n{text}" if text else "\nThere are no IKEv2 SAs\n"


@command("show asp drop", platforms=ASA)
def asp_drop(session, _):
    d = session.device
    rows = [("NAT-T keepalive message (natt-keepalive)", 1412), ("IPSEC tunnel is down (ipsec-tun-down)", sum(
        n for name, n in d.drops.items() if name.startswith("OUT_"))), ("Flow is denied by configured rule (acl-drop)", 29),
        ("Invalid SPI (np-sp-invalid-spi)", d.drops["IN_US_V4_PKT_SA_NOT_FOUND_SPI"]), ("FP L2 rule drop (l2_acl)", 35)]
    return ("\nFrame drop:\n" + "".join(f"  {name:<60}{n:>18}\n" for name, n in rows if n)
            + "\nLast clearing: Never\n\nFlow drop:\n\nLast clearing: Never\n")


@command("show version", platforms=ASA)
def version(session, _):
    d = session.device
    return ("\nCisco Adaptive Security Appliance Software Version 9.18(3)56\nSimulation for tests: this is no Cisco software\n\n"
            f'System image file is "disk0:/asa9-18-3-56-smp-k8.bin"\n\n{d.hostname} up {words(d.world.now() - d.booted)}\n\n'
            f"Configuration last modified by enable_15 at {long_stamp(d.booted)}\n")


@command("show logging", privilege=15, platforms=ASA)
def logging(session, _):
    log = session.device.log
    return ("Syslog logging: enabled\n    Facility: 20\n    Timestamp logging: enabled\n    Hide Username logging: enabled\n"
            "    Standby logging: disabled\n    Debug-trace logging: disabled\n    Console logging: disabled\n"
            f"    Monitor logging: disabled\n    Buffer logging: level informational, {log.logged} messages logged\n"
            f"    Trap logging: level informational, facility 20, {log.sent} messages logged\n    Permit-hostdown logging: disabled\n"
            "    History logging: disabled\n    Device ID: disabled\n    Mail logging: disabled\n    ASDM logging: disabled\n"
            + "".join(f"{line}\n" for line in log.buffer))
