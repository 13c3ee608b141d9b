/* event_type_test.c — event types of the operator's: what a definition may say, what a change may
 * change, and a catalog that is read by several threads while it grows. */
#include "model/event_type.h"

#include "base/fail.h"
#include "model/event.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHIPPED                                                                                    \
    "{'Name':'shop.order_shipped','Category':'Platform Events','Meaning':'An order left',"         \
    "'DataPoints':[{'Name':'OrderId','Type':'text','Meaning':'The order','Sample':'ORD-1'},"       \
    "{'Name':'Weight','Type':'integer','Meaning':'In grams','Sample':'1200'},"                     \
    "{'Name':'Boxes','Type':'list','Meaning':'What was sent','Sample':[{'Size':'L'}]}]}"

/* JSON with ' for ". */
static json_t *json_of(const char *text)
{
    char *copy = must_copy(text);
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'')
            *at = '"';
    }
    json_t *json = json_loads(copy, 0, NULL);
    free(copy);
    assert_non_null(json);
    return json;
}

static struct event_type *read_type(const char *text, const struct event_type *before,
                                    struct problems *problems)
{
    json_t *json = json_of(text);
    struct event_type *type = event_type_read(json, before, problems);
    json_decref(json);
    return type;
}

static struct event_type *right(const char *text, const struct event_type *before)
{
    struct problems problems = { 0 };
    struct event_type *type = read_type(text, before, &problems);
    if (type == NULL)
        fail_msg("refused: %s %s", problems.items[0].field, problems.items[0].message);
    assert_int_equal(problems.count, 0);
    return type;
}

/* Refused, with this field first; *words are in its message. */
static void wrong(const char *text, const struct event_type *before, const char *field,
                  const char *words)
{
    struct problems problems = { 0 };
    struct event_type *type = read_type(text, before, &problems);
    if (type != NULL)
        fail_msg("taken: %s", text);
    assert_string_equal(problems.items[0].field, field);
    if (strstr(problems.items[0].message, words) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", text, words, problems.items[0].message);
    problems_free(&problems);
}

static void test_a_definition_becomes_a_type(void **state)
{
    (void)state;
    struct event_type *type = right(SHIPPED, NULL);
    assert_string_equal(type->name, "shop.order_shipped");
    assert_string_equal(type->category->key, "platform");
    assert_true(type->by_default);
    assert_int_equal(type->point_count, 3);
    assert_int_equal(type->points[1].type, POINT_INTEGER);
    assert_string_equal(type->points[2].sample, "[{\"Size\":\"L\"}]");

    json_t *written = event_type_write(type);
    struct problems problems = { 0 };
    struct event_type *again = event_type_read(written, NULL, &problems);
    json_t *twice = event_type_write(again);
    assert_true(json_equal(written, twice));
    struct event *sample = event_sample(again, 1, 1795132800000);
    assert_string_equal(sample->data, "{\"OrderId\":\"ORD-1\",\"Weight\":\"1200\",\"Boxes\":"
                                      "[{\"Size\":\"L\"}]}");
    event_unref(sample);
    json_decref(written);
    json_decref(twice);
    event_type_free(again);
    event_type_free(type);
}

static void test_defaults(void **state)
{
    (void)state;
    struct event_type *type = right("{'Name':'a.b','Meaning':'m','DataPoints':[]}", NULL);
    assert_string_equal(type->category->key, "platform");
    assert_int_equal(type->point_count, 0);
    event_type_free(type);
    type = right("{'Name':'a.b','Meaning':'m','Category':'system','DataPoints':[]}", NULL);
    assert_false(type->by_default); /* the built-in categories keep their own defaults */
    event_type_free(type);
}

static void wrong_name(const char *name, const char *words)
{
    char text[300];
    snprintf(text, sizeof(text), "{'Name':'%s','Meaning':'m','DataPoints':[]}", name);
    wrong(text, NULL, "Name", words);
}

static void wrong_point(const char *members, const char *field, const char *words)
{
    char text[600];
    snprintf(text, sizeof(text),
             "{'Name':'a.b','Meaning':'m','DataPoints':[{'Name':'First','Type':'text','Meaning':"
             "'m','Sample':'s'},{%s}]}",
             members);
    wrong(text, NULL, field, words);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    wrong("{}", NULL, "Name", "is required");
    wrong_name("shop", "with a dot");
    wrong_name("Shop.sent", "small letters");
    wrong_name("shop.", "small letters");
    wrong_name(".shop", "small letters");
    wrong_name("shop..sent", "small letters");
    wrong_name("shop.1", "small letters");
    wrong_name("shop.sent/x", "small letters");
    wrong_name("a.b23456789012345678901234567890123456789012345678901234567890", "at most 60");
    wrong("{'Name':'a.b','DataPoints':[]}", NULL, "Meaning", "is required");
    wrong("{'Name':'a.b','Meaning':'m'}", NULL, "DataPoints", "must be an array");
    wrong("{'Name':'a.b','Meaning':'m','DataPoints':{}}", NULL, "DataPoints", "must be an array");
    wrong("{'Name':'a.b','Meaning':'m','DataPoints':[],'More':1}", NULL, "More", "not a field");
    wrong("{'Name':'a.b','Meaning':'m','Category':'Weather','DataPoints':[]}", NULL, "Category",
          "a category");
    wrong("{'Name':'a.b','Meaning':'m','DataPoints':[5]}", NULL, "DataPoints[0]", "an object");
    wrong_point("", "DataPoints[1].Type", "is required");
    wrong_point("'Name':'N','Type':'text','Meaning':'m'", "DataPoints[1].Sample", "is required");
    wrong_point("'Name':'First','Type':'text','Meaning':'m','Sample':'s'", "DataPoints[1].Name",
                "given twice");
    wrong_point("'Name':'first','Type':'text','Meaning':'m','Sample':'s'", "DataPoints[1].Name",
                "capital");
    wrong_point("'Name':'A_b','Type':'text','Meaning':'m','Sample':'s'", "DataPoints[1].Name",
                "letters and digits");
    wrong_point("'Name':'EventId','Type':'text','Meaning':'m','Sample':'s'", "DataPoints[1].Name",
                "every event");
    wrong_point("'Name':'N','Type':'colour','Meaning':'m','Sample':'s'", "DataPoints[1].Type",
                "must be text");
    wrong_point("'Name':'N','Type':'integer','Meaning':'m','Sample':'s'", "DataPoints[1].Sample",
                "whole number");
    wrong_point("'Name':'N','Type':'money','Meaning':'m','Sample':'1,50'", "DataPoints[1].Sample",
                "decimal");
    wrong_point("'Name':'N','Type':'date','Meaning':'m','Sample':'soon'", "DataPoints[1].Sample",
                "date");
    wrong_point("'Name':'N','Type':'list','Meaning':'m','Sample':'{}'", "DataPoints[1].Sample",
                "an array");
    wrong_point("'Name':'N','Type':'list','Meaning':'m','Sample':[[[[[[[[[[1]]]]]]]]]]",
                "DataPoints[1].Sample", "nested too deep");
    wrong_point("'Name':'N','Type':'text','Meaning':'m','Sample':'s','Size':1",
                "DataPoints[1].Size", "not a field");
}

/* A hundred data points are right, and one more is not. */
static void test_points_are_capped(void **state)
{
    (void)state;
    for (int count = CATALOG_POINTS_MAX; count <= CATALOG_POINTS_MAX + 1; count++) {
        json_t *points = json_array();
        for (int i = 0; i < count; i++)
            json_array_append_new(points,
                                  json_pack("{s:o, s:s, s:s, s:s}", "Name", json_sprintf("P%d", i),
                                            "Type", "text", "Meaning", "m", "Sample", "s"));
        json_t *definition =
            json_pack("{s:s, s:s, s:o}", "Name", "a.b", "Meaning", "m", "DataPoints", points);
        struct problems problems = { 0 };
        struct event_type *type = event_type_read(definition, NULL, &problems);
        assert_int_equal(type != NULL, count == CATALOG_POINTS_MAX);
        event_type_free(type);
        problems_free(&problems);
        json_decref(definition);
    }
}

static void test_a_change_keeps_what_settings_rest_on(void **state)
{
    (void)state;
    struct event_type *before = right(SHIPPED, NULL);
    before->number = 1007;
    struct event_type *after =
        right("{'Meaning':'It is on its way','DataPoints':["
              "{'Name':'Carrier','Type':'text','Meaning':'Who brings it','Sample':'Kiwi Post'},"
              "{'Name':'OrderId','Type':'text','Meaning':'Which order','Sample':'ORD-1'},"
              "{'Name':'Weight','Type':'integer','Meaning':'In grams','Sample':'1200'},"
              "{'Name':'Boxes','Type':'list','Meaning':'What','Sample':'[{\\u0022Size\\u0022:"
              "\\u0022L\\u0022}]'}]}",
              before);
    assert_int_equal(after->number, 1007);
    assert_string_equal(after->name, "shop.order_shipped");
    assert_string_equal(after->meaning, "It is on its way");
    assert_int_equal(after->point_count, 4);

    wrong("{'Name':'shop.other','DataPoints':[]}", before, "Name", "cannot be changed");
    wrong("{'Category':'System Events','DataPoints':[]}", before, "Category", "cannot be changed");
    wrong("{'DataPoints':[]}", before, "DataPoints", "OrderId is missing");
    wrong("{'DataPoints':[{'Name':'OrderId','Type':'url','Meaning':'m','Sample':'ORD-1'}]}", before,
          "DataPoints", "OrderId must keep");
    wrong("{'DataPoints':[{'Name':'OrderId','Type':'text','Meaning':'m','Sample':'ORD-2'}]}",
          before, "DataPoints", "OrderId must keep");
    event_type_free(after);
    event_type_free(before);
}

static struct event_type *numbered(int number, const char *name)
{
    char text[200];
    snprintf(text, sizeof(text), "{'Name':'%s','Meaning':'m','DataPoints':[]}", name);
    struct event_type *type = right(text, NULL);
    type->number = number;
    return type;
}

static void test_the_catalog_has_added_types(void **state)
{
    (void)state;
    struct event_type *first = numbered(1000, "shop.first"), *second = numbered(1001, "shop.other");
    size_t built_in, all = 0, at = 0;
    assert_null(catalog_type("shop.first"));
    assert_null(catalog_type_numbered(1000));
    catalog_put(first);
    catalog_put(second);
    assert_ptr_equal(catalog_type("shop.first"), first);
    assert_ptr_equal(catalog_type_numbered(1001), second);
    assert_null(catalog_type_numbered(1002));
    catalog_types(&built_in);
    while (catalog_each(&at) != NULL)
        all++;
    assert_int_equal(all, built_in + 2);

    struct event_type *retired = event_type_retired(first);
    catalog_put(retired);
    assert_ptr_equal(catalog_type("shop.first"), retired);
    assert_true(catalog_type_numbered(1000)->deleted);
    assert_false(first->deleted); /* who holds the old entry goes on with it */
    assert_string_equal(retired->name, first->name);
    catalog_forget_added();
    assert_null(catalog_type("shop.first"));
    assert_string_equal(second->name, "shop.other");
}

static void test_names_of_the_built_in_types_are_reserved(void **state)
{
    (void)state;
    assert_true(catalog_reserved("action.shipped"));
    assert_true(catalog_reserved("notification.x"));
    assert_false(catalog_reserved("actions.shipped"));
    assert_false(catalog_reserved("act.shipped"));
}

/* Readers look up while the writer adds and changes; what they find is always whole. */
static atomic_bool over;

static void *look_up(void *context)
{
    atomic_size_t *found = context;
    while (!atomic_load(&over)) {
        for (int number = 1000; number < 1050; number++) {
            const struct event_type *type = catalog_type_numbered(number);
            if (type == NULL)
                continue;
            if (type->number != number || type->points == NULL ||
                catalog_type(type->name)->number != number)
                abort();
            atomic_fetch_add(found, 1);
        }
    }
    return NULL;
}

static void test_readers_on_other_threads_see_whole_entries(void **state)
{
    (void)state;
    pthread_t threads[2];
    atomic_size_t found = 0;
    catalog_forget_added();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, &found), 0);
    for (int round = 0; round < 20; round++) {
        for (int number = 1000; number < 1050; number++) {
            char name[40];
            snprintf(name, sizeof(name), "shop.type_%d", number);
            catalog_put(numbered(number, name));
        }
    }
    while (atomic_load(&found) == 0)
        ;
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    catalog_forget_added();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_definition_becomes_a_type),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_points_are_capped),
        cmocka_unit_test(test_a_change_keeps_what_settings_rest_on),
        cmocka_unit_test(test_the_catalog_has_added_types),
        cmocka_unit_test(test_names_of_the_built_in_types_are_reserved),
        cmocka_unit_test(test_readers_on_other_threads_see_whole_entries),
    };
    return cmocka_run_group_tests_name("event_type", tests, NULL, NULL);
}
