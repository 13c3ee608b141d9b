/* postbacks.h — postbacks and their attempts on disk: the delivery queue and the log. */
#ifndef POSTBACKD_POSTBACKS_H
#define POSTBACKD_POSTBACKS_H

#include "model/attempt.h"
#include "model/postback.h"
#include "store/store.h"

#include <jansson.h>

/* ---- the queue, for the engine (write jobs) ---- */

/* The outcome of one attempt: its row, and the postback's next state (DELIVERED, or WAITING until
 * due_at).  A delivered attempt keeps 256 bytes of the answer's body, a failed one all it has.
 * A postback that was cancelled meanwhile stays cancelled unless it was delivered. */
void postback_record(struct db *db, const struct postback *postback, const struct attempt *attempt,
                     enum verdict verdict, int64_t due_at);
/* FRESH to WAITING, due at its due_at, with no attempt made (its lane was full, held, down). */
void postback_park(struct db *db, const struct postback *postback);
/* Undelivered rows from before a restart become WAITING; gives how many.  FRESH rows are looked
 * for from the floor that postback_floor() last wrote. */
int64_t postback_recover(struct db *db);
/* No FRESH row is older than this id. */
void postback_floor(struct db *db, int64_t id);

/* ---- the queue (read jobs) ---- */

/* WAITING postbacks of a notification due at now, oldest due first, with their events: appended
 * to `out` (struct postback.in), at most `limit`, leaving out the `skip` ids.  *next_due: when the
 * first one after these is due, or -1.  Ordered notifications use the same order: their due_at never moves. */
size_t postback_due(struct db *db, int64_t notification, int64_t now_ms, const int64_t *skip,
                    size_t skip_count, size_t limit, struct list *out, int64_t *next_due);
/* For each notification with WAITING rows: its id and earliest due time. */
struct waiting {
    int64_t notification, due_at;
};
size_t postback_waiting(struct db *db, struct waiting **out /* the caller frees */);

/* ---- what accounts do ---- */

/* WAITING and due now.  ERROR_NOT_FOUND, or ERROR_CONFLICT when it is not waiting. */
bool postback_retry(struct job *job, struct db *db, int64_t account, int64_t id, int64_t *notification);
/* A new postback of the same event to the same notification, written WAITING and due now (whatever
 * the old one's state).  Sets *new_id and *notification. */
bool postback_resend(struct job *job, struct db *db, int64_t account, int64_t id, int64_t *new_id,
                     int64_t *notification);
bool postback_cancel(struct job *job, struct db *db, int64_t account, int64_t id, int64_t *notification);

/* ---- the log ---- */

struct postback_filter { /* 0, -1 or NULL: any */
    int64_t notification, inquiry;
    const struct event_type *type;
    int state;             /* enum postback_state; -1: any */
    int64_t from, until;   /* ms, when created: from <= x < until; 0: any */
    int64_t before;        /* ids under it: the cursor; 0: from the newest */
    int limit;
};
/* Newest first, the API's objects; *next: the cursor of the next page, 0 at the end. */
json_t *postback_list(struct db *db, int64_t account, const struct postback_filter *filter, int64_t *next);

/* One postback with all its attempts, each with its request (rebuilt from its revision, secrets
 * hidden) and its answer.  NULL: not found. */
json_t *postback_show(struct db *db, int64_t account, const char *account_sid, int64_t id);

/* Counts of a notification: pending, oldest due, delivered and failed attempts. */
json_t *postback_health(struct db *db, int64_t account, int64_t notification);

#endif
