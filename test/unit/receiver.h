/* receiver.h — a scripted receiver for the tests of the client: a thread for each connection that
 * runs a script, plain or over TLS.  A script ends when it returns or when the client hangs up.
 */
#ifndef POSTBACKD_TEST_RECEIVER_H
#define POSTBACKD_TEST_RECEIVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "until.h"

enum { PEERS_MAX = 512, REQUEST_BYTES = 2 * 1024 * 1024 };

struct receiver;

struct peer { /* one connection, seen from the receiver */
    struct receiver *receiver;
    pthread_t thread;
    int fd, number; /* from 1 */
    SSL *ssl;
    char *in; /* the request read last, then what came after it */
    size_t in_len, request_len;
};

typedef void script(struct peer *peer);

struct receiver {
    int listener, port;
    script *run;
    SSL_CTX *tls;
    const char *text; /* for scripts that say one thing */
    size_t text_len;
    pthread_t thread;
    struct peer peers[PEERS_MAX];
    _Atomic int connections, requests, resumed;
    atomic_bool go_on; /* for scripts that wait for the test */
    char last_request[4096];
};

static inline ssize_t peer_read(struct peer *peer, char *into, size_t size)
{
    if (peer->ssl != NULL)
        return SSL_read(peer->ssl, into, (int)size);
    return recv(peer->fd, into, size, 0);
}

static inline bool peer_say_bytes(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = peer->ssl != NULL ? SSL_write(peer->ssl, bytes, (int)len)
                                        : send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static inline bool peer_say(struct peer *peer, const char *text)
{
    return peer_say_bytes(peer, text, strlen(text));
}

/* The length of the request at the start of `in`, or 0 while it is not whole. */
static inline size_t whole_request(const struct peer *peer)
{
    const char *end = memmem(peer->in, peer->in_len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - peer->in) + 4, body = 0;
    const char *length = memmem(peer->in, head, "Content-Length:", 15);
    if (length != NULL)
        body = strtoul(length + 15, NULL, 10);
    return peer->in_len >= head + body ? head + body : 0;
}

/* Reads one whole request; false when the client hung up first. */
static inline bool peer_request(struct peer *peer)
{
    memmove(peer->in, peer->in + peer->request_len, peer->in_len - peer->request_len);
    peer->in_len -= peer->request_len;
    while ((peer->request_len = whole_request(peer)) == 0) {
        ssize_t got = peer_read(peer, peer->in + peer->in_len, REQUEST_BYTES - peer->in_len);
        if (got <= 0)
            return false;
        peer->in_len += (size_t)got;
    }
    size_t kept = peer->request_len < sizeof(peer->receiver->last_request) - 1
                      ? peer->request_len
                      : sizeof(peer->receiver->last_request) - 1;
    static pthread_mutex_t of_the_last = PTHREAD_MUTEX_INITIALIZER; /* several connections */
    pthread_mutex_lock(&of_the_last);
    memcpy(peer->receiver->last_request, peer->in, kept);
    peer->receiver->last_request[kept] = '\0';
    pthread_mutex_unlock(&of_the_last);
    peer->receiver->requests++;
    return true;
}

static inline void peer_wait_for_close(struct peer *peer)
{
    char bytes[4096];
    while (peer_read(peer, bytes, sizeof(bytes)) > 0)
        ;
}

/* The client hung up, or does so within that time. */
static inline bool peer_hung_up(struct peer *peer, int within_ms)
{
    struct pollfd end = { .fd = peer->fd, .events = POLLRDHUP };
    return poll(&end, 1, within_ms) > 0;
}

static inline void peer_reset(struct peer *peer)
{
    struct linger now = { .l_onoff = 1 };
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static inline void *peer_main(void *data)
{
    struct peer *peer = data;
    struct receiver *receiver = peer->receiver;
    bool up = true;
    if (receiver->tls != NULL) {
        peer->ssl = SSL_new(receiver->tls);
        SSL_set_fd(peer->ssl, peer->fd);
        up = SSL_accept(peer->ssl) == 1;
        if (up && SSL_session_reused(peer->ssl))
            receiver->resumed++;
    }
    peer->in = malloc(REQUEST_BYTES);
    if (up)
        receiver->run(peer);
    free(peer->in);
    SSL_free(peer->ssl);
    close(peer->fd);
    return NULL;
}

static inline void *receiver_main(void *data)
{
    struct receiver *receiver = data;
    for (int i = 0; i < PEERS_MAX; i++) {
        int fd = accept(receiver->listener, NULL, NULL);
        if (fd == -1)
            break;
        struct peer *peer = &receiver->peers[i];
        *peer = (struct peer){ .receiver = receiver, .fd = fd, .number = i + 1 };
        receiver->connections++;
        if (pthread_create(&peer->thread, NULL, peer_main, peer) != 0)
            abort();
    }
    return NULL;
}

static inline int listen_on_loopback(int backlog, int receive_bytes, int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    if (bind(fd, (struct sockaddr *)&address, size) == -1 || listen(fd, backlog) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &size) == -1)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

static inline struct receiver *receiver_start(script *run, SSL_CTX *tls)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    receiver->run = run;
    receiver->tls = tls;
    receiver->listener = listen_on_loopback(128, 0, &receiver->port);
    if (pthread_create(&receiver->thread, NULL, receiver_main, receiver) != 0)
        abort();
    return receiver;
}

/* After the client is gone: no script is then still waiting for it. */
static inline void receiver_stop(struct receiver *receiver)
{
    shutdown(receiver->listener, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    for (int i = 0; i < receiver->connections; i++)
        pthread_join(receiver->peers[i].thread, NULL);
    close(receiver->listener);
    free(receiver);
}

/* The common scripts. */

/* Answers every request with the receiver's text and goes on. */
static inline void script_answer(struct peer *peer)
{
    while (peer_request(peer))
        if (!peer_say_bytes(peer, peer->receiver->text, peer->receiver->text_len))
            return;
}

/* Answers one request with the receiver's text and closes. */
static inline void script_answer_and_close(struct peer *peer)
{
    if (peer_request(peer))
        peer_say_bytes(peer, peer->receiver->text, peer->receiver->text_len);
}

static inline void script_hang(struct peer *peer)
{
    if (peer_request(peer))
        peer_wait_for_close(peer);
}

#endif
