/* http_house.h — an HTTP server that turns its loop on a thread of its own, and a client on a raw
 * socket that speaks to it over loopback. */
#ifndef POSTBACKD_TEST_HTTP_HOUSE_H
#define POSTBACKD_TEST_HTTP_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "server/server.h"
#include "until.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- the server under test ---- */

static struct server *server;
static struct limits *limits;
static uv_loop_t loop;
static uv_async_t stop, knock;
static sem_t knocks_heard;
static pthread_t thread;
static int port;
static bool stop_at_once; /* also when calls are still coming in */

static inline void stop_asked(uv_async_t *async)
{
    (void)async;
    if (server_calls(server) > 0 && !stop_at_once) {
        uv_async_send(&stop);
        return;
    }
    server_free(server);
    uv_close((uv_handle_t *)&stop, NULL);
    uv_close((uv_handle_t *)&knock, NULL);
}

static inline void knock_heard(uv_async_t *async)
{
    (void)async;
    sem_post(&knocks_heard);
}

/* Returns when the server has seen all that was sent to it until now.  The turn of its loop in
 * which a knock is heard may have begun before; the one after it has not. */
static inline void server_has_turned(void)
{
    for (int i = 0; i < 2; i++) {
        uv_async_send(&knock);
        while (sem_wait(&knocks_heard) == -1)
            assert_int_equal(errno, EINTR);
    }
}

static inline void *turn(void *nothing)
{
    (void)nothing;
    uv_run(&loop, UV_RUN_DEFAULT);
    return NULL;
}

static inline void start_server(const struct route *routes, size_t count,
                                void (*enter)(struct call *call, void *context), int idle_s)
{
    struct error error = { 0 };
    limits = limits_new(5);
    stop_at_once = false;
    uv_loop_init(&loop);
    uv_async_init(&loop, &stop, stop_asked);
    uv_async_init(&loop, &knock, knock_heard);
    sem_init(&knocks_heard, 0, 0);
    const struct server_config config = { .listen = "127.0.0.1:0",
                                          .routes = routes,
                                          .route_count = count,
                                          .enter = enter,
                                          .limits = limits,
                                          .idle_s = idle_s };
    server = server_new(&loop, &config, &error);
    if (server == NULL)
        fail_msg("%s", error.message);
    port = server_port(server);
    pthread_create(&thread, NULL, turn, NULL);
}

/* Each program says what it serves: start_server() with its routes. */
static void house_open(int idle_s);

static inline int start(void **state)
{
    (void)state;
    house_open(60);
    return 0;
}

/* A client that says nothing for a second is cut off. */
static inline int start_impatient(void **state)
{
    (void)state;
    house_open(1);
    return 0;
}

static inline int finish(void **state)
{
    (void)state;
    uv_async_send(&stop);
    pthread_join(thread, NULL);
    limits_free(limits);
    return uv_loop_close(&loop);
}

struct waiting_call {
    uv_timer_t timer;
    struct call *call;
    void (*then)(struct call *call);
};

static inline void waiting_call_freed(uv_handle_t *timer)
{
    free(timer);
}

static inline void its_time_has_come(uv_timer_t *timer)
{
    struct waiting_call *waiting = (struct waiting_call *)timer;
    uv_close((uv_handle_t *)timer, waiting_call_freed);
    waiting->then(waiting->call);
}

/* The call is answered by `then`, so many milliseconds from now, as one that waits for the disk. */
static inline void call_later(struct call *call, uint64_t ms, void (*then)(struct call *call))
{
    struct waiting_call *waiting = must_alloc(sizeof(*waiting));
    waiting->call = call;
    waiting->then = then;
    uv_timer_init(&loop, &waiting->timer);
    uv_timer_start(&waiting->timer, its_time_has_come, ms, 0);
}

/* What a sign-in finds: an account of a partner. */
static inline void call_is_of_partner(struct call *call)
{
    call->caller =
        (struct caller){ .account = 1, .sid = "PA1", .kind = ACCOUNT_PARTNER, .scope = SCOPE_API };
}

/* ---- the client ---- */

static inline int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    const struct timeval patience = { .tv_sec = 10 };
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
        fail_msg("connect: %s", strerror(errno));
    return fd;
}

static inline void say_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* closed on us: what came back tells the rest */
        bytes += sent;
        len -= (size_t)sent;
    }
}

static inline void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

static char heard[256 * 1024];

/* One answer, headers and body by Content-Length; "" when the connection ended first. */
static inline const char *hear(int fd, bool head)
{
    size_t len = 0;
    for (;;) {
        const char *end = strstr(heard, "\r\n\r\n");
        if (len > 0 && end != NULL) {
            const char *length = strstr(heard, "Content-Length: ");
            size_t body =
                length != NULL && length < end && !head ? strtoul(length + 16, NULL, 10) : 0;
            if (len >= (size_t)(end - heard) + 4 + body)
                return heard;
        }
        /* a byte at a time before the end of the headers, so that no later answer is taken */
        ssize_t got = recv(fd, heard + len, 1, 0);
        if (got <= 0) {
            heard[0] = '\0';
            return heard;
        }
        len += (size_t)got;
        heard[len] = '\0';
    }
}

static inline int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static inline const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

/* One request on a connection of its own. */
static inline const char *ask(const char *request)
{
    int fd = dial();
    say(fd, request);
    const char *answer = hear(fd, strncmp(request, "HEAD ", 5) == 0);
    close(fd);
    return answer;
}

static inline void expect_status(const char *request, int status)
{
    const char *answer = ask(request);
    if (status_of(answer) != status)
        fail_msg("%.60s: expected %d, got \"%.300s\"", request, status, answer);
}

static inline void expect_body(const char *request, const char *body)
{
    const char *answer = ask(request);
    if (status_of(answer) != 200)
        fail_msg("%.60s: expected 200, got \"%.300s\"", request, answer);
    assert_string_equal(body_of(answer), body);
}

static inline bool has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

/* The connection is closed, by FIN or reset. */
static inline bool ended(int fd)
{
    char byte;
    ssize_t got;
    do
        got = recv(fd, &byte, 1, 0);
    while (got == 1);
    return got == 0 || errno == ECONNRESET;
}

/* Says `drops[i]` to each connection ten times a second, so that it is never idle and never done,
 * until all were ended by the other side; fails when one goes on. */
static inline void drip_until_ended(const int *fds, const char *const *drops, size_t count)
{
    enum { TURNS = 300 };
    for (size_t i = 0, turn = 0; i < count; turn++) {
        struct pollfd end = { .fd = fds[i], .events = POLLIN };
        for (size_t k = i; k < count; k++)
            say(fds[k], drops[k]);
        if (turn == TURNS)
            fail_msg("connection %zu of %zu, which gets \"%s\", goes on", i, count, drops[i]);
        if (poll(&end, 1, 100) > 0 && ended(fds[i]))
            i++;
    }
}

#define HOST "Host: x\r\n"

#endif
