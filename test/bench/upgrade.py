"""What the first start of a new release costs, over the data directory of the one before."""

import os
import shutil
import sqlite3
import tarfile
import tempfile
import time

from world import ROOT, Postbackd, await_until, fetch, kill_all

KEPT = os.path.join(ROOT, "test/e2e/upgrade/007.tar.xz")
EPOCH_MS = 1577836800000  # ids count from 2020
FRESH = 30000             # as many as may be in memory at a kill

# All rows are of the account whose one event notification is paused: nothing of them is sent.
FILL = """
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
    WHERE i < :count - 1) SELECT i FROM n;
CREATE TEMP TABLE target AS SELECT id, account FROM notification WHERE state = 1 ORDER BY id LIMIT 1;
INSERT INTO event (id, account, type, occurred_at, data)
    SELECT :first + 4 * i, t.account, 10, :at, printf('{"Oid":"O-%d","Text":"%s"}', i,
    hex(zeroblob(100))) FROM n, target t;
INSERT INTO postback (id, bucket, account, notification, event, state, attempts, due_at,
    finished_at, last_status) SELECT :first + 4 * i + 1, 7, t.account, t.id, :first + 4 * i,
    CASE WHEN i >= :count - :fresh THEN 0 WHEN i % 2 = 0 THEN 1 ELSE 2 END,
    CASE WHEN i < :count - :fresh THEN 1 ELSE 0 END, :at,
    CASE WHEN i % 2 = 1 AND i < :count - :fresh THEN :at END, 200 FROM n, target t;
INSERT INTO attempt (postback, number, revision, started_at, duration_us, verdict, error, status,
    headers, body, body_bytes) SELECT :first + 4 * i + 1, 1, 1, :at, 5000, 1, 0, 200,
    CAST('Content-Type: text/plain' AS BLOB), CAST('OK' AS BLOB), 2 FROM n WHERE i < :count - :fresh;
UPDATE notification_count SET
    pending = pending + (SELECT count(*) FROM postback WHERE id >= :first AND state <= 1),
    delivered = delivered + (SELECT count(*) FROM postback WHERE id >= :first AND state = 2),
    bytes = bytes + (SELECT sum(length(CAST(e.data AS BLOB)) + 128) FROM postback p
        JOIN event e ON e.id = p.event WHERE p.id >= :first AND p.state <= 1)
    WHERE notification = (SELECT id FROM target);
UPDATE meta SET value = :first + 4 * (:count - :fresh) WHERE key = 'fresh_floor';
"""


def fill(store, count):
    """Each statement is run with the few values that it names."""
    now_ms = int(time.time() * 1000)
    values = {"count": count, "fresh": FRESH, "at": now_ms - 3600 * 1000,
              "first": (now_ms - 3600 * 1000 - EPOCH_MS) << 22}
    file = sqlite3.connect(store)
    with file:
        for statement in FILL.split(";\n"):
            if statement.strip():
                file.execute(statement, {name: value for name, value in values.items()
                                         if ":" + name in statement})
    file.close()


def upgrade(options):
    folder = tempfile.mkdtemp(prefix="postbackd-bench-", dir=os.environ.get("TMPDIR", "/tmp"))
    try:
        data = os.path.join(folder, "data")
        os.mkdir(data, 0o700)
        with tarfile.open(KEPT) as archive:
            archive.extractall(data)
        fill(os.path.join(data, "postbackd.db"), options.backlog)
        started = time.monotonic()
        server = Postbackd(folder, "--account-waiting", "0", "--account-waiting-bytes", "0")
        await_until(lambda: "OK" in str(fetch(server.base + "/readyz")), "ready", 600)
        first, peak = time.monotonic() - started, server.status("VmHWM")
        server.close()
        started = time.monotonic()
        server.start()
        await_until(lambda: "OK" in str(fetch(server.base + "/readyz")), "ready", 600)
        return {"upgrade": options.backlog, "upgrade_start_s": first, "upgrade_rss_kib": peak,
                "upgrade_second_start_s": time.monotonic() - started}
    finally:
        kill_all()
        shutil.rmtree(folder, ignore_errors=True)


BENCHES = {
    "upgrade": (upgrade, [
        ("upgrade", "events of a data directory of the release before", "", None),
        ("upgrade_start_s", "… its first start to ready", "s", ("<=", 10)),
        ("upgrade_second_start_s", "… and the next one", "s", ("<=", 1)),
        ("upgrade_rss_kib", "… peak RSS of the first", "KiB", ("<=", 64 * 1024)),
    ]),
}
