/* batch.h — jobs that were run together, on their way back to the loop. */
#ifndef POSTBACKD_BATCH_H
#define POSTBACKD_BATCH_H

#include "db/nouns.h"
#include "db/store.h"
#include "db/tx.h"

struct line;

struct batch {
    struct job *jobs;    /* in the order in which they are run, linked by next */
    struct line *line;   /* where further ones come from while it runs; NULL: there are none */
    struct tx_made made; /* by those that were committed, and by the line's steps */
    const struct db_nouns *nouns; /* the writer's: whose that is */
    int runs;                     /* of its transaction, so far */
    bool careful;                 /* every job has a savepoint, though it says that it is sure */
    bool open;                    /* the commit's fate is not known yet */
    bool write;                   /* the writer's */
    bool fenced;                  /* the writer's: another process has taken this one's place */
    bool writable;                /* the writer's: its last commit succeeded */
    bool left;                    /* a reader's: nobody waits for its job any more */
    bool damaged;                 /* … it met a page that is damaged */
    struct batch *next;
};

/* Where finished batches go: called on a store thread. */
struct batch_sink {
    void (*take)(void *context, struct batch *batch);
    void *context;
};

struct batch *batch_new(struct job *jobs, bool write);
void batch_free(struct batch *batch); /* with what it made and nobody took; not its jobs */

/* Runs the jobs, and those of the line's turn, in one transaction and commits it.  Sets ok and
 * error of each and gathers what they have made.  What could only not be done beside others
 * (DB_RETRY) is undone and done again, BATCH_RUNS_MOST times at most.  What db_failure() says then
 * is why it failed, and nothing of it is on disk (DB_FINE: it did not fail).
 *
 * DB_LOST: either that, or, when the batch is `open`, the connection broke in the commit and nobody
 * can be asked yet what became of it.  Then batch_settle() is called until it gives something else:
 * it asks, and goes on as if the commit had returned just now.  batch_give_up() fails the jobs of
 * one that is open, though all of it may be on disk. */
enum { BATCH_RUNS_MOST = 10 };
enum db_failure batch_commit(struct batch *batch, struct db *db);
enum db_failure batch_settle(struct batch *batch, struct db *db);
void batch_give_up(struct batch *batch, struct db *db);
void batch_refuse(struct batch *batch); /* its jobs fail unrun: there is no connection */

/* Runs one job in a write transaction of its own, beside the writer's: without a struct tx, and
 * again as batch_commit() does. */
enum db_failure batch_alone(struct batch *batch, struct db *db);

/* Runs one job in a read transaction of its own. */
enum db_failure batch_read(struct batch *batch, struct db *db);

#endif
