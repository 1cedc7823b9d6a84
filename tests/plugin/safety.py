# SPDX-License-Identifier: MIT
"""What must never happen: a charon that dies or is harmed, an order of somebody else, a plugin in a charon it does not fit."""
import glob
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import client as wire
from orders import expect, ids, lose
from world import ROOT, World, headers

MESSAGES = 10_000
VALGRIND = "valgrind --leak-check=full --num-callers=12 --log-file=/run/spimend-valgrind.%p"


# --- another charon ---------------------------------------------------------------------------------------------------

def patched(path, old, new):
    """A copy in which one build id is another."""
    with open(path, "rb") as file:
        data = file.read()
    assert data.count(old) == 1 and len(old) == len(new)
    out = tempfile.NamedTemporaryFile(prefix="plugin-", suffix=".so", delete=False)
    with out:
        out.write(data.replace(old, new))
    return out.name


def build_id(library):
    notes = subprocess.run(["readelf", "-n", f"/usr/lib/ipsec/{library}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"Build ID: (\w+)", notes)[1]


def other_build():
    known = build_id("libcharon.so.0").encode()
    return patched(World.built, known, known[::-1])


def other_layout():
    """Our plugin, compiled as if strongSwan had been configured without --enable-mediation."""
    folder, out = headers(), tempfile.mkdtemp(prefix="plugin-")
    with open(f"{folder}/build/config.h", encoding="utf-8") as file:
        config = re.sub(r"^#define ME\b.*$", "", file.read(), flags=re.M)
    with open(f"{out}/config.h", "w", encoding="utf-8") as file:
        file.write(config)
    sources = []
    for path in glob.glob(os.path.join(ROOT, "plugin", "*.[ch]")):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"#ifndef ME\n#error.*\n#endif\n", "", file.read())
        # daemon_t has no such member then; what is compared is all the rest
        text = text.replace("peer->is_mediation(peer)", "FALSE").replace("charon->connect_manager", "((connect_manager_t *)charon->ike_sa_manager)")
        with open(os.path.join(out, os.path.basename(path)), "w", encoding="utf-8") as file:
            file.write(text)
        sources += [os.path.join(out, os.path.basename(path))] if path.endswith(".c") else []
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-w", "-fPIC", "-shared", "-include", f"{out}/config.h",
                    f"-DSPIMEND_LIBCHARON_ID=\"{build_id('libcharon.so.0')}\"", "-DSPIMEND_STRONGSWAN_VERSION=\"x\"",
                    f"-DSPIMEND_LIBSTRONGSWAN_ID=\"{build_id('libstrongswan.so.0')}\"",
                    f"-I{folder}/source/src/libstrongswan", f"-I{folder}/source/src/libcharon", f"-I{ROOT}/src",
                    f"-I{ROOT}/include", "-o", f"{out}/plugin.so", *sources, f"{ROOT}/src/model/plugin.c",
                    f"{ROOT}/src/parse/plugin_message.c", "-L/usr/lib/ipsec", "-lcharon", "-lstrongswan"],
                   stdin=subprocess.DEVNULL, check=True)
    return f"{out}/plugin.so"


def refused(word):
    def test(lab):
        problems = []
        for side in (lab.a, lab.b):
            said = [line for line in lab.log_of(side).splitlines() if "spimend: this charon is not the one" in line]
            if not said or word not in said[0]:
                problems.append(f"{side.name} said {said}")
            if os.path.exists(lab.socket_of(side)):
                problems.append(f"{side.name} has a socket")
        if not lab.traffic.answers():
            problems.append("no traffic")
        return problems
    return test


# --- another user -----------------------------------------------------------------------------------------------------

TRY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(5)
try:
    s.connect(sys.argv[1])
    s.send(bytes.fromhex(sys.argv[3]))
    print("answered" if s.recv(600) else "turned away")
except PermissionError:
    print("may not")
except (BrokenPipeError, ConnectionResetError):
    print("turned away")
"""


def try_as(lab, uid):
    hello = wire.encode("hello", 1, flags=0).hex()
    done = subprocess.run(["python3", "-c", TRY, lab.socket_of(lab.b), str(uid), hello], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    return done.stdout.strip()


def wrong_user(lab):
    problems, path = [], lab.socket_of(lab.b)
    lab.wait(lambda: os.path.exists(path), 5, "the socket")
    expect(problems, "mode and owner", (oct(os.stat(path).st_mode & 0o777), os.stat(path).st_uid), ("0o600", 0))
    expect(problems, "nobody", try_as(lab, 65534), "may not")
    os.chmod(lab.b.folder, 0o755)
    os.chmod(path, 0o666)  # even if somebody opens it
    expect(problems, "nobody, let in by the file's mode", try_as(lab, 65534), "turned away")
    os.chmod(path, 0o600)
    expect(problems, "root", try_as(lab, 0), "answered")
    return problems


def configured_user(lab):
    problems, path = [], lab.socket_of(lab.b)
    lab.wait(lambda: os.path.exists(path), 5, "the socket")
    os.chmod(lab.b.folder, 0o755)
    expect(problems, "owner", os.stat(path).st_uid, 65534)
    expect(problems, "nobody, who is configured", try_as(lab, 65534), "answered")
    expect(problems, "root, who is not", try_as(lab, 0), "turned away")
    return problems


def no_such_user(lab):
    problems = []
    if os.path.exists(lab.socket_of(lab.b)) or "there is no user 'nosuchuser'" not in lab.log_of(lab.b):
        problems.append("a plugin without its user")
    return problems


# --- nonsense ---------------------------------------------------------------------------------------------------------

def seeds(lab):
    child = lab.b.child()
    numbers = {"ike_id": int(child["ike_id"]), "spi": int(child["spi-in"], 16)}
    return [wire.encode("hello", 1, flags=1), wire.encode("delete", 2, protocol=50, wait_ms=100, **numbers),
            wire.encode("delete", 3, protocol=51, wait_ms=1, ike_id=numbers["ike_id"], spi=0xcafebabe),
            wire.encode("drop-child", 4, child_id=77, **numbers), wire.encode("liveness", 5, ike_id=1, wait_ms=50),
            wire.encode("invalid-spi", 6, protocol=50, wait_ms=50, **numbers), wire.encode("lost", 0, count=5),
            wire.encode("result", 7, outcome=3, text="x" * 63), wire.encode("welcome", 8, text="5.9.8")]


def mutate(chance, message):
    data = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(6)
        at = chance.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[at] = chance.randrange(256)
        elif kind == 1 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = chance.randbytes(chance.randint(1, 20))
        elif kind == 4 and len(data) >= 4:
            data[2:4] = struct.pack("!H", len(data))  # a length that fits again
        else:
            data += chance.randbytes(chance.choice((1, 7, 300, 600)))
    return bytes(data)


def say_all(path, messages, greeting):
    """Over one connection; fewer than it takes to be cut off, so that each of them is read. False: no room for us yet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        try:
            s.connect(path)
            if greeting:
                s.send(greeting)
                if not s.recv(4096):
                    return False
            for data in messages:
                s.send(data)
            return True
        except (ConnectionError, BlockingIOError):
            return False


def nonsense(lab, count, seed):
    """Random and mutated messages; returns how many connections it took."""
    chance, good, connections = random.Random(seed), seeds(lab), 0
    while count > 0:
        size = min(count, chance.randint(1, 15))
        messages = [chance.randbytes(chance.randint(1, 600)) if chance.random() < 0.2 else
                    mutate(chance, chance.choice(good)) or b"\0" for _ in range(size)]
        late = time.monotonic() + 20
        while not say_all(lab.socket_of(lab.b), messages, good[0] if chance.random() < 0.9 else None):
            if time.monotonic() > late:
                raise RuntimeError("the plugin takes no connection any more")
            time.sleep(0.002)
        count, connections = count - size, connections + 1
    return connections


def memory_of(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


def fuzz(lab):
    problems, seed, pid = [], random.SystemRandom().randrange(10 ** 6), lab.b.pid()
    nonsense(lab, 500, seed + 1)
    before = memory_of(pid)
    connections = nonsense(lab, MESSAGES, seed)
    if lab.b.pid() != pid:
        return [f"charon died: seed {seed}"]
    grown = memory_of(pid) - before
    print(f"plugin: {MESSAGES} messages over {connections} connections, seed {seed}; charon grew by {grown} KiB", flush=True)
    if grown > 8192:
        problems.append(f"charon grew by {grown} KiB")
    lab.restore()  # a mutated order may have been a sound one
    with lab.plug(lab.b) as b:
        child = lose(lab)
        result = b.order("delete", wait_ms=9000, **ids(child))
        expect(problems, f"an order after it (seed {seed})", result["outcome"], "peer-owned")
    return problems


def hammer(lab, seconds=5.0, outcome="peer-owned"):
    """Orders of all kinds at both ends for SAs that are made, rekeyed and ended meanwhile: both charons live, an order has
    one result. Without the fault plugin's "lose": it frees children that a rekey still holds."""
    problems, over, asked = [], threading.Event(), []
    pids, chance = (lab.a.pid(), lab.b.pid()), random.Random()

    def order(side):
        try:
            with lab.plug(side) as each:
                while not over.is_set():
                    sas = side.ike_sas() or [{"uniqueid": "1"}]
                    for sa in sas:
                        for child in list(sa.get("child-sas", {}).values()) or [{"spi-in": "1", "uniqueid": "1"}]:
                            spi, ike = int(child.get("spi-in", "1"), 16), int(sa["uniqueid"])
                            kind = chance.choice(("delete", "delete", "drop-child", "liveness", "invalid-spi"))
                            more = {"drop-child": {"child_id": int(child["uniqueid"]), "spi": spi},
                                    "liveness": {"wait_ms": 300}}.get(kind, {"protocol": 50, "wait_ms": 300,
                                                                             "spi": chance.choice((spi, spi ^ 1))})
                            asked.append(each.order(kind, ike_id=ike, **more)["outcome"])
                    each.heard.clear()
        except Exception as error:  # told by the test, not by a thread
            problems.append(f"{side.name}: {error!r}")

    def disturb(side):
        while not over.is_set():
            kind = chance.choice(("rekey-child", "rekey-ike", "terminate-child", "terminate-ike", "initiate", "initiate"))
            try:
                children = side.children(state=None) or [{"ike_id": "1", "uniqueid": "1", "spi-in": "1"}]
                child = chance.choice(children)
                numbers = {"child_id": child["uniqueid"]} if kind.endswith("child") else {"ike_id": child["ike_id"]}
                if kind == "initiate":
                    side.initiate()
                else:
                    side.call(kind.split("-")[0], **dict(numbers, **({"timeout": 500} if kind[0] == "t" else {})))
            except Exception:
                pass  # refused, gone, in the way: all of it is meant
            time.sleep(0.02)
    threads = [threading.Thread(target=work, args=(side,)) for work in (order, order, disturb) for side in (lab.a, lab.b)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join(30)
    expect(problems, "charons", (lab.a.pid(), lab.b.pid()), pids)
    print(f"plugin: {len(asked)} orders: " + ", ".join(f"{o} {asked.count(o)}" for o in sorted(set(asked))), flush=True)
    if not problems:
        lab.restore()
        with lab.plug(lab.b) as b:
            expect(problems, "an order after it", b.order("delete", wait_ms=9000, **ids(lose(lab)))["outcome"], outcome)
    return problems


def silent_reader(lab):
    """One who orders and orders, and reads nothing, is cut off; another one is served."""
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as deaf, lab.plug(lab.b) as b:
        try:
            for _ in range(5000):
                deaf.send("delete", ike_id=4_000_000_000, protocol=50, spi=1, wait_ms=10)
            problems.append("5,000 orders without reading one answer")
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        lab.settles(lambda: b.order("liveness", ike_id=int(child["ike_id"]), wait_ms=4000)["outcome"] == "done", 5)
        expect(problems, "another one's order", b.order("liveness", ike_id=int(child["ike_id"]), wait_ms=4000)["outcome"], "done")
    return problems


def too_many_clients(lab):
    problems, clients = [], []
    try:
        for _ in range(4):
            clients.append(lab.plug(lab.b))
        try:
            lab.plug(lab.b)
            problems.append("a fifth connection was served")
        except (ConnectionError, OSError):
            pass
        clients.pop().socket.close()

        def again():
            try:
                clients.append(lab.plug(lab.b))
                return True
            except OSError:
                return False
        if not lab.settles(again):
            problems.append("no connection after one has left")
    finally:
        for each in clients:
            each.socket.close()
    return problems


def one_version(lab):
    problems = []
    with lab.plug(lab.b, greet=False) as b:
        b.socket.send(b"\2" + wire.encode("hello", 9, flags=0)[1:])
        expect(problems, "version 2", (b.read()["outcome"], b.heard), ("invalid", []))
        b.socket.send(wire.encode("delete", 9, ike_id=1, protocol=50, spi=1, wait_ms=1))
        found = b.read()
        expect(problems, "an order before a greeting", (found["outcome"], found["serial"]), ("invalid", 9))
    return problems


def reports_only(lab):
    """What the parent of spimendd does for the role sense: it greets, and whoever has the connection then gets no further."""
    problems = []
    child = lab.b.child()
    with lab.plug(lab.b, greet=False) as b:
        expect(problems, "welcome", b.order("hello", flags=3)["kind"], "welcome")
        for kind, values in (("delete", {"protocol": 50, "spi": 7, "wait_ms": 500}), ("liveness", {"wait_ms": 500}),
                             ("drop-child", {"child_id": int(child["uniqueid"]), "spi": int(child["spi-in"], 16)}),
                             ("invalid-spi", {"protocol": 50, "spi": 7, "wait_ms": 500})):
            found = b.order(kind, ike_id=int(child["ike_id"]), **values)
            expect(problems, kind, (found["outcome"], found.get("text")), ("invalid", "reports only"))
        found = b.order("hello", flags=0)
        expect(problems, "a second greeting", (found["outcome"], found.get("text")), ("invalid", "greeted already"))
        found = b.order("liveness", ike_id=int(child["ike_id"]), wait_ms=500)
        expect(problems, "an order after it", found["outcome"], "invalid")
        lab.b.rekey()
        if not b.reports("child-rekeyed", 3):
            problems.append(f"no reports: {b.heard}")
    with lab.plug(lab.b, reports=False) as b:
        found = b.order("liveness", ike_id=int(child["ike_id"]), wait_ms=9000)
        expect(problems, "a connection for orders", found["outcome"], "done")
        expect(problems, "reports on it", b.heard, [])
    return problems


# --- valgrind ---------------------------------------------------------------------------------------------------------

def under_valgrind(lab):
    problems, child = [], lab.b.child()
    with lab.plug(lab.b) as b:
        child = lose(lab)
        expect(problems, "DELETE", b.order("delete", wait_ms=9000, **ids(child))["outcome"], "peer-owned")
        lab.b.initiate()
        child = lab.b.child()
        numbers = {"ike_id": int(child["ike_id"]), "child_id": int(child["uniqueid"]), "spi": int(child["spi-in"], 16)}
        expect(problems, "drop", b.order("drop-child", **numbers)["outcome"], "done")
        b.order("invalid-spi", wait_ms=9000, **ids(child))
        b.order("liveness", ike_id=numbers["ike_id"], wait_ms=9000)
        b.send("delete", wait_ms=9000, ike_id=numbers["ike_id"], protocol=50, spi=7)
        lab.b.call("terminate", ike_id=str(numbers["ike_id"]))
    lab.restore()
    nonsense(lab, 1000, 1)
    lab.restore()
    return problems + valgrinds_word(lab)


def valgrinds_word(lab, host="B"):
    """Ends that charon; what valgrind has to say about the plugin in it."""
    problems = []
    pids = [pid for pid in lab.net.processes(host) if open(f"/proc/{pid}/cmdline", "rb").read().find(b"charon-systemd") >= 0]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    lab.wait(lambda: not [pid for pid in pids if os.path.exists(f"/proc/{pid}") and
                          open(f"/proc/{pid}/stat", encoding="ascii").read().split()[2] != "Z"], 30, "charon's end")
    logs = [path for path in glob.glob("/run/spimend-valgrind.*") if int(path.rsplit(".", 1)[1]) in pids]
    if not logs:
        return [f"valgrind wrote nothing for {pids}"]
    with open(logs[0], encoding="utf-8", errors="replace") as file:
        text = file.read()
    blocks = re.split(r"(?m)^==\d+== \n", text)
    ours = [block for block in blocks if re.search(r"libstrongswan-spimend|\b(orders|channel|reports|outside|layout|tasks|crash|crash_outside|secret|limits)\.c:", block)
            and not re.search(r"still reachable", block)]
    summary = re.search(r"ERROR SUMMARY: (.*)", text)
    print(f"plugin: valgrind, charon and all: {summary[1] if summary else 'no summary'}; {len(ours)} name the plugin", flush=True)
    problems += [line for block in ours[:3] for line in block.splitlines()]
    if not summary:
        problems += text.splitlines()[-10:]
    return problems


def worlds():
    yield "another build of charon", {"built": other_build()}, [("is refused, and charon works", refused("another build of libcharon"))]
    yield "another layout", {"built": other_layout()}, \
        [("is refused, and charon works", refused("differ"))]
    yield "users", {}, [("only the configured one", wrong_user), ("four connections", too_many_clients),
                        ("one version, and a greeting first", one_version),
                        ("one for reports gives no order, whatever it says", reports_only), ("one who does not read", silent_reader)]
    yield "users, nobody", {"user": "nobody"}, [("root is none of them", configured_user)]
    yield "users, unknown", {"user": "nosuchuser"}, [("no plugin", no_such_user)]
    yield "nonsense", {"ike": 2}, [
        (f"{MESSAGES:,} messages leave charon alive", fuzz), ("orders while everything changes", hammer)]
    yield "nonsense, IKEv1", {"ike": 1}, [("orders while everything changes", lambda lab: hammer(lab, outcome="sent"))]
    if shutil.which("valgrind"):
        yield "valgrind", {"wrap": VALGRIND}, [("nothing is wrong in the plugin", under_valgrind)]
    else:
        yield "valgrind", {}, [("nothing is wrong in the plugin", lambda lab: "valgrind is not installed")]
