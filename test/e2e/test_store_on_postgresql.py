"""`serve --store URI`: how it is reached, by which password, key and schema, and what a start refuses."""

import os
import shutil
import socket
import subprocess

import pytest

from harness.certificates import Authority
from harness.postgres import Postgres
from harness.server import BINARY, Server, World, await_until

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def postgres():
    running = Postgres()
    running.psql(f"CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    rules = os.path.join(running.data, "pg_hba.conf")
    with open(rules, encoding="utf-8") as file:
        others = file.read()
    with open(rules, "w", encoding="utf-8") as file:
        file.write("local all keeper scram-sha-256\n" + others)
    running.psql("SELECT pg_reload_conf()")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def database(postgres):
    """Its name; it is empty."""
    postgres.psql("CREATE DATABASE store")
    yield "store"
    postgres.psql("DROP DATABASE store WITH (FORCE)")


def uri(postgres, user="postgres"):
    return f"postgresql://{user}@/store?host={postgres.folder}"


def refused(*flags, **rest):
    """What a start says that ends by itself."""
    server = Server(*flags, **rest)
    try:
        server.run()
        assert server.process.wait(30) == 1, server.log()
        return server.log()
    finally:
        server.close()


def works(server):
    world = World(server)
    world.open()
    return world


# ---- how it is reached ----

def test_the_environment_says_what_the_address_does_not(postgres, database):
    env = {"PGHOST": postgres.folder, "PGUSER": "postgres", "PGDATABASE": "store"}
    with Server("--store", "postgresql://", env=env) as server:
        works(server)
        assert postgres.rows("SELECT count(*) FROM inquiry", database=database) == [("1",)]
        assert server.stop() == 0


def test_of_several_hosts_the_one_that_takes_writes_is_used(postgres, database):
    hosts = f"/nowhere,{postgres.folder}"
    with Server("--store", f"postgresql://postgres@/store?host={hosts}") as server:
        works(server)
        assert server.stop() == 0


def password_file(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_password_comes_from_a_file_and_is_seen_nowhere(postgres, database, tmp_path):
    file = password_file(tmp_path / "password", PASSWORD + "\n")
    with Server("--store", uri(postgres, "keeper"), "--store-password-file", file) as server:
        works(server)
        with open(f"/proc/{server.process.pid}/cmdline", encoding="utf-8") as line:
            assert PASSWORD not in line.read()
        assert server.stop() == 0
        assert PASSWORD not in server.log()


def test_a_password_comes_from_pgpass(postgres, database, tmp_path):
    file = password_file(tmp_path / "pgpass", f"*:*:*:keeper:{PASSWORD}\n")
    for flags, env in (((uri(postgres, "keeper"),), {"PGPASSFILE": file}),
                       ((uri(postgres, "keeper") + f"&passfile={file}",), {})):
        key = str(tmp_path / "key")
        with Server("--store", *flags, "--key-file", key, env=env) as server:
            assert server.stop() == 0


def test_a_password_in_the_address_is_taken_from_the_environment_alone(postgres, database):
    whole = uri(postgres, "keeper") + "&password=" + PASSWORD.replace(" ", "%20")
    server = Server("--store", "x")
    flags = [flag for flag in server.flags if flag not in ("--store", "x")]
    server.flags, server.env = flags, {"POSTBACKD_STORE": whole}
    try:
        server.start()
        assert server.stop() == 0
        assert PASSWORD not in server.log() and "battery" not in server.log()
    finally:
        server.close()
    done = subprocess.run([BINARY, "serve", *flags, "--store", whole], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "--store holds a password" in done.stderr
    assert "battery" not in done.stderr


@pytest.mark.parametrize("text, mode, said", [
    ("wrong", 0o600, "password authentication failed"),
    (PASSWORD, 0o604, "may be read or written by others"),
    ("\n" + PASSWORD, 0o600, "holds no password"),
])
def test_a_start_says_what_is_wrong_with_the_password_and_tries_again(postgres, database, tmp_path, text, mode, said):
    file = password_file(tmp_path / "password", text, mode)
    server = Server("--store", uri(postgres, "keeper"), "--store-password-file", file)
    try:
        listening = server.run()
        await_until(lambda: "database_awaited" in server.log() and said in server.log(), said)
        password_file(tmp_path / "password", PASSWORD)
        assert listening.wait(30) and server.base, server.log()
        assert server.stop() == 0
    finally:
        server.close()


def test_tls_is_spoken_as_the_address_says(tmp_path, monkeypatch):
    """Over TCP, with a certificate that is held against an authority."""
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "Stranger")
    with socket.create_server(("127.0.0.1", 0)) as free:
        free_port = free.getsockname()[1]
    monkeypatch.setenv("PGPORT", str(free_port))
    running = Postgres([f"port={free_port}", "listen_addresses=127.0.0.1"])
    try:
        file = authority.issue("localhost")
        for name in ("server.key", "server.crt"):
            target = os.path.join(running.data, name)
            shutil.copy(file, target)
            os.chmod(target, 0o600)
            if running.user:
                os.chown(target, running.user["user"], running.user["group"])
        running.psql("ALTER SYSTEM SET ssl = on")
        running.psql("SELECT pg_reload_conf()")
        await_until(lambda: running.rows("SHOW ssl") == [("on",)], "TLS")
        address = f"postgresql://postgres@localhost:{free_port}/postgres?hostaddr=127.0.0.1&sslmode=verify-full"
        with Server("--store", f"{address}&sslrootcert={authority.file}") as server:
            works(server)
            assert running.rows("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                                "WHERE client_addr IS NOT NULL") == [("t",)]
            assert server.stop() == 0
        server = Server("--store", f"{address}&sslrootcert={stranger.file}")
        try:
            server.run()
            await_until(lambda: "certificate verify failed" in server.log(), "refused")
            assert server.stop() == 0
        finally:
            server.close()
    finally:
        running.stop()


# ---- a database that is not there ----

def test_a_start_waits_for_a_database_that_is_away(tmp_path):
    running = Postgres()
    try:
        running.kill()
        server = Server("--store", f"postgresql://postgres@/postgres?host={running.folder}")
        try:
            listening = server.run()
            await_until(lambda: "database_awaited" in server.log(), "it says so")
            assert server.process.poll() is None and server.base is None
            running.start()
            assert listening.wait(30) and server.base, server.log()
            works(server)
            assert server.stop() == 0
        finally:
            server.close()
    finally:
        running.stop()


def test_a_signal_ends_the_wait():
    server = Server("--store", "postgresql://postgres@/postgres?host=/nowhere")
    try:
        server.run()
        await_until(lambda: "database_awaited" in server.log(), "it waits")
        assert server.stop() == 0
        assert "cannot_start" not in server.log()
    finally:
        server.close()


def test_an_address_that_is_none_is_refused():
    said = refused("--store", "postgresql://h:x/y?nonsense=1")
    assert "cannot_start" in said and "none that PostgreSQL understands" in said


# ---- key and schema ----

def test_a_node_with_another_key_is_refused(postgres, database, tmp_path):
    key = str(tmp_path / "shared.key")
    with Server("--store", uri(postgres), "--key-file", key) as server:
        assert os.path.getsize(key) == 32 and not os.path.exists(os.path.join(server.data, "secret.key"))
        assert server.stop() == 0
    other = tmp_path / "other.key"
    other.write_bytes(os.urandom(32))
    other.chmod(0o600)
    said = refused("--store", uri(postgres), "--key-file", str(other))
    assert f"{other} is not the key of postgresql://" in said and "all nodes have the same key" in said
    said = refused("--store", uri(postgres), "--key-file", str(tmp_path / "none"))
    assert "is missing" in said and not (tmp_path / "none").exists()
    with Server("--store", uri(postgres), "--key-file", key) as server:  # a second node
        assert "operator_token_elsewhere" in server.log()
        assert not os.path.exists(os.path.join(server.data, "operator.token"))
        assert server.stop() == 0


def test_an_empty_token_file_asks_for_a_further_token(postgres, database, tmp_path):
    key = str(tmp_path / "shared.key")
    with Server("--store", uri(postgres), "--key-file", key) as first:
        works(first)
        assert first.stop() == 0
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "operator.token").touch(mode=0o600)
    with Server("--store", uri(postgres), "--key-file", key, data=str(data)) as second:
        accounts = second.operator().get("Accounts")
        assert [one["Name"] for one in accounts.json()["Accounts"]].count("Operator") == 1
        assert second.stop() == 0


def test_a_later_schema_is_taken_when_it_says_so(postgres, database):
    server = Server("--store", uri(postgres))
    try:
        server.start()
        works(server)
        assert server.stop() == 0
        ((now,),) = postgres.rows("SELECT version FROM postbackd_schema", database=database)
        postgres.psql("UPDATE postbackd_schema SET version = version + 1", database=database)
        server.start()
        assert "schema_is_newer" in server.log()
        assert server.stop() == 0
        postgres.psql("UPDATE postbackd_schema SET readable_from = version", database=database)
        server.run()
        assert server.process.wait(30) == 1
        assert f"its schema is {int(now) + 1}" in server.log() and "a later version" in server.log()
    finally:
        server.close()


# ---- check ----

def test_check_looks_at_the_rows_and_the_key(postgres, database):
    def check(*flags):
        done = subprocess.run([BINARY, "check", "--data", server.data, "--store", uri(postgres), *flags],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout
    with Server("--store", uri(postgres)) as server:
        works(server)
        code, said = check()
        assert code == 0 and "The store is whole." in said, said
        assert server.stop() == 0
        postgres.psql("DELETE FROM account WHERE kind <> (SELECT max(kind) FROM account); "
                      "UPDATE notification_count SET pending = pending + 1;", database=database, stop=False)
        postgres.psql("ALTER TABLE inquiry DISABLE TRIGGER ALL; DELETE FROM event", database=database)
        assert check("--key-file", "/nowhere")[0] == 1
    assert check()[0] == 1  # its key is gone with its directory
