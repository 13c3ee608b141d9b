/* trip.c — one postback on its way: the context of an exchange, from the built request to the
 * verdict.
 *
 * Trips are many and short, so their memory is used again.  A request that cannot be built makes an
 * attempt like any other, told in the next turn.
 *
 * The lane hands out at the pace of Maximum Requests, but what it hands out may take any time to
 * get a connection, and leaves twice when a kept one turns out to be closed.  So each request is
 * taken from a second pace, the route's, in the moment when it leaves; who may not leave yet waits
 * at the gate, in line.
 *
 * The rules that must never break: each postback taken in is given back exactly once, and no
 * request of a route leaves but through its gate.
 */
#include "courier/share.h"
#include "courier/state.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum { SPARE_MOST = 1024 };

struct trip {
    struct courier *courier;
    struct route *route; /* NULL: a test */
    struct notification *notification;
    struct postback *postback;
    struct attempt *unbuilt; /* the request could not be built; owned */
    struct exchange *exchange;
    size_t bytes; /* of its request, while it counts in the share */
    int number;
    bool left;
    int64_t at_ms;  /* wall clock, as in the request's signature */
    struct list in; /* unbuilt, at the gate, or spare */
};

static struct trip *trip_new(struct courier *courier, struct route *route,
                             struct notification *notification, struct postback *postback)
{
    struct list *node = list_first(&courier->spare);
    struct trip *trip;
    if (node != NULL) {
        list_remove(node);
        courier->spare_count--;
        trip = container_of(node, struct trip, in);
    } else {
        trip = must_alloc(sizeof(*trip));
        list_init(&trip->in);
        trip->courier = courier;
    }
    trip->route = route;
    trip->exchange = NULL;
    trip->left = false;
    trip->bytes = 0;
    trip->notification = notification_ref(notification);
    trip->postback = postback;
    trip->number = postback->attempts + 1;
    trip->at_ms = clock_wall_ms();
    return trip;
}

static void trip_free(struct trip *trip)
{
    struct courier *courier = trip->courier;
    notification_unref(trip->notification);
    free(trip->unbuilt);
    trip->unbuilt = NULL;
    trip->notification = NULL;
    if (courier->spare_count < SPARE_MOST && !courier->freed) {
        list_append(&courier->spare, &trip->in);
        courier->spare_count++;
    } else {
        free(trip);
    }
}

static void tell_attempted(struct courier *courier, struct postback *postback,
                           struct attempt *attempt, enum verdict verdict)
{
    courier->events.attempted(courier->context, postback, attempt, verdict);
}

/* ---- the gate ---- */

bool trips_may_start(const struct route *route)
{
    return route->pace.most <= 0 || route->unsent < (size_t)route->pace.most;
}

static void left(struct trip *trip)
{
    struct route *route = trip->route;
    if (trip->left) /* it is sent once more */
        return;
    trip->left = true;
    route->unsent--;
    if (route->pace.most > 0)
        route_ready(trip->courier, route); /* another one may start */
}

static bool gate_is_shut(const struct courier *courier)
{
    return courier->events.may_leave != NULL && !courier->events.may_leave(courier->context);
}

static bool pass(struct courier *courier, struct route *route, struct trip *trip, bool shut)
{
    if (!list_empty(&trip->in)) /* it has changed its connection, and keeps its place */
        return false;
    int64_t now = clock_steady_ms(), at = pace_ready_at(&route->pace, now);
    if (list_empty(&route->gate) && at <= now && !shut) {
        pace_take(&route->pace);
        return true;
    }
    list_append(&route->gate, &trip->in);
    if (!shut)
        heap_put(&courier->gates, &route->gate_wake, at);
    courier_want_turn(courier); /* which sets the timer */
    return false;
}

bool trip_may_leave(void *context)
{
    struct trip *trip = context;
    struct route *route = trip->route;
    if (route == NULL)
        return true;
    bool shut = gate_is_shut(trip->courier);
    if ((shut || route->pace.most > 0 || !list_empty(&route->gate)) &&
        !pass(trip->courier, route, trip, shut))
        return false;
    left(trip);
    return true;
}

void trips_leave(struct courier *courier, struct route *route)
{
    struct list *node;
    heap_remove(&courier->gates, &route->gate_wake);
    while ((node = list_first(&route->gate)) != NULL && !gate_is_shut(courier)) {
        struct trip *trip = container_of(node, struct trip, in);
        int64_t now = clock_steady_ms(), at = pace_ready_at(&route->pace, now);
        if (at > now) {
            heap_put(&courier->gates, &route->gate_wake, at);
            return;
        }
        list_remove(node);
        pace_take(&route->pace);
        left(trip);
        client_go(trip->exchange);
    }
}

/* ---- the end ---- */

/* Freed under way: the caller takes its postback back, only a test's sender still waits for it. */
static void trip_lost(struct trip *trip, struct attempt *attempt, enum verdict verdict)
{
    if (trip->route != NULL) {
        lane_done(trip->route->lane, VERDICT_FAILED, 0);
        attempt_free(attempt);
    } else {
        tell_attempted(trip->courier, trip->postback, attempt, verdict);
    }
    trip_free(trip);
}

/* exchange_done */
static void trip_done(void *context, struct attempt *attempt)
{
    struct trip *trip = context;
    struct courier *courier = trip->courier;
    struct postback *postback = trip->postback;
    struct route *route = trip->route;
    enum verdict verdict = verdict_of(attempt, trip->notification);

    if (verdict == VERDICT_FAILED)
        attempt_explain(attempt, trip->notification);
    attempt->number = trip->number;
    attempt->revision = trip->notification->revision;
    attempt->started_at = trip->at_ms; /* so that the request can be built again as it was */
    courier->in_flight--;
    list_remove(&trip->in); /* it may have waited at the gate */
    if (route != NULL && !trip->left)
        route->unsent--;
    if (courier->freed) {
        trip_lost(trip, attempt, verdict);
        return;
    }
    if (route != NULL)
        share_ended(route->share, trip->bytes);
    share_recall(courier, route != NULL ? route->share : NULL);
    if (!list_empty(&courier->ready))
        courier_want_turn(courier);
    if (trip->unbuilt == NULL) /* else the attempt is in the trip */
        trip_free(trip);
    if (route != NULL) /* first, so that the caller sees the lane's new state */
        route_done(courier, route, postback, attempt, verdict);
    tell_attempted(courier, postback, attempt, verdict);
}

/* ---- the start ---- */

static void trip_not_built(struct trip *trip, const struct error *error)
{
    struct attempt *attempt = must_alloc(sizeof(*attempt));
    attempt->error = EXCHANGE_BUILD;
    attempt->retry_after_ms = -1;
    size_t len = strnlen(error->message, sizeof(attempt->detail) - 1);
    memcpy(attempt->detail, error->message, len);
    trip->unbuilt = attempt;
    list_append(&trip->courier->unbuilt, &trip->in);
    courier_want_turn(trip->courier);
}

void trip_start(struct courier *courier, struct route *route, struct notification *notification,
                struct postback *postback)
{
    struct trip *trip = trip_new(courier, route, notification, postback);
    struct request *request = &courier->request;
    struct destination to = {
        .https = notification->to.https,
        .host = notification->to.host,
        .port = notification->to.port,
        .identity = notification_identity(notification),
        .account = notification->account,
    };
    struct error error = { 0 };

    courier->in_flight++;
    if (route != NULL) {
        share_sent(route->share);
        route->unsent++;
    }
    if (!request_build(request, notification, postback->event, postback->id, trip->number,
                       trip->at_ms, &error)) {
        trip_not_built(trip, &error);
        return;
    }
    if (route != NULL) {
        trip->bytes = request->target.len + request->headers.len + request->body.len;
        share_carries(route->share, trip->bytes);
    }
    trip->exchange = client_send(courier->client, &to, method_name(notification->settings.method),
                                 request, trip_done, trip);
}

void trips_finish_unbuilt(struct courier *courier)
{
    struct list some, *node;
    list_init(&some);
    list_move_all(&courier->unbuilt, &some);
    while ((node = list_first(&some)) != NULL) {
        struct trip *trip = container_of(node, struct trip, in);
        list_remove(node);
        bool freed = courier->freed; /* then trip_done() frees the trip itself */
        trip_done(trip, trip->unbuilt);
        if (!freed)
            trip_free(trip);
    }
}

void trips_free_spare(struct courier *courier)
{
    struct list *node;
    while ((node = list_first(&courier->spare)) != NULL) {
        list_remove(node);
        free(container_of(node, struct trip, in));
    }
}
