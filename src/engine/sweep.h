/* sweep.h — what has come due or grown old in the store, taken in small steps by write jobs.
 *
 * One step at a time.  While there is more the next follows after a rest, which leaves the writer
 * to others; once nothing is left it looks again after `every_ms`.  A step that fails, or comes
 * while the store takes no writes, is tried again a second later from where it stood.
 *
 * Of servers that share a database the one on duty does it.  One that comes on duty begins from the
 * start, within a second: it does not know how far the other one was.
 */
#ifndef POSTBACKD_SWEEP_H
#define POSTBACKD_SWEEP_H

#include "engine/work.h"

struct sweep;

/* The wall clock, but never faster than the steady one since the start: one that jumps ahead makes
 * nothing old. */
struct sweep_clock {
    int64_t steady_ms, wall_ms; /* when it started */
};
void sweep_clock_start(struct sweep_clock *clock);
int64_t sweep_clock_now(const struct sweep_clock *clock);

struct sweep_times {
    int64_t now_ms; /* sweep_clock_now() */
    int64_t age_ms; /* as sweep_set_age() said */
};

struct sweep_rule {   /* what it sweeps; a constant */
    int64_t first_ms; /* until the first look, from when it has an age */
    int64_t every_ms; /* between looks that find nothing more */
    int64_t rest_ms;  /* between steps, at least */
    int share;   /* its part of the writer's time is one in so many: it rests so much longer than a
                  * step took, a second at most; four times that while many writes wait.  0: it rests
                  * for rest_ms alone */
    size_t size; /* of its state, whose members are int64_t at most */
    /* In a write job.  `state` is a copy, which is kept when it is committed.  True: there is more.
     */
    bool (*step)(struct job *job, struct db *db, void *state, const struct sweep_times *times);
    void (*stepped)(const void *state); /* on the loop, once it is committed; or NULL */
};

/* age_ms: 0: it rests until sweep_set_age().  Its state begins as zeroes. */
struct sweep *sweep_new(struct work *work, const struct sweep_rule *rule, int64_t age_ms);
void sweep_free(struct sweep *sweep); /* NULL is allowed */
/* From now on this age is old, or (0) none is. */
void sweep_set_age(struct sweep *sweep, int64_t age_ms);
const void *sweep_state(const struct sweep *sweep);

#endif
