/* nouns.h — what the floor above gives the machine: nothing here knows what a row means.
 *
 * One const table, given to store_open().  Its functions are called on the thread that has the
 * writer's connection, unless it says otherwise.
 */
#ifndef POSTBACKD_NOUNS_H
#define POSTBACKD_NOUNS_H

#include "base/list.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>

struct change;
struct job;

/* What a noun remembers beside its rows, on the writer's connection (db_memory(), tx.h).  It
 * follows the transaction and its parts, so that nothing is left of what was undone. */
struct db_memory {
    size_t size;                 /* of its struct, which is zeroed */
    void (*clear)(void *memory); /* frees what the struct holds, not itself */
    /* Where a part begins, and back to there; 0: to where the transaction began.  What undo()
     * cannot give back it forgets, to be read from the rows again. */
    size_t (*mark)(struct db *db);
    void (*undo)(struct db *db, size_t mark);
    void (*before_commit)(struct db *db); /* writes what it has gathered; NULL: nothing */
    /* It is on disk: hands on what else has to be known (tx_hand_on()).  NULL: nothing. */
    void (*committed)(struct db *db);
    /* Between two transactions, in one of its own that may read: another node has changed this
     * (news.h).  What rests on it is read again when it is next asked for; the same may be heard
     * twice.  NULL: nothing does. */
    void (*hear)(struct db *db, const struct change *change);
};

enum { DB_MEMORIES_MOST = 8 };

struct db_nouns {
    /* On the caller's thread.  With the directory's lock and before the database is looked at
     * (fresh: there is none yet), and at the end. */
    bool (*begin)(const char *key_file, bool fresh, struct error *error);
    void (*end)(void);
    /* The schema is up to date; `settings` are those of store_open(). */
    bool (*load)(struct db *db, const void *settings, struct error *error);
    int64_t (*newest_id)(struct db *db); /* of the hot tables; 0: none */
    /* Where others may share the database: who this process is among them, known by `instance` and
     * called `name`; `now` is the database's clock.  In a transaction; false with *error. */
    bool (*join)(struct db *db, const char *instance, const char *name, int64_t now,
                 struct db_guard *out, struct error *error);

    const struct db_memory *const *memories;
    size_t memory_count;               /* DB_MEMORIES_MOST at most */
    void (*drop)(struct list *handed); /* frees what was handed on and is not wanted: any thread */

    /* Work that goes on by itself between the jobs, in steps, each a part of a transaction. */
    bool (*step)(struct job *job, struct db *db); /* run() of one, for job->account */
    /* Whether other accounts have steps than step_accounts() gave last; those that have, read in a
     * transaction.  The caller frees them. */
    bool (*steps_changed)(struct db *db);
    int64_t *(*step_accounts)(struct db *db, size_t *count);
};

#endif
