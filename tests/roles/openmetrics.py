# SPDX-License-Identifier: MIT
"""A strict reader of OpenMetrics 1.0 text, as far as gauges and counters go, and promtool where it is installed."""
import os
import re
import shutil
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABELS = re.compile(r'\{([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*)\}')
NUMBER = re.compile(r"-?\d+(\.\d+)?$")


def read(text, problems):
    """{name of a sample: {labels: value}}; whatever the specification forbids goes to `problems`."""
    samples, families, family, kind, seen = {}, {}, None, None, set()
    if not text.endswith("\n# EOF\n") or text.count("# EOF") != 1:
        problems.append("it does not end in one line # EOF")
    for number, line in enumerate(text.splitlines(), 1):
        if line == "# EOF":
            continue
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            if word == "TYPE":
                if name in families:
                    problems.append(f"{number}: {name} comes twice")
                family, kind, seen = name, rest, {"TYPE"}
                families[name] = rest
            elif name != family or word in seen or any(at.startswith(family) for at in samples if at in (name, name + "_total")):
                problems.append(f"{number}: {word} of {name} is not where it belongs")
            seen.add(word)
            if word == "UNIT" and not name.endswith("_" + rest):
                problems.append(f"{number}: {name} has not its unit in its name")
            if word not in ("TYPE", "HELP", "UNIT"):
                problems.append(f"{number}: {word}")
            continue
        name = NAME.match(line)
        labels = LABELS.match(line, name.end()) if name else None
        value = line[(labels or name).end():] if name else ""
        wanted = (family or "") + ("_total" if kind == "counter" else "")
        if not name or name[0] != wanted or not value.startswith(" ") or not NUMBER.match(value[1:]):
            problems.append(f"{number}: no sample of {family}: {line}")
            continue
        if "{" in line and not labels:
            problems.append(f"{number}: labels: {line}")
        if kind == "counter" and value[1:].startswith("-"):
            problems.append(f"{number}: a counter below zero")
        key = labels[1] if labels else ""
        if key in samples.setdefault(name[0], {}):
            problems.append(f"{number}: twice: {line}")
        samples[name[0]][key] = float(value)
    for name, kind in families.items():
        if kind not in ("gauge", "counter") or name.endswith("_total") or not any(at in samples for at in (name, name + "_total")):
            problems.append(f"family {name} {kind}")
    return samples


def promtool():
    beside = os.path.join(ROOT, "build-beside", "prometheus", "usr", "bin", "promtool")
    return shutil.which("promtool") or (beside if os.access(beside, os.X_OK) else None)


def prometheus():
    beside = os.path.join(ROOT, "build-beside", "prometheus", "usr", "bin", "prometheus")
    return shutil.which("prometheus") or (beside if os.access(beside, os.X_OK) else None)


def check(*arguments, text=None):
    """What promtool has to say against it."""
    done = subprocess.run([promtool(), "check", *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False, text=True)
    return [f"promtool: {line}" for line in done.stdout.splitlines()] if done.returncode else []
