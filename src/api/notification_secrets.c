/* notification_secrets.c — the signing secret: shown to its account, and rotated.
 *
 * For a day after a rotation the old secret signs too, so that a receiver has time to change.
 */
#include "api/notifications.h"

#include "model/date.h"
#include "model/show.h"
#include "model/signature.h"
#include "store/notifications.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { OLD_SECRET_DAYS = 1 };

void notification_set_secret(json_t *answer, const struct signing_secret *secret)
{
    struct buf text = { 0 };
    secret_write(&text, secret);
    show_text(answer, "SigningSecret", buf_text(&text));
    if (text.data != NULL)
        sodium_memzero(text.data, text.len);
    buf_free(&text);
}

static bool run_show(struct api_job *job, struct db *db)
{
    return notification_work_load(notification_work_of(job), db);
}

static void finish_secret(struct api_job *job)
{
    const struct notification *notification = notification_work_of(job)->notification;
    json_t *body = json_object();
    show_text(body, "Status", "OK");
    notification_set_secret(body, &notification->secret);
    show_date(body, "OldSecretUntil",
              notification->old_secret.len > 0 ? notification->old_secret_until : DATE_NONE);
    call_json_answer(job->call, 200, body);
}

void notification_show_secret(struct call *call, void *context)
{
    struct notification_work *work =
        notification_work_new(call, context, NULL, run_show, finish_secret);
    if (work != NULL)
        api_read(&work->api);
}

static bool run_rotate(struct api_job *job, struct db *db)
{
    struct notification_work *work = notification_work_of(job);
    if (!notification_work_load(work, db))
        return false;
    struct notification *notification = work->notification;
    notification->old_secret = notification->secret;
    notification->old_secret_until = date_add_days(db_now(db), OLD_SECRET_DAYS);
    secret_random(&notification->secret);
    if (!notification_change(db, notification))
        return false;
    notification_audit(work, db, "notification.rotate_secret",
                       json_pack("{s:i}", "Revision", notification->revision));
    return true;
}

static void finish_rotate(struct api_job *job)
{
    finish_secret(job);
}

void notification_rotate_secret(struct call *call, void *context)
{
    struct notification_work *work =
        notification_work_new(call, context, NULL, run_rotate, finish_rotate);
    if (work != NULL)
        api_write(&work->api);
}
