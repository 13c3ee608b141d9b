"""Many postbacks at once: named ones in one call, and all that match a filter by a job."""

import pytest

from harness.receiver import answers
from harness.server import await_until

ENDED = ("COMPLETED", "CANCELLED", "ERROR", "FAILED")


def send(world, count, account=None):
    account = account or world.partner
    for _ in range(count):
        assert world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [account.sid],
            "Data": {"ActionId": "5"}}).status_code == 202


def paused(world, url, count):
    """Postbacks that wait, as their event notification is paused."""
    made = world.notify(world.partner, url, Category="Action Lifecycle Events")
    world.partner.ok(world.partner.post(made["Uri"] + "/Pause"))
    send(world, count)
    return made, [one["Id"] for one in world.await_state(
        world.partner, "WAITING", count, PageSize=500)]


def change(account, action, **body):
    return account.ok(account.post("Postbacks/Change", {"Action": action, **body}))


def ended(account, answer):
    assert answer.status_code == 202, answer.text

    def look():
        shown = account.ok(account.get(answer.json()["Uri"]))
        return shown if shown["Status"] in ENDED else None
    return await_until(look, "the job's end")


def count(account, **query):
    answer = account.ok(account.get("Postbacks/Count", **query))
    assert answer["Before"] == answer["SearchedBackToDate"] == ""
    return int(answer["Count"])


def test_named_ones_are_cancelled_and_sent_again_and_each_says_what_became_of_it(world, receiver):
    made, ids = paused(world, receiver.url(), 3)
    stranger = world.account("PARTNER", "Stranger")
    theirs = change(stranger, "CANCEL", Ids=ids)
    assert (theirs["Done"], theirs["Refused"]) == ("0", "3")
    assert {one["Message"] for one in theirs["Results"]} == {
        f"There is no postback {id}" for id in ids}
    assert count(world.partner, State="WAITING") == 3 and count(stranger) == 0
    first = change(world.partner, "CANCEL", Ids=ids[:2] + ["17"])
    assert (first["Done"], first["Refused"]) == ("2", "1")
    assert [one["Status"] for one in first["Results"]] == ["OK", "OK", "ERROR"]
    again = change(world.partner, "CANCEL", Ids=",".join(ids))
    assert [one["Status"] for one in again["Results"]] == ["ERROR", "ERROR", "OK"]
    assert "ended already" in again["Results"][0]["Message"]
    resent = change(world.partner, "RESEND", Ids=ids)
    new = [one["NewId"] for one in resent["Results"]]
    assert resent["Done"] == "3" and len(set(new) | set(ids)) == 6
    refused = change(world.partner, "RESEND", Ids=new)
    assert refused["Done"] == "0" and "has not ended" in refused["Results"][0]["Message"]
    assert change(world.partner, "RETRY", Ids=ids[:1])["Done"] == "0"
    world.partner.ok(world.partner.post(made["Uri"] + "/Resume"))
    world.await_state(world.partner, "DELIVERED", 3)
    assert sorted(one.header("webhook-id") for one in receiver.requests) == sorted(new)


def test_named_ones_are_retried(world, receivers):
    at = receivers(answers(500))
    world.notify(world.partner, at.url(), Category="Action Lifecycle Events")
    send(world, 2)

    def failed():
        found = world.postbacks(world.partner, Error="ANY", State="WAITING")
        return found if len(found) == 2 else None
    waiting = await_until(failed, "both have failed")
    at.behave = answers(200)
    done = change(world.partner, "RETRY", Ids=[one["Id"] for one in waiting])
    assert done["Done"] == "2", done
    world.await_state(world.partner, "DELIVERED", 2)


def test_all_that_match_are_changed_by_a_job(world, receiver):
    made, ids = paused(world, receiver.url(), 120)
    other, _ = paused(world, receiver.url("/other"), 0)
    assert count(world.partner, NotificationId=made["Id"]) == 120
    assert count(world.partner, NotificationId=other["Id"]) == 0
    job = ended(world.partner, world.partner.post("Postbacks/Change", {
        "Action": "CANCEL", "All": True, "NotificationId": made["Id"], "State": "WAITING"}))
    assert job["Type"] == "POSTBACK_CHANGE" and job["Status"] == "COMPLETED", job
    assert (job["Taken"], job["Unchanged"], job["RecordsTotal"]) == ("120", "0", "120")
    assert job["StatusMessage"] == "120 of 120 postbacks were cancelled"
    assert count(world.partner, State="CANCELLED") == 120
    world.partner.ok(world.partner.post(made["Uri"] + "/Resume"))
    job = ended(world.partner, world.partner.post("Postbacks/Change", {
        "Action": "RESEND", "All": "true", "State": "CANCELLED"}))
    assert (job["Status"], job["Taken"]) == ("COMPLETED", "120"), job
    world.await_state(world.partner, "DELIVERED", 100)
    await_until(lambda: count(world.partner, State="DELIVERED") == 120, "all are delivered")
    assert count(world.partner) == 240 and len(receiver.requests) == 120
    job = ended(world.partner, world.partner.post("Postbacks/Change", {
        "Action": "RETRY", "All": "true"}))
    assert (job["Status"], job["Taken"], job["Unchanged"]) == ("COMPLETED", "0", "240"), job
    audited = [one["Action"] for one in world.operator.ok(
        world.operator.get("Audit", AccountSid=world.partner.sid))["Entries"]]
    assert audited.count("postbacks.resend") == audited.count("postbacks.cancel") == 1


@pytest.mark.parametrize("body, fields", [
    ({}, {"Action", "Ids"}),
    ({"Action": "FORGET", "Ids": ["1"]}, {"Action"}),
    ({"Action": "RETRY", "Ids": []}, {"Ids"}),
    ({"Action": "RETRY", "Ids": [str(id) for id in range(1, 202)]}, {"Ids"}),
    ({"Action": "RETRY", "Ids": ["x"]}, {"Ids"}),
    ({"Action": "RETRY", "Ids": ["1"], "State": "WAITING"}, {"State"}),
    ({"Action": "RETRY", "State": "WAITING"}, {"Ids", "State"}),
    ({"Action": "RETRY", "All": "true", "Ids": ["1"]}, {"Ids"}),
    ({"Action": "RETRY", "All": "true", "State": "LOST", "Colour": "red"}, {"State", "Colour"}),
])
def test_a_wrong_change_changes_nothing(world, body, fields):
    answer = world.partner.post("Postbacks/Change", body)
    assert answer.status_code == 400, answer.text
    assert {one["Field"] for one in answer.json()["Errors"]} == fields
