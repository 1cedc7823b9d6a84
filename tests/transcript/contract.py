#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The JSON contract of `spimend analyze --json` (spimend(1), JSON OUTPUT), as a checker.

    contract.py < output      prints what is wrong, line by line; exit status 1 when something is
"""
import ipaddress
import json
import re
import sys

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
SPI = re.compile(r"^0x[0-9a-f]{1,8}$")
ID = re.compile(r"^[0-9a-z]{1,7}$")
FLAG = re.compile(r"^[0-9a-z]+(-[0-9a-z]+)*$")
VERDICTS = {"undecided", "transient", "desync", "noise", "other-fault"}
RULES = {  # rule: the verdicts it may give
    "log-repeat": {"desync"}, "log-close-repeat": {"undecided"}, "log-once-quiet": {"transient"},
    "log-once-short": {"undecided"}, "log-no-time": {"undecided"}, "sequence-stuck": {"undecided"},
    "rekey-overlap": {"transient"}, "sa-table": {"desync"}, "sdwan-sa-cleared": {"desync"}, "stranger": {"noise"},
    "many-spis": {"noise"}, "many-sources": {"noise"}, "flood": {"noise"}, "sa-found": {"other-fault"},
    "no-source": {"undecided"}, "sad-lacks": {"desync"}, "capture-few": {"undecided"}, "capture-newborn": {"undecided"},
    "capture-rekeyed": {"transient"}, "capture-one-way": {"undecided"}, "capture-spi-kept": {"undecided"},
    "capture-notify": {"undecided"}, "strays-ended": {"transient"}, "early-use": {"transient"}, "not-read": {"undecided"},
    "encap-differs": {"other-fault"},
}
CAUSES = {
    "unknown", "rekey-overlap", "early-use", "rekey-collision", "delete-lost", "receiver-lost-state", "ha-failover",
    "lifetime-mismatch-time", "lifetime-mismatch-volume", "nat-rebinding", "encap-mismatch", "nat-port-collision",
    "child-missing", "duplicate-ike-sa", "initial-contact-missing", "ikev1-dangling-child", "spi-0xff", "spi-collision",
    "wrong-node", "lookup-key-mismatch", "scan-or-spoof", "controller-key-lag", "cloned-peer", "unilateral-delete",
    "controller-sa-cleared",
}
KINDS = {
    "unknown", "static-crypto-map", "dynamic-crypto-map", "gre-p2p", "mgre-nhrp-static", "mgre-nhrp-dynamic", "svti",
    "ezvpn-client", "sdwan", "ikeless",
}
STATES = {"open", "acting", "healed", "unverified", "gave-up", "closed", "awaiting-approval"}
ROLES = {"sender", "receiver", "client", "controller"}


def is_text(value):
    return isinstance(value, str)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_address(value):
    if not is_text(value):
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def matches(pattern):
    return lambda value: is_text(value) and bool(pattern.match(value))


def one_of(words):
    return lambda value: is_text(value) and value in words


def is_bool(value):
    return isinstance(value, bool)


def is_counts(value):
    return isinstance(value, dict) and all(is_count(count) for count in value.values())


def or_null(check):
    return lambda value: value is None or check(value)


def is_list(value):
    return isinstance(value, list)


INCIDENT = {
    "schema": one_of({"spimend.incident/1"}), "id": matches(ID), "observer": or_null(is_text), "src": or_null(is_address),
    "dst": or_null(is_address), "proto": or_null(one_of({"esp", "ah"})), "spi": or_null(matches(SPI)),
    "encap": or_null(one_of({"none", "udp"})), "interface": or_null(is_text), "tunnel_kind": one_of(KINDS),
    "first_seen": or_null(matches(TIME)), "last_seen": or_null(matches(TIME)), "messages": is_count,
    "packets": or_null(is_count), "verdict": one_of(VERDICTS), "rule": one_of(RULES), "cause": one_of(CAUSES),
    "confidence": or_null(one_of({"certain", "likely", "possible"})), "evidence": is_list, "flags": is_list, "plan": is_list,
    "actions": is_list, "state": one_of(STATES), "copies": is_count, "spis": is_count, "sources": is_count,
}
EVIDENCE = {"at": or_null(matches(TIME)), "from": is_text, "kind": one_of({"syslog", "show", "packet"}), "text": is_text,
            "says": is_text, "end": one_of({"receiver", "sender"})}
STEP = {"step": is_count, "on": or_null(is_address), "role": one_of(ROLES), "command": or_null(is_text),
        "blast_radius": is_text, "why": is_text, "needs_approval": is_bool}
SUMMARY = {"schema": one_of({"spimend.summary/1"}), "files": is_count, "files_failed": is_count, "lines": is_count,
           "bytes": is_count, "messages": is_count, "copies": is_count, "evidence": is_count, "unparsed": is_count,
           "incidents": is_count, "verdicts": is_counts, "troubles": is_counts, "limits": is_counts,
           "unparsed_lines": is_list}
UNPARSED = {"from": is_text, "reason": is_text, "text": is_text}


def order(incident):
    """Incidents come by first_seen, then flow: source, destination, SPI. Unknown times come last, unknown flows first.
    (Stamps finer than a millisecond are ordered before they are cut: such a log may need another case.)"""
    def address(text):
        one = ipaddress.ip_address(text) if text else None
        return (one.version, int(one)) if one else (0, 0)
    return (incident["first_seen"] or "~", address(incident["src"]), address(incident["dst"]),
            int(incident["spi"], 16) if incident["spi"] else 0)


def unique_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands twice in one object: " + ", ".join(sorted({k for k in keys if keys.count(k) > 1})))
    return dict(pairs)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def check_object(what, value, schema):
    if not isinstance(value, dict):
        return [f"{what}: not an object"]
    problems = [f"{what}: no key {key}" for key in schema if key not in value]
    problems += [f"{what}: {key} is {json.dumps(value[key])[:80]}" for key, check in schema.items()
                 if key in value and not check(value[key])]
    return problems


def check_incident(what, incident):
    problems = check_object(what, incident, INCIDENT)
    if problems:
        return problems
    if incident["verdict"] not in RULES[incident["rule"]]:
        problems.append(f"{what}: verdict {incident['verdict']} by rule {incident['rule']}")
    if (incident["cause"] == "unknown") != (incident["confidence"] is None):
        problems.append(f"{what}: cause {incident['cause']} with confidence {incident['confidence']}")
    if (incident["first_seen"] is None) != (incident["last_seen"] is None):
        problems.append(f"{what}: only one of first_seen and last_seen is known")
    elif incident["first_seen"] and incident["first_seen"] > incident["last_seen"]:
        problems.append(f"{what}: last_seen before first_seen")
    if incident["spi"] is None or incident["src"] is None:
        if incident["verdict"] in ("desync", "transient") and incident["rule"] != "sdwan-sa-cleared":
            problems.append(f"{what}: {incident['verdict']} without SPI or source")
    if incident["verdict"] in ("noise", "transient") and incident["plan"]:
        problems.append(f"{what}: a plan for {incident['verdict']}")
    if (incident["verdict"] in ("noise", "transient")) != (incident["state"] == "closed"):
        problems.append(f"{what}: state {incident['state']} of a verdict {incident['verdict']}")
    if incident["tunnel_kind"] in ("sdwan", "ikeless"):
        problems += [f"{what}: {step.get('command')} on a tunnel without IKE" for step in incident["plan"]
                     if (step.get("command") or "").startswith("clear crypto")]
    flags = incident["flags"]
    if not all(is_text(flag) and FLAG.match(flag) for flag in flags) or len(set(map(str, flags))) != len(flags):
        problems.append(f"{what}: flags {flags}")
    for number, evidence in enumerate(incident["evidence"], 1):
        problems += check_object(f"{what}, evidence {number}", evidence, EVIDENCE)
    for number, step in enumerate(incident["plan"], 1):
        problems += check_object(f"{what}, step {number}", step, STEP)
        if isinstance(step, dict) and step.get("step") != number:
            problems.append(f"{what}: step {number} is numbered {step.get('step')}")
    return problems


def contract_problems(output):
    """What in these bytes breaks the contract: a list of lines."""
    try:
        text = output.decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"not UTF-8: {error}"]
    if not text.endswith("\n"):
        return ["does not end in a line break" if text else "no output"]
    problems, objects = [], []
    for number, line in enumerate(text[:-1].split("\n"), 1):
        try:
            objects.append((f"line {number}", json.loads(line, object_pairs_hook=unique_keys, parse_constant=no_constant)))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        return problems
    incidents, (where, summary) = objects[:-1], objects[-1]
    problems += check_object(f"{where} (the summary)", summary, SUMMARY)
    for what, incident in incidents:
        problems += check_incident(what, incident)
    if problems:
        return problems
    for number, skip in enumerate(summary["unparsed_lines"], 1):
        problems += check_object(f"{where} (the summary), unparsed line {number}", skip, UNPARSED)
    if summary["incidents"] != len(incidents):
        problems.append(f"the summary counts {summary['incidents']} incidents, there are {len(incidents)}")
    for verdict in sorted(VERDICTS):
        count = sum(incident["verdict"] == verdict for _, incident in incidents)
        if summary["verdicts"].get(verdict) != count:
            problems.append(f"the summary counts {summary['verdicts'].get(verdict)} {verdict}, there are {count}")
    if len(summary["unparsed_lines"]) > summary["unparsed"]:
        problems.append(f"the summary lists {len(summary['unparsed_lines'])} unparsed lines of {summary['unparsed']}")
    for (what, incident), (_, before) in zip(incidents[1:], incidents):
        missing = set(before) ^ set(incident)
        if missing:
            problems.append(f"{what}: keys are not always present: {', '.join(sorted(missing))}")
        if order(incident) < order(before):
            problems.append(f"{what}: not ordered by first_seen, then flow")
    ids = [incident["id"] for _, incident in incidents]
    problems += [f"id {one} stands for two incidents" for one in sorted({i for i in ids if ids.count(i) > 1})]
    return problems


AUDIT = {
    "schema": one_of({"spimend.audit/1"}), "code": matches(FLAG), "severity": one_of({"error", "warning", "note"}),
    "confidence": one_of({"certain", "likely", "possible"}), "cause": one_of(CAUSES), "tunnel_kind": one_of(KINDS),
    "tunnel": or_null(is_count), "ends": is_list, "spi": or_null(matches(SPI)), "proto": or_null(one_of({"esp", "ah"})),
    "encap": or_null(one_of({"udp"})), "many_peers": is_bool, "text": is_text, "evidence": is_list, "plan": is_list,
    "never": or_null(is_text),
}
AUDIT_PARTS = {
    "ends": {"device": or_null(is_text), "role": or_null(one_of({"sender", "receiver"})), "address": or_null(is_address),
             "child_id": or_null(is_count), "ike_id": or_null(is_count)},
    "evidence": {"device": is_text, "file": is_text, "line": or_null(is_count), "says": is_text},
    "plan": {"step": is_count, "device": or_null(is_text), "on": or_null(is_address), "command": or_null(is_text),
             "blast_radius": is_text, "why": is_text, "needs_approval": is_bool},
}
AUDIT_SUMMARY = {key: is_count for key in (
    "devices", "files", "files_failed", "files_given_twice", "files_without_tables", "devices_given_twice", "devices_failed",
    "lines", "other_lines", "foreign_lines", "unread_rows", "records", "flows", "sas", "ike_sas", "tunnels", "tunnels_in_sync",
    "other_end_not_given", "not_covered", "ambiguous", "undirected", "rekeys_in_progress", "left_alone", "errors", "warnings",
    "notes", "not_listed")}


def object_problems(where, value, wanted):
    """What of an object is not as the contract has it: every key always there, in its order."""
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    if list(value) != list(wanted):
        return [f"{where}: keys {list(value)}, expected {list(wanted)}"]
    return [f"{where}: {key} is {value[key]!r}" for key, check in wanted.items() if not check(value[key])]


def audit_problems(output):
    """The contract of `spimend audit --json` (spimend(1), Audit)."""
    try:
        objects = [json.loads(line) for line in output.decode().splitlines()]
    except ValueError as error:
        return [f"no JSON: {error}"]
    if not objects:
        return ["nothing printed"]
    problems = []
    for number, one in enumerate(objects[:-1], 1):
        problems += object_problems(f"line {number}", one, AUDIT)
        for part, wanted in AUDIT_PARTS.items():
            for item in one.get(part) or []:
                problems += object_problems(f"line {number}, {part}", item, wanted)
        if len(one.get("ends") or []) != 2:
            problems.append(f"line {number}: not two ends")
        problems += [f"line {number}: a crypto clear on SD-WAN" for step in one.get("plan") or []
                     if one.get("tunnel_kind") == "sdwan" and "clear crypto" in (step.get("command") or "")]
    summary = objects[-1]
    wanted = dict(schema=one_of({"spimend.audit-summary/1"}), outputs=is_counts, **AUDIT_SUMMARY)
    if set(summary) != set(wanted):
        return problems + [f"summary: keys {sorted(set(summary) ^ set(wanted))} too many or missing"]
    problems += [f"summary: {key} is {summary[key]!r}" for key, check in wanted.items() if not check(summary[key])]
    for severity in ("error", "warning", "note"):
        listed = sum(one.get("severity") == severity for one in objects[:-1])
        if listed != summary[severity + "s"] and not summary["not_listed"]:
            problems.append(f"summary: {summary[severity + 's']} {severity}s, {listed} listed")
    return problems


if __name__ == "__main__":
    found = contract_problems(sys.stdin.buffer.read())
    print("\n".join(found) or "keeps the contract")
    sys.exit(1 if found else 0)
