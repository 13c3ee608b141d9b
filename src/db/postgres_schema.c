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
    "SELECT pg_advisory_xact_lock(1885498980, hashtext(coalesce(current_schema(), '')));"
    "CREATE TABLE IF NOT EXISTS postbackd_schema (version bigint NOT NULL, readable_from bigint "
    "NOT NULL)";

struct found {
    int64_t version, readable_from; /* 0: there is none */
};

/* The first row's first two numbers, 0 without one.  False: it failed. */
static bool ask(struct pipeline *pipeline, const char *sql, struct found *found)
{
    pipeline_run_text(pipeline, sql, &(struct pipeline_values){ 0 });
    PGresult *rows = pipeline_rows(pipeline);
    bool row = rows != NULL && libpq.PQntuples(rows) > 0;
    *found = (struct found){ row ? postgres_int(rows, 0, 0) : 0,
                             row && libpq.PQnfields(rows) > 1 ? postgres_int(rows, 0, 1) : 0 };
    libpq.PQclear(rows);
    return rows != NULL;
}

static bool ask_version(struct pipeline *pipeline, struct found *found)
{
    bool known = ask(pipeline, "SELECT version, readable_from FROM postbackd_schema", found);
    pipeline_settle(pipeline);
    return known && !pipeline_failed(pipeline);
}

bool postgres_schema_fresh(struct pipeline *pipeline, bool *fresh)
{
    struct found absent;
    bool known = ask(pipeline, "SELECT to_regclass('postbackd_schema') IS NULL", &absent);
    pipeline_settle(pipeline);
    *fresh = absent.version == 1;
    return known && !pipeline_failed(pipeline);
}

/* Of a schema that this program has not made itself: whether it may work with it. */
static bool may_work(const struct found *found, const char *name, struct error *error)
{
    const int64_t count = (int64_t)postgres_schema_count;
    if (found->version <= count || found->readable_from <= count)
        return true;
    error_set(error, ERROR_BROKEN,
              "%s was written by a later version of postbackd (its schema is %" PRId64
              ", for programs that know up to %" PRId64 " at least; this program knows up to "
              "%" PRId64 ")",
              name, found->version, found->readable_from, count);
    return false;
}

bool postgres_schema_fits(struct pipeline *pipeline, const char *name, struct error *error)
{
    struct found found = { 0 };
    bool fresh;

    if (!postgres_schema_fresh(pipeline, &fresh) || (!fresh && !ask_version(pipeline, &found))) {
        error_set(error, ERROR_BROKEN, "%s: %s", name, pipeline_failure(pipeline)->text);
        return false;
    }
    if (found.version >= (int64_t)postgres_schema_count)
        return may_work(&found, name, error);
    error_set(error, ERROR_BROKEN,
              fresh ? "%s holds no store of postbackd"
                    : "%s was written by an earlier version of postbackd; start the server once",
              name);
    return false;
}

/* The file may say itself that older programs can work with what it makes, by lowering
 * readable_from. */
static bool run_file(struct pipeline *pipeline, int64_t number)
{
    struct buf sql = { 0 };
    buf_fmt(&sql,
            "DELETE FROM postbackd_schema; INSERT INTO postbackd_schema VALUES (%" PRId64
            ", %" PRId64 ");\n",
            number + 1, number + 1);
    buf_add(&sql, postgres_schema[number].data, postgres_schema[number].len);
    bool good = pipeline_script(pipeline, buf_text(&sql));
    buf_free(&sql);
    return good;
}

/* True: there may be another one. */
static bool next_step(struct pipeline *pipeline, const char *name, struct error *error)
{
    const int64_t count = (int64_t)postgres_schema_count;
    struct found found = { 0 };

    if (!pipeline_script(pipeline, "BEGIN") || !pipeline_script(pipeline, lock_sql) ||
        !ask_version(pipeline, &found))
        return false;
    if (found.version >= count) {
        pipeline_script(pipeline, "COMMIT");
        if (may_work(&found, name, error) && found.version > count)
            log_info("schema_is_newer", LOG_T("database", name), LOG_N("version", found.version));
        return false;
    }
    const char *file = postgres_schema[found.version].name;
    if (!run_file(pipeline, found.version) || !pipeline_script(pipeline, "COMMIT")) {
        error_set(error, ERROR_BROKEN, "%s: %s cannot be applied: %s", name, file,
                  pipeline_failure(pipeline)->text);
        return false;
    }
    log_info("schema applied", LOG_T("file", file), LOG_T("database", name));
    return true;
}

bool postgres_schema_make(struct pipeline *pipeline, const char *name, struct error *error)
{
    struct found found = { 0 };
    bool good = pipeline_script(pipeline, lock_sql) && ask_version(pipeline, &found);
    if (good && found.version > 0) {
        error_set(error, ERROR_CONFLICT, "%s holds a store already; it has to be empty", name);
        return false;
    }
    for (int64_t i = 0; good && i < (int64_t)postgres_schema_count; i++)
        good = run_file(pipeline, i);
    if (!good)
        error_set(error, ERROR_BROKEN, "%s: the tables cannot be made: %s", name,
                  pipeline_failure(pipeline)->text);
    return good;
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
