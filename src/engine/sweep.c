/* sweep.c — a rule, its state as of the last step that was committed, and the time of the next. */
#include "engine/sweep.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 1000,
    REST_MOST_MS = 1000,
    WRITES_MANY = 1000, /* waiting: then it rests longer */
    REST_LONGER = 4,
};

struct sweep {
    struct work *work;
    const struct sweep_rule *rule;
    struct periodic *timer;
    int64_t age_ms;
    bool rests; /* others do it: when it begins again it does so from the start */
    struct sweep_clock clock;
    _Alignas(max_align_t) char state[];
};

struct sweep_job {
    struct service_job job;
    const struct sweep_rule *rule;
    struct sweep_times times;
    int64_t took_us;
    bool more;
    _Alignas(max_align_t) char state[]; /* before the step, and behind it that after the step */
};

static bool step_run(struct job *job, struct db *db)
{
    struct sweep_job *step = (struct sweep_job *)job;
    int64_t start_us = clock_steady_us();
    char *after = step->state + step->rule->size;
    memcpy(after, step->state, step->rule->size); /* it may be undone, and come again */
    step->more = step->rule->step(job, db, after, &step->times);
    step->took_us = clock_steady_us() - start_us;
    return true;
}

static int64_t rest_ms(const struct sweep *sweep, int64_t took_us)
{
    const struct sweep_rule *rule = sweep->rule;
    int64_t rest = rule->share > 0 ? took_us * (rule->share - 1) / 1000 : 0;
    if (rest < rule->rest_ms)
        rest = rule->rest_ms;
    if (rule->share > 0 && store_writes_waiting(sweep->work->store) > WRITES_MANY)
        rest *= REST_LONGER;
    return rest < REST_MOST_MS ? rest : REST_MOST_MS;
}

static void step_done(struct job *job, bool ok)
{
    struct sweep_job *step = (struct sweep_job *)job;
    struct sweep *sweep = work_done(job);
    periodic_done(sweep->timer);
    if (ok)
        memcpy(sweep->state, step->state + sweep->rule->size, sweep->rule->size);
    if (ok && sweep->rule->stepped != NULL)
        sweep->rule->stepped(sweep->state);
    if (sweep->age_ms != 0)
        periodic_in(sweep->timer, !ok          ? RETRY_MS
                                  : step->more ? rest_ms(sweep, step->took_us)
                                               : sweep->rule->every_ms);
    free(step);
}

void sweep_clock_start(struct sweep_clock *clock)
{
    *clock = (struct sweep_clock){ clock_steady_ms(), clock_wall_ms() };
}

int64_t sweep_clock_now(const struct sweep_clock *clock)
{
    int64_t wall = clock_wall_ms(), most = clock->wall_ms + clock_steady_ms() - clock->steady_ms;
    return wall < most ? wall : most;
}

static void look(void *context)
{
    struct sweep *sweep = context;
    size_t size = sweep->rule->size;
    if (!work_on_duty(sweep->work))
        sweep->rests = true;
    if (!sweep->work->writable || !work_on_duty(sweep->work)) {
        periodic_in(sweep->timer, RETRY_MS);
        return;
    }
    if (sweep->rests)
        memset(sweep->state, 0, size);
    sweep->rests = false;
    struct sweep_job *step =
        work_add(sweep->work, sweep, sizeof(*step) + 2 * size, step_run, step_done);
    step->rule = sweep->rule;
    step->times = (struct sweep_times){ sweep_clock_now(&sweep->clock), sweep->age_ms };
    memcpy(step->state, sweep->state, size);
    periodic_begin(sweep->timer);
    work_write(&step->job);
}

struct sweep *sweep_new(struct work *work, const struct sweep_rule *rule, int64_t age_ms)
{
    struct sweep *sweep = must_alloc(sizeof(*sweep) + rule->size);
    sweep->work = work;
    sweep->rule = rule;
    sweep_clock_start(&sweep->clock);
    sweep->timer = periodic_new(&work->timers, 0, look, sweep);
    sweep_set_age(sweep, age_ms);
    return sweep;
}

void sweep_free(struct sweep *sweep)
{
    if (sweep != NULL)
        periodic_free(sweep->timer);
    free(sweep);
}

void sweep_set_age(struct sweep *sweep, int64_t age_ms)
{
    bool idle = sweep->age_ms == 0; /* else a look is to come, and takes the new age */
    sweep->age_ms = age_ms;
    if (age_ms == 0)
        periodic_rest(sweep->timer);
    else if (idle)
        periodic_in(sweep->timer, sweep->rule->first_ms);
}

const void *sweep_state(const struct sweep *sweep)
{
    return sweep->state;
}
