"""The operator's API: accounts, tokens, users, campaigns, custom headers and the audit log."""

import json

import pytest

from harness.receiver import answers
from harness.server import Api


def fields(answer):
    return sorted(error["Field"] for error in answer.json()["Errors"])


def with_token(world, account, token):
    return Api(world.server.base, account.sid, token, account.prefix)


def make_token(world, account, scope, **more):
    return world.operator.ok(world.operator.post(
        f"Accounts/{account.sid}/Tokens", {"Scope": scope, **more}))


def audit(world, account=None, **query):
    if account:
        query["AccountSid"] = account.sid
    return world.operator.ok(world.operator.get("Audit", **query))["Entries"]


# ---- accounts ----

@pytest.mark.parametrize("kind, begins", [("PARTNER", "PA"), ("BRAND", "BR")])
def test_an_account_is_made_shown_and_changed(world, kind, begins):
    operator = world.operator
    made = operator.ok(operator.post("Accounts", {
        "Kind": kind, "Name": "Ünder & Co", "Email": "desk@example.com"}))
    assert made["Sid"].startswith(begins) and len(made["Sid"]) == 24
    assert made["Uri"] == f"/Operator/Accounts/{made['Sid']}"
    shown = operator.ok(operator.get(made["Uri"]))
    wanted = {"Id": made["Id"], "Sid": made["Sid"], "Kind": kind, "Name": "Ünder & Co",
              "Email": "desk@example.com", "Active": "true", "Uri": made["Uri"]}
    assert {name: shown[name] for name in wanted} == wanted and shown["CreationDate"]
    operator.ok(operator.put(made["Uri"], {"Name": "Over"}))
    after = operator.ok(operator.get(made["Uri"]))
    assert after == {**shown, "Name": "Over"}
    operator.ok(operator.call("PUT", made["Uri"], data={"Email": "", "Active": "no"}))
    assert operator.ok(operator.get(made["Uri"])) == {
        **shown, "Name": "Over", "Email": "", "Active": "false"}


@pytest.mark.parametrize("body, wrong", [
    ({}, ["Kind", "Name"]),
    ({"Kind": "OPERATOR", "Name": "x"}, ["Kind"]),
    ({"Kind": "SHOP", "Name": "", "Email": "nobody", "Colour": "red"},
     ["Colour", "Email", "Kind", "Name"]),
    ({"Kind": "BRAND", "Name": "x" * 201}, ["Name"]),
    ({"Kind": "BRAND", "Name": "a\nb"}, ["Name"]),
    ({"Kind": ["BRAND"], "Name": {"a": 1}}, ["Kind", "Name"]),
    ({"Kind": "BRAND", "Name": "x", "Email": "a@b@c"}, ["Email"]),
])
def test_wrong_accounts_are_refused_by_field(world, body, wrong):
    answer = world.operator.post("Accounts", body)
    assert answer.status_code == 400 and fields(answer) == wrong, answer.text


def test_wrong_changes_of_an_account(world):
    path = f"Accounts/{world.partner.sid}"
    for body, wrong in (({"Name": ""}, ["Name"]), ({"Active": "maybe"}, ["Active"]),
                        ({"Kind": "BRAND", "Sid": "x"}, ["Kind", "Sid"])):
        answer = world.operator.put(path, body)
        assert answer.status_code == 400 and fields(answer) == wrong, answer.text
    assert world.operator.put("Accounts/PAnobody", {"Name": "x"}).status_code == 404
    assert world.operator.get("Accounts/PAnobody").status_code == 404
    own = world.operator.put(f"Accounts/{world.operator.sid}", {"Active": "false"})
    assert own.status_code == 409 and "own account" in own.json()["Message"]
    assert world.operator.get("Accounts").status_code == 200


def test_accounts_are_listed_under_a_cursor(world):
    operator = world.operator
    seen, uri = [], "Accounts?PageSize=1&Kind=BRAND"
    while uri:
        page = operator.ok(operator.get(uri))
        seen += [one["Sid"] for one in page["Accounts"]]
        assert all(one["Kind"] == "BRAND" for one in page["Accounts"])
        uri = page["@nextpageuri"]
    assert len(seen) == len(set(seen)) and world.brand.sid in seen
    assert world.partner.sid not in seen
    assert fields(operator.get("Accounts", Kind="SHOP", After="x", PageSize="0", Colour="1")) == [
        "After", "Colour", "Kind", "PageSize"]


def test_an_inactive_account_is_out_until_it_is_active_again(world):
    world.notify(world.partner, "https://example.com/")
    path = f"Accounts/{world.partner.sid}"
    world.operator.ok(world.operator.put(path, {"Active": "false"}))
    assert world.partner.get("EventNotifications").status_code == 401
    world.operator.ok(world.operator.put(path, {"Active": "true"}))
    assert world.partner.get("EventNotifications").status_code == 200


# ---- tokens ----

def test_a_token_is_shown_once_and_kept_as_a_hash(world):
    made = make_token(world, world.partner, "API", Label="shop system")
    token = made["Token"]
    assert token.startswith("pbt_") and len(token) > 40
    listed = world.operator.get(f"Accounts/{world.partner.sid}/Tokens")
    assert token not in listed.text
    one = [each for each in listed.json()["Tokens"] if each["Id"] == made["Id"]][0]
    assert (one["Scope"], one["Label"], one["RevokedDate"]) == ("API", "shop system", "")
    assert with_token(world, world.partner, token).get("Campaigns").status_code == 200
    assert token.encode() not in world.server.store.content()
    assert token not in world.server.log() and token not in json.dumps(audit(world))


def test_the_three_scopes(world):
    inquiry = world.open()
    made = world.notify(world.partner, "https://example.com/")
    event = {"Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {}}
    calls = {
        "GET list": lambda api: api.get("ActionInquiries"),
        "GET one": lambda api: api.get(f"ActionInquiries/{inquiry}"),
        "GET csv": lambda api: api.get(api.prefix + "/ActionInquiries.csv"),
        "GET secret": lambda api: api.get(made["Uri"] + "/SigningSecret"),
        "GET catalog": lambda api: api.get("/EventCatalog"),
        "POST inquiry": lambda api: api.post("ActionInquiries", world.inquiry()),
        "POST import": lambda api: api.call("POST", "ActionInquiries/Import", data="x",
                                            headers={"Content-Type": "text/csv"}),
        "POST close": lambda api: api.post(f"ActionInquiries/{inquiry}/Close"),
        "PUT": lambda api: api.put(made["Uri"], {"Name": "x"}),
        "DELETE": lambda api: api.delete(made["Uri"]),
        "POST event": lambda api: api.post("/Events", event),
    }
    reads = {"GET list", "GET one", "GET csv", "GET catalog"}
    for scope, allowed in (("READ", reads), ("EVENTS", {"GET catalog", "POST event"}),
                           ("API", set(calls))):
        api = with_token(world, world.partner, make_token(world, world.partner, scope)["Token"])
        for name, call in calls.items():
            status = call(api).status_code
            assert (status != 403) == (name in allowed), (scope, name, status)
            assert status != 401, (scope, name)


def test_the_operators_own_reading_token(world):
    api = Api(world.server.base, world.operator.sid,
              make_token(world, world.operator, "READ")["Token"], "/Operator")
    assert api.get("Accounts").status_code == 200 and api.get("Audit").status_code == 200
    for answer in (api.post("Accounts", {"Kind": "BRAND", "Name": "x"}),
                   api.put(f"Accounts/{world.brand.sid}", {"Name": "x"}),
                   api.post(f"Accounts/{world.brand.sid}/Tokens", {"Scope": "API"}),
                   api.post("Campaigns", {}), api.delete(f"Accounts/{world.brand.sid}/Tokens/1")):
        assert answer.status_code == 403, answer.text


def test_a_revoked_token_is_out_at_once_and_the_others_stay(world):
    for _ in range(5):  # also while it is known without the store
        made = make_token(world, world.partner, "API")
        api = with_token(world, world.partner, made["Token"])
        assert api.get("Campaigns").status_code == 200
        world.operator.ok(world.operator.delete(made["Uri"]))
        assert api.get("Campaigns").status_code == 401
        assert world.partner.get("Campaigns").status_code == 200
    listed = world.operator.ok(world.operator.get(f"Accounts/{world.partner.sid}/Tokens"))["Tokens"]
    assert len([one for one in listed if one["RevokedDate"]]) == 5
    again = world.operator.delete(made["Uri"])
    assert again.status_code == 404


def test_a_token_is_revoked_under_its_own_account_only(world):
    made = make_token(world, world.partner, "API")
    other = world.operator.delete(f"Accounts/{world.brand.sid}/Tokens/{made['Id']}")
    assert other.status_code == 404
    for id in ("0", "x", "-1", "99999999999999999999"):
        assert world.operator.delete(
            f"Accounts/{world.partner.sid}/Tokens/{id}").status_code == 404, id
    assert with_token(world, world.partner, made["Token"]).get("Campaigns").status_code == 200


def test_the_token_one_calls_with_cannot_be_revoked_by_itself(world):
    made = make_token(world, world.operator, "API")
    api = Api(world.server.base, world.operator.sid, made["Token"], "/Operator")
    answer = api.delete(made["Uri"])
    assert answer.status_code == 409 and "another" in answer.json()["Message"]
    world.operator.ok(world.operator.delete(made["Uri"]))
    assert api.get("Accounts").status_code == 401


@pytest.mark.parametrize("body, wrong", [
    ({"Scope": "ALL"}, ["Scope"]), ({"Label": "x" * 61, "Colour": "1"}, ["Colour", "Label"])])
def test_wrong_tokens(world, body, wrong):
    answer = world.operator.post(f"Accounts/{world.partner.sid}/Tokens", body)
    assert answer.status_code == 400 and fields(answer) == wrong
    assert world.operator.post("Accounts/PAnobody/Tokens", {}).status_code == 404
    assert world.operator.get("Accounts/PAnobody/Tokens").status_code == 404


# ---- users ----

def test_users_are_added_and_listed_without_their_passwords(world):
    path = f"Accounts/{world.brand.sid}/Users"
    email = f"{world.brand.sid}@example.com"
    password = " correct horse battery "
    made = world.operator.ok(world.operator.post(path, {
        "Email": email, "Name": "Dana", "Role": "READ_ONLY", "Password": password}))
    assert made["Uri"] == f"/Operator/{path}/{made['Id']}"
    listed = world.operator.get(path)
    assert "correct horse" not in listed.text and "argon2" not in listed.text
    (one,) = listed.json()["Users"]
    assert (one["Id"], one["Email"], one["Name"], one["Role"], one["Active"]) == (
        made["Id"], email, "Dana", "READ_ONLY", "true")
    ((kept,),) = world.server.store.rows("SELECT password_hash FROM person WHERE email = ?", email)
    assert kept.startswith("$argon2id$") and "correct" not in kept
    assert "correct horse" not in json.dumps(audit(world)) + world.server.log()
    again = world.operator.post(path, {"Email": email.upper(), "Name": "Other",
                                       "Password": password})
    assert again.status_code == 409 and fields(again) == ["Email"]


@pytest.mark.parametrize("body, wrong", [
    ({}, ["Email", "Name", "Password"]),
    ({"Email": "x", "Name": "", "Role": "KING", "Password": "short", "Colour": "1"},
     ["Colour", "Email", "Name", "Password", "Role"]),
    ({"Email": "a@b.example", "Name": "x", "Password": "p" * 1025}, ["Password"]),
    ({"Email": "a@b.example", "Name": "x", "Password": 123456789012}, ["Password"]),
])
def test_wrong_users(world, body, wrong):
    answer = world.operator.post(f"Accounts/{world.brand.sid}/Users", body)
    assert answer.status_code == 400 and fields(answer) == wrong, answer.text
    right = {"Email": "a@b.example", "Name": "x", "Password": "long enough it is"}
    assert world.operator.post("Accounts/BRnobody/Users", right).status_code == 404


# ---- campaigns ----

def test_a_campaign_with_its_trackers_and_members(world):
    operator = world.operator
    made = operator.ok(operator.post("Campaigns", {
        "BrandSid": world.brand.sid, "Name": "Spring", "Currency": "GBP"}))
    path = made["Uri"]
    tracker = operator.ok(operator.post(path + "/Trackers", {"Name": "Lead"}))
    operator.ok(operator.post(path + "/Members", {"PartnerSid": world.partner.sid}))
    operator.ok(operator.post(path + "/Members", {"PartnerSid": world.partner.sid}))  # no mistake
    shown = operator.ok(operator.get(path))
    wanted = {"Id": made["Id"], "Name": "Spring", "Currency": "GBP", "BrandSid": world.brand.sid,
              "BrandName": "Acme Shoes", "Trackers": [{"Id": tracker["Id"], "Name": "Lead"}]}
    assert {name: shown[name] for name in wanted} == wanted
    assert operator.ok(operator.get(path + "/Trackers"))["Trackers"] == wanted["Trackers"]
    (member,) = operator.ok(operator.get(path + "/Members"))["Members"]
    assert (member["PartnerSid"], member["PartnerName"]) == (world.partner.sid, "Cashback Corner")
    for account in (world.partner, world.brand):
        listed = account.ok(account.get("Campaigns"))["Campaigns"]
        assert [one["Name"] for one in listed] == ["Acme Autumn", "Spring"]
    operator.ok(operator.delete(f"{path}/Members/{world.partner.sid}"))
    assert operator.delete(f"{path}/Members/{world.partner.sid}").status_code == 404
    assert len(world.partner.ok(world.partner.get("Campaigns"))["Campaigns"]) == 1
    refused = world.partner.post("ActionInquiries", world.inquiry(CampaignId=made["Id"]))
    assert refused.status_code == 400 and fields(refused) == ["CampaignId"]


def test_wrong_campaigns_trackers_and_members(world):
    operator = world.operator
    for body, wrong in (({}, ["BrandSid", "Currency", "Name"]),
                        ({"BrandSid": world.partner.sid, "Name": "x", "Currency": "EURO"},
                         ["BrandSid", "Currency"]),
                        ({"BrandSid": "nobody", "Name": "x", "Currency": "XXQ", "Colour": "1"},
                         ["BrandSid", "Colour", "Currency"])):
        answer = operator.post("Campaigns", body)
        assert answer.status_code == 400 and fields(answer) == wrong, answer.text
    path = f"Campaigns/{world.campaign}"
    for body in ({}, {"Name": ""}, {"Name": "x" * 201}):
        assert fields(operator.post(path + "/Trackers", body)) == ["Name"]
    twice = operator.post(path + "/Trackers", {"Name": "Online sale"})
    assert twice.status_code == 409 and fields(twice) == ["Name"]
    for sid in (world.brand.sid, "nobody", ""):
        assert fields(operator.post(path + "/Members", {"PartnerSid": sid})) == ["PartnerSid"]
    for id in ("999999", "x", "0"):
        for answer in (operator.get(f"Campaigns/{id}"), operator.get(f"Campaigns/{id}/Trackers"),
                       operator.get(f"Campaigns/{id}/Members"),
                       operator.post(f"Campaigns/{id}/Trackers", {"Name": "x"}),
                       operator.post(f"Campaigns/{id}/Members", {"PartnerSid": world.partner.sid}),
                       operator.delete(f"Campaigns/{id}/Members/{world.partner.sid}")):
            assert answer.status_code == 404, (id, answer.url)


def test_campaigns_are_filtered_by_brand_and_partner(world):
    other = world.account("BRAND", "Other")
    theirs = world.add_campaign(other, "Theirs")
    operator = world.operator

    def ids(**query):
        return [one["Id"] for one in operator.ok(operator.get("Campaigns", **query))["Campaigns"]]
    assert ids(BrandSid=world.brand.sid) == [world.campaign]
    assert ids(BrandSid=other.sid) == [theirs]
    assert ids(PartnerSid=world.partner.sid) == [world.campaign]
    assert ids(PartnerSid=world.partner.sid, BrandSid=other.sid) == []
    assert fields(operator.get("Campaigns", BrandSid=world.partner.sid)) == ["BrandSid"]
    assert fields(operator.get("Campaigns", PartnerSid="nobody")) == ["PartnerSid"]


# ---- custom headers ----

def set_headers(world, made, *headers):
    return world.operator.put(f"Notifications/{made['Id']}/Headers", {
        "CustomHeaders": [{"Name": name, "Value": value} for name, value in headers]})


def test_the_operator_sets_headers_that_the_account_sees_by_name_only(world, receiver):
    made = world.notify(world.partner, receiver.url())
    secret = "Bearer k33p-me-quiet"
    world.operator.ok(set_headers(world, made, ("Authorization", secret), ("X-Shop", "7")))
    world.open()
    request = receiver.wait(1)[0]
    assert request.header("authorization") == secret and request.header("x-shop") == "7"
    hidden = [{"Name": name, "Value": "(hidden)"} for name in ("Authorization", "X-Shop")]
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert shown["CustomHeaders"] == hidden and shown["Revision"] == "2"
    (listed,) = world.operator.ok(world.operator.get(
        "Notifications", AccountSid=world.partner.sid))["Notifications"]
    assert listed["CustomHeaders"] == hidden and listed["AccountSid"] == world.partner.sid
    assert listed["ModifiedDate"] == shown["ModifiedDate"] and "UpdateDate" not in listed
    done = world.await_state(world.partner, "DELIVERED")[0]
    log = world.partner.get(done["Uri"])
    assert '"Authorization","Value":"(hidden)"' in log.text.replace('": "', '":"')
    entry = [one for one in audit(world, world.operator)
             if one["Action"] == "notification.headers"][0]
    assert "Authorization" in str(entry["Detail"])
    for text in (log.text, json.dumps(audit(world)), world.server.log(), json.dumps(listed),
                 world.partner.post(made["Uri"] + "/Test").text):
        assert "k33p-me-quiet" not in text
    assert b"k33p-me-quiet" not in world.server.store.content()


def test_headers_stay_when_the_account_changes_its_settings(world, receiver):
    made = world.notify(world.partner, receiver.url())
    world.operator.ok(set_headers(world, made, ("X-Key", "one")))
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    world.partner.ok(world.partner.put(made["Uri"], {**shown, "Name": "Renamed"}))
    world.open()
    assert receiver.wait(1)[0].header("x-key") == "one"
    for value in ([{"Name": "X-Key", "Value": "mine"}], [{"Name": "X-New", "Value": "x"}], "none"):
        answer = world.partner.put(made["Uri"], {"CustomHeaders": value})
        assert answer.status_code == 400 and fields(answer) == ["CustomHeaders"]
        assert "operator" in answer.json()["Errors"][0]["Message"]
    world.operator.ok(world.operator.put(f"Notifications/{made['Id']}/Headers", {"CustomHeaders": [
        {"Name": "X-Key", "Value": "(hidden)"}, {"Name": "X-Two", "Value": "2"}]}))
    world.open()
    assert [receiver.wait(2)[1].header(name) for name in ("x-key", "x-two")] == ["one", "2"]
    world.operator.ok(set_headers(world, made))
    world.open()
    assert receiver.wait(3)[2].header("x-key") is None


@pytest.mark.parametrize("headers, wrong", [
    ([{"Name": "Host", "Value": "x"}], "CustomHeaders[0].Name"),
    ([{"Name": "content-length", "Value": "1"}], "CustomHeaders[0].Name"),
    ([{"Name": "Webhook-Id", "Value": "1"}], "CustomHeaders[0].Name"),
    ([{"Name": "Transfer-Encoding", "Value": "chunked"}], "CustomHeaders[0].Name"),
    ([{"Name": "X A", "Value": "1"}], "CustomHeaders[0].Name"),
    ([{"Name": "X:", "Value": "1"}], "CustomHeaders[0].Name"),
    ([{"Name": "", "Value": "1"}], "CustomHeaders[0].Name"),
    ([{"Name": "X-A", "Value": "a\r\nX-B: c"}], "CustomHeaders[0].Value"),
    ([{"Name": "X-A", "Value": "a\x00b"}], None),
    ([{"Name": "X-A", "Value": "ü"}], "CustomHeaders[0].Value"),
    ([{"Name": "X-A"}], "CustomHeaders[0].Value"),
    ([{"Name": "X-A", "Value": "1"}, {"Name": "x-a", "Value": "2"}], "CustomHeaders[1].Name"),
    ([{"Name": "X-A", "Value": "1"}, "X-B"], "CustomHeaders[1]"),
    ([{"Name": "X-A", "Value": "1", "Also": "2"}], "CustomHeaders[0]"),
    ([{"Name": f"X-{n}", "Value": "1"} for n in range(200)], "CustomHeaders"),
    ([{"Name": "X-A", "Value": "v" * 100000}], "CustomHeaders[0].Value"),
    ("X-A: 1", "CustomHeaders"),
    (None, "CustomHeaders"),
])
def test_wrong_headers_are_refused_with_their_place(world, headers, wrong):
    made = world.notify(world.partner, "https://example.com/")
    answer = world.operator.put(f"Notifications/{made['Id']}/Headers", {"CustomHeaders": headers})
    assert answer.status_code == 400, answer.text
    if wrong:
        assert wrong in fields(answer), answer.text
    assert world.partner.ok(world.partner.get(made["Uri"]))["CustomHeaders"] == []


def test_headers_of_nothing(world):
    for id in ("999999", "x"):
        answer = world.operator.put(f"Notifications/{id}/Headers", {"CustomHeaders": []})
        assert answer.status_code == 404
    assert world.operator.call("PUT", "Notifications/1/Headers", data={"CustomHeaders": "[]"}
                               ).status_code == 415


# ---- the audit log ----

def test_every_change_is_in_the_audit_log_with_who_what_and_from_where(world, receiver):
    operator, partner, brand = world.operator, world.partner, world.brand
    made = world.notify(partner, receiver.url())
    partner.ok(partner.put(made["Uri"], {"Name": "x"}))
    partner.ok(partner.post(made["Uri"] + "/Pause"))
    partner.ok(partner.post(made["Uri"] + "/Resume"))
    partner.ok(partner.post(made["Uri"] + "/SigningSecret"))
    inquiry = world.open()
    brand.ok(brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "INCOMPLETE"}))
    partner.ok(partner.post(f"ActionInquiries/{inquiry}/Comments", {"Comment": "x"}))
    brand.ok(brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "DECLINED",
                                           "RejectReason": "Other"}))
    partner.ok(partner.post(f"ActionInquiries/{inquiry}/Reopen", {"Comment": "x"}))
    brand.ok(brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "VALID",
                                           "ActionTrackerId": world.tracker}))
    partner.ok(partner.post(f"ActionInquiries/{inquiry}/Close"))
    done = world.await_state(partner, "DELIVERED", 1)[0]
    partner.ok(partner.post(done["Uri"] + "/Resend"))
    partner.ok(partner.delete(made["Uri"]))
    token = make_token(world, partner, "READ")
    operator.ok(operator.delete(token["Uri"]))
    operator.ok(operator.put(f"Accounts/{partner.sid}", {"Name": "Corner"}))
    uri = f"{partner.prefix}/ActionInquiries/{inquiry}"
    theirs = f"{brand.prefix}/ActionInquiries/{inquiry}"
    assert [(one["Action"], one["Object"]) for one in audit(world, partner)][::-1] == [
        ("notification.create", made["Uri"]), ("notification.change", made["Uri"]),
        ("notification.pause", made["Uri"]), ("notification.resume", made["Uri"]),
        ("notification.rotate_secret", made["Uri"]), ("inquiry.open", uri),
        ("inquiry.comment", uri), ("inquiry.reopen", uri), ("inquiry.close", uri),
        ("postback.resend", done["Uri"]), ("notification.delete", made["Uri"])]
    assert [(one["Action"], one["Object"]) for one in audit(world, brand)][::-1] == [
        ("inquiry.ask", theirs), ("inquiry.decline", theirs), ("inquiry.accept", theirs)]
    newest = audit(world, operator, PageSize="3")
    assert [one["Action"] for one in newest] == ["account.change", "token.revoke", "token.add"]
    assert "Corner" in str(newest[0]["Detail"])
    for one in audit(world, partner) + newest:
        assert one["Address"] == "127.0.0.1" and one["Actor"] and one["Date"], one
    assert audit(world, partner)[0]["Actor"] == "test"  # the token's label
    assert made["SigningSecret"] not in json.dumps(audit(world))


def test_what_is_refused_is_not_in_the_audit_log(world):
    before = audit(world, world.partner)
    world.partner.post("ActionInquiries", {})
    world.partner.post("EventNotifications", {})
    world.partner.post("ActionInquiries/999999/Close")
    world.partner.put("EventNotifications/999999", {"Name": "x"})
    assert audit(world, world.partner) == before


def test_the_audit_log_is_read_page_by_page(world):
    for _ in range(5):
        world.open()
    seen, uri = [], f"Audit?AccountSid={world.partner.sid}&PageSize=2"
    while uri:
        page = world.operator.ok(world.operator.get(uri))
        seen += [int(one["Id"]) for one in page["Entries"]]
        uri = page["@nextpageuri"]
    assert len(seen) == 5 and seen == sorted(seen, reverse=True)
    assert fields(world.operator.get("Audit", AccountSid="nobody")) == ["AccountSid"]
    assert fields(world.operator.get("Audit", Before="x", After="1")) == ["After", "Before"]


# ---- what an account may not ----

def test_the_operators_calls_are_the_operators(world):
    for account in (world.partner, world.brand):
        for answer in (account.get("/Operator/Accounts"), account.get("/Operator/Audit"),
                       account.post("/Operator/Accounts", {"Kind": "BRAND", "Name": "x"}),
                       account.get(f"/Operator/Accounts/{account.sid}"),
                       account.post(f"/Operator/Accounts/{account.sid}/Tokens", {"Scope": "API"}),
                       account.put("/Operator/Notifications/1/Headers", {"CustomHeaders": []})):
            assert answer.status_code == 403, answer.url
            assert "This is not for" in answer.json()["Message"]


# ---- an account's own pages ----

def test_an_account_sees_its_campaigns_and_notices(world, receivers):
    listed = world.partner.ok(world.partner.get("Campaigns"))["Campaigns"]
    assert [(one["Id"], one["BrandSid"]) for one in listed] == [(world.campaign, world.brand.sid)]
    assert world.partner.ok(world.partner.get("Notices"))["Notices"] == []
    gone = receivers(answers(410))
    made = world.notify(world.partner, gone.url())
    world.open()
    gone.wait(1)
    notice = world.await_notice(world.partner)
    assert notice["Kind"] == "notification.held" and notice["ReadDate"] == ""
    assert world.partner.ok(world.partner.get(made["Uri"]))["State"] == "HELD"
    world.partner.ok(world.partner.post(f"Notices/{notice['Id']}/Read"))
    (read,) = world.partner.ok(world.partner.get("Notices"))["Notices"]
    assert read["ReadDate"] and {**read, "ReadDate": ""} == notice
    assert world.brand.ok(world.brand.get("Notices"))["Notices"] == []
    assert world.brand.post(f"Notices/{notice['Id']}/Read").status_code == 404
    assert world.partner.post("Notices/999999/Read").status_code == 404
