/* errand_test.c — the states of a job and the steps between them, and what it is asked for by. */
#include "model/errand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_every_step_is_allowed_or_not(void **state)
{
    /* rows: from RECEIVING, QUEUED, RUNNING, COMPLETED, CANCELLED, ERROR, FAILED; columns: to */
    static const bool wanted[7][7] = {
        { 0, 1, 0, 0, 1, 0, 0 }, { 0, 0, 1, 0, 1, 0, 0 }, { 0, 0, 0, 1, 1, 1, 1 },
        { 0, 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0, 0 },
        { 0, 0, 0, 0, 0, 0, 0 },
    };
    (void)state;
    for (int from = 0; from < 7; from++) {
        for (int to = 0; to < 7; to++)
            assert_int_equal(errand_may_become((enum errand_state)(ERRAND_RECEIVING + from),
                                               (enum errand_state)(ERRAND_RECEIVING + to)),
                             wanted[from][to]);
        assert_int_equal(errand_has_ended((enum errand_state)(ERRAND_RECEIVING + from)), from > 2);
    }
}

static void test_states_by_their_names(void **state)
{
    enum errand_state named;
    (void)state;
    for (int i = ERRAND_QUEUED; i < ERRAND_STATES; i++) {
        assert_true(errand_state_named(errand_state_name((enum errand_state)i), &named));
        assert_int_equal(named, i);
    }
    assert_true(errand_state_named("running", &named));
    assert_int_equal(named, ERRAND_RUNNING);
    assert_false(errand_state_named("DONE", &named));
    assert_string_equal(errand_state_name(ERRAND_RECEIVING), "QUEUED");
}

static void test_exports_by_what_they_are_of(void **state)
{
    static const enum errand_kind all[] = { ERRAND_EXPORT_INQUIRIES, ERRAND_EXPORT_ACTIONS,
                                            ERRAND_EXPORT_POSTBACKS, ERRAND_EXPORT_ATTEMPTS,
                                            ERRAND_EXPORT_AUDIT,     ERRAND_EXPORT_ACTION_UPDATES,
                                            ERRAND_IMPORT_INQUIRIES, ERRAND_IMPORT_DECISIONS,
                                            ERRAND_IMPORT_CHANGES };
    enum errand_kind kind;
    (void)state;
    assert_true(errand_records_named("postbacks", &kind));
    assert_int_equal(kind, ERRAND_EXPORT_POSTBACKS);
    assert_false(errand_records_named("SECRETS", &kind));
    assert_false(errand_records_named("", &kind));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_non_null(errand_kind_name(all[i]));
        assert_non_null(errand_file(all[i]));
        assert_non_null(errand_title(all[i]));
        assert_int_equal(errand_is_import(all[i]), all[i] >= ERRAND_IMPORT_INQUIRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_step_is_allowed_or_not),
        cmocka_unit_test(test_states_by_their_names),
        cmocka_unit_test(test_exports_by_what_they_are_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
