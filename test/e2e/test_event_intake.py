"""POST /Events: who may send what for whom, what is refused, and that 202 means on disk."""

import json

import pytest

from harness.receiver import Receiver
from harness.server import Server, World


def tracked(*sids, **data):
    return {"Type": "action.tracked", "AccountSids": list(sids), "Data": {"ActionId": "5", **data}}


def lifecycle(world, account, receiver, **settings):
    return world.notify(account, receiver.url(), Category="Action Lifecycle Events", **settings)


def test_the_operator_sends_for_any_account(world, receivers):
    at_partner, at_brand = receivers(), receivers()
    lifecycle(world, world.partner, at_partner)
    lifecycle(world, world.brand, at_brand)
    for _ in range(2):  # the second time both SIDs are known without the store
        response = world.operator.post("/Events", tracked(world.partner.sid, world.brand.sid))
        assert response.status_code == 202, response.text
    first, second = response.json()["EventIds"]
    for receiver, event in (at_partner, first), (at_brand, second):  # an id for each SID, in their order
        assert event in [json.loads(request.body)["EventId"] for request in receiver.wait(2)]


def test_an_account_sends_for_itself_only(world, receiver):
    lifecycle(world, world.partner, receiver)
    assert world.partner.post("/Events", tracked(world.partner.sid)).status_code == 202
    receiver.wait(1)
    unknown = world.partner.post("/Events", tracked("PA0000000000000000000000"))
    anothers = world.partner.post("/Events", tracked(world.brand.sid))
    assert unknown.status_code == anothers.status_code == 400
    assert unknown.json() == anothers.json()  # nothing tells that the brand exists


def test_tokens_of_the_scope_events_do_this_and_nothing_else(world):
    world.partner.session.auth = (world.partner.sid, world.token(world.partner.sid, "EVENTS"))
    assert world.partner.post("/Events", tracked(world.partner.sid)).status_code == 202
    assert world.partner.get("EventNotifications").status_code == 403
    world.partner.session.auth = (world.partner.sid, world.token(world.partner.sid, "READ"))
    assert world.partner.post("/Events", tracked(world.partner.sid)).status_code == 403


@pytest.mark.parametrize("change, field", [
    ({"Type": "no.such"}, "Type"),
    ({"Type": 5}, "Type"),
    ({"Type": None}, "Type"),
    ({"AccountSids": []}, "AccountSids"),
    ({"AccountSids": "SID"}, "AccountSids"),
    ({"AccountSids": ["x"] * 101}, "AccountSids"),
    ({"AccountSids": [5]}, "AccountSids[0]"),
    ({"AccountSids": ["x" * 500]}, "AccountSids[0]"),
    ({"Data": None}, "Data"),
    ({"Data": []}, "Data"),
    ({"Data": {"Nope": "1"}}, "Data.Nope"),
    ({"Data": {"Amount": "12,50"}}, "Data.Amount"),
    ({"OccurredAt": "yesterday"}, "OccurredAt"),
    ({"OccurredAt": "2090-01-01"}, "OccurredAt"),
    ({"Events": []}, "Events"),
])
def test_what_is_wrong_is_named(world, change, field):
    event = {**tracked(world.partner.sid), **change}
    response = world.partner.post("/Events", event)
    assert response.status_code == 400, response.text
    assert field in [error["Field"] for error in response.json()["Errors"]]


def test_unknown_accounts_are_named_and_nothing_is_written(world, receiver):
    lifecycle(world, world.partner, receiver)
    response = world.operator.post("/Events", tracked(world.partner.sid, "PAnobody", "BRnobody"))
    assert response.status_code == 400
    assert [error["Field"] for error in response.json()["Errors"]] == ["AccountSids[1]",
                                                                      "AccountSids[2]"]
    response = world.operator.post("/Events", tracked(world.partner.sid, world.partner.sid))
    assert response.status_code == 400
    assert world.postbacks(world.partner) == []


def test_an_inactive_account_gets_no_events(world):
    sid = world.brand.sid
    assert world.operator.post("/Events", tracked(sid)).status_code == 202
    world.operator.ok(world.operator.put(f"Accounts/{sid}", {"Active": "false"}))
    assert world.operator.post("/Events", tracked(sid)).status_code == 400
    assert world.brand.get("EventNotifications").status_code == 401


@pytest.mark.parametrize("body, kind, status", [
    (b"Type=action.tracked", "application/x-www-form-urlencoded", 415),
    (b"{}", "text/plain", 415),
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"", "application/json", 400),
    (b'{"Type":"a","Type":"b"}', "application/json", 400),
    (b'{"Data":' * 3000, "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    pytest.param(b" " * (4 * 1024 * 1024 + 1), "application/json", 413, id="over 4 MiB"),
])
def test_bodies_that_are_no_event(world, body, kind, status):
    response = world.partner.call("POST", "/Events", data=body, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    assert response.json()["Status"] == "ERROR"


def test_events_do_not_count_against_the_rate_limit():
    with Server(rate_limit=40) as server, Receiver() as receiver:
        world = World(server)
        lifecycle(world, world.partner, receiver)
        for _ in range(100):
            assert world.partner.post("/Events", tracked(world.partner.sid)).status_code == 202
        receiver.wait(100)
        last = None
        for _ in range(41):
            last = world.partner.get("EventNotifications")
        assert last.status_code == 429 and int(last.headers["Retry-After"]) > 0
        assert last.headers["X-RateLimit-Remaining"] == "0"
        assert world.partner.post("/Events", tracked(world.partner.sid)).status_code == 202


def test_what_was_accepted_survives_a_kill(receivers):
    with Server() as server:
        world = World(server)
        receiver = receivers()
        lifecycle(world, world.partner, receiver)
        made = world.partner.ok(world.partner.get("EventNotifications"))["EventNotifications"][0]
        world.partner.ok(world.partner.post(made["Uri"] + "/Pause"))
        ids = [world.partner.post("/Events", tracked(world.partner.sid)).json()["EventIds"][0]
               for _ in range(20)]
        server.kill()
        server.start()
        world.moved()
        world.partner.ok(world.partner.post(made["Uri"] + "/Resume"))
        came = {json.loads(request.body)["EventId"] for request in receiver.wait(20)}
        assert came == set(ids)


def test_numbers_are_passed_on_as_they_were_written(world, receiver):
    """I1: an id that may have been rounded is named; amounts and lists keep each digit."""
    world.notify(world.partner, receiver.url(), Category="Action Lifecycle Events")

    def send(data):
        return world.operator.call(
            "POST", "/Events", headers={"Content-Type": "application/json"},
            data='{"Type":"action.tracked","AccountSids":["%s"],"Data":%s}' % (
                world.partner.sid, data))

    answer = send('{"Oid":5.7660123456789012e+17,"CustomerId":-0}')
    assert answer.status_code == 400, answer.text
    errors = {error["Field"]: error["Message"] for error in answer.json()["Errors"]}
    assert set(errors) == {"Data.Oid", "Data.CustomerId"}, errors
    assert "write it as a string" in errors["Data.Oid"]
    answer = send('{"Oid":576601234567890121,"SubId1":1.20,"Amount":10.50,"Items":[{"Price":0.10,"Rate":1E-09}]}')
    assert answer.status_code == 202, answer.text
    body = json.loads(receiver.wait(1)[0].body)
    assert (body["Oid"], body["Amount"], body["SubId1"]) == ("576601234567890121", "10.50", "1.20")
    assert body["Items"] == [{"Price": "0.10", "Rate": "1E-09"}]
