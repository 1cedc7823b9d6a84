#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real kernel ESP as users have it: everything that tests/uml does, and what user-mode Linux lacks (XFRM interfaces, GCM,
native XDP, more than one processor), in guests with Debian's own kernel under QEMU, without KVM. Many minutes, so it is
`make check-kernel` and no part of `make check`.

    run.py [--only WORD]   cases that have this word in their name (of the groups that have such)"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
UML = os.path.join(HERE, "..", "uml")
sys.path[:0] = [HERE, os.path.join(HERE, ".."), UML]
import machine  # noqa: E402
import cases  # noqa: E402
import harness  # noqa: E402

if __name__ == "__main__":
    sys.exit(harness.main("kernel", machine.Qemu(), cases.EVERY_KERNEL, __doc__))
