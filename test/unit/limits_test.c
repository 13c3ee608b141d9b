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
        cmocka_unit_test(test_a_guesser_waits_a_minute),
        cmocka_unit_test(test_failures_of_different_minutes_do_not_add_up),
        cmocka_unit_test(test_an_ipv6_network_is_one_guesser),
        cmocka_unit_test(test_many_guessers_push_out_the_oldest_only),
        cmocka_unit_test(test_a_try_that_was_right_is_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
