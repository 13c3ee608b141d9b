/* sqlite_schema_parts.c — the model is made by running the schema files; both sides are then
 * described by the same queries, and the descriptions are compared as texts.
 *
 * A description says what statements rely on: the columns of a table in order with their types and
 * which make its key, the columns of an index and whether it is unique or partial.  Not the text of
 * the CREATE, which has comments.
 */
#include "db/sqlite_schema_parts.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/fail.h"
#include "db/sqlite_functions.h"

#include <stdlib.h>
#include <string.h>

struct schema_parts {
    sqlite3 *model;
    struct buf name;
};

enum { PART_KIND, PART_NAME, PART_TABLE };

static const char parts_sql[] = "SELECT type, name, tbl_name FROM sqlite_schema "
                                "WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%' "
                                "ORDER BY type DESC, name";
static const char columns_sql[] =
    "SELECT group_concat(name || ' ' || type || ' ' || pk, ', ') FROM pragma_table_xinfo(?)";
static const char index_sql[] =
    "SELECT (SELECT group_concat(coalesce(name, '(expression)') || ' ' || desc, ', ') FROM "
    "pragma_index_xinfo(l.name)) || ' unique ' || l.\"unique\" || ' partial ' || l.partial "
    "FROM sqlite_schema s, pragma_index_list(s.tbl_name) l WHERE s.name = ?1 AND l.name = ?1";

struct schema_parts *schema_parts_new(void)
{
    struct schema_parts *parts = must_alloc(sizeof(*parts));
    bool good =
        sqlite3_open(":memory:", &parts->model) == SQLITE_OK && sqlite_add_functions(parts->model);
    for (size_t i = 0; good && i < schema_count; i++)
        good = sqlite3_exec(parts->model, schema[i].data, NULL, NULL, NULL) == SQLITE_OK;
    if (good)
        return parts;
    schema_parts_free(parts);
    return NULL;
}

void schema_parts_free(struct schema_parts *parts)
{
    if (parts == NULL)
        return;
    sqlite3_close(parts->model);
    buf_free(&parts->name);
    free(parts);
}

/* The first row's text, "" without one.  False: the query failed. */
static bool ask_text(sqlite3 *handle, const char *sql, const char *with, struct buf *out)
{
    sqlite3_stmt *stmt = NULL;
    bool good = false;
    buf_reset(out);
    if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, with, -1, SQLITE_STATIC);
        int code = sqlite3_step(stmt);
        if (code == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
            buf_str(out, (const char *)sqlite3_column_text(stmt, 0));
        good = code == SQLITE_ROW || code == SQLITE_DONE;
    }
    return sqlite3_finalize(stmt) == SQLITE_OK && good;
}

const char *schema_parts_next(struct schema_parts *parts, const char *after)
{
    struct buf last = { 0 };
    buf_str(&last, after != NULL ? after : "");
    ask_text(parts->model,
             "SELECT min(name) FROM sqlite_schema WHERE type = 'table' AND name > ? AND "
             "name NOT LIKE 'sqlite_%'",
             buf_text(&last), &parts->name);
    buf_free(&last);
    return parts->name.len > 0 ? buf_text(&parts->name) : NULL;
}

/* ---- comparing ---- */

struct comparison {
    sqlite3 *model, *file;
    schema_lack *tell;
    void *context;
    struct buf wanted, had, words;
};

static bool compare_part(struct comparison *with, sqlite3_stmt *part)
{
    const char *kind = (const char *)sqlite3_column_text(part, PART_KIND);
    const char *name = (const char *)sqlite3_column_text(part, PART_NAME);
    const char *of = (const char *)sqlite3_column_text(part, PART_TABLE);
    const char *sql = strcmp(kind, "table") == 0 ? columns_sql : index_sql;
    if (!ask_text(with->model, sql, name, &with->wanted) ||
        !ask_text(with->file, sql, name, &with->had))
        return false;
    if (strcmp(buf_text(&with->wanted), buf_text(&with->had)) == 0)
        return true;
    buf_reset(&with->words);
    if (sql == columns_sql)
        buf_fmt(&with->words, "table %s", name);
    else
        buf_fmt(&with->words, "index %s of table %s", name, of);
    if (with->had.len == 0)
        buf_str(&with->words, " is missing");
    else
        buf_fmt(&with->words, " is not as this version has it: (%s) for (%s)", buf_text(&with->had),
                buf_text(&with->wanted));
    with->tell(with->context, buf_text(&with->words));
    return true;
}

bool schema_parts_compare(struct schema_parts *parts, sqlite3 *handle, schema_lack *tell,
                          void *context)
{
    struct comparison with = {
        .model = parts->model, .file = handle, .tell = tell, .context = context
    };
    sqlite3_stmt *list = NULL;
    bool good = sqlite3_prepare_v2(parts->model, parts_sql, -1, &list, NULL) == SQLITE_OK;
    while (good && sqlite3_step(list) == SQLITE_ROW)
        good = compare_part(&with, list);
    sqlite3_finalize(list);
    buf_free(&with.wanted);
    buf_free(&with.had);
    buf_free(&with.words);
    return good;
}

/* ---- reading ---- */

static bool read_one(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    bool good = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK;
    if (good)
        sqlite3_step(stmt);
    return sqlite3_finalize(stmt) == SQLITE_OK && good;
}

bool schema_parts_edges(struct schema_parts *parts, sqlite3 *handle, const char *table)
{
    struct buf key = { 0 }, sql = { 0 };
    ask_text(parts->model,
             "SELECT coalesce((SELECT group_concat('\"' || name || '\" DESC', ', ') FROM (SELECT "
             "name FROM pragma_table_info(?1) WHERE pk > 0 AND (SELECT wr FROM "
             "pragma_table_list(?1)) ORDER BY pk)), 'rowid DESC')",
             table, &key);
    buf_fmt(&sql, "SELECT * FROM \"%s\" NOT INDEXED LIMIT 1", table);
    bool good = read_one(handle, buf_text(&sql));
    buf_reset(&sql);
    buf_fmt(&sql, "SELECT * FROM \"%s\" NOT INDEXED ORDER BY %s LIMIT 1", table, buf_text(&key));
    good = good && read_one(handle, buf_text(&sql));
    buf_free(&key);
    buf_free(&sql);
    return good;
}
