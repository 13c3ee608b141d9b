/* inquiries.c — action inquiries over HTTP, for the partner who asks and the brand who answers.
 *
 * A handler reads the request, gives the store one job, and answers when that is done.  Fields are
 * checked inside the job, because an amount can only be read in a currency and the currency may be
 * the campaign's; so one place reads them, for single calls and imports alike.
 *
 * Whatever changes an inquiry is in the audit log, in the same transaction.
 */
#include "api/inquiries.h"

#include "api/body.h"
#include "api/rows.h"
#include "store/accounts.h"
#include "store/campaigns.h"
#include "store/inquiry_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inquiry_work {
    struct api_job api;
    int64_t id;
    json_t *fields; /* of the request */
    char *comment;
    enum inquiry_step step;
};

static void clear_work(struct api_job *job)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    json_decref(work->fields);
    free(work->comment);
}

static struct inquiry_work *work_new(struct call *call, void *context,
                                     bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct inquiry_work), call, context, run, finish, clear_work);
}

const char *inquiries_uri(char out[INQUIRIES_URI], const struct caller *caller)
{
    snprintf(out, INQUIRIES_URI, "/%s/%s/ActionInquiries",
             caller->kind == ACCOUNT_BRAND ? "Advertisers" : "Mediapartners", caller->sid);
    return out;
}

static void audit(struct db *db, const struct call *call, const char *action, int64_t id)
{
    char base[INQUIRIES_URI], object[INQUIRIES_URI + 24];
    snprintf(object, sizeof(object), "%s/%" PRId64, inquiries_uri(base, &call->caller), id);
    audit_add(db, &call->caller, call->address, action, object, NULL);
}

static void finish_ok(struct api_job *job)
{
    const struct inquiry_work *work = (struct inquiry_work *)job;
    char base[INQUIRIES_URI];
    call_ok(job->call, "%s/%" PRId64, inquiries_uri(base, &job->call->caller), work->id);
}

/* ---- opening ---- */

/* Finds the campaign, if the partner is a member of it.  Puts in the currency when there is none:
 * the campaign's, or any when the request will be refused for its campaign, so that its amounts are
 * checked all the same. */
static void complete(struct db *db, const struct call *call, json_t *from,
                     struct campaign *campaign)
{
    struct problems ignored = { 0 };
    const struct fields fields = { from, NULL, &ignored };
    int64_t id = fields_id(&fields, "CampaignId", NULL);
    size_t before = ignored.count;
    char *currency = fields_text(&fields, "Currency", 100, 0, NULL);
    bool absent = currency == NULL && ignored.count == before;
    bool found = campaign_of_member(db, id, call->caller.account, campaign);
    if (absent)
        json_object_set_new(from, "Currency", json_string(found ? campaign->currency : "EUR"));
    free(currency);
    problems_free(&ignored);
}

bool inquiry_create(struct job *job, struct db *db, const struct call *call, json_t *from,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id)
{
    struct inquiry inquiry;
    struct campaign campaign;
    json_t *whole = json_copy(from);
    complete(db, call, whole, &campaign);
    inquiry_read(&inquiry, whole, label, db_now(db), problems);
    json_decref(whole);
    if (inquiry.campaign != 0 && inquiry.campaign != campaign.id)
        problems_add(problems, label != NULL ? label("CampaignId") : "CampaignId",
                     "must be a campaign that you are a member of");
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The inquiry has wrong fields");
    bool opened =
        problems->count == 0 && inquiry_open(job, db, &call->caller, &campaign, &inquiry, problems);
    if (opened) {
        *id = inquiry.id;
        audit(db, call, "inquiry.open", inquiry.id);
    }
    campaign_clear(&campaign);
    inquiry_free(&inquiry);
    return opened;
}

static bool run_create(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    return inquiry_create(&job->job, db, job->call, work->fields, NULL, &job->problems, &work->id);
}

static void handle_create(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_create, finish_ok);
    work->fields = fields;
    api_write(&work->api);
}

/* ---- the brand's decision ---- */

bool inquiry_decide(struct job *job, struct db *db, const struct call *call, const json_t *from,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id)
{
    static const char *const actions[] = {
        [STEP_ACCEPT] = "inquiry.accept",
        [STEP_DECLINE] = "inquiry.decline",
        [STEP_ASK] = "inquiry.ask",
    };
    struct resolution resolution;
    resolution_read(&resolution, from, label, problems);
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The decision has wrong fields");
    bool decided =
        problems->count == 0 && inquiry_resolve(job, db, &call->caller, &resolution, problems);
    if (decided) {
        *id = resolution.id;
        audit(db, call, actions[resolution.step], resolution.id);
    }
    resolution_free(&resolution);
    return decided;
}

static bool run_decide(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    return inquiry_decide(&job->job, db, job->call, work->fields, NULL, &job->problems, &work->id);
}

static void handle_decide(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_decide, finish_ok);
    work->fields = fields;
    api_write(&work->api);
}

/* ---- close, reopen, comment ---- */

static bool run_step(struct api_job *job, struct db *db)
{
    static const char *const actions[] = {
        [STEP_CLOSE] = "inquiry.close",
        [STEP_REOPEN] = "inquiry.reopen",
        [STEP_REPLY] = "inquiry.comment",
    };
    struct inquiry_work *work = (struct inquiry_work *)job;
    const struct caller *caller = &job->call->caller;
    bool done =
        caller->kind == ACCOUNT_BRAND
            ? inquiry_comment(&job->job, db, caller, work->id, work->comment)
            : inquiry_partner_step(&job->job, db, caller, work->id, work->step, work->comment);
    if (done)
        audit(db, job->call, actions[work->step], work->id);
    return done;
}

static void step_with_comment(struct call *call, void *context, enum inquiry_step step)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_step, finish_ok);
    work->id = path_id(call, 1);
    work->step = step;
    work->comment = comment_read(fields, &work->api.problems);
    json_decref(fields);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static void handle_comment(struct call *call, void *context)
{
    step_with_comment(call, context, STEP_REPLY);
}

static void handle_reopen(struct call *call, void *context)
{
    step_with_comment(call, context, STEP_REOPEN);
}

static void handle_close(struct call *call, void *context)
{
    struct inquiry_work *work = work_new(call, context, run_step, finish_ok);
    work->id = path_id(call, 1);
    work->step = STEP_CLOSE;
    api_write(&work->api);
}

/* ---- reading ---- */

json_t *inquiry_shown(struct db *db, const struct caller *caller, int64_t id)
{
    struct inquiry inquiry = { 0 };
    if (!inquiry_find(db, caller, id, &inquiry))
        return NULL;
    json_t *shown = inquiry_show(&inquiry, caller->kind == ACCOUNT_BRAND);
    inquiry_free(&inquiry);
    return shown;
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    job->shown = inquiry_shown(db, &job->call->caller, work->id);
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action inquiry %s",
                  job->call->params[1]);
    return job->shown != NULL;
}

static void handle_show(struct call *call, void *context)
{
    static const char *const none[] = { NULL };
    struct inquiry_work *work = work_new(call, context, run_show, api_job_show);
    work->id = path_id(call, 1);
    call_query_only(call, none, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

static bool run_history(struct api_job *job, struct db *db)
{
    job->shown = inquiry_history(db, &job->call->caller, ((const struct inquiry_work *)job)->id);
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action inquiry %s",
                  job->call->params[1]);
    return job->shown != NULL;
}

static void handle_history(struct call *call, void *context)
{
    struct inquiry_work *work = work_new(call, context, run_history, api_job_show);
    work->id = path_id(call, 1);
    api_read(&work->api);
}

struct inquiry_rows {
    struct rows rows;
    struct inquiry_filter filter; /* its texts are the call's */
    struct page page;
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct inquiry_rows *list = (struct inquiry_rows *)rows;
    (void)job;
    inquiry_ids(db, &rows->call->caller, &list->filter, &rows->ids, &rows->total);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct inquiry_rows *)rows)->page, "ActionInquiries", out);
}

static bool write_inquiry(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *shown = inquiry_shown(db, &rows->call->caller, id);
    if (shown != NULL)
        rows_json_row(rows, shown, out);
    return shown != NULL;
}

static const struct rows_kind inquiry_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_inquiry,
    .end = rows_json_end,
};

static void handle_list(struct call *call, void *context)
{
    struct inquiry_rows *list = rows_new(sizeof(*list), &inquiry_page, call, context);
    struct problems problems = { 0 };
    inquiry_filter_read(call, true, &list->filter, &problems);
    page_read(call, &list->page, &problems);
    list->filter.page = list->page.number;
    list->filter.page_size = list->page.size;
    rows_answer(&list->rows, &problems);
}

/* ---- routes ---- */

#define PARTNER  "/Mediapartners/{SID}/ActionInquiries"
#define BRAND    "/Advertisers/{SID}/ActionInquiries"
#define CHANGES  SCOPE_API
#define READS    (SCOPE_API | SCOPE_READ)
#define BODY_MAX ((size_t)256 * 1024) /* form-encoded, the longest fields triple */

const struct route inquiry_routes[] = {
    { "POST", PARTNER, handle_create, ACCOUNT_PARTNER, CHANGES, COUNTED, BODY_MAX },
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{Id}", handle_show, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/History", handle_history, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Close", handle_close, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Comments", handle_comment, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Reopen", handle_reopen, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0, .reads_query = true },
    { "PUT", BRAND, handle_decide, ACCOUNT_BRAND, CHANGES, COUNTED, BODY_MAX },
    { "GET", BRAND "/{Id}", handle_show, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/History", handle_history, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Comments", handle_comment, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
};
const size_t inquiry_route_count = sizeof(inquiry_routes) / sizeof(inquiry_routes[0]);
