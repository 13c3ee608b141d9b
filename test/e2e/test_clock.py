"""The wall clock jumps, back and forward, by an hour and by a day, under load."""

import json
import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import FaultyServer
from harness.receiver import answers
from harness.server import World, await_until

HOUR = 3_600_000
DAY = 24 * HOUR
JUMPS = [HOUR, -HOUR, DAY, -DAY]


@pytest.fixture(scope="module")
def server():
    with FaultyServer() as running:
        yield running
        assert running.process.poll() is None, running.log()
        assert running.stop() == 0, running.log()


@pytest.fixture
def fresh():
    """One whose clock never was ahead."""
    with FaultyServer() as running:
        yield running
        assert running.stop() == 0, running.log()


@pytest.fixture(autouse=True)
def right_time(server):
    yield
    server.faults.clock_offset_ms = 0


class Load:
    """Events one after the other until it is stopped; what was answered, in order."""

    def __init__(self, delivery):
        self.delivery, self.ids, self.over = delivery, [], threading.Event()
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        while not self.over.is_set():
            self.ids.append(self.delivery.send(Oid=str(len(self.ids))))

    def more(self, count):
        goal = len(self.ids) + count
        await_until(lambda: len(self.ids) >= goal or not self.thread.is_alive(), "events taken")
        assert self.thread.is_alive(), "an event was refused"

    def stop(self):
        self.over.set()
        self.thread.join(20)
        return self.ids


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_under_load_loses_nothing_and_uses_no_id_again(server, world, receivers, jump):
    at = receivers()
    delivery = Delivery(world, at.url())
    load = Load(delivery)
    load.more(30)
    server.faults.clock_offset_ms = jump
    load.more(30)
    server.faults.clock_offset_ms = 0
    load.more(30)
    ids = load.stop()
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids, key=int), "ids do not rise"
    await_until(lambda: len(at.requests) >= len(ids), "all received")
    events = [json.loads(one.body)["EventId"] for one in at.requests]
    assert sorted(events) == sorted(ids)
    delivery.await_state("DELIVERED", len(ids))
    assert world.operator.ok(world.operator.get("Notices"))["Notices"] == []
    assert delivery.api.ok(delivery.api.get("Notices"))["Notices"] == []


def test_what_is_delayed_goes_out_when_the_clock_jumps_ahead(fresh, receivers):
    at = receivers()
    delivery = Delivery(World(fresh), at.url(), MinimumDelay=3000)
    delivery.send_many(20)
    assert at.requests == []
    fresh.faults.clock_offset_ms = HOUR
    at.wait(20, timeout=5)
    delivery.await_state("DELIVERED", 20)


def test_what_is_delayed_waits_no_longer_when_the_clock_jumps_back(server, world, receivers):
    at = receivers()
    delivery = Delivery(world, at.url(), MinimumDelay=2)
    delivery.send_many(5)
    server.faults.clock_offset_ms = -DAY
    delivery.send_many(5)
    at.wait(10, timeout=6)


def test_retries_go_on_when_the_clock_jumps_back(server, world, receivers):
    at = receivers(answers(500))
    delivery = Delivery(world, at.url())
    delivery.send()
    at.wait(1)
    server.faults.clock_offset_ms = -DAY
    at.behave = answers(200)
    at.wait(2, timeout=12)  # after 5 s and a fifth, and a ninth
    delivery.await_state("DELIVERED")


def test_an_ordered_notification_keeps_its_order_through_jumps(server, world, receivers):
    at = receivers()
    delivery = Delivery(world, at.url(), Ordered=True, MinimumDelay=1)
    ids = []
    for jump in (0, -HOUR, -DAY, HOUR, 0):
        server.faults.clock_offset_ms = jump
        ids += delivery.send_many(5)
    at.wait(len(ids), timeout=30)
    assert [json.loads(one.body)["EventId"] for one in at.requests] == ids


def test_order_and_delay_hold_over_a_restart_in_an_earlier_time(receivers):
    at = receivers(answers(500))
    with FaultyServer() as server:
        world = World(server)
        delivery = Delivery(world, at.url(), Ordered=True)
        server.faults.clock_offset_ms = HOUR
        ids = delivery.send_many(3)
        at.wait(1)
        assert server.stop() == 0
        server.faults.clock_offset_ms = 0
        server.start()
        world.moved()
        at.behave = answers(200)
        at.requests.clear()
        ids += delivery.send_many(3)
        at.wait(len(ids), timeout=20)
        assert [json.loads(one.body)["EventId"] for one in at.requests][-len(ids):] == ids
        assert server.stop() == 0


def test_no_alarms_and_no_busy_loop(fresh, receivers):
    """A hundred delayed ones are all a day late at once; each just needs to be sent."""
    at, world = receivers(), World(fresh)
    deliveries = [Delivery(world, at.url(f"/{number}"), MinimumDelay=3600) for number in range(20)]
    deliveries[0].send_many(5)
    fresh.faults.clock_offset_ms = DAY
    at.wait(100)
    for jump in (0, -DAY, 0):
        fresh.faults.clock_offset_ms = jump
        before = fresh.cpu_seconds()
        threading.Event().wait(1)  # what is measured is that nothing happens
        assert fresh.cpu_seconds() - before < 0.5
    assert world.operator.ok(world.operator.get("Notices"))["Notices"] == []
    assert world.partner.ok(world.partner.get("Notices"))["Notices"] == []
    assert "episode_begun" not in fresh.log()


def test_a_guesser_is_not_shut_out_for_a_day_when_the_clock_jumps_back(server, world):
    """Ten wrong ones shut an address out for a minute, whatever the time of day becomes."""
    url = server.base + "/Operator/Accounts"
    server.faults.clock_offset_ms = DAY
    for _ in range(10):
        requests.get(url, auth=("nobody", "x"), timeout=20)
    assert requests.get(url, auth=("nobody", "y"), timeout=20).status_code == 429
    server.faults.clock_offset_ms = 0
    answer = requests.get(url, auth=("nobody", "z"), timeout=20)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) <= 60


def test_a_tests_id_is_no_postbacks(fresh, receivers):
    """Ids in the code: a test takes its id from where postbacks have theirs, so no receiver can take
    one for the other by `webhook-id`, also while the clock stands where it stood before."""
    at, world = receivers(), World(fresh)
    delivery = Delivery(world, at.url())
    fresh.faults.clock_offset_ms = -DAY
    ids = []
    for _ in range(3):
        delivery.send()
        at.wait(len(ids) + 1)
        world.partner.ok(world.partner.post(f"{delivery.path}/Test", {}))
        at.wait(len(ids) + 2)
        ids = [int(one.headers["webhook-id"].rsplit("_", 1)[-1]) for one in at.requests]
    assert ids == sorted(set(ids)), f"{ids}: expected each above the one before"
