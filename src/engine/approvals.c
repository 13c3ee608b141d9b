/* approvals.c — accepts the inquiries whose approval rule has come due.
 *
 * One write job at a time; as long as one finds a full batch the next follows at once, otherwise
 * the clock asks again.
 */
#include "engine/state.h"
#include "store/inquiries.h"

#include <stdlib.h>

enum { EVERY_MS = 10000, BATCH = 50 };

struct approval_job {
    struct engine_job job;
    int approved;
};

static void look(struct engine *engine);

static bool approval_run(struct job *job, struct db *db)
{
    struct approval_job *approval = (struct approval_job *)job;
    approval->approved = inquiry_approve_due(job, db, BATCH);
    return true;
}

static void approval_done(struct job *job, bool ok)
{
    struct engine *engine = engine_job_done(job);
    bool full = ok && ((struct approval_job *)job)->approved == BATCH;
    free(job);
    engine->approving = false;
    if (full)
        look(engine);
}

static void look(struct engine *engine)
{
    if (engine->approving || engine->work.stopping || !engine->work.writable)
        return;
    engine->approving = true;
    struct approval_job *job = engine_job_new(engine, sizeof(*job), approval_run, approval_done);
    store_write(engine->store, &job->job.job);
}

static void fired(uv_timer_t *timer)
{
    look(timer->data);
}

void approvals_start(struct engine *engine)
{
    uv_timer_init(engine->loop, &engine->approval_timer);
    engine->approval_timer.data = engine;
    uv_timer_start(&engine->approval_timer, fired, EVERY_MS, EVERY_MS);
    uv_unref((uv_handle_t *)&engine->approval_timer);
}

void approvals_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->approval_timer, NULL);
}
