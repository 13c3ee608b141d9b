/* errands.c — jobs over HTTP: listed, shown, cancelled, and their results sent.
 *
 * A result goes out a piece at a time, as it lies in the store, so a download has one piece in
 * memory however long it is.
 */
#include "api/errands.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "api/download.h"
#include "base/fail.h"
#include "base/text.h"
#include "store/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const struct errand_doers api_errand_doers = { {
    [ERRAND_EXPORT_INQUIRIES] = &export_doer,
    [ERRAND_EXPORT_ACTIONS] = &export_doer,
    [ERRAND_EXPORT_ACTION_UPDATES] = &export_doer,
    [ERRAND_EXPORT_POSTBACKS] = &export_doer,
    [ERRAND_EXPORT_ATTEMPTS] = &export_doer,
    [ERRAND_EXPORT_AUDIT] = &export_doer,
    [ERRAND_IMPORT_INQUIRIES] = &import_doer,
    [ERRAND_IMPORT_DECISIONS] = &import_doer,
    [ERRAND_IMPORT_CHANGES] = &import_doer,
    [ERRAND_ERASURE] = &erasure_doer,
    [ERRAND_POSTBACKS] = &postbacks_doer,
} };

struct errand_work {
    struct api_job api;
    int64_t id;
    enum errand_state state; /* 0: any */
    struct cursor cursor;
};

static struct errand_work *work_of(struct api_job *job)
{
    return (struct errand_work *)job;
}

void errand_answer_begun(struct call *call, int64_t id)
{
    char base[API_BASE_TEXT];
    api_base(call, base);
    json_t *body = json_object();
    json_object_set_new(body, "Status", json_string("OK"));
    json_object_set_new(body, "Id", json_sprintf("%" PRId64, id));
    json_object_set_new(body, "Uri", json_sprintf("%s/Jobs/%" PRId64, base, id));
    call_json_answer(call, 202, body);
}

void errand_audit(const struct call *call, struct db *db, const char *action, int64_t id,
                  json_t *detail)
{
    char base[API_BASE_TEXT], object[API_BASE_TEXT + 40];
    api_base(call, base);
    snprintf(object, sizeof(object), "%s/Jobs/%" PRId64, base, id);
    audit_add(db, &call->caller, call->address, action, object, detail);
}

static struct errand_work *work_new(struct call *call, void *context,
                                    bool (*run)(struct api_job *, struct db *),
                                    void (*finish)(struct api_job *))
{
    struct errand_work *work = api_job_new(sizeof(*work), call, context, run, finish, NULL);
    if (call->params[1] != NULL)
        work->id = path_id(call, 1);
    return work;
}

/* ---- list and show ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    const struct errand_work *work = work_of(job);
    job->shown = errand_list(db, job->call->caller.account, work->state, work->cursor.at,
                             work->cursor.limit);
    return true;
}

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "Status", "Before", "PageSize", NULL };
    struct errand_work *work = work_new(call, context, run_list, NULL);
    const char *status = call_query(call, "Status");
    call_query_only(call, names, &work->api.problems);
    if (status[0] != '\0' && !errand_state_named(status, &work->state))
        problems_add(&work->api.problems, "Status",
                     "must be QUEUED, RUNNING, COMPLETED, CANCELLED, ERROR or FAILED");
    cursor_read(call, &work->cursor, "Before", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Jobs");
}

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = errand_show(db, job->call->caller.account, work_of(job)->id);
    return job->shown != NULL;
}

static void show(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_show, api_job_show)->api);
}

/* ---- cancel ---- */

static bool run_cancel(struct api_job *job, struct db *db)
{
    const struct errand_work *work = work_of(job);
    if (!errand_cancel(&job->job, db, job->call->caller.account, work->id))
        return false;
    errand_audit(job->call, db, "job.cancel", work->id, NULL);
    job->shown = errand_show(db, job->call->caller.account, work->id);
    return true;
}

static void cancel(struct call *call, void *context)
{
    struct errand_work *work = work_new(call, context, run_cancel, api_job_show);
    work->api.job.admitted = true; /* its event is not held up by what waits */
    api_write(&work->api);
}

/* ---- the result ---- */

struct result_download {
    struct download download;
    int64_t account, id;
    struct errand_result result;
};

struct result_job {
    struct api_job api;
    struct result_download *found; /* NULL: handed on */
};

static bool read_result(struct db *db, const struct download *download, struct buf *piece)
{
    const struct result_download *result = (const struct result_download *)download;
    return errand_result_read(db, result->account, result->id, download->next, piece);
}

static void free_result(struct download *download)
{
    free(download);
}

static bool run_find(struct api_job *job, struct db *db)
{
    struct result_download *found = ((struct result_job *)job)->found;
    return errand_result_find(&job->job, db, found->account, found->id, &found->result);
}

static void clear_find(struct api_job *job)
{
    free(((struct result_job *)job)->found);
}

static void finish_find(struct api_job *job)
{
    struct result_download *found = ((struct result_job *)job)->found;
    bool csv = found->result.is_csv;
    char value[120];
    ((struct result_job *)job)->found = NULL;
    snprintf(value, sizeof(value), "attachment; filename=\"%s-%" PRId64 ".%s\"",
             errand_file(found->result.kind), found->id, csv ? "csv" : "ndjson");
    call_add_header(job->call, "Content-Disposition", value);
    found->download.chunks = found->result.chunks;
    download_send(&found->download,
                  csv ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8");
}

static void download(struct call *call, void *context)
{
    struct result_job *job =
        api_job_new(sizeof(*job), call, context, run_find, finish_find, clear_find);
    job->found = must_alloc(sizeof(*job->found));
    *job->found = (struct result_download){
        .download = { .call = call,
                      .api = context,
                      .read = read_result,
                      .gone = "the result was deleted meanwhile",
                      .free = free_result },
        .account = call->caller.account,
        .id = path_id(call, 1),
    };
    api_read(&job->api);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/Jobs"
#define BRAND   "/Advertisers/{SID}/Jobs"
#define READS   (SCOPE_API | SCOPE_READ)

const struct route errand_routes[] = {
    { "GET", PARTNER, list, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{Id}", show, PARTNERS, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/Download", download, PARTNERS, READS, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Cancel", cancel, PARTNERS, SCOPE_API, COUNTED, 0 },
    { "GET", BRAND, list, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/{Id}", show, BRANDS, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/Download", download, BRANDS, READS, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Cancel", cancel, BRANDS, SCOPE_API, COUNTED, 0 },
};
const size_t errand_route_count = sizeof(errand_routes) / sizeof(errand_routes[0]);
