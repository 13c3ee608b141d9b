/* Money: exact in, exact out, nothing rounded. */
#include "model/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void reads(const char *text, const char *currency, int64_t expected)
{
    int64_t minor = 0;
    const char *wrong = money_parse(text, currency, &minor);
    if (wrong != NULL)
        fail_msg("expected %s %s to be read, got: %s", text, currency, wrong);
    if (minor != expected)
        fail_msg("%s %s: expected %lld, got %lld", text, currency, (long long)expected,
                 (long long)minor);
}

static void refuses(const char *text, const char *currency, const char *because)
{
    int64_t minor = 77;
    const char *wrong = money_parse(text, currency, &minor);
    if (wrong == NULL)
        fail_msg("expected %s %s to be refused, got %lld", text, currency, (long long)minor);
    if (strstr(wrong, because) == NULL)
        fail_msg("%s %s: expected '%s' in '%s'", text, currency, because, wrong);
    assert_int_equal(minor, 77);
}

static void test_reads_amounts(void **state)
{
    (void)state;
    reads("12", "EUR", 1200);
    reads("12.5", "EUR", 1250);
    reads("-3.20", "EUR", -320);
    reads("0", "EUR", 0);
    reads("-0.00", "EUR", 0);
    reads("007.10", "EUR", 710);
    reads("1.10000", "EUR", 110);
    reads("12", "JPY", 12);
    reads("12.000", "JPY", 12);
    reads("0.005", "KWD", 5);
    reads("5000000.00", "USD", 500000000);
    reads("92233720368547758.07", "EUR", INT64_MAX);
    reads("-92233720368547758.07", "EUR", -INT64_MAX);
}

static void test_refuses_what_is_no_amount(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",     "-",     ".5",   "5.",   "+5",  "1,000.00",
                                         "1 00", "12.3x", "0x10", "1e3",  "--1", "1.2.3",
                                         "NaN",  "€5",    " 5",   "5 EUR" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuses(wrong[i], "EUR", "decimal number like 12.50");
        assert_false(money_is_decimal(wrong[i]));
    }
}

static void test_never_rounds(void **state)
{
    (void)state;
    refuses("12.505", "EUR", "at most 2 decimals");
    refuses("12.5", "JPY", "no decimals");
    refuses("0.0001", "KWD", "at most 3 decimals");
}

static void test_refuses_what_does_not_fit(void **state)
{
    (void)state;
    refuses("92233720368547758.08", "EUR", "smaller");
    refuses("-92233720368547758.08", "EUR", "smaller"); /* would be MONEY_NONE */
    refuses("99999999999999999999999999", "EUR", "smaller");
}

static void test_needs_a_currency(void **state)
{
    (void)state;
    refuses("1", "", "currency");
    refuses("1", "eur", "currency");
    refuses("1", "EURO", "currency");
    assert_true(money_currency_known("EUR"));
    assert_false(money_currency_known("XXX"));
    assert_false(money_currency_known("EU"));
    assert_int_equal(money_decimals("AED"), 2); /* the first and the last of the table */
    assert_int_equal(money_decimals("ZWG"), 2);
    assert_int_equal(money_decimals("BHD"), 3);
    assert_int_equal(money_decimals("ISK"), 0);
    assert_int_equal(money_decimals("ABC"), -1);
}

static void writes(int64_t minor, const char *currency, const char *expected)
{
    char out[MONEY_TEXT];
    assert_string_equal(money_format(out, minor, currency), expected);
}

static void test_writes_amounts(void **state)
{
    (void)state;
    writes(1250, "EUR", "12.50");
    writes(5, "EUR", "0.05");
    writes(0, "EUR", "0.00");
    writes(-5, "EUR", "-0.05");
    writes(-320, "EUR", "-3.20");
    writes(12, "JPY", "12");
    writes(0, "JPY", "0");
    writes(1, "KWD", "0.001");
    writes(12345, "CLF", "1.2345");
    writes(1250, "???", "12.50");
    writes(MONEY_NONE, "EUR", "");
    writes(INT64_MAX, "EUR", "92233720368547758.07");
    writes(-INT64_MAX, "JPY", "-9223372036854775807");
}

static void test_knows_decimals_without_a_currency(void **state)
{
    (void)state;
    assert_true(money_is_decimal("12.505"));
    assert_true(money_is_decimal("-0.000001"));
    assert_true(money_is_decimal("999999999999999"));
    assert_false(money_is_decimal("1000000000000000"));
    assert_false(money_is_decimal("0.0000001"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_amounts),
        cmocka_unit_test(test_refuses_what_is_no_amount),
        cmocka_unit_test(test_never_rounds),
        cmocka_unit_test(test_refuses_what_does_not_fit),
        cmocka_unit_test(test_needs_a_currency),
        cmocka_unit_test(test_writes_amounts),
        cmocka_unit_test(test_knows_decimals_without_a_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
