# SPDX-License-Identifier: MIT
"""rsyslogd and syslog-ng forward to a daemon, with the files in doc/: over UDP, TCP and TLS."""
import os
import re
import shutil
import signal
import subprocess
import time

from daemon import wait_for
from fleet import Fleet, make_certificates, stamp, stray
from suite import ROOT

# Debian's two conflict: what scripts/deps cannot install beside rsyslog it unpacks there.
BESIDE = os.path.join(ROOT, "build-beside", "syslog-ng")
WAYS = {"UDP": ("udp", 5514), "TCP": ("tcp", 5601), "TLS": ("tls", 6514)}


def syslog_ng():
    """(program, its environment, its options), or None."""
    found = shutil.which("syslog-ng", path=os.environ["PATH"] + ":/usr/sbin")
    if found:
        return found, dict(os.environ), []
    program = os.path.join(BESIDE, "usr/sbin/syslog-ng")
    if not os.access(program, os.X_OK):
        return None
    libraries = os.path.join(BESIDE, "usr/lib/syslog-ng")
    modules = next(os.path.join(libraries, name) for name in os.listdir(libraries) if name[0].isdigit())
    return program, dict(os.environ, LD_LIBRARY_PATH=libraries), ["--module-path=" + modules]


def missing():
    return [name for name, found in (("rsyslogd", shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin")),
                                     ("syslog-ng", syslog_ng())) if not found]


def snippet(name, way, folder):
    """The file of doc/ with one of its three ways, at this test's places."""
    with open(os.path.join(ROOT, "doc", name), encoding="utf-8") as file:
        text = file.read()
    parts = re.split(r"^    # (UDP|TCP|TLS)\n", text, flags=re.M)
    ends = re.match(r"(.*?\n)(\}.*)", parts[6], re.S)  # what follows the last way is not of it
    bodies = dict(zip(parts[1::2], [parts[2], parts[4], ends[1]]))
    text = parts[0] + bodies[way] + ends[2]
    for port, own in (("514", "5514"), ("601", "5601")):
        text = text.replace(f'port="{port}"', f'port="{own}"').replace(f"port({port})", f"port({own})")
    return text.replace("192.0.2.250", "127.0.0.1").replace("/etc/spimend/tls/relay", os.path.join(folder, "client")) \
        .replace("/etc/spimend/tls", folder)


def start_rsyslogd(d, way):
    text = snippet("rsyslog.conf", way, d.folder).replace("\ncall spimend\n", "\n")
    with open(os.path.join(d.folder, "relay.conf"), "w", encoding="utf-8") as file:
        file.write(f'global(workDirectory="{d.folder}")\nmodule(load="imudp")\n{text}\n'
                   'input(type="imudp" address="127.0.0.1" port="5600" ruleset="spimend")\n')
    return ["rsyslogd", "-n", "-f", os.path.join(d.folder, "relay.conf"), "-i", os.path.join(d.folder, "pid")], dict(os.environ)


def start_syslog_ng(d, way):
    program, env, options = syslog_ng()
    version = subprocess.run([program, "--version"], env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    text = snippet("syslog-ng.conf", way, d.folder)
    with open(os.path.join(d.folder, "relay.conf"), "w", encoding="utf-8") as file:
        file.write(f"@version: {re.search('[0-9]+[.][0-9]+', version)[0]}\n"
                   "source s_routers { network(ip(127.0.0.1) port(5600) transport(udp) flags(store-raw-message)); };\n" + text)
    places = [f"--{what}={d.folder}/ng-{what}" for what in ("persist-file", "pidfile", "control")]
    return [program, "-F", "--no-caps", "-f", os.path.join(d.folder, "relay.conf"), *places, *options], env


def forwarded(build, start):
    """Two routers' lines, through the relay, each way: under the routers' names and addresses, with the relay in the evidence."""
    problems = []
    with Fleet(build, start=False) as d:
        make_certificates(d.folder)
        own = f"certificate {d.folder}/server.pem key {d.folder}/server.key client-ca {d.folder}/ca.pem"
        d.lines += ["syslog listen udp port 5514", "syslog listen tcp port 5601", f"syslog listen tls port 6514 {own}",
                    "syslog source 127.0.0.1 relay"]
        d.write()
        d.start()
        for place, (way, (transport, _)) in enumerate(WAYS.items()):
            words, env = start(d, way)
            with open(os.path.join(d.folder, "relay.log"), "ab") as log:
                relay = subprocess.Popen(["ip", "netns", "exec", d.space, *words], stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log, env=env)
            d.others.append(relay)
            spi = 0x10000000 * (place + 1)

            def heard():
                d.send(f"<188>77: hub1: {stamp()}: {stray(spi)}", port=5600)                              # noqa: B023
                d.send(f"<188>364241: {stamp()} GMT: {stray(spi + 1)}", port=5600, source="127.0.0.7")  # noqa: B023
                time.sleep(0.3)
                return {f"0x{spi:08x}", f"0x{spi + 1:08x}"} <= {i["spi"] for i in d.incidents()}       # noqa: B023
            try:
                fine = wait_for(heard, 15)
            except OSError as error:
                fine = problems.append(f"{way}: {error}")
            found = {i["spi"]: i for i in d.incidents()}
            for number, observer in (spi, "hub1"), (spi + 1, "127.0.0.7"):
                one = found.get(f"0x{number:08x}")
                if not fine or not one or one["observer"] != observer or \
                        not one["evidence"][0]["from"].startswith(f"127.0.0.1/{transport}:"):
                    problems.append(f"{way}: {one}")
            relay.send_signal(signal.SIGTERM)
            relay.wait()
        if problems:
            with open(os.path.join(d.folder, "relay.log"), encoding="utf-8", errors="replace") as file:
                problems += file.read().splitlines()[-15:] + [f"{d.syslog()}"] + d.tail()
    return problems


def from_rsyslogd(build):
    return forwarded(build, start_rsyslogd)


def from_syslog_ng(build):
    return forwarded(build, start_syslog_ng)


TESTS = [("rsyslogd forwards to the daemon with doc/rsyslog.conf", from_rsyslogd),
         ("syslog-ng forwards to the daemon with doc/syslog-ng.conf", from_syslog_ng)]
SANITIZED = []
