/* postgres_schema.c — every step takes the lock, looks at the version, and runs the next file, so
 * that of two programs that begin at once each file is run by one. */
#include "db/postgres_schema.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/log.h"
#include "db/postgres_value.h"

#include <inttypes.h>
#include <string.h>

static const char lock_sql[] =
    "BEGIN; SELECT pg_advisory_xact_lock(1885498980, hashtext(coalesce(current_schema(), '')));"
    "CREATE TABLE IF NOT EXISTS postbackd_schema (version bigint NOT NULL)";

/* One number that a query gives, 0 without a row.  False: it failed. */
static bool ask(struct pipeline *pipeline, const char *sql, int64_t *number)
{
    pipeline_run_text(pipeline, sql, &(struct pipeline_values){ 0 });
    PGresult *rows = pipeline_rows(pipeline);
    *number = rows != NULL && libpq.PQntuples(rows) > 0 ? postgres_int(rows, 0, 0) : 0;
    libpq.PQclear(rows);
    return rows != NULL;
}

bool postgres_schema_fresh(struct pipeline *pipeline, bool *fresh)
{
    int64_t absent = 0;
    bool known = ask(pipeline, "SELECT to_regclass('postbackd_schema') IS NULL", &absent);
    pipeline_settle(pipeline);
    *fresh = absent == 1;
    return known && !pipeline_failed(pipeline);
}

static bool run_file(struct pipeline *pipeline, int64_t number)
{
    struct buf sql = { 0 };
    buf_add(&sql, postgres_schema[number].data, postgres_schema[number].len);
    buf_fmt(&sql,
            "\nDELETE FROM postbackd_schema; INSERT INTO postbackd_schema VALUES (%" PRId64
            "); COMMIT",
            number + 1);
    bool good = pipeline_script(pipeline, buf_text(&sql));
    buf_free(&sql);
    return good;
}

/* True: there may be another one. */
static bool next_step(struct pipeline *pipeline, const char *name, struct error *error)
{
    const int64_t count = (int64_t)postgres_schema_count;
    int64_t version = 0;

    if (!pipeline_script(pipeline, lock_sql) ||
        !ask(pipeline, "SELECT max(version) FROM postbackd_schema", &version))
        return false;
    pipeline_settle(pipeline);
    if (version > count)
        error_set(error, ERROR_BROKEN,
                  "%s was written by a later version of postbackd (its schema is %" PRId64
                  ", this program knows up to %" PRId64 ")",
                  name, version, count);
    if (version >= count) {
        pipeline_script(pipeline, "COMMIT");
        return false;
    }
    if (!run_file(pipeline, version)) {
        error_set(error, ERROR_BROKEN, "%s: %s cannot be applied: %s", name,
                  postgres_schema[version].name, pipeline_failure(pipeline)->text);
        return false;
    }
    log_info("schema applied", LOG_T("file", postgres_schema[version].name),
             LOG_T("database", name));
    return true;
}

bool postgres_schema_update(struct pipeline *pipeline, const char *name, struct error *error)
{
    struct error why = { 0 };

    while (next_step(pipeline, name, &why))
        ;
    if (pipeline_failed(pipeline)) {
        error_set(&why, ERROR_BROKEN, "%s: %s", name, pipeline_failure(pipeline)->text);
        pipeline_close(pipeline); /* what is open there is undone with it */
    }
    if (why.kind == ERROR_NONE)
        return true;
    error_set(error, why.kind, "%s", why.message);
    return false;
}
