"""Who is let in: tokens, their revocation, guessing, and the pages that need no sign-in."""

import time

import requests

from harness.server import Server, World


def test_only_the_sid_and_its_own_token_go_together(world):
    cases = [(world.partner.sid, "pbt_wrong"), (world.brand.sid, world.partner.token),
             ("", world.partner.token), ("x" * 300, world.partner.token), (world.partner.sid, "")]
    for auth in cases:
        response = requests.get(world.partner.base + "/EventCatalog", auth=auth, timeout=20)
        assert response.status_code == 401, auth
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
        assert response.json()["Status"] == "ERROR"
    assert world.partner.get("/EventCatalog").status_code == 200


def test_a_revoked_token_is_out_at_once(world):
    made = world.operator.ok(world.operator.post(f"Accounts/{world.partner.sid}/Tokens",
                                                 {"Scope": "API"}))
    world.partner.session.auth = (world.partner.sid, made["Token"])
    assert world.partner.get("/EventCatalog").status_code == 200
    world.operator.ok(world.operator.delete(made["Uri"]))
    assert world.partner.get("/EventCatalog").status_code == 401


def test_guessing_is_slowed_and_those_known_go_on():
    with Server() as server:
        world = World(server)
        assert world.partner.get("/EventCatalog").status_code == 200
        url = server.base + "/EventCatalog"
        codes = [requests.get(url, auth=(world.partner.sid, f"pbt_{n}"), timeout=20).status_code
                 for n in range(12)]
        assert codes == [401] * 10 + [429] * 2
        assert world.partner.get("/EventCatalog").status_code == 200


def test_those_known_go_on_for_as_long_as_others_guess():
    """Behind one proxy all have one address: longer than a token is believed without the store."""
    with Server() as server:
        world = World(server)
        url = server.base + "/EventCatalog"
        assert world.partner.get("/EventCatalog").status_code == 200
        until, guessed = time.monotonic() + 6, set()
        while time.monotonic() < until:
            wrong = requests.get(url, auth=(world.partner.sid, "pbt_guess"), timeout=20)
            guessed.add(wrong.status_code)
            assert world.partner.get("/EventCatalog").status_code == 200
        assert guessed == {401, 429}


def test_nobody_signs_in_for_the_health_pages(server):
    assert requests.get(server.base + "/healthz", timeout=20).json()["Status"] == "OK"
    assert requests.get(server.base + "/readyz", timeout=20).json() == {"Status": "OK"}
    metrics = requests.get(server.base + "/metrics", timeout=20)
    assert metrics.headers["Content-Type"].startswith("text/plain")
    names = {line.split()[0] for line in metrics.text.splitlines() if line[0] != "#"}
    assert {"postbackd_requests_total", "postbackd_lanes", "postbackd_ready"} <= names


def test_the_operator_has_no_way_into_an_accounts_resources(world):
    for path in ("EventNotifications", "Postbacks", "ActionInquiries"):
        assert world.operator.get(f"{world.partner.prefix}/{path}").status_code == 404
    own = f"/Mediapartners/{world.operator.sid}/EventNotifications"
    assert world.operator.get(own).status_code == 200
