/* expiry.c — when undelivered postbacks are given up: at the operator's maximum age, if there is
 * one.
 *
 * One write job at a time takes a step of the walk (store/expiry.h); while there is more the next
 * follows after a rest, else after LOOK_EVERY_MS.
 *
 * The rule: time here never runs faster than the steady clock, so that a wall clock that jumps
 * ahead gives nothing up.
 */
#include "store/expiry.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/metrics.h"
#include "engine/state.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 1000, REST_MS = 20 };

struct giver_up {
    struct engine *engine;
    uv_timer_t timer;
    int64_t age_ms;             /* 0: never */
    int64_t place;              /* of the walk */
    int64_t steady_ms, wall_ms; /* when it started */
    bool stepping;
};

struct expiry_job {
    struct engine_job job;
    struct expiry walk;
    int64_t from; /* the place where the step begins */
    int64_t age_ms;
};

static void look(uv_timer_t *timer);

static void look_in(struct giver_up *giver, int64_t ms)
{
    if (giver->engine->work.stopping || giver->age_ms == 0)
        return;
    uv_timer_start(&giver->timer, look, (uint64_t)ms, 0);
    uv_unref((uv_handle_t *)&giver->timer);
}

static bool step_run(struct job *job, struct db *db)
{
    struct expiry_job *step = (struct expiry_job *)job;
    step->walk.place = step->from;
    expiry_step(db, &step->walk, step->age_ms / 1000);
    return true;
}

static void step_done(struct job *job, bool ok)
{
    struct expiry_job *step = (struct expiry_job *)job;
    struct engine *engine = engine_job_done(job);
    struct giver_up *giver = engine->giver_up;
    giver->stepping = false;
    if (ok) { /* else the place stays */
        giver->place = step->walk.place;
        metric_add(METRIC_EXPIRED, (int64_t)step->walk.count);
    }
    look_in(giver, ok && !step->walk.whole ? REST_MS : LOOK_EVERY_MS);
    free(step);
}

static int64_t now_ms(const struct giver_up *giver)
{
    int64_t wall = clock_wall_ms();
    int64_t most = giver->wall_ms + clock_steady_ms() - giver->steady_ms;
    return wall < most ? wall : most;
}

static void look(uv_timer_t *timer)
{
    struct giver_up *giver = timer->data;
    struct engine *engine = giver->engine;
    if (engine->work.stopping || giver->stepping)
        return;
    if (!engine->work.writable) {
        look_in(giver, LOOK_EVERY_MS);
        return;
    }
    struct expiry_job *step = engine_job_new(engine, sizeof(*step), step_run, step_done);
    giver->stepping = true;
    step->age_ms = giver->age_ms;
    step->from = giver->place;
    step->walk.before_ms = now_ms(giver) - giver->age_ms;
    store_write(engine->store, &step->job.job);
}

void expiry_start(struct engine *engine)
{
    struct giver_up *giver = must_alloc(sizeof(*giver));
    *giver = (struct giver_up){ .engine = engine,
                                .steady_ms = clock_steady_ms(),
                                .wall_ms = clock_wall_ms() };
    engine->giver_up = giver;
    uv_timer_init(engine->loop, &giver->timer);
    giver->timer.data = giver;
}

void engine_give_up(struct engine *engine, int64_t age_ms)
{
    struct giver_up *giver = engine->giver_up;
    bool idle = giver->age_ms == 0; /* else a look is to come, and takes the new age */
    giver->age_ms = age_ms;
    if (age_ms == 0)
        uv_timer_stop(&giver->timer);
    else if (idle)
        look_in(giver, LOOK_EVERY_MS);
}

void expiry_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->giver_up->timer, NULL);
}

void expiry_free(struct engine *engine)
{
    free(engine->giver_up);
}
