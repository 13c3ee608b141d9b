/* figures.c — gathered on the loop, and written by a job beside the writer's, one at a time. */
#include "api/figures.h"

#include "base/clock.h"
#include "base/fail.h"
#include "engine/recorder.h"

#include <stdlib.h>

struct figures {
    struct api *api;
    uv_timer_t timer;
    bool asked, closed; /* a job is under way; the timer is gone */
    bool freed;
};

struct figures_job {
    struct job job;
    struct figures *figures;
    struct node_figures now;
};

void figures_look(const struct api *api, struct node_figures *out)
{
    struct engine_figures engine;
    struct courier_figures courier;
    struct recorder_rates rates;
    int64_t now_ms = clock_wall_ms();
    engine_figures(api->engine, &engine);
    engine_courier_figures(api->engine, &courier);
    recorder_rates(engine_services(api->engine)->recorder, &rates);
    bool late = engine.oldest_due_at >= 0 && engine.oldest_due_at < now_ms;
    *out = (struct node_figures){ .of = {
                                      [FIGURE_IN_MEMORY] = engine.in_memory,
                                      [FIGURE_RECORDING] = engine.recording,
                                      [FIGURE_DELIVERED] = engine.delivered,
                                      [FIGURE_FAILED] = engine.failed,
                                      [FIGURE_DELIVERED_TENTHS] = (int64_t)(rates.delivered * 10),
                                      [FIGURE_FAILED_TENTHS] = (int64_t)(rates.failed * 10),
                                      [FIGURE_CONNECTIONS_IN] =
                                          (int64_t)server_connections(api->server),
                                      [FIGURE_CONNECTIONS_OUT] = courier.connections,
                                      [FIGURE_REQUESTS] = courier.in_flight,
                                      [FIGURE_LANES_READY] = courier.lanes[LANE_READY],
                                      [FIGURE_LANES_HELD] = courier.lanes[LANE_HELD],
                                      [FIGURE_LANES_DOWN] = courier.lanes[LANE_DOWN],
                                      [FIGURE_DESTINATIONS_DOWN] = courier.destinations_down,
                                      [FIGURE_OLDEST_DUE_S] =
                                          late ? (now_ms - engine.oldest_due_at) / 1000 : 0,
                                  } };
}

static void free_if_done(struct figures *figures)
{
    if (figures->freed && figures->closed && !figures->asked)
        free(figures);
}

static bool write_run(struct job *job, struct db *db)
{
    node_figures_write(db, &((struct figures_job *)job)->now);
    return true;
}

static void write_done(struct job *job, bool ok)
{
    struct figures *figures = ((struct figures_job *)job)->figures;
    (void)ok; /* then the next one is */
    figures->asked = false;
    free(job);
    free_if_done(figures);
}

static void tell(uv_timer_t *timer)
{
    struct figures *figures = timer->data;
    if (figures->asked)
        return;
    struct figures_job *job = must_alloc(sizeof(*job));
    job->job.run = write_run;
    job->job.done = write_done;
    job->figures = figures;
    figures_look(figures->api, &job->now);
    figures->asked = true;
    store_aside(figures->api->store, &job->job);
}

struct figures *figures_new(struct api *api)
{
    if (store_guard(api->store) == NULL)
        return NULL;
    struct figures *figures = must_alloc(sizeof(*figures));
    figures->api = api;
    uv_timer_init(api->loop, &figures->timer);
    figures->timer.data = figures;
    uv_timer_start(&figures->timer, tell, 0, NODE_FIGURES_EVERY_MS);
    uv_unref((uv_handle_t *)&figures->timer);
    return figures;
}

static void closed(uv_handle_t *timer)
{
    struct figures *figures = timer->data;
    figures->closed = true;
    free_if_done(figures);
}

void figures_free(struct figures *figures)
{
    if (figures == NULL)
        return;
    figures->freed = true;
    uv_close((uv_handle_t *)&figures->timer, closed);
}
