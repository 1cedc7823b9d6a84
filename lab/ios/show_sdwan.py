# SPDX-License-Identifier: MIT
"""IOS XE in controller mode: TLOCs, their keys, BFD, OMP, control connections."""
from .clock import days
from .table import command

SDWAN = ("sdwan",)


def edge_of(session):
    from .actions import edge_of as find
    return find(session)


@command("show sdwan bfd sessions", platforms=SDWAN)
def bfd_sessions(session, _):
    edge, now = edge_of(session), session.device.world.now()
    lines = [
        "                                    SOURCE TLOC      REMOTE TLOC                       DST PUBLIC       DST PUBLIC         "
        "DETECT      TX                              ",
        "SYSTEM IP        SITE ID  STATE       COLOR            COLOR            SOURCE IP        IP               PORT        ENCAP"
        "  MULTIPLIER  INTERVAL(msec)  UPTIME        TRANSITIONS",
        "-" * 175]
    for end in edge.ends:
        up = days(now - end.since) if end.bfd else "NA"
        lines.append(f"{end.peer.edge.system_ip:<16} {end.peer.edge.site:<8} {'up' if end.bfd else 'down':<11} {end.tloc.color:<16} "
                     f"{end.peer.color:<16} {end.tloc.address:<15} {end.peer.public:<18} {end.peer.port:<11} ipsec  "
                     f"{edge.multiplier:<11} {edge.hello:<14} {up:<15} {end.transitions:<12}")
    return "\n".join(lines + [""])


@command("show sdwan bfd summary", platforms=SDWAN)
def bfd_summary(session, _):
    edge = edge_of(session)
    up = sum(end.bfd for end in edge.ends)
    return (f"sessions-total         {len(edge.ends)}\nsessions-up            {up}\nsessions-max           {len(edge.ends)}\n"
            f"sessions-flap          {edge.flaps}\npoll-interval          600000\n")


@command("show sdwan control connections", platforms=SDWAN)
def control_connections(session, _):
    edge, now = edge_of(session), session.device.world.now()
    org = session.device.world.fabric.organization
    lines = [
        " " * 87 + f"{'PEER':<46}{'PEER':<46}CONTROLLER ",
        f"{'PEER':<8}PEER PEER            SITE       DOMAIN PEER{'':<36}PRIV  PEER{'':<36}PUB{'':<43}GROUP      ",
        f"TYPE    PROT SYSTEM IP       ID         ID     PRIVATE IP{'':<30}PORT  PUBLIC IP{'':<31}PORT  ORGANIZATION            "
        "LOCAL COLOR     PROXY STATE UPTIME      ID         ", "-" * 184]
    for one in edge.controls:
        up = now >= one.up_at
        state, since = ("up", days(now - one.up_at)) if up else ("connect", "0:00:00:00")
        lines.append(f"{one.kind:<7} dtls {one.system_ip:<15} {one.site:<10} {1 if one.kind == 'vsmart' else 0:<6} {one.address:<39} "
                     f"12346 {one.public:<39} 12346 {org:<23} {one.color:<15} {'No':<5} {state:<5} {since:<11} 0           ")
    return "\n".join(lines + [""])


LOCAL = (
    "                         PUBLIC          PUBLIC PRIVATE         PRIVATE                                 PRIVATE                 "
    "       WAN   MAX   RESTRICT/           LAST         SPI TIME    NAT  VM          BIND\n"
    "INTERFACE                IPv4            PORT   IPv4            IPv6                                    PORT    VS/VM COLOR     "
    "       STATE CNTRL CONTROL/     LR/LB  CONNECTION   REMAINING   TYPE CON REG     INTERFACE\n"
    + " " * 147 + "STUN                                              PRF IDs\n" + "-" * 218 + "\n")


@command("show sdwan control local-properties", platforms=SDWAN)
def local_properties(session, _):
    edge, now = edge_of(session), session.device.world.now()
    hopped = max((tloc.hopped or 0 for tloc in edge.tlocs.values()))
    org = session.device.world.fabric.organization
    text = (f"personality                       vedge\nsp-organization-name              {org}\norganization-name                 {org}\n"
            "root-ca-chain-status              Installed\n\ncertificate-status                Installed\n"
            "certificate-validity              Valid\n\ndns-name                          vbond.example.net\n"
            f"site-id                           {edge.site}\ndomain-id                         1\n"
            "protocol                          dtls\ntls-port                          0\n"
            f"system-ip                         {edge.system_ip}\n"
            f"time-since-last-port-hop          {days(now - hopped) if hopped else '0:00:00:00'}\n"
            f"number-vbond-peers                0\nnumber-active-wan-interfaces      {len(edge.tlocs)}\n\n\n"
            " NAT TYPE: E -- indicates End-point independent mapping\n           A -- indicates Address-port dependent mapping\n"
            "           N -- indicates Not learned\n           Note: Requires minimum two vbonds to learn the NAT type\n\n" + LOCAL)
    for number, tloc in enumerate(edge.tlocs.values()):
        last = days(now - min(one.up_at for one in edge.controls if one.color == tloc.color))
        text += (f"{tloc.physical:<29} {tloc.public:<15} {tloc.port:<6} {tloc.address:<15} {'::':<39} {tloc.port:<8} "
                 f"2/{int(number == 0)}  {tloc.color:<16} up     2      no/yes/no   No/No  {last:<12} {'0:00:02:05':<11} E    "
                 "5  Default N/A                           \n")
    return text


@command("show sdwan omp peers", platforms=SDWAN)
def omp_peers(session, _):
    edge, now = edge_of(session), session.device.world.now()
    lines = ["R -> routes received", "I -> routes installed", "S -> routes sent", "",
             "                                  DOMAIN    OVERLAY   SITE                                 ",
             "PEER             TYPE             ID        ID        ID        STATE    UPTIME           R/I/S  ", "-" * 98]
    sites = {one["system_ip"]: one["site"] for one in session.device.world.fabric.controllers}
    for peer, since in edge.omp_up.items():
        up = now >= since
        lines.append(f"{peer:<16} vsmart           1         1         {sites[peer]:<9} {'up' if up else 'init':<8} "
                     f"{days(now - since) if up else '':<16} {'12/6/3' if up else '0/0/0'}")
    return "\n".join(lines + [""])


@command("show sdwan omp summary", platforms=SDWAN)
def omp_summary(session, _):
    edge, now = edge_of(session), session.device.world.now()
    peers = [since for since in edge.omp_up.values() if now >= since]
    rows = [("oper-state", "UP" if peers else "DOWN"), ("admin-state", "UP"), ("personality", "vedge"), ("device-role", "Edge-Router"),
            ("omp-uptime", days(now - min(peers)) if peers else "0:00:00:00"), ("routes-received", 12 * len(peers)),
            ("routes-installed", 6), ("routes-sent", 3), ("tlocs-received", len(edge.told) * len(peers)),
            ("tlocs-installed", len(edge.told)), ("tlocs-sent", len(edge.tlocs) * len(peers)), ("hello-sent", 29566),
            ("hello-received", 29540), ("alert-sent", 0), ("alert-received", 0), ("policy-sent", 0), ("policy-received", 8),
            ("vsmart-peers", len(peers))]
    return "".join(f"{name:<22} {value}\n" for name, value in rows)


TLOC = """---------------------------------------------------
tloc entries for {ip}
                 {color}
                 ipsec
---------------------------------------------------
            RECEIVED FROM:                   
peer            {peer}
status          {status}
loss-reason     not set
lost-to-peer    not set
lost-to-path-id not set
    Attributes:
     attribute-type    installed
     encap-key         not set
     encap-proto       0
     encap-spi         {spi}
     encap-auth        sha1-hmac,ah-sha1-hmac
     encap-encrypt     aes256
     public-ip         {public}
     public-port       {port}
     private-ip        {private}
     private-port      {port}
     public-ip         ::
     public-port       0
     private-ip        ::
     private-port      0
     bfd-status        {bfd}
     domain-id         not set
     site-id           {site}
     overlay-id        not set
     preference        0
     tag               not set
     stale             not set
     weight            1
     version           {version}
     gen-id             0x{gen:08X}
     carrier           default
     restrict          0
     groups            [ 0 ]
     bandwidth         0
     qos-group         default-group
     border             not set
     unknown-attr-len  not set

"""


@command("show sdwan omp tlocs", platforms=SDWAN)
def omp_tlocs(session, _):
    edge = edge_of(session)
    text = ""
    for tloc in edge.tlocs.values():
        text += entry(tloc, tloc.advert(), "0.0.0.0", "C,Red,R", "up")
    first = next(iter(edge.omp_up), "0.0.0.0")
    for other in session.device.world.fabric.edges:
        for tloc in other.tlocs.values():
            told = edge.told.get(tloc.key)
            if told and other is not edge:
                up = any(end.bfd for end in edge.ends if end.peer is tloc)
                text += entry(tloc, told, first, "C,I,R", "up" if up else "down")
    return text


def entry(tloc, advert, peer, status, bfd):
    return TLOC.format(ip=tloc.edge.system_ip, color=tloc.color, peer=peer, status=status, spi=advert.spi,
                       public=tloc.public, private=tloc.address, port=advert.port, bfd=bfd, site=tloc.edge.site,
                       version=advert.version,
                       gen=0x80000000 + advert.version)


@command("show sdwan ipsec local-sa [A]", platforms=SDWAN)
def local_sa(session, args):
    edge = edge_of(session)
    lines = ["                                          SOURCE           SOURCE                                  SOURCE            ",
             "TLOC ADDRESS     TLOC COLOR       SPI     IPv4             IPv6                                    PORT    KEY HASH  ",
             "-" * 118]
    for tloc in edge.tlocs.values():
        if args.get("a") in (None, edge.system_ip):
            lines += [f"{edge.system_ip:<16} {tloc.color:<16} {spi:<7} {tloc.address:<16} {'::':<39} {tloc.port:<7} {key}"
                      for spi, key in tloc.accepts]
    return "\n".join(lines + [""])


@command("show sdwan ipsec outbound-connections", platforms=SDWAN)
def outbound(session, _):
    edge = edge_of(session)
    lines = ["SOURCE                                  SOURCE  DEST                                    DEST                        REMOTE "
             "          REMOTE           AUTHENTICATION            NEGOTIATED                   ",
             "IP                                      PORT    IP                                      PORT    SPI     TUNNEL MTU  TLOC A"
             "DDRESS     TLOC COLOR       USED           KEY HASH   ENCRYPTION ALGORITHM  TC SPIs", "-" * 205]
    for end in edge.ends:
        use = edge.used.get(end.peer.key)
        if use and not end.cleared:
            lines.append(f"{end.tloc.address:<39} {end.tloc.port:<7} {end.peer.public:<39} {use.port:<7} {use.spi:<7} 1438        "
                         f"{end.peer.edge.system_ip:<16} {end.peer.color:<16} {'AH_SHA1_HMAC':<14} {use.key:<10} "
                         f"{'AES-GCM-256':<21} 8")
    return "\n".join(lines + [""])


@command("show sdwan security-info", platforms=SDWAN)
def security_info(session, _):
    fabric = session.device.world.fabric
    return ("security-info authentication-type deprecated\n"
            f"security-info rekey {fabric.rekey_seconds}\nsecurity-info replay-window 8192\n"
            "security-info encryption-supported AES_GCM_256\nsecurity-info fips-mode Disabled\n"
            f"security-info pairwise-keying {'Enabled' if fabric.pairwise else 'Disabled'}\n"
            "security-info pwk-sym-rekey Enabled\nsecurity-info extended-ar-window Disabled\n"
            'security-info integrity-type "ip-udp-esp esp"\n')
