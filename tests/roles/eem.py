# SPDX-License-Identifier: MIT
"""Applets in the running daemon: each detector that can be here, and each action, from the configuration file on."""
import os
import subprocess

from daemon import wait_for
from notify import Hub
from shell import expect, shell


def lines_of(d, words):
    return [line for line in d.text().splitlines() if words in line]


TYPED = r"""event manager applet watch
 event cli pattern "^show version" sync no skip no
 action 1 syslog msg "watch: $_cli_msg by $_cli_username at $_cli_host"
event manager applet hide
 event cli pattern "^show privilege" sync no skip yes
 action 1 puts "hidden from $_cli_username"
event manager applet gate
 event cli pattern "^show clock" sync yes
 action 1 puts "gate is asked"
 action 2 cli command "enable"
 action 3 cli command "show version"
 action 4 regexp "spimend Software" "$_cli_result"
 action 5 set _exit_status "$_regexp_result"
event manager applet shut
 event cli pattern "^show history" sync yes
 action 1 puts "not today"
 action 2 set _exit_status "0"
event manager applet invented
 event cli pattern "^show me the way" sync yes
 action 1 puts "this way"
 action 2 set _exit_status "0"
event manager applet own
 event cli pattern "^show ip" sync no skip no
 action 1 cli command "enable"
 action 2 cli command "show ip interface brief"
 action 3 syslog msg "own ran"
event manager applet asks
 event none maxrun 15
 action 1 puts nonewline "name? "
 action 2 gets name
 action 3 puts "hello $name, $_none_arg1"
event manager applet impatient
 event none maxrun 1
 action 1 puts "quick!"
 action 2 gets name
 action 3 puts "never"
event manager applet beside
 event none sync no
 action 1 puts "beside"
"""


def typed_commands_start_applets(build):
    """`event cli`: beside the command, instead of it, before it; commands that there are not; no applet starts itself."""
    problems = []
    with Hub(build, TYPED.splitlines()) as d:
        _, shown = shell(d, "sh ver\nshow priv\nenable\nshow clock\n")
        expect(problems, "typed", shown, "spimend Software", "gate is asked", " UTC ", absent=["Current privilege"])
        for words in ("watch: show version by uid 0 at hub", "%HA_EM-6-LOG: hide: hidden from uid 0"):
            if not wait_for(lambda words=words: d.said(words)):
                problems.append(f"not said: {words}")
        _, shown = shell(d, "show me the way\nshow history\nshow version\n")
        expect(problems, "made up", shown, "this way", "not today", "spimend Software", absent=["Invalid input"])
        shell(d, "show ip int brief\n")
        if not wait_for(lambda: d.said("own ran")):
            problems.append("an applet does not type what another waits for")
        shell(d, "show ip interface brief\n")
        wait_for(lambda: len(lines_of(d, "own ran")) == 2)
        if len(lines_of(d, "own ran")) != 2:
            problems.append(f"an applet started itself: {len(lines_of(d, 'own ran'))} runs after two commands")
        _, shown = shell(d, "enable\nshow event manager policy registered\nshow event manager history events\n"
                            "show event manager statistics\n")
        expect(problems, "shown", shown, "cli                 Off", 'cli pattern "^show clock" sync yes', "applet: gate")
        return problems + (d.tail() if problems else [])


def an_applet_has_the_terminal(build):
    """`event manager run` waits; puts and gets are on that terminal; an answer that comes too late is no command."""
    problems = []
    with Hub(build, TYPED.splitlines()) as d:
        _, shown = shell(d, "enable\nevent manager run asks there\nann\nshow clock\n")
        expect(problems, "puts and gets", shown, "name? hello ann, there")
        with subprocess.Popen([os.path.join(d.build, "spimend"), "shell", "--socket", d.control], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as late:
            late.stdin.write("enable\nevent manager run impatient\n")
            late.stdin.flush()
            if not wait_for(lambda: d.said("applet impatient: ended after maxrun")):
                problems.append("maxrun does not end an applet that reads")
            shown, _ = late.communicate("show clock\nshow version\n", timeout=20)
        expect(problems, "too slow", shown, "quick!", "nobody reads this line", "spimend Software", absent=["never", " UTC "])
        _, shown = shell(d, "enable\nevent manager run beside\nevent manager run nobody\nevent manager run watch\n")
        expect(problems, "others", shown, "no applet nobody is registered", "applet watch has no 'event none'")
        if not wait_for(lambda: d.said("%HA_EM-6-LOG: beside: beside")):
            problems.append("'sync no' does not put into the log")
        if not d.answers():
            problems.append("the daemon does not answer any more")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("typed commands start applets, wait for them, or are replaced by them", typed_commands_start_applets),
    ("an applet puts and gets on the terminal that runs it", an_applet_has_the_terminal),
]
SANITIZED = TESTS
