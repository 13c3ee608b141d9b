/* check_rows.c — counts against the rows that they count, and rows against those they belong to.
 *
 * What waits is counted in one snapshot, as it is exact there; with it what went straight to a lane
 * and has no row yet, by the lists of the events from the floor on (direct.h).  The large tables
 * are walked in steps, each a snapshot of its own: what is looked for is wrong in any of them.
 */
#include "store/check.h"
#include "store/quotas.h"

#include <inttypes.h>
#include <stddef.h>

enum { STEP = 20000 };

/* ---- counts ---- */

#define SQL_FLOOR                                                                                  \
    "(SELECT CAST(coalesce(max(value), 0) AS INTEGER) FROM meta WHERE key = 'fresh_floor')"

static void check_counts(struct check *check, struct db *db)
{
    static const char sql[] =
        /* by the index, in its order: nothing is sorted, however much waits */
        "WITH RECURSIVE places (event, id, rest, notification) AS (" /* of events' lists */
        "SELECT id, id, direct || ',', '' FROM event WHERE id >= " SQL_FLOOR " AND direct IS NOT "
        "NULL UNION ALL SELECT event, id + 1, substr(rest, instr(rest, ',') + 1), substr(rest, 1, "
        "instr(rest, ',') - 1) FROM places WHERE rest <> ''), parts AS (SELECT p.notification, "
        "count(*) AS count, sum(length(CAST(e.data AS "
        "BLOB)) + ?1) AS bytes FROM postback p INDEXED BY postback_waiting LEFT JOIN event e ON "
        "e.id = p.event WHERE p.state = 1 GROUP BY p.notification UNION ALL SELECT "
        "p.notification, count(*), sum(length(CAST(e.data AS BLOB)) + ?1) FROM postback p NOT "
        "INDEXED LEFT JOIN event e ON e.id = p.event WHERE p.id >= " SQL_FLOOR " AND p.state = 0 "
        "GROUP BY p.notification UNION ALL SELECT CAST(d.notification AS INTEGER), count(*), "
        "sum(length(CAST(e.data AS BLOB)) + ?1) FROM places d JOIN event e ON e.id = d.event WHERE "
        "d.notification <> '' AND NOT EXISTS (SELECT 1 FROM postback r WHERE r.id = d.id) GROUP BY "
        "1), rows AS (SELECT notification, sum(count) AS count, sum(bytes) "
        "AS bytes FROM parts GROUP BY notification) "
        "SELECT coalesce(c.notification, r.notification), "
        "coalesce(c.pending, 0), coalesce(r.count, 0), coalesce(c.bytes, 0), coalesce(r.bytes, 0) "
        "FROM notification_count c FULL JOIN rows r ON r.notification = c.notification WHERE "
        "coalesce(c.pending, 0) <> coalesce(r.count, 0) OR "
        "coalesce(c.bytes, 0) <> coalesce(r.bytes, 0)";
    int found = 0;
    check_tell(check, CHECK_STEP, "counts");
    struct stmt *list = check_begin(db, sql);
    db_bind_int(list, 1, QUOTA_POSTBACK_BYTES);
    while (db_step(list) == DB_ROW) {
        bool of_rows = db_int(list, 1) != db_int(list, 2);
        if (++found <= CHECK_FINDINGS_MOST)
            check_tell(check, CHECK_DAMAGE,
                       "counts: event notification %lld is said to have %lld %s pending, and has "
                       "%lld",
                       (long long)db_int(list, 0), (long long)db_int(list, of_rows ? 1 : 3),
                       of_rows ? "postbacks" : "bytes", (long long)db_int(list, of_rows ? 2 : 4));
    }
    if (found > CHECK_FINDINGS_MOST)
        check_tell(check, CHECK_DAMAGE, "counts: and %d more", found - CHECK_FINDINGS_MOST);
    if (check_end(check, db, "counts", list) && found == 0)
        check_tell(check, CHECK_FINE, "counts: each is that of its rows");
}

/* ---- rows in steps ---- */

/* Column 0: rows of the step; 1 and 2: where it ended; then one number for each of `wrong`. */
struct walk {
    const char *what, *sql;
    const char *wrong[6]; /* "postbacks whose event is not there"; NULL ends */
};

static const struct walk walks[] = {
    { "postbacks",
      "SELECT count(*), max(p.id), 0, sum(e.id IS NULL), sum(n.id IS NULL), "
      "sum(e.account <> p.account OR n.account <> p.account), sum(p.state NOT BETWEEN 0 AND 4), "
      "sum(p.state = 0 AND p.id < " SQL_FLOOR ") FROM (SELECT id, event, notification, account, "
      "state FROM postback NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?3) p LEFT JOIN event e ON "
      "e.id = p.event LEFT JOIN notification n ON n.id = p.notification WHERE ?2 = ?2",
      { "postbacks whose event is not there", "postbacks of no event notification",
        "postbacks of another account than their event or event notification",
        "postbacks in no state that there is",
        "postbacks that are said to be on their way and would never be found again" } },
    { "attempts",
      "SELECT count(*), max(a.postback), (SELECT number FROM attempt WHERE (postback, number) > "
      "(?1, ?2) ORDER BY postback, number LIMIT 1 OFFSET ?3 - 1), sum(p.id IS NULL) FROM (SELECT "
      "postback, number FROM attempt WHERE (postback, number) > (?1, ?2) ORDER BY postback, number "
      "LIMIT ?3) a LEFT JOIN postback p ON p.id = a.postback",
      { "attempts at no postback" } },
    { "events",
      "SELECT count(*), max(e.id), 0, sum(a.id IS NULL) FROM (SELECT id, account FROM event NOT "
      "INDEXED WHERE id > ?1 ORDER BY id LIMIT ?3) e LEFT JOIN account a ON a.id = e.account "
      "WHERE ?2 = ?2",
      { "events of no account" } },
};

static bool step(struct check *check, struct db *db, const struct walk *walk, int64_t from[2],
                 int64_t wrong[6], int64_t *rows)
{
    struct stmt *look = check_begin(db, walk->sql);
    db_bind_int(look, 1, from[0]);
    db_bind_int(look, 2, from[1]);
    db_bind_int(look, 3, STEP);
    int64_t count = 0;
    if (db_step(look) == DB_ROW) {
        count = db_int(look, 0);
        for (int i = 0; count > 0 && i < 2; i++)
            from[i] = db_int(look, 1 + i);
        for (int i = 0; i < 6 && walk->wrong[i] != NULL; i++)
            wrong[i] += db_int(look, 3 + i);
    }
    *rows += count;
    return check_end(check, db, walk->what, look) && count == STEP;
}

static void walk_all(struct check *check, struct db *db, const struct walk *walk)
{
    int64_t from[2] = { INT64_MIN, INT64_MIN }, wrong[6] = { 0 }, rows = 0;
    int before = check_bad(check);
    int64_t told = 0;
    do {
        if (rows >= told) {
            check_tell(check, CHECK_STEP, "%s, %" PRId64 " so far", walk->what, rows);
            told = rows + 50 * (int64_t)STEP;
        }
    } while (step(check, db, walk, from, wrong, &rows));
    for (int i = 0; i < 6 && walk->wrong[i] != NULL; i++) {
        if (wrong[i] > 0)
            check_tell(check, CHECK_DAMAGE, "%" PRId64 " %s", wrong[i], walk->wrong[i]);
    }
    if (check_bad(check) == before)
        check_tell(check, CHECK_FINE, "%s: %" PRId64 ", each with what it belongs to", walk->what,
                   rows);
}

/* ---- the smaller tables ---- */

static const struct {
    const char *what, *sql;
} lookups[] = {
    { "event notifications without their settings",
      "SELECT count(*) FROM notification n WHERE deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM "
      "notification_revision r WHERE r.notification = n.id AND r.revision = n.revision)" },
    { "counts of no event notification",
      "SELECT count(*) FROM notification_count c LEFT JOIN notification n ON n.id = "
      "c.notification WHERE n.id IS NULL" },
    { "events that are still to be sent to some, and are not there",
      "SELECT count(*) FROM fan_out f LEFT JOIN event e ON e.id = f.event WHERE e.id IS NULL" },
};

static void check_small(struct check *check, struct db *db)
{
    int before = check_bad(check);
    check_tell(check, CHECK_STEP, "the smaller tables");
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        int64_t count = check_number(check, db, lookups[i].what, lookups[i].sql, 0);
        if (count > 0)
            check_tell(check, CHECK_DAMAGE, "%" PRId64 " %s", count, lookups[i].what);
    }
    if (check_bad(check) == before)
        check_tell(check, CHECK_FINE, "the smaller tables: each row has what it belongs to");
}

void check_rows(struct check *check, struct db *db)
{
    check_counts(check, db);
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++)
        walk_all(check, db, &walks[i]);
    check_small(check, db);
}
