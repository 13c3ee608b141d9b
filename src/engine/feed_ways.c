/* feed_ways.c — the ways of a feed's postbacks: from disk when they are due, back to it when a lane
 * does not take them, and whether new ones go straight or by it.
 */
#include "engine/feed_insides.h"
#include "store/events.h"

#include <stdlib.h>

bool feed_is_own(const struct feed *feed)
{
    return work_owns(feed->feeds->work, feed->notification);
}

/* Its settings are not known: that they let it go straight is decided when they are. */
bool feed_goes_by_disk(const struct feed *feed)
{
    const struct notification *now = feed->settings.now;
    return now != NULL &&
           notification_by_disk(&now->settings, membership_shared(feed->feeds->work->membership));
}

/* ---- when to look at the disk ---- */

void feed_due(struct feed *feed, int64_t due_at)
{
    if (feed_is_own(feed)) /* else it is nothing that this one reads */
        wake_by(&feed->wake, due_at);
}

void feed_hungry(struct feed *feed)
{
    if (feed->more)
        reading_ask(&feed->reading);
}

void feed_more(struct feed *feed)
{
    feed->more = true;
    if (feed->settings.now == NULL && !feed->settings.reading)
        feed_settings_load(&feed->settings); /* reads when they are there */
    else
        reading_ask(&feed->reading);
}

/* ---- telling the writer how new ones are to be written ---- */

struct route_job {
    struct service_job job;
    bool direct;
};

static bool route_run(struct job *job, struct db *db)
{
    struct route_job *route = (struct route_job *)job;
    event_route(db, route->job.notification, route->direct);
    return true;
}

static void route_done(struct job *job, bool ok)
{
    struct route_job *told = (struct route_job *)job;
    struct feed *feed = work_done(job);
    feed->routing = false;
    if (ok)
        feed->direct = told->direct;
    if (ok && told->direct)
        feed_more(feed); /* rows written before the change */
    if (ok && feed->wanted != feed->direct)
        feed_route(feed, feed->wanted);
    free(job);
}

void feed_route(struct feed *feed, bool direct)
{
    feed->wanted = direct;
    if (feed->routing || feed->feeds->work->stopping)
        return;
    feed->routing = true;
    struct route_job *job = work_add(feed->feeds->work, feed, sizeof(*job), route_run, route_done);
    job->job.notification = feed->notification;
    job->job.job.sure = true;
    job->direct = direct;
    work_write(&job->job);
}

/* ---- out of memory ---- */

void feed_forget(struct feed *feed, struct postback *postback)
{
    held_forget(&feed->held, postback);
}

/* Out of memory again; its row waits on disk. */
void feed_put_back(struct feed *feed, struct postback *postback)
{
    if (postback->waiting) {
        feed_due(feed, postback->due_at);
        feed_forget(feed, postback);
    } else {
        outcomes_add(feed->feeds->config.outcomes, OUTCOME_PARKED, postback, NULL, VERDICT_FAILED);
    }
    feed->more = true;
}

/* What was read goes for nothing; Ordered: the next read begins with the first that is held. */
void feed_read_anew(struct feed *feed)
{
    reading_call_off(&feed->reading);
    feed->more = true;
    feed->reading.from = held_lowest(&feed->held, feed->reading.from);
}

void feed_put_all_back(struct feed *feed, struct list *queued)
{
    struct list *node;
    while ((node = list_first(queued)) != NULL) {
        list_remove(node);
        feed_put_back(feed, container_of(node, struct postback, in));
    }
}

void feed_recall(struct feed *feed)
{
    struct list queued;
    list_init(&queued);
    feed_read_anew(feed);
    courier_recall(feed->feeds->courier, feed->notification, &queued);
    feed_put_all_back(feed, &queued);
}
