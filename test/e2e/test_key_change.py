"""The key that seals secrets is changed while the servers go on: `admin key rotate`, `postbackd next-key`."""

import os
import shutil
import stat
import subprocess

import pytest
import requests

from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.server import BINARY, Server, World, await_until

HEADER = {"Name": "X-Api-Key", "Value": "a secret of the receiver's"}


def next_key(path, code=0):
    done = subprocess.run([BINARY, "next-key", "--key-file", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def key_of(server):
    return os.path.join(server.data, "secret.key")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def admin(server, *words, code=0):
    done = subprocess.run([BINARY, "admin", "--url", server.base, "--data", server.data, *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def await_changed(api, before):
    def changed():
        shown = api.ok(api.get("KeyChange"))
        return shown["State"] == "NONE" and shown["Key"] != before and shown["NextKey"] == ""
    await_until(changed, "the key to be changed", 60)


def begin(server):
    """Alone it makes the next key itself; where others could share the database it is made first."""
    if server.store:
        next_key(key_of(server))
    admin(server, "key", "rotate")


def with_secrets(world, receiver, count=1):
    """Event notifications whose receivers are shown a header."""
    made = [Delivery(world, receiver.url(f"/{number}")) for number in range(count)]
    for delivery in made:
        world.operator.ok(world.operator.put(f"Notifications/{delivery.id}/Headers",
                                             {"CustomHeaders": [HEADER]}))
    return made


def await_shown(delivery, receiver, count):
    delivery.send()
    delivery.await_state("DELIVERED", count)
    shown = [request for request in receiver.requests if delivery.show()["Url"].endswith(request.target)]
    assert shown[-1].headers["x-api-key"] == HEADER["Value"]


def check(server):
    return subprocess.run([BINARY, "check", "--data", server.data, *(server.store.flags if server.store else ())],
                          capture_output=True, text=True, timeout=60)


def test_all_is_sealed_by_the_new_key_and_the_old_one_is_gone(receiver):
    with Server() as server:
        world = World(server)
        deliveries = with_secrets(world, receiver, 60)  # more than a step takes
        asked = {"Idempotency-Key": "once"}
        made = world.partner.call("POST", "EventNotifications", json={
            "Category": "Action Lifecycle Events", "Method": "POST", "Url": receiver.url("/made")}, headers=asked)
        person = world.browser(world.partner)
        person.ok(person.post("/Session/SecondFactor"))
        old = read(key_of(server))
        before = world.operator.ok(world.operator.get("KeyChange"))["Key"]
        assert before and before.encode() not in old
        begin(server)
        await_changed(world.operator, before)
        new = read(key_of(server))
        assert len(new) == 32 and new != old
        assert stat.S_IMODE(os.stat(key_of(server)).st_mode) == 0o600
        await_shown(deliveries[0], receiver, 1)
        again = world.partner.call("POST", "EventNotifications", json={
            "Category": "Action Lifecycle Events", "Method": "POST", "Url": receiver.url("/made")}, headers=asked)
        assert again.json() == made.json() and again.json()["SigningSecret"]
        actions = [row["Action"] for row in world.operator.ok(world.operator.get("Audit"))["Entries"]]
        assert "key.change" in actions and "key.changed" in actions
        server.stop()
        found = check(server)
        assert found.returncode == 0, found.stdout + found.stderr
        # 60 and their headers, another one, its answer, the person's factor
        assert "it opens all 123 sealed secrets" in found.stdout, found.stdout
        server.start()
        deliveries[1].api.base = world.server.base
        world.moved()
        await_shown(deliveries[1], receiver, 1)


def test_it_goes_on_after_a_kill(receiver):
    with Server() as server:
        world = World(server)
        delivery = with_secrets(world, receiver, 60)[0]
        before = world.operator.ok(world.operator.get("KeyChange"))["Key"]
        begin(server)
        server.kill()
        server.start()
        world.moved()
        await_changed(world.operator, before)
        await_shown(delivery, receiver, 1)
        admin(server, "key", "show")


def test_a_second_change_is_refused_while_one_goes_on_and_allowed_later(receiver):
    with Server() as server:
        world = World(server)
        with_secrets(world, receiver)
        for _ in range(2):
            before = world.operator.ok(world.operator.get("KeyChange"))["Key"]
            begin(server)
            refused = world.operator.post("KeyChange")
            assert refused.status_code in (200, 409), refused.text  # 200: it was over by then
            if refused.status_code == 409:
                assert "already" in refused.text or "no next key" in refused.text
            await_changed(world.operator, before)


def test_a_file_of_another_key_is_not_taken(server, world, receiver, tmp_path):
    delivery = with_secrets(world, receiver)[0]
    kept = str(tmp_path / "kept")
    shutil.copy(key_of(server), kept)
    with open(key_of(server), "wb") as file:
        file.write(b"x" * 32)
    refused = world.operator.post("KeyChange")
    assert refused.status_code == 500 and "another key" not in refused.text, refused.text
    shutil.copy(kept, key_of(server))
    await_shown(delivery, receiver, 1)


def test_the_next_key_is_made_once_and_by_whom_may(tmp_path):
    path = str(tmp_path / "key")
    assert "missing" in next_key(path, 1)
    with open(path, "wb") as file:
        file.write(os.urandom(32))
    os.chmod(path, 0o600)
    kept = read(path)
    assert "Copy the file" in next_key(path)
    assert read(path)[:32] == kept and len(read(path)) == 64
    assert "has a next key already" in next_key(path, 1)


# ---- servers that share a database ----

@pytest.fixture
def pair():
    """Two nodes, each with its own file of the key."""
    cluster = Cluster(nodes=2)
    key = os.urandom(32)
    for node in cluster.nodes:
        path = os.path.join(cluster.folder, node.name + ".key")
        with open(path, "wb") as file:
            file.write(key)
        os.chmod(path, 0o600)
        node.flags[node.flags.index("--key-file") + 1] = node.key = path
    with cluster:
        yield cluster


def test_servers_change_it_together(pair, receiver):
    first, second = pair.nodes
    world = World(pair)
    delivery = with_secrets(world, receiver, 60)[0]
    operator = first.api(world.operator)
    before = operator.ok(operator.get("KeyChange"))["Key"]
    refused = operator.post("KeyChange")
    assert refused.status_code == 409 and "no next key" in refused.text
    next_key(first.key)
    (name,) = await_until(lambda: [node["Name"] for node in operator.ok(operator.get("Nodes"))["Nodes"]
                                   if node["Address"].endswith(f":{second.port}")], "its address", 30)

    def names_the_other():
        refused = operator.post("KeyChange")
        assert refused.status_code == 409, refused.text
        return f"do not have the next key yet: {name}." in refused.text
    await_until(names_the_other, "the one without to be named", 30)
    await_until(lambda: operator.ok(operator.get("KeyChange"))["WaitingFor"] == [name], "the other alone", 30)
    shutil.copy(first.key, second.key)
    await_until(lambda: operator.post("KeyChange").status_code == 200, "the change to begin", 30)
    for node in pair.nodes:
        await_changed(node.api(world.operator), before)
    assert len(read(first.key)) == 32 and read(first.key) == read(second.key)
    for number, node in enumerate(pair.nodes, 1):
        delivery.api = node.api(world.partner)
        await_shown(delivery, receiver, number)


def test_one_that_was_away_is_told_which_key_it_lacks(pair, receiver):
    first, second = pair.nodes
    world = World(pair)
    delivery = with_secrets(world, receiver)[0]
    operator = first.api(world.operator)
    before = operator.ok(operator.get("KeyChange"))["Key"]
    assert second.stop() == 0
    old = read(second.key)
    next_key(first.key)
    both = read(first.key)
    await_until(lambda: operator.post("KeyChange").status_code == 200, "the change to begin", 30)
    await_changed(operator, before)
    ended = subprocess.run(second.command(), capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and "key from before" in ended.stderr and second.key in ended.stderr
    assert read(second.key) == old
    with open(second.key, "wb") as file:  # a copy from before the swap
        file.write(both)
    second.start(60)
    assert read(second.key) == read(first.key)
    delivery.api = second.api(world.partner)
    await_shown(delivery, receiver, 1)
    assert requests.get(second.base + "/readyz", timeout=20).status_code in (200, 503)
