"""Custom headers and TLS identities go only to the scheme, host and port they were set for."""

import ssl

import pytest

from harness.certificates import Authority, serving
from harness.delivery import Delivery
from harness.receiver import answers

SECRET = "k-5521-secret"


def headers_path(delivery):
    return f"Notifications/{delivery.id}/Headers"


def set_headers(world, delivery, value=SECRET, **more):
    return world.operator.put(headers_path(delivery), {
        "CustomHeaders": [{"Name": "X-Api-Key", "Value": value}], **more})


def agree(world, delivery, to):
    return world.operator.post(f"Notifications/{delivery.id}/Agree", {"For": to})


def with_headers(world, receiver):
    delivery = Delivery(world, receiver.url("/right"))
    world.operator.ok(set_headers(world, delivery))
    return delivery


def key_of(request):
    return request.header("X-Api-Key")


def moved(world, receivers):
    """A notification with a secret header, its receiver, and the stranger its URL leads to now."""
    right, stranger = receivers(), receivers()
    delivery = with_headers(world, right)
    delivery.change(Url=stranger.url("/elsewhere"))
    return delivery, right, stranger


def test_a_secret_header_does_not_follow_the_url(world, receivers):
    """A9: the account points the URL elsewhere: neither Test nor a postback takes the header along."""
    delivery, right, stranger = moved(world, receivers)
    tested = delivery.api.ok(delivery.api.post(f"{delivery.path}/Test"))
    assert tested["Verdict"] == "delivered"
    assert "X-Api-Key" not in [one["Name"] for one in tested["Request"]["Headers"]]
    delivery.send()
    delivery.await_state("DELIVERED")
    assert [key_of(one) for one in stranger.wait(2)] == [None, None]
    shown = delivery.show()
    assert shown["CustomHeaders"] == [{"Name": "X-Api-Key", "Value": "(hidden)"}]
    assert shown["CustomHeadersFor"] == right.url("").rstrip("/")
    assert shown["Destination"] == stranger.url("").rstrip("/")
    assert shown["CredentialsWait"] == "true"
    for who in (world.partner, world.operator):
        notice = world.await_notice(who)
        assert shown["CustomHeadersFor"] in notice["Text"] and delivery.id in notice["Text"]
        assert SECRET not in notice["Text"]


def test_going_back_makes_them_work_again(world, receivers):
    """A9: the old receiver gets them as before, without anybody's agreement."""
    delivery, right, _ = moved(world, receivers)
    delivery.change(Url=right.url("/other-path"), Method="PUT")
    assert delivery.show()["CredentialsWait"] == "false"
    delivery.send()
    assert key_of(right.wait(1)[0]) == SECRET


def test_the_operator_agrees_to_what_was_seen(world, receivers):
    """A9: an agreement names the destination; one to another is refused and changes nothing."""
    delivery, right, stranger = moved(world, receivers)
    first = delivery.show()["Destination"]
    delivery.change(Url=receivers().url("/third"))
    answer = agree(world, delivery, first)
    assert answer.status_code == 409 and delivery.show()["Destination"] in answer.json()["Message"]
    assert delivery.show()["CredentialsWait"] == "true"
    delivery.change(Url=stranger.url("/agreed"))
    world.operator.ok(agree(world, delivery, first))
    assert delivery.show()["CredentialsWait"] == "false"
    delivery.send()
    assert key_of(stranger.wait(1)[0]) == SECRET
    delivery.change(Url=right.url("/right"))  # they are the new receiver's now
    assert delivery.show()["CredentialsWait"] == "true"
    actions = [one["Action"] for one in world.operator.ok(world.operator.get("Audit"))["Entries"]]
    assert "notification.agree" in actions


def test_values_are_kept_only_where_they_belong(world, receivers):
    """A9: "(hidden)" does not carry a waiting value to another receiver; a new value is for it."""
    delivery, _, stranger = moved(world, receivers)
    answer = set_headers(world, delivery, "(hidden)")
    assert answer.status_code == 400
    assert "agree" in answer.json()["Errors"][0]["Message"] and SECRET not in answer.text
    answer = set_headers(world, delivery, "new", For="https://somewhere.example:443")
    assert answer.status_code == 409
    world.operator.ok(set_headers(world, delivery, "new", For=delivery.show()["Destination"]))
    delivery.send()
    assert key_of(stranger.wait(1)[0]) == "new"


def test_waiting_headers_are_taken_away(world, receivers):
    """A9: in place of agreeing the operator removes them."""
    delivery, _, _ = moved(world, receivers)
    world.operator.ok(world.operator.put(headers_path(delivery), {"CustomHeaders": []}))
    shown = delivery.show()
    assert (shown["CredentialsWait"], shown["CustomHeadersFor"]) == ("false", "")


def test_opening_a_data_point_is_no_agreement(world, receivers):
    """A9: the revision that opening one writes is of the same settings, secrets and destination."""
    delivery, _, stranger = moved(world, receivers)
    before = delivery.show()["Revision"]
    world.operator.ok(world.operator.put(
        f"Accounts/{world.partner.sid}/DataPoints", {"DataPoints": ["MediaPartnerSid"]}))
    shown = delivery.show()
    assert (int(shown["Revision"]), shown["CredentialsWait"]) == (int(before) + 1, "true")
    delivery.send()
    assert key_of(stranger.wait(1)[0]) is None


def test_what_failed_before_is_tried_without_them(world, receivers):
    """A9: an older postback, first tried at the right receiver, is tried again elsewhere."""
    right, stranger = receivers(answers(500)), receivers()
    delivery = with_headers(world, right)
    delivery.send()
    delivery.await_attempts(1)
    delivery.change(Url=stranger.url("/elsewhere"))
    assert key_of(stranger.wait(1)[0]) is None
    delivery.await_state("DELIVERED")
    first, last = delivery.postback()["AttemptList"][0], delivery.postback()["AttemptList"][-1]
    assert "X-Api-Key" in [one["Name"] for one in first["Request"]["Headers"]]
    assert "X-Api-Key" not in [one["Name"] for one in last["Request"]["Headers"]]


def test_it_waits_over_a_restart(world, receivers):
    """A9: what they were set for is on disk."""
    delivery, _, stranger = moved(world, receivers)
    world.server.stop()
    world.server.start()
    world.moved()
    assert delivery.show()["CredentialsWait"] == "true"
    delivery.send()
    assert key_of(stranger.wait(1)[0]) is None


@pytest.mark.parametrize("url", ["HTTP://LocalHost:{port}/x", "http://localhost.:{port}/y?z={{Oid}}"])
def test_another_spelling_is_the_same_place(world, receivers, url):
    """A9: capitals and the dot behind a name lead to the same receiver."""
    receiver = receivers()
    delivery = Delivery(world, f"http://localhost:{receiver.port}/a")
    world.operator.ok(set_headers(world, delivery))
    delivery.change(Url=url.format(port=receiver.port))
    assert delivery.show()["CredentialsWait"] == "false"


def test_a_client_certificate_does_not_follow_the_url(world, receivers, tmp_path):
    """A9: the key signs nothing for a stranger, who asks for a certificate all the same."""
    authority = Authority(tmp_path)
    context = serving(authority.issue("127.0.0.1"), verify_mode=ssl.CERT_OPTIONAL)
    context.load_verify_locations(authority.file)
    right, stranger = receivers(tls=context), receivers(tls=context)
    delivery = Delivery(world, right.url("/right"))
    certificate, key = authority.client("postbackd")
    world.operator.ok(world.operator.put(f"Notifications/{delivery.id}/Tls", {
        "CaCertificate": authority.pem, "ClientCertificate": certificate, "ClientKey": key}))
    delivery.send()
    delivery.await_state("DELIVERED")
    delivery.change(Url=stranger.url("/elsewhere"))
    shown = delivery.show()
    assert shown["CredentialsWait"] == "true" and shown["TlsFor"].startswith("https://127.0.0.1:")
    tested = delivery.api.ok(delivery.api.post(f"{delivery.path}/Test"))
    assert tested["Response"]["Error"] == "tls", tested  # nor is its authority trusted there
    assert not stranger.requests
    world.operator.ok(agree(world, delivery, shown["Destination"]))
    delivery.send()
    delivery.await_state("DELIVERED", 2)


def test_moving_to_and_fro_does_not_fill_the_notices(world, receivers):
    """A9: a notice that is unread is not written again."""
    delivery, right, stranger = moved(world, receivers)
    for _ in range(5):
        delivery.change(Url=right.url("/back"))
        delivery.change(Url=stranger.url("/again"))
    notices = [one for one in world.operator.ok(world.operator.get("Notices"))["Notices"]
               if one["Kind"] == "notification.credentials_wait" and f" {delivery.id}," in one["Text"]]
    assert len(notices) == 1, notices
