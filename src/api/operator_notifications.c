/* operator_notifications.c — all accounts' event notifications, and the audit log. */
#include "api/operator.h"

#include "api/cursor_rows.h"
#include "api/rows.h"
#include "model/notification.h"
#include "model/show.h"
#include "model/tls_identity.h"
#include "store/accounts.h"
#include "store/notifications.h"

#include <stdlib.h>

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

/* ---- the audit log ---- */

struct audit_work {
    struct api_job api;
    struct cursor cursor;
};

static bool run_audit(struct api_job *job, struct db *db)
{
    struct audit_work *work = (struct audit_work *)job;
    int64_t account;

    if (!operator_filter(job, db, "AccountSid", 0, &account))
        return false;
    job->shown = audit_list(db, account, work->cursor.at, work->cursor.limit);
    return true;
}

void operator_list_audit(struct call *call, void *context)
{
    static const char *const names[] = { "AccountSid", "Before", "PageSize", NULL };
    struct audit_work *work = api_job_new(sizeof(*work), call, context, run_audit, NULL, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "Before", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Entries");
}
