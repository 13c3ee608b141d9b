"""Headers that promise something about a change: kept, or refused with words."""

import concurrent.futures

import pytest
import requests

from harness.server import Api

KEY = "Idempotency-Key"


def post(api, path, body, key):
    return api.post(path, body, headers={KEY: key})


def test_the_same_key_makes_one(world):
    """I11: the second call has the first one's answer, byte for byte, and makes nothing."""
    body = world.inquiry()
    first = post(world.partner, "ActionInquiries", body, "a-1")
    again = post(world.partner, "ActionInquiries", body, "a-1")
    assert first.status_code == again.status_code == 200, again.text
    assert first.content == again.content
    assert KEY not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    listed = world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]
    assert [one["OrderId"] for one in listed] == [body["OrderId"]]


def test_an_answer_with_a_secret_is_given_again_and_is_not_readable_on_disk(world):
    """I11: a token, which is shown once, and an event notification's signing secret."""
    path = f"Accounts/{world.partner.sid}/Tokens"
    first = post(world.operator, path, {"Scope": "API", "Label": "x"}, "t-1").json()
    again = post(world.operator, path, {"Scope": "API", "Label": "x"}, "t-1").json()
    assert first == again and first["Token"].startswith("pbt_")
    assert first["Token"].encode() not in world.server.store.content()


def test_another_body_under_the_key_is_refused(world):
    """I11: 422, with words; nothing is made."""
    body = world.inquiry()
    world.partner.ok(post(world.partner, "ActionInquiries", body, "b-1"))
    for changed in ({**body, "TransactionAmount": "90.00"}, world.inquiry()):
        answer = post(world.partner, "ActionInquiries", changed, "b-1")
        assert answer.status_code == 422 and "another request" in answer.json()["Message"]
    assert len(world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]) == 1


def test_a_key_is_an_accounts_own_and_an_addresss_own(world):
    """I11: another account, and another address, may use the same key."""
    url = {"Category": "Action Inquiry Events", "Url": "http://127.0.0.1:9/p", "Method": "GET"}
    made = [world.partner.ok(post(account, path, body, "same")) for account, path, body in (
        (world.partner, "EventNotifications", url), (world.brand, "EventNotifications", url),
        (world.partner, "SupportRequests", {"Kind": "OTHER", "Subject": "s", "Text": "t"}),
        (world.partner, "ActionInquiries", world.inquiry()))]
    assert len({one["Uri"] for one in made}) == 4


def test_many_at_once_make_one(world):
    """I11: while the first is under way the others are told so, or have its answer."""
    body = world.inquiry()
    apis = [Api(world.server.base, world.partner.sid, world.partner.token, world.partner.prefix) for _ in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        came = list(pool.map(lambda api: post(api, "ActionInquiries", body, "m-1"), apis))
    codes = [one.status_code for one in came]
    assert set(codes) <= {200, 409} and 200 in codes, codes
    assert len({one.content for one in came if one.status_code == 200}) == 1
    for one in came:
        assert one.status_code == 200 or "under way" in one.json()["Message"]
    assert len(world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]) == 1


def test_what_failed_leaves_its_key_free(world):
    """I11: a refused request has made nothing."""
    wrong = {**world.inquiry(), "TransactionAmount": "none"}
    assert post(world.partner, "ActionInquiries", wrong, "f-1").status_code == 400
    body = world.inquiry()
    world.partner.ok(post(world.partner, "ActionInquiries", body, "f-1"))
    conflict = post(world.partner, "ActionInquiries", body, "f-2")
    assert conflict.status_code == 409 and "Idempotency" not in conflict.text
    assert post(world.partner, "ActionInquiries", world.inquiry(), "f-2").status_code == 200


def test_it_is_kept_over_a_restart(world):
    """I11: for a day, on disk."""
    body = world.inquiry()
    first = post(world.partner, "ActionInquiries", body, "r-1")
    world.server.stop()
    world.server.start()
    world.moved()
    assert post(world.partner, "ActionInquiries", body, "r-1").content == first.content


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü".encode()])
def test_what_is_no_key_is_refused(world, key):
    """I11: 1 to 255 visible characters."""
    answer = post(world.partner, "ActionInquiries", world.inquiry(), key)
    assert answer.status_code == 400 and KEY in answer.json()["Message"], answer.text
    assert not world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]


def test_where_it_is_not_taken_it_is_refused(world):
    """I11: never passed over: other POSTs, PUT and DELETE."""
    made = world.notify(world.partner, "http://127.0.0.1:9/p")
    calls = [("POST", "/Events", {"Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {}}),
             ("POST", f"{made['Uri']}/Test", {}), ("POST", f"{made['Uri']}/Pause", None),
             ("POST", "EventNotifications/Preview", {}), ("PUT", made["Uri"], {"Name": "changed"}),
             ("DELETE", made["Uri"], None)]
    for method, path, body in calls:
        answer = world.partner.call(method, path, json=body, headers={KEY: "k"})
        assert answer.status_code == 400 and KEY in answer.json()["Message"], f"{method} {path}: {answer.text}"
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert (shown["Name"], shown["State"]) == ("", "ACTIVE")
    assert requests.post(world.server.base + "/Session", json={"Email": "a@b.example", "Password": "x"},
                         headers={KEY: "k"}, timeout=20).status_code == 400
    assert world.partner.call("GET", made["Uri"], headers={KEY: "k"}).status_code == 200


@pytest.mark.parametrize("header, value, status", [
    ("If-Match", '"abc"', 412), ("If-None-Match", "*", 412),
    ("If-Unmodified-Since", "Thu, 01 Jan 2026 00:00:00 GMT", 412),
    ("Content-Range", "bytes 0-1/2", 400), ("X-HTTP-Method-Override", "DELETE", 400)])
def test_a_condition_that_is_not_kept_is_refused(world, header, value, status):
    """I11: a change is not made as if there were no condition."""
    made = world.notify(world.partner, "http://127.0.0.1:9/p")
    for method, body in (("PUT", {"Name": "changed"}), ("DELETE", None)):
        answer = world.partner.call(method, made["Uri"], json=body, headers={header: value})
        assert answer.status_code == status and header in answer.json()["Message"], answer.text
    answer = world.partner.call("POST", "ActionInquiries", json=world.inquiry(), headers={header: value})
    assert answer.status_code == status
    assert world.partner.ok(world.partner.get(made["Uri"]))["Name"] == ""
    assert world.partner.call("GET", made["Uri"], headers={header: value}).status_code == 200


def test_an_account_has_so_many_keys_a_day(world):
    """I11: the 1,001st is refused, makes nothing, and other accounts go on."""
    world.server.stop()
    rows = [(world.partner.id, n.to_bytes(32, "big"), b"r" * 32, 1 << 50) for n in range(1000)]
    world.server.store.execute("INSERT INTO idempotency (account, name, request, made_at) VALUES " +
                               ", ".join(["(?, ?, ?, ?)"] * len(rows)), *sum(rows, ()))
    world.server.start()
    world.moved()
    answer = post(world.partner, "ActionInquiries", world.inquiry(), "over")
    assert answer.status_code == 429 and "1000" in answer.json()["Message"], answer.text
    assert not world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]
    world.brand.ok(post(world.brand, "SupportRequests", {"Kind": "OTHER", "Subject": "s", "Text": "t"}, "k"))
    world.partner.ok(world.partner.post("ActionInquiries", world.inquiry()))
