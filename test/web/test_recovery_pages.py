"""A partner's way from nothing to a first delivered test, by keyboard alone; and from an outage back."""

import pytest
from harness.receiver import answers
from harness.server import await_until
from selenium.webdriver.common.keys import Keys

DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def active(browser, script):
    return browser.driver.execute_script(
        f"const one = document.activeElement; return {script}")


def tab_to(browser, what, script, most=80):
    """Tab, until the script's answer for what has the focus is true."""
    seen = []
    for _ in range(most):
        if active(browser, script):
            return
        seen.append(active(browser, "one.getAttribute(\"aria-label\") || one.labels?.[0]?.innerText || one.innerText?.slice(0, 30)"))
        browser.keys(Keys.TAB)
    raise AssertionError(f"Tab does not lead to {what}: {seen}")


def label_is(words):
    return f"one.labels?.[0]?.innerText.trim().startsWith({words!r})"


def text_is(words):
    return f"one.innerText?.trim() === {words!r}"


def notifications(world, **query):
    return world.partner.ok(world.partner.get("EventNotifications", **query))["EventNotifications"]


def test_four_steps_by_keyboard_from_none_to_the_first_delivered_test(browser, world, receiver):
    browser.sign_in(world.partner, "/notifications")
    browser.see("No event notifications yet", "Four steps to the first delivered test:")
    browser.screenshot("notifications-none")
    tab_to(browser, "Add", text_is("Add your first event notification"))
    browser.keys(Keys.ENTER)
    browser.at("/notifications/new")
    browser.see("Which events?")
    tab_to(browser, "the category", text_is("Action Inquiry Events"))
    browser.keys(Keys.ENTER)
    browser.see("Preview")
    tab_to(browser, "the URL", label_is("URL"))
    browser.keys(receiver.url("/in"))
    tab_to(browser, "the way past the data points", text_is("Skip the data points"))
    browser.keys(Keys.ENTER)
    tab_to(browser, "the test", text_is("Add and send test"))
    browser.keys(Keys.ENTER)
    browser.see("Delivered: the receiver answered 200", within=".trial")
    assert receiver.wait(1)[0].target == "/in"
    made = notifications(world)
    assert [one["Url"] for one in made] == [receiver.url("/in")]
    assert len(receiver.requests) == 1
    # What went to and fro is searched.
    browser.fill("Find in request and response", "WEBHOOK-").see("place", within=".find-in")
    count = len(browser.all(".trial mark"))
    assert count > 2 and browser.text(".find-in").endswith(f"{count} places")
    browser.fill("Find in request and response", "nothing like it").see("Nowhere", within=".find-in")
    assert not browser.all(".trial mark")


def fail(world, receiver, notification):
    """Until it is called failing; what it lost is given up."""
    receiver.behave = answers(503, "busy")

    def failing():
        shown = world.partner.ok(world.partner.get(f"{notification['Uri']}/Health"))
        if shown["Failing"] == "true" and shown["DownSinceDate"]:
            return True
        world.open()
        return False
    await_until(failing, "it to fail")


@DESKTOP
def test_why_one_fails_is_said_in_the_list_and_beside_its_settings(browser, world, receivers):
    well, ill = receivers(), receivers()
    world.notify(world.partner, well.url("/well"), Name="Our tracker")
    made = world.notify(world.partner, ill.url("/ill"), Name="The other")
    fail(world, ill, made)
    browser.sign_in(world.partner, "/notifications")
    browser.see("Our tracker", "The other", "Failing since", "the receiver answered 503")
    browser.until(lambda: "503" in browser.text(".outcomes"), "the outcomes of the hour")
    browser.until(lambda: browser.all(".menu-count[aria-label='1 failing']"), "the count in the menu")
    browser.screenshot("notifications-failing")
    browser.tick("Only failing")
    browser.see_no("Our tracker").see("The other")
    assert browser.driver.current_url.endswith("/notifications?Failing=true")
    browser.fill("Search", "tracker").see("None of them is like that.")
    browser.tick("Only failing", False)
    browser.see("Our tracker").see_no("The other")
    browser.fill("Search", "/ILL").see("The other").see_no("Our tracker")
    browser.click("The other")
    browser.at(f"/notifications/{made['Id']}")
    browser.see("Failing since", "the receiver answered 503", "Tried again at", "Errors, last hour")
    browser.screenshot("notification-failing")


def give_up(world, notification, count):
    """So many that were cancelled, while it was paused."""
    world.partner.ok(world.partner.post(notification["Uri"] + "/Pause"))
    for _ in range(count):
        world.open()
    for one in world.await_state(world.partner, "WAITING", count):
        world.partner.ok(world.partner.post(one["Uri"] + "/Cancel"))
    world.partner.ok(world.partner.post(notification["Uri"] + "/Resume"))


def way(browser, title):
    """Of the three of the dialog the one with this title: how many it would send."""
    return browser.driver.execute_script("""
      const one = [...document.querySelectorAll('.way')].find((way) => way.querySelector('h3').innerText === arguments[0]);
      return one?.querySelector('.count').innerText""", title)


def counts(browser, **wanted):
    for title, count in wanted.items():
        browser.until(lambda: way(browser, title) == count,
                      f"{count} of {title}, not {way(browser, title)}")


def test_what_was_lost_is_counted_sent_and_taken_back(browser, world, receivers):
    receiver = receivers()
    world.open()                                   # before there was one: it is missing
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    world.open()
    world.await_state(world.partner, "DELIVERED", 1)
    give_up(world, made, 3)
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Recover")
    counts(browser, Failed="3", Missing="1", Everything="4")
    browser.screenshot("notification-recover")
    browser.click("Send failed")
    browser.see("Done: 3 postbacks sent.")
    receiver.wait(4)
    browser.click("Close", within="dialog .actions").click("Recover")
    counts(browser, Failed="0", Missing="1")
    browser.click("Send missing")
    browser.see("Done: 1 postback sent.")
    receiver.wait(5)
    browser.click("Close", within="dialog .actions")


@DESKTOP
def test_more_than_a_hundred_are_asked_about_and_taken_back(browser, world, receivers):
    receiver = receivers()
    for number in range(120):
        world.orders += 1
        world.partner.post("/Events", {
            "Type": "action.tracked", "AccountSids": [world.partner.sid], "Data": {"ActionId": str(number)}})
    made = world.notify(world.partner, receiver.url(), Name="Our tracker", Category="Action Lifecycle Events")
    world.partner.ok(world.partner.post(made["Uri"] + "/Pause"))
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Recover")
    counts(browser, Missing="120")
    browser.click("Send missing").see("Send 120 postbacks?")
    browser.click("Cancel", within="dialog:last-of-type")
    assert world.partner.ok(world.partner.get(made["Uri"] + "/Replays"))["Replays"] == []
    browser.click("Send missing").click("Send them")
    browser.see("0 on their way of 120.")
    browser.until(lambda: browser.all(".recovery progress"), "the bar")
    browser.click("Undo").see("Taken back: 0 postbacks will not be sent.")
    browser.click("Close", within="dialog .actions").click("Resume Our tracker")
    browser.click("Recover")
    counts(browser, Missing="120")
    assert receiver.requests == []
