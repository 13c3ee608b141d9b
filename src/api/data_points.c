/* data_points.c — data points on request: the operator opens them to an account, and closes them.
 *
 * The whole set is given at once.  A point that an event notification names in its URL, query or
 * body template is not closed under it: the request is refused, and says which those are.  Default
 * bodies just leave it out from then on.
 */
#include "api/operator.h"

#include "model/notification.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/notifications.h"
#include "store/opened.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MOST = 10 /* notifications, in a refusal */, DETAIL_NOTICE_MAX = 16 * 1024 };

struct points_work {
    struct api_job api;
    struct account account;
    struct opened before, after;
};

static struct points_work *work_of(struct api_job *job)
{
    return (struct points_work *)job;
}

static void clear_found(struct points_work *work)
{
    account_clear(&work->account);
    opened_clear(&work->before);
}

static void clear_work(struct api_job *job)
{
    clear_found(work_of(job));
    opened_clear(&work_of(job)->after);
}

static struct points_work *work_new(struct call *call, void *context,
                                    bool (*run)(struct api_job *, struct db *),
                                    void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct points_work), call, context, run, finish, clear_work);
}

static bool load(struct api_job *job, struct db *db)
{
    struct points_work *work = work_of(job);

    clear_found(work);
    if (!operator_account(job, db, job->call->params[0], &work->account))
        return false;
    opened_load(db, work->account.id, &work->before);
    return true;
}

/* ---- reading ---- */

static void show_point(json_t *list, struct opened *shown, const struct data_point *point)
{
    json_t *one;

    if (!point->on_request || opened_names(shown, point->name))
        return;
    one = json_object();
    show_text(one, "Name", point->name);
    show_text(one, "Meaning", point->meaning);
    json_array_append_new(list, one);
    opened_add(shown, point->name);
}

/* All that there are to be opened, each name once. */
static json_t *show_on_request(void)
{
    const struct event_type *type;
    struct opened shown = { 0 };
    json_t *list = json_array();
    size_t at = 0;

    while ((type = catalog_each(&at)) != NULL)
        for (size_t i = 0; i < type->point_count && !type->deleted; i++)
            show_point(list, &shown, &type->points[i]);
    opened_clear(&shown);
    return list;
}

static void finish_show(struct api_job *job)
{
    const struct points_work *work = work_of(job);
    json_t *answer = json_object();

    show_text(answer, "AccountSid", work->account.sid);
    json_object_set_new(answer, "DataPoints", opened_write(&work->before));
    json_object_set_new(answer, "OnRequest", show_on_request());
    call_json_answer(job->call, 200, answer);
}

void operator_show_points(struct call *call, void *context)
{
    api_read(&work_new(call, context, load, finish_show)->api);
}

/* ---- changing ---- */

/* Names of `of` that are not in `without`, with ", " between. */
static void write_difference(struct buf *out, const struct opened *of, const struct opened *without)
{
    size_t start = out->len;

    for (size_t i = 0; i < of->count; i++)
        if (!opened_names(without, of->names[i]))
            buf_fmt(out, "%s%s", out->len == start ? "" : ", ", of->names[i]);
}

/* The first of the points to be closed that this one names; NULL: none. */
static const char *names_closed(const struct points_work *work,
                                const struct notification *notification)
{
    for (size_t i = 0; notification != NULL && i < work->before.count; i++)
        if (!opened_names(&work->after, work->before.names[i]) &&
            notification_names(notification, work->before.names[i]))
            return work->before.names[i];
    return NULL;
}

static bool closes_any(const struct points_work *work)
{
    for (size_t i = 0; i < work->before.count; i++)
        if (!opened_names(&work->after, work->before.names[i]))
            return true;
    return false;
}

/* False with ERROR_CONFLICT: event notifications stand in the way. */
static bool may_close(struct points_work *work, struct db *db)
{
    struct buf named = { .limit = 400 };
    int64_t *ids;
    size_t count = closes_any(work) ? notification_ids(db, work->account.id, &ids) : 0, found = 0;

    for (size_t i = 0; i < count && found < NAMED_MOST; i++) {
        struct notification *notification = notification_load(db, work->account.id, ids[i], 0);
        const char *point = names_closed(work, notification);
        if (point != NULL)
            buf_fmt(&named, "%s%" PRId64 " (%s)", found++ == 0 ? "" : ", ", ids[i], point);
        notification_unref(notification);
    }
    if (closes_any(work))
        free(ids);
    if (found > 0)
        error_set(&work->api.job.error, ERROR_CONFLICT,
                  "Event notifications of the account name what would be closed: %s. They must be "
                  "changed before.",
                  buf_text(&named));
    buf_free(&named);
    return found == 0;
}

static void tell(const struct points_work *work, struct db *db, const char *opened,
                 const char *closed)
{
    struct buf text = { .limit = DETAIL_NOTICE_MAX };

    if (*opened != '\0')
        buf_fmt(&text, "Data points are open to you now: %s.", opened);
    if (*closed != '\0')
        buf_fmt(&text, "%sData points are no longer open to you: %s.", text.len > 0 ? " " : "",
                closed);
    if (text.len > 0)
        notice_add(db, work->account.id, "data_points.changed", buf_text(&text));
    buf_free(&text);
}

static void record(const struct points_work *work, struct db *db)
{
    const struct call *call = work->api.call;
    struct buf opened = { .limit = DETAIL_NOTICE_MAX }, closed = { .limit = DETAIL_NOTICE_MAX };
    char object[100];

    write_difference(&opened, &work->after, &work->before);
    write_difference(&closed, &work->before, &work->after);
    snprintf(object, sizeof(object), "/Operator/Accounts/%s/DataPoints", work->account.sid);
    audit_add(db, &call->caller, call->address, "data_points.change", object,
              json_pack("{s:s, s:s}", "Opened", buf_text(&opened), "Closed", buf_text(&closed)));
    tell(work, db, buf_text(&opened), buf_text(&closed));
    buf_free(&opened);
    buf_free(&closed);
}

static bool run_set(struct api_job *job, struct db *db)
{
    struct points_work *work = work_of(job);

    if (!load(job, db) || !may_close(work, db))
        return false;
    opened_set(db, work->account.id, &work->after);
    record(work, db);
    return true;
}

static void finish_set(struct api_job *job)
{
    const struct points_work *work = work_of(job);

    call_ok(job->call, "/Operator/Accounts/%s/DataPoints", work->account.sid);
}

void operator_set_points(struct call *call, void *context)
{
    json_t *body = call_object(call);
    struct points_work *work;

    if (body == NULL)
        return;
    work = work_new(call, context, run_set, finish_set);
    opened_read(&work->after, body, &work->api.problems);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}
