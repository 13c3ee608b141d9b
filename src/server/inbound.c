/* inbound.c — a request's way from its head to its answer.
 *
 * Who calls is found out before the body is taken in, so nobody unknown makes us keep one.  A
 * refused request's body is read all the same and dropped, so that the client gets to read the
 * answer and keeps its connection; only one that is hugely too long, or that waits for our
 * "100 Continue", is answered at once.
 */
#include "server/inbound.h"

#include "base/fail.h"
#include "base/metrics.h"
#include "base/text.h"
#include "server/assets.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_DROP_MOST = SERVER_BODY_MOST, /* bytes read and dropped to keep a connection */
    BODY_BYTES_A_MS = 8,               /* slower than this, past the idle time, is cut off */
    BODY_STANDS_MS = 2000,             /* without a further byte */
    SPARE_MOST = 64,
};

/* The peer keeps the share of the account that called last, so that a busy connection looks it up
 * once. */
struct ration *inbound_ration(struct inbound *in)
{
    struct rations *rations = &in->server->rations;
    struct peer *peer = in->peer;
    int64_t account = in->call.caller.account;
    if (in->ration != NULL)
        return in->ration;
    if (account == 0)
        return in->ration = in->call.address == peer->address
                                ? ration_again(peer->ration)
                                : ration_use(rations, 0, in->call.address);
    if (peer->account == NULL || peer->account->account != account) {
        if (peer->account != NULL)
            ration_leave(peer->account);
        peer->account = ration_use(rations, account, "");
    }
    return in->ration = ration_again(peer->account);
}

static void body_counted(struct inbound *in)
{
    if (in->call.body.cap != in->body_bytes)
        ration_count(inbound_ration(in), RATION_BODIES, in->body_bytes, in->call.body.cap);
    in->body_bytes = in->call.body.cap;
}

struct inbound *inbound_new(struct server *server, struct peer *peer)
{
    struct list *spare = list_first(&server->spare);
    struct inbound *in;
    if (spare != NULL) {
        in = container_of(spare, struct inbound, in);
        list_remove(spare);
        server->spare_count--;
    } else if ((in = malloc(sizeof(*in))) == NULL) {
        die("out of memory");
    }
    memset(in, 0, offsetof(struct inbound, head));
    head_begin(&in->head);
    list_init(&in->in);
    in->server = server;
    in->peer = peer;
    in->call.method = in->call.target = in->call.path = in->head.text;
    in->call.address = peer != NULL ? peer->address : "";
    return in;
}

void inbound_free(struct inbound *in)
{
    struct server *server = in->server;
    if (in->call.body.data != NULL) /* it may hold a password */
        sodium_memzero(in->call.body.data, in->call.body.len);
    buf_free(&in->call.body);
    body_counted(in);
    if (in->ration != NULL)
        ration_leave(in->ration);
    free(in->owned);
    buf_free(&in->headers);
    list_remove(&in->in);
    if (server->spare_count == SPARE_MOST) {
        free(in);
        return;
    }
    sodium_memzero(in->head.text, in->head.len); /* as may its headers */
    list_append(&server->spare, &in->in);
    server->spare_count++;
}

/* ---- the head ---- */

static size_t body_most(const struct inbound *in)
{
    const struct route *route = in->call.route;
    return route == NULL || route->body_max == 0 ? SERVER_BODY_DEFAULT : route->body_max;
}

static void too_long(struct inbound *in)
{
    call_refuse(&in->call, 413, NULL, "The body is longer than the %zu bytes allowed here.",
                body_most(in));
}

/* What makes it unclear where the request ends (RFC 9112 §6.3), or for whom it is (§3.2), is
 * refused, and the connection closed: what follows could be a request smuggled past a proxy. */
static bool framing_is_clear(struct inbound *in)
{
    const struct head *head = &in->head;
    int status = 400;
    const char *why = NULL;
    if (head->version != 10 && head->version != 11) {
        status = 505;
        why = "Only HTTP/1.0 and HTTP/1.1 are spoken here.";
    } else if (head->bad_name) {
        why = "A header's name is not made of letters, digits and '-' with ':' right behind it.";
    } else if (head->lengths > 1 || head->encodings > 1 ||
               (head->lengths > 0 && head->encodings > 0)) {
        why = "The length of the body is given in more than one way.";
    } else if (head->encodings > 0 && head->version == 10) {
        why = "HTTP/1.0 has no transfer encodings.";
    } else if (head->encodings > 0 && !head->chunked) {
        status = 501;
        why = "Only the transfer encoding 'chunked' is known.";
    } else if (head->hosts > 1 || (head->hosts == 0 && head->version == 11)) {
        why = "The header Host must be there once.";
    } else if (head->bad_host) {
        why = "The header Host is not a host.";
    } else if (!target_is_for_host(in)) {
        why = "The address and the header Host name different hosts.";
    }
    if (why == NULL)
        return true;
    in->answer_now = true;
    call_refuse(&in->call, status, NULL, "%s", why);
    return false;
}

/* A path that ends in ".json" is the one without it, or else the one as it came. */
static bool route_is_found(struct inbound *in, struct segments *segments)
{
    char allow[ROUTER_ALLOW_MAX];
    struct call *call = &in->call;
    call->route = router_find(in->server->router, call->method, segments->at, segments->count,
                              call->params, allow);
    if (call->route == NULL && allow[0] == '\0' && segments->whole_last != NULL) {
        segments->at[segments->count - 1] = segments->whole_last;
        call->route = router_find(in->server->router, call->method, segments->at, segments->count,
                                  call->params, allow);
    }
    if (call->route != NULL)
        return true;
    if (allow[0] == '\0' && asset_answer_missing(call))
        return false;
    if (allow[0] == '\0') {
        call_refuse(call, 404, NULL, "There is nothing at this address.");
    } else {
        call_add_header(call, "Allow", allow);
        call_refuse(call, 405, NULL, "This address takes %s.", allow);
    }
    return false;
}

static int64_t body_length(const struct head *head)
{
    int64_t length = 0;
    if (head->content_length != NULL && !text_int(head->content_length, 0, INT64_MAX, &length))
        length = INT64_MAX; /* digits that the parser took and that we cannot hold */
    return length;
}

/* The checks that need the head alone.  False: refused. */
static bool head_is_good(struct inbound *in)
{
    const struct head *head = &in->head;
    struct segments segments;
    target_read(in, &segments);
    if (!framing_is_clear(in))
        return false;
    int64_t length = in->body_left = body_length(head);
    if (in->bad_target != NULL) {
        call_refuse(&in->call, 400, NULL, "The address is not valid: %s.", in->bad_target);
        return false;
    }
    if (!route_is_found(in, &segments))
        return false;
    if (head->expects && !head->expects_continue) {
        call_refuse(&in->call, 417, NULL, "Only the expectation '100-continue' is known.");
        return false;
    }
    if (head->encoded && (length > 0 || head->chunked)) {
        call_add_header(&in->call, "Accept-Encoding", "identity");
        call_refuse(&in->call, 415, NULL,
                    "The body comes with the Content-Encoding %.40s; only bodies without one "
                    "(identity) are taken.",
                    head_find(head, "Content-Encoding"));
        return false;
    }
    if (length > (int64_t)body_most(in)) {
        in->answer_now = length > BODY_DROP_MOST;
        too_long(in);
        return false;
    }
    in->call.body.limit = body_most(in);
    return true;
}

/* The client that the proxy calls for.  Where both headers are there and do not agree, one of them
 * may be the client's own, and neither is believed. */
static void find_client(struct inbound *in)
{
    struct forwarded standard = { .count = 0 }, usual = { .count = 0 };
    const struct proxies *trusted = &in->server->trusted;
    struct address peer, client, other;
    size_t at = 0;
    for (const char *line; (line = head_each(&in->head, "Forwarded", &at)) != NULL;)
        forwarded_read(&standard, line);
    at = 0;
    for (const char *line; (line = head_each(&in->head, "X-Forwarded-For", &at)) != NULL;)
        forwarded_read_x(&usual, line);
    if (!address_parse(in->peer->address, &peer))
        return;
    client = forwarded_client(&standard, trusted, &peer);
    other = forwarded_client(&usual, trusted, &peer);
    if (standard.count == 0)
        client = other;
    else if (usual.count > 0 && memcmp(&client, &other, sizeof(client)) != 0)
        client = peer;
    address_format(in->client, &client);
    in->call.address = in->client;
}

void inbound_head_came(struct inbound *in)
{
    struct server *server = in->server;
    in->started_ms = (int64_t)uv_now(server->loop);
    in->stage = STAGE_ENTERING;
    server->calls++;
    in->call.method = in->head.method;
    in->keep = in->head.keep;
    if (in->peer->trusted)
        find_client(in);
    in->body_left = INT64_MAX; /* until it is clear */
    if (!head_is_good(in)) {
        /* refused */
    } else if (server->closing) {
        call_refuse(&in->call, 503, NULL, "The server is stopping.");
    } else if (in->call.route->who == 0) {
        call_enter(&in->call);
    } else {
        in->held = true;
        server->held++;
        server->enter(&in->call, server->context);
    }
    if (in->stage == STAGE_ENTERING)
        in->waits = true;
    else
        inbound_head_done(in);
}

/* ---- the answer ---- */

void inbound_over(struct inbound *in)
{
    list_remove(&in->in);
    list_append(&in->server->over, &in->in);
    in->server->over_count++;
}

static void send_answer(struct inbound *in)
{
    struct server *server = in->server;
    struct peer *peer = in->peer;
    if (in->answer_now || server->stopping)
        in->keep = false;
    buf_reset(&server->head);
    bool with_content = answer_head(in, &server->head);
    in->stage = STAGE_DONE;
    inbound_over(in);
    peer_answer(peer, &server->head, in->content, with_content ? in->content_len : 0, in->lasting,
                in->keep);
    free(in->owned); /* it may be long */
    in->owned = NULL;
}

bool call_is_gone(const struct call *call)
{
    struct pollfd at = { .fd = inbound_of(call)->peer->fd, .events = POLLRDHUP };
    return poll(&at, 1, 0) == 1; /* whatever it sent before and is not read yet */
}

static void let_go(struct inbound *in)
{
    if (in->held)
        in->server->held--;
    in->held = false;
}

static void leave_enter(struct inbound *in)
{
    in->stage = STAGE_ENTERED;
    if (in->waits)
        peer_go_on_later(in->peer);
}

void inbound_entered(struct inbound *in)
{
    let_go(in);
    leave_enter(in);
}

void inbound_answered(struct inbound *in)
{
    let_go(in);
    in->server->calls--;
    metric_add(METRIC_REQUESTS, 1);
    if (in->stage == STAGE_ENTERING)
        leave_enter(in);
    else if (in->stage == STAGE_HANDLING)
        send_answer(in);
}

/* ---- the body ---- */

/* Its memory is free and its answer given. */
static void too_much(struct inbound *in)
{
    buf_free(&in->call.body);
    body_counted(in);
    list_remove(&in->in);
    call_add_header(&in->call, "Retry-After", "1");
    call_refuse(&in->call, 503, NULL, "Too much is being sent at once; try again later.");
}

/* Whether a body has to go for one that needs room.  A stranger's is short and comes at once, so
 * the one that stands for longest goes in any case; an account's goes when it stands still, or when
 * its account has more than the other, so that what moves is not driven out by what begins. */
static bool makes_room(const struct inbound *in, const struct ration *needs, enum ration_room room)
{
    const struct ration *has = in->ration;
    if (has->group != needs->group || (room == RATION_FULL && has != needs))
        return false;
    return has->group == RATION_STRANGERS ||
           (room == RATION_GROUP_FULL && has->bytes[RATION_BODIES] > needs->bytes[RATION_BODIES]) ||
           (int64_t)uv_now(in->server->loop) - in->peer->since_ms >= BODY_STANDS_MS;
}

static struct inbound *standing_longest(const struct inbound *in, enum ration_room room)
{
    struct list *coming = &in->server->coming;
    for (struct list *at = coming->next; at != coming; at = at->next) {
        struct inbound *other = container_of(at, struct inbound, in);
        if (other != in && makes_room(other, in->ration, room))
            return other;
    }
    return NULL;
}

/* Nothing is reserved on the word of a Content-Length.  False: there is no room, and it is
 * answered. */
static bool body_has_room(struct inbound *in, size_t len)
{
    enum ration_room room;
    struct inbound *other;
    struct ration *ration = inbound_ration(in);
    while ((room = ration_room(ration, RATION_BODIES, len)) != RATION_FITS) {
        if ((other = standing_longest(in, room)) == NULL) {
            too_much(in);
            return false;
        }
        too_much(other);
        other->answer_now = true;
        send_answer(other);
    }
    return true;
}

void inbound_head_done(struct inbound *in)
{
    in->stage = STAGE_BODY;
    in->whole = !in->head.chunked && in->body_left == 0;
    if (in->answered && in->head.expects)
        in->answer_now = true;
    if (in->answered && in->answer_now)
        send_answer(in);
    else if (in->head.expects_continue && in->head.version == 11)
        peer_say_continue(in->peer);
}

bool inbound_is_too_slow(const struct inbound *in)
{
    int64_t allowed_ms = in->server->idle_ms + (int64_t)(in->received / BODY_BYTES_A_MS);
    return in->stage == STAGE_BODY &&
           (int64_t)uv_now(in->server->loop) - in->started_ms > allowed_ms;
}

static void body_keep(struct inbound *in, const char *bytes, size_t len)
{
    if (!body_has_room(in, len))
        return;
    list_remove(&in->in);
    list_append(&in->server->coming, &in->in);
    buf_add(&in->call.body, bytes, len);
    if (in->call.body.failed) {
        buf_free(&in->call.body);
        list_remove(&in->in);
        too_long(in);
    }
    body_counted(in);
}

/* Out with this answer, or with the one that it has already, and the connection ends. */
static void give_up(struct inbound *in, int status, const char *why)
{
    if (!in->answered)
        call_refuse(&in->call, status, NULL, "%s", why);
    in->answer_now = true;
    send_answer(in);
}

size_t inbound_body_came(struct inbound *in, const char *bytes, size_t len)
{
    const char *data = bytes;
    size_t taken, data_len;
    if (in->head.chunked) {
        taken = chunks_read(&in->chunks, bytes, len, &data, &data_len);
        in->whole = in->chunks.state == CHUNKS_WHOLE;
    } else {
        taken = data_len = in->body_left < (int64_t)len ? (size_t)in->body_left : len;
        in->body_left -= (int64_t)taken;
        in->whole = in->body_left == 0;
    }
    in->received += data_len;
    if (!in->answered && data_len > 0)
        body_keep(in, data, data_len);
    if (in->chunks.state == CHUNKS_BAD)
        give_up(in, 400, "The chunks of the body are not well formed.");
    else if (in->chunks.state == CHUNKS_LONG)
        give_up(in, 431, "The extension of a chunk, or what follows the last one, is too long.");
    else if (in->answered && in->received > BODY_DROP_MOST)
        give_up(in, 413, "");
    return taken;
}

/* Who has left as many answers unread as may wait for him gets no more.  True: answered. */
static bool answers_are_unread(struct inbound *in)
{
    if (!ration_reads_too_little(inbound_ration(in)))
        return false;
    call_add_header(&in->call, "Retry-After", "1");
    call_refuse(&in->call, 503, NULL,
                "Too many answers wait for you to read them; read those first.");
    send_answer(in);
    return true;
}

void inbound_whole(struct inbound *in)
{
    struct server *server = in->server;
    list_remove(&in->in);
    if (!in->answered && server->closing)
        call_refuse(&in->call, 503, NULL, "The server is stopping.");
    if (in->answered) {
        send_answer(in);
        return;
    }
    if (answers_are_unread(in))
        return;
    in->stage = STAGE_HANDLING;
    in->held = true;
    server->held++;
    (server->handle != NULL ? server->handle : in->call.route->handle)(&in->call, server->context);
}

void inbound_head_bad(struct inbound *in)
{
    in->stage = STAGE_ENTERING;
    in->call.method = in->head.method;
    in->server->calls++;
    give_up(in, in->head.status, in->head.why);
}

void inbound_lost(struct inbound *in)
{
    if (in->held)
        bug("a request ended while its handler had it");
    if (in->stage == STAGE_PIECES)
        pieces_lost(in);
    else if (in->stage != STAGE_HEAD && !in->answered)
        in->server->calls--; /* it went away before its body was whole */
    inbound_free(in);
}
