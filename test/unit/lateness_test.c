/* lateness_test.c — the two limits, and when an episode begins and ends. */
#include "model/lateness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct lateness_limits limits = { .late_ms = 900000, .alarm_ms = 3600000 };

static void test_it_is_late_past_the_first_limit_and_an_alarm_past_the_second(void **state)
{
    (void)state;
    assert_int_equal(lateness_of(&limits, 1000, 1000 + 900000), LATENESS_NONE);
    assert_int_equal(lateness_of(&limits, 1000, 1000 + 900001), LATENESS_LATE);
    assert_int_equal(lateness_of(&limits, 1000, 1000 + 3600000), LATENESS_LATE);
    assert_int_equal(lateness_of(&limits, 1000, 1000 + 3600001), LATENESS_ALARM);
}

static void test_nothing_that_waits_and_what_is_due_later_is_on_time(void **state)
{
    (void)state;
    assert_int_equal(lateness_of(&limits, -1, INT64_MAX), LATENESS_NONE);
    assert_int_equal(lateness_of(&limits, 5000000, 0), LATENESS_NONE); /* or the clock went back */
}

static void test_an_episode_is_begun_once_and_ends_once(void **state)
{
    static const struct {
        enum lateness now;
        enum lateness_turn turn;
    } steps[] = {
        { LATENESS_NONE, LATENESS_STAYS },   { LATENESS_LATE, LATENESS_STAYS },
        { LATENESS_ALARM, LATENESS_BEGINS }, { LATENESS_ALARM, LATENESS_STAYS },
        { LATENESS_LATE, LATENESS_STAYS },   { LATENESS_ALARM, LATENESS_STAYS },
        { LATENESS_NONE, LATENESS_ENDS },    { LATENESS_LATE, LATENESS_STAYS },
        { LATENESS_ALARM, LATENESS_BEGINS },
    };
    bool alarmed = false;
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum lateness_turn turn = lateness_turn(alarmed, steps[i].now);
        if (turn != steps[i].turn)
            fail_msg("step %zu: expected %d, got %d", i, (int)steps[i].turn, (int)turn);
        alarmed = turn == LATENESS_BEGINS || (alarmed && turn == LATENESS_STAYS);
    }
}

static void test_a_few_failures_make_it_failing_only_when_the_destination_is_down(void **state)
{
    (void)state;
    assert_false(lateness_is_failing(2, true)); /* the others that took it down were news */
    assert_true(lateness_is_failing(3, true));
    assert_false(lateness_is_failing(9, false));
    assert_true(lateness_is_failing(10, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_late_past_the_first_limit_and_an_alarm_past_the_second),
        cmocka_unit_test(test_nothing_that_waits_and_what_is_due_later_is_on_time),
        cmocka_unit_test(test_an_episode_is_begun_once_and_ends_once),
        cmocka_unit_test(test_a_few_failures_make_it_failing_only_when_the_destination_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
