"""What is known of a customer is emptied wherever it lies, and nothing of it is left in any file."""

import json
import os
import pytest

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until
from test_jobs import download, ended, exported

WORDS = ["Zebra-4711", "Quagga-0815", "Okapi-1234", "Quokka", "Numbat", "Bilby"]


def everything_of(world, receiver):
    """A customer that partner and brand know, under ids of their own; gives inquiry and action."""
    inquiry = world.open(CustomerId="Zebra-4711", OrderId="Quagga-0815",
                         InquiryNotes="Quokka called me", MediaPartnerInquiryId="Bilby",
                         TrackingLink="https://shop.example/?c=Numbat")
    world.brand.ok(world.brand.post(f"ActionInquiries/{inquiry}/Comments",
                                    {"Comment": "Quokka has paid"}))
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker,
        "FinalPayout": "4.50", "CustomerId": "Okapi-1234", "ResolutionNotes": "Numbat is right"}))
    receiver.wait(3)
    action = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["ActionId"]
    return inquiry, action


def begin(world, **fields):
    fields = {"AccountSid": world.partner.sid, "Waiting": "SEND", **fields}
    return world.operator.ok(world.operator.post("Erasures", fields))


def all_bytes(server):
    for root, _, names in os.walk(server.data):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                yield name, file.read()


@pytest.fixture
def world():
    with Server() as server:
        yield World(server)


@pytest.fixture
def heard(world, receivers):
    receiver = receivers()
    for category in ("Action Inquiry Events", "Action Lifecycle Events"):
        Delivery(world, receiver.url("/"), Category=category, Method="POST", BodyFormat="JSON")
    return receiver


def test_a_customer_is_erased_and_no_file_has_a_word_left(world, heard):
    inquiry, action = everything_of(world, heard)
    other = world.open(CustomerId="Somebody-1", OrderId="Other-1", InquiryNotes="stays")
    export = exported(world.partner, "INQUIRIES")
    assert "Zebra-4711" in download(world.partner, export).text
    in_files = world.server.store is None  # else the bytes are PostgreSQL's
    assert not in_files or any(b"Zebra-4711" in content for _, content in all_bytes(world.server))
    job = ended(world.operator, begin(world, CustomerId="Zebra-4711")["Uri"])
    assert job["Status"] == "COMPLETED", job

    shown = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))
    assert (shown["CustomerId"], shown["InquiryNotes"], shown["TrackingLink"]) == ("", "", "")
    assert (shown["TransactionAmount"], shown["FinalPayout"]) == ("89.90", "4.50")
    credited = world.brand.ok(world.brand.get(f"Actions/{action}"))
    assert (credited["CustomerId"], credited["Payout"]) == ("", "4.50")
    assert credited["Oid"] == f"erased-{action}"
    stays = world.partner.ok(world.partner.get(f"ActionInquiries/{other}"))
    assert (stays["CustomerId"], stays["InquiryNotes"]) == ("Somebody-1", "stays")
    for word in WORDS:
        found = world.partner.ok(world.partner.get("ActionInquiries", Search=word))
        assert found["ActionInquiries"] == [], word
    for account in (world.partner, world.brand):
        for row in account.ok(account.get("Postbacks"))["Postbacks"]:
            text = account.get(f"Postbacks/{row['Id']}").text
            assert not [word for word in WORDS if word in text]

    certificate, = [entry for entry in world.operator.ok(world.operator.get("Audit"))["Entries"]
                    if entry["Action"] == "erasure.certificate"]
    detail = json.loads(certificate["Detail"])
    assert detail["By"] == "CustomerId" and len(detail["Sha256"]) == 64
    assert (detail["Emptied"]["Inquiries"], detail["Emptied"]["Actions"]) == ("1", "1")
    assert int(detail["Emptied"]["Events"]) >= 3 and int(detail["Emptied"]["Comments"]) >= 1
    assert world.partner.get(export["ResultUri"]).status_code == 409
    world.server.stop()
    left = [(name, word) for name, content in all_bytes(world.server) for word in WORDS
            if word.encode() in content]
    assert left == []


def status_of(world, uri):
    return world.operator.ok(world.operator.get(uri))["Status"]


def test_what_waits_goes_first_or_is_cancelled(world, receivers):
    receiver = receivers()
    Delivery(world, receiver.url("/"), Category="Action Inquiry Events", Method="POST",
             BodyFormat="JSON")
    for order, waiting in (("Quagga-0815", "SEND"), ("Quagga-0816", "CANCEL")):
        receiver.behave = answers(500)
        inquiry = world.open(OrderId=order)
        waits = world.await_state(world.partner, "WAITING", 1)[0]["Id"]
        uri = begin(world, OrderId=order, Waiting=waiting)["Uri"]
        if waiting == "SEND":
            await_until(lambda: status_of(world, uri) == "RUNNING", "it runs")
            assert order in world.partner.get(f"Postbacks/{waits}").text
            receiver.behave = answers(200)
            world.partner.ok(world.partner.post(f"Postbacks/{waits}/Retry"))
        ended(world.operator, uri)
        shown = world.partner.ok(world.partner.get(f"Postbacks/{waits}"))
        assert shown["State"] == ("DELIVERED" if waiting == "SEND" else "CANCELLED")
        assert order not in world.partner.get(f"Postbacks/{waits}").text
        assert world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))["OrderId"] == \
            f"erased-{inquiry}"


def test_a_kill_in_the_middle_leaves_nothing_out(world):
    ids = [world.open(CustomerId="Zebra-4711", OrderId=f"Q-{number}") for number in range(60)]
    uri = begin(world, CustomerId="Zebra-4711")["Uri"]
    for _ in range(3):
        world.server.kill()
        world.server.start()
        world.moved()
    ended(world.operator, uri)
    for id in ids:
        shown = world.partner.ok(world.partner.get(f"ActionInquiries/{id}"))
        assert (shown["CustomerId"], shown["OrderId"]) == ("", f"erased-{id}")


def test_it_is_the_customer_of_that_account_alone(world):
    rival = world.account("PARTNER", "Rival")
    world.join(world.campaign, rival)
    mine = world.open(CustomerId="Zebra-4711", OrderId="Q-1")
    answer = rival.ok(rival.post("ActionInquiries", world.inquiry(
        CustomerId="Zebra-4711", OrderId="Q-2")))
    ended(world.operator, begin(world, CustomerId="Zebra-4711")["Uri"])
    assert world.partner.ok(world.partner.get(f"ActionInquiries/{mine}"))["CustomerId"] == ""
    assert rival.ok(rival.get(answer["Uri"]))["CustomerId"] == "Zebra-4711"


@pytest.mark.parametrize("fields, wrong", [
    ({"CustomerId": "C"}, []), ({}, ["CustomerId"]), ({"CustomerId": "C", "OrderId": "O"}, ["CustomerId"]),
    ({"OrderId": "O", "Waiting": "LATER"}, ["Waiting"]), ({"OrderId": "O", "AccountSid": "PA1"}, ["AccountSid"]),
    ({"OrderId": "O", "Waiting": None}, ["Waiting"]), ({"OrderId": "O", "Name": "x"}, ["Name"])])
def test_what_is_asked_for_is_checked(world, fields, wrong):
    whole = {"AccountSid": world.partner.sid, "Waiting": "SEND", **fields}
    answer = world.operator.post("Erasures", {name: value for name, value in whole.items() if value})
    assert answer.status_code == (400 if wrong else 202), answer.text
    assert [one["Field"] for one in answer.json().get("Errors", [])] == wrong
