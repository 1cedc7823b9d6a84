#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A syslog server for who wants to read along: prints each datagram that comes to UDP port 514, with the time and who
sent it. note.py runs it in the namespace C."""
import socket
import time


def main():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as heard:
        heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        heard.bind(("::", 514))
        print("listens", flush=True)
        while True:
            data, sender = heard.recvfrom(65535)
            print(f"{time.time():.3f} {sender[0].removeprefix('::ffff:')} {data.decode('utf-8', 'replace')!r}", flush=True)


if __name__ == "__main__":
    main()
