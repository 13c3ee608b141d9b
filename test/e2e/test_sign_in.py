"""Who is let in: tokens, their revocation, guessing, and the pages that need no sign-in."""

import threading
from concurrent.futures import ThreadPoolExecutor

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


def test_wrong_tokens_lock_nobody_out():
    """A5: wrong tokens are refused, each by itself, and a right one is let in: one that the server
    knows, one that it has never seen, and both after a sign-out has made it forget them all."""
    with Server() as server:
        world = World(server)
        browser, unseen = world.browser(world.partner), world.token(world.partner.sid, "API")
        url = server.base + "/EventCatalog"

        def guess(numbers):
            return {requests.get(url, auth=(world.partner.sid, f"pbt_{n}"), timeout=20).status_code
                    for n in numbers}
        assert guess(range(25)) == {401}
        assert requests.get(url, auth=(world.partner.sid, unseen), timeout=20).status_code == 200
        browser.ok(browser.delete("/Session"))
        assert guess(range(25, 50)) == {401}
        assert world.partner.get("/EventCatalog").status_code == 200
        assert world.operator.get("Accounts").status_code == 200
        assert requests.get(url, auth=(world.brand.sid, unseen), timeout=20).status_code == 401


def test_a_crowd_of_guessers_starves_nobody(server, world):
    """A5: a hundred wrong tokens are under way at once, and right ones from the same address are
    answered meanwhile, whether known or not."""
    stop = threading.Event()

    def guess(number):
        with requests.Session() as session:
            codes = set()
            while not stop.is_set():
                codes.add(session.get(server.base + "/EventCatalog", timeout=20,
                                      auth=(world.partner.sid, f"pbt_{number}")).status_code)
            return codes
    with ThreadPoolExecutor(100) as pool:
        guessers = [pool.submit(guess, number) for number in range(100)]
        try:
            for _ in range(10):
                token = world.token(world.partner.sid, "API")
                answer = requests.get(server.base + "/EventCatalog", timeout=20,
                                      auth=(world.partner.sid, token))
                assert answer.status_code == 200, answer.text
        finally:
            stop.set()
        assert set.union(*(one.result() for one in guessers)) <= {401}


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
