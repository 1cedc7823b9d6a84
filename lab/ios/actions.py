# SPDX-License-Identifier: MIT
"""What changes something: the session's own state, and the tunnels'."""
from .table import IOS, XE, Refused, command

ALL = IOS + ("asa",)
BOTH = ("sdwan",)


# --- the session

@command("enable", platforms=ALL)
async def enable(session, _):
    if session.privilege == 15:
        return
    wanted = session.device.enable_password
    if wanted is not None:
        for _ in range(3):
            typed = await session.read_line("Password: ", echo=False)
            if typed == wanted:
                break
            if session.device.platform == "asa":
                await session.put("Invalid password\n")
        else:
            raise Refused("Access denied." if session.device.platform == "asa" else "% Bad secrets", gap=True)
    session.privilege = 15


@command("disable", platforms=ALL)
def disable(session, _):
    session.privilege = 1


@command("exit", "logout", "quit", platforms=ALL)
def leave(session, _):
    raise ConnectionError


@command("terminal length N")
def length(session, args):
    session.length = int(args["n"])


@command("terminal width N", platforms=ALL)
def width(session, args):
    session.width = int(args["n"])


@command("terminal pager N", platforms=("asa",))
def pager(session, args):
    session.length = int(args["n"])


@command("terminal monitor", platforms=ALL)
def monitor(session, _):
    session.monitor = True


@command("terminal no monitor", platforms=ALL)
def no_monitor(session, _):
    session.monitor = False


@command("terminal exec prompt timestamp", "terminal history size N")
def nothing(session, args):
    if "timestamp" in args:
        session.device.load_lines = True


@command("clear logging", privilege=15, confirm="Clear logging buffer [confirm]")
def clear_logging(session, _):
    session.device.log.buffer.clear()


@command("reload", privilege=15, confirm="Proceed with reload? [confirm]", platforms=ALL)
def reload(session, _):
    session.device.world.faults.reload(session.device.name, seconds=3.0)
    raise ConnectionError


# --- IKE tunnels

def matching(session, address):
    return [(link, end) for link, end in session.device.world.links_of(session.device) if end.peer_address == address]


@command("clear crypto sa peer A", "clear crypto ipsec sa peer A", privilege=15, platforms=IOS)
def clear_peer(session, args):
    for link, end in matching(session, args["a"]):
        link.clear_sas(end, end.inbound + end.outbound)
    if session.device.edge:  # B17: it succeeds, and nobody makes new ones
        session.device.world.fabric.clear_sa(session.device.edge, args["a"])


@command("clear ipsec sa peer A", "clear crypto ipsec sa peer A", privilege=15, platforms=("asa",))
def clear_peer_asa(session, args):
    clear_peer(session, args)


@command("clear crypto sa entry A esp SPI", "clear crypto sa entry A ah SPI", privilege=15)
def clear_entry(session, args):
    text = args["spi"]
    spi = int(text, 16) if text.lower().startswith("0x") else int(text) if text.isdigit() else int(text, 16)
    for link, end in session.device.world.links_of(session.device):
        where = end.outbound if args["a"] == end.peer_address else end.inbound if args["a"] == end.address else []
        found = [sa for sa in where if sa.spi == spi]
        if found:
            link.clear_sas(end, [sa for sa in end.inbound + end.outbound if sa.pair == found[0].pair])
            return
    raise Refused("% SA not found", gap=True)


@command("clear crypto sa spi SPI", privilege=15)
def clear_spi(session, args):
    spi = int(args["spi"], 16)
    for link, end in session.device.world.links_of(session.device):
        found = [sa for sa in end.inbound + end.outbound if sa.spi == spi]
        if found:
            link.clear_sas(end, [sa for sa in end.inbound + end.outbound if sa.pair == found[0].pair])


@command("clear crypto sa counters", privilege=15)
def clear_counters(session, _):
    for _, end in session.device.world.links_of(session.device):
        end.encaps = end.decaps = end.no_sa = end.invalid_sa = 0
    for end in session.device.edge.ends if session.device.edge else []:
        end.encaps = end.decaps = end.invalid_sa = 0


@command("clear crypto sa", "clear crypto ipsec sa", privilege=15)
def clear_all(session, _):
    for link, end in session.device.world.links_of(session.device):
        link.clear_sas(end, end.inbound + end.outbound)
    if session.device.edge:
        for end in session.device.edge.ends:
            session.device.world.fabric.clear_sa(session.device.edge, end.peer.public)


def forget_ike(session, version, address=None, conn=None, children=False):
    for link, end in session.device.world.links_of(session.device):
        if version not in (None, link.version) or address not in (None, end.peer_address):
            continue
        for ike in list(end.ike):
            if conn is None or ike.conns[end] == conn:
                link.clear_ike(end, ike, children)


@command("clear crypto isakmp [N]", privilege=15)
def clear_isakmp(session, args):
    forget_ike(session, 1, conn=int(args["n"]) if "n" in args else None)


@command("clear crypto ikev2 sa [remote A]", privilege=15, platforms=ALL)
def clear_ikev2(session, args):
    forget_ike(session, 2, args.get("a"), children=True)


@command("clear crypto session [remote A]", privilege=15)
def clear_session(session, args):
    forget_ike(session, None, args.get("a"), children=True)
    for link, end in session.device.world.links_of(session.device):
        if args.get("a") in (None, end.peer_address):
            link.clear_sas(end, end.inbound + end.outbound)


# --- SD-WAN

def edge_of(session):
    if session.device.edge is None:
        raise Refused("% SD-WAN is not running on this device")
    return session.device.edge


@command("request platform software sdwan security ipsec-rekey", privilege=15, platforms=BOTH)
def ipsec_rekey(session, _):
    session.device.world.fabric.rekey(edge_of(session))


@command("request platform software sdwan port_hop color WORD", privilege=15, platforms=BOTH)
def port_hop(session, args):
    edge = edge_of(session)
    if args["word"] not in edge.tlocs:
        raise Refused(f"Error: no TLOC with color {args['word']}")
    session.device.world.fabric.port_hop(edge, args["word"])


@command("clear sdwan omp all", privilege=15, platforms=BOTH)
def omp_all(session, _):
    session.device.world.fabric.clear_omp(edge_of(session))


@command("clear sdwan control connections", privilege=15, platforms=BOTH)
def control_connections(session, _):
    session.device.world.fabric.clear_control(edge_of(session))


@command("clear platform hardware qfp active statistics drop", privilege=15, platforms=XE)
def clear_drops(session, _):
    session.device.drops.clear()
    session.device.octets.clear()


