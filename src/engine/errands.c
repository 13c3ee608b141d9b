/* errands.c — a worker for each account that has a job to go on with; each takes a step at a time.
 *
 * A step is a read, which loads the account's oldest job and what the step needs, and a write of
 * what came of it.  The job itself is its row: a worker remembers nothing of it, so a cancelled one
 * ends by itself, and a restart goes on where the row says.
 *
 * Reads and writes are given under the account, so they take its turns among calls (db/line.h,
 * db/read_turns.h).
 */
#include "engine/errands.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "engine/sweep.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    JOBS_MOST = 2, /* steps of all accounts together */
    PACE_MS = 2,   /* between two steps of an account, at least … */
    REST_MOST_MS = 200,
    WAIT_MS = 1000,     /* for a store that failed, an account that may write no more */
    LOOK_MS = 3000,     /* for jobs that another server's calls have written */
    FAILURES_MOST = 5,  /* in a row: the store cannot read, or write, what a step needs */
    WRITES_MANY = 1000, /* waiting: then it rests longer */
    REST_LONGER = 4,
};

struct worker {
    struct list in;
    int64_t account;
    bool busy;
    bool asked_again; /* errands_begun() came while it was busy: what it reads may be older */
    int failures;
    int64_t next_at; /* steady ms */
};

struct errands {
    struct work *work;
    const struct errand_doers *doers;
    struct periodic *timer;
    struct periodic *look; /* at which accounts have one */
    struct list workers;   /* in turn */
    int jobs;
};

struct step_job {
    struct service_job job;
    struct worker *worker;
    struct errand_step step;
    const struct errand_doer *doer;
    bool found;
    bool rehearsed; /* write() has been, and is undone */
    bool gives_up;  /* FAILED */
    int64_t took_us;
};

static void take_turns(struct errands *errands);

/* ---- workers ---- */

static struct worker *worker_of(struct errands *errands, int64_t account)
{
    struct list *workers = &errands->workers;
    for (struct list *node = workers->next; node != workers; node = node->next) {
        struct worker *worker = container_of(node, struct worker, in);
        if (worker->account == account)
            return worker;
    }
    return NULL;
}

static void worker_free(struct worker *worker)
{
    list_remove(&worker->in);
    free(worker);
}

static void worker_rest(struct worker *worker, int64_t ms)
{
    worker->next_at = clock_steady_ms() + ms;
}

static void rest_after(struct errands *errands, struct worker *worker, int64_t took_us)
{
    int64_t ms = took_us / 1000 > PACE_MS ? took_us / 1000 : PACE_MS;
    if (store_writes_waiting(errands->work->store) > WRITES_MANY)
        ms *= REST_LONGER;
    worker_rest(worker, ms < REST_MOST_MS ? ms : REST_MOST_MS);
}

/* A step that the store could not do is tried again, whatever was in its way; what is damaged stays
 * so. */
static void failed(struct worker *worker, const struct error *error)
{
    worker_rest(worker, WAIT_MS);
    if (error->kind != ERROR_BROKEN && error->kind != ERROR_DAMAGED)
        return;
    worker->failures++;
    log_warn("job_step_failed", LOG_N("account", worker->account), LOG_T("reason", error->message));
}

/* ---- a step ---- */

static void step_clear(struct step_job *step)
{
    if (step->doer != NULL && step->step.data != NULL)
        step->doer->clear(&step->step);
    errand_made_free(&step->step.made);
    errand_clear(&step->step.errand);
    step->step = (struct errand_step){ 0 };
    step->found = false;
}

static void step_free(struct step_job *step)
{
    step_clear(step);
    free(step);
}

/* A job of the worker's, which is busy from now on. */
static struct step_job *step_new(struct errands *errands, struct worker *worker,
                                 bool (*run)(struct job *, struct db *),
                                 void (*done)(struct job *, bool))
{
    struct step_job *step = work_add(errands->work, errands, sizeof(*step), run, done);
    step->job.job.account = worker->account;
    step->worker = worker;
    worker->busy = true;
    errands->jobs++;
    return step;
}

/* A further job of the same step, which takes what it has. */
static struct step_job *step_next(struct errands *errands, struct step_job *before,
                                  bool (*run)(struct job *, struct db *),
                                  void (*done)(struct job *, bool))
{
    struct step_job *step = step_new(errands, before->worker, run, done);
    struct service_job own = step->job;
    *step = *before;
    step->job = own;
    before->step = (struct errand_step){ 0 };
    before->doer = NULL;
    return step;
}

/* Its worker is busy no longer. */
static struct errands *step_done(struct job *job)
{
    struct step_job *step = (struct step_job *)job;
    struct errands *errands = work_done(job);
    errands->jobs--;
    step->worker->busy = false;
    return errands;
}

/* ---- the write ---- */

/* What failed before it was begun was another one's. */
static bool fails(const struct step_job *step)
{
    return step->gives_up && step->step.errand.state == ERRAND_RUNNING;
}

static bool write_end(struct step_job *step, struct job *job, struct db *db)
{
    struct errand_made *made = &step->step.made;
    errand_made_begin(made, &step->step.errand);
    made->state = fails(step) ? ERRAND_FAILED : ERRAND_CANCELLED;
    snprintf(made->message, sizeof(made->message), "%s",
             fails(step) ? "The server could not go on with it; its log says why"
                         : "The account is not active");
    return errand_put(job, db, &step->step.errand, made);
}

static bool write_run(struct job *job, struct db *db)
{
    struct step_job *step = (struct step_job *)job;
    struct errand_step *of = &step->step;
    if (!of->errand.active || fails(step))
        return write_end(step, job, db);
    if (of->errand.state == ERRAND_QUEUED) {
        errand_start(db, &of->errand);
        return true;
    }
    if (of->way == ERRAND_READS || step->rehearsed)
        return errand_put(job, db, &of->errand, &of->made);
    errand_made_begin(&of->made, &of->errand);
    return step->doer->write(job, db, of) && errand_put(job, db, &of->errand, &of->made);
}

static void write_done(struct job *job, bool ok)
{
    struct step_job *step = (struct step_job *)job;
    struct errands *errands = step_done(job);
    struct worker *worker = step->worker;
    if (ok && fails(step))
        log_error("job_failed", LOG_N("job", step->step.errand.id),
                  LOG_N("account", worker->account));
    if (ok) {
        worker->failures = 0;
        rest_after(errands, worker, step->took_us);
    } else if (job->error.kind == ERROR_CONFLICT) { /* not as it was seen: looked at anew */
        worker_rest(worker, PACE_MS);
    } else {
        failed(worker, &job->error);
    }
    step_free(step);
    take_turns(errands);
}

static void write_step(struct errands *errands, struct step_job *before)
{
    struct step_job *step = step_next(errands, before, write_run, write_done);
    /* What a job says of its end is not held up by what waits; what rows of a file say is. */
    step->job.job.admitted = step->step.way != ERRAND_WRITES;
    work_write(&step->job);
}

/* ---- the rehearsal, which is undone ---- */

static bool rehearse_run(struct job *job, struct db *db)
{
    struct step_job *step = (struct step_job *)job;
    int64_t start_us = clock_steady_us();
    errand_made_begin(&step->step.made, &step->step.errand);
    step->rehearsed = step->doer->write(job, db, &step->step);
    step->took_us += clock_steady_us() - start_us;
    if (step->rehearsed)
        error_set(&job->error, ERROR_CONFLICT, "a rehearsal is undone");
    return false;
}

static void rehearse_done(struct job *job, bool ok)
{
    struct step_job *step = (struct step_job *)job;
    struct errands *errands = step_done(job);
    (void)ok;
    if (step->rehearsed && !errands->work->stopping) {
        write_step(errands, step);
    } else {
        failed(step->worker, &job->error);
    }
    step_free(step);
    take_turns(errands);
}

static void rehearse_step(struct errands *errands, struct step_job *before)
{
    struct step_job *step = step_next(errands, before, rehearse_run, rehearse_done);
    step->job.job.admitted = true;
    work_write(&step->job);
}

/* ---- the read ---- */

static bool read_run(struct job *job, struct db *db)
{
    struct step_job *step = (struct step_job *)job;
    const struct errands *errands = step->job.service;
    struct errand_step *of = &step->step;
    int64_t start_us = clock_steady_us();
    step_clear(step);
    step->found = errand_next(db, step->worker->account, &of->errand);
    if (!step->found)
        return true;
    step->doer = errands->doers->of[of->errand.kind];
    if (of->errand.state == ERRAND_RUNNING && of->errand.active && step->doer != NULL &&
        !step->gives_up) {
        errand_made_begin(&of->made, &of->errand);
        step->doer->read(db, of);
    }
    step->took_us = clock_steady_us() - start_us;
    return true;
}

static void read_done(struct job *job, bool ok)
{
    struct step_job *step = (struct step_job *)job;
    struct errands *errands = step_done(job);
    struct worker *worker = step->worker;
    if (!ok) {
        failed(worker, &job->error);
    } else if (!step->found && worker->asked_again) {
        worker_rest(worker, PACE_MS);
    } else if (!step->found) {
        worker_free(worker);
    } else if (errands->work->stopping || step->doer == NULL) {
        worker_rest(worker, WAIT_MS);
    } else if (step->step.way == ERRAND_REHEARSES) {
        rehearse_step(errands, step);
    } else {
        write_step(errands, step);
    }
    step_free(step);
    take_turns(errands);
}

static void read_step(struct errands *errands, struct worker *worker)
{
    struct step_job *step = step_new(errands, worker, read_run, read_done);
    step->gives_up = worker->failures >= FAILURES_MOST;
    worker->asked_again = false;
    list_remove(&worker->in); /* behind the others */
    list_append(&errands->workers, &worker->in);
    work_read(&step->job);
}

/* ---- turns ---- */

static void fired(void *context)
{
    take_turns(context);
}

static bool may_begin(const struct errands *errands)
{
    return errands->work->writable && work_on_duty(errands->work);
}

static void take_turns(struct errands *errands)
{
    int64_t now = clock_steady_ms(), soonest = INT64_MAX;
    bool may = may_begin(errands);
    if (errands->work->stopping)
        return;
    struct list *node = errands->workers.next, *last = errands->workers.prev, *next;
    for (bool more = node != &errands->workers; more; node = next) {
        struct worker *worker = container_of(node, struct worker, in);
        next = node->next;
        more = node != last;
        if (worker->busy)
            continue;
        if (worker->next_at <= now && !may)
            worker_rest(worker, WAIT_MS);
        if (worker->next_at <= now && errands->jobs < JOBS_MOST)
            read_step(errands, worker);
        else if (worker->next_at < soonest)
            soonest = worker->next_at;
    }
    periodic_rest(errands->timer);
    if (soonest != INT64_MAX && errands->jobs < JOBS_MOST) /* else the end of a step asks again */
        periodic_in(errands->timer, soonest > now ? soonest - now : 0);
}

/* ---- life ---- */

struct look_job {
    struct service_job job;
    struct id_list accounts;
};

static bool look_run(struct job *job, struct db *db)
{
    struct look_job *look = (struct look_job *)job;
    id_list_free(&look->accounts); /* of an earlier run() */
    errand_accounts(db, &look->accounts);
    return true;
}

static void look_done(struct job *job, bool ok)
{
    struct look_job *look = (struct look_job *)job;
    struct errands *errands = work_done(job);
    periodic_done(errands->look);
    for (int64_t account; ok && id_list_next(&look->accounts, &account);)
        errands_begun(errands, account);
    if (!ok || membership_shared(errands->work->membership))
        periodic_in(errands->look, LOOK_MS);
    id_list_free(&look->accounts);
    free(look);
}

static void look(void *context)
{
    struct errands *errands = context;
    struct look_job *job = work_add(errands->work, errands, sizeof(*job), look_run, look_done);
    periodic_begin(errands->look);
    work_read(&job->job);
}

void errands_begun(struct errands *errands, int64_t account)
{
    struct worker *worker = worker_of(errands, account);
    if (worker == NULL) {
        worker = must_alloc(sizeof(*worker));
        *worker = (struct worker){ .account = account };
        list_append(&errands->workers, &worker->in);
    }
    worker->asked_again = worker->busy;
    take_turns(errands);
}

struct errands *errands_new(struct work *work, const struct errand_doers *doers)
{
    static const struct errand_doers none = { 0 };
    struct errands *errands = must_alloc(sizeof(*errands));
    errands->work = work;
    errands->doers = doers != NULL ? doers : &none;
    list_init(&errands->workers);
    errands->timer = periodic_new(&work->timers, 0, fired, errands);
    errands->look = periodic_new(&work->timers, 0, look, errands);
    look(errands);
    return errands;
}

void errands_free(struct errands *errands)
{
    struct list *node;
    if (errands == NULL)
        return;
    while ((node = list_first(&errands->workers)) != NULL)
        worker_free(container_of(node, struct worker, in));
    periodic_free(errands->timer);
    periodic_free(errands->look);
    free(errands);
}

/* ---- what is over ---- */

enum { SWEEP_FIRST_MS = 5000, SWEEP_EVERY_MS = 60000, SWEEP_REST_MS = 20, SWEEP_SHARE = 10 };

static bool sweep_step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)state;
    return errands_sweep(job, db, times->now_ms);
}

struct sweep *errands_sweep_new(struct work *work)
{
    static const struct sweep_rule rule = { .first_ms = SWEEP_FIRST_MS,
                                            .every_ms = SWEEP_EVERY_MS,
                                            .rest_ms = SWEEP_REST_MS,
                                            .share = SWEEP_SHARE,
                                            .step = sweep_step };
    return sweep_new(work, &rule, 1);
}
