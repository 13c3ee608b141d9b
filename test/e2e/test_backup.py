"""`postbackd backup` beside a server at work, and `restore`: what was acknowledged before is there and
goes on, and a copy that is not whole never stands under its name."""

import os
import stat
import subprocess
import threading

import pytest

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import BINARY, Server, World, await_until

pytestmark = pytest.mark.one_file("of a database its own tools make a copy")


def run(command, *flags, code=0):
    """Gives all that it said."""
    done = subprocess.run([BINARY, command, *map(str, flags)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == code, f"{done.returncode}, expected {code}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Busy:
    """A server whose receiver refuses all, and to which events come without a pause."""

    def __init__(self, data, receiver):
        self.data, self.receiver = data, receiver
        self.server = Server(data=str(data))
        self.stop = threading.Event()

    def __enter__(self):
        self.server.start()
        self.delivery = Delivery(World(self.server), self.receiver.url("/in"))
        self.thread = threading.Thread(target=self.send)
        self.thread.start()
        return self

    def send(self):
        while not self.stop.is_set():
            self.delivery.send(Oid="meanwhile")

    def end(self, how):
        """No more events; then the server is stopped or killed."""
        self.stop.set()
        self.thread.join()
        how()

    def __exit__(self, *exc):
        self.end(self.server.close)


@pytest.fixture
def busy(tmp_path, receivers):
    with Busy(tmp_path / "data", receivers(answers(500))) as busy:
        yield busy


def test_what_was_acknowledged_before_a_backup_is_delivered_after_a_restore(tmp_path, busy):
    before = busy.delivery.send_many(100)
    said = run("backup", "--data", busy.data, "--to", tmp_path / "copy",
               "--key-to", tmp_path / "key")
    assert "checked" in said and "key" not in said
    assert mode(tmp_path / "copy") == mode(tmp_path / "key") == 0o600
    assert sorted(os.listdir(tmp_path)) == ["copy", "data", "key"]  # no log, no part
    busy.end(busy.server.kill)

    run("restore", "--from", tmp_path / "copy", "--key", tmp_path / "key",
        "--data", tmp_path / "new")
    assert mode(tmp_path / "new") == 0o700 and mode(tmp_path / "new/postbackd.db") == 0o600
    busy.receiver.behave = answers(200)
    come = len(busy.receiver.requests)
    with Server(data=str(tmp_path / "new")) as server:
        api = busy.delivery.api
        api.base = server.base

        def arrived():
            rows = busy.delivery.postbacks(State="DELIVERED", PageSize=1000)
            return set(before) <= {row["EventId"] for row in rows}
        busy.delivery.catch_up()
        await_until(arrived, "all events from before the backup", 60)
        request = busy.receiver.requests[come]
        assert request.header("webhook-signature")  # the key opened the secret


def test_a_backup_says_that_the_key_is_not_in_it(tmp_path, busy):
    assert "--key-to" in run("backup", "--data", busy.data, "--to", tmp_path / "copy")
    assert os.listdir(tmp_path / "data").count("secret.key") == 1


def test_neither_writes_over_what_is_there(tmp_path, busy):
    (tmp_path / "copy").write_text("mine")
    assert "is there already" in run("backup", "--data", busy.data, "--to", tmp_path / "copy", code=1)
    assert (tmp_path / "copy").read_text() == "mine"
    run("backup", "--data", busy.data, "--to", tmp_path / "good", "--key-to", tmp_path / "key")
    busy.end(busy.server.kill)
    before = (busy.data / "secret.key").read_bytes()
    said = run("restore", "--from", tmp_path / "good", "--key", tmp_path / "key",
               "--data", busy.data, code=1)
    assert "is there already" in said and (busy.data / "secret.key").read_bytes() == before


def test_a_store_that_is_not_whole_gives_no_copy(tmp_path, busy):
    busy.delivery.send_many(300)
    busy.end(busy.server.stop)
    path = busy.data / "postbackd.db"
    content = bytearray(path.read_bytes())
    at = content.rindex(b"action.tracked") // 4096 * 4096
    content[at:at + 4096] = bytes(4096)
    path.write_bytes(content)
    assert "not whole" in run("backup", "--data", busy.data, "--to", tmp_path / "copy", code=1)
    assert sorted(os.listdir(tmp_path)) == ["data"]


def test_a_restore_with_another_key_leaves_nothing(tmp_path, busy):
    run("backup", "--data", busy.data, "--to", tmp_path / "copy")
    other = tmp_path / "other"
    other.write_bytes(os.urandom(os.path.getsize(busy.data / "secret.key")))
    other.chmod(0o600)
    said = run("restore", "--from", tmp_path / "copy", "--key", other,
               "--data", tmp_path / "new", code=1)
    assert "key" in said and os.listdir(tmp_path / "new") == []


def test_what_a_killed_backup_left_is_no_hindrance(tmp_path, busy):
    (tmp_path / "copy.part").write_text("half")
    run("backup", "--data", busy.data, "--to", tmp_path / "copy")
    assert sorted(os.listdir(tmp_path)) == ["copy", "data"]


@pytest.mark.parametrize("command, flags, words", [
    ("backup", [], "missing"),
    ("backup", ["--data", "/nowhere/data", "--to", "/tmp/x-copy"], "No such file"),
    ("backup", ["--to"], "needs a value"),
    ("restore", ["--from", "/nowhere", "--data", "/nowhere"], "missing"),
    ("restore", ["--bad"], "is not known"),
])
def test_a_wrong_call_is_told_what_is_wrong(command, flags, words):
    environment = {**os.environ}
    environment.pop("POSTBACKD_DATA", None)
    done = subprocess.run([BINARY, command, *flags], capture_output=True, text=True, env=environment)
    assert done.returncode != 0 and words in done.stderr, done.stderr
