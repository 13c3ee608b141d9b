"""`postbackd admin`: every command of its table against a running server, and what it says when it
cannot."""

import json
import os
import re
import subprocess

import pytest

from harness.certificates import Authority, serving
from harness.server import BINARY, Browser, Server, World, await_until

USED = set()  # "noun verb" of every command that a test here ran with success


def run(*words, stdin="", env=None):
    return subprocess.run([BINARY, "admin", *words], input=stdin, text=True, timeout=40,
                          capture_output=True, env={**os.environ, **(env or {})})


@pytest.fixture
def admin(server):
    def call(*words, stdin=""):
        done = run("--url", server.base, "--data", server.data, *words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        USED.add(" ".join(words[:2]))
        return json.loads(done.stdout)
    return call


@pytest.fixture
def refused(server):
    def call(*words, code=1, stdin=""):
        done = run("--url", server.base, "--data", server.data, *words, stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == ""
        return done.stderr
    return call


def test_a_platform_is_set_up_from_the_shell(server, admin, refused):
    assert admin("status", "show") == {"Status": "OK"}
    brand = admin("account", "add", "Kind=BRAND", "Name=Acme = Shoes", "Email=acme@example.com")
    partner = admin("account", "add", "Kind=PARTNER", "Name=Corner")
    sids = [one["Sid"] for one in admin("account", "list")["Accounts"]]
    assert brand["Sid"] in sids and partner["Sid"] in sids
    assert [one["Sid"] for one in admin("account", "list", "Kind=BRAND")["Accounts"]] == [
        brand["Sid"]]
    shown = admin("account", "show", brand["Sid"])
    assert (shown["Name"], shown["Email"]) == ("Acme = Shoes", "acme@example.com")
    admin("account", "change", brand["Sid"], "Name=Acme", "Active=true")
    assert admin("account", "show", brand["Sid"])["Name"] == "Acme"

    made = admin("user", "add", brand["Sid"], "Email=d@example.com", "Name=Dana", "Role=READ_ONLY",
                 "Password=-", stdin="a password from the standard input\n")
    (user,) = admin("user", "list", brand["Sid"])["Users"]
    assert (user["Id"], user["Role"]) == (made["Id"], "READ_ONLY")
    admin("user", "change", brand["Sid"], user["Id"], "Role=USER", "Active=no")
    (user,) = admin("user", "list", brand["Sid"])["Users"]
    assert (user["Role"], user["Active"]) == ("USER", "false")

    campaign = admin("campaign", "add", f"BrandSid={brand['Sid']}", "Name=Autumn",
                     "Currency=EUR")["Id"]
    assert [one["Id"] for one in admin("campaign", "list")["Campaigns"]] == [campaign]
    tracker = admin("tracker", "add", campaign, "Name=Online sale")["Id"]
    assert admin("tracker", "list", campaign)["Trackers"] == [
        {"Id": tracker, "Name": "Online sale"}]
    terms = ["CampaignId=" + campaign, "ActionTrackerId=" + tracker, "PayoutPercentage=5",
             "Locking=AFTER_EVENT", "LockingDays=30", "ClearingDays=15"]
    assert admin("terms", "preview", *terms, "Amount=89.90", "EventDate=2026-01-15")[
        "Payout"] == "4.50"
    made = admin("terms", "add", *terms)["Id"]
    assert [one["Id"] for one in admin("terms", "list", "CampaignId=" + campaign)["Terms"]] == [made]
    admin("terms", "remove", made)
    admin("member", "add", campaign, f"PartnerSid={partner['Sid']}")
    assert admin("member", "list", campaign)["Members"][0]["PartnerSid"] == partner["Sid"]
    admin("member", "remove", campaign, partner["Sid"])
    assert admin("member", "list", campaign)["Members"] == []

    token = admin("token", "add", partner["Sid"], "Scope=READ", "Label=shell")
    assert token["Token"].startswith("pbt_") and token["Scope"] == "READ"
    (listed,) = admin("token", "list", partner["Sid"])["Tokens"]
    assert (listed["Label"], listed["RevokedDate"]) == ("shell", "")
    admin("token", "revoke", partner["Sid"], token["Id"])
    assert admin("token", "list", partner["Sid"])["Tokens"][0]["RevokedDate"]

    entries = admin("audit", "list")["Entries"]
    assert [one["Action"] for one in entries[:2]] == ["token.revoke", "token.add"]
    assert "password" not in json.dumps(entries) + server.log()


def test_certificates_from_the_shell(server, admin, refused, receivers, tmp_path):
    world, own = World(server), Authority(tmp_path)
    receiver = receivers(tls=serving(own.issue("127.0.0.1")))
    made = world.notify(world.partner, receiver.url())
    certificate, key = own.client()
    (tmp_path / "client.pem").write_text(certificate)
    admin("tls", "set", made["Id"], f"CaCertificate=@{own.file}",
          f"ClientCertificate=@{tmp_path}/client.pem", "ClientKey=-", stdin=key)
    shown = admin("tls", "show", made["Id"])
    assert [one["Subject"] for one in shown["ClientCertificates"]] == ["CN=postbackd"]
    assert shown["HasClientKey"] == "true"
    world.open()
    receiver.wait(1)
    none = f"CaCertificate=@{tmp_path}/none.pem"
    assert "none.pem cannot be read" in refused("tls", "set", made["Id"], none, code=2)
    assert "CaCertificate" in refused("tls", "set", made["Id"], "CaCertificate=hello")
    admin("tls", "remove", made["Id"])
    assert admin("tls", "show", made["Id"])["CaCertificates"] == []


def test_custom_headers_from_the_shell(server, admin, refused, receiver):
    world = World(server)
    made = world.notify(world.partner, receiver.url())
    value = json.dumps([{"Name": "X-Key", "Value": "s3cret"}])
    admin("headers", "set", made["Id"], f"CustomHeaders={value}")
    (one,) = admin("notification", "list", f"AccountSid={world.partner.sid}")["Notifications"]
    assert one["CustomHeaders"] == [{"Name": "X-Key", "Value": "(hidden)"}]
    assert made["Id"] in [each["Id"] for each in admin("notification", "list")["Notifications"]]
    world.open()
    assert receiver.wait(1)[0].header("x-key") == "s3cret"
    admin("headers", "set", made["Id"], "CustomHeaders=-", stdin=value.replace("s3cret", "new"))
    world.open()
    assert receiver.wait(2)[1].header("x-key") == "new"
    assert "CustomHeaders" in refused("headers", "set", made["Id"], "CustomHeaders=X-Key: 1")
    world.partner.ok(world.partner.put(made["Uri"], {"Url": "http://127.0.0.1:9/moved"}))
    assert "127.0.0.1:9" in refused("notification", "agree", made["Id"], f"For={receiver.url('')}")
    admin("notification", "agree", made["Id"], "For=http://127.0.0.1:9")
    admin("headers", "set", made["Id"], "CustomHeaders=[]")
    assert world.partner.ok(world.partner.get(made["Uri"]))["CustomHeaders"] == []


def test_tracking_tokens_from_the_shell(world, admin):
    made = admin("tracking", "add", world.campaign, "Label=shop")
    assert made["Token"].startswith("pbt_")
    admin("tracking", "revoke", world.campaign, made["Id"])
    (one,) = admin("tracking", "list", world.campaign)["TrackingTokens"]
    assert (one["Label"], one["RevokedDate"] != "") == ("shop", True)


def test_data_points_from_the_shell(world, admin, refused):
    admin("points", "set", world.partner.sid, 'DataPoints=["Reopened"]')
    assert admin("points", "show", world.partner.sid)["DataPoints"] == ["Reopened"]
    assert "OrderId" in refused("points", "set", world.partner.sid, "DataPoints=OrderId")
    admin("points", "set", world.partner.sid, "DataPoints=[]")
    assert admin("points", "show", world.partner.sid)["DataPoints"] == []


def test_support_requests_from_the_shell(world, admin):
    made = world.partner.ok(world.partner.post("SupportRequests", {
        "Kind": "DELAY", "Subject": "Late", "Text": "An hour late."}))
    (one,) = admin("support", "list", "State=OPEN",
                   f"AccountSid={world.partner.sid}")["SupportRequests"]
    assert one["Id"] == made["Id"]
    admin("support", "answer", made["Id"], "Text=-", "State=CLOSED", stdin="It goes out now.\n")
    shown = admin("support", "show", made["Id"])
    assert (shown["State"], shown["Messages"][1]["Text"]) == ("CLOSED", "It goes out now.")


def test_event_types_from_the_shell(server, admin, refused):
    points = [{"Name": "OrderId", "Type": "text", "Meaning": "The order", "Sample": "O-1"}]
    admin("type", "add", "Name=shell.sent", "Meaning=It was sent",
          f"DataPoints={json.dumps(points)}")
    points.append({"Name": "Weight", "Type": "integer", "Meaning": "In grams", "Sample": "5"})
    admin("type", "change", "shell.sent", "DataPoints=-", stdin=json.dumps(points))
    (one,) = admin("type", "list")["EventTypes"]
    assert (one["Name"], one["DataPoints"]) == ("shell.sent", points)
    admin("type", "delete", "shell.sent")
    assert admin("type", "list")["EventTypes"][0]["DeletedDate"]
    assert "DataPoints[0]" in refused("type", "add", "Name=shell.x", "Meaning=m",
                                      'DataPoints=[{"Name":"x"}]')


def test_a_maintenance_is_planned_and_cancelled_from_the_shell(server, admin, refused):
    admin("maintenance", "start", "StartDate=2099-01-01", "Message=New disks")
    status = run("--url", server.base, "--data", server.data, "maintenance", "status")
    assert (status.returncode, status.stdout) == (0, "scheduled for 2099-01-01T00:00:00+00:00\n")
    USED.add("maintenance status")  # its answer is for people; test_maintenance.py follows it
    assert "409" in refused("maintenance", "start")
    admin("maintenance", "end")
    assert "no maintenance to end" in refused("maintenance", "end")


def test_nodes_from_the_shell(admin, refused):
    """One to drain is in test_nodes.py."""
    assert isinstance(admin("nodes", "list")["Nodes"], list)
    for verb in "drain", "undrain":
        assert "There is no node of this name." in refused("nodes", verb, "nobody")
        USED.add(f"nodes {verb}")


def test_the_key_from_the_shell(server, admin):
    """What a change does is in test_key_change.py."""
    before = admin("key", "show")["Key"]
    if server.store:
        subprocess.run([BINARY, "next-key", "--data", server.data], check=True, stdout=subprocess.DEVNULL)
    admin("key", "rotate")
    await_until(lambda: admin("key", "show")["Key"] != before, "the new key", 60)


def test_a_customer_is_erased_from_the_shell(admin):
    """What it does is in test_erasure.py."""
    sid = admin("account", "add", "Kind=PARTNER", "Name=Forgetful")["Sid"]
    begun = admin("erase", "customer", f"AccountSid={sid}", "CustomerId=C-1", "Waiting=CANCEL")
    assert begun["Uri"].endswith(f"/Jobs/{begun['Id']}")


def test_a_text_that_looks_like_json_is_text_all_the_same(admin):
    for name in ("[1]", '{"a":1}', "[", "{x", "-5", "a=b=c", " spaces kept inside "):
        made = admin("account", "add", "Kind=BRAND", f"Name={name}")
        assert admin("account", "show", made["Sid"])["Name"] == name.strip()


def test_the_operators_first_user_signs_in(server, admin):
    admin("user", "add", "operator", "Email=op@example.com", "Name=Olga", "Password=-",
          stdin="a password for the pages\n")
    browser = Browser(server.base)
    told = browser.ok(browser.sign_in("op@example.com", "a password for the pages"))
    assert told["Account"]["Kind"] == "OPERATOR"
    assert browser.ok(browser.get("Accounts"))["Accounts"]


def test_every_command_of_the_help_was_run():
    """Stands after the tests that run them; alone it has nothing to compare."""
    text = run("--help").stdout
    commands = set(re.findall(r"^  ([a-z]+ [a-z]+) ", text, re.MULTILINE))
    assert len(commands) >= 20
    if USED:
        assert commands == USED


def test_a_refusal_is_told_in_sentences_with_every_field(server, refused):
    text = refused("account", "add", "Kind=SHOP", "Colour=red")
    assert text.startswith("postbackd admin: 400: ")
    for field in ("Kind: ", "Name: ", "Colour: "):
        assert f"\n  {field}" in text, text
    assert "404: There is no such account" in refused("account", "show", "PAnobody")
    assert "404" in refused("account", "show", "../Campaigns")
    assert "404" in refused("account", "show", "a b%/?#")
    operator = server.operator()
    (own, *_) = operator.ok(operator.get(f"Accounts/{operator.sid}/Tokens"))["Tokens"]
    assert "409" in refused("token", "revoke", operator.sid, own["Id"])


@pytest.mark.parametrize("words", [
    [], ["account"], ["account", "remove"], ["acount", "list"], ["account", "show"],
    ["token", "revoke", "PA1"], ["account", "add", "Kind"], ["account", "add", "=x"],
    ["account", "show", "PA1", "more"], ["account", "add", "Name=\udcff"]])
def test_wrong_words_are_told_without_a_call(refused, words):
    assert "postbackd admin" in refused(*words, code=2)


@pytest.mark.parametrize("flags", [["--url"], ["--colour", "red"], ["--data"]])
def test_wrong_flags(flags):
    done = run(*flags)
    assert done.returncode == 2 and flags[0] in done.stderr


def test_who_calls(server, world):
    sid, token = open(os.path.join(server.data, "operator.token")).read().strip().split(":")
    base = ["--url", server.base]
    good = run(*base, "account", "list", env={"POSTBACKD_TOKEN": f"{sid}:{token}"})
    assert good.returncode == 0, good.stderr
    bad = run(*base, "account", "list", env={"POSTBACKD_TOKEN": f"{sid}:pbt_wrong"})
    assert bad.returncode == 1 and "401" in bad.stderr and "pbt_wrong" not in bad.stderr
    none = run(*base, "account", "list")
    assert none.returncode == 2 and "--data" in none.stderr and "POSTBACKD_TOKEN" in none.stderr
    elsewhere = run(*base, "--data", "/nowhere", "account", "list")
    assert elsewhere.returncode == 2 and "/nowhere/operator.token" in elsewhere.stderr
    partner = run(*base, "account", "list",
                  env={"POSTBACKD_TOKEN": f"{world.partner.sid}:{world.partner.token}"})
    assert partner.returncode == 1 and "403" in partner.stderr


def test_nobody_listens_there():
    with Server() as server:
        base, data = server.base, server.data
        assert server.stop() == 0
        done = run("--url", base, "--data", data, "account", "list")
        assert done.returncode == 1 and base in done.stderr and "refused" in done.stderr
    for url in ("example", "ftp://x", "http://", "http://127.0.0.1:x"):
        done = run("--url", url, "account", "list", env={"POSTBACKD_TOKEN": "OP:x"})
        assert done.returncode == 1 and url in done.stderr, done.stderr


def test_help_goes_to_the_standard_output():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == "" and "usage: postbackd admin" in done.stdout
