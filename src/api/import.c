/* import.c — many inquiries, or many decisions, from one CSV file.
 *
 * The whole file is one job and so one commit: by default every row is taken or none; with
 * TakeGoodRows=true the good rows are taken although others are bad.  A row is checked as a whole
 * before any of it is written, so a bad one leaves nothing behind.  DryRun=true does all the same
 * and then lets the job fail, so the preview is exactly what the import would do.
 *
 * It speaks to the store itself and not through struct api_job, because a refused file is answered
 * with its rows' errors.
 */
#include "api/inquiries.h"
#include "api/inquiry_columns.h"
#include "api/inquiry_export.h"

#include "base/fail.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMPORT_BYTES_MAX = 8 * 1024 * 1024, IMPORT_ERRORS_MAX = 1000 };

struct import {
    struct job job;
    struct call *call;
    bool take_good_rows, dry_run;
    size_t rows, taken, bad_rows;
    json_t *errors, *uris;
    bool refused; /* run() gave false because of the rows, and `errors` says why */
};

/* ---- on a store thread ---- */

static void add_error(struct import *import, size_t row, const char *field, const char *message,
                      const char *link)
{
    char number[24];
    if (json_array_size(import->errors) >= IMPORT_ERRORS_MAX)
        return;
    snprintf(number, sizeof(number), "%zu", row);
    json_t *error = json_object();
    json_object_set_new(error, "Row", json_string(number));
    json_object_set_new(error, "Field", call_string(field));
    json_object_set_new(error, "Message", call_string(message));
    if (link[0] != '\0')
        json_object_set_new(error, "Uri", call_string(link));
    json_array_append_new(import->errors, error);
}

static void add_uri(struct import *import, int64_t id)
{
    char base[INQUIRIES_URI], uri[INQUIRIES_URI + 24];
    snprintf(uri, sizeof(uri), "%s/%" PRId64, inquiries_uri(base, &import->call->caller), id);
    json_array_append_new(import->uris, json_string(uri));
}

static void row_failed(struct import *import, size_t row, const struct problems *problems)
{
    const struct error *error = &import->job.error;
    import->bad_rows++;
    for (size_t i = 0; i < problems->count; i++)
        add_error(import, row, problems->items[i].field, problems->items[i].message, "");
    if (problems->count == 0)
        add_error(import, row, error->kind == ERROR_NOT_FOUND ? "Id" : "", error->message,
                  error->link);
    import->job.error = (struct error){ 0 };
}

/* False: the store is broken, and the job with it. */
static bool take_row(struct import *import, struct db *db, json_t *fields, size_t row)
{
    struct problems problems = { 0 };
    enum account_kind kind = import->call->caller.kind;
    int64_t id = 0;
    bool taken = kind == ACCOUNT_BRAND ? inquiry_decide(&import->job, db, import->call, fields,
                                                        inquiry_titles(kind), &problems, &id)
                                       : inquiry_create(&import->job, db, import->call, fields,
                                                        inquiry_titles(kind), &problems, &id);
    enum error_kind error = import->job.error.kind;
    bool broken = db_failed(db) || error == ERROR_BROKEN || error == ERROR_UNAVAILABLE;
    if (!broken && taken) {
        import->taken++;
        add_uri(import, id);
    } else if (!broken) {
        row_failed(import, row, &problems);
    }
    problems_free(&problems);
    return !broken;
}

static bool import_run(struct job *job, struct db *db)
{
    struct import *import = (struct import *)job;
    const struct call *call = import->call;
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count = inquiry_csv_columns(call->caller.kind, columns);
    json_t *rows, *row;
    if (!csv_read(buf_text(&call->body), call->body.len, columns, count, &rows, &job->error))
        return false;
    size_t i;
    bool sound = true;
    import->rows = json_array_size(rows);
    json_array_foreach(rows, i, row)
    {
        sound = take_row(import, db, row, i + 1);
        if (!sound)
            break;
    }
    json_decref(rows);
    if (!sound)
        return false;
    bool good = import->taken > 0 && (import->bad_rows == 0 || import->take_good_rows);
    import->refused = !good || import->dry_run;
    if (import->refused)
        error_set(&job->error, ERROR_INVALID, "The file was not taken");
    if (!good)
        import->taken = 0;
    return !import->refused;
}

/* ---- on the loop thread ---- */

static void import_free(struct import *import)
{
    json_decref(import->errors);
    json_decref(import->uris);
    free(import);
}

static void set_count(json_t *object, const char *name, size_t count)
{
    char text[24];
    snprintf(text, sizeof(text), "%zu", count);
    json_object_set_new(object, name, json_string(text));
}

static void summary(const struct import *import, char *out, size_t size)
{
    if (import->rows == 0)
        snprintf(out, size, "The file has no rows under its header");
    else if (import->bad_rows == 0)
        snprintf(out, size, "%s %zu of %zu rows", import->dry_run ? "An import would take" : "Took",
                 import->taken, import->rows);
    else
        snprintf(out, size, "%zu of %zu rows are wrong; %s %zu", import->bad_rows, import->rows,
                 import->dry_run ? "an import would take" : "took", import->taken);
}

static void answer(struct import *import)
{
    char message[160];
    bool good = import->taken > 0;
    json_t *body = json_object();
    summary(import, message, sizeof(message));
    json_object_set_new(body, "Status", json_string(good ? "OK" : "ERROR"));
    json_object_set_new(body, "Message", json_string(message));
    json_object_set_new(body, "DryRun", json_string(import->dry_run ? "true" : "false"));
    set_count(body, "Rows", import->rows);
    set_count(body, "Taken", import->taken);
    set_count(body, "BadRows", import->bad_rows);
    json_object_set(body, "Errors", import->errors);
    if (import->refused)
        json_array_clear(import->uris); /* what they name was undone */
    json_object_set(body, "Uris", import->uris);
    call_json_answer(import->call, good ? 200 : 400, body);
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

static void handle_import(struct call *call, void *context)
{
    static const char *const names[] = { "TakeGoodRows", "DryRun", NULL };
    struct api *api = context;
    struct problems problems = { 0 };
    bool take_good_rows = read_switch(call, "TakeGoodRows", &problems);
    bool dry_run = read_switch(call, "DryRun", &problems);
    call_query_only(call, names, &problems);
    if (problems.count > 0) {
        call_refuse(call, 400, &problems, "The query has wrong parameters");
    } else if (!is_csv(call)) {
        call_refuse(call, 415, NULL, "The body must be a CSV file, sent as Content-Type: text/csv");
    } else {
        struct import *import = must_alloc(sizeof(*import));
        import->job.run = import_run;
        import->job.done = import_done;
        import->job.account = call->caller.account;
        import->call = call;
        import->take_good_rows = take_good_rows;
        import->dry_run = dry_run;
        import->errors = json_array();
        import->uris = json_array();
        store_write(api->store, &import->job);
    }
    problems_free(&problems);
}

#define PARTNER "/Mediapartners/{SID}/ActionInquiries"
#define BRAND   "/Advertisers/{SID}/ActionInquiries"

const struct route import_routes[] = {
    { "POST", PARTNER "/Import", handle_import, ACCOUNT_PARTNER, SCOPE_API, true,
      IMPORT_BYTES_MAX },
    { "POST", BRAND "/Import", handle_import, ACCOUNT_BRAND, SCOPE_API, true, IMPORT_BYTES_MAX },
    { "GET", PARTNER ".csv", inquiry_export, ACCOUNT_PARTNER, SCOPE_API | SCOPE_READ, true, 0 },
    { "GET", BRAND ".csv", inquiry_export, ACCOUNT_BRAND, SCOPE_API | SCOPE_READ, true, 0 },
};
const size_t import_route_count = sizeof(import_routes) / sizeof(import_routes[0]);
