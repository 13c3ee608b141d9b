/* ordered_turns.c — an array of what this transaction writes for Ordered notifications, in the
 * order in which it came; before the commit it is sorted by notification and written.
 *
 * The rule: an id of such a notification is drawn under the lock of its row, above the newest that
 * stands there.
 */
#include "store/ordered_turns.h"

#include "base/fail.h"
#include "db/tx.h"
#include "model/notification.h"
#include "store/memories.h"
#include "store/routes.h"

#include <stdlib.h>

struct entry {
    struct ordered_postback postback;
    size_t place; /* among those of this transaction */
    bool drawn;   /* its id has been, by ordered_new_id(): its row is there */
};

enum { ENTRIES_KEPT = 4096 };

struct turns {
    struct entry *entries;
    size_t count, cap;
};

static void clear(void *memory)
{
    free(((struct turns *)memory)->entries);
}

static struct turns *of(struct db *db)
{
    return db_memory(db, MEMORY_ORDERED);
}

static void add(struct db *db, const struct ordered_postback *postback, bool drawn)
{
    struct turns *turns = of(db);
    if (turns->count == turns->cap) {
        turns->cap = turns->cap == 0 ? 64 : turns->cap * 2;
        turns->entries = must_resize(turns->entries, turns->cap * sizeof(*turns->entries));
    }
    turns->entries[turns->count] =
        (struct entry){ .postback = *postback, .place = turns->count, .drawn = drawn };
    turns->count++;
}

void ordered_write(struct db *db, const struct ordered_postback *postback)
{
    add(db, postback, false);
}

/* ---- the rows with the newest ids ---- */

/* Locks it to the end of the transaction. */
static void lock(struct db *db, int64_t notification)
{
    struct stmt *put = db_prepare(db, "INSERT INTO ordered_turn (notification, last) VALUES (?, 0) "
                                      "ON CONFLICT (notification) DO UPDATE SET "
                                      "last = ordered_turn.last");
    db_bind_int(put, 1, notification);
    db_run(db, put);
}

/* Those of others in between do no harm: their ids are somewhat higher too. */
static void rise_above(struct db *db, int64_t first, int64_t last)
{
    struct stmt *find = db_prepare(db, "SELECT max(last) FROM ordered_turn WHERE notification "
                                       "BETWEEN ? AND ?");
    db_bind_int(find, 1, first);
    db_bind_int(find, 2, last);
    db_seen_id(db, db_number(find, 0));
}

static void leave_newest(struct db *db, int64_t notification)
{
    struct stmt *put = db_prepare(db, "UPDATE ordered_turn SET last = ? WHERE notification = ?");
    db_bind_int(put, 1, db_newest_id(db));
    db_bind_int(put, 2, notification);
    db_run(db, put);
}

int64_t ordered_new_id(struct db *db, int64_t account, int64_t notification)
{
    struct turns *turns = of(db);
    if (!db_is_remote(db) || !route_is_ordered(db, account, notification))
        return db_new_id(db);
    const struct entry *last = turns->count > 0 ? &turns->entries[turns->count - 1] : NULL;
    if (last == NULL || !last->drawn || last->postback.notification != notification) {
        lock(db, notification);
        rise_above(db, notification, notification);
        add(db, &(struct ordered_postback){ .notification = notification }, true);
    }
    return db_new_id(db);
}

/* ---- before the commit ---- */

static int by_notification(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int64_t one = left->postback.notification, other = right->postback.notification;
    if (one != other)
        return one > other ? 1 : -1;
    return (left->place > right->place) - (left->place < right->place);
}

static void write_row(struct db *db, const struct ordered_postback *postback)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO postback (id, bucket, account, notification, "
                       "event, state, due_at, resent) VALUES (?, ?, ?, ?, ?, 1, ?, 0)");
    db_bind_int(add, 1, db_new_id(db));
    db_bind_int(add, 2, notification_bucket(postback->notification));
    db_bind_int(add, 3, postback->account);
    db_bind_int(add, 4, postback->notification);
    db_bind_int(add, 5, postback->event);
    db_bind_int(add, 6, postback->due_at);
    db_run(db, add);
}

static bool is_first(const struct turns *turns, size_t i)
{
    return i == 0 ||
           turns->entries[i].postback.notification != turns->entries[i - 1].postback.notification;
}

static void write_all(struct db *db)
{
    struct turns *turns = of(db);
    if (turns->count == 0)
        return;
    qsort(turns->entries, turns->count, sizeof(*turns->entries), by_notification);
    for (size_t i = 0; i < turns->count; i++) {
        if (is_first(turns, i))
            lock(db, turns->entries[i].postback.notification);
    }
    rise_above(db, turns->entries[0].postback.notification,
               turns->entries[turns->count - 1].postback.notification);
    for (size_t i = 0; i < turns->count; i++) {
        if (!turns->entries[i].drawn)
            write_row(db, &turns->entries[i].postback);
    }
    for (size_t i = 0; i < turns->count; i++) {
        if (is_first(turns, i))
            leave_newest(db, turns->entries[i].postback.notification);
    }
}

static size_t mark(struct db *db)
{
    return of(db)->count;
}

static void undo(struct db *db, size_t to)
{
    of(db)->count = to;
}

static void committed(struct db *db)
{
    struct turns *turns = of(db);
    turns->count = 0;
    if (turns->cap > ENTRIES_KEPT) {
        free(turns->entries);
        *turns = (struct turns){ 0 };
    }
}

const struct db_memory ordered_turns_memory = {
    .size = sizeof(struct turns),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .before_commit = write_all,
    .committed = committed,
};
