"""`postbackd check`, and a server on a store that is not whole: what lies on whole pages is served."""

import contextlib
import hashlib
import os
import re
import sqlite3
import subprocess

import pytest
import requests

from harness.delivery import Delivery
from harness.receiver import hangs
from harness.server import BINARY, Server, World, await_until

pytestmark = pytest.mark.one_file("what it looks for is damage of the file")

PAGE = 4096


def check(data, *flags, code=0):
    """Gives what it said."""
    done = subprocess.run([BINARY, "check", "--data", str(data), *flags], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == code, f"{done.returncode}, expected {code}:\n{done.stdout}{done.stderr}"
    assert done.stderr == "", done.stderr
    return done.stdout


def sums(data):
    """Of the database and its log, which a check leaves as they are."""
    return {name: hashlib.sha256(open(os.path.join(data, name), "rb").read()).hexdigest()
            for name in ("postbackd.db", "postbackd.db-wal")
            if os.path.exists(os.path.join(data, name)) and os.path.getsize(os.path.join(data, name))}


def sql(data, *statements):
    """Behind the server's back."""
    with contextlib.closing(sqlite3.connect(os.path.join(data, "postbackd.db"))) as database:
        database.executescript(";".join(statements))


def overwrite(data, mark, byte=b"\0"):
    """The page that holds these words is all zeroes (or another byte) from now on."""
    path = os.path.join(data, "postbackd.db")
    content = open(path, "rb").read()
    at = content.index(mark.encode())
    with open(path, "r+b") as file:
        file.seek(at // PAGE * PAGE)
        file.write(byte * PAGE)


@pytest.fixture
def store(tmp_path, receivers):
    """Stopped, with 300 delivered events of each of two accounts."""
    at = receivers()
    with Server(data=str(tmp_path / "data")) as server:
        world = World(server)
        one = Delivery(world, at.url("/one"))
        two = Delivery(world, at.url("/two"), account=world.account("PARTNER", "Other One"))
        for name, delivery in (("one", one), ("two", two)):
            batch = [{"Type": "action.tracked", "AccountSids": [delivery.api.sid],
                      "Data": {"Oid": f"mark-{name}-{number:04}"}} for number in range(300)]
            assert delivery.api.post("/Events", {"Events": batch}).status_code == 202
        at.wait(600)
        for delivery in (one, two):
            delivery.await_state("DELIVERED", 300)
        assert server.stop() == 0
        yield server, one, two


def start(server, *deliveries):
    server.lines.clear()
    server.start()
    deliveries[0].world.moved()
    for delivery in deliveries:
        delivery.api.base = server.base


def metric(server, name):
    text = requests.get(server.base + "/metrics", timeout=20).text
    return int(re.search(rf"^{name} (\d+)", text, re.M).group(1))


# ---- the server ----

def test_a_damaged_page_fails_the_reads_that_meet_it(store):
    """A15: a page of zeroes in the middle of the events: the server starts, the list of the account
    whose events stood there gets 500 with words, at each try; everybody else and all else is served,
    and it is said in the log and counted."""
    server, one, two = store
    overwrite(server.data, "mark-one-0150")
    start(server, one, two)
    for number in range(1, 4):
        answer = one.api.get("Postbacks", PageSize=1000)
        assert answer.status_code == 500, answer.text
        assert "damaged part of the store" in answer.json()["Message"], answer.text
        assert metric(server, "postbackd_store_reads_damaged_total") == number
    said = [line for line in server.log().splitlines() if "store_damaged" in line]
    assert said and "malformed" in said[0] and "postbackd check" in said[0], server.log()
    assert len(two.postbacks(PageSize=1000)) == 300
    assert one.api.get("Postbacks", PageSize=20).status_code == 200, "the newest are whole"
    assert requests.get(server.base + "/readyz", timeout=20).status_code == 200
    for delivery in (one, two):
        sent = delivery.send()
        await_until(lambda: any(row["EventId"] == sent and row["State"] == "DELIVERED"
                                for row in delivery.postbacks(PageSize=20)), "delivered")
    assert "table event" in check(server.data, code=1)
    assert server.stop() == 0


def test_a_start_refuses_what_it_would_write_to(store):
    """A15: the last page of a table is where the next row would go."""
    server, _one, _two = store
    with contextlib.closing(sqlite3.connect(server.data + "/postbackd.db")) as database:
        last = database.execute("SELECT data FROM event ORDER BY id DESC LIMIT 1").fetchone()[0]
    overwrite(server.data, last)
    server.lines.clear()
    server.run().wait(20)
    assert server.process.wait(20) == 1
    assert "is damaged (" in server.log(), server.log()


# ---- the command ----

def test_a_whole_store(store):
    """A15: stopped, running, killed: whole; and nothing of it is changed."""
    server, one, _two = store
    before = sums(server.data)
    said = check(server.data)
    assert said.endswith("The store is whole.\n") and "free ones too" in said
    for line in ("postbacks: 600", "events: 600", "attempts: "):
        assert line in said, said
    assert sums(server.data) == before
    assert check(server.data, "--quiet") == ""
    start(server, one)
    said = check(server.data)
    assert "every page of every table" in said and "free ones" not in said
    one.do("Pause")
    one.send_many(3)
    server.kill()
    before = sums(server.data)
    assert "write-ahead log: 0 frames" not in check(server.data)
    assert sums(server.data) == before, "a check takes nothing over"
    start(server, one)
    assert server.stop() == 0


def test_while_the_server_works(store):
    """A15: under load there is nothing to complain about, and the server goes on."""
    server, one, _two = store
    start(server, one)
    batch = [{"Type": "action.tracked", "AccountSids": [one.api.sid], "Data": {}}] * 200
    for _ in range(8):
        checking = subprocess.Popen([BINARY, "check", "--data", server.data, "--quiet"],
                                    stdout=subprocess.PIPE, text=True)
        while checking.poll() is None:
            assert one.api.post("/Events", {"Events": batch}).status_code in (202, 503)
        assert checking.returncode == 0, checking.stdout.read()
    assert server.stop() == 0


@pytest.mark.parametrize("running", [False, True])
def test_pages_of_zeroes(store, running):
    """A15: named by the table or index that they belong to."""
    server, one, _two = store
    overwrite(server.data, "mark-one-0150")
    overwrite(server.data, "mark-two-0150", b"\xff")
    if running:
        start(server, one)
    said = check(server.data, code=1)
    assert "DAMAGE" in said and "event" in said and "The store is damaged" in said, said
    assert len([line for line in said.splitlines() if line.startswith("DAMAGE")]) < 120
    quiet = check(server.data, "--quiet", code=1)
    assert "DAMAGE" in quiet and "whole " not in quiet
    if running:
        assert server.stop() == 0


def test_what_went_straight_to_a_lane(store, receivers):
    """A15: it waits, and may have no row yet: it is counted by its event, live and after a kill."""
    server, one, _two = store
    start(server, one)
    slow = Delivery(one.world, receivers(hangs).url("/slow"), account=one.world.account("PARTNER", "Slow"))
    events = [{"Type": "action.tracked", "AccountSids": [slow.api.sid], "Data": {"Oid": "é"}}] * 7
    assert slow.api.post("/Events", {"Events": events}).status_code == 202
    assert check(server.data).endswith("The store is whole.\n")
    server.kill()
    assert check(server.data).endswith("The store is whole.\n")
    sql(server.data, "UPDATE notification_count SET pending = 8, bytes = bytes + 1 WHERE pending = 7")
    assert "is said to have 8 postbacks pending, and has 7" in check(server.data, code=1)
    sql(server.data, "UPDATE notification_count SET pending = 7 WHERE pending = 8")
    assert re.search(r"is said to have \d+ bytes pending, and has \d+", check(server.data, code=1))


WRONG = [
    ("DROP INDEX postback_of", "index postback_of of table postback is missing"),
    ("DROP TABLE sample", "table sample is missing"),
    ("UPDATE notification_count SET pending = 2 WHERE notification = 1",
     "event notification 1 is said to have 2 postbacks pending, and has 0"),
    ("UPDATE notification_count SET bytes = 7 WHERE notification = 1",
     "event notification 1 is said to have 7 bytes pending, and has 0"),
    ("UPDATE postback SET state = 1 WHERE id = (SELECT min(id) FROM postback)",
     "is said to have 0 postbacks pending, and has 1"),
    ("UPDATE postback SET state = 0 WHERE id = (SELECT min(id) FROM postback); "
     "UPDATE meta SET value = (SELECT max(id) FROM postback) WHERE key = 'fresh_floor'",
     "1 postbacks that are said to be on their way"),
    ("UPDATE postback SET state = 9 WHERE id = (SELECT min(id) FROM postback)",
     "1 postbacks in no state"),
    ("DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT 3)",
     "3 postbacks whose event is not there"),
    ("UPDATE postback SET account = 1 WHERE id = (SELECT min(id) FROM postback)",
     "1 postbacks of another account"),
    ("UPDATE postback SET notification = 99 WHERE id = (SELECT min(id) FROM postback)",
     "1 postbacks of no event notification"),
    ("DELETE FROM postback WHERE id = (SELECT max(id) FROM postback)", "1 attempts at no postback"),
    ("UPDATE event SET account = 99 WHERE id = (SELECT max(id) FROM event)", "1 events of no account"),
    ("DELETE FROM notification_revision WHERE notification = 1", "event notifications without their"),
    ("UPDATE token SET account = 99", "of table token belongs to no account"),
    ("UPDATE notification_revision SET secrets = zeroblob(90) WHERE notification = 1",
     "the key opens 1 of 2 sealed secrets"),
    ("INSERT INTO fan_out VALUES (5, 1, 1, 1, 0)", "1 events that are still to be sent"),
]


@pytest.mark.parametrize("statement, words", WRONG)
def test_what_is_wrong_is_named(store, statement, words):
    """A15: schema, counts, rows, secrets."""
    server, _one, _two = store
    sql(server.data, statement)
    assert words in check(server.data, code=1)


def test_another_key(store):
    """A15: a key that is another database's, one that is damaged, and none."""
    server, _one, _two = store
    path = os.path.join(server.data, "secret.key")
    with open(path, "r+b") as file:
        file.write(b"another key")
    assert "is not the key of this database" in check(server.data, code=1)
    os.truncate(path, 5)
    assert "secret.key is damaged" in check(server.data, code=1)
    os.unlink(path)
    assert "secret.key is missing" in check(server.data, code=1)
    assert not os.path.exists(path)


def test_a_bit_of_the_log(store):
    """A15: of a killed server's log; said as the next start says it."""
    server, one, _two = store
    start(server, one)
    for _ in range(20):
        one.send()
    server.kill()
    log = os.path.join(server.data, "postbackd.db-wal")
    with open(log, "r+b") as file:
        file.seek(os.path.getsize(log) // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 8]))
    said = check(server.data, code=1)
    assert re.search(r"DAMAGE +\S+-wal: frame \d+ of the write-ahead log is damaged: \d+ frames", said)


def test_a_file_that_is_cut_off(store):
    """A15"""
    server, _one, _two = store
    path = os.path.join(server.data, "postbackd.db")
    os.truncate(path, os.path.getsize(path) - 3 * PAGE)
    assert "DAMAGE" in check(server.data, code=1)


def test_what_cannot_be_checked(tmp_path, store):
    """A15: exit status 2, with a reason."""
    server, _one, _two = store
    assert "No such file" in check(tmp_path / "nothing", code=2)
    sql(server.data, "PRAGMA user_version = 999")
    assert "later version" in check(server.data, code=2)
    sql(server.data, "PRAGMA application_id = 7")
    assert "belongs to another program" in check(server.data, code=2)
    with open(os.path.join(server.data, "postbackd.db"), "r+b") as file:
        file.write(b"\0" * 100)
    assert "is not a database" in check(server.data, code=1)


@pytest.mark.parametrize("flags, words", [
    ([], "--data DIR is required"), (["--data"], "--data needs a value"),
    (["--date", "x"], "--date is not known"), (["--data", "x", "y"], "y: not expected here")])
def test_wrong_flags(flags, words):
    """A15"""
    done = subprocess.run([BINARY, "check", *flags], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    asked = subprocess.run([BINARY, "check", "--help"], capture_output=True, text=True, timeout=20)
    assert asked.returncode == 0 and "--quiet" in asked.stdout
