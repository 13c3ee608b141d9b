/* postgres_guard.c — advisory locks, whose key is the schema and the node's number, and one channel
 * of notifications. */
#include "db/postgres_guard.h"

#include "db/postgres_value.h"

void postgres_guard(struct pipeline *pipeline, const struct db_guard *guard, unsigned *prepared)
{
    static const Oid types[] = { POSTGRES_INT8, POSTGRES_INT8, POSTGRES_INT8 };
    char node[8], epoch[8], version[8];

    postgres_put_int(node, guard->node);
    postgres_put_int(epoch, guard->epoch);
    postgres_put_int(version, guard->version);
    if (*prepared != pipeline_generation(pipeline))
        pipeline_prepare(pipeline, "guard", "SELECT postbackd_guard($1, $2, $3)", 3, types,
                         prepared);
    pipeline_run(pipeline, "guard",
                 &(struct pipeline_values){ .count = 3,
                                            .types = types,
                                            .values = (const char *[]){ node, epoch, version },
                                            .lengths = (int[]){ 8, 8, 8 } });
}

void postgres_stop_node(struct pipeline *pipeline, int64_t node)
{
    char number[8];

    postgres_put_int(number, node);
    pipeline_run_text(pipeline,
                      "SELECT pg_advisory_xact_lock(hashtext('node ' || coalesce(current_schema(), "
                      "'')), $1::int)",
                      &(struct pipeline_values){ .count = 1,
                                                 .types = (Oid[]){ POSTGRES_INT8 },
                                                 .values = (const char *[]){ number },
                                                 .lengths = (int[]){ sizeof(number) } });
}

/* A notification is the database's; this one is the schema's.  A name has 63 bytes at most. */
#define CHANNEL "'postbackd ' || md5(coalesce(current_schema(), ''))"

void postgres_listen_set_up(struct buf *sql)
{
    buf_str(sql, "; DO $$BEGIN EXECUTE format('LISTEN %I', " CHANNEL "); END$$");
}

void postgres_notify(struct pipeline *pipeline)
{
    const struct pipeline_values none = { 0 };
    pipeline_run_text(pipeline, "SET LOCAL synchronous_commit = off", &none);
    pipeline_run_text(pipeline, "SELECT pg_notify(" CHANNEL ", '')", &none);
}

int64_t postgres_clock(struct pipeline *pipeline)
{
    pipeline_run_text(pipeline, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
                      &(struct pipeline_values){ 0 });
    PGresult *rows = pipeline_rows(pipeline);
    int64_t now = rows != NULL && libpq.PQntuples(rows) == 1 ? postgres_int(rows, 0, 0) : 0;
    libpq.PQclear(rows);
    return now;
}
