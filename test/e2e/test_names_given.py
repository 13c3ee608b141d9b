"""Names and mail addresses as they are given: what others would misread is refused, with words."""


import pytest

MISLEADING = ["evil\u202egpj.exe", "a\u2066b", "a\u200bb", "a\u2028b", "\ufeffa", "a\uffffb", "\u00a0\u3000"]
ADDRESSES = ["-oQ/tmp@x.example", "|/bin/sh@x.example", "/tmp/x@y.example", "a@x.example\n-oQ", "a b@x.example",
             "a@-x.example", "a..b@x.example", "a@x_y.example", "$(id)@x.example"]


def refused(answer, field):
    assert answer.status_code == 400, f"{answer.status_code}: {answer.text}"
    told = {one["Field"]: one["Message"] for one in answer.json()["Errors"]}
    assert set(told) == {field} and told[field], told
    return told[field]


def places(world):
    """Where a name is given: a call with the name, and its field."""
    op, sid = world.operator, world.partner.sid
    made = world.notify(world.partner, "http://127.0.0.1:9/p")
    return {
        "a new account": (lambda name: op.post("Accounts", {"Kind": "PARTNER", "Name": name}), "Name"),
        "an account": (lambda name: op.put(f"Accounts/{sid}", {"Name": name}), "Name"),
        "a user": (lambda name: op.post(f"Accounts/{sid}/Users", {
            "Email": "dana@example.com", "Name": name, "Password": "a long pass phrase"}), "Name"),
        "a token's label": (lambda name: op.post(f"Accounts/{sid}/Tokens", {
            "Scope": "API", "Label": name}), "Label"),
        "a campaign": (lambda name: op.post("Campaigns", {
            "BrandSid": world.brand.sid, "Name": name, "Currency": "EUR"}), "Name"),
        "a tracker": (lambda name: op.post(f"Campaigns/{world.campaign}/Trackers", {"Name": name}), "Name"),
        "a tracking token": (lambda name: op.post(
            f"Campaigns/{world.campaign}/TrackingTokens", {"Label": name}), "Label"),
        "a new event notification": (lambda name: world.partner.post("EventNotifications", {
            "Category": "Action Inquiry Events", "Url": "http://127.0.0.1:9/p", "Method": "GET",
            "Name": name}), "Name"),
        "an event notification": (lambda name: world.partner.put(made["Uri"], {"Name": name}), "Name"),
        "a support request": (lambda name: world.partner.post("SupportRequests", {
            "Kind": "OTHER", "Subject": name, "Text": "Hello"}), "Subject"),
        "an event type": (lambda name: op.post("EventTypes", {
            "Name": "shop.named", "Meaning": name,
            "DataPoints": [{"Name": "X", "Type": "text", "Meaning": "m", "Sample": "s"}]}), "Meaning"),
    }


def test_a_name_that_is_misread_is_refused_everywhere(world):
    """A18: U+202E in names."""
    for where, (give, field) in places(world).items():
        for name in MISLEADING:
            message = refused(give(name), field)
            assert "U+" in message or "seen" in message, f"{where}: {message}"


def test_names_of_people_are_taken(world):
    """A18: letters of all scripts, joiners and emoji go on."""
    for where, (give, _) in places(world).items():
        name = "Žofie مقهى 株式会社 👩\u200d🔧"
        answer = give(name)
        assert answer.status_code == 200, f"{where}: {answer.text}"


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_refused_when_given(world, address):
    """A18: an account's Email, a user's, the operator's own."""
    op, sid = world.operator, world.partner.sid
    refused(op.post("Accounts", {"Kind": "PARTNER", "Name": "x", "Email": address}), "Email")
    refused(op.put(f"Accounts/{sid}", {"Email": address}), "Email")
    refused(op.put(f"Accounts/{op.sid}", {"Email": address}), "Email")
    refused(op.post(f"Accounts/{sid}/Users", {
        "Email": address, "Name": "x", "Password": "a long pass phrase"}), "Email")


def test_what_was_stored_before_goes_on(world, receivers):
    """A18: only what is given anew is checked: a notification with such a name sends, shows it, and
    is changed in everything else."""
    receiver = receivers()
    made = world.notify(world.partner, receiver.url(), Name="PLAIN")
    world.server.stop()
    world.server.store.execute("UPDATE notification_revision SET settings = "
                               "replace(settings, 'PLAIN', ?)", "old\u202ename")
    world.server.start()
    world.moved()
    shown = world.partner.ok(world.partner.get(made["Uri"]))
    assert shown["Name"] == "old\u202ename" and shown["State"] == "ACTIVE"
    world.partner.ok(world.partner.put(made["Uri"], {**shown, "MaximumRequests": "5"}))
    world.open()
    receiver.wait(1)
    refused(world.partner.put(made["Uri"], {"Name": "new\u202ename"}), "Name")
