/* operator_tls.c — an event notification's own TLS: the authority its receiver is trusted by, and
 * the certificate and key that postbackd shows to it.
 *
 * The operator's, as custom headers are.  The key comes in here and goes nowhere but sealed into
 * the next revision: answers say that there is one, the audit log names the members that were set,
 * and the copies of the request are wiped.
 */
#include "api/operator.h"
#include "api/operator_credentials.h"

#include "api/body.h"
#include "base/clock.h"
#include "model/notification.h"
#include "model/show.h"
#include "model/tls_identity.h"
#include "store/notifications.h"

#include <inttypes.h>

static const char *const members[] = { "CaCertificate", "ClientCertificate", "ClientKey", "For",
                                       NULL };

struct tls_work {
    struct api_job api;
    int64_t id;
    struct tls_identity *identity; /* to be set; NULL: to be taken away */
    json_t *destination;           /* For */
};

static void clear_work(struct api_job *job)
{
    struct tls_work *work = (struct tls_work *)job;
    tls_identity_free(work->identity);
    json_decref(work->destination);
}

static struct tls_work *work_new(struct call *call, void *context,
                                 bool (*run)(struct api_job *, struct db *),
                                 void (*finish)(struct api_job *))
{
    struct tls_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);
    work->id = path_id(call, 0);
    return work;
}

/* ---- showing ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    struct tls_work *work = (struct tls_work *)job;
    struct notification *notification = credentials_open(job, db, work->id, NULL);
    if (notification == NULL)
        return false;
    job->shown = tls_identity_show(notification->identity, true);
    show_id(job->shown, "NotificationId", work->id);
    notification_credentials_show(notification, job->shown);
    show_text(job->shown, "AccountSid", notification->account_sid);
    notification_unref(notification);
    return true;
}

void operator_show_tls(struct call *call, void *context)
{
    struct tls_work *work = work_new(call, context, run_show, api_job_show);
    api_read(&work->api);
}

/* ---- changing ---- */

static json_t *members_set(const struct tls_identity *identity)
{
    const char *set[] = { identity != NULL ? identity->ca : NULL,
                          identity != NULL ? identity->chain : NULL,
                          identity != NULL ? identity->key : NULL };
    json_t *names = json_array();

    for (size_t i = 0; i < 3; i++)
        if (set[i] != NULL)
            json_array_append_new(names, json_string(members[i]));
    return names;
}

static bool run_change(struct api_job *job, struct db *db)
{
    struct tls_work *work = (struct tls_work *)job;
    struct notification *notification = credentials_open(job, db, work->id, work->destination);
    if (notification == NULL)
        return false;
    tls_identity_free(notification->identity);
    notification->identity = work->identity; /* lent */
    notification_identity_bind(notification, NULL);
    bool done = credentials_write(job, db, notification, "notification.tls",
                                  json_pack("{s:o}", "Tls", members_set(work->identity)));
    notification->identity = NULL;
    notification_unref(notification);
    return done;
}

static void finish_change(struct api_job *job)
{
    const struct tls_work *work = (struct tls_work *)job;
    call_ok(job->call, "/Operator/Notifications/%" PRId64 "/Tls", work->id);
}

void operator_set_tls(struct call *call, void *context)
{
    json_t *body = credentials_body(call);
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    struct tls_work *work = work_new(call, context, run_change, finish_change);
    fields.problems = &work->api.problems;
    fields_only(&fields, members);
    work->destination = json_incref(json_object_get(body, "For"));
    json_object_del(body, "For");
    work->identity = tls_identity_read(body, clock_wall_ms(), fields.problems);
    credentials_wipe(body);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

void operator_remove_tls(struct call *call, void *context)
{
    struct tls_work *work = work_new(call, context, run_change, finish_change);
    api_write(&work->api);
}
