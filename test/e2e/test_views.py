"""Saved views of lists: one's own and the account's, and how many there may be."""

import pytest

POSTBACKS = {"Page": "POSTBACKS", "Name": "Timeouts", "Filters": {"Error": "timeout", "State": "WAITING"},
             "Columns": ["type", "state"]}


def views(caller, **query):
    return caller.ok(caller.get("Views", **query))["Views"]


def test_a_view_is_kept_changed_and_deleted(world):
    made = world.partner.ok(world.partner.post("Views", POSTBACKS))
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert {name: shown[name] for name in POSTBACKS} == POSTBACKS
    assert shown["Shared"] == "true" and shown["Uri"] == made["Uri"]
    world.partner.ok(world.partner.put(made["Uri"], {"Name": "Slow"}))
    assert world.partner.ok(world.partner.get(made["Uri"]))["Filters"] == POSTBACKS["Filters"]
    world.partner.ok(world.partner.put(made["Uri"], {"Filters": {}, "Columns": ["due"]}))
    changed = world.partner.ok(world.partner.get(made["Uri"]))
    assert (changed["Name"], changed["Filters"], changed["Columns"]) == ("Slow", {}, ["due"])
    world.partner.ok(world.partner.post("Views", {"Page": "ACTIONS", "Name": "Locked"}))
    assert [one["Name"] for one in views(world.partner)] == ["Slow", "Locked"]
    assert [one["Name"] for one in views(world.partner, Page="ACTIONS")] == ["Locked"]
    world.partner.ok(world.partner.delete(made["Uri"]))
    assert world.partner.get(made["Uri"]).status_code == 404
    assert world.partner.delete(made["Uri"]).status_code == 404
    audited = [one["Action"] for one in world.operator.ok(
        world.operator.get("Audit", AccountSid=world.partner.sid))["Entries"]]
    assert audited.count("view.change") == 2 and audited.count("view.delete") == 1


def test_ones_own_is_seen_by_nobody_else(world):
    ann, bob = world.browser(world.partner), world.browser(world.partner)
    own = ann.ok(ann.post("Views", POSTBACKS))["Uri"]
    shared = ann.ok(ann.post("Views", {**POSTBACKS, "Name": "Ours", "Shared": True}))["Uri"]
    assert [one["Shared"] for one in views(ann)] == ["false", "true"]
    for other in (bob, world.partner):
        assert [one["Name"] for one in views(other)] == ["Ours"]
        assert other.get(own).status_code == other.delete(own).status_code == 404
        assert other.put(own, {"Name": "Mine now"}).status_code == 404
    bob.ok(bob.put(shared, {"Name": "Everybody's"}))
    assert [one["Name"] for one in views(ann)] == ["Timeouts", "Everybody's"]
    reader = world.browser(world.partner, "READ_ONLY")
    assert [one["Name"] for one in views(reader)] == ["Everybody's"]
    assert reader.post("Views", POSTBACKS).status_code == 403
    stranger = world.account("PARTNER", "Stranger")
    assert views(stranger) == [] and stranger.get(shared).status_code == 404


def test_there_are_so_many_and_no_more(world):
    ann = world.browser(world.partner)
    for _ in range(50):
        ann.ok(ann.post("Views", POSTBACKS))
    full = ann.post("Views", POSTBACKS)
    assert full.status_code == 409 and "50 own views" in full.json()["Message"]
    ann.ok(ann.post("Views", {**POSTBACKS, "Shared": True}))


@pytest.mark.parametrize("wrong, field", [
    ({"Page": "OTHER"}, "Page"), ({"Name": ""}, "Name"), ({"Name": "n" * 81}, "Name"),
    ({"Shared": "false"}, "Shared"), ({"Filters": "State"}, "Filters"),
    ({"Filters": {"State": ["WAITING"]}}, "Filters"), ({"Filters": {"a": "b" * 401}}, "Filters"),
    ({"Filters": {f"n{n}": "" for n in range(41)}}, "Filters"), ({"Columns": {}}, "Columns"),
    ({"Columns": [1]}, "Columns"), ({"Columns": ["c"] * 41}, "Columns"), ({"Colour": "red"}, "Colour"),
])
def test_what_is_no_view_is_refused(world, wrong, field):
    answer = world.partner.post("Views", {**POSTBACKS, **wrong})
    assert answer.status_code == 400, answer.text
    assert [one["Field"] for one in answer.json()["Errors"]] == [field]
    assert views(world.partner) == []
