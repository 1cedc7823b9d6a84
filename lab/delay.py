#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A longer wire: passes frames between two interfaces of one namespace, each after so many milliseconds, in order. net.py
runs it where a lab has a round trip time; not every kernel has netem.

    delay.py INTERFACE INTERFACE MILLISECONDS"""
import collections
import select
import socket
import sys
import time

PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, SOL_PACKET = 15, 23, 263  # linux/if_packet.h
ETH_P_ALL = 3


def open_end(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)  # checksums that are still to be made stay so
    end.bind((interface, ETH_P_ALL))
    end.setblocking(False)
    return end


def take(end, queue, delay):
    while True:
        try:
            queue.append((time.monotonic() + delay, end.recv(1 << 17)))
        except BlockingIOError:
            return


def main():
    ends = [open_end(name) for name in sys.argv[1:3]]
    delay, queues = float(sys.argv[3]) / 1000, [collections.deque(), collections.deque()]
    while True:
        due = min((queue[0][0] for queue in queues if queue), default=None)
        ready, _, _ = select.select(ends, [], [], None if due is None else max(0.0, due - time.monotonic()))
        for end, queue in zip(ends, queues):
            if end in ready:
                take(end, queue, delay)
        for queue, out in zip(queues, reversed(ends)):
            while queue and queue[0][0] <= time.monotonic():
                try:
                    out.send(queue.popleft()[1])
                except OSError:
                    pass  # as on any wire


if __name__ == "__main__":
    main()
