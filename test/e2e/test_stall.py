"""The disk stalls for ten seconds: nothing that needs it is answered, everything else goes on."""

import concurrent.futures
import json
import threading
import time

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import FaultyServer
from harness.server import World, await_until

pytestmark = pytest.mark.one_file("what stalls is its fsync")

STALL_S = 10


@pytest.fixture(scope="module")
def server():
    with FaultyServer() as running:
        yield running
        assert running.process.poll() is None, running.log()
        assert running.stop() == 0, running.log()


@pytest.fixture(autouse=True)
def open_gate(server):
    yield
    server.faults.sync_gate = 0


def stall(server):
    server.faults.sync_gate = 1


def healthz_ms(server):
    started = time.monotonic()
    assert requests.get(server.base + "/healthz", timeout=20).status_code == 200
    return (time.monotonic() - started) * 1000


def orders(receiver):
    return [json.loads(one.body)["Oid"] for one in receiver.requests]


def test_ten_seconds(server, world, receivers):
    """Clients wait and get their 202; what was under way ends; nobody gets anything twice."""
    let_go, at, slow = threading.Event(), receivers(), receivers()

    def when_let_go(connection, _request):
        let_go.wait(30)
        return connection.answer(200)
    slow.behave = when_let_go
    delivery = Delivery(world, at.url())
    under_way = Delivery(world, slow.url(), account=world.account("PARTNER", "Slow One"))
    under_way.send_many(5)
    slow.wait(5)
    delivery.send_many(20)
    at.wait(20)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        stall(server)
        started = time.monotonic()
        sent = [pool.submit(delivery.send, Oid=f"during-{number}") for number in range(8)]
        await_until(lambda: server.faults.sync_waiting > 0, "an fsync waits")
        let_go.set()
        slowest = 0
        while time.monotonic() - started < STALL_S:
            slowest = max(slowest, healthz_ms(server))
        assert not any(one.done() for one in sent), "acknowledged before it was on disk"
        assert not any(order.startswith("during") for order in orders(at))
        server.faults.sync_gate = 0
        concurrent.futures.wait(sent, 20)
        ids = [one.result() for one in sent]
    assert slowest < 500, f"a healthz took {slowest:.0f} ms"
    assert len(set(ids)) == 8
    delivery.await_state("DELIVERED", 28)
    under_way.await_state("DELIVERED", 5)
    assert len(slow.requests) == 5
    assert len(at.requests) == len(set(orders(at))) == 28
    assert "late" not in server.log()
    assert server.log().count("the store cannot be written to") == 0


def test_reads_go_on(server, world, receivers):
    delivery = Delivery(world, receivers().url())
    delivery.send_many(3)
    delivery.await_state("DELIVERED", 3)
    stall(server)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(delivery.send, Oid="x")
        await_until(lambda: server.faults.sync_waiting > 0, "an fsync waits")
        assert len(delivery.postbacks(State="DELIVERED")) == 3
        assert delivery.show()["State"] == "ACTIVE"
        server.faults.sync_gate = 0
        assert waiting.result(20)


def test_too_much_is_refused_before_memory_grows(server, world):
    """Batches until the caps: 503 with Retry-After, at once; what was taken before is kept."""
    token = world.token(world.partner.sid, "EVENTS")
    event = {"Type": "action.tracked", "AccountSids": [world.partner.sid],
             "Data": {"Oid": "x" * 200}}
    body = json.dumps({"Events": [event] * 500})
    before = rss_kib(server)
    stall(server)

    def send(_):
        started = time.monotonic()
        answer = requests.post(server.base + "/Events", data=body, timeout=60,
                               auth=(world.partner.sid, token),
                               headers={"Content-Type": "application/json"})
        return answer, time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        sent = [pool.submit(send, number) for number in range(256)]
        await_until(lambda: sum(one.done() for one in sent) >= 100, "the rest is refused", 40)
        grown = rss_kib(server) - before
        assert healthz_ms(server) < 500
        server.faults.sync_gate = 0
        answers = [one.result(60) for one in sent]
    taken = [answer for answer, _ in answers if answer.status_code == 202]
    refused = [answer for answer, _ in answers if answer.status_code == 503]
    assert len(taken) + len(refused) == 256 and taken and refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert grown < 200 * 1024, f"{grown} KiB more"


def rss_kib(server):
    for line in open(f"/proc/{server.process.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
