/* writer.c — group commit: while one transaction commits, the next batch gathers.
 *
 * The thread takes all jobs that have gathered, runs those whose turn it is (line.h) in one
 * transaction, and hands the finished batch back.  When the disk is full a batch fails and the next
 * one is tried as usual; with nothing to write a probe is written each second, so that the loop
 * learns when there is room again.
 *
 * Between the jobs it takes the steps of what goes on by itself (nouns.h), from when the engine is
 * there to when it stops.
 *
 * The connection, and all that its memory holds (the nouns'), belongs to whoever has the turn: this
 * thread, or one that runs a job now.
 *
 * When the connection is lost (DB_LOST) it is made anew, and nothing is written until then; a
 * commit that was under way is asked after before its jobs are told anything.
 *
 * The rule: what is not known to be on disk is never called written.  A failed fsync, a damaged or
 * read-only file, and a store that fails for no known reason TROUBLES_MAX times in a row end the
 * program; but not where the database is another machine's, which is mended there.
 */
#include "db/writer.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/trim.h"
#include "db/line.h"
#include "db/nouns.h"
#include "db/queue.h"
#include "db/tx.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    TROUBLES_MAX = 10,
    PROBE_EVERY_MS = 1000,
    LOST_TRIES = 5,
    HEAR_EVERY_MS = 1000, /* what other nodes have committed, also when nobody says that there is */
    HEAR_LEAST_MS = 2,    /* between two looks, however often somebody says so */
};

struct writer {
    struct db *db;
    struct queue queue;
    struct line line; /* of what has been taken out of the queue; the thread's own */
    struct batch_sink sink;
    pthread_t thread;
    pthread_mutex_t turn; /* held while the connection is used: against writer_run_now() */
    atomic_bool writable; /* writer_run_now() may change it while the thread looks */
    atomic_bool steps;    /* of fan-outs are taken */
    int troubles;         /* failures in a row that are not a full disk */
    atomic_bool poked;    /* other nodes have committed something */
    int64_t heard_us;     /* when it was looked last, steady clock */
};

static void note_result(struct writer *writer, enum db_failure failure)
{
    if (failure == DB_FINE) {
        if (!writer->writable)
            log_info("the store can be written to again");
        writer->writable = true;
        writer->troubles = 0;
        return;
    }
    if (failure == DB_RETRY) { /* of its jobs, not of the store */
        log_warn("a transaction was given up", LOG_T("reason", db_failure_text(writer->db)));
        return;
    }
    if (writer->writable)
        log_error("the store cannot be written to", LOG_T("reason", db_failure_text(writer->db)));
    writer->writable = false;
    if (failure == DB_FATAL && !db_is_remote(writer->db))
        die("%s", db_failure_text(writer->db));
    if (failure == DB_FULL)
        db_make_room(writer->db);
    bool passes = failure == DB_FULL || failure == DB_LOST || db_is_remote(writer->db);
    writer->troubles = passes ? 0 : writer->troubles + 1;
    if (writer->troubles >= TROUBLES_MAX)
        die("%s (%d times in a row)", db_failure_text(writer->db), writer->troubles);
}

static bool proof_run(struct job *job, struct db *db)
{
    struct stmt *put = db_prepare(db, "INSERT INTO meta (key, value) VALUES ('probed_at', ?) "
                                      "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    (void)job;
    db_bind_int(put, 1, db_now(db));
    db_run(db, put);
    return true;
}

/* A commit that certainly writes something. */
static enum db_failure prove(struct writer *writer)
{
    struct job job = { .run = proof_run };
    struct batch *batch = batch_new(&job, true);
    enum db_failure failure = batch_commit(batch, writer->db);
    batch->jobs = NULL;
    batch_free(batch);
    return failure;
}

/* A batch without jobs carries the news. */
static void tell_lost(struct writer *writer)
{
    note_result(writer, DB_LOST);
    writer->sink.take(writer->sink.context, batch_new(NULL, true));
}

/* Those that came meanwhile. */
static void refuse_waiting(struct writer *writer)
{
    bool closed;
    struct job *jobs = queue_take_all(&writer->queue, 0, &closed);
    struct batch *batch = jobs != NULL ? batch_new(jobs, true) : NULL;
    if (batch == NULL)
        return;
    batch_refuse(batch);
    writer->sink.take(writer->sink.context, batch);
}

/* The commit's answer was lost: its jobs wait until the database can be asked.  Those that run on
 * the caller's thread do so for a moment only, and so do all once the store is to be closed. */
static enum db_failure settle(struct writer *writer, struct batch *batch)
{
    enum db_failure failure = DB_LOST;
    tell_lost(writer);
    for (int tries = 0; batch->open; tries++) {
        bool patient = batch->line != NULL || tries < LOST_TRIES;
        if (!patient || !queue_rest(&writer->queue, PROBE_EVERY_MS)) {
            batch_give_up(batch, writer->db);
            return DB_LOST;
        }
        failure = batch_settle(batch, writer->db);
        if (batch->open)
            refuse_waiting(writer);
    }
    return failure;
}

/* Jobs that write nothing succeed on a full disk too: so a success after failures is believed when
 * it has been proved. */
static struct batch *run(struct writer *writer, struct job *jobs, struct line *line)
{
    struct batch *batch = batch_new(jobs, true);
    batch->line = line;
    pthread_mutex_lock(&writer->turn);
    enum db_failure failure = batch_commit(batch, writer->db);
    if (batch->open)
        failure = settle(writer, batch);
    if (failure == DB_FINE && !writer->writable)
        failure = prove(writer);
    note_result(writer, failure);
    batch->writable = writer->writable;
    batch->fenced = failure == DB_FENCED;
    tx_take_heard(db_tx(writer->db), &batch->made); /* that stands, whatever became of this */
    pthread_mutex_unlock(&writer->turn);
    return batch;
}

struct batch *writer_run_now(struct writer *writer, struct job *job)
{
    return run(writer, job, NULL);
}

static void probe(struct writer *writer)
{
    struct batch *batch = run(writer, NULL, NULL);
    if (batch->writable || batch->fenced || batch->made.heard_count > 0)
        writer->sink.take(writer->sink.context, batch);
    else
        batch_free(batch);
}

/* ---- what other nodes have committed ---- */

/* How long until it has to hear, ms. */
static int hears_in(const struct writer *writer)
{
    int64_t ago_ms = (clock_steady_us() - writer->heard_us) / 1000;
    int64_t every_ms = writer->poked ? HEAR_LEAST_MS : HEAR_EVERY_MS;
    return ago_ms < every_ms ? (int)(every_ms - ago_ms) : 0;
}

/* A batch without jobs carries it.  A database that is gone is found out by this too. */
static void hear(struct writer *writer)
{
    struct batch *batch = batch_new(NULL, true);
    writer->poked = false; /* before it is read */
    pthread_mutex_lock(&writer->turn);
    if (!tx_hear(db_tx(writer->db)))
        note_result(writer, db_failure(writer->db));
    tx_take_heard(db_tx(writer->db), &batch->made);
    batch->writable = writer->writable;
    pthread_mutex_unlock(&writer->turn);
    writer->heard_us = clock_steady_us();
    if (batch->made.heard_count > 0 || !batch->writable)
        writer->sink.take(writer->sink.context, batch);
    else
        batch_free(batch);
}

static void hear_if_needed(struct writer *writer)
{
    if (db_is_remote(writer->db) && writer->writable && hears_in(writer) == 0)
        hear(writer);
}

/* Accounts whose fan-outs go on, as the last transaction left them. */
static void line_up_fan_outs(struct writer *writer)
{
    const struct db_nouns *nouns = tx_nouns(db_tx(writer->db));
    pthread_mutex_lock(&writer->turn);
    if (nouns->steps_changed(writer->db)) {
        size_t count;
        db_begin(writer->db, clock_wall_ms(), clock_due_ms());
        int64_t *accounts = nouns->step_accounts(writer->db, &count);
        db_commit(writer->db); /* it has only read */
        line_fan_outs(&writer->line, accounts, count);
        free(accounts);
    }
    pthread_mutex_unlock(&writer->turn);
}

static bool takes_steps(const struct writer *writer)
{
    return writer->writable && writer->steps;
}

/* Something can be written. */
static bool has_work(const struct writer *writer)
{
    return !line_empty(&writer->line) || (takes_steps(writer) && line_fans_out(&writer->line));
}

/* How long the queue may let the thread sleep, ms; -1: until there is a job. */
static int patience(const struct writer *writer, bool rests)
{
    if (has_work(writer))
        return 0;
    if (!writer->writable)
        return PROBE_EVERY_MS;
    if (db_is_remote(writer->db))
        return hears_in(writer);
    return rests ? -1 : TRIM_IDLE_MS;
}

static void *writer_main(void *context)
{
    struct writer *writer = context;
    bool closed = false, rests = false;

    while (!closed || !line_empty(&writer->line)) {
        hear_if_needed(writer);
        line_up_fan_outs(writer);
        line_add(&writer->line, queue_take_all(&writer->queue, patience(writer, rests), &closed));
        if (closed ? !line_empty(&writer->line) : has_work(writer)) {
            line_begin(&writer->line, clock_steady_us(), takes_steps(writer) && !closed);
            struct batch *batch = run(writer, NULL, &writer->line);
            writer->sink.take(writer->sink.context, batch);
            pthread_mutex_lock(&writer->turn);
            db_upkeep(writer->db);
            pthread_mutex_unlock(&writer->turn);
            trim_busy();
            rests = false;
        } else if (!closed && !writer->writable) {
            probe(writer);
        } else if (!closed && !rests) {
            trim_idle();
            rests = true;
        }
    }
    return NULL;
}

struct writer *writer_start(struct db *db, struct batch_sink sink, struct error *error)
{
    if (!db_upkeep_start(db, error))
        return NULL;
    struct writer *writer = must_alloc(sizeof(*writer));
    *writer = (struct writer){ .db = db, .sink = sink, .writable = true };
    queue_init(&writer->queue);
    line_init(&writer->line, tx_nouns(db_tx(db))->step);
    pthread_mutex_init(&writer->turn, NULL);
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
        die("no thread for the store's writer");
    return writer;
}

void writer_give(struct writer *writer, struct job *job)
{
    queue_put(&writer->queue, job);
}

void writer_fan_out(struct writer *writer, bool on)
{
    writer->steps = on;
}

void writer_poke(struct writer *writer)
{
    writer->poked = true;
    queue_poke(&writer->queue);
}

void writer_hurry(struct writer *writer)
{
    queue_hurry(&writer->queue);
}

void writer_stop(struct writer *writer)
{
    queue_close(&writer->queue);
    pthread_join(writer->thread, NULL);
    queue_destroy(&writer->queue);
    line_free(&writer->line);
    pthread_mutex_destroy(&writer->turn);
    db_close(writer->db);
    free(writer);
}
