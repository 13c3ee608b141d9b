"""What an export of a million postbacks, and an import of a hundred thousand rows, cost the others:
memory, and the time that a small write of another account takes meanwhile."""

import os
import sqlite3
import statistics
import threading
import time

from world import await_until, give_up, world

POSTBACKS, ROWS = 1000000, 100000
PAUSE_S = 0.01  # between two writes of the other account


def multiply(store, count):
    """The one postback that there is, and its event, many times, each a millisecond older."""
    for table, keys in (("event", ("id",)), ("postback", ("id", "event"))):
        columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
        taken = ", ".join(f"{name} - (n << 22)" if name in keys else name for name in columns)
        store.execute(
            f"WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ?) "
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table}, many "
            f"WHERE id = (SELECT max(id) FROM {table})", (count - 1,))


class Writer:
    """Another account's small writes, one after the other: how long each took, in ms."""

    def __init__(self, server, sid):
        self.server, self.sid = server, sid
        self.took, self.ends = [], threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def go_on(self):
        while not self.ends.wait(PAUSE_S):
            begun = time.monotonic()
            self.server.api("POST", "/Events", {
                "Type": "action_inquiry.opened", "AccountSids": [self.sid], "Data": {}})
            self.took.append((time.monotonic() - begun) * 1000)

    def end(self):
        self.ends.set()
        self.thread.join()
        took = sorted(self.took)
        return {"p50": statistics.median(took), "p99": took[int(len(took) * 0.99)], "max": took[-1]}


def job_of(server, sid, made):
    return server.api("GET", made["Uri"], None, server.credentials[sid])


def run(server, sid, other, begin):
    """The job's seconds, how much more memory there was at most, and the other's writes."""
    before, most = server.status("VmRSS"), 0
    writer, begun = Writer(server, other), time.monotonic()
    made = begin()

    def over():
        nonlocal most
        most = max(most, server.status("VmRSS"))
        return job_of(server, sid, made)["CompletedDate"]
    await_until(over, "the job's end", 900, 0.2)
    seconds, job = time.monotonic() - begun, job_of(server, sid, made)
    if job["Status"] != "COMPLETED":
        give_up(job["StatusMessage"])
    return seconds, (most - before) / 1024, writer.end(), job


def export(options):
    del options
    with world() as (server, receiver, _):
        sid, other = server.account(receiver.port), server.account(receiver.port)
        mine = server.credentials[sid]
        brand = server.api("POST", "/Operator/Accounts", {"Kind": "BRAND", "Name": "Brand"})
        campaign = server.api("POST", "/Operator/Campaigns", {
            "Name": "Bench", "BrandSid": brand["Sid"], "Currency": "EUR"})["Id"]
        server.api("POST", f"/Operator/Campaigns/{campaign}/Members", {"PartnerSid": sid})
        server.api("POST", "/Events", {"Type": "action.tracked", "AccountSids": [sid], "Data": {}})
        await_until(lambda: server.metric("postbackd_delivered_total") == 1, "delivered")
        server.close()
        with sqlite3.connect(os.path.join(server.data, "postbackd.db")) as store:
            multiply(store, POSTBACKS)
        server.start()
        quiet = Writer(server, other)
        threading.Event().wait(5)
        quiet = quiet.end()
        took, more, busy, job = run(server, sid, other, lambda: server.api(
            "POST", f"/Mediapartners/{sid}/Exports", {"Records": "POSTBACKS"}, mine))
        if job["RecordsProcessed"] != str(POSTBACKS):
            give_up(f"{job['RecordsProcessed']} records were exported")
        rows = "".join(f"{campaign},A-{row},10.00,2026-01-15,UNTRACKED\n" for row in range(ROWS))
        text = "Campaign Id,Order Id,Sale Amount,Transaction Date,Type\n" + rows
        import_took, _, import_busy, job = run(server, sid, other, lambda: server.api(
            "POST", f"/Mediapartners/{sid}/ActionInquiries/Import?TakeGoodRows=true", text, mine))
        return {"export_rows_per_s": POSTBACKS / took, "export_more_mib": more,
                "export_write_p99_ms": busy["p99"], "export_held_ms": busy["p99"] - quiet["p99"],
                "import_rows_per_s": ROWS / import_took, "import_write_p99_ms": import_busy["p99"],
                "import_held_ms": import_busy["p99"] - quiet["p99"],
                "import_write_max_ms": import_busy["max"]}


BENCHES = {
    "export": (export, [
        ("export_rows_per_s", f"an export of {POSTBACKS} postbacks", "/s", None),
        ("export_more_mib", "… memory that it takes more", "MiB", ("<=", 32)),
        ("export_write_p99_ms", "… another account's small write meanwhile, p99", "ms", None),
        ("export_held_ms", "… against one when nothing is exported", "ms", ("<=", 20)),
        ("import_rows_per_s", f"an import of {ROWS} rows", "/s", None),
        ("import_write_p99_ms", "… another account's small write meanwhile, p99", "ms", None),
        ("import_held_ms", "… against one when nothing is imported", "ms", ("<=", 20)),
        ("import_write_max_ms", "… the slowest", "ms", None),
    ]),
}
