/* replays.c — the replays that are running: each a worker that takes one step at a time.
 *
 * A step is a read, which counts or finds a stretch of the range, and a write of what was found.
 * The replay itself is its row: a worker only remembers where it looks, and loads the row anew for
 * each step, so that a cancelled one ends by itself and a restart goes on from the cursor.
 */
#include "engine/replays.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "store/direct.h"
#include "store/notifications.h"
#include "store/replays.h"

#include <stdlib.h>

enum {
    COUNT_ROWS = 10000, /* looked at by one read */
    FIND_ROWS = 5000,
    BATCH_FIRST = 16,
    JOBS_MOST = 4,  /* of all replays together */
    PACE_MS = 10,   /* between two looks at what waits */
    WAIT_MS = 500,  /* for a lane that is down, paused, held; for a store that failed */
    QUICK_MS = 500, /* a batch gone within it: the next is larger */
    SLOW_MS = 2000, /* … not gone within it: smaller */
};

struct worker {
    struct list in;
    int64_t id, notification;
    bool busy;
    int64_t next_at;           /* steady ms */
    int64_t at;                /* where to look; 0: the row knows */
    int64_t count_at, counted; /* while the range is counted */
    int batch;
    int64_t written_at; /* the last batch, steady ms; 0: gone, or none */
};

struct replays {
    struct replays_config config;
    struct work *work;
    struct periodic *timer;
    struct periodic *again; /* those that were running at the start could not be read */
    struct list workers;    /* in turn */
    int jobs;
    bool naming, name_again; /* those that are running are read */
};

struct replay_job {
    struct service_job job;
    struct worker *worker;
    bool ready; /* its lane is */
    bool gone;  /* it has ended: so does its worker */
    bool lost;  /* its notification was deleted, or cannot be read */
    bool counting;
    int64_t from; /* the row's cursor */
    size_t backlog;
    int batch;
    struct replay_look look;
};

static void take_turns(struct replays *replays);

/* ---- workers ---- */

static void worker_new(struct replays *replays, int64_t id, int64_t notification)
{
    struct worker *worker = must_alloc(sizeof(*worker));
    *worker = (struct worker){ .id = id, .notification = notification, .batch = BATCH_FIRST };
    list_append(&replays->workers, &worker->in);
}

static void worker_free(struct worker *worker)
{
    list_remove(&worker->in);
    free(worker);
}

static void rest(struct worker *worker, int64_t ms)
{
    worker->next_at = clock_steady_ms() + ms;
}

/* ---- a step: the write ---- */

static bool write_run(struct job *job, struct db *db)
{
    struct replay_job *step = (struct replay_job *)job;
    struct worker *worker = step->worker;
    if (step->lost)
        replay_give_up(db, worker->id);
    else if (step->counting)
        replay_counted(db, worker->id, step->look.found);
    else
        replay_write(db, worker->id, step->from, &step->look);
    return true;
}

static void write_done(struct job *job, bool ok)
{
    struct replay_job *step = (struct replay_job *)job;
    struct replays *replays = work_done(job);
    struct worker *worker = step->worker;
    replays->jobs--;
    worker->busy = false;
    worker->at = 0;
    rest(worker, ok ? PACE_MS : WAIT_MS);
    if (ok && !step->counting && step->look.count > 0)
        worker->written_at = clock_steady_ms();
    if (ok && step->gone)
        worker_free(worker);
    free(step);
    take_turns(replays);
}

/* Over the job of the read, whose look it takes. */
static void write_step(struct replays *replays, const struct replay_job *read)
{
    struct replay_job *step =
        work_add(replays->work, replays, sizeof(*step), write_run, write_done);
    struct service_job own = step->job;
    *step = *read;
    step->job = own;
    step->gone = step->lost || (!step->counting && step->look.end);
    replays->jobs++;
    step->worker->busy = true;
    work_write(&step->job);
}

/* ---- a step: the read ---- */

int64_t replays_horizon(const struct replays *replays)
{
    return replays->config.horizon(replays->config.context);
}

int64_t replays_horizon_of_all(struct db *db, int64_t horizon)
{
    int64_t floor = db_is_remote(db) ? direct_floor(db) : horizon;
    return floor < horizon ? floor : horizon;
}

static void bring_horizon(struct db *db, struct replay_look *look)
{
    look->horizon = replays_horizon_of_all(db, look->horizon);
}

static bool read_run(struct job *job, struct db *db)
{
    struct replay_job *step = (struct replay_job *)job;
    struct replay replay;
    step->gone = !replay_load(db, step->worker->id, &replay) || replay.state != REPLAY_RUNNING;
    if (step->gone)
        return true;
    struct notification *to = notification_load(db, replay.account, replay.notification, 0);
    step->from = replay.next;
    step->lost = to == NULL;
    step->counting = replay.total < 0;
    if (step->lost) {
        /* nothing to look for */
    } else if (step->counting) {
        step->look = (struct replay_look){ .at = step->worker->count_at,
                                           .horizon = step->look.horizon,
                                           .rows = COUNT_ROWS };
        bring_horizon(db, &step->look);
        replay_look(db, &replay, to, &step->look);
    } else if (step->ready) {
        step->backlog = replay_backlog(db, replay.notification, step->batch);
        bring_horizon(db, &step->look);
        step->look.at = step->worker->at;
        step->look.rows = FIND_ROWS;
        step->look.limit = (size_t)step->batch;
        if (step->backlog <= (size_t)step->batch / 2)
            replay_look(db, &replay, to, &step->look);
    }
    notification_unref(to);
    return true;
}

static void follow_receiver(struct worker *worker)
{
    int64_t took = clock_steady_ms() - worker->written_at;
    if (worker->written_at == 0)
        return;
    worker->written_at = 0;
    if (took < QUICK_MS)
        worker->batch = worker->batch * 2 < REPLAY_STEP_MOST ? worker->batch * 2 : REPLAY_STEP_MOST;
    else if (took > SLOW_MS)
        worker->batch = worker->batch > 1 ? worker->batch / 2 : 1;
}

/* At once, but where rows are still to come. */
static void go_on(struct worker *worker, const struct replay_job *step)
{
    worker->next_at = 0;
    if (step->look.wait)
        rest(worker, PACE_MS);
}

static void counted(struct replays *replays, struct replay_job *step)
{
    struct worker *worker = step->worker;
    worker->count_at = step->look.at;
    worker->counted += step->look.found;
    go_on(worker, step);
    if (!step->look.end)
        return;
    step->look.found = worker->counted;
    worker->count_at = worker->counted = 0; /* should it not be written, it is counted again */
    write_step(replays, step);
}

static void found(struct replays *replays, struct replay_job *step)
{
    struct worker *worker = step->worker;
    if (!step->ready || step->backlog > (size_t)step->batch / 2) {
        rest(worker, step->ready ? PACE_MS : WAIT_MS);
        return;
    }
    follow_receiver(worker);
    if (step->look.count > 0 || step->look.end) {
        write_step(replays, step);
        return;
    }
    worker->at = step->look.at; /* none here: further on */
    go_on(worker, step);
}

static void read_done(struct job *job, bool ok)
{
    struct replay_job *step = (struct replay_job *)job;
    struct replays *replays = work_done(job);
    struct worker *worker = step->worker;
    replays->jobs--;
    worker->busy = false;
    if (!ok)
        rest(worker, WAIT_MS);
    else if (step->gone)
        worker_free(worker);
    else if (replays->work->stopping)
        rest(worker, WAIT_MS);
    else if (step->lost)
        write_step(replays, step);
    else if (step->counting)
        counted(replays, step);
    else
        found(replays, step);
    free(step);
    take_turns(replays);
}

static void read_step(struct replays *replays, struct worker *worker)
{
    struct replay_job *step = work_add(replays->work, replays, sizeof(*step), read_run, read_done);
    step->worker = worker;
    step->ready = replays->config.is_ready(replays->config.context, worker->notification,
                                           (size_t)worker->batch);
    step->batch = worker->batch;
    step->look.horizon = replays_horizon(replays);
    replays->jobs++;
    worker->busy = true;
    list_remove(&worker->in); /* behind the others */
    list_append(&replays->workers, &worker->in);
    work_read(&step->job);
}

/* ---- turns ---- */

static void fired(void *context)
{
    take_turns(context);
}

static void take_turns(struct replays *replays)
{
    int64_t now = clock_steady_ms(), soonest = INT64_MAX;
    if (replays->work->stopping)
        return;
    struct list *node = replays->workers.next, *last = replays->workers.prev, *next;
    for (bool more = node != &replays->workers; more; node = next) {
        struct worker *worker = container_of(node, struct worker, in);
        next = node->next;
        more = node != last;
        if (worker->busy)
            continue;
        if (!work_owns(replays->work, worker->notification)) {
            worker_free(worker); /* whose it is now goes on with it */
            continue;
        }
        if (worker->next_at <= now && !replays->work->writable)
            rest(worker, WAIT_MS);
        if (worker->next_at <= now && replays->jobs < JOBS_MOST)
            read_step(replays, worker);
        else if (worker->next_at < soonest)
            soonest = worker->next_at;
    }
    periodic_rest(replays->timer);
    if (soonest != INT64_MAX && replays->jobs < JOBS_MOST) /* else the end of a job asks again */
        periodic_in(replays->timer, soonest - now);
}

/* ---- life ---- */

struct names_job {
    struct service_job job;
    struct replay_name *names;
    size_t count;
};

static bool names_run(struct job *job, struct db *db)
{
    struct names_job *names = (struct names_job *)job;
    names->count = replay_running(db, &names->names);
    return true;
}

static void names_done(struct job *job, bool ok)
{
    struct names_job *names = (struct names_job *)job;
    struct replays *replays = work_done(job);
    replays->naming = false;
    for (size_t i = 0; ok && i < names->count; i++)
        replays_begun(replays, names->names[i].id, names->names[i].notification);
    if (!ok || replays->name_again)
        periodic_in(replays->again, ok ? 0 : WAIT_MS);
    else if (names->count > 0)
        log_info("replays_taken_up", LOG_N("count", (int64_t)names->count));
    free(names->names);
    free(names);
}

static void read_names(void *context)
{
    struct replays *replays = context;
    replays->name_again = replays->naming;
    if (replays->naming || replays->work->stopping)
        return;
    replays->naming = true;
    struct names_job *names =
        work_add(replays->work, replays, sizeof(*names), names_run, names_done);
    work_read(&names->job);
}

void replays_take(struct replays *replays)
{
    read_names(replays);
}

void replays_begun(struct replays *replays, int64_t replay, int64_t notification)
{
    struct list *workers = &replays->workers;
    for (struct list *node = workers->next; node != workers; node = node->next) {
        if (container_of(node, struct worker, in)->id == replay)
            return; /* it came while the running ones were read at the start */
    }
    if (!work_owns(replays->work, notification))
        return;
    worker_new(replays, replay, notification);
    take_turns(replays);
}

struct replays *replays_new(const struct replays_config *config)
{
    struct replays *replays = must_alloc(sizeof(*replays));
    replays->config = *config;
    replays->work = config->work;
    list_init(&replays->workers);
    replays->timer = periodic_new(&config->work->timers, 0, fired, replays);
    replays->again = periodic_new(&config->work->timers, 0, read_names, replays);
    read_names(replays);
    return replays;
}

void replays_free(struct replays *replays)
{
    struct list *node;
    if (replays == NULL)
        return;
    while ((node = list_first(&replays->workers)) != NULL)
        worker_free(container_of(node, struct worker, in));
    periodic_free(replays->timer);
    periodic_free(replays->again);
    free(replays);
}
