/* feed.c — one event notification's postbacks between the disk and its lane.
 *
 * A feed knows its settings (loaded on first need), the postbacks it has in memory (`held`, from
 * the hand-over until their outcome is committed) and when the next row on disk is due.  Fresh
 * postbacks go straight to the lane.  What the lane does not take is parked: its row becomes
 * WAITING, and the writer is told to write further ones so (`direct` off) until a read finds
 * nothing more due.
 *
 * An Ordered one's postbacks come from disk only, in order of ids.  `from` says how far: what waits
 * below it is held, nothing that is held is above it.  When one fails (or the lane is taken away)
 * the lane is emptied and `from` goes back to the first that is held; the next read waits until
 * all of these have their outcomes on disk.  So what goes out next is always the first that is
 * not delivered, as the disk has it, and it goes when it is due, as any other.
 *
 * The rule: a postback is in memory at most once.  A read leaves out all that was held when it was
 * asked for.  A row that was not held then can only become held through a read, of which there is
 * one at a time, or fresh from a commit: that one is WAITING only after seconds, so what a slow
 * read finds is looked for among the held.
 */
#include "engine/feed.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/heap.h"
#include "base/turns.h"
#include "model/tls_identity.h"
#include "store/events.h"
#include "store/notifications.h"
#include "store/postbacks.h"

#include <stdlib.h>

enum {
    EARLY_MOST = 256, /* fresh ones kept while the settings are loading; the rest is parked */
    READ_MOST = 192,
    READS_AT_ONCE = 8,    /* of all feeds: what they find is in memory before lanes take it */
    READ_RETRY_MS = 1000, /* after a read that failed */
    READ_SLOW_MS = 5000,  /* less than it takes a fresh one to become WAITING where it is queued */
};

struct feeds {
    struct feeds_config config;
    struct work *work;
    struct courier *courier;
    struct map all;    /* notification → struct feed */
    struct heap wakes; /* feeds by when their next row on disk is due, wall ms */
    struct periodic *wake_timer;
    size_t reads;         /* under way */
    struct turns wanting; /* feeds that would read; accounts take turns */
    size_t in_memory;     /* postbacks */
};

struct feed {
    struct feeds *feeds;
    int64_t notification;
    struct notification *settings; /* NULL: not loaded, or deleted */
    bool loading, load_again;
    bool changed;         /* by its owner, and not loaded since */
    bool direct, routing; /* what the writer was told; a job tells it just now */
    bool reading, read_again;
    struct heap_node want; /* in the feeds' wanting: it reads when it is its turn */
    bool more;             /* rows on disk may be due */
    int64_t next_due;      /* wall ms of the earliest row known to wait; -1: none */
    struct heap_node wake;
    struct list held;
    size_t held_count;
    int64_t from;      /* Ordered: see above; 0: the first that waits is looked for */
    unsigned round;    /* what a read of an earlier one found is not taken */
    int64_t rest_end;  /* Ordered: when the first is due that was not when it was last read, or 0 */
    bool down;         /* its lane is: what is fresh has to wait for what is older */
    int gone;          /* answers 410 that are not on disk yet */
    struct list early; /* fresh ones that came while the settings were loading */
    size_t early_count;
};

static void read_disk(struct feed *feed);
static void read_in_turn(struct feeds *feeds);
static void wake(struct feed *feed);

struct feed *feed_find(struct feeds *feeds, int64_t notification)
{
    return map_get(&feeds->all, notification);
}

struct feed *feed_of(struct feeds *feeds, int64_t notification)
{
    struct feed *feed = feed_find(feeds, notification);
    if (feed != NULL)
        return feed;
    feed = must_alloc(sizeof(*feed));
    *feed = (struct feed){
        .feeds = feeds, .notification = notification, .direct = true, .next_due = -1
    };
    list_init(&feed->held);
    list_init(&feed->early);
    map_put(&feeds->all, notification, feed);
    return feed;
}

static void feed_free(struct feed *feed)
{
    struct list *node;
    while ((node = list_first(&feed->held)) != NULL)
        feed_forget(feed, container_of(node, struct postback, held));
    heap_remove(&feed->feeds->wakes, &feed->wake);
    turns_remove(&feed->feeds->wanting, &feed->want);
    notification_unref(feed->settings);
    free(feed);
}

int64_t feed_notification(const struct feed *feed)
{
    return feed->notification;
}

bool feed_is_ordered(const struct feed *feed)
{
    return feed->settings != NULL && feed->settings->settings.ordered;
}

bool feed_rests(const struct feed *feed)
{
    return feed_is_ordered(feed) && feed->rest_end > clock_due_ms();
}

static struct postback *held(struct feed *feed, int64_t id)
{
    for (struct list *node = feed->held.next; node != &feed->held; node = node->next) {
        struct postback *postback = container_of(node, struct postback, held);
        if (postback->id == id)
            return postback;
    }
    return NULL;
}

bool feed_has(struct feed *feed, int64_t id)
{
    return held(feed, id) != NULL;
}

void feed_cancelled(struct feed *feed, int64_t id)
{
    struct postback *queued = courier_take(feed->feeds->courier, feed->notification, id);
    struct postback *postback = queued == NULL ? held(feed, id) : NULL;
    if (queued != NULL)
        feed_forget(feed, queued);
    else if (postback != NULL) /* in no lane's queue */
        postback->cancelled = true;
    if (feed_is_ordered(feed))
        feed_more(feed); /* those that waited for it */
}

void feed_resent(struct feed *feed)
{
    courier_hurry(feed->feeds->courier, feed->notification);
    feed_more(feed);
}

void feed_retried(struct feed *feed)
{
    /* An older one at the head of the queue would be the probe. */
    if (!feed_is_ordered(feed) &&
        courier_state(feed->feeds->courier, feed->notification) == LANE_DOWN)
        feed_recall(feed);
    feed_resent(feed);
}

bool feed_certificate_ends(const struct feed *feed, int64_t by_ms)
{
    const struct tls_identity *identity =
        feed->settings != NULL ? notification_identity(feed->settings) : NULL;
    return identity != NULL && identity->ends_at != -1 && identity->ends_at <= by_ms;
}

int64_t feed_oldest(const struct feed *feed)
{
    int64_t oldest = feed->next_due;
    for (struct list *node = feed->held.next; node != &feed->held; node = node->next) {
        int64_t due = container_of(node, struct postback, held)->due_at;
        if (oldest == -1 || due < oldest)
            oldest = due;
    }
    return oldest;
}

static void hold(struct feed *feed, struct postback *postback)
{
    list_append(&feed->held, &postback->held);
    feed->held_count++;
    feed->feeds->in_memory++;
    if (postback->waiting)
        list_init(&postback->fresh);
    else
        outcomes_hold(feed->feeds->config.outcomes, postback);
    list_init(&postback->in);
}

void feed_forget(struct feed *feed, struct postback *postback)
{
    list_remove(&postback->in);
    list_remove(&postback->held);
    list_remove(&postback->fresh);
    feed->held_count--;
    feed->feeds->in_memory--;
    postback_free(postback);
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
    struct route_job *route = (struct route_job *)job;
    struct feed *feed = feed_find(work_done(job), route->job.notification);
    if (feed != NULL) {
        feed->routing = false;
        if (ok)
            feed->direct = route->direct;
        if (ok && route->direct)
            feed_more(feed); /* rows written before the change */
    }
    free(job);
}

static void route(struct feed *feed, bool direct)
{
    if (feed->routing || feed->feeds->work->stopping)
        return;
    feed->routing = true;
    struct route_job *job =
        work_add(feed->feeds->work, feed->feeds, sizeof(*job), route_run, route_done);
    job->job.notification = feed->notification;
    job->job.job.sure = true;
    job->direct = direct;
    work_write(&job->job);
}

/* ---- to the lane, or back to disk ---- */

/* Out of memory again; its row waits on disk. */
static void put_back(struct feed *feed, struct postback *postback)
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
static void read_anew(struct feed *feed)
{
    feed->round++;
    feed->more = true;
    for (struct list *node = feed->held.next; node != &feed->held; node = node->next) {
        int64_t id = container_of(node, struct postback, held)->id;
        if (id < feed->from)
            feed->from = id;
    }
}

static void put_all_back(struct feed *feed, struct list *queued)
{
    struct list *node;
    while ((node = list_first(queued)) != NULL) {
        list_remove(node);
        put_back(feed, container_of(node, struct postback, in));
    }
}

void feed_recall(struct feed *feed)
{
    struct list queued;
    list_init(&queued);
    read_anew(feed);
    courier_recall(feed->feeds->courier, feed->notification, &queued);
    put_all_back(feed, &queued);
}

void feed_waits(struct feed *feed, int64_t postback, int64_t due_at)
{
    if (!feed_is_ordered(feed)) {
        feed_due(feed, due_at);
        return;
    }
    if (postback < feed->from) {
        feed_recall(feed);
        feed->from = postback < feed->from ? postback : feed->from;
    }
    feed_more(feed);
}

static bool offer(struct feed *feed, struct postback *postback)
{
    if (feed->settings == NULL || feed->feeds->work->stopping)
        return false;
    return courier_push(feed->feeds->courier, postback);
}

/* Straight from the commit, and not in its turn from disk. */
static bool offer_fresh(struct feed *feed, struct postback *postback)
{
    return !feed_is_ordered(feed) && !feed->down && offer(feed, postback);
}

void feed_accept(struct feed *feed, struct postback *postback)
{
    bool wait = feed->settings == NULL || feed->loading;
    hold(feed, postback);
    if (wait && feed->early_count < EARLY_MOST) {
        list_append(&feed->early, &postback->in);
        feed->early_count++;
        if (!feed->loading)
            feed_reload(feed);
    } else if (wait || !offer_fresh(feed, postback)) {
        put_back(feed, postback);
        route(feed, false);
    }
}

/* ---- the settings ---- */

struct load_job {
    struct service_job job;
    struct notification *loaded;
};

static bool load_run(struct job *job, struct db *db)
{
    struct load_job *load = (struct load_job *)job;
    load->loaded = notification_load(db, 0, load->job.notification, 0);
    return true;
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
            put_back(feed, postback);
    }
}

/* Takes the lane away: paused, held by the system, or deleted. */
static void close_lane(struct feed *feed)
{
    struct list queued;
    list_init(&queued);
    feed->down = false;
    read_anew(feed);
    courier_drop(feed->feeds->courier, feed->notification, &queued);
    put_all_back(feed, &queued);
}

static void take_settings(struct feed *feed, struct notification *loaded)
{
    bool was_ordered = feed_is_ordered(feed);
    notification_unref(feed->settings);
    feed->settings = loaded;
    if (feed_is_ordered(feed) == was_ordered)
        return;
    feed_recall(feed); /* by the old rule */
    feed->from = 0;
    feed->rest_end = 0;
}

static void load_done(struct job *job, bool ok)
{
    struct load_job *load = (struct load_job *)job;
    struct feeds *feeds = work_done(job);
    struct feed *feed = feed_find(feeds, load->job.notification);
    struct notification *loaded = ok ? load->loaded : NULL;
    free(job);
    if (feed == NULL) {
        notification_unref(loaded);
        return;
    }
    feed->loading = false;
    take_settings(feed, loaded);
    if (feed->load_again) {
        feed->load_again = false;
        feed_reload(feed);
        return;
    }
    bool active = loaded != NULL && loaded->state == NOTIFICATION_ACTIVE && feed->gone == 0;
    if (active)
        courier_set(feeds->courier, loaded);
    else if (courier_has(feeds->courier, feed->notification))
        close_lane(feed);
    take_early(feed);
    if (active && feed->changed) /* resumed, or mended: no failed one need wait any longer */
        wake(feed);
    else if (active)
        feed_more(feed);
    if (ok && loaded == NULL)
        feeds->config.gone(feeds->config.context, feed->notification);
    if (ok)
        feed->changed = false;
    else /* the store could not be read: asked again */
        feed_due(feed, clock_due_ms() + READ_RETRY_MS);
}

void feed_changed(struct feed *feed)
{
    feed->changed = true;
    feed_reload(feed);
}

void feed_reload(struct feed *feed)
{
    if (feed->loading || feed->feeds->work->stopping) {
        feed->load_again = feed->loading;
        return;
    }
    feed->loading = true;
    struct load_job *job =
        work_add(feed->feeds->work, feed->feeds, sizeof(*job), load_run, load_done);
    job->job.notification = feed->notification;
    work_read(&job->job);
}

void feed_gone(struct feed *feed)
{
    feed->gone++;
}

void feed_gone_settled(struct feed *feed)
{
    feed->gone--;
    feed_reload(feed);
}

/* ---- from disk ---- */

struct read_job {
    struct service_job job;
    int64_t now_ms, next_due;
    size_t limit;
    bool probing, ordered;
    int64_t from; /* Ordered */
    unsigned round;
    struct list found;
    size_t skip_count;
    int64_t skip[];
};

static bool read_run(struct job *job, struct db *db)
{
    struct read_job *read = (struct read_job *)job;
    if (read->ordered)
        postback_due_in_order(db, read->job.notification, read->now_ms, read->probing, &read->from,
                              read->limit, &read->found, &read->next_due);
    else
        postback_due(db, read->job.notification, read->now_ms, read->probing, read->skip,
                     read->skip_count, read->limit, &read->found, &read->next_due);
    return true;
}

/* All that is due has been read: new ones may come straight again. */
static void drained(struct feed *feed)
{
    feed->more = false;
    if (!feed->direct && !feed_is_ordered(feed) &&
        courier_state(feed->feeds->courier, feed->notification) == LANE_READY)
        route(feed, true);
}

/* Gives how many the lane took; *left: it refused some. */
static size_t take_found(struct feed *feed, struct read_job *read, bool *left)
{
    bool slow = clock_due_ms() - read->now_ms >= READ_SLOW_MS;
    size_t taken = 0;
    struct list *node;
    while ((node = list_first(&read->found)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        if (slow && held(feed, postback->id) != NULL) {
            postback_free(postback);
            continue;
        }
        hold(feed, postback);
        if (!*left && offer(feed, postback)) {
            taken++;
            continue;
        }
        if (!*left && read->ordered)
            read->from = postback->id;
        feed_forget(feed, postback);
        *left = true;
    }
    return taken;
}

static void drop_found(struct list *found)
{
    struct list *node;
    while ((node = list_first(found)) != NULL) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
}

static void read_done(struct job *job, bool ok)
{
    struct read_job *read = (struct read_job *)job;
    struct feeds *feeds = work_done(job);
    struct feed *feed = feed_find(feeds, read->job.notification);
    feeds->reads--;
    if (feed == NULL) {
        drop_found(&read->found);
        free(read);
        read_in_turn(feeds);
        return;
    }
    feed->reading = false;
    bool again = feed->read_again, left = false;
    feed->read_again = false;
    size_t taken = 0;
    if (read->round != feed->round) {
        drop_found(&read->found);
        again = true;
    } else {
        taken = take_found(feed, read, &left);
        if (ok)
            feed->from = read->from;
        feed->rest_end = ok && taken == 0 && !left ? read->next_due : 0;
    }
    if (ok && read->next_due != -1)
        feed_due(feed, read->next_due);
    if (!ok)
        feed_due(feed, clock_due_ms() + READ_RETRY_MS);
    else if (taken > 0 || again)
        read_disk(feed);
    else if (!left) /* else the lane asks when it has room */
        drained(feed);
    free(read);
    read_in_turn(feeds);
}

/* What is held from before `from` went back. */
static bool holds_later(const struct feed *feed)
{
    for (const struct list *node = feed->held.prev; node != &feed->held; node = node->prev) {
        if (container_of(node, struct postback, held)->id >= feed->from)
            return true;
    }
    return false;
}

/* Whether there is anything to read for, now. */
static bool may_read(struct feed *feed)
{
    struct feeds *feeds = feed->feeds;
    if (feed->settings == NULL || feed->settings->state != NOTIFICATION_ACTIVE ||
        feeds->work->stopping || !feeds->work->writable)
        return false;
    if (feed->loading) /* nothing more goes by the old settings; the new ones bring it back here */
        return false;
    if (feed->reading) {
        feed->read_again = true;
        return false;
    }
    /* The end of each of them comes back here. */
    if (feed_is_ordered(feed) && holds_later(feed))
        return false;
    /* A read costs much besides its rows: with a few each time it would be most of a catch-up. */
    return courier_room(feeds->courier, feed->notification) > 0 &&
           !courier_is_fed(feeds->courier, feed->notification);
}

static void read_now(struct feed *feed)
{
    struct feeds *feeds = feed->feeds;
    size_t room = courier_room(feeds->courier, feed->notification);
    struct read_job *job =
        work_add(feeds->work, feeds, sizeof(*job) + feed->held_count * sizeof(job->skip[0]),
                 read_run, read_done);
    job->job.notification = feed->notification;
    job->now_ms = clock_due_ms();
    job->next_due = -1;
    job->limit = room < READ_MOST ? room : READ_MOST;
    job->ordered = feed_is_ordered(feed);
    job->from = feed->from;
    job->round = feed->round;
    job->probing = courier_state(feeds->courier, feed->notification) == LANE_DOWN;
    list_init(&job->found);
    for (struct list *node = feed->held.next; node != &feed->held; node = node->next)
        job->skip[job->skip_count++] = container_of(node, struct postback, held)->id;
    feed->reading = true;
    feeds->reads++;
    feed->next_due = -1; /* the read tells; what comes meanwhile is kept by feed_due() */
    heap_remove(&feeds->wakes, &feed->wake);
    work_read(&job->job);
}

static void read_disk(struct feed *feed)
{
    struct feeds *feeds = feed->feeds;
    if (!may_read(feed))
        return;
    if (feeds->reads < READS_AT_ONCE && turns_empty(&feeds->wanting))
        read_now(feed);
    else
        turns_add(&feeds->wanting, &feed->want, feed->settings->account);
}

/* A read has ended: whose turn it is may. */
static void read_in_turn(struct feeds *feeds)
{
    struct heap_node *first;
    while (feeds->reads < READS_AT_ONCE && (first = turns_take(&feeds->wanting)) != NULL) {
        struct feed *feed = container_of(first, struct feed, want);
        if (may_read(feed))
            read_now(feed);
    }
}

void feed_hungry(struct feed *feed)
{
    if (feed->more)
        read_disk(feed);
}

void feed_more(struct feed *feed)
{
    feed->more = true;
    if (feed->settings == NULL && !feed->loading)
        feed_reload(feed); /* reads when it is there */
    else
        read_disk(feed);
}

/* ---- time ---- */

static void wake_timer_fired(void *context)
{
    feeds_wake_due(context);
}

/* The due clock jumps ahead with the system's time: never sleep for more than a second. */
static void set_wake_timer(struct feeds *feeds)
{
    struct heap_node *first = heap_min(&feeds->wakes);
    if (first == NULL) {
        periodic_rest(feeds->wake_timer);
        return;
    }
    int64_t wait = first->key - clock_due_ms();
    periodic_in(feeds->wake_timer, wait > 1000 ? 1000 : wait);
}

void feed_due(struct feed *feed, int64_t due_at)
{
    if (feed->next_due != -1 && feed->next_due <= due_at)
        return;
    feed->next_due = due_at;
    heap_put(&feed->feeds->wakes, &feed->wake, due_at);
    if (heap_min(&feed->feeds->wakes) == &feed->wake)
        set_wake_timer(feed->feeds);
}

void feed_hint(struct feed *feed, int64_t due_at)
{
    if (!feed_rests(feed)) /* else they wait behind one that is known to */
        feed_due(feed, due_at);
}

void feeds_wake_due(struct feeds *feeds)
{
    int64_t now = clock_due_ms();
    struct heap_node *first;
    while ((first = heap_min(&feeds->wakes)) != NULL && first->key <= now) {
        struct feed *feed = container_of(first, struct feed, wake);
        heap_remove(&feeds->wakes, first);
        feed->next_due = -1;
        feed_more(feed);
    }
    set_wake_timer(feeds);
}

static bool wake_run(struct job *job, struct db *db)
{
    postback_wake(db, ((struct service_job *)job)->notification, db_due_now(db));
    return true;
}

static void wake_done(struct job *job, bool ok)
{
    struct feed *feed = feed_find(work_done(job), ((struct service_job *)job)->notification);
    if (feed != NULL && ok)
        feed_more(feed);
    free(job);
}

/* Failed ones are due now. */
static void wake(struct feed *feed)
{
    if (feed->feeds->work->stopping)
        return;
    outcomes_flush(feed->feeds->config.outcomes); /* what has failed just now is of them */
    struct service_job *job =
        work_add(feed->feeds->work, feed->feeds, sizeof(*job), wake_run, wake_done);
    job->notification = feed->notification;
    work_write(job);
}

/* Down: the oldest of all that waits is to be the probe, and the first to go after it.  (Of an
 * Ordered one it is, whenever it is due.) */
void feed_down(struct feed *feed, bool down)
{
    feed->down = down;
    if (down)
        feed_recall(feed);
    if (down && feed_is_ordered(feed))
        feed_more(feed);
    else
        wake(feed);
}

/* ---- life ---- */

struct feeds *feeds_new(const struct feeds_config *config)
{
    struct feeds *feeds = must_alloc(sizeof(*feeds));
    feeds->config = *config;
    feeds->work = config->work;
    feeds->courier = config->courier;
    feeds->wake_timer = periodic_new(&feeds->work->timers, 0, wake_timer_fired, feeds);
    return feeds;
}

void feeds_free(struct feeds *feeds)
{
    size_t at = 0;
    struct feed *feed;
    while ((feed = map_each(&feeds->all, &at)) != NULL)
        feed_free(feed);
    map_free(&feeds->all);
    heap_free(&feeds->wakes);
    turns_free(&feeds->wanting);
    periodic_free(feeds->wake_timer);
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
