"""/Track: inbound tracking postbacks become actions, once each, and events of both sides."""

import datetime
import json
import threading

import pytest
import requests

from harness.server import Server, World


class Tracking:
    """Calls as the brand's shop does, with the campaign's tracking token in the query."""

    def __init__(self, world, campaign=None, tracker=None):
        self.world, self.campaign = world, campaign or world.campaign
        self.tracker = tracker or world.tracker
        made = world.operator.ok(world.operator.post(
            f"Campaigns/{self.campaign}/TrackingTokens", {"Label": "shop"}))
        self.uri, self.token = made["Uri"], made["Token"]

    def url(self, tracker=None):
        return f"{self.world.server.base}/Track/{self.campaign}/{tracker or self.tracker}"

    def get(self, oid="A-1", tracker=None, **more):
        query = {"oid": oid, "irpid": self.world.partner.sid, "token": self.token, **more}
        return requests.get(self.url(tracker), timeout=30, params={
            name: value for name, value in query.items() if value is not None})

    def id(self, response, duplicate="false"):
        assert response.status_code == 200, response.text
        assert response.json()["Duplicate"] == duplicate
        return response.json()["ActionId"]


@pytest.fixture
def tracking(world):
    return Tracking(world)


def lifecycle(world, account, receiver):
    return world.notify(account, receiver.url(), Category="Action Lifecycle Events")


def actions(world):
    return world.server.store.rows("SELECT count(*) FROM action WHERE campaign = ?", world.campaign)[0][0]


def fields_of(response):
    assert response.status_code == 400, response.text
    return [error["Field"] for error in response.json()["Errors"]]


def test_a_conversion_becomes_an_action_and_both_sides_hear_of_it(world, tracking, receivers):
    at_partner, at_brand = receivers(), receivers()
    lifecycle(world, world.partner, at_partner)
    lifecycle(world, world.brand, at_brand)
    id = tracking.id(tracking.get(
        "A-100", amount="89.90", customerid="C-5", promocode="TRAIL10", subid1="news", subid2="w47",
        subid3="b2", sharedid="spring", eventdate="2026-01-15T09:15:00Z"))
    wanted = {
        "ActionId": id, "Oid": "A-100", "Status": "PENDING", "ReferringType": "DATAPOST",
        "Amount": "89.90", "OriginalAmount": "89.90", "Currency": "EUR", "CustomerId": "C-5",
        "PromoCode": "TRAIL10", "SubId1": "news", "SubId2": "w47", "SubId3": "b2",
        "SharedId": "spring", "CampaignId": world.campaign, "CampaignName": "Acme Autumn",
        "ActionTrackerId": world.tracker, "ActionTrackerName": "Online sale",
        "MediaPartnerId": world.partner.id, "MediaPartnerName": "Cashback Corner",
        "EventDate": "2026-01-15T09:15:00+00:00", "Payout": ""}
    for receiver, customer in ((at_partner, ""), (at_brand, "C-5")):  # whom the brand alone knows
        (request,) = receiver.wait(1)
        body = json.loads(request.body)
        assert body["EventType"] == "action.tracked"
        assert {name: body[name] for name in wanted} == {**wanted, "CustomerId": customer}


def test_a_repeated_order_is_counted_once(world, tracking, receiver):
    lifecycle(world, world.partner, receiver)
    id = tracking.id(tracking.get("A-1", amount="10"))
    assert tracking.id(tracking.get("A-1", amount="10"), duplicate="true") == id
    assert tracking.id(tracking.get("A-1", amount="99.99"), duplicate="true") == id
    other = tracking.id(tracking.get("A-2"))
    assert other != id and actions(world) == 2
    bodies = [json.loads(request.body) for request in receiver.wait(2)]
    assert [body["ActionId"] for body in bodies] == [id, other]


def test_each_tracker_counts_for_itself(world, tracking):
    second = world.operator.ok(world.operator.post(
        f"Campaigns/{world.campaign}/Trackers", {"Name": "Newsletter"}))["Id"]
    assert tracking.id(tracking.get("A-1")) != tracking.id(tracking.get("A-1", tracker=second))


def test_an_order_that_an_inquiry_brought_in_is_not_counted_again(world, tracking):
    inquiry = world.open(OrderId="A-77")
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    id = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["ActionId"]
    assert tracking.id(tracking.get("A-77"), duplicate="true") == id


def test_one_order_from_many_sides_at_once(world, tracking, receiver):
    lifecycle(world, world.partner, receiver)
    answers, sides = [], []
    for _ in range(12):
        sides.append(threading.Thread(target=lambda: answers.append(tracking.get("RACE"))))
        sides[-1].start()
    for side in sides:
        side.join()
    assert len({answer.json()["ActionId"] for answer in answers}) == 1
    assert [answer.json()["Duplicate"] for answer in answers].count("false") == 1
    assert actions(world) == 1


def test_an_order_is_known_after_a_kill():
    with Server() as server:
        world = World(server)
        tracking = Tracking(world)
        id = tracking.id(tracking.get("A-1"))
        server.kill()
        server.start()
        world.moved()
        assert tracking.id(tracking.get("A-1"), duplicate="true") == id


# ---- how it is called ----

def post(tracking, data=None, json=None, query=None, **rest):
    return requests.post(tracking.url(), params=query, data=data, json=json, timeout=30, **rest)


def test_by_form_by_json_and_by_query(world, tracking):
    given = {"irpid": world.partner.sid, "token": tracking.token, "amount": "12.50"}
    tracking.id(post(tracking, data={**given, "oid": "F-1"}))
    tracking.id(post(tracking, json={**given, "oid": "J-1", "amount": 12.5}))
    tracking.id(post(tracking, query={**given, "oid": "Q-1"}))
    tracking.id(post(tracking, data={"oid": "M-1", "amount": "1"},
                     query={"irpid": world.partner.sid, "token": tracking.token}))
    assert fields_of(post(tracking, data={**given, "oid": "T-1"}, query={"oid": "T-2"})) == ["oid"]
    assert actions(world) == 4
    assert post(tracking, data=b"GIF89a",
                headers={"Content-Type": "image/gif"}).status_code == 415


def test_the_token_may_stand_in_a_header(world, tracking):
    given = {"irpid": world.partner.sid}
    for number, header in enumerate([{"headers": {"Authorization": f"Bearer {tracking.token}"}},
                                     {"auth": ("", tracking.token)},
                                     {"auth": (str(world.campaign), tracking.token)}]):
        tracking.id(post(tracking, data={**given, "oid": f"H-{number}"}, **header))


def test_the_partner_may_be_named_either_way(world, tracking):
    sid = world.partner.sid
    tracking.id(tracking.get("P-1", irpid=None, partner=sid))
    tracking.id(tracking.get("P-2", irpid=sid, partner=sid))
    assert fields_of(tracking.get("P-3", irpid=sid, partner="PAother")) == ["partner"]
    assert fields_of(tracking.get("P-4", irpid=None)) == ["irpid"]


def test_another_currency(world, tracking, receiver):
    lifecycle(world, world.partner, receiver)
    tracking.id(tracking.get("A-1", amount="1200", currency="JPY"))
    body = json.loads(receiver.wait(1)[0].body)
    assert (body["Amount"], body["Currency"]) == ("1200", "JPY")


@pytest.mark.parametrize("change, field", [
    ({"oid": None}, "oid"),
    ({"oid": "x" * 201}, "oid"),
    ({"oid": "a\nb"}, "oid"),
    ({"amount": "12,50"}, "amount"),
    ({"amount": "-1"}, "amount"),
    ({"amount": "5000001"}, "amount"),
    ({"amount": "1.005"}, "amount"),
    ({"amount": "1.5", "currency": "JPY"}, "amount"),
    ({"currency": "XYZ"}, "currency"),
    ({"irpid": "PAnobody"}, "irpid"),
    ({"eventdate": "soon"}, "eventdate"),
    ({"eventdate": "2090-01-01"}, "eventdate"),
    ({"subid1": "x" * 201}, "subid1"),
    ({"ammount": "1"}, "ammount"),
])
def test_what_is_wrong_is_named_and_not_counted(world, tracking, change, field):
    assert field in fields_of(tracking.get(**{"oid": "W-1", **change}))
    assert actions(world) == 0


def test_only_members_of_the_campaign_are_credited(world, tracking):
    stranger = world.account("PARTNER", "Stranger")
    assert fields_of(tracking.get("S-1", irpid=stranger.sid)) == ["irpid"]
    assert fields_of(tracking.get("S-2", irpid=world.brand.sid)) == ["irpid"]
    world.join(world.campaign, stranger)
    tracking.id(tracking.get("S-1", irpid=stranger.sid))
    world.operator.ok(world.operator.put(f"Accounts/{stranger.sid}", {"Active": False}))
    assert fields_of(tracking.get("S-3", irpid=stranger.sid)) == ["irpid"]


def test_the_tracker_must_be_the_campaigns(world, tracking):
    other = World(world.server)
    for tracker in (other.tracker, "987654321", "x"):
        assert tracking.get("A-1", tracker=tracker).status_code in (401, 404)
    assert tracking.get("A-1", tracker=other.tracker).status_code == 404
    assert actions(other) == 0


def test_head_counts_nothing(world, tracking):
    response = requests.head(tracking.url(), timeout=30, params={
        "oid": "A-1", "irpid": world.partner.sid, "token": tracking.token})
    assert response.status_code == 405 and "GET" in response.headers["Allow"]
    assert actions(world) == 0


# ---- tokens ----

def test_only_the_campaigns_own_tokens_are_taken(world, tracking):
    other = Tracking(World(world.server))
    for token in (None, "", "pbt_wrong", other.token, world.partner.token):
        response = tracking.get("A-1", token=token)
        assert response.status_code == 401, response.text
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert actions(world) == 0
    tracking.id(tracking.get("A-1"))


def test_a_revoked_token_is_out_at_once_and_others_stay(world, tracking):
    second = Tracking(world)
    tracking.id(tracking.get("A-1"))
    world.operator.ok(world.operator.delete(tracking.uri))
    assert tracking.get("A-2").status_code == 401
    second.id(second.get("A-3"))
    path = f"Campaigns/{world.campaign}/TrackingTokens"
    listed = world.operator.ok(world.operator.get(path))["TrackingTokens"]
    assert [(one["Label"], one["RevokedDate"] != "") for one in listed] == [("shop", True),
                                                                         ("shop", False)]
    assert tracking.token not in json.dumps(listed)
    assert world.operator.delete(tracking.uri).status_code == 404
    assert world.operator.get("Campaigns/987654321/TrackingTokens").status_code == 404


def test_wrong_tracking_tokens_lock_nobody_out():
    """A5: the shop behind the same proxy as a guesser is let in, also with its first call."""
    with Server() as server:
        world = World(server)
        tracking = Tracking(world)
        statuses = [tracking.get("A-2", token=f"pbt_{number}").status_code for number in range(15)]
        assert statuses == [401] * 15
        tracking.id(tracking.get("A-2"))


def test_it_does_not_count_against_the_rate_limit():
    with Server(rate_limit=20) as server:
        world = World(server)
        tracking = Tracking(world)
        for number in range(60):
            tracking.id(tracking.get(f"A-{number}"))


def test_no_token_stands_in_the_log_or_in_the_file(server, world, tracking):
    tracking.id(tracking.get("A-1"))
    tracking.get("")
    assert tracking.token not in server.log()
    assert tracking.token.encode() not in server.store.content()


# ---- numbers, dates and placeholders ----

def test_a_rounded_order_is_refused(world, tracking):
    """I1: two orders whose ids a program has rounded are not one; each is refused by its field."""
    given = {"irpid": world.partner.sid, "token": tracking.token}
    headers = {"Content-Type": "application/json"}

    def send(**numbers):
        members = [f'"{name}":{json.dumps(value)}' for name, value in given.items()]
        members += [f'"{name}":{text}' for name, text in numbers.items()]
        return post(tracking, data="{" + ",".join(members) + "}", headers=headers)

    for text in ("5.7660123456789012e+17", "5.7660123456789049e+17", "1.0", "1e3", "-0", "12.50"):
        answer = send(oid=text, customerid=text, amount="1")
        assert fields_of(answer) == ["oid", "customerid"], answer.text
        assert "write it as a string" in answer.json()["Errors"][0]["Message"], answer.text
    for text in ("true", "{}", "[1]", "{\"a\":1.5}"):
        assert "oid" in fields_of(send(oid=text)), text
    assert fields_of(send(oid='"A-1"', amount="1e1")) == ["amount"]
    assert fields_of(send(oid='"A-1"', amount="10.50000000000000000001")) == ["amount"]
    assert actions(world) == 0
    whole = [tracking.id(send(oid=text)) for text in ("576601234567890121", "576601234567890122")]
    assert len(set(whole)) == 2
    id = tracking.id(send(oid='"A-1"', amount="10.50"))
    shown = world.brand.ok(world.brand.get(f"Actions/{id}"))
    assert (shown["Oid"], shown["Amount"]) == ("A-1", "10.50")
    assert world.brand.ok(world.brand.get(f"Actions/{whole[0]}"))["Oid"] == "576601234567890121"


@pytest.mark.parametrize("value", ["{order_id}", "{{order_id}}", "${order_id}", "[order_id]",
                                   "%order_id%", "#order_id#", "__ORDER_ID__", "%7Border_id%7D"])
def test_a_placeholder_that_nobody_filled_in_is_no_order(world, tracking, value):
    """I3: three conversions of different amounts are not one order and two duplicates."""
    for amount in ("10", "20", "30"):
        answer = tracking.get(value, amount=amount)
        assert fields_of(answer) == ["oid"], answer.text
        assert "nobody filled in" in answer.json()["Errors"][0]["Message"]
    assert fields_of(tracking.get("A-1", customerid=value)) == ["customerid"]
    assert fields_of(post(tracking, json={"oid": value, "irpid": world.partner.sid,
                                          "token": tracking.token})) == ["oid"]
    assert actions(world) == 0
    tracking.id(tracking.get("A-1", subid1=value))  # which is the partner's own business


def test_an_inquirys_and_an_events_identifiers_are_no_placeholders(world):
    """I3: what tells one from another, in every call that takes it."""
    answer = world.partner.post("ActionInquiries", {
        "CampaignId": world.campaign, "OrderId": "{order_id}", "CustomerId": "[[customer]]",
        "TransactionDate": "2026-01-15", "TransactionAmount": "1", "InquiryType": "UNTRACKED"})
    assert fields_of(answer) == ["OrderId", "CustomerId"], answer.text
    answer = world.operator.post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "DedupeKey": "{{event_id}}",
        "Data": {}})
    assert fields_of(answer) == ["DedupeKey"], answer.text


def test_a_bare_day_is_a_day_somewhere_on_earth(world, tracking):
    """I2: the day that it is at UTC+14 is no future; the one after that is."""
    utc = datetime.datetime.now(datetime.timezone.utc)
    today = (utc + datetime.timedelta(hours=14)).date()
    tracking.id(tracking.get("D-1", eventdate=today.isoformat()))
    tracking.id(tracking.get("D-2", eventdate=today.strftime("%Y%m%d")))
    later = today + datetime.timedelta(days=2)  # the second, as midnight may pass meanwhile
    assert fields_of(tracking.get("D-3", eventdate=later.isoformat())) == ["eventdate"]
    soon = (utc + datetime.timedelta(hours=1)).isoformat()
    assert fields_of(tracking.get("D-4", eventdate=soon)) == ["eventdate"]
    answer = world.operator.post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {},
        "OccurredAt": today.isoformat()})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("written", [
    "2026-01-15T10:15Z", "2026-01-15T11:15:00+01", "2026-01-15T11:15:00+0100", "2026-01-15T11:15+01:00",
    "20260115T101500Z", "20260115T1015Z", "2026-01-15T10:15:00,000Z", "2026-01-15t10:15:00z",
    "2026-01-15 10:15:00"])
def test_iso_dates_as_people_write_them(world, tracking, written):
    """I4: the forms of ISO 8601 that are clear are read; what is not taken is said."""
    id = tracking.id(tracking.get("A-1", eventdate=written))
    shown = world.brand.ok(world.brand.get(f"Actions/{id}"))
    assert shown["EventDate"] == "2026-01-15T10:15:00+00:00"
    listed = world.brand.get("Actions", CampaignId=world.campaign, StartDate=written)
    assert listed.status_code == 200, listed.text
    for wrong in ("2026-W03-4", "2026-015", "2026-01-15T24:00", "2026-12-31T23:59:60Z"):
        message = tracking.get("A-2", eventdate=wrong).json()["Errors"][0]["Message"]
        assert "week dates" in message and "leap seconds" in message, message
