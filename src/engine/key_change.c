/* key_change.c — a read every few seconds; only when something waits does a write job follow, and
 * a sweep over what is sealed. */
#include "engine/key_change.h"

#include "base/fail.h"
#include "base/log.h"
#include "engine/sweep.h"
#include "store/key_change.h"

#include <stdlib.h>

enum { LOOK_MS = 5000, BUSY_MS = 500, SHARE = 10 };

struct key_changer {
    struct work *work;
    struct periodic *timer;
    struct sweep *sweep;
};

struct key_job {
    struct service_job job;
    bool waits, good;
    struct error error;
};

static bool step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    (void)times;
    return key_change_step(db, state);
}

enum rest { REST_LONG, REST_BUSY, REST_FAILED };

static void rest(struct key_changer *changer, enum rest how)
{
    sweep_set_age(changer->sweep, how == REST_BUSY ? 1 : 0);
    if (how != REST_LONG || membership_shared(changer->work->membership))
        periodic_in(changer->timer, how == REST_BUSY ? BUSY_MS : LOOK_MS);
}

static bool follow_run(struct job *inner, struct db *db)
{
    struct key_job *job = (struct key_job *)inner;
    job->good = key_change_follow(db, &job->error);
    if (job->good)
        key_change_tell(db);
    job->waits = key_change_waits(db);
    return true;
}

static void follow_done(struct job *inner, bool ok)
{
    struct key_job *job = (struct key_job *)inner;
    struct key_changer *changer = work_done(inner);
    periodic_done(changer->timer);
    if (ok && !job->good)
        log_warn("the key cannot be changed", LOG_T("error", job->error.message));
    rest(changer, !ok || !job->good ? REST_FAILED : job->waits ? REST_BUSY : REST_LONG);
    free(job);
}

static bool look_run(struct job *inner, struct db *db)
{
    struct key_job *job = (struct key_job *)inner;
    job->waits = key_change_waits(db);
    return true;
}

static void look_done(struct job *inner, bool ok)
{
    struct key_job *job = (struct key_job *)inner;
    struct key_changer *changer = work_done(inner);
    periodic_done(changer->timer);
    bool follows = ok && job->waits && !changer->work->stopping;
    free(job);
    if (!follows) {
        rest(changer, ok ? REST_LONG : REST_FAILED);
        return;
    }
    periodic_begin(changer->timer);
    job = work_add(changer->work, changer, sizeof(*job), follow_run, follow_done);
    work_write(&job->job);
}

static void look(void *context)
{
    struct key_changer *changer = context;
    periodic_begin(changer->timer);
    struct key_job *job = work_add(changer->work, changer, sizeof(*job), look_run, look_done);
    work_read(&job->job);
}

void key_changer_look(struct key_changer *changer)
{
    periodic_in(changer->timer, 0);
}

struct key_changer *key_changer_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .every_ms = BUSY_MS, .share = SHARE, .size = sizeof(struct key_walk), .step = step
    };
    struct key_changer *changer = must_alloc(sizeof(*changer));
    *changer = (struct key_changer){ .work = work };
    changer->timer = periodic_new(&work->timers, 0, look, changer);
    changer->sweep = sweep_new(work, &rule, 0);
    key_changer_look(changer);
    return changer;
}

void key_changer_free(struct key_changer *changer)
{
    if (changer == NULL)
        return;
    sweep_free(changer->sweep);
    periodic_free(changer->timer);
    free(changer);
}
