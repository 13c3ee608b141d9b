/* action_updates.c — what has happened to actions, over HTTP, for both sides. */
#include "api/actions.h"

#include "api/api.h"

#include "api/body.h"
#include "api/rows.h"
#include "store/action_updates.h"

struct update_rows {
    struct rows rows;
    struct action_update_filter filter;
    struct page page;
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct update_rows *list = (struct update_rows *)rows;
    (void)job;
    action_update_ids(db, &rows->call->caller, &list->filter, &rows->ids, &rows->total);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct update_rows *)rows)->page, "ActionUpdates", out);
}

static bool write_update(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *shown = action_update_find(db, &rows->call->caller, id);
    if (shown != NULL)
        rows_json_row(rows, shown, out);
    return shown != NULL;
}

static const struct rows_kind update_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_update,
    .end = rows_json_end,
};

void action_update_filter_read(const struct call *call, bool paged,
                               struct action_update_filter *filter, struct problems *problems)
{
    static const char *const names[] = {
        "Page",          "PageSize",         "CampaignId",     "ActionId",
        "State",         "StartDate",        "EndDate",        "ActionDateStart",
        "ActionDateEnd", "LockingDateStart", "LockingDateEnd", NULL
    };
    const char *state = call_query(call, "State");
    call_query_only(call, paged ? names : names + 2, problems); /* the first are the pages' */
    filter->campaign = query_id(call, "CampaignId", problems);
    filter->action = query_id(call, "ActionId", problems);
    if (state[0] != '\0' && !action_status_named(state, &filter->status))
        problems_add(problems, "State", "must be PENDING, APPROVED or REVERSED");
    span_read(call, "StartDate", "EndDate", &filter->created_from, &filter->created_until,
              problems);
    span_read(call, "ActionDateStart", "ActionDateEnd", &filter->event_from, &filter->event_until,
              problems);
    span_read(call, "LockingDateStart", "LockingDateEnd", &filter->locking_from,
              &filter->locking_until, problems);
}

static void handle_list(struct call *call, void *context)
{
    struct update_rows *list = rows_new(sizeof(*list), &update_page, call, context);
    struct problems problems = { 0 };
    action_update_filter_read(call, true, &list->filter, &problems);
    page_read(call, &list->page, &problems);
    list->filter.page = list->page.number;
    list->filter.page_size = list->page.size;
    rows_answer(&list->rows, &problems);
}

/* ---- one ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = action_update_find(db, &job->call->caller, path_id(job->call, 1));
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action update %s",
                  job->call->params[1]);
    return job->shown != NULL;
}

static void handle_show(struct call *call, void *context)
{
    static const char *const none[] = { NULL };
    struct api_job *job = api_job_new(sizeof(*job), call, context, run_show, api_job_show, NULL);
    call_query_only(call, none, &job->problems);
    if (api_job_valid(job))
        api_read(job);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/ActionUpdates"
#define BRAND   "/Advertisers/{SID}/ActionUpdates"
#define READS   (SCOPE_API | SCOPE_READ)

const struct route action_update_routes[] = {
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{Id}", handle_show, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/{Id}", handle_show, ACCOUNT_BRAND, READS, COUNTED, 0 },
};
const size_t action_update_route_count =
    sizeof(action_update_routes) / sizeof(action_update_routes[0]);
