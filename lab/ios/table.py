# SPDX-License-Identifier: MIT
"""The table of commands, and how typed words find one: abbreviations, arguments, and what IOS says when it finds none.

A command's pattern: words are typed (or abbreviated), CAPITALS are arguments, [brackets] may be left out:
    @command("show crypto ipsec sa [peer A] [detail]")
    def sa(session, args): ...          # args: {"a": "192.0.2.1", "detail": True}
The function returns the text to show, or None; it may be a coroutine."""
import ipaddress
import itertools
import re

IOS = ("ios", "ios-xe", "sdwan")
XE = ("ios-xe", "sdwan")
TABLE = []


class Refused(Exception):
    """What the device says instead of doing it."""

    def __init__(self, message, column=None, gap=False):
        super().__init__(message)
        self.message, self.column, self.gap = message, column, gap

    def text(self, prompt):
        mark = f"{' ' * (len(prompt) + self.column)}^\n" if self.column is not None else ""
        return f"{mark}{self.message}\n" + ("\n" if self.column is not None or self.gap else "")


class Command:
    def __init__(self, pattern, run, privilege, platforms, confirm):
        self.run, self.privilege, self.platforms, self.confirm = run, privilege, platforms, confirm
        self.name = " ".join(re.sub(r"\[[^\]]*\]", "", pattern).split())
        self.forms = list(self.expand(pattern))

    @staticmethod
    def expand(pattern):
        parts = [part for part in re.split(r"(\[[^\]]*\])", pattern) if part.strip()]
        for choice in itertools.product(*[((), part[1:-1].split()) if part[0] == "[" else (part.split(),) for part in parts]):
            yield tuple(itertools.chain.from_iterable(choice))


def command(*patterns, privilege=1, platforms=IOS, confirm=None):
    def keep(run):
        for pattern in patterns:
            TABLE.append(Command(pattern, run, privilege, platforms, confirm))
        return run
    return keep


def fits(token, word):
    """Whether the word can be this argument."""
    if token == "A":
        try:
            ipaddress.ip_address(word)
        except ValueError:
            return False
        return True
    if token == "N":
        return word.isdigit()
    if token == "SPI":
        return re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,10}", word) is not None
    return bool(word)


def step(forms, at, word):
    """Those of (command, form) that the word at this place leaves, and the words it may mean."""
    low = word.lower()
    literal = [(c, f) for c, f in forms if len(f) > at and not f[at].isupper() and f[at].startswith(low)]
    exact = [(c, f) for c, f in literal if f[at] == low]
    literal = exact or literal
    if literal:
        return literal, sorted({f[at] for _, f in literal})
    return [(c, f) for c, f in forms if len(f) > at and f[at].isupper() and fits(f[at], word) or f and f[-1] == "LINE"
            and len(f) <= at], []


def find(session, words, raw="", listing=False):
    """(command, [its arguments]); with listing=True the words that may stand in the last one's place."""
    platform = session.device.platform
    forms = [(c, f) for c in TABLE if platform in c.platforms and session.privilege >= c.privilege for f in c.forms]
    if listing:
        for at, word in enumerate(words[:-1]):
            forms, _ = step(forms, at, word)
        at, last = len(words) - 1, words[-1] if words else ""
        found = {f[at] for _, f in forms if len(f) > at and (f[at].isupper() or f[at].startswith(last.lower()))}
        return sorted(found) + (["<cr>"] if not last and any(len(f) == at for _, f in forms) else [])
    position = 0
    error = "ERROR: " if platform == "asa" else ""
    for at, word in enumerate(words):
        start = raw.find(word, position)
        position = start + len(word)
        forms, meant = step(forms, at, word)
        if not forms:
            raise Refused(f"{error}% Invalid input detected at '^' marker.", column=max(start, 0))
        if len(meant) > 1:
            raise Refused(f'{error}% Ambiguous command:  "{raw}"')
    whole = [(c, f) for c, f in forms if len(f) == len(words) or f[-1] == "LINE" and len(f) <= len(words)]
    if not whole:
        raise Refused(f"{error}% Incomplete command.", gap=True)
    chosen, form = whole[0]
    args = {}
    for at, token in enumerate(form):
        if token == "LINE":
            args["line"] = " ".join(words[at:])
        elif token.isupper():
            args[token.lower()] = words[at]
        else:
            args[token] = True
    return chosen, [args]
