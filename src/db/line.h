/* line.h — writes that wait, and whose turn it is.  Of the writer's thread alone.
 *
 * Three kinds share the writer: what accounts ask for, what the engine has to write (account 0),
 * and what heavy accounts ask for.  An account is heavy once a job of its took LINE_HEAVY_US, as a
 * large batch or an import does.  A heavy job has a transaction of its own, and the others
 * have one between any two of them; so who writes little waits for one heavy job at most.  A
 * transaction ends after LINE_BATCH_US, of which calls and engine have half each when both have
 * work.
 *
 * An account for whom work goes on in steps (nouns.h: events that fan out) takes its turns among
 * the heavy ones, with a job of the line's own for each step; what else it wants to write waits
 * until all is fanned out, or for LINE_STEPS_MOST steps.
 *
 * Jobs of one account, and those of the engine, keep their order.
 */
#ifndef POSTBACKD_LINE_H
#define POSTBACKD_LINE_H

#include "base/list.h"
#include "base/map.h"
#include "db/store.h"

enum { LINE_BATCH_US = 20000, LINE_HEAVY_US = 10000, LINE_BATCH_MOST = 512, LINE_STEPS_MOST = 64 };

struct line_jobs {
    struct job *first, **end;
};

struct line {
    bool (*step)(struct job *job, struct db *db);
    struct line_jobs calls, engine;
    struct map heavy;  /* by account: struct line_heavy */
    struct list turns; /* of these, those with jobs or steps, in turn */
    bool heavy_batch;  /* the transaction under way is a heavy one */
    bool no_steps;     /* … and takes none */
    int64_t owed_us;   /* to the others, before the next heavy one */
    size_t count;      /* jobs in it */
    int64_t began_us, last_us;
    int64_t last_account; /* of the last job given out; 0: the engine's, or none */
};

/* step: run() of the line's own jobs. */
void line_init(struct line *line, bool (*step)(struct job *job, struct db *db));
void line_free(struct line *line);           /* it is empty */
bool line_empty(const struct line *line);    /* steps aside */
bool line_fans_out(const struct line *line); /* there are steps to take */
/* These accounts, and no others, have steps to take. */
void line_fan_outs(struct line *line, const int64_t *accounts, size_t count);
void line_add(struct line *line, struct job *jobs); /* linked by next */

/* A transaction begins (with steps, or without), then its jobs one by one, NULL: it ends.  Time is
 * the steady clock's, when the job before has been run.  The line's own jobs have no done(). */
void line_begin(struct line *line, int64_t now_us, bool steps);
struct job *line_next(struct line *line, int64_t now_us);

#endif
