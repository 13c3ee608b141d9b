/* samples.c — rows of (account, notification, step, at), clustered so.
 *
 * A row is found and added to rather than put: after a restart, or where the wall clock went back,
 * a minute is written twice.  Hours are made of the sixty rows of one notification (or account, or
 * of all) at a time, with those deleted in the same transaction, so that nothing counts twice.
 */
#include "store/samples.h"

#include "base/fail.h"
#include "base/log.h"
#include "store/ledger.h"
#include "store/meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600 };

struct key {
    int64_t account, notification;
    int step_s;
    int64_t at;
};

/* ---- rows ---- */

static void bind_key(struct stmt *stmt, const struct key *key)
{
    db_bind_int(stmt, 1, key->account);
    db_bind_int(stmt, 2, key->notification);
    db_bind_int(stmt, 3, key->step_s);
    db_bind_int(stmt, 4, key->at);
}

enum {
    ROW_AT,
    ROW_DELIVERED,
    ROW_FAILED,
    ROW_PENDING,
    ROW_OLDEST,
    ROW_LATENCIES,
    ROW_CODES,
    ROW_ERROR_AT,
    ROW_ERROR
};
#define ROW                                                                                        \
    "at, delivered, failed, pending, oldest_at, latencies, codes, error_at, error FROM sample "

static void row_read(struct stmt *row, struct sample *out)
{
    size_t len;
    sample_clear(out);
    out->delivered = db_int(row, ROW_DELIVERED);
    out->failed = db_int(row, ROW_FAILED);
    out->pending = db_int(row, ROW_PENDING);
    out->oldest_at = db_opt(row, ROW_OLDEST, -1);
    const void *packed = db_bytes(row, ROW_LATENCIES, &len);
    if (!sample_unpack(out, packed, len))
        log_warn("sample_damaged", LOG_N("at", db_int(row, ROW_AT)));
    packed = db_bytes(row, ROW_CODES, &len);
    if (!sample_unpack_codes(out, packed, len))
        log_warn("sample_damaged", LOG_N("at", db_int(row, ROW_AT)));
    if (db_opt(row, ROW_ERROR_AT, -1) != -1)
        sample_error(out, db_int(row, ROW_ERROR_AT), db_text(row, ROW_ERROR));
}

static void add_to_row(struct db *db, const struct key *key, const struct sample *sample)
{
    struct stmt *find = db_prepare(db, "SELECT " ROW "WHERE account = ? AND notification = ? "
                                       "AND step = ? AND at = ?");
    struct sample whole;
    struct buf packed = { 0 }, codes = { 0 };
    bool one = key->notification != 0; /* why another's failed is nothing to a sum */
    sample_clear(&whole);
    bind_key(find, key);
    if (db_step(find) == DB_ROW)
        row_read(find, &whole);
    db_finish(find);
    sample_follow(&whole, sample);
    sample_pack(&whole, &packed);
    sample_pack_codes(&whole, &codes);
    struct stmt *put = db_prepare(
        db, "INSERT INTO sample (account, notification, step, at, delivered, failed, pending, "
            "oldest_at, latencies, codes, error_at, error) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (account, notification, step, at) DO UPDATE SET "
            "delivered = excluded.delivered, failed = excluded.failed, "
            "pending = excluded.pending, oldest_at = excluded.oldest_at, "
            "latencies = excluded.latencies, codes = excluded.codes, "
            "error_at = excluded.error_at, error = excluded.error");
    bind_key(put, key);
    db_bind_int(put, 5, whole.delivered);
    db_bind_int(put, 6, whole.failed);
    db_bind_int(put, 7, whole.pending == -1 ? 0 : whole.pending);
    db_bind_opt(put, 8, whole.oldest_at, -1);
    db_bind_bytes(put, 9, packed.data, packed.len);
    db_bind_bytes(put, 10, codes.data, codes.len);
    db_bind_opt(put, 11, one ? whole.error_at : -1, -1);
    db_bind_text(put, 12, one && whole.error_at != -1 ? whole.error : NULL);
    db_run(db, put);
    buf_free(&packed);
    buf_free(&codes);
}

/* ---- writing a minute ---- */

static int64_t account_of(struct db *db, int64_t notification)
{
    struct stmt *find = db_prepare(db, "SELECT account FROM notification WHERE id = ?");
    db_bind_int(find, 1, notification);
    return db_number(find, 0);
}

static int by_account(const void *a, const void *b)
{
    int64_t left = ((const struct sample_row *)a)->account;
    int64_t right = ((const struct sample_row *)b)->account;
    return (left > right) - (left < right);
}

static size_t drop_unknown(struct db *db, struct sample_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t account = account_of(db, rows[i].notification);
        if (account == 0)
            continue;
        rows[i].account = account;
        rows[i].sample.pending = ledger_pending(db, account, rows[i].notification);
        if (kept != i)
            rows[kept] = rows[i];
        kept++;
    }
    return kept;
}

void samples_complete(struct db *db, struct sample_row **rows, size_t *count)
{
    size_t kept = drop_unknown(db, *rows, *count), end = kept;
    qsort(*rows, kept, sizeof(**rows), by_account);
    *rows = must_resize(*rows, (2 * kept + 1) * sizeof(**rows));
    struct sample_row *all = &(*rows)[2 * kept], *of_account = NULL;
    *all = (struct sample_row){ 0 };
    sample_clear(&all->sample);
    for (size_t i = 0; i < kept; i++) {
        const struct sample_row *row = &(*rows)[i];
        if (of_account == NULL || of_account->account != row->account) {
            of_account = &(*rows)[end++];
            *of_account = (struct sample_row){ .account = row->account };
            sample_clear(&of_account->sample);
            of_account->sample.pending = ledger_pending(db, row->account, 0);
        }
        sample_add(&of_account->sample, &row->sample);
        sample_add(&all->sample, &row->sample);
    }
    all->sample.pending = ledger_pending(db, 0, 0);
    (*rows)[end] = *all; /* where it is already, if each has an account of its own */
    *count = end + 1;
}

/* Of servers that share a database one at a time adds to rows. */
static void lock(struct db *db)
{
    if (db_is_remote(db))
        meta_put(db, "samples_lock", db_node(db));
}

/* The number of a server's last batch is under its own key. */
enum { BATCH_KEY_TEXT = 40 };

static void batch_key(const struct db *db, char out[BATCH_KEY_TEXT])
{
    if (db_node(db) == 0)
        snprintf(out, BATCH_KEY_TEXT, "samples_batch");
    else
        snprintf(out, BATCH_KEY_TEXT, "samples_batch_%d", db_node(db));
}

void samples_write(struct db *db, int64_t at_ms, const struct sample_row *rows, size_t count,
                   int64_t batch)
{
    lock(db);
    for (size_t i = 0; i < count; i++) {
        struct key key = { rows[i].account, rows[i].notification, MINUTE_S, at_ms };
        add_to_row(db, &key, &rows[i].sample);
    }
    char key[BATCH_KEY_TEXT];
    batch_key(db, key);
    meta_put(db, key, batch);
}

int64_t samples_batch(struct db *db)
{
    struct stmt *find = db_prepare(db, "SELECT CAST(value AS BIGINT) FROM meta WHERE key = ?");
    char key[BATCH_KEY_TEXT];
    batch_key(db, key);
    db_bind_text(find, 1, key);
    return db_number(find, 0);
}

/* ---- reading ---- */

static void read_before(struct db *db, int64_t account, int64_t notification, int64_t from,
                        struct sample *before)
{
    int64_t latest = INT64_MIN;
    sample_clear(before);
    for (int i = 0; i < 2; i++) {
        struct stmt *find =
            db_prepare(db, "SELECT " ROW "WHERE account = ? AND notification = ? AND step = ? "
                           "AND at < ? ORDER BY at DESC LIMIT 1");
        struct key key = { account, notification, i == 0 ? HOUR_S : MINUTE_S, from };
        bind_key(find, &key);
        if (db_step(find) == DB_ROW && db_int(find, ROW_AT) > latest) {
            latest = db_int(find, ROW_AT);
            row_read(find, before);
        }
        db_finish(find);
    }
}

void samples_read(struct db *db, int64_t account, int64_t notification, struct series *series,
                  struct sample *before)
{
    read_before(db, account, notification, series->from, before);
    for (int i = 0; i < 2; i++) { /* hours first: they are the older ones */
        struct stmt *walk =
            db_prepare(db, "SELECT " ROW "WHERE account = ? AND notification = ? AND step = ? "
                           "AND at >= ? AND at < ? ORDER BY at");
        struct key key = { account, notification, i == 0 ? HOUR_S : MINUTE_S, series->from };
        struct sample sample;
        bind_key(walk, &key);
        db_bind_int(walk, 5, series->until);
        while (db_step(walk) == DB_ROW) {
            row_read(walk, &sample);
            series_put(series, db_int(walk, ROW_AT), &sample);
        }
        db_finish(walk);
    }
}

void samples_last_error(struct db *db, int64_t account, int64_t notification, struct sample *sample)
{
    for (int i = 0; i < 2; i++) {
        struct stmt *find =
            db_prepare(db, "SELECT error_at, error FROM sample WHERE account = ? AND "
                           "notification = ? AND step = ? AND error_at IS NOT NULL "
                           "ORDER BY at DESC LIMIT 1");
        db_bind_int(find, 1, account);
        db_bind_int(find, 2, notification);
        db_bind_int(find, 3, i == 0 ? HOUR_S : MINUTE_S);
        if (db_step(find) == DB_ROW)
            sample_error(sample, db_int(find, 0), db_text(find, 1));
        db_finish(find);
    }
}

/* ---- growing old ---- */

/* The minutes of one hour become an hour. */
static void make_hour(struct db *db, const struct key *hour)
{
    struct key minutes = *hour;
    struct sample sum, one;
    minutes.step_s = MINUTE_S;
    sample_clear(&sum);
    struct stmt *walk =
        db_prepare(db, "SELECT " ROW "WHERE account = ? AND notification = ? AND step = ? "
                       "AND at >= ? AND at < ? ORDER BY at");
    bind_key(walk, &minutes);
    db_bind_int(walk, 5, hour->at + SERIES_HOUR_MS);
    while (db_step(walk) == DB_ROW) {
        row_read(walk, &one);
        sample_follow(&sum, &one);
    }
    db_finish(walk);
    add_to_row(db, hour, &sum);
    struct stmt *drop = db_prepare(db, "DELETE FROM sample WHERE account = ? AND notification = ? "
                                       "AND step = ? AND at >= ? AND at < ?");
    bind_key(drop, &minutes);
    db_bind_int(drop, 5, hour->at + SERIES_HOUR_MS);
    db_run(db, drop);
}

static bool oldest_minute(struct db *db, int64_t before_ms, struct key *hour)
{
    struct stmt *find = db_prepare(db, "SELECT account, notification, at FROM sample "
                                       "WHERE step = 60 AND at < ? ORDER BY at LIMIT 1");
    db_bind_int(find, 1, before_ms);
    bool found = db_step(find) == DB_ROW;
    if (found)
        *hour = (struct key){ db_int(find, 0), db_int(find, 1), HOUR_S,
                              series_hour_of(db_int(find, 2)) };
    db_finish(find);
    return found;
}

size_t samples_age(struct db *db, int64_t minutes_ms, int64_t hours_ms, size_t most)
{
    size_t hours = 0;
    struct key hour;
    lock(db);
    while (hours < most && !db_failed(db) && oldest_minute(db, minutes_ms, &hour)) {
        make_hour(db, &hour);
        hours++;
    }
    struct stmt *drop = db_prepare(
        db, "DELETE FROM sample WHERE (account, notification, step, at) IN (SELECT account, "
            "notification, step, at FROM sample WHERE step = 3600 AND at < ? ORDER BY at LIMIT ?)");
    db_bind_int(drop, 1, hours_ms);
    db_bind_int(drop, 2, (int64_t)most);
    db_run(db, drop);
    size_t deleted = (size_t)db_changes(db);
    return hours > deleted ? hours : deleted;
}
