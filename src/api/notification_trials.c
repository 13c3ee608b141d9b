/* notification_trials.c — settings tried out: a test postback really sent, and a preview of the
 * request that unsaved settings would make.
 *
 * Both take an EventType (default: the first that the notification wants) and Data (default: the
 * catalog's samples) beside the settings.
 */
#include "api/notifications.h"

#include "api/outward.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "engine/tester.h"
#include "model/event.h"
#include "model/request.h"
#include "model/show.h"
#include "store/opened.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The event to try with; NULL with problems. */
static struct event *event_of(const json_t *type_name, const json_t *data,
                              const struct notification *notification, struct problems *problems)
{
    const struct event_type *type = NULL;
    if (type_name == NULL && notification->settings.type_count > 0)
        type = notification->settings.types[0];
    else if (json_is_string(type_name))
        type = catalog_type(json_string_value(type_name));
    if (type == NULL) {
        problems_add(problems, "EventType", "must be an event type of GET /EventCatalog");
        return NULL;
    }
    if (data == NULL)
        return event_sample(type, notification->account, clock_wall_ms());
    struct buf text = { 0 };
    struct event *event = NULL;
    event_check_tree(type, data, &text, problems);
    if (problems->count == 0)
        event =
            event_new(notification->account, type, clock_wall_ms(), 0, buf_text(&text), text.len);
    buf_free(&text);
    return event;
}

/* ---- test ---- */

/* A receiver's bytes; those that are not UTF-8 are shown as '?'. */
static void show_bytes(json_t *shown, const char *name, const char *bytes, size_t len)
{
    struct buf text = { 0 };
    if (len > 0)
        buf_add(&text, bytes, len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0')
            text.data[i] = '?';
    }
    json_object_set_new(shown, name, call_string(buf_text(&text)));
    buf_free(&text);
}

struct test { /* under way */
    struct api *api;
    struct call *call;
};

static void tested(void *context, const struct attempt *attempt, enum verdict verdict,
                   json_t *request)
{
    struct test *test = context;
    struct call *call = test->call;
    outward_test_end(test->api, call->caller.account);
    free(test);
    json_t *response = json_object(), *body = json_object();
    show_id(response, "Status", attempt->status);
    show_bytes(response, "Headers", attempt->headers, attempt->headers_len);
    show_bytes(response, "Body", attempt->body, attempt->body_len);
    show_text(response, "Error",
              attempt->error != EXCHANGE_OK ? exchange_error_name(attempt->error) : "");
    show_text(response, "Detail", attempt->detail);
    json_object_set_new(response, "DurationMs",
                        json_sprintf("%" PRId64 ".%03d", attempt->duration_us / 1000,
                                     (int)(attempt->duration_us % 1000)));
    show_text(body, "Status", "OK");
    show_text(body, "Verdict", verdict_name(verdict));
    json_object_set_new(body, "Request", request);
    json_object_set_new(body, "Response", response);
    call_json_answer(call, 200, body);
}

static bool run_load(struct api_job *job, struct db *db)
{
    return notification_work_load(notification_work_of(job), db);
}

static void finish_test(struct api_job *job)
{
    struct notification_work *work = notification_work_of(job);
    struct event *event =
        event_of(json_object_get(work->body, "EventType"), json_object_get(work->body, "Data"),
                 work->notification, &job->problems);
    if (event == NULL) {
        call_refuse(job->call, 400, &job->problems, "The request is not valid.");
        return;
    }
    if (outward_test_begin(job->api, job->call)) {
        struct test *test = must_alloc(sizeof(*test));
        *test = (struct test){ job->api, job->call };
        tester_send(engine_services(job->api->engine)->tester, work->notification, event, tested,
                    test);
    }
    event_unref(event);
}

void notification_test(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct notification_work *work =
        notification_work_new(call, context, body, run_load, finish_test);
    if (work == NULL)
        return;
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        if (strcmp(name, "EventType") != 0 && strcmp(name, "Data") != 0)
            problems_add(&work->api.problems, name, "is not a field of this request");
    }
    if (!api_job_valid(&work->api))
        return;
    if (outward_may(context, call, OUTWARD_TEST))
        api_read(&work->api);
    else
        api_job_drop(&work->api);
}

/* ---- preview ---- */

static json_t *member_take(json_t *body, const char *name)
{
    json_t *value = json_incref(json_object_get(body, name));
    json_object_del(body, name);
    return value;
}

/* The request in full, or NULL with problems or *error (a cap is passed).  Takes *opened. */
static json_t *preview(const struct call *call, json_t *body, struct opened *opened,
                       struct problems *problems, struct error *error)
{
    json_t *type = member_take(body, "EventType"), *data = member_take(body, "Data"), *shown = NULL;
    struct notification_settings settings = { 0 };
    struct request request = { 0 };
    struct event *event = NULL;
    notification_settings_read(&settings, body, problems);
    struct notification *notification = notification_compile(&settings, problems);
    notification_settings_free(&settings);
    if (notification == NULL)
        goto out;
    notification->opened = *opened;
    *opened = (struct opened){ 0 };
    notification_refuse_closed(notification, &notification->opened, problems);
    notification_refuse_heavy(notification, problems);
    if (problems->count > 0)
        goto out;
    notification->account = call->caller.account;
    notification->account_sid = must_copy(call->caller.sid);
    event = event_of(type, data, notification, problems);
    if (event != NULL && request_build(&request, notification, event, 0, 1, clock_wall_ms(), error))
        shown = request_show(notification, &request);
    request_free(&request);
out:
    event_unref(event);
    notification_unref(notification);
    json_decref(type);
    json_decref(data);
    return shown;
}

static bool run_preview(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    struct opened opened = { 0 };
    opened_load(db, job->call->caller.account, &opened);
    job->shown = preview(job->call, work->body, &opened, &job->problems, &job->job.error);
    opened_clear(&opened);
    if (job->problems.count > 0)
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    return job->shown != NULL;
}

static void finish_preview(struct api_job *job)
{
    call_json_answer(job->call, 200,
                     json_pack("{s:s, s:O}", "Status", "OK", "Request", job->shown));
}

void notification_preview(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct notification_work *work =
        notification_work_new(call, context, body, run_preview, finish_preview);
    if (work != NULL)
        api_read(&work->api);
}
