/* Events: what intake takes and refuses, the canonical text, and reading values back by name. */
#include "model/event.h"

#include "base/fail.h"
#include "model/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct event_type *opened(void)
{
    return catalog_type("action_inquiry.opened");
}

/* The canonical text of what a client sent; NULL with the problems. */
static char *checked(const char *type, const char *json, struct problems *problems)
{
    struct json_values values = { 0 };
    struct json_fault fault;
    struct buf out = { 0 };
    char *sent = strdup(json);
    if (!json_scan(&values, sent, strlen(sent), &fault))
        fail_msg("the test's JSON is wrong: %s: %s", json, fault.what);
    event_check(catalog_type(type), values.at, "", &out, problems);
    json_values_free(&values);
    free(sent);
    char *text = buf_take(&out);
    if (problems->count == 0)
        return text;
    free(text);
    return NULL;
}

static void takes(const char *type, const char *json, const char *expected)
{
    struct problems problems = { 0 };
    char *text = checked(type, json, &problems);
    if (text == NULL)
        fail_msg("expected %s to be taken, got %s: %s", json, problems.items[0].field,
                 problems.items[0].message);
    assert_string_equal(text, expected);
    free(text);
}

static void refuses(const char *type, const char *json, const char *field, const char *because)
{
    struct problems problems = { 0 };
    char *text = checked(type, json, &problems);
    if (text != NULL)
        fail_msg("expected %s to be refused, got %s", json, text);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, field);
    if (strstr(problems.items[0].message, because) == NULL)
        fail_msg("expected '%s' in '%s'", because, problems.items[0].message);
    problems_free(&problems);
}

static void test_writes_members_in_the_catalogs_order(void **state)
{
    (void)state;
    takes("action_inquiry.opened",
          "{\"State\":\"OPEN\",\"OrderId\":\"A-1\",\"InquiryId\":\"7\",\"Currency\":\"EUR\"}",
          "{\"InquiryId\":\"7\",\"OrderId\":\"A-1\",\"Currency\":\"EUR\",\"State\":\"OPEN\"}");
    takes("action_inquiry.opened", "{}", "{}");
}

static void test_writes_every_scalar_as_a_string(void **state)
{
    (void)state;
    takes("action_inquiry.opened",
          "{\"InquiryId\":9007199254740993,\"OrderId\":-12,\"TransactionAmount\":129,"
          "\"CustomerId\":true,\"RejectReason\":null,\"ExpectedPayout\":\"6.50\"}",
          "{\"InquiryId\":\"9007199254740993\",\"OrderId\":\"-12\",\"TransactionAmount\":\"129\","
          "\"ExpectedPayout\":\"6.50\",\"CustomerId\":\"true\",\"RejectReason\":\"\"}");
    takes("action.tracked", "{\"SubId1\":1,\"SubId3\":false}",
          "{\"SubId1\":\"1\",\"SubId3\":\"false\"}");
}

static void test_lists_stay_arrays_of_strings(void **state)
{
    (void)state;
    takes("action.tracked",
          "{\"Items\":[{\"Sku\":\"A\\\"B\",\"Quantity\":2,\"Tags\":[1,null,[]]},\"x\"]}",
          "{\"Items\":[{\"Sku\":\"A\\\"B\",\"Quantity\":\"2\",\"Tags\":[\"1\",\"\",[]]},\"x\"]}");
    takes("action.tracked", "{\"Items\":null}", "{\"Items\":[]}");
    refuses("action.tracked", "{\"Items\":\"x\"}", "Data.Items", "array");
    refuses("action.tracked", "{\"Items\":[[[[[[[[[[]]]]]]]]]]}", "Data.Items", "nested too deep");
}

static void test_numbers_are_never_rounded(void **state)
{
    /* I1: a text takes no number that may have been rounded; amounts and lists keep each digit. */
    (void)state;
    static const char *const rounded[] = { "5.7660123456789012e+17", "1e3", "1.0E3", "-0" };
    for (size_t i = 0; i < sizeof(rounded) / sizeof(rounded[0]); i++) {
        char json[80];
        snprintf(json, sizeof(json), "{\"Oid\":%s}", rounded[i]);
        refuses("action.tracked", json, "Data.Oid", "write it as a string");
        snprintf(json, sizeof(json), "{\"Status\":%s}", rounded[i]);
        refuses("action.tracked", json, "Data.Status", "write it as a string");
    }
    takes("action.tracked", "{\"Oid\":12.50,\"SubId1\":0.1000000000000000055511151231257827}",
          "{\"Oid\":\"12.50\",\"SubId1\":\"0.1000000000000000055511151231257827\"}");
    takes("action.tracked", "{\"Amount\":10.50,\"Payout\":-0.10}",
          "{\"Payout\":\"-0.10\",\"Amount\":\"10.50\"}");
    takes("action.tracked", "{\"Items\":[{\"Price\":10.50,\"Weight\":1.00000000000000000001e-9}]}",
          "{\"Items\":[{\"Price\":\"10.50\",\"Weight\":\"1.00000000000000000001e-9\"}]}");
    refuses("action.tracked", "{\"Amount\":1e3}", "Data.Amount", "decimal number");
    refuses("action.tracked", "{\"Amount\":0.1000000000000000055511151231257827}", "Data.Amount",
            "decimal number");
}

static void test_strings_are_escaped(void **state)
{
    (void)state;
    takes("action.tracked", "{\"SubId1\":\"\\u0001\\b\\n\\\"\\\\/\\u00e9\\ud83d\\ude00\"}",
          "{\"SubId1\":\"\\u0001\\b\\n\\\"\\\\/é😀\"}");
}

static void test_refuses_values_of_the_wrong_type(void **state)
{
    (void)state;
    static const char *const type = "action_inquiry.opened";
    refuses(type, "{\"TransactionAmount\":\"1,000\"}", "Data.TransactionAmount", "separators");
    refuses(type, "{\"TransactionAmount\":true}", "Data.TransactionAmount", "decimal number");
    refuses(type, "{\"InquiryId\":\"12a\"}", "Data.InquiryId", "whole number");
    refuses(type, "{\"InquiryId\":1.5}", "Data.InquiryId", "whole number");
    refuses(type, "{\"TransactionDate\":\"yesterday\"}", "Data.TransactionDate", "2026-11-23");
    refuses(type, "{\"TransactionDate\":1795459217}", "Data.TransactionDate", "2026-11-23");
    refuses(type, "{\"OrderId\":[\"A\"]}", "Data.OrderId", "single value");
    refuses(type, "{\"OrderId\":{}}", "Data.OrderId", "single value");
    refuses(type, "[]", "Data", "object");
    refuses(type, "null", "Data", "object");
}

static void test_refuses_what_the_type_does_not_have(void **state)
{
    (void)state;
    refuses("action_inquiry.opened", "{\"OrderID\":\"1\"}", "Data.OrderID",
            "not a data point of action_inquiry.opened; did you mean OrderId?");
    refuses("action_inquiry.opened", "{\"Weather\":\"1\"}", "Data.Weather",
            "not a data point of action_inquiry.opened");
    refuses("action_inquiry.opened", "{\"EventId\":\"1\"}", "Data.EventId", "set by the server");
}

static void test_names_every_wrong_field_behind_the_prefix(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct json_values values = { 0 };
    struct json_fault fault;
    struct buf out = { 0 };
    char sent[] = "{\"InquiryId\":\"x\",\"Nope\":\"y\",\"CreationDate\":\"z\"}";
    assert_true(json_scan(&values, sent, strlen(sent), &fault));
    event_check(opened(), values.at, "Events[3].", &out, &problems);
    assert_int_equal(problems.count, 3);
    assert_string_equal(problems.items[0].field, "Events[3].Data.InquiryId");
    assert_string_equal(problems.items[1].field, "Events[3].Data.Nope");
    assert_string_equal(problems.items[2].field, "Events[3].Data.CreationDate");
    problems_free(&problems);
    buf_free(&out);
    json_values_free(&values);
}

static void test_a_tree_that_no_text_can_be_is_refused(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct buf out = { 0 };
    json_t *data = json_object();
    json_object_set_new(data, "OrderId", json_stringn("a\0b", 3));
    event_check_tree(opened(), data, &out, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, "Data");
    problems_free(&problems);
    buf_free(&out);
    json_decref(data);
}

static void test_long_names_are_cut_at_a_character(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct buf out = { 0 };
    json_t *data = json_object();
    json_object_set_new(data, "xéééééééééééééééééééééééééééééééééééééééééé", json_string(""));
    event_check_tree(opened(), data, &out, &problems);
    assert_int_equal(problems.count, 1);
    json_t *shown = json_string(problems.items[0].field); /* NULL unless UTF-8 */
    assert_non_null(shown);
    assert_true(strlen(problems.items[0].field) < 80);
    json_decref(shown);
    problems_free(&problems);
    buf_free(&out);
    json_decref(data);
}

static void test_caps_problems_and_size(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct buf out = { 0 };
    json_t *data = json_object();
    for (int i = 0; i < 5000; i++) {
        char name[20];
        snprintf(name, sizeof(name), "N%d", i);
        json_object_set_new(data, name, json_true());
    }
    event_check_tree(opened(), data, &out, &problems);
    assert_int_equal(problems.count, PROBLEMS_MAX);
    problems_free(&problems);
    json_object_clear(data);

    char *long_text = malloc(EVENT_DATA_MAX + 1);
    memset(long_text, 'a', EVENT_DATA_MAX);
    long_text[EVENT_DATA_MAX] = '\0';
    json_object_set_new(data, "InquiryNotes", json_string(long_text));
    event_check_tree(opened(), data, &out, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, "Data");
    assert_non_null(strstr(problems.items[0].message, "65536 bytes"));
    problems_free(&problems);
    buf_free(&out);

    long_text[EVENT_DATA_MAX - strlen("{\"InquiryNotes\":\"\"}")] = '\0'; /* just fits */
    json_object_set_new(data, "InquiryNotes", json_string(long_text));
    event_check_tree(opened(), data, &out, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(out.len, EVENT_DATA_MAX);
    free(long_text);
    buf_free(&out);
    json_decref(data);
}

/* ---- reading back ---- */

static struct event *event_with(const char *data)
{
    struct event *event = event_new(5, opened(), 1795459217123, 0, data, strlen(data));
    event->id = 914793674309632001;
    return event;
}

static const struct points_context context = { "PAabc", 914793674309632002, 3, NULL };

static const char *get(struct points *points, const char *name)
{
    const struct data_point *point = catalog_point(opened(), name, strlen(name));
    if (point == NULL)
        fail_msg("the catalog has no %s", name);
    return points_get(points, point);
}

static void test_values_by_name(void **state)
{
    (void)state;
    struct event *event =
        event_with("{\"InquiryId\":\"7\",\"OrderId\":\"A\\\"\\\\\\/\\b\\f\\n\\r\\t1\",\"Comments\":"
                   "[{\"User\":\"x\"}],\"State\":\"\\u00e9\\ud83d\\ude00\\ud83d!\"}");
    struct points *points = points_new(event, &context);
    assert_non_null(points);
    assert_string_equal(get(points, "State"), "é😀\xef\xbf\xbd!"); /* half a pair: U+FFFD */
    assert_string_equal(get(points, "OrderId"), "A\"\\/\b\f\n\r\t1");
    assert_string_equal(get(points, "InquiryId"), "7");
    assert_string_equal(get(points, "Comments"), "[{\"User\":\"x\"}]");
    assert_string_equal(get(points, "State"), "é😀\xef\xbf\xbd!"); /* and once more */
    assert_string_equal(get(points, "CustomerId"), "");

    const json_t *list = points_json(points, catalog_point(opened(), "Comments", 8));
    assert_int_equal(json_array_size(list), 1);
    assert_null(points_json(points, catalog_point(opened(), "OrderId", 7)));
    assert_null(points_json(points, catalog_point(opened(), "CustomerId", 10)));
    points_free(points);
    event_unref(event);
}

static void test_common_values(void **state)
{
    (void)state;
    struct event *event = event_with("{}");
    struct points *points = points_new(event, &context);
    char time[DATE_TEXT];
    assert_string_equal(get(points, "EventId"), "914793674309632001");
    assert_string_equal(get(points, "EventType"), "action_inquiry.opened");
    assert_string_equal(get(points, "EventTime"), date_format_ms(time, 1795459217123));
    assert_string_equal(get(points, "AccountSid"), "PAabc");
    assert_string_equal(get(points, "PostbackId"), "914793674309632002");
    assert_string_equal(get(points, "Attempt"), "3");
    points_free(points);

    points =
        points_new(event, &(struct points_context){ "PAabc", 0, 1, NULL }); /* a test postback */
    assert_string_equal(get(points, "PostbackId"), "");
    points_free(points);
    event_unref(event);
}

static void test_values_come_one_by_one(void **state)
{
    (void)state;
    struct event *event = event_with("{\"OrderId\":\"1\",\"Comments\":[],\"Later\":\"x\"}");
    struct points *points = points_new(event, &context);
    struct point_value value;
    size_t at = 0;
    assert_true(points_each(points, &at, &value));
    assert_memory_equal(value.name, "OrderId", value.name_len);
    assert_string_equal(value.text, "1");
    assert_null(value.list);
    assert_true(points_each(points, &at, &value));
    assert_non_null(value.list);
    assert_true(points_each(points, &at, &value)); /* of a newer catalog: carried all the same */
    assert_memory_equal(value.name, "Later", 5);
    assert_false(points_each(points, &at, &value));
    points_free(points);
    event_unref(event);
}

static void test_damaged_data_is_noticed(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "",
        "{",
        "}",
        "[]",
        "null",
        "{\"A\"}",
        "{\"A\":}",
        "{\"A\":1}",
        "{\"A\":\"1}",
        "{\"A\":\"1\",}",
        "{\"A\":\"1\"\"B\":\"2\"}",
        "{\"A\":\"1\"}}",
        "{\"A\":\"1\"} ",
        "{\"A\":\"\\x\"}",
        "{\"A\":\"\\u12\"}",
        "{\"A\":\"\\u0000\"}",
        "{\"A\":\"line\nbreak\"}",
        "{\"A\":[1 2]}",
        "{\"A\":[01]}",
        "{\"A\":[1.]}",
        "{\"A\":[-]}",
        "{\"A\":[tru]}",
        "{\"A\":[\"1\",]}",
        "{\"A\":[{\"B\"}]}",
        "{\"A\":[{B:1}]}",
        "{\"A\":[}",
        "{\"A\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
        "{\"A\":\"\\\"}",
        "{A:\"1\"}",
    };
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct event *event = event_with(damaged[i]);
        struct points *points = points_new(event, &context);
        if (points != NULL)
            fail_msg("expected %s to be noticed as damaged", damaged[i]);
        event_unref(event);
    }
    struct event *event = event_new(5, opened(), 0, 0, "{\"A\":\"1\0\"}", 10);
    assert_null(points_new(event, &context));
    event_unref(event);
}

static void test_spaces_between_tokens_do_no_harm(void **state)
{
    (void)state;
    struct event *event =
        event_with("{ \"OrderId\" : \"1\" ,\n\"Comments\" : [ 1 , -2.5e+3 , { } , null ] }");
    struct points *points = points_new(event, &context);
    assert_non_null(points);
    assert_string_equal(get(points, "OrderId"), "1");
    assert_int_equal(json_array_size(points_json(points, catalog_point(opened(), "Comments", 8))),
                     4);
    points_free(points);
    event_unref(event);
}

/* Samples of every type pass the check that intake makes, and say what the catalog says. */
static void test_samples_are_events_of_their_type(void **state)
{
    (void)state;
    size_t count;
    const struct event_type *types = catalog_types(&count);
    for (size_t i = 0; i < count; i++) {
        struct event *event = event_sample(&types[i], 9, 1795459217123);
        assert_int_equal(event->account, 9);
        assert_true(event->id > 0);
        takes(types[i].name, event->data, event->data);
        struct points *points = points_new(event, &context);
        for (size_t j = 0; j < types[i].point_count; j++) {
            const struct data_point *point = &types[i].points[j];
            assert_string_equal(points_get(points, point),
                                point->on_request ? "" : catalog_sample(&types[i], point));
        }
        points_free(points);
        event_unref(event);
    }
}

/* What the check says of an event's data, and what a reader of it gets to whom nothing is open. */
static void copies(const char *data, bool on_request, const char *expected)
{
    const struct event_type *type = catalog_type("action.tracked");
    char *text = must_copy(data);
    struct buf canonical = { 0 }, out = { 0 };
    struct json_values values = { 0 };
    struct json_fault fault;
    struct problems problems = { 0 };
    assert_true(json_scan(&values, text, strlen(text), &fault));
    assert_int_equal(event_check(type, values.at, "", &canonical, &problems), on_request);
    struct event *event = event_new(5, type, 0, 0, buf_text(&canonical), canonical.len);
    event->checked = true;
    event->on_request = on_request;
    struct points *points = points_new(event, &(struct points_context){ .attempt = 1 });
    points_copy(points, &out);
    assert_string_equal(buf_text(&out), expected);
    points_free(points);
    event_unref(event);
    json_values_free(&values);
    buf_free(&canonical);
    buf_free(&out);
    free(text);
}

static void test_data_points_on_request_are_noted_and_not_copied(void **state)
{
    (void)state;
    copies("{\"Oid\":\"1\"}", false, ",\"Oid\":\"1\"");
    copies("{}", false, "");
    copies("{\"Oid\":\"1\",\"InquiryId\":\"7\"}", true, ",\"Oid\":\"1\"");
    copies("{\"Oid\":\"InquiryId\"}", false, ",\"Oid\":\"InquiryId\"");
}

static void test_references(void **state)
{
    (void)state;
    struct event *event = event_with("{}");
    assert_ptr_equal(event_ref(event), event);
    event_unref(event);
    assert_string_equal(event->data, "{}"); /* one is left */
    event_unref(event);
    event_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_members_in_the_catalogs_order),
        cmocka_unit_test(test_writes_every_scalar_as_a_string),
        cmocka_unit_test(test_lists_stay_arrays_of_strings),
        cmocka_unit_test(test_numbers_are_never_rounded),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_refuses_values_of_the_wrong_type),
        cmocka_unit_test(test_refuses_what_the_type_does_not_have),
        cmocka_unit_test(test_names_every_wrong_field_behind_the_prefix),
        cmocka_unit_test(test_a_tree_that_no_text_can_be_is_refused),
        cmocka_unit_test(test_long_names_are_cut_at_a_character),
        cmocka_unit_test(test_caps_problems_and_size),
        cmocka_unit_test(test_values_by_name),
        cmocka_unit_test(test_common_values),
        cmocka_unit_test(test_values_come_one_by_one),
        cmocka_unit_test(test_damaged_data_is_noticed),
        cmocka_unit_test(test_spaces_between_tokens_do_no_harm),
        cmocka_unit_test(test_samples_are_events_of_their_type),
        cmocka_unit_test(test_data_points_on_request_are_noted_and_not_copied),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
