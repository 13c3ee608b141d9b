"""No account reaches what is another's, by any route, nor learns that it exists: the answers are
those for what is nowhere.  The routes are the server's own table."""

import base64
import json

import pytest
import requests

from harness.files import PNG
from harness.openapi import routes
from harness.receiver import Receiver, answers
from harness.server import Api, World, await_until

ALL = list(routes())
OF_ACCOUNTS = [(method, pattern) for method, pattern in ALL if "/{SID}" in pattern]
OPEN = {"/healthz", "/readyz", "/metrics"}
# A campaign's token lets in, and no account: test_track.py
SIGN_IN = {("POST", "/Session"), ("POST", "/Session/Code"), ("POST", "/Session/Forgotten"),
           ("POST", "/Session/Link"), ("POST", "/Session/Accept"), ("POST", "/Portal")}
# test_sessions.py, test_second_factor.py, test_people.py
SIGNED_IN = [(method, pattern) for method, pattern in ALL
             if pattern not in OPEN and not pattern.startswith("/Track")
             and (method, pattern) not in SIGN_IN]
# A session's own are for those of each role, and for no token.
BY_SCOPE = [(method, pattern) for method, pattern in SIGNED_IN if "/Session" not in pattern]
# For users who are ADMIN, and for no token of a partner's or brand's.
ADMINS = {route for route, (_, scopes, _, _) in routes().items() if scopes == ["ADMIN"]}
KINDS = {"/Mediapartners": "partner", "/Advertisers": "brand"}
NOWHERE = "987654321"  # an id of nothing

# What a call needs to be right but for whose it is, by the end of its pattern.
BODIES = {
    "POST /Comments": {"Comment": "x"}, "POST /Reopen": {"Comment": "x"},
    "PUT /EventNotifications/{Id}": {"Name": "x"},
    "POST /Exports": {"Records": "POSTBACKS"},
    "POST /Replays": {"StartDate": "2026-01-01"},
    "POST /Replays/Count": {"StartDate": "2026-01-01"}, "POST /Messages": {"Text": "x"},
    "POST /Postbacks/Change": {"Action": "CANCEL", "All": "true"},
}


def body_of(method, pattern):
    for end, body in BODIES.items():
        verb, tail = end.split(" ")
        if method == verb and pattern.endswith(tail):
            return body
    return {} if method in ("POST", "PUT") else None


def call(api, method, path, body=None):
    if (method, path.rsplit("/", 1)[-1]) == ("POST", "Attachments"):
        return api.call(method, path, data=PNG, headers={"Content-Type": "image/png"})
    return api.call(method, path, json=body)


@pytest.fixture(scope="module")
def house(server):
    """Two accounts of each kind; the first ones own one of everything."""
    world = World(server)
    with Receiver(answers(410)) as gone:
        owned = {"/Mediapartners": {}, "/Advertisers": {}}
        accepted = world.open()
        world.brand.ok(world.brand.put("ActionInquiries", {
            "Id": accepted, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
        inquiry = world.open()
        for prefix, role in KINDS.items():
            account, own = getattr(world, role), owned[prefix]
            own["ActionInquiries"] = inquiry
            own["Actions"] = account.ok(account.get(f"ActionInquiries/{accepted}"))["ActionId"]
            own["ActionUpdates"] = account.ok(account.get("ActionUpdates"))["ActionUpdates"][0]["Id"]
            own["EventNotifications"] = world.notify(account, gone.url())["Id"]
            own["Jobs"] = account.ok(account.post("Exports", {"Records": "POSTBACKS"}))["Id"]
        world.open()
        for prefix, role in KINDS.items():
            account, own = getattr(world, role), owned[prefix]
            await_until(lambda a=account, o=own: a.ok(
                a.get(f"Jobs/{o['Jobs']}"))["Status"] == "COMPLETED", "a job's end")
            own["Notices"] = world.await_notice(account)["Id"]
            own["Views"] = account.ok(account.post("Views", {
                "Page": "POSTBACKS", "Name": "Mine"}))["Id"]
            own["Postbacks"] = world.postbacks(account)[0]["Id"]
            own["SupportRequests"] = account.ok(account.post("SupportRequests", {
                "Kind": "OTHER", "Subject": "s", "Text": "t"}))["Id"]
        owned["/Advertisers"]["ApprovalRules"] = world.brand.ok(world.brand.post(
            "ApprovalRules", {"CampaignId": world.campaign, "ActionTrackerId": world.tracker,
                              "Approve": "AFTER_DAYS", "Days": "300"}))["Id"]
        owned["/Advertisers"]["Terms"] = world.brand.ok(world.brand.post(
            "Terms", {"CampaignId": world.campaign, "ActionTrackerId": world.tracker,
                      "PayoutPercentage": "5"}))["Id"]
        owned["/Advertisers"]["Campaigns"] = world.campaign
        for prefix, role in KINDS.items():
            admin = world.browser(getattr(world, role), "ADMIN")
            owned[prefix]["Users"] = world.user_ids[admin.email]
            owned[prefix]["Tokens"] = admin.ok(admin.post("Tokens", {}))["Id"]
            owned[prefix]["Sessions"] = admin.ok(admin.get("Sessions"))["Sessions"][0]["Id"]
            owned[prefix]["Invitations"] = admin.ok(admin.post("Invitations", {
                "Email": f"{role}@example.com"}))["Id"]
        world.owned = owned
        world.strangers = {"/Mediapartners": world.account("PARTNER", "Stranger"),
                           "/Advertisers": world.account("BRAND", "Stranger")}
        world.strange_admins = {prefix: world.browser(one, "ADMIN")
                                for prefix, one in world.strangers.items()}
        yield world


def everything(world):
    """All that the two owners see, and that their events left."""
    seen = []
    for role in KINDS.values():
        account = getattr(world, role)
        own = world.owned["/" + account.prefix.split("/")[1]]
        for noun in ("ActionInquiries", "Actions", "Actions/Sums", "ActionUpdates", "Terms",
                     "EventNotifications", "Postbacks", "Notices", "Campaigns", "SupportRequests",
                     "Jobs"):
            seen.append(account.ok(account.get(noun, **(
                {"CampaignId": world.campaign} if noun in ("ActionInquiries", "Actions") else {}))))
        for noun in ("ActionInquiries", "Actions", "ActionUpdates", "EventNotifications",
                     "Postbacks", "SupportRequests", "Jobs", "Views"):
            seen.append(account.ok(account.get(f"{noun}/{own[noun]}")))
        seen.append(account.ok(account.get(f"EventNotifications/{own['EventNotifications']}"
                                           "/SigningSecret")))
        seen.append(world.operator.ok(world.operator.get("Audit", AccountSid=account.sid)))
    seen.append(world.brand.ok(world.brand.get("ApprovalRules")))
    return seen


def noun_of(pattern):
    return pattern.split("/{SID}/")[1].split("/")[0].removesuffix(".csv")


def path_of(pattern, sid, id):
    """Ids behind the first one are of nothing: what they belong to is asked for first."""
    path = pattern.replace("{Type}", "action.tracked").replace("{SID}", sid).replace("{Id}", id, 1)
    while "{" in path:
        start, rest = path.split("{", 1)
        path = start + NOWHERE + rest.split("}", 1)[1]
    return path


def test_the_table_is_read_whole(house):
    assert len(ALL) > 60 and len(OF_ACCOUNTS) > 50
    for method, pattern in OF_ACCOUNTS:
        assert "/" + pattern.split("/")[1] in KINDS, pattern
    for method, pattern in ALL:  # each one really is a route of this server
        path = path_of(pattern, "PAnobody", NOWHERE)
        answer = requests.request(method, house.server.base + path, timeout=20)
        wanted = 200 if pattern in OPEN else 415 if (method, pattern) in SIGN_IN else 401
        assert answer.status_code == wanted, (method, pattern, answer.status_code)


@pytest.mark.parametrize("method, pattern", OF_ACCOUNTS)
def test_anothers_sid_is_nowhere(house, method, pattern):
    prefix = "/" + pattern.split("/")[1]
    owner = getattr(house, KINDS[prefix])
    id = house.owned[prefix].get(noun_of(pattern), "1")
    callers = [house.strangers["/Mediapartners"], house.strangers["/Advertisers"], house.operator,
               house.brand if prefix == "/Mediapartners" else house.partner]
    for caller in callers:
        body = body_of(method, pattern)
        theirs = call(caller, method, path_of(pattern, owner.sid, id), body)
        nobodys = call(caller, method, path_of(pattern, "PA" + "x" * 22, id), body)
        assert theirs.status_code == nobodys.status_code == 404, (caller.sid, theirs.text)
        assert theirs.content == nobodys.content


@pytest.mark.parametrize("method, pattern", [
    (method, pattern) for method, pattern in OF_ACCOUNTS if "{Id}" in pattern])
def test_anothers_id_is_nowhere(house, method, pattern):
    prefix = "/" + pattern.split("/")[1]
    admins = (method, pattern) in ADMINS
    stranger = (house.strange_admins if admins else house.strangers)[prefix]
    id = house.owned[prefix][noun_of(pattern)]
    body = body_of(method, pattern)
    theirs = call(stranger, method, path_of(pattern, stranger.sid, id), body)
    nothing = call(stranger, method, path_of(pattern, stranger.sid, NOWHERE), body)
    assert theirs.status_code == nothing.status_code == 404, (theirs.text, nothing.text)
    assert theirs.text.replace(id, "ID") == nothing.text.replace(NOWHERE, "ID")
    assert sorted(theirs.headers) == sorted(nothing.headers)


def test_a_brands_decision_on_anothers_inquiry(house):
    stranger = house.strangers["/Advertisers"]
    inquiry = house.owned["/Advertisers"]["ActionInquiries"]
    for decision in ({"ResolutionStatus": "VALID", "ActionTrackerId": house.tracker},
                     {"ResolutionStatus": "DECLINED", "RejectReason": "Other"},
                     {"ResolutionStatus": "INCOMPLETE"}):
        theirs = stranger.put("ActionInquiries", {"Id": inquiry, **decision})
        nothing = stranger.put("ActionInquiries", {"Id": NOWHERE, **decision})
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.text.replace(inquiry, "ID") == nothing.text.replace(NOWHERE, "ID")
    file = "Id,Resolution Status,Resolution Reason\n{},DECLINED,Other\n"
    for id in (inquiry, NOWHERE):
        answer = stranger.call("POST", "ActionInquiries/Import", data=file.format(id),
                               headers={"Content-Type": "text/csv"})
        assert answer.status_code == 400 and answer.json()["Taken"] == "0"
        assert answer.json()["Errors"] == [{"Row": "1", "Line": "2", "Field": "Id", "Message":
                                            f"There is no action inquiry {id}."}]


def test_anothers_ids_in_queries_find_nothing(house):
    partner, brand = house.strangers["/Mediapartners"], house.strangers["/Advertisers"]
    own = house.owned["/Mediapartners"]
    for caller, noun, name, id in (
            (partner, "ActionInquiries", "CampaignId", house.campaign),
            (brand, "ActionInquiries", "CampaignId", house.campaign),
            (partner, "Actions", "CampaignId", house.campaign),
            (brand, "Actions", "CampaignId", house.campaign),
            (partner, "Postbacks", "NotificationId", own["EventNotifications"]),
            (brand, "Postbacks", "InquiryId", own["ActionInquiries"])):
        theirs = caller.get(noun, **{name: id})
        nothing = caller.get(noun, **{name: NOWHERE})
        assert theirs.status_code == nothing.status_code == 200
        assert theirs.text.replace(f"{name}={id}", "") == nothing.text.replace(
            f"{name}={NOWHERE}", "")
        assert theirs.json()[noun] == []
    for caller, query in ((partner, {}), (brand, {"CampaignId": house.campaign})):
        file = caller.call("GET", caller.prefix + "/ActionInquiries.csv", params=query)
        assert file.status_code == 200 and file.content.count(b"\r\n") == 1


def test_anothers_ids_in_bodies_are_those_of_nothing(house):
    partner, brand = house.strangers["/Mediapartners"], house.strangers["/Advertisers"]
    for caller, noun, body, name, id in (
            (partner, "ActionInquiries", house.inquiry(), "CampaignId", house.campaign),
            (brand, "ApprovalRules", {"ActionTrackerId": "1", "Approve": "IMMEDIATELY"},
             "CampaignId", house.campaign),
            (partner, "/Events", {"Type": "action.tracked", "Data": {}}, "AccountSids",
             [house.partner.sid])):
        nothing = ["PA" + "x" * 22] if isinstance(id, list) else NOWHERE
        theirs = caller.post(noun, {**body, name: id})
        nobodys = caller.post(noun, {**body, name: nothing})
        assert theirs.status_code == nobodys.status_code == 400
        assert theirs.content == nobodys.content
    campaign = house.add_campaign(brand, "Own")
    answers_ = [brand.post("ApprovalRules", {
        "CampaignId": campaign, "ActionTrackerId": id, "Approve": "IMMEDIATELY"})
        for id in (house.tracker, NOWHERE)]
    assert [one.status_code for one in answers_] == [400, 400]
    assert answers_[0].content == answers_[1].content
    members = [brand.post("ApprovalRules", {
        "CampaignId": campaign, "ActionTrackerId": NOWHERE, "Approve": "IMMEDIATELY",
        "PartnerSid": sid}) for sid in (house.partner.sid, "PA" + "x" * 22)]
    assert members[0].content == members[1].content


def test_nothing_of_the_owners_has_changed(house):
    """Runs all the wrong calls once more between two looks."""
    before = everything(house)
    for method, pattern in OF_ACCOUNTS:
        prefix = "/" + pattern.split("/")[1]
        owner, stranger = getattr(house, KINDS[prefix]), house.strangers[prefix]
        id = house.owned[prefix].get(noun_of(pattern), "1")
        body = body_of(method, pattern)
        call(stranger, method, path_of(pattern, owner.sid, id), body)
        if "{Id}" in pattern:
            call(stranger, method, path_of(pattern, stranger.sid, id), body)
    assert everything(house) == before


# ---- without a sign-in, and of the wrong kind ----

@pytest.mark.parametrize("method, pattern", SIGNED_IN)
def test_without_a_sign_in(house, method, pattern):
    owner = house.partner if pattern.startswith("/Med") else house.brand
    path = path_of(pattern, owner.sid, "1")
    for headers in ({}, {"Authorization": "Bearer " + owner.token},
                    {"Authorization": "Basic"}, {"Authorization": "Basic ?"},
                    {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}):
        answer = requests.request(method, house.server.base + path, headers=headers, timeout=20,
                                  json=body_of(method, pattern))
        assert answer.status_code == 401, (headers, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert answer.json()["Status"] == "ERROR" and answer.json()["Errors"] == []
        assert owner.token not in answer.text


@pytest.mark.parametrize("method, pattern", OF_ACCOUNTS)
def test_an_account_of_the_other_kind(house, method, pattern):
    """With its own SID under the other kind's address."""
    other = house.brand if pattern.startswith("/Mediapartners") else house.partner
    answer = call(other, method, path_of(pattern, other.sid, "1"), body_of(method, pattern))
    assert answer.status_code == 403, answer.text
    assert "This is not for" in answer.json()["Message"]


@pytest.mark.parametrize("method, pattern", [
    (method, pattern) for method, pattern in ALL if pattern.startswith("/Operator")])
def test_the_operators_routes_are_the_operators_alone(house, method, pattern):
    path = pattern.replace("{Account}", house.partner.sid).replace("{Id}", "1")
    for account in (house.partner, house.brand):
        answer = call(account, method, path, body_of(method, pattern))
        assert answer.status_code == 403, (method, path, answer.text)


@pytest.mark.parametrize("method, pattern", BY_SCOPE)
def test_a_token_that_only_reads_reads(house, method, pattern):
    """READ never changes anything; EVENTS does nothing but send events and see the catalog."""
    prefix = "/" + pattern.split("/")[1]
    account = getattr(house, KINDS.get(prefix, ""), house.operator)
    for scope, allowed in (
            ("READ", method == "GET" and not pattern.endswith("/SigningSecret")
             and (method, pattern) not in ADMINS),
            ("EVENTS", pattern == "/Events" or pattern.startswith("/EventCatalog"))):
        key = (account.sid, scope)
        if key not in house.__dict__.setdefault("tokens", {}):
            house.tokens[key] = house.token(account.sid, scope)
        api = Api(house.server.base, account.sid, house.tokens[key])
        path = path_of(pattern, account.sid, NOWHERE)
        answer = call(api, method, path, body_of(method, pattern))
        assert (answer.status_code == 403) == (not allowed), (scope, path, answer.text)


def test_a_sid_goes_with_its_own_token_only(house):
    for sid, token in ((house.partner.sid, house.brand.token),
                       (house.brand.sid, house.partner.token),
                       (house.partner.sid.lower(), house.partner.token),
                       (house.partner.sid, house.partner.token + "A"),
                       (house.partner.sid, house.partner.token[:-1])):
        answer = requests.get(house.server.base + "/EventCatalog", auth=(sid, token), timeout=20)
        assert answer.status_code == 401
        assert json.loads(answer.text)["Message"]
