/* batch.c — one transaction for many jobs.
 *
 * Each job has its own part (a savepoint) unless it is sure of itself; a part that fails is undone
 * alone.  A failure that is not a part's own undoes the whole batch, and every job in it has
 * failed, also one that had refused for a reason of its own: it may have refused because of what
 * another job of the batch wrote, which is gone now.
 *
 * The rule: a job is ok only after COMMIT has returned.
 */
#include "db/batch.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "db/changes.h"
#include "db/line.h"
#include "db/nouns.h"
#include "model/postback.h"

#include <stdlib.h>

struct batch *batch_new(struct job *jobs, bool write)
{
    struct batch *batch = must_alloc(sizeof(*batch));
    *batch = (struct batch){ .jobs = jobs, .write = write };
    list_init(&batch->fresh);
    return batch;
}

void batch_drop_fresh(struct list *fresh)
{
    for (struct list *node; (node = list_first(fresh)) != NULL;) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
}

void batch_free(struct batch *batch)
{
    batch_drop_fresh(&batch->fresh);
    free(batch->changes);
    free(batch);
}

static void append_all(struct list *into, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = into->prev;
    into->prev->next = from->next;
    from->prev->next = into;
    into->prev = from->prev;
    list_init(from);
}

static void job_refused(struct job *job, struct db *db)
{
    job->ok = false;
    batch_drop_fresh(&job->fresh);
    if (db_failure(db) == DB_CONSTRAINT) {
        log_error("a job broke a constraint", LOG_T("reason", db_failure_text(db)));
        job->error = (struct error){ 0 };
        error_set(&job->error, ERROR_BROKEN, "the store refused the change");
    } else {
        error_set(&job->error, ERROR_BROKEN, "the change failed without a reason");
    }
}

static void undo_memories(struct db *db, const size_t marks[])
{
    const struct db_nouns *nouns = db_nouns(db);
    for (size_t i = 0; i < nouns->memory_count; i++)
        nouns->memories[i].undo(db, marks[i]);
}

static void write_memories(struct db *db)
{
    const struct db_nouns *nouns = db_nouns(db);
    for (size_t i = 0; i < nouns->memory_count; i++) {
        if (nouns->memories[i].before_commit != NULL)
            nouns->memories[i].before_commit(db);
    }
}

static void close_memories(struct db *db)
{
    const struct db_nouns *nouns = db_nouns(db);
    for (size_t i = 0; i < nouns->memory_count; i++) {
        if (nouns->memories[i].committed != NULL)
            nouns->memories[i].committed(db);
    }
}

/* False: the transaction is broken. */
static bool run_part(struct job *job, struct db *db)
{
    const struct db_nouns *nouns = db_nouns(db);
    size_t marks[DB_MEMORIES_MOST], noted = changes_mark(db);
    int64_t changes = db_all_changes(db);

    for (size_t i = 0; i < nouns->memory_count; i++)
        marks[i] = nouns->memories[i].mark(db);
    if (!job->sure)
        db_begin_part(db);
    job->ok = job->run(job, db) && !job->refused && !db_failed(db);
    if (job->ok) {
        if (!job->sure)
            db_keep_part(db);
        return !db_failed(db);
    }
    if (job->sure && !db_failed(db) && db_all_changes(db) == changes) {
        job_refused(job, db);
        return true;
    }
    if (job->sure && (!db_failed(db) || db_failure(db) == DB_CONSTRAINT))
        bug("a job that was sure failed: %s",
            db_failed(db) ? db_failure_text(db) : job->error.message);
    job_refused(job, db);
    undo_memories(db, marks);
    changes_undo(db, noted);
    return db_undo_part(db);
}

static void fail_all(struct batch *batch, const struct db *db)
{
    for (struct job *job = batch->jobs; job != NULL; job = job->next) {
        job->ok = false;
        batch_drop_fresh(&job->fresh);
        job->error = (struct error){ 0 };
        error_set(&job->error, ERROR_UNAVAILABLE,
                  db_failure(db) == DB_FULL
                      ? "the disk is full; try again later"
                      : "the store cannot be written to just now; try again later");
    }
}

/* The job behind the last one that was run (NULL: the first). */
static struct job *next_of(struct batch *batch, struct job *last)
{
    struct job **link = last != NULL ? &last->next : &batch->jobs;
    if (*link == NULL && batch->line != NULL)
        *link = line_next(batch->line, clock_steady_us());
    return *link;
}

/* The line's own jobs: nobody is told of them. */
static void take_out_steps(struct batch *batch)
{
    struct job **link = &batch->jobs;
    while (batch->line != NULL && *link != NULL) {
        struct job *job = *link;
        if (job->done != NULL) {
            link = &job->next;
            continue;
        }
        batch->postbacks += job->ok ? job->postbacks : 0;
        *link = job->next;
    }
}

enum db_failure batch_commit(struct batch *batch, struct db *db)
{
    bool whole = true;
    struct job *job = NULL;

    db_begin(db, clock_wall_ms(), clock_due_ms());
    while (whole && !db_failed(db) && (job = next_of(batch, job)) != NULL)
        whole = run_part(job, db);
    if (!db_failed(db))
        write_memories(db);
    if (!db_commit(db)) {
        undo_memories(db, (const size_t[DB_MEMORIES_MOST]){ 0 });
        changes_undo(db, 0);
        fail_all(batch, db);
        take_out_steps(batch);
        return db_failure(db);
    }
    for (job = batch->jobs; job != NULL; job = job->next) {
        if (job->ok)
            append_all(&batch->fresh, &job->fresh);
    }
    take_out_steps(batch);
    batch->change_count = changes_take(db, &batch->changes);
    close_memories(db);
    return DB_FINE;
}

enum db_failure batch_read(struct batch *batch, struct db *db)
{
    struct job *job = batch->jobs;

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
