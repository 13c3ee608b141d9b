"""An event for more notifications than get their postbacks with it: all of them come, in order, over a kill."""

import json
from collections import defaultdict

import pytest

from harness.delivery import LIFECYCLE, Delivery
from harness.server import Server, World, await_until

NOTIFICATIONS, EVENTS = 1100, 4  # three steps each


def gather(world, receiver, count):
    first = Delivery(world, receiver.url("/0"), Ordered=True)
    for number in range(1, count):
        world.notify(first.api, receiver.url(f"/{number}"), Category=LIFECYCLE, Ordered=number < 20)
    return first


@pytest.fixture
def crowd(receiver):
    with Server("--rate-limit", "0") as server:
        world = World(server)
        yield server, world, gather(world, receiver, NOTIFICATIONS)
        assert server.stop() == 0, server.log()


def came(receiver):
    """The events that each path got, in order; one that came twice (after a kill) where it came first."""
    got = defaultdict(list)
    for request in list(receiver.requests):
        event = json.loads(request.body)["EventId"]
        if event not in got[request.target]:
            got[request.target].append(event)
    return got


def await_all(receiver, events):
    await_until(lambda: len(receiver.requests) >= NOTIFICATIONS * len(events), "as many requests", 120)
    await_until(lambda: all(set(one) == set(events) for one in came(receiver).values())
                and len(came(receiver)) == NOTIFICATIONS, "each event at each of them", 60)
    got = came(receiver)
    for number in range(20):
        assert got[f"/{number}"] == events, f"{number} is Ordered"


def test_every_notification_gets_every_event_in_order(crowd, receiver):
    _, world, first = crowd
    events = first.send_many(EVENTS)
    await_all(receiver, events)
    assert len(receiver.requests) == NOTIFICATIONS * EVENTS, "each once"
    await_until(lambda: len(world.postbacks(first.api, State="DELIVERED", PageSize=1000)) == 1000, "recorded")


def test_a_kill_in_the_middle_loses_none(crowd, receiver):
    server, world, first = crowd
    events = first.send_many(EVENTS)
    server.kill()
    server.start()
    world.moved()
    events.append(first.send(Oid="after"))
    await_all(receiver, events)


@pytest.mark.one_file("on PostgreSQL the writer has too much to write before that, and all are told so")
def test_who_sends_faster_than_it_fans_out_is_told_so(receiver):
    with Server("--rate-limit", "0") as server:
        world = World(server)
        account = gather(world, receiver, 600).api
        batch = {"Events": [{"Type": "action.tracked", "AccountSids": [account.sid], "Data": {}}] * 1000}
        answers = [account.post("/Events", batch) for _ in range(4)]
        assert [one.status_code for one in answers[:2]] == [202, 202]
        refused = answers[-1]
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
        assert "the last 1000 events of " + account.sid in refused.json()["Message"]
        other = Delivery(world, receiver.url("/other"), account=world.account("PARTNER", "Small"))
        other.send()
        await_until(lambda: any(one.target == "/other" for one in list(receiver.requests)), "another's")
