/* fault_driver.h — SQLite's driver with a layer over it that fails on command, as an engine behind
 * a network would: what others were in the way of (DB_RETRY), and connections that break (DB_LOST).
 *
 * A program that includes it has this driver for every store.  Calls of the writer's connection are
 * counted; to fail the Nth of them: fault_fail(N, failure), and fault_failed() tells whether there
 * was an Nth one.  A commit that fails so was refused, unless fault_driver.lands.
 */
#ifndef POSTBACKD_TEST_FAULT_DRIVER_H
#define POSTBACKD_TEST_FAULT_DRIVER_H

#include "db/driver.h"

#include <stdatomic.h>
#include <stdbool.h>

static struct {
    atomic_int calls_left;   /* until one fails; 0: none does */
    atomic_int commits_left; /* the same, of commits that change something */
    atomic_int more;         /* how many after that one fail too */
    enum db_failure failure;
    bool lands;         /* a commit that fails is on disk all the same … */
    bool landed;        /* … which the last one was */
    atomic_int unknown; /* so many times nobody can be asked what became of it */
    atomic_int closed;  /* so many times there is no connection to be had */
    atomic_int begun;   /* transactions of the writer … */
    atomic_int written; /* … that were committed and changed something */
    bool each;          /* the first commit of each two is refused: run, undone, run again */
    bool refused_before;
    int64_t changes; /* before the transaction */
    struct db_driver driver;
} fault_driver;

static inline void fault_fail(int nth, enum db_failure failure)
{
    fault_driver.failure = failure;
    atomic_store(&fault_driver.calls_left, nth);
}

static inline void fault_fail_commit(int nth, enum db_failure failure)
{
    fault_driver.failure = failure;
    atomic_store(&fault_driver.commits_left, nth);
}

static inline bool fault_failed(void)
{
    return atomic_exchange(&fault_driver.calls_left, 0) == 0;
}

static inline void fault_clear(void)
{
    fault_driver.calls_left = fault_driver.commits_left = fault_driver.more = 0;
    fault_driver.unknown = fault_driver.closed = 0;
    fault_driver.lands = fault_driver.landed = false;
    fault_driver.each = fault_driver.refused_before = false;
    fault_driver.written = 0;
}

static inline bool fault_takes(atomic_int *left)
{
    int count = atomic_load(left);
    while (count > 0) {
        if (atomic_compare_exchange_weak(left, &count, count - 1))
            return true;
    }
    return false;
}

/* It is this call's turn. */
static inline bool fault_meets(struct db *db, atomic_int *left)
{
    int count = db->mode == DB_WRITER ? atomic_load(left) : 0;
    if (count == 0)
        return false;
    atomic_store(left, count - 1);
    if (count > 1)
        return false;
    if (fault_takes(&fault_driver.more))
        atomic_store(left, 1);
    return true;
}

static inline bool fault_call(struct db *db)
{
    if (!fault_meets(db, &fault_driver.calls_left))
        return false;
    db_fail(db, fault_driver.failure, "as the test would have it");
    return true;
}

static inline struct db_source *fault_source_open(const struct db_where *where, bool *fresh,
                                                  struct error *error)
{
    struct db_source *source = sqlite_driver.source_open(where, fresh, error);
    if (source != NULL)
        source->driver = &fault_driver.driver;
    return source;
}

static inline struct stmt *fault_prepare(struct db *db, const char *sql, bool keep)
{
    return fault_call(db) ? NULL : sqlite_driver.prepare(db, sql, keep);
}

static inline enum db_row fault_step(struct stmt *stmt)
{
    return fault_call(stmt->db) ? DB_DONE : sqlite_driver.step(stmt);
}

static inline void fault_begin(struct db *db)
{
    if (db->mode == DB_WRITER) {
        atomic_fetch_add(&fault_driver.begun, 1);
        fault_driver.changes = sqlite_driver.all_changes(db);
    }
    if (db->mode == DB_WRITER && fault_takes(&fault_driver.closed))
        db_fail(db, DB_LOST, "there is no connection");
    else if (!fault_call(db))
        sqlite_driver.begin(db);
}

static inline void fault_commit(struct db *db)
{
    bool changed = db->mode == DB_WRITER && sqlite_driver.all_changes(db) != fault_driver.changes;
    bool fails = (changed && fault_meets(db, &fault_driver.commits_left)) ||
                 fault_meets(db, &fault_driver.calls_left);
    if (fault_driver.each && changed && !fails)
        fails = fault_driver.refused_before = !fault_driver.refused_before;
    fault_driver.landed = fails && fault_driver.lands;
    if (!fails || fault_driver.landed)
        sqlite_driver.commit(db);
    fault_driver.written += changed && !fails;
    if (fails)
        db_fail(db, fault_driver.failure, "as the test would have it");
}

static inline bool fault_settle(struct db *db)
{
    if (fault_takes(&fault_driver.unknown))
        db_fail(db, DB_LOST, "there is nobody to ask");
    else if (!fault_driver.landed)
        db_fail(db, DB_RETRY, "it was undone");
    return db->failure == DB_FINE;
}

static inline void fault_begin_part(struct db *db)
{
    if (!fault_call(db))
        sqlite_driver.begin_part(db);
}

static inline void fault_keep_part(struct db *db)
{
    if (!fault_call(db))
        sqlite_driver.keep_part(db);
}

/* In place of that of drivers.c. */
const struct db_driver *db_driver_for(const struct db_where *where)
{
    (void)where;
    fault_driver.driver = sqlite_driver;
    fault_driver.driver.source_open = fault_source_open;
    fault_driver.driver.prepare = fault_prepare;
    fault_driver.driver.step = fault_step;
    fault_driver.driver.begin = fault_begin;
    fault_driver.driver.commit = fault_commit;
    fault_driver.driver.settle = fault_settle;
    fault_driver.driver.begin_part = fault_begin_part;
    fault_driver.driver.keep_part = fault_keep_part;
    return &fault_driver.driver;
}

#endif
