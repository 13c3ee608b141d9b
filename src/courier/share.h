/* share.h — one account's part of the courier: its routes in the round, and how much it holds.
 *
 * The round is a ring of accounts, each with its ring of routes, so that an account with ten
 * thousand event notifications gets no more turns than an account with one.  The last eighth of
 * what all share (room in lanes, memory of their events, places in flight, memory of requests on
 * their way) is for accounts that hold less than an even part, where one more account is counted
 * than there are: for the next to come.  Whoever holds less than one of the largest events may
 * always have another one, so that small events do not wait for room that large ones have taken.
 */
#ifndef POSTBACKD_COURIER_SHARE_H
#define POSTBACKD_COURIER_SHARE_H

#include "courier/state.h"

struct share {
    struct courier *courier;
    int64_t account;
    size_t routes;                 /* that belong to it; without any it is freed */
    size_t postbacks, event_bytes; /* in its lanes */
    size_t in_flight, bytes;       /* requests on their way */
    struct list ready;             /* routes that may have something to go, in turn */
    struct list crowded;           /* routes that wait until the client is less crowded */
    struct list starved;           /* routes that were refused a postback */
    struct list turn; /* in the courier's ready or waiting; not empty while `ready` is not */
    bool waits;       /* it is in waiting */
    struct list crowd, hunger; /* in the courier's crowded, starved */
};

struct share *share_join(struct courier *courier, int64_t account);
void share_leave(struct share *share); /* its route has left all lists */

/* ---- the round ---- */

void share_ready(struct share *share, struct route *route);
void share_crowded(struct share *share, struct route *route);
/* The next route out of the round, of an account whose turn it is and that may send. */
struct route *share_next(struct courier *courier);
/* An exchange ended (ended NULL: a test): who waited for that is in the round again. */
void share_recall(struct courier *courier, struct share *ended);

/* ---- what it holds ---- */

/* A postback of its account's is in a lane, and no more.  An event counts once, however many of its
 * postbacks are. */
void share_hold(struct share *share, const struct postback *postback);
void share_release(struct share *share, const struct postback *postback);
void share_sent(struct share *share);
void share_carries(struct share *share, size_t bytes); /* of a request that was sent */
void share_ended(struct share *share, size_t bytes);   /* of what was sent, with its bytes */
bool share_may_hold(const struct share *share);
/* It holds so many eighths of the bytes of events that there may be in all. */
bool share_fills(const struct share *share, size_t eighths);

void share_starved(struct share *share, struct route *route);
/* The next of those to have room, one of each account in turn, or NULL. */
struct route *share_next_starved(struct courier *courier);

#endif
