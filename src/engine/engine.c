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
#include "engine/errands.h"
#include "engine/expiry.h"
#include "engine/feed.h"
#include "engine/holds.h"
#include "engine/key_change.h"
#include "engine/lateness.h"
#include "engine/listeners.h"
#include "engine/locking.h"
#include "engine/mailer.h"
#include "engine/maintenance.h"
#include "engine/marks.h"
#include "engine/observers.h"
#include "engine/outcomes.h"
#include "engine/recorder.h"
#include "engine/recovery.h"
#include "engine/replays.h"
#include "engine/retention.h"
#include "engine/retention_days.h"
#include "engine/tester.h"
#include "engine/touched.h"
#include "engine/waits.h"
#include "engine/work.h"
#include "model/backoff.h"
#include "model/date.h"

#include <sodium.h>
#include <stdlib.h>

struct engine {
    uv_loop_t *loop;
    struct store *store;
    struct courier *courier;
    struct work work;
    struct holds holds;
    struct services services;
    struct marks marks;
    struct tester tester;
    struct waits waits;
    uv_prepare_t turn; /* once a turn of the loop: outcomes go to the writer */
};

static void take_parts(struct engine *engine)
{
    feeds_take(engine->services.feeds);
    replays_take(engine->services.replays);
}

/* ---- from the store ---- */

static void committed(void *context, struct list *postbacks)
{
    struct engine *engine = context;
    struct list *node;
    while ((node = list_first(postbacks)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        outcomes_seen(engine->services.outcomes, postback->id);
        lateness_wanted(engine->services.lateness);
        marks_note(&engine->marks, postback->event->account);
        recorder_touch(engine->services.recorder, postback->notification, postback->event->account);
        feed_accept(feed_of(engine->services.feeds, postback->notification), postback);
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
    outcomes_flush(engine->services.outcomes);
    size_t at = 0;
    struct feed *feed;
    while ((feed = feeds_each(engine->services.feeds, &at)) != NULL)
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
    observers_tell(&engine->services, &ended);
    if (verdict == VERDICT_DELIVERED) {
        outcomes_add(engine->services.outcomes, OUTCOME_ATTEMPTED, postback, attempt, verdict);
        return;
    }
    struct feed *feed = feed_of(engine->services.feeds, postback->notification);
    bool ordered = feed_is_ordered(feed);
    postback->due_at = clock_due_ms() + wait_after(attempt, verdict, ordered);
    if (ordered) /* or the next one overtakes */
        feed_recall(feed);
    if (verdict == VERDICT_GONE)
        feed_gone(feed);
    outcomes_add(engine->services.outcomes, OUTCOME_ATTEMPTED, postback, attempt, verdict);
}

static void hungry(void *context, int64_t notification)
{
    struct feed *feed = feed_find(((struct engine *)context)->services.feeds, notification);
    if (feed != NULL)
        feed_hungry(feed);
}

static void lane_changed(void *context, int64_t notification, enum lane_state state)
{
    struct engine *engine = context;
    struct feed *feed = feed_find(engine->services.feeds, notification);
    if (state == LANE_DOWN)
        lateness_down(engine->services.lateness, notification);
    if (state == LANE_DOWN)
        log_warn("destination_down", LOG_N("notification", notification));
    else if (state == LANE_READY)
        log_info("destination_up", LOG_N("notification", notification));
    if (feed != NULL)
        feed_down(feed, state == LANE_DOWN);
}

/* The process may have slept since it last looked. */
static bool may_leave(void *context)
{
    return membership_valid(((struct engine *)context)->work.membership);
}

/* ---- from the other servers ---- */

static void lease_stands(void *context, bool valid)
{
    struct engine *engine = context;
    holds_set(&engine->holds, HOLD_LEASE, !valid);
    if (valid) /* what it has heard meanwhile it could not act on */
        take_parts(engine);
}

static void part_moved(void *context, int part, bool own)
{
    struct engine *engine = context;
    if (part == MEMBERSHIP_DUTY && !engine->work.stopping)
        store_fan_out(engine->store, own); /* one node takes the steps of all events */
    if (part >= MEMBERSHIP_BUCKETS)
        return;
    if (own)
        take_parts(engine);
    else
        feeds_leave(engine->services.feeds, part);
}

static bool part_is_quiet(void *context, int part)
{
    const struct engine *engine = context;
    return part >= MEMBERSHIP_BUCKETS || feeds_are_quiet(engine->services.feeds, part);
}

/* ---- from the services ---- */

static void settled(void *context, const struct settled *settled)
{
    struct engine *engine = context;
    bool attempted = settled->kind == OUTCOME_ATTEMPTED;
    if (settled->kind != OUTCOME_AGED)
        marks_note(&engine->marks, settled->account);
    if (settled->kind == OUTCOME_SHOWN)
        return;
    struct feed *feed = feed_of(engine->services.feeds, settled->notification);
    if (settled->postback != NULL)
        feed_forget(feed, settled->postback);
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
    const struct feed *feed = feed_find(engine->services.feeds, notification);
    return courier_stands(engine->courier, notification) || (feed != NULL && feed_rests(feed));
}

/* For replays: a lane that is not there yet is asked for. */
static bool is_ready(void *context, int64_t notification, size_t postbacks)
{
    struct engine *engine = context;
    if (!courier_has(engine->courier, notification)) {
        feed_more(feed_of(engine->services.feeds, notification));
        return false;
    }
    return courier_state(engine->courier, notification) == LANE_READY &&
           courier_room(engine->courier, notification) >= postbacks;
}

/* One that is out for long.  Of another server's notification it would be sent by that one too. */
static bool may_wait(void *context, const struct postback *postback)
{
    struct engine *engine = context;
    return !feed_gives_back(feed_of(engine->services.feeds, postback->notification));
}

static void deleted(void *context, int64_t notification)
{
    lateness_gone(((struct engine *)context)->services.lateness, notification);
}

/* ---- from the API ---- */

enum retry_turn engine_retry_turn(struct engine *engine, int64_t notification, int64_t postback)
{
    enum lane_state state = courier_state(engine->courier, notification);
    if (!work_owns(&engine->work, notification)) /* whoever sends it knows */
        return RETRY_IN_TURN;
    if (feed_has(feed_of(engine->services.feeds, notification), postback) ||
        (state == LANE_READY && courier_queued(engine->courier, notification) == 0))
        return RETRY_NOW;
    if (state == LANE_DOWN)
        return RETRY_NEXT;
    return state == LANE_HELD ? RETRY_HELD : RETRY_IN_TURN;
}

struct marks *engine_marks(struct engine *engine)
{
    return &engine->marks;
}

void engine_keep(struct engine *engine, int64_t keep_ms)
{
    sweep_set_age(engine->services.retention, keep_ms);
    retention_days_set_age(engine->services.days, keep_ms);
}

void engine_give_up(struct engine *engine, int64_t age_ms)
{
    sweep_set_age(engine->services.expiry, age_ms);
}

enum { CERTIFICATE_NOTICE_DAYS = 14 };

void engine_figures(const struct engine *engine, struct engine_figures *out)
{
    *out = (struct engine_figures){
        .accepted = metric_value(METRIC_POSTBACKS),
        .delivered = metric_value(METRIC_DELIVERED),
        .failed = metric_value(METRIC_FAILED),
        .in_memory = (int64_t)feeds_in_memory(engine->services.feeds),
        .recording = (int64_t)outcomes_recording(engine->services.outcomes),
        .oldest_due_at = -1,
        .certificate_ends_at = -1,
        .oldest_kept_at = retention_oldest_at(engine->services.retention),
    };
    size_t at = 0;
    const struct feed *feed;
    int64_t ending_ms = date_add_days(clock_wall_ms(), CERTIFICATE_NOTICE_DAYS);
    while ((feed = feeds_each(engine->services.feeds, &at)) != NULL) {
        int64_t oldest = feed_oldest(feed);
        if (oldest != -1 && (out->oldest_due_at == -1 || oldest < out->oldest_due_at))
            out->oldest_due_at = oldest;
        if (!courier_has(engine->courier, feed_notification(feed)))
            continue;
        out->lanes++;
        int64_t ends_at = feed_certificate_ends_at(feed);
        out->certificates_ending += ends_at != -1 && ends_at <= ending_ms;
        if (ends_at != -1 && (out->certificate_ends_at == -1 || ends_at < out->certificate_ends_at))
            out->certificate_ends_at = ends_at;
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
    outcomes_flush(((struct engine *)prepare->data)->services.outcomes);
}

static bool recover(struct engine *engine, struct error *error)
{
    struct recovered recovered;
    if (!recovery_run(engine->store, &recovered, error))
        return false;
    outcomes_start(engine->services.outcomes, recovered.floor);
    for (size_t i = 0; i < recovered.count; i++)
        feed_due(feed_of(engine->services.feeds, recovered.waiting[i].notification),
                 recovered.waiting[i].due_at);
    log_info("recovered", LOG_N("undelivered", recovered.undelivered),
             LOG_N("notifications_waiting", (int64_t)recovered.count));
    recovery_free(&recovered);
    return true;
}

static int64_t horizon(void *context)
{
    const struct engine *engine = context;
    return outcomes_horizon(engine->services.outcomes);
}

/* The first two read the disk, and may find it unreadable. */
static bool start_services(struct engine *engine, const struct engine_config *config,
                           struct error *error)
{
    struct services *services = &engine->services;
    struct work *work = &engine->work;
    services->lateness =
        lateness_new(&(struct lateness_config){ work, &engine->holds, config->lateness }, error);
    if (services->lateness == NULL)
        return false;
    services->pause = maintenance_new(
        &(struct maintenance_config){ work, &engine->holds,
                                      outcomes_held(engine->services.outcomes), is_stuck, engine },
        error);
    if (services->pause == NULL)
        return false;
    services->recorder = recorder_new(work, services->lateness);
    services->room = room_new(work, &config->room);
    engine->tester = (struct tester){ engine->store, engine->courier };
    services->tester = &engine->tester;
    engine->waits = (struct waits){ &engine->holds, services->pause, engine->courier };
    services->waits = &engine->waits;
    engine->services.replays =
        replays_new(&(struct replays_config){ work, is_ready, horizon, engine });
    engine->services.approvals = approvals_new(work);
    engine->services.held_decisions = held_decisions_new(work);
    engine->services.locking = locking_new(work);
    engine->services.key_changer = key_changer_new(work);
    engine->services.dedupe = dedupe_new(work);
    engine->services.touched = touched_new(work, &engine->marks);
    engine->services.errands = errands_new(work, config->errands);
    engine->services.ended_errands = errands_sweep_new(work);
    engine->services.expiry = expiry_new(work);
    engine->services.retention = retention_new(work);
    engine->services.days = retention_days_new(work);
    return true;
}

static void start_turns(struct engine *engine)
{
    uv_prepare_init(engine->loop, &engine->turn);
    engine->turn.data = engine;
    uv_prepare_start(&engine->turn, turn);
    uv_unref((uv_handle_t *)&engine->turn);
}

struct engine *engine_new(const struct engine_config *config, struct error *error)
{
    static const struct membership_events parts = { lease_stands, part_moved, part_is_quiet };
    bool shared = membership_shared(config->membership);
    const struct courier_events events = { attempted, hungry, lane_changed,
                                           shared ? may_leave : NULL };
    struct engine *engine = must_alloc(sizeof(*engine));
    engine->loop = config->loop;
    engine->store = config->store;
    work_init(&engine->work, config->loop, config->store);
    engine->work.membership = config->membership;
    engine->services.work = &engine->work;
    engine->services.marks = &engine->marks;
    const struct db_guard *guard = store_guard(config->store);
    marks_init(&engine->marks, guard != NULL ? 1 + (int)guard->node : 0, clock_due_ms());
    engine->courier = courier_new(config->loop, &config->courier, &events, engine, error);
    if (engine->courier == NULL)
        goto err0;
    engine->services.outcomes =
        outcomes_new(&(struct outcomes_config){ &engine->work, settled, engine, may_wait });
    engine->services.feeds = feeds_new(&(struct feeds_config){
        &engine->work, engine->courier, engine->services.outcomes, deleted, engine });
    engine->holds = (struct holds){ .changed = hold, .context = engine };
    engine->services.mailer = mailer_new(&engine->work, config->sendmail);
    start_turns(engine);
    if (!recover(engine, error) || !start_services(engine, config, error))
        goto err1;
    /* Nothing comes before the loop turns; and then there is somebody to tell. */
    store_on_fresh(engine->store, committed, engine);
    store_on_health(engine->store, health_changed, engine);
    store_listen(engine->store, listeners_hear, &engine->services);
    store_fan_out(engine->store, work_on_duty(&engine->work));
    if (shared)
        membership_tell(config->membership, &parts, engine);
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

enum { MAIL_WAIT_MS = 1000 };

/* Letters that a program has just taken are recorded; one that hangs is left to itself. */
static void finish_mail(struct engine *engine)
{
    bool late = false;
    uv_timer_t limit;
    uv_timer_init(engine->loop, &limit);
    limit.data = &late;
    uv_timer_start(&limit, limit_reached, MAIL_WAIT_MS, 0);
    while (!late && engine->work.writable && mailer_runs(engine->services.mailer))
        uv_run(engine->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(engine->loop, UV_RUN_NOWAIT);
}

/* Until all jobs are done and all outcomes on disk, as long as that may be. */
static void finish_jobs(struct engine *engine, const bool *late)
{
    while ((engine->work.under_way > 0 || outcomes_unwritten(engine->services.outcomes) > 0) &&
           (engine->work.writable || !*late))
        uv_run(engine->loop, UV_RUN_ONCE);
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
    outcomes_flush(engine->services.outcomes);
    recorder_finish(engine->services.recorder);
    finish_mail(engine);
    /* What the last commits handed over is parked meanwhile, which makes further outcomes. */
    finish_jobs(engine, &late);
    if (engine->work.writable)
        recovery_leave(&engine->work);
    finish_jobs(engine, &late);
    store_on_fresh(engine->store, NULL, NULL);
    store_on_health(engine->store, NULL, NULL);
    store_unlisten(engine->store, &engine->services);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_prepare_stop(&engine->turn);
    uv_close((uv_handle_t *)&engine->turn, NULL);
    uv_run(engine->loop, UV_RUN_NOWAIT);
}

const struct services *engine_services(const struct engine *engine)
{
    return &engine->services;
}

void engine_free(struct engine *engine)
{
    courier_free(engine->courier);
    sweep_free(engine->services.approvals);
    sweep_free(engine->services.held_decisions);
    sweep_free(engine->services.locking);
    key_changer_free(engine->services.key_changer);
    sweep_free(engine->services.dedupe);
    touched_free(engine->services.touched);
    sweep_free(engine->services.ended_errands);
    sweep_free(engine->services.expiry);
    sweep_free(engine->services.retention);
    retention_days_free(engine->services.days);
    replays_free(engine->services.replays);
    errands_free(engine->services.errands);
    mailer_free(engine->services.mailer);
    maintenance_free(engine->services.pause);
    recorder_free(engine->services.recorder);
    lateness_free(engine->services.lateness);
    room_free(engine->services.room);
    feeds_free(engine->services.feeds);
    outcomes_free(engine->services.outcomes);
    marks_free(&engine->marks);
    free(engine);
}
