/* actions.c — actions over HTTP, for the partner who is credited and the brand that pays.
 *
 * They are only read here: an action is made by accepting an inquiry or by a tracking postback, and
 * shown as the event action.tracked has it, under its own address.
 */
#include "api/api.h"

#include "api/body.h"
#include "store/actions.h"

struct action_work {
    struct api_job api;
    int64_t id, total;
    struct action_filter filter; /* its texts are the call's */
    struct page page;
    char base[API_BASE_TEXT];
};

static struct action_work *work_new(struct call *call, void *context,
                                    bool (*run)(struct api_job *, struct db *),
                                    void (*finish)(struct api_job *))
{
    struct action_work *work = api_job_new(sizeof(*work), call, context, run, finish, NULL);
    api_base(call, work->base);
    return work;
}

static void set_uri(const struct action_work *work, json_t *shown)
{
    const char *id = json_string_value(json_object_get(shown, "Id"));
    json_object_set_new(shown, "Uri", json_sprintf("%s/Actions/%s", work->base, id));
}

/* ---- one ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    struct action_work *work = (struct action_work *)job;
    job->shown = action_find(db, &job->call->caller, work->id);
    if (job->shown == NULL) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action %s", job->call->params[1]);
        return false;
    }
    set_uri(work, job->shown);
    return true;
}

static void handle_show(struct call *call, void *context)
{
    static const char *const none[] = { NULL };
    struct action_work *work = work_new(call, context, run_show, api_job_show);
    work->id = path_id(call, 1);
    call_query_only(call, none, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- the list ---- */

static void filter_read(const struct call *call, struct action_filter *filter,
                        struct problems *problems)
{
    static const char *const names[] = { "CampaignId", "Status", "Oid",      "StartDate",
                                         "EndDate",    "Page",   "PageSize", NULL };
    const char *status = call_query(call, "Status"), *order = call_query(call, "Oid");
    call_query_only(call, names, problems);
    filter->campaign = query_id(call, "CampaignId", problems);
    if (status[0] != '\0' && !action_status_named(status, &filter->status))
        problems_add(problems, "Status", "must be PENDING, APPROVED or REVERSED");
    filter->order_id = order[0] != '\0' ? order : NULL;
    span_read(call, "StartDate", "EndDate", &filter->created_from, &filter->created_until,
              problems);
}

static bool run_list(struct api_job *job, struct db *db)
{
    struct action_work *work = (struct action_work *)job;
    size_t i;
    json_t *action;
    job->shown = action_list(db, &job->call->caller, &work->filter, &work->total);
    json_array_foreach(job->shown, i, action) set_uri(work, action);
    return true;
}

static void finish_list(struct api_job *job)
{
    struct action_work *work = (struct action_work *)job;
    call_json_answer(
        job->call, 200,
        page_answer(job->call, &work->page, work->total, "Actions", json_incref(job->shown)));
}

static void handle_list(struct call *call, void *context)
{
    struct action_work *work = work_new(call, context, run_list, finish_list);
    filter_read(call, &work->filter, &work->api.problems);
    page_read(call, &work->page, &work->api.problems);
    work->filter.page = work->page.number;
    work->filter.page_size = work->page.size;
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/Actions"
#define BRAND   "/Advertisers/{SID}/Actions"
#define READS   (SCOPE_API | SCOPE_READ)
#define COUNTED true

const struct route action_routes[] = {
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}", handle_show, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}", handle_show, ACCOUNT_BRAND, READS, COUNTED, 0 },
};
const size_t action_route_count = sizeof(action_routes) / sizeof(action_routes[0]);
