# SPDX-License-Identifier: MIT
"""The page's API over real HTTP: who is let in and who is not, what an approval takes, limits, the metrics (doc/web-api.md)."""
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import openmetrics
from daemon import Daemon, as_user, wait_for
from fleet import Fleet
from repairs import Wan, report
from world import CLONE_NEWNET, LIBC

PORT = 8500
HERE = f"http://127.0.0.1:{PORT}"
LISTEN = (f"web listen 127.0.0.1 {PORT}", "web user games")
API = ("session", "status", "tunnels", "incidents", "history", "applets", "devices")


class Line(http.client.HTTPConnection):
    """A connection that begins in the daemon's namespace, or at its unix socket."""

    def __init__(self, d, path=None):
        super().__init__("127.0.0.1", PORT, timeout=15)
        self.daemon, self.path = d, path

    def connect(self):
        if self.path:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(15)
            self.sock.connect(self.path)
        else:
            self.sock = raw(self.daemon)


def raw(d, port=PORT):
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{d.space}") as there:
        LIBC.setns(there.fileno(), CLONE_NEWNET)
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=15)
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


def page_token(d):
    with open(os.path.join(d.state, "web", "token"), encoding="ascii") as file:
        return file.read().strip()


def ask(d, path, token=None, method="GET", body=None, line=None, **headers):
    """(status, headers, body as JSON where it is some)."""
    line = line or Line(d)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if method == "POST":
        sent.setdefault("Content-Type", "application/json")
        sent.setdefault("Origin", HERE)
        sent = {name: value for name, value in sent.items() if value}
        body = json.dumps({}) if body is None else body
    line.request(method, path, body, sent)
    answer = line.getresponse()
    got = answer.read()
    if answer.getheader("Content-Type") == "application/json":
        got = json.loads(got)
    return answer.status, answer, got


def error_of(got):
    return (got[0], got[2].get("error")) if isinstance(got[2], dict) else (got[0], None)


def wants(problems, what, got, status, error=None):
    if error_of(got) != (status, error) and (error or got[0] != status):
        problems.append(f"{what}: {error_of(got)} instead of {(status, error)}: {str(got[2])[:200]}")


def start(d):
    return wait_for(lambda: "web" in d.roles() and d.said("spimendd[web]: confined")) and wait_for(lambda: can_ask(d))


def can_ask(d):
    try:
        return ask(d, "/api/session", page_token(d))[0] == 200
    except OSError:
        return False


def personal(d):
    status, said = d.spimend("token")
    return said.strip() if status == 0 else f"status {status}: {said}"


def counted(d, name):
    return openmetrics.read(ask(d, "/metrics", page_token(d))[2].decode(), []).get("spimend_web_requests_total", {}).get(
        f'result="{name}"', -1)


def answers_who_has_a_token(build):
    problems = []
    with Daemon(build, "sense xfrm", *LISTEN) as d:
        if not start(d):
            return ["it does not answer", *d.tail()]
        token = page_token(d)
        mode = os.stat(os.path.join(d.state, "web", "token"))
        if stat.S_IMODE(mode.st_mode) != 0o600 or mode.st_uid != 0 or not re.fullmatch(r"spw_[\w-]{43}", token):
            problems.append(f"the token's file: {oct(mode.st_mode)} of {mode.st_uid}")
        if as_user(65534, lambda: open(os.path.join(d.state, "web", "token")).read()) != "PermissionError":
            problems.append("the roles' user may read the token")
        for name in API:
            got = ask(d, f"/api/{name}", token)
            wants(problems, name, got, 200)
            if got[2].get("schema") != f"spimend.{name}/1" or got[1].getheader("Cache-Control") != "no-store":
                problems.append(f"{name}: {got[2].get('schema')} {got[1].getheaders()}")
            wants(problems, f"{name} without a token", ask(d, f"/api/{name}"), 401, "token")
        for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "spp_" + token[4:], token + "x", "x", token[4:], "spw_"):
            wants(problems, f"the token {wrong[:5]}...", ask(d, "/api/status", wrong), 401, "token")
        page = ask(d, "/")
        for name, value in (("Content-Security-Policy", "default-src 'self'"), ("X-Content-Type-Options", "nosniff"),
                            ("Content-Security-Policy", "frame-ancestors 'none'"), ("Content-Type", "text/html")):
            if value not in (page[1].getheader(name) or ""):
                problems.append(f"{name} of the page: {page[1].getheader(name)}")
        if "unsafe" in page[1].getheader("Content-Security-Policy") or page[1].getheader("Access-Control-Allow-Origin"):
            problems.append(f"headers: {page[1].getheaders()}")
        if ask(d, "/", If_None_Match=page[1].getheader("ETag"))[0] != 304:
            problems.append("the page is sent again to who has it")
        for path, status, error in (("/../token", 404, "not-found"), ("/api/nothing", 404, "not-found"), ("/web/token", 404, "not-found"),
                                    ("/api/incidents/zzzzzz", 404, "not-found"), ("/api/incidents/zzzzzz/timeline", 404, "not-found"),
                                    ("/api/tunnels?limit=501", 400, "request"), ("/api/tunnels?colour=red", 400, "request"),
                                    ("/api/incidents?verdict=evil", 400, "request"), ("/api/incidents?since=now", 400, "request")):
            wants(problems, path, ask(d, path, token), status, error)
        wants(problems, "POST to what is read", ask(d, "/api/status", token, "POST"), 405, "method")
        wants(problems, "DELETE", ask(d, "/api/status", token, "DELETE"), 405, "method")
        # Of the log: never the token, and who was refused.
        if token in d.text() or not d.said("a wrong token from 127.0.0.1"):
            problems.append("the log has the token, or not who was refused")
        web = d.status_of(d.roles()["web"])
        if web["Uid"].split()[0] != "5" or set(web["CapEff"]) != {"0"} or web["Seccomp"] != "2" or web["NoNewPrivs"] != "1":
            problems.append(f"the role: {web}")
        if d.stop() != 0:
            problems.append("it did not end well")
        return problems + (d.tail() if problems else [])


def other_names_and_pages(build):
    """A name that was rebound to loopback, and a page of somebody else's in the same browser."""
    problems = []
    with Daemon(build, "sense xfrm", *LISTEN, "web name noc.example.net", "no evidence recorder") as d:
        start(d)
        token = page_token(d)
        wants(problems, "a timeline that nobody records", ask(d, "/api/incidents/zzzzzz/timeline", token), 501, "no-recorder")
        for host, fine in ((f"127.0.0.1:{PORT}", True), (f"localhost:{PORT}", True), ("noc.example.net", True), ("NOC.example.net:443", True),
                           (f"evil.example:{PORT}", False), ("127.0.0.1", False), (f"127.0.0.1.evil.example:{PORT}", False),
                           (f"127.0.0.1:{PORT + 1}", False), ("", False), ("xnoc.example.net", False), ("[::1]:8500", False)):
            for path in ("/api/status", "/", "/metrics"):
                got = ask(d, path, token, Host=host)
                if got[0] != (200 if fine else 421):
                    problems.append(f"Host {host!r}, {path}: {got[0]}")
        for origin, fine in ((HERE, True), (f"http://localhost:{PORT}", True), ("https://noc.example.net", True), (f"https://127.0.0.1:{PORT}", False),
                             ("http://evil.example", False), ("null", False), (f"http://127.0.0.1:{PORT + 1}", False), (f"{HERE}.evil.example", False)):
            for path in ("/api/status", "/api/events"):
                line = Line(d)
                line.request("GET", path, headers={"Authorization": f"Bearer {token}", "Origin": origin})
                status = line.getresponse().status
                line.close()
                if status != (200 if fine else 403):
                    problems.append(f"Origin {origin}, {path}: {status}")
            got = ask(d, "/api/login", method="POST", body=json.dumps({"token": token}), Origin=origin)
            if got[0] != (200 if fine else 403) or bool(got[1].getheader("Set-Cookie")) != fine:
                problems.append(f"Origin {origin}, log-in: {got[0]} {got[1].getheader('Set-Cookie')}")
        wants(problems, "POST without an Origin", ask(d, "/api/login", method="POST", body=json.dumps({"token": token}), Origin=""), 403, "origin")
        for site in ("cross-site", "same-site"):
            wants(problems, site, ask(d, "/api/status", token, Sec_Fetch_Site=site), 403, "origin")
        wants(problems, "same-origin", ask(d, "/api/status", token, Sec_Fetch_Site="same-origin"), 200)
        if not wait_for(lambda: counted(d, "wrong-host") >= 10 and counted(d, "wrong-origin") >= 10):
            problems.append(f"counted: {counted(d, 'wrong-host')} {counted(d, 'wrong-origin')}")
        return problems + (d.tail() if problems else [])


def log_in(d, token):
    got = ask(d, "/api/login", method="POST", body=json.dumps({"token": token}))
    return got, (got[1].getheader("Set-Cookie") or "").partition(";")[0]


def personal_of_operator(build):
    """A member of the operators' group gets one, under his own number where no name is known; he takes his own back, root all."""
    with Daemon(build, "sense xfrm", *LISTEN, "operators bin") as d:
        start(d)
        got = d.ask("token", uid=2)  # whose group is bin
        if not isinstance(got, list) or got[0].get("status"):
            return got
        token, of_root = json.loads(got[1])["token"], personal(d)
        said = ask(d, "/api/session", token)
        d.ask("token", uid=2, revoke=True)
        behind = [ask(d, "/api/session", token)[0], ask(d, "/api/session", of_root)[0]]
        token = json.loads(d.ask("token", uid=2)[1])["token"]
        behind.append(ask(d, "/api/session", token)[0])
        d.spimend("token", "--revoke")
        return [said[0], said[2].get("name"), said[2].get("can_approve"), *behind, ask(d, "/api/session", token)[0]]


def sessions(build):
    problems = []
    with Daemon(build, "sense xfrm", *LISTEN) as d:
        start(d)
        got, cookie = log_in(d, page_token(d))
        flags = got[1].getheader("Set-Cookie") or ""
        if got[0] != 200 or not all(flag in flags for flag in ("HttpOnly", "SameSite=Strict", "Path=/")) or page_token(d) in flags:
            problems.append(f"log-in: {got[0]} {flags}")
        wants(problems, "with the cookie", ask(d, "/api/status", Cookie=f"a=b; {cookie}; c=d"), 200)
        wants(problems, "with another cookie", ask(d, "/api/status", Cookie=cookie[:-1] + ("A" if cookie[-1] != "A" else "B")), 401, "token")
        wants(problems, "a log-in with a wrong token", log_in(d, "spw_" + "A" * 43)[0], 401, "token")
        wants(problems, "a log-in with nonsense", ask(d, "/api/login", method="POST", body="{"), 400, "request")
        wants(problems, "a log-in that is a form", ask(d, "/api/login", method="POST", body="token=x", Content_Type="text/plain"), 400, "request")
        wants(problems, "log-out", ask(d, "/api/logout", method="POST", Cookie=cookie), 200)
        wants(problems, "after the log-out", ask(d, "/api/status", Cookie=cookie), 401, "token")
        # A person's, and who may have one.
        mine = personal(d)
        got, cookie = log_in(d, mine)
        if got[0] != 200 or (got[2]["kind"], got[2]["can_approve"], got[2]["name"]) != ("person", True, "root (uid 0)"):
            problems.append(f"a person's log-in: {got[2]}")
        if as_user(65534, lambda: Daemon.ask(d, "token")) and as_user(65534, lambda: Daemon.ask(d, "token"))[0].get("status") != 2:
            problems.append("who is no operator gets a token")
        of_operator = personal_of_operator(build)
        if of_operator != [200, "uid 2", True, 401, 200, 200, 401]:
            problems.append(f"an operator's token: {of_operator}")
        for where, _, names in os.walk(d.state):
            for name in names:
                with open(os.path.join(where, name), "rb") as file:
                    if mine.encode() in file.read():
                        problems.append(f"{name} has the personal token")
        if mine in d.text():
            problems.append("the log has the personal token")
        # It outlives core and web, as the session does not.
        for role in ("core", "web"):
            pid = d.roles()[role]
            os.kill(pid, signal.SIGKILL)
            if not wait_for(lambda role=role, pid=pid: d.roles().get(role) not in (None, pid) and can_ask(d), 20):
                problems.append(f"{role} does not come back")
        wants(problems, "a personal token behind a restart", ask(d, "/api/session", mine), 200)
        wants(problems, "a session behind a restart of web", ask(d, "/api/session", Cookie=cookie), 401, "token")
        if d.spimend("token", "--revoke")[0] != 0:
            problems.append("a token cannot be taken back")
        wants(problems, "a token that was taken back", ask(d, "/api/session", mine), 401, "token")
        return problems + (d.tail() if problems else [])


def limits(build):
    problems = []
    with Daemon(build, "sense xfrm", *LISTEN) as d:
        start(d)
        token = page_token(d)
        with raw(d) as line:  # headers that are too large
            line.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:8500\r\nX: " + b"x" * 60000)
            first = line.recv(100)
            problems += [] if first.split()[1:2] in ([b"431"], [b"400"], [b"413"]) else [f"large headers: {first}"]
        with raw(d) as line:  # an address that is too long
            line.sendall(b"GET /" + b"x" * 60000)
            first = line.recv(100)
            problems += [] if first.split()[1:2] in ([b"414"], [b"400"]) else [f"a long address: {first}"]
        wants(problems, "a large body", ask(d, "/api/login", method="POST", body=json.dumps({"token": "x" * 5000})), 413, "too-large")
        with raw(d) as line:
            line.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n")  # TLS, and nonsense
            line.settimeout(15)
            while line.recv(4096):
                pass
        # Slow ones are closed, and hold up nobody.
        slow = [raw(d) for _ in range(60)]
        began = time.monotonic()
        for at, line in enumerate(slow):
            line.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:8500\r\n"[:10 + at % 40])
        if ask(d, "/api/status", token)[0] != 200:
            problems.append("slow clients hold up the others")
        ended = 0
        for beat in range(14):
            time.sleep(1)
            for line in slow:
                try:
                    line.sendall(b"X")
                except OSError:
                    pass
        for line in slow:
            try:
                line.settimeout(3)
                while True:
                    if not line.recv(1024):
                        ended += 1
                        break
            except ConnectionError:
                ended += 1
            except OSError:
                pass
            line.close()
        if ended != len(slow):
            problems.append(f"of {len(slow)} slow clients {ended} were closed after {time.monotonic() - began:.0f} s")
        if not wait_for(lambda: counted(d, "timed-out") >= 50):
            problems.append(f"slow ones counted: {counted(d, 'timed-out')}")
        # More connections than may be: the rest is closed, and those that there are go on.
        many = [raw(d) for _ in range(160)]
        for line in many:
            line.settimeout(0.05)
        def closed(line):
            try:
                return line.recv(1) == b""
            except ConnectionError:
                return True
            except OSError:
                return False
        gone = wait_for(lambda: sum(map(closed, many)) >= 30)
        for line in many:
            line.close()
        if not gone or not wait_for(lambda: can_ask(d)) or not wait_for(lambda: counted(d, "too-many") >= 30):
            problems.append(f"too many connections: {gone} {counted(d, 'too-many')}")
        # Wrong tokens: more than a few are not even told so, and a right one is taken all the same.
        seen = [ask(d, "/api/status", "spw_" + "A" * 43)[0] for _ in range(40)]
        if 429 not in seen or 401 not in seen or ask(d, "/api/status", token)[0] != 200:
            problems.append(f"wrong tokens: {seen}")
        # And right ones have a rate.
        line, seen = Line(d), set()
        late = time.monotonic() + 10
        while 429 not in seen and time.monotonic() < late:
            seen.add(ask(d, "/api/session", token, line=line)[0])
        retry = ask(d, "/api/session", token, line=line)
        if 429 not in seen or (retry[0] == 429 and not retry[1].getheader("Retry-After")):
            problems.append(f"a flood: {seen}")
        if not d.said("from 127.0.0.1 (rate-limited)"):
            problems.append("the log does not say who floods")
        return problems + (d.tail() if problems else [])


class Stream:
    """What /api/events says, event by event."""

    def __init__(self, d, **headers):
        self.line = Line(d)
        self.line.request("GET", "/api/events", headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.answer = self.line.getresponse()
        self.status, self.events, self.over = self.answer.status, [], False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        name = None
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line[6:])))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        self.over = True

    def heard(self, name, fits=lambda data: True):
        return [data for at, data in list(self.events) if at == name and fits(data)]


def events(build):
    problems = []
    with Fleet(build, *LISTEN, "syslog listen udp port 5514", "syslog source 127.0.0.1") as d:
        start(d)
        wait_for(lambda: d.said("hears syslog on udp"))
        cookie = log_in(d, page_token(d))[1]
        wants(problems, "a stream without a token", ask(d, "/api/events"), 401, "token")
        streams = [Stream(d, Cookie=cookie) for _ in range(8)]
        if any(one.status != 200 for one in streams) or Stream(d, Cookie=cookie).status != 503:
            problems.append(f"streams: {[one.status for one in streams]}")
        one = streams[0]
        if not wait_for(lambda: len(one.heard("counters")) >= 2) or one.events[0][0] != "hello":
            problems.append(f"it does not say hello and count: {one.events}")
        for other in streams[1:]:
            other.line.close()
        from fleet import stamp, stray
        d.send(f"<188>77: hub1: {stamp(90)}: {stray(0x1db73bbb)}", f"<188>78: hub1: {stamp(20)}: {stray(0x1db73bbb)}")
        if not wait_for(lambda: one.heard("incident", lambda data: data["spi"] == "0x1db73bbb"), 20):
            problems.append(f"an incident is not told: {one.events[-3:]}")
        listed = ask(d, "/api/incidents", Cookie=cookie)[2]["incidents"]
        if [at["spi"] for at in listed] != ["0x1db73bbb"]:
            problems.append(f"it is not listed: {listed}")
        else:
            ident = listed[0]["id"]
            if ask(d, f"/api/incidents/{ident}", Cookie=cookie)[2].get("id") != ident:
                problems.append("it is not explained")
            for query, found in (("verdict=desync", 1), ("verdict=noise", 0), ("peer=192.0.2.1", 1), ("peer=192.0.2.9", 0), (f"q={ident.upper()}", 1),
                                 ("q=nothing", 0), ("since=2001-01-01T00:00:00Z", 1), ("until=2001-01-01T00:00:00Z", 0), ("state=open", 1), ("offset=1", 0)):
                got = ask(d, f"/api/incidents?{query}", Cookie=cookie)[2]
                if len(got.get("incidents", [None] * 9)) != found:
                    problems.append(f"?{query}: {len(got.get('incidents', []))} instead of {found}")
        pid = d.roles()["core"]
        os.kill(pid, signal.SIGKILL)
        if not wait_for(lambda: one.heard("lost"), 20) or not wait_for(lambda: can_ask(d), 20):
            problems.append("that core died is not told")
        count = len(one.heard("counters"))
        if not wait_for(lambda: len(one.heard("counters")) > count, 20):
            problems.append("behind a new core nothing is counted")
        ask(d, "/api/logout", method="POST", Cookie=cookie)
        if not wait_for(lambda: one.over, 10):
            problems.append("a stream outlives its session")
        if not wait_for(lambda: f'what="streams"' in ask(d, "/metrics", page_token(d))[2].decode().replace("} 0", "")):
            problems.append("streams stay counted")
        return problems + (d.tail() if problems else [])


def killed(build):
    """A web that is killed turns nobody away: the socket stays, and a new one answers."""
    problems = []
    with Daemon(build, "sense xfrm", *LISTEN) as d:
        start(d)
        since = len(d.text())
        for _ in range(2):
            pid = d.roles()["web"]
            os.kill(pid, signal.SIGKILL)
            got = ask(d, "/api/session", page_token(d))  # waits in the socket's queue until there is one
            wants(problems, "while it starts anew", got, 200)
            if d.roles().get("web") in (None, pid):
                problems.append("it is not another process")
        if not d.said("started again", since) or "web is away" in d.page():
            problems.append("its restart is not said")
        return problems + (d.tail() if problems else [])


def reloads(build):
    """Not there until it is configured, at another port after a reload, gone again; and addresses that are no loopback."""
    problems = []
    with Daemon(build, "sense xfrm") as d:
        if "web" in d.roles() or os.listdir(os.path.join(d.state, "web")):
            problems.append("there is a role, or a token, although nothing is configured")
        path = os.path.join(d.folder, "run", "web")
        d.write(f"web listen unix {path}", "web user games")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: os.path.exists(path) and "web" in d.roles()):
            return [*problems, "a reload does not start it", *d.tail()]
        token = wait_for(lambda: os.path.exists(os.path.join(d.state, "web", "token")) and page_token(d))
        wants(problems, "over a unix socket", ask(d, "/api/session", token, line=Line(d, path), Host="localhost"), 200)
        wants(problems, "over a unix socket, for another name", ask(d, "/api/session", token, line=Line(d, path), Host="evil.example"), 421, "host")
        wants(problems, "over a unix socket, without a token", ask(d, "/api/session", line=Line(d, path), Host="localhost"), 401, "token")
        # Another token in the file counts from the reload on.
        with open(os.path.join(d.state, "web", "token"), "w", encoding="ascii") as file:
            file.write("spw_" + "B" * 43 + "\n")
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: ask(d, "/api/session", "spw_" + "B" * 43, line=Line(d, path), Host="localhost")[0] == 200):
            problems.append("another token is not taken at a reload")
        wants(problems, "the token of before", ask(d, "/api/session", token, line=Line(d, path), Host="localhost"), 401, "token")
        # One that others may read is none.
        os.chmod(os.path.join(d.state, "web", "token"), 0o644)
        os.kill(d.roles()["web"], signal.SIGKILL)
        if not wait_for(lambda: d.said("nobody else may read")):
            problems.append("a token that all may read is taken")
        d.write()
        d.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: not os.path.exists(path) and "web" not in d.roles()):
            problems.append("a reload does not end it")
    for line, words in (("web listen 0.0.0.0 8500", "only 127.0.0.0/8 and ::1"), ("web listen 192.0.2.1 8500", "only 127.0.0.0/8 and ::1"),
                        ("web listen :: 8500", "only 127.0.0.0/8 and ::1"), ("web listen unix web", "an absolute path"),
                        ("web listen 127.0.0.1 0", "from 1 to 65535")):
        with Daemon(build, line, start=False) as d:
            status, said = d.run("-n")
            if status != 2 or words not in said:
                problems.append(f"{line}: {status} {said}")
    for user, words in (("nobody", "an account of its own"), ("root", "is root"), ("no-such", "there is no user no-such")):
        with Daemon(build, f"web listen 127.0.0.1 {PORT}", f"web user {user}", start=False) as d:
            status, said = d.run("-f")
            if status != 2 or words not in said:
                problems.append(f"web user {user}: {status} {said}")
    return problems


def scraped(d):
    """A real Prometheus, with the token in a file and our rules."""
    folder = os.path.join(d.folder, "prometheus")
    os.mkdir(folder)
    for name, text in (("token", page_token(d)), ("conf", f"""
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [ {os.path.join(openmetrics.ROOT, "packaging", "prometheus", "spimend.rules.yml")} ]
scrape_configs:
  - job_name: spimend
    authorization: {{ credentials_file: {folder}/token }}
    static_configs: [ {{ targets: [ "127.0.0.1:{PORT}" ] }} ]
""")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def query(what):
        try:
            line = http.client.HTTPConnection("127.0.0.1", 9090, timeout=5)
            line.sock = raw(d, 9090)
            line.request("GET", "/api/v1/" + what)
            return json.loads(line.getresponse().read())["data"]
        except (OSError, ValueError, KeyError):  # it comes up
            return None

    with open(os.path.join(folder, "log"), "wb") as log:
        d.others.append(subprocess.Popen(["ip", "netns", "exec", d.space, openmetrics.prometheus(), f"--config.file={folder}/conf",
                                          f"--storage.tsdb.path={folder}/db", "--web.listen-address=127.0.0.1:9090"], stdout=log, stderr=log))
    wait_for(lambda: (query("query?query=spimend_build_info") or {}).get("result"), 30)
    targets, rules = query("targets"), query("rules")
    if not targets or [(one["health"], one["lastError"]) for one in targets["activeTargets"]] != [("up", "")]:
        return [f"Prometheus does not read it: {targets}"]
    if not wait_for(lambda: {one["health"] for one in (query("rules") or {"groups": [{"rules": [{"health": ""}]}]})["groups"][0]["rules"]} == {"ok"}):
        return [f"Prometheus and our rules: {rules}"]
    return []


def metrics(build):
    problems = []
    with Daemon(build, "sense interface in", r"sense strongswan /run/o\"dd\name", *LISTEN) as d:
        start(d)
        wants(problems, "metrics without a token", ask(d, "/metrics"), 401, "token")
        got = ask(d, "/metrics", page_token(d))
        if got[1].getheader("Content-Type") != "application/openmetrics-text; version=1.0.0; charset=utf-8":
            problems.append(f"type: {got[1].getheader('Content-Type')}")
        samples = openmetrics.read(got[2].decode(), problems)
        if samples.get("spimend_ike_daemon_up", {}).get(r'socket="/run/o\\\"dd\\name"') != 0:
            problems.append(f"a name with a quote: {samples.get('spimend_ike_daemon_up')}")
        if samples["spimend_build_info"] != {'version="0.1.0"': 1} or samples["spimend_web_requests_total"]['result="wrong-token"'] != 0:
            problems.append(f"values: {samples['spimend_build_info']} {samples['spimend_web_requests_total']}")
        ask(d, "/api/status", "spw_" + "A" * 43)
        wait_for(lambda: counted(d, "wrong-token") == 1) or problems.append(f"wrong tokens: {counted(d, 'wrong-token')}")
        old = ask(d, "/metrics", page_token(d), Accept="text/plain;version=0.0.4")
        status, printed = d.spimend("metrics")
        if not old[1].getheader("Content-Type").startswith("text/plain; version=0.0.4") or "# EOF" in printed or status:
            problems.append(f"the older format: {old[1].getheader('Content-Type')} {status}")
        if openmetrics.promtool():
            problems += openmetrics.check("metrics", text=printed) + openmetrics.check("metrics", text=old[2].decode())
            problems += openmetrics.check("rules", os.path.join(openmetrics.ROOT, "packaging", "prometheus", "spimend.rules.yml"))
            problems += scraped(d) if openmetrics.prometheus() else []
        elif "# TYPE spimend_strays_total counter\nspimend_strays_total 0\n" not in printed:
            problems.append("the older format names counters otherwise")
        # How the page fares is in the status too.
        page, state = d.page(), json.loads(d.ask()[1])["web"]
        if f"http://127.0.0.1:{PORT}" not in page or not state["up"] or state["requests"]["wrong-token"] != 1:
            problems.append(f"status: {page} {state}")
        return problems + (d.tail() if problems else [])


def approvals(build):
    """A step that waits for a person: not with the page's token, not from another page, not by a cookie, not twice."""
    problems = []

    class Served(Wan):
        def __init__(self, build):
            super().__init__(build, more=LISTEN)

    with Served(build) as d:
        problems += [] if d.surveyed() else ["their addresses are not asked for"]
        start(d)
        mine = personal(d)
        stream = Stream(d, Authorization=f"Bearer {mine}")
        d.world.fault("sdwan_desync", sender="spoke", receiver="hub", color="mpls")
        d.world.advance(70)
        waits = d.becomes("awaiting-approval")
        if isinstance(waits, list):
            return report(d, [*problems, f"nobody is asked: {waits}"])
        path = f"/api/incidents/{waits['id']}/steps/1/approve"
        if not wait_for(lambda: stream.heard("incident", lambda data: data["id"] == waits["id"] and data["state"] == "awaiting-approval")):
            problems.append("that a step waits is not told")
        cookie = log_in(d, mine)[1]
        for what, got, status, error in (
                ("without a token", ask(d, path, method="POST"), 401, "personal-token"),
                ("with the page's token", ask(d, path, page_token(d), "POST"), 401, "personal-token"),
                ("with a person's cookie", ask(d, path, method="POST", Cookie=cookie), 401, "personal-token"),
                ("with a made-up token", ask(d, path, "spp_" + "A" * 43, "POST"), 401, "personal-token"),
                ("from another page", ask(d, path, mine, "POST", Origin="http://evil.example"), 403, "origin"),
                ("without an Origin", ask(d, path, mine, "POST", Origin=""), 403, "origin"),
                ("for another name", ask(d, path, mine, "POST", Host="evil.example:8500"), 421, "host"),
                ("by a form", ask(d, path, mine, "POST", Content_Type="text/plain"), 400, "request"),
                ("by GET", ask(d, path, mine), 405, "method"),
                ("of another step", ask(d, path.replace("/1/", "/7/"), mine, "POST"), 409, "refused"),
                ("of another incident", ask(d, path.replace(waits["id"], "zzzzzz"), mine, "POST"), 404, "not-found")):
            wants(problems, what, got, status, error)
        time.sleep(1)
        if d.changes("hub") or d.changes("spoke"):
            problems.append(f"typed without a word: {d.changes('hub')} {d.changes('spoke')}")
        got = ask(d, path, mine, "POST")
        wants(problems, "with all that it takes", got, 200)
        if (got[2].get("word"), got[2].get("by")) != ("approved", "root (uid 0)"):
            problems.append(f"the word: {got[2]}")
        wants(problems, "a second time", ask(d, path, mine, "POST"), 409, "refused")
        healed = d.becomes("healed")
        if isinstance(healed, list) or d.changes("hub") != ["request platform software sdwan security ipsec-rekey"] or d.changes("spoke"):
            problems.append(f"not healed by that alone: {healed} {d.changes('hub')} {d.changes('spoke')}")
        elif healed["steps"][0].get("by") != "root (uid 0)" and "root (uid 0)" not in json.dumps(healed):
            problems.append(f"the incident does not know whose word it was: {healed}")
        if not d.said("root (uid 0), on the page: approve"):
            problems.append("the log does not know whose word it was")
        def recorded():
            got = ask(d, f"/api/incidents/{waits['id']}/timeline", mine)
            return got[2] if got[0] == 200 and got[2]["recorded"] else None
        line = wait_for(recorded, 20)
        if not line or line["incident"]["id"] != waits["id"] or line["total"] != len(line["recorded"]) or line["next"] is not None:
            problems.append(f"its timeline: {str(line)[:500]}")
        else:
            one = ask(d, f"/api/incidents/{waits['id']}/timeline?after=1&limit=1", mine)[2]
            if one["recorded"] != line["recorded"][1:2] or one["next"] != (2 if line["total"] > 2 else None):
                problems.append(f"a page of its timeline: {str(one)[:500]}")
            if not any("ipsec-rekey" in (event["text"] or "") for event in line["recorded"]):
                problems.append(f"what was typed is not in its timeline: {[event['text'] for event in line['recorded']]}")
        devices = ask(d, "/api/devices", mine)[2]
        if [one["name"] for one in devices["devices"]] != ["hub", "spoke"]:
            problems.append(f"devices: {devices}")
        return report(d, problems)


TESTS = [
    ("web: who has a token is answered, and nobody else", answers_who_has_a_token),
    ("web: other names and other pages are refused", other_names_and_pages),
    ("web: sessions and personal tokens", sessions),
    ("web: what is too large, too slow, too much or too often", limits),
    ("web: events as they happen", events),
    ("web: killed, it comes back, and nobody is turned away", killed),
    ("web: a reload starts and ends it; only loopback, only an account of its own", reloads),
    ("web: metrics are OpenMetrics", metrics),
]
SANITIZED = [
    ("web: sessions and personal tokens", sessions),
    ("web: what is too large, too slow, too much or too often", limits),
    ("web: events as they happen", events),
    ("web: a reload starts and ends it; only loopback, only an account of its own", reloads),
]
DEVICE_TESTS = [("web: an approval takes a person's token, this page and one time", approvals)]
