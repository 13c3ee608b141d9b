/* connection.c — one socket, its poll handle, and the exchange on it.
 *
 * The poll handle stays armed for reading for the socket's whole life, so a kept-alive exchange
 * costs one write and one read; writing is tried at once and waited for only when it would block.
 *
 * The rule: an event is the last thing a function does, since the callee may free the connection.
 * So nothing may fail from inside connection_send(): a write that fails is left for the next
 * turn of the loop, when reading tells what happened (often an answer that came before the close).
 */
#include "courier/connection.h"

#include "base/fail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const bool may_become[CONNECTION_STATES][CONNECTION_STATES] = {
    [CONNECTION_DIALING] = { [CONNECTION_TUNNEL] = true,
                             [CONNECTION_HANDSHAKE] = true,
                             [CONNECTION_IDLE] = true,
                             [CONNECTION_CLOSED] = true },
    [CONNECTION_TUNNEL] = { [CONNECTION_HANDSHAKE] = true,
                            [CONNECTION_IDLE] = true,
                            [CONNECTION_CLOSED] = true },
    [CONNECTION_HANDSHAKE] = { [CONNECTION_IDLE] = true, [CONNECTION_CLOSED] = true },
    [CONNECTION_BUSY] = { [CONNECTION_IDLE] = true, [CONNECTION_CLOSED] = true },
    [CONNECTION_IDLE] = { [CONNECTION_BUSY] = true, [CONNECTION_CLOSED] = true },
};

static void become(struct connection *connection, enum connection_state state)
{
    if (!may_become[connection->state][state])
        bug("a connection went from %d to %d", connection->state, state);
    connection->state = state;
}

static void ready(uv_poll_t *poll, int status, int events);

static void arm(struct connection *connection, int events)
{
    if (connection->armed == events)
        return;
    connection->armed = events;
    uv_poll_start(&connection->poll, events, ready);
}

static void fail(struct connection *connection, enum exchange_error error, const char *detail)
{
    connection->wire->events->failed(connection, error, detail);
}

static void fail_tls(struct connection *connection)
{
    char detail[160];
    tls_fault(connection->ssl, detail, sizeof(detail));
    fail(connection, EXCHANGE_TLS, detail);
}

static enum io plain_read(int fd, char *into, size_t size, size_t *moved)
{
    ssize_t got;
    do
        got = recv(fd, into, size, 0);
    while (got == -1 && errno == EINTR);
    if (got > 0) {
        *moved = (size_t)got;
        return IO_DONE;
    }
    if (got == 0)
        return IO_END;
    return errno == EAGAIN ? IO_WAIT_READ : IO_LOST;
}

static enum io plain_write(int fd, const char *from, size_t len, size_t *moved)
{
    ssize_t put;
    do
        put = send(fd, from, len, MSG_NOSIGNAL);
    while (put == -1 && errno == EINTR);
    if (put >= 0) {
        *moved = (size_t)put;
        return IO_DONE;
    }
    return errno == EAGAIN ? IO_WAIT_WRITE : IO_LOST;
}

static void flush(struct connection *connection)
{
    while (connection->out_left > 0) {
        size_t moved = 0;
        enum io io =
            connection->ssl != NULL
                ? tls_write(connection->ssl, connection->out, connection->out_left, &moved)
                : plain_write(connection->fd, connection->out, connection->out_left, &moved);
        if (io == IO_WAIT_WRITE || io == IO_WAIT_READ) {
            arm(connection, UV_READABLE | (io == IO_WAIT_WRITE ? UV_WRITABLE : 0));
            return;
        }
        if (io != IO_DONE) {
            connection->out_failed = true;
            /* A broken socket is always writable: this brings the loop back here. */
            arm(connection, UV_READABLE | UV_WRITABLE);
            return;
        }
        connection->out += moved;
        connection->out_left -= moved;
    }
    arm(connection, UV_READABLE);
}

static void answered(struct connection *connection)
{
    bool more = connection->ssl != NULL && SSL_pending(connection->ssl) > 0;
    connection->reusable = connection->answer.reusable && connection->out_left == 0 && !more;
    connection->reused = true;
    become(connection, CONNECTION_IDLE);
    connection->wire->events->answered(connection);
}

static void ended(struct connection *connection, enum io io)
{
    if (io == IO_FAULT) {
        fail_tls(connection);
        return;
    }
    if (io == IO_END && answer_end(&connection->answer) == ANSWER_WHOLE) {
        answered(connection);
        return;
    }
    fail(connection, EXCHANGE_RESET,
         connection->answer.begun   ? "the receiver closed before its answer was whole"
         : connection->out_left > 0 ? "the receiver closed before it had the request"
                                    : "the receiver closed without an answer");
}

/* Once for a plain socket (the loop comes back when there is more), to the end of what OpenSSL
 * has in hand for TLS. */
static void read_answer(struct connection *connection, bool broken)
{
    struct wire *wire = connection->wire;
    do {
        size_t moved = 0;
        enum io io = connection->ssl != NULL
                         ? tls_read(connection->ssl, wire->bytes, WIRE_BYTES, &moved)
                         : plain_read(connection->fd, wire->bytes, WIRE_BYTES, &moved);
        if (io == IO_WAIT_READ || io == IO_WAIT_WRITE) {
            if (broken || connection->out_failed)
                ended(connection, IO_LOST);
            else if (io == IO_WAIT_WRITE)
                arm(connection, UV_READABLE | UV_WRITABLE);
            return;
        }
        if (io != IO_DONE) {
            ended(connection, io);
            return;
        }
        switch (answer_feed(&connection->answer, wire->bytes, moved)) {
        case ANSWER_WHOLE:
            answered(connection);
            return;
        case ANSWER_MORE:
            break;
        default:
            fail(connection, EXCHANGE_BAD_ANSWER, answer_fault(&connection->answer));
            return;
        }
    } while (connection->ssl != NULL && SSL_pending(connection->ssl) > 0);
}

static void busy(struct connection *connection, bool readable, bool broken)
{
    if (connection->out_failed)
        arm(connection, UV_READABLE | UV_WRITABLE);
    else
        flush(connection);
    if (readable || connection->out_failed || connection->ssl != NULL)
        read_answer(connection, broken);
}

static void idle(struct connection *connection, bool broken)
{
    size_t moved = 0;
    struct wire *wire = connection->wire;
    if (connection->ssl != NULL && !broken) {
        /* Session tickets come as records without any bytes for us. */
        enum io io = tls_read(connection->ssl, wire->bytes, WIRE_BYTES, &moved);
        if (io == IO_WAIT_READ)
            return;
    }
    wire->events->lost(connection);
}

static void opened(struct connection *connection)
{
    become(connection, CONNECTION_IDLE);
    arm(connection, UV_READABLE);
    connection->wire->events->ready(connection);
}

static void handshake(struct connection *connection)
{
    enum io io = tls_handshake(connection->ssl);
    switch (io) {
    case IO_DONE:
        opened(connection);
        return;
    case IO_WAIT_READ:
    case IO_WAIT_WRITE:
        arm(connection, UV_READABLE | (io == IO_WAIT_WRITE ? UV_WRITABLE : 0));
        return;
    case IO_FAULT:
        fail_tls(connection);
        return;
    default:
        fail(connection, EXCHANGE_TLS, "the receiver closed during the TLS handshake");
        return;
    }
}

/* There is a way to the receiver. */
static void connected(struct connection *connection)
{
    if (!connection->https) {
        opened(connection);
        return;
    }
    become(connection, CONNECTION_HANDSHAKE);
    connection->ssl = tls_start(connection->wire->tls, connection->own, connection->fd,
                                connection->host, connection->session);
    if (connection->ssl == NULL)
        fail(connection, EXCHANGE_TLS, "no TLS connection can be made for this host name");
    else
        handshake(connection);
}

/* Sends what is left of the CONNECT; false: that has to wait. */
static bool ask_proxy(struct connection *connection)
{
    struct tunnel *tunnel = connection->tunnel;
    while (tunnel->sent < tunnel->out.len) {
        size_t moved = 0;
        enum io io = plain_write(connection->fd, tunnel->out.data + tunnel->sent,
                                 tunnel->out.len - tunnel->sent, &moved);
        if (io == IO_WAIT_WRITE) {
            arm(connection, UV_READABLE | UV_WRITABLE);
            return false;
        }
        if (io != IO_DONE)
            break; /* reading tells */
        tunnel->sent += moved;
    }
    arm(connection, UV_READABLE);
    return true;
}

static void tunnel(struct connection *connection)
{
    struct wire *wire = connection->wire;
    size_t moved = 0;
    if (!ask_proxy(connection))
        return;
    enum io io = plain_read(connection->fd, wire->bytes, WIRE_BYTES, &moved);
    if (io == IO_WAIT_READ)
        return;
    char fault[PROXY_FAULT_TEXT];
    switch (tunnel_feed(connection->tunnel, wire->bytes, moved)) {
    case TUNNEL_OPEN:
        tunnel_free(connection->tunnel);
        connection->tunnel = NULL;
        connected(connection);
        return;
    case TUNNEL_MORE:
        return;
    case TUNNEL_BAD:
        memcpy(fault, connection->tunnel->fault, sizeof(fault));
        fail(connection, EXCHANGE_CONNECT, fault);
        return;
    }
}

static void ready(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    bool broken = status < 0;
    if (broken)
        connection->armed = 0; /* libuv has stopped the handle */
    bool readable = broken || (events & UV_READABLE) != 0;
    switch (connection->state) {
    case CONNECTION_TUNNEL:
        tunnel(connection);
        return;
    case CONNECTION_HANDSHAKE:
        handshake(connection);
        return;
    case CONNECTION_BUSY:
        busy(connection, readable, broken);
        return;
    case CONNECTION_IDLE:
        idle(connection, broken);
        return;
    default:
        bug("a connection in state %d is polled", connection->state);
    }
}

static void dialed(void *context, int fd, enum exchange_error error, const char *detail)
{
    struct connection *connection = context;
    connection->dial = NULL;
    connection->fd = fd;
    if (fd == -1) {
        fail(connection, error, detail);
        return;
    }
    socklen_t size = sizeof(connection->peer);
    getpeername(fd, &connection->peer.any, &size);
    int status = uv_poll_init(connection->wire->dialer.loop, &connection->poll, fd);
    if (status != 0) {
        fail(connection, EXCHANGE_CONNECT, uv_strerror(status));
        return;
    }
    connection->poll.data = connection;
    connection->polled = true;
    const struct proxy *proxy = connection->wire->dialer.proxy;
    if (proxy == NULL) {
        connected(connection);
        return;
    }
    become(connection, CONNECTION_TUNNEL);
    connection->tunnel = tunnel_new(proxy, connection->host, connection->port);
    tunnel(connection);
}

struct connection *connection_open(struct wire *wire, const struct destination *to, SSL_CTX *own,
                                   SSL_SESSION **session)
{
    struct connection *connection = must_alloc(sizeof(*connection));
    connection->wire = wire;
    connection->fd = -1;
    connection->https = to->https;
    connection->host = to->host;
    connection->port = to->port;
    connection->session = session;
    connection->own = own;
    list_init(&connection->here);
    list_init(&connection->idle_here);
    list_init(&connection->idle_all);
    connection->dial = dial_new(&wire->dialer, to->host, to->port, dialed, connection);
    return connection;
}

void connection_send(struct connection *connection, const char *bytes, size_t len)
{
    connection->answer.keep = connection->wire->keep;
    answer_start(&connection->answer);
    connection->out = bytes;
    connection->out_left = len;
    become(connection, CONNECTION_BUSY);
    flush(connection);
}

static void free_connection(uv_handle_t *handle)
{
    free(handle->data);
}

void connection_close(struct connection *connection)
{
    become(connection, CONNECTION_CLOSED);
    list_remove(&connection->here);
    list_remove(&connection->idle_here);
    list_remove(&connection->idle_all);
    answer_free(&connection->answer);
    tunnel_free(connection->tunnel);
    if (connection->dial != NULL)
        dial_cancel(connection->dial);
    if (connection->polled)
        uv_close((uv_handle_t *)&connection->poll, free_connection);
    if (connection->ssl != NULL)
        tls_end(connection->ssl);
    if (connection->fd != -1)
        close(connection->fd);
    if (!connection->polled)
        free(connection);
}

const char *connection_phase(const struct connection *connection)
{
    if (connection->dial != NULL)
        return dial_phase(connection->dial);
    if (connection->state == CONNECTION_TUNNEL)
        return "waiting for the egress proxy";
    if (connection->state == CONNECTION_HANDSHAKE)
        return "TLS handshake";
    if (connection->answer.begun)
        return "reading the answer";
    return connection->out_left > 0 ? "sending" : "waiting for the answer";
}

bool connection_has_no_room(const struct connection *connection)
{
    return connection->dial != NULL && dial_has_no_room(connection->dial);
}
