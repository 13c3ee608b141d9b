/* events.c — POST /Events: events from the platform's other systems, one or a batch.
 *
 * The road that has to be fast: the request is read and checked on the loop (intake.c), and one
 * write job writes all its events and their postbacks.  202 is answered when that is on disk.  A
 * SID that is not known yet is looked up by the same job; an event whose DedupeKey came before
 * writes nothing and gets the ids that were given then.
 *
 * The rule: a batch is all or nothing.
 */
#include "store/events.h"
#include "api/admission.h"
#include "api/identities.h"
#include "api/intake.h"
#include "base/clock.h"
#include "db/tx.h"
#include "engine/membership.h"
#include "model/json.h"
#include "store/accounts.h"
#include "store/dedupe.h"
#include "store/quotas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct intake *intake_of(struct api_job *job)
{
    return (struct intake *)job;
}

/* ---- the job ---- */

/* An account that the cache may not have. */
static void look_up_one(struct intake *intake, struct db *db, size_t event, size_t at)
{
    struct addressee *to = &intake->to[intake->events[event].to_at + at];
    struct account account;
    char field[40];
    to->account = 0;
    if (account_find_sid(db, to->sid, &account)) {
        to->account = account.active ? account.id : 0;
        account_clear(&account);
    }
    if (to->account != 0)
        return;
    snprintf(field, sizeof(field), "AccountSids[%zu]", at);
    intake_problem(intake, event, field, "is not the SID of an account");
}

static bool look_up(struct intake *intake, struct db *db)
{
    for (size_t i = 0; i < intake->count; i++) {
        const struct incoming *event = &intake->events[i];
        for (size_t at = 0; at < event->to_count; at++)
            look_up_one(intake, db, i, at);
    }
    if (intake->api.problems.count == 0)
        return true;
    error_set(&intake->api.job.error, ERROR_INVALID, "The request is not valid.");
    return false;
}

static bool came_before(struct intake *intake, struct db *db, const struct incoming *event)
{
    int64_t ids[INTAKE_ACCOUNTS_MAX];
    size_t count = dedupe_find(db, intake->api.call->caller.account, event->dedupe_key, ids,
                               INTAKE_ACCOUNTS_MAX);
    for (size_t i = 0; i < count && i < INTAKE_ACCOUNTS_MAX; i++)
        intake_id(intake, ids[i]);
    return count > 0;
}

static void write_event(struct intake *intake, struct db *db, const struct incoming *event)
{
    const char *data = buf_text(&intake->data) + event->data_at;
    size_t first_id = intake->id_count;
    if (event->dedupe_key != NULL && came_before(intake, db, event))
        return;
    for (size_t i = event->to_at; i < event->to_at + event->to_count; i++) {
        struct event *made = event_new(intake->to[i].account, event->type, event->occurred_at, 0,
                                       data, event->data_len);
        made->checked = true;
        made->on_request = event->on_request;
        event_publish(&intake->api.job, db, made);
        intake_id(intake, made->id);
        event_unref(made);
    }
    if (event->dedupe_key != NULL)
        dedupe_add(db, intake->api.call->caller.account, event->dedupe_key, intake->ids + first_id,
                   intake->id_count - first_id);
}

/* Nobody is sent more than may wait, nor faster than the fan-out of what came before. */
static bool have_room(struct intake *intake, struct db *db)
{
    struct job *job = &intake->api.job;
    job->admitted = true;
    for (size_t i = 0; i < intake->to_count; i++) {
        if (!quota_admits(job, db, intake->to[i].account, 100))
            return false;
        if (!events_wait(db, intake->to[i].account))
            continue;
        error_set(&job->error, ERROR_UNAVAILABLE,
                  "the last %d events of %s are still on their way to its event notifications; "
                  "try again later",
                  FAN_OUTS_MOST, intake->to[i].sid);
        return false;
    }
    return true;
}

/* Another call, or node, may have deleted one since the events were checked. */
static bool types_stand(struct intake *intake)
{
    for (size_t i = 0; i < intake->count && intake->of_added_type; i++) {
        const struct event_type *type = catalog_type_numbered(intake->events[i].type->number);
        if (type == NULL || type->deleted)
            intake_problem(intake, i, "Type", INTAKE_TYPE_WRONG);
    }
    if (intake->api.problems.count == 0)
        return true;
    error_set(&intake->api.job.error, ERROR_INVALID, "The request is not valid.");
    return false;
}

static bool write_events(struct api_job *job, struct db *db)
{
    struct intake *intake = intake_of(job);
    intake->id_count = 0;
    if (!types_stand(intake))
        return false;
    if ((!job->job.sure && !look_up(intake, db)) || !have_room(intake, db))
        return false;
    for (size_t i = 0; i < intake->count; i++)
        write_event(intake, db, &intake->events[i]);
    return true;
}

static void learn(const struct intake *intake)
{
    int64_t now_ms = clock_steady_ms();
    for (size_t i = 0; i < intake->to_count; i++)
        identities_learn(intake->api.api->identities, intake->to[i].sid, intake->to[i].account,
                         now_ms);
}

static void answer(struct api_job *job)
{
    const struct intake *intake = intake_of(job);
    struct buf out = { 0 };
    buf_str(&out, "{\"Status\":\"OK\",\"EventIds\":[");
    for (size_t i = 0; i < intake->id_count; i++) {
        buf_str(&out, i > 0 ? ",\"" : "\"");
        buf_int(&out, intake->ids[i]);
        buf_char(&out, '"');
    }
    buf_str(&out, "]}");
    if (!job->job.sure)
        learn(intake);
    call_text_answer(job->call, 202, "application/json; charset=utf-8", buf_text(&out), out.len);
    buf_free(&out);
}

static void intake_clear(struct api_job *job)
{
    struct intake *intake = intake_of(job);
    if (intake->entered)
        admission_leave(job->api, intake->total, intake->bytes);
    intake_free(intake);
}

/* ---- the request ---- */

/* Whose turn the write takes: of the account that all events go to.  One that is not known yet by
 * its id has a number made of its SID.  0: of whoever sends them. */
static int64_t one_account(const struct intake *intake)
{
    const struct addressee *first = intake->to;
    for (size_t i = 1; i < intake->to_count; i++) {
        if (strcmp(intake->to[i].sid, first->sid) != 0)
            return 0;
    }
    if (intake->to_count == 0 || first->account != 0)
        return intake->to_count > 0 ? first->account : 0;
    return api_stranger(first->sid, strlen(first->sid));
}

/* Once a problem list is full, further events would be checked for nothing. */
static bool goes_on(const struct intake *intake)
{
    return intake->api.problems.count < PROBLEMS_MAX && intake->count < INTAKE_EVENTS_MAX;
}

static void too_many(struct intake *intake)
{
    problems_add(&intake->api.problems, "Events", "must be at most %d", INTAKE_EVENTS_MAX);
}

static void read_batch(struct intake *intake, const struct json_value *body,
                       const struct json_value *events)
{
    const struct json_value *at = body + 1;
    uint32_t count = events->type == JSON_ARRAY ? events->len : 0;
    intake->batch = true;
    for (uint32_t i = 0; i < body->len; i++, at += 1 + at[1].size) {
        if (at + 1 != events)
            problems_add(&intake->api.problems, at->text,
                         "is not a member of a batch, beside Events");
    }
    if (count == 0)
        problems_add(&intake->api.problems, "Events", "must be an array of 1 to %d events",
                     INTAKE_EVENTS_MAX);
    if (count > INTAKE_EVENTS_MAX) {
        too_many(intake);
        return;
    }
    at = events + 1;
    for (uint32_t i = 0; i < count && goes_on(intake); i++, at += at->size)
        intake_add(intake, at);
}

static void read_line(struct intake *intake, struct json_values *values, char *line, size_t len,
                      size_t number)
{
    struct json_fault fault;
    char what[160];
    if (json_scan(values, line, len, &fault)) {
        intake_add(intake, values->at);
        return;
    }
    snprintf(what, sizeof(what), "line %zu is not valid JSON: column %d: %s", number, fault.column,
             fault.what);
    intake_add_wrong(intake, what);
}

/* NDJSON: one event a line; empty lines are skipped. */
static void read_lines(struct intake *intake, struct json_values *values, struct call *call)
{
    size_t whole;
    char *at = call_body_text(call, &whole), *end = at + whole;
    intake->batch = true;
    for (size_t number = 1; at < end && goes_on(intake); number++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop != NULL ? stop : end) - at);
        if (strspn(at, " \t\r") < len)
            read_line(intake, values, at, len, number);
        at += len + 1;
    }
    if (at < end)
        at += strspn(at, " \t\r\n");
    if (at < end && intake->api.problems.count < PROBLEMS_MAX)
        too_many(intake);
    if (intake->count == 0)
        problems_add(&intake->api.problems, "", "one event a line is expected");
}

/* False: answered. */
static bool read_json(struct intake *intake, struct json_values *values, struct call *call)
{
    if (!call_scan(call, values))
        return false;
    const struct json_value *body = values->at, *events = json_member(body, "Events");
    if (body->type != JSON_OBJECT) {
        call_refuse(call, 400, NULL, "The body must be a JSON object.");
        return false;
    }
    if (events != NULL)
        read_batch(intake, body, events);
    else
        intake_add(intake, body);
    return true;
}

/* False: answered. */
static bool read_events(struct intake *intake, struct call *call)
{
    struct json_values values = { 0 };
    bool good = true;
    if (call_has_type(call, "application/x-ndjson"))
        read_lines(intake, &values, call);
    else
        good = read_json(intake, &values, call);
    json_values_free(&values);
    return good;
}

/* A job that cannot fail needs no savepoint. */
static bool all_known(const struct intake *intake)
{
    for (size_t i = 0; i < intake->to_count; i++) {
        if (intake->to[i].account == 0)
            return false;
    }
    return true;
}

/* Answers, now or later. */
static void take(struct intake *intake, struct call *call)
{
    struct api *api = intake->api.api;
    buf_free(&call->body); /* while it waits it need not be kept twice */
    if (!api_job_valid(&intake->api))
        return;
    intake->entered = admission_enter(api, call, intake->total, intake->bytes);
    if (!intake->entered) {
        api_job_drop(&intake->api);
        return;
    }
    intake->api.job.sure = all_known(intake);
    intake->api.job.account = one_account(intake);
    api_write(&intake->api);
}

/* NULL: answered. */
static struct intake *read_call(struct call *call, struct api *api)
{
    struct intake *intake =
        api_job_new(sizeof(*intake), call, api, write_events, answer, intake_clear);
    intake->data.limit = INTAKE_DATA_MAX;
    buf_room(&intake->data, call->body.len); /* mostly all that is needed */
    if (read_events(intake, call))
        return intake;
    api_job_drop(&intake->api);
    return NULL;
}

/* ---- where other nodes may know more of an event type than this one has heard ---- */

struct rereading {
    struct api_job api;
    struct buf body; /* as it came: reading it changes it */
};

static bool hear_types(struct api_job *job, struct db *db)
{
    (void)job;
    tx_hear_now(db_tx(db));
    return true;
}

static void read_again(struct api_job *job)
{
    struct rereading *rereading = (struct rereading *)job;
    struct call *call = job->call;
    buf_free(&call->body);
    call->body = rereading->body;
    rereading->body = (struct buf){ 0 };
    struct intake *intake = read_call(call, job->api);
    if (intake != NULL)
        take(intake, call);
}

static void clear_rereading(struct api_job *job)
{
    buf_free(&((struct rereading *)job)->body);
}

/* Steals the body. */
static void read_when_heard(struct intake *intake, struct buf *body)
{
    struct rereading *rereading = api_job_new(sizeof(*rereading), intake->api.call, intake->api.api,
                                              hear_types, read_again, clear_rereading);
    rereading->body = *body;
    *body = (struct buf){ 0 };
    api_job_drop(&intake->api);
    api_write(&rereading->api);
}

static void take_events(struct call *call, void *context)
{
    struct api *api = context;
    struct buf body = { .limit = INTAKE_BODY_MAX + 1 };
    if (!admission_open(api, call))
        return;
    if (membership_shared(api->membership))
        buf_add(&body, call->body.data, call->body.len);
    struct intake *intake = read_call(call, api);
    bool again = intake != NULL && intake->of_added_type && intake->api.problems.count > 0;
    if (again && membership_shared(api->membership))
        read_when_heard(intake, &body);
    else if (intake != NULL)
        take(intake, call);
    buf_free(&body);
}

const struct route event_routes[] = {
    { "POST", "/Events", take_events, ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR,
      SCOPE_API | SCOPE_EVENTS, .body_max = INTAKE_BODY_MAX },
};
const size_t event_route_count = sizeof(event_routes) / sizeof(event_routes[0]);
