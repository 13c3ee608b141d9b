/* inquiry_export.c — an account's inquiries as one CSV file.
 *
 * One read job, so one snapshot, goes through the list a page at a time and writes each row into
 * one buffer with a cap; only a page of inquiries is in memory beside it.
 */
#include "api/inquiry_export.h"

#include "api/inquiries.h"
#include "api/inquiry_columns.h"

#include <inttypes.h>

enum { PAGE = 1000 };

struct export
{
    struct api_job api;
    struct inquiry_filter filter;
    struct buf out;
};

static void clear_export(struct api_job *job)
{
    buf_free(&((struct export *)job)->out);
}

static void write_titles(struct buf *out, enum account_kind kind)
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(kind, &count);
    csv_start(out);
    for (size_t i = 0; i < count; i++)
        csv_cell(out, columns[i].title, i == 0);
    csv_end_row(out);
}

static void write_row(struct buf *out, enum account_kind kind, const json_t *shown)
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(kind, &count);
    for (size_t i = 0; i < count; i++) {
        const char *member = columns[i].member;
        const char *text =
            member != NULL ? json_string_value(json_object_get(shown, member)) : NULL;
        csv_cell(out, text != NULL ? text : "", i == 0);
    }
    csv_end_row(out);
}

static bool run_export(struct api_job *job, struct db *db)
{
    struct export *export = (struct export *)job;
    const struct caller *caller = &job->call->caller;
    size_t got;
    write_titles(&export->out, caller->kind);
    export->filter.page_size = PAGE;
    do {
        int64_t total;
        json_t *row, *page = inquiry_list(db, caller, &export->filter, &total);
        size_t i;
        json_array_foreach(page, i, row)
        {
            write_row(&export->out, caller->kind, row);
        }
        got = json_array_size(page);
        json_decref(page);
        export->filter.page++;
        if (total > EXPORT_ROWS_MAX || export->out.failed) {
            error_set(&job->job.error, ERROR_INVALID,
                      "%" PRId64 " inquiries are too many for one file (at most %d, and %d MiB); "
                      "ask for a part of them by StartDate and EndDate",
                      total, EXPORT_ROWS_MAX, EXPORT_BYTES_MAX / 1024 / 1024);
            return false;
        }
    } while (got == PAGE);
    return true;
}

static void finish_export(struct api_job *job)
{
    const struct export *export = (struct export *)job;
    call_add_header(job->call, "Content-Disposition",
                    "attachment; filename=\"action-inquiries.csv\"");
    call_text_answer(job->call, 200, "text/csv; charset=utf-8", buf_text(&export->out),
                     export->out.len);
}

void inquiry_export(struct call *call, void *context)
{
    struct export *export =
        api_job_new(sizeof(*export), call, context, run_export, finish_export, clear_export);
    export->out.limit = EXPORT_BYTES_MAX;
    inquiry_filter_read(call, false, &export->filter, &export->api.problems);
    if (api_job_valid(&export->api))
        api_read(&export->api);
}
