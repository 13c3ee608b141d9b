/* dedupe.c — takes away the DedupeKeys that are a day old, in small steps.
 *
 * One write job at a time; as long as one finds a full step the next follows, otherwise the clock
 * asks again.
 */
#include "store/dedupe.h"

#include "base/fail.h"
#include "engine/state.h"
#include "store/idempotency.h"

#include <stdlib.h>

enum { EVERY_MS = 60000, REST_MS = 20, STEP = 500 };

struct sweeper {
    struct engine *engine;
    uv_timer_t timer;
};

struct sweep_job {
    struct engine_job job;
    int expired;
};

static void sweep(uv_timer_t *timer);

static void sweep_in(struct sweeper *sweeper, uint64_t ms)
{
    uv_timer_start(&sweeper->timer, sweep, ms, 0);
    uv_unref((uv_handle_t *)&sweeper->timer);
}

static bool sweep_run(struct job *job, struct db *db)
{
    int keys = idempotency_expire(db, STEP), events = dedupe_expire(db, STEP);
    ((struct sweep_job *)job)->expired = keys > events ? keys : events;
    return true;
}

static void sweep_done(struct job *job, bool ok)
{
    struct engine *engine = engine_job_done(job);
    bool more = ok && ((struct sweep_job *)job)->expired == STEP;
    free(job);
    if (!engine->work.stopping) /* then the sweeper may be gone */
        sweep_in(engine->sweeper, more ? REST_MS : EVERY_MS);
}

static void sweep(uv_timer_t *timer)
{
    struct sweeper *sweeper = timer->data;
    struct engine *engine = sweeper->engine;
    if (engine->work.stopping)
        return;
    if (!engine->work.writable) {
        sweep_in(sweeper, EVERY_MS);
        return;
    }
    struct sweep_job *job = engine_job_new(engine, sizeof(*job), sweep_run, sweep_done);
    store_write(engine->store, &job->job.job);
}

void dedupe_start(struct engine *engine)
{
    struct sweeper *sweeper = must_alloc(sizeof(*sweeper));
    sweeper->engine = engine;
    engine->sweeper = sweeper;
    uv_timer_init(engine->loop, &sweeper->timer);
    sweeper->timer.data = sweeper;
    sweep_in(sweeper, EVERY_MS);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void dedupe_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->sweeper->timer, timer_closed);
}
