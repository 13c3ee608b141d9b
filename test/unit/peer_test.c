/* Connections of clients that are unlucky or mean: where a request ends, what is read of it and
 * when, and that the answer arrives. */
#include "http_house.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

enum { BODY_CAP = 1000, LONG_LEN = 8 * 1024 * 1024 };

static _Atomic int handled, entered; /* calls, and those whose caller is known late */
static char *lasting;

static void echo_now(struct call *call)
{
    call_text_answer(call, 200, "text/plain", buf_text(&call->body), call->body.len);
}

static void echo(struct call *call, void *context)
{
    (void)context;
    handled++;
    echo_now(call);
}

static void signed_in(struct call *call)
{
    call_is_of_partner(call);
    call_enter(call);
    entered++;
}

static void later(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_later(call, 300, echo_now);
}

/* Who calls is known late. */
static void enter(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_later(call, 300, signed_in);
}

static void long_lasting(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_static_answer(call, 200, "text/plain", lasting, LONG_LEN);
}

static void long_copied(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_text_answer(call, 200, "text/plain", lasting, LONG_LEN);
}

static void header(struct call *call, void *context)
{
    (void)context;
    const char *value = call_header(call, "Wanted");
    call_text_answer(call, 200, "text/plain", value != NULL ? value : "-",
                     value != NULL ? strlen(value) : 1);
}

static const struct route routes[] = {
    { "POST", "/echo", echo, .who = 0, .body_max = BODY_CAP },
    { "GET", "/echo", echo, .who = 0 },
    { "POST", "/later", later, .who = 0, .body_max = BODY_CAP },
    { "GET", "/later", later, .who = 0 },
    { "POST", "/slowly", echo, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API, .body_max = BODY_CAP },
    { "GET", "/lasting", long_lasting, .who = 0 },
    { "GET", "/copied", long_copied, .who = 0 },
    { "GET", "/header", header, .who = 0 },
};

static void house_open(int idle_s)
{
    handled = entered = 0;
    lasting = must_alloc(LONG_LEN);
    for (size_t i = 0; i < LONG_LEN; i++)
        lasting[i] = (char)('a' + i % 23);
    start_server(routes, sizeof(routes) / sizeof(routes[0]), enter, idle_s);
}

static int end(void **state)
{
    int status = finish(state);
    free(lasting);
    return status;
}

static void expect_echo(void)
{
    const char *answer = ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
    assert_string_equal(body_of(answer), "x");
}

static int64_t cpu_ms(void)
{
    clockid_t clock;
    struct timespec used;
    pthread_getcpuclockid(thread, &clock);
    clock_gettime(clock, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* ---- where a request ends ---- */

#define GET     "GET /echo HTTP/1.1\r\n" HOST
#define POST    "POST /echo HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

/* What follows each is no request of its own: there is one answer, and then the end. */
static void test_what_has_no_clear_end_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        int status;
    } rows[] = {
#define ROW(text, status) { text, sizeof(text) - 1, status }
        ROW("GET /echo HTTP/1.1\rX: y\r\n" HOST "\r\n", 400),
        ROW(GET "A: b\rB: c\r\n\r\n", 400),
        ROW(GET "A:\rB: c\r\n\r\n", 400),
        ROW(GET "A: b\r\n\rX", 400),
        ROW(GET "A: b\r\n\r\rGET", 400),
        ROW(GET "A: \0b\r\n\r\n", 400),
        ROW(GET "A: b\0c\r\n\r\n", 400),
        ROW(GET "A: \x7f\r\n\r\n", 400),
        ROW(GET "A\0: b\r\n\r\n", 400),
        ROW(GET " A: b\r\n\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\n " HOST "\r\n", 400),
        ROW(GET "A\r\n\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\n" HOST HOST "\r\n", 400),
        ROW("GET /echo HTTP/1.0\r\n" HOST HOST "\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\n\r\n", 400),
        ROW("GET /echo\r\n\r\n", 505),
        ROW("GET /echo HTTP/0.9\r\n\r\n", 505),
        ROW("GET /echo HTTP/1.10\r\n\r\n", 505),
        ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
        ROW(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        ROW(POST "Content-Length: 1, 1\r\n\r\na", 400),
        ROW(POST "Content-Length: 1\r\n 1\r\n\r\na", 400),
        ROW(POST "Content-Length: +1\r\n\r\na", 400),
        ROW(POST "Content-Length:\r\n\r\na", 400),
        ROW(POST "Content-Length : 1\r\n\r\na", 400),
        ROW(POST "Content-Length: 18446744073709551617\r\n\r\na", 400),
        ROW(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400),
        ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ROW(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        ROW(POST "Transfer-Encoding: chunked;x\r\n\r\n0\r\n\r\n", 501),
        ROW(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ROW(POST "Transfer-Encoding: \x0b"
                 "chunked\r\n\r\n0\r\n\r\n",
            400),
        ROW(POST "Transfer-Encoding: chun\r\n ked\r\n\r\n0\r\n\r\n", 400),
        /* A17: lines that a proxy in front may read otherwise */
        ROW(GET "A: b\r\n c\r\n\r\n", 400),
        ROW(GET "A: b\r\n\tc\r\n\r\n", 400),
        ROW(GET "A:\r\n c\r\n\r\n", 400),
        ROW(GET "A: b\r\n \r\n\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\n\t" HOST "\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\n \r\n" HOST "\r\n", 400),
        ROW("GET /echo HTTP/1.1\n" HOST "\r\n", 400),
        ROW("GET /echo HTTP/1.1\r\nHost: x\n\r\n", 400),
        ROW(GET "A: b\nB: c\r\n\r\n", 400),
        ROW(GET "A:\n\r\n", 400),
        ROW(GET "\n", 400),
        ROW(GET "A: b\n\n", 400),
        ROW("POST /echo HTTP/1.1\nHost: x\nContent-Length: 2\n\nab", 400),
        ROW(POST "Transfer-Encoding:\r\n chunked\r\n\t\r\n\r\n2\r\nab\r\n0\r\n\r\n", 400),
        ROW("GET  /echo HTTP/1.1\r\n" HOST "\r\n", 400),
        ROW("GET /echo  HTTP/1.1\r\n" HOST "\r\n", 400),
        ROW("GET /echo#x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 400),
        ROW("GET /echo?a=b#x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 400),
        ROW("GET http://y/echo HTTP/1.1\r\n" HOST "\r\n", 400),
        ROW("GET http://u@x/echo HTTP/1.1\r\n" HOST "\r\n", 400),
        ROW("GET http:///echo HTTP/1.1\r\n" HOST "\r\n", 400),
        ROW(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 501),
        ROW(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        ROW("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2\r\nabXX0\r\n\r\n", 400),
        ROW(CHUNKED "2\r\nab\r\r0\r\n\r\n", 400),
        ROW(CHUNKED "2\r\nab\n0\r\n\r\n", 400),
        ROW(CHUNKED "2\r\nabc\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2\rXab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2 x\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2;a\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "2;\0\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "0x2\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "+2\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED ";x\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "\r\n2\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "10000000000000002\r\nab\r\n0\r\n\r\n", 400),
        ROW(CHUNKED "0\r\n\rX", 400),
        ROW(CHUNKED "0\r\n\n", 400),
        ROW(CHUNKED "0\r\nA: b\n\r\n", 400),
        ROW(CHUNKED "0\r\n A: b\r\n\r\n", 400),
        ROW(CHUNKED "0\r\nA: b\r\n\tc\r\n\r\n", 400),
        ROW(CHUNKED "0\rX\r\n", 400),
#undef ROW
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial();
        say_bytes(fd, rows[i].text, rows[i].len);
        say(fd, GET "\r\n");
        int status = status_of(hear(fd, false));
        if (status != rows[i].status)
            fail_msg("%s: expected %d, got %d", rows[i].text, rows[i].status, status);
        if (hear(fd, false)[0] != '\0')
            fail_msg("%s: what follows was answered too: %s", rows[i].text, heard);
        close(fd);
    }
    assert_int_equal(handled, 0);
}

/* Cut in two at every place, and followed by another request on its connection. */
static void test_what_is_unusual_and_right_wherever_it_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
    } rows[] = {
        { CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde" },
        { CHUNKED "0003;x=\"y;\"\r\nabc\r\n2 ;z\r\nde\r\n0;last\r\n\r\n", "abcde" },
        { CHUNKED "1\t\r\n\r\r\n0\r\nContent-Length: 5\r\nHost: y\r\nTransfer-Encoding: x\r\n\r\n",
          "\r" },
        { CHUNKED "0\r\n\r\n", "" },
        { POST "Transfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab" },
        { POST "Content-Length: 0002 \r\n\r\nab", "ab" },
        { POST "Content-Length:2\r\n\r\nab", "ab" },
        { "\r\n\r\n" POST "Content-Length: 2\r\n\r\nab\r\n", "ab" },
        { "POST http://[::1]:80/echo HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 2\r\n\r\nab",
          "ab" },
        { "POST /echo HTTP/1.1\r\nHost:\r\nContent-Length: 2\r\n\r\nab", "ab" },
        { GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n",
          "" },
        { POST "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab", "ab" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);
        int fd = dial();
        for (size_t cut = 0; cut <= len; cut++) {
            say_bytes(fd, rows[i].text, cut);
            if (i % 3 == 0)
                server_has_turned();
            say(fd, rows[i].text + cut);
            const char *answer = hear(fd, false);
            if (status_of(answer) != 200 || strcmp(body_of(answer), rows[i].body) != 0)
                fail_msg("%s cut at %zu: %s", rows[i].text, cut, answer);
        }
        close(fd);
    }
}

static void test_a_value_is_one_text_of_its_own_header(void **state)
{
    (void)state;
    const char *answer = ask("GET /header HTTP/1.1\r\n" HOST "Wanted: \ta \tb\t \r\n\r\n");
    assert_string_equal(body_of(answer), "a \tb");
    int fd = dial();
    static const char request[] = "GET /header HTTP/1.1\r\n" HOST "X: \0Wanted\r\nb: c\r\n\r\n";
    say_bytes(fd, request, sizeof(request) - 1);
    assert_int_equal(status_of(hear(fd, false)), 400);
    close(fd);
}

static void test_what_is_dropped_of_a_chunked_body_has_a_cap(void **state)
{
    (void)state;
    static char text[200 * 1024];
    for (int trailers = 0; trailers < 2; trailers++) {
        int fd = dial();
        say(fd, CHUNKED);
        say(fd, trailers ? "0\r\n" : "2;");
        memset(text, 'x', sizeof(text));
        for (size_t at = 0; trailers && at + 8 < sizeof(text); at += 8)
            memcpy(text + at, "a: bcd\r\n", 8);
        say_bytes(fd, text, sizeof(text));
        assert_int_equal(status_of(hear(fd, false)), 431);
        assert_true(ended(fd));
        close(fd);
    }
    assert_int_equal(handled, 0);
}

/* ---- how long a connection lives ---- */

static void test_which_connections_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool kept;
        const char *header;
    } rows[] = {
        { "GET /echo HTTP/1.1\r\n" HOST, true, NULL },
        { "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n", false, "Connection: close\r\n" },
        { "GET /echo HTTP/1.1\r\n" HOST "Connection: x, Close\r\n", false,
          "Connection: close\r\n" },
        { "GET /echo HTTP/1.1\r\n" HOST "Connection: close, x\r\n", false,
          "Connection: close\r\n" },
        { "GET /echo HTTP/1.1\r\n" HOST "Connection: closed\r\n", true, NULL },
        { "GET /echo HTTP/1.0\r\n", false, "Connection: close\r\n" },
        { "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n", true, "Connection: keep-alive\r\n" },
        { "GET /echo HTTP/1.0\r\nConnection: keep-alive, close\r\n", false,
          "Connection: close\r\n" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial();
        say(fd, rows[i].head);
        say(fd, "\r\n");
        const char *answer = hear(fd, false);
        assert_int_equal(status_of(answer), 200);
        if (rows[i].header != NULL ? !has(answer, rows[i].header) : has(answer, "Connection:"))
            fail_msg("%s: got %s", rows[i].head, answer);
        say(fd, "GET /echo HTTP/1.0\r\n\r\n");
        if ((status_of(hear(fd, false)) == 200) != rows[i].kept)
            fail_msg("%s: expected it %s", rows[i].head, rows[i].kept ? "kept" : "closed");
        close(fd);
    }
}

static void test_no_answer_to_head_has_content(void **state)
{
    (void)state;
    static const char *const heads[] = { "HEAD /echo HTTP/1.1\r\n" HOST "\r\n",
                                         "HEAD /nothing HTTP/1.1\r\n" HOST "\r\n",
                                         "HEAD /echo HTTP/1.1\r\n\r\n",
                                         "HEAD /echo HTTP/1.1\r\n" HOST "a(b): c\r\n\r\n",
                                         "HEAD /echo HTTP/1.1\r\n" HOST "a\r\n\r\n" };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        int fd = dial();
        say(fd, heads[i]);
        shutdown(fd, SHUT_WR);
        assert_true(status_of(hear(fd, true)) >= 200);
        char byte;
        if (recv(fd, &byte, 1, 0) == 1)
            fail_msg("%s: something followed the head of the answer", heads[i]);
        close(fd);
    }
}

static void test_a_client_that_has_no_more_to_say_gets_its_answer(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /later HTTP/1.1\r\n" HOST "\r\n",
        "POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab",
        "POST /slowly HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab",
        "POST /slowly HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "\r\nGET /later HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = dial();
        say(fd, requests[i]);
        shutdown(fd, SHUT_WR);
        assert_int_equal(status_of(hear(fd, false)), 200);
        if (i == 4)
            assert_int_equal(status_of(hear(fd, false)), 200);
        assert_true(ended(fd));
        close(fd);
    }
}

static void test_the_body_may_come_while_it_is_found_out_who_calls(void **state)
{
    (void)state;
    int fd = dial();
    for (int i = 0; i < 2; i++) {
        say(fd, "POST /slowly HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n");
        server_has_turned();
        say(fd, "ab");
        server_has_turned();
        if (i == 1)
            UNTIL(entered == 2); /* it is known by now who calls */
        say(fd, "cd");
        assert_string_equal(body_of(hear(fd, false)), "abcd");
    }
    say(fd, "POST /slowly HTTP/1.1\r\n" HOST
            "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    assert_int_equal(status_of(hear(fd, false)), 100);
    assert_string_equal(body_of(hear(fd, false)), "ab");
    close(fd);
}

/* ---- more than was asked for ---- */

static void test_more_bytes_while_a_handler_has_the_call_wake_nobody(void **state)
{
    (void)state;
    int pipelining = dial(), half = dial(), reset = dial();
    say(pipelining, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    say(half, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    say(reset, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    UNTIL(handled >= 3);
    int64_t before = cpu_ms();
    say(pipelining, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    shutdown(half, SHUT_WR);
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(reset, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(reset);
    assert_int_equal(status_of(hear(pipelining, false)), 200);
    assert_in_range(cpu_ms() - before, 0, 60); /* of the 300 that it took */
    assert_int_equal(status_of(hear(pipelining, false)), 200);
    assert_int_equal(status_of(hear(half, false)), 200);
    close(pipelining);
    close(half);
}

static void *say_all(void *request)
{
    const void *const *what = request;
    say(*(const int *)what[0], what[1]);
    return NULL;
}

static void test_thousands_of_requests_in_a_row(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static const char one[] = "GET /echo HTTP/1.1\r\n" HOST "\r\n";
    static char request[MANY * sizeof(one)];
    char *at = request;
    for (int i = 0; i < MANY; i++)
        at = stpcpy(at, one);
    int fd = dial();
    const void *what[] = { &fd, request };
    pthread_t sender;
    pthread_create(&sender, NULL, say_all, what);
    for (int i = 0; i < MANY; i++) {
        if (status_of(hear(fd, false)) != 200)
            fail_msg("answer %d of %d did not come", i, MANY);
    }
    pthread_join(sender, NULL);
    assert_int_equal(handled, MANY);
    close(fd);
}

static void test_a_client_that_does_not_read_is_not_read(void **state)
{
    (void)state;
    int fd = dial();
    fcntl(fd, F_SETFL, O_NONBLOCK);
    static const char one[] = "GET /lasting HTTP/1.1\r\n" HOST "\r\n";
    for (int i = 0; i < 200; i++) {
        if (send(fd, one, sizeof(one) - 1, MSG_NOSIGNAL) == -1)
            break;
    }
    UNTIL(handled >= 1);
    server_has_turned();
    int64_t before = cpu_ms();
    real_time_ms(200); /* real time: a loop that spins takes a processor for as long */
    assert_in_range(cpu_ms() - before, 0, 20);
    assert_in_range(handled, 1, 2);
    close(fd);
    expect_echo();
}

/* ---- answers that are long, readers that are slow ---- */

static void hear_long(int fd)
{
    static char piece[128 * 1024];
    size_t len = 0, taken = 1;
    const char *head = hear(fd, true);
    assert_int_equal(status_of(head), 200);
    while (len < LONG_LEN) {
        ssize_t got = recv(fd, piece, taken < LONG_LEN - len ? taken : LONG_LEN - len, 0);
        if (got <= 0)
            fail_msg("the answer ended after %zu of %d bytes", len, LONG_LEN);
        if (memcmp(piece, lasting + len, (size_t)got) != 0)
            fail_msg("the answer differs before byte %zu", len + (size_t)got);
        len += (size_t)got;
        taken = taken < sizeof(piece) && len > 1000 ? taken * 2 : taken;
    }
}

static void test_long_answers_arrive_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *path = i == 0 ? "/lasting" : "/copied";
        char request[100];
        int fd = dial();
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
        say(fd, request);
        server_has_turned();
        say(fd, request); /* behind one that is being sent */
        hear_long(fd);
        hear_long(fd);
        snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\n" HOST "\r\n", path);
        say(fd, request);
        assert_true(has(hear(fd, true), "Content-Length: 8388608\r\n"));
        snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
        say(fd, request);
        hear_long(fd);
        assert_true(ended(fd));
        close(fd);
    }
}

/* A last answer is not lost to a reset because the client had more to say. */
static void test_a_last_answer_is_read_behind_what_was_sent(void **state)
{
    (void)state;
    static char more[400 * 1024];
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        { "GET /echo HTTP/1.1\r\n" HOST "A: ", 431 },
        { "GET /", 414 },
        { "BREW /echo HTTP/1.1\r\n\r\n", 501 },
        { "GET /later HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 413 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
    };
    memset(more, 'x', sizeof(more));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial();
        say(fd, rows[i].text);
        if (rows[i].status == 200)
            UNTIL(handled == 1); /* the handler has it, and the rest stays in the kernel */
        say_bytes(fd, more, sizeof(more));
        server_has_turned();
        int status = status_of(hear(fd, false));
        if (status != rows[i].status)
            fail_msg("%s: expected %d, got %d", rows[i].text, rows[i].status, status);
        char byte;
        if (recv(fd, &byte, 1, 0) != 0)
            fail_msg("%s: the connection was reset behind the answer", rows[i].text);
        close(fd);
    }
}

/* ---- time ---- */

static void test_dripping_clients_are_cut_off(void **state)
{
    (void)state;
    static const char *const begun[] = {
        "",
        "GET /echo HTTP/1.1\r\nX: ",
        CHUNKED "1;",
        CHUNKED "0\r\nX: ",
        CHUNKED "0000",
        "BREW / HTTP/1.1\r\n\r\n",
    };
    enum { MANY = sizeof(begun) / sizeof(begun[0]) };
    int fds[MANY];
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = dial();
        say(fds[i], begun[i]);
    }
    static const char *const drops[MANY] = { "\r\n", "0", "0", "0", "0", "0" };
    drip_until_ended(fds, drops, MANY);
    for (size_t i = 0; i < MANY; i++)
        close(fds[i]);
    expect_echo();
}

static void test_who_takes_nothing_is_cut_off_and_who_is_slow_is_not(void **state)
{
    (void)state;
    static char piece[512 * 1024];
    int deaf = dial(), slow = dial();
    say(deaf, "GET /lasting HTTP/1.1\r\n" HOST "\r\n");
    say(slow, "GET /copied HTTP/1.1\r\n" HOST "\r\n");
    size_t len = 0;
    for (int i = 0; i < 25; i++) {
        real_time_ms(100); /* real time: in all, more than the second that the server waits */
        ssize_t got = recv(slow, piece, sizeof(piece) / 2, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    ssize_t got;
    while (len < LONG_LEN && (got = recv(slow, piece, sizeof(piece), 0)) > 0)
        len += (size_t)got;
    assert_true(len >= LONG_LEN);
    for (len = 0; (got = recv(deaf, piece, sizeof(piece), 0)) > 0;)
        len += (size_t)got;
    assert_true(len < LONG_LEN);
    close(deaf);
    close(slow);
}

/* ---- many ---- */

static void test_one_address_has_a_cap_and_gets_room_again(void **state)
{
    (void)state;
    enum { MANY = SERVER_CONNECTIONS_PER_ADDRESS + 60 };
    static int fds[MANY];
    for (int round = 0; round < 2; round++) {
        int answered = 0;
        for (int i = 0; i < MANY; i++) { /* in the middle of a body none is idle */
            fds[i] = dial();
            say(fds[i], POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
            answered += status_of(hear(fds[i], false)) == 100;
        }
        assert_int_equal(answered, SERVER_CONNECTIONS_PER_ADDRESS);

        for (int i = 0; i < MANY; i++)
            close(fds[i]);
        UNTIL(status_of(ask(GET "\r\n")) == 200);
        expect_echo();
    }
}

static void test_without_a_descriptor_it_waits(void **state)
{
    (void)state;
    struct rlimit before, low;
    int kept = dial();
    say(kept, GET "\r\n");
    assert_int_equal(status_of(hear(kept, false)), 200);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    low.rlim_cur = (rlim_t)fd + 1;
    setrlimit(RLIMIT_NOFILE, &low);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int64_t used = cpu_ms();
    int connected = connect(fd, (struct sockaddr *)&to, sizeof(to));
    say(fd, GET "\r\n");
    real_time_ms(500); /* real time: a loop that spins takes a processor for as long */
    say(kept, GET "\r\n");
    int status = status_of(hear(kept, false));
    used = cpu_ms() - used;
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(connected, 0);
    assert_int_equal(status, 200);
    assert_in_range(used, 0, 100);
    const struct timeval patience = { .tv_sec = 5 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(status_of(hear(fd, false)), 200);
    close(fd);
    close(kept);
}

/* The server ends while there is a connection in every state. */
static void test_the_end_comes_in_every_state(void **state)
{
    (void)state;
    static const char *const begun[] = {
        "",
        "GE",
        POST "Content-Le",
        POST "Content-Length: 9\r\n\r\nabc",
        CHUNKED "5\r\nab",
        "GET /lasting HTTP/1.1\r\n" HOST "\r\n" GET "\r\n" GET "\r\n",
        "GET /copied HTTP/1.0\r\n\r\n",
        "GET /later HTTP/1.1\r\n" HOST "\r\n" GET "\r\n" POST,
        "BREW / HTTP/1.1\r\n\r\nabc",
        GET "\r\n" GET "\r\n" GET "\r\n",
        "POST /slowly HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab" GET "\r\n",
    };
    enum { MANY = sizeof(begun) / sizeof(begun[0]) };
    static int fds[MANY];
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = dial();
        say(fds[i], begun[i]);
    }
    UNTIL(handled >= 10); /* those that are whole */
    stop_at_once = true;
    uv_async_send(&stop);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < MANY; i++) {
        if (!ended(fds[i]))
            fail_msg("\"%s\" goes on", begun[i]);
        close(fds[i]);
    }
    limits_free(limits);
    assert_int_equal(uv_loop_close(&loop), 0);
    free(lasting);
}

static void saw(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    *(bool *)poll->data = true;
}

/* A descriptor that was the listener's and is somebody else's now stays in their loop. */
static void test_the_end_takes_nobody_elses_descriptor(void **state)
{
    (void)state;
    uv_loop_t other;
    uv_poll_t poll;
    bool seen = false;
    int ends[2];
    struct error error = { 0 };
    const struct server_config config = { .listen = "127.0.0.1:0" };
    uv_loop_init(&other);
    struct server *stopping = server_new(&other, &config, &error);
    assert_non_null(stopping);
    server_stop_accepting(stopping);
    assert_int_equal(pipe(ends), 0);
    uv_poll_init(&other, &poll, ends[0]);
    poll.data = &seen;
    uv_poll_start(&poll, UV_READABLE, saw);
    uv_run(&other, UV_RUN_NOWAIT);
    server_free(stopping);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (int i = 0; i < 10 && !seen; i++)
        uv_run(&other, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&poll, NULL);
    uv_run(&other, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&other), 0);
    close(ends[0]);
    close(ends[1]);
    assert_true(seen);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, end)
#define IMPATIENT(test)   cmocka_unit_test_setup_teardown(test, start_impatient, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_what_has_no_clear_end_is_refused),
        WITH_SERVER(test_what_is_unusual_and_right_wherever_it_is_cut),
        WITH_SERVER(test_a_value_is_one_text_of_its_own_header),
        WITH_SERVER(test_what_is_dropped_of_a_chunked_body_has_a_cap),
        WITH_SERVER(test_which_connections_are_kept),
        WITH_SERVER(test_no_answer_to_head_has_content),
        WITH_SERVER(test_a_client_that_has_no_more_to_say_gets_its_answer),
        WITH_SERVER(test_the_body_may_come_while_it_is_found_out_who_calls),
        WITH_SERVER(test_more_bytes_while_a_handler_has_the_call_wake_nobody),
        WITH_SERVER(test_thousands_of_requests_in_a_row),
        WITH_SERVER(test_a_client_that_does_not_read_is_not_read),
        WITH_SERVER(test_long_answers_arrive_whole),
        WITH_SERVER(test_a_last_answer_is_read_behind_what_was_sent),
        IMPATIENT(test_dripping_clients_are_cut_off),
        IMPATIENT(test_who_takes_nothing_is_cut_off_and_who_is_slow_is_not),
        WITH_SERVER(test_one_address_has_a_cap_and_gets_room_again),
        WITH_SERVER(test_without_a_descriptor_it_waits),
        cmocka_unit_test_setup(test_the_end_comes_in_every_state, start),
        cmocka_unit_test(test_the_end_takes_nobody_elses_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
