/* courier.h — the delivering floor: lanes served round robin over one HTTP client.
 *
 * It knows nothing of the store.  The engine makes a lane for each event notification that has
 * something to send, pushes postbacks, and is told of each attempt; it writes the outcome and says
 * what is next.
 *
 * No event is told from inside a call made here, but for courier_free().  All of them may call
 * back in, courier_drop() of their own lane included.
 */
#ifndef POSTBACKD_COURIER_H
#define POSTBACKD_COURIER_H

#include "courier/client.h"
#include "courier/lane.h"
#include "model/notification.h"

struct courier;

struct courier_config {
    struct client_config client;
    size_t postbacks; /* in all lanes together, queued or in flight; default 16,384 */
};

struct courier_events {
    /* An attempt ended; nothing more has gone out of its lane since.  The callee owns the postback
     * again, and the attempt's owned parts (the struct itself is the courier's).  attempt->number
     * is postback->attempts + 1; the courier changes nothing of the postback. */
    void (*attempted)(void *context, struct postback *postback, struct attempt *attempt,
                      enum verdict verdict);
    /* Read more back if there is more: the lane fell below low water, ran empty, became READY, or
     * there is room again under the cap that made courier_push() or courier_room() refuse. */
    void (*hungry)(void *context, int64_t notification);
    /* READY ↔ DOWN; also when a DOWN lane comes back READY from a hold. */
    void (*changed)(void *context, int64_t notification, enum lane_state state);
    /* Asked in the moment when a request leaves: false holds it back until courier_hold_all() has
     * been called with false.  NULL: always. */
    bool (*may_leave)(void *context);
};

struct courier *courier_new(uv_loop_t *loop, const struct courier_config *config,
                            const struct courier_events *events, void *context,
                            struct error *error);
/* Nothing is handed out any more; what is in flight goes on.  For shutdown. */
void courier_stop(struct courier *courier);
size_t courier_in_flight(const struct courier *courier); /* tests included */
/* What is still queued or in flight is the caller's again, without a word; only test postbacks
 * under way are told, as EXCHANGE_RESET.  Its handles close in the loop's next turn. */
void courier_free(struct courier *courier);

/* Makes the lane, or gives it new settings (its own reference is taken).  A notification that is
 * not ACTIVE has its lane held; one that is again ACTIVE has it released, after 410 too. */
void courier_set(struct courier *courier, struct notification *notification);
/* Takes the lane away; what was queued is appended to *queued.  What is in flight still ends in
 * attempted().  The rate and the window are kept for a lane that is set again within a second, or
 * while something of it is in flight. */
void courier_drop(struct courier *courier, int64_t notification, struct list *queued);
bool courier_has(const struct courier *courier, int64_t notification);

/* False (the caller keeps it) when there is no such lane, it is HELD, it is at high water, or the
 * cap on all lanes is reached.  High water is one window for a DOWN lane, and for every lane while
 * the courier is half full; one postback while it is three quarters full. */
bool courier_push(struct courier *courier, struct postback *postback);
size_t courier_queued(const struct courier *courier, int64_t notification);
/* How many more a lane would take now. */
size_t courier_room(struct courier *courier, int64_t notification);
/* Whether a lane has so much queued that it is not hungry yet: hungry() will come. */
bool courier_is_fed(const struct courier *courier, int64_t notification);
/* The owner wants it tried now: a DOWN lane's probe does not wait any longer. */
void courier_hurry(struct courier *courier, int64_t notification);
/* A DOWN lane is READY again, as somebody else knows that its destination answers. */
void courier_reopen(struct courier *courier, int64_t notification);
/* Takes all that a lane has queued: appended to *queued, in order.  What is in flight goes on. */
void courier_recall(struct courier *courier, int64_t notification, struct list *queued);
/* Takes one out of the queue; NULL when it is not queued. */
struct postback *courier_take(struct courier *courier, int64_t notification, int64_t postback);
/* Why a lane gives out nothing more just now.  False when there is no such lane. */
struct courier_view {
    enum lane_state state;
    int64_t since_ms;   /* in this state; steady clock */
    int64_t next_at_ms; /* DOWN: not before then, as far as time decides it; steady clock */
    bool paced, busy;   /* Maximum Requests, the window have no room */
    bool full;          /* the cap on all lanes, or the account's share of it, is reached */
};
bool courier_look(const struct courier *courier, int64_t notification, struct courier_view *out);
/* It is DOWN, or may hang: lane_stands().  False when there is no such lane. */
bool courier_stands(const struct courier *courier, int64_t notification);
/* HELD when there is no such lane. */
enum lane_state courier_state(const struct courier *courier, int64_t notification);

/* Holds all lanes (maintenance, a store that cannot record) and releases them. */
void courier_hold_all(struct courier *courier, bool hold);

/* One request outside the lanes, for Send Test: same client, same verdict; postback->test is set.
 * Maximum Requests neither holds it up nor counts it.  The answer comes by attempted(). */
void courier_test(struct courier *courier, struct notification *notification,
                  struct postback *postback);

struct courier_figures {
    int64_t connections, in_flight;
    int64_t lanes[LANE_STATES];
    int64_t destinations_down; /* scheme, host and port of lanes that are DOWN */
};
void courier_figures(const struct courier *courier, struct courier_figures *out);

struct client *courier_client(struct courier *courier);

#endif
