/* lane.h — one event notification's queue on this node.
 *
 * A lane hands out at most `window` postbacks at a time, no faster than the receiver's own rate,
 * and none while it is held; a down one hands out a single probe.  It does no I/O: time comes in,
 * decisions go out.  All times here are ms of the steady clock.
 *
 * States: READY, HELD (maintenance, paused, gone), DOWN (probing).  The window starts at 8, grows
 * by one with each full window delivered, up to 128 or the receiver's own Maximum concurrent
 * requests, and is halved by a failure of the destination, once for a window's worth of them; an
 * Ordered lane's window is 1.  A full window of destination failures in a row (3 at least, 8 at
 * most, and meanwhile no more go out than that takes) makes the lane DOWN: once all that was sent
 * before has ended, it hands out one probe at a time, after backoff_probe_ms() and not while the
 * destination asked for rest.  The first success makes it READY, with a window of 8.
 *
 * Maximum Requests: it hands out at that pace (pace.h).
 */
#ifndef POSTBACKD_LANE_H
#define POSTBACKD_LANE_H

#include "model/attempt.h"
#include "model/postback.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane_state { LANE_READY, LANE_HELD, LANE_DOWN, LANE_STATES };

enum {
    LANE_HIGH_WATER = 256, /* a fuller lane takes no more: the rest waits on disk */
    LANE_LOW_WATER = 128,  /* below it the engine reads more back */
    LANE_WINDOW_FIRST = 8,
    LANE_WINDOW_MOST = 128,
};

struct lane;

struct lane_limits {
    int maximum_requests;   /* a second; 0: none */
    int maximum_concurrent; /* 0: the window's own cap */
    bool ordered;
};

/* Nothing has been sent since since_ms; what went before is not known. */
struct lane *lane_new(int64_t notification, const struct lane_limits *limits, int64_t since_ms);
void lane_free(struct lane *lane); /* frees what is queued; nothing may be in flight */
void lane_limit(struct lane *lane, const struct lane_limits *limits, int64_t now_ms);

/* The lane owns it.  False (and the caller keeps it) when the lane is at high water. */
bool lane_push(struct lane *lane, struct postback *postback);
/* Next postback to send, or NULL; then *wake is when to ask again (-1: when pushed or done).
 * The caller owns the postback until lane_done(). */
struct postback *lane_next(struct lane *lane, int64_t now_ms, int64_t *wake_ms);
/* The attempt ended.  The caller keeps the postback.  Ordered: after a failure the caller drains
 * the lane before it asks for the next, or that one overtakes. */
void lane_done(struct lane *lane, enum verdict verdict, int64_t now_ms);
/* What the latest failure of the destination said: no request before then (Retry-After with 429 or
 * 503), or 0.  It binds the probes, until one is delivered; a READY lane goes on with its other
 * postbacks. */
void lane_rest(struct lane *lane, int64_t until_ms);
/* The probe need not wait for its turn; for a rest that was asked for it does. */
void lane_hurry(struct lane *lane, int64_t now_ms);

void lane_hold(struct lane *lane, int64_t now_ms);    /* what is in flight ends by itself */
void lane_release(struct lane *lane, int64_t now_ms); /* HELD → READY */
/* Takes all that is queued (for going back to disk), in order. */
size_t lane_drain(struct lane *lane, struct list *out);
/* Takes one postback out of the queue; NULL when it is not queued (not there, or in flight). */
struct postback *lane_take(struct lane *lane, int64_t postback);

/* Nothing was delivered for LANE_STANDS_MS although something is under way, or the destination has
 * failed since: it may hang, though it is not known to be down. */
enum { LANE_STANDS_MS = 2000 };
bool lane_stands(const struct lane *lane, int64_t now_ms);

/* For who asks why nothing goes out. */
int64_t lane_since(const struct lane *lane);             /* in its state since then */
int64_t lane_next_at(struct lane *lane, int64_t now_ms); /* not before, as time decides it */
bool lane_is_paced(struct lane *lane, int64_t now_ms);   /* Maximum Requests: not now */
bool lane_is_busy(const struct lane *lane);              /* as many as may are in flight */

enum lane_state lane_state(const struct lane *lane);
size_t lane_queued(const struct lane *lane);
size_t lane_in_flight(const struct lane *lane);
int lane_window(const struct lane *lane);
int64_t lane_notification(const struct lane *lane);

#endif
