/* share.c — accounts in the courier's round, and their even parts of what all share: room in lanes,
 * memory of their events, places in flight, memory of requests on their way.
 *
 * An account over its part of a client that is nearly full leaves the round as a whole (`waiting`).
 * While the client stays that full, each exchange that ends brings back the account it was of and
 * the one that waits longest, to be asked again; as soon as it is less full, all come back.
 *
 * The rule that must never break: while something is in `ready`, the share is in the round or
 * waits, and then something is in flight whose end brings it back.
 */
#include "courier/share.h"

#include "base/fail.h"

#include <stdlib.h>

enum {
    /* Of requests on their way, which stay in memory until they are answered: a few receivers that
     * hang could have gigabytes of large bodies (REQUEST_BODY_MAX each). */
    BYTES_MOST = 64 * 1024 * 1024,
    /* Of events in lanes, EVENT_DATA_MAX each at the most: of usual ones (a kilobyte) as many as
     * there may be postbacks. */
    EVENT_BYTES_MOST = 16 * 1024 * 1024,
};

struct share *share_join(struct courier *courier, int64_t account)
{
    struct share *share = map_get(&courier->shares, account);
    if (share == NULL) {
        share = must_alloc(sizeof(*share));
        share->courier = courier;
        share->account = account;
        list_init(&share->ready);
        list_init(&share->crowded);
        list_init(&share->starved);
        list_init(&share->turn);
        list_init(&share->crowd);
        list_init(&share->hunger);
        map_put(&courier->shares, account, share);
    }
    share->routes++;
    return share;
}

void share_leave(struct share *share)
{
    if (--share->routes > 0)
        return;
    list_remove(&share->turn);
    list_remove(&share->crowd);
    list_remove(&share->hunger);
    map_remove(&share->courier->shares, share->account);
    free(share);
}

/* ---- even parts ---- */

/* `holders` have some; `mine` may be none. */
static bool within(size_t all, size_t most, size_t mine, size_t holders)
{
    if (all < most - most / 8)
        return true;
    size_t others = holders - (mine > 0 ? 1 : 0);
    return mine == 0 || mine < most / (others + 2);
}

/* Whoever has nothing on its way may always send, so all requests together have little more bytes
 * than BYTES_MOST. */
static bool may_send(const struct share *share)
{
    const struct courier *courier = share->courier;
    return within(courier->in_flight, courier->in_flight_most, share->in_flight,
                  courier->senders) &&
           within(courier->bytes, BYTES_MOST, share->bytes, courier->senders);
}

static bool may_hold_bytes(const struct share *share)
{
    size_t all = share->courier->event_bytes, mine = share->event_bytes;
    return mine < EVENT_DATA_MAX ||
           (all < EVENT_BYTES_MOST && within(all, EVENT_BYTES_MOST, mine, share->courier->holders));
}

bool share_may_hold(const struct share *share)
{
    const struct courier *courier = share->courier;
    return may_hold_bytes(share) &&
           within(courier->postbacks, courier->postbacks_most, share->postbacks, courier->holders);
}

void share_hold(struct share *share, const struct postback *postback)
{
    struct courier *courier = share->courier;
    if (share->postbacks++ == 0)
        courier->holders++;
    courier->postbacks++;
    if (postback->event->queued++ > 0)
        return;
    share->event_bytes += postback->event->data_len;
    courier->event_bytes += postback->event->data_len;
}

void share_release(struct share *share, const struct postback *postback)
{
    struct courier *courier = share->courier;
    if (--share->postbacks == 0)
        courier->holders--;
    courier->postbacks--;
    if (--postback->event->queued > 0)
        return;
    share->event_bytes -= postback->event->data_len;
    courier->event_bytes -= postback->event->data_len;
}

bool share_fills(const struct share *share, size_t eighths)
{
    return share->event_bytes >= (size_t)EVENT_BYTES_MOST / 8 * eighths;
}

void share_sent(struct share *share)
{
    if (share->in_flight++ == 0)
        share->courier->senders++;
}

void share_carries(struct share *share, size_t bytes)
{
    share->bytes += bytes;
    share->courier->bytes += bytes;
}

void share_ended(struct share *share, size_t bytes)
{
    share->bytes -= bytes;
    share->courier->bytes -= bytes;
    if (--share->in_flight == 0)
        share->courier->senders--;
}

static bool nearly_full(const struct courier *courier)
{
    return courier->in_flight >= courier->in_flight_most - courier->in_flight_most / 8 ||
           courier->bytes >= BYTES_MOST - BYTES_MOST / 8;
}

/* ---- the round ---- */

static void enter(struct share *share)
{
    if (list_empty(&share->turn) && !list_empty(&share->ready))
        list_append(&share->courier->ready, &share->turn);
}

void share_ready(struct share *share, struct route *route)
{
    list_append(&share->ready, &route->turn);
    enter(share);
}

void share_crowded(struct share *share, struct route *route)
{
    list_append(&share->crowded, &route->turn);
    if (list_empty(&share->crowd))
        list_append(&share->courier->crowded, &share->crowd);
}

struct route *share_next(struct courier *courier)
{
    struct list *node;
    while ((node = list_first(&courier->ready)) != NULL) {
        struct share *share = container_of(node, struct share, turn);
        list_remove(node);
        if (list_empty(&share->ready)) /* its routes have left */
            continue;
        if (!may_send(share)) {
            list_append(&courier->waiting, node);
            share->waits = true;
            continue;
        }
        struct list *first = list_first(&share->ready);
        list_remove(first);
        enter(share);
        return container_of(first, struct route, turn);
    }
    return NULL;
}

static void recall(struct share *share)
{
    list_remove(&share->turn);
    share->waits = false;
    enter(share);
}

void share_recall(struct courier *courier, struct share *ended)
{
    struct list *node;

    if (ended != NULL && ended->waits)
        recall(ended);
    while ((node = list_first(&courier->waiting)) != NULL) {
        recall(container_of(node, struct share, turn));
        if (nearly_full(courier))
            break;
    }
    if (courier_is_crowded(courier))
        return;
    while ((node = list_first(&courier->crowded)) != NULL) {
        struct share *share = container_of(node, struct share, crowd);
        list_remove(node);
        list_move_all(&share->crowded, &share->ready);
        enter(share);
    }
}

/* ---- room ---- */

void share_starved(struct share *share, struct route *route)
{
    if (list_empty(&route->starved))
        list_append(&share->starved, &route->starved);
    if (list_empty(&share->hunger))
        list_append(&share->courier->starved, &share->hunger);
}

struct route *share_next_starved(struct courier *courier)
{
    struct list *node = courier->starved.next;
    while (node != &courier->starved) {
        struct share *share = container_of(node, struct share, hunger);
        struct list *first = list_first(&share->starved);
        node = node->next;
        if (first != NULL && !share_may_hold(share))
            continue;
        list_remove(&share->hunger);
        if (first == NULL)
            continue;
        list_remove(first);
        if (!list_empty(&share->starved))
            list_append(&courier->starved, &share->hunger);
        return container_of(first, struct route, starved);
    }
    return NULL;
}
