/* store_bench.c — what the writer costs: events published and their outcomes recorded, one postback
 * each, in batches, on one thread.
 *
 *     store_bench DIR|URI [EVENTS [BATCH [NOTIFICATIONS]]]
 *
 * Each batch is one transaction of BATCH publishing jobs and one job that records the outcomes of
 * the batch before, as under load in the server.  DIR must not exist; it is left for a look at the
 * file.  URI is an empty database on PostgreSQL (postgresql://…).
 */
#include "base/clock.h"
#include "base/fail.h"
#include "db/batch.h"
#include "model/attempt.h"
#include "store/event_types.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/nouns.h"
#include "store/postbacks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ACCOUNT = 1 };

struct publishing {
    struct job job;
    struct event *event;
};

struct recording {
    struct job job;
    struct list postbacks;
};

static bool publish(struct job *job, struct db *db)
{
    event_publish(job, db, ((struct publishing *)job)->event);
    return true;
}

static bool record(struct job *job, struct db *db)
{
    struct list *postbacks = &((struct recording *)job)->postbacks;
    struct attempt attempt = { .number = 1,
                               .revision = 1,
                               .duration_us = 900,
                               .status = 200,
                               .started_at = db_now(db),
                               .retry_after_ms = -1 };
    char headers[] = "Content-Type: text/plain\nContent-Length: 2\n", body[] = "ok";
    attempt.headers = headers;
    attempt.headers_len = sizeof(headers) - 1;
    attempt.body = body;
    attempt.body_len = 2;
    for (struct list *node = postbacks->next; node != postbacks; node = node->next)
        postback_record(db, container_of(node, struct postback, in), &attempt, VERDICT_DELIVERED,
                        0);
    return true;
}

static bool set_up(struct job *job, struct db *db)
{
    int64_t count = ((struct publishing *)job)->job.given_us;
    for (int64_t id = 1; id <= count; id++) {
        struct stmt *add = db_prepare(db, "INSERT INTO account (id, sid, kind, name, created_at) "
                                          "VALUES (?1, 'PA' || ?1, 1, 'Bench', 0)");
        db_bind_int(add, 1, id);
        db_run(db, add);
        add = db_prepare(db, "INSERT INTO notification (id, account, revision, state, created_at, "
                             "updated_at) VALUES (?1, ?1, 1, 0, 0, 0)");
        db_bind_int(add, 1, id);
        db_run(db, add);
        add = db_prepare(db, "INSERT INTO notification_revision (notification, revision, settings, "
                             "secrets, opened, created_at) VALUES (?, 1, ?, ?, '[]', 0)");
        db_bind_int(add, 1, id);
        db_bind_bytes(add, 3, "", 0);
        db_bind_text(add, 2,
                     "{\"Category\":\"Action Inquiry Events\",\"Method\":\"POST\","
                     "\"Url\":\"http://receiver.example/p\","
                     "\"EventTypes\":[\"action_inquiry.opened\"]}");
        db_run(db, add);
    }
    return true;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void drop_all(struct list *postbacks)
{
    for (struct list *node; (node = list_first(postbacks)) != NULL;) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
}

static void run_batch(struct db *db, struct publishing *jobs, int batch, struct recording *outcomes)
{
    struct batch *all = batch_new(&jobs[0].job, true);
    for (int i = 0; i < batch; i++)
        jobs[i].job.next = i + 1 < batch ? &jobs[i + 1].job : &outcomes->job;
    if (batch_commit(all, db) != DB_FINE)
        die("%s", db_failure_text(db));
    drop_all(&outcomes->postbacks);
    list_append_all(&outcomes->postbacks, &all->made.handed);
    batch_free(all);
}

static void measure(struct db *db, int events, int batch, int notifications)
{
    const struct event_type *type = catalog_type("action_inquiry.opened");
    struct publishing *jobs = must_alloc((size_t)batch * sizeof(*jobs));
    struct recording outcomes = { .job = { .run = record, .sure = true } };
    char data[401];
    int64_t longest_us = 0;

    memset(data, 'x', sizeof(data));
    memcpy(data, "{\"CustomerId\":\"", 15);
    memcpy(data + 398, "\"}", 3);
    list_init(&outcomes.postbacks);
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int done = 0; done < events; done += batch) {
        int64_t start_us = clock_steady_us();
        for (int i = 0; i < batch; i++) {
            jobs[i] = (struct publishing){ .job = { .run = publish, .sure = true } };
            jobs[i].event = event_new(ACCOUNT + (done + i) % notifications, type, 0, 0, data, 400);
        }
        run_batch(db, jobs, batch, &outcomes);
        for (int i = 0; i < batch; i++)
            event_unref(jobs[i].event);
        db_upkeep(db);
        int64_t took_us = clock_steady_us() - start_us;
        longest_us = took_us > longest_us ? took_us : longest_us;
    }
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    printf("%.2f us an event   %8.2f us of CPU   %9.0f events/s   longest batch %6.1f ms\n",
           wall * 1e6 / events, cpu * 1e6 / events, events / wall, (double)longest_us / 1000);
    drop_all(&outcomes.postbacks);
    free(jobs);
}

int main(int argc, char **argv)
{
    int events = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 200000;
    int batch = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 256;
    int notifications = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1;
    struct id_source ids = { 0 };
    struct error error = { 0 };
    bool fresh;

    if (argc < 2 || events < 1 || batch < 1 || notifications < 1) {
        fprintf(stderr, "usage: store_bench DIR|URI [EVENTS [BATCH [NOTIFICATIONS]]]\n");
        return 2;
    }
    bool remote = strncmp(argv[1], "postgresql:", strlen("postgresql:")) == 0;
    const struct db_where where = { .directory = remote ? NULL : argv[1],
                                    .uri = remote ? argv[1] : NULL };
    struct db_source *source = db_source_open(&where, &fresh, &error);
    if (source == NULL || !fresh)
        die("%s: %s", remote ? "database" : argv[1],
            source == NULL ? error.message : "it is in use");
    struct db *db = db_open(source, DB_WRITER, &ids, &error);
    if (db == NULL || !db_update(db, &error) || !event_types_name(db, &error) ||
        !db_upkeep_start(db, &error))
        die("%s", error.message);
    tx_open(db, &store_nouns);
    struct publishing setup = { .job = { .run = set_up, .sure = true, .given_us = notifications } };
    struct batch *first = batch_new(&setup.job, true);
    if (batch_commit(first, db) != DB_FINE)
        die("%s", db_failure_text(db));
    batch_free(first);
    printf("%d events, %d a batch, %d notifications; published and recorded\n", events, batch,
           notifications);
    measure(db, events, batch, notifications);
    db_close(db);
    db_source_close(source);
    return 0;
}
