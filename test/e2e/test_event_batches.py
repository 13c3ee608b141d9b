"""POST /Events with many events: all or nothing, every bad one named, and DedupeKey."""

import base64
import json
import socket
import threading

import pytest
import requests

from harness.server import Server, World, await_until


def tracked(*sids, **data):
    return {"Type": "action.tracked", "AccountSids": list(sids), "Data": {"ActionId": "5", **data}}


def lifecycle(world, account, receiver, **settings):
    return world.notify(account, receiver.url(), Category="Action Lifecycle Events", **settings)


def post_lines(api, *lines, kind="application/x-ndjson"):
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return api.call("POST", "/Events", data=body.encode(), headers={"Content-Type": kind})


def accepted(response):
    assert response.status_code == 202, response.text
    return response.json()["EventIds"]


def fields_of(response):
    assert response.status_code == 400, response.text
    return [error["Field"] for error in response.json()["Errors"]]


def count_events(server, account):
    return server.store.rows("SELECT count(*) FROM event WHERE account = ?", account.id)[0][0]


# ---- batches ----

def test_a_batch_goes_out_whole_and_its_ids_are_in_order(world, receivers):
    at_partner, at_brand = receivers(), receivers()
    lifecycle(world, world.partner, at_partner)
    lifecycle(world, world.brand, at_brand)
    ids = accepted(world.operator.post("/Events", {"Events": [
        tracked(world.partner.sid, Oid="first"),
        tracked(world.partner.sid, world.brand.sid, Oid="second"),
        tracked(world.brand.sid, Oid="third")]}))
    assert len(set(ids)) == 4
    partners = {json.loads(request.body)["EventId"]: json.loads(request.body)["Oid"]
                for request in at_partner.wait(2)}
    brands = {json.loads(request.body)["EventId"]: json.loads(request.body)["Oid"]
              for request in at_brand.wait(2)}
    assert partners == {ids[0]: "first", ids[1]: "second"}
    assert brands == {ids[2]: "second", ids[3]: "third"}


def test_a_thousand_events_fit_and_one_more_does_not(world, receiver):
    lifecycle(world, world.partner, receiver)
    event = tracked(world.partner.sid)
    ids = accepted(world.partner.post("/Events", {"Events": [event] * 1000}))
    assert len(set(ids)) == 1000
    came = {json.loads(request.body)["EventId"] for request in receiver.wait(1000)}
    assert came == set(ids)
    assert fields_of(world.partner.post("/Events", {"Events": [event] * 1001})) == ["Events"]
    assert fields_of(post_lines(world.partner, *[event] * 1001)) == ["Events"]


def test_every_bad_event_is_named_and_none_is_written(world, server):
    sid = world.partner.sid
    response = world.partner.post("/Events", {"Events": [
        tracked(sid),
        {**tracked(sid), "Type": "no.such"},
        5,
        tracked(sid, Amount="12,50", Nope="1"),
        {**tracked(sid), "OccurredAt": "yesterday", "DedupeKey": ""},
        {**tracked(world.brand.sid), "Extra": 1},
        {"Type": "action.tracked"}]})
    assert fields_of(response) == [
        "Events[1].Type", "Events[2]", "Events[3].Data.Amount", "Events[3].Data.Nope",
        "Events[4].OccurredAt", "Events[4].DedupeKey", "Events[5].Extra",
        "Events[5].AccountSids[0]", "Events[6].AccountSids", "Events[6].Data"]
    assert count_events(server, world.partner) == 0


def test_an_unknown_account_undoes_the_whole_batch(world, server, receiver):
    lifecycle(world, world.partner, receiver)
    response = world.operator.post("/Events", {"Events": [
        tracked(world.partner.sid), tracked(world.partner.sid, "PAnobody"), tracked("BRnobody")]})
    assert fields_of(response) == ["Events[1].AccountSids[1]", "Events[2].AccountSids[0]"]
    assert count_events(server, world.partner) == 0
    accepted(world.operator.post("/Events", {"Events": [tracked(world.partner.sid)]}))
    assert count_events(server, world.partner) == 1
    assert len(receiver.wait(1)) == 1


@pytest.mark.parametrize("events", [[], {}, "x", None, 5])
def test_events_must_be_an_array(world, events):
    assert fields_of(world.partner.post("/Events", {"Events": events})) == ["Events"]


def test_a_batch_has_no_other_members(world):
    response = world.partner.post("/Events", {"Events": [tracked(world.partner.sid)], "Type": "x"})
    assert fields_of(response) == ["Type"]


def test_a_batch_is_capped_by_accounts_and_bytes_too(world):
    sids = [world.partner.sid, world.brand.sid]
    many = {"Events": [{**tracked(*sids), "AccountSids": [f"x{i}" for i in range(100)]}] * 101}
    assert "Events" in fields_of(world.operator.post("/Events", many))
    # 900 events of 20 KB are more than the body may have.
    long = {"Events": [tracked(sids[0], LandingPageUrl="x" * 20000)] * 900}
    assert world.partner.post("/Events", long).status_code == 413


# ---- NDJSON ----

def test_ndjson_is_a_batch(world, receiver):
    lifecycle(world, world.partner, receiver)
    sid = world.partner.sid
    ids = accepted(post_lines(world.partner, tracked(sid, Oid="1"), "", tracked(sid, Oid="2") , " \t\r",
                              json.dumps(tracked(sid, Oid="3")) + "\r", "",
                              kind="application/x-ndjson; charset=utf-8"))
    got = {json.loads(request.body)["EventId"]: json.loads(request.body)["Oid"]
           for request in receiver.wait(3)}
    assert got == dict(zip(ids, "123"))


def test_bad_lines_are_named_by_event(world, server):
    response = post_lines(world.partner, tracked(world.partner.sid), "", "{nonsense}",
                          tracked(world.partner.sid, Nope="1"), "[]", '"x"', '{"Type":"a"} {}')
    assert fields_of(response) == ["Events[1]", "Events[2].Data.Nope", "Events[3]", "Events[4]",
                                   "Events[5]"]
    assert "line 3" in response.json()["Errors"][0]["Message"]
    assert count_events(server, world.partner) == 0


@pytest.mark.parametrize("body", [b"", b"\n\n", b" \t \r\n", b"\0", b"\xff"])
def test_ndjson_without_events(world, body):
    response = world.partner.call("POST", "/Events", data=body,
                                  headers={"Content-Type": "application/x-ndjson"})
    assert len(fields_of(response)) == 1


def test_a_hundred_problems_are_enough(world):
    response = post_lines(world.partner, *["nonsense"] * 500)
    assert len(fields_of(response)) == 100


# ---- when it happened ----

def test_the_time_given_is_the_events_time(world, receiver):
    lifecycle(world, world.partner, receiver)
    accepted(world.partner.post("/Events", {"Events": [
        {**tracked(world.partner.sid), "OccurredAt": "2026-01-02T03:04:05.678+01:00"},
        {**tracked(world.partner.sid), "OccurredAt": None}]}))
    times = sorted(json.loads(request.body)["EventTime"] for request in receiver.wait(2))
    assert times[0] == "2026-01-02T02:04:05.678+00:00" and times[1] > times[0]


# ---- DedupeKey ----

def keyed(key, *sids, **data):
    return {**tracked(*sids, **data), "DedupeKey": key}


def test_a_repeated_key_answers_the_same_ids_and_writes_nothing(world, server, receivers):
    at_partner, at_brand = receivers(), receivers()
    lifecycle(world, world.partner, at_partner)
    lifecycle(world, world.brand, at_brand)
    both = keyed("order-1", world.partner.sid, world.brand.sid)
    ids = accepted(world.operator.post("/Events", both))
    assert len(ids) == 2
    for _ in range(3):
        assert accepted(world.operator.post("/Events", both)) == ids
    # What is given besides the key does not matter.
    assert accepted(world.operator.post(
        "/Events", keyed("order-1", world.brand.sid, Oid="other"))) == ids
    last = accepted(world.operator.post("/Events", keyed("order-2", world.partner.sid)))
    assert [json.loads(request.body)["EventId"] for request in at_partner.wait(2)] == [ids[0]] + last
    assert [json.loads(request.body)["EventId"] for request in at_brand.wait(1)] == [ids[1]]
    assert count_events(server, world.partner) == 2 and count_events(server, world.brand) == 1


def test_a_key_belongs_to_the_account_that_sends(world):
    mine = accepted(world.partner.post("/Events", keyed("same", world.partner.sid)))
    theirs = accepted(world.brand.post("/Events", keyed("same", world.brand.sid)))
    operators = accepted(world.operator.post("/Events", keyed("same", world.partner.sid)))
    assert len({*mine, *theirs, *operators}) == 3
    assert accepted(world.partner.post("/Events", keyed("same", world.partner.sid))) == mine


def test_keys_within_one_batch_and_of_one_before(world, server):
    sid = world.partner.sid
    before = accepted(world.partner.post("/Events", keyed("a", sid)))
    ids = accepted(world.partner.post("/Events", {"Events": [
        keyed("b", sid), keyed("a", sid), tracked(sid), keyed("b", sid), keyed("c", sid)]}))
    assert [ids[1]] == before and ids[3] == ids[0]
    assert len(set(ids)) == 4
    assert count_events(server, world.partner) == 4


def test_a_refused_batch_keeps_no_key(world, server):
    sid = world.partner.sid
    response = world.operator.post("/Events", {"Events": [keyed("k", sid), tracked("PAnobody")]})
    assert response.status_code == 400
    accepted(world.operator.post("/Events", keyed("k", sid)))
    assert count_events(server, world.partner) == 1


def test_a_key_is_known_after_a_kill(receiver):
    with Server() as server:
        world = World(server)
        lifecycle(world, world.partner, receiver)
        ids = accepted(world.partner.post("/Events", keyed("k", world.partner.sid)))
        server.kill()
        server.start()
        world.moved()
        assert accepted(world.partner.post("/Events", keyed("k", world.partner.sid))) == ids
        assert count_events(server, world.partner) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, 5, []])
def test_wrong_keys(world, key):
    assert fields_of(world.partner.post("/Events", keyed(key, world.partner.sid))) == ["DedupeKey"]


def test_one_key_from_many_sides_at_once(world, server):
    """However they race, one event is made and all get its id."""
    answers, sides = [], []
    event = keyed("race", world.partner.sid)

    def send():
        answers.append(requests.post(server.base + "/Events", json=event,
                                     auth=(world.partner.sid, world.partner.token), timeout=30))
    for _ in range(16):
        sides.append(threading.Thread(target=send))
        sides[-1].start()
    for side in sides:
        side.join()
    assert len({accepted(answer)[0] for answer in answers}) == 1
    assert count_events(server, world.partner) == 1


# ---- over capacity ----

LET_IN = 16  # batches of 1,000: 16,384 events may wait for the disk

def test_past_the_cap_503_with_retry_after_and_what_was_accepted_is_whole(world, server):
    """A writer that is stopped (its store locked by someone else) lets the waiting grow to the cap."""
    sid, token = world.partner.sid, world.partner.token
    accepted(world.partner.post("/Events", tracked(sid)))
    batch = {"Events": [tracked(sid)] * 1000}
    answers, sides = [], []
    with server.store.locked():
        def send():
            answers.append(requests.post(server.base + "/Events", json=batch, auth=(sid, token),
                                         timeout=60))
        for _ in range(40):
            sides.append(threading.Thread(target=send))
            sides[-1].start()
        await_until(lambda: len(answers) >= 40 - LET_IN, "all others are answered")
        assert {(answer.status_code, answer.headers["Retry-After"]) for answer in list(answers)} == {
            (503, "1")}
    for side in sides:
        side.join()
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {202, 503}
    assert statuses.count(202) <= LET_IN, "more than the cap was let in"
    assert count_events(server, world.partner) == 1 + 1000 * statuses.count(202)
    accepted(world.partner.post("/Events", tracked(sid)))


def all_is_read(port):
    """Nothing lies in the kernel between clients of this port and the server behind it."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return all(queues == "00000000:00000000" for _, local, remote, _, queues, *_ in rows
               if f"{port:04X}" in (local.split(":")[1], remote.split(":")[1]))


def test_bodies_that_come_in_together_have_one_cap(world, server):
    """Forty bodies of 4 MB would be 160 MB; past the account's 24 MiB they are dropped and answered
    503."""
    length, opened = 4_000_000, []
    authorization = base64.b64encode(f"{world.partner.sid}:{world.partner.token}".encode()).decode()
    head = (f"POST /Events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()
    try:
        for _ in range(40):
            opened.append(socket.create_connection(("127.0.0.1", server.port), 20))
            opened[-1].sendall(head + b" " * (length - 1))
        await_until(lambda: all_is_read(server.port), "the server has read all")
        statuses = []
        for one in opened:
            one.sendall(b" ")
            answer = one.recv(4000).decode()
            statuses.append(int(answer.split()[1]))
            assert statuses[-1] == 400 or "\r\nRetry-After: 1\r\n" in answer
    finally:
        for one in opened:
            one.close()
    assert set(statuses) == {400, 503}
    assert 4 <= statuses.count(400) <= 6, statuses
    await_until(lambda: world.partner.post("/Events", tracked(world.partner.sid)).status_code == 202,
                "small events come in again")
