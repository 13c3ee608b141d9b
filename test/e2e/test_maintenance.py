"""The operator's pause: before, while and after it; over a restart; on the command line; by mail."""

import datetime
import email
import json
import os
import re
import stat
import subprocess
import time

import pytest

from harness.delivery import Delivery
from harness.receiver import answers, hangs
from harness.server import BINARY, Server, World, await_until

SYSTEM = "System Events"


def status(api):
    return api.ok(api.get("/Operator/Maintenance"))


def await_in(api, *states, timeout=20.0):
    return await_until(lambda: (lambda now: now if now["State"] in states else None)(status(api)),
                       f"the maintenance {states}", timeout)


def start(world, **body):
    world.operator.ok(world.operator.post("Maintenance", body))
    return await_in(world.operator, "ON")


def end(world):
    world.operator.ok(world.operator.post("Maintenance/End"))


def types(receiver):
    return [json.loads(request.body)["EventType"] for request in list(receiver.requests)]


def notices(api, kind):
    found = api.ok(api.get("Notices", PageSize=200))["Notices"]
    return [notice for notice in found if notice["Kind"] == kind]


def test_an_account_sees_the_pause_and_not_how_much_the_server_has_to_do(world, ending):
    start(world, Message="New disks.")
    for account in (world.partner, world.brand):
        seen = account.ok(account.get("Maintenance"))
        assert (seen["State"], seen["Message"], seen["Waiting"]) == ("ON", "New disks.", "0")
        assert set(seen["CatchUp"]) == {"Percent", "ExpectedEnd"}


@pytest.fixture
def ending(world):
    """The server is the module's: no test leaves it paused."""
    yield
    world.operator.post("Maintenance/End")
    await_in(world.operator, "OFF")


def test_the_subscriber_hears_of_the_pause_before_it_and_of_its_end_after_it(
        world, receivers, ending):
    at_system, at_work = receivers(), receivers()
    world.notify(world.partner, at_system.url(), Category=SYSTEM)
    work = Delivery(world, at_work.url())
    work.send()
    at_work.wait(1)
    on = start(world, Message="Moving to larger disks")
    assert types(at_system) == ["system.maintenance_started"]  # it had come when the state was ON
    told = json.loads(at_system.requests[0].body)
    assert told["Message"] == "Moving to larger disks" and told["EndDate"] == ""
    work.send_many(5)
    opened = world.open()  # inquiries are taken in too
    assert world.partner.get(f"ActionInquiries/{opened}").status_code == 200
    assert await_until(lambda: int(status(world.operator)["Waiting"]) >= 5, "5 waiting")
    assert len(at_work.requests) == 1 and len(at_system.requests) == 1
    assert len(work.postbacks(State="DELIVERED")) == 1

    ended = time.monotonic()
    end(world)
    got = at_work.wait(6)
    assert got[1].at - ended < 3.0, "catching up starts at once, not after a back-off"
    assert [json.loads(one.body)["Oid"] for one in got[1:]] != []
    at_system.wait(2)
    assert types(at_system) == ["system.maintenance_started", "system.maintenance_ended"]
    told = json.loads(at_system.requests[1].body)
    assert told["PendingPostbacks"] == "5" and told["EndDate"] > told["StartDate"]
    done = await_in(world.operator, "OFF")
    assert done["CatchUp"]["Done"] == done["CatchUp"]["Total"] == "5"
    assert done["CatchUp"]["Left"] == "0" and done["Id"] == on["Id"]


def test_accounts_get_a_notice_of_each_step(world, ending):
    start(world, Message="Two hours")
    await_until(lambda: notices(world.partner, "maintenance.started"), "the notice of the start")
    assert "Two hours" in notices(world.brand, "maintenance.started")[0]["Text"]
    end(world)
    await_until(lambda: notices(world.partner, "maintenance.ended"), "the notice of the end")
    await_in(world.operator, "OFF")
    assert len(notices(world.partner, "maintenance.started")) == 1
    assert len(notices(world.partner, "maintenance.ended")) == 1


def test_catching_up_is_in_order_and_its_progress_is_shown(world, receiver, ending):
    work = Delivery(world, receiver.url(), MaximumRequests=20, MaximumConcurrentRequests=1)
    start(world)
    work.send_many(60)
    await_until(lambda: int(status(world.operator)["Waiting"]) >= 60, "60 waiting")
    assert receiver.requests == []
    end(world)
    shown = await_in(world.operator, "CATCHING_UP")["CatchUp"]
    assert shown["Total"] == "60" and int(shown["Done"]) + int(shown["Left"]) == 60
    rated = await_until(lambda: (lambda now: now if now["Rate"] != "0.0" else None)(
        status(world.operator)["CatchUp"]), "a rate")
    assert 5 <= float(rated["Rate"]) <= 40 and rated["ExpectedEnd"] != ""
    done = await_in(world.operator, "OFF")["CatchUp"]
    assert (done["Total"], done["Done"], done["Left"]) == ("60", "60", "0")
    assert [json.loads(one.body)["Oid"] for one in receiver.requests] == \
        [f"O-{number}" for number in range(60)]


def test_a_receiver_that_is_down_does_not_keep_the_catch_up_from_its_end(world, receivers, ending):
    gone, well = receivers(), receivers()  # both open: no port is used again
    url = gone.url()
    gone.close()
    dead, alive = Delivery(world, url), Delivery(world, well.url())
    start(world)
    alive.send_many(12)  # both are of one account, and both want them
    end(world)
    done = await_in(world.operator, "OFF")["CatchUp"]
    assert done["Left"] == "0" and len(well.wait(12)) == 12
    assert len(dead.postbacks(State="WAITING")) == 12
    dead.change(Url=well.url())  # or it stays in the module's figures
    well.wait(24)


def test_a_receiver_that_hangs_is_counted_apart(world, receivers, ending):
    """P16: it is not down yet, for it has time to answer; the others' catch-up is over before."""
    hanging, well = receivers(hangs), receivers()
    stuck, alive = Delivery(world, hanging.url()), Delivery(world, well.url())
    start(world)
    alive.send_many(4)
    assert alive.api.ok(alive.api.get("Maintenance"))["Waiting"] == "8"
    quiet = world.account("PARTNER", "Quiet")
    assert quiet.ok(quiet.get("Maintenance"))["Waiting"] == "0"
    end(world)
    apart = await_until(lambda: (lambda up: up if up["WaitingForReceivers"] != "0" else None)(
        status(world.operator)["CatchUp"]), "what hangs counted apart")
    assert (apart["WaitingForReceivers"], apart["Left"]) == ("4", "0"), apart
    await_in(world.operator, "OFF")
    assert len(hanging.requests) >= 1 and len(stuck.postbacks(State="DELIVERED")) == 0
    assert len(well.wait(4)) == 4
    stuck.api.ok(stuck.api.delete(stuck.path))


def test_a_scheduled_one_starts_by_itself(world, receiver, ending):
    work = Delivery(world, receiver.url())
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
    world.operator.ok(world.operator.post("Maintenance", {
        "StartDate": soon.isoformat(timespec="milliseconds"), "Message": "Later"}))
    assert status(world.operator)["State"] == "SCHEDULED"
    await_until(lambda: notices(world.partner, "maintenance.scheduled"), "the notice of the plan")
    work.send()
    receiver.wait(1)  # nothing is held yet
    on = await_in(world.operator, "ON")
    assert on["StartedDate"] >= on["StartDate"][:19]
    work.send()
    await_until(lambda: status(world.operator)["Waiting"] != "0", "one waiting")
    end(world)
    receiver.wait(2)


def test_a_plan_can_be_cancelled(world, ending):
    world.operator.ok(world.operator.post("Maintenance", {"StartDate": "2099-01-01"}))
    await_until(lambda: notices(world.partner, "maintenance.scheduled"), "the notice of the plan")
    end(world)
    await_until(lambda: notices(world.partner, "maintenance.cancelled"), "the notice of the end")
    assert await_in(world.operator, "OFF")["StartedDate"] == ""
    assert notices(world.partner, "maintenance.started") == []


@pytest.mark.parametrize("body, field", [
    ({"StartDate": "tomorrow"}, "StartDate"),
    ({"ExpectedEndDate": "2020-01-01"}, "ExpectedEndDate"),
    ({"StartDate": "2099-01-02", "ExpectedEndDate": "2099-01-01"}, "ExpectedEndDate"),
    ({"Message": "x" * 1001}, "Message"),
    ({"Message": "bell\u0007"}, "Message"),
    ({"Start": "now"}, "Start"),
])
def test_wrong_starts_are_refused_by_name(world, body, field):
    refused = world.operator.post("Maintenance", body)
    assert refused.status_code == 400, refused.text
    assert [one["Field"] for one in refused.json()["Errors"]] == [field]
    assert status(world.operator)["State"] == "OFF"


def test_only_one_at_a_time_and_only_by_the_operator(world, ending):
    assert world.operator.post("Maintenance/End").status_code == 409
    start(world)
    assert world.operator.post("Maintenance", {}).status_code == 409
    for path in "/Operator/Maintenance", "/Operator/Maintenance/End":
        assert world.partner.post(path, {}).status_code == 403
    assert world.partner.get("/Operator/Maintenance").status_code == 403
    audit = world.operator.ok(world.operator.get("Audit", PageSize=5))["Entries"]
    assert audit[0]["Action"] == "maintenance.start"


def test_a_subscriber_that_hangs_delays_the_pause_by_seconds_only(world, receivers, ending):
    made = world.notify(world.partner, receivers(hangs).url(), Category=SYSTEM)
    began = time.monotonic()
    start(world)
    assert 3 < time.monotonic() - began < 10
    world.partner.ok(world.partner.delete(f"EventNotifications/{made['Id']}"))


def test_a_store_that_recovers_does_not_lift_the_pause_and_a_restart_keeps_it(receiver):
    with Server() as server:
        world = World(server)
        work = Delivery(world, receiver.url())
        start(world, Message="Over a restart")
        work.send_many(3)
        await_until(lambda: status(world.operator)["Waiting"] == "3", "3 waiting")
        server.kill()
        server.start()
        world.moved()
        work.api.base = server.base
        assert status(world.operator)["State"] == "ON"
        work.send()
        await_until(lambda: status(world.operator)["Waiting"] == "4", "4 waiting")
        server.stop()
        server.start()
        world.moved()
        assert status(world.operator)["Message"] == "Over a restart"
        assert receiver.requests == []
        end(world)
        receiver.wait(4)
        assert await_in(world.operator, "OFF")["CatchUp"]["Done"] == "4"
        assert len({one.header("webhook-id") for one in receiver.requests}) == 4
        assert server.stop() == 0, server.log()


def test_a_catch_up_goes_on_after_a_restart(receiver):
    with Server() as server:
        world = World(server)
        work = Delivery(world, receiver.url(), MaximumRequests=10)
        start(world)
        work.send_many(30)
        end(world)
        receiver.wait(5)
        server.kill()
        server.start()
        world.moved()
        shown = await_in(world.operator, "CATCHING_UP", "ENDING")["CatchUp"]
        assert shown["Total"] == "30"
        assert int(await_in(world.operator, "OFF")["CatchUp"]["Done"]) == 30
        assert len({one.header("webhook-id") for one in receiver.requests}) == 30


# ---- the command ----

def admin(server, *words):
    return subprocess.run([BINARY, "admin", "--url", server.base, "--data", server.data,
                           "maintenance", *words], capture_output=True, text=True, timeout=40)


def test_the_command_starts_ends_and_follows(server, world, receiver, ending):
    work = Delivery(world, receiver.url(), MaximumRequests=20)
    assert admin(server, "status").stdout.startswith("off")
    assert admin(server, "start", "Message=By hand").returncode == 0
    await_in(world.operator, "ON")
    shown = admin(server, "status")
    assert shown.returncode == 0 and shown.stdout.startswith("on since "), shown.stdout
    work.send_many(40)
    assert admin(server, "end").returncode == 0
    once = admin(server, "status", "--once")
    assert once.stdout.startswith("catching up: ") and once.stdout.count("\n") == 1
    followed = admin(server, "status")
    lines = followed.stdout.splitlines()
    assert followed.returncode == 0 and len(lines) >= 2, followed.stdout
    assert all(line.startswith("catching up: ") for line in lines[:-1])
    assert re.fullmatch(r"off; .* caught up: (\d+) of \1 \(100 %\).*", lines[-1]), lines[-1]
    assert "\r" not in followed.stdout and "\033" not in followed.stdout
    refused = admin(server, "end")
    assert refused.returncode == 1 and "no maintenance to end" in refused.stderr
    assert admin(server, "status", "Nonsense").returncode == 2


def test_on_a_terminal_a_bar_is_drawn(server, world, receiver, ending):
    work = Delivery(world, receiver.url(), MaximumRequests=20)
    start(world)
    work.send_many(30)
    end(world)
    try:
        master, terminal = os.openpty()
    except OSError as error:  # a container without /dev/pts
        pytest.skip(f"no terminals here: {error}")
    process = subprocess.Popen([BINARY, "admin", "--url", server.base, "--data", server.data,
                                "maintenance", "status"], stdout=terminal)
    os.close(terminal)
    drawn = b""
    try:
        while (piece := os.read(master, 4096)):
            drawn += piece
    except OSError:  # the terminal's end
        pass
    os.close(master)
    assert process.wait(20) == 0
    assert b"[" in drawn and b"#" in drawn and b"\r\033[K" in drawn
    assert drawn.split(b"\033[K")[-1].startswith(b"off;"), drawn


# ---- mail ----

@pytest.fixture
def mailbox(tmp_path):
    """A program that takes mail as sendmail does, one file a letter."""
    program, box = tmp_path / "sendmail", tmp_path / "box"
    box.mkdir()
    program.write_text(f"""#!/bin/sh
at=$(mktemp {box}/.XXXXXX)
echo "$@" > $at.args
cat > $at
mv $at {box}/letter-$$
""")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, box


def letters(box):
    found = [email.message_from_bytes(path.read_bytes()) for path in box.glob("letter-*")]
    return {(one["To"], one["Subject"]): one for one in found}


def test_accounts_with_an_address_get_mail(mailbox):
    program, box = mailbox
    with Server("--sendmail", str(program)) as server:
        world = World(server)
        hostile = "Eve\" <eve@evil.example>, x"
        for api, address in (world.partner, "partner@mail.example"), (world.brand, ""):
            world.operator.ok(world.operator.put(
                f"Accounts/{api.sid}", {"Name": hostile, "Email": address}))
        message = "Lines\n.\nBcc: eve@evil.example\n\nTo: eve@evil.example"
        start(world, Message=message)
        end(world)
        await_until(lambda: len(letters(box)) == 2, "two letters")
        found = letters(box)
        assert set(found) == {("partner@mail.example", "Maintenance has started"),
                              ("partner@mail.example", "Maintenance is over")}
        for letter in found.values():
            assert letter["Bcc"] is None and len(letter.get_all("To")) == 1
        text = found["partner@mail.example", "Maintenance has started"].get_payload()[0].get_payload(decode=True)
        assert message in text.decode()
        assert {path.read_text() for path in box.glob(".*.args")} == {"-t -i\n"}
        assert server.stop() == 0, server.log()


@pytest.mark.parametrize("mailer, said", [
    ("/no/such/program", "mailer_cannot_start"),
    ("/bin/false", "mail_not_sent"),
])
def test_a_mailer_that_fails_is_logged_and_nothing_else(mailer, said, receiver):
    with Server("--sendmail", mailer) as server:
        world = World(server)
        world.operator.ok(world.operator.put(
            f"Accounts/{world.partner.sid}", {"Email": "partner@mail.example"}))
        start(world)
        await_until(lambda: said in server.log(), said)
        end(world)
        await_in(world.operator, "OFF")
        assert server.stop() == 0, server.log()


def test_a_mailer_that_hangs_holds_nobody_up(tmp_path, receiver):
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    with Server("--sendmail", str(program)) as server:
        world = World(server)
        world.operator.ok(world.operator.put(
            f"Accounts/{world.partner.sid}", {"Email": "partner@mail.example"}))
        start(world)
        end(world)
        work = Delivery(world, receiver.url())
        work.send()
        receiver.wait(1)
        assert server.stop(10) == 0, server.log()


def test_an_ordered_first_that_fails_does_not_keep_the_catch_up_from_its_end(receiver):
    """As one that is not Ordered does not: its receiver answers 500 and is not down."""
    receiver.behave = answers(500)
    with Server() as server:
        world = World(server)
        work = Delivery(world, receiver.url(), Ordered=True)
        work.send()
        work.await_attempts(1)
        start(world)
        work.send_many(5)
        end(world)
        await_in(world.operator, "OFF")
        assert server.stop() == 0, server.log()
