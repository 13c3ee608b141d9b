/* events.c — POST /Events: events from the platform's other systems.
 *
 * The road that has to be fast: a token and SIDs seen lately are known without the store, the
 * request is checked and the events are made here on the loop, and one write job writes them all.
 * 202 is answered when that is on disk.  A SID that is not known yet is looked up by the same job.
 * A partner or brand sends events for itself; the operator for any account.
 */
#include "api/api.h"

#include "api/identities.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"
#include "model/event.h"
#include "store/accounts.h"
#include "store/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENT_ACCOUNTS_MAX = 100,
    EVENT_BODY_MAX = 2 * EVENT_DATA_MAX,
    EVENT_WRITES_MOST = 4096,       /* waiting for the store: more are turned away */
    EVENT_AHEAD_MS = 5 * 60 * 1000, /* how far a sender's clock may be ahead of ours */
};

struct addressee {
    char sid[SID_TEXT];
    int64_t account; /* 0: to be looked up */
    struct event *event;
};

struct intake {
    struct api_job api;
    const struct event_type *type;
    int64_t occurred_at;
    struct buf data; /* canonical */
    size_t count;
    struct addressee to[];
};

static struct intake *intake_of(struct api_job *job)
{
    return (struct intake *)job;
}

/* ---- the job ---- */

static void to_field(char out[40], size_t at)
{
    snprintf(out, 40, "AccountSids[%zu]", at);
}

static struct event *make_event(const struct intake *intake, int64_t account)
{
    return event_new(account, intake->type, intake->occurred_at, 0, buf_text(&intake->data),
                     intake->data.len);
}

/* Accounts that the cache did not have. */
static bool look_up(struct intake *intake, struct db *db)
{
    for (size_t i = 0; i < intake->count; i++) {
        struct addressee *to = &intake->to[i];
        struct account account;
        if (to->account != 0)
            continue;
        if (account_find_sid(db, to->sid, &account)) {
            to->account = account.active ? account.id : 0;
            account_clear(&account);
        }
        if (to->account == 0) {
            char field[40];
            to_field(field, i);
            problems_add(&intake->api.problems, field, "is not the SID of an account");
        } else {
            to->event = make_event(intake, to->account);
        }
    }
    if (intake->api.problems.count == 0)
        return true;
    error_set(&intake->api.job.error, ERROR_INVALID, "The event is not valid.");
    return false;
}

static bool write_events(struct api_job *job, struct db *db)
{
    struct intake *intake = intake_of(job);
    if (!job->job.sure && !look_up(intake, db))
        return false;
    for (size_t i = 0; i < intake->count; i++)
        event_publish(&job->job, db, intake->to[i].event);
    return true;
}

static void answer(struct api_job *job)
{
    const struct intake *intake = intake_of(job);
    int64_t now_ms = clock_steady_ms();
    struct buf out = { 0 };
    buf_str(&out, "{\"Status\":\"OK\",\"EventIds\":[");
    for (size_t i = 0; i < intake->count; i++) {
        buf_str(&out, i > 0 ? ",\"" : "\"");
        buf_int(&out, intake->to[i].event->id);
        buf_char(&out, '"');
        if (!job->job.sure)
            identities_learn(job->api->identities, intake->to[i].sid, intake->to[i].account,
                             now_ms);
    }
    buf_str(&out, "]}");
    call_text_answer(job->call, 202, "application/json; charset=utf-8", buf_text(&out), out.len);
    buf_free(&out);
}

static void intake_clear(struct api_job *job)
{
    struct intake *intake = intake_of(job);
    for (size_t i = 0; i < intake->count; i++)
        event_unref(intake->to[i].event);
    buf_free(&intake->data);
}

/* ---- the request ---- */

static void read_type(struct intake *intake, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "Type"));
    intake->type = name != NULL ? catalog_type(name) : NULL;
    if (intake->type == NULL)
        problems_add(&intake->api.problems, "Type", "must be an event type of GET /EventCatalog");
}

static void read_time(struct intake *intake, const json_t *body)
{
    const json_t *given = json_object_get(body, "OccurredAt");
    int64_t now_ms = clock_wall_ms();
    intake->occurred_at = now_ms;
    if (given == NULL || json_is_null(given))
        return;
    if (!json_is_string(given) || !date_parse(json_string_value(given), &intake->occurred_at))
        problems_add(&intake->api.problems, "OccurredAt",
                     "must be an ISO 8601 date, such as 2026-11-23T18:40:17Z");
    else if (intake->occurred_at > now_ms + EVENT_AHEAD_MS)
        problems_add(&intake->api.problems, "OccurredAt", "must not be in the future");
}

static bool named_before(const struct intake *intake, const char *sid)
{
    for (size_t i = 0; i < intake->count; i++) {
        if (strcmp(intake->to[i].sid, sid) == 0)
            return true;
    }
    return false;
}

/* One element of AccountSids.  Another's SID gets the words of an unknown one. */
static void read_account(struct intake *intake, size_t at, const json_t *element)
{
    const struct caller *caller = &intake->api.call->caller;
    const char *sid = json_string_value(element);
    struct addressee *to = &intake->to[intake->count];
    char field[40];
    to_field(field, at);
    size_t len = sid != NULL ? strlen(sid) : 0;
    bool own = sid != NULL && strcmp(sid, caller->sid) == 0;
    if (len == 0 || len >= SID_TEXT || (!own && caller->kind != ACCOUNT_OPERATOR)) {
        problems_add(&intake->api.problems, field, "is not the SID of an account");
        return;
    }
    if (named_before(intake, sid)) {
        problems_add(&intake->api.problems, field, "is named twice");
        return;
    }
    memcpy(to->sid, sid, len + 1);
    to->account = own ? caller->account
                      : identities_account(intake->api.api->identities, sid, clock_steady_ms());
    intake->count++;
}

static void read_members(struct intake *intake, const json_t *body)
{
    static const char *const names[] = { "Type", "AccountSids", "Data", "OccurredAt" };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            known = known || strcmp(name, names[i]) == 0;
        if (!known)
            problems_add(&intake->api.problems, name, "is not a member of an event");
    }
}

static void intake_read(struct intake *intake, const json_t *body)
{
    struct problems *problems = &intake->api.problems;
    const json_t *sids = json_object_get(body, "AccountSids");
    const json_t *data = json_object_get(body, "Data"), *element;
    size_t i;
    read_members(intake, body);
    read_type(intake, body);
    if (json_array_size(sids) < 1 || json_array_size(sids) > EVENT_ACCOUNTS_MAX)
        problems_add(problems, "AccountSids", "must be an array of 1 to %d SIDs",
                     EVENT_ACCOUNTS_MAX);
    else
        json_array_foreach(sids, i, element) read_account(intake, i, element);
    if (data == NULL)
        problems_add(problems, "Data", "is required: an object with the event's data points");
    else if (intake->type != NULL)
        event_check(intake->type, data, "", &intake->data, problems);
    read_time(intake, body);
}

static void make_events(struct intake *intake)
{
    intake->api.job.sure = true;
    for (size_t i = 0; i < intake->count; i++) {
        if (intake->to[i].account == 0)
            intake->api.job.sure = false;
        else
            intake->to[i].event = make_event(intake, intake->to[i].account);
    }
}

static void take_event(struct call *call, void *context)
{
    struct api *api = context;
    if (store_writes_waiting(api->store) > EVENT_WRITES_MOST) {
        call_add_header(call, "Retry-After", "1");
        call_refuse(call, 503, NULL, "More events come in than can be written; try again later.");
        return;
    }
    json_t *body = call_json(call);
    if (body == NULL)
        return;
    if (!json_is_object(body)) {
        json_decref(body);
        call_refuse(call, 400, NULL, "The body must be a JSON object.");
        return;
    }
    size_t sids = json_array_size(json_object_get(body, "AccountSids"));
    if (sids > EVENT_ACCOUNTS_MAX)
        sids = 0; /* refused below */
    struct intake *intake = api_job_new(sizeof(*intake) + sids * sizeof(intake->to[0]), call, api,
                                        write_events, answer);
    intake->api.clear = intake_clear;
    intake_read(intake, body);
    json_decref(body);
    if (!api_job_valid(&intake->api))
        return;
    make_events(intake);
    api_write(&intake->api);
}

const struct route event_routes[] = {
    { "POST", "/Events", take_event, ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR,
      SCOPE_API | SCOPE_EVENTS, .body_max = EVENT_BODY_MAX },
};
const size_t event_route_count = sizeof(event_routes) / sizeof(event_routes[0]);
