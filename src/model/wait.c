/* wait.c — the reasons in turn, the first that holds is told. */
#include "model/wait.h"

#include "model/date.h"

static const char *const names[WAIT_REASONS] = {
    [WAIT_MAINTENANCE] = "MAINTENANCE",
    [WAIT_STORE] = "STORE",
    [WAIT_PAUSED] = "PAUSED",
    [WAIT_HELD] = "HELD",
    [WAIT_DOWN] = "RECEIVER_DOWN",
    [WAIT_ORDER] = "ORDER",
    [WAIT_RETRY] = "RETRY",
    [WAIT_DELAY] = "DELAY",
    [WAIT_RATE] = "RATE",
    [WAIT_CONCURRENCY] = "CONCURRENCY",
    [WAIT_MEMORY] = "MEMORY",
    [WAIT_TURN] = "TURN",
};

const char *wait_reason_name(enum wait_reason reason)
{
    return names[reason];
}

/* What lets nothing at all of the notification out. */
static bool is_stopped(const struct wait_facts *facts, struct wait *wait)
{
    if (facts->maintenance)
        *wait =
            (struct wait){ WAIT_MAINTENANCE, facts->maintenance_since, facts->maintenance_until };
    else if (facts->store)
        *wait = (struct wait){ WAIT_STORE, DATE_NONE, DATE_NONE };
    else if (facts->state == NOTIFICATION_PAUSED)
        *wait = (struct wait){ WAIT_PAUSED, facts->state_since, DATE_NONE };
    else if (facts->state == NOTIFICATION_HELD)
        *wait = (struct wait){ WAIT_HELD, facts->state_since, DATE_NONE };
    else
        return false;
    return true;
}

/* It would go out, if there was room. */
static enum wait_reason room_of(const struct wait_facts *facts)
{
    if (facts->paced)
        return WAIT_RATE;
    if (facts->busy)
        return WAIT_CONCURRENCY;
    return facts->full ? WAIT_MEMORY : WAIT_TURN;
}

struct wait wait_of(const struct wait_facts *facts)
{
    struct wait wait;
    if (is_stopped(facts, &wait))
        return wait;
    if (facts->down) {
        int64_t until = facts->probe_at > facts->now ? facts->probe_at : DATE_NONE;
        return (struct wait){ WAIT_DOWN, facts->down_since, until };
    }
    if (facts->behind)
        return (struct wait){ WAIT_ORDER, facts->created_at, DATE_NONE };
    if (facts->due_at > facts->now && facts->attempts > 0)
        return (struct wait){ WAIT_RETRY, DATE_NONE, facts->due_at };
    if (facts->due_at > facts->now)
        return (struct wait){ WAIT_DELAY, facts->created_at, facts->due_at };
    return (struct wait){ room_of(facts), facts->due_at, DATE_NONE };
}
