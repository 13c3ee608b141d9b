"""The real binary on a data directory of its own: started, asked, stopped, killed."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import requests
from requests.adapters import HTTPAdapter

from harness.engine import store_of
from harness.waiting import await_until

BINARY = os.environ.get("POSTBACKD", "build/src/postbackd")
FAULTS = os.environ.get("POSTBACKD_FAULTS_LIBRARY") or os.path.join(
    os.path.dirname(os.path.abspath(BINARY)), "..", "test", "libfaults.so")
RUN_AGAIN = bool(os.environ.get("POSTBACKD_FAULTS_RUN_AGAIN"))  # see test/faults/preload.c


def preloading():
    """The environment of a server with test/faults/preload.c under it."""
    assert os.path.exists(FAULTS), f"{FAULTS} is not built"
    sanitizer = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": FAULTS,
            "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0"
                            ":quarantine_size_mb=16"}  # which would look like a leak


class Api:
    """Calls as one account: paths may be given whole or without the account's own prefix."""

    def __init__(self, base, sid, token, prefix=""):
        self.base, self.sid, self.token, self.prefix = base, sid, token, prefix
        self.session = requests.Session()
        self.session.auth = (sid, token)
        self.session.trust_env = False

    def call(self, method, path, **rest):
        whole = path if path.startswith("/") else f"{self.prefix}/{path}"
        return self.session.request(method, self.base + whole, timeout=40, **rest)

    def get(self, path, **query):
        return self.call("GET", path, params=query)

    def post(self, path, body=None, **rest):
        return self.call("POST", path, json=body, **rest)

    def put(self, path, body=None, **rest):
        return self.call("PUT", path, json=body, **rest)

    def delete(self, path):
        return self.call("DELETE", path)

    def ok(self, response):
        assert response.status_code < 300, f"{response.status_code}: {response.text}"
        return response.json()


class Browser(Api):
    """A user's browser: signs in, keeps the cookie, and sends what changes need."""

    def __init__(self, base):
        super().__init__(base, "", "")
        self.session.auth = None
        self.email = None

    def sign_in(self, email, password, **rest):
        self.email = email
        return self.taken_in(self.post("/Session", {"Email": email, "Password": password}, **rest))

    def taken_in(self, response):
        """Goes on in the session that this answer began, if it did."""
        if response.status_code == 200:
            account = response.json()["Account"]
            self.sid = account["Sid"]
            self.prefix = {"PARTNER": f"/Mediapartners/{self.sid}", "BRAND":
                           f"/Advertisers/{self.sid}", "OPERATOR": "/Operator"}[account["Kind"]]
            self.session.headers["X-CSRF-Token"] = response.json()["CsrfToken"]
        return response


class From(HTTPAdapter):
    """Calls from another address of the loopback."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **rest):
        super().init_poolmanager(*args, source_address=(self.address, 0), **rest)


def browser_from(server, address):
    browser = Browser(server.base)
    browser.session.mount("http://", From(address))
    return browser


class Server:
    """One `postbackd serve`.  Its log is kept; a start waits for the listening line."""

    def __init__(self, *flags, data=None, env=None, rate_limit=0):
        """rate_limit None: what the settings or the default say."""
        self.made = None if data else tempfile.mkdtemp(prefix="postbackd-test-")
        self.data = data or os.path.join(self.made, "data")
        self.store = store_of(self.data) if "--store" not in flags else None
        limit = [] if rate_limit is None else ["--rate-limit", str(rate_limit)]
        self.flags = ["--data", self.data, *(self.store.flags if self.store else ()), *limit, *flags]
        self.env = {**(preloading() if RUN_AGAIN else {}), **(env or {})}
        self.process, self.reader, self.lines, self.base = None, None, [], None

    def command(self):
        flags = list(self.flags)
        if "--listen" not in flags:
            flags += ["--listen", "127.0.0.1:0"]
        if "--allow-egress" not in flags:
            flags += ["--allow-egress", "127.0.0.0/8", "--allow-egress", "::1/128"]
        return [BINARY, "serve", *flags]

    def run(self):
        """Without waiting until it listens."""
        self.base = None
        self.process = subprocess.Popen(self.command(), stderr=subprocess.PIPE, text=True,
                                        errors="replace", env={**os.environ, **self.env})
        listening = threading.Event()
        self.reader = threading.Thread(target=self._read_log, args=(self.process, listening), daemon=True)
        self.reader.start()
        return listening

    def start(self, timeout=20):
        listening = self.run()
        assert listening.wait(timeout) and self.base, "did not start:\n" + self.log()
        return self

    def _read_log(self, process, listening):
        self.base = None
        for line in process.stderr:
            self.lines.append(line)
            found = re.search(r" listening address=(\S+)", line)
            if found:
                self.base = "http://" + found.group(1).strip('"')
                listening.set()
        listening.set()

    def log(self):
        """What was said so far; of one that has ended, all."""
        if self.process is not None and self.process.poll() is not None:
            self.reader.join(10)
        return "".join(self.lines)

    @property
    def port(self):
        return int(self.base.rsplit(":", 1)[1])

    def stop(self, timeout=30):
        """SIGTERM, then the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.made:  # a directory that was given is its giver's
            if self.store:
                self.store.drop()
            shutil.rmtree(self.made, ignore_errors=True)

    def operator(self):
        sid, token = open(os.path.join(self.data, "operator.token")).read().strip().split(":")
        return Api(self.base, sid, token, "/Operator")

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.close()


class World:
    """A brand with a campaign and a tracker, and a partner who is a member of it."""

    def __init__(self, server):
        self.server = server
        self.operator = server.operator()
        self.brand = self.account("BRAND", "Acme Shoes")
        self.partner = self.account("PARTNER", "Cashback Corner")
        self.campaign = self.add_campaign(self.brand, "Acme Autumn")
        self.tracker = self.operator.ok(self.operator.post(
            f"Campaigns/{self.campaign}/Trackers", {"Name": "Online sale"}))["Id"]
        self.join(self.campaign, self.partner)
        self.orders = 0

    def account(self, kind, name):
        made = self.operator.ok(self.operator.post("Accounts", {"Kind": kind, "Name": name}))
        token = self.token(made["Sid"], "API")
        prefix = {"PARTNER": "/Mediapartners/", "BRAND": "/Advertisers/"}[kind] + made["Sid"]
        api = Api(self.server.base, made["Sid"], token, prefix)
        api.id = made["Id"]
        return api

    def token(self, sid, scope):
        return self.operator.ok(self.operator.post(
            f"Accounts/{sid}/Tokens", {"Scope": scope, "Label": "test"}))["Token"]

    def add_user(self, account, role="USER", password="a long pass phrase"):
        """Gives the mail address of a new user; the id is kept in user_ids."""
        self.users = getattr(self, "users", 0) + 1
        email = f"user{self.users}.{account.sid.lower()}.{self.brand.sid.lower()}@example.com"
        made = self.operator.ok(self.operator.post(f"Accounts/{account.sid}/Users", {
            "Email": email, "Name": f"User {self.users}", "Role": role, "Password": password}))
        self.user_ids = {**getattr(self, "user_ids", {}), email: made["Id"]}
        return email

    def browser(self, account, role="USER", password="a long pass phrase"):
        """That of a new user, signed in."""
        browser = Browser(self.server.base)
        browser.ok(browser.sign_in(self.add_user(account, role, password), password))
        return browser

    def add_campaign(self, brand, name, currency="EUR"):
        return self.operator.ok(self.operator.post(
            "Campaigns", {"BrandSid": brand.sid, "Name": name, "Currency": currency}))["Id"]

    def join(self, campaign, partner):
        self.operator.ok(self.operator.post(
            f"Campaigns/{campaign}/Members", {"PartnerSid": partner.sid}))

    def moved(self):
        """After a restart the port is another."""
        for api in (self.operator, self.brand, self.partner):
            api.base = self.server.base

    def inquiry(self, **fields):
        """The fields of a right inquiry, changed as given (None takes one out)."""
        self.orders += 1
        whole = {"CampaignId": self.campaign, "OrderId": f"A-{self.orders}",
                 "TransactionDate": "2026-01-15", "TransactionAmount": "89.90",
                 "InquiryType": "UNTRACKED", **fields}
        return {name: value for name, value in whole.items() if value is not None}

    def open(self, **fields):
        """Opens one and gives its id."""
        answer = self.partner.ok(self.partner.post("ActionInquiries", self.inquiry(**fields)))
        return answer["Uri"].rsplit("/", 1)[1]

    def add_terms(self, **fields):
        """Of the tracker, for all partners, of 5 %; gives their id."""
        return self.brand.ok(self.brand.post("Terms", {
            "CampaignId": self.campaign, "ActionTrackerId": self.tracker, "PayoutPercentage": "5",
            "Locking": "AFTER_EVENT", "LockingDays": "30", "ClearingDays": "15",
            "StartDate": "2020-01-01", **fields}))["Id"]

    def sell(self, order="A-1", **fields):
        """A conversion of today; gives the action's id."""
        return self.brand.ok(self.brand.post("Conversions", {
            "CampaignId": self.campaign, "EventTypeId": self.tracker, "OrderId": order,
            "Amount": "89.90", "MediaPartnerId": self.partner.id, **fields}))["ActionId"]

    def notify(self, account, url, **settings):
        """Adds an event notification and gives its answer."""
        return account.ok(account.post("EventNotifications", {
            "Category": "Action Inquiry Events", "Url": url, "Method": "POST",
            "BodyFormat": "JSON", **settings}))

    def postbacks(self, account, **query):
        return account.ok(account.get("Postbacks", **query))["Postbacks"]

    def await_state(self, account, state, count=1, **query):
        return await_until(
            lambda: (lambda found: found if len(found) >= count else None)(
                self.postbacks(account, State=state, **query)),
            f"{count} postbacks {state} of {account.sid}")

    def await_notice(self, account, text=""):
        """The newest notice that holds the text, as soon as there is one."""
        return await_until(
            lambda: [notice for notice in account.ok(account.get("Notices"))["Notices"] if text in notice["Text"]],
            f"a notice to {account.sid}" + (f" with {text}" if text else ""))[0]
