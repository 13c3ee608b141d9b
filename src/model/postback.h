/* postback.h — one event on its way to one event notification: its states, and its form in
 * memory while it is near delivery. */
#ifndef POSTBACKD_POSTBACK_H
#define POSTBACKD_POSTBACK_H

#include "base/heap.h"
#include "base/list.h"
#include "model/event.h"

#include <stdbool.h>
#include <stdint.h>

/* On disk; the numbers never change.
 * FRESH: committed and handed to a lane, not yet tried or its first try is under way.
 * WAITING: on disk until its due time (a retry, a delay, a full or held lane). */
enum postback_state {
    POSTBACK_FRESH = 0,
    POSTBACK_WAITING = 1,
    POSTBACK_DELIVERED = 2,
    POSTBACK_CANCELLED = 3,
    POSTBACK_EXPIRED = 4,
    POSTBACK_STATES
};

bool postback_may_become(enum postback_state from, enum postback_state to);
const char *postback_state_name(enum postback_state state); /* FRESH WAITING DELIVERED … */
bool postback_state_named(const char *name, enum postback_state *state);

struct postback {
    int64_t id, notification;
    struct event *event; /* one reference */
    int attempts;        /* made so far */
    int64_t due_at;      /* ms, wall clock: it does not go out before */
    int64_t accepted_us; /* steady clock; 0: read back from disk.  For the latency figures */
    bool waiting;        /* its row is WAITING (indexed by due time), not FRESH */
    bool written;        /* it has a row; else it went straight to a lane (store/direct.h) */
    bool test;           /* a test postback: no row, its outcome goes to whoever asked */
    struct list in;      /* the lane's queue, a batch of commits, … one at a time */
    bool cancelled;      /* its row is, while it was under way: not tried again */

    /* the engine's own, from the hand-over until its outcome is committed */
    struct list held;  /* among its notification's in memory */
    struct list fresh; /* among the FRESH ones, oldest first */
};

struct postback *postback_new(void);           /* zeroed */
void postback_free(struct postback *postback); /* NULL is allowed; drops its event */

/* How many there are, on any thread; and from how many on the store hands no more over, but leaves
 * them on disk until lanes have room.  Twice what lanes take in all, so that those of healthy
 * receivers come straight when slow ones have filled them; who makes many of one event has a
 * quarter of that. */
enum { POSTBACKS_IN_MEMORY_MOST = 32768 };
size_t postbacks_in_memory(void);

#endif
