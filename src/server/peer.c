/* peer.c — reading, parsing and writing on a client's connection.
 *
 * What comes goes to the request's head (head.c) and then to its body (inbound.c), in the turn of
 * the loop in which it came, from one room for all connections.
 * So a request that comes in one piece costs one recv() and its answer one send(), and a
 * connection between two requests keeps no memory but this struct.
 *
 * The rule that must never break: nothing is parsed behind a request before it is answered and the
 * answer is sent, so answers go out in order, and a client that does not read stops being read.
 */
#include "server/peer.h"

#include "base/fail.h"
#include "server/crowd.h"
#include "server/inbound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    AHEAD_A_TURN = 32,             /* of all connections, those behind their first one */
    REQUESTS_A_TURN = 16,          /* of one connection, parsed in a turn of the loop */
    RESTS_MOST = 16 * 1024 * 1024, /* bytes sent ahead, of all: past them little is read at once */
    LITTLE = 4096,
    OVER_MOST = 8, /* answered requests are freed when there are so many */
};

static void became_ready(uv_poll_t *poll, int status, int events);

/* ---- what is waited for ---- */

static bool is_held(const struct peer *peer)
{
    return peer->request != NULL &&
           (peer->request->stage == STAGE_ENTERING || peer->request->stage == STAGE_ENTERED ||
            peer->request->stage == STAGE_HANDLING || peer->request->stage == STAGE_PIECES);
}

bool peer_has_to_send(const struct peer *peer)
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
    if (!peer->server->accepting) /* it may have to make room */
        crowd_open(peer->server);
}

/* After anything that happened: what the socket is watched for. */
static void settle(struct peer *peer)
{
    if (peer->state == PEER_CLOSED)
        return;
    if (peer_has_to_send(peer))
        watch(peer, UV_WRITABLE);
    else if (peer->looked || peer->rest.len > 0)
        watch(peer, 0);
    else
        watch(peer, UV_READABLE);
}

/* ---- bytes that wait, in either direction ---- */

static void rest_keep(struct peer *peer, const char *bytes, size_t len)
{
    buf_add(&peer->rest, bytes, len);
    peer->server->rests += peer->rest.cap;
}

static void rest_free(struct peer *peer)
{
    peer->server->rests -= peer->rest.cap;
    buf_free(&peer->rest);
    peer->rest_at = 0;
}

static void out_free(struct peer *peer)
{
    if (peer->out_ration != NULL) {
        ration_count(peer->out_ration, RATION_ANSWERS, peer->out.cap, 0);
        ration_leave(peer->out_ration);
    }
    peer->out_ration = NULL;
    buf_free(&peer->out);
    peer->out_sent = 0;
}

/* Whose client has taken nothing for longest, of those that have as much as this one at least. */
static struct peer *slowest_reader(const struct peer *peer, enum ration_room room)
{
    const struct ration *mine = peer->out_ration;
    struct list *quiet = &peer->server->quiet;
    for (struct list *at = quiet->next; at != quiet; at = at->next) {
        struct peer *other = container_of(at, struct peer, in);
        const struct ration *ration = other->out_ration;
        if (other == peer || ration == NULL || ration->group != mine->group)
            continue;
        if (room == RATION_FULL ? ration == mine
                                : ration->bytes[RATION_ANSWERS] >= mine->bytes[RATION_ANSWERS])
            return other;
    }
    return NULL;
}

/* Its connection ends in the next turn, its memory is free now. */
static void drop(struct peer *peer)
{
    out_free(peer);
    peer->tail_len = 0;
    peer->gone = true;
    list_remove(&peer->in);
    peer_go_on_later(peer);
    watch(peer, 0);
}

/* What is kept of an answer is counted; who does not read makes room. */
static void out_count(struct peer *peer, struct ration *ration)
{
    enum ration_room room;
    struct peer *other;
    peer->out_ration = ration_again(ration);
    while ((room = ration_room(ration, RATION_ANSWERS, peer->out.cap)) != RATION_FITS &&
           (other = slowest_reader(peer, room)) != NULL)
        drop(other);
    ration_count(ration, RATION_ANSWERS, 0, peer->out.cap);
}

/* ---- the end ---- */

static void free_peer(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct server *server = peer->server;
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
    rest_free(peer);
    out_free(peer);
    if (peer->account != NULL)
        ration_leave(peer->account);
    crowd_left(peer->server, peer->ration);
    peer->server->handles++;
    uv_close((uv_handle_t *)&peer->poll, free_peer);
    close(peer->fd);
}

static bool has_unread(const struct peer *peer)
{
    char next;
    return peer->unread || peer->rest.len > 0 ||
           recv(peer->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Closing with bytes unread would reset the connection, and the client lose the answer. */
static void end(struct peer *peer)
{
    if (peer->gone || !has_unread(peer) || shutdown(peer->fd, SHUT_WR) == -1) {
        peer_close(peer);
        return;
    }
    peer->state = PEER_LINGERING;
    rest_free(peer);
    peer->looked = false;
    since_now(peer, &peer->server->lingering);
}

/* ---- bytes out ---- */

/* False: the connection is broken. */
static bool put(struct peer *peer, struct msghdr *message, size_t *sent)
{
    ssize_t got = sendmsg(peer->fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    *sent = got > 0 ? (size_t)got : 0;
    return got >= 0 || errno == EAGAIN || errno == EINTR;
}

/* There is a request that was sent ahead, and its turn comes. */
static void go_behind(struct peer *peer)
{
    list_remove(&peer->in);
    list_remove(&peer->again);
    list_append(&peer->server->behind, &peer->again);
    server_wake_behind(peer->server);
}

static void sent_all(struct peer *peer)
{
    if (peer->request != NULL) { /* a piece of its answer has left */
        list_remove(&peer->in);
        peer_go_on_later(peer);
        return;
    }
    if (peer->state == PEER_LAST) {
        end(peer);
        return;
    }
    peer->unsent_ms = 0;
    peer->taken = 0;
    if (peer->rest.len > 0)
        go_behind(peer);
    else
        since_now(peer, &peer->server->idle);
}

static bool takes_too_long(struct peer *peer, size_t sent)
{
    peer->unsent_ms += (int64_t)uv_now(peer->server->loop) - peer->since_ms;
    peer->taken += sent;
    return peer->unsent_ms >
           peer->server->idle_ms + (int64_t)(peer->taken / SERVER_ANSWER_BYTES_A_MS);
}

static void send_more(struct peer *peer)
{
    const char *out = buf_text(&peer->out) + peer->out_sent;
    struct iovec pieces[2] = { { (char *)(uintptr_t)out, peer->out.len - peer->out_sent },
                               { (char *)(uintptr_t)peer->tail, peer->tail_len } };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 2 };
    size_t sent;
    if (!put(peer, &message, &sent)) {
        peer_close(peer);
        return;
    }
    if (sent == 0)
        return;
    if (takes_too_long(peer, sent)) {
        peer_close(peer);
        return;
    }
    size_t of_out = sent < pieces[0].iov_len ? sent : pieces[0].iov_len;
    if (sent > of_out) {
        peer->tail += sent - of_out;
        peer->tail_len -= sent - of_out;
    }
    peer->out_sent += of_out; /* it stays where it is: it may be long, and go out a bit at a time */
    if (peer->out_sent == peer->out.len)
        out_free(peer);
    if (peer_has_to_send(peer))
        since_now(peer, &peer->server->quiet);
    else
        sent_all(peer);
}

/* What the socket does not take at once is kept; of a `lasting` last part, where it is.  False: the
 * connection is broken. */
static bool transmit(struct peer *peer, const struct iovec *parts, size_t count, bool lasting,
                     struct inbound *in)
{
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count };
    size_t sent;
    if (peer->gone || !put(peer, &message, &sent))
        return false;
    peer->out.limit = SIZE_MAX / 2; /* the answer was in memory already */
    for (size_t i = 0; i < count; i++) {
        size_t gone = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        const char *left = (const char *)parts[i].iov_base + gone;
        size_t len = parts[i].iov_len - gone;
        sent -= gone;
        if (lasting && i == count - 1) {
            peer->tail = left;
            peer->tail_len = len;
        } else if (len > 0) {
            buf_add(&peer->out, left, len);
        }
    }
    if (peer->out.len > 0)
        out_count(peer, inbound_ration(in));
    return true;
}

void peer_answer(struct peer *peer, const struct buf *head, const char *body, size_t len,
                 bool lasting, bool keep)
{
    const struct iovec parts[2] = { { head->data, head->len }, { (char *)(uintptr_t)body, len } };
    struct inbound *in = peer->request;
    peer->unread = !in->whole;
    peer->request = NULL; /* it has its answer */
    peer->looked = false;
    if (!keep)
        peer->state = PEER_LAST;
    if (!transmit(peer, parts, len > 0 ? 2 : 1, lasting && len > 0, in)) {
        peer_close(peer);
        return;
    }
    if (peer_has_to_send(peer))
        since_now(peer, &peer->server->quiet);
    else
        sent_all(peer);
    settle(peer);
}

void peer_piece(struct peer *peer, const struct iovec *parts, size_t count)
{
    if (!transmit(peer, parts, count, false, peer->request))
        peer->gone = true;
    if (peer_has_to_send(peer))
        since_now(peer, &peer->server->quiet);
    else
        peer_go_on_later(peer);
    settle(peer);
}

void peer_pieces_over(struct peer *peer, bool keep, bool broken)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    peer->request = NULL;
    peer->looked = false;
    if (!keep)
        peer->state = PEER_LAST;
    if (broken) {
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        peer_close(peer);
        return;
    }
    sent_all(peer);
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

static void head_came(struct peer *peer)
{
    struct inbound *in = peer->request;
    list_remove(&peer->in);
    inbound_head_came(in);
    if (peer->request == in && !is_held(peer))
        since_now(peer, &peer->server->quiet);
}

static size_t feed_head(struct peer *peer, const char *bytes, size_t len)
{
    size_t taken = 0;
    if (peer->request == NULL) {
        peer->request = inbound_new(peer->server, peer);
        since_now(peer, &peer->server->heads);
    }
    enum head_state state = head_read(&peer->request->head, bytes, len, &taken);
    if (state == HEAD_WHOLE) {
        head_came(peer);
    } else if (state == HEAD_BAD) {
        list_remove(&peer->in);
        inbound_head_bad(peer->request);
    }
    return taken;
}

static bool has_come(const struct peer *peer)
{
    return peer->request != NULL && peer->request->stage == STAGE_BODY && peer->request->whole;
}

static bool may_parse(const struct peer *peer)
{
    return peer->state == PEER_OPEN && !is_held(peer) && !peer_has_to_send(peer);
}

/* Whether another request may begin in this turn: the first of its connection may, of those behind
 * it a few, and a few of all. */
static bool has_a_turn(struct peer *peer)
{
    struct server *server = peer->server;
    if (peer->turn != server->turn) {
        peer->turn = server->turn;
        peer->begun = 0;
    } else if (peer->begun >= REQUESTS_A_TURN || server->ahead >= AHEAD_A_TURN) {
        return false;
    } else {
        server->ahead++;
    }
    peer->begun++;
    return true;
}

/* A request begins with its first byte; what some clients send behind a body is none. */
static bool is_between(const struct peer *peer, char c)
{
    return peer->request == NULL && (c == '\r' || c == '\n');
}

/* Gives how many bytes are left for later.  It is called by the loop alone, so no handler is at a
 * request that was answered: those are freed before many are there. */
static size_t feed(struct peer *peer, const char *bytes, size_t len)
{
    struct server *server = peer->server;
    while (may_parse(peer) && (len > 0 || has_come(peer))) {
        size_t taken = 0;
        if (server->over_count >= OVER_MOST)
            server_free_answered(server);
        if (len > 0 && is_between(peer, bytes[0])) {
            taken = 1;
        } else if (peer->request == NULL && !has_a_turn(peer)) {
            go_behind(peer);
            break;
        } else if (has_come(peer)) {
            list_remove(&peer->in);
            inbound_whole(peer->request);
        } else if (peer->request != NULL && peer->request->stage == STAGE_BODY) {
            taken = inbound_body_came(peer->request, bytes, len);
        } else {
            taken = feed_head(peer, bytes, len);
        }
        bytes += taken;
        len -= taken;
    }
    if (len > 0 && peer->state != PEER_OPEN)
        peer->unread = true;
    return peer->state == PEER_OPEN ? len : 0;
}

/* ---- bytes in ---- */

/* How much is read at once.  What does not get its turn has to be kept, a room of it at most. */
static size_t room_for(const struct peer *peer)
{
    const struct inbound *in = peer->request;
    if (peer->server->rests < RESTS_MOST)
        return sizeof(peer->server->room);
    bool in_body = in != NULL && in->stage == STAGE_BODY && !in->head.chunked;
    size_t most = sizeof(peer->server->room) - LITTLE;
    return (!in_body ? 0 : in->body_left < (int64_t)most ? (size_t)in->body_left : most) + LITTLE;
}

static void read_some(struct peer *peer)
{
    struct server *server = peer->server;
    ssize_t got = recv(peer->fd, server->room, room_for(peer), 0);
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
    size_t left = feed(peer, server->room, (size_t)got);
    if (left > 0)
        rest_keep(peer, server->room + (size_t)got - left, left);
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
    if ((events & UV_WRITABLE) != 0 || (status < 0 && peer_has_to_send(peer)))
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
    if (peer->request != NULL && peer->request->stage == STAGE_PIECES) {
        pieces_go_on(peer->request);
        return;
    }
    if (peer->gone) { /* it was dropped */
        peer_close(peer);
        return;
    }
    struct buf rest = peer->rest;
    size_t at = peer->rest_at;
    peer->server->rests -= rest.cap;
    peer->rest = (struct buf){ 0 };
    peer->rest_at = 0;
    peer->looked = false; /* its body may be what was seen */
    if (peer->request != NULL && peer->request->stage == STAGE_ENTERED) {
        inbound_head_done(peer->request);
        if (peer->request != NULL)
            since_now(peer, &peer->server->quiet);
    }
    size_t left = feed(peer, buf_text(&rest) + at, rest.len - at);
    if (left > 0) {
        peer->server->rests += rest.cap;
        peer->rest = rest;
        peer->rest_at = rest.len - left;
    } else {
        buf_free(&rest);
    }
    settle(peer);
}

struct peer *peer_new(struct server *server, int fd, const char *address, struct ration *ration,
                      bool trusted)
{
    struct peer *peer = must_alloc(sizeof(*peer));
    peer->server = server;
    peer->fd = fd;
    peer->trusted = trusted;
    peer->ration = ration;
    memcpy(peer->address, address, strnlen(address, sizeof(peer->address) - 1));
    list_init(&peer->in);
    list_init(&peer->again);
    if (uv_poll_init(server->loop, &peer->poll, fd) != 0) {
        close(fd);
        free(peer);
        return NULL;
    }
    peer->poll.data = peer;
    list_append(&server->peers, &peer->all);
    since_now(peer, &server->idle);
    settle(peer);
    return peer;
}
