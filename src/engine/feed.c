/* feed.c — one event notification's postbacks between the disk and its lane.
 *
 * A feed has its settings (feed_settings.h, read on first need), the postbacks in memory (held.h),
 * a reading of what is due on disk (feed_reading.h), and a wake for when the next row is
 * (wakes.h); here they meet the lane.  Fresh postbacks go straight to it.  What it does not take is
 * parked: its row becomes WAITING, and the writer is told to write further ones so (`direct` off)
 * until a read finds nothing more due.
 *
 * An Ordered one's postbacks come from disk only, in order of ids.  The reading's `from` says how
 * far: what waits below it is held, nothing that is held is above it.  When one fails (or the lane
 * is taken away) the lane is emptied and `from` goes back to the first that is held; the next read
 * waits until all of these have their outcomes on disk.  So what goes out next is always the first
 * that is not delivered, as the disk has it, and it goes when it is due, as any other.
 *
 * Where the database is shared most of what is here is for the server that owns what waits
 * (feed_parts.c); another one's feed has a lane for what is fresh there, and reads nothing.
 *
 * A feed stays until all jobs are done, so these know it by its address.
 */
#include "base/clock.h"
#include "base/fail.h"
#include "engine/feed_insides.h"
#include "model/tls_identity.h"
#include "store/postbacks.h"

#include <stdlib.h>

enum {
    EARLY_MOST = 256,     /* fresh ones kept while the settings are read; the rest is parked */
    READ_RETRY_MS = 1000, /* after a read that failed */
    ASK_MS = 60000,       /* between two questions of those who may not send */
};

/* ---- what is known of it ---- */

int64_t feed_notification(const struct feed *feed)
{
    return feed->notification;
}

bool feed_is_ordered(const struct feed *feed)
{
    return feed_settings_ordered(&feed->settings);
}

bool feed_rests(const struct feed *feed)
{
    return feed_is_ordered(feed) && feed->rest_end > clock_due_ms();
}

bool feed_has(const struct feed *feed, int64_t id)
{
    return held_find(&feed->held, id) != NULL;
}

int64_t feed_oldest(const struct feed *feed)
{
    return held_oldest(&feed->held, feed->wake.at);
}

int64_t feed_certificate_ends_at(const struct feed *feed)
{
    const struct notification *settings = feed->settings.now;
    const struct tls_identity *identity = settings != NULL ? notification_identity(settings) : NULL;
    return identity != NULL ? identity->ends_at : -1;
}

/* ---- when to look at the disk ---- */

void feed_hint(struct feed *feed, int64_t due_at)
{
    if (!feed_rests(feed)) /* else they wait behind one that is known to */
        feed_due(feed, due_at);
}

static void row_is_due(struct wake *wake)
{
    feed_more(container_of(wake, struct feed, wake));
}

static bool wake_run(struct job *job, struct db *db)
{
    postback_wake(db, ((struct service_job *)job)->notification, db_due_now(db));
    return true;
}

static void wake_done(struct job *job, bool ok)
{
    struct feed *feed = work_done(job);
    feed->waking--;
    if (ok)
        feed_more(feed);
    else
        feed_due(feed, clock_due_ms() + READ_RETRY_MS);
    free(job);
}

/* Those that have failed are due now, and are what is read next: the oldest goes first. */
static void wake_failed(struct feed *feed)
{
    if (feed->feeds->work->stopping || !feed_is_own(feed))
        return;
    outcomes_flush(feed->feeds->config.outcomes); /* what has failed just now is of them */
    struct service_job *job = work_add(feed->feeds->work, feed, sizeof(*job), wake_run, wake_done);
    job->notification = feed->notification;
    feed->waking++;
    work_write(job);
}

/* ---- to the lane, or back to disk ---- */

void feed_waits(struct feed *feed, int64_t postback, int64_t due_at)
{
    if (!feed_is_own(feed))
        return;
    if (!feed_is_ordered(feed)) {
        feed_due(feed, due_at);
        return;
    }
    if (postback < feed->reading.from) {
        feed_recall(feed);
        feed->reading.from = postback < feed->reading.from ? postback : feed->reading.from;
    }
    feed_more(feed);
}

static bool offer(struct feed *feed, struct postback *postback)
{
    if (feed->settings.now == NULL || feed->feeds->work->stopping)
        return false;
    return courier_push(feed->feeds->courier, postback);
}

/* Straight from the commit, and not in its turn from disk. */
static bool offer_fresh(struct feed *feed, struct postback *postback)
{
    return !feed_goes_by_disk(feed) && !feed->down && !feed->closed && offer(feed, postback);
}

void feed_accept(struct feed *feed, struct postback *postback)
{
    bool wait = !feed_settings_stand(&feed->settings);
    held_add(&feed->held, postback);
    outcomes_hold(feed->feeds->config.outcomes, postback);
    if (wait && feed->early_count < EARLY_MOST) {
        list_append(&feed->early, &postback->in);
        feed->early_count++;
        if (!feed->settings.reading)
            feed_settings_load(&feed->settings);
    } else if (wait || !offer_fresh(feed, postback)) {
        feed_put_back(feed, postback);
        feed_route(feed, false);
    }
}

static void take_early(struct feed *feed)
{
    struct list *node;
    while ((node = list_first(&feed->early)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        feed->early_count--;
        if (postback->cancelled)
            feed_forget(feed, postback);
        else if (!offer_fresh(feed, postback))
            feed_put_back(feed, postback);
    }
}

/* ---- what others did ---- */

void feed_cancelled(struct feed *feed, int64_t id)
{
    struct postback *queued = courier_take(feed->feeds->courier, feed->notification, id);
    struct postback *postback = queued == NULL ? held_find(&feed->held, id) : NULL;
    if (queued != NULL)
        feed_forget(feed, queued);
    else if (postback != NULL) /* in no lane's queue */
        postback->cancelled = true;
    if (feed_is_ordered(feed))
        feed_more(feed); /* those that waited for it */
}

void feed_resent(struct feed *feed)
{
    if (!feed_is_own(feed))
        return;
    courier_hurry(feed->feeds->courier, feed->notification);
    feed_more(feed);
}

void feed_retried(struct feed *feed)
{
    /* An older one at the head of the queue would be the probe. */
    if (feed_is_own(feed) && !feed_is_ordered(feed) &&
        courier_state(feed->feeds->courier, feed->notification) == LANE_DOWN)
        feed_recall(feed);
    feed_resent(feed);
}

/* Down: the oldest of all that waits is to be the probe, and the first to go after it.  (Of an
 * Ordered one it is, whenever it is due.) */
void feed_down(struct feed *feed, bool down)
{
    feed->down = down;
    if (!feed_is_own(feed)) {
        if (down) /* the owner finds out, and probes */
            feed_close(feed);
        return;
    }
    if (down) {
        feed_recall(feed);
        feed_tell_down(feed);
    }
    if (down && feed_is_ordered(feed))
        feed_more(feed);
    else
        wake_failed(feed);
}

/* ---- the settings ---- */

void feed_changed(struct feed *feed)
{
    feed->changed = true;
    feed_settings_load(&feed->settings);
}

void feed_gone(struct feed *feed)
{
    feed->gone++;
}

void feed_gone_settled(struct feed *feed)
{
    feed->gone--;
    feed_settings_load(&feed->settings);
}

/* Takes the lane away: paused, held by the system, or deleted. */
static void close_lane(struct feed *feed)
{
    struct list queued;
    list_init(&queued);
    feed->down = false;
    feed_read_anew(feed);
    courier_drop(feed->feeds->courier, feed->notification, &queued);
    feed_put_all_back(feed, &queued);
}

/* Ordered, or no longer. */
static void turned(struct feed *feed)
{
    feed_recall(feed);
    feed->reading.ordered = feed_is_ordered(feed);
    feed->reading.from = 0;
    feed->rest_end = 0;
}

static void settings_read(void *context, const struct settings_read *read)
{
    struct feed *feed = context;
    struct feeds *feeds = feed->feeds;
    struct notification *settings = feed->settings.now;
    if (read->turned)
        turned(feed);
    if (read->again)
        return;
    bool active = feed_settings_active(&feed->settings) && feed->gone == 0;
    if (feed_goes_by_disk(feed) && !feed_is_own(feed))
        feed_recall(feed); /* from before it was so */
    if (active)
        courier_set(feeds->courier, settings);
    else if (courier_has(feeds->courier, feed->notification))
        close_lane(feed);
    take_early(feed);
    if (active && feed->changed) /* resumed, or mended: no failed one need wait any longer */
        wake_failed(feed);
    else if (active)
        feed_more(feed);
    if (read->ok && settings == NULL)
        feeds->config.gone(feeds->config.context, feed->notification);
    if (read->ok)
        feed->changed = false;
    else /* the store could not be read: asked again */
        feed_due(feed, clock_due_ms() + READ_RETRY_MS);
}

/* ---- from disk ---- */

static bool may_read(void *context, struct reading_wish *wish)
{
    struct feed *feed = context;
    struct feeds *feeds = feed->feeds;
    /* Nothing more goes by old settings; the new ones bring it back here. */
    if (!feed_settings_stand(&feed->settings) || !feed_settings_active(&feed->settings) ||
        feeds->work->stopping || !feeds->work->writable)
        return false;
    /* What is held from before `from` went back: the end of each of them comes back here. */
    if (feed_is_ordered(feed) && held_from(&feed->held, feed->reading.from))
        return false;
    if (feed->waking > 0 || !feed_is_own(feed) || !feed_may_begin(feed))
        return false;
    wish->account = feed->settings.now->account;
    wish->limit = courier_room(feeds->courier, feed->notification);
    wish->probing = courier_state(feeds->courier, feed->notification) == LANE_DOWN;
    /* A read costs much besides its rows: with a few each time it would be most of a catch-up. */
    return wish->limit > 0 && !courier_is_fed(feeds->courier, feed->notification);
}

/* The read tells; what comes meanwhile is kept by feed_due(). */
static void read_began(void *context)
{
    wake_never(&((struct feed *)context)->wake);
}

/* All that is due has been read: new ones may come straight again. */
static void drained(struct feed *feed)
{
    feed->more = false;
    if (feed_goes_by_disk(feed) ||
        courier_state(feed->feeds->courier, feed->notification) != LANE_READY || !feed_is_own(feed))
        return;
    if (!feed->direct)
        feed_route(feed, true);
    feed_tell_ready(feed);
}

/* Gives how many the lane took; *refused: the first that it did not (0: none). */
static size_t take_found(struct feed *feed, struct list *found, int64_t *refused)
{
    size_t taken = 0;
    struct list *node;
    *refused = 0;
    while ((node = list_first(found)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        held_add(&feed->held, postback);
        if (*refused == 0 && offer(feed, postback)) {
            taken++;
            continue;
        }
        if (*refused == 0)
            *refused = postback->id;
        feed_forget(feed, postback);
    }
    return taken;
}

static void read_ended(void *context, const struct reading_found *found)
{
    struct feed *feed = context;
    int64_t refused;
    size_t taken = take_found(feed, found->all, &refused);
    if (!found->stale) {
        if (found->ok)
            feed->reading.from = refused != 0 ? refused : found->from;
        feed->rest_end = found->ok && taken == 0 && refused == 0 ? found->next_due : 0;
    }
    if (found->ok && found->next_due != -1)
        feed_due(feed, found->next_due);
    if (!found->ok)
        feed_due(feed, clock_due_ms() + READ_RETRY_MS);
    else if (taken > 0 || found->again || found->stale)
        reading_ask(&feed->reading);
    else if (refused == 0) /* else the lane asks when it has room */
        drained(feed);
}

/* ---- buckets that have become its own ---- */

struct take_job {
    struct service_job job;
    struct waiting *waiting;
    size_t count;
};

static bool take_run(struct job *job, struct db *db)
{
    struct take_job *take = (struct take_job *)job;
    free(take->waiting);
    take->count = postback_waiting(db, &take->waiting);
    return true;
}

static void take_all(struct feeds *feeds, const struct take_job *take)
{
    size_t at = 0;
    for (struct feed *feed; (feed = map_each(&feeds->all, &at)) != NULL;)
        feed_open(feed);
    for (size_t i = 0; i < take->count; i++) {
        if (work_owns(feeds->work, take->waiting[i].notification))
            feed_take(feed_of(feeds, take->waiting[i].notification), take->waiting[i].due_at);
    }
}

static void take_done(struct job *job, bool ok)
{
    struct take_job *take = (struct take_job *)job;
    struct feeds *feeds = work_done(job);
    bool again = feeds->take_again;
    feeds->taking = feeds->take_again = false;
    if (ok)
        take_all(feeds, take);
    free(take->waiting);
    free(take);
    if (!ok)
        periodic_in(feeds->take_later, READ_RETRY_MS);
    else if (again)
        feeds_take(feeds);
}

static void take_now(void *feeds)
{
    feeds_take(feeds);
}

void feeds_take(struct feeds *feeds)
{
    feeds->take_again = feeds->taking;
    if (feeds->taking || feeds->work->stopping)
        return;
    feeds->taking = true;
    struct take_job *take = work_add(feeds->work, feeds, sizeof(*take), take_run, take_done);
    work_read(&take->job);
}

/* ---- life ---- */

static struct feed *feed_new(struct feeds *feeds, int64_t notification)
{
    struct feed *feed = must_alloc(sizeof(*feed));
    *feed = (struct feed){
        .feeds = feeds, .notification = notification, .direct = true, .wanted = true
    };
    list_init(&feed->early);
    held_init(&feed->held, &feeds->in_memory);
    wake_init(&feed->wake, &feeds->wakes);
    feed_settings_init(&feed->settings, feeds->work, notification, settings_read, feed);
    feed->reading = (struct reading){ .readings = &feeds->readings,
                                      .notification = notification,
                                      .held = &feed->held,
                                      .may = may_read,
                                      .began = read_began,
                                      .ended = read_ended,
                                      .context = feed };
    return feed;
}

static void feed_free(struct feed *feed)
{
    held_free(&feed->held);
    wake_never(&feed->wake);
    reading_free(&feed->reading);
    feed_settings_free(&feed->settings);
    free(feed);
}

struct feed *feed_find(struct feeds *feeds, int64_t notification)
{
    return map_get(&feeds->all, notification);
}

struct feed *feed_of(struct feeds *feeds, int64_t notification)
{
    struct feed *feed = feed_find(feeds, notification);
    if (feed == NULL) {
        feed = feed_new(feeds, notification);
        map_put(&feeds->all, notification, feed);
        list_append(&feeds->buckets[notification_bucket(notification)], &feed->in_bucket);
    }
    return feed;
}

struct feeds *feeds_new(const struct feeds_config *config)
{
    struct feeds *feeds = must_alloc(sizeof(*feeds));
    feeds->config = *config;
    feeds->work = config->work;
    feeds->courier = config->courier;
    for (int bucket = 0; bucket < SHARES_BUCKETS; bucket++)
        list_init(&feeds->buckets[bucket]);
    wakes_init(&feeds->wakes, feeds->work, row_is_due);
    readings_init(&feeds->readings, feeds->work);
    feeds->ask =
        periodic_new(&feeds->work->timers, membership_shared(feeds->work->membership) ? ASK_MS : 0,
                     feeds_ask, feeds);
    feeds->take_later = periodic_new(&feeds->work->timers, 0, take_now, feeds);
    return feeds;
}

void feeds_free(struct feeds *feeds)
{
    size_t at = 0;
    struct feed *feed;
    while ((feed = map_each(&feeds->all, &at)) != NULL)
        feed_free(feed);
    map_free(&feeds->all);
    periodic_free(feeds->ask);
    periodic_free(feeds->take_later);
    wakes_free(&feeds->wakes);
    readings_free(&feeds->readings);
    free(feeds);
}

struct feed *feeds_each(const struct feeds *feeds, size_t *at)
{
    return map_each(&feeds->all, at);
}

size_t feeds_in_memory(const struct feeds *feeds)
{
    return feeds->in_memory;
}
