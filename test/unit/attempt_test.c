/* attempt_test.c — the verdict on what came back, and the reading of Retry-After. */
#include "model/attempt.h"
#include "model/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_verdict(const struct attempt *attempt, const struct notification *notification,
                           enum verdict wanted)
{
    enum verdict got = verdict_of(attempt, notification);
    if (got != wanted)
        fail_msg("status %d, error %s, body \"%.40s\": expected %s, got %s", attempt->status,
                 exchange_error_name(attempt->error), attempt->body == NULL ? "" : attempt->body,
                 verdict_name(wanted), verdict_name(got));
}

static void assert_status(int status, bool any_2xx, enum verdict wanted)
{
    struct notification notification = { .settings.accept_any_2xx = any_2xx };
    struct attempt attempt = { .status = status };
    assert_verdict(&attempt, &notification, wanted);
}

static void test_only_200_and_201_deliver(void **state)
{
    (void)state;
    for (int status = 200; status < 300; status++) {
        bool right = status == 200 || status == 201;
        assert_status(status, false, right ? VERDICT_DELIVERED : VERDICT_FAILED);
        assert_status(status, true, VERDICT_DELIVERED);
    }
}

static void test_every_other_status(void **state)
{
    (void)state;
    for (int status = 300; status < 600; status++) {
        enum verdict wanted = status == 429 || status == 503 ? VERDICT_DESTINATION
                              : status == 410                ? VERDICT_GONE
                                                             : VERDICT_FAILED;
        assert_status(status, false, wanted);
        assert_status(status, true, wanted);
    }
    assert_status(0, true, VERDICT_FAILED);
    assert_status(999, true, VERDICT_FAILED);
}

static void test_errors_are_the_destinations_except_building(void **state)
{
    static const struct {
        enum exchange_error error;
        enum verdict verdict;
    } wanted[] = {
        { EXCHANGE_DNS, VERDICT_DESTINATION },
        { EXCHANGE_CONNECT, VERDICT_DESTINATION },
        { EXCHANGE_TLS, VERDICT_DESTINATION },
        { EXCHANGE_TIMEOUT, VERDICT_DESTINATION },
        { EXCHANGE_RESET, VERDICT_DESTINATION },
        { EXCHANGE_REFUSED_ADDRESS, VERDICT_DESTINATION },
        { EXCHANGE_BAD_ANSWER, VERDICT_DESTINATION },
        { EXCHANGE_BUILD, VERDICT_FAILED },
        { EXCHANGE_NO_ROOM, VERDICT_FAILED },
    };
    struct notification notification = { .settings.accept_any_2xx = true };
    (void)state;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        /* A status that was read before the rest was lost does not deliver. */
        struct attempt attempt = { .error = wanted[i].error, .status = 200 };
        assert_verdict(&attempt, &notification, wanted[i].verdict);
    }
}

static void assert_body(const char *success, const char *error, int status, const char *body,
                        size_t len, enum verdict wanted)
{
    struct notification notification = { .settings.success_response = (char *)success,
                                         .settings.error_response = (char *)error };
    struct attempt attempt = { .status = status, .body = (char *)body, .body_len = len };
    assert_verdict(&attempt, &notification, wanted);
}

static void test_success_response_must_be_in_the_body(void **state)
{
    (void)state;
    assert_body("received", "", 200, "{\"received\":1}", 14, VERDICT_DELIVERED);
    assert_body("received", "", 200, "{\"Received\":1}", 14, VERDICT_FAILED);
    assert_body("received", "", 200, NULL, 0, VERDICT_FAILED);
    assert_body("received", "", 500, "received", 8, VERDICT_FAILED);
    assert_body("", "", 200, NULL, 0, VERDICT_DELIVERED);
    assert_body("after", "", 200, "nul \0 after", 11, VERDICT_DELIVERED);
}

static void test_error_response_fails_whatever_the_status(void **state)
{
    (void)state;
    assert_body("", "invalid", 200, "status=invalid", 14, VERDICT_FAILED);
    assert_body("ok", "invalid", 201, "ok but invalid", 14, VERDICT_FAILED);
    assert_body("", "invalid", 200, "fine", 4, VERDICT_DELIVERED);
    assert_body("", "invalid", 503, "invalid", 7, VERDICT_DESTINATION);
    assert_body("", "invalid", 410, "invalid", 7, VERDICT_GONE);
}

static void test_only_the_first_16_kib_are_looked_at(void **state)
{
    size_t len = ANSWER_BODY_MAX + 100;
    char *body = malloc(len);
    (void)state;
    memset(body, '.', len);
    memcpy(body + ANSWER_BODY_MAX - 2, "ok", 2);
    assert_body("ok", "", 200, body, len, VERDICT_DELIVERED);
    memcpy(body + ANSWER_BODY_MAX - 2, ".ok", 3);
    assert_body("ok", "", 200, body, len, VERDICT_FAILED);
    free(body);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const int64_t then = 784111777000;

static void assert_retry_after(const char *value, int64_t now_ms, int64_t wanted)
{
    int64_t got = retry_after_parse(value, now_ms);
    if (got != wanted)
        fail_msg("\"%s\": expected %lld, got %lld", value == NULL ? "(none)" : value,
                 (long long)wanted, (long long)got);
}

static void test_retry_after_in_seconds(void **state)
{
    (void)state;
    assert_retry_after("0", then, 0);
    assert_retry_after("120", then, 120000);
    assert_retry_after(" 120\t", then, 120000);
    assert_retry_after("99999999999999999999999999", then, INT64_MAX);
    assert_retry_after(NULL, then, -1);
    assert_retry_after("", then, -1);
    assert_retry_after("12 34", then, -1);
    assert_retry_after("5 parsecs", then, -1);
    assert_retry_after(".", then, -1);
    assert_retry_after("+", then, -1);
    assert_retry_after("1.5.5", then, -1);
    assert_retry_after("1e3", then, -1);
    assert_retry_after("0x10", then, -1);
    assert_retry_after("soon", then, -1);
}

/* R6: who asks for a rest gets it, in whatever form. */
static void test_retry_after_in_other_forms_of_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        { "299.997", 299997 },
        { "0.0001", 1 },
        { ".5", 500 },
        { "300.", 300000 },
        { "1.5", 1500 },
        { "1.00000000001", 1001 },
        { "300, 300", 300000 },
        { "300,600", 300000 },
        { "300;reason=busy", 300000 },
        { "\"300\"", 300000 },
        { "'300'", 300000 },
        { "+300", 300000 },
        { "000300", 300000 },
        { "-5", 0 },
        { "-0.5", 0 },
        { "300s", 300000 },
        { "300 seconds", 300000 },
        { "5 min", 300000 },
        { "5m", 300000 },
        { "1H", 3600000 },
        { "1500ms", 1500 },
        { "9223372036854775807.5", INT64_MAX },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_retry_after(cases[i].value, then, cases[i].ms);
}

/* R6 */
static void test_retry_after_in_other_forms_of_a_date(void **state)
{
    (void)state;
    static const char *const same[] = {
        "Sun, 06 Nov 1994 08:49:37 UTC",      "Sun, 06 Nov 1994 08:49:37 UT",
        "Sun, 06 Nov 1994 08:49:37 Z",        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 09:49:37 +01:00",   "Sun, 06 Nov 1994 03:49:37 -0500",
        "Sun, 06 Nov 1994 03:49:37 EST",      "Sun, 06 Nov 1994 09:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT+0000", "Sun, 06 Nov 1994 08:49:37",
        "sun, 06 nov 1994 08:49:37 gmt",      "SUN, 06 NOV 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 8:49:37 GMT",        "06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 UTC",     "Sunday, 06 November 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",      "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 UTC 1994",       "Nov 6, 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:36.2 GMT",    "1994-11-06T08:49:37Z",
        "1994-11-06T09:49:37+01:00",          "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_retry_after(same[i], then - 5000, 5000);
}

static void test_retry_after_as_each_kind_of_date(void **state)
{
    (void)state;
    assert_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then - 5000, 5000);
    assert_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", then - 5000, 5000);
    assert_retry_after("Sun Nov  6 08:49:37 1994", then - 5000, 5000);
    assert_retry_after("Wed Nov 16 08:49:37 1994", then, 10 * INT64_C(86400000));
    assert_retry_after("Thu, 29 Feb 2024 00:00:00 GMT", INT64_C(1709164799000), 1000);
    assert_retry_after("Sat, 31 Dec 2016 23:59:60 GMT", INT64_C(1483228798000), 1000);
}

static void test_a_date_in_the_past_is_now(void **state)
{
    (void)state;
    assert_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then + 1000, 0);
    /* Two digits more than 50 years ahead are the last century's. */
    assert_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(1732000000000), 0);
}

static void test_what_is_no_date_is_no_retry_after(void **state)
{
    static const char *const wrong[] = {
        "Sun, 06 Nov 1994 08:49:37 XYZ",
        "Sun, 06 Nov 1994 08:49:37 GMT x",
        "Sun, 06 Nov 1994 08:49:37 GMT GMT",
        "Sun, 31 Apr 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:61:00 GMT",
        "Sun, 06 Nov 1994 GMT",
        "Sun, 06 11 1994 08:49:37 GMT",
        "11/06/1994 08:49:37",
        "Sun, 06 Nov 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +01",
        "Sun, 06 Nov 1994 08:49:37 +01000",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Su, 06 Nov 1994 08:49:37 GMT",
        "Sun, ",
        "Sun",
        "1994-11-06T08:49:37X",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_retry_after(wrong[i], then - 5000, -1);
}

static void assert_words(struct attempt attempt, const struct notification *notification,
                         const char *words)
{
    attempt_explain(&attempt, notification);
    if (strstr(attempt.detail, words) == NULL || (*words == '\0') != (attempt.detail[0] == '\0'))
        fail_msg("status %d: expected “%s”, got “%s”", attempt.status, words, attempt.detail);
}

/* C11 and R7: why an answer that looks good was none. */
static void test_a_success_that_does_not_count_is_explained(void **state)
{
    (void)state;
    struct notification plain = { 0 }, wanting = { .settings.success_response = (char *)"ok",
                                                   .settings.error_response = (char *)"bad" };
    char gzip[] = "A: b\nContent-Encoding: gzip\nC: d\n", br[] = "content-encoding: br\n",
         identity[] = "Content-Encoding: identity\n", magic[] = "\x1f\x8b\x08xx", bad[] = "bad ok";
    assert_words((struct attempt){ .status = 202 }, &plain, "Accept any 2xx");
    assert_words((struct attempt){ .status = 204 }, &wanting, "Accept any 2xx");
    assert_words((struct attempt){ .status = 302 }, &plain, "not followed");
    assert_words((struct attempt){ .status = 304 }, &plain, "");
    assert_words((struct attempt){ .status = 404 }, &plain, "");
    assert_words((struct attempt){ .status = 200, .headers = gzip, .headers_len = strlen(gzip) },
                 &wanting, "the answer is gzip, which was not asked for");
    assert_words((struct attempt){ .status = 200, .headers = br, .headers_len = strlen(br) },
                 &wanting, "the answer is br, which");
    assert_words(
        (struct attempt){ .status = 200, .headers = identity, .headers_len = strlen(identity) },
        &wanting, "the text set as Success Response is not in");
    assert_words((struct attempt){ .status = 200, .body = magic, .body_len = 5 }, &wanting,
                 "the answer is gzip");
    assert_words((struct attempt){ .status = 200, .body = bad, .body_len = 6 }, &wanting,
                 "the text set as Error Response");
    assert_words((struct attempt){ .error = EXCHANGE_RESET, .status = 202 }, &plain, "");
}

static void test_freeing_leaves_nothing(void **state)
{
    struct attempt attempt = {
        .headers = strdup("A: b\n"), .headers_len = 5, .body = strdup("ok"), .body_len = 2
    };
    (void)state;
    attempt_free(&attempt);
    assert_null(attempt.headers);
    assert_null(attempt.body);
    assert_int_equal(attempt.body_len, 0);
    attempt_free(&attempt);
}

/* P13: what an API calls SuccessResponse has the name that the pages show; and "connect: connection
 * refused" is a sentence in a notice or a mail. */
static void test_a_reason_is_told_in_words(void **state)
{
    static const char *const words[][2] = {
        { "connect: connection refused", "the receiver could not be reached (connection refused)" },
        { "timeout: ", "the receiver did not answer in time" },
        { "dns", "the receiver's name was not found" },
        { "status 503", "the receiver answered 503" },
        { "something: else", "something: else" },
        { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct buf out = { 0 };
        attempt_reason_words(&out, words[i][0]);
        assert_string_equal(buf_text(&out), words[i][1]);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reason_is_told_in_words),
        cmocka_unit_test(test_only_200_and_201_deliver),
        cmocka_unit_test(test_every_other_status),
        cmocka_unit_test(test_errors_are_the_destinations_except_building),
        cmocka_unit_test(test_success_response_must_be_in_the_body),
        cmocka_unit_test(test_error_response_fails_whatever_the_status),
        cmocka_unit_test(test_only_the_first_16_kib_are_looked_at),
        cmocka_unit_test(test_retry_after_in_seconds),
        cmocka_unit_test(test_retry_after_in_other_forms_of_a_number),
        cmocka_unit_test(test_retry_after_in_other_forms_of_a_date),
        cmocka_unit_test(test_retry_after_as_each_kind_of_date),
        cmocka_unit_test(test_a_success_that_does_not_count_is_explained),
        cmocka_unit_test(test_a_date_in_the_past_is_now),
        cmocka_unit_test(test_what_is_no_date_is_no_retry_after),
        cmocka_unit_test(test_freeing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
