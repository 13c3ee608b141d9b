"""An event notification's own TLS: the authority it trusts, the certificate that postbackd shows."""

import json
import re
import ssl

import pytest
import requests

from harness.certificates import DAY, Authority, huge_key, serving
from harness.delivery import Delivery
from harness.server import World, await_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Its certificate is in no store: only who is told trusts it."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mutual(receivers, authority):
    """A receiver that wants a certificate of the authority, and notes whose it was."""
    context = serving(authority.issue("127.0.0.1"), verify_mode=ssl.CERT_REQUIRED)
    context.load_verify_locations(authority.file)
    return receivers(tls=context)


def tls_path(delivery):
    return f"Notifications/{delivery.id}/Tls"


def set_tls(world, delivery, **members):
    return world.operator.put(tls_path(delivery), members)


def refusals(answer):
    assert answer.status_code == 400, answer.text
    return {one["Field"]: one["Message"] for one in answer.json()["Errors"]}


def client_of(authority, name="postbackd", **dates):
    certificate, key = authority.client(name, **dates)
    return {"ClientCertificate": certificate, "ClientKey": key}


def test_an_authority_of_ones_own_is_trusted_by_its_notification_alone(world, receivers, authority):
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    trusting, other = Delivery(world, receiver.url("/own")), Delivery(world, receiver.url("/other"))
    world.operator.ok(set_tls(world, trusting, CaCertificate=authority.pem))
    trusting.send()
    trusting.await_state("DELIVERED")
    other.send()
    attempt = other.await_attempts(1)[0]
    assert attempt["Error"] == "tls" and "certificate" in attempt["Detail"]
    assert {request.target for request in receiver.requests} == {"/own"}


def test_an_authority_of_ones_own_replaces_the_servers(world, receivers, authority, tmp_path):
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url())
    world.operator.ok(set_tls(world, delivery, CaCertificate=Authority(tmp_path, "Wrong").pem))
    delivery.send()
    assert delivery.await_attempts(1)[0]["Error"] == "tls"
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem))
    delivery.await_state("DELIVERED")
    assert len(receiver.requests) == 1


def test_the_receiver_is_shown_our_certificate(world, mutual, authority):
    delivery = Delivery(world, mutual.url())
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem))
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] == "tls" and "client certificate" in attempt["Detail"]
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem,
                              **client_of(authority)))
    delivery.await_state("DELIVERED")
    delivery.send_many(5)
    delivery.await_state("DELIVERED", 6)
    assert len(mutual.requests) == 6


def certificate_of(sock):
    """Its subject, once it is there: it comes without any bytes of HTTP."""
    sock.settimeout(0.05)
    try:
        sock.recv(1)
    except TimeoutError:
        pass
    sock.settimeout(None)
    return (sock.getpeercert() or {}).get("subject")


def test_our_certificate_is_shown_to_who_asks_after_the_handshake(world, receivers, authority):
    """R4: TLS 1.3, the receiver asks once it has seen the request."""
    context = serving(authority.issue("127.0.0.1"), verify_mode=ssl.CERT_REQUIRED,
                      post_handshake_auth=True, minimum_version=ssl.TLSVersion.TLSv1_3)
    context.load_verify_locations(authority.file)
    shown = []

    def asks(connection, request):
        try:
            connection.sock.verify_client_post_handshake()
        except ssl.SSLError as refused:  # the extension was not sent
            shown.append(str(refused))
            return connection.answer(403)
        connection.send("HTTP/1.1 102 Processing\r\n\r\n")  # the question leaves with it
        shown.append(await_until(lambda: certificate_of(connection.sock), "a certificate"))
        return connection.answer(200)

    receiver = receivers(asks, tls=context)
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem))
    delivery.send()
    assert delivery.await_attempts(1)[0]["Response"]["Status"] == "403"
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem,
                              **client_of(authority)))
    delivery.retry()
    delivery.await_state("DELIVERED")
    assert shown[1:] == [((("commonName", "postbackd"),),)]


def test_a_refused_certificate_of_ours_is_told(world, mutual, authority, tmp_path):
    delivery = Delivery(world, mutual.url())
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem,
                              **client_of(Authority(tmp_path, "Unknown"))))
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] == "tls"
    assert "refused our client certificate" in attempt["Detail"]


def test_a_changed_or_removed_identity_leaves_no_connection(world, mutual, authority):
    delivery = Delivery(world, mutual.url())
    for number, members in enumerate((client_of(authority, "one"), client_of(authority, "two")), 1):
        world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem, **members))
        delivery.send()
        delivery.await_state("DELIVERED", number)
        assert mutual.connections == number
    world.operator.ok(world.operator.delete(tls_path(delivery)))
    await_until(lambda: not mutual.open, "the kept connection to close", 10)
    delivery.send()
    waiting = delivery.await_state("WAITING")[0]
    assert delivery.postback(waiting["Id"])["AttemptList"][0]["Error"] == "tls"


def test_two_notifications_of_different_identities_share_no_connection(world, mutual, authority):
    deliveries = []
    for name in ("one", "two"):
        delivery = Delivery(world, mutual.url(f"/{name}"), MaximumConcurrentRequests=1)
        world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem,
                                  **client_of(authority, name)))
        deliveries.append(delivery)
    # both take every event of the account
    deliveries[0].send_many(3)
    for delivery in deliveries:
        delivery.await_state("DELIVERED", 3)
    assert mutual.connections == 2


def test_it_is_shown_without_the_key(world, receivers, authority):
    delivery = Delivery(world, receivers().url())
    certificate, key = authority.client("Grüße & Co")
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem,
                              ClientCertificate=certificate + authority.pem, ClientKey=key))
    shown = world.operator.ok(world.operator.get(tls_path(delivery)))
    assert shown["NotificationId"] == delivery.id and shown["HasClientKey"] == "true"
    assert shown["AccountSid"] == world.partner.sid
    assert [one["Subject"] for one in shown["CaCertificates"]] == ["CN=Test Authority"]
    first, second = shown["ClientCertificates"]
    assert first["Subject"] == "CN=Grüße & Co" and first["Issuer"] == "CN=Test Authority"
    assert int(first["SerialNumber"], 16) > 0 and first["StartDate"] < first["EndDate"]
    assert second["Subject"] == "CN=Test Authority"
    own = delivery.show()
    assert own["Tls"] == {
        "CaCertificates": [{"Subject": "CN=Test Authority",
                            "EndDate": shown["CaCertificates"][0]["EndDate"]}],
        "ClientCertificates": [{"Subject": one["Subject"], "EndDate": one["EndDate"]}
                               for one in (first, second)]}
    (entry,) = [one for one in world.operator.ok(world.operator.get("Audit"))["Entries"]
                if one["Action"] == "notification.tls" and one["Object"].endswith(delivery.id)]
    assert "ClientKey" in json.dumps(entry)
    secret = key.splitlines()[1]
    store = world.server.store.content()
    for text in (json.dumps(shown), json.dumps(own), json.dumps(entry), world.server.log(),
                 store.decode("latin-1")):
        assert secret not in text and "PRIVATE KEY" not in text
    world.operator.ok(world.operator.delete(tls_path(delivery)))
    shown = world.operator.ok(world.operator.get(tls_path(delivery)))
    assert (shown["CaCertificates"], shown["ClientCertificates"]) == ([], [])
    assert shown["HasClientKey"] == "false"


def test_the_days_left_of_the_first_that_ends_are_told(world, receivers, authority):
    def days():
        text = requests.get(world.server.base + "/metrics", timeout=20).text
        found = re.search(r"^postbackd_client_certificate_days (\S+)", text, re.M)
        return float(found.group(1)) if found else None

    delivery = Delivery(world, receivers().url())
    world.operator.ok(set_tls(world, delivery, **client_of(authority, end=3 * DAY)))
    delivery.send()
    delivery.await_state("DELIVERED")
    await_until(lambda: days() is not None and 2.9 < days() <= 3, "three days", 10)


def test_it_stays_when_the_account_changes_its_settings(world, receivers, authority):
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url())
    world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem))
    delivery.change(**{**delivery.show(), "Name": "Renamed"})
    delivery.send()
    delivery.await_state("DELIVERED")
    tested = delivery.api.ok(delivery.api.post(f"{delivery.path}/Test"))
    assert tested["Verdict"] == "delivered", tested


def test_a_certificate_that_ends_within_two_weeks_is_counted(world, receivers, authority):
    def ending():
        text = requests.get(world.server.base + "/metrics", timeout=20).text
        return int(re.search(r"^postbackd_client_certificates_ending (\d+)", text, re.M).group(1))

    delivery = Delivery(world, receivers().url())
    before = ending()
    for number, (days, counted) in enumerate(((13, 1), (15, 0)), 1):
        world.operator.ok(set_tls(world, delivery, **client_of(authority, end=days * DAY)))
        delivery.send()
        delivery.await_state("DELIVERED", number)
        await_until(lambda: ending() - before == counted, f"{counted} to be counted", 10)


def test_it_is_there_after_a_restart(receivers, authority, tmp_path):
    from harness.server import Server
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    with Server() as server:
        world = World(server)
        delivery = Delivery(world, receiver.url())
        world.operator.ok(set_tls(world, delivery, CaCertificate=authority.pem))
        assert server.stop() == 0
        server.start()
        world.partner.base = world.operator.base = server.base
        delivery.send()
        delivery.await_state("DELIVERED")


PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name,members,field,words", [
    ("nothing", lambda own, other: {}, "CaCertificate", "required"),
    ("no PEM", lambda own, other: {"CaCertificate": "hello"}, "CaCertificate", "BEGIN CERTIFICATE"),
    ("not base64", lambda own, other: {"CaCertificate": PEM.format("*" * 64)}, "CaCertificate",
     "damaged"),
    ("no certificate inside", lambda own, other: {"CaCertificate": PEM.format("AAAA")},
     "CaCertificate", "certificate 1 cannot be read"),
    ("a second one cut off", lambda own, other: {"CaCertificate": own.pem + own.pem[:200]},
     "CaCertificate", "block 2 is damaged"),
    ("a key as authority", lambda own, other: {"CaCertificate": own.client()[1]}, "CaCertificate",
     "PRIVATE KEY"),
    ("too long", lambda own, other: {"CaCertificate": own.pem + " " * 65536}, "CaCertificate",
     "at most 65536"),
    ("too many", lambda own, other: {"CaCertificate": own.pem * 33}, "CaCertificate", "at most 32"),
    ("a number", lambda own, other: {"CaCertificate": 5}, "CaCertificate", "must be text"),
    ("no key", lambda own, other: {"ClientCertificate": own.client()[0]}, "ClientKey", "required"),
    ("no certificate", lambda own, other: {"ClientKey": own.client()[1]}, "ClientCertificate",
     "required"),
    ("another's key", lambda own, other: {"ClientCertificate": own.client()[0],
                                          "ClientKey": own.client()[1]},
     "ClientKey", "not the key of the first certificate"),
    ("no key inside", lambda own, other: {**client_of(own), "ClientKey": own.pem}, "ClientKey",
     "BEGIN PRIVATE KEY"),
    ("a passphrase", lambda own, other: dict(zip(("ClientCertificate", "ClientKey"), own.client(
        passphrase="open sesame"))), "ClientKey", "passphrase"),
    ("a weak key", lambda own, other: dict(zip(("ClientCertificate", "ClientKey"), own.client(
        size=1024))), "ClientCertificate", "key too small"),
    ("a huge key", lambda own, other: {**client_of(own), "ClientKey": huge_key()}, "ClientKey",
     "has 8676 bits; at most 4096"),
    ("expired", lambda own, other: client_of(own, start=-9 * DAY, end=-DAY), "ClientCertificate",
     "certificate 1 ended on"),
    ("not yet valid", lambda own, other: client_of(own, start=DAY), "ClientCertificate",
     "not valid before"),
    ("a chain of strangers", lambda own, other: (lambda pair: {
        "ClientCertificate": pair[0] + other.pem, "ClientKey": pair[1]})(own.client()),
     "ClientCertificate", "certificate 2 did not issue certificate 1"),
    ("an unknown member", lambda own, other: {"CaCertificate": own.pem, "ClientPassword": "x"},
     "ClientPassword", ""),
])
def test_what_cannot_be_used_is_refused_when_it_is_set(
        world, receivers, authority, tmp_path, name, members, field, words):
    delivery = Delivery(world, receivers().url())
    given = members(authority, Authority(tmp_path, "Another"))
    found = refusals(set_tls(world, delivery, **given))
    assert field in found and words in found[field], found
    assert "PRIVATE KEY" not in str(found) or name in ("a key as authority", "no key inside")
    shown = delivery.show()
    assert shown["Tls"]["CaCertificates"] == [] and shown["Revision"] == "1"


def test_only_the_operator_sets_it(world, receivers, authority):
    delivery = Delivery(world, receivers().url())
    for api in (world.partner, world.brand):
        for method in ("GET", "PUT", "DELETE"):
            answer = api.call(method, f"/Operator/Notifications/{delivery.id}/Tls",
                              json={} if method == "PUT" else None)
            assert answer.status_code == 403
    for id in ("0", "999999", "x"):
        for method in ("GET", "DELETE"):
            assert world.operator.call(method, f"Notifications/{id}/Tls").status_code == 404
        assert world.operator.put(f"Notifications/{id}/Tls",
                                  {"CaCertificate": authority.pem}).status_code == 404
