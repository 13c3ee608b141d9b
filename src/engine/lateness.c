/* lateness.c — a watch for each notification that fails or is much behind, and a look at the disk.
 *
 * A watch is made by the first failure or an alarm and freed when neither is left.  Episodes begin
 * and end by a write job each; while it is under way nothing more is decided about that episode,
 * and when it fails the next look or attempt decides again.
 *
 * While the operator's pause lasts everything is late for one reason, so that is told once: to each
 * account, and to the operator, at the first alarm; `paused` counts those alarms by account.
 */
#include "engine/lateness.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "store/episodes.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_MOST_MS = 5000,
    LOOK_LEAST_MS = 250,
    LOOKS_A_LIMIT = 4, /* the limit for late is looked at so many times */
    LOOK_SHARE = 20,   /* the pause is so many times as long as the last look took */
    TELL_MOST = 100,   /* episodes begun or ended by one look */
    MISSED_MS = 5000,  /* a look that comes so much later: a clock set ahead, a stopped process */
    EMPTY_MOST = 2,    /* looks that found nothing, before they stop */
};

struct watch {
    int64_t notification, account; /* account 0: not known */
    bool failing, late, by_pause;
    bool failing_told, late_told; /* a job is telling just now */
    bool down;
    int failures, last_status;
    int64_t failing_since, late_since, seen; /* seen: by which look */
    char reason[200];
};

struct lateness_watch {
    struct lateness_config config;
    struct work *work;
    struct map watches; /* by notification */
    struct map paused;  /* account → how many of its alarms are by the pause */
    int64_t paused_count;
    struct periodic *timer;
    bool running;    /* something waits, or may: a look is to come */
    bool missed;     /* time went by in which nothing was looked at, nor sent */
    int64_t look_at; /* when the next look should be, due clock */
    int empty, told; /* told: by this look */
    int64_t look;
    struct lateness_figures figures;
    struct overdue *waiting; /* as last looked at, by notification */
    size_t waiting_count;
};

/* ---- watches ---- */

static struct watch *watch_of(struct lateness_watch *lateness, int64_t notification)
{
    struct watch *watch = map_get(&lateness->watches, notification);
    if (watch == NULL) {
        watch = must_alloc(sizeof(*watch));
        watch->notification = notification;
        map_put(&lateness->watches, notification, watch);
    }
    return watch;
}

static void drop_if_idle(struct lateness_watch *lateness, struct watch *watch)
{
    if (watch->failing || watch->late || watch->failing_told || watch->late_told ||
        watch->failures > 0)
        return;
    map_remove(&lateness->watches, watch->notification);
    free(watch);
}

/* Gives how many alarms by the pause the account had before. */
static int64_t count_paused(struct lateness_watch *lateness, int64_t account, int by)
{
    int64_t had = (int64_t)(intptr_t)map_get(&lateness->paused, account);
    lateness->paused_count += by;
    if (had + by > 0)
        map_put(&lateness->paused, account, (void *)(intptr_t)(had + by));
    else
        map_remove(&lateness->paused, account);
    return had;
}

/* ---- telling ---- */

struct tell_job {
    struct service_job job;
    struct episode_news news;
};

static bool tell_run(struct job *job, struct db *db)
{
    struct tell_job *tell = (struct tell_job *)job;
    episode_tell(job, db, &tell->news);
    return true;
}

static void set_late(struct lateness_watch *lateness, struct watch *watch, bool late)
{
    if (watch->late == late)
        return;
    watch->late = late;
    if (watch->by_pause)
        count_paused(lateness, watch->account, late ? 1 : -1);
}

static void tell_done(struct job *job, bool ok)
{
    struct tell_job *tell = (struct tell_job *)job;
    struct lateness_watch *lateness = work_done(job);
    const struct episode *episode = &tell->news.episode;
    struct watch *watch = map_get(&lateness->watches, episode->notification);
    if (watch != NULL && episode->kind == EPISODE_FAILING) {
        watch->failing_told = false;
        watch->failing = ok ? tell->news.begins : !tell->news.begins;
    } else if (watch != NULL) {
        watch->late_told = false;
        if (!ok)
            set_late(lateness, watch, !tell->news.begins);
    }
    if (watch != NULL)
        drop_if_idle(lateness, watch);
    if (ok)
        log_info(tell->news.begins ? "episode_begun" : "episode_ended",
                 LOG_T("kind", episode->kind == EPISODE_FAILING ? "failing" : "late"),
                 LOG_N("notification", episode->notification));
    free(tell);
}

static struct tell_job *tell_new(struct lateness_watch *lateness, const struct watch *watch,
                                 enum episode_kind kind, bool begins)
{
    struct tell_job *job = work_add(lateness->work, lateness, sizeof(*job), tell_run, tell_done);
    job->news = (struct episode_news){
        .episode = { .notification = watch->notification,
                     .account = watch->account,
                     .kind = kind,
                     .since = kind == EPISODE_LATE ? watch->late_since : watch->failing_since },
        .begins = begins,
        .last_status = watch->last_status,
        .oldest_at = -1,
    };
    snprintf(job->news.reason, sizeof(job->news.reason), "%s", watch->reason);
    return job;
}

/* ---- failing ---- */

static void tell_failing(struct lateness_watch *lateness, struct watch *watch, bool begins)
{
    if (watch->failing == begins || watch->failing_told || lateness->work->stopping)
        return;
    struct tell_job *job = tell_new(lateness, watch, EPISODE_FAILING, begins);
    watch->failing_told = true;
    work_write(&job->job);
}

static void describe(struct watch *watch, const struct attempt *attempt)
{
    watch->last_status = attempt->status;
    if (attempt->error != EXCHANGE_OK)
        snprintf(watch->reason, sizeof(watch->reason), "%s: %s",
                 exchange_error_name(attempt->error), attempt->detail);
    else
        snprintf(watch->reason, sizeof(watch->reason), "status %d", attempt->status);
}

void lateness_ended(struct lateness_watch *lateness, const struct ended *ended)
{
    const struct postback *postback = ended->postback;
    if (ended->verdict == VERDICT_DELIVERED) {
        struct watch *watch = lateness->watches.count == 0
                                  ? NULL
                                  : map_get(&lateness->watches, postback->notification);
        if (watch == NULL)
            return;
        watch->failures = 0;
        watch->down = false;
        tell_failing(lateness, watch, false);
        drop_if_idle(lateness, watch);
        return;
    }
    if (text_starts(postback->event->type->name, "notification."))
        return;
    struct watch *watch = watch_of(lateness, postback->notification);
    if (watch->failures++ == 0 && !watch->failing)
        watch->failing_since = ended->attempt->started_at;
    describe(watch, ended->attempt);
    if (lateness_is_failing(watch->failures, watch->down))
        tell_failing(lateness, watch, true);
}

void lateness_heard(struct lateness_watch *lateness, const struct change *change)
{
    bool begins = change->due_at != -1;
    struct watch *watch = begins ? watch_of(lateness, change->notification)
                                 : map_get(&lateness->watches, change->notification);
    if (watch == NULL)
        return;
    if ((change->id & ~(int64_t)CHANGE_BY_PAUSE) == EPISODE_FAILING) {
        watch->failing = begins;
        watch->failing_since = change->due_at;
        watch->down = watch->down && begins;
        watch->failures = begins ? watch->failures : 0;
    } else {
        if (begins && !watch->late) {
            watch->account = change->account;
            watch->by_pause = (change->id & CHANGE_BY_PAUSE) != 0;
            watch->late_since = change->due_at;
        }
        set_late(lateness, watch, begins);
    }
    drop_if_idle(lateness, watch);
}

void lateness_down(struct lateness_watch *lateness, int64_t notification)
{
    struct watch *watch = map_get(&lateness->watches, notification);
    if (watch == NULL) /* only news failed */
        return;
    watch->down = true;
    if (lateness_is_failing(watch->failures, true))
        tell_failing(lateness, watch, true);
}

void lateness_gone(struct lateness_watch *lateness, int64_t notification)
{
    struct watch *watch = map_get(&lateness->watches, notification);
    if (watch == NULL)
        return;
    watch->failures = 0;
    watch->down = false;
    tell_failing(lateness, watch, false);
    drop_if_idle(lateness, watch);
}

/* ---- late ---- */

static bool is_told_here(const struct lateness_watch *lateness, int64_t notification, bool by_pause)
{
    return by_pause ? work_on_duty(lateness->work) : work_owns(lateness->work, notification);
}

static void tell_late(struct lateness_watch *lateness, struct watch *watch, bool begins,
                      const struct overdue *overdue)
{
    bool by_pause = begins ? holds_have(lateness->config.holds, HOLD_MAINTENANCE) : watch->by_pause;
    if (watch->late_told || lateness->work->stopping || lateness->told >= TELL_MOST ||
        !is_told_here(lateness, watch->notification, by_pause))
        return;
    lateness->told++;
    if (begins) {
        watch->account = overdue->account;
        watch->by_pause = by_pause;
        watch->late_since = overdue->counted_at;
    }
    int64_t others = watch->by_pause && map_get(&lateness->paused, watch->account) != NULL
                         ? (int64_t)(intptr_t)map_get(&lateness->paused, watch->account)
                         : 0;
    int64_t all = watch->by_pause ? lateness->paused_count : 0;
    struct tell_job *job = tell_new(lateness, watch, EPISODE_LATE, begins);
    job->news.episode.maintenance = watch->by_pause;
    job->news.tell_account = others == (begins ? 0 : watch->by_pause);
    job->news.tell_operator = all == (begins ? 0 : watch->by_pause);
    if (overdue != NULL) {
        job->news.waiting = overdue->waiting;
        job->news.oldest_at = overdue->due_at;
    }
    set_late(lateness, watch, begins);
    watch->late_told = true;
    work_write(&job->job);
}

static void take_overdue(struct lateness_watch *lateness, const struct overdue *overdue,
                         int64_t now)
{
    struct watch *watch = map_get(&lateness->watches, overdue->notification);
    if (watch != NULL)
        watch->seen = lateness->look;
    if (overdue->state != NOTIFICATION_ACTIVE)
        return;
    struct lateness_figures *figures = &lateness->figures;
    bool alarmed = watch != NULL && watch->late;
    enum lateness as_counted = lateness_of(&lateness->config.limits, overdue->counted_at, now);
    enum lateness as_is = lateness_of(&lateness->config.limits, overdue->due_at, now);
    enum lateness_turn turn = lateness_turn(alarmed, alarmed ? as_is : as_counted);
    if (figures->oldest_at == -1 || overdue->due_at < figures->oldest_at)
        figures->oldest_at = overdue->due_at;
    figures->late += as_is != LATENESS_NONE;
    if (turn == LATENESS_BEGINS &&
        (lateness->missed || /* it had no chance to be sent yet: the next look tells */
         !is_told_here(lateness, overdue->notification,
                       holds_have(lateness->config.holds, HOLD_MAINTENANCE))))
        return;
    if (turn == LATENESS_BEGINS) {
        watch = watch_of(lateness, overdue->notification);
        watch->seen = lateness->look;
    }
    if (turn != LATENESS_STAYS)
        tell_late(lateness, watch, turn == LATENESS_BEGINS, overdue);
}

/* ---- looking ---- */

struct look_job {
    struct service_job job;
    struct overdue *rows;
    size_t count;
    int64_t took_ms;
};

static bool look_run(struct job *job, struct db *db)
{
    struct look_job *look = (struct look_job *)job;
    int64_t began = clock_steady_ms();
    look->count = episodes_overdue(db, &look->rows);
    look->took_ms = clock_steady_ms() - began;
    return true;
}

static void look_after(struct lateness_watch *lateness, int64_t ms)
{
    lateness->running = true;
    lateness->look_at = clock_due_ms() + ms;
    periodic_in(lateness->timer, ms);
}

static int64_t period(const struct lateness_watch *lateness)
{
    int64_t ms = lateness->config.limits.late_ms / LOOKS_A_LIMIT;
    return ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : ms > LOOK_MOST_MS ? LOOK_MOST_MS : ms;
}

/* What waited and does not any more; and the figures. */
static void take_gone(struct lateness_watch *lateness)
{
    size_t at = 0;
    struct watch *watch;
    while ((watch = map_each(&lateness->watches, &at)) != NULL) {
        if (watch->late && watch->seen != lateness->look)
            tell_late(lateness, watch, false, NULL);
        lateness->figures.alarmed += watch->late;
    }
}

static void look_done(struct job *job, bool ok)
{
    struct look_job *look = (struct look_job *)job;
    struct lateness_watch *lateness = work_done(job);
    int64_t now = clock_due_ms();
    periodic_done(lateness->timer);
    if (ok) {
        lateness->look++;
        lateness->told = 0;
        lateness->figures = (struct lateness_figures){ .oldest_at = -1 };
        for (size_t i = 0; i < look->count; i++)
            take_overdue(lateness, &look->rows[i], now);
        take_gone(lateness);
        bool idle =
            look->count == 0 && postbacks_in_memory() == 0 && lateness->figures.alarmed == 0;
        lateness->empty = idle ? lateness->empty + 1 : 0;
    }
    int64_t share = look->took_ms * LOOK_SHARE;
    if (ok) {
        free(lateness->waiting);
        lateness->waiting = look->rows;
        lateness->waiting_count = look->count;
    } else {
        free(look->rows);
    }
    free(look);
    if (lateness->empty >= EMPTY_MOST)
        lateness->running = false; /* until something is committed */
    else
        look_after(lateness, share > period(lateness) ? share : period(lateness));
}

static void lateness_look(void *context)
{
    struct lateness_watch *lateness = context;
    periodic_begin(lateness->timer);
    lateness->missed = clock_due_ms() - lateness->look_at > MISSED_MS;
    struct look_job *job = work_add(lateness->work, lateness, sizeof(*job), look_run, look_done);
    work_read(&job->job);
}

void lateness_wanted(struct lateness_watch *lateness)
{
    lateness->empty = 0;
    if (!lateness->running)
        look_after(lateness, period(lateness));
}

void lateness_figures(const struct lateness_watch *lateness, struct lateness_figures *out)
{
    size_t at = 0;
    const struct watch *watch;
    *out = lateness->figures;
    while ((watch = map_each(&lateness->watches, &at)) != NULL)
        out->failing += watch->failing;
}

static int by_notification(const void *key, const void *row)
{
    int64_t left = *(const int64_t *)key, right = ((const struct overdue *)row)->notification;
    return (left > right) - (left < right);
}

int64_t lateness_oldest(const struct lateness_watch *lateness, int64_t account,
                        int64_t notification)
{
    int64_t oldest = -1;
    if (lateness == NULL || lateness->waiting_count == 0)
        return -1;
    if (notification != 0) {
        const struct overdue *row = bsearch(&notification, lateness->waiting,
                                            lateness->waiting_count, sizeof(*row), by_notification);
        return row != NULL && (account == 0 || row->account == account) ? row->due_at : -1;
    }
    for (size_t i = 0; i < lateness->waiting_count; i++) {
        const struct overdue *row = &lateness->waiting[i];
        if ((account == 0 || row->account == account) && row->due_at != -1 &&
            (oldest == -1 || row->due_at < oldest))
            oldest = row->due_at;
    }
    return oldest;
}

const struct lateness_limits *lateness_limits(const struct lateness_watch *lateness)
{
    return &lateness->config.limits;
}

/* ---- life ---- */

struct first_job {
    struct job job;
    struct episode *episodes;
    size_t count;
};

static bool first_run(struct job *job, struct db *db)
{
    struct first_job *first = (struct first_job *)job;
    free(first->episodes);
    first->count = episodes_load(db, &first->episodes);
    return true;
}

static void take_episode(struct lateness_watch *lateness, const struct episode *episode)
{
    struct watch *watch = watch_of(lateness, episode->notification);
    watch->account = episode->account;
    if (episode->kind == EPISODE_FAILING) {
        watch->failing = true;
        watch->failing_since = episode->since;
        return;
    }
    watch->by_pause = episode->maintenance;
    watch->late_since = episode->since;
    set_late(lateness, watch, true);
}

struct lateness_watch *lateness_new(const struct lateness_config *config, struct error *error)
{
    struct lateness_watch *lateness = must_alloc(sizeof(*lateness));
    struct first_job first = { .job = { .run = first_run } };
    lateness->config = *config;
    lateness->work = config->work;
    lateness->figures.oldest_at = -1;
    lateness->timer = periodic_new(&config->work->timers, 0, lateness_look, lateness);
    if (!store_run_now(config->work->store, &first.job)) {
        error_set(error, first.job.error.kind, "%s", first.job.error.message);
        free(first.episodes);
        lateness_free(lateness);
        return NULL;
    }
    for (size_t i = 0; i < first.count; i++)
        take_episode(lateness, &first.episodes[i]);
    free(first.episodes);
    look_after(lateness, 0);
    return lateness;
}

void lateness_free(struct lateness_watch *lateness)
{
    size_t at = 0;
    struct watch *watch;
    if (lateness == NULL)
        return;
    while ((watch = map_each(&lateness->watches, &at)) != NULL)
        free(watch);
    map_free(&lateness->watches);
    map_free(&lateness->paused);
    free(lateness->waiting);
    periodic_free(lateness->timer);
    free(lateness);
}
