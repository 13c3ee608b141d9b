"""Bytes that are no HTTP, HTTP that is no request of ours, and bodies that are nonsense: each gets
a clear answer or a closed connection, nothing is done, and the server goes on."""

import json
import random

import pytest
import requests

from harness.openapi import routes
from harness.server import await_until
from harness.wire import Wire, basic, request

SERVER_FLAGS = ["--drain", "1"]  # requests that will never be whole are not worth waiting for
ROUTES = list(routes())


def short(data):
    return repr(data[:30]) if isinstance(data, (bytes, str)) else None


@pytest.fixture(autouse=True)
def lives(server):
    yield
    assert server.process.poll() is None, server.log()
    answer = requests.get(server.base + "/healthz", timeout=20)
    assert answer.status_code == 200 and answer.json()["Status"] == "OK"


@pytest.fixture
def wire(server):
    opened = []

    def connect(timeout=10):
        opened.append(Wire(server.port, timeout))
        return opened[-1]
    yield connect
    for one in opened:
        one.close()


def is_error(answer):
    body = json.loads(answer.body)
    return body["Status"] == "ERROR" and body["Message"] and isinstance(body["Errors"], list)


# ---- request lines and headers ----

@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"\n\n\n\n", b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
    b"GET /healthz FTP/1.1\r\nHost: x\r\n\r\n", b"GET /healthz HTTP/1.1x\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n\r\n",  # no Host
    b"GET / healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"G\x00ET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health\x00z HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nName : value\r\nContent-Length : 5\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n(a): b\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500,
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
    b"* / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET \\healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://any.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET ../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"X" * 20000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=short)
def test_what_is_no_request(wire, data):
    """Refused, or closed, or (as long as it may still become a request) waited for."""
    one = wire(1)
    one.send(data)
    answer = one.answer()
    assert answer is None or answer.status >= 400, answer


@pytest.mark.parametrize("data", [
    b"GET /healthz HTTP/1.0\r\n\r\n", b"GET http://any.example/healthz HTTP/1.1\r\nHost: ANY.example\r\n\r\n",
    b"GET /healthz? HTTP/1.1\r\nhost:x\r\n\r\n", b"GET /%68ealthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_what_is_unusual_and_right(wire, data):
    one = wire()
    one.send(data)
    assert one.answer().status == 200


@pytest.mark.parametrize("data, statuses", [
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
    (b"GET /healthz?" + b"a=b&" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20000 + b"\r\n\r\n", (431,)),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n", (431,)),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A" * 20000 + b": b\r\n\r\n", (431,)),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 2000000 + b"\r\n\r\n", (431, None)),
], ids=short)
def test_what_is_too_long(wire, data, statuses):
    one = wire()
    sent = one.send(data)
    answer = one.answer()
    assert (answer.status if answer else None) in statuses + (() if sent else (None,)), answer


# ---- lengths and chunks ----

@pytest.mark.parametrize("headers", [
    "Content-Length: -1\r\n", "Content-Length: abc\r\n", "Content-Length: 1e3\r\n",
    "Content-Length: +5\r\n", "Content-Length: 0x10\r\n", "Content-Length: 5, 6\r\n",
    "Content-Length: 99999999999999999999999999\r\n", "Content-Length: \r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2\r\nContent-Length: 2\r\n",
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: xchunked\r\n",
])
def test_unclear_lengths_are_refused_and_the_connection_is_closed(world, wire, headers):
    one = wire()
    one.send(request("POST", world.partner.prefix + "/ActionInquiries",
                     basic(world.partner) + headers, b"{}", length=False)
             + request("GET", "/healthz"))
    answer = one.answer()
    assert answer is None or 400 <= answer.status <= 501, answer
    assert answer is None or answer.status != 401
    follow = one.answer()  # what stood behind it was never taken for a request of its own
    assert follow is None or follow.status >= 400, follow


CHUNKED = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("body", [
    b"x\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2{}\r\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n",
    b"2\r\n{}\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffff\r\n{}\r\n",
    b"2\r\n{}XX\r\n0\r\n\r\n", b" 2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"\r\n\r\n",
    b"2;" + b"x" * 20000 + b"\r\n{}\r\n0\r\n\r\n",
], ids=short)
def test_bad_chunks(world, wire, body):
    one = wire(1)
    one.send(request("POST", world.partner.prefix + "/ActionInquiries",
                     basic(world.partner) + CHUNKED, body, length=False))
    one.end()
    answer = one.answer()
    assert answer is None or answer.status >= 400, answer


def test_good_chunks(world, wire):
    text = json.dumps(world.inquiry()).encode()
    pieces = [text[at:at + 7] for at in range(0, len(text), 7)]
    body = b"".join(b"%x;e=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    one = wire()
    one.send(request("POST", world.partner.prefix + "/ActionInquiries",
                     basic(world.partner) + CHUNKED, body, length=False))
    answer = one.answer()
    assert answer.status == 200, answer
    one.send(request("GET", json.loads(answer.body)["Uri"], basic(world.partner)))
    assert one.answer().status == 200


def test_a_client_that_leaves_before_its_body_is_whole_has_asked_for_nothing(world, wire):
    text = json.dumps(world.inquiry()).encode()
    for cut in (0, 1, len(text) - 1):
        one = wire()
        whole = request("POST", world.partner.prefix + "/ActionInquiries", basic(world.partner)
                        + "Content-Type: application/json\r\n", text)
        one.send(whole[:len(whole) - len(text) + cut])
        one.close()
    world.open()
    assert world.partner.ok(world.partner.get("ActionInquiries"))["@total"] == "1"


def test_a_client_that_leaves_before_its_answer_has_asked_once_or_not_at_all(world, wire):
    for number in range(20):
        asked = world.inquiry(OrderId=f"LEFT{number}")
        one = wire()
        one.send(request("POST", world.partner.prefix + "/ActionInquiries", basic(world.partner)
                         + "Content-Type: application/json\r\n", json.dumps(asked)))
        one.close()
        again = world.partner.post("ActionInquiries", asked)
        assert again.status_code in (200, 409), again.text
        found = world.partner.ok(world.partner.get("ActionInquiries", OrderId=asked["OrderId"]))
        assert found["@total"] == "1"


# ---- slow, many, in a row ----

def test_slow_and_silent_clients_hold_up_nobody(world, wire):
    slow = [wire() for _ in range(200)]
    for number, one in enumerate(slow):
        one.send(b"POST /Events HTTP/1.1\r\nHost: x\r\nX: "[:number % 40])
    for _ in range(20):
        assert world.partner.get("Campaigns").status_code == 200
        for one in slow[::10]:
            one.send(b"x")
    assert world.open()


def test_more_connections_than_one_address_may_have(server, wire):
    crowd = [wire(2) for _ in range(600)]
    answered = 0
    for one in crowd:
        one.send(request("GET", "/healthz"))
    for one in crowd:
        answer = one.answer()
        answered += answer is not None and answer.status == 200
    assert 400 <= answered <= 512, answered
    for one in crowd:
        one.close()
    await_until(lambda: requests.get(server.base + "/healthz", timeout=20).ok, "room again")


def test_pipelined_requests_are_answered_in_their_order(world, wire):
    one = wire()
    paths = [f"/EventCatalog/{kind}" for kind in
             ("action.tracked", "nothing.such", "action.cleared", "job.completed")] * 10
    one.send(b"".join(request("GET", path, basic(world.partner)) for path in paths))
    for path in paths:
        answer = one.answer()
        if "nothing" in path:
            assert answer.status == 404
        else:
            assert json.loads(answer.body)["Uri"] == path


def test_pipelined_changes_are_done_in_their_order(world, wire):
    one, auth = wire(), basic(world.partner)
    kind = "Content-Type: application/json\r\n"
    asks = [request("POST", world.partner.prefix + "/ActionInquiries", auth + kind,
                    json.dumps(world.inquiry(OrderId="ONE"))) for _ in range(2)]
    one.send(asks[0] + asks[1] + request("GET", world.partner.prefix + "/ActionInquiries", auth))
    assert [one.answer().status for _ in range(2)] == [200, 409]
    assert json.loads(one.answer().body)["@total"] == "1"


# ---- addresses ----

@pytest.mark.parametrize("path", [
    "%00", "a%00b", "%", "%z1", "%1", "%c0%af", "%ff", "%ed%a0%80", "%f5%80%80%80"])
def test_paths_that_are_not_percent_encoded_text(world, wire, path):
    one = wire()
    for target in (f"{world.partner.prefix}/ActionInquiries/{path}", f"/{path}",
                   f"{world.partner.prefix}/ActionInquiries?OrderId={path}",
                   f"{world.partner.prefix}/ActionInquiries?{path}=1"):
        one.send(request("GET", target, basic(world.partner)))
        answer = one.answer()
        assert answer.status == 400 and is_error(answer), (target, answer)


@pytest.mark.parametrize("path", [
    "//", "/.", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "/healthz/",
    "//healthz",
    "/Healthz", "/healthz%2f", "/Operator", "/Mediapartners", "/Mediapartners/",
    "/Mediapartners/{SID}", "/Mediapartners/{SID}/", "/Mediapartners/{SID}/ActionInquiries/",
    "/Mediapartners/{SID}%2FActionInquiries", "/mediapartners/{SID}/ActionInquiries",
    "/Mediapartners/{SID}/ActionInquiries/1/2/3/4/5/6/7/8/9/10/11/12/13/14",
    "/Mediapartners/{SID}/ActionInquiries.xml", "/a" * 500], ids=short)
def test_addresses_of_nothing(world, wire, path):
    one = wire()
    one.send(request("GET", path.replace("{SID}", world.partner.sid), basic(world.partner)))
    answer = one.answer()
    assert answer.status == 404 and is_error(answer), answer


@pytest.mark.parametrize("id", ["%31%00", "1%2f2", "0x1", "1e3", "%201", "+1", "-1", "1.0", "1,2",
                                "9223372036854775808", "18446744073709551617",
                                "9" * 400, "%E2%80%AE"], ids=short)
def test_ids_that_are_none(world, wire, id):
    one = wire()
    for noun in ("ActionInquiries", "EventNotifications", "Postbacks"):
        one.send(request("GET", f"{world.partner.prefix}/{noun}/{id}", basic(world.partner)))
        answer = one.answer()
        assert answer.status == (400 if "%00" in id else 404), answer


# ---- bodies ----

JSON_BODIES = [
    b"", b" ", b"{", b"}", b"[]", b"null", b"5", b'"text"', b"{}{}",
    b"{} x", b"{'a': 1}", b"{a: 1}",
    b'{"a": 1,}', b'{"CampaignId": 1, "CampaignId": 2}', b'{"a": {"b": 1, "b": 2}}',
    b'{"a": "\xff"}', b'{"\xc0\xaf": 1}', b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": 1e400}',
    b'{"a": 1' + b"0" * 5000 + b"}", b'{"a": NaN}', b'{"a": "\x01"}', b"\xef\xbb\xbf{}", b"\x00{}",
    b"\xff\xfe{\x00}\x00", b"[" * 30000, b'{"a":' * 9000, b'{"a": [' * 2500 + b"]}" * 2500,
]


@pytest.mark.parametrize("noun", ["ActionInquiries", "EventNotifications", "/Events"])
@pytest.mark.parametrize("body", JSON_BODIES, ids=short)
def test_json_that_is_none_of_ours(world, noun, body):
    answer = world.partner.call("POST", noun, data=body, headers={
        "Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["Status"] == "ERROR" and answer.json()["Message"]


@pytest.mark.parametrize("body, words", [
    (b"OrderId=%", "OrderId"), (b"OrderId=%zz", "OrderId"), (b"OrderId=%ff", "OrderId"),
    (b"OrderId=\xff", "OrderId"), (b"%ff=1", "percent-encoded"), (b"%00=1", ""),
    (b"OrderId=a&OrderId=b", "twice"), (b"OrderId=a%00b", "OrderId"), (b"&" * 60000, "required"),
    (b"&".join(b"a%d=1" % number for number in range(300)), "fields"),
    (b"=1", ""), (b"OrderId", "required"), (b"{}", "{}"), (b"\x00", ""),
], ids=short)
def test_forms_that_are_none_of_ours(world, body, words):
    answer = world.partner.call("POST", "ActionInquiries", data=body, headers={
        "Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["Status"] == "ERROR" and words in answer.text


def test_wrong_types_of_every_field(world):
    for value in ([], {}, ["a"], {"a": "b"}, True, False):
        answer = world.partner.post("ActionInquiries", {
            name: value for name in (
                "CampaignId", "OrderId", "TransactionDate", "TransactionAmount", "Currency",
                "InquiryType", "ExpectedPayout", "ResolutionDeadlineDate", "InquiryDate",
                "MediaPartnerInquiryId", "TrackingLink", "CustomerId", "InquiryNotes")})
        assert answer.status_code == 400, answer.text
        assert len(answer.json()["Errors"]) == 13, (value, answer.text)


@pytest.mark.parametrize("field, most, letter", [
    ("MediaPartnerInquiryId", 100, "a"), ("OrderId", 200, "ü"), ("CustomerId", 200, "✓"),
    ("InquiryNotes", 4000, "𝄞"), ("TrackingLink", 2000, "a")])
def test_the_longest_text_and_one_more(world, field, most, letter):
    lead = "https://x/" if field == "TrackingLink" else ""
    longest = lead + letter * (most - len(lead))
    id = world.open(**{field: longest})
    assert world.partner.ok(world.partner.get(f"ActionInquiries/{id}"))[field] == longest
    for body in ({"json": world.inquiry(**{field: longest + letter})},
                 {"data": world.inquiry(**{field: longest + letter})}):
        answer = world.partner.call("POST", "ActionInquiries", **body)
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()["Errors"]
        assert error["Field"] == field and str(most) in error["Message"]


@pytest.mark.parametrize("field, value", [
    ("TransactionAmount", "1e3"), ("TransactionAmount", "0x10"), ("TransactionAmount", "NaN"),
    ("TransactionAmount", "1,000.00"), ("TransactionAmount", "0"), ("TransactionAmount", "-0.01"),
    ("TransactionAmount", "9" * 39), ("TransactionAmount", "1.001"), ("TransactionAmount", "١٢"),
    ("TransactionDate", "2026-02-30"), ("TransactionDate", "15.01.2026"), ("TransactionDate", "0"),
    ("TransactionDate", "2026-01-15T25:00:00Z"), ("TransactionDate", "9999-12-31"),
    ("TransactionDate", "2026-01-15T10:00:00+99:00"), ("CampaignId", "1 OR 1=1"),
    ("CampaignId", "1;"), ("CampaignId", "9223372036854775808"), ("OrderId", "a\u0000b"),
    ("OrderId", "a\nb"), ("OrderId", "\u0007"), ("InquiryType", "untracked;"),
    ("Currency", "€"), ("Currency", "XXA"), ("TrackingLink", "javascript:alert(1)"),
    ("TrackingLink", "//x"), ("MediaPartnerInquiryId", "a\nb"), ("MediaPartnerInquiryId", "a\u0000b"),
    ("ExpectedPayout", "-1"), ("ExpectedPayout", "5000000.01"),
])
def test_values_that_are_none(world, field, value):
    answer = world.partner.call("POST", "ActionInquiries", data=world.inquiry(**{field: value}))
    assert answer.status_code == 400, answer.text
    if "\0" not in value:
        assert [error["Field"] for error in answer.json()["Errors"]] == [field]


def test_text_that_looks_like_sql_or_markup_is_text(world):
    text = "'; DROP TABLE inquiry; -- <script>alert(1)</script> %s {OrderId} \\u0041"
    id = world.open(OrderId=text, CustomerId=text, InquiryNotes=text)
    shown = world.partner.ok(world.partner.get(f"ActionInquiries/{id}"))
    assert shown["OrderId"] == shown["CustomerId"] == shown["InquiryNotes"] == text
    found = world.partner.ok(world.partner.get("ActionInquiries", OrderId=text))
    assert [one["Id"] for one in found["ActionInquiries"]] == [id]


# ---- every route ----

def path_of(world, pattern):
    account = world.brand if pattern.startswith("/Adv") else world.partner
    path = pattern.replace("{SID}", account.sid).replace("{Type}", "action.tracked")
    while "{" in path:
        path = path.split("{", 1)[0] + "1" + path.split("}", 1)[1]
    return path, account if "{SID}" in pattern else world.operator


METHODS = {}
for _method, _pattern in ROUTES:
    METHODS.setdefault(_pattern, set()).add(_method)


@pytest.mark.parametrize("pattern", list(METHODS))
def test_methods_that_an_address_does_not_take(world, wire, pattern):
    path, account = path_of(world, pattern)
    takes = METHODS[pattern] | {other for other_pattern, others in METHODS.items()
                                if same_place(pattern, other_pattern) for other in others}
    wanted = takes | ({"HEAD"} if "GET" in takes else set())
    one = wire()
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"} - takes:
        one.send(request(method, path, basic(account) + "Content-Length: 0\r\n", length=False))
        answer = one.answer()
        assert answer.status == 405 and is_error(answer), (method, path, answer)
        assert set(answer.headers["allow"].split(", ")) == wanted, (method, path)


def test_a_method_that_is_none(wire):
    one = wire()
    one.send(request("BREW", "/healthz", "Content-Length: 0\r\n", length=False))
    answer = one.answer()
    assert answer.status == 501 and is_error(answer)
    assert answer.headers["connection"] == "close"


def same_place(pattern, other):
    """Whether the other pattern's address is one that this one's parameters may stand for."""
    return False if pattern == other else pattern.replace("{Id}", "1") == other.replace("{Id}", "1")


@pytest.mark.parametrize("pattern", [
    pattern for pattern in METHODS if "GET" in METHODS[pattern]
    and not pattern.startswith("/Track")])  # there GET counts a conversion, and HEAD may not
def test_head_is_get_without_its_body(world, wire, pattern):
    path, account = path_of(world, pattern)
    one = wire()
    one.send(request("GET", path, basic(account)))
    got = one.answer()
    one.send(request("HEAD", path, basic(account)))
    head = one.answer(head=True)
    assert head.status == got.status
    if pattern != "/metrics":  # a long answer in pieces has no length
        assert head.headers.get("content-length") == got.headers.get("content-length")
        assert head.headers.get("transfer-encoding") == got.headers.get("transfer-encoding")
    one.send(request("GET", "/healthz"))
    assert one.answer().status == 200  # no body stood between


WITH_BODY = [(method, pattern) for method, pattern in ROUTES if method in ("POST", "PUT")]
IGNORE_BODY = ("/Close", "/Pause", "/Resume", "/SigningSecret", "/Retry", "/Resend", "/Cancel",
               "/Read", "/End", "/Drain", "/Undrain", "/Undo", "/PasswordLink", "/Looks", "/KeyChange",
               "/RecoveryCodes")  # they take no fields


@pytest.mark.parametrize("method, pattern", WITH_BODY)
def test_media_types_that_are_not_taken(world, method, pattern):
    if pattern.endswith(IGNORE_BODY) or "{Type}" in pattern:  # what it names is looked for first
        return
    if pattern.startswith("/Session/"):  # for sessions alone: test_sessions, test_second_factor
        return
    path, account = path_of(world, pattern)
    if "API" not in routes()[method, pattern][1] and account is not world.operator:
        return  # for an account's people alone: test_people
    for kind in ("application/xml", "multipart/form-data; boundary=x", "application/jsonp"):
        answer = account.call(method, path, data="x=1", headers={"Content-Type": kind})
        assert answer.status_code == 415, (path, kind, answer.text)
        assert answer.json()["Status"] == "ERROR"


@pytest.mark.parametrize("method, pattern", WITH_BODY)
def test_bodies_that_are_too_large(world, method, pattern):
    path, account = path_of(world, pattern)
    answer = account.call(method, path, data=b" " * (17 * 1024 * 1024), headers={
        "Content-Type": "application/json"})
    assert answer.status_code == 413, (path, answer.text)
    assert "bytes" in answer.json()["Message"]


def test_a_body_that_is_announced_and_far_too_large_is_not_waited_for(world, wire):
    one = wire()
    one.send(request("POST", world.partner.prefix + "/ActionInquiries", basic(world.partner)
                     + "Content-Length: 99999999999\r\n", length=False))
    answer = one.answer()
    assert answer.status == 413 and is_error(answer)
    assert one.closed()


def test_100_continue(world, wire):
    body = json.dumps(world.inquiry())
    one = wire()
    head = request("POST", world.partner.prefix + "/ActionInquiries", basic(world.partner)
                   + "Content-Type: application/json\r\nExpect: 100-continue\r\n"
                   f"Content-Length: {len(body)}\r\n", length=False)
    one.send(head)
    while b"\r\n\r\n" not in one.rest:
        assert one._more()
    assert one.rest.startswith(b"HTTP/1.1 100")
    one.send(body)
    assert one.answer().status == 200
    one.send(head.replace(world.partner.prefix.encode(), b"/Mediapartners/PAnobody"))
    assert one.answer().status == 404  # told before the body is sent


# ---- noise ----

def test_mutated_requests(world):
    """From right ones, a few bytes changed, cut or doubled; the seed is fixed."""
    chance = random.Random(2026)
    auth = basic(world.partner)
    right = [
        request("POST", world.partner.prefix + "/ActionInquiries", auth
                + "Content-Type: application/json\r\n", json.dumps(world.inquiry())),
        request("POST", world.partner.prefix + "/EventNotifications", auth
                + "Content-Type: application/x-www-form-urlencoded\r\n",
                "Category=action_inquiry&Url=https%3A%2F%2Fexample.com%2F%7BOrderId%7D&Method=GET"),
        request("GET", world.partner.prefix + "/ActionInquiries?PageSize=2&OrderId=a%20b", auth),
        request("POST", "/Events", auth + CHUNKED, b"5\r\n{\"a\":\r\n3\r\n 1}\r\n0\r\n\r\n",
                length=False),
    ]
    answered = 0
    for round_ in range(400):
        data = bytearray(right[round_ % len(right)])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            what = chance.randrange(4)
            if what == 0:
                data[at] = chance.randrange(256)
            elif what == 1:
                del data[at:at + chance.randint(1, 20)]
            elif what == 2:
                data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
            else:
                data[at:at] = data[at:at + chance.randint(1, 60)]
            if not data:
                break
        with Wire(world.server.port, 0.1) as one:
            one.send(bytes(data))
            answer = one.answer()
            answered += answer is not None
            assert answer is None or answer.status != 500, (bytes(data), answer)
    assert answered > 100
    assert world.partner.get("ActionInquiries").status_code == 200
