"""doc/operations.md at 3 a.m.: each case is brought about, and its commands are run as they stand there,
on a machine whose systemctl, journalctl, apt-get and timedatectl do what they would do to the one server."""

import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import textwrap

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import Faults
from harness.receiver import answers
from harness.server import Api, World, await_until, preloading
from test_full_disk import fill, free
from test_guide import environment, free_ports

pytestmark = pytest.mark.one_file("the commands stand there for a data directory")

PAGE = pathlib.Path(__file__).resolve().parents[2] / "doc/operations.md"
NIGHT = re.search(r"^## At 3 a\.m\.\n(.*?)^## ", PAGE.read_text(), re.M | re.S).group(1)
CASES = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", NIGHT, re.M | re.S))
YEAR_MS = 366 * 24 * 3_600_000

# What stands in for the machine's own programs.
PROGRAMS = {
    "systemctl": """
        echo "$*" >> "$UNIT/asked"
        stop() { [ ! -e "$UNIT/pid" ] || { kill "$(cat "$UNIT/pid")" && tail --pid="$(cat "$UNIT/pid")" -f /dev/null; rm "$UNIT/pid"; }; }
        start() {
          dir=$(cat "$UNIT/data"); [ -z "${DATA_NOW-}" ] || dir=$DATA_NOW
          setsid env $(cat "$UNIT/environment") postbackd serve --data "$dir" --listen "127.0.0.1:$PORT" \\
            --allow-egress 127.0.0.0/8 --rate-limit 0 2>> "$UNIT/log" < /dev/null > /dev/null &
          echo $! > "$UNIT/pid"
          until curl -fsS "http://127.0.0.1:$PORT/readyz" > /dev/null 2>&1; do
            kill -0 "$(cat "$UNIT/pid")" 2> /dev/null || { rm "$UNIT/pid"; exit 1; }
            sleep 0.05
          done
        }
        case $1 in start) start ;; stop) stop ;; restart) stop; start ;; disable | reset-failed) ;; *) exit 2 ;; esac""",
    "journalctl": 'cat "$UNIT/log"',
    "apt-get": 'echo "apt-get $*" >> "$UNIT/asked"',
    "timedatectl": 'echo "timedatectl $*" >> "$UNIT/asked"; head -c 8 /dev/zero | dd of="$FAULTS" conv=notrunc status=none',
}


def blocks(title):
    """The shell blocks of a case, or of the page's head."""
    text = CASES[title] if title else NIGHT.split("\n### ")[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)


class Machine:
    """One server as a unit of systemd would run it, and a shell on its machine."""

    def __init__(self, folder):
        self.folder, self.data, self.backup = folder, folder / "data", folder / "backup"
        self.faults, self.port = Faults(), free_ports(1)[0]
        self.bin, self.unit = folder / "bin", folder / "unit"
        for one in (self.bin, self.unit, self.backup):
            one.mkdir(mode=0o700)
        for name, text in PROGRAMS.items():
            (self.bin / name).write_text("#!/usr/bin/env bash\nset -eu\n" + textwrap.dedent(text).strip() + "\n")
            (self.bin / name).chmod(0o755)
        (self.unit / "data").write_text(str(self.data))
        (self.unit / "environment").write_text("\n".join(
            f"{name}={value}" for name, value in {**preloading(), "POSTBACKD_FAULTS": self.faults.path}.items()))
        head, = blocks("")
        first, as_owner, rest = head.split("\n", 2)
        assert first.startswith("DATA=/var/lib/postbackd OWNER=") and as_owner.startswith("as() {"), head
        self.head = (f'DATA={self.data} OWNER=$(id -un) BACKUP={self.backup} URL=http://127.0.0.1:{self.port}\n'
                     'as() { "$@"; }\n' + rest)
        self.sh("systemctl start postbackd")

    def sh(self, script, code=0, **variables):
        """Gives what it said."""
        known = environment(UNIT=str(self.unit), PORT=self.port, FAULTS=self.faults.path, **variables)
        known["PATH"] = f"{self.bin}:{known['PATH']}"
        done = subprocess.run(["bash", "-c", "set -euo pipefail\n" + script], cwd=self.folder, env=known, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{done.returncode}, expected {code}:\n{script}\n{done.stdout}{done.stderr}\n{self.log()}"
        return done.stdout

    def run(self, title, first=0, last=None, **variables):
        """The case's blocks (from the first to the last), one shell for all."""
        return self.sh("\n".join([self.head, *blocks(title)[first:last]]), **variables)

    def down(self, how="stop"):
        """Stopped, or killed."""
        if how == "kill":
            os.kill(int((self.unit / "pid").read_text()), signal.SIGKILL)
        self.sh("systemctl stop postbackd || true; rm -f $UNIT/pid")

    def not_started(self, words):
        self.sh("systemctl start postbackd", code=1)
        assert words in self.log().splitlines()[-1], self.log()

    def log(self):
        return (self.unit / "log").read_text() if (self.unit / "log").exists() else ""

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self):
        return type("Process", (), {"pid": int((self.unit / "pid").read_text())})

    def operator(self):
        sid, token = (self.data / "operator.token").read_text().strip().split(":")
        return Api(self.base, sid, token, "/Operator")

    def back_up(self):
        self.sh(f"postbackd backup --data {self.data} --to {self.backup}/store --key-to {self.backup}/key")

    def close(self):
        try:
            os.kill(int((self.unit / "pid").read_text()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
        self.faults.close()


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    made.close()


@pytest.fixture
def delivery(machine, receiver):
    return Delivery(World(machine), receiver.url("/in"))


def test_every_case_of_the_table_has_its_commands_and_its_test():
    listed = re.findall(r"\| \[(.+?)\]\(#(.+?)\) \|", NIGHT.split("\n### ")[0])
    assert [title for title, _ in listed] == list(CASES) and len(CASES) >= 12
    assert all(link == title.lower().replace(" ", "-") for title, link in listed)
    for title in CASES:
        assert blocks(title), title
        assert f"test_{title.lower().replace(' ', '_')}" in globals(), f"{title} was never tried"


def test_disk_nearly_full(machine, delivery, receiver):
    (machine.data / "postbackd.db-wal.damaged").write_bytes(b"0" * 100)
    fill(machine)
    await_until(lambda: delivery.api.post("/Events", {
        "Type": "action.tracked", "AccountSids": [delivery.api.sid], "Data": {"Oid": "refused"}}).status_code == 503, "a full disk")
    said = machine.run("Disk nearly full", last=1)
    assert "postbackd.db" in said and "postbackd_disk_free_bytes" in said
    free(machine)
    machine.run("Disk nearly full", first=1)
    assert not (machine.data / "postbackd.db-wal.damaged").exists()
    event = delivery.send(Oid="after")
    delivery.world.await_state(delivery.api, "DELIVERED", 1)
    assert delivery.postbacks(State="DELIVERED")[0]["EventId"] == event


def test_database_damaged(machine, delivery):
    delivery.send(Oid="kept")
    delivery.world.await_state(delivery.api, "DELIVERED", 1)
    machine.back_up()
    machine.down()
    with open(machine.data / "postbackd.db", "r+b") as file:
        file.truncate(os.path.getsize(file.name) // 2 // 4096 * 4096)
    machine.not_started("damaged")
    assert "still damaged" in machine.run("Database damaged")
    assert os.path.exists(f"{machine.data}.damaged/postbackd.db")
    assert len(delivery.postbacks(State="DELIVERED")) == 1


def test_key_lost(machine, delivery, receiver):
    machine.back_up()
    machine.down()
    (machine.data / "secret.key").unlink()
    machine.not_started("secret.key")
    machine.run("Key lost")
    delivery.send(Oid="signed")
    assert "webhook-signature" in receiver.wait(1)[0].headers


def test_token_lost(machine):
    lost = machine.operator()
    said = machine.run("Token lost")
    assert lost.get("Accounts").status_code == 401
    machine.operator().ok(machine.operator().get("Accounts"))
    revoked = [line for line in said.splitlines() if re.search(r"\+00:00$", line)]
    assert len(revoked) == 1, said


def test_queue_growing(machine, delivery, receiver):
    receiver.behave = answers(503)
    delivery.send(Oid="waits")
    await_until(lambda: "account_waiting_bytes{" in requests.get(machine.base + "/metrics", timeout=20).text, "what waits to be counted")
    said = machine.run("Queue growing")
    for name in ("oldest_due_seconds", "lanes", "lanes_down", "notifications_failing", "account_waiting_bytes", "store_writes_waiting"):
        assert re.search(rf"^postbackd_{name}\b.* [0-9.]+$", said, re.M), f"{name}\n{said}"


def test_one_receiver_slow(machine, delivery, receiver):
    receiver.behave = answers(503)
    delivery.send(Oid="waits")
    delivery.await_attempts(1)
    said = machine.run("One receiver slow")
    assert f"{delivery.api.sid} {delivery.id} {receiver.url('/in')}" in said
    assert '"Pending":"1"' in said.replace(" ", "")
    assert delivery.show()["State"] == "ACTIVE"
    receiver.behave = answers(200)
    delivery.api.ok(delivery.api.post(f"Postbacks/{delivery.postbacks()[0]['Id']}/Retry"))
    delivery.world.await_state(delivery.api, "DELIVERED", 1)


def test_all_receivers_slow(machine, delivery, receiver):
    receiver.behave = answers(503)
    other = Delivery(delivery.world, receiver.url("/other"))
    delivery.send(Oid="waits")
    delivery.await_attempts(1)
    other.await_attempts(1)
    said = machine.run("All receivers slow", last=1)
    assert re.search(r"^503 after [0-9.]+ s$", said, re.M), said
    machine.run("All receivers slow", first=1, last=2)
    await_until(lambda: delivery.world.operator.get("Maintenance").json()["State"] == "ON", "the maintenance")
    receiver.behave = answers(200)
    machine.run("All receivers slow", first=2)
    delivery.world.await_state(delivery.api, "DELIVERED", 2)


def test_cannot_start(machine, delivery):
    machine.down()
    (machine.data / "secret.key").chmod(0o644)
    machine.not_started("secret.key")
    assert "cannot_start" in machine.run("Cannot start", last=1)
    machine.run("Cannot start", first=1)
    delivery.show()


def test_clock_wrong(machine, delivery):
    delivery.send(Oid="an id")
    machine.down()
    machine.faults.clock_offset_ms = 20 * YEAR_MS
    machine.not_started("the system's clock says")
    assert re.search(r"^postbackd_clock_mistrusted 0$", machine.run("Clock wrong"), re.M)
    assert "timedatectl set-ntp true" in (machine.unit / "asked").read_text()


def test_poison_event(machine, delivery, receiver):
    delivery.change(Url=receiver.url("/orders/{Oid}/x"), Ordered=True)
    delivery.send(Oid="..")
    delivery.await_attempts(1)
    delivery.send(Oid="behind")
    assert "would lead elsewhere" in machine.run("Poison event")
    assert receiver.wait(1)[0].target == "/orders/behind/x"
    assert [one["State"] for one in delivery.postbacks()].count("CANCELLED") == 1


def test_moved_machine(machine, delivery, tmp_path):
    delivery.send(Oid="moves")
    delivery.world.await_state(delivery.api, "DELIVERED", 1)
    new = tmp_path / "new"
    machine.run("Moved machine", last=1)
    assert not (machine.unit / "pid").exists() and "disable postbackd" in (machine.unit / "asked").read_text()
    machine.sh("\n".join([machine.head, *blocks("Moved machine")[1:]]), NEW=str(new), DATA_NOW=str(new))
    shutil.rmtree(machine.data)
    assert len(delivery.postbacks(State="DELIVERED")) == 1
    delivery.world.operator.ok(delivery.world.operator.get("Accounts"))


def test_upgrade_gone_wrong(machine, delivery):
    delivery.send(Oid="before")
    delivery.world.await_state(delivery.api, "DELIVERED", 1)
    machine.run("Upgrade gone wrong", last=1)
    machine.down()
    newer = sqlite3.connect(machine.data / "postbackd.db")
    version = newer.execute("PRAGMA user_version").fetchone()[0]
    newer.execute(f"PRAGMA user_version = {version + 40}")
    newer.commit()
    newer.close()
    machine.not_started("later version")
    machine.run("Upgrade gone wrong", first=1)
    assert "apt-get install -y --allow-downgrades" in (machine.unit / "asked").read_text()
    assert os.path.exists(f"{machine.data}.newer/postbackd.db")
    assert len(delivery.postbacks(State="DELIVERED")) == 1
