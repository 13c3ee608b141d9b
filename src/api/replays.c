/* replays.c — replays of an event notification: count, start, list, show, cancel, undo.
 *
 * A replay is written as a row and taken up by the engine after the commit; from then on its
 * progress is read from the row.  Its postbacks are in the log like any others, under its ReplayId.
 */
#include "api/body.h"
#include "api/cursor_rows.h"

#include "api/outward.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "engine/replays.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/notifications.h"
#include "store/replays.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay_work {
    struct api_job api;
    struct replay replay; /* id: {ReplayId} of the path, or the new one's */
    struct cursor cursor;
    int64_t horizon, next; /* of a count */
    struct replay_undo undone;
    char base[API_BASE_TEXT];
};

static struct replay_work *work_of(struct api_job *job)
{
    return (struct replay_work *)job;
}

/* NULL: an id of the path is none, and the call is answered. */
static struct replay_work *work_new(struct call *call, void *context,
                                    bool (*run)(struct api_job *, struct db *),
                                    void (*finish)(struct api_job *))
{
    int64_t notification = path_id(call, 1), id = 0;
    if (call->params[2] != NULL)
        id = path_id(call, 2);
    if (notification == 0 || (call->params[2] != NULL && id == 0)) {
        call_refuse(call, 404, NULL, "There is no such replay.");
        return NULL;
    }
    struct replay_work *work = api_job_new(sizeof(*work), call, context, run, finish, NULL);
    work->replay.id = id;
    work->replay.notification = notification;
    work->replay.account = call->caller.account;
    api_base(call, work->base);
    return work;
}

static void set_uri(struct replay_work *work, json_t *shown)
{
    show_uri(shown, "Uri", "%s/EventNotifications/%" PRId64 "/Replays/%s", work->base,
             work->replay.notification, json_string_value(json_object_get(shown, "Id")));
}

static void audit(struct replay_work *work, struct db *db, const char *action, json_t *detail)
{
    char object[API_BASE_TEXT + 80];
    snprintf(object, sizeof(object), "%s/EventNotifications/%" PRId64 "/Replays/%" PRId64,
             work->base, work->replay.notification, work->replay.id);
    audit_add(db, &work->api.call->caller, work->api.call->address, action, object, detail);
}

/* ---- what is asked for ---- */

/* Between what ids hold, by whose time things are found. */
static int64_t within_ids(int64_t at_ms)
{
    const int64_t first = id_time_ms(0), last = id_time_ms(INT64_MAX);
    return at_ms < first ? first : at_ms > last ? last : at_ms;
}

/* StartDate and EndDate, both inclusive; a day alone is the whole of it. */
static void span_take(const struct fields *fields, struct replay *replay)
{
    int64_t now_ms = clock_wall_ms(), end = now_ms + 1;
    bool whole_day;
    char *text = fields_text(fields, "EndDate", 40, 0, NULL);
    replay->start_at =
        fields_date(fields, "StartDate", DATE_NONE, 0, "the time from which events are sent again");
    if (replay->start_at != DATE_NONE && replay->start_at > now_ms) {
        problems_add(fields->problems, "StartDate",
                     "must not be in the future; a day alone is that day in UTC");
        replay->start_at = DATE_NONE;
    }
    if (text != NULL && !date_parse_day(text, &end, &whole_day))
        problems_add(fields->problems, "EndDate", DATE_WANTED);
    else if (text != NULL)
        end = whole_day ? date_add_days(end, 1) : end + (end % 1000 == 0 ? 1000 : 1);
    if (replay->start_at != DATE_NONE && replay->start_at >= end)
        problems_add(fields->problems, "EndDate", "must not be before the start");
    replay->start_at = within_ids(replay->start_at);
    replay->end_at = within_ids(end);
    free(text);
}

static void type_take(const struct fields *fields, struct replay *replay, const char *name,
                      size_t len)
{
    char text[100];
    const struct event_type *type = NULL;
    snprintf(text, sizeof(text), "%.*s", (int)len, name);
    if (len < sizeof(text))
        type = catalog_type(text);
    if (type == NULL)
        problems_add(fields->problems, "Types", "\"%s\" is not an event type", text);
    else if (replay->type_count == NOTIFICATION_TYPES_MAX)
        problems_add(fields->problems, "Types", "must be at most %d", NOTIFICATION_TYPES_MAX);
    else
        replay->types[replay->type_count++] = type;
}

/* An array of names, or names with commas between. */
static void types_take(const struct fields *fields, struct replay *replay)
{
    const json_t *given = json_object_get(fields->from, "Types"), *name;
    size_t i;
    if (json_is_string(given)) {
        const char *at = json_string_value(given);
        for (at += strspn(at, ", "); *at != '\0'; at += strspn(at, ", ")) {
            size_t len = strcspn(at, ", ");
            type_take(fields, replay, at, len);
            at += len;
        }
    } else if (json_is_array(given)) {
        json_array_foreach(given, i, name)
        {
            if (json_is_string(name))
                type_take(fields, replay, json_string_value(name), json_string_length(name));
            else
                problems_add(fields->problems, "Types", "must be names of event types");
        }
    } else if (given != NULL && !json_is_null(given)) {
        problems_add(fields->problems, "Types", "must be a list of event types");
    }
}

static void source_take(const struct fields *fields, struct replay *replay)
{
    char *text = fields_text(fields, "From", 40, 0, NULL);
    replay->source = replay->notification;
    replay->lacking = text != NULL && text_same(text, "MISSING");
    if (text != NULL && (text_same(text, "ALL") || replay->lacking))
        replay->source = 0;
    else if (text != NULL && (!id_parse(text, &replay->source) || replay->source == 0))
        problems_add(fields->problems, "From",
                     "must be the Id of an event notification, ALL for all events of the account, "
                     "or MISSING "
                     "for those that it was never sent");
    free(text);
}

/* What has not ended reaches its own notification anyway. */
static void states_take(const struct fields *fields, struct replay *replay)
{
    const unsigned undelivered = 1 << POSTBACK_FRESH | 1 << POSTBACK_WAITING;
    bool own = replay->source == replay->notification;
    enum postback_state state;
    char *text = fields_text(fields, "State", 40, 0, NULL);
    replay->states = own ? REPLAY_ALL_STATES & ~undelivered : REPLAY_ALL_STATES;
    if (text != NULL && own && text_same(text, "FAILED")) {
        replay->states = 1 << POSTBACK_CANCELLED | 1 << POSTBACK_EXPIRED;
        replay->lacking = true;
    } else if (text != NULL && replay->source == 0 && !text_same(text, "ALL")) {
        problems_add(fields->problems, "State",
                     "is of postbacks, and From=ALL or MISSING takes events");
    } else if (text != NULL && !text_same(text, "ALL")) {
        bool known = postback_state_named(text, &state) && state != POSTBACK_FRESH;
        replay->states = !known ? 0 : state == POSTBACK_WAITING ? undelivered : 1u << state;
        if (!known || (own && state == POSTBACK_WAITING))
            problems_add(fields->problems, "State",
                         "must be one of: ALL, DELIVERED, CANCELLED, "
                         "EXPIRED, FAILED, and with From of another event "
                         "notification WAITING and not FAILED");
    }
    free(text);
}

static const char *const start_names[] = { "StartDate", "EndDate", "Types", "State", "From", NULL };
static const char *const count_names[] = { "StartDate", "EndDate", "Types", "State",
                                           "From",      "Next",    NULL };

static void replay_take(const struct fields *fields, struct replay *replay,
                        const char *const *names)
{
    fields_only(fields, names);
    span_take(fields, replay);
    types_take(fields, replay);
    source_take(fields, replay);
    states_take(fields, replay);
}

/* ---- start ---- */

/* False: problems were added. */
static bool fits(struct replay_work *work, struct db *db, const struct notification *to)
{
    struct problems *problems = &work->api.problems;
    const struct replay *replay = &work->replay;
    for (size_t i = 0; i < replay->type_count; i++) {
        if (!notification_wants(to, replay->types[i]))
            problems_add(problems, "Types", "the event notification does not send %s",
                         replay->types[i]->name);
    }
    if (replay->source != 0 && !replay_source_exists(db, replay->account, replay->source))
        problems_add(problems, "From", "there is no event notification %" PRId64, replay->source);
    return problems->count == 0;
}

static bool run_start(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    struct replay made = work->replay, *replay = &made;
    struct notification *to = notification_load(db, replay->account, replay->notification, 0);
    if (to == NULL)
        return false;
    bool fitting = fits(work, db, to);
    notification_unref(to);
    if (!fitting) {
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
        return false;
    }
    if (!replay_add(&job->job, db, replay))
        return false;
    work->replay.id = replay->id;
    job->shown = replay_show(db, replay->account, replay->notification, replay->id);
    audit(work, db, "replay.create",
          json_pack("{s:O, s:O, s:O, s:O, s:O}", "From", json_object_get(job->shown, "From"),
                    "StartDate", json_object_get(job->shown, "StartDate"), "EndDate",
                    json_object_get(job->shown, "EndDate"), "Types",
                    json_object_get(job->shown, "Types"), "PostbackState",
                    json_object_get(job->shown, "PostbackState")));
    return true;
}

static void finish_start(struct api_job *job)
{
    struct replay_work *work = work_of(job);
    json_t *body = json_object();
    show_text(body, "Status", "OK");
    show_id(body, "Id", work->replay.id);
    set_uri(work, body);
    call_json_answer(job->call, 200, body);
}

static void start(struct call *call, void *context)
{
    if (!outward_may(context, call, OUTWARD_REPLAY))
        return;
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct replay_work *work = work_new(call, context, run_start, finish_start);
    if (work != NULL) {
        struct fields fields = { .from = body, .problems = &work->api.problems };
        replay_take(&fields, &work->replay, start_names);
        if (api_job_valid(&work->api))
            api_write(&work->api);
    }
    json_decref(body);
}

/* ---- count ---- */

enum { COUNT_SLICE = 10000, COUNT_SLICES = 10 };

/* Up to so many rows of the range; where it is longer, `next` is where to go on. */
static void count_stretch(struct replay_work *work, struct db *db, const struct notification *to,
                          int64_t *found, int64_t *next)
{
    struct replay_look look = { .horizon = replays_horizon_of_all(db, work->horizon),
                                .rows = COUNT_SLICE };
    *found = *next = 0;
    for (int i = 0; i < COUNT_SLICES && !look.end && !look.wait; i++) {
        replay_look(db, &work->replay, to, &look);
        *found += look.found;
    }
    if (!look.end && !look.wait)
        *next = look.at;
}

static bool run_count(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    struct replay *replay = &work->replay;
    int64_t found, next;
    struct notification *to = notification_load(db, replay->account, replay->notification, 0);
    if (to == NULL)
        return false;
    bool fitting = fits(work, db, to);
    if (fitting) {
        replay->next = work->next;
        replay_aim(db, replay);
        count_stretch(work, db, to, &found, &next);
        job->shown = json_object();
        show_text(job->shown, "Status", "OK");
        show_int(job->shown, "Count", found);
        show_id(job->shown, "Next", next);
    }
    notification_unref(to);
    if (!fitting)
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    return fitting;
}

static void next_take(const struct fields *fields, struct replay_work *work)
{
    char *text = fields_text(fields, "Next", 40, 0, NULL);
    if (text != NULL && text[0] != '\0' && !id_parse(text, &work->next))
        problems_add(fields->problems, "Next", "must be the Next of the answer before");
    free(text);
}

static void count(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct replay_work *work = work_new(call, context, run_count, api_job_show);
    if (work != NULL) {
        struct fields fields = { .from = body, .problems = &work->api.problems };
        replay_take(&fields, &work->replay, count_names);
        next_take(&fields, work);
        work->horizon = replays_horizon(engine_services(work->api.api->engine)->replays);
        if (api_job_valid(&work->api))
            api_read(&work->api);
    }
    json_decref(body);
}

/* ---- list and show ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    const struct replay *replay = &work->replay;
    size_t i;
    json_t *shown;
    if (!replay_source_exists(db, replay->account, replay->notification))
        return false;
    job->shown =
        replay_list(db, replay->account, replay->notification, work->cursor.at, work->cursor.limit);
    json_array_foreach(job->shown, i, shown) set_uri(work, shown);
    return true;
}

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "Before", "PageSize", NULL };
    struct replay_work *work = work_new(call, context, run_list, NULL);
    if (work == NULL)
        return;
    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "Before", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Replays");
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    job->shown = replay_show(db, work->replay.account, work->replay.notification, work->replay.id);
    if (job->shown != NULL)
        set_uri(work, job->shown);
    return job->shown != NULL;
}

static void show(struct call *call, void *context)
{
    struct replay_work *work = work_new(call, context, run_show, api_job_show);
    if (work != NULL)
        api_read(&work->api);
}

/* ---- cancel ---- */

static bool run_cancel(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    if (!replay_cancel(&job->job, db, work->replay.account, work->replay.notification,
                       work->replay.id))
        return false;
    audit(work, db, "replay.cancel", NULL);
    return true;
}

static void finish_cancel(struct api_job *job)
{
    const struct replay_work *work = work_of(job);
    call_ok(job->call, "%s/EventNotifications/%" PRId64 "/Replays/%" PRId64, work->base,
            work->replay.notification, work->replay.id);
}

static void cancel(struct call *call, void *context)
{
    struct replay_work *work = work_new(call, context, run_cancel, finish_cancel);
    if (work != NULL)
        api_write(&work->api);
}

/* ---- undo ---- */

static bool run_undo(struct api_job *job, struct db *db)
{
    struct replay_work *work = work_of(job);
    const struct replay *replay = &work->replay;
    const struct replay_undo *undone = &work->undone;
    if (!replay_undo(&job->job, db, replay->account, replay->notification, replay->id,
                     &work->undone))
        return false;
    if (undone->ended || undone->cancelled > 0)
        audit(work, db, "replay.undo", json_pack("{s:I}", "Cancelled", undone->cancelled));
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_int(job->shown, "Cancelled", undone->cancelled);
    show_bool(job->shown, "More", undone->more);
    return true;
}

static void undo(struct call *call, void *context)
{
    struct replay_work *work = work_new(call, context, run_undo, api_job_show);
    if (work != NULL)
        api_write(&work->api);
}

#define READS   (SCOPE_API | SCOPE_READ)
#define CHANGES SCOPE_API
#define PARTNER "/Mediapartners/{SID}/EventNotifications/{Id}/Replays"
#define BRAND   "/Advertisers/{SID}/EventNotifications/{Id}/Replays"

enum {
    BODY_MAX = 16 * 1024,
};

const struct route replay_routes[] = {
    { "POST", PARTNER, start, PARTNERS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "POST", PARTNER "/Count", count, PARTNERS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "GET", PARTNER, list, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{ReplayId}", show, PARTNERS, READS, COUNTED, 0 },
    { "POST", PARTNER "/{ReplayId}/Cancel", cancel, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{ReplayId}/Undo", undo, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", BRAND, start, BRANDS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "POST", BRAND "/Count", count, BRANDS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "GET", BRAND, list, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/{ReplayId}", show, BRANDS, READS, COUNTED, 0 },
    { "POST", BRAND "/{ReplayId}/Cancel", cancel, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{ReplayId}/Undo", undo, BRANDS, CHANGES, COUNTED, 0 },
};
const size_t replay_route_count = sizeof(replay_routes) / sizeof(replay_routes[0]);
