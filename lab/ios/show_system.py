# SPDX-License-Identifier: MIT
"""The router itself: version, clock, log, privilege."""
from .clock import long_stamp, words
from .table import IOS, command

XE_VERSION = """Cisco IOS XE Software, Version 17.09.04a
Cisco IOS Software [Cupertino], Virtual XE Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 17.9.4a, {release}
Simulation for tests: this is no Cisco software
Compiled Fri 20-Oct-23 10:35 by nobody

ROM: IOS-XE ROMMON
{name} uptime is {up}
Uptime for this control processor is {up}
System returned to ROM by reload
System image file is "bootflash:packages.conf"
Last reload reason: reload
{mode}
cisco C8000V (VXE) processor (revision VXE) with 2028465K/3075K bytes of memory.
Processor board ID 9SIMULATED0
Router operating mode: {operating}
3 Gigabit Ethernet interfaces
32768K bytes of non-volatile configuration memory.
3965112K bytes of physical memory.
5234688K bytes of virtual hard disk at bootflash:.

Configuration register is 0x2102
"""
IOS_VERSION = """Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version 15.9(3)M7, RELEASE SOFTWARE (fc2)
Simulation for tests: this is no Cisco software
Compiled Mon 27-Mar-23 05:50 by nobody

ROM: System Bootstrap, Version 15.0(1r)M16, RELEASE SOFTWARE (fc1)

{name} uptime is {up}
System returned to ROM by reload
System image file is "flash0:c2900-universalk9-mz.SPA.159-3.M7.bin"
Last reload type: Normal Reload

Cisco CISCO2911/K9 (revision 1.0) with 483328K/40960K bytes of memory.
Processor board ID 9SIMULATED0
3 Gigabit Ethernet interfaces
DRAM configuration is 64 bits wide with parity enabled.
255K bytes of non-volatile configuration memory.

Configuration register is 0x2102
"""


@command("show version")
def version(session, _):
    d = session.device
    up = words(d.world.now() - d.booted)
    controller = d.platform == "sdwan"
    return (IOS_VERSION if d.platform == "ios" else XE_VERSION).format(
        name=d.hostname, up=up, release="RELEASE SOFTWARE (fc3)", operating="Controller-Managed" if controller else "Autonomous",
        mode="" if not controller else "\nThe current throughput level is 250000 kbps\n")


@command("show clock", platforms=IOS + ("asa",))
def clock(session, _):
    d = session.device
    return d.mark + long_stamp(d.world.now(), d.zone or "UTC") + "\n"


@command("show privilege")
def privilege(session, _):
    return f"Current privilege level is {session.privilege}\n"


@command("show users")
def users(session, _):
    return ("    Line       User       Host(s)              Idle       Location\n"
            f"*  2 vty 0     {session.user:<10} idle                 00:00:00 {session.transcript.client}\n\n"
            "  Interface    User               Mode         Idle     Peer Address\n")


@command("show terminal")
def terminal(session, _):
    return (f'Line 2, Location: "", Type: "xterm"\nLength: {session.length} lines, Width: {session.width} columns\n'
            "Baud rate (TX/RX) is 9600/9600\n")


@command("show ip interface brief")
def interfaces(session, _):
    d = session.device
    text = "Interface              IP-Address      OK? Method Status                Protocol\n"
    rows = {end.physical: (end.address, True) for end in d.ends}
    for tloc in d.edge.tlocs.values() if d.edge else []:
        rows[tloc.physical] = rows[tloc.interface] = (tloc.address, True)
    for end in d.ends:
        if end.interface not in rows:
            rows[end.interface] = (end.tunnel_address, bool(end.outbound))
    for name, (address, up) in sorted(rows.items()):
        text += f"{name:<22} {address:<15} YES NVRAM  {'up':<21} {'up' if up else 'down':<8}\n"
    return text


@command("show logging", privilege=15)
def logging(session, _):
    d, log = session.device, session.device.log
    trap = f"    Trap logging: level informational, {log.sent} message lines logged\n"
    if d.syslog:
        trap += (f"        Logging to {d.syslog[0]}  (udp port {d.syslog[1]}, audit disabled,\n              link up),\n"
                 f"              {log.sent} message lines logged, \n              0 message lines rate-limited, \n"
                 "              0 message lines dropped-by-MD, \n              xml disabled, sequence number disabled\n"
                 "              filtering disabled\n")
    return (f"Syslog logging: enabled (0 messages dropped, {log.limited} messages rate-limited, 0 flushes, 0 overruns, xml disabled, "
            "filtering disabled)\n\nNo Active Message Discriminator.\n\n\n\nNo Inactive Message Discriminator.\n\n\n"
            "    Console logging: disabled\n    Monitor logging: level debugging, 0 messages logged, xml disabled,\n"
            "                     filtering disabled\n"
            f"    Buffer logging:  level debugging, {log.logged} messages logged, xml disabled,\n"
            "                    filtering disabled\n    Exception Logging: size (4096 bytes)\n"
            "    Count and timestamp logging messages: disabled\n    Persistent logging: disabled\n\n"
            "No active filter modules.\n\n" + trap + "        Logging Source-Interface:       VRF Name:\n    TLS Profiles: \n\n"
            "Log Buffer (4096000 bytes):\n\n" + "".join(f"{line}\n" for line in log.buffer))
