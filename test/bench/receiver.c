/* receiver.c — the bench's receiver: answers every POST with 200 and measures.
 *
 *   receiver [--port N] [--delay-ms N] [--addresses N] [--log FILE]
 *
 * Prints its port.  A body that holds "CustomerId":"<steady µs>" gives a latency.  GET /stats
 * answers what came since the last GET /reset as JSON ("connections": opened for postbacks;
 * "first_us": the latency of the first), GET /count only how many, without sorting latencies.
 * --delay-ms answers that much later; after GET /hang nothing is answered any more.  --addresses
 * listens on 127.0.0.2 and the N - 1 after it too.  A POST to /flaky is answered 500 where the
 * ActionId is a multiple of 3 and came for the first time.  --log writes the ActionId of each POST
 * answered 200.
 */
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct quantiles latencies;
static int64_t received, requests, connections, first_us, last_us;
static bool hanging;
static FILE *numbers;

enum { NUMBERS_MOST = 1 << 24, ADDRESSES_MOST = 1024 };
static char came[NUMBERS_MOST]; /* by ActionId */

struct later { /* a ring of answers that are due in order */
    struct conn *conn;
    int fd;
    int64_t due_us;
};
enum { RING = 65536 };
static struct later ring[RING];
static unsigned ring_head, ring_tail;

static void answer(struct conn *conn)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
    conn_put(conn, text, sizeof(text) - 1);
}

static void answer_failed(struct conn *conn)
{
    static const char text[] = "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n";
    conn_put(conn, text, sizeof(text) - 1);
}

static void answer_json(struct conn *conn, const char *body, int len)
{
    char head[128];
    int head_len =
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len);
    conn_put(conn, head, (size_t)head_len);
    conn_put(conn, body, (size_t)len);
}

static void answer_stats(struct conn *conn)
{
    char body[512];
    int len = snprintf(body, sizeof(body),
                       "{\"received\":%lld,\"requests\":%lld,\"connections\":%lld,"
                       "\"p50_us\":%lld,\"p99_us\":%lld,\"least_us\":%lld,\"first_us\":%lld,"
                       "\"last_us\":%lld}",
                       (long long)received, (long long)requests, (long long)connections,
                       (long long)quantile(&latencies, 0.5), (long long)quantile(&latencies, 0.99),
                       (long long)quantile(&latencies, 0), (long long)first_us, (long long)last_us);
    answer_json(conn, body, len);
    if (numbers != NULL)
        fflush(numbers);
}

static void answer_count(struct conn *conn)
{
    char body[64];
    answer_json(conn, body,
                snprintf(body, sizeof(body), "{\"received\":%lld}", (long long)received));
}

static void reset(void)
{
    received = requests = connections = first_us = last_us = 0;
    quantiles_clear(&latencies);
}

static void take(const char *body, size_t len)
{
    static const char mark[] = "\"CustomerId\":\"";
    int64_t now = now_us();
    received++;
    last_us = now;
    const char *at = memmem(body, len, mark, sizeof(mark) - 1);
    if (at == NULL)
        return;
    int64_t latency = now - strtoll(at + sizeof(mark) - 1, NULL, 10);
    if (latencies.count == 0)
        first_us = latency;
    quantiles_add(&latencies, latency);
}

/* Whether it is answered 500. */
static bool fails(const struct conn *conn, const char *body, size_t len)
{
    static const char mark[] = "\"ActionId\":\"";
    bool flaky = strncmp(conn->in, "POST /flaky", 11) == 0;
    const char *at = flaky || numbers != NULL ? memmem(body, len, mark, sizeof(mark) - 1) : NULL;
    if (at == NULL)
        return false;
    int64_t number = strtoll(at + sizeof(mark) - 1, NULL, 10);
    if (flaky && number % 3 == 0 && number < NUMBERS_MOST && !came[number]) {
        came[number] = 1;
        return true;
    }
    if (numbers != NULL)
        fprintf(numbers, "%lld\n", (long long)number);
    return false;
}

/* Whoever asks does so on a connection of its own, which is not counted. */
static void handle_question(struct conn *conn)
{
    connections--;
    if (strncmp(conn->in, "GET /count", 10) == 0) {
        answer_count(conn);
    } else if (strncmp(conn->in, "GET /stats", 10) == 0) {
        answer_stats(conn);
    } else {
        answer(conn);
        if (strncmp(conn->in, "GET /hang", 9) == 0)
            hanging = true;
        else
            reset();
    }
}

static void handle(struct conn *conn, int64_t delay_us)
{
    const char *body;
    size_t body_len, len;
    while ((len = message_whole(conn, &body, &body_len)) != 0) {
        if (strncmp(conn->in, "GET ", 4) == 0) {
            handle_question(conn);
        } else if (!hanging) {
            requests++;
            if (fails(conn, body, body_len)) {
                answer_failed(conn);
                message_drop(conn, len);
                continue;
            }
            take(body, body_len);
            if (delay_us == 0)
                answer(conn);
            else
                ring[ring_tail++ % RING] = (struct later){ conn, conn->fd, now_us() + delay_us };
        }
        message_drop(conn, len);
    }
}

static int flush_due(int epoll)
{
    while (ring_head != ring_tail && ring[ring_head % RING].due_us <= now_us()) {
        struct later *due = &ring[ring_head++ % RING];
        if (due->conn == NULL)
            continue;
        answer(due->conn);
        conn_flush(epoll, due->conn);
    }
    return ring_head == ring_tail ? -1 : 1;
}

static void forget(struct conn *conn)
{
    for (unsigned at = ring_head; at != ring_tail; at++)
        if (ring[at % RING].conn == conn)
            ring[at % RING].conn = NULL;
    conn_free(conn);
}

int main(int argc, char **argv)
{
    int port, epoll = epoll_create1(0);
    int listener = listen_on(atoi(flag(argc, argv, "--port", "0")), &port);
    int64_t delay_us = atoll(flag(argc, argv, "--delay-ms", "0")) * 1000;
    const char *log = flag(argc, argv, "--log", NULL);
    int addresses = atoi(flag(argc, argv, "--addresses", "1"));
    static int listeners[ADDRESSES_MOST];
    struct epoll_event event = { .events = EPOLLIN }, events[256];
    if (log != NULL && (numbers = fopen(log, "w")) == NULL)
        fail(log);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < addresses && i < ADDRESSES_MOST; i++) {
        listeners[i] = i == 0 ? listener : listen_at(1 + i, port);
        event.data.ptr = &listeners[i];
        epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &event);
    }
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, flush_due(epoll));
        for (int i = 0; i < count; i++) {
            int *which = events[i].data.ptr;
            if (which >= listeners && which < listeners + ADDRESSES_MOST) {
                int fd = accept(*which, NULL, NULL);
                if (fd == -1)
                    continue;
                conn_new(epoll, fd, NULL);
                connections++;
                continue;
            }
            struct conn *conn = events[i].data.ptr;
            bool alive = (events[i].events & ~(unsigned)EPOLLOUT) == 0 || conn_read(conn);
            if (alive)
                handle(conn, delay_us);
            if (!alive || !conn_flush(epoll, conn))
                forget(conn);
        }
    }
}
