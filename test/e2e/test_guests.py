"""Who is let into an account for a while: the operator who looks into it, and the portal inside
another product's page; and attacks on both: a write, another route, another account, a used code."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.engine import ON_POSTGRESQL
from harness.faults import FaultyServer
from harness.openapi import routes
from harness.server import Api, Server, World, await_until

SHOP = "https://shop.example.com"


def look_into(world, account, by=None):
    by = by or world.operator
    made = by.ok(by.post(f"Accounts/{account.sid}/Looks"))
    return Api(world.server.base, account.sid, made["Token"], account.prefix), made


def open_portal(world, account, **fields):
    made = world.operator.ok(world.operator.post(f"Accounts/{account.sid}/PortalSessions", fields))
    return made["Url"].split("#")[1], made


def exchange(world, code, **headers):
    return requests.post(world.server.base + "/Portal", json={"Code": code}, headers=headers, timeout=20)


def enter_portal(world, account, **fields):
    told = exchange(world, open_portal(world, account, **fields)[0])
    assert told.status_code == 200, told.text
    return Api(world.server.base, account.sid, told.json()["Token"], account.prefix), told.json()


def address_of(pattern, sid):
    return re.sub(r"\{\w+\}", "1", pattern.replace("{SID}", sid))


def call(guest, method, address):
    return guest.call(method, address, json={} if method in ("POST", "PUT") else None)


def everything(world, account):
    """What the account and its audit log show, but for the guests themselves."""
    seen = [account.ok(account.get(noun)) for noun in (
        "EventNotifications", "Postbacks", "Notices", "SupportRequests", "Jobs", "Campaigns")]
    return seen + [one for one in audit(world, account) if not one["Action"].startswith(("look.", "portal."))]


def audit(world, account):
    return world.operator.ok(world.operator.get("Audit", AccountSid=account.sid))["Entries"]


# ---- looking into an account ----

def test_the_operator_reads_what_the_account_reads(world):
    made = world.notify(world.partner, "http://127.0.0.1:9/p", Name="Mine")
    for by in (world.operator, world.browser(world.operator, "ADMIN")):
        looking, look = look_into(world, world.partner, by)
        assert (look["Sid"], look["Kind"], look["Name"]) == (world.partner.sid, "PARTNER", "Cashback Corner")
        for path in ("EventNotifications", "Postbacks", "Notices", "Campaigns", made["Uri"],
                     "/EventCatalog", "ActionInquiries"):
            assert looking.ok(looking.get(path)) == world.partner.ok(world.partner.get(path))
        assert looking.get(f"{made['Uri']}/SigningSecret").status_code == 403
        by.ok(by.delete(look["Uri"]))
        assert looking.get("EventNotifications").status_code == 401
        assert by.delete(look["Uri"]).status_code == 404
    for account, who in ((world.partner, "Operator: "), (world.operator, "")):
        said = [one["Action"] for one in audit(world, account)
                if one["Action"].startswith("look.") and one["Actor"].startswith(who)]
        assert said == ["look.end", "look.begin"] * 2, said


def test_a_look_changes_nothing_by_any_route(world):
    world.notify(world.partner, "http://127.0.0.1:9/p")
    world.notify(world.brand, "http://127.0.0.1:9/p")
    tried = 0
    for account in (world.partner, world.brand):
        looking, _ = look_into(world, account)
        before = everything(world, account)
        for (method, pattern), (accounts, *_) in routes().items():
            if method == "GET" or not accounts:
                continue
            answer = call(looking, method, address_of(pattern, account.sid))
            assert answer.status_code == 403, (method, pattern, answer.status_code, answer.text)
            tried += 1
        assert everything(world, account) == before
    assert tried > 100


def test_a_look_reaches_no_other_account_nor_the_operator(world):
    looking, look = look_into(world, world.partner)
    other = world.account("PARTNER", "Another")
    for (method, pattern), (accounts, *_) in routes().items():
        if method != "GET" or not accounts:
            continue
        for sid in (other.sid, world.brand.sid):
            answer = looking.get(address_of(pattern, sid))
            assert pattern == "/EventCatalog" or answer.status_code in (403, 404), (pattern, answer.text)
        if pattern.startswith(("/Operator", "/Session")):
            assert looking.get(address_of(pattern, world.partner.sid)).status_code == 403, pattern
    assert Api(world.server.base, other.sid, look["Token"]).get(
        other.prefix + "/Postbacks").status_code == 401
    cookie = {"Cookie": f"postbackd_session={look['Token']}"}
    assert requests.get(world.server.base + "/Session", headers=cookie, timeout=20).status_code == 401
    for account in (world.partner, world.brand):
        assert account.post(f"/Operator/Accounts/{world.partner.sid}/Looks").status_code == 403
    assert world.operator.post(f"Accounts/{world.operator.sid}/Looks").status_code == 409


def test_a_look_ends_with_who_looks(world):
    token = world.operator.ok(world.operator.post(f"Accounts/{world.operator.sid}/Tokens", {}))
    by = Api(world.server.base, world.operator.sid, token["Token"], "/Operator")
    browser = world.browser(world.operator, "ADMIN")
    looking, also = look_into(world, world.partner, by)[0], look_into(world, world.partner, browser)[0]
    assert looking.get("Postbacks").status_code == also.get("Postbacks").status_code == 200
    world.operator.ok(world.operator.delete(f"Accounts/{world.operator.sid}/Tokens/{token['Id']}"))
    assert looking.get("Postbacks").status_code == 401
    world.operator.ok(world.operator.put(
        f"Accounts/{world.operator.sid}/Users/{world.user_ids[browser.email]}", {"Active": False}))
    assert also.get("Postbacks").status_code == 401


@pytest.mark.skipif(ON_POSTGRESQL, reason="there the clock is the database's")
def test_guests_end_after_an_hour_and_addresses_after_minutes():
    with FaultyServer() as server:
        world = World(server)
        looking, portal = look_into(world, world.partner)[0], enter_portal(world, world.partner)[0]
        code, _ = open_portal(world, world.partner)
        server.faults.clock_offset_ms = 4 * 60000
        assert exchange(world, open_portal(world, world.partner)[0]).status_code == 200
        server.faults.clock_offset_ms = 6 * 60000
        assert exchange(world, code).status_code == 401
        assert looking.get("Postbacks").status_code == portal.get("Postbacks").status_code == 200
        server.faults.clock_offset_ms = 61 * 60000
        for guest in (looking, portal):
            await_until(lambda g=guest: g.get("Postbacks").status_code == 401, "the end of an hour")


# ---- the portal ----

def test_a_portal_has_notifications_and_postbacks(world, receiver):
    portal, told = enter_portal(world, world.partner, Name="Acme Partners", Color="#0b5c4a")
    assert told["Brand"] == {"Name": "Acme Partners", "Color": "#0b5c4a"} and told["ReadOnly"] == "false"
    made = world.notify(portal, receiver.url())
    world.open()
    await_until(lambda: portal.ok(portal.get("Postbacks"))["Postbacks"], "a postback")
    portal.ok(portal.put(made["Uri"], {"Name": "Changed"}))
    assert portal.ok(portal.get("/EventCatalog"))["Categories"]
    reading, told = enter_portal(world, world.partner, ReadOnly=True)
    assert told["ReadOnly"] == "true" and reading.get(made["Uri"]).status_code == 200
    assert reading.put(made["Uri"], {"Name": "No"}).status_code == 403
    portal.ok(portal.delete(made["Uri"]))
    actors = {one["Actor"] for one in audit(world, world.partner) if one["Action"] == "notification.change"}
    assert "Portal" in actors


def test_a_portal_reaches_no_other_route_and_no_other_account(world):
    reached = set()
    for account in (world.partner, world.brand):
        portal, _ = enter_portal(world, account)
        other = world.account("PARTNER" if account is world.partner else "BRAND", "Another")
        for (method, pattern), (accounts, *_) in routes().items():
            if not accounts:
                continue
            answer = call(portal, method, address_of(pattern, other.sid))
            assert "/{SID}" not in pattern or answer.status_code in (403, 404), (pattern, answer.text)
            if method == "GET" and pattern.endswith("/Changes"):
                continue  # it waits
            answer = call(portal, method, address_of(pattern, account.sid))
            if "portal session" not in answer.text and answer.status_code not in (403, 404):
                reached.add(re.sub(r"^/\w+/{SID}/(\w+).*", r"\1", pattern))
    assert reached == {"EventNotifications", "Postbacks", "Series", "/EventCatalog"}, reached
    assert Api(world.server.base, world.brand.sid, enter_portal(world, world.partner)[1]["Token"]).get(
        world.brand.prefix + "/Postbacks").status_code == 401


def test_an_address_is_good_once(world):
    code, _ = open_portal(world, world.partner)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: exchange(world, code).status_code, range(8)))
    assert sorted(answers) == [200] + [401] * 7
    assert exchange(world, code).status_code == 401
    # it is no token itself, and a token is no address
    assert Api(world.server.base, world.partner.sid, code).get("/EventCatalog").status_code == 401
    fresh, made = open_portal(world, world.partner)
    assert Api(world.server.base, world.partner.sid, fresh).get("/EventCatalog").status_code == 401
    _, told = enter_portal(world, world.partner)
    for wrong in (told["Token"], "", "x", fresh[:-1], fresh.upper(), "pbt_" + "A" * 43):
        assert exchange(world, wrong).status_code in (400, 401)
    world.operator.ok(world.operator.delete(made["Uri"]))
    assert exchange(world, fresh).status_code == 401


def test_another_sites_page_does_not_enter(world):
    code, _ = open_portal(world, world.partner)
    for headers in ({"Origin": SHOP}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Origin": SHOP, "Sec-Fetch-Site": "same-site"}):
        assert exchange(world, code, **headers).status_code == 403
    assert requests.post(world.server.base + "/Portal", data={"Code": code}, timeout=20).status_code == 415
    assert exchange(world, code).status_code == 200


@pytest.mark.parametrize("fields, field", [
    ({"Color": "red"}, "Color"), ({"Color": "#fff"}, "Color"), ({"Color": "#ffffff"}, "Color"),
    ({"Color": "#0b5c4a;}"}, "Color"), ({"Name": "a\u202eb"}, "Name"), ({"Name": "x" * 61}, "Name"),
    ({"ReadOnly": "perhaps"}, "ReadOnly"), ({"Origin": SHOP}, "Origin")])
def test_how_it_looks_is_checked(world, fields, field):
    answer = world.operator.post(f"Accounts/{world.partner.sid}/PortalSessions", fields)
    assert answer.status_code == 400 and answer.json()["Errors"][0]["Field"] == field


def policy(base, path):
    return requests.get(base + path, headers={"Accept": "text/html"}, timeout=20).headers["Content-Security-Policy"]


def test_only_the_origins_that_the_operator_allows_have_it_in_a_frame(world):
    assert policy(world.server.base, "/portal").endswith("frame-ancestors 'none'")
    with Server("--portal-origin", SHOP, "--portal-origin", "https://crm.example.com:8443",
                "--public-url", "https://postbacks.example.com") as server:
        assert policy(server.base, "/portal").endswith(f"frame-ancestors {SHOP} https://crm.example.com:8443")
        for path in ("/", "/sign-in", "/notifications", "/postbacks", "/account", "/assets/portal.js",
                     "/portal/", "/portal/x", "/nowhere"):
            assert policy(server.base, path).endswith("frame-ancestors 'none'"), path
        other = World(server)
        assert open_portal(other, other.partner)[1]["Url"].startswith("https://postbacks.example.com/portal#")


@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "http://shop.example.com", SHOP + "/",
                                    SHOP + ";script-src", "'self'", "shop.example.com", "https://a b"])
def test_an_origin_that_is_none_is_refused_at_the_start(origin):
    server = Server("--portal-origin", origin)
    try:
        server.run().wait(20)
        assert server.process.wait(20) != 0 and "--portal-origin" in server.log()
    finally:
        server.close()
