/* lane.c — what one receiver is given, when, and how much of it at once.
 *
 * A lane is a list of queued postbacks, a count of those in flight, and three small regulators that
 * lane_next() asks in turn: the state, the window, and the pace of Maximum Requests.  lane_done()
 * feeds them.
 *
 * The rule that must never break: nothing goes out past the window, past the rate, from a held
 * lane, or beside the one probe of a down lane.
 */
#include "courier/lane.h"

#include "base/fail.h"
#include "courier/pace.h"
#include "model/backoff.h"

#include <stdlib.h>

enum {
    DOWN_AFTER_LEAST = 3, /* failures in a row: one or two are a blip, however small the window */
    DOWN_AFTER_MOST = 8,  /* … and so many are enough, however large */
};

struct lane {
    int64_t notification;
    struct lane_limits limits;
    enum lane_state state;
    int64_t since; /* in this state */
    struct list queue;
    size_t queued, in_flight;
    int64_t moved_at; /* the last delivery, or when the first of those in flight left after none */

    int window;
    int delivered;  /* since the window last changed */
    int failures;   /* of the destination, in a row */
    int down_after; /* so many, fixed when the row began: the window shrinks meanwhile */
    int forgiven;   /* further failures that belong to the last halving */

    int probes;    /* failed in a row */
    bool answered; /* … and the last of them was answered, though not with a success */
    int64_t probe_at;
    int64_t rest_until; /* no probe before: the destination's own wish */
    bool probing;       /* what is in flight is the probe */

    struct pace pace;
};

/* HELD goes back to READY alone: what was down is tried again with a small window. */
static const bool may_become[LANE_STATES][LANE_STATES] = {
    [LANE_READY] = { [LANE_HELD] = true, [LANE_DOWN] = true },
    [LANE_HELD] = { [LANE_READY] = true },
    [LANE_DOWN] = { [LANE_READY] = true, [LANE_HELD] = true },
};

static int window_most(const struct lane *lane)
{
    int own = lane->limits.maximum_concurrent;
    if (lane->limits.ordered)
        return 1;
    if (own <= 0)
        return LANE_WINDOW_MOST;
    return own < LANE_HIGH_WATER ? own : LANE_HIGH_WATER;
}

static int window_first(const struct lane *lane)
{
    int most = window_most(lane);
    return most < LANE_WINDOW_FIRST ? most : LANE_WINDOW_FIRST;
}

static void become(struct lane *lane, enum lane_state state, int64_t now_ms)
{
    if (!may_become[lane->state][state])
        bug("a lane goes from state %d to %d", (int)lane->state, (int)state);
    lane->state = state;
    lane->since = now_ms;
    lane->delivered = lane->failures = lane->forgiven = 0;
    lane->probing = false;
    if (state == LANE_DOWN) {
        lane->window = window_first(lane); /* what it begins with once it is READY */
        lane->probes = 0;
        lane->answered = false;
        lane->probe_at = now_ms + backoff_probe_ms(0);
    }
}

/* ---- life ---- */

struct lane *lane_new(int64_t notification, const struct lane_limits *limits, int64_t since_ms)
{
    struct lane *lane = must_alloc(sizeof(*lane));
    lane->notification = notification;
    lane->state = LANE_READY;
    lane->since = since_ms;
    lane->limits = *limits;
    lane->window = window_first(lane);
    pace_start(&lane->pace, limits->maximum_requests, since_ms);
    list_init(&lane->queue);
    return lane;
}

void lane_free(struct lane *lane)
{
    if (lane == NULL)
        return;
    if (lane->in_flight != 0)
        bug("a lane is freed with %zu postbacks in flight", lane->in_flight);
    struct list *node;
    while ((node = list_first(&lane->queue)) != NULL) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
    free(lane);
}

void lane_limit(struct lane *lane, const struct lane_limits *limits, int64_t now_ms)
{
    pace_limit(&lane->pace, limits->maximum_requests, now_ms);
    bool looser = lane->limits.ordered && !limits->ordered;
    lane->limits = *limits;
    if (looser)
        lane->window = window_first(lane);
    if (lane->window > window_most(lane))
        lane->window = window_most(lane);
}

void lane_hold(struct lane *lane, int64_t now_ms)
{
    if (lane->state != LANE_HELD)
        become(lane, LANE_HELD, now_ms);
}

void lane_release(struct lane *lane, int64_t now_ms)
{
    if (lane->state == LANE_HELD)
        become(lane, LANE_READY, now_ms);
}

/* ---- in ---- */

bool lane_push(struct lane *lane, struct postback *postback)
{
    if (lane->queued >= LANE_HIGH_WATER)
        return false;
    list_append(&lane->queue, &postback->in);
    lane->queued++;
    return true;
}

void lane_rest(struct lane *lane, int64_t until_ms)
{
    lane->rest_until = until_ms;
}

void lane_hurry(struct lane *lane, int64_t now_ms)
{
    if (lane->probe_at > now_ms)
        lane->probe_at = now_ms;
}

/* ---- out ---- */

/* The earliest time at which the queue's first may go, as far as time decides it. */
static int64_t first_may_go_at(struct lane *lane, int64_t now_ms)
{
    int64_t at = pace_ready_at(&lane->pace, now_ms);
    if (lane->state != LANE_DOWN)
        return at;
    if (lane->probe_at > at)
        at = lane->probe_at;
    return lane->rest_until > at ? lane->rest_until : at;
}

static struct postback *remove_from_queue(struct lane *lane, struct list *node)
{
    list_remove(node);
    lane->queued--;
    return container_of(node, struct postback, in);
}

/* In a row of failures no more go out than it takes to know that the destination is down: a dead
 * one costs its window and nothing beyond. */
static size_t most_in_flight(const struct lane *lane)
{
    int window = lane->window, undecided = lane->down_after - lane->failures;
    if (lane->state == LANE_DOWN)
        return 1;
    return (size_t)(lane->failures > 0 && undecided < window ? undecided : window);
}

struct postback *lane_next(struct lane *lane, int64_t now_ms, int64_t *wake_ms)
{
    *wake_ms = -1;
    if (lane->state == LANE_HELD || lane->queued == 0)
        return NULL;
    /* Down: what was sent before it went down may answer yet. */
    if (lane->in_flight >= most_in_flight(lane))
        return NULL;
    int64_t at = first_may_go_at(lane, now_ms);
    if (at > now_ms) {
        *wake_ms = at;
        return NULL;
    }
    pace_take(&lane->pace);
    if (lane->in_flight++ == 0)
        lane->moved_at = now_ms;
    lane->probing = lane->state == LANE_DOWN;
    return remove_from_queue(lane, lane->queue.next);
}

size_t lane_drain(struct lane *lane, struct list *out)
{
    size_t count = lane->queued;
    struct list *node;
    while ((node = list_first(&lane->queue)) != NULL) {
        list_remove(node);
        list_append(out, node);
    }
    lane->queued = 0;
    return count;
}

struct postback *lane_take(struct lane *lane, int64_t postback)
{
    for (struct list *node = lane->queue.next; node != &lane->queue; node = node->next) {
        if (container_of(node, struct postback, in)->id == postback)
            return remove_from_queue(lane, node);
    }
    return NULL;
}

/* ---- what came back ---- */

static void done_delivered(struct lane *lane, int64_t now_ms)
{
    lane->failures = 0;
    lane->rest_until = 0;
    lane->moved_at = now_ms;
    if (lane->state == LANE_DOWN) {
        become(lane, LANE_READY, now_ms);
        return;
    }
    if (++lane->delivered < lane->window)
        return;
    lane->delivered = 0;
    if (lane->window < window_most(lane))
        lane->window++;
}

/* The destination answers, though not for this postback: no longer a row of failures.  What a
 * probe is answered first brings the next one soon; one that goes on so is left in peace again. */
static void done_failed(struct lane *lane, int64_t now_ms)
{
    lane->failures = 0;
    if (!lane->probing)
        return;
    lane->probes = lane->answered ? lane->probes + 1 : 0;
    lane->answered = true;
    lane->probe_at = now_ms + backoff_probe_ms(lane->probes);
}

/* A full window, but for the smallest and the largest. */
static int down_after(int window)
{
    if (window < DOWN_AFTER_LEAST)
        return DOWN_AFTER_LEAST;
    return window < DOWN_AFTER_MOST ? window : DOWN_AFTER_MOST;
}

static void done_destination(struct lane *lane, int64_t now_ms)
{
    if (lane->state == LANE_DOWN) {
        if (lane->probing) { /* others were sent before, and say nothing new */
            lane->probe_at = now_ms + backoff_probe_ms(++lane->probes);
            lane->answered = false;
        }
        return;
    }
    if (lane->failures++ == 0)
        lane->down_after = down_after(lane->window);
    lane->delivered = 0;
    if (lane->forgiven > 0) {
        lane->forgiven--;
    } else {
        lane->forgiven = lane->window - 1;
        lane->window = lane->window > 1 ? lane->window / 2 : 1;
    }
    if (lane->failures >= lane->down_after)
        become(lane, LANE_DOWN, now_ms);
}

void lane_done(struct lane *lane, enum verdict verdict, int64_t now_ms)
{
    if (lane->in_flight == 0)
        bug("a lane is told of an attempt that it did not hand out");
    lane->in_flight--;
    if (lane->state == LANE_HELD) /* the regulators stand still until it is released */
        return;
    switch (verdict) {
    case VERDICT_DELIVERED:
        done_delivered(lane, now_ms);
        break;
    case VERDICT_FAILED:
        done_failed(lane, now_ms);
        break;
    case VERDICT_DESTINATION:
        done_destination(lane, now_ms);
        break;
    case VERDICT_GONE:
        become(lane, LANE_HELD, now_ms);
        break;
    }
    lane->probing = false;
}

/* ---- questions ---- */

int64_t lane_since(const struct lane *lane)
{
    return lane->since;
}

int64_t lane_next_at(struct lane *lane, int64_t now_ms)
{
    return first_may_go_at(lane, now_ms);
}

bool lane_is_paced(struct lane *lane, int64_t now_ms)
{
    return lane->limits.maximum_requests > 0 && pace_ready_at(&lane->pace, now_ms) > now_ms;
}

bool lane_is_busy(const struct lane *lane)
{
    return lane->in_flight >= most_in_flight(lane);
}

bool lane_stands(const struct lane *lane, int64_t now_ms)
{
    return lane->failures > 0 || (lane->in_flight > 0 && now_ms - lane->moved_at >= LANE_STANDS_MS);
}

enum lane_state lane_state(const struct lane *lane)
{
    return lane->state;
}

size_t lane_queued(const struct lane *lane)
{
    return lane->queued;
}

size_t lane_in_flight(const struct lane *lane)
{
    return lane->in_flight;
}

int lane_window(const struct lane *lane)
{
    return lane->window;
}

int64_t lane_notification(const struct lane *lane)
{
    return lane->notification;
}
