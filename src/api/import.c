/* import.c — many inquiries, decisions or changes of actions from one CSV file, answered at once.
 *
 * The whole file is one job and so one commit: by default every row is taken or none; with
 * TakeGoodRows=true the good rows are taken although others are bad.  DryRun=true does all the same
 * and then lets the job fail, so the preview is exactly what the import would do.  A file with more
 * rows than that is good for, or with AsJob=true, becomes a job of the account (import_job.h).
 *
 * It speaks to the store itself and not through struct api_job, because a refused file is answered
 * with its rows' errors.
 */
#include "api/import_job.h"
#include "api/import_rows.h"
#include "api/inquiry_export.h"

#include "base/fail.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    /* The bad rows as a file: all of them as they stood, and a problem each. */
    BAD_ROWS_BYTES_MAX = 3 * IMPORT_AT_ONCE_BYTES,
};

struct import {
    struct job job;
    struct call *call;
    bool take_good_rows, dry_run;
    struct import_rows rows;
    size_t count; /* of rows */
    bool good;    /* the answer is 200 */
    bool refused; /* run() gave false because of the rows, and `errors` says why */
};

/* ---- on a store thread ---- */

static struct import_sum sum_of(const struct import *import)
{
    const struct import_rows *rows = &import->rows;
    return (struct import_sum){ (int64_t)import->count, (int64_t)rows->taken,
                                (int64_t)rows->bad_rows, (int64_t)rows->undecided,
                                (int64_t)rows->unchanged };
}

static bool import_run(struct job *job, struct db *db)
{
    struct import *import = (struct import *)job;
    struct import_rows *rows = &import->rows;
    const struct buf *body = &import->call->body;
    import->good = import->refused = false;
    import->count = 0;
    if (!import_rows_read(rows, buf_text(body), body->len, &job->error))
        return false;
    import_rows_begin(rows);
    import->count = rows->file.count;
    for (size_t row = 0; row < import->count; row++) {
        if (!import_row_take(rows, job, db, row))
            return false;
    }
    const struct import_sum sum = sum_of(import);
    import->good = import_sum_good(&sum, import->take_good_rows);
    import->refused = !import->good || import->dry_run;
    if (import->refused)
        error_set(&job->error, ERROR_INVALID, "The file was not taken");
    if (!import->good)
        rows->taken = 0;
    return !import->refused;
}

/* ---- on the loop thread ---- */

static void import_free(struct import *import)
{
    import_rows_free(&import->rows);
    free(import);
}

/* What a link names was undone: the inquiry that another row of the file would have opened. */
static void drop_undone_links(json_t *errors)
{
    json_t *error;
    size_t i;
    json_array_foreach(errors, i, error)
    {
        if (json_object_get(error, "SameAsRow") != NULL)
            json_object_del(error, "Uri");
    }
}

static void answer(struct import *import)
{
    struct buf message = { 0 };
    json_t *body = json_object();
    const struct import_sum sum = sum_of(import);
    import_sum_text(&sum, import->rows.of, import->dry_run, &message);
    json_object_set_new(body, "Status", json_string(import->good ? "OK" : "ERROR"));
    json_object_set_new(body, "Message", json_string(buf_text(&message)));
    json_object_set_new(body, "DryRun", json_string(import->dry_run ? "true" : "false"));
    json_object_set_new(body, "Rows", import_count_text(import->count));
    json_object_set_new(body, "Taken", import_count_text(import->rows.taken));
    json_object_set_new(body, "BadRows", import_count_text(import->rows.bad_rows));
    json_object_set_new(body, "Undecided", import_count_text(import->rows.undecided));
    json_object_set_new(body, "Unchanged", import_count_text(import->rows.unchanged));
    json_object_set(body, "PassedOver", import->rows.passed_over);
    json_object_set_new(body, "Separator", json_stringn(&import->rows.file.separator, 1));
    json_object_set(body, "Notices", import->rows.file.notices);
    json_object_set(body, "Errors", import->rows.errors);
    if (import->refused) {
        json_array_clear(import->rows.uris); /* what they name was undone */
        drop_undone_links(import->rows.errors);
    }
    json_object_set(body, "Uris", import->rows.uris);
    if (import->rows.wants_bad_rows)
        json_object_set_new(body, "BadRowsCsv", call_string(buf_text(&import->rows.bad)));
    call_json_answer(import->call, import->good ? 200 : 400, body);
    buf_free(&message);
}

static void import_done(struct job *job, bool ok)
{
    struct import *import = (struct import *)job;
    if (ok || (import->refused && job->error.kind == ERROR_INVALID))
        answer(import);
    else
        call_refuse_error(import->call, &job->error, NULL);
    import_free(import);
}

/* ---- the call ---- */

/* Spreadsheets and browsers have several names for it. */
static bool is_csv(const struct call *call)
{
    static const char *const types[] = { "text/csv", "application/csv", "text/plain",
                                         "application/vnd.ms-excel" };
    const char *type = call_header(call, "Content-Type");
    if (type == NULL)
        return true;
    size_t len = strcspn(type, "; ");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strlen(types[i]) == len && strncasecmp(types[i], type, len) == 0)
            return true;
    return false;
}

static bool read_switch(const struct call *call, const char *name, struct problems *problems)
{
    const char *text = call_query(call, name);
    bool on = false;
    if (text[0] != '\0' && !text_bool(text, &on))
        problems_add(problems, name, "must be true or false");
    return on;
}

static void import_at_once(struct call *call, struct api *api, const struct import_asked *asked)
{
    struct import *import = must_alloc(sizeof(*import));
    import->job.run = import_run;
    import->job.done = import_done;
    import->job.account = call->caller.account;
    import->call = call;
    import->take_good_rows = asked->take_good_rows;
    import->dry_run = asked->dry_run;
    import->rows.call = call;
    import->rows.of = import_of_call(call, asked->changes);
    import->rows.wants_bad_rows = asked->with_bad_rows;
    import->rows.bad.limit = BAD_ROWS_BYTES_MAX;
    store_write(api->store, &import->job);
}

/* Its rows are counted by a job where it may have too many: a row may have many lines. */
static bool may_be_large(const struct buf *body)
{
    size_t lines = 0;
    for (const char *at = body->data, *end = at + body->len; at != NULL && at < end; lines++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at != NULL)
            at++;
    }
    return body->len > IMPORT_AT_ONCE_BYTES || lines > CSV_ROWS_MAX;
}

static void take_file(struct call *call, void *context, bool changes)
{
    static const char *const names[] = { "TakeGoodRows", "DryRun", "WithBadRows", "AsJob", NULL };
    struct problems problems = { 0 };
    struct import_asked asked = { .take_good_rows = read_switch(call, "TakeGoodRows", &problems),
                                  .dry_run = read_switch(call, "DryRun", &problems),
                                  .with_bad_rows = read_switch(call, "WithBadRows", &problems),
                                  .as_job = read_switch(call, "AsJob", &problems),
                                  .changes = changes };
    call_query_only(call, names, &problems);
    if (problems.count > 0)
        call_refuse(call, 400, &problems, "The query has wrong parameters");
    else if (!is_csv(call))
        call_refuse(call, 415, NULL, "The body must be a CSV file, sent as Content-Type: text/csv");
    else if (asked.as_job || may_be_large(&call->body))
        import_job_begin(call, context, &asked, import_at_once);
    else
        import_at_once(call, context, &asked);
    problems_free(&problems);
}

static void handle_import(struct call *call, void *context)
{
    take_file(call, context, false);
}

static void handle_changes(struct call *call, void *context)
{
    take_file(call, context, true);
}

#define PARTNER "/Mediapartners/{SID}/ActionInquiries"
#define BRAND   "/Advertisers/{SID}/ActionInquiries"
#define ACTIONS "/Advertisers/{SID}/Actions"

const struct route import_routes[] = {
    { "POST", PARTNER "/Import", handle_import, ACCOUNT_PARTNER, SCOPE_API, true, IMPORT_BYTES_MAX,
      .reads_query = true },
    { "POST", BRAND "/Import", handle_import, ACCOUNT_BRAND, SCOPE_API, true, IMPORT_BYTES_MAX,
      .reads_query = true },
    { "POST", ACTIONS "/Import", handle_changes, ACCOUNT_BRAND, SCOPE_API, true, IMPORT_BYTES_MAX,
      .reads_query = true },
    { "GET", PARTNER ".csv", inquiry_export, ACCOUNT_PARTNER, SCOPE_API | SCOPE_READ, true, 0,
      .reads_query = true },
    { "GET", BRAND ".csv", inquiry_export, ACCOUNT_BRAND, SCOPE_API | SCOPE_READ, true, 0,
      .reads_query = true },
};
const size_t import_route_count = sizeof(import_routes) / sizeof(import_routes[0]);
