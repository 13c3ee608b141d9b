/* sqlite_schema.c — the version of a database file, and the numbered files that bring it up to
 * date.
 *
 * PRAGMA application_id says that a file is ours, PRAGMA user_version how many of the files in
 * schema/sqlite it has seen; both change in the same transaction as the tables, so that a crash
 * leaves a file either before or after each step.
 *
 * The rule: a file that is not ours, is damaged, or is newer than this program is not written to.
 */
#include "db/sqlite_schema.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/log.h"
#include "db/sqlite.h"
#include "db/sqlite_schema_parts.h"

#include <inttypes.h>
#include <stdlib.h>

/* One number that a query gives; false on an error. */
static bool ask(sqlite3 *handle, const char *sql, int64_t *value)
{
    sqlite3_stmt *stmt = NULL;
    bool good = false;
    if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK) {
        int code = sqlite3_step(stmt);
        *value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
        good = code == SQLITE_ROW || code == SQLITE_DONE;
    }
    return sqlite3_finalize(stmt) == SQLITE_OK && good;
}

static bool refuse(sqlite3 *handle, const char *path, struct error *error)
{
    int code = sqlite3_errcode(handle);
    if (code == SQLITE_NOTADB)
        error_set(error, ERROR_BROKEN,
                  "%s is not a database (its header is damaged or it is another kind of file)",
                  path);
    else if (code == SQLITE_CORRUPT)
        error_set(error, ERROR_BROKEN, "%s is damaged (%s): restore it from a backup", path,
                  sqlite3_errmsg(handle));
    else
        error_set(error, ERROR_BROKEN, "%s cannot be read: %s", path, sqlite3_errmsg(handle));
    return false;
}

bool schema_identify(sqlite3 *handle, const char *path, struct error *error)
{
    int64_t application = 0, version = 0, objects = 0;

    if (!ask(handle, "PRAGMA application_id", &application) ||
        !ask(handle, "PRAGMA user_version", &version) ||
        !ask(handle, "SELECT count(*) FROM sqlite_schema", &objects))
        return refuse(handle, path, error);
    if (application == 0 && version == 0 && objects == 0)
        return true;
    if (application != SCHEMA_APPLICATION) {
        error_set(error, ERROR_BROKEN,
                  "%s belongs to another program (its application id is %" PRId64
                  ", postbackd's is %d)",
                  path, application, SCHEMA_APPLICATION);
        return false;
    }
    if (version < 1 || version > (int64_t)schema_count) {
        error_set(error, ERROR_BROKEN,
                  "%s was written by a later version of postbackd (its schema is %" PRId64
                  ", this program knows up to %zu)",
                  path, version, schema_count);
        return false;
    }
    return true;
}

static bool run_file(sqlite3 *handle, size_t number)
{
    struct buf sql = { 0 };
    buf_str(&sql, "BEGIN IMMEDIATE;\n");
    buf_add(&sql, schema[number].data, schema[number].len);
    buf_fmt(&sql, "\nPRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT;",
            SCHEMA_APPLICATION, number + 1);
    bool good = sqlite3_exec(handle, buf_text(&sql), NULL, NULL, NULL) == SQLITE_OK;
    buf_free(&sql);
    return good;
}

static void take_first(void *context, const char *words)
{
    struct buf *first = context;
    if (first->len == 0)
        buf_str(first, words);
}

static bool refuse_damaged(const char *path, const char *words, struct error *error)
{
    error_set(error, ERROR_BROKEN, "%s is damaged (%s): restore it from a backup", path, words);
    return false;
}

/* Everything is there that statements rely on, and each table's own tree can be gone down on both
 * sides, the right one being where it grows. */
static bool check_parts(sqlite3 *handle, const char *path, struct error *error)
{
    struct schema_parts *parts = schema_parts_new();
    struct buf first = { 0 };
    const char *table = NULL;
    if (parts == NULL) {
        error_set(error, ERROR_BROKEN, "no memory for the schema");
        return false;
    }
    bool good = schema_parts_compare(parts, handle, take_first, &first);
    while (good && first.len == 0 && (table = schema_parts_next(parts, table)) != NULL)
        good = schema_parts_edges(parts, handle, table);
    if (!good)
        refuse(handle, path, error);
    else if (first.len > 0)
        good = refuse_damaged(path, buf_text(&first), error);
    buf_free(&first);
    schema_parts_free(parts);
    return good;
}

/* Runs the numbered files that are newer than the database, each in a transaction of its own, and
 * checks that all its parts are there and every table can be read on both its sides. */
bool sqlite_update(struct db *db, struct error *error)
{
    const char *path = db->source->name;
    sqlite3 *handle = sqlite_handle(db);
    int64_t version = 0;

    if (!ask(handle, "PRAGMA user_version", &version))
        return refuse(handle, path, error);
    for (size_t number = (size_t)version; number < schema_count; number++) {
        if (!run_file(handle, number)) {
            error_set(error, ERROR_BROKEN, "%s: %s cannot be applied: %s", path,
                      schema[number].name, sqlite3_errmsg(handle));
            sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
            return false;
        }
        log_info("schema applied", LOG_T("file", schema[number].name), LOG_T("database", path));
    }
    return check_parts(handle, path, error);
}
