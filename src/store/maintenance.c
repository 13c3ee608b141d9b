/* maintenance.c — the table of pauses; who is told; what is left to catch up.
 *
 * Only the latest row can be other than OVER.  `told` is written with the notices and events of a
 * batch of accounts, in one transaction, so that a crash neither tells an account twice nor leaves
 * one out.
 *
 * What was due at the end and has not been tried since is found by its due time alone: a failed
 * attempt moves it on, a delivery takes the row out of the index.
 */
#include "store/maintenance.h"

#include "base/fail.h"
#include "db/tx.h"
#include "model/date.h"
#include "model/notification.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/letters.h"
#include "store/postbacks.h"
#include "store/routes.h"

#include <stdlib.h>

bool maintenance_load(struct db *db, struct maintenance *out)
{
    struct stmt *find =
        db_prepare(db, "SELECT id, state, message, start_at, expected_end_at, started_at, "
                       "ended_at, backlog, told FROM maintenance ORDER BY id DESC LIMIT 1");
    bool found = db_step(find) == DB_ROW;
    *out = (struct maintenance){ 0 };
    if (found)
        *out = (struct maintenance){
            .id = db_int(find, 0),
            .state = (enum maintenance_state)db_int(find, 1),
            .message = db_copy(find, 2),
            .start_at = db_int(find, 3),
            .expected_end_at = db_opt(find, 4, DATE_NONE),
            .started_at = db_opt(find, 5, DATE_NONE),
            .ended_at = db_opt(find, 6, DATE_NONE),
            .backlog = db_int(find, 7),
            .told = db_int(find, 8),
        };
    db_finish(find);
    return found;
}

static bool refuse(struct job *job, const char *why)
{
    error_set(&job->error, ERROR_CONFLICT, "%s", why);
    return false;
}

bool maintenance_add(struct job *job, struct db *db, struct maintenance *maintenance)
{
    struct maintenance last;
    bool busy = maintenance_load(db, &last) && last.state < MAINTENANCE_ENDING;
    bool ending = last.state == MAINTENANCE_ENDING || last.state == MAINTENANCE_CANCELLED;
    if (last.state == MAINTENANCE_CATCHING_UP)
        maintenance_move(db, &last, MAINTENANCE_OVER, last.backlog);
    maintenance_clear(&last);
    if (busy)
        return refuse(job, "There is a maintenance already; end it before starting another one.");
    if (ending)
        return refuse(job, "The last maintenance is just ending; try again in a moment.");
    bool now = maintenance->start_at <= db_now(db);
    maintenance->state = now ? MAINTENANCE_STARTING : MAINTENANCE_SCHEDULED;
    struct stmt *add = db_prepare(db, "INSERT INTO maintenance (state, message, start_at, "
                                      "expected_end_at, started_at) VALUES (?, ?, ?, ?, ?) "
                                      "RETURNING id");
    db_bind_int(add, 1, maintenance->state);
    db_bind_text(add, 2, maintenance->message);
    db_bind_int(add, 3, maintenance->start_at);
    db_bind_opt(add, 4, maintenance->expected_end_at, DATE_NONE);
    db_bind_opt(add, 5, now ? db_now(db) : DATE_NONE, DATE_NONE);
    maintenance->id = db_insert(add);
    tx_note(db_tx(db), (struct change){ CHANGE_MAINTENANCE });
    return true;
}

bool maintenance_end(struct job *job, struct db *db, struct maintenance *out)
{
    if (!maintenance_load(db, out) || maintenance_ended_state(out->state) == MAINTENANCE_OVER)
        return refuse(job, "There is no maintenance to end.");
    return maintenance_move(db, out, maintenance_ended_state(out->state), 0);
}

bool maintenance_move(struct db *db, const struct maintenance *maintenance,
                      enum maintenance_state to, int64_t backlog)
{
    bool ends = to == MAINTENANCE_ENDING || to == MAINTENANCE_CANCELLED;
    if (!maintenance_may_become(maintenance->state, to))
        bug("a maintenance goes from state %d to %d", (int)maintenance->state, (int)to);
    struct stmt *put =
        db_prepare(db, "UPDATE maintenance SET state = ?3, backlog = ?4, told = 0, "
                       "started_at = coalesce(started_at, ?5), ended_at = coalesce(ended_at, ?6) "
                       "WHERE id = ?1 AND state = ?2");
    db_bind_int(put, 1, maintenance->id);
    db_bind_int(put, 2, maintenance->state);
    db_bind_int(put, 3, to);
    db_bind_int(put, 4, backlog);
    db_bind_opt(put, 5, to == MAINTENANCE_STARTING ? db_now(db) : DATE_NONE, DATE_NONE);
    db_bind_opt(put, 6, ends ? db_now(db) : DATE_NONE, DATE_NONE);
    db_run(db, put);
    if (db_failed(db) || db_changes(db) != 1)
        return false;
    tx_note(db_tx(db), (struct change){ CHANGE_MAINTENANCE });
    return true;
}

/* ---- telling ---- */

static const struct event_type *type_of(enum maintenance_state state)
{
    if (state == MAINTENANCE_STARTING)
        return catalog_type("system.maintenance_started");
    return state == MAINTENANCE_ENDING ? catalog_type("system.maintenance_ended") : NULL;
}

/* How many postbacks of it may go out at once; -1: nobody wants it. */
static int64_t wanted_by(struct db *db, int64_t account, const struct event_type *type)
{
    size_t count;
    int64_t at_once = -1;
    const struct route *routes = routes_of(db, account, &count);
    for (size_t i = 0; i < count; i++) {
        if (!route_wants(&routes[i], type))
            continue;
        at_once = at_once == -1 ? 0 : at_once;
        at_once += routes[i].active && routes[i].delay_ms == 0;
    }
    return at_once;
}

static int64_t publish(struct job *job, struct db *db, const struct maintenance *maintenance,
                       int64_t account)
{
    const struct event_type *type = type_of(maintenance->state);
    int64_t at_once = type != NULL ? wanted_by(db, account, type) : -1;
    if (at_once == -1)
        return 0;
    struct buf data = { 0 };
    maintenance_data(&data, maintenance, ledger_pending(db, account, 0));
    struct event *event = event_new(account, type, db_now(db), 0, buf_text(&data), data.len);
    event_publish(job, db, event);
    event_unref(event);
    buf_free(&data);
    return at_once;
}

struct addressee {
    int64_t account;
    char *email;
};

/* Read whole before anything is written: the notices are of the same transaction. */
static int next_accounts(struct db *db, int64_t after, int most, struct addressee *out)
{
    int count = 0;
    struct stmt *list = db_prepare(db, "SELECT id, email FROM account WHERE id > ? AND active = 1 "
                                       "ORDER BY id LIMIT ?");
    db_bind_int(list, 1, after);
    db_bind_int(list, 2, most);
    while (count < most && db_step(list) == DB_ROW) {
        out[count].account = db_int(list, 0);
        out[count++].email = db_copy(list, 1);
    }
    db_finish(list);
    return count;
}

/* False: it is in another state by now, or somebody else has told these. */
static bool set_told(struct db *db, const struct maintenance *maintenance, int64_t before)
{
    struct stmt *put = db_prepare(db, "UPDATE maintenance SET told = ?3 WHERE id = ?1 AND state = "
                                      "?2 AND told = ?4");
    db_bind_int(put, 1, maintenance->id);
    db_bind_int(put, 2, maintenance->state);
    db_bind_int(put, 3, maintenance->told);
    db_bind_int(put, 4, before);
    db_run(db, put);
    return !db_failed(db) && db_changes(db) == 1;
}

int64_t maintenance_tell(struct job *job, struct db *db, struct maintenance *maintenance, int most)
{
    struct maintenance_telling telling = maintenance_telling(maintenance->state);
    struct addressee *to = must_alloc((size_t)most * sizeof(*to));
    int64_t at_once = 0, before = maintenance->told;
    int count = next_accounts(db, before, most, to);
    maintenance->told = count < most ? INT64_MAX : to[count - 1].account;
    bool still = set_told(db, maintenance, before);
    struct buf text = { 0 };
    maintenance_text(&text, maintenance);
    for (int i = 0; i < count; i++) {
        if (still) {
            notice_add(db, to[i].account, telling.kind, buf_text(&text));
            at_once += publish(job, db, maintenance, to[i].account);
            letter_add(db, to[i].email, telling.title, buf_text(&text));
        }
        free(to[i].email);
    }
    buf_free(&text);
    free(to);
    return still ? at_once : -1;
}

/* ---- what is left ---- */

size_t maintenance_left(struct db *db, int64_t until, struct backlog **out)
{
    size_t count = 0, cap = 0;
    struct stmt *list = db_prepare(
        db, SQL_WAITING "SELECT w.notification, (SELECT count(*) FROM postback p WHERE "
                        "p.notification = w.notification AND p.state = 1 AND p.due_at <= ?) "
                        "FROM waiting w JOIN notification n ON n.id = w.notification "
                        "WHERE n.state = 0");
    *out = NULL;
    db_bind_int(list, 1, until);
    while (db_step(list) == DB_ROW) {
        struct backlog left = { .notification = db_int(list, 0), .left = db_int(list, 1) };
        if (left.left == 0)
            continue;
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            *out = must_resize(*out, cap * sizeof(**out));
        }
        (*out)[count++] = left;
    }
    db_finish(list);
    return count;
}
