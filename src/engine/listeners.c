/* listeners.c — a committed change on its way to those who keep a part of it in memory.
 *
 * A table of listeners and of what each one hears; a change goes through it from the top.  This is
 * the one road on which the engine hears of what calls, and its own jobs, have written.  (The hot
 * path has two of its own: postbacks that come straight from a commit, and the outcomes that the
 * engine gave the writer itself.)
 */
#include "engine/listeners.h"

#include "engine/errands.h"
#include "engine/feed.h"
#include "engine/lateness.h"
#include "engine/mailer.h"
#include "engine/maintenance.h"
#include "engine/marks.h"
#include "engine/recorder.h"
#include "engine/replays.h"
#include "engine/services.h"
#include "engine/work.h"

enum {
    ACCOUNT = CHANGE_BIT(CHANGE_ACCOUNT),
    NOTIFICATION = CHANGE_BIT(CHANGE_NOTIFICATION),
    WAITING = CHANGE_BIT(CHANGE_WAITING),
    RETRIED = CHANGE_BIT(CHANGE_RETRIED),
    RESENT = CHANGE_BIT(CHANGE_RESENT),
    CANCELLED = CHANGE_BIT(CHANGE_CANCELLED),
    REPLAY = CHANGE_BIT(CHANGE_REPLAY),
    ERRAND = CHANGE_BIT(CHANGE_ERRAND),
    MAINTENANCE = CHANGE_BIT(CHANGE_MAINTENANCE),
    LETTER = CHANGE_BIT(CHANGE_LETTER),
    LANE = CHANGE_BIT(CHANGE_LANE_DOWN) | CHANGE_BIT(CHANGE_LANE_READY),
    EPISODE = CHANGE_BIT(CHANGE_EPISODE),
    TOUCHED = CHANGE_BIT(CHANGE_TOUCHED),
    EVERYTHING = CHANGE_BIT(CHANGE_EVERYTHING),
    POSTBACKS = WAITING | RETRIED | RESENT | CANCELLED,
};

/* What other nodes have changed comes from them once a second. */
static void hear_mark(const struct services *services, const struct change *change)
{
    if (change->from == 0)
        marks_note(services->marks, change->account);
}

static void hear_touched(const struct services *services, const struct change *change)
{
    marks_heard(services->marks, change);
}

static void hear_count(const struct services *services, const struct change *change)
{
    recorder_touch(services->recorder, change->notification, change->account);
}

static void hear_waiting(const struct services *services, const struct change *change)
{
    if (change->from == 0)
        outcomes_seen(services->outcomes, change->id);
    lateness_wanted(services->lateness);
    if (!work_owns(services->work, change->notification))
        return; /* whose it is hears of it too */
    struct feed *feed = feed_of(services->feeds, change->notification);
    if (change->from != 0)
        feed_others_wait(feed);
    if (change->due_at != -1)
        feed_hint(feed, change->due_at);
}

static void hear_lane(const struct services *services, const struct change *change)
{
    struct feed *feed = feed_find(services->feeds, change->notification);
    if (feed != NULL)
        feed_owner_says(feed, change->kind == CHANGE_LANE_DOWN);
}

static void hear_notification(const struct services *services, const struct change *change)
{
    struct feed *feed = feed_find(services->feeds, change->notification);
    if (feed == NULL && work_owns(services->work, change->notification))
        feed = feed_of(services->feeds, change->notification);
    if (feed != NULL)
        feed_changed(feed);
}

static void hear_retried(const struct services *services, const struct change *change)
{
    if (work_owns(services->work, change->notification))
        feed_retried(feed_of(services->feeds, change->notification));
}

static void hear_resent(const struct services *services, const struct change *change)
{
    if (work_owns(services->work, change->notification))
        feed_resent(feed_of(services->feeds, change->notification));
}

static void hear_cancelled(const struct services *services, const struct change *change)
{
    struct feed *feed = feed_find(services->feeds, change->notification);
    if (feed != NULL)
        feed_cancelled(feed, change->id);
}

static void hear_replay(const struct services *services, const struct change *change)
{
    replays_begun(services->replays, change->id, change->notification);
}

static void hear_errand(const struct services *services, const struct change *change)
{
    errands_begun(services->errands, change->account);
}

static void hear_maintenance(const struct services *services, const struct change *change)
{
    (void)change;
    maintenance_changed(services->pause);
}

static void hear_letter(const struct services *services, const struct change *change)
{
    (void)change;
    mailer_wanted(services->mailer);
}

static void hear_episode(const struct services *services, const struct change *change)
{
    lateness_heard(services->lateness, change);
}

/* Other nodes have changed what nobody knows here: all that is in memory is looked at again. */
static void hear_everything(const struct services *services, const struct change *change)
{
    size_t at = 0;
    (void)change;
    for (struct feed *feed; (feed = feeds_each(services->feeds, &at)) != NULL;)
        feed_changed(feed);
    feeds_take(services->feeds);
    replays_take(services->replays);
    maintenance_changed(services->pause);
    mailer_wanted(services->mailer);
    lateness_wanted(services->lateness);
}

static const struct {
    unsigned kinds;
    void (*hear)(const struct services *services, const struct change *change);
} listeners[] = {
    { ACCOUNT | NOTIFICATION | POSTBACKS | ERRAND, hear_mark },
    { NOTIFICATION | POSTBACKS, hear_count },
    { WAITING, hear_waiting },
    { LANE, hear_lane },
    { NOTIFICATION, hear_notification },
    { RETRIED, hear_retried },
    { RESENT, hear_resent },
    { CANCELLED, hear_cancelled },
    { REPLAY, hear_replay },
    { ERRAND, hear_errand },
    { MAINTENANCE, hear_maintenance },
    { LETTER, hear_letter },
    { EPISODE, hear_episode },
    { TOUCHED, hear_touched },
    { EVERYTHING, hear_everything },
};

void listeners_hear(void *context, const struct change *change)
{
    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        if ((listeners[i].kinds & CHANGE_BIT(change->kind)) != 0)
            listeners[i].hear(context, change);
    }
}
