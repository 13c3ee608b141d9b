"""A PostgreSQL of the test's own: in a folder, on a Unix socket alone, as an unprivileged user, and
gone with the test however that ends.  It writes as safely as it is shipped: fsync is on."""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from harness.waiting import await_until

PR_SET_PDEATHSIG = 1
UNIT = "\x1f"  # between the columns of psql's answers


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    assert found, "PostgreSQL is missing; script/deps test installs it"
    return found[-1]


def end_with_parent():
    """In the child: PostgreSQL's immediate end when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def psql_command(folder, database, *more):
    return [os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-F", UNIT, "-h", folder,
            "-U", "postgres", *more, database]


def psql(folder, sql, database="postgres", stop=True, timeout=60, null=""):
    """What the statements said, their errors among it, of the server whose socket is in the folder."""
    done = subprocess.run(
        psql_command(folder, database, "-P", f"null={null}", "-v", f"ON_ERROR_STOP={int(stop)}"),
        check=False, input=sql, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert done.returncode == 0 or not stop, done.stdout
    return done.stdout


class Postgres:
    """One server, which runs as soon as it is made.  With `copy_of` it is that one's standby."""

    def __init__(self, settings=(), copy_of=None):
        self.folder = tempfile.mkdtemp(prefix="postbackd-postgres-")
        self.data = os.path.join(self.folder, "data")
        self.settings, self.server, self.user = list(settings), None, {}
        if os.getuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if copy_of is None:
            self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync", "--no-instructions")
        else:
            self.copy(copy_of)
        self.start()

    def copy(self, other):
        """Forgets what it has, and becomes the standby of another one as soon as it is started."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._run("pg_basebackup", "-h", other.folder, "-U", "postgres", "-D", self.data,
                  "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")

    def start(self, timeout=30):
        settings = [word for setting in ("listen_addresses=", *self.settings)
                    for word in ("-c", setting)]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.server = subprocess.Popen(
                [os.path.join(programs(), "postgres"), "-D", self.data, "-k", self.folder,
                 *settings], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=log, start_new_session=True,  # Ctrl-C is for who started it
                preexec_fn=end_with_parent, **self.user)
        await_until(self.answers, "PostgreSQL answers", timeout)

    def answers(self):
        assert self.server.poll() is None, self.log()
        return subprocess.run([os.path.join(programs(), "pg_isready"), "-q", "-h", self.folder],
                              check=False).returncode == 0

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def _run(self, program, *arguments):
        done = subprocess.run([os.path.join(programs(), program), *arguments], check=False, cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **self.user)
        assert done.returncode == 0, done.stdout

    def psql(self, sql, stop=True, database="postgres", timeout=60):
        """What the statements said, their errors among it."""
        return psql(self.folder, sql, database, stop, timeout)

    def rows(self, sql, **rest):
        return [tuple(line.split(UNIT)) for line in self.psql(sql, **rest).splitlines()]

    # ---- its end ----

    def kill(self):
        """As a machine that stops: nothing is finished, a start recovers from the log."""
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()

    def end(self):
        """Properly, without waiting for those who are connected."""
        self.server.send_signal(signal.SIGINT)
        self.server.wait()

    def promote(self):
        """The standby becomes the one that is written to."""
        assert self.rows("SELECT pg_promote(true, 60)") == [("t",)], self.log()

    def stop(self):
        """For good."""
        if self.server is not None and self.server.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)
