"""`postbackd import-store`: a data directory moves into an empty database on PostgreSQL, whole or not at
all.  What earlier releases left is moved by test_upgrade.py, where that runs on PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess

import pytest

from harness.engine import FileStore, value_of
from harness.delivery import Delivery
from harness.postgres import Postgres
from harness.receiver import Receiver
from harness.server import BINARY, Server, World, await_until


@pytest.fixture(scope="module")
def postgres():
    running = Postgres()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def database(postgres):
    """The address of an empty one."""
    postgres.psql("CREATE DATABASE store")
    yield f"postgresql://postgres@/store?host={postgres.folder}"
    postgres.psql("DROP DATABASE store WITH (FORCE)")


@pytest.fixture
def filled(tmp_path):
    """A stopped server's directory, in which postbacks wait for a receiver that was away."""
    with Receiver() as receiver:
        gone = receiver.url()
    server = Server("--store", "", data=str(tmp_path / "data"))
    server.flags = [flag for flag in server.flags if flag not in ("--store", "")]
    server.store = FileStore(server.data)
    with server:
        world = World(server)
        world.waits = Delivery(world, gone)
        world.waits.send_many(30)
        await_until(lambda: world.postbacks(world.partner, State="WAITING"), "one that failed")
        for _ in range(3):
            world.open()
        assert server.stop() == 0
        yield world


def import_store(data, uri, *more, code=0):
    done = subprocess.run([BINARY, "import-store", "--from", data, "--store", uri, *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tables(postgres):
    return postgres.rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND "
                         "relnamespace = 'public'::regnamespace AND relname <> 'commit_mark'", database="store")


def rows_of(store):
    """{table: all of its rows}, as SQLite has them."""
    database = sqlite3.connect(store.path)
    names = [name for name, in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    found = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    database.close()
    return found


def served(filled, uri, *flags):
    """The same server, on the database."""
    server = filled.server
    moved = Server("--store", uri, *flags, data=server.data)
    moved.start()
    filled.server = moved
    filled.moved()
    return moved


def test_every_row_is_there_and_the_backlog_is_delivered(filled, database, postgres, receivers):
    said = import_store(filled.server.data, database)
    assert "All rows are there" in said
    before = rows_of(filled.server.store)
    for table, rows in before.items():
        counted = postgres.rows(f'SELECT count(*) FROM "{table}"', database="store")
        assert counted == [(str(len(rows)),)], table
        if rows:
            assert f"{table} " in said and f" {len(rows)} rows" in said
    moved = served(filled, database)
    try:
        receiver = receivers()
        filled.waits.change(Url=receiver.url())
        receiver.wait(30)
        wanted = {str(id) for id, in FileStore(moved.data).rows(
            "SELECT id FROM postback WHERE notification = ?", int(filled.waits.id))}
        assert {request.header("webhook-id") for request in list(receiver.requests)} == wanted
        await_until(lambda: all(row["State"] == "DELIVERED" for row in filled.waits.postbacks(PageSize=100)),
                    "all are delivered")
        newest = max(int(row["Id"]) for row in filled.operator.ok(
            filled.operator.get("Accounts"))["Accounts"])
        added = filled.account("PARTNER", "Later")
        assert int(added.id) > newest, "ids go on behind those that were given"
        assert moved.stop() == 0, moved.log()
        done = subprocess.run([BINARY, "check", "--data", moved.data, "--store", database],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
    finally:
        moved.close()


def test_an_id_that_was_given_and_deleted_is_not_given_again(filled, database, postgres):
    store = filled.server.store
    ((last,),) = store.rows("SELECT seq FROM sqlite_sequence WHERE name = 'account'")
    store.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'account'", last + 1000)
    import_store(filled.server.data, database)
    ((next_one,),) = postgres.rows("SELECT nextval(pg_get_serial_sequence('account', 'id'))",
                                   database="store")
    assert value_of(next_one) == last + 1001


def test_what_breaks_leaves_nothing_and_can_be_done_again(filled, database, postgres):
    """A value that PostgreSQL does not take; then a kill in the middle."""
    store = filled.server.store
    store.execute("INSERT INTO meta (key, value) VALUES ('wrong', CAST(? AS TEXT))", b"a\0b")
    said = import_store(filled.server.data, database, "--key-file", filled.server.data + "/../key", code=1)
    assert "meta: " in said and "NUL" in said, said
    assert tables(postgres) == [] and not os.path.exists(filled.server.data + "/../key")
    store.execute("DELETE FROM meta WHERE key = 'wrong'")

    process = subprocess.Popen([BINARY, "import-store", "--from", filled.server.data, "--store", database],
                               stdout=subprocess.PIPE, text=True)
    assert any(line.startswith("account ") for line in process.stdout)
    process.kill()
    process.communicate()
    await_until(lambda: postgres.rows("SELECT count(*) FROM pg_stat_activity WHERE "
                                      "datname = 'store'") == [("0",)], "its backend is gone")
    if tables(postgres) == []:  # it may have been through
        import_store(filled.server.data, database)
    assert postgres.rows("SELECT count(*) > 2 FROM account", database="store") == [("t",)]


def test_a_database_with_a_store_is_left_alone(filled, database, postgres):
    import_store(filled.server.data, database)
    postgres.psql("UPDATE account SET name = 'Kept'", database="store")
    assert "holds a store already" in import_store(filled.server.data, database, code=1)
    assert postgres.rows("SELECT DISTINCT name FROM account", database="store") == [("Kept",)]


def test_a_server_that_runs_has_its_directory(filled, database):
    server = filled.server
    server.start()
    assert "another postbackd" in import_store(server.data, database, code=1)
    assert server.stop() == 0


def test_the_key_goes_along(filled, database, tmp_path):
    key, own = tmp_path / "keys", os.path.join(filled.server.data, "secret.key")
    key.mkdir()
    shared = key / "shared"
    (key / "other").write_bytes(os.urandom(32))
    assert "another key" in import_store(filled.server.data, database, "--key-file", str(key / "other"), code=1)
    import_store(filled.server.data, database, "--key-file", str(shared))
    assert shared.read_bytes() == open(own, "rb").read() and shared.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(filled.server.data)  # a node of its own
    moved = served(filled, database, "--key-file", str(shared))
    try:
        assert "operator_token_elsewhere" in moved.log()
        assert moved.stop() == 0
    finally:
        moved.close()


@pytest.mark.parametrize("words, said", [
    ((), "--from DATA and --store URI are required"),
    (("--from", "/nowhere", "--store", "postgresql://"), "no postbackd.db is there"),
    (("--from", "/nowhere", "--store", "postgresql://u:p@h/d"), "--store holds a password"),
    (("--into",), "is not known"),
])
def test_wrong_words_are_refused(words, said):
    done = subprocess.run([BINARY, "import-store", *words], stderr=subprocess.PIPE, text=True,
                          env={key: value for key, value in os.environ.items() if key != "POSTBACKD_STORE"})
    assert done.returncode in (1, 2) and said in done.stderr
