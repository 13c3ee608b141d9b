"""A world of the size that one has after a month: inquiries with all that becomes of them, thousands of
postbacks, receivers that fail.  For the pictures at full size, for the walk through all pages at a small one."""

import csv
import io
import random
import re
import threading

import requests

from harness.receiver import Receiver, answers
from harness.waiting import await_until

FIRMS = ["Northwind", "Corner", "Harbour", "Maple", "Summit", "Lantern", "Juniper", "Orchard", "Beacon", "Willow"]
KINDS = ["Cashback", "Coupons", "Loyalty", "Reviews"]
NOTES = ["The member sent the receipt.", "The order is not in my report.", "Wrong amount: two pairs were bought.",
         "Bought in the app, on a phone.", ""]
REASONS = ["Did not meet terms and conditions set by merchant", "Other"]


def flaky(every):
    """Answers 500 to each n-th request."""
    count, lock = [0], threading.Lock()

    def behave(connection, request):
        with lock:
            count[0] += 1
            bad = count[0] % every == 0
        return connection.answer(500, "Please try again later.") if bad else connection.answer(200)
    return behave


class Receivers:
    """The four that the world's event notifications call."""

    def __enter__(self):
        self.well, self.sick = Receiver(), Receiver(answers(503, body="The CRM is down for repairs."))
        self.flaky, self.gone = Receiver(flaky(9)), Receiver(answers(410, body="Gone."))
        return self

    def __exit__(self, *exc):
        for one in (self.well, self.sick, self.flaky, self.gone):
            one.close()


class BigWorld:
    """fill() makes it; `shown` are the ids that pictures show."""

    def __init__(self, world, receivers):
        self.world, self.receivers, self.dice, self.shown = world, receivers, random.Random(7), {}

    def notify(self):
        world, on = self.world, self.receivers
        self.shown["notification"] = world.notify(
            world.partner, on.well.url("/hooks"), Name="Warehouse",
            BodyTemplate='{"order":"{OrderId}","status":"{ResolutionStatus}","at":{TransactionDate|unix}}')["Id"]
        world.notify(world.partner, on.flaky.url("/pb?id={InquiryId}&order={OrderId}"), Method="GET", BodyFormat=None, Name="Tracking")
        self.shown["failing"] = world.notify(world.partner, on.sick.url("/crm"), Name="CRM")["Id"]
        world.notify(world.brand, on.well.url("/acme"), Name="Shop")
        self.type = self.shown["type"] = "shop.order_shipped"
        world.operator.ok(world.operator.post("EventTypes", {
            "Name": self.type, "Meaning": "An order left the house", "DataPoints": [
                {"Name": "OrderId", "Type": "text", "Meaning": "The order", "Sample": "ORD-20417"},
                {"Name": "Parcel", "Type": "text", "Meaning": "The carrier's number", "Sample": "JD0146"}]}))
        world.notify(world.partner, on.well.url("/parcels"), Category="Platform Events", Name="Parcels")
        world.notify(world.partner, on.gone.url("/old"), Name="Old shop")

    def csv(self, account, header, rows):
        """Imports of 5,000 rows; the paths of what was made."""
        made = []
        for at in range(0, len(rows), 5000):
            text = io.StringIO()
            csv.writer(text).writerows([header.split(","), *rows[at:at + 5000]])
            answer = account.ok(account.call("POST", "ActionInquiries/Import", data=text.getvalue().encode(),
                                             headers={"Content-Type": "text/csv"}))
            made += answer.get("Uris", [])
        return made

    def inquire(self, count):
        world, dice, rows = self.world, self.dice, []
        for number in range(count):
            amount = round(dice.lognormvariate(4.2, .7), 2)
            rows.append((f"MEMBER{100 + number % 900}", world.campaign, f"A-{10001 + number}", f"{amount:.2f}",
                         f"{('2025-11', '2025-12', '2026-01')[number % 3]}-{1 + number % 28:02d}", dice.choice(["UNTRACKED", "UNTRACKED", "INCORRECT", "DECLINED"]),
                         f"{amount * .07:.2f}", f"C-{5500 + number % 700}", dice.choice(NOTES)))
        uris = self.csv(world.partner, "Inquiry Id,Campaign Id,Order Id,Sale Amount,Transaction Date,Type,Expected Payout,Customer Id,Notes", rows)
        return [uri.rsplit("/", 1)[1] for uri in uris]

    def decide(self, inquiries):
        """Six of ten: the oldest; most of them are accepted."""
        rows = []
        for inquiry in inquiries[:len(inquiries) * 6 // 10]:
            what = self.dice.choice(["VALID", "VALID", "VALID", "DECLINED", "INCOMPLETE"])
            rows.append((inquiry, what, *{"VALID": ("", self.world.tracker, f"{self.dice.uniform(1, 9):.2f}", ""),
                                          "DECLINED": (self.dice.choice(REASONS), "", "", ""),
                                          "INCOMPLETE": ("", "", "", "Which e-mail address was used?")}[what]))
            self.shown["inquiry"] = inquiry
        self.csv(self.world.brand, "Id,Resolution Status,Resolution Reason,Action Tracker,Final Payout,Resolution Notes", rows)
        self.shown["open"] = inquiries[-1]

    def postbacks(self):
        """How many there are."""
        text = requests.get(self.world.server.base + "/metrics", timeout=20).text
        return int(re.search(r"^postbackd_postbacks_total (\d+)", text, re.M)[1])

    def ship(self, count):
        """Events of the platform's own, a thousand at a time."""
        for at in range(0, count, 1000):
            events = [{"Type": self.type, "AccountSids": [self.world.partner.sid], "Data": {
                "OrderId": f"A-{20000 + number}", "Parcel": f"JD{number:07d}"}} for number in range(at, min(at + 1000, count))]
            self.world.operator.ok(self.world.operator.post("/Events", {"Events": events}))

    def sell(self, count):
        world = self.world
        world.add_terms()
        for number in range(count):
            self.shown["action"] = world.sell(f"S-{number}", Amount=f"{self.dice.lognormvariate(4, .6):.2f}")

    def ask_support(self):
        world = self.world
        asked = world.partner.ok(world.partner.post("SupportRequests", {
            "Kind": "CUSTOM_HEADER", "Subject": "A header for our CRM", "Text": "Our CRM wants a key in X-Api-Key. Whom may I call?"}))
        self.shown["support"] = asked["Uri"].rsplit("/", 1)[1]
        world.operator.ok(world.operator.post(f"SupportRequests/{self.shown['support']}/Messages", {"Text": "Call the desk, any time.", "State": "ANSWERED"}))

    def rule_and_export(self):
        world = self.world
        world.brand.ok(world.brand.post("ApprovalRules", {
            "CampaignId": world.campaign, "ActionTrackerId": world.tracker, "PartnerSid": world.partner.sid, "Approve": "IMMEDIATELY", "PayoutUnder": "1.00"}))
        for account in (world.partner, world.brand):
            account.ok(account.post("Exports", {"Records": "INQUIRIES", "Format": "CSV", **({"CampaignId": "ALL"} if account is world.brand else {})}))

    def fill(self, inquiries, postbacks, accounts, sales):
        world = self.world
        for number in range(accounts):
            world.account(["PARTNER", "BRAND"][number % 3 == 0], f"{FIRMS[number % len(FIRMS)]} {KINDS[number // len(FIRMS) % len(KINDS)]}")
        self.notify()
        ids = self.inquire(inquiries)
        self.decide(ids)
        self.sell(sales)
        self.ship(max(1, postbacks - self.postbacks()))
        self.ask_support()
        self.rule_and_export()
        await_until(lambda: world.partner.get(f"EventNotifications/{self.shown['failing']}/Health").json().get("ConsecutiveFailures", "0") != "0"
                    or len(world.postbacks(world.partner, NotificationId=self.shown["failing"], State="WAITING")) > 0, "the CRM to fail")
        await_until(lambda: not world.postbacks(world.partner, NotificationId=self.shown["notification"], State="WAITING")
                    and not world.postbacks(world.partner, NotificationId=self.shown["notification"], State="DELIVERING"),
                    "the warehouse to have all", timeout=300)
        self.shown["postback"] = world.postbacks(world.partner, NotificationId=self.shown["failing"], State="WAITING")[0]["Id"]
        return self
