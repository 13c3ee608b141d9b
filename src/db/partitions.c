/* partitions.c — pieces are tables called by the table and the day: postback_20787. */
#include "db/partitions.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static const char *const tables[] = { "event", "postback", "attempt" };
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

int64_t partition_first_id(int64_t day)
{
    return id_first_at(day * DAY_MS);
}

static void run(struct db *db, struct buf *sql)
{
    db_run(db, db_prepare_once(db, buf_text(sql)));
    buf_free(sql);
}

static void limit_waiting(struct db *db)
{
    struct buf sql = { 0 };
    buf_fmt(&sql, "SET LOCAL lock_timeout = %d", PARTITION_LOCK_MS);
    run(db, &sql);
}

/* ---- making them ---- */

static bool is_there(struct db *db, int64_t day)
{
    struct buf name = { 0 };
    buf_fmt(&name, "%s_%" PRId64, tables[0], day);
    struct stmt *find = db_prepare(db, "SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = "
                                       "i.inhrelid WHERE i.inhparent = 'event'::regclass AND "
                                       "c.relname = ?1::name");
    db_bind_text(find, 1, buf_text(&name));
    bool there = db_number(find, 0) == 1;
    buf_free(&name);
    return there;
}

static bool has_rows(struct db *db, int64_t day)
{
    struct stmt *find = db_prepare(
        db, "SELECT 1 WHERE EXISTS (SELECT 1 FROM event WHERE id >= ?1 AND id < ?2) OR EXISTS "
            "(SELECT 1 FROM postback WHERE id >= ?1 AND id < ?2) OR EXISTS (SELECT 1 FROM attempt "
            "WHERE postback >= ?1 AND postback < ?2)");
    db_bind_int(find, 1, partition_first_id(day));
    db_bind_int(find, 2, partition_first_id(day + 1));
    return db_number(find, 0) == 1;
}

static void make(struct db *db, int64_t day)
{
    for (int i = 0; i < TABLES; i++) {
        struct buf sql = { 0 };
        buf_fmt(&sql,
                "CREATE TABLE %s_%" PRId64 " PARTITION OF %s FOR VALUES FROM (%" PRId64
                ") TO (%" PRId64 ")",
                tables[i], day, tables[i], partition_first_id(day), partition_first_id(day + 1));
        run(db, &sql);
    }
}

void partitions_make(struct db *db, int64_t now_ms)
{
    if (!db_is_remote(db))
        return;
    limit_waiting(db);
    for (int64_t day = now_ms / DAY_MS; day <= now_ms / DAY_MS + PARTITION_DAYS_AHEAD; day++) {
        if (!is_there(db, day) && !has_rows(db, day))
            make(db, day);
    }
}

int64_t partitions_oldest(struct db *db, int64_t after)
{
    if (!db_is_remote(db))
        return INT64_MAX;
    struct stmt *find = db_prepare(
        db, "SELECT min(day) FROM (SELECT CAST(substr(CAST(c.relname AS text), 7) AS bigint) AS "
            "day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
            "'event'::regclass AND c.relname ~ '^event_[0-9]{1,9}$') days WHERE day > ?1");
    db_bind_int(find, 1, after);
    int64_t day = INT64_MAX;
    if (db_step(find) == DB_ROW)
        day = db_opt(find, 0, INT64_MAX);
    db_finish(find);
    return day;
}

/* ---- dropping them ---- */

void partition_detach(struct db *db, int64_t day)
{
    limit_waiting(db);
    for (int i = 0; i < TABLES; i++) {
        struct buf sql = { 0 };
        buf_fmt(&sql, "ALTER TABLE %s DETACH PARTITION %s_%" PRId64, tables[i], tables[i], day);
        run(db, &sql);
    }
}

void partition_put_back(struct db *db, const char *table, int64_t day, const char *column,
                        const char *ids)
{
    struct buf sql = { 0 };
    buf_fmt(&sql,
            "INSERT INTO %s SELECT * FROM %s_%" PRId64 " WHERE %s = ANY (CAST('{%s}' AS bigint[]))",
            table, table, day, column, ids);
    run(db, &sql);
}

void partition_drop(struct db *db, int64_t day)
{
    for (int i = 0; i < TABLES; i++) {
        struct buf sql = { 0 };
        buf_fmt(&sql, "DROP TABLE %s_%" PRId64, tables[i], day);
        run(db, &sql);
    }
}
