"""Calls that have somebody else's server called: how many an account may make."""

import concurrent.futures

import pytest

from harness.delivery import Delivery
from harness.receiver import answers, hangs

TESTS, AT_ONCE, SENDS, REPLAYS = 30, 5, 60, 10


def at_once(count, call):
    """The answers to so many calls that are made together."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: call(), range(count)))


def codes(responses):
    responses = list(responses)
    for one in responses:
        if one.status_code == 429:
            assert 0 < int(one.headers["Retry-After"]) <= 60, one.headers
            assert one.json()["Status"] == "ERROR" and one.json()["Message"]
    return [one.status_code for one in responses]


@pytest.mark.parametrize("who", ["session", "token"])
def test_sixty_tests_at_once_are_not_sixty_requests(world, receivers, who):
    """A11: an account has so many tests a minute, whoever presses the button."""
    receiver = receivers()
    delivery = Delivery(world, receiver.url())
    caller = world.browser(world.partner) if who == "session" else world.partner
    came = codes(at_once(60, lambda: caller.post(f"{delivery.path}/Test")))
    assert set(came) == {200, 429} and came.count(200) <= TESTS
    more = codes(caller.post(f"{delivery.path}/Test") for _ in range(TESTS))
    assert (came + more).count(200) <= TESTS and more[-1] == 429
    assert len(receiver.requests) == (came + more).count(200)
    assert codes([Delivery(world, receiver.url(), account=world.brand).api.get("EventNotifications")]) == [200]


def test_another_account_tests_meanwhile(world, receivers):
    """A11: the count is the account's own."""
    delivery, other = (Delivery(world, receivers().url(), account=one)
                       for one in (world.partner, world.brand))
    assert 429 in codes(world.partner.post(f"{delivery.path}/Test") for _ in range(TESTS + 1))
    assert codes([world.brand.post(f"{other.path}/Test")]) == [200]


def test_a_hanging_receiver_holds_few_tests(world, receivers):
    """A11: so many are under way at once; when they have ended there is room again."""
    receiver = receivers(hangs)
    delivery = Delivery(world, receiver.url())
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(world.partner.post, f"{delivery.path}/Test") for _ in range(AT_ONCE)]
        receiver.wait(AT_ONCE)
        assert codes([world.partner.post(f"{delivery.path}/Test")]) == [429]
        receiver.close()
        assert {one.result().status_code for one in waiting} == {200}
    assert codes([world.partner.post(f"{delivery.path}/Test")]) == [200]
    assert len(receiver.requests) == AT_ONCE


@pytest.mark.parametrize("what", ["Retry", "Resend", "Resume", "Change"])
def test_a_session_has_limits_for_what_calls_a_receiver(world, receivers, what):
    """A11: retrying, resending, resuming and changing, too, have a receiver called at once."""
    receiver = receivers(answers(500) if what == "Retry" else answers(200))
    delivery = Delivery(world, receiver.url())
    browser = world.browser(world.partner)
    delivery.send()
    delivery.await_attempts(1)
    if what == "Resend":
        delivery.await_state("DELIVERED")
    id = delivery.postbacks()[-1]["Id"]
    act = {"Retry": lambda: browser.post(f"Postbacks/{id}/Retry"),
           "Resend": lambda: browser.post(f"Postbacks/{id}/Resend"),
           "Resume": lambda: browser.post(f"{delivery.path}/Resume"),
           "Change": lambda: browser.put(delivery.path, {"Name": "n"})}[what]
    came = codes(act() for _ in range(SENDS + 5))
    assert came[-5:] == [429] * 5 and set(came[:SENDS]) <= {200, 409}, came


def test_a_session_begins_few_replays(world, receivers):
    """A11: a replay sends a range of time again."""
    delivery = Delivery(world, receivers().url())
    browser = world.browser(world.partner)
    came = codes(browser.post(f"{delivery.path}/Replays", {"StartDate": "2020-01-01"})
                 for _ in range(REPLAYS + 2))
    assert came[-2:] == [429, 429] and 200 in came, came


def test_the_operators_sessions_have_limits_as_well(world, receivers):
    """A11: the operator has event notifications of its own."""
    made = world.operator.ok(world.operator.post(f"/Mediapartners/{world.operator.sid}/EventNotifications", {
        "Category": "Action Inquiry Events", "Method": "POST", "Url": receivers().url()}))
    came = codes(world.operator.post(f"{made['Uri']}/Test") for _ in range(TESTS + 1))
    assert came[-1] == 429, came
