"""The log of postbacks by the API: filters, pages, attempts, and what an account does to one."""

import pytest

from harness.receiver import answers, in_turn
from harness.server import await_until


def send(world, count=1, kind="action.tracked"):
    for _ in range(count):
        response = world.partner.post("/Events", {
            "Type": kind, "AccountSids": [world.partner.sid], "Data": {"ActionId": "5"}})
        assert response.status_code == 202, response.text


def lifecycle(world, url, **settings):
    return world.notify(world.partner, url, Category="Action Lifecycle Events", **settings)


def test_pages_follow_each_other_newest_first(world, receiver):
    lifecycle(world, receiver.url())
    send(world, 7)
    world.await_state(world.partner, "DELIVERED", 7)
    seen, uri = [], "Postbacks?PageSize=3&State=DELIVERED"
    while uri:
        page = world.partner.ok(world.partner.get(uri))
        assert page["@pagesize"] == "3" and len(page["Postbacks"]) <= 3
        seen += [int(one["Id"]) for one in page["Postbacks"]]
        uri = page["@nextpageuri"]
    assert len(seen) == 7 and seen == sorted(seen, reverse=True)


def test_filters(world, receivers):
    at = receivers()
    first = lifecycle(world, at.url("/1"))["Id"]
    second = world.notify(world.partner, at.url("/2"))["Id"]
    send(world, 2)
    send(world, 1, "action.modified")
    inquiry = world.open()
    world.await_state(world.partner, "DELIVERED", 4)

    def count(**query):
        return len(world.postbacks(world.partner, **query))
    assert count() == 4
    assert (count(NotificationId=first), count(NotificationId=second)) == (3, 1)
    assert count(NotificationId="999999") == 0
    assert (count(EventType="action.modified"), count(EventType="action.reversed")) == (1, 0)
    assert (count(State="DELIVERED"), count(State="WAITING")) == (4, 0)
    assert (count(InquiryId=inquiry), count(InquiryId="999999")) == (1, 0)
    assert count(StartDate="2020-01-01", EndDate="2200-01-01") == 4
    assert count(EndDate="2020-01-01") == count(StartDate="2200-01-01") == 0
    assert count(StartDate="1970-01-01", NotificationId=first, State="DELIVERED") == 3


def test_wrong_filters_are_all_named(world):
    response = world.partner.get("Postbacks", NotificationId="x", EventType="y", State="z",
                                 StartDate="now", EndDate="then", InquiryId="-1", PageSize="1001",
                                 Before="0", Colour="red")
    assert response.status_code == 400
    assert {error["Field"] for error in response.json()["Errors"]} == {
        "NotificationId", "EventType", "State", "StartDate", "EndDate", "InquiryId", "PageSize",
        "Before", "Colour"}


def test_each_attempt_is_shown_with_request_and_answer(world, receivers):
    at = receivers(in_turn(answers(500, "broken"), answers(201, "taken")))
    lifecycle(world, at.url("/in?a={ActionId}"))
    send(world)
    at.wait(1)
    waiting = world.await_state(world.partner, "WAITING")[0]
    assert waiting["LastStatus"] == "500" and waiting["DueDate"]
    world.partner.ok(world.partner.post(waiting["Uri"] + "/Retry"))
    requests = at.wait(2)
    world.await_state(world.partner, "DELIVERED")
    shown = world.partner.ok(world.partner.get(waiting["Uri"]))
    assert shown["Uri"] == waiting["Uri"] and shown["Attempts"] == "2"
    one, two = shown["AttemptList"]
    assert (one["Response"]["Status"], one["Response"]["Body"]) == ("500", "broken")
    assert (two["Response"]["Status"], two["Response"]["Body"]) == ("201", "taken")
    for attempt, request in zip((one, two), requests):
        assert attempt["Request"]["Url"] == at.url("/in?a=5")
        assert attempt["Request"]["Body"] == request.body.decode()
        headers = {one["Name"]: one["Value"] for one in attempt["Request"]["Headers"]}
        assert headers["webhook-id"] == request.header("webhook-id") == waiting["Id"]
        assert headers["webhook-signature"] == "(hidden)"


def test_a_delivered_one_is_sent_again_by_resend_only(world, receiver):
    lifecycle(world, receiver.url())
    send(world)
    old = world.await_state(world.partner, "DELIVERED")[0]
    for step in ("Retry", "Cancel"):
        assert world.partner.post(f"{old['Uri']}/{step}").status_code == 409
    new = world.partner.ok(world.partner.post(old["Uri"] + "/Resend"))
    requests = receiver.wait(2)
    assert requests[0].body == requests[1].body.replace(new["Id"].encode(), old["Id"].encode())
    assert requests[1].header("webhook-id") == new["Id"] != old["Id"]
    world.await_state(world.partner, "DELIVERED", 2)
    assert world.partner.ok(world.partner.get(new["Uri"]))["ResentFrom"] == old["Id"]


def test_a_cancelled_one_is_never_sent(world, receiver):
    uri = lifecycle(world, receiver.url())["Uri"]
    world.partner.ok(world.partner.post(uri + "/Pause"))
    send(world, 2)
    first = world.await_state(world.partner, "WAITING", 2)[0]
    world.partner.ok(world.partner.post(first["Uri"] + "/Cancel"))
    assert world.partner.post(first["Uri"] + "/Cancel").status_code == 409
    world.partner.ok(world.partner.post(uri + "/Resume"))
    world.await_state(world.partner, "DELIVERED")
    assert [request.header("webhook-id") for request in receiver.requests] != [first["Id"]]
    assert len(receiver.requests) == 1
    assert world.partner.ok(world.partner.get(first["Uri"]))["State"] == "CANCELLED"


@pytest.mark.parametrize("step", ["", "/Retry", "/Resend", "/Cancel"])
def test_anothers_is_not_there(world, receiver, step):
    lifecycle(world, receiver.url())
    send(world)
    own = world.await_state(world.partner, "DELIVERED")[0]
    method = "POST" if step else "GET"
    for path in (f"Postbacks/{own['Id']}{step}", own["Uri"] + step, f"Postbacks/17{step}",
                 f"Postbacks/x{step}"):
        assert world.brand.call(method, path).status_code == 404, path


def ids(world, account=None, **query):
    return [one["Id"] for one in world.postbacks(account or world.partner, **query)]


def test_a_postback_is_found_by_what_is_known_of_it(world, receivers):
    """By webhook-id, order, inquiry, status code, error in words and as code; together, too."""
    def found(count, **query):
        return await_until(lambda: (lambda rows: rows if len(rows) == count else None)(
            world.postbacks(world.partner, **query)), f"{count} postbacks of {query}")
    sick = world.notify(world.partner, receivers(answers(500, "no")).url())["Id"]
    gone = world.notify(world.partner, "http://127.0.0.1:1/")
    nobody = gone["Id"]
    inquiry = world.open(OrderId="ORD \"7\"/ä")
    refused = found(1, NotificationId=nobody, Error="connect")
    found(1, NotificationId=sick, Status="500")
    world.partner.ok(world.partner.post(gone["Uri"] + "/Pause"))
    other = world.open(OrderId="ORD-8")
    failed = found(2, NotificationId=sick, Status="500")
    every = {one["Id"] for one in refused + failed}
    mine = {one["Id"] for one in refused + failed if one["InquiryId"] == inquiry}
    one = failed[0]["Id"]
    assert ids(world, WebhookId=one) == [one]
    assert ids(world, WebhookId="17") == ids(world, WebhookId="0") == []
    assert set(ids(world, OrderId="ORD \"7\"/ä")) == mine and len(mine) == 2
    assert ids(world, OrderId="ORD") == []
    assert set(ids(world, Status="5xx")) == {one["Id"] for one in failed}
    assert ids(world, Status="504") == ids(world, Status="2xx") == ids(world, Status="200") == []
    assert set(ids(world, Status="none")) == {one["Id"] for one in refused}
    for words in ("connect", "CONNECTION REFUSED", "could not be reached"):
        assert set(ids(world, Error=words)) == {one["Id"] for one in refused}, words
    assert set(ids(world, Error="answered 500")) == {one["Id"] for one in failed}
    assert set(ids(world, Error="ANY")) == every
    assert ids(world, Error="timeout") == []
    assert set(ids(world, OrderId="ORD-8", Status="500")) == {
        one["Id"] for one in failed if one["InquiryId"] == other}
    assert ids(world, WebhookId=one, OrderId="ORD-8", InquiryId=inquiry) == []
    assert ids(world, world.brand, OrderId="ORD-8") == []  # it has no event notification
    assert ids(world, EndDate="2020-01-01", Error="ANY") == []
    assert set(ids(world, StartDate="2020-01-01", Error="ANY", NotificationId=sick)) == {
        one["Id"] for one in failed}
    world.partner.ok(world.partner.post(f"Postbacks/{one}/Cancel"))
    assert ids(world, State="CANCELLED") == [one] == ids(world, State="CANCELLED", Error="any")
    assert ids(world, State="EXPIRED") == []


def test_an_order_is_found_in_what_was_sent_in_and_in_actions(world, receiver):
    lifecycle(world, receiver.url())
    for order in ("S-1", "S-2", "S-1 "):
        assert world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid],
            "Data": {"Oid": order, "ActionId": "5"}}).status_code == 202
    world.await_state(world.partner, "DELIVERED", 3)
    found = world.postbacks(world.partner, OrderId="S-2")
    assert len(found) == 1
    assert ids(world, OrderId="S-3") == ids(world, OrderId="s-2") == ids(world, OrderId="S-") == []
    assert len(ids(world, OrderId="%")) == len(ids(world, OrderId="S_2")) == 0
    again = world.partner.ok(world.partner.post(found[0]["Uri"] + "/Resend"))["Id"]
    assert ids(world, OrderId="S-2") == [again, found[0]["Id"]]
    assert ids(world, OrderId="S-2", Before=again) == [found[0]["Id"]]
    assert ids(world, OrderId="S-2", WebhookId=again) == [again]
    assert ids(world, world.brand, OrderId="S-2") == []
    inquiry = world.open(OrderId="A-1")
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    world.await_state(world.partner, "DELIVERED", 1, OrderId="A-1", EventType="action.tracked")


def test_a_search_that_is_wrong_says_what(world):
    response = world.partner.get("Postbacks", Status="6", WebhookId="x", OrderId="o" * 201,
                                 Error="e" * 201)
    assert response.status_code == 400
    assert {error["Field"] for error in response.json()["Errors"]} == {
        "Status", "WebhookId", "OrderId", "Error"}
