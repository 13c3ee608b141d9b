/* replays.c — replays on disk: what is asked for, how far it is, and the next postbacks of it.
 *
 * A replay is a row with a cursor.  A look (read) finds the next events behind the cursor; a write
 * makes postbacks of them and moves the cursor in the same transaction, so that a crash between
 * two steps neither loses an event nor sends it twice.  The postbacks name their replay and the
 * postback that they send again (0: none, the event itself was taken), which puts them into the
 * index by event: that tells whether the replay has sent an event already.
 *
 * The rule: a replay reads nothing that was written after it began, so it cannot chase its own
 * postbacks; and nothing from the horizon on, since a row that comes there later would be left out.
 * (With one writer events are committed in the order of their ids, but a postback that went
 * straight to a lane has its row later than its id.)
 */
#include "store/replays.h"

#include "base/fail.h"
#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/notifications.h"
#include "store/ordered_turns.h"
#include "store/postbacks.h"
#include "store/quotas.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const state_names[] = {
    [REPLAY_RUNNING] = "RUNNING", [REPLAY_DONE] = "DONE", [REPLAY_CANCELLED] = "CANCELLED"
};

/* ---- rows ---- */

#define SQL_REPLAY                                                                                 \
    "SELECT id, account, notification, source, start_at, end_at, until, states, types, state, "    \
    "next, total, done, sent, created_at, finished_at, lacking FROM replay "

static void types_from(struct replay *replay, const char *text)
{
    json_t *names = json_loads(text, 0, NULL), *name;
    size_t i;
    json_array_foreach(names, i, name)
    {
        const struct event_type *type = catalog_type(json_string_value(name));
        if (type != NULL && replay->type_count < NOTIFICATION_TYPES_MAX)
            replay->types[replay->type_count++] = type;
    }
    json_decref(names);
}

static json_t *types_show(const struct replay *replay)
{
    json_t *names = json_array();
    for (size_t i = 0; i < replay->type_count; i++)
        json_array_append_new(names, json_string(replay->types[i]->name));
    return names;
}

static void from_row(struct replay *out, struct stmt *row)
{
    *out = (struct replay){ .id = db_int(row, 0),
                            .account = db_int(row, 1),
                            .notification = db_int(row, 2),
                            .source = db_int(row, 3),
                            .start_at = db_int(row, 4),
                            .end_at = db_int(row, 5),
                            .until = db_int(row, 6),
                            .states = (unsigned)db_int(row, 7),
                            .state = (enum replay_state)db_int(row, 9),
                            .next = db_int(row, 10),
                            .total = db_opt(row, 11, -1),
                            .done = db_int(row, 12),
                            .sent = db_int(row, 13),
                            .created_at = db_int(row, 14),
                            .finished_at = db_opt(row, 15, DATE_NONE),
                            .lacking = db_int(row, 16) != 0 };
    types_from(out, db_text(row, 8));
}

bool replay_load(struct db *db, int64_t id, struct replay *out)
{
    struct stmt *find = db_prepare(db, SQL_REPLAY "WHERE id = ?");
    db_bind_int(find, 1, id);
    bool found = db_step(find) == DB_ROW;
    if (found)
        from_row(out, find);
    db_finish(find);
    return found;
}

/* ---- what accounts ask for ---- */

static int64_t count_running(struct db *db, const char *sql, int64_t of, int64_t *first)
{
    struct stmt *list = db_prepare(db, sql);
    int64_t count = 0;
    *first = 0;
    db_bind_int(list, 1, of);
    for (; db_step(list) == DB_ROW; count++) {
        if (count == 0)
            *first = db_int(list, 0);
    }
    db_finish(list);
    return count;
}

static bool has_room(struct job *job, struct db *db, const struct replay *replay)
{
    int64_t first;
    if (count_running(db, "SELECT id FROM replay WHERE notification = ? AND state = 1",
                      replay->notification, &first) > 0) {
        error_set(&job->error, ERROR_CONFLICT,
                  "Replay %" PRId64 " of this event notification is still running; cancel it, or "
                  "wait until it is done",
                  first);
        return false;
    }
    if (count_running(db, "SELECT id FROM replay WHERE account = ? AND state = 1", replay->account,
                      &first) < REPLAY_RUNNING_MOST)
        return true;
    error_set(&job->error, ERROR_CONFLICT, "%d replays of this account are running already",
              REPLAY_RUNNING_MOST);
    return false;
}

void replay_aim(struct db *db, struct replay *replay)
{
    int64_t newest = event_newest(db);
    replay->until = id_first_at(replay->end_at);
    if (replay->until > newest)
        replay->until = newest + 1;
    if (replay->next < id_first_at(replay->start_at))
        replay->next = id_first_at(replay->start_at);
}

bool replay_add(struct job *job, struct db *db, struct replay *replay)
{
    if (!has_room(job, db, replay))
        return false;
    if (db_is_remote(db)) /* others' ids may be above its own */
        db_seen_id(db, event_newest(db));
    int64_t newest = db_new_id(db);
    replay->until = id_first_at(replay->end_at);
    if (replay->until > newest) {
        replay->until = newest;
        replay->end_at = db_now(db) + 1;
    }
    json_t *names = types_show(replay);
    char *types = json_dumps(names, JSON_COMPACT);
    struct stmt *add =
        db_prepare(db, "INSERT INTO replay (account, notification, source, start_at, end_at, "
                       "until, states, types, state, next, created_at, lacking) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) RETURNING id");
    db_bind_int(add, 1, replay->account);
    db_bind_int(add, 2, replay->notification);
    db_bind_int(add, 3, replay->source);
    db_bind_int(add, 4, replay->start_at);
    db_bind_int(add, 5, replay->end_at);
    db_bind_int(add, 6, replay->until);
    db_bind_int(add, 7, (int64_t)replay->states);
    db_bind_text(add, 8, types);
    db_bind_int(add, 9, id_first_at(replay->start_at));
    db_bind_int(add, 10, db_now(db));
    db_bind_int(add, 11, replay->lacking);
    replay->id = db_insert(add);
    tx_note(db_tx(db),
            (struct change){ CHANGE_REPLAY, replay->account, replay->notification, replay->id });
    free(types);
    json_decref(names);
    return true;
}

bool replay_source_exists(struct db *db, int64_t account, int64_t notification)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM notification WHERE id = ? AND account = ?");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, account);
    bool exists = db_step(find) == DB_ROW;
    db_finish(find);
    return exists;
}

static bool find_own(struct db *db, int64_t account, int64_t notification, int64_t id,
                     struct replay *out)
{
    return replay_load(db, id, out) && out->account == account && out->notification == notification;
}

/* A running one ends; false: it has ended already. */
static bool end(struct db *db, int64_t id, enum replay_state state)
{
    struct stmt *put =
        db_prepare(db, "UPDATE replay SET state = ?, finished_at = ? WHERE id = ? AND state = 1");
    db_bind_int(put, 1, (int64_t)state);
    db_bind_int(put, 2, db_now(db));
    db_bind_int(put, 3, id);
    db_run(db, put);
    return db_changes(db) == 1;
}

bool replay_cancel(struct job *job, struct db *db, int64_t account, int64_t notification,
                   int64_t id)
{
    struct replay replay;
    if (!find_own(db, account, notification, id, &replay))
        return false;
    if (replay.state == REPLAY_RUNNING && end(db, id, REPLAY_CANCELLED))
        return true;
    if (replay_load(db, id, &replay))
        error_set(&job->error, ERROR_CONFLICT, "Replay %" PRId64 " has ended already: %s", id,
                  state_names[replay.state]);
    return false;
}

/* Its postbacks that wait; again and again, until there are no more. */
static void undo_some(struct job *job, struct db *db, int64_t account, int64_t id,
                      struct replay_undo *out)
{
    int64_t ids[REPLAY_UNDO_MOST + 1];
    size_t count = 0;
    struct stmt *list =
        db_prepare(db, "SELECT id FROM postback WHERE replay = ? AND state = 1 ORDER BY id "
                       "LIMIT ?");
    db_bind_int(list, 1, id);
    db_bind_int(list, 2, REPLAY_UNDO_MOST + 1);
    while (count <= REPLAY_UNDO_MOST && db_step(list) == DB_ROW)
        ids[count++] = db_int(list, 0);
    db_finish(list);
    out->more = count > REPLAY_UNDO_MOST;
    for (size_t i = 0; i < count && i < REPLAY_UNDO_MOST; i++) {
        if (postback_cancel(job, db, account, ids[i]))
            out->cancelled++;
        job->error = (struct error){ 0 }; /* it has just ended otherwise */
    }
}

bool replay_undo(struct job *job, struct db *db, int64_t account, int64_t notification, int64_t id,
                 struct replay_undo *out)
{
    struct replay replay;
    *out = (struct replay_undo){ 0 };
    if (!find_own(db, account, notification, id, &replay))
        return false;
    out->ended = replay.state == REPLAY_RUNNING && end(db, id, REPLAY_CANCELLED);
    undo_some(job, db, account, id, out);
    return true;
}

/* Counted up to a thousand. */
static int64_t waiting_of(struct db *db, int64_t id)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM postback WHERE "
                                        "replay = ? AND state = 1 LIMIT 1000) waiting");
    db_bind_int(count, 1, id);
    return db_number(count, 0);
}

static void show_states(json_t *shown, const struct replay *replay)
{
    unsigned states = replay->states;
    const char *name = replay->lacking && replay->source != 0 ? "FAILED" : "ALL";
    if (states == (1 << POSTBACK_FRESH | 1 << POSTBACK_WAITING))
        name = "WAITING";
    for (int i = POSTBACK_DELIVERED; i < POSTBACK_STATES; i++) {
        if (states == 1u << i)
            name = postback_state_name((enum postback_state)i);
    }
    show_text(shown, "PostbackState", name);
}

static json_t *show(struct db *db, const struct replay *replay)
{
    json_t *shown = json_object();
    show_id(shown, "Id", replay->id);
    show_id(shown, "NotificationId", replay->notification);
    if (replay->source == 0)
        show_text(shown, "From", replay->lacking ? "MISSING" : "ALL");
    else
        show_id(shown, "From", replay->source);
    show_date(shown, "StartDate", replay->start_at);
    show_date(shown, "EndDate", replay->end_at - 1);
    json_object_set_new(shown, "Types", types_show(replay));
    show_states(shown, replay);
    show_text(shown, "State", state_names[replay->state]);
    if (replay->total < 0)
        show_text(shown, "Total", "");
    else
        show_int(shown, "Total", replay->total);
    show_int(shown, "Done", replay->done);
    show_int(shown, "Sent", replay->sent);
    show_int(shown, "Waiting", waiting_of(db, replay->id));
    show_date(shown, "CreationDate", replay->created_at);
    show_date(shown, "FinishedDate", replay->finished_at);
    return shown;
}

json_t *replay_show(struct db *db, int64_t account, int64_t notification, int64_t id)
{
    struct replay replay;
    return find_own(db, account, notification, id, &replay) ? show(db, &replay) : NULL;
}

json_t *replay_list(struct db *db, int64_t account, int64_t notification, int64_t before, int limit)
{
    json_t *array = json_array();
    struct replay replay;
    struct stmt *list = db_prepare(db, SQL_REPLAY "WHERE notification = ? AND account = ? "
                                                  "AND id < ? ORDER BY id DESC LIMIT ?");
    db_bind_int(list, 1, notification);
    db_bind_int(list, 2, account);
    db_bind_int(list, 3, before == 0 ? INT64_MAX : before);
    db_bind_int(list, 4, limit);
    while (db_step(list) == DB_ROW) {
        from_row(&replay, list);
        json_array_append_new(array, show(db, &replay));
    }
    db_finish(list);
    return array;
}

/* ---- the steps ---- */

size_t replay_running(struct db *db, struct replay_name **out)
{
    size_t count = 0, cap = 0;
    struct stmt *list =
        db_prepare(db, "SELECT id, notification FROM replay WHERE state = 1 ORDER BY id");
    *out = NULL;
    while (db_step(list) == DB_ROW) {
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            *out = must_resize(*out, cap * sizeof(**out));
        }
        (*out)[count++] =
            (struct replay_name){ .id = db_int(list, 0), .notification = db_int(list, 1) };
    }
    db_finish(list);
    return count;
}

enum { ROW_ID, ROW_EVENT, ROW_STATE, ROW_TYPE, ROW_ACCOUNT, ROW_HAS };

/* Whether the notification (?6) has got the event e, or gets it: by a postback that was made with
 * the event, whose id stands behind the event's own, or by a later one.  Behind what is looked at
 * (`anchor`) any one counts, in whatever state: each event has its turn once, with its latest. */
#define SQL_HAS(anchor)                                                                            \
    "CASE WHEN ?5 = 0 THEN 0 WHEN e.account <> ?7 THEN 0 WHEN EXISTS (SELECT 1 FROM postback o "   \
    "WHERE o.notification = ?6 AND o.id > e.id AND o.id <= e.id + coalesce(e.postbacks, 512) AND " \
    "o.event = e.id AND (o.state <= 2 OR o.id > " anchor ")) THEN 1 WHEN EXISTS (SELECT 1 FROM "   \
    "postback a WHERE a.event = e.id AND a.resent IS NOT NULL AND a.notification = ?6 AND "        \
    "(a.state <= 2 OR a.id > " anchor ")) THEN 1 WHEN EXISTS (SELECT 1 FROM fan_out f WHERE "      \
    "f.event = e.id) THEN 1 ELSE 0 END "

static struct stmt *walk(struct db *db, const struct replay *replay, int64_t from, int64_t until,
                         int most)
{
    struct stmt *rows =
        replay->source != 0
            ? db_prepare(
                  db, "SELECT p.id, p.event, p.state, e.type, p.account, " SQL_HAS(
                          "p.id") "FROM postback p JOIN event e ON e.id = p.event WHERE p.id >= ?1 "
                                  "AND p.id < ?2 AND p.notification = ?4 ORDER BY p.id LIMIT ?3")
            : db_prepare(db, "SELECT e.id, e.id, NULL, e.type, e.account, " SQL_HAS(
                                 "e.id") "FROM event e WHERE e.id >= ?1 AND e.id < ?2 AND ?4 = 0 "
                                         "ORDER BY e.id LIMIT ?3");
    db_bind_int(rows, 1, from);
    db_bind_int(rows, 2, until);
    db_bind_int(rows, 3, most);
    db_bind_int(rows, 4, replay->source);
    db_bind_int(rows, 5, replay->lacking);
    db_bind_int(rows, 6, replay->notification);
    db_bind_int(rows, 7, replay->account);
    return rows;
}

static bool type_asked_for(const struct replay *replay, const struct event_type *type)
{
    for (size_t i = 0; i < replay->type_count; i++) {
        if (replay->types[i] == type)
            return true;
    }
    return replay->type_count == 0;
}

static bool matches(const struct replay *replay, const struct notification *to, struct stmt *row)
{
    const struct event_type *type = catalog_type_numbered((int)db_int(row, ROW_TYPE));
    return db_int(row, ROW_ACCOUNT) == replay->account && type != NULL &&
           db_int(row, ROW_HAS) == 0 && type_asked_for(replay, type) &&
           notification_wants(to, type) &&
           (replay->source == 0 || (replay->states >> db_int(row, ROW_STATE) & 1) != 0);
}

void replay_look(struct db *db, const struct replay *replay, const struct notification *to,
                 struct replay_look *look)
{
    if (look->at < replay->next)
        look->at = replay->next;
    bool near = look->horizon < replay->until;
    struct stmt *rows =
        walk(db, replay, look->at, near ? look->horizon : replay->until, look->rows);
    look->found = 0;
    look->count = 0;
    look->end = look->wait = false;
    for (int i = 0; i < look->rows && (look->limit == 0 || look->count < look->limit); i++) {
        if (db_step(rows) != DB_ROW) {
            look->end = !near;
            look->wait = near;
            break;
        }
        look->at = db_int(rows, ROW_ID) + 1;
        if (!matches(replay, to, rows))
            continue;
        look->found++;
        if (look->limit > 0)
            look->items[look->count++] = (struct replay_item){
                .event = db_int(rows, ROW_EVENT),
                .postback = replay->source != 0 ? db_int(rows, ROW_ID) : 0,
            };
    }
    db_finish(rows);
}

size_t replay_backlog(struct db *db, int64_t notification, int most)
{
    struct stmt *find =
        db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM postback WHERE notification = ? AND "
                       "state = 1 AND due_at <= ? LIMIT ?) due");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, db_due_now(db));
    db_bind_int(find, 3, most);
    return (size_t)db_number(find, 0);
}

/* False: the event is gone, or this replay has sent it. */
static bool write_one(struct db *db, const struct replay *replay, const struct replay_item *item)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO postback (id, bucket, account, notification, event, state, due_at, "
            "resent, replay) SELECT ?1, ?2, ?3, ?4, e.id, 1, ?5, ?6, ?7 FROM event e "
            "WHERE e.id = ?8 AND e.account = ?3 AND NOT EXISTS (SELECT 1 FROM postback a WHERE "
            "a.event = ?8 AND a.resent IS NOT NULL AND a.replay = ?7)");
    db_bind_int(add, 1, ordered_new_id(db, replay->account, replay->notification));
    db_bind_int(add, 2, notification_bucket(replay->notification));
    db_bind_int(add, 3, replay->account);
    db_bind_int(add, 4, replay->notification);
    db_bind_int(add, 5, db_due_now(db));
    db_bind_int(add, 6, item->postback);
    db_bind_int(add, 7, replay->id);
    db_bind_int(add, 8, item->event);
    db_run(db, add);
    return db_changes(db) == 1;
}

/* False: it was cancelled, or another step was first, and nothing of this one may be written. */
static bool move_on(struct db *db, int64_t id, int64_t from, const struct replay_look *look)
{
    struct stmt *put = db_prepare(db, "UPDATE replay SET next = ?, done = done + ? "
                                      "WHERE id = ? AND state = 1 AND next = ?");
    db_bind_int(put, 1, look->at);
    db_bind_int(put, 2, look->found);
    db_bind_int(put, 3, id);
    db_bind_int(put, 4, from);
    db_run(db, put);
    return db_changes(db) == 1;
}

static void count_sent(struct db *db, int64_t id, int sent)
{
    struct stmt *put = db_prepare(db, "UPDATE replay SET sent = sent + ? WHERE id = ?");
    db_bind_int(put, 1, sent);
    db_bind_int(put, 2, id);
    db_run(db, put);
}

/* What retention deleted meanwhile is not to come. */
static void end_done(struct db *db, int64_t id)
{
    struct stmt *put = db_prepare(db, "UPDATE replay SET total = done WHERE id = ?");
    db_bind_int(put, 1, id);
    if (end(db, id, REPLAY_DONE))
        db_run(db, put);
    else
        db_finish(put);
}

void replay_write(struct db *db, int64_t id, int64_t from, const struct replay_look *look)
{
    struct replay replay;
    int sent = 0;
    int64_t bytes = 0;
    if (!replay_load(db, id, &replay))
        return;
    if (!notification_exists(db, 0, replay.notification)) {
        end(db, id, REPLAY_CANCELLED);
        return;
    }
    if (!move_on(db, id, from, look))
        return;
    for (size_t i = 0; i < look->count; i++) {
        if (!write_one(db, &replay, &look->items[i]))
            continue;
        sent++;
        bytes += quota_event_bytes(db, look->items[i].event);
    }
    if (sent > 0) {
        ledger_pend(db, replay.notification, sent, bytes);
        quota_add(db, replay.account, sent, bytes);
        ledger_wait(db, replay.notification, replay.account, db_due_now(db));
        tx_count(db_tx(db), METRIC_POSTBACKS, sent);
        count_sent(db, id, sent);
    }
    if (look->end)
        end_done(db, id);
}

void replay_give_up(struct db *db, int64_t id)
{
    end(db, id, REPLAY_CANCELLED);
}

void replay_counted(struct db *db, int64_t id, int64_t total)
{
    struct stmt *put = db_prepare(db, "UPDATE replay SET total = ? WHERE id = ? AND state = 1");
    db_bind_int(put, 1, total);
    db_bind_int(put, 2, id);
    db_run(db, put);
}
