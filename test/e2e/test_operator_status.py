"""GET /Operator/Status: the figures agree with what happens."""

import os

from harness.engine import ON_POSTGRESQL
from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until


def status(world):
    return world.operator.ok(world.operator.get("/Operator/Status"))


def test_it_tells_of_the_server_and_its_disk(server, world):
    shown = status(world)
    assert shown["Server"]["Version"] and shown["Server"]["Ready"] == "true"
    assert 2**20 < int(shown["Server"]["ResidentBytes"])
    store = shown["Store"]
    assert store["Writable"] == "true"
    if ON_POSTGRESQL:  # its disk is another machine's
        assert int(store["DatabaseBytes"]) > 2**20 and store["DiskBytes"] == ""
    else:
        size = os.path.getsize(os.path.join(server.data, "postbackd.db"))
        assert 0 < int(store["DatabaseBytes"]) <= size
        room = os.statvfs(server.data)
        assert int(store["DiskBytes"]) == room.f_blocks * room.f_frsize
        assert 0 < int(store["DiskFreeBytes"]) <= int(store["DiskBytes"])
    assert shown["Maintenance"]["State"] == "OFF"
    assert int(shown["Connections"]["In"]) >= 1


def test_deliveries_show_as_rates_counts_and_connections(world, receiver):
    before = status(world)["Postbacks"]
    delivery = Delivery(world, receiver.url())
    delivery.send_many(5)
    delivery.await_state("DELIVERED", 5)
    shown = await_until(lambda: next((one for one in [status(world)] if float(
        one["Postbacks"]["DeliveredPerSecond"]) > 0), None), "a rate")
    assert int(shown["Postbacks"]["Delivered"]) == int(before["Delivered"]) + 5
    assert int(shown["Connections"]["Out"]) >= 1
    assert int(shown["Lanes"]["Ready"]) >= 1


def test_what_waits_and_what_is_down_shows(receivers):
    with Server() as server:
        world = World(server)
        bad = receivers(answers(503))
        one, two = Delivery(world, bad.url("/1")), Delivery(world, bad.url("/2"))
        other = Delivery(world, receivers().url())
        other.do("Pause")
        for _ in range(10):
            one.send()
        for delivery in (one, two):
            delivery.await_attempts(1)
        shown = await_until(lambda: next((s for s in [status(world)] if s["Lanes"]["Down"] == "2"),
                                         None), "two lanes down")
        assert shown["Lanes"]["DestinationsDown"] == "1"  # the same host and port
        assert shown["Postbacks"]["Pending"] == "30"
        assert int(shown["Postbacks"]["Failed"]) >= 6
        await_until(lambda: int(status(world)["Postbacks"]["OldestPendingSeconds"]) > 0, "an age")
        world.operator.ok(world.operator.post("Maintenance", {}))
        await_until(lambda: status(world)["Maintenance"]["State"] == "ON", "the pause")
        assert status(world)["Lanes"]["Held"] != "0"
        assert server.stop() == 0, server.log()


def test_it_is_the_operators_alone(world):
    for account in (world.partner, world.brand):
        assert account.get("/Operator/Status").status_code == 403
