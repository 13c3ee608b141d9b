/* attempt_test.c — the verdict on what came back, and the reading of Retry-After. */
#include "model/attempt.h"

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
    assert_retry_after("-5", then, -1);
    assert_retry_after("1.5", then, -1);
    assert_retry_after("12 34", then, -1);
    assert_retry_after("soon", then, -1);
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
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT x",
        "Sun, 31 Apr 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sunda, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 06 08:49:37 94",
        "Sun, ",
        "Sun",
        "1994-11-06T08:49:37Z",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_retry_after(wrong[i], then - 5000, -1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_200_and_201_deliver),
        cmocka_unit_test(test_every_other_status),
        cmocka_unit_test(test_errors_are_the_destinations_except_building),
        cmocka_unit_test(test_success_response_must_be_in_the_body),
        cmocka_unit_test(test_error_response_fails_whatever_the_status),
        cmocka_unit_test(test_only_the_first_16_kib_are_looked_at),
        cmocka_unit_test(test_retry_after_in_seconds),
        cmocka_unit_test(test_retry_after_as_each_kind_of_date),
        cmocka_unit_test(test_a_date_in_the_past_is_now),
        cmocka_unit_test(test_what_is_no_date_is_no_retry_after),
        cmocka_unit_test(test_freeing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
