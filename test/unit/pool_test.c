/* Connections kept, replaced, capped and shared: what the client does between exchanges. */
#include "base/clock.h"
#include "exchanges.h"

#include <time.h>

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void script_byte_by_byte(struct peer *peer)
{
    static const char text[] = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    while (peer_request(peer))
        for (size_t i = 0; i < sizeof(text) - 1; i++)
            if (!peer_say_bytes(peer, text + i, 1))
                return;
}

static void test_kept_connections_carry_one_exchange_after_another(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct client_figures figures;
    struct receiver *receiver = receiver_start(script_byte_by_byte, NULL);
    side_start(&side, &config);
    for (int i = 0; i < 5; i++) {
        struct attempt attempt = exchange(&side, receiver->port);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
    }
    client_figures(side.client, &figures);
    assert_int_equal(figures.exchanges, 5);
    assert_int_equal(figures.connections_opened, 1);
    assert_int_equal(figures.connections_reused, 4);
    assert_int_equal(figures.open, 1);
    assert_int_equal(figures.in_flight, 0);
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

/* Two exchanges with a receiver that says `text` to each request: how many connections? */
static int connections_for_two(const char *text)
{
    const struct client_config config = { 0 };
    struct side side;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = text;
    receiver->text_len = strlen(text);
    side_start(&side, &config);
    for (int i = 0; i < 2; i++) {
        struct attempt attempt = exchange(&side, receiver->port);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
    }
    side_stop(&side);
    int connections = receiver->connections;
    receiver_stop(receiver);
    return connections;
}

static void test_connections_that_cannot_be_trusted_are_not_reused(void **state)
{
    (void)state;
    assert_int_equal(connections_for_two(ok), 1);
    assert_int_equal(connections_for_two("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                         "Content-Length: 2\r\n\r\nok"),
                     2);
    assert_int_equal(connections_for_two("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), 2);
    assert_int_equal(connections_for_two("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!"), 2);
    assert_int_equal(connections_for_two("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nguess"),
                     2);
}

/* Answers the first request of a connection and hangs up on the second. */
static void script_second_is_closed(struct peer *peer)
{
    if (peer_request(peer) && peer_say(peer, ok))
        peer_request(peer);
}

static void test_a_kept_connection_found_closed_is_replaced_once(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct receiver *receiver = receiver_start(script_second_is_closed, NULL);
    side_start(&side, &config);
    for (int i = 0; i < 4; i++) {
        struct attempt attempt = exchange(&side, receiver->port);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 4);
    assert_int_equal(receiver->requests, 7);
    receiver_stop(receiver);
}

/* The first connection answers once; every later one hangs up on its first request. */
static void script_only_first_answers(struct peer *peer)
{
    if (peer_request(peer) && peer->number == 1 && peer_say(peer, ok))
        peer_request(peer);
}

static void test_the_second_failure_is_told(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct receiver *receiver = receiver_start(script_only_first_answers, NULL);
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, receiver->port);
    expect_answer(&attempt, 200, "ok");
    attempt_free(&attempt);
    attempt = exchange(&side, receiver->port);
    expect_error(&attempt, EXCHANGE_RESET, "without an answer");
    side_stop(&side);
    assert_int_equal(receiver->connections, 2);
    receiver_stop(receiver);
}

static int asked;

static bool not_yet(void *context)
{
    (void)context;
    asked++;
    return false;
}

static void await_asked(struct side *side, int times)
{
    while (asked < times)
        uv_run(&side->loop, UV_RUN_ONCE);
}

static void test_a_request_leaves_when_it_may(void **state)
{
    (void)state;
    const struct client_config config = { .deadline_ms = 300 };
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = ok;
    receiver->text_len = strlen(ok);
    side_start(&side, &config);
    client_ask(side.client, not_yet);
    asked = 0;
    for (int i = 1; i <= 2; i++) {
        struct exchange *exchange = send_to(&side, receiver->port, &result);
        assert_int_equal(asked, i - 1 + (i == 2)); /* a kept connection is there at once */
        await_asked(&side, i);
        assert_int_equal(receiver->requests, i - 1);
        client_go(exchange);
        await(&side, &result);
        expect_answer(&result.attempt, 200, "ok");
        attempt_free(&result.attempt);
    }
    send_to(&side, receiver->port, &result);
    await(&side, &result); /* and what the kept one has carried before is none of its business */
    expect_error(&result.attempt, EXCHANGE_TIMEOUT, "held back by Maximum Requests");
    assert_int_equal(result.attempt.status, 0);
    assert_int_equal(asked, 3);
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    assert_int_equal(receiver->requests, 2);
    receiver_stop(receiver);
}

/* Hangs up on the first connections without a word. */
static void script_third_answers(struct peer *peer)
{
    if (peer->number >= 3 && peer_request(peer))
        peer_say(peer, ok);
}

static void test_a_connection_closed_before_its_request_is_replaced_once(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_third_answers, NULL);
    side_start(&side, &config);
    client_ask(side.client, not_yet);
    asked = 0;
    send_to(&side, receiver->port, &result);
    await(&side, &result);
    assert_int_equal(asked, 2);
    expect_error(&result.attempt, EXCHANGE_RESET, "before it had the request");
    struct exchange *exchange = send_to(&side, receiver->port, &result);
    await_asked(&side, 3);
    client_go(exchange);
    await(&side, &result);
    expect_answer(&result.attempt, 200, "ok");
    attempt_free(&result.attempt);
    side_stop(&side);
    assert_int_equal(receiver->requests, 1);
    receiver_stop(receiver);
}

/* A part of an answer to the second request: that is not tried again. */
static void script_second_is_cut(struct peer *peer)
{
    if (peer_request(peer) && peer_say(peer, ok) && peer_request(peer))
        peer_say(peer, "HTTP/1.1 200 OK\r\n");
}

static void test_an_answer_begun_on_a_kept_connection_is_not_repeated(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    struct side side;
    struct receiver *receiver = receiver_start(script_second_is_cut, NULL);
    side_start(&side, &config);
    struct attempt attempt = exchange(&side, receiver->port);
    expect_answer(&attempt, 200, "ok");
    attempt_free(&attempt);
    attempt = exchange(&side, receiver->port);
    expect_error(&attempt, EXCHANGE_RESET, "before its answer was whole");
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

static void script_speaks_unasked(struct peer *peer)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    if (!peer_request(peer) || !peer_say(peer, ok))
        return;
    UNTIL(peer->receiver->go_on); /* the answer was read */
    peer_say(peer, late);
    peer_wait_for_close(peer);
}

static void test_an_idle_connection_that_ends_or_speaks_is_dropped(void **state)
{
    (void)state;
    const struct client_config config = { 0 };
    script *const scripts[] = { script_answer_and_close, script_speaks_unasked };
    for (size_t i = 0; i < 2; i++) {
        struct side side;
        struct receiver *receiver = receiver_start(scripts[i], NULL);
        receiver->text = ok;
        receiver->text_len = sizeof(ok) - 1;
        side_start(&side, &config);
        struct attempt attempt = exchange(&side, receiver->port);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
        receiver->go_on = true;
        await_open(&side, 0);
        side_stop(&side);
        receiver_stop(receiver);
    }
}

static void test_an_idle_connection_is_closed_in_time(void **state)
{
    (void)state;
    const struct client_config config = { .idle_ms = 50 };
    struct side side;
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = ok;
    receiver->text_len = sizeof(ok) - 1;
    side_start(&side, &config);
    struct result results[3];
    for (int i = 0; i < 3; i++)
        send_to(&side, receiver->port, &results[i]);
    for (int i = 0; i < 3; i++) {
        await(&side, &results[i]);
        attempt_free(&results[i].attempt);
    }
    await_open(&side, 0);
    struct attempt attempt = exchange(&side, receiver->port);
    expect_answer(&attempt, 200, "ok");
    attempt_free(&attempt);
    side_stop(&side);
    receiver_stop(receiver);
}

static void script_says_ok(struct peer *peer)
{
    while (peer_request(peer))
        peer_say(peer, ok);
}

static void test_a_destination_has_its_cap_and_the_rest_wait_in_turn(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    const struct client_config config = { .connections_per_destination = 1 };
    struct side side;
    struct result results[COUNT];
    struct receiver *receiver = receiver_start(script_says_ok, NULL);
    side_start(&side, &config);
    for (int i = 0; i < COUNT; i++)
        send_to(&side, receiver->port, &results[i]);
    for (int i = 0; i < COUNT; i++) {
        await(&side, &results[i]);
        expect_answer(&results[i].attempt, 200, "ok");
        assert_int_equal(results[i].order, i + 1);
        attempt_free(&results[i].attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
}

/* One connection, many requests of one account before one of another: that one soon goes. */
static void test_a_shared_destination_serves_accounts_in_turn(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    const struct client_config config = { .connections_per_destination = 1 };
    struct side side;
    struct result results[COUNT];
    struct receiver *receiver = receiver_start(script_says_ok, NULL);
    side_start(&side, &config);
    for (int i = 0; i < COUNT; i++) {
        const struct destination to = { .host = "127.0.0.1",
                                        .port = receiver->port,
                                        .account = i < COUNT - 1 ? 1 : 2 };
        send_body(&side, &to, "POST", "/hook", "{}", 2, &results[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        await(&side, &results[i]);
        expect_answer(&results[i].attempt, 200, "ok");
        attempt_free(&results[i].attempt);
    }
    /* The first had the connection at once, the second stood first in line. */
    assert_int_equal(results[COUNT - 1].order, 3);
    side_stop(&side);
    receiver_stop(receiver);
}

static void test_waiting_counts_against_the_deadline(void **state)
{
    (void)state;
    enum { DEADLINE_MS = 1000 };
    const struct client_config config = { .connections_per_destination = 1,
                                          .deadline_ms = DEADLINE_MS };
    struct side side;
    struct result results[3];
    struct receiver *receiver = receiver_start(script_hang, NULL);
    int64_t from = clock_steady_ms();
    side_start(&side, &config);
    for (int i = 0; i < 3; i++)
        send_to(&side, receiver->port, &results[i]);
    for (int i = 0; i < 3; i++)
        await(&side, &results[i]);
    expect_error(&results[0].attempt, EXCHANGE_TIMEOUT, "waiting for the answer");
    /* Whether it still waits or has just been let in, as the one before it ends in that moment. */
    expect_error(&results[2].attempt, EXCHANGE_TIMEOUT, "");
    assert_in_range(clock_steady_ms() - from, DEADLINE_MS, 3 * DEADLINE_MS - 1);
    side_stop(&side);
    receiver_stop(receiver);
}

static void test_the_cap_on_all_is_shared_among_destinations(void **state)
{
    (void)state;
    enum { RECEIVERS = 3, EACH = 6 };
    const struct client_config config = { .connections = 2 };
    struct side side;
    struct receiver *receivers[RECEIVERS];
    struct result results[RECEIVERS][EACH];
    struct client_figures figures;
    for (int i = 0; i < RECEIVERS; i++)
        receivers[i] = receiver_start(script_says_ok, NULL);
    side_start(&side, &config);
    for (int i = 0; i < RECEIVERS; i++)
        for (int j = 0; j < EACH; j++)
            send_to(&side, receivers[i]->port, &results[i][j]);
    for (int i = 0; i < RECEIVERS; i++)
        for (int j = 0; j < EACH; j++) {
            await(&side, &results[i][j]);
            expect_answer(&results[i][j].attempt, 200, "ok");
            attempt_free(&results[i][j].attempt);
            client_figures(side.client, &figures);
            assert_true(figures.open <= 2);
        }
    side_stop(&side);
    for (int i = 0; i < RECEIVERS; i++)
        receiver_stop(receivers[i]);
}

static void test_an_idle_connection_makes_room_for_another_destination(void **state)
{
    (void)state;
    const struct client_config config = { .connections = 1 };
    struct side side;
    struct client_figures figures;
    struct receiver *first = receiver_start(script_says_ok, NULL);
    struct receiver *second = receiver_start(script_says_ok, NULL);
    side_start(&side, &config);
    for (int i = 0; i < 4; i++) {
        struct attempt attempt = exchange(&side, i % 2 == 0 ? first->port : second->port);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
    }
    client_figures(side.client, &figures);
    assert_int_equal(figures.connections_opened, 4);
    assert_int_equal(figures.open, 1);
    side_stop(&side);
    receiver_stop(first);
    receiver_stop(second);
}

struct relay { /* sends the next one from inside done() */
    struct side *side;
    int port, left;
    bool over;
};

static void relay_done(void *context, struct attempt *attempt)
{
    struct relay *relay = context;
    const struct destination to = { .host = "127.0.0.1", .port = relay->port };
    struct request request = { 0 };
    expect_answer(attempt, 200, "ok");
    attempt_free(attempt);
    if (--relay->left == 0) {
        relay->over = true;
        return;
    }
    buf_str(&request.target, "/");
    buf_str(&request.headers, "Host: x\r\n");
    client_send(relay->side->client, &to, "GET", &request, relay_done, relay);
    request_free(&request);
}

static void test_the_next_can_be_sent_when_one_is_done(void **state)
{
    (void)state;
    const struct client_config config = { .connections_per_destination = 1 };
    struct side side;
    struct request request = { 0 };
    struct receiver *receiver = receiver_start(script_answer, NULL);
    receiver->text = ok;
    receiver->text_len = sizeof(ok) - 1;
    side_start(&side, &config);
    struct relay relay = { .side = &side, .port = receiver->port, .left = 500 };
    const struct destination to = { .host = "127.0.0.1", .port = receiver->port };
    buf_str(&request.target, "/");
    buf_str(&request.headers, "Host: x\r\n");
    client_send(side.client, &to, "GET", &request, relay_done, &relay);
    request_free(&request);
    while (!relay.over)
        uv_run(&side.loop, UV_RUN_ONCE);
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    assert_int_equal(receiver->requests, 500);
    receiver_stop(receiver);
}

/* Every third connection is reset, closed or answered; none may be lost or told twice. */
static void script_moody(struct peer *peer)
{
    for (int i = 0; i < 3; i++) {
        if (!peer_request(peer) || !peer_say(peer, ok))
            return;
    }
    if (peer->number % 3 == 0)
        peer_reset(peer);
    else if (peer->number % 3 == 1)
        peer_request(peer);
}

static void test_many_exchanges_with_a_moody_receiver_all_end(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    const struct client_config config = { .connections_per_destination = 16 };
    struct side side;
    static struct result results[COUNT];
    int answered = 0;
    struct receiver *receiver = receiver_start(script_moody, NULL);
    side_start(&side, &config);
    for (int i = 0; i < COUNT; i++)
        send_to(&side, receiver->port, &results[i]);
    for (int i = 0; i < COUNT; i++) {
        await(&side, &results[i]);
        answered += results[i].attempt.error == EXCHANGE_OK;
        if (results[i].attempt.error != EXCHANGE_OK)
            expect_error(&results[i].attempt, EXCHANGE_RESET, "");
        attempt_free(&results[i].attempt);
    }
    /* What a kept connection lost is repeated on a fresh one, which always answers. */
    assert_int_equal(answered, COUNT);
    side_stop(&side);
    receiver_stop(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_connections_carry_one_exchange_after_another),
        cmocka_unit_test(test_connections_that_cannot_be_trusted_are_not_reused),
        cmocka_unit_test(test_a_kept_connection_found_closed_is_replaced_once),
        cmocka_unit_test(test_the_second_failure_is_told),
        cmocka_unit_test(test_a_request_leaves_when_it_may),
        cmocka_unit_test(test_a_connection_closed_before_its_request_is_replaced_once),
        cmocka_unit_test(test_an_answer_begun_on_a_kept_connection_is_not_repeated),
        cmocka_unit_test(test_an_idle_connection_that_ends_or_speaks_is_dropped),
        cmocka_unit_test(test_an_idle_connection_is_closed_in_time),
        cmocka_unit_test(test_a_destination_has_its_cap_and_the_rest_wait_in_turn),
        cmocka_unit_test(test_a_shared_destination_serves_accounts_in_turn),
        cmocka_unit_test(test_waiting_counts_against_the_deadline),
        cmocka_unit_test(test_the_cap_on_all_is_shared_among_destinations),
        cmocka_unit_test(test_an_idle_connection_makes_room_for_another_destination),
        cmocka_unit_test(test_the_next_can_be_sent_when_one_is_done),
        cmocka_unit_test(test_many_exchanges_with_a_moody_receiver_all_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
