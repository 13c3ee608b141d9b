/* periodic.h — what is to be done now and then: the one timer of the engine's services.
 *
 * A periodic fires at its period, or when it was asked to.  What it begins may go on after that (a
 * job in the store): between periodic_begin() and periodic_done() it does not fire.  Times are by
 * the steady clock of base/clock.h.  They do not drift: a period is counted from when it was due,
 * not from when the loop came to it, and one that was missed is left out.  Those that wait for long
 * may come a quarter of a second late, so that an idle server wakes up once for all of them.  None
 * keeps the loop alive.
 */
#ifndef POSTBACKD_PERIODIC_H
#define POSTBACKD_PERIODIC_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct periodics { /* all of one engine, so that a stop ends them at once */
    uv_loop_t *loop;
    struct list all;
    bool stopped;
};

struct periodic;

void periodics_init(struct periodics *all, uv_loop_t *loop);
/* None fires any more, whatever it is asked. */
void periodics_stop(struct periodics *all);
/* Fires those whose time has come.  The loop does so by itself; for a test, which has the clock. */
void periodics_run_due(struct periodics *all);

/* period_ms: it first fires when that is over; 0: only when it is asked to. */
struct periodic *periodic_new(struct periodics *all, int64_t period_ms, void (*fire)(void *context),
                              void *context);
/* NULL is allowed.  At any time, in fire() too; its memory goes in the loop's next turn. */
void periodic_free(struct periodic *periodic);

/* It is to fire in so long, in place of what was next; while one runs, at the end of that. */
void periodic_in(struct periodic *periodic, int64_t ms);
/* It is not to fire any more, until it is asked to. */
void periodic_rest(struct periodic *periodic);
bool periodic_rests(const struct periodic *periodic);

/* Something begins that goes on; never while one runs. */
void periodic_begin(struct periodic *periodic);
/* It has ended.  Next it fires at its period, or when it was asked to meanwhile or is from now. */
void periodic_done(struct periodic *periodic);
bool periodic_runs(const struct periodic *periodic);

#endif
