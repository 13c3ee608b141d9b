/* operator_notifications.c — all accounts' event notifications, their custom headers, the audit
 * log.
 *
 * Custom headers carry credentials of the receiver, so they are the operator's to set.  Their
 * values come in here and go nowhere but sealed into the next revision: answers show "(hidden)",
 * the audit log names the headers alone, and the copies of the request are wiped.
 */
#include "api/operator.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "api/rows.h"
#include "model/notification.h"
#include "model/show.h"
#include "model/tls_identity.h"
#include "store/accounts.h"
#include "store/notifications.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct notification_work {
    struct api_job api;
    int64_t id;
    struct cursor cursor;
    json_t *body;
};

/* Every text of the request's body: header values are among them. */
static void wipe_texts(json_t *value)
{
    const char *name;
    json_t *member;
    size_t at;

    if (json_is_string(value))
        sodium_memzero((char *)json_string_value(value), json_string_length(value));
    json_object_foreach(value, name, member) wipe_texts(member);
    json_array_foreach(value, at, member) wipe_texts(member);
}

static void clear_work(struct api_job *job)
{
    struct notification_work *work = (struct notification_work *)job;

    wipe_texts(work->body);
    json_decref(work->body);
}

static struct notification_work *work_new(struct call *call, void *context,
                                          bool (*run)(struct api_job *, struct db *),
                                          void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct notification_work), call, context, run, finish, clear_work);
}

/* ---- all accounts' notifications ---- */

static json_t *show_headers(const struct notification *notification)
{
    json_t *headers = json_array();

    for (size_t i = 0; i < notification->header_count; i++)
        json_array_append_new(
            headers,
            json_pack("{s:s, s:s}", "Name", notification->headers[i].name, "Value", "(hidden)"));
    return headers;
}

static json_t *show_one(struct db *db, int64_t account, int64_t id)
{
    struct notification *notification = notification_load(db, account, id, 0);
    json_t *shown;

    if (notification == NULL) { /* the load has logged why */
        shown = json_object();
        show_int(shown, "Id", id);
        show_text(shown, "State", "DAMAGED");
        return shown;
    }
    shown = notification_settings_write(&notification->settings);
    show_int(shown, "Id", id);
    show_text(shown, "AccountSid", notification->account_sid);
    show_int(shown, "Revision", notification->revision);
    show_text(shown, "State", notification_state_name(notification->state));
    show_text(shown, "HeldReason", notification->held_reason);
    json_object_set_new(shown, "CustomHeaders", show_headers(notification));
    json_object_set_new(shown, "Tls", tls_identity_show(notification->identity, false));
    notification_credentials_show(notification, shown);
    show_date(shown, "CreationDate", notification->created_at);
    show_date(shown, "ModifiedDate", notification->updated_at);
    notification_unref(notification);
    return shown;
}

struct notification_rows {
    struct rows rows;
    struct cursor cursor;
};

static bool find_ids(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct cursor *cursor = &((struct notification_rows *)rows)->cursor;
    int64_t account, *ids;
    size_t count;

    if (!operator_filter(job, db, "AccountSid", 0, &account))
        return false;
    count = notification_ids(db, account, &ids);
    for (size_t i = 0; i < count && rows->ids.count < (size_t)cursor->limit; i++)
        if (ids[i] > cursor->at)
            id_list_add(&rows->ids, ids[i]);
    free(ids);
    return true;
}

static void begin_list(struct rows *rows, struct buf *out)
{
    const struct cursor *cursor = &((struct notification_rows *)rows)->cursor;

    rows_json_begin(
        rows, cursor_answer(rows->call, cursor, "Notifications", rows->ids.count, rows->ids.last),
        out);
}

static bool write_one(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    rows_json_row(rows, show_one(db, 0, id), out);
    return true;
}

static const struct rows_kind notification_list = {
    .type = ROWS_JSON,
    .find = find_ids,
    .begin = begin_list,
    .row = write_one,
    .end = rows_json_end,
};

void operator_list_notifications(struct call *call, void *context)
{
    static const char *const names[] = { "AccountSid", "After", "PageSize", NULL };
    struct notification_rows *list = rows_new(sizeof(*list), &notification_list, call, context);
    struct problems problems = { 0 };

    call_query_only(call, names, &problems);
    cursor_read(call, &list->cursor, "After", &problems);
    rows_answer(&list->rows, &problems);
}

/* ---- custom headers ---- */

static void audit_headers(struct api_job *job, struct db *db,
                          const struct notification *notification)
{
    json_t *names = json_array();
    char object[80];

    for (size_t i = 0; i < notification->header_count; i++)
        json_array_append_new(names, json_string(notification->headers[i].name));
    snprintf(object, sizeof(object), "/Operator/Notifications/%" PRId64, notification->id);
    audit_add(db, &job->call->caller, job->call->address, "notification.headers", object,
              json_pack("{s:s, s:i, s:o, s:s}", "AccountSid", notification->account_sid, "Revision",
                        notification->revision, "CustomHeaders", names, "For",
                        notification->authority));
}

static bool run_headers(struct api_job *job, struct db *db)
{
    struct notification_work *work = (struct notification_work *)job;
    struct notification *notification = notification_load(db, 0, work->id, 0);
    bool done = false;

    if (notification == NULL) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such event notification.");
        return false;
    }
    if (!credentials_for_here(job, notification, json_object_get(work->body, "For")))
        goto out;
    if (!notification_headers_read(notification, json_object_get(work->body, "CustomHeaders"),
                                   &job->problems)) {
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
        goto out;
    }
    done = notification_change(db, notification);
    if (done)
        audit_headers(job, db, notification);
out:
    notification_unref(notification);
    return done;
}

static void finish_headers(struct api_job *job)
{
    const struct notification_work *work = (struct notification_work *)job;

    call_ok(job->call, "/Operator/Notifications/%" PRId64, work->id);
}

void operator_set_headers(struct call *call, void *context)
{
    static const char *const names[] = { "CustomHeaders", "For", NULL };
    json_t *body = call_json(call);
    struct notification_work *work;
    struct fields fields = { .from = body };

    if (call->body.data != NULL)
        sodium_memzero(call->body.data, call->body.len);
    if (body == NULL)
        return;
    work = work_new(call, context, run_headers, finish_headers);
    work->body = body;
    work->id = path_id(call, 0);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    if (!json_is_array(json_object_get(body, "CustomHeaders")))
        problems_add(fields.problems, "CustomHeaders",
                     "is required: an array of objects with Name and Value");
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- the audit log ---- */

static bool run_audit(struct api_job *job, struct db *db)
{
    struct notification_work *work = (struct notification_work *)job;
    int64_t account;

    if (!operator_filter(job, db, "AccountSid", 0, &account))
        return false;
    job->shown = audit_list(db, account, work->cursor.at, work->cursor.limit);
    return true;
}

void operator_list_audit(struct call *call, void *context)
{
    static const char *const names[] = { "AccountSid", "Before", "PageSize", NULL };
    struct notification_work *work = work_new(call, context, run_audit, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "Before", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Entries");
}
