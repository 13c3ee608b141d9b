"""Two nodes on one PostgreSQL: what one has answered is so on the other, at once or within a second."""

import json

import pytest
import requests

from harness.cluster import Cluster
from harness.delivery import LIFECYCLE, Delivery
from harness.receiver import Receiver
from harness.server import World, await_until


@pytest.fixture(scope="module")
def cluster():
    with Cluster(2) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def world(cluster):
    return World(cluster)


def on_both(cluster, account):
    return [node.api(account) for node in cluster.nodes]


def send(api, kind="action.tracked", **data):
    return api.post("/Events", {"Type": kind, "AccountSids": [api.sid], "Data": data})


POINTS = [{"Name": name, "Type": "text", "Meaning": "m", "Sample": "s"} for name in ("P", "Q")]


def test_a_new_event_type_is_taken_by_the_other_node_at_once(cluster, world):
    operators, partners = on_both(cluster, world.operator), on_both(cluster, world.partner)
    for number in range(8):
        adds, takes, kind = operators[number % 2], partners[1 - number % 2], f"shop.sold_{number}"
        adds.ok(adds.post("/Operator/EventTypes", {
            "Name": kind, "Meaning": "sold", "DataPoints": POINTS[:1]}))
        assert send(takes, kind, P="x").status_code == 202
        assert send(takes, kind, Q="x").status_code == 400
        adds.ok(adds.put(f"/Operator/EventTypes/{kind}", {"DataPoints": POINTS}))
        assert send(takes, kind, Q="x").status_code == 202
        assert takes.get(f"/EventCatalog/{kind}").status_code == 200
        made = takes.post("EventNotifications", {
            "Name": "n", "Category": "Platform Events", "Method": "POST", "EventTypes": kind,
            "Url": "http://127.0.0.1:9/{Q}", "State": "PAUSED"})
        assert made.status_code == 200, made.text
        takes.ok(takes.delete(made.json()["Uri"]))
        adds.ok(adds.delete(f"/Operator/EventTypes/{kind}"))
        assert send(takes, kind, Q="x").status_code == 400
    assert send(partners[0], "shop.never", P="x").status_code == 400


def test_an_edit_is_in_force_in_the_other_nodes_next_event(cluster, world):
    with Receiver() as receiver:
        delivery = Delivery(world, receiver.url("/0"))
        apis = on_both(cluster, delivery.api)
        for number in range(1, 11):
            edits, takes = apis[number % 2], apis[1 - number % 2]
            edits.ok(edits.put(delivery.path, {"Url": receiver.url(f"/{number}")}))
            assert send(takes, Oid=str(number)).status_code == 202
            await_until(lambda: len(receiver.requests) == number, "it came")
            assert receiver.requests[-1].target == f"/{number}"
        delivery.do("Pause")  # its receiver goes


def test_a_revoked_token_and_an_ended_session_are_out_on_the_other_node(cluster, world):
    operators = on_both(cluster, world.operator)
    for number in range(2):
        revokes, node = operators[number], cluster.nodes[1 - number]
        made = revokes.ok(revokes.post(f"Accounts/{world.partner.sid}/Tokens", {"Scope": "API"}))
        held = node.api(world.partner)
        held.session.auth = (world.partner.sid, made["Token"])
        assert held.get("EventNotifications").status_code == 200
        revokes.ok(revokes.delete(made["Uri"]))
        await_until(lambda: held.get("EventNotifications").status_code == 401, "it is out")


def cursor(api, since=None):
    return api.ok(api.get("Changes", **({"Since": since} if since else {})))["Cursor"]


def test_who_looks_on_at_both_nodes_in_turn_is_told_once_of_each_change(cluster, world):
    """A call that is answered though nothing has changed would come back at once with another cursor;
    one that misses a change would not come back before its time is over."""
    apis = on_both(cluster, world.partner)
    with Receiver() as receiver:
        delivery = Delivery(world, receiver.url())
        known = cursor(apis[0])
        for number in range(2):
            assert send(apis[number % 2], Oid=f"look-{number}").status_code == 202
            delivery.await_state("DELIVERED", number + 1)
            told = cursor(apis[1 - number % 2], known)
            assert told != known
            known = settled(apis, told)
            assert is_held(apis[number % 2], known)


def is_held(api, known):
    try:
        return cursor_now(api, known) == known
    except requests.exceptions.ReadTimeout:
        return True


def cursor_now(api, known):
    answer = api.session.get(f"{api.base}{api.prefix}/Changes", params={"Since": known}, timeout=1.5)
    return answer.json()["Cursor"]


def settled(apis, known):
    """The cursor once both nodes hold the call."""
    held = 0
    while held < 2 * len(apis):
        api = apis[held % len(apis)]
        try:
            known, held = cursor_now(api, known), 0
        except requests.exceptions.ReadTimeout:
            held += 1
    return known


def test_an_event_of_very_many_is_fanned_out_once_and_in_order(cluster):
    """One node takes the steps, whichever took the event."""
    many, events = 600, 6
    with Receiver() as receiver:
        world = World(cluster)
        first = Delivery(world, receiver.url("/0"), Ordered=True)
        for number in range(1, many):
            world.notify(first.api, receiver.url(f"/{number}"), Category=LIFECYCLE)
        apis = on_both(cluster, first.api)
        sent = [apis[number % 2].ok(send(apis[number % 2], Oid=str(number)))["EventIds"][0]
                for number in range(events)]
        await_until(lambda: len(receiver.requests) >= many * events, "all of them", 120)
        assert len(receiver.requests) == many * events
        assert len({(one.target, one.body) for one in receiver.requests}) == many * events
        ordered = [json.loads(one.body)["EventId"] for one in receiver.requests if one.target == "/0"]
        assert ordered == sent
