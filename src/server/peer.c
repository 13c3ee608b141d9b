/* peer.c — reading, parsing and writing on a client's connection.
 *
 * http_parser finds out where a request's parts are; they go to its head (head.c) and its body as
 * they are found, in the turn of the loop in which they came, from one room for all connections.
 * So a request that comes in one piece costs one recv() and its answer one send(), and a
 * connection between two requests keeps no memory but this struct.
 *
 * The rule that must never break: nothing is parsed behind a request before it is answered and the
 * answer is sent, so answers go out in order, and a client that does not read stops being read.
 */
#include "server/peer.h"

#include "base/fail.h"
#include "server/inbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void became_ready(uv_poll_t *poll, int status, int events);

/* ---- what is waited for ---- */

static bool is_held(const struct peer *peer)
{
    return peer->request != NULL &&
           (peer->request->stage == STAGE_ENTERING || peer->request->stage == STAGE_ENTERED ||
            peer->request->stage == STAGE_HANDLING);
}

static bool has_to_send(const struct peer *peer)
{
    return peer->out.len > 0 || peer->tail_len > 0;
}

static void watch(struct peer *peer, int events)
{
    if (peer->events == events)
        return;
    peer->events = events;
    if (events == 0)
        uv_poll_stop(&peer->poll);
    else
        uv_poll_start(&peer->poll, events, became_ready);
}

static void since_now(struct peer *peer, struct list *list)
{
    peer->since_ms = (int64_t)uv_now(peer->server->loop);
    list_remove(&peer->in);
    list_append(list, &peer->in);
    server_arm(peer->server);
}

/* After anything that happened: what the socket is watched for. */
static void settle(struct peer *peer)
{
    if (peer->state == PEER_CLOSED)
        return;
    if (has_to_send(peer))
        watch(peer, UV_WRITABLE);
    else if (peer->looked || peer->rest.len > 0)
        watch(peer, 0);
    else
        watch(peer, UV_READABLE);
}

/* ---- the end ---- */

static void free_peer(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct server *server = peer->server;
    buf_free(&peer->rest);
    buf_free(&peer->out);
    free(peer);
    server_handle_closed(server);
}

void peer_close(struct peer *peer)
{
    if (peer->state == PEER_CLOSED)
        return;
    peer->state = PEER_CLOSED;
    if (peer->request != NULL)
        inbound_lost(peer->request);
    peer->request = NULL;
    list_remove(&peer->all);
    list_remove(&peer->in);
    list_remove(&peer->again);
    server_left(peer->server, peer->address);
    peer->server->handles++;
    uv_close((uv_handle_t *)&peer->poll, free_peer);
    close(peer->fd);
}

/* Closing with bytes unread would reset the connection, and the client lose the answer. */
static void end(struct peer *peer)
{
    if (peer->gone || (!peer->unread && peer->rest.len == 0) || shutdown(peer->fd, SHUT_WR) == -1) {
        peer_close(peer);
        return;
    }
    peer->state = PEER_LINGERING;
    buf_free(&peer->rest);
    peer->looked = false;
    since_now(peer, &peer->server->lingering);
}

void peer_time_out(struct peer *peer)
{
    peer_close(peer);
}

/* ---- bytes out ---- */

/* False: the connection is broken. */
static bool put(struct peer *peer, struct msghdr *message, size_t *sent)
{
    ssize_t got = sendmsg(peer->fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    *sent = got > 0 ? (size_t)got : 0;
    return got >= 0 || errno == EAGAIN || errno == EINTR;
}

static void sent_all(struct peer *peer)
{
    if (peer->state == PEER_LAST) {
        end(peer);
        return;
    }
    since_now(peer, &peer->server->quiet);
    if (peer->rest.len > 0)
        peer_go_on_later(peer);
}

static void send_more(struct peer *peer)
{
    struct iovec pieces[2] = { { peer->out.data, peer->out.len },
                               { (char *)(uintptr_t)peer->tail, peer->tail_len } };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
    size_t sent;
    if (!put(peer, &message, &sent)) {
        peer_close(peer);
        return;
    }
    if (sent == 0)
        return;
    size_t of_out = sent < peer->out.len ? sent : peer->out.len;
    peer->tail += sent - of_out;
    peer->tail_len -= sent - of_out;
    if (of_out == peer->out.len)
        buf_free(&peer->out);
    else
        buf_drop(&peer->out, of_out);
    if (has_to_send(peer))
        since_now(peer, &peer->server->quiet);
    else
        sent_all(peer);
}

static void keep_unsent(struct peer *peer, const struct iovec pieces[2], size_t sent, bool lasting)
{
    size_t head_sent = sent < pieces[0].iov_len ? sent : pieces[0].iov_len;
    size_t body_sent = sent - head_sent;
    const char *body = pieces[1].iov_base;
    peer->out.limit = SIZE_MAX / 2; /* the answer was in memory already */
    buf_add(&peer->out, (const char *)pieces[0].iov_base + head_sent,
            pieces[0].iov_len - head_sent);
    if (lasting) {
        peer->tail = body + body_sent;
        peer->tail_len = pieces[1].iov_len - body_sent;
    } else {
        buf_add(&peer->out, body + body_sent, pieces[1].iov_len - body_sent);
    }
}

void peer_answer(struct peer *peer, const struct buf *head, const char *body, size_t len,
                 bool lasting, bool keep)
{
    struct iovec pieces[2] = { { head->data, head->len }, { (char *)(uintptr_t)body, len } };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = len > 0 ? 2 : 1 };
    size_t sent;
    peer->unread = !peer->request->whole;
    peer->request = NULL; /* it has its answer */
    peer->looked = false;
    if (!keep)
        peer->state = PEER_LAST;
    if (peer->gone || !put(peer, &message, &sent)) {
        peer_close(peer);
        return;
    }
    if (sent < head->len + len) {
        keep_unsent(peer, pieces, sent, lasting);
        since_now(peer, &peer->server->quiet);
    } else {
        sent_all(peer);
    }
    settle(peer);
}

void peer_say_continue(struct peer *peer)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    /* Nothing else is on its way out, so it fits; who does not get it sends the body all the same
     * (RFC 9110 §10.1.1). */
    send(peer->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- parsing ---- */

static struct inbound *request_of(http_parser *parser)
{
    return ((struct peer *)parser->data)->request;
}

static int message_began(http_parser *parser)
{
    struct peer *peer = parser->data;
    peer->request = inbound_new(peer->server, peer);
    since_now(peer, &peer->server->quiet);
    return 0;
}

static int target_came(http_parser *parser, const char *bytes, size_t len)
{
    return head_target(&request_of(parser)->head, bytes, len) ? 0 : 1;
}

/* Headers behind a chunked body are dropped, within the head's cap. */
static bool is_trailer(struct inbound *in, size_t len)
{
    if (in->stage == STAGE_HEAD)
        return false;
    in->head.bytes += len;
    return true;
}

static int name_came(http_parser *parser, const char *bytes, size_t len)
{
    struct inbound *in = request_of(parser);
    bool fits =
        is_trailer(in, len) ? in->head.bytes <= HEAD_MOST : head_name(&in->head, bytes, len);
    return fits ? 0 : 1;
}

static int value_came(http_parser *parser, const char *bytes, size_t len)
{
    struct inbound *in = request_of(parser);
    bool fits =
        is_trailer(in, len) ? in->head.bytes <= HEAD_MOST : head_value(&in->head, bytes, len);
    return fits ? 0 : 1;
}

static int headers_came(http_parser *parser)
{
    struct peer *peer = parser->data;
    struct inbound *in = peer->request;
    in->keep = http_should_keep_alive(parser) != 0;
    in->version = parser->http_major * 10 + parser->http_minor;
    parser->upgrade = 0; /* to nothing else: the request is taken as it is (RFC 9110 §7.8) */
    list_remove(&peer->in);
    inbound_head_came(in, http_method_str((enum http_method)parser->method));
    if (peer->request != in || is_held(peer))
        http_parser_pause(parser, 1);
    else
        since_now(peer, &peer->server->quiet);
    return 0;
}

/* Fails for what is more than is worth dropping; the request has its answer then. */
static int body_came(http_parser *parser, const char *bytes, size_t len)
{
    return inbound_body_came(request_of(parser), bytes, len) ? 0 : 1;
}

static int message_ended(http_parser *parser)
{
    request_of(parser)->whole = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_message_begin = message_began,
    .on_url = target_came,
    .on_header_field = name_came,
    .on_header_value = value_came,
    .on_headers_complete = headers_came,
    .on_body = body_came,
    .on_message_complete = message_ended,
};

/* What came is no HTTP, or more of it than is taken: the answer, and the end. */
static void refuse(struct peer *peer, enum http_errno fault)
{
    static const struct {
        enum http_errno fault;
        int status;
        const char *why;
    } rows[] = {
        { HPE_CB_url, 414, "The address is too long." },
        { HPE_CB_header_field, 431, "The headers are too long." },
        { HPE_CB_header_value, 431, "The headers are too long." },
        { HPE_HEADER_OVERFLOW, 431, "The headers are too long." },
        { HPE_INVALID_METHOD, 501, "The method is not known." },
        { HPE_INVALID_VERSION, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here." },
        { HPE_INVALID_HEADER_TOKEN, 400,
          "A header's name is not made of letters, digits and '-' with ':' right behind it." },
        { HPE_UNEXPECTED_CONTENT_LENGTH, 400,
          "The length of the body is given in more than one way." },
        { HPE_INVALID_CONTENT_LENGTH, 400, "The Content-Length is not a number of bytes." },
        { HPE_INVALID_CHUNK_SIZE, 400, "The size of a chunk is not a hexadecimal number." },
        { HPE_UNKNOWN, 400, "This is not a request of HTTP/1.1." },
    };
    size_t row = 0;
    while (rows[row].fault != fault && rows[row].fault != HPE_UNKNOWN)
        row++;
    if (peer->request == NULL)
        peer->request = inbound_new(peer->server, peer);
    list_remove(&peer->in);
    inbound_malformed(peer->request, rows[row].status, rows[row].why);
}

static bool may_parse(const struct peer *peer)
{
    return peer->state == PEER_OPEN && !is_held(peer) && !has_to_send(peer);
}

static void feed(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0 && may_parse(peer)) {
        size_t taken = http_parser_execute(&peer->parser, &callbacks, bytes, len);
        enum http_errno fault = HTTP_PARSER_ERRNO(&peer->parser);
        bytes += taken;
        len -= taken;
        if (fault == HPE_PAUSED)
            http_parser_pause(&peer->parser, 0);
        else if (fault != HPE_OK)
            refuse(peer, fault);
        if (peer->state == PEER_OPEN && peer->request != NULL && peer->request->whole) {
            list_remove(&peer->in);
            inbound_whole(peer->request);
        }
    }
    if (len > 0 && peer->state == PEER_OPEN)
        buf_add(&peer->rest, bytes, len);
    else if (len > 0)
        peer->unread = true;
}

/* ---- bytes in ---- */

static void read_some(struct peer *peer)
{
    struct server *server = peer->server;
    ssize_t got = recv(peer->fd, server->room, sizeof(server->room), 0);
    if (got == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || (peer->request != NULL && inbound_is_too_slow(peer->request))) {
        peer_close(peer);
        return;
    }
    if (peer->state == PEER_LINGERING)
        return; /* dropped */
    if (peer->request != NULL && peer->request->stage == STAGE_BODY)
        since_now(peer, &server->quiet);
    feed(peer, server->room, (size_t)got);
}

/* More came while a handler has the call.  It stays where it is, but for the news that the client
 * has gone. */
static void look(struct peer *peer)
{
    char next;
    ssize_t got = recv(peer->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    peer->gone = got == -1;
    peer->looked = true;
}

static void became_ready(uv_poll_t *poll, int status, int events)
{
    struct peer *peer = poll->data;
    if ((events & UV_WRITABLE) != 0 || (status < 0 && has_to_send(peer)))
        send_more(peer);
    else if (is_held(peer))
        look(peer);
    else
        read_some(peer);
    settle(peer);
}

/* ---- going on ---- */

void peer_go_on_later(struct peer *peer)
{
    list_remove(&peer->again);
    list_append(&peer->server->again, &peer->again);
    server_wake(peer->server);
}

void peer_go_on(struct peer *peer)
{
    struct buf rest = peer->rest;
    peer->rest = (struct buf){ 0 };
    if (peer->request != NULL && peer->request->stage == STAGE_ENTERED) {
        inbound_head_done(peer->request);
        if (peer->request != NULL)
            since_now(peer, &peer->server->quiet);
    }
    feed(peer, buf_text(&rest), rest.len);
    buf_free(&rest);
    settle(peer);
}

struct peer *peer_new(struct server *server, int fd, const char *address)
{
    struct peer *peer = must_alloc(sizeof(*peer));
    peer->server = server;
    peer->fd = fd;
    memcpy(peer->address, address, strnlen(address, sizeof(peer->address) - 1));
    list_init(&peer->in);
    list_init(&peer->again);
    http_parser_init(&peer->parser, HTTP_REQUEST);
    peer->parser.data = peer;
    if (uv_poll_init(server->loop, &peer->poll, fd) != 0) {
        close(fd);
        free(peer);
        return NULL;
    }
    peer->poll.data = peer;
    list_append(&server->peers, &peer->all);
    since_now(peer, &server->quiet);
    settle(peer);
    return peer;
}
