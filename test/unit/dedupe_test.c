/* dedupe_test.c — DedupeKeys on disk: found for a day, then taken away in steps. */
#include "store/dedupe.h"

#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR ((int64_t)3600 * 1000)

enum { ALICE = 7, BOB = 8 };

static int64_t id_of(struct db *db, int64_t age_ms, int sequence)
{
    return id_first_at(db_now(db) - age_ms) + sequence;
}

static bool keys_are_found(struct job *job, struct db *db, void *with)
{
    int64_t three[] = { id_of(db, HOUR, 1), id_of(db, HOUR, 2), id_of(db, HOUR, 3) };
    int64_t one = id_of(db, HOUR, 4), ids[4] = { 0 };
    (void)job;
    (void)with;
    assert_int_equal(dedupe_find(db, ALICE, "a", ids, 4), 0);
    dedupe_add(db, ALICE, "a", three, 3);
    dedupe_add(db, ALICE, "b", &one, 1);
    assert_int_equal(dedupe_find(db, ALICE, "a", ids, 4), 3);
    assert_memory_equal(ids, three, sizeof(three));
    assert_int_equal(dedupe_find(db, ALICE, "b", ids, 4), 1);
    assert_int_equal(ids[0], one);
    assert_int_equal(dedupe_find(db, ALICE, "A", ids, 4), 0);
    assert_int_equal(dedupe_find(db, ALICE, "", ids, 4), 0);
    assert_int_equal(dedupe_find(db, BOB, "a", ids, 4), 0);
    ids[1] = 0;
    assert_int_equal(dedupe_find(db, ALICE, "a", ids, 1), 3); /* no more than there is room for */
    assert_int_equal(ids[0], three[0]);
    assert_int_equal(ids[1], 0);
    return true;
}

static void test_keys_are_found_for_their_account(void **state)
{
    assert_true(house_do(*state, keys_are_found, NULL, NULL));
}

static bool a_day_passes(struct job *job, struct db *db, void *with)
{
    int64_t old = id_of(db, 24 * HOUR + 1000, 0), young = id_of(db, 24 * HOUR - 60000, 0), fresh;
    int64_t older = id_of(db, 24 * HOUR + 2000, 0);
    int64_t got = 0;
    (void)job;
    (void)with;
    dedupe_add(db, ALICE, "old", &old, 1);
    dedupe_add(db, ALICE, "young", &young, 1);
    dedupe_add(db, ALICE, "older", &older, 1);
    assert_int_equal(dedupe_find(db, ALICE, "old", &got, 1), 0);
    assert_int_equal(dedupe_find(db, ALICE, "young", &got, 1), 1);
    assert_int_equal(got, young);
    fresh = id_of(db, 0, 0); /* the key may be used again before its old row is gone */
    dedupe_add(db, ALICE, "old", &fresh, 1);
    assert_int_equal(dedupe_find(db, ALICE, "old", &got, 1), 1);
    assert_int_equal(got, fresh);
    assert_int_equal(dedupe_expire(db, 100), 1);
    assert_int_equal(dedupe_expire(db, 100), 0);
    assert_int_equal(dedupe_find(db, ALICE, "old", &got, 1), 1);
    assert_int_equal(dedupe_find(db, ALICE, "young", &got, 1), 1);
    return true;
}

static void test_a_key_is_free_after_a_day(void **state)
{
    assert_true(house_do(*state, a_day_passes, NULL, NULL));
}

static bool many_expire(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    for (int i = 0; i < 25; i++) {
        char key[16];
        int64_t id = id_of(db, 30 * HOUR, i);
        snprintf(key, sizeof(key), "k%d", i);
        dedupe_add(db, ALICE, key, &id, 1);
    }
    assert_int_equal(dedupe_expire(db, 10), 10);
    assert_int_equal(dedupe_expire(db, 10), 10);
    assert_int_equal(dedupe_expire(db, 10), 5);
    assert_int_equal(dedupe_expire(db, 10), 0);
    return true;
}

static void test_expired_rows_go_in_steps(void **state)
{
    assert_true(house_do(*state, many_expire, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys_are_found_for_their_account, house_setup,
                                        house_teardown),
        cmocka_unit_test_setup_teardown(test_a_key_is_free_after_a_day, house_setup,
                                        house_teardown),
        cmocka_unit_test_setup_teardown(test_expired_rows_go_in_steps, house_setup, house_teardown),
    };
    return cmocka_run_group_tests_name("dedupe", tests, NULL, NULL);
}
