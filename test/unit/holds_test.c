/* holds_test.c — each reason to hold postbacks by itself: none lifts another's. */
#include "engine/holds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct {
    int times;
    bool held;
} told;

static void tell(void *context, bool held)
{
    (void)context;
    told.times++;
    told.held = held;
}

static void test_the_first_reason_holds_and_the_last_one_lifts(void **state)
{
    struct holds holds = { .changed = tell };
    (void)state;
    told.times = 0;
    holds_set(&holds, HOLD_STORE, false);
    assert_int_equal(told.times, 0);
    holds_set(&holds, HOLD_STORE, true);
    assert_true(told.times == 1 && told.held);
    holds_set(&holds, HOLD_MAINTENANCE, true);
    holds_set(&holds, HOLD_STORE, true);
    assert_int_equal(told.times, 1);
    assert_true(holds_have(&holds, HOLD_STORE) && holds_have(&holds, HOLD_MAINTENANCE));
    holds_set(&holds, HOLD_STORE, false);
    assert_int_equal(told.times, 1); /* the operator's pause goes on */
    assert_false(holds_have(&holds, HOLD_STORE));
    assert_true(holds_have(&holds, HOLD_MAINTENANCE));
    holds_set(&holds, HOLD_MAINTENANCE, false);
    assert_true(told.times == 2 && !told.held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_reason_holds_and_the_last_one_lifts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
