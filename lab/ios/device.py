# SPDX-License-Identifier: MIT
"""One router: its name, its log, its counters and memory. What it shares with others is in ike.py and sdwan.py."""
import collections

from .clock import stamp
from .log import Log

TRACE_LINES = 2000
# The names `datapath drops all` prints on IOS XE, in its order and with the numbers of one release.
DROP_NAMES = {
    1: "IN_V4_PKT_HIT_INVALID_SA", 2: "IN_CLEAR_US_V4_PSTATE_SB_FAILED", 3: "IN_US_V4_PKT_FOUND_IPSEC_NOT_ENABLED",
    4: "IN_US_V4_PKT_SA_NOT_FOUND_SPI", 5: "IN_TUNNEL_US_V4_PKT_IPSEC_NO_KEEP", 6: "IN_TRANS_CL_V4_PKT_FAILED_POLICY",
    7: "IN_TRANS_V4_IPSEC_PKT_NOT_FOUND_SPI", 8: "IN_US_CL_V4_PKT_FAILED_POLICY", 9: "IN_V6_PKT_HIT_INVALID_SA",
    12: "IN_US_V6_PKT_SA_NOT_FOUND_SPI", 17: "IN_CPP_FAIL_NOTIF_SA_SOFT_EXPIRY", 18: "IN_CD_SW_IPSEC_HARD_EXPIRY",
    19: "IN_CD_SW_IPSEC_ANTI_REPLAY_FAIL", 20: "IN_UNEXP_CD_SW_IPSEC_EXCEPTION", 32: "OUT_V4_PKT_HIT_INVALID_SA",
    33: "OUT_V4_PKT_HIT_IKE_START_SP", 43: "OUT_CPP_FAIL_NOTIF_SA_SOFT_EXPIRY", 44: "OUT_CD_SW_IPSEC_HARD_EXPIRY",
    46: "OUT_CD_SW_IPSEC_DETECT_SEQ_OVEFLOW", 62: "IN_CD_SW_IPSEC_MAC_EXCEPTION", 68: "CD_SW_IPSEC_PKT_HIT_INVALID_SA",
    111: "OUT_IPV4_SA_NOT_FOUND", 112: "OUT_IPV6_SA_NOT_FOUND", 116: "CD_IN_PKT_OUT_OF_WINDOW"}
DEFAULTS = {
    "platform": "ios-xe",           # ios, ios-xe, sdwan (IOS XE in controller mode), asa
    "host": "127.0.0.1", "port": 0,  # where its sshd listens; its syslog comes from that address
    "address": "192.0.2.1",         # where its tunnels end, unless a tunnel says otherwise
    "privilege": 1,                 # of a fresh session
    "levels": {},                   # account: privilege, where it is another
    "enable": None,                 # the password of `enable`; None: asks none
    "motd": "", "login": "", "exec": "",  # banners; that of `login` is sshd's
    "zone": "", "mark": "", "origin": "",  # how its log lines are framed
    "log_interface": True,          # ", input interface=..." after an unknown SPI
    "log_limit": "device",          # one line a minute for the device, or one for each "flow" (B3; which is unconfirmed)
    "log_seconds": 60,
    "syslog": None,                 # [address, port]
    "recovery": False,              # crypto isakmp invalid-spi-recovery (B11)
    "deletes": True,                # tells the sender of an unknown SPI over an IKE SA that is there (B10)
    "session_log": True,            # crypto logging session
    "load_lines": False,            # exec prompt timestamp
    "manual": False,                # has an OSPFv3 neighbour whose SAs are keyed by hand
    "trace": True,                  # monitor event-trace crypto is on
    "language": "en", "echo": True,
    "confirm": {},                  # command (as the table names it) to the question it asks first
    "deny": [],                     # commands that the AAA server refuses
}


class Device:
    def __init__(self, world, name, options):
        unknown = set(options) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"device {name}: no such option: {', '.join(sorted(unknown))}")
        self.world, self.name, self.hostname = world, name, name
        for key, value in DEFAULTS.items():
            setattr(self, "enable_password" if key == "enable" else "traced" if key == "trace" else f"banner_{key}"
                    if key in ("motd", "login", "exec") else key, options.get(key, value))
        self.up, self.booted = True, world.now() - 1234567
        self.ends, self.edge = [], None
        self.config, self.next_conn = [], 2001
        self.reset()
        self.log = Log(self)
        self.behaviour = {}
        self.sessions = set()

    def reset(self):
        """What a reload loses."""
        self.drops, self.octets = collections.Counter(), collections.Counter()
        self.trace, self.spis = collections.deque(maxlen=TRACE_LINES), {}

    def conn_id(self):
        self.next_conn += 1
        return self.next_conn

    def drop(self, name, packets, size=120):
        self.drops[name] += packets
        self.octets[name] += packets * size

    def remember(self, kind, text):
        """One line of `show monitor event-trace crypto ipsec event`."""
        if self.traced:
            self.trace.append(f"{stamp(self.world.now(), mark='*')}: IPSEC-EVENT:{kind}:  SESSION ID:0, {text}")

    def learn_spi(self, spi):
        """The inbound SPIs that `show crypto ipsec spi-lookup detail` knows: (handle, when)."""
        self.spis[spi] = (0x40003000 + len(self.spis) * 11 + 2, self.world.now())
        while len(self.spis) > 64:
            del self.spis[next(iter(self.spis))]
