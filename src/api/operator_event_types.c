/* operator_event_types.c — the event types that the operator adds, so that the platform's other
 * systems send theirs through the same engine.
 *
 * A definition is checked against the catalog on the loop and written by a job; the catalog gets it
 * when it is on disk: an event of a type that a crash could take back is never accepted.  One
 * change is under way at a time, so that each is checked against the one before; what another node
 * has changed meanwhile is seen by the job.
 */
#include "api/operator.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "model/event_type.h"
#include "model/name.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/event_types.h"

#include <stdio.h>
#include <string.h>

struct type_work {
    struct api_job api;
    struct event_type *type;
    const struct event_type *before; /* what it was checked against; NULL: it is new */
    const char *action;              /* for the audit log */
    int given_number; /* of the type; 0: a new one, which gets its number when it is written */
    bool changes;     /* counted in api->catalog_changing */
    struct cursor cursor;
};

static void clear_work(struct api_job *job)
{
    struct type_work *work = (struct type_work *)job;

    if (work->changes)
        job->api->catalog_changing = false;
    event_type_free(work->type);
}

static struct type_work *work_new(struct call *call, void *context,
                                  bool (*run)(struct api_job *, struct db *),
                                  void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct type_work), call, context, run, finish, clear_work);
}

/* ---- changes ---- */

static void audit(struct api_job *job, struct db *db, const struct type_work *work)
{
    char object[160];

    snprintf(object, sizeof(object), "/Operator/EventTypes/%s", work->type->name);
    audit_add(db, &job->call->caller, job->call->address, work->action, object,
              json_pack("{s:i, s:i}", "Number", work->type->number, "DataPoints",
                        (int)work->type->point_count));
}

/* False with the job's error: the definition was checked against another one. */
static bool stands(struct type_work *work)
{
    const struct event_type *before = work->before;

    if (before == NULL || catalog_type_numbered(before->number) == before)
        return true;
    error_set(&work->api.job.error, ERROR_UNAVAILABLE,
              "The event type was changed by another call just now; try again.");
    return false;
}

static bool run_save(struct api_job *job, struct db *db)
{
    struct type_work *work = (struct type_work *)job;

    if (!stands(work))
        return false;
    work->type->number = work->given_number;
    enum event_type_saved saved = event_type_save(db, work->type);
    if (saved == EVENT_TYPES_FULL)
        error_set(&job->job.error, ERROR_CONFLICT,
                  "There are %d added event types, with the deleted ones; there can be no more.",
                  CATALOG_ADDED_MAX);
    else if (saved == EVENT_TYPE_TAKEN)
        error_set(&job->job.error, ERROR_CONFLICT, "There is an event type of this name.");
    else
        audit(job, db, work);
    return saved == EVENT_TYPE_SAVED;
}

static bool run_delete(struct api_job *job, struct db *db)
{
    struct type_work *work = (struct type_work *)job;

    if (!stands(work))
        return false;
    event_type_delete(db, work->type->number);
    audit(job, db, work);
    return true;
}

static void finish_change(struct api_job *job)
{
    struct type_work *work = (struct type_work *)job;

    call_ok(job->call, "/Operator/EventTypes/%s", work->type->name);
}

/* False: answered. */
static bool may_change(struct call *call, const struct api *api)
{
    if (api->catalog_changing) {
        call_add_header(call, "Retry-After", "1");
        call_refuse(call, 503, NULL, "Another change of the event types is being written.");
        return false;
    }
    if (!catalog_has_room()) {
        call_refuse(call, 409, NULL,
                    "The event types were changed %d times since the start; restart the server to "
                    "change them further.",
                    CATALOG_ENTRIES_MAX);
        return false;
    }
    return true;
}

/* The call's type, that it may change; NULL: answered. */
static const struct event_type *type_of(struct call *call)
{
    const struct event_type *type = catalog_type(call->params[0]);

    if (type != NULL && type->number < CATALOG_ADDED_FIRST)
        call_refuse(call, 409, NULL, "A built-in event type cannot be changed.");
    else if (type == NULL || type->deleted)
        call_refuse(call, 404, NULL, "There is no such event type.");
    else
        return type;
    return NULL;
}

static void give(struct type_work *work)
{
    work->changes = true;
    work->api.api->catalog_changing = true;
    api_write(&work->api);
}

/* What people read of a type; those it has already are taken. */
static void check_words(const struct event_type *type, const struct event_type *before,
                        struct problems *problems)
{
    char field[48];
    if (type == NULL)
        return;
    if (before == NULL || strcmp(type->meaning, before->meaning) != 0)
        name_check(type->meaning, "Meaning", problems);
    for (size_t i = 0; i < type->point_count; i++) {
        bool had = before != NULL && i < before->point_count &&
                   strcmp(type->points[i].meaning, before->points[i].meaning) == 0;
        snprintf(field, sizeof(field), "DataPoints[%zu].Meaning", i);
        if (!had)
            name_check(type->points[i].meaning, field, problems);
    }
}

static void save(struct call *call, struct api *api, const json_t *definition,
                 const struct event_type *before, const char *action)
{
    struct type_work *work = work_new(call, api, run_save, finish_change);

    work->action = action;
    work->before = before;
    work->type = event_type_read(definition, before, &work->api.problems);
    check_words(work->type, before, &work->api.problems);
    if (before == NULL && work->type != NULL && catalog_reserved(work->type->name))
        problems_add(&work->api.problems, "Name", "must not begin as a built-in event type's does");
    if (!api_job_valid(&work->api))
        return;
    work->given_number = work->type->number;
    give(work);
}

void operator_add_event_type(struct call *call, void *context)
{
    struct api *api = context;
    const struct event_type *before = NULL;
    const char *name;
    json_t *body;

    if (!may_change(call, api) || (body = call_object(call)) == NULL)
        return;
    name = json_string_value(json_object_get(body, "Name"));
    if (name != NULL)
        before = catalog_type(name);
    if (before != NULL && before->number < CATALOG_ADDED_FIRST)
        before = NULL; /* refused for its name */
    if (before != NULL && !before->deleted)
        call_refuse(call, 409, NULL, "There is an event type of this name.");
    else
        save(call, api, body, before, "event_type.add");
    json_decref(body);
}

void operator_change_event_type(struct call *call, void *context)
{
    const struct event_type *before;
    json_t *body;

    if (!may_change(call, context) || (before = type_of(call)) == NULL ||
        (body = call_object(call)) == NULL)
        return;
    save(call, context, body, before, "event_type.change");
    json_decref(body);
}

void operator_delete_event_type(struct call *call, void *context)
{
    const struct event_type *type;
    struct type_work *work;

    if (!may_change(call, context) || (type = type_of(call)) == NULL)
        return;
    work = work_new(call, context, run_delete, finish_change);
    work->action = "event_type.delete";
    work->before = type;
    work->type = event_type_retired(type);
    give(work);
}

/* ---- reading ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    struct type_work *work = (struct type_work *)job;

    job->shown = event_types_list(db, work->cursor.at, work->cursor.limit);
    return true;
}

void operator_list_event_types(struct call *call, void *context)
{
    static const char *const names[] = { "After", "PageSize", NULL };
    struct type_work *work = work_new(call, context, run_list, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "After", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "EventTypes");
}

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = event_types_show(db, job->call->params[0]);
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such event type.");
    return job->shown != NULL;
}

void operator_show_event_type(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_show, api_job_show)->api);
}
