/* rules_test.c — inquiries accepted by a brand's approval rules, on a real database. */
#include "inquiry_house.h"

static bool do_add_rule(struct job *job, struct db *db, void *with)
{
    struct approval_rule *rule = with;

    (void)job;
    rule->id = rule_add(db, rule);
    return true;
}

static struct approval_rule rule_for(struct house *house, enum rule_wait wait, int days,
                                     int64_t total_under)
{
    struct approval_rule rule = {
        .brand = house->brand.account,
        .campaign = house->campaign,
        .tracker = house->tracker,
        .wait = wait,
        .days = days,
        .payout_under = MONEY_NONE,
        .total_under = total_under,
    };

    assert_true(house_do(house, do_add_rule, &rule, NULL));
    return rule;
}

static enum inquiry_status status_of(struct house *house, int64_t id)
{
    struct inquiry inquiry;
    enum inquiry_status status;

    assert_true(look(house, &house->brand, id, &inquiry));
    status = inquiry.status;
    inquiry_free(&inquiry);
    return status;
}

static int64_t approval_of(struct house *house, int64_t id)
{
    struct inquiry inquiry;
    int64_t at;

    assert_true(look(house, &house->brand, id, &inquiry));
    at = inquiry.auto_approval_at;
    inquiry_free(&inquiry);
    return at;
}

static void test_a_rule_accepts_at_once(void **state)
{
    struct house *house = *state;
    int64_t id;

    rule_for(house, RULE_AT_ONCE, 0, MONEY_NONE);
    id = open_for(house, "A-1", "4.99");
    assert_int_equal(status_of(house, id), STATUS_VALID);
    assert_int_equal(actions(house), 1);
    expect_events(house, house->partner.account, id,
                  "action_inquiry.opened action.tracked action_inquiry.resolved");
}

static void test_a_rules_total_holds(void **state)
{
    struct house *house = *state;
    int64_t first, second, third, foreign;
    struct opening dollars = { .partner = &house->partner,
                               .campaign = house->campaign,
                               .order = "A-4",
                               .payout = "0.10",
                               .currency = "USD" };

    rule_for(house, RULE_AT_ONCE, 0, 1000);
    first = open_for(house, "A-1", "4.99");
    second = open_for(house, "A-2", "5.01"); /* 10.00 is not under 10.00 */
    third = open_for(house, "A-3", "5.00");
    assert_true(house_do(house, do_open, &dollars, NULL));
    foreign = dollars.id;
    assert_int_equal(status_of(house, first), STATUS_VALID);
    assert_int_equal(status_of(house, second), STATUS_UNRESOLVED);
    assert_int_equal(status_of(house, third), STATUS_VALID);
    assert_int_equal(status_of(house, foreign), STATUS_UNRESOLVED);
    assert_true(approval_of(house, second) == DATE_NONE);
}

static bool do_make_due(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    db_run(db, db_prepare(db, "UPDATE inquiry SET auto_approval_at = 1 "
                              "WHERE auto_approval_at IS NOT NULL"));
    return true;
}

static bool do_approve(struct job *job, struct db *db, void *with)
{
    *(int *)with = inquiry_approve_due(job, db, 10);
    return true;
}

static int approve_due(struct house *house)
{
    int count = -1;

    assert_true(house_do(house, do_approve, &count, NULL));
    return count;
}

static void test_a_rule_accepts_when_its_days_are_over(void **state)
{
    struct house *house = *state;
    struct inquiry inquiry;
    int64_t id;

    rule_for(house, RULE_DAYS, 3, MONEY_NONE);
    id = open_for(house, "A-1", NULL);
    assert_true(look(house, &house->partner, id, &inquiry));
    assert_true(inquiry.auto_approval_at == date_add_days(inquiry.created_at, 3));
    inquiry_free(&inquiry);
    assert_int_equal(approve_due(house), 0);
    assert_int_equal(status_of(house, id), STATUS_UNRESOLVED);
    assert_true(house_do(house, do_make_due, NULL, NULL));
    assert_int_equal(approve_due(house), 1);
    assert_int_equal(status_of(house, id), STATUS_VALID);
    assert_int_equal(approve_due(house), 0);
    assert_int_equal(actions(house), 1);
}

static void test_a_rule_counts_days_from_the_months_end(void **state)
{
    struct house *house = *state;
    struct inquiry inquiry;
    int64_t id;

    rule_for(house, RULE_DAYS_AFTER_MONTH, 5, MONEY_NONE);
    id = open_for(house, "A-1", NULL);
    assert_true(look(house, &house->partner, id, &inquiry));
    assert_true(inquiry.auto_approval_at ==
                date_add_days(date_end_of_month(inquiry.created_at), 5));
    inquiry_free(&inquiry);
}

static void test_limits_are_checked_again_when_due(void **state)
{
    struct house *house = *state;
    int64_t first, second;

    rule_for(house, RULE_DAYS, 3, 1000);
    first = open_for(house, "A-1", "6.00");
    second = open_for(house, "A-2", "6.00");
    assert_true(house_do(house, do_make_due, NULL, NULL));
    assert_int_equal(approve_due(house), 1);
    assert_int_equal(status_of(house, first), STATUS_VALID);
    assert_int_equal(status_of(house, second), STATUS_UNRESOLVED);
    assert_true(approval_of(house, second) == DATE_NONE); /* left to the brand */
}

static bool do_remove_rule(struct job *job, struct db *db, void *with)
{
    const struct approval_rule *rule = with;

    (void)job;
    return rule_remove(db, rule->brand, rule->id);
}

static void test_a_removed_rule_accepts_nothing(void **state)
{
    struct house *house = *state;
    struct approval_rule rule = rule_for(house, RULE_DAYS, 3, MONEY_NONE);
    int64_t id = open_for(house, "A-1", NULL);

    assert_true(house_do(house, do_remove_rule, &rule, NULL));
    assert_true(house_do(house, do_make_due, NULL, NULL));
    assert_int_equal(approve_due(house), 0);
    assert_int_equal(status_of(house, id), STATUS_UNRESOLVED);
    assert_true(approval_of(house, id) == DATE_NONE);
}

static void test_what_the_brand_declined_is_not_accepted_by_the_clock(void **state)
{
    struct house *house = *state;
    int64_t id;

    rule_for(house, RULE_DAYS, 3, MONEY_NONE);
    id = open_for(house, "A-1", NULL);
    assert_int_equal(decide_for(house, id, STEP_DECLINE), ERROR_NONE);
    assert_int_equal(step_for(house, id, STEP_REOPEN, "Please"), ERROR_NONE);
    assert_true(house_do(house, do_make_due, NULL, NULL));
    assert_int_equal(approve_due(house), 0);
    assert_int_equal(status_of(house, id), STATUS_UNRESOLVED);
}

static void test_what_the_brand_accepts_itself_is_not_in_the_rules_total(void **state)
{
    struct house *house = *state;
    int64_t first, second;

    rule_for(house, RULE_DAYS, 3, 1000);
    first = open_for(house, "A-1", "6.00");
    assert_int_equal(decide_for(house, first, STEP_ACCEPT), ERROR_NONE);
    second = open_for(house, "A-2", "6.00");
    assert_true(house_do(house, do_make_due, NULL, NULL));
    assert_int_equal(approve_due(house), 1);
    assert_int_equal(status_of(house, second), STATUS_VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_a_rule_accepts_at_once),
        IN_HOUSE(test_a_rules_total_holds),
        IN_HOUSE(test_a_rule_accepts_when_its_days_are_over),
        IN_HOUSE(test_a_rule_counts_days_from_the_months_end),
        IN_HOUSE(test_limits_are_checked_again_when_due),
        IN_HOUSE(test_a_removed_rule_accepts_nothing),
        IN_HOUSE(test_what_the_brand_declined_is_not_accepted_by_the_clock),
        IN_HOUSE(test_what_the_brand_accepts_itself_is_not_in_the_rules_total),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
