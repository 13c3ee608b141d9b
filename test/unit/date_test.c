/* Dates in and out: what is read, what is refused, and the calendar's corners. */
#include "model/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t ms;
    if (!date_parse(text, &ms))
        fail_msg("expected '%s' to be read", text);
    return ms;
}

static const char *shown(int64_t ms)
{
    static char out[DATE_TEXT];
    return date_format_ms(out, ms);
}

static void test_reads_every_written_form(void **state)
{
    (void)state;
    assert_string_equal(shown(at("2026-11-23")), "2026-11-23T00:00:00.000+00:00");
    assert_string_equal(shown(at("2026-11-23T18:40:17")), "2026-11-23T18:40:17.000+00:00");
    assert_string_equal(shown(at("2026-11-23T18:40:17Z")), "2026-11-23T18:40:17.000+00:00");
    assert_string_equal(shown(at("2026-11-23T18:40:17.5Z")), "2026-11-23T18:40:17.500+00:00");
    assert_string_equal(shown(at("2026-11-23T18:40:17.123456789Z")),
                        "2026-11-23T18:40:17.123+00:00");
    assert_string_equal(shown(at("2026-11-23T00:30:00+01:00")), "2026-11-22T23:30:00.000+00:00");
    assert_string_equal(shown(at("2026-11-23T23:30:00-0530")), "2026-11-24T05:00:00.000+00:00");
    /* I4: what ISO 8601 and RFC 3339 have besides */
    static const char *const same[] = {
        "2026-11-23T18:40Z",      "2026-11-23T18:40",         "2026-11-23T19:40+01",
        "2026-11-23T19:40+0100",  "2026-11-23T19:40+01:00",   "2026-11-23T19:40:00+01",
        "20261123T1840",          "20261123T184000Z",         "20261123T194000+01",
        "20261123T194000,0+0100", "2026-11-23t18:40:00.000z", "2026-11-23T18:40:00,000Z",
        "2026-11-23 18:40:00",    "2026-11-23 18:40z",        "20261123 134000-05:00",
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_int_equal(at(same[i]), at("2026-11-23T18:40:00Z"));
    assert_int_equal(at("20261123"), at("2026-11-23"));
    assert_string_equal(shown(at("20261123T184017,5Z")), "2026-11-23T18:40:17.500+00:00");
    assert_int_equal(at("1970-01-01T00:00:00.001Z"), 1);
    assert_int_equal(at("1969-12-31T23:59:59.999Z"), -1);
}

static void test_refuses_what_is_no_date(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-11",
        "2026-1-23",
        "2026-13-01",
        "2026-00-10",
        "2026-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-11-00",
        "0000-01-01",
        "2026-11-23  18:40:17",
        "2026-11-23T",
        "2026-11-23 ",
        "2026-11-23T18",
        "2026-11-23T18:40.5",
        "2026-11-23T1840",
        "2026-11-23T18:4017",
        "20261123T18:40",
        "20261123T184",
        "20261123T184060",
        "20261123T1840175",
        "2026-1123",
        "202611-23",
        "2026-W48-1",
        "2026W481",
        "2026-327",
        "2026327",
        "202611",
        "1795459217",
        "2026-11-23T18:40:17+01:",
        "2026-11-23T18:40:17+01:0",
        "2026-11-23T18:40:17 01:00",
        "2026-11-23T18:40:17,",
        "2026-11-23T23:59:60Z",
        "2026-11-23T24:00",
        "2026-11-23T24:00:00",
        "2026-11-23T18:60:00",
        "2026-11-23T18:40:60",
        "2026-11-23T18:40:17.",
        "2026-11-23T18:40:17.Z",
        "2026-11-23T18:40:17+1",
        "2026-11-23T18:40:17+24:00",
        "2026-11-23T18:40:17+01:60",
        "2026-11-23T18:40:17Zx",
        "2026-11-23Z",
        "23.11.2026",
        "-026-11-23",
        " 2026-11-23",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t ms = 7;
        if (date_parse(wrong[i], &ms))
            fail_msg("expected '%s' to be refused, got %s", wrong[i], shown(ms));
        assert_int_equal(ms, 7);
    }
}

static void test_tells_a_day_from_a_moment(void **state)
{
    (void)state;
    int64_t ms;
    bool whole_day = false;
    assert_true(date_parse_day("2026-11-23", &ms, &whole_day));
    assert_true(whole_day);
    assert_true(date_parse_day("2026-11-23T00:00:00", &ms, &whole_day));
    assert_false(whole_day);
}

static void test_a_day_has_begun_where_it_begins_first(void **state)
{
    /* I2: at 11:20 UTC it is the 24th in Auckland already, and at 10:00 on Kiritimati. */
    (void)state;
    int64_t day = at("2026-11-24"), now = at("2026-11-23T11:20:00Z");
    assert_false(date_is_future(day, true, now, 0));
    assert_false(date_is_future(day, true, at("2026-11-23T10:00:00Z"), 300000));
    assert_true(date_is_future(day, true, at("2026-11-23T09:59:59Z"), 300000));
    assert_true(date_is_future(day, false, now, 300000));
    assert_false(date_is_future(day, false, at("2026-11-23T23:55:00Z"), 300000));
    assert_false(date_is_future(day, true, at("2026-11-23T00:00:00Z"), 24 * 3600000));
}

static void test_no_date_is_empty(void **state)
{
    (void)state;
    char out[DATE_TEXT];
    assert_string_equal(date_format(out, DATE_NONE), "");
    assert_string_equal(date_format_ms(out, DATE_NONE), "");
    assert_string_equal(date_format(out, INT64_MAX), "");
    assert_int_equal(date_add_days(DATE_NONE, 3), DATE_NONE);
    assert_int_equal(date_end_of_month(DATE_NONE), DATE_NONE);
}

/* The C library's calendar is the witness, over every day of 900 years and some of each's hours. */
static void test_agrees_with_the_c_library(void **state)
{
    (void)state;
    static const char pattern[] = "%Y-%m-%d %H:%M:%S %j %e %b %B %a %A %p %I %F %T %s %%";
    setenv("TZ", "UTC", 1);
    tzset();
    for (int64_t day = -200000; day < 130000; day += 1) {
        int64_t second = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
        char expected[200], got[200];
        struct tm tm;
        time_t t = (time_t)second;
        gmtime_r(&t, &tm);
        strftime(expected, sizeof(expected), pattern, &tm);
        assert_true(date_pattern(got, sizeof(got), pattern, second * 1000 + 999));
        if (strcmp(expected, got) != 0)
            fail_msg("expected %s, got %s", expected, got);
        char written[DATE_TEXT];
        assert_int_equal(at(date_format(written, second * 1000 + 999)), second * 1000);
    }
}

static void test_patterns(void **state)
{
    (void)state;
    char out[64];
    int64_t noon = at("2026-11-03T12:05:09.250Z");
    assert_true(date_pattern(out, sizeof(out), "%d/%m/%y %I:%M %p %Z %z", noon));
    assert_string_equal(out, "03/11/26 12:05 PM UTC +0000");
    assert_true(date_pattern(out, sizeof(out), "", noon));
    assert_string_equal(out, "");
    assert_true(date_pattern(out, sizeof(out), "%s", at("1969-12-31T23:59:59.500Z")));
    assert_string_equal(out, "-1");
    assert_false(date_pattern(out, sizeof(out), "%Q", noon));
    assert_false(date_pattern(out, sizeof(out), "100%", noon));
    assert_true(date_pattern(out, 5, "%Y", noon));
    assert_false(date_pattern(out, 4, "%Y", noon));
    assert_false(date_pattern(out, sizeof(out), "%Y", DATE_NONE));
}

static void test_counts_days_and_months(void **state)
{
    (void)state;
    assert_string_equal(shown(date_add_days(at("2024-02-28T10:00:00Z"), 2)),
                        "2024-03-01T10:00:00.000+00:00");
    assert_string_equal(shown(date_add_days(at("2026-01-01"), -1)),
                        "2025-12-31T00:00:00.000+00:00");
    assert_string_equal(shown(date_end_of_month(at("2024-02-10T10:00:00Z"))),
                        "2024-03-01T00:00:00.000+00:00");
    assert_string_equal(shown(date_end_of_month(at("2026-12-31T23:59:59.999Z"))),
                        "2027-01-01T00:00:00.000+00:00");
    assert_string_equal(shown(date_end_of_month(at("2026-11-01"))),
                        "2026-12-01T00:00:00.000+00:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_written_form),
        cmocka_unit_test(test_refuses_what_is_no_date),
        cmocka_unit_test(test_tells_a_day_from_a_moment),
        cmocka_unit_test(test_a_day_has_begun_where_it_begins_first),
        cmocka_unit_test(test_no_date_is_empty),
        cmocka_unit_test(test_agrees_with_the_c_library),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_counts_days_and_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
