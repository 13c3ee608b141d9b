/* json_test.c — our reader of JSON against jansson's own, on texts right and wrong. */
#include "model/json.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static json_t *read_text(const char *text, struct json_fault *fault)
{
    return json_read(text, strlen(text), fault);
}

static void test_what_jansson_reads_is_read_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        " { \"a\" : [ 1 , -2.5e3, true, false, null, \"x\" ] } ",
        "{\"\":{\"b\":{\"c\":[[],{}]}}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\uD83D\\uDE00\"",
        "{\"\\u0061\\n\":\"\\u0062\",\"plain\":\"caf\xc3\xa9\"}",
        "-9223372036854775808",
        "9223372036854775807",
        "0",
        "-0",
        "0.125",
        "1e10",
        "\"\"",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct json_fault fault = { 0 };
        json_t *ours = read_text(texts[i], &fault);
        json_t *theirs = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_non_null(theirs);
        if (ours == NULL)
            fail_msg("%s: %s at %d:%d", texts[i], fault.what, fault.line, fault.column);
        struct buf written = { 0 };
        json_write(&written, ours);
        json_t *again = json_loads(buf_text(&written), JSON_DECODE_ANY, NULL);
        if (!json_equal(again, theirs))
            fail_msg("%s became %s", texts[i], buf_text(&written));
        buf_free(&written);
        json_decref(again);
        json_decref(ours);
        json_decref(theirs);
    }
}

static void test_a_number_stays_as_it_was_written(void **state)
{
    /* I1: digit for digit, in the flat array and in the tree. */
    (void)state;
    static const struct {
        const char *text;
        bool whole;
    } numbers[] = {
        { "5.7660123456789012e+17", false },
        { "10.50", false },
        { "1.0", false },
        { "1e3", false },
        { "-0", false },
        { "-0.0", false },
        { "0.1000000000000000055511151231257827", false },
        { "0", true },
        { "-9223372036854775808", true },
        { "9007199254740993", true },
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *text = numbers[i].text;
        struct json_fault fault = { 0 };
        struct json_values values = { 0 };
        struct buf list = { 0 }, written = { 0 };
        buf_fmt(&list, "[{\"a\":%s},%s]", text, text);
        json_t *tree = json_read(list.data, list.len, &fault);
        assert_non_null(tree);
        json_write(&written, tree);
        assert_string_equal(buf_text(&written), list.data);
        const char *kept = json_number_text(json_array_get(tree, 1));
        assert_int_equal(kept == NULL, numbers[i].whole);
        if (kept != NULL)
            assert_string_equal(kept, text);
        assert_null(json_number_text(json_array_get(tree, 0)));
        assert_true(json_scan(&values, list.data, list.len, &fault));
        const struct json_value *last = &values.at[values.count - 1];
        assert_int_equal(last->type, numbers[i].whole ? JSON_INTEGER : JSON_REAL);
        if (!numbers[i].whole) {
            assert_int_equal(last->len, strlen(text));
            assert_memory_equal(last->text, text, last->len);
        }
        json_values_free(&values);
        json_decref(tree);
        buf_free(&list);
        buf_free(&written);
    }
}

static void test_what_is_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line, column;
        const char *what;
    } wrong[] = {
        { "", 1, 1, "ends" },
        { "{", 1, 2, "name" },
        { "{\"a\":1,}", 1, 8, "name" },
        { "[1,]", 1, 4, "value" },
        { "[1 2]", 1, 4, "',' or ']'" },
        { "{\"a\" 1}", 1, 6, "':'" },
        { "{\"a\":1,\n\"a\":2}", 2, 2, "twice" },
        { "\"abc", 1, 5, "not closed" },
        { "\"a\nb\"", 1, 3, "control" },
        { "\"\\x\"", 1, 3, "escape" },
        { "\"\\u12\"", 1, 4, "hex" },
        { "\"\\ud800\"", 1, 8, "hex" },
        { "\"\\udc00\"", 1, 8, "hex" },
        { "\"\\u0000\"", 1, 8, "0000" },
        { "\"\xff\"", 1, 3, "UTF-8" },
        { "01", 1, 3, "begins with 0" },
        { "1.", 1, 3, "decimal" },
        { "1e", 1, 3, "exponent" },
        { "+1", 1, 1, "value" },
        { "-", 1, 2, "value" },
        { "9223372036854775808", 1, 20, "64 bits" },
        { "1e999", 1, 6, "large" },
        { "nul", 1, 1, "value" },
        { "{} x", 1, 4, "follows" },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct json_fault fault = { 0 };
        json_t *read = read_text(wrong[i].text, &fault);
        if (read != NULL)
            fail_msg("%s was read", wrong[i].text);
        if (strstr(fault.what, wrong[i].what) == NULL || fault.line != wrong[i].line ||
            fault.column != wrong[i].column)
            fail_msg("%s: expected %s at %d:%d, got %s at %d:%d", wrong[i].text, wrong[i].what,
                     wrong[i].line, wrong[i].column, fault.what, fault.line, fault.column);
    }
}

/* Few names and many are looked through in different ways. */
static void test_a_name_given_twice_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (int count = 1; count <= 100; count += 11) {
        for (int again = 0; again < count; again += 7) {
            struct buf text = { 0 };
            struct json_fault fault;
            for (int i = 0; i < count; i++)
                buf_fmt(&text, "%c\"n%d\":[{\"n0\":%d}]", i == 0 ? '{' : ',', i, i);
            size_t right = text.len;
            buf_str(&text, "}");
            json_t *read = json_read(text.data, text.len, &fault);
            assert_int_equal(json_object_size(read), count);
            json_decref(read);
            text.len = right;
            buf_fmt(&text, ",\"\\u006e%d\":1}", again); /* the n as an escape */
            assert_null(json_read(text.data, text.len, &fault));
            assert_string_equal(fault.what, "a name is given twice");
            assert_int_equal(fault.column, right + 3);
            buf_free(&text);
        }
    }
}

static void test_values_stand_one_behind_the_other(void **state)
{
    (void)state;
    struct json_values values = { 0 };
    struct json_fault fault;
    for (int round = 0; round < 2; round++) { /* the memory is used again */
        char text[] = "{\"a\":[1,[],{\"x\":null}],\"b\":\"q\\u00e9\",\"c\":\"plain\"}";
        assert_true(json_scan(&values, text, sizeof(text) - 1, &fault));
        assert_int_equal(values.at->size, values.count);
        assert_int_equal(values.at->len, 3);
        const struct json_value *a = json_member(values.at, "a");
        assert_int_equal(a->len, 3);
        assert_int_equal(a->size, 6);
        assert_int_equal(a[1].integer, 1);
        const struct json_value *b = json_member(values.at, "b");
        assert_string_equal(b->text, "q\xc3\xa9");
        assert_false(b->plain);
        const struct json_value *c = json_member(values.at, "c");
        assert_string_equal(c->text, "plain");
        assert_true(c->plain);
        assert_null(json_member(values.at, "x"));
    }
    json_values_free(&values);
}

static void test_nesting_has_a_cap(void **state)
{
    (void)state;
    char text[2 * (JSON_NESTING_MAX + 1) + 1] = { 0 };
    struct json_fault fault;
    for (int deep = JSON_NESTING_MAX; deep <= JSON_NESTING_MAX + 1; deep++) {
        memset(text, '[', (size_t)deep);
        memset(text + deep, ']', (size_t)deep);
        json_t *read = json_read(text, 2 * (size_t)deep, &fault);
        assert_int_equal(read != NULL, deep == JSON_NESTING_MAX);
        json_decref(read);
    }
}

static void test_a_text_cut_anywhere_is_refused_and_nothing_behind_it_is_read(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\\u00e9\":[1.5e-3,\"\\ud83d\\ude00\",true,{\"b\":null}]}";
    struct json_fault fault;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        char *cut = test_malloc(len + 1); /* cmocka guards its end */
        memcpy(cut, whole, len);
        json_t *read = json_read(cut, len, &fault);
        assert_null(read);
        test_free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_jansson_reads_is_read_the_same),
        cmocka_unit_test(test_a_number_stays_as_it_was_written),
        cmocka_unit_test(test_what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(test_a_name_given_twice_is_found_wherever_it_stands),
        cmocka_unit_test(test_values_stand_one_behind_the_other),
        cmocka_unit_test(test_nesting_has_a_cap),
        cmocka_unit_test(test_a_text_cut_anywhere_is_refused_and_nothing_behind_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
