# SPDX-License-Identifier: MIT
"""How a device gets on a client's nerves. World.behave(device, name=value...) sets it for sessions that begin afterwards.

    slow=N            output at N bytes a second, in crumbs
    hang="login"      never a prompt; or a pattern: a command that matches is never answered; hang_after=BYTES of its output
    cut=N             output ends after N lines, and the prompt comes as if nothing were wrong
    drop=N            the connection is closed after N bytes of output; hard=True: without a goodbye
    interleave=N      after each N lines of output a log line of its own, asked for or not; middle=True: in the
                      middle of the next line
    language="es"     errors in that language (es, de)
    pager=True        ` --More-- ` whatever `terminal length` says
    prompt="TEXT"     another prompt ("%" is its own): "TEXT %"
    garbage=True      bytes that are no UTF-8 before each output
"""
import asyncio
import re

NAMES = ("slow", "hang", "hang_after", "cut", "drop", "hard", "interleave", "middle", "language", "pager", "prompt", "garbage")
TRANSLATED = {
    "es": {"% Invalid input detected at '^' marker.": "% Entrada no válida detectada en el marcador '^'.",
           "% Incomplete command.": "% Comando incompleto.", "% Ambiguous command:": "% Comando ambiguo:",
           "Command authorization failed.": "Fallo en la autorización del comando."},
    "de": {"% Invalid input detected at '^' marker.": "% Ungültige Eingabe bei Markierung '^'.",
           "% Incomplete command.": "% Unvollständiger Befehl.", "% Ambiguous command:": "% Mehrdeutiger Befehl:",
           "Command authorization failed.": "Befehl nicht autorisiert."}}
NOISE = "%SEC-6-IPACCESSLOGP: list OUTSIDE denied tcp 203.0.113.{n}(4{n:04}) -> 192.0.2.1(23), 1 packet"


class Misbehaviour:
    def __init__(self, wanted, language):
        unknown = set(wanted) - set(NAMES)
        if unknown:
            raise ValueError(f"no such misbehaviour: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        self.wanted = wanted
        self.pager = wanted.get("pager", False)
        self.language = wanted.get("language", language)
        self.hanging = None  # bytes left until it hangs

    async def at_login(self, session):
        if self.wanted.get("hang") == "login":
            await self.forever(session)

    async def before(self, session, line):
        pattern = self.wanted.get("hang")
        if pattern and pattern != "login" and re.search(pattern, line):
            if "hang_after" not in self.wanted:
                await self.forever(session)
            self.hanging = self.wanted["hang_after"]
        if self.wanted.get("garbage"):
            session.send(b"\xff\xfe\x00\x1b[5n\xc3\x28\r\n")

    @staticmethod
    async def forever(session):
        """Until the client has had enough; what it types meanwhile goes nowhere."""
        while True:
            await session.key()

    def cut(self, lines):
        return lines[:self.wanted["cut"]] if "cut" in self.wanted else lines

    async def between(self, session, number, line):
        """Before a line of output: the device's own word. What of the line is still to be written."""
        every = self.wanted.get("interleave")
        if not every or not number or number % every:
            return line
        if self.wanted.get("middle"):
            half = len(line) // 2
            await session.put(line[:half])
            line = line[half:]
        session.device.log.say(NOISE.format(n=number % 250))
        if not session.monitor:
            session.send(f"\r\n{session.device.log.buffer[-1]}\r\n".encode())
        return line

    async def pass_on(self, session, data):
        if self.hanging is not None:
            self.hanging, room = self.hanging - len(data), self.hanging
            if self.hanging <= 0:
                session.send(data[:max(room, 0)])
                await self.forever(session)
        if "drop" in self.wanted and session.told >= self.wanted["drop"]:
            session.send(data[:max(len(data) - (session.told - self.wanted["drop"]), 0)])
            session.dropped = True
            session.close(hard=self.wanted.get("hard", False))
            raise ConnectionError
        if "slow" in self.wanted:
            step = max(1, min(7, self.wanted["slow"] // 20))
            for at in range(0, len(data), step):
                session.send(data[at:at + step])
                await asyncio.sleep(step / self.wanted["slow"])
        elif data:
            session.send(data)

    def prompt(self, prompt):
        return self.wanted["prompt"].replace("%", prompt) if "prompt" in self.wanted else prompt

    def translated(self, text):
        for english, other in TRANSLATED.get(self.language, {}).items():
            text = text.replace(english, other)
        return text


def of(device):
    return Misbehaviour(device.behaviour, device.language)
