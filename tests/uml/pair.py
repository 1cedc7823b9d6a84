# SPDX-License-Identifier: MIT
"""Two real charons on the kernel's own ESP, in a guest of harness.py, with spimendd beside B.

B is the guest itself, because the kernel tells audit records in the first network namespace only; A and the stranger C are
namespaces, each on a wire of its own to B. Everything here ends with the guest."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "lab"))
from vici import Vici, ViciError  # noqa: E402

BASE = "/run/pair"
PATIENCE = float(os.environ.get("PATIENCE") or 1)  # how much slower this guest is
LIMIT = 3 * PATIENCE  # for what is waited for: it costs nothing where all is well, and others may want the machine as well
VTI_KEY = 42
IF_ID = 43
LINK = "tunnel0"
FAULTS = "spimend-lab"  # charon's fault plugin (lab/plugin), where there is one
PRODUCT = "spimend"     # spimend's own (plugin), where it is wanted
CHARON = "/usr/sbin/charon-systemd"
LOAD = "random nonce openssl pem pkcs1 pkcs8 x509 pubkey hmac kdf gcm aes sha1 sha2 kernel-netlink socket-default vici updown"
OUTER = {4: {"A": "192.0.2.1", "B": "192.0.2.2", "C": "198.51.100.66", "Bc": "198.51.100.2"},
         6: {"A": "2001:db8::1", "B": "2001:db8::2"}}
LAN = {"A": "10.1.1.1", "B": "10.2.1.1"}
ANSWER = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from ", re.M)
ORDER = re.compile(r" vici (rekey|terminate|initiate) ")

STRONGSWAN_CONF = """\
charon-systemd {{
  load = {load}
  install_routes = {routes}
  plugins {{
    vici {{ socket = unix://{folder}/vici }}
    spimend-lab {{ socket = {folder}/faults }}
    spimend {{ socket = {folder}/spimend }}
  }}
  filelog {{ log {{
    path = {folder}/charon.log
    time_format = %H:%M:%S
    time_add_ms = yes
    flush_line = yes
    default = 1
  }} }}
}}
swanctl {{ load = random openssl pem pkcs1 x509 pubkey }}
"""
SWANCTL_CONF = """\
connections {{ tunnel {{
  version = {ike}
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = aes128-sha256-ecp256
  mobike = no
  encap = {encap}
  local {{ auth = psk
          id = {name}.test }}
  remote {{ auth = psk
           id = {peer}.test }}
  children {{ lan {{
    local_ts = {local_lan}/32
    remote_ts = {remote_lan}/32
    {proposals}
    {extra}
  }} }}
}} }}
secrets {{ ike-1 {{ secret = "only for the test" }} }}
"""
CONFIG = """\
hostname B
crypto isakmp invalid-spi-recovery
spimend
 mode repair
 user nobody
 state-directory {base}/state
 control-socket {base}/control
 sense interface toA {xdp}
 sense interface toC
 sense strongswan {base}/B/vici{plugin}
 sense xfrm
 sense audit
 repair limit per-peer 100 per 60
 repair limit global 200 per 60
 repair back-off 1
"""


class Trouble(Exception):
    pass


def run(command, check=True, stdin=None, timeout=20):
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=timeout * LIMIT, stdin=None if stdin is not None else subprocess.DEVNULL)
    if check and done.returncode:
        raise Trouble(f"{' '.join(command)}: {done.stdout.strip() or done.returncode}")
    return done.stdout


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for(condition, seconds):
    """The condition's value, false when it never held."""
    late = time.monotonic() + seconds * LIMIT
    while True:
        found = condition()
        if found or time.monotonic() > late:
            return found
        time.sleep(0.03)


def demand(condition, seconds, what):
    found = wait_for(condition, seconds)
    if not found:
        raise Trouble(f"waited {seconds * LIMIT:g} s in vain for {what}")
    return found


def load_ciphers():
    """The kernel loads them at the first SA that needs them, which takes its time: not within charon's."""
    one = "src 192.0.2.250 dst 192.0.2.251 proto {} spi 1"
    for protocol, keys in (("esp", f"auth-trunc hmac(sha256) 0x{'01' * 32} 128 enc cbc(aes) 0x{'02' * 16}"),
                           ("ah", f"auth-trunc hmac(sha256) 0x{'01' * 32} 128")):
        run(["ip", "xfrm", "state", "add", *one.format(protocol).split(), *keys.split()], check=False, timeout=60)
        run(["ip", "xfrm", "state", "delete", *one.format(protocol).split()], check=False)


def make_wires():
    """Namespaces A and C, and their wires; once a guest."""
    os.makedirs(BASE, exist_ok=True)
    os.chmod(BASE, 0o755)
    commands = ["netns add A", "netns add C", "link add toA type veth peer name toB netns A",
                "link add toC type veth peer name toB netns C", f"addr add {OUTER[4]['B']}/24 dev toA",
                f"addr add {OUTER[6]['B']}/64 dev toA nodad", f"addr add {OUTER[4]['Bc']}/24 dev toC",
                f"addr add {LAN['B']}/32 dev lo", "link set lo up", "link set toA up", "link set toC up",
                f"-n A addr add {OUTER[4]['A']}/24 dev toB", f"-n A addr add {OUTER[6]['A']}/64 dev toB nodad",
                f"-n A addr add {LAN['A']}/32 dev lo", "-n A link set lo up", "-n A link set toB up",
                f"-n C addr add {OUTER[4]['C']}/24 dev toB", "-n C link set toB up",
                f"-n C route add {OUTER[4]['B']} via {OUTER[4]['Bc']}"]
    for command in commands:
        run(["ip", *command.split()])


class Side:
    def __init__(self, pair, name):
        self.pair, self.name, self.peer = pair, name, "B" if name == "A" else "A"
        self.folder = os.path.join(BASE, name)
        self.address = OUTER[pair.ip][name]
        self.inside = ["ip", "netns", "exec", "A"] if name == "A" else []
        self.charon, self.started = None, 0.0
        self.ordered = 0  # what the test itself told this charon: the rest of its log is spimendd's

    def configure(self, extra=""):
        pair = self.pair
        os.makedirs(os.path.join(self.folder, "swanctl"), exist_ok=True)
        write(os.path.join(self.folder, "strongswan.conf"), STRONGSWAN_CONF.format(
            load=" ".join([LOAD, *pair.plugins]), folder=self.folder, routes="no" if pair.link else "yes"))
        if pair.link == "vti":
            extra += f"\n    mark_in = {VTI_KEY}\n    mark_out = {VTI_KEY}\n    mark_in_sa = yes"
        elif pair.link == "xfrm":
            extra += f"\n    if_id_in = {IF_ID}\n    if_id_out = {IF_ID}"
        proposals = "ah_proposals = sha256" if pair.ah else f"esp_proposals = {pair.cipher}"
        write(os.path.join(self.folder, "swanctl", "swanctl.conf"), SWANCTL_CONF.format(
            ike=pair.ike, local=self.address, remote=OUTER[pair.ip][self.peer], name=self.name, peer=self.peer, extra=extra,
            encap="yes" if pair.encap else "no", local_lan=LAN[self.name], remote_lan=LAN[self.peer], proposals=proposals))

    def add_link(self):
        """A VTI: packets that come in over it are looked for under its key as their mark. An XFRM interface: those of SAs
        with its interface id come in over it, and policies with that id hold for it."""
        where = ["-n", "A"] if self.name == "A" else []
        kind = {"vti": f"vti local {self.address} remote {OUTER[4][self.peer]} key {VTI_KEY}", "xfrm": f"xfrm if_id {IF_ID}"}
        for command in (f"link add {LINK} type {kind[self.pair.link]}", f"link set {LINK} up",
                        f"route add {LAN[self.peer]}/32 dev {LINK} src {LAN[self.name]}"):
            run(["ip", *where, *command.split()])
        if self.pair.link == "vti":
            run([*self.inside, "sysctl", "-q", "-w", f"net.ipv4.conf.{LINK}.disable_policy=1"])

    def lose_link(self):
        run(["ip", *(["-n", "A"] if self.name == "A" else []), "link", "del", LINK])

    def environment(self):
        return dict(os.environ, STRONGSWAN_CONF=f"{self.folder}/strongswan.conf", SWANCTL_DIR=f"{self.folder}/swanctl")

    def start(self):
        self.started = time.time()
        with open(f"{self.folder}/charon.out", "ab") as out:
            self.charon = subprocess.Popen([*self.inside, CHARON], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                           env=self.environment())
        demand(self.answers, 10, f"{self.name}'s charon")
        self.load()

    def answers(self):
        try:
            return self.call("version")
        except (OSError, ViciError):
            return False

    def load(self):
        done = subprocess.run(["swanctl", "--load-all", "--uri", f"unix://{self.folder}/vici"], env=self.environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=20 * LIMIT, check=False)
        if done.returncode:
            raise Trouble(f"{self.name}: swanctl: {done.stdout}")

    def kill(self):
        """kill -9: nothing is said to anybody, and the kernel keeps its SAs."""
        self.charon.kill()
        self.charon.wait()
        for stale in ("vici", "faults", "spimend"):
            if os.path.exists(f"{self.folder}/{stale}"):
                os.unlink(f"{self.folder}/{stale}")

    def outlive_second(self):
        """charon tells its start in whole seconds: of two within one second nobody can tell that they are two."""
        time.sleep(max(0.0, int(self.started) + 1.05 - time.time()))

    def stop(self):
        if self.charon and self.charon.poll() is None:
            self.charon.terminate()
            self.charon.wait()

    def call(self, command, **arguments):
        with Vici(f"{self.folder}/vici", 10 * LIMIT) as vici:
            return vici.call(command, **arguments)

    def order(self, command, **arguments):
        self.ordered += 1
        answer = self.call(command, **arguments)
        if answer.get("success", "yes") != "yes":
            raise Trouble(f"{self.name}: {command}: {answer.get('errmsg', 'refused')}")

    def initiate(self):
        self.order("initiate", child="lan", timeout=int(9000 * LIMIT))

    def children(self, state="INSTALLED"):
        """Newest first."""
        with Vici(f"{self.folder}/vici", 10 * LIMIT) as vici:
            found = [dict(child, ike_id=sa["uniqueid"]) for event in vici.stream("list-sas", "list-sa")
                     for sa in event.values() for child in sa.get("child-sas", {}).values()]
        return sorted((child for child in found if state in (None, child["state"])), key=lambda child: -int(child["uniqueid"]))

    def child(self):
        found = self.children()
        if not found:
            raise Trouble(f"{self.name} has no CHILD_SA")
        return found[0]

    def inject(self, text):
        """One command to the fault plugin; it answers when it is done."""
        path = f"{self.folder}/asker"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
            asker.bind(path)
            try:
                asker.settimeout(10 * LIMIT)
                asker.sendto(text.encode(), f"{self.folder}/faults")
                answer = asker.recv(256).decode()
            finally:
                os.unlink(path)
        if answer != "ok":
            raise Trouble(f"{self.name}: {text}: {answer}")

    def rekey(self):
        old = self.child()
        self.order("rekey", child_id=old["uniqueid"])
        demand(lambda: self.children() and self.child()["spi-in"] != old["spi-in"], 10, f"{self.name}'s rekey")

    def log(self):
        return read(f"{self.folder}/charon.log")

    def orders(self):
        """How many orders came over VICI that were not the test's own."""
        return len(ORDER.findall(self.log())) - self.ordered


class Pair:
    """One tunnel; options: ike, ip, encap, ah, cipher, link (by routes: "vti", with a mark, or "xfrm", with an interface
    id), xdp ("generic", "native") for the sensor that spimendd uses, and plugins of charon: FAULTS, PRODUCT, which must lie where
    charon looks for them."""
    side = Side

    def __init__(self, build, ike=2, ip=4, encap=False, ah=False, cipher="aes128-sha256", link=None, xdp=None, plugins=()):
        self.build, self.ike, self.ip, self.encap, self.ah, self.cipher = build, ike, ip, encap, ah, cipher
        self.link, self.xdp, self.plugins = link, xdp, plugins
        self.a, self.b = self.side(self, "A"), self.side(self, "B")
        self.initiator, self.inner = self.a, dict(LAN)  # who begins; between which addresses the pings run
        self.daemon = self.pings = None

    def add_devices(self):
        """What must be there before charon starts."""
        if self.link:
            self.a.add_link()
            self.b.add_link()

    def remove_devices(self):
        for where in ([], ["-n", "A"]):
            run(["ip", *where, "link", "del", LINK], check=False)

    def bring_up(self):
        self.initiator.initiate()

    def up(self):
        for side in (self.a, self.b):
            if os.path.exists(f"{side.folder}/charon.log"):
                os.unlink(f"{side.folder}/charon.log")
            side.configure()
        self.add_devices()
        for side in (self.a, self.b):
            side.start()
        self.bring_up()
        demand(self.flows_once, 5, "the first ping through the tunnel")
        shutil.rmtree(f"{BASE}/state", ignore_errors=True)
        write(f"{BASE}/spimendd.log", "")
        write(f"{BASE}/conf", CONFIG.format(base=BASE, xdp=f"xdp {self.xdp}" if self.xdp else "",
                                               plugin=f" plugin {BASE}/B/spimend" if PRODUCT in self.plugins else ""))
        self.start_daemon()
        self.ping()

    def down(self):
        for child in (self.pings, self.daemon):
            if child and child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.wait()
        for side in (self.a, self.b):
            side.stop()
        self.remove_devices()
        for where in ([], ["-n", "A"]):
            run(["ip", *where, "xfrm", "state", "flush"])
            run(["ip", *where, "xfrm", "policy", "flush"])

    # --- traffic --------------------------------------------------------------------------------------------------------

    def ping(self):
        command = ["ip", "netns", "exec", "A", "stdbuf", "-oL", "ping", "-n", "-D", "-i", "0.05", "-I", self.inner["A"],
                   self.inner["B"]]
        with open(f"{BASE}/pings", "wb") as out:
            self.pings = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        demand(lambda: self.answered(0), 5, "answers")

    def flows_once(self):
        shown = run(["ip", "netns", "exec", "A", "ping", "-n", "-c", "1", "-W", "1", "-I", self.inner["A"],
                     self.inner["B"]], check=False)
        return " 0% packet loss" in shown

    def answered(self, since):
        return [at for at in map(float, ANSWER.findall(read(f"{BASE}/pings"))) if at >= since]

    def flows(self):
        return bool(self.answered(time.time() - 0.3 * PATIENCE))

    def outage(self, since):
        """The longest silence from then on, in seconds."""
        before = [at for at in self.answered(since - 1) if at < since]
        times = [before[-1] if before else since, *self.answered(since), time.time()]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    # --- spimendd -------------------------------------------------------------------------------------------------------

    def start_daemon(self):
        with open(f"{BASE}/spimendd.log", "ab") as out:
            self.daemon = subprocess.Popen([f"{self.build}/spimendd", "-f", "-c", f"{BASE}/conf"], stdin=subprocess.DEVNULL,
                                           stdout=out, stderr=out)
        demand(self.knows_tunnel, 15, "spimendd to know the tunnel; " + read(f"{BASE}/spimendd.log")[-400:])

    def stop_daemon(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()

    def ask(self, *arguments):
        done = subprocess.run([f"{self.build}/spimend", *arguments, "--socket", f"{BASE}/control"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20 * LIMIT, check=False)
        if done.returncode not in (0, 1):
            raise Trouble(f"spimend {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def knows_tunnel(self):
        try:
            shown = self.ask("status").lower()
        except Trouble:
            return False
        return all(child["spi-in"] in shown for child in self.b.children())

    def incidents(self):
        found = [json.loads(line) for line in self.ask("incidents", "--json").splitlines()]
        return [one for one in found if one["schema"].startswith("spimend.incident/")]

    def sensors(self):
        """What the daemon counted so far, with the kernel's counters among it."""
        return [dict(one["sensors"], **one["kernel"]) for one in map(json.loads, self.ask("status", "--json").splitlines())
                if "sensors" in one]

    def processes(self):
        """{role: process id} of the daemon and its roles."""
        found = {"parent": self.daemon.pid}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            role = re.search(r"--role=(\w+)", read(f"/proc/{entry}/cmdline"))
            if role and f"PPid:\t{self.daemon.pid}\n" in read(f"/proc/{entry}/status"):
                found[role[1]] = int(entry)
        return found

    def role(self, name):
        return self.processes()[name]

    def memory(self):
        """KiB that the daemon's processes have, together."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", read(f"/proc/{pid}/status"))[1]) for pid in self.processes().values())
