/* views.c — saved views of lists: add, list, show, change, delete.
 *
 * What is not shared is seen by its person alone; a token is nobody, and has shared ones only.
 */
#include "api/body.h"

#include "base/text.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/views.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct view_work {
    struct api_job api;
    struct view view;
    char *name;
    json_t *body, *settings;
};

static struct view_work *work_of(struct api_job *job)
{
    return (struct view_work *)job;
}

static void clear_work(struct api_job *job)
{
    struct view_work *work = work_of(job);
    free(work->name);
    json_decref(work->body);
    json_decref(work->settings);
}

static struct view_work *work_new(struct call *call, void *context,
                                  bool (*run)(struct api_job *, struct db *),
                                  void (*finish)(struct api_job *))
{
    struct view_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);
    if (call->params[1] != NULL)
        work->view.id = path_id(call, 1);
    return work;
}

static void uri_of(const struct call *call, int64_t id, char *out, size_t size)
{
    char base[API_BASE_TEXT];
    api_base(call, base);
    snprintf(out, size, "%s/Views/%" PRId64, base, id);
}

static void set_uri(const struct call *call, json_t *shown)
{
    char base[API_BASE_TEXT];
    api_base(call, base);
    show_uri(shown, "Uri", "%s/Views/%s", base, json_string_value(json_object_get(shown, "Id")));
}

static void audit(struct api_job *job, struct db *db, const char *action)
{
    char object[API_BASE_TEXT + 40];
    uri_of(job->call, work_of(job)->view.id, object, sizeof(object));
    audit_add(db, &job->call->caller, job->call->address, action, object, NULL);
}

/* ---- list and show ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    size_t i;
    json_t *shown;
    job->shown = view_list(db, &job->call->caller, work_of(job)->view.page);
    json_array_foreach(job->shown, i, shown) set_uri(job->call, shown);
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200, whole_answer(job->call, "Views", json_incref(job->shown)));
}

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "Page", NULL };
    const char *page = call_query(call, "Page");
    struct view_work *work = work_new(call, context, run_list, finish_list);
    call_query_only(call, names, &work->api.problems);
    if (page[0] != '\0' && !view_page_named(page, &work->view.page))
        problems_add(&work->api.problems, "Page", "must be POSTBACKS, INQUIRIES or ACTIONS");
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = view_show(db, &job->call->caller, work_of(job)->view.id);
    if (job->shown != NULL)
        set_uri(job->call, job->shown);
    return job->shown != NULL;
}

static void show(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_show, api_job_show)->api);
}

/* ---- add ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct view_work *work = work_of(job);
    if (!view_add(&job->job, db, &job->call->caller, &work->view))
        return false;
    audit(job, db, "view.add");
    return true;
}

static void finish_add(struct api_job *job)
{
    char uri[API_BASE_TEXT + 40];
    json_t *answer = json_object();
    uri_of(job->call, work_of(job)->view.id, uri, sizeof(uri));
    show_text(answer, "Status", "OK");
    show_text(answer, "Uri", uri);
    show_id(answer, "Id", work_of(job)->view.id);
    call_json_answer(job->call, 200, answer);
}

static void add_take(const struct fields *fields, const struct call *call, struct view_work *work)
{
    static const char *const names[] = { "Page", "Name", "Shared", "Filters", "Columns", NULL };
    char *page = fields_text(fields, "Page", 20, 0, "POSTBACKS, INQUIRIES or ACTIONS");
    fields_only(fields, names);
    if (page != NULL && !view_page_named(page, &work->view.page))
        problems_add(fields->problems, "Page", "must be POSTBACKS, INQUIRIES or ACTIONS");
    free(page);
    work->name = fields_text(fields, "Name", VIEW_NAME_MAX, FIELD_NAME, "what it is called");
    work->view.name = work->name;
    work->view.shared = call->caller.user == 0;
    body_bool(fields, "Shared", &work->view.shared);
    if (!work->view.shared && call->caller.user == 0)
        problems_add(fields->problems, "Shared",
                     "must be true: only people have views of their own");
    work->settings = view_settings_read(fields->from, NULL, fields->problems);
    work->view.settings = work->settings;
}

static void add(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct view_work *work = work_new(call, context, run_add, finish_add);
    const struct fields fields = { .from = body, .problems = &work->api.problems };
    add_take(&fields, call, work);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- change and delete ---- */

static bool run_change(struct api_job *job, struct db *db)
{
    struct view_work *work = work_of(job);
    json_t *before = view_show(db, &job->call->caller, work->view.id);
    if (before == NULL)
        return false;
    json_decref(work->settings);
    work->settings = view_settings_read(work->body, before, &job->problems);
    work->view.settings = work->settings;
    json_decref(before);
    if (job->problems.count > 0)
        return false;
    view_put(db, &work->view);
    audit(job, db, "view.change");
    return true;
}

static void finish_done(struct api_job *job)
{
    char base[API_BASE_TEXT];
    api_base(job->call, base);
    call_ok(job->call, "%s/Views/%" PRId64, base, work_of(job)->view.id);
}

static void change(struct call *call, void *context)
{
    static const char *const names[] = { "Name", "Filters", "Columns", NULL };
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct view_work *work = work_new(call, context, run_change, finish_done);
    const struct fields fields = { .from = body, .problems = &work->api.problems };
    fields_only(&fields, names);
    work->body = body;
    work->name = fields_text(&fields, "Name", VIEW_NAME_MAX, FIELD_NAME, NULL);
    work->view.name = work->name;
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static bool run_delete(struct api_job *job, struct db *db)
{
    if (!view_delete(db, &job->call->caller, work_of(job)->view.id))
        return false;
    audit(job, db, "view.delete");
    return true;
}

static void delete (struct call *call, void *context)
{
    api_write(&work_new(call, context, run_delete, finish_done)->api);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/Views"
#define BRAND   "/Advertisers/{SID}/Views"
#define READS   (SCOPE_API | SCOPE_READ)

const struct route view_routes[] = {
    { "GET", PARTNER, list, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "POST", PARTNER, add, PARTNERS, SCOPE_API, COUNTED, 0 },
    { "GET", PARTNER "/{Id}", show, PARTNERS, READS, COUNTED, 0 },
    { "PUT", PARTNER "/{Id}", change, PARTNERS, SCOPE_API, COUNTED, 0 },
    { "DELETE", PARTNER "/{Id}", delete, PARTNERS, SCOPE_API, COUNTED, 0 },
    { "GET", BRAND, list, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "POST", BRAND, add, BRANDS, SCOPE_API, COUNTED, 0 },
    { "GET", BRAND "/{Id}", show, BRANDS, READS, COUNTED, 0 },
    { "PUT", BRAND "/{Id}", change, BRANDS, SCOPE_API, COUNTED, 0 },
    { "DELETE", BRAND "/{Id}", delete, BRANDS, SCOPE_API, COUNTED, 0 },
};
const size_t view_route_count = sizeof(view_routes) / sizeof(view_routes[0]);
