# SPDX-License-Identifier: MIT
"""lab burst: 100,000 forged syslog lines a second, from a router's own address and from strangers, while that router has a
real fault. Nobody is logged in to because of them more often than the limits say, nothing is typed that a line says, and the
counters tell what came. The routers are lab/ios, a simulation; the flood, spimendd, ssh and sshd are real."""
import json
import multiprocessing
import random
import re
import socket
import time

from demo import say, title
from net import LabError
from routers import CASES, Noc, show

SECONDS, RATE = 5, 100_000  # lines a second, of all senders together
SENDERS = ("192.0.2.2", "127.0.0.66")  # the hub's own address; an address that is no source
FORMS = (  # what they say: other people's devices, peers that are none, commands, nonsense
    "<188>{n}: hub: *{at}: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
    "destaddr=192.0.2.2, prot=50, spi=0x{spi:X}({spi}), srcaddr=198.51.100.{peer}",
    "<188>{n}: spoke: *{at}: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
    "destaddr=192.0.2.3, prot=50, spi=0x{spi:X}({spi}), srcaddr=192.0.2.2",
    "<188>{n}: hub: *{at}: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
    "destaddr=192.0.2.2, prot=50, spi=0x{spi:X}({spi}), srcaddr=192.0.2.3; clear crypto sa",
    "<189>{n}: hub: *{at}: %SYS-5-CONFIG_I: Configured from console by $(reload) on vty0",
)


def forge(sender, seed, rate, seconds, told):
    """In a process of its own, in the namespace of the routers."""
    chance = random.Random(seed)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind((sender, 0))
    out.connect(("127.0.0.1", 5514))
    at = time.strftime("%b %d %Y %H:%M:%S.000", time.gmtime())
    lines = [chance.choice(FORMS).format(n=n, at=at, spi=chance.randrange(256, 1 << 32), peer=chance.randrange(1, 255))
             .encode() for n in range(4096)]
    began, sent = time.monotonic(), 0
    while (spent := time.monotonic() - began) < seconds:
        due = int(spent * rate) - sent
        for number in range(sent, sent + min(max(due, 0), 2000)):
            out.send(lines[number % len(lines)])
        sent += min(max(due, 0), 2000)
        if due <= 0:
            time.sleep(0.0005)
    told.put((sender, sent))


def entered(space):
    import ctypes
    import os
    with open(f"/run/netns/{space}", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
            raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


def sender(space, *given):
    entered(space)
    forge(*given)


def flood(space):
    told, seed = multiprocessing.Queue(), random.randrange(1 << 30)
    print(f"   seed {seed}", flush=True)
    children = [multiprocessing.Process(target=sender, args=(space, address, seed + n, RATE / len(SENDERS), SECONDS, told))
                for n, address in enumerate(SENDERS)]
    for child in children:
        child.start()
    return children, told


def unasked(noc, before):
    """What was typed and is neither a look nor the one repair of the real fault."""
    found = []
    for name in noc.case.platforms:
        for line in noc.typed(name)[before[name]:]:
            looks = re.match(r"show |terminal |enable$|exit$|$", line)
            mends = name == "spoke" and re.match(r"clear crypto sa (peer 192\.0\.2\.2|entry 192\.0\.2\.2 esp 0x[0-9A-F]+)$", line)
            if not looks and not mends:
                found.append(f"{name}: {line}")
    return found


def play(given):
    noc = Noc(CASES["desync"], given.wait)
    problems = []
    try:
        title("A forged burst: 100,000 lines a second while a router has a real fault")
        noc.start()
        before = {name: len(noc.typed(name)) for name in noc.case.platforms}
        say(f"{RATE} lines a second for {SECONDS} s: half of them with the hub's own address, half from {SENDERS[1]}, which is no source. "
            "They name other devices, peers that are none, and commands. In the middle of it: " + noc.case.fault(noc.world))
        children, told = flood(noc.space)
        time.sleep(SECONDS / 2)
        noc.world.advance(70)
        for child in children:
            child.join()
        sent = dict(told.get(timeout=5) for _ in children)
        time.sleep(3)
        say("Sent: " + ", ".join(f"{count} from {address}" for address, count in sorted(sent.items())))
        say("$ spimend status")
        show(noc.spimend("status"))
        status = [json.loads(line) for line in noc.spimend("status", "--json").splitlines() if line.startswith("{")][0]
        typed = {name: noc.typed(name)[before[name]:] for name in noc.case.platforms}
        for name, lines in typed.items():
            say(f"typed on {name} since: {len(lines)} lines, {len(set(lines))} different")
            show("\n".join(sorted(set(lines))))
        real = lambda: [one for one in noc.incidents() if one["verdict"] == "desync"]  # noqa: E731
        noc.until(lambda: any(one["state"] in ("healed", "gave-up", "unverified") for one in real()), "the real fault stays open")
        for one in real():
            say(f"$ spimend explain {one['id']}")
            show(noc.spimend("explain", one["id"]))
        wrong = unasked(noc, before)
        problems += [f"typed because a line said so: {wrong}"] if wrong else []
        problems += check(status, sent)
        problems += [] if [one["state"] for one in real()] == ["healed"] else ["the real fault is not healed, or there are more"]
    finally:
        noc.end()
    return problems


def check(status, sent):
    """What was sent is what was taken, refused and lost. The routers' own lines come on top."""
    syslog, problems = status["syslog"], []
    told = syslog["received"] + syslog["lost"]
    if told < sum(sent.values()):
        problems.append(f"{sum(sent.values())} were sent, {told} are accounted for")
    if syslog["fates"]["foreign"] > sent[SENDERS[1]] or syslog["fates"]["foreign"] + syslog["lost"] < sent[SENDERS[1]]:
        problems.append(f"{syslog['fates']['foreign']} of strangers, who sent {sent[SENDERS[1]]}")
    return problems


def burst(given):
    problems = play(given)
    if problems:
        raise LabError("; ".join(problems))
