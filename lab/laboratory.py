# SPDX-License-Identifier: MIT
"""One lab: its folder, its namespaces, its two gateways, its recording of the wire, its diary.

Everything a lab makes lies in its folder or runs in its namespaces, so down() needs nothing but the lab's name."""
import json
import os
import re
import shutil
import time

import gateway
import spimendd
import traffic
from net import CHILDREN, HOSTS, LabError, Net, caged, demand_root, demand_tools

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DEFAULTS = {"ike": 2, "ip": 4, "children": 1, "plugin": False, "product": False, "dpd": 0, "rtt": 0, "responder": False,
            "third": False}
NAME = re.compile(r"^[a-z0-9]{1,12}$")


def base_folder():
    if caged():  # not TMPDIR: spimendd's user must be able to get there
        return "/run/spimend-lab"
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", "spimend-lab")


class Lab:
    def __init__(self, name, base=None):
        if not NAME.match(name):
            raise LabError(f"a lab's name is 1 to 12 lower-case letters and digits, not '{name}'")
        self.name, self.folder = name, os.path.join(base or base_folder(), name)
        if len(self.folder) > 80:
            raise LabError(f"the path is too long for unix sockets below it, set TMPDIR: {self.folder}")
        self.net = Net(name)
        self.options, self.children = dict(DEFAULTS), []
        self.plugins = os.path.join(self.folder, "plugins")
        self.product = None  # path of spimend's own plugin, where it was asked for
        self.wire = os.path.join(self.folder, "wire.pcap")
        self.traffic = traffic.Traffic(self)
        if os.path.exists(self.path("lab.json")):
            with open(self.path("lab.json"), encoding="utf-8") as file:
                self.options.update(json.load(file))
        self._gateways()

    def _gateways(self):
        self.a, self.b, self.c = (gateway.Gateway(self, name) for name in "ABC")
        self.spimendd = spimendd.Spimendd(self)
        self.spimendd_a = spimendd.Spimendd(self, "A")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def is_up(self):
        return all(self.net.exists(host) for host in HOSTS) and os.path.exists(self.path("lab.json"))

    def demand_up(self):
        demand_root()
        if not self.is_up():
            option = f" --name {self.name}" if self.name != "lab" else ""
            raise LabError(f"lab '{self.name}' is not up: sudo lab/lab up{option}")

    # --- life ---------------------------------------------------------------------------------------------------------

    def up(self, **options):
        """Makes the lab from nothing; a half-made one is taken down again. Options: DEFAULTS; "plugin" is charon's fault
        plugin, "product" is spimend's own at both ends, "third" makes C a gateway with a tunnel to B. Returns why faults
        that need the fault plugin cannot be had, or None; without the product's that was asked for there is no lab."""
        demand_root()
        demand_tools()
        self.down()
        self.options = dict(DEFAULTS, **options)
        if self.options["ike"] not in (1, 2) or self.options["ip"] not in (4, 6):
            raise LabError("--ike is 1 or 2, --ip is 4 or 6")
        if not 1 <= self.options["children"] <= CHILDREN:
            raise LabError(f"--children is 1 to {CHILDREN}")
        why = "not asked for"
        built = None
        if self.options["plugin"]:
            built, why = gateway.build_plugin(HERE)
            self.options["plugin"] = built is not None
        if self.options["product"]:
            self.product, no_product = gateway.build_product()
            if no_product:
                raise LabError(f"spimend's plugin cannot be built here: {no_product}")
        try:
            self._make(built)
        except BaseException:
            self.down()
            raise
        return why

    def _make(self, plugin):
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o711)  # spimendd's own user goes through it to the control socket
        if plugin or self.product:
            gateway.copy_plugins(plugin, self.plugins, self.product)
        self.net.up(self.options["ip"])
        if self.options["rtt"]:
            self.adopt(self.net.lengthen(self.options["rtt"], self.path("delay.out")))
        self._gateways()
        # from the first packet on: what measures must not start later than what it measures
        self.adopt(self.net.start("W", ["tcpdump", "-i", "wB", "-n", "-U", "--immediate-mode", "-Z", "root", "-w", self.wire,
                                        "udp port 500 or udp port 4500 or ip proto 50 or ip6 proto 50 or icmp or icmp6"],
                                  self.path("tcpdump.out")))
        gateways = (self.a, self.b, self.c) if self.options["third"] else (self.a, self.b)
        for side in gateways:
            side.configure()
            side.start()
        gateway.write(self.path("lab.json"), json.dumps(self.options))
        self.wait(lambda: os.path.exists(self.wire), 5, "tcpdump")
        self._initiate()
        self.wait(lambda: self.traffic.answers(), 5, "the first ping through the tunnel")
        self.note("up", **self.options)

    def _initiate(self):
        for number in range(1, self.options["children"] + 1):
            self.a.initiate(number)
        if self.options["third"]:
            self.c.call("initiate", child=gateway.THIRD_CHILD, timeout=10000)

    def change_ike(self, version):
        """The same tunnels with another version of IKE."""
        self.options["ike"] = version
        gateways = (self.a, self.b, self.c) if self.options["third"] else (self.a, self.b)
        for side in gateways:
            side.configure()
            side.load()
        for sa in self.b.ike_sas():
            self.b.call("terminate", ike_id=sa["uniqueid"], timeout=5000)
        self.wait(lambda: not any(side.ike_sas() for side in gateways), 5, "the old IKE SAs to go")
        self._initiate()
        self.wait(lambda: self.traffic.answers(), 5, "the first ping through the tunnel")

    def down(self):
        """Removes everything; fine when there is nothing. Logs go too: who wants them copies them before."""
        demand_root()
        self.net.down()
        for child in self.children:
            child.wait()
        self.children = []
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            os.rmdir(os.path.dirname(self.folder))
        except OSError:
            pass  # another lab's

    def adopt(self, child):
        """A process we started: its end must be collected, as long as we run."""
        self.children = [known for known in self.children if known.poll() is None] + [child]

    # --- small tools --------------------------------------------------------------------------------------------------

    def wait(self, condition, seconds, what):
        late = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > late:
                raise LabError(f"waited {seconds:g} s in vain for {what}")
            time.sleep(0.02)

    def note(self, what, **facts):
        """Adds to the lab's diary: when which fault was made, and what is known about it."""
        entry = dict(at=time.time(), what=what, **facts)
        with open(self.path("diary.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return entry

    def diary(self):
        try:
            with open(self.path("diary.jsonl"), encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def drop_on_wire(self, rules):
        """Drops what matches on the bridge, in its order of rules (nft, family bridge); counts each. drop_none() ends it."""
        body = "\n".join(f"    {rule} counter drop" for rule in rules)
        self.net.run("W", ["nft", "-f", "-"], stdin="table bridge lab {\n  chain wire {\n"
                                                    f"    type filter hook forward priority 0\n{body}\n  }}\n}}\n")

    def dropped(self):
        """Packets that each rule dropped so far."""
        listed = self.net.run("W", ["nft", "list", "table", "bridge", "lab"])
        return [int(count) for count in re.findall(r"counter packets (\d+)", listed)]

    def drop_none(self):
        self.net.run("W", ["nft", "delete", "table", "bridge", "lab"], check=False)
