/* connection.h — one connection to a receiver: dial, the proxy's tunnel if there is one, TLS, then
 * one exchange after another.
 *
 * It moves bytes and knows nothing of pools, deadlines and retries.  What happens is told by the
 * four calls of struct connection_events, always from the loop, never from inside a call into
 * here; each is the last thing that the connection does with itself, so the callee may send on it
 * again or close it.
 */
#ifndef POSTBACKD_CONNECTION_H
#define POSTBACKD_CONNECTION_H

#include "courier/answer.h"
#include "courier/client.h"
#include "courier/dial.h"
#include "courier/tls.h"

struct connection;

struct connection_events {
    /* There is a way to the receiver: it is idle for the first time. */
    void (*ready)(struct connection *connection);
    /* answer is whole, reusable says whether the connection may go on; it is now idle. */
    void (*answered)(struct connection *connection);
    /* The exchange, or the way to it, failed; close it. */
    void (*failed)(struct connection *connection, enum exchange_error error, const char *detail);
    /* An idle one was closed by the receiver, or spoke without being asked; close it. */
    void (*lost)(struct connection *connection);
};

enum { WIRE_BYTES = 64 * 1024 };

struct wire { /* what all connections of a client share */
    struct dialer dialer;
    struct tls *tls;
    size_t keep; /* bytes of an answer's body; 0: ANSWER_BODY_MAX */
    const struct connection_events *events;
    char bytes[WIRE_BYTES]; /* of the read that is being looked at */
};

enum connection_state {
    CONNECTION_DIALING,
    CONNECTION_TUNNEL, /* asks the proxy */
    CONNECTION_HANDSHAKE,
    CONNECTION_BUSY, /* sends and reads */
    CONNECTION_IDLE, /* may send */
    CONNECTION_CLOSED,
    CONNECTION_STATES
};

struct connection {
    uv_poll_t poll;
    bool polled;
    struct wire *wire;
    enum connection_state state;
    int fd, armed; /* -1; UV_READABLE | UV_WRITABLE */
    struct dial *dial;
    struct tunnel *tunnel; /* NULL but in CONNECTION_TUNNEL */
    SSL *ssl;              /* NULL: plain */
    SSL_SESSION **session;
    SSL_CTX *own;       /* NULL: the client's */
    union address peer; /* the receiver's or the proxy's; of no family until it is connected */
    const char *host;
    int port;
    bool https;
    const char *out; /* the rest of the request; the caller's */
    size_t out_left;
    bool out_failed;       /* nothing more can be sent; what comes in tells why */
    bool reused, reusable; /* it has carried an exchange; it may carry another */
    struct answer answer;

    /* The pool's and the client's own. */
    struct pool *pool;
    void *exchange;   /* NULL: idle */
    bool outdated;    /* the name leads elsewhere by now: not to be used again */
    struct list here; /* in the pool's connections */
    struct list idle_here, idle_all;
    int64_t idle_since_ms;
};

/* to, own (tls_own(), or NULL) and *session must outlive it. */
struct connection *connection_open(struct wire *wire, const struct destination *to, SSL_CTX *own,
                                   SSL_SESSION **session);
/* One request, on an idle one.  bytes stay the caller's, unchanged until the exchange is answered,
 * failed or closed. */
void connection_send(struct connection *connection, const char *bytes, size_t len);
void connection_close(struct connection *connection); /* frees; no event comes of it */
/* What it is doing: "connecting", "TLS handshake", "sending", "waiting for the answer", … */
const char *connection_phase(const struct connection *connection);
/* Not even begun: the process has no file descriptor for it, and it waits for one. */
bool connection_has_no_room(const struct connection *connection);

#endif
