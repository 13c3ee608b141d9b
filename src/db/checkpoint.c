/* checkpoint.c — copies the log in the background, on a connection of its own.
 *
 * It starts when the log has grown by STEP pages since the last copy.  A copy that finds no room
 * leaves all in the log, where it is safe, and is tried again with the next nudge.
 *
 * The rule: after a failed fsync of the file nothing goes on, because the log would soon be written
 * over.
 */
#include "db/checkpoint.h"

#include "base/fail.h"
#include "base/log.h"
#include "db/sqlite.h"

#include <pthread.h>
#include <stdlib.h>

enum { STEP = 500 };

struct checkpointer {
    struct db *db;
    struct id_source ids; /* it makes none */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t nudged;
    bool wanted, stopping, failing;
    int copied; /* pages in the log when it last started; of the nudging thread alone */
};

static void copy(struct checkpointer *checkpointer)
{
    bool good = sqlite_checkpoint(checkpointer->db);
    if (!good && db_failure(checkpointer->db) == DB_FATAL)
        die("%s", db_failure_text(checkpointer->db));
    if (!good && !checkpointer->failing)
        log_warn("the write-ahead log cannot be copied into the database yet",
                 LOG_T("reason", db_failure_text(checkpointer->db)));
    checkpointer->failing = !good;
}

static void *checkpointer_main(void *context)
{
    struct checkpointer *checkpointer = context;

    pthread_mutex_lock(&checkpointer->lock);
    for (;;) {
        while (!checkpointer->wanted && !checkpointer->stopping)
            pthread_cond_wait(&checkpointer->nudged, &checkpointer->lock);
        if (checkpointer->stopping)
            break;
        checkpointer->wanted = false;
        pthread_mutex_unlock(&checkpointer->lock);
        copy(checkpointer);
        pthread_mutex_lock(&checkpointer->lock);
    }
    pthread_mutex_unlock(&checkpointer->lock);
    return NULL;
}

struct checkpointer *checkpointer_start(const char *path, struct error *error)
{
    struct checkpointer *checkpointer = must_alloc(sizeof(*checkpointer));
    checkpointer->db = sqlite_open(path, CONNECTION_COPIER, &checkpointer->ids, error);
    if (checkpointer->db == NULL) {
        free(checkpointer);
        return NULL;
    }
    pthread_mutex_init(&checkpointer->lock, NULL);
    pthread_cond_init(&checkpointer->nudged, NULL);
    if (pthread_create(&checkpointer->thread, NULL, checkpointer_main, checkpointer) != 0)
        die("no thread for the store's checkpoints");
    return checkpointer;
}

void checkpointer_nudge(struct checkpointer *checkpointer, int log_pages)
{
    if (log_pages < checkpointer->copied)
        checkpointer->copied = 0; /* the log has started again */
    if (log_pages < checkpointer->copied + STEP)
        return;
    checkpointer->copied = log_pages;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->wanted = true;
    pthread_cond_signal(&checkpointer->nudged);
    pthread_mutex_unlock(&checkpointer->lock);
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->nudged);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    pthread_cond_destroy(&checkpointer->nudged);
    pthread_mutex_destroy(&checkpointer->lock);
    sqlite_close(checkpointer->db);
    free(checkpointer);
}
