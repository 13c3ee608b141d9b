/* conversions.c — POST /Advertisers/{SID}/Conversions: what /Track takes, in impact.com's words.
 *
 * The brand sends it with its own token, so it names a campaign of its own.  The rule is that of
 * /Track: one order is one action of a tracker, however often it is sent.
 */
#include "api/conversions.h"

#include "api/body.h"
#include "base/clock.h"
#include "base/fail.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/actions.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- for both ---- */

/* Fills in the partner; false with a problem. */
static bool find_partner(struct db *db, const struct conversion *conversion,
                         const struct campaign *campaign, const char *field,
                         struct problems *problems, struct action *action)
{
    struct account partner = { 0 };
    bool found = conversion->partner_id != 0 ? account_find(db, conversion->partner_id, &partner)
                                             : account_find_sid(db, conversion->partner, &partner);
    found = found && partner.kind == ACCOUNT_PARTNER && partner.active &&
            membership_exists(db, campaign->id, partner.id);
    if (found) {
        action->partner = partner.id;
        action->partner_name = must_copy(partner.name);
    } else {
        problems_add(problems, field, "is not the SID of a partner of the campaign");
    }
    account_clear(&partner);
    return found;
}

static bool count_it(struct job *job, struct db *db, const struct conversion *conversion,
                     const struct campaign *campaign, int64_t tracker, const char *tracker_is,
                     const char *partner_field, struct problems *problems, int64_t *id)
{
    struct action action = { .brand = campaign->brand,
                             .campaign = campaign->id,
                             .tracker = tracker,
                             .campaign_name = must_copy(campaign->name),
                             .tracker_name = must_copy(tracker_is) };
    bool found = find_partner(db, conversion, campaign, partner_field, problems, &action);
    bool right = conversion_action(conversion, campaign->currency, db_now(db), &action, problems);
    bool counted = found && right && action_track(job, db, &action);
    if (!found || !right)
        error_set(&job->error, ERROR_INVALID, "The conversion is not valid.");
    *id = action.id;
    action_free(&action);
    return counted;
}

bool conversion_track(struct job *job, struct db *db, const struct conversion *conversion,
                      const struct campaign *campaign, int64_t tracker, const char *partner_field,
                      struct problems *problems, int64_t *action, bool *duplicate)
{
    bool written = true;
    char *name = tracker_name(db, campaign->id, tracker);
    if (name == NULL) {
        error_set(&job->error, ERROR_NOT_FOUND, "The campaign has no such action tracker.");
        return false;
    }
    *action = action_of_order(db, tracker, conversion->order_id);
    *duplicate = *action != 0;
    if (!*duplicate)
        written =
            count_it(job, db, conversion, campaign, tracker, name, partner_field, problems, action);
    free(name);
    return written;
}

/* ---- the brand's call ---- */

struct conversion_work {
    struct api_job api;
    struct conversion conversion;
    int64_t campaign, tracker, action;
    bool duplicate;
};

static void clear_work(struct api_job *job)
{
    conversion_free(&((struct conversion_work *)job)->conversion);
}

static bool run_add(struct api_job *job, struct db *db)
{
    struct conversion_work *work = (struct conversion_work *)job;
    struct campaign campaign = { 0 };
    bool own =
        campaign_find(db, work->campaign, &campaign) && campaign.brand == job->call->caller.account;
    bool done = false;
    if (own) {
        done = conversion_track(&job->job, db, &work->conversion, &campaign, work->tracker,
                                "MediaPartnerId", &job->problems, &work->action, &work->duplicate);
    } else {
        problems_add(&job->problems, "CampaignId", "not a campaign of yours");
        error_set(&job->job.error, ERROR_INVALID, "The conversion is not valid.");
    }
    campaign_clear(&campaign);
    return done;
}

static void finish_add(struct api_job *job)
{
    const struct conversion_work *work = (struct conversion_work *)job;
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "/Advertisers/%s/Actions/%" PRId64, job->call->caller.sid,
             work->action);
    show_int(answer, "ActionId", work->action);
    show_bool(answer, "Duplicate", work->duplicate);
    call_json_answer(job->call, 200, answer);
}

static void handle_add(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct conversion_work *work =
        api_job_new(sizeof(*work), call, context, run_add, finish_add, clear_work);
    conversion_read_published(&work->conversion, fields, clock_wall_ms(), CONVERSION_AHEAD_MS,
                              &work->api.problems, &work->campaign, &work->tracker);
    json_decref(fields);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

const struct route conversion_routes[] = {
    { "POST", "/Advertisers/{SID}/Conversions", handle_add, ACCOUNT_BRAND, SCOPE_API, true,
      (size_t)256 * 1024 },
};
const size_t conversion_route_count = sizeof(conversion_routes) / sizeof(conversion_routes[0]);
