"""Ordered: one after the other in the order of events, whatever is changed meanwhile."""

import threading

import pytest
import requests

from harness.delivery import Delivery
from harness.faults import FaultyServer
from harness.receiver import answers, in_turn
from harness.server import Server, World, await_until


def targets(receiver):
    return [request.target for request in list(receiver.requests)]


def in_order(count):
    return [f"/{number}" for number in range(count)]


def quiet(receiver, count, seconds=2):
    """No further request comes."""
    threading.Event().wait(seconds)  # real time: that nothing happens has no condition
    assert len(receiver.requests) == count, targets(receiver)


def test_a_shorter_delay_lets_no_later_event_overtake(world, receiver):
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True, MinimumDelay=6)
    for number in range(3):
        delivery.send(Oid=str(number))
    delivery.change(MinimumDelay=0)
    for number in range(3, 6):
        delivery.send(Oid=str(number))
    receiver.wait(6)
    assert targets(receiver) == in_order(6)


def test_what_fails_before_it_is_made_ordered_is_not_overtaken(world, receiver):
    receiver.behave = in_turn(answers(429, "later", ["Retry-After: 8"]), answers(200))
    delivery = Delivery(world, receiver.url("/{Oid}"))
    delivery.send(Oid="0")
    delivery.await_state("WAITING")
    delivery.change(Ordered=True)
    for number in range(1, 3):
        delivery.send(Oid=str(number))
    delivery.await_state("DELIVERED", 3)
    assert targets(receiver) == ["/0", "/0", "/1", "/2"]


def test_retry_now_of_a_later_one_does_not_change_the_order(world, receiver):
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True, MinimumDelay=4)
    for number in range(3):
        delivery.send(Oid=str(number))
    first, second, _ = delivery.await_state("WAITING", 3)
    refused = delivery.api.post(f"Postbacks/{second['Id']}/Retry")
    assert refused.status_code == 409, refused.text
    assert f"waits for postback {first['Id']}" in refused.json()["Message"]
    delivery.retry(first["Id"])
    receiver.wait(1, timeout=3)
    receiver.wait(3)
    assert targets(receiver) == in_order(3)


# ---- Retry-After: as for any other notification (test_answers.py) ----

def resting(world, receiver):
    receiver.behave = answers(429, "later", ["Retry-After: 3600"])
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    delivery.send(Oid="0")
    delivery.await_attempts(1)
    return delivery


def test_a_restart_does_not_cut_its_retry_after_short(receiver):
    with Server() as server:
        resting(World(server), receiver)
        assert server.stop() == 0
        server.start()
        quiet(receiver, 1)
        assert server.stop() == 0


def test_a_resume_does_not_cut_its_retry_after_short(world, receiver):
    delivery = resting(world, receiver)
    delivery.do("Pause")
    delivery.do("Resume")
    quiet(receiver, 1)


def test_a_new_name_does_not_cut_its_retry_after_short(world, receiver):
    resting(world, receiver).change(Name="Another")
    quiet(receiver, 1)


def test_its_next_try_is_shown(world, receiver):
    row = resting(world, receiver).await_state("WAITING")[0]
    assert row["DueDate"] > row["CreationDate"], "due in an hour"


def test_its_back_off_goes_on_over_a_restart(receiver):
    receiver.behave = answers(500)
    with Server() as server:
        delivery = Delivery(World(server), receiver.url(), Ordered=True)
        delivery.send()
        delivery.await_attempts(1)
        delivery.retry()
        delivery.await_attempts(2)  # the third comes after 30 s
        assert server.stop() == 0
        server.start()
        quiet(receiver, 2)
        assert server.stop() == 0


# ---- a disk that is slow just then ----

TURNS = 12  # the moment is found by trying


@pytest.fixture(scope="module")
def slow_disk():
    with FaultyServer() as running:
        yield running
        running.faults.sync_gate = 0
        assert running.stop() == 0, running.log()


def head_ends_during(server, receivers, status, before, change):
    """The first of four is answered while the change is being written; its outcome is written only
    after the change took effect.  What the receiver had."""
    go, answered = threading.Event(), threading.Event()

    def behave(connection, request):
        if request.target != "/0":
            return connection.answer(200)
        go.wait(20)
        connection.answer(status)
        answered.set()
        return True
    receiver, world = receivers(behave), World(server)
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    for number in range(4):
        delivery.send(Oid=str(number))
    receiver.wait(1)
    before(delivery)
    server.faults.sync_gate = 1
    changing = threading.Thread(target=change, args=(delivery,))
    changing.start()
    await_until(lambda: server.faults.sync_waiting > 0, "the change is being written")
    go.set()
    assert answered.wait(20)
    assert requests.get(server.base + "/healthz", timeout=20).ok  # a turn of the loop later
    while changing.is_alive():  # it goes to disk, the outcome does not
        server.faults.sync_pass = 1
        changing.join(5)
    await_until(lambda: server.faults.sync_waiting > 0, "the outcome is being written")
    had = targets(receiver)
    server.faults.sync_gate = 0
    return had


@pytest.mark.one_file("what stalls is its fsync")
def test_a_resume_does_not_overtake_the_first_whose_failure_is_not_on_disk(slow_disk, receivers):
    for _ in range(TURNS):
        had = head_ends_during(slow_disk, receivers, 500, lambda delivery: delivery.do("Pause"),
                               lambda delivery: delivery.do("Resume"))
        assert had == ["/0"], f"{had}: the first was not delivered"


@pytest.mark.one_file("what stalls is its fsync")
def test_an_edit_lets_nothing_out_after_a_410(slow_disk, receivers):
    for _ in range(TURNS):
        had = head_ends_during(slow_disk, receivers, 410, lambda delivery: None,
                               lambda delivery: delivery.change(Name="Another"))
        assert had == ["/0"], f"{had}: it is held since the first was answered 410"
