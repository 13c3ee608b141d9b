"""Files as spreadsheets and people write them: marks, line ends, quotes, titles, caps; what leaves
comes back as it was, and no cell is a formula."""

import csv
import io
import re

import pytest

HEADER = "Inquiry Id,Campaign Id*,Order Id*,Sale Amount*,Transaction Date*,Type*,Notes"


def row(world, order, notes="", amount="10.00"):
    return f"REF{order},{world.campaign},{order},{amount},2026-01-15,UNTRACKED,{notes}"


def send(account, data, content_type="text/csv", **query):
    data = data.encode() if isinstance(data, str) else data
    headers = {"Content-Type": content_type} if content_type else {}
    return account.call("POST", "ActionInquiries/Import", params=query, data=data, headers=headers)


def export(account, **query):
    answer = account.call("GET", account.prefix + "/ActionInquiries.csv", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def rows_of(answer):
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def shown(world, uri):
    return world.partner.ok(world.partner.get(uri))


# ---- in ----

@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_marks_and_ends_of_lines(world, mark, end, last):
    text = mark + end.join([HEADER, row(world, "A1", '"a, ""b"""'), row(world, "A2", "naïve")])
    answer = send(world.partner, text + (end if last else ""))
    assert answer.status_code == 200, answer.text
    assert [shown(world, uri)["InquiryNotes"] for uri in answer.json()["Uris"]] == [
        'a, "b"', "naïve"]


@pytest.mark.parametrize("content_type", [
    "text/csv", "text/csv; charset=utf-8", "TEXT/CSV", "application/vnd.ms-excel", "text/plain",
    "application/csv", None])
def test_the_names_that_a_csv_file_goes_by(world, content_type):
    answer = send(world.partner, HEADER + "\n" + row(world, "A1"), content_type)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded",
                                          "multipart/form-data; boundary=x", "text/html"])
def test_what_is_no_csv_file(world, content_type):
    assert send(world.partner, HEADER + "\n" + row(world, "A1"), content_type).status_code == 415


def test_titles_are_read_without_regard_to_form_and_order(world):
    text = ("type,ORDER ID,sale_amount,Transaction Date (of the sale),CampaignId,Currency\n"
            f"Order not tracked,A1,7,2026-01-15,{world.campaign},usd\n")
    answer = send(world.partner, text)
    assert answer.status_code == 200, answer.text
    one = shown(world, answer.json()["Uris"][0])
    assert (one["InquiryType"], one["TransactionAmount"], one["Currency"]) == (
        "UNTRACKED", "7.00", "USD")


def test_blank_lines_and_empty_rows_at_the_end_are_no_rows(world):
    text = "\n".join([HEADER, "", row(world, "A1"), "   ", row(world, "A2"), "", ",,,,,,",
                      ",,,,,,"])
    answer = send(world.partner, text + "\n")
    assert answer.status_code == 200, answer.text
    assert answer.json()["Rows"] == "2"


@pytest.mark.parametrize("text, words", [
    ("", "empty"),
    ("\n\n", "empty"),
    ("{H}\n", "no rows"),
    ("Colour\nred\n", 'unknown column "Colour"'),
    ("Order Id;Type\na;b\n", 'Line 1: the columns "Campaign Id", "Sale Amount", "Transaction Date" are'),
    ("Order Id,order id*\na,b\n", "twice"),
    ("{H}\na,b,c,d,e,f,g,h\n", "Line 2: has something in cell 8"),
    ('{H}\na,"b\n', "never closed"),
    ('{H}\na,b"c\n', "Line 2: a quote"),
    ('{H}\n"two\nlines",b\n\na"\n', "Line 4: a quote"),
    ("," * 200 + "\n", "column"),
    ("{H}" + ",Notes2" * 100 + "\n", "more than 100 columns"),
    (b"Order Id,Type\n\xc3\xa9,ok\n\xff\xfe,b\n", "Line 3: is not UTF-8"),
    (b"Order Id,Type\na\x00,b\n", "Line 2: is not UTF-8"),
    (b"\xff\xfeO\x00r\x00", 'unknown column "Or"'),
    (b"\xff\xfeO\x00r", "Line 1: is not UTF-8"),
    ("{H}\n" + "x" * 65537 + ",b\n", "65537 bytes"),
])
def test_a_file_that_cannot_be_read_says_where(world, text, words):
    if isinstance(text, str):
        text = text.replace("{H}", HEADER)
    answer = send(world.partner, text, TakeGoodRows="true")
    assert answer.status_code == 400, answer.text
    assert answer.json()["Status"] == "ERROR" and words in answer.json()["Message"]


def test_too_long_a_file(world):
    assert send(world.partner, b"x" * (16 * 1024 * 1024 + 1)).status_code == 413
    assert world.partner.get("ActionInquiries").status_code == 200


def test_every_wrong_cell_of_every_row_is_named_by_its_column(world):
    text = "\n".join([
        HEADER, row(world, "A1"), "a\ab,x,,-1,someday,LOST,", row(world, "A2", amount="1.234")])
    for query in ({}, {"DryRun": "true"}, {"TakeGoodRows": "true"}):
        answer = send(world.partner, text, **query).json()
        assert {(error["Row"], error["Field"]) for error in answer["Errors"]} == {
            ("2", "Inquiry Id"), ("2", "Campaign Id"), ("2", "Order Id"), ("2", "Sale Amount"),
            ("2", "Transaction Date"), ("2", "Type"), ("3", "Sale Amount")}
        assert all(error["Message"] for error in answer["Errors"])
        assert answer["BadRows"] == "2" and answer["Rows"] == "3"
        if query == {"TakeGoodRows": "true"}:
            assert answer["Taken"] == "1"
        if not query:
            assert answer["Taken"] == "0" and answer["Uris"] == []
    orders = world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]
    assert [one["OrderId"] for one in orders] == ["A1"]


def test_ten_thousand_rows_are_one_file(world, receiver):
    """All of them, one commit, and the errors of a file of wrong rows are capped."""
    text = HEADER + "\n" + "\n".join(row(world, f"A{number}") for number in range(10000))
    dry = send(world.partner, text, DryRun="true")
    assert dry.status_code == 200 and dry.json()["Taken"] == "10000", dry.text[:500]
    wrong = HEADER + "\n" + "\n".join(row(world, f"A{number}", amount="x")
                                      for number in range(3000))
    answer = send(world.partner, wrong).json()
    assert answer["BadRows"] == "3000" and len(answer["Errors"]) == 1000
    assert world.partner.ok(world.partner.get("ActionInquiries"))["@total"] == "0"


# ---- the brand's file ----

def test_the_brands_file_has_its_own_columns(world):
    one, two = world.open(ExpectedPayout="5"), world.open()
    answer = send(world.brand, "\r\n".join([
        "Id*,Transaction Date (if accepting),Resolution Status*,Resolution Reason (if declining),"
        "Action Tracker*,Final Payout,Resolution Notes,Sale Amount,Customer Id,Promo Code",
        f"{one},2026-01-14,valid,,{world.tracker},4.50,Found it,80,C9,TEN",
        f"{two},,DECLINED,Other,,,\"No, not\",,,"]))
    assert answer.status_code == 200, answer.text
    assert answer.json()["Uris"] == [f"{world.brand.prefix}/ActionInquiries/{one}",
                                     f"{world.brand.prefix}/ActionInquiries/{two}"]
    accepted = world.partner.ok(world.partner.get(f"ActionInquiries/{one}"))
    wanted = {"ResolutionStatus": "VALID", "FinalPayout": "4.50", "ResolutionNotes": "Found it",
              "TransactionAmount": "80.00", "CustomerId": "", "PromoCode": "TEN",
              "TransactionDate": "2026-01-14T00:00:00+00:00"}
    assert {name: accepted[name] for name in wanted} == wanted and accepted["ActionId"]
    action = world.brand.ok(world.brand.get(f"Actions/{accepted['ActionId']}"))
    assert action["CustomerId"] == "C9"  # C6: the brand's own
    declined = world.partner.ok(world.partner.get(f"ActionInquiries/{two}"))
    assert (declined["RejectReason"], declined["ResolutionNotes"]) == ("Other", "No, not")


def test_the_brands_wrong_rows(world):
    one, two = world.open(), world.open()
    text = ("Id,Resolution Status,Resolution Reason,Action Tracker,Final Payout\n"
            f"{one},VALID,,999999,\n{one},VALID,,,x\n{one},DECLINED,Because,,\n999999,DECLINED,"
            f"Other,,\nx,MAYBE,,,\n{two},DECLINED,Other,,\n{two},DECLINED,Other,,\n")
    answer = send(world.brand, text, TakeGoodRows="true")
    assert answer.status_code == 200, answer.text
    errors = [(error["Row"], error["Field"]) for error in answer.json()["Errors"]]
    assert sorted(errors) == [
        ("1", "Action Tracker"), ("2", "Action Tracker"), ("3", "Resolution Reason"), ("4", "Id"),
        ("5", "Id"), ("5", "Resolution Status")]
    assert (answer.json()["Taken"], answer.json()["Unchanged"]) == ("1", "1")  # the last says it again
    states = [world.partner.ok(world.partner.get(f"ActionInquiries/{id}"))["ResolutionStatus"]
              for id in (one, two)]
    assert states == ["UNRESOLVED", "DECLINED"]


def test_the_brands_dry_run_fires_nothing(world, receiver):
    one = world.open()
    world.notify(world.brand, receiver.url())
    text = f"Id,Resolution Status,Resolution Reason\n{one},DECLINED,Other\n"
    answer = send(world.brand, text, DryRun="true")
    assert answer.status_code == 200 and answer.json()["Taken"] == "1"
    assert world.partner.ok(world.partner.get(f"ActionInquiries/{one}"))[
        "ResolutionStatus"] == "UNRESOLVED"
    assert send(world.brand, text).json()["Taken"] == "1"
    assert len(receiver.wait(1)) == 1


# ---- out, and back in ----

HOSTILE = ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "'=1", "''=1", "=HYPERLINK(\"http://x\",\"y\")",
           "a,b", 'say "so"', "two\nlines", "tab\there", "'quoted'", "-5", "+49 30 1234",
           "ends with ,", "ünïcödé ✓"]


def test_what_was_exported_can_be_imported_and_is_the_same(world):
    opened = [world.open(InquiryNotes=text, CustomerId=text.replace("\n", " ").replace("\t", " "),
                         OrderId=f"{text.splitlines()[0]} {number}".replace("\t", " "),
                         MediaPartnerInquiryId=f"R{number}", ExpectedPayout="3.5",
                         TrackingLink="https://x.example/?a=1,2", InquiryDate="2026-01-16",
                         ResolutionDeadlineDate="2026-03-01")
              for number, text in enumerate(HOSTILE)]
    before = {id: world.partner.ok(world.partner.get(f"ActionInquiries/{id}")) for id in opened}
    file = export(world.partner, CampaignId=world.campaign)
    for id in opened:
        world.partner.ok(world.partner.post(f"ActionInquiries/{id}/Close"))
    answer = send(world.partner, file.content)
    assert answer.status_code == 200, answer.text
    again = [world.partner.ok(world.partner.get(uri)) for uri in answer.json()["Uris"]]
    kept = ["MediaPartnerInquiryId", "CampaignId", "OrderId", "TransactionDate",
            "TransactionAmount", "Currency", "InquiryType", "ExpectedPayout", "TrackingLink",
            "ResolutionDeadlineDate", "CustomerId", "InquiryDate", "InquiryNotes"]

    def essence(inquiries):
        return sorted([one[name] for name in kept] for one in inquiries)
    assert essence(again) == essence(before.values())


def test_no_cell_of_an_export_is_a_formula(world):
    for number, text in enumerate(HOSTILE):
        world.open(InquiryNotes=text, OrderId=f"{text.splitlines()[0]} {number}".replace("\t", " "))
    answer = export(world.partner)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.content.startswith(b"\xef\xbb\xbf") and answer.content.endswith(b"\r\n")
    rows = rows_of(answer)
    assert len(rows) == len(HOSTILE)
    for one in rows:
        for name, cell in one.items():
            assert cell is not None, name
            if cell[:1] and cell[0] in "=+-@\t\r":
                assert cell == "-5", (name, cell)  # a plain number is no formula
    wrong = export(world.brand, CampaignId=world.campaign)
    for one in rows_of(wrong):
        assert not one["Order Id"].startswith(("=", "+", "@"))


def test_a_customer_reads_the_same_columns_in_the_same_order(world):
    world.open(MediaPartnerInquiryId="M1")
    partner = list(rows_of(export(world.partner))[0])
    assert partner[:11] == [
        "Inquiry Id", "Campaign Id", "Order Id", "Sale Amount", "Transaction Date", "Type",
        "Expected Payout", "Resolution Deadline", "Customer Id", "Tracking Link", "Notes"]
    brand = rows_of(export(world.brand, CampaignId=world.campaign))[0]
    assert list(brand)[:10] == [
        "Id", "Transaction Date", "Resolution Status", "Resolution Reason", "Action Tracker",
        "Final Payout", "Resolution Notes", "Sale Amount", "Customer Id", "Promo Code"]
    assert "Inquiry Id" not in brand and "Notes" not in brand and brand["Customer Id"] == ""


def test_an_empty_export_is_the_titles_alone(world):
    answer = export(world.partner)
    assert rows_of(answer) == [] and answer.content.count(b"\r\n") == 1


def test_the_exports_filters_are_the_lists(world):
    one, two = world.open(OrderId="E1"), world.open(OrderId="E2")
    world.partner.ok(world.partner.post(f"ActionInquiries/{one}/Close"))
    found = rows_of(export(world.partner, State="CLOSED"))
    assert [line["Id"] for line in found] == [one]
    found = rows_of(export(world.brand, CampaignId=world.campaign, State="OPEN"))
    assert [line["Id"] for line in found] == [two]
    base = world.brand.prefix + "/ActionInquiries.csv"
    assert world.brand.get(base).status_code == 400
    assert world.brand.get(base, CampaignId=world.campaign, Colour="red").status_code == 400


# ---- as spreadsheets save them ----

def titles(separator):
    return separator.join(["Order Id", "Sale Amount", "Transaction Date", "Type", "Campaign Id", "Notes"])


@pytest.mark.parametrize("start, separator, end, encoding", [
    ("", ",", "\n", "utf-8"), ("", ";", "\r\n", "cp1252"), ("sep=;\r\n", ";", "\r\n", "utf-8-sig"),
    ("sep=,\n", ",", "\n", "latin-1"), ("", "\t", "\r\n", "utf-16"), ("", "|", "\n", "utf-8"),
    ('"sep=\t"\n', "\t", "\n", "utf-8")])
def test_a_file_as_a_spreadsheet_saves_it(world, start, separator, end, encoding):
    """I7: encodings, separators, `sep=`, rows without their last cells, empty and unknown columns."""
    comma = separator in ";\t"
    amount, day = ("1.010,50", "20.01.2026") if comma else ("1010.50", "2026-01-20")
    rows = [titles(separator) + separator + "Colour" + separator * 2,
            separator.join(["A1", amount, day, "UNTRACKED", str(world.campaign), "naïve", "red", "", ""]),
            separator.join(["A2", amount, day, "UNTRACKED", str(world.campaign)]),
            separator * 8]
    answer = send(world.partner, (start + end.join(rows)).encode(encoding))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["Rows"], body["Taken"], body["Separator"]) == ("2", "2", separator)
    assert any('"Colour" is not known' in notice for notice in body["Notices"]), body["Notices"]
    one, two = [shown(world, uri) for uri in body["Uris"]]
    wanted = ("1010.50", "2026-01-20T00:00:00+00:00")
    assert (one["TransactionAmount"], one["TransactionDate"]) == wanted
    assert (one["InquiryNotes"], two["InquiryNotes"]) == ("naïve", "")


def test_a_campaign_may_be_named(world):
    """I7: by its name in either column, where that is one campaign of the partner's."""
    name = world.partner.ok(world.partner.get("Campaigns"))["Campaigns"][0]["Name"]
    text = (f"Campaign Id,Order Id,Sale Amount,Transaction Date,Type\n{name.upper()},A1,1,2026-01-20,UNTRACKED\n"
            f"{world.campaign},A2,1,2026-01-20,UNTRACKED\nNo such,A3,1,2026-01-20,UNTRACKED\n")
    body = send(world.partner, text, TakeGoodRows="true").json()
    assert body["Taken"] == "2", body
    assert [(error["Line"], error["Field"]) for error in body["Errors"]] == [("4", "Campaign Id")]
    text = f"Campaign Name,Order Id,Sale Amount,Transaction Date,Type\n{name},A4,1,2026-01-20,UNTRACKED\n"
    assert send(world.partner, text).json()["Taken"] == "1"
    other = world.add_campaign(world.brand, name)
    world.join(other, world.partner)
    body = send(world.partner, text.replace("A4", "A5")).json()
    assert "several" not in body["Message"] and "2 campaigns" in body["Errors"][0]["Message"], body


def test_a_missing_column_is_named_once(world):
    """I7: not once for each row."""
    answer = send(world.partner, "Order Id,Notes\n" + "A1,x\n" * 50)
    assert answer.status_code == 400, answer.text
    message = answer.json()["Message"]
    assert message.count("Sale Amount") == 1 and '"Campaign Id"' in message and '"Type"' in message
    answer = send(world.brand, "Id,Resolution Reason\n1,Other\n")
    assert 'column "Resolution Status" is missing' in answer.json()["Message"], answer.text


def test_the_bad_rows_come_back_as_a_file(world):
    """I7: mended and sent again; a row is named as the spreadsheet numbers it."""
    good = f'{world.campaign};A{{}};10,00;20.01.2026;UNTRACKED;"two\nlines; and more"'
    text = "\r\n".join(["Campaign Id;Order Id;Sale Amount;Transaction Date;Type;Notes",
                        good.format(1), "", good.format(2).replace("10,00", "-1"), good.format(3),
                        good.format(4).replace("20.01.2026", "20.13.2026").replace("UNTRACKED", "=LOST")])
    body = send(world.partner, text, TakeGoodRows="true", WithBadRows="true").json()
    assert (body["Taken"], body["BadRows"]) == ("2", "2"), body
    assert [(error["Row"], error["Line"]) for error in body["Errors"]] == [
        ("2", "4"), ("4", "6"), ("4", "6")], body["Errors"]
    bad = list(csv.DictReader(io.StringIO(body["BadRowsCsv"].removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert [one["Order Id"] for one in bad] == ["A2", "A4"]
    assert "above 0" in bad[0]["Problem"] and "Transaction Date" in bad[1]["Problem"]
    assert bad[0]["Notes"] == "two\nlines; and more"
    mended = body["BadRowsCsv"].replace("-1", "1,50").replace("20.13.", "20.12.").replace("2026", "2025")
    answer = send(world.partner, mended.replace("=LOST", "INCORRECT"))
    assert answer.status_code == 200 and answer.json()["Taken"] == "2", answer.text
    assert answer.json()["Notices"] == []
    assert "BadRowsCsv" not in send(world.partner, text).json()


def test_no_part_of_a_cell_becomes_a_formula(world):
    """I8: wherever a spreadsheet may split a line; and what was exported is imported unchanged."""
    orders = ["A1;=1+2", "A2,=1+2", "A3|@SUM(A1)", "A4;'=1", 'A5;"=1"', "A6;-5", "A7,+49 30"]
    for order in orders:
        world.open(OrderId=order, InquiryNotes=f"{order}\t=1\n+2")
    file = export(world.partner)
    for separator in ",;|\t":
        for line in csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline=""), delimiter=separator):
            for cell in line:
                for part in re.split("[,;|\t\r\n]", cell):
                    assert not re.match("[\"']*[=+@]|-[^0-9]", part) or part.startswith("'"), (separator, cell)
    assert sorted(one["Order Id"].replace("'", "") for one in rows_of(file)) == sorted(
        order.replace("'", "") for order in orders)
    for one in world.partner.ok(world.partner.get("ActionInquiries"))["ActionInquiries"]:
        world.partner.ok(world.partner.post(f"ActionInquiries/{one['Id']}/Close"))
    answer = send(world.partner, file.content)
    assert answer.status_code == 200, answer.text
    again = [shown(world, uri) for uri in answer.json()["Uris"]]
    assert sorted(one["OrderId"] for one in again) == sorted(orders)
    assert all(one["InquiryNotes"] == f"{one['OrderId']}\t=1\n+2" for one in again)
