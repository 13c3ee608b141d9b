"""test/may_run_again.txt: the names of what may be run a second time, each with its reason."""

import os

from builds import ROOT

FILE = os.path.join("test", "may_run_again.txt")


def read(text):
    """{name: reason}; a line without a reason is an error."""
    reasons = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        if not reason.strip():
            raise ValueError(f"{FILE}:{number}: {name} has no reason")
        reasons[name] = reason.strip()
    return reasons


def load():
    with open(os.path.join(ROOT, FILE), encoding="utf-8") as file:
        return read(file.read())
