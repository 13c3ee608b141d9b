/* inquiry_export.c — an account's inquiries as one CSV file, written as it goes out (rows.h). */
#include "api/inquiry_export.h"

#include "api/inquiries.h"
#include "api/inquiry_columns.h"
#include "api/rows.h"

#include <inttypes.h>

struct export
{
    struct rows rows;
    struct inquiry_filter filter; /* its texts are the call's */
};

static bool find_all(struct rows *rows, struct api_job *job, struct db *db)
{
    struct export *export = (struct export *)rows;
    export->filter.page = 1;
    export->filter.page_size = EXPORT_ROWS_MAX;
    inquiry_ids(db, &rows->call->caller, &export->filter, &rows->ids, &rows->total);
    if (rows->total <= EXPORT_ROWS_MAX)
        return true;
    error_set(&job->job.error, ERROR_INVALID,
              "%" PRId64 " inquiries are too many for one file (at most %d); ask for a part of "
              "them, by a first and a last date",
              rows->total, EXPORT_ROWS_MAX);
    return false;
}

static void write_titles(struct rows *rows, struct buf *out)
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(rows->call->caller.kind, &count);
    csv_start(out);
    for (size_t i = 0; i < count; i++)
        csv_cell(out, columns[i].title, i == 0);
    csv_end_row(out);
}

static bool write_row(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    const struct caller *caller = &rows->call->caller;
    json_t *shown = inquiry_shown(db, caller, id);
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(caller->kind, &count);
    if (shown == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *member = columns[i].member;
        const char *text =
            member != NULL ? json_string_value(json_object_get(shown, member)) : NULL;
        csv_cell(out, text != NULL ? text : "", i == 0);
    }
    csv_end_row(out);
    json_decref(shown);
    return true;
}

static const struct rows_kind inquiry_file = {
    .type = "text/csv; charset=utf-8",
    .find = find_all,
    .begin = write_titles,
    .row = write_row,
    .file = "action-inquiries.csv",
};

void inquiry_export(struct call *call, void *context)
{
    struct export *export = rows_new(sizeof(*export), &inquiry_file, call, context);
    struct problems problems = { 0 };
    inquiry_filter_read(call, false, &export->filter, &problems);
    rows_answer(&export->rows, &problems);
}
