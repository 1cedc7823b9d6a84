# SPDX-License-Identifier: MIT
"""The world's time, and how devices write times."""
import time

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Clock:
    """Runs `speed` times as fast as the wall's, and can be put forward: a minute between two log lines need not pass."""

    def __init__(self, start=None, speed=1.0):
        self.start = time.time() if start is None else start
        self.speed, self.skipped, self.began = speed, 0.0, time.monotonic()

    def now(self):
        return self.start + self.skipped + (time.monotonic() - self.began) * self.speed

    def skip(self, seconds):
        self.skipped += seconds


def stamp(at, zone="", mark=""):
    """`service timestamps log datetime msec`; `mark` is '*' while the clock is not authoritative."""
    t = time.gmtime(at)
    text = f"{mark}{MONTHS[t.tm_mon - 1]} {t.tm_mday:2} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}.{int(at % 1 * 1000):03}"
    return f"{text} {zone}" if zone else text


def long_stamp(at, zone="UTC"):
    """As `show clock` and 'Time source is' write it: 07:47:11.317 UTC Thu Sep 8 2016."""
    t = time.gmtime(at)
    return time.strftime(f"%H:%M:%S.{int(at % 1 * 1000):03} {zone} %a ", t) + f"{MONTHS[t.tm_mon - 1]} {t.tm_mday} {t.tm_year}"


def ago(seconds):
    """IOS: 00:01:02, 1d02h, 3w5d, 1y3w."""
    s = int(max(seconds, 0))
    if s < 86400:
        return f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}"
    days = s // 86400
    if days < 7:
        return f"{days}d{s // 3600 % 24:02}h"
    return f"{days // 7}w{days % 7}d" if days < 365 else f"{days // 365}y{days % 365 // 7}w"


def hms(seconds):
    s = int(max(seconds, 0))
    return f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}"


def days(seconds):
    """SD-WAN: 0:01:46:50."""
    s = int(max(seconds, 0))
    return f"{s // 86400}:{s // 3600 % 24:02}:{s // 60 % 60:02}:{s % 60:02}"


def words(seconds):
    """`show version`: 1 week, 2 days, 3 hours, 4 minutes."""
    minutes = int(seconds) // 60
    parts = [(minutes // 10080, "week"), (minutes // 1440 % 7, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    shown = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n]
    return ", ".join(shown or ["0 minutes"])
