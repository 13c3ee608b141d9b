/* retention.c — when old postbacks and events are deleted, and how gently.
 *
 * One write job at a time takes one step of the walk (store/retention.h).  After each the walk
 * rests nine times as long as the step took on the writer's thread, so that it has at most a tenth
 * of it, and four times longer while many writes wait.  Once nothing old is left it looks again
 * every ten seconds from its place, and once a day from the oldest row: for what had not ended when
 * it went by.
 *
 * The rule: time here never runs faster than the steady clock, so that a wall clock that jumps
 * ahead while the server runs does not make young rows old.
 */
#include "store/retention.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/metrics.h"
#include "engine/state.h"

#include <stdlib.h>

enum {
    STEP_ROWS = 500,
    FIRST_MS = 1000,
    LOOK_EVERY_MS = 10000,
    REST_LEAST_MS = 5,
    REST_MOST_MS = 1000,
    SHARE = 10,         /* one part in so many of the writer's time */
    WRITES_MANY = 1000, /* waiting: then it rests longer */
    OVER_AGAIN_MS = 24 * 3600 * 1000,
};

struct keeper {
    struct engine *engine;
    uv_timer_t timer;
    struct retention walk;
    int64_t keep_ms;            /* 0: for ever */
    int64_t steady_ms, wall_ms; /* when it started */
    int64_t began_ms;           /* this walk, steady clock */
    bool stepping;
};

struct keeper_job {
    struct engine_job job;
    struct retention from, walk; /* before the step, and behind it */
    int64_t took_us;
};

static void look(uv_timer_t *timer);

static void look_in(struct keeper *keeper, int64_t ms)
{
    if (keeper->engine->work.stopping || keeper->keep_ms == 0)
        return;
    uv_timer_start(&keeper->timer, look, (uint64_t)ms, 0);
    uv_unref((uv_handle_t *)&keeper->timer);
}

static bool step_run(struct job *job, struct db *db)
{
    struct keeper_job *step = (struct keeper_job *)job;
    int64_t start_us = clock_steady_us();
    step->walk = step->from;
    retention_step(db, &step->walk, STEP_ROWS);
    step->took_us = clock_steady_us() - start_us;
    return true;
}

static int64_t rest_ms(const struct keeper *keeper, int64_t took_us)
{
    int64_t rest = took_us * (SHARE - 1) / 1000;
    if (rest < REST_LEAST_MS)
        rest = REST_LEAST_MS;
    if (store_writes_waiting(keeper->engine->store) > WRITES_MANY)
        rest *= 4;
    return rest < REST_MOST_MS ? rest : REST_MOST_MS;
}

static void step_done(struct job *job, bool ok)
{
    struct keeper_job *step = (struct keeper_job *)job;
    struct keeper *keeper = engine_job_done(job)->keeper;
    keeper->stepping = false;
    if (!ok) { /* the place stays */
        look_in(keeper, REST_MOST_MS);
        free(step);
        return;
    }
    keeper->walk = step->walk;
    metric_add(METRIC_OLD_POSTBACKS, step->walk.postbacks);
    metric_add(METRIC_OLD_ATTEMPTS, step->walk.attempts);
    metric_add(METRIC_OLD_EVENTS, step->walk.events);
    look_in(keeper, keeper->walk.whole ? LOOK_EVERY_MS : rest_ms(keeper, step->took_us));
    free(step);
}

static int64_t now_ms(const struct keeper *keeper)
{
    int64_t wall = clock_wall_ms();
    int64_t most = keeper->wall_ms + clock_steady_ms() - keeper->steady_ms;
    return wall < most ? wall : most;
}

static void look(uv_timer_t *timer)
{
    struct keeper *keeper = timer->data;
    struct engine *engine = keeper->engine;
    if (engine->work.stopping || keeper->stepping)
        return;
    if (!engine->work.writable) {
        look_in(keeper, REST_MOST_MS);
        return;
    }
    if (keeper->walk.whole && clock_steady_ms() - keeper->began_ms >= OVER_AGAIN_MS) {
        keeper->walk.postback = keeper->walk.event = 0;
        keeper->began_ms = clock_steady_ms();
    }
    struct keeper_job *step = engine_job_new(engine, sizeof(*step), step_run, step_done);
    keeper->stepping = true;
    step->from = keeper->walk;
    step->from.before_ms = now_ms(keeper) - keeper->keep_ms;
    store_write(engine->store, &step->job.job);
}

void retention_start(struct engine *engine)
{
    struct keeper *keeper = must_alloc(sizeof(*keeper));
    *keeper = (struct keeper){ .engine = engine,
                               .steady_ms = clock_steady_ms(),
                               .wall_ms = clock_wall_ms(),
                               .began_ms = clock_steady_ms() };
    engine->keeper = keeper;
    uv_timer_init(engine->loop, &keeper->timer);
    keeper->timer.data = keeper;
}

void engine_keep(struct engine *engine, int64_t keep_ms)
{
    struct keeper *keeper = engine->keeper;
    bool idle = keeper->keep_ms == 0; /* else a look is to come, and takes the new time */
    keeper->keep_ms = keep_ms;
    if (keep_ms == 0)
        uv_timer_stop(&keeper->timer);
    else if (idle)
        look_in(keeper, FIRST_MS);
}

int64_t retention_oldest_at(const struct engine *engine)
{
    int64_t oldest = engine->keeper->walk.oldest;
    return oldest != 0 ? id_time_ms(oldest) : -1;
}

void retention_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->keeper->timer, NULL);
}

void retention_free(struct engine *engine)
{
    free(engine->keeper);
}
