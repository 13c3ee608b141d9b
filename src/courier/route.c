/* route.c — a lane among the others: its places in the courier's lists, and why it is held.
 *
 * `turn` is the share's ring (or the ring of those that wait until the client is less crowded),
 * `wake` the heap of those that wait for a time; a route is in one of them at most.  `news` and
 * `starved` are for what is told in the next turn.
 *
 * A dropped route stays in the map, without a notification, until nothing of it is in flight and a
 * second is over: a lane that is set again right away goes on under its old rate and window.
 */
#include "courier/share.h"
#include "courier/state.h"

#include "base/clock.h"
#include "base/fail.h"
#include "model/backoff.h"
#include "model/tls_identity.h"

#include <stdlib.h>
#include <string.h>

enum { REST_MS = 1000 }; /* as long as Maximum Requests looks back */

/* ---- its places ---- */

struct route *route_find(const struct courier *courier, int64_t notification)
{
    struct route *route = map_get(&courier->routes, notification);
    return route != NULL && route->notification != NULL ? route : NULL;
}

void route_ready(struct courier *courier, struct route *route)
{
    if (lane_queued(route->lane) == 0 || !list_empty(&route->turn))
        return;
    heap_remove(&courier->wakes, &route->wake);
    share_ready(route->share, route);
    courier_want_turn(courier);
}

static void route_news(struct courier *courier, struct route *route)
{
    if (list_empty(&route->news))
        list_append(&courier->news, &route->news);
    courier_want_turn(courier);
}

void route_hungry(struct courier *courier, struct route *route)
{
    route->hungry = true;
    route_news(courier, route);
}

static void route_changed(struct courier *courier, struct route *route)
{
    enum lane_state state = lane_state(route->lane);
    if (state != LANE_HELD && state != route->told)
        route_news(courier, route);
}

void route_sank(struct courier *courier, struct route *route)
{
    size_t queued = lane_queued(route->lane);
    if (queued == 0 || queued == LANE_LOW_WATER - 1)
        route_hungry(courier, route);
}

/* So that no few lanes, least of all hanging ones, fill the memory that all share: the fuller the
 * courier, or its account's part of the bytes, the less a lane may queue. */
static size_t most_queued(const struct courier *courier, const struct route *route)
{
    size_t most = courier->postbacks_most;
    if (courier->postbacks >= most - most / 4 || share_fills(route->share, 6))
        return 1;
    if (courier->postbacks >= most / 2 || share_fills(route->share, 4) ||
        lane_state(route->lane) == LANE_DOWN)
        return (size_t)lane_window(route->lane);
    return LANE_HIGH_WATER;
}

size_t route_room(struct courier *courier, struct route *route)
{
    size_t queued = lane_queued(route->lane), most = most_queued(courier, route);

    if (courier->stopped || lane_state(route->lane) == LANE_HELD || queued >= most)
        return 0;
    if (courier->postbacks >= courier->postbacks_most || !share_may_hold(route->share)) {
        share_starved(route->share, route);
        return 0;
    }
    size_t left = courier->postbacks_most - courier->postbacks;
    return most - queued < left ? most - queued : left;
}

static void went(struct courier *courier, struct route *route, const struct postback *postback)
{
    share_release(route->share, postback);
    if (!list_empty(&courier->starved))
        courier_want_turn(courier); /* which lets them have the room */
}

struct postback *route_take(struct courier *courier, struct route *route, int64_t postback)
{
    struct postback *taken = lane_take(route->lane, postback);
    if (taken == NULL)
        return NULL;
    went(courier, route, taken);
    route_sank(courier, route);
    route_ready(courier, route); /* what it stood in front of need not wait until its time */
    return taken;
}

void route_recall(struct courier *courier, struct route *route, struct list *queued)
{
    struct list drained, *node;
    list_init(&drained);
    lane_drain(route->lane, &drained);
    for (node = drained.next; node != &drained; node = node->next)
        went(courier, route, container_of(node, struct postback, in));
    list_move_all(&drained, queued);
}

/* ---- its life ---- */

/* Settings changed: who waits at the gate may have another time. */
static void route_limit(struct courier *courier, struct route *route,
                        const struct lane_limits *limits)
{
    int64_t now = clock_steady_ms();
    lane_limit(route->lane, limits, now);
    pace_limit(&route->pace, limits->maximum_requests, now);
    if (list_empty(&route->gate))
        return;
    heap_put(&courier->gates, &route->gate_wake, now);
    courier_want_turn(courier); /* which sets the timer */
}

static void route_leave_lists(struct courier *courier, struct route *route)
{
    list_remove(&route->turn);
    list_remove(&route->news);
    list_remove(&route->starved);
    heap_remove(&courier->wakes, &route->wake);
}

void route_free(struct courier *courier, struct route *route)
{
    route_leave_lists(courier, route);
    heap_remove(&courier->gates, &route->gate_wake);
    map_remove(&courier->routes, lane_notification(route->lane));
    share_leave(route->share);
    notification_unref(route->notification);
    lane_free(route->lane);
    free(route);
}

/* Dropped: forgotten after a while, when nothing is in flight. */
static void route_rest(struct courier *courier, struct route *route)
{
    if (lane_in_flight(route->lane) > 0)
        return;
    heap_put(&courier->wakes, &route->wake, clock_steady_ms() + REST_MS);
    courier_want_turn(courier); /* which sets the timer */
}

void route_hold(struct courier *courier, struct route *route)
{
    int64_t now = clock_steady_ms();
    if (courier->held || route->paused || route->gone) {
        lane_hold(route->lane, now);
        return;
    }
    if (lane_state(route->lane) == LANE_HELD) {
        lane_release(route->lane, now);
        route_hungry(courier, route);
    }
    route_ready(courier, route);
}

void route_reopened(struct courier *courier, struct route *route)
{
    route_hold(courier, route);
    route_changed(courier, route);
}

/* Its kept connections go, and with them its key. */
static void forget_identity(struct courier *courier, const struct notification *notification)
{
    const struct tls_identity *identity = notification_identity(notification);
    if (identity != NULL)
        client_forget(courier->client, identity);
}

void route_set(struct courier *courier, struct notification *notification)
{
    const struct notification_settings *settings = &notification->settings;
    struct lane_limits limits = {
        .maximum_requests = settings->maximum_requests,
        .maximum_concurrent = settings->maximum_concurrent,
        .ordered = settings->ordered,
    };
    struct route *route = map_get(&courier->routes, notification->id);

    if (route == NULL) {
        route = must_alloc(sizeof(*route));
        route->lane = lane_new(notification->id, &limits, courier->began_ms);
        pace_start(&route->pace, limits.maximum_requests, courier->began_ms);
        route->share = share_join(courier, notification->account);
        route->told = LANE_READY;
        list_init(&route->turn);
        list_init(&route->news);
        list_init(&route->starved);
        list_init(&route->gate);
        map_put(&courier->routes, notification->id, route);
    } else {
        route_limit(courier, route, &limits);
        lane_hurry(route->lane, clock_steady_ms()); /* they may be what mends it */
        heap_remove(&courier->wakes, &route->wake); /* a dropped one's rest, or an old rate's */
    }
    struct notification *old = route->notification;
    route->notification = notification_ref(notification);
    if (old != NULL && strcmp(old->authority, notification->authority) != 0)
        lane_rest(route->lane, 0); /* another one asked for it */
    if (old != NULL &&
        !tls_identity_same(notification_identity(old), notification_identity(notification)))
        forget_identity(courier, old);
    notification_unref(old);
    route->paused = notification->state != NOTIFICATION_ACTIVE;
    route->gone = false;
    route_hold(courier, route);
}

void route_drop(struct courier *courier, struct route *route, struct list *queued)
{
    route_leave_lists(courier, route);
    route_recall(courier, route, queued);
    lane_hold(route->lane, clock_steady_ms());
    forget_identity(courier, route->notification);
    notification_unref(route->notification);
    route->notification = NULL;
    route->hungry = false;
    route_rest(courier, route);
}

/* Retry-After beside a refusal is about the whole destination. */
static void route_rest_asked(struct route *route, int64_t retry_after_ms, int64_t now_ms)
{
    const int64_t most = (int64_t)BACKOFF_RETRY_AFTER_MAX_S * 1000;
    int64_t rest = retry_after_ms < most ? retry_after_ms : most;
    lane_rest(route->lane, rest > 0 ? now_ms + rest : 0);
}

void route_done(struct courier *courier, struct route *route, const struct postback *postback,
                const struct attempt *attempt, enum verdict verdict)
{
    int64_t now = clock_steady_ms();
    if (verdict == VERDICT_DESTINATION)
        route_rest_asked(route, attempt->retry_after_ms, now);
    lane_done(route->lane, verdict, now);
    went(courier, route, postback);
    if (verdict == VERDICT_GONE)
        route->gone = true;
    if (route->notification == NULL) {
        route_rest(courier, route);
        return;
    }
    route_changed(courier, route);
    if (lane_in_flight(route->lane) == 0)
        list_remove(&route->turn); /* it may be among the crowded, where it no longer belongs */
    route_ready(courier, route);
}
