"""Two who change one thing: both versions side by side, and the choice between them."""

from harness.server import await_until


def settings(account, id):
    return account.ok(account.get(f"EventNotifications/{id}"))


def name_it(browser, text):
    """As often as it takes: what a save draws anew may take the selection away."""
    browser.until(lambda: browser.fill("Name", text).field("Name").get_property("value") == text, f"the name {text}")


def test_the_second_of_two_sees_both_versions_and_chooses(browser, world):
    made = world.notify(world.partner, "https://example.com/in", Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")

    def meanwhile(**fields):
        world.partner.ok(world.partner.put(made["Uri"], fields))

    # keep mine
    name_it(browser, "Mine")
    meanwhile(Name="Theirs", MinimumDelay="60")
    browser.click("Save").see("Somebody else changed this")
    for words in ("Name Mine Theirs", "Minimum Delay 0 60"):
        browser.until(lambda: words in " ".join(browser.text("dialog table").split()), words)
    browser.picture("conflict")  # the form still waits for the choice
    browser.fits()
    browser.check_accessibility()
    assert settings(world.partner, made["Id"])["Name"] == "Theirs"
    browser.click("Keep mine").see("Saved.").settled()
    got = settings(world.partner, made["Id"])
    assert (got["Name"], got["MinimumDelay"], got["Revision"]) == ("Mine", "0", "3")

    # neither: what is typed stays, and the choice comes again
    name_it(browser, "Mine again")
    meanwhile(Name="Theirs again")
    browser.click("Save").see("Somebody else changed this").click("Close", within="dialog")
    browser.see("Not saved: somebody else changed it meanwhile.").settled()
    assert browser.field("Name").get_property("value") == "Mine again"

    # take theirs
    browser.click("Save").click("Take theirs")
    browser.until(lambda: browser.field("Name").get_property("value") == "Theirs again", "their name")
    browser.settled()
    name_it(browser, "Mine at last")
    browser.click("Save")
    await_until(lambda: settings(world.partner, made["Id"])["Name"] == "Mine at last", "a save without a question")
