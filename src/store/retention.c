/* retention.c — the hot tables walked from their oldest ids, a range a step.
 *
 * Ids are in order of time and the tables in order of id, so what is old lies at their left-hand
 * edge: whole pages become free there, and the database takes them for the rows added at the
 * right.  A range ends after so many postbacks or events, whichever comes first, and never between
 * an event and the ids behind it that are its postbacks'; those sent again, and those of later
 * steps of its fan-out, have an index.  It never reaches the floor (direct.h): from there on there
 * are postbacks without a row, and their events stay.
 *
 * The rule: a row goes only when its state says that it has ended, and an event only after the last
 * of its postbacks.
 */
#include "store/retention.h"

#include "db/partitions.h"
#include "store/direct.h"
#include "store/meta.h"

#include <inttypes.h>

#define SQL_ENDED "state >= 2 AND coalesce(finished_at, 0) < ?3"

/* The id of the row `skip` rows behind the first from `from` on; `none` when that is not under it.
 */
static int64_t id_behind(struct stmt *find, int64_t from, int64_t none, int skip)
{
    db_bind_int(find, 1, from);
    db_bind_int(find, 2, none);
    db_bind_int(find, 3, skip);
    return db_number(find, none);
}

static int64_t number(struct stmt *find, int64_t with)
{
    db_bind_int(find, 1, with);
    return db_number(find, 0);
}

/* Behind the last postback of an event of an earlier version: one process wrote them right behind
 * it. */
static int64_t behind_rows_of(struct db *db, int64_t event)
{
    struct stmt *find = db_prepare(db, "SELECT id FROM postback WHERE id > ?1 AND event <> ?1 "
                                       "ORDER BY id LIMIT 1");
    int64_t other = number(find, event);
    find = db_prepare(db, "SELECT id FROM postback WHERE id < ? ORDER BY id DESC LIMIT 1");
    return number(find, other != 0 ? other : INT64_MAX) + 1;
}

/* `end`, or the nearest id that does not stand among the postbacks of an event: that of the event,
 * or the one behind them all when nothing else would be left of the range. */
static int64_t between_events(struct db *db, int64_t from, int64_t end)
{
    int64_t event = 0, places = 0;
    struct stmt *find =
        db_prepare(db, "SELECT id, postbacks FROM event WHERE id < ? ORDER BY id DESC LIMIT 1");
    db_bind_int(find, 1, end);
    if (db_step(find) == DB_ROW) {
        event = db_int(find, 0);
        places = db_opt(find, 1, -1);
    }
    db_finish(find);
    int64_t behind = places == -1 ? behind_rows_of(db, event) : event + places + 1;
    if (end >= behind)
        return end;
    return event > from ? event : behind;
}

/* Nothing from there on is old yet. */
static int64_t old_limit(struct db *db, int64_t before_ms)
{
    int64_t old = id_first_at(before_ms), floor = direct_floor(db);
    return floor != 0 && floor < old ? floor : old;
}

/* The last day with a piece that is walked all the same. */
static int64_t walked_day(struct db *db)
{
    return db_number(
        db_prepare(db, "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'walked_day'"), -1);
}

/* Nothing from there on is looked at by the walk. */
static int64_t range_limit(struct db *db, const struct retention *retention)
{
    int64_t limit = old_limit(db, retention->before_ms);
    if (!db_is_remote(db))
        return limit;
    int64_t day = partitions_oldest(db, walked_day(db));
    return day != INT64_MAX && partition_first_id(day) < limit ? partition_first_id(day) : limit;
}

/* *whole: nothing else is to be looked at. */
static int64_t range_end(struct db *db, const struct retention *retention, int most, bool *whole)
{
    int64_t limit = range_limit(db, retention), end = limit;
    end = id_behind(db_prepare(db, "SELECT id FROM postback WHERE id >= ? AND id < ? ORDER BY id "
                                   "LIMIT 1 OFFSET ?"),
                    retention->place, end, most);
    end = id_behind(db_prepare(db, "SELECT id FROM event WHERE id >= ? AND id < ? ORDER BY id "
                                   "LIMIT 1 OFFSET ?"),
                    retention->place, end, most);
    *whole = end == limit;
    return between_events(db, retention->place, end);
}

static int64_t take_out(struct db *db, struct stmt *old, int64_t from, int64_t end,
                        int64_t before_ms)
{
    db_bind_int(old, 1, from);
    db_bind_int(old, 2, end);
    if (before_ms != 0)
        db_bind_int(old, 3, before_ms);
    db_run(db, old);
    return db_changes(db);
}

/* A number of the range; 0 without a row. */
static int64_t of_range(struct stmt *find, int64_t from, int64_t end, int64_t before_ms)
{
    db_bind_int(find, 1, from);
    db_bind_int(find, 2, end);
    if (before_ms != 0)
        db_bind_int(find, 3, before_ms);
    return db_number(find, 0);
}

/* Most ranges go whole.  Their statements look at no other table for each row, for which an
 * engine would first gather the rows.  Whether this one did. */
static bool take_out_postbacks(struct db *db, struct retention *retention, int64_t end)
{
    int64_t from = retention->place, before_ms = retention->before_ms;
    bool whole = !of_range(db_prepare(db, "SELECT 1 FROM postback WHERE id >= ?1 AND id < ?2 "
                                          "AND NOT (" SQL_ENDED ") LIMIT 1"),
                           from, end, before_ms);
    retention->attempts = of_range(
        whole ? db_prepare(db, "SELECT count(first_revision) FROM postback WHERE id >= ?1 AND "
                               "id < ?2")
              : db_prepare(db, "SELECT count(first_revision) FROM postback WHERE id >= ?1 AND "
                               "id < ?2 AND " SQL_ENDED),
        from, end, whole ? 0 : before_ms);
    retention->attempts += take_out(
        db,
        whole ? db_prepare(db, "DELETE FROM attempt WHERE postback >= ?1 AND postback < ?2")
              : db_prepare(db, "DELETE FROM attempt WHERE postback IN (SELECT id FROM postback "
                               "WHERE id >= ?1 AND id < ?2 AND " SQL_ENDED ")"),
        from, end, whole ? 0 : before_ms);
    retention->postbacks = take_out(
        db,
        whole ? db_prepare(db, "DELETE FROM postback WHERE id >= ?1 AND id < ?2")
              : db_prepare(db, "DELETE FROM postback WHERE id >= ?1 AND id < ?2 AND " SQL_ENDED),
        from, end, whole ? 0 : before_ms);
    return whole;
}

/* gone: no postback is left in the range, so what is left of its events was sent again or is to fan
 * out.  (An event of an earlier version has NULL places, and no row of its own behind the range.)
 */
static void take_out_events(struct db *db, struct retention *retention, int64_t end, bool gone)
{
    int64_t from = retention->place;
    bool whole =
        gone &&
        !of_range(db_prepare(db, "SELECT 1 FROM postback WHERE event >= ?1 AND event < ?2 "
                                 "AND resent IS NOT NULL LIMIT 1"),
                  from, end, 0) &&
        !of_range(db_prepare(db, "SELECT 1 FROM fan_out WHERE event >= ?1 AND event < ?2 LIMIT 1"),
                  from, end, 0);
    retention->events = take_out(
        db,
        whole ? db_prepare(db, "DELETE FROM event WHERE id >= ?1 AND id < ?2")
              : db_prepare(db,
                           "DELETE FROM event WHERE id >= ?1 AND id < ?2 AND NOT EXISTS (SELECT 1 "
                           "FROM postback p WHERE p.id > event.id AND p.id <= event.id + "
                           "event.postbacks) AND (event.postbacks IS NOT NULL OR coalesce((SELECT "
                           "p.event FROM postback p WHERE p.id > event.id ORDER BY p.id LIMIT 1), "
                           "0) <> event.id) AND NOT EXISTS (SELECT 1 FROM postback a WHERE a.event "
                           "= event.id AND a.resent IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "
                           "fan_out f WHERE f.event = event.id)"),
        from, end, 0);
}

void retention_step(struct db *db, struct retention *retention, int most)
{
    int64_t end = range_end(db, retention, most < 2 ? 2 : most, &retention->whole);

    take_out_events(db, retention, end, take_out_postbacks(db, retention, end));
    if (end > retention->place)
        retention->place = end;
    retention->oldest = number(db_prepare(db, "SELECT id FROM event WHERE id > ? ORDER BY id "
                                              "LIMIT 1"),
                               0);
}

/* ---- by the day ---- */

static void list_id(struct buf *list, int64_t id)
{
    buf_fmt(list, "%s%" PRId64, list->len > 0 ? "," : "", id);
}

static void find_what_stays(struct db *db, struct retention_day *day, int64_t before_ms)
{
    int count = 0;
    struct stmt *find = db_prepare(db, "SELECT id FROM postback WHERE id >= ?1 AND id < ?2 AND NOT "
                                       "(" SQL_ENDED ") LIMIT ?4");
    db_bind_int(find, 1, partition_first_id(day->day));
    db_bind_int(find, 2, partition_first_id(day->day + 1));
    db_bind_int(find, 3, before_ms);
    db_bind_int(find, 4, RETENTION_STAYS_MOST + 1);
    while (db_step(find) == DB_ROW && count <= RETENTION_STAYS_MOST) {
        list_id(&day->stays, db_int(find, 0));
        count++;
    }
    db_finish(find);
    day->full = count > RETENTION_STAYS_MOST;
    day->postbacks = -count;
}

static void count_rows(struct db *db, struct retention_day *day)
{
    int64_t from = partition_first_id(day->day), end = partition_first_id(day->day + 1);
    day->postbacks += of_range(
        db_prepare(db, "SELECT count(*) FROM postback WHERE id >= ?1 AND id < ?2"), from, end, 0);
    day->attempts =
        of_range(db_prepare(db, "SELECT count(*) FROM attempt WHERE postback >= ?1 AND postback < "
                                "?2"),
                 from, end, 0) +
        of_range(db_prepare(db, "SELECT count(first_revision) FROM postback WHERE id >= ?1 AND id "
                                "< ?2"),
                 from, end, 0);
    day->events = of_range(db_prepare(db, "SELECT count(*) FROM event WHERE id >= ?1 AND id < ?2"),
                           from, end, 0);
}

bool retention_day_look(struct db *db, int64_t before_ms, int64_t after, struct retention_day *out)
{
    int64_t day = partitions_oldest(db, after);
    *out = (struct retention_day){ .day = day };
    if (day == INT64_MAX || partition_first_id(day + 1) > old_limit(db, before_ms))
        return false;
    find_what_stays(db, out, before_ms);
    if (!out->full)
        count_rows(db, out);
    return true;
}

void retention_day_free(struct retention_day *day)
{
    buf_free(&day->stays);
}

static void walk_from_now_on(struct db *db, int64_t day)
{
    if (day > walked_day(db))
        meta_put(db, "walked_day", day);
}

/* Events of the day that something is left of: of what was put back, of what was sent again since,
 * or is still to fan out. */
static void find_events(struct db *db, int64_t day, struct buf *out)
{
    struct stmt *find = db_prepare(
        db,
        "SELECT event FROM postback WHERE id >= ?1 AND id < ?2 UNION SELECT event FROM postback "
        "WHERE event >= ?1 AND event < ?2 AND resent IS NOT NULL UNION SELECT event FROM "
        "fan_out WHERE event >= ?1 AND event < ?2");
    db_bind_int(find, 1, partition_first_id(day));
    db_bind_int(find, 2, partition_first_id(day + 1));
    while (db_step(find) == DB_ROW)
        list_id(out, db_int(find, 0));
    db_finish(find);
}

void retention_day_drop(struct db *db, const struct retention_day *day)
{
    struct buf events = { 0 };
    const char *stays = day->stays.len > 0 ? day->stays.data : NULL;
    if (day->full) {
        walk_from_now_on(db, day->day);
        return;
    }
    partition_detach(db, day->day);
    if (stays != NULL) {
        partition_put_back(db, "postback", day->day, "id", stays);
        partition_put_back(db, "attempt", day->day, "postback", stays);
    }
    find_events(db, day->day, &events);
    if (events.len > 0)
        partition_put_back(db, "event", day->day, "id", buf_text(&events));
    buf_free(&events);
    partition_drop(db, day->day);
}
