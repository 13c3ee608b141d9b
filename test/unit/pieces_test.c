/* Answers in pieces as a client on a raw socket sees them, and as their sources do: asked for one
 * piece at a time, and told the end once. */
#include "http_house.h"

#include <stdatomic.h>

enum { PIECE = 64 * 1024 };

/* What each source did; the test reads it from its own thread. */
static _Atomic int asked, given, ended_whole, ended_short, open_sources;

struct letters {
    uv_timer_t timer;
    struct call *call;
    int left;    /* pieces */
    size_t size; /* bytes of each */
    int wait_ms; /* before each is given; 0: at once */
    int breaks;  /* at so many left; -1: never */
    bool asked;
};

static void give(struct letters *letters)
{
    static char bytes[PIECE];
    struct error error = { 0 };
    if (!letters->asked)
        bug("a piece is given that was not asked for");
    letters->asked = false;
    if (letters->left == letters->breaks) {
        error_set(&error, ERROR_UNAVAILABLE, "the ink is dry");
        call_piece_failed(letters->call, &error);
        return;
    }
    given++;
    letters->left--;
    memset(bytes, 'a' + letters->left % 26, sizeof(bytes));
    call_piece(letters->call, bytes, letters->size, letters->left <= 0);
}

static void give_later(uv_timer_t *timer)
{
    give(timer->data);
}

static void letters_next(struct call *call, void *data)
{
    struct letters *letters = data;
    if (letters->asked)
        bug("the source is asked twice");
    asked++;
    letters->asked = true;
    letters->call = call;
    if (letters->wait_ms > 0)
        uv_timer_start(&letters->timer, give_later, (uint64_t)letters->wait_ms, 0);
    else
        give(letters);
}

static void letters_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void letters_end(struct call *call, void *data, bool whole)
{
    struct letters *letters = data;
    if (letters->asked || call->path[0] != '/')
        bug("the source is ended while it is asked");
    *(whole ? &ended_whole : &ended_short) += 1;
    open_sources--;
    uv_close((uv_handle_t *)&letters->timer, letters_closed);
}

static const struct call_source source = { letters_next, letters_end };

static int number(const struct call *call, const char *name, int otherwise)
{
    const char *given_text = call_query(call, name);
    return given_text[0] != '\0' ? (int)strtol(given_text, NULL, 10) : otherwise;
}

/* GET /letters?n=PIECES&size=BYTES&wait=MS&breaks=LEFT */
static void letters_get(struct call *call, void *context)
{
    (void)context;
    struct letters *letters = must_alloc(sizeof(*letters));
    letters->left = number(call, "n", 1);
    letters->size = (size_t)number(call, "size", 10);
    letters->wait_ms = number(call, "wait", 0);
    letters->breaks = number(call, "breaks", -1);
    uv_timer_init(&loop, &letters->timer);
    letters->timer.data = letters;
    open_sources++;
    call_add_header(call, "X-Letters", "yes");
    call_answer_in_pieces(call, 200, "text/plain", &source, letters);
}

static void echo(struct call *call, void *context)
{
    (void)context;
    call_text_answer(call, 200, "text/plain", "x", 1);
}

static const struct route routes[] = {
    { "GET", "/letters", letters_get, .who = 0, .reads_query = true },
    { "GET", "/echo", echo, .who = 0 },
};

static void house_open(int idle_s)
{
    asked = given = ended_whole = ended_short = open_sources = 0;
    start_server(routes, sizeof(routes) / sizeof(routes[0]), NULL, idle_s);
}

/* All that comes until the connection ends, or `until` has come. */
static char *hear_raw(int fd, const char *until, size_t *len)
{
    static char all[8 * 1024 * 1024];
    *len = 0;
    for (;;) {
        ssize_t got = recv(fd, all + *len, sizeof(all) - 1 - *len, 0);
        if (got <= 0)
            break;
        *len += (size_t)got;
        all[*len] = '\0';
        size_t last = until != NULL ? strlen(until) : 0;
        if (last > 0 && *len >= last && memcmp(all + *len - last, until, last) == 0)
            break;
    }
    all[*len] = '\0';
    return all;
}

#define LETTERS(query) "GET /letters?" query " HTTP/1.1\r\n" HOST "\r\n"

static void test_pieces_are_chunks_and_the_connection_goes_on(void **state)
{
    (void)state;
    /* A4: an answer in pieces, as clients of HTTP/1.1 read it. */
    static const char *const waits[] = { LETTERS("n=3&size=2"), LETTERS("n=3&size=2&wait=5") };
    int fd = dial();
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        say(fd, waits[i]);
        const char *answer = hear_raw(fd, "0\r\n\r\n", &len);
        assert_int_equal(status_of(answer), 200);
        assert_true(has(answer, "Transfer-Encoding: chunked\r\n"));
        assert_true(has(answer, "X-Letters: yes\r\n"));
        assert_false(has(answer, "Content-Length"));
        assert_string_equal(body_of(answer), "2\r\ncc\r\n2\r\nbb\r\n2\r\naa\r\n0\r\n\r\n");
        say(fd, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
        assert_string_equal(body_of(hear(fd, false)), "x");
    }
    assert_int_equal(ended_whole, 2);
    assert_int_equal(ended_short, 0);
    close(fd);
}

static void test_one_piece_has_a_length(void **state)
{
    (void)state;
    const char *answer = ask(LETTERS("n=1&size=4"));
    assert_true(has(answer, "Content-Length: 4\r\n"));
    assert_string_equal(body_of(answer), "aaaa");
    expect_body(LETTERS("n=1&size=0"), "");
    UNTIL(ended_whole >= 2);
}

static void test_http_1_0_reads_to_the_end(void **state)
{
    (void)state;
    size_t len;
    int fd = dial();
    say(fd, "GET /letters?n=3&size=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const char *answer = hear_raw(fd, NULL, &len);
    assert_true(has(answer, "Connection: close\r\n"));
    assert_false(has(answer, "chunked"));
    assert_string_equal(body_of(answer), "ccbbaa");
    close(fd);
}

static void test_head_asks_for_no_piece(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "HEAD /letters?n=3 HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(hear(fd, true)), 200);
    assert_string_equal(body_of(hear(fd, false)), "x");
    UNTIL(ended_whole >= 1);
    assert_int_equal(asked, 0);
    close(fd);
}

static void test_what_fails_first_is_the_answer_and_later_a_reset(void **state)
{
    (void)state;
    const char *answer = ask(LETTERS("n=3&breaks=3"));
    assert_int_equal(status_of(answer), 503);
    assert_true(has(answer, "the ink is dry"));
    assert_true(has(answer, "Retry-After: "));
    static const char *const versions[] = { "1.1", "1.0" };
    for (size_t i = 0; i < 2; i++) {
        char request[100];
        int fd = dial();
        snprintf(request, sizeof(request),
                 "GET /letters?n=3&breaks=1&wait=20 HTTP/%s\r\n" HOST "\r\n", versions[i]);
        say(fd, request);
        char byte;
        ssize_t got;
        while ((got = recv(fd, &byte, 1, 0)) == 1)
            continue;
        if (got != -1 || errno != ECONNRESET)
            fail_msg("HTTP/%s: expected a reset behind the part, got %zd", versions[i], got);
        close(fd);
    }
    UNTIL(ended_short >= 2);
    assert_int_equal(ended_whole, 1);
}

static void test_a_piece_is_asked_for_when_the_last_has_left(void **state)
{
    (void)state;
    /* A4: who does not read costs one piece, whatever there is to read. */
    size_t len;
    int fd = dial();
    say(fd, LETTERS("n=100&size=65536"));
    int before = -1;
    while (before != given) { /* until it stands still: the sockets between are full */
        before = given;
        for (int turn = 0; turn < 10; turn++)
            server_has_turned();
    }
    assert_in_range(given, 1, 99);
    hear_raw(fd, "0\r\n\r\n", &len);
    assert_true(len > (size_t)100 * PIECE);
    UNTIL(ended_whole >= 1);
    assert_int_equal(given, 100);
    close(fd);
}

static void test_a_source_stops_when_its_client_leaves(void **state)
{
    (void)state;
    static const char *const requests[] = {
        LETTERS("n=1000000&size=65536"),     /* it does not read */
        LETTERS("n=1000000&size=10&wait=1"), /* a piece is awaited */
        LETTERS("n=2&size=10&wait=100"),     /* the first */
        LETTERS("n=1000000&size=65536&wait=1"),
    };
    enum { MANY = sizeof(requests) / sizeof(requests[0]) };
    for (int i = 0; i < MANY; i++) {
        const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
        int fd = dial(), before = asked;
        say(fd, requests[i]);
        UNTIL(asked >= before + 1);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        UNTIL(ended_short >= i + 1);
    }
    assert_int_equal(open_sources, 0);
    assert_int_equal(ended_whole, 0);
}

static void test_who_takes_nothing_of_it_is_cut_off(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, LETTERS("n=1000000&size=65536"));
    UNTIL(ended_short >= 1);
    assert_int_equal(open_sources, 0);
    close(fd);
}

static void test_the_end_comes_in_the_middle(void **state)
{
    (void)state;
    int unread = dial(), waiting = dial();
    say(unread, LETTERS("n=1000000&size=65536"));
    say(waiting, LETTERS("n=3&wait=50"));
    UNTIL(asked >= 10);
    UNTIL(open_sources >= 2);
    stop_at_once = true;
    UNTIL(ended_whole > 0); /* what is asked for is awaited */
    uv_async_send(&stop);
    pthread_join(thread, NULL);
    assert_int_equal(open_sources, 0);
    assert_true(ended(unread));
    close(unread);
    close(waiting);
    limits_free(limits);
    assert_int_equal(uv_loop_close(&loop), 0);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_pieces_are_chunks_and_the_connection_goes_on),
        WITH_SERVER(test_one_piece_has_a_length),
        WITH_SERVER(test_http_1_0_reads_to_the_end),
        WITH_SERVER(test_head_asks_for_no_piece),
        WITH_SERVER(test_what_fails_first_is_the_answer_and_later_a_reset),
        WITH_SERVER(test_a_piece_is_asked_for_when_the_last_has_left),
        WITH_SERVER(test_a_source_stops_when_its_client_leaves),
        cmocka_unit_test_setup_teardown(test_who_takes_nothing_of_it_is_cut_off, start_impatient,
                                        finish),
        cmocka_unit_test_setup(test_the_end_comes_in_the_middle, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
