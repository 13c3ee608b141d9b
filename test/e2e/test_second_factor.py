"""The second factor: set up, signing in by two steps, recovery codes, an account that asks for it;
and attacks on it: a code twice, guesses, another clock, the second step left out."""

import itertools
import re

import pytest
import requests

from harness.engine import ON_POSTGRESQL
from harness.faults import FaultyServer
from harness.openapi import routes
from harness.server import Api, Browser, World, await_until, browser_from
from harness.totp import Authenticator, code_of, enrol

PASSWORD = "a long pass phrase"
ADDRESSES = (f"127.8.{n // 250}.{n % 250 + 1}" for n in itertools.count())


def somebody(server):
    return browser_from(server, next(ADDRESSES))


def first_step(browser, email):
    told = browser.sign_in(email, PASSWORD)
    assert told.status_code == 202, told.text
    assert "postbackd_session" not in told.headers.get("Set-Cookie", "")
    return told.json()["Ticket"]


def second_step(browser, ticket, code):
    return browser.taken_in(browser.post("/Session/Code", {"Ticket": ticket, "Code": code}))


def state(browser):
    return browser.ok(browser.get("/Session/SecondFactor"))


@pytest.fixture
def ann(world):
    """Somebody with a second factor: (email, authenticator, recovery codes)."""
    browser = world.browser(world.partner)
    return browser.email, *enrol(browser)


def test_it_is_set_up_and_signing_in_takes_two_steps(world):
    browser = world.browser(world.partner)
    other = somebody(world.server)
    other.ok(other.sign_in(browser.email, PASSWORD))
    assert state(browser) == {"State": "NONE", "Required": "false", "RecoveryCodesLeft": "0"}
    made = browser.ok(browser.post("/Session/SecondFactor"))
    assert made["OtpAuthUri"] == (
        f"otpauth://totp/Cashback%20Corner:{browser.email}?secret={made['Secret']}"
        "&issuer=Cashback%20Corner&algorithm=SHA1&digits=6&period=30")
    assert state(browser)["State"] == "WAITING"
    assert somebody(world.server).sign_in(browser.email, PASSWORD).status_code == 200  # not yet
    app = Authenticator(made["Secret"])
    wrong = browser.post("/Session/SecondFactor/Confirm", {"Code": code_of(made["Secret"], 1)})
    assert wrong.status_code == 400 and state(browser)["State"] == "WAITING"
    codes = browser.ok(browser.post("/Session/SecondFactor/Confirm", {"Code": app.code()}))["RecoveryCodes"]
    assert state(browser) == {"State": "ON", "Required": "false", "RecoveryCodesLeft": "10"}
    assert len(set(codes)) == 10
    assert other.get("/Session").status_code == 401  # begun without it

    visitor = somebody(world.server)
    ticket = first_step(visitor, browser.email)
    assert visitor.get("/Session").status_code == 401
    told = visitor.ok(second_step(visitor, ticket, app.code()))
    assert (told["User"]["Email"], told["User"]["MustEnrol"]) == (browser.email, "false")
    assert visitor.get("EventNotifications").status_code == 200
    world.notify(visitor, "http://127.0.0.1:9/p")
    actions = [one["Action"] for one in world.operator.ok(
        world.operator.get("Audit", AccountSid=world.partner.sid))["Entries"]]
    assert {"second_factor.begin", "second_factor.refuse", "second_factor.confirm"} <= set(actions)


def test_a_recovery_code_is_taken_once_however_it_is_written(world, ann):
    email, _, codes = ann
    browser = somebody(world.server)
    browser.ok(second_step(browser, first_step(browser, email), codes[3].upper().replace("-", " ")))
    assert state(browser)["RecoveryCodesLeft"] == "9"
    other = somebody(world.server)
    assert second_step(other, first_step(other, email), codes[3]).status_code == 401
    body = {"Password": PASSWORD, "Code": codes[4]}
    fresh = browser.ok(browser.post("/Session/SecondFactor/RecoveryCodes", body))["RecoveryCodes"]
    assert not set(fresh) & set(codes)
    assert second_step(other, first_step(other, email), codes[5]).status_code == 401
    other.ok(second_step(other, first_step(other, email), fresh[0]))


def test_turning_it_off_takes_the_password_and_a_code(world):
    browser = world.browser(world.partner)
    app, codes = enrol(browser)
    remove = "/Session/SecondFactor/Remove"
    for body, field in (({"Password": "not my pass phrase", "Code": codes[0]}, "Password"),
                        ({"Password": PASSWORD, "Code": "000000" if app.code() != "000000" else "1"}, "Code"),
                        ({"Code": codes[0]}, "Password"), ({"Password": PASSWORD}, "Code")):
        refused = browser.post(remove, body)
        assert refused.status_code == 400 and refused.json()["Errors"][0]["Field"] == field
        assert state(browser)["State"] == "ON"
    browser.ok(browser.post(remove, {"Password": PASSWORD, "Code": codes[0]}))
    assert state(browser) == {"State": "NONE", "Required": "false", "RecoveryCodesLeft": "0"}
    browser.ok(somebody(world.server).sign_in(browser.email, PASSWORD))
    enrol(browser)  # and on again


def test_an_account_asks_each_of_its_users(world):
    before, has = world.browser(world.partner), world.browser(world.partner)
    enrol(has)
    path = f"Accounts/{world.partner.sid}/SecondFactor"
    world.operator.ok(world.operator.put(path, {"Required": True}))
    assert world.operator.ok(world.operator.get(path)) == {"Required": "true"}
    assert has.get("EventNotifications").status_code == 200
    assert world.partner.get("EventNotifications").status_code == 200  # a token is nobody's

    fresh = world.browser(world.partner)  # signs in by the password alone, and can do nothing
    for browser in (before, fresh):
        assert browser.ok(browser.get("/Session"))["User"]["MustEnrol"] == "true"
        reached = []
        for method, pattern in routes():
            if "/Session" in pattern or not routes()[method, pattern][0]:
                continue
            address = re.sub(r"\{(?!SID)\w+\}", "1", pattern).replace("{SID}", world.partner.sid)
            answer = browser.call(method, address, json={} if method in ("POST", "PUT") else None)
            if answer.status_code != 403 or "second factor" not in answer.text:
                reached.append((method, pattern, answer.status_code))
        assert not reached
        assert browser.put("/Session/Password", {
            "Password": PASSWORD, "NewPassword": "another pass phrase"}).status_code == 403
        enrol(browser)
        assert browser.ok(browser.get("/Session"))["User"]["MustEnrol"] == "false"
        assert browser.get("EventNotifications").status_code == 200
    world.operator.ok(world.operator.put(path, {"Required": False}))
    assert world.browser(world.partner).get("EventNotifications").status_code == 200


def test_the_operator_resets_one_that_is_lost(world):
    browser = world.browser(world.partner)
    _, codes = enrol(browser)
    path = f"Users/{world.user_ids[browser.email]}/SecondFactor"
    assert world.operator.delete(f"Accounts/{world.brand.sid}/{path}").status_code == 404
    world.operator.ok(world.operator.delete(f"Accounts/{world.partner.sid}/{path}"))
    assert browser.get("/Session").status_code == 401
    browser.ok(browser.sign_in(browser.email, PASSWORD))
    assert state(browser)["State"] == "NONE"
    assert world.partner.delete(f"/Operator/Accounts/{world.partner.sid}/{path}").status_code == 403
    assert codes


def test_an_admin_asks_for_it_and_resets_one(world):
    admin, ann = world.browser(world.partner, "ADMIN"), world.browser(world.partner)
    app, _ = enrol(admin)
    _, codes = enrol(ann)
    for who in (ann, world.partner):
        assert who.put("SecondFactor", {"Required": True}).status_code == 403
        assert who.delete(f"Users/{world.user_ids[admin.email]}/SecondFactor").status_code == 403
    admin.ok(admin.put("SecondFactor", {"Required": True}))
    assert admin.ok(admin.get("SecondFactor")) == {"Required": "true"}
    strange = world.browser(world.brand, "ADMIN")
    assert strange.delete(f"Users/{world.user_ids[ann.email]}/SecondFactor").status_code == 404
    admin.ok(admin.delete(f"Users/{world.user_ids[ann.email]}/SecondFactor"))
    assert ann.get("/Session").status_code == 401
    ann.ok(ann.sign_in(ann.email, PASSWORD))
    assert ann.ok(ann.get("/Session"))["User"]["MustEnrol"] == "true"
    assert state(ann)["RecoveryCodesLeft"] == "0" and codes and app
    log = {one["Action"]: one["Object"] for one in admin.ok(admin.get("Audit"))["Entries"]}
    assert log["second_factor.require"] == f"{admin.prefix}/SecondFactor"
    assert log["second_factor.reset"].startswith(f"{admin.prefix}/Users/")


# ---- attacks ----

def test_no_code_is_taken_twice(world, ann):
    """Neither one that signed in, nor the one that confirmed, nor one before it."""
    email, app, _ = ann
    browser = somebody(world.server)
    taken = code_of(app.secret, app.last), app.code()
    browser.ok(second_step(browser, first_step(browser, email), taken[1]))
    other = somebody(world.server)
    ticket = first_step(other, email)
    for code in (*taken, code_of(app.secret, app.last - 2)):
        assert second_step(other, ticket, code).status_code == 401
    assert other.get("/Session").status_code == 401


def test_of_many_at_once_with_one_code_one_comes_in(world, ann):
    from concurrent.futures import ThreadPoolExecutor
    email, app, codes = ann
    for code in (app.code(), codes[0]):
        browsers = [somebody(world.server) for _ in range(6)]
        tickets = [first_step(browser, email) for browser in browsers]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda one: second_step(one[0], one[1], code).status_code,
                                    zip(browsers, tickets)))
        assert answers.count(200) == 1 and set(answers) <= {200, 401}, answers


def test_guessing_ends_and_shuts_out_no_session(world):
    browser = world.browser(world.partner)
    app, codes = enrol(browser)
    right = {code_of(app.secret, app.now() + n) for n in range(-2, 4)}
    guesses = [f"{n:06}" for n in range(20) if f"{n:06}" not in right][:10]
    thief = somebody(world.server)
    ticket = first_step(thief, browser.email)
    assert [second_step(thief, ticket, guess).status_code for guess in guesses] == [401] * 10
    # the next ones are not even looked at, from wherever they come and whatever they are
    for code in (app.code(), codes[0], guesses[0]):
        other = somebody(world.server)
        answer = second_step(other, first_step(other, browser.email), code)
        assert answer.status_code == 429 and answer.headers["Retry-After"] == "3600"
    assert browser.post("/Session/SecondFactor/Remove", {
        "Password": PASSWORD, "Code": codes[0]}).status_code == 429
    assert browser.get("EventNotifications").status_code == 200


@pytest.mark.skipif(ON_POSTGRESQL, reason="there the clock is the database's")
def test_another_clock_lets_no_old_code_in():
    with FaultyServer() as server:
        world = World(server)
        browser = world.browser(world.partner)
        app, codes = enrol(browser)
        used = code_of(app.secret, app.last)
        for minutes in (10, -10, 0):
            server.faults.clock_offset_ms = minutes * 60000
            later = Authenticator(app.secret, minutes * 60000)
            visitor = somebody(server)
            ticket = first_step(visitor, browser.email)
            assert second_step(visitor, ticket, used).status_code == 401
            for away in (-3, 3):
                code = code_of(app.secret, later.now() + away)
                assert second_step(visitor, ticket, code).status_code == 401
            if minutes == 10:
                visitor.ok(second_step(visitor, ticket, later.code()))
            else:  # back again: what the clock had shown before is over
                assert second_step(visitor, ticket, later.code(later.now())).status_code == 401
        server.faults.clock_offset_ms = 0
        visitor = somebody(server)
        ticket = first_step(visitor, browser.email)
        server.faults.clock_offset_ms = 6 * 60000
        assert second_step(visitor, ticket, codes[0]).status_code == 401  # the ticket has ended
        server.faults.clock_offset_ms = 2 * 3600000
        visitor.ok(second_step(visitor, first_step(visitor, browser.email), codes[1]))


def test_the_second_step_cannot_be_left_out(world, ann):
    email, app, codes = ann
    browser = somebody(world.server)
    ticket = first_step(browser, email)
    for name, value in (("postbackd_session", ticket), ("postbackd_session", "pbs_" + ticket[4:])):
        answer = requests.get(world.server.base + "/Session", cookies={name: value}, timeout=20)
        assert answer.status_code == 401
    answer = Api(world.server.base, world.partner.sid, ticket).get("/EventCatalog")
    assert answer.status_code == 401
    device = somebody(world.server).sign_in(world.add_user(world.partner), PASSWORD)
    forged = ["", "x", "pbc_", ticket[:-1], ticket[:-2] + ("AA" if ticket[-2:] != "AA" else "BB"), "pbs_" + ticket[4:],
              "pbc_" + device.cookies["postbackd_device"][4:], ticket + "A", ticket * 3]
    for one in forged:
        code = app.code(app.now()) if one else codes[0]
        assert browser.post("/Session/Code", {"Ticket": one, "Code": code}).status_code in (400, 401), one
    for body in ({"Ticket": ticket}, {"Ticket": ticket, "Code": ""}, {"Ticket": ticket, "Code": None},
                 {"Ticket": ticket, "Code": True}, {"Ticket": ticket, "Code": [codes[0]]}):
        assert browser.post("/Session/Code", body).status_code == 400, body
    assert browser.get("/Session").status_code == 401
    # another site's page, and a form
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    body = {"Ticket": ticket, "Code": codes[0]}
    assert browser.post("/Session/Code", body, headers=headers).status_code == 403
    assert requests.post(world.server.base + "/Session/Code", data=body, timeout=20).status_code == 415
    # a ticket is worth nothing once the password is another, or the factor is gone
    user = world.user_ids[email]
    world.operator.ok(world.operator.put(f"Accounts/{world.partner.sid}/Users/{user}",
                                         {"Password": "another pass phrase"}))
    assert second_step(browser, ticket, codes[0]).status_code == 401
    assert browser.get("/Session").status_code == 401


def test_nothing_of_it_is_readable_at_rest(world, ann):
    _, app, codes = ann
    world.server.stop()
    import glob
    kept = b"".join(open(path, "rb").read() for path in glob.glob(world.server.data + "/postbackd.db*"))
    world.server.start()
    world.moved()
    log = world.server.log()
    for secret in (app.secret, *codes, codes[0].replace("-", "")):
        assert secret.encode() not in kept and secret not in log
    import base64
    assert base64.b32decode(app.secret) not in kept
    assert await_until(lambda: world.partner.get("/EventCatalog").status_code == 200, "a server")


def test_ones_own_is_for_sessions_and_no_token(world):
    for path, method in (("/Session/SecondFactor", "GET"), ("/Session/SecondFactor", "POST"),
                         ("/Session/SecondFactor/Confirm", "POST"), ("/Session/SecondFactor/Remove", "POST")):
        assert world.partner.call(method, path, json={}).status_code == 401
    assert Browser(world.server.base).post("/Session/SecondFactor").status_code == 401
