/* errands.c — jobs as their accounts ask for them: added, cancelled, listed, downloaded.
 *
 * The rule: every row is read and changed under the account that asks.
 */
#include "store/errand_rows.h"

#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- asked for ---- */

static int64_t count_open(struct db *db, int64_t account)
{
    struct stmt *count =
        db_prepare(db, "SELECT count(*) FROM errand WHERE account = ? AND state <= 3");
    db_bind_int(count, 1, account);
    return db_number(count, 0);
}

static char *request_text(const struct errand_asked *asked)
{
    const struct caller *caller = asked->caller;
    json_t *request =
        json_pack("{s:s, s:O, s:{s:I, s:I, s:s, s:s}}", "Format", asked->format, "Parameters",
                  asked->parameters, "Asked", "Token", (json_int_t)caller->token, "User",
                  (json_int_t)caller->user, "Name", caller->name, "Address", asked->address);
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    return text;
}

int64_t errand_add(struct job *job, struct db *db, const struct errand_asked *asked, bool receives)
{
    if (count_open(db, asked->caller->account) >= ERRANDS_OPEN_MOST) {
        error_set(&job->error, ERROR_CONFLICT,
                  "%d jobs of this account have not ended yet; wait for one, or cancel it",
                  ERRANDS_OPEN_MOST);
        return 0;
    }
    char *request = request_text(asked);
    struct stmt *add = db_prepare(db, "INSERT INTO errand (account, kind, state, name, request, "
                                      "created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id");
    db_bind_int(add, 1, asked->caller->account);
    db_bind_int(add, 2, (int64_t)asked->kind);
    db_bind_int(add, 3, receives ? ERRAND_RECEIVING : ERRAND_QUEUED);
    db_bind_text(add, 4, asked->name != NULL ? asked->name : errand_title(asked->kind));
    db_bind_text(add, 5, request);
    db_bind_int(add, 6, db_now(db));
    int64_t id = db_insert(add);
    if (!receives)
        tx_note(db_tx(db),
                (struct change){ CHANGE_ERRAND, .account = asked->caller->account, .id = id });
    free(request);
    return id;
}

/* ---- its file ---- */

static bool still(struct job *job, struct db *db)
{
    if (db_changes(db) == 1 || db_failed(db))
        return true;
    error_set(&job->error, ERROR_CONFLICT, "The job no longer waits for its file");
    return false;
}

bool errand_receive(struct job *job, struct db *db, int64_t account, int64_t id, const void *bytes,
                    size_t len, int64_t rows_before, int64_t lines_before)
{
    if (errand_bytes(db, account) + (int64_t)len > (int64_t)ERRAND_QUOTA_MIB << 20) {
        error_set(&job->error, ERROR_QUOTA,
                  "The files and results of this account's jobs take up all of the %d MiB that "
                  "they may; each goes %d days after its job ended",
                  ERRAND_QUOTA_MIB, ERRAND_RESULT_DAYS);
        return false;
    }
    struct stmt *put = db_prepare(
        db, "UPDATE errand SET input_chunks = input_chunks + 1, input_bytes = input_bytes + ? "
            "WHERE id = ? AND account = ? AND state = 1");
    db_bind_int(put, 1, (int64_t)len);
    db_bind_int(put, 2, id);
    db_bind_int(put, 3, account);
    db_run(db, put);
    if (!still(job, db))
        return false;
    struct stmt *add =
        db_prepare(db, "INSERT INTO errand_chunk (errand, input, number, rows_before, "
                       "lines_before, body) SELECT id, 1, input_chunks - 1, ?, ?, ? FROM errand "
                       "WHERE id = ?");
    db_bind_int(add, 1, rows_before);
    db_bind_int(add, 2, lines_before);
    db_bind_bytes(add, 3, bytes, len);
    db_bind_int(add, 4, id);
    db_run(db, add);
    return true;
}

bool errand_received(struct job *job, struct db *db, int64_t account, int64_t id, int64_t total)
{
    struct stmt *put = db_prepare(db, "UPDATE errand SET state = ?, total = ? "
                                      "WHERE id = ? AND account = ? AND state = 1");
    db_bind_int(put, 1, ERRAND_QUEUED);
    db_bind_int(put, 2, total);
    db_bind_int(put, 3, id);
    db_bind_int(put, 4, account);
    db_run(db, put);
    if (!still(job, db))
        return false;
    tx_note(db_tx(db), (struct change){ CHANGE_ERRAND, .account = account, .id = id });
    return true;
}

/* ---- cancelled ---- */

static bool find_own(struct db *db, int64_t account, int64_t id, struct errand *out)
{
    if (!errand_load(db, id, out))
        return false;
    if (out->account == account && out->state != ERRAND_RECEIVING)
        return true;
    errand_clear(out);
    return false;
}

static bool cancel(struct db *db, const struct errand *errand)
{
    struct buf message = { 0 };
    if (errand_is_import(errand->kind) && errand->phase == 0)
        buf_str(&message, "Cancelled before any row was taken");
    else if (errand_is_import(errand->kind))
        buf_fmt(&message, "Cancelled when %" PRId64 " %s taken, which stay", errand->taken,
                errand->kind == ERRAND_POSTBACKS ? "postbacks were" : "rows were");
    else
        buf_str(&message, "Cancelled");
    struct stmt *put =
        db_prepare(db, "UPDATE errand SET state = ?, finished_at = ?, drop_at = ?, message = ? "
                       "WHERE id = ? AND state = ? AND steps = ?");
    db_bind_int(put, 1, ERRAND_CANCELLED);
    db_bind_int(put, 2, db_now(db));
    db_bind_int(put, 3, db_now(db));
    db_bind_text(put, 4, buf_text(&message));
    db_bind_int(put, 5, errand->id);
    db_bind_int(put, 6, (int64_t)errand->state);
    db_bind_int(put, 7, errand->steps);
    db_run(db, put);
    buf_free(&message);
    return db_changes(db) == 1;
}

bool errand_cancel(struct job *job, struct db *db, int64_t account, int64_t id)
{
    struct errand errand;
    if (!find_own(db, account, id, &errand))
        return false;
    bool may = errand_may_become(errand.state, ERRAND_CANCELLED);
    if (!may)
        error_set(&job->error, ERROR_CONFLICT, "Job %" PRId64 " has ended already: %s", id,
                  errand_state_name(errand.state));
    else if (cancel(db, &errand))
        errand_tell_end(job, db, id);
    else if (!db_failed(db))
        db_run_again(db, "a job made a step meanwhile");
    errand_clear(&errand);
    return may;
}

/* ---- shown ---- */

static bool has_result(struct db *db, const struct errand *errand)
{
    int64_t until = date_add_days(errand->finished_at, ERRAND_RESULT_DAYS);
    return errand->result_chunks > 0 && errand_keeps_result(errand->kind, errand->state) &&
           db_now(db) < until;
}

static void show_rows(json_t *shown, const struct errand *errand)
{
    bool import = errand_is_import(errand->kind);
    const char *dry_run = json_string_value(
        json_object_get(json_object_get(errand->request, "Parameters"), "DryRun"));
    bool rehearses = errand->phase == 0 && (dry_run == NULL || strcmp(dry_run, "true") != 0);
    const struct {
        const char *name;
        int64_t count;
    } rows[] = { { "Taken", rehearses ? 0 : errand->taken },
                 { "BadRows", errand->bad },
                 { "Undecided", errand->undecided },
                 { "Unchanged", errand->unchanged } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (import)
            show_int(shown, rows[i].name, rows[i].count);
        else
            show_text(shown, rows[i].name, "");
    }
}

static json_t *show(struct db *db, const struct errand *errand)
{
    json_t *shown = json_object();
    char base[ERRAND_BASE_TEXT];
    bool result = has_result(db, errand);
    errand_base(base, &errand->caller);
    show_id(shown, "Id", errand->id);
    show_text(shown, "Type", errand_kind_name(errand->kind));
    show_text(shown, "Name", errand->name);
    show_text(shown, "Format", json_string_value(json_object_get(errand->request, "Format")));
    json_object_set(shown, "Parameters", json_object_get(errand->request, "Parameters"));
    show_text(shown, "Status", errand_state_name(errand->state));
    show_text(shown, "StatusMessage", errand->message);
    show_int(shown, "RecordsProcessed", errand->records);
    if (errand->total >= 0)
        show_int(shown, "RecordsTotal", errand->total);
    else
        show_text(shown, "RecordsTotal", "");
    show_int(shown, "PercentageComplete", errand->percent);
    show_rows(shown, errand);
    show_date(shown, "CreatedDate", errand->created_at);
    show_date(shown, "StartedDate", errand->started_at);
    show_date(shown, "CompletedDate", errand->finished_at);
    show_date(shown, "ExpirationDate",
              result ? date_add_days(errand->finished_at, ERRAND_RESULT_DAYS) : DATE_NONE);
    show_text(shown, "ResultUri", "");
    if (result)
        show_uri(shown, "ResultUri", "%s/%" PRId64 "/Download", base, errand->id);
    if (result)
        show_int(shown, "ResultBytes", errand->result_bytes);
    else
        show_text(shown, "ResultBytes", "");
    show_uri(shown, "Uri", "%s/%" PRId64, base, errand->id);
    return shown;
}

json_t *errand_show(struct db *db, int64_t account, int64_t id)
{
    struct errand errand;
    if (!find_own(db, account, id, &errand))
        return NULL;
    json_t *shown = show(db, &errand);
    errand_clear(&errand);
    return shown;
}

json_t *errand_list(struct db *db, int64_t account, enum errand_state state, int64_t before,
                    int limit)
{
    json_t *array = json_array();
    struct errand errand;
    struct stmt *list = db_prepare(
        db, ERRAND_SELECT "WHERE e.account = ?1 AND e.state > 1 AND (?2 = 0 OR e.state = ?2) "
                          "AND e.id < ?3 ORDER BY e.id DESC LIMIT ?4");
    db_bind_int(list, 1, account);
    db_bind_int(list, 2, (int64_t)state);
    db_bind_int(list, 3, before == 0 ? INT64_MAX : before);
    db_bind_int(list, 4, limit);
    while (db_step(list) == DB_ROW) {
        errand_from_row(&errand, list);
        json_array_append_new(array, show(db, &errand));
        errand_clear(&errand);
    }
    db_finish(list);
    return array;
}

/* ---- the result ---- */

static void refuse_result(struct job *job, const struct errand *errand)
{
    if (!errand_has_ended(errand->state))
        error_set(&job->error, ERROR_CONFLICT, "Job %" PRId64 " has no result yet: it is %s",
                  errand->id, errand_state_name(errand->state));
    else if (!errand_keeps_result(errand->kind, errand->state))
        error_set(&job->error, ERROR_CONFLICT, "Job %" PRId64 " has no result: it is %s",
                  errand->id, errand_state_name(errand->state));
    else if (errand->result_chunks > 0)
        error_set(&job->error, ERROR_CONFLICT,
                  "The result of job %" PRId64 " is gone: it was kept for %d days", errand->id,
                  ERRAND_RESULT_DAYS);
    else
        error_set(&job->error, ERROR_CONFLICT, "No row of job %" PRId64 " was wrong", errand->id);
}

bool errand_result_find(struct job *job, struct db *db, int64_t account, int64_t id,
                        struct errand_result *out)
{
    struct errand errand;
    if (!find_own(db, account, id, &errand))
        return false;
    bool has = has_result(db, &errand);
    *out = (struct errand_result){ errand.kind, errand_is_csv(&errand), errand.result_chunks };
    if (!has)
        refuse_result(job, &errand);
    errand_clear(&errand);
    return has;
}

bool errand_result_read(struct db *db, int64_t account, int64_t id, int64_t number, struct buf *out)
{
    struct stmt *find =
        db_prepare(db, "SELECT c.body FROM errand_chunk c JOIN errand e ON e.id = c.errand "
                       "WHERE c.errand = ? AND c.input = 0 AND c.number = ? AND e.account = ?");
    size_t len;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, number);
    db_bind_int(find, 3, account);
    bool found = db_step(find) == DB_ROW;
    if (found) {
        const void *body = db_bytes(find, 0, &len);
        buf_add(out, body, len);
    }
    db_finish(find);
    return found;
}
