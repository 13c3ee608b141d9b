/* Who waits for one destination: accounts are served in turn. */
#include "courier/waiters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MANY = 10000 };

static struct waiter many[MANY];

static void stand(struct waiters *waiters, int64_t account, struct waiter *waiter)
{
    list_init(&waiter->node);
    waiters_add(waiters, account, waiter);
}

static struct waiter *serve(struct waiters *waiters)
{
    struct waiter *next = waiters_next(waiters);
    if (next != NULL)
        waiters_served(waiters, next);
    return next;
}

static void test_one_request_is_not_behind_ten_thousand_of_another_account(void **state)
{
    (void)state;
    struct waiters waiters;
    struct waiter one;
    waiters_start(&waiters);
    for (int i = 0; i < MANY; i++)
        stand(&waiters, 1, &many[i]);
    stand(&waiters, 2, &one);
    assert_ptr_equal(serve(&waiters), &many[0]);
    assert_ptr_equal(serve(&waiters), &one);
    for (int i = 1; i < MANY; i++)
        assert_ptr_equal(serve(&waiters), &many[i]);
    assert_true(waiters_empty(&waiters));
    assert_null(waiters_next(&waiters));
    waiters_end(&waiters);
}

static void test_three_accounts_take_turns_until_one_has_had_all(void **state)
{
    (void)state;
    static const int64_t accounts[] = { 1, 1, 1, 1, 2, 2, 3 };
    static const int order[] = { 0, 4, 6, 1, 5, 2, 3 };
    struct waiters waiters;
    waiters_start(&waiters);
    for (int i = 0; i < 7; i++)
        stand(&waiters, accounts[i], &many[i]);
    for (int i = 0; i < 7; i++)
        assert_ptr_equal(serve(&waiters), &many[order[i]]);
    waiters_end(&waiters);
}

/* Who comes back again and again stands behind those who wait already. */
static void test_an_account_that_is_always_there_does_not_pass_the_others(void **state)
{
    (void)state;
    struct waiters waiters;
    struct waiter own[3];
    waiters_start(&waiters);
    for (int i = 0; i < 2; i++)
        stand(&waiters, i + 1, &own[i]);
    assert_ptr_equal(serve(&waiters), &own[0]);
    stand(&waiters, 1, &own[0]);
    stand(&waiters, 3, &own[2]);
    assert_ptr_equal(serve(&waiters), &own[1]);
    stand(&waiters, 2, &own[1]);
    assert_ptr_equal(serve(&waiters), &own[0]);
    assert_ptr_equal(serve(&waiters), &own[2]);
    assert_ptr_equal(serve(&waiters), &own[1]);
    waiters_end(&waiters);
}

static void test_who_gives_up_takes_nobodys_turn(void **state)
{
    (void)state;
    struct waiters waiters;
    struct waiter a[3], b;
    waiters_start(&waiters);
    for (int i = 0; i < 3; i++)
        stand(&waiters, 1, &a[i]);
    stand(&waiters, 2, &b);
    waiters_forget(&waiters, &a[0]);
    waiters_forget(&waiters, &a[0]); /* once more is harmless */
    assert_ptr_equal(serve(&waiters), &a[1]);
    waiters_forget(&waiters, &b);
    assert_ptr_equal(serve(&waiters), &a[2]);
    assert_true(waiters_empty(&waiters));
    waiters_end(&waiters);
}

static void test_a_repeated_request_is_before_all(void **state)
{
    (void)state;
    struct waiters waiters;
    struct waiter a, b, again;
    waiters_start(&waiters);
    stand(&waiters, 1, &a);
    stand(&waiters, 2, &b);
    list_init(&again.node);
    waiters_add_first(&waiters, &again);
    assert_ptr_equal(serve(&waiters), &again);
    assert_ptr_equal(serve(&waiters), &a);
    waiters_forget(&waiters, &b);
    assert_true(waiters_empty(&waiters));
    waiters_end(&waiters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_request_is_not_behind_ten_thousand_of_another_account),
        cmocka_unit_test(test_three_accounts_take_turns_until_one_has_had_all),
        cmocka_unit_test(test_an_account_that_is_always_there_does_not_pass_the_others),
        cmocka_unit_test(test_who_gives_up_takes_nobodys_turn),
        cmocka_unit_test(test_a_repeated_request_is_before_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
