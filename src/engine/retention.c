/* retention.c — a walk over what is on disk (store/retention.h), with a tenth of the writer's time.
 *
 * Once nothing old is left it looks again every ten seconds from its place, and once a day from the
 * oldest row: for what had not ended when it went by.
 */
#include "engine/retention.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/metrics.h"
#include "store/retention.h"

enum {
    STEP_ROWS = 500,
    FIRST_MS = 1000,
    LOOK_EVERY_MS = 10000,
    REST_LEAST_MS = 5,
    SHARE = 10,
    OVER_AGAIN_MS = 24 * 3600 * 1000,
};

struct keeper {
    struct retention walk;
    int64_t began_ms; /* this walk, steady clock; 0: none has begun */
};

static bool keep_step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    struct keeper *keeper = state;
    int64_t now = clock_steady_ms();
    if (keeper->began_ms == 0 || (keeper->walk.whole && now - keeper->began_ms >= OVER_AGAIN_MS)) {
        keeper->walk.place = 0;
        keeper->began_ms = now;
    }
    keeper->walk.before_ms = times->now_ms - times->age_ms;
    retention_step(db, &keeper->walk, STEP_ROWS);
    return !keeper->walk.whole;
}

static void kept(const void *state)
{
    const struct keeper *keeper = state;
    metric_add(METRIC_OLD_POSTBACKS, keeper->walk.postbacks);
    metric_add(METRIC_OLD_ATTEMPTS, keeper->walk.attempts);
    metric_add(METRIC_OLD_EVENTS, keeper->walk.events);
}

struct sweep *retention_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .first_ms = FIRST_MS,
        .every_ms = LOOK_EVERY_MS,
        .rest_ms = REST_LEAST_MS,
        .share = SHARE,
        .size = sizeof(struct keeper),
        .step = keep_step,
        .stepped = kept,
    };
    return sweep_new(work, &rule, 0);
}

int64_t retention_oldest_at(const struct sweep *retention)
{
    int64_t oldest = ((const struct keeper *)sweep_state(retention))->walk.oldest;
    return oldest != 0 ? id_time_ms(oldest) : -1;
}
