/* held_test.c — what is in memory is there once, and counted, until it is forgotten. */
#include "engine/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct postback *hold(struct held *held, int64_t id, int64_t due_at)
{
    struct postback *postback = postback_new();
    postback->id = id;
    postback->due_at = due_at;
    held_add(held, postback);
    return postback;
}

static void test_what_is_held_is_counted_among_all(void **state)
{
    struct held one, two;
    size_t total = 0;
    (void)state;
    held_init(&one, &total);
    held_init(&two, &total);
    struct postback *first = hold(&one, 1, 0);
    hold(&one, 2, 0);
    hold(&two, 3, 0);
    assert_int_equal(one.count, 2);
    assert_int_equal(total, 3);
    held_forget(&one, first);
    assert_int_equal(one.count, 1);
    assert_null(held_find(&one, 1));
    held_free(&one);
    assert_int_equal(total, 1);
    held_free(&two);
    assert_int_equal(total, 0);
}

static void test_what_is_forgotten_is_in_no_queue_any_more(void **state)
{
    struct held held;
    size_t total = 0;
    struct list queue, fresh;
    (void)state;
    list_init(&queue);
    list_init(&fresh);
    held_init(&held, &total);
    struct postback *postback = hold(&held, 1, 0);
    list_append(&queue, &postback->in);
    list_append(&fresh, &postback->fresh);
    held_forget(&held, postback);
    assert_true(list_empty(&queue));
    assert_true(list_empty(&fresh));
}

static void test_it_is_asked_for_by_id_and_by_time(void **state)
{
    struct held held;
    size_t total = 0;
    int64_t ids[3];
    (void)state;
    held_init(&held, &total);
    assert_int_equal(held_lowest(&held, 9), 9);
    assert_int_equal(held_oldest(&held, -1), -1);
    assert_false(held_from(&held, 0));
    hold(&held, 5, 300);
    hold(&held, 3, 200);
    hold(&held, 7, 400);
    assert_int_equal(held_ids(&held, ids), 3);
    assert_int_equal(ids[0], 5); /* as they came */
    assert_int_equal(ids[2], 7);
    assert_int_equal(held_find(&held, 3)->due_at, 200);
    assert_null(held_find(&held, 4));
    assert_int_equal(held_lowest(&held, 9), 3);
    assert_int_equal(held_lowest(&held, 2), 2);
    assert_true(held_from(&held, 7));
    assert_false(held_from(&held, 8));
    assert_int_equal(held_oldest(&held, -1), 200);
    assert_int_equal(held_oldest(&held, 100), 100);
    held_free(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_held_is_counted_among_all),
        cmocka_unit_test(test_what_is_forgotten_is_in_no_queue_any_more),
        cmocka_unit_test(test_it_is_asked_for_by_id_and_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
