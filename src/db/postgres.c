/* postgres.c — the driver over PostgreSQL: statements kept by the address of their text, errors
 * that stick, transactions in a pipeline.
 *
 * A statement is translated once (postgres_sql.h) and prepared when it is first stepped, for the
 * types that are bound then: PostgreSQL is never left to guess them.  A text that is bound
 * with other types later is prepared again, as another of the statement's shapes.
 *
 * BEGIN and SAVEPOINT go out with the first statement that needs them, so a transaction or a part
 * that does nothing costs nothing.  What a part did is known at its end, so that a constraint which
 * failed is its own and nobody else's.
 *
 * The rule: a transaction that has failed is never committed, not even the part before the error;
 * and a commit is told as done only when PostgreSQL has said so, in its answer or afterwards.
 */
#include "db/driver.h"

#include "base/clock.h"
#include "base/fail.h"
#include "db/check.h"
#include "db/disk.h"
#include "db/postgres.h"
#include "db/postgres_failure.h"
#include "db/postgres_fate.h"
#include "db/postgres_guard.h"
#include "db/postgres_pipeline.h"
#include "db/postgres_schema.h"
#include "db/postgres_source.h"
#include "db/postgres_sql.h"
#include "db/postgres_value.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_AGAIN_MS = 500,   /* a database that is away is asked so often by one connection */
    ASIDE_PATIENCE_MS = 3000, /* a lease is renewed over another connection before it ends */
    WORDS_BYTES = 24,
};

struct shape { /* a statement prepared for these types */
    struct shape *next;
    char name[16];
    unsigned prepared; /* on which connection; 0: on none */
    Oid types[];       /* 0: left to PostgreSQL, as only NULL was bound */
};

struct parameter {
    const char *value; /* NULL: NULL */
    int len;
    char number[8];
};

struct postgres_stmt {
    struct stmt stmt;
    struct postgres_sql sql;
    struct shape *shapes;
    struct parameter *parameters;
    Oid *types; /* as bound; 0: NULL */
    const char **values;
    int *lengths;
    PGresult *result;
    char (*words)[WORDS_BYTES]; /* numbers read as text, one a column */
    int row;
    bool kept, ran;
};

struct postgres_db {
    struct db db;
    struct pipeline *pipeline;
    char *set_up;              /* what a connection begins with */
    int64_t mark, transaction; /* the key of its mark; the number of the transaction */
    int64_t refused_us;        /* when it could not be connected last; 0: it could */
    unsigned names, guard_prepared;
    bool begun, wrote;      /* on the other side */
    int parts, parts_begun; /* that are open, and of these on the other side */
    int64_t all_changes;
    bool owns_source; /* of a check */
};

static struct postgres_db *db_of(struct db *db)
{
    return container_of(db, struct postgres_db, db);
}

static struct postgres_stmt *stmt_of(struct stmt *stmt)
{
    return container_of(stmt, struct postgres_stmt, stmt);
}

/* ---- errors ---- */

/* Reports what the pipeline has met. */
static void note(struct postgres_db *db, const char *sql)
{
    if (!pipeline_failed(db->pipeline))
        return;
    const struct pipeline_failure *met = pipeline_failure(db->pipeline);
    if (postgres_failure_is_ours(met->state))
        bug("%s: %s", sql != NULL ? sql : "a statement before this one", met->text);
    enum db_failure failure = postgres_failure(met->state);
    db_fail(&db->db, failure, met->text[0] != '\0' ? met->text : "not connected");
    if (failure == DB_LOST)
        pipeline_close(db->pipeline);
}

/* ---- statements ---- */

static void forget_bound(struct postgres_stmt *stmt)
{
    for (int i = 0; i < stmt->sql.parameters; i++) {
        stmt->parameters[i].value = NULL;
        stmt->types[i] = 0;
    }
}

static struct stmt *prepare(struct db *db, const char *sql, bool keep)
{
    (void)db;
    struct postgres_stmt *stmt = must_alloc(sizeof(*stmt));
    *stmt = (struct postgres_stmt){ .sql = postgres_sql_of(sql), .kept = keep, .row = -1 };
    size_t count = (size_t)stmt->sql.parameters + 1;
    stmt->parameters = must_alloc(count * sizeof(*stmt->parameters));
    stmt->types = must_alloc(count * sizeof(*stmt->types));
    stmt->values = must_alloc(count * sizeof(*stmt->values));
    stmt->lengths = must_alloc(count * sizeof(*stmt->lengths));
    return &stmt->stmt;
}

static void reset(struct stmt *any)
{
    struct postgres_stmt *stmt = stmt_of(any);
    stmt->ran = false;
    stmt->row = -1;
    libpq.PQclear(stmt->result);
    stmt->result = NULL;
    free(stmt->words);
    stmt->words = NULL;
    forget_bound(stmt);
}

static void finalize(struct stmt *any)
{
    struct postgres_stmt *stmt = stmt_of(any);
    for (struct shape *shape = stmt->shapes, *next; shape != NULL; shape = next) {
        next = shape->next;
        free(shape);
    }
    libpq.PQclear(stmt->result);
    free(stmt->words);
    free(stmt->sql.text);
    free(stmt->parameters);
    free(stmt->types);
    free(stmt->values);
    free(stmt->lengths);
    free(stmt);
}

static struct parameter *bind(struct stmt *any, int at, Oid type)
{
    struct postgres_stmt *stmt = stmt_of(any);
    if (at < 1 || at > stmt->sql.parameters)
        bug("no parameter %d: %s", at, stmt->sql.text);
    stmt->types[at - 1] = type;
    stmt->parameters[at - 1].value = NULL;
    return &stmt->parameters[at - 1];
}

static void bind_null(struct stmt *stmt, int at)
{
    bind(stmt, at, 0);
}

static void bind_int(struct stmt *stmt, int at, int64_t value)
{
    struct parameter *to = bind(stmt, at, POSTGRES_INT8);
    postgres_put_int(to->number, value);
    to->value = to->number;
    to->len = sizeof(to->number);
}

static void bind_bytes(struct stmt *stmt, int at, const void *bytes, size_t len)
{
    struct parameter *to = bind(stmt, at, POSTGRES_BYTES);
    if (len > POSTGRES_VALUE_MOST)
        db_fail(stmt->db, DB_CONSTRAINT, "a value is larger than PostgreSQL takes");
    to->value = bytes;
    to->len = (int)len;
}

static void bind_text(struct stmt *stmt, int at, const char *text, size_t len)
{
    bind_bytes(stmt, at, text, len);
    stmt_of(stmt)->types[at - 1] = POSTGRES_TEXT;
    if (memchr(text, '\0', len) != NULL)
        db_fail(stmt->db, DB_CONSTRAINT, "a text has a NUL in it");
}

/* ---- running ---- */

static void run_control(struct postgres_db *db, const char *sql)
{
    pipeline_run_text(db->pipeline, sql, &(struct pipeline_values){ 0 });
}

/* What has to stand before the next statement. */
static void begin_if_needed(struct postgres_db *db)
{
    if (!db->begun)
        run_control(db, db_writes(&db->db) ? "BEGIN"
                                           : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    db->begun = true;
    for (; db->parts_begun < db->parts; db->parts_begun++)
        run_control(db, "SAVEPOINT part");
}

/* What is NULL may be of any type. */
static bool shape_fits(const struct shape *shape, const struct postgres_stmt *stmt)
{
    for (int i = 0; i < stmt->sql.parameters; i++) {
        if (stmt->types[i] != 0 && shape->types[i] != stmt->types[i])
            return false;
    }
    return true;
}

static struct shape *shape_new(struct postgres_db *db, struct postgres_stmt *stmt)
{
    size_t count = (size_t)stmt->sql.parameters;
    struct shape *shape = must_alloc(sizeof(*shape) + count * sizeof(Oid));

    snprintf(shape->name, sizeof(shape->name), "s%u", ++db->names);
    for (size_t i = 0; i < count; i++) {
        shape->types[i] = stmt->types[i];
        for (const struct shape *other = stmt->shapes; other != NULL && shape->types[i] == 0;
             other = other->next)
            shape->types[i] = other->types[i]; /* so that there are few of them */
    }
    shape->next = stmt->shapes;
    stmt->shapes = shape;
    return shape;
}

static struct shape *shape_of(struct postgres_db *db, struct postgres_stmt *stmt)
{
    for (struct shape *shape = stmt->shapes; shape != NULL; shape = shape->next) {
        if (shape_fits(shape, stmt))
            return shape;
    }
    return shape_new(db, stmt);
}

static void run(struct postgres_db *db, struct postgres_stmt *stmt)
{
    for (int i = 0; i < stmt->sql.parameters; i++) {
        stmt->values[i] = stmt->parameters[i].value;
        stmt->lengths[i] = stmt->parameters[i].len;
    }
    const struct pipeline_values with = { .count = stmt->sql.parameters,
                                          .types = stmt->types,
                                          .values = stmt->values,
                                          .lengths = stmt->lengths };
    begin_if_needed(db);
    db->wrote = db->wrote || stmt->sql.writes;
    db->all_changes += stmt->sql.writes;
    if (!stmt->kept) {
        pipeline_run_text(db->pipeline, stmt->sql.text, &with);
        return;
    }
    struct shape *shape = shape_of(db, stmt);
    if (shape->prepared != pipeline_generation(db->pipeline))
        pipeline_prepare(db->pipeline, shape->name, stmt->sql.text, with.count, shape->types,
                         &shape->prepared);
    pipeline_run(db->pipeline, shape->name, &with);
}

static enum db_row step(struct stmt *any)
{
    struct postgres_stmt *stmt = stmt_of(any);
    struct postgres_db *db = db_of(any->db);

    if (!stmt->ran) {
        stmt->ran = true;
        run(db, stmt);
        if (stmt->sql.rows)
            stmt->result = pipeline_rows(db->pipeline);
        note(db, stmt->sql.text);
    }
    if (stmt->result == NULL || stmt->row + 1 >= libpq.PQntuples(stmt->result))
        return DB_DONE;
    stmt->row++;
    return DB_ROW;
}

static bool is_null(struct stmt *any, int column)
{
    const struct postgres_stmt *stmt = stmt_of(any);
    return stmt->result == NULL || stmt->row < 0 ||
           libpq.PQgetisnull(stmt->result, stmt->row, column);
}

static int64_t int_at(struct stmt *any, int column)
{
    const struct postgres_stmt *stmt = stmt_of(any);
    return is_null(any, column) ? 0 : postgres_int(stmt->result, stmt->row, column);
}

static const char *number_as_text(struct postgres_stmt *stmt, int column)
{
    if (stmt->words == NULL)
        stmt->words = must_alloc((size_t)libpq.PQnfields(stmt->result) * sizeof(*stmt->words));
    snprintf(stmt->words[column], WORDS_BYTES, "%" PRId64,
             postgres_int(stmt->result, stmt->row, column));
    return stmt->words[column];
}

static const char *text_at(struct stmt *any, int column)
{
    struct postgres_stmt *stmt = stmt_of(any);
    if (is_null(any, column))
        return NULL;
    if (postgres_is_number(libpq.PQftype(stmt->result, column)))
        return number_as_text(stmt, column);
    return libpq.PQgetvalue(stmt->result, stmt->row, column);
}

static const void *bytes_at(struct stmt *any, int column, size_t *len)
{
    const struct postgres_stmt *stmt = stmt_of(any);
    const char *bytes = text_at(any, column);
    *len = 0;
    if (bytes == NULL)
        return NULL;
    *len = postgres_is_number(libpq.PQftype(stmt->result, column))
               ? strlen(bytes)
               : (size_t)libpq.PQgetlength(stmt->result, stmt->row, column);
    return bytes;
}

/* Waits until what was sent is answered. */
static void await(struct postgres_db *db)
{
    libpq.PQclear(pipeline_rows(db->pipeline));
    note(db, NULL);
}

static int64_t changes(struct db *any)
{
    struct postgres_db *db = db_of(any);
    await(db);
    return pipeline_failed(db->pipeline) ? 0 : pipeline_changes(db->pipeline);
}

static void changes_into(struct db *any, int64_t *into)
{
    pipeline_changes_into(db_of(any)->pipeline, into);
}

static void await_all(struct db *any)
{
    await(db_of(any));
}

static int64_t all_changes(struct db *db)
{
    return db_of(db)->all_changes;
}

/* ---- transactions ---- */

static bool connect_now(struct postgres_db *db)
{
    /* from its end on: to be refused may take as long as a connection may */
    db->refused_us = pipeline_connect(db->pipeline, db->set_up) ? 0 : clock_steady_us();
    return db->refused_us == 0;
}

static void begin(struct db *any)
{
    struct postgres_db *db = db_of(any);
    int64_t now_us = clock_steady_us();

    db->begun = db->wrote = false;
    db->parts = db->parts_begun = 0;
    pipeline_forget(db->pipeline);
    if (pipeline_stands(db->pipeline))
        return;
    if (db->refused_us != 0 && now_us - db->refused_us < CONNECT_AGAIN_MS * INT64_C(1000))
        db_fail(any, DB_LOST, "not connected");
    else if (!connect_now(db))
        db_fail(any, DB_LOST, pipeline_failure(db->pipeline)->text);
}

/* The connection was lost with a COMMIT under way.  True: it is on disk. */
static bool settle(struct db *any)
{
    struct postgres_db *db = db_of(any);
    switch (postgres_fate_of(db->pipeline, db->set_up, db->mark, db->transaction,
                             postgres_source_of(&db->db)->patience_ms)) {
    case FATE_COMMITTED:
        pipeline_forget(db->pipeline);
        return true;
    case FATE_UNDONE:
        pipeline_forget(db->pipeline);
        db_fail(any, DB_RETRY, "the connection was lost before a commit");
        return false;
    case FATE_UNKNOWN:
        break;
    }
    pipeline_close(db->pipeline);
    db_fail(any, DB_LOST, "the answer to a commit was lost, and there is nobody to ask");
    return false;
}

/* Whether a commit whose answer is lost can be asked after. */
static bool marks(const struct postgres_db *db)
{
    return db->wrote && db->db.mode == DB_WRITER;
}

static void commit(struct db *any)
{
    struct postgres_db *db = db_of(any);
    if (!db->begun)
        return;
    if (db->wrote && any->guarded)
        postgres_guard(db->pipeline, &any->guard, &db->guard_prepared);
    if (marks(db))
        postgres_mark(db->pipeline, db->mark, ++db->transaction);
    run_control(db, "COMMIT");
    pipeline_settle(db->pipeline);
    bool lost = pipeline_failed(db->pipeline) &&
                postgres_failure(pipeline_failure(db->pipeline)->state) == DB_LOST;
    if (lost && marks(db))
        settle(any);
    else
        note(db, NULL);
    db->begun = pipeline_failed(db->pipeline);
}

static void undo(struct db *any)
{
    struct postgres_db *db = db_of(any);
    if (db->begun && pipeline_up(db->pipeline)) {
        pipeline_settle(db->pipeline); /* after an error it listens again */
        pipeline_forget(db->pipeline);
        run_control(db, "ROLLBACK");
        pipeline_settle(db->pipeline);
        if (pipeline_failed(db->pipeline))
            pipeline_close(db->pipeline); /* the other side undoes it by itself */
    }
    db->begun = db->wrote = false;
    db->parts = db->parts_begun = 0;
}

static void begin_part(struct db *any)
{
    db_of(any)->parts++;
}

static void keep_part(struct db *any)
{
    struct postgres_db *db = db_of(any);
    if (db->parts_begun == db->parts) {
        run_control(db, "RELEASE part");
        await(db);
        if (pipeline_failed(db->pipeline))
            return; /* it is still open */
        db->parts_begun--;
    }
    db->parts--;
}

static void undo_part(struct db *any)
{
    struct postgres_db *db = db_of(any);
    if (db->parts_begun == db->parts) {
        pipeline_settle(db->pipeline);
        if (!pipeline_failed(db->pipeline) ||
            postgres_failure(pipeline_failure(db->pipeline)->state) != DB_CONSTRAINT)
            note(db, NULL);
        pipeline_forget(db->pipeline);
        run_control(db, "ROLLBACK TO part");
        run_control(db, "RELEASE part");
        db->parts_begun--;
    }
    db->parts--;
    if (!pipeline_up(db->pipeline))
        note(db, NULL);
}

/* ---- shared with others ---- */

static void stop_node(struct db *any, int64_t node)
{
    struct postgres_db *db = db_of(any);
    begin_if_needed(db);
    postgres_stop_node(db->pipeline, node);
    await(db);
}

static int64_t clock_now(struct db *any)
{
    struct postgres_db *db = db_of(any);
    begin_if_needed(db);
    int64_t now = postgres_clock(db->pipeline);
    note(db, NULL);
    return now;
}

static void tell(struct db *any)
{
    struct postgres_db *db = db_of(any);
    begin_if_needed(db);
    postgres_notify(db->pipeline);
}

static int socket_of(struct db *db)
{
    return pipeline_socket(db_of(db)->pipeline);
}

static bool told(struct db *db)
{
    return pipeline_notified(db_of(db)->pipeline);
}

static bool ask_watch(void *context)
{
    const struct postgres_db *db = context;
    return db->db.failure == DB_FINE && db->db.watch(db->db.watch_context);
}

static void watched(struct db *any)
{
    struct postgres_db *db = db_of(any);
    pipeline_watch(db->pipeline, any->watch != NULL ? ask_watch : NULL, db);
}

/* ---- open and close ---- */

/* Locks are waited for as long as SQLite's; what hangs within a transaction ends it. */
static const char set_up_all[] =
    "SET standard_conforming_strings = on; SET jit = off; SET lock_timeout = '5s'; "
    "SET idle_in_transaction_session_timeout = '60s'";

static char *set_up_of(const struct postgres_db *db)
{
    struct buf sql = { 0 };
    buf_str(&sql, set_up_all);
    if (db_writes(&db->db)) /* sooner than others give up waiting for its locks */
        buf_str(&sql, "; SET idle_in_transaction_session_timeout = '4s'");
    if (db->db.mode == DB_WRITER)
        postgres_mark_set_up(&sql, db->mark);
    if (db->db.mode == DB_ASIDE)
        postgres_listen_set_up(&sql);
    return buf_take(&sql);
}

static void close_db(struct db *any)
{
    struct postgres_db *db = db_of(any);
    if (db->owns_source)
        postgres_source_close(any->source);
    pipeline_free(db->pipeline);
    free(db->set_up);
    free(db);
}

static struct db *open_db(struct db_source *source, enum db_mode mode, struct error *error)
{
    struct postgres_db *db = must_alloc(sizeof(*db));
    db_init(&db->db, source, mode);
    const struct postgres_source *from = postgres_source_of(&db->db);
    db->pipeline = postgres_source_pipeline(from, mode == DB_ASIDE ? ASIDE_PATIENCE_MS : INT_MAX);
    db->mark = postgres_mark_key();
    db->set_up = set_up_of(db);
    if (connect_now(db))
        return &db->db;
    postgres_source_refuse(from, db->pipeline, error);
    close_db(&db->db);
    return NULL;
}

static bool update(struct db *any, struct error *error)
{
    return postgres_schema_update(db_of(any)->pipeline, any->source->name, error);
}

bool postgres_make_schema(struct db *any, struct error *error)
{
    struct postgres_db *db = db_of(any);
    begin_if_needed(db);
    pipeline_settle(db->pipeline);
    db->wrote = true;
    return postgres_schema_make(db->pipeline, any->source->name, error);
}

/* ---- upkeep: PostgreSQL does its own ---- */

static bool upkeep_start(struct db *db, struct error *error)
{
    (void)db;
    (void)error;
    return true;
}

static void upkeep(struct db *db)
{
    (void)db;
}

static void disk(struct db *any, struct disk_figures *out)
{
    struct postgres_db *db = db_of(any);
    *out = (struct disk_figures){ .database = -1, .log = -1, .free = -1, .size = -1 };
    begin_if_needed(db);
    run_control(db, "SELECT pg_database_size(current_database())");
    PGresult *rows = pipeline_rows(db->pipeline);
    if (rows != NULL && libpq.PQntuples(rows) == 1)
        out->database = postgres_int(rows, 0, 0);
    libpq.PQclear(rows);
    note(db, NULL);
}

/* A source without the directory's lock, which a server may have. */
static struct db *check(const struct db_where *where, struct check *check)
{
    struct error error = { 0 };
    struct db_where open = *where;
    struct db_source *source;
    struct db *db = NULL;
    bool fresh;

    check_tell(check, CHECK_STEP, "the schema");
    open.directory = NULL;
    source = postgres_source_open(&open, &fresh, &error);
    if (source != NULL)
        db = open_db(source, DB_READER, &error);
    if (db == NULL || !postgres_schema_fits(db_of(db)->pipeline, source->name, &error)) {
        check_tell(check, CHECK_FAILURE, "%s", error.message);
        if (db != NULL)
            close_db(db);
        if (source != NULL)
            postgres_source_close(source);
        return NULL;
    }
    check_tell(check, CHECK_FINE, "the schema");
    check_tell(check, CHECK_NOTE, "PostgreSQL looks after its own files: see pg_amcheck");
    db_of(db)->owns_source = true;
    return db;
}

const struct db_driver postgres_driver = {
    .name = "postgresql",
    .source_open = postgres_source_open,
    .source_close = postgres_source_close,
    .open = open_db,
    .close = close_db,
    .update = update,
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
    .await = await_all,
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
    .socket = socket_of,
    .told = told,
    .upkeep_start = upkeep_start,
    .upkeep = upkeep,
    .make_room = upkeep,
    .disk = disk,
    .check = check,
};
