"""The wall clock jumps, back and forward, by an hour and by a day, under load."""

import json
import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import FaultyServer
from harness.receiver import answers
from harness.server import World, await_until

pytestmark = pytest.mark.one_file("ids and due times on PostgreSQL go by its clock, which no test sets")

HOUR = 3_600_000
YEAR = 366 * 24 * HOUR
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
        threading.Event().wait(1)  # real time: what is measured is that nothing happens
        assert fresh.cpu_seconds() - before < 0.5
    assert world.operator.ok(world.operator.get("Notices"))["Notices"] == []
    assert world.partner.ok(world.partner.get("Notices"))["Notices"] == []
    assert "episode_begun" not in fresh.log()


def test_a_guesser_is_not_shut_out_for_a_day_when_the_clock_jumps_back(server, world):
    """Ten wrong ones shut an address out for a minute, whatever the time of day becomes."""
    def guess():
        return requests.post(server.base + "/Session", timeout=20,
                             json={"Email": "nobody@example.com", "Password": "a wrong one"})
    server.faults.clock_offset_ms = DAY
    for _ in range(10):
        guess()
    assert guess().status_code == 429
    server.faults.clock_offset_ms = 0
    answer = guess()
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


# ---- a clock that is wrong by years ----

def not_started(server):
    """Does not start; gives what it said."""
    server.run().wait(20)
    assert server.process.wait(20) == 1, server.log()
    return server.log()


@pytest.mark.parametrize("years, words", [
    (83, "for which there are no ids"), (64, "for which there are no ids"),
    (40, "this version is of"), (21, "this version is of")])
def test_a_first_start_by_a_wrong_clock_is_refused(years, words):
    """A19: a clock of 2109 once, and others that cannot be right."""
    server = FaultyServer()
    server.faults.clock_offset_ms = years * YEAR
    said = not_started(server)
    assert "the system's clock says 20" in said or "the system's clock says 21" in said
    assert words in said, said
    server.faults.clock_offset_ms = 0
    with server as started:
        delivery = Delivery(World(started), "http://127.0.0.1:9/")
        assert made_ms(delivery.send()) < 1924991999000, "an id of now"
        assert started.stop() == 0


def made_ms(id):
    return (int(id) >> 22) + 1577836800000


@pytest.mark.parametrize("years", [83, 20, 6])
def test_a_start_far_behind_the_newest_id_is_refused(years):
    """A19: unless the operator says that the clock is right; and never without ids to give."""
    with FaultyServer() as server:
        delivery = Delivery(World(server), "http://127.0.0.1:9/")
        first = int(delivery.send())
        assert server.stop() == 0
        server.faults.clock_offset_ms = years * YEAR
        said = not_started(server)
        assert "the system's clock says" in said, said
        assert years == 83 or ("the newest id in the database is of 20" in said
                               and "--trust-clock yes" in said), said
        server.flags += ["--trust-clock", "yes"]
        if years == 83:
            assert "there are no ids" in not_started(server)
            server.faults.clock_offset_ms = 0
        server.start()
        delivery.world.moved()
        assert int(delivery.send()) > first
        assert server.stop() == 0


def test_a_store_that_slept_for_years_starts():
    """A19: four years are not a wrong clock."""
    with FaultyServer() as server:
        delivery = Delivery(World(server), "http://127.0.0.1:9/")
        delivery.send()
        assert server.stop() == 0
        server.faults.clock_offset_ms = 4 * YEAR
        server.start()
        assert server.stop() == 0


def test_a_database_with_ids_of_2089_is_refused():
    """A19: what an earlier version did with a clock of 2109."""
    with FaultyServer() as server:
        delivery = Delivery(World(server), "http://127.0.0.1:9/")
        delivery.send()
        assert server.stop() == 0
        server.store.execute("UPDATE event SET id = 9223372036850581505")
        said = not_started(server)
        assert "holds ids of 2089-09-06" in said and "Restore a backup" in said, said


@pytest.mark.parametrize("years", [83, 30, 2])
def test_a_clock_that_jumps_by_years_while_it_runs_is_not_followed(fresh, receivers, years):
    """A19: ids, order, retries and resends go on as if nothing had been; it is said and counted."""
    at, world = receivers(), World(fresh)
    delivery = Delivery(world, at.url())
    first = int(delivery.send())
    fresh.faults.clock_offset_ms = years * YEAR
    ids = [int(id) for id in delivery.send_many(5)]
    assert first < ids[0] and made_ms(ids[-1]) < made_ms(first) + 60_000, "ids of now"
    await_until(lambda: "clock_mistrusted" in fresh.log(), "said")
    assert "postbackd_clock_mistrusted 1" in requests.get(fresh.base + "/metrics", timeout=20).text
    at.wait(6)
    at.behave = answers(500)
    delivery.send()
    at.wait(7)
    at.behave = answers(200)
    at.wait(8, timeout=12)  # its retry, after 5 s and a fifth
    resent = delivery.api.ok(delivery.api.post(f"Postbacks/{delivery.postback()['Id']}/Resend"))
    at.wait(9)
    assert made_ms(resent["Id"]) < made_ms(first) + 60_000
    fresh.faults.clock_offset_ms = 0
    assert int(delivery.send()) > ids[-1]
    at.wait(10)
    await_until(lambda: "clock_trusted_again" in fresh.log(), "said that it is right again")
    assert fresh.log().count("clock_mistrusted") == 1


def test_an_idempotency_key_is_free_after_a_day(fresh):
    """I11: the same answer for 24 hours, and then another thing is made."""
    world = World(fresh)

    def ask():
        return world.partner.ok(world.partner.post("SupportRequests", {
            "Kind": "OTHER", "Subject": "s", "Text": "t"}, headers={"Idempotency-Key": "daily"}))["Id"]
    def is_on_disk():
        return fresh.store.rows("SELECT count(*) FROM idempotency WHERE status = 200") == [(1,)]
    first = ask()
    await_until(is_on_disk, "the answer on disk")  # until then it is given from memory
    fresh.faults.clock_offset_ms = 23 * HOUR
    assert ask() == first
    fresh.faults.clock_offset_ms = 25 * HOUR
    assert ask() != first
