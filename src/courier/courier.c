/* courier.c — lanes by notification, served in turn over one client.
 *
 * Nothing is sent and nobody is told from inside a call: all of that is done by turn(), an idle
 * handler that runs once after the loop's events while there is something to do, so that pushes
 * are batched and no caller is surprised.  It visits the ready routes in the round, one postback
 * each and so many in one turn that the loop stays responsive, then tells the news and sets the
 * timer of the earliest lane that wants to be asked again.
 *
 * The rule that must never break: a route that could send is in the round, or one of these will
 * put it there: the timer, a request that leaves, the end of a trip, a release.
 */
#include "courier/share.h"
#include "courier/state.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>

enum {
    POSTBACKS_DEFAULT = 16384,
    TURN_MOST = 256,     /* routes visited in one turn of the loop … */
    TURN_MOST_US = 2000, /* … for so long: large bodies take a millisecond each to be made */
};

static bool is_full(const struct courier *courier)
{
    return courier->in_flight >= courier->in_flight_most;
}

static void hand_out(struct courier *courier)
{
    int64_t now = clock_steady_ms(), until_us = clock_steady_us() + TURN_MOST_US, wake;
    struct route *route;

    for (int visits = 0; visits < TURN_MOST && !is_full(courier); visits++) {
        if ((visits > 0 && clock_steady_us() >= until_us) || (route = share_next(courier)) == NULL)
            return;
        if (courier_is_crowded(courier) && lane_in_flight(route->lane) > 0) {
            share_crowded(route->share, route);
            continue;
        }
        if (!trips_may_start(route))
            continue;
        struct postback *postback = lane_next(route->lane, now, &wake);
        if (postback == NULL) {
            if (wake != -1)
                heap_put(&courier->wakes, &route->wake, wake);
            continue;
        }
        route_sank(courier, route);
        route_ready(courier, route);
        trip_start(courier, route, route->notification, postback);
    }
}

/* One lane for each place: who finds it gone is at the end of its list again. */
static void feed_starved(struct courier *courier)
{
    struct route *route;
    for (size_t taken = courier->postbacks; taken < courier->postbacks_most; taken++) {
        if ((route = share_next_starved(courier)) == NULL)
            return;
        route_hungry(courier, route);
    }
}

/* Each callback may drop the route, and more than it: what comes after starts from the list. */
static void tell_news(struct courier *courier)
{
    struct list some, *node;
    list_init(&some);
    list_move_all(&courier->news, &some);
    while ((node = list_first(&some)) != NULL) {
        struct route *route = container_of(node, struct route, news);
        int64_t notification = lane_notification(route->lane);
        enum lane_state state = lane_state(route->lane);

        list_remove(node);
        if (state == LANE_HELD || courier->stopped) {
            route->hungry = false; /* its release makes it hungry again */
            continue;
        }
        if (state != route->told) {
            route->told = state;
            if (state == LANE_READY)
                route->hungry = true;
            if (route->hungry) /* told next turn */
                list_append(&courier->news, node);
            courier->events.changed(courier->context, notification, state);
            continue;
        }
        if (route->hungry) {
            route->hungry = false;
            courier->events.hungry(courier->context, notification);
        }
    }
}

static void timer_fired(uv_timer_t *timer)
{
    struct courier *courier = timer->data;
    int64_t now = clock_steady_ms();
    struct heap_node *node;

    courier->timer_at = -1;
    while ((node = heap_min(&courier->wakes)) != NULL && node->key <= now) {
        struct route *route = container_of(node, struct route, wake);
        heap_remove(&courier->wakes, node);
        if (route->notification == NULL)
            route_free(courier, route);
        else
            route_ready(courier, route);
    }
    while ((node = heap_min(&courier->gates)) != NULL && node->key <= now)
        trips_leave(courier, container_of(node, struct route, gate_wake));
    courier_want_turn(courier); /* which sets the timer again */
}

static void set_timer(struct courier *courier)
{
    struct heap_node *first = heap_min(&courier->wakes), *gate = heap_min(&courier->gates);
    if (first == NULL || (gate != NULL && gate->key < first->key))
        first = gate;
    if (first == NULL) {
        uv_timer_stop(&courier->timer);
        courier->timer_at = -1;
        return;
    }
    if (first->key == courier->timer_at)
        return;
    int64_t wait = first->key - clock_steady_ms();
    courier->timer_at = first->key;
    uv_timer_start(&courier->timer, timer_fired, (uint64_t)(wait > 0 ? wait : 0), 0);
}

static void turn(uv_idle_t *idle)
{
    struct courier *courier = idle->data;

    trips_finish_unbuilt(courier);
    if (!courier->stopped)
        hand_out(courier);
    feed_starved(courier);
    tell_news(courier);
    set_timer(courier);

    bool can_send = !courier->stopped && !is_full(courier) && !list_empty(&courier->ready);
    if (!can_send && list_empty(&courier->unbuilt) && list_empty(&courier->news))
        uv_idle_stop(&courier->idle);
}

/* ---- life ---- */

struct courier *courier_new(uv_loop_t *loop, const struct courier_config *config,
                            const struct courier_events *events, void *context, struct error *error)
{
    struct courier *courier = must_alloc(sizeof(*courier));
    courier->client = client_new(loop, &config->client, error);
    if (courier->client == NULL) {
        free(courier);
        return NULL;
    }
    courier->events = *events;
    courier->context = context;
    courier->postbacks_most = config->postbacks != 0 ? config->postbacks : POSTBACKS_DEFAULT;
    courier->in_flight_most =
        config->client.connections > 0 ? (size_t)config->client.connections : CLIENT_CONNECTIONS;
    list_init(&courier->ready);
    list_init(&courier->waiting);
    list_init(&courier->crowded);
    list_init(&courier->news);
    list_init(&courier->starved);
    list_init(&courier->unbuilt);
    list_init(&courier->spare);
    uv_idle_init(loop, &courier->idle);
    courier->idle.data = courier;
    courier->turn = turn;
    uv_timer_init(loop, &courier->timer);
    courier->timer.data = courier;
    courier->timer_at = -1;
    courier->began_ms = clock_steady_ms();
    client_ask(courier->client, trip_may_leave);
    return courier;
}

void courier_stop(struct courier *courier)
{
    courier->stopped = true;
}

static void handle_closed(uv_handle_t *handle)
{
    struct courier *courier = handle->data;
    if (--courier->closing == 0)
        free(courier);
}

/* Unlinked, each by itself: the caller has them in lists of its own. */
static void let_go(struct lane *lane)
{
    struct list queued, *node;
    list_init(&queued);
    lane_drain(lane, &queued);
    while ((node = list_first(&queued)) != NULL)
        list_remove(node);
}

void courier_free(struct courier *courier)
{
    struct route *route;
    size_t at = 0;

    if (courier == NULL)
        return;
    courier->stopped = courier->freed = true;
    client_free(courier->client);
    trips_finish_unbuilt(courier);
    while ((route = map_each(&courier->routes, &at)) != NULL) {
        let_go(route->lane);
        route_free(courier, route);
    }
    map_free(&courier->routes);
    map_free(&courier->shares);
    heap_free(&courier->wakes);
    heap_free(&courier->gates);
    trips_free_spare(courier);
    request_free(&courier->request);
    courier->closing = 2;
    uv_close((uv_handle_t *)&courier->idle, handle_closed);
    uv_close((uv_handle_t *)&courier->timer, handle_closed);
}

/* ---- lanes ---- */

void courier_set(struct courier *courier, struct notification *notification)
{
    route_set(courier, notification);
}

void courier_drop(struct courier *courier, int64_t notification, struct list *queued)
{
    struct route *route = route_find(courier, notification);
    if (route != NULL)
        route_drop(courier, route, queued);
}

void courier_hold_all(struct courier *courier, bool hold)
{
    struct route *route;
    size_t at = 0;
    courier->held = hold;
    while ((route = map_each(&courier->routes, &at)) != NULL) {
        if (route->notification != NULL)
            route_hold(courier, route);
        if (!hold)
            trips_leave(courier, route);
    }
}

bool courier_has(const struct courier *courier, int64_t notification)
{
    return route_find(courier, notification) != NULL;
}

bool courier_look(const struct courier *courier, int64_t notification, struct courier_view *out)
{
    struct route *route = route_find(courier, notification);
    int64_t now = clock_steady_ms();
    if (route == NULL)
        return false;
    *out = (struct courier_view){
        .state = lane_state(route->lane),
        .since_ms = lane_since(route->lane),
        .next_at_ms = lane_next_at(route->lane, now),
        .paced = !list_empty(&route->gate) || lane_is_paced(route->lane, now),
        .busy = lane_is_busy(route->lane),
        .full = !list_empty(&route->starved),
    };
    return true;
}

bool courier_stands(const struct courier *courier, int64_t notification)
{
    const struct route *route = route_find(courier, notification);
    return route != NULL &&
           (lane_state(route->lane) == LANE_DOWN || lane_stands(route->lane, clock_steady_ms()));
}

enum lane_state courier_state(const struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    return route != NULL ? lane_state(route->lane) : LANE_HELD;
}

/* ---- postbacks ---- */

size_t courier_queued(const struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    return route != NULL ? lane_queued(route->lane) : 0;
}

size_t courier_room(struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    return route != NULL ? route_room(courier, route) : 0;
}

bool courier_is_fed(const struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    return route != NULL && lane_queued(route->lane) >= LANE_LOW_WATER;
}

bool courier_push(struct courier *courier, struct postback *postback)
{
    struct route *route = route_find(courier, postback->notification);
    if (route == NULL || route_room(courier, route) == 0 || !lane_push(route->lane, postback))
        return false;
    share_hold(route->share, postback);
    route_ready(courier, route);
    return true;
}

void courier_hurry(struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    if (route == NULL)
        return;
    lane_rest(route->lane, 0);
    lane_hurry(route->lane, clock_steady_ms());
    route_ready(courier, route);
}

void courier_reopen(struct courier *courier, int64_t notification)
{
    struct route *route = route_find(courier, notification);
    if (route == NULL || lane_state(route->lane) != LANE_DOWN)
        return;
    lane_hold(route->lane, clock_steady_ms());
    route_reopened(courier, route);
}

void courier_recall(struct courier *courier, int64_t notification, struct list *queued)
{
    struct route *route = route_find(courier, notification);
    if (route != NULL)
        route_recall(courier, route, queued);
}

struct postback *courier_take(struct courier *courier, int64_t notification, int64_t postback)
{
    struct route *route = route_find(courier, notification);
    return route != NULL ? route_take(courier, route, postback) : NULL;
}

void courier_test(struct courier *courier, struct notification *notification,
                  struct postback *postback)
{
    trip_start(courier, NULL, notification, postback);
}

size_t courier_in_flight(const struct courier *courier)
{
    return courier->in_flight;
}

/* Several notifications may have one destination. */
static void note_down(struct map *down, const struct notification *notification)
{
    struct buf name = { 0 };
    buf_fmt(&name, "%d %d %s", (int)notification->to.https, notification->to.port,
            notification->to.host);
    map_put_text(down, buf_text(&name), name.len, down);
    buf_free(&name);
}

void courier_figures(const struct courier *courier, struct courier_figures *out)
{
    struct client_figures client;
    struct map down = { 0 };
    const struct route *route;
    size_t at = 0;
    client_figures(courier->client, &client);
    *out = (struct courier_figures){ .connections = client.open, .in_flight = client.in_flight };
    while ((route = map_each(&courier->routes, &at)) != NULL) {
        if (route->notification == NULL)
            continue;
        out->lanes[lane_state(route->lane)]++;
        if (lane_state(route->lane) == LANE_DOWN)
            note_down(&down, route->notification);
    }
    out->destinations_down = (int64_t)down.count;
    map_free(&down);
}

struct client *courier_client(struct courier *courier)
{
    return courier->client;
}
