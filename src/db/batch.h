/* batch.h — jobs that were run together, on their way back to the loop. */
#ifndef POSTBACKD_BATCH_H
#define POSTBACKD_BATCH_H

#include "db/store.h"

struct line;

struct batch {
    struct job *jobs;       /* in the order in which they are run, linked by next */
    struct line *line;      /* where further ones come from while it runs; NULL: there are none */
    struct list fresh;      /* struct postback.in: what the committed jobs wrote for the engine */
    struct change *changes; /* what was changed, in order; its own */
    size_t change_count;
    int postbacks; /* written by steps of the line's own jobs, which are not among `jobs` */
    bool write;    /* the writer's */
    bool writable; /* the writer's: its last commit succeeded */
    bool left;     /* a reader's: nobody waits for its job any more */
    bool damaged;  /* … it met a page that is damaged */
    struct batch *next;
};

/* Where finished batches go: called on a store thread. */
struct batch_sink {
    void (*take)(void *context, struct batch *batch);
    void *context;
};

struct batch *batch_new(struct job *jobs, bool write);
void batch_free(struct batch *batch); /* its fresh postbacks too; not its jobs */
void batch_drop_fresh(struct list *fresh);

/* Runs the jobs, and those of the line's turn, in one transaction and commits it.  Sets ok and
 * error of each, gathers the fresh postbacks of those that are ok.  What db_failure() says then is
 * why the commit failed (DB_FINE: it did not). */
enum db_failure batch_commit(struct batch *batch, struct db *db);
/* Runs one job in a read transaction of its own. */
enum db_failure batch_read(struct batch *batch, struct db *db);

#endif
