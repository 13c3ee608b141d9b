/* notification_trials.c — settings tried out: a test postback really sent, and a preview of the
 * request that unsaved settings would make.
 *
 * Both take settings that are not saved (a test of an event notification that is there: over its
 * own) and beside them an EventType (default: the first that the notification wants) with Data
 * (default: the catalog's samples), or the EventId of one of the account's events.
 */
#include "api/notifications.h"

#include "api/outward.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "engine/tester.h"
#include "model/event.h"
#include "model/request.h"
#include "model/show.h"
#include "model/signature.h"
#include "store/events.h"
#include "store/notifications.h"
#include "store/opened.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is tried ---- */

/* What a body has beside the settings, taken out of it. */
struct trial_event {
    json_t *type, *data, *id; /* EventType, Data, EventId; NULL: not given */
};

static json_t *member_take(json_t *body, const char *name)
{
    json_t *value = json_incref(json_object_get(body, name));
    json_object_del(body, name);
    if (!json_is_null(value))
        return value;
    json_decref(value);
    return NULL;
}

static void trial_event_take(json_t *body, struct trial_event *out)
{
    out->type = member_take(body, "EventType");
    out->data = member_take(body, "Data");
    out->id = member_take(body, "EventId");
}

static void trial_event_clear(struct trial_event *given)
{
    json_decref(given->type);
    json_decref(given->data);
    json_decref(given->id);
}

/* One of the account's own, as it came. */
static struct event *event_real(struct db *db, int64_t account, const struct trial_event *given,
                                struct problems *problems)
{
    const char *text = json_string_value(given->id);
    struct event *event = NULL;
    int64_t id = 0;
    if (given->data != NULL || given->type != NULL)
        problems_add(problems, "EventId", "is an event: no EventType or Data beside it");
    else if (text == NULL || !id_parse(text, &id) || (event = event_load(db, account, id)) == NULL)
        problems_add(problems, "EventId", "must be an event of the account");
    return event;
}

/* The event to try with; NULL with problems. */
static struct event *event_of(struct db *db, const struct trial_event *given,
                              const struct notification *notification, struct problems *problems)
{
    const struct event_type *type = NULL;
    if (given->id != NULL)
        return event_real(db, notification->account, given, problems);
    if (given->type == NULL && notification->settings.type_count > 0)
        type = notification->settings.types[0];
    else if (json_is_string(given->type))
        type = catalog_type(json_string_value(given->type));
    if (type == NULL) {
        problems_add(problems, "EventType", "must be an event type of GET /EventCatalog");
        return NULL;
    }
    if (given->data == NULL)
        return event_sample(type, notification->account, clock_wall_ms());
    struct buf text = { 0 };
    struct event *event = NULL;
    event_check_tree(type, given->data, &text, problems);
    if (problems->count == 0)
        event =
            event_new(notification->account, type, clock_wall_ms(), 0, buf_text(&text), text.len);
    buf_free(&text);
    return event;
}

/* Compiles settings (which are left all zeroes) as they would be saved; NULL with problems. */
static struct notification *settings_compile(struct db *db, int64_t account,
                                             struct notification_settings *settings,
                                             struct problems *problems)
{
    struct notification *made = notification_compile(settings, problems);
    notification_settings_free(settings);
    if (made == NULL)
        return NULL;
    opened_load(db, account, &made->opened);
    notification_refuse_closed(made, &made->opened, problems);
    notification_refuse_heavy(made, problems);
    if (problems->count == 0)
        return made;
    notification_unref(made);
    return NULL;
}

/* Of settings that were never saved. */
static struct notification *made_of_settings(struct db *db, const struct caller *caller,
                                             const json_t *body, struct problems *problems)
{
    struct notification_settings settings = { 0 };
    notification_settings_read(&settings, body, problems);
    struct notification *made = settings_compile(db, caller->account, &settings, problems);
    if (made == NULL)
        return NULL;
    made->account = caller->account;
    made->account_sid = must_copy(caller->sid);
    made->held_reason = must_copy("");
    return made;
}

/* The one that is there, with what the body has in place of its settings.  Its credentials go where
 * they were set for, and nowhere else. */
static struct notification *changed_by_settings(struct db *db, int64_t account, int64_t id,
                                                const json_t *body, struct problems *problems)
{
    struct notification *kept = notification_load_kept(db, account, id);
    if (kept == NULL)
        return NULL;
    struct notification_settings settings = kept->settings;
    kept->settings = (struct notification_settings){ 0 };
    notification_settings_read(&settings, body, problems);
    struct notification *made = settings_compile(db, account, &settings, problems);
    if (made != NULL)
        notification_carry_over(made, kept);
    notification_unref(kept);
    return made;
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

/* Sets the notification and the event to try; false with problems, or not there. */
static bool run_trial(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    const struct caller *caller = &job->call->caller;
    json_t *settings = json_copy(work->body); /* run() may come again */
    struct trial_event given;
    trial_event_take(settings, &given);
    notification_unref(work->notification);
    event_unref(work->event);
    work->event = NULL;
    if (work->id == 0)
        work->notification = made_of_settings(db, caller, settings, &job->problems);
    else if (json_object_size(settings) == 0)
        work->notification = notification_load(db, caller->account, work->id, 0);
    else
        work->notification =
            changed_by_settings(db, caller->account, work->id, settings, &job->problems);
    if (work->notification != NULL)
        work->event = event_of(db, &given, work->notification, &job->problems);
    trial_event_clear(&given);
    json_decref(settings);
    if (job->problems.count > 0)
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    return work->notification != NULL && work->event != NULL;
}

static void finish_test(struct api_job *job)
{
    struct notification_work *work = notification_work_of(job);
    if (!outward_test_begin(job->api, job->call))
        return;
    struct test *test = must_alloc(sizeof(*test));
    *test = (struct test){ job->api, job->call };
    if (work->id == 0)
        secret_random(&work->notification->secret);
    tester_send(engine_services(job->api->engine)->tester, work->notification, work->event, tested,
                test);
}

void notification_test(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct notification_work *work =
        notification_work_new(call, context, body, run_trial, finish_test);
    if (work == NULL)
        return;
    if (outward_may(context, call, OUTWARD_TEST))
        api_read(&work->api);
    else
        api_job_drop(&work->api);
}

/* ---- preview ---- */

/* The request in full, signed by nobody. */
static bool run_preview(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    struct request request = { 0 };
    if (!run_trial(job, db))
        return false;
    bool built = request_build(&request, work->notification, work->event, 0, 1, clock_wall_ms(),
                               &job->job.error);
    if (built)
        job->shown = request_show(work->notification, &request);
    request_free(&request);
    return built;
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
