/* recovery.c — at the start: what a crash or a stop left undelivered is taken up again.
 *
 * Rows that were FRESH become WAITING, due at once, under the same id and so the same webhook-id,
 * and so do postbacks that had no row yet.  The rows themselves stay on disk until their lane has
 * room: what is given is when each notification has something to read.
 */
#include "engine/recovery.h"

#include "store/direct.h"

#include <stdlib.h>

struct recover_job {
    struct job job;
    struct recovered *out;
};

static bool recover_run(struct job *job, struct db *db)
{
    struct recovered *out = ((struct recover_job *)job)->out;
    out->undelivered = postback_recover(db);
    out->floor = direct_floor(db);
    free(out->waiting);
    out->count = postback_waiting(db, &out->waiting);
    return true;
}

bool recovery_run(struct store *store, struct recovered *out, struct error *error)
{
    struct recover_job recover = { .job = { .run = recover_run }, .out = out };
    *out = (struct recovered){ 0 };
    if (store_run_now(store, &recover.job))
        return true;
    error_set(error, recover.job.error.kind, "%s", recover.job.error.message);
    return false;
}

void recovery_free(struct recovered *recovered)
{
    free(recovered->waiting);
}

static bool leave_run(struct job *job, struct db *db)
{
    (void)job;
    postback_recover(db);
    return true;
}

static void leave_done(struct job *job, bool ok)
{
    (void)ok; /* the next start finds what it would have written */
    work_done(job);
    free(job);
}

void recovery_leave(struct work *work)
{
    struct service_job *job = work_add(work, work, sizeof(*job), leave_run, leave_done);
    work_write(job);
}
