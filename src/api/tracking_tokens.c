/* tracking_tokens.c — the tokens with which a campaign's conversions are sent, given and taken by
 * the operator.  A token is shown once, in the answer that makes it; what is kept is its hash.
 */
#include "api/operator.h"

#include "api/body.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/campaigns.h"
#include "store/tracking.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_MAX = 60 };

struct token_work {
    struct api_job api;
    int64_t campaign, id;
    char *label, token[TOKEN_TEXT];
};

static void clear_work(struct api_job *job)
{
    struct token_work *work = (struct token_work *)job;

    sodium_memzero(work->token, sizeof(work->token));
    free(work->label);
}

static struct token_work *work_new(struct call *call, void *context,
                                   bool (*run)(struct api_job *, struct db *),
                                   void (*finish)(struct api_job *))
{
    struct token_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);

    work->campaign = path_id(call, 0);
    return work;
}

static void uri_of(const struct token_work *work, char out[96])
{
    snprintf(out, 96, "/Operator/Campaigns/%" PRId64 "/TrackingTokens/%" PRId64, work->campaign,
             work->id);
}

static void audit(struct api_job *job, struct db *db, const char *action)
{
    const struct token_work *work = (const struct token_work *)job;
    char object[96];

    uri_of(work, object);
    audit_add(db, &job->call->caller, job->call->address, action, object,
              json_pack("{s:s}", "Label", work->label != NULL ? work->label : ""));
}

static bool campaign_is_there(struct api_job *job, struct db *db, int64_t id)
{
    struct campaign campaign;
    bool found = campaign_find(db, id, &campaign);

    campaign_clear(&campaign);
    if (!found)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such campaign.");
    return found;
}

/* ---- adding one ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct token_work *work = (struct token_work *)job;
    unsigned char hash[TOKEN_HASH_BYTES];

    if (!campaign_is_there(job, db, work->campaign))
        return false;
    token_random(work->token);
    token_hash(hash, work->token);
    work->id = tracking_token_add(db, work->campaign, work->label, hash);
    if (work->id == 0) {
        error_set(&job->job.error, ERROR_CONFLICT,
                  "The campaign has %d tracking tokens, and can have no more: revoke one.",
                  TRACKING_TOKENS_MAX);
        return false;
    }
    audit(job, db, "tracking_token.add");
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct token_work *work = (const struct token_work *)job;
    json_t *answer = json_object();
    char uri[96];

    uri_of(work, uri);
    show_text(answer, "Status", "OK");
    show_text(answer, "Uri", uri);
    show_int(answer, "Id", work->id);
    show_text(answer, "Token", work->token);
    call_json_answer(job->call, 200, answer);
}

void operator_add_tracking_token(struct call *call, void *context)
{
    static const char *const names[] = { "Label", NULL };
    json_t *body = call_object(call);
    struct token_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_add, finish_add);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    work->label = fields_text(&fields, "Label", LABEL_MAX, FIELD_NAME, NULL);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- reading and revoking ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    struct token_work *work = (struct token_work *)job;

    if (!campaign_is_there(job, db, work->campaign))
        return false;
    job->shown = tracking_token_list(db, work->campaign);
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200,
                     whole_answer(job->call, "TrackingTokens", json_incref(job->shown)));
}

void operator_list_tracking_tokens(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_list, finish_list)->api);
}

static bool run_revoke(struct api_job *job, struct db *db)
{
    const struct token_work *work = (const struct token_work *)job;

    if (!tracking_token_revoke(db, work->campaign, work->id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such tracking token.");
        return false;
    }
    audit(job, db, "tracking_token.revoke");
    return true;
}

static void finish_revoke(struct api_job *job)
{
    char uri[96];

    uri_of((const struct token_work *)job, uri);
    call_ok(job->call, "%s", uri);
}

void operator_revoke_tracking_token(struct call *call, void *context)
{
    struct token_work *work = work_new(call, context, run_revoke, finish_revoke);

    work->id = path_id(call, 1);
    api_write(&work->api);
}
