/* second_factor_admin.c — an account that asks each of its users for a second factor, and the reset
 * of one that is lost. */
#include "api/operator.h"

#include "api/body.h"
#include "api/people.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/factors.h"
#include "store/sessions.h"

#include <inttypes.h>
#include <stdio.h>

struct required {
    struct api_job api;
    bool required;
};

static bool run_show(struct api_job *job, struct db *db)
{
    struct account account;
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    job->shown = json_object();
    show_bool(job->shown, "Required", factor_is_required(db, account.id));
    account_clear(&account);
    return true;
}

static void show(struct call *call, void *context)
{
    api_read(api_job_new(sizeof(struct api_job), call, context, run_show, api_job_show, NULL));
}

static bool run_require(struct api_job *job, struct db *db)
{
    const struct required *work = (struct required *)job;
    struct account account;
    char base[PEOPLE_BASE_TEXT], object[PEOPLE_BASE_TEXT + 16];
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    factor_require(db, account.id, work->required);
    people_base(job->call, base);
    snprintf(object, sizeof(object), "%s/SecondFactor", base);
    json_t *detail = json_object();
    show_bool(detail, "Required", work->required);
    audit_add(db, &job->call->caller, job->call->address, "second_factor.require", object, detail);
    account_clear(&account);
    return true;
}

static void finish_require(struct api_job *job)
{
    char base[PEOPLE_BASE_TEXT];
    people_base(job->call, base);
    call_ok(job->call, "%s/SecondFactor", base);
}

static void require(struct call *call, void *context)
{
    static const char *const names[] = { "Required", NULL };
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct required *work =
        api_job_new(sizeof(*work), call, context, run_require, finish_require, NULL);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    fields_only(&fields, names);
    if (!body_bool(&fields, "Required", &work->required) && work->api.problems.count == 0)
        problems_add(fields.problems, "Required", "is needed: true or false");
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static bool run_reset(struct api_job *job, struct db *db)
{
    struct account account;
    struct user_change nothing = { 0 };
    int64_t user = path_id(job->call, 1);
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool found = user_change(db, account.id, user, &nothing);
    if (found) {
        factor_remove(db, user);
        sessions_end(db, user, NULL);
        operator_audit(job, db, "second_factor.reset", "Users", user, NULL);
    } else {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such user.");
    }
    account_clear(&account);
    return found;
}

static void finish_reset(struct api_job *job)
{
    char base[PEOPLE_BASE_TEXT];
    people_base(job->call, base);
    call_ok(job->call, "%s/Users/%" PRId64, base, path_id(job->call, 1));
}

static void reset(struct call *call, void *context)
{
    api_write(api_job_new(sizeof(struct api_job), call, context, run_reset, finish_reset, NULL));
}

/* A session is not counted. */
#define ADMINS(kind) .who = (kind), .scopes = SCOPE_ADMIN, .counted = (kind) == ACCOUNT_OPERATOR
#define RULE(prefix, kind)                                                                         \
    { "PUT", prefix "/SecondFactor", require, ADMINS(kind) },                                      \
    {                                                                                              \
        "DELETE", prefix "/Users/{Id}/SecondFactor", reset, ADMINS(kind)                           \
    }

const struct route second_factor_admin_routes[] = {
    RULE("/Operator/Accounts/{Account}", ACCOUNT_OPERATOR),
    RULE("/Mediapartners/{SID}", ACCOUNT_PARTNER),
    RULE("/Advertisers/{SID}", ACCOUNT_BRAND),
    { "GET", "/Operator/Accounts/{Account}/SecondFactor", show, .who = ACCOUNT_OPERATOR,
      .scopes = SCOPE_API | SCOPE_READ, .counted = true },
    { "GET", "/Mediapartners/{SID}/SecondFactor", show, ADMINS(ACCOUNT_PARTNER) },
    { "GET", "/Advertisers/{SID}/SecondFactor", show, ADMINS(ACCOUNT_BRAND) },
};
const size_t second_factor_admin_route_count =
    sizeof(second_factor_admin_routes) / sizeof(second_factor_admin_routes[0]);
