/* trip.c — one postback on its way: the context of an exchange, from the built request to the
 * verdict.
 *
 * Trips are many and short, so their memory is used again.  A request that cannot be built makes an
 * attempt like any other, told in the next turn.
 *
 * The rule that must never break: each postback taken in is given back exactly once.
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
    int number;
    int64_t at_ms;  /* wall clock, as in the request's signature */
    struct list in; /* unbuilt, or spare */
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

    attempt->number = trip->number;
    attempt->revision = trip->notification->revision;
    attempt->started_at = trip->at_ms; /* so that the request can be built again as it was */
    courier->in_flight--;
    if (courier->freed) {
        trip_lost(trip, attempt, verdict);
        return;
    }
    if (route != NULL)
        share_ended(route->share);
    share_recall(courier, route != NULL ? route->share : NULL);
    if (!list_empty(&courier->ready))
        courier_want_turn(courier);
    if (trip->unbuilt == NULL) /* else the attempt is in the trip */
        trip_free(trip);
    if (route != NULL) /* first, so that the caller sees the lane's new state */
        route_done(courier, route, attempt, verdict);
    tell_attempted(courier, postback, attempt, verdict);
}

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
        .identity = notification->identity,
        .account = notification->account,
    };
    struct error error = { 0 };

    courier->in_flight++;
    if (route != NULL)
        share_sent(route->share);
    if (!request_build(request, notification, postback->event, postback->id, trip->number,
                       trip->at_ms, &error)) {
        trip_not_built(trip, &error);
        return;
    }
    client_send(courier->client, &to, method_name(notification->settings.method), request,
                trip_done, trip);
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
