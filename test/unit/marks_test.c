/* marks_test.c — who looks on is told of a change of its account, and never of none by mistake. */
#include "engine/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ALICE = 3, BOB = 4, MINUTE = 60 * 1000 };

static int clear(void **state)
{
    static struct marks marks;
    marks_free(&marks);
    marks = (struct marks){ 0 };
    *state = &marks;
    return 0;
}

static int release(void **state)
{
    marks_free(*state);
    return 0;
}

static void test_an_accounts_mark_rises_with_its_own_changes(void **state)
{
    struct marks *marks = *state;
    int64_t before = marks_of(marks, ALICE, 0);
    marks_note(marks, BOB);
    assert_int_equal(marks_of(marks, ALICE, 0), before);
    marks_note(marks, ALICE);
    assert_true(marks_of(marks, ALICE, 0) > before);
}

static void test_that_of_all_rises_with_any_change(void **state)
{
    struct marks *marks = *state;
    int64_t before = marks_of(marks, 0, 0);
    marks_note(marks, BOB); /* at which nobody looks */
    assert_true(marks_of(marks, 0, 0) > before);
}

/* A change while its mark was forgotten must not be missed by who comes with the old one. */
static void test_one_that_was_forgotten_is_never_lower_than_it_was(void **state)
{
    struct marks *marks = *state;
    marks_note(marks, ALICE);
    int64_t old = marks_of(marks, ALICE, 0);
    marks_note(marks, BOB);
    marks_of(marks, BOB, 11 * MINUTE); /* nobody has asked for Alice's meanwhile: it goes */
    assert_int_equal(marks->looked_at.count, 1);
    marks_note(marks, ALICE);
    assert_true(marks_of(marks, ALICE, 11 * MINUTE) > old);
}

static void test_one_that_is_asked_for_is_kept(void **state)
{
    struct marks *marks = *state;
    int64_t before = marks_of(marks, ALICE, 0);
    for (int minute = 5; minute <= 60; minute += 5) {
        marks_note(marks, BOB);
        assert_int_equal(marks_of(marks, ALICE, (int64_t)minute * MINUTE), before);
        marks_of(marks, 1000 + minute, (int64_t)minute * MINUTE); /* others come and go */
    }
    assert_in_range(marks->looked_at.count, 1, 5);
}

#define MARKS(test) cmocka_unit_test_setup_teardown(test, clear, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKS(test_an_accounts_mark_rises_with_its_own_changes),
        MARKS(test_that_of_all_rises_with_any_change),
        MARKS(test_one_that_was_forgotten_is_never_lower_than_it_was),
        MARKS(test_one_that_is_asked_for_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
