# SPDX-License-Identifier: MIT
"""What a test expects; each returns what is wrong, as lines."""
import time


def expect(what, shown, *wanted, absent=()):
    problems = [f"{what}: no {one!r} in:" for one in wanted if one not in shown]
    problems += [f"{what}: {one!r} in:" for one in absent if one in shown]
    return problems + (["  |" + line for line in shown.splitlines()[-25:]] if problems else [])


def same(what, is_, wanted):
    return [] if is_ == wanted else [f"{what}: {is_!r} instead of {wanted!r}"]


def true(what, holds, *why):
    return [] if holds else [f"{what} {' '.join(map(str, why))}".rstrip()]


def soon(what, holds, seconds=8):
    """Asks again until it holds."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        if holds():
            return []
        time.sleep(0.05)
    return [f"{what}: not within {seconds} s"]
