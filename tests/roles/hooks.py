# SPDX-License-Identifier: MIT
"""What is told of each change of an incident: webhooks that a real web server checks, a program, the log."""
import hashlib
import hmac
import json
import os
import subprocess
import time

from daemon import Daemon, wait_for
from hostile import GoodDaemon
from notify import make_certificates
from world import PEER, send_strays

SECRET = "a secret of thirty-two characters"
OLD, NEW = 0x10000010, 0x20000020

# A web server that fails as it is told, then takes what comes; what it got is a line of JSON each.
SERVER = """
import http.server, json, ssl, sys, time
folder, port, plan = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")

class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        deed = plan.pop(0) if plan[0] else "200"
        plan.append("") if not plan else None
        with open(folder + "/heard", "a") as file:
            file.write(json.dumps(dict(at=time.time(), path=self.path, deed=deed, body=body,
                                       headers=dict(self.headers))) + "\\n")
        if deed == "hang":
            time.sleep(60)
        elif deed == "close":
            self.close_connection = True
        elif deed == "nonsense":
            self.wfile.write(b"220 mail.example ESMTP\\r\\n")
            self.close_connection = True
        else:
            self.send_response(int(deed))
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hook)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


class Changing(GoodDaemon):
    """Lists one SA until it is told to list another one: then the first is gone without a word."""

    def __init__(self, path):
        self.is_new = False
        super().__init__(path)

    spi = property(lambda self: NEW if self.is_new else OLD, lambda self, value: None)


class Hooked(Daemon):
    """A spimendd with these lines, and a daemon of SAs that it can lose."""

    def __init__(self, build, *lines, outside=()):
        super().__init__(build, start=False)
        self.inside, self.outside = lines, outside

    def __enter__(self):
        super().__enter__()
        try:
            with open(self.path("secret"), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(SECRET + "\n")
            self.configure()
            self.vici = Changing(self.path("vici"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self):
        lines = [line.replace("FOLDER", self.folder) for line in self.inside]
        self.write(text="\n".join(["hostname hub", *self.outside, "spimend", f" user {self.user}", f" state-directory {self.state}",
                                   f" control-socket {self.control}", " no sense xfrm", " sense interface in", " judge close 4",
                                   f" sense strongswan {self.path('vici')}", *(f" {line}" for line in lines), ""]))

    def serve(self, port, plan, *tls):
        self.others.append(subprocess.Popen(["ip", "netns", "exec", self.space, "python3", "-c", SERVER, self.folder, str(port), plan,
                                             *tls], stdin=subprocess.DEVNULL, stderr=open(self.path("server-said"), "ab")))
        return wait_for(lambda: subprocess.run(["ip", "netns", "exec", self.space, "ss", "-lnt"], stdout=subprocess.PIPE, check=False,
                                               text=True).stdout.count(f":{port} "))

    def break_it(self):
        """The first SA is gone, and its peer goes on sending with it: a desync."""
        if not wait_for(lambda: "1 live" in self.page()):
            return False
        self.vici.is_new = True
        self.vici.hang_up()
        if not wait_for(lambda: "1 dead" in self.page() or "0x20000020" in self.page(), 15):
            return False
        count = 0

        def is_desync():
            nonlocal count
            count += 5
            send_strays(self, count, spi=OLD)
            return wait_for(lambda: any(i.get("verdict") == "desync" for i in self.incidents()), 0.5)
        return wait_for(is_desync, 15)

    def incidents(self, *words):
        done = subprocess.run([os.path.join(self.build, "spimend"), "incidents", "--json", "--socket", self.control, *words],
                              stdout=subprocess.PIPE, check=False, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def sleepers(self):
        shown = subprocess.run(["ps", "-eo", "user,args"], stdout=subprocess.PIPE, check=False, text=True).stdout
        return sum(line.split(None, 1) == ["daemon", "sleep 1017"] for line in shown.splitlines())

    def heard(self):
        try:
            with open(self.path("heard"), encoding="utf-8") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def receiver(self, kind):
        got = self.ask()
        return next((r for r in (json.loads(got[1]) if got else {}).get("receivers", []) if r["kind"] == kind), {})


def wrong_with(request, path):
    """A request against the documentation: doc/spimendd.8 has the same four lines."""
    headers = request["headers"]
    stamp, body = headers.get("X-Spimend-Timestamp", ""), request["body"]
    expected = "sha256=" + hmac.new(SECRET.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    problems = []
    if not hmac.compare_digest(expected, headers.get("X-Spimend-Signature", "")):
        problems.append(f"the signature is {headers.get('X-Spimend-Signature')} instead of {expected}")
    if not stamp.isdigit() or abs(int(stamp) - request["at"]) > 5:
        problems.append(f"the time stamp is {stamp} at {request['at']}")
    if headers.get("Content-Type") != "application/json" or request["path"] != path:
        problems.append(f"{request['path']} {headers}")
    incident = json.loads(body)
    if incident.get("schema") != "spimend.incident/1" or body.count("\n") != 1:
        problems.append(f"the body is {body[:200]}")
    return problems


def deliveries_are_signed_and_tried_again(build):
    """Over TLS: a server that fails three ways and takes it then gets one delivery, signed anew each time; further ones follow."""
    problems = []
    with Hooked(build, "hook webhook https://logs.example:8443/hooks?to=net secret-file FOLDER/secret", "dial tls trust FOLDER/ca.pem",
                outside=("ip host logs.example 127.0.0.1",)) as d:
        make_certificates(d)
        if not d.serve(8443, "500,close,nonsense,", "tls"):
            return ["the web server does not come up"]
        d.start()
        if not d.break_it():
            return ["there is no desync", d.page(), *d.tail()]
        if not wait_for(lambda: [r["deed"] for r in d.heard()][:4] == ["500", "close", "nonsense", "200"], 30):
            problems.append(f"what came: {[r['deed'] for r in d.heard()]}")
        if not wait_for(lambda: len({r["headers"]["X-Spimend-Delivery"] for r in d.heard()}) >= 2, 20):
            problems.append("nothing is told of its end")
        heard = d.heard()
        for request in heard:
            problems += wrong_with(request, "/hooks?to=net")
        ids = [r["headers"]["X-Spimend-Delivery"] for r in heard]
        bodies = [r["body"] for r in heard]
        if len(set(ids[:4])) != 1 or len(set(bodies[:4])) != 1 or len(heard) < 5 or ids[4] == ids[0]:
            problems.append(f"the deliveries are {ids}")
        first, last = json.loads(bodies[0]), json.loads(bodies[-1])
        if first["verdict"] != "desync" or first["state"] != "open" or first["src"] != PEER or last["id"] != first["id"] or \
                last["state"] == "open":
            problems.append(f"told are {first['verdict']} {first['state']}, then {last['verdict']} {last['state']}")
        wait_for(lambda: d.receiver("webhook").get("sent", 0) >= 2)
        state = d.receiver("webhook")
        if state.get("sent", 0) < 2 or state.get("failures") != 3 or state.get("dropped") != 0 or not state.get("up"):
            problems.append(f"status: {state}")
        for words in ("webhook https://logs.example:8443/hooks?...: it answers 500", "it takes what it is sent again",
                      f"%SPIMEND-4-INCIDENT: {first['id']} desync, open: {PEER} -> 10.99.0.2 SPI 0x10000010 at hub, cause "):
            if not d.said(words):
                problems.append(f"not said: {words}")
        told = d.text().count("-INCIDENT: ")
        if told != len(set(ids)):
            problems.append(f"{told} lines about {len(set(ids))} changes")
        if SECRET in d.text() or any(SECRET in open(f"/proc/{pid}/cmdline").read() for pid in d.roles().values()):
            problems.append("the secret is shown")
        stats = subprocess.run([os.path.join(build, "spimend"), "stats", "--since", "1h", "--json", "--socket", d.control],
                               stdout=subprocess.PIPE, check=False, text=True)
        if stats.returncode or json.loads(stats.stdout)["faults"] != 1:
            problems.append(f"stats: {stats.stdout}")
        if not d.incidents("--peer", PEER, "--verdict", "desync")[:-1] or d.incidents("--peer", "10.99.0.77")[:-1]:
            problems.append("incidents are not found by their peer")
        # A core that begins anew has told it already.
        before, core = len(d.heard()), d.roles()["core"]
        os.kill(core, 9)
        wait_for(lambda: d.roles().get("core") not in (None, core) and d.answers())
        time.sleep(3)
        if len(d.heard()) != before:
            problems.append("a new core tells it again")
        if d.stop() != 0 or d.said("forbidden") or d.said("which it may not"):
            problems.append("it did not end well")
        return problems + (d.tail() + [json.dumps(r) for r in d.heard()] if problems else [])


def what_must_not_be_sent_is_not(build):
    """Another authority, a secret that others may read, one that is too short, a server that says no: nothing goes out, or
    not again, and it is said why."""
    problems = []
    cases = [("stranger.pem", 0o600, SECRET, "", 0, "unable to get local issuer certificate"),
             ("ca.pem", 0o644, SECRET, "", 0, "others than its owner may read it"),
             ("ca.pem", 0o600, "short", "", 0, "its secret is shorter than 16 bytes"),
             ("ca.pem", 0o600, SECRET, "410,", 1, "it answers 410: given up")]
    for trust, mode, secret, plan, requests, words in cases:
        with Hooked(build, "hook webhook https://127.0.0.1:8443/ secret-file FOLDER/secret", f"dial tls trust FOLDER/{trust}") as d:
            make_certificates(d)
            with open(d.path("secret"), "w", encoding="utf-8") as file:
                file.write(secret + "\n")
            os.chmod(d.path("secret"), mode)
            d.serve(8443, plan, "tls")
            d.start()
            if not d.break_it():
                problems.append(f"{words}: there is no desync")
            if not wait_for(lambda d=d, words=words: d.said(words), 8):
                problems.append(f"not said: {words}: {d.tail()}")
            ids = [r["headers"]["X-Spimend-Delivery"] for r in d.heard()]
            first = [one for one in ids if one == ids[0]]
            if len(first) != requests:
                problems.append(f"{words}: {len(first)} requests")
    return problems


PROGRAM = """#!/bin/sh
echo "$0|$*|$(pwd)|$(env | sort | tr '\\n' ' ')" >> "$HOME/called"
cat >> "$HOME/heard"
id -u > "$HOME/who"
for path in FOLDER/secret STATE/core/spimend.db STATE/act.journal /proc/1/environ; do
    cat "$path" > /dev/null 2>&1 && echo "reads $path" >> "$HOME/reached"
done
for file in STATE/core/x STATE/x FOLDER/x /tmp/spimend-hook-x; do
    (echo x > "$file") 2> /dev/null && echo "writes $file" >> "$HOME/reached"
done
kill -0 COREPID 2> /dev/null && echo "signals core" >> "$HOME/reached"
case $(wc -l < "$HOME/called") in
1) echo "the pager is out of paper" >&2; exit 3;;
esac
"""
ARGUMENTS = "--to ops ;touch $(x) 'a"


def a_program_is_run(build):
    """With the arguments that the configuration has and no others, the incident on its standard input, confined; its failure
    is told, and the next change runs it again."""
    problems = []
    with Hooked(build, f"hook exec FOLDER/bin/page {ARGUMENTS}", "hook user daemon") as d:
        os.mkdir(d.path("bin"))
        d.start()
        program = PROGRAM.replace("FOLDER", d.folder).replace("STATE", d.state).replace("COREPID", str(d.roles()["core"]))
        with open(d.path("bin/page"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o755)
            file.write(program)

        def made(name):
            try:
                with open(os.path.join(d.state, "hook", name), encoding="utf-8") as file:
                    return file.read()
            except FileNotFoundError:
                return ""
        if not d.break_it():
            return ["there is no desync", d.page(), *d.tail()]
        if not wait_for(lambda: made("called").count("\n") >= 2 and made("heard").count("\n") >= 2, 20):
            problems.append(f"it was called so: {made('called')}")
        home = os.path.join(d.state, "hook")
        for call in made("called").splitlines():
            path, arguments, where, environment = call.split("|")
            shown = {word.partition("=")[0] for word in environment.split()} - {"_", "PWD", "OLDPWD", "SHLVL"}
            if path != d.path("bin/page") or arguments != ARGUMENTS or where != home or shown != {"PATH", "LC_ALL", "HOME"}:
                problems.append(f"a call: {call}")
        told = [json.loads(line) for line in made("heard").splitlines()]
        if [t["verdict"] for t in told[:2]] != ["desync", "desync"] or told[0]["state"] != "open" or told[0]["src"] != PEER:
            problems.append(f"it was told: {made('heard')}")
        if made("who").strip() != "1" or made("reached"):
            problems.append(f"as {made('who')} it reached: {made('reached')}")
        wait_for(lambda: d.receiver("exec").get("sent", 0) >= 1)
        state = d.receiver("exec")
        if state.get("failures") != 1 or state.get("sent", 0) < 1 or state.get("waiting"):
            problems.append(f"status: {state}")
        for words in (f"{d.path('bin/page')} ended with status 3: the pager is out of paper", "ends well again"):
            if not d.said(words):
                problems.append(f"not said: {words}")
        if d.stop() != 0 or d.said("which it may not"):
            problems.append("it did not end well")
        return problems + (d.tail() if problems else [])


def a_program_that_hangs_is_killed(build):
    """After its time, with what it started; and it needs a user of its own."""
    problems = []
    with Hooked(build, "hook exec FOLDER/hang", "hook user daemon") as d:
        with open(d.path("hang"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o755)
            file.write("#!/bin/sh\nsleep 1017 &\nsleep 1017\n")
        d.start()
        if not d.break_it() or not wait_for(lambda: d.sleepers() == 2):
            return ["it is not run", *d.tail()]
        if not wait_for(lambda: d.said("took longer than 30 s and was killed"), 40) or d.sleepers() > 2:
            problems.append(f"it is not killed: {d.sleepers()}")
        d.stop()
        if not wait_for(lambda: not d.sleepers(), 5):
            problems.append(f"{d.sleepers()} of it go on after the end")
        for line in ("hook exec /bin/true", "hook exec /bin/true\n hook user root", f"hook exec /bin/true\n hook user {d.user}"):
            d.inside = (line,)
            d.configure()
            status, said = d.run("-n")
            if status != 2 or "an account of its own" not in said:
                problems.append(f"{line}: {status} {said}")
        return problems + (d.tail() if problems else [])


TESTS = [
    ("a web server gets each change of an incident, signed, also when it fails first", deliveries_are_signed_and_tried_again),
    ("a program is run at each change of an incident, confined", a_program_is_run),
    ("a program that hangs is killed", a_program_that_hangs_is_killed),
    ("a webhook without a secret or a certificate that counts sends nothing", what_must_not_be_sent_is_not),
]
SANITIZED = TESTS[:1]
