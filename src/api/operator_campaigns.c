/* operator_campaigns.c — campaigns, their action trackers and their partner members.
 *
 * The operator joins the two sides: a campaign is a brand's, its members are partners.  An account
 * of the wrong kind is refused by name of the field, in the same job that would write.
 */
#include "api/operator.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "model/money.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct campaign_work {
    struct api_job api;
    int64_t id, campaign;
    char *sid, *name; /* of the brand or partner; of the campaign or tracker */
    char currency[4];
    struct cursor cursor;
};

static void clear_work(struct api_job *job)
{
    struct campaign_work *work = (struct campaign_work *)job;

    free(work->sid);
    free(work->name);
}

static struct campaign_work *work_new(struct call *call, void *context,
                                      bool (*run)(struct api_job *, struct db *),
                                      void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct campaign_work), call, context, run, finish, clear_work);
}

static bool refuse_sid(struct api_job *job, const char *field, const char *kind)
{
    problems_add(&job->problems, field, "not the SID of a %s", kind);
    error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    return false;
}

static bool refuse_campaign(struct api_job *job)
{
    error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such campaign.");
    return false;
}

static void audit(struct api_job *job, struct db *db, const char *action, int64_t campaign,
                  json_t *detail)
{
    char object[80];

    snprintf(object, sizeof(object), "/Operator/Campaigns/%" PRId64, campaign);
    audit_add(db, &job->call->caller, job->call->address, action, object, detail);
}

static bool campaign_exists(struct db *db, int64_t id)
{
    struct campaign campaign;
    bool found = campaign_find(db, id, &campaign);

    campaign_clear(&campaign);
    return found;
}

/* ---- campaigns ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;
    struct account brand;
    bool found = account_find_sid(db, work->sid != NULL ? work->sid : "", &brand) &&
                 brand.kind == ACCOUNT_BRAND;
    int64_t id = brand.id;

    account_clear(&brand);
    if (work->sid != NULL && !found)
        return refuse_sid(job, "BrandSid", "brand");
    if (job->problems.count > 0)
        return false;
    work->id = campaign_add(db, id, work->name, work->currency);
    audit(job, db, "campaign.add", work->id,
          json_pack("{s:s, s:s, s:s}", "BrandSid", work->sid, "Name", work->name, "Currency",
                    work->currency));
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct campaign_work *work = (struct campaign_work *)job;
    json_t *answer = json_object();

    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "/Operator/Campaigns/%" PRId64, work->id);
    show_int(answer, "Id", work->id);
    call_json_answer(job->call, 200, answer);
}

static void read_currency(const struct fields *fields, char currency[4])
{
    char *text = fields_text(fields, "Currency", 3, 0, "three letters, as EUR");

    if (text != NULL && !money_currency_known(text))
        problems_add(fields->problems, "Currency", "must be a currency of ISO 4217, as EUR");
    else if (text != NULL)
        memcpy(currency, text, 4);
    free(text);
}

void operator_add_campaign(struct call *call, void *context)
{
    static const char *const names[] = { "BrandSid", "Name", "Currency", NULL };
    json_t *body = call_object(call);
    struct campaign_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_add, finish_add);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    work->sid = fields_text(&fields, "BrandSid", SID_TEXT - 1, 0, "the brand's SID");
    work->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, "the campaign's name");
    read_currency(&fields, work->currency);
    json_decref(body);
    api_write(&work->api); /* the job finds out about the brand */
}

static bool run_list(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;
    int64_t brand, partner;

    if (!operator_filter(job, db, "BrandSid", ACCOUNT_BRAND, &brand) ||
        !operator_filter(job, db, "PartnerSid", ACCOUNT_PARTNER, &partner))
        return false;
    job->shown = campaign_list(db, brand, partner, work->cursor.at, work->cursor.limit);
    return true;
}

void operator_list_campaigns(struct call *call, void *context)
{
    static const char *const names[] = { "BrandSid", "PartnerSid", "After", "PageSize", NULL };
    struct campaign_work *work = work_new(call, context, run_list, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "After", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Campaigns");
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;
    json_t *list;

    if (!campaign_exists(db, work->campaign))
        return refuse_campaign(job);
    list = campaign_list(db, 0, 0, work->campaign - 1, 1);
    job->shown = json_incref(json_array_get(list, 0));
    json_decref(list);
    return true;
}

static void finish_trackers(struct api_job *job)
{
    call_json_answer(
        job->call, 200,
        whole_answer(job->call, "Trackers", json_incref(json_object_get(job->shown, "Trackers"))));
}

void operator_list_trackers(struct call *call, void *context)
{
    struct campaign_work *work = work_new(call, context, run_show, finish_trackers);

    work->campaign = path_id(call, 0);
    api_read(&work->api);
}

void operator_show_campaign(struct call *call, void *context)
{
    struct campaign_work *work = work_new(call, context, run_show, api_job_show);

    work->campaign = path_id(call, 0);
    api_read(&work->api);
}

/* ---- trackers ---- */

static bool run_add_tracker(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;

    if (!campaign_exists(db, work->campaign))
        return refuse_campaign(job);
    work->id = tracker_add(db, work->campaign, work->name);
    if (work->id == 0) {
        problems_add(&job->problems, "Name", "is that of another tracker of this campaign");
        error_set(&job->job.error, ERROR_CONFLICT, "There is a tracker of this name already.");
        return false;
    }
    audit(job, db, "tracker.add", work->campaign,
          json_pack("{s:I, s:s}", "TrackerId", (json_int_t)work->id, "Name", work->name));
    return true;
}

static void finish_add_tracker(struct api_job *job)
{
    const struct campaign_work *work = (struct campaign_work *)job;
    json_t *answer = json_object();

    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "/Operator/Campaigns/%" PRId64, work->campaign);
    show_int(answer, "Id", work->id);
    call_json_answer(job->call, 200, answer);
}

void operator_add_tracker(struct call *call, void *context)
{
    static const char *const names[] = { "Name", NULL };
    json_t *body = call_object(call);
    struct campaign_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_add_tracker, finish_add_tracker);
    work->campaign = path_id(call, 0);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    work->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, "the tracker's name");
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- members ---- */

/* Adding a member twice is no mistake, but only the first time is a change. */
static bool run_add_member(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;
    struct account partner;

    if (!campaign_exists(db, work->campaign))
        return refuse_campaign(job);
    if (!account_find_sid(db, work->sid, &partner) || partner.kind != ACCOUNT_PARTNER) {
        account_clear(&partner);
        return refuse_sid(job, "PartnerSid", "partner");
    }
    if (membership_add(db, work->campaign, partner.id))
        audit(job, db, "member.add", work->campaign, json_pack("{s:s}", "PartnerSid", partner.sid));
    account_clear(&partner);
    return true;
}

static void finish_member(struct api_job *job)
{
    const struct campaign_work *work = (struct campaign_work *)job;

    call_ok(job->call, "/Operator/Campaigns/%" PRId64 "/Members", work->campaign);
}

void operator_add_member(struct call *call, void *context)
{
    static const char *const names[] = { "PartnerSid", NULL };
    json_t *body = call_object(call);
    struct campaign_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_add_member, finish_member);
    work->campaign = path_id(call, 0);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    work->sid = fields_text(&fields, "PartnerSid", SID_TEXT - 1, 0, "the partner's SID");
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static bool run_remove_member(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;
    struct account partner;
    bool removed;

    if (!campaign_exists(db, work->campaign))
        return refuse_campaign(job);
    removed = account_find_sid(db, job->call->params[1], &partner) &&
              membership_remove(db, work->campaign, partner.id);
    if (removed)
        audit(job, db, "member.remove", work->campaign,
              json_pack("{s:s}", "PartnerSid", partner.sid));
    else
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such member.");
    account_clear(&partner);
    return removed;
}

void operator_remove_member(struct call *call, void *context)
{
    struct campaign_work *work = work_new(call, context, run_remove_member, finish_member);

    work->campaign = path_id(call, 0);
    api_write(&work->api);
}

static bool run_list_members(struct api_job *job, struct db *db)
{
    struct campaign_work *work = (struct campaign_work *)job;

    if (!campaign_exists(db, work->campaign))
        return refuse_campaign(job);
    job->shown = membership_list(db, work->campaign, work->cursor.at, work->cursor.limit);
    return true;
}

void operator_list_members(struct call *call, void *context)
{
    static const char *const names[] = { "After", "PageSize", NULL };
    struct campaign_work *work = work_new(call, context, run_list_members, NULL);

    work->campaign = path_id(call, 0);
    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "After", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Members");
}
