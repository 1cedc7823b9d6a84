# SPDX-License-Identifier: MIT
"""One gateway: real charon-systemd in its namespace, ESP in user space (kernel-libipsec: a TUN device, ESP in UDP 4500).

charon-systemd because it has no pid file, so that several run side by side; kernel-libipsec must stand before kernel-netlink
in its list of plugins. Defaults of strongSwan wherever the lab has no reason: what is measured is what users have. The one
reason so far: MOBIKE announces each address that appears, an exchange that may fall into a fault and end it differently."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from net import LabError, OUTER, lan, run, send
from vici import Vici, ViciError

CHARON = "/usr/sbin/charon-systemd"
PLUGINS = "/usr/lib/ipsec/plugins"  # compiled into charon: no setting moves it
LOAD = "random nonce openssl pem pkcs1 pkcs8 x509 pubkey hmac kdf gcm aes sha1 sha2 kernel-libipsec kernel-netlink" \
       " socket-default vici updown counters"
FAULTS = "spimend-lab"
PRODUCT = "spimend"  # spimend's own plugin, plugin/
CONNECTION = "tunnel"

# between B and C, where C is a gateway
THIRD, THIRD_CHILD = "third", "third1"

STRONGSWAN_CONF = """\
charon-systemd {{
  load = {load}
  plugins {{
    vici {{ socket = unix://{folder}/vici }}
    spimend-lab {{ socket = {folder}/faults }}
{product}  }}
  filelog {{ log {{
    path = {folder}/charon.log
    time_format = %Y-%m-%dT%H:%M:%S
    time_add_ms = yes
    flush_line = yes
    default = 1
  }} }}
}}
swanctl {{ load = random openssl pem pkcs1 x509 pubkey }}
"""

SWANCTL_CONF = """\
connections {{{connections}
}}
secrets {{ ike-1 {{ secret = "only for the lab" }} }}
"""

CONNECTION_CONF = """
{connection} {{
  version = {ike}
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = aes128-sha256-ecp256
  {dpd}
  mobike = no
  local {{ auth = psk
          id = {name}.test }}
  remote {{ auth = psk
           id = {peer}.test }}
  children {{{children}
  }}
}}"""

CHILD_CONF = """
    {name} {{
      local_ts = {local}
      remote_ts = {remote}
      esp_proposals = aes128-sha256
      {extra}
    }}"""


def child_name(number):
    return f"lan{number}"


class Gateway:
    def __init__(self, lab, name):
        self.lab, self.name, self.net = lab, name, lab.net
        self.peer = "A" if name == "B" else "B"
        self.folder = os.path.join(lab.folder, name)
        self.address = OUTER[lab.options["ip"]][name]
        self.vici_path = os.path.join(self.folder, "vici")
        self.product_path = os.path.join(self.folder, PRODUCT)
        self.ordered = []  # what the lab itself told this charon to change: the tests tell it from what spimendd did

    # --- set up -------------------------------------------------------------------------------------------------------

    def configure(self, child_extra=""):
        """Writes the configuration; load() makes a running charon read it."""
        options = self.lab.options
        os.makedirs(os.path.join(self.folder, "swanctl"), exist_ok=True)
        os.chmod(os.path.join(self.folder, "swanctl"), 0o700)
        load = LOAD + (f" {FAULTS}" if options["plugin"] else "") + (f" {PRODUCT}" if options["product"] else "")
        product = f"    {PRODUCT} {{ socket = {self.product_path}\n      secret = {self.folder}/secret }}\n" if options["product"] else ""
        write(os.path.join(self.folder, "strongswan.conf"),
              STRONGSWAN_CONF.format(load=load, folder=self.folder, product=product))
        # who knows no address of its peer can only answer
        remote = "%any" if options["responder"] and self.name == "B" else OUTER[options["ip"]][self.peer]
        children = {child_name(number): number for number in range(1, options["children"] + 1)}
        if self.name == "C":
            connections = self._connection(THIRD, self.peer, remote, {THIRD_CHILD: 1}, child_extra)
        else:
            connections = self._connection(CONNECTION, self.peer, remote, children, child_extra)
        if self.name == "B" and options["third"]:
            connections += self._connection(THIRD, "C", OUTER[options["ip"]]["C"], {THIRD_CHILD: 1}, child_extra)
        write(os.path.join(self.folder, "swanctl", "swanctl.conf"), SWANCTL_CONF.format(connections=connections))

    def _connection(self, name, peer, remote, children, child_extra):
        made = "".join(CHILD_CONF.format(name=child, local=lan(self.name, number)[0], remote=lan(peer, number)[0],
                                         extra=child_extra) for child, number in children.items())
        return CONNECTION_CONF.format(connection=name, ike=self.lab.options["ike"], local=self.address, remote=remote,
                                      name=self.name, peer=peer, children=made,
                                      dpd=f"dpd_delay = {self.lab.options['dpd']}s")

    def start(self):
        """Starts charon and waits until it can be talked to. A killed one leaves its socket and its TUN device behind."""
        for stale in ("vici", "faults", PRODUCT):
            if os.path.exists(os.path.join(self.folder, stale)):
                os.unlink(os.path.join(self.folder, stale))
        self.net.run(self.name, ["ip", "link", "del", "ipsec0"], check=False)
        command = [CHARON]
        if self.lab.options["plugin"] or self.lab.options["product"]:
            # seen by this charon alone: ip netns exec gives it a mount namespace
            command = ["sh", "-c", f'mount --bind "$1" {PLUGINS} && exec {CHARON}', "lab", self.lab.plugins]
        self.lab.adopt(self.net.start(self.name, command, os.path.join(self.folder, "charon.out"),
                                      env={"STRONGSWAN_CONF": os.path.join(self.folder, "strongswan.conf")}))
        late = time.monotonic() + 10
        while True:
            try:
                with self.vici() as vici:
                    loaded = vici.call("stats").get("plugins", [])
                break
            except (OSError, ViciError):
                if time.monotonic() > late:
                    raise LabError(f"charon of {self.name} did not start: see {self.folder}/charon.out") from None
                time.sleep(0.02)
        # to charon a plugin that it cannot load is one line in its log
        missing = {"kernel-libipsec", "vici"} | ({FAULTS} if self.lab.options["plugin"] else set())
        missing |= {PRODUCT} if self.lab.options["product"] else set()
        missing -= set(loaded)
        if missing:
            raise LabError(f"charon of {self.name} could not load {', '.join(sorted(missing))}: {self.folder}/charon.log")
        self.load()

    def load(self):
        self.swanctl(["--load-all"])

    def pid(self):
        for pid in self.net.processes(self.name):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == "charon-systemd":
                        return pid
            except OSError:
                pass
        return None

    def outlive_second(self):
        """charon tells its start in whole seconds: of two within one second nobody can tell that they are two."""
        pid = self.pid()
        if pid is not None:
            time.sleep(max(0.0, int(os.stat(f"/proc/{pid}").st_ctime) + 1.05 - time.time()))

    def kill(self):
        """kill -9: nothing is said to anybody."""
        pid = self.pid()
        if pid is None:
            raise LabError(f"charon of {self.name} does not run")
        send(pid, signal.SIGKILL)
        late = time.monotonic() + 5
        while self.pid() is not None and time.monotonic() < late:
            time.sleep(0.01)

    # --- talk to charon -----------------------------------------------------------------------------------------------

    def vici(self, timeout=10):
        return Vici(self.vici_path, timeout)

    def swanctl(self, arguments, check=True):
        env = ["env", f"SWANCTL_DIR={self.folder}/swanctl", f"STRONGSWAN_CONF={self.folder}/strongswan.conf"]
        return run([*env, "swanctl", arguments[0], "--uri", f"unix://{self.vici_path}", *arguments[1:]], check=check)

    def call(self, command, **arguments):
        """A VICI command that must succeed."""
        self.ordered.append(command)
        with self.vici() as vici:
            answer = vici.call(command, **arguments)
        if answer.get("success", "yes") != "yes":
            raise LabError(f"{self.name}: {command}: {answer.get('errmsg', 'refused')}")
        return answer

    def version(self):
        with self.vici() as vici:
            return vici.call("version")["version"]

    def ike_sas(self):
        with self.vici() as vici:
            return [dict(sa, name=name) for event in vici.stream("list-sas", "list-sa") for name, sa in event.items()]

    def children(self, state="INSTALLED", name=None):
        """The CHILD_SAs in that state (all with None), newest first."""
        found = [dict(child, ike_id=sa["uniqueid"]) for sa in self.ike_sas() for child in sa.get("child-sas", {}).values()
                 if (state is None or child["state"] == state) and (name is None or child["name"] == name)]
        return sorted(found, key=lambda child: -int(child["uniqueid"]))

    def child(self, number=1):
        """The newest installed CHILD_SA of LAN number."""
        found = self.children(name=child_name(number))
        if not found:
            child = child_name(number)
            raise LabError(f"{self.name} has no CHILD_SA {child}: bring it up first: "
                           f"lab/lab sw {self.name} --initiate --child {child}")
        return found[0]

    def initiate(self, number=1):
        self.call("initiate", child=child_name(number), timeout=10000)

    def rekey(self, number=1):
        """Queues a rekey and waits until another SA took over."""
        self.child(number)
        return self.rekey_of(child_name(number))

    def rekey_of(self, name):
        old = self.children(name=name)[0]
        self.call("rekey", child_id=old["uniqueid"])
        self.lab.wait(lambda: [new for new in self.children(name=name)[:1] if new["spi-in"] != old["spi-in"]], 10,
                      f"{self.name}'s rekey")
        return old

    def inject(self, text):
        """One command to the fault plugin; it answers when it is done."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker, tempfile.TemporaryDirectory() as folder:
            asker.bind(os.path.join(folder, "asker"))
            asker.settimeout(10)
            asker.sendto(text.encode(), os.path.join(self.folder, "faults"))
            answer = asker.recv(256).decode()
        if answer != "ok":
            raise LabError(f"{self.name}: {text}: {answer}")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def build_plugin(here):
    """(path of the fault plugin, None) or (None, why not)."""
    try:
        built = subprocess.run([os.path.join(here, "plugin", "build")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return None, "building it took over 300 s"
    if built.returncode:
        return None, "it cannot be built here (reason above)"
    return built.stdout.strip(), None


def build_product():
    """(path of spimend's plugin, None) or (None, why not). Whoever enters a cage builds it before, for there are neither
    users nor a network in it, and leaves its path in SPIMEND_LAB_PRODUCT."""
    if os.environ.get("SPIMEND_LAB_PRODUCT"):
        return os.environ["SPIMEND_LAB_PRODUCT"], None
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        done = subprocess.run(["scripts/as-user", "plugin/build"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=root,
                              stderr=subprocess.PIPE, text=True, timeout=500, check=False)
    except subprocess.TimeoutExpired:
        return None, "plugin/build took over 500 s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["?"])[-1]
    return done.stdout.strip(), None


def copy_plugins(path, folder, product=None):
    """charon's own plugins and ours in one folder; either of ours may be None."""
    os.makedirs(folder, exist_ok=True)
    for entry in os.listdir(PLUGINS):
        source = os.path.join(PLUGINS, entry)
        if entry.endswith(".so") and os.path.isfile(source):
            shutil.copy(source, folder)
    for name, ours in ((FAULTS, path), (PRODUCT, product)):
        if ours:
            shutil.copy(ours, os.path.join(folder, f"libstrongswan-{name}.so"))


