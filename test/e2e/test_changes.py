"""GET …/Changes: a call that waits until something of the account's postbacks changes."""

import select
import socket
import threading
import time

import requests

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until

SOON = 1.0     # seconds: a waiting call is answered after a change
CALLS_OF_ACCOUNT = 32


class Waiting(threading.Thread):
    """One call under way, in a thread of its own."""

    def __init__(self, api, cursor, path="Changes"):
        super().__init__(daemon=True)
        self.api, self.cursor, self.path, self.answer, self.took = api, cursor, path, None, None
        self.start()

    def run(self):
        whole = self.path if self.path.startswith("/") else f"{self.api.prefix}/{self.path}"
        started = time.monotonic()
        try:
            self.answer = requests.get(self.api.base + whole, params={"Since": self.cursor},
                                       auth=(self.api.sid, self.api.token), timeout=40)
        except requests.RequestException as error:
            self.answer = error
        self.took = time.monotonic() - started

    def status(self, timeout=SOON + 5):
        self.join(timeout)
        assert not self.is_alive(), "not answered"
        return self.answer.status_code

    def still_waits(self, moment=0.6):
        self.join(moment)
        return self.is_alive()


def cursor_of(api, path="Changes", **query):
    return api.ok(api.get(path, **query))["Cursor"]


def settled(api, path="Changes"):
    """The cursor once what came before has been written."""
    seen = [cursor_of(api, path)]

    def quiet():
        seen.append(cursor_of(api, path))
        return len(seen) > 3 and len(set(seen[-4:])) == 1
    await_until(quiet, "no more changes")
    return seen[-1]


def test_a_first_call_and_an_unknown_cursor_are_answered_at_once(world):
    assert cursor_of(world.partner) == cursor_of(world.partner)
    for unknown in ("", "x", "00000000-0", "9" * 200, "é"):
        started = time.monotonic()
        assert cursor_of(world.partner, Since=unknown) == cursor_of(world.partner)
        assert time.monotonic() - started < 5


def test_a_new_postback_answers_a_waiting_call_within_a_second(world, receiver):
    delivery = Delivery(world, receiver.url())
    known = settled(world.partner)
    waiting = Waiting(world.partner, known)
    assert waiting.still_waits()
    sent = time.monotonic()
    delivery.send()
    assert waiting.status() == 200 and waiting.answer.json()["Cursor"] != known
    assert time.monotonic() - sent < SOON + 2
    # … and the one that starts from there hears of what comes next.
    delivery.await_state("DELIVERED")
    known = settled(world.partner)
    waiting = Waiting(world.partner, known)
    assert waiting.still_waits()
    delivery.send()
    assert waiting.status() == 200 and waiting.answer.json()["Cursor"] != known


def test_what_happens_between_two_calls_is_not_missed(world, receiver):
    delivery = Delivery(world, receiver.url())
    known = settled(world.partner)
    delivery.send()
    delivery.await_state("DELIVERED")
    assert cursor_of(world.partner, Since=known) != known


def test_what_its_owner_does_and_what_fails_is_a_change_too(world, receivers):
    delivery = Delivery(world, receivers(answers(500)).url())
    delivery.send()
    delivery.await_attempts(1)
    id = delivery.postback()["Id"]
    steps = [lambda: delivery.do("Pause"), delivery.send, lambda: delivery.do("Resume"),
             lambda: delivery.api.ok(delivery.api.post(f"Postbacks/{id}/Cancel")),
             lambda: delivery.api.ok(delivery.api.post(f"Postbacks/{id}/Resend")),
             lambda: delivery.api.ok(delivery.api.delete(delivery.path))]
    for number, step in enumerate(steps):
        known = cursor_of(world.partner)
        step()
        assert cursor_of(world.partner, Since=known) != known, number


def test_two_accounts_do_not_wake_each_other_and_the_operator_hears_of_both(world, receiver):
    own = Delivery(world, receiver.url())
    other = Delivery(world, receiver.url(), account=world.brand)
    known = {api: settled(api) for api in (world.partner, world.brand)}
    partner = Waiting(world.partner, known[world.partner])
    brand = Waiting(world.brand, known[world.brand])
    operator = Waiting(world.operator, settled(world.operator, "/Operator/Changes"),
                       "/Operator/Changes")
    assert operator.still_waits()
    own.send()
    assert partner.status() == 200 and operator.status() == 200
    assert brand.still_waits(), "another account's postback woke it"
    again = Waiting(world.operator, operator.answer.json()["Cursor"], "/Operator/Changes")
    other.send()
    assert brand.status() == 200 and again.status() == 200


def test_only_the_operator_looks_at_all_accounts(world):
    assert world.partner.get("/Operator/Changes").status_code == 403
    assert world.brand.get(f"/Mediapartners/{world.partner.sid}/Changes").status_code == 404
    assert world.partner.get("Changes", Sinse="x").status_code == 400


def test_an_account_has_so_many_places_and_others_have_theirs(world):
    """Also: those whose client has gone are given back."""
    known = settled(world.partner)
    address = world.server.base.removeprefix("http://").split(":")
    request = requests.Request("GET", world.server.base + f"{world.partner.prefix}/Changes",
                               params={"Since": known},
                               auth=(world.partner.sid, world.partner.token)).prepare()
    text = f"GET {request.path_url} HTTP/1.1\r\nHost: x\r\nAuthorization: " \
           f"{request.headers['Authorization']}\r\n\r\n"
    held = [socket.create_connection((address[0], int(address[1])))
            for _ in range(CALLS_OF_ACCOUNT + 1)]
    for one in held:
        one.sendall(text.encode())
    answered, _, _ = select.select(held, [], [], 15)  # the one too many, whichever it is
    assert len(answered) == 1
    refused = answered[0].recv(4096).decode()
    assert refused.startswith("HTTP/1.1 503") and "Retry-After: " in refused and "wait" in refused
    other = Waiting(world.brand, settled(world.brand))
    assert other.still_waits()
    for one in held:
        one.close()
    # Seen as gone at the next look; meanwhile the answer is 503 at once.
    await_until(lambda: Waiting(world.partner, known).still_waits(0.2), "a place is free again")


def test_a_stop_does_not_wait_for_calls_that_wait():
    with Server() as server:
        world = World(server)
        known = settled(world.partner)
        waiting = [Waiting(world.partner, known) for _ in range(3)]
        assert all(one.still_waits(0.3) for one in waiting)
        started = time.monotonic()
        assert server.stop() == 0, server.log()
        assert time.monotonic() - started < 5
        assert [one.status() for one in waiting] == [200] * 3


def test_a_cursor_from_before_a_restart_is_answered_at_once():
    with Server() as server:
        world = World(server)
        known = settled(world.partner)
        assert server.stop() == 0
        server.start()
        world.moved()
        started = time.monotonic()
        assert cursor_of(world.partner, Since=known) != known
        assert time.monotonic() - started < 5


def test_each_step_of_an_inquiry_is_a_change_for_both(world):
    """P5: though no event notification wants its event; a notice is one, too."""
    def told(what, *accounts):
        for waiting in before:
            assert waiting.status() == 200 and waiting.answer.json()["Cursor"] != waiting.cursor, (what, waiting.api.sid)

    def looking(*accounts):
        return [Waiting(api, settled(api)) for api in accounts]

    both = world.partner, world.brand
    before = looking(*both)
    one = world.open()
    told("opened")
    for account, method, path, body in (
            (world.brand, "put", "ActionInquiries", {"Id": one, "ResolutionStatus": "INCOMPLETE"}),
            (world.brand, "post", f"ActionInquiries/{one}/Comments", {"Comment": "Which shop?"}),
            (world.partner, "post", f"ActionInquiries/{one}/Comments", {"Comment": "In Lyon."}),
            (world.partner, "post", f"ActionInquiries/{one}/Close", {})):
        before = looking(*both)
        account.ok(getattr(account, method)(path, body))
        told(path)
    stranger = world.account("PARTNER", "Stranger")
    quiet = Waiting(stranger, settled(stranger))
    world.open(OrderId="B-1")
    assert quiet.still_waits(), "another's inquiry is no change of the stranger's"
    world.operator.ok(world.operator.put(f"Accounts/{stranger.sid}/DataPoints", {"DataPoints": ["Reopened"]}))
    assert quiet.status() == 200
