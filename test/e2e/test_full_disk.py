"""A disk without room (the process may write no byte more into any file): writes are refused with
503, reads go on, and when there is room again everything that was acknowledged is delivered."""

import json
import os
import resource
import subprocess
import threading

import pytest
import requests

from harness.receiver import answers
from harness.server import BINARY, Server, World, await_until

pytestmark = pytest.mark.one_file("a limit of file size fills the disk under the server's own file")

NO_ROOM = 1  # bytes that a file may have


def fill(server, most=NO_ROOM):
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, hard))


def free(server):
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


class Ledger:
    """What was acknowledged, and what came."""

    def __init__(self, world):
        self.world, self.taken, self.refused, self.sent = world, set(), 0, 0

    def send(self, count=1):
        for _ in range(count):
            self.sent += 1
            answer = self.world.partner.post("/Events", {
                "Type": "action.tracked", "AccountSids": [self.world.partner.sid],
                "Data": {"Oid": str(self.sent)}})
            if answer.status_code == 202:
                self.taken.add(str(self.sent))
            else:
                assert_unavailable(answer)
                self.refused += 1
        return answer

    def settled(self, receiver):
        """Waits until all came; then nothing else did, and what came twice was one postback."""
        def came():
            return [(json.loads(one.body)["Oid"], one.header("webhook-id"))
                    for one in receiver.requests]
        await_until(lambda: {oid for oid, _ in came()} >= self.taken, "all that was acknowledged",
                    30)
        self.world.await_state(self.world.partner, "DELIVERED", len(self.taken), PageSize=1000)
        assert self.world.postbacks(self.world.partner, State="WAITING") == []
        assert {oid for oid, _ in came()} == self.taken
        assert len(set(came())) == len(self.taken)


def assert_unavailable(answer):
    assert answer.status_code == 503, answer.text
    assert answer.json()["Status"] == "ERROR" and answer.json()["Message"]
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture
def full():
    with Server() as server:
        yield server
        assert server.process.poll() is None, server.log()
        free(server)
        assert server.stop() == 0, server.log()


def ready(server):
    return requests.get(server.base + "/readyz", timeout=20)


def test_writes_are_refused_reads_go_on_and_nothing_is_lost(full, receivers):
    at = receivers()
    world = World(full)
    made = world.notify(world.partner, at.url(), Category="action_lifecycle")
    inquiry = world.open()
    ledger = Ledger(world)
    ledger.send(20)
    fill(full)
    ledger.send(20)
    assert ledger.refused == 20 and len(ledger.taken) == 20
    partner, brand, operator = world.partner, world.brand, world.operator
    for answer in (
            partner.post("ActionInquiries", world.inquiry()),
            partner.post(f"ActionInquiries/{inquiry}/Close"),
            partner.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "x"}),
            brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "INCOMPLETE"}),
            partner.call("POST", "ActionInquiries/Import", headers={"Content-Type": "text/csv"},
                         data="Campaign Id,Order Id,Sale Amount,Transaction Date,Type\n"
                              f"{world.campaign},O-9,5,2026-01-15,UNTRACKED\n"),
            partner.put(made["Uri"], {"Name": "x"}), partner.delete(made["Uri"]),
            operator.post("Accounts", {"Kind": "BRAND", "Name": "x"}),
            operator.post(f"Accounts/{partner.sid}/Tokens", {"Scope": "API"})):
        assert_unavailable(answer)
    for _ in range(10):  # what is wrong may still be told, and does not look like room
        assert partner.post("ActionInquiries", {}).status_code == 400
        assert_not_ready(full)
    assert partner.ok(partner.get(f"ActionInquiries/{inquiry}"))["State"] == "OPEN"
    assert partner.ok(partner.get(made["Uri"]))["Name"] == ""
    assert partner.ok(partner.get("ActionInquiries"))["@total"] == "1"
    assert requests.get(full.base + "/healthz", timeout=20).status_code == 200
    assert_not_ready(full)
    free(full)
    await_until(lambda: ready(full).status_code == 200, "service again")
    ledger.send(20)
    assert ledger.refused == 20 and len(ledger.taken) == 40
    ledger.settled(at)
    assert partner.ok(partner.get("ActionInquiries"))["@total"] == "1"
    partner.ok(partner.post(f"ActionInquiries/{inquiry}/Close"))


def assert_not_ready(server):
    answer = ready(server)
    assert answer.status_code == 503 and "disk" in answer.json()["Message"]
    metrics = requests.get(server.base + "/metrics", timeout=20).text
    assert "\npostbackd_ready 0\n" in metrics


def test_again_and_again_in_the_middle_of_a_stream(full, receivers):
    """The limit falls into commits and postbacks under way; what fits is taken, what does not is
    refused."""
    at = receivers()
    world = World(full)
    world.notify(world.partner, at.url(), Category="action_lifecycle")
    ledger = Ledger(world)
    for turn in range(6):
        ledger.send(15)
        log = os.path.getsize(os.path.join(full.data, "postbackd.db-wal"))
        fill(full, max(log + 3000 * turn, NO_ROOM))
        ledger.send(25)
        free(full)
        await_until(lambda: ready(full).status_code == 200, "service again")
    assert ledger.refused > 0
    ledger.settled(at)


def test_postbacks_that_were_under_way_are_recorded_when_there_is_room(full, receivers):
    """Their outcome cannot be written; they are not sent again meanwhile."""
    let_go = threading.Event()

    def slow(connection, _request):
        let_go.wait(20)
        return connection.answer(200)
    at = receivers(slow)
    world = World(full)
    world.notify(world.partner, at.url(), Category="action_lifecycle")
    ledger = Ledger(world)
    ledger.send(5)
    at.wait(5)
    fill(full)
    let_go.set()
    ledger.send(3)  # refused: tells that the disk is full
    assert ledger.refused == 3
    await_until(lambda: ready(full).status_code == 503, "not ready")
    free(full)
    await_until(lambda: ready(full).status_code == 200, "service again")
    ledger.settled(at)
    assert len(at.requests) == 5


def test_a_kill_while_the_disk_is_full(receivers):
    at = receivers(answers(503))
    with Server() as server:
        world = World(server)
        world.notify(world.partner, at.url(), Category="action_lifecycle")
        ledger = Ledger(world)
        ledger.send(10)
        fill(server)
        ledger.send(10)
        server.kill()
        at.behave = answers(200)
        at.requests.clear()
        server.start()
        world.moved()
        ledger.send(1)
        for one in world.postbacks(world.partner, State="WAITING"):
            world.partner.post(one["Uri"] + "/Retry")
        ledger.settled(at)
        assert server.stop() == 0


def test_a_stop_while_the_disk_is_full(receivers):
    """It ends in time; what was acknowledged is delivered by the next start."""
    at = receivers(answers(503))
    with Server("--drain", "2") as server:
        world = World(server)
        world.notify(world.partner, at.url(), Category="action_lifecycle")
        ledger = Ledger(world)
        ledger.send(10)
        fill(server)
        ledger.send(2)
        assert ledger.refused == 2
        server.process.terminate()
        assert server.process.wait(20) == 0, server.log()
        at.behave = answers(200)
        at.requests.clear()
        server.start()
        world.moved()
        for one in world.postbacks(world.partner, State="WAITING"):
            world.partner.post(one["Uri"] + "/Retry")
        ledger.settled(at)
        assert server.stop() == 0


@pytest.mark.parametrize("most", [0, 10, 4096, 40000])
def test_a_first_start_without_room_is_refused_and_a_second_one_works(tmp_path, most):
    data = str(tmp_path / "data")
    done = subprocess.run(
        [BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0"], capture_output=True,
        text=True, timeout=40,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, -1)))
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "cannot_start" in done.stderr and data in done.stderr, done.stderr
    assert "Sanitizer" not in done.stderr
    with Server(data=data) as server:
        assert World(server).open()
        assert server.stop() == 0
