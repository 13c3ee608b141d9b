/* expiry.c — a walk over what waits (store/expiry.h), a look each second. */
#include "engine/expiry.h"

#include "base/metrics.h"
#include "store/expiry.h"

enum { LOOK_EVERY_MS = 1000, REST_MS = 20 };

struct giving_up {
    int64_t place; /* of the walk */
    int64_t count; /* given up by the last step */
};

static bool give_up(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    struct giving_up *giving_up = state;
    struct expiry walk = { .place = giving_up->place, .before_ms = times->now_ms - times->age_ms };
    expiry_step(db, &walk, times->age_ms / 1000);
    giving_up->place = walk.place;
    giving_up->count = (int64_t)walk.count;
    return !walk.whole;
}

static void given_up(const void *state)
{
    metric_add(METRIC_EXPIRED, ((const struct giving_up *)state)->count);
}

struct sweep *expiry_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .first_ms = LOOK_EVERY_MS,
        .every_ms = LOOK_EVERY_MS,
        .rest_ms = REST_MS,
        .size = sizeof(struct giving_up),
        .step = give_up,
        .stepped = given_up,
    };
    return sweep_new(work, &rule, 0);
}
