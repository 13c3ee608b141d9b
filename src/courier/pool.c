/* pool.c — who gets which connection.
 *
 * A pool holds its idle connections (the last used first: the others age and are swept) and those
 * who wait, accounts in turn.  All idle connections also stand on one list by age, from which the
 * sweep and the cap on all take.  serve() is the one place that hands out.
 *
 * The rule: after anything that makes room (a connection closed or idle), first the pool's own
 * waiters are served, then the pools that the cap on all has held up, one waiter each in turn.
 */
#include "courier/pool.h"

#include "base/clock.h"
#include "base/fail.h"
#include "model/tls_identity.h"

#include <stdlib.h>
#include <string.h>

/* One byte of scheme, two of port, the host; under an identity its digest before the host. */
enum { KEY_MAX = 3 + TLS_DIGEST_BYTES + HOST_MAX };

struct pool {
    struct pools *pools;
    struct destination to;
    char key[KEY_MAX];
    size_t key_len;
    SSL_SESSION *session;
    SSL_CTX *own; /* its identity's; NULL: it has none */
    bool retired; /* nobody finds it any more, and it keeps no connection */
    struct followed name;
    struct resolved *last; /* through a proxy: what the name led to; NULL: not known yet */
    size_t open;
    struct list connections;
    struct waiters waiting;
    struct list idle;    /* connections, the last used first */
    struct list crowded; /* in pools->crowded while only the cap on all holds it up */
    struct list unused;  /* in pools->unused while it has neither connections nor waiters */
};

static size_t key_of(const struct destination *to, char key[KEY_MAX])
{
    size_t len = strlen(to->host);
    if (len > HOST_MAX)
        bug("a host of %zu bytes came to the pools", len);
    bool own = to->https && to->identity != NULL;
    size_t digest = own ? TLS_DIGEST_BYTES : 0;
    key[0] = own ? 'o' : to->https ? 's' : 'p';
    key[1] = (char)(to->port >> 8);
    key[2] = (char)(to->port & 0xff);
    if (own)
        memcpy(key + 3, to->identity->digest, digest);
    memcpy(key + 3 + digest, to->host, len);
    return 3 + digest + len;
}

static void free_pool(struct pool *pool)
{
    if (!pool->retired)
        map_remove_text(&pool->pools->by_destination, pool->key, pool->key_len);
    list_remove(&pool->crowded);
    list_remove(&pool->unused);
    followed_end(&pool->name);
    free(pool->last);
    waiters_end(&pool->waiting);
    SSL_SESSION_free(pool->session);
    SSL_CTX_free(pool->own);
    free((char *)pool->to.host);
    free(pool);
}

/* ---- names that lead elsewhere ---- */

static bool is_connected(const struct connection *connection)
{
    return connection->peer.any.sa_family != AF_UNSPEC;
}

/* found NULL: wherever they go. */
static void outdate(struct pool *pool, const struct resolved *found)
{
    for (struct list *at = pool->connections.next; at != &pool->connections; at = at->next) {
        struct connection *connection = container_of(at, struct connection, here);
        if (is_connected(connection) && (found == NULL || !resolved_has(found, &connection->peer)))
            connection->outdated = true;
    }
}

static bool same_addresses(const struct resolved *one, const struct resolved *other)
{
    for (size_t i = 0; i < one->count; i++)
        if (!resolved_has(other, &one->addresses[i]))
            return false;
    return one->count == other->count;
}

static void name_answered(struct followed *followed, const struct resolved *found)
{
    struct pool *pool = container_of(followed, struct pool, name);
    if (pool->pools->wire->dialer.proxy == NULL) {
        outdate(pool, found);
        return;
    }
    if (pool->last == NULL)
        pool->last = must_alloc(sizeof(*pool->last));
    else if (!same_addresses(pool->last, found))
        outdate(pool, NULL);
    *pool->last = *found;
}

static void proxy_answered(struct followed *followed, const struct resolved *found)
{
    struct pools *pools = container_of(followed, struct pools, proxy);
    struct pool *pool;
    size_t at = 0;
    while ((pool = map_each(&pools->by_destination, &at)) != NULL)
        outdate(pool, found);
}

static void follow(struct pool *pool)
{
    struct pools *pools = pool->pools;
    int64_t now = (int64_t)uv_now(pools->wire->dialer.loop);
    followed_used(&pool->name, now);
    if (pools->wire->dialer.proxy != NULL)
        followed_used(&pools->proxy, now);
}

void pool_doubt(struct connection *connection)
{
    if (is_connected(connection)) /* else dial.c has its own doubts */
        followed_doubt(&connection->pool->name);
}

/* ---- pools ---- */

struct pool *pool_find(struct pools *pools, const struct destination *to)
{
    char key[KEY_MAX];
    size_t len = key_of(to, key);
    struct pool *pool = map_get_text(&pools->by_destination, key, len);
    if (pool != NULL)
        return pool;
    SSL_CTX *own = key[0] == 'o' ? tls_own(pools->wire->tls, to->identity) : NULL;
    if (key[0] == 'o' && own == NULL)
        return NULL;
    pool = must_alloc(sizeof(*pool));
    pool->own = own;
    pool->key_len = len;
    memcpy(pool->key, key, len);
    pool->pools = pools;
    pool->to = *to;
    pool->to.host = must_copy(to->host);
    pool->to.identity = NULL; /* the caller's: what it said is in the key and in own */
    followed_start(&pool->name, pools->wire->dialer.resolver, pools->wire->dialer.alarms,
                   pool->to.host, name_answered);
    waiters_start(&pool->waiting);
    list_init(&pool->connections);
    list_init(&pool->idle);
    list_init(&pool->crowded);
    list_init(&pool->unused);
    map_put_text(&pools->by_destination, key, len, pool);
    return pool;
}

static void note_use(struct pool *pool)
{
    struct pools *pools = pool->pools;
    bool used = pool->open > 0 || !waiters_empty(&pool->waiting);
    if (!used && pool->own != NULL) { /* a key is in memory only as long as it is needed */
        free_pool(pool);
        return;
    }
    if (used != list_empty(&pool->unused)) {
        if (used) {
            list_remove(&pool->unused);
            pools->unused_count--;
        } else {
            list_append(&pools->unused, &pool->unused);
            pools->unused_count++;
            free(pool->last); /* of connections that are gone */
            pool->last = NULL;
        }
    }
    if (pools->unused_count > POOLS_UNUSED_MAX) {
        pools->unused_count--;
        free_pool(container_of(list_first(&pools->unused), struct pool, unused));
    }
}

/* Closes without serving anybody. */
static void shut(struct connection *connection)
{
    struct pool *pool = connection->pool;
    pool->open--;
    pool->pools->open--;
    connection_close(connection);
}

static void make_room(struct pool *pool)
{
    struct pools *pools = pool->pools;
    if (pool->open >= pools->limits.per_destination && !list_empty(&pool->idle))
        shut(container_of(pool->idle.prev, struct connection, idle_here));
    struct list *at = list_first(&pools->idle);
    if (pools->open >= pools->limits.connections && at != NULL) {
        struct connection *oldest = container_of(at, struct connection, idle_all);
        struct pool *other = oldest->pool;
        shut(oldest);
        if (other != pool)
            note_use(other);
    }
}

static struct connection *open_one(struct pool *pool)
{
    struct pools *pools = pool->pools;
    make_room(pool);
    if (pool->open >= pools->limits.per_destination || pools->open >= pools->limits.connections)
        return NULL;
    struct connection *connection =
        connection_open(pools->wire, &pool->to, pool->own, &pool->session);
    connection->pool = pool;
    list_append(&pool->connections, &connection->here);
    pool->open++;
    pools->open++;
    pools->opened++;
    return connection;
}

static struct connection *take_idle(struct pool *pool)
{
    struct list *at;
    while ((at = list_first(&pool->idle)) != NULL) {
        struct connection *connection = container_of(at, struct connection, idle_here);
        if (connection->outdated) {
            shut(connection);
            continue;
        }
        list_remove(&connection->idle_here);
        list_remove(&connection->idle_all);
        pool->pools->reused++;
        return connection;
    }
    return NULL;
}

/* Hands out up to `most` connections. */
static void serve(struct pool *pool, size_t most)
{
    struct pools *pools = pool->pools;
    struct waiter *next;
    while (most-- > 0 && (next = waiters_next(&pool->waiting)) != NULL) {
        follow(pool);
        struct pool_waiter *waiter = container_of(next, struct pool_waiter, waiter);
        struct connection *connection = waiter->fresh ? NULL : take_idle(pool);
        if (connection == NULL)
            connection = open_one(pool);
        if (connection == NULL)
            break;
        waiters_served(&pool->waiting, next);
        pools->handed(waiter, connection);
    }
    list_remove(&pool->crowded);
    if (!waiters_empty(&pool->waiting) && pool->open < pools->limits.per_destination)
        list_append(&pools->crowded, &pool->crowded);
}

static void serve_crowded(struct pools *pools)
{
    struct list *at;
    while ((at = list_first(&pools->crowded)) != NULL) {
        if (pools->open >= pools->limits.connections && list_empty(&pools->idle))
            return;
        serve(container_of(at, struct pool, crowded), 1);
    }
}

void pool_ask(struct pool *pool, struct pool_waiter *waiter)
{
    bool first = waiters_empty(&pool->waiting);
    waiters_add(&pool->waiting, waiter->account, &waiter->waiter);
    if (first)
        serve(pool, 1);
    note_use(pool);
}

void pool_ask_first(struct pool *pool, struct pool_waiter *waiter)
{
    waiters_add_first(&pool->waiting, &waiter->waiter);
    serve(pool, 1);
    note_use(pool);
}

void pool_forget(struct pool *pool, struct pool_waiter *waiter)
{
    waiters_forget(&pool->waiting, &waiter->waiter);
    if (waiters_empty(&pool->waiting))
        list_remove(&pool->crowded);
    note_use(pool);
}

static void after_room(struct pool *pool)
{
    struct pools *pools = pool->pools;
    serve(pool, SIZE_MAX);
    note_use(pool);
    serve_crowded(pools);
}

void pool_drop(struct connection *connection)
{
    struct pool *pool = connection->pool;
    shut(connection);
    after_room(pool);
}

static void set_sweep(struct pools *pools)
{
    struct list *at = list_first(&pools->idle);
    if (at != NULL && pools->sweep.node.place == 0)
        alarm_set(pools->wire->dialer.alarms, &pools->sweep,
                  container_of(at, struct connection, idle_all)->idle_since_ms +
                      pools->limits.idle_ms);
}

void pool_release(struct connection *connection)
{
    struct pool *pool = connection->pool;
    if (!connection->reusable || connection->outdated || pool->retired) {
        pool_drop(connection);
        return;
    }
    connection->idle_since_ms = clock_steady_ms();
    list_prepend(&pool->idle, &connection->idle_here);
    list_append(&pool->pools->idle, &connection->idle_all);
    set_sweep(pool->pools);
    if (!waiters_empty(&pool->waiting) || !list_empty(&pool->pools->crowded))
        after_room(pool);
}

static void retire(struct pools *pools, const unsigned char *digest)
{
    struct pool *pool;
    size_t at = 0;
    while ((pool = map_each(&pools->by_destination, &at)) != NULL)
        if (pool->own != NULL && memcmp(pool->key + 3, digest, TLS_DIGEST_BYTES) == 0) {
            map_remove_text(&pools->by_destination, pool->key, pool->key_len);
            pool->retired = true;
        }
}

void pools_forget(struct pools *pools, const unsigned char *digest)
{
    retire(pools, digest);
    struct list *at = pools->idle.next;
    while (at != &pools->idle) {
        struct connection *connection = container_of(at, struct connection, idle_all);
        at = at->next;
        if (!connection->pool->retired)
            continue;
        pool_drop(connection);
        at = pools->idle.next; /* who was served meanwhile may have taken the next one */
    }
}

static void sweep(struct alarm *alarm)
{
    struct pools *pools = container_of(alarm, struct pools, sweep);
    int64_t now = clock_steady_ms();
    struct list *at;
    while ((at = list_first(&pools->idle)) != NULL) {
        struct connection *connection = container_of(at, struct connection, idle_all);
        if (connection->idle_since_ms + pools->limits.idle_ms > now)
            break;
        pool_drop(connection);
    }
    set_sweep(pools);
}

void pools_start(struct pools *pools, struct wire *wire, const struct pool_limits *limits,
                 void (*handed)(struct pool_waiter *, struct connection *))
{
    *pools = (struct pools){ .wire = wire, .limits = *limits, .handed = handed };
    pools->sweep.ring = sweep;
    if (wire->dialer.proxy != NULL)
        followed_start(&pools->proxy, wire->dialer.resolver, wire->dialer.alarms,
                       wire->dialer.proxy->host, proxy_answered);
    list_init(&pools->crowded);
    list_init(&pools->unused);
    list_init(&pools->idle);
}

void pools_end(struct pools *pools)
{
    struct list *at;
    struct pool *pool;
    while ((at = list_first(&pools->idle)) != NULL)
        pool_drop(container_of(at, struct connection, idle_all));
    size_t place = 0;
    while ((pool = map_each(&pools->by_destination, &place)) != NULL)
        free_pool(pool);
    map_free(&pools->by_destination);
    alarm_clear(pools->wire->dialer.alarms, &pools->sweep);
    if (pools->wire->dialer.proxy != NULL)
        followed_end(&pools->proxy);
}
