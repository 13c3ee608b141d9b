"""A browser as a person uses it: labels, buttons by their words, what can be seen.

Every call that looks for something waits until it is there.  At its end a test must not have left a
complaint of the browser's (a script's error, something the policy refused)."""

import base64
import os
import shutil
import tempfile
import threading
import uuid

import requests
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness.npm import packages

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ARTEFACTS = os.environ.get("POSTBACKD_ARTEFACTS", os.path.join(ROOT, "artefacts", "pages"))
NODE = os.path.join(HERE, "node")
WIDTHS = {"desktop": (1280, 900, False), "phone": (390, 844, True)}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-default-apps", "--hide-scrollbars",
         "--force-prefers-reduced-motion", "--lang=en-GB"]
PASSWORD = "correct horse battery"
# The browser's own line for an answer that the page itself shows to the person.
EXPECTED = ("Failed to load resource: the server responded with a status of", "favicon")


def axe():
    """The accessibility checker's source; fetched once, by the lock file."""
    path = os.path.join(packages(NODE), "axe-core", "axe.min.js")
    with open(path, encoding="utf-8") as source:
        return source.read()


class Chromium:
    """One browser for all tests; each test gets a page of its own width and no cookies."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="postbackd-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": self.profile})
        environment = {name: value for name, value in os.environ.items()
                       if not name.lower().endswith("_proxy")}
        self.driver = webdriver.Chrome(
            service=Service("/usr/bin/chromedriver", env=environment), options=options)
        self.driver.set_script_timeout(60)
        return self

    def __exit__(self, *exc):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)


class Browser:
    def __init__(self, chromium, server, width):
        self.driver, self.server, self.width = chromium.driver, server, width
        self.downloads = chromium.profile
        self.resize(width)
        self.cdp("Network.clearBrowserCookies")
        self.color("light")
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.complaints = []

    def cdp(self, command, **values):
        return self.driver.execute_cdp_cmd(command, values)

    def resize(self, width):
        """The window is as wide as a "desktop" or a "phone" from now on."""
        self.width = width
        wide, high, phone = WIDTHS[width]
        self.cdp("Emulation.setDeviceMetricsOverride", width=wide, height=high,
                 deviceScaleFactor=1, mobile=phone)

    def color(self, scheme):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme},
                           {"name": "prefers-reduced-motion", "value": "reduce"}])

    def close(self):
        """Leaves the page, and fails the test if the browser complained."""
        self.listen()
        self.driver.execute_script("window.onbeforeunload = null; window.localStorage.clear()")
        self.driver.get("about:blank")
        assert not self.complaints, self.complaints

    def listen(self):
        """Takes down what the browser complained of since the last time."""
        self.complaints += [line["message"] for line in self.driver.get_log("browser")
                            if line["level"] == "SEVERE"
                            and not any(e in line["message"] for e in EXPECTED)]

    # ---- who ----

    def user(self, account, role="USER"):
        """Makes a person of the account (an Api of the harness) and gives their email."""
        if account.prefix == "/Operator" and role == "USER":
            role = "ADMIN"  # who makes accounts, users and tokens
        operator, email = self.server.operator(), f"u{uuid.uuid4().hex[:12]}@example.com"
        operator.ok(operator.post(f"Accounts/{account.sid}/Users", {
            "Email": email, "Name": "Ann Example", "Role": role, "Password": PASSWORD}))
        return email

    def sign_in(self, account, path="/", role="USER"):
        """Signed in as a new person of the account, at the page."""
        return self.become(self.user(account, role)).go(path)

    def become(self, email):
        """The browser has a session of this person's; the page that is shown does not know."""
        answer = requests.post(self.server.base + "/Session", timeout=40, json={
            "Email": email, "Password": PASSWORD})
        assert answer.status_code == 200, answer.text
        for cookie in answer.cookies:
            self.cdp("Network.setCookie", name=cookie.name, value=cookie.value,
                     url=self.server.base, httpOnly=True, sameSite="Strict")
        return self

    def sign_out(self):
        if not self.named("button", "Sign out"):
            self.find("details.person summary").click()
        return self.click("Sign out")

    # ---- calls of the page ----

    def hold(self, path, method="GET"):
        """Holds back the answers to the page's calls of this method to a path like this expression."""
        self.driver.execute_script("""
          const [path, method] = arguments, real = window.fetch;
          window.held = [];
          window.fetch = (to, options) => (!new RegExp(path).test(to) || options.method !== method ? real(to, options)
            : new Promise((done, failed) => {
                options.signal?.addEventListener('abort', () => failed(options.signal.reason));
                window.held.push({ signal: options.signal, go: () => real(to, { ...options, signal: undefined }).then(done, failed) });
              }));
        """, path, method)
        return self

    def held(self):
        return self.driver.execute_script("return window.held.length")

    def let_go(self, first=0):
        """Those held so far go out, from the n-th on; the page has their answers when this returns."""
        self.driver.execute_async_script("""
          const [first, done] = arguments;
          Promise.all(window.held.slice(first).map((one) => one.go())).then(() => setTimeout(done, 50));""", first)
        return self

    def cut_off(self, path, method="GET"):
        """Such calls reach nobody, until connected()."""
        self.driver.execute_script("""
          const [path, method] = arguments, real = window.fetch;
          Object.assign(window, { failed: 0, connected() { window.fetch = real; } });
          window.fetch = (to, options) => (!new RegExp(path).test(to) || options.method !== method ? real(to, options)
            : (window.failed++, Promise.reject(new TypeError('cut off'))));""", path, method)
        return self

    def connected(self):
        self.driver.execute_script("window.connected()")
        return self

    # ---- where ----

    def go(self, path):
        self.driver.get(self.server.base + path)
        self.settled()
        return self

    @property
    def path(self):
        return self.driver.current_url[len(self.server.base):]

    def at(self, path):
        self.until(lambda: self.path.split("?")[0] == path, f"the page {path}, not {self.path}")
        self.settled()

    def settled(self):
        """The page is shown, and no list or form is waiting for the server."""
        self.until(lambda: self.driver.execute_script(
            "return document.querySelector('main h1') !== null"
            " && !document.documentElement.classList.contains('loading')"
            " && !document.querySelector('[aria-busy=true]')"), "a page at rest")

    # ---- waiting ----

    def until(self, condition, what, timeout=20.0):
        pause = threading.Event()
        for _ in range(int(timeout / 0.05)):
            try:
                value = condition()
            except StaleElementReferenceException:
                value = None
            if value:
                return value
            pause.wait(0.05)
        name = self.picture("failed-" + uuid.uuid4().hex[:6])
        raise AssertionError(f"still not so after {timeout} s: {what}\n{name}\n{self.text()}")

    def text(self, css="body"):
        return self.driver.execute_script(
            "return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def see(self, *words, within="body"):
        for one in words:
            self.until(lambda: one in self.text(within), f"“{one}” to be seen in {within}")
        return self

    def see_no(self, *words, within="body"):
        for one in words:
            self.until(lambda: one not in self.text(within), f"“{one}” not to be seen in {within}")
        return self

    def all(self, css):
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, css) if one.is_displayed()]

    def find(self, css):
        return self.until(lambda: self.all(css), css)[0]

    # ---- doing ----

    def named(self, kinds, words, within="body", exact=True):
        """Elements by their words or label, as a screen reader says them."""
        script = """
          const [kinds, words, within, exact] = arguments;
          const name = (e) => (e.getAttribute('aria-label') ?? e.innerText ?? '').trim();
          return [...document.querySelectorAll(within)].flatMap((place) => [...place.querySelectorAll(kinds)])
            .filter((e) => e.checkVisibility({ visibilityProperty: true }) && (exact ? name(e) === words : name(e).includes(words)));
        """
        return self.driver.execute_script(script, kinds, words, within, exact)

    def click(self, words, within="body", exact=True):
        """A button, link or summary with these words."""
        def press():
            for one in self.named("button, a, summary, [role=button], [role=option], [role=tab]", words, within, exact):
                if not one.get_attribute("disabled"):
                    self.press(one)
                    return True
            return False
        self.until(press, f"to click “{words}” in {within}")
        return self

    def press(self, element):
        self.driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", element)
        try:
            element.click()
        except WebDriverException as error:
            if "intercepted" not in str(error):
                raise
            # A toast may lie over it for a moment; a person would wait.
            self.until(lambda: self.try_click(element), "a click that nothing covers")

    @staticmethod
    def try_click(element):
        try:
            element.click()
            return True
        except StaleElementReferenceException:
            raise
        except WebDriverException:
            return False

    def field(self, label, within="body"):
        """The control with this label (a star for what is needed aside)."""
        script = """
          const [label, within] = arguments;
          const plain = (e) => e.innerText.replace(/\\s*\\*\\s*$/, '').trim();
          for (const place of document.querySelectorAll(within))
            for (const one of place.querySelectorAll('label'))
              if (plain(one) === label && one.checkVisibility())
                return one.control ?? one.querySelector('input, select, textarea');
          return [...document.querySelectorAll('[aria-label]')].find((e) => e.getAttribute('aria-label') === label && e.matches('input, select, textarea')) ?? null;
        """
        return self.until(lambda: self.driver.execute_script(script, label, within), f"the field “{label}”")

    def fill(self, label, value, within="body"):
        control = self.field(label, within)
        if control.get_attribute("type") in ("date", "datetime-local", "time"):
            self.driver.execute_script(
                "arguments[0].value = arguments[1];"
                "for (const kind of ['input', 'change']) arguments[0].dispatchEvent(new Event(kind, { bubbles: true }))",
                control, value)
        elif control.get_attribute("type") == "file":
            control.send_keys(value)
        else:
            control.send_keys(Keys.CONTROL, "a")
            control.send_keys(Keys.DELETE)
            control.send_keys(value)
        return self

    def choose(self, label, words, within="body"):
        """An option of a select by its words."""
        control = self.field(label, within)
        self.until(lambda: self.driver.execute_script("""
          const [select, words] = arguments;
          const option = [...select.options].find((one) => one.text.trim() === words);
          if (!option) return false;
          select.value = option.value;
          for (const kind of ['input', 'change']) select.dispatchEvent(new Event(kind, { bubbles: true }));
          return true;""", control, words), f"the option “{words}” of {label}")
        return self

    def pick(self, label, words, within="body"):
        """One of those that a searched choice finds by its words."""
        self.fill(label, words, within)
        self.until(lambda: any(words in one.text for one in self.all(f"{within} .choices li")), f"{words} found")
        next(one for one in self.all(f"{within} .choices li") if words in one.text).click()
        return self

    def tick(self, label, on=True, within="body"):
        control = self.field(label, within)
        if control.is_selected() != on:
            self.press(control)
        return self

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)
        return self

    # ---- showing ----

    def picture(self, name, path=None, high=6000):
        """Keeps a picture of the whole page under artefacts/, or at `path` as its ending says; where it is."""
        path = path or os.path.join(ARTEFACTS, f"{name}-{self.width}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        wide = WIDTHS[self.width][0]
        kind = {"quality": 70} if path.endswith(".webp") else {}
        taken = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": wide, "height": min(size["height"], high), "scale": 1},
            format=path.rsplit(".", 1)[1], **kind)
        with open(path, "wb") as file:
            file.write(base64.b64decode(taken["data"]))
        return path

    def drawn(self):
        """Charts are there, if the page has any."""
        self.until(lambda: self.driver.execute_script(
            "return [...document.querySelectorAll('canvas')].every((c) => c.width !== 300 || c.height !== 150)"),
            "the charts")

    def screenshot(self, name):
        """The page is looked at as a whole: its picture is kept, it fits its width, it is accessible."""
        self.settled()
        self.driver.execute_script("window.scrollTo(0, 0)")
        self.picture(name)
        self.fits()
        self.check_accessibility()

    def too_wide(self):
        """By how many pixels."""
        return max(0, self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def is_narrow_enough(self):
        return self.too_wide() == 0

    def fits(self):
        over = self.too_wide()
        assert over == 0, f"the page is {over} px wider than the {self.width}"

    def check_accessibility(self, dark=()):
        """No violation of the published checker's rules, in light and in dark; `dark`: there of these rules alone."""
        self.listen()
        self.driver.execute_script("if (!window.axe) { " + axe() + " }")
        for scheme in ("light", "dark"):
            self.color(scheme)
            found = self.driver.execute_async_script("""
              const done = arguments[arguments.length - 1], rules = arguments[0];
              axe.run(document, { resultTypes: ['violations'], ...(rules.length ? { runOnly: { type: 'rule', values: rules } } : {}) }).then((r) => done(r.violations.map((v) =>
                `${v.id}: ${v.help}: ` + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 200) + ' ' + (n.failureSummary ?? '').split('\\n').slice(1, 3).join(' ')).join(' | '))),
                (e) => done([String(e)]));""", list(dark) if scheme == "dark" else [])
            assert not found, f"in {scheme}: " + "\n".join(found)
        self.color("light")
        self.driver.get_log("browser")  # the checker tries a style of its own, which the policy refuses
