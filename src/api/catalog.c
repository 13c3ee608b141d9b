/* catalog.c — GET /EventCatalog: the event types and their data points, as the catalog has them,
 * and which of them are open to the caller's account.
 */
#include "api/api.h"

#include "model/catalog.h"
#include "model/show.h"
#include "store/opened.h"

static json_t *points_show(const struct event_type *type, const struct data_point *points,
                           size_t count, const struct opened *opened)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *shown = json_object();
        show_text(shown, "Name", points[i].name);
        show_text(shown, "Type", point_type_name(points[i].type));
        show_text(shown, "Meaning", points[i].meaning);
        show_text(shown, "Sample", catalog_sample(type, &points[i]));
        show_bool(shown, "OnRequest", points[i].on_request);
        show_bool(shown, "Open", opened_has(opened, &points[i]));
        json_array_append_new(list, shown);
    }
    return list;
}

/* A type with its data points; those of every event come last. */
static json_t *type_show(const struct event_type *type, const struct opened *opened)
{
    size_t count;
    const struct data_point *common = catalog_common(&count);
    json_t *shown = json_object();
    json_t *points = points_show(type, type->points, type->point_count, opened),
           *rest = points_show(type, common, count, opened);
    json_array_extend(points, rest);
    json_decref(rest);
    show_text(shown, "EventType", type->name);
    show_text(shown, "Category", type->category->name);
    show_text(shown, "Meaning", type->meaning);
    show_bool(shown, "Default", type->by_default);
    json_object_set_new(shown, "DataPoints", points);
    show_uri(shown, "Uri", "/EventCatalog/%s", type->name);
    return shown;
}

static json_t *category_show(const struct category *category, const struct opened *opened)
{
    const struct event_type *type;
    size_t at = 0;
    json_t *shown = json_object(), *list = json_array();
    while ((type = catalog_each(&at)) != NULL) {
        if (type->category == category && !type->deleted)
            json_array_append_new(list, type_show(type, opened));
    }
    show_text(shown, "Name", category->name);
    show_text(shown, "Key", category->key);
    json_object_set_new(shown, "EventTypes", list);
    return shown;
}

struct catalog_work {
    struct api_job api;
    const struct event_type *type; /* NULL: all */
    struct opened opened;
};

static void clear_work(struct api_job *job)
{
    opened_clear(&((struct catalog_work *)job)->opened);
}

static bool run_load(struct api_job *job, struct db *db)
{
    opened_load(db, job->call->caller.account, &((struct catalog_work *)job)->opened);
    return true;
}

static void finish_all(struct api_job *job)
{
    size_t count;
    const struct category *categories = catalog_categories(&count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              category_show(&categories[i], &((struct catalog_work *)job)->opened));
    call_json_answer(job->call, 200, json_pack("{s:o}", "Categories", list));
}

static void finish_one(struct api_job *job)
{
    const struct catalog_work *work = (const struct catalog_work *)job;
    call_json_answer(job->call, 200, type_show(work->type, &work->opened));
}

static void answer(struct call *call, void *context, const struct event_type *type,
                   void (*finish)(struct api_job *))
{
    struct catalog_work *work =
        api_job_new(sizeof(*work), call, context, run_load, finish, clear_work);
    work->type = type;
    api_read(&work->api);
}

static void list_all(struct call *call, void *context)
{
    answer(call, context, NULL, finish_all);
}

static void show_one(struct call *call, void *context)
{
    const struct event_type *type = catalog_type(call->params[0]);
    if (type == NULL || type->deleted)
        call_refuse(call, 404, NULL, "There is no such event type.");
    else
        answer(call, context, type, finish_one);
}

#define ANYONE (ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR)
#define READS  (SCOPE_API | SCOPE_READ | SCOPE_EVENTS)

const struct route catalog_routes[] = {
    { "GET", "/EventCatalog", list_all, ANYONE, READS, .counted = true, .current = true },
    { "GET", "/EventCatalog/{Type}", show_one, ANYONE, READS, .counted = true, .current = true },
};
const size_t catalog_route_count = sizeof(catalog_routes) / sizeof(catalog_routes[0]);
