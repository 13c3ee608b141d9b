/* postbacks.c — the delivery queue on disk: what is due, and what becomes of many at once.
 *
 * Rows are found by id, or through the partial index of those that WAIT, in the order
 * (notification, due_at, id).  A FRESH row is in no index: it is in the memory of the engine, or
 * behind the floor for postback_recover() to find, as is one that has no row yet (direct.h).
 *
 * An Ordered notification's are looked for in order of ids, among its ended ones; the caller knows
 * from where on.
 *
 * The rule: DELIVERED, CANCELLED and EXPIRED are final.  Every UPDATE here names the states that it
 * may change, so an outcome that comes late cannot bring a cancelled postback back.
 */
#include "store/postbacks.h"

#include "base/fail.h"
#include "base/id.h"
#include "base/log.h"
#include "store/direct.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/quotas.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DUE_WALK_MAX = 1000,           /* rows not due yet that a probe looks at for a tried one */
    ORDER_WALK_MAX = 10000,        /* rows that have ended between two of an Ordered notification */
    READ_BYTES_MOST = 1024 * 1024, /* of the events of one read: then it is as at its limit */
};

_Static_assert(POSTBACK_FRESH == 0 && POSTBACK_WAITING == 1 && POSTBACK_DELIVERED == 2 &&
                   POSTBACK_CANCELLED == 3 && POSTBACK_EXPIRED == 4,
               "the numbers in the SQL texts");

/* ---- all at once ---- */

/* Those that one node made. */
static int64_t recover_rows(struct db *db, int node, int64_t floor)
{
    int64_t count = 0;
    struct stmt *put =
        db_prepare(db, "UPDATE postback SET state = 1 WHERE id >= ?1 AND state = 0 AND "
                       "(?2 < 0 OR ((id >> 12) & 1023) = ?2) RETURNING notification, account");
    db_bind_int(put, 1, floor);
    db_bind_int(put, 2, node);
    for (; db_step(put) == DB_ROW; count++)
        ledger_wait(db, db_int(put, 0), db_int(put, 1), db_due_now(db));
    db_finish(put);
    return count;
}

/* Without a row from the floor on, and FRESH. */
static int64_t recover_from(struct db *db, int node, int64_t floor)
{
    int64_t count = floor != INT64_MAX ? recover_rows(db, node, floor) : 0;
    return count + direct_make_wait(db, node, floor);
}

int64_t postback_recover_node(struct db *db, int node)
{
    int64_t count = recover_from(db, node, direct_floor_of(db, node));
    direct_end_floor(db, node);
    return count;
}

/* On a database that others share.  What was imported had a floor without a number. */
static int64_t recover_own(struct db *db)
{
    db_seen_id(db, event_newest(db)); /* whoever had its number before may have been ahead */
    int64_t count = recover_from(db, DIRECT_ALL, direct_end_floor(db, DIRECT_ALL));
    return count + postback_recover_node(db, db_node(db));
}

int64_t postback_recover(struct db *db)
{
    int64_t count =
        db_is_remote(db) ? recover_own(db) : recover_from(db, DIRECT_ALL, direct_floor(db));
    direct_set_floor(db, db_new_id(db)); /* all have rows now, and later ones are above it */
    return count;
}

static int64_t cancel_rows(struct db *db, int64_t notification)
{
    static const char *const texts[] = {
        "UPDATE postback SET state = 3, finished_at = ?2 WHERE notification = ?1 AND state = 1",
        "UPDATE postback SET state = 3, finished_at = ?2 WHERE notification = ?1 AND state = 0 "
        "AND id >= ?3",
    };
    int64_t count = 0;
    for (int i = 0; i < 2; i++) {
        int64_t floor = i == 1 ? direct_floor(db) : 0;
        struct stmt *put = db_prepare(db, texts[i]);
        db_bind_int(put, 1, notification);
        db_bind_int(put, 2, db_now(db));
        if (i == 1)
            db_bind_int(put, 3, floor);
        db_run(db, put);
        count += db_changes(db);
    }
    return count;
}

/* What is pending and is no row stands among the newest events. */
int64_t postback_cancel_all(struct db *db, int64_t notification)
{
    struct ledger_sum sum = ledger_sum(db, notification);
    int64_t count = cancel_rows(db, notification);
    if (count < sum.pending)
        count += direct_write_all(db, notification, POSTBACK_CANCELLED, sum.pending - count);
    ledger_pend(db, notification, (int)-count, -sum.bytes); /* none is left */
    return count;
}

/* ---- what is due ---- */

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int64_t *sorted(const int64_t *ids, size_t count)
{
    int64_t *copy = must_alloc((count + 1) * sizeof(*copy));
    if (count > 0) {
        memcpy(copy, ids, count * sizeof(*copy));
        qsort(copy, count, sizeof(*copy), by_value);
    }
    return copy;
}

/* Whether the last answer to a tried row named its own time, which is then its due time. */
#define ASKED_FOR_REST(row)                                                                        \
    "EXISTS (SELECT 1 FROM attempt a WHERE a.postback = " row ".id AND a.number = " row            \
    ".attempts AND a.rest_until IS NOT NULL)"

enum {
    DUE_AT,
    DUE_ATTEMPTS,
    DUE_EVENT,
    DUE_ACCOUNT,
    DUE_TYPE,
    DUE_OCCURRED,
    DUE_INQUIRY,
    DUE_DATA,
};

/* NULL: its event has a type that this program does not know; it stays on disk. */
static struct postback *postback_from(struct stmt *row, int64_t id, int64_t notification)
{
    const struct event_type *type = catalog_type_numbered((int)db_int(row, DUE_TYPE));
    size_t len;
    const char *data = db_bytes(row, DUE_DATA, &len);
    if (type == NULL)
        return NULL;
    struct postback *postback = postback_new();
    postback->id = id;
    postback->notification = notification;
    postback->attempts = (int)db_int(row, DUE_ATTEMPTS);
    postback->written = true;
    postback->due_at = db_int(row, DUE_AT);
    postback->waiting = true;
    postback->event = event_new(db_int(row, DUE_ACCOUNT), type, db_int(row, DUE_OCCURRED),
                                db_opt(row, DUE_INQUIRY, 0), data, len);
    postback->event->id = db_int(row, DUE_EVENT);
    return postback;
}

static struct postback *read_due(struct db *db, int64_t id, int64_t notification)
{
    struct postback *postback = NULL;
    struct stmt *find = db_prepare(db, "SELECT p.due_at, p.attempts, e.id, e.account, e.type, "
                                       "e.occurred_at, e.inquiry, e.data FROM postback p "
                                       "JOIN event e ON e.id = p.event WHERE p.id = ?");
    db_bind_int(find, 1, id);
    if (db_step(find) == DB_ROW)
        postback = postback_from(find, id, notification);
    db_finish(find);
    return postback;
}

/* One that is not due. */
static bool may_probe(struct db *db, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM postback p WHERE p.id = ? AND p.attempts > 0 "
                                       "AND NOT " ASKED_FOR_REST("p"));
    db_bind_int(find, 1, id);
    bool may = db_step(find) == DB_ROW;
    db_finish(find);
    return may;
}

struct queued { /* a row of the queue */
    int64_t id, state, due_at;
};

/* The walk is over the index alone: what is left out costs no look at its row.  Not probing, it
 * ends with the first that is not due.  The caller frees. */
static size_t read_queue(struct db *db, int64_t notification, int64_t now_ms, bool probing,
                         size_t most, struct queued **out)
{
    size_t count = 0;
    bool due = true;
    struct stmt *walk = db_prepare(db, "SELECT id, due_at FROM postback WHERE notification = ? AND "
                                       "state = 1 ORDER BY due_at, id LIMIT ?");
    *out = must_alloc(most * sizeof(**out));
    db_bind_int(walk, 1, notification);
    db_bind_int(walk, 2, (int64_t)most);
    while ((due || probing) && count < most && db_step(walk) == DB_ROW) {
        (*out)[count] = (struct queued){ .id = db_int(walk, 0), .due_at = db_int(walk, 1) };
        due = (*out)[count++].due_at <= now_ms;
    }
    db_finish(walk);
    return count;
}

size_t postback_due(struct db *db, int64_t notification, int64_t now_ms, bool probing,
                    const int64_t *skip, size_t skip_count, size_t limit, struct list *out,
                    int64_t *next_due)
{
    int64_t *skipped = sorted(skip, skip_count);
    struct queued *rows;
    size_t most = skip_count + limit + 1 + (probing ? DUE_WALK_MAX : 0);
    size_t found = read_queue(db, notification, now_ms, probing, most, &rows);
    size_t count = 0, bytes = 0;
    int walked = 0;

    *next_due = -1;
    for (size_t i = 0; i < found; i++) {
        int64_t id = rows[i].id, due_at = rows[i].due_at;
        if (bsearch(&id, skipped, skip_count, sizeof(id), by_value) != NULL)
            continue;
        bool due = due_at <= now_ms || (probing && may_probe(db, id));
        bool full = count == limit || bytes >= READ_BYTES_MOST;
        if (*next_due == -1 && (!due || full))
            *next_due = due_at;
        if (full || (!due && (!probing || ++walked > DUE_WALK_MAX)))
            break;
        struct postback *postback = due ? read_due(db, id, notification) : NULL;
        if (postback != NULL) {
            list_append(out, &postback->in);
            bytes += postback->event->data_len;
            count++;
        }
    }
    free(rows);
    free(skipped);
    return count;
}

static int64_t first_waiting(struct db *db, int64_t notification)
{
    /* Counted too, or an engine would walk all that has ended before the first that waits. */
    struct stmt *find = db_prepare(db, "SELECT min(id), count(*) FROM postback "
                                       "WHERE notification = ? AND state = 1");
    db_bind_int(find, 1, notification);
    return db_number(find, 0);
}

enum { ORDER_STEP = 256 }; /* rows read at once */

static size_t read_order(struct db *db, int64_t notification, int64_t from,
                         struct queued rows[ORDER_STEP])
{
    size_t count = 0;
    struct stmt *walk = db_prepare(db, "SELECT id, state, due_at FROM postback "
                                       "WHERE notification = ? AND id >= ? ORDER BY id LIMIT ?");
    db_bind_int(walk, 1, notification);
    db_bind_int(walk, 2, from);
    db_bind_int(walk, 3, ORDER_STEP);
    while (db_step(walk) == DB_ROW)
        rows[count++] = (struct queued){ .id = db_int(walk, 0),
                                         .state = db_int(walk, 1),
                                         .due_at = db_int(walk, 2) };
    db_finish(walk);
    return count;
}

/* A walk in order of ids: where it stands, and what it has found. */
struct order {
    int64_t notification, now_ms;
    bool probing, whole; /* whole: nothing behind it is asked for */
    size_t limit, count, bytes;
    int ended;
    struct list *out;
    int64_t from, next_due;
};

static void order_take(struct order *order, struct db *db, const struct queued *row)
{
    order->from = row->id;
    if (row->state == POSTBACK_FRESH) { /* from before it was Ordered; its outcome comes here */
        order->whole = true;
    } else if (row->state != POSTBACK_WAITING) {
        if (++order->ended > ORDER_WALK_MAX)
            order->next_due = order->now_ms;
    } else if (order->count == order->limit || order->bytes >= READ_BYTES_MOST ||
               (row->due_at > order->now_ms && !(order->probing && may_probe(db, row->id)))) {
        order->next_due = row->due_at;
    } else {
        struct postback *postback = read_due(db, row->id, order->notification);
        if (postback != NULL) {
            list_append(order->out, &postback->in);
            order->bytes += postback->event->data_len;
            order->count++;
        }
    }
    order->whole = order->whole || order->next_due != -1;
    order->from += !order->whole;
}

size_t postback_due_in_order(struct db *db, int64_t notification, int64_t now_ms, bool probing,
                             int64_t *from, size_t limit, struct list *out, int64_t *next_due)
{
    struct queued rows[ORDER_STEP];
    struct order order = { .notification = notification,
                           .now_ms = now_ms,
                           .probing = probing,
                           .limit = limit,
                           .out = out,
                           .from = *from != 0 ? *from : first_waiting(db, notification),
                           .next_due = -1 };
    order.whole = order.from == 0;
    while (!order.whole) {
        size_t count = read_order(db, notification, order.from, rows);
        for (size_t i = 0; i < count && !order.whole; i++)
            order_take(&order, db, &rows[i]);
        order.whole = order.whole || count < ORDER_STEP;
    }
    *from = order.from;
    *next_due = order.next_due;
    return order.count;
}

void postback_wake(struct db *db, int64_t notification, int64_t now_ms)
{
    /* What fails again and again is not put before all others, or a few such would keep them from
     * going out.  What a maintenance's catch-up has tried may not be due before its end again: what
     * is has not been tried for it (store/maintenance.c). */
    int64_t pause_end = db_number(db_prepare(db, "SELECT max(ended_at) + 1 FROM maintenance"), 0);
    struct stmt *put = db_prepare(
        db, "UPDATE postback SET due_at = CASE "
            "WHEN attempts > ?5 OR (id >> 22) + ?4 > ?2 OR ?6 > ?2 THEN ?2 "
            "WHEN (id >> 22) + ?4 > ?6 THEN (id >> 22) + ?4 ELSE ?6 END "
            "WHERE id IN (SELECT id FROM (SELECT id, attempts FROM "
            "postback WHERE notification = ?1 AND state = 1 AND due_at > ?2 ORDER BY due_at "
            "LIMIT ?3) soonest WHERE attempts > 0 AND NOT " ASKED_FOR_REST("soonest") ")");
    db_bind_int(put, 1, notification);
    db_bind_int(put, 2, now_ms);
    db_bind_int(put, 3, POSTBACK_WAKE_MAX);
    db_bind_int(put, 4, id_time_ms(0));
    db_bind_int(put, 5, POSTBACK_WAKE_FIRST_TRIES);
    db_bind_int(put, 6, pause_end);
    db_run(db, put);
}

size_t postback_waiting(struct db *db, struct waiting **out)
{
    size_t count = 0, cap = 0;
    struct stmt *list =
        db_prepare(db, SQL_WAITING "SELECT w.notification, (SELECT min(p.due_at) FROM postback p "
                                   "WHERE p.state = 1 AND p.notification = w.notification) "
                                   "FROM waiting w WHERE w.notification IS NOT NULL");

    *out = NULL;
    while (db_step(list) == DB_ROW) {
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            *out = must_resize(*out, cap * sizeof(**out));
        }
        (*out)[count++] =
            (struct waiting){ .notification = db_int(list, 0), .due_at = db_int(list, 1) };
    }
    db_finish(list);
    return count;
}
