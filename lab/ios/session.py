# SPDX-License-Identifier: MIT
"""One terminal line: what is typed, echoed, prompted and paged, and how all that goes wrong when a test asks for it.

Bytes come from feed(), go out through `write`; commands are commands.py's."""
import asyncio
import re

from . import misbehaviour
from .clock import long_stamp
from .commands import Refused, find

MORE, ASA_MORE = " --More-- ", "<--- More --->"
WIDTH, LENGTH = 80, 24
LINE_MAX = 254  # what IOS takes as one line


class Closed(Exception):
    """The session is over."""


class Session:
    def __init__(self, device, user, write, drain, close, transcript, tty=True, size=(WIDTH, LENGTH)):
        self.device, self.user, self.tty = device, user, tty
        self.width, self.length = size[0] or WIDTH, size[1] or LENGTH
        self.write_bytes, self.drain, self.close, self.transcript = write, drain, close, transcript
        self.keys = asyncio.Queue()
        self.privilege, self.mode, self.monitor = device.levels.get(user, device.privilege), "exec", False
        self.after_lf = False
        self.bad = misbehaviour.of(device)
        self.told = 0            # bytes of output since login
        self.dropped = False     # by misbehaviour: closed already

    # --- bytes

    def feed(self, data):
        for byte in data:
            self.keys.put_nowait(byte)

    def end_of_input(self):
        self.keys.put_nowait(None)

    async def key(self):
        """The next key; CR, LF and CR LF are one Enter."""
        while True:
            byte = await self.keys.get()
            if byte is None:
                raise Closed
            after, self.after_lf = self.after_lf, byte == 13
            if byte in (0, 10) and after:
                continue
            return 13 if byte == 10 else byte

    async def put(self, text):
        """Text as a terminal gets it: CR before LF. The one place where output is slowed down, cut or ended."""
        data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")
        self.told += len(data)
        await self.bad.pass_on(self, data)
        await self.drain()  # a client that does not read stops this session, and no other

    def send(self, data):
        self.transcript.note("out", data.decode("utf-8", "replace"))
        self.write_bytes(data)

    # --- prompts

    def prompt(self):
        name = self.device.hostname
        if self.mode == "exec":
            return name + ("#" if self.privilege == 15 else ">")
        return f"{name}({self.mode})#"

    async def read_line(self, prompt, echo=True):
        """A line as it was typed; None after Ctrl-C, 'end' after Ctrl-Z."""
        line = ""
        await self.put(prompt)
        echo = echo and self.tty and self.device.echo
        while True:
            key = await self.key()
            if key == 13:
                self.transcript.note("typed", line if echo or not self.tty else "(not echoed)")
                await self.put("\n" if self.tty else "")
                return line
            if key == 3:
                await self.put("^C\n" if self.mode != "exec" else "\n")
                return None
            if key == 26:
                await self.put("^Z\n")
                return "end"
            if key in (8, 127):
                if line:
                    line = line[:-1]
                    await self.put("\b \b" if echo else "")
            elif key in (21, 24):
                await self.put("\b \b" * len(line) if echo else "")
                line = ""
            elif key == 4 and not line:
                raise Closed
            elif key == 63 and echo:  # ?
                await self.put("?\n" + self.help(line) + "\n" + prompt + line)
            elif key == 9 and echo:
                done = self.complete(line)
                await self.put(done[len(line):] if done != line else "\n" + prompt + line)
                line = done
            elif key >= 32 and len(line) < LINE_MAX:
                line += bytes([key]).decode("latin-1")
                if echo:
                    await self.put(self.scrolled(prompt, line))

    def scrolled(self, prompt, line):
        """IOS shows a line that reaches the screen's edge moved to the left, behind a dollar sign."""
        room = self.width - len(prompt) - 2
        if self.device.platform == "asa" or self.width == 0 or len(line) <= room or room < 10 or (len(line) - room) % 10 != 1:
            return line[-1]
        shown = "$" + line[-(room - 10):]
        return "\r" + prompt + shown + " " * 9 + "\b" * 9

    def help(self, line):
        words = find(self, line.split() + ([""] if not line or line[-1] == " " else []), listing=True)
        return "\n".join(f"  {word}" for word in words) or "% Unrecognized command"

    def complete(self, line):
        words = line.split()
        if not words or line[-1] == " ":
            return line
        found = [word for word in find(self, words, listing=True) if word.startswith(words[-1]) and word[0] not in "<A"]
        return line + found[0][len(words[-1]):] + " " if len(found) == 1 else line

    async def ask(self, question):
        """`[confirm]`: Enter or y is yes."""
        await self.put(question + (" " if not question.endswith("]") else ""))
        key = await self.key()
        yes = key in (13, ord("y"), ord("Y"))
        self.transcript.note("answered", "yes" if yes else "no")
        await self.put("\n" if yes else f"{chr(key) if key >= 32 else ''}\n")
        return yes

    # --- output

    async def show(self, text, filters=()):
        """A command's output: filtered, then page by page."""
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        if self.device.load_lines:
            lines = ["Load for five secs: 3%/0%; one minute: 4%; five minutes: 4%",
                     f"Time source is NTP, {long_stamp(self.device.world.now())}", ""] + lines
        for keep in filters:
            lines = keep(lines)
        lines = self.bad.cut(lines)
        page, count = (0 if not self.tty else self.length), 0
        if self.bad.pager and self.tty:
            page = self.length or LENGTH
        for number, line in enumerate(lines):
            rest = await self.bad.between(self, number, line)
            await self.put(rest + "\n")
            count += max(1, -(-len(line) // self.width)) if self.width else 1
            if page and count >= page - 1 and number + 1 < len(lines):
                step = await self.more()
                if not step:
                    return
                count = 0 if step == "page" else page - 2

    async def more(self):
        text = ASA_MORE if self.device.platform == "asa" else MORE
        await self.put(text)
        key = await self.key()
        if self.device.platform == "asa":
            await self.put("\r" + " " * len(text) + "\r")
        else:
            await self.put("\b" * (len(text) - 1) + " " * (len(text) - 1) + "\b" * (len(text) - 1))
        self.transcript.note("paged", chr(key))
        return "page" if key == 32 else "line" if key == 13 else None

    def watch(self, line):
        """A log line, to a terminal that asked for them: in the midst of whatever is there."""
        if self.monitor:
            self.send(f"\r\n{line}\r\n".encode())

    # --- a session

    async def run(self, command=None):
        self.device.log.watchers.append(self.watch)
        self.device.sessions.add(self)
        try:
            await self.bad.at_login(self)
            if command is not None:
                self.tty = False
                await self.obey(command)
                return
            for banner in (self.device.banner_motd, self.device.banner_exec):
                if banner:
                    await self.put(f"\n{banner}\n")
            if self.tty:
                await self.put("\n")
            while True:
                line = await self.read_line(self.bad.prompt(self.prompt()))
                await self.obey(line if line is not None else "")
        except (Closed, ConnectionError):
            pass
        finally:
            self.device.log.watchers.remove(self.watch)
            self.device.sessions.discard(self)
            if not self.dropped:
                self.close()

    async def obey(self, line):
        line = line.strip()
        if not line or line[0] == "!":
            return
        self.transcript.command(self, line)
        await self.bad.before(self, line)
        body, *pipes = [part.strip() for part in re.split(r"\s\|\s*", " " + line)]
        try:
            command, arguments = find(self, body.split(), raw=line)
            self.refuse_denied(command)
            filters = [one for one in map(self.filter, pipes)]
            asked = [text for name, text in self.device.confirm.items() if command.name.startswith(name)]
            question = asked[0] if asked else command.confirm
            if question and not await self.ask(question):
                return
            answer = command.run(self, *arguments)
            if asyncio.iscoroutine(answer):
                answer = await answer
        except Refused as no:
            await self.put(self.bad.translated(no.text(self.prompt())))
            return
        if answer:
            await self.show(answer, filters)

    def refuse_denied(self, command):
        if any(command.name.startswith(word) for word in self.device.deny):
            raise Refused("Command authorization failed." if self.device.platform != "asa" else
                          "ERROR: Command authorization failed", gap=True)

    def filter(self, text):
        word, _, pattern = text.partition(" ")
        pattern = pattern.strip()
        kinds = [kind for kind in ("include", "exclude", "begin", "section", "count") if word and kind.startswith(word.lower())]
        if len(kinds) != 1 or not pattern:
            raise Refused("% Incomplete command." if not pattern else "% Invalid filter")
        match = re.compile(pattern).search
        if kinds[0] == "include":
            return lambda lines: [line for line in lines if match(line)]
        if kinds[0] == "exclude":
            return lambda lines: [line for line in lines if not match(line)]
        if kinds[0] == "begin":
            return lambda lines: lines[next((n for n, line in enumerate(lines) if match(line)), len(lines)):]
        if kinds[0] == "count":
            return lambda lines: [f"Number of lines which match regexp = {sum(map(bool, map(match, lines)))}"]
        return lambda lines: section(lines, match)


def section(lines, match):
    """Whoever matches, and what is indented below it."""
    kept, inside = [], -1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if match(line):
            kept.append(line)
            inside = indent
        elif inside >= 0 and line.strip() and indent > inside:
            kept.append(line)
        else:
            inside = -1
    return kept
