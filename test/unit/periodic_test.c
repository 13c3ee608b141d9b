/* periodic_test.c — when a periodic fires, on a clock of the test's own. */
#include "engine/periodic.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct {
    struct clock_source time;
    uv_loop_t loop;
    struct periodics all;
    struct periodic *periodic;
    int fired;
    bool begins;     /* what it fires goes on */
    int64_t asks_in; /* it asks for the next time, -1: no */
    bool frees;      /* it frees itself */
} now;

static void fire(void *context)
{
    (void)context;
    now.fired++;
    if (now.begins)
        periodic_begin(now.periodic);
    if (now.asks_in != -1)
        periodic_in(now.periodic, now.asks_in);
    if (now.frees) {
        periodic_free(now.periodic);
        now.periodic = NULL;
    }
}

static int setup(void **state)
{
    (void)state;
    now.time = (struct clock_source){ 1000, 5000000 };
    now.fired = 0;
    now.begins = now.frees = false;
    now.asks_in = -1;
    clock_set_source(&now.time);
    uv_loop_init(&now.loop);
    periodics_init(&now.all, &now.loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    periodic_free(now.periodic);
    now.periodic = NULL;
    uv_run(&now.loop, UV_RUN_DEFAULT);
    clock_set_source(NULL);
    return uv_loop_close(&now.loop);
}

static void make(int64_t period_ms)
{
    now.periodic = periodic_new(&now.all, period_ms, fire, NULL);
}

/* Gives how often it fired in so long, looked at each millisecond. */
static int pass(int64_t ms)
{
    int before = now.fired;
    for (int64_t i = 0; i < ms; i++) {
        now.time.steady_us += 1000;
        periodics_run_due(&now.all);
    }
    return now.fired - before;
}

/* The clock moves on without a turn of the loop. */
static void stall(int64_t ms)
{
    now.time.steady_us += ms * 1000;
}

static void test_it_fires_once_a_period(void **state)
{
    (void)state;
    make(100);
    assert_int_equal(pass(99), 0);
    assert_int_equal(pass(1), 1);
    assert_int_equal(pass(1000), 10);
}

static void test_a_late_turn_moves_no_later_time_and_what_was_missed_is_left_out(void **state)
{
    (void)state;
    make(100);
    stall(350);
    periodics_run_due(&now.all);
    assert_int_equal(now.fired, 1);
    assert_int_equal(pass(49), 0);
    assert_int_equal(pass(1), 1);
}

static void test_without_a_period_it_fires_when_it_is_asked_to(void **state)
{
    (void)state;
    make(0);
    assert_true(periodic_rests(now.periodic));
    assert_int_equal(pass(1000), 0);
    periodic_in(now.periodic, 20);
    periodic_in(now.periodic, 10); /* the last word counts */
    assert_false(periodic_rests(now.periodic));
    assert_int_equal(pass(1000), 1);
    periodic_in(now.periodic, 10);
    periodic_rest(now.periodic);
    assert_int_equal(pass(1000), 0);
}

static void test_it_does_not_fire_while_one_runs(void **state)
{
    (void)state;
    make(100);
    now.begins = true;
    assert_int_equal(pass(100), 1);
    assert_true(periodic_runs(now.periodic));
    assert_int_equal(pass(250), 0);
    periodic_in(now.periodic, 0);
    assert_int_equal(pass(10), 0);
    periodic_done(now.periodic);
    assert_int_equal(pass(1), 1); /* as it was asked to meanwhile */
}

static void test_after_one_that_took_long_it_fires_once_at_once(void **state)
{
    (void)state;
    make(100);
    now.begins = true;
    assert_int_equal(pass(100), 1);
    stall(450);
    periodic_done(now.periodic);
    now.begins = false;
    assert_int_equal(pass(1), 1);
    assert_int_equal(pass(48), 0);
    assert_int_equal(pass(1), 1);
}

static void test_a_fire_may_ask_for_the_next_or_free_it(void **state)
{
    (void)state;
    make(0);
    now.asks_in = 5;
    periodic_in(now.periodic, 5);
    assert_int_equal(pass(20), 4);
    now.asks_in = -1;
    now.frees = true;
    assert_int_equal(pass(20), 1);
}

static void test_none_fires_after_a_stop(void **state)
{
    (void)state;
    make(100);
    periodics_stop(&now.all);
    periodic_in(now.periodic, 0);
    assert_int_equal(pass(1000), 0);
}

static void test_the_loop_fires_it_by_itself(void **state)
{
    (void)state;
    clock_set_source(NULL);
    make(1);
    assert_int_equal(uv_run(&now.loop, UV_RUN_DEFAULT), 0); /* by itself it keeps no loop alive */
    assert_int_equal(now.fired, 0);
    uv_async_t alive;
    uv_async_init(&now.loop, &alive, NULL);
    while (now.fired < 3)
        uv_run(&now.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&alive, NULL);
    uv_run(&now.loop, UV_RUN_NOWAIT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_fires_once_a_period),
        TEST(test_a_late_turn_moves_no_later_time_and_what_was_missed_is_left_out),
        TEST(test_without_a_period_it_fires_when_it_is_asked_to),
        TEST(test_it_does_not_fire_while_one_runs),
        TEST(test_after_one_that_took_long_it_fires_once_at_once),
        TEST(test_a_fire_may_ask_for_the_next_or_free_it),
        TEST(test_none_fires_after_a_stop),
        TEST(test_the_loop_fires_it_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
