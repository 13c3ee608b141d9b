/* postgres_proxy.h — a road to the test's PostgreSQL that breaks on command.
 *
 * It listens on a Unix socket beside the server's and passes bytes on, on a thread of its own. What
 * is read at once in one direction is a piece: a fault is armed for the Nth piece from now, or for
 * the first that contains some words.
 */
#ifndef POSTBACKD_TEST_POSTGRES_PROXY_H
#define POSTBACKD_TEST_POSTGRES_PROXY_H

#include "postgres_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PROXY_PAIRS = 16 };

struct proxy_pair {
    int client, server; /* -1: it is not in use */
};

static struct {
    char folder[96];
    int listener, stop[2];
    struct proxy_pair pairs[PROXY_PAIRS];
    pthread_t thread;
    atomic_int pieces_left; /* the connection is cut instead of passing the Nth on; 0: never */
    _Atomic(const char *) cut_at_request, cut_at_answer; /* words; NULL: none */
    atomic_bool silent;                                  /* passes nothing on, and cuts nothing */
    atomic_int cuts;
} proxy;

static inline int proxy_socket(const char *folder, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int len = snprintf(address->sun_path, sizeof(address->sun_path), "%s/.s.PGSQL.5432", folder);
    if (len < 0 || (size_t)len >= sizeof(address->sun_path))
        return -1;
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

static inline void proxy_accept(void)
{
    struct sockaddr_un address;
    int client = accept(proxy.listener, NULL, NULL);
    int server = proxy_socket(postgres_server.folder, &address);
    struct proxy_pair *pair = proxy.pairs;

    while (pair < proxy.pairs + PROXY_PAIRS && pair->client != -1)
        pair++;
    if (pair == proxy.pairs + PROXY_PAIRS ||
        connect(server, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(client);
        close(server);
        return;
    }
    *pair = (struct proxy_pair){ client, server };
}

static inline void proxy_close(struct proxy_pair *pair)
{
    close(pair->client);
    close(pair->server);
    *pair = (struct proxy_pair){ -1, -1 };
}

static inline void *proxy_main(void *context)
{
    struct pollfd fds[2 + 2 * PROXY_PAIRS];

    for (;;) {
        bool silent = atomic_load(&proxy.silent);
        fds[0] = (struct pollfd){ .fd = proxy.stop[0], .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = proxy.listener, .events = POLLIN };
        for (int i = 0; i < PROXY_PAIRS; i++) {
            fds[2 + 2 * i] = (struct pollfd){ silent ? -1 : proxy.pairs[i].client, POLLIN, 0 };
            fds[3 + 2 * i] = (struct pollfd){ silent ? -1 : proxy.pairs[i].server, POLLIN, 0 };
        }
        poll(fds, 2 + 2 * PROXY_PAIRS, 10);
        if (fds[0].revents != 0)
            return context;
        for (int i = 0; i < PROXY_PAIRS; i++) {
            struct proxy_pair *pair = &proxy.pairs[i];
            bool open = fds[2 + 2 * i].revents == 0 ||
                        proxy_pass(pair->client, pair->server, &proxy.cut_at_request);
            open = open && (fds[3 + 2 * i].revents == 0 ||
                            proxy_pass(pair->server, pair->client, &proxy.cut_at_answer));
            if (!open)
                proxy_close(pair);
        }
        if (fds[1].revents != 0)
            proxy_accept();
    }
}

static inline void proxy_start(void)
{
    struct sockaddr_un address;
    snprintf(proxy.folder, sizeof(proxy.folder), "%s/proxy", postgres_server.folder);
    if (mkdir(proxy.folder, 0700) != 0 || pipe2(proxy.stop, O_CLOEXEC) != 0)
        abort();
    for (int i = 0; i < PROXY_PAIRS; i++)
        proxy.pairs[i] = (struct proxy_pair){ -1, -1 };
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
    for (int i = 0; i < PROXY_PAIRS; i++) {
        if (proxy.pairs[i].client != -1)
            proxy_close(&proxy.pairs[i]);
    }
    close(proxy.stop[0]);
    close(proxy.listener);
    char path[128];
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", proxy.folder);
    unlink(path);
    rmdir(proxy.folder);
    proxy_calm();
}

#endif
