/* fan_outs.c — the table, and a count of its rows by account in memory.
 *
 * An account's first row and its last one are told to other nodes, which add rows and take steps of
 * their own.  One that was added elsewhere while the last one known here ended is found by reading
 * again after the commit; one that is added later is not committed before it has heard of that end.
 *
 * What is undone makes the counts unknown; they are read again when next asked for.  The table has
 * at most some thousand rows an account, and none at most times.
 */
#include "store/fan_outs.h"

#include "base/fail.h"
#include "base/map.h"
#include "db/tx.h"
#include "store/memories.h"

#include <stdlib.h>

struct count {
    int64_t account;
    size_t rows;
};

struct fan_outs {
    struct map accounts; /* account → struct count */
    size_t edits;        /* of the table, so far */
    bool known, changed;
    bool ended; /* an account's last row, in this transaction */
};

static void forget(struct fan_outs *fan_outs)
{
    size_t at = 0;
    for (struct count *count; (count = map_each(&fan_outs->accounts, &at)) != NULL;)
        free(count);
    map_free(&fan_outs->accounts);
    fan_outs->known = false;
    fan_outs->changed = true;
}

static void clear(void *memory)
{
    forget(memory);
}

static void add_rows(struct fan_outs *fan_outs, int64_t account, size_t rows)
{
    struct count *count = map_get(&fan_outs->accounts, account);
    if (count == NULL) {
        count = must_alloc(sizeof(*count));
        count->account = account;
        map_put(&fan_outs->accounts, account, count);
        fan_outs->changed = true;
    }
    count->rows += rows;
}

static void note(struct db *db, int64_t account)
{
    tx_note(db_tx(db), (struct change){ CHANGE_FAN_OUT, account });
}

static void read_counts(struct fan_outs *fan_outs, struct db *db)
{
    struct stmt *list = db_prepare(db, "SELECT account, count(*) FROM fan_out GROUP BY account");
    forget(fan_outs); /* a part of them, where it failed before */
    while (db_step(list) == DB_ROW)
        add_rows(fan_outs, db_int(list, 0), (size_t)db_int(list, 1));
    db_finish(list);
    fan_outs->known = !db_failed(db);
}

static struct fan_outs *of(struct db *db)
{
    return db_memory(db, MEMORY_FAN_OUTS);
}

static struct fan_outs *known(struct db *db)
{
    struct fan_outs *fan_outs = of(db);
    if (!fan_outs->known)
        read_counts(fan_outs, db);
    return fan_outs;
}

void fan_out_add(struct db *db, const struct fan_out *fan_out)
{
    struct fan_outs *fan_outs = known(db);
    struct stmt *add = db_prepare(db, "INSERT INTO fan_out (event, account, after, last, left_out) "
                                      "VALUES (?, ?, ?, ?, ?)");
    db_bind_int(add, 1, fan_out->event);
    db_bind_int(add, 2, fan_out->account);
    db_bind_int(add, 3, fan_out->after);
    db_bind_int(add, 4, fan_out->last);
    db_bind_int(add, 5, fan_out->left_out);
    db_run(db, add);
    if (map_get(&fan_outs->accounts, fan_out->account) == NULL)
        note(db, fan_out->account);
    add_rows(fan_outs, fan_out->account, 1);
    fan_outs->edits++;
}

bool fan_out_oldest(struct db *db, int64_t account, struct fan_out *out)
{
    struct stmt *find = db_prepare(db, "SELECT event, after, last, left_out FROM fan_out "
                                       "WHERE account = ? ORDER BY event LIMIT 1");
    db_bind_int(find, 1, account);
    bool found = db_step(find) == DB_ROW;
    if (found)
        *out = (struct fan_out){ .event = db_int(find, 0),
                                 .account = account,
                                 .after = db_int(find, 1),
                                 .read_after = db_int(find, 1),
                                 .last = db_int(find, 2),
                                 .left_out = db_int(find, 3) };
    db_finish(find);
    return found;
}

void fan_out_move(struct db *db, const struct fan_out *fan_out)
{
    struct stmt *put = db_prepare(db, "UPDATE fan_out SET after = ? WHERE event = ? AND after = ?");
    db_bind_int(put, 1, fan_out->after);
    db_bind_int(put, 2, fan_out->event);
    db_bind_int(put, 3, fan_out->read_after);
    db_run(db, put);
    if (db_changes(db) == 0)
        db_run_again(db, "another node has taken this step of a fan-out");
}

void fan_out_end(struct db *db, const struct fan_out *fan_out)
{
    struct fan_outs *fan_outs = known(db);
    struct count *count = map_get(&fan_outs->accounts, fan_out->account);
    struct stmt *put = db_prepare(db, "DELETE FROM fan_out WHERE event = ? AND after = ?");
    db_bind_int(put, 1, fan_out->event);
    db_bind_int(put, 2, fan_out->read_after);
    db_run(db, put);
    if (db_changes(db) == 0)
        db_run_again(db, "another node has ended this fan-out");
    fan_outs->edits++;
    if (count == NULL || --count->rows > 0)
        return;
    map_remove(&fan_outs->accounts, fan_out->account);
    free(count);
    fan_outs->changed = fan_outs->ended = true;
    note(db, fan_out->account);
}

size_t fan_outs_of(struct db *db, int64_t account)
{
    struct fan_outs *fan_outs = known(db);
    struct count *count =
        fan_outs->accounts.count > 0 ? map_get(&fan_outs->accounts, account) : NULL;
    return count != NULL ? count->rows : 0;
}

void fan_outs_doubt(struct db *db)
{
    forget(of(db));
}

int64_t *fan_outs_accounts(struct db *db, size_t *count)
{
    struct fan_outs *fan_outs = known(db);
    int64_t *accounts = must_alloc((fan_outs->accounts.count + 1) * sizeof(*accounts));
    size_t at = 0;
    *count = 0;
    for (struct count *one; (one = map_each(&fan_outs->accounts, &at)) != NULL;)
        accounts[(*count)++] = one->account;
    fan_outs->changed = false;
    return accounts;
}

bool fan_outs_changed(struct db *db)
{
    const struct fan_outs *fan_outs = of(db);
    return fan_outs->changed || !fan_outs->known;
}

static size_t mark(struct db *db)
{
    return of(db)->edits;
}

static void undo(struct db *db, size_t to)
{
    struct fan_outs *fan_outs = of(db);
    if (fan_outs->edits > to)
        forget(fan_outs);
}

static void committed(struct db *db)
{
    struct fan_outs *fan_outs = of(db);
    if (fan_outs->ended && db_is_remote(db))
        forget(fan_outs);
    fan_outs->ended = false;
}

static void hear(struct db *db, const struct change *change)
{
    if (change->kind == CHANGE_FAN_OUT || change->kind == CHANGE_EVERYTHING)
        fan_outs_doubt(db);
}

const struct db_memory fan_outs_memory = {
    .size = sizeof(struct fan_outs),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .committed = committed,
    .hear = hear,
};
