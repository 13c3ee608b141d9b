/* ledger.c — a journal of changes in an array, summed up by notification at the end.
 *
 * Entries are appended; a run of them for one notification within a part is added into one, so an
 * event stream for one notification takes one entry a job.  Before the commit they are sorted and
 * merged in place.  The array is given back when a large batch made it grow.
 */
#include "store/ledger.h"

#include "base/fail.h"
#include "db/tx.h"
#include "store/memories.h"

#include <stdlib.h>

struct entry {
    int64_t notification;
    int64_t account; /* of what was written WAITING; 0: nothing was */
    int pending, delivered, failed;
    int64_t bytes;  /* of what is pending */
    int64_t due_at; /* the earliest of it; LEDGER_IDLE: none is due */
};

enum { ENTRIES_KEPT = 4096 };

struct ledger {
    struct entry *entries;
    size_t count, cap;
    size_t part; /* entries before it belong to earlier parts */
};

static void clear(void *memory)
{
    free(((struct ledger *)memory)->entries);
}

static struct ledger *ledger_of(struct db *db)
{
    return db_memory(db, MEMORY_LEDGER);
}

static struct entry *entry_for(struct db *db, int64_t notification)
{
    struct ledger *ledger = ledger_of(db);
    if (ledger->count > ledger->part &&
        ledger->entries[ledger->count - 1].notification == notification)
        return &ledger->entries[ledger->count - 1];
    if (ledger->count == ledger->cap) {
        ledger->cap = ledger->cap == 0 ? 64 : ledger->cap * 2;
        ledger->entries = must_resize(ledger->entries, ledger->cap * sizeof(*ledger->entries));
    }
    struct entry *entry = &ledger->entries[ledger->count++];
    *entry = (struct entry){ .notification = notification, .due_at = LEDGER_IDLE };
    return entry;
}

void ledger_pend(struct db *db, int64_t notification, int pending, int64_t bytes)
{
    struct entry *entry = entry_for(db, notification);
    entry->pending += pending;
    entry->bytes += bytes;
}

void ledger_count(struct db *db, int64_t notification, int delivered, int failed)
{
    struct entry *entry = entry_for(db, notification);
    entry->delivered += delivered;
    entry->failed += failed;
}

struct ledger_sum ledger_sum(struct db *db, int64_t notification)
{
    const struct ledger *ledger = ledger_of(db);
    struct ledger_sum sum = { 0 };
    struct stmt *find =
        db_prepare(db, "SELECT sum(pending), sum(bytes) FROM notification_count WHERE "
                       "notification = ?");
    db_bind_int(find, 1, notification);
    if (db_step(find) == DB_ROW)
        sum = (struct ledger_sum){ .pending = db_int(find, 0), .bytes = db_int(find, 1) };
    db_finish(find);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct entry *entry = &ledger->entries[i];
        sum.pending += entry->notification == notification ? entry->pending : 0;
        sum.bytes += entry->notification == notification ? entry->bytes : 0;
    }
    return sum;
}

void ledger_wait(struct db *db, int64_t notification, int64_t account, int64_t due_at)
{
    struct entry *entry = entry_for(db, notification);
    entry->account = account;
    if (due_at < entry->due_at)
        entry->due_at = due_at;
}

int64_t ledger_pending(struct db *db, int64_t account, int64_t notification)
{
    struct stmt *find;
    if (notification != 0) {
        find = db_prepare(db, "SELECT sum(pending) FROM notification_count WHERE notification = ?");
        db_bind_int(find, 1, notification);
    } else if (account != 0) {
        find = db_prepare(db, "SELECT sum(c.pending) FROM notification n JOIN notification_count c "
                              "ON c.notification = n.id WHERE n.account = ?");
        db_bind_int(find, 1, account);
    } else {
        find = db_prepare(db, "SELECT sum(pending) FROM notification_count");
    }
    return db_number(find, 0);
}

static size_t mark(struct db *db)
{
    struct ledger *ledger = ledger_of(db);
    ledger->part = ledger->count;
    return ledger->count;
}

static void undo(struct db *db, size_t to)
{
    struct ledger *ledger = ledger_of(db);
    ledger->count = to;
    ledger->part = to;
}

static int by_notification(const void *a, const void *b)
{
    int64_t left = ((const struct entry *)a)->notification;
    int64_t right = ((const struct entry *)b)->notification;
    return (left > right) - (left < right);
}

static void merge(struct ledger *ledger)
{
    size_t kept = 0;
    if (ledger->count < 2)
        return;
    qsort(ledger->entries, ledger->count, sizeof(*ledger->entries), by_notification);
    for (size_t i = 1; i < ledger->count; i++) {
        struct entry *into = &ledger->entries[kept], *from = &ledger->entries[i];
        if (from->notification != into->notification) {
            ledger->entries[++kept] = *from;
            continue;
        }
        into->pending += from->pending;
        into->bytes += from->bytes;
        into->delivered += from->delivered;
        into->failed += from->failed;
        if (from->account != 0)
            into->account = from->account;
        if (from->due_at < into->due_at)
            into->due_at = from->due_at;
    }
    ledger->count = kept + 1;
}

static void note_waiting(struct db *db, const struct entry *entry)
{
    tx_note(db_tx(db),
            (struct change){ .kind = CHANGE_WAITING,
                             .account = entry->account,
                             .notification = entry->notification,
                             .id = db_newest_id(db),
                             .due_at = entry->due_at != LEDGER_IDLE ? entry->due_at : -1 });
}

static void write_counts(struct db *db)
{
    struct ledger *ledger = ledger_of(db);
    merge(ledger);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct entry *entry = &ledger->entries[i];
        if (entry->account != 0)
            note_waiting(db, entry);
        if (entry->pending == 0 && entry->bytes == 0 && entry->delivered == 0 && entry->failed == 0)
            continue;
        struct stmt *add = db_prepare(
            db, "INSERT INTO notification_count (notification, node, pending, delivered, failed, "
                "bytes) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (notification, node) DO UPDATE SET "
                "pending = notification_count.pending + excluded.pending, "
                "delivered = notification_count.delivered + excluded.delivered, "
                "failed = notification_count.failed + excluded.failed, "
                "bytes = notification_count.bytes + excluded.bytes");
        db_bind_int(add, 1, entry->notification);
        db_bind_int(add, 2, db_node(db));
        db_bind_int(add, 3, entry->pending);
        db_bind_int(add, 4, entry->delivered);
        db_bind_int(add, 5, entry->failed);
        db_bind_int(add, 6, entry->bytes);
        db_run(db, add);
    }
}

static void committed(struct db *db)
{
    struct ledger *ledger = ledger_of(db);
    ledger->count = ledger->part = 0;
    if (ledger->cap > ENTRIES_KEPT) {
        free(ledger->entries);
        ledger->entries = NULL;
        ledger->cap = 0;
    }
}

const struct db_memory ledger_memory = {
    .size = sizeof(struct ledger),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .before_commit = write_counts,
    .committed = committed,
};
