"""Settings: Event Notifications: the list, the form with its live preview, test, secret, replay."""

import json

import pytest
from harness.receiver import answers, hangs
from harness.server import await_until
from selenium.webdriver.common.keys import Keys

ADD = "/notifications/new?Category=action_inquiry"
MARKUP = "<img src=x onerror='document.title=1'><script>document.title = 2</script>"
DESKTOP = pytest.mark.parametrize("width", ["desktop"])
PHONE = pytest.mark.parametrize("width", ["phone"])


def type_into(browser, label, text):
    """At the end of what is there, as keys: the text is completed while one types."""
    control = browser.field(label)
    browser.press(control)
    control.send_keys(Keys.CONTROL, Keys.END)
    control.send_keys(text)


def value(browser, label):
    return browser.field(label).get_property("value")


def preview(browser):
    return browser.text(".preview pre")


def shows(browser, *words):
    for one in words:
        browser.until(lambda: one in preview(browser), f"“{one}” in the preview, not {preview(browser)!r}")


def marked(browser, label):
    """What is marked as wrong in a field."""
    return browser.driver.execute_script(
        "return [...arguments[0].parentNode.querySelectorAll('mark')].map((one) => one.textContent)",
        browser.field(label))


def settings(account, id):
    return account.ok(account.get(f"EventNotifications/{id}"))


def entry(browser, name):
    """The list's entry of a notification, as a selector."""
    def found():
        return browser.driver.execute_script("""
          const all = [...document.querySelectorAll('.entry')];
          const at = all.findIndex((one) => one.querySelector('h3')?.innerText === arguments[0]);
          if (at < 0) return null;
          all[at].id = arguments[1];
          return true;""", name, id)
    id = "entry-" + "-".join(name.lower().split())
    browser.until(found, f"the entry of {name}")
    return "#" + id


def fares(browser, *words, within="main"):
    """What is shown of its health: "Delivered 1"."""
    for one in words:
        browser.until(lambda: one in " ".join(browser.text(within).split()), f"“{one}” in {within}")


# ---- the list ----

def test_each_category_has_its_heading_and_its_notifications_with_their_health(browser, world, receivers):
    well, busy = receivers(), receivers(answers(503, "busy"))
    world.notify(world.partner, well.url("/well"), Name="Our tracker")
    world.notify(world.partner, busy.url("/busy"), Name="The other")
    world.open()
    well.wait(1)
    busy.wait(1)
    browser.sign_in(world.partner, "/notifications")
    browser.see("Action Inquiry Events", "Action Lifecycle Events", "Job Completion Events", "None yet.")
    fares(browser, "Delivered 1", "Pending 0", within=entry(browser, "Our tracker"))
    fares(browser, "Pending 1", "Delivered 0", "Oldest pending", within=entry(browser, "The other"))
    browser.screenshot("notifications")


@DESKTOP
def test_the_list_follows_what_happens(browser, world, receiver):
    world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, "/notifications")
    fares(browser, "Delivered 0", within=entry(browser, "Our tracker"))
    world.open()
    fares(browser, "Delivered 1", "Last delivered", within=entry(browser, "Our tracker"))


@DESKTOP
def test_a_category_with_many_shows_ten_until_all_are_asked_for(browser, world, receiver):
    for number in range(12):
        world.notify(world.partner, receiver.url(), Name=f"Tracker {number}")
    browser.sign_in(world.partner, "/notifications")
    browser.until(lambda: len(browser.all(".entry .glance")) == 10, "the health of ten")
    browser.click("Show all 12")
    browser.until(lambda: len(browser.all(".entry .glance")) == 12, "the health of twelve")
    browser.see_no("Show all")


def test_paused_events_wait_and_go_out_on_resume(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, "/notifications")
    place = entry(browser, "Our tracker")
    browser.click("Pause Our tracker")
    browser.see("Paused", within=place)
    assert settings(world.partner, made["Id"])["State"] == "PAUSED"
    world.open()
    fares(browser, "Pending 1", within=place)
    browser.click("Resume Our tracker")
    fares(browser, "Active", "Delivered 1", within=place)
    receiver.wait(1)


@DESKTOP
def test_one_that_is_held_says_why_and_is_resumed(browser, world, receivers):
    """A brand's, whose receiver says that it is gone and comes back."""
    receiver = receivers(answers(410))
    made = world.notify(world.brand, receiver.url(), Name="Shop")
    world.open()
    await_until(lambda: settings(world.brand, made["Id"])["State"] == "HELD", "it to be held")
    browser.sign_in(world.brand, "/notifications")
    browser.see("Held by the system.", settings(world.brand, made["Id"])["HeldReason"], within=entry(browser, "Shop"))
    browser.click("Shop")
    browser.at(f"/notifications/{made['Id']}")
    browser.see("Held by the system.")
    receiver.behave = answers(200)
    browser.click("Resume Shop")
    browser.see_no("Held by the system.")
    fares(browser, "Active", "Delivered 1")


@DESKTOP
def test_a_delete_can_be_undone(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, "/notifications")
    browser.click("Delete Our tracker")
    browser.until(lambda: not browser.all(".entry"), "the entry to go")
    browser.click("Undo")
    browser.see("Our tracker", within="main")
    assert settings(world.partner, made["Id"])["Name"] == "Our tracker"
    browser.click("Delete Our tracker")
    await_until(lambda: world.partner.get(f"EventNotifications/{made['Id']}").status_code == 404, "the delete")


# ---- the form ----

def test_one_is_added_and_its_preview_follows_the_typing(browser, world, receiver):
    browser.sign_in(world.partner, "/notifications")
    browser.click("Add in Action Inquiry Events")
    browser.at("/notifications/new")
    browser.see("Type a URL")
    browser.fill("Name", "Our tracker").fill("URL", receiver.url("/in?order="))
    shows(browser, "POST " + receiver.url("/in?order="), "webhook-id", "webhook-signature: (hidden)",
          "Content-Type: application/json", '"OrderId":"ORD-20417"')
    type_into(browser, "URL", "{OrderId}")
    shows(browser, "/in?order=ORD-20417\n")
    browser.choose("Body Format", "Text").fill("Body template", "Order {OrderId}: {InquiryType")
    browser.keys("}")
    shows(browser, "Content-Type: text/plain", "Order ORD-20417: UNTRACKED")
    browser.choose("Event to show and test", "action_inquiry.closed")
    browser.tick("CampaignId in the query string")
    shows(browser, "order=ORD-20417&CampaignId=1000\n")
    browser.tick("Ordered").fill("Maximum Requests", "20").fill("Minimum Delay", "0")
    browser.screenshot("notification-new")
    browser.click("Add", within=".form")
    browser.until(lambda: browser.path.split("/")[-1].isdigit(), "the new one's page")
    browser.settled()
    made = settings(world.partner, browser.path.split("/")[-1])
    got = {name: made[name] for name in ("Name", "Url", "Method", "BodyFormat", "BodyTemplate", "QueryPoints", "MaximumRequests", "Ordered")}
    assert got == {"Name": "Our tracker", "Url": receiver.url("/in?order={OrderId}"), "Method": "POST",
                   "BodyFormat": "TEXT", "BodyTemplate": "Order {OrderId}: {InquiryType}",
                   "QueryPoints": ["CampaignId"], "MaximumRequests": "20", "Ordered": "true"}
    world.open(OrderId="A-77")
    sent = receiver.wait(1)[0]
    assert sent.body == b"Order A-77: UNTRACKED"


def test_a_token_that_is_unknown_is_marked_in_its_place(browser, world, receiver):
    browser.sign_in(world.partner, ADD)
    browser.fill("URL", "https://example.com/in?a={OrderId}&b={Nope}")
    browser.keys(Keys.ESCAPE)
    browser.until(lambda: marked(browser, "URL") == ["{Nope}"], "{Nope} marked in the URL")
    browser.see("Column 38: {Nope} is not a data point of these events")
    browser.fill("Body template", '{\n "id": "{InquiryId}",\n "wrong": "{InquiryId|bad}"\n}')
    browser.until(lambda: marked(browser, "Body template") == ["{InquiryId|bad}"], "the function marked")
    browser.see("Line 3, column 12", "no function 'bad'")
    browser.screenshot("notification-wrong")
    browser.click("Add", within=".form")
    browser.see("Some fields need a look.")
    browser.fill("URL", "https://example.com/in?a={OrderId}")
    browser.fill("Body template", "")
    shows(browser, "a=ORD-20417")
    assert marked(browser, "URL") == [] and marked(browser, "Body template") == []


def test_names_and_functions_are_completed_by_keyboard(browser, world):
    browser.sign_in(world.partner, ADD)
    browser.fill("Body template", '{"order": "{Ord')
    control = browser.field("Body template")
    browser.see("OrderId", "The order in question", within=".tall .completions")
    browser.fits()
    browser.check_accessibility()
    chosen = control.get_attribute("aria-activedescendant")
    assert browser.driver.execute_script("return document.getElementById(arguments[0]).innerText", chosen).startswith("OrderId")
    control.send_keys(Keys.ENTER)
    assert value(browser, "Body template") == '{"order": "{OrderId}'
    control.send_keys('", "at": "{transd')
    browser.see("TransactionDate", within=".tall .completions")
    control.send_keys("|")
    browser.see("unix", "date:%Y-%m-%d", "sha256", within=".tall .completions")
    browser.see_no("raw", within=".tall .completions")
    control.send_keys(Keys.ARROW_DOWN, Keys.TAB)
    assert value(browser, "Body template") == '{"order": "{OrderId}", "at": "{TransactionDate|unix}'
    control.send_keys('"}')
    browser.fill("URL", "https://example.com/")
    shows(browser, '{"order": "ORD-20417", "at": "1')


@DESKTOP
def test_enter_stays_enter_until_something_is_chosen(browser, world):
    browser.sign_in(world.partner, ADD)
    browser.fill("Body template", "{")
    browser.until(lambda: browser.all(".tall .completions li"), "the suggestions")
    browser.keys(Keys.ENTER, "x")
    assert value(browser, "Body template") == "{\nx"
    assert not browser.all(".tall .completions li")
    browser.keys("{Or")
    browser.until(lambda: browser.all(".tall .completions li"), "the suggestions")
    browser.keys(Keys.ESCAPE, Keys.ENTER)
    assert value(browser, "Body template") == "{\nx{Or\n"


def test_a_data_point_is_inserted_by_a_click_where_the_caret_is(browser, world):
    browser.sign_in(world.partner, ADD)
    browser.fill("URL", "https://example.com/in?a=")
    browser.fill("Search the data points", "campaign")
    browser.see_no("TransactionAmount", within=".points")
    browser.click("Insert CampaignId")
    assert value(browser, "URL") == "https://example.com/in?a={CampaignId}"
    shows(browser, "/in?a=1000\n")
    browser.fill("Body template", '""')
    browser.keys(Keys.ARROW_LEFT)
    browser.click("Insert CampaignName")
    assert value(browser, "Body template") == '"{CampaignName}"'
    shows(browser, '"Acme Outdoor"')


@DESKTOP
def test_a_data_point_on_request_is_asked_for_and_then_there(browser, world):
    browser.sign_in(world.partner, ADD)
    browser.fill("Search the data points", "reopened")
    browser.see("Not open to you", within=".points")
    assert not browser.named("button", "Insert Reopened")
    browser.fill("Body template", "{Reop")
    assert not browser.all(".tall .completions li")
    browser.fill("Body template", "").click("Ask the support for it").at("/support")
    assert browser.field("Subject").get_property("value") == "Data point Reopened"
    world.operator.ok(world.operator.put(f"Accounts/{world.partner.sid}/DataPoints", {"DataPoints": ["Reopened"]}))
    browser.go(ADD).fill("Search the data points", "reopened").click("Insert Reopened")
    assert value(browser, "Body template") == "{Reopened}"


@DESKTOP
def test_it_is_changed_and_an_empty_one_is_not_taken(browser, world, receiver):
    made = world.notify(world.partner, receiver.url("/in"), Name="Our tracker", BodyTemplate='{"a": "{OrderId}"}')
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.choose("Method", "GET")
    shows(browser, "GET " + receiver.url("/in"))
    browser.see_no("Body template", within=".form")
    browser.fill("Maximum concurrent requests", "999")
    browser.see("At most 256.")
    browser.fill("Maximum concurrent requests", "4").fill("URL", "")
    browser.click("Save")
    browser.see("This is needed.")
    browser.fill("URL", receiver.url("/out")).click("Save")
    browser.see("Saved.")
    got = settings(world.partner, made["Id"])
    assert (got["Method"], got["Url"], got["BodyTemplate"], got["MaximumConcurrentRequests"]) == \
        ("GET", receiver.url("/out"), "", "4")


@DESKTOP
def test_answers_that_come_late_do_not_replace_newer_ones(browser, world):
    """The first preview is held back in the browser until the second has come."""
    browser.sign_in(world.partner, ADD)
    browser.driver.execute_script("""
      const real = window.fetch;
      window.held = [];
      window.fetch = (path, options) => {
        if (!String(path).endsWith('/Preview') || !options.body.includes('/first')) return real(path, options);
        return new Promise((done) => window.held.push(() => real(path, { ...options, signal: undefined }).then(done)));
      };""")
    browser.fill("URL", "https://example.com/first")
    browser.until(lambda: browser.driver.execute_script("return window.held.length"), "the first to be asked")
    browser.fill("URL", "https://example.com/second")
    shows(browser, "POST https://example.com/second")
    browser.driver.execute_async_script("""
      const done = arguments[0];
      Promise.all(window.held.map((go) => go())).then(() => setTimeout(done));""")
    assert "POST https://example.com/second" in preview(browser)


@DESKTOP
def test_enter_twice_adds_one(browser, world, receiver):
    browser.sign_in(world.partner, ADD)
    browser.fill("URL", receiver.url("/in"))
    shows(browser, receiver.url("/in"))
    browser.hold("/EventNotifications$", "POST")
    browser.field("URL").send_keys(Keys.ENTER, Keys.ENTER)
    browser.let_go()
    browser.until(lambda: browser.path.split("/")[2].isdigit(), "the new one's page")
    assert len(world.partner.ok(world.partner.get("EventNotifications"))["EventNotifications"]) == 1


# ---- test ----

def test_a_test_is_sent_and_the_receivers_answer_shown(browser, world, receivers):
    receiver = receivers(answers(201, "Thank you"))
    made = world.notify(world.partner, receiver.url("/in?o={OrderId}"), Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Send test")
    browser.see("Delivered: the receiver answered 201", "Thank you", within=".trial")
    browser.see("POST " + receiver.url("/in?o=ORD-20417"), within=".trial")
    assert receiver.wait(1)[0].target == "/in?o=ORD-20417"
    assert settings(world.partner, made["Id"])["Revision"] == "1", "there was nothing to save"
    browser.screenshot("notification-test")


@DESKTOP
def test_what_was_changed_is_tested_on_a_real_event_and_not_saved(browser, world, receiver):
    inquiry = world.open()
    event = await_until(lambda: world.partner.ok(world.partner.get("Events"))["Events"], "its event")[0]
    made = world.notify(world.partner, receiver.url("/in"), Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.fill("URL", receiver.url("/out?i={InquiryId}"))
    browser.until(lambda: browser.all(f"option[value='#{event['Id']}']"), "the event in the list")
    words = browser.find(f"option[value='#{event['Id']}']").get_property("textContent")
    assert words.startswith("action_inquiry.opened, ") and words.endswith(f", inquiry {inquiry}")
    browser.choose("Event to show and test", words)
    shows(browser, f"/out?i={inquiry}")
    browser.click("Send test")
    browser.see("Delivered: the receiver answered 200", within=".trial")
    assert receiver.wait(1)[0].target == f"/out?i={inquiry}"
    shown = settings(world.partner, made["Id"])
    assert (shown["Url"], shown["Revision"]) == (receiver.url("/in"), "1")


@DESKTOP
def test_a_test_that_takes_long_has_a_clock_and_is_stopped(browser, world, receivers):
    receiver = receivers(hangs)
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Send test")
    browser.see("Waiting for the receiver…", within=".trial")
    first = browser.text(".clock")
    browser.until(lambda: browser.text(".clock") != first, "the clock to run")
    browser.click("Stop")
    browser.see("Stopped: the answer is not waited for.", within=".trial")
    receiver.behave = answers(200)
    browser.click("Send test")
    browser.see("Delivered: the receiver answered 200", within=".trial")


@DESKTOP
def test_a_test_right_after_adding(browser, world, receiver):
    browser.sign_in(world.partner, ADD)
    browser.fill("URL", receiver.url("/in")).click("Add and send test")
    browser.see("Delivered: the receiver answered 200", within=".trial")


def test_an_answer_full_of_markup_stays_text(browser, world, receivers):
    receiver = receivers(answers(500, MARKUP, ["X-Note: <b>bold</b>"]))
    made = world.notify(world.partner, receiver.url(), Name=MARKUP[:40])
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Send test")
    browser.see("Not delivered: the receiver answered 500", MARKUP, "<b>bold</b>", within=".trial")
    assert browser.driver.execute_script("return document.querySelectorAll('main img, main b, main script').length") == 0
    assert browser.driver.title not in ("1", "2")
    browser.fits()


@DESKTOP
def test_a_receiver_that_cannot_be_reached_is_told_in_plain_words(browser, world, receivers):
    gone = receivers()
    gone.close()
    made = world.notify(world.partner, gone.url())
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Send test")
    browser.see("Not delivered. The receiver could not be reached", within=".trial")


# ---- signing ----

def test_the_secret_is_shown_on_request_and_rotated(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    secret = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}/SigningSecret"))["SigningSecret"]
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Security")
    browser.see("Show the secret")
    assert secret not in browser.driver.page_source
    browser.click("Show the secret")
    browser.see(secret)
    browser.click("Rotate").click("Rotate", within="dialog")
    browser.see("signs too until")
    browser.see_no(secret)
    now = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}/SigningSecret"))["SigningSecret"]
    assert now != secret
    browser.see(now)
    browser.screenshot("notification-signing")


def test_the_code_that_verifies_has_the_secret_filled_in(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    secret = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}/SigningSecret"))["SigningSecret"]
    browser.sign_in(world.partner, f"/notifications/{made['Id']}?View=security")
    browser.click("Verification code")
    browser.see("whsec_YOUR_SECRET", within=".verification")
    browser.see(f"// For POST {receiver.url()} (its body is JSON: give it as it came).", within=".verification")
    for language, word in (("Python", "hmac.compare_digest"), ("PHP", "hash_equals"),
                           ("C", "CRYPTO_memcmp")):
        browser.choose("Language", language, within=".verification")
        browser.see(word, within=".verification")
    browser.click("Show the secret")
    browser.see(f'secret[] = "{secret}"', within=".verification")
    browser.screenshot("notification-verification")
    browser.click("Hide")
    browser.see("whsec_YOUR_SECRET", within=".verification")
    assert secret not in browser.driver.page_source


@DESKTOP
def test_the_secret_is_copied_and_an_odd_view_is_the_first(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}?View=security")
    browser.driver.execute_script("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    browser.click("Show the secret").click("Copy").see("Copied.")
    secret = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}/SigningSecret"))["SigningSecret"]
    assert browser.driver.execute_script("return window.copied") == secret
    browser.go(f"/notifications/{made['Id']}?View=constructor")
    assert value(browser, "Name") == "Our tracker"


@DESKTOP
def test_custom_headers_are_names_with_hidden_values(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    world.operator.ok(world.operator.put(f"Notifications/{made['Id']}/Headers",
                                         {"CustomHeaders": [{"Name": "X-Api-Key", "Value": "very-private"}]}))
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    shows(browser, "X-Api-Key: (hidden)")
    browser.click("Security")
    browser.see("X-Api-Key", "hidden", "TLS identity")
    assert "very-private" not in browser.driver.page_source
    browser.click("Ask the support for a header")
    browser.at("/support")


# ---- deliveries ----

def test_a_replay_moves_and_ends(browser, world, receivers):
    receiver = receivers()
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    for _ in range(12):
        world.open()
    world.await_state(world.partner, "DELIVERED", 12)
    browser.sign_in(world.partner, f"/notifications/{made['Id']}?View=deliveries")
    fares(browser, "Delivered 12")
    browser.tick("action_inquiry.opened")
    browser.click("Replay", within=".form")
    browser.see("The replay has begun.", "12 sent of 12;", "Done")
    receiver.wait(24)
    browser.screenshot("notification-deliveries")


def bar(browser):
    """How full the bar of the running replay is; None: there is none."""
    return browser.driver.execute_script("return document.querySelector('.entry progress')?.value ?? null")


@DESKTOP
def test_the_bar_of_a_replay_moves(browser, world, receiver):
    for _ in range(40):
        world.open()
    made = world.notify(world.partner, receiver.url(), Name="New tracker", MaximumRequests="15")
    path = f"EventNotifications/{made['Id']}"
    world.partner.ok(world.partner.post(f"{path}/Pause"))
    browser.sign_in(world.partner, f"/notifications/{made['Id']}?View=deliveries")
    browser.choose("What to send again", "All events of the account that it wants")
    browser.see_no("States", within=".form")
    browser.click("Replay", within=".form")
    browser.see("all events of the account", "0 sent of 40")
    assert bar(browser) == 0
    browser.click("Resume New tracker")
    browser.until(lambda: 0 < (bar(browser) or 0) < 100, "the bar to be on its way")
    browser.see("40 sent of 40", "Done")
    receiver.wait(40)
    assert bar(browser) is None


@DESKTOP
def test_a_replay_is_cancelled(browser, world, receiver):
    for _ in range(20):
        world.open()
    made = world.notify(world.partner, receiver.url(), Name="New tracker")
    world.partner.ok(world.partner.post(f"EventNotifications/{made['Id']}/Pause"))
    browser.sign_in(world.partner, f"/notifications/{made['Id']}?View=deliveries")
    browser.choose("What to send again", "All events of the account that it wants")
    browser.click("Replay", within=".form")
    browser.see("0 sent of 20").click("Cancel", within=".entry")
    browser.see("Cancelled", within=".entry")
    assert bar(browser) is None
    replay = world.partner.ok(world.partner.get(f"EventNotifications/{made['Id']}/Replays"))["Replays"][0]
    assert replay["State"] == "CANCELLED"


# ---- leaving, reading ----

@DESKTOP
def test_one_that_is_left_while_it_is_deleted_is_deleted(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, f"/notifications/{made['Id']}")
    browser.click("Delete", within="main")
    browser.see("is being deleted")
    browser.go("/account")
    await_until(lambda: world.partner.get(f"EventNotifications/{made['Id']}").status_code == 404, "it deleted")



def test_leaving_with_unsaved_changes_asks(browser, world, receiver):
    made = world.notify(world.partner, receiver.url(), Name="Our tracker")
    browser.sign_in(world.partner, "/notifications")
    browser.click("Our tracker")
    browser.at(f"/notifications/{made['Id']}")
    browser.fill("Name", "Another name")
    browser.click("‹ Event notifications")
    browser.see("Leave without saving?").click("Cancel", within="dialog")
    assert browser.path == f"/notifications/{made['Id']}" and value(browser, "Name") == "Another name"
    browser.driver.back()
    browser.see("Leave without saving?")
    assert browser.path == f"/notifications/{made['Id']}"
    browser.click("Leave")
    browser.at("/notifications")
    assert settings(world.partner, made["Id"])["Name"] == "Our tracker"
    browser.click("Our tracker")
    browser.at(f"/notifications/{made['Id']}")
    browser.fill("Name", "Another name").click("Save")
    browser.see("Saved.").click("‹ Event notifications")
    browser.at("/notifications")
    browser.see("Another name")


def test_one_who_may_only_read_changes_nothing(browser, world, receiver):
    made = world.notify(world.partner, receiver.url("/in"), Name="Our tracker")
    browser.sign_in(world.partner, "/notifications", role="READ_ONLY")
    fares(browser, "Our tracker", "Delivered 0")
    assert not browser.all("main button, main .button")
    browser.click("Our tracker")
    browser.at(f"/notifications/{made['Id']}")
    browser.see(receiver.url("/in"), "Every data point")
    browser.see_no("Save", "Pause", "Delete", "Rotate")
    browser.screenshot("notification-read-only")
    browser.go(f"/notifications/{made['Id']}?View=security").see("Shown to those who may change settings.")
    assert not browser.all("main button:not(.verification *)")  # which copies code


@PHONE
def test_on_a_phone_the_preview_is_below_and_all_fits(browser, world):
    browser.sign_in(world.partner, ADD)
    browser.fill("URL", "https://example.com/" + "a-very-long-path" * 20 + "?x={OrderId}")
    shows(browser, "x=ORD-20417")
    form, beside = browser.find(".form").rect, browser.find(".preview").rect
    assert beside["y"] >= form["y"] + form["height"], (form, beside)
    assert form["width"] <= 390
    browser.fits()
