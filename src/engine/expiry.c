/* expiry.c — a walk over what waits (store/expiry.h), a look each second. */
#include "engine/expiry.h"

#include "store/expiry.h"

enum { LOOK_EVERY_MS = 1000, REST_MS = 20 };

static bool give_up(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    int64_t *place = state;
    struct expiry walk = { .place = *place, .before_ms = times->now_ms - times->age_ms };
    expiry_step(db, &walk, times->age_ms / 1000);
    *place = walk.place;
    return !walk.whole;
}

struct sweep *expiry_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .first_ms = LOOK_EVERY_MS,
        .every_ms = LOOK_EVERY_MS,
        .rest_ms = REST_MS,
        .size = sizeof(int64_t), /* where the walk goes on */
        .step = give_up,
    };
    return sweep_new(work, &rule, 0);
}
