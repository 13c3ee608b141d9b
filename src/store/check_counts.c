/* check_counts.c — the counts of what waits, against what they count.
 *
 * All of it in one snapshot, as a count is exact there: rows that wait, rows that are on their way,
 * and what went straight to a lane and has no row yet (direct.h).
 */
#include "store/check.h"

#include "base/fail.h"
#include "base/map.h"
#include "store/direct.h"
#include "store/quotas.h"

#include <stdlib.h>

enum { OF_POSTBACKS, OF_BYTES, KINDS };

static const char *const kinds[KINDS] = { "postbacks", "bytes" };

struct counted { /* of an event notification */
    int64_t notification, there[KINDS], said[KINDS];
};

struct counting {
    struct db *db;
    struct map notifications; /* struct counted */
};

static struct counted *counted_of(struct counting *counting, int64_t notification)
{
    struct counted *counted = map_get(&counting->notifications, notification);
    if (counted == NULL) {
        counted = must_alloc(sizeof(*counted));
        counted->notification = notification;
        map_put(&counting->notifications, notification, counted);
    }
    return counted;
}

/* Rows: a notification, its postbacks, how many of these have their event, its bytes. */
static void count_rows(struct counting *counting, struct stmt *list)
{
    while (db_step(list) == DB_ROW) {
        struct counted *counted = counted_of(counting, db_int(list, 0));
        counted->there[OF_POSTBACKS] += db_int(list, 1);
        counted->there[OF_BYTES] += db_int(list, 2) * QUOTA_POSTBACK_BYTES + db_int(list, 3);
    }
    db_finish(list);
}

/* By the index of what waits, in its order: nothing is sorted, however much there is. */
static void count_waiting(struct counting *counting)
{
    count_rows(counting,
               db_prepare(counting->db,
                          "SELECT p.notification, count(*), count(e.id), sum(octet_length(e.data)) "
                          "FROM postback p LEFT JOIN event e ON e.id = p.event WHERE p.state = 1 "
                          "GROUP BY p.notification"));
}

/* One by one: to group them an engine would go over all rows there are. */
static void count_under_way(struct counting *counting, int64_t floor)
{
    struct stmt *list = db_prepare(
        counting->db, "SELECT p.notification, 1, CASE WHEN e.id IS NULL THEN 0 ELSE 1 END, "
                      "octet_length(e.data) FROM postback p LEFT JOIN event e ON e.id = p.event "
                      "WHERE p.id >= ? AND p.state = 0");
    db_bind_int(list, 1, floor);
    count_rows(counting, list);
}

static void count_direct(void *context, const struct direct *direct)
{
    struct counting *counting = context;
    struct counted *counted = counted_of(counting, direct->notification);
    counted->there[OF_POSTBACKS]++;
    counted->there[OF_BYTES] += quota_event_bytes(counting->db, direct->event);
}

static void read_said(struct counting *counting)
{
    struct stmt *list =
        db_prepare(counting->db,
                   "SELECT notification, sum(pending), sum(bytes) FROM notification_count GROUP BY "
                   "notification HAVING sum(pending) <> 0 OR sum(bytes) <> 0");
    while (db_step(list) == DB_ROW) {
        struct counted *counted = counted_of(counting, db_int(list, 0));
        counted->said[OF_POSTBACKS] = db_int(list, 1);
        counted->said[OF_BYTES] = db_int(list, 2);
    }
    db_finish(list);
}

/* ---- what they say ---- */

static void tell(struct check *check, const struct counted *counted, int kind)
{
    check_tell(check, CHECK_DAMAGE,
               "counts: event notification %lld is said to have %lld %s pending, and has %lld",
               (long long)counted->notification, (long long)counted->said[kind], kinds[kind],
               (long long)counted->there[kind]);
}

/* Of one whose counts are both wrong the first is told. */
static int tell_wrong(struct check *check, const struct counting *counting)
{
    int found = 0;
    size_t at = 0;
    for (const struct counted *counted;
         (counted = map_each(&counting->notifications, &at)) != NULL;) {
        int kind = 0;
        while (kind < KINDS && counted->there[kind] == counted->said[kind])
            kind++;
        if (kind < KINDS && ++found <= CHECK_FINDINGS_MOST)
            tell(check, counted, kind);
    }
    if (found > CHECK_FINDINGS_MOST)
        check_tell(check, CHECK_DAMAGE, "counts: and %d more", found - CHECK_FINDINGS_MOST);
    return found;
}

static void counting_free(struct counting *counting)
{
    size_t at = 0;
    for (struct counted *counted; (counted = map_each(&counting->notifications, &at)) != NULL;)
        free(counted);
    map_free(&counting->notifications);
}

void check_counts(struct check *check, struct db *db)
{
    struct counting counting = { .db = db };
    check_tell(check, CHECK_STEP, "counts");
    db_begin(db, 0, 0);
    count_waiting(&counting);
    count_under_way(&counting, direct_floor(db));
    direct_without_rows(db, count_direct, &counting);
    read_said(&counting);
    if (check_end(check, db, "counts", NULL) && tell_wrong(check, &counting) == 0)
        check_tell(check, CHECK_FINE, "counts: each is that of its rows");
    counting_free(&counting);
}
