/* The rate limit by clock hour, and the slowing of guesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "server/limits.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static void test_an_account_has_so_many_an_hour(void **state)
{
    (void)state;
    struct limits *limits = limits_new(3);
    struct limit limit;
    for (int left = 2; left >= 0; left--) {
        assert_true(limits_count(limits, 7, 10 * HOUR + 30 * MINUTE, &limit));
        assert_int_equal(limit.left, left);
        assert_int_equal(limit.most, 3);
        assert_int_equal(limit.reset_s, 30 * 60);
    }
    assert_false(limits_count(limits, 7, 10 * HOUR + 59 * MINUTE, &limit));
    assert_int_equal(limit.left, 0);
    assert_int_equal(limit.reset_s, 60);
    assert_true(limits_count(limits, 8, 10 * HOUR + 59 * MINUTE, &limit)); /* another's own */
    limits_free(limits);
}

static void test_the_count_starts_anew_with_the_hour(void **state)
{
    (void)state;
    struct limits *limits = limits_new(1);
    struct limit limit;
    assert_true(limits_count(limits, 7, 11 * HOUR - 1, &limit));
    assert_int_equal(limit.reset_s, 1); /* never 0: a client that waits it out gets through */
    assert_false(limits_count(limits, 7, 11 * HOUR - 1, &limit));
    assert_true(limits_count(limits, 7, 11 * HOUR, &limit));
    assert_int_equal(limit.reset_s, 3600);
    limits_free(limits);
}

static void test_nought_is_no_limit(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    struct limit limit;
    for (int i = 0; i < 10000; i++)
        assert_true(limits_count(limits, 7, HOUR, &limit));
    assert_int_equal(limit.most, 0);
    limits_free(limits);
}

/* What servers have drawn in all, as the table that they share would tell. */
struct shared {
    struct limits *limits[2];
    int most, drawn;
};

static bool draw_and_count(struct shared *shared, int server, int64_t now_ms, struct limit *out)
{
    struct limits_wish wish;
    limits_wish(shared->limits[server], 7, now_ms, &wish);
    int left = shared->most - shared->drawn, got = wish.want < left ? wish.want : left;
    if (wish.want > 0) {
        shared->drawn += got;
        limits_drawn(shared->limits[server], 7, now_ms / HOUR, got, shared->drawn);
    }
    return limits_count(shared->limits[server], 7, now_ms, out);
}

static struct shared two_servers(int most)
{
    struct shared shared = { .most = most };
    for (int i = 0; i < 2; i++) {
        shared.limits[i] = limits_new(most);
        limits_share(shared.limits[i]);
    }
    return shared;
}

static void free_both(struct shared *shared)
{
    limits_free(shared->limits[0]);
    limits_free(shared->limits[1]);
}

static void test_servers_that_share_a_limit_pass_it_together(void **state)
{
    static const int limits[] = { 1, 7, 100, 1000 };
    (void)state;
    for (size_t at = 0; at < sizeof(limits) / sizeof(limits[0]); at++) {
        struct shared shared = two_servers(limits[at]);
        struct limit limit;
        int passed = 0;
        for (int i = 0; i < 2 * limits[at] + 10; i++)
            passed += draw_and_count(&shared, i % 2, HOUR + i, &limit);
        assert_int_equal(passed, limits[at]);
        assert_int_equal(limit.left, 0);
        shared.drawn = 0; /* another hour has rows of its own */
        assert_true(draw_and_count(&shared, 0, 2 * HOUR, &limit));
        free_both(&shared);
    }
}

static void test_a_server_that_rests_keeps_a_block_from_the_others(void **state)
{
    (void)state;
    struct shared shared = two_servers(1000);
    struct limit limit;
    int passed = 0, before = 1000;
    assert_true(draw_and_count(&shared, 0, HOUR, &limit));
    for (int i = 0; i < 1000; i++) {
        bool let = draw_and_count(&shared, 1, HOUR, &limit);
        assert_true(limit.left <= before);
        before = limit.left;
        passed += let;
    }
    assert_int_equal(passed, 950);
    assert_true(draw_and_count(&shared, 0, HOUR, &limit)); /* it has the others */
    free_both(&shared);
}

static void test_nobody_waits_who_has_enough(void **state)
{
    (void)state;
    struct shared shared = two_servers(1000);
    struct limits_wish wish;
    struct limit limit;
    limits_wish(shared.limits[0], 7, HOUR, &wish);
    assert_true(wish.must && wish.want == 50 && wish.most == 1000);
    limits_drawn(shared.limits[0], 7, 1, 50, 50);
    for (int i = 0; i < 25; i++) {
        limits_wish(shared.limits[0], 7, HOUR, &wish);
        assert_int_equal(wish.want, 0);
        assert_true(limits_count(shared.limits[0], 7, HOUR, &limit));
    }
    limits_wish(shared.limits[0], 7, HOUR, &wish);
    assert_true(wish.want == 50 && !wish.must);   /* beside what it does */
    limits_drawn(shared.limits[0], 7, 0, 50, 50); /* of an hour that is over: nothing */
    limits_wish(shared.limits[0], 7, HOUR, &wish);
    assert_int_equal(wish.want, 50);
    limits_set(shared.limits[0], 0);
    limits_wish(shared.limits[0], 7, HOUR, &wish);
    assert_int_equal(wish.want, 0);
    free_both(&shared);
}

static void test_a_guesser_waits_a_minute(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    for (int i = 0; i < 9; i++)
        limits_failed(limits, "192.0.2.1", 1000 * i);
    assert_true(limits_may_try(limits, "192.0.2.1", 9000));
    limits_failed(limits, "192.0.2.1", 9000);
    assert_false(limits_may_try(limits, "192.0.2.1", 9000));
    assert_false(limits_may_try(limits, "192.0.2.1", 9000 + MINUTE - 1));
    assert_true(limits_may_try(limits, "192.0.2.1", 9000 + MINUTE));
    assert_true(limits_may_try(limits, "192.0.2.2", 9000));
    limits_free(limits);
}

static void test_failures_of_different_minutes_do_not_add_up(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    for (int i = 0; i < 100; i++) {
        limits_failed(limits, "192.0.2.1", (int64_t)i * 10 * 1000);
        assert_true(limits_may_try(limits, "192.0.2.1", (int64_t)i * 10 * 1000));
    }
    limits_free(limits);
}

static void test_an_ipv6_network_is_one_guesser(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    char address[64];
    for (int i = 0; i < 10; i++) {
        snprintf(address, sizeof(address), "2001:db8:0:1::%x", i + 1);
        limits_failed(limits, address, 0);
    }
    assert_false(limits_may_try(limits, "2001:db8:0:1:ffff::9", 0));
    assert_true(limits_may_try(limits, "2001:db8:0:2::1", 0));
    limits_free(limits);
}

static void test_many_guessers_push_out_the_oldest_only(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    char address[64];
    for (int i = 0; i < 20000; i++) {
        snprintf(address, sizeof(address), "10.1.%d.%d", i / 256, i % 256);
        limits_failed(limits, address, 0);
    }
    for (int i = 0; i < 10; i++)
        limits_failed(limits, "192.0.2.1", 1);
    assert_false(limits_may_try(limits, "192.0.2.1", 2));
    limits_free(limits);
}

static void test_a_try_that_was_right_is_forgiven(void **state)
{
    (void)state;
    struct limits *limits = limits_new(0);
    for (int i = 0; i < 50; i++) { /* right ones never add up */
        assert_true(limits_may_try(limits, "@0123456789abcdef", MINUTE));
        assert_int_equal(limits_failed(limits, "@0123456789abcdef", MINUTE), 1);
        limits_forgive(limits, "@0123456789abcdef");
    }
    for (int i = 1; i <= LIMITS_GUESSES_MAX; i++) {
        assert_true(limits_may_try(limits, "@0123456789abcdef", MINUTE));
        assert_int_equal(limits_failed(limits, "@0123456789abcdef", MINUTE), i);
    }
    assert_false(limits_may_try(limits, "@0123456789abcdef", MINUTE));
    assert_true(limits_may_try(limits, "@0123456789abcdee", MINUTE)); /* another's name */
    limits_forgive(limits, "@0123456789abcdef"); /* the last one was right after all */
    assert_true(limits_may_try(limits, "@0123456789abcdef", MINUTE));
    limits_forgive(limits, "@nobody");
    limits_free(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_account_has_so_many_an_hour),
        cmocka_unit_test(test_the_count_starts_anew_with_the_hour),
        cmocka_unit_test(test_nought_is_no_limit),
        cmocka_unit_test(test_servers_that_share_a_limit_pass_it_together),
        cmocka_unit_test(test_a_server_that_rests_keeps_a_block_from_the_others),
        cmocka_unit_test(test_nobody_waits_who_has_enough),
        cmocka_unit_test(test_a_guesser_waits_a_minute),
        cmocka_unit_test(test_failures_of_different_minutes_do_not_add_up),
        cmocka_unit_test(test_an_ipv6_network_is_one_guesser),
        cmocka_unit_test(test_many_guessers_push_out_the_oldest_only),
        cmocka_unit_test(test_a_try_that_was_right_is_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
