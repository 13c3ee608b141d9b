/* retention_days.c — make, look, drop: one job at a time, and again at once while days go.
 *
 * Looking takes a reader, as all rows of a day are counted; dropping holds everybody up, so it is
 * given what the look has found.  A day that cannot be had now, as others are at it, is looked at
 * again with the next look.
 *
 * The rule: no day goes but by the age that is in force, and by a clock that has not jumped.
 */
#include "engine/retention_days.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/partitions.h"
#include "engine/sweep.h"
#include "store/retention.h"

#include <stdlib.h>

enum { FIRST_MS = 500, EVERY_MS = 60000, OFF_DUTY_MS = 1000 };

struct retention_days {
    struct work *work;
    struct periodic *timer;
    struct sweep_clock clock;
    int64_t age_ms;
    int64_t after; /* the last day that was looked at in this round */
};

struct day_job {
    struct service_job job;
    int64_t now_ms, before_ms, age_ms, after;
    bool found;
    struct retention_day day;
};

static struct day_job *day_job_new(struct retention_days *days,
                                   bool (*run)(struct job *, struct db *),
                                   void (*done)(struct job *, bool))
{
    struct day_job *job = work_add(days->work, days, sizeof(*job), run, done);
    job->now_ms = clock_wall_ms();
    job->age_ms = days->age_ms;
    job->before_ms = sweep_clock_now(&days->clock) - days->age_ms;
    job->after = days->after;
    return job;
}

static void day_job_free(struct day_job *job)
{
    retention_day_free(&job->day);
    free(job);
}

static void end_round(struct retention_days *days)
{
    days->after = -1;
    periodic_done(days->timer);
}

/* ---- dropping ---- */

static void look(struct retention_days *days);

static bool drop_run(struct job *job, struct db *db)
{
    retention_day_drop(db, &((struct day_job *)job)->day);
    return true;
}

static void count(const struct retention_day *day)
{
    metric_add(METRIC_OLD_POSTBACKS, day->postbacks);
    metric_add(METRIC_OLD_ATTEMPTS, day->attempts);
    metric_add(METRIC_OLD_EVENTS, day->events);
    log_info("old_day_dropped", LOG_N("day", day->day), LOG_N("postbacks", day->postbacks),
             LOG_N("events", day->events));
}

static void drop_done(struct job *job, bool ok)
{
    struct day_job *drop = (struct day_job *)job;
    struct retention_days *days = work_done(job);
    if (ok && !drop->day.full)
        count(&drop->day);
    days->after = drop->day.day;
    day_job_free(drop);
    if (ok)
        look(days);
    else
        end_round(days);
}

/* ---- looking ---- */

static bool look_run(struct job *job, struct db *db)
{
    struct day_job *looking = (struct day_job *)job;
    retention_day_free(&looking->day);
    looking->found = retention_day_look(db, looking->before_ms, looking->after, &looking->day);
    return true;
}

static void look_done(struct job *job, bool ok)
{
    struct day_job *looking = (struct day_job *)job;
    struct retention_days *days = work_done(job);
    if (ok && looking->found && looking->age_ms == days->age_ms && work_on_duty(days->work) &&
        !days->work->stopping) {
        struct day_job *drop = day_job_new(days, drop_run, drop_done);
        drop->day = looking->day;
        looking->day.stays = (struct buf){ 0 };
        store_aside(days->work->store, &drop->job.job);
    } else {
        end_round(days);
    }
    day_job_free(looking);
}

static void look(struct retention_days *days)
{
    if (days->age_ms == 0 || days->work->stopping)
        end_round(days);
    else
        work_read(&day_job_new(days, look_run, look_done)->job);
}

/* ---- making ---- */

static bool make_run(struct job *job, struct db *db)
{
    partitions_make(db, ((struct day_job *)job)->now_ms);
    return true;
}

static void make_done(struct job *job, bool ok)
{
    struct retention_days *days = work_done(job);
    (void)ok; /* then the next look makes them; there is time */
    day_job_free((struct day_job *)job);
    look(days);
}

static void fire(void *context)
{
    struct retention_days *days = context;
    if (!work_on_duty(days->work) || !days->work->writable) {
        periodic_in(days->timer, OFF_DUTY_MS);
        return;
    }
    periodic_begin(days->timer);
    store_aside(days->work->store, &day_job_new(days, make_run, make_done)->job.job);
}

/* ---- life ---- */

struct retention_days *retention_days_new(struct work *work)
{
    struct retention_days *days = must_alloc(sizeof(*days));
    *days = (struct retention_days){ .work = work, .after = -1 };
    sweep_clock_start(&days->clock);
    days->timer = periodic_new(&work->timers, EVERY_MS, fire, days);
    periodic_rest(days->timer);
    return days;
}

void retention_days_free(struct retention_days *days)
{
    if (days != NULL)
        periodic_free(days->timer);
    free(days);
}

void retention_days_set_age(struct retention_days *days, int64_t age_ms)
{
    days->age_ms = age_ms;
    if (age_ms == 0 || !membership_shared(days->work->membership))
        periodic_rest(days->timer);
    else if (periodic_rests(days->timer))
        periodic_in(days->timer, FIRST_MS);
}
