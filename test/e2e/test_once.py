"""Nodes on one database: what is done once for all is, and limits hold in all of them together."""

import stat
import time

import pytest

from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.receiver import answers
from harness.server import Browser, World, await_until, browser_from

PASSWORD = "a long pass phrase"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=2, rate_limit=None, flags=("--rate-limit", "100000")) as running:
        yield running
        for node in running.nodes:
            assert node.is_up, node.log()


@pytest.fixture(scope="module")
def world(cluster):
    return World(cluster)


# ---- limits ----

def codes_of(apis, calls):
    return [apis[n % len(apis)].get("EventNotifications").status_code for n in range(calls)]


def await_quiet_hour():
    """None of what follows may see the hour turn."""
    await_until(lambda: time.time() % 3600 < 3540, "the next hour", 90)


def test_the_limit_of_an_hour_is_one_over_all_nodes():
    with Cluster(nodes=2, rate_limit=None, flags=("--rate-limit", "200")) as cluster:
        await_quiet_hour()
        world = World(cluster)
        both = [node.api(world.partner) for node in cluster.nodes]
        codes = codes_of(both, 260)
        assert codes.count(200) == 200 and codes.count(429) == 60
        assert set(codes_of(both, 4)) == {429}
        # Who calls one node has all but what the other one holds in hand.
        alone = cluster.nodes[1].api(world.brand)
        cluster.nodes[0].api(world.brand).get("EventNotifications")
        answers = [alone.get("EventNotifications") for _ in range(220)]
        passed = [one for one in answers if one.status_code == 200]
        assert 180 <= len(passed) <= 199
        left = [int(one.headers["X-RateLimit-Remaining"]) for one in answers]
        assert left == sorted(left, reverse=True) and left[-1] == 0
        assert all(one.headers["X-RateLimit-Limit"] == "200" for one in answers)


def test_right_passwords_are_not_counted(cluster, world):
    email = world.add_user(world.brand)
    for n in range(12):
        browser = Browser(cluster.nodes[n % 2].base)
        browser.ok(browser.sign_in(email, PASSWORD))


def test_wrong_passwords_are_counted_over_all_nodes(cluster, world):
    email = world.add_user(world.partner)
    await_until(lambda: time.time() % 60 < 30, "the next minute", 60)
    codes = [Browser(cluster.nodes[n % 2].base).sign_in(email, "wrong pass phrase").status_code
             for n in range(14)]
    assert codes == [401] * 10 + [429] * 4
    assert Browser(cluster.nodes[1].base).sign_in(email, PASSWORD).status_code == 429


def test_a_browser_that_knows_an_old_password_counts_like_anybody_over_all_nodes(cluster, world):
    email = world.add_user(world.partner)
    first = browser_from(cluster, "127.0.7.1")
    first.ok(first.sign_in(email, PASSWORD))
    device = {"Cookie": "; ".join(f"{one.name}={one.value}" for one in first.session.cookies
                                  if one.name == "postbackd_device")}
    world.operator.ok(world.operator.put(
        f"Accounts/{world.partner.sid}/Users/{world.user_ids[email]}", {"Password": PASSWORD + "!"}))
    await_until(lambda: time.time() % 60 < 30, "the next minute", 60)

    def code(n, **rest):
        browser = browser_from(cluster.nodes[n % 2], f"127.0.7.{n + 2}")
        return browser.sign_in(email, PASSWORD, **rest).status_code
    assert [code(n, headers=device) for n in range(8)] == [401] * 8
    assert [code(n) for n in range(8, 12)] == [401] * 2 + [429] * 2


# ---- figures ----

def status_of(node, world):
    operator = node.api(world.operator)
    return operator.ok(operator.get("Status"))


def test_the_status_is_that_of_all_nodes(cluster, world, receivers):
    work = Delivery(world, receivers(answers(200)).url())
    for node in cluster.nodes:
        api = node.api(work.api)
        for n in range(5):
            api.ok(api.post("/Events", {"Type": "action.tracked", "AccountSids": [api.sid],
                                        "Data": {"Oid": f"{node.name}-{n}"}}))
    delivered = [node.name for node in cluster.nodes if await_until(
        lambda at=node: int(status_of(at, world)["Postbacks"]["Delivered"]) >= 10, "all are counted")]
    assert delivered == ["node-1", "node-2"]
    for node in cluster.nodes:
        assert int(status_of(node, world)["Connections"]["In"]) >= 2
        api = node.api(work.api)
        health = api.ok(api.get(f"EventNotifications/{work.id}/Health"))
        assert (health["Delivered"], health["Pending"]) == ("10", "0")


# ---- what is told once ----

def mailbox(folder):
    program, box = folder / "sendmail", folder / "box"
    box.mkdir()
    program.write_text(f"""#!/bin/sh
at=$(mktemp {box}/.XXXXXX)
cat > $at
mv $at {box}/letter-$$
""")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, box


def state_of(operator):
    return operator.ok(operator.get("Maintenance"))["State"]


def test_a_maintenance_is_told_once_and_in_force_on_all_nodes(tmp_path, receiver):
    """By notice and mail; asked for at either node, whoever is on duty."""
    program, box = mailbox(tmp_path)
    with Cluster(nodes=2, flags=("--sendmail", str(program))) as cluster:
        world = World(cluster)
        world.operator.ok(world.operator.put(
            f"Accounts/{world.partner.sid}", {"Email": "partner@mail.example"}))
        operators = [node.api(world.operator) for node in cluster.nodes]
        for operator in operators:
            operator.ok(operator.post("Maintenance", {"Message": "New disks"}))
            for each in operators:
                await_until(lambda at=each: state_of(at) == "ON", "it is on")
            operator.ok(operator.post("Maintenance/End"))
            for each in operators:
                await_until(lambda at=each: state_of(at) == "OFF", "it is off")
        await_until(lambda: len(list(box.glob("letter-*"))) >= 4, "four letters")
        notices = world.partner.ok(world.partner.get("Notices"))["Notices"]
        assert sorted(one["Kind"] for one in notices) == [
            "maintenance.ended", "maintenance.ended", "maintenance.started", "maintenance.started"]
        assert cluster.database.rows("SELECT count(*) FROM letter") == [("0",)]
        assert len(list(box.glob("letter-*"))) == 4
