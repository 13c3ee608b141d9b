/* dial.c — resolve, check, connect; the first address that answers wins.
 *
 * `next` walks the addresses; each attempt to connect is a struct try with its own poll handle,
 * on `tries` while it is under way.  One alarm serves both for the stagger and for reporting, from
 * the loop, what failed at once.
 *
 * The rule: no connect() without egress_allows() on that very address, but for the proxy's own.
 */
#include "courier/dial.h"

#include "base/clock.h"
#include "base/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct
try {
    uv_poll_t poll;
    struct dial *dial;
    struct list node;
    int fd;
    union address address;
};

struct dial {
    const struct dialer *by;
    dial_done *done;
    void *context;
    char *host; /* NULL: an address was given */
    int port;
    bool resolving;
    bool checking; /* resolves the receiver, to dial the proxy then */
    bool to_proxy;
    bool no_room; /* waits for a file descriptor, for found.addresses[next] */
    struct resolver_waiter waiter;
    struct alarm alarm;
    struct list tries;
    size_t next;
    struct resolved found;
    enum exchange_error error; /* the failure most worth telling so far */
    int system_error;
    char detail[160];
};

static void free_try(uv_handle_t *handle)
{
    free(handle->data);
}

/* Gives its socket. */
static int drop_try(struct try *try)
{
    int fd = try->fd;
    list_remove(&try->node);
    uv_close((uv_handle_t *)&try->poll, free_try);
    return fd;
}

static void free_dial(struct dial *dial)
{
    struct list *at;
    while ((at = list_first(&dial->tries)) != NULL)
        close(drop_try(container_of(at, struct try, node)));
    resolver_forget(&dial->waiter);
    alarm_clear(dial->by->alarms, &dial->alarm);
    free(dial->host);
    free(dial);
}

bool dial_has_no_room(const struct dial *dial)
{
    return dial->no_room && list_empty(&dial->tries);
}

/* What was resolved led nowhere: the receiver may have moved. */
static void doubt(const struct dial *dial)
{
    if (dial->host != NULL && !dial->resolving && !dial_has_no_room(dial))
        resolver_doubt(dial->by->resolver, dial->host);
}

static void end(struct dial *dial, int fd)
{
    dial_done *done = dial->done;
    void *context = dial->context;
    enum exchange_error error = fd == -1 ? dial->error : EXCHANGE_OK;
    char detail[sizeof(dial->detail)];
    memcpy(detail, dial->detail, sizeof(detail));
    if (fd == -1)
        doubt(dial);
    free_dial(dial);
    done(context, fd, error, detail);
}

/* Before what is told of the proxy. */
static const char *prefix(const struct dial *dial)
{
    return dial->to_proxy ? "the egress proxy, " : "";
}

static const char *address_text(const union address *address, char *out, socklen_t size)
{
    const void *bytes = address->any.sa_family == AF_INET6 ? (const void *)&address->v6.sin6_addr
                                                           : (const void *)&address->v4.sin_addr;
    return inet_ntop(address->any.sa_family, bytes, out, size) != NULL ? out : "?";
}

static void note_refusal(struct dial *dial, const union address *address)
{
    char text[INET6_ADDRSTRLEN];
    if (dial->error != EXCHANGE_OK)
        return;
    dial->error = EXCHANGE_REFUSED_ADDRESS;
    snprintf(dial->detail, sizeof(dial->detail),
             "%s is %s; the operator can allow it with --allow-egress",
             address_text(address, text, sizeof(text)), egress_kind(&address->any));
}

/* Where there is no IPv6 at all, what IPv4 says is worth more than "unreachable". */
static void note_failure(struct dial *dial, const union address *address, int system_error)
{
    char text[INET6_ADDRSTRLEN];
    bool better = dial->error != EXCHANGE_CONNECT || dial->system_error == ENETUNREACH ||
                  dial->system_error == EADDRNOTAVAIL;
    if (!better)
        return;
    dial->error = EXCHANGE_CONNECT;
    dial->system_error = system_error;
    snprintf(dial->detail, sizeof(dial->detail), "%s%s port %d: %s", prefix(dial),
             address_text(address, text, sizeof(text)), dial->port, uv_strerror(-system_error));
}

static void try_next(struct dial *dial);

static void try_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct try *try = poll->data;
    struct dial *dial = try->dial;
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (getsockopt(try->fd, SOL_SOCKET, SO_ERROR, &failure, &size) == -1)
        failure = errno;
    if (failure == 0) {
        end(dial, drop_try(try));
        return;
    }
    note_failure(dial, &try->address, failure);
    close(drop_try(try));
    try_next(dial);
}

/* 0, or the system's error. */
static int start_try(struct dial *dial, const union address *address)
{
    socklen_t size = address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return errno;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, &address->any, size) == -1 && errno != EINPROGRESS) {
        int failure = errno;
        close(fd);
        return failure;
    }
    struct try *try = must_alloc(sizeof(*try));
    int status = uv_poll_init(dial->by->loop, &try->poll, fd);
    if (status != 0) {
        free(try);
        close(fd);
        return -status;
    }
    try->poll.data = try;
    try->dial = dial;
    try->fd = fd;
    try->address = *address;
    list_append(&dial->tries, &try->node);
    uv_poll_start(&try->poll, UV_WRITABLE, try_ready);
    return 0;
}

static void try_next(struct dial *dial)
{
    while (dial->next < dial->found.count) {
        union address address = dial->found.addresses[dial->next++];
        if (address.any.sa_family == AF_INET6)
            address.v6.sin6_port = htons((uint16_t)dial->port);
        else
            address.v4.sin_port = htons((uint16_t)dial->port);
        if (!dial->to_proxy && !egress_allows(dial->by->egress, &address.any)) {
            note_refusal(dial, &address);
            continue;
        }
        int failure = start_try(dial, &address);
        dial->no_room = failure == EMFILE || failure == ENFILE;
        if (dial->no_room) {
            dial->next--;
            alarm_set(dial->by->alarms, &dial->alarm, clock_steady_ms() + DIAL_NO_ROOM_MS);
            return;
        }
        if (failure != 0) {
            note_failure(dial, &address, failure);
            continue;
        }
        if (dial->next < dial->found.count)
            alarm_set(dial->by->alarms, &dial->alarm, clock_steady_ms() + DIAL_STAGGER_MS);
        return;
    }
    if (list_empty(&dial->tries))
        alarm_soon(dial->by->alarms, &dial->alarm);
}

static void ring(struct alarm *alarm)
{
    struct dial *dial = container_of(alarm, struct dial, alarm);
    if (list_empty(&dial->tries) && dial->next >= dial->found.count)
        end(dial, -1);
    else
        try_next(dial);
}

static void look_up(struct dial *dial, const char *host);

/* The receiver may be called: on to the proxy.  False: it may not. */
static bool pass_on(struct dial *dial)
{
    const struct proxy *proxy = dial->by->proxy;
    for (size_t i = 0; i < dial->found.count; i++)
        if (!egress_allows(dial->by->egress, &dial->found.addresses[i].any))
            note_refusal(dial, &dial->found.addresses[i]);
    if (dial->error != EXCHANGE_OK) {
        dial->found.count = 0;
        return false;
    }
    dial->checking = false;
    dial->to_proxy = true;
    dial->port = proxy->port;
    look_up(dial, proxy->host);
    return true;
}

static void resolved(struct dial *dial, const struct resolved *found)
{
    dial->resolving = false;
    dial->found = *found;
    if (found->error != EXCHANGE_OK) {
        bool proxys = dial->to_proxy && found->error != EXCHANGE_NO_ROOM;
        dial->error = proxys ? EXCHANGE_CONNECT : found->error;
        snprintf(dial->detail, sizeof(dial->detail), "%s%.130s", prefix(dial), found->detail);
    }
    if (!dial->checking || !pass_on(dial))
        try_next(dial);
}

static void woken(struct resolver_waiter *waiter, const struct resolved *found)
{
    resolved(container_of(waiter, struct dial, waiter), found);
}

static void look_up(struct dial *dial, const char *host)
{
    struct resolved literal = { .count = 1 };
    free(dial->host);
    dial->host = NULL;
    if (address_literal(host, &literal.addresses[0])) {
        resolved(dial, &literal);
        return;
    }
    dial->host = must_copy(host);
    dial->resolving = true;
    const struct resolved *known = resolver_ask(dial->by->resolver, host, &dial->waiter);
    if (known != NULL)
        resolved(dial, known);
}

struct dial *dial_new(const struct dialer *by, const char *host, int port, dial_done *done,
                      void *context)
{
    struct dial *dial = must_alloc(sizeof(*dial));
    dial->by = by;
    dial->done = done;
    dial->context = context;
    dial->port = port;
    dial->alarm.ring = ring;
    dial->waiter.woken = woken;
    list_init(&dial->waiter.node);
    list_init(&dial->tries);
    dial->checking = by->proxy != NULL;
    look_up(dial, host);
    return dial;
}

void dial_cancel(struct dial *dial)
{
    doubt(dial);
    free_dial(dial);
}

const char *dial_phase(const struct dial *dial)
{
    if (dial_has_no_room(dial))
        return "waiting for a file descriptor";
    if (dial->to_proxy)
        return "connecting to the egress proxy";
    return dial->resolving ? "resolving the name" : "connecting";
}
