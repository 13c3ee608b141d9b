/* change_test.c — changes as text: what was written is read, what another release has written is
 * passed over, and nothing that stands there does any harm. */
#include "model/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TAKEN_MOST = 64 };

struct taken {
    struct change changes[TAKEN_MOST];
    size_t count;
};

static void take(void *context, const struct change *change)
{
    struct taken *taken = context;
    if (taken->count < TAKEN_MOST)
        taken->changes[taken->count++] = *change;
}

static struct taken read_text(const char *text, size_t len)
{
    struct taken taken = { .count = 0 };
    char *exact = malloc(len + (len == 0)); /* so that a checker sees a read behind the end */
    assert_non_null(exact);
    memcpy(exact, text, len);
    changes_read(exact, len, 7, take, &taken);
    free(exact);
    return taken;
}

static void test_each_kind_is_read_as_it_was_written(void **state)
{
    struct change changes[2 * CHANGE_KINDS];
    struct buf text = { 0 };
    (void)state;
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        changes[2 * kind] =
            (struct change){ (enum change_kind)kind, INT64_MAX, INT64_MIN, 3, -1, 0 };
        changes[2 * kind + 1] = (struct change){ .kind = (enum change_kind)kind };
    }
    changes_write(&text, changes, 2 * CHANGE_KINDS);
    struct taken taken = read_text(text.data, text.len);
    assert_int_equal(taken.count, 2 * CHANGE_KINDS);
    for (size_t i = 0; i < taken.count; i++) {
        assert_int_equal(taken.changes[i].kind, changes[i].kind);
        assert_true(taken.changes[i].account == changes[i].account);
        assert_true(taken.changes[i].notification == changes[i].notification);
        assert_true(taken.changes[i].id == changes[i].id);
        assert_true(taken.changes[i].due_at == changes[i].due_at);
        assert_int_equal(taken.changes[i].from, 7);
    }
    buf_free(&text);
}

static void test_what_is_not_needed_is_not_written(void **state)
{
    const struct change changes[] = { { .kind = CHANGE_ACCESS },
                                      { CHANGE_NOTIFICATION, 5, 12, 0, 0, 0 },
                                      { CHANGE_WAITING, 5, 0, 0, 170, 0 } };
    struct buf text = { 0 };
    (void)state;
    changes_write(&text, changes, 3);
    assert_string_equal(buf_text(&text), "1 x n5,12 w5,0,0,170");
    buf_free(&text);
}

static void test_what_a_later_release_adds_is_passed_over(void **state)
{
    static const char text[] = "1 Q1,2 n5,6,7,8,9,10 !x?,, w1,,3 n";
    (void)state;
    struct taken taken = read_text(text, strlen(text));
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.changes[0].kind, CHANGE_NOTIFICATION);
    assert_int_equal(taken.changes[0].due_at, 8);
    assert_int_equal(taken.changes[1].kind, CHANGE_WAITING);
    assert_int_equal(taken.changes[1].id, 3);
    assert_int_equal(taken.changes[2].account, 0);
}

static void test_another_version_or_none_is_everything(void **state)
{
    static const char *const texts[] = { "", "2", "2 n5", "11 n5", "x", " 1" };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct taken taken = read_text(texts[i], strlen(texts[i]));
        assert_int_equal(taken.count, 1);
        assert_int_equal(taken.changes[0].kind, CHANGE_EVERYTHING);
    }
    assert_int_equal(read_text("1", 1).count, 0);
}

static void test_no_bytes_do_any_harm(void **state)
{
    static const char bytes[] = "1 nwz,-0987654321 \t\n\xff";
    char text[40];
    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        size_t len = (size_t)(rand() % (int)sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = i < 2 && round % 4 != 0 ? bytes[i] : bytes[rand() % (int)sizeof(bytes)];
        read_text(text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_is_read_as_it_was_written),
        cmocka_unit_test(test_what_is_not_needed_is_not_written),
        cmocka_unit_test(test_what_a_later_release_adds_is_passed_over),
        cmocka_unit_test(test_another_version_or_none_is_everything),
        cmocka_unit_test(test_no_bytes_do_any_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
