/* sqlite.c — the driver over SQLite: its statements and transactions. */
#include "db/sqlite.h"

#include "base/clock.h"
#include "base/fail.h"
#include "db/driver.h"
#include "db/sqlite_log_file.h"

#include <stdlib.h>
#include <string.h>

struct sqlite_stmt {
    struct stmt base;
    sqlite3_stmt *handle;
};

enum { WATCH_EVERY = 20000 /* instructions of SQLite's machine: about a millisecond */ };

static const char *const control_sql[CONTROLS] = {
    [CONTROL_BEGIN_READ] = "BEGIN",
    [CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",
    [CONTROL_PART_BEGIN] = "SAVEPOINT part",
    [CONTROL_PART_KEEP] = "RELEASE part",
    [CONTROL_PART_UNDO] = "ROLLBACK TO part",
};

static struct sqlite_db *of(struct db *db)
{
    return container_of(db, struct sqlite_db, base);
}

static sqlite3_stmt *handle_of(struct stmt *stmt)
{
    return container_of(stmt, struct sqlite_stmt, base)->handle;
}

/* ---- statements ---- */

static struct stmt *prepare(struct db *db, const char *sql, bool keep)
{
    sqlite3_stmt *handle;
    unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
    if (sqlite3_prepare_v3(of(db)->handle, sql, -1, flags, &handle, NULL) != SQLITE_OK) {
        sqlite_fail(of(db), sql);
        return NULL;
    }
    struct sqlite_stmt *stmt = must_alloc(sizeof(*stmt));
    stmt->handle = handle;
    return &stmt->base;
}

static void finalize(struct stmt *stmt)
{
    sqlite3_finalize(handle_of(stmt));
    free(container_of(stmt, struct sqlite_stmt, base));
}

static void reset(struct stmt *stmt)
{
    sqlite3_reset(handle_of(stmt));
    sqlite3_clear_bindings(handle_of(stmt));
}

static void fail_statement(struct stmt *stmt)
{
    sqlite_fail(of(stmt->db), sqlite3_sql(handle_of(stmt)));
}

static void check_bind(struct stmt *stmt, int code)
{
    if (code != SQLITE_OK)
        fail_statement(stmt);
}

static void bind_null(struct stmt *stmt, int at)
{
    check_bind(stmt, sqlite3_bind_null(handle_of(stmt), at));
}

static void bind_int(struct stmt *stmt, int at, int64_t value)
{
    check_bind(stmt, sqlite3_bind_int64(handle_of(stmt), at, value));
}

static void bind_text(struct stmt *stmt, int at, const char *text, size_t len)
{
    check_bind(stmt,
               sqlite3_bind_text64(handle_of(stmt), at, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

static void bind_bytes(struct stmt *stmt, int at, const void *bytes, size_t len)
{
    check_bind(stmt, sqlite3_bind_blob64(handle_of(stmt), at, bytes, len, SQLITE_STATIC));
}

static enum db_row step(struct stmt *stmt)
{
    int code = sqlite3_step(handle_of(stmt));
    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code != SQLITE_DONE)
        fail_statement(stmt);
    return DB_DONE;
}

static bool is_null(struct stmt *stmt, int column)
{
    return sqlite3_column_type(handle_of(stmt), column) == SQLITE_NULL;
}

static int64_t int_at(struct stmt *stmt, int column)
{
    return sqlite3_column_int64(handle_of(stmt), column);
}

/* A column that is absent for want of memory must not be read as empty. */
static const void *read_value(struct stmt *stmt, const void *value)
{
    if (value == NULL && sqlite3_errcode(of(stmt->db)->handle) == SQLITE_NOMEM)
        fail_statement(stmt);
    return value;
}

static const char *text_at(struct stmt *stmt, int column)
{
    return read_value(stmt, sqlite3_column_text(handle_of(stmt), column));
}

static const void *bytes_at(struct stmt *stmt, int column, size_t *len)
{
    const void *bytes = read_value(stmt, sqlite3_column_blob(handle_of(stmt), column));
    *len = bytes != NULL ? (size_t)sqlite3_column_bytes(handle_of(stmt), column) : 0;
    return bytes;
}

static int64_t changes(struct db *db)
{
    return sqlite3_changes64(of(db)->handle);
}

static void changes_into(struct db *db, int64_t *into)
{
    *into = changes(db);
}

static void await(struct db *db)
{
    (void)db;
}

static int64_t all_changes(struct db *db)
{
    return sqlite3_total_changes64(of(db)->handle);
}

/* ---- transactions ---- */

static bool control(struct db *base, enum sqlite_control which)
{
    struct sqlite_db *db = of(base);
    sqlite3_stmt **stmt = &db->control[which];
    if (*stmt == NULL && sqlite3_prepare_v3(db->handle, control_sql[which], -1,
                                            SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
        sqlite_fail(db, control_sql[which]);
        return false;
    }
    bool done = sqlite3_step(*stmt) == SQLITE_DONE;
    if (!done)
        sqlite_fail(db, control_sql[which]);
    sqlite3_reset(*stmt);
    return done;
}

static void begin(struct db *db)
{
    if (of(db)->checks)
        sqlite_check_begins(of(db));
    control(db, db->mode == DB_WRITER ? CONTROL_BEGIN_WRITE : CONTROL_BEGIN_READ);
}

static void commit(struct db *db)
{
    control(db, CONTROL_COMMIT);
}

/* What reports DB_LOST is a connection that can break. */
static bool settle(struct db *db)
{
    bug("%s: a commit was lost", db->source->name);
}

static void undo(struct db *db)
{
    sqlite3 *handle = of(db)->handle;
    if (sqlite3_get_autocommit(handle) == 0) /* a full disk may have undone it already */
        control(db, CONTROL_ROLLBACK);
    if (db->mode == DB_WRITER)
        log_file_forget(handle);
    if (sqlite3_get_autocommit(handle) == 0)
        die("%s: a transaction cannot be undone: %s", db->source->name, sqlite3_errmsg(handle));
}

static void begin_part(struct db *db)
{
    control(db, CONTROL_PART_BEGIN);
}

static void keep_part(struct db *db)
{
    control(db, CONTROL_PART_KEEP);
}

static void undo_part(struct db *db)
{
    if (control(db, CONTROL_PART_UNDO))
        control(db, CONTROL_PART_KEEP);
}

static int ask_watch(void *context)
{
    const struct db *db = context;
    return db->failure == DB_FINE && db->watch(db->watch_context); /* undoing is not stopped */
}

static void watched(struct db *db)
{
    sqlite3_progress_handler(of(db)->handle, WATCH_EVERY, ask_watch, db);
}

/* ---- shared it is not ---- */

static void stop_node(struct db *db, int64_t node)
{
    (void)db;
    (void)node;
}

static int64_t clock_now(struct db *db)
{
    (void)db;
    return clock_wall_ms();
}

static void tell(struct db *db)
{
    (void)db;
}

static int no_socket(struct db *db)
{
    (void)db;
    return -1;
}

static bool told(struct db *db)
{
    (void)db;
    return false;
}

const struct db_driver sqlite_driver = {
    .name = "sqlite",
    .source_open = sqlite_source_open,
    .source_close = sqlite_source_close,
    .open = sqlite_open,
    .close = sqlite_close,
    .update = sqlite_update,
    .prepare = prepare,
    .finalize = finalize,
    .reset = reset,
    .bind_null = bind_null,
    .bind_int = bind_int,
    .bind_text = bind_text,
    .bind_bytes = bind_bytes,
    .step = step,
    .is_null = is_null,
    .int_at = int_at,
    .text_at = text_at,
    .bytes_at = bytes_at,
    .changes = changes,
    .changes_into = changes_into,
    .await = await,
    .all_changes = all_changes,
    .begin = begin,
    .commit = commit,
    .settle = settle,
    .undo = undo,
    .begin_part = begin_part,
    .keep_part = keep_part,
    .undo_part = undo_part,
    .watched = watched,
    .stop_node = stop_node,
    .clock = clock_now,
    .tell = tell,
    .socket = no_socket,
    .told = told,
    .upkeep_start = sqlite_upkeep_start,
    .upkeep = sqlite_upkeep,
    .make_room = sqlite_make_room,
    .disk = sqlite_disk,
    .check = sqlite_check,
};
