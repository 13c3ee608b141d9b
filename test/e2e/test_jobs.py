"""Jobs: exports of what a list shows, made a step at a time, and their results."""

import csv
import io
import json

from harness.server import Server, World, await_until

HEADER = "Inquiry Id,Campaign Id*,Order Id*,Sale Amount*,Transaction Date*,Type*,Notes\r\n"
ENDED = ("COMPLETED", "CANCELLED", "ERROR", "FAILED")
TYPES = {"INQUIRIES": "INQUIRY_EXPORT", "ACTIONS": "ACTION_EXPORT",
         "POSTBACKS": "POSTBACK_EXPORT", "ATTEMPTS": "ATTEMPT_EXPORT", "AUDIT": "AUDIT_EXPORT"}


def export(account, records, **body):
    answer = account.post("Exports", {"Records": records, **body})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert made["Status"] == "OK" and made["Uri"] == f"{account.prefix}/Jobs/{made['Id']}"
    return made["Uri"]


def ended(account, uri, status="COMPLETED", timeout=30.0):
    def look():
        shown = account.ok(account.get(uri))
        return shown if shown["Status"] in ENDED else None
    shown = await_until(look, f"{uri} has ended", timeout)
    assert shown["Status"] == status, shown
    return shown


def download(account, job):
    answer = account.get(job["ResultUri"])
    assert answer.status_code == 200, answer.text
    return answer


def csv_rows(answer):
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def json_rows(answer):
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    return [json.loads(line) for line in answer.text.splitlines()]


def exported(account, records, **body):
    return ended(account, export(account, records, **body))


def test_an_export_has_what_the_list_shows(world, receiver):
    world.notify(world.partner, receiver.url())
    world.notify(world.brand, receiver.url())
    for _ in range(3):
        world.open()
    receiver.wait(6)
    for account in (world.partner, world.brand):
        listed = world.await_state(account, "DELIVERED", 3)
        job = exported(account, "POSTBACKS", Format="NDJSON")
        assert (job["Type"], job["Name"]) == ("POSTBACK_EXPORT", "Postbacks")
        assert (job["RecordsProcessed"], job["RecordsTotal"]) == ("3", "3")
        assert (job["PercentageComplete"], job["StatusMessage"]) == ("100", "3 records were written")
        assert job["CreatedDate"] <= job["StartedDate"] <= job["CompletedDate"]
        assert job["ExpirationDate"] > job["CompletedDate"]
        answer = download(account, job)
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="postbacks-{job["Id"]}.ndjson"')
        assert len(answer.content) == int(job["ResultBytes"])
        rows = json_rows(answer)
        assert [row["Id"] for row in rows] == [one["Id"] for one in listed]
        assert all(row[name] == one[name] for row, one in zip(rows, listed) for name in row)
        tries = csv_rows(download(account, exported(account, "ATTEMPTS")))
        assert [(row["PostbackId"], row["Number"], row["Verdict"], row["Status"])
                for row in tries] == [(one["Id"], "1", "delivered", "200") for one in listed]
        shown = account.ok(account.get("ActionInquiries", CampaignId=world.campaign))
        inquiries = json_rows(download(account, exported(
            account, "INQUIRIES", Format="ndjson", CampaignId=world.campaign)))
        assert inquiries == shown["ActionInquiries"]


def test_a_file_of_inquiries_is_that_of_the_list(world):
    for order in ("A1", "A2", "=1+1"):
        world.open(OrderId=order)
    for account in (world.partner, world.brand):
        whole = account.call("GET", account.prefix + "/ActionInquiries.csv",
                             params={"CampaignId": world.campaign})
        job = exported(account, "INQUIRIES", CampaignId=world.campaign)
        assert download(account, job).content == whole.content
        assert "'=1+1" in whole.text
        job = exported(account, "INQUIRIES", CampaignId=world.campaign, OrderId="A2")
        assert [row["Order Id"] for row in csv_rows(download(account, job))] == ["A2"]


def test_actions_of_either_side(world):
    inquiry = world.open()
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    for account in (world.partner, world.brand):
        action, = account.ok(account.get("Actions", CampaignId=world.campaign))["Actions"]
        row, = csv_rows(download(account, exported(account, "ACTIONS", State="PENDING")))
        assert {name: row[name] for name in ("Id", "Oid", "Payout", "CampaignName")} == {
            name: action[name] for name in ("Id", "Oid", "Payout", "CampaignName")}
        assert all(row[name] == action[name] for name in row if name != "Items")
        assert csv_rows(download(account, exported(account, "ACTIONS", State="REVERSED"))) == []
        listed = account.ok(account.get("ActionUpdates"))["ActionUpdates"]
        assert listed and json_rows(download(account, exported(
            account, "ACTION_UPDATES", Format="NDJSON", ActionId=action["Id"]))) == listed
        update, = csv_rows(download(account, exported(account, "ACTION_UPDATES")))
        assert all(update[name] == listed[0][name] for name in update)


def test_the_operator_exports_its_own_postbacks(world):
    operator = world.operator
    base = f"/Mediapartners/{operator.sid}"
    made = operator.ok(operator.post(f"{base}/Exports", {"Records": "POSTBACKS"}))
    job = ended(operator, made["Uri"])
    assert made["Uri"].startswith(base) and csv_rows(download(operator, job)) == []
    answer = operator.post(f"{base}/Exports", {"Records": "ACTIONS"})
    assert answer.status_code == 400 and "the operator has no" in answer.text


def test_the_audit_log_is_exported_each_accounts_own(world):
    operator = world.operator
    base = f"/Mediapartners/{operator.sid}"
    listed = operator.ok(operator.get("Audit", PageSize="1000"))["Entries"]
    made = operator.ok(operator.post(f"{base}/Exports", {"Records": "AUDIT"}))
    rows = csv_rows(download(operator, ended(operator, made["Uri"])))
    assert rows[-len(listed):] == listed and len(listed) > 3
    assert all(entry["Action"] == "job.export" for entry in rows[:-len(listed)])
    exported(world.partner, "POSTBACKS")
    own = operator.ok(operator.get("Audit", AccountSid=world.partner.sid))["Entries"]
    assert own and csv_rows(download(world.partner, exported(world.partner, "AUDIT")))[1:] == own
    made = operator.ok(operator.post(f"{base}/Exports", {
        "Records": "AUDIT", "AccountSid": world.partner.sid}))
    assert csv_rows(download(operator, ended(operator, made["Uri"])))[1:] == own
    answer = world.partner.post("Exports", {"Records": "AUDIT", "AccountSid": world.brand.sid})
    assert [one["Field"] for one in answer.json()["Errors"]] == ["AccountSid"]


def test_what_is_asked_for_is_checked_as_the_list_checks_it(world):
    def wrong(account, **body):
        answer = account.post("Exports", body)
        assert answer.status_code == 400, answer.text
        return {error["Field"] for error in answer.json()["Errors"]}
    partner = world.partner
    assert wrong(partner) == {"Records"}
    assert wrong(partner, Records="SECRETS") == {"Records"}
    assert wrong(partner, Records="POSTBACKS", Format="XML", State="LOST", Page="1") == {
        "Format", "State", "Page"}
    assert wrong(partner, Records="POSTBACKS", PageSize="5") == {"PageSize"}
    assert wrong(partner, Records="ATTEMPTS", NotificationId=["1"]) == {"NotificationId"}
    assert wrong(world.brand, Records="INQUIRIES") == {"CampaignId"}
    assert partner.get("Jobs", Status="LOST").status_code == 400
    assert partner.get("Jobs/1x").status_code == 404
    assert partner.get("Jobs/987654321").status_code == 404
    assert partner.post("Jobs/987654321/Cancel").status_code == 404
    assert partner.get("Jobs/987654321/Download").status_code == 404


def test_the_end_is_an_event(world, receiver):
    world.notify(world.partner, receiver.url(), Category="Job Completion Events", Method="POST")
    job = exported(world.partner, "POSTBACKS", JobName="All of them")
    request, = receiver.wait(1)
    data = json.loads(request.body)
    assert (data["JobId"], data["JobType"], data["JobName"], data["Status"]) == (
        job["Id"], "POSTBACK_EXPORT", "All of them", "COMPLETED")
    assert data["ResultUri"] == job["ResultUri"]
    assert world.partner.ok(world.partner.get("Notices"))["Notices"] == []


def test_a_person_is_told_by_a_notice(world):
    browser = world.browser(world.partner)
    answer = browser.post("Exports", {"Records": "POSTBACKS"})
    assert answer.status_code == 202, answer.text
    ended(world.partner, answer.json()["Uri"])
    notice = world.await_notice(world.partner)
    assert notice["Text"] == "Postbacks is done. 0 records were written"


def test_lists_and_cancels(world):
    first = exported(world.partner, "POSTBACKS")
    second = exported(world.partner, "ATTEMPTS")
    listed = world.partner.ok(world.partner.get("Jobs"))["Jobs"]
    assert [job["Id"] for job in listed] == [second["Id"], first["Id"]]
    page = world.partner.ok(world.partner.get("Jobs", PageSize=1, Before=second["Id"]))["Jobs"]
    assert page == [first]
    assert world.partner.ok(world.partner.get("Jobs", Status="RUNNING"))["Jobs"] == []
    answer = world.partner.post(f"Jobs/{first['Id']}/Cancel")
    assert answer.status_code == 409 and "ended already: COMPLETED" in answer.text
    assert world.brand.ok(world.brand.get("Jobs"))["Jobs"] == []
    assert world.brand.get(f"Jobs/{first['Id']}").status_code == 404
    assert world.brand.get(f"Jobs/{first['Id']}/Download").status_code == 404


# ---- imports ----

def row(world, order, amount="10.00", kind="UNTRACKED", notes=""):
    return f"REF{order},{world.campaign},{order},{amount},2026-01-15,{kind},{notes}\r\n"


def send(account, text, **query):
    return account.call("POST", "ActionInquiries/Import", params={"AsJob": "true", **query},
                        data=text.encode(), headers={"Content-Type": "text/csv"})


def imported(account, text, status="COMPLETED", timeout=60.0, **query):
    answer = send(account, text, **query)
    assert answer.status_code == 202, answer.text
    return ended(account, answer.json()["Uri"], status, timeout)


def orders(world):
    listed = world.partner.ok(world.partner.get("ActionInquiries", PageSize=20000))
    return sorted(inquiry["OrderId"] for inquiry in listed["ActionInquiries"])


def counts(job):
    return tuple(job[name] for name in ("RecordsTotal", "RecordsProcessed", "Taken", "BadRows"))


def test_a_file_becomes_a_job(world, receiver):
    world.notify(world.partner, receiver.url())
    text = HEADER + "".join(row(world, f"A{number}") for number in range(250))
    job = imported(world.partner, text)
    assert (job["Type"], job["Name"]) == ("INQUIRY_IMPORT", "Import of inquiries")
    assert counts(job) == ("250", "250", "250", "0")
    assert (job["StatusMessage"], job["ResultUri"]) == ("Took 250 of 250 rows", "")
    assert job["Parameters"] == {"TakeGoodRows": "false", "DryRun": "false"}
    assert len(orders(world)) == 250
    assert len({request.header("webhook-id") for request in receiver.wait(250)}) == 250
    answer = world.partner.get(f"Jobs/{job['Id']}/Download")
    assert answer.status_code == 409 and "No row of job" in answer.text


def test_a_bad_row_keeps_all_out_unless_good_ones_are_asked_for(world):
    text = HEADER + "".join(row(world, f"A{number}", kind="LOST" if number % 100 == 50 else
                                "UNTRACKED", notes='"two\nlines"') for number in range(300))
    job = imported(world.partner, text, "ERROR")
    assert counts(job) == ("300", "0", "0", "3")
    assert job["StatusMessage"] == "3 of 300 rows are wrong; took 0"
    assert orders(world) == []
    wrong = csv_rows(download(world.partner, job))
    assert [one["Order Id*"] for one in wrong] == ["A50", "A150", "A250"]
    assert all(one["Problem"].startswith("Type: must be") for one in wrong)
    job = imported(world.partner, text, DryRun="true", TakeGoodRows="true")
    assert counts(job) == ("300", "300", "297", "3") and orders(world) == []
    assert job["StatusMessage"] == "3 of 300 rows are wrong; an import would take 297"
    job = imported(world.partner, text, TakeGoodRows="true")
    assert counts(job) == ("300", "300", "297", "3") and len(orders(world)) == 297
    mended = download(world.partner, job).content.decode("utf-8-sig").replace("LOST", "UNTRACKED")
    assert counts(imported(world.partner, mended)) == ("3", "3", "3", "0")
    assert len(orders(world)) == 300


def test_a_row_that_is_wrong_only_in_its_turn_is_left_out(world):
    job = imported(world.partner, HEADER + 150 * row(world, "A1") + row(world, "A2"))
    assert counts(job) == ("151", "151", "2", "149"), job and orders(world) == ["A1", "A2"]
    assert len(csv_rows(download(world.partner, job))) == 149


def test_a_row_that_is_there_twice_is_told_by_its_place_in_the_whole_file(world):
    pairs = "".join(2 * row(world, f"B{number}") for number in range(50))
    text = HEADER + "".join(row(world, f"A{number}") for number in range(100)) + pairs
    job = imported(world.partner, text, TakeGoodRows="true")
    assert counts(job) == ("200", "200", "150", "50")
    told = 0
    for one in csv_rows(download(world.partner, job)):
        first = 101 + 2 * int(one["Order Id*"][1:])
        if one["Problem"].startswith("same as"):  # else they were taken in two steps
            assert one["Problem"] == f"same as row {first} (line {first + 1} of the file)"
            told += 1
    assert told > 0


def test_decisions_by_a_job(world):
    ids = [world.open() for _ in range(3)]
    lines = [f"{ids[0]},VALID,,{world.tracker}", f"{ids[1]},DECLINED,Other,", f"{ids[2]},,,"]
    text = "Id,Resolution Status,Resolution Reason,Action Tracker\n" + "\n".join(lines)
    job = imported(world.brand, text)
    assert job["Type"] == "DECISION_IMPORT"
    assert (job["Taken"], job["Undecided"], job["Unchanged"]) == ("2", "1", "0")
    job = imported(world.brand, text)
    assert (job["Taken"], job["Undecided"], job["Unchanged"]) == ("0", "1", "2")


def test_a_file_that_cannot_be_read_is_refused_at_once(world):
    for text, words in (("Colour\r\nred\r\n", "Colour"), ("", "empty"),
                        (HEADER + '"x\r\n', "never closed")):
        answer = send(world.partner, text)
        assert answer.status_code == 400 and words in answer.text, answer.text
    assert imported(world.partner, HEADER, "ERROR")["StatusMessage"] == (
        "The file has no rows under its header")


def test_what_is_too_large_to_be_answered_at_once_becomes_a_job(world):
    text = HEADER + "".join(row(world, f"A{number}") for number in range(10001))
    answer = world.partner.call("POST", "ActionInquiries/Import", params={"DryRun": "true"},
                                data=text.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text
    job = ended(world.partner, answer.json()["Uri"], timeout=120)
    assert counts(job) == ("10001", "10001", "10001", "0")
    many_lines = HEADER + "".join(row(world, f"B{number}", notes='"' + "x\n" * 400 + '"')
                                  for number in range(30))
    answer = world.partner.call("POST", "ActionInquiries/Import", data=many_lines.encode(),
                                headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200 and answer.json()["Taken"] == "30"


# ---- while other things happen ----

def rows_by_the_thousand(world, count, prefix="A"):
    return HEADER + "".join(row(world, f"{prefix}{number}") for number in range(count))


def begun(account, text, **query):
    answer = send(account, text, **query)
    assert answer.status_code == 202, answer.text
    return answer.json()["Uri"]


def under_way(account, uri):
    """Some of its rows are done."""
    def look():
        shown = account.ok(account.get(uri))
        return shown if shown["PercentageComplete"] != "0" else None
    return await_until(look, f"{uri} to be under way")


def test_a_kill_in_the_middle_of_an_import_takes_no_row_twice():
    with Server() as server:
        world = World(server)
        uri = begun(world.partner, rows_by_the_thousand(world, 4000), TakeGoodRows="true")
        under_way(world.partner, uri)
        for _ in range(3):
            server.kill()
            server.start()
            world.moved()
            if world.partner.ok(world.partner.get(uri))["Status"] in ENDED:
                break
        job = ended(world.partner, uri, timeout=90)
        assert counts(job) == ("4000", "4000", "4000", "0")
        found = orders(world)
        assert len(found) == len(set(found)) == 4000


def test_a_kill_in_the_middle_of_an_export_leaves_no_row_out():
    with Server() as server:
        world = World(server)
        imported(world.partner, rows_by_the_thousand(world, 3000), TakeGoodRows="true")
        uri = export(world.partner, "INQUIRIES", Format="NDJSON")
        for _ in range(3):
            server.kill()
            server.start()
            world.moved()
        job = ended(world.partner, uri)
        rows = [one["OrderId"] for one in json_rows(download(world.partner, job))]
        assert len(rows) == len(set(rows)) == 3000 and job["RecordsProcessed"] == "3000"


def test_a_long_job_of_one_account_holds_up_no_others(world):
    uri = begun(world.partner, rows_by_the_thousand(world, 20000), DryRun="true")
    under_way(world.partner, uri)
    exported(world.brand, "POSTBACKS")
    world.open()
    assert world.partner.ok(world.partner.get(uri))["Status"] == "RUNNING"
    shown = world.partner.ok(world.partner.post(f"{uri}/Cancel"))
    assert (shown["Status"], shown["Taken"] != "0", shown["ResultUri"]) == ("CANCELLED", True, "")
    assert shown["StatusMessage"] == "Cancelled before any row was taken"


def test_what_a_cancelled_import_has_taken_stays(world):
    uri = begun(world.partner, rows_by_the_thousand(world, 20000), TakeGoodRows="true")
    under_way(world.partner, uri)
    shown = world.partner.ok(world.partner.post(f"{uri}/Cancel"))
    assert shown["StatusMessage"] == f"Cancelled when {shown['Taken']} rows were taken, which stay"
    assert len(orders(world)) == int(shown["Taken"]) > 0


def test_jobs_of_an_account_that_is_made_inactive_end(world):
    uri = begun(world.partner, rows_by_the_thousand(world, 20000), TakeGoodRows="true")
    under_way(world.partner, uri)
    account = f"Accounts/{world.partner.sid}"
    world.operator.ok(world.operator.put(account, {"Active": "false"}))
    assert world.partner.get(uri).status_code == 401
    world.operator.ok(world.operator.put(account, {"Active": "true"}))
    shown = ended(world.partner, uri, "CANCELLED") if world.partner.ok(world.partner.get(uri))[
        "Status"] != "RUNNING" else world.partner.ok(world.partner.post(f"{uri}/Cancel"))
    assert len(orders(world)) == int(shown["Taken"])


def test_a_maintenance_holds_the_event_and_not_the_job(receiver):
    with Server() as server:
        world = World(server)
        world.notify(world.partner, receiver.url(), Category="Job Completion Events",
                     Method="POST")
        world.operator.ok(world.operator.post("Maintenance", {}))
        await_until(lambda: world.operator.ok(
            world.operator.get("/Operator/Maintenance"))["State"] == "ON", "a maintenance")
        job = exported(world.partner, "POSTBACKS")
        world.await_state(world.partner, "WAITING")
        assert receiver.requests == []
        world.operator.ok(world.operator.post("Maintenance/End"))
        request, = receiver.wait(1)
        assert json.loads(request.body)["JobId"] == job["Id"]


def test_twenty_jobs_of_an_account_may_not_have_ended(world):
    text = rows_by_the_thousand(world, 5000)
    for _ in range(60):  # some end meanwhile
        answer = send(world.partner, text, DryRun="true")
        if answer.status_code != 202:
            break
    assert answer.status_code == 409 and "20 jobs of this account" in answer.text
    exported(world.brand, "POSTBACKS")
    for job in world.partner.ok(world.partner.get("Jobs"))["Jobs"]:
        world.partner.post(f"Jobs/{job['Id']}/Cancel")
