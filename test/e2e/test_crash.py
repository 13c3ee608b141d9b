"""Nothing acknowledged is ever lost: kill -9 under load with a ledger of the 202s, stops by
SIGTERM, and receivers that are away meanwhile."""

import json
import random
import threading
from collections import defaultdict

import pytest
import requests

from harness.delivery import Delivery
from harness.receiver import answers, hangs
from harness.server import Server, World, await_until

KILLS = 20
SENDERS = 4


class Ledger:
    """Threads that POST /Events as fast as they can and write down what was answered 202."""

    def __init__(self, server, sid, token):
        self.server, self.auth = server, (sid, token)
        self.accepted = {}  # event id: order
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.wrong = []
        self.threads = [threading.Thread(target=self._send, args=(number,), daemon=True)
                        for number in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def _send(self, number):
        session, count = requests.Session(), 0
        session.trust_env = False
        session.auth = self.auth
        while not self.over.is_set():
            base = self.server.base
            if base is None:
                self.over.wait(0.005)
                continue
            count += 1
            event = {"Type": "action.tracked", "AccountSids": [self.auth[0]],
                     "Data": {"Oid": f"{number}-{count}"}}
            try:
                answer = session.post(base + "/Events", json=event, timeout=10)
                if answer.status_code == 202:
                    self._accept(answer.json()["EventIds"][0], event["Data"]["Oid"])
                elif answer.status_code != 503:
                    self.wrong.append(f"{answer.status_code}: {answer.text}")
            except (requests.RequestException, ValueError):
                pass  # killed before it answered: it may have been taken or not

    def _accept(self, event, order):
        with self.changed:
            self.accepted[event] = order
            self.changed.notify_all()

    def wait_for(self, more):
        with self.changed:
            goal = len(self.accepted) + more
            assert self.changed.wait_for(lambda: len(self.accepted) >= goal, 30), \
                f"{len(self.accepted)} of {goal} accepted: {self.wrong[:3]}"

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        assert self.wrong == []


def compare(ledger, receiver, timeout=60):
    """Nothing accepted is missing at the receiver; what came twice came under the same id."""
    missing = []

    def all_there():
        with receiver.changed:
            came = list(receiver.requests)
        seen = {json.loads(request.body)["EventId"] for request in came}
        missing[:] = [event for event in ledger.accepted if event not in seen]
        return not missing
    try:
        await_until(all_there, "all accepted events at the receiver", timeout)
    except AssertionError:
        raise AssertionError(f"{len(missing)} of {len(ledger.accepted)} accepted events never "
                             f"came: {missing[:5]}") from None
    ids, orders = defaultdict(set), {}
    for request in list(receiver.requests):
        body = json.loads(request.body)
        ids[body["EventId"]].add(request.header("webhook-id"))
        orders[body["EventId"]] = body["Oid"]
    several = {event: found for event, found in ids.items() if len(found) != 1}
    assert several == {}, "an event came under several ids"
    assert all(orders[event] == order for event, order in ledger.accepted.items())
    return len(receiver.requests) - len(ids)


@pytest.fixture
def own_server():
    """One that may be killed."""
    with Server("--drain", "2") as running:
        yield running
        running.close()


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(own_server, receiver):
    """The moments differ: some at the first 202, while it still recovers, some in full swing."""
    chance = random.Random(20)
    world = World(own_server)
    delivery = Delivery(world, receiver.url())
    ledger = Ledger(own_server, world.partner.sid, world.token(world.partner.sid, "EVENTS"))
    for _ in range(KILLS):
        ledger.wait_for(chance.choice((1, 5, 50, 200, 500, 1000)))
        own_server.kill()
        own_server.base = None
        own_server.start()
    ledger.wait_for(20)
    ledger.stop()
    world.moved()
    duplicates = compare(ledger, receiver)
    # What was in flight or not yet recorded at a kill comes again: no more than that.
    assert duplicates <= KILLS * 512

    def ended():
        return world.partner.ok(world.partner.get(f"{delivery.path}/Health"))["Pending"] == "0"
    await_until(ended, "nothing is pending any more")
    states = {row["State"] for row in delivery.postbacks(PageSize=1000)}
    assert states == {"DELIVERED"}
    assert own_server.stop() == 0, own_server.log()


def test_kill_9_while_the_receiver_is_away(own_server, receivers):
    """All of it waits on disk, through every kill, and goes out when the receiver is there."""
    gone = receivers()
    gone.close()
    world = World(own_server)
    delivery = Delivery(world, gone.url())
    ledger = Ledger(own_server, world.partner.sid, world.token(world.partner.sid, "EVENTS"))
    for _ in range(3):
        ledger.wait_for(150)
        own_server.kill()
        own_server.base = None
        own_server.start()
    ledger.wait_for(10)
    ledger.stop()
    world.moved()
    back = receivers(port=gone.port)
    assert compare(ledger, back) == 0, "none was delivered before, so none comes twice"
    delivery.await_state("DELIVERED", 1)


def test_kill_9_right_after_the_answer_keeps_an_inquiry_and_its_postback(own_server, receiver):
    """The noun and its postbacks are one commit."""
    world = World(own_server)
    world.notify(world.partner, receiver.url())
    for number in range(5):
        inquiry = world.open(OrderId=f"K-{number}")
        own_server.kill()
        own_server.start()
        world.moved()
        shown = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))
        assert shown["OrderId"] == f"K-{number}"
        await_until(lambda: f"K-{number}" in [json.loads(request.body)["OrderId"]
                                             for request in list(receiver.requests)],
                    f"the postback of inquiry {number}")


def test_sigterm_ends_with_0_and_what_is_queued_goes_out_after_the_restart(own_server, receiver):
    receiver.behave = hangs
    world = World(own_server)
    delivery = Delivery(world, receiver.url())
    events = [delivery.send(Oid=f"O-{number}") for number in range(300)]
    receiver.wait(8)
    assert own_server.stop() == 0, own_server.log()
    first = {request.header("webhook-id") for request in receiver.requests}
    assert len(first) == 8, "its window, and none more"

    receiver.behave = answers(200)
    own_server.start()
    world.moved()
    rows = delivery.await_state("DELIVERED", 300, timeout=40)
    assert {row["EventId"] for row in rows} == set(events)
    again = [request.header("webhook-id") for request in receiver.requests[8:]]
    assert len(again) == len(set(again)) == 300, "each exactly once after the restart"
    assert first <= set(again), "those that hung come again under their ids"


def test_sigterm_lets_what_is_in_flight_end(own_server, receiver):
    """A receiver that answers within the drain time is waited for; nothing comes twice."""
    began = threading.Event()

    def slow(connection, _request):
        began.set()
        connection.stopped.wait(0.5)
        return connection.answer(200)
    receiver.behave = slow
    world = World(own_server)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    assert began.wait(10)
    assert own_server.stop() == 0, own_server.log()
    own_server.start()
    world.moved()
    row = delivery.await_state("DELIVERED")[0]
    assert row["Attempts"] == "1" and len(receiver.requests) == 1


def test_sigterm_under_load_loses_nothing(own_server, receiver):
    world = World(own_server)
    delivery = Delivery(world, receiver.url())
    ledger = Ledger(own_server, world.partner.sid, world.token(world.partner.sid, "EVENTS"))
    for more in (1, 100, 5, 300, 50, 10):
        ledger.wait_for(more)
        assert own_server.stop() == 0, own_server.log()
        own_server.base = None
        own_server.start()
    ledger.wait_for(10)
    ledger.stop()
    world.moved()
    assert compare(ledger, receiver) == 0, "a clean stop makes no duplicates"
    delivery.await_state("DELIVERED", 1)


def test_waiting_and_paused_postbacks_outlive_a_restart(own_server, receivers):
    failing, paused = receivers(answers(500)), receivers()
    world = World(own_server)
    waits = Delivery(world, failing.url())
    stands = Delivery(world, paused.url())
    stands.do("Pause")
    waits.send(Oid="twice")
    later = waits.await_state("WAITING")[0]["Id"]
    waits.retry(later)
    waits.await_attempts(2, later)  # its third try comes after about 30 s
    soon = waits.send(Oid="once")
    before = waits.await_state("WAITING", 2)[1]
    assert before["EventId"] == soon
    own_server.kill()
    failing.behave = answers(200)
    own_server.start()
    world.moved()
    done = waits.await_state("DELIVERED")[0]
    assert (done["Id"], done["Attempts"]) == (before["Id"], "2")
    assert len(waits.postback(done["Id"])["AttemptList"]) == 2
    assert failing.requests[3].at - failing.requests[2].at >= 3.9, "not before its back-off is over"
    assert waits.postback(later)["State"] == "WAITING", "nor does it bring the other forward"
    assert stands.show()["State"] == "PAUSED" and paused.requests == []
    stands.do("Resume")
    paused.wait(1)


def test_what_was_taken_in_during_maintenance_outlives_a_kill(own_server, receivers):
    """Once it is known that none of it was under way, the start does not look at it again; what came since, it does."""
    kept, straight = receivers(), receivers()
    world = World(own_server)
    delivery = Delivery(world, kept.url())
    world.operator.ok(world.operator.post("Maintenance", {}))
    await_until(lambda: world.operator.get("Maintenance").json()["State"] == "ON", "on")
    delivery.send_many(300)

    def passed():
        (floor,) = own_server.store.rows("SELECT value FROM meta WHERE key LIKE 'fresh_floor%'") or [(0,)]
        return int(floor[0]) > own_server.store.rows("SELECT max(id) FROM postback")[0][0]
    await_until(passed, "the floor above them all")
    world.operator.ok(world.operator.post("Maintenance/End"))
    kept.wait(300)
    later = Delivery(world, straight.url())
    straight.behave = hangs
    later.send_many(20)
    straight.wait(1)
    own_server.kill()
    straight.behave = answers(200)
    own_server.start()
    world.moved()
    later.await_state("DELIVERED", 20)
    delivery.await_state("DELIVERED", 300)


def test_order_is_kept_through_a_kill(own_server, receiver):
    """Ordered: its first fails, others wait behind it on disk and in memory."""
    receiver.behave = answers(500)
    world = World(own_server)
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    for number in range(400):
        delivery.send(Oid=str(number))
    delivery.await_attempts(1)
    own_server.kill()
    with receiver.changed:
        tried = len(receiver.requests)
        assert {request.target for request in receiver.requests} == {"/0"}
        receiver.behave = answers(200)
    own_server.start()
    world.moved()
    for number in range(400, 420):
        delivery.send(Oid=str(number))
    delivery.await_state("DELIVERED", 420, timeout=40)
    assert [request.target for request in receiver.requests[tried:]] == [f"/{n}" for n in range(420)]
