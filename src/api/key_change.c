/* key_change.c — the operator has the key changed that seals secrets, and sees how far that is. */
#include "api/api.h"

#include "engine/key_change.h"
#include "store/accounts.h"
#include "store/key_change.h"

#define URI "/Operator/KeyChange"

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = key_change_show(db);
    return true;
}

static void show(struct call *call, void *context)
{
    api_read(api_job_new(sizeof(struct api_job), call, context, run_show, api_job_show, NULL));
}

static bool run_begin(struct api_job *job, struct db *db)
{
    if (!key_change_begin(db, &job->job.error))
        return false;
    audit_add(db, &job->call->caller, job->call->address, "key.change", URI, NULL);
    return true;
}

static void finish_begin(struct api_job *job)
{
    key_changer_look(engine_services(job->api->engine)->key_changer);
    call_ok(job->call, URI);
}

static void begin(struct call *call, void *context)
{
    api_write(api_job_new(sizeof(struct api_job), call, context, run_begin, finish_begin, NULL));
}

const struct route key_change_routes[] = {
    { "GET", URI, show, .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ },
    { "POST", URI, begin, .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true },
};
const size_t key_change_route_count = sizeof(key_change_routes) / sizeof(key_change_routes[0]);
