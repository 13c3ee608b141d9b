/* errand_steps.c — jobs as they are gone on with: the next one, what a step made of it, and what is
 * left behind.
 *
 * The rule: a step is written only over the row that it saw (`steps`), and with it all that it has
 * done, in one transaction.
 */
#include "store/errand_rows.h"

#include "base/fail.h"
#include "db/tx.h"
#include "model/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the next one ---- */

void errand_accounts(struct db *db, struct id_list *out)
{
    struct stmt *list = db_prepare(db, "SELECT DISTINCT account FROM errand WHERE state <= 3 AND "
                                       "state >= 2 ORDER BY account");
    while (db_step(list) == DB_ROW)
        id_list_add(out, db_int(list, 0));
    db_finish(list);
}

bool errand_next(struct db *db, int64_t account, struct errand *out)
{
    struct stmt *find =
        db_prepare(db, ERRAND_SELECT "WHERE e.account = ? AND e.state <= 3 AND e.state >= 2 "
                                     "ORDER BY e.id LIMIT 1");
    db_bind_int(find, 1, account);
    return errand_found(find, out);
}

bool errand_input_read(struct db *db, int64_t id, int64_t number, struct errand_input *out)
{
    struct stmt *find = db_prepare(db, "SELECT body, rows_before, lines_before FROM errand_chunk "
                                       "WHERE errand = ? AND input = 1 AND number = ?");
    size_t len;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, number);
    bool found = db_step(find) == DB_ROW;
    *out = (struct errand_input){ 0 };
    if (found) {
        const void *body = db_bytes(find, 0, &len);
        buf_add(&out->body, body, len);
        out->rows_before = db_int(find, 1);
        out->lines_before = db_int(find, 2);
    }
    db_finish(find);
    return found;
}

void errand_start(struct db *db, const struct errand *seen)
{
    struct stmt *put =
        db_prepare(db, "UPDATE errand SET state = ?, started_at = ?, steps = steps + 1 "
                       "WHERE id = ? AND state = 2 AND steps = ?");
    db_bind_int(put, 1, ERRAND_RUNNING);
    db_bind_int(put, 2, db_now(db));
    db_bind_int(put, 3, seen->id);
    db_bind_int(put, 4, seen->steps);
    db_run(db, put);
    if (db_changes(db) == 1)
        tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = seen->account });
}

/* ---- a step ---- */

void errand_made_begin(struct errand_made *made, const struct errand *seen)
{
    struct buf out = made->out;
    *made = (struct errand_made){ .phase = seen->phase,
                                  .place = seen->place,
                                  .first = seen->first,
                                  .total = seen->total,
                                  .records = seen->records,
                                  .taken = seen->taken,
                                  .bad = seen->bad,
                                  .undecided = seen->undecided,
                                  .unchanged = seen->unchanged,
                                  .percent = seen->percent,
                                  .state = ERRAND_RUNNING,
                                  .input_done = -1,
                                  .out = out };
    buf_reset(&made->out);
}

void errand_made_free(struct errand_made *made)
{
    buf_free(&made->out);
}

/* With its end, or not: the row as it is to be. */
struct put {
    enum errand_state state;
    const char *message;
    bool result; /* out goes behind the result */
};

static bool update(struct db *db, const struct errand *seen, const struct errand_made *made,
                   const struct put *put)
{
    bool ends = put->state != seen->state;
    struct stmt *set = db_prepare(
        db, "UPDATE errand SET steps = steps + 1, state = ?, phase = ?, place = ?, first = ?, "
            "total = ?, records = ?, taken = ?, bad = ?, undecided = ?, unchanged = ?, "
            "percent = ?, message = ?, result_chunks = result_chunks + ?, "
            "result_bytes = result_bytes + ?, finished_at = ?, drop_at = ? "
            "WHERE id = ? AND state = ? AND steps = ?");
    int at = 1;
    db_bind_int(set, at++, (int64_t)put->state);
    db_bind_int(set, at++, made->phase);
    db_bind_int(set, at++, made->place);
    db_bind_int(set, at++, made->first);
    db_bind_opt(set, at++, made->total, -1);
    db_bind_int(set, at++, made->records);
    db_bind_int(set, at++, made->taken);
    db_bind_int(set, at++, made->bad);
    db_bind_int(set, at++, made->undecided);
    db_bind_int(set, at++, made->unchanged);
    db_bind_int(set, at++, made->percent);
    db_bind_text(set, at++, put->message);
    db_bind_int(set, at++, put->result);
    db_bind_int(set, at++, put->result ? (int64_t)made->out.len : 0);
    db_bind_opt(set, at++, ends ? db_now(db) : DATE_NONE, DATE_NONE);
    db_bind_opt(set, at++, ends ? db_now(db) : DATE_NONE, DATE_NONE);
    db_bind_int(set, at++, seen->id);
    db_bind_int(set, at++, (int64_t)seen->state);
    db_bind_int(set, at++, seen->steps);
    db_run(db, set);
    return db_changes(db) == 1;
}

static void add_piece(struct db *db, const struct errand *seen, const struct buf *out)
{
    struct stmt *add = db_prepare(db, "INSERT INTO errand_chunk (errand, input, number, "
                                      "rows_before, lines_before, body) VALUES (?, 0, ?, 0, 0, ?)");
    db_bind_int(add, 1, seen->id);
    db_bind_int(add, 2, seen->result_chunks);
    db_bind_bytes(add, 3, buf_text(out), out->len);
    db_run(db, add);
}

static void drop_pieces(struct db *db, int64_t errand, int input, int64_t from, int64_t until)
{
    struct stmt *sum = db_prepare(db, "SELECT coalesce(sum(length(body)), 0) FROM errand_chunk "
                                      "WHERE errand = ? AND input = ? AND number >= ? AND "
                                      "number < ?");
    db_bind_int(sum, 1, errand);
    db_bind_int(sum, 2, input);
    db_bind_int(sum, 3, from);
    db_bind_int(sum, 4, until);
    int64_t bytes = db_number(sum, 0);
    struct stmt *drop = db_prepare(db, "DELETE FROM errand_chunk WHERE errand = ? AND input = ? "
                                       "AND number >= ? AND number < ?");
    db_bind_int(drop, 1, errand);
    db_bind_int(drop, 2, input);
    db_bind_int(drop, 3, from);
    db_bind_int(drop, 4, until);
    db_run(db, drop);
    struct stmt *put =
        input ? db_prepare(db, "UPDATE errand SET input_bytes = input_bytes - ? WHERE id = ?")
              : db_prepare(db, "UPDATE errand SET result_bytes = result_bytes - ? WHERE id = ?");
    db_bind_int(put, 1, bytes);
    db_bind_int(put, 2, errand);
    db_run(db, put);
}

bool errand_put(struct job *job, struct db *db, const struct errand *seen,
                const struct errand_made *made)
{
    char full[160];
    struct put put = { made->state, made->message[0] != '\0' ? made->message : seen->message,
                       made->out.len > 0 ||
                           (made->state == ERRAND_COMPLETED && seen->result_chunks == 0 &&
                            !errand_is_import(seen->kind)) };
    if (made->out.len > 0 && errand_bytes(db, seen->account) + (int64_t)made->out.len >
                                 (int64_t)ERRAND_QUOTA_MIB << 20) {
        snprintf(full, sizeof(full),
                 "The results of this account's jobs take up all of the %d MiB that they may; "
                 "each goes after %d days",
                 ERRAND_QUOTA_MIB, ERRAND_RESULT_DAYS);
        put = (struct put){ ERRAND_ERROR, full, false };
    }
    if (put.state != seen->state && !errand_may_become(seen->state, put.state))
        bug("a job becomes %s after %s", errand_state_name(put.state),
            errand_state_name(seen->state));
    if (!update(db, seen, made, &put)) {
        error_set(&job->error, ERROR_CONFLICT, "Job %" PRId64 " is not as it was", seen->id);
        return false;
    }
    if (put.result)
        add_piece(db, seen, &made->out);
    if (made->input_done >= 0)
        drop_pieces(db, seen->id, 1, made->input_done, made->input_done + 1);
    if (put.state != seen->state)
        errand_tell_end(job, db, seen->id);
    return true;
}

/* ---- what is left behind ---- */

enum {
    SWEEP_PIECES = 8, /* 512 KiB */
    SWEEP_ROWS = 100,
    RECEIVE_MS = 3600 * 1000, /* a file that has not come whole by then never will */
};

static int64_t oldest_piece(struct db *db, int64_t errand, int input)
{
    struct stmt *find = db_prepare(
        db, "SELECT coalesce(min(number), -1) FROM errand_chunk WHERE errand = ? AND input = ?");
    db_bind_int(find, 1, errand);
    db_bind_int(find, 2, input);
    return db_number(find, -1);
}

/* Pieces of an ended one go: the file at once, the result when its time is over. */
static void drop_some(struct db *db, const struct errand *errand, int64_t now_ms)
{
    int64_t until = date_add_days(errand->finished_at, ERRAND_RESULT_DAYS);
    bool keeps = errand_keeps_result(errand->kind, errand->state) && errand->result_chunks > 0 &&
                 now_ms < until;
    int input = errand->input_bytes > 0;
    int64_t from = input || !keeps ? oldest_piece(db, errand->id, input) : -1;
    if (from >= 0) {
        drop_pieces(db, errand->id, input, from, from + SWEEP_PIECES);
        return;
    }
    struct stmt *put = db_prepare(db, "UPDATE errand SET drop_at = ? WHERE id = ?");
    db_bind_opt(put, 1, keeps ? until : DATE_NONE, DATE_NONE);
    db_bind_int(put, 2, errand->id);
    db_run(db, put);
}

bool errand_result_drop(struct db *db, int64_t id, bool *first)
{
    struct stmt *find =
        db_prepare(db, "SELECT count(*) FROM errand WHERE id = ? AND result_chunks > 0");
    db_bind_int(find, 1, id);
    *first = db_number(find, 0) > 0;
    struct stmt *put = db_prepare(db, "UPDATE errand SET result_chunks = 0, drop_at = ? "
                                      "WHERE id = ? AND state >= 4");
    db_bind_int(put, 1, db_now(db));
    db_bind_int(put, 2, id);
    db_run(db, put);
    if (db_changes(db) != 1)
        return false;
    for (int input = 0; input <= 1; input++) {
        int64_t from = oldest_piece(db, id, input);
        if (from >= 0)
            drop_pieces(db, id, input, from, from + SWEEP_PIECES);
    }
    return true;
}

static bool sweep_pieces(struct db *db, int64_t now_ms)
{
    struct errand errand;
    struct stmt *find = db_prepare(db, "SELECT id FROM errand WHERE drop_at IS NOT NULL AND "
                                       "drop_at <= ? ORDER BY drop_at LIMIT 1");
    db_bind_int(find, 1, now_ms);
    int64_t id = db_number(find, 0);
    if (id == 0 || !errand_load(db, id, &errand))
        return false;
    drop_some(db, &errand, now_ms);
    errand_clear(&errand);
    return true;
}

static bool sweep_received(struct db *db, int64_t now_ms)
{
    struct stmt *put = db_prepare(
        db, "UPDATE errand SET state = 5, finished_at = created_at, drop_at = created_at, "
            "message = 'The file did not come in whole' WHERE id IN (SELECT id FROM errand "
            "WHERE state <= 3 AND state = 1 AND created_at < ? LIMIT 10)");
    db_bind_int(put, 1, now_ms - RECEIVE_MS);
    db_run(db, put);
    return db_changes(db) > 0;
}

static bool sweep_rows(struct db *db, int64_t now_ms)
{
    struct stmt *drop = db_prepare(
        db, "DELETE FROM errand WHERE id IN (SELECT id FROM errand WHERE finished_at IS NOT NULL "
            "AND finished_at < ? AND drop_at IS NULL ORDER BY finished_at LIMIT ?)");
    db_bind_int(drop, 1, date_add_days(now_ms, -ERRAND_ROW_DAYS));
    db_bind_int(drop, 2, SWEEP_ROWS);
    db_run(db, drop);
    return db_changes(db) > 0;
}

bool errands_sweep(struct job *job, struct db *db, int64_t now_ms)
{
    (void)job;
    return sweep_pieces(db, now_ms) || sweep_received(db, now_ms) || sweep_rows(db, now_ms);
}
