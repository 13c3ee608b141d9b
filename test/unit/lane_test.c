/* lane_test.c — the rules of a lane, one by one, on a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "courier/lane.h"

#include <stdlib.h>

/* ---- helpers ---- */

static struct lane *lane_with(struct lane_limits limits)
{
    return lane_new(7, &limits, 0);
}

static struct postback *postback_with(int64_t id)
{
    struct postback *postback = postback_new();
    postback->id = id;
    list_init(&postback->in);
    return postback;
}

static void push(struct lane *lane, int64_t first, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(lane_push(lane, postback_with(first + i)));
}

/* Hands out all that may go at now_ms; gives how many.  The postbacks are done with. */
static int send_all(struct lane *lane, int64_t now_ms)
{
    int64_t wake;
    struct postback *postback;
    int count = 0;
    while ((postback = lane_next(lane, now_ms, &wake)) != NULL) {
        postback_free(postback);
        count++;
    }
    return count;
}

static void done(struct lane *lane, int count, enum verdict verdict, int64_t now_ms)
{
    for (int i = 0; i < count; i++)
        lane_done(lane, verdict, now_ms);
}

/* The id handed out at now_ms, or -1 and the wake-up. */
static int64_t next_id(struct lane *lane, int64_t now_ms, int64_t *wake_ms)
{
    struct postback *postback = lane_next(lane, now_ms, wake_ms);
    int64_t id = postback != NULL ? postback->id : -1;
    postback_free(postback);
    return id;
}

static void go_down(struct lane *lane, int64_t now_ms)
{
    int64_t id = 900000;
    while (lane_state(lane) == LANE_READY) {
        if (lane_queued(lane) == 0)
            push(lane, id++, 1);
        assert_int_equal(send_all(lane, now_ms), 1);
        done(lane, 1, VERDICT_DESTINATION, now_ms);
    }
    assert_int_equal(lane_state(lane), LANE_DOWN);
}

/* ---- the window ---- */

static void test_a_window_of_eight_goes_out_at_once(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 20);
    assert_int_equal(send_all(lane, 0), 8);
    assert_int_equal(lane_in_flight(lane), 8);
    assert_int_equal(lane_queued(lane), 12);
    lane_done(lane, VERDICT_FAILED, 5); /* also a failure of the postback alone makes room */
    assert_int_equal(send_all(lane, 5), 1);
    done(lane, 8, VERDICT_DELIVERED, 5);
    lane_free(lane);
}

static void test_postbacks_go_out_oldest_first(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 10, 3);
    assert_int_equal(next_id(lane, 0, &wake), 10);
    assert_int_equal(next_id(lane, 0, &wake), 11);
    assert_int_equal(next_id(lane, 0, &wake), 12);
    assert_int_equal(next_id(lane, 0, &wake), -1);
    assert_int_equal(wake, -1);
    done(lane, 3, VERDICT_DELIVERED, 1);
    lane_free(lane);
}

static void test_each_full_window_delivered_adds_one_up_to_128(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    int64_t id = 1;
    for (int window = 8; window <= 130; window++) {
        int expected = window < 128 ? window : 128;
        assert_int_equal(lane_window(lane), expected);
        push(lane, id, 200);
        id += 200;
        assert_int_equal(send_all(lane, window), expected);
        done(lane, expected - 1, VERDICT_DELIVERED, window);
        assert_int_equal(lane_window(lane), expected);
        done(lane, 1, VERDICT_DELIVERED, window);
        struct list rest;
        list_init(&rest);
        assert_int_equal(lane_drain(lane, &rest), 200 - expected);
        while (!list_empty(&rest)) {
            struct list *node = list_first(&rest);
            list_remove(node);
            postback_free(container_of(node, struct postback, in));
        }
    }
    lane_free(lane);
}

static void test_maximum_concurrent_caps_the_window(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ .maximum_concurrent = 3 });
    push(lane, 1, 40);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(send_all(lane, i), 3);
        done(lane, 3, VERDICT_DELIVERED, i);
    }
    lane_limit(lane, &(struct lane_limits){ .maximum_concurrent = 1 }, 10);
    assert_int_equal(send_all(lane, 10), 1);
    done(lane, 1, VERDICT_DELIVERED, 10);
    lane_free(lane);
}

static void test_a_window_is_halved_once_for_a_windows_worth_of_failures(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 100);
    assert_int_equal(send_all(lane, 0), 8);
    lane_done(lane, VERDICT_DESTINATION, 1);
    assert_int_equal(lane_window(lane), 4);
    assert_int_equal(send_all(lane, 1), 0); /* seven are still out there */
    done(lane, 3, VERDICT_DESTINATION, 1);
    assert_int_equal(lane_window(lane), 4);
    done(lane, 3, VERDICT_DESTINATION, 1);
    assert_int_equal(lane_window(lane), 4); /* one more is forgiven */
    done(lane, 1, VERDICT_DELIVERED, 1);
    assert_int_equal(send_all(lane, 2), 4);
    done(lane, 1, VERDICT_DELIVERED, 2);
    done(lane, 1, VERDICT_DESTINATION, 2);
    assert_int_equal(lane_window(lane), 4); /* the last of the eight */
    done(lane, 1, VERDICT_DESTINATION, 2);
    assert_int_equal(lane_window(lane), 2);
    done(lane, 1, VERDICT_DELIVERED, 2);
    assert_int_equal(lane_state(lane), LANE_READY);
    lane_free(lane);
}

static void test_a_failed_postback_says_nothing_about_the_destination(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 200);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(send_all(lane, i), 8);
        done(lane, 8, VERDICT_FAILED, i);
    }
    assert_int_equal(lane_window(lane), 8);
    assert_int_equal(lane_state(lane), LANE_READY);
    lane_free(lane);
}

/* ---- down ---- */

static void test_a_full_window_of_failures_brings_it_down(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 20);
    assert_int_equal(send_all(lane, 100), 8);
    done(lane, 7, VERDICT_DESTINATION, 100);
    assert_int_equal(lane_state(lane), LANE_READY);
    done(lane, 1, VERDICT_DESTINATION, 100);
    assert_int_equal(lane_state(lane), LANE_DOWN);
    assert_int_equal(next_id(lane, 100, &wake), -1);
    assert_int_equal(wake, 1100);
    assert_int_equal(next_id(lane, 1099, &wake), -1);
    assert_int_equal(next_id(lane, 1100, &wake), 9); /* one probe … */
    assert_int_equal(next_id(lane, 9999, &wake), -1);
    assert_int_equal(wake, -1); /* … and no more until it is answered */
    lane_done(lane, VERDICT_DELIVERED, 10000);
    assert_int_equal(lane_state(lane), LANE_READY);
    assert_int_equal(send_all(lane, 10000), 8); /* catching up begins at once */
    done(lane, 8, VERDICT_DELIVERED, 10001);
    lane_free(lane);
}

static void test_a_dead_destination_costs_its_window(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 20);
    assert_int_equal(send_all(lane, 0), 8);
    for (int i = 0; i < 8; i++) { /* they fail one after the other, not all in one moment */
        lane_done(lane, VERDICT_DESTINATION, i);
        assert_int_equal(send_all(lane, i), 0);
    }
    assert_int_equal(lane_state(lane), LANE_DOWN);
    assert_int_equal(lane_in_flight(lane), 0);
    lane_free(lane);
}

static void test_one_or_two_failures_are_a_blip(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ .maximum_concurrent = 1 });
    push(lane, 1, 10);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lane_state(lane), LANE_READY);
        assert_int_equal(send_all(lane, i), 1);
        done(lane, 1, VERDICT_DESTINATION, i);
    }
    assert_int_equal(lane_state(lane), LANE_DOWN);
    lane_free(lane);
}

static void test_an_answer_in_between_keeps_it_up(void **state)
{
    (void)state;
    static const enum verdict answers[] = { VERDICT_DELIVERED, VERDICT_FAILED };
    for (int a = 0; a < 2; a++) {
        struct lane *lane = lane_with((struct lane_limits){ .maximum_concurrent = 4 });
        push(lane, 1, 8);
        assert_int_equal(send_all(lane, 0), 4);
        done(lane, 3, VERDICT_DESTINATION, 0);
        done(lane, 1, answers[a], 0);
        assert_int_equal(lane_state(lane), LANE_READY);
        lane_free(lane);
    }
}

static void test_probes_come_after_1_s_doubling_to_5_minutes(void **state)
{
    (void)state;
    static const int64_t waits[] = { 1000,  2000,   4000,   8000,   16000, 32000,
                                     64000, 128000, 256000, 300000, 300000 };
    int64_t now = 50, wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    go_down(lane, now);
    push(lane, 1, 30);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        assert_int_equal(next_id(lane, now, &wake), -1);
        assert_int_equal(wake - now, waits[i]);
        now = wake;
        assert_int_equal(send_all(lane, now), 1);
        now += 30000; /* it hung */
        lane_done(lane, VERDICT_DESTINATION, now);
        assert_int_equal(lane_state(lane), LANE_DOWN);
    }
    /* It answers again, though not with a success: the next is tried soon, and still alone. */
    assert_int_equal(send_all(lane, now + 300000), 1);
    now += 300010;
    lane_done(lane, VERDICT_FAILED, now);
    assert_int_equal(lane_state(lane), LANE_DOWN);
    assert_int_equal(next_id(lane, now, &wake), -1);
    assert_int_equal(wake - now, 1000);
    for (int64_t wait = 2000; wait <= 64000; wait *= 2) { /* but not for ever so soon */
        now = wake;
        assert_int_equal(send_all(lane, now), 1);
        lane_done(lane, VERDICT_FAILED, now);
        assert_int_equal(next_id(lane, now, &wake), -1);
        assert_int_equal(wake - now, wait);
    }
    lane_free(lane);
}

static void test_a_destination_that_asked_for_rest_is_not_probed(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ .maximum_concurrent = 1 });
    push(lane, 1, 10);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_all(lane, i), 1); /* while it is READY the others go on */
        lane_rest(lane, 90000 - i * 15000);     /* the latest wish counts */
        lane_done(lane, VERDICT_DESTINATION, i);
    }
    assert_int_equal(lane_state(lane), LANE_DOWN);
    assert_int_equal(next_id(lane, 59999, &wake), -1);
    assert_int_equal(wake, 60000);
    assert_int_equal(send_all(lane, 60000), 1);
    lane_rest(lane, 90000);
    lane_done(lane, VERDICT_DESTINATION, 60000);
    assert_int_equal(next_id(lane, 89999, &wake), -1);
    assert_int_equal(send_all(lane, 90000), 1);
    lane_done(lane, VERDICT_DELIVERED, 90000);
    assert_int_equal(lane_state(lane), LANE_READY);
    assert_int_equal(send_all(lane, 90000), 1);
    lane_done(lane, VERDICT_DELIVERED, 90000);
    go_down(lane, 100000); /* what it wished before it was well again is forgotten */
    assert_int_equal(next_id(lane, 100000, &wake), -1);
    assert_int_equal(wake, 101000);
    lane_free(lane);
}

static void test_hurry_probes_at_once(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    go_down(lane, 0);
    push(lane, 1, 5);
    assert_int_equal(next_id(lane, 10, &wake), -1);
    lane_hurry(lane, 10);
    assert_int_equal(send_all(lane, 10), 1);
    lane_rest(lane, 60000);
    lane_done(lane, VERDICT_DESTINATION, 20);
    assert_int_equal(next_id(lane, 20, &wake), -1); /* and then in its own time again */
    lane_hurry(lane, 30);
    assert_int_equal(next_id(lane, 30, &wake), -1);
    assert_int_equal(wake, 60000); /* a rest that was asked for is kept */
    lane_rest(lane, 0);
    assert_int_equal(send_all(lane, 30), 1);
    lane_done(lane, VERDICT_DESTINATION, 40);
    lane_free(lane);
}

static void test_what_was_sent_before_it_went_down(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 200);
    for (int window = 8; window < 12; window++) {
        assert_int_equal(send_all(lane, 0), window);
        done(lane, window, VERDICT_DELIVERED, 0);
    }
    assert_int_equal(send_all(lane, 10), 12);
    done(lane, 8, VERDICT_DESTINATION, 100);
    assert_int_equal(lane_state(lane), LANE_DOWN);
    /* Four of its window hang on: they are its probes. */
    assert_int_equal(next_id(lane, 5000, &wake), -1);
    done(lane, 3, VERDICT_DESTINATION, 30000);
    assert_int_equal(next_id(lane, 30000, &wake), -1);
    done(lane, 1, VERDICT_DESTINATION, 30001);
    assert_int_equal(send_all(lane, 30001), 1); /* and none of them made the wait longer */
    lane_done(lane, VERDICT_DESTINATION, 30002);
    assert_int_equal(next_id(lane, 30002, &wake), -1);
    assert_int_equal(wake, 32002);
    lane_free(lane);
}

static void test_a_late_success_reopens_a_down_lane(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 100);
    for (int window = 8; window < 10; window++) {
        assert_int_equal(send_all(lane, 0), window);
        done(lane, window, VERDICT_DELIVERED, 0);
    }
    assert_int_equal(send_all(lane, 0), 10);
    done(lane, 8, VERDICT_DESTINATION, 0);
    assert_int_equal(lane_state(lane), LANE_DOWN);
    done(lane, 1, VERDICT_DELIVERED, 200);
    assert_int_equal(lane_state(lane), LANE_READY);
    assert_int_equal(send_all(lane, 200), 7); /* one of the old ones still hangs */
    done(lane, 8, VERDICT_DELIVERED, 300);
    lane_free(lane);
}

/* ---- held ---- */

static void test_a_held_lane_hands_out_nothing(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 10);
    assert_int_equal(next_id(lane, 0, &wake), 1);
    lane_hold(lane, 0);
    lane_hold(lane, 0);
    assert_int_equal(next_id(lane, 1000000, &wake), -1);
    assert_int_equal(wake, -1);
    done(lane, 1, VERDICT_DESTINATION, 1000000);
    assert_int_equal(lane_state(lane), LANE_HELD);
    lane_release(lane, 1000001);
    lane_release(lane, 1000001);
    assert_int_equal(lane_state(lane), LANE_READY);
    assert_int_equal(send_all(lane, 1000001), 8);
    done(lane, 8, VERDICT_DELIVERED, 1000002);
    lane_free(lane);
}

static void test_gone_holds_it(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 20);
    assert_int_equal(send_all(lane, 0), 8);
    done(lane, 8, VERDICT_GONE, 0);
    assert_int_equal(lane_state(lane), LANE_HELD);
    assert_int_equal(lane_queued(lane), 12);
    lane_release(lane, 1);
    assert_int_equal(send_all(lane, 1), 8);
    done(lane, 8, VERDICT_DELIVERED, 1);
    lane_free(lane);

    lane = lane_with((struct lane_limits){ 0 });
    go_down(lane, 2);
    push(lane, 100, 1);
    assert_int_equal(send_all(lane, 1002), 1);
    done(lane, 1, VERDICT_GONE, 1003);
    assert_int_equal(lane_state(lane), LANE_HELD);
    lane_free(lane);
}

static void test_a_down_lane_released_starts_with_a_small_window(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    go_down(lane, 0);
    lane_hold(lane, 10);
    lane_release(lane, 20);
    push(lane, 1, 20);
    assert_int_equal(send_all(lane, 20), 8);
    done(lane, 8, VERDICT_DELIVERED, 30);
    lane_free(lane);
}

/* ---- the queue ---- */

static void test_high_water(void **state)
{
    (void)state;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, LANE_HIGH_WATER);
    struct postback *one_more = postback_with(1000);
    assert_false(lane_push(lane, one_more));
    assert_int_equal(send_all(lane, 0), 8);
    assert_true(lane_push(lane, one_more));
    done(lane, 8, VERDICT_DELIVERED, 0);
    lane_free(lane);
}

static void test_take_and_drain(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 5);
    assert_int_equal(next_id(lane, 0, &wake), 1);
    assert_null(lane_take(lane, 1)); /* in flight */
    assert_null(lane_take(lane, 77));
    struct postback *taken = lane_take(lane, 3);
    assert_non_null(taken);
    assert_int_equal(taken->id, 3);
    postback_free(taken);
    static const int64_t expected[] = { 2, 4, 5 };
    struct list out;
    list_init(&out);
    assert_int_equal(lane_drain(lane, &out), 3);
    assert_int_equal(lane_queued(lane), 0);
    for (int i = 0; i < 3; i++) {
        struct list *node = list_first(&out);
        struct postback *postback = container_of(node, struct postback, in);
        assert_int_equal(postback->id, expected[i]);
        list_remove(node);
        postback_free(postback);
    }
    done(lane, 1, VERDICT_DELIVERED, 0);
    lane_free(lane);
}

/* ---- ordered ---- */

static void test_ordered_goes_one_at_a_time(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ .ordered = true });
    push(lane, 1, 3);
    for (int64_t id = 1; id <= 3; id++) {
        assert_int_equal(next_id(lane, 0, &wake), id);
        assert_int_equal(next_id(lane, 0, &wake), -1);
        assert_int_equal(wake, -1);
        lane_done(lane, VERDICT_DELIVERED, 10);
    }
    lane_free(lane);
}

static void test_made_ordered_with_several_in_flight(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 5);
    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(next_id(lane, 0, &wake), id);
    lane_limit(lane, &(struct lane_limits){ .ordered = true }, 0);
    done(lane, 2, VERDICT_DELIVERED, 1);
    assert_int_equal(next_id(lane, 1, &wake), -1); /* one is still under way */
    lane_done(lane, VERDICT_DELIVERED, 2);
    for (int64_t id = 4; id <= 5; id++) {
        assert_int_equal(next_id(lane, 2, &wake), id);
        lane_done(lane, VERDICT_DELIVERED, 2);
    }
    lane_free(lane);
}

static void test_no_longer_ordered_goes_on_at_once(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ .ordered = true });
    push(lane, 1, 5);
    assert_int_equal(next_id(lane, 0, &wake), 1);
    assert_int_equal(send_all(lane, 1), 0);
    lane_limit(lane, &(struct lane_limits){ 0 }, 1);
    assert_int_equal(send_all(lane, 1), 4);
    done(lane, 5, VERDICT_DELIVERED, 2);
    lane_free(lane);
}

/* ---- Maximum Requests ---- */

/* Runs a healthy receiver with an answer at once and a full queue for `span_ms`, asked at each
 * wake-up plus a lateness; checks each second and gives how many went out. */
static int64_t run_limited(int maximum, int64_t span_ms, int64_t lateness_ms, int64_t *most_at_once)
{
    struct lane *lane = lane_with((struct lane_limits){ .maximum_requests = maximum });
    int64_t *times = must_alloc((size_t)(maximum + 1) * sizeof(*times));
    int64_t sent = 0, wake = 0, now = 10 * span_ms; /* after a long pause */
    int64_t end = now + span_ms;

    *most_at_once = 0;
    for (; now < end; now = wake + lateness_ms) {
        int64_t at_once = 0;
        for (;;) {
            while (lane_queued(lane) < LANE_HIGH_WATER)
                push(lane, 1, 1);
            if (next_id(lane, now, &wake) == -1)
                break;
            at_once++;
            /* The one N places before must be a second away. */
            int64_t *slot = &times[sent % maximum];
            if (sent >= maximum && now - *slot < 1000)
                fail_msg("%d a second, but %d within %lld ms", maximum, maximum + 1,
                         (long long)(now - *slot));
            *slot = now;
            sent++;
            lane_done(lane, VERDICT_DELIVERED, now);
        }
        assert_true(wake > now);
        if (at_once > *most_at_once)
            *most_at_once = at_once;
    }
    free(times);
    lane_free(lane);
    return sent;
}

static void test_maximum_requests_in_any_second(void **state)
{
    (void)state;
    static const int rates[] = { 1, 2, 3, 7, 10, 33, 60, 99, 100, 150, 199, 1000, 4999, 20000 };
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        for (int64_t lateness = 0; lateness <= 3; lateness += 3) {
            int64_t at_once, sent = run_limited(rates[i], 60000, lateness, &at_once);
            int tenth = rates[i] >= 20 ? rates[i] / 10 : 1;
            if (at_once > tenth)
                fail_msg("rate %d: %lld at once, at most %d", rates[i], (long long)at_once, tenth);
            if (sent < (int64_t)rates[i] * 60 * 98 / 100 - 1)
                fail_msg("rate %d: only %lld in a minute", rates[i], (long long)sent);
        }
    }
}

static void test_a_new_lane_does_not_know_what_went_before(void **state)
{
    (void)state;
    int64_t wake;
    struct lane_limits two = { .maximum_requests = 2 };
    struct lane *lane = lane_new(7, &two, 5000);
    push(lane, 1, 3);
    assert_int_equal(next_id(lane, 5000, &wake), -1);
    assert_true(wake > 5500 && wake < 5600);
    assert_int_equal(send_all(lane, wake), 1);
    done(lane, 1, VERDICT_DELIVERED, wake);
    lane_free(lane);

    lane = lane_new(7, &two, 5000); /* nothing for a second: the first goes at once */
    push(lane, 1, 3);
    assert_int_equal(send_all(lane, 6000), 1);
    done(lane, 1, VERDICT_DELIVERED, 6000);
    lane_free(lane);

    lane = lane_new(7, &(struct lane_limits){ 0 }, 5000); /* and without a limit all do */
    push(lane, 1, 3);
    assert_int_equal(send_all(lane, 5000), 3);
    done(lane, 3, VERDICT_DELIVERED, 5000);
    lane_free(lane);
}

static void test_a_new_limit_counts_at_once(void **state)
{
    (void)state;
    int64_t wake;
    struct lane *lane = lane_with((struct lane_limits){ 0 });
    push(lane, 1, 100);
    assert_int_equal(send_all(lane, 5000), 8);
    done(lane, 8, VERDICT_DELIVERED, 5000);
    lane_limit(lane, &(struct lane_limits){ .maximum_requests = 2 }, 5000);
    assert_int_equal(next_id(lane, 5000, &wake), -1);
    assert_true(wake > 5400 && wake < 5600);
    assert_int_equal(send_all(lane, wake), 1);
    done(lane, 1, VERDICT_DELIVERED, wake);
    lane_limit(lane, &(struct lane_limits){ 0 }, wake);
    assert_int_equal(send_all(lane, wake), 9);
    done(lane, 9, VERDICT_DELIVERED, wake);
    lane_free(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_of_eight_goes_out_at_once),
        cmocka_unit_test(test_postbacks_go_out_oldest_first),
        cmocka_unit_test(test_each_full_window_delivered_adds_one_up_to_128),
        cmocka_unit_test(test_maximum_concurrent_caps_the_window),
        cmocka_unit_test(test_a_window_is_halved_once_for_a_windows_worth_of_failures),
        cmocka_unit_test(test_a_failed_postback_says_nothing_about_the_destination),
        cmocka_unit_test(test_a_full_window_of_failures_brings_it_down),
        cmocka_unit_test(test_a_dead_destination_costs_its_window),
        cmocka_unit_test(test_one_or_two_failures_are_a_blip),
        cmocka_unit_test(test_an_answer_in_between_keeps_it_up),
        cmocka_unit_test(test_probes_come_after_1_s_doubling_to_5_minutes),
        cmocka_unit_test(test_a_destination_that_asked_for_rest_is_not_probed),
        cmocka_unit_test(test_hurry_probes_at_once),
        cmocka_unit_test(test_what_was_sent_before_it_went_down),
        cmocka_unit_test(test_a_late_success_reopens_a_down_lane),
        cmocka_unit_test(test_a_held_lane_hands_out_nothing),
        cmocka_unit_test(test_gone_holds_it),
        cmocka_unit_test(test_a_down_lane_released_starts_with_a_small_window),
        cmocka_unit_test(test_high_water),
        cmocka_unit_test(test_take_and_drain),
        cmocka_unit_test(test_ordered_goes_one_at_a_time),
        cmocka_unit_test(test_made_ordered_with_several_in_flight),
        cmocka_unit_test(test_no_longer_ordered_goes_on_at_once),
        cmocka_unit_test(test_maximum_requests_in_any_second),
        cmocka_unit_test(test_a_new_lane_does_not_know_what_went_before),
        cmocka_unit_test(test_a_new_limit_counts_at_once),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
