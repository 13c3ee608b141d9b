/* postback_test.c — which state of a postback may follow which. */
#include "model/postback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_goes_to(enum postback_state from, bool wanted[POSTBACK_STATES])
{
    for (int to = 0; to < POSTBACK_STATES; to++) {
        if (postback_may_become(from, (enum postback_state)to) != wanted[to])
            fail_msg("%s to %s: expected %s", postback_state_name(from),
                     postback_state_name((enum postback_state)to),
                     wanted[to] ? "allowed" : "refused");
    }
}

static void test_undelivered_postbacks_wait_or_end(void **state)
{
    bool anywhere_but_fresh[] = { false, true, true, true, true };
    (void)state;
    assert_goes_to(POSTBACK_FRESH, anywhere_but_fresh);
    assert_goes_to(POSTBACK_WAITING, anywhere_but_fresh);
}

static void test_what_has_ended_stays_so(void **state)
{
    bool nowhere[POSTBACK_STATES] = { false };
    (void)state;
    assert_goes_to(POSTBACK_DELIVERED, nowhere);
    assert_goes_to(POSTBACK_CANCELLED, nowhere);
    assert_goes_to(POSTBACK_EXPIRED, nowhere);
}

static void test_a_number_that_is_no_state_is_refused(void **state)
{
    (void)state;
    assert_false(postback_may_become((enum postback_state)77, POSTBACK_WAITING));
    assert_false(postback_may_become(POSTBACK_WAITING, (enum postback_state)(-1)));
    assert_string_equal(postback_state_name((enum postback_state)77), "UNKNOWN");
}

static void test_names_are_read_as_written(void **state)
{
    (void)state;
    for (int i = 0; i < POSTBACK_STATES; i++) {
        enum postback_state read = POSTBACK_STATES;
        assert_true(postback_state_named(postback_state_name((enum postback_state)i), &read));
        assert_int_equal(read, i);
    }
    enum postback_state read;
    assert_true(postback_state_named("delivered", &read));
    assert_int_equal(read, POSTBACK_DELIVERED);
    assert_false(postback_state_named("LOST", &read));
}

static void test_freeing_drops_the_event(void **state)
{
    (void)state;
    struct event *event = event_sample(catalog_type("action_inquiry.opened"), 1, 0);
    struct postback *postback = postback_new();
    postback->event = event_ref(event);
    assert_int_equal(event->references, 2);
    postback_free(postback);
    assert_int_equal(event->references, 1);
    event_unref(event);
    postback_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undelivered_postbacks_wait_or_end),
        cmocka_unit_test(test_what_has_ended_stays_so),
        cmocka_unit_test(test_a_number_that_is_no_state_is_refused),
        cmocka_unit_test(test_names_are_read_as_written),
        cmocka_unit_test(test_freeing_drops_the_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
