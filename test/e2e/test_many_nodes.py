"""Nodes on one PostgreSQL: any call to any of them, and what happens when one or the database is gone."""

import threading

import pytest
import requests

from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.server import Browser, World, await_until

TAKEN_OVER_WITHIN = 60.0  # seconds: 15 on a machine that is not busy
NEWS_WITHIN = 20.0        # … and a second


@pytest.fixture(scope="module")
def pair():
    """Two nodes that nothing happens to."""
    with Cluster(nodes=2) as running:
        yield running
        for node in running.nodes:
            assert node.process.poll() is None, node.log()
            assert node.stop() == 0, node.log()


@pytest.fixture
def world(pair):
    return World(pair)


@pytest.fixture
def broken():
    """Two nodes for a test that breaks something: with roads of their own.  Who takes over what is
    Ordered waits until no request of the dead one can be under way."""
    with Cluster(nodes=2, roads=True, flags=["--deadline", "3"]) as running:
        yield running


def ok(api, path, **query):
    return api.ok(api.get(path, **query))


# ---- what one answered, another knows ----

def test_what_is_made_at_one_is_there_at_the_other(pair, world):
    first, second = pair.nodes
    made = world.notify(first.api(world.partner), "http://127.0.0.1:9/")
    assert ok(second.api(world.partner), f"EventNotifications/{made['Id']}")["Id"] == made["Id"]
    inquiry = world.open()
    assert ok(second.api(world.partner), f"ActionInquiries/{inquiry}")["State"] == "OPEN"
    brand = second.api(world.brand)
    brand.ok(brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "DECLINED",
                                           "RejectReason": "Transaction cannot be traced"}))
    assert ok(first.api(world.partner), f"ActionInquiries/{inquiry}")[
        "ResolutionStatus"] == "DECLINED"


def test_an_account_and_its_token_are_good_everywhere_at_once(pair, world):
    first, second = pair.nodes
    for maker, user in ((first, second), (second, first)) * 5:
        world.operator.base = maker.base
        account = world.account("PARTNER", "New here")
        answer = user.api(account).get("EventNotifications")
        assert answer.status_code == 200, answer.text


def test_a_revoked_token_is_out_everywhere(pair, world):
    first, second = pair.nodes
    operator = first.api(world.operator)
    account = world.account("PARTNER", "Out soon")
    tokens = ok(operator, f"Accounts/{account.sid}/Tokens")["Tokens"]
    assert second.api(account).get("EventNotifications").status_code == 200  # it is remembered
    operator.ok(operator.delete(f"Accounts/{account.sid}/Tokens/{tokens[0]['Id']}"))
    assert first.api(account).get("EventNotifications").status_code == 401
    await_until(lambda: second.api(account).get("EventNotifications").status_code == 401,
                "the other node refuses it", NEWS_WITHIN)


def test_a_session_is_one_everywhere_and_ends_everywhere(pair, world):
    first, second = pair.nodes
    world.partner.base = world.operator.base = first.base
    browser = Browser(first.base)
    email = world.add_user(world.partner)
    browser.ok(browser.sign_in(email, "a long pass phrase"))
    browser.base = second.base
    assert browser.ok(browser.get("EventNotifications"))
    assert browser.ok(browser.post("SupportRequests", {
        "Kind": "OTHER", "Subject": "A question", "Text": "Of both nodes?"}))
    browser.base = first.base
    cookies = dict(browser.session.cookies)
    browser.ok(browser.delete("/Session"))
    await_until(lambda: requests.get(
        f"{second.base}{browser.prefix}/EventNotifications", cookies=cookies,
        timeout=20).status_code == 401, "the other node has heard that it ended", NEWS_WITHIN)


def test_a_new_notification_gets_the_very_next_event_of_the_other_node(pair, world, receiver):
    first, second = pair.nodes
    second.api(world.partner).ok(second.api(world.partner).post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {"Oid": "before"}}))
    for number in range(10):
        maker, taker = (first, second) if number % 2 else (second, first)
        world.notify(maker.api(world.partner), receiver.url(f"/{number}/{{Oid}}"),
                     Category="Action Lifecycle Events")
        taken = taker.api(world.partner).post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid],
            "Data": {"Oid": f"O-{number}"}})
        assert taken.status_code == 202, taken.text
    wanted = {f"/{which}/O-{number}" for number in range(10) for which in range(number + 1)}
    receiver.wait(len(wanted), timeout=60)
    assert {request.target for request in receiver.requests} == wanted


def test_an_event_type_that_is_added_at_one_is_taken_by_the_other_at_once(pair, world, receiver):
    first, second = pair.nodes
    for number in range(5):
        maker, taker = (first, second) if number % 2 else (second, first)
        operator, name = maker.api(world.operator), f"house.thing_{world.partner.id}_{number}"
        operator.ok(operator.post("EventTypes", {
            "Name": name, "Meaning": "A thing of the house", "DataPoints": [
                {"Name": "OrderId", "Type": "text", "Meaning": "The order", "Sample": "O-1"}]}))
        taken = taker.api(world.operator).post("/Events", {
            "Type": name, "AccountSids": [world.partner.sid], "Data": {"OrderId": "O-2"}})
        assert taken.status_code == 202, taken.text


# ---- one is gone ----

def test_a_killed_nodes_notifications_are_served_again(broken, receiver):
    """Those that it owned, and what it had taken and not sent."""
    world = World(broken)
    first, second = broken.nodes
    deliveries = [Delivery(world, receiver.url(f"/{number}/{{Oid}}"), Ordered=True)
                  for number in range(8)]
    second.kill()
    deliveries[0].send(Oid="1")  # all want it
    receiver.wait(8, timeout=TAKEN_OVER_WITHIN)
    assert {request.target for request in receiver.requests} == {f"/{at}/1" for at in range(8)}
    second.start(60)
    assert second.api(world.partner).get("/readyz").status_code == 200


def test_what_a_killed_node_had_taken_is_sent_by_another(broken, receivers):
    over = threading.Event()

    def hangs(connection, request):
        over.wait()
        return connection.answer(200)
    receiver, world = receivers(hangs), World(broken)
    first, second = broken.nodes
    delivery = Delivery(world, receiver.url("/{Oid}"), account=second.api(world.partner))
    ids = [delivery.send(Oid=str(number)) for number in range(30)]
    second.kill()
    over.set()
    delivery.api = first.api(world.partner)
    delivery.await_state("DELIVERED", len(ids), TAKEN_OVER_WITHIN)
    assert {request.target for request in receiver.requests} == {f"/{at}" for at in range(30)}


def test_a_node_that_stops_properly_is_taken_over(broken, receiver):
    world = World(broken)
    first, second = broken.nodes
    deliveries = [Delivery(world, receiver.url(f"/{number}/{{Oid}}"), Ordered=True)
                  for number in range(8)]
    assert second.stop() == 0, second.log()
    deliveries[0].send(Oid="1")
    receiver.wait(8, timeout=TAKEN_OVER_WITHIN)


def test_a_node_that_hung_for_longer_than_its_lease_comes_back(broken, receiver):
    world = World(broken)
    first, second = broken.nodes
    delivery = Delivery(world, receiver.url("/{Oid}"), Ordered=True)
    second.suspend()
    delivery.send(Oid="1")
    await_until(lambda: broken.database.rows("SELECT 1 FROM node WHERE instance IS NULL") or
                len(receiver.requests) == 1, "it is served", TAKEN_OVER_WITHIN)
    threading.Event().wait(11)  # real time: longer than its lease
    second.resume()
    await_until(lambda: is_ready(second), "it is one of them again", TAKEN_OVER_WITHIN)
    taken = second.api(world.partner).post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {"Oid": "2"}})
    assert taken.status_code == 202, taken.text
    receiver.wait(2, timeout=TAKEN_OVER_WITHIN)
    assert [request.target for request in receiver.requests] == ["/1", "/2"]


def is_ready(node):
    try:
        return requests.get(node.base + "/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


# ---- the database is away ----

def test_the_database_restarts_and_all_goes_on(broken, receiver):
    world = World(broken)
    first, second = broken.nodes
    delivery = Delivery(world, receiver.url("/{Oid}"))
    delivery.send(Oid="before")
    receiver.wait(1)
    broken.database.kill()
    refused = first.api(world.partner).post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {"Oid": "never"}})
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0, refused.text
    await_until(lambda: not is_ready(first) and not is_ready(second), "neither is ready", 60)
    broken.database.restart()
    await_until(lambda: is_ready(first) and is_ready(second), "both are ready", TAKEN_OVER_WITHIN)
    for node in broken.nodes:
        delivery.api = node.api(world.partner)
        delivery.send(Oid=node.name)
    receiver.wait(3)
    assert sorted(request.target for request in receiver.requests) == ["/before", "/node-1",
                                                                      "/node-2"]


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_a_node_without_its_database_says_so_and_comes_back(broken, how, receiver):
    world = World(broken)
    first, second = broken.nodes
    delivery = Delivery(world, receiver.url("/{Oid}"))
    getattr(second.roads, how)()
    await_until(lambda: not is_ready(second), "it is not ready", 60)
    refused = second.api(world.partner).get("EventNotifications")
    assert refused.status_code == 503, refused.text
    delivery.send(Oid="1")
    receiver.wait(1)
    second.roads.mend()
    await_until(lambda: is_ready(second), "it is ready", TAKEN_OVER_WITHIN)
    delivery.api = second.api(world.partner)
    delivery.send(Oid="2")
    receiver.wait(2)


def test_a_standby_takes_over_and_nothing_is_lost(receiver):
    with Cluster(nodes=2, standby=True) as cluster:
        world = World(cluster)
        delivery = Delivery(world, receiver.url("/{Oid}"))
        delivery.send_many(20)
        cluster.database.fail_over()
        await_until(lambda: all(map(is_ready, cluster.nodes)), "both are ready", TAKEN_OVER_WITHIN)
        for node in cluster.nodes:
            delivery.api = node.api(world.partner)
            delivery.send(Oid=node.name)
        delivery.await_state("DELIVERED", 22, TAKEN_OVER_WITHIN)
        assert {request.target for request in receiver.requests} == {
            *(f"/O-{number}" for number in range(20)), "/node-1", "/node-2"}
