"""--egress-proxy: postbacks go through a proxy's CONNECT, and what it does wrong is told."""

import contextlib
import socket
import subprocess

import pytest

from harness.certificates import Authority, serving
from harness.delivery import Delivery
from harness.names import Names
from harness.proxy import Proxy, connects, endless, needs, says
from harness.server import BINARY, Server, World, await_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def proxy():
    running = Proxy()
    yield running
    running.close()


PASSWORD = "out side/s3cret"


@pytest.fixture(scope="module")
def server(authority, proxy):
    setting = f"http://ann:out%20side%2Fs3cret@127.0.0.1:{proxy.port}"
    with Server("--ca-file", authority.file, "--deadline", "2", "--egress-proxy", setting) as running:
        yield running
        assert running.process.poll() is None, "the server died:\n" + running.log()
        assert running.stop() == 0, running.log()
        assert "s3cret" not in running.log()


@pytest.fixture(autouse=True)
def fresh(proxy):
    proxy.behave = needs("ann", PASSWORD)
    proxy.asked.clear()


def failed(delivery):
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Verdict"]) == ("connect", "destination")
    return attempt["Detail"]


def test_http_and_https_go_through_the_proxy(world, receivers, authority, proxy):
    plain, secure = receivers(), receivers(tls=serving(authority.issue("localhost")))
    for receiver, url in ((plain, plain.url()), (secure, secure.url(host="localhost"))):
        delivery = Delivery(world, url, account=world.account("PARTNER", "One"),
                            MaximumConcurrentRequests=1)
        delivery.send_many(5)
        delivery.await_state("DELIVERED", 5)
        assert receiver.connections == 1, "a tunnel is kept as a connection is"
        assert len(receiver.requests) == 5
        assert receiver.requests[0].header("proxy-authorization") is None
        assert "s3cret" not in delivery.api.get(f"Postbacks/{delivery.await_any()['Id']}").text
    assert proxy.targets == [f"127.0.0.1:{plain.port}", f"localhost:{secure.port}"]


def test_a_test_postback_goes_there_too(world, receivers, proxy):
    receiver = receivers()
    delivery = Delivery(world, receiver.url())
    tested = delivery.api.ok(delivery.api.post(f"{delivery.path}/Test"))
    assert tested["Verdict"] == "delivered" and proxy.targets == [f"127.0.0.1:{receiver.port}"]


@pytest.mark.parametrize("name,behave,words", [
    ("407", needs("ann", "another"),
     "the egress proxy refused: 407 Proxy Authentication Required"),
    ("403", says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n"),
     "the egress proxy refused: 403 Forbidden"),
    ("502", says(b"HTTP/1.0 502 Bad Gateway\r\n\r\n"), "the egress proxy refused: 502 Bad Gateway"),
    ("closes", says(b""), "the egress proxy closed the connection without an answer"),
    ("closes within", says(b"HTTP/1.1 200 O"),
     "the egress proxy closed the connection without an answer"),
    ("endless headers", endless, "the egress proxy answered with more than 8 KiB of headers"),
    ("no HTTP", says(b"SSH-2.0-OpenSSH_9.2\r\n"), "the egress proxy did not answer with HTTP"),
    ("an answer of its own behind", says(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"
                                         b"Content-Length: 0\r\n\r\n"),
     "the egress proxy said more than its answer before it was asked"),
])
def test_what_a_proxy_does_wrong_is_told(world, receivers, proxy, name, behave, words):
    receiver = receivers()
    proxy.behave = behave
    delivery = Delivery(world, receiver.url())
    assert failed(delivery) == words
    assert receiver.connections == 0
    proxy.behave = connects
    delivery.sent_after_retry(receiver, 1)
    delivery.await_state("DELIVERED")


def test_a_proxy_that_hangs_meets_the_deadline(world, receivers, proxy):
    proxy.behave = proxy.hangs
    delivery = Delivery(world, receivers().url())
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert (attempt["Error"], attempt["Detail"]) == (
        "timeout", "timed out after 2 s: waiting for the egress proxy")


def test_a_receivers_certificate_is_verified_through_the_tunnel(world, receivers, tmp_path):
    receiver = receivers(tls=serving(Authority(tmp_path, "Another").issue("127.0.0.1")))
    delivery = Delivery(world, receiver.url())
    delivery.send()
    assert delivery.await_attempts(1)[0]["Error"] == "tls"
    assert receiver.requests == []


@pytest.mark.parametrize("url", ["http://10.1.2.3/x", "https://[fd00::1]/x", "http://169.254.169.254/x"])
def test_private_addresses_are_refused_before_the_proxy_is_asked(world, proxy, url):
    delivery = Delivery(world, url)
    delivery.send()
    attempt = delivery.await_attempts(1)[0]
    assert attempt["Error"] == "refused_address", attempt
    assert proxy.asked == []


def test_a_name_of_a_private_address_is_refused_too(proxy, receivers):
    with Server("--egress-proxy", proxy.url, "--allow-egress", "10.0.0.0/8") as server:
        receiver = receivers()
        delivery = Delivery(World(server), receiver.url(host="localhost"))
        delivery.send()
        attempt = delivery.await_attempts(1)[0]
        assert attempt["Error"] == "refused_address" and "loopback" in attempt["Detail"]
        assert proxy.asked == [] and receiver.connections == 0


def test_a_proxy_that_is_down_is_named(receivers):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Server("--egress-proxy", f"http://127.0.0.1:{port}") as server:
        delivery = Delivery(World(server), receivers().url())
        detail = failed(delivery)
        assert detail == f"the egress proxy, 127.0.0.1 port {port}: connection refused"


def test_a_proxy_without_an_address_is_named(receivers):
    with Server("--egress-proxy", "http://proxy.invalid:3128") as server:
        delivery = Delivery(World(server), receivers().url())
        delivery.send()
        attempt = await_until(lambda: delivery.postback()["AttemptList"], "an attempt", 40)[0]
        assert attempt["Error"] in ("connect", "timeout")
        assert "egress proxy" in attempt["Detail"], attempt["Detail"]


@pytest.mark.parametrize("setting", ["proxy:3128", "https://ann:s3cret@proxy:3128",
                                     "http://s3cret@proxy:3128", "http://ann:s3cret@proxy:3128/x"])
def test_a_setting_that_is_wrong_is_told_at_the_start_and_not_repeated(tmp_path, setting):
    ended = subprocess.run([BINARY, "serve", "--data", str(tmp_path / "data"), "--listen",
                            "127.0.0.1:0", "--egress-proxy", setting],
                           capture_output=True, text=True, timeout=20)
    assert ended.returncode not in (0, -6, -11), ended.stderr
    assert "--egress-proxy" in ended.stderr and "s3cret" not in ended.stderr


def test_names_that_lead_elsewhere_are_followed(receivers):
    """The receiver's, which the proxy looks up by itself, and the proxy's own."""
    far = {"moving.test": receivers(), "staying.test": receivers()}

    def behave(sock, lines):
        host, _ = connects(sock, lines)
        return "127.0.0.1", far[host].port

    with Names() as names, contextlib.closing(Proxy(behave)) as old:
        names.records.update({name: [("127.0.0.1", 1)] for name in ("proxy.test", *far)})
        with Server("--name-servers", names.address, "--egress-proxy",
                    f"http://proxy.test:{old.port}") as server:
            world = World(server)
            moving, staying = (Delivery(world, f"http://{host}/", account=world.account(
                "PARTNER", host), MaximumConcurrentRequests=1) for host in far)
            for delivery in (moving, staying):
                delivery.send_many(2)
                delivery.await_state("DELIVERED", 2)
            far["moving.test"] = there = receivers()
            names.records["moving.test"] = [("127.0.0.2", 1)]
            await_until(lambda: staying.send() and moving.send() and there.requests,
                        "a request through a new tunnel")
            assert far["staying.test"].connections == 1
            with contextlib.closing(Proxy(behave, "127.0.0.2", old.port)) as new:
                names.records["proxy.test"] = [("127.0.0.2", 1)]
                await_until(lambda: staying.send() and new.asked, "a tunnel of the new proxy")
            assert server.stop() == 0, server.log()
