/* dedupe.c — takes away the keys that are a day old, in small steps.
 *
 * One write job at a time; as long as one finds a full step the next follows, otherwise the clock
 * asks again.
 */
#include "engine/dedupe.h"

#include "base/fail.h"
#include "store/dedupe.h"
#include "store/idempotency.h"

#include <stdlib.h>

enum { EVERY_MS = 60000, REST_MS = 20, STEP = 500 };

struct sweeper {
    struct work *work;
    struct periodic *timer;
};

struct sweep_job {
    struct service_job job;
    int expired;
};

static bool sweep_run(struct job *job, struct db *db)
{
    int keys = idempotency_expire(db, STEP), events = dedupe_expire(db, STEP);
    ((struct sweep_job *)job)->expired = keys > events ? keys : events;
    return true;
}

static void sweep_done(struct job *job, bool ok)
{
    struct sweeper *sweeper = work_done(job);
    if (ok && ((struct sweep_job *)job)->expired == STEP)
        periodic_in(sweeper->timer, REST_MS);
    periodic_done(sweeper->timer);
    free(job);
}

static void sweep(void *context)
{
    struct sweeper *sweeper = context;
    if (!sweeper->work->writable)
        return;
    periodic_begin(sweeper->timer);
    struct sweep_job *job = work_add(sweeper->work, sweeper, sizeof(*job), sweep_run, sweep_done);
    work_write(&job->job);
}

struct sweeper *dedupe_new(struct work *work)
{
    struct sweeper *sweeper = must_alloc(sizeof(*sweeper));
    sweeper->work = work;
    sweeper->timer = periodic_new(&work->timers, EVERY_MS, sweep, sweeper);
    return sweeper;
}

void dedupe_free(struct sweeper *sweeper)
{
    if (sweeper != NULL)
        periodic_free(sweeper->timer);
    free(sweeper);
}
