"""The log of postbacks, one postback, notices and support, as an account's person uses them."""

import subprocess

import pytest
from harness.delivery import Delivery
from harness.receiver import answers

MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"
DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def rows(browser):
    return len(browser.all(".table-place tbody tr"))


def test_a_new_postback_appears_by_itself(browser, world, receiver):
    work = Delivery(world, receiver.url())
    browser.sign_in(world.partner, "/postbacks")
    browser.see("No postback like that.")
    work.send()
    browser.until(lambda: rows(browser) == 1, "the postback to appear")
    browser.see("Delivered", within=".table-place")
    focused = "return document.activeElement.getAttribute('href')"
    first = browser.driver.execute_script("document.querySelector('.table-place a').focus(); " + focused)
    work.send()
    browser.until(lambda: rows(browser) == 2, "the second to appear")
    assert first and browser.driver.execute_script(focused) == first, "the focus stays where it was"
    browser.screenshot("postbacks")


@DESKTOP
def test_a_tab_that_nobody_sees_holds_no_call(browser, world, receiver):
    """A browser has six connections to a server for all its tabs."""
    def shown(seen):
        browser.driver.execute_script("""
          Object.defineProperty(document, 'hidden', { value: !arguments[0], configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));""", seen)
    work = Delivery(world, receiver.url())
    browser.sign_in(world.partner, "/postbacks")
    browser.see("No postback like that.")
    browser.hold("/Changes")
    work.send()
    browser.until(browser.held, "the next call to wait")
    shown(False)
    assert browser.driver.execute_script("return window.held.every((one) => one.signal.aborted)")
    work.send()
    world.await_state(world.partner, "DELIVERED", 2)
    assert browser.held() == 1
    shown(True)
    browser.until(lambda: browser.held() > 1, "a call anew")
    browser.let_go(first=1)
    browser.until(lambda: rows(browser) == 2, "both")


@DESKTOP
def test_an_event_notification_beyond_a_page_has_its_name(browser, world, receivers):
    for name in "First", "Second", "Third":
        world.notify(world.partner, receivers().url(), Name=name)
    script = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source="""
      const real = fetch;
      fetch = (path, options) => real(String(path).replace('PageSize=1000', 'PageSize=2'), options);""")
    try:
        browser.sign_in(world.partner, "/postbacks")
        for name in "First", "Second", "Third":
            browser.choose("Event notification", name)
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_the_log_says_why_one_waits_and_is_filtered(browser, world, receivers):
    sick, well = receivers(answers(503)), receivers()
    Delivery(world, well.url(), Name="Well")
    Delivery(world, sick.url(), Name="Sick").send()  # to both
    world.await_state(world.partner, "WAITING")
    world.await_state(world.partner, "DELIVERED")
    browser.sign_in(world.partner, "/postbacks")
    browser.see("2nd try, receiver answered 503")
    browser.choose("State", "Delivered")
    browser.see_no("receiver answered 503", within=".table-place")
    browser.see("Delivered", within=".table-place")
    browser.go("/postbacks?State=WAITING")
    browser.see("receiver answered 503")
    assert "State=WAITING" in browser.path


def test_one_postback_shows_its_attempts_and_is_retried_cancelled_and_resent(browser, world, receivers):
    sick = receivers(answers(503, body=MARKUP))
    work = Delivery(world, sick.url())
    work.send()
    waiting = world.await_state(world.partner, "WAITING")[0]
    browser.sign_in(world.partner, f"/postbacks/{waiting['Id']}")
    browser.see("Attempt 1", "503", MARKUP, "webhook-id")  # the answer's markup is text
    assert not browser.all("pre img")
    browser.screenshot("postback")
    browser.click("Retry now")
    browser.see("Attempt 2")
    browser.click("Cancel")
    browser.click("Cancel the postback", within="dialog")
    browser.see("Cancelled")
    sick.behave = answers(200)
    browser.click("Resend")
    browser.until(lambda: waiting["Id"] not in browser.path, "the new postback's page")
    browser.see("Delivered", "Sends again")


def test_a_request_is_copied_as_curl_and_makes_the_same_again(browser, world, receiver):
    made = world.notify(world.partner, receiver.url("/in?order={OrderId}&set[]={State}"), Method="POST")
    world.open(OrderId="it's \"O-1\" & 日本")
    first = receiver.wait(1)[0]
    postback = world.await_state(world.partner, "DELIVERED", NotificationId=made["Id"])[0]
    browser.sign_in(world.partner, f"/postbacks/{postback['Id']}")
    browser.driver.execute_script("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    browser.click("Copy as curl").see("Copied.")
    command = browser.driver.execute_script("return window.copied")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=30)
    again = receiver.wait(2)[1]
    assert (again.method, again.target, again.body) == (first.method, first.target, first.body)
    for name in ("webhook-id", "webhook-timestamp", "content-type"):
        assert again.header(name) == first.header(name)
    assert again.header("webhook-signature") == "(hidden)"  # as on the page
    assert '"OrderId": ' not in browser.text('pre[aria-label="Request"]')
    browser.click("Indent")
    browser.see('"OrderId": ', within='pre[aria-label="Request"]')
    browser.screenshot("postback-request")


def test_who_only_reads_changes_nothing(browser, world, receivers):
    work = Delivery(world, receivers(answers(503)).url())
    work.send()
    waiting = world.await_state(world.partner, "WAITING")[0]
    browser.sign_in(world.partner, f"/postbacks/{waiting['Id']}", role="READ_ONLY")
    browser.see("Attempt 1")
    assert not browser.named("button", "Retry now")


@DESKTOP
def test_one_of_another_day_says_which(browser, world):
    browser.sign_in(world.partner, "/postbacks")
    says = browser.driver.execute_async_script("""
      const done = arguments[0];
      import('/assets/postback_words.js').then(({ postbackSays }) => done(['DELIVERED', 'CANCELLED', 'EXPIRED'].map((State) =>
        postbackSays({ State, Attempts: '1', FinishedDate: '2025-03-04T12:00:00Z' }))));""")
    assert all("2025" in one for one in says), says


def test_another_accounts_postback_is_not_there(browser, world, receiver):
    work = Delivery(world, receiver.url())
    work.send()
    postback = world.await_state(world.partner, "DELIVERED")[0]
    browser.sign_in(world.account("PARTNER", "Stranger"), f"/postbacks/{postback['Id']}")
    browser.see("Not found")
    browser.see_no(postback["EventId"])


def test_notices_ring_the_bell_and_are_read(browser, world, receivers):
    gone = receivers(answers(410))
    Delivery(world, gone.url()).send()
    world.await_notice(world.partner)
    browser.sign_in(world.partner, "/notices")
    browser.see("410")
    browser.until(lambda: browser.find(".bell").get_attribute("aria-label") == "Notices, 1 not read", "the bell to ring")
    browser.screenshot("notices")
    browser.click("Mark as read")
    browser.until(lambda: browser.find(".bell").get_attribute("aria-label") == "Notices", "the bell at rest")


def test_support_is_asked_and_answers(browser, world, receiver):
    Delivery(world, receiver.url(), Name="Warehouse")
    browser.sign_in(world.partner, "/support")
    browser.choose("What about", "A custom header with credentials").choose("Event notification", "Warehouse")
    browser.fill("Subject", "A key for " + MARKUP).fill("What do you need", "Whom may I call?")
    browser.click("Ask")
    browser.see("The support has your request.", "A key for " + MARKUP)
    browser.screenshot("support")
    asked = world.partner.ok(world.partner.get("SupportRequests"))["SupportRequests"][0]
    browser.sign_in(world.operator, "/operator/support")
    browser.click("A key for " + MARKUP)
    browser.see("Whom may I call?", "Cashback Corner")
    browser.fill("Answer", "Call the desk.").click("Send")
    browser.see("Call the desk.", "Answered")
    browser.screenshot("support-answer")
    browser.sign_in(world.partner, f"/support/{asked['Id']}")
    browser.see("Call the desk.", "Answered")


@DESKTOP
def test_the_operator_sees_one_accounts_requests(browser, world):
    for account in world.partner, world.brand:
        account.ok(account.post("SupportRequests", {"Kind": "OTHER", "Subject": f"Of {account.sid}", "Text": "?"}))
    browser.sign_in(world.operator, f"/operator/accounts/{world.partner.sid}")
    browser.click("Support", within=".facts")
    browser.see(f"Of {world.partner.sid}")
    browser.see_no(f"Of {world.brand.sid}")


@DESKTOP
def test_what_is_being_written_to_the_support_is_not_left_unasked(browser, world):
    world.partner.ok(world.partner.post("SupportRequests", {"Kind": "OTHER", "Subject": "A word", "Text": "?"}))
    browser.sign_in(world.partner, "/support")
    browser.fill("What do you need", "Whom may I call?").click("A word")
    browser.see("Leave without saving?").click("Leave", within="dialog")
    browser.see("Write again").fill("Write again", "Hello?").click("‹ Support")
    browser.see("Leave without saving?").click("Leave", within="dialog").at("/support")


def charts(browser):
    return browser.driver.execute_script("return Object.keys(window.Chart?.instances ?? {}).length")


@DESKTOP
def test_charts_go_with_their_page_and_late_figures_change_nothing(browser, world):
    browser.sign_in(world.partner, "/postbacks")
    browser.until(lambda: charts(browser) == 4, "four charts")

    def first():
        return browser.driver.execute_script("return Chart.getChart(document.querySelector('canvas')).data.labels[0]")
    hour = first()
    browser.hold("/Series")
    browser.choose("Span of the charts", "Last 6 hours").choose("Span of the charts", "Last day")
    browser.until(lambda: browser.held() > 1, "both spans asked for")
    last = browser.held() - 1
    browser.let_go(first=last)
    day = browser.until(lambda: first() != hour and first(), "the day's figures")
    browser.let_go()  # the first again, late
    assert first() == day
    browser.click("Support", within="nav").at("/support")
    assert charts(browser) == 0


def test_the_charts_are_drawn_and_told_as_a_table(browser, world, receiver):
    work = Delivery(world, receiver.url())
    work.send()
    world.await_state(world.partner, "DELIVERED")
    browser.sign_in(world.partner, "/postbacks")
    browser.until(lambda: browser.driver.execute_script(
        "return [...document.querySelectorAll('canvas')].length === 4 && typeof Chart !== 'undefined'"), "four charts")
    browser.click("As a table", within=".chart:first-of-type")
    browser.see("Delivered", within=".chart table")


def test_many_are_found_kept_as_a_view_ticked_and_changed(browser, world, receivers):
    """Search, a saved view by its address, and bulk changes, as one does it after an outage."""
    sick = receivers(answers(500))
    work = Delivery(world, sick.url(), Name="Sick")
    for _ in range(3):
        work.send()
    world.await_state(world.partner, "WAITING", 3, Error="ANY")
    browser.sign_in(world.partner, "/postbacks")
    browser.until(lambda: rows(browser) == 3, "three rows")
    browser.fill("Answered with", "404")
    browser.see("No postback like that.")
    browser.fill("Answered with", "5xx")
    browser.until(lambda: rows(browser) == 3 and "Status=5xx" in browser.path, "the three that failed")
    browser.click("Views").click("Save this view…").fill("Name", "Broken").click("Save", within="dialog")
    browser.see("View: Broken")
    browser.until(lambda: "view=" in browser.path and rows(browser) == 3, "the view")
    address = browser.path.split("view=")[1].split("&")[0]
    browser.screenshot("postbacks-many")
    browser.go(f"/postbacks?view={address}")
    browser.until(lambda: rows(browser) == 3 and "Status=5xx" in browser.path, "the view by its address")
    browser.fill("Answered with", "404").see("No postback like that.")
    browser.until(lambda: "view=" not in browser.path, "it is no longer the view")
    browser.go(f"/postbacks?view={address}")
    browser.until(lambda: rows(browser) == 3, "the view once more")
    browser.all("td input.pick")[0].click()
    browser.see("1 picked")
    browser.click("Cancel", within=".picks").see("Cancel 1 postback?").click("Cancel 1 postback", within="dialog")
    browser.see("1 postback was cancelled.")
    world.await_state(world.partner, "CANCELLED", 1)
    browser.click("All that match").see("3 postbacks match the filters.")
    browser.click("Resend all of them").at("/jobs")
    world.await_state(world.partner, "WAITING", 3, Error="ANY")
    browser.see("1 of 3 postbacks was sent again")
