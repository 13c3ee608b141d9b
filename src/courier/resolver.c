/* resolver.c — c-ares on libuv's poll handles, and a cache of names.
 *
 * A map from host to struct name; `ages` holds the same names, the longest untouched first, for
 * eviction.  c-ares tells which sockets it wants watched (watch_socket) and when to be called at
 * the latest (the alarm).  Its answers may come from inside our own calls of it, so they only fill
 * the name and put it on `found`; waiters are woken by wake_all(), from the loop.
 *
 * The rule: a name that is pending is referred to by c-ares and is never freed.
 */
#include "courier/resolver.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TTL_LEAST_S = 1,
    TTL_MOST_S = 60,
    FAILURE_S = 1,
    TRY_MS = 1500, /* c-ares doubles it with each try */
    TRIES = 3,
};

struct name {
    char *host;
    struct resolver *resolver;
    struct resolved found;
    bool pending;
    struct list waiters;
    struct list age;   /* in resolver->ages */
    struct list woken; /* in resolver->found */
};

struct watch { /* one of c-ares's sockets */
    uv_poll_t poll;
    struct resolver *resolver;
    ares_socket_t fd;
    struct list node;
};

struct resolver {
    uv_loop_t *loop;
    struct alarms *alarms;
    struct alarm alarm;
    ares_channel channel;
    char *servers;
    struct timespec configured; /* when resolv.conf was last changed, as read */
    size_t pending;
    struct map names;
    struct list ages, found, watches;
};

static void turn(struct resolver *resolver, ares_socket_t readable, ares_socket_t writable);

static bool same_address(const union address *one, const union address *other)
{
    if (one->any.sa_family != other->any.sa_family)
        return false;
    if (one->any.sa_family == AF_INET)
        return one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof(one->v6.sin6_addr)) == 0;
}

bool resolved_has(const struct resolved *found, const union address *address)
{
    for (size_t i = 0; i < found->count; i++)
        if (same_address(&found->addresses[i], address))
            return true;
    return false;
}

bool address_literal(const char *host, union address *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1)
        out->v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1)
        out->v6.sin6_family = AF_INET6;
    else
        return false;
    return true;
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_watch(struct watch *watch)
{
    list_remove(&watch->node);
    uv_close((uv_handle_t *)&watch->poll, free_watch);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    ares_socket_t fd = watch->fd;
    bool readable = status < 0 || (events & UV_READABLE) != 0;
    bool writable = status < 0 || (events & UV_WRITABLE) != 0;
    turn(watch->resolver, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

static struct watch *find_watch(struct resolver *resolver, ares_socket_t fd)
{
    for (struct list *at = resolver->watches.next; at != &resolver->watches; at = at->next) {
        struct watch *watch = container_of(at, struct watch, node);
        if (watch->fd == fd)
            return watch;
    }
    return NULL;
}

static void watch_socket(void *data, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = data;
    struct watch *watch = find_watch(resolver, fd);
    if (!readable && !writable) { /* c-ares closes it next */
        if (watch != NULL)
            drop_watch(watch);
        return;
    }
    if (watch == NULL) {
        watch = must_alloc(sizeof(*watch));
        watch->resolver = resolver;
        watch->fd = fd;
        if (uv_poll_init(resolver->loop, &watch->poll, fd) != 0) {
            free(watch); /* its query times out */
            return;
        }
        watch->poll.data = watch;
        list_append(&resolver->watches, &watch->node);
    }
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, socket_ready);
}

static struct timespec config_changed_at(void)
{
    struct stat about;
    return stat("/etc/resolv.conf", &about) == 0 ? about.st_mtim : (struct timespec){ 0 };
}

static int open_channel(struct resolver *resolver)
{
    struct ares_options options = {
        .timeout = TRY_MS,
        .tries = TRIES,
        .ndomains = 0,
        .sock_state_cb = watch_socket,
        .sock_state_cb_data = resolver,
    };
    resolver->configured = config_changed_at();
    int status = ares_init_options(&resolver->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS || resolver->servers == NULL)
        return status;
    status = ares_set_servers_ports_csv(resolver->channel, resolver->servers);
    if (status != ARES_SUCCESS)
        ares_destroy(resolver->channel);
    return status;
}

/* A daemon may start before the network is configured: c-ares reads resolv.conf only once. */
static void reopen_if_changed(struct resolver *resolver)
{
    struct timespec now = config_changed_at();
    bool same =
        now.tv_sec == resolver->configured.tv_sec && now.tv_nsec == resolver->configured.tv_nsec;
    if (same || resolver->pending != 0)
        return;
    ares_channel old = resolver->channel;
    if (open_channel(resolver) == ARES_SUCCESS)
        ares_destroy(old);
    else
        resolver->channel = old;
}

static void wake_all(struct resolver *resolver)
{
    struct list *at;
    while ((at = list_first(&resolver->found)) != NULL) {
        struct name *name = container_of(at, struct name, woken);
        struct resolved found = name->found; /* whoever is woken may push the name out */
        struct list waiters;
        list_init(&waiters);
        list_append(&name->waiters, &waiters);
        list_remove(&name->waiters);
        list_remove(&name->woken);
        while ((at = list_first(&waiters)) != NULL) {
            struct resolver_waiter *waiter = container_of(at, struct resolver_waiter, node);
            list_remove(at);
            waiter->woken(waiter, &found);
        }
    }
}

static void set_alarm(struct resolver *resolver)
{
    struct timeval wait;
    if (!list_empty(&resolver->found))
        alarm_soon(resolver->alarms, &resolver->alarm);
    else if (ares_timeout(resolver->channel, NULL, &wait) == NULL)
        alarm_clear(resolver->alarms, &resolver->alarm);
    else
        alarm_set(resolver->alarms, &resolver->alarm,
                  clock_steady_ms() + wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1);
}

static void turn(struct resolver *resolver, ares_socket_t readable, ares_socket_t writable)
{
    ares_process_fd(resolver->channel, readable, writable);
    wake_all(resolver);
    set_alarm(resolver);
}

static void ring(struct alarm *alarm)
{
    turn(container_of(alarm, struct resolver, alarm), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* c-ares does not tell that from name servers that cannot be reached. */
static bool no_descriptor(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return errno == EMFILE || errno == ENFILE;
    close(fd);
    return false;
}

static const char *failure_words(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
        return "the name does not exist";
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "the name servers did not answer in time";
    case ARES_ECONNREFUSED:
        return "no name server gave an answer"; /* none reached, or each one failed */
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
    case ARES_EFORMERR:
    case ARES_EBADRESP:
        return "the name server failed";
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
    case ARES_EBADSTR:
        return "this is not a host name";
    default:
        return ares_strerror(status);
    }
}

static const struct ares_addrinfo_node *next_of(const struct ares_addrinfo_node *node, int family)
{
    while (node != NULL && node->ai_family != family)
        node = node->ai_next;
    return node;
}

static void keep_address(struct resolved *found, const struct ares_addrinfo_node *node)
{
    union address *to = &found->addresses[found->count++];
    memset(to, 0, sizeof(*to));
    if (node->ai_family == AF_INET6)
        memcpy(&to->v6, node->ai_addr, sizeof(to->v6));
    else
        memcpy(&to->v4, node->ai_addr, sizeof(to->v4));
}

/* IPv6 and IPv4 by turns, so that one family that is broken costs one try, not many.  Gives the
 * least TTL. */
static int keep_addresses(struct resolved *found, const struct ares_addrinfo_node *nodes)
{
    int ttl = TTL_MOST_S;
    const struct ares_addrinfo_node *v6 = next_of(nodes, AF_INET6);
    const struct ares_addrinfo_node *v4 = next_of(nodes, AF_INET);
    while ((v6 != NULL || v4 != NULL) && found->count < RESOLVED_MAX) {
        if (v6 != NULL) {
            keep_address(found, v6);
            ttl = v6->ai_ttl < ttl ? v6->ai_ttl : ttl;
            v6 = next_of(v6->ai_next, AF_INET6);
        }
        if (v4 != NULL && found->count < RESOLVED_MAX) {
            keep_address(found, v4);
            ttl = v4->ai_ttl < ttl ? v4->ai_ttl : ttl;
            v4 = next_of(v4->ai_next, AF_INET);
        }
    }
    return ttl < TTL_LEAST_S ? TTL_LEAST_S : ttl;
}

static void answered(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    struct name *name = data;
    struct resolver *resolver = name->resolver;
    struct resolved *found = &name->found;
    int seconds = FAILURE_S;
    *found = (struct resolved){ .error = EXCHANGE_DNS };
    if (status == ARES_SUCCESS)
        seconds = keep_addresses(found, info->nodes);
    bool unasked = status == ARES_ECONNREFUSED && no_descriptor();
    if (found->count > 0)
        found->error = EXCHANGE_OK;
    else if (unasked)
        *found = (struct resolved){ .error = EXCHANGE_NO_ROOM,
                                    .detail = "no file descriptor to ask a name server with" };
    else
        snprintf(found->detail, sizeof(found->detail), "%.90s: %.60s", name->host,
                 failure_words(status == ARES_SUCCESS ? ARES_ENODATA : status));
    ares_freeaddrinfo(info);
    found->until_ms = clock_steady_ms() + seconds * 1000;
    name->pending = false;
    resolver->pending--;
    list_append(&resolver->found, &name->woken);
}

static void free_name(struct name *name)
{
    list_remove(&name->age);
    list_remove(&name->woken);
    free(name->host);
    free(name);
}

/* Makes room for one more; false when every name is being looked up. */
static bool evict_one(struct resolver *resolver)
{
    for (struct list *at = resolver->ages.next; at != &resolver->ages; at = at->next) {
        struct name *name = container_of(at, struct name, age);
        if (name->pending || !list_empty(&name->waiters))
            continue;
        map_remove_text(&resolver->names, name->host, strlen(name->host));
        free_name(name);
        return true;
    }
    return false;
}

static struct name *find_name(struct resolver *resolver, const char *host)
{
    size_t len = strlen(host);
    struct name *name = map_get_text(&resolver->names, host, len);
    if (name == NULL) {
        if (resolver->names.count >= RESOLVER_NAMES_MAX && !evict_one(resolver))
            return NULL;
        name = must_alloc(sizeof(*name));
        name->resolver = resolver;
        name->host = must_copy_bytes(host, len);
        list_init(&name->waiters);
        list_init(&name->age);
        list_init(&name->woken);
        map_put_text(&resolver->names, host, len, name);
    }
    list_remove(&name->age);
    list_append(&resolver->ages, &name->age);
    return name;
}

static void look_up(struct resolver *resolver, struct name *name)
{
    struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    reopen_if_changed(resolver);
    name->pending = true;
    resolver->pending++;
    ares_getaddrinfo(resolver->channel, name->host, NULL, &hints, answered, name);
}

const struct resolved *resolver_ask(struct resolver *resolver, const char *host,
                                    struct resolver_waiter *waiter)
{
    static const struct resolved too_many = {
        .error = EXCHANGE_DNS,
        .detail = "too many names are being looked up",
    };
    struct name *name = find_name(resolver, host);
    if (name == NULL)
        return &too_many;
    bool waited_for = !list_empty(&name->waiters);
    bool stale = name->found.until_ms <= clock_steady_ms();
    if (!name->pending && !waited_for && stale)
        look_up(resolver, name);
    bool known = !name->pending && !waited_for;
    if (known)
        list_remove(&name->woken);
    else
        list_append(&name->waiters, &waiter->node);
    set_alarm(resolver);
    return known ? &name->found : NULL;
}

void resolver_doubt(struct resolver *resolver, const char *host)
{
    struct name *name = map_get_text(&resolver->names, host, strlen(host));
    int64_t soon = clock_steady_ms() + TTL_LEAST_S * 1000;
    if (name != NULL && name->found.until_ms > soon)
        name->found.until_ms = soon;
}

void resolver_forget(struct resolver_waiter *waiter)
{
    list_remove(&waiter->node);
}

struct resolver *resolver_new(uv_loop_t *loop, struct alarms *alarms, const char *servers,
                              struct error *error)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS)
        die("c-ares cannot start: %s", ares_strerror(status));
    struct resolver *resolver = must_alloc(sizeof(*resolver));
    resolver->loop = loop;
    resolver->alarms = alarms;
    resolver->alarm.ring = ring;
    resolver->servers = must_copy(servers);
    list_init(&resolver->ages);
    list_init(&resolver->found);
    list_init(&resolver->watches);
    status = open_channel(resolver);
    if (status != ARES_SUCCESS) {
        if (servers != NULL)
            error_set(error, ERROR_INVALID,
                      "--name-servers: “%.200s” cannot be used (%s); write addresses as "
                      "127.0.0.1:53,[::1]:53",
                      servers, ares_strerror(status));
        else
            error_set(error, ERROR_BROKEN, "the resolver cannot start: %s", ares_strerror(status));
        free(resolver->servers);
        free(resolver);
        ares_library_cleanup();
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    struct list *at;
    ares_destroy(resolver->channel); /* ends every query and drops every watch */
    alarm_clear(resolver->alarms, &resolver->alarm);
    while ((at = list_first(&resolver->watches)) != NULL)
        drop_watch(container_of(at, struct watch, node));
    while ((at = list_first(&resolver->ages)) != NULL) {
        struct name *name = container_of(at, struct name, age);
        list_remove(&name->waiters);
        free_name(name);
    }
    map_free(&resolver->names);
    free(resolver->servers);
    free(resolver);
    ares_library_cleanup();
}
