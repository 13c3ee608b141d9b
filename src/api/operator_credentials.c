/* operator_credentials.c — the operator agrees that custom headers and a TLS identity go to where
 * the account's URL leads now.
 *
 * The rule: what is agreed to is named in the request.  The URL is the account's, and may have
 * changed once more since the operator looked at it.
 */
#include "api/operator.h"

#include "api/body.h"
#include "model/notification.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/notifications.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct agree_work {
    struct api_job api;
    int64_t id;
    json_t *body;
};

bool credentials_for_here(struct api_job *job, const struct notification *notification,
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
    error_set(&job->job.error, ERROR_CONFLICT,
              "The URL of this event notification leads to %s, not to what For names; nothing was "
              "changed.",
              notification->authority);
    return false;
}

static void clear_work(struct api_job *job)
{
    json_decref(((struct agree_work *)job)->body);
}

static void audit(struct api_job *job, struct db *db, const struct notification *notification)
{
    char object[80];
    snprintf(object, sizeof(object), "/Operator/Notifications/%" PRId64, notification->id);
    audit_add(db, &job->call->caller, job->call->address, "notification.agree", object,
              json_pack("{s:s, s:i, s:s}", "AccountSid", notification->account_sid, "Revision",
                        notification->revision, "For", notification->authority));
}

/* What is in use already is agreed to once more, and nothing is written. */
static bool run_agree(struct api_job *job, struct db *db)
{
    struct agree_work *work = (struct agree_work *)job;
    struct notification *notification = notification_load(db, 0, work->id, 0);
    bool done = false;

    if (notification == NULL) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such event notification.");
        return false;
    }
    if (credentials_for_here(job, notification, json_object_get(work->body, "For"))) {
        bool waits =
            notification_headers_wait(notification) || notification_identity_waits(notification);
        if (notification->header_count > 0)
            notification_headers_bind(notification, NULL);
        if (notification->identity != NULL)
            notification_identity_bind(notification, NULL);
        done = !waits || notification_change(db, notification);
        if (waits && done)
            audit(job, db, notification);
    }
    notification_unref(notification);
    return done;
}

static void finish_agree(struct api_job *job)
{
    const struct agree_work *work = (struct agree_work *)job;

    call_ok(job->call, "/Operator/Notifications/%" PRId64, work->id);
}

void operator_agree_credentials(struct call *call, void *context)
{
    static const char *const names[] = { "For", NULL };
    json_t *body = call_object(call);

    if (body == NULL)
        return;
    struct agree_work *work =
        api_job_new(sizeof(*work), call, context, run_agree, finish_agree, clear_work);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    work->body = body;
    work->id = path_id(call, 0);
    fields_only(&fields, names);
    if (!json_is_string(json_object_get(body, "For")))
        problems_add(fields.problems, "For",
                     "is required: the Destination that was shown, which is agreed to");
    if (api_job_valid(&work->api))
        api_write(&work->api);
}
