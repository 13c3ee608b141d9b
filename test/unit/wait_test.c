/* wait_test.c — why a postback waits: each reason, its times, and which goes before which. */
#include "model/date.h"
#include "model/wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CREATED = 1000, DUE = 5000, NOW = 6000, LATER = 9000, SINCE = 4000 };

/* Everything holds it up. */
static struct wait_facts all(void)
{
    return (struct wait_facts){ .now = NOW,
                                .created_at = CREATED,
                                .due_at = LATER,
                                .attempts = 1,
                                .behind = true,
                                .state = NOTIFICATION_PAUSED,
                                .state_since = SINCE,
                                .maintenance = true,
                                .store = true,
                                .maintenance_since = SINCE,
                                .maintenance_until = LATER,
                                .down = true,
                                .down_since = SINCE,
                                .probe_at = LATER,
                                .paced = true,
                                .busy = true,
                                .full = true };
}

static void is(struct wait_facts facts, enum wait_reason reason, int64_t since, int64_t until)
{
    struct wait wait = wait_of(&facts);
    assert_string_equal(wait_reason_name(wait.reason), wait_reason_name(reason));
    assert_int_equal(wait.since, since);
    assert_int_equal(wait.until, until);
}

static void test_each_reason_is_told_when_those_before_it_do_not_hold(void **state)
{
    /* P15: one phrase for each, with its own since and until. */
    struct wait_facts facts = all();
    (void)state;
    is(facts, WAIT_MAINTENANCE, SINCE, LATER);
    facts.maintenance = false;
    is(facts, WAIT_STORE, DATE_NONE, DATE_NONE);
    facts.store = false;
    is(facts, WAIT_PAUSED, SINCE, DATE_NONE);
    facts.state = NOTIFICATION_HELD;
    is(facts, WAIT_HELD, SINCE, DATE_NONE);
    facts.state = NOTIFICATION_ACTIVE;
    is(facts, WAIT_DOWN, SINCE, LATER);
    facts.down = false;
    is(facts, WAIT_ORDER, CREATED, DATE_NONE);
    facts.behind = false;
    is(facts, WAIT_RETRY, DATE_NONE, LATER);
    facts.attempts = 0;
    is(facts, WAIT_DELAY, CREATED, LATER);
    facts.due_at = DUE;
    is(facts, WAIT_RATE, DUE, DATE_NONE);
    facts.paced = false;
    is(facts, WAIT_CONCURRENCY, DUE, DATE_NONE);
    facts.busy = false;
    is(facts, WAIT_MEMORY, DUE, DATE_NONE);
    facts.full = false;
    is(facts, WAIT_TURN, DUE, DATE_NONE);
}

static void test_a_probe_that_is_over_is_no_time_to_wait_for(void **state)
{
    struct wait_facts facts = all();
    (void)state;
    facts.maintenance = facts.store = false;
    facts.state = NOTIFICATION_ACTIVE;
    facts.probe_at = NOW;
    is(facts, WAIT_DOWN, SINCE, DATE_NONE);
}

static void test_every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int one = 0; one < WAIT_REASONS; one++) {
        assert_non_null(wait_reason_name((enum wait_reason)one));
        for (int other = 0; other < one; other++)
            assert_string_not_equal(wait_reason_name((enum wait_reason)one),
                                    wait_reason_name((enum wait_reason)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reason_is_told_when_those_before_it_do_not_hold),
        cmocka_unit_test(test_a_probe_that_is_over_is_no_time_to_wait_for),
        cmocka_unit_test(test_every_reason_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
