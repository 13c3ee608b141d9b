/* server.c — libmicrohttpd on our loop.
 *
 * The daemon has no thread: its epoll descriptor is watched by the loop, and serve() lets it work
 * once a turn, after everything else of the turn has been done.  So answers that came together (a
 * commit answers many calls) go out together.  Its timeouts, and our own for headers that never
 * end, share one timer.
 *
 * The rule that must never break: a connection is suspended exactly while a handler, or enter(),
 * has its call and has not answered.  A request's life is its stage, in inbound.h.
 */
#include "server/inbound.h"

#include "base/fail.h"
#include "base/log.h"
#include "server/listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_S_DEFAULT = 60,
    /* For a request's headers and its answer's.  libmicrohttpd clears all of it on each request, so
     * more would cost every one of them. */
    CONNECTION_MEMORY = SERVER_HEADERS_MAX + 1536,
    FLUSH_TURNS = 8, /* of the daemon, for what is to be sent at the end */
};

/* ---- the loop ---- */

static void timer_fired(uv_timer_t *timer);

static void idle_turned(uv_idle_t *idle)
{
    struct server *server = idle->data;
    server->needed = true;
}

/* Wakes up for whatever comes first: a timeout of libmicrohttpd's or the oldest silent peer.  A
 * later one than the timer has is left to the timer's next firing, so that busy connections do
 * not move it about. */
static void timer_arm(struct server *server, int64_t wait_ms)
{
    struct list *oldest = list_first(&server->waiting);
    if (oldest != NULL) {
        const struct peer *peer = container_of(oldest, struct peer, in);
        int64_t left = peer->since_ms + server->idle_ms - (int64_t)uv_now(server->loop);
        if (wait_ms == -1 || left < wait_ms)
            wait_ms = left < 0 ? 0 : left;
    }
    if (wait_ms == -1) {
        uv_timer_stop(&server->timer);
        return;
    }
    if (!uv_is_active((uv_handle_t *)&server->timer) ||
        (uint64_t)wait_ms < uv_timer_get_due_in(&server->timer))
        uv_timer_start(&server->timer, timer_fired, (uint64_t)wait_ms + 1, 0);
}

static void serve(struct server *server)
{
    if (!server->needed)
        return;
    server->needed = false;
    MHD_run(server->daemon);
    MHD_UNSIGNED_LONG_LONG wait;
    bool has_timeout = MHD_get_timeout(server->daemon, &wait) == MHD_YES;
    if ((has_timeout && wait == 0) || server->needed) {
        uv_idle_start(&server->idle, idle_turned); /* the loop must not sleep: more is ready */
        return;
    }
    uv_idle_stop(&server->idle);
    timer_arm(server, has_timeout && wait < INT32_MAX ? (int64_t)wait : -1);
}

static void loop_prepared(uv_prepare_t *prepare)
{
    serve(prepare->data);
}

static void loop_checked(uv_check_t *check)
{
    serve(check->data);
}

static void became_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct server *server = poll->data;
    server->needed = true;
}

/* Peers that have not sent a whole request's headers in time.  Shut down, they read as closed by
 * the client, and libmicrohttpd does the rest. */
static void timer_fired(uv_timer_t *timer)
{
    struct server *server = timer->data;
    int64_t now_ms = (int64_t)uv_now(server->loop);
    struct list *first;
    while ((first = list_first(&server->waiting)) != NULL) {
        struct peer *peer = container_of(first, struct peer, in);
        if (now_ms - peer->since_ms < server->idle_ms)
            break;
        list_remove(&peer->in);
        shutdown(peer->fd, SHUT_RDWR);
    }
    server->needed = true;
}

/* ---- connections ---- */

static void peer_name(struct peer *peer, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *six =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six))
            inet_ntop(AF_INET, six->s6_addr + 12, peer->address, sizeof(peer->address));
        else
            inet_ntop(AF_INET6, six, peer->address, sizeof(peer->address));
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &four->sin_addr, peer->address, sizeof(peer->address));
    }
}

static void connection_noted(void *context, struct MHD_Connection *connection,
                             void **socket_context, enum MHD_ConnectionNotificationCode what)
{
    struct server *server = context;
    struct peer *peer = *socket_context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (peer != NULL)
            list_remove(&peer->in);
        free(peer);
        *socket_context = NULL;
        return;
    }
    peer = must_alloc(sizeof(*peer));
    peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    peer_name(peer,
              MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    peer->since_ms = (int64_t)uv_now(server->loop);
    list_append(&server->waiting, &peer->in);
    *socket_context = peer;
}

/* ---- setting up ---- */

static void daemon_said(void *context, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void daemon_said(void *context, const char *format, va_list args)
{
    (void)context;
    char line[256];
    int len = vsnprintf(line, sizeof(line), format, args);
    if (len > 0 && len < (int)sizeof(line) && line[len - 1] == '\n')
        line[len - 1] = '\0';
    log_debug("http", LOG_T("message", line));
}

/* Escapes are ours to read (target.c): a slash or a NUL may hide in them. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *daemon_start(struct server *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, request_came,
        server, MHD_OPTION_EXTERNAL_LOGGER, daemon_said, NULL, MHD_OPTION_LISTEN_SOCKET,
        server->listen_fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_PER_ADDRESS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(server->idle_ms / 1000),
        MHD_OPTION_URI_LOG_CALLBACK, request_line_came, server, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_over, server,
        MHD_OPTION_NOTIFY_CONNECTION, connection_noted, server, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 0, MHD_OPTION_END);
}

static void handles_start(struct server *server)
{
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(server->loop, &server->poll, fd);
    uv_prepare_init(server->loop, &server->prepare);
    uv_check_init(server->loop, &server->check);
    uv_idle_init(server->loop, &server->idle);
    uv_timer_init(server->loop, &server->timer);
    server->poll.data = server->prepare.data = server->check.data = server->idle.data =
        server->timer.data = server;
    uv_poll_start(&server->poll, UV_READABLE, became_readable);
    uv_prepare_start(&server->prepare, loop_prepared);
    uv_check_start(&server->check, loop_checked);
}

struct server *server_new(uv_loop_t *loop, const struct server_config *config, struct error *error)
{
    struct server *server = must_alloc(sizeof(*server));
    server->loop = loop;
    server->enter = config->enter;
    server->context = config->context;
    server->limits = config->limits;
    server->idle_ms = (config->idle_s > 0 ? config->idle_s : IDLE_S_DEFAULT) * (int64_t)1000;
    list_init(&server->waiting);
    server->listen_fd = listener_open(config->listen, error);
    if (server->listen_fd == -1)
        goto err0;
    server->port = listener_address(server->listen_fd, server->address, sizeof(server->address));
    server->router = router_new(config->routes, config->route_count);
    server->daemon = daemon_start(server);
    if (server->daemon == NULL) {
        error_set(error, ERROR_BROKEN, "the HTTP server does not start on %s", server->address);
        goto err1;
    }
    handles_start(server);
    return server;
err1:
    router_free(server->router);
    close(server->listen_fd);
err0:
    free(server);
    return NULL;
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_address(const struct server *server, char *out, size_t size)
{
    snprintf(out, size, "%s", server->address);
}

size_t server_connections(const struct server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
        ->num_connections;
}

size_t server_calls(const struct server *server)
{
    return server->calls;
}

/* ---- the end ---- */

void server_stop_accepting(struct server *server)
{
    if (server->stopping)
        return;
    server->stopping = true;
    MHD_quiesce_daemon(server->daemon);
    close(server->listen_fd);
    server->listen_fd = -1;
}

void server_refuse_calls(struct server *server)
{
    server_stop_accepting(server);
    server->closing = true;
}

static void handle_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;
    if (--server->handles == 0)
        free(server);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    if (server->held > 0)
        bug("the server is freed with %zu calls unanswered", server->held);
    server_refuse_calls(server);
    for (int turn = 0; turn < FLUSH_TURNS; turn++)
        MHD_run(server->daemon);
    uv_handle_t *handles[] = { (uv_handle_t *)&server->poll, (uv_handle_t *)&server->prepare,
                               (uv_handle_t *)&server->check, (uv_handle_t *)&server->idle,
                               (uv_handle_t *)&server->timer };
    server->handles = sizeof(handles) / sizeof(handles[0]);
    for (size_t i = 0; i < server->handles; i++)
        uv_close(handles[i], handle_closed);
    MHD_stop_daemon(server->daemon);
    router_free(server->router);
}
