# SPDX-License-Identifier: MIT
"""What needs no root: options, the check of a configuration, and who is refused."""
import os
import subprocess
import tempfile

GOOD = "spimend\n user nobody\n sense interface lo\n sense strongswan /run/charon.vici\n"


def call(build, *arguments):
    done = subprocess.run([os.path.join(build, "spimendd"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=20, check=False, text=True)
    return done.returncode, done.stdout, done.stderr


def check_of(build, text):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        status, _, said = call(build, "-n", "-c", file.name)
        return status, said.replace(file.name, "FILE")


def options(build):
    problems = []
    for arguments, expected, words in ((["--help"], 0, "usage:"), (["--version"], 0, "spimendd "), (["-x"], 2, "usage:"),
                                       (["word"], 2, "unexpected argument"), (["-c"], 2, "usage:")):
        status, out, err = call(build, *arguments)
        if status != expected or words not in out + err:
            problems.append(f"{arguments}: status {status}, {out + err!r}")
    return problems


def check_only(build):
    problems = []
    for what, text, expected, words in (
            ("good", GOOD, 0, ""),
            ("unknown line", GOOD + " snse interface eth9\n", 2, "FILE:5: "),
            ("two errors", GOOD + " mode sometimes\n sense encap-port 70000\n", 2, "FILE:6: "),
            ("no such user", GOOD.replace("nobody", "no-such-user-here"), 2, "there is no user no-such-user-here"),
            ("root as user", GOOD.replace("nobody", "root"), 2, "is root"),
            ("no such group", GOOD + " control-group no-such-group-here\n", 2, "there is no group")):
        status, said = check_of(build, text)
        if status != expected or words not in said or (not expected and said):
            problems.append(f"{what}: status {status}, {said!r}")
    for path, words in (("/nonexistent/spimend.conf", "No such file"), ("/", "directory")):
        status, _, said = call(build, "-n", "-c", path)
        if status != 2 or words not in said:
            problems.append(f"{path}: status {status}, {said!r}")
    return problems


def example(build):
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(here, "packaging/spimend.conf"), encoding="utf-8") as file:
        text = file.read()
    bare = check_of(build, text.replace("user spimend", "user nobody"))
    # Every command that is commented out must be one as well.
    full = "\n".join(line.replace("! ", "", 1) if line.strip().startswith(("! sense", "! peer", "! repair", "! hostname",
                                                                           "! crypto")) else line
                     for line in text.replace("user spimend", "user nobody").replace("mode advise", "mode repair").splitlines()) + "\n"
    shown = check_of(build, full)
    problems = [f"as it stands: {bare}"] if bare[0] else []
    return problems + ([f"with everything in it: {shown}"] if shown[0] or "warning" in shown[1] else [])


def roles_by_hand(build):
    problems = []
    for role in ("sense", "core", "act", "dial", "parent"):
        status, _, said = call(build, f"--role={role}")
        if status != 2 or not said:
            problems.append(f"{role}: status {status}, {said!r}")
    return problems


TESTS = [
    ("options are understood, others refused", options),
    ("-n checks the configuration: 0, or 2 and every error with file and line", check_only),
    ("the packaged example is a good configuration, with everything in it as well", example),
    ("nobody but the parent starts a role", roles_by_hand),
]
