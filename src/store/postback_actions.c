/* postback_actions.c — what an account does with one of its postbacks: retry, resend, cancel.
 *
 * Each looks the row up under the account that asks, so that another's is not found, and changes it
 * only from a state in which that makes sense.  The change names the state that was seen, and only
 * a row that it changed is counted: whatever happened in between is found then, and refused in the
 * words of the state that there is now.
 *
 * The rule: a resend is a new postback with an id of its own, so receivers do not drop it as a
 * duplicate, and what was delivered stays delivered.
 */
#include "db/tx.h"
#include "store/direct.h"
#include "store/ledger.h"
#include "store/notifications.h"
#include "store/ordered_turns.h"
#include "store/postbacks.h"
#include "store/quotas.h"
#include "store/routes.h"

#include <inttypes.h>

enum { ELDERS_MAX = 10000 }; /* rows looked at: the writer is not held up */

struct found {
    int64_t notification, event, bucket;
    enum postback_state state;
};

static bool find_row(struct db *db, int64_t account, int64_t id, struct found *out)
{
    struct stmt *row = db_prepare(db, "SELECT notification, event, bucket, state FROM postback "
                                      "WHERE id = ? AND account = ?");
    db_bind_int(row, 1, id);
    db_bind_int(row, 2, account);
    bool found = db_step(row) == DB_ROW;
    if (found)
        *out = (struct found){ .notification = db_int(row, 0),
                               .event = db_int(row, 1),
                               .bucket = db_int(row, 2),
                               .state = (enum postback_state)db_int(row, 3) };
    db_finish(row);
    return found;
}

/* One that is on its way and has no row yet gets it here. */
static bool find(struct job *job, struct db *db, int64_t account, int64_t id, struct found *out)
{
    struct direct direct;
    if (find_row(db, account, id, out))
        return true;
    if (direct_find(db, id, &direct) && direct.account == account &&
        direct_write(db, &direct, POSTBACK_FRESH) && find_row(db, account, id, out))
        return true;
    error_set(&job->error, ERROR_NOT_FOUND, "There is no postback %" PRId64, id);
    return false;
}

/* One that an Ordered notification sends before it, of those that are due soonest; 0: none. */
static int64_t elder_of(struct db *db, int64_t account, int64_t notification, int64_t id)
{
    if (!route_is_ordered(db, account, notification))
        return 0;
    struct stmt *find = db_prepare(
        db, "SELECT min(id) FROM (SELECT id FROM postback WHERE notification = ?1 AND state = 1 "
            "ORDER BY due_at LIMIT ?3) soonest WHERE id < ?2");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, id);
    db_bind_int(find, 3, ELDERS_MAX);
    return db_number(find, 0);
}

static bool refuse_retry(struct job *job, const struct found *found, int64_t id)
{
    error_set(&job->error, ERROR_CONFLICT,
              found->state == POSTBACK_FRESH
                  ? "Postback %" PRId64 " is on its way already"
                  : "Postback %" PRId64 " is not waiting any more; send it again with Resend",
              id);
    return false;
}

/* Where the destination is down, the first that is due is the probe. */
static int64_t before_all_others(struct db *db, int64_t notification)
{
    struct stmt *find = db_prepare(db, "SELECT due_at FROM postback WHERE notification = ? AND "
                                       "state = 1 ORDER BY due_at LIMIT 1");
    db_bind_int(find, 1, notification);
    int64_t first = db_number(find, INT64_MAX), now = db_due_now(db);
    return first <= now ? first - 1 : now;
}

bool postback_retry(struct job *job, struct db *db, int64_t account, int64_t id,
                    int64_t *notification)
{
    struct found found;
    if (!find(job, db, account, id, &found))
        return false;
    if (found.state != POSTBACK_WAITING)
        return refuse_retry(job, &found, id);
    int64_t elder = elder_of(db, account, found.notification, id);
    if (elder != 0) {
        error_set(&job->error, ERROR_CONFLICT,
                  "Postback %" PRId64 " waits for postback %" PRId64 ", as its event notification "
                  "is Ordered; retry or cancel that one",
                  id, elder);
        return false;
    }
    struct stmt *put = db_prepare(db, "UPDATE postback SET due_at = ? WHERE id = ? AND state = 1");
    db_bind_int(put, 1, before_all_others(db, found.notification));
    db_bind_int(put, 2, id);
    db_run(db, put);
    *notification = found.notification;
    if (db_changes(db) != 1)
        return find(job, db, account, id, &found) && refuse_retry(job, &found, id);
    tx_note(db_tx(db), (struct change){ CHANGE_RETRIED, account, found.notification, id });
    return true;
}

bool postback_resend(struct job *job, struct db *db, int64_t account, int64_t id, int64_t *new_id)
{
    struct found found;
    if (!find(job, db, account, id, &found))
        return false;
    if (!notification_exists(db, 0, found.notification)) {
        error_set(&job->error, ERROR_CONFLICT,
                  "The event notification of postback %" PRId64 " was deleted", id);
        return false;
    }
    if (!quota_admits(job, db, account, QUOTA_RESERVE_PERCENT))
        return false;
    *new_id = ordered_new_id(db, account, found.notification);
    struct stmt *add =
        db_prepare(db, "INSERT INTO postback (id, bucket, account, notification, event, state, "
                       "due_at, resent) VALUES (?, ?, ?, ?, ?, 1, ?, ?)");
    db_bind_int(add, 1, *new_id);
    db_bind_int(add, 2, found.bucket);
    db_bind_int(add, 3, account);
    db_bind_int(add, 4, found.notification);
    db_bind_int(add, 5, found.event);
    db_bind_int(add, 6, db_due_now(db));
    db_bind_int(add, 7, id);
    db_run(db, add);
    int64_t bytes = quota_event_bytes(db, found.event);
    ledger_pend(db, found.notification, 1, bytes);
    quota_add(db, account, 1, bytes);
    tx_count(db_tx(db), METRIC_POSTBACKS, 1);
    tx_note(db_tx(db), (struct change){ CHANGE_RESENT, account, found.notification, *new_id });
    return true;
}

static bool refuse_cancel(struct job *job, const struct found *found, int64_t id)
{
    error_set(&job->error, ERROR_CONFLICT, "Postback %" PRId64 " has ended already: %s", id,
              postback_shown_state(found->state));
    return false;
}

bool postback_cancel(struct job *job, struct db *db, int64_t account, int64_t id)
{
    struct found found;
    if (!find(job, db, account, id, &found))
        return false;
    if (!postback_may_become(found.state, POSTBACK_CANCELLED))
        return refuse_cancel(job, &found, id);
    struct stmt *put = db_prepare(db, "UPDATE postback SET state = 3, finished_at = ? "
                                      "WHERE id = ? AND state = ?");
    db_bind_int(put, 1, db_now(db));
    db_bind_int(put, 2, id);
    db_bind_int(put, 3, (int64_t)found.state);
    db_run(db, put);
    if (db_changes(db) != 1)
        return find(job, db, account, id, &found) && refuse_cancel(job, &found, id);
    ledger_pend(db, found.notification, -1, -quota_event_bytes(db, found.event));
    tx_note(db_tx(db), (struct change){ CHANGE_CANCELLED, account, found.notification, id });
    return true;
}

static bool resend_ended(struct job *job, struct db *db, int64_t account, int64_t id,
                         int64_t *new_id)
{
    struct found found;
    if (!find(job, db, account, id, &found))
        return false;
    if (found.state != POSTBACK_FRESH && found.state != POSTBACK_WAITING)
        return postback_resend(job, db, account, id, new_id);
    error_set(&job->error, ERROR_CONFLICT, "Postback %" PRId64 " has not ended: it goes out anyway",
              id);
    return false;
}

bool postback_act(struct job *job, struct db *db, int64_t account, int64_t id,
                  enum postback_action action, int64_t *new_id)
{
    int64_t notification;
    *new_id = 0;
    switch (action) {
    case POSTBACK_RETRY:
        return postback_retry(job, db, account, id, &notification);
    case POSTBACK_RESEND:
        return resend_ended(job, db, account, id, new_id);
    case POSTBACK_CANCEL:
        return postback_cancel(job, db, account, id);
    case POSTBACK_ACTIONS:
        break;
    }
    return false;
}
