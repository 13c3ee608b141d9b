/* postgres_fate.c — the table commit_mark: one row a writer's connection, for as long as it lives.
 *
 * The look is itself a write of the row.  So it waits for the lost transaction's end where its
 * backend still works on it, and its own commit proves that what was committed before it is on the
 * disk, and on the standbys that a commit waits for: the log is in order.
 */
#include "db/postgres_fate.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "db/postgres_value.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

enum {
    AGAIN_MS = 100,
    TABLE_LOCK = 0x70626b65, /* the first half of the lock's key; the other is the schema's */
};

int64_t postgres_mark_key(void)
{
    int64_t key = 0;
    if (getrandom(&key, sizeof(key), 0) != sizeof(key))
        die("no random numbers: %s", strerror(errno));
    return key & INT64_MAX;
}

void postgres_mark_set_up(struct buf *sql, int64_t key)
{
    buf_fmt(sql,
            "; SET application_name = 'postbackd %016" PRIx64 "'; "
            "DO $$BEGIN "
            "PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "application_name = 'postbackd %016" PRIx64 "' AND pid <> pg_backend_pid(); "
            "PERFORM pg_advisory_xact_lock(%d, hashtext(coalesce(current_schema(), ''))); "
            "IF to_regclass('commit_mark') IS NULL THEN "
            "CREATE TABLE commit_mark (connection bigint PRIMARY KEY, number bigint NOT NULL, "
            "made_at timestamptz NOT NULL) WITH (fillfactor = 50); END IF; "
            "DELETE FROM commit_mark WHERE made_at < now() - interval '3 days'; END$$",
            (uint64_t)key, (uint64_t)key, TABLE_LOCK);
}

static void run(struct pipeline *pipeline, const char *sql, int64_t key, int64_t number)
{
    char first[8], second[8];

    postgres_put_int(first, key);
    postgres_put_int(second, number);
    pipeline_run_text(pipeline, sql,
                      &(struct pipeline_values){ .count = 2,
                                                 .types = (Oid[]){ POSTGRES_INT8, POSTGRES_INT8 },
                                                 .values = (const char *[]){ first, second },
                                                 .lengths = (int[]){ 8, 8 } });
}

void postgres_mark(struct pipeline *pipeline, int64_t key, int64_t number)
{
    run(pipeline,
        "INSERT INTO commit_mark (connection, number, made_at) VALUES ($1, $2, now()) ON CONFLICT "
        "(connection) DO UPDATE SET number = excluded.number, made_at = excluded.made_at",
        key, number);
}

/* One look.  The transaction is the sync point's own. */
static enum postgres_fate look(struct pipeline *pipeline, int64_t key, int64_t number)
{
    enum postgres_fate fate = FATE_UNDONE;

    run(pipeline,
        "UPDATE commit_mark SET made_at = made_at WHERE connection = $1 RETURNING number = $2", key,
        number);
    PGresult *rows = pipeline_rows(pipeline);
    if (rows != NULL && libpq.PQntuples(rows) == 1 && postgres_int(rows, 0, 0) == 1)
        fate = FATE_COMMITTED;
    libpq.PQclear(rows);
    pipeline_settle(pipeline);
    return pipeline_failed(pipeline) ? FATE_UNKNOWN : fate;
}

enum postgres_fate postgres_fate_of(struct pipeline *pipeline, const char *set_up, int64_t key,
                                    int64_t number, int patience_ms)
{
    int64_t deadline_us = clock_steady_us() + patience_ms * INT64_C(1000);
    enum postgres_fate fate = FATE_UNKNOWN;

    while (fate == FATE_UNKNOWN && clock_steady_us() < deadline_us) {
        if (pipeline_connect(pipeline, set_up))
            fate = look(pipeline, key, number);
        if (fate == FATE_UNKNOWN)
            poll(NULL, 0, AGAIN_MS); /* a database that starts is asked ten times a second */
    }
    return fate;
}
