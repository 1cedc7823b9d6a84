# SPDX-License-Identifier: MIT
"""lab routers: from a router's log line to the repair and its proof. The routers are lab/ios, a simulation, behind real
sshds; spimendd, ssh and the syslog on the wire are real. The person who agrees to a step is this program."""
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time

from demo import say, title
from ios.api import World, missing
from net import LabError

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(HERE), os.environ.get("SPIMEND_LAB_BUILD") or "build")
USER, PORT, PATIENCE_S = "nobody", 22, 120
PLATFORMS = {"sdwan": "sd-wan"}  # lab/ios's words to ours, where they differ

CONFIG = """hostname noc
spimend
 mode repair
 user {user}
 state-directory {folder}/state
 control-socket {folder}/control
 no sense xfrm
 syslog listen udp 127.0.0.1 port 5514
 ssh known-hosts {folder}/known_hosts
 ssh user netops key-file {folder}/key
 fleet wait {wait}
 fleet verify {verify}
"""
DEVICE = """device {name}
 address {address}
 platform {platform}
 enable password-file {folder}/enable
 rights repair
"""


class Case:
    """Who there is, what is broken, and how."""

    def __init__(self, title_, hub, spoke, build, fault):
        self.title, self.platforms, self.build, self.fault = title_, {"hub": hub, "spoke": spoke}, build, fault


def ike(world):
    world.tunnel("spoke", "hub", kind="svti", pps=[10, 10])


def wan(world):
    world.sdwan(*({"device": name, "system_ip": f"172.16.255.{n}", "site": n,
                   "tlocs": [{"color": color, "address": f"10.{n}{k}.{n}{k}.1"} for k, color in enumerate(("mpls", "lte"))]}
                  for n, name in enumerate(("hub", "spoke"), 1)), hubs=["hub"])


def break_ike(world):
    lost = world.fault("desync", sender="spoke", receiver="hub")
    return f"Both rekeyed, and the spoke goes on sending with SPI 0x{lost['spi']:x}, which the hub deleted."


def break_key(world):
    world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
    return "The spoke was told the hub's new key, and goes on with the old one (scenario 1 of the note, B16)."


def break_clear(world):
    world.fault("sdwan_cleared", device="hub", peer="spoke", needs="omp")
    return "Somebody typed `clear crypto sa peer` on an SD-WAN tunnel: nothing makes new SAs (scenario 2, B17)."


CASES = {
    "desync": Case("A stale SA at the sender of an IKE tunnel", "ios-xe", "ios", ike, break_ike),
    "third-party": Case("An IKE tunnel to a third party on an SD-WAN router (B16)", "sdwan", "ios", ike, break_ike),
    "late-key": Case("SD-WAN: a key that comes late", "sdwan", "sdwan", wan, break_key),
    "cleared": Case("SD-WAN: an SA that was cleared by hand", "sdwan", "sdwan", wan, break_clear),
}


class Noc:
    """spimendd that looks after the routers, in a namespace of its own."""

    def __init__(self, case, wait):
        self.case, self.wait, self.world, self.process = case, wait, None, None
        self.folder = tempfile.mkdtemp(prefix="spimend-routers-")
        self.space = f"spimend-routers-{os.getpid()}"
        os.chmod(self.folder, 0o755)

    def run(self, *command):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def secret(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid)

    def start(self):
        program = os.path.join(BUILD, "spimendd")
        if not os.access(program, os.X_OK):
            raise LabError(f"{program} is not built: make")
        self.run("ip", "netns", "add", self.space)
        self.run("ip", "-n", self.space, "link", "set", "lo", "up")
        self.world = World(inside=["ip", "netns", "exec", self.space])
        config = CONFIG.format(user=USER, folder=self.folder, wait=self.wait, verify=max(10, 4 * self.wait))
        for number, (name, platform) in enumerate(self.case.platforms.items(), 2):
            address = f"192.0.2.{number}"
            self.run("ip", "-n", self.space, "addr", "add", f"{address}/24", "dev", "lo")
            self.world.device(name, platform=platform, address=address, host=address, port=PORT, enable="secret",
                              syslog=["127.0.0.1", 5514])
            config += DEVICE.format(name=name, address=address, folder=self.folder,
                                    platform=PLATFORMS.get(platform, platform))
        self.case.build(self.world)
        self.world.start()
        with open(self.world.key, encoding="utf-8") as key:
            self.secret("key", key.read())
        self.secret("enable", "secret\n")
        shutil.copy(self.world.known_hosts, os.path.join(self.folder, "known_hosts"))
        with open(os.path.join(self.folder, "spimend.conf"), "w", encoding="utf-8") as file:
            file.write(config)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.space, program, "-f", "-c",
                                             os.path.join(self.folder, "spimend.conf")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.until(lambda: "ready:" in self.log(), "it does not come up")
        # Each device is asked whose addresses it has: those of the TLOCs are none that anybody logs in to.
        self.until(lambda: all("show ip interface brief" in self.typed(name) for name in self.case.platforms), "nobody is asked")
        time.sleep(1)
        return config

    def end(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.world:
            self.world.end()
        subprocess.run(["ip", "netns", "del", self.space], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def until(self, done, why):
        late = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > late or self.process and self.process.poll() is not None:
                raise LabError(why + ": " + " / ".join(self.log().splitlines()[-3:]))
            time.sleep(0.1)

    def typed(self, device):
        return [one["command"] for one in self.world.typed(device)]

    def spimend(self, *words):
        command = [os.path.join(BUILD, "spimend"), *words, "--socket", os.path.join(self.folder, "control")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=30, check=False, text=True)
        return done.stdout

    def incidents(self):
        found = [json.loads(line) for line in self.spimend("incidents", "--json").splitlines() if line.startswith("{")]
        return [one for one in found if one["schema"] == "spimend.incident/1" and one.get("steps") is not None]


def show(text):
    for line in text.rstrip().splitlines():
        print(f"   | {line}", flush=True)


def follow(noc):
    """What the log says as it comes; where a person is asked, yes. The incident's id at its end."""
    told, agreed, since = 0, set(), time.time()
    late = time.monotonic() + PATIENCE_S
    while time.monotonic() < late:
        lines = [line for line in noc.log().splitlines() if ": incident " in line]
        for line in lines[told:]:
            say(f"{time.time() - since:5.1f} s  {line.partition(']: ')[2]}", hang=12)
        told = len(lines)
        for one in noc.incidents():
            offered = [step["step"] for step in one["steps"] if step["state"] == "offered"]
            if offered and (one["id"], offered[0]) not in agreed:
                agreed.add((one["id"], offered[0]))
                say(f"{time.time() - since:5.1f} s  $ spimend approve {one['id']} {offered[0]}", hang=12)
                show(noc.spimend("approve", one["id"], str(offered[0])))
            if one["state"] in ("healed", "gave-up", "unverified", "closed"):
                return one
        time.sleep(0.2)
    return None


def play(case, wait):
    noc = Noc(case, wait)
    try:
        title(f"{case.title}")
        config = noc.start()
        say("Its configuration:")
        show(config.replace(noc.folder, "/etc/spimend"))
        say(case.fault(noc.world))
        noc.world.advance(70)
        say("What a router writes, which anybody could have forged:")
        show("\n".join([line for line in noc.world.log("hub") if "INV_SPI" in line][-1:]))
        one = follow(noc)
        if not one:
            raise LabError("it did not come to an end")
        say(f"$ spimend explain {one['id']}")
        show(noc.spimend("explain", one["id"]))
        for name in case.platforms:
            say(f"$ spimend -c enable -c \"show spimend journal {name}\"")
            show(noc.spimend("-c", "enable", "-c", f"show spimend journal {name}"))
        return one["state"] == "healed"
    finally:
        noc.end()


def routers(given):
    absent = missing()
    if absent:
        raise LabError("not installed: " + ", ".join(absent))
    names = given.case or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise LabError(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    failed = [name for name in names if not play(CASES[name], given.wait)]
    if failed:
        raise LabError("not healed: " + ", ".join(failed))
