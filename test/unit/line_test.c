/* Whose turn it is to write: without a thread, a store or a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/line.h"

#include <string.h>

enum { JOBS = 2000, QUICK_US = 10, SLOW_US = 100000 };

static struct job jobs[JOBS];
static struct line line;
static int64_t now_us;

static int set_up(void **state)
{
    (void)state;
    memset(jobs, 0, sizeof(jobs));
    line_init(&line, NULL);
    now_us = 1000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(line_empty(&line));
    line_free(&line);
    return 0;
}

static void give(int from, int count, int64_t account)
{
    for (int i = from; i < from + count; i++) {
        jobs[i].account = account;
        jobs[i].next = NULL;
        line_add(&line, &jobs[i]);
    }
}

/* One transaction, in which the account's jobs take their time.  Gives how many jobs it had, and
 * their numbers. */
static int turn(int64_t slow, int numbers[JOBS])
{
    int count = 0;
    struct job *job;
    line_begin(&line, now_us, true);
    while ((job = line_next(&line, now_us)) != NULL) {
        numbers[count++] = (int)(job - jobs);
        now_us += job->account == slow ? SLOW_US : QUICK_US;
    }
    return count;
}

static void expect_all_in_order(void)
{
    int numbers[JOBS], last[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    while (!line_empty(&line)) {
        int count = turn(-1, numbers);
        assert_true(count > 0);
        for (int i = 0; i < count; i++) {
            int *before = &last[jobs[numbers[i]].account];
            assert_true(numbers[i] > *before);
            *before = numbers[i];
        }
    }
}

static void test_light_jobs_share_a_transaction_up_to_its_cap(void **state)
{
    int numbers[JOBS];
    (void)state;
    give(0, 600, 1);
    assert_int_equal(turn(-1, numbers), LINE_BATCH_MOST);
    for (int i = 0; i < LINE_BATCH_MOST; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(turn(-1, numbers), 600 - LINE_BATCH_MOST);
}

static void test_each_account_s_jobs_keep_their_order(void **state)
{
    int numbers[JOBS];
    (void)state;
    for (int i = 0; i < 1400; i++)
        give(i, 1, i % 5); /* 0: the engine's */
    turn(3, numbers);      /* 3 turns out to be heavy on the way */
    for (int i = 1400; i < 1500; i++)
        give(i, 1, i % 5);
    expect_all_in_order();
}

static void test_a_transaction_ends_with_its_time(void **state)
{
    int numbers[JOBS];
    (void)state;
    give(0, 10, 0);
    assert_int_equal(turn(0, numbers), 1); /* the engine is slow: still one, so that it goes on */
    while (!line_empty(&line))
        turn(-1, numbers);
}

static void test_who_writes_little_waits_for_one_heavy_job(void **state)
{
    int numbers[JOBS];
    (void)state;
    give(0, 1, 7);
    turn(7, numbers); /* known as heavy from now on */
    give(1, 4, 7);
    for (int round = 0; round < 4; round++) {
        int small = 10 + round, at = -1, count, slow = 0;
        give(small, 1, 1);
        while (at == -1) {
            count = turn(7, numbers);
            for (int i = 0; i < count; i++) {
                at = numbers[i] == small ? i : at;
                slow += jobs[numbers[i]].account == 7;
            }
        }
        if (slow > 1)
            fail_msg("round %d: %d heavy jobs went first", round, slow);
    }
    while (!line_empty(&line))
        assert_true(turn(7, numbers) > 0);
}

static void test_heavy_accounts_take_turns_and_are_alone(void **state)
{
    int numbers[JOBS];
    (void)state;
    give(0, 1, 7);
    turn(7, numbers);
    give(1, 1, 6);
    turn(6, numbers);
    give(2, 3, 7);
    give(5, 3, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(turn(i % 2 == 0 ? 7 : 6, numbers), 1);
        assert_int_equal(jobs[numbers[0]].account, i % 2 == 0 ? 7 : 6);
    }
}

static void test_calls_and_the_engine_have_half_a_transaction_each(void **state)
{
    int numbers[JOBS], calls = 0;
    (void)state;
    for (int i = 0; i < 40; i++)
        give(i, 1, i % 2); /* 0 and 1 */
    line_begin(&line, now_us, true);
    struct job *job;
    int count = 0;
    while ((job = line_next(&line, now_us)) != NULL) {
        count++;
        calls += job->account == 1;
        now_us += LINE_BATCH_US / 10;
    }
    assert_int_equal(count, 10);
    assert_int_equal(calls, 5);
    while (!line_empty(&line))
        turn(-1, numbers);
}

/* One transaction of one job: its account if that is a step, else its number, negative. */
static int64_t only_one(bool steps)
{
    line_begin(&line, now_us, steps);
    struct job *job = line_next(&line, now_us);
    assert_non_null(job);
    bool is_step = job < jobs || job >= jobs + JOBS;
    int64_t what = is_step ? job->account : -(job - jobs);
    now_us += QUICK_US;
    assert_null(line_next(&line, now_us));
    return what;
}

static void test_an_account_s_fan_out_goes_before_its_jobs_and_beside_others(void **state)
{
    int numbers[JOBS];
    (void)state;
    line_fan_outs(&line, (int64_t[]){ 7 }, 1);
    assert_true(line_empty(&line));
    assert_true(line_fans_out(&line));
    give(1, 2, 7);
    for (int i = 0; i < 3; i++)
        assert_int_equal(only_one(true), 7);
    give(10, 1, 1);
    assert_int_equal(turn(-1, numbers), 1); /* what is owed to the others */
    assert_int_equal(numbers[0], 10);
    assert_int_equal(only_one(true), 7);
    line_fan_outs(&line, NULL, 0);
    assert_false(line_fans_out(&line));
    assert_int_equal(only_one(true), -1);
    assert_int_equal(only_one(true), -2);
}

static void test_a_fan_out_without_an_end_lets_a_job_through_now_and_then(void **state)
{
    (void)state;
    line_fan_outs(&line, (int64_t[]){ 7 }, 1);
    give(1, 2, 7);
    for (int job = 1; job <= 2; job++) {
        for (int i = 0; i < LINE_STEPS_MOST; i++)
            assert_int_equal(only_one(true), 7);
        assert_int_equal(only_one(true), -job);
    }
    for (int i = 0; i < 2 * LINE_STEPS_MOST; i++)
        assert_int_equal(only_one(true), 7);
    line_fan_outs(&line, NULL, 0);
}

static void test_who_goes_on_to_fan_out_keeps_its_turn(void **state)
{
    (void)state;
    line_fan_outs(&line, (int64_t[]){ 7, 8, 9 }, 3);
    assert_int_equal(only_one(true), 7);
    line_fan_outs(&line, (int64_t[]){ 9, 7, 8 }, 3); /* as a map may give them */
    assert_int_equal(only_one(true), 8);
    line_fan_outs(&line, (int64_t[]){ 7, 9 }, 2);
    assert_int_equal(only_one(true), 9);
    assert_int_equal(only_one(true), 7);
    line_fan_outs(&line, NULL, 0);
    assert_false(line_fans_out(&line));
}

static void test_without_steps_the_account_s_jobs_go_on(void **state)
{
    (void)state;
    line_fan_outs(&line, (int64_t[]){ 7, 8 }, 2);
    give(1, 2, 7);
    assert_int_equal(only_one(false), -1);
    assert_int_equal(only_one(false), -2);
    line_begin(&line, now_us, false);
    assert_null(line_next(&line, now_us));
    assert_int_equal(only_one(true), 8);
    line_fan_outs(&line, NULL, 0);
}

static void test_an_account_is_heavy_no_longer_than_it_is(void **state)
{
    int numbers[JOBS];
    (void)state;
    give(0, 1, 7);
    turn(7, numbers);
    give(1, 1, 7);
    assert_int_equal(turn(-1, numbers), 1); /* quick: it is light again */
    give(2, 1, 7);
    give(3, 1, 1);
    give(4, 1, 7);
    assert_int_equal(turn(-1, numbers), 3);
    assert_int_equal(numbers[0], 2);
    assert_int_equal(numbers[2], 4);
}

#define LINE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(test_light_jobs_share_a_transaction_up_to_its_cap),
        LINE_TEST(test_each_account_s_jobs_keep_their_order),
        LINE_TEST(test_a_transaction_ends_with_its_time),
        LINE_TEST(test_who_writes_little_waits_for_one_heavy_job),
        LINE_TEST(test_heavy_accounts_take_turns_and_are_alone),
        LINE_TEST(test_calls_and_the_engine_have_half_a_transaction_each),
        LINE_TEST(test_an_account_s_fan_out_goes_before_its_jobs_and_beside_others),
        LINE_TEST(test_a_fan_out_without_an_end_lets_a_job_through_now_and_then),
        LINE_TEST(test_who_goes_on_to_fan_out_keeps_its_turn),
        LINE_TEST(test_without_steps_the_account_s_jobs_go_on),
        LINE_TEST(test_an_account_is_heavy_no_longer_than_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
