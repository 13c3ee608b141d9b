/* state.h — the insides that courier.c, share.c, route.c and trip.c share.  For nobody else.  Each
 * calls only those behind it in this list: courier, trip, route, share.
 *
 * A route is a lane with its notification and its places in the lists of its account's share
 * (share.h) and the courier's; a trip (trip.c) is one postback on its way.
 */
#ifndef POSTBACKD_COURIER_STATE_H
#define POSTBACKD_COURIER_STATE_H

#include "base/map.h"
#include "courier/courier.h"
#include "courier/pace.h"

struct share;

struct route {
    struct lane *lane;
    struct share *share;               /* its account's */
    struct notification *notification; /* NULL: dropped */
    struct list turn;                  /* in the share's ready or crowded */
    struct list news, starved;         /* in the courier's, in the share's */
    struct heap_node wake;
    struct pace pace;           /* Maximum Requests, of what leaves */
    struct list gate;           /* trips that have their connection and wait to leave */
    struct heap_node gate_wake; /* in the courier's gates while there are any */
    size_t unsent;              /* trips that have not left yet */
    enum lane_state told;       /* READY or DOWN, as the caller knows it */
    bool hungry, paused, gone;
};

struct courier {
    struct client *client;
    struct courier_events events;
    void *context;
    struct map routes;   /* by notification */
    struct map shares;   /* by account */
    struct list ready;   /* shares that may have something to go: one postback a visit, in turn */
    struct list waiting; /* shares over their part of a client that is nearly full */
    struct list crowded; /* shares with routes that would go, but have some in flight already */
    struct list starved; /* shares with routes that the cap on all lanes refused a postback */
    struct list news;    /* has something to tell: READY ↔ DOWN, or hunger */
    struct heap wakes;   /* when a lane wants to be asked again, a dropped one forgotten */
    struct heap gates;   /* when the next of those who wait may leave */
    struct list unbuilt; /* trips whose request could not be built */
    struct list spare;   /* trips, for the next one */
    size_t spare_count;
    size_t postbacks, postbacks_most; /* in lanes, queued or in flight */
    size_t event_bytes;               /* of their events */
    size_t in_flight, in_flight_most; /* trips */
    size_t bytes;                     /* of the requests of trips */
    size_t holders, senders;          /* shares with postbacks, with trips */
    struct request request;           /* built and sent at once; its memory is used again */
    uv_idle_t idle;
    uv_idle_cb turn;
    uv_timer_t timer;
    int64_t timer_at; /* -1: not set */
    int64_t began_ms; /* steady clock */
    int closing;      /* handles */
    bool held, stopped, freed;
};

/* All of `from` to the end of `to`, at once. */
static inline void list_move_all(struct list *from, struct list *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* There is something to do: the loop's next turn does it. */
static inline void courier_want_turn(struct courier *courier)
{
    if (!courier->freed)
        uv_idle_start(&courier->idle, courier->turn); /* nothing when it is started already */
}

/* The last quarter of the client is kept for lanes that have nothing in flight: destinations that
 * hang may fill the rest, and the others go on. */
static inline bool courier_is_crowded(const struct courier *courier)
{
    return courier->in_flight >= courier->in_flight_most - courier->in_flight_most / 4;
}

/* ---- route.c ---- */

struct route *route_find(const struct courier *courier, int64_t notification); /* not dropped */
/* Makes it, or takes up the dropped one; new settings either way. */
void route_set(struct courier *courier, struct notification *notification);
void route_drop(struct courier *courier, struct route *route, struct list *queued);
void route_free(struct courier *courier, struct route *route);

/* Puts it in the round, if anything is queued. */
void route_ready(struct courier *courier, struct route *route);
/* Holds or releases the lane, by all the reasons there are. */
void route_hold(struct courier *courier, struct route *route);
/* Its lane has been held for a moment, after which it is as new; that is told. */
void route_reopened(struct courier *courier, struct route *route);
/* After one postback has left the queue. */
void route_sank(struct courier *courier, struct route *route);
void route_hungry(struct courier *courier, struct route *route);
size_t route_room(struct courier *courier, struct route *route);
void route_recall(struct courier *courier, struct route *route, struct list *queued);
struct postback *route_take(struct courier *courier, struct route *route, int64_t postback);
/* An attempt ended; the postback is the caller's again. */
void route_done(struct courier *courier, struct route *route, const struct postback *postback,
                const struct attempt *attempt, enum verdict verdict);

/* ---- trip.c ---- */

/* Builds the request and sends it; route NULL: a test. */
void trip_start(struct courier *courier, struct route *route, struct notification *notification,
                struct postback *postback);
/* exchange_may_leave */
bool trip_may_leave(void *context);
/* Lets those go who may leave by now. */
void trips_leave(struct courier *courier, struct route *route);
/* Whether one more may start: no more than a second's worth have not left yet, so what has waited
 * together for connections does not wait long with them. */
bool trips_may_start(const struct route *route);
void trips_finish_unbuilt(struct courier *courier);
void trips_free_spare(struct courier *courier);

#endif
