# SPDX-License-Identifier: MIT
"""What each command of lab/lab does: options in, lines and exit status out."""
import os
import sys

import burst as forgeries
import comparison
import crash as crashing
import demo as demonstration
import faults
import gateway
import matrix as tunnel_kinds
import measure as measurement
import net
import note_demo
import routers as devices
from laboratory import HERE, Lab
from net import LabError


def up(given):
    lab = Lab(given.name)
    why = lab.up(ike=given.ike, ip=given.ip, children=given.children, dpd=given.dpd, plugin=not given.no_plugin,
                 product=given.with_plugin, rtt=given.rtt, responder=given.responder)
    print(f"lab '{lab.name}' is up: A {lab.a.address}, B {lab.b.address}, IKEv{given.ike}; files in {lab.folder}")
    if not lab.options["plugin"]:
        print(f"without the fault plugin ({why}): no {', '.join(faults.needing_plugin())}")
    print("the tunnel answers; next: lab/lab traffic start, lab/lab break, lab/lab status, lab/lab down")


def break_(given):
    if not given.fault:
        width = max(map(len, faults.FAULTS))
        for fault in faults.FAULTS.values():
            print(f"{fault.name:<{width}}  {fault.help}")
        return 0
    lab = Lab(given.name)
    lab.demand_up()
    entry = faults.make(lab, given.fault)
    print(f"{given.fault}: {entry['done']}")
    return 0


def status(given):
    lab = Lab(given.name)
    lab.demand_up()
    print(f"lab '{lab.name}': IKEv{lab.options['ike']}, IPv{lab.options['ip']}, files in {lab.folder}")
    for side in (lab.a, lab.b):
        if side.pid() is None:
            print(f"{side.name} {side.address}: charon does not run")
            continue
        sas = side.ike_sas()
        print(f"{side.name} {side.address}: charon {side.pid()}, {len(sas)} IKE SA{'' if len(sas) == 1 else 's'}")
        for sa in sas:
            print(f"    IKE #{sa['uniqueid']} {sa['state']} with {sa['remote-host']}")
            for child in sa.get("child-sas", {}).values():
                print(f"    {child['name']} #{child['uniqueid']} {child['state']}: in 0x{child.get('spi-in', '-')}"
                      f" {child.get('packets-in', 0)} packets, out 0x{child.get('spi-out', '-')}"
                      f" {child.get('packets-out', 0)} packets")
    for line in lab.traffic.report():
        print(line)
    return 0


def traffic(given):
    lab = Lab(given.name)
    lab.demand_up()
    if given.what == "start":
        lab.traffic.start(given.interval)
    elif given.what == "stop":
        lab.traffic.stop()
    if given.what != "start":
        print("\n".join(lab.traffic.report()))


def swanctl(given):
    lab = Lab(given.name)
    lab.demand_up()
    if not given.rest:
        raise LabError("which swanctl command? for example: lab/lab sw B --list-sas")
    side = {"A": lab.a, "B": lab.b}[given.host]
    print(side.swanctl(given.rest, check=False), end="")


def daemon_of(lab, given):
    return lab.spimendd_a if given.side == "A" else lab.spimendd


def start_spimendd(given):
    lab = Lab(given.name)
    lab.demand_up()
    daemon, side = daemon_of(lab, given), " --side A" if given.side == "A" else ""
    daemon.start(given.mode, given.line, given.command)
    print(f"spimendd runs beside {given.side}, in mode {given.mode}; ask with: lab/lab spimend{side} status, or")
    print(f"  {' '.join(daemon.command('watch'))}")


def stop_spimendd(given):
    lab = Lab(given.name)
    lab.demand_up()
    print(f"spimendd beside {given.side} " + ("is stopped" if daemon_of(lab, given).stop() else "does not run"))


def spimend(given):
    lab = Lab(given.name)
    lab.demand_up()
    if not given.rest:
        raise LabError("which command? for example: lab/lab spimend incidents")
    command = daemon_of(lab, given).command(*given.rest)
    os.execv(command[0], command)


def demo(given):
    return caged(demonstration.demo, given)


def note(given):
    return caged(note_demo.demo, given)


def routers(given):
    return caged(devices.routers, given)


def burst(given):
    return caged(forgeries.burst, given)


def audit(given):
    return caged(comparison.compare, given)


def crash(given):
    return caged(crashing.crash, given)


def measure(given):
    return caged(measurement.measure, given)


def matrix(given):
    return tunnel_kinds.matrix(given)


def caged(run, given):
    """For what brings its labs up and down itself: whatever happens to it, nothing stays."""
    net.demand_root()
    net.demand_tools()
    if not net.caged():
        gateway.build_plugin(HERE)  # the cage has no /run, which name lookups may need
        if getattr(given, "with_plugin", False):
            built, why = gateway.build_product()
            if why:
                raise LabError(f"spimend's plugin cannot be built here: {why}")
            os.environ["SPIMEND_LAB_PRODUCT"] = built
        net.cage([sys.executable, *sys.argv])
    return run(given)


def down(given):
    lab = Lab(given.name)
    there = any(lab.net.exists(host) for host in net.HOSTS) or os.path.exists(lab.folder)
    lab.down()
    print(f"lab '{lab.name}' is removed" if there else f"there is no lab '{lab.name}'")
