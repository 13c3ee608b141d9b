/* postgres_transfer.c — table by table: columns from SQLite's pragmas, rows by one prepared INSERT
 * a table.
 *
 * PostgreSQL's foreign keys are taken away first and put back at the end, which checks all rows at
 * once; so the order of the tables does not matter, nor does a circle among them.  What the schema
 * itself has put into a table gives way to what SQLite has there.
 */
#include "db/transfer.h"

#include "base/buf.h"
#include "base/fail.h"
#include "db/driver.h"
#include "db/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLES_MOST = 200,
    COLUMNS_MOST = 100,
    NAME_BYTES = 64,
    TELL_EVERY = 1000, /* rows */
};

struct table {
    char name[NAME_BYTES];
    char *insert; /* its address is the statement's */
    int64_t rows; /* in SQLite */
    int columns;
    enum value { VALUE_INT, VALUE_TEXT, VALUE_BYTES } types[COLUMNS_MOST];
};

struct transfer {
    struct db *from, *to;
    const struct transfer_news *news;
    struct table *tables[TABLES_MOST];
    int count;
    int64_t done, all;
};

static bool refuse(const struct transfer *transfer, const char *what, struct error *error)
{
    struct db *bad = db_failed(transfer->from) ? transfer->from : transfer->to;
    error_set(error, ERROR_BROKEN, "%s: %s", what, db_failure_text(bad));
    return false;
}

static bool all_well(const struct transfer *transfer)
{
    return !db_failed(transfer->from) && !db_failed(transfer->to);
}

/* ---- what there is ---- */

static enum value type_of(const char *declared)
{
    if (strcmp(declared, "INTEGER") == 0)
        return VALUE_INT;
    return strcmp(declared, "BLOB") == 0 ? VALUE_BYTES : VALUE_TEXT;
}

static void read_columns(struct transfer *transfer, struct table *table)
{
    struct buf names = { 0 }, places = { 0 }, insert = { 0 };
    struct stmt *list =
        db_prepare_once(transfer->from, "SELECT name, type FROM pragma_table_info(?) ORDER BY cid");
    db_bind_text(list, 1, table->name);
    while (db_step(list) == DB_ROW) {
        if (table->columns == COLUMNS_MOST)
            bug("%s has too many columns", table->name);
        buf_fmt(&names, "%s\"%s\"", table->columns > 0 ? ", " : "", db_text(list, 0));
        buf_str(&places, table->columns > 0 ? ", ?" : "?");
        table->types[table->columns++] = type_of(db_text(list, 1));
    }
    db_finish(list);
    buf_fmt(&insert, "INSERT INTO \"%s\" (%s) VALUES (%s)", table->name, buf_text(&names),
            buf_text(&places));
    table->insert = buf_take(&insert);
    buf_free(&names);
    buf_free(&places);
}

static int64_t count_rows(struct db *db, const char *table)
{
    struct buf sql = { 0 };
    buf_fmt(&sql, "SELECT count(*) FROM \"%s\"", table);
    int64_t rows = db_number(db_prepare_once(db, buf_text(&sql)), -1);
    buf_free(&sql);
    return rows;
}

static void read_tables(struct transfer *transfer)
{
    struct stmt *list =
        db_prepare_once(transfer->from, "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                                        "substr(name, 1, 7) <> 'sqlite_' ORDER BY name");
    while (db_step(list) == DB_ROW) {
        if (transfer->count == TABLES_MOST)
            bug("there are too many tables");
        struct table *table = must_alloc(sizeof(*table));
        *table = (struct table){ 0 };
        snprintf(table->name, sizeof(table->name), "%s", db_text(list, 0));
        transfer->tables[transfer->count++] = table;
    }
    db_finish(list);
    for (int i = 0; i < transfer->count; i++) {
        read_columns(transfer, transfer->tables[i]);
        transfer->tables[i]->rows = count_rows(transfer->from, transfer->tables[i]->name);
        transfer->all += transfer->tables[i]->rows;
    }
}

/* ---- rows ---- */

static void bind_row(const struct table *table, struct stmt *row, struct stmt *put)
{
    for (int i = 0; i < table->columns; i++) {
        size_t len = 0;
        const void *bytes;
        if (row->driver->is_null(row, i))
            db_bind_bytes(put, i + 1, NULL, 0);
        else if (table->types[i] == VALUE_INT)
            db_bind_int(put, i + 1, db_int(row, i));
        else if (bytes = db_bytes(row, i, &len), table->types[i] == VALUE_BYTES)
            db_bind_bytes(put, i + 1, bytes != NULL ? bytes : "", len);
        else
            db_bind_chars(put, i + 1, bytes != NULL ? bytes : "", len);
    }
}

static bool copy_rows(struct transfer *transfer, struct table *table, struct error *error)
{
    struct buf sql = { 0 };
    buf_fmt(&sql, "DELETE FROM \"%s\"", table->name); /* what the schema put there */
    db_run(transfer->to, db_prepare_once(transfer->to, buf_text(&sql)));
    buf_reset(&sql);
    buf_fmt(&sql, "SELECT * FROM \"%s\"", table->name);
    struct stmt *rows = db_prepare_once(transfer->from, buf_text(&sql));
    int64_t count = 0;
    while (all_well(transfer) && db_step(rows) == DB_ROW) {
        struct stmt *put = db_prepare(transfer->to, table->insert);
        bind_row(table, rows, put);
        db_run(transfer->to, put);
        transfer->done++;
        if (++count % TELL_EVERY == 0)
            transfer->news->tell(transfer->news->context, transfer->done, transfer->all, NULL, 0);
    }
    db_finish(rows);
    buf_free(&sql);
    int64_t there = count_rows(transfer->to, table->name);
    if (!all_well(transfer))
        return refuse(transfer, table->name, error);
    if (there != table->rows || count != table->rows) {
        error_set(error, ERROR_BROKEN,
                  "%s: of %" PRId64 " rows %" PRId64 " were read and %" PRId64 " are there",
                  table->name, table->rows, count, there);
        return false;
    }
    transfer->news->tell(transfer->news->context, transfer->done, transfer->all, table->name,
                         count);
    return true;
}

/* ---- what is around the rows ---- */

/* A statement a line; takes the buffer. */
static void run_lines(struct db *db, struct buf *lines)
{
    char *text = buf_take(lines);
    for (char *at = text, *next; *at != '\0'; at = next) {
        next = at + strcspn(at, "\n");
        *next++ = '\0';
        db_run(db, db_prepare_once(db, at));
    }
    free(text);
}

/* Takes the foreign keys away; `again` holds what puts them back, one a line. */
static void drop_foreign_keys(struct db *to, struct buf *again)
{
    struct buf drops = { 0 };
    struct stmt *list = db_prepare_once(
        to, "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
            "JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND k.conparentid = 0 "
            "AND k.connamespace = current_schema()::regnamespace");
    while (db_step(list) == DB_ROW) {
        buf_fmt(&drops, "ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"\n", db_text(list, 0),
                db_text(list, 1));
        buf_fmt(again, "ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" %s\n", db_text(list, 0),
                db_text(list, 1), db_text(list, 2));
    }
    db_finish(list);
    run_lines(to, &drops);
}

/* Ids that PostgreSQL gives begin behind all that SQLite has given. */
static void set_identity(struct transfer *transfer, const char *table, const char *column)
{
    struct buf sql = { 0 };
    struct stmt *last =
        db_prepare_once(transfer->from, "SELECT seq FROM sqlite_sequence WHERE name = ?");
    db_bind_text(last, 1, table);
    int64_t given = db_number(last, 0);
    buf_fmt(&sql,
            "SELECT setval(pg_get_serial_sequence('\"%s\"', '%s')::regclass, "
            "greatest(coalesce(max(\"%s\"), "
            "0), ?1, 1), greatest(coalesce(max(\"%s\"), 0), ?1) > 0) FROM \"%s\"",
            table, column, column, column, table);
    struct stmt *set = db_prepare_once(transfer->to, buf_text(&sql));
    db_bind_int(set, 1, given);
    db_number(set, 0);
    buf_free(&sql);
}

static void set_identities(struct transfer *transfer)
{
    struct buf names = { 0 };
    struct stmt *list = db_prepare_once(
        transfer->to, "SELECT table_name, column_name FROM information_schema.columns WHERE "
                      "is_identity = 'YES' AND table_schema = current_schema()");
    while (db_step(list) == DB_ROW)
        buf_fmt(&names, "%s\n%s\n", db_text(list, 0), db_text(list, 1));
    db_finish(list);
    char *text = buf_take(&names);
    for (char *at = text; *at != '\0';) {
        char *column = at + strcspn(at, "\n");
        *column++ = '\0';
        char *next = column + strcspn(column, "\n");
        *next++ = '\0';
        set_identity(transfer, at, column);
        at = next;
    }
    free(text);
}

static bool copy_all(struct transfer *transfer, struct error *error)
{
    struct buf keys = { 0 };
    bool good = postgres_make_schema(transfer->to, error);
    if (good)
        drop_foreign_keys(transfer->to, &keys);
    for (int i = 0; good && i < transfer->count; i++)
        good = copy_rows(transfer, transfer->tables[i], error);
    if (good) {
        set_identities(transfer);
        run_lines(transfer->to, &keys);
        good = all_well(transfer) || refuse(transfer, "the end", error);
    }
    buf_free(&keys);
    return good;
}

static bool in_one_transaction(struct transfer *transfer, struct error *error)
{
    db_begin(transfer->from, 0, 0);
    db_begin(transfer->to, 0, 0);
    read_tables(transfer);
    bool good = all_well(transfer) || refuse(transfer, "the tables", error);
    good = good && copy_all(transfer, error);
    db_undo(transfer->from);
    if (!good)
        db_undo(transfer->to);
    else if (!db_commit(transfer->to))
        good = refuse(transfer, "the commit", error);
    return good;
}

bool transfer_store(struct db_source *from, struct db_source *to, const struct transfer_news *news,
                    struct error *error)
{
    struct id_source ids = { 0 }; /* nothing is given one */
    struct transfer transfer = { .news = news };
    transfer.from = db_open(from, DB_WRITER, &ids, error);
    if (transfer.from != NULL)
        transfer.to = db_open(to, DB_WRITER, &ids, error);
    bool good = transfer.to != NULL && in_one_transaction(&transfer, error);
    db_close(transfer.to);
    db_close(transfer.from);
    for (int i = 0; i < transfer.count; i++) {
        free(transfer.tables[i]->insert);
        free(transfer.tables[i]);
    }
    return good;
}
