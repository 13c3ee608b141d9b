/* action_life_test.c — the table of an action's steps, each allowed and each refused, and the money
 * that they move. */
#include "base/fail.h"
#include "model/action_life.h"
#include "model/date.h"
#include "model/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = 1795459217000; /* 2026-11-23T18:40:17Z */
static const int64_t day = 86400000;

static const struct terms five_percent = { .payout_kind = PAYOUT_PERCENT,
                                           .payout = 5 * TERMS_PERCENT_UNIT,
                                           .currency = "EUR",
                                           .locking = LOCKING_EVENT,
                                           .locking_days = 30,
                                           .clearing_days = 15 };

static struct action action_by(const struct terms *terms, int64_t amount, const char *items)
{
    struct action action = { .id = 99,
                             .status = ACTION_PENDING,
                             .amount = amount,
                             .payout = MONEY_NONE,
                             .currency = "EUR",
                             .event_at = now,
                             .created_at = now,
                             .items = items != NULL ? must_copy(items) : NULL };
    memcpy(action.currency, terms != NULL ? terms->currency : "EUR", sizeof(action.currency));
    action_begin(&action, terms);
    return action;
}

/* Applies a change that is written as JSON; gives the first problem's field, "conflict", or "". */
static const char *change(struct action *action, const char *json, struct action_taken *taken)
{
    static char field[100];
    struct problems problems = { 0 };
    struct error error = { 0 };
    struct action_change wanted;
    json_t *from = json_loads(json, 0, NULL);
    assert_non_null(from);
    json_object_set_new(from, "ActionId", json_string("99"));
    action_change_read(&wanted, from, false, NULL, &problems);
    bool done = problems.count == 0 &&
                action_change_apply(&wanted, action, now + day, taken, &problems, &error);
    snprintf(field, sizeof(field), "%s",
             done                  ? ""
             : problems.count == 0 ? (error.kind == ERROR_CONFLICT ? "conflict" : "no reason")
                                   : problems.items[0].field);
    /* Parts name items by the change's own texts. */
    for (size_t i = 0; i < taken->count; i++)
        taken->parts[i].sku = *taken->parts[i].sku != '\0' ? "item" : "";
    action_change_free(&wanted);
    problems_free(&problems);
    json_decref(from);
    return field;
}

/* ---- the table ---- */

enum life { PENDING, REVERSED, APPROVED, CLEARED, LIVES };

static struct action in_life(enum life life)
{
    struct action action = action_by(&five_percent, 8990, NULL);
    struct action_taken taken = { 0 };
    if (life == REVERSED)
        assert_string_equal(change(&action, "{\"Amount\": 0}", &taken), "");
    if (life >= APPROVED)
        assert_true(action_take(&action, ACTION_LOCK, now + 30 * day, &taken, NULL));
    if (life == CLEARED)
        assert_true(action_take(&action, ACTION_CLEAR, now + 45 * day, &taken, NULL));
    return action;
}

static void test_each_step_from_each_state(void **state)
{
    static const bool allowed[LIVES][ACTION_STEPS] = {
        [PENDING] = { [ACTION_MODIFY] = true,
                      [ACTION_REVERSE] = true,
                      [ACTION_APPROVE] = true,
                      [ACTION_LOCK] = true },
        [APPROVED] = { [ACTION_CLEAR] = true },
    };
    (void)state;
    for (enum life life = PENDING; life < LIVES; life++) {
        for (int step = ACTION_TRACK; step < ACTION_STEPS; step++) {
            struct action action = in_life(life);
            struct error error = { 0 };
            bool may = action_may(&action, (enum action_step)step, &error);
            if (may != allowed[life][step])
                fail_msg("%s in state %d: %s", action_step_name((enum action_step)step), life,
                         may ? "allowed" : error.message);
            assert_int_equal(error.kind, may ? ERROR_NONE : ERROR_CONFLICT);
            action_free(&action);
        }
    }
}

static void test_each_step_has_its_event(void **state)
{
    (void)state;
    assert_string_equal(action_step_event(ACTION_TRACK), "action.tracked");
    assert_string_equal(action_step_event(ACTION_MODIFY), "action.modified");
    assert_string_equal(action_step_event(ACTION_REVERSE), "action.reversed");
    assert_string_equal(action_step_event(ACTION_APPROVE), "action.modified");
    assert_string_equal(action_step_event(ACTION_LOCK), "action.modified");
    assert_string_equal(action_step_event(ACTION_CLEAR), "action.cleared");
}

static void test_a_locked_action_says_since_when(void **state)
{
    struct action action = in_life(APPROVED);
    struct error error = { 0 };
    (void)state;
    assert_false(action_may(&action, ACTION_MODIFY, &error));
    assert_non_null(strstr(error.message, "locked since 2026-12-23T18:40:17+00:00"));
    action_free(&action);
}

static void test_the_same_step_again_is_nothing(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = in_life(PENDING);
    (void)state;
    assert_string_equal(change(&action, "{\"Amount\": \"89.9\"}", &taken), "");
    assert_int_equal(taken.count, 0);
    action_free(&action);
    action = in_life(REVERSED);
    assert_string_equal(
        change(&action, "{\"State\": \"REVERSED\", \"DispositionCode\": \"OTHER\"}", &taken), "");
    assert_int_equal(taken.count, 0);
    assert_string_equal(change(&action, "{\"Amount\": 0}", &taken), "");
    assert_int_equal(taken.count, 0);
    assert_string_equal(change(&action, "{\"Amount\": 1}", &taken), "conflict");
    assert_string_equal(change(&action, "{\"State\": \"APPROVED\"}", &taken), "conflict");
    action_free(&action);
    action = in_life(APPROVED);
    assert_string_equal(change(&action, "{\"State\": \"APPROVED\"}", &taken), "");
    assert_int_equal(taken.count, 0);
    assert_string_equal(change(&action, "{\"Amount\": \"89.90\"}", &taken), "");
    assert_string_equal(change(&action, "{\"Amount\": \"89.91\"}", &taken), "conflict");
    assert_string_equal(change(&action, "{\"Amount\": 0}", &taken), "conflict");
    action_free(&action);
}

/* ---- money ---- */

static void expect_money(const struct action *action, int64_t amount, int64_t payout,
                         int64_t delta_amount, int64_t delta_payout)
{
    assert_int_equal(action->amount, amount);
    assert_int_equal(action->payout, payout);
    assert_int_equal(action->delta_amount, delta_amount);
    assert_int_equal(action->delta_payout, delta_payout);
}

static void test_a_change_is_told_as_a_difference(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = in_life(PENDING);
    (void)state;
    expect_money(&action, 8990, 450, 8990, 450);
    assert_string_equal(change(&action, "{\"Amount\": \"59.90\"}", &taken), "");
    expect_money(&action, 5990, 300, -3000, -150);
    assert_int_equal(action.intended_amount, 8990);
    assert_int_equal(action.intended_payout, 450);
    assert_string_equal(action.disposition, "ORDER_UPDATE");
    assert_string_equal(
        change(&action, "{\"State\": \"REVERSED\", \"DispositionCode\": \"CONS_FRAUD\"}", &taken),
        "");
    expect_money(&action, 0, 0, -5990, -300);
    assert_string_equal(action.disposition, "CONS_FRAUD");
    assert_true(action.locking_at == DATE_NONE && action.clearing_at == DATE_NONE);
    action_free(&action);
}

static void test_dates_of_locking_and_clearing(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = in_life(PENDING);
    (void)state;
    assert_true(action.locking_at == now + 30 * day && action.clearing_at == now + 45 * day);
    assert_string_equal(change(&action, "{\"State\": \"APPROVED\"}", &taken), "");
    assert_true(action.locking_at == now + day && action.clearing_at == now + 16 * day);
    assert_true(action.cleared_at == DATE_NONE);
    assert_true(action_take(&action, ACTION_CLEAR, now + 17 * day, &taken, NULL));
    assert_true(action.cleared_at == now + 16 * day);
    expect_money(&action, 8990, 450, 0, 0);
    action_free(&action);
}

static void test_a_granted_payout_goes_with_the_amount(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = action_by(NULL, 12990, NULL);
    (void)state;
    action.payout = 650;
    action_begin(&action, &five_percent); /* which leave what is granted */
    assert_int_equal(action.payout, 650);
    assert_true(action.locking_at == now + 30 * day);
    assert_string_equal(change(&action, "{\"Amount\": \"64.95\"}", &taken), "");
    expect_money(&action, 6495, 325, -6495, -325);
    assert_string_equal(change(&action, "{\"Amount\": \"129.90\"}", &taken), "");
    expect_money(&action, 12990, 650, 6495, 325);
    action_free(&action);
}

static void test_a_fixed_payout_stays_until_it_is_reversed(void **state)
{
    const struct terms fixed = {
        .payout_kind = PAYOUT_FIXED, .payout = 650, .currency = "EUR", .clearing_days = TERMS_NEVER
    };
    struct action_taken taken = { 0 };
    struct action action = action_by(&fixed, MONEY_NONE, NULL);
    (void)state;
    assert_int_equal(action.payout, 650);
    assert_string_equal(change(&action, "{\"Amount\": \"10\"}", &taken), "");
    expect_money(&action, 1000, 650, 1000, 0);
    assert_string_equal(change(&action, "{\"Amount\": \"0.00\"}", &taken), "");
    expect_money(&action, 0, 0, -1000, -650);
    assert_int_equal(action.status, ACTION_REVERSED);
    action_free(&action);
}

/* ---- items ---- */

#define TWO_ITEMS                                                                                  \
    "[{\"Sku\":\"A\",\"Quantity\":\"2\",\"Amount\":\"50.00\"},"                                    \
    "{\"Sku\":\"B\",\"Amount\":\"39.90\",\"Name\":\"Boots\"}]"

static void test_items_move_the_amount(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = action_by(&five_percent, 8990, TWO_ITEMS);
    (void)state;
    assert_string_equal(change(&action,
                               "{\"Sku\": \"A\", \"Quantity\": \"1\", \"Sku2\": \"B\", "
                               "\"ItemSubTotalDelta2\": \"-9.90\", \"Reason\": \"ITEM_RETURNED\"}",
                               &taken),
                        "");
    expect_money(&action, 5500, 275, -3490, -175);
    assert_int_equal(taken.count, 2);
    assert_int_equal(taken.parts[0].delta_amount, -2500);
    assert_int_equal(taken.parts[0].quantity, 1);
    assert_int_equal(taken.parts[1].delta_amount, -990);
    assert_int_equal(taken.parts[1].quantity, -1);
    assert_int_equal(taken.parts[0].delta_payout + taken.parts[1].delta_payout, -175);
    assert_string_equal(action.items, "[{\"Sku\":\"A\",\"Quantity\":\"1\",\"Amount\":\"25.00\"},"
                                      "{\"Sku\":\"B\",\"Amount\":\"30.00\",\"Name\":\"Boots\"}]");
    assert_string_equal(change(&action,
                               "{\"Sku1\": \"A\", \"Quantity1\": 0, \"Sku2\": \"B\", "
                               "\"Quantity2\": 0}",
                               &taken),
                        "");
    expect_money(&action, 0, 0, -5500, -275);
    assert_int_equal(action.status, ACTION_REVERSED);
    action_free(&action);
}

static void test_wrong_items_leave_all_as_it_was(void **state)
{
    static const struct {
        const char *json, *wrong;
    } rows[] = {
        { "{\"Sku\": \"A\", \"Quantity\": 1, \"Sku2\": \"C\", \"Quantity2\": 1}", "Sku" },
        { "{\"Sku\": \"A\", \"ItemSubTotalDelta\": \"-50.01\"}", "ItemSubTotalDelta" },
        { "{\"Sku\": \"A\", \"ItemSubTotalDelta\": \"1.005\"}", "ItemSubTotalDelta" },
        { "{\"Sku\": \"A\", \"ItemSubTotalDelta\": \"4999999\"}", "ItemSubTotalDelta" },
        { "{\"Sku\": \"A\", \"Quantity\": \"-1\"}", "Quantity" },
        { "{\"Sku\": \"A\"}", "Sku" },
        { "{\"Quantity\": \"1\"}", "Sku" },
        { "{\"Sku\": \"A\", \"Quantity\": 1, \"Sku2\": \"A\", \"Quantity2\": 1}", "Sku" },
        { "{\"Sku\": \"A\", \"Quantity\": 1, \"Amount\": \"3\"}", "Amount" },
        { "{\"Sku\": \"A\", \"Quantity\": 1, \"State\": \"APPROVED\"}", "Sku" },
        { "{\"Sku101\": \"A\", \"Quantity101\": 1}", "Sku101" },
        { "{\"Sku0\": \"A\", \"Amount\": 1}", "Sku0" },
        { "{}", "Amount" },
        { "{\"Amount\": \"-1\"}", "Amount" },
        { "{\"Amount\": \"5000000.01\"}", "Amount" },
        { "{\"Amount\": \"1\", \"Reason\": \"BECAUSE\"}", "Reason" },
        { "{\"Amount\": \"1\", \"Reason\": \"OTHER\", \"DispositionCode\": \"REJECTED\"}",
          "Reason" },
        { "{\"State\": \"REVERSED\"}", "DispositionCode" },
        { "{\"State\": \"REVERSED\", \"Reason\": \"ORDER_UPDATE\"}", "Reason" },
        { "{\"State\": \"GONE\", \"Amount\": 1}", "State" },
        { "{\"Ammount\": \"1\"}", "Ammount" },
    };
    struct action_taken taken = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct action action = action_by(&five_percent, 8990, TWO_ITEMS);
        taken.count = 0;
        assert_string_equal(change(&action, rows[i].json, &taken), rows[i].wrong);
        assert_string_equal(action.items, TWO_ITEMS);
        assert_int_equal(taken.count, 0);
        expect_money(&action, 8990, 450, 8990, 450);
        action_free(&action);
    }
}

static void test_items_of_a_locked_action_stay(void **state)
{
    struct action_taken taken = { 0 };
    struct action action = action_by(&five_percent, 8990, TWO_ITEMS);
    (void)state;
    assert_true(action_take(&action, ACTION_APPROVE, now, &taken, NULL));
    taken.count = 0;
    assert_string_equal(change(&action, "{\"Sku\": \"A\", \"Quantity\": 2}", &taken), "");
    assert_string_equal(change(&action, "{\"Sku\": \"A\", \"Quantity\": 1}", &taken), "conflict");
    assert_int_equal(taken.count, 0);
    assert_string_equal(action.items, TWO_ITEMS);
    assert_int_equal(action.amount, 8990);
    action_free(&action);
}

/* ---- random histories ---- */

static uint64_t seed = 20261130;

static int64_t any(int64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((seed >> 33) % (uint64_t)below);
}

static struct terms any_terms(const char *currency)
{
    struct terms terms = { .payout_kind = any(2) == 0 ? PAYOUT_PERCENT : PAYOUT_FIXED,
                           .locking = LOCKING_EVENT,
                           .locking_days = 30,
                           .clearing_days = 15 };
    terms.payout = any(terms.payout_kind == PAYOUT_PERCENT ? TERMS_PERCENT_MOST : 100000);
    memcpy(terms.currency, currency, sizeof(terms.currency));
    return terms;
}

static void any_change(char *json, size_t size, const char *currency)
{
    char amount[MONEY_TEXT];
    int64_t kind = any(20);
    money_format(amount, any(kind == 0 ? 1 : 1000000), currency);
    if (kind < 8)
        snprintf(json, size, "{\"Amount\": \"%s\"}", amount);
    else if (kind < 14)
        snprintf(json, size, "{\"Sku\": \"%c\", \"Quantity\": %d}", 'A' + (int)any(3), (int)any(9));
    else if (kind < 18)
        snprintf(json, size,
                 "{\"Sku\": \"A\", \"ItemSubTotalDelta\": \"%s%s\", \"Sku2\": \"B\", "
                 "\"Quantity2\": %d}",
                 any(2) == 0 ? "-" : "", amount, (int)any(9));
    else if (kind == 18)
        snprintf(json, size, "{\"State\": \"REVERSED\", \"DispositionCode\": \"OTHER\"}");
    else
        snprintf(json, size, "{\"State\": \"APPROVED\"}");
}

struct sums {
    int64_t amount, payout;
};

static void add_parts(struct sums *sums, const struct action *action,
                      const struct action_taken *taken)
{
    struct sums step = { 0, 0 };
    for (size_t i = 0; i < taken->count; i++) {
        step.amount += taken->parts[i].delta_amount;
        step.payout += taken->parts[i].delta_payout;
    }
    if (taken->count > 0) {
        assert_int_equal(step.amount, action->delta_amount);
        assert_int_equal(step.payout, action->delta_payout);
    }
    sums->amount += step.amount;
    sums->payout += step.payout;
}

static void test_the_deltas_of_any_history_add_up(void **state)
{
    static const char *const currencies[] = { "JPY", "EUR", "KWD" }; /* 0, 2, 3 decimals */
    int64_t steps = 0;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        const char *currency = currencies[round % 3];
        struct terms terms = any_terms(currency);
        struct action action =
            action_by(any(4) > 0 ? &terms : NULL, any(10) == 0 ? MONEY_NONE : any(1000000), NULL);
        memcpy(action.currency, currency, sizeof(action.currency));
        if (any(3) == 0)
            action.payout = any(100000);
        action_begin(&action, &terms);
        action.items = must_copy("[{\"Sku\":\"A\",\"Quantity\":\"3\",\"Amount\":\"999\"},"
                                 "{\"Sku\":\"B\",\"Quantity\":\"7\",\"Amount\":\"100\"},"
                                 "{\"Sku\":\"C\",\"Amount\":\"1\"}]");
        const struct action first = action;
        struct sums sums = { 0, 0 };
        for (int i = 0; i < 12; i++) {
            char json[200];
            struct action_taken taken = { 0 };
            any_change(json, sizeof(json), currency);
            change(&action, json, &taken);
            add_parts(&sums, &action, &taken);
            steps += taken.count > 0;
            assert_true(action.amount == MONEY_NONE || action.amount >= 0);
            assert_true(action.payout == MONEY_NONE || action.payout >= 0);
            assert_int_equal(action.intended_amount, first.intended_amount);
        }
        assert_int_equal(sums.amount, (action.amount == MONEY_NONE ? 0 : action.amount) -
                                          (first.amount == MONEY_NONE ? 0 : first.amount));
        assert_int_equal(sums.payout, (action.payout == MONEY_NONE ? 0 : action.payout) -
                                          (first.payout == MONEY_NONE ? 0 : first.payout));
        action_free(&action);
    }
    assert_true(steps > 5000); /* it was about something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_step_from_each_state),
        cmocka_unit_test(test_each_step_has_its_event),
        cmocka_unit_test(test_a_locked_action_says_since_when),
        cmocka_unit_test(test_the_same_step_again_is_nothing),
        cmocka_unit_test(test_a_change_is_told_as_a_difference),
        cmocka_unit_test(test_dates_of_locking_and_clearing),
        cmocka_unit_test(test_a_granted_payout_goes_with_the_amount),
        cmocka_unit_test(test_a_fixed_payout_stays_until_it_is_reversed),
        cmocka_unit_test(test_items_move_the_amount),
        cmocka_unit_test(test_wrong_items_leave_all_as_it_was),
        cmocka_unit_test(test_items_of_a_locked_action_stay),
        cmocka_unit_test(test_the_deltas_of_any_history_add_up),
    };
    return cmocka_run_group_tests_name("action_life", tests, NULL, NULL);
}
