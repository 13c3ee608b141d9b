/* event_list.c — GET …/Events: an account's own events, newest first, to choose one to test with.
 */
#include "api/body.h"

#include "base/text.h"
#include "model/catalog.h"
#include "store/events.h"

enum { EVENTS_DEFAULT = 50, EVENTS_MOST = 200 };

struct list_work {
    struct api_job api;
    const struct event_type *type; /* NULL: any */
    struct cursor cursor;
    int64_t next;
};

static struct list_work *work_of(struct api_job *job)
{
    return (struct list_work *)job;
}

static bool run_list(struct api_job *job, struct db *db)
{
    struct list_work *work = work_of(job);
    job->shown = event_list(db, job->call->caller.account, work->type, work->cursor.at,
                            work->cursor.limit, &work->next);
    return true;
}

static void finish_list(struct api_job *job)
{
    struct list_work *work = work_of(job);
    json_t *answer = cursor_answer_at(job->call, &work->cursor, work->next, "Events",
                                      json_array_size(job->shown));
    json_object_set(answer, "Events", job->shown);
    call_json_answer(job->call, 200, answer);
}

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "Before", "PageSize", "EventType", NULL };
    struct list_work *work = api_job_new(sizeof(*work), call, context, run_list, finish_list, NULL);
    struct problems *problems = &work->api.problems;
    const char *type = call_query(call, "EventType"), *size = call_query(call, "PageSize");
    int64_t limit = EVENTS_DEFAULT;
    call_query_only(call, names, problems);
    if (type[0] != '\0' && (work->type = catalog_type(type)) == NULL)
        problems_add(problems, "EventType", "must be an event type of GET /EventCatalog");
    if (size[0] != '\0' && !text_int(size, 1, EVENTS_MOST, &limit))
        problems_add(problems, "PageSize", "must be a number from 1 to %d", EVENTS_MOST);
    work->cursor = (struct cursor){ "Before", query_id(call, "Before", problems), (int)limit };
    if (work->cursor.at == ID_NOBODYS) /* a place in the list, and there is none before the first */
        problems_add(problems, "Before", "must be the id of an event");
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

#define READS (SCOPE_API | SCOPE_READ)

const struct route event_list_routes[] = {
    { "GET", "/Mediapartners/{SID}/Events", list, PARTNERS, READS, COUNTED, 0,
      .reads_query = true },
    { "GET", "/Advertisers/{SID}/Events", list, BRANDS, READS, COUNTED, 0, .reads_query = true },
};
const size_t event_list_route_count = sizeof(event_list_routes) / sizeof(event_list_routes[0]);
