"""Takes the pictures of doc/pictures that README and guide show: each page, with a day's work in it.

script/pictures runs it; the pictures are the repository's, those of the tests are not."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

from browser import Browser, Chromium  # noqa: E402
from harness.receiver import Receiver, answers  # noqa: E402
from harness.server import Server, World  # noqa: E402

PICTURES = os.path.join(HERE, "..", "..", "doc", "pictures")

INQUIRIES = [  # order, date, amount, type, expected payout, then what became of it
    ("A-10231", "2026-01-03", "129.90", "UNTRACKED", "9.10", "VALID"),
    ("A-10242", "2026-01-05", "59.00", "INCORRECT", "4.15", "DECLINED"),
    ("A-10250", "2026-01-06", "240.50", "UNTRACKED", "16.80", "INCOMPLETE"),
    ("A-10263", "2026-01-09", "18.99", "DECLINED", "1.30", None),
    ("A-10277", "2026-01-11", "410.00", "UNTRACKED", "28.70", "CLOSED"),
    ("A-10281", "2026-01-12", "75.20", "UNTRACKED", "5.25", "VALID"),
    ("A-10290", "2026-01-14", "33.40", "INCORRECT", "2.35", None),
    ("A-10304", "2026-01-15", "89.90", "UNTRACKED", "6.30", None),
]


def decide(world, inquiry, what):
    if what == "CLOSED":
        world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    elif what:
        further = {"VALID": {"ActionTrackerId": world.tracker}, "DECLINED": {"RejectReason": "Did not meet terms and conditions set by merchant"},
                   "INCOMPLETE": {"ResolutionNotes": "Which e-mail address was used for the order?"}}[what]
        world.brand.ok(world.brand.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": what, **further}))


def a_day(world, well, sick):
    """What happened before the pictures are taken; the ids that they show."""
    shown = {}
    shown["notification"] = world.notify(
        world.partner, well.url("/hooks"), Name="Warehouse", BodyTemplate='{"order":"{OrderId}","status":"{ResolutionStatus}","at":{TransactionDate|unix}}')["Id"]
    world.notify(world.partner, well.url("/pb?id={InquiryId}&order={OrderId}"), Method="GET", BodyFormat=None, Name="Tracking")
    world.notify(world.partner, sick.url("/crm"), Name="CRM")
    world.notify(world.brand, well.url("/acme"), Name="Shop")
    for number, (order, day, amount, kind, payout, what) in enumerate(INQUIRIES):
        inquiry = world.open(OrderId=order, TransactionDate=day, TransactionAmount=amount, InquiryType=kind, ExpectedPayout=payout,
                             CustomerId=f"C-{5520 + number}", MediaPartnerInquiryId=f"MEMBER{70 + number}", InquiryNotes="The member sent the receipt.")
        decide(world, inquiry, what)
        if what == "INCOMPLETE":
            shown["inquiry"] = inquiry
    shown["open"] = inquiry
    world.await_state(world.partner, "DELIVERED", 10)
    shown["postback"] = world.await_state(world.partner, "WAITING", 3)[0]["Id"]
    asked = world.partner.ok(world.partner.post("SupportRequests", {
        "Kind": "CUSTOM_HEADER", "Subject": "A header for our CRM", "Text": "Our CRM wants a key in X-Api-Key. Whom may I call to hand it over?"}))
    shown["support"] = asked["Uri"].rsplit("/", 1)[1]
    world.operator.ok(world.operator.post(f"SupportRequests/{shown['support']}/Messages", {"Text": "Call the desk, any time.", "State": "ANSWERED"}))
    world.operator.ok(world.operator.post("EventTypes", {
        "Name": "shop.order_shipped", "Meaning": "An order left the house",
        "DataPoints": [{"Name": "OrderId", "Type": "text", "Meaning": "The order", "Sample": "ORD-20417"}]}))
    return shown


def pages(world, shown):
    partner, brand, operator = world.partner, world.brand, world.operator
    return [
        ("sign-in", None, "/sign-in"),
        ("inquiries", partner, "/inquiries"), ("inquiry-new", partner, "/inquiries/new"), ("inquiry-import", partner, "/inquiries/import"),
        ("inquiry", partner, f"/inquiries/{shown['inquiry']}"),
        ("brand-inquiries", brand, "/inquiries"), ("review", brand, f"/inquiries/{shown['open']}"), ("rules", brand, "/rules"),
        ("notifications", partner, "/notifications"), ("notification", partner, f"/notifications/{shown['notification']}"),
        ("notification-deliveries", partner, f"/notifications/{shown['notification']}?View=deliveries"),
        ("notification-security", partner, f"/notifications/{shown['notification']}?View=security"),
        ("postbacks", partner, "/postbacks"), ("postback", partner, f"/postbacks/{shown['postback']}"),
        ("notices", partner, "/notices"), ("support", partner, "/support"), ("support-request", partner, f"/support/{shown['support']}"), ("account", partner, "/account"),
        ("operator-health", operator, "/operator/health"), ("operator-maintenance", operator, "/operator/maintenance"),
        ("operator-accounts", operator, "/operator/accounts"), ("operator-account", operator, f"/operator/accounts/{partner.sid}"),
        ("operator-campaigns", operator, "/operator/campaigns"), ("operator-campaign", operator, f"/operator/campaigns/{world.campaign}"),
        ("operator-event-types", operator, "/operator/event-types"), ("operator-event-type", operator, "/operator/event-types/shop.order_shipped"),
        ("operator-headers", operator, "/operator/headers"), ("operator-support", operator, "/operator/support?State="),
        ("operator-audit", operator, "/operator/audit"),
    ]


def take(browser, name):
    """The first screens of the page, as WebP."""
    path = os.path.join(PICTURES, f"{name}.webp")
    browser.picture(name, path=path, high=1400)
    print(f"{name}  {os.path.getsize(path) // 1024} KiB")


def main():
    os.makedirs(PICTURES, exist_ok=True)
    with Server() as server, Receiver() as well, Receiver(answers(503, body="The CRM is down for repairs.")) as sick, Chromium() as chromium:
        world = World(server)
        shown = a_day(world, well, sick)
        browser, signed_in = Browser(chromium, server, "desktop"), None
        for name, who, path in pages(world, shown):
            if who is not None and who is not signed_in:
                browser.sign_in(who, path)
                signed_in = who
            else:
                browser.go(path)
            browser.drawn()
            take(browser, name)


if __name__ == "__main__":
    main()
