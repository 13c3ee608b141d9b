/* batch.c — one transaction for many jobs.
 *
 * Each job has its own part (a savepoint) unless it is sure of itself; a part that fails is undone
 * alone.  A failure that is not a part's own undoes the whole batch, and every job in it has
 * failed, also one that had refused for a reason of its own: it may have refused because of what
 * another job of the batch wrote, which is gone now.
 *
 * What failed only because others were in the way (DB_RETRY), or for a job that was sure and should
 * not have been, is run again, all of it: the jobs taken so far first, in their order, then further
 * ones.
 *
 * The rule: a job is ok only after COMMIT has returned, or when the database has said since that
 * what was lost on the way was committed.
 */
#include "db/batch.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "db/line.h"

#include <stdlib.h>
#include <time.h>

enum { PAUSE_LEAST_US = 500, PAUSE_MOST_US = 50000 }; /* before a further run */
enum { RUNS_FREE = 4 }; /* past them other nodes that change what it relies on have to wait */

struct batch *batch_new(struct job *jobs, bool write)
{
    struct batch *batch = must_alloc(sizeof(*batch));
    *batch = (struct batch){ .jobs = jobs, .write = write };
    tx_made_init(&batch->made);
    return batch;
}

void batch_free(struct batch *batch)
{
    tx_made_free(&batch->made, batch->nouns);
    free(batch);
}

/* ---- a job's part ---- */

static void job_refused(struct job *job, struct db *db)
{
    if (db_failure(db) == DB_CONSTRAINT) {
        log_error("a job broke a constraint", LOG_T("reason", db_failure_text(db)));
        job->error = (struct error){ 0 };
        error_set(&job->error, ERROR_BROKEN, "the store refused the change");
    } else {
        error_set(&job->error, ERROR_BROKEN, "the change failed without a reason");
    }
}

static void job_run(struct job *job, struct tx *tx, struct db *db)
{
    job->error = (struct error){ 0 };
    job->refused = false;
    job->ok = job->run(job, db) && !job->refused && !db_failed(db) && tx_keep_part(tx);
}

/* False: the transaction cannot go on. */
static bool run_part(struct batch *batch, struct job *job, struct db *db)
{
    struct tx *tx = db_tx(db);
    bool savepoint = !job->sure || batch->careful;
    tx_begin_part(tx, savepoint);
    job_run(job, tx, db);
    if (job->ok)
        return true;
    bool own = !db_failed(db) || db_failure(db) == DB_CONSTRAINT;
    job_refused(job, db);
    if (tx_undo_part(tx))
        return true;
    if (own && !savepoint) {
        log_error("a job that was sure failed", LOG_T("reason", job->error.message));
        batch->careful = true;
    }
    return false;
}

/* The job behind the last one that was run (NULL: the first). */
static struct job *next_of(struct batch *batch, struct job *last)
{
    struct job **link = last != NULL ? &last->next : &batch->jobs;
    if (*link == NULL && batch->line != NULL)
        *link = line_next(batch->line, clock_steady_us());
    return *link;
}

/* ---- the transaction ---- */

/* The commit's answer was lost. */
static enum db_failure ask(struct batch *batch, struct db *db)
{
    bool committed = db_settle(db);
    batch->open = !committed && db_failure(db) == DB_LOST;
    if (!committed && !batch->open)
        tx_undo(db_tx(db));
    return committed ? DB_FINE : db_failure(db);
}

/* Whether it failed for a reason that the next run does not meet. */
static bool goes_again(const struct batch *batch, const struct db *db, bool began, bool was_careful)
{
    enum db_failure failure = db_failure(db);
    return failure == DB_RETRY || (failure == DB_LOST && began) || (batch->careful && !was_careful);
}

static enum db_failure run_once(struct batch *batch, struct db *db)
{
    struct tx *tx = db_tx(db);
    struct job *job = NULL;
    bool goes_on = true, was_careful = batch->careful;
    batch->runs++;
    bool began = tx_begin(tx, clock_wall_ms(), clock_due_ms());
    if (batch->runs > RUNS_FREE)
        tx_stop_news(tx);
    while (goes_on && !db_failed(db) && (job = next_of(batch, job)) != NULL)
        goes_on = run_part(batch, job, db);
    if (goes_on && tx_commit(tx))
        return DB_FINE;
    if (goes_on && db_failure(db) == DB_LOST && tx_was_committing(tx))
        return ask(batch, db);
    if (goes_on && db_failure(db) == DB_CONSTRAINT)
        batch->careful = true; /* a driver that tells late: it was one of those that were sure */
    tx_undo(tx);
    return goes_again(batch, db, began, was_careful) ? DB_RETRY : db_failure(db);
}

/* The others that were in the way have to come out of it. */
static void pause_before(int run)
{
    struct timespec pause = { 0 };
    int64_t us = PAUSE_LEAST_US;
    for (int i = 2; i < run && us < PAUSE_MOST_US; i++)
        us *= 2;
    pause.tv_nsec = us * 1000;
    if (run > 1)
        nanosleep(&pause, NULL);
}

/* ---- its end ---- */

static const char *words_of(const struct batch *batch, enum db_failure failure)
{
    if (batch->open)
        return "the connection to the store broke, and it is not known whether this was written";
    if (failure == DB_FULL)
        return "the disk is full; try again later";
    if (failure == DB_FENCED)
        return "another server has taken the place of this one; try again later";
    if (failure == DB_RETRY)
        return "others were writing the same just now; try again later";
    return "the store cannot be written to just now; try again later";
}

/* Those whose turn it was have no connection to wait for. */
static void take_turn(struct batch *batch)
{
    struct job *job = NULL;
    while ((job = next_of(batch, job)) != NULL)
        ;
}

static void fail_all(struct batch *batch, enum db_failure failure)
{
    if (failure == DB_LOST)
        take_turn(batch);
    for (struct job *job = batch->jobs; job != NULL; job = job->next) {
        job->ok = false;
        job->error = (struct error){ 0 };
        error_set(&job->error, ERROR_UNAVAILABLE, "%s", words_of(batch, failure));
    }
}

/* The line's own jobs: nobody is told of them. */
static void take_out_steps(struct batch *batch)
{
    struct job **link = &batch->jobs;
    while (batch->line != NULL && *link != NULL) {
        if ((*link)->done != NULL)
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
}

static enum db_failure finish(struct batch *batch, struct db *db, enum db_failure failure)
{
    if (failure == DB_FINE)
        tx_take(db_tx(db), &batch->made);
    else
        fail_all(batch, failure);
    batch->made.counts[METRIC_RETRIES] += batch->runs - 1;
    take_out_steps(batch);
    return failure;
}

/* What was in the way may be what other nodes have changed. */
static enum db_failure run_again(struct batch *batch, struct db *db)
{
    if (batch->runs == 0 || tx_hear(db_tx(db)))
        return run_once(batch, db);
    batch->runs++;
    return db_failure(db);
}

static enum db_failure go_on(struct batch *batch, struct db *db, enum db_failure failure)
{
    while (failure == DB_RETRY && batch->runs < BATCH_RUNS_MOST) {
        pause_before(batch->runs + 1);
        failure = run_again(batch, db);
    }
    return batch->open ? failure : finish(batch, db, failure);
}

enum db_failure batch_commit(struct batch *batch, struct db *db)
{
    batch->nouns = tx_nouns(db_tx(db));
    return go_on(batch, db, DB_RETRY);
}

enum db_failure batch_settle(struct batch *batch, struct db *db)
{
    return go_on(batch, db, ask(batch, db));
}

void batch_give_up(struct batch *batch, struct db *db)
{
    tx_undo(db_tx(db));
    finish(batch, db, DB_LOST);
    batch->open = false;
}

void batch_refuse(struct batch *batch)
{
    fail_all(batch, DB_LOST);
}

enum db_failure batch_read(struct batch *batch, struct db *db)
{
    struct job *job = batch->jobs;

    job->error = (struct error){ 0 };
    db_begin(db, clock_wall_ms(), clock_due_ms());
    job->ok = job->run(job, db) && !db_failed(db);
    if (job->ok && db_commit(db))
        return DB_FINE;
    job->ok = false;
    if (db_failed(db)) {
        job->error = (struct error){ 0 };
        batch->damaged = db_failure(db) == DB_FATAL;
        if (batch->damaged)
            job->error.kind = ERROR_DAMAGED;
        else
            error_set(&job->error, ERROR_UNAVAILABLE,
                      "the store cannot be read just now; try again later");
    }
    db_undo(db);
    return db_failure(db);
}

static void run_alone(struct job *job, struct db *db)
{
    job->error = (struct error){ 0 };
    db_begin(db, clock_wall_ms(), clock_due_ms());
    job->ok = job->run(job, db) && !db_failed(db);
    if (job->ok)
        job->ok = db_commit(db);
    else
        db_undo(db);
}

enum db_failure batch_alone(struct batch *batch, struct db *db)
{
    do {
        pause_before(++batch->runs);
        run_alone(batch->jobs, db);
    } while (db_failure(db) == DB_RETRY && batch->runs < BATCH_RUNS_MOST);
    batch->made.counts[METRIC_RETRIES] = batch->runs - 1;
    if (db_failed(db))
        fail_all(batch, db_failure(db));
    return db_failure(db);
}
