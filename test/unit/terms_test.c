/* terms_test.c — payouts to the minor unit, and the days on which actions lock and clear. */
#include "model/date.h"
#include "model/money.h"
#include "model/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int64_t at(const char *date)
{
    int64_t ms = DATE_NONE;
    if (!date_parse(date, &ms))
        fail_msg("%s is no date", date);
    return ms;
}

static void expect_day(int64_t ms, const char *wanted, const char *of)
{
    char text[DATE_TEXT];
    date_format(text, ms);
    if (strncmp(text, wanted, strlen(wanted)) != 0 || (*wanted == '\0' && *text != '\0'))
        fail_msg("%s: wanted %s, and it was %s", of, wanted, text);
}

static void test_days_of_the_calendar(void **state)
{
    static const struct {
        const char *event;
        enum locking_kind kind;
        int days, month_day, clearing;
        const char *locks, *clears;
    } rows[] = {
        { "2026-01-15T10:00:00Z", LOCKING_EVENT, 30, 0, 15, "2026-02-14T10:00", "2026-03-01T10" },
        { "2026-01-15", LOCKING_NEVER, 0, 0, 15, "", "" },
        { "2026-01-15", LOCKING_EVENT, 0, 0, 0, "2026-01-15T00", "2026-01-15T00" },
        { "2026-01-15", LOCKING_EVENT, 30, 0, TERMS_NEVER, "2026-02-14", "" },
        /* the end of a month, of a year, of a leap February */
        { "2026-01-31T23:59:59Z", LOCKING_MONTH, 0, 0, 1, "2026-02-01T00", "2026-02-02" },
        { "2026-02-01", LOCKING_MONTH, 0, 0, 1, "2026-03-01", "2026-03-02" },
        { "2026-12-31T12:00Z", LOCKING_MONTH, 30, 0, 30, "2027-01-31T00", "2027-03-02" },
        { "2028-02-01", LOCKING_MONTH, 0, 0, 0, "2028-03-01", "2028-03-01" },
        { "2028-01-30", LOCKING_EVENT, 30, 0, 1, "2028-02-29", "2028-03-01" },
        { "2027-01-30", LOCKING_EVENT, 30, 0, 0, "2027-03-01", "2027-03-01" },
        { "2100-02-28", LOCKING_EVENT, 1, 0, 0, "2100-03-01", "2100-03-01" }, /* no leap year */
        { "2000-02-28", LOCKING_EVENT, 1, 0, 0, "2000-02-29", "2000-02-29" },
        /* at a day of the month: the next one there is, never one that is over */
        { "2026-01-15", LOCKING_MONTH, 0, 15, 0, "2026-02-15T00", "2026-02-15" },
        { "2026-01-15", LOCKING_MONTH, 0, 1, 0, "2026-02-01", "2026-02-01" },
        { "2026-01-15", LOCKING_MONTH, 15, 15, 0, "2026-03-15", "2026-03-15" },
        { "2026-01-15", LOCKING_MONTH, 14, 15, 0, "2026-02-15", "2026-02-15" },
        { "2026-01-15T00:00:01Z", LOCKING_EVENT, 0, 15, 0, "2026-02-15T00", "2026-02-15" },
        { "2026-01-15T00:00:00Z", LOCKING_EVENT, 0, 15, 0, "2026-01-15T00", "2026-01-15" },
        { "2026-12-20", LOCKING_EVENT, 10, 5, 0, "2027-01-05", "2027-01-05" },
        /* a day that the month lacks is its last */
        { "2026-01-15", LOCKING_MONTH, 0, 31, 0, "2026-02-28T00", "2026-02-28" },
        { "2028-01-15", LOCKING_MONTH, 0, 30, 0, "2028-02-29T00", "2028-02-29" },
        { "2026-03-15", LOCKING_MONTH, 0, 31, 0, "2026-04-30T00", "2026-04-30" },
        { "2026-02-28T10:00Z", LOCKING_EVENT, 0, 31, 0, "2026-03-31T00", "2026-03-31" },
        { "2026-02-28T00:00Z", LOCKING_EVENT, 0, 31, 0, "2026-02-28T00", "2026-02-28" },
        /* where the calendar ends */
        { "9999-12-31", LOCKING_MONTH, 0, 31, 0, "", "" },
        { "9999-12-31", LOCKING_EVENT, TERMS_DAYS_MOST, 0, 0, "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct terms terms = { .locking = rows[i].kind,
                               .locking_days = rows[i].days,
                               .locking_month_day = rows[i].month_day,
                               .clearing_days = rows[i].clearing };
        char of[100];
        int64_t locks = terms_locking_at(&terms, at(rows[i].event));
        snprintf(of, sizeof(of), "row %zu, %s", i, rows[i].event);
        expect_day(locks, rows[i].locks, of);
        expect_day(terms_clearing_at(terms.clearing_days, locks), rows[i].clears, of);
    }
}

static void test_sums_are_rounded_half_up_once(void **state)
{
    static const struct {
        enum payout_kind kind;
        int64_t payout, amount, wanted;
    } rows[] = {
        { PAYOUT_PERCENT, 5 * TERMS_PERCENT_UNIT, 8990, 450 }, /* 4.495 */
        { PAYOUT_PERCENT, 5 * TERMS_PERCENT_UNIT, 8989, 449 }, /* 4.4945 */
        { PAYOUT_PERCENT, 5 * TERMS_PERCENT_UNIT, 0, 0 },
        { PAYOUT_PERCENT, 5 * TERMS_PERCENT_UNIT, MONEY_NONE, 0 },
        { PAYOUT_PERCENT, 0, 8990, 0 },
        { PAYOUT_PERCENT, TERMS_PERCENT_MOST, 8990, 8990 },
        { PAYOUT_PERCENT, TERMS_PERCENT_MOST, 50000000000, 50000000000 },
        { PAYOUT_PERCENT, 33333, 1000, 33 },
        { PAYOUT_PERCENT, 1, 499999, 0 },
        { PAYOUT_PERCENT, 1, 500000, 1 },
        { PAYOUT_PERCENT, TERMS_PERCENT_UNIT / 2, 100, 1 }, /* 0.5 of a minor unit */
        { PAYOUT_FIXED, 650, 8990, 650 },
        { PAYOUT_FIXED, 650, MONEY_NONE, 650 },
        { PAYOUT_GRANTED, 650, 8990, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(terms_payout(rows[i].kind, rows[i].payout, rows[i].amount),
                         rows[i].wanted);
}

static void test_a_share_is_exact_where_the_product_is_wide(void **state)
{
    (void)state;
    assert_int_equal(terms_share(50000000000, 50000000000, 50000000000), 50000000000);
    assert_int_equal(terms_share(50000000000, 25000000000, 50000000000), 25000000000);
    assert_int_equal(terms_share(650, 0, 12990), 0);
    assert_int_equal(terms_share(650, 6495, 12990), 325);
    assert_int_equal(terms_share(1, 1, 2), 1);
    assert_int_equal(terms_share(650, 100, 0), 650);
    assert_true(terms_share(MONEY_NONE, 100, 200) == MONEY_NONE);
    assert_true(terms_share(50000000000, 50000000000, 1) > 50000000000);
}

static void test_a_fixed_sum_is_of_its_own_currency(void **state)
{
    const struct terms fixed = { .payout_kind = PAYOUT_FIXED, .payout = 650, .currency = "EUR" };
    const struct terms part = { .payout_kind = PAYOUT_PERCENT, .payout = 10, .currency = "EUR" };
    (void)state;
    assert_int_equal(terms_rate(&fixed, "EUR"), 650);
    assert_int_equal(terms_rate(&fixed, "USD"), 0);
    assert_int_equal(terms_rate(&part, "USD"), 10);
}

/* ---- reading ---- */

/* The names of the wrong fields, or "". */
static const char *wrong_fields(const char *json, struct terms *terms)
{
    static char names[500];
    struct problems problems = { 0 };
    json_t *from = json_loads(json, 0, NULL);
    assert_non_null(from);
    terms_read(terms, from, "EUR", at("2026-01-01"), &problems);
    names[0] = '\0';
    for (size_t i = 0; i < problems.count; i++) {
        strcat(names, i > 0 ? " " : "");
        strcat(names, problems.items[i].field);
    }
    problems_free(&problems);
    json_decref(from);
    return names;
}

static void test_what_is_read_is_shown(void **state)
{
    struct terms terms;
    (void)state;
    assert_string_equal(
        wrong_fields("{\"PayoutPercentage\": \"4.25\", \"Locking\": \"AFTER_END_OF_MONTH\", "
                     "\"LockingDays\": \"3\", \"LockingDayOfMonth\": 15, \"ClearingDays\": 0}",
                     &terms),
        "");
    assert_int_equal(terms.payout, 42500);
    assert_int_equal(terms.clearing_days, 0);
    json_t *shown = terms_show(&terms);
    assert_string_equal(json_string_value(json_object_get(shown, "PayoutPercentage")), "4.25");
    assert_string_equal(json_string_value(json_object_get(shown, "PayoutAmount")), "");
    assert_string_equal(json_string_value(json_object_get(shown, "Locking")), "AFTER_END_OF_MONTH");
    assert_string_equal(json_string_value(json_object_get(shown, "LockingDayOfMonth")), "15");
    assert_string_equal(json_string_value(json_object_get(shown, "ClearingDays")), "0");
    json_decref(shown);
    assert_string_equal(wrong_fields("{\"PayoutAmount\": \"6.50\"}", &terms), "");
    assert_int_equal(terms.payout, 650);
    assert_int_equal(terms.locking, LOCKING_NEVER);
    assert_int_equal(terms.clearing_days, TERMS_NEVER);
    assert_int_equal(terms.from_at, at("2026-01-01"));
}

static void test_wrong_fields_are_all_named(void **state)
{
    static const struct {
        const char *json, *wrong;
    } rows[] = {
        { "{}", "PayoutPercentage" },
        { "{\"PayoutPercentage\": \"5\", \"PayoutAmount\": \"5\"}", "PayoutAmount" },
        { "{\"PayoutPercentage\": \"100.0001\"}", "PayoutPercentage" },
        { "{\"PayoutPercentage\": \"0.00001\"}", "PayoutPercentage" },
        { "{\"PayoutPercentage\": \"-1\"}", "PayoutPercentage" },
        { "{\"PayoutPercentage\": \"999999999999999\"}", "PayoutPercentage" },
        { "{\"PayoutAmount\": \"6.505\"}", "PayoutAmount" },
        { "{\"PayoutPercentage\": \"5\", \"LockingDays\": \"5\"}", "Locking" },
        { "{\"PayoutPercentage\": \"5\", \"Locking\": \"SOON\", \"LockingDays\": \"-1\", "
          "\"LockingDayOfMonth\": \"32\", \"ClearingDays\": \"3651\", \"StartDate\": \"x\"}",
          "Locking LockingDays LockingDayOfMonth ClearingDays StartDate" },
    };
    struct terms terms;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(wrong_fields(rows[i].json, &terms), rows[i].wrong);
}

static void test_a_preview_says_it_in_a_sentence(void **state)
{
    const struct terms terms = { .payout_kind = PAYOUT_PERCENT,
                                 .payout = 5 * TERMS_PERCENT_UNIT,
                                 .currency = "EUR",
                                 .locking = LOCKING_EVENT,
                                 .locking_days = 30,
                                 .clearing_days = 15 };
    const struct terms none = {
        .payout_kind = PAYOUT_FIXED, .payout = 650, .currency = "EUR", .clearing_days = TERMS_NEVER
    };
    json_t *shown = terms_preview(&terms, 8990, at("2026-01-15"));
    (void)state;
    assert_string_equal(
        json_string_value(json_object_get(shown, "Text")),
        "A sale of 89.90 EUR on 15 January 2026 pays 4.50 EUR, locks on 14 February "
        "2026 and clears on 1 March 2026.");
    json_decref(shown);
    shown = terms_preview(&none, MONEY_NONE, at("2026-01-15"));
    assert_string_equal(json_string_value(json_object_get(shown, "Text")),
                        "A sale on 15 January 2026 pays 6.50 EUR, never locks by itself.");
    json_decref(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_of_the_calendar),
        cmocka_unit_test(test_sums_are_rounded_half_up_once),
        cmocka_unit_test(test_a_share_is_exact_where_the_product_is_wide),
        cmocka_unit_test(test_a_fixed_sum_is_of_its_own_currency),
        cmocka_unit_test(test_what_is_read_is_shown),
        cmocka_unit_test(test_wrong_fields_are_all_named),
        cmocka_unit_test(test_a_preview_says_it_in_a_sentence),
    };
    return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
