#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real kernel ESP, in user-mode Linux (a kernel as a process, no root needed), in guests that run side by side: harness.py
says what they do.

    run.py [--only WORD]   cases that have this word in their name (of the groups that have such)"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), HERE]
import cases  # noqa: E402
import harness  # noqa: E402
import kind_runs  # noqa: E402
from machine import Uml  # noqa: E402

if __name__ == "__main__":
    sys.exit(harness.main("uml", Uml(), cases.GUESTS, __doc__, kind_runs.GUESTS))
