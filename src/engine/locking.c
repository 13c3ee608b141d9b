/* locking.c — every five seconds, in steps of a millisecond, in half of the writer's time.
 *
 * Many actions come due at once, as at the end of a month: a million of them are to be locked
 * within a minute, and yet nobody's call is to wait long for its turn.  So a step ends by the
 * clock, and what others write goes between two of them.  Brands take turns, some actions at a
 * time, so a brand of a million actions holds up no other one's; its state is whose turn it was.
 */
#include "engine/locking.h"

#include "base/clock.h"
#include "store/actions.h"

enum { FIRST_MS = 1000, EVERY_MS = 5000, REST_MS = 1, SHARE = 2, TURN = 25, STEP_US = 1000 };

struct turns {
    int64_t locked, cleared; /* the brands of the last step; 0: the round begins anew */
};

/* One turn at least.  Whether there may be more. */
static bool take_due(struct job *job, struct db *db, enum action_step step, int64_t *brand,
                     int64_t until_us)
{
    int taken;
    do
        taken = action_step_due(job, db, step, brand, TURN);
    while (taken > 0 && clock_steady_us() < until_us);
    return taken > 0;
}

static bool step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    struct turns *turns = state;
    int64_t until_us = clock_steady_us() + STEP_US;
    (void)times;
    bool locks = take_due(job, db, ACTION_LOCK, &turns->locked, until_us);
    bool clears = take_due(job, db, ACTION_CLEAR, &turns->cleared, until_us);
    return locks || clears;
}

struct sweep *locking_new(struct work *work)
{
    static const struct sweep_rule rule = { .first_ms = FIRST_MS,
                                            .every_ms = EVERY_MS,
                                            .rest_ms = REST_MS,
                                            .share = SHARE,
                                            .size = sizeof(struct turns),
                                            .step = step };
    return sweep_new(work, &rule, 1);
}
