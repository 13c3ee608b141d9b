"""Starting and stopping: what is made at the first start, what is refused and with which words, and
that SIGTERM leaves nothing half done."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading

import pytest
import requests

from harness.receiver import answers
from harness.server import BINARY, Server, World, await_until

pytestmark = pytest.mark.one_file("what a directory is made of; a start on PostgreSQL has tests of its own")

APPLICATION = 0x70626b64  # "pbkd": how our files are known


def run(*words, env=None, timeout=40):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POSTBACKD_")}
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=timeout,
                          env={**clean, **(env or {})})


def refused(data, *flags, code=1):
    """Does not start; gives what it said."""
    done = run("serve", "--data", str(data), "--listen", "127.0.0.1:0", *flags)
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "listening" not in done.stderr and "Sanitizer" not in done.stderr
    return done.stderr


@pytest.fixture
def data(tmp_path):
    """A data directory in which a server has run, with an inquiry and a waiting postback."""
    directory = tmp_path / "data"
    with Server(data=str(directory)) as server:
        world = World(server)
        world.notify(world.partner, "http://127.0.0.1:9/")
        world.open()
        assert server.stop() == 0
        shutil.copytree(directory, tmp_path / "copy")
    return tmp_path / "copy"


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# ---- the first start ----

def test_the_first_start_makes_all_that_is_needed(tmp_path):
    with Server(data=str(tmp_path / "new")) as server:
        assert mode(server.data) == 0o700
        assert set(os.listdir(server.data)) >= {"postbackd.db", "secret.key", "lock",
                                                "operator.token"}
        for name in os.listdir(server.data):
            assert mode(os.path.join(server.data, name)) == 0o600, name
        assert os.path.getsize(os.path.join(server.data, "secret.key")) == 32
        text = open(os.path.join(server.data, "operator.token")).read()
        assert re.fullmatch(r"OP[0-9A-Za-z]{22}:pbt_[0-9A-Za-z_-]{43}\n", text), text
        assert server.operator().get("Accounts").status_code == 200
        assert text.split(":")[1].strip() not in server.log()
        assert server.stop() == 0


def test_a_second_start_keeps_everything(tmp_path):
    with Server(data=str(tmp_path / "data")) as server:
        world = World(server)
        made = world.notify(world.partner, "http://127.0.0.1:9/")
        inquiry = world.open()
        token = open(os.path.join(server.data, "operator.token")).read()
        assert server.stop() == 0
        server.start()
        world.moved()
        assert open(os.path.join(server.data, "operator.token")).read() == token
        assert world.operator.get("Accounts").status_code == 200
        assert world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["State"] == "OPEN"
        secret = world.partner.ok(world.partner.get(made["Uri"] + "/SigningSecret"))
        assert secret["SigningSecret"] == made["SigningSecret"]
        assert server.stop() == 0


def test_a_token_file_that_is_gone_is_made_anew_with_another_token(tmp_path):
    with Server(data=str(tmp_path / "data")) as server:
        old = server.operator()
        assert server.stop() == 0
        os.unlink(os.path.join(server.data, "operator.token"))
        server.start()
        new = server.operator()
        assert new.sid == old.sid and new.token != old.token
        assert new.get("Accounts").status_code == 200
        assert server.stop() == 0


# ---- two servers ----

def test_a_second_server_on_the_same_directory_is_refused(tmp_path):
    with Server(data=str(tmp_path / "data")) as server:
        said = refused(server.data)
        assert "another postbackd" in said and server.data in said
        assert f"pid {server.process.pid}" in said
        assert server.operator().get("Accounts").status_code == 200
        server.kill()
        server.start()  # what a killed one held is free
        assert server.operator().get("Accounts").status_code == 200
        assert server.stop() == 0


def test_a_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        said = refused(tmp_path / "data", "--listen", address)
        assert "port %d on 127.0.0.1 is in use" % taken.getsockname()[1] in said
    with Server("--listen", address, data=str(tmp_path / "data")) as server:
        assert server.base == "http://" + address
        assert server.stop() == 0


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000",
                                     "300.1.1.1:80", "[::1:80", "192.0.2.1:0", ":", "a b:80"])
def test_addresses_that_cannot_be_listened_on(tmp_path, address):
    done = run("serve", "--data", str(tmp_path / "data"), "--listen", address)
    assert done.returncode == 1 and "cannot_start" in done.stderr, done.stderr
    assert address in done.stderr or address.rsplit(":", 1)[0] in done.stderr, done.stderr


# ---- files that are not ours ----

def test_a_database_that_is_another_kind_of_file(data):
    path = data / "postbackd.db"
    for content in (b"Dear diary,\n" * 500, b"\x00" * 8192, b"x", b"SQLite format 3\x00"):
        path.write_bytes(content)
        said = refused(data)
        assert str(path) in said and "not a database" in said
        assert path.read_bytes() == content  # and is left as it was


def test_another_programs_database(data):
    path = data / "postbackd.db"
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (name TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()
    said = refused(data)
    assert str(path) in said and "another program" in said
    assert path.read_bytes() == before


def test_a_database_of_a_later_version(data):
    path = data / "postbackd.db"
    ours = sqlite3.connect(path)
    version = ours.execute("PRAGMA user_version").fetchone()[0]
    ours.execute(f"PRAGMA user_version = {version + 40}")
    ours.commit()
    ours.close()
    said = refused(data)
    assert str(path) in said and "later version" in said
    assert str(version + 40) in said and str(version) in said


def test_a_database_that_lost_its_end(data):
    path = data / "postbackd.db"
    whole = path.read_bytes()
    for part in (len(whole) // 2, 4096, 5000):
        path.write_bytes(whole[:part])
        said = refused(data)
        assert str(path) in said and ("damaged" in said or "not a database" in said), said


def test_a_database_with_pages_of_something_else(data):
    path = data / "postbackd.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    said = refused(data)
    assert str(path) in said and "damaged" in said and "backup" in said
    path.write_bytes(b"\xa5" * 100 + whole[100:])
    said = refused(data)
    assert str(path) in said


def test_a_database_that_is_a_directory(data):
    path = data / "postbackd.db"
    path.unlink()
    path.mkdir()
    assert str(path) in refused(data)


def test_a_database_without_a_table(data):
    path = data / "postbackd.db"
    ours = sqlite3.connect(path)
    ours.execute("PRAGMA foreign_keys = OFF")
    ours.execute("DROP TABLE attempt")
    ours.commit()
    ours.close()
    said = refused(data)
    assert str(path) in said and "damaged" in said and "attempt" in said


# ---- the key ----

@pytest.mark.parametrize("content, words", [
    (b"", "32 bytes and has 0"), (b"k" * 31, "32 bytes and has 31"),
    (b"k" * 33, "32 bytes and has 33"), (b"k" * 32, "is not the key of")])
def test_a_key_file_that_is_not_the_key(data, content, words):
    path = data / "secret.key"
    path.write_bytes(content)
    os.chmod(path, 0o600)
    said = refused(data)
    assert str(path) in said and words in said, said


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o620, 0o660])
def test_a_key_that_others_may_read_or_write(data, bits):
    path = data / "secret.key"
    os.chmod(path, bits)
    said = refused(data)
    assert str(path) in said and "0600" in said and "%03o" % bits in said
    os.chmod(path, 0o600)
    with Server(data=str(data)) as server:
        assert server.stop() == 0


def test_a_key_that_is_gone(data):
    path = data / "secret.key"
    path.unlink()
    said = refused(data)
    assert str(path) in said and "missing" in said and "backup" in said
    assert not path.exists()  # a new one would hide the loss


def test_a_key_that_is_no_file(data):
    path = data / "secret.key"
    path.unlink()
    path.mkdir()
    assert str(path) in refused(data)
    path.rmdir()
    os.mkfifo(path, 0o600)
    assert str(path) in refused(data)
    path.unlink()
    path.symlink_to(data / "lock")
    assert str(path) in refused(data)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_may_not_be_read(data):
    os.chmod(data / "secret.key", 0)
    said = refused(data)
    assert str(data / "secret.key") in said and "Permission denied" in said


# ---- the data directory ----

def test_directories_that_cannot_be_used(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert f"{file} is not a directory" in refused(file)
    assert str(file / "below") in refused(file / "below")
    assert str(tmp_path / "no" / "such") in refused(tmp_path / "no" / "such")
    said = refused("/sys")  # nobody makes a file there, root included
    assert "/sys/lock" in said
    if os.geteuid() != 0:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        assert "Permission denied" in refused(closed)


# ---- flags, variables, the settings' file ----

@pytest.mark.parametrize("flags, words", [
    ([], "--data DIR is required"),
    (["--colour", "red"], "--colour"),
    (["--data"], "--data needs a value"),
    (["--data", ""], "--data"),
    (["--data", "x", "extra"], "extra"),
    (["--data", "x", "--rate-limit", "many"], "--rate-limit"),
    (["--data", "x", "--rate-limit", "-1"], "0 to"),
    (["--data", "x", "--deadline", "0"], "from 1 to 600"),
    (["--data", "x", "--drain", "1h"], "--drain"),
    (["--data", "x", "--node", "1024"], "from 0 to 1023"),
    (["--data", "x", "--log-level", "loud"], "debug info warn error"),
    (["--data", "x", "--log-format", "xml"], "text json"),
    (["--data", "x", "--config", "/no/such/file"], "/no/such/file: No such file"),
    (["--data", "x", "--config", "/"], "--config /"),
])
def test_wrong_flags(flags, words, tmp_path):
    flags = [str(tmp_path / "x") if flag == "x" else flag for flag in flags]
    done = run("serve", *flags)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and done.stderr.startswith("postbackd serve: "), done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "x").exists()


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "10.0.0/8", "::1/129", "home", "10.0.0.0/x"])
def test_wrong_networks(tmp_path, cidr):
    done = run("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0",
               "--allow-egress", cidr)
    assert done.returncode in (1, 2) and cidr in done.stderr, done.stderr


def test_a_certificate_file_that_is_none(tmp_path):
    file = tmp_path / "ca.pem"
    assert str(file) in refused(tmp_path / "data", "--ca-file", str(file))
    file.write_text("no certificate")
    assert str(file) in refused(tmp_path / "data", "--ca-file", str(file))


@pytest.mark.parametrize("text, words", [
    ("colour = red\n", "colour: no such setting"), ("rate-limit = many\n", "rate-limit"),
    ("just a line\n", "line 1: expected `name = value`"), ("\n\nrate-limit\n", "line 3"),
    ("[server]\nrate-limit = 5\n", "line 1: the file has no sections"),
    ("config = other\n", "no such setting"), ("data =\n", "data"),
    ("node = 1\n\n  a continued value\n", "line 3: expected `name = value`"),
    ("allow-egress = 10.0.0.0/8,\n  10.1.0.0/16\n", "line 2: expected `name = value`"),
    ("node = 1\n\t[server]\n", "line 2: the file has no sections"),
    ("node = 1\n# again:\nnode = 1\n", "line 3: node: is set on line 1 already"),
    ("node = 1\n colour = red\n", "line 2: colour: no such setting"),
    ("ca-file = \"/etc/ca.pem\"\n", "line 1: the value stands in quotes"),
    ("node = 1\0\n", "line 1: is not text"), ("node = 1\rnode = 2\n", "line 1: a control"),
    ("node = " + "1" * 300 + "\n", "node: "), ("= 5\n", "line 1: expected `name = value`")])
def test_wrong_lines_of_the_settings_file(tmp_path, text, words):
    """S1: what is not clearly a setting ends the start with status 2 and the line's number."""
    file = tmp_path / "settings"
    file.write_text(text, newline="")
    done = run("serve", "--data", str(tmp_path / "data"), "--config", str(file))
    assert done.returncode == 2, done.stderr
    assert str(file) in done.stderr and words in done.stderr, done.stderr


def test_an_indented_setting_is_a_setting(tmp_path):
    """S1: an indented `listen` under `data` is no part of the directory's name."""
    file = tmp_path / "settings"
    file.write_bytes(f"\ufeff  data = {tmp_path}/data\r\n\tlisten = 127.0.0.1:0 ; any\r\n"
                     "\r\n   # an indented remark\r\n    rate-limit = 5000\r\n"
                     "        log-format = json".encode())
    with subprocess.Popen([BINARY, "serve", "--config", str(file)], stderr=subprocess.PIPE,
                          text=True) as process:
        line = process.stderr.readline()
        while line and '"event":"listening"' not in line and "listening" not in line:
            line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert "listening" in line and line.startswith("{"), line
    assert sorted(os.listdir(tmp_path)) == ["data", "settings"]


def test_wrong_variables(tmp_path):
    done = run("serve", "--data", str(tmp_path / "data"), env={"POSTBACKD_RATE_LIMIT": "x"})
    assert done.returncode == 2 and "POSTBACKD_RATE_LIMIT" in done.stderr


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path):
    file = tmp_path / "settings"
    file.write_text(f"# all there is\ndata = {tmp_path}/data\nlisten = 127.0.0.1:0\n"
                    "rate-limit = 101 \nlog-format = json\n")
    for flags, env, wanted in (
            ([], {}, "101"), ([], {"POSTBACKD_RATE_LIMIT": "102"}, "102"),
            (["--rate-limit", "103"], {"POSTBACKD_RATE_LIMIT": "102"}, "103")):
        server = Server(data=str(tmp_path / "data"))
        server.process = subprocess.Popen(
            [BINARY, "serve", *flags], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "POSTBACKD_CONFIG": str(file), **env})
        for line in server.process.stderr:
            said = json.loads(line)  # every line of the log is JSON now
            if said["event"] == "listening":
                break
        server.base = "http://" + said["address"]
        answer = server.operator().get("Accounts")
        assert answer.headers["X-RateLimit-Limit"] == wanted
        server.process.send_signal(signal.SIGTERM)
        rest = server.process.stderr.read().splitlines()
        assert server.process.wait(30) == 0
        assert json.loads(rest[-1])["event"] == "stopped"


# ---- help ----

def test_help_and_version():
    whole = run("--help")
    assert whole.returncode == 0 and whole.stderr == ""
    for command in ("serve", "demo", "admin", "--version"):
        assert command in whole.stdout
    assert run("-h").stdout == whole.stdout
    serve = run("serve", "--help")
    assert serve.returncode == 0 and serve.stderr == ""
    for flag in ("--data", "--listen", "--allow-egress", "--ca-file", "--rate-limit", "--deadline",
                 "--drain", "--node", "--log-format", "--log-level", "--config"):
        assert flag in serve.stdout, flag
    assert "POSTBACKD_" in serve.stdout and "[1000]" in serve.stdout
    assert re.fullmatch(r"postbackd \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize("words", [[], ["server"], ["--serve"], ["help"], [""]])
def test_no_such_command(words):
    done = run(*words)
    assert done.returncode == 2 and done.stdout == "" and "postbackd serve" in done.stderr


# ---- stopping ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(tmp_path, receivers, number):
    """A call under way is answered, a postback under way is recorded."""
    let_go = threading.Event()

    def slow(connection, _request):
        let_go.wait(20)
        return connection.answer(200)
    at = receivers(slow)
    with Server(data=str(tmp_path / "data")) as server:
        world = World(server)
        made = world.notify(world.partner, at.url())
        inquiry = world.open()
        at.wait(1)
        tested = []
        calling = threading.Thread(target=lambda: tested.append(
            world.partner.post(made["Uri"] + "/Test")))
        calling.start()
        at.wait(2)
        server.process.send_signal(number)
        await_until(lambda: "stopping" in server.log(), "the signal was seen")
        port = server.port
        await_until(lambda: closed(port), "no new connections")
        let_go.set()
        calling.join(20)
        assert tested[0].status_code == 200, tested[0].text
        assert tested[0].headers["Connection"] == "close"
        assert server.process.wait(20) == 0
        assert "stopped" in server.log()
        server.start()
        world.moved()
        (done,) = world.postbacks(world.partner, InquiryId=inquiry)
        assert (done["State"], done["Attempts"]) == ("DELIVERED", "1")
        assert len(at.requests) == 2  # nothing was sent twice
        assert server.stop() == 0


def closed(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return False
    except OSError:
        return True


def test_a_drain_has_its_limit_and_loses_nothing(tmp_path, receivers):
    at = receivers(lambda connection, _request: connection.stopped.wait(30))
    with Server("--drain", "1", data=str(tmp_path / "data")) as server:
        world = World(server)
        world.notify(world.partner, at.url())
        world.open()
        at.wait(1)
        assert server.stop(15) == 0
        at.behave = answers(200)
        server.start()
        world.moved()
        requests_ = at.wait(2)
        assert requests_[0].header("webhook-id") == requests_[1].header("webhook-id")
        world.await_state(world.partner, "DELIVERED")
        assert server.stop() == 0


def test_signals_in_quick_succession(tmp_path):
    """At any moment from the first line of the log on."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        with Server(data=str(tmp_path / f"data{number}")) as server:
            for _ in range(5):
                server.process.send_signal(number)
            if number == signal.SIGHUP:
                assert requests.get(server.base + "/healthz", timeout=20).status_code == 200
                server.process.send_signal(signal.SIGTERM)
            for _ in range(3):
                if server.process.poll() is None:
                    server.process.send_signal(signal.SIGHUP)
            assert server.process.wait(20) == 0


def test_our_files_are_known_by_their_application_id(data):
    ours = sqlite3.connect(data / "postbackd.db")
    assert ours.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    assert ours.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert ours.execute("PRAGMA foreign_key_check").fetchall() == []
    ours.close()


# ---- who else may touch the files ----

FILES = ["postbackd.db", "lock", "operator.token"]


@pytest.mark.parametrize("name, wrong, right", [
    (".", 0o755, 0o700), (".", 0o777, 0o700), (".", 0o2750, 0o700), ("postbackd.db", 0o666, 0o600),
    ("postbackd.db", 0o640, 0o600), ("lock", 0o644, 0o600), ("operator.token", 0o644, 0o600),
    ("operator.token", 0o604, 0o600)])
def test_what_others_may_touch_is_taken_from_them(data, name, wrong, right):
    """A13: a mode that lets others in is mended at the start, and said."""
    os.chmod(data / name, wrong)
    with Server(data=str(data)) as server:
        assert mode(data / name) == right
        said = [line for line in server.log().splitlines() if "mode_mended" in line]
        assert len(said) == 1, server.log()
        assert f"was={wrong:04o} now={right:04o}" in said[0] and str(data) in said[0]
        assert server.stop() == 0


def test_the_log_that_a_crash_left_is_mended_too(tmp_path):
    """A13: also the write-ahead log and its index."""
    with Server(data=str(tmp_path / "data")) as server:
        World(server)
        server.kill()
        for name in ("postbackd.db-wal", "postbackd.db-shm"):
            os.chmod(tmp_path / "data" / name, 0o644)
        server.start()
        for name in ("postbackd.db-wal", "postbackd.db-shm"):
            assert mode(tmp_path / "data" / name) == 0o600, name
        assert server.log().count("mode_mended") == 2
        assert server.stop() == 0


def test_right_modes_are_not_talked_about(data):
    """A13"""
    with Server(data=str(data)) as server:
        assert "mode_mended" not in server.log()
        assert server.stop() == 0


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o644, 0o666])
def test_a_key_that_others_could_read_is_refused(data, wrong):
    """A13: a quiet chmod would hide that the secrets may be known."""
    os.chmod(data / "secret.key", wrong)
    said = refused(data)
    assert "secret.key may be read or written by others" in said and f"{wrong:03o}" in said


@pytest.mark.parametrize("name", [*FILES, "secret.key", "postbackd.db-wal", "postbackd.db-shm"])
def test_a_symbolic_link_is_not_followed(data, tmp_path, name):
    """A13: also to where nothing is."""
    elsewhere = tmp_path / "elsewhere"
    if (data / name).exists():
        os.rename(data / name, elsewhere)
    before = elsewhere.read_bytes() if elsewhere.exists() else None
    os.symlink(elsewhere, data / name)
    said = refused(data)
    assert f"{data / name} is a symbolic link" in said, said
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == before


@pytest.mark.parametrize("name", [*FILES, "secret.key"])
def test_a_directory_in_the_place_of_a_file(data, name):
    """A13"""
    os.unlink(data / name)
    os.mkdir(data / name, 0o700)
    assert f"{data / name} is not a file" in refused(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", [".", *FILES, "secret.key"])
def test_what_belongs_to_somebody_else_is_refused(data, name):
    """A13: its owner could open it again; and a server under the wrong user leaves files behind that
    the right one cannot open."""
    os.chown(data / name, 65534, -1)
    said = refused(data)
    assert "belongs to nobody and this server runs as root" in said and "chown" in said, said
    os.chown(data / name, 0, -1)
    with Server(data=str(data)) as server:
        assert server.stop() == 0


def test_a_settings_file_with_a_password_that_everybody_reads(tmp_path):
    """A13: told, not changed: the file may be somebody else's."""
    settings = tmp_path / "postbackd.conf"
    settings.write_text("egress-proxy = http://us:secret@127.0.0.1:9\n")
    for wrong, told in ((0o644, 1), (0o640, 0)):
        os.chmod(settings, wrong)
        with Server("--config", str(settings), data=str(tmp_path / f"data{told}")) as server:
            assert server.log().count("settings_readable") == told, server.log()
            assert "secret@" not in server.log()
            assert server.stop() == 0
        assert mode(settings) == wrong
