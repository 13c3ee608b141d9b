"""Inquiries in bulk: CSV files imported and exported, for partner and brand."""

import csv
import io

HEADER = "Inquiry Id,Campaign Id*,Order Id*,Sale Amount*,Transaction Date*,Type*,Notes\r\n"


def row(world, order, amount="10.00", kind="UNTRACKED", notes=""):
    return f"REF{order},{world.campaign},{order},{amount},2026-01-15,{kind},{notes}\r\n"


def send(account, text, content_type="text/csv", **query):
    return account.call("POST", "ActionInquiries/Import", params=query, data=text.encode(),
                        headers={"Content-Type": content_type})


def export(account, **query):
    answer = account.call("GET", account.prefix + "/ActionInquiries.csv", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return answer.content.decode("utf-8-sig")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def orders(world):
    listed = world.partner.ok(world.partner.get("ActionInquiries", CampaignId=world.campaign))
    return sorted(inquiry["OrderId"] for inquiry in listed["ActionInquiries"])


def test_a_good_file_opens_an_inquiry_for_each_row(world, receiver):
    world.notify(world.partner, receiver.url())
    text = HEADER + row(world, "A1") + row(world, "A2", kind="Order tracked incorrectly",
                                           notes='"two\nlines, and ""quotes"""')
    answer = send(world.partner, text)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["Status"], body["Rows"], body["Taken"], body["Errors"]) == ("OK", "2", "2", [])
    shown = [world.partner.ok(world.partner.get(uri)) for uri in body["Uris"]]
    assert [inquiry["OrderId"] for inquiry in shown] == ["A1", "A2"]
    assert shown[0]["MediaPartnerInquiryId"] == "REFA1"
    assert shown[0]["Currency"] == "EUR"
    assert shown[1]["InquiryType"] == "INCORRECT"
    assert shown[1]["InquiryNotes"] == 'two\nlines, and "quotes"'
    receiver.wait(2)


def test_a_bad_row_keeps_the_whole_file_out(world):
    text = HEADER + row(world, "A1") + row(world, "A2", amount="-1", kind="LOST")
    answer = send(world.partner, text)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["Status"], body["Rows"], body["Taken"], body["Uris"]) == ("ERROR", "2", "0", [])
    assert [(error["Row"], error["Field"]) for error in body["Errors"]] == [
        ("2", "Type"), ("2", "Sale Amount")]
    assert orders(world) == []


def test_good_rows_are_taken_when_asked_for(world):
    text = HEADER + row(world, "A1") + row(world, "A2", amount="much") + row(world, "A3")
    answer = send(world.partner, text, TakeGoodRows="true")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["Status"], body["Taken"], body["BadRows"]) == ("OK", "2", "1")
    assert body["Errors"][0]["Row"] == "2" and len(body["Uris"]) == 2
    assert orders(world) == ["A1", "A3"]


def test_a_second_row_about_the_same_order_names_the_first(world):
    first = world.open(OrderId="A1")
    answer = send(world.partner, HEADER + row(world, "A2") + row(world, "A1") + row(world, "A2"),
                  TakeGoodRows="true").json()
    assert [(error["Row"], error["Field"]) for error in answer["Errors"]] == [("2", ""), ("3", "")]
    assert answer["Errors"][0]["Uri"] == f"{world.partner.prefix}/ActionInquiries/{first}"
    assert answer["Errors"][1]["Uri"] == answer["Uris"][0]
    assert answer["Errors"][1]["SameAsRow"] == "1"
    assert orders(world) == ["A1", "A2"]


def test_a_dry_run_tells_what_would_be_and_takes_nothing(world, receiver):
    world.notify(world.partner, receiver.url())
    good = send(world.partner, HEADER + row(world, "A1"), DryRun="true")
    assert good.status_code == 200
    assert good.json()["Taken"] == "1" and good.json()["Uris"] == []
    bad = send(world.partner, HEADER + row(world, "A1") + row(world, ""), DryRun="true")
    assert bad.status_code == 400
    assert bad.json()["Errors"][0] == {"Row": "2", "Line": "3", "Field": "Order Id", "Message":
                                       bad.json()["Errors"][0]["Message"]}
    assert orders(world) == []
    world.open(OrderId="B1")
    assert len(receiver.wait(1)) == 1 and b"B1" in receiver.requests[0].body


def test_a_file_that_cannot_be_read_is_refused_with_its_line(world):
    for text, words in ((HEADER, "no rows"), ("", "empty"), ("Colour\nred\n", "unknown column"),
                        (HEADER + "1,2,,,,,,,9\r\n", "Line 2"), (HEADER + '"a\r\n', "never closed")):
        answer = send(world.partner, text)
        assert answer.status_code == 400, answer.text
        assert answer.json()["Status"] == "ERROR" and words in answer.json()["Message"]
    assert send(world.partner, HEADER, content_type="application/json").status_code == 415
    unknown = send(world.partner, HEADER, Take="all")
    assert unknown.status_code == 400 and unknown.json()["Errors"][0]["Field"] == "Take"


def test_another_accounts_campaign_is_not_there_for_a_row(world):
    other = world.add_campaign(world.brand, "Not ours")
    text = HEADER + f"R,{other},A1,10,2026-01-15,UNTRACKED,\r\n"
    error = send(world.partner, text).json()["Errors"][0]
    assert error["Field"] == "Campaign Id" and "member" in error["Message"]


def test_formulas_leave_disarmed_and_come_back_whole(world):
    send(world.partner, HEADER + row(world, "A1", notes="\"=HYPERLINK(\"\"http://x\"\")\""))
    text = export(world.partner, CampaignId=world.campaign)
    found = rows_of(text)
    assert found[0]["Notes"] == "'=HYPERLINK(\"http://x\")"
    assert found[0]["Order Id"] == "A1" and found[0]["Sale Amount"] == "10.00"
    world.partner.ok(world.partner.post(f"ActionInquiries/{found[0]['Id']}/Close"))
    again = send(world.partner, text)
    assert again.status_code == 200, again.text
    shown = world.partner.ok(world.partner.get(again.json()["Uris"][0]))
    assert shown["InquiryNotes"] == '=HYPERLINK("http://x")'
    assert shown["MediaPartnerInquiryId"] == "REFA1"


def test_an_export_has_every_match_and_takes_the_lists_filters(world):
    rows = "".join(row(world, f"A{number}") for number in range(1500))
    assert send(world.partner, HEADER + rows).json()["Taken"] == "1500"
    world.open(OrderId="CLOSED")
    found = rows_of(export(world.partner, CampaignId=world.campaign))
    assert len(found) == 1501 and len({one["Id"] for one in found}) == 1501
    one = rows_of(export(world.partner, MediaPartnerInquiryId="REFA7"))
    assert [line["Order Id"] for line in one] == ["A7"]
    refused = world.partner.call("GET", world.partner.prefix + "/ActionInquiries.csv?Page=2")
    assert refused.status_code == 400


def test_the_brand_decides_in_the_exported_file(world, receiver):
    world.notify(world.brand, receiver.url())
    ids = [world.open(OrderId=f"A{number}", CustomerId="SECRET", ExpectedPayout="5")
           for number in range(4)]
    text = export(world.brand, CampaignId=world.campaign)
    assert "SECRET" not in text
    lines = {line["Id"]: line for line in rows_of(text)}
    lines[ids[0]].update({"Resolution Status": "VALID", "Action Tracker": world.tracker})
    lines[ids[1]].update({"Resolution Status": "DECLINED", "Final Payout": "0", "Resolution Reason":
                          "Another marketing channel was credited with sale"})
    lines[ids[2]].update({"Resolution Status": "INCOMPLETE", "Resolution Notes": "Which shop?"})
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[ids[0]]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines.values())
    lines[ids[3]]["Action Tracker"] = world.tracker  # and no status: more than it was, and no decision
    half = io.StringIO()
    writer = csv.DictWriter(half, list(lines[ids[0]]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines.values())
    refused = send(world.brand, half.getvalue())
    assert refused.status_code == 400, refused.text
    assert [error["Field"] for error in refused.json()["Errors"]] == ["Resolution Status"]

    answer = send(world.brand, out.getvalue())
    assert answer.status_code == 200 and answer.json()["Taken"] == "3", answer.text
    assert (answer.json()["Undecided"], answer.json()["BadRows"]) == ("1", "0")
    shown = [world.partner.ok(world.partner.get(f"ActionInquiries/{one}")) for one in ids]
    assert [one["ResolutionStatus"] for one in shown] == ["VALID", "DECLINED", "INCOMPLETE",
                                                          "UNRESOLVED"]
    assert shown[0]["FinalPayout"] == "5.00" and shown[0]["ActionId"] != ""
    assert shown[1]["RejectReason"] == "Another marketing channel was credited with the sale"
    assert shown[2]["ResolutionNotes"] == "Which shop?"
    again = send(world.brand, out.getvalue())
    assert again.status_code == 200 and again.json()["Taken"] == "0", again.text
    assert (again.json()["Undecided"], again.json()["Unchanged"]) == ("1", "3")
    lines[ids[0]]["Final Payout"] = "4.99"  # which VALID never changes
    changed = io.StringIO()
    writer = csv.DictWriter(changed, list(lines[ids[0]]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerow(lines[ids[0]])
    again = send(world.brand, changed.getvalue())
    assert again.status_code == 400 and "VALID" in again.json()["Errors"][-1]["Message"]


def test_a_brand_cannot_decide_anothers_inquiry(world):
    inquiry = world.open()
    other = world.account("BRAND", "Other Shoes")
    answer = send(other, "Id,Resolution Status,Resolution Reason\r\n"
                  f"{inquiry},DECLINED,Other\r\n")
    assert answer.status_code == 400
    assert answer.json()["Errors"][0]["Field"] == "Id"
    shown = world.partner.ok(world.partner.get(f"ActionInquiries/{inquiry}"))
    assert shown["ResolutionStatus"] == "UNRESOLVED"


# ---- what people download and send back ----

def test_undecided_rows_are_passed_over(world):
    """I9: of 40 rows that a brand downloads it decides 5; the others are neither bad nor touched."""
    ids = [world.open(OrderId=f"A{number}") for number in range(40)]
    lines = {line["Id"]: line for line in rows_of(export(world.brand, CampaignId=world.campaign))}
    for id in ids[:5]:
        lines[id].update({"Resolution Status": "declined", "Resolution Reason": "Other"})
    lines[ids[5]]["Resolution Status"] = ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[ids[0]]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines.values())
    for query in ({"DryRun": "true"}, {}):
        body = send(world.brand, out.getvalue(), **query).json()
        assert (body["Status"], body["Rows"], body["Taken"], body["BadRows"], body["Undecided"]) == (
            "OK", "40", "5", "0", "35"), body
        assert "35 without a decision" in body["Message"] and body["Errors"] == []
    body = send(world.brand, out.getvalue()).json()
    assert (body["Status"], body["Taken"], body["Unchanged"], body["Undecided"]) == (
        "OK", "0", "5", "35"), body
    body = send(world.brand, export(world.brand, CampaignId=world.campaign)).json()
    assert (body["Status"], body["Unchanged"], body["Undecided"]) == ("OK", "5", "35"), body


def test_rows_about_the_same_order_name_each_other(world):
    """P4: in a preview, and in a file that is refused, there is no link to what was never opened."""
    text = HEADER + "".join(row(world, order) for order in ("A1", "A2", "A3", "A4", "A1"))
    for query in ({"DryRun": "true", "TakeGoodRows": "true"}, {}):
        error, = send(world.partner, text, **query).json()["Errors"]
        assert (error["Row"], error["Line"], error["SameAsRow"]) == ("5", "6", "1"), error
        assert "same as row 1" in error["Message"] and "Uri" not in error
    first = world.open(OrderId="A1")
    errors = send(world.partner, text, DryRun="true").json()["Errors"]
    assert [error["Uri"] for error in errors] == [f"{world.partner.prefix}/ActionInquiries/{first}"] * 2
