/* feed_settings.c — one read at a time; what is asked for meanwhile is read again when it ends, as
 * its snapshot may be older than the change.
 */
#include "engine/feed_settings.h"

#include "store/notifications.h"

#include <stdlib.h>

struct settings_job {
    struct service_job job;
    struct notification *loaded;
};

void feed_settings_init(struct feed_settings *settings, struct work *work, int64_t notification,
                        void (*read)(void *context, const struct settings_read *read),
                        void *context)
{
    *settings = (struct feed_settings){
        .work = work, .notification = notification, .read = read, .context = context
    };
}

void feed_settings_free(struct feed_settings *settings)
{
    notification_unref(settings->now);
}

static bool load_run(struct job *job, struct db *db)
{
    struct settings_job *load = (struct settings_job *)job;
    notification_unref(load->loaded);
    load->loaded = notification_load(db, 0, load->job.notification, 0);
    return true;
}

static void load_done(struct job *job, bool ok)
{
    struct settings_job *load = (struct settings_job *)job;
    struct feed_settings *settings = work_done(job);
    struct settings_read read = { .ok = ok, .again = settings->read_again };
    bool was_ordered = feed_settings_ordered(settings);
    if (!ok)
        notification_unref(load->loaded);
    notification_unref(settings->now);
    settings->now = ok ? load->loaded : NULL;
    free(job);
    read.turned = feed_settings_ordered(settings) != was_ordered;
    settings->reading = settings->read_again = false;
    if (read.again)
        feed_settings_load(settings);
    settings->read(settings->context, &read);
}

void feed_settings_load(struct feed_settings *settings)
{
    if (settings->reading || settings->work->stopping) {
        settings->read_again = settings->reading;
        return;
    }
    settings->reading = true;
    struct settings_job *job =
        work_add(settings->work, settings, sizeof(*job), load_run, load_done);
    job->job.notification = settings->notification;
    work_read(&job->job);
}

bool feed_settings_stand(const struct feed_settings *settings)
{
    return settings->now != NULL && !settings->reading;
}

bool feed_settings_active(const struct feed_settings *settings)
{
    return settings->now != NULL && settings->now->state == NOTIFICATION_ACTIVE;
}

bool feed_settings_ordered(const struct feed_settings *settings)
{
    return settings->now != NULL && settings->now->settings.ordered;
}
