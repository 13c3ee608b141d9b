/* db.c — what all drivers have in common: statements kept by the address of their text, errors that
 * stick, transactions and their parts.
 *
 * A connection keeps every statement it has prepared in a map from the text's address.  The first
 * error of a transaction is kept in `failure`; from then on db_prepare() gives the dead statement
 * and nothing reaches the driver until the transaction (or the job's part of it) is undone.
 *
 * The rule: a transaction that has failed is never committed, not even the part before the error.
 */
#include "db/db.h"

#include "base/clock.h"
#include "base/fail.h"
#include "db/disk.h"
#include "db/driver.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- figures ---- */

static struct {
    _Atomic int64_t times, us;
} waits;

void db_waited(int64_t us)
{
    atomic_fetch_add_explicit(&waits.times, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&waits.us, us, memory_order_relaxed);
}

void db_take_waits(int64_t *times, int64_t *us)
{
    *times = atomic_exchange_explicit(&waits.times, 0, memory_order_relaxed);
    *us = atomic_exchange_explicit(&waits.us, 0, memory_order_relaxed);
}

/* ---- errors ---- */

void db_fail(struct db *db, enum db_failure failure, const char *words)
{
    if (db->failure != DB_FINE)
        return;
    db->failure = failure;
    snprintf(db->failure_text, sizeof(db->failure_text), "%s: %s", db->source->name, words);
}

void db_run_again(struct db *db, const char *what)
{
    db_fail(db, DB_RETRY, what);
}

static void forget_failure(struct db *db)
{
    db->failure = DB_FINE;
}

bool db_failed(const struct db *db)
{
    return db->failure != DB_FINE;
}

enum db_failure db_failure(const struct db *db)
{
    return db->failure;
}

const char *db_failure_text(const struct db *db)
{
    return db->failure_text;
}

/* ---- statements ---- */

static struct stmt *make(struct db *db, const char *sql, bool once)
{
    struct stmt *stmt = db->driver->prepare(db, sql, !once);
    if (stmt == NULL)
        return &db->dead;
    stmt->driver = db->driver;
    stmt->db = db;
    stmt->sql = sql;
    stmt->once = once;
    stmt->busy = true;
    list_init(&stmt->in);
    if (once)
        list_append(&db->once, &stmt->in);
    db->busy++;
    return stmt;
}

struct stmt *db_prepare(struct db *db, const char *sql)
{
    if (db->failure != DB_FINE)
        return &db->dead;
    struct stmt *stmt = map_get(&db->statements, (int64_t)(intptr_t)sql);
    if (stmt == NULL) {
        stmt = make(db, sql, false);
        if (stmt != &db->dead)
            map_put(&db->statements, (int64_t)(intptr_t)sql, stmt);
        return stmt;
    }
    if (stmt->busy) /* a function that calls itself, or two loops over one text */
        return make(db, sql, true);
    stmt->busy = true;
    db->busy++;
    return stmt;
}

struct stmt *db_prepare_once(struct db *db, const char *sql)
{
    return db->failure != DB_FINE ? &db->dead : make(db, sql, true);
}

static bool works(const struct stmt *stmt)
{
    return stmt->driver != NULL;
}

void db_bind_int(struct stmt *stmt, int at, int64_t value)
{
    if (works(stmt))
        stmt->driver->bind_int(stmt, at, value);
}

void db_bind_opt(struct stmt *stmt, int at, int64_t value, int64_t none)
{
    if (!works(stmt))
        return;
    if (value != none)
        stmt->driver->bind_int(stmt, at, value);
    else
        stmt->driver->bind_null(stmt, at);
}

void db_bind_chars(struct stmt *stmt, int at, const char *text, size_t len)
{
    if (!works(stmt))
        return;
    if (text != NULL)
        stmt->driver->bind_text(stmt, at, text, len);
    else
        stmt->driver->bind_null(stmt, at);
}

void db_bind_text(struct stmt *stmt, int at, const char *text)
{
    db_bind_chars(stmt, at, text, text != NULL ? strlen(text) : 0);
}

void db_bind_bytes(struct stmt *stmt, int at, const void *bytes, size_t len)
{
    if (!works(stmt))
        return;
    if (bytes != NULL)
        stmt->driver->bind_bytes(stmt, at, bytes, len);
    else
        stmt->driver->bind_null(stmt, at);
}

enum db_row db_step(struct stmt *stmt)
{
    if (!works(stmt) || stmt->db->failure != DB_FINE)
        return DB_DONE;
    enum db_row row = stmt->driver->step(stmt);
    return stmt->db->failure == DB_FINE ? row : DB_DONE;
}

int64_t db_int(struct stmt *stmt, int column)
{
    return works(stmt) ? stmt->driver->int_at(stmt, column) : 0;
}

int64_t db_opt(struct stmt *stmt, int column, int64_t none)
{
    if (!works(stmt) || stmt->driver->is_null(stmt, column))
        return none;
    return stmt->driver->int_at(stmt, column);
}

const char *db_text(struct stmt *stmt, int column)
{
    const char *text = works(stmt) ? stmt->driver->text_at(stmt, column) : NULL;
    return text != NULL ? text : "";
}

char *db_copy(struct stmt *stmt, int column)
{
    return must_copy(db_text(stmt, column));
}

const void *db_bytes(struct stmt *stmt, int column, size_t *len)
{
    *len = 0;
    return works(stmt) ? stmt->driver->bytes_at(stmt, column, len) : NULL;
}

void db_finish(struct stmt *stmt)
{
    if (!works(stmt) || !stmt->busy)
        return;
    stmt->busy = false;
    stmt->db->busy--;
    if (stmt->once) {
        list_remove(&stmt->in);
        stmt->driver->finalize(stmt);
    } else {
        stmt->driver->reset(stmt);
    }
}

int64_t db_number(struct stmt *stmt, int64_t none)
{
    int64_t number = db_step(stmt) == DB_ROW ? db_int(stmt, 0) : none;
    db_finish(stmt);
    return number;
}

void db_run(struct db *db, struct stmt *stmt)
{
    (void)db;
    while (db_step(stmt) == DB_ROW)
        ;
    db_finish(stmt);
}

int64_t db_insert(struct stmt *stmt)
{
    int64_t id = 0;
    while (db_step(stmt) == DB_ROW) /* to the end: only then are the changes counted */
        id = db_int(stmt, 0);
    db_finish(stmt);
    return id;
}

int64_t db_all_changes(struct db *db)
{
    return db->driver->all_changes(db);
}

void db_run_counted(struct db *db, struct stmt *stmt, int64_t *changes)
{
    *changes = 0;
    while (db_step(stmt) == DB_ROW)
        ;
    if (db->failure == DB_FINE)
        db->driver->changes_into(db, changes);
    db_finish(stmt);
}

void db_await(struct db *db)
{
    if (db->failure == DB_FINE)
        db->driver->await(db);
}

int64_t db_changes(struct db *db)
{
    return db->failure != DB_FINE ? 0 : db->driver->changes(db);
}

/* A failed job may leave statements open; a successful one that does is wrong. */
static void check_finished(struct db *db)
{
    size_t at = 0;
    if (db->busy == 0)
        return;
    for (struct stmt *stmt; (stmt = map_each(&db->statements, &at)) != NULL;) {
        if (stmt->busy)
            bug("not finished: %s", stmt->sql);
    }
    bug("a statement was prepared once and not finished");
}

static void abandon_statements(struct db *db)
{
    size_t at = 0;
    if (db->busy == 0)
        return;
    for (struct stmt *stmt; (stmt = map_each(&db->statements, &at)) != NULL;)
        db_finish(stmt);
    for (struct list *node; (node = list_first(&db->once)) != NULL;)
        db_finish(container_of(node, struct stmt, in));
}

/* ---- transactions ---- */

enum { TRANSACT_RUNS = 10 };

void db_begin(struct db *db, int64_t now_ms, int64_t due_now_ms)
{
    forget_failure(db);
    db->now_ms = now_ms;
    db->due_now_ms = due_now_ms;
    db->driver->begin(db);
}

bool db_commit(struct db *db)
{
    if (db->failure == DB_FINE) {
        check_finished(db);
        db->driver->commit(db);
        if (db->failure == DB_FINE)
            return true;
    }
    db_undo(db);
    return false;
}

void db_undo(struct db *db)
{
    abandon_statements(db);
    db->driver->undo(db);
}

bool db_transact(struct db *db, void (*writes)(struct db *db, const void *with), const void *with,
                 struct error *error)
{
    bool done = false;
    for (int run = 0; !done && run < TRANSACT_RUNS; run++) {
        db_begin(db, 0, 0);
        writes(db, with);
        done = db_commit(db);
        if (!done && db->failure != DB_RETRY)
            break;
    }
    if (!done)
        error_set(error, ERROR_BROKEN, "%s", db->failure_text);
    return done;
}

bool db_settle(struct db *db)
{
    forget_failure(db);
    return db->driver->settle(db);
}

void db_begin_part(struct db *db)
{
    if (db->failure == DB_FINE)
        db->driver->begin_part(db);
}

void db_keep_part(struct db *db)
{
    if (db->failure != DB_FINE)
        return;
    check_finished(db);
    db->driver->keep_part(db);
}

bool db_undo_part(struct db *db)
{
    abandon_statements(db);
    if (db->failure != DB_FINE && db->failure != DB_CONSTRAINT)
        return false;
    forget_failure(db);
    db->driver->undo_part(db);
    return db->failure == DB_FINE;
}

bool db_is_remote(const struct db *db)
{
    return db->source->remote;
}

const char *db_name(const struct db *db)
{
    return db->source->name;
}

bool db_writes(const struct db *db)
{
    return db->mode == DB_WRITER || db->mode == DB_ASIDE;
}

int64_t db_new_id(struct db *db)
{
    return id_next(db->ids, db->due_now_ms);
}

int64_t db_new_ids(struct db *db, int count)
{
    return id_next_row(db->ids, db->due_now_ms, count);
}

int64_t db_newest_id(const struct db *db)
{
    return db->ids->last;
}

void db_seen_id(struct db *db, int64_t id)
{
    id_seen(db->ids, id);
}

int db_node(const struct db *db)
{
    return db->ids->node;
}

int64_t db_now(const struct db *db)
{
    return db->now_ms;
}

int64_t db_due_now(const struct db *db)
{
    return db->due_now_ms;
}

int64_t db_clock(struct db *db, int64_t *ahead)
{
    int64_t before = clock_system_ms();
    int64_t now = db->failure == DB_FINE ? db->driver->clock(db) : 0;
    *ahead = db->failure == DB_FINE ? now - (before + clock_system_ms()) / 2 : 0;
    return now;
}

void db_set_guard(struct db *db, const struct db_guard *guard)
{
    db->guard = *guard;
    db->guarded = true;
}

struct db_guard *db_guard(struct db *db)
{
    return db->guarded ? &db->guard : NULL;
}

void db_stop_node(struct db *db, int64_t node)
{
    if (db->failure == DB_FINE)
        db->driver->stop_node(db, node);
}

void db_tell(struct db *db)
{
    if (db->failure == DB_FINE)
        db->driver->tell(db);
}

int db_socket(struct db *db)
{
    return db->driver->socket(db);
}

bool db_told(struct db *db)
{
    return db->driver->told(db);
}

void db_set_tx(struct db *db, struct tx *tx, void (*destroy)(struct tx *))
{
    db->tx = tx;
    db->destroy_tx = destroy;
}

struct tx *db_tx(const struct db *db)
{
    return db->tx;
}

/* ---- sources and connections ---- */

struct db_source *db_source_open(const struct db_where *where, bool *fresh, struct error *error)
{
    const struct db_driver *driver = db_driver_for(where);
    if (driver != NULL)
        return driver->source_open(where, fresh, error);
    error_set(error, ERROR_BROKEN, "this program was built without PostgreSQL (libpq)");
    return NULL;
}

void db_source_close(struct db_source *source)
{
    if (source != NULL)
        source->driver->source_close(source);
}

const char *db_source_name(const struct db_source *source)
{
    return source->name;
}

const char *db_source_lost(const struct db_source *source)
{
    return source->lost.len > 0 ? buf_text(&source->lost) : NULL;
}

void db_init(struct db *db, struct db_source *source, enum db_mode mode)
{
    db->driver = source->driver;
    db->source = source;
    db->mode = mode;
    db->dead.db = db;
    list_init(&db->once);
}

struct db *db_open(struct db_source *source, enum db_mode mode, struct id_source *ids,
                   struct error *error)
{
    struct db *db = source->driver->open(source, mode, error);
    if (db != NULL)
        db->ids = ids;
    return db;
}

void db_close(struct db *db)
{
    size_t at = 0;

    if (db == NULL)
        return;
    if (db->tx != NULL)
        db->destroy_tx(db->tx);
    for (struct list *node; (node = list_first(&db->once)) != NULL;)
        db_finish(container_of(node, struct stmt, in));
    for (struct stmt *stmt; (stmt = map_each(&db->statements, &at)) != NULL;)
        stmt->driver->finalize(stmt);
    map_free(&db->statements);
    db->driver->close(db);
}

bool db_update(struct db *db, struct error *error)
{
    return db->driver->update(db, error);
}

void db_watch(struct db *db, bool (*stop)(void *context), void *context)
{
    db->watch = stop;
    db->watch_context = context;
    db->driver->watched(db);
}

bool db_upkeep_start(struct db *db, struct error *error)
{
    return db->driver->upkeep_start(db, error);
}

void db_upkeep(struct db *db)
{
    db->driver->upkeep(db);
}

void db_make_room(struct db *db)
{
    db->driver->make_room(db);
}

void disk_look(struct db *db, struct disk_figures *out)
{
    db->driver->disk(db, out);
}
