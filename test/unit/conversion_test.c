/* conversion_test.c — the parameters of an inbound tracking postback, and the action they make. */
#include "model/conversion.h"

#include "model/date.h"
#include "model/money.h"
#include "model/placeholder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = 1795132800000;

static struct conversion read_it(json_t *given, struct problems *problems)
{
    struct conversion conversion;
    conversion_read(&conversion, given, now, 0, problems);
    json_decref(given);
    return conversion;
}

static void test_all_that_can_be_given(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct conversion conversion =
        read_it(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "oid", " A-1 ",
                          "irpid", "PA1", "amount", "12.50", "customerid", "C", "promocode", "P",
                          "subid1", "one", "subid2", "two", "subid3", "three", "sharedid", "s",
                          "eventdate", "2026-01-15", "token", "t"),
                &problems);
    struct action action = { 0 };
    assert_int_equal(problems.count, 0);
    assert_string_equal(conversion.partner, "PA1");
    assert_true(conversion_action(&conversion, "EUR", now, &action, &problems));
    assert_string_equal(action.order_id, "A-1");
    assert_int_equal(action.amount, 1250);
    assert_string_equal(action.currency, "EUR");
    assert_string_equal(action.sub_ids[2], "three");
    assert_string_equal(action.shared_id, "s");
    assert_int_equal(action.payout, MONEY_NONE);
    assert_int_equal(action.created_at, now);
    assert_int_equal(action.event_at, 1768435200000);
    assert_int_equal(action.status, ACTION_PENDING);
    action_free(&action);
    conversion_free(&conversion);
}

static void test_order_and_partner_are_enough(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct conversion conversion =
        read_it(json_pack("{s:s, s:s}", "oid", "A", "partner", "PA1"), &problems);
    struct action action = { 0 };
    assert_int_equal(problems.count, 0);
    assert_true(conversion_action(&conversion, "JPY", now, &action, &problems));
    assert_int_equal(action.amount, MONEY_NONE);
    assert_string_equal(action.currency, "JPY");
    assert_int_equal(action.event_at, now);
    action_free(&action);
    conversion_free(&conversion);
}

static void test_the_currency_given_goes_before_the_campaigns(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct conversion conversion = read_it(json_pack("{s:s, s:s, s:s, s:s}", "oid", "A", "irpid",
                                                     "PA1", "amount", "1.5", "currency", "KWD"),
                                           &problems);
    struct action action = { 0 };
    assert_true(conversion_action(&conversion, "JPY", now, &action, &problems));
    assert_int_equal(action.amount, 1500);
    action_free(&action);
    conversion_free(&conversion);
}

static void test_an_amount_is_checked_in_its_currency(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct conversion conversion = read_it(
        json_pack("{s:s, s:s, s:s}", "oid", "A", "irpid", "PA1", "amount", "1.5"), &problems);
    struct action action = { 0 };
    assert_int_equal(problems.count, 0);
    assert_false(conversion_action(&conversion, "JPY", now, &action, &problems));
    assert_string_equal(problems.items[0].field, "amount");
    action_free(&action);
    conversion_free(&conversion);
    problems_free(&problems);
}

static void wrong(json_t *given, const char *const *fields)
{
    struct problems problems = { 0 };
    struct conversion conversion = read_it(given, &problems);
    size_t count = 0;
    for (; fields[count] != NULL; count++) {
        bool named = false;
        for (size_t i = 0; i < problems.count; i++)
            named = named || strcmp(problems.items[i].field, fields[count]) == 0;
        if (!named)
            fail_msg("expected a problem with %s", fields[count]);
    }
    assert_int_equal(problems.count, count);
    problems_free(&problems);
    conversion_free(&conversion);
}

static void test_all_that_is_wrong_is_named_at_once(void **state)
{
    (void)state;
    wrong(json_object(), (const char *[]){ "oid", "irpid", NULL });
    wrong(json_pack("{s:s, s:s, s:s, s:s, s:s}", "Oid", "A", "irpid", "PA1", "partner", "PA2",
                    "currency", "eur", "eventdate", "2090-01-01"),
          (const char *[]){ "Oid", "oid", "partner", "currency", "eventdate", NULL });
    wrong(json_pack("{s:[i], s:{}}", "oid", 1, "irpid"), (const char *[]){ "oid", "irpid", NULL });
}

static void test_a_placeholder_is_no_order(void **state)
{
    /* I3: the notations of tracking tools, whole, also percent-encoded; and what looks like them.
     */
    (void)state;
    static const char *const unfilled[] = {
        "{order_id}",
        "{{order.id}}",
        "{{ order_id }}",
        "${orderId}",
        "[order_id]",
        "[[OID]]",
        "%order_id%",
        "%%ORDER_ID%%",
        "#order-id#",
        "<order_id>",
        "<ORDER ID>",
        "$oid$",
        "!oid!",
        "@oid@",
        "__ORDER_ID__",
        "*|OID|*",
        "{sub1}",
        "{aff_sub12}",
        "<%= order %>",
        "{order_id|raw}",
        "%7Border_id%7D",
        "%7b%7boid%7d%7d",
        "{_}",
        "#{order.id}",
        "{n\xc3\xbamero}",
    };
    static const char *const orders[] = {
        "A-1",          "{A-1001}",  "[1001]",
        "#1001#",       "#1001",     "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
        "order_id",     "{order_id", "x{order_id}",
        "{order_id}-7", "%41",       "100%",
        "{}",           "{ }",       "%%",
        "____",         "__",        "<>",
        "$12.50$",      "{a}{b}",    "{\"id\":1}",
        "%7Ba",         "@home",
    };
    for (size_t i = 0; i < sizeof(unfilled) / sizeof(unfilled[0]); i++) {
        if (!placeholder_is(unfilled[i]))
            fail_msg("expected %s to be a placeholder", unfilled[i]);
        wrong(json_pack("{s:s, s:s, s:s, s:s}", "oid", unfilled[i], "irpid", "PA1", "customerid",
                        unfilled[i], "subid1", unfilled[i]),
              (const char *[]){ "oid", "customerid", NULL });
    }
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (placeholder_is(orders[i]))
            fail_msg("expected %s to be none", orders[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_can_be_given),
        cmocka_unit_test(test_order_and_partner_are_enough),
        cmocka_unit_test(test_the_currency_given_goes_before_the_campaigns),
        cmocka_unit_test(test_an_amount_is_checked_in_its_currency),
        cmocka_unit_test(test_all_that_is_wrong_is_named_at_once),
        cmocka_unit_test(test_a_placeholder_is_no_order),
    };
    return cmocka_run_group_tests_name("conversion", tests, NULL, NULL);
}
