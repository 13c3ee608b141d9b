/* backoff_test.c — how long a postback and a down destination wait. */
#include "model/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIDDLE (UINT32_MAX / 2)

static void assert_near(int64_t got, int64_t wanted_ms)
{
    if (got < wanted_ms - 2 || got > wanted_ms + 2)
        fail_msg("expected about %lld ms, got %lld", (long long)wanted_ms, (long long)got);
}

static void test_the_waits_grow_to_an_hour_and_stay(void **state)
{
    static const int64_t seconds[] = { 5, 30, 120, 600, 1800, 3600, 3600, 3600 };
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_near(backoff_ms(i + 1, -1, MIDDLE), seconds[i] * 1000);
    assert_near(backoff_ms(1000000, -1, MIDDLE), 3600000);
}

static void test_the_spread_is_a_fifth_either_way(void **state)
{
    (void)state;
    for (int attempt = 1; attempt < 8; attempt++) {
        int64_t middle = backoff_ms(attempt, -1, MIDDLE);
        assert_near(backoff_ms(attempt, -1, 0), middle - middle / 5);
        assert_near(backoff_ms(attempt, -1, UINT32_MAX), middle + middle / 5);
    }
}

static void test_a_longer_retry_after_is_obeyed_up_to_a_day(void **state)
{
    (void)state;
    assert_int_equal(backoff_ms(1, 90000, MIDDLE), 90000);
    assert_int_equal(backoff_ms(1, 86400000, MIDDLE), 86400000);
    assert_int_equal(backoff_ms(1, INT64_MAX, MIDDLE), 86400000);
}

static void test_a_shorter_retry_after_does_not_hurry(void **state)
{
    (void)state;
    assert_near(backoff_ms(3, 1000, MIDDLE), 120000);
    assert_near(backoff_ms(3, 0, MIDDLE), 120000);
}

static void test_probes_double_from_a_second_to_five_minutes(void **state)
{
    static const int64_t seconds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
    (void)state;
    for (int i = 0; i < 11; i++)
        assert_int_equal(backoff_probe_ms(i), seconds[i] * 1000);
    assert_int_equal(backoff_probe_ms(1000000), 300000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_waits_grow_to_an_hour_and_stay),
        cmocka_unit_test(test_the_spread_is_a_fifth_either_way),
        cmocka_unit_test(test_a_longer_retry_after_is_obeyed_up_to_a_day),
        cmocka_unit_test(test_a_shorter_retry_after_does_not_hurry),
        cmocka_unit_test(test_probes_double_from_a_second_to_five_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
