"""The log of postbacks by the API: filters, pages, attempts, and what an account does to one."""

import pytest

from harness.receiver import answers, in_turn


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
