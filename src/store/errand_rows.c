/* errand_rows.c — the row of a job, and what its end tells: an event, a notice, a change. */
#include "store/errand_rows.h"
#include "store/erasures.h"

#include "base/fail.h"
#include "base/text.h"
#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t number_in(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void caller_read(struct errand *out, struct stmt *row)
{
    const json_t *asked = json_object_get(out->request, "Asked");
    struct caller *caller = &out->caller;
    *caller = (struct caller){ .account = out->account,
                               .kind = (enum account_kind)db_int(row, 25),
                               .scope = SCOPE_API,
                               .token = number_in(asked, "Token"),
                               .user = number_in(asked, "User") };
    show_cut(caller->sid, sizeof(caller->sid), db_text(row, 26));
    show_cut(caller->name, sizeof(caller->name), text_in(asked, "Name"));
    out->address = text_in(asked, "Address");
}

void errand_from_row(struct errand *out, struct stmt *row)
{
    *out = (struct errand){
        .id = db_int(row, 0),
        .account = db_int(row, 1),
        .kind = (enum errand_kind)db_int(row, 2),
        .state = (enum errand_state)db_int(row, 3),
        .steps = db_int(row, 4),
        .phase = db_int(row, 5),
        .place = db_int(row, 6),
        .first = db_int(row, 7),
        .total = db_opt(row, 8, -1),
        .records = db_int(row, 9),
        .taken = db_int(row, 10),
        .bad = db_int(row, 11),
        .undecided = db_int(row, 12),
        .unchanged = db_int(row, 13),
        .percent = db_int(row, 14),
        .input_chunks = db_int(row, 15),
        .input_bytes = db_int(row, 16),
        .result_chunks = db_int(row, 17),
        .result_bytes = db_int(row, 18),
        .created_at = db_int(row, 19),
        .started_at = db_opt(row, 20, DATE_NONE),
        .finished_at = db_opt(row, 21, DATE_NONE),
        .name = db_copy(row, 22),
        .message = db_copy(row, 23),
        .request = json_loads(db_text(row, 24), 0, NULL),
        .active = db_int(row, 27) != 0,
    };
    caller_read(out, row);
}

void errand_clear(struct errand *errand)
{
    free(errand->name);
    free(errand->message);
    json_decref(errand->request);
    *errand = (struct errand){ 0 };
}

bool errand_is_csv(const struct errand *errand)
{
    return strcmp(text_in(errand->request, "Format"), "NDJSON") != 0;
}

bool errand_found(struct stmt *find, struct errand *out)
{
    bool found = db_step(find) == DB_ROW;
    if (found)
        errand_from_row(out, find);
    db_finish(find);
    return found;
}

bool errand_load(struct db *db, int64_t id, struct errand *out)
{
    struct stmt *find = db_prepare(db, ERRAND_SELECT "WHERE e.id = ?");
    db_bind_int(find, 1, id);
    return errand_found(find, out);
}

bool errand_keeps_result(enum errand_kind kind, enum errand_state state)
{
    return state == ERRAND_COMPLETED || (state == ERRAND_ERROR && errand_is_import(kind));
}

void errand_base(char out[ERRAND_BASE_TEXT], const struct caller *caller)
{
    snprintf(out, ERRAND_BASE_TEXT, "/%s/%s/Jobs",
             caller->kind == ACCOUNT_BRAND ? "Advertisers" : "Mediapartners", caller->sid);
}

int64_t errand_bytes(struct db *db, int64_t account)
{
    struct stmt *sum = db_prepare(db, "SELECT coalesce(sum(input_bytes + result_bytes), 0) "
                                      "FROM errand WHERE account = ? AND "
                                      "input_bytes + result_bytes > 0");
    db_bind_int(sum, 1, account);
    return db_number(sum, 0);
}

/* ---- the end ---- */

static void publish(struct job *job, struct db *db, const struct errand *errand)
{
    const struct event_type *type = catalog_type("job.completed");
    json_t *data = json_object();
    char base[ERRAND_BASE_TEXT];
    struct buf text = { 0 };
    struct problems problems = { 0 };
    errand_base(base, &errand->caller);
    show_id(data, "JobId", errand->id);
    show_text(data, "JobType", errand_kind_name(errand->kind));
    show_text(data, "JobName", errand->name);
    show_text(data, "Status", errand_state_name(errand->state));
    show_text(data, "StatusDetail", errand->message);
    show_int(data, "RecordCount", errand->records);
    show_int(data, "ErrorCount", errand->bad);
    if (errand->result_chunks > 0 && errand_keeps_result(errand->kind, errand->state))
        show_uri(data, "ResultUri", "%s/%" PRId64 "/Download", base, errand->id);
    show_date(data, "CreationDate", errand->created_at);
    show_date(data, "StartedDate", errand->started_at);
    show_date(data, "CompletedDate", errand->finished_at);
    event_check_tree(type, data, &text, &problems);
    if (problems.count > 0)
        bug("job.completed: %s %s", problems.items[0].field, problems.items[0].message);
    struct event *event =
        event_new(errand->account, type, errand->finished_at, 0, buf_text(&text), text.len);
    event_publish(job, db, event);
    event_unref(event);
    problems_free(&problems);
    buf_free(&text);
    json_decref(data);
}

/* Only for people: a program reads its job, or gets the event. */
static void write_notice(struct db *db, const struct errand *errand)
{
    static const char *const words[ERRAND_STATES] = {
        [ERRAND_COMPLETED] = "is done",
        [ERRAND_CANCELLED] = "was cancelled",
        [ERRAND_ERROR] = "could not be done",
        [ERRAND_FAILED] = "failed",
    };
    struct buf text = { 0 };
    buf_fmt(&text, "%s %s. %s", errand->name, words[errand->state], errand->message);
    notice_add_about(db, errand->account, "job.ended", buf_text(&text), "/jobs");
    buf_free(&text);
}

void errand_tell_end(struct job *job, struct db *db, int64_t id)
{
    struct errand errand;
    if (!errand_load(db, id, &errand))
        return;
    if (errand.kind == ERRAND_ERASURE)
        erasure_end(db, id, errand.request);
    publish(job, db, &errand);
    if (errand.caller.user != 0)
        write_notice(db, &errand);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, errand.account, 0, 0, 0 });
    errand_clear(&errand);
}
