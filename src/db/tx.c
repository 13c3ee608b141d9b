/* tx.c — what a transaction has made, in the order in which it was made.
 *
 * One struct for a connection, used again for each transaction.  A part is a mark: the last node
 * handed on before it, the counts and the places in the nouns' memories as they were.  Undoing goes
 * back to the mark.
 *
 * The rule: rows and what was made beside them go back together, or the transaction is broken.
 */
#include "db/tx.h"

#include "base/clock.h"
#include "base/fail.h"
#include "db/changes.h"
#include "db/news.h"
#include "db/nouns.h"

#include <stdlib.h>
#include <string.h>

struct tx {
    struct db *db;
    const struct db_nouns *nouns;
    void *memories[DB_MEMORIES_MOST];
    int64_t run;
    bool under_way, committing;
    struct list made;
    struct changes changes;
    struct news *news;    /* NULL: the database is not shared */
    struct changes heard; /* since it was taken last */
    int64_t heard_rows;
    int64_t counts[METRIC_COUNTERS];
    struct { /* the part under way, as things were before it */
        bool savepoint;
        struct list *last; /* of what was made */
        size_t noted;
        int64_t counts[METRIC_COUNTERS];
        int64_t changes; /* of rows */
        size_t marks[DB_MEMORIES_MOST];
    } part;
};

static void drop_behind(struct tx *tx, struct list *last)
{
    while (tx->made.prev != last) {
        struct list *node = tx->made.prev;
        list_remove(node);
        tx->nouns->drop(node);
    }
}

static void destroy(struct tx *tx)
{
    drop_behind(tx, &tx->made);
    free(tx->changes.items);
    free(tx->heard.items);
    news_free(tx->news);
    for (size_t i = 0; i < tx->nouns->memory_count; i++) {
        tx->nouns->memories[i]->clear(tx->memories[i]);
        free(tx->memories[i]);
    }
    free(tx);
}

void tx_open(struct db *db, const struct db_nouns *nouns)
{
    struct tx *tx = must_alloc(sizeof(*tx));
    *tx = (struct tx){ .db = db, .nouns = nouns };
    list_init(&tx->made);
    if (db_is_remote(db))
        tx->news = news_new();
    if (nouns->memory_count > DB_MEMORIES_MOST)
        bug("%zu nouns have memory", nouns->memory_count);
    for (size_t i = 0; i < nouns->memory_count; i++)
        tx->memories[i] = must_alloc(nouns->memories[i]->size);
    db_set_tx(db, tx, destroy);
}

const struct db_nouns *tx_nouns(const struct tx *tx)
{
    return tx->nouns;
}

void *db_memory(const struct db *db, int place)
{
    return db_tx(db)->memories[place];
}

/* ---- what is made ---- */

void tx_hand_on(struct tx *tx, struct list *node)
{
    list_append(&tx->made, node);
}

void tx_note(struct tx *tx, struct change change)
{
    changes_note(&tx->changes, &change);
}

void tx_count(struct tx *tx, enum metric metric, int64_t by)
{
    tx->counts[metric] += by;
}

int64_t tx_counted(const struct tx *tx, enum metric metric)
{
    return tx->counts[metric] - tx->part.counts[metric];
}

int64_t tx_run(const struct tx *tx)
{
    return tx->run;
}

/* ---- what other nodes have made ---- */

bool tx_join(struct tx *tx)
{
    if (tx->news == NULL)
        return true;
    db_begin(tx->db, clock_wall_ms(), clock_due_ms());
    news_join(tx->news, tx->db);
    return db_commit(tx->db);
}

static void tell_memories(struct tx *tx, const struct change *change)
{
    for (size_t i = 0; i < tx->nouns->memory_count; i++) {
        if (tx->nouns->memories[i]->hear != NULL)
            tx->nouns->memories[i]->hear(tx->db, change);
    }
}

/* In a transaction.  False: it is broken, and nothing was heard. */
static bool hear(struct tx *tx)
{
    size_t before = changes_mark(&tx->heard);
    size_t rows = news_read(tx->news, tx->db, &tx->heard);
    for (size_t i = before; i < tx->heard.count && !db_failed(tx->db); i++)
        tell_memories(tx, &tx->heard.items[i]);
    if (db_failed(tx->db)) {
        changes_undo(&tx->heard, before);
        return false;
    }
    tx->heard_rows += (int64_t)rows;
    news_heard(tx->news);
    return true;
}

bool tx_hear(struct tx *tx)
{
    if (tx->news == NULL)
        return true;
    db_begin(tx->db, clock_wall_ms(), clock_due_ms());
    hear(tx);
    return db_commit(tx->db); /* it has only read */
}

void tx_take_heard(struct tx *tx, struct tx_made *out)
{
    out->heard_count = changes_take(&tx->heard, &out->heard);
    out->counts[METRIC_NEWS_HEARD] += tx->heard_rows;
    tx->heard_rows = 0;
}

/* ---- its course ---- */

bool tx_begin(struct tx *tx, int64_t now_ms, int64_t due_now_ms)
{
    tx->run++;
    tx->under_way = true;
    tx->committing = false;
    memset(tx->counts, 0, sizeof(tx->counts));
    memset(&tx->part, 0, sizeof(tx->part));
    if (tx->news != NULL)
        news_begin(tx->news);
    db_begin(tx->db, now_ms, due_now_ms);
    return !db_failed(tx->db);
}

void tx_hear_now(struct tx *tx)
{
    if (tx->news != NULL && !db_failed(tx->db))
        hear(tx);
}

void tx_stop_news(struct tx *tx)
{
    if (tx->news == NULL)
        return;
    news_stop(tx->db);
    tx_hear_now(tx);
    news_begin(tx->news);
}

void tx_begin_part(struct tx *tx, bool savepoint)
{
    tx->part.savepoint = savepoint;
    tx->part.last = tx->made.prev;
    tx->part.noted = changes_mark(&tx->changes);
    tx->part.changes = db_all_changes(tx->db);
    memcpy(tx->part.counts, tx->counts, sizeof(tx->counts));
    for (size_t i = 0; i < tx->nouns->memory_count; i++)
        tx->part.marks[i] = tx->nouns->memories[i]->mark(tx->db);
    if (savepoint)
        db_begin_part(tx->db);
}

bool tx_keep_part(struct tx *tx)
{
    if (tx->part.savepoint)
        db_keep_part(tx->db);
    return !db_failed(tx->db);
}

static void go_back(struct tx *tx, struct list *last, size_t noted, const size_t marks[])
{
    drop_behind(tx, last);
    changes_undo(&tx->changes, noted);
    for (size_t i = 0; i < tx->nouns->memory_count; i++)
        tx->nouns->memories[i]->undo(tx->db, marks[i]);
}

bool tx_undo_part(struct tx *tx)
{
    go_back(tx, tx->part.last, tx->part.noted, tx->part.marks);
    memcpy(tx->counts, tx->part.counts, sizeof(tx->counts));
    if (tx->part.savepoint)
        return db_undo_part(tx->db);
    return !db_failed(tx->db) && db_all_changes(tx->db) == tx->part.changes;
}

bool tx_commit(struct tx *tx)
{
    for (size_t i = 0; i < tx->nouns->memory_count && !db_failed(tx->db); i++) {
        if (tx->nouns->memories[i]->before_commit != NULL)
            tx->nouns->memories[i]->before_commit(tx->db);
    }
    if (tx->news != NULL && !db_failed(tx->db)) {
        tx->counts[METRIC_NEWS] += news_write(tx->news, tx->db, &tx->changes);
        if (db_guard(tx->db) != NULL)
            db_guard(tx->db)->version = news_version(tx->news);
    }
    tx->committing = !db_failed(tx->db);
    tx->under_way = false; /* either way */
    return db_commit(tx->db);
}

bool tx_was_committing(const struct tx *tx)
{
    return tx->committing;
}

void tx_undo(struct tx *tx)
{
    static const size_t beginning[DB_MEMORIES_MOST];
    if (tx->under_way)
        db_undo(tx->db);
    tx->under_way = false;
    if (tx->news != NULL)
        news_undone(tx->news, !tx->committing);
    go_back(tx, &tx->made, 0, beginning);
}

void tx_take(struct tx *tx, struct tx_made *out)
{
    for (size_t i = 0; i < tx->nouns->memory_count; i++) {
        if (tx->nouns->memories[i]->committed != NULL)
            tx->nouns->memories[i]->committed(tx->db);
    }
    if (tx->news != NULL)
        news_written(tx->news);
    list_append_all(&out->handed, &tx->made);
    out->change_count = changes_take(&tx->changes, &out->changes);
    memcpy(out->counts, tx->counts, sizeof(out->counts));
}

void tx_made_init(struct tx_made *made)
{
    *made = (struct tx_made){ 0 };
    list_init(&made->handed);
}

void tx_made_free(struct tx_made *made, const struct db_nouns *nouns)
{
    for (struct list *node; (node = list_first(&made->handed)) != NULL;) {
        list_remove(node);
        nouns->drop(node);
    }
    free(made->changes);
    free(made->heard);
}
