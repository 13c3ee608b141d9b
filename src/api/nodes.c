/* nodes.c — the servers that share the database: which there are, and letting go of one. */
#include "store/nodes.h"
#include "api/api.h"
#include "store/accounts.h"

#include <stdio.h>

#define CHANGES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true
/* Not counted: the page asks again and again. */
#define WATCHES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ

static void list(struct call *call, void *context);
static void drain(struct call *call, void *context);
static void undrain(struct call *call, void *context);

const struct route node_routes[] = {
    { "GET", "/Operator/Nodes", list, WATCHES },
    { "POST", "/Operator/Nodes/{Name}/Drain", drain, CHANGES },
    { "POST", "/Operator/Nodes/{Name}/Undrain", undrain, CHANGES },
};
const size_t node_route_count = sizeof(node_routes) / sizeof(node_routes[0]);

static bool run_list(struct api_job *job, struct db *db)
{
    int64_t ahead, now = db_clock(db, &ahead);
    job->shown = json_pack("{s:o}", "Nodes", node_list(db, now));
    return true;
}

static void list(struct call *call, void *context)
{
    api_read(api_job_new(sizeof(struct api_job), call, context, run_list, api_job_show, NULL));
}

struct draining {
    struct api_job api;
    bool on;
};

static bool run_drain(struct api_job *job, struct db *db)
{
    const struct draining *work = (const struct draining *)job;
    const char *name = job->call->params[0];
    char uri[160];
    if (!node_drain(db, name, work->on)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no node of this name.");
        return false;
    }
    snprintf(uri, sizeof(uri), "/Operator/Nodes/%.120s", name);
    audit_add(db, &job->call->caller, job->call->address, work->on ? "node.drain" : "node.undrain",
              uri, NULL);
    return true;
}

static void finish_drain(struct api_job *job)
{
    call_ok(job->call, "/Operator/Nodes/%s", job->call->params[0]);
}

static void set_draining(struct call *call, void *context, bool draining)
{
    struct draining *work =
        api_job_new(sizeof(*work), call, context, run_drain, finish_drain, NULL);
    work->on = draining;
    api_write(&work->api);
}

static void drain(struct call *call, void *context)
{
    set_draining(call, context, true);
}

static void undrain(struct call *call, void *context)
{
    set_draining(call, context, false);
}
