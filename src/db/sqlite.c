/* sqlite.c — the driver over SQLite: statements kept by the address of their text, errors that
 * stick, transactions.
 *
 * A connection keeps every statement it has prepared in a map from the text's address.  The first
 * error of a transaction is kept in `code`; from then on db_prepare() gives the dead statement and
 * nothing reaches SQLite until the transaction (or the job's part of it) is undone.  Errors that
 * only a wrong program can cause end it at once.
 *
 * The rule: a transaction that has failed is never committed, not even the part before the error.
 */
#include "db/sqlite.h"

#include "base/fail.h"
#include "base/map.h"
#include "db/log_file.h"
#include "db/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stmt {
    struct db *db;
    sqlite3_stmt *handle; /* NULL: the dead one */
    bool busy;            /* between db_prepare() and db_finish() */
    bool once;            /* freed by db_finish() */
};

enum { WATCH_EVERY = 20000 /* instructions of SQLite's machine: about a millisecond */ };

enum control {
    BEGIN_READ,
    BEGIN_WRITE,
    COMMIT,
    ROLLBACK,
    PART_BEGIN,
    PART_KEEP,
    PART_UNDO,
    CONTROLS
};

static const char *const control_sql[CONTROLS] = {
    [BEGIN_READ] = "BEGIN",
    [BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PART_BEGIN] = "SAVEPOINT part",
    [PART_KEEP] = "RELEASE part",
    [PART_UNDO] = "ROLLBACK TO part",
};

struct db {
    sqlite3 *handle;
    char *path;
    enum connection mode;
    struct id_source *ids;
    const struct db_nouns *nouns;
    struct map statements; /* the text's address → struct stmt */
    sqlite3_stmt *control[CONTROLS];
    struct stmt dead;
    int busy; /* statements not finished */
    int64_t now_ms, due_now_ms;
    int code; /* SQLite's extended code of the first error; 0: none */
    enum db_failure failure;
    char failure_text[300];
    int log_pages;
    bool (*watch)(void *context);
    void *watch_context;
    struct {
        void *memory;
        void (*destroy)(void *);
    } slots[DB_SLOTS];
};

/* ---- errors ---- */

static bool no_room(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static enum db_failure classify(int code, int number)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return DB_CONSTRAINT;
    case SQLITE_FULL:
        return DB_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
        return DB_FATAL;
    case SQLITE_IOERR:
        /* After a failed fsync nobody knows what is on disk, whatever a second one says. */
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC ||
            code == SQLITE_IOERR_CORRUPTFS)
            return DB_FATAL;
        return no_room(number) ? DB_FULL : DB_TROUBLE;
    default:
        return DB_TROUBLE;
    }
}

static int errno_of(sqlite3_file *file)
{
    int number = 0;
    if (file == NULL || file->pMethods == NULL ||
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) != SQLITE_OK)
        return 0;
    return number;
}

/* Why the system refused.  SQLite loses it when a COMMIT fails: then the log's file knows. */
static int system_errno(struct db *db)
{
    sqlite3_file *log = NULL, *file = NULL;
    int number = sqlite3_system_errno(db->handle);
    if (number == 0) {
        sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
        number = errno_of(log);
    }
    if (number == 0) {
        sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
        number = errno_of(file);
    }
    return number;
}

static void fail(struct db *db, const char *sql)
{
    if (db->code != 0)
        return;
    db->code = sqlite3_extended_errcode(db->handle);
    int primary = db->code & 0xff;
    if (primary == SQLITE_ERROR || primary == SQLITE_MISUSE || primary == SQLITE_RANGE ||
        primary == SQLITE_TOOBIG)
        bug("%s: %s", sql != NULL ? sql : "statement", sqlite3_errmsg(db->handle));
    snprintf(db->failure_text, sizeof(db->failure_text), "%s: %s", db->path,
             sqlite3_errmsg(db->handle));
    int number = primary == SQLITE_IOERR ? system_errno(db) : 0;
    db->failure = classify(db->code, number);
    size_t len = strlen(db->failure_text);
    if (number != 0)
        snprintf(db->failure_text + len, sizeof(db->failure_text) - len, ": %s", strerror(number));
}

static void forget_failure(struct db *db)
{
    db->code = 0;
    db->failure = DB_FINE;
}

bool db_failed(const struct db *db)
{
    return db->code != 0;
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
    sqlite3_stmt *handle;
    unsigned flags = once ? 0 : SQLITE_PREPARE_PERSISTENT;
    if (sqlite3_prepare_v3(db->handle, sql, -1, flags, &handle, NULL) != SQLITE_OK) {
        fail(db, sql);
        return &db->dead;
    }
    struct stmt *stmt = must_alloc(sizeof(*stmt));
    *stmt = (struct stmt){ .db = db, .handle = handle, .busy = true, .once = once };
    db->busy++;
    return stmt;
}

struct stmt *db_prepare(struct db *db, const char *sql)
{
    if (db->code != 0)
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
    return db->code != 0 ? &db->dead : make(db, sql, true);
}

static void check_bind(struct stmt *stmt, int code)
{
    if (code != SQLITE_OK)
        fail(stmt->db, sqlite3_sql(stmt->handle));
}

void db_bind_int(struct stmt *stmt, int at, int64_t value)
{
    if (stmt->handle != NULL)
        check_bind(stmt, sqlite3_bind_int64(stmt->handle, at, value));
}

void db_bind_opt(struct stmt *stmt, int at, int64_t value, int64_t none)
{
    if (value != none)
        db_bind_int(stmt, at, value);
    else if (stmt->handle != NULL)
        check_bind(stmt, sqlite3_bind_null(stmt->handle, at));
}

void db_bind_chars(struct stmt *stmt, int at, const char *text, size_t len)
{
    if (stmt->handle != NULL)
        check_bind(stmt,
                   sqlite3_bind_text64(stmt->handle, at, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_text(struct stmt *stmt, int at, const char *text)
{
    db_bind_chars(stmt, at, text, text != NULL ? strlen(text) : 0);
}

void db_bind_bytes(struct stmt *stmt, int at, const void *bytes, size_t len)
{
    if (stmt->handle != NULL)
        check_bind(stmt, sqlite3_bind_blob64(stmt->handle, at, bytes, len, SQLITE_STATIC));
}

enum db_row db_step(struct stmt *stmt)
{
    if (stmt->handle == NULL || stmt->db->code != 0)
        return DB_DONE;
    int code = sqlite3_step(stmt->handle);
    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code != SQLITE_DONE)
        fail(stmt->db, sqlite3_sql(stmt->handle));
    return DB_DONE;
}

int64_t db_int(struct stmt *stmt, int column)
{
    return stmt->handle != NULL ? sqlite3_column_int64(stmt->handle, column) : 0;
}

int64_t db_opt(struct stmt *stmt, int column, int64_t none)
{
    if (stmt->handle == NULL || sqlite3_column_type(stmt->handle, column) == SQLITE_NULL)
        return none;
    return sqlite3_column_int64(stmt->handle, column);
}

/* A column that is absent for want of memory must not be read as empty. */
static bool is_read(struct stmt *stmt, const void *bytes)
{
    if (bytes == NULL && sqlite3_errcode(stmt->db->handle) == SQLITE_NOMEM)
        fail(stmt->db, sqlite3_sql(stmt->handle));
    return bytes != NULL;
}

const char *db_text(struct stmt *stmt, int column)
{
    if (stmt->handle == NULL)
        return "";
    const char *text = (const char *)sqlite3_column_text(stmt->handle, column);
    return is_read(stmt, text) ? text : "";
}

char *db_copy(struct stmt *stmt, int column)
{
    return must_copy(db_text(stmt, column));
}

const void *db_bytes(struct stmt *stmt, int column, size_t *len)
{
    *len = 0;
    if (stmt->handle == NULL)
        return NULL;
    const void *bytes = sqlite3_column_blob(stmt->handle, column);
    if (!is_read(stmt, bytes))
        return NULL;
    *len = (size_t)sqlite3_column_bytes(stmt->handle, column);
    return bytes;
}

void db_finish(struct stmt *stmt)
{
    if (stmt->handle == NULL || !stmt->busy)
        return;
    stmt->busy = false;
    stmt->db->busy--;
    if (stmt->once) {
        sqlite3_finalize(stmt->handle);
        free(stmt);
        return;
    }
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle); /* what they point to may be gone */
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
    return sqlite3_total_changes(db->handle);
}

int64_t db_changes(struct db *db)
{
    return db->code != 0 ? 0 : sqlite3_changes64(db->handle);
}

/* A failed job may leave statements open; a successful one that does is wrong. */
static void check_finished(struct db *db)
{
    if (db->busy == 0)
        return;
    for (sqlite3_stmt *open = sqlite3_next_stmt(db->handle, NULL); open != NULL;
         open = sqlite3_next_stmt(db->handle, open)) {
        if (sqlite3_stmt_busy(open))
            bug("not finished: %s", sqlite3_sql(open));
    }
    bug("a statement was prepared and not finished");
}

static void abandon_statements(struct db *db)
{
    size_t at = 0;
    for (struct stmt *stmt; (stmt = map_each(&db->statements, &at)) != NULL;) {
        if (stmt->busy)
            db_finish(stmt);
    }
    for (sqlite3_stmt *open = sqlite3_next_stmt(db->handle, NULL); open != NULL;
         open = sqlite3_next_stmt(db->handle, open)) {
        if (sqlite3_stmt_busy(open))
            sqlite3_reset(open);
    }
    db->busy = 0;
}

/* ---- transactions ---- */

static bool control(struct db *db, enum control which)
{
    sqlite3_stmt **stmt = &db->control[which];
    if (*stmt == NULL && sqlite3_prepare_v3(db->handle, control_sql[which], -1,
                                            SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
        fail(db, control_sql[which]);
        return false;
    }
    bool done = sqlite3_step(*stmt) == SQLITE_DONE;
    if (!done)
        fail(db, control_sql[which]);
    sqlite3_reset(*stmt);
    return done;
}

void db_begin(struct db *db, int64_t now_ms, int64_t due_now_ms)
{
    forget_failure(db);
    db->now_ms = now_ms;
    db->due_now_ms = due_now_ms;
    control(db, db->mode == CONNECTION_WRITER ? BEGIN_WRITE : BEGIN_READ);
}

bool db_commit(struct db *db)
{
    if (db->code == 0) {
        check_finished(db);
        if (control(db, COMMIT))
            return true;
    }
    db_undo(db);
    return false;
}

void db_undo(struct db *db)
{
    abandon_statements(db);
    if (sqlite3_get_autocommit(db->handle) == 0) /* a full disk may have undone it already */
        control(db, ROLLBACK);
    if (db->mode == CONNECTION_WRITER)
        log_file_forget(db->handle);
    if (sqlite3_get_autocommit(db->handle) == 0)
        die("%s: a transaction cannot be undone: %s", db->path, sqlite3_errmsg(db->handle));
}

void db_begin_part(struct db *db)
{
    if (db->code == 0)
        control(db, PART_BEGIN);
}

void db_keep_part(struct db *db)
{
    if (db->code != 0)
        return;
    check_finished(db);
    control(db, PART_KEEP);
}

bool db_undo_part(struct db *db)
{
    abandon_statements(db);
    if (db->code != 0 && db->failure != DB_CONSTRAINT)
        return false;
    forget_failure(db);
    return control(db, PART_UNDO) && control(db, PART_KEEP);
}

bool db_writes(const struct db *db)
{
    return db->mode == CONNECTION_WRITER;
}

int64_t db_new_id(struct db *db)
{
    return id_next(db->ids, db->due_now_ms);
}

int64_t db_newest_id(const struct db *db)
{
    return db->ids->last;
}

int64_t db_now(const struct db *db)
{
    return db->now_ms;
}

int64_t db_due_now(const struct db *db)
{
    return db->due_now_ms;
}

void db_set_nouns(struct db *db, const struct db_nouns *nouns)
{
    db->nouns = nouns;
}

const struct db_nouns *db_nouns(const struct db *db)
{
    return db->nouns;
}

void **db_state(struct db *db, enum db_slot slot, void (*destroy)(void *))
{
    db->slots[slot].destroy = destroy;
    return &db->slots[slot].memory;
}

/* ---- open and close ---- */

/* What each connection is set up with.  Caches are small: the tables are written in order of id,
 * so what is worked on is a few pages of each, and the system caches the file besides.
 *
 * The log is copied into the file by the checkpoint thread, never inside a commit.  Deleted rows
 * are not overwritten with zeroes (the distribution's default): what is secret is sealed. */
static const char *const setup[] = {
    [CONNECTION_WRITER] =
        ("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
         "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
         "PRAGMA cache_size = -6144; PRAGMA secure_delete = OFF;"
         "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
         "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"),
    [CONNECTION_READER] =
        ("PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;"
         "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"),
    [CONNECTION_COPIER] =
        ("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -64;"),
};

static int log_grew(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct db *)context)->log_pages = pages;
    return SQLITE_OK;
}

struct db *sqlite_open(const char *path, enum connection mode, struct id_source *ids,
                       struct error *error)
{
    struct db *db = must_alloc(sizeof(*db));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                (mode == CONNECTION_WRITER ? SQLITE_OPEN_CREATE : 0);

    *db = (struct db){ .path = must_copy(path), .mode = mode, .ids = ids };
    db->dead.db = db;
    if (sqlite3_open_v2(path, &db->handle, flags,
                        mode == CONNECTION_WRITER ? log_file_vfs() : NULL) != SQLITE_OK)
        goto err0;
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, 5000); /* a person's sqlite3 shell on the same file */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (mode == CONNECTION_WRITER && !schema_identify(db->handle, path, error))
        goto err1; /* before the set-up, which writes to the file */
    if (sqlite3_exec(db->handle, setup[mode], NULL, NULL, NULL) != SQLITE_OK)
        goto err0;
    sqlite3_wal_hook(db->handle, log_grew, db);
    return db;
err0:
    error_set(error, ERROR_BROKEN, "%s: %s", path, sqlite3_errmsg(db->handle));
err1:
    sqlite_close(db);
    return NULL;
}

void sqlite_close(struct db *db)
{
    size_t at = 0;

    if (db == NULL)
        return;
    for (int i = 0; i < DB_SLOTS; i++) {
        if (db->slots[i].memory != NULL)
            db->slots[i].destroy(db->slots[i].memory);
    }
    for (struct stmt *stmt; (stmt = map_each(&db->statements, &at)) != NULL;) {
        sqlite3_finalize(stmt->handle);
        free(stmt);
    }
    map_free(&db->statements);
    for (int i = 0; i < CONTROLS; i++)
        sqlite3_finalize(db->control[i]);
    sqlite3_close_v2(db->handle);
    free(db->path);
    free(db);
}

sqlite3 *sqlite_handle(struct db *db)
{
    return db->handle;
}

static int ask_watch(void *context)
{
    const struct db *db = context;
    return db->code == 0 && db->watch(db->watch_context); /* undoing is not stopped */
}

void sqlite_watch(struct db *db, bool (*stop)(void *context), void *context)
{
    db->watch = stop;
    db->watch_context = context;
    sqlite3_progress_handler(db->handle, WATCH_EVERY, ask_watch, db);
}

int sqlite_log_pages(const struct db *db)
{
    return db->log_pages;
}

bool sqlite_empty_log(struct db *db)
{
    return sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
           SQLITE_OK;
}

bool sqlite_checkpoint(struct db *db)
{
    forget_failure(db);
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        fail(db, "checkpoint");
    return db->code == 0;
}
