/* retention.c — the hot tables walked from their oldest ids, a range a step.
 *
 * Ids are in order of time and the tables in order of id, so what is old lies at their left-hand
 * edge: whole pages become free there, and the database takes them for the rows added at the
 * right.  A range ends after so many postbacks or events, whichever comes first.  An event's own
 * postbacks are the rows that follow its id; those sent again, and those of later steps of its
 * fan-out, have an index; so whether any is left takes three looks, one of them for further steps.
 * Where a range ends among an event's postbacks the event is looked at once more with the next
 * range: `event` may lie behind `postback` by that one event.
 *
 * The rule: a row goes only when its state says that it has ended, and an event only after the last
 * of its postbacks.
 */
#include "store/retention.h"

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

static int64_t range_end(struct db *db, const struct retention *retention, int limit)
{
    int64_t end = id_first_at(retention->before_ms);
    end = id_behind(db_prepare(db, "SELECT id FROM postback WHERE id >= ? AND id < ? ORDER BY id "
                                   "LIMIT 1 OFFSET ?"),
                    retention->postback, end, limit);
    return id_behind(db_prepare(db, "SELECT id FROM event WHERE id >= ? AND id < ? ORDER BY id "
                                    "LIMIT 1 OFFSET ?"),
                     retention->event, end, limit);
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

static int64_t number(struct stmt *find, int64_t with)
{
    db_bind_int(find, 1, with);
    return db_number(find, 0);
}

static int64_t last_event(struct db *db, int64_t end)
{
    return number(db_prepare(db, "SELECT id FROM event WHERE id < ? ORDER BY id DESC LIMIT 1"),
                  end);
}

/* Of the first postback that is left from there on. */
static int64_t event_of_next(struct db *db, int64_t from)
{
    return number(db_prepare(db, "SELECT event FROM postback WHERE id >= ? ORDER BY id LIMIT 1"),
                  from);
}

/* The last event before `end` when a postback of it may follow there, else `end`. */
static int64_t events_place(struct db *db, int64_t end)
{
    int64_t last = last_event(db, end);
    return last != 0 && last == event_of_next(db, end) ? last : end;
}

static bool is_there(struct stmt *find, int64_t from, int64_t end, int64_t before_ms)
{
    db_bind_int(find, 1, from);
    db_bind_int(find, 2, end);
    if (before_ms != 0)
        db_bind_int(find, 3, before_ms);
    return db_number(find, 0) != 0;
}

/* Most ranges go whole.  Their statements look at no other table for each row, for which an
 * engine would first gather the rows.  Whether this one did. */
static bool take_out_postbacks(struct db *db, struct retention *retention, int64_t end)
{
    int64_t from = retention->postback, before_ms = retention->before_ms;
    bool whole = !is_there(db_prepare(db, "SELECT 1 FROM postback WHERE id >= ?1 AND id < ?2 "
                                          "AND NOT (" SQL_ENDED ") LIMIT 1"),
                           from, end, before_ms);
    retention->attempts = take_out(
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

/* gone: no postback is left in the range, so what is left of its events stands right behind it (of
 * the last one, which stays), was sent again or is to fan out. */
static void take_out_events(struct db *db, struct retention *retention, int64_t end, bool gone)
{
    int64_t from = retention->event, next = event_of_next(db, from);
    int64_t upto = next >= from && next == last_event(db, end) ? next : end;
    bool whole =
        gone && (next < from || next >= upto) &&
        !is_there(db_prepare(db, "SELECT 1 FROM postback WHERE event >= ?1 AND event < ?2 "
                                 "AND resent IS NOT NULL LIMIT 1"),
                  from, upto, 0) &&
        !is_there(db_prepare(db, "SELECT 1 FROM fan_out WHERE event >= ?1 AND event < ?2 LIMIT 1"),
                  from, upto, 0);
    retention->events = take_out(
        db,
        whole ? db_prepare(db, "DELETE FROM event WHERE id >= ?1 AND id < ?2")
              : db_prepare(db,
                           "DELETE FROM event WHERE id >= ?1 AND id < ?2 AND coalesce((SELECT "
                           "p.event FROM postback p WHERE p.id > event.id ORDER BY p.id LIMIT 1), "
                           "0) <> event.id AND NOT EXISTS (SELECT 1 FROM postback a WHERE a.event "
                           "= event.id AND a.resent IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "
                           "fan_out f WHERE f.event = event.id)"),
        from, whole ? upto : end, 0);
}

void retention_step(struct db *db, struct retention *retention, int limit)
{
    int64_t end = range_end(db, retention, limit < 2 ? 2 : limit);

    take_out_events(db, retention, end, take_out_postbacks(db, retention, end));
    if (end > retention->postback)
        retention->postback = end;
    retention->event = events_place(db, retention->postback);
    retention->whole = retention->postback >= id_first_at(retention->before_ms);
    retention->oldest = number(db_prepare(db, "SELECT id FROM event WHERE id > ? ORDER BY id "
                                              "LIMIT 1"),
                               0);
}
