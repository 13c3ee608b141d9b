"""What a page shows is so: nothing on it goes stale, covers another thing or is lost by one key."""

import pytest
from harness.delivery import Delivery
from harness.receiver import answers

DESKTOP = pytest.mark.parametrize("width", ["desktop"])


def toasts(browser):
    return browser.text(".toasts")


# ---- what a left page still awaits ----

@DESKTOP
def test_a_resend_leaves_no_complaint(browser, world, receivers):
    """P1: the page that Resend leaves awaits itself once more, and nobody is told of that."""
    sick = receivers(answers(410))
    work = Delivery(world, sick.url())
    work.send()
    postback = world.await_state(world.partner, "WAITING")[0]
    world.partner.ok(world.partner.post(f"Postbacks/{postback['Id']}/Cancel"))
    browser.sign_in(world.partner, f"/postbacks/{postback['Id']}")
    browser.click("Resend")
    browser.until(lambda: postback["Id"] not in browser.path, "the new postback's page")
    browser.see("A new postback sends it again.").settled()
    assert not browser.all(".toast.bad"), toasts(browser)


PAGES = ["/inquiries", "/notifications", "/postbacks", "/jobs", "/notices", "/support", "/rules"]


@DESKTOP
@pytest.mark.parametrize("path", PAGES)
def test_what_a_left_page_awaits_is_told_nobody(browser, world, receiver, path):
    """P1: each page is left while all that it asks for is on its way."""
    world.notify(world.brand, receiver.url())
    browser.sign_in(world.brand, "/account")
    browser.hold("/Advertisers/(?!.*(Notices|Maintenance))|/EventCatalog")
    browser.driver.execute_script("""
      const link = document.createElement('a');
      link.href = arguments[0];
      document.querySelector('main').append(link);
      link.click();""", path)
    browser.until(lambda: browser.held() or path == "/notices", f"a call of {path}")
    browser.driver.execute_script("document.querySelector('details.person a').click()")
    browser.at("/account")
    browser.let_go()
    browser.see("Change password")
    assert toasts(browser) == ""


@DESKTOP
def test_a_reload_after_a_click_is_told_nobody(browser, world, receiver):
    """P1: a button's answer comes, the page asks what is so now, and is left meanwhile."""
    work = Delivery(world, receiver.url(), Name="Warehouse")
    browser.sign_in(world.partner, f"/notifications/{work.id}")
    browser.hold("/Pause$", method="POST")
    browser.click("Pause Warehouse")
    browser.until(browser.held, "the pause on its way")
    browser.click("Support", within="nav").at("/support")
    browser.let_go()
    browser.see("Paused: its events wait.")  # what was done is told; what the left page asks then is not
    browser.settled()
    assert not browser.all(".toast.bad"), toasts(browser)


# ---- a node in the place of one that has no parent ----

def test_no_notices_say_so(browser, world):
    """P6: an empty list of notices is not an empty card."""
    browser.sign_in(world.partner, "/notices")
    browser.see("No notices.", within="main .card")
    browser.screenshot("notices-none")


def test_a_notice_that_is_read_stays_where_it_is(browser, world, receivers):
    """P6: what is drawn again has its own place."""
    Delivery(world, receivers(answers(410)).url()).send()
    world.await_notice(world.partner)
    browser.sign_in(world.partner, "/notices")
    browser.see("410", "New", within="main .card")
    browser.click("Mark as read")
    browser.until(lambda: browser.all(".notices .read"), "the notice read")
    browser.see("410", within="main .card").see_no("New", within="main .card")
    browser.click("Mark all as read") if browser.named("button", "Mark all as read") else None


# ---- nothing is covered ----

WIDE = ["Brand's notes", "Tracking link", "Promo code", "Customer", "Expected payout", "Final payout", "Reason"]
COVERED = """
  const table = document.querySelector('main table'), place = table.closest('.scroll');
  place.scrollLeft = arguments[0] ? place.scrollWidth : 0;
  const edge = place.getBoundingClientRect(), found = [];
  for (const cell of table.querySelectorAll('tr > *')) {
    const range = document.createRange(), walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), boxes = [];
    while (walk.nextNode()) {
      range.selectNodeContents(walk.currentNode);
      if (!walk.currentNode.parentElement.closest('.away')) /* that is for screen readers alone */
        boxes.push(...range.getClientRects());
    }
    for (const box of boxes) {
      const [x, y] = [(Math.max(box.left, edge.left) + Math.min(box.right, edge.right)) / 2, box.top + box.height / 2];
      if (box.width < 2 || box.left >= edge.right || box.right <= edge.left || y < 60 || y > innerHeight - 2)
        continue;
      if (!cell.contains(document.elementFromPoint(x, y)))
        found.push(cell.innerText.trim() + ' is under ' + (document.elementFromPoint(x, y)?.outerHTML ?? '').slice(0, 80));
    }
    const { right } = cell.getBoundingClientRect(), next = cell.nextElementSibling?.getBoundingClientRect();
    if (next && next.left < right - 1)
      found.push(cell.innerText + ' overlaps its neighbour');
    if (cell.scrollWidth > cell.clientWidth + 1)
      found.push(cell.innerText + ' is wider than its cell');
  }
  return found;"""


def covers_nothing(browser):
    for end in (False, True):
        found = browser.driver.execute_script(COVERED, end)
        assert not found, found


def wide(browser, width):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)


def scrolls(browser):
    return browser.driver.execute_script(
        "const place = document.querySelector('main .scroll'); return place.scrollWidth > place.clientWidth + 1")


@DESKTOP
@pytest.mark.parametrize("pixels", [700, 820, 1024, 1280])
def test_nothing_in_a_list_is_covered(browser, world, pixels):
    """P3: at each width, at both ends of the scrolling, with values that no column has room for."""
    for number in range(3):
        one = world.open(OrderId=f"ORDER-{'4' * 60}-{number}", TransactionAmount="1200300.50", CustomerId="C" * 60)
        world.brand.ok(world.brand.put("ActionInquiries", {
            "Id": one, "ResolutionStatus": "DECLINED", "RejectReason": "Other", "ResolutionNotes": "Long" * 40}))
    browser.sign_in(world.partner, "/inquiries")
    wide(browser, pixels)
    covers_nothing(browser)
    buttons = browser.all(".table-place td.doing button")
    assert len(buttons) == 3 and all(one.rect["x"] + one.rect["width"] <= pixels for one in buttons), "the buttons are in sight"
    for title in WIDE:
        browser.click("Columns") if not browser.all("details.choose[open]") else None
        browser.tick(title)
    browser.click("Columns")
    covers_nothing(browser)
    assert scrolls(browser)
    browser.driver.execute_script("document.querySelector('main .scroll').scrollLeft = 0")
    browser.until(lambda: browser.named("button", "More to the right ›"), "a sign that there is more")
    for _ in range(20):
        if browser.find(".more-beside button:last-child").get_attribute("disabled"):
            break
        browser.click("More to the right ›")
    browser.until(lambda: browser.find(".more-beside button:last-child").get_attribute("disabled"), "the end")
    covers_nothing(browser)
    browser.click("‹ More to the left")
    browser.fits()


@DESKTOP
@pytest.mark.parametrize("pixels", [1024, 1280])
def test_nothing_in_other_tables_is_covered(browser, world, receiver, pixels):
    """P3: the other tables, of the operator and of an account, with long values."""
    world.notify(world.partner, receiver.url("/" + "path" * 100), Name="N" * 120)
    world.notify(world.brand, receiver.url("/" + "path" * 100), Name="N" * 120)
    world.open()
    for account, path in ((world.brand, "/postbacks"), (world.brand, "/inquiries"), (world.operator, "/operator/audit"),
                          (world.operator, "/operator/headers"), (world.operator, "/operator/accounts"),
                          (world.operator, "/operator/campaigns"), (world.operator, f"/operator/accounts/{world.partner.sid}"),
                          (world.operator, "/operator/event-types"), (world.operator, "/operator/event-types/new")):
        browser.sign_in(account, path)
        wide(browser, pixels)
        if path.endswith("/new"):
            browser.click("Add a data point")
        browser.find("main table")
        covers_nothing(browser)


# ---- days and zones ----

ZONES = ["Pacific/Kiritimati", "America/New_York", "Pacific/Auckland", "UTC"]


def in_zone(browser, zone):
    browser.cdp("Emulation.setTimezoneOverride", timezoneId=zone)
    return browser


@pytest.fixture
def zones(browser):
    yield lambda zone: in_zone(browser, zone)
    in_zone(browser, "")


@DESKTOP
@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_the_persons_zones(browser, world, receiver, zones, zone):
    """P2: what a row calls a day, the filter calls so, in lists and downloads; and the page names the zone."""
    world.notify(world.partner, receiver.url())
    one = world.open(TransactionDate="2026-01-15", OrderId="A-15")
    browser.sign_in(world.partner, "/account")
    zones(zone)
    browser.go("/inquiries")
    today, yesterday, tomorrow = browser.driver.execute_script("""
      const day = (later) => { const at = new Date(); at.setDate(at.getDate() + later);
        return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((n) => String(n).padStart(2, '0')).join('-'); };
      return [0, -1, 1].map(day);""")
    browser.see(f"Days and times are those of {zone}")
    for label, day, there in (("Opened from", today, True), ("Opened from", tomorrow, False), ("Opened to", today, True),
                              ("Opened to", yesterday, False), ("Ordered from", "2026-01-15", True), ("Ordered from", "2026-01-16", False),
                              ("Ordered to", "2026-01-15", True), ("Ordered to", "2026-01-14", False)):
        browser.fill(label, day)
        browser.until(lambda: (f"{1 if there else 0} in all" in browser.text(".count-line")), f"{label} {day}: {there}")
        asked = browser.driver.execute_async_script("""
          const done = arguments[0];
          fetch(document.querySelector('a[download]').href).then((r) => r.text()).then(done);""")
        assert ("A-15" in asked) == there, (label, day, asked)
        browser.click("Clear")
        browser.see("1 in all")
    browser.go(f"/postbacks?StartDate={today}&EndDate={today}").see("action_inquiry.opened")
    browser.go(f"/postbacks?StartDate={tomorrow}").see("No postback like that.")
    browser.go(f"/postbacks?EndDate={yesterday}").see("No postback like that.")
    assert one


@DESKTOP
@pytest.mark.parametrize("zone, day, first, last", [
    ("Pacific/Kiritimati", "2026-01-15", "2026-01-14T10:00:00Z", "2026-01-15T09:59:59Z"),
    ("America/New_York", "2026-01-15", "2026-01-15T05:00:00Z", "2026-01-16T04:59:59Z"),
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"),  # 23 hours
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),  # 25 hours
    ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z", "2022-03-27T20:59:59Z"),  # has no midnight
    ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", "2026-10-26T00:59:59Z"),  # has midnight twice
    ("Asia/Kathmandu", "2026-12-31", "2026-12-30T18:15:00Z", "2026-12-31T18:14:59Z"),
    ("UTC", "0099-12-31", "0099-12-31T00:00:00Z", "0099-12-31T23:59:59Z"),
])
def test_a_day_begins_and_ends_where_the_zone_says(browser, world, zones, zone, day, first, last):
    """P2: over changes of the clock, too."""
    browser.sign_in(world.partner, "/account")
    zones(zone)
    browser.go("/account")
    came = browser.driver.execute_async_script("""
      const [day, done] = arguments;
      import('/assets/format.js').then(({ dayStart, dayEnd }) => done([dayStart(day), dayEnd(day)]));""", day)
    assert came == [first, last]


# ---- words ----

@DESKTOP
def test_a_refused_connection_is_told_in_plain_words(browser, world, receivers):
    """P11: in lists as on the postback's page."""
    gone = receivers()
    url = gone.url()
    gone.close()
    work = Delivery(world, url)
    work.send()
    waiting = world.await_state(world.partner, "WAITING")[0]
    browser.sign_in(world.partner, "/postbacks")
    browser.see("the receiver could not be reached (", "connection refused)", within=".table-place")
    browser.see_no("connect:", within=".table-place")
    browser.go(f"/postbacks/{waiting['Id']}")
    browser.see("the receiver could not be reached (", "The receiver could not be reached (", "connection refused).", within="main")
    browser.see_no("connect:", within="main")


ERRORS = ["dns", "refused_address", "connect", "tls", "timeout", "reset", "bad_answer", "build", "no_room"]


@DESKTOP
def test_each_error_has_words(browser, world):
    """P11: whatever names the API gives an error by, with its detail beside it or behind it."""
    browser.sign_in(world.partner, "/account")
    came = browser.driver.execute_async_script("""
      const [names, done] = arguments;
      import('/assets/postback_words.js').then(({ postbackSays, attemptSays, errorSays }) => done(names.map((name) => [
        postbackSays({ State: 'WAITING', DueDate: '2026-01-01T00:00:00Z', Attempts: '1', LastError: `${name}: why it is` }),
        postbackSays({ State: 'WAITING', DueDate: '2026-01-01T00:00:00Z', Attempts: '1', LastError: name }),
        errorSays({ Error: name, Detail: 'why it is' })])));""", ERRORS)
    for name, said in zip(ERRORS, came):
        assert "(why it is)" in said[0] and "(why it is)" in said[2], said
        assert all(name not in one.replace("connection", "") for one in said if "_" in name or name == "dns"), said


# ---- nothing goes stale ----

def seen(browser, so):
    """The tab is in front, or behind others: then it asks for no changes."""
    browser.driver.execute_script("""
      Object.defineProperty(document, 'hidden', { value: !arguments[0], configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));""", so)


def test_an_inquirys_page_moves_though_nobody_wants_its_events(browser, world):
    """P5: no event notification, and yet the partner's page follows the brand's step, and the other way round."""
    one = world.open()
    browser.sign_in(world.partner, f"/inquiries/{one}")
    browser.see("Waiting for review", within=".heading")
    world.brand.ok(world.brand.put("ActionInquiries", {"Id": one, "ResolutionStatus": "INCOMPLETE", "ResolutionNotes": "Which shop?"}))
    browser.see("The brand asks", "Which shop?").see("Your reply")
    world.brand.ok(world.brand.post(f"ActionInquiries/{one}/Comments", {"Comment": "The one in Lyon?"}))
    browser.see("The one in Lyon?", within=".thread")
    browser.fill("Your reply", "Yes.").click("Reply")
    browser.see("Waiting for review", within=".heading").see("Yes.", within=".thread")
    assert browser.field("Comment").get_property("value") == ""


@DESKTOP
def test_what_changes_while_a_page_reads_is_not_lost(browser, world):
    """P5: the answer that the page was drawn from is older than the change that nothing else tells of."""
    one = world.open()
    browser.sign_in(world.partner, "/notices")
    browser.driver.execute_script("""
      const real = fetch, path = `/ActionInquiries/${arguments[0]}`;
      window.came = new Promise((came) => window.held = new Promise((held) => {
        window.release = held;
        window.fetch = async (to, options) => {
          const answer = await real(to, options);
          if (!String(to).endsWith(path))
            return answer;
          window.fetch = real;
          came();
          await window.held;
          return answer;
        };
      }));
      history.pushState(null, "", `/inquiries/${arguments[0]}`);
      dispatchEvent(new PopStateEvent("popstate"));""", one)
    browser.driver.execute_async_script("window.came.then(arguments[0])")
    world.brand.ok(world.brand.put("ActionInquiries", {"Id": one, "ResolutionStatus": "INCOMPLETE", "ResolutionNotes": "Which shop?"}))
    browser.driver.execute_script("window.release()")
    browser.see("The brand asks", "Which shop?")


@DESKTOP
def test_lists_move_though_nobody_wants_the_events(browser, world):
    """P5: the brand's list, the bell."""
    browser.sign_in(world.brand, "/inquiries")
    browser.see("Nothing waits for your review.")
    one = world.open()
    browser.see("Review", within=".table-place")
    world.partner.ok(world.partner.post(f"ActionInquiries/{one}/Close"))
    browser.see("Nothing waits for your review.")


@DESKTOP
def test_after_a_conflict_the_page_shows_what_is(browser, world):
    """P5: somebody else decided; nothing that was typed is gone, and the form of a decided one is."""
    one = world.open()
    browser.sign_in(world.brand, f"/inquiries/{one}")
    browser.click("Decline", within="#review").choose("Reason", "9. Other").fill("Notes", "I know this order.")
    seen(browser, False)  # nothing tells the page
    world.brand.ok(world.brand.put("ActionInquiries", {"Id": one, "ResolutionStatus": "INCOMPLETE", "ResolutionNotes": "Which shop?"}))
    browser.click("Submit")
    browser.see("More information wanted", within=".heading")
    browser.see("Not sent", "I know this order.", within="main")
    assert not browser.all("#review")
    seen(browser, True)
    world.partner.ok(world.partner.post(f"ActionInquiries/{one}/Comments", {"Comment": "The one in Lyon."}))
    browser.until(lambda: browser.all("#review"), "the review again")
    assert browser.field("Notes").get_property("value") == "I know this order."
    browser.click("Submit")
    browser.see("Declined", within=".heading").see_no("Not sent", within="main")


@DESKTOP
def test_after_a_partners_conflict_the_comment_stays(browser, world):
    """P5: the partner replies to what is closed meanwhile."""
    one = world.open()
    world.brand.ok(world.brand.put("ActionInquiries", {"Id": one, "ResolutionStatus": "DECLINED", "RejectReason": "Other"}))
    browser.sign_in(world.partner, f"/inquiries/{one}")
    browser.fill("Comment", "I have the receipt.")
    seen(browser, False)
    world.partner.ok(world.partner.post(f"ActionInquiries/{one}/Close"))
    browser.click("Reopen with this comment")
    browser.see("Closed", within=".heading").see("Not sent:")
    assert browser.field("Comment").get_property("value") == "I have the receipt."
    assert not browser.named("button", "Reopen with this comment")


# ---- by keyboard ----

def focused(browser):
    return browser.driver.execute_script(
        "const e = document.activeElement; return e === document.body ? '' : (e.getAttribute('aria-label') || e.innerText || e.localName).trim()")


def focus(browser, words):
    browser.until(lambda: browser.named("button, a", words), words)
    browser.driver.execute_script("arguments[0].focus({ focusVisible: true })", browser.named("button, a", words)[0])


def test_closing_is_undone_by_keyboard(browser, world):
    """P9: Undo has the focus; Escape undoes, too; then the focus is where it was."""
    from selenium.webdriver.common.keys import Keys
    one, two = world.open(), world.open()
    browser.sign_in(world.partner, "/inquiries")
    for key in (Keys.ENTER, Keys.ESCAPE):
        focus(browser, f"Close inquiry {one}")
        browser.keys(Keys.ENTER)
        browser.until(lambda: focused(browser) == "Undo", f"the focus on Undo, not {focused(browser)}")
        browser.keys(key)
        browser.see(f"Inquiry {one} stays open.")
        browser.until(lambda: focused(browser) == f"Close inquiry {one}", f"the focus back, not {focused(browser)}")
    assert world.partner.ok(world.partner.get(f"ActionInquiries/{one}"))["State"] == "OPEN"
    focus(browser, f"Close inquiry {two}")
    browser.keys(Keys.ENTER)
    browser.until(lambda: focused(browser) == "Undo", "the focus on Undo")
    browser.keys(Keys.TAB)  # who goes on has decided
    browser.see(f"Inquiry {two} is closed.")
    browser.until(lambda: len(browser.all(".table-place tbody tr")) == 1, "one that is left")
    assert focused(browser) != ""


@DESKTOP
def test_undo_waits_while_it_has_the_focus(browser, world):
    """P9: its time runs only while nobody is at it."""
    from selenium.webdriver.common.keys import Keys
    one = world.open()
    browser.sign_in(world.partner, f"/inquiries/{one}")
    browser.driver.execute_script("""
      window.turns = 0;
      const real = matchMedia;
      document.addEventListener('focusin', () => { window.turns++; });""")
    focus(browser, "Close")
    browser.keys(Keys.ENTER)
    browser.until(lambda: focused(browser) == "Undo", "the focus on Undo")
    began = browser.driver.execute_script("return performance.now()")
    browser.until(lambda: browser.driver.execute_script("return performance.now()") - began > 12000, "longer than its time")
    assert focused(browser) == "Undo" and world.partner.ok(world.partner.get(f"ActionInquiries/{one}"))["State"] == "OPEN"
    browser.keys(Keys.ENTER)
    browser.see("stays open")
    browser.until(lambda: focused(browser) == "Close", "the focus back")


@DESKTOP
def test_what_takes_itself_away_passes_the_focus_on(browser, world, receivers):
    """P9: each button that is gone once it was pressed leaves the focus near, never nowhere."""
    from selenium.webdriver.common.keys import Keys
    Delivery(world, receivers(answers(410)).url(), Name="Gone").send()
    world.await_notice(world.partner)
    other = Delivery(world, receivers().url(), Name="Other")

    def press(words, *confirm):
        focus(browser, words)
        browser.keys(Keys.ENTER)
        if confirm:
            browser.until(lambda: browser.all("dialog"), "the question")
            focus(browser, confirm[0])
            browser.keys(Keys.ENTER)

    def there(what):
        browser.until(lambda: focused(browser) != "", f"a focus after {what}")

    browser.sign_in(world.partner, "/notices")
    press("Mark as read")
    browser.until(lambda: browser.all(".notices .read"), "it read")
    there("reading a notice")
    browser.go("/notifications")
    press("Pause Other")
    browser.see("Paused: its events wait.")
    browser.until(lambda: focused(browser) == "Resume Other", f"the other button in its place, not {focused(browser)}")
    press("Delete Other")
    browser.until(lambda: focused(browser) == "Undo", "the focus on Undo")
    browser.keys(Keys.TAB)
    browser.until(lambda: not browser.named("a", "Other"), "it gone", timeout=30)
    there("deleting")
    browser.sign_in(world.operator, f"/operator/accounts/{world.partner.sid}")
    press(browser.driver.execute_script("return document.querySelector('main button.danger').getAttribute('aria-label')"), "Revoke")
    browser.see("The token is revoked.")
    there("revoking")
    browser.go("/operator/event-types/new")
    press("Add a data point")
    press("Remove this data point")
    there("removing a line")
    assert other


REASONS = {
    "MAINTENANCE": "Waiting: maintenance since {since}, expected until {until}", "STORE": "Waiting: this server cannot record deliveries just now",
    "PAUSED": "Waiting: the event notification is paused since {since}", "HELD": "Waiting: the event notification is held since {since}",
    "RECEIVER_DOWN": "Waiting: the receiver is down since {since}, tried again at {until}",
    "ORDER": "Waiting: an earlier one is to be delivered first since {since}", "RETRY": "Waiting for {until}", "DELAY": "Waiting for {until}: Minimum Delay",
    "RATE": "Waiting: Maximum Requests is reached since {since}", "CONCURRENCY": "Waiting: the receiver is busy with as many as it takes since {since}",
    "MEMORY": "Waiting: the server's memory for postbacks is full since {since}", "TURN": "Waiting: it goes out in a moment"}


@DESKTOP
def test_each_reason_to_wait_has_its_phrase(browser, world):
    """P15: with since when and until when, where the API gives them."""
    browser.sign_in(world.partner, "/account")
    came = browser.driver.execute_async_script("""
      const [wanted, done] = arguments;
      Promise.all([import('/assets/postback_words.js'), import('/assets/format.js')]).then(([{ postbackSays }, { moment }]) => {
        const since = '2031-03-04T10:31:00Z', until = '2031-03-04T10:42:00Z';
        done(Object.entries(wanted).map(([WaitReason, words]) => [
          words.replace('{since}', moment(since)).replace('{until}', moment(until)),
          postbackSays({ State: 'WAITING', Attempts: '0', DueDate: until, WaitReason,
            WaitSinceDate: words.includes('{since}') ? since : '', WaitUntilDate: words.includes('{until}') ? until : '' })]));
      });""", REASONS)
    assert all(wanted == said for wanted, said in came), came
    assert len({said for _, said in came}) == len(REASONS)


def test_a_page_says_why_one_waits(browser, world, receivers):
    """P15: a receiver that is down, a pause: in the list and on the postback's page."""
    work = Delivery(world, receivers(answers(503)).url(), Name="Sick")
    work.send_many(20)
    browser.sign_in(world.partner, "/postbacks")
    browser.see("Waiting: the receiver is down since", within=".table-place")
    work.do("Pause")
    browser.see("Waiting: the event notification is paused since", within=".table-place")
    browser.find(".table-place a[href^='/postbacks/']").click()
    browser.see("Waiting: the event notification is paused since", "Waits since", within="main")
    browser.screenshot("postback-paused")


# ---- where one came from ----

def test_the_way_back_keeps_the_filters(browser, world):
    """P10: filters, order and page of the list, by the link and by the browser's own way back; other lists likewise."""
    one, two = world.open(OrderId="KEEP-1"), world.open(OrderId="OTHER-1")
    browser.sign_in(world.partner, "/inquiries")
    browser.fill("Search", "KEEP")
    browser.until(lambda: "Search=KEEP" in browser.path and browser.text(".count-line") == "1 in all", "the filter")
    browser.click(one, within=".table-place")
    browser.at(f"/inquiries/{one}")
    browser.click("‹ Inquiries")
    browser.until(lambda: "Search=KEEP" in browser.path, "the filter in the address")
    browser.see("1 in all")
    assert browser.field("Search").get_property("value") == "KEEP"
    browser.go(f"/inquiries/{two}").click("‹ Inquiries")
    browser.until(lambda: "Search=KEEP" in browser.path, "after a load, too")
    if browser.width == "phone":
        browser.click("Sections")
    browser.click("Inquiries", within="nav.side")  # the section begins anew
    browser.until(lambda: browser.path == "/inquiries", "the plain list")
    browser.sign_out().at("/sign-in")


@DESKTOP
def test_review_next_follows_the_list(browser, world):
    """P10: the order that the person saw, with its filters; behind the last comes the first."""
    amounts = {"10.00": None, "30.00": None, "20.00": None, "5.00": None}
    for amount in amounts:
        amounts[amount] = world.open(OrderId=f"{'X' if amount == '5.00' else 'A'}-{amount}", TransactionAmount=amount)
    browser.sign_in(world.brand, "/inquiries?Sort=-TransactionAmount&Search=A-")
    browser.see("3 in all")

    def decline(at, following):
        browser.at(f"/inquiries/{amounts[at]}")
        browser.click("Decline", within="#review").choose("Reason", "9. Other").click("Submit and review next")
        browser.at(f"/inquiries/{amounts[following]}" if following else "/inquiries")

    browser.click(f"Review inquiry {amounts['20.00']}")
    decline("20.00", "10.00")
    decline("10.00", "30.00")
    decline("30.00", None)
    browser.until(lambda: "Search=A-" in browser.path, "the list with its filters")
    browser.go("/account").driver.execute_script("sessionStorage.clear()")
    six, seven = world.open(OrderId="B-6"), world.open(OrderId="B-7")
    browser.go(f"/inquiries/{seven}")  # without a list: who waits longest
    browser.click("Decline", within="#review").choose("Reason", "9. Other").click("Submit and review next")
    browser.at(f"/inquiries/{amounts['5.00']}")
    assert six


# ---- what is not there, and who is not ----

@pytest.mark.parametrize("path", ["/nothing", "/inquiries/1/2", "/Nothing/at/all", "/operator/nothing"])
def test_an_address_where_nothing_is(browser, world, path):
    """P12: a page says so, signed in or not."""
    browser.go(path).see("Not found", "There is nothing at this address.")
    browser.sign_in(world.partner, path).see("Not found")
    browser.screenshot("not-found")
    browser.click("Start page").at("/inquiries")


@DESKTOP
def test_a_slash_too_many_is_none(browser, world):
    """P12: /inquiries/ is /inquiries, with its filters."""
    one = world.open()
    browser.sign_in(world.partner, "/inquiries/?Search=A-1")
    browser.see("1 in all")
    assert browser.path == "/inquiries?Search=A-1"
    browser.go(f"/inquiries/{one}//").see(f"Inquiry {one}")
    browser.sign_in(world.operator, "/operator/").at("/operator/health")


def offline(browser, so):
    browser.cdp("Network.enable")
    browser.cdp("Network.emulateNetworkConditions", offline=so, latency=0, downloadThroughput=-1, uploadThroughput=-1)


@pytest.fixture
def network(browser):
    yield lambda so: offline(browser, not so)
    offline(browser, False)
    browser.listen()
    browser.complaints = [one for one in browser.complaints if "net::ERR_" not in one]  # they were to fail


@DESKTOP
def test_offline_and_back_online(browser, world, network):
    """P12: a page whose files cannot be loaded says so and comes by itself, again and again."""
    browser.sign_in(world.partner, "/inquiries")
    for _ in range(2):  # and once more
        network(False)
        browser.driver.execute_script("document.querySelector('nav.side a[href=\"/notifications\"]').click()")
        browser.see("You are offline", "tried again by itself")
        network(True)
        browser.see("Which events are sent to which of your URLs")
        network(False)
        browser.driver.execute_script("document.querySelector('nav.side a[href=\"/inquiries\"]').click()")  # its files are there, its data not
        browser.see("You are offline")
        network(True)
        browser.see("0 in all")


@DESKTOP
def test_a_file_of_another_version_is_gone(browser, world, network):
    """P12: after an upgrade the pages are loaded anew, once; a file that stays away is told."""
    browser.sign_in(world.partner, "/inquiries")
    browser.cdp("Network.enable")
    browser.cdp("Network.setBlockedURLs", urls=["*/assets/pages/notifications.js*"])
    browser.driver.execute_script("window.before = true; document.querySelector('nav.side a[href=\"/notifications\"]').click()")
    browser.until(lambda: not browser.driver.execute_script("return window.before"), "all loaded anew")
    browser.see("The page did not load.", "Try again")
    browser.cdp("Network.setBlockedURLs", urls=[])
    browser.see("Which events are sent to which of your URLs")  # by itself


@DESKTOP
@pytest.mark.parametrize("file", ["app.js", "dom.js", "ui/form.js"])
def test_the_first_page_without_one_of_its_files(browser, world, network, file):
    """P12: nothing of ours runs, and yet it is told and tried again."""
    browser.sign_in(world.partner, "/account")
    browser.cdp("Network.enable")
    browser.cdp("Network.setCacheDisabled", cacheDisabled=True)
    browser.cdp("Network.setBlockedURLs", urls=[f"*/assets/{file}*"])
    browser.driver.get(browser.server.base + "/account")
    browser.see("did not load", "Try again")
    browser.cdp("Network.setBlockedURLs", urls=[])
    browser.cdp("Network.setCacheDisabled", cacheDisabled=False)
    browser.see("Change password")


@DESKTOP
def test_a_server_that_is_away_at_first(browser, world, network):
    """P12: who is signed in is not sent to the sign-in because nobody answered."""
    browser.sign_in(world.partner, "/account")
    browser.cdp("Network.enable")
    browser.cdp("Network.setBlockedURLs", urls=["*/Session", "*/healthz"])
    browser.driver.get(browser.server.base + "/account")
    browser.see("The server cannot be reached", "Try again")
    browser.cdp("Network.setBlockedURLs", urls=[])
    browser.see("Change password")


@DESKTOP
def test_a_notice_tells_the_persons_time_and_leads_on(browser, world, receivers, zones):
    """P13: times in the person's zone, and a link to what it is about."""
    work = Delivery(world, receivers(answers(410)).url(), Name="To the warehouse")
    work.send()
    world.await_notice(world.partner)
    world.operator.ok(world.operator.post("Maintenance", {"StartDate": "2031-11-05T23:05:00Z"}))
    world.await_notice(world.partner, "will be paused for maintenance from")
    world.operator.ok(world.operator.post("Maintenance/End"))
    browser.sign_in(world.partner, "/account")
    zones("Pacific/Kiritimati")
    browser.go("/notices").see("“To the warehouse”", "will be paused for maintenance from", within="main")
    browser.until(lambda: any(day in browser.text("main") for day in ("Nov 6, 2031", "6 Nov 2031")), "the day there")
    browser.see_no("UTC", within="main .notices")
    browser.click("See it", within="main").at(f"/notifications/{work.id}")


# ---- readable ----

SMALL = """
  return [...document.querySelectorAll('main input:not([type=checkbox]), main select, main button, main a.button')].filter((e) => e.checkVisibility())
    .map((e) => [e.getAttribute('aria-label') || e.innerText || e.name, e.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < 60 || box.left < 0 || box.right > innerWidth + 1)).map(([name, box]) => `${name}: ${box.width} px at ${box.left}`);"""
TORN = """
  return [...document.querySelectorAll('main td > div')].filter((e) => e.checkVisibility() && e.innerText.trim())
    .filter((e) => e.getBoundingClientRect().height > 6 * parseFloat(getComputedStyle(e).lineHeight))
    .map((e) => e.innerText.slice(0, 60));"""


def test_the_operators_tables_are_readable(browser, world):
    """P8: no torn cell, no input too narrow to read, nothing cut off: audit log, event type editor, users."""
    browser.user(world.partner)
    for path in ("/operator/audit", "/operator/event-types/new", f"/operator/accounts/{world.partner.sid}", "/operator/event-types"):
        browser.sign_in(world.operator, path)
        if path.endswith("/new"):
            browser.click("Add a data point").click("Add a data point")
        browser.find("main table")
        if browser.width == "phone" or path.endswith("/new"):
            assert browser.driver.execute_script(SMALL) == [], path
        assert browser.driver.execute_script(TORN) == [], path
        browser.screenshot("readable" + path.replace("/", "-").replace(world.partner.sid, "account"))


# ---- small words ----

@DESKTOP
def test_small_words(browser, world, receivers):
    """P17: plural and singular, a question whose answers differ, sentences that end, a summary that goes."""
    work = Delivery(world, receivers(answers(410)).url(), Name="Gone", MinimumDelay=0)
    work.send()
    world.await_notice(world.partner)
    browser.sign_in(world.partner, f"/notifications/{work.id}")
    browser.see("The receiver answered 410 Gone. Events wait and go out once it is resumed.")
    browser.see("1", within=".glance")
    browser.click("Delete Gone", exact=False) if browser.named("button", "Delete Gone") else browser.click("Delete")
    browser.see("its pending postback will not be sent").click("Undo")
    waiting = work.postbacks(State="WAITING")[0]
    browser.go(f"/postbacks/{waiting['Id']}").click("Cancel")
    browser.see("Cancel this postback?", "Keep it", "Cancel the postback", within="dialog")
    assert not browser.named("button", "Cancel", within="dialog")
    browser.click("Keep it", within="dialog")
    browser.go("/inquiries/new").click("Create inquiry")
    browser.see("Some fields need a look.")
    browser.choose("What is wrong", "Order not tracked").fill("Order ID", "A-1").fill("Sale amount", "10")
    browser.see("Some fields need a look.")
    browser.fill("Order date", "2026-01-15")
    browser.see_no("Some fields need a look.")


@DESKTOP
@pytest.mark.parametrize("oldest", [7, 25, 90, 1500, 5000, 20000, 90000, 2000000])
def test_the_marks_of_an_axis_are_round(browser, world, oldest):
    """P17: minutes, hours and days in round numbers, as they are written."""
    browser.sign_in(world.partner, "/account")
    came = browser.driver.execute_async_script("""
      const [oldest, done] = arguments;
      Promise.all([import('/assets/ui/activity.js'), import('/assets/api.js')]).then(async ([{ activity }]) => {
        const real = fetch;
        window.fetch = (to, options) => (String(to).includes('/Series') ? Promise.resolve(new Response(JSON.stringify({ Points: [1, 2, 3].map((n) => (
          { Time: `2026-01-01T00:0${n}:00Z`, Delivered: '1', Failed: '0', LatencyP50: '1', LatencyP99: '1', Pending: '3', OldestPendingSeconds: String(oldest * n / 3) })) }),
          { headers: { 'Content-Type': 'application/json' } })) : real(to, options));
        const made = activity('/Series', { signal: new AbortController().signal });
        document.querySelector('main').append(made.node);
        for (let n = 0; n < 100 && !window.Chart?.getChart(made.node.querySelectorAll('canvas')[3]); n++)
          await new Promise((then) => setTimeout(then, 100));
        done(window.Chart.getChart(made.node.querySelectorAll('canvas')[3]).scales.y.ticks.map((one) => [one.value, one.label]));
      });""", oldest)
    unit = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    for value, label in came:
        words = label.split()
        assert sum(int(n) * unit[u] for n, u in zip(words[::2], words[1::2])) == value, (oldest, came)
    assert 2 <= len(came) <= 8 and len({label for _, label in came}) == len(came), came
