/* A3: whose turn it is to read: without a thread, a store or a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/read_turns.h"

#include <string.h>

enum { JOBS = 64 };
static const struct read_limits limits = { .at_once = 1, .account_most = 8, .all_most = 12 };

static struct job jobs[JOBS];
static struct read_turns turns;

static int set_up(void **state)
{
    (void)state;
    memset(jobs, 0, sizeof(jobs));
    read_turns_init(&turns, &limits);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct job *job;
    while ((job = read_turns_take(&turns)) != NULL)
        read_turns_end(&turns, job->account);
    assert_int_equal(turns.waiting, 0);
    read_turns_free(&turns);
    return 0;
}

static bool give(int number, int64_t account)
{
    jobs[number].account = account;
    return read_turns_add(&turns, &jobs[number]);
}

static int taken(void)
{
    struct job *job = read_turns_take(&turns);
    return job != NULL ? (int)(job - jobs) : -1;
}

static void expect_taken(int number)
{
    int got = taken();
    if (got != number)
        fail_msg("job %d is taken, expected %d (-1: none)", got, number);
}

static void test_an_account_has_its_share_and_another_a_free_reader(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_true(give(i, 1));
    expect_taken(0);
    expect_taken(-1); /* a reader is free, and stays so */
    assert_true(give(8, 2));
    expect_taken(8);
    read_turns_end(&turns, 1);
    expect_taken(1);
    read_turns_end(&turns, 1);
    read_turns_end(&turns, 2);
}

/* The next ones are these, whichever first. */
static void expect_round(const int *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        int got = taken(), at = 0;
        while (at < count && numbers[at] != got)
            at++;
        if (at == count)
            fail_msg("job %d is taken, expected one of %d, ...", got, numbers[0]);
        read_turns_end(&turns, jobs[got].account);
    }
}

static void test_accounts_take_turns_and_an_accounts_reads_keep_their_order(void **state)
{
    static const int rounds[][3] = { { 0, 4, 6 }, { 1, 5 }, { 2 }, { 3 } };
    (void)state;
    for (int i = 0; i < 4; i++)
        give(i, 1);
    give(4, 2);
    give(5, 2);
    give(6, -3); /* a stranger */
    expect_round(rounds[0], 3);
    expect_round(rounds[1], 2);
    expect_round(rounds[2], 1);
    expect_round(rounds[3], 1);
    expect_taken(-1);
}

static void test_who_comes_back_at_once_stands_behind_those_who_wait(void **state)
{
    (void)state;
    give(0, 1);
    give(1, 2);
    give(2, 3);
    int first = taken();
    assert_in_range(first, 0, 2);
    read_turns_end(&turns, jobs[first].account);
    give(3, jobs[first].account);
    int others[2] = { first == 0 ? 1 : 0, first == 2 ? 1 : 2 };
    expect_round(others, 2);
    expect_taken(3);
    read_turns_end(&turns, jobs[first].account);
}

static void test_too_many_of_one_account_and_of_all_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_true(give(i, 1));
    assert_false(give(8, 1));
    assert_int_equal(jobs[8].error.kind, ERROR_TOO_MANY);
    assert_string_equal(jobs[8].error.message,
                        "8 reads of this account wait already; try again later");
    for (int i = 9; i < 13; i++)
        assert_true(give(i, i));
    assert_false(give(13, 13));
    assert_int_equal(jobs[13].error.kind, ERROR_UNAVAILABLE);
    expect_taken(0); /* one that runs does not wait: */
    assert_true(give(14, 1));
    read_turns_end(&turns, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_account_has_its_share_and_another_a_free_reader,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_accounts_take_turns_and_an_accounts_reads_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_comes_back_at_once_stands_behind_those_who_wait,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_of_one_account_and_of_all_are_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
