"""A PostgreSQL of the test's own: in a folder, on a Unix socket alone, as an unprivileged user, and
gone with the test however that ends."""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from harness.server import await_until

PR_SET_PDEATHSIG = 1
UNIT = "\x1f"  # between the columns of psql's answers


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    assert found, "PostgreSQL is missing; script/deps test installs it"
    return found[-1]


def end_with_parent():
    """In the child: PostgreSQL's immediate end when this process ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Postgres:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="postbackd-postgres-")
        self.data = os.path.join(self.folder, "data")
        self.user = {}
        if os.getuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")
        self.server = subprocess.Popen(
            [os.path.join(programs(), "postgres"), "-D", self.data, "-k", self.folder,
             "-c", "listen_addresses="], cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "log"), "wb"),
            preexec_fn=end_with_parent, **self.user)
        await_until(lambda: subprocess.run(
            [os.path.join(programs(), "pg_isready"), "-q", "-h", self.folder]).returncode == 0,
                    "PostgreSQL answers")

    def _run(self, program, *arguments):
        subprocess.run([os.path.join(programs(), program), *arguments], check=True, cwd="/",
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **self.user)

    def psql(self, sql, stop=True):
        """What the statements said, their errors among it."""
        done = subprocess.run(
            [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-F", UNIT, "-h", self.folder,
             "-U", "postgres", "-v", f"ON_ERROR_STOP={int(stop)}", "postgres"],
            input=sql, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0 or not stop, done.stdout
        return done.stdout

    def rows(self, sql):
        return [tuple(line.split(UNIT)) for line in self.psql(sql).splitlines()]

    def stop(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()
        shutil.rmtree(self.folder)
