/* From a name to a connected socket, with a name server of the test's own. */
#include "courier/dial.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { TYPE_A = 1, TYPE_AAAA = 28, SERVFAIL = 2, NXDOMAIN = 3, SILENT = 99 };

struct record { /* what the name server says of a name */
    const char *name;
    int code;
    int ttl;
    const char *v4[3], *v6[3];
};

static const struct record zone[] = {
    { "both.example", 0, 60, { "127.0.0.1", "127.0.0.2" }, { "::1", "::2" } },
    { "brief.example", 0, 0, { "127.0.0.1" }, { NULL } },
    { "four.example", 0, 60, { "127.0.0.1" }, { NULL } },
    { "private.example", 0, 60, { "10.0.0.1" }, { NULL } },
    { "mixed.example", 0, 60, { "10.0.0.1", "127.0.0.1" }, { "fd00::1" } },
    { "dual.example", 0, 60, { "127.0.0.1" }, { "::1" } },
    { "empty.example", 0, 60, { NULL }, { NULL } },
    { "broken.example", SERVFAIL, 0, { NULL }, { NULL } },
    { "silent.example", SILENT, 0, { NULL }, { NULL } },
};

struct name_server {
    int fd, port;
    pthread_t thread;
    _Atomic int queries;
    _Atomic bool stop;
};

static const struct record *find_record(const char *name)
{
    for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++)
        if (strcmp(zone[i].name, name) == 0)
            return &zone[i];
    return NULL;
}

/* "\3abc\2de\0" to "abc.de"; gives the bytes taken. */
static size_t read_name(const unsigned char *from, char *name)
{
    size_t at = 0;
    while (from[at] != 0) {
        memcpy(name, from + at + 1, from[at]);
        name += from[at];
        *name++ = '.';
        at += from[at] + 1u;
    }
    name[-1] = '\0';
    return at + 1;
}

static size_t add_answer(unsigned char *at, int type, int ttl, const char *address)
{
    int family = type == TYPE_A ? AF_INET : AF_INET6;
    size_t len = type == TYPE_A ? 4 : 16;
    const unsigned char head[] = { 0xc0, 12, 0, (unsigned char)type, 0, 1,
                                   0,    0,  0, (unsigned char)ttl,  0, (unsigned char)len };
    memcpy(at, head, sizeof(head));
    inet_pton(family, address, at + sizeof(head));
    return sizeof(head) + len;
}

/* Turns the query in `bytes` into its answer; 0: none. */
static size_t answer_query(unsigned char *bytes)
{
    char name[256];
    size_t len = 12 + read_name(bytes + 12, name);
    int type = bytes[len + 1];
    const struct record *record = find_record(name);
    len += 4;
    int code = record != NULL ? record->code : NXDOMAIN;
    if (code == SILENT)
        return 0;
    bytes[2] |= 0x80;
    bytes[3] = (unsigned char)(0x80 | code);
    memset(bytes + 6, 0, 6);
    if (record == NULL || code != 0)
        return len;
    const char *const *addresses = type == TYPE_A ? record->v4 : record->v6;
    for (int i = 0; i < 3 && addresses[i] != NULL; i++) {
        len += add_answer(bytes + len, type, record->ttl, addresses[i]);
        bytes[7]++;
    }
    return len;
}

static void *serve_names(void *data)
{
    struct name_server *server = data;
    unsigned char bytes[1024];
    struct sockaddr_in from;
    for (;;) {
        socklen_t size = sizeof(from);
        ssize_t got = recvfrom(server->fd, bytes, 512, 0, (struct sockaddr *)&from, &size);
        if (server->stop)
            return NULL;
        if (got < 17)
            continue;
        server->queries++;
        size_t len = answer_query(bytes);
        if (len > 0)
            sendto(server->fd, bytes, len, 0, (struct sockaddr *)&from, size);
    }
}

static int bound_socket(int family, int type, int port, int *given)
{
    union address address;
    socklen_t size = sizeof(address);
    memset(&address, 0, sizeof(address));
    int fd = socket(family, type, 0);
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.v4.sin_port = htons((uint16_t)port);
    } else {
        address.v6.sin6_addr = in6addr_loopback;
        address.v6.sin6_port = htons((uint16_t)port);
    }
    socklen_t len = family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
    if (fd == -1 || bind(fd, &address.any, len) == -1 ||
        getsockname(fd, &address.any, &size) == -1) {
        close(fd);
        return -1;
    }
    *given = ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return fd;
}

struct net { /* all that a dial needs */
    struct name_server server;
    uv_loop_t loop;
    struct dialer dialer;
};

static void net_start(struct net *net, const char *const *allow, size_t count)
{
    struct error error = { 0 };
    char servers[40];
    *net = (struct net){ 0 };
    alarm(60);
    net->server.fd = bound_socket(AF_INET, SOCK_DGRAM, 0, &net->server.port);
    assert_int_not_equal(net->server.fd, -1);
    assert_int_equal(pthread_create(&net->server.thread, NULL, serve_names, &net->server), 0);
    assert_int_equal(uv_loop_init(&net->loop), 0);
    snprintf(servers, sizeof(servers), "127.0.0.1:%d", net->server.port);
    net->dialer.loop = &net->loop;
    net->dialer.alarms = alarms_new(&net->loop);
    net->dialer.resolver = resolver_new(&net->loop, net->dialer.alarms, servers, &error);
    net->dialer.egress = egress_new(allow, count, &error);
    if (net->dialer.resolver == NULL || net->dialer.egress == NULL)
        fail_msg("%s", error.message);
}

static void net_stop(struct net *net)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)net->server.port) };
    resolver_free(net->dialer.resolver);
    alarms_free(net->dialer.alarms);
    egress_free(net->dialer.egress);
    uv_run(&net->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&net->loop), 0);
    net->server.stop = true;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sendto(net->server.fd, "", 1, 0, (struct sockaddr *)&to, sizeof(to));
    pthread_join(net->server.thread, NULL);
    close(net->server.fd);
    alarm(0);
}

static const char *const loopback[] = { "127.0.0.0/8", "::1" };

struct asked {
    struct resolver_waiter waiter;
    bool known;
    struct resolved found;
};

static void on_woken(struct resolver_waiter *waiter, const struct resolved *found)
{
    struct asked *asked = container_of(waiter, struct asked, waiter);
    asked->found = *found;
    asked->known = true;
}

static void ask(struct net *net, const char *host, struct asked *asked)
{
    *asked = (struct asked){ .waiter.woken = on_woken };
    list_init(&asked->waiter.node);
    const struct resolved *found = resolver_ask(net->dialer.resolver, host, &asked->waiter);
    if (found != NULL)
        on_woken(&asked->waiter, found);
}

static void resolve(struct net *net, const char *host, struct asked *asked)
{
    ask(net, host, asked);
    while (!asked->known)
        uv_run(&net->loop, UV_RUN_ONCE);
}

static void expect_addresses(const struct resolved *found, const char *expected)
{
    char got[400] = "", one[INET6_ADDRSTRLEN];
    for (size_t i = 0; i < found->count; i++) {
        const union address *address = &found->addresses[i];
        inet_ntop(address->any.sa_family,
                  address->any.sa_family == AF_INET ? (const void *)&address->v4.sin_addr
                                                    : (const void *)&address->v6.sin6_addr,
                  one, sizeof(one));
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "", one);
    }
    assert_string_equal(got, expected);
}

static void test_both_families_come_by_turns_and_are_kept(void **state)
{
    (void)state;
    struct net net;
    struct asked asked;
    net_start(&net, loopback, 2);
    for (int i = 0; i < 3; i++) {
        resolve(&net, "both.example", &asked);
        assert_int_equal(asked.found.error, EXCHANGE_OK);
        expect_addresses(&asked.found, "::1 127.0.0.1 ::2 127.0.0.2");
        assert_int_equal(net.server.queries, 2); /* A and AAAA, once */
    }
    net_stop(&net);
}

static void test_all_who_ask_share_one_look_up(void **state)
{
    (void)state;
    struct net net;
    struct asked asked[4];
    net_start(&net, loopback, 2);
    for (int i = 0; i < 4; i++)
        ask(&net, "four.example", &asked[i]);
    resolver_forget(&asked[1].waiter);
    while (!asked[0].known || !asked[2].known || !asked[3].known)
        uv_run(&net.loop, UV_RUN_ONCE);
    assert_false(asked[1].known);
    expect_addresses(&asked[3].found, "127.0.0.1");
    assert_int_equal(net.server.queries, 2);
    net_stop(&net);
}

static void test_a_name_is_asked_again_when_its_time_is_over(void **state)
{
    (void)state;
    struct net net;
    struct asked asked;
    net_start(&net, loopback, 2);
    int64_t start = clock_steady_ms();
    do
        resolve(&net, "brief.example", &asked);
    while (net.server.queries == 2);
    int64_t took = clock_steady_ms() - start;
    if (took < 1000 || took > 10000)
        fail_msg("expected a second question after a second, got it after %ld ms", (long)took);
    net_stop(&net);
}

static void test_failures_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *host, *detail;
    } cases[] = {
        { "nowhere.example", "nowhere.example: the name does not exist" },
        { "empty.example", "empty.example: the name has no address" },
        { "broken.example", "broken.example: no name server gave an answer" },
        { "bad..name", "bad..name: this is not a host name" },
    };
    struct net net;
    struct asked asked;
    net_start(&net, loopback, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        resolve(&net, cases[i].host, &asked);
        assert_int_equal(asked.found.error, EXCHANGE_DNS);
        assert_string_equal(asked.found.detail, cases[i].detail);
    }
    net_stop(&net);
}

static void test_a_failure_is_not_kept_long(void **state)
{
    (void)state;
    struct net net;
    struct asked asked;
    net_start(&net, loopback, 2);
    resolve(&net, "nowhere.example", &asked);
    int64_t start = clock_steady_ms();
    int queries = net.server.queries;
    resolve(&net, "nowhere.example", &asked);
    assert_int_equal(net.server.queries, queries);
    while (net.server.queries == queries)
        resolve(&net, "nowhere.example", &asked);
    assert_true(clock_steady_ms() - start < 5000);
    net_stop(&net);
}

static void test_more_names_than_are_kept_still_resolve(void **state)
{
    (void)state;
    struct net net;
    struct asked asked;
    char host[40];
    net_start(&net, loopback, 2);
    for (int i = 0; i < RESOLVER_NAMES_MAX + 50; i++) {
        snprintf(host, sizeof(host), "n%d.example", i);
        resolve(&net, host, &asked);
        assert_int_equal(asked.found.error, EXCHANGE_DNS);
    }
    resolve(&net, "four.example", &asked);
    expect_addresses(&asked.found, "127.0.0.1");
    net_stop(&net);
}

struct dialed {
    bool ended;
    int fd;
    enum exchange_error error;
    char detail[160];
};

static void on_dialed(void *context, int fd, enum exchange_error error, const char *detail)
{
    struct dialed *dialed = context;
    dialed->ended = true;
    dialed->fd = fd;
    dialed->error = error;
    snprintf(dialed->detail, sizeof(dialed->detail), "%s", detail);
}

static struct dialed dial_to(struct net *net, const char *host, int port)
{
    struct dialed dialed = { 0 };
    dial_new(&net->dialer, host, port, on_dialed, &dialed);
    assert_false(dialed.ended);
    while (!dialed.ended)
        uv_run(&net->loop, UV_RUN_ONCE);
    return dialed;
}

static void expect_connected(struct dialed *dialed, int family)
{
    union address address;
    socklen_t size = sizeof(address);
    if (dialed->fd == -1)
        fail_msg("expected a connection, got %s “%s”", exchange_error_name(dialed->error),
                 dialed->detail);
    assert_int_equal(getpeername(dialed->fd, &address.any, &size), 0);
    assert_int_equal(address.any.sa_family, family);
    close(dialed->fd);
}

static void expect_not(const struct dialed *dialed, enum exchange_error error, const char *words)
{
    assert_int_equal(dialed->fd, -1);
    if (dialed->error != error || strstr(dialed->detail, words) == NULL)
        fail_msg("expected %s “%s”, got %s “%s”", exchange_error_name(error), words,
                 exchange_error_name(dialed->error), dialed->detail);
}

static void test_ipv6_is_tried_first_and_ipv4_when_it_fails(void **state)
{
    (void)state;
    struct net net;
    int port, same;
    int four = bound_socket(AF_INET, SOCK_STREAM, 0, &port);
    assert_int_equal(listen(four, 8), 0);
    net_start(&net, loopback, 2);
    struct dialed dialed = dial_to(&net, "dual.example", port);
    expect_connected(&dialed, AF_INET);
    int six = bound_socket(AF_INET6, SOCK_STREAM, port, &same);
    if (six != -1) { /* the machine has IPv6, and the port was free there */
        assert_int_equal(listen(six, 8), 0);
        dialed = dial_to(&net, "dual.example", port);
        expect_connected(&dialed, AF_INET6);
        close(six);
    }
    close(four);
    dialed = dial_to(&net, "dual.example", port);
    expect_not(&dialed, EXCHANGE_CONNECT, "connection refused");
    net_stop(&net);
}

static void test_an_address_that_hangs_is_overtaken(void **state)
{
    (void)state;
    struct net net;
    int port, same, fillers[16];
    int four = bound_socket(AF_INET, SOCK_STREAM, 0, &port);
    int six = bound_socket(AF_INET6, SOCK_STREAM, port, &same);
    if (six == -1) {
        close(four);
        skip();
    }
    assert_int_equal(listen(four, 8), 0);
    assert_int_equal(listen(six, 0), 0);
    union address full = { .v6 = { .sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)port),
                                   .sin6_addr = in6addr_loopback } };
    for (int i = 0; i < 16; i++) { /* its queue is then full: nobody else gets in */
        fillers[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], &full.any, sizeof(full.v6));
    }
    net_start(&net, loopback, 2);
    int64_t start = clock_steady_ms();
    struct dialed dialed = dial_to(&net, "dual.example", port);
    int64_t took = clock_steady_ms() - start;
    expect_connected(&dialed, AF_INET);
    if (took < DIAL_STAGGER_MS - 1 || took > 5000)
        fail_msg("expected about %d ms, got %ld", DIAL_STAGGER_MS, (long)took);
    net_stop(&net);
    for (int i = 0; i < 16; i++)
        close(fillers[i]);
    close(four);
    close(six);
}

static void test_every_resolved_address_is_checked(void **state)
{
    (void)state;
    struct net net;
    int port;
    int four = bound_socket(AF_INET, SOCK_STREAM, 0, &port);
    assert_int_equal(listen(four, 8), 0);
    net_start(&net, loopback, 1);
    struct dialed dialed = dial_to(&net, "private.example", port);
    expect_not(&dialed, EXCHANGE_REFUSED_ADDRESS, "10.0.0.1 is a private address");
    dialed = dial_to(&net, "mixed.example", port); /* the one that is allowed */
    expect_connected(&dialed, AF_INET);
    dialed = dial_to(&net, "::ffff:10.0.0.1", port);
    expect_not(&dialed, EXCHANGE_REFUSED_ADDRESS, "is a private address");
    net_stop(&net);
    net_start(&net, NULL, 0);
    dialed = dial_to(&net, "dual.example", port);
    expect_not(&dialed, EXCHANGE_REFUSED_ADDRESS, "is a loopback address");
    net_stop(&net);
    close(four);
}

static void test_names_that_only_look_like_addresses_reach_nothing(void **state)
{
    (void)state;
    static const char *const hosts[] = { "127.1", "0x7f000001", "2130706433" };
    struct net net;
    net_start(&net, NULL, 0);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct dialed dialed = dial_to(&net, hosts[i], 80);
        assert_int_equal(dialed.fd, -1);
        if (dialed.error != EXCHANGE_DNS && dialed.error != EXCHANGE_REFUSED_ADDRESS)
            fail_msg("%s: got %s", hosts[i], dialed.detail);
    }
    net_stop(&net);
}

static void test_a_dial_can_be_given_up_in_any_phase(void **state)
{
    (void)state;
    struct net net;
    struct dialed dialed = { 0 };
    struct asked asked;
    net_start(&net, loopback, 2);
    struct dial *resolving = dial_new(&net.dialer, "silent.example", 80, on_dialed, &dialed);
    struct dial *connecting = dial_new(&net.dialer, "127.0.0.1", 9, on_dialed, &dialed);
    assert_string_equal(dial_phase(resolving), "resolving the name");
    assert_string_equal(dial_phase(connecting), "connecting");
    dial_cancel(connecting);
    while (net.server.queries < 2)
        uv_run(&net.loop, UV_RUN_NOWAIT);
    dial_cancel(resolving);
    resolve(&net, "four.example", &asked); /* the loop turns on */
    assert_false(dialed.ended);
    net_stop(&net);
}

/* Leaves the process no descriptor; gives the limit as it was. */
static struct rlimit take_descriptors(void)
{
    struct rlimit was, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    int next = dup(0);
    assert_int_not_equal(next, -1);
    close(next);
    none.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    return was;
}

static void test_without_a_descriptor_a_dial_waits_for_one(void **state)
{
    (void)state;
    struct net net;
    struct dialed dialed = { 0 };
    int port, turns = 0;
    int four = bound_socket(AF_INET, SOCK_STREAM, 0, &port);
    assert_int_equal(listen(four, 8), 0);
    net_start(&net, loopback, 2);
    struct rlimit was = take_descriptors();
    struct dial *dial = dial_new(&net.dialer, "127.0.0.1", port, on_dialed, &dialed);
    assert_true(dial_has_no_room(dial));
    assert_string_equal(dial_phase(dial), "waiting for a file descriptor");
    int64_t start = clock_steady_ms();
    while (clock_steady_ms() - start < 2 * DIAL_NO_ROOM_MS && ++turns < 20)
        uv_run(&net.loop, UV_RUN_ONCE);
    assert_in_range(turns, 1, 5); /* it does not spin */
    assert_false(dialed.ended);
    setrlimit(RLIMIT_NOFILE, &was);
    while (!dialed.ended)
        uv_run(&net.loop, UV_RUN_ONCE);
    expect_connected(&dialed, AF_INET);
    net_stop(&net);
    close(four);
}

static void test_a_look_up_without_a_descriptor_is_nobodys_fault(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, loopback, 2);
    struct rlimit was = take_descriptors();
    struct dialed dialed = dial_to(&net, "four.example", 80);
    setrlimit(RLIMIT_NOFILE, &was);
    expect_not(&dialed, EXCHANGE_NO_ROOM, "file descriptor");
    net_stop(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_families_come_by_turns_and_are_kept),
        cmocka_unit_test(test_all_who_ask_share_one_look_up),
        cmocka_unit_test(test_a_name_is_asked_again_when_its_time_is_over),
        cmocka_unit_test(test_failures_are_told_apart),
        cmocka_unit_test(test_a_failure_is_not_kept_long),
        cmocka_unit_test(test_more_names_than_are_kept_still_resolve),
        cmocka_unit_test(test_ipv6_is_tried_first_and_ipv4_when_it_fails),
        cmocka_unit_test(test_an_address_that_hangs_is_overtaken),
        cmocka_unit_test(test_every_resolved_address_is_checked),
        cmocka_unit_test(test_names_that_only_look_like_addresses_reach_nothing),
        cmocka_unit_test(test_a_dial_can_be_given_up_in_any_phase),
        cmocka_unit_test(test_without_a_descriptor_a_dial_waits_for_one),
        cmocka_unit_test(test_a_look_up_without_a_descriptor_is_nobodys_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
