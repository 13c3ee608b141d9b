/* notifications.c — an account's event notifications: create, list, show, change, delete, pause,
 * resume.
 *
 * Settings are checked and compiled before anything is written; what is written is the next
 * revision.  The engine hears of it with the commit, so the lane works by the new settings.
 */
#include "api/notifications.h"

#include "api/outward.h"
#include "api/revisions.h"
#include "api/rows.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/show.h"
#include "store/notifications.h"
#include "store/opened.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- after a change ---- */

static void finish_change(struct api_job *job)
{
    const struct notification_work *work = notification_work_of(job);
    call_ok(job->call, "%s/EventNotifications/%" PRId64, work->base, work->id);
}

/* ---- create ---- */

static bool has_room(struct notification_work *work, struct db *db)
{
    int64_t *ids;
    size_t count = notification_ids(db, work->api.call->caller.account, &ids);
    free(ids);
    if (count < NOTIFICATIONS_MOST)
        return true;
    error_set(&work->api.job.error, ERROR_CONFLICT,
              "The account has %d event notifications, which is the most there may be.",
              NOTIFICATIONS_MOST);
    return false;
}

/* False with problems: the settings name data points that are not open to the account. */
static bool is_open(struct api_job *job, struct db *db, const struct notification *notification)
{
    struct opened opened = { 0 };
    opened_load(db, job->call->caller.account, &opened);
    notification_refuse_closed(notification, &opened, &job->problems);
    notification_refuse_heavy(notification, &job->problems);
    opened_clear(&opened);
    return job->problems.count == 0;
}

static bool run_create(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    if (!has_room(work, db))
        return false;
    if (!is_open(job, db, work->notification)) {
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
        return false;
    }
    notification_add(db, work->notification);
    work->id = work->notification->id;
    notification_audit(work, db, "notification.create", NULL);
    return true;
}

static void finish_create(struct api_job *job)
{
    const struct notification_work *work = notification_work_of(job);
    json_t *body = json_object();
    show_text(body, "Status", "OK");
    show_uri(body, "Uri", "%s/EventNotifications/%" PRId64, work->base, work->id);
    show_id(body, "Id", work->id);
    notification_set_secret(body, &work->notification->secret);
    call_json_answer(job->call, 200, body);
}

/* A deleted event type stays where it is, and is not chosen anew. */
static void refuse_deleted(const struct notification *made,
                           const struct notification_settings *before, struct problems *problems)
{
    for (size_t i = 0; made != NULL && i < made->settings.type_count; i++) {
        const struct event_type *type = made->settings.types[i];
        bool had = false;
        for (size_t at = 0; before != NULL && at < before->type_count; at++)
            had = had || before->types[at]->number == type->number;
        if (type->deleted && !had)
            problems_add(problems, "EventTypes", "\"%s\" is not an event type any more",
                         type->name);
    }
}

static void create(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct notification_work *work =
        notification_work_new(call, context, body, run_create, finish_create);
    if (work == NULL)
        return;
    struct notification_settings settings = { 0 };
    notification_settings_read(&settings, body, &work->api.problems);
    notification_name_check(&settings, NULL, &work->api.problems);
    work->notification = notification_compile(&settings, &work->api.problems);
    notification_settings_free(&settings);
    refuse_deleted(work->notification, NULL, &work->api.problems);
    if (!api_job_valid(&work->api))
        return;
    work->notification->account = call->caller.account;
    work->notification->account_sid = must_copy(call->caller.sid);
    work->notification->held_reason = must_copy("");
    api_write(&work->api);
}

/* ---- list and show ---- */

/* One that cannot be read any more is listed all the same: it can still be deleted. */
static json_t *show_damaged(int64_t id, const char *base)
{
    json_t *shown = json_object();
    show_id(shown, "Id", id);
    show_uri(shown, "Uri", "%s/EventNotifications/%" PRId64, base, id);
    show_text(shown, "State", "DAMAGED");
    return shown;
}

enum { SEARCH_MOST = 200 /* characters */ };

struct notification_rows {
    struct rows rows;
    struct page page;
    struct notification_filter filter;
    char *search;
    char base[API_BASE_TEXT];
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct notification_rows *list = (struct notification_rows *)rows;
    const struct page *page = &list->page;
    int64_t *ids, start = (page->number - 1) * page->size;
    (void)job;
    rows->total = (int64_t)notification_find(db, rows->call->caller.account, &list->filter, &ids);
    for (int64_t i = start; i < rows->total && i < start + page->size; i++)
        id_list_add(&rows->ids, ids[i]);
    free(ids);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct notification_rows *)rows)->page, "EventNotifications", out);
}

static bool write_notification(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    const char *base = ((struct notification_rows *)rows)->base;
    struct notification *notification = notification_load(db, rows->call->caller.account, id, 0);
    json_t *shown =
        notification != NULL ? notification_show(notification, base) : show_damaged(id, base);
    notification_unref(notification);
    rows_json_row(rows, shown, out);
    return true;
}

static void clear_page(struct rows *rows)
{
    free(((struct notification_rows *)rows)->search);
}

static const struct rows_kind notification_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_notification,
    .end = rows_json_end,
    .clear = clear_page,
};

static void filter_read(struct call *call, struct notification_rows *list,
                        struct problems *problems)
{
    const char *failing = call_query(call, "Failing"), *search = call_query(call, "Search");
    if (failing[0] != '\0' && !text_bool(failing, &list->filter.failing))
        problems_add(problems, "Failing", "must be true or false");
    if (text_length(search) > SEARCH_MOST)
        problems_add(problems, "Search", "must have at most %d characters", SEARCH_MOST);
    list->search = must_copy(search);
    list->filter.search = list->search;
}

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "Page", "PageSize", "Failing", "Search", NULL };
    struct notification_rows *list = rows_new(sizeof(*list), &notification_page, call, context);
    struct problems problems = { 0 };
    api_base(call, list->base);
    filter_read(call, list, &problems);
    call_query_only(call, names, &problems);
    page_read(call, &list->page, &problems);
    rows_answer(&list->rows, &problems);
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    if (!notification_work_load(work, db))
        return false;
    job->shown = notification_show(work->notification, work->base);
    return true;
}

static void finish_show(struct api_job *job)
{
    revision_tag(job->call, notification_work_of(job)->notification->revision);
    api_job_show(job);
}

static void show(struct call *call, void *context)
{
    struct notification_work *work =
        notification_work_new(call, context, NULL, run_show, finish_show);
    if (work != NULL)
        api_read(&work->api);
}

/* ---- change ---- */

/* For the audit log: which settings the request named, not their values (a URL may hold keys). */
static json_t *change_detail(const struct notification_work *work)
{
    json_t *names = json_array();
    const char *name;
    json_t *value;
    json_object_foreach(work->body, name, value) json_array_append_new(names, json_string(name));
    return json_pack("{s:i, s:o}", "Revision", work->notification->revision, "Fields", names);
}

/* The settings of the revision that the change rests on, and those with the change. */
static json_t *settings_meant(const struct notification_work *work, const json_t *before)
{
    struct notification_settings settings = { 0 };
    struct problems ignored = { 0 }; /* they are told once there is no conflict */
    notification_settings_read(&settings, before, &ignored);
    notification_settings_read(&settings, work->body, &ignored);
    json_t *meant = notification_settings_write(&settings);
    notification_settings_free(&settings);
    problems_free(&ignored);
    return meant;
}

/* What the answer shows instead, when somebody else has changed the settings meanwhile. */
static json_t *change_conflict(const struct notification_work *work, struct db *db,
                               const struct notification *now)
{
    if (work->rests_on == REVISION_ANY || work->rests_on == now->revision)
        return NULL;
    struct notification *old = notification_load(db, now->account, now->id, (int)work->rests_on);
    json_t *theirs = notification_settings_write(&now->settings);
    json_t *before = old != NULL ? notification_settings_write(&old->settings) : NULL;
    json_t *yours = settings_meant(work, before != NULL ? before : theirs);
    json_t *conflict = revision_conflict(before, yours, theirs, now->revision);
    notification_unref(old);
    json_decref(theirs);
    json_decref(before);
    json_decref(yours);
    return conflict;
}

static bool run_change(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    notification_unref(work->notification);
    struct notification *old = work->notification =
        notification_load_kept(db, job->call->caller.account, work->id);
    if (old == NULL)
        return notification_not_found(work);
    job->shown = change_conflict(work, db, old);
    if (job->shown != NULL)
        return true;
    struct notification_settings settings = old->settings;
    char *name = must_copy(settings.name != NULL ? settings.name : "");
    const struct notification_settings before = old->settings; /* for its event types alone */
    old->settings = (struct notification_settings){ 0 };
    notification_settings_read(&settings, work->body, &job->problems);
    notification_name_check(&settings, name, &job->problems);
    free(name);
    struct notification *changed = notification_compile(&settings, &job->problems);
    notification_settings_free(&settings);
    refuse_deleted(changed, &before, &job->problems);
    if (job->problems.count > 0 || !is_open(job, db, changed)) {
        notification_unref(changed);
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
        return false;
    }
    bool waited = notification_headers_wait(old) || notification_identity_waits(old);
    notification_carry_over(changed, old);
    notification_unref(old);
    work->notification = changed;
    if (!notification_change(db, changed))
        return false;
    notification_audit(work, db, "notification.change", change_detail(work));
    if (!waited)
        notification_credentials_tell(db, changed);
    return true;
}

static void finish_revised(struct api_job *job)
{
    const struct notification_work *work = notification_work_of(job);
    revision_tag(job->call, work->notification->revision);
    if (job->shown != NULL) {
        call_json_answer(job->call, 409, json_incref(job->shown));
        return;
    }
    json_t *body = json_object();
    show_text(body, "Status", "OK");
    show_uri(body, "Uri", "%s/EventNotifications/%" PRId64, work->base, work->id);
    show_int(body, "Revision", work->notification->revision);
    call_json_answer(job->call, 200, body);
}

static void change(struct call *call, void *context)
{
    int64_t rests_on;
    if (!outward_may(context, call, OUTWARD_SEND) || !revision_read(call, &rests_on))
        return;
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct notification_work *work =
        notification_work_new(call, context, body, run_change, finish_revised);
    if (work == NULL)
        return;
    work->rests_on = rests_on;
    api_write(&work->api);
}

/* ---- pause, resume, delete ---- */

static bool run_state(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    if (!notification_set_state(db, job->call->caller.account, work->id, work->state, ""))
        return false;
    notification_audit(
        work, db, work->state == NOTIFICATION_PAUSED ? "notification.pause" : "notification.resume",
        NULL);
    return true;
}

static void state_set(struct call *call, void *context, enum notification_state state)
{
    struct notification_work *work =
        notification_work_new(call, context, NULL, run_state, finish_change);
    if (work == NULL)
        return;
    work->state = state;
    api_write(&work->api);
}

static void pause_one(struct call *call, void *context)
{
    state_set(call, context, NOTIFICATION_PAUSED);
}

static void resume(struct call *call, void *context)
{
    if (outward_may(context, call, OUTWARD_SEND))
        state_set(call, context, NOTIFICATION_ACTIVE);
}

static bool run_delete(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    if (!notification_delete(db, job->call->caller.account, work->id))
        return false;
    notification_audit(work, db, "notification.delete", NULL);
    return true;
}

static void delete_one(struct call *call, void *context)
{
    struct notification_work *work =
        notification_work_new(call, context, NULL, run_delete, finish_change);
    if (work != NULL)
        api_write(&work->api);
}

/* ---- routes ---- */

#define READS   (SCOPE_API | SCOPE_READ)
#define CHANGES SCOPE_API
#define PARTNER "/Mediapartners/{SID}/EventNotifications"
#define BRAND   "/Advertisers/{SID}/EventNotifications"

enum {
    BODY_MAX = 256 * 1024, /* a template at its cap, escaped as JSON or a form */
};

/* The signing secret is not for tokens that may only read. */
const struct route notification_routes[] = {
    { "POST", PARTNER, create, PARTNERS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "GET", PARTNER, list, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "POST", PARTNER "/Preview", notification_preview, PARTNERS, CHANGES, COUNTED, BODY_MAX,
      .current = true },
    { "POST", PARTNER "/Test", notification_test, PARTNERS, CHANGES, COUNTED, BODY_MAX,
      .current = true },
    { "GET", PARTNER "/{Id}", show, PARTNERS, READS, COUNTED, 0 },
    { "PUT", PARTNER "/{Id}", change, PARTNERS, CHANGES, COUNTED, BODY_MAX, .current = true,
      .revised = true },
    { "DELETE", PARTNER "/{Id}", delete_one, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Pause", pause_one, PARTNERS, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Resume", resume, PARTNERS, CHANGES, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/Health", notification_health, PARTNERS, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/SigningSecret", notification_show_secret, PARTNERS, CHANGES, COUNTED,
      0 },
    { "POST", PARTNER "/{Id}/SigningSecret", notification_rotate_secret, PARTNERS, CHANGES, COUNTED,
      0 },
    { "POST", PARTNER "/{Id}/Test", notification_test, PARTNERS, CHANGES, COUNTED, BODY_MAX,
      .current = true },

    { "POST", BRAND, create, BRANDS, CHANGES, COUNTED, BODY_MAX, .current = true },
    { "GET", BRAND, list, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "POST", BRAND "/Preview", notification_preview, BRANDS, CHANGES, COUNTED, BODY_MAX,
      .current = true },
    { "POST", BRAND "/Test", notification_test, BRANDS, CHANGES, COUNTED, BODY_MAX,
      .current = true },
    { "GET", BRAND "/{Id}", show, BRANDS, READS, COUNTED, 0 },
    { "PUT", BRAND "/{Id}", change, BRANDS, CHANGES, COUNTED, BODY_MAX, .current = true,
      .revised = true },
    { "DELETE", BRAND "/{Id}", delete_one, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Pause", pause_one, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Resume", resume, BRANDS, CHANGES, COUNTED, 0 },
    { "GET", BRAND "/{Id}/Health", notification_health, BRANDS, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/SigningSecret", notification_show_secret, BRANDS, CHANGES, COUNTED, 0 },
    { "POST", BRAND "/{Id}/SigningSecret", notification_rotate_secret, BRANDS, CHANGES, COUNTED,
      0 },
    { "POST", BRAND "/{Id}/Test", notification_test, BRANDS, CHANGES, COUNTED, BODY_MAX,
      .current = true },
};
const size_t notification_route_count =
    sizeof(notification_routes) / sizeof(notification_routes[0]);
