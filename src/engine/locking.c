/* locking.c — every ten seconds, in steps of fifty actions of a brand, in a quarter of the writer's
 * time.
 *
 * Many actions come due at once, as at the end of a month.  Brands take turns by steps, so a brand
 * of a million actions holds up no other one's; its state is whose turn it was.
 */
#include "engine/locking.h"

#include "store/actions.h"

enum { FIRST_MS = 1000, EVERY_MS = 10000, BATCH = 50, SHARE = 4 };

struct turns {
    int64_t locked, cleared; /* the brands of the last step; 0: the round begins anew */
};

static bool step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    struct turns *turns = state;
    (void)times;
    int locked = action_step_due(job, db, ACTION_LOCK, &turns->locked, BATCH);
    int cleared = action_step_due(job, db, ACTION_CLEAR, &turns->cleared, BATCH);
    return locked + cleared > 0;
}

struct sweep *locking_new(struct work *work)
{
    static const struct sweep_rule rule = { .first_ms = FIRST_MS,
                                            .every_ms = EVERY_MS,
                                            .share = SHARE,
                                            .size = sizeof(struct turns),
                                            .step = step };
    return sweep_new(work, &rule, 1);
}
