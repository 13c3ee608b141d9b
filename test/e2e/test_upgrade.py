"""Over the data directory of an earlier release, as a kill -9 left it (upgrade/make says what is in
it): nothing is lost, whatever was waiting, under way or sealed.  On PostgreSQL what was kept is moved
there first (import-store)."""

import base64
import collections
import glob
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import time

import pytest

from harness.engine import ON_POSTGRESQL
from harness.faults import FaultyServer
from harness.hosts import Hosts
from harness.server import BINARY, Api, Browser, await_until

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "upgrade")
KEPT = sorted(os.path.basename(path)[:-len(".json")] for path in glob.glob(HERE + "/*.json"))
HOUR_MS = 3_600_000
FRESH, WAITING, DELIVERED, CANCELLED = range(4)
Postback = collections.namedtuple("Postback", "id event account notification state attempts")


class Upgraded:
    """The server of today over what was kept, ten seconds after the kill; its receivers answer 200."""

    def __init__(self, name, folder):
        with open(f"{HERE}/{name}.json", encoding="utf-8") as told:
            self.told = json.load(told)
        folder.mkdir(mode=0o700)
        with tarfile.open(f"{HERE}/{name}.tar.xz") as archive:
            archive.extractall(folder)
        self.read(shutil.copytree(folder, f"{folder}-read"))
        self.hosts = Hosts()
        self.server = FaultyServer(*self.hosts.flags, data=str(folder))
        self.accounts, self.moved = {}, False

    def read(self, copy):
        """What the old release wrote, by its own tables."""
        store = sqlite3.connect(f"{copy}/postbackd.db")
        names = {int(one["Id"]): name for name, one in self.told["accounts"].items()}
        self.postbacks = [
            Postback(str(id), str(event), names[account], str(notification), state, attempts)
            for id, event, account, notification, state, attempts in store.execute(
                "SELECT id, event, account, notification, state, attempts FROM postback ORDER BY id")
            if account in names]
        store.close()

    def move(self):
        """Into the database, when the store is to be one."""
        if self.server.store.flags and not self.moved:
            done = subprocess.run([BINARY, "import-store", "--from", self.server.data,
                                   *self.server.store.flags], capture_output=True, text=True,
                                  env={**os.environ, **self.server.env}, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            self.moved = True

    def start(self):
        self.server.faults.clock_offset_ms = self.told["made_at"] + 10_000 - int(time.time() * 1000)
        self.move()
        self.server.start(60)
        self.operator = self.server.operator()
        for name, one in self.told["accounts"].items():
            self.accounts[name] = Api(self.server.base, one["Sid"], one["Token"], one["Prefix"])

    def of(self, account, *states):
        return [one for one in self.postbacks if one.account == account and (
            not states or one.state in states)]

    def came(self, host):
        """The ids that a receiver got, in order."""
        return [request.header("webhook-id") for request in list(self.hosts[host].requests)]

    def log(self, account, **query):
        """All of an account's postbacks as the API lists them, oldest first."""
        api, rows, before = self.accounts[account], [], {}
        while True:
            page = api.ok(api.get("Postbacks", PageSize=1000, **before, **query))["Postbacks"]
            rows += page
            if len(page) < 1000:
                return rows[::-1]
            before = {"Before": page[-1]["Id"]}

    def maintenance(self):
        return self.operator.ok(self.operator.get("Maintenance"))["State"]

    def end_pause(self):
        self.operator.ok(self.operator.post("Maintenance/End"))

    def close(self):
        self.server.close()
        self.hosts.close()


@pytest.fixture(params=KEPT)
def kept(request, tmp_path):
    made = Upgraded(request.param, tmp_path / "data")
    yield made
    made.close()


def is_all_there(kept):
    """Each row of the old store, with what it had; the pause is on, so that nothing was sent."""
    assert kept.maintenance() == "ON"
    for account in kept.accounts:
        shown = {row["Id"]: row for row in kept.log(account)}
        for one in kept.of(account):
            row = shown[one.id]
            assert (row["EventId"], row["NotificationId"], int(row["Attempts"])) == (
                one.event, one.notification, one.attempts), row
            ended = {DELIVERED: "DELIVERED", CANCELLED: "CANCELLED"}.get(one.state)
            assert row["State"] == (ended or "WAITING"), (one, row)
    assert all(receiver.requests == [] for receiver in kept.hosts.receivers.values())


def ended_well(kept):
    assert kept.server.stop() == 0, kept.server.log()
    checked = subprocess.run([BINARY, "check", "--data", kept.server.data,
                              *kept.server.store.flags], capture_output=True, text=True, timeout=120)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def await_catch_up(kept):
    kept.end_pause()
    await_until(lambda: kept.maintenance() == "OFF", "the catch-up is over", 60)


def test_all_that_waits_is_delivered_under_its_id(kept):
    kept.start()
    is_all_there(kept)
    await_catch_up(kept)
    for account, host in (("failed", "failed"), ("down", "down"), ("ordered", "ordered"),
                          ("partner", "import"), ("fresh", "fresh"), ("held", "held")):
        wanted = [one.id for one in kept.of(account, FRESH, WAITING)]
        kept.hosts[host].wait(len(wanted))
        assert sorted(kept.came(host)) == sorted(wanted), f"{account}: each once, and no other"
        rows = await_until(lambda account=account: (lambda rows: rows if all(
            row["State"] == "DELIVERED" for row in rows) else None)(kept.log(account)), account)
        again = {row["Id"]: int(row["Attempts"]) for row in rows}
        for one in kept.of(account):
            assert again[one.id] == one.attempts + (one.state != DELIVERED), one
    assert kept.came("ordered") == [one.id for one in kept.of("ordered", WAITING)], "in order"
    # On PostgreSQL what is due goes by the database's clock, which is hours later.
    for host in ("delivered", "cancelled", "paused", *([] if ON_POSTGRESQL else ["delayed", "told-when"])):
        assert kept.came(host) == [], f"{host}: not now"
    for account in ("partner", "ordered", "fresh"):
        api = kept.accounts[account]
        health = [api.ok(api.get(f"EventNotifications/{id}/Health"))
                  for id in {one.notification for one in kept.of(account)}]
        assert [one["Pending"] for one in health] == ["0"] * len(health)
    ended_well(kept)


@pytest.mark.one_file("what is due on PostgreSQL goes by its clock, which no test sets")
def test_what_is_not_due_is_kept_until_it_is(kept):
    """A delay, a receiver's Retry-After, a notification that its owner has paused."""
    kept.start()
    await_catch_up(kept)
    kept.server.faults.clock_offset_ms += 60_000
    assert [request.header("webhook-id") for request in kept.hosts["told-when"].wait(1)] == [
        one.id for one in kept.of("told-when")]
    assert kept.came("delayed") == kept.came("paused") == []
    kept.server.faults.clock_offset_ms += HOUR_MS
    kept.hosts["delayed"].wait(3)
    assert sorted(kept.came("delayed")) == [one.id for one in kept.of("delayed")]
    paused = kept.accounts["paused"]
    paused.ok(paused.post(f"EventNotifications/{kept.of('paused')[0].notification}/Resume"))
    kept.hosts["paused"].wait(4)
    assert sorted(kept.came("paused")) == [one.id for one in kept.of("paused")]
    ended_well(kept)


def test_a_replay_goes_on_where_it_was(kept):
    kept.start()
    api, replay = kept.accounts["replay"], kept.told["replay"]
    before = api.ok(api.get(replay["Uri"]))
    assert before["State"] == "RUNNING" and 0 < int(before["Sent"]) < replay["total"]
    await_catch_up(kept)
    shown = await_until(lambda: (lambda shown: shown if shown["State"] == "DONE" else None)(
        api.ok(api.get(replay["Uri"]))), "the replay is over", 60)
    assert (shown["Total"], shown["Done"], shown["Sent"]) == (str(replay["total"]),) * 3
    rows = await_until(lambda: (lambda rows: rows if all(
        row["State"] == "DELIVERED" for row in rows) else None)(
            [row for row in kept.log("replay") if row["ReplayId"]]), "all of it delivered", 60)
    sources = {row["EventId"] for row in kept.log("replay", NotificationId=replay["source"])}
    assert len(sources) == replay["total"]
    assert collections.Counter(row["EventId"] for row in rows) == dict.fromkeys(sources, 1)
    waiting = {one.id for one in kept.of("replay", FRESH, WAITING)}
    written = {row["Id"] for row in rows} - {one.id for one in kept.of("replay")}
    assert sorted(kept.came("replay")) == sorted(waiting | written), "each once, none that was before"
    assert kept.came("replay-source") == []
    ended_well(kept)


def test_a_fan_out_goes_on_where_it_was(kept):
    kept.start()
    await_catch_up(kept)
    event, crowd = kept.told["fanned_out"], kept.told["crowd"]
    rows = await_until(lambda: (lambda rows: rows if len(rows) == crowd and all(
        row["State"] == "DELIVERED" for row in rows) else None)(
            [row for row in kept.log("crowd") if row["EventId"] == event]), "each has it", 120)
    assert len({row["NotificationId"] for row in rows}) == len(rows)
    assert {one.id for one in kept.of("crowd") if one.event == event} < {row["Id"] for row in rows}
    came = collections.Counter(
        request.header("webhook-id") for request in list(kept.hosts["crowd"].requests)
        if json.loads(request.body)["EventId"] == event)
    assert came == dict.fromkeys((row["Id"] for row in rows), 1)
    ended_well(kept)


def test_a_file_is_there_whole_or_not_at_all(kept):
    """Nobody was told of the second file: its sender sends it again."""
    kept.start()
    partner, cut_off = kept.accounts["partner"], kept.told["cut_off"]
    for uri in kept.told["import"]:
        partner.ok(partner.get(uri))

    def there():
        listed = partner.ok(partner.get("ActionInquiries", PageSize=1000))["ActionInquiries"]
        return sum(one["OrderId"].startswith("C-") for one in listed)
    before = there()
    assert before in (0, cut_off["rows"])
    again = partner.call("POST", "ActionInquiries/Import", params={"TakeGoodRows": "true"},
                         data=cut_off["file"].encode(), headers={"Content-Type": "text/csv"})
    assert int(again.json()["Taken"]) == cut_off["rows"] - before
    assert there() == cut_off["rows"]
    await_catch_up(kept)
    received = collections.Counter(request.target for request in kept.hosts["import"].wait(
        len(kept.of("partner", FRESH, WAITING)) + cut_off["rows"] - before))
    assert all(received[f"/C-{number}"] == 1 for number in range(cut_off["rows"])), received
    ended_well(kept)


def sign(secret, request):
    """As a receiver checks it, by the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{request.header('webhook-id')}.{request.header('webhook-timestamp')}.".encode()
    made = hmac.new(key, text + request.body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def test_what_is_sealed_or_hashed_opens(kept):
    kept.start()
    await_catch_up(kept)
    secret, told = kept.accounts["secret"], kept.told
    again = secret.post("EventNotifications", told["idempotent"]["body"],
                        headers={"Idempotency-Key": "once"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == told["idempotent"]["answer"]
    deduped = secret.ok(secret.post("/Events", told["deduped"]["body"]))
    assert deduped["EventIds"] == told["deduped"]["answer"]["EventIds"]

    path = f"EventNotifications/{kept.of('secret')[0].notification}"
    shown = secret.ok(secret.get(f"{path}/SigningSecret"))["SigningSecret"]
    secret.ok(secret.post(f"{path}/Resume"))
    request = kept.hosts["secret"].wait(1)[0]
    assert request.header("webhook-id") == kept.of("secret", WAITING)[0].id
    assert request.header("x-api-key") == "k-5521-sealed"
    assert sign(shown, request) in request.header("webhook-signature").split(" ")
    for name, user in told["passwords"].items():
        browser = Browser(kept.server.base)
        browser.ok(browser.sign_in(user["Email"], user["Password"]))
        assert browser.sid == told["accounts"][name]["Sid"]
    ended_well(kept)


@pytest.mark.one_file("the writes that fail are those of the server's own file")
@pytest.mark.parametrize("fault", ["write", "sync"])
def test_an_upgrade_that_fails_half_way_is_done_by_the_next_start(kept, fault):
    """The Nth write or fsync of a start fails, until a start has fewer: what is there is never half
    new, whether that start gives up or goes on."""
    data, faults, nth = kept.server.data, kept.server.faults, 1
    untouched = shutil.copytree(data, data + "-untouched")
    while True:
        setattr(faults, f"{fault}_nth", nth)
        kept.server.run()
        await_until(lambda: kept.server.base or kept.server.process.poll() is not None,
                    "it listens or has ended", 60)
        fired = getattr(faults, f"{fault}_failed")
        assert kept.server.base or kept.server.process.returncode == 1, kept.server.log()
        kept.server.kill()
        faults.clear()
        kept.start()
        is_all_there(kept)
        if not fired:
            break
        kept.server.kill()
        shutil.rmtree(data)
        shutil.copytree(untouched, data)
        nth += max(1, nth // 3)
    assert nth > 1, f"no {fault} of a start failed"
    await_catch_up(kept)
    wanted = [one.id for one in kept.of("fresh", FRESH)]
    assert sorted(request.header("webhook-id") for request in
                  kept.hosts["fresh"].wait(len(wanted))) == wanted
    ended_well(kept)
