# SPDX-License-Identifier: MIT
"""Applets in the running daemon: each detector that can be here, and each action, from the configuration file on."""
import json
import os
import subprocess
import time

from daemon import Daemon, ip, wait_for
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
        expect(problems, "shown", shown, "cli                 Off", '\n pattern {^show clock} sync yes skip no\n', "applet: gate")
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


TRACKED = r"""track 1 interface in line-protocol
track 2 ip route 198.51.100.0 255.255.255.0 reachability
track 3 interface in ip routing
track 4 stub-object
track 5 interface nothere line-protocol
 delay up 180
event manager applet link
 event track 1 state down
 action 1 track read 1
 action 2 syslog msg "link: $_track_number is $_track_state"
 action 3 track set 4 state up
event manager applet stub
 event track 4 state any
 action 1 syslog msg "stub: $_track_state"
event manager applet route
 event track 2 state any
 action 1 syslog msg "route: $_track_state"
event manager applet both
 event tag one syslog pattern "link: 1 is down"
 trigger
  correlate event one and track 4
 action 1 syslog msg "correlated"
event manager applet wrong
 event none
 action 1 track set 1 state up
event manager applet unknown
 event none
 action 1 track read 77
"""


def objects_are_tracked(build):
    """The line of an interface, a route, an address, a stub object, in the daemon: applets hear of each change once."""
    problems = []

    def state(number):
        shown = shell(d, f"show track {number}\n")[1]
        return "Up" if " is Up" in shown else "Down" if " is Down" in shown else shown

    def becomes(number, wanted):
        if not wait_for(lambda: state(number) == wanted):
            problems.append(f"track {number} is {state(number)}, not {wanted}")
    with Hub(build, TRACKED.splitlines()) as d:
        ip("-n", d.space, "address", "add", "203.0.113.1/24", "dev", "in")
        for number, wanted in ((1, "Up"), (2, "Down"), (3, "Up"), (4, "Down"), (5, "Down")):
            becomes(number, wanted)
        if d.said("%HA_EM-6-LOG: link"):
            problems.append("the first look at an object started an applet")
        ip("-n", d.space, "route", "add", "198.51.100.0/24", "via", "203.0.113.2")
        becomes(2, "Up")
        ip("-n", d.space, "route", "add", "198.51.100.0/25", "via", "203.0.113.3")
        ip("-n", d.space, "link", "set", "out", "down")
        for number, wanted in ((1, "Down"), (3, "Down"), (4, "Up"), (2, "Down")):
            becomes(number, wanted)
        for words in ("%TRACK-6-STATE: 1 interface in line-protocol Up -> Down", "link: 1 is down", "stub: up", "route: up",
                      "route: down"):
            if not wait_for(lambda words=words: d.said(words)):
                problems.append(f"not said: {words}")
        shell(d, "enable\nevent manager run wrong\nevent manager run unknown\n")
        for words in ("track object 1 is no stub-object", "there is no track object 77"):
            if not wait_for(lambda words=words: d.said(words)):
                problems.append(f"not said: {words}")
        # What is added and taken away while it runs.
        _, shown = shell(d, "enable\nconf t\ntrack 6 interface lo line-protocol\nno track 1\ntrack 7 ip sla 1\nend\nsh track brief\n")
        expect(problems, "changed", shown, "6     interface lo line-protocol", "there is no IP SLA here", absent=["1     interface in"])
        becomes(6, "Up")
        status, said = d.run("-n")
        problems += [] if status == 0 else [said]
        return problems + (d.tail() if problems else [])


OTHERS = r"""event manager applet count
 event counter name strays entry-op ge entry-val 3 exit-op eq exit-val 0
 action 1 syslog msg "count: $_counter_name is $_counter_value"
event manager applet add
 event none sync no
 action 1 counter name strays op inc value 1
 action 2 policy second
event manager applet second
 event none
 action 1 syslog msg "second runs"
 action 2 publish-event sub-system 798 type 7 arg1 "told"
event manager applet hears
 event application sub-system 798 type 7
 action 1 syslog msg "hears: $_application_data1"
event manager applet soon
 event timer absolute time SOON
 action 1 syslog msg "absolute timer"
event manager applet once
 event timer countdown time 1
 action 1 syslog msg "countdown"
event manager applet restart
 event none sync no
 action 1 reload
 action 2 syslog msg "goes on after reload"
"""


def timers_counters_and_other_applets(build):
    problems = []
    with Hub(build, OTHERS.replace("SOON", str(int(time.time()) + 12)).splitlines()) as d:
        for words in ("countdown", "absolute timer"):
            if not wait_for(lambda words=words: d.said(f"LOG: {'soon' if words[0] == 'a' else 'once'}: {words}"), 30):
                problems.append(f"not said: {words}")
        for _ in range(3):
            shell(d, "enable\nevent manager run add\n")
        for words in ("count: strays is 3", "second runs", "hears: told"):
            if not wait_for(lambda words=words: d.said(words)):
                problems.append(f"not said: {words}")
        shell(d, "enable\nevent manager run restart\n")
        if not wait_for(lambda: d.said("spimend never restarts the machine")) or d.said("goes on after reload"):
            problems.append("reload is not refused")
        for count in (len(lines_of(d, "LOG: once: countdown")), len(lines_of(d, "LOG: count: "))):
            problems += [] if count == 1 else [f"{count} times instead of once"]
        return problems + (d.tail() if problems else [])


MAILER = r"""hostname edge
ip host mail.example.net 127.0.0.1
event manager environment _server mail.example.net
event manager environment _to noc@example.net
event manager applet post
 event none
 action 1 info type routername
 action 1.1 cli command "enable"
 action 1.2 cli command "show version | include Version"
 action 2 mail server "$_server" port 2525 to "$_to, second@example.net" from "$_info_routername@example.net" cc third@example.net subject "strays $_none_arg1" body ".dot from $_info_routername: $_cli_result."
 action 3 puts "sent"
event manager applet refused
 event none
 action 1 mail server 127.0.0.1 port 2525 to nobody@example.net from a@example.net subject x body y
 action 2 puts "not reached"
event manager applet closed
 event none
 action 1 mail server 127.0.0.1 port 2526 to a@example.net from a@example.net subject x body y
 action 2 puts "not reached"
event manager applet rude
 event none
 action 1 mail server 127.0.0.1 port 2527 to a@example.net from a@example.net subject x body y
 action 2 puts "not reached"
event manager applet outside
 event syslog pattern "SYS-5-TEST"
 action 1 mail server 127.0.0.1 port 2525 to "$_syslog_msg" from a@example.net subject x body y
"""

SMTP_SERVER = r"""
import asyncore, smtpd, socket
class Server(smtpd.SMTPServer):
    def process_message(self, peer, mailfrom, rcpttos, data, **more):
        if any("nobody" in to for to in rcpttos):
            return "550 no such user"
        print("FROM", mailfrom, "TO", ",".join(rcpttos), flush=True)
        print(data.decode(), flush=True)
        print("END", flush=True)
server = Server(("127.0.0.1", 2525), None)
rude = socket.socket()
rude.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
rude.bind(("127.0.0.1", 2527))
rude.listen(1)
class Rude(asyncore.dispatcher):
    def handle_accepted(self, sock, addr):
        sock.sendall(b"SSH-2.0-what\r\n" + b"x" * 5000)
        sock.close()
Rude(rude).accepting = True
print("listens", flush=True)
asyncore.loop()
"""


def mail_is_sent(build):
    """To a real SMTP server; what it says, what is no mail server, and where nobody listens, ends the run with the reason."""
    problems = []

    def heard():
        try:
            with open(os.path.join(d.folder, "other"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""
    with Hub(build, MAILER.splitlines()) as d:
        d.start_in("python3", "-W", "ignore", "-c", SMTP_SERVER)
        if not wait_for(lambda: "listens" in heard()):
            return ["the mail server does not come up", heard()]
        _, shown = shell(d, "enable\nevent manager run post 0xC0DE\n")
        expect(problems, "sent", shown, "sent")
        expect(problems, "the server", heard(), "FROM edge@example.net TO noc@example.net,second@example.net,third@example.net",
               "Subject: strays 0xC0DE", "To: noc@example.net,", "Cc: third@example.net", "\n.dot from edge: spimend Software",
               "\nedge#.\nEND",
               "Date: ", "Message-ID: <")
        for applet, why in (("refused", "the mail server refuses the message: 550 no such user"),
                            ("closed", "the mail server cannot be reached"), ("rude", "what answers is no mail server")):
            def again(applet=applet, why=why): # there is a limit: one a second
                expect(problems, applet, shell(d, f"enable\nevent manager run {applet}\n")[1], absent=["not reached"])
                return d.said(why)
            if not wait_for(again):
                problems.append(f"not said: {why}")
        # What is typed is checked as well, and so is the file.
        _, shown = shell(d, "enable\nconf t\nevent manager applet typed\nevent none\naction 1 mail server mail.example.org to a@b from c@d "
                            "subject s body b\nend\nshow run | include typed\n")
        expect(problems, "typed", shown, "no 'ip host' line has it", absent=["event manager applet typed"])
        with open(d.config, encoding="utf-8") as file:
            text = file.read()
        d.write(text=text.replace("ip host mail.example.net 127.0.0.1", "").replace("hostname hub\n", ""))
        status, said = d.run("-n")
        if status == 0 or "'mail.example.net' is no address" not in said or ":10: mail" not in said:
            problems.append(f"a file with an unknown mail server: {status} {said}")
        return problems + ([heard()] + d.tail() if problems else [])


FILER = r"""event manager applet write
 event none
 action 1 file open fd flash:notes.txt w
 action 2 file puts fd "first"
 action 3 file puts nonewline fd "second "
 action 4 file write fd "lineXX" 4
 action 5 file close fd
 action 6 file open fd disk0:notes.txt a
 action 7 file puts fd ", third"
event manager applet read
 event none
 action 1 file open in flash:notes.txt r
 action 2 file gets in line
 action 3 file read in six 6
 action 4 file read in rest
 action 5 file read in none
 action 6 puts "($line)($six)($rest)($none)"
 action 7 file close in
 action 8 file delete flash:notes.txt
event manager applet closed
 event none
 action 1 file puts fd "x"
 action 2 puts "not reached"
event manager applet away
 event none
 action 1 file open fd flash:../../etc/passwd r
 action 2 puts "not reached"
event manager applet wrong
 event none
 action 1 file open fd flash:other w
 action 2 file gets fd line
 action 3 puts "not reached"
event manager applet many
 event none
 action 1 file open a flash:a w
 action 2 file open b flash:b w
 action 3 file open c flash:c w
 action 4 file open d flash:d w
 action 5 file open e flash:e w
 action 6 puts "not reached"
"""


def files_are_read_and_written(build):
    problems = []
    with Hub(build, FILER.splitlines()) as d:
        _, shown = shell(d, "enable\nevent manager run write\nmore flash:notes.txt\nevent manager run read\ndir\n")
        expect(problems, "files", shown, "first\nsecond line, third\n", "(first)(second)( line, third\n)()", absent=["notes.txt\n"])
        for _ in range(10):  # what a run opened is closed with it
            shown = shell(d, "enable\nevent manager run many\n")[1]
            expect(problems, "many", shown, absent=["not reached"])
        for applet, why in (("closed", "no file is open as 'fd'"), ("away", "applet away: action 1 file: "),
                            ("wrong", "other is open for writing"), ("many", "at most 4 files open")):
            expect(problems, applet, shell(d, f"enable\nevent manager run {applet}\n")[1], absent=["not reached"])
            if not wait_for(lambda why=why: d.said(why)):
                problems.append(f"not said: {why}")
        return problems + (d.tail() if problems else [])


POLLER = r"""event manager applet link
 event snmp oid 1.3.6.1.2.1.2.2.1.8.INDEX get-type exact entry-op eq entry-val 2 exit-op eq exit-val 1 poll-interval 1
 action 1 syslog msg "link: $_snmp_oid is $_snmp_oid_val"
event manager applet up
 event snmp oid 1.3.6.1.2.1.1.3 get-type next entry-op gt entry-val 100 exit-op lt exit-val 1 poll-interval 1
 action 1 syslog msg "up: $_snmp_oid"
event manager applet cpu
 event snmp oid 1.3.6.1.4.1.9.9.109.1.1.1.1.3.1 get-type exact entry-op ge entry-val 0 exit-op lt exit-val 0 poll-interval 1
 action 1 syslog msg "cpu: some load"
event manager applet bytes
 event snmp oid 1.3.6.1.2.1.31.1.1.1.6.INDEX get-type exact entry-op gt entry-val 0 exit-op lt exit-val 0 poll-interval 1
 action 1 syslog msg "bytes: some"
event manager applet memory
 event snmp oid 1.3.6.1.4.1.9.9.48.1.1.1.6.1 get-type exact entry-op gt entry-val 0 exit-op lt exit-val 0 poll-interval 1
 action 1 syslog msg "memory: some"
"""

REFUSED = (
    ("event snmp oid 1.3.6.1.4.1.9.9.42.1.2.9.1.6.10 get-type exact entry-op eq entry-val 1 poll-interval 10",
     "this gateway has no object 1.3.6.1.4.1.9.9.42.1.2.9.1.6.10"),
    ("event neighbor-discovery interface regexp .* lldp add", "no interface of a 'sense interface' line is meant"),
    ("event routing network 10.0.0.0/8 type add", "'routing' cannot exist off the router"),
    ("event none\n action 1 info type snmp oid 1.3", "'info type snmp' cannot be answered here"),
    ("event none\n action 1 force-switchover", "'force-switchover' cannot exist off the router"),
    ("event none\n action 1 file open fd flash:x r+", "'r+' is not known"),
    ("event none\n action 1 mail server 192.0.2.1 to a from b subject s body b secure tls", "mail over TLS is not sent here"),
    ("event none\n spimend device r1", "stands on device 'r1': no line 'device' of the configuration names that one"),
)


def objects_are_polled(build):
    """Interfaces, uptime, processor and memory, with an exit condition: an event each time the state is entered."""
    problems = []
    with Hub(build, POLLER.replace("INDEX", "2").splitlines()) as d:
        index = next(link["ifindex"] for link in json.loads(d.netns("ip", "-j", "link", "show", "dev", "in").stdout))
        d.stop()
        with open(d.config, encoding="utf-8") as file:
            text = file.read()
        d.write(text=text.replace(".6.2 ", f".6.{index} ").replace(".8.2 ", f".8.{index} "))
        d.start()
        d.netns("ping", "-c", "1", "-W", "1", "-I", "out", "203.0.113.9")  # whatever it sends, ARP or IPv6, is counted
        ip("-n", d.space, "link", "set", "out", "down")
        for words in (f"link: 1.3.6.1.2.1.2.2.1.8.{index} is 2", "up: 1.3.6.1.2.1.1.3.0", "cpu: some load", "bytes: some",
                      "memory: some"):
            if not wait_for(lambda words=words: d.said(words), 15):
                problems.append(f"not said: {words}")
        ip("-n", d.space, "link", "set", "out", "up")
        time.sleep(3)  # the exit condition is seen
        ip("-n", d.space, "link", "set", "out", "down")
        if not wait_for(lambda: len(lines_of(d, "link: 1.3")) == 2) or len(lines_of(d, "cpu: ")) != 1:
            problems.append("an exit condition does not count")
        return problems + (d.tail() if problems else [])


def what_cannot_be_is_refused_when_it_is_read(build):
    """By its name, with file and line: never at three in the morning, when the applet runs."""
    problems = []
    with Daemon(build, start=False) as d:
        for lines, why in REFUSED:
            d.write(text=f"hostname hub\nevent manager applet a\n {lines}\n action 2 syslog msg x\nspimend\n user nobody\n")
            status, said = d.run("-n")
            if status == 0 or why not in said or not any(f"spimend.conf:{line}: " in said for line in (2, 3, 4)):
                problems.append(f"{lines}: {status} {said}")
        d.write(text="event manager applet a\n event none\n spimend device r2\ndevice r2\n address 192.0.2.99\nspimend\n user nobody\n")
        expect(problems, "a device that there is", d.run("-n")[1],
               "spimend.conf:1: applet a stands on device 'r2': nobody can log in to that one, it has no 'ssh user'")
    with Hub(build, []) as d:
        for lines, why in REFUSED:
            typed = lines.replace("\n ", "\n")
            _, shown = shell(d, f"enable\nconf t\nevent manager applet a\n{typed}\nend\nshow run | include applet\n")
            expect(problems, f"typed {lines}", shown, why, absent=["\nevent manager applet a\nhub#"])
    return problems


TESTS = [
    ("typed commands start applets, wait for them, or are replaced by them", typed_commands_start_applets),
    ("objects are tracked, and applets hear of it", objects_are_tracked),
    ("timers, counters and applets that start others", timers_counters_and_other_applets),
    ("applets read and write files, in their directory alone", files_are_read_and_written),
    ("objects are polled", objects_are_polled),
    ("what an applet cannot do here is refused when it is read", what_cannot_be_is_refused_when_it_is_read),
    ("applets send mail, to where the configuration says", mail_is_sent),
    ("an applet puts and gets on the terminal that runs it", an_applet_has_the_terminal),
]
SANITIZED = TESTS
