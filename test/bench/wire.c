/* wire.c — see wire.h. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void fail(const char *what)
{
    perror(what);
    exit(1);
}

const char *flag(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

static struct sockaddr_in loopback(int host, int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)host) };
}

static void no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int listen_at(int host, int port)
{
    struct sockaddr_in address = loopback(host, port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
        listen(fd, 1024) == -1)
        fail("listen");
    return fd;
}

int listen_on(int port, int *bound)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = listen_at(1, port);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *bound = ntohs(address.sin_port);
    return fd;
}

int connect_try(int port)
{
    struct sockaddr_in address = loopback(1, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    no_delay(fd);
    return fd;
}

int connect_to(int port)
{
    int fd = connect_try(port);
    if (fd == -1)
        fail("connect");
    return fd;
}

struct conn *conn_new(int epoll, int fd, void *data)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    *conn = (struct conn){ .fd = fd, .in_cap = 16384, .out_cap = 16384, .data = data };
    conn->in = malloc(conn->in_cap);
    conn->out = malloc(conn->out_cap);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    no_delay(fd);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
        fail("epoll_ctl");
    return conn;
}

void conn_free(struct conn *conn)
{
    close(conn->fd);
    free(conn->in);
    free(conn->out);
    free(conn);
}

bool conn_read(struct conn *conn)
{
    if (conn->in_cap - conn->in_len < 8192)
        conn->in = realloc(conn->in, conn->in_cap *= 2);
    ssize_t got = read(conn->fd, conn->in + conn->in_len, conn->in_cap - conn->in_len);
    if (got > 0)
        conn->in_len += (size_t)got;
    return got > 0 || (got == -1 && (errno == EAGAIN || errno == EINTR));
}

void conn_put(struct conn *conn, const void *bytes, size_t len)
{
    while (conn->out_cap - conn->out_len < len)
        conn->out = realloc(conn->out, conn->out_cap *= 2);
    memcpy(conn->out + conn->out_len, bytes, len);
    conn->out_len += len;
}

bool conn_flush(int epoll, struct conn *conn)
{
    if (conn->out_len > 0) {
        ssize_t put = write(conn->fd, conn->out, conn->out_len);
        if (put == -1 && errno != EAGAIN && errno != ENOTCONN)
            return false;
        if (put > 0) {
            conn->out_len -= (size_t)put;
            memmove(conn->out, conn->out + put, conn->out_len);
        }
    }
    bool wanted = conn->out_len > 0;
    if (wanted != conn->writable_wanted) {
        struct epoll_event event = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0),
                                     .data.ptr = conn };
        epoll_ctl(epoll, EPOLL_CTL_MOD, conn->fd, &event);
        conn->writable_wanted = wanted;
    }
    return true;
}

size_t message_whole(const struct conn *conn, const char **body, size_t *body_len)
{
    const char *end = memmem(conn->in, conn->in_len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - conn->in) + 4;
    *body_len = 0;
    for (const char *line = conn->in; line < end;) {
        if (strncasecmp(line, "content-length:", 15) == 0)
            *body_len = strtoul(line + 15, NULL, 10);
        const char *next = memchr(line, '\n', (size_t)(end + 2 - line));
        line = next != NULL ? next + 1 : end;
    }
    *body = conn->in + head;
    return conn->in_len >= head + *body_len ? head + *body_len : 0;
}

void message_drop(struct conn *conn, size_t len)
{
    conn->in_len -= len;
    memmove(conn->in, conn->in + len, conn->in_len);
}

void quantiles_add(struct quantiles *quantiles, int64_t value)
{
    if (quantiles->count == quantiles->cap) {
        quantiles->cap = quantiles->cap != 0 ? quantiles->cap * 2 : 65536;
        quantiles->values = realloc(quantiles->values, quantiles->cap * sizeof(*quantiles->values));
    }
    quantiles->values[quantiles->count++] = value;
    quantiles->sorted = false;
}

void quantiles_clear(struct quantiles *quantiles)
{
    quantiles->count = 0;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t quantile(struct quantiles *quantiles, double q)
{
    if (quantiles->count == 0)
        return 0;
    if (!quantiles->sorted)
        qsort(quantiles->values, quantiles->count, sizeof(*quantiles->values), compare);
    quantiles->sorted = true;
    return quantiles->values[(size_t)(q * (double)(quantiles->count - 1))];
}
