/* client.c — exchanges: each is one block of memory with the request's bytes at its end.
 *
 * An exchange waits in its pool or has a connection, on which it leaves when it may; its alarm is
 * the deadline.  The request is kept until the answer is there, since a kept-alive connection may
 * turn out to be closed and the exchange is then sent once more on a new one.
 *
 * The rule: end() is the one way out.  It gives the connection back before it calls done(), so
 * that whoever is told can send the next one over it, and is never called from inside
 * client_send().
 */
#include "courier/client.h"

#include "base/clock.h"
#include "base/fail.h"
#include "courier/pool.h"
#include "model/retry_after.h"
#include "model/tls_identity.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEADLINE_MS = 30000,
    IDLE_MS = 60000,
    CONNECTIONS_PER_DESTINATION = 256,
    EXCHANGES_MAX = 65536, /* under way or waiting */
    METHOD_MAX = 16,
    BYTES_USUAL = 2048, /* of a request; blocks for so many are used again */
    SPARE_MOST = 256,
};

struct client {
    struct wire wire;
    struct pools pools;
    exchange_may_leave *may_leave;
    int deadline_ms;
    struct list exchanges;
    int64_t count, in_flight;
    struct list spare; /* exchanges of BYTES_USUAL, wiped */
    size_t spare_count;
};

struct exchange {
    struct client *client;
    struct pool *pool; /* NULL: refused before it came to one */
    struct pool_waiter waiter;
    struct connection *connection; /* NULL: waiting */
    struct alarm deadline;
    struct list node; /* in client->exchanges */
    exchange_done *done;
    void *context;
    int64_t started_at, started_us;
    enum exchange_error refused; /* EXCHANGE_OK, or why it never goes out */
    const char *refusal;
    bool sent; /* on this connection, in whole or in part */
    bool repeated;
    size_t head_len, len, room;
    char bytes[];
};

static void exchange_free(struct client *client, struct exchange *exchange)
{
    explicit_bzero(exchange->bytes, exchange->head_len); /* credentials */
    if (exchange->room > BYTES_USUAL || client->spare_count == SPARE_MOST) {
        free(exchange);
        return;
    }
    list_prepend(&client->spare, &exchange->node);
    client->spare_count++;
}

/* The answer's parts pass to the attempt. */
static void take_answer(struct attempt *attempt, struct answer *answer)
{
    attempt->status = answer->status;
    attempt->retry_after_ms = -1;
    if (answer->status == 0)
        return;
    if (answer->head.retry_after[0] != '\0')
        attempt->retry_after_ms = retry_after_parse(answer->head.retry_after, clock_wall_ms());
    if (answer->head.headers.len > 0) {
        attempt->headers_len = answer->head.headers.len;
        attempt->headers = buf_take(&answer->head.headers);
    }
    if (answer->body.len > 0) {
        attempt->body_len = answer->body.len;
        attempt->body = buf_take(&answer->body);
    }
}

static void end(struct exchange *exchange, enum exchange_error error, const char *detail)
{
    struct client *client = exchange->client;
    struct connection *connection = exchange->connection;
    struct attempt attempt = { .started_at = exchange->started_at, .retry_after_ms = -1 };
    attempt.error = error;
    attempt.duration_us = clock_steady_us() - exchange->started_us;
    if (error != EXCHANGE_OK)
        snprintf(attempt.detail, sizeof(attempt.detail), "%s", detail);
    list_remove(&exchange->node);
    client->in_flight--;
    alarm_clear(client->wire.dialer.alarms, &exchange->deadline);
    if (connection != NULL) {
        if (exchange->sent) /* else the answer is another one's */
            take_answer(&attempt, &connection->answer);
        connection->exchange = NULL;
        if (error != EXCHANGE_OK || attempt.status == 503)
            pool_doubt(connection);
        if (error == EXCHANGE_OK)
            pool_release(connection);
        else
            pool_drop(connection);
    } else if (exchange->pool != NULL) {
        pool_forget(exchange->pool, &exchange->waiter);
    }
    exchange_done *done = exchange->done;
    void *context = exchange->context;
    exchange_free(client, exchange);
    done(context, &attempt);
}

static bool waits_to_leave(const struct exchange *exchange)
{
    return exchange->connection != NULL && exchange->connection->state == CONNECTION_IDLE;
}

void client_go(struct exchange *exchange)
{
    if (!waits_to_leave(exchange))
        return;
    exchange->sent = true;
    connection_send(exchange->connection, exchange->bytes, exchange->len);
}

static void leave(struct exchange *exchange)
{
    exchange_may_leave *may_leave = exchange->client->may_leave;
    if (may_leave == NULL || may_leave(exchange->context))
        client_go(exchange);
}

static void handed(struct pool_waiter *waiter, struct connection *connection)
{
    struct exchange *exchange = container_of(waiter, struct exchange, waiter);
    exchange->connection = connection;
    connection->exchange = exchange;
    if (connection->state == CONNECTION_IDLE)
        leave(exchange);
}

static void on_ready(struct connection *connection)
{
    leave(connection->exchange);
}

static void on_answered(struct connection *connection)
{
    end(connection->exchange, EXCHANGE_OK, "");
}

static bool may_repeat(const struct exchange *exchange, enum exchange_error error)
{
    const struct connection *connection = exchange->connection;
    return !exchange->repeated && connection->reused && !connection->answer.begun &&
           (error == EXCHANGE_RESET || error == EXCHANGE_TLS);
}

/* For a new connection. */
static void ask_again(struct exchange *exchange)
{
    struct connection *lost = exchange->connection;
    exchange->repeated = true;
    exchange->sent = false;
    exchange->waiter.fresh = true;
    exchange->connection = NULL;
    lost->exchange = NULL;
    /* It queues first: the room that the lost connection leaves is its own. */
    pool_ask_first(exchange->pool, &exchange->waiter);
    pool_drop(lost);
}

static void on_failed(struct connection *connection, enum exchange_error error, const char *detail)
{
    struct exchange *exchange = connection->exchange;
    if (!may_repeat(exchange, error)) {
        end(exchange, error, detail);
        return;
    }
    ask_again(exchange);
}

static void on_lost(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange == NULL)
        pool_drop(connection);
    else if (exchange->repeated)
        end(exchange, EXCHANGE_RESET, "the receiver closed before it had the request");
    else
        ask_again(exchange);
}

static const struct connection_events connection_events = {
    .ready = on_ready,
    .answered = on_answered,
    .failed = on_failed,
    .lost = on_lost,
};

static const char *phase(const struct exchange *exchange)
{
    if (exchange->connection == NULL)
        return "waiting for a free connection";
    return waits_to_leave(exchange) ? "held back by Maximum Requests"
                                    : connection_phase(exchange->connection);
}

static void on_deadline(struct alarm *alarm)
{
    struct exchange *exchange = container_of(alarm, struct exchange, deadline);
    char detail[120];
    if (exchange->refused != EXCHANGE_OK) {
        end(exchange, exchange->refused, exchange->refusal);
        return;
    }
    enum exchange_error error = EXCHANGE_TIMEOUT;
    if (exchange->connection != NULL && connection_has_no_room(exchange->connection))
        error = EXCHANGE_NO_ROOM;
    snprintf(detail, sizeof(detail), "timed out after %g s: %s",
             exchange->client->deadline_ms / 1000.0, phase(exchange));
    end(exchange, error, detail);
}

static char *put(char *at, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(at, bytes, len);
    return at + len;
}

/* Zeroed, but for its bytes. */
static struct exchange *exchange_block(struct client *client, size_t bytes)
{
    size_t room = bytes > BYTES_USUAL ? bytes : BYTES_USUAL;
    struct list *spare = bytes <= BYTES_USUAL ? list_first(&client->spare) : NULL;
    struct exchange *exchange;
    if (spare != NULL) {
        list_remove(spare);
        client->spare_count--;
        exchange = container_of(spare, struct exchange, node);
    } else {
        exchange = must_resize(NULL, sizeof(*exchange) + room);
    }
    memset(exchange, 0, sizeof(*exchange));
    exchange->room = room;
    return exchange;
}

static struct exchange *exchange_new(struct client *client, const char *method,
                                     const struct request *request)
{
    static const char version[] = " HTTP/1.1\r\n";
    const struct buf *target = &request->target, *headers = &request->headers,
                     *body = &request->body;
    size_t method_len = strnlen(method, METHOD_MAX);
    size_t head_len =
        method_len + 1 + target->len + sizeof(version) - 1 + headers->len + sizeof("\r\n") - 1;
    struct exchange *exchange = exchange_block(client, head_len + body->len);
    char *at = put(exchange->bytes, method, method_len);
    at = put(at, " ", 1);
    at = put(at, target->data, target->len);
    at = put(at, version, sizeof(version) - 1);
    at = put(at, headers->data, headers->len);
    at = put(at, "\r\n", 2);
    put(at, body->data, body->len);
    exchange->head_len = head_len;
    exchange->len = head_len + body->len;
    return exchange;
}

/* The last line of defence: whatever built the request, a target cannot end the request line. */
static bool is_target(const struct buf *target)
{
    if (target->len == 0 || target->data[0] != '/')
        return false;
    for (size_t i = 0; i < target->len; i++)
        if ((unsigned char)target->data[i] <= ' ' || target->data[i] == 0x7f)
            return false;
    return true;
}

static void check(struct exchange *exchange, const struct destination *to,
                  const struct request *request)
{
    size_t host_len = strnlen(to->host, HOST_MAX + 1);
    exchange->refused = EXCHANGE_BUILD;
    if (request->target.failed || request->headers.failed || request->body.failed)
        exchange->refusal = "the request is over a cap";
    else if (!is_target(&request->target))
        exchange->refusal = "the request's target holds what a target cannot";
    else if (exchange->client->in_flight > EXCHANGES_MAX)
        exchange->refusal = "too many requests are under way";
    else
        exchange->refused = EXCHANGE_OK;
    if (host_len == 0 || host_len > HOST_MAX || to->port < 1 || to->port > 65535) {
        exchange->refused = EXCHANGE_DNS;
        exchange->refusal = "this is not a host and port";
    }
}

struct exchange *client_send(struct client *client, const struct destination *to,
                             const char *method, const struct request *request, exchange_done *done,
                             void *context)
{
    struct alarms *alarms = client->wire.dialer.alarms;
    struct exchange *exchange = exchange_new(client, method, request);
    exchange->client = client;
    exchange->done = done;
    exchange->context = context;
    exchange->started_at = clock_wall_ms();
    exchange->started_us = clock_steady_us();
    exchange->deadline.ring = on_deadline;
    list_init(&exchange->waiter.waiter.node);
    exchange->waiter.account = to->account;
    list_append(&client->exchanges, &exchange->node);
    client->count++;
    client->in_flight++;
    check(exchange, to, request);
    if (exchange->refused == EXCHANGE_OK)
        exchange->pool = pool_find(&client->pools, to);
    if (exchange->refused == EXCHANGE_OK && exchange->pool == NULL) {
        exchange->refused = EXCHANGE_TLS;
        exchange->refusal = "this event notification's own certificates cannot be used";
    }
    if (exchange->refused != EXCHANGE_OK) {
        alarm_soon(alarms, &exchange->deadline);
        return exchange;
    }
    alarm_set(alarms, &exchange->deadline, exchange->started_us / 1000 + client->deadline_ms);
    pool_ask(exchange->pool, &exchange->waiter);
    return exchange;
}

static int or_default(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

struct client *client_new(uv_loop_t *loop, const struct client_config *config, struct error *error)
{
    struct dialer dialer = { .loop = loop };
    dialer.egress = egress_new(config->allow_egress, config->allow_egress_count, error);
    if (dialer.egress == NULL)
        goto err0;
    if (config->proxy != NULL && (dialer.proxy = proxy_new(config->proxy, error)) == NULL)
        goto err1;
    struct tls *tls = tls_new(config->ca_file, error);
    if (tls == NULL)
        goto err1;
    if (!config->late_tls)
        tls_prepare(tls);
    dialer.alarms = alarms_new(loop);
    dialer.resolver = resolver_new(loop, dialer.alarms, config->name_servers, error);
    if (dialer.resolver == NULL)
        goto err2;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    struct client *client = must_alloc(sizeof(*client));
    client->wire.dialer = dialer;
    client->wire.tls = tls;
    client->wire.keep = config->keep_bytes;
    client->wire.events = &connection_events;
    client->deadline_ms = or_default(config->deadline_ms, DEADLINE_MS);
    list_init(&client->exchanges);
    list_init(&client->spare);
    struct pool_limits limits = {
        .connections = (size_t)or_default(config->connections, CLIENT_CONNECTIONS),
        .per_destination =
            (size_t)or_default(config->connections_per_destination, CONNECTIONS_PER_DESTINATION),
        .idle_ms = or_default(config->idle_ms, IDLE_MS),
    };
    pools_start(&client->pools, &client->wire, &limits, handed);
    return client;
err2:
    alarms_free(dialer.alarms);
    tls_free(tls);
err1:
    proxy_free(dialer.proxy);
    egress_free(dialer.egress);
err0:
    return NULL;
}

void client_free(struct client *client)
{
    struct list *at;
    client->pools.limits.connections = 0; /* who still waits is handed none */
    while ((at = list_first(&client->exchanges)) != NULL)
        end(container_of(at, struct exchange, node), EXCHANGE_RESET, "the server is shutting down");
    while ((at = list_first(&client->spare)) != NULL) {
        list_remove(at);
        free(container_of(at, struct exchange, node));
    }
    pools_end(&client->pools);
    resolver_free(client->wire.dialer.resolver);
    alarms_free(client->wire.dialer.alarms);
    tls_free(client->wire.tls);
    proxy_free(client->wire.dialer.proxy);
    egress_free(client->wire.dialer.egress);
    free(client);
}

void client_ask(struct client *client, exchange_may_leave *may_leave)
{
    client->may_leave = may_leave;
}

void client_forget(struct client *client, const struct tls_identity *identity)
{
    pools_forget(&client->pools, identity->digest);
}

void client_figures(const struct client *client, struct client_figures *out)
{
    *out = (struct client_figures){
        .exchanges = client->count,
        .connections_opened = client->pools.opened,
        .connections_reused = client->pools.reused,
        .open = (int64_t)client->pools.open,
        .in_flight = client->in_flight,
    };
}
