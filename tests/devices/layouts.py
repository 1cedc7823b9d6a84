# SPDX-License-Identifier: MIT
"""The layouts, held against real outputs where those lie beside the repository (../shared/corpus/devices):
each line of ours, less its values, stands in an output of the same command of a real device."""
import glob
import os
import re

from client import Client
from expect import expect
from ios.api import World
from suite import ROOT

CORPUS = os.path.join(ROOT, "..", "shared", "corpus", "devices")
# Device, our command, whose outputs (folders of the corpus), and lines of ours that no sample has, for a reason.
CODES = (  # from memory: the one sample begins below them
    "# # # ACTIVE aes # psk # # D", "Codes: C - IKE configuration mode, D - Dead Peer Detection", "K - Keepalives, N - NAT-traversal",
    "T - cTCP encapsulation, X - IKE Extended Authentication", "psk - Preshared key, rsig - RSA signature", "renc - RSA encryption")
COMMANDS = [
    ("rt", "show crypto ipsec sa", "genie/iosxe/ShowCryptoIpsecSa* ntc/cisco_ios/show_crypto_ipsec_sa_detail", ()),
    ("rt", "show crypto ipsec sa detail", "genie/iosxe/ShowCryptoIpsecSa* ntc/cisco_ios/show_crypto_ipsec_sa_detail", ()),
    ("rt", "show crypto isakmp sa", "genie/iosxe/ShowCryptoIsakmpSa", ()),
    ("rt", "show crypto isakmp sa detail", "genie/iosxe/ShowCryptoIsakmpSaDetail", CODES),
    ("rt", "show crypto ikev2 sa detail", "genie/iosxe/ShowCryptoIkev2Sa*", ()),
    ("rt", "show crypto ikev2 session", "genie/iosxe/ShowCryptoIkev2Session", ()),
    ("rt", "show crypto session detail", "genie/*/ShowCryptoSession*", ()),
    ("rt", "show crypto map", "genie/iosxe/ShowCryptoMap", (
        "#: { transform } ,", "# { transform } ,", "Extended IP access list", "Interfaces using crypto map #:", "Map is a PROFILE INSTANCE.")),
    ("rt", "show crypto sockets", "genie/iosxe/ShowCryptoSockets", ()),
    ("rt", "show ip nhrp", "genie/iosxe/ShowIpNhrp*", ()),
    ("rt", "show dmvpn", "genie/iosxe/ShowDmvpn*", ("# # # UP # D", "Type:Hub, NHRP #,")),
    ("rt", "show crypto ipsec spi-lookup detail", "genie/iosxe/ShowCryptoIpsecSpiLookupDetail", ()),
    ("rt", "show monitor event-trace crypto ipsec event all", "genie/iosxe/ShowMonitorEventTraceCrypto*", ()),
    ("rt", "show platform hardware qfp active feature ipsec datapath drops all",
     "genie/iosxe/ShowPlatformHardwareQfpActiveFeatureIpsecDatapathDropsAll", ()),
    ("rt", "show platform hardware qfp active statistics drop", "genie/iosxe/ShowPlatformHardwareQfpStatisticsDrop", ()),
    ("rt", "show logging", "genie/iosxe/ShowLogging genie/ios/ShowLogging", ()),
    ("wan", "show sdwan bfd sessions", "genie/iosxe/ShowSdwanBfdSessions", ()),
    ("wan", "show sdwan bfd summary", "ntc/cisco_ios/show_sdwan_bfd_summary", ()),
    ("wan", "show sdwan control connections", "*/*/*[sS]dwan*ontrol*onnections", ()),
    ("wan", "show sdwan control local-properties", "genie/iosxe/ShowSdwanControlLocalProperties", ()),
    ("wan", "show sdwan omp peers", "genie/iosxe/ShowSdwanOmpPeers", ()),
    ("wan", "show sdwan omp tlocs", "genie/iosxe/ShowSdwanOmpTlocs", ()),
    ("wan", "show sdwan omp summary", "genie/iosxe/ShowSdwanOmpSummary", ()),
    ("wan", "show sdwan ipsec local-sa", "genie/iosxe/ShowSdwanIpsecLocalsa", ()),
    ("wan", "show sdwan ipsec outbound-connections", "genie/iosxe/ShowSdwanIpsecOutboundConnections", ()),
    ("wan", "show sdwan security-info", "genie/iosxe/ShowSdwanSecurityInfo", ()),
    ("fw", "show crypto ipsec sa", "ntc/cisco_asa/show_crypto_ipsec_sa", ()),
    ("fw", "show crypto ikev2 sa", "genie/asa/ShowCryptoIkev2Sa", (
        "Encr: AES-CBC, keysize: #, Hash: #, DH #, Auth sign: PSK, Auth verify: PSK",)),
    ("fw", "show asp drop", "genie/asa/ShowAspDrop ntc/cisco_asa/show_asp_drop", ()),
    ("fw", "show logging", "ntc/cisco_asa/show_logging", (
        "ASDM logging: disabled", "Buffer logging: level informational, # messages logged", "Console logging: disabled",
        "Hide Username logging: enabled")),
]


def world():
    w = World(seed=3)
    w.device("rt", address="192.0.2.1", privilege=15, manual=True, syslog=["127.0.0.1", 9])
    w.device("wan", address="10.10.10.1", platform="sdwan", privilege=15)
    w.device("fw", address="203.0.113.4", platform="asa", privilege=15)
    for number, kind in enumerate(("svti", "static-crypto-map", "gre-p2p", "mgre-nhrp-static")):
        w.device(f"peer{number}", ssh=False, address=f"198.51.100.{number + 1}")
        w.tunnel("rt", f"peer{number}", kind=["mgre-nhrp-dynamic", kind] if number == 3 else kind, ike=1 + number % 2, dpd=[10, 3])
    w.device("peer4", ssh=False, platform="sdwan", address="10.20.20.1")
    w.tunnel("fw", "peer0", kind="static-crypto-map")
    w.sdwan(*({"device": name, "system_ip": f"172.16.255.{n}", "site": n, "tlocs": [{"color": "mpls", "address": address}]}
              for n, (name, address) in enumerate((("wan", "10.10.10.1"), ("peer4", "10.20.20.1")), 1)))
    return w.start()


def bones(line):
    """A line without its values: what has a digit, or is a name, becomes #; blanks are one."""
    line = re.sub(r"\s+", " ", re.sub(r"-{10,}", "----", line.strip()))
    line = re.sub(r"(?<![\w.-])[\w./:*@-]*\d[\w./:*@-]*", "#", line)
    line = re.sub(r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ", "# ", re.sub(r"[#*]?\*", "", line))
    line = re.sub(r"(?:#|esp-[\w-]+) (?:#|esp-[\w-]+)(?= ?[,}])", "transform", line)
    line = re.sub(r"(organization-name|dns-name|Profile:|Map-name:) \S+", r"\1 #", line)
    line = re.sub(r"\b(mpls|gold|lte|biz-internet|private\d|default|custom1|vpn-map|\w+-MAP|outside\d?)\b", "#", line)
    return re.sub(r"(?<=#) [A-Za-z-]+(?: - #)?(?= # (?:No|Yes|-) )", " #", line)


def samples(folders):
    found = [path for folder in folders.split() for path in glob.glob(os.path.join(CORPUS, folder, "*"))
             if path.endswith((".raw", "_output.txt"))]
    lines = set()
    for path in found:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines.update(bones(line) for line in file)
    return lines


def layouts(w):
    problems = []
    for name in ("rt", "wan", "fw"):
        with Client(w, name) as c:
            c.until()
            c.do("terminal pager 0" if name == "fw" else "terminal length 0")
            c.do("terminal width 511")
            for device, command, folders, ours in COMMANDS:
                if device != name:
                    continue
                real = samples(folders)
                shown = c.do(command)
                problems += expect(command, shown, absent=["% Invalid"])
                mine = {bones(line) for line in shown.splitlines() if line.strip()}
                unknown = sorted(mine - real - set(ours)) if real else []
                problems += [f"{command}: no real output has {line!r}" for line in unknown]
    return problems


TESTS = [("layouts, held against real outputs", layouts)]
