# SPDX-License-Identifier: MIT
"""Configuration: enough of it to be typed and read back."""
from .table import IOS, Refused, command


@command("configure terminal", privilege=15, platforms=IOS + ("asa",))
async def configure(session, _):
    d = session.device
    if d.platform != "asa":
        await session.put("Enter configuration commands, one per line.  End with CNTL/Z.\n")
    session.mode = "config"
    try:
        while True:
            line = await session.read_line(session.bad.prompt(session.prompt()))
            words = (line or "").split()
            if line:
                session.transcript.command(session, line)
            if not words or words[0] == "!":
                continue
            if words[0] in ("end", "exit"):
                break
            await typed(session, words, line)
    finally:
        session.mode = "exec"
    d.log.say(f"%SYS-5-CONFIG_I: Configured from console by {session.user} on vty0 ({session.transcript.client})")


async def typed(session, words, line):
    d = session.device
    if words[0] == "do":
        await session.obey(line.strip()[2:])
    elif words[0] == "hostname" and len(words) == 2:
        d.hostname = words[1]
    elif words == ["crypto", "isakmp", "invalid-spi-recovery"]:
        d.recovery = True
    elif words == ["no", "crypto", "isakmp", "invalid-spi-recovery"]:
        d.recovery = False
    elif words[0] in ("logging", "service", "snmp-server", "interface", "ip", "event", "action", "crypto", "no", "description"):
        d.config.append(line.rstrip())
    else:
        await session.put(session.bad.translated(
            Refused("% Invalid input detected at '^' marker.", column=0).text(session.prompt())))


@command("show running-config [LINE]", privilege=15, platforms=IOS)
def running(session, args):
    if "line" in args and not args["line"].startswith("all"):
        return part(session.device, args["line"])
    return configuration(session.device)


def part(d, wanted):
    """`show running-config interface Tunnel1` and the like."""
    from .session import section
    kept = section(configuration(d).split("\n"), lambda line: line.replace(" ", "").lower().startswith(
        wanted.replace(" ", "").lower()))
    return "\n".join(["Building configuration...", "", "Current configuration : 212 bytes", "!", *kept, "end", ""])


def configuration(d):
    lines = ["!", "version 15.9" if d.platform == "ios" else "version 17.9", "service timestamps debug datetime msec",
             "service timestamps log datetime msec", "!", f"hostname {d.hostname}", "!"]
    if d.recovery:
        lines += ["crypto isakmp invalid-spi-recovery", "!"]
    if d.session_log:
        lines += ["crypto logging session"]
    for version in sorted({link.version for link, _ in d.world.links_of(d)}):
        lines += policy(version)
    lines += ["crypto ipsec transform-set AES256 esp-aes 256 esp-sha256-hmac ", " mode tunnel", "!"]
    ends = [end for _, end in d.world.links_of(d)]
    if any(end.interface.startswith("Tunnel") for end in ends):
        lines += ["crypto ipsec profile PROTECT", " set transform-set AES256 ", "!"]
    lines += maps(ends)
    for end in {end.interface: end for end in ends}.values():
        lines += tunnel(end)
    for name, address in physical(d, ends):
        lines += [f"interface {name}", f" ip address {address} 255.255.255.0"]
        lines += [f" crypto map {one}" for one in sorted({end.map for end in ends if end.interface == name})] + ["!"]
    for tloc in d.edge.tlocs.values() if d.edge else []:
        lines += [f"interface {tloc.interface}", " no shutdown", f" ip unnumbered {tloc.physical}", f" tunnel source {tloc.physical}",
                  " tunnel mode sdwan", "!"]
    lines += d.config
    if d.syslog:
        lines += [f"logging host {d.syslog[0]} transport udp port {d.syslog[1]}"]
    lines += ["line vty 0 4", " transport input ssh", "!", "end", ""]
    text = "\n".join(lines)
    return f"Building configuration...\n\nCurrent configuration : {len(text)} bytes\n{text}"


def policy(version):
    if version == 1:
        return ["crypto isakmp policy 10", " encryption aes 256", " hash sha256", " authentication pre-share", " group 14",
                "crypto isakmp key 6 NOT-A-KEY address 0.0.0.0", "!"]
    return ["crypto ikev2 keyring KEYS", " peer ANY", "  address 0.0.0.0 0.0.0.0", "  pre-shared-key 6 NOT-A-KEY", " !",
            "crypto ikev2 profile PEERS", " match identity remote any", " authentication remote pre-share",
            " authentication local pre-share", " keyring local KEYS", "!"]


def maps(ends):
    lines, number = [], 10
    for end in ends:
        if end.kind == "static-crypto-map":
            lines += [f"crypto map {end.map} {number} ipsec-isakmp ", f" set peer {end.peer_address}",
                      " set transform-set AES256 ", f" match address VPN{number}", "!"]
            number += 10
    if any(end.kind == "dynamic-crypto-map" for end in ends):
        name = next(end.map for end in ends if end.kind == "dynamic-crypto-map")
        lines += ["crypto dynamic-map ANYONE 10", " set transform-set AES256 ", "!",
                  f"crypto map {name} 65000 ipsec-isakmp dynamic ANYONE ", "!"]
    return lines


def tunnel(end):
    if not end.interface.startswith("Tunnel"):
        return []
    mask = "255.255.0.0" if end.kind.startswith("mgre") else "255.255.255.0"
    lines = [f"interface {end.interface}", f" ip address {end.tunnel_address} {mask}"]
    if end.kind.startswith("mgre"):
        lines += [" ip nhrp network-id 1"]
        if end.kind == "mgre-nhrp-static":
            lines += [f" ip nhrp map 172.16.0.1 {end.peer_address}", " ip nhrp nhs 172.16.0.1"]
        lines += [f" tunnel source {end.physical}", " tunnel mode gre multipoint"]
    else:
        lines += [f" tunnel source {end.physical}"] + ([" tunnel mode ipsec ipv4"] if end.kind == "svti" else []) \
            + [f" tunnel destination {end.peer_address}"]
    return lines + [" tunnel protection ipsec profile PROTECT", "!"]


def physical(d, ends):
    seen = {end.physical: end.address for end in ends}
    for tloc in d.edge.tlocs.values() if d.edge else []:
        seen[tloc.physical] = tloc.address
    return seen.items()
