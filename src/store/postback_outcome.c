/* postback_outcome.c — what happened to a postback, written.
 *
 * One that went straight to a lane has no row yet.  Delivered at the first try it gets it here, and
 * that row holds what an attempt's would; so the usual road is one insert.  Whatever else happened
 * to it, the row is added as it is now.  Should it be there all the same (an account has cancelled
 * it meanwhile, say) the insert does nothing, and the row is changed as any other.
 *
 * What tells whether a row was added is asked for once for many (postback_record_begin()), since a
 * database on another machine costs a wait for each question.
 *
 * The rule: DELIVERED, CANCELLED and EXPIRED are final.  Every UPDATE here names the states that it
 * may change, so an outcome that comes late cannot bring a cancelled postback back.
 */
#include "store/direct.h"
#include "store/ledger.h"
#include "store/postbacks.h"
#include "store/quotas.h"

#include <stdio.h>

enum { DELIVERED_BODY_MAX = 256 }; /* bytes kept of the answer to a delivered attempt */

static size_t body_kept(const struct attempt *attempt, enum verdict verdict)
{
    bool cut = verdict == VERDICT_DELIVERED && attempt->body_len > DELIVERED_BODY_MAX;
    return cut ? DELIVERED_BODY_MAX : attempt->body_len;
}

static int64_t attempt_ended_at(const struct attempt *attempt)
{
    return attempt->started_at + attempt->duration_us / 1000;
}

/* due_at: when it is tried again, which is when the rest that the answer asked for is over. */
static void write_attempt(struct db *db, int64_t postback, const struct attempt *attempt,
                          enum verdict verdict, int64_t due_at)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO attempt (postback, number, revision, started_at, duration_us, verdict, "
            "error, detail, status, headers, body, body_bytes, "
            "rest_until) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    db_bind_int(add, 1, postback);
    db_bind_int(add, 2, attempt->number);
    db_bind_int(add, 3, attempt->revision);
    db_bind_int(add, 4, attempt->started_at);
    db_bind_int(add, 5, attempt->duration_us);
    db_bind_int(add, 6, verdict);
    db_bind_int(add, 7, attempt->error);
    db_bind_text(add, 8, attempt->detail[0] != '\0' ? attempt->detail : NULL);
    db_bind_int(add, 9, attempt->status);
    db_bind_bytes(add, 10, attempt->headers, attempt->headers_len);
    db_bind_bytes(add, 11, attempt->body, body_kept(attempt, verdict));
    db_bind_int(add, 12, (int64_t)attempt->body_len);
    db_bind_opt(add, 13, attempt->retry_after_ms >= 0 ? due_at : -1, -1);
    db_run(db, add);
}

static int64_t bytes_of(struct db *db, const struct postback *postback)
{
    if (postback->event != NULL)
        return (int64_t)postback->event->data_len + QUOTA_POSTBACK_BYTES;
    struct stmt *find = db_prepare(db, "SELECT event FROM postback WHERE id = ?");
    db_bind_int(find, 1, postback->id);
    return quota_event_bytes(db, db_number(find, 0));
}

/* ---- of one without a row ---- */

/* The parameters that every new row has. */
static void bind_row(struct stmt *add, const struct postback *postback)
{
    db_bind_int(add, 1, postback->id);
    db_bind_int(add, 2, notification_bucket(postback->notification));
    db_bind_int(add, 3, postback->event->account);
    db_bind_int(add, 4, postback->notification);
    db_bind_int(add, 5, postback->event->id);
}

/* Delivered at the first try it needs no row for the attempt. */
static bool is_straight(const struct postback *postback, const struct attempt *attempt,
                        enum verdict verdict)
{
    return verdict == VERDICT_DELIVERED && !postback->written && attempt->number == 1 &&
           attempt->detail[0] == '\0';
}

/* With its attempt. */
static struct stmt *add_delivered(struct db *db, const struct postback *postback,
                                  const struct attempt *attempt)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO postback (id, bucket, account, notification, event, state, attempts, "
            "due_at, finished_at, last_status, first_revision, first_started_at, "
            "first_duration_us, first_headers, first_body, first_body_bytes) "
            "VALUES (?, ?, ?, ?, ?, 2, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    bind_row(add, postback);
    db_bind_int(add, 6, postback->due_at);
    db_bind_int(add, 7, attempt_ended_at(attempt));
    db_bind_int(add, 8, attempt->status);
    db_bind_int(add, 9, attempt->revision);
    db_bind_int(add, 10, attempt->started_at);
    db_bind_int(add, 11, attempt->duration_us);
    db_bind_bytes(add, 12, attempt->headers, attempt->headers_len);
    db_bind_bytes(add, 13, attempt->body, body_kept(attempt, VERDICT_DELIVERED));
    db_bind_int(add, 14, (int64_t)attempt->body_len);
    return add;
}

static struct stmt *add_failed(struct db *db, const struct postback *postback,
                               const struct attempt *attempt, const char *reason, int64_t due_at)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO postback (id, bucket, account, notification, event, state, "
                       "attempts, due_at, last_status, last_error) VALUES (?, ?, ?, ?, ?, 1, ?, ?, "
                       "?, ?) ON CONFLICT DO NOTHING");
    bind_row(add, postback);
    db_bind_int(add, 6, attempt->number);
    db_bind_int(add, 7, due_at);
    db_bind_opt(add, 8, attempt->status, 0);
    db_bind_text(add, 9, reason);
    return add;
}

/* ---- of one with a row ---- */

static struct stmt *set_delivered(struct db *db, bool ended, const struct postback *postback,
                                  const struct attempt *attempt)
{
    static const char *const texts[] = {
        "UPDATE postback SET state = 2, attempts = ?2, last_status = ?3, last_error = NULL, "
        "finished_at = ?4 WHERE id = ?1 AND state <= 1",
        /* Cancelled while it was under way: it did arrive. */
        "UPDATE postback SET state = 2, attempts = ?2, last_status = ?3, last_error = NULL, "
        "finished_at = ?4 WHERE id = ?1 AND state IN (3, 4)",
    };
    struct stmt *put = db_prepare(db, texts[ended]);
    db_bind_int(put, 1, postback->id);
    db_bind_int(put, 2, attempt->number);
    db_bind_int(put, 3, attempt->status);
    db_bind_int(put, 4, attempt_ended_at(attempt));
    return put;
}

static struct stmt *set_failed(struct db *db, bool ended, const struct postback *postback,
                               const struct attempt *attempt, const char *reason, int64_t due_at)
{
    static const char *const texts[] = {
        "UPDATE postback SET state = 1, attempts = ?2, last_status = ?3, last_error = ?4, "
        "due_at = ?5 WHERE id = ?1 AND state <= 1 AND attempts < ?2",
        "UPDATE postback SET attempts = ?2, last_status = ?3, last_error = ?4 "
        "WHERE id = ?1 AND state IN (3, 4)",
    };
    struct stmt *put = db_prepare(db, texts[ended]);
    db_bind_int(put, 1, postback->id);
    db_bind_int(put, 2, attempt->number);
    db_bind_opt(put, 3, attempt->status, 0);
    db_bind_text(put, 4, reason);
    if (!ended)
        db_bind_int(put, 5, due_at);
    return put;
}

static bool has_changed(struct db *db, struct stmt *put)
{
    db_run(db, put);
    return db_changes(db) == 1;
}

/* ---- */

static void begin_delivered(struct db *db, const struct postback *postback,
                            const struct attempt *attempt, int64_t due_at, int64_t *added)
{
    if (!postback->written)
        postback_write(db, postback); /* to be changed as any other, if it is not there */
    write_attempt(db, postback->id, attempt, VERDICT_DELIVERED, due_at);
    db_run_counted(db, set_delivered(db, false, postback, attempt), added);
}

static void begin_failed(struct db *db, const struct postback *postback,
                         const struct attempt *attempt, enum verdict verdict, int64_t due_at,
                         int64_t *added)
{
    char reason[ATTEMPT_REASON_TEXT];
    attempt_reason(reason, sizeof(reason), attempt);
    write_attempt(db, postback->id, attempt, verdict, due_at);
    ledger_count(db, postback->notification, 0, 1);
    db_run_counted(db,
                   postback->written ? set_failed(db, false, postback, attempt, reason, due_at)
                                     : add_failed(db, postback, attempt, reason, due_at),
                   added);
}

void postback_record_begin(struct db *db, const struct postback *postback,
                           const struct attempt *attempt, enum verdict verdict, int64_t due_at,
                           int64_t *added)
{
    if (is_straight(postback, attempt, verdict))
        db_run_counted(db, add_delivered(db, postback, attempt), added);
    else if (verdict == VERDICT_DELIVERED)
        begin_delivered(db, postback, attempt, due_at, added);
    else
        begin_failed(db, postback, attempt, verdict, due_at, added);
}

static void end_delivered(struct db *db, const struct postback *postback,
                          const struct attempt *attempt, int64_t due_at, int64_t added)
{
    if (added == 0 && is_straight(postback, attempt, VERDICT_DELIVERED)) { /* there is a row */
        begin_delivered(db, postback, attempt, due_at, &added);
        db_await(db);
    }
    if (added == 1)
        ledger_pend(db, postback->notification, -1, -bytes_of(db, postback));
    if (added == 1 || has_changed(db, set_delivered(db, true, postback, attempt)))
        ledger_count(db, postback->notification, 1, 0);
}

static void end_failed(struct db *db, const struct postback *postback,
                       const struct attempt *attempt, int64_t due_at, int64_t added)
{
    char reason[ATTEMPT_REASON_TEXT];
    if (added == 1)
        return;
    attempt_reason(reason, sizeof(reason), attempt);
    if (!postback->written &&
        has_changed(db, set_failed(db, false, postback, attempt, reason, due_at)))
        return;
    db_run(db, set_failed(db, true, postback, attempt, reason, due_at));
}

void postback_record_end(struct db *db, const struct postback *postback,
                         const struct attempt *attempt, enum verdict verdict, int64_t due_at,
                         int64_t added)
{
    if (verdict == VERDICT_DELIVERED)
        end_delivered(db, postback, attempt, due_at, added);
    else
        end_failed(db, postback, attempt, due_at, added);
}

void postback_record(struct db *db, const struct postback *postback, const struct attempt *attempt,
                     enum verdict verdict, int64_t due_at)
{
    int64_t added;
    postback_record_begin(db, postback, attempt, verdict, due_at, &added);
    db_await(db);
    postback_record_end(db, postback, attempt, verdict, due_at, added);
}

/* It has a row. */
static void park_row(struct db *db, const struct postback *postback)
{
    struct stmt *put =
        db_prepare(db, "UPDATE postback SET state = 1, due_at = ? WHERE id = ? AND state = 0");
    db_bind_int(put, 1, postback->due_at);
    db_bind_int(put, 2, postback->id);
    db_run(db, put);
}

void postback_park(struct db *db, const struct postback *postback)
{
    if (postback->written) {
        park_row(db, postback);
        return;
    }
    struct stmt *add = db_prepare(
        db, "INSERT INTO postback (id, bucket, account, notification, event, state, due_at) "
            "VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (id) DO UPDATE SET state = 1, "
            "due_at = excluded.due_at WHERE postback.state = 0");
    bind_row(add, postback);
    db_bind_int(add, 6, postback->due_at);
    db_run(db, add);
}

void postback_write(struct db *db, const struct postback *postback)
{
    direct_write(db,
                 &(struct direct){ .id = postback->id,
                                   .notification = postback->notification,
                                   .event = postback->event->id,
                                   .account = postback->event->account },
                 POSTBACK_FRESH);
}
