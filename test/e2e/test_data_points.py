"""Data points on request: closed until the operator opens them to an account, then usable, and
closed again only where no event notification names them."""

import json

import pytest

from harness.server import Server, World, await_until

POINTS = ["MediaPartnerSid", "AdvertiserSid", "Reopened"]


def put(world, account, *names):
    return world.operator.put(f"Accounts/{account.sid}/DataPoints", {"DataPoints": list(names)})


def opened(world, account):
    return world.operator.ok(world.operator.get(f"Accounts/{account.sid}/DataPoints"))["DataPoints"]


def catalog(account, kind="action_inquiry.opened"):
    points = account.ok(account.get(f"/EventCatalog/{kind}"))["DataPoints"]
    return {point["Name"]: point["Open"] for point in points}


def preview(account, **settings):
    return account.post("EventNotifications/Preview", {
        "Category": "Action Inquiry Events", "Url": "https://shop.example/pb", "Method": "POST",
        **settings})


def create(account, **settings):
    return account.post("EventNotifications", {
        "Category": "Action Inquiry Events", "Url": "https://shop.example/pb", "Method": "POST",
        **settings})


NAMING = [("Url", {"Url": "https://shop.example/pb?again={Reopened}"}),
          ("QueryPoints", {"QueryPoints": ["OrderId", "Reopened"]}),
          ("BodyTemplate", {"BodyTemplate": '{"again":\n "{Reopened}"}'})]


@pytest.mark.parametrize("field, settings", NAMING)
def test_until_it_is_open_no_setting_may_name_it(world, field, settings):
    made = world.notify(world.partner, "https://shop.example/pb")
    for answer in (create(world.partner, **settings), preview(world.partner, **settings),
                   world.partner.put(made["Uri"], settings)):
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()["Errors"]
        assert error["Field"] == field
        assert "{Reopened} is given on request" in error["Message"]
        assert "support request" in error["Message"]
        if field != "QueryPoints":
            assert error["Message"].startswith(
                "line 1, column 31:" if field == "Url" else "line 2, column 3:")
    assert world.partner.ok(world.partner.get(made["Uri"]))["Revision"] == "1"
    world.operator.ok(put(world, world.partner, "Reopened"))
    world.partner.ok(world.partner.put(made["Uri"], settings))
    world.partner.ok(preview(world.partner, **settings))
    assert create(world.brand, BodyTemplate='"{Reopened}"').status_code == 400, "it is open to the partner alone"


@pytest.mark.parametrize("method, form", [("POST", "JSON"), ("PUT", "XML"), ("POST", "FORM"),
                                          ("POST", "TEXT")])
def test_default_bodies_hold_what_is_open(world, receiver, method, form):
    world.notify(world.partner, receiver.url(), Method=method, BodyFormat=form)

    def next_body():
        before = len(receiver.requests)
        world.open()
        return receiver.wait(before + 1)[before].body.decode()
    assert not any(name in next_body() for name in POINTS)
    world.operator.ok(put(world, world.partner, "AdvertiserSid"))
    body = next_body()
    assert world.brand.sid in body and "AdvertiserSid" in body
    assert "MediaPartnerSid" not in body and "Reopened" not in body
    world.operator.ok(put(world, world.partner, *POINTS))
    assert all(name in next_body() for name in POINTS)
    world.operator.ok(put(world, world.partner))
    assert not any(name in next_body() for name in POINTS)


def test_a_postback_is_shown_as_it_was_sent(world, receiver):
    """Opening and closing later does not change what the log says, nor other accounts' bodies."""
    made = world.notify(world.partner, receiver.url())
    world.operator.ok(put(world, world.partner, "Reopened"))
    world.open()
    sent = receiver.wait(1)[0].body.decode()
    assert json.loads(sent)["Reopened"] == "false"
    (one,) = world.await_state(world.partner, "DELIVERED")
    world.operator.ok(put(world, world.partner))

    shown = world.partner.ok(world.partner.get(f"Postbacks/{one['Id']}"))
    assert shown["AttemptList"][0]["Request"]["Body"] == sent
    notification = world.partner.ok(world.partner.get(made["Uri"]))
    assert notification["Revision"] == "3"
    world.partner.ok(world.partner.post(f"Postbacks/{one['Id']}/Resend"))
    assert "Reopened" not in json.loads(receiver.wait(2)[1].body)


def test_previews_and_tests_hold_what_is_open(world, receiver):
    made = world.notify(world.partner, receiver.url())

    def bodies():
        before = len(receiver.requests)
        test = world.partner.ok(world.partner.post(made["Uri"] + "/Test", {}))
        shown = world.partner.ok(preview(world.partner))
        return [receiver.wait(before + 1)[before].body.decode(), test["Request"]["Body"],
                shown["Request"]["Body"]]
    assert [["Reopened" in body, "OrderId" in body] for body in bodies()] == [[False, True]] * 3
    world.operator.ok(put(world, world.partner, "Reopened"))
    await_until(lambda: all("Reopened" in body for body in bodies()), "the new revision")
    given = {"EventType": "action_inquiry.opened",
             "Data": {"OrderId": "A", "AdvertiserSid": "BR1", "Reopened": "true"}}
    test = world.partner.ok(world.partner.post(made["Uri"] + "/Test", given))
    assert "BR1" not in test["Request"]["Body"] and "Reopened" in test["Request"]["Body"]


def test_closing_is_refused_while_a_notification_names_it(world):
    world.operator.ok(put(world, world.partner, "Reopened", "AdvertiserSid"))
    made = [world.partner.ok(create(world.partner, **settings)) for _, settings in NAMING]
    world.notify(world.partner, "https://shop.example/default")
    refused = put(world, world.partner, "AdvertiserSid")
    assert refused.status_code == 409
    for one in made:
        assert f"{one['Id']} (Reopened)" in refused.json()["Message"]
    assert sorted(opened(world, world.partner)) == ["AdvertiserSid", "Reopened"]
    world.operator.ok(put(world, world.partner, "Reopened"))  # the other one is free
    for one in made[:2]:
        world.partner.ok(world.partner.delete(one["Uri"]))
    world.partner.ok(world.partner.post(made[2]["Uri"] + "/Pause"))
    assert put(world, world.partner).status_code == 409, "a paused one is live"
    world.partner.ok(world.partner.put(made[2]["Uri"], {"BodyTemplate": ""}))
    world.operator.ok(put(world, world.partner))
    assert opened(world, world.partner) == []


def test_the_catalog_says_what_is_open(world):
    assert [catalog(world.partner)[name] for name in ["OrderId", "EventId", *POINTS]] == [
        "true", "true", "false", "false", "false"]
    world.operator.ok(put(world, world.partner, "Reopened"))
    assert [catalog(world.partner)[name] for name in POINTS] == ["false", "false", "true"]
    assert [catalog(world.brand)[name] for name in POINTS] == ["false"] * 3
    whole = world.partner.ok(world.partner.get("/EventCatalog"))["Categories"]
    found = [point["Open"] for category in whole for kind in category["EventTypes"]
             for point in kind["DataPoints"] if point["Name"] == "Reopened"]
    assert found == ["true"] * 6
    shown = world.operator.ok(world.operator.get(f"Accounts/{world.partner.sid}/DataPoints"))
    assert sorted(one["Name"] for one in shown["OnRequest"]) == sorted([*POINTS, "InquiryId"])


def test_what_is_wrong_is_named_and_what_is_done_is_told(world):
    for names in (["OrderId"], ["Nothing"], [7], "OrderId", 5, None):
        refused = world.operator.put(f"Accounts/{world.partner.sid}/DataPoints",
                                     {"DataPoints": names})
        assert refused.status_code == 400
        assert {one["Field"] for one in refused.json()["Errors"]} == {"DataPoints"}
    assert world.operator.put("Accounts/PAnobody/DataPoints", {"DataPoints": []}).status_code == 404
    world.operator.ok(put(world, world.partner, "Reopened"))
    notice = world.partner.ok(world.partner.get("Notices"))["Notices"][0]
    assert (notice["Kind"], notice["Text"]) == (
        "data_points.changed", "Data points are open to you now: Reopened.")
    world.operator.ok(put(world, world.partner, "AdvertiserSid"))
    notice = world.partner.ok(world.partner.get("Notices"))["Notices"][0]
    assert "AdvertiserSid" in notice["Text"] and "no longer open to you: Reopened" in notice["Text"]
    entry = world.operator.ok(world.operator.get("Audit"))["Entries"][0]
    assert (entry["Action"], json.loads(entry["Detail"])) == (
        "data_points.change", {"Opened": "AdvertiserSid", "Closed": "Reopened"})


def test_secrets_and_settings_survive_the_further_revision(world, receiver):
    made = world.notify(world.partner, receiver.url(), MinimumDelay="0", Ordered="true")
    world.operator.ok(world.operator.put(f"Notifications/{made['Id']}/Headers", {
        "CustomHeaders": [{"Name": "X-Key", "Value": "k"}]}))
    before = world.partner.ok(world.partner.get(made["Uri"]))
    secret = world.partner.get(made["Uri"] + "/SigningSecret").json()
    world.operator.ok(put(world, world.partner, "Reopened"))
    after = world.partner.ok(world.partner.get(made["Uri"]))
    assert {**after, "Revision": before["Revision"]} == before
    assert world.partner.get(made["Uri"] + "/SigningSecret").json() == secret
    world.open()
    request = receiver.wait(1)[0]
    assert request.header("x-key") == "k" and "Reopened" in json.loads(request.body)


def test_what_is_open_stays_so_over_a_crash(receiver):
    with Server() as server:
        world = World(server)
        world.notify(world.partner, receiver.url())
        world.operator.ok(put(world, world.partner, "Reopened"))
        server.kill()
        server.start()
        world.moved()
        assert opened(world, world.partner) == ["Reopened"]
        world.open()
        assert "Reopened" in json.loads(receiver.wait(1)[0].body)


def test_a_brands_postbacks_leave_out_what_is_the_partners_own(world, receivers):
    """In default bodies of each format, in a template that names them, and with all points open."""
    private = {"MediaPartnerInquiryId": "INQ77", "CustomerId": "C-5521",
               "InquiryDate": "2026-01-14", "InquiryNotes": "between us"}
    words = ("INQ77", "C-5521", "2026-01-14")  # the note is the first comment, for both
    world.operator.ok(put(world, world.brand, *POINTS))
    listening = {form: receivers() for form in ("JSON", "XML", "FORM", "TEXT")}
    for form, receiver in listening.items():
        world.notify(world.brand, receiver.url(), BodyFormat=form)
    named = receivers()
    world.notify(world.brand, named.url(), QueryPoints=list(private),
                 BodyTemplate=json.dumps({name: "{%s}" % name for name in private}))
    own = receivers()
    world.notify(world.partner, own.url())
    inquiry = world.open(**private)
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Other",
        "ResolutionNotes": "Paid by gift card", "PromoCode": "TRAIL10"}))
    for form, receiver in listening.items():
        for request in receiver.wait(2):
            text = request.body.decode()
            assert inquiry in text
            assert not any(word in text for word in words), (form, text)
            assert not any(name in text for name in private), (form, text)
    for request in named.wait(2):
        assert set(json.loads(request.body).values()) == {""}
        assert not any(word in request.target for word in words)
    first, second = [json.loads(request.body) for request in own.wait(2)]
    assert {name: first[name] for name in ("MediaPartnerInquiryId", "InquiryNotes")} == {
        "MediaPartnerInquiryId": "INQ77", "InquiryNotes": "between us"}
    assert (second["ResolutionNotes"], second["PromoCode"]) == ("Paid by gift card", "TRAIL10")
