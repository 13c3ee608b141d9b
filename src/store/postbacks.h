/* postbacks.h — postbacks and their attempts on disk: the delivery queue and the log. */
#ifndef POSTBACKD_POSTBACKS_H
#define POSTBACKD_POSTBACKS_H

#include "db/store.h"
#include "model/attempt.h"
#include "model/postback.h"
#include "model/wait.h"

#include <jansson.h>

/* ---- the queue, for the engine (write jobs) ---- */

/* The outcome of one attempt: its row, and the postback's next state (DELIVERED, or WAITING until
 * due_at).  A delivered attempt keeps 256 bytes of the answer's body, a failed one all it has.
 * A postback that was cancelled meanwhile stays cancelled unless it was delivered. */
void postback_record(struct db *db, const struct postback *postback, const struct attempt *attempt,
                     enum verdict verdict, int64_t due_at);
/* The same of many at once, with one wait for all: begin each, db_await(), end each.  *added
 * belongs to the two in between. */
void postback_record_begin(struct db *db, const struct postback *postback,
                           const struct attempt *attempt, enum verdict verdict, int64_t due_at,
                           int64_t *added);
void postback_record_end(struct db *db, const struct postback *postback,
                         const struct attempt *attempt, enum verdict verdict, int64_t due_at,
                         int64_t added);
/* WAITING, due at its due_at, with no attempt made (its lane was full, held, down), unless that one
 * of memory has ended. */
void postback_park(struct db *db, const struct postback *postback);
/* FRESH, unless it has a row: it is out for so long that the log should show it. */
void postback_write(struct db *db, const struct postback *postback);
/* At a start: what is undelivered and was in this server's memory becomes WAITING; gives how many.
 * It is looked for from its floor on (direct.h), which then rises. */
int64_t postback_recover(struct db *db);
/* The same for any node (db_node()) of a shared database, which has ended, or been fenced in this
 * transaction: its floor goes.  Who sends them is told (CHANGE_WAITING). */
int64_t postback_recover_node(struct db *db, int node);
/* Cancels every undelivered postback of a notification (it is being deleted); gives how many. */
int64_t postback_cancel_all(struct db *db, int64_t notification);

/* ---- the queue (read jobs) ---- */

/* WAITING postbacks of a notification due at now, oldest due first, with their events: appended
 * to `out` (struct postback.in), leaving out the `skip` ids, at most `limit`, and none behind a
 * megabyte of events.  *next_due: when the first one after these is due, or -1.  `probing`: also
 * tried and failed ones that are not due yet (a down destination's probe is the oldest of them),
 * but for those whose answer named its own time by Retry-After. */
size_t postback_due(struct db *db, int64_t notification, int64_t now_ms, bool probing,
                    const int64_t *skip, size_t skip_count, size_t limit, struct list *out,
                    int64_t *next_due);
/* The same for an Ordered notification: in order of ids, beginning with *from (0: with the first
 * that waits), up to one that is not due, however many behind it are.  *from: where to go on. */
size_t postback_due_in_order(struct db *db, int64_t notification, int64_t now_ms, bool probing,
                             int64_t *from, size_t limit, struct list *out, int64_t *next_due);
/* Tried and failed postbacks of a notification that wait for a later time are due since they were
 * made, so that the oldest comes first (since now, if they have failed more often than
 * POSTBACK_WAKE_FIRST_TRIES times), but for those whose answer named the time: its destination is
 * down or back, or its owner resumed or changed it.  Looks at the next POSTBACK_WAKE_MAX waiting
 * rows only, so that the writer is not held up; the rest comes at its own time. */
enum { POSTBACK_WAKE_MAX = 10000, POSTBACK_WAKE_FIRST_TRIES = 5 };
void postback_wake(struct db *db, int64_t notification, int64_t now_ms);
/* The notifications with WAITING rows, as `waiting (notification)`: to begin a statement with.  One
 * step of the index a notification, however many rows each has; the last row is NULL. */
#define SQL_WAITING                                                                                \
    "WITH RECURSIVE waiting (notification) AS ("                                                   \
    "SELECT (SELECT notification FROM postback WHERE state = 1 AND notification > 0 "              \
    "ORDER BY notification LIMIT 1) "                                                              \
    "UNION ALL SELECT (SELECT p.notification FROM postback p WHERE p.state = 1 AND "               \
    "p.notification > w.notification ORDER BY p.notification LIMIT 1) FROM waiting w "             \
    "WHERE w.notification IS NOT NULL) "
/* For each notification with WAITING rows: its id and earliest due time. */
struct waiting {
    int64_t notification, due_at;
};
size_t postback_waiting(struct db *db, struct waiting **out /* the caller frees */);

/* ---- what accounts do ---- */

/* WAITING and due now.  ERROR_NOT_FOUND, or ERROR_CONFLICT when it is not waiting, or waits for
 * another one of an Ordered notification. */
bool postback_retry(struct job *job, struct db *db, int64_t account, int64_t id,
                    int64_t *notification);
/* A new postback of the same event to the same notification, written WAITING and due now (whatever
 * the old one's state).  Sets *new_id. */
bool postback_resend(struct job *job, struct db *db, int64_t account, int64_t id, int64_t *new_id);
bool postback_cancel(struct job *job, struct db *db, int64_t account, int64_t id);

/* One of these, of many postbacks.  A resend is refused here to one that has not ended: it goes out
 * anyway (ERROR_CONFLICT).  *new_id: of a resend, else 0. */
enum postback_action { POSTBACK_RETRY, POSTBACK_RESEND, POSTBACK_CANCEL, POSTBACK_ACTIONS };
bool postback_act(struct job *job, struct db *db, int64_t account, int64_t id,
                  enum postback_action action, int64_t *new_id);

/* ---- the log ---- */

struct postback_filter { /* 0, -1 or NULL: any */
    int64_t id;          /* the webhook-id */
    int64_t notification, inquiry, action;
    const struct event_type *type;
    int state; /* enum postback_state; -1: any */
    /* Of the inquiry or action that it tells of.  Where the account has none of that order, what is
     * in the events' data is looked at, under the bound of a page.  Borrowed, as is `error`. */
    const char *order;
    /* Of the last answer: from <= x <= until, 0: any; POSTBACK_NO_ANSWER: the last attempt had
     * none. */
    int status_from, status_until;
    /* In why the last attempt failed, as code or in words, in any case; "": that it failed. */
    const char *error;
    int64_t from, until; /* ms, when created: from <= x < until; 0: any */
    int64_t before;      /* ids under it: the cursor; 0: from the newest */
    int limit;
};
enum { POSTBACK_NO_ANSWER = -1 };
/* Newest first, the API's objects; *next: the cursor of the next page, 0 at the end.  The work for
 * a page is bounded: where few rows match, a page may be short, even empty, with more to come
 * behind *next.  Every scalar is a string, "" when empty. */
json_t *postback_list(struct db *db, int64_t account, const struct postback_filter *filter,
                      int64_t *next);

/* How many match, of the next POSTBACKS_COUNTED that are looked at; *next: where to go on, 0 at the
 * end. */
enum { POSTBACKS_COUNTED = 20000 };
int64_t postback_count(struct db *db, int64_t account, const struct postback_filter *filter,
                       int64_t *next);

/* What the rows know of those of these objects (postback_list(), postback_show()) that wait, in
 * their order; gives how many.  The rest of the facts is the engine's. */
struct postback_wait {
    int64_t id, notification;
    struct wait_facts facts;
};
size_t postback_waits(struct db *db, int64_t account, const json_t *postbacks,
                      struct postback_wait **out /* the caller frees */);

/* One postback with its attempts (the last POSTBACK_ATTEMPTS_SHOWN), each with its request (rebuilt
 * from its revision, secrets hidden) and its answer.  NULL: not found. */
enum { POSTBACK_ATTEMPTS_SHOWN = 100 };
json_t *postback_show(struct db *db, int64_t account, const char *account_sid, int64_t id);

/* The attempts of one postback of the account, first to last, in short: a row of a file each. */
json_t *attempt_list(struct db *db, int64_t account, int64_t postback);
/* The oldest there is, of anybody; 0: none. */
int64_t postback_oldest(struct db *db);

/* Counts of a notification: Pending, OldestDueDate, Delivered, FailedAttempts (exact; kept with the
 * rows), and LastDeliveredDate.  NULL: not this account's. */
json_t *postback_health(struct db *db, int64_t account, int64_t notification);

/* How people see a state: DELIVERING for FRESH, else postback_state_name(). */
const char *postback_shown_state(enum postback_state state);
bool postback_shown_state_named(const char *name, enum postback_state *state);

#endif
