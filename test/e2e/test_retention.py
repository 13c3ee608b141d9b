"""Old postbacks and events are deleted by the running server; undelivered ones never."""

import re

import pytest

from harness.ageing import age
from harness.receiver import answers
from harness.server import Server, World, await_until


@pytest.fixture
def own_server():
    with Server("--keep-days", "30") as running:
        yield running
        assert running.stop() == 0, running.log()


def metric(world, name):
    text = world.operator.call("GET", "/metrics").text
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def send(world, count):
    for _ in range(count):
        response = world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {"ActionId": "5"}})
        assert response.status_code == 202, response.text


def restart_older(server, world, days):
    assert server.stop() == 0, server.log()
    age(server.store, days)
    server.start()
    world.moved()


def test_old_ones_go_and_undelivered_ones_are_still_delivered(own_server, receivers):
    world = World(own_server)
    good, bad = receivers(), receivers(answers(500))
    delivered = world.notify(world.partner, good.url(), Category="Action Lifecycle Events")
    failing = world.notify(world.partner, bad.url(), Category="Action Lifecycle Events")["Id"]
    send(world, 3)
    world.await_state(world.partner, "DELIVERED", 3)
    await_until(lambda: len(bad.requests) >= 3, "three attempts that fail")
    world.await_state(world.partner, "WAITING", 3, NotificationId=failing)

    restart_older(own_server, world, 29)
    send(world, 1)
    world.await_state(world.partner, "DELIVERED", 4)
    assert len(world.postbacks(world.partner, State="DELIVERED")) == 4, "29 days are not 30"

    restart_older(own_server, world, 2)
    await_until(lambda: metric(world, "postbackd_retention_postbacks_total") == 3, "three deleted")
    assert len(world.postbacks(world.partner, State="DELIVERED")) == 1
    assert metric(world, "postbackd_retention_events_total") == 0, "their events have others waiting"
    health = world.partner.ok(world.partner.get(delivered["Uri"] + "/Health"))
    assert health["Delivered"] == "4", "counts are of all that ever was"

    bad.behave = answers(200)
    for waiting in world.postbacks(world.partner, State="WAITING"):
        world.partner.post(waiting["Uri"] + "/Retry")
    world.await_state(world.partner, "DELIVERED", 4, NotificationId=failing)
    assert len({request.header("webhook-id") for request in bad.requests[-4:]}) == 4

    restart_older(own_server, world, 31)
    await_until(lambda: metric(world, "postbackd_retention_events_total") == 4, "all deleted")
    assert world.postbacks(world.partner) == []
    assert metric(world, "postbackd_retention_attempts_total") >= 5
    assert metric(world, "postbackd_retention_oldest_seconds") == 0
    send(world, 1)
    world.await_state(world.partner, "DELIVERED", 2)
