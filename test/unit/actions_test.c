/* actions_test.c — actions on disk: terms, steps, their updates and events, what time does. */
#include "store/actions.h"

#include "inquiry_house.h"
#include "model/money.h"
#include "store/action_updates.h"
#include "store/terms.h"

/* ---- what is done ---- */

struct selling {
    struct house *house;
    const struct caller *brand;
    const char *order, *items;
    int64_t amount, id;
};

static bool do_sell(struct job *job, struct db *db, void *with)
{
    struct selling *mine = with;
    struct house *house = mine->house;
    struct action action = { .partner = house->partner.account,
                             .brand = mine->brand->account,
                             .campaign = house->campaign,
                             .tracker = house->tracker,
                             .campaign_name = must_copy("Acme shop"),
                             .partner_name = must_copy("Blog"),
                             .tracker_name = must_copy("Online sale"),
                             .order_id = must_copy(mine->order),
                             .items = mine->items != NULL ? must_copy(mine->items) : NULL,
                             .status = ACTION_PENDING,
                             .currency = "EUR",
                             .amount = mine->amount,
                             .payout = MONEY_NONE,
                             .referring_type = "DATAPOST",
                             .event_at = db_now(db),
                             .created_at = db_now(db) };
    bool made = action_track(job, db, &action);

    mine->id = action.id;
    action_free(&action);
    return made;
}

static int64_t sell(struct house *house, const char *order, int64_t amount, const char *items)
{
    struct selling mine = { house, &house->brand, order, items, amount, 0 };

    assert_true(house_do(house, do_sell, &mine, NULL));
    return mine.id;
}

struct changing {
    const struct caller *brand;
    const char *json;
    int64_t id;
    enum action_step step;
};

static bool do_change(struct job *job, struct db *db, void *with)
{
    struct changing *mine = with;
    struct problems problems = { 0 };
    struct action_change change;
    json_t *from = json_loads(mine->json, 0, NULL);
    bool done;

    assert_non_null(from);
    action_change_read(&change, from, false, NULL, &problems);
    assert_int_equal(problems.count, 0);
    done = action_change(job, db, mine->brand, &change, &problems, &mine->id, &mine->step);
    action_change_free(&change);
    problems_free(&problems);
    json_decref(from);
    return done;
}

/* Gives the step that was taken, 0: none, or below 0 the refusal. */
static int change(struct house *house, const struct caller *brand, const char *wanted, int64_t id)
{
    char json[300];
    struct changing mine = { .brand = brand, .json = json };
    struct error error;

    snprintf(json, sizeof(json), "{\"ActionId\": %" PRId64 ", %s}", id, wanted);
    if (!house_do(house, do_change, &mine, &error))
        return -(int)error.kind;
    assert_int_equal(mine.id, id);
    return (int)mine.step;
}

static bool do_add_terms(struct job *job, struct db *db, void *with)
{
    (void)job;
    return terms_add(db, with);
}

static void five_percent(struct house *house, int64_t partner, int64_t from_at, int days)
{
    struct terms terms = { .tracker = house->tracker,
                           .partner = partner,
                           .payout_kind = PAYOUT_PERCENT,
                           .payout = 5 * TERMS_PERCENT_UNIT,
                           .locking = LOCKING_EVENT,
                           .locking_days = days,
                           .clearing_days = days,
                           .from_at = from_at };

    assert_true(house_do(house, do_add_terms, &terms, NULL));
}

/* ---- what is seen ---- */

struct asked {
    const char *sql;
    int64_t id, answer;
};

static bool do_ask(struct job *job, struct db *db, void *with)
{
    struct asked *mine = with;
    struct stmt *find = db_prepare_once(db, mine->sql);

    (void)job;
    db_bind_int(find, 1, mine->id);
    mine->answer = db_number(find, 0);
    return true;
}

static int64_t number(struct house *house, const char *sql, int64_t id)
{
    struct asked mine = { .sql = sql, .id = id };

    assert_true(house_do(house, do_ask, &mine, NULL));
    return mine.answer;
}

static int64_t updates(struct house *house, int64_t id)
{
    return number(house, "SELECT count(*) FROM action_update WHERE action = ?", id);
}

static int64_t events(struct house *house, int64_t account)
{
    return number(house, "SELECT count(*) FROM event WHERE account = ?", account);
}

/* The deltas of its updates are its amount and its payout. */
static void expect_sums(struct house *house, int64_t id)
{
    assert_int_equal(
        number(house, "SELECT sum(delta_amount) FROM action_update WHERE action = ?", id),
        number(house, "SELECT coalesce(amount, 0) FROM action WHERE id = ?", id));
    assert_int_equal(
        number(house, "SELECT sum(delta_payout) FROM action_update WHERE action = ?", id),
        number(house, "SELECT coalesce(payout, 0) FROM action WHERE id = ?", id));
}

struct last_event {
    int64_t account;
    json_t *data;
    char type[40];
};

static bool do_last_event(struct job *job, struct db *db, void *with)
{
    struct last_event *mine = with;
    struct stmt *find = db_prepare(db, "SELECT type, data FROM event WHERE account = ? "
                                       "ORDER BY id DESC LIMIT 1");

    (void)job;
    db_bind_int(find, 1, mine->account);
    if (db_step(find) == DB_ROW) {
        snprintf(mine->type, sizeof(mine->type), "%s",
                 catalog_type_numbered((int)db_int(find, 0))->name);
        mine->data = json_loads(db_text(find, 1), 0, NULL);
    }
    db_finish(find);
    return true;
}

/* Both accounts have been told the same, last. */
static void expect_told(struct house *house, const char *type, const char *status,
                        const char *delta_amount, const char *delta_payout)
{
    const int64_t accounts[] = { house->partner.account, house->brand.account };

    for (int i = 0; i < 2; i++) {
        struct last_event mine = { .account = accounts[i] };
        assert_true(house_do(house, do_last_event, &mine, NULL));
        assert_string_equal(mine.type, type);
        assert_string_equal(member(mine.data, "Status"), status);
        assert_string_equal(member(mine.data, "DeltaAmount"), delta_amount);
        assert_string_equal(member(mine.data, "DeltaPayout"), delta_payout);
        json_decref(mine.data);
    }
}

/* ---- tests ---- */

static void test_a_conversion_is_paid_by_the_terms(void **state)
{
    struct house *house = *state;
    int64_t before, id;

    before = sell(house, "A-0", 8990, NULL);
    five_percent(house, 0, 1, 30);
    id = sell(house, "A-1", 8990, NULL);
    expect_told(house, "action.tracked", "PENDING", "89.90", "4.50");
    assert_int_equal(number(house, "SELECT payout FROM action WHERE id = ?", id), 450);
    assert_int_equal(
        number(house, "SELECT locking_at - event_at FROM action WHERE id = ?", id) / 86400000, 30);
    assert_int_equal(
        number(house, "SELECT clearing_at - event_at FROM action WHERE id = ?", id) / 86400000, 60);
    /* those that are there go on without */
    assert_int_equal(number(house, "SELECT coalesce(payout, -1) FROM action WHERE id = ?", before),
                     -1);
    assert_int_equal(
        number(house, "SELECT coalesce(locking_at, -1) FROM action WHERE id = ?", before), -1);
    expect_sums(house, id);
    expect_sums(house, before);
}

struct force {
    struct house *house;
    int64_t partner, event_at, id;
};

static bool do_find_terms(struct job *job, struct db *db, void *with)
{
    struct force *mine = with;
    struct terms terms;

    (void)job;
    mine->id = 0;
    if (terms_in_force(db, mine->house->tracker, mine->partner, mine->event_at, &terms))
        mine->id = terms.locking_days;
    return true;
}

/* The days of the terms that are in force, by which the test knows them. */
static int64_t in_force(struct house *house, int64_t partner, int64_t event_at)
{
    struct force mine = { house, partner, event_at, 0 };

    assert_true(house_do(house, do_find_terms, &mine, NULL));
    return mine.id;
}

static void test_the_partners_own_terms_go_first_and_the_latest_of_them(void **state)
{
    struct house *house = *state;
    int64_t partner = house->partner.account, other = house->other_partner.account;
    struct terms same = { .tracker = house->tracker,
                          .payout_kind = PAYOUT_FIXED,
                          .clearing_days = TERMS_NEVER,
                          .from_at = 100 };

    five_percent(house, 0, 100, 1);
    five_percent(house, 0, 200, 2);
    five_percent(house, partner, 150, 3);
    assert_int_equal(in_force(house, partner, 99), 0);
    assert_int_equal(in_force(house, partner, 100), 1);
    assert_int_equal(in_force(house, partner, 150), 3);
    assert_int_equal(in_force(house, partner, 250), 3);
    assert_int_equal(in_force(house, other, 199), 1);
    assert_int_equal(in_force(house, other, 200), 2);
    assert_false(house_do(house, do_add_terms, &same, NULL)); /* there are such ones */
}

static void test_each_step_has_its_row_and_its_events(void **state)
{
    struct house *house = *state;
    const struct caller *brand = &house->brand;
    int64_t id, told;

    five_percent(house, 0, 1, 30);
    id = sell(house, "A-1", 8990, NULL);
    assert_int_equal(updates(house, id), 1);
    assert_int_equal(change(house, brand, "\"Amount\": \"59.90\"", id), ACTION_MODIFY);
    expect_told(house, "action.modified", "PENDING", "-30.00", "-1.50");
    told = events(house, house->partner.account);
    assert_int_equal(change(house, brand, "\"Amount\": \"59.90\"", id), 0);
    assert_int_equal(updates(house, id), 2);
    assert_int_equal(events(house, house->partner.account), told);
    assert_int_equal(change(house, brand, "\"State\": \"APPROVED\"", id), ACTION_APPROVE);
    expect_told(house, "action.modified", "APPROVED", "0.00", "0.00");
    assert_int_equal(change(house, brand, "\"Amount\": \"1\"", id), -ERROR_CONFLICT);
    assert_int_equal(updates(house, id), 3);
    expect_sums(house, id);
}

static void test_a_reversal_takes_all_back(void **state)
{
    struct house *house = *state;
    int64_t id, zero;

    five_percent(house, 0, 1, 30);
    id = sell(house, "A-1", 8990, NULL);
    zero = sell(house, "A-2", 1000, NULL);
    assert_int_equal(change(house, &house->brand,
                            "\"State\": \"REVERSED\", \"DispositionCode\": \"CONS_FRAUD\"", id),
                     ACTION_REVERSE);
    expect_told(house, "action.reversed", "REVERSED", "-89.90", "-4.50");
    assert_int_equal(change(house, &house->brand, "\"Amount\": 0", zero), ACTION_REVERSE);
    expect_told(house, "action.reversed", "REVERSED", "-10.00", "-0.50");
    expect_sums(house, id);
    expect_sums(house, zero);
}

static void test_items_have_a_row_each_and_one_event(void **state)
{
    struct house *house = *state;
    static const char *const less = "\"Sku\": \"A\", \"ItemSubTotalDelta\": \"-10\", "
                                    "\"Sku2\": \"B\", \"Quantity2\": 0";
    int64_t id, told;

    five_percent(house, 0, 1, 30);
    id = sell(house, "A-1", 8990,
              "[{\"Sku\":\"A\",\"Amount\":\"50.00\"},{\"Sku\":\"B\",\"Quantity\":\"1\","
              "\"Amount\":\"39.90\"}]");
    told = events(house, house->brand.account);
    assert_int_equal(change(house, &house->brand, less, id), ACTION_MODIFY);
    expect_told(house, "action.modified", "PENDING", "-49.90", "-2.50");
    assert_int_equal(updates(house, id), 3);
    assert_int_equal(events(house, house->brand.account), told + 1);
    assert_int_equal(number(house, /* the first row alone leads to them */
                            "SELECT count(partner_event) + count(brand_event) FROM action_update "
                            "WHERE action = ?",
                            id),
                     4);
    assert_int_equal(change(house, &house->brand, less, id), 0); /* the same once more */
    assert_int_equal(updates(house, id), 3);
    assert_int_equal(
        change(house, &house->brand, "\"Sku\": \"A\", \"ItemSubTotalDelta\": \"-5\"", id),
        ACTION_MODIFY);
    expect_sums(house, id);
}

static void test_another_brand_finds_nothing(void **state)
{
    struct house *house = *state;
    int64_t id = sell(house, "A-1", 8990, NULL);
    const char *cheaper = "\"Amount\": \"1\"";

    assert_int_equal(change(house, &house->other_brand, cheaper, id), -ERROR_NOT_FOUND);
    assert_int_equal(change(house, &house->partner, cheaper, id), -ERROR_NOT_FOUND);
    assert_int_equal(updates(house, id), 1);
}

static void test_tracker_and_order_are_a_key_too(void **state)
{
    struct house *house = *state;
    int64_t id = sell(house, "A-1", 8990, NULL);
    char json[200];
    struct changing mine = { .brand = &house->brand, .json = json };
    struct error error;

    snprintf(json, sizeof(json),
             "{\"ActionTrackerId\": %" PRId64 ", \"OrderId\": \"A-1\", \"Amount\": 5}",
             house->tracker);
    assert_true(house_do(house, do_change, &mine, NULL));
    assert_int_equal(mine.id, id);
    snprintf(json, sizeof(json), "{\"ActionId\": %" PRId64 ", \"OrderId\": \"A-2\", \"Amount\": 6}",
             id);
    assert_false(house_do(house, do_change, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    mine.brand = &house->other_brand;
    snprintf(json, sizeof(json),
             "{\"ActionTrackerId\": %" PRId64 ", \"OrderId\": \"A-1\", \"Amount\": 7}",
             house->tracker);
    assert_false(house_do(house, do_change, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_int_equal(number(house, "SELECT amount FROM action WHERE id = ?", id), 500);
}

static void test_an_accepted_inquiry_is_paid_by_the_terms(void **state)
{
    struct house *house = *state;
    struct inquiry inquiry;
    int64_t asked, granted;

    five_percent(house, 0, 1, 30);
    asked = open_for(house, "A-1", "9.99");
    assert_int_equal(decide_for(house, asked, STEP_ACCEPT), ERROR_NONE);
    assert_true(look(house, &house->brand, asked, &inquiry));
    assert_int_equal(inquiry.final_payout, 250); /* 5 % of 49.90 */
    assert_int_equal(number(house, "SELECT payout FROM action WHERE id = ?", inquiry.action), 250);
    assert_int_equal(number(house, "SELECT payout_kind FROM action WHERE id = ?", inquiry.action),
                     PAYOUT_PERCENT);
    inquiry_free(&inquiry);

    struct deciding mine = { .brand = &house->brand };
    granted = open_for(house, "A-2", "9.99");
    mine = decision_of(house, granted, STEP_ACCEPT);
    mine.resolution.final_payout = must_copy("7");
    assert_true(house_do(house, do_decide, &mine, NULL));
    free(mine.resolution.final_payout);
    assert_true(look(house, &house->brand, granted, &inquiry));
    assert_int_equal(inquiry.final_payout, 700);
    assert_int_equal(number(house, "SELECT payout FROM action WHERE id = ?", inquiry.action), 700);
    assert_true(number(house, "SELECT locking_at FROM action WHERE id = ?", inquiry.action) > 0);
    inquiry_free(&inquiry);
}

static void test_each_account_is_told_of_its_own_customer(void **state)
{
    struct house *house = *state;
    const struct {
        int64_t account;
        const char *customer;
    } sides[] = { { house->partner.account, "c-77" }, { house->brand.account, "B-1" } };
    struct deciding mine = decision_of(house, open_for(house, "A-1", "9.99"), STEP_ACCEPT);
    struct inquiry inquiry;

    mine.resolution.customer_id = must_copy("B-1");
    assert_true(house_do(house, do_decide, &mine, NULL));
    free(mine.resolution.customer_id);
    assert_true(look(house, &house->brand, mine.resolution.id, &inquiry));
    assert_int_equal(change(house, &house->brand, "\"Amount\": 5", inquiry.action), ACTION_MODIFY);
    inquiry_free(&inquiry);
    for (int i = 0; i < 2; i++) {
        struct last_event last = { .account = sides[i].account };
        assert_true(house_do(house, do_last_event, &last, NULL));
        assert_string_equal(last.type, "action.modified");
        assert_string_equal(member(last.data, "CustomerId"), sides[i].customer);
        json_decref(last.data);
    }
}

/* ---- time ---- */

struct due {
    enum action_step step;
    int64_t brand;
    int limit, count;
};

static bool do_step_due(struct job *job, struct db *db, void *with)
{
    struct due *mine = with;

    mine->count = action_step_due(job, db, mine->step, &mine->brand, mine->limit);
    return true;
}

static int step_due(struct house *house, enum action_step step, int limit)
{
    struct due mine = { .step = step, .limit = limit };

    assert_true(house_do(house, do_step_due, &mine, NULL));
    return mine.count;
}

static bool do_make_due(struct job *job, struct db *db, void *with)
{
    (void)job;
    db_run(db, db_prepare(db, with));
    return true;
}

static void test_time_locks_and_clears(void **state)
{
    struct house *house = *state;
    int64_t id;

    sell(house, "A-0", 500, NULL); /* without terms: never */
    five_percent(house, 0, 1, 30);
    id = sell(house, "A-1", 8990, NULL);
    assert_int_equal(step_due(house, ACTION_LOCK, 10), 0);
    assert_true(house_do(house, do_make_due,
                         "UPDATE action SET locking_at = 1000, "
                         "clearing_at = 2000 WHERE locking_at IS NOT NULL",
                         NULL));
    assert_int_equal(step_due(house, ACTION_CLEAR, 10), 0); /* not locked yet */
    assert_int_equal(step_due(house, ACTION_LOCK, 10), 1);
    expect_told(house, "action.modified", "APPROVED", "0.00", "0.00");
    assert_int_equal(number(house, "SELECT locking_at FROM action WHERE id = ?", id), 1000);
    assert_int_equal(step_due(house, ACTION_LOCK, 10), 0);
    assert_int_equal(step_due(house, ACTION_CLEAR, 10), 1);
    expect_told(house, "action.cleared", "APPROVED", "0.00", "0.00");
    assert_int_equal(step_due(house, ACTION_CLEAR, 10), 0);
    assert_int_equal(number(house, "SELECT cleared_at FROM action WHERE id = ?", id), 2000);
    assert_int_equal(updates(house, id), 3);
    expect_sums(house, id);
}

static void test_a_step_of_time_is_small_and_goes_on(void **state)
{
    struct house *house = *state;
    struct due mine = { .step = ACTION_LOCK, .limit = 2 };
    char order[20];

    five_percent(house, 0, 1, 30);
    for (int i = 0; i < 5; i++) {
        snprintf(order, sizeof(order), "A-%d", i);
        sell(house, order, 100, NULL);
    }
    assert_true(house_do(house, do_make_due, "UPDATE action SET locking_at = 5 + id", NULL));
    static const int counts[] = { 2, 2, 1, 0 };
    for (size_t i = 0; i < 4; i++) {
        assert_true(house_do(house, do_step_due, &mine, NULL));
        assert_int_equal(mine.count, counts[i]);
        assert_true(mine.brand == (counts[i] > 0 ? house->brand.account : 0));
    }
}

static void test_brands_take_turns(void **state)
{
    struct house *house = *state;
    const int64_t first = house->brand.account, other = house->other_brand.account;
    struct due mine = { .step = ACTION_LOCK, .limit = 2 };
    char order[20];

    for (int i = 0; i < 10; i++) { /* the first brand has all that is due the longest */
        snprintf(order, sizeof(order), "A-%d", i);
        struct selling one = { house, i < 6 ? &house->brand : &house->other_brand, order, NULL, 100,
                               0 };
        assert_true(house_do(house, do_sell, &one, NULL));
    }
    assert_true(house_do(house, do_make_due, "UPDATE action SET locking_at = 5 + id", NULL));
    const int64_t turns[] = { first, other, first, other, first, 0 };
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        assert_true(house_do(house, do_step_due, &mine, NULL));
        assert_int_equal(mine.brand, turns[i]);
    }
}

static bool do_list_updates(struct job *job, struct db *db, void *with)
{
    struct house *house = with;
    const struct action_update_filter all = { .created_from = DATE_NONE,
                                              .created_until = DATE_NONE,
                                              .event_from = DATE_NONE,
                                              .event_until = DATE_NONE,
                                              .locking_from = DATE_NONE,
                                              .locking_until = DATE_NONE,
                                              .page = 1,
                                              .page_size = 10 };
    struct id_list ids = { 0 };
    int64_t total, id;
    (void)job;
    action_update_ids(db, &house->other_partner, &all, &ids, &total);
    assert_int_equal(total, 0);
    action_update_ids(db, &house->partner, &all, &ids, &total);
    assert_int_equal(total, 2);
    assert_true(id_list_next(&ids, &id));
    assert_null(action_update_find(db, &house->other_partner, id));
    json_t *shown = action_update_find(db, &house->partner, id);
    assert_string_equal(member(shown, "StateDetail"), "MODIFIED");
    assert_string_equal(member(shown, "Disposition"), "ORDER_UPDATE");
    assert_string_equal(member(shown, "DeltaAmount"), "-39.90");
    json_decref(shown);
    id_list_free(&ids);
    return true;
}

static void test_updates_are_their_accounts_alone(void **state)
{
    struct house *house = *state;
    int64_t id = sell(house, "A-1", 8990, NULL);

    assert_int_equal(change(house, &house->brand, "\"Amount\": 50", id), ACTION_MODIFY);
    assert_true(house_do(house, do_list_updates, house, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_a_conversion_is_paid_by_the_terms),
        IN_HOUSE(test_the_partners_own_terms_go_first_and_the_latest_of_them),
        IN_HOUSE(test_each_step_has_its_row_and_its_events),
        IN_HOUSE(test_a_reversal_takes_all_back),
        IN_HOUSE(test_items_have_a_row_each_and_one_event),
        IN_HOUSE(test_another_brand_finds_nothing),
        IN_HOUSE(test_tracker_and_order_are_a_key_too),
        IN_HOUSE(test_an_accepted_inquiry_is_paid_by_the_terms),
        IN_HOUSE(test_each_account_is_told_of_its_own_customer),
        IN_HOUSE(test_time_locks_and_clears),
        IN_HOUSE(test_a_step_of_time_is_small_and_goes_on),
        IN_HOUSE(test_brands_take_turns),
        IN_HOUSE(test_updates_are_their_accounts_alone),
    };
    return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
