/* crowd.c — the listener, the shares of addresses in the connections, and who makes room.
 *
 * When all connections are taken, or all that an address may have, the one that has been idle for
 * longest goes: first of those between two requests, then of those whose head is not whole, then of
 * those that were told the end, last of those that owe us bytes, or room for ours, for a while. One
 * whose request is being handled or that reads its answer stays.
 */
#include "server/crowd.h"

#include "base/log.h"
#include "server/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 64,   /* so that a storm of them leaves room for the rest */
    ACCEPT_REST_MS = 1000, /* when the process has no descriptor for another */
    STALLED_MS = 5000,     /* in the middle of a body or of an answer */
};

/* ---- who makes room ---- */

/* Of an address, or, with NULL, of all. */
static struct peer *oldest_of(struct list *list, const struct ration *address)
{
    for (struct list *at = list->next; at != list; at = at->next) {
        struct peer *peer = container_of(at, struct peer, in);
        if (address == NULL || peer->ration == address)
            return peer;
    }
    return NULL;
}

static struct peer *idlest(struct server *server, const struct ration *address)
{
    struct list *const lists[] = { &server->idle, &server->heads, &server->lingering };
    struct peer *peer = NULL;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && peer == NULL; i++)
        peer = oldest_of(lists[i], address);
    if (peer == NULL && (peer = oldest_of(&server->quiet, address)) != NULL &&
        (int64_t)uv_now(server->loop) - peer->since_ms < STALLED_MS)
        peer = NULL;
    return peer;
}

static bool is_full(const struct server *server)
{
    return server->connections >= SERVER_CONNECTIONS;
}

/* ---- taking in ---- */

static void listener_ready(uv_poll_t *poll, int status, int events);

void crowd_open(struct server *server)
{
    if (server->stopping || server->accepting || server->resting ||
        (is_full(server) && idlest(server, NULL) == NULL))
        return;
    server->accepting = true;
    uv_poll_start(&server->listener, UV_READABLE, listener_ready);
}

static void accept_no_more(struct server *server)
{
    server->accepting = false;
    uv_poll_stop(&server->listener);
}

static void leave(struct server *server, struct ration *address)
{
    address->connections--;
    ration_leave(address);
    server->connections--;
}

void crowd_left(struct server *server, struct ration *address)
{
    leave(server, address);
    crowd_open(server);
}

/* The kernel keeps those that are not taken yet; other errors are of a client that left. */
static void cannot_accept(struct server *server)
{
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    log_warn("no connection can be taken for now", LOG_T("error", strerror(errno)));
    accept_no_more(server);
    server->resting = true;
    server_arm_within(server, ACCEPT_REST_MS);
}

/* It has its descriptor already, so there is one more than allowed until somebody went.  A trusted
 * proxy's connections are many people's, so it has no share of its own but the whole. */
static void take(struct server *server, int fd, const struct sockaddr_storage *from)
{
    char name[ADDRESS_TEXT] = "";
    struct address address;
    bool trusted = false;
    if (address_of((const struct sockaddr *)(const void *)from, &address)) {
        address_format(name, &address);
        trusted = proxies_hold(&server->trusted, &address);
    }
    struct ration *ration = ration_use(&server->rations, 0, name);
    bool many = !trusted && ration->connections >= SERVER_CONNECTIONS_PER_ADDRESS;
    struct peer *other = many || is_full(server) ? idlest(server, many ? ration : NULL) : NULL;
    ration->connections++;
    server->connections++;
    if ((many || server->connections > SERVER_CONNECTIONS) && other == NULL) {
        close(fd);
        leave(server, ration);
    } else if (peer_new(server, fd, name, ration, trusted) == NULL) {
        leave(server, ration);
    } else if (other != NULL) {
        peer_close(other);
    }
}

static void listener_ready(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        if (is_full(server) && idlest(server, NULL) == NULL) {
            accept_no_more(server);
            return;
        }
        int fd = accept4(server->listen_fd, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd == -1) {
            cannot_accept(server);
            return;
        }
        take(server, fd, &from);
    }
}
