/* import_rows.c — one row after the other, each taken or refused as a whole.
 *
 * A row is checked as a whole before any of it is written, so a bad one leaves nothing behind.
 */
#include "api/import_rows.h"

#include "api/action_rows.h"
#include "api/decision_row.h"
#include "api/inquiries.h"
#include "api/inquiry_columns.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IMPORT_ERRORS_MAX = 1000,
    IMPORT_CAMPAIGNS_MAX = 10000, /* of a partner, that are looked at for a name */
    PROBLEM_BYTES_MAX = 4096,     /* of the cell "Problem" of a bad row */
};

enum import_of import_of_call(const struct call *call, bool changes)
{
    if (changes)
        return IMPORT_CHANGES;
    return call->caller.kind == ACCOUNT_BRAND ? IMPORT_DECISIONS : IMPORT_INQUIRIES;
}

size_t import_columns(enum import_of of, struct csv_column out[CSV_COLUMNS_MAX])
{
    if (of == IMPORT_CHANGES)
        return action_rows_columns(out);
    return inquiry_csv_columns(of == IMPORT_DECISIONS ? ACCOUNT_BRAND : ACCOUNT_PARTNER, out);
}

json_t *import_count_text(size_t count)
{
    return json_sprintf("%zu", count);
}

/* `same`: the row of this file that is about the same; SIZE_MAX: none. */
static void add_error(struct import_rows *rows, size_t row, const char *field, const char *message,
                      const char *link, size_t same)
{
    if (json_array_size(rows->errors) >= IMPORT_ERRORS_MAX)
        return;
    json_t *error = json_object();
    json_object_set_new(error, "Row", import_count_text(row + 1));
    json_object_set_new(error, "Line", import_count_text(rows->file.at[row].line));
    json_object_set_new(error, "Field", call_string(field));
    json_object_set_new(error, "Message", call_string(message));
    if (link[0] != '\0')
        json_object_set_new(error, "Uri", call_string(link));
    if (same != SIZE_MAX)
        json_object_set_new(error, "SameAsRow", import_count_text(same + 1));
    json_array_append_new(rows->errors, error);
}

static void row_taken(struct import_rows *rows, size_t row, int64_t id)
{
    char base[INQUIRIES_URI], uri[INQUIRIES_URI + 24];
    if (rows->of == IMPORT_CHANGES)
        snprintf(uri, sizeof(uri), "/Advertisers/%s/Actions/%" PRId64, rows->call->caller.sid, id);
    else
        snprintf(uri, sizeof(uri), "%s/%" PRId64, inquiries_uri(base, &rows->call->caller), id);
    json_array_append_new(rows->uris, json_string(uri));
    rows->made[rows->taken] = id;
    rows->made_by[rows->taken++] = row;
}

/* The row of this file that opened the inquiry which a link names; SIZE_MAX: none did. */
static size_t row_that_made(const struct import_rows *rows, const char *link)
{
    const char *tail = strrchr(link, '/');
    int64_t id;
    size_t low = 0, high = rows->taken;
    if (rows->of != IMPORT_INQUIRIES || tail == NULL || !id_parse(tail + 1, &id))
        return SIZE_MAX;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->made[middle] == id)
            return rows->made_by[middle];
        if (rows->made[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* The row as it stood goes into the file of bad rows, with all that is wrong in one cell. */
static void keep_bad_row(struct import_rows *rows, size_t row, const struct problems *problems,
                         const char *message)
{
    struct buf cell = { .limit = PROBLEM_BYTES_MAX };
    for (size_t i = 0; i < problems->count; i++)
        buf_fmt(&cell, "%s%s: %s", i > 0 ? "; " : "", problems->items[i].field,
                problems->items[i].message);
    if (problems->count == 0)
        buf_str(&cell, message);
    if (rows->bad.len == 0)
        csv_problems_start(&rows->file, &rows->bad);
    csv_problem(&rows->file, row, buf_text(&cell), &rows->bad);
    buf_free(&cell);
}

static void row_failed(struct import_rows *rows, struct job *job, size_t row,
                       const struct problems *problems)
{
    const struct error *error = &job->error;
    char message[sizeof(error->message) + 60];
    size_t same = row_that_made(rows, error->link);
    if (rows->rehearses && same != SIZE_MAX) {
        rows->repeated++;
        job->error = (struct error){ 0 };
        return;
    }
    if (same == SIZE_MAX)
        snprintf(message, sizeof(message), "%s", error->message);
    else
        snprintf(message, sizeof(message), "same as row %zu (line %zu of the file)",
                 rows->rows_before + same + 1, rows->lines_before + rows->file.at[same].line);
    rows->bad_rows++;
    for (size_t i = 0; i < problems->count; i++)
        add_error(rows, row, problems->items[i].field, problems->items[i].message, "", SIZE_MAX);
    if (problems->count == 0)
        add_error(rows, row, error->kind == ERROR_NOT_FOUND ? "Id" : "", message, error->link,
                  same);
    if (rows->wants_bad_rows)
        keep_bad_row(rows, row, problems, message);
    job->error = (struct error){ 0 };
}

/* ---- campaigns by their names ---- */

static void load_campaigns(struct import_rows *rows, struct db *db)
{
    int64_t after = 0;
    rows->campaigns = json_array();
    for (;;) {
        json_t *some =
            campaign_list(db, 0, rows->call->caller.account, after, IMPORT_CAMPAIGNS_MAX / 10);
        size_t count = json_array_size(some);
        if (count > 0)
            id_parse(json_string_value(json_object_get(json_array_get(some, count - 1), "Id")),
                     &after);
        json_array_extend(rows->campaigns, some);
        json_decref(some);
        if (count < IMPORT_CAMPAIGNS_MAX / 10 ||
            json_array_size(rows->campaigns) >= IMPORT_CAMPAIGNS_MAX)
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
static void settle_campaign(struct import_rows *rows, struct db *db, json_t *fields,
                            struct problems *problems)
{
    const char *given = json_string_value(json_object_get(fields, "CampaignId"));
    const char *name = json_string_value(json_object_get(fields, "CampaignName"));
    int64_t number;
    size_t found;
    if (given != NULL && given[0] != '\0')
        name = id_parse(given, &number) ? NULL : given;
    if (name != NULL && name[0] != '\0') {
        if (rows->campaigns == NULL)
            load_campaigns(rows, db);
        const char *id = campaign_named(rows->campaigns, name, &found);
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

static bool open_row(struct import_rows *rows, struct job *job, struct db *db, json_t *fields,
                     struct problems *problems, int64_t *id)
{
    struct problems others = { 0 };
    settle_campaign(rows, db, fields, problems);
    bool named = problems->count == 0;
    bool opened = inquiry_create(job, db, rows->call, fields, inquiry_titles(ACCOUNT_PARTNER),
                                 named ? problems : &others, id);
    for (size_t i = 0; i < others.count; i++) /* of the campaign enough is said */
        if (strcmp(others.items[i].field, "Campaign Id") != 0)
            problems_add(problems, others.items[i].field, "%s", others.items[i].message);
    problems_free(&others);
    return opened;
}

/* A decision on an inquiry that one of these rows has decided. */
static bool is_repeated(const struct import_rows *rows, const json_t *fields)
{
    const char *text = json_string_value(json_object_get(fields, "Id"));
    int64_t id;
    if (text == NULL || !id_parse(text, &id))
        return false;
    for (size_t i = 0; i < rows->taken; i++) {
        if (rows->made[i] == id)
            return true;
    }
    return false;
}

/* True: the row is done with. */
static bool pass_over(struct import_rows *rows, struct db *db, const json_t *fields, size_t row)
{
    enum decision_row kind = decision_row_kind(db, &rows->call->caller, fields);
    if (kind == ROW_DECIDES)
        return false;
    rows->undecided += kind == ROW_UNDECIDED;
    rows->unchanged += kind == ROW_UNCHANGED;
    json_array_append_new(rows->passed_over, import_count_text(row + 1));
    return true;
}

static void row_is_so(struct import_rows *rows, size_t row)
{
    rows->unchanged++;
    json_array_append_new(rows->passed_over, import_count_text(row + 1));
}

/* The row as what it is of.  *changed: false, it says what is so already. */
static bool take_row(struct import_rows *rows, struct job *job, struct db *db, json_t *fields,
                     struct problems *problems, int64_t *id, bool *changed)
{
    *changed = true;
    switch (rows->of) {
    case IMPORT_CHANGES:
        return action_row_take(job, db, rows->call, fields, problems, id, changed);
    case IMPORT_DECISIONS:
        return inquiry_decide(job, db, rows->call, fields, inquiry_titles(ACCOUNT_BRAND), problems,
                              id);
    case IMPORT_INQUIRIES:
        break;
    }
    return open_row(rows, job, db, fields, problems, id);
}

bool import_row_take(struct import_rows *rows, struct job *job, struct db *db, size_t row)
{
    struct problems problems = { 0 };
    json_t *fields = json_array_get(rows->file.rows, row);
    bool decides = rows->of == IMPORT_DECISIONS, changed;
    int64_t id = 0;
    if (decides && rows->rehearses && is_repeated(rows, fields)) {
        rows->repeated++;
        return true;
    }
    if (decides && pass_over(rows, db, fields, row))
        return !db_failed(db);
    bool taken = take_row(rows, job, db, fields, &problems, &id, &changed);
    enum error_kind error = job->error.kind;
    bool broken = db_failed(db) || error == ERROR_BROKEN || error == ERROR_UNAVAILABLE;
    if (!broken && taken && changed)
        row_taken(rows, row, id);
    else if (!broken && taken)
        row_is_so(rows, row);
    else if (!broken)
        row_failed(rows, job, row, &problems);
    problems_free(&problems);
    return !broken;
}

/* ---- the whole ---- */

void import_rows_begin(struct import_rows *rows)
{
    size_t count = rows->file.count;
    json_decref(rows->errors);
    json_decref(rows->uris);
    json_decref(rows->passed_over);
    rows->errors = json_array();
    rows->uris = json_array();
    rows->passed_over = json_array();
    buf_reset(&rows->bad);
    free(rows->made);
    free(rows->made_by);
    rows->made = must_alloc((count + 1) * sizeof(*rows->made));
    rows->made_by = must_alloc((count + 1) * sizeof(*rows->made_by));
    rows->taken = rows->bad_rows = rows->undecided = rows->unchanged = rows->repeated = 0;
}

bool import_rows_read(struct import_rows *rows, const char *bytes, size_t len, struct error *error)
{
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count = import_columns(rows->of, columns);
    csv_file_free(&rows->file);
    json_decref(rows->campaigns);
    rows->campaigns = NULL;
    return csv_read(bytes, len, columns, count, &rows->file, error);
}

void import_rows_name(struct import_rows *rows, struct db *db)
{
    json_t *fields;
    size_t i;
    int64_t number;
    if (rows->of != IMPORT_INQUIRIES)
        return;
    json_array_foreach(rows->file.rows, i, fields)
    {
        const char *given = json_string_value(json_object_get(fields, "CampaignId"));
        if (given != NULL && id_parse(given, &number))
            continue;
        load_campaigns(rows, db);
        return;
    }
}

void import_rows_free(struct import_rows *rows)
{
    json_decref(rows->errors);
    json_decref(rows->uris);
    json_decref(rows->passed_over);
    json_decref(rows->campaigns);
    csv_file_free(&rows->file);
    buf_free(&rows->bad);
    free(rows->made);
    free(rows->made_by);
    *rows = (struct import_rows){ 0 };
}

/* ---- what became of them ---- */

bool import_sum_good(const struct import_sum *sum, bool take_good_rows)
{
    if (sum->bad > 0)
        return take_good_rows && sum->taken > 0;
    return sum->taken + sum->undecided + sum->unchanged > 0;
}

void import_sum_text(const struct import_sum *sum, enum import_of of, bool dry_run, struct buf *out)
{
    if (sum->rows == 0)
        buf_str(out, "The file has no rows under its header");
    else if (sum->bad == 0)
        buf_fmt(out, "%s %" PRId64 " of %" PRId64 " rows",
                dry_run ? "An import would take" : "Took", sum->taken, sum->rows);
    else
        buf_fmt(out, "%" PRId64 " of %" PRId64 " rows are wrong; %s %" PRId64, sum->bad, sum->rows,
                dry_run ? "an import would take" : "took", sum->taken);
    if (sum->undecided > 0)
        buf_fmt(out, "; %" PRId64 " without a decision %s passed over", sum->undecided,
                sum->undecided == 1 ? "is" : "are");
    if (sum->unchanged > 0)
        buf_fmt(out, "; %" PRId64 " %s%s so already", sum->unchanged,
                sum->unchanged == 1 ? "was" : "were", of == IMPORT_CHANGES ? "" : " decided");
}
