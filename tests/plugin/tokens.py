# SPDX-License-Identifier: MIT
"""Quick crash detection (RFC 6290) between two charons with our plugin, and the unprotected INVALID_SPI (RFC 7296 1.5).

B answers only (its peer is %any): killed and started again, it cannot initiate. The test makes tokens by itself, from B's
secret file and doc/plugin-protocol.md, to present right and wrong ones."""
import hashlib
import hmac
import os
import random
import shutil
import stat
import struct
import subprocess
import time

import client as wire_client
import safety
import wire
from orders import expect
from reports import ENCRYPTED, INVALID_IKE_SPI, INVALID_SPI, NOTIFY, notify, send_from_stranger
from world import World

QCD_TOKEN, RESPONSE, INITIATOR = 16419, 0x20, 0x08
INFORMATIONAL, CREATE_CHILD_SA, IKE_AUTH = 37, 36, 35
UDP = 17


# --- small tools ------------------------------------------------------------------------------------------------------

def plugs(lab, sides="AB", on=True):
    """Clients of both ends, with crash detection switched on."""
    flags = wire_client.CRASH_ON if on else 0
    return [lab.plug(getattr(lab, side.lower()), flags=flags) for side in sides]


def switch_on(lab):
    """At both ends, and an IKE SA that was made since."""
    clients = plugs(lab)
    for each in clients:
        assert each.crash, "crash detection is off"
    with lab.a.vici() as vici:
        for sa in lab.a.ike_sas():
            vici.call("terminate", ike_id=sa["uniqueid"], timeout=5000)
    lab.wait(lambda: not lab.a.ike_sas() and not lab.b.ike_sas(), 5, "the old IKE SA to go")
    lab.a.initiate()
    lab.wait(lab.traffic.answers, 5, "the tunnel")
    for each in clients:
        each.heard.clear()
    return clients


def spis(lab):
    """(initiator's, responder's) of A's newest IKE SA, and whether A began it."""
    sa = max(lab.a.ike_sas(), key=lambda sa: int(sa["uniqueid"]))
    return int(sa["initiator-spi"], 16), int(sa["responder-spi"], 16), sa.get("initiator") == "yes"


def secret_of(side):
    with open(os.path.join(side.folder, "secret"), "rb") as file:
        return file.read()


def token_of(side, spi_i, spi_r, initiator):
    """doc/plugin-protocol.md, "Quick crash detection"."""
    data = b"spimend RFC 6290 token" + struct.pack("!QQ", spi_i, spi_r) + bytes([initiator])
    return hmac.new(secret_of(side), data, hashlib.sha256).digest()[:16]


def message(spi_i, spi_r, first, body, exchange=INFORMATIONAL, flags=RESPONSE, mid=0, version=0x20):
    return struct.pack("!QQBBBBII", spi_i, spi_r, first, version, exchange, flags, mid, 28 + len(body)) + body


def presented(spi_i, spi_r, *tokens, error=INVALID_IKE_SPI, exchange=INFORMATIONAL):
    """What the end that forgot says: N(INVALID_IKE_SPI), N(QCD_TOKEN)+ (RFC 6290 4.5)."""
    body = notify(error, following=NOTIFY, data=b"" if error == INVALID_IKE_SPI else b"\1\2\3\4")
    for number, token in enumerate(tokens):
        body += notify(QCD_TOKEN, protocol=1, data=token, following=NOTIFY if number < len(tokens) - 1 else 0)
    return message(spi_i, spi_r, NOTIFY, body, exchange=exchange)


def to_a(lab, packets):
    """From the stranger: a token counts, not where it comes from (RFC 6290 3)."""
    class Other:
        net, b = lab.net, lab.a
    send_from_stranger(Other, packets)


def question(spi_i, spi_r, size=80, **more):
    """A request as a peer would send it; what is inside nobody can read."""
    return message(spi_i, spi_r, ENCRYPTED, b"\0\0" + struct.pack("!H", size - 28) + os.urandom(size - 32),
                   **dict({"flags": INITIATOR}, **more))


def ike_sent(lab, source, since=0.0):
    """IKE messages that came from that address: (target, target port, message)."""
    for at, frame in wire.records(lab.wire):
        packet = wire.network(frame) if at >= since else None
        if not packet or packet[0] != source or packet[2] != UDP:
            continue
        port_from, port_to = struct.unpack("!HH", packet[3][:4])
        data = packet[3][8:]
        if 4500 in (port_from, port_to) and 500 not in (port_from, port_to):
            if data[:4] != b"\0\0\0\0":
                continue
            data = data[4:]
        if len(data) >= 28:
            yield packet[1], port_to, data


def in_the_clear(lab, source, since=0.0):
    return [sent for sent in ike_sent(lab, source, since)
            if sent[2][16] == NOTIFY and sent[2][18] in (INFORMATIONAL, CREATE_CHILD_SA)]


def restart_b(lab):
    lab.b.kill()
    if os.path.exists(lab.socket_of(lab.b)):
        os.unlink(lab.socket_of(lab.b))
    lab.b.start()
    lab.wait(lambda: os.path.exists(lab.socket_of(lab.b)), 10, "the plugin's socket")


def healed(lab, a, ike_id, what="liveness", seconds=5):
    """A asks B over the IKE SA that B lost. Returns (problems, seconds until traffic flowed)."""
    problems, began = [], time.monotonic()
    if what == "liveness":
        a.send("liveness", ike_id=ike_id, wait_ms=4000)
    else:
        lab.a.call("rekey", child_id=lab.a.child()["uniqueid"])
    heard = a.reports("crash-detected", seconds, ike_id=ike_id)
    noticed = time.monotonic() - began
    expect(problems, "A heard that B crashed", [(m["remote"], m["flags"]) for m in heard], [(lab.b.address, wire_client.ANEW)])
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers(), seconds):
        problems.append(f"not healed: children {lab.counts()}")
    if not a.reports("ike-died", 1, ike_id=ike_id, reason="peer-crashed"):
        problems.append(f"why it died: {a.reports('ike-died')}")
    print(f"plugin: by {what}: noticed after {noticed:.3f} s, traffic after {time.monotonic() - began:.3f} s", flush=True)
    return problems


def ike_id(lab):
    return int(max(lab.a.ike_sas(), key=lambda sa: int(sa["uniqueid"]))["uniqueid"])


# --- what happens to whom -----------------------------------------------------------------------------------------------

def off_by_default(lab):
    problems = []
    clients = plugs(lab, on=False)
    expect(problems, "on", [each.crash for each in clients], [False, False])
    since = time.time()
    send_from_stranger(lab, [question(1, 2)])
    clients[1].reports("unknown-ike-sa", 3)
    expect(problems, "answers", in_the_clear(lab, lab.b.address, since), [])
    expect(problems, "secrets", [os.path.exists(os.path.join(side.folder, "secret")) for side in (lab.a, lab.b)], [False, False])
    return problems


def receiver_restarted(lab):
    """The case that it is for: without it A, which has no DPD, would not notice for an hour."""
    a, b = switch_on(lab)
    known = ike_id(lab)
    restart_b(lab)
    problems = healed(lab, a, known)
    with lab.plug(lab.b) as b:
        if not b.crash:
            problems.append("off after a restart, with nobody there to switch it on")
    return problems


def again_and_again(lab):
    """The second time as the first: the new IKE SA has its own tokens."""
    problems = []
    a, b = switch_on(lab)
    for _ in range(2):
        known = ike_id(lab)
        restart_b(lab)
        problems += healed(lab, a, known)
        a.heard.clear()
    return problems


def answered_in_a_rekey(lab):
    """The answer has the exchange of its question (RFC 7296 1.5): CREATE_CHILD_SA, in the clear."""
    a, b = switch_on(lab)
    known = ike_id(lab)
    restart_b(lab)
    return healed(lab, a, known, what="rekey")


def after_rekey(beginner):
    def test(lab):
        problems = []
        a, b = switch_on(lab)
        before, side = spis(lab), getattr(lab, beginner.lower())
        side.call("rekey", ike_id=max(side.ike_sas(), key=lambda sa: int(sa["uniqueid"]))["uniqueid"])
        lab.wait(lambda: len(lab.a.ike_sas()) == len(lab.b.ike_sas()) == 1 and spis(lab) != before, 5, "the rekey")
        time.sleep(0.5)  # who began says its token in an exchange of its own
        expect(problems, "who began it", spis(lab)[2], beginner == "A")
        to_a(lab, [presented(before[0], before[1], token_of(lab.b, before[0], before[1], not before[2]))])
        if not a.reports("token-refused", 3, flags=0):
            problems.append("the token of the IKE SA that was rekeyed was not refused")
        a.heard.clear()
        known = ike_id(lab)
        restart_b(lab)
        return problems + healed(lab, a, known)
    return test


def wrong_tokens(lab):
    problems = []
    a, b = switch_on(lab)
    spi_i, spi_r, began = spis(lab)
    good, known = token_of(lab.b, spi_i, spi_r, not began), ike_id(lab)
    theirs = token_of(lab.a, spi_i, spi_r, began)
    wrong = [presented(spi_i, spi_r, token) for token in
             (os.urandom(16), good[:15], good[:-1], good + b"\0", good[:-1] + bytes([good[-1] ^ 1]), b"", bytes(16), good * 16,
              theirs, os.urandom(300), token_of(lab.b, spi_i, spi_r, began))]
    wrong += [presented(spi_i ^ 1, spi_r, good), presented(spi_r, spi_i, good), presented(spi_i, 0, good),
              presented(spi_i, spi_r, *[os.urandom(16)] * 4, good)]
    error, own = notify(INVALID_IKE_SPI, following=NOTIFY), notify(QCD_TOKEN, protocol=1, data=good)
    harmless = [message(spi_i, spi_r, NOTIFY, body, version=version) for version, body in (
        (0x20, own), (0x20, error + notify(QCD_TOKEN, data=good, length=400)), (0x10, error + own),
        (0x20, error + notify(QCD_TOKEN, spi=good, protocol=1)), (0x20, notify(INVALID_IKE_SPI)))]
    to_a(lab, wrong + harmless)
    refused = a.reports("token-refused", 3, count=len(wrong))
    expect(problems, "refused, and of them about the IKE SA that lives",
           (len(refused), len([m for m in refused if m["flags"] == wire_client.SA_LIVES])), (len(wrong), 12))
    expect(problems, "crashes", a.reports("crash-detected", 0.5), [])
    expect(problems, "A's IKE SA and children", (ike_id(lab), lab.counts()), (known, (1, 1)))
    if not lab.traffic.answers():
        problems.append("no traffic")
    return problems


def good_once(lab):
    """A right token, which only a crash reveals: from whatever address, among others, with INVALID_SPI as well; once."""
    problems = []
    a, b = switch_on(lab)
    for error in (INVALID_IKE_SPI, INVALID_SPI):
        spi_i, spi_r, began = spis(lab)
        good = token_of(lab.b, spi_i, spi_r, not began)
        packet = presented(spi_i, spi_r, os.urandom(16), os.urandom(64), good, error=error)
        known = ike_id(lab)
        to_a(lab, [packet])
        if not a.reports("crash-detected", 3, ike_id=known, flags=wire_client.ANEW):
            return problems + [f"not believed: {a.heard}"]
        if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers(), 5):
            problems.append(f"children afterwards: {lab.counts()}")
        new = ike_id(lab)
        to_a(lab, [packet] * 5)
        if len(a.reports("token-refused", 3, count=5, ike_spi_i=spi_i, flags=0)) != 5:
            problems.append(f"replayed: {a.reports('token-refused')}")
        expect(problems, "the IKE SA after the replay", ike_id(lab), new)
        expect(problems, "crashes", len(a.reports("crash-detected", 0.2)), 1)
        a.heard.clear()
    return problems


def bounded_drops(lab):
    """Somebody who knows B's secret presents right tokens as fast as he can: four, and then one in 5 s."""
    problems = []
    a, b = switch_on(lab)
    began_at, tried = time.monotonic(), 0
    while tried < 12 or time.monotonic() - began_at < 2:
        spi_i, spi_r, began = spis(lab)
        to_a(lab, [presented(spi_i, spi_r, token_of(lab.b, spi_i, spi_r, not began))])
        tried += 1
        # The first four must be believed, however long a busy machine takes for the next IKE SA.
        lab.settles(lambda: [sa for sa in lab.a.ike_sas() if sa["state"] == "ESTABLISHED" and int(sa["initiator-spi"], 16) != spi_i],
                    3 if tried <= 4 else 0.2)
    good, took = len(a.reports("crash-detected", 0.5, count=tried)), time.monotonic() - began_at
    if not 4 <= good <= 5 + took / 5 or tried > 6 + took / 5 and good == tried:
        problems.append(f"{good} of {tried} tokens were good in {took:.1f} s")
    print(f"plugin: {good} of {tried} right tokens were good in {took:.1f} s", flush=True)
    if not lab.settles(lambda: lab.counts() == (1, 1) and lab.traffic.answers(), 5):
        problems.append(f"children afterwards: {lab.counts()}")
    return problems


def never_while_it_lives(lab):
    """RFC 6290 9.2: whatever is forged, no token of an IKE SA that lives; and nothing for what no peer would send."""
    problems = []
    a, b = switch_on(lab)
    spi_i, spi_r, _ = spis(lab)
    since = time.time()
    for packets in ([question(spi_i, spi_r, flags=flags, exchange=exchange, mid=mid, version=version)
                     for flags in (0, INITIATOR) for exchange in (INFORMATIONAL, CREATE_CHILD_SA)
                     for mid in (0, 7) for version in (0x20, 0x21)],
                    [question(3, 4, flags=RESPONSE), question(3, 4, exchange=IKE_AUTH), question(3, 4, exchange=34),
                     question(3, 4, size=56), question(0, 4), question(3, 0), question(3, 4, version=0x10),
                     message(3, 4, NOTIFY, notify(INVALID_IKE_SPI) + bytes(60), flags=INITIATOR),
                     message(3, 4, 0, b"", flags=INITIATOR), message(3, 4, 33, bytes(80), flags=INITIATOR)]):
        send_from_stranger(lab, packets)
    time.sleep(0.5)
    expect(problems, "answers", [sent[2].hex() for sent in in_the_clear(lab, lab.b.address, since)], [])
    expect(problems, "tokens that B says it sent", b.reports("token-sent", 0.2), [])
    time.sleep(3)  # what asked for an IKE SA that lives was counted too, and one address has one answer a second
    send_from_stranger(lab, [question(3, 4, mid=9, flags=0), question(5, 6, size=57, exchange=CREATE_CHILD_SA)])
    b.reports("token-sent", 3, count=2)
    lab.settles(lambda: len(in_the_clear(lab, lab.b.address, since)) >= 2)  # the capture is written a moment later
    found = [sent[2] for sent in in_the_clear(lab, lab.b.address, since)]
    wanted = [message(3, 4, NOTIFY, notify(INVALID_IKE_SPI, following=NOTIFY) +
                      notify(QCD_TOKEN, protocol=1, data=token_of(lab.b, 3, 4, True)), flags=RESPONSE | INITIATOR, mid=9),
              message(5, 6, NOTIFY, notify(INVALID_IKE_SPI, following=NOTIFY) +
                      notify(QCD_TOKEN, protocol=1, data=token_of(lab.b, 5, 6, False)), exchange=CREATE_CHILD_SA)]
    expect(problems, "answers to what is unknown", sorted(each.hex() for each in found), sorted(each.hex() for each in wanted))
    return problems


SPOOF = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vC", 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""


def floods(lab):
    """One source, then many forged ones: so many answers and no more, none larger than its question; the tunnel works."""
    problems = []
    a, b = switch_on(lab)
    time.sleep(6)  # what the tests before took of the stranger's limit comes back
    chance, since, began = random.Random(), time.time(), time.monotonic()
    send_from_stranger(lab, [question(chance.getrandbits(64), chance.getrandbits(64)) for _ in range(600)])
    took = time.monotonic() - began
    time.sleep(0.3)
    answers = in_the_clear(lab, lab.b.address, since)
    if not 1 <= len(answers) <= 4 + took + 1:
        problems.append(f"{len(answers)} answers to 600 messages from one address in {took:.1f} s")
    if [len(sent[2]) for sent in answers if len(sent[2]) != 60]:
        problems.append("answers of another size than 60 bytes")
    macs = [lab.net.run(host, ["cat", f"/sys/class/net/v{host}/address"]).strip() for host in "CB"]
    source, target = [bytes.fromhex(mac.replace(":", "")) for mac in macs]
    frames = []
    for number in range(1500):
        ike = question(chance.getrandbits(64), chance.getrandbits(64))
        frames.append(udp_frame(source, target, f"192.0.2.{3 + number % 60}", lab.b.address, ike).hex())
    began, already = time.monotonic(), lab.log_of(lab.b).count("sending packet: from")
    lab.net.run("C", ["python3", "-c", SPOOF], stdin="\n".join(frames) + "\n")
    time.sleep(1)
    took = time.monotonic() - began
    sent = lab.log_of(lab.b).count("sending packet: from") - already
    if not 30 <= sent <= 400 + 200 * took:
        problems.append(f"{sent} answers to 1,500 messages from 60 addresses in {took:.1f} s")
    print(f"plugin: {len(answers)} answers to 600 questions of one address, {sent} to 1,500 of sixty", flush=True)
    if lab.counts() != (1, 1) or not lab.traffic.answers():
        problems.append(f"the tunnel: {lab.counts()}")
    return problems


def udp_frame(source_mac, target_mac, src, dst, ike):
    """A frame with an IKE message on port 500, whoever really sends it."""
    frame = wire.make_frame(source_mac, target_mac, src, dst, ike, True)
    at = len(frame) - len(ike) - 8
    # the ports are below a checksum that no longer fits: IPv4 may go without
    return frame[:at] + struct.pack("!HHHH", 500, 500, 8 + len(ike), 0) + ike


def nothing_is_told(lab):
    """No byte of a secret or token in a log or a report."""
    problems = []
    a, b = switch_on(lab)
    spi_i, spi_r, began = spis(lab)
    kept = [secret_of(lab.a), secret_of(lab.b)]
    kept += [token_of(lab.a, spi_i, spi_r, began), token_of(lab.b, spi_i, spi_r, not began)]
    known = ike_id(lab)
    restart_b(lab)
    problems += healed(lab, a, known)
    logs = (lab.log_of(lab.a) + lab.log_of(lab.b)).lower() + repr(a.heard)
    for secret in kept:
        for form in (secret.hex(), secret[:8].hex(), secret.hex(" "), secret.hex(":")):
            if form in logs:
                problems.append("a secret or a token in a log")
    if "quick crash detection (rfc 6290) is on" not in logs or "proved that it has lost" not in logs:
        problems.append("the log does not say what happened")
    return problems


def secret_files(lab):
    problems, path = [], os.path.join(lab.b.folder, "secret")
    a, b = switch_on(lab)
    expect(problems, "mode, owner and size", (stat.S_IMODE(os.stat(path).st_mode), os.stat(path).st_uid, os.stat(path).st_size),
           (0o600, 0, 32))
    if secret_of(lab.a) == secret_of(lab.b) or secret_of(lab.b) == bytes(32):
        problems.append("not random")
    first = secret_of(lab.b)
    with lab.plug(lab.b, flags=wire_client.CRASH_OFF) as off:
        expect(problems, "on after it was switched off", (off.crash, os.path.exists(path)), (False, False))
        since = time.time()
        send_from_stranger(lab, [question(8, 9)])
        off.reports("unknown-ike-sa", 2)
        expect(problems, "answers while it is off", in_the_clear(lab, lab.b.address, since), [])
    with lab.plug(lab.b, flags=wire_client.CRASH_ON) as on:
        expect(problems, "on again, with the same secret", (on.crash, secret_of(lab.b) == first), (True, True))

    def spoiled(what, spoil):
        with lab.plug(lab.b, flags=wire_client.CRASH_OFF):
            pass
        os.rename(path + ".off", path)
        spoil()
        with lab.plug(lab.b, flags=wire_client.CRASH_ON) as refused:
            expect(problems, f"on with {what}", refused.crash, False)
        restart_b(lab)
        with lab.plug(lab.b) as refused:
            expect(problems, f"on after a restart with {what}", refused.crash, False)
        if f"the secret {path} is not used" not in lab.log_of(lab.b) and f"the secret {path}: " not in lab.log_of(lab.b):
            problems.append(f"nothing in the log about {what}")
        os.unlink(path)
        with open(path, "wb") as file:
            os.chmod(path, 0o600)
            file.write(first)
    spoiled("a file that others may read", lambda: os.chmod(path, 0o640))
    spoiled("a short file", lambda: os.truncate(path, 31))
    spoiled("a file of somebody else", lambda: os.chown(path, 65534, -1))

    def link():
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)
    spoiled("a link", link)
    os.unlink(path + ".real")
    restart_b(lab)
    with lab.plug(lab.b) as b:
        expect(problems, "on with the file as it was", b.crash, True)
    return problems


def fields_on_wire(lab, *fields):
    env = dict(os.environ, WIRESHARK_CONFIG_DIR=os.path.join(lab.b.folder, "keys"), HOME=lab.folder)
    done = subprocess.run(["tshark", "-n", "-r", lab.wire, "-Y", f"isakmp.notify.msgtype == {QCD_TOKEN}", "-T", "fields",
                           "-E", "separator=;"] + [word for field in fields for word in ("-e", field)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                          timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"tshark: {done.stderr}")
    return [tuple(line.split(";")) for line in done.stdout.splitlines()]


def on_wire(lab):
    """Decrypted by tshark: each end's token in IKE_AUTH, as the document says how it is made; in a rekey, and after it."""
    if not shutil.which("tshark"):
        return "tshark is not installed"
    if not World.keys:
        return "strongSwan's save-keys plugin could not be built"
    problems = []
    switch_on(lab)
    first = spis(lab)
    lab.a.call("rekey", ike_id=str(ike_id(lab)))
    lab.wait(lambda: len(lab.a.ike_sas()) == 1 and spis(lab) != first, 5, "the rekey")
    new = spis(lab)

    def said():
        rows = fields_on_wire(lab, "ip.src", "isakmp.exchangetype", "isakmp.flag_r", "isakmp.notify.data", "isakmp.ispi")
        return rows if len(rows) >= 4 else None
    rows = lab.wait(said, 5, "four tokens in the recording")
    wanted = [(lab.a, str(IKE_AUTH), first, True, first), (lab.b, str(IKE_AUTH), first, False, first),
              (lab.b, str(CREATE_CHILD_SA), new, False, first), (lab.a, str(INFORMATIONAL), new, True, new)]
    for side, exchange, of, initiator, over in wanted:
        token = token_of(side, of[0], of[1], initiator).hex()
        if not [row for row in rows if row[0] == side.address and row[1] == exchange
                and token in row[3].replace(":", "").split(",")
                and row[4].replace(":", "").endswith(f"{over[0]:016x}")]:
            problems.append(f"{side.name}'s token is not in its exchange {exchange}")
    expect(problems, "messages with a token", len(rows), 4)
    expect(problems, "different tokens", len({row[3] for row in rows}), 4)
    return problems


# --- INVALID_SPI outside an IKE SA ------------------------------------------------------------------------------------

def order_of(lab, spi=0xcafe0001, **more):
    return dict({"protocol": 50, "spi": spi, "local": lab.b.address, "remote": lab.a.address}, **more)


def notify_outside(lab):
    problems = []
    a, b = plugs(lab, on=False)
    for side in (lab.a, lab.b):
        expect(problems, "with an IKE SA", b.order("notify-outside", **order_of(lab))["outcome"], "ours")
        break
    a.heard.clear()
    restart_b(lab)
    b, since = lab.plug(lab.b), time.time()
    for more in ({"local": "192.0.2.66"}, {"local": "203.0.113.5"}):
        expect(problems, f"with {more}", b.order("notify-outside", **order_of(lab, **more))["outcome"], "unsupported")
    expect(problems, "sent", b.order("notify-outside", **order_of(lab))["outcome"], "sent")
    expect(problems, "sent in UDP 4500", b.order("notify-outside", **order_of(
        lab, spi=0xcafe0002, remote_port=4500))["outcome"], "sent")
    expect(problems, "a third at once", b.order("notify-outside", **order_of(lab))["outcome"], "limit")
    heard = a.reports("invalid-spi-outside", 3, count=2)
    expect(problems, "A heard", sorted((m["spi"], m["spi_size"], m["remote"], m["remote_port"], m["local_port"]) for m in heard),
           [(0xcafe0001, 0, lab.b.address, 500, 500), (0xcafe0002, 0, lab.b.address, 4500, 4500)])
    found = [(to, port, data[16:28], data[28:]) for to, port, data in in_the_clear(lab, lab.b.address, since)]
    header = bytes([NOTIFY, 0x20, INFORMATIONAL, INITIATOR]) + struct.pack("!II", 0, 40)
    expect(problems, "on the wire", found,
           [(lab.a.address, 500, header, notify(INVALID_SPI, data=bytes.fromhex("cafe0001"))),
            (lab.a.address, 4500, header, notify(INVALID_SPI, data=bytes.fromhex("cafe0002")))])
    expect(problems, "A's children", len(lab.a.children()), 1)
    total = [b.order("notify-outside", **order_of(lab, remote=f"198.51.{n // 250}.{n % 250 + 1}"))["outcome"] for n in range(60)]
    if not 10 <= total.count("sent") <= 30 or total.count("limit") + total.count("sent") != 60:
        problems.append(f"to 60 addresses at once: {total.count('sent')} sent, {total.count('limit')} refused")
    return problems


# --- valgrind ---------------------------------------------------------------------------------------------------------

def valgrind_load(lab):
    """What safety.py's valgrind world does for crash detection; both ends run under it."""
    problems = []
    a, b = switch_on(lab)
    spi_i, spi_r, began = spis(lab)
    good = token_of(lab.b, spi_i, spi_r, not began)
    to_a(lab, [presented(spi_i, spi_r, os.urandom(16), *[os.urandom(20)] * 3), presented(spi_i, spi_r, good[:15])])
    send_from_stranger(lab, [question(n, n + 1) for n in range(1, 30)] + [question(spi_i, spi_r, flags=0)])
    b.order("notify-outside", **order_of(lab, remote="198.51.100.7"))
    lab.a.call("rekey", ike_id=str(ike_id(lab)))
    lab.wait(lambda: len(lab.a.ike_sas()) == 1 and spis(lab)[0] != spi_i, 20, "the rekey")
    time.sleep(1)
    spi_i, spi_r, began = spis(lab)
    to_a(lab, [presented(spi_i, spi_r, token_of(lab.b, spi_i, spi_r, not began))])
    if not a.reports("crash-detected", 15):
        problems.append(f"not believed: {a.heard}")
    lab.wait(lambda: lab.counts() == (1, 1), 20, "the new tunnel")
    with lab.plug(lab.b, flags=wire_client.CRASH_OFF), lab.plug(lab.a, flags=wire_client.CRASH_OFF):
        pass
    return problems + safety.valgrinds_word(lab, "A") + safety.valgrinds_word(lab, "B")


def worlds():
    base = {"ike": 2, "responder": True}
    yield "crash detection, off", dict(base), [("off until it is switched on", off_by_default),
                                               ("INVALID_SPI without an IKE SA: one message, within limits", notify_outside)]
    # a world each for what would meet the limit of drops together: four, and then one in 5 s
    yield "crash detection", dict(base), [
        ("receiver killed and started again, it only answers: the sender notices by its token", receiver_restarted),
        ("and the next time", again_and_again)]
    yield "crash detection, rekeys", dict(base), [
        ("the answer to a rekey", answered_in_a_rekey),
        ("after the sender rekeyed the IKE SA", after_rekey("A")), ("after the receiver rekeyed the IKE SA", after_rekey("B"))]
    yield "crash detection, forged", dict(base), [
        ("wrong, truncated and foreign tokens change nothing", wrong_tokens), ("a token is good once", good_once),
        ("no token of an IKE SA that lives", never_while_it_lives), ("floods", floods),
        ("no secret in a log or report", nothing_is_told), ("secrets must be secret", secret_files)]
    yield "crash detection, limits", dict(base), [("right tokens, one after the other", bounded_drops)]
    yield "crash detection over IPv6", dict(base, ip=6), [("receiver killed and started again", receiver_restarted)]
    more = {"plugins_more": {"save-keys": World.keys}} if World.keys else {}
    load = {"load": " spimend save-keys",
            "settings": "save-keys {{ wireshark_keys = {folder}/keys\n      ike = yes }}"} if World.keys else {}
    yield "crash detection on the wire", dict(base, **more, **load, keys_folder=True), [("tokens, decrypted", on_wire)]
    title = "nothing is wrong in the plugin at either end"
    if shutil.which("valgrind"):
        yield "crash detection, valgrind", dict(base, wrap=safety.VALGRIND), [(title, valgrind_load)]
    else:
        yield "crash detection, valgrind", {}, [(title, lambda lab: "valgrind is not installed")]
