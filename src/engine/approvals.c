/* approvals.c — accepts the inquiries whose approval rule has come due.
 *
 * One write job at a time; as long as one finds a full batch the next follows at once, otherwise
 * the clock asks again.
 */
#include "engine/approvals.h"

#include "base/fail.h"
#include "store/inquiries.h"

#include <stdlib.h>

enum { EVERY_MS = 10000, BATCH = 50 };

struct approvals {
    struct work *work;
    struct periodic *timer;
};

struct approval_job {
    struct service_job job;
    int approved;
};

static bool approval_run(struct job *job, struct db *db)
{
    ((struct approval_job *)job)->approved = inquiry_approve_due(job, db, BATCH);
    return true;
}

static void approval_done(struct job *job, bool ok)
{
    struct approvals *approvals = work_done(job);
    if (ok && ((struct approval_job *)job)->approved == BATCH)
        periodic_in(approvals->timer, 0);
    periodic_done(approvals->timer);
    free(job);
}

static void approvals_look(void *context)
{
    struct approvals *approvals = context;
    if (!approvals->work->writable)
        return;
    periodic_begin(approvals->timer);
    struct approval_job *job =
        work_add(approvals->work, approvals, sizeof(*job), approval_run, approval_done);
    work_write(&job->job);
}

struct approvals *approvals_new(struct work *work)
{
    struct approvals *approvals = must_alloc(sizeof(*approvals));
    approvals->work = work;
    approvals->timer = periodic_new(&work->timers, EVERY_MS, approvals_look, approvals);
    return approvals;
}

void approvals_free(struct approvals *approvals)
{
    if (approvals != NULL)
        periodic_free(approvals->timer);
    free(approvals);
}
