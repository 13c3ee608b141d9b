"""Receivers over TLS: the certificate and its name are verified, and what is wrong is told apart."""

import socket
import ssl
import subprocess

import pytest

from harness.certificates import DAY, Authority, serving
from harness.delivery import Delivery
from harness.names import Names
from harness.receiver import answers
from harness.server import BINARY, Server, World


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(authority):
    with Server("--ca-file", authority.file, "--deadline", "3") as running:
        yield running
        assert running.process.poll() is None, "the server died:\n" + running.log()
        assert running.stop() == 0, running.log()


def failed_attempt(world, url):
    delivery = Delivery(world, url)
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Verdict"] == "destination" and attempt["Response"]["Status"] == ""
    delivery.await_state("WAITING")
    return attempt


def test_a_good_certificate_for_an_address(world, receivers, authority):
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url("/in?id={EventId}"))
    event = delivery.send(Oid="O-1")
    assert receiver.wait(1)[0].target == f"/in?id={event}"
    delivery.await_state("DELIVERED")
    assert delivery.postback()["AttemptList"][0]["Request"]["Url"] == receiver.url(f"/in?id={event}")


def test_a_good_certificate_for_a_name_and_the_name_is_sent_ahead(world, receivers, authority):
    asked = []
    context = serving(authority.issue("localhost"))
    context.sni_callback = lambda sock, name, original: asked.append(name)
    receiver = receivers(tls=context)
    delivery = Delivery(world, receiver.url(host="localhost"))
    delivery.send()
    delivery.await_state("DELIVERED")
    assert asked == ["localhost"]


def test_a_connection_is_kept_over_tls_too(world, receivers, authority):
    receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url(), MaximumConcurrentRequests=1)
    delivery.send_many(20)
    delivery.await_state("DELIVERED", 20)
    assert receiver.connections == 1


def test_large_bodies_over_tls(world, receivers, authority):
    receiver = receivers(answers(200, "y" * 100000), tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url(), SuccessResponse="yyy")
    delivery.send(SubId1="x" * 60000)
    assert len(receiver.wait(1)[0].body) > 60000
    delivery.await_state("DELIVERED")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(world, receivers, authority, version):
    context = serving(authority.issue("127.0.0.1"), minimum_version=version, maximum_version=version)
    receiver = receivers(tls=context)
    delivery = Delivery(world, receiver.url())
    delivery.send()
    delivery.await_state("DELIVERED")


@pytest.mark.parametrize("name,make,detail", [
    ("expired", lambda own, other: own.issue("127.0.0.1", start=-30 * DAY, end=-DAY),
     "certificate has expired"),
    ("not yet valid", lambda own, other: own.issue("127.0.0.1", start=DAY), "certificate is not yet valid"),
    ("another address", lambda own, other: own.issue("127.0.0.2"), "certificate is for another name"),
    ("a name instead of the address", lambda own, other: own.issue("localhost"),
     "certificate is for another name"),
    ("self-signed", lambda own, other: own.issue("127.0.0.1", self_signed=True),
     "self-signed certificate"),
    ("another authority", lambda own, other: other.issue("127.0.0.1"), "unable to get local issuer"),
])
def test_each_fault_of_a_certificate_has_its_own_words(
        world, receivers, authority, tmp_path, name, make, detail):
    good = serving(authority.issue("127.0.0.1"))
    receiver = receivers(tls=serving(make(authority, Authority(tmp_path, "Another Authority"))))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == ("tls", "destination")
    assert detail in attempt["Detail"], attempt["Detail"]
    assert receiver.requests == [], "nothing is sent before the certificate is verified"
    waiting = delivery.await_state("WAITING")[0]
    assert waiting["LastError"].startswith("tls: ") and detail in waiting["LastError"]
    receiver.tls = good
    delivery.sent_after_retry(receiver, 1)
    delivery.await_state("DELIVERED")


@pytest.mark.parametrize("pattern", ["*.localhost", "l*.localhost", "evil.localhost", "localhost.evil"])
def test_a_name_matches_as_a_whole(world, receivers, authority, pattern):
    receiver = receivers(tls=serving(authority.issue(pattern)))
    attempt = failed_attempt(world, receiver.url(host="localhost"))
    assert attempt["Detail"] == "certificate is for another name"
    assert receiver.requests == []


@pytest.fixture(scope="module")
def named(authority):
    """A world whose name server leads every name of the tests to this machine."""
    with Names() as names, Server("--ca-file", authority.file, "--deadline", "3",
                                  "--name-servers", names.address) as running:
        for host in ("my_host.shop.example", "a.my_host.shop.example", "my_host.example"):
            names.records[host] = [("127.0.0.1", 60)]
        yield World(running)


@pytest.mark.parametrize("host,name,delivered", [
    ("my_host.shop.example", "*.shop.example", True),
    ("my_host.shop.example.", "*.shop.example", True),
    ("MY_HOST.shop.example", "*.SHOP.example", True),
    ("my_host.shop.example", "my_host.shop.example", True),
    ("a.my_host.shop.example", "*.my_host.shop.example", True),
    ("a.my_host.shop.example", "*.shop.example", False),
    ("my_host.shop.example", "my*.shop.example", False),
    ("my_host.shop.example", "*.example", False),
    ("my_host.example", "*.example", False),
])
def test_a_wildcard_stands_for_a_label_with_an_underscore(
        named, receivers, authority, host, name, delivered):
    """R3: as other clients take it, and no more than for a label without one."""
    receiver = receivers(tls=serving(authority.issue(name)))
    if not delivered:
        attempt = failed_attempt(named, receiver.url(host=host))
        assert attempt["Detail"] == "certificate is for another name"
        return
    delivery = Delivery(named, receiver.url(host=host))
    delivery.send_many(2)  # the second one with a session or a kept connection
    delivery.await_state("DELIVERED", 2)


def test_a_chain_is_verified_for_a_name_with_an_underscore_too(named, receivers, tmp_path):
    """R3: the name alone is looked at again."""
    receiver = receivers(tls=serving(Authority(tmp_path, "Unknown").issue("*.shop.example")))
    attempt = failed_attempt(named, receiver.url(host="my_host.shop.example"))
    assert "unable to get local issuer" in attempt["Detail"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_of_tls_are_not_spoken(world, receivers, authority):
    context = serving(authority.issue("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    attempt = failed_attempt(world, receivers(tls=context).url())
    assert attempt["Error"] == "tls" and "1.2" in attempt["Detail"]


def test_a_receiver_without_tls_is_told(world):
    """Plain HTTP where https was said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        delivery = Delivery(world, f"https://127.0.0.1:{port}/")
        delivery.send()
        sock, _ = listener.accept()
        with sock:
            sock.recv(4096)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Detail"]) == (
        "tls", "the receiver does not speak TLS on this port")


def test_a_client_certificate_that_is_wanted_is_told(world, receivers, authority):
    context = serving(authority.issue("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    attempt = failed_attempt(world, receivers(tls=context).url())
    assert attempt["Error"] == "tls" and "client certificate" in attempt["Detail"]


def test_a_handshake_that_hangs_meets_the_deadline(world):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects, nobody speaks
        attempt = failed_attempt(world, f"https://127.0.0.1:{silent.getsockname()[1]}/")
    assert attempt["Error"] == "timeout"
    assert attempt["Detail"] == "timed out after 3 s: TLS handshake"


def test_a_handshake_that_is_cut_off_is_told(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        delivery = Delivery(world, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        delivery.send()
        sock, _ = listener.accept()
        sock.recv(1)
        sock.close()
        attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] in ("tls", "reset") and attempt["Verdict"] == "destination"


def test_an_answer_cut_off_without_a_closing_alert_is_not_whole(world, receivers, authority):
    """Anyone on the way could cut an answer that runs to the close."""
    def cuts(connection, _request):
        connection.send("HTTP/1.1 200 OK\r\n\r\nhalf an ans")
        return connection.reset()
    receiver = receivers(cuts, tls=serving(authority.issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == ("reset", "destination")


def test_a_system_without_authorities_is_told_at_the_start(receivers, authority, tmp_path):
    nowhere = {"SSL_CERT_FILE": str(tmp_path / "none.pem"), "SSL_CERT_DIR": str(tmp_path / "none")}
    with Server(env=nowhere) as server:
        assert "system_authorities_unreadable" in server.log()
        assert str(tmp_path / "none.pem") in server.log()
        receiver = receivers(tls=serving(authority.issue("127.0.0.1")))
        attempt = failed_attempt(World(server), receiver.url())
        assert attempt["Error"] == "tls" and "issuer certificate" in attempt["Detail"]
    with Server() as server:
        assert "system_authorities_unreadable" not in server.log()


def test_a_ca_file_that_cannot_be_used_is_told_at_the_start(tmp_path):
    wrong = tmp_path / "wrong.pem"
    for text in (None, "not a certificate"):
        if text is not None:
            wrong.write_text(text)
        ended = subprocess.run([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen",
                                "127.0.0.1:0", "--ca-file", str(wrong)],
                               capture_output=True, text=True, timeout=20)
        assert ended.returncode not in (0, -6, -11), ended.stderr
        assert "--ca-file" in ended.stderr and str(wrong) in ended.stderr
