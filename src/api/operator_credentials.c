/* operator_credentials.c — custom headers, which carry credentials of the receiver, and to where
 * they and a TLS identity go.
 *
 * Their values come in here and go nowhere but sealed into the next revision: answers show
 * "(hidden)", the audit log names the headers alone, and the copies of the request are wiped.
 *
 * The rule: what is agreed to is named in the request.  The URL is the account's, and may have
 * changed once more since the operator looked at it.
 */
#include "api/operator_credentials.h"
#include "api/operator.h"

#include "api/body.h"
#include "model/notification.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/notifications.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct credentials_work {
    struct api_job api;
    int64_t id;
    json_t *body;
};

/* ---- what every change of credentials does ---- */

static bool destination_is_right(struct api_job *job, const struct notification *notification,
                                 const json_t *given)
{
    if (given == NULL)
        return true;
    if (!json_is_string(given)) {
        problems_add(&job->problems, "For", "must be the Destination that was shown, such as %s",
                     notification->authority);
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
        return false;
    }
    if (strcmp(json_string_value(given), notification->authority) == 0)
        return true;
    error_set(
        &job->job.error, ERROR_CONFLICT,
        "The URL of this event notification leads to %s now, not to %.200s; nothing was changed.",
        notification->authority, json_string_value(given));
    return false;
}

struct notification *credentials_open(struct api_job *job, struct db *db, int64_t id,
                                      const json_t *destination)
{
    struct notification *notification = notification_load(db, 0, id, 0);
    if (notification == NULL) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such event notification.");
        return NULL;
    }
    if (destination_is_right(job, notification, destination))
        return notification;
    notification_unref(notification);
    return NULL;
}

bool credentials_write(struct api_job *job, struct db *db, struct notification *notification,
                       const char *action, json_t *detail)
{
    char object[80];
    bool done = notification_change(db, notification);
    if (done) {
        json_t *whole = json_pack("{s:s, s:i}", "AccountSid", notification->account_sid, "Revision",
                                  notification->revision);
        json_object_update(whole, detail);
        snprintf(object, sizeof(object), "/Operator/Notifications/%" PRId64, notification->id);
        audit_add(db, &job->call->caller, job->call->address, action, object, whole);
    }
    json_decref(detail);
    return done;
}

void credentials_wipe(json_t *value)
{
    const char *name;
    json_t *member;
    size_t at;

    if (json_is_string(value))
        sodium_memzero((char *)json_string_value(value), json_string_length(value));
    json_object_foreach(value, name, member) credentials_wipe(member);
    json_array_foreach(value, at, member) credentials_wipe(member);
}

json_t *credentials_body(struct call *call)
{
    json_t *body = call_json(call);
    if (call->body.data != NULL)
        sodium_memzero(call->body.data, call->body.len);
    return body;
}

static void clear_work(struct api_job *job)
{
    struct credentials_work *work = (struct credentials_work *)job;
    credentials_wipe(work->body);
    json_decref(work->body);
}

static void finish_change(struct api_job *job)
{
    const struct credentials_work *work = (struct credentials_work *)job;
    call_ok(job->call, "/Operator/Notifications/%" PRId64, work->id);
}

/* A change that the body describes, which is the work's from now on. */
static struct credentials_work *work_new(struct call *call, void *context, json_t *body,
                                         const char *const *names,
                                         bool (*run)(struct api_job *, struct db *))
{
    struct credentials_work *work =
        api_job_new(sizeof(*work), call, context, run, finish_change, clear_work);
    const struct fields fields = { .from = body, .problems = &work->api.problems };
    work->body = body;
    work->id = path_id(call, 0);
    fields_only(&fields, names);
    return work;
}

static struct notification *open_for(struct credentials_work *work, struct db *db)
{
    return credentials_open(&work->api, db, work->id, json_object_get(work->body, "For"));
}

/* ---- agreeing ---- */

/* What is in use already is agreed to once more, and nothing is written. */
static bool run_agree(struct api_job *job, struct db *db)
{
    struct notification *notification = open_for((struct credentials_work *)job, db);
    if (notification == NULL)
        return false;
    bool waits =
        notification_headers_wait(notification) || notification_identity_waits(notification);
    if (notification->header_count > 0)
        notification_headers_bind(notification, NULL);
    if (notification->identity != NULL)
        notification_identity_bind(notification, NULL);
    bool done = !waits || credentials_write(job, db, notification, "notification.agree",
                                            json_pack("{s:s}", "For", notification->authority));
    notification_unref(notification);
    return done;
}

void operator_agree_credentials(struct call *call, void *context)
{
    static const char *const names[] = { "For", NULL };
    json_t *body = call_object(call);

    if (body == NULL)
        return;
    struct credentials_work *work = work_new(call, context, body, names, run_agree);
    if (!json_is_string(json_object_get(body, "For")))
        problems_add(&work->api.problems, "For",
                     "is required: the Destination that was shown, which is agreed to");
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- custom headers ---- */

static json_t *header_names(const struct notification *notification)
{
    json_t *names = json_array();
    for (size_t i = 0; i < notification->header_count; i++)
        json_array_append_new(names, json_string(notification->headers[i].name));
    return names;
}

static bool run_headers(struct api_job *job, struct db *db)
{
    struct credentials_work *work = (struct credentials_work *)job;
    struct notification *notification = open_for(work, db);
    bool done = false;

    if (notification == NULL)
        return false;
    if (notification_headers_read(notification, json_object_get(work->body, "CustomHeaders"),
                                  &job->problems))
        done =
            credentials_write(job, db, notification, "notification.headers",
                              json_pack("{s:o, s:s}", "CustomHeaders", header_names(notification),
                                        "For", notification->authority));
    else
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    notification_unref(notification);
    return done;
}

void operator_set_headers(struct call *call, void *context)
{
    static const char *const names[] = { "CustomHeaders", "For", NULL };
    json_t *body = credentials_body(call);

    if (body == NULL)
        return;
    struct credentials_work *work = work_new(call, context, body, names, run_headers);
    if (!json_is_array(json_object_get(body, "CustomHeaders")))
        problems_add(&work->api.problems, "CustomHeaders",
                     "is required: an array of objects with Name and Value");
    if (api_job_valid(&work->api))
        api_write(&work->api);
}
