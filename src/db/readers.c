/* readers.c — threads that take read jobs one by one: one for the engine, two for calls, one for
 * look-ups, so that slow lists hold up neither what has to be delivered nor who comes in.
 *
 * A job's transaction begins after it was taken, so its snapshot holds every write that was done()
 * when it was given.  A job that nobody waits for any more (job->wanted()) is not run, and its
 * statements end early when that is found out while they run.
 *
 * The rule: a read that meets a damaged page fails alone, loudly: whatever lies on whole pages is
 * served.  (The writer ends the program: what it would add to a damaged tree may be lost.)
 */
#include "db/readers.h"

#include "base/clock.h"
#include "base/condition.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/trim.h"
#include "db/read_turns.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Look-ups need no cap: a connection has one at most. */
static const struct read_limits limits[READ_ROADS] = {
    [READ_ENGINE] = { READS_AT_ONCE, SIZE_MAX, SIZE_MAX },
    [READ_CALLS] = { READS_AT_ONCE, READS_ACCOUNT_MOST, READS_MOST },
    [READ_LOOK_UPS] = { READS_AT_ONCE, SIZE_MAX, SIZE_MAX },
};

static const enum read_road reads_for[] = { READ_ENGINE, READ_CALLS, READ_CALLS, READ_LOOK_UPS };
enum { SAY_EVERY_MS = 1000 };
enum { READERS = sizeof(reads_for) / sizeof(reads_for[0]) };

struct road {
    pthread_mutex_t lock; /* held for a few instructions, never while a job runs */
    pthread_cond_t more;
    struct read_turns turns;
    bool closed;
};

struct readers {
    struct road roads[READ_ROADS];
    struct batch_sink sink;
    struct reader {
        struct readers *readers;
        struct road *road;
        struct db *db;
        struct job *job; /* being run */
        int64_t account; /* its */
        int64_t said_ms; /* when a failure was last told; 0: never */
        bool left;       /* nobody waits for it */
        pthread_t thread;
    } each[READERS];
};

/* ---- a job ---- */

/* Called by the driver every now and then, and before the job: true ends it. */
static bool has_left(void *context)
{
    struct reader *reader = context;
    const struct job *job = reader->job;
    if (job != NULL && !reader->left && job->wanted != NULL)
        reader->left = !job->wanted(job);
    return reader->left;
}

/* Once a second is enough: the engine asks again until it has its answer, and while a database is
 * away every call fails. */
static void say_failed(struct reader *reader, bool damaged)
{
    int64_t now_ms = clock_steady_ms();
    if (reader->said_ms != 0 && now_ms - reader->said_ms < SAY_EVERY_MS)
        return;
    reader->said_ms = now_ms;
    if (damaged)
        log_error("store_damaged", LOG_T("reason", db_failure_text(reader->db)),
                  LOG_N("account", reader->account),
                  LOG_T("effect", "this read failed; run postbackd check"));
    else
        log_error("the store cannot be read", LOG_T("reason", db_failure_text(reader->db)));
}

static struct batch *read_one(struct reader *reader, struct job *job)
{
    struct batch *batch = batch_new(job, false);
    enum db_failure failure = DB_FINE;
    reader->job = job;
    reader->account = job->account;
    reader->left = false;
    if (!has_left(reader))
        failure = batch_read(batch, reader->db);
    reader->job = NULL;
    batch->left = reader->left && !job->ok;
    reader->left = false;
    if (batch->left) {
        job->error = (struct error){ 0 };
        error_set(&job->error, ERROR_UNAVAILABLE, "nobody waits for the answer");
    } else if (batch->damaged || failure != DB_FINE) {
        say_failed(reader, batch->damaged);
    }
    return batch;
}

/* NULL: the road is closed, and nothing is left that this thread may run. */
static struct job *take(struct road *road)
{
    struct job *job;
    pthread_mutex_lock(&road->lock);
    struct timespec until = condition_in(TRIM_IDLE_MS);
    bool rests = false;
    while ((job = read_turns_take(&road->turns)) == NULL && !road->closed) {
        if (rests) {
            pthread_cond_wait(&road->more, &road->lock);
        } else if (pthread_cond_timedwait(&road->more, &road->lock, &until) == ETIMEDOUT) {
            pthread_mutex_unlock(&road->lock);
            trim_idle();
            pthread_mutex_lock(&road->lock);
            rests = true;
        }
    }
    pthread_mutex_unlock(&road->lock);
    return job;
}

static void ended(struct road *road, int64_t account)
{
    pthread_mutex_lock(&road->lock);
    read_turns_end(&road->turns, account);
    pthread_mutex_unlock(&road->lock);
}

static void *reader_main(void *context)
{
    struct reader *reader = context;
    struct readers *readers = reader->readers;

    for (struct job *job; (job = take(reader->road)) != NULL;) {
        int64_t account = job->account;
        struct batch *batch = read_one(reader, job);
        readers->sink.take(readers->sink.context, batch); /* the job is the loop's from here on */
        ended(reader->road, account);
        trim_busy();
    }
    return NULL;
}

/* ---- all of them ---- */

static void road_init(struct road *road, const struct read_limits *of)
{
    pthread_mutex_init(&road->lock, NULL);
    condition_init(&road->more);
    read_turns_init(&road->turns, of);
}

static void road_destroy(struct road *road)
{
    pthread_cond_destroy(&road->more);
    pthread_mutex_destroy(&road->lock);
    read_turns_free(&road->turns);
}

struct readers *readers_start(struct db_source *source, struct id_source *ids,
                              struct batch_sink sink, struct error *error)
{
    struct readers *readers = must_alloc(sizeof(*readers));

    readers->sink = sink;
    for (int i = 0; i < READERS; i++) {
        struct reader *reader = &readers->each[i];
        reader->readers = readers;
        reader->road = &readers->roads[reads_for[i]];
        reader->db = db_open(source, DB_READER, ids, error);
        if (reader->db == NULL)
            goto err0;
        db_watch(reader->db, has_left, reader);
    }
    for (int i = 0; i < READ_ROADS; i++)
        road_init(&readers->roads[i], &limits[i]);
    for (int i = 0; i < READERS; i++) {
        if (pthread_create(&readers->each[i].thread, NULL, reader_main, &readers->each[i]) != 0)
            die("no thread for the store's readers");
    }
    return readers;
err0:
    for (int i = 0; i < READERS; i++)
        db_close(readers->each[i].db);
    free(readers);
    return NULL;
}

bool readers_give(struct readers *readers, enum read_road which, struct job *job)
{
    struct road *road = &readers->roads[which];
    pthread_mutex_lock(&road->lock);
    bool given = read_turns_add(&road->turns, job);
    if (given)
        pthread_cond_signal(&road->more);
    pthread_mutex_unlock(&road->lock);
    return given;
}

void readers_stop(struct readers *readers)
{
    for (int i = 0; i < READ_ROADS; i++) {
        pthread_mutex_lock(&readers->roads[i].lock);
        readers->roads[i].closed = true;
        pthread_cond_broadcast(&readers->roads[i].more);
        pthread_mutex_unlock(&readers->roads[i].lock);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers->each[i].thread, NULL);
        db_close(readers->each[i].db);
    }
    for (int i = 0; i < READ_ROADS; i++)
        road_destroy(&readers->roads[i]);
    free(readers);
}
