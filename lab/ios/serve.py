# SPDX-License-Identifier: MIT
"""The world as a process: python3 -m ios.serve FOLDER. One thread serves all sessions.

FOLDER/world.json says what there is; FOLDER/session takes sessions (from `entry`, which sshd runs), FOLDER/control takes a
test's orders, a line of JSON each: {"do": "advance", "seconds": 60}."""
import asyncio
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import termios

from . import processes, snapshot
from .faults import Faults
from .misbehaviour import Misbehaviour
from .session import Session
from .transcript import Transcripts
from .world import World

TICK = 0.1


class Server:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "world.json"), encoding="utf-8") as file:
            spec = json.load(file)
        self.world = World(spec)
        self.world.faults = self.faults = Faults(self.world)
        self.transcripts = Transcripts(os.path.join(folder, "transcripts"), self.world.clock)
        self.places = {(d.host, str(d.port)): d for d in self.world.devices.values()}
        self.sessions = set()
        self.most = 0
        self.listeners, self.orphan = [], False

    # --- sessions

    async def session(self, reader, writer):
        peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid = struct.unpack("3i", peer)[0]
        env = environment(pid)
        client, _, *where = env.get("SSH_CONNECTION", "- - - -").split()
        device = self.places.get(tuple(where)) or self.world.devices.get(env.get("IOS_DEVICE", ""))
        if device is None or not device.up:
            writer.close()
            return
        tty = env.get("SSH_TTY", "")
        size = window(tty) if tty else (0, 0)
        transcript = self.transcripts.open(device.name, env.get("USER", "?"), client)

        loop = asyncio.get_running_loop()

        def close(hard=False):
            transcript.close()
            if hard:  # once the relay has passed on what it has
                loop.call_later(0.2, end_sshd, pid)
                loop.call_later(0.3, writer.close)
            else:
                writer.close()

        one = Session(device, env.get("USER", "?"), writer.write, writer.drain, close, transcript, bool(tty), size)
        task = asyncio.ensure_future(one.run(env.get("SSH_ORIGINAL_COMMAND")))
        self.sessions.add(task)
        self.most = max(self.most, len(self.sessions))
        task.add_done_callback(self.sessions.discard)
        try:
            while data := await reader.read(4096):
                one.feed(data)
        except ConnectionError:
            pass
        one.end_of_input()
        if tty:  # who went away does not read on
            task.cancel()

    # --- the test's orders

    async def control(self, reader, writer):
        while line := await reader.readline():
            try:
                order = json.loads(line)
                self.world.run()
                answer = {"ok": True, "result": self.obey(order.pop("do"), order)}
            except Exception as error:  # noqa: BLE001  the test is told
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    def obey(self, do, args):
        devices = self.world.devices
        if do == "fault":
            name = args.pop("name")
            if name not in self.faults.names():
                raise ValueError(f"no fault {name}; there are {', '.join(self.faults.names())}")
            return getattr(self.faults, name)(**args)
        if do == "advance":
            self.world.skip(args["seconds"])
            return self.world.now()
        if do == "behave":
            device = devices[args.pop("device")]
            Misbehaviour(args, device.language)  # refuses what it does not know
            device.behaviour = args
            return None
        if do == "set":
            device = devices[args.pop("device")]
            for name, value in args.items():
                if not hasattr(device, name):
                    raise ValueError(f"a device has no {name}")
                setattr(device, name, value)
            return None
        if do == "say":
            devices[args["device"]].log.say(args["message"])
            return None
        if do == "state":
            return snapshot.device(devices[args["device"]])
        if do == "log":
            return list(devices[args["device"]].log.buffer)
        if do == "typed":
            return [one for one in self.transcripts.commands if args.get("device") in (None, one["device"])]
        if do == "listeners":
            self.listeners = args["pids"]
            return None
        if do == "flush":
            return self.transcripts.flush()
        if do == "sessions":
            return {"now": len(self.sessions), "most": self.most, "ever": self.transcripts.count}
        raise ValueError(f"no order {do}")

    async def run(self):
        os.umask(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_reader(0, self.starter_speaks, stop)
        await asyncio.start_unix_server(self.session, os.path.join(self.folder, "session"), backlog=1024)
        await asyncio.start_unix_server(self.control, os.path.join(self.folder, "control"))
        os.chmod(os.path.join(self.folder, "control"), 0o600)
        print("ready", flush=True)
        while not stop.is_set():
            self.world.run()
            try:
                await asyncio.wait_for(stop.wait(), TICK)
            except asyncio.TimeoutError:
                pass
        if self.orphan:
            self.clean_up()

    def starter_speaks(self, stop):
        """Standard input is a pipe whose other end is the test's: when that is gone, nobody else ends what it started."""
        if not os.read(0, 4096):
            asyncio.get_running_loop().remove_reader(0)
            self.orphan = True
            stop.set()

    def clean_up(self):
        for pid in self.listeners:
            for one in [pid, *processes.descendants(pid)]:
                if processes.name(one) in ("sshd", "nc", "entry", "sh"):
                    processes.end(one)
        shutil.rmtree(self.folder, ignore_errors=True)


def environment(pid):
    """What sshd gave the process at the other end of the socket: so the entry need not tell it."""
    try:
        with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
            return dict(one.split("=", 1) for one in file.read().split("\0") if "=" in one)
    except OSError:
        return {}


def window(tty):
    """(columns, lines) of the client's terminal."""
    try:
        fd = os.open(tty, os.O_RDONLY | os.O_NOCTTY)
        try:
            rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))
        finally:
            os.close(fd)
        return columns, rows
    except OSError:
        return 0, 0


def end_sshd(pid):
    """The connection breaks: ends the sshd process that runs this session, and no other."""
    parent = processes.parent(pid)
    if processes.name(parent) == "sshd":
        processes.end(parent)


if __name__ == "__main__":
    asyncio.run(Server(sys.argv[1]).run())
