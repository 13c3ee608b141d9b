"""Postbacks that are late, notifications that fail: shown, told once, told again when it is over."""

import json
import re

from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Server, World, await_until

SERVER_FLAGS = ["--late-after", "1", "--alarm-after", "2"]
SYSTEM = "System Events"


def events(receiver, *types):
    found = [json.loads(request.body) for request in list(receiver.requests)]
    return [event for event in found if not types or event["EventType"] in types]


def await_event(receiver, type, count=1):
    return await_until(lambda: (lambda found: found if len(found) >= count else None)(
        events(receiver, type)), f"{count} {type}")


def notices(api, kind, about):
    found = api.ok(api.get("Notices", PageSize=200))["Notices"]
    return [notice["Text"] for notice in found
            if notice["Kind"] == kind and notice["Page"].endswith((f"/{about}", f"&Id={about}"))]


def await_notice(api, kind, about):
    return await_until(lambda: notices(api, kind, about), f"{kind} of {about}")[0]


def health(delivery):
    return delivery.api.ok(delivery.api.get(delivery.path + "/Health"))


def gauge(server, name):
    text = server.operator().get("/metrics").text
    return int(re.search(rf"^{name} (\d+)", text, re.M).group(1))


def hear(world, receivers, account=None):
    """A receiver of the account's system events."""
    ear = receivers()
    world.notify(account or world.partner, ear.url(), Category=SYSTEM)
    return ear


def test_late_is_shown_then_told_once_and_told_when_it_is_over(server, world, receivers):
    ear = hear(world, receivers)
    sick = receivers(answers(500))
    work = Delivery(world, sick.url(), Name="To the warehouse")
    assert health(work)["Lateness"] == "ON_TIME"
    work.send()
    await_until(lambda: health(work)["Lateness"] == "LATE", "late")
    assert notices(world.partner, "notification.late", work.id) == []
    text = await_notice(world.partner, "notification.late", work.id)
    assert "To the warehouse" in text and "the receiver answered 500" in text and "1 wait" in text
    at_operator = await_notice(world.operator, "notification.late", work.id)
    assert "It is Cashback Corner's." in at_operator
    told = await_event(ear, "notification.late")[0]
    assert told["NotificationId"] == work.id and told["PendingPostbacks"] == "1"
    assert told["Destination"] == sick.url("") and told["LastStatus"] == "500"
    shown = health(work)
    assert shown["Lateness"] == "ALARM" and shown["OldestPendingDate"] != ""
    await_until(lambda: gauge(server, "postbackd_notifications_alarmed") >= 1, "the gauge")
    assert gauge(server, "postbackd_notifications_late") >= 1
    assert gauge(server, "postbackd_oldest_pending_seconds") >= 2

    work.retry()  # it fails once more, which is nothing new
    work.await_attempts(2)
    sick.behave = answers(200)
    work.retry()
    await_notice(world.partner, "notification.on_time", work.id)
    await_notice(world.operator, "notification.on_time", work.id)
    assert health(work)["Lateness"] == "ON_TIME" and health(work)["OldestPendingDate"] == ""
    for kind in "notification.late", "notification.on_time":
        assert len(notices(world.partner, kind, work.id)) == 1
        assert len(notices(world.operator, kind, work.id)) == 1
    assert len(events(ear, "notification.late")) == 1


def test_the_operator_marks_a_notice_read(world, receivers):
    work = Delivery(world, receivers(answers(500)).url())
    work.send()
    await_notice(world.operator, "notification.late", work.id)
    first = world.operator.ok(world.operator.get("Notices"))["Notices"][0]
    done = world.operator.ok(world.operator.post(f"Notices/{first['Id']}/Read"))
    assert done["Uri"] == f"/Operator/Notices/{first['Id']}"
    assert world.operator.ok(world.operator.get("Notices"))["Notices"][0]["ReadDate"] != ""
    assert world.operator.post("Notices/999999/Read").status_code == 404
    world.operator.ok(world.operator.post("Notices/Read"))
    left = world.operator.ok(world.operator.get("Notices", PageSize=200))
    assert left["Unread"] == "0" and all(one["ReadDate"] for one in left["Notices"])
    assert world.partner.get("/Operator/Notices").status_code == 403


def test_a_paused_one_is_not_late_and_its_clock_starts_when_it_is_resumed(world, receivers):
    work = Delivery(world, receivers(answers(500)).url())
    other = Delivery(world, receivers(answers(500)).url())
    work.do("Pause")
    work.send()
    await_notice(world.partner, "notification.late", other.id)  # the same event, not paused
    assert notices(world.partner, "notification.late", work.id) == []
    assert health(work)["Lateness"] == "ON_TIME"
    work.do("Resume")
    await_notice(world.partner, "notification.late", work.id)


def test_a_delay_that_was_asked_for_is_not_lateness(world, receivers):
    slow, other = receivers(), receivers(answers(500))
    work = Delivery(world, slow.url(), MinimumDelay=5)
    late = Delivery(world, other.url())
    work.send()
    await_notice(world.partner, "notification.late", late.id)
    assert health(work)["Lateness"] == "ON_TIME"
    slow.wait(1)
    assert notices(world.partner, "notification.late", work.id) == []


def test_failing_and_recovered_are_told_once_by_event(world, receivers):
    ear = hear(world, receivers)
    gone = receivers()
    work = Delivery(world, gone.url(), Name="Night shift")
    gone.close()
    work.send_many(12)
    told = await_event(ear, "notification.failing")[0]
    assert told["NotificationId"] == work.id and told["NotificationName"] == "Night shift"
    assert told["Reason"].startswith("connect: ") and told["LastStatus"] == ""
    assert 3 <= int(told["PendingPostbacks"]) <= 12  # those sent by then
    assert health(work)["Failing"] == "true"
    back = receivers()
    work.change(Url=back.url())
    assert await_event(ear, "notification.recovered")[0]["NotificationId"] == work.id
    back.wait(12)
    assert health(work)["Failing"] == "false"
    assert len(events(ear, "notification.failing")) == 1
    assert len(events(ear, "notification.recovered")) == 1


def test_ten_failures_in_a_row_are_failing_too(world, receivers):
    ear = hear(world, receivers)
    sick = receivers(answers(404))
    work = Delivery(world, sick.url())
    work.send_many(9)
    sick.wait(9)
    work.await_state("WAITING", 9)
    assert health(work)["Failing"] == "false"
    work.send()
    told = await_event(ear, "notification.failing")[0]
    assert told["Reason"] == "status 404" and told["LastStatus"] == "404"


def test_what_is_told_about_a_notification_never_goes_to_itself(world, receivers):
    gone = receivers()
    deaf = world.notify(world.partner, gone.url(), Category=SYSTEM)
    ear = hear(world, receivers)
    gone.close()
    # Three alarms of another one: more than enough to find a deaf ear failing, were it counted.
    sick = [Delivery(world, receivers(answers(500)).url()) for _ in range(4)]
    sick[0].send()
    await_event(ear, "notification.late", 4)
    assert {event["NotificationId"] for event in events(ear, "notification.late")
            if event["NotificationId"] != deaf["Id"]} == {one.id for one in sick}
    assert events(ear, "notification.failing") == []
    # Of the four, none of itself.
    await_until(lambda: len(world.postbacks(world.partner, NotificationId=deaf["Id"])) == 4,
                "the four are in the log")
    await_notice(world.partner, "notification.late", deaf["Id"])  # late it is all the same
    assert [event["NotificationId"] for event in await_event(ear, "notification.late", 5)][-1] \
        == deaf["Id"]
    assert len(world.postbacks(world.partner, NotificationId=deaf["Id"])) == 4


def test_an_episode_outlives_restarts(receivers):
    with Server(*SERVER_FLAGS) as server:
        world = World(server)
        ear = hear(world, receivers)
        sick = receivers(answers(500))
        work = Delivery(world, sick.url())
        work.send_many(10)
        await_event(ear, "notification.failing")
        await_notice(world.partner, "notification.late", work.id)
        server.kill()
        server.start()
        world.moved()
        marker = Delivery(world, receivers(answers(500)).url())
        marker.send()
        await_notice(world.partner, "notification.late", marker.id)  # looks were taken since
        assert len(notices(world.partner, "notification.late", work.id)) == 1
        sick.behave = answers(200)
        work.catch_up()
        await_notice(world.partner, "notification.on_time", work.id)
        await_event(ear, "notification.recovered")
        assert len([one for one in events(ear, "notification.failing")
                    if one["NotificationId"] == work.id]) == 1
        assert server.stop() == 0, server.log()


def test_a_maintenance_is_told_once_to_each_account(receivers):
    with Server(*SERVER_FLAGS) as server:
        world = World(server)
        works = [Delivery(world, receivers().url()) for _ in range(3)]
        at_brand = Delivery(world, receivers().url(), account=world.brand)
        world.operator.ok(world.operator.post("Maintenance", {}))
        await_until(lambda: world.operator.get("Maintenance").json()["State"] == "ON", "on")
        works[0].send()
        at_brand.send()

        def told(api, kind):
            found = api.ok(api.get("Notices", PageSize=200))["Notices"]
            return [one["Text"] for one in found if one["Kind"] == kind]
        await_until(lambda: gauge(server, "postbackd_notifications_alarmed") == 4, "four alarms")
        for api in world.partner, world.brand, world.operator:
            assert len(await_until(lambda: told(api, "notification.late"), "told")) == 1
            assert "maintenance" in told(api, "notification.late")[0]
        world.operator.ok(world.operator.post("Maintenance/End"))
        for api in world.partner, world.brand, world.operator:
            assert len(await_until(lambda: told(api, "notification.on_time"), "over")) == 1
        await_until(lambda: gauge(server, "postbackd_notifications_alarmed") == 0, "none")
        for api in world.partner, world.brand, world.operator:
            assert len(told(api, "notification.late")) == 1
            assert len(told(api, "notification.on_time")) == 1
        assert server.stop() == 0, server.log()


def test_mail_says_it_too(tmp_path, receivers):
    program, box = tmp_path / "sendmail", tmp_path / "box"
    box.mkdir()
    program.write_text(f"#!/bin/sh\nat=$(mktemp {box}/.XXXXXX)\ncat > $at\nmv $at {box}/$$\n")
    program.chmod(0o755)
    with Server("--sendmail", str(program), *SERVER_FLAGS) as server:
        world = World(server)
        world.operator.ok(world.operator.put(
            f"Accounts/{world.partner.sid}", {"Email": "partner@mail.example"}))
        work = Delivery(world, receivers(answers(500)).url(), Name="x\u00fc, Bcc: eve@evil.example")
        work.send()
        letter = await_until(lambda: next((path.read_text() for path in box.glob("[0-9]*")), None),
                             "a letter")
        assert letter.startswith("To: partner@mail.example\nSubject: Postbacks are late\n")
        assert "evil" not in letter
        assert server.stop() == 0, server.log()


def test_a_change_of_settings_does_not_put_the_alarm_off(world, receivers):
    work = Delivery(world, receivers(answers(500)).url())
    work.send()

    def told():
        work.change(Name="another one")
        return notices(world.partner, "notification.late", work.id)
    await_until(told, "an alarm after two seconds", 8)
