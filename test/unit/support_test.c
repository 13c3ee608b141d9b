/* support_test.c — a support request: what is refused, what a message makes of it, who sees what.
 */
#include "model/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void read_ask(struct support_request *request, char **text, const char *json,
                     struct problems *problems)
{
    json_t *from = json_loads(json, 0, NULL);
    assert_non_null(from);
    support_read(request, text, from, problems);
    json_decref(from);
}

static void test_a_request_is_read(void **state)
{
    (void)state;
    struct support_request request = { 0 };
    struct problems problems = { 0 };
    char *text;
    read_ask(&request, &text,
             "{\"Kind\":\"DATA_POINT\",\"NotificationId\":7,\"Subject\":\" Open it \","
             "\"Text\":\"Please\\nopen it\"}",
             &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(request.kind, SUPPORT_DATA_POINT);
    assert_int_equal(request.notification, 7);
    assert_string_equal(request.subject, "Open it");
    assert_string_equal(text, "Please\nopen it");
    free(text);
    support_free(&request);
}

static void test_all_that_is_wrong_is_named(void **state)
{
    (void)state;
    static const char *const fields[] = { "Kind", "Colour", "NotificationId", "Subject", "Text" };
    struct support_request request = { 0 };
    struct problems problems = { 0 };
    char json[SUPPORT_TEXT_MAX + 400], *text;
    snprintf(json, sizeof(json),
             "{\"Kind\":\"HELP\",\"NotificationId\":\"x\",\"Subject\":\"two\\nlines\","
             "\"Colour\":\"red\",\"Text\":\"%0*d\"}",
             SUPPORT_TEXT_MAX + 1, 1);
    read_ask(&request, &text, json, &problems);
    assert_null(text);
    assert_int_equal(problems.count, 5);
    for (size_t i = 0; i < 5; i++) {
        bool named = false;
        for (size_t at = 0; at < problems.count; at++)
            named = named || strcmp(problems.items[at].field, fields[i]) == 0;
        if (!named)
            fail_msg("%s is not named", fields[i]);
    }
    problems_free(&problems);
    support_free(&request);
}

static char *read_message(enum support_state *made, bool from_operator, const char *json,
                          struct problems *problems)
{
    json_t *from = json_loads(json, 0, NULL);
    char *text = support_message_read(made, from_operator, from, problems);
    json_decref(from);
    return text;
}

static void test_the_operator_says_what_it_is_then_and_the_account_may_not(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    enum support_state made;
    free(read_message(&made, true, "{\"Text\":\"done\"}", &problems));
    assert_int_equal(made, SUPPORT_ANSWERED);
    free(read_message(&made, true, "{\"Text\":\"done\",\"State\":\"CLOSED\"}", &problems));
    assert_int_equal(made, SUPPORT_CLOSED);
    free(read_message(&made, false, "{\"Text\":\"thanks\"}", &problems));
    assert_int_equal(made, SUPPORT_OPEN);
    assert_int_equal(problems.count, 0);
    free(read_message(&made, false, "{\"Text\":\"thanks\",\"State\":\"CLOSED\"}", &problems));
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, "State");
    free(read_message(&made, true, "{\"Text\":\"x\",\"State\":\"DONE\"}", &problems));
    assert_int_equal(problems.count, 2);
    problems_free(&problems);
}

static void test_an_open_one_keeps_its_place_in_the_queue(void **state)
{
    (void)state;
    struct support_request request = { .state = SUPPORT_OPEN, .asked_at = 100 };
    struct error error = { 0 };
    assert_true(support_step(&request, SUPPORT_OPEN, 200, &error));
    assert_int_equal(request.asked_at, 100);
    assert_true(support_step(&request, SUPPORT_CLOSED, 300, &error));
    assert_true(support_step(&request, SUPPORT_OPEN, 400, &error));
    assert_int_equal(request.asked_at, 400);
    assert_int_equal(request.changed_at, 400);
}

static void test_a_full_thread_takes_no_more(void **state)
{
    (void)state;
    struct support_request request = { .state = SUPPORT_CLOSED,
                                       .message_count = SUPPORT_MESSAGES_MOST - 1 };
    struct error error = { 0 };
    assert_true(support_step(&request, SUPPORT_ANSWERED, 1, &error));
    assert_false(support_step(&request, SUPPORT_OPEN, 2, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_int_equal(request.state, SUPPORT_ANSWERED);
}

static void test_the_account_does_not_see_who_answered(void **state)
{
    (void)state;
    char names[2][20] = { "us@corner.example", "me@platform.example" };
    char text[] = "hello", sid[] = "PA1", name[] = "Corner", subject[] = "s";
    struct support_message messages[] = {
        { .from_operator = false, .author = names[0], .text = text, .at = 1 },
        { .from_operator = true, .author = names[1], .text = text, .at = 2 },
    };
    struct support_request request = {
        .id = 1,
        .kind = SUPPORT_OTHER,
        .state = SUPPORT_ANSWERED,
        .messages = messages,
        .message_count = 2,
        .account_sid = sid,
        .account_name = name,
        .subject = subject,
    };
    for (int for_operator = 0; for_operator < 2; for_operator++) {
        json_t *shown = support_show(&request, for_operator);
        const json_t *list = json_object_get(shown, "Messages");
        const char *author = json_string_value(json_object_get(json_array_get(list, 1), "Author"));
        assert_string_equal(author, for_operator ? "me@platform.example" : "Support");
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "Author")),
                            "us@corner.example");
        assert_int_equal(json_object_get(shown, "AccountSid") != NULL, for_operator);
        assert_string_equal(json_string_value(json_object_get(shown, "WaitingSinceDate")), "");
        json_decref(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_read),
        cmocka_unit_test(test_all_that_is_wrong_is_named),
        cmocka_unit_test(test_the_operator_says_what_it_is_then_and_the_account_may_not),
        cmocka_unit_test(test_an_open_one_keeps_its_place_in_the_queue),
        cmocka_unit_test(test_a_full_thread_takes_no_more),
        cmocka_unit_test(test_the_account_does_not_see_who_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
