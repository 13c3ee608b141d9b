/* sqlite_checkpoint.c — copies the log that commits go to into the file, so that no commit waits
 * for it and it begins anew from time to time.
 *
 * A thread with a connection of its own copies in the background: it starts when the log has grown
 * by STEP pages since the last copy.  The log starts again from its beginning only at a moment when
 * all of it is copied, which under load only the writer can bring about: past LOG_MOST it copies
 * the rest by itself.  A copy that finds no room leaves all in the log, where it is safe, and is
 * tried again.
 *
 * The rule: after a failed fsync of the file nothing goes on, because the log would soon be written
 * over.
 */
#include "db/sqlite.h"

#include "base/fail.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    STEP = 500,
    LOG_NUDGE = 1000, /* pages: the thread starts copying */
    LOG_MOST = 4000,  /* pages: the writer copies the rest */
    LOG_STEP = 500,   /* pages: then until it tries again */
};

struct checkpointer {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t nudged;
    bool wanted, stopping, failing;
    int copied; /* pages in the log when it last started; of the nudging thread alone */
};

/* Pages in the file are on disk only after an fsync of it, which SQLite asks for once all of the
 * log is copied, so in the writer's turn.  By then little is left to be synced, as the thread does
 * it after each copy. */
static void sync_file(struct db *base)
{
    const struct sqlite_db *db = container_of(base, struct sqlite_db, base);
    sqlite3_file *file = NULL;
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (file != NULL && file->pMethods != NULL &&
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) != SQLITE_OK)
        die("the database file cannot be synced to disk");
}

/* In no one's way.  False: db_failure(). */
static bool copy_log(struct db *base)
{
    struct sqlite_db *db = container_of(base, struct sqlite_db, base);
    base->failure = DB_FINE;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        sqlite_fail(db, "checkpoint");
    if (base->failure == DB_FATAL)
        die("%s", db_failure_text(base));
    return base->failure == DB_FINE;
}

/* ---- the thread ---- */

static void copy(struct checkpointer *checkpointer)
{
    bool good = copy_log(checkpointer->db);
    if (good)
        sync_file(checkpointer->db);
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

static void nudge(struct checkpointer *checkpointer, int log_pages)
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

/* ---- the writer's side ---- */

bool sqlite_upkeep_start(struct db *db, struct error *error)
{
    struct checkpointer *checkpointer = must_alloc(sizeof(*checkpointer));
    checkpointer->db = db_open(db->source, DB_HELPER, NULL, error);
    if (checkpointer->db == NULL) {
        free(checkpointer);
        return false;
    }
    pthread_mutex_init(&checkpointer->lock, NULL);
    pthread_cond_init(&checkpointer->nudged, NULL);
    if (pthread_create(&checkpointer->thread, NULL, checkpointer_main, checkpointer) != 0)
        die("no thread for the store's checkpoints");
    container_of(db, struct sqlite_db, base)->checkpointer = checkpointer;
    return true;
}

void sqlite_upkeep(struct db *base)
{
    struct sqlite_db *db = container_of(base, struct sqlite_db, base);
    int pages = db->log_pages;

    if (pages < db->log_tried)
        db->log_tried = 0; /* it has started again */
    if (pages >= LOG_MOST && pages >= db->log_tried + LOG_STEP) {
        db->log_tried = pages;
        copy_log(base);
    } else if (pages >= LOG_NUDGE) {
        nudge(db->checkpointer, pages);
    }
}

/* A log that starts again needs no room. */
void sqlite_make_room(struct db *db)
{
    copy_log(db);
}

void sqlite_upkeep_stop(struct sqlite_db *db)
{
    struct checkpointer *checkpointer = db->checkpointer;
    if (checkpointer == NULL)
        return;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->nudged);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    pthread_cond_destroy(&checkpointer->nudged);
    pthread_mutex_destroy(&checkpointer->lock);
    db_close(checkpointer->db);
    free(checkpointer);
}
