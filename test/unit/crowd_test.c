/* Clients that take what they can get, and the others meanwhile: connections, requests sent ahead,
 * bodies that stand still, answers that nobody reads. */
#include "base/fail.h"
#include "http_house.h"
#include "until.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { BODY_CAP = 1024 * 1024, LONG_LEN = 8 * 1024 * 1024, TOGETHER = 12 };

static _Atomic int handled, held_calls, answered_together;
static struct call *held;
static struct call *waiting[TOGETHER];
static size_t waiting_count;
static char *long_text;

static void echo(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_text_answer(call, 200, "text/plain", buf_text(&call->body), call->body.len);
}

/* Held until the test lets it go. */
static void hold(struct call *call, void *context)
{
    (void)context;
    held = call;
    held_calls++;
}

static void let_go(struct call *call, void *context)
{
    (void)context;
    call_text_answer(held, 200, "text/plain", "held", 4);
    call_text_answer(call, 200, "text/plain", "", 0);
}

static void long_answer(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_text_answer(call, 200, "text/plain", long_text, LONG_LEN);
}

static void together(struct call *call, void *context)
{
    (void)context;
    waiting[waiting_count++] = call;
    for (size_t i = 0; waiting_count == TOGETHER && i < TOGETHER; i++)
        call_text_answer(waiting[i], 200, "text/plain", long_text, LONG_LEN);
    answered_together += waiting_count == TOGETHER;
    waiting_count %= TOGETHER;
}

/* The password is the account's number. */
static void enter(struct call *call, void *context)
{
    (void)context;
    char *user, *password;
    if (!call_basic(call, &user, &password)) {
        call_refuse(call, 401, NULL, "Sign in.");
        return;
    }
    call->caller = (struct caller){ .account = strtol(password, NULL, 10),
                                    .kind = ACCOUNT_PARTNER,
                                    .scope = SCOPE_API };
    free(user);
    free(password);
    call_enter(call);
}

static const struct route routes[] = {
    { "GET", "/echo", echo, .who = 0 },
    { "POST", "/echo", echo, .who = 0, .body_max = 64 * 1024 },
    { "GET", "/hold", hold, .who = 0 },
    { "GET", "/let-go", let_go, .who = 0 },
    { "POST", "/signed", echo, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API,
      .body_max = BODY_CAP * 4 },
    { "GET", "/long", long_answer, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API },
    { "GET", "/together", together, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API },
    { "GET", "/signed", echo, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API },
};

static void house_open(int idle_s)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    handled = held_calls = 0;
    long_text = must_alloc(LONG_LEN);
    memset(long_text, 'l', LONG_LEN);
    start_server(routes, sizeof(routes) / sizeof(routes[0]), enter, idle_s);
}

static int end(void **state)
{
    int status = finish(state);
    free(long_text);
    return status;
}

/* From an address of its own: 127.0.0.LAST. */
static int dial_from(int last)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    const struct timeval patience = { .tv_sec = 10 };
    const int on = 1;
    from.sin_addr.s_addr = htonl(0x7f000000u + (unsigned)last);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (fd == -1 || bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
        fail_msg("connect from 127.0.0.%d: %s", last, strerror(errno));
    return fd;
}

#define GET         "GET /echo HTTP/1.1\r\n" HOST "\r\n"
#define POST        "POST /echo HTTP/1.1\r\n" HOST
#define ACCOUNT_1   "Authorization: Basic eDox\r\n" /* x:1 */
#define ACCOUNT_2   "Authorization: Basic eDoy\r\n" /* x:2 */
#define SIGNED_POST "POST /signed HTTP/1.1\r\n" HOST

static void expect_answer(int fd, int status, const char *who)
{
    const char *answer = hear(fd, false);
    if (status_of(answer) != status)
        fail_msg("%s: expected %d, got \"%.200s\"", who, status, answer);
}

static bool is_open(int fd)
{
    char next;
    ssize_t got = recv(fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == -1 && errno == EAGAIN;
}

/* ---- connections ---- */

static void test_when_all_are_taken_the_longest_idle_one_goes(void **state)
{
    (void)state;
    /* A7: 2,048 idle connections, and everybody else is served. */
    enum { MANY = SERVER_CONNECTIONS };
    static int fds[MANY];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2 * MANY + 100)
        skip();
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial_from(2 + i / 500);
        if (i == 0)
            say(fds[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
        if (i == 1)
            say(fds[i], "GET /echo HT"); /* it goes after those that are idle */
    }
    UNTIL(held_calls >= 1);
    for (int i = 0; i < 50; i++) { /* one new client after the other */
        int fd = dial_from(100 + i);
        say(fd, GET);
        expect_answer(fd, 200, "a new client");
        close(fd);
    }
    int kept[60];
    for (int i = 0; i < 60; i++) {
        kept[i] = dial_from(200);
        say(kept[i], GET);
        expect_answer(kept[i], 200, "a client that stays");
    }
    assert_true(is_open(fds[0]));
    assert_true(is_open(fds[1]));
    assert_true(ended(fds[2])); /* the longest idle one */
    assert_true(is_open(fds[MANY - 1]));
    assert_true(is_open(kept[0]));
    assert_in_range(server_connections(server), 1, MANY);
    say(kept[0], "GET /let-go HTTP/1.1\r\n" HOST "\r\n");
    expect_answer(kept[0], 200, "who lets it go");
    assert_string_equal(body_of(hear(fds[0], false)), "held");
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    for (int i = 0; i < 60; i++)
        close(kept[i]);
}

static void test_an_address_makes_room_for_its_own(void **state)
{
    (void)state;
    /* A7: all that one address may have are idle; the next one behind it is served. */
    enum { MANY = SERVER_CONNECTIONS_PER_ADDRESS };
    static int fds[MANY];
    int other = dial_from(3);
    say(other, GET);
    expect_answer(other, 200, "another address");
    for (int i = 0; i < MANY; i++)
        fds[i] = dial_from(2);
    int next = dial_from(2);
    say(next, GET);
    expect_answer(next, 200, "the next of the address");
    assert_true(ended(fds[0]));
    assert_true(is_open(fds[1]));
    assert_true(is_open(other)); /* idle for longer, but not of that address */
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    close(next);
    close(other);
}

static void test_what_is_under_way_makes_no_room(void **state)
{
    (void)state;
    /* A7: shares of addresses stay: bodies that come in are not idle. */
    enum { MANY = SERVER_CONNECTIONS_PER_ADDRESS };
    static int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial_from(2);
        say(fds[i], POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        expect_answer(fds[i], 100, "a body that is awaited");
    }
    int next = dial_from(2);
    say(next, GET);
    assert_string_equal(hear(next, false), "");
    for (int i = 0; i < MANY; i++) {
        say(fds[i], "ab");
        expect_answer(fds[i], 200, "a body that came");
        close(fds[i]);
    }
    close(next);
}

/* ---- requests sent ahead ---- */

/* Each connection has a room of one request after the other in the kernel; one that comes later is
 * answered all the same, and so are they, every one, once they read. */
static void pipeline(const char *one, int status)
{
    enum { CLIENTS = 60, BYTES = 64 * 1024 };
    static char request[BYTES + 1];
    int fds[CLIENTS], count = 0;
    size_t len = strlen(one), at = 0;
    for (; at + len <= BYTES; at += len, count++)
        memcpy(request + at, one, len);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = dial_from(2 + i % 3);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        if (send(fds[i], request, at, MSG_NOSIGNAL) <= 0)
            fail_msg("%s", strerror(errno));
        fcntl(fds[i], F_SETFL, 0);
    }
    int fd = dial();
    say(fd, GET);
    expect_answer(fd, 200, "who comes later");
    close(fd);
    for (int i = 0; i < count && i < 300; i++)
        expect_answer(fds[0], status, one);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
}

static void test_requests_sent_ahead_take_turns(void **state)
{
    (void)state;
    /* A1: pipelined requests of every kind. */
    pipeline("GET /x HTTP/1.1\r\nHost:\r\n\r\n", 404);
    pipeline("GET /signed HTTP/1.1\r\nHost:\r\n\r\n", 401);
    pipeline("GET /%zz HTTP/1.1\r\nHost:\r\n\r\n", 400);
    pipeline("\r\n\r\nGET /echo HTTP/1.1\r\nHost:\r\n\r\n", 200);
    pipeline(POST "Content-Length: 4\r\n\r\nabcd", 200);
    pipeline(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 200);
    pipeline(SIGNED_POST ACCOUNT_1 "Content-Length: 4\r\n\r\nabcd", 200);
}

/* ---- bodies ---- */

static void test_stalled_bodies_of_strangers_shut_nobody_out(void **state)
{
    (void)state;
    /* A6: bodies of 64 KiB but for their last byte, from many connections without sign-in. */
    enum { MANY = 400, LEN = 64 * 1024 - 1 };
    static char body[LEN];
    static int fds[MANY];
    memset(body, 'b', LEN);
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial_from(2 + i / 100);
        say(fds[i], POST "Content-Length: 65536\r\n\r\n");
        say_bytes(fds[i], body, LEN);
    }
    for (int i = 0; i < 3; i++) { /* of the same address, of another one, of an account */
        int fd = dial_from(i == 0 ? 2 : 50 + i);
        say(fd, i < 2 ? POST : SIGNED_POST ACCOUNT_1);
        say(fd, "Content-Length: 65536\r\n\r\n");
        say_bytes(fd, body, LEN);
        say(fd, "b");
        expect_answer(fd, 200, i < 2 ? "a stranger" : "an account");
        close(fd);
    }
    const char *answer = hear(fds[0], false); /* who stood for longest made room */
    assert_int_equal(status_of(answer), 503);
    assert_true(has(answer, "Retry-After: "));
    assert_true(has(answer, "Too much is being sent at once"));
    say(fds[MANY - 1], "b");
    expect_answer(fds[MANY - 1], 200, "the last one, who goes on");
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

static void test_an_account_has_a_share_of_the_bodies(void **state)
{
    (void)state;
    /* A6: 40 bodies of 4 MiB under one token. */
    enum { MANY = 40, LEN = 4 * 1024 * 1024 - 1 };
    char *body = must_alloc(LEN);
    int fds[MANY], refused = 0;
    memset(body, 'b', LEN);
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial();
        say(fds[i], SIGNED_POST ACCOUNT_1 "Content-Length: 4194304\r\n\r\n");
        say_bytes(fds[i], body, LEN);
    }
    int fd = dial();
    say(fd, SIGNED_POST ACCOUNT_2 "Content-Length: 4194304\r\n\r\n");
    say_bytes(fd, body, LEN);
    say(fd, "b");
    static char rest[LEN + 1024];
    ssize_t got = recv(fd, rest, sizeof(rest), 0);
    if (got <= 0 || strncmp(rest, "HTTP/1.1 200", 12) != 0)
        fail_msg("another account: expected 200, got \"%.100s\"", got > 0 ? rest : "");
    for (int i = 0; i < MANY; i++) {
        say(fds[i], "b");
        got = recv(fds[i], rest, sizeof(rest), 0);
        refused += got > 0 && strncmp(rest, "HTTP/1.1 503", 12) == 0;
        close(fds[i]);
    }
    assert_in_range(refused, MANY - 6, MANY - 2); /* 24 MiB, with what a buffer has to spare */
    close(fd);
    free(body);
}

/* ---- answers ---- */

/* How much of an answer comes: the bytes of its body, or minus its status when that is not 200. */
static long hear_some(int fd)
{
    static char piece[64 * 1024];
    const char *answer = hear(fd, true);
    if (status_of(answer) != 200) {
        if (status_of(answer) == 503 && !has(answer, "Retry-After: "))
            fail_msg("expected a Retry-After in \"%.200s\"", answer);
        return -status_of(answer);
    }
    long len = 0;
    ssize_t got;
    while (len < LONG_LEN && (got = recv(fd, piece, sizeof(piece), 0)) > 0)
        len += got;
    return len;
}

#define GET_SIGNED(path, account) "GET " path " HTTP/1.1\r\n" HOST account "\r\n"

static void test_who_leaves_answers_unread_gets_no_more(void **state)
{
    (void)state;
    /* A4: 50 connections of an account ask for 8 MiB each and do not read. */
    enum { MANY = 50 };
    int fds[MANY], refused = 0;
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial();
        say(fds[i], GET_SIGNED("/long", ACCOUNT_1));
    }
    int fd = dial(); /* another account's is not touched */
    say(fd, GET_SIGNED("/long", ACCOUNT_2));
    assert_int_equal(hear_some(fd), LONG_LEN);
    for (int i = 0; i < MANY; i++) {
        long got = hear_some(fds[i]);
        if (got != LONG_LEN && got != -503)
            fail_msg("connection %d: expected all of it or 503, got %ld", i, got);
        refused += got == -503;
        close(fds[i]);
    }
    assert_in_range(refused, MANY - 4, MANY - 1);
    say(fd, GET_SIGNED("/signed", ACCOUNT_1));
    expect_answer(fd, 200, "the account, when nothing waits any more");
    close(fd);
}

static void test_who_asked_for_much_before_anything_came_makes_room(void **state)
{
    (void)state;
    /* A4: the answers come all at once; those that fit in the account's share go on. */
    int fds[TOGETHER], whole = 0, before = answered_together;
    for (int i = 0; i < TOGETHER; i++) {
        fds[i] = dial();
        say(fds[i], GET_SIGNED("/together", ACCOUNT_1));
    }
    /* Nothing is read before all are answered, and a turn later: what is read makes room. */
    UNTIL(answered_together > before);
    expect_status(GET_SIGNED("/signed", ACCOUNT_2), 200);
    for (int i = 0; i < TOGETHER; i++) {
        whole += hear_some(fds[i]) == LONG_LEN;
        close(fds[i]);
    }
    assert_in_range(whole, 1, TOGETHER / 2); /* 16 MiB, beside what the kernel takes */
    expect_status(GET_SIGNED("/signed", ACCOUNT_1), 200);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_when_all_are_taken_the_longest_idle_one_goes),
        WITH_SERVER(test_an_address_makes_room_for_its_own),
        WITH_SERVER(test_what_is_under_way_makes_no_room),
        WITH_SERVER(test_requests_sent_ahead_take_turns),
        WITH_SERVER(test_stalled_bodies_of_strangers_shut_nobody_out),
        WITH_SERVER(test_an_account_has_a_share_of_the_bodies),
        WITH_SERVER(test_who_leaves_answers_unread_gets_no_more),
        WITH_SERVER(test_who_asked_for_much_before_anything_came_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
