"""The API's rate limit: its headers on every answer, what counts and what does not, 429, and a new
limit without a restart."""

import re
import signal
import time

import pytest
import requests

from harness.server import Server, World, await_until

FAMILIES = [("X-RateLimit-Limit-hour", "X-RateLimit-Remaining-hour", "RateLimit-Reset"),
            ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")]


def limits(answer):
    """Limit, remaining and reset, the same in both families of headers."""
    first, second = [[int(answer.headers[name]) for name in family] for family in FAMILIES]
    assert first == second
    return first


def no_limits(answer):
    return not any(name in answer.headers for family in FAMILIES for name in family)


@pytest.fixture(scope="module")
def limited():
    """Each account may call 5 times; the operator, who sets worlds up, gets a wider limit first."""
    with Server(rate_limit=100000) as running:
        yield running
        assert running.process.poll() is None, running.log()
        assert running.stop() == 0, running.log()


@pytest.fixture
def five(tmp_path):
    """A server of its own whose limit becomes 5 when the world is there."""
    settings = tmp_path / "postbackd.conf"
    settings.write_text("rate-limit = 0\n")
    with Server("--config", str(settings), rate_limit=None) as running:
        world = World(running)
        settings.write_text("rate-limit = 5\n")
        reload(running)
        world.settings = settings
        yield world


def reload(server):
    before = len(re.findall(r" reloaded | reload_refused ", server.log()))
    server.process.send_signal(signal.SIGHUP)
    await_until(lambda: len(re.findall(r" reloaded | reload_refused ", server.log())) > before,
                "the settings read again")


def test_both_families_are_on_every_answer_to_an_account(limited):
    world = World(limited)
    inquiry = world.open()
    partner = world.partner
    reader = requests.Session()
    reader.auth = (partner.sid, world.token(partner.sid, "READ"))
    base = limited.base + partner.prefix
    answers = [
        partner.get("ActionInquiries"), partner.get(f"ActionInquiries/{inquiry}"),
        partner.post("ActionInquiries", world.inquiry()), partner.post("ActionInquiries", {}),
        partner.post("ActionInquiries", world.inquiry(OrderId="A-1")),
        partner.get("ActionInquiries/999999"), partner.get("EventNotifications/x"),
        partner.get("ActionInquiries", Colour="red"), partner.get("/EventCatalog"),
        partner.call("POST", "ActionInquiries", data="{", headers={
            "Content-Type": "application/json"}),
        partner.call("POST", "ActionInquiries", data="x", headers={"Content-Type": "text/plain"}),
        partner.get(f"/Mediapartners/{world.brand.sid}/ActionInquiries"),
        partner.get("/Operator/Accounts"), reader.post(base + "/ActionInquiries"),
        partner.get(f"{partner.prefix}/ActionInquiries.csv"), partner.get("Postbacks"),
    ]
    assert {answer.status_code for answer in answers} == {200, 400, 403, 404, 409, 415}
    left = [limits(answer)[1] for answer in answers]
    assert left == list(range(left[0], left[0] - len(left), -1))  # each of them counts
    for most, _, reset in map(limits, answers):
        assert most == 100000 and 0 < reset <= 3600


def test_over_the_limit_is_429_until_the_hour_turns(five):
    partner = five.partner
    codes = [partner.get("ActionInquiries") for _ in range(5)]
    assert [answer.status_code for answer in codes] == [200] * 5
    assert [limits(answer)[1] for answer in codes] == [4, 3, 2, 1, 0]
    for call in (lambda: partner.get("ActionInquiries"),
                 lambda: partner.post("ActionInquiries", five.inquiry()),
                 lambda: partner.get("/EventCatalog")):
        answer = call()
        assert answer.status_code == 429
        assert answer.json()["Status"] == "ERROR"
        assert "5 requests an hour" in answer.json()["Message"]
        most, left, reset = limits(answer)
        assert (most, left) == (5, 0)
        assert abs(int(answer.headers["Retry-After"]) - reset) <= 1
        until_the_hour = 3600 - time.time() % 3600
        assert abs(reset - until_the_hour) <= 2
    assert five.brand.get("EventNotifications").status_code == 200  # each account has its own
    second = requests.get(five.server.base + partner.prefix + "/Campaigns", timeout=20, auth=(
        partner.sid, partner.token))  # on another connection: the account counts
    assert second.status_code == 429


def test_what_is_over_the_limit_was_not_done(five):
    for _ in range(5):
        five.partner.get("Campaigns")
    assert five.partner.post("ActionInquiries", five.inquiry()).status_code == 429
    five.settings.write_text("rate-limit = 0\n")
    reload(five.server)
    assert five.partner.ok(five.partner.get("ActionInquiries"))["@total"] == "0"


def test_events_postbacks_and_health_do_not_count(five, receiver):
    made = five.notify(five.partner, receiver.url(), Category="action_lifecycle")  # one of five
    event = {"Type": "action.tracked", "AccountSids": [five.partner.sid], "Data": {}}
    for _ in range(50):
        answer = five.partner.post("/Events", event)
        assert answer.status_code == 202 and no_limits(answer)
        assert requests.get(five.server.base + "/healthz", timeout=20).status_code == 200
    receiver.wait(50)  # postbacks have no limit at all
    assert limits(five.partner.get(made["Uri"]))[1] == 3
    for path in ("/healthz", "/readyz", "/metrics"):
        assert no_limits(requests.get(five.server.base + path, timeout=20))


def test_a_stranger_has_no_limit_to_see(five):
    answer = requests.get(five.server.base + five.partner.prefix + "/Campaigns", timeout=20,
                          auth=(five.partner.sid, "pbt_wrong"))
    assert answer.status_code == 401 and no_limits(answer)
    assert limits(five.partner.get("Campaigns"))[1] == 4  # guesses do not use up the account's


def test_a_new_limit_is_taken_without_a_restart(five):
    partner = five.partner
    assert [partner.get("Campaigns").status_code for _ in range(6)] == [200] * 5 + [429]
    five.settings.write_text("# wider\nrate-limit = 8\nlog-level = info\n")
    reload(five.server)
    answers = [partner.get("Campaigns") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert limits(answers[0])[:2] == [8, 2]
    five.settings.write_text("rate-limit = 3\n")
    reload(five.server)
    answer = partner.get("Campaigns")
    assert answer.status_code == 429 and limits(answer)[:2] == [3, 0]
    five.settings.write_text("drain = 10\n\n   rate-limit = 0\n")
    reload(five.server)
    answer = partner.get("Campaigns")
    assert answer.status_code == 200 and no_limits(answer)


@pytest.mark.parametrize("text", ["rate-limit = -1\n", "rate-limit = many\n", "no such line\n",
                                  "colour = red\n", "rate-limit\n",
                                  "rate-limit = 5000\n  60\n", "node = 0\n rate-limit = no\n"])
def test_wrong_settings_are_refused_and_the_old_ones_stay(five, text):
    """S1: on SIGHUP, too, an indented line is one of its own."""
    five.settings.write_text(text)
    reload(five.server)
    assert re.search(r"reload_refused .*postbackd\.conf", five.server.log())
    assert limits(five.partner.get("Campaigns"))[0] == 5


def test_settings_that_are_gone(five):
    five.settings.unlink()
    reload(five.server)
    assert "reload_refused" in five.server.log() and "No such file" in five.server.log()
    assert limits(five.partner.get("Campaigns"))[0] == 5


def test_the_default_is_a_thousand_an_hour():
    with Server(rate_limit=None) as running:
        world = World(running)
        assert limits(world.partner.get("Campaigns"))[:2] == [1000, 999]
