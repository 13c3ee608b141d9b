/* feed_parts.c — which server sends what waits, and what the others do until it has.
 *
 * Where the database is shared, what waits on disk is one server's to send: the owner of the
 * notification's bucket (membership.h).  Another one's feed has a lane for what is fresh there, and
 * reads nothing; what its lane does not take, and what failed, waits for the owner, who is told
 * (outcomes.h).  Such a lane is closed when it finds its destination down or is full, and when the
 * owner says that it is down.  It opens again when the owner says that the destination answers and
 * nothing waits; who has not heard of that for long asks, as there may be another owner since.
 *
 * The rule: what waits is in the memory of one server at most.  A feed whose bucket is given away
 * lets go of all that it has read before the next owner has it.
 */
#include "base/clock.h"
#include "base/fail.h"
#include "db/tx.h"
#include "engine/feed_insides.h"
#include "store/ledger.h"
#include "store/postbacks.h"

#include <stdlib.h>
#include <string.h>

enum {
    ASK_MOST = 1000,     /* at once; more than that ask one after the other */
    TELL_REST_MS = 1000, /* between two words of an owner to the others */
    AGAIN_MS = 1000,     /* after a write or a read that failed */
};

/* Whoever had its bucket before may have sent, until a while ago, what a promise over all counts.
 */
bool feed_may_begin(struct feed *feed)
{
    int64_t from = membership_strict_from(feed->feeds->work->membership,
                                          notification_bucket(feed->notification));
    int64_t left = from != 0 ? from - clock_steady_ms() : 0;
    if (left <= 0 || !notification_is_strict(&feed->settings.now->settings))
        return true;
    feed_due(feed, clock_due_ms() + left);
    return false;
}

/* ---- telling other servers of the lane ---- */

struct tell_job {
    struct service_job job;
    int64_t account;
    enum change_kind kind;
};

static bool tell_run(struct job *job, struct db *db)
{
    const struct tell_job *tell = (struct tell_job *)job;
    tx_note(db_tx(db), (struct change){ .kind = tell->kind,
                                        .account = tell->account,
                                        .notification = tell->job.notification });
    return true;
}

static void tell_done(struct job *job, bool ok)
{
    struct tell_job *tell = (struct tell_job *)job;
    struct feed *feed = work_done(job);
    if (!ok) { /* told when it is drained again */
        feed->others_wait = true;
        feed_due(feed, clock_due_ms() + AGAIN_MS);
    }
    free(tell);
}

static void tell_others(struct feed *feed, enum change_kind kind)
{
    feed->others_wait = kind == CHANGE_LANE_DOWN;
    feed->told_at = clock_steady_ms();
    struct tell_job *tell = work_add(feed->feeds->work, feed, sizeof(*tell), tell_run, tell_done);
    tell->job.notification = feed->notification;
    tell->account = feed->settings.now->account;
    tell->kind = kind;
    work_write(&tell->job);
}

void feed_tell_ready(struct feed *feed)
{
    int64_t left = feed->told_at + TELL_REST_MS - clock_steady_ms();
    if (!feed->others_wait)
        return;
    if (left <= 0)
        tell_others(feed, CHANGE_LANE_READY);
    else
        feed_due(feed, clock_due_ms() + left);
}

void feed_tell_down(struct feed *feed)
{
    if (membership_shared(feed->feeds->work->membership) && feed->settings.now != NULL &&
        !feed_goes_by_disk(feed))
        tell_others(feed, CHANGE_LANE_DOWN);
}

void feed_others_wait(struct feed *feed)
{
    feed->others_wait = true;
}

void feed_close(struct feed *feed)
{
    feed->closed = true;
    feed_recall(feed);
    feed_route(feed, false);
}

void feed_owner_says(struct feed *feed, bool down)
{
    if (feed_is_own(feed)) /* its own word, or that of who had it before */
        return;
    if (down) {
        feed_close(feed);
        return;
    }
    feed->closed = false;
    courier_reopen(feed->feeds->courier, feed->notification);
    feed_route(feed, true);
}

/* ---- asking the owner ---- */

struct asked {
    int64_t account, notification;
};

struct ask_job {
    struct service_job job;
    size_t count;
    struct asked asked[];
};

/* As if something waited there. */
static bool ask_run(struct job *job, struct db *db)
{
    const struct ask_job *ask = (struct ask_job *)job;
    for (size_t i = 0; i < ask->count; i++)
        ledger_wait(db, ask->asked[i].notification, ask->asked[i].account, db_due_now(db));
    return true;
}

static void ask_done(struct job *job, bool ok)
{
    struct feeds *feeds = work_done(job);
    (void)ok; /* the next time asks again */
    periodic_done(feeds->ask);
    free(job);
}

static bool wants_to_ask(const struct feed *feed)
{
    return !feed->direct && feed->settings.now != NULL && feed_settings_active(&feed->settings) &&
           !feed_is_own(feed) && !feed_goes_by_disk(feed);
}

static void ask_owners(struct feeds *feeds, const struct asked *asked, size_t count)
{
    size_t bytes = count * sizeof(*asked);
    struct ask_job *ask = work_add(feeds->work, feeds, sizeof(*ask) + bytes, ask_run, ask_done);
    ask->count = count;
    memcpy(ask->asked, asked, bytes);
    periodic_begin(feeds->ask);
    work_write(&ask->job);
}

void feeds_ask(void *context)
{
    struct feeds *feeds = context;
    struct asked *asked = must_alloc(ASK_MOST * sizeof(*asked));
    size_t count = 0, at = 0;
    const struct feed *feed;
    while ((feed = map_each(&feeds->all, &at)) != NULL && count < ASK_MOST) {
        if (wants_to_ask(feed))
            asked[count++] = (struct asked){ feed->settings.now->account, feed->notification };
    }
    if (count > 0)
        ask_owners(feeds, asked, count);
    free(asked);
}

/* ---- whose it is ---- */

bool feed_gives_back(struct feed *feed)
{
    if (feed_is_own(feed))
        return false;
    if (courier_queued(feed->feeds->courier, feed->notification) > 0)
        feed_close(feed);
    return true;
}

/* Another server sends from now on what waits. */
static void feed_leave(struct feed *feed)
{
    wake_never(&feed->wake);
    feed_recall(feed);
    feed->rest_end = 0;
    feed->others_wait = false;
    feed->closed = feed->down || !feed->direct;
    if (feed->closed)
        feed_route(feed, false);
}

void feeds_leave(struct feeds *feeds, int bucket)
{
    const struct list *all = &feeds->buckets[bucket];
    for (struct list *node = all->next; node != all; node = node->next)
        feed_leave(container_of(node, struct feed, in_bucket));
}

static bool has_read(const struct feed *feed)
{
    return feed->reading.under_way || held_waiting(&feed->held);
}

bool feeds_are_quiet(const struct feeds *feeds, int bucket)
{
    const struct list *all = &feeds->buckets[bucket];
    for (struct list *node = all->next; node != all; node = node->next) {
        if (has_read(container_of(node, struct feed, in_bucket)))
            return false;
    }
    return true;
}

/* What another server has done meanwhile is not known: an Ordered one begins with the first that
 * waits, and whoever has closed a lane is to hear that there is an owner. */
void feed_take(struct feed *feed, int64_t due_at)
{
    feed->reading.from = 0;
    feed->rest_end = 0;
    feed->others_wait = true;
    feed_due(feed, due_at);
}

void feed_open(struct feed *feed)
{
    bool was_closed = feed->closed || !feed->direct;
    if (!feed_is_own(feed))
        return;
    feed->closed = false;
    if (was_closed)
        feed_more(feed); /* new ones go straight again when nothing waits */
}
