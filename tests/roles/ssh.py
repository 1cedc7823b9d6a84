# SPDX-License-Identifier: MIT
"""The shell behind the system's sshd, as the manual says: a real sshd in the test's own namespace, with its own accounts,
keys and configuration, and real clients. And the shell in a real terminal, tmux."""
import grp
import os
import re
import shutil
import subprocess
import time

from daemon import Daemon, wait_for
from hostile import GoodDaemon
from shell import Terminal, expect

SSHD, PORT = "/usr/sbin/sshd", 2222
# Accounts of this sshd alone; each has a shell, which ForceCommand runs through.
ACCOUNTS = """root:x:0:0:root:/root:/bin/sh
sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin
operator:x:12345:65534::/:/bin/sh
asker:x:12346:65534::/:/bin/sh
stranger:x:12347:65534::/:/bin/sh
plain:x:12348:65534::/:/bin/sh
"""
CONFIG = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
Match User operator,asker,stranger
	ForceCommand {build}/spimend shell --ssh --socket {control}
	AllowTcpForwarding no
	X11Forwarding no
"""
# Who may enable is a member of the one group, who may ask at all of the other.
GROUPS = """root:x:0:
nogroup:x:65534:
{operators.gr_name}:x:{operators.gr_gid}:operator
{askers.gr_name}:x:{askers.gr_gid}:operator,asker
"""
CAGE = """mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
exec "$2" -D -e -f "$1/config" """


def missing():
    return [name for name in (SSHD, "ssh", "ssh-keygen", "tmux") if not shutil.which(name)]


class Server:
    """`with Server(d) as s:`; what a client could leave behind goes to s.yard."""

    def __init__(self, d):
        self.d, self.folder = d, os.path.join(d.folder, "ssh")
        self.yard = os.path.join(d.folder, "yard")

    def __enter__(self):
        os.mkdir(self.folder, 0o755)
        os.mkdir(self.yard)
        os.chmod(self.yard, 0o1777)
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(self.folder, name)], check=True)
        with open(os.path.join(self.folder, "host.pub"), encoding="utf-8") as file:
            key = " ".join(file.read().split()[:2])
        self.write("known", f"[127.0.0.1]:{PORT} {key}\n")
        self.write("passwd", ACCOUNTS)
        self.write("group", GROUPS.format(operators=grp.getgrnam("games"), askers=grp.getgrnam("daemon")))
        self.write("config", CONFIG.format(port=PORT, folder=self.folder, build=self.d.build, control=self.d.control))
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.d.space, "unshare", "-m", "sh", "-c", CAGE, "sh",
                                             self.folder, SSHD], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: "Server listening" in self.log() or self.process.poll() is not None)
        if self.process.poll() is not None:
            self.__exit__()
            raise RuntimeError("sshd does not come up: " + self.log())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def client(self, user, *words, options=(), program="ssh"):
        options = [f"IdentityFile={self.folder}/client", f"UserKnownHostsFile={self.folder}/known", "BatchMode=yes",
                   "LogLevel=ERROR", f"Port={PORT}", "IdentitiesOnly=yes", *options]
        return ["ip", "netns", "exec", self.d.space, program, "-F", "none", *(f"-o{option}" for option in options),
                f"{user}@127.0.0.1", *words]

    def run(self, user, *words, text="", options=(), program="ssh"):
        """(exit status, what came)."""
        done = subprocess.run(self.client(user, *words, options=options, program=program), input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False, text=True,
                              errors="replace")
        return done.returncode, done.stdout


def over_ssh(build):
    problems = []
    with Daemon(build, "sense xfrm", "operators games", "control-group daemon") as d, Server(d) as s:
        status, shown = s.run("operator", "show version")
        expect(problems, "a command", shown, "spimend Software, Version")
        problems += [f"a command: exit status {status}"] if status else []
        status, shown = s.run("operator", "show crypto ipsec sa | include spi")
        problems += [f"a filter: {status} {shown}"] if status or shown else []
        status, shown = s.run("operator", "show nonsense")
        expect(problems, "nonsense", shown, "% Invalid input detected at '^' marker.")
        problems += [] if status == 2 else [f"nonsense: exit status {status}"]
        # A configuration from a file, as people keep them.
        status, shown = s.run("operator", text="enable\nshow privilege\nconfigure terminal\nhostname spoke\nspimend\n mode observe\n"
                                               "end\nshow running-config\nwrite\n")
        expect(problems, "lines", shown, "level is 15", "hostname spoke", " mode observe", "only root writes")
        if not wait_for(lambda: "on spoke: mode observe" in d.page()):
            problems.append("the daemon does not run with what was typed: " + d.page())
        if not d.said("uid 12345: "):
            problems.append("the log does not say whose commands they were")
        # Who may what, the kernel says: not the name that a client gives, nor what it claims in its environment.
        status, shown = s.run("asker", text="enable\nshow privilege\nconfigure terminal\n")
        expect(problems, "one who may ask", shown, "access denied", "level is 1\n", absent=["level is 15"])
        status, shown = s.run("stranger", "show version", options=["SetEnv=USER=operator LC_USER=operator"])
        expect(problems, "a stranger", shown, "permission denied", absent=["Software"])
        problems += [] if status == 2 else [f"a stranger: exit status {status}"]
        return problems + (s.log().splitlines()[-8:] + d.tail() if problems else [])


def terminal_over_ssh(build):
    problems = []
    with Daemon(build, "sense xfrm", "operators games") as d, Server(d) as s:
        t = Terminal(d, s.client("operator", options=["RequestTTY=force"]))
        try:
            expect(problems, "prompt", t.press("", "test>"), "test>")
            expect(problems, "completion", t.press("ena\t\r", "test#"), "ble", "test#")
            expect(problems, "?", t.press("show crypto ?", "sockets"), "ipsec", "isakmp", "ikev2", "session")
            t.press("\x15", "test#")
            # Pasted as a whole, prompts and remarks with it.
            t.press("spoke1#configure terminal\r!\rhostname spoke\revent manager applet hello\r event none\r"
                    ' action 1 syslog msg "hello"\rend\r', "spoke#")
            shown = t.press("show running-config | section event\r", "spoke#")
            shown += t.press("\r", "spoke#")
            expect(problems, "pasted", shown, "event manager applet hello", "action 1 syslog msg")
            t.press("exit\r", "closed")
        finally:
            ended = t.end()
        problems += [] if ended else ["'exit' does not end the connection"]
        return problems + ([t.text] if problems else [])


def no_way_out(build):
    """Whoever gets this shell gets no other. That each attempt would show, an account without ForceCommand shows."""
    problems = []
    with Daemon(build, "sense xfrm", "operators games") as d, Server(d) as s:
        mark = os.path.join(s.yard, "mark")
        status, shown = s.run("plain", f"show version; touch {mark}")
        problems += [] if os.path.exists(mark) else [f"the plain account left no mark: {status} {shown}"]
        os.unlink(mark)
        for line in (f"show version; touch {mark}", f"show version | include $(touch {mark})",
                     f"show version | include `touch {mark}`", f"show version && touch {mark}", f"show clock\ntouch {mark}",
                     f"show clock | redirect ../../{mark}", f"show clock | append {mark}", f"!touch {mark}",
                     f"\"; touch {mark}; \"", f"' ; touch {mark} ; '", f"sh -c 'touch {mark}'", "/bin/sh",
                     f"--help; touch {mark}", f"-c touch {mark}"):
            status, shown = s.run("operator", line)
            expect(problems, line, shown, absent=["uid=", "Usage:"])
            status, shown = s.run("operator", text=f"enable\n{line}\n")
        # What a client may bring along. sshd passes LC_* on here, and nothing else.
        evil = f"() {{ :; }}; touch {mark}"
        for options in ([f'SetEnv="LC_ALL={evil}" "LC_X=$(touch {mark})"'], [f"SetEnv=LD_PRELOAD={s.yard}/no.so"],
                        [f"SetEnv=SHELL={mark}"], ["SetEnv=SSH_ORIGINAL_COMMAND=reload"], [f"SetEnv=EDITOR={mark}"]):
            status, shown = s.run("operator", "show version", options=options)
            expect(problems, str(options), shown, "spimend Software")
        status, shown = s.run("operator", "show version", options=["RemoteCommand=none", "ForwardAgent=yes", "ForwardX11=yes"])
        expect(problems, "forwarding", shown, "spimend Software")
        status, shown = s.run("operator", options=[], text=f"put /etc/passwd {mark}\nls\n", program="sftp")
        problems += [] if status else [f"sftp works: {shown}"]
        status, shown = s.run("operator", "-s", "sftp")
        expect(problems, "a subsystem", shown, "% Invalid input")
        problems += ["a mark was left"] if os.listdir(s.yard) else []
        # The line editor's own command line: vi keys, an editor, its shell.
        t = Terminal(d, s.client("operator", options=["RequestTTY=force"]))
        try:
            t.press("", "test>")
            for keys in ("\x1bx", "\x1bX", "\xf8", "\xd8", "\xc3\xb8"):
                t.press(f"{keys}bind -v\r", "test>", 2)
                t.press("\x1bv", "histedit", 1)
                t.press(f":!touch {mark}\r\r", "test>", 1)
                t.press("\x15\x03", "test>", 2)
            shown = t.press("\x15\x03show clock\r", "UTC")
            expect(problems, "Meta-x", t.text, absent=["histedit"])
            expect(problems, "after all that", shown, "UTC")
        finally:
            t.end()
        problems += ["a mark was left by the line editor"] if os.listdir(s.yard) else []
        return problems + (s.log().splitlines()[-8:] if problems else [])


class Screen:
    """tmux with one window of 80 by 24, and the shell in it."""

    def __init__(self, d):
        self.socket = os.path.join(d.folder, "tmux")
        self.call("new-session", "-d", "-x", "80", "-y", "24", f"exec {d.build}/spimend shell --socket {d.control}")

    def call(self, *words):
        env = {name: value for name, value in os.environ.items() if name != "TMUX"}
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(env, LC_ALL="C.UTF-8", TERM="xterm"), timeout=20, check=False,
                              text=True).stdout

    def lines(self):
        return self.call("capture-pane", "-p", "-t", "0").rstrip("\n").split("\n")

    def type(self, text, until, *keys):
        """Types it, and waits until the last line of the screen matches; the screen."""
        if text:
            self.call("send-keys", "-t", "0", "-l", text)
        if keys:
            self.call("send-keys", "-t", "0", *keys)
        wait_for(lambda: re.search(until, self.lines()[-1]))
        time.sleep(0.1)
        return self.lines()

    def clear(self):
        self.call("send-keys", "-t", "0", "C-l")
        wait_for(lambda: len(self.lines()) == 1)

    def end(self):
        self.call("kill-server")


def on_a_screen(build):
    """What a person sees, line by line."""
    problems = []

    def same(what, shown, wanted):
        if shown != wanted:
            problems.extend([f"{what}: on the screen is", *(f"  |{line}" for line in shown), "instead of",
                             *(f"  |{line}" for line in wanted)])

    with Daemon(build, start=False) as d:
        vici = os.path.join(d.folder, "vici")
        d.lines.append(f"sense strongswan {vici}")
        d.write()
        GoodDaemon(vici)
        d.start()
        wait_for(lambda: "1 live" in d.page())
        s = Screen(d)
        try:
            s.type("", "^test>$")
            same("a mistake", s.type("show crypto nonsense", "^test>$", "Enter"),
                 ["test>show crypto nonsense", "                 ^", "% Invalid input detected at '^' marker.", "test>"])
            s.clear()
            same("half a command", s.type("show crypto", "^test>$", "Enter"), ["test>show crypto", "% Incomplete command.", "test>"])
            s.clear()
            same("ambiguous", s.type("e", "^test>$", "Enter"), ["test>e", '% Ambiguous command:  "e"', "test>"])
            s.clear()
            shown = s.type("show crypto ipsec ?", "^test>show crypto ipsec $|^test>show crypto ipsec$")
            same("'?'", shown, ["test>show crypto ipsec ?", "  sa    IPsec SAs with their SPIs and counters",
                                "test>show crypto ipsec"])
            s.type("", "^test>$", "C-u")
            s.clear()
            same("completion", s.type("ena", "^test>enable", "Tab"), ["test>enable"])
            s.type("", "^test#$", "Enter")
            s.clear()
            shown = s.type("show crypto ipsec sa | include spi", "^test#$", "Enter")
            same("SPIs", [re.sub(r"0x[0-9A-F]+\(\d+\)", "SPI", line) for line in shown],
                 ["test#show crypto ipsec sa | include spi", "     current outbound spi: SPI", "      spi: SPI", "      spi: SPI",
                  "test#"])
            s.clear()
            # Pasted: all lines at once.
            s.type("configure terminal\nhostname hub\nevent manager applet hello\n event none\n action 1 syslog msg \"hi\"\nend\n",
                   "^hub#$")
            same("pasted", s.lines(), ["test#configure terminal", "Enter configuration commands, one per line.  End with 'end'.",
                                       "test(config)#hostname hub", "hub(config)#event manager applet hello",
                                       "hub(config-applet)# event none", 'hub(config-applet)# action 1 syslog msg "hi"',
                                       "hub(config-applet)#end", "hub#"])
            s.clear()
            # Pages: a screen, then a line, then no more.
            shown = s.type("show crypto ipsec sa", "--More--", "Enter")
            problems += [] if len(shown) == 24 and shown[-1] == " --More--" else [f"a page: {shown}"]
            last = shown[-2]
            shown = s.type("", "--More--", "Enter")
            problems += [] if shown[-3] == last and shown[-1] == " --More--" else [f"a line: {shown}"]
            s.type("q", "^hub#$")
            s.type("terminal length 4", "^hub#$", "Enter")
            s.clear()
            shown = s.type("show crypto ipsec sa", "--More--", "Enter")
            problems += [] if len(shown) == 5 else [f"terminal length 4: {shown}"]
            s.type("q", "^hub#$")
            s.type("terminal length 0", "^hub#$", "Enter")
            shown = s.type("show crypto ipsec sa", "^hub#$", "Enter")
            problems += [] if "     outbound pcp sas:" in shown else [f"terminal length 0: {shown}"]
        finally:
            s.end()
        return problems


TESTS = [
    ("over sshd: commands, a file of configuration, and who may what", over_ssh),
    ("over sshd: a terminal, and a configuration that is pasted", terminal_over_ssh),
    ("over sshd: no way to a shell of the system", no_way_out),
    ("on a screen: what a person sees", on_a_screen),
]
