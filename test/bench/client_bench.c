/* client_bench.c — what one exchange costs the client.
 *
 * A receiver in a process of its own (a bare epoll loop) answers at once; the client keeps 64
 * exchanges in flight over kept-alive connections and counts its own thread's CPU time.  Prints
 * exchanges a second and µs of CPU an exchange, and the same for a bare loop of epoll, send() and
 * recv() that parses nothing: what the system itself costs.  `client_bench [EXCHANGES]`.
 */
#include "base/clock.h"
#include "courier/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 64, BODY = 400, DEFAULT_COUNT = 400000 };

static const char answer[] = "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 2\r\n\r\nok";

struct bench {
    struct client *client;
    struct destination to;
    struct request request;
    int64_t to_send, in_flight, failed;
};

static void done(void *context, struct attempt *attempt);

static void send_one(struct bench *bench)
{
    bench->to_send--;
    bench->in_flight++;
    client_send(bench->client, &bench->to, "POST", &bench->request, done, bench);
}

static void done(void *context, struct attempt *attempt)
{
    struct bench *bench = context;
    bench->in_flight--;
    bench->failed += attempt->error != EXCHANGE_OK || attempt->status != 200;
    attempt_free(attempt);
    if (bench->to_send > 0)
        send_one(bench);
}

/* Requests here are smaller than one read and never pipelined, so a read is a request. */
static void receive(int listener)
{
    static char bytes[65536];
    struct epoll_event ready[256], about = { .events = EPOLLIN, .data.fd = listener };
    int epoll = epoll_create1(0), on = 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &about);
    for (;;) {
        int count = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                about.data.fd = accept(listener, NULL, NULL);
                setsockopt(about.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                epoll_ctl(epoll, EPOLL_CTL_ADD, about.data.fd, &about);
            } else if (recv(fd, bytes, sizeof(bytes), 0) <= 0 ||
                       send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) <= 0) {
                close(fd);
            }
        }
    }
}

static int start_receiver(pid_t *child)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, size) == -1 || listen(fd, 256) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &size) == -1) {
        perror("client_bench: listen");
        exit(1);
    }
    *child = fork();
    if (*child == 0)
        receive(fd);
    close(fd);
    return ntohs(address.sin_port);
}

static int64_t cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

static void build(struct bench *bench, int port)
{
    char body[BODY];
    memset(body, 'x', sizeof(body));
    bench->to = (struct destination){ .host = "127.0.0.1", .port = port };
    buf_str(&bench->request.target, "/postback?id=1234567890");
    buf_fmt(&bench->request.headers,
            "Host: 127.0.0.1:%d\r\nUser-Agent: postbackd/bench\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n"
            "webhook-id: 1234567890123456789\r\nwebhook-timestamp: 1790000000\r\n"
            "webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=\r\n",
            port, BODY);
    buf_add(&bench->request.body, body, sizeof(body));
}

static void print(const char *what, int64_t count, int64_t failed, int64_t took, int64_t cpu)
{
    printf("%-6s %lld exchanges, %lld failed, %.0f/s, %.2f us CPU each\n", what, (long long)count,
           (long long)failed, (double)count * 1e6 / (double)took, (double)cpu / (double)count);
}

static int64_t run_client(int port, int64_t count)
{
    static const char *const loopback[] = { "127.0.0.0/8" };
    const struct client_config config = { .allow_egress = loopback, .allow_egress_count = 1 };
    struct error error = { 0 };
    struct bench bench = { .to_send = count };
    uv_loop_t loop;
    uv_loop_init(&loop);
    bench.client = client_new(&loop, &config, &error);
    if (bench.client == NULL) {
        fprintf(stderr, "client_bench: %s\n", error.message);
        exit(1);
    }
    build(&bench, port);
    int64_t started = clock_steady_us(), cpu = cpu_us();
    for (int i = 0; i < IN_FLIGHT && bench.to_send > 0; i++)
        send_one(&bench);
    while (bench.in_flight > 0)
        uv_run(&loop, UV_RUN_ONCE);
    print("client", count, bench.failed, clock_steady_us() - started, cpu_us() - cpu);
    client_free(bench.client);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    request_free(&bench.request);
    return bench.failed;
}

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
        perror("client_bench: connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void run_bare(int port, int64_t count)
{
    static char bytes[65536], request[900];
    struct epoll_event ready[IN_FLIGHT], about = { .events = EPOLLIN };
    int64_t sent = 0, answered = 0, failed = 0;
    int epoll = epoll_create1(0), fds[IN_FLIGHT];
    for (int i = 0; i < IN_FLIGHT; i++) {
        fds[i] = about.data.fd = connect_to(port);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &about);
    }
    int64_t started = clock_steady_us(), cpu = cpu_us();
    for (int i = 0; i < IN_FLIGHT && sent < count; i++, sent++)
        failed += send(fds[i], request, sizeof(request), MSG_NOSIGNAL) <= 0;
    while (answered < sent) {
        int events = epoll_wait(epoll, ready, IN_FLIGHT, -1);
        for (int i = 0; i < events; i++) {
            answered++;
            failed += recv(ready[i].data.fd, bytes, sizeof(bytes), 0) <= 0;
            if (sent < count && ++sent > 0)
                failed += send(ready[i].data.fd, request, sizeof(request), MSG_NOSIGNAL) <= 0;
        }
    }
    print("bare", count, failed, clock_steady_us() - started, cpu_us() - cpu);
    for (int i = 0; i < IN_FLIGHT; i++)
        close(fds[i]);
    close(epoll);
}

int main(int argc, char **argv)
{
    int64_t count = argc > 1 ? strtoll(argv[1], NULL, 10) : DEFAULT_COUNT;
    pid_t child;
    int port = start_receiver(&child);
    run_bare(port, count);
    int64_t failed = run_client(port, count);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return failed != 0;
}
