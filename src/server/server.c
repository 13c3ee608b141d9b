/* server.c — setting up and ending, and what is done by time and in the loop's turns.
 *
 * A connection is a peer (peer.c), a request on it an inbound (inbound.c).  Everything happens on
 * the loop as sockets become ready, answers are sent where they are given.  Requests that were
 * answered are freed once their handlers have returned, since these may still look at them.
 */
#include "server/server.h"

#include "base/fail.h"
#include "base/log.h"
#include "server/crowd.h"
#include "server/inbound.h"
#include "server/listener.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_S_DEFAULT = 60,
    LINGER_MS = 2000,    /* for the client to read a last answer */
    BEHIND_AT_ONCE = 8,  /* peers whose next requests are read from what they sent ahead ... */
    BEHIND_EVERY_MS = 2, /* ... and how often */
};

/* ---- time ---- */

static void timer_fired(uv_timer_t *timer);

static int64_t due_in(const struct server *server, const struct list *list, int64_t patience_ms)
{
    struct list *oldest = list_first(list);
    if (oldest == NULL)
        return INT64_MAX;
    int64_t left = container_of(oldest, struct peer, in)->since_ms + patience_ms -
                   (int64_t)uv_now(server->loop);
    return left > 0 ? left : 0;
}

/* A later firing than is set is left to that one, so that busy connections do not move it about. */
void server_arm_within(struct server *server, int64_t wait_ms)
{
    if (!uv_is_active((uv_handle_t *)&server->timer) ||
        (uint64_t)wait_ms < uv_timer_get_due_in(&server->timer))
        uv_timer_start(&server->timer, timer_fired, (uint64_t)wait_ms + 1, 0);
}

void server_arm(struct server *server)
{
    const int64_t waits[] = { due_in(server, &server->idle, server->idle_ms),
                              due_in(server, &server->heads, server->idle_ms),
                              due_in(server, &server->quiet, server->idle_ms),
                              due_in(server, &server->lingering, LINGER_MS) };
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        soonest = waits[i] < soonest ? waits[i] : soonest;
    if (soonest != INT64_MAX)
        server_arm_within(server, soonest);
}

static void end_those(struct server *server, struct list *list, int64_t patience_ms)
{
    while (due_in(server, list, patience_ms) == 0)
        peer_close(container_of(list_first(list), struct peer, in));
}

static void timer_fired(uv_timer_t *timer)
{
    struct server *server = timer->data;
    end_those(server, &server->idle, server->idle_ms);
    end_those(server, &server->heads, server->idle_ms);
    end_those(server, &server->quiet, server->idle_ms);
    end_those(server, &server->lingering, LINGER_MS);
    server->resting = false;
    crowd_open(server);
    server_arm(server);
}

/* Those that come now are the next turn's. */
static void go_on_with(struct list *list, int most)
{
    struct list *first;
    struct list turn;
    list_init(&turn);
    for (int i = 0; i < most && (first = list_first(list)) != NULL; i++) {
        list_remove(first);
        list_append(&turn, first);
    }
    while ((first = list_first(&turn)) != NULL) {
        list_remove(first);
        peer_go_on(container_of(first, struct peer, again));
    }
}

/* Of the requests sent ahead a few are read in a while, so that thousands of them leave the loop,
 * and the processor, to the others. */
static void behind_is_due(uv_timer_t *pace)
{
    struct server *server = pace->data;
    go_on_with(&server->behind, BEHIND_AT_ONCE);
    if (!list_empty(&server->behind))
        server_wake_behind(server);
}

void server_wake_behind(struct server *server)
{
    if (!uv_is_active((uv_handle_t *)&server->pace))
        uv_timer_start(&server->pace, behind_is_due, BEHIND_EVERY_MS, 0);
}

static void turn_began(uv_idle_t *idle)
{
    struct server *server = idle->data;
    go_on_with(&server->again, INT_MAX);
    if (list_empty(&server->again))
        uv_idle_stop(idle);
}

void server_wake(struct server *server)
{
    uv_idle_start(&server->waker, turn_began);
}

void server_free_answered(struct server *server)
{
    struct list *first;
    while ((first = list_first(&server->over)) != NULL)
        inbound_free(container_of(first, struct inbound, in));
    server->over_count = 0;
}

static void next_turn(struct server *server)
{
    server->turn++;
    server->ahead = 0;
}

static void turn_ends(uv_check_t *check)
{
    struct server *server = check->data;
    server_free_answered(server);
    next_turn(server);
}

/* ---- setting up ---- */

static int handles_start(struct server *server)
{
    int status = uv_poll_init(server->loop, &server->listener, server->listen_fd);
    if (status != 0)
        return status;
    uv_check_init(server->loop, &server->check);
    uv_idle_init(server->loop, &server->waker);
    uv_timer_init(server->loop, &server->timer);
    uv_timer_init(server->loop, &server->pace);
    server->pace.data = server;
    server->listener.data = server->check.data = server->waker.data = server->timer.data = server;
    uv_check_start(&server->check, turn_ends);
    crowd_open(server);
    return 0;
}

static bool trust(struct server *server, const struct server_config *config, struct error *error)
{
    struct proxies *trusted = &server->trusted;
    trusted->ranges = must_alloc((config->trusted_count + 1) * sizeof(*trusted->ranges));
    for (size_t i = 0; i < config->trusted_count; i++) {
        if (!cidr_parse(config->trusted[i], &trusted->ranges[i])) {
            error_set(error, ERROR_INVALID,
                      "--trusted-proxy: “%.100s” is not an address range; write it as 10.0.0.0/8, "
                      "fd00::/8 or 127.0.0.1",
                      config->trusted[i]);
            return false;
        }
    }
    trusted->count = config->trusted_count;
    return true;
}

struct server *server_new(uv_loop_t *loop, const struct server_config *config, struct error *error)
{
    struct server *server = must_alloc(sizeof(*server));
    struct list *lists[] = { &server->peers,     &server->idle,  &server->heads,  &server->quiet,
                             &server->lingering, &server->again, &server->behind, &server->coming,
                             &server->over,      &server->spare };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        list_init(lists[i]);
    server->loop = loop;
    server->enter = config->enter;
    server->handle = config->handle;
    server->context = config->context;
    server->limits = config->limits;
    server->further = config->further != NULL ? config->further : "";
    server->idle_ms = (config->idle_s > 0 ? config->idle_s : IDLE_S_DEFAULT) * (int64_t)1000;
    if (!trust(server, config, error))
        goto err0;
    server->listen_fd =
        config->listener != 0 ? config->listener : listener_open(config->listen, error);
    if (server->listen_fd == -1)
        goto err0;
    server->port = listener_address(server->listen_fd, server->address, sizeof(server->address));
    server->router = router_new(config->routes, config->route_count);
    int status = handles_start(server);
    if (status != 0) {
        error_set(error, ERROR_BROKEN, "the HTTP server does not start on %s: %s", server->address,
                  uv_strerror(status));
        goto err1;
    }
    return server;
err1:
    router_free(server->router);
    close(server->listen_fd);
err0:
    free(server->trusted.ranges);
    free(server);
    return NULL;
}

int server_listener(const struct server *server)
{
    return server->listen_fd;
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
    return server->connections;
}

size_t server_calls(const struct server *server)
{
    return server->calls;
}

/* ---- the end ---- */

static void handle_closed(uv_handle_t *handle)
{
    server_handle_closed(handle->data);
}

/* The handle goes before its descriptor: closed later it would take the next owner of that number
 * out of the loop. */
void server_stop_accepting(struct server *server)
{
    if (server->stopping)
        return;
    server->stopping = true;
    server->accepting = false;
    server->handles++;
    uv_close((uv_handle_t *)&server->listener, handle_closed);
    close(server->listen_fd);
    server->listen_fd = -1;
}

void server_refuse_calls(struct server *server)
{
    server_stop_accepting(server);
    server->closing = true;
}

void server_handle_closed(struct server *server)
{
    if (--server->handles > 0 || !server->freed)
        return;
    struct list *spare;
    while ((spare = list_first(&server->spare)) != NULL) {
        list_remove(spare);
        free(container_of(spare, struct inbound, in));
    }
    map_free(&server->rations.accounts);
    map_free(&server->rations.addresses);
    buf_free(&server->head);
    free(server);
}

void server_free(struct server *server)
{
    struct list *first;
    if (server == NULL)
        return;
    if (server->held > 0)
        bug("the server is freed with %zu calls unanswered", server->held);
    server_refuse_calls(server);
    while (!list_empty(&server->again) || !list_empty(&server->behind)) {
        next_turn(server); /* what has come has its answer */
        go_on_with(&server->again, INT_MAX);
        go_on_with(&server->behind, INT_MAX);
    }
    while ((first = list_first(&server->peers)) != NULL)
        peer_close(container_of(first, struct peer, all));
    server_free_answered(server);
    uv_handle_t *handles[] = { (uv_handle_t *)&server->check, (uv_handle_t *)&server->waker,
                               (uv_handle_t *)&server->timer, (uv_handle_t *)&server->pace };
    server->handles += sizeof(handles) / sizeof(handles[0]);
    server->freed = true;
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        uv_close(handles[i], handle_closed);
    router_free(server->router);
    free(server->trusted.ranges);
}
