"""A10: how much of an account's may wait, and how full the disk may be."""

import pytest
import requests

from harness.receiver import Receiver
from harness.server import Server, World, await_until

from test_read_turns import metric

MOST = 20
SMALL = ("--account-waiting", str(MOST))


def event(account, **data):
    return {"Type": "action.tracked", "AccountSids": [account.sid],
            "Data": {"ActionId": "5", **data}}


def events(account, count, **data):
    return {"Events": [event(account, **data) for _ in range(count)]}




def notices(account, kind):
    return [notice for notice in account.ok(account.get("Notices"))["Notices"]
            if notice["Kind"] == kind]


def counted(server):
    """What the counts say, and what the rows do."""
    (counts,) = server.store.rows("SELECT sum(pending), sum(bytes) FROM notification_count")
    (rows,) = server.store.rows("SELECT count(*), coalesce(sum(octet_length(e.data) + 128), 0) "
                                "FROM postback p JOIN event e ON e.id = p.event WHERE p.state <= 1")
    return counts, rows


def test_an_account_whose_receiver_is_dead_fills_its_room_and_no_more():
    """A10: told at 80 %, refused with its name at 100 %, by hand at 125 %; others go on."""
    with Server(*SMALL) as server:
        world, other = World(server), World(server)
        with Receiver() as lively:
            url = "http://127.0.0.1:9/hook"
            world.notify(world.partner, url, Category="Action Lifecycle Events")
            world.notify(world.partner, url)
            other.notify(other.partner, lively.url(), Category="Action Lifecycle Events")
            assert world.partner.post("/Events", events(world.partner, 15)).status_code == 202
            assert notices(world.partner, "account.waiting") == []
            assert world.partner.post("/Events", events(world.partner, 2)).status_code == 202
            told = await_until(lambda: notices(world.partner, "account.waiting"), "the account told")
            assert "17 postbacks of the 20 that may" in told[0]["Text"], told
            assert len(notices(world.operator, "account.waiting")) == 1
            assert "Cashback Corner" in notices(world.operator, "account.waiting")[0]["Text"]
            # one call may pass it by its own events
            assert world.partner.post("/Events", events(world.partner, 4)).status_code == 202
            for body in event(world.partner), events(world.partner, 2):
                refused = world.partner.post("/Events", body)
                assert refused.status_code == 503, refused.text
                assert int(refused.headers["Retry-After"]) >= 10
                assert world.partner.sid in refused.json()["Message"], refused.text
                assert "at most 20 may" in refused.json()["Message"]
            both = world.operator.post("/Events", {**event(world.partner), "AccountSids":
                                                   [other.partner.sid, world.partner.sid]})
            assert both.status_code == 503 and world.partner.sid in both.text
            # others are not held up
            assert other.partner.post("/Events", event(other.partner)).status_code == 202
            lively.wait(1)
            # by hand: the reserve, then words; nothing is half done
            opened = 0
            for _ in range(10):
                answer = world.partner.post("ActionInquiries", world.inquiry())
                if answer.status_code != 200:
                    break
                opened += 1
            assert opened == 4, opened  # 21 + 4 = 25 = 125 % of 20
            assert answer.status_code == 503 and world.partner.sid in answer.text, answer.text
            listed = world.partner.ok(world.partner.get("ActionInquiries"))
            assert listed["@total"] == "4"
            counts, rows = counted(server)
            assert counts == rows and rows[0] == 25, (counts, rows)
            assert len(notices(world.partner, "account.waiting")) == 1  # once an episode


def test_what_was_delivered_makes_room_again(receiver):
    """A10: the count is exact, so there is room as soon as something has been delivered."""
    with Server(*SMALL) as server:
        world = World(server)
        world.notify(world.partner, receiver.url(), Category="Action Lifecycle Events")
        for i in range(10):
            sent = world.partner.post("/Events", events(world.partner, 10))
            assert sent.status_code == 202, (i, sent.text)
            receiver.wait(10 * (i + 1))
            await_until(lambda: counted(server)[0][0] == 0, "all on record as delivered")
        assert counted(server) == ((0, 0), (0, 0))


def test_bytes_are_counted_too():
    """A10: few long events fill the room as many short ones do."""
    with Server("--account-waiting-bytes", "100000") as server:
        world = World(server)
        world.notify(world.partner, "http://127.0.0.1:9/", Category="Action Lifecycle Events")
        long = event(world.partner, Oid="x" * 8000)
        taken = 0
        while (answer := world.partner.post("/Events", long)).status_code == 202:
            taken += 1
            assert taken < 20, "100,000 bytes hold no twenty events of 8,000"
        assert answer.status_code == 503 and "bytes of account " + world.partner.sid in answer.text
        assert taken == 13, taken
        counts, rows = counted(server)
        assert counts == rows


def test_the_count_is_exact_over_cancel_resend_delete_and_a_restart():
    """A10: counts against rows after whatever changes them."""
    with Server() as server:
        world = World(server)
        kept = world.notify(world.partner, "http://127.0.0.1:9/", Category="Action Lifecycle Events")
        gone = world.notify(world.partner, "http://127.0.0.1:9/b",
                            Category="Action Lifecycle Events")
        for size in (10, 300, 4000):
            world.partner.ok(world.partner.post("/Events", event(world.partner, Oid="ü" * size)))
        waiting = await_until(lambda: (lambda got: got if len(got) == 6 else None)(
            world.postbacks(world.partner)), "six postbacks")
        world.partner.ok(world.partner.post(f"Postbacks/{waiting[0]['Id']}/Cancel"))
        world.partner.ok(world.partner.post(f"Postbacks/{waiting[1]['Id']}/Resend"))
        assert counted(server)[0] == counted(server)[1]
        assert counted(server)[0][0] == 6
        world.partner.ok(world.partner.delete(gone["Uri"]))
        counts, rows = counted(server)
        assert counts == rows and counts[0] < 6, (counts, rows)
        assert kept["Uri"]
        server.kill()
        server.start()
        counts, rows = counted(server)
        assert counts == rows, (counts, rows)


@pytest.mark.one_file("the room is that of the disk which the file is on")
def test_a_nearly_full_disk_is_told_once_and_shown():
    """A10: a notice to the operator and a line of the log; metrics and /Operator/Status show it."""
    huge = str(10 ** 15)  # no disk has that free
    with Server("--disk-alarm", huge) as server:
        operator = server.operator()
        told = await_until(lambda: notices(operator, "store.disk_low"), "the operator told")
        assert "nearly full" in told[0]["Text"]
        await_until(lambda: "the disk is nearly full" in server.log(), "a line of the log")
        await_until(lambda: metric(server, "postbackd_disk_low") == 1, "the metric")
        assert metric(server, "postbackd_disk_free_bytes") > 0
        status = operator.ok(operator.get("Status"))
        assert status["Store"]["DiskLow"] == "true" and int(status["Store"]["DiskFreeBytes"]) > 0
        assert status["Postbacks"]["PendingBytes"] == "0"
        assert server.stop() == 0
        server.start()  # told once, whatever is restarted
        operator = server.operator()
        await_until(lambda: metric(server, "postbackd_disk_low") == 1, "the metric again")
        assert len(notices(operator, "store.disk_low")) == 1
        assert server.stop() == 0
        server.flags[server.flags.index(huge)] = "1"
        server.start()
        await_until(lambda: "the disk has room again" in server.log(), "the end of it")
        assert metric(server, "postbackd_disk_low") == 0


@pytest.mark.parametrize("flag", ["--account-waiting", "--account-waiting-bytes", "--disk-alarm"])
def test_a_wrong_limit_is_named(flag):
    """A10: a setting that is no number is refused at the start."""
    server = Server(flag, "many")
    try:
        server.run().wait(20)
        assert server.process.wait(20) == 2
        assert flag.strip("-") in server.log(), server.log()
    finally:
        server.close()


def test_without_limits_nothing_is_refused():
    """A10: 0 is no limit, and no alarm."""
    with Server("--account-waiting", "0", "--account-waiting-bytes", "0",
                "--disk-alarm", "0") as server:
        world = World(server)
        world.notify(world.partner, "http://127.0.0.1:9/", Category="Action Lifecycle Events")
        assert world.partner.post("/Events", events(world.partner, 100)).status_code == 202
        assert world.partner.post("/Events", events(world.partner, 100)).status_code == 202
        status = requests.get(server.base + "/healthz", timeout=20)
        assert status.status_code == 200
        assert notices(world.operator, "store.disk_low") == []
