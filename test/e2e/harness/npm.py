"""Packages of the npm registry, by the lock file of a folder."""

import fcntl
import os
import subprocess


def packages(folder):
    """The folder's node_modules, filled if it is not; of tests that run side by side one fills it."""
    locked = os.path.join(folder, "package-lock.json")
    modules = os.path.join(folder, "node_modules")
    with open(locked, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = os.path.join(modules, ".package-lock.json")  # npm writes it last
        if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(locked):
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True,
                           timeout=300, stdout=subprocess.DEVNULL)
    return modules
