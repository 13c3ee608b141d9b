"""packaging/haproxy.cfg, as it stands, before two nodes."""

import os
import re
import shutil
import socket
import subprocess
import threading

import pytest
import requests

from harness.certificates import Authority
from harness.cluster import Cluster
from harness.delivery import Delivery
from harness.server import World, await_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
pytestmark = pytest.mark.skipif(not os.path.exists(HAPROXY), reason="HAProxy is not installed")


def configured(folder, certificate, nodes, sockets):
    """The example with this certificate and these nodes, listening on sockets that it is handed."""
    with open(os.path.join(ROOT, "packaging/haproxy.cfg"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace("/etc/haproxy/postbackd.pem", certificate)
    for port, listening in zip((80, 443), sockets):
        text = text.replace(f"    bind :{port}", f"    bind fd@{listening.fileno()}")
    text = re.sub(r"^    server node-.*\n", "", text, flags=re.M) + "".join(
        f"    server {name} {address}\n" for name, address in nodes)
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@pytest.fixture
def sockets():
    """For http and for https."""
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def handed(sockets):
    return {"pass_fds": [one.fileno() for one in sockets]}


def test_haproxy_takes_it_without_a_warning(tmp_path, authority, sockets):
    path = configured(str(tmp_path), authority.issue("127.0.0.1"), [("node-1", "127.0.0.1:8080")],
                      sockets)
    done = subprocess.run([HAPROXY, "-c", "-f", path], capture_output=True, text=True, check=False,
                          **handed(sockets))
    assert done.returncode == 0 and "[WARNING]" not in done.stderr, done.stderr


@pytest.fixture
def before_two(tmp_path, authority, sockets):
    """(cluster, session, base): HAProxy runs before it."""
    with Cluster(nodes=2, flags=["--trusted-proxy", "127.0.0.1"]) as cluster:
        path = configured(str(tmp_path), authority.issue("127.0.0.1"), [
            (node.name, node.base.split("//")[1]) for node in cluster.nodes], sockets)
        process = subprocess.Popen([HAPROXY, "-db", "-f", path], stdout=subprocess.DEVNULL,
                                   **handed(sockets))
        try:
            session = requests.Session()
            session.trust_env, session.verify = False, authority.file
            base = f"https://127.0.0.1:{sockets[1].getsockname()[1]}"
            await_until(lambda: session.get(base + "/", timeout=20).ok, "HAProxy serves")
            yield cluster, session, base
        finally:
            process.kill()
            process.wait()


def test_calls_go_to_all_nodes_and_on_when_one_is_gone(before_two, receiver):
    cluster, session, base = before_two
    world = World(cluster)
    delivery = Delivery(world, receiver.url("/{Oid}"))
    session.auth = (world.partner.sid, world.partner.token)

    def send(number):
        return session.post(f"{base}/Events", timeout=40, json={
            "Type": "action.tracked", "AccountSids": [world.partner.sid],
            "DedupeKey": f"key {number}", "Data": {"Oid": str(number)}})
    for number in range(20):
        assert send(number).status_code == 202
    receiver.wait(20)
    for path in ("/metrics", "/healthz", "/readyz"):
        assert session.get(base + path, timeout=20).status_code == 404
    cluster.nodes[1].kill()
    for number in range(20, 40):
        await_until(lambda at=number: send(at).status_code == 202, "it is taken by the other node")
    cluster.nodes[1].start()
    delivery.await_state("DELIVERED", 40, timeout=60)
    assert {request.target for request in receiver.requests} == {f"/{at}" for at in range(40)}


def test_a_node_that_stops_properly_costs_no_call(before_two):
    cluster, session, base = before_two
    world, codes, over = World(cluster), [], threading.Event()
    session.auth = (world.partner.sid, world.partner.token)

    def call():
        while not over.is_set():
            codes.append(session.get(f"{base}/Mediapartners/{world.partner.sid}/"
                                     "EventNotifications", timeout=40).status_code)
    calling = threading.Thread(target=call)
    calling.start()
    try:
        await_until(lambda: len(codes) > 50, "calls go through")
        assert cluster.nodes[1].stop() == 0
        had = len(codes)
        await_until(lambda: len(codes) > had + 50, "calls go on")
    finally:
        over.set()
        calling.join()
    assert set(codes) <= {200, 503}, set(codes)
    assert codes.count(200) > 100
