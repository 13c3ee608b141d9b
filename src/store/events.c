/* events.c — publishing an event: its row, and a postback for each notification that wants it.
 *
 * The hot path: one insert an event, at the right-hand edge of its tree.  The ids behind the
 * event's own are its postbacks', one a place (those of a fan-out's later steps have ids of their
 * own and stand in the index of the ones sent again).  A postback that goes straight to a lane gets
 * no row here: the event's row says where it goes (direct.h).
 *
 * The rule: what has no row, or a FRESH one, is also handed to the engine with this commit; all
 * others are WAITING, which the engine finds on disk.
 */
#include "store/events.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/log.h"
#include "db/tx.h"
#include "model/postback.h"
#include "model/show.h"
#include "store/direct.h"
#include "store/fan_outs.h"
#include "store/ledger.h"
#include "store/ordered_turns.h"
#include "store/quotas.h"
#include "store/routes.h"

#include <string.h>

enum { MANY = 256, FAN_OUT_FEW = 64 }; /* postbacks of one job, notifications of one account */

/* Postbacks, by this job. */
static int64_t written(const struct db *db)
{
    return tx_counted(db_tx(db), METRIC_POSTBACKS);
}

/* An event for thousands leaves room for those of others. */
static bool memory_has_room(const struct db *db, const struct event *event, bool apart)
{
    size_t part = apart || written(db) >= MANY ? 4 : 1;
    return postbacks_in_memory() < POSTBACKS_IN_MEMORY_MOST / part &&
           (!event_is_large(event) || events_large_bytes() < EVENT_LARGE_BYTES_MOST / part);
}

static bool goes_straight(struct db *db, const struct event *event, const struct route *route,
                          bool apart)
{
    return route->active && !route->by_disk && routes_direct(db, route->notification) &&
           memory_has_room(db, event, apart);
}

static void hand_over(struct job *job, struct db *db, struct event *event,
                      const struct route *route, int64_t id, int64_t due_at, bool has_row)
{
    struct postback *postback = postback_new();
    postback->id = id;
    postback->notification = route->notification;
    postback->event = event_ref(event);
    postback->due_at = due_at;
    postback->accepted_us = job->given_us;
    postback->written = has_row;
    tx_hand_on(db_tx(db), &postback->in);
}

/* apart: in a later step, so not at a place behind the event, but in the index of those that are
 * not. */
static void write_row(struct db *db, const struct event *event, const struct route *route,
                      int64_t id, int64_t due_at, bool fresh, bool apart)
{
    static const char *const texts[] = {
        "INSERT INTO postback (id, bucket, account, notification, event, state, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO postback (id, bucket, account, notification, event, state, due_at, resent) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
    };
    struct stmt *add = db_prepare(db, texts[apart]);
    db_bind_int(add, 1, id);
    db_bind_int(add, 2, route->bucket);
    db_bind_int(add, 3, event->account);
    db_bind_int(add, 4, route->notification);
    db_bind_int(add, 5, event->id);
    db_bind_int(add, 6, fresh ? POSTBACK_FRESH : POSTBACK_WAITING);
    db_bind_int(add, 7, due_at);
    db_run(db, add);
}

static void count_postback(struct db *db, const struct event *event, const struct route *route)
{
    int64_t bytes = (int64_t)event->data_len + QUOTA_POSTBACK_BYTES;
    ledger_pend(db, route->notification, 1, bytes);
    quota_add(db, event->account, 1, bytes);
    tx_count(db_tx(db), METRIC_POSTBACKS, 1);
}

static void wait_on_disk(struct db *db, const struct event *event, const struct route *route,
                         int64_t due_at)
{
    ledger_wait(db, route->notification, event->account, route->active ? due_at : LEDGER_IDLE);
}

/* The first route of a notification above this one. */
static size_t first_behind(const struct route *routes, size_t count, int64_t notification)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (routes[middle].notification <= notification)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* At most so many of those that are left; *whole: that was all.  What is left is moved behind them.
 */
static size_t next_routes(struct db *db, const struct event *event, struct fan_out *left,
                          size_t most, const struct route *out[FAN_OUT_STEP], bool *whole)
{
    size_t count, found = 0;
    const struct route *routes = routes_of(db, event->account, &count);
    *whole = true;
    for (size_t i = first_behind(routes, count, left->after);
         i < count && routes[i].notification <= left->last; i++) {
        if (routes[i].notification == left->left_out || !route_wants(&routes[i], event->type))
            continue;
        *whole = found < most;
        if (!*whole)
            break;
        out[found++] = &routes[i];
        left->after = routes[i].notification;
    }
    return found;
}

static void write_event(struct db *db, struct event *event, size_t places, const struct buf *direct)
{
    struct stmt *add = db_prepare(db, "INSERT INTO event (id, account, type, occurred_at, inquiry, "
                                      "data, postbacks, direct) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    db_bind_int(add, 1, event->id);
    db_bind_int(add, 2, event->account);
    db_bind_int(add, 3, event->type->number);
    db_bind_int(add, 4, event->occurred_at);
    db_bind_opt(add, 5, event->inquiry, 0);
    db_bind_chars(add, 6, event->data, event->data_len);
    db_bind_int(add, 7, (int64_t)places);
    db_bind_chars(add, 8, direct != NULL ? buf_text(direct) : NULL,
                  direct != NULL ? direct->len : 0);
    db_run(db, add);
}

/* The event with a place behind it for each of these. */
static void write_with(struct job *job, struct db *db, struct event *event,
                       const struct route *const *routes, size_t count)
{
    struct buf list = { 0 };
    int64_t now_ms = db_due_now(db);
    size_t straight = 0;
    event->id = db_new_ids(db, 1 + (int)count);
    for (size_t i = 0; i < count; i++) {
        bool direct = goes_straight(db, event, routes[i], false);
        direct_list(&list, i, direct ? routes[i]->notification : 0);
        count_postback(db, event, routes[i]);
        straight += direct;
        if (direct)
            hand_over(job, db, event, routes[i], direct_id(event->id, i), now_ms, false);
    }
    write_event(db, event, count, straight > 0 ? &list : NULL);
    const char *rest = buf_text(&list);
    for (size_t i = 0; i < count && straight < count; i++) {
        int64_t due_at = now_ms + routes[i]->delay_ms;
        if (direct_next(&rest) != 0)
            continue;
        write_row(db, event, routes[i], direct_id(event->id, i), due_at, false, false);
        wait_on_disk(db, event, routes[i], due_at);
    }
    buf_free(&list);
}

/* Where others write too, the ids of an Ordered notification's postbacks are drawn in turn, so they
 * have no place behind the event. */
static bool goes_in_turn(const struct db *db, const struct route *route)
{
    return route->ordered && db_is_remote(db);
}

static void write_in_turn(struct db *db, const struct event *event, const struct route *route,
                          int64_t due_at)
{
    count_postback(db, event, route);
    ordered_write(db, &(struct ordered_postback){ .notification = route->notification,
                                                  .account = event->account,
                                                  .event = event->id,
                                                  .due_at = due_at });
    wait_on_disk(db, event, route, due_at);
}

/* The event with its first postbacks. */
static void write_first(struct job *job, struct db *db, struct event *event,
                        const struct route *const *routes, size_t count)
{
    const struct route *placed[FAN_OUT_STEP];
    size_t places = 0;
    for (size_t i = 0; i < count; i++) {
        if (!goes_in_turn(db, routes[i]))
            placed[places++] = routes[i];
    }
    write_with(job, db, event, placed, places);
    for (size_t i = 0; i < count && places < count; i++) {
        if (goes_in_turn(db, routes[i]))
            write_in_turn(db, event, routes[i], db_due_now(db) + routes[i]->delay_ms);
    }
}

/* In a later step: those that are left of it, due as if they had been written with the event. */
static bool write_further(struct job *job, struct db *db, struct event *event, struct fan_out *left,
                          size_t most)
{
    const struct route *routes[FAN_OUT_STEP];
    bool whole;
    size_t count = next_routes(db, event, left, most, routes, &whole);
    for (size_t i = 0; i < count; i++) {
        int64_t due_at = id_time_ms(event->id) + routes[i]->delay_ms;
        if (goes_in_turn(db, routes[i])) {
            write_in_turn(db, event, routes[i], due_at);
            continue;
        }
        bool fresh = goes_straight(db, event, routes[i], true);
        int64_t id = db_new_id(db);
        write_row(db, event, routes[i], id, due_at, fresh, true);
        count_postback(db, event, routes[i]);
        if (fresh)
            hand_over(job, db, event, routes[i], id, due_at, true);
        else
            wait_on_disk(db, event, routes[i], due_at);
    }
    return whole;
}

/* How many postbacks a job may write for one event at once: none while those of earlier events are
 * to come, and none once it has written many, for an account of many.  (The engine's own jobs are
 * never cut.) */
static size_t may_write(const struct job *job, struct db *db, int64_t account, size_t routes)
{
    bool cut = job->account != 0 && written(db) >= FAN_OUT_MOST && routes > FAN_OUT_FEW;
    return cut || fan_outs_of(db, account) > 0 ? 0 : FAN_OUT_STEP;
}

void event_publish_except(struct job *job, struct db *db, struct event *event, int64_t notification)
{
    struct fan_out all = { .account = event->account, .left_out = notification };
    size_t count;
    bool whole;
    if (job->account != 0 && !job->admitted &&
        !quota_admits(job, db, event->account, QUOTA_RESERVE_PERCENT))
        job->refused = true;
    const struct route *routes = routes_of(db, event->account, &count), *first[FAN_OUT_STEP];
    size_t most = may_write(job, db, event->account, count);
    all.last = count > 0 ? routes[count - 1].notification : 0;
    size_t places = next_routes(db, event, &all, most, first, &whole);
    write_first(job, db, event, first, places);
    tx_count(db_tx(db), METRIC_EVENTS, 1);
    all.event = event->id;
    if (!whole)
        fan_out_add(db, &all);
}

/* As if the event had been given when it was written. */
static int64_t written_us(const struct db *db, int64_t event)
{
    int64_t age_ms = db_due_now(db) - id_time_ms(event);
    return clock_steady_us() - (age_ms > 0 ? age_ms : 0) * 1000;
}

static void step(struct job *job, struct db *db, struct fan_out *left)
{
    struct event *event = event_load(db, left->account, left->event);
    bool whole = true;
    if (event != NULL) {
        job->given_us = written_us(db, event->id);
        whole = write_further(job, db, event, left, (size_t)(FAN_OUT_STEP - written(db)));
        event_unref(event);
    } else if (!db_failed(db)) {
        log_error("an event has gone before all its postbacks were written",
                  LOG_N("event", left->event));
    }
    if (whole)
        fan_out_end(db, left);
    else
        fan_out_move(db, left);
}

bool events_fan_out(struct job *job, struct db *db)
{
    struct fan_out left;
    for (int events = 0; events < FAN_OUT_STEP && written(db) < FAN_OUT_STEP; events++) {
        if (!fan_out_oldest(db, job->account, &left)) {
            if (events == 0)
                fan_outs_doubt(db); /* what was counted is not there */
            break;
        }
        step(job, db, &left);
    }
    return true;
}

bool events_wait(struct db *db, int64_t account)
{
    return fan_outs_of(db, account) >= FAN_OUTS_MOST;
}

void event_publish(struct job *job, struct db *db, struct event *event)
{
    event_publish_except(job, db, event, 0);
}

int64_t event_newest(struct db *db)
{
    int64_t event = db_number(db_prepare(db, "SELECT id + coalesce(postbacks, 0) FROM event "
                                             "WHERE id > 0 ORDER BY id DESC LIMIT 1"),
                              0);
    int64_t postback = db_number(db_prepare(db, "SELECT max(id) FROM postback"), 0);
    return event > postback ? event : postback;
}

static json_t *event_show(struct stmt *row)
{
    const struct event_type *type = catalog_type_numbered((int)db_int(row, 1));
    json_t *shown = json_object();
    show_id(shown, "Id", db_int(row, 0));
    show_text(shown, "EventType", type != NULL ? type->name : "");
    show_date(shown, "EventDate", db_int(row, 2));
    show_date(shown, "CreationDate", id_time_ms(db_int(row, 0)));
    show_id(shown, "InquiryId", db_opt(row, 3, 0));
    return shown;
}

json_t *event_list(struct db *db, int64_t account, const struct event_type *type, int64_t before,
                   int limit, int64_t *next)
{
    json_t *array = json_array();
    int64_t last = 0;
    int looked = 0;
    struct stmt *list =
        db_prepare(db, "SELECT id, type, occurred_at, inquiry, account FROM event WHERE id < ? "
                       "ORDER BY id DESC LIMIT ?");
    db_bind_int(list, 1, before == 0 ? INT64_MAX : before);
    db_bind_int(list, 2, EVENTS_LOOKED);
    while (json_array_size(array) < (size_t)limit && db_step(list) == DB_ROW) {
        looked++;
        last = db_int(list, 0);
        if (db_int(list, 4) == account && (type == NULL || db_int(list, 1) == type->number))
            json_array_append_new(array, event_show(list));
    }
    db_finish(list);
    bool end = json_array_size(array) < (size_t)limit && looked < EVENTS_LOOKED;
    *next = end ? 0 : last;
    return array;
}

struct event *event_load(struct db *db, int64_t account, int64_t id)
{
    struct event *event = NULL;
    struct stmt *find = db_prepare(db, "SELECT type, occurred_at, inquiry, data FROM event "
                                       "WHERE id = ? AND account = ?");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    if (db_step(find) == DB_ROW) {
        const struct event_type *type = catalog_type_numbered((int)db_int(find, 0));
        const char *data = db_text(find, 3);
        if (type != NULL) {
            event =
                event_new(account, type, db_int(find, 1), db_opt(find, 2, 0), data, strlen(data));
            event->id = id;
        }
    }
    db_finish(find);
    return event;
}

void event_route(struct db *db, int64_t notification, bool direct)
{
    routes_set_direct(db, notification, direct);
}

void events_forget(struct db *db, int64_t account)
{
    routes_forget(db, account);
}
