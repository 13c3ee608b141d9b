"""Decisions that can be taken back, many inquiries at once, and who sees to them."""

from harness.server import Server, World, await_until

REASON = "Transaction cannot be traced"


def show(account, inquiry):
    return account.ok(account.get(f"ActionInquiries/{inquiry}"))


def steps(account, inquiry):
    return [one["Step"] for one in
            account.ok(account.get(f"ActionInquiries/{inquiry}/History"))["History"]]


def events(world, account, inquiry):
    return [one["EventType"] for one in world.postbacks(account, InquiryId=inquiry)]


def hold(world, inquiry, seconds, status="DECLINED", **fields):
    fields = {"RejectReason": REASON, **fields} if status == "DECLINED" else fields
    return world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": status, "UndoSeconds": seconds, **fields})


def bulk(account, ids, step, **fields):
    return account.ok(account.post("ActionInquiries/Bulk", {"Ids": ids, "Step": step, **fields}))


# ---- undo ----

def test_a_held_decision_is_undone_without_a_trace_for_the_partner(world, receiver):
    world.notify(world.partner, receiver.url())
    inquiry = world.open(ExpectedPayout="4.50")
    before = show(world.brand, inquiry)
    world.brand.ok(hold(world, inquiry, 60, "VALID", ActionTrackerId=world.tracker, FinalPayout="4.00"))
    held = show(world.brand, inquiry)
    assert held["HeldStatus"] == "VALID" and held["HeldUntilDate"]
    assert held["ResolutionStatus"] == "UNRESOLVED" and held["ActionId"] == ""
    assert "HeldStatus" not in show(world.partner, inquiry)
    again = hold(world, inquiry, 0)
    assert again.status_code == 409 and "taken back" in again.text
    world.brand.ok(world.brand.post(f"ActionInquiries/{inquiry}/Undo"))
    assert show(world.brand, inquiry) == before
    assert steps(world.brand, inquiry) == ["OPENED", "UNDONE"]
    assert steps(world.partner, inquiry) == ["OPENED"]
    assert events(world, world.partner, inquiry) == ["action_inquiry.opened"]
    assert world.brand.post(f"ActionInquiries/{inquiry}/Undo").status_code == 409
    world.brand.ok(hold(world, inquiry, 0))
    assert show(world.partner, inquiry)["ResolutionStatus"] == "DECLINED"


def test_a_held_decision_is_taken_by_itself(world):
    inquiry = world.open()
    world.brand.ok(hold(world, inquiry, 1, ResolutionNotes="no trace"))
    await_until(lambda: show(world.partner, inquiry)["ResolutionStatus"] == "DECLINED", "the decision")
    assert show(world.brand, inquiry)["HeldStatus"] == ""
    assert show(world.partner, inquiry)["ResolutionNotes"] == "no trace"
    assert steps(world.partner, inquiry) == ["OPENED", "DECLINED"]
    assert world.brand.post(f"ActionInquiries/{inquiry}/Undo").status_code == 409


def test_what_is_wrong_is_told_before_it_is_held(world):
    inquiry = world.open()
    for fields in ({"ActionTrackerId": world.tracker, "FinalPayout": "1.234"}, {"ActionTrackerId": "987654"}, {}):
        answer = hold(world, inquiry, 30, "VALID", **fields)
        assert answer.status_code == 400 and answer.json()["Errors"], answer.text
    for seconds in (61, -1, "x", 1.5):
        assert hold(world, inquiry, seconds).json()["Errors"][0]["Field"] == "UndoSeconds"
    assert show(world.brand, inquiry)["HeldStatus"] == ""


def test_a_person_has_ten_seconds_and_a_program_none(world):
    inquiry, other = world.open(), world.open()
    page = world.browser(world.brand)
    page.ok(page.put("ActionInquiries", {"Id": inquiry, "ResolutionStatus": "DECLINED", "RejectReason": "Other"}))
    assert show(world.brand, inquiry)["HeldStatus"] == "DECLINED"
    page.ok(page.post(f"ActionInquiries/{inquiry}/Undo"))
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": other, "ResolutionStatus": "DECLINED", "RejectReason": "Other"}))
    assert show(world.brand, other)["ResolutionStatus"] == "DECLINED"


def test_a_close_comes_after_the_decision_that_was_made_before_it(world):
    inquiry = world.open()
    world.brand.ok(hold(world, inquiry, 60))
    world.partner.ok(world.partner.post(f"ActionInquiries/{inquiry}/Close"))
    shown = show(world.partner, inquiry)
    assert (shown["State"], shown["ResolutionStatus"]) == ("CLOSED", "DECLINED")
    assert steps(world.partner, inquiry) == ["OPENED", "DECLINED", "CLOSED"]
    assert world.brand.post(f"ActionInquiries/{inquiry}/Undo").status_code == 409


def test_a_kill_leaves_each_decision_undone_or_taken():
    """What was held is on disk: after each kill it is taken when its time comes, or undone, never both."""
    with Server() as server:
        world = World(server)
        inquiries = [world.open() for _ in range(6)]
        for inquiry in inquiries[:3]:
            world.brand.ok(hold(world, inquiry, 2))
        for inquiry in inquiries[3:]:
            world.brand.ok(hold(world, inquiry, 60))
        server.kill()
        server.start()
        world.moved()
        for inquiry in inquiries[3:]:
            world.brand.ok(world.brand.post(f"ActionInquiries/{inquiry}/Undo"))
        server.kill()
        server.start()
        world.moved()
        for inquiry in inquiries[:3]:
            await_until(lambda: show(world.partner, inquiry)["ResolutionStatus"] == "DECLINED", "the decision")
            assert steps(world.brand, inquiry) == ["OPENED", "DECLINED"]
        for inquiry in inquiries[3:]:
            assert show(world.partner, inquiry)["ResolutionStatus"] == "UNRESOLVED"
            assert steps(world.brand, inquiry) == ["OPENED", "UNDONE"]


def test_undo_and_the_time_run_for_it_and_one_wins(world):
    """Each is undone or taken: what the answer to Undo says is so."""
    inquiries = [world.open() for _ in range(12)]
    for inquiry in inquiries:
        world.brand.ok(hold(world, inquiry, 1))
    undone = {inquiry: world.brand.post(f"ActionInquiries/{inquiry}/Undo").status_code
              for inquiry in inquiries[:6]}
    await_until(lambda: show(world.brand, inquiries[6])["ResolutionStatus"] == "DECLINED", "the first to be taken")
    undone.update({inquiry: world.brand.post(f"ActionInquiries/{inquiry}/Undo").status_code
                   for inquiry in inquiries[6:]})
    assert undone[inquiries[6]] == 409
    for inquiry, status in undone.items():
        if status == 200:
            assert show(world.brand, inquiry)["ResolutionStatus"] == "UNRESOLVED"
        else:
            assert status == 409
            await_until(lambda: show(world.brand, inquiry)["ResolutionStatus"] == "DECLINED", "the decision")
        assert steps(world.brand, inquiry)[1:] == ["UNDONE" if status == 200 else "DECLINED"]


def test_what_accepting_pays_is_told_before(world):
    inquiry, other = world.open(ExpectedPayout="2.00"), world.open()

    def pays(id, account=world.brand):
        answer = account.get(f"ActionInquiries/{id}/Payout", ActionTrackerId=world.tracker)
        return (answer.json()["Payout"], answer.json()["ByTerms"]) if answer.status_code == 200 else answer.status_code
    assert pays(inquiry) == ("2.00", "false") and pays(other) == ("", "false")
    world.add_terms()
    assert pays(inquiry) == pays(other) == ("4.50", "true")
    assert pays(inquiry, world.account("BRAND", "Stranger")) == 404


# ---- many at once ----

def test_many_are_decided_each_in_its_own_right(world):
    one, two, closed = (world.open(ExpectedPayout="2.00") for _ in range(3))
    world.partner.ok(world.partner.post(f"ActionInquiries/{closed}/Close"))
    world.add_terms()
    answer = bulk(world.brand, [one, closed, "987654321", int(two)], "ACCEPT", ResolutionNotes="found")
    assert [(row["Id"], row["Status"]) for row in answer["Results"]] == [
        (one, "OK"), (closed, "ERROR"), ("987654321", "ERROR"), (two, "OK")]
    assert (answer["Done"], answer["Refused"]) == ("2", "2")
    assert "CLOSED" in answer["Results"][1]["Message"]
    for inquiry in (one, two):
        shown = show(world.partner, inquiry)
        assert (shown["ResolutionStatus"], shown["ResolutionNotes"]) == ("VALID", "found")
        assert shown["FinalPayout"] == "4.50"  # 5 % of 89.90: the terms, not what was asked
    three, four = world.open(), world.open()
    bulk(world.brand, [three, four, three], "DECLINE", RejectReason=REASON, UndoSeconds=60)
    assert show(world.brand, three)["HeldStatus"] == "DECLINED"
    assert bulk(world.brand, [three, one], "UNDO")["Done"] == "1"
    assert show(world.brand, three)["HeldStatus"] == ""
    assert bulk(world.partner, [three, four, one], "CLOSE")["Done"] == "3"
    assert show(world.partner, four)["ResolutionStatus"] == "DECLINED"
    log = world.operator.ok(world.operator.get("/Operator/Audit", PageSize="100"))["Entries"]
    for action, count in (("inquiry.accept", 2), ("inquiry.close", 3), ("inquiry.undo", 1)):
        assert sum(entry["Action"] == action and any(
            entry["Object"].endswith(f"/{id}") for id in (one, two, three, four))
            for entry in log) == count, action


def test_what_is_wrong_with_all_is_said_once(world):
    inquiry = world.open()

    def refused(account, **body):
        answer = account.post("ActionInquiries/Bulk", body)
        assert answer.status_code == 400, answer.text
        return [error["Field"] for error in answer.json()["Errors"]]
    assert refused(world.brand, Ids=[inquiry], Step="CLOSE") == ["Step"]
    assert refused(world.partner, Ids=[inquiry], Step="ACCEPT") == ["Step"]
    assert refused(world.brand, Ids=[inquiry], Step="DECLINE", RejectReason="no") == ["RejectReason"]
    assert refused(world.brand, Ids=[], Step="ACCEPT") == ["Ids"]
    assert refused(world.brand, Ids=list(range(1, 202)), Step="ACCEPT") == ["Ids"]
    assert "Ids" in refused(world.brand, Ids=[{"a": 1}], Step="ACCEPT")
    assert refused(world.brand, Ids=[inquiry], Step="ACCEPT", Colour="red") == ["Colour"]
    assert show(world.brand, inquiry)["ResolutionStatus"] == "UNRESOLVED"


def test_somebody_of_the_account_sees_to_it(world):
    inquiry = world.open()
    emails = world.add_user(world.brand), world.add_user(world.partner)
    mine, theirs = (world.user_ids[email] for email in emails)
    people = world.brand.ok(world.brand.get("ActionInquiries/Assignees"))["Assignees"]
    assert mine in [one["Id"] for one in people] and theirs not in [one["Id"] for one in people]
    assert bulk(world.brand, [inquiry], "ASSIGN", AssigneeId=mine)["Done"] == "1"
    shown = show(world.brand, inquiry)
    assert shown["AssigneeId"] == mine and shown["Assignee"].startswith("User ")
    assert show(world.partner, inquiry)["AssigneeId"] == ""
    assert steps(world.brand, inquiry) == ["OPENED", "ASSIGNED"]
    assert steps(world.partner, inquiry) == ["OPENED"]
    answer = world.brand.post("ActionInquiries/Bulk", {"Ids": [inquiry], "Step": "ASSIGN", "AssigneeId": theirs})
    assert answer.status_code == 400
    bulk(world.brand, [inquiry], "ASSIGN")
    assert show(world.brand, inquiry)["AssigneeId"] == ""
    stranger = world.account("BRAND", "Stranger")
    for step in ({"Step": "DECLINE", "RejectReason": REASON}, {"Step": "UNDO"}, {"Step": "ASSIGN"}):
        refused = stranger.ok(stranger.post("ActionInquiries/Bulk", {"Ids": [inquiry], **step}))
        assert refused["Done"] == "0" and "no action inquiry" in refused["Results"][0]["Message"]
