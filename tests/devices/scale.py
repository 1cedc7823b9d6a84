# SPDX-License-Identifier: MIT
"""Many sessions at once, through one process of the world's."""
from client import Client
from expect import expect, same
from ios.api import World

SESSIONS = 24


def world():
    w = World()
    w.device("rt", address="192.0.2.1", privilege=15)
    w.device("far", ssh=False, address="192.0.2.2")
    w.tunnel("rt", "far")
    return w.start(shared=True)


def many(w):
    clients = [Client(w, "rt", seconds=20) for _ in range(SESSIONS)]
    try:
        problems = []
        for c in clients:
            c.until()
        problems += same("at once", w.order("sessions")["now"], SESSIONS)
        for c in clients:
            c.press("show clock\r")
        for c in clients:
            problems += expect("each answers", c.until(), "UTC")
        return problems + same("commands", len(w.typed("rt")), SESSIONS) + same("transcripts", len(w.transcripts("rt")), SESSIONS)
    finally:
        for c in clients:
            c.__exit__()


TESTS = [("many sessions at once", many)]
