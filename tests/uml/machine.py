# SPDX-License-Identifier: MIT
"""User-mode Linux: Debian's kernel 6.1 as a process, which needs no root and boots in 1.5 s. It lacks what Debian leaves out
of it: XFRM interfaces, BTF and a BPF compiler, GCM, native XDP."""
import os

from harness import HERE, Unavailable
from suite import run


class Uml:
    patience = float(os.environ.get("SPIMEND_UML_PATIENCE") or 1)  # on a machine that others use, more
    parallel = 3  # guests at a time, of one processor each, which mostly wait
    tools = (("linux.uml", "user-mode-linux"),)

    def __init__(self):
        self.shim = None

    def prepare(self, scratch):
        """What linux.uml needs on a processor with AMX (xstate.c)."""
        self.shim = os.path.join(scratch, "xstate.so")
        made = run([os.environ.get("CC", "gcc"), "-O1", "-Wall", "-shared", "-fPIC", "-o", self.shim,
                    os.path.join(HERE, "xstate.c")])
        if made.status:
            raise Unavailable(f"xstate.c: {made.tail()}")

    def command(self, scratch, memory, environment):
        return ["linux.uml", f"mem={memory}M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "loglevel=1", "audit=1",
                "con=null", "con0=null,fd:1", f"uml_dir={scratch}", f"init={HERE}/init.sh", *environment], {"LD_PRELOAD": self.shim}
