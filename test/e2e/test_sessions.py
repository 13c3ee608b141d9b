"""Users' sessions: signing in with a browser, the cookie in place of HTTP Basic, what changes need,
how sessions end, and how guessing is slowed."""

import concurrent.futures
import itertools
import subprocess
import time

import pytest
import requests

from harness.server import BINARY, Browser, Server, World, await_until, browser_from

PASSWORD = "a long pass phrase"
HOUR = 3600 * 1000


def code(response):
    return response.status_code


def cookie_of(browser):
    return browser.session.cookies["postbackd_session"]


def with_cookie(base, header, path="/Session", method="GET", **headers):
    return requests.request(method, base + path, headers={"Cookie": header, **headers}, timeout=20)


ADDRESSES = (f"127.9.{n // 250}.{n % 250 + 1}" for n in itertools.count())


def somebody(server):
    """A browser at an address of its own, so that no test's wrong tries slow another down."""
    return browser_from(server, next(ADDRESSES))


# ---- signing in ----

def test_a_user_signs_in_and_works_with_the_cookie(world):
    email = world.add_user(world.partner)
    browser = somebody(world.server)
    response = browser.sign_in(email.upper(), PASSWORD)
    told = browser.ok(response)
    assert set(told) == {"User", "Account", "CsrfToken"}
    assert (told["User"]["Email"], told["User"]["Role"]) == (email, "USER")
    assert told["Account"] == {"Sid": world.partner.sid, "Kind": "PARTNER",
                               "Name": "Cashback Corner"}
    session, device = (cookie.split("; ") for cookie in response.raw.headers.getlist("Set-Cookie"))
    assert session[0].startswith("postbackd_session=pbs_")
    assert set(session[1:]) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert device[0].startswith("postbackd_device=pbd_")
    assert set(device[1:]) == {"HttpOnly", "SameSite=Strict", "Path=/Session", "Max-Age=15552000"}
    assert response.headers["Cache-Control"] == "no-store"
    assert browser.ok(browser.get("/Session")) == told
    assert code(browser.get("EventNotifications")) == 200
    made = world.notify(browser, "http://127.0.0.1:9/pb")
    assert browser.ok(browser.get(made["Uri"]))["Id"] == made["Id"]


def test_each_kind_of_account_has_users(world):
    for account, path in ((world.partner, "Campaigns"), (world.brand, "ApprovalRules"),
                          (world.operator, "Accounts")):
        browser = world.browser(account)
        assert code(browser.get(path)) == 200, account.sid


def test_whoever_does_not_belong_gets_the_one_answer(world):
    email, shut = world.add_user(world.partner), world.add_user(world.partner)
    locked = world.account("PARTNER", "Locked")
    in_locked = world.add_user(locked)
    world.operator.ok(world.operator.put(
        f"Accounts/{world.partner.sid}/Users/{world.user_ids[shut]}", {"Active": False}))
    world.operator.ok(world.operator.put(f"Accounts/{locked.sid}", {"Active": False}))
    tries = [(email, PASSWORD + "x"), (email, PASSWORD.upper()), ("nobody@example.com", PASSWORD),
             (shut, PASSWORD), (in_locked, PASSWORD)]
    answers = [somebody(world.server).sign_in(*one) for one in tries]
    assert {code(answer) for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_an_unknown_address_takes_as_long_as_a_wrong_password():
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        took = {"known": [], "unknown": []}
        for _ in range(4):
            for kind, address in (("known", email), ("unknown", "nobody@example.com")):
                start = time.monotonic()
                assert code(somebody(server).sign_in(address, "wrong pass phrase")) == 401
                took[kind].append(time.monotonic() - start)
        assert min(took["unknown"]) > min(took["known"]) / 2, took


@pytest.mark.parametrize("body", [
    {}, {"Email": "a@b.example"}, {"Password": PASSWORD}, {"Email": "", "Password": ""},
    {"Email": ["a"], "Password": PASSWORD}, {"Email": "a@b.example", "Password": 12},
    {"Email": "a@b.example", "Password": "x\x00y"}, {"Email": "a@b.example", "Password": "x" * 2000},
    {"Email": "a" * 300, "Password": PASSWORD}, {"Email": "a@b.example", "Password": None}])
def test_what_is_no_sign_in_is_refused(server, body):
    assert code(somebody(server).post("/Session", body)) == 400


def test_only_our_own_page_signs_in(world):
    email = world.add_user(world.partner)
    own = world.server.base

    def tried(**headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return code(somebody(world.server).sign_in(email, PASSWORD, headers=headers))
    assert tried(Origin="https://evil.example") == 403
    assert tried(Origin="null") == 403
    assert tried(Origin=own + ".evil.example") == 403
    assert tried(Sec_Fetch_Site="cross-site", Origin=own) == 403
    assert tried(Sec_Fetch_Site="same-site") == 403
    assert tried(Origin=own) == 200
    assert tried(Sec_Fetch_Site="same-origin", Origin=own) == 200
    form = requests.post(own + "/Session", data={"Email": email, "Password": PASSWORD}, timeout=20)
    text = requests.post(own + "/Session", data='{"Email":"%s","Password":"%s"}' % (email, PASSWORD),
                         headers={"Content-Type": "text/plain"}, timeout=20)
    assert (code(form), code(text)) == (415, 415)


def test_the_cookie_is_secure_when_the_public_address_is_https():
    with Server("--public-url", "https://Postbacks.Example.com/") as server:
        world = World(server)
        email = world.add_user(world.partner)
        response = somebody(server).sign_in(
            email, PASSWORD, headers={"Origin": "https://postbacks.example.com"})
        assert "Secure" in response.headers["Set-Cookie"].split("; ")


def test_with_a_public_address_only_its_pages_sign_in_and_change():
    """A12: a name that somebody made lead here (DNS rebinding) is not the public address."""
    public = "https://postbacks.example.com"
    with Server("--public-url", public) as server:
        world = World(server)
        email = world.add_user(world.partner)

        def tried(host=None, origin=None, site=None):
            headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
            return somebody(server).sign_in(email, PASSWORD, headers=headers)
        for host, origin, site in (
                ("evil.example", "http://evil.example", None), ("evil.example", None, None),
                ("evil.example", None, "same-origin"), ("evil.example", "http://evil.example", "same-origin"),
                ("evil.example:443", "https://evil.example", None),
                ("postbacks.example.com.evil.example", None, None), ("postbacks.example.com:8443", None, None),
                ("postbacks.example.com", "https://evil.example", None),
                ("postbacks.example.com", "http://postbacks.example.com", None),
                ("postbacks.example.com", "null", None), ("localhost.evil.example", None, None),
                ("postbacks.example.com", public, "cross-site")):
            answer = tried(host, origin, site)
            assert code(answer) == 403, (host, origin, site)
            assert public in answer.json()["Message"]
        for host, origin, site in (
                ("postbacks.example.com", public, "same-origin"), ("Postbacks.Example.com:443", None, "same-origin"),
                ("postbacks.example.com", None, None), (None, public, None), (None, None, None),
                ("localhost:8080", None, None), ("[::1]:8080", None, None)):
            assert code(tried(host, origin, site)) == 200, (host, origin, site)

        browser = world.browser(world.partner)
        cookie = {"Cookie": browser.session.headers.get("Cookie") or "; ".join(
            f"{name}={value}" for name, value in browser.session.cookies.items())}
        for origin, expected in (("http://evil.example", 403), (public, 200)):
            changed = browser.call("DELETE", "/Session", headers={
                **cookie, "Host": "evil.example" if expected == 403 else "postbacks.example.com", "Origin": origin})
            assert code(changed) == expected, changed.text


@pytest.mark.parametrize("url", ["postbacks.example.com", "ftp://x.example", "https://x.example/at"])
def test_a_public_address_that_is_none_is_refused_at_the_start(tmp_path, url):
    done = subprocess.run([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen",
                           "127.0.0.1:0", "--public-url", url], capture_output=True, text=True,
                          timeout=30)
    assert done.returncode != 0
    assert "--public-url" in done.stderr and "https://" in done.stderr


# ---- in a session ----

def test_a_change_needs_the_sessions_own_token(world):
    browser, other = world.browser(world.partner), world.browser(world.partner)
    right = browser.session.headers.pop("X-CSRF-Token")
    body = {"Category": "Action Inquiry Events", "Url": "http://127.0.0.1:9/", "Method": "POST",
            "BodyFormat": "JSON"}
    wrong = [None, "", "x", right[:-1], right + "x", right[:-1] + ("A" if right[-1] != "A" else "B"),
             cookie_of(browser), other.session.headers["X-CSRF-Token"]]
    for value in wrong:
        headers = {} if value is None else {"X-CSRF-Token": value}
        assert code(browser.post("EventNotifications", body, headers=headers)) == 403, value
        assert code(browser.call("DELETE", "/Session", headers=headers)) == 403, value
    assert code(browser.get("EventNotifications")) == 200
    assert code(browser.call("HEAD", "EventNotifications")) == 200
    assert browser.ok(browser.get("EventNotifications"))["EventNotifications"] == []
    assert code(browser.post("EventNotifications", body, headers={"X-CSRF-Token": right})) == 200


def test_a_session_reaches_its_own_account_and_no_other(world):
    browser, other = world.browser(world.partner), world.account("PARTNER", "Another")
    theirs = world.notify(other, "http://127.0.0.1:9/pb")["Id"]
    for path in ("ActionInquiries", "Postbacks", "EventNotifications", "Campaigns", "Notices",
                 f"EventNotifications/{theirs}", f"EventNotifications/{theirs}/SigningSecret"):
        assert code(browser.get(f"/Mediapartners/{other.sid}/{path}")) == 404, path
    assert code(browser.get(f"EventNotifications/{theirs}")) == 404
    assert code(browser.put(f"EventNotifications/{theirs}", {"Name": "mine"})) == 404
    assert code(browser.get(f"/Advertisers/{world.brand.sid}/ActionInquiries",
                            CampaignId=world.campaign)) == 404
    for path in ("Accounts", "Audit", f"Accounts/{other.sid}/Users", "Notices"):
        assert code(browser.get(f"/Operator/{path}")) == 403, path


def test_a_read_only_user_reads(world):
    browser = world.browser(world.partner, "READ_ONLY")
    assert browser.ok(browser.get("/Session"))["User"]["Role"] == "READ_ONLY"
    assert code(browser.get("EventNotifications")) == 200
    assert code(browser.post("ActionInquiries", world.inquiry())) == 403
    assert code(browser.post("/Events", {})) == 403
    assert code(browser.put("/Session/Password", {
        "Password": PASSWORD, "NewPassword": "another pass phrase"})) == 200
    assert code(browser.delete("/Session")) == 200


def test_calls_in_a_session_are_not_counted():
    with Server("--rate-limit", "20", rate_limit=None) as server:
        world = World(server)
        browser = world.browser(world.partner)
        for _ in range(30):
            response = browser.get("Campaigns")
            assert code(response) == 200
            assert not [name for name in response.headers if "RateLimit" in name]


def test_http_basic_goes_before_the_cookie(world):
    browser = somebody(world.server)
    browser.ok(browser.sign_in(world.add_user(world.partner), PASSWORD))
    browser.session.auth = (world.partner.sid, "pbt_wrong")
    assert code(browser.get("/Session")) == 401
    browser.session.auth = (world.brand.sid, world.brand.token)
    assert code(browser.get(f"/Advertisers/{world.brand.sid}/Campaigns")) == 200
    assert code(browser.get("Campaigns")) == 404
    assert code(browser.get("/Session")) == 401  # a token has none


def test_a_page_is_not_asked_for_a_password_by_the_browser(server):
    url = server.base + "/EventCatalog"
    assert "WWW-Authenticate" in requests.get(url, timeout=20).headers
    for headers in ({}, {"Cookie": "postbackd_session=pbs_gone"}):
        response = requests.get(url, headers={"Sec-Fetch-Mode": "cors", **headers}, timeout=20)
        assert code(response) == 401 and "WWW-Authenticate" not in response.headers


def test_a_token_is_no_session_and_a_session_no_token(world):
    browser = world.browser(world.partner)
    client = somebody(world.server)
    client.session.auth = (browser.sid, cookie_of(browser))
    assert code(client.get("/EventCatalog")) == 401
    assert code(with_cookie(browser.base, f"postbackd_session={world.partner.token}")) == 401
    assert code(browser.get("/Session")) == 200


def test_cookies_of_any_kind_are_survived(world):
    browser = world.browser(world.partner)
    own = f"postbackd_session={cookie_of(browser)}"
    good = [own, f"a=1; {own}; b=\"2\"", f";;{own};;", f"{own}; {own}", "x=" + "y" * 3000 + "; " + own]
    bad = ["", ";", "=", "postbackd_session", "postbackd_session=", own + "x", own[:-1],
           f"{own}; postbackd_session=pbs_other", f"postbackd_session=pbs_other; {own}",
           own.upper(), own.replace("=pbs", "=%70bs"), own.replace("=", "=\""),
           "postbackd_session=pbs_" + "x" * 3000, own.replace("postbackd", "xpostbackd")]
    for header in good:
        assert code(with_cookie(browser.base, header)) == 200, header[:200]
    for header in bad:
        assert code(with_cookie(browser.base, header)) == 401, header[:200]
    for header in ("\x01\x02", f"\x7f{own}", f"{own}; a=\x01"):  # no value of a header at all
        assert code(with_cookie(browser.base, header)) == 400, header[:200]
    assert code(with_cookie(browser.base, own)) == 200


def test_without_a_session_no_answer_has_data(world):
    world.open()
    for cookie in ("", "postbackd_session=pbs_" + "A" * 43):
        for path in (f"/Mediapartners/{world.partner.sid}/ActionInquiries", "/Session",
                     f"/Mediapartners/{world.partner.sid}/Postbacks", "/Operator/Accounts"):
            response = with_cookie(world.server.base, cookie, path)
            assert code(response) == 401
            assert set(response.json()) == {"Status", "Message", "Errors"}
            assert world.partner.sid not in response.text


# ---- the end of a session ----

def test_signing_out_ends_it_at_once(world):
    browser = world.browser(world.partner)
    cookie = f"postbackd_session={cookie_of(browser)}"
    response = browser.delete("/Session")
    assert code(response) == 200 and "Max-Age=0" in response.headers["Set-Cookie"]
    assert "postbackd_session" not in browser.session.cookies
    assert code(with_cookie(browser.base, cookie)) == 401
    assert code(with_cookie(browser.base, cookie, browser.prefix + "/Campaigns")) == 401
    assert code(with_cookie(browser.base, cookie, "/Session", "DELETE", **{
        "X-CSRF-Token": browser.session.headers["X-CSRF-Token"]})) == 401


def test_signing_in_again_ends_the_browsers_old_session(world):
    browser = world.browser(world.partner)
    old = f"postbackd_session={cookie_of(browser)}"
    browser.ok(browser.sign_in(browser.email, PASSWORD))
    assert code(with_cookie(browser.base, old)) == 401
    assert code(browser.get("/Session")) == 200


def test_a_session_survives_a_restart_and_ends_by_time():
    with Server() as server:
        world = World(server)
        idle, old, fine = (world.browser(world.partner) for _ in range(3))

        def restarted(change, *values):
            assert server.stop() == 0
            server.store.execute(change, *values)
            server.start()
            for browser in (idle, old, fine):
                browser.base = server.base
        number = "(SELECT id FROM person WHERE email = ?)"
        restarted("UPDATE session SET used_at = used_at - ? WHERE person = " + number,
                  11 * HOUR, idle.email)
        assert code(idle.get("/Session")) == 200  # which is a use, and is written down
        await_until(lambda: server_used(server, idle.email) < HOUR, "the use on disk")
        restarted("UPDATE session SET used_at = used_at - ? WHERE person = " + number,
                  13 * HOUR, idle.email)
        assert code(idle.get("/Session")) == 401
        restarted("UPDATE session SET created_at = created_at - ? WHERE person = " + number,
                  7 * 24 * HOUR, old.email)
        assert code(old.get("/Session")) == 401
        assert code(fine.get("/Session")) == 200
        fine.ok(fine.delete("/Session"))


def server_used(server, email):
    """How long ago, in ms, the session of this user was used, by what is on disk."""
    ((used,),) = server.store.rows("SELECT s.used_at FROM session s JOIN person u ON u.id = s.person "
                                   "WHERE u.email = ?", email)
    return time.time() * 1000 - used


def test_another_password_ends_the_users_other_sessions(world):
    browser, bystander = somebody(world.server), world.browser(world.partner)
    browser.ok(browser.sign_in(world.add_user(world.partner), PASSWORD))
    second = somebody(world.server)
    second.ok(second.sign_in(browser.email, PASSWORD))

    def change(old, new):
        return browser.put("/Session/Password", {"Password": old, "NewPassword": new})
    for refused, field in ((change("not the one it was", "another pass phrase"), "Password"),
                           (change(PASSWORD, "too short"), "NewPassword"),
                           (change(PASSWORD, "x" * 201), "NewPassword")):
        assert code(refused) == 400
        assert [error["Field"] for error in refused.json()["Errors"]] == [field]
    assert code(second.get("/Session")) == 200
    browser.ok(change(PASSWORD, "ünd ein anderer"))
    assert code(second.get("/Session")) == 401
    assert code(browser.get("/Session")) == 200 and code(bystander.get("/Session")) == 200
    assert code(second.sign_in(browser.email, PASSWORD)) == 401
    assert code(second.sign_in(browser.email, "ünd ein anderer")) == 200


def test_guessing_the_password_in_a_session_is_in_the_audit_log(world):
    browser = somebody(world.server)
    browser.ok(browser.sign_in(world.add_user(world.partner), PASSWORD))
    for _ in range(3):
        assert code(browser.put("/Session/Password", {"Password": "a guess of mine", "NewPassword": PASSWORD})) == 400

    def refused():  # it is written when the answer is out already
        entries = world.operator.ok(world.operator.get("Audit", AccountSid=world.partner.sid))["Entries"]
        return [entry for entry in entries if entry["Action"] == "password.refuse"]
    refused, = await_until(refused, "a refused password in the audit log")
    assert refused["Object"] == "/Session/Password"


def test_of_two_who_change_a_password_at_once_one_does(world):
    email = world.add_user(world.partner)
    browsers = [somebody(world.server) for _ in range(2)]
    for browser in browsers:
        browser.ok(browser.sign_in(email, PASSWORD))

    def change(n):
        return browsers[n].put("/Session/Password", {"Password": PASSWORD, "NewPassword": f"pass phrase {n}"})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        codes = [code(answer) for answer in pool.map(change, range(2))]
    assert codes.count(200) == 1, codes
    now = f"pass phrase {codes.index(200)}"
    assert code(somebody(world.server).sign_in(email, now)) == 200


def test_the_operator_shuts_out_and_lets_in_again(world):
    browser = somebody(world.server)
    browser.ok(browser.sign_in(world.add_user(world.partner), PASSWORD))
    user = f"Accounts/{world.partner.sid}/Users/{world.user_ids[browser.email]}"

    def change(**members):
        world.operator.ok(world.operator.put(user, members))
    assert code(browser.post("ActionInquiries", world.inquiry())) == 200
    change(Role="READ_ONLY")
    assert code(browser.post("ActionInquiries", world.inquiry())) == 403
    change(Role="USER", Name="Renamed")
    assert browser.ok(browser.get("/Session"))["User"]["Name"] == "Renamed"
    change(Active=False)
    assert code(browser.get("/Session")) == 401
    change(Active=True)
    assert code(browser.get("/Session")) == 401  # it is gone for good
    browser.ok(browser.sign_in(browser.email, PASSWORD))
    change(Password="one from the operator")
    assert code(browser.get("/Session")) == 401
    assert code(browser.sign_in(browser.email, PASSWORD)) == 401
    browser.ok(browser.sign_in(browser.email, "one from the operator"))
    account = f"Accounts/{world.partner.sid}"
    world.operator.ok(world.operator.put(account, {"Active": False}))
    assert code(browser.get("/Session")) == 401
    world.operator.ok(world.operator.put(account, {"Active": True}))
    assert code(browser.get("/Session")) == 200


@pytest.mark.parametrize("members,field", [
    ({"Name": ""}, "Name"), ({"Role": "KING"}, "Role"), ({"Active": "perhaps"}, "Active"),
    ({"Password": "short"}, "Password"), ({"Password": None}, "Password"),
    ({"Email": "new@example.com"}, "Email")])
def test_a_change_of_a_user_that_is_none_is_refused(world, members, field):
    email = world.add_user(world.partner)
    user = f"Accounts/{world.partner.sid}/Users/{world.user_ids[email]}"
    refused = world.operator.put(user, members)
    assert code(refused) == 400
    assert [error["Field"] for error in refused.json()["Errors"]] == [field]


def test_a_user_is_changed_under_its_own_account_only(world):
    email = world.add_user(world.partner)
    wrong = f"Accounts/{world.brand.sid}/Users/{world.user_ids[email]}"
    assert code(world.operator.put(wrong, {"Active": False})) == 404
    assert code(somebody(world.server).sign_in(email, PASSWORD)) == 200


def test_a_user_has_twenty_sessions_and_the_oldest_ends(world):
    email = world.add_user(world.partner)
    browsers = [somebody(world.server) for _ in range(21)]
    for browser in browsers:
        browser.ok(browser.sign_in(email, PASSWORD))
    assert [code(browser.get("/Session")) for browser in browsers] == [401] + [200] * 20


# ---- guessing ----

def test_guessing_is_slowed_by_address_and_those_inside_go_on():
    with Server() as server:
        world = World(server)
        inside, email = world.browser(world.partner), world.add_user(world.partner)
        codes = [code(Browser(server.base).sign_in(f"n{n}@example.com", PASSWORD))
                 for n in range(11)]
        assert codes == [401] * 10 + [429]
        late = Browser(server.base).sign_in(email, PASSWORD)
        assert code(late) == 429 and int(late.headers["Retry-After"]) > 0
        assert code(inside.get("/Session")) == 200
        assert code(browser_from(server, "127.0.0.2").sign_in(email, PASSWORD)) == 200


def test_guessing_is_slowed_by_user_whatever_the_address():
    with Server() as server:
        world = World(server)
        email, other = world.add_user(world.partner), world.add_user(world.partner)
        codes = [code(browser_from(server, f"127.0.1.{n}").sign_in(
            email.title() if n % 2 else email, "wrong pass phrase")) for n in range(1, 12)]
        assert codes == [401] * 10 + [429]
        assert code(browser_from(server, "127.0.2.1").sign_in(email, PASSWORD)) == 429
        assert code(browser_from(server, "127.0.2.1").sign_in(other, PASSWORD)) == 200
        await_until(lambda: 2 == len([entry for entry in world.operator.ok(world.operator.get(
            "Audit", AccountSid=world.partner.sid))["Entries"]
            if entry["Action"] == "session.refuse"]), "the first and the last, and no other")


# ---- browsers that signed in before ----

def lock(server, email):
    """Somebody tries until the name is refused to everybody."""
    codes = [code(browser_from(server, f"127.0.5.{n}").sign_in(email, "wrong pass phrase"))
             for n in range(1, 12)]
    assert codes == [401] * 10 + [429]


def signed_out(server, email, password=PASSWORD, address="127.0.6.1"):
    """A browser that signed in before."""
    browser = browser_from(server, address)
    browser.ok(browser.sign_in(email, password))
    browser.ok(browser.delete("/Session"))
    return browser


def test_a_browser_that_signed_in_before_is_let_try():
    """A16: ten wrong passwords for a name, from anywhere, do not shut out the person who has it."""
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        known = signed_out(server, email)
        lock(server, email)
        assert code(known.sign_in(email.upper(), PASSWORD)) == 200
        assert code(browser_from(server, "127.0.6.2").sign_in(email, PASSWORD)) == 429


def test_nor_is_it_shut_out_by_others_at_its_address():
    """A16: neither do ten wrong passwords from the address that it shares."""
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        known = signed_out(server, email, address="127.0.6.3")
        codes = [code(browser_from(server, "127.0.6.3").sign_in(f"n{n}@example.com", PASSWORD))
                 for n in range(11)]
        assert codes == [401] * 10 + [429]
        assert code(known.sign_in(email, PASSWORD)) == 200


def test_a_known_browser_has_a_count_of_its_own():
    """A16: who steals the cookie has ten tries a minute, and they use up nobody else's."""
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        stolen, other = signed_out(server, email), signed_out(server, email, address="127.0.6.2")
        lock(server, email)
        codes = [code(stolen.sign_in(email, f"guess number {n}")) for n in range(12)]
        assert codes == [401] * 10 + [429] * 2
        assert code(stolen.sign_in(email, PASSWORD)) == 429
        assert code(other.sign_in(email, PASSWORD)) == 200


def test_what_is_no_cookie_of_the_users_is_worth_nothing():
    """A16: another user's cookie, a forged one, a changed one, one from before a new password."""
    with Server() as server:
        world = World(server)
        email, another = world.add_user(world.partner), world.add_user(world.partner)
        known, neighbour = signed_out(server, email), signed_out(server, another)
        old, = [cookie.value for cookie in known.session.cookies if cookie.name == "postbackd_device"]
        theirs, = [cookie.value for cookie in neighbour.session.cookies
                   if cookie.name == "postbackd_device"]
        world.operator.ok(world.operator.put(
            f"Accounts/{world.partner.sid}/Users/{world.user_ids[email]}",
            {"Password": "quite another pass phrase"}))
        lock(server, email)
        flipped = old[:40] + ("A" if old[40] != "A" else "B") + old[41:]
        for cookie in (old, theirs, flipped, old[:-4], "pbd_", "pbd_AAAA", "pbs_" + old[4:], old * 4):
            answer = requests.post(server.base + "/Session", timeout=20,
                                   json={"Email": email, "Password": "quite another pass phrase"},
                                   headers={"Cookie": f"postbackd_device={cookie}"})
            assert code(answer) == 429, cookie


def test_it_knows_the_browser_after_its_own_change_of_the_password():
    """A16: who changes the password in a session stays known; other browsers do not."""
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        browser, other = browser_from(server, "127.0.6.1"), signed_out(server, email, address="127.0.6.2")
        browser.ok(browser.sign_in(email, PASSWORD))
        browser.ok(browser.put("/Session/Password", {"Password": PASSWORD, "NewPassword": "another pass phrase"}))
        browser.ok(browser.delete("/Session"))
        lock(server, email)
        assert code(other.sign_in(email, "another pass phrase")) == 429
        assert code(browser.sign_in(email, "another pass phrase")) == 200


def test_it_is_known_over_a_restart_and_nothing_of_it_is_on_disk():
    """A16: the cookie is sealed under the server's key."""
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        known = signed_out(server, email)
        server.stop()
        server.start()
        known.base = server.base
        lock(server, email)
        assert code(known.sign_in(email, PASSWORD)) == 200


def test_a_session_changes_its_password_while_its_name_is_guessed_at():
    """A16: who is signed in is not shut out from that by what others try."""
    with Server() as server:
        world = World(server)
        browser = world.browser(world.partner)
        lock(server, browser.email)
        assert code(browser.put("/Session/Password", {
            "Password": PASSWORD, "NewPassword": "another pass phrase"})) == 200


def test_many_guesses_at_once_are_no_more_than_ten():
    with Server() as server:
        world = World(server)
        email = world.add_user(world.partner)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            codes = list(pool.map(lambda n: code(Browser(server.base).sign_in(email, f"guess {n}")),
                                  range(40)))
        assert codes.count(401) <= 10 and set(codes) <= {401, 429, 503}, codes


def test_guessing_the_password_in_a_session_is_slowed_too():
    with Server() as server:
        world = World(server)
        browser = world.browser(world.partner)
        codes = [code(browser.put("/Session/Password", {
            "Password": f"guess {n}", "NewPassword": "another pass phrase"})) for n in range(11)]
        assert codes == [400] * 10 + [429]


def test_the_server_goes_on_while_many_sign_in_and_stops_when_told():
    with Server() as server:
        world = World(server)
        emails = [world.add_user(world.partner) for _ in range(4)]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            tries = [pool.submit(lambda n=n: browser_from(server, f"127.0.3.{n % 60 + 1}").sign_in(
                emails[n % 4], PASSWORD)) for n in range(60)]
            start = time.monotonic()
            assert code(world.partner.get("Campaigns")) == 200
            assert time.monotonic() - start < 3
            codes = [code(one.result()) for one in tries]
            assert codes.count(200) >= 20 and set(codes) <= {200, 429, 503}, codes
            more = [pool.submit(lambda n=n: browser_from(server, f"127.0.4.{n + 1}").sign_in(
                emails[n % 4], PASSWORD)) for n in range(20)]
            assert server.stop() == 0, server.log()
            for one in more:
                one.exception()


# ---- what is left of it ----

def test_it_is_in_the_audit_log_and_no_secret_is_anywhere():
    with Server() as server:
        world = World(server)
        browser = world.browser(world.partner)
        token = cookie_of(browser)
        proof = browser.session.headers["X-CSRF-Token"]
        Browser(server.base).sign_in(browser.email, "a wrong pass phrase")
        browser.ok(browser.put("/Session/Password", {"Password": PASSWORD,
                                                     "NewPassword": "another pass phrase"}))
        browser.ok(browser.delete("/Session"))
        entries = world.operator.ok(world.operator.get("Audit", AccountSid=world.partner.sid))
        actions = [(entry["Action"], entry["Actor"], entry["Address"])
                   for entry in reversed(entries["Entries"])]
        assert actions == [(action, "User 1", "127.0.0.1") for action in (
            "session.begin", "session.refuse", "password.change", "session.end")]
        assert server.stop() == 0
        kept = server.store.content() + server.log().encode()
        for secret in (token, proof, PASSWORD, "another pass phrase", "a wrong pass phrase"):
            assert secret.encode() not in kept
