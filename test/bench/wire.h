/* wire.h — just enough HTTP over epoll for the bench's own programs.
 *
 * Messages have a Content-Length or no body.  Nothing here is hardened: both ends are ours.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn {
    int fd;
    bool writable_wanted;
    char *in, *out;
    size_t in_len, in_cap, out_len, out_cap;
    void *data; /* the program's own */
};

int64_t now_us(void);
int listen_on(int port, int *bound); /* loopback; port 0: a free one */
int listen_at(int host, int port);   /* 127.0.0.0 + host */
int connect_to(int port);            /* loopback, non-blocking */
int connect_try(int port);           /* the same; -1: refused */
struct conn *conn_new(int epoll, int fd, void *data);
void conn_free(struct conn *conn);
bool conn_read(struct conn *conn); /* false: closed */
void conn_put(struct conn *conn, const void *bytes, size_t len);
bool conn_flush(int epoll, struct conn *conn); /* false: broken */

/* The length of the first whole message in conn->in, 0 when there is none yet; body is set. */
size_t message_whole(const struct conn *conn, const char **body, size_t *body_len);
void message_drop(struct conn *conn, size_t len);

struct quantiles { /* of int64 values, kept whole */
    int64_t *values;
    size_t count, cap;
    bool sorted;
};
void quantiles_add(struct quantiles *quantiles, int64_t value);
void quantiles_clear(struct quantiles *quantiles);
int64_t quantile(struct quantiles *quantiles, double q); /* sorts what came since it was asked */

const char *flag(int argc, char **argv, const char *name, const char *fallback);
void fail(const char *what); /* with errno; ends */

#endif
