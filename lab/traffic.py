# SPDX-License-Identifier: MIT
"""Traffic through the tunnel and what became of it: pings between the LANs, both ways, and the wire's recording.

A's pings measure the outage: they pass B's inbound SA, the one that the faults are about. B's own pings make B an end that
sends, too."""
import os
import re
import signal
import time

import wire
from net import LabError, lan, send

ANSWER = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+)", re.M)
WAYS = {"A": "A -> B", "B": "B -> A"}


class Traffic:
    def __init__(self, lab):
        self.lab = lab

    def _command(self, host, interval, child):
        other = "A" if host == "B" else "B"
        # line by line, as it comes: demo and tests read along
        return ["stdbuf", "-oL", "ping", "-n", "-D", "-i", f"{interval / 1000:g}", "-I", lan(host, child)[1],
                lan(other, child)[1]]

    def log(self, host):
        return self.lab.path(f"ping-{host}.log")

    def pids(self, host):
        found = []
        for pid in self.lab.net.processes(host):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == "ping":
                        found.append(pid)
            except OSError:
                pass
        return found

    def start(self, interval=20, child=1, append=False):
        """Pings both ways, every `interval` milliseconds, until stop(). append: go on with the record that there is."""
        self.stop()
        since = time.time()
        for host in WAYS:
            if os.path.exists(self.log(host)) and not append:
                os.unlink(self.log(host))
            self.lab.adopt(self.lab.net.start(host, self._command(host, interval, child), self.log(host)))
        self.lab.wait(lambda: all(self.answered(host, since) for host in WAYS), 5, "the first answers")

    def also(self, child, interval=20, host="A"):
        """Further pings, from A or C over another CHILD_SA, until stop()."""
        self.lab.adopt(self.lab.net.start(host, self._command(host, interval, child), self.log(f"{host}{child}")))
        self.lab.wait(lambda: self.answered(f"{host}{child}"), 5, "the first answer")

    def silence(self, child, host="A", since=0.0):
        """The longest silence of those."""
        times = self.answered(f"{host}{child}", since)
        if not times:
            raise LabError(f"no pings from {host} over child {child}")
        return max(later - earlier for earlier, later in zip(times, [*times[1:], time.time()]))

    def stop(self):
        for host in ("A", "B", "C"):
            for pid in self.pids(host):
                send(pid, signal.SIGINT)
            self.lab.wait(lambda host=host: not self.pids(host), 5, "ping to end")

    def answers(self, host="A", child=1):
        """One ping: does traffic flow at this moment?"""
        other = "B" if host == "A" else "A"
        shown = self.lab.net.run(host, ["ping", "-n", "-c", "1", "-W", "1", "-I", lan(host, child)[1], lan(other, child)[1]],
                                 check=False)
        return " 0% packet loss" in shown

    def answered(self, host="A", since=0.0):
        """When each answer came."""
        try:
            with open(self.log(host), encoding="utf-8", errors="replace") as file:
                return [at for at in (float(match[1]) for match in ANSWER.finditer(file.read())) if at >= since]
        except FileNotFoundError:
            return []

    def outage(self, since, until=None, host="A"):
        """The longest silence between two answers after `since`: (seconds, began, ended), ended None while it lasts."""
        until = until or time.time()
        times = [at for at in self.answered(host) if at <= until]
        before = [at for at in times if at < since]
        times = before[-1:] + [at for at in times if at >= since]
        if not times:
            raise LabError("there is no traffic to judge by: lab/lab traffic start")
        gaps = [(later - earlier, earlier, later) for earlier, later in zip(times, times[1:])]
        gaps.append((until - times[-1], times[-1], None))
        return max(gaps, key=lambda gap: gap[0])

    def strays(self, dst, live, since):
        """ESP packets towards dst with an SPI that is not live."""
        return [esp for esp in wire.esp_packets(self.lab.wire, dst, since) if esp.spi not in live]

    def report(self):
        """Lines for people."""
        lines = []
        for host, way in WAYS.items():
            times = self.answered(host)
            if not times:
                lines.append(f"{way}: no answer yet")
                continue
            silence, began, ended = self.outage(times[0], host=host)
            state = "flowing" if time.time() - times[-1] < 1 or not self.pids(host) else "SILENT"
            lines.append(f"{way}: {state}, {len(times)} answers, longest silence {silence:.2f} s"
                         + ("" if ended else ", not over yet" if self.pids(host) else ", at the end")
                         + time.strftime(" (from %H:%M:%S)", time.localtime(began)))
        return lines
