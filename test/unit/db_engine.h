/* db_engine.h — the engines that the conformance programs can run against, and a database of the
 * one that is asked for by POSTBACKD_TEST_ENGINE (sqlite when it says nothing).
 *
 * Everything else of these programs is said by db.h and driver.h alone.  What an engine adds is a
 * row of `engines`: where its database is, how its tables are made, and where its calls can be made
 * to fail.
 */
#ifndef POSTBACKD_TEST_DB_ENGINE_H
#define POSTBACKD_TEST_DB_ENGINE_H

#include "base/fail.h"
#include "db/db.h"

#include "fault_vfs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kind of call that can fail. */
struct db_seam {
    const char *what;
    void (*arm)(int nth);        /* the Nth from now fails, once */
    bool (*fired)(void);         /* takes it back; whether the Nth was made */
    enum db_failure failures[4]; /* what it may be told as; DB_FINE ends */
    bool leaves_unknown;         /* what was being committed may be there or not */
};

struct engine {
    const char *name;
    void (*install)(void); /* once, before all */
    /* Fills it for a new, empty database below the directory. */
    void (*where)(const char *directory, struct db_where *where);
    const char *tables[4];       /* t and child, as below; NULL ends */
    const struct db_seam *seams; /* one whose `what` is NULL ends */
};

/* t: id made by the engine; name a text, unique; n an integer, not 13; b bytes; born not NULL with
 * a default of 7.  child: of a t that is there. */

/* ---- sqlite ---- */

static void sqlite_where(const char *directory, struct db_where *where)
{
    *where = (struct db_where){ .directory = directory };
}

#define SQLITE_SEAM(kind)                                                                          \
    static void sqlite_arm_##kind(int nth)                                                         \
    {                                                                                              \
        fault_arm(&fault.kind##_left, nth);                                                        \
    }                                                                                              \
    static bool sqlite_fired_##kind(void)                                                          \
    {                                                                                              \
        bool fired = fault_fired(&fault.kind##_left);                                              \
        fault_errno = 0;                                                                           \
        return fired;                                                                              \
    }
SQLITE_SEAM(writes)
SQLITE_SEAM(syncs)
SQLITE_SEAM(locks)
SQLITE_SEAM(allocs)

static const struct db_seam sqlite_seams[] = {
    { "write", sqlite_arm_writes, sqlite_fired_writes, { DB_TROUBLE }, false },
    { "fsync", sqlite_arm_syncs, sqlite_fired_syncs, { DB_FATAL }, true },
    { "lock", sqlite_arm_locks, sqlite_fired_locks, { DB_TROUBLE }, false },
    { "allocation", sqlite_arm_allocs, sqlite_fired_allocs, { DB_TROUBLE }, false },
    { NULL },
};

static const struct engine engines[] = {
    { "sqlite",
      fault_install,
      sqlite_where,
      { "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, n INTEGER, b "
        "BLOB, "
        "born INTEGER NOT NULL DEFAULT 7, CHECK (n IS NULL OR n <> 13))",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES t (id))" },
      sqlite_seams },
};

/* ---- a database of it ---- */

struct base {
    char directory[64];
    struct id_source ids;
    struct db_source *source;
    struct db *db, *reader;
};

static const struct engine *engine;

static inline void engine_choose(void)
{
    const char *name = getenv("POSTBACKD_TEST_ENGINE");
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (name == NULL || strcmp(engines[i].name, name) == 0) {
            engine = &engines[i];
            engine->install();
            return;
        }
    }
    die("POSTBACKD_TEST_ENGINE=%s: there is no such engine", name);
}

/* False with *error: something of it could not be opened, and nothing is open. */
static inline bool base_try(struct base *base, struct error *error)
{
    struct db_where where;
    bool fresh;
    engine->where(base->directory, &where);
    base->db = base->reader = NULL;
    base->source = db_source_open(&where, &fresh, error);
    if (base->source == NULL)
        return false;
    base->db = db_open(base->source, DB_WRITER, &base->ids, error);
    if (base->db != NULL && db_update(base->db, error))
        base->reader = db_open(base->source, DB_READER, &base->ids, error);
    if (base->reader != NULL)
        return true;
    db_close(base->db);
    db_source_close(base->source);
    return false;
}

static inline void base_connect(struct base *base)
{
    struct error error = { 0 };
    if (!base_try(base, &error))
        die("%s", error.message);
}

static inline void base_disconnect(struct base *base)
{
    db_close(base->reader);
    db_close(base->db);
    db_source_close(base->source);
}

static inline int base_set_up(void **state)
{
    struct base *base = must_alloc(sizeof(*base));
    snprintf(base->directory, sizeof(base->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(base->directory) == NULL)
        return -1;
    base_connect(base);
    db_begin(base->db, 0, 0);
    for (size_t i = 0; engine->tables[i] != NULL; i++)
        db_run(base->db, db_prepare_once(base->db, engine->tables[i]));
    if (!db_commit(base->db))
        die("%s", db_failure_text(base->db));
    *state = base;
    return 0;
}

static inline int base_remove(const char *path, const struct stat *about, int kind,
                              struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int base_tear_down(void **state)
{
    struct base *base = *state;
    base_disconnect(base);
    nftw(base->directory, base_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(base);
    return 0;
}

/* ---- rows ---- */

static inline void begin(struct db *db)
{
    db_begin(db, 1, 1);
}

/* A row of t; n 0: NULL.  Gives its id. */
static inline int64_t add(struct db *db, const char *name, int64_t n)
{
    struct stmt *put = db_prepare(db, "INSERT INTO t (name, n) VALUES (?, ?) RETURNING id");
    db_bind_text(put, 1, name);
    db_bind_opt(put, 2, n, 0);
    return db_insert(put);
}

static inline int64_t count(struct db *db)
{
    return db_number(db_prepare(db, "SELECT count(*) FROM t"), -1);
}

/* In a transaction of its own; -1: it failed. */
static inline int64_t count_now(struct db *db)
{
    begin(db);
    int64_t rows = count(db);
    return db_commit(db) ? rows : -1;
}

#endif
