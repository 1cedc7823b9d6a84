# SPDX-License-Identifier: MIT
"""What was on the wire, decrypted by somebody else: tshark, with the keys that strongSwan's own save-keys plugin wrote."""
import os
import shutil
import subprocess

from orders import ids, lose
from world import World


def deletes_on_wire(lab):
    """[(source, response?, protocol, SPI)] of all DELETEs for ESP or AH in the recording."""
    env = dict(os.environ, WIRESHARK_CONFIG_DIR=os.path.join(lab.b.folder, "keys"), HOME=lab.folder)
    fields = ["ip.src", "isakmp.flag_r", "isakmp.delete.protoid", "isakmp.delete.spi", "isakmp.exchangetype"]
    command = ["tshark", "-n", "-r", lab.wire, "-Y", "isakmp.delete.spi", "-T", "fields", "-E", "separator=;"]
    done = subprocess.run(command + [word for field in fields for word in ("-e", field)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"tshark: {done.stderr}")
    return [tuple(line.split(";")) for line in done.stdout.splitlines()]


def exact_delete(lab):
    if not shutil.which("tshark"):
        return "tshark is not installed"
    if not World.keys:
        return "strongSwan's save-keys plugin could not be built"
    problems = []
    with lab.plug(lab.b) as b:
        child = lose(lab)
        b.order("delete", wait_ms=4000, **ids(child))
        lab.b.initiate()
    lab.settles(lambda: lab.counts() == (1, 1))
    found = lab.wait(lambda: deletes_on_wire(lab), 5, "a DELETE in the recording")
    ours = [d for d in found if d[0] == lab.b.address]
    theirs = [d for d in found if d[0] == lab.a.address]
    if len(ours) != 1 or ours[0][2] != "3" or ours[0][3].replace(":", "") != child["spi-in"]:
        problems.append(f"B sent {ours}, not one DELETE for ESP {child['spi-in']}")
    if lab.options["ike"] == 2 and [d[3].replace(":", "") for d in theirs] != [child["spi-out"]]:
        problems.append(f"A answered {theirs}, not with a DELETE for {child['spi-out']}")
    if lab.options["ike"] == 1 and theirs:
        problems.append(f"A sent {theirs}")
    print(f"plugin: on the wire, decrypted: {found}", flush=True)
    return problems


def keys_options():
    """Of a world whose charons write their keys down for tshark, where that can be had."""
    if not World.keys:
        return {"plugins_more": {}}
    return {"plugins_more": {"save-keys": World.keys}, "load": " spimend save-keys",
            "settings": "save-keys {{ wireshark_keys = {folder}/keys\n      ike = yes }}"}


def worlds():
    for version in (2, 1):
        yield f"on the wire, IKEv{version}", dict(keys_options(), ike=version, keys_folder=True), \
            [("one DELETE with exactly the stray SPI", exact_delete)]
