/* errands.h — the jobs of accounts (store/errands.h) that are running, a small step at a time.
 *
 * An account has one job under way, its oldest; accounts take turns.  A step reads some records, or
 * takes some rows, for a few milliseconds, and writes what came of it and how far the job is in one
 * transaction; then the job rests for as long as the step took.  What a kind of job does in a step
 * is said by who knows the records (errand_doer).  Of servers that share a database the one that
 * has the duty (membership.h) runs them.
 */
#ifndef POSTBACKD_ENGINE_ERRANDS_H
#define POSTBACKD_ENGINE_ERRANDS_H

#include "engine/work.h"
#include "store/errands.h"

enum {
    ERRAND_STEP_US = 4000 /* a step goes on for no longer than that, but for its last record */
};

enum errand_way {
    ERRAND_READS,     /* read() has made all of it */
    ERRAND_WRITES,    /* write() makes it, and what it writes is kept */
    ERRAND_REHEARSES, /* write() makes it, and what it writes is undone */
};

struct errand_step {
    struct errand errand;    /* as it was found, RUNNING */
    struct errand_made made; /* begun as the row says; for read() and write() to set */
    enum errand_way way;     /* for read() to set; ERRAND_READS at first */
    void *data;              /* the doer's own, for clear() to free */
};

struct errand_doer {
    void (*read)(struct db *db, struct errand_step *step); /* in a read job */
    /* In a write job; may come more than once, each time with `made` begun anew.  False: with
     * job->error, the store is broken or the account may write no more; it is tried again. */
    bool (*write)(struct job *job, struct db *db, struct errand_step *step);
    void (*clear)(struct errand_step *step); /* of its `data`, when there is any */
};
/* NULL where a kind has none: its jobs wait. */
struct errand_doers {
    const struct errand_doer *of[ERRAND_KINDS];
};

struct errands;

/* Takes up those that were running.  The doers outlive it. */
struct errands *errands_new(struct work *work, const struct errand_doers *doers);
void errands_free(struct errands *errands); /* NULL is allowed */
/* The account has one to go on with (committed). */
void errands_begun(struct errands *errands, int64_t account);

struct sweep;
/* Results whose time is over. */
struct sweep *errands_sweep_new(struct work *work);

#endif
