"""Event notifications by the API: settings, states, secrets, the test postback, the preview."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.receiver import answers, resets


def fields(response):
    return {error["Field"] for error in response.json()["Errors"]}


def test_settings_are_read_back_as_given(world):
    made = world.notify(world.partner, "https://example.com/p?a={InquiryId}", Name="Mine",
                        MinimumDelay=30, MaximumRequests="5", SuccessResponse="OK", Ordered=True,
                        EventTypes=["action_inquiry.opened", "action_inquiry.replied"])
    assert made["SigningSecret"].startswith("whsec_")
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    wanted = {"Id": made["Id"], "Uri": made["Uri"], "Name": "Mine",
              "Category": "Action Inquiry Events", "Url": "https://example.com/p?a={InquiryId}",
              "Method": "POST", "BodyFormat": "JSON", "MinimumDelay": "30", "MaximumRequests": "5",
              "SuccessResponse": "OK", "Ordered": "true", "AcceptAny2xx": "false",
              "EventTypes": ["action_inquiry.opened", "action_inquiry.replied"],
              "State": "ACTIVE", "HeldReason": "", "Revision": "1", "CustomHeaders": []}
    assert {name: shown[name] for name in wanted} == wanted
    assert "SigningSecret" not in shown


def test_a_form_is_as_good_as_json(world):
    response = world.partner.call("POST", "EventNotifications", data={
        "Category": "Action Inquiry Events", "Url": "https://example.com/", "Method": "GET",
        "EventTypes": "action_inquiry.opened,action_inquiry.closed"})
    shown = world.partner.ok(world.partner.get(world.partner.ok(response)["Uri"]))
    assert shown["EventTypes"] == ["action_inquiry.opened", "action_inquiry.closed"]


def test_every_wrong_field_is_named_at_once(world):
    response = world.partner.post("EventNotifications", {
        "Category": "Nothing", "Url": "ftp://example.com", "Method": "PATCH", "Colour": "red",
        "MinimumDelay": "-1", "CustomHeaders": [{"Name": "X", "Value": "y"}]})
    assert response.status_code == 400
    assert fields(response) >= {"Category", "Url", "Method", "Colour", "MinimumDelay",
                                "CustomHeaders"}


def test_an_answer_can_be_sent_back_changed(world):
    uri = world.notify(world.partner, "https://example.com/")["Uri"]
    shown = world.partner.ok(world.partner.get(uri))
    shown["Name"] = "Renamed"
    world.partner.ok(world.partner.put(uri, shown))
    again = world.partner.ok(world.partner.get(uri))
    assert (again["Name"], again["Revision"], again["Url"]) == ("Renamed", "2", shown["Url"])


def test_a_wrong_change_changes_nothing(world):
    uri = world.notify(world.partner, "https://example.com/")["Uri"]
    before = world.partner.ok(world.partner.get(uri))
    response = world.partner.put(uri, {"Name": "Renamed", "Url": "https://example.com/{Nope}"})
    assert response.status_code == 400 and fields(response) == {"Url"}
    assert world.partner.ok(world.partner.get(uri)) == before


def test_the_list_is_paged(world):
    made = [world.notify(world.partner, f"https://example.com/{n}")["Id"] for n in range(5)]
    seen, uri = [], "EventNotifications?PageSize=2"
    while uri:
        page = world.partner.ok(world.partner.get(uri))
        assert page["@total"] == "5" and page["@numpages"] == "3"
        seen += [one["Id"] for one in page["EventNotifications"]]
        uri = page["@nextpageuri"]
    assert seen == made
    last = world.partner.ok(world.partner.get(page["@lastpageuri"]))
    assert (last["@page"], last["@start"], last["@end"]) == ("3", "4", "4")
    empty = world.brand.ok(world.brand.get("EventNotifications"))
    assert empty["EventNotifications"] == [] and empty["@total"] == "0"


def test_anothers_is_not_there(world):
    own = world.notify(world.partner, "https://example.com/")
    path = f"{world.brand.prefix}/EventNotifications/{own['Id']}"
    for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/Pause"),
                         ("POST", "/Resume"), ("GET", "/Health"), ("GET", "/SigningSecret"),
                         ("POST", "/SigningSecret"), ("POST", "/Test")):
        response = world.brand.call(method, path + rest, json={} if method != "GET" else None)
        assert response.status_code == 404, (method, rest, response.text)
        response = world.brand.call(method, own["Uri"] + rest)
        assert response.status_code == 404, (method, rest, response.text)
    assert world.partner.ok(world.partner.get(own["Uri"]))["Revision"] == "1"


@pytest.mark.parametrize("id", ["0", "x", "-1", "99999999999999999999", "1.0", "%31%00"])
def test_an_id_that_is_none(world, id):  # nobody's, or not even well formed
    assert world.partner.get(f"EventNotifications/{id}").status_code in (400, 404)


def test_paused_events_wait_and_go_out_on_resume(world, receiver):
    uri = world.notify(world.partner, receiver.url())["Uri"]
    world.partner.ok(world.partner.post(uri + "/Pause"))
    world.open()
    world.await_state(world.partner, "WAITING")
    health = world.partner.ok(world.partner.get(uri + "/Health"))
    assert (health["Pending"], health["State"]) == ("1", "PAUSED") and health["OldestDueDate"]
    assert receiver.requests == []
    world.partner.ok(world.partner.post(uri + "/Resume"))
    receiver.wait(1)
    world.await_state(world.partner, "DELIVERED")
    health = world.partner.ok(world.partner.get(uri + "/Health"))
    assert (health["Pending"], health["Delivered"], health["State"]) == ("0", "1", "ACTIVE")


def test_a_deleted_one_gets_nothing_more(world, receivers):
    gone, left = receivers(), receivers()
    uri = world.notify(world.partner, gone.url())["Uri"]
    world.notify(world.partner, left.url())
    world.partner.ok(world.partner.delete(uri))
    assert world.partner.get(uri).status_code == 404
    assert world.partner.delete(uri).status_code == 404
    world.open()
    left.wait(1)
    assert gone.requests == []


def test_a_rotated_secret_signs_beside_the_old_one(world, receiver):
    made = world.notify(world.partner, receiver.url())
    rotated = world.partner.ok(world.partner.post(made["Uri"] + "/SigningSecret"))
    assert rotated["SigningSecret"] != made["SigningSecret"] and rotated["OldSecretUntil"]
    shown = world.partner.ok(world.partner.get(made["Uri"] + "/SigningSecret"))
    assert shown["SigningSecret"] == rotated["SigningSecret"]
    world.open()
    signatures = receiver.wait(1)[0].header("webhook-signature").split(" ")
    assert len(signatures) == 2 and all(one.startswith("v1,") for one in signatures)


def test_a_test_postback_is_answered_in_the_same_call(world, receivers):
    receiver = receivers(answers(418, "no coffee", headers=["X-Pot: yes"]))
    uri = world.notify(world.partner, receiver.url("/in?a={OrderId}"))["Uri"]
    result = world.partner.ok(world.partner.post(uri + "/Test", {
        "EventType": "action_inquiry.closed", "Data": {"OrderId": "A 1"}}))
    request = receiver.wait(1)[0]
    assert request.target == "/in?a=A%201"
    assert json.loads(request.body)["EventType"] == "action_inquiry.closed"
    assert result["Request"]["Url"] == receiver.url("/in?a=A%201")
    assert result["Request"]["Body"] == request.body.decode()
    assert result["Response"]["Status"] == "418" and result["Response"]["Body"] == "no coffee"
    assert "X-Pot: yes" in result["Response"]["Headers"]
    assert result["Verdict"].upper() == "FAILED"
    assert world.postbacks(world.partner) == []


def test_a_test_postback_that_gets_no_answer_says_why(world, receivers):
    uri = world.notify(world.partner, receivers(resets).url())["Uri"]
    result = world.partner.ok(world.partner.post(uri + "/Test"))
    assert result["Response"]["Error"] == "reset" and result["Response"]["Status"] == ""


def test_wrong_test_data_is_named(world, receiver):
    uri = world.notify(world.partner, receiver.url())["Uri"]
    response = world.partner.post(uri + "/Test", {"EventType": "no.such"})
    assert response.status_code == 400 and fields(response) == {"EventType"}
    response = world.partner.post(uri + "/Test", {"Data": {"Nope": "1"}, "Colour": 1})
    assert response.status_code == 400 and "Colour" in fields(response)
    assert receiver.requests == []


def test_a_preview_sends_nothing_and_saves_nothing(world, receiver):
    settings = {"Category": "Action Inquiry Events", "Method": "PUT", "BodyFormat": "FORM",
                "Url": receiver.url("/{OrderId}"), "BodyTemplate": "o={OrderId}",
                "EventType": "action_inquiry.opened", "Data": {"OrderId": "a/b&c"}}
    shown = world.partner.ok(world.partner.post("EventNotifications/Preview", settings))["Request"]
    assert (shown["Method"], shown["Url"]) == ("PUT", receiver.url("/a%2Fb%26c"))
    assert shown["Body"] == "o=a%2Fb%26c"
    assert world.partner.ok(world.partner.get("EventNotifications"))["@total"] == "0"
    assert receiver.requests == []
    response = world.partner.post("EventNotifications/Preview",
                                  {**settings, "BodyTemplate": "o={OrdrId}"})
    assert response.status_code == 400 and fields(response) == {"BodyTemplate"}
    assert "column" in response.json()["Errors"][0]["Message"]


def test_a_read_token_changes_nothing_and_sees_no_secret(world):
    uri = world.notify(world.partner, "https://example.com/")["Uri"]
    token = world.token(world.partner.sid, "READ")
    world.partner.session.auth = (world.partner.sid, token)
    assert world.partner.get(uri).status_code == 200
    assert world.partner.get(uri + "/SigningSecret").status_code == 403
    for response in (world.partner.put(uri, {}), world.partner.delete(uri),
                     world.partner.post(uri + "/Pause"), world.partner.post(uri + "/Test"),
                     world.partner.post("EventNotifications", {})):
        assert response.status_code == 403


def test_the_catalog_has_every_type_with_its_data_points(world):
    catalog = world.partner.ok(world.partner.get("/EventCatalog"))
    names = {category["Name"] for category in catalog["Categories"]}
    assert {"Action Inquiry Events", "Action Lifecycle Events"} <= names
    for category in catalog["Categories"]:
        for kind in category["EventTypes"]:
            alone = world.partner.ok(world.partner.get(f"/EventCatalog/{kind['EventType']}"))
            assert alone == kind
            points = {point["Name"]: point for point in kind["DataPoints"]}
            assert {"EventId", "EventType", "EventTime", "AccountSid"} <= set(points)
            assert all(point["Meaning"] and point["Type"] for point in points.values())
    assert world.partner.get("/EventCatalog/no.such").status_code == 404


# ---- two who change one thing ----

def put_over(account, uri, revision, body):
    return account.call("PUT", uri, json=body, headers={"If-Match": revision})


def test_a_change_of_an_older_revision_is_told_what_changed(world):
    uri = world.notify(world.partner, "https://example.com/", Name="Mine", MinimumDelay="5")["Uri"]
    read = world.partner.get(uri)
    assert read.headers["ETag"] == '"1"' and read.json()["Revision"] == "1"
    answer = put_over(world.partner, uri, '"1"', {"Name": "Theirs", "MaximumRequests": "9"})
    assert (world.partner.ok(answer)["Revision"], answer.headers["ETag"]) == ("2", '"2"')

    refused = put_over(world.partner, uri, '"1"', {"Name": "Yours", "MinimumDelay": "7"})
    assert refused.status_code == 409 and refused.headers["ETag"] == '"2"'
    told = refused.json()
    assert told["Revision"] == "2"
    assert sorted(told["Changed"], key=lambda one: one["Field"]) == [
        {"Field": "MaximumRequests", "Before": "0", "Yours": "0", "Theirs": "9"},
        {"Field": "MinimumDelay", "Before": "5", "Yours": "7", "Theirs": "5"},
        {"Field": "Name", "Before": "Mine", "Yours": "Yours", "Theirs": "Theirs"}]
    shown = world.partner.ok(world.partner.get(uri))
    assert (shown["Name"], shown["MinimumDelay"], shown["Revision"]) == ("Theirs", "5", "2")

    world.partner.ok(put_over(world.partner, uri, '"2"', {"Name": "Yours"}))  # keep mine
    world.partner.ok(world.partner.put(uri, {"MinimumDelay": "8"}))           # as ever
    world.partner.ok(put_over(world.partner, uri, "*", {"MinimumDelay": "9"}))
    shown = world.partner.ok(world.partner.get(uri))
    assert (shown["Name"], shown["MinimumDelay"], shown["Revision"]) == ("Yours", "9", "5")


def test_a_revision_that_shows_the_same_is_no_conflict(world):
    made = world.notify(world.partner, "https://example.com/")
    world.partner.ok(world.partner.post(f"{made['Uri']}/SigningSecret"))
    world.partner.ok(put_over(world.partner, made["Uri"], 'W/"1"', {"Name": "Yours"}))


@pytest.mark.parametrize("revision, status", [
    ('"99"', 409), ("", 412), ('"', 412), ('"0"', 412), ('"-1"', 412), ('"1', 412), ("1e0", 412),
    ('"99999999999999999999"', 412), ('"1", "2"', 412)])
def test_a_revision_that_is_none_changes_nothing(world, revision, status):
    uri = world.notify(world.partner, "https://example.com/", Name="Mine")["Uri"]
    assert put_over(world.partner, uri, revision, {"Name": "Yours"}).status_code == status
    assert world.partner.ok(world.partner.get(uri))["Name"] == "Mine"


def test_of_two_saves_at_once_one_is_kept(world):
    uri = world.notify(world.partner, "https://example.com/")["Uri"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: put_over(
            world.partner, uri, '"1"', {"Name": f"Name {name}"}).status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7
    assert world.partner.ok(world.partner.get(uri))["Revision"] == "2"
