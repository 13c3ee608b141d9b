/* action_test.c — the action that an accepted inquiry makes, and its event's data. */
#include "base/fail.h"
#include "model/action.h"
#include "model/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = 1795459217000; /* 2026-11-23T18:40:17Z */

static void accepted(struct inquiry *inquiry, int64_t expected, int64_t final)
{
    *inquiry = (struct inquiry){
        .id = 12,
        .partner = 34,
        .brand = 56,
        .campaign = 1001,
        .campaign_name = must_copy("Acme"),
        .partner_name = must_copy("Trail Deals"),
        .order_id = must_copy("ORD-1"),
        .promo_code = must_copy("TEN"),
        .transaction_at = 1795132800000,
        .amount = 12990,
        .expected_payout = expected,
        .final_payout = final,
        .currency = "EUR",
    };
}

static void make(struct action *action, int64_t expected, int64_t final)
{
    struct inquiry inquiry;
    accepted(&inquiry, expected, final);
    action_from_inquiry(action, &inquiry, 7, "Online sale", now);
    inquiry_free(&inquiry); /* the action has copies of its own */
    action->id = 99;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        fail_msg("%s is missing or no text", name);
    return text;
}

static void test_an_accepted_inquiry_makes_an_action(void **state)
{
    (void)state;
    struct action action;
    make(&action, 650, 500);
    assert_int_equal(action.inquiry, 12);
    assert_int_equal(action.partner, 34);
    assert_int_equal(action.brand, 56);
    assert_int_equal(action.payout, 500);
    json_t *shown = action_show(&action, false);
    assert_string_equal(member(shown, "Id"), "99");
    assert_string_equal(member(shown, "ReferringType"), "ACTION_INQUIRY");
    assert_string_equal(member(shown, "Status"), "PENDING");
    assert_string_equal(member(shown, "ActionTrackerName"), "Online sale");
    assert_string_equal(member(shown, "Oid"), "ORD-1");
    assert_string_equal(member(shown, "Amount"), "129.90");
    assert_string_equal(member(shown, "EventDate"), "2026-11-20T00:00:00+00:00");
    assert_string_equal(member(shown, "CustomerId"), "");
    assert_string_equal(member(shown, "PromoCode"), "TEN");
    json_decref(shown);
    action_free(&action);
}

static void test_without_a_final_payout_the_expected_one_is_paid(void **state)
{
    (void)state;
    struct action action;
    make(&action, 650, MONEY_NONE);
    assert_int_equal(action.payout, 650);
    action_free(&action);
    make(&action, MONEY_NONE, MONEY_NONE);
    json_t *shown = action_show(&action, false);
    assert_string_equal(member(shown, "Payout"), "");
    json_decref(shown);
    action_free(&action);
}

static void test_its_event_has_every_data_point_in_the_catalogs_order(void **state)
{
    (void)state;
    const struct event_type *type = catalog_type("action.tracked");
    struct action action;
    struct buf data = { 0 };
    make(&action, 650, 500);
    action.items = must_copy("[{\"Sku\":\"A\",\"Quantity\":\"2\"}]");
    action_event_data(&action, false, &data);
    json_t *object = json_loads(buf_text(&data), 0, NULL);
    assert_non_null(object);
    void *at = json_object_iter(object);
    for (size_t i = 0; i < type->point_count; i++) {
        assert_non_null(at);
        assert_string_equal(json_object_iter_key(at), type->points[i].name);
        at = json_object_iter_next(object, at);
    }
    assert_null(at);
    assert_string_equal(member(object, "ActionId"), "99");
    assert_string_equal(member(object, "DeltaPayout"), "5.00");
    assert_string_equal(member(object, "OriginalAmount"), "129.90");
    assert_string_equal(member(object, "OriginalCurrency"), "EUR");
    assert_string_equal(member(object, "SubId1"), "");
    json_t *item = json_array_get(json_object_get(object, "Items"), 0);
    assert_string_equal(member(item, "Sku"), "A");
    json_decref(object);
    buf_free(&data);
    action_free(&action);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_accepted_inquiry_makes_an_action),
        cmocka_unit_test(test_without_a_final_payout_the_expected_one_is_paid),
        cmocka_unit_test(test_its_event_has_every_data_point_in_the_catalogs_order),
    };
    return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
