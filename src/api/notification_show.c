/* notification_show.c — an event notification as the API shows it, and what all its calls share.
 *
 * The custom headers' values and the TLS certificates are the operator's: an account sees names.
 */
#include "api/notifications.h"

#include "base/fail.h"
#include "base/id.h"
#include "model/show.h"
#include "model/tls_identity.h"
#include "store/accounts.h"
#include "store/notifications.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *headers_show(const struct notification *notification)
{
    json_t *list = json_array();
    for (size_t i = 0; i < notification->header_count; i++) {
        json_t *shown = json_object();
        show_text(shown, "Name", notification->headers[i].name);
        show_text(shown, "Value", "(hidden)");
        json_array_append_new(list, shown);
    }
    return list;
}

json_t *notification_show(const struct notification *notification, const char *base)
{
    json_t *shown = json_object(), *settings = notification_settings_write(&notification->settings);
    show_id(shown, "Id", notification->id);
    show_uri(shown, "Uri", "%s/EventNotifications/%" PRId64, base, notification->id);
    json_object_update(shown, settings);
    json_decref(settings);
    json_object_set_new(shown, "CustomHeaders", headers_show(notification));
    json_object_set_new(shown, "Tls", tls_identity_show(notification->identity, false));
    notification_credentials_show(notification, shown);
    show_text(shown, "State", notification_state_name(notification->state));
    show_text(shown, "HeldReason", notification->held_reason);
    show_int(shown, "Revision", notification->revision);
    show_date(shown, "CreationDate", notification->created_at);
    show_date(shown, "ModifiedDate", notification->updated_at);
    show_uri(shown, "PostbacksUri", "%s/Postbacks?NotificationId=%" PRId64, base, notification->id);
    return shown;
}

struct notification_work *notification_work_of(struct api_job *job)
{
    return (struct notification_work *)job;
}

static void clear_work(struct api_job *job)
{
    struct notification_work *work = notification_work_of(job);
    json_decref(work->body);
    notification_unref(work->notification);
    event_unref(work->event);
}

struct notification_work *notification_work_new(struct call *call, void *context, json_t *body,
                                                bool (*run)(struct api_job *, struct db *),
                                                void (*finish)(struct api_job *))
{
    return notification_work_sized(sizeof(struct notification_work), call, context, body, run,
                                   finish);
}

struct notification_work *notification_work_sized(size_t size, struct call *call, void *context,
                                                  json_t *body,
                                                  bool (*run)(struct api_job *, struct db *),
                                                  void (*finish)(struct api_job *))
{
    int64_t id = 0;
    if (call->params[1] != NULL && !id_parse(call->params[1], &id)) {
        json_decref(body);
        call_refuse(call, 404, NULL, "There is no such event notification.");
        return NULL;
    }
    struct notification_work *work = api_job_new(size, call, context, run, finish, clear_work);
    work->id = id;
    work->body = body;
    api_base(call, work->base);
    return work;
}

bool notification_work_load(struct notification_work *work, struct db *db)
{
    notification_unref(work->notification);
    work->notification = notification_load(db, work->api.call->caller.account, work->id, 0);
    return work->notification != NULL || notification_not_found(work);
}

bool notification_not_found(struct notification_work *work)
{
    error_set(&work->api.job.error, ERROR_NOT_FOUND, "There is no such event notification.");
    return false;
}

void notification_audit(struct notification_work *work, struct db *db, const char *action,
                        json_t *detail)
{
    char object[API_BASE_TEXT + 48];
    snprintf(object, sizeof(object), "%s/EventNotifications/%" PRId64, work->base, work->id);
    audit_add(db, &work->api.call->caller, work->api.call->address, action, object, detail);
}

void notification_carry_over(struct notification *to, struct notification *from)
{
    to->id = from->id;
    to->account = from->account;
    to->account_sid = must_copy(from->account_sid);
    to->revision = from->revision;
    to->state = from->state;
    free(to->held_reason);
    to->held_reason = must_copy(from->held_reason);
    to->created_at = from->created_at;
    notification_credentials_move(to, from);
    to->secret = from->secret;
    to->old_secret = from->old_secret;
    to->old_secret_until = from->old_secret_until;
}
