/* aside.c — a list of jobs under a mutex, and an eventfd that wakes the thread.
 *
 * The thread sleeps in poll() and nowhere else, so that whatever has a file descriptor can wake it:
 * the connection too, when other nodes have told that there is news.
 */
#include "db/aside.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct aside {
    struct db *db;
    struct batch_sink sink;
    pthread_t thread;
    int poke; /* an eventfd: there are jobs, or it is closed */
    pthread_mutex_t lock;
    struct job *first, **end;
    bool closed;
    bool tells; /* others have to hear */

    void (*told)(void *context); /* with the sink's */
    int64_t told_us;             /* when the others were told last, steady clock */
    int64_t sent;                /* not yet in the metrics */
};

static void poke(struct aside *aside)
{
    const uint64_t one = 1;
    if (write(aside->poke, &one, sizeof(one)) != sizeof(one))
        die("the store's thread aside cannot be woken: %s", strerror(errno));
}

/* ---- news ---- */

/* Until the others may be told again, ms; -1: they need not be. */
static int tells_in(struct aside *aside)
{
    pthread_mutex_lock(&aside->lock);
    bool tells = aside->tells;
    pthread_mutex_unlock(&aside->lock);
    int64_t ago_ms = (clock_steady_us() - aside->told_us) / 1000;
    if (!tells)
        return -1;
    return ago_ms < ASIDE_TELL_EVERY_MS ? (int)(ASIDE_TELL_EVERY_MS - ago_ms) : 0;
}

/* If it fails they look by themselves within a second. */
static void tell(struct aside *aside)
{
    pthread_mutex_lock(&aside->lock);
    aside->tells = false;
    pthread_mutex_unlock(&aside->lock);
    db_begin(aside->db, clock_wall_ms(), clock_due_ms());
    db_tell(aside->db);
    aside->sent += db_commit(aside->db);
    aside->told_us = clock_steady_us();
}

void aside_tell(struct aside *aside)
{
    pthread_mutex_lock(&aside->lock);
    bool first = !aside->tells;
    aside->tells = true;
    pthread_mutex_unlock(&aside->lock);
    if (first)
        poke(aside);
}

static void hear(struct aside *aside)
{
    if (db_told(aside->db))
        aside->told(aside->sink.context);
}

/* ---- jobs ---- */

static void rest(struct aside *aside)
{
    struct pollfd waits[] = { { .fd = aside->poke, .events = POLLIN },
                              { .fd = db_socket(aside->db), .events = POLLIN } };
    uint64_t pokes;
    if (poll(waits, 2, tells_in(aside)) > 0 && waits[0].revents != 0 &&
        read(aside->poke, &pokes, sizeof(pokes)) == -1)
        die("the store's thread aside cannot wait: %s", strerror(errno));
}

static struct job *take(struct aside *aside, bool *closed)
{
    pthread_mutex_lock(&aside->lock);
    struct job *job = aside->first;
    if (job != NULL)
        aside->first = job->next;
    if (aside->first == NULL)
        aside->end = &aside->first;
    *closed = aside->closed;
    pthread_mutex_unlock(&aside->lock);
    return job;
}

static void run(struct aside *aside, struct job *job)
{
    job->next = NULL;
    struct batch *batch = batch_new(job, false);
    if (batch_alone(batch, aside->db) != DB_FINE)
        log_warn("a transaction aside failed", LOG_T("reason", db_failure_text(aside->db)));
    batch->made.counts[METRIC_NEWS_SENT] = aside->sent;
    aside->sent = 0;
    aside->sink.take(aside->sink.context, batch);
}

static void *aside_main(void *context)
{
    struct aside *aside = context;
    bool closed = false;

    while (!closed) {
        struct job *job = take(aside, &closed);
        if (tells_in(aside) == 0 && !closed)
            tell(aside);
        if (job != NULL)
            run(aside, job);
        else if (!closed)
            rest(aside);
        hear(aside);
        closed = closed && job == NULL;
    }
    return NULL;
}

struct aside *aside_start(struct db_source *source, struct id_source *ids, struct batch_sink sink,
                          void (*told)(void *context), struct error *error)
{
    struct db *db = db_open(source, DB_ASIDE, ids, error);
    if (db == NULL)
        return NULL;
    struct aside *aside = must_alloc(sizeof(*aside));
    *aside =
        (struct aside){ .db = db, .sink = sink, .told = told, .poke = eventfd(0, EFD_CLOEXEC) };
    aside->end = &aside->first;
    pthread_mutex_init(&aside->lock, NULL);
    if (aside->poke == -1)
        die("no eventfd for the store's thread aside: %s", strerror(errno));
    if (pthread_create(&aside->thread, NULL, aside_main, aside) != 0)
        die("no thread for the store's transactions aside");
    return aside;
}

void aside_give(struct aside *aside, struct job *job)
{
    pthread_mutex_lock(&aside->lock);
    job->next = NULL;
    *aside->end = job;
    aside->end = &job->next;
    pthread_mutex_unlock(&aside->lock);
    poke(aside);
}

void aside_stop(struct aside *aside)
{
    pthread_mutex_lock(&aside->lock);
    aside->closed = true;
    pthread_mutex_unlock(&aside->lock);
    poke(aside);
    pthread_join(aside->thread, NULL);
}

void aside_free(struct aside *aside)
{
    if (aside == NULL)
        return;
    pthread_mutex_destroy(&aside->lock);
    close(aside->poke);
    db_close(aside->db);
    free(aside);
}
