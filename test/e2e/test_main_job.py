"""The main job: an inquiry opened, resolved or closed reaches the receiver."""

import json


def test_an_opened_inquiry_reaches_the_partners_receiver(world, receiver):
    world.notify(world.partner, receiver.url("/in?id={InquiryId}"))
    inquiry = world.open(OrderId="A-77", MediaPartnerInquiryId="MEMBER77")
    request = receiver.wait(1)[0]
    assert (request.method, request.target) == ("POST", f"/in?id={inquiry}")
    body = json.loads(request.body)
    assert body["EventType"] == "action_inquiry.opened"
    assert body["OrderId"] == "A-77" and body["MediaPartnerInquiryId"] == "MEMBER77"
    assert body["AccountSid"] == world.partner.sid
    assert request.header("webhook-id") and request.header("webhook-signature").startswith("v1,")
    done = world.await_state(world.partner, "DELIVERED")
    assert done[0]["LastStatus"] == "200" and done[0]["Attempts"] == "1"


def test_partner_and_brand_each_get_the_events_in_their_own_view(world, receivers):
    at_partner, at_brand = receivers(), receivers()
    world.notify(world.partner, at_partner.url())
    world.notify(world.brand, at_brand.url())
    inquiry = world.open(MediaPartnerInquiryId="MEMBER77", CustomerId="C1")
    at_brand.wait(1)
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "DECLINED",
        "RejectReason": "Transaction cannot be traced"}))
    at_brand.wait(2)
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    wanted = ["action_inquiry.opened", "action_inquiry.resolved", "action_inquiry.closed"]
    for receiver, private in ((at_partner, True), (at_brand, False)):
        bodies = [json.loads(request.body) for request in receiver.wait(3)]
        assert [body["EventType"] for body in bodies] == wanted
        assert all(("CustomerId" in body) == private for body in bodies)
        assert all(("MediaPartnerInquiryId" in body) == private for body in bodies)
