/* postgres_proxy.h — a road to the test's PostgreSQL that breaks on command.
 *
 * It listens on a Unix socket beside the server's and passes bytes on, one connection at a time, on
 * a thread of its own.  What is read at once in one direction is a piece: a fault is armed for the
 * Nth piece from now, or for the first that contains some words.
 */
#ifndef POSTBACKD_TEST_POSTGRES_PROXY_H
#define POSTBACKD_TEST_POSTGRES_PROXY_H

#include "postgres_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct {
    char folder[96];
    int listener, stop[2];
    pthread_t thread;
    atomic_int pieces_left; /* the connection is cut instead of passing the Nth on; 0: never */
    _Atomic(const char *) cut_at_request, cut_at_answer; /* words; NULL: none */
    atomic_bool silent;                                  /* passes nothing on, and cuts nothing */
    atomic_int cuts;
} proxy;

static inline int proxy_socket(const char *folder, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/.s.PGSQL.5432", folder);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Whether the connection breaks at this piece. */
static inline bool proxy_cuts(_Atomic(const char *) *at, const char *piece, size_t len)
{
    const char *words = atomic_load(at);
    int left = atomic_load(&proxy.pieces_left);
    bool found = words != NULL && memmem(piece, len, words, strlen(words)) != NULL;
    if (found)
        atomic_store(at, NULL);
    if (left > 0)
        atomic_store(&proxy.pieces_left, left - 1);
    return found || left == 1;
}

/* False: the connection ends. */
static inline bool proxy_pass(int from, int to, _Atomic(const char *) *cut_at)
{
    static char piece[65536];
    ssize_t len = read(from, piece, sizeof(piece));
    if (len <= 0)
        return false;
    if (proxy_cuts(cut_at, piece, (size_t)len)) {
        atomic_fetch_add(&proxy.cuts, 1);
        return false;
    }
    for (ssize_t done = 0, sent; done < len; done += sent) {
        sent = send(to, piece + done, (size_t)(len - done), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
    }
    return true;
}

/* False: the proxy is to end. */
static inline bool proxy_serve(int client)
{
    struct sockaddr_un address;
    int server = proxy_socket(postgres_server.folder, &address);
    bool open = connect(server, (struct sockaddr *)&address, sizeof(address)) == 0, on = true;

    while (open && on) {
        bool silent = atomic_load(&proxy.silent);
        struct pollfd fds[] = { { .fd = proxy.stop[0], .events = POLLIN },
                                { .fd = silent ? -1 : client, .events = POLLIN },
                                { .fd = silent ? -1 : server, .events = POLLIN } };
        poll(fds, 3, 10);
        on = fds[0].revents == 0;
        if (open && fds[1].revents != 0)
            open = proxy_pass(client, server, &proxy.cut_at_request);
        if (open && fds[2].revents != 0)
            open = proxy_pass(server, client, &proxy.cut_at_answer);
    }
    close(server);
    close(client);
    return on;
}

static inline void *proxy_main(void *context)
{
    (void)context;
    for (bool on = true; on;) {
        struct pollfd fds[] = { { .fd = proxy.stop[0], .events = POLLIN },
                                { .fd = proxy.listener, .events = POLLIN } };
        poll(fds, 2, -1);
        int client = fds[0].revents == 0 ? accept(proxy.listener, NULL, NULL) : -1;
        on = fds[0].revents == 0 && (client == -1 || proxy_serve(client));
    }
    return NULL;
}

static inline void proxy_start(void)
{
    struct sockaddr_un address;
    snprintf(proxy.folder, sizeof(proxy.folder), "%s/proxy", postgres_server.folder);
    if (mkdir(proxy.folder, 0700) != 0 || pipe2(proxy.stop, O_CLOEXEC) != 0)
        abort();
    proxy.listener = proxy_socket(proxy.folder, &address);
    if (bind(proxy.listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(proxy.listener, 8) != 0 ||
        pthread_create(&proxy.thread, NULL, proxy_main, NULL) != 0)
        abort();
}

static inline void proxy_calm(void)
{
    atomic_store(&proxy.pieces_left, 0);
    atomic_store(&proxy.cut_at_request, NULL);
    atomic_store(&proxy.cut_at_answer, NULL);
    atomic_store(&proxy.silent, false);
    atomic_store(&proxy.cuts, 0);
}

static inline void proxy_end(void)
{
    close(proxy.stop[1]);
    pthread_join(proxy.thread, NULL);
    close(proxy.stop[0]);
    close(proxy.listener);
    proxy_calm();
}

#endif
