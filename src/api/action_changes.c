/* action_changes.c — PUT and DELETE of a brand's actions, and what a change would mean.
 *
 * Both name the action in the request, by its id or by tracker and order, as published clients do.
 * A change that is there already is answered like one that was taken, and leaves no trace; so a
 * client may send it again.  DELETE takes its parameters in the query too, as some clients send no
 * body with it.
 */
#include "api/action_changes.h"

#include "api/body.h"
#include "store/accounts.h"
#include "store/actions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct change_work {
    struct api_job api;
    json_t *fields; /* of the request */
    bool removing;
    int64_t id;
    enum action_step step;
};

static void clear_work(struct api_job *job)
{
    json_decref(((struct change_work *)job)->fields);
}

static void audit(struct db *db, const struct call *call, enum action_step step, int64_t id)
{
    static const char *const names[ACTION_STEPS] = {
        [ACTION_MODIFY] = "action.modify",
        [ACTION_REVERSE] = "action.reverse",
        [ACTION_APPROVE] = "action.approve",
    };
    char object[API_BASE_TEXT + 40]; /* a file's job has no address to take it from */
    snprintf(object, sizeof(object), "/Advertisers/%s/Actions/%" PRId64, call->caller.sid, id);
    audit_add(db, &call->caller, call->address, names[step], object, NULL);
}

bool action_change_take(struct job *job, struct db *db, const struct call *call,
                        const json_t *fields, bool removing, const char *(*label)(const char *),
                        struct problems *problems, int64_t *id, enum action_step *step)
{
    struct action_change change;
    action_change_read(&change, fields, removing, label, problems);
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The change has wrong fields");
    bool done =
        problems->count == 0 && action_change(job, db, &call->caller, &change, problems, id, step);
    if (done && *step != 0)
        audit(db, call, *step, *id);
    action_change_free(&change);
    return done;
}

/* ---- taking it ---- */

static bool run_change(struct api_job *job, struct db *db)
{
    struct change_work *work = (struct change_work *)job;
    return action_change_take(&job->job, db, job->call, work->fields, work->removing, NULL,
                              &job->problems, &work->id, &work->step);
}

static void finish_change(struct api_job *job)
{
    const struct change_work *work = (struct change_work *)job;
    char base[API_BASE_TEXT];
    api_base(job->call, base);
    call_ok(job->call, "%s/Actions/%" PRId64, base, work->id);
}

static struct change_work *work_new(struct call *call, void *context, json_t *fields, bool removing,
                                    bool (*run)(struct api_job *, struct db *),
                                    void (*finish)(struct api_job *))
{
    struct change_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);
    work->fields = fields;
    work->removing = removing;
    return work;
}

static void handle_modify(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields != NULL)
        api_write(&work_new(call, context, fields, false, run_change, finish_change)->api);
}

/* Body and query in one flat object; a name in both is a problem. */
static void handle_reverse(struct call *call, void *context)
{
    static const char *const names[] = {
        "ActionId", "ActionTrackerId", "OrderId", "DispositionCode", "Reason", "State", NULL
    };
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct change_work *work = work_new(call, context, fields, true, run_change, finish_change);
    call_query_only(call, names, &work->api.problems);
    for (const char *const *name = names; *name != NULL; name++) {
        if (!call_has_query(call, *name))
            continue;
        if (json_object_get(fields, *name) != NULL)
            problems_add(&work->api.problems, *name, "is given twice");
        else
            json_object_set_new(fields, *name, call_string(call_query(call, *name)));
    }
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- what it would mean ---- */

static bool run_preview(struct api_job *job, struct db *db)
{
    const struct change_work *work = (struct change_work *)job;
    struct action_change change;
    action_change_read(&change, work->fields, false, NULL, &job->problems);
    if (job->problems.count == 0)
        job->shown = action_foresee(&job->job, db, &job->call->caller, &change, &job->problems);
    action_change_free(&change);
    return job->shown != NULL;
}

static void finish_preview(struct api_job *job)
{
    char base[API_BASE_TEXT];
    api_base(job->call, base);
    json_object_set_new(
        job->shown, "Uri",
        json_sprintf("%s/Actions/%s", base, json_string_value(json_object_get(job->shown, "Id"))));
    api_job_show(job);
}

static void handle_preview(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields != NULL)
        api_read(&work_new(call, context, fields, false, run_preview, finish_preview)->api);
}

/* ---- routes ---- */

#define BRAND   "/Advertisers/{SID}/Actions"
#define CHANGES SCOPE_API

const struct route action_change_routes[] = {
    { "PUT", BRAND, handle_modify, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
    { "DELETE", BRAND, handle_reverse, ACCOUNT_BRAND, CHANGES, COUNTED, 0, .reads_query = true },
    { "POST", BRAND "/Preview", handle_preview, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
};
const size_t action_change_route_count =
    sizeof(action_change_routes) / sizeof(action_change_routes[0]);
