"""Downloads and imports: exports of the lists with their filters, and files too large to be answered at once."""

import glob
import os

import pytest

from harness.delivery import Delivery
from harness.server import await_until

DESKTOP = pytest.mark.parametrize("width", ["desktop"])
HEADER = "Campaign Id,Order Id,Sale Amount,Transaction Date,Type\n"


def downloaded(browser, pattern):
    """The text of the file that the browser has saved, which is then taken away."""
    path = browser.until(lambda: glob.glob(os.path.join(browser.downloads, pattern)), pattern)[0]
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    os.remove(path)
    return text


def test_a_list_is_exported_with_its_filters(browser, world, receiver):
    work = Delivery(world, receiver.url())
    work.send()
    work.send()
    world.await_state(world.partner, "DELIVERED", 2)
    browser.sign_in(world.partner, "/postbacks?State=DELIVERED")
    browser.click("Export").click("Postbacks as CSV").at("/jobs")
    browser.see("Postbacks", "State DELIVERED", "Done", "2 records were written")
    browser.screenshot("jobs")
    job = world.partner.ok(world.partner.get("Jobs"))["Jobs"][0]
    assert job["Parameters"] == {"State": "DELIVERED"}
    browser.click(f"Download the result of job {job['Id']}")
    assert len(downloaded(browser, f"postbacks-{job['Id']}.csv").splitlines()) == 3
    browser.go("/notices").see("Postbacks is done. 2 records were written")
    browser.click("See it").at("/jobs")


@DESKTOP
def test_inquiries_are_exported_by_either_side(browser, world):
    world.open(OrderId="A-1")
    world.open(OrderId="A-2")
    for account in (world.partner, world.brand):
        browser.sign_in(account, "/inquiries?Search=A-2")
        browser.see("A-2").click("Export").click("Inquiries as JSON lines").at("/jobs")
        browser.see("Export of inquiries, NDJSON", "1 record was written")


@DESKTOP
def test_actions_are_exported(browser, world):
    inquiry = world.open()
    world.brand.ok(world.brand.put("ActionInquiries", {
        "Id": inquiry, "ResolutionStatus": "VALID", "ActionTrackerId": world.tracker}))
    browser.sign_in(world.brand, "/actions?State=PENDING")
    browser.see("Pending").click("Export").click("Actions as CSV").at("/jobs")
    browser.see("Export of actions, CSV", "State PENDING", "1 record was written")


def test_a_job_is_seen_going_on_and_is_cancelled(browser, world):
    browser.sign_in(world.partner, "/jobs")
    browser.see("Nothing yet.")
    row = f"{world.campaign},A-1,10.00,2026-01-15,UNTRACKED\n"
    job = world.partner.ok(world.partner.call(
        "POST", "ActionInquiries/Import", params={"DryRun": "true", "AsJob": "true"},
        data=HEADER + 40000 * row, headers={"Content-Type": "text/csv"}))["Id"]
    browser.see("Import of inquiries", "Running")
    browser.until(lambda: browser.all("td progress"), "a bar")
    browser.click(f"Cancel job {job}").see("Cancelled before any row was taken")
    assert world.partner.ok(world.partner.get(f"Jobs/{job}"))["Status"] == "CANCELLED"


@DESKTOP
def test_who_only_reads_sees_jobs_and_begins_none(browser, world):
    job = world.partner.ok(world.partner.post("Exports", {"Records": "POSTBACKS"}))["Id"]
    await_until(lambda: world.partner.ok(world.partner.get(f"Jobs/{job}"))["CompletedDate"], "its end")
    browser.sign_in(world.partner, "/jobs", role="READ_ONLY")
    browser.see("0 records were written", "Download")
    browser.go("/postbacks").see_no("Export")


@DESKTOP
def test_a_large_file_is_taken_by_a_job(browser, world, tmp_path):
    rows = [f"{world.campaign},A-{number},10.00,2026-01-15,UNTRACKED\n" for number in range(10001)]
    rows[5000] = rows[5000].replace("UNTRACKED", "LOST")
    file = tmp_path / "large.csv"
    file.write_text(HEADER + "".join(rows))
    browser.sign_in(world.partner, "/inquiries/import")
    browser.fill("CSV file", str(file)).click("Preview")
    browser.see("Looking at the rows")
    browser.until(lambda: browser.named("button", "Take the 10000 good rows")
                  or browser.named("button", "Take the 10,000 good rows"), "the preview", 90)
    browser.see("1 of 10001 rows are wrong; an import would take 10000.", "Nothing has been taken yet.")
    browser.click("Take the 10,000 good rows")
    browser.until(lambda: "1 of 10001 rows are wrong; took 10000." in browser.text(), "the end", 120)
    browser.click("Download the bad rows")
    assert "LOST" in downloaded(browser, "inquiry-problems-*.csv")
    listed = world.partner.ok(world.partner.get("ActionInquiries", PageSize=1))
    assert listed["@total"] == "10000"
