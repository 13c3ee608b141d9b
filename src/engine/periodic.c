/* periodic.c — a time to fire at, and whether what was begun goes on.
 *
 * `next_at` is NEVER, or when it is to fire.  While one runs the loop's timer stands still and only
 * `next_at` changes.
 *
 * A timer of the loop that comes before base/clock.h says so waits for the rest: what is due is
 * decided by that clock alone, which may be a test's.
 */
#include "engine/periodic.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>

#define NEVER INT64_MAX

enum { LONG_MS = 2000, GRAIN_MS = 250 };

struct periodic {
    struct periodics *all;
    struct list in;
    int64_t period_ms, next_at; /* steady ms */
    bool runs;
    void (*fire)(void *context);
    void *context;
    uv_timer_t timer;
};

static void came(uv_timer_t *timer);

static void arm(struct periodic *periodic)
{
    if (periodic->runs || periodic->next_at == NEVER || periodic->all->stopped) {
        uv_timer_stop(&periodic->timer);
        return;
    }
    int64_t now = clock_steady_ms(), wait = periodic->next_at - now;
    if (wait >= LONG_MS) /* to a whole grain, where others wait too */
        wait += GRAIN_MS - 1 - (periodic->next_at + GRAIN_MS - 1) % GRAIN_MS;
    uv_update_time(periodic->all->loop); /* after a long turn it would come early */
    uv_timer_start(&periodic->timer, came, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void fire_if_due(struct periodic *periodic)
{
    int64_t period = periodic->period_ms, late = clock_steady_ms() - periodic->next_at;
    if (periodic->all->stopped || periodic->runs || late < 0)
        return;
    periodic->next_at = period > 0 ? periodic->next_at + (late / period + 1) * period : NEVER;
    periodic->fire(periodic->context);
}

static void came(uv_timer_t *timer)
{
    struct periodic *periodic = timer->data;
    fire_if_due(periodic);
    if (!uv_is_closing((uv_handle_t *)timer))
        arm(periodic);
}

void periodics_init(struct periodics *all, uv_loop_t *loop)
{
    *all = (struct periodics){ .loop = loop };
    list_init(&all->all);
}

void periodics_stop(struct periodics *all)
{
    all->stopped = true;
    for (struct list *node = all->all.next; node != &all->all; node = node->next)
        arm(container_of(node, struct periodic, in));
}

void periodics_run_due(struct periodics *all)
{
    struct list *next;
    for (struct list *node = all->all.next; node != &all->all; node = next) {
        struct periodic *periodic = container_of(node, struct periodic, in);
        next = node->next;
        came(&periodic->timer);
    }
}

struct periodic *periodic_new(struct periodics *all, int64_t period_ms, void (*fire)(void *context),
                              void *context)
{
    struct periodic *periodic = must_alloc(sizeof(*periodic));
    *periodic = (struct periodic){
        .all = all,
        .period_ms = period_ms,
        .next_at = period_ms > 0 ? clock_steady_ms() + period_ms : NEVER,
        .fire = fire,
        .context = context,
    };
    uv_timer_init(all->loop, &periodic->timer);
    uv_unref((uv_handle_t *)&periodic->timer);
    periodic->timer.data = periodic;
    list_append(&all->all, &periodic->in);
    arm(periodic);
    return periodic;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void periodic_free(struct periodic *periodic)
{
    if (periodic == NULL)
        return;
    list_remove(&periodic->in);
    uv_close((uv_handle_t *)&periodic->timer, closed);
}

void periodic_in(struct periodic *periodic, int64_t ms)
{
    periodic->next_at = clock_steady_ms() + (ms > 0 ? ms : 0);
    arm(periodic);
}

void periodic_rest(struct periodic *periodic)
{
    periodic->next_at = NEVER;
    arm(periodic);
}

bool periodic_rests(const struct periodic *periodic)
{
    return periodic->next_at == NEVER;
}

void periodic_begin(struct periodic *periodic)
{
    if (periodic->runs)
        bug("a periodic that runs was begun");
    periodic->runs = true;
    arm(periodic);
}

void periodic_done(struct periodic *periodic)
{
    periodic->runs = false;
    arm(periodic);
}

bool periodic_runs(const struct periodic *periodic)
{
    return periodic->runs;
}
