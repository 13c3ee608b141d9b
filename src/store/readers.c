/* readers.c — threads that take read jobs one by one: one for the engine, two for calls, so that
 * slow lists never hold up what has to be delivered.
 *
 * A job's transaction begins after it was taken, so its snapshot holds every write that was done()
 * when it was given.
 *
 * The rule: a damaged file ends the program here as it does in the writer.
 */
#include "store/readers.h"

#include "base/fail.h"
#include "base/log.h"
#include "store/queue.h"
#include "store/sqlite.h"

#include <stdlib.h>

enum { OF_ENGINE, OF_CALLS, QUEUES };
static const int reads_for[] = { OF_ENGINE, OF_CALLS, OF_CALLS };
enum { READERS = sizeof(reads_for) / sizeof(reads_for[0]) };

struct readers {
    struct queue queues[QUEUES];
    struct batch_sink sink;
    struct reader {
        struct readers *readers;
        struct queue *queue;
        struct db *db;
        pthread_t thread;
    } each[READERS];
};

static void *reader_main(void *context)
{
    struct reader *reader = context;
    struct readers *readers = reader->readers;

    for (struct job *job; (job = queue_take_one(reader->queue)) != NULL;) {
        struct batch *batch = batch_new(job, false);
        enum db_failure failure = batch_read(batch, reader->db);
        if (failure == DB_FATAL)
            die("%s", db_failure_text(reader->db));
        if (failure != DB_FINE)
            log_error("the store cannot be read", LOG_T("reason", db_failure_text(reader->db)));
        readers->sink.take(readers->sink.context, batch);
    }
    return NULL;
}

struct readers *readers_start(const char *path, struct id_source *ids, struct batch_sink sink,
                              struct error *error)
{
    struct readers *readers = must_alloc(sizeof(*readers));

    readers->sink = sink;
    for (int i = 0; i < READERS; i++) {
        readers->each[i].readers = readers;
        readers->each[i].queue = &readers->queues[reads_for[i]];
        readers->each[i].db = sqlite_open(path, CONNECTION_READER, ids, error);
        if (readers->each[i].db == NULL)
            goto err0;
    }
    for (int i = 0; i < QUEUES; i++)
        queue_init(&readers->queues[i]);
    for (int i = 0; i < READERS; i++) {
        if (pthread_create(&readers->each[i].thread, NULL, reader_main, &readers->each[i]) != 0)
            die("no thread for the store's readers");
    }
    return readers;
err0:
    for (int i = 0; i < READERS; i++)
        sqlite_close(readers->each[i].db);
    free(readers);
    return NULL;
}

void readers_give(struct readers *readers, struct job *job)
{
    queue_put(&readers->queues[job->account == 0 ? OF_ENGINE : OF_CALLS], job);
}

void readers_stop(struct readers *readers)
{
    for (int i = 0; i < QUEUES; i++)
        queue_close(&readers->queues[i]);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers->each[i].thread, NULL);
        sqlite_close(readers->each[i].db);
    }
    for (int i = 0; i < QUEUES; i++)
        queue_destroy(&readers->queues[i]);
    free(readers);
}
