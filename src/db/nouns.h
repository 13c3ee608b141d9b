/* nouns.h — what the floor above gives the machine: nothing here knows what a row means.
 *
 * One const table, given to store_open().  Its functions are called on the thread that has the
 * writer's connection, unless it says otherwise.
 */
#ifndef POSTBACKD_NOUNS_H
#define POSTBACKD_NOUNS_H

#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>

struct job;

/* Memory beside the rows, which follows the transaction and its parts. */
struct db_memory {
    size_t (*mark)(struct db *db);            /* where a part begins */
    void (*undo)(struct db *db, size_t mark); /* back to there; 0: all */
    void (*before_commit)(struct db *db);     /* writes what it has gathered; NULL: nothing */
    void (*committed)(struct db *db);         /* it is on disk; NULL: nothing */
};

enum { DB_MEMORIES_MOST = 8 };

struct db_nouns {
    /* On the caller's thread.  With the directory's lock and before the database is looked at
     * (fresh: there is none yet), and at the end. */
    bool (*begin)(const char *directory, bool fresh, struct error *error);
    void (*end)(void);
    /* The schema is up to date; `settings` are those of store_open(). */
    bool (*load)(struct db *db, const char *directory, const void *settings, struct error *error);
    int64_t (*newest_id)(struct db *db); /* of the hot tables; 0: none */

    const struct db_memory *memories;
    size_t memory_count; /* DB_MEMORIES_MOST at most */

    /* Work that goes on by itself between the jobs, in steps, each a part of a transaction. */
    bool (*step)(struct job *job, struct db *db); /* run() of one, for job->account */
    bool (*steps_changed)(
        struct db *db); /* other accounts have steps than when it was asked last */
    int64_t *(*step_accounts)(struct db *db, size_t *count); /* that have; the caller frees */
};

#endif
