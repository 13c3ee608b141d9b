"""The client's address behind a proxy: who is believed, and what goes by it."""

import socket
import subprocess

import pytest
import requests

from harness.server import BINARY, Browser, Server, World

PASSWORD = "a long pass phrase"


@pytest.fixture(scope="module")
def behind():
    with Server("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8, fd00::/8") as server:
        yield server


@pytest.fixture
def world(behind):
    return World(behind)


def address_of(world, headers):
    """What the audit log has for a call with these headers."""
    made = world.operator.ok(world.operator.call(
        "POST", "Accounts", json={"Kind": "PARTNER", "Name": "Addressed"}, headers=headers))
    (entry,) = [one for one in world.operator.ok(world.operator.get("Audit"))["Entries"]
                if one["Object"].endswith(made["Sid"]) and one["Action"] == "account.add"]
    return entry["Address"]


@pytest.mark.parametrize("headers, wanted", [
    ({}, "127.0.0.1"),
    ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ({"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"),
    ({"X-Forwarded-For": "198.51.100.1, unknown"}, "127.0.0.1"),
    ({"X-Forwarded-For": "[2001:DB8::7]:443"}, "2001:db8::7"),
    ({"Forwarded": 'for="[2001:db8::7]:443";proto=https'}, "2001:db8::7"),
    ({"Forwarded": "for=198.51.100.1, for=203.0.113.7;by=_edge, for=\"[fd00::1]\""}, "203.0.113.7"),
    ({"Forwarded": 'for="'}, "127.0.0.1"),
    ({"Forwarded": "for=203.0.113.7", "X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ({"Forwarded": "for=198.51.100.1", "X-Forwarded-For": "203.0.113.7"}, "127.0.0.1"),
])
def test_the_audit_log_has_the_clients_address(world, headers, wanted):
    """A5: the right-most address that is no trusted proxy's."""
    assert address_of(world, headers) == wanted


def test_a_stranger_is_not_believed(server):
    """A5: without trusted-proxy the headers are anybody's words."""
    assert address_of(World(server), {"X-Forwarded-For": "203.0.113.7",
                                      "Forwarded": "for=203.0.113.7"}) == "127.0.0.1"


def test_wrong_passwords_are_counted_by_the_clients_address(world):
    """A5: who guesses behind the proxy shuts out nobody else behind it."""
    email = world.add_user(world.partner)

    def sign_in(address, who=email, password=PASSWORD):
        return Browser(world.server.base).sign_in(
            who, password, headers={"X-Forwarded-For": address}).status_code
    codes = [sign_in("203.0.113.9", f"n{n}@example.com", "wrong pass phrase") for n in range(11)]
    assert codes == [401] * 10 + [429]
    assert sign_in("203.0.113.9") == 429
    assert sign_in("198.51.100.77, 203.0.113.9") == 429
    assert sign_in("203.0.113.10") == 200


def test_what_is_no_range_is_refused_at_the_start(tmp_path):
    """A5: with words that say what is right."""
    for wrong in ("proxy.example", "10.0.0.0/33", "fd00::/129", "1.2.3"):
        ended = subprocess.run([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0",
                                "--trusted-proxy", wrong], capture_output=True, text=True, timeout=20)
        assert ended.returncode != 0 and "--trusted-proxy" in ended.stderr and wrong in ended.stderr


def test_a_trusted_proxys_connections_are_not_one_clients(behind):
    """A5: an address may have 512 connections, a trusted proxy as many as there are."""
    open_ones = []
    try:
        for _ in range(600):
            open_ones.append(socket.create_connection(("127.0.0.1", behind.port), timeout=20))
        assert requests.get(behind.base + "/healthz", timeout=20).status_code == 200
    finally:
        for one in open_ones:
            one.close()
