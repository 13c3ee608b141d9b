/* terms.c — the terms of action trackers over HTTP, for the operator, for the brand that pays, and
 * for the partner who reads what it earns.
 *
 * Terms name a campaign, one of its action trackers, and one member or all.  Money is of the
 * campaign's currency, so it is read in the job, when the campaign is known.  A preview reads the
 * same fields and writes nothing.
 */
#include "api/api.h"

#include "api/body.h"
#include "base/fail.h"
#include "model/date.h"
#include "model/money.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/campaigns.h"
#include "store/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TERMS_BASE = 80 };

struct terms_work {
    struct api_job api;
    json_t *fields; /* of the request */
    struct terms terms;
    int64_t id, campaign;
};

static void clear_work(struct api_job *job)
{
    json_decref(((struct terms_work *)job)->fields);
}

static struct terms_work *work_new(struct call *call, void *context,
                                   bool (*run)(struct api_job *, struct db *),
                                   void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct terms_work), call, context, run, finish, clear_work);
}

static const char *terms_base(const struct call *call, char out[TERMS_BASE])
{
    char base[API_BASE_TEXT] = "/Operator";
    if (call->caller.kind != ACCOUNT_OPERATOR)
        api_base(call, base);
    snprintf(out, TERMS_BASE, "%s/Terms", base);
    return out;
}

static void audit(struct api_job *job, struct db *db, const char *action, int64_t id,
                  json_t *detail)
{
    char base[TERMS_BASE], object[TERMS_BASE + 24];
    snprintf(object, sizeof(object), "%s/%" PRId64, terms_base(job->call, base), id);
    audit_add(db, &job->call->caller, job->call->address, action, object, detail);
}

/* The brand whose terms the caller has to do with; 0: every one's. */
static int64_t brand_of(const struct caller *caller)
{
    return caller->kind == ACCOUNT_BRAND ? caller->account : 0;
}

/* ---- listing ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    const struct terms_work *work = (struct terms_work *)job;
    const struct caller *caller = &job->call->caller;
    int64_t partner = caller->kind == ACCOUNT_PARTNER ? caller->account : 0;
    char base[TERMS_BASE];
    size_t i;
    json_t *one;
    job->shown = terms_list(db, brand_of(caller), partner, work->campaign);
    json_array_foreach(job->shown, i, one)
        show_uri(one, "Uri", "%s/%s", terms_base(job->call, base),
                 json_string_value(json_object_get(one, "Id")));
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200, whole_answer(job->call, "Terms", json_incref(job->shown)));
}

static void handle_list(struct call *call, void *context)
{
    static const char *const names[] = { "CampaignId", NULL };
    struct terms_work *work = work_new(call, context, run_list, finish_list);
    call_query_only(call, names, &work->api.problems);
    work->campaign = query_id(call, "CampaignId", &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- what a request says ---- */

static void read_partner(struct terms_work *work, struct db *db, const struct fields *fields)
{
    char *sid = fields_text(fields, "PartnerSid", SID_TEXT - 1, 0, NULL);
    struct account partner = { 0 };
    if (sid == NULL)
        return;
    if (account_find_sid(db, sid, &partner) &&
        membership_exists(db, work->terms.campaign, partner.id))
        work->terms.partner = partner.id;
    else
        problems_add(fields->problems, "PartnerSid", "not the SID of a partner of this campaign");
    account_clear(&partner);
    free(sid);
}

/* Reads it all, in the campaign's currency.  False with problems. */
static bool read_terms(struct terms_work *work, struct db *db)
{
    struct problems *problems = &work->api.problems;
    const struct fields fields = { .from = work->fields, .problems = problems };
    const struct caller *caller = &work->api.call->caller;
    struct campaign campaign = { 0 };
    int64_t id = fields_id(&fields, "CampaignId", "the campaign");
    int64_t tracker = fields_id(&fields, "ActionTrackerId", "the action tracker they are for");
    bool own = id != 0 && campaign_find(db, id, &campaign) &&
               (caller->kind == ACCOUNT_OPERATOR || campaign.brand == caller->account);
    terms_read(&work->terms, work->fields, own ? campaign.currency : "EUR", db_now(db), problems);
    work->terms.campaign = id;
    work->terms.tracker = tracker;
    if (own) {
        char *name = tracker_name(db, id, tracker);
        if (tracker != 0 && name == NULL)
            problems_add(problems, "ActionTrackerId", "not an action tracker of this campaign");
        free(name);
        read_partner(work, db, &fields);
    } else if (id != 0) {
        problems_add(problems, "CampaignId",
                     caller->kind == ACCOUNT_OPERATOR ? "not a campaign"
                                                      : "not a campaign of yours");
    }
    campaign_clear(&campaign);
    return problems->count == 0;
}

#define TERMS_FIELDS                                                                               \
    "CampaignId", "ActionTrackerId", "PartnerSid", "PayoutPercentage", "PayoutAmount", "Locking",  \
        "LockingDays", "LockingDayOfMonth", "ClearingDays", "StartDate"

static struct terms_work *read_request(struct call *call, void *context, const char *const *names,
                                       bool (*run)(struct api_job *, struct db *),
                                       void (*finish)(struct api_job *))
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return NULL;
    struct terms_work *work = work_new(call, context, run, finish);
    work->fields = fields;
    fields_only(&(struct fields){ .from = fields, .problems = &work->api.problems }, names);
    return work;
}

/* ---- adding ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct terms_work *work = (struct terms_work *)job;
    if (!read_terms(work, db))
        return false;
    if (terms_count(db, work->terms.campaign) >= TERMS_MOST) {
        error_set(&job->job.error, ERROR_CONFLICT, "A campaign has at most %d terms.", TERMS_MOST);
        return false;
    }
    if (!terms_add(db, &work->terms)) {
        error_set(&job->job.error, ERROR_CONFLICT,
                  "There are terms from this date on already; delete them first.");
        return false;
    }
    work->id = work->terms.id;
    json_t *detail = terms_show(&work->terms);
    show_int(detail, "CampaignId", work->terms.campaign);
    show_int(detail, "ActionTrackerId", work->terms.tracker);
    audit(job, db, "terms.add", work->id, detail);
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct terms_work *work = (struct terms_work *)job;
    char base[TERMS_BASE];
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "%s/%" PRId64, terms_base(job->call, base), work->id);
    show_int(answer, "Id", work->id);
    call_json_answer(job->call, 200, answer);
}

static void handle_add(struct call *call, void *context)
{
    static const char *const names[] = { TERMS_FIELDS, NULL };
    struct terms_work *work = read_request(call, context, names, run_add, finish_add);
    if (work != NULL)
        api_write(&work->api); /* the job finds the rest of what is wrong */
}

/* ---- a preview ---- */

static bool run_preview(struct api_job *job, struct db *db)
{
    struct terms_work *work = (struct terms_work *)job;
    const struct fields fields = { .from = work->fields, .problems = &job->problems };
    read_terms(work, db);
    const char *currency = work->terms.currency;
    int64_t amount = fields_money(&fields, "Amount", currency, false, "what the sale comes to");
    int64_t event_at = fields_date(&fields, "EventDate", DATE_NONE, 0, NULL);
    if (event_at == DATE_NONE)
        event_at = db_now(db);
    if (job->problems.count > 0)
        return false;
    job->shown = terms_preview(&work->terms, amount, event_at);
    return true;
}

static void handle_preview(struct call *call, void *context)
{
    static const char *const names[] = { TERMS_FIELDS, "Amount", "EventDate", NULL };
    struct terms_work *work = read_request(call, context, names, run_preview, api_job_show);
    if (work != NULL)
        api_read(&work->api);
}

/* ---- removing ---- */

static bool run_remove(struct api_job *job, struct db *db)
{
    const struct terms_work *work = (struct terms_work *)job;
    if (!terms_remove(db, brand_of(&job->call->caller), work->id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There are no such terms.");
        return false;
    }
    audit(job, db, "terms.remove", work->id, NULL);
    return true;
}

static void finish_remove(struct api_job *job)
{
    char base[TERMS_BASE];
    call_ok(job->call, "%s", terms_base(job->call, base));
}

static void remove_at(struct call *call, void *context, int param)
{
    struct terms_work *work = work_new(call, context, run_remove, finish_remove);
    work->id = path_id(call, param);
    api_write(&work->api);
}

static void handle_remove(struct call *call, void *context)
{
    remove_at(call, context, 1);
}

static void handle_operator_remove(struct call *call, void *context)
{
    remove_at(call, context, 0);
}

/* ---- routes ---- */

#define PARTNER       "/Mediapartners/{SID}/Terms"
#define BRAND         "/Advertisers/{SID}/Terms"
#define OPERATOR      "/Operator/Terms"
#define CHANGES(kind) .who = (kind), .scopes = SCOPE_API, .counted = true
#define READS(kind)   .who = (kind), .scopes = SCOPE_API | SCOPE_READ, .counted = true

const struct route terms_routes[] = {
    { "GET", PARTNER, handle_list, READS(ACCOUNT_PARTNER), .reads_query = true },
    { "GET", BRAND, handle_list, READS(ACCOUNT_BRAND), .reads_query = true },
    { "POST", BRAND, handle_add, CHANGES(ACCOUNT_BRAND) },
    { "POST", BRAND "/Preview", handle_preview, CHANGES(ACCOUNT_BRAND) },
    { "DELETE", BRAND "/{Id}", handle_remove, CHANGES(ACCOUNT_BRAND) },
    { "GET", OPERATOR, handle_list, READS(ACCOUNT_OPERATOR), .reads_query = true },
    { "POST", OPERATOR, handle_add, CHANGES(ACCOUNT_OPERATOR) },
    { "POST", OPERATOR "/Preview", handle_preview, CHANGES(ACCOUNT_OPERATOR) },
    { "DELETE", OPERATOR "/{Id}", handle_operator_remove, CHANGES(ACCOUNT_OPERATOR) },
};
const size_t terms_route_count = sizeof(terms_routes) / sizeof(terms_routes[0]);
