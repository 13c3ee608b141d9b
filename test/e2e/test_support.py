"""Support requests: an account asks, the operator sees a queue and answers, and both are told."""

import email

import pytest

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until

SECRET = "Bearer sk-live-4eC39HqLyjWDarjtT1zdp7dc"


def ask(account, **fields):
    return account.ok(account.post("SupportRequests", {
        "Kind": "CUSTOM_HEADER", "Subject": "A header for our receiver",
        "Text": "Please add X-Key.", **fields}))


def queue(world, **query):
    return world.operator.ok(world.operator.get("SupportRequests", **query))["SupportRequests"]


def answer(world, request, text="Done.", **fields):
    return world.operator.post(f"SupportRequests/{request}/Messages", {"Text": text, **fields})


def kinds(account):
    return [one["Kind"] for one in account.ok(account.get("Notices"))["Notices"]]


@pytest.mark.parametrize("role", ["partner", "brand"])
def test_a_request_is_asked_answered_and_opened_again(world, role):
    account = getattr(world, role)
    notification = world.notify(account, "http://127.0.0.1:9/pb")["Id"]
    made = ask(account, NotificationId=notification)
    assert made["Uri"] == f"{account.prefix}/SupportRequests/{made['Id']}"
    shown = account.ok(account.get(made["Uri"]))
    assert (shown["State"], shown["Kind"], shown["NotificationId"]) == (
        "OPEN", "CUSTOM_HEADER", notification)
    assert [(one["From"], one["Author"], one["Text"]) for one in shown["Messages"]] == [
        ("ACCOUNT", "test", "Please add X-Key.")]

    (waiting,) = queue(world, AccountSid=account.sid)
    assert (waiting["Id"], waiting["AccountSid"], waiting["MessageCount"]) == (
        made["Id"], account.sid, "1")
    assert "Messages" not in waiting
    assert kinds(world.operator)[0] == "support.asked"
    world.operator.ok(answer(world, made["Id"], "It is set."))

    shown = account.ok(account.get(made["Uri"]))
    assert (shown["State"], shown["WaitingSinceDate"]) == ("ANSWERED", "")
    assert shown["Messages"][1]["From"] == "OPERATOR"
    assert shown["Messages"][1]["Author"] == "Support"
    assert shown["Messages"][1]["Text"] == "It is set."
    notice = account.ok(account.get("Notices"))["Notices"][0]
    assert (notice["Kind"], made["Id"] in notice["Text"]) == ("support.answered", True)

    account.ok(account.post(made["Uri"] + "/Messages", {"Text": "It does not come."}))
    assert account.ok(account.get(made["Uri"]))["State"] == "OPEN"
    world.operator.ok(answer(world, made["Id"], "Now it does.", State="CLOSED"))
    assert account.ok(account.get("SupportRequests", State="CLOSED"))["@total"] == "1"
    assert account.ok(account.get("SupportRequests", State="OPEN"))["@total"] == "0"


def test_the_longest_waiting_stands_first(world):
    ids = [ask(one)["Id"] for one in (world.partner, world.brand, world.partner)]
    own = {world.partner.sid, world.brand.sid}

    def order():
        return [one["Id"] for one in queue(world) if one["AccountSid"] in own]
    assert order() == ids
    world.operator.ok(answer(world, ids[0]))
    assert order() == [ids[1], ids[2], ids[0]]
    world.partner.ok(world.partner.post(f"SupportRequests/{ids[2]}/Messages", {"Text": "Well?"}))
    assert order() == [ids[1], ids[2], ids[0]], "writing on must not cost the place"
    world.partner.ok(world.partner.post(f"SupportRequests/{ids[0]}/Messages", {"Text": "Again."}))
    assert order() == [ids[1], ids[2], ids[0]]
    assert [one["Id"] for one in queue(world, AccountSid=world.brand.sid)] == [ids[1]]
    first = world.operator.ok(world.operator.get("SupportRequests", PageSize=1))
    assert len(first["SupportRequests"]) == 1 and first["@nextpageuri"]


def test_an_open_one_tells_the_operator_once(world):
    before = len(kinds(world.operator))
    made = ask(world.partner)
    for _ in range(3):
        world.partner.ok(world.partner.post(made["Uri"] + "/Messages", {"Text": "Hello?"}))
    assert len(kinds(world.operator)) == before + 1
    world.operator.ok(answer(world, made["Id"]))
    world.partner.ok(world.partner.post(made["Uri"] + "/Messages", {"Text": "Thanks, but"}))
    assert len(kinds(world.operator)) == before + 2


def test_what_is_wrong_is_named(world):
    refused = world.partner.post("SupportRequests", {
        "Kind": "HELP", "NotificationId": "x", "Subject": "a\nb", "Text": "t" * 4001, "Tel": "1"})
    assert refused.status_code == 400
    assert sorted(one["Field"] for one in refused.json()["Errors"]) == [
        "Kind", "NotificationId", "Subject", "Tel", "Text"]
    strangers = world.notify(world.brand, "http://127.0.0.1:9/pb")["Id"]
    for id in (strangers, "987654"):
        refused = world.partner.post("SupportRequests", {
            "Kind": "DELAY", "Subject": "Late", "Text": "Late.", "NotificationId": id})
        assert refused.status_code == 400
        assert refused.json()["Errors"] == [
            {"Field": "NotificationId", "Message": "not an event notification of yours"}]
    made = ask(world.partner, Text="é" * 4000)
    for body, field in (({"Text": ""}, "Text"), ({"Text": "x", "State": "CLOSED"}, "State")):
        refused = world.partner.post(made["Uri"] + "/Messages", body)
        assert [one["Field"] for one in refused.json()["Errors"]] == [field]
    refused = world.operator.post(f"SupportRequests/{made['Id']}/Messages",
                                  {"Text": "x", "State": "DONE"})
    assert [one["Field"] for one in refused.json()["Errors"]] == ["State"]


def test_fifty_may_be_open(world):
    ids = [ask(world.partner)["Id"] for _ in range(50)]
    refused = world.partner.post("SupportRequests", {
        "Kind": "OTHER", "Subject": "One more", "Text": "x"})
    assert refused.status_code == 409
    assert "50 open support requests" in refused.json()["Message"]
    assert "write to one of them" in refused.json()["Message"]
    world.operator.ok(answer(world, ids[7]))
    ask(world.partner)
    again = world.partner.post(f"SupportRequests/{ids[7]}/Messages", {"Text": "and"})
    assert again.status_code == 409, "opening again counts too"
    assert ask(world.brand)["Id"], "another account has its own fifty"


def test_what_people_write_is_nowhere_but_in_the_request(world, server):
    made = ask(world.partner, Subject=f"Key {SECRET}", Text=f"It is {SECRET}")
    world.partner.ok(world.partner.post(made["Uri"] + "/Messages", {"Text": SECRET}))
    world.operator.ok(answer(world, made["Id"], f"Never write {SECRET}", State="CLOSED"))
    assert SECRET in world.partner.get(made["Uri"]).text
    seen = [world.operator.get("Audit").text, world.operator.get("Notices").text,
            world.partner.get("Notices").text, server.log()]
    assert [SECRET in text for text in seen] == [False] * 4
    entries = world.operator.ok(world.operator.get("Audit", PageSize=3))["Entries"]
    assert [one["Action"] for one in entries] == ["support.answer", "support.write", "support.ask"]
    assert entries[0]["Object"] == f"/Operator/SupportRequests/{made['Id']}"


def test_requests_outlive_a_restart():
    with Server() as server:
        world = World(server)
        made = ask(world.partner)
        before = world.partner.ok(world.partner.get(made["Uri"]))
        server.kill()
        server.start()
        world.moved()
        assert world.partner.ok(world.partner.get(made["Uri"])) == before


def test_mail_goes_to_those_with_an_address(tmp_path):
    program, box = tmp_path / "sendmail", tmp_path / "box"
    box.mkdir()
    program.write_text(f'#!/bin/sh\nname=$(mktemp "{box}/part-XXXXXX")\ncat >"$name"\n'
                       f'mv "$name" "{box}/letter-${{name##*-}}"\n')
    program.chmod(0o755)

    def letters():
        found = [email.message_from_bytes(one.read_bytes()) for one in box.glob("letter-*")]
        return sorted((one["To"], one["Subject"]) for one in found)
    with Server("--sendmail", str(program)) as server:
        world = World(server)
        for sid, address in ((world.partner.sid, "partner@mail.example"),
                             (world.operator.sid, "help@mail.example")):
            world.operator.ok(world.operator.put(f"Accounts/{sid}", {"Email": address}))
        for account in (world.partner, world.brand):
            world.operator.ok(answer(world, ask(account, Text=SECRET)["Id"]))
        wanted = [("help@mail.example", "A support request waits")] * 2 + [
            ("partner@mail.example", "Your support request was answered")]
        await_until(lambda: letters() == wanted, "the letters")
        for one in box.glob("letter-*"):
            body = email.message_from_bytes(one.read_bytes()).get_payload()[0].get_payload(decode=True).decode()
            assert "upport request" in body
            assert SECRET not in body


def test_notices_are_in_peoples_words(world, receivers):
    """P13: names for SIDs and ids, pages for paths, times with their zone; what leads on is beside the words."""
    gone = Delivery(world, receivers(answers(410)).url(), Name="To the warehouse")
    gone.send()
    held = world.await_notice(world.partner)
    assert "“To the warehouse” to http://127.0.0.1:" in held["Text"] and "(410)" in held["Text"], held
    assert held["Page"] == f"/notifications/{gone.id}"
    made = world.partner.ok(world.partner.post("SupportRequests", {
        "Kind": "CUSTOM_HEADER", "Subject": "A key", "Text": "Please."}))
    asked = [one for one in world.operator.ok(world.operator.get("Notices"))["Notices"] if one["Kind"] == "support.asked"][0]
    assert asked["Text"] == f"Cashback Corner waits for an answer to support request {made['Id']}, about a custom header."
    assert asked["Page"] == f"/operator/support/{made['Id']}"
    world.operator.ok(world.operator.post("Maintenance", {"StartDate": "2031-11-05T09:05:00+01:00",
                                                          "ExpectedEndDate": "2031-11-05T10:00:00Z"}))
    try:
        planned = await_until(lambda: [one for one in world.partner.ok(world.partner.get("Notices"))["Notices"]
                                       if one["Kind"] == "maintenance.scheduled"], "the notice")[0]
    finally:
        world.operator.ok(world.operator.post("Maintenance/End"))
    assert "from 5 Nov 2031, 08:05 UTC." in planned["Text"] and "at 5 Nov 2031, 10:00 UTC." in planned["Text"], planned
    assert planned["Page"] == ""
    for notice in (held, asked, planned):
        for word in (world.partner.sid, world.brand.sid, "/Mediapartners", "/Operator", "CUSTOM_HEADER", "T08:05", "kind PARTNER"):
            assert word not in notice["Text"], (word, notice)


def test_a_refusal_is_in_peoples_words(world):
    """P13: who may not call is told in words, not by an enum."""
    answer = world.partner.get("/Operator/Accounts")
    assert (answer.status_code, answer.json()["Message"]) == (403, "This is not for partners.")
