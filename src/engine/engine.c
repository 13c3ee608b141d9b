/* engine.c — where the store, the courier and time meet.
 *
 * Everything here runs on the loop thread and only passes on: fresh postbacks from a commit go to
 * their feeds (feed.c), attempts become outcomes (outcomes.c), a lane's changes wake its feed.
 * The rule: whatever the courier gives back is written before it is forgotten.
 */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "engine/approvals.h"
#include "engine/dedupe.h"
#include "engine/listeners.h"
#include "engine/observers.h"
#include "engine/recorder.h"
#include "engine/recovery.h"
#include "engine/retention.h"
#include "engine/state.h"
#include "model/date.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- jobs ---- */

void *engine_job_new(struct engine *engine, size_t size, bool (*run)(struct job *, struct db *),
                     void (*done)(struct job *, bool))
{
    struct engine_job *job = must_alloc(size);
    job->job.run = run;
    job->job.done = done;
    job->engine = engine;
    engine->work.under_way++;
    return job;
}

struct engine *engine_job_done(struct job *job)
{
    struct engine *engine = ((struct engine_job *)job)->engine;
    engine->work.under_way--;
    return engine;
}

/* ---- from the store ---- */

static void committed(void *context, struct list *postbacks)
{
    struct engine *engine = context;
    struct list *node;
    while ((node = list_first(postbacks)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        outcomes_seen(engine->outcomes, postback->id);
        lateness_wanted(engine->services.lateness);
        marks_note(&engine->marks, postback->event->account);
        recorder_touch(engine, postback->notification, postback->event->account);
        feed_accept(feed_of(engine->feeds, postback->notification), postback);
    }
}

static void health_changed(void *context, bool writable)
{
    struct engine *engine = context;
    if (engine->work.writable == writable)
        return;
    engine->work.writable = writable;
    /* Sending what cannot be recorded would only make duplicates. */
    holds_set(&engine->holds, HOLD_STORE, !writable);
    if (!writable) {
        log_error("store_unavailable", LOG_T("effect", "postbacks are held until it takes writes"));
        return;
    }
    log_info("store_available");
    outcomes_flush(engine->outcomes);
    size_t at = 0;
    struct feed *feed;
    while ((feed = feeds_each(engine->feeds, &at)) != NULL)
        feed_more(feed);
}

/* ---- from the courier ---- */

/* An Ordered notification has only its first to probe with: that may not wait longer than a probe.
 */
static int64_t wait_after(const struct attempt *attempt, enum verdict verdict, bool ordered)
{
    int64_t wait = backoff_ms(attempt->number, attempt->retry_after_ms, randombytes_random());
    int64_t most = backoff_probe_ms(INT16_MAX);
    bool probes = ordered && verdict == VERDICT_DESTINATION && attempt->retry_after_ms < 0;
    return probes && wait > most ? most : wait;
}

static void attempted(void *context, struct postback *postback, struct attempt *attempt,
                      enum verdict verdict)
{
    struct engine *engine = context;
    if (postback->test) {
        tester_answered(postback, attempt, verdict);
        return;
    }
    postback->attempts = attempt->number;
    struct ended ended = { postback, attempt, verdict, clock_steady_us(), -1 };
    if (verdict == VERDICT_DELIVERED && postback->accepted_us != 0 && attempt->number == 1)
        ended.latency_us = ended.at_us - postback->accepted_us;
    observers_tell(engine, &ended);
    if (verdict == VERDICT_DELIVERED) {
        outcomes_add(engine->outcomes, OUTCOME_ATTEMPTED, postback, attempt, verdict);
        return;
    }
    struct feed *feed = feed_of(engine->feeds, postback->notification);
    bool ordered = feed_is_ordered(feed);
    postback->due_at = clock_due_ms() + wait_after(attempt, verdict, ordered);
    if (ordered) /* or the next one overtakes */
        feed_recall(feed);
    if (verdict == VERDICT_GONE)
        feed_gone(feed);
    outcomes_add(engine->outcomes, OUTCOME_ATTEMPTED, postback, attempt, verdict);
}

static void hungry(void *context, int64_t notification)
{
    struct feed *feed = feed_find(((struct engine *)context)->feeds, notification);
    if (feed != NULL)
        feed_hungry(feed);
}

static void lane_changed(void *context, int64_t notification, enum lane_state state)
{
    struct engine *engine = context;
    struct feed *feed = feed_find(engine->feeds, notification);
    if (state == LANE_DOWN)
        lateness_down(engine->services.lateness, notification);
    if (state == LANE_DOWN)
        log_warn("destination_down", LOG_N("notification", notification));
    else if (state == LANE_READY)
        log_info("destination_up", LOG_N("notification", notification));
    if (feed != NULL)
        feed_down(feed, state == LANE_DOWN);
}

/* ---- from the services ---- */

static void settled(void *context, const struct settled *settled)
{
    struct engine *engine = context;
    struct feed *feed = feed_of(engine->feeds, settled->notification);
    bool attempted = settled->kind == OUTCOME_ATTEMPTED;
    if (settled->postback != NULL) {
        marks_note(&engine->marks, settled->postback->event->account);
        feed_forget(feed, settled->postback);
    }
    if (attempted && settled->verdict == VERDICT_GONE)
        feed_gone_settled(feed);
    if (!attempted || settled->verdict != VERDICT_DELIVERED)
        feed_waits(feed, settled->id, settled->due_at);
    else if (feed_is_ordered(feed))
        feed_hungry(feed); /* it may have been the last that a read waited for */
}

static void hold(void *context, bool held)
{
    courier_hold_all(((struct engine *)context)->courier, held);
}

/* For the pause: what waits does so for a receiver that is down, hangs, or for one that failed. */
static bool is_stuck(void *context, int64_t notification)
{
    struct engine *engine = context;
    const struct feed *feed = feed_find(engine->feeds, notification);
    return courier_stands(engine->courier, notification) || (feed != NULL && feed_rests(feed));
}

static void deleted(void *context, int64_t notification)
{
    lateness_gone(((struct engine *)context)->services.lateness, notification);
}

/* ---- from the API ---- */

enum retry_turn engine_retry_turn(struct engine *engine, int64_t notification, int64_t postback)
{
    enum lane_state state = courier_state(engine->courier, notification);
    if (feed_has(feed_of(engine->feeds, notification), postback) ||
        (state == LANE_READY && courier_queued(engine->courier, notification) == 0))
        return RETRY_NOW;
    if (state == LANE_DOWN)
        return RETRY_NEXT;
    return state == LANE_HELD ? RETRY_HELD : RETRY_IN_TURN;
}

int64_t engine_changes(struct engine *engine, int64_t account)
{
    return marks_of(&engine->marks, account, clock_steady_ms());
}

void engine_keep(struct engine *engine, int64_t keep_ms)
{
    sweep_set_age(engine->retention, keep_ms);
}

enum { CERTIFICATE_NOTICE_DAYS = 14 };

void engine_figures(const struct engine *engine, struct engine_figures *out)
{
    *out = (struct engine_figures){
        .accepted = metric_value(METRIC_POSTBACKS),
        .delivered = metric_value(METRIC_DELIVERED),
        .failed = metric_value(METRIC_FAILED),
        .in_memory = (int64_t)feeds_in_memory(engine->feeds),
        .recording = (int64_t)outcomes_recording(engine->outcomes),
        .oldest_due_at = -1,
        .oldest_kept_at = retention_oldest_at(engine->retention),
    };
    size_t at = 0;
    const struct feed *feed;
    int64_t ending_ms = date_add_days(clock_wall_ms(), CERTIFICATE_NOTICE_DAYS);
    while ((feed = feeds_each(engine->feeds, &at)) != NULL) {
        int64_t oldest = feed_oldest(feed);
        if (oldest != -1 && (out->oldest_due_at == -1 || oldest < out->oldest_due_at))
            out->oldest_due_at = oldest;
        if (!courier_has(engine->courier, feed_notification(feed)))
            continue;
        out->lanes++;
        out->certificates_ending += feed_certificate_ends(feed, ending_ms);
        out->lanes_down += courier_state(engine->courier, feed_notification(feed)) == LANE_DOWN;
    }
}

void engine_courier_figures(const struct engine *engine, struct courier_figures *out)
{
    courier_figures(engine->courier, out);
}

/* ---- life ---- */

static void turn(uv_prepare_t *prepare)
{
    outcomes_flush(((struct engine *)prepare->data)->outcomes);
}

static void start_timers(struct engine *engine)
{
    uv_prepare_init(engine->loop, &engine->turn);
    engine->turn.data = engine;
    uv_prepare_start(&engine->turn, turn);
    uv_unref((uv_handle_t *)&engine->turn);
    engine->approvals = approvals_new(&engine->work);
    engine->retention = retention_new(&engine->work);
    expiry_start(engine);
    replays_start(engine);
    engine->dedupe = dedupe_new(&engine->work);
    recorder_start(engine);
}

static bool recover(struct engine *engine, struct error *error)
{
    struct recovered recovered;
    if (!recovery_run(engine->store, &recovered, error))
        return false;
    outcomes_start(engine->outcomes, recovered.floor);
    for (size_t i = 0; i < recovered.count; i++)
        feed_due(feed_of(engine->feeds, recovered.waiting[i].notification),
                 recovered.waiting[i].due_at);
    log_info("recovered", LOG_N("undelivered", recovered.undelivered),
             LOG_N("notifications_waiting", (int64_t)recovered.count));
    recovery_free(&recovered);
    return true;
}

/* What reads the disk first, and may find it unreadable. */
static bool start_watches(struct engine *engine, const struct engine_config *config,
                          struct error *error)
{
    struct services *services = &engine->services;
    services->lateness = lateness_new(&(struct lateness_config){ &engine->work, services->mailer,
                                                                 &engine->holds, config->lateness },
                                      error);
    if (services->lateness == NULL)
        return false;
    services->pause = maintenance_new(
        &(struct maintenance_config){ &engine->work, services->mailer, &engine->holds,
                                      outcomes_held(engine->outcomes), is_stuck, engine },
        error);
    return services->pause != NULL;
}

struct engine *engine_new(const struct engine_config *config, struct error *error)
{
    static const struct courier_events events = { attempted, hungry, lane_changed };
    struct engine *engine = must_alloc(sizeof(*engine));
    engine->loop = config->loop;
    engine->store = config->store;
    work_init(&engine->work, config->loop, config->store);
    engine->courier = courier_new(config->loop, &config->courier, &events, engine, error);
    if (engine->courier == NULL)
        goto err0;
    engine->outcomes = outcomes_new(&(struct outcomes_config){ &engine->work, settled, engine });
    engine->feeds = feeds_new(&(struct feeds_config){ &engine->work, engine->courier,
                                                      engine->outcomes, deleted, engine });
    engine->holds = (struct holds){ .changed = hold, .context = engine };
    engine->services.mailer = mailer_new(engine->loop, config->sendmail);
    engine->tester = (struct tester){ engine->store, engine->courier };
    engine->services.tester = &engine->tester;
    start_timers(engine);
    store_on_fresh(engine->store, committed, engine);
    store_on_health(engine->store, health_changed, engine);
    store_listen(engine->store, engine_hear, engine);
    if (!recover(engine, error) || !start_watches(engine, config, error))
        goto err1;
    engine->waits = (struct waits){ &engine->holds, engine->services.pause, engine->courier };
    engine->services.waits = &engine->waits;
    engine->services.room = room_new(&engine->work, engine->services.mailer, &config->room);
    store_fan_out(engine->store, true);
    return engine;
err1:
    engine_stop(engine, 0);
    engine_free(engine);
    return NULL;
err0:
    free(engine);
    return NULL;
}

static void limit_reached(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void close_timers(struct engine *engine)
{
    uv_prepare_stop(&engine->turn);
    uv_close((uv_handle_t *)&engine->turn, NULL);
    feeds_close(engine->feeds);
    expiry_stop(engine);
    replays_stop(engine);
    recorder_stop(engine);
}

void engine_stop(struct engine *engine, int64_t limit_ms)
{
    bool late = false;
    uv_timer_t limit;
    uv_timer_init(engine->loop, &limit);
    limit.data = &late;
    uv_timer_start(&limit, limit_reached, (uint64_t)limit_ms, 0);
    store_fan_out(engine->store, false);
    courier_stop(engine->courier);
    while (!late && courier_in_flight(engine->courier) > 0)
        uv_run(engine->loop, UV_RUN_ONCE);
    work_stop(&engine->work);
    outcomes_flush(engine->outcomes);
    recorder_finish(engine);
    /* What the last commits handed over is parked meanwhile, which makes further outcomes. */
    while ((engine->work.under_way > 0 || outcomes_unwritten(engine->outcomes) > 0) &&
           (engine->work.writable || !late))
        uv_run(engine->loop, UV_RUN_ONCE);
    store_on_fresh(engine->store, NULL, NULL);
    store_on_health(engine->store, NULL, NULL);
    store_unlisten(engine->store, engine);
    uv_close((uv_handle_t *)&limit, NULL);
    close_timers(engine);
    uv_run(engine->loop, UV_RUN_NOWAIT);
}

const struct services *engine_services(const struct engine *engine)
{
    return &engine->services;
}

void engine_free(struct engine *engine)
{
    courier_free(engine->courier);
    sweep_free(engine->approvals);
    sweep_free(engine->dedupe);
    sweep_free(engine->retention);
    expiry_free(engine);
    replays_free(engine);
    mailer_free(engine->services.mailer);
    maintenance_free(engine->services.pause);
    lateness_free(engine->services.lateness);
    room_free(engine->services.room);
    feeds_free(engine->feeds);
    outcomes_free(engine->outcomes);
    marks_free(&engine->marks);
    recorder_free(engine);
    free(engine);
}
