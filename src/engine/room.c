/* room.c — a look every few seconds while anything is written, and twice a minute at rest.
 *
 * A look is a read; only when it finds something to tell does a write job follow, which looks again
 * before it tells.  On a full disk that job fails, and the next look tries again.
 */
#include "engine/room.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/quotas.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM_EVERY_MS = 5000,
    ROOM_REST_MS = 30000,
    ROOM_SHARE = 20, /* the pause is so many times as long as the last look took */
    TELL_MOST = 32,  /* accounts told by one look */
};

struct room {
    struct work *work;
    struct room_limits limits;
    struct periodic *timer;
    bool low;
    int64_t looked_at, written; /* due clock, and how much had been written then */
    int64_t took_ms, near;
    struct disk_figures disk;
    struct quota_large largest[QUOTA_LARGEST];
    size_t largest_count;
};

struct room_job {
    struct service_job job;
    struct room_limits limits;
    struct disk_figures disk;
    enum disk_turn turn;
    struct quota_use changed[TELL_MOST];
    size_t changed_count;
    struct quota_large largest[QUOTA_LARGEST];
    size_t largest_count;
    int64_t near, took_ms;
    bool low, told;
};

static struct room_job *room_job_new(struct room *room, bool (*run)(struct job *, struct db *),
                                     void (*done)(struct job *, bool))
{
    struct room_job *job = work_add(room->work, room, sizeof(*job), run, done);
    job->limits = room->limits;
    return job;
}

/* ---- telling ---- */

static bool tell_run(struct job *inner, struct db *db)
{
    struct room_job *job = (struct room_job *)inner;
    disk_look(db, &job->disk);
    job->turn = disk_tell(db, &job->disk, job->limits.disk_alarm);
    for (size_t i = 0; i < job->changed_count; i++) {
        struct quota_use *use = &job->changed[i];
        use->told = quota_tell(db, &job->limits.quota, use->account);
    }
    return true;
}

static void log_told(const struct room_job *job)
{
    if (job->turn == DISK_LOW)
        log_warn("the disk is nearly full", LOG_N("free_bytes", job->disk.free),
                 LOG_N("alarm_bytes", job->limits.disk_alarm));
    else if (job->turn == DISK_ROOMY)
        log_info("the disk has room again", LOG_N("free_bytes", job->disk.free));
    for (size_t i = 0; i < job->changed_count; i++) {
        const struct quota_use *use = &job->changed[i];
        if (use->told)
            log_warn("much waits for an account", LOG_N("account", use->account),
                     LOG_N("postbacks", use->waiting), LOG_N("bytes", use->bytes));
    }
}

static void tell_done(struct job *inner, bool ok)
{
    struct room_job *job = (struct room_job *)inner;
    struct room *room = work_done(inner);
    periodic_done(room->timer);
    if (ok)
        log_told(job);
    free(job);
}

/* ---- looking ---- */

static bool look_run(struct job *inner, struct db *db)
{
    struct room_job *job = (struct room_job *)inner;
    int64_t began = clock_steady_ms();
    disk_look(db, &job->disk);
    job->turn = disk_turn(db, &job->disk, job->limits.disk_alarm, &job->low);
    job->changed_count = quotas_changed(db, &job->limits.quota, job->changed, TELL_MOST);
    job->near = quotas_near(db, &job->limits.quota);
    job->largest_count = quotas_largest(db, job->largest);
    job->took_ms = clock_steady_ms() - began;
    return true;
}

static void look_done(struct job *inner, bool ok)
{
    struct room_job *job = (struct room_job *)inner;
    struct room *room = work_done(inner);
    periodic_done(room->timer);
    if (ok) {
        room->disk = job->disk;
        room->low = job->low;
        room->near = job->near;
        memcpy(room->largest, job->largest, sizeof(job->largest));
        room->largest_count = job->largest_count;
        room->took_ms = job->took_ms;
    }
    if (ok && (job->turn != DISK_STAYS || job->changed_count > 0) && work_on_duty(room->work) &&
        !room->work->stopping) {
        struct room_job *tell = room_job_new(room, tell_run, tell_done);
        memcpy(tell->changed, job->changed, sizeof(job->changed));
        tell->changed_count = job->changed_count;
        periodic_begin(room->timer);
        work_write(&tell->job);
    }
    free(job);
}

static void look(struct room *room)
{
    periodic_begin(room->timer);
    room->looked_at = clock_steady_ms();
    room->written = metric_value(METRIC_POSTBACKS) + metric_value(METRIC_RECORDED);
    struct room_job *job = room_job_new(room, look_run, look_done);
    work_read(&job->job);
}

static void look_if_written(void *context)
{
    struct room *room = context;
    int64_t since_ms = clock_steady_ms() - room->looked_at;
    bool same = room->written == metric_value(METRIC_POSTBACKS) + metric_value(METRIC_RECORDED);
    if (since_ms < room->took_ms * ROOM_SHARE || (same && since_ms < ROOM_REST_MS))
        return;
    look(room);
}

/* ---- figures ---- */

void room_disk(const struct room *room, struct disk_figures *out)
{
    *out = room->disk;
}

bool room_disk_low(const struct room *room)
{
    return room->low;
}

int64_t room_quotas_near(const struct room *room)
{
    return room->near;
}

size_t room_largest(const struct room *room, const struct quota_large **out)
{
    *out = room->largest;
    return room->largest_count;
}

const struct room_limits *room_limits(const struct room *room)
{
    return &room->limits;
}

/* ---- life ---- */

struct room *room_new(struct work *work, const struct room_limits *limits)
{
    struct room *room = must_alloc(sizeof(*room));
    *room = (struct room){ .work = work, .limits = *limits, .disk = { -1, -1, -1, -1 } };
    room->timer = periodic_new(&work->timers, ROOM_EVERY_MS, look_if_written, room);
    look(room);
    return room;
}

void room_free(struct room *room)
{
    if (room != NULL)
        periodic_free(room->timer);
    free(room);
}
