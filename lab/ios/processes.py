# SPDX-License-Identifier: MIT
"""Processes by their ids: who started whom, and an end to one."""
import os
import signal


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def name(pid):
    return read(f"/proc/{pid}/comm").strip()


def parent(pid):
    fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[-1].split()
    return int(fields[1]) if len(fields) > 1 else 0


def descendants(pid):
    """Those a process started, and theirs: sshd's sessions are in sessions of their own."""
    children = [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]
    return children + [one for child in children for one in descendants(child)]


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
