/* check_rows.c — rows against those that they belong to.
 *
 * The large tables are walked in steps, each a snapshot of its own: what is looked for is wrong in
 * any of them.
 */
#include "store/check.h"
#include "store/direct.h"

#include <inttypes.h>
#include <stddef.h>

enum { STEP = 20000 };

/* ---- rows in steps ---- */

enum third { NOTHING, SECOND_KEY, FLOOR };

/* Parameters: how many rows a step has, the id that it begins behind, and a third.  Column 0: rows
 * of the step; then the id where it ended, and its second key; then one number for each of `wrong`.
 */
struct walk {
    const char *what, *sql;
    enum third third;
    const char *wrong[6]; /* "postbacks whose event is not there"; NULL ends */
};

static const struct walk walks[] = {
    { "postbacks",
      "SELECT count(*), max(p.id), 0, count(*) - count(e.id), count(*) - count(n.id), "
      "sum(CASE WHEN e.account <> p.account OR n.account <> p.account THEN 1 ELSE 0 END), "
      "sum(CASE WHEN p.state BETWEEN 0 AND 4 THEN 0 ELSE 1 END), "
      "sum(CASE WHEN p.state = 0 AND p.id < ?3 THEN 1 ELSE 0 END) "
      "FROM (SELECT id, event, notification, account, state FROM postback WHERE id > ?2 "
      "ORDER BY id LIMIT ?1) p "
      "LEFT JOIN event e ON e.id = p.event LEFT JOIN notification n ON n.id = p.notification",
      FLOOR,
      { "postbacks whose event is not there", "postbacks of no event notification",
        "postbacks of another account than their event or event notification",
        "postbacks in no state that there is",
        "postbacks that are said to be on their way and would never be found again" } },
    { "attempts",
      "SELECT count(*), max(a.postback), (SELECT number FROM attempt WHERE (postback, number) > "
      "(?2, ?3) ORDER BY postback, number LIMIT 1 OFFSET ?1 - 1), count(*) - count(p.id) "
      "FROM (SELECT postback, number FROM attempt WHERE (postback, number) > (?2, ?3) "
      "ORDER BY postback, number LIMIT ?1) a LEFT JOIN postback p ON p.id = a.postback",
      SECOND_KEY,
      { "attempts at no postback" } },
    { "events",
      "SELECT count(*), max(e.id), 0, count(*) - count(a.id) FROM (SELECT id, account FROM event "
      "WHERE id > ?2 ORDER BY id LIMIT ?1) e LEFT JOIN account a ON a.id = e.account",
      NOTHING,
      { "events of no account" } },
};

static struct stmt *begin_step(struct db *db, const struct walk *walk, const int64_t from[2])
{
    db_begin(db, 0, 0);
    int64_t floor = walk->third == FLOOR ? direct_floor(db) : 0;
    struct stmt *look = db_prepare(db, walk->sql);
    db_bind_int(look, 1, STEP);
    db_bind_int(look, 2, from[0]);
    if (walk->third != NOTHING)
        db_bind_int(look, 3, walk->third == FLOOR ? floor : from[1]);
    return look;
}

static bool step(struct check *check, struct db *db, const struct walk *walk, int64_t from[2],
                 int64_t wrong[6], int64_t *rows)
{
    struct stmt *look = begin_step(db, walk, from);
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
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++)
        walk_all(check, db, &walks[i]);
    check_small(check, db);
}
