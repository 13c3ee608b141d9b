/* inbound.c — a request's way from its request line to its answer.
 *
 * libmicrohttpd calls request_came() once when the headers are there, once for each piece of the
 * body, and once when it is whole.  Who calls is found out before the body is taken in, so nobody
 * unknown makes us keep one.  A refused request's body is read all the same and dropped, so that
 * the client gets to read the answer (closing with unread bytes would reset the connection and
 * lose it) and keeps its connection; only one that is hugely too long, or that waits for our
 * "100 Continue", is answered at once.
 */
#include "server/inbound.h"

#include "base/fail.h"
#include "base/metrics.h"
#include "base/text.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    HEADER_OVERHEAD = 72,              /* what libmicrohttpd keeps for each, in the same memory */
    BODY_DROP_MOST = SERVER_BODY_MOST, /* bytes read and dropped to keep a connection */
    BODY_BYTES_A_MS = 8,               /* slower than this, past the idle time, is cut off */
    BODY_ROOM_FIRST = 64 * 1024, /* reserved on the word of Content-Length; the rest on arrival */
};

/* ---- the request line ---- */

struct inbound *inbound_new(struct server *server, const char *target)
{
    size_t pairs, room = target_room(target, &pairs);
    size_t head = sizeof(struct inbound) + pairs * sizeof(struct query_pair);
    struct inbound *in = malloc(head + room);
    if (in == NULL)
        die("out of memory");
    memset(in, 0, sizeof(*in));
    in->server = server;
    in->query = (struct query_pair *)(void *)(in + 1);
    in->query_room = pairs;
    size_t len = strlen(target) + 1;
    in->call.target = memcpy((char *)in + head, target, len);
    in->spare = in->call.target + len;
    return in;
}

void inbound_free(struct inbound *in)
{
    if (in->answer != NULL)
        MHD_destroy_response(in->answer);
    for (size_t i = 0; i < in->header_count; i++) {
        free(in->headers[i].name);
        free(in->headers[i].value);
    }
    if (in->call.body.data != NULL) /* it may hold a password */
        sodium_memzero(in->call.body.data, in->call.body.len);
    buf_free(&in->call.body);
    in->server->bodies -= in->body_bytes;
    free(in);
}

void *request_line_came(void *context, const char *target, struct MHD_Connection *connection)
{
    struct inbound *in = inbound_new(context, target);
    in->connection = connection;
    in->peer = *(struct peer *const *)MHD_get_connection_info(connection,
                                                              MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return in;
}

/* ---- the headers ---- */

/* RFC 9110 §5.6.2.  "Content-Length : 5" is none, and a proxy in front may take it for one. */
static bool is_token(const char *name)
{
    static const bool allowed[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true,  ['0' ... '9'] = true, ['-'] = true,
        ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
        ['.'] = true,         ['^' ... '`'] = true,  ['|'] = true,         ['~'] = true,
    };
    const char *at = name;
    while (allowed[(unsigned char)*at])
        at++;
    return at != name && *at == '\0';
}

static enum MHD_Result header_noted(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    struct inbound *in = context;
    in->header_bytes += strlen(name) + HEADER_OVERHEAD;
    if (value == NULL)
        value = "";
    in->header_bytes += strlen(value);
    in->bad_name = in->bad_name || !is_token(name);
    if (strcasecmp(name, "Authorization") == 0) {
        in->authorizations++;
        in->authorization = value;
    } else if (strcasecmp(name, "Cookie") == 0) {
        in->cookies++;
        in->cookie = value;
    } else if (strcasecmp(name, "Content-Type") == 0) {
        in->content_type = value;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        in->lengths++;
        in->content_length = value;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        in->encodings++;
        in->chunked = strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(name, "Expect") == 0) {
        in->expects = true;
        in->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
    return MHD_YES;
}

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

/* Sent by ourselves, and the connection closed: libmicrohttpd may have no memory left for it. */
static void headers_too_long(struct inbound *in)
{
    static const char body[] = "{\"Status\":\"ERROR\",\"Message\":\"The headers are too long.\","
                               "\"Errors\":[]}";
    char text[512];
    int len =
        snprintf(text, sizeof(text),
                 "HTTP/1.1 431 Request Header Fields Too Large\r\n"
                 "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 sizeof(body) - 1, body);
    send(in->peer->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    in->server->calls--;
    in->stage = STAGE_DONE;
    metric_add(METRIC_REQUESTS, 1);
}

/* What makes it unclear where the request ends (RFC 9112 §6.3) is refused, and the connection
 * closed: what follows could be a request smuggled past a proxy. */
static bool framing_is_clear(struct inbound *in)
{
    int status = 400;
    const char *why = NULL;
    if (in->bad_name) {
        why = "A header's name is not made of letters, digits and '-' with ':' right behind it.";
    } else if (in->lengths > 1 || in->encodings > 1 || (in->lengths > 0 && in->encodings > 0)) {
        why = "The length of the body is given in more than one way.";
    } else if (in->encodings > 0 && !in->chunked) {
        status = 501;
        why = "Only the transfer encoding 'chunked' is known.";
    }
    if (why == NULL)
        return true;
    in->answer_now = true;
    call_add_header(&in->call, "Connection", "close");
    call_refuse(&in->call, status, NULL, "%s", why);
    return false;
}

static bool route_is_found(struct inbound *in, const struct segments *segments)
{
    char allow[ROUTER_ALLOW_MAX];
    struct call *call = &in->call;
    call->route = router_find(in->server->router, call->method, segments->at, segments->count,
                              call->params, allow);
    if (call->route != NULL)
        return true;
    if (allow[0] == '\0') {
        call_refuse(call, 404, NULL, "There is nothing at this address.");
    } else {
        call_add_header(call, "Allow", allow);
        call_refuse(call, 405, NULL, "This address takes %s.", allow);
    }
    return false;
}

/* The checks that need the headers alone.  False: refused. */
static bool headers_are_good(struct inbound *in)
{
    struct segments segments;
    target_read(in, &segments);
    in->header_bytes += strlen(in->call.target) + in->query_room * HEADER_OVERHEAD;
    if (in->header_bytes > SERVER_HEADERS_MAX) {
        headers_too_long(in);
        return false;
    }
    if (!framing_is_clear(in))
        return false;
    if (in->bad_target != NULL) {
        call_refuse(&in->call, 400, NULL, "The address is not valid: %s.", in->bad_target);
        return false;
    }
    if (!route_is_found(in, &segments))
        return false;
    if (in->expects && !in->expects_continue) {
        call_refuse(&in->call, 417, NULL, "Only the expectation '100-continue' is known.");
        return false;
    }
    int64_t length = 0;
    if (in->content_length != NULL && !text_int(in->content_length, 0, INT64_MAX, &length))
        length = INT64_MAX; /* digits that libmicrohttpd took and that we cannot hold */
    if (length > (int64_t)body_most(in)) {
        in->answer_now = length > BODY_DROP_MOST;
        too_long(in);
        return false;
    }
    in->call.body.limit = body_most(in);
    in->body_room = (size_t)(length < BODY_ROOM_FIRST ? length : BODY_ROOM_FIRST);
    return true;
}

static void begin(struct inbound *in, const char *method)
{
    struct server *server = in->server;
    in->started_ms = (int64_t)uv_now(server->loop);
    in->stage = STAGE_ENTERING;
    server->calls++;
    list_remove(&in->peer->in);
    in->call.method = method;
    in->call.address = in->peer->address;
    MHD_get_connection_values(in->connection, MHD_HEADER_KIND, header_noted, in);
    if (!headers_are_good(in))
        return;
    if (server->closing) {
        call_refuse(&in->call, 503, NULL, "The server is stopping.");
    } else if (in->call.route->who == 0) {
        call_enter(&in->call);
    } else {
        in->held = true;
        server->held++;
        server->enter(&in->call, server->context);
    }
}

/* ---- the answer ---- */

static enum MHD_Result answer_queue(struct inbound *in)
{
    enum MHD_Result queued = MHD_queue_response(in->connection, (unsigned)in->status, in->answer);
    MHD_destroy_response(in->answer);
    in->answer = NULL;
    in->stage = STAGE_DONE;
    return queued;
}

static enum MHD_Result suspend(struct inbound *in)
{
    in->suspended = true;
    MHD_suspend_connection(in->connection);
    return MHD_YES;
}

static void resume(struct inbound *in)
{
    in->suspended = false;
    in->server->needed = true;
    MHD_resume_connection(in->connection);
}

/* libmicrohttpd does not look at a suspended connection. */
bool call_is_gone(const struct call *call)
{
    char next;
    ssize_t got = recv(inbound_of(call)->peer->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR);
}

static void let_go(struct inbound *in)
{
    if (in->held)
        in->server->held--;
    in->held = false;
}

void inbound_entered(struct inbound *in)
{
    let_go(in);
    in->stage = STAGE_ENTERED;
    if (in->suspended)
        resume(in);
}

void inbound_answered(struct inbound *in)
{
    let_go(in);
    in->server->calls--;
    metric_add(METRIC_REQUESTS, 1);
    if (in->stage == STAGE_ENTERING)
        in->stage = STAGE_ENTERED;
    if (!in->suspended)
        return; /* whoever called the handler takes the answer */
    if (in->stage == STAGE_HANDLING)
        answer_queue(in);
    resume(in);
}

/* ---- the stages ---- */

static void body_counted(struct inbound *in)
{
    in->server->bodies += in->call.body.cap - in->body_bytes;
    in->body_bytes = in->call.body.cap;
}

/* The bodies of all calls have one cap, so that many large ones cannot take the memory that none
 * of them could take alone.  False: answered. */
static bool bodies_have_room(struct inbound *in, size_t len)
{
    if (in->server->bodies + len <= SERVER_BODIES_MOST)
        return true;
    buf_free(&in->call.body);
    body_counted(in);
    call_add_header(&in->call, "Retry-After", "1");
    call_refuse(&in->call, 503, NULL, "Too much is being sent at once; try again later.");
    return false;
}

static enum MHD_Result headers_done(struct inbound *in)
{
    in->stage = STAGE_BODY;
    if (in->answer == NULL && in->body_room > 0 && bodies_have_room(in, in->body_room)) {
        buf_room(&in->call.body, in->body_room);
        body_counted(in);
    }
    if (in->answer != NULL && (in->answer_now || in->expects))
        return answer_queue(in);
    return MHD_YES;
}

static enum MHD_Result body_came(struct inbound *in, const char *bytes, size_t *size)
{
    size_t len = *size;
    *size = 0; /* all of it is taken */
    in->received += len;
    int64_t allowed_ms = in->server->idle_ms + (int64_t)(in->received / BODY_BYTES_A_MS);
    if ((int64_t)uv_now(in->server->loop) - in->started_ms > allowed_ms)
        return MHD_NO;
    if (in->answer != NULL)
        return in->received <= BODY_DROP_MOST ? MHD_YES : MHD_NO;
    if (!bodies_have_room(in, len))
        return MHD_YES;
    buf_add(&in->call.body, bytes, len);
    if (in->call.body.failed) {
        buf_free(&in->call.body);
        too_long(in);
    }
    body_counted(in);
    return MHD_YES;
}

static enum MHD_Result body_whole(struct inbound *in)
{
    struct server *server = in->server;
    if (in->answer == NULL && server->closing)
        call_refuse(&in->call, 503, NULL, "The server is stopping.");
    if (in->answer != NULL)
        return answer_queue(in);
    in->stage = STAGE_HANDLING;
    in->held = true;
    server->held++;
    in->call.route->handle(&in->call, server->context);
    return in->answer != NULL ? answer_queue(in) : suspend(in);
}

enum MHD_Result request_came(void *context, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **request)
{
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct inbound *in = *request;
    switch (in->stage) {
    case STAGE_NEW:
        begin(in, method);
        if (in->stage == STAGE_ENTERING)
            return suspend(in);
        return in->stage == STAGE_DONE ? MHD_NO : headers_done(in);
    case STAGE_ENTERED:
        return headers_done(in);
    case STAGE_BODY:
        return *upload_size > 0 ? body_came(in, upload, upload_size) : body_whole(in);
    case STAGE_ENTERING:
    case STAGE_HANDLING:
    case STAGE_DONE:
        break;
    }
    return MHD_NO; /* its answer could not be queued: the connection ends */
}

void request_over(void *context, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    struct server *server = context;
    struct inbound *in = *request;
    if (in == NULL)
        return;
    *request = NULL;
    if (in->held)
        bug("a request ended while its handler had it");
    if (in->stage != STAGE_NEW && in->stage != STAGE_DONE && in->answer == NULL)
        server->calls--; /* it went away before its body was whole */
    in->peer->since_ms = (int64_t)uv_now(server->loop);
    list_remove(&in->peer->in);
    list_append(&server->waiting, &in->peer->in);
    inbound_free(in);
}
