"""An account's people: roles, invitations, forgotten passwords, sessions, tokens, the audit log and
the profile; and that none of it lets anybody in who should not be."""

import base64
import email as mails
import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.openapi import routes
from harness.server import Api, Browser, Server, World, await_until, browser_from

PASSWORD, OTHER = "a long pass phrase", "another pass phrase"
PUBLIC = "http://postbacks.example"


def code(response):
    return response.status_code


def admin_of(world, account):
    browser = world.browser(account, "ADMIN")
    browser.sid, browser.prefix = account.sid, account.prefix
    return browser


def people(account):
    """Where its people are: the operator's stand under its account."""
    return f"/Operator/Accounts/{account.sid}" if account.prefix == "/Operator" else account.prefix


def token_of(link):
    return re.search(r"#(pbl_[A-Za-z0-9_-]{43})$", link).group(1)


class Stranger(Api):
    """Nobody who is signed in, at an address of its own."""
    made = 0

    def __init__(self, server):
        Stranger.made += 1
        super().__init__(server.base, "", "")
        self.session = browser_from(server, f"127.8.{Stranger.made // 250}.{Stranger.made % 250 + 1}").session

    def accept(self, link, **body):
        return self.post("/Session/Accept", {"Link": link, **body})

    def look(self, link):
        return self.post("/Session/Link", {"Link": link})


class Box:
    """A mailer that keeps each letter as a file."""

    def __init__(self, folder):
        self.program, self.box = folder / "sendmail", folder / "box"
        self.box.mkdir()
        self.program.write_text(f"#!/bin/sh\nat=$(mktemp {self.box}/.XXXXXX)\ncat > $at\n"
                                f"mv $at {self.box}/letter-$(basename $at)\n")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def letters(self, to):
        found = [mails.message_from_bytes(path.read_bytes()) for path in self.box.glob("letter-*")]
        return [one for one in found if one["To"] == to]

    def await_letter(self, to, count=1):
        await_until(lambda: len(self.letters(to)) == count, f"{count} letters to {to}")
        return self.letters(to)[-1] if count == 1 else self.letters(to)


def parts(letter):
    assert letter.get_content_type() == "multipart/alternative"
    plain, html = letter.get_payload()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return plain.get_payload(decode=True).decode(), html.get_payload(decode=True).decode()


def link_in(letter):
    plain, html = parts(letter)
    address = re.search(r"^http\S+$", plain, re.M).group(0)
    assert f'<a href="{address}">{address}</a>' in html
    assert address.startswith(PUBLIC + "/")
    return token_of(address)


@pytest.fixture
def posted(tmp_path):
    """A server with a mailer, its world, and its letters."""
    box = Box(tmp_path)
    with Server("--sendmail", str(box.program), "--public-url", PUBLIC) as server:
        yield World(server), box


# ---- roles ----

def filled(pattern, sid):
    path = pattern.replace("{SID}", sid).replace("{Account}", sid).replace("{Type}", "action.tracked")
    return re.sub(r"{\w+}", "987654321", path)


@pytest.mark.parametrize("kind", ["partner", "brand", "operator"])
def test_no_role_reaches_what_is_not_its_own_by_any_route(world, kind):
    """Attack: each route of the server that changes something, as JSON and as a form."""
    account = getattr(world, kind)
    reader, user = world.browser(account, "READ_ONLY"), world.browser(account, "USER")
    tried = 0
    for (method, pattern), (accounts, scopes, _, _) in routes().items():
        if kind.upper() not in accounts or pattern.startswith("/Session"):
            continue  # what is one's own
        path = filled(pattern, account.sid)
        for browser, has in (reader, "READ"), (user, "API"):
            if has in scopes:
                continue
            for body in {"json": {}}, {"data": {"Role": "ADMIN"}}:
                answer = browser.call(method, path, **body)
                assert code(answer) == 403, (method, path, has, answer.text)
                tried += 1
    assert tried > 20
    for method, path in ("POST", "Invitations"), ("PUT", "Users/1"), ("POST", "Tokens"):
        answer = user.call(method, f"{people(account)}/{path}", json={"Role": "ADMIN"})
        assert code(answer) == 403 and "ADMIN" in answer.json()["Message"]


def test_a_token_names_nobody_who_acts_for_its_account(world):
    for method, path in (("GET", "Users"), ("PUT", "Users/1"), ("GET", "Invitations"),
                         ("POST", "Invitations"), ("POST", "Tokens"), ("GET", "Sessions"),
                         ("POST", "Users/1/PasswordLink")):
        answer = world.partner.call(method, path, json=None if method == "GET" else {"Role": "ADMIN"})
        assert code(answer) == 403, (method, path, answer.text)
    assert code(world.partner.get("Audit")) == 200


def test_the_last_admin_is_neither_lowered_nor_shut_out(world):
    account = world.account("PARTNER", "Last")
    first, second = admin_of(world, account), admin_of(world, account)
    ids = {one.email: world.user_ids[one.email] for one in (first, second)}
    mine, theirs = ids[first.email], ids[second.email]
    first.ok(first.put(f"Users/{theirs}", {"Role": "USER"}))
    for change in {"Role": "USER"}, {"Role": "READ_ONLY"}, {"Active": False}:
        assert code(first.put(f"Users/{mine}", change)) == 409
        assert code(world.operator.put(f"Accounts/{account.sid}/Users/{mine}", change)) == 409
    assert code(second.get("Users")) == 403  # at once
    first.ok(first.put(f"Users/{theirs}", {"Role": "ADMIN", "Name": "Second"}))
    first.ok(first.put(f"Users/{mine}", {"Role": "USER"}))
    assert code(first.get("Users")) == 403
    listed = {one["Id"]: one for one in second.ok(second.get("Users"))["Users"]}
    assert (listed[mine]["Role"], listed[theirs]["Role"], listed[theirs]["Name"]) == (
        "USER", "ADMIN", "Second")
    assert code(second.put(f"Users/{mine}", {"Password": OTHER})) == 400


# ---- invitations ----

def test_an_account_comes_to_its_people_by_links_that_are_shown(world):
    account = world.account("BRAND", "Fresh")
    address = f"first.{account.sid.lower()}@example.com"
    made = world.operator.ok(world.operator.post(f"Accounts/{account.sid}/Invitations", {
        "Email": address, "Name": "Ann", "Role": "ADMIN"}))
    assert made["Mailed"] == "false" and made["Link"].startswith("/invitation#")
    nobody = Stranger(world.server)
    told = nobody.ok(nobody.look(token_of(made["Link"])))
    assert (told["Kind"], told["Email"], told["Name"], told["AccountName"]) == (
        "INVITATION", address, "Ann", account.ok(account.get("CompanyInformation"))["CompanyName"])
    assert code(nobody.accept(token_of(made["Link"]))) == 400  # no password
    assert code(nobody.accept(token_of(made["Link"]), Password="short")) == 400
    nobody.ok(nobody.accept(token_of(made["Link"]), Name="Ann Bee", Password=PASSWORD))
    ann = Browser(world.server.base)
    session = ann.ok(ann.sign_in(address, PASSWORD))
    assert (session["User"]["Name"], session["User"]["Role"]) == ("Ann Bee", "ADMIN")
    for again in nobody.accept(token_of(made["Link"]), Name="X", Password=OTHER), nobody.look(
            token_of(made["Link"])):
        assert code(again) == 404
    other = ann.ok(ann.post("Invitations", {"Email": f"b.{address}", "Role": "READ_ONLY"}))
    listed = ann.ok(ann.get("Invitations"))["Invitations"]
    assert [(one["Id"], one["Role"], one["InvitedBy"], one["Expired"]) for one in listed] == [
        (other["Id"], "READ_ONLY", "Ann Bee", "false")]
    assert "Link" not in listed[0] and token_of(other["Link"]) not in json.dumps(listed)
    assert code(ann.post("Invitations", {"Email": f"B.{address.upper()}"})) == 409
    assert code(ann.post("Invitations", {"Email": address})) == 409
    sent = ann.ok(ann.post(f"Invitations/{other['Id']}/Resend"))
    assert code(nobody.look(token_of(other["Link"]))) == 404  # the newer one counts
    ann.ok(ann.delete(f"Invitations/{other['Id']}"))
    assert code(nobody.accept(token_of(sent["Link"]), Name="B", Password=PASSWORD)) == 404
    assert ann.ok(ann.get("Invitations"))["Invitations"] == []
    actions = [one["Action"] for one in ann.ok(ann.get("Audit"))["Entries"]]
    assert {"invitation.accept", "invitation.add", "invitation.resend", "invitation.withdraw"} <= set(actions)


def test_anothers_invitations_users_sessions_and_tokens_are_nowhere(world):
    """Attack: an ADMIN of one account with the ids of another's."""
    mine, theirs = admin_of(world, world.partner), admin_of(world, world.account("PARTNER", "Other"))
    invited = theirs.ok(theirs.post("Invitations", {"Email": "who@example.com"}))
    token = theirs.ok(theirs.post("Tokens", {"Label": "theirs"}))
    session = theirs.ok(theirs.get("Sessions"))["Sessions"][0]
    user = world.user_ids[theirs.email]
    for method, path, body in (
            ("DELETE", f"Invitations/{invited['Id']}", None), ("POST", f"Invitations/{invited['Id']}/Resend", {}),
            ("DELETE", f"Tokens/{token['Id']}", None), ("DELETE", f"Sessions/{session['Id']}", None),
            ("PUT", f"Users/{user}", {"Role": "READ_ONLY"}), ("POST", f"Users/{user}/PasswordLink", {})):
        assert code(mine.call(method, path, json=body)) == 404, path
        assert code(mine.call(method, f"{theirs.prefix}/{path}", json=body)) == 404, path
    assert code(mine.delete(f"/Session/Sessions/{session['Id']}")) == 404
    assert code(theirs.get("/Session")) == 200
    Stranger(world.server).ok(Stranger(world.server).look(token_of(invited["Link"])))


def test_a_link_is_of_its_own_kind_and_is_not_guessed(world):
    admin = admin_of(world, world.partner)
    link = token_of(admin.ok(admin.post("Invitations", {"Email": "guess@example.com"}))["Link"])
    raw = base64.urlsafe_b64decode(link[4:] + "=")
    assert len(raw) == 32
    guesses = ["", "pbl_", link[:-1], link + "A", link.swapcase(), link[4:], "pbs_" + link[4:],
               link[:20] + ("A" if link[20] != "A" else "B") + link[21:], "' OR 1=1 --", link + "\0"]
    nobody = Stranger(world.server)
    for number, guess in enumerate(guesses):
        if number % 5 == 0:
            nobody = Stranger(world.server)
        assert code(nobody.accept(guess, Name="X", Password=PASSWORD)) in (400, 404), guess
    for _ in range(10):  # whoever guesses on is slowed
        last = nobody.look("pbl_" + "A" * 43)
    assert code(last) == 429 and last.headers["Retry-After"] == "60"
    # a link of one kind is none of another
    assert code(Api(world.server.base, world.partner.sid, link, world.partner.prefix).get("Campaigns")) == 401
    held = requests.get(world.server.base + "/Session", headers={
        "Cookie": "postbackd_session=pbs_" + link[4:]}, timeout=20)
    assert code(held) == 401


def test_links_die_with_their_time_and_of_two_who_use_one_one_gets_in():
    with Server() as server:
        world = World(server)
        admin = admin_of(world, world.partner)
        old = admin.ok(admin.post("Invitations", {"Email": "old@example.com"}))
        reset = admin.ok(admin.post(f"Users/{world.user_ids[admin.email]}/PasswordLink"))
        assert server.stop() == 0
        server.store.execute("UPDATE link SET expires_at = expires_at - ?", 7 * 24 * 3600 * 1000 + 1000)
        server.start()
        admin.base = server.base
        nobody = Stranger(server)
        for link in old["Link"], reset["Link"]:
            assert code(nobody.look(token_of(link))) == 404
            assert code(nobody.accept(token_of(link), Name="X", Password=OTHER)) == 404
        listed = admin.ok(admin.get("Invitations"))["Invitations"]
        assert [one["Expired"] for one in listed] == ["true"]
        again = token_of(admin.ok(admin.post(f"Invitations/{old['Id']}/Resend"))["Link"])
        strangers = [Stranger(server) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(
                lambda one: code(one.accept(again, Name="X", Password=OTHER)), strangers))
        assert sorted(codes) == [200, 404, 404, 404]
        assert again not in server.log() and token_of(reset["Link"]) not in server.log()


def test_an_account_has_a_share_of_invitations_and_of_letters():
    with Server() as server:
        world = World(server)
        admin = admin_of(world, world.partner)
        kept = admin.ok(admin.post("Invitations", {"Email": "n@example.com"}))["Id"]
        assert server.stop() == 0
        for number in range(99):
            server.store.execute(
                "INSERT INTO link (kind, hash, account, email, role, created_at, sent_at, expires_at) SELECT "
                "kind, ?, account, ?, role, created_at, sent_at, expires_at FROM link WHERE id = ?",
                number.to_bytes(32, "big"), f"n{number}@example.com", int(kept))
        server.start()
        admin.base = server.base
        full = admin.post("Invitations", {"Email": "further@example.com"})
        assert code(full) == 409 and "100" in full.json()["Message"]
        admin.ok(admin.delete(f"Invitations/{kept}"))
        admin.ok(admin.post("Invitations", {"Email": "further@example.com"}))
        for _ in range(10):  # each is a letter to somebody: ten a minute
            last = admin.post("Invitations", {"Email": "x@example.com"})
        assert code(last) == 429 and last.headers["Retry-After"] == "60"


# ---- a forgotten password ----

def test_a_forgotten_password_by_mail(posted):
    world, box = posted
    email = world.add_user(world.partner)
    browser = Browser(world.server.base)
    browser.ok(browser.sign_in(email, PASSWORD))
    nobody = Stranger(world.server)
    known = nobody.post("/Session/Forgotten", {"Email": email.upper()})
    unknown = nobody.post("/Session/Forgotten", {"Email": "nobody@example.com"})
    again = nobody.post("/Session/Forgotten", {"Email": email})
    assert {(code(one), one.text) for one in (known, unknown, again)} == {(200, known.text)}
    assert set(known.headers) == set(unknown.headers)
    letter = box.await_letter(email)
    link = link_in(letter)
    account = world.partner.ok(world.partner.get("CompanyInformation"))["CompanyName"]
    assert account in letter["Subject"] and account in parts(letter)[0]
    assert len(parts(letter)[0]) < 600
    nobody.ok(nobody.accept(link, Password=OTHER))
    assert code(nobody.accept(link, Password=PASSWORD)) == 404
    assert code(browser.get("/Session")) == 401  # every session has ended
    assert code(Browser(world.server.base).sign_in(email, PASSWORD)) == 401
    assert code(Browser(world.server.base).sign_in(email, OTHER)) == 200
    for _ in range(8):
        last = nobody.post("/Session/Forgotten", {"Email": "nobody@example.com"})
    assert code(last) == 429
    assert len(box.letters(email)) == 1 and not box.letters("nobody@example.com")
    assert link not in world.server.log()


def test_who_is_shut_out_gets_no_link_and_a_password_ends_those_that_are_out(posted):
    world, box = posted
    out, changed = world.add_user(world.partner), world.add_user(world.partner)
    world.operator.ok(world.operator.put(
        f"Accounts/{world.partner.sid}/Users/{world.user_ids[out]}", {"Active": False}))
    nobody = Stranger(world.server)
    nobody.ok(nobody.post("/Session/Forgotten", {"Email": out}))
    nobody.ok(nobody.post("/Session/Forgotten", {"Email": changed}))
    link = link_in(box.await_letter(changed))
    browser = Browser(world.server.base)
    browser.ok(browser.sign_in(changed, PASSWORD))
    browser.ok(browser.put("/Session/Password", {"Password": PASSWORD, "NewPassword": OTHER}))
    assert code(nobody.accept(link, Password=PASSWORD)) == 404
    assert box.letters(out) == []  # it was asked for first


def test_an_invitation_by_mail_tells_nobody_who_is_known_elsewhere(posted):
    world, box = posted
    known = world.add_user(world.brand)
    admin = admin_of(world, world.partner)
    answers = [admin.ok(admin.post("Invitations", {"Email": one})) for one in (known, "new@example.com")]
    for one in answers:
        assert "Link" not in one and one["Mailed"] == "true"
    assert answers[0].keys() == answers[1].keys()
    nobody = Stranger(world.server)
    taken = nobody.accept(link_in(box.await_letter(known)), Name="X", Password=PASSWORD)
    assert code(taken) == 409  # told to whoever has the mailbox
    nobody.ok(nobody.accept(link_in(box.await_letter("new@example.com")), Name="N", Password=PASSWORD))
    assert code(Browser(world.server.base).sign_in(known, PASSWORD)) == 200


def test_a_link_is_opened_on_our_own_page_alone(posted):
    world, _ = posted
    for path in "/Session/Forgotten", "/Session/Link", "/Session/Accept":
        foreign = requests.post(world.server.base + path, json={"Email": "a@b.example"}, timeout=20,
                                headers={"Origin": "https://evil.example"})
        assert code(foreign) == 403
        form = requests.post(world.server.base + path, data={"Email": "a@b.example"}, timeout=20)
        assert code(form) == 415


# ---- profile ----

def test_a_profile_is_ones_own_and_the_session_tells_it(world):
    browser = world.browser(world.partner, "READ_ONLY")
    told = browser.ok(browser.get("/Session"))["User"]
    assert (told["TimeZone"], told["Locale"]) == ("", "")
    browser.ok(browser.put("/Session/Profile", {
        "Name": "Zoé", "TimeZone": "America/Argentina/Buenos_Aires", "Locale": "de-DE"}))
    told = browser.ok(browser.get("/Session"))["User"]
    assert (told["Name"], told["TimeZone"], told["Locale"]) == (
        "Zoé", "America/Argentina/Buenos_Aires", "de-DE")
    browser.ok(browser.put("/Session/Profile", {"TimeZone": "", "Locale": None}))
    told = browser.ok(browser.get("/Session"))["User"]
    assert (told["TimeZone"], told["Locale"]) == ("", "")
    for wrong in ({"TimeZone": "../etc"}, {"TimeZone": "Europe/"}, {"Locale": "d"}, {"Locale": "de_DE"},
                  {"Name": ""}, {"Email": "nothing"}, {"Role": "ADMIN"}):
        answer = browser.put("/Session/Profile", wrong)
        assert code(answer) == 400 and answer.json()["Errors"][0]["Field"] in wrong
    other = world.add_user(world.brand)
    assert code(browser.put("/Session/Profile", {"Email": other})) == 409
    browser.ok(browser.put("/Session/Profile", {"Email": f"new.{browser.email}"}))
    assert code(Browser(world.server.base).sign_in(f"new.{browser.email}", PASSWORD)) == 200
    assert code(world.partner.put("/Session/Profile", {"Name": "X"})) == 401


def test_another_address_is_confirmed_from_it(posted):
    world, box = posted
    browser = world.browser(world.partner)
    fresh = "fresh@example.com"
    assert browser.ok(browser.put("/Session/Profile", {"Email": fresh}))["Mailed"] == "true"
    link = link_in(box.await_letter(fresh))
    assert fresh in parts(box.await_letter(browser.email))[0]
    assert browser.ok(browser.get("/Session"))["User"]["Email"] == browser.email
    nobody = Stranger(world.server)
    nobody.ok(nobody.accept(link))
    assert browser.ok(browser.get("/Session"))["User"]["Email"] == fresh
    assert code(nobody.accept(link)) == 404


# ---- sessions, tokens, the audit log ----

def test_sessions_are_seen_and_ended(world):
    account = world.account("PARTNER", "Sessions")
    admin, email = admin_of(world, account), world.add_user(account)
    here, there = Browser(world.server.base), Browser(world.server.base)
    for browser, agent in (here, "Here/1"), (there, "There/2 \u00e9"):
        browser.session.headers["User-Agent"] = agent.encode("latin-1")
        browser.ok(browser.sign_in(email, PASSWORD))
    listed = here.ok(here.get("/Session/Sessions"))["Sessions"]
    assert {(one["Device"], one["Current"]) for one in listed} == {("Here/1", "true"), ("There/2 ", "false")}
    assert all(one["Address"] == "127.0.0.1" and one["CreationDate"] and one["LastUseDate"] for one in listed)
    other = next(one["Id"] for one in listed if one["Current"] == "false")
    here.ok(here.delete(f"/Session/Sessions/{other}"))
    assert code(there.get("/Session")) == 401
    there.ok(there.sign_in(email, PASSWORD))
    here.ok(here.delete("/Session/Sessions"))
    assert (code(there.get("/Session")), code(here.get("/Session"))) == (401, 200)
    seen = admin.ok(admin.get("Sessions"))["Sessions"]
    assert {one["User"]["Email"] for one in seen} == {admin.email, email}
    admin.ok(admin.delete(f"Sessions/{next(one['Id'] for one in seen if one['User']['Email'] == email)}"))
    assert code(here.get("/Session")) == 401
    assert code(here.get("/Session/Sessions")) == 401


def test_tokens_of_an_accounts_own_have_an_end_and_a_last_use():
    with Server() as server:
        world = World(server)
        admin, reader = admin_of(world, world.partner), world.browser(world.partner, "READ_ONLY")
        made = admin.ok(admin.post("Tokens", {"Label": "shop", "Scope": "READ", "ExpiryDate": "2999-01-01"}))

        def row():
            return next(one for one in admin.ok(admin.get("Tokens"))["Tokens"] if one["Id"] == made["Id"])
        assert (row()["Label"], row()["Scope"], row()["ExpiryDate"], row()["LastUseDate"]) == (
            "shop", "READ", "2999-01-01T00:00:00+00:00", "")
        api = Api(server.base, world.partner.sid, made["Token"], world.partner.prefix)
        assert code(api.get("Campaigns")) == 200
        await_until(lambda: row()["LastUseDate"] != "", "its use")
        for wrong in {"ExpiryDate": "2001-01-01"}, {"ExpiryDate": "soon"}, {"Scope": "ADMIN"}:
            assert code(admin.post("Tokens", wrong)) == 400
        assert server.stop() == 0
        server.store.execute("UPDATE token SET expires_at = 1 WHERE id = ?", int(made["Id"]))
        server.start()
        admin.base = api.base = reader.base = server.base
        assert code(api.get("Campaigns")) == 401
        admin.ok(admin.delete(f"Tokens/{made['Id']}"))
        assert row()["RevokedDate"] != ""
        mine = reader.ok(reader.get("Audit"))["Entries"]
        assert {"token.add", "token.revoke"} <= {one["Action"] for one in mine}
        assert {one["AccountSid"] for one in mine} == {world.partner.sid}


def test_with_https_cookies_are_this_hosts_and_every_answer_says_https():
    with Server("--public-url", "https://postbacks.example") as server:
        world = World(server)
        email = world.add_user(world.partner)
        response = Browser(server.base).sign_in(email, PASSWORD)
        cookies = response.raw.headers.getlist("Set-Cookie")
        assert len(cookies) == 2
        for one in cookies:
            assert one.startswith("__Host-postbackd_") and {"Secure", "Path=/", "HttpOnly"} <= set(one.split("; "))
            assert "Domain" not in one
        session = cookies[0].split(";")[0]
        for cookie, wanted in (session, 200), (session.removeprefix("__Host-"), 401):
            assert code(requests.get(server.base + "/Session", headers={"Cookie": cookie}, timeout=20)) == wanted
        for path in "/", "/healthz", "/Session", "/assets/app.js", "/nowhere":
            sent = requests.get(server.base + path, timeout=20).headers.get("Strict-Transport-Security", "")
            assert "max-age=" in sent, path
    with Server() as server:
        assert "Strict-Transport-Security" not in requests.get(server.base + "/", timeout=20).headers
