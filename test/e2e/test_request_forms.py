"""Requests in other forms than ours that clients and editors send: each is read as what it says, or
refused by its name."""

import gzip
import json

import pytest
import requests

BOM = b"\xef\xbb\xbf"


def post(api, path, body, content_type, **headers):
    return api.call("POST", path, data=body, headers={"Content-Type": content_type, **headers})


def event(world, oid):
    return json.dumps({"Type": "action.tracked", "AccountSids": [world.partner.sid],
                       "Data": {"ActionId": "5", "Oid": oid}}).encode()


@pytest.mark.parametrize("path,content_type", [
    ("/Events", "application/json"), ("/Events", "application/x-ndjson"),
    ("ActionInquiries/Import", "text/csv"), ("ActionInquiries", "application/x-www-form-urlencoded")])
def test_a_packed_body_is_refused_as_such(world, path, content_type):
    """I5: a Content-Encoding other than identity is answered 415, whatever the body is."""
    for packed, body in (("gzip", gzip.compress(b"{}")), ("br", b"{}"), ("identity, gzip", b"{}")):
        answer = post(world.partner, path, body, content_type, **{"Content-Encoding": packed})
        assert answer.status_code == 415, answer.text
        assert packed in answer.json()["Message"]
        assert answer.headers["Accept-Encoding"] == "identity"
    answer = post(world.partner, path, event(world, "O-1"), content_type, **{"Content-Encoding": "identity"})
    assert answer.status_code != 415


def test_a_byte_order_mark_is_no_part_of_the_text(world):
    """I6: JSON and NDJSON as editors on Windows save them."""
    line = event(world, "O-1")
    assert post(world.operator, "/Events", BOM + line, "application/json").status_code == 202
    assert post(world.operator, "/Events", BOM + line + b"\r\n" + line,
                "application/x-ndjson").status_code == 202
    answer = post(world.operator, "/Events", BOM + line + b"\n" + BOM + line, "application/x-ndjson")
    assert answer.status_code == 400 and "line 2" in answer.text
    opened = world.partner.call("POST", "ActionInquiries", data=BOM + json.dumps(world.inquiry()).encode(),
                                headers={"Content-Type": "application/json"})
    assert opened.status_code == 200, opened.text


def test_any_path_may_end_in_json(world):
    """C2: a published client asks for every path with .json behind it."""
    inquiry = world.open()
    for account in (world.partner, world.brand):
        for path in ("Campaigns", "ActionInquiries", "Actions", "EventNotifications", f"ActionInquiries/{inquiry}"):
            query = {"CampaignId": "ALL"} if path in ("ActionInquiries", "Actions") and account is world.brand else {}
            plain, with_json = account.get(path, **query), account.get(path + ".json", **query)
            assert with_json.status_code == plain.status_code == 200, with_json.text
            assert set(with_json.json()) == set(plain.json())
    assert world.partner.post("ActionInquiries.json", world.inquiry()).status_code == 200
    assert world.partner.get("ActionInquiries.csv").headers["Content-Type"].startswith("text/csv")
    assert world.partner.get(f"/Mediapartners/{world.partner.sid}.json").status_code == \
        world.partner.get(f"/Mediapartners/{world.partner.sid}").status_code
    assert requests.get(world.server.base + "/healthz.json", timeout=20).status_code == 200


def test_the_version_that_clients_send_is_passed_over(world):
    """C4: IrVersion, of any value, on any call."""
    for value in ("16", "", "x y"):
        for path in ("Campaigns", "ActionInquiries", "Actions", "EventNotifications"):
            answer = world.partner.get(path, IrVersion=value)
            assert answer.status_code == 200, answer.text
    made = world.partner.call("POST", "ActionInquiries", json=world.inquiry(), params={"IrVersion": "16"})
    assert made.status_code == 200, made.text
    unknown = world.partner.get("Campaigns", IrVersion="16", Foo="1")
    assert unknown.status_code == 400 and "Foo" in unknown.text and "IrVersion" not in unknown.text
