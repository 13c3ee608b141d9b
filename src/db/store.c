/* store.c — the store as the loop sees it: jobs go out to the threads, batches come back.
 *
 * A finished batch is put into `finished` under a mutex; the first one into an empty list wakes the
 * loop, so a burst costs one wake-up.  On the loop each batch gives its news of health, then its
 * fresh postbacks, then its jobs' done(), in the order in which they were committed.
 *
 * The rule: the database is taken hold of (db_source_open()) before anything else is looked at, and
 * let go of when all is closed.
 */
#include "db/store.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/aside.h"
#include "db/batch.h"
#include "db/directory.h"
#include "db/nouns.h"
#include "db/readers.h"
#include "db/sane_clock.h"
#include "db/tx.h"
#include "db/writer.h"
#include "model/change.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef HOST_NAME_MAX
#define HOST_NAME_MAX 64
#endif

struct store {
    uv_loop_t *loop;
    uv_async_t wake;
    bool wake_closed;
    const struct db_nouns *nouns;
    struct db_source *source;
    struct id_source ids;
    struct writer *writer;
    struct readers *readers;
    struct aside *aside; /* NULL: the database is not shared */
    struct db_guard guard;
    int64_t joined_ms;

    size_t writes, reads; /* given and not yet done */
    bool writable, sealed;

    pthread_mutex_t finished_lock;
    struct batch *finished, **finished_end;

    void (*fresh)(void *context, struct list *made);
    void *fresh_context;
    void (*health)(void *context, bool writable);
    void *health_context;
    void (*fenced)(void *context);
    void *fenced_context;
    struct listener {
        void (*hear)(void *context, const struct change *change);
        void *context;
    } listeners[STORE_LISTENERS_MOST];
    size_t listener_count;
};

/* ---- back to the loop ---- */

static void take_finished(void *context, struct batch *batch)
{
    struct store *store = context;

    pthread_mutex_lock(&store->finished_lock);
    bool first = store->finished == NULL;
    batch->next = NULL;
    *store->finished_end = batch;
    store->finished_end = &batch->next;
    pthread_mutex_unlock(&store->finished_lock);
    if (first)
        uv_async_send(&store->wake);
}

static void tell_others(struct store *store, const struct batch *batch)
{
    if (batch->made.counts[METRIC_NEWS] > 0 && store->aside != NULL)
        aside_tell(store->aside);
}

static void take_written(void *context, struct batch *batch)
{
    tell_others(context, batch);
    take_finished(context, batch);
}

static void others_told(void *context)
{
    store_poke(context);
}

static struct batch *all_finished(struct store *store)
{
    pthread_mutex_lock(&store->finished_lock);
    struct batch *batches = store->finished;
    store->finished = NULL;
    store->finished_end = &store->finished;
    pthread_mutex_unlock(&store->finished_lock);
    return batches;
}

static void count(const struct batch *batch)
{
    int64_t waits, us;
    db_take_waits(&waits, &us);
    metric_add(METRIC_ROUND_TRIPS, waits);
    metric_add(METRIC_ROUND_TRIP_US, us);
    metric_add(METRIC_READS_LEFT, batch->left);
    metric_add(METRIC_READS_DAMAGED, batch->damaged);
    for (int i = 0; i < METRIC_COUNTERS; i++)
        metric_add((enum metric)i, batch->made.counts[i]);
}

static void tell_change(const struct store *store, const struct change *change)
{
    for (size_t i = 0; i < store->listener_count; i++)
        store->listeners[i].hear(store->listeners[i].context, change);
}

static void tell(struct store *store, struct batch *batch)
{
    count(batch);
    if (batch->write && batch->writable != store->writable) {
        store->writable = batch->writable;
        if (store->health != NULL)
            store->health(store->health_context, store->writable);
    }
    if (batch->fenced && store->fenced != NULL)
        store->fenced(store->fenced_context);
    for (size_t i = 0; i < batch->made.heard_count; i++)
        tell_change(store, &batch->made.heard[i]);
    if (!list_empty(&batch->made.handed) && store->fresh != NULL)
        store->fresh(store->fresh_context, &batch->made.handed);
    for (size_t i = 0; i < batch->made.change_count; i++)
        tell_change(store, &batch->made.changes[i]);
}

static void wake_fired(uv_async_t *wake)
{
    struct store *store = wake->data;

    for (struct batch *batch = all_finished(store), *next; batch != NULL; batch = next) {
        next = batch->next;
        tell(store, batch);
        for (struct job *job = batch->jobs, *after; job != NULL; job = after) {
            after = job->next;
            if (batch->write)
                store->writes--;
            else
                store->reads--;
            job->done(job, job->ok); /* frees it */
        }
        batch_free(batch);
    }
    if (store->writes + store->reads == 0)
        uv_unref((uv_handle_t *)wake);
}

/* ---- jobs out ---- */

static void prepare(struct job *job)
{
    job->ok = job->refused = false;
    job->error = (struct error){ 0 };
    job->next = NULL;
    job->given_us = clock_steady_us();
}

static void refuse_write(struct store *store, struct job *job)
{
    struct batch *batch = batch_new(job, true);
    batch->writable = store->writable;
    batch_refuse(batch);
    take_finished(store, batch);
}

void store_seal(struct store *store)
{
    store->sealed = true;
    writer_hurry(store->writer);
}

void store_write(struct store *store, struct job *job)
{
    prepare(job);
    store->writes++;
    uv_ref((uv_handle_t *)&store->wake);
    if (store->sealed)
        refuse_write(store, job);
    else
        writer_give(store->writer, job);
}

static void give_read(struct store *store, enum read_road road, struct job *job)
{
    prepare(job);
    store->reads++;
    uv_ref((uv_handle_t *)&store->wake);
    if (readers_give(store->readers, road, job))
        return;
    metric_add(METRIC_READS_REFUSED, 1);
    take_finished(store, batch_new(job, false));
}

void store_read(struct store *store, struct job *job)
{
    give_read(store, job->account == 0 ? READ_ENGINE : READ_CALLS, job);
}

void store_look_up(struct store *store, struct job *job)
{
    give_read(store, READ_LOOK_UPS, job);
}

void store_aside(struct store *store, struct job *job)
{
    if (store->aside == NULL) {
        store_write(store, job);
        return;
    }
    prepare(job);
    store->reads++;
    uv_ref((uv_handle_t *)&store->wake);
    aside_give(store->aside, job);
}

bool store_run_now(struct store *store, struct job *job)
{
    prepare(job);
    struct batch *batch = writer_run_now(store->writer, job);
    tell_others(store, batch);
    tell(store, batch);
    batch_free(batch);
    return job->ok;
}

/* The writer may be asleep: it wakes up for a job. */
static bool wake_run(struct job *job, struct db *db)
{
    (void)job;
    (void)db;
    return true;
}

static void wake_done(struct job *job, bool ok)
{
    (void)ok;
    free(job);
}

void store_fan_out(struct store *store, bool on)
{
    struct job *job = must_alloc(sizeof(*job));
    *job = (struct job){ .run = wake_run, .done = wake_done, .sure = true };
    writer_fan_out(store->writer, on);
    store_write(store, job);
}

void store_poke(struct store *store)
{
    writer_poke(store->writer);
}

int64_t store_new_id(struct store *store)
{
    return id_next(&store->ids, clock_due_ms());
}

const struct db_guard *store_guard(const struct store *store)
{
    return store->aside != NULL ? &store->guard : NULL;
}

int64_t store_joined_ms(const struct store *store)
{
    return store->joined_ms;
}

const char *store_lost(const struct store *store)
{
    return db_source_lost(store->source);
}

bool store_writable(const struct store *store)
{
    return store->writable;
}

size_t store_writes_waiting(const struct store *store)
{
    return store->writes;
}

size_t store_reads_waiting(const struct store *store)
{
    return store->reads;
}

void store_on_fresh(struct store *store, void (*fresh)(void *context, struct list *made),
                    void *context)
{
    store->fresh = fresh;
    store->fresh_context = context;
}

void store_listen(struct store *store, void (*hear)(void *context, const struct change *change),
                  void *context)
{
    if (store->listener_count == STORE_LISTENERS_MOST)
        bug("more than %d listen to the store", STORE_LISTENERS_MOST);
    store->listeners[store->listener_count++] = (struct listener){ hear, context };
}

void store_unlisten(struct store *store, const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->listener_count; i++) {
        if (store->listeners[i].context != context)
            store->listeners[kept++] = store->listeners[i];
    }
    store->listener_count = kept;
}

void store_on_health(struct store *store, void (*health)(void *context, bool writable),
                     void *context)
{
    store->health = health;
    store->health_context = context;
}

void store_on_fence(struct store *store, void (*fenced)(void *context), void *context)
{
    store->fenced = fenced;
    store->fenced_context = context;
}

/* ---- open and close ---- */

/* Before anything is read that is remembered. */
static bool join_news(struct db *db, struct error *error)
{
    bool joined = tx_join(db_tx(db));
    if (!joined)
        error_set(error, ERROR_BROKEN, "%s", db_failure_text(db));
    return joined;
}

enum { JOIN_RUNS = 10 };

/* It becomes one of those that share the database, and so gets the number for its ids. */
static bool join(struct store *store, struct db *db, const struct store_config *config,
                 struct error *error)
{
    char instance[INSTANCE_TEXT], host[HOST_NAME_MAX + 1] = "node";
    bool joined = false;

    if (!directory_instance(config->directory, instance, error))
        return false;
    if (gethostname(host, sizeof(host) - 1) == -1)
        log_warn("this machine's name is not known");
    for (int run = 0; !joined && run < JOIN_RUNS; run++) {
        store->joined_ms = clock_steady_ms();
        db_begin(db, clock_wall_ms(), clock_due_ms());
        int64_t ahead, now = db_clock(db, &ahead);
        if (!db_failed(db))
            clock_follow(ahead);
        if (!store->nouns->join(db, instance, config->name != NULL ? config->name : host, now,
                                &store->guard, error) &&
            !db_failed(db)) { /* else it could not look */
            db_undo(db);
            return false;
        }
        joined = db_commit(db);
        if (!joined && db_failure(db) != DB_RETRY)
            break;
    }
    if (!joined)
        error_set(error, ERROR_BROKEN, "%s", db_failure_text(db));
    store->ids.node = (int)store->guard.node;
    db_set_guard(db, &store->guard);
    return joined;
}

static bool start_threads(struct store *store, struct db *db, struct error *error)
{
    struct batch_sink sink = { .take = take_finished, .context = store };
    struct batch_sink written = { .take = take_written, .context = store };
    bool shared = db_guard(db) != NULL;

    store->writer = writer_start(db, written, error);
    if (store->writer == NULL)
        goto err0;
    store->readers = readers_start(store->source, &store->ids, sink, error);
    if (store->readers == NULL)
        goto err1;
    if (shared)
        store->aside = aside_start(store->source, &store->ids, sink, others_told, error);
    if (shared && store->aside == NULL)
        goto err2;
    return true;
err2:
    readers_stop(store->readers);
    store->readers = NULL;
err1:
    writer_stop(store->writer);
    store->writer = NULL;
    return false;
err0:
    db_close(db);
    return false;
}

static bool open_database(struct store *store, const struct store_config *config,
                          struct error *error)
{
    struct db *db = db_open(store->source, DB_WRITER, &store->ids, error);
    if (db == NULL)
        return false;
    tx_open(db, store->nouns);
    if (!db_update(db, error) || !join_news(db, error) ||
        !store->nouns->load(db, config->settings, error) ||
        (db_is_remote(db) && !join(store, db, config, error)))
        goto err0;
    int64_t newest = store->nouns->newest_id(db);
    if (db_failed(db)) {
        error_set(error, ERROR_BROKEN, "%s", db_failure_text(db));
        goto err0;
    }
    if (!sane_clock(db_source_name(store->source), newest, clock_wall_ms(), config->trust_clock,
                    error))
        goto err0;
    id_seen(&store->ids, newest);
    clock_due_seen(id_time_ms(newest));
    return start_threads(store, db, error);
err0:
    db_close(db);
    return false;
}

static bool begin_nouns(const struct store_config *config, bool fresh, struct error *error)
{
    struct buf path = { 0 };
    buf_fmt(&path, "%s/secret.key", config->directory);
    bool good = config->nouns->begin(config->key_file != NULL ? config->key_file : buf_text(&path),
                                     fresh, error);
    buf_free(&path);
    return good;
}

struct store *store_open(const struct store_config *config, struct error *error)
{
    struct store *store = must_alloc(sizeof(*store));
    const struct db_where where = { .directory = config->directory,
                                    .uri = config->uri,
                                    .password_file = config->password_file };
    bool fresh;

    *store = (struct store){ .loop = config->loop, .nouns = config->nouns, .writable = true };
    store->ids.node = config->node;
    store->finished_end = &store->finished;
    pthread_mutex_init(&store->finished_lock, NULL);
    store->source = db_source_open(&where, &fresh, error);
    if (store->source == NULL)
        goto err0;
    if (!begin_nouns(config, fresh, error))
        goto err1;
    uv_async_init(store->loop, &store->wake, wake_fired);
    store->wake.data = store;
    uv_unref((uv_handle_t *)&store->wake);
    if (!open_database(store, config, error))
        goto err2;
    return store;
err2:
    store_close(store);
    return NULL;
err1:
    db_source_close(store->source);
err0:
    pthread_mutex_destroy(&store->finished_lock);
    free(store);
    return NULL;
}

static void wake_closed(uv_handle_t *handle)
{
    ((struct store *)handle->data)->wake_closed = true;
}

void store_close(struct store *store)
{
    if (store->writer != NULL)
        writer_hurry(store->writer);
    while (store->writes + store->reads > 0)
        uv_run(store->loop, UV_RUN_ONCE);
    if (store->aside != NULL)
        aside_stop(store->aside);
    if (store->readers != NULL) {
        readers_stop(store->readers);
        writer_stop(store->writer); /* last: it copies the rest of the log into the file */
        aside_free(store->aside);
    }
    for (struct batch *batch = all_finished(store), *next; batch != NULL; batch = next) {
        next = batch->next;
        batch_free(batch);
    }
    uv_close((uv_handle_t *)&store->wake, wake_closed);
    while (!store->wake_closed)
        uv_run(store->loop, UV_RUN_ONCE);
    store->nouns->end();
    db_source_close(store->source);
    pthread_mutex_destroy(&store->finished_lock);
    free(store);
}
