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
#include "api/decision_row.h"
#include "api/inquiries.h"
#include "api/inquiry_columns.h"
#include "api/inquiry_export.h"

#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IMPORT_BYTES_MAX = 8 * 1024 * 1024,
    IMPORT_ERRORS_MAX = 1000,
    IMPORT_CAMPAIGNS_MAX = 10000, /* of a partner, that are looked at for a name */
    PROBLEM_BYTES_MAX = 4096,     /* of the cell "Problem" of a bad row */
    /* The bad rows as a file: all of them as they stood, and a problem each. */
    BAD_ROWS_BYTES_MAX = 3 * IMPORT_BYTES_MAX,
};

struct import {
    struct job job;
    struct call *call;
    bool take_good_rows, dry_run, wants_bad_rows;
    struct csv_file file;
    size_t rows, taken, bad_rows, undecided, unchanged;
    int64_t *made;     /* the ids of the rows taken, which only go up for new inquiries */
    size_t *made_by;   /* the row of each */
    json_t *campaigns; /* of the partner; NULL: not asked for yet */
    struct buf bad;    /* the bad rows as a file */
    json_t *errors, *uris, *passed_over;
    bool good;    /* the answer is 200 */
    bool refused; /* run() gave false because of the rows, and `errors` says why */
};

/* ---- on a store thread ---- */

static json_t *count_text(size_t count)
{
    return json_sprintf("%zu", count);
}

/* `same`: the row of this file that is about the same; SIZE_MAX: none. */
static void add_error(struct import *import, size_t row, const char *field, const char *message,
                      const char *link, size_t same)
{
    if (json_array_size(import->errors) >= IMPORT_ERRORS_MAX)
        return;
    json_t *error = json_object();
    json_object_set_new(error, "Row", count_text(row + 1));
    json_object_set_new(error, "Line", count_text(import->file.at[row].line));
    json_object_set_new(error, "Field", call_string(field));
    json_object_set_new(error, "Message", call_string(message));
    if (link[0] != '\0')
        json_object_set_new(error, "Uri", call_string(link));
    if (same != SIZE_MAX)
        json_object_set_new(error, "SameAsRow", count_text(same + 1));
    json_array_append_new(import->errors, error);
}

static void row_taken(struct import *import, size_t row, int64_t id)
{
    char base[INQUIRIES_URI], uri[INQUIRIES_URI + 24];
    snprintf(uri, sizeof(uri), "%s/%" PRId64, inquiries_uri(base, &import->call->caller), id);
    json_array_append_new(import->uris, json_string(uri));
    import->made[import->taken] = id;
    import->made_by[import->taken++] = row;
}

/* The row of this file that opened the inquiry which a link names; SIZE_MAX: none did. */
static size_t row_that_made(const struct import *import, const char *link)
{
    const char *tail = strrchr(link, '/');
    int64_t id;
    size_t low = 0, high = import->taken;
    if (import->call->caller.kind == ACCOUNT_BRAND || tail == NULL || !id_parse(tail + 1, &id))
        return SIZE_MAX;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (import->made[middle] == id)
            return import->made_by[middle];
        if (import->made[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* The row as it stood goes into the file of bad rows, with all that is wrong in one cell. */
static void keep_bad_row(struct import *import, size_t row, const struct problems *problems,
                         const char *message)
{
    struct buf cell = { .limit = PROBLEM_BYTES_MAX };
    for (size_t i = 0; i < problems->count; i++)
        buf_fmt(&cell, "%s%s: %s", i > 0 ? "; " : "", problems->items[i].field,
                problems->items[i].message);
    if (problems->count == 0)
        buf_str(&cell, message);
    if (import->bad.len == 0)
        csv_problems_start(&import->file, &import->bad);
    csv_problem(&import->file, row, buf_text(&cell), &import->bad);
    buf_free(&cell);
}

static void row_failed(struct import *import, size_t row, const struct problems *problems)
{
    const struct error *error = &import->job.error;
    char message[sizeof(error->message) + 60];
    size_t same = row_that_made(import, error->link);
    if (same == SIZE_MAX)
        snprintf(message, sizeof(message), "%s", error->message);
    else
        snprintf(message, sizeof(message), "same as row %zu (line %zu of the file)", same + 1,
                 import->file.at[same].line);
    import->bad_rows++;
    for (size_t i = 0; i < problems->count; i++)
        add_error(import, row, problems->items[i].field, problems->items[i].message, "", SIZE_MAX);
    if (problems->count == 0)
        add_error(import, row, error->kind == ERROR_NOT_FOUND ? "Id" : "", message, error->link,
                  same);
    if (import->wants_bad_rows)
        keep_bad_row(import, row, problems, message);
    import->job.error = (struct error){ 0 };
}

/* ---- campaigns by their names ---- */

static void load_campaigns(struct import *import, struct db *db)
{
    int64_t after = 0;
    import->campaigns = json_array();
    for (;;) {
        json_t *some =
            campaign_list(db, 0, import->call->caller.account, after, IMPORT_CAMPAIGNS_MAX / 10);
        size_t count = json_array_size(some);
        if (count > 0)
            id_parse(json_string_value(json_object_get(json_array_get(some, count - 1), "Id")),
                     &after);
        json_array_extend(import->campaigns, some);
        json_decref(some);
        if (count < IMPORT_CAMPAIGNS_MAX / 10 ||
            json_array_size(import->campaigns) >= IMPORT_CAMPAIGNS_MAX)
            return;
    }
}

/* The id of the one campaign of that name, as text; NULL: none, or several. */
static const char *campaign_named(const json_t *campaigns, const char *name, size_t *found)
{
    const char *id = NULL;
    const json_t *campaign;
    size_t i;
    *found = 0;
    json_array_foreach(campaigns, i, campaign)
    {
        if (!text_same(json_string_value(json_object_get(campaign, "Name")), name))
            continue;
        id = json_string_value(json_object_get(campaign, "Id"));
        (*found)++;
    }
    return *found == 1 ? id : NULL;
}

/* Puts the number in where the row has a campaign's name, in either column. */
static void settle_campaign(struct import *import, struct db *db, json_t *fields,
                            struct problems *problems)
{
    const char *given = json_string_value(json_object_get(fields, "CampaignId"));
    const char *name = json_string_value(json_object_get(fields, "CampaignName"));
    int64_t number;
    size_t found;
    if (given != NULL && given[0] != '\0')
        name = id_parse(given, &number) ? NULL : given;
    if (name != NULL && name[0] != '\0') {
        if (import->campaigns == NULL)
            load_campaigns(import, db);
        const char *id = campaign_named(import->campaigns, name, &found);
        if (id != NULL)
            json_object_set_new(fields, "CampaignId", json_string(id));
        else if (found > 1)
            problems_add(problems, "Campaign Id",
                         "is the name of %zu campaigns of yours; give its number", found);
        else
            problems_add(problems, "Campaign Id",
                         "must be the number or the name of a campaign that you are a member of");
    }
    json_object_del(fields, "CampaignName");
}

/* ---- rows ---- */

static bool open_row(struct import *import, struct db *db, json_t *fields,
                     struct problems *problems, int64_t *id)
{
    struct problems others = { 0 };
    settle_campaign(import, db, fields, problems);
    bool named = problems->count == 0;
    bool opened = inquiry_create(&import->job, db, import->call, fields,
                                 inquiry_titles(ACCOUNT_PARTNER), named ? problems : &others, id);
    for (size_t i = 0; i < others.count; i++) /* of the campaign enough is said */
        if (strcmp(others.items[i].field, "Campaign Id") != 0)
            problems_add(problems, others.items[i].field, "%s", others.items[i].message);
    problems_free(&others);
    return opened;
}

/* True: the row is done with. */
static bool pass_over(struct import *import, struct db *db, const json_t *fields, size_t row)
{
    enum decision_row kind = decision_row_kind(db, &import->call->caller, fields);
    if (kind == ROW_DECIDES)
        return false;
    import->undecided += kind == ROW_UNDECIDED;
    import->unchanged += kind == ROW_UNCHANGED;
    json_array_append_new(import->passed_over, count_text(row + 1));
    return true;
}

/* False: the store is broken, and the job with it. */
static bool take_row(struct import *import, struct db *db, json_t *fields, size_t row)
{
    struct problems problems = { 0 };
    bool brand = import->call->caller.kind == ACCOUNT_BRAND;
    int64_t id = 0;
    if (brand && pass_over(import, db, fields, row))
        return !db_failed(db);
    bool taken = brand ? inquiry_decide(&import->job, db, import->call, fields,
                                        inquiry_titles(ACCOUNT_BRAND), &problems, &id)
                       : open_row(import, db, fields, &problems, &id);
    enum error_kind error = import->job.error.kind;
    bool broken = db_failed(db) || error == ERROR_BROKEN || error == ERROR_UNAVAILABLE;
    if (!broken && taken)
        row_taken(import, row, id);
    else if (!broken)
        row_failed(import, row, &problems);
    problems_free(&problems);
    return !broken;
}

static bool is_good(const struct import *import)
{
    if (import->bad_rows > 0)
        return import->take_good_rows && import->taken > 0;
    return import->taken + import->undecided + import->unchanged > 0;
}

/* What an earlier run() found, which was undone. */
static void clear_found(struct import *import)
{
    json_array_clear(import->errors);
    json_array_clear(import->uris);
    json_array_clear(import->passed_over);
    json_decref(import->campaigns);
    import->campaigns = NULL;
    csv_file_free(&import->file);
    buf_reset(&import->bad);
    free(import->made);
    free(import->made_by);
    import->made = NULL;
    import->made_by = NULL;
    import->rows = import->taken = import->bad_rows = import->undecided = import->unchanged = 0;
    import->good = import->refused = false;
}

static bool import_run(struct job *job, struct db *db)
{
    struct import *import = (struct import *)job;
    const struct call *call = import->call;
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count = inquiry_csv_columns(call->caller.kind, columns);
    json_t *row;
    clear_found(import);
    if (!csv_read(buf_text(&call->body), call->body.len, columns, count, &import->file,
                  &job->error))
        return false;
    size_t i;
    bool sound = true;
    import->rows = json_array_size(import->file.rows);
    import->made = must_alloc((import->rows + 1) * sizeof(*import->made));
    import->made_by = must_alloc((import->rows + 1) * sizeof(*import->made_by));
    json_array_foreach(import->file.rows, i, row)
    {
        sound = take_row(import, db, row, i);
        if (!sound)
            return false;
    }
    import->good = is_good(import);
    import->refused = !import->good || import->dry_run;
    if (import->refused)
        error_set(&job->error, ERROR_INVALID, "The file was not taken");
    if (!import->good)
        import->taken = 0;
    return !import->refused;
}

/* ---- on the loop thread ---- */

static void import_free(struct import *import)
{
    json_decref(import->errors);
    json_decref(import->uris);
    json_decref(import->passed_over);
    json_decref(import->campaigns);
    csv_file_free(&import->file);
    buf_free(&import->bad);
    free(import->made);
    free(import->made_by);
    free(import);
}

static void summary(const struct import *import, struct buf *out)
{
    if (import->rows == 0)
        buf_str(out, "The file has no rows under its header");
    else if (import->bad_rows == 0)
        buf_fmt(out, "%s %zu of %zu rows", import->dry_run ? "An import would take" : "Took",
                import->taken, import->rows);
    else
        buf_fmt(out, "%zu of %zu rows are wrong; %s %zu", import->bad_rows, import->rows,
                import->dry_run ? "an import would take" : "took", import->taken);
    if (import->undecided > 0)
        buf_fmt(out, "; %zu without a decision %s passed over", import->undecided,
                import->undecided == 1 ? "is" : "are");
    if (import->unchanged > 0)
        buf_fmt(out, "; %zu %s decided so already", import->unchanged,
                import->unchanged == 1 ? "was" : "were");
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
    summary(import, &message);
    json_object_set_new(body, "Status", json_string(import->good ? "OK" : "ERROR"));
    json_object_set_new(body, "Message", json_string(buf_text(&message)));
    json_object_set_new(body, "DryRun", json_string(import->dry_run ? "true" : "false"));
    json_object_set_new(body, "Rows", count_text(import->rows));
    json_object_set_new(body, "Taken", count_text(import->taken));
    json_object_set_new(body, "BadRows", count_text(import->bad_rows));
    json_object_set_new(body, "Undecided", count_text(import->undecided));
    json_object_set_new(body, "Unchanged", count_text(import->unchanged));
    json_object_set(body, "PassedOver", import->passed_over);
    json_object_set_new(body, "Separator", json_stringn(&import->file.separator, 1));
    json_object_set(body, "Notices", import->file.notices);
    json_object_set(body, "Errors", import->errors);
    if (import->refused) {
        json_array_clear(import->uris); /* what they name was undone */
        drop_undone_links(import->errors);
    }
    json_object_set(body, "Uris", import->uris);
    if (import->wants_bad_rows)
        json_object_set_new(body, "BadRowsCsv", call_string(buf_text(&import->bad)));
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

static void handle_import(struct call *call, void *context)
{
    static const char *const names[] = { "TakeGoodRows", "DryRun", "WithBadRows", NULL };
    struct api *api = context;
    struct problems problems = { 0 };
    bool take_good_rows = read_switch(call, "TakeGoodRows", &problems);
    bool dry_run = read_switch(call, "DryRun", &problems);
    bool with_bad_rows = read_switch(call, "WithBadRows", &problems);
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
        import->wants_bad_rows = with_bad_rows;
        import->bad.limit = BAD_ROWS_BYTES_MAX;
        import->errors = json_array();
        import->uris = json_array();
        import->passed_over = json_array();
        store_write(api->store, &import->job);
    }
    problems_free(&problems);
}

#define PARTNER "/Mediapartners/{SID}/ActionInquiries"
#define BRAND   "/Advertisers/{SID}/ActionInquiries"

const struct route import_routes[] = {
    { "POST", PARTNER "/Import", handle_import, ACCOUNT_PARTNER, SCOPE_API, true, IMPORT_BYTES_MAX,
      .reads_query = true },
    { "POST", BRAND "/Import", handle_import, ACCOUNT_BRAND, SCOPE_API, true, IMPORT_BYTES_MAX,
      .reads_query = true },
    { "GET", PARTNER ".csv", inquiry_export, ACCOUNT_PARTNER, SCOPE_API | SCOPE_READ, true, 0,
      .reads_query = true },
    { "GET", BRAND ".csv", inquiry_export, ACCOUNT_BRAND, SCOPE_API | SCOPE_READ, true, 0,
      .reads_query = true },
};
const size_t import_route_count = sizeof(import_routes) / sizeof(import_routes[0]);
