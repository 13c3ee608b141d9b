/* recovery.c — at the start: what a crash or a stop left undelivered is taken up again.
 *
 * Rows that were FRESH become WAITING, due at once, under the same id and so the same webhook-id.
 * Every notification that has something waiting gets a feed that knows when; the rows themselves
 * stay on disk until their lane has room.
 */
#include "base/log.h"
#include "engine/state.h"

#include <stdlib.h>

struct recover_job {
    struct job job;
    int64_t recovered, floor;
    struct waiting *waiting;
    size_t count;
};

static bool recover_run(struct job *job, struct db *db)
{
    struct recover_job *recover = (struct recover_job *)job;
    recover->recovered = postback_recover(db);
    recover->floor = postback_floor_written(db);
    recover->count = postback_waiting(db, &recover->waiting);
    return true;
}

bool engine_recover(struct engine *engine, struct error *error)
{
    struct recover_job recover = { .job = { .run = recover_run } };
    if (!store_run_now(engine->store, &recover.job)) {
        error_set(error, recover.job.error.kind, "%s", recover.job.error.message);
        return false;
    }
    engine->floor = recover.floor;
    engine->newest = recover.floor - 1; /* none is FRESH; later ones are above it */
    for (size_t i = 0; i < recover.count; i++)
        feed_due(feed_of(engine, recover.waiting[i].notification), recover.waiting[i].due_at);
    log_info("recovered", LOG_N("undelivered", recover.recovered),
             LOG_N("notifications_waiting", (int64_t)recover.count));
    free(recover.waiting);
    return true;
}
