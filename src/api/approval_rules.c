/* approval_rules.c — a brand says which partners' inquiries are accepted without it, and when.
 *
 * A rule names a campaign of the brand, the action tracker of the actions it makes, and one member
 * or all.  Limits are money of the campaign's currency, so they are read in the job, when the
 * campaign is known.
 */
#include "api/approval_rules.h"

#include "api/body.h"
#include "base/text.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS_MOST = 365 };

struct rule_work {
    struct api_job api;
    struct approval_rule rule;
    char *partner_sid, *payout_under, *total_under;
};

static void clear_work(struct api_job *job)
{
    struct rule_work *work = (struct rule_work *)job;

    free(work->partner_sid);
    free(work->payout_under);
    free(work->total_under);
}

static struct rule_work *work_new(struct call *call, void *context,
                                  bool (*run)(struct api_job *, struct db *),
                                  void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct rule_work), call, context, run, finish, clear_work);
}

static void audit(struct api_job *job, struct db *db, const char *action, int64_t rule)
{
    char object[160];

    snprintf(object, sizeof(object), "/Advertisers/%s/ApprovalRules/%" PRId64,
             job->call->caller.sid, rule);
    audit_add(db, &job->call->caller, job->call->address, action, object, NULL);
}

/* ---- listing ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    job->shown = rule_list(db, job->call->caller.account);
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200,
                     whole_answer(job->call, "ApprovalRules", json_incref(job->shown)));
}

void approval_rules_list(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_list, finish_list)->api);
}

/* ---- adding ---- */

/* Above 0, in the campaign's currency; MONEY_NONE when not given or wrong. */
static int64_t read_limit(const char *text, const char *field, const char *currency,
                          struct problems *problems)
{
    int64_t minor = MONEY_NONE;
    const char *wrong;

    if (text == NULL)
        return MONEY_NONE;
    wrong = money_parse(text, currency, &minor);
    if (wrong != NULL)
        problems_add(problems, field, "%s", wrong);
    else if (minor <= 0)
        problems_add(problems, field, "must be more than 0");
    return wrong == NULL ? minor : MONEY_NONE;
}

static void check_partner(struct rule_work *work, struct db *db)
{
    struct account partner;

    if (work->partner_sid == NULL)
        return;
    if (account_find_sid(db, work->partner_sid, &partner) &&
        membership_exists(db, work->rule.campaign, partner.id))
        work->rule.partner = partner.id;
    else
        problems_add(&work->api.problems, "PartnerSid",
                     "not the SID of a partner of this campaign");
    account_clear(&partner);
}

static void read_limits(struct rule_work *work, const char *currency)
{
    struct problems *problems = &work->api.problems;

    work->rule.payout_under = read_limit(work->payout_under, "PayoutUnder", currency, problems);
    work->rule.total_under = read_limit(work->total_under, "TotalUnder", currency, problems);
}

/* What the request named and the store has to know. */
static void check_campaign(struct rule_work *work, struct db *db)
{
    struct problems *problems = &work->api.problems;
    const struct approval_rule *rule = &work->rule;
    struct campaign campaign = { 0 };
    bool own = rule->campaign != 0 && campaign_find(db, rule->campaign, &campaign) &&
               campaign.brand == rule->brand;

    if (own) {
        char *tracker = tracker_name(db, rule->campaign, rule->tracker);
        if (rule->tracker != 0 && tracker == NULL)
            problems_add(problems, "ActionTrackerId", "not an action tracker of this campaign");
        free(tracker);
        check_partner(work, db);
    } else if (rule->campaign != 0) {
        problems_add(problems, "CampaignId", "not a campaign of yours");
    }
    read_limits(work,
                own ? campaign.currency : "EUR"); /* refused, but all that is wrong is named */
    campaign_clear(&campaign);
}

static bool run_add(struct api_job *job, struct db *db)
{
    struct rule_work *work = (struct rule_work *)job;

    work->rule.brand = job->call->caller.account;
    check_campaign(work, db);
    if (job->problems.count > 0)
        return false;
    if (rule_count(db, work->rule.brand) >= RULES_MAX) {
        error_set(&job->job.error, ERROR_CONFLICT, "A brand has at most %d approval rules.",
                  RULES_MAX);
        return false;
    }
    work->rule.id = rule_add(db, &work->rule);
    audit(job, db, "approval_rule.add", work->rule.id);
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct rule_work *work = (struct rule_work *)job;
    json_t *answer = json_object();

    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "/Advertisers/%s/ApprovalRules/%" PRId64, job->call->caller.sid,
             work->rule.id);
    show_int(answer, "Id", work->rule.id);
    call_json_answer(job->call, 200, answer);
}

static void read_wait(const struct fields *fields, struct approval_rule *rule)
{
    char *wait =
        fields_text(fields, "Approve", 30, 0, "IMMEDIATELY, AFTER_DAYS or AFTER_END_OF_MONTH");
    char *days = fields_text(fields, "Days", 5, FIELD_NUMBER, NULL);
    int64_t number = 0;

    rule->wait = RULE_AT_ONCE;
    if (wait != NULL && !rule_wait_named(wait, &rule->wait))
        problems_add(fields->problems, "Approve",
                     "must be IMMEDIATELY, AFTER_DAYS or AFTER_END_OF_MONTH");
    if (days != NULL && !text_int(days, 0, DAYS_MOST, &number))
        problems_add(fields->problems, "Days", "must be a number from 0 to %d", DAYS_MOST);
    else if (rule->wait == RULE_AT_ONCE && number != 0)
        problems_add(fields->problems, "Days", "has no meaning when approval is immediate");
    else if (days == NULL && rule->wait != RULE_AT_ONCE)
        problems_add(fields->problems, "Days", "is required: how long to wait");
    rule->days = (int)number;
    free(wait);
    free(days);
}

void approval_rules_add(struct call *call, void *context)
{
    static const char *const names[] = { "CampaignId", "ActionTrackerId", "PartnerSid", "Approve",
                                         "Days",       "PayoutUnder",     "TotalUnder", NULL };
    json_t *body = call_object(call);
    struct rule_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_add, finish_add);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    work->rule.campaign = fields_id(&fields, "CampaignId", "the campaign");
    work->rule.tracker =
        fields_id(&fields, "ActionTrackerId", "the tracker of the actions that are made");
    work->partner_sid = fields_text(&fields, "PartnerSid", SID_TEXT - 1, 0, NULL);
    read_wait(&fields, &work->rule);
    work->payout_under = fields_text(&fields, "PayoutUnder", MONEY_TEXT, FIELD_NUMBER, NULL);
    work->total_under = fields_text(&fields, "TotalUnder", MONEY_TEXT, FIELD_NUMBER, NULL);
    json_decref(body);
    api_write(&work->api); /* the job finds the rest of what is wrong */
}

/* ---- removing ---- */

static bool run_remove(struct api_job *job, struct db *db)
{
    const struct rule_work *work = (struct rule_work *)job;

    if (!rule_remove(db, job->call->caller.account, work->rule.id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such approval rule.");
        return false;
    }
    audit(job, db, "approval_rule.remove", work->rule.id);
    return true;
}

static void finish_remove(struct api_job *job)
{
    call_ok(job->call, "/Advertisers/%s/ApprovalRules", job->call->caller.sid);
}

void approval_rules_remove(struct call *call, void *context)
{
    struct rule_work *work = work_new(call, context, run_remove, finish_remove);

    work->rule.id = path_id(call, 1);
    api_write(&work->api);
}
