# SPDX-License-Identifier: MIT
"""lab matrix: each tunnel kind on the kernel's own ESP, in user-mode Linux guests, broken in each way, with spimendd beside
the receiver in mode repair. Every cell of the table comes from the run just made; what was not run says why."""
import concurrent.futures
import json
import os
import shutil
import signal
import sys
import tempfile

import gateway
from laboratory import HERE, ROOT
from net import LabError

sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "uml")]
HEAD = ("tunnel", "fault at the receiver", "the run showed", "notes", "spimend")


def matrix(given):
    import harness
    import kind_runs
    import kinds
    from machine import Uml
    from suite import kill_group

    names = given.kind or [kind.name for kind in kinds.KINDS]
    for name in names:
        if name not in [kind.name for kind in kinds.KINDS]:
            raise LabError(f"no tunnel kind '{name}'; there are: {', '.join(kind.name for kind in kinds.KINDS)}")
    machine = Uml()
    missing = harness.missing(machine)
    if missing:
        raise LabError(missing)
    build = os.path.join(ROOT, os.environ.get("SPIMEND_LAB_BUILD") or "build")
    if not os.access(os.path.join(build, "spimendd"), os.X_OK):
        raise LabError(f"{build}/spimendd is not built: make")
    faults, why = gateway.build_plugin(HERE)
    if why:
        print(f"lab: without charon's fault plugin: {why}", file=sys.stderr)
    product = None
    if given.with_plugin:
        product, why = gateway.build_product()
        if why:
            raise LabError(f"spimend's plugin cannot be built here: {why}")
    scratch = tempfile.mkdtemp(prefix="spimend-matrix-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        machine.prepare(scratch)
        runs = play(given, names, faults, product,
                    lambda *words, **more: harness.Guest(machine, scratch, *words, build=build, **more))
    except harness.Unavailable as error:
        raise LabError(str(error)) from None
    finally:
        for group in list(harness.Guest.running):
            kill_group(group)
        shutil.rmtree(scratch, ignore_errors=True)
    if given.json:
        for run in runs:
            print(json.dumps(dict({"schema": "spimend.lab-matrix/1"}, **run, showed=kind_runs.showed(run),
                                  notes=kind_runs.notes_say(run), ours=kind_runs.ours(run))))
    else:
        print_table(runs)
    return 1 if any(kind_runs.problems(run) for run in runs) else 0


def play(given, names, faults, product, boot):
    """All runs, in the order of the table; a guest each kind, some at once."""
    import kind_runs

    jobs = [(name, plugin) for name in names for plugin in ((None, product) if product else (None,))]
    pool = concurrent.futures.ThreadPoolExecutor(given.parallel)
    try:
        waiting = [pool.submit(kind_runs.play, boot, [name], faults, plugin) for name, plugin in jobs]
        for number, job in enumerate(concurrent.futures.as_completed(waiting)):
            name, plugin = jobs[waiting.index(job)]
            print(f"lab: {number + 1} of {len(jobs)} guests: {name}{' + plugin' if plugin else ''}, {len(job.result())} runs",
                  file=sys.stderr, flush=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupted one leaves what runs to who ends the guests
    return [run for job in waiting for run in job.result()]


def print_table(runs):
    import kind_runs
    import kinds

    rows = [HEAD]
    for run in runs:
        name = run["kind"] + (" + plugin" if run["plugin"] else "")
        rows.append(("" if continues(rows, name) else name, kinds.fault(run["fault"]).title,
                     kind_runs.showed(run), kind_runs.notes_say(run), kind_runs.ours(run)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\nnotes: may the receiver start IKE towards the sender, with none left (B12); over a living IKE SA it deletes the SPI"
          " (B10).\nspimend: does it repair such a one itself? As `spimend explain` says it. Outages as pings every 50 ms see them.")


def continues(rows, name):
    """The row above is of that tunnel as well."""
    return next((row[0] for row in reversed(rows) if row[0]), None) == name
