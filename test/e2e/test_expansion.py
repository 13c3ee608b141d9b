"""The work of filling in one template: bounded, whatever the template and the event are."""

import pytest

from harness.delivery import Delivery

LONG = "x" * 60000


def field_of(answer):
    assert answer.status_code == 400, answer.text
    (one,) = answer.json()["Errors"]
    return one["Field"], one["Message"]


def different(count, step="sha256"):
    return "".join(f"{{Oid|default:{number}|{step}}}" for number in range(count))


@pytest.mark.parametrize("token", ["{Oid|sha256}", "{Oid|md5}", "{Oid|lower|upper|sha256}",
                                   "{Oid|default:a|raw|sha256}"])
def test_one_value_is_hashed_once(world, receivers, token):
    """A2: the same token thousands of times, an event with a long value, ten such notifications:
    all are delivered, and the server answers others meanwhile."""
    receiver = receivers()
    for number in range(10):
        last = Delivery(world, receiver.url(f"/{number}"), BodyFormat="TEXT", BodyTemplate=token * 2000)
    last.send(Oid=LONG)
    requests = receiver.wait(10)
    assert world.brand.get("Campaigns").status_code == 200
    bodies = {request.body for request in requests}
    assert len(bodies) == 1 and len(bodies.pop()) == 2000 * (32 if "md5" in token else 64)
    tested = world.partner.ok(world.partner.post(f"{last.path}/Test", {"Data": {"Oid": LONG}}))
    assert tested["Verdict"] == "delivered"


def test_over_the_cap_the_attempt_fails_with_words(world, receivers):
    """A2: functions that differ read no more than so many bytes; Test and Preview say it too."""
    receiver = receivers()
    body = different(100)
    delivery = Delivery(world, receiver.url(), BodyFormat="TEXT", BodyTemplate=body)
    delivery.send(Oid=LONG)
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] == "build" and "functions would read over" in attempt["Detail"], attempt
    tested = world.partner.ok(world.partner.post(f"{delivery.path}/Test", {"Data": {"Oid": LONG}}))
    assert tested["Response"]["Error"] == "build", tested
    shown = world.partner.post("EventNotifications/Preview", {
        "Category": "Action Lifecycle Events", "Url": receiver.url(), "Method": "POST",
        "BodyFormat": "TEXT", "BodyTemplate": body, "Data": {"Oid": LONG}})
    assert shown.status_code == 400 and "functions would read over" in shown.text, shown.text
    assert not receiver.requests
    delivery.send(Oid="short")
    assert len(receiver.wait(1)[0].body) == 6400


def test_too_many_different_functions_are_refused_when_saved(world, receivers):
    """A2: what can be known is known then, in the body and in the URL."""
    settings = {"Category": "Action Lifecycle Events", "Url": receivers().url(), "Method": "POST",
                "BodyFormat": "TEXT"}
    for where in ("EventNotifications", "EventNotifications/Preview"):
        field, message = field_of(world.partner.post(where, {**settings, "BodyTemplate": different(129)}))
        assert field == "BodyTemplate" and "128" in message
    made = world.partner.ok(world.partner.post("EventNotifications", {
        **settings, "BodyTemplate": different(128)}))
    field, _ = field_of(world.partner.put(made["Uri"], {"BodyTemplate": different(200, "upper")}))
    assert field == "BodyTemplate"


@pytest.mark.parametrize("format, value", [("XML", "&" * 60000), ("JSON", "\x01" * 10000),
                                           ("FORM", "é" * 30000)])
def test_what_grows_by_escaping_ends_at_the_bodys_cap(world, receivers, format, value):
    """A2: a body over its cap is not sent, and says so."""
    receiver = receivers()
    token = {"XML": "<a>{Oid}</a>", "JSON": '"{Oid}",', "FORM": "a={Oid}&"}[format] * 2000
    body = {"XML": f"<e>{token}</e>", "JSON": f"[{token}1]", "FORM": token}[format]
    delivery = Delivery(world, receiver.url(), BodyFormat=format, BodyTemplate=body)
    delivery.send(Oid=value)
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] == "build" and "over 1048576 bytes" in attempt["Detail"], attempt
