"""The checks of an event notification's settings: each one by its field, with the place of the
error; and the request that right ones make."""

import hashlib
import json
import urllib.parse
import xml.etree.ElementTree

import pytest

RIGHT = {"Category": "Action Inquiry Events", "Url": "https://example.com/in", "Method": "POST"}


def errors(answer):
    return {error["Field"]: error["Message"] for error in answer.json()["Errors"]}


def try_(world, **settings):
    whole = {name: value for name, value in {**RIGHT, **settings}.items() if value is not None}
    return world.partner.post("EventNotifications", whole)


def refused(world, field, words, **settings):
    """Refused for that field alone, when saved anew, when changed and when previewed."""
    answer = try_(world, **settings)
    assert answer.status_code == 400, answer.text
    found = errors(answer)
    assert set(found) == {field}, found
    assert words in found[field], found
    if None not in settings.values():
        preview = world.partner.post("EventNotifications/Preview", {**RIGHT, **settings})
        assert preview.status_code == 400 and errors(preview) == found
        made = world.notify(world.partner, "https://example.com/in")
        change = world.partner.put(made["Uri"], settings)
        assert change.status_code == 400, change.text
        assert world.partner.ok(world.partner.get(made["Uri"]))["Revision"] == "1"


def preview(world, **settings):
    answer = world.partner.post("EventNotifications/Preview", {**RIGHT, **settings})
    return world.partner.ok(answer)["Request"]


# ---- URLs ----

@pytest.mark.parametrize("url, words", [
    ("", "required"),
    ("example.com/in", "at character 1: a URL starts with https:// or http://"),
    ("ftp://example.com", "at character 1"),
    ("HTTPS//example.com", "at character 1"),
    ("https://", "a host is missing"),
    ("https:///in", "a host is missing"),
    ("https://{OrderId}.example.com/", "at character 9: tokens may stand in the path and query"),
    ("https://example.com:{Attempt}/", "tokens may stand"),
    ("{Url}://example.com/", "tokens may stand"),
    ("https://user:secret@example.com/", "at character 9"),
    ("https://exa mple.com/", "at character 9"),
    ("https://bücher.example/", "xn--"),
    ("https://-a.example/", "neither starts nor ends"),
    ("https://a..example/", "empty part"),
    ("https://256.1.1.1/", "IPv4"),
    ("https://0x7f.1/", "IPv4"),
    ("https://2130706433/", "IPv4"),
    ("https://[::1/", "brackets"),
    ("https://[1:2]/", "not an IPv6 address"),
    ("https://[fe80::1%25eth0]/", "zone"),
    ("https://example.com:0/", "at character 21: a port"),
    ("https://example.com:65536/", "a port"),
    ("https://example.com:443x/", "a port"),
    ("https://example.com/a b", "at character 22: a space is written %20"),
    ("https://example.com/a#b", "at character 22: a fragment"),
    ("https://example.com/%zz", "at character 21: '%'"),
    ("https://example.com/ü", "percent-encoded"),
    ("https://example.com/\r\nX: y", "control characters"),
    ("https://example.com/?a={Nope}", "Nope"),
    ("https://example.com/?a={OrderId", "line 1, column 24"),
    ("https://example.com/" + "x" * 2000, "at most 2000 bytes"),
    (["https://example.com/"], "text"),
])
def test_urls_that_are_refused(world, url, words):
    refused(world, "Url", words, Url=url)


@pytest.mark.parametrize("url, seen", [
    ("HTTPS://Example.COM/A?b", "https://example.com/A?b"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ("http://[::1]:81/x", "http://[::1]:81/x"),
    ("https://example.com?a={OrderId}", "https://example.com/?a=A%26%C3%BC%20%2F"),
    ("https://example.com/{OrderId}/{{x}}", "https://example.com/A%26%C3%BC%20%2F/%7Bx%7D"),
])
def test_urls_that_are_taken(world, url, seen):
    request = preview(world, Url=url, Data={"OrderId": "A&ü /"})
    assert request["Url"] == seen


# ---- the other settings ----

@pytest.mark.parametrize("field, value, words", [
    ("Method", None, "required: GET, POST or PUT"),
    ("Method", "PATCH", "GET, POST or PUT"),
    ("Method", "", "GET, POST or PUT"),
    ("Category", None, "required"),
    ("Category", "Nothing", "must be one of: Action Inquiry Events, "),
    ("BodyFormat", "YAML", "JSON, XML, FORM or TEXT"),
    ("MinimumDelay", "86401", "from 0 to 86400"),
    ("MinimumDelay", "-1", "from 0 to 86400"),
    ("MinimumDelay", "1.5", "whole number"),
    ("MinimumDelay", True, "whole number"),
    ("MaximumRequests", "100001", "from 0 to 100000"),
    ("MaximumRequests", "many", "whole number"),
    ("MaximumConcurrentRequests", "257", "from 0 to 256"),
    ("SuccessResponse", "x" * 201, "at most 200 bytes"),
    ("ErrorResponse", {"a": 1}, "text"),
    ("AcceptAny2xx", "perhaps", "true or false"),
    ("Ordered", 2, "true or false"),
    ("Name", "x" * 201, "at most 200 bytes"),
    ("Name", "a\nb", "one line"),
    ("EventTypes", ["action_inquiry.opend"], '"action_inquiry.opend" is not an event type'),
    ("EventTypes", [5], "not an event type"),
    ("EventTypes", {"a": 1}, "array of names"),
    ("EventTypes", ["action.tracked"], "not of Action Inquiry Events: action.tracked"),
    ("QueryPoints", ["OrderId", "Oid"], '"Oid" is not a data point'),
    ("QueryPoints", 7, "array of names"),
    ("CustomHeaders", [{"Name": "A", "Value": "b"}], "operator"),
    ("SigningSecret", "whsec_x", "operator"),
    ("colour", "red", "not a setting"),
    ("url", "https://example.com", "Url is"),
])
def test_settings_that_are_refused(world, field, value, words):
    refused(world, field, words, **{field: value})


def test_the_largest_values_are_taken_and_shown(world):
    largest = {"MinimumDelay": "86400", "MaximumRequests": "100000",
               "MaximumConcurrentRequests": "256", "SuccessResponse": "x" * 200,
               "ErrorResponse": "y" * 200, "Name": "z" * 200, "AcceptAny2xx": "true",
               "Ordered": "true"}
    made = world.notify(world.partner, "https://example.com/" + "x" * 1980, **largest)
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert {name: shown[name] for name in largest} == largest
    world.partner.ok(world.partner.put(made["Uri"], {
        "MinimumDelay": "", "MaximumRequests": 0, "SuccessResponse": "", "AcceptAny2xx": False,
        "Ordered": "no"}))
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert [shown[name] for name in ("MinimumDelay", "MaximumRequests", "SuccessResponse",
                                     "AcceptAny2xx", "Ordered", "ErrorResponse")] == [
        "0", "0", "", "false", "false", "y" * 200]


def test_a_category_by_name_or_by_key(world):
    catalog = world.partner.ok(world.partner.get("/EventCatalog"))["Categories"]
    for category in catalog:
        for name in (category["Name"], category["Key"]) if category["EventTypes"] else ():
            made = world.partner.ok(try_(world, Category=name))
            shown = world.partner.ok(world.partner.get(made["Uri"]))
            assert shown["Category"] == category["Name"]
            assert shown["EventTypes"] == [one["EventType"] for one in category["EventTypes"]
                                           if one["Default"] == "true"]


def test_another_category_with_the_old_types_is_refused(world):
    made = world.notify(world.partner, "https://example.com/")
    answer = world.partner.put(made["Uri"], {"Category": "Action Lifecycle Events"})
    assert answer.status_code == 400 and set(errors(answer)) == {"EventTypes"}
    world.partner.ok(world.partner.put(made["Uri"], {
        "Category": "Action Lifecycle Events", "EventTypes": ["action.reversed"]}))
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert shown["EventTypes"] == ["action.reversed"]


def test_a_point_that_the_new_types_do_not_have(world):
    made = world.notify(world.partner, "https://example.com/?o={OrderId}", QueryPoints=["State"])
    answer = world.partner.put(made["Uri"], {
        "Category": "Action Lifecycle Events", "EventTypes": ["action.tracked"]})
    assert answer.status_code == 400
    assert set(errors(answer)) == {"Url", "QueryPoints"}


# ---- body templates ----

@pytest.mark.parametrize("template, words", [
    ('{"a": "{OrdrId}"}', "line 1, column 8: "),
    ('{"a": "{OrdrId}"}', "OrderId"),  # what was meant
    ('{\n "a": "{OrderId}",\n "b": "{orderid}"\n}', "line 3, column 8: "),
    ('{"a": "{OrderId|sha1}"}', "sha1"),
    ('{"a": "{OrderId|date:%Y-%m-%d"}', "column"),
    ('{"a": "{TransactionDate|date:}"}', "date"),
    ('{"a": "{OrderId}"', "not valid JSON"),
    ('{"a": "{OrderId}",}', "line 1, column"),
    ('{\n"a": "{OrderId}"\n"b": 1}', "line 3, column"),
    ('{"a": {OrderId}{CustomerId}}', "column 16: {CustomerId} stands outside quotes"),
    ('{{"a": 1}', "line 1, column 2: not valid JSON"),
    ('{"a": {Comments|raw} }', "line 1, column 7: {Comments}: raw works in URLs only"),
    ("{", "line 1, column 1"),
    ("plain", "not valid JSON"),
])
def test_json_templates_that_are_refused_with_their_place(world, template, words):
    refused(world, "BodyTemplate", words, BodyFormat="JSON", BodyTemplate=template)


@pytest.mark.parametrize("template, words", [
    ("<a>{OrdrId}</a>", "line 1, column 4: "),
    ("<a>{OrderId}</b>", "not valid XML"),
    ("<a>\n<b>{OrderId}</b>\n", "not valid XML"),
    ("<a x={OrderId}/>", "line 1, column"),
    ('<!DOCTYPE a [<!ENTITY x "y">]><a>{OrderId}</a>', "document type"),
    ('<?xml version="1.0" encoding="latin1"?><a>{OrderId}</a>', "UTF-8"),
    ('<?xml version="1.1"?><a/>', "1.0"),
    ("{OrderId}", "not valid XML"),
])
def test_xml_templates_that_are_refused_with_their_place(world, template, words):
    refused(world, "BodyTemplate", words, BodyFormat="XML", BodyTemplate=template)


@pytest.mark.parametrize("format, template, words", [
    ("FORM", "a={OrdrId}", "line 1, column 3: "),
    ("TEXT", "one\ntwo {Nope}", "line 2, column 5: "),
    ("TEXT", "{OrderId", "line 1, column 1"),
    ("TEXT", "one }", "line 1, column 5: '}' closes no token"),
    ("TEXT", "x" * 65537, "at most"),
])
def test_other_templates_that_are_refused(world, format, template, words):
    refused(world, "BodyTemplate", words, BodyFormat=format, BodyTemplate=template)


def test_a_get_has_no_body(world):
    answer = try_(world, Method="GET", BodyTemplate="{}")
    assert answer.status_code == 400 and "no body" in errors(answer)["BodyTemplate"]
    made = world.partner.ok(try_(world, Method="GET", QueryPoints=["InquiryId", "OrderId"]))
    assert world.partner.get(made["Uri"]).json()["QueryPoints"] == ["InquiryId", "OrderId"]


def test_all_wrong_settings_at_once(world):
    answer = try_(world, Url="https://{OrderId}/", Method="PATCH", BodyFormat="JSON",
                  BodyTemplate="{", MinimumDelay="x", Category="Action Inquiry Events",
                  EventTypes="action.tracked", QueryPoints="Nope", Ordered="x", Colour="red",
                  Name="\u0007", AcceptAny2xx="x", MaximumRequests="-1")
    assert answer.status_code == 400
    assert {"Url", "Method", "MinimumDelay", "EventTypes", "Ordered", "Colour", "Name",
            "AcceptAny2xx", "MaximumRequests"} <= set(errors(answer))


# ---- what is sent ----

HOSTILE = 'a"b\\c<d>&\'e/ü\n{x}%00'


@pytest.mark.parametrize("format, template, kind", [
    ("JSON", '{"o": "{InquiryNotes}", "n": [{"x": {OrderId}, "a": {TransactionAmount}, '
     '"c": {Comments}, "none": {FinalPayout}}]}', "application/json"),
    ("XML", '<a o="{InquiryNotes}">{InquiryNotes}</a>', "application/xml"),
    ("FORM", "o={InquiryNotes}&p={OrderId}", "application/x-www-form-urlencoded"),
    ("TEXT", "o={InquiryNotes};", "text/plain"),
])
def test_each_format_escapes_in_its_own_way(world, receiver, format, template, kind):
    world.notify(world.partner, receiver.url("/{InquiryNotes}?q={InquiryNotes}"), BodyFormat=format,
                 BodyTemplate=template, Method="PUT")
    world.open(InquiryNotes=HOSTILE, OrderId="O-1")
    request = receiver.wait(1)[0]
    assert request.method == "PUT" and request.header("content-type").startswith(kind)
    path, query = request.target.split("?")
    assert urllib.parse.unquote(path[1:]) == HOSTILE and "/" not in path[1:]
    assert urllib.parse.unquote(query[2:]) == HOSTILE
    body = request.body.decode()
    if format == "JSON":
        sent = json.loads(body)
        (comment,) = sent["n"][0].pop("c")  # what the partner says with it opens the thread
        assert comment["Comment"] == HOSTILE
        assert sent == {"o": HOSTILE, "n": [{"x": "O-1", "a": 89.9, "none": None}]}
    elif format == "XML":
        root = xml.etree.ElementTree.fromstring(body)
        assert root.text == HOSTILE
        assert root.get("o").replace("\n", " ") == HOSTILE.replace("\n", " ")
    elif format == "FORM":
        assert urllib.parse.parse_qs(body, strict_parsing=True) == {"o": [HOSTILE], "p": ["O-1"]}
    else:
        assert body == f"o={HOSTILE};"


@pytest.mark.parametrize("format", ["JSON", "XML", "FORM", "TEXT"])
def test_the_default_body_has_every_data_point(world, receiver, format):
    world.notify(world.partner, receiver.url(), BodyFormat=format, Category="action_lifecycle")
    data = {"ActionId": "5", "Oid": HOSTILE, "Items": [{"Sku": "<1>"}]}
    answer = world.operator.post("/Events", {
        "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": data})
    assert answer.status_code == 202
    body = receiver.wait(1)[0].body.decode()
    assert body.count("EventType") >= 1
    if format == "JSON":
        whole = json.loads(body)
        assert (whole["Oid"], whole["Items"], whole["ActionId"]) == (HOSTILE, data["Items"], "5")
    elif format == "XML":
        root = xml.etree.ElementTree.fromstring(body)
        assert root.find("Oid").text == HOSTILE
    elif format == "FORM":
        assert urllib.parse.parse_qs(body)["Oid"] == [HOSTILE]
    else:
        assert HOSTILE.split("\n")[0] in body


@pytest.mark.parametrize("token, value", [
    ("{TransactionDate|unix}", "1768467600"),
    ("{TransactionDate|date:%d.%m.%Y}", "15.01.2026"),
    ("{CustomerId|md5}", hashlib.md5("C-ü1".encode()).hexdigest()),
    ("{CustomerId|sha256}", hashlib.sha256("C-ü1".encode()).hexdigest()),
    ("{CustomerId|lower}", "c-ü1"),
    ("{OrderId|upper}", "ORDER-1"),
    ("{CustomerId|lower|sha256}", hashlib.sha256("c-ü1".encode()).hexdigest()),
    ("{RejectReason|default:none}", "none"),
    ("{RejectReason|sha256}", ""),
    ("{ActionId}", ""),
    ("{EventType}", "action_inquiry.opened"),
    ("{Attempt}", "1"),
    ("{{OrderId}}", "{OrderId}"),
])
def test_tokens_and_their_functions(world, token, value):
    request = preview(world, BodyFormat="TEXT", BodyTemplate=token,
                      EventType="action_inquiry.opened",
                      Data={"TransactionDate": "2026-01-15T09:00:00Z", "CustomerId": "C-ü1",
                            "OrderId": "Order-1"})
    assert request["Body"] == value


def test_the_query_string_of_ticked_points(world, receiver):
    world.notify(world.partner, receiver.url("/in?fixed=1"), Method="GET",
                 QueryPoints=["InquiryId", "OrderId", "CustomerId"])
    inquiry = world.open(OrderId="a&b=c d")
    request = receiver.wait(1)[0]
    assert request.method == "GET" and request.body == b""
    assert request.target == f"/in?fixed=1&InquiryId={inquiry}&OrderId=a%26b%3Dc%20d&CustomerId="


def test_both_roles_have_them_under_their_own_address(world):
    for account, prefix in ((world.partner, "Mediapartners"), (world.brand, "Advertisers")):
        made = world.notify(account, "https://example.com/")
        assert made["Uri"] == f"/{prefix}/{account.sid}/EventNotifications/{made['Id']}"
        shown = account.ok(account.get(made["Uri"]))
        assert shown["PostbacksUri"].startswith(f"/{prefix}/{account.sid}/Postbacks?")
        assert account.get(shown["PostbacksUri"]).status_code == 200
        assert shown["ModifiedDate"] == shown["CreationDate"] != ""
        listed = account.ok(account.get("EventNotifications"))["EventNotifications"]
        assert listed == [shown]
        world_other = world.brand if account is world.partner else world.partner
        assert world_other.get(made["Uri"]).status_code == 404


def test_a_rounded_number_is_no_text(world):
    """I1: in settings, too, a text takes no number that may have been rounded."""
    answer = world.partner.call(
        "POST", "EventNotifications", headers={"Content-Type": "application/json"},
        data='{"Category":"Action Lifecycle Events","Method":"GET","Url":"http://127.0.0.1:9/",'
             '"Name":1.0,"MinimumDelay":1.5,"Ordered":1e0,"QueryPoints":1.5}')
    assert answer.status_code == 400, answer.text
    errors = {error["Field"]: error["Message"] for error in answer.json()["Errors"]}
    assert set(errors) == {"Name", "MinimumDelay", "Ordered", "QueryPoints"}, errors
    assert "write it as a string" in errors["Name"]
    answer = world.partner.call("POST", "EventNotifications", data="1.5",
                                headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and "must be a JSON object" in answer.text
