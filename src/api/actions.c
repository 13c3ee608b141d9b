/* actions.c — actions over HTTP, for the partner who is credited and the brand that pays.
 *
 * They are only read here: an action is made by accepting an inquiry or by a conversion, and shown
 * under its own address with the names that its events have (action_changes.c changes it).
 */
#include "api/actions.h"

#include "api/api.h"

#include "api/body.h"
#include "api/rows.h"
#include "store/actions.h"

#include <string.h>

struct action_work {
    struct api_job api;
    int64_t id;
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

static void set_uri(const char *base, json_t *shown)
{
    const char *id = json_string_value(json_object_get(shown, "Id"));
    json_object_set_new(shown, "Uri", json_sprintf("%s/Actions/%s", base, id));
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
    set_uri(work->base, job->shown);
    return true;
}

/* ---- its items ---- */

static bool run_item(struct api_job *job, struct db *db)
{
    if (!run_show(job, db))
        return false;
    json_t *item = action_item(json_object_get(job->shown, "Items"), job->call->params[2]);
    json_incref(item);
    json_decref(job->shown);
    job->shown = item;
    if (item == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "Action %s has no item %.100s",
                  job->call->params[1], job->call->params[2]);
    return item != NULL;
}

static void finish_items(struct api_job *job)
{
    call_json_answer(
        job->call, 200,
        whole_answer(job->call, "Items", json_incref(json_object_get(job->shown, "Items"))));
}

static void handle_part(struct call *call, void *context,
                        bool (*run)(struct api_job *, struct db *),
                        void (*finish)(struct api_job *))
{
    static const char *const none[] = { NULL };
    struct action_work *work = work_new(call, context, run, finish);
    work->id = path_id(call, 1);
    call_query_only(call, none, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

static void handle_show(struct call *call, void *context)
{
    handle_part(call, context, run_show, api_job_show);
}

static void handle_items(struct call *call, void *context)
{
    handle_part(call, context, run_show, finish_items);
}

static void handle_item(struct call *call, void *context)
{
    handle_part(call, context, run_item, api_job_show);
}

/* ---- the list ---- */

static void status_read(const struct call *call, const char *name, struct action_filter *filter,
                        struct problems *problems)
{
    const char *given = call_query(call, name);
    enum action_status status;
    if (given[0] == '\0')
        return;
    if (!action_status_named(given, &status))
        problems_add(problems, name, "must be PENDING, APPROVED or REVERSED");
    else if (filter->status != 0 && filter->status != status)
        problems_add(problems, name, "must be the same as Status, when both are given");
    else
        filter->status = status;
}

/* What only a paged list knows comes first, what only a brand knows last. */
static void names_read(const struct call *call, bool paged, struct problems *problems)
{
    static const char *const names[] = { "Page",
                                         "PageSize",
                                         "CampaignId",
                                         "Status",
                                         "State",
                                         "Oid",
                                         "StartDate",
                                         "EndDate",
                                         "ActionDateStart",
                                         "ActionDateEnd",
                                         "LockingDateStart",
                                         "LockingDateEnd",
                                         "InquiryId",
                                         "MediaPartnerId" };
    enum { ALL = sizeof(names) / sizeof(names[0]), OF_PAGES = 2, OF_BRANDS = 1 };
    size_t first = paged ? 0 : OF_PAGES;
    size_t behind = call->caller.kind == ACCOUNT_BRAND ? ALL : ALL - OF_BRANDS;
    const char *known[ALL + 1] = { NULL };
    for (size_t i = first; i < behind; i++)
        known[i - first] = names[i];
    call_query_only(call, known, problems);
}

/* A brand names a campaign of a page, as its clients always did, or ALL. */
static void campaign_read(const struct call *call, bool paged, struct action_filter *filter,
                          struct problems *problems)
{
    const char *given = call_query(call, "CampaignId");
    bool brand = call->caller.kind == ACCOUNT_BRAND;
    if (brand && paged && given[0] == '\0')
        problems_add(problems, "CampaignId", "is required: the number of your campaign, or ALL");
    else if (!brand || strcmp(given, "ALL") != 0)
        filter->campaign = query_id(call, "CampaignId", problems);
}

/* Status is our own name of it, State the published one. */
void action_filter_read(const struct call *call, bool paged, struct action_filter *filter,
                        struct problems *problems)
{
    const char *order = call_query(call, "Oid");
    names_read(call, paged, problems);
    filter->partner = query_id(call, "MediaPartnerId", problems);
    filter->inquiry = query_id(call, "InquiryId", problems);
    campaign_read(call, paged, filter, problems);
    status_read(call, "Status", filter, problems);
    status_read(call, "State", filter, problems);
    filter->order_id = order[0] != '\0' ? order : NULL;
    span_read(call, "StartDate", "EndDate", &filter->updated_from, &filter->updated_until,
              problems);
    span_read(call, "ActionDateStart", "ActionDateEnd", &filter->event_from, &filter->event_until,
              problems);
    span_read(call, "LockingDateStart", "LockingDateEnd", &filter->locking_from,
              &filter->locking_until, problems);
}

struct action_rows {
    struct rows rows;
    struct action_filter filter; /* its texts are the call's */
    struct page page;
    char base[API_BASE_TEXT];
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct action_rows *list = (struct action_rows *)rows;
    (void)job;
    action_ids(db, &rows->call->caller, &list->filter, &rows->ids, &rows->total);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct action_rows *)rows)->page, "Actions", out);
}

static bool write_action(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *shown = action_find(db, &rows->call->caller, id);
    if (shown == NULL)
        return false;
    set_uri(((struct action_rows *)rows)->base, shown);
    rows_json_row(rows, shown, out);
    return true;
}

static const struct rows_kind action_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_action,
    .end = rows_json_end,
};

static void handle_list(struct call *call, void *context)
{
    struct action_rows *list = rows_new(sizeof(*list), &action_page, call, context);
    struct problems problems = { 0 };
    action_filter_read(call, true, &list->filter, &problems);
    page_read(call, &list->page, &problems);
    list->filter.page = list->page.number;
    list->filter.page_size = list->page.size;
    api_base(call, list->base);
    rows_answer(&list->rows, &problems);
}

/* ---- sums ---- */

struct sums_work {
    struct api_job api;
    struct action_filter filter; /* its texts are the call's */
};

static bool run_sums(struct api_job *job, struct db *db)
{
    const struct sums_work *work = (struct sums_work *)job;
    job->shown = action_sums(db, &job->call->caller, &work->filter);
    return true;
}

static void finish_sums(struct api_job *job)
{
    call_json_answer(job->call, 200, whole_answer(job->call, "Sums", json_incref(job->shown)));
}

static void handle_sums(struct call *call, void *context)
{
    struct sums_work *work = api_job_new(sizeof(*work), call, context, run_sums, finish_sums, NULL);
    action_filter_read(call, false, &work->filter, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/Actions"
#define BRAND   "/Advertisers/{SID}/Actions"
#define READS   (SCOPE_API | SCOPE_READ)

const struct route action_routes[] = {
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/Sums", handle_sums, ACCOUNT_PARTNER, READS, COUNTED, 0,
      .reads_query = true },
    { "GET", PARTNER "/{Id}", handle_show, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/Items", handle_items, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/Items/{Sku}", handle_item, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/Sums", handle_sums, ACCOUNT_BRAND, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/{Id}", handle_show, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/Items", handle_items, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/Items/{Sku}", handle_item, ACCOUNT_BRAND, READS, COUNTED, 0 },
};
const size_t action_route_count = sizeof(action_routes) / sizeof(action_routes[0]);
