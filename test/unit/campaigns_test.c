/* campaigns_test.c — campaigns, trackers, members and approval rules, on a real database. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *text_of(const json_t *array, size_t at, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(array, at), name));

    return text != NULL ? text : "(absent)";
}

static bool find_campaign(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct campaign campaign;

    (void)job;
    assert_true(campaign_find(db, house->campaign, &campaign));
    assert_int_equal(campaign.brand, house->brand.account);
    assert_string_equal(campaign.brand_sid, house->brand.sid);
    assert_string_equal(campaign.name, "Acme shop");
    assert_string_equal(campaign.currency, "EUR");
    campaign_clear(&campaign);
    assert_false(campaign_find(db, 999, &campaign));
    return true;
}

static void test_a_campaign_is_found(void **state)
{
    assert_true(house_do(*state, find_campaign, *state, NULL));
}

static void expect_campaigns(struct db *db, int64_t brand, int64_t partner, int64_t after,
                             const char *names)
{
    json_t *list = campaign_list(db, brand, partner, after, 10);
    struct buf got = { 0 };

    for (size_t i = 0; i < json_array_size(list); i++)
        buf_fmt(&got, "%s;", text_of(list, i, "Name"));
    assert_string_equal(buf_text(&got), names);
    buf_free(&got);
    json_decref(list);
}

static bool list_campaigns(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    json_t *list, *trackers;

    (void)job;
    campaign_add(db, house->brand.account, "Acme outlet", "GBP");
    tracker_add(db, house->campaign, "Sign-up");
    expect_campaigns(db, 0, 0, 0, "Acme shop;Zenith shop;Acme outlet;");
    expect_campaigns(db, house->brand.account, 0, 0, "Acme shop;Acme outlet;");
    expect_campaigns(db, house->brand.account, 0, house->campaign, "Acme outlet;");
    expect_campaigns(db, 0, house->partner.account, 0, "Acme shop;");
    expect_campaigns(db, house->other_brand.account, house->partner.account, 0, "");
    expect_campaigns(db, 0, house->other_partner.account, 0, "");
    list = campaign_list(db, house->brand.account, 0, 0, 10);
    trackers = json_object_get(json_array_get(list, 0), "Trackers");
    assert_int_equal(json_array_size(trackers), 2);
    assert_string_equal(text_of(trackers, 0, "Name"), "Online sale");
    assert_string_equal(text_of(trackers, 1, "Name"), "Sign-up");
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "Trackers")), 0);
    json_decref(list);
    return true;
}

static void test_each_side_sees_its_own_campaigns_with_trackers(void **state)
{
    assert_true(house_do(*state, list_campaigns, *state, NULL));
}

static bool use_trackers(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    char *name = tracker_name(db, house->campaign, house->tracker);

    (void)job;
    assert_string_equal(name, "Online sale");
    free(name);
    assert_null(tracker_name(db, house->campaign, house->other_tracker));
    assert_int_equal(tracker_add(db, house->campaign, "Online sale"), 0);
    assert_int_not_equal(tracker_add(db, house->campaign, "online sale, other"), 0);
    return true;
}

static void test_a_tracker_is_of_one_campaign(void **state)
{
    assert_true(house_do(*state, use_trackers, *state, NULL));
}

static bool use_members(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    json_t *list;

    (void)job;
    assert_true(membership_exists(db, house->campaign, house->partner.account));
    assert_false(membership_add(db, house->campaign, house->partner.account));
    assert_true(membership_add(db, house->campaign, house->other_partner.account));
    list = membership_list(db, house->campaign, 0, 10);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_of(list, 1, "PartnerSid"), house->other_partner.sid);
    json_decref(list);
    list = membership_list(db, house->campaign, house->partner.account, 10);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    assert_true(membership_remove(db, house->campaign, house->partner.account));
    assert_false(membership_remove(db, house->campaign, house->partner.account));
    assert_false(membership_exists(db, house->campaign, house->partner.account));
    return true;
}

static void test_members_come_and_go(void **state)
{
    assert_true(house_do(*state, use_members, *state, NULL));
}

/* ---- approval rules ---- */

static struct approval_rule rule_of(const struct house *house)
{
    return (struct approval_rule){
        .brand = house->brand.account,
        .campaign = house->campaign,
        .tracker = house->tracker,
        .wait = RULE_AT_ONCE,
        .payout_under = MONEY_NONE,
        .total_under = MONEY_NONE,
    };
}

static struct inquiry inquiry_of(const struct house *house, int64_t payout)
{
    struct inquiry inquiry = {
        .partner = house->partner.account,
        .brand = house->brand.account,
        .campaign = house->campaign,
        .currency = "EUR",
        .expected_payout = payout,
    };

    return inquiry;
}

static bool match_rules(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct approval_rule all = rule_of(house), own = rule_of(house), found;
    struct inquiry inquiry = inquiry_of(house, 1500);

    (void)job;
    assert_false(rule_match(db, &inquiry, &found));
    all.wait = RULE_DAYS;
    all.days = 7;
    all.id = rule_add(db, &all);
    own.partner = house->partner.account;
    own.payout_under = 1000;
    own.id = rule_add(db, &own);
    /* 15.00 is too much for the partner's own rule: the one for all is next. */
    assert_true(rule_match(db, &inquiry, &found));
    assert_int_equal(found.id, all.id);
    assert_int_equal(found.days, 7);
    inquiry.expected_payout = 999;
    assert_true(rule_match(db, &inquiry, &found));
    assert_int_equal(found.id, own.id);
    assert_int_equal(found.partner, house->partner.account);
    inquiry.partner = house->other_partner.account;
    assert_true(rule_match(db, &inquiry, &found));
    assert_int_equal(found.id, all.id);
    inquiry.brand = house->other_brand.account;
    assert_false(rule_match(db, &inquiry, &found));
    return true;
}

static void test_a_partners_own_rule_goes_first_when_it_fits(void **state)
{
    assert_true(house_do(*state, match_rules, *state, NULL));
}

static bool fit_limits(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct approval_rule rule = rule_of(house);
    struct inquiry inquiry = inquiry_of(house, MONEY_NONE);

    (void)job;
    rule.payout_under = 1000;
    rule.id = rule_add(db, &rule);
    assert_true(rule_find(db, rule.id, &rule));
    assert_string_equal(rule.currency, "EUR");
    assert_false(rule_fits(db, &rule, &inquiry)); /* no payout asked: not known to be under */
    inquiry.expected_payout = 1000;
    assert_false(rule_fits(db, &rule, &inquiry));
    inquiry.expected_payout = 999;
    assert_true(rule_fits(db, &rule, &inquiry));
    memcpy(inquiry.currency, "JPY", 4);
    assert_false(rule_fits(db, &rule, &inquiry));
    rule.payout_under = MONEY_NONE;
    assert_true(rule_fits(db, &rule, &inquiry)); /* without limits any currency will do */
    return true;
}

static void test_limits_hold_for_known_payouts_of_the_campaigns_currency(void **state)
{
    assert_true(house_do(*state, fit_limits, *state, NULL));
}

static bool list_rules(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct approval_rule rule = rule_of(house);
    json_t *list;

    (void)job;
    rule.wait = RULE_DAYS_AFTER_MONTH;
    rule.days = 14;
    rule.total_under = 50000;
    rule.id = rule_add(db, &rule);
    list = rule_list(db, house->brand.account);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(text_of(list, 0, "Approve"), "AFTER_END_OF_MONTH");
    assert_string_equal(text_of(list, 0, "Days"), "14");
    assert_string_equal(text_of(list, 0, "PartnerSid"), "");
    assert_string_equal(text_of(list, 0, "PayoutUnder"), "");
    assert_string_equal(text_of(list, 0, "TotalUnder"), "500.00");
    assert_string_equal(text_of(list, 0, "ActionTrackerName"), "Online sale");
    json_decref(list);
    assert_int_equal(rule_count(db, house->brand.account), 1);
    assert_false(rule_remove(db, house->other_brand.account, rule.id));
    assert_true(rule_remove(db, house->brand.account, rule.id));
    assert_false(rule_find(db, rule.id, &rule));
    return true;
}

static void test_rules_are_listed_and_removed_by_their_brand(void **state)
{
    assert_true(house_do(*state, list_rules, *state, NULL));
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_a_campaign_is_found),
        IN_HOUSE(test_each_side_sees_its_own_campaigns_with_trackers),
        IN_HOUSE(test_a_tracker_is_of_one_campaign),
        IN_HOUSE(test_members_come_and_go),
        IN_HOUSE(test_a_partners_own_rule_goes_first_when_it_fits),
        IN_HOUSE(test_limits_hold_for_known_payouts_of_the_campaigns_currency),
        IN_HOUSE(test_rules_are_listed_and_removed_by_their_brand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
