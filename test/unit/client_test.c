/* The client against receivers that answer well, badly, late, too much, too little, or not. */
#include "exchanges.h"

#include <time.h>

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* One exchange with a receiver that says `text`, then goes on or closes. */
static struct attempt answer_to(const char *text, bool then_close)
{
    const struct client_config config = { .deadline_ms = 20000 };
    struct side side;
    struct receiver *receiver =
        receiver_start(then_close ? script_answer_and_close : script_answer, NULL);
    receiver->text = text;
    receiver->text_len = strlen(text);
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, receiver->port);
    side_stop(&side);
    receiver_stop(receiver);
    return attempt;
}

static void expect_text(const char *text, bool then_close, int status, const char *body)
{
    struct attempt attempt = answer_to(text, then_close);
    expect_answer(&attempt, status, body);
    attempt_free(&attempt);
}

static void expect_failure(const char *text, bool then_close, enum exchange_error error,
                           const char *words)
{
    struct attempt attempt = answer_to(text, then_close);
    expect_error(&attempt, error, words);
    attempt_free(&attempt);
}

static void test_a_request_goes_out_and_its_answer_comes_back(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nX-Empty:\r\n"
                     "Content-Length: 5\r\n\r\nhello";
    receiver->text_len = strlen(receiver->text);
    side_start(&side, &config);
    const struct destination to = { .host = "127.0.0.1", .port = receiver->port };
    send_body(&side, &to, "PUT", "/a?b=c", "body", 4, &result);
    await(&side, &result);
    expect_answer(&result.attempt, 201, "hello");
    assert_string_equal(result.attempt.headers,
                        "Content-Type: text/plain\nX-Empty: \nContent-Length: 5\n");
    assert_int_equal(result.attempt.headers_len, strlen(result.attempt.headers));
    assert_true(result.attempt.duration_us > 0);
    assert_true(result.attempt.started_at > 1500000000000);
    assert_int_equal(result.attempt.retry_after_ms, -1);
    char expected[200];
    snprintf(expected, sizeof(expected),
             "PUT /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 4\r\n\r\nbody",
             receiver->port);
    assert_string_equal(receiver->last_request, expected);
    attempt_free(&result.attempt);
    side_stop(&side);
    receiver_stop(receiver);
}

static void test_every_way_to_end_an_answer_is_read(void **state)
{
    (void)state;
    expect_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n",
                false, 200, "abcdefg");
    expect_text("HTTP/1.1 200 OK\r\n\r\nto the close", true, 200, "to the close");
    expect_text("HTTP/1.0 200 OK\r\n\r\nold", true, 200, "old");
    expect_text("HTTP/1.1 204 No Content\r\n\r\n", false, 204, "");
    expect_text("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", false, 304, "");
    expect_text("HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", false, 301, "");
    expect_text("HTTP/1.1 500\r\nContent-Length: 3\r\n\r\nbad", false, 500, "bad");
}

static void test_interim_answers_are_skipped(void **state)
{
    (void)state;
    expect_text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                false, 200, "ok");
}

static void script_endless_interim(struct peer *peer)
{
    if (peer_request(peer))
        while (peer_say(peer, "HTTP/1.1 102 Processing\r\n\r\n"))
            ;
}

static void script_endless_header(struct peer *peer)
{
    if (peer_request(peer) && peer_say(peer, "HTTP/1.1 200 OK\r\n"))
        while (peer_say(peer, "X-More: and more and more and more\r\n"))
            ;
}

static void script_endless_body(struct peer *peer)
{
    static char block[65536];
    if (peer_request(peer) && peer_say(peer, "HTTP/1.1 200 OK\r\n\r\nstart"))
        while (peer_say_bytes(peer, block, sizeof(block)))
            ;
}

static struct attempt exchange_with(script *run, const struct client_config *config)
{
    struct side side;
    struct receiver *receiver = receiver_start(run, NULL);
    side_start(&side, config);
    struct attempt attempt = exchange(&side, receiver->port);
    await_open(&side, 0);
    side_stop(&side);
    receiver_stop(receiver);
    return attempt;
}

static void test_what_never_ends_is_ended(void **state)
{
    (void)state;
    const struct client_config config = { .deadline_ms = 30000 };
    struct attempt attempt = exchange_with(script_endless_interim, &config);
    expect_error(&attempt, EXCHANGE_BAD_ANSWER, "interim");
    attempt_free(&attempt);
    attempt = exchange_with(script_endless_header, &config);
    expect_error(&attempt, EXCHANGE_BAD_ANSWER, "headers are over");
    attempt_free(&attempt);
    attempt = exchange_with(script_endless_body, &config);
    assert_int_equal(attempt.error, EXCHANGE_OK);
    assert_int_equal(attempt.status, 200);
    assert_int_equal(attempt.body_len, ANSWER_BODY_MAX);
    assert_memory_equal(attempt.body, "start", 5);
    attempt_free(&attempt);
}

static void test_what_is_no_answer_is_told_as_such(void **state)
{
    (void)state;
    expect_failure("220 mail.example ESMTP\r\n", false, EXCHANGE_BAD_ANSWER, "");
    expect_failure("HTTP/2.0 200 OK\r\n\r\n", true, EXCHANGE_BAD_ANSWER, "not HTTP/1.x");
    expect_failure("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                   false, EXCHANGE_BAD_ANSWER, "another protocol");
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", false,
                   EXCHANGE_BAD_ANSWER, "Content-Length");
    expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false,
                   EXCHANGE_BAD_ANSWER, "has no size");
}

static void test_an_answer_cut_short_is_a_reset(void **state)
{
    (void)state;
    expect_failure("", true, EXCHANGE_RESET, "without an answer");
    expect_failure("HTTP/1.1 200 OK\r\nContent-", true, EXCHANGE_RESET, "before its answer was");
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true, EXCHANGE_RESET,
                   "before its answer was");
    expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true,
                   EXCHANGE_RESET, "before its answer was");
    expect_failure("HTTP/1.1 100 Continue\r\n\r\n", true, EXCHANGE_RESET, "before its answer was");
}

static void script_reset(struct peer *peer)
{
    if (peer_request(peer))
        peer_reset(peer);
}

static void test_a_reset_is_told_and_not_repeated(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct receiver *receiver = receiver_start(script_reset, NULL);
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, receiver->port);
    expect_error(&attempt, EXCHANGE_RESET, "without an answer");
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

static void test_retry_after_is_read(void **state)
{
    (void)state;
    struct attempt attempt =
        answer_to("HTTP/1.1 429 Slow\r\nretry-AFTER: 7\r\nContent-Length: 0\r\n\r\n", false);
    assert_int_equal(attempt.status, 429);
    assert_int_equal(attempt.retry_after_ms, 7000);
    attempt_free(&attempt);
    attempt =
        answer_to("HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", false);
    assert_int_equal(attempt.retry_after_ms, -1);
    attempt_free(&attempt);
}

static void script_trickle(struct peer *peer)
{
    if (peer_request(peer) && peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
        while (peer_say(peer, "x") && !peer_hung_up(peer, 20))
            ;
}

static void test_the_deadline_ends_an_exchange_in_any_phase(void **state)
{
    (void)state;
    const struct client_config config = { .deadline_ms = 150 };
    struct attempt attempt = exchange_with(script_hang, &config);
    expect_error(&attempt, EXCHANGE_TIMEOUT, "timed out after 0.15 s: waiting for the answer");
    assert_true(attempt.duration_us >= 149000);
    assert_int_equal(attempt.status, 0);
    attempt = exchange_with(script_trickle, &config);
    expect_error(&attempt, EXCHANGE_TIMEOUT, "reading the answer");
    assert_int_equal(attempt.status, 200);
    attempt_free(&attempt);
}

static void test_the_deadline_ends_a_request_that_is_not_taken(void **state)
{
    (void)state;
    const struct client_config config = { .deadline_ms = 300 };
    static char body[15 * 1024 * 1024]; /* more than the system's buffers take */
    struct side side;
    struct result result;
    int port;
    int listener = listen_on_loopback(16, 4096, &port); /* accepted by the system, read by none */
    side_start(&side, &config);
    const struct destination to = { .host = "127.0.0.1", .port = port };
    send_body(&side, &to, "POST", "/", body, sizeof(body), &result);
    await(&side, &result);
    expect_error(&result.attempt, EXCHANGE_TIMEOUT, "sending");
    side_stop(&side);
    close(listener);
}

static void test_the_deadline_ends_connecting(void **state)
{
    (void)state;
    const struct client_config config = { .deadline_ms = 300 };
    struct side side;
    struct result results[8];
    int port, connecting = 0;
    int listener = listen_on_loopback(0, 0, &port); /* after a few nothing is taken any more */
    side_start(&side, &config);
    for (int i = 0; i < 8; i++)
        send_to(&side, port, &results[i]);
    for (int i = 0; i < 8; i++) {
        await(&side, &results[i]);
        assert_int_equal(results[i].attempt.error, EXCHANGE_TIMEOUT);
        connecting += strstr(results[i].attempt.detail, ": connecting") != NULL;
    }
    assert_true(connecting > 0);
    side_stop(&side);
    close(listener);
}

static void test_a_closed_port_is_refused_by_name(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    int port;
    close(listen_on_loopback(1, 0, &port));
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, port);
    expect_error(&attempt, EXCHANGE_CONNECT, "connection refused");
    expect_error(&attempt, EXCHANGE_CONNECT, "127.0.0.1 port ");
    side_stop(&side);
}

static void test_private_addresses_are_refused_unless_allowed(void **state)
{
    (void)state;
    static const char *const other[] = { "10.0.0.0/8" };
    const struct client_config config = { .allow_egress = other, .allow_egress_count = 1 };
    struct side side;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, receiver->port);
    assert_int_equal(attempt.error, EXCHANGE_REFUSED_ADDRESS);
    assert_string_equal(attempt.detail, "127.0.0.1 is a loopback address; the operator can allow "
                                        "it with --allow-egress");
    struct result result;
    const struct destination named = { .host = "localhost", .port = receiver->port };
    send_body(&side, &named, "POST", "/", "", 0, &result);
    await(&side, &result);
    expect_error(&result.attempt, EXCHANGE_REFUSED_ADDRESS, "is a loopback address");
    side_stop(&side);
    assert_int_equal(receiver->connections, 0);
    receiver_stop(receiver);
}

static void test_localhost_is_found_by_name(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = ok;
    receiver->text_len = sizeof(ok) - 1;
    side_start(&side, &config);
    const struct destination to = { .host = "localhost", .port = receiver->port };
    for (int i = 0; i < 2; i++) {
        send_body(&side, &to, "GET", "/", NULL, 0, &result);
        await(&side, &result);
        expect_answer(&result.attempt, 200, "ok");
        attempt_free(&result.attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

static void test_what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    static const char *const targets[] = { "", "nowhere", "/a b", "/a\r\nHost: x", "/\x7f" };
    char long_host[400];
    struct side side;
    struct result result;
    side_start(&side, &config);
    const struct destination to = { .host = "127.0.0.1", .port = 9 };
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        send_body(&side, &to, "POST", targets[i], "", 0, &result);
        await(&side, &result);
        expect_error(&result.attempt, EXCHANGE_BUILD, "target");
    }
    memset(long_host, 'a', sizeof(long_host) - 1);
    long_host[sizeof(long_host) - 1] = '\0';
    const struct destination nowhere = { .host = long_host, .port = 80 };
    send_body(&side, &nowhere, "POST", "/", "", 0, &result);
    await(&side, &result);
    expect_error(&result.attempt, EXCHANGE_DNS, "not a host");
    side_stop(&side);
}

/* Says 413 as soon as the head is there, and closes with the body unread. */
static void script_refuses_early(struct peer *peer)
{
    char head[512];
    if (peer_read(peer, head, sizeof(head)) > 0) {
        peer_say(peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        shutdown(peer->fd, SHUT_WR);
        peer_wait_for_close(peer);
    }
}

static void test_an_answer_before_the_end_of_the_request_counts(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    static char body[REQUEST_BODY_MAX];
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_refuses_early, NULL);
    side_start(&side, &config);
    const struct destination to = { .host = "127.0.0.1", .port = receiver->port };
    send_body(&side, &to, "POST", "/", body, sizeof(body), &result);
    await(&side, &result);
    expect_answer(&result.attempt, 413, "big");
    attempt_free(&result.attempt);
    await_open(&side, 0);
    side_stop(&side);
    receiver_stop(receiver);
}

static void script_echo_length(struct peer *peer)
{
    char text[200];
    while (peer_request(peer)) {
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                 peer->request_len);
        peer_say(peer, text);
        peer_say_bytes(peer, peer->in, peer->request_len);
    }
}

static void test_large_bodies_pass_both_ways(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    static char body[700000];
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_echo_length, NULL);
    side_start(&side, &config);
    const struct destination to = { .host = "127.0.0.1", .port = receiver->port };
    memset(body, 'x', sizeof(body));
    for (int i = 0; i < 2; i++) {
        send_body(&side, &to, "POST", "/", body, sizeof(body), &result);
        await(&side, &result);
        assert_int_equal(result.attempt.error, EXCHANGE_OK);
        assert_int_equal(result.attempt.body_len, ANSWER_BODY_MAX);
        attempt_free(&result.attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

static void test_freeing_the_client_ends_what_is_under_way(void **state)
{
    (void)state;
    const struct client_config config = { .connections_per_destination = 1 };
    struct side side;
    struct result results[3];
    struct receiver *receiver = receiver_start(script_hang, NULL);
    side_start(&side, &config);
    for (int i = 0; i < 3; i++)
        send_to(&side, receiver->port, &results[i]);
    while (receiver->requests == 0)
        uv_run(&side.loop, UV_RUN_NOWAIT);
    client_free(side.client);
    side.client = NULL;
    for (int i = 0; i < 3; i++) {
        assert_true(results[i].ended);
        expect_error(&results[i].attempt, EXCHANGE_RESET, "shutting down");
    }
    side_stop(&side);
    assert_int_equal(receiver->requests, 1);
    receiver_stop(receiver);
}

static void test_bad_settings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "10.0.0.0/99" };
    struct client_config config = { .allow_egress = bad, .allow_egress_count = 1 };
    struct error error = { 0 };
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_null(client_new(&loop, &config, &error));
    assert_non_null(strstr(error.message, "10.0.0.0/99"));
    config = (struct client_config){ .ca_file = "/nonexistent/ca.pem" };
    error = (struct error){ 0 };
    assert_null(client_new(&loop, &config, &error));
    assert_non_null(strstr(error.message, "/nonexistent/ca.pem"));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_goes_out_and_its_answer_comes_back),
        cmocka_unit_test(test_every_way_to_end_an_answer_is_read),
        cmocka_unit_test(test_interim_answers_are_skipped),
        cmocka_unit_test(test_what_never_ends_is_ended),
        cmocka_unit_test(test_what_is_no_answer_is_told_as_such),
        cmocka_unit_test(test_an_answer_cut_short_is_a_reset),
        cmocka_unit_test(test_a_reset_is_told_and_not_repeated),
        cmocka_unit_test(test_retry_after_is_read),
        cmocka_unit_test(test_the_deadline_ends_an_exchange_in_any_phase),
        cmocka_unit_test(test_the_deadline_ends_a_request_that_is_not_taken),
        cmocka_unit_test(test_the_deadline_ends_connecting),
        cmocka_unit_test(test_a_closed_port_is_refused_by_name),
        cmocka_unit_test(test_private_addresses_are_refused_unless_allowed),
        cmocka_unit_test(test_localhost_is_found_by_name),
        cmocka_unit_test(test_what_cannot_be_sent_is_refused),
        cmocka_unit_test(test_an_answer_before_the_end_of_the_request_counts),
        cmocka_unit_test(test_large_bodies_pass_both_ways),
        cmocka_unit_test(test_freeing_the_client_ends_what_is_under_way),
        cmocka_unit_test(test_bad_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
