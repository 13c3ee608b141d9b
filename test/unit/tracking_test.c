/* tracking_test.c — campaigns' tracking tokens, and actions found again by their order. */
#include "store/tracking.h"

#include "house.h"
#include "store/actions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void hash_of(unsigned char hash[TOKEN_HASH_BYTES], int number)
{
    char token[32];
    snprintf(token, sizeof(token), "pbt_%d", number);
    token_hash(hash, token);
}

static bool tokens(struct job *job, struct db *db, void *with)
{
    struct house *house = with;
    unsigned char hash[TOKEN_HASH_BYTES], other[TOKEN_HASH_BYTES];
    (void)job;
    hash_of(hash, 1);
    hash_of(other, 2);
    int64_t id = tracking_token_add(db, house->campaign, "shop", hash);
    assert_true(id > 0);
    assert_true(tracking_token_is(db, house->campaign, hash));
    assert_false(tracking_token_is(db, house->other_campaign, hash));
    assert_false(tracking_token_is(db, house->campaign, other));
    assert_false(tracking_token_revoke(db, house->other_campaign, id));
    assert_true(tracking_token_revoke(db, house->campaign, id));
    assert_false(tracking_token_revoke(db, house->campaign, id));
    assert_false(tracking_token_is(db, house->campaign, hash));
    json_t *list = tracking_token_list(db, house->campaign);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    return true;
}

static void test_a_token_is_its_campaigns_until_it_is_revoked(void **state)
{
    assert_true(house_do(*state, tokens, *state, NULL));
}

static bool many_tokens(struct job *job, struct db *db, void *with)
{
    struct house *house = with;
    unsigned char hash[TOKEN_HASH_BYTES];
    int64_t first = 0;
    (void)job;
    for (int i = 0; i < TRACKING_TOKENS_MAX; i++) {
        hash_of(hash, i);
        int64_t id = tracking_token_add(db, house->campaign, NULL, hash);
        assert_true(id > 0);
        first = first != 0 ? first : id;
    }
    hash_of(hash, TRACKING_TOKENS_MAX);
    assert_int_equal(tracking_token_add(db, house->campaign, NULL, hash), 0);
    assert_true(tracking_token_revoke(db, house->campaign, first));
    assert_true(tracking_token_add(db, house->campaign, NULL, hash) > 0);
    return true;
}

static void test_a_campaign_has_so_many_tokens(void **state)
{
    assert_true(house_do(*state, many_tokens, *state, NULL));
}

static bool track(struct job *job, struct db *db, void *with)
{
    struct house *house = with;
    struct action action = { .partner = house->partner.account,
                             .brand = house->brand.account,
                             .campaign = house->campaign,
                             .tracker = house->tracker,
                             .order_id = must_copy("A-1"),
                             .sub_ids[1] = must_copy("two"),
                             .status = ACTION_PENDING,
                             .currency = "EUR",
                             .amount = 1000,
                             .payout = MONEY_NONE,
                             .referring_type = "POSTBACK" };
    assert_int_equal(action_of_order(db, house->tracker, "A-1"), 0);
    assert_true(action_track(job, db, &action));
    assert_int_equal(action_of_order(db, house->tracker, "A-1"), action.id);
    assert_int_equal(action_of_order(db, house->tracker, "a-1"), 0);
    assert_int_equal(action_of_order(db, house->other_tracker, "A-1"), 0);
    struct stmt *find = db_prepare(db, "SELECT sub_id1, sub_id2, shared_id FROM action");
    assert_int_equal(db_step(find), DB_ROW);
    assert_string_equal(db_text(find, 0), "");
    assert_string_equal(db_text(find, 1), "two");
    assert_string_equal(db_text(find, 2), "");
    db_finish(find);
    action_free(&action);
    return true;
}

static void test_an_action_is_found_by_its_order(void **state)
{
    assert_true(house_do(*state, track, *state, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_token_is_its_campaigns_until_it_is_revoked),
        TEST(test_a_campaign_has_so_many_tokens),
        TEST(test_an_action_is_found_by_its_order),
    };
    return cmocka_run_group_tests_name("tracking", tests, NULL, NULL);
}
