/* touched.c — one small transaction a second while something changes, and one in half a minute
 * while nothing does, so that a node that has just come knows where the others stand.
 *
 * What fails is not told again by name: the next one says that any account may have changed.
 */
#include "engine/touched.h"

#include "base/fail.h"
#include "db/tx.h"

#include <stdlib.h>

enum { EVERY_MS = 1000, IDLE_TIMES = 30 };

struct touched {
    struct work *work;
    struct marks *marks;
    struct periodic *timer;
    int still; /* looks since it has told something */
};

struct telling {
    struct service_job job;
    struct change *changes;
    size_t count;
};

static bool tell_run(struct job *job, struct db *db)
{
    const struct telling *telling = (struct telling *)job;
    for (size_t i = 0; i < telling->count; i++)
        tx_note(db_tx(db), telling->changes[i]);
    return true;
}

static void tell_done(struct job *job, bool ok)
{
    struct telling *telling = (struct telling *)job;
    struct touched *touched = work_done(job);
    if (!ok)
        marks_forget(touched->marks);
    free(telling->changes);
    free(telling);
    periodic_done(touched->timer);
}

static void look(void *context)
{
    struct touched *touched = context;
    struct change *changes;
    if (!touched->work->writable || touched->work->stopping)
        return;
    size_t count = marks_tell(touched->marks, ++touched->still >= IDLE_TIMES, &changes);
    if (count == 0)
        return;
    touched->still = 0;
    periodic_begin(touched->timer);
    struct telling *telling =
        work_add(touched->work, touched, sizeof(*telling), tell_run, tell_done);
    telling->changes = changes;
    telling->count = count;
    telling->job.job.sure = true;
    work_write(&telling->job);
}

struct touched *touched_new(struct work *work, struct marks *marks)
{
    if (!membership_shared(work->membership))
        return NULL;
    struct touched *touched = must_alloc(sizeof(*touched));
    *touched = (struct touched){ .work = work, .marks = marks };
    touched->still = IDLE_TIMES; /* the first look tells that it is there */
    touched->timer = periodic_new(&work->timers, EVERY_MS, look, touched);
    return touched;
}

void touched_free(struct touched *touched)
{
    if (touched == NULL)
        return;
    periodic_free(touched->timer);
    free(touched);
}
