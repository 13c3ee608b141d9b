/* postbacks.c — the log of postbacks, and what an account does to one: retry, resend, cancel.
 *
 * The list is read by a cursor (Before: ids under it), because it grows at its head all the time
 * and has no page numbers that would last.
 */
#include "api/postbacks.h"

#include "api/body.h"
#include "api/outward.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "engine/waits.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/postbacks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POSTBACKS_DEFAULT = 100, POSTBACKS_MOST = 1000, SEARCH_MOST = 200 /* characters */ };

struct log_work {
    struct api_job api;
    struct postback_wait *waits; /* of those shown, in their order */
    size_t wait_count;
    struct postback_filter filter;
    int64_t id, notification, new_id, next, count;
    char base[API_BASE_TEXT];
};

static struct log_work *work_of(struct api_job *job)
{
    return (struct log_work *)job;
}

static void clear_work(struct api_job *job)
{
    free(work_of(job)->waits);
}

static struct log_work *work_new(struct call *call, void *context,
                                 bool (*run)(struct api_job *, struct db *),
                                 void (*finish)(struct api_job *))
{
    struct log_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);
    api_base(call, work->base);
    return work;
}

/* ---- why they wait ---- */

/* On the loop: what the engine knows besides. */
static void show_wait(const struct log_work *work, json_t *shown, const struct postback_wait *row)
{
    struct wait wait = { .since = DATE_NONE, .until = DATE_NONE };
    if (row != NULL) {
        struct wait_facts facts = row->facts;
        facts.now = clock_wall_ms();
        waits_look(engine_services(work->api.api->engine)->waits, row->notification, &facts);
        wait = wait_of(&facts);
    }
    show_text(shown, "WaitReason", row != NULL ? wait_reason_name(wait.reason) : "");
    show_date(shown, "WaitSinceDate", wait.since);
    show_date(shown, "WaitUntilDate", wait.until);
}

static void show_waits(const struct log_work *work, const json_t *postbacks)
{
    size_t i, at = 0;
    json_t *shown;
    json_array_foreach(postbacks, i, shown)
    {
        const char *id = json_string_value(json_object_get(shown, "Id"));
        int64_t number;
        bool waits = at < work->wait_count && id_parse(id, &number) && work->waits[at].id == number;
        show_wait(work, shown, waits ? &work->waits[at++] : NULL);
    }
}

/* ---- the list ---- */

static void states_name(struct buf *out)
{
    for (int state = 0; state < POSTBACK_STATES; state++)
        buf_fmt(out, "%s%s", state > 0 ? ", " : "",
                postback_shown_state((enum postback_state)state));
}

static void filter_words(const struct call *call, struct postback_filter *filter,
                         struct problems *problems)
{
    const char *type = call_query(call, "EventType"), *state = call_query(call, "State");
    enum postback_state named;
    filter->state = -1;
    if (type[0] != '\0' && (filter->type = catalog_type(type)) == NULL)
        problems_add(problems, "EventType", "must be an event type of GET /EventCatalog");
    if (state[0] == '\0')
        return;
    if (postback_shown_state_named(state, &named)) {
        filter->state = (int)named;
    } else {
        struct buf names = { 0 };
        states_name(&names);
        problems_add(problems, "State", "must be one of: %s", buf_text(&names));
        buf_free(&names);
    }
}

/* "503", "5xx", or "NONE" for no answer at all. */
static void filter_status(const struct call *call, struct postback_filter *filter,
                          struct problems *problems)
{
    const char *text = call_query(call, "Status");
    int64_t status;
    if (text[0] == '\0')
        return;
    if (text_same(text, "NONE")) {
        filter->status_from = filter->status_until = POSTBACK_NO_ANSWER;
    } else if (text[0] >= '1' && text[0] <= '9' && text_same(text + 1, "xx")) {
        filter->status_from = (text[0] - '0') * 100;
        filter->status_until = filter->status_from + 99;
    } else if (text_int(text, 100, 999, &status)) {
        filter->status_from = filter->status_until = (int)status;
    } else {
        problems_add(problems, "Status", "must be a status as 503, a class as 5xx, or NONE");
    }
}

/* Both are borrowed from the call. */
static void filter_texts(const struct call *call, struct postback_filter *filter,
                         struct problems *problems)
{
    const char *order = call_query(call, "OrderId"), *error = call_query(call, "Error");
    if (text_length(order) > SEARCH_MOST)
        problems_add(problems, "OrderId", "must be at most %d characters", SEARCH_MOST);
    else if (order[0] != '\0')
        filter->order = order;
    if (text_length(error) > SEARCH_MOST)
        problems_add(problems, "Error", "must be at most %d characters", SEARCH_MOST);
    else if (error[0] != '\0')
        filter->error = text_same(error, "ANY") ? "" : error;
}

/* Within what ids can hold, by whose time the log is read. */
static void filter_span(const struct call *call, struct postback_filter *filter,
                        struct problems *problems)
{
    const int64_t first = id_time_ms(0), last = id_time_ms(INT64_MAX);
    int64_t from, until;
    span_read(call, "StartDate", "EndDate", &from, &until, problems);
    if (from != DATE_NONE && from > first)
        filter->from = from < last ? from : last;
    if (until != DATE_NONE && until < last)
        filter->until = until > first ? until : first + 1;
}

void postback_filter_read(const struct call *call, bool paged, struct postback_filter *filter,
                          struct problems *problems)
{
    static const char *const names[] = { "PageSize",  "Before",  "NotificationId", "EventType",
                                         "State",     "Status",  "Error",          "StartDate",
                                         "EndDate",   "OrderId", "InquiryId",      "ActionId",
                                         "WebhookId", NULL };
    int64_t size = POSTBACKS_DEFAULT;
    const char *page_size = call_query(call, "PageSize");
    call_query_only(call, paged ? names : names + 2, problems); /* the first are the pages' */
    filter_words(call, filter, problems);
    filter_status(call, filter, problems);
    filter_texts(call, filter, problems);
    filter->id = query_id(call, "WebhookId", problems);
    filter->notification = query_id(call, "NotificationId", problems);
    filter->inquiry = query_id(call, "InquiryId", problems);
    filter->action = query_id(call, "ActionId", problems);
    filter->before = query_id(call, "Before", problems);
    if (filter->before == ID_NOBODYS) /* a place in the list, and there is none before the first */
        problems_add(problems, "Before", "must be the id of a postback");
    filter_span(call, filter, problems);
    if (page_size[0] != '\0' && !text_int(page_size, 1, POSTBACKS_MOST, &size))
        problems_add(problems, "PageSize", "must be a number from 1 to %d", POSTBACKS_MOST);
    filter->limit = (int)size;
}

static void set_uri(struct api_job *job, json_t *shown)
{
    const char *id = json_string_value(json_object_get(shown, "Id"));
    if (id != NULL)
        json_object_set_new(shown, "Uri", json_sprintf("%s/Postbacks/%s", work_of(job)->base, id));
}

static bool run_list(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    size_t i;
    json_t *postback;
    job->shown = postback_list(db, job->call->caller.account, &work->filter, &work->next);
    json_array_foreach(job->shown, i, postback) set_uri(job, postback);
    work->wait_count = postback_waits(db, job->call->caller.account, job->shown, &work->waits);
    return true;
}

static void finish_list(struct api_job *job)
{
    struct log_work *work = work_of(job);
    const struct cursor cursor = { "Before", work->filter.before, work->filter.limit };
    show_waits(work, job->shown);
    json_t *answer =
        cursor_answer_at(job->call, &cursor, work->next, "Postbacks", json_array_size(job->shown));
    bool stopped = work->next != 0 && json_array_size(job->shown) < (size_t)work->filter.limit;
    json_object_set(answer, "Postbacks", job->shown);
    show_date(answer, "SearchedBackToDate", stopped ? id_time_ms(work->next) : DATE_NONE);
    call_json_answer(job->call, 200, answer);
}

static void list(struct call *call, void *context)
{
    struct log_work *work = work_new(call, context, run_list, finish_list);
    postback_filter_read(call, true, &work->filter, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- one ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    const struct caller *caller = &job->call->caller;
    job->shown = postback_show(db, caller->account, caller->sid, work->id);
    if (job->shown == NULL)
        return false;
    set_uri(job, job->shown);
    json_t *alone = json_pack("[O]", job->shown);
    work->wait_count = postback_waits(db, caller->account, alone, &work->waits);
    json_decref(alone);
    return true;
}

static void finish_show(struct api_job *job)
{
    const struct log_work *work = work_of(job);
    show_wait(work, job->shown, work->wait_count > 0 ? &work->waits[0] : NULL);
    api_job_show(job);
}

/* ---- how many match ---- */

static bool run_count(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    work->count = postback_count(db, job->call->caller.account, &work->filter, &work->next);
    return true;
}

static void finish_count(struct api_job *job)
{
    const struct log_work *work = work_of(job);
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_int(answer, "Count", work->count);
    show_id(answer, "Before", work->next);
    show_date(answer, "SearchedBackToDate", work->next != 0 ? id_time_ms(work->next) : DATE_NONE);
    call_json_answer(job->call, 200, answer);
}

static void count(struct call *call, void *context)
{
    struct log_work *work = work_new(call, context, run_count, finish_count);
    postback_filter_read(call, true, &work->filter, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- what is done to one ---- */

static void audit(struct api_job *job, struct db *db, const char *action)
{
    struct log_work *work = work_of(job);
    char object[API_BASE_TEXT + 40];
    snprintf(object, sizeof(object), "%s/Postbacks/%" PRId64, work->base, work->id);
    audit_add(db, &job->call->caller, job->call->address, action, object, NULL);
}

static bool run_retry(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    if (!postback_retry(&job->job, db, job->call->caller.account, work->id, &work->notification))
        return false;
    audit(job, db, "postback.retry");
    return true;
}

static const struct {
    const char *name, *words;
} turns[] = {
    [RETRY_NOW] = { "NOW", "It is being sent." },
    [RETRY_NEXT] = { "NEXT", "Its receiver is down. It is the next one that is tried there." },
    [RETRY_IN_TURN] = { "IN_TURN", "It is due now, and goes out behind those on their way." },
    [RETRY_HELD] = { "HELD", "It goes out once its event notification sends again." },
};

static void finish_retry(struct api_job *job)
{
    const struct log_work *work = work_of(job);
    enum retry_turn turn = engine_retry_turn(job->api->engine, work->notification, work->id);
    json_t *body = json_object();
    json_object_set_new(body, "Status", json_string("OK"));
    json_object_set_new(body, "Uri", json_sprintf("%s/Postbacks/%" PRId64, work->base, work->id));
    json_object_set_new(body, "Turn", json_string(turns[turn].name));
    json_object_set_new(body, "Message", json_string(turns[turn].words));
    call_json_answer(job->call, 200, body);
}

static bool run_resend(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    if (!postback_resend(&job->job, db, job->call->caller.account, work->id, &work->new_id))
        return false;
    audit(job, db, "postback.resend");
    return true;
}

static void finish_resend(struct api_job *job)
{
    const struct log_work *work = work_of(job);
    json_t *body = json_object();
    json_object_set_new(body, "Status", json_string("OK"));
    json_object_set_new(body, "Uri",
                        json_sprintf("%s/Postbacks/%" PRId64, work->base, work->new_id));
    json_object_set_new(body, "Id", json_sprintf("%" PRId64, work->new_id));
    call_json_answer(job->call, 200, body);
}

static bool run_cancel(struct api_job *job, struct db *db)
{
    struct log_work *work = work_of(job);
    if (!postback_cancel(&job->job, db, job->call->caller.account, work->id))
        return false;
    audit(job, db, "postback.cancel");
    return true;
}

static void finish_cancel(struct api_job *job)
{
    const struct log_work *work = work_of(job);
    call_ok(job->call, "%s/Postbacks/%" PRId64, work->base, work->id);
}

/* {Id} of the path; false: answered, it is no id and so nobody's. */
static bool id_given(struct call *call, int64_t *id)
{
    if (id_parse(call->params[1], id))
        return true;
    call_refuse(call, 404, NULL, "There is no such postback.");
    return false;
}

static void show(struct call *call, void *context)
{
    int64_t id;
    if (!id_given(call, &id))
        return;
    struct log_work *work = work_new(call, context, run_show, finish_show);
    work->id = id;
    api_read(&work->api);
}

static void change(struct call *call, void *context, bool (*run)(struct api_job *, struct db *),
                   void (*finish)(struct api_job *))
{
    int64_t id;
    if (!id_given(call, &id))
        return;
    struct log_work *work = work_new(call, context, run, finish);
    work->id = id;
    api_write(&work->api);
}

static void retry(struct call *call, void *context)
{
    if (outward_may(context, call, OUTWARD_SEND))
        change(call, context, run_retry, finish_retry);
}

static void resend(struct call *call, void *context)
{
    if (outward_may(context, call, OUTWARD_SEND))
        change(call, context, run_resend, finish_resend);
}

static void cancel(struct call *call, void *context)
{
    change(call, context, run_cancel, finish_cancel);
}

#define READS   (SCOPE_API | SCOPE_READ)
#define CHANGES SCOPE_API
#define PARTNER "/Mediapartners/{SID}/Postbacks"
#define BRAND   "/Advertisers/{SID}/Postbacks"

const struct route postback_routes[] = {
    { "GET", PARTNER, list, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/Count", count, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{Id}", show, PARTNERS, READS, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Retry", retry, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Resend", resend, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Cancel", cancel, PARTNERS, CHANGES, COUNTED, 0 },
    { "GET", BRAND, list, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/Count", count, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/{Id}", show, BRANDS, READS, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Retry", retry, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Resend", resend, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Cancel", cancel, BRANDS, CHANGES, COUNTED, 0 },
};
const size_t postback_route_count = sizeof(postback_routes) / sizeof(postback_routes[0]);
