/* sqlite_source.c — the database file of a data directory, and connections to it.
 *
 * The rule: one process to a directory.  Its lock is taken before anything else is looked at, and
 * kept until all is closed.
 */
#include "db/sqlite.h"

#include "base/fail.h"
#include "base/log.h"
#include "db/directory.h"
#include "db/driver.h"
#include "db/sqlite_functions.h"
#include "db/sqlite_log_file.h"
#include "db/sqlite_log_start.h"
#include "db/sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_BYTES = 512 }; /* the smallest page of a database */

struct sqlite_source {
    struct db_source base;
    char *path;
    int lock;
};

struct db_source *sqlite_source_new(char *path, int lock)
{
    struct sqlite_source *source = must_alloc(sizeof(*source));
    *source = (struct sqlite_source){ .path = path, .lock = lock };
    source->base.driver = &sqlite_driver;
    source->base.name = path;
    return &source->base;
}

struct db_source *sqlite_source_open(const struct db_where *where, bool *fresh, struct error *error)
{
    struct buf path = { 0 };

    signal(SIGXFSZ, SIG_IGN); /* a limit of file size is an error of write(), not the end */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* its counters are a lock around every malloc */
    int lock = directory_take(where->directory, error);
    if (lock == -1)
        return NULL;
    buf_fmt(&path, "%s/postbackd.db", where->directory);
    *fresh = access(buf_text(&path), F_OK) == -1 && errno == ENOENT;
    return sqlite_source_new(buf_take(&path), lock);
}

void sqlite_source_close(struct db_source *base)
{
    struct sqlite_source *source = container_of(base, struct sqlite_source, base);
    if (source->lock != -1)
        close(source->lock);
    buf_free(&base->lost);
    free(source->path);
    free(source);
}

/* Made 0600 before SQLite opens it; the log and its index take the mode over. */
static bool make_database(const char *path, struct error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file == -1) {
        error_set(error, ERROR_BROKEN, "%s cannot be opened: %s", path, strerror(errno));
        return false;
    }
    struct stat about;
    bool part = fstat(file, &about) == 0 && about.st_size > 0 && about.st_size < HEADER_BYTES;
    close(file);
    if (part) /* SQLite would take it for empty and write over it */
        error_set(error, ERROR_BROKEN, "%s is not a database: it has %lld bytes", path,
                  (long long)about.st_size);
    return !part;
}

/* What each connection is set up with.  Caches are small: the tables are written in order of id,
 * so what is worked on is a few pages of each, and the system caches the file besides.
 *
 * The log is copied into the file by the checkpoint thread, never inside a commit.  What is
 * deleted or changed is overwritten: of what was erased nothing may be left in the file. */
static const char *const setup[] = {
    [DB_WRITER] = ("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
                   "PRAGMA cache_size = -6144; PRAGMA secure_delete = ON;"
                   "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"),
    [DB_READER] = ("PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;"
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"),
    [DB_HELPER] =
        ("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -64;"),
};

static int log_grew(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((struct sqlite_db *)context)->log_pages = pages;
    return SQLITE_OK;
}

static struct db *connect_to(struct db_source *source, enum db_mode mode, struct error *error)
{
    struct sqlite_db *db = must_alloc(sizeof(*db));
    bool writer = mode == DB_WRITER;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);

    db_init(&db->base, source, mode);
    if (sqlite3_open_v2(source->name, &db->handle, flags, writer ? log_file_vfs() : NULL) !=
        SQLITE_OK)
        goto err0;
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, 5000); /* a person's sqlite3 shell on the same file */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (writer && !schema_identify(db->handle, source->name, error))
        goto err1; /* before the set-up, which writes to the file */
    if (sqlite3_exec(db->handle, setup[mode], NULL, NULL, NULL) != SQLITE_OK ||
        !sqlite_add_functions(db->handle))
        goto err0;
    sqlite3_wal_hook(db->handle, log_grew, db);
    return &db->base;
err0:
    error_set(error, ERROR_BROKEN, "%s: %s", source->name, sqlite3_errmsg(db->handle));
err1:
    sqlite_close(&db->base);
    return NULL;
}

/* To the last frame, and leaves an empty log: nobody else is there yet.  What was given up would
 * look like ours at the next start, and be written over in part. */
static void empty_log(struct db *db)
{
    sqlite3 *handle = sqlite_handle(db);
    if (sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
        SQLITE_OK)
        log_warn("the write-ahead log cannot be copied into the database yet",
                 LOG_T("reason", sqlite3_errmsg(handle)));
}

struct db *sqlite_open(struct db_source *source, enum db_mode mode, struct error *error)
{
    if (mode != DB_WRITER)
        return connect_to(source, mode, error);
    if (!make_database(source->name, error))
        return NULL;
    bool had_log = log_start_look(source->name, &source->lost);
    struct db *db = connect_to(source, mode, error);
    if (db != NULL && had_log)
        empty_log(db);
    return db;
}

void sqlite_close(struct db *base)
{
    struct sqlite_db *db = container_of(base, struct sqlite_db, base);
    sqlite_upkeep_stop(db);
    for (int i = 0; i < CONTROLS; i++)
        sqlite3_finalize(db->control[i]);
    sqlite3_close_v2(db->handle);
    if (db->checks)
        sqlite_source_close(base->source);
    free(db);
}
