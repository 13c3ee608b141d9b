"""What is sent: methods, URLs, bodies in every format, tokens and their functions, and values that
try to break out of their place."""

import hashlib
import json
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

import pytest

from harness.delivery import Delivery

# Everything that means something in some place, and nothing that XML cannot hold.
HOSTILE = ('"\'`</Event><a b="c">&amp;&#x41;&\\"}],"x":1,{{Oid}}{Oid}%41%0d%0a+ =#?/../;\t'
           'ä é 日本 🎉 \u2028\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\n]]>-->')


def sent(world, receiver, values, path="/in", **settings):
    """The request that an event with these values makes."""
    delivery = Delivery(world, receiver.url(path), **settings)
    delivery.send(**values)
    request = receiver.wait(1)[0]
    delivery.await_state("DELIVERED")
    assert request.header("x-evil") is None and receiver.connections == 1
    assert len(receiver.requests) == 1, "no value makes a second request"
    return request


def test_get_with_tokens_in_path_and_query(world, receiver):
    request = sent(world, receiver, {"Oid": "A 1/2", "SubId1": "x&y=z", "Amount": "89.90"},
                   "/c/{CampaignId}/{Oid}?sub={SubId1}&amount={Amount}&fix=1&none={SubId3}", Method="GET")
    assert request.method == "GET" and request.body == b""
    assert request.target == "/c//A%201%2F2?sub=x%26y%3Dz&amount=89.90&fix=1&none="
    assert request.header("content-type") is None and request.header("content-length") is None


def test_ticked_data_points_are_added_to_the_query(world, receiver):
    request = sent(world, receiver, {"Oid": "O-1", "SubId1": HOSTILE}, "/in?a=1", Method="GET",
                   QueryPoints=["Oid", "SubId1", "PromoCode", "EventType", "AccountSid"])
    query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    assert query == [("a", "1"), ("Oid", "O-1"), ("SubId1", HOSTILE), ("PromoCode", ""),
                     ("EventType", "action.tracked"), ("AccountSid", world.partner.sid)]


def test_a_url_without_path_or_query_takes_ticked_data_points(world, receiver):
    delivery = Delivery(world, f"http://127.0.0.1:{receiver.port}", Method="GET", QueryPoints="Oid")
    delivery.send(Oid="O-1")
    assert receiver.wait(1)[0].target == "/?Oid=O-1"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body_format,content_type", [
    ("JSON", "application/json"), ("XML", "application/xml; charset=utf-8"),
    ("FORM", "application/x-www-form-urlencoded"), ("TEXT", "text/plain; charset=utf-8")])
def test_a_constant_body_is_sent_as_it_is(world, receiver, method, body_format, content_type):
    template = {"JSON": '{"a": [1, {}]}', "XML": "<a>1</a>", "FORM": "a=1&b=%20", "TEXT": "a {{1}}"}[body_format]
    request = sent(world, receiver, {}, Method=method, BodyFormat=body_format, BodyTemplate=template)
    assert (request.method, request.header("content-type")) == (method, content_type)
    assert request.body.decode() == template.replace("{{", "{").replace("}}", "}")
    assert request.header("content-length") == str(len(request.body))
    assert request.header("user-agent").startswith("postbackd/")
    assert request.header("host") == f"127.0.0.1:{receiver.port}"


# ---- the default bodies: every data point, in each format ----

VALUES = {"Oid": "O-1", "SubId1": HOSTILE, "Amount": "89.90", "CampaignId": "1000",
          "EventDate": "2026-01-15T10:00:00+01:00",
          "Items": [{"Sku": HOSTILE, "Quantity": "2"}, {"Sku": "B"}]}


def test_the_default_json_body(world, receiver):
    body = json.loads(sent(world, receiver, VALUES).body)
    for name, value in VALUES.items():
        assert body[name] == value, name
    assert body["EventType"] == "action.tracked" and body["AccountSid"] == world.partner.sid
    assert set(body) == set(VALUES) | {"EventId", "EventType", "EventTime", "AccountSid"}


def test_the_default_xml_body(world, receiver):
    tree = ElementTree.fromstring(sent(world, receiver, VALUES, BodyFormat="XML").body)
    assert tree.tag == "Event"
    assert [child.tag for child in tree if child.tag not in VALUES] == [
        "EventId", "EventType", "EventTime", "AccountSid"]
    for name in ("Oid", "SubId1", "Amount", "EventDate"):
        assert tree.find(name).text == VALUES[name], name
    items = tree.find("Items").findall("Item")
    assert [item.find("Sku").text for item in items] == [HOSTILE, "B"]


def test_the_default_form_body(world, receiver):
    form = parse_qs(sent(world, receiver, VALUES, BodyFormat="FORM").body.decode(),
                    keep_blank_values=True, strict_parsing=True)
    for name in ("Oid", "SubId1", "Amount", "EventDate"):
        assert form[name] == [VALUES[name]], name
    assert json.loads(form["Items"][0]) == VALUES["Items"]


def test_the_default_text_body(world, receiver):
    lines = sent(world, receiver, VALUES, BodyFormat="TEXT").body.decode().splitlines()
    lines = [line for line in lines if ": " in line]
    assert "Oid: O-1" in lines
    assert not any(line.startswith("X-Evil") for line in lines), "a value is no further line"


# ---- hostile values land where their token stands, and nowhere else ----

def test_a_value_in_a_url_stays_in_its_place(world, receiver):
    request = sent(world, receiver, {"SubId1": HOSTILE}, "/a/{SubId1}/b?q={SubId1}&end=1", Method="GET")
    path, query = request.target.split("?")
    assert path.count("/") == 3 and unquote(path.split("/")[2]) == HOSTILE
    assert parse_qsl(query) == [("q", HOSTILE), ("end", "1")]
    assert request.target.isascii() and not set(request.target) & set('"<>\\^`{|} \t\r\n#')


def test_raw_in_a_url_leaves_its_reserved_characters_and_nothing_worse(world, receiver):
    request = sent(world, receiver, {"LandingPageUrl": "https://a.example/x?y=1&z=%20" + HOSTILE},
                   "/go?to={LandingPageUrl|raw}", Method="GET")
    assert request.target.startswith("/go?to=https://a.example/x?y=1&z=%20")
    assert request.target.isascii() and not set(request.target) & set('"<> \t\r\n#')


def test_a_value_in_a_json_body_stays_in_its_place(world, receiver):
    template = ('{"quoted": "<{SubId1}>", "whole": {SubId1}, "list": [{SubId1}, "{SubId1}"], '
                '"{SubId1}": 1, "money": {Amount}, "none": {SubId3}, "items": {Items}, "end": true}')
    body = json.loads(sent(world, receiver, {**VALUES}, BodyTemplate=template).body)
    assert body == {"quoted": f"<{HOSTILE}>", "whole": HOSTILE, "list": [HOSTILE, HOSTILE],
                    HOSTILE: 1, "money": 89.90, "none": "", "items": VALUES["Items"], "end": True}


def test_a_value_in_an_xml_body_stays_in_its_place(world, receiver):
    template = ('<?xml version="1.0"?><r double="{SubId1}" single=\'{SubId1}\'><text>{SubId1}</text>'
                "<cdata><![CDATA[{SubId1}{SubId1}]]></cdata><end/></r>")
    tree = ElementTree.fromstring(
        sent(world, receiver, VALUES, BodyFormat="XML", BodyTemplate=template).body)
    assert [child.tag for child in tree] == ["text", "cdata", "end"]
    assert tree.get("double") == HOSTILE and tree.get("single") == HOSTILE
    assert tree.find("text").text == HOSTILE and tree.find("cdata").text == HOSTILE * 2


def test_a_value_in_a_form_body_stays_in_its_place(world, receiver):
    request = sent(world, receiver, VALUES, BodyFormat="FORM", BodyTemplate="a={SubId1}&{SubId1}=b&c=1")
    assert parse_qsl(request.body.decode(), strict_parsing=True) == [
        ("a", HOSTILE), (HOSTILE, "b"), ("c", "1")]


def test_a_value_in_a_text_body_is_as_it_is(world, receiver):
    request = sent(world, receiver, VALUES, BodyFormat="TEXT", BodyTemplate="<{SubId1}>")
    assert request.body.decode() == f"<{HOSTILE}>"


@pytest.mark.parametrize("body_format,read", [
    ("JSON", lambda body: json.loads(body)["SubId1"]),
    ("FORM", lambda body: parse_qs(body.decode())["SubId1"][0]),
    ("XML", lambda body: ElementTree.fromstring(body).find("SubId1").text)])
def test_control_characters_do_no_harm(world, receiver, body_format, read):
    """XML has no way to write them, so there they are left out."""
    value = "a\x01\x08\x0b\x1f\x7fz"
    read_back = read(sent(world, receiver, {"SubId1": value}, BodyFormat=body_format).body)
    assert read_back == (value if body_format != "XML" else "a\x7fz")


# ---- tokens ----

@pytest.mark.parametrize("token,expected", [
    ("{EventDate}", "2026-01-15T10:00:00+01:00"),
    ("{EventDate|unix}", "1768467600"),
    ("{EventDate|date:%Y-%m-%d}", "2026-01-15"),
    ("{EventDate|date:%d/%m/%y %H:%M}", "15/01/26 09:00"),
    ("{CustomerId|sha256}", hashlib.sha256("Dana@Example.com".encode()).hexdigest()),
    ("{CustomerId|lower|sha256}", hashlib.sha256("dana@example.com".encode()).hexdigest()),
    ("{CustomerId|md5}", hashlib.md5("Dana@Example.com".encode()).hexdigest()),
    ("{CustomerId|upper}", "DANA@EXAMPLE.COM"),
    ("{SubId3|default:none}", "none"),
    ("{SubId3|sha256|default:none}", "none"),
    ("{CustomerId|default:none}", "Dana@Example.com"),
    ("{Attempt}", "1"),
    ("{EventType}", "action.tracked"),
])
def test_tokens_and_their_functions(world, receiver, token, expected):
    values = {"EventDate": "2026-01-15T10:00:00+01:00", "CustomerId": "Dana@Example.com"}
    request = sent(world, receiver, values, "/in?t=" + token, Method="GET")
    assert parse_qsl(urlsplit(request.target).query) == [("t", expected)]


def test_the_common_data_points(world, receiver):
    names = ["EventId", "EventType", "EventTime", "AccountSid", "PostbackId", "Attempt"]
    delivery = Delivery(world, receiver.url(), BodyFormat="FORM",
                        BodyTemplate="&".join(f"{name}={{{name}}}" for name in names))
    event = delivery.send()
    request = receiver.wait(1)[0]
    body = dict(parse_qsl(request.body.decode()))
    assert body["EventId"] == event and body["PostbackId"] == request.header("webhook-id")
    assert body["AccountSid"] == world.partner.sid and body["Attempt"] == "1"


def test_an_inquirys_data_points_come_under_their_names(world, receiver):
    names = ["InquiryId", "CampaignId", "CampaignName", "OrderId", "TransactionAmount", "Currency",
             "InquiryType", "State", "ResolutionStatus", "MediaPartnerInquiryId", "InquiryNotes"]
    Delivery(world, receiver.url(), Category="Action Inquiry Events", BodyFormat="FORM",
             BodyTemplate="&".join(f"{name}={{{name}}}" for name in names))
    inquiry = world.open(OrderId=HOSTILE[:60], MediaPartnerInquiryId="M7", InquiryNotes=HOSTILE)
    body = dict(parse_qsl(receiver.wait(1)[0].body.decode(), keep_blank_values=True))
    assert body == {"InquiryId": inquiry, "CampaignId": str(world.campaign), "CampaignName": "Acme Autumn",
                    "OrderId": HOSTILE[:60], "TransactionAmount": "89.90", "Currency": "EUR",
                    "InquiryType": "UNTRACKED", "State": "OPEN", "ResolutionStatus": "UNRESOLVED",
                    "MediaPartnerInquiryId": "M7", "InquiryNotes": HOSTILE}


# ---- the path ----

@pytest.mark.parametrize("path, value", [
    ("/orders/{Oid}/inquiry", ".."), ("/orders/{Oid}/inquiry", "."), ("/orders/{Oid|raw}/inquiry", ".."),
    ("/orders/.{Oid}/inquiry", "."), ("/orders/{Oid|raw}/inquiry", "%2e%2e"),
    ("/orders/{Oid}/inquiry", "..;x")])
def test_a_value_that_is_a_dot_segment_is_not_sent(world, receiver, path, value):
    """R1: the attempt fails with words, the postback waits, and the next one goes out."""
    delivery = Delivery(world, receiver.url(path))
    event = delivery.send(Oid=value)
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Verdict"], attempt["Error"]) == ("failed", "build"), attempt
    assert "would lead elsewhere" in attempt["Detail"], attempt
    delivery.send(Oid="A-1")
    assert receiver.wait(1)[0].target.endswith("A-1/inquiry")
    assert [postback["EventId"] for postback in delivery.postbacks(State="WAITING")] == [event]
    assert len(receiver.requests) == 1


def test_a_dot_segment_in_the_url_is_refused_when_saved(world, receiver):
    """R1: in the text itself, encoded or not; and the preview says what would not be sent."""
    for path in ("/a/../{Oid}", "/./a", "/a/%2e%2e/b"):
        answer = world.partner.post("EventNotifications", {
            "Category": "Action Lifecycle Events", "Method": "GET", "Url": receiver.url(path)})
        assert answer.status_code == 400, answer.text
        assert "leads elsewhere" in answer.json()["Errors"][0]["Message"], answer.text
    answer = world.partner.post("EventNotifications/Preview", {
        "Category": "Action Lifecycle Events", "Method": "GET", "Url": receiver.url("/a/{Oid}"),
        "Data": {"Oid": ".."}})
    assert answer.status_code == 400 and "would lead elsewhere" in answer.text, answer.text
