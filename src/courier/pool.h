/* pool.h — the connections of a client: one pool for each scheme, host, port and TLS identity.
 *
 * Who wants to send asks a pool and is handed a connection: the idle one used last, else a new one
 * while both caps allow (for the cap on all, an idle connection of another destination is closed),
 * else in turn: one request of each account, the oldest first (waiters.h).
 *
 * A kept connection is used only while its name leads where it goes: past the TTL the name is
 * looked up beside what is under way (followed.h), and connections to addresses that are not in the
 * answer are closed instead of used.  Through a proxy nobody knows which of the receiver's
 * addresses one leads to, so any change of these ends its use, and so does a change of the proxy's
 * own.
 */
#ifndef POSTBACKD_POOL_H
#define POSTBACKD_POOL_H

#include "base/list.h"
#include "base/map.h"
#include "courier/connection.h"
#include "courier/followed.h"
#include "courier/waiters.h"

/* Pools without connections that are remembered, for their TLS sessions. */
enum { POOLS_UNUSED_MAX = 1024 };

struct pool_waiter {
    struct waiter waiter; /* list_init() its node first */
    int64_t account;      /* whose request it is */
    bool fresh;           /* only a connection that has not been used yet will do */
};

struct pool_limits {
    size_t connections, per_destination;
    int64_t idle_ms;
};

struct pools {
    struct wire *wire;
    struct pool_limits limits;
    /* Called from inside pool_ask(), pool_release() and pool_drop(). */
    void (*handed)(struct pool_waiter *waiter, struct connection *connection);
    struct map by_destination;
    struct list crowded;   /* pools whose waiters the cap on all holds up, in turn */
    struct list unused;    /* pools without connections, the longest unused first */
    struct list idle;      /* connections, the longest idle first */
    struct alarm sweep;    /* when the first of them is too old */
    struct followed proxy; /* its name, if all goes through one */
    size_t open, unused_count;
    int64_t opened, reused; /* ever */
};

/* *pools is the caller's. */
void pools_start(struct pools *pools, struct wire *wire, const struct pool_limits *limits,
                 void (*handed)(struct pool_waiter *, struct connection *));
/* Every connection must have been dropped or be idle, and nobody may wait. */
void pools_end(struct pools *pools);

struct pool;
/* The pool of a destination; it stays while it is asked or has connections.  to->host: at most
 * HOST_MAX bytes.  NULL: its identity cannot be used. */
struct pool *pool_find(struct pools *pools, const struct destination *to);
/* Closes what is idle under this identity (TLS_DIGEST_BYTES), and later what is still in use. */
void pools_forget(struct pools *pools, const unsigned char *digest);
void pool_ask(struct pool *pool, struct pool_waiter *waiter);
void pool_ask_first(struct pool *pool, struct pool_waiter *waiter); /* before all who wait */
void pool_forget(struct pool *pool, struct pool_waiter *waiter);    /* who waited no more does */

/* What was sent over it failed: does the name lead elsewhere by now? */
void pool_doubt(struct connection *connection);
/* A connection comes back: to be reused if it can be, else it is closed. */
void pool_release(struct connection *connection);
void pool_drop(struct connection *connection);

#endif
