/* client.h — an HTTP/1.1 client on the loop: kept-alive connections, TLS, DNS, one deadline.
 *
 * One exchange is one request and its answer.  1xx answers are skipped, redirects are never
 * followed, an answer is read whole (Content-Length, chunked, or to the close) but kept only up to
 * the caps; what runs past ANSWER_READ_MAX ends the exchange as answered and closes the connection.
 * A kept-alive connection that the receiver closed before any byte of an answer is not a failure:
 * the exchange is tried once more on a new one, within the same deadline.  When each request
 * leaves may be the caller's to say (client_ask()).
 */
#ifndef POSTBACKD_CLIENT_H
#define POSTBACKD_CLIENT_H

#include "base/error.h"
#include "model/attempt.h"
#include "model/request.h"

#include <stdbool.h>
#include <uv.h>

enum {
    ANSWER_READ_MAX = 1024 * 1024, /* bytes of one answer's body */
    CLIENT_EGRESS_MAX = 64,        /* allowed CIDRs */
    CLIENT_CONNECTIONS = 4096,
};

struct client;
struct tls_identity;

struct client_config {
    const char *const *allow_egress; /* CIDRs allowed though private; "0.0.0.0/0" and "::/0": all */
    size_t allow_egress_count;
    const char *proxy; /* "http://[user:password@]host:port": all goes by its CONNECT; NULL: none */
    const char *ca_file;      /* PEM of further authorities; NULL: the system's store */
    const char *name_servers; /* "127.0.0.1:53,[::1]:53"; NULL: the system's */
    bool late_tls;     /* authorities are read with the first https exchange, not by client_new() */
    int deadline_ms;   /* for a whole exchange; default 30,000 */
    int idle_ms;       /* a kept connection's life without use; default 60,000 */
    size_t keep_bytes; /* of an answer's body; default ANSWER_BODY_MAX */
    int connections;   /* in all; default CLIENT_CONNECTIONS */
    int connections_per_destination; /* default 256 */
};

/* NULL with *error: a bad CIDR or proxy, an unreadable CA file.  Reads the system's authorities,
 * which takes some 50 ms, unless late_tls. */
struct client *client_new(uv_loop_t *loop, const struct client_config *config, struct error *error);
/* Ends every exchange under way as EXCHANGE_RESET and closes all; not from inside a done().  The
 * loop must turn once more for its handles to go. */
void client_free(struct client *client);

struct destination { /* where: strings are copied */
    bool https;
    const char *host;
    int port;
    const struct tls_identity *identity; /* NULL: the client's own TLS; no connection is shared
                                          * between two that are not the same */
    int64_t account; /* for whom: those who wait for one destination are served in turn */
};

struct exchange;
/* The callee takes the attempt's owned parts (or attempt_free()s them).  started_at, duration_us,
 * error, detail, status, retry_after_ms, headers and body are set; after a failure too, as far as
 * the answer had come.  The exchange's connection is free again, so done may send the next one. */
typedef void exchange_done(void *context, struct attempt *attempt);

/* Starts; done is called exactly once, never from inside this call.  The request's buffers are
 * copied or sent before it returns.  method: "GET", … */
struct exchange *client_send(struct client *client, const struct destination *to,
                             const char *method, const struct request *request, exchange_done *done,
                             void *context);

/* May the request of the exchange with this context leave now?  Asked as soon as it has its
 * connection, from inside client_send() too, and again when it is sent once more.  False: it keeps
 * the connection and waits for client_go(). */
typedef bool exchange_may_leave(void *context);
void client_ask(struct client *client, exchange_may_leave *may_leave); /* NULL: they all may */
/* Nothing happens when it has lost its connection meanwhile: it asks again when it has one. */
void client_go(struct exchange *exchange);

/* Nothing uses this identity any more: its kept connections are closed, those under way end with
 * what they do. */
void client_forget(struct client *client, const struct tls_identity *identity);

struct client_figures {
    int64_t exchanges, connections_opened, connections_reused, open, in_flight;
};
void client_figures(const struct client *client, struct client_figures *out);

#endif
