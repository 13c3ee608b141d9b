"""Which engine the servers of a run keep their store on, and the store as a test looks into it.

POSTBACKD_TEST_ENGINE=postgresql gives each data directory a database of its own on one PostgreSQL:
that of POSTBACKD_TEST_POSTGRES (the folder of its socket), which several runs share, or one that this
run starts and ends.  A test about SQLite's file says so by the mark one_file, with the reason."""

import atexit
import contextlib
import glob
import hashlib
import os
import re
import sqlite3
import subprocess

from harness.postgres import UNIT, Postgres, psql, psql_command

ON_POSTGRESQL = os.environ.get("POSTBACKD_TEST_ENGINE") == "postgresql"


class Shared:
    """The run's PostgreSQL, and the databases that were made on it."""

    def __init__(self):
        self.own, self.made = None, set()
        self.folder = os.environ.get("POSTBACKD_TEST_POSTGRES")
        if not self.folder:
            self.own = Postgres(["max_connections=200"])
            self.folder = self.own.folder
        atexit.register(self.end)

    def make(self, name):
        if name not in self.made:
            psql(self.folder, f'CREATE DATABASE "{name}" STRATEGY file_copy')
            self.made.add(name)

    def drop(self, name):
        if name in self.made:
            self.made.discard(name)
            psql(self.folder, f'DROP DATABASE "{name}" WITH (FORCE)')

    def end(self):
        if self.own:
            self.own.stop()
            return
        for name in list(self.made):
            self.drop(name)


shared = None


def store_of(data):
    """That of a server with this data directory."""
    global shared
    if not ON_POSTGRESQL:
        return FileStore(data)
    shared = shared or Shared()
    return PostgresStore(shared, "t" + hashlib.sha256(f"{os.getpid()} {os.path.realpath(data)}".encode()).hexdigest()[:24])


class FileStore:
    flags = ()

    def __init__(self, data):
        self.path = os.path.join(data, "postbackd.db")

    def rows(self, sql, *values):
        """Of a query; a server may run."""
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        database.create_function("octet_length", 1, lambda text: len(text.encode()))  # SQLite has it from 3.43 on
        found = database.execute(sql, values).fetchall()
        database.close()
        return found

    def execute(self, sql, *values):
        """Changes rows, of a stopped server."""
        database = sqlite3.connect(self.path)
        with database:
            database.execute(sql, values)
        database.close()

    @contextlib.contextmanager
    def locked(self):
        """Meanwhile nobody can write."""
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            database.execute("ROLLBACK")
            database.close()

    def content(self):
        """All that it holds, as bytes, to look for what must not be there."""
        return b"".join(open(path, "rb").read() for path in glob.glob(self.path + "*"))

    def drop(self):
        pass


class PostgresStore:
    def __init__(self, server, name):
        server.make(name)
        self.server, self.name = server, name
        self.uri = f"postgresql://postgres@/{name}?host={server.folder}"
        self.flags = ("--store", self.uri)

    def rows(self, sql, *values):
        parts = sql.split("?")
        assert len(parts) == len(values) + 1, sql
        whole = parts[0] + "".join(literal(value) + part for value, part in zip(values, parts[1:]))
        said = psql(self.server.folder, whole, self.name, null="\\N")
        return [tuple(value_of(text) for text in line.split(UNIT)) for line in said.splitlines()]

    execute = rows

    @contextlib.contextmanager
    def locked(self):
        session = subprocess.Popen(psql_command(self.server.folder, self.name), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        session.stdin.write("BEGIN; LOCK TABLE event, postback IN EXCLUSIVE MODE; "
                            "SELECT 'locked';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            session.communicate("ROLLBACK;\n")

    def content(self):
        tables = self.rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND "
                           "relnamespace = 'public'::regnamespace")
        said = psql(self.server.folder, "SET bytea_output = escape;" + "".join(
            f'SELECT * FROM "{table}";' for table, in tables), self.name)
        return said.encode()

    def drop(self):
        self.server.drop(self.name)


def literal(value):
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(int(value))
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    return "'" + value.replace("'", "''") + "'"


def value_of(text):
    if text == "\\N":
        return None
    return int(text) if re.fullmatch(r"-?\d{1,19}", text) else text


# ---- the mark ----

def register_mark(config):
    config.addinivalue_line("markers", "one_file(reason): about SQLite's file, not run on PostgreSQL")


def skip_marked(items, skip):
    """Leaves those out that are about SQLite's file, when the run is on PostgreSQL."""
    for item in items if ON_POSTGRESQL else ():
        mark = item.get_closest_marker("one_file")
        if mark:
            item.add_marker(skip(reason="about one file: " + mark.args[0]))
