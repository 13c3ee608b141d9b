"""Two servers on one database: what one leaves undone the other does, and no one is two."""

import pytest
import requests

from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.receiver import answers, hangs, in_turn
from harness.server import World, await_until


@pytest.fixture
def cluster():
    with Cluster(nodes=2) as cluster:
        yield cluster


def live(cluster):
    return cluster.database.rows("SELECT number, epoch FROM node WHERE until_at <> 0")


def parts(cluster):
    """Of each node's number, how many it has; "" for those that nobody has."""
    return dict(cluster.database.rows("SELECT node, count(*) FROM lease GROUP BY node"))


def ready(node):
    return requests.get(node.base + "/readyz", timeout=20).status_code == 200


def metric(node, name):
    text = requests.get(node.base + "/metrics", timeout=20).text
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])


def test_two_share_the_work_and_one_that_stops_leaves_it_to_the_other(cluster):
    first, second = cluster.nodes
    await_until(lambda: sorted(parts(cluster).values()) == ["128", "129"], "fair shares")
    assert sorted(metric(node, "postbackd_leases_held") for node in cluster.nodes) == [128, 129]
    assert cluster.leave(second) == 0
    await_until(lambda: list(parts(cluster).values()) == ["257"], "the first has all")
    await_until(lambda: metric(first, "postbackd_leases_held") == 257, "it knows")
    assert metric(first, "postbackd_takeovers_total") == 0
    trips = metric(first, "postbackd_database_round_trips_total")
    assert 0 < trips < metric(first, "postbackd_database_wait_microseconds_total")


def test_a_node_that_is_drained_has_nothing_and_is_not_ready_until_it_is_undrained(cluster):
    first, second = cluster.nodes
    operator = cluster.operator()

    def listed():
        return operator.ok(operator.get("Nodes"))["Nodes"]
    await_until(lambda: sorted(one["Buckets"] for one in listed()) == ["128", "128"], "shares")
    assert [one["Duty"] for one in listed()].count("true") == 1
    address = second.base.removeprefix("http://")
    await_until(lambda: address in [one["Address"] for one in listed()], "its address")
    shown = next(one for one in listed() if one["Address"] == address)
    assert shown["State"] == "LIVE" and abs(int(shown["ClockOffsetMilliseconds"])) < 60000
    operator.ok(operator.post(f"Nodes/{shown['Name']}/Drain"))
    await_until(lambda: list(parts(cluster).values()) == ["257"], "the other has all")
    await_until(lambda: not ready(second), "it is not ready")
    assert ready(first)
    operator.ok(operator.post(f"Nodes/{shown['Name']}/Undrain"))
    await_until(lambda: sorted(parts(cluster).values()) == ["128", "129"], "fair shares again")
    await_until(lambda: ready(second), "it is ready again")
    audit = operator.ok(operator.get("Audit", PageSize=5))["Entries"]
    assert [one["Action"] for one in audit][:2] == ["node.undrain", "node.drain"]


def test_what_a_killed_node_had_in_flight_is_sent_by_the_other(cluster, receiver):
    first, second = cluster.nodes
    world = World(cluster)
    receiver.behave = in_turn(hangs, answers(200))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    receiver.wait(1)
    first.kill()
    requests_made = receiver.wait(2, timeout=60)
    ids = {request.header("webhook-id") for request in list(receiver.requests)}
    assert len(ids) == 1, requests_made
    delivery.api = second.api(delivery.api)
    delivery.await_state("DELIVERED")
    assert metric(second, "postbackd_takeovers_total") == 1
    await_until(lambda: list(parts(cluster).values()) == ["257"], "the second has all")
    operator = second.api(cluster.operator())
    found = operator.ok(operator.get("Notices"))["Notices"]
    assert [notice["Kind"] for notice in found].count("node.dead") == 1, found
    first.start(60)
    await_until(lambda: sorted(parts(cluster).values()) == ["128", "129"], "fair shares again")


def test_a_node_that_slept_through_its_lease_begins_anew_in_its_place(cluster):
    first, second = cluster.nodes
    port, pid = first.port, first.process.pid
    await_until(lambda: sorted(parts(cluster).values()) == ["128", "129"], "fair shares")
    first.suspend()
    await_until(lambda: metric(second, "postbackd_takeovers_total") == 1, "its place is taken", 60)
    first.resume()
    await_until(lambda: "begins_anew" in first.log(), "it is told", 60)
    await_until(lambda: first.base and ready(first) and len(live(cluster)) == 2, "it is back", 60)
    assert (first.port, first.process.pid) == (port, pid)
    await_until(lambda: sorted(parts(cluster).values()) == ["128", "129"], "fair shares again")
    assert second.log().count("node_dead") == 1


def test_a_node_without_its_database_is_not_ready_and_comes_back_as_it_was():
    with Cluster(nodes=1, roads=True) as cluster:
        node, = cluster.nodes
        world = World(cluster)
        before = live(cluster)
        node.roads.cut()
        await_until(lambda: "lease_over" in node.log(), "its lease is over", 60)
        assert not ready(node)
        refused = world.partner.get("EventNotifications")
        assert refused.status_code == 503 and refused.headers["Retry-After"], refused.text
        node.roads.mend()
        await_until(lambda: ready(node), "it is back", 60)
        assert live(cluster) == before
        await_until(lambda: world.partner.get("EventNotifications").status_code == 200, "it reads")


def test_all_go_by_the_databases_clock_and_one_that_is_away_is_told_once(cluster, receiver):
    first, second = cluster.nodes
    world = World(cluster)
    second.faults.clock_offset_ms = 3_600_000
    operator = cluster.operator()

    def told():
        found = operator.ok(operator.get("Notices"))["Notices"]
        return [one for one in found if one["Kind"] == "node.clock"]
    notice, = await_until(told, "a notice", 60)
    assert "s ahead of that of the database" in notice["Text"], notice
    delivery = Delivery(world, receiver.url())
    delivery.api = second.api(delivery.api)
    ids = [delivery.send()]
    delivery.api = first.api(delivery.api)
    ids.append(delivery.send())
    receiver.wait(2)
    assert ids == sorted(ids, key=int)
    shown = operator.ok(operator.get("Nodes"))["Nodes"]
    offsets = sorted(int(one["ClockOffsetMilliseconds"]) for one in shown)
    assert abs(offsets[0]) < 60_000 < 3_500_000 < offsets[1]
    assert len(told()) == 1
