# SPDX-License-Identifier: MIT
"""The lab (lab/), its two charons with our plugin loaded beside the fault plugin."""
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(ROOT, "lab")
sys.path.insert(0, LAB)

import gateway  # noqa: E402
import laboratory  # noqa: E402
from client import Client  # noqa: E402
from net import LabError  # noqa: E402,F401

HEADERS = "build-plugin"


def build(**env):
    """(path of the plugin, None) or (None, why it cannot be had)."""
    try:
        done = subprocess.run(["scripts/as-user", "plugin/build"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT,
                              stderr=subprocess.PIPE, text=True, timeout=500, check=False, env=dict(os.environ, **env))
    except subprocess.TimeoutExpired:
        return None, "plugin/build took over 500 s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["?"])[-1]
    return done.stdout.strip(), None


def headers():
    """The folder of strongSwan's headers that plugin/build made."""
    base = os.environ.get("SPIMEND_PLUGIN_CACHE") or os.path.join(ROOT, HEADERS)
    found = [os.path.join(base, name) for name in os.listdir(base) if os.path.exists(os.path.join(base, name, "ready"))]
    return max(found, key=os.path.getmtime)


def build_helper(name, sources):
    """Another plugin for the tests; its path, or None."""
    folder = headers()
    source, out = os.path.join(folder, "source", "src"), os.path.join(os.path.dirname(folder), f"libstrongswan-{name}.so")
    done = subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared", "-w", "-include", f"{folder}/build/config.h",
                           f"-I{source}/libstrongswan", f"-I{source}/libcharon", "-o", out, *sources,
                           "-L/usr/lib/ipsec", "-lcharon", "-lstrongswan"], stdin=subprocess.DEVNULL, check=False)
    return out if done.returncode == 0 else None


def build_helpers():
    """save-keys, strongSwan's own, which Debian does not build: for the test that decrypts a capture; and our odd one."""
    theirs = os.path.join(headers(), "source", "src", "libcharon", "plugins", "save_keys")
    return {"keys": build_helper("save-keys", [f"{theirs}/save_keys_plugin.c", f"{theirs}/save_keys_listener.c"]),
            "odd": build_helper("odd", [os.path.join(HERE, "odd.c")])}


class World(laboratory.Lab):
    """A lab whose gateways have clients: world.plug(world.b)."""
    built = fault = keys = odd = order = None  # paths, None where one cannot be had
    user = "root"
    plugins_more = {}                    # name: path
    load = " spimend"
    settings = top = ""                  # of strongswan.conf: for plugins, and for charon itself
    wrap = None                          # what charon runs under, in front of its path

    def start_up(self, **options):
        for name in ("user", "plugins_more", "load", "settings", "top", "built", "wrap"):
            if name in options:
                setattr(self, name, options.pop(name))
        self.keys_folder = options.pop("keys_folder", False)
        why = self.up(plugin=True, **options)
        if why:
            raise LabError(why)

    def _make(self, plugin):
        # what lab/ keeps in its modules for all labs is ours alone: one process runs one suite
        names = ("STRONGSWAN_CONF", "LOAD", "CHARON")
        before, copy = {name: getattr(gateway, name) for name in names}, gateway.copy_plugins
        ours = f"  {self.top}\n  plugins {{{{\n    spimend {{{{ socket = {{folder}}/spimend\n      secret = {{folder}}/secret\n      user = {self.user} }}}}\n" \
               f"    {self.settings}\n"
        gateway.STRONGSWAN_CONF = gateway.STRONGSWAN_CONF.replace("  plugins {{\n", ours, 1)
        gateway.LOAD += self.load
        gateway.CHARON = f"{self.wrap} {gateway.CHARON}" if self.wrap else gateway.CHARON
        gateway.copy_plugins = self.copy_plugins(copy)
        try:
            super()._make(plugin)
        finally:
            for name in names:
                setattr(gateway, name, before[name])
            gateway.copy_plugins = copy

    def copy_plugins(self, copy):
        def all_of_them(path, folder, product=None):
            copy(path, folder, product)
            if self.keys_folder:
                os.makedirs(os.path.join(self.b.folder, "keys"))
                os.makedirs(os.path.join(self.a.folder, "keys"))
            for name, more in {"spimend": self.built, **self.plugins_more}.items():
                target = os.path.join(folder, f"libstrongswan-{name}.so")
                if os.path.lexists(target):
                    os.unlink(target)
                shutil.copy(more, target)
        return all_of_them

    def restore(self):
        """One child at both ends, and the wire whole: what every test begins with."""
        self.drop_none()
        states = [[child["state"] for child in side.children(state=None)] for side in (self.a, self.b)]
        if states == [["INSTALLED"], ["INSTALLED"]] and self.traffic.answers():
            return
        for side in (self.a, self.b):
            with side.vici() as vici:
                for sa in side.ike_sas():
                    vici.call("terminate", ike_id=sa["uniqueid"], force="yes", timeout=1000)
        self.wait(lambda: not self.a.ike_sas() and not self.b.ike_sas(), 10, "all IKE SAs to go")
        self.a.initiate()
        self.wait(self.traffic.answers, 5, "the tunnel")

    def socket_of(self, side):
        return os.path.join(side.folder, "spimend")

    def plug(self, side, **options):
        self.wait(lambda: os.path.exists(self.socket_of(side)), 20, "the plugin's socket")
        return Client(self.socket_of(side), **options)

    def log_of(self, side):
        with open(os.path.join(side.folder, "charon.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def counts(self):
        """(children at A, children at B), in any state."""
        return tuple(len(side.children(state=None)) for side in (self.a, self.b))

    def settles(self, condition, seconds=3):
        late = time.monotonic() + seconds
        while time.monotonic() < late:
            if condition():
                return True
            time.sleep(0.02)
        return bool(condition())
