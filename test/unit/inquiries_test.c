/* inquiries_test.c — the steps of an inquiry's life with the events they fire, on a real
 * database. */
#include "inquiry_house.h"

/* ---- opening ---- */

static void test_an_opened_inquiry_is_seen_by_both_sides(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", "4.99");
    struct inquiry inquiry;

    assert_true(look(house, &house->partner, id, &inquiry));
    assert_int_equal(inquiry.status, STATUS_UNRESOLVED);
    assert_int_equal(inquiry.state, INQUIRY_OPEN);
    assert_string_equal(inquiry.order_id, "A-1");
    assert_string_equal(inquiry.campaign_name, "Acme shop");
    assert_string_equal(inquiry.partner_name, "Blog");
    assert_string_equal(inquiry.brand_sid, house->brand.sid);
    assert_int_equal(inquiry.amount, 4990);
    assert_int_equal(inquiry.expected_payout, 499);
    assert_string_equal(inquiry.currency, "EUR");
    assert_true(inquiry.auto_approval_at == DATE_NONE);
    inquiry_free(&inquiry);
    assert_true(look(house, &house->brand, id, &inquiry));
    inquiry_free(&inquiry);
    assert_false(look(house, &house->other_partner, id, &inquiry));
    assert_false(look(house, &house->other_brand, id, &inquiry));
    assert_false(look(house, &house->operator, id, &inquiry));
}

static void test_opening_fires_an_event_for_each_side_in_its_own_view(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", "4.99");
    json_t *data;

    expect_events(house, house->partner.account, id, "action_inquiry.opened");
    expect_events(house, house->brand.account, id, "action_inquiry.opened");
    expect_events(house, house->other_brand.account, id, "");
    data = last_event(house, house->partner.account, id);
    assert_string_equal(member(data, "InquiryNotes"), "for our eyes");
    assert_string_equal(member(data, "CustomerId"), "c-77");
    assert_string_equal(member(data, "TransactionAmount"), "49.90");
    json_decref(data);
    data = last_event(house, house->brand.account, id);
    assert_string_not_equal(member(data, "InquiryNotes"), "for our eyes");
    assert_string_not_equal(member(data, "CustomerId"), "c-77");
    assert_string_equal(member(data, "MediaPartnerName"), "Blog");
    json_decref(data);
}

static void test_strangers_learn_nothing_of_a_campaign(void **state)
{
    struct house *house = *state;
    struct opening stranger = { .partner = &house->other_partner,
                                .campaign = house->campaign,
                                .order = "A-1" };
    struct opening nowhere = { .partner = &house->partner, .campaign = 999, .order = "A-1" };
    struct error first, second;

    assert_false(house_do(house, do_open, &stranger, &first));
    assert_false(house_do(house, do_open, &nowhere, &second));
    assert_int_equal(first.kind, ERROR_INVALID);
    assert_string_equal(stranger.field, "CampaignId");
    assert_string_equal(stranger.problem, "not a campaign you are a member of");
    assert_string_equal(nowhere.problem, stranger.problem);
    assert_string_equal(first.message, second.message);
}

static void test_a_second_open_inquiry_is_refused_with_a_link(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct opening again = { .partner = &house->partner,
                             .campaign = house->campaign,
                             .order = "A-1" };
    struct error error;
    char link[128];

    assert_false(house_do(house, do_open, &again, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    snprintf(link, sizeof(link), "/Mediapartners/%s/ActionInquiries/%" PRId64, house->partner.sid,
             id);
    assert_string_equal(error.link, link);
    again.type = "INCORRECT";
    assert_true(house_do(house, do_open, &again, NULL)); /* another type */
    again.type = NULL;
    assert_int_equal(step_for(house, id, STEP_CLOSE, NULL), ERROR_NONE);
    assert_true(house_do(house, do_open, &again, NULL)); /* the first is closed */
}

/* ---- the brand's decisions ---- */

static void test_accepting_makes_an_action_and_tells_both_sides(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", "4.99");
    struct inquiry inquiry;
    json_t *data;

    assert_int_equal(decide_for(house, id, STEP_ACCEPT), ERROR_NONE);
    assert_true(look(house, &house->partner, id, &inquiry));
    assert_int_equal(inquiry.status, STATUS_VALID);
    assert_int_not_equal(inquiry.action, 0);
    assert_int_equal(inquiry.final_payout, 499);
    assert_true(inquiry.resolved_at != DATE_NONE);
    assert_int_equal(actions(house), 1);
    expect_events(house, house->partner.account, id,
                  "action_inquiry.opened action.tracked action_inquiry.resolved");
    expect_events(house, house->brand.account, id,
                  "action_inquiry.opened action.tracked action_inquiry.resolved");
    data = last_event(house, house->partner.account, id);
    assert_string_equal(member(data, "ResolutionStatus"), "VALID");
    assert_int_equal(strtoll(member(data, "ActionId"), NULL, 10), inquiry.action);
    json_decref(data);
    inquiry_free(&inquiry);
    assert_int_equal(decide_for(house, id, STEP_DECLINE), ERROR_CONFLICT); /* VALID stays */
}

static void test_accepting_needs_a_tracker_of_the_campaign(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct deciding mine = decision_of(house, id, STEP_ACCEPT);
    struct error error;

    mine.resolution.tracker = house->other_tracker;
    assert_false(house_do(house, do_decide, &mine, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_string_equal(mine.field, "ActionTrackerId");
    mine.resolution.tracker = 0;
    assert_false(house_do(house, do_decide, &mine, &error));
    assert_string_equal(mine.field, "ActionTrackerId");
    assert_int_equal(actions(house), 0);
    expect_events(house, house->brand.account, id, "action_inquiry.opened");
}

static void test_only_its_own_brand_decides(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct deciding mine = decision_of(house, id, STEP_DECLINE);
    struct error error;

    mine.brand = &house->other_brand;
    assert_false(house_do(house, do_decide, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    mine.brand = &house->partner;
    assert_false(house_do(house, do_decide, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
}

static void test_a_declined_inquiry_is_reopened_once(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct inquiry inquiry;

    assert_int_equal(decide_for(house, id, STEP_DECLINE), ERROR_NONE);
    assert_int_equal(step_for(house, id, STEP_REOPEN, ""), ERROR_INVALID);
    assert_int_equal(step_for(house, id, STEP_REOPEN, "Look again"), ERROR_NONE);
    assert_int_equal(decide_for(house, id, STEP_DECLINE), ERROR_NONE);
    assert_int_equal(step_for(house, id, STEP_REOPEN, "And again"), ERROR_CONFLICT);
    assert_int_equal(step_for(house, id, STEP_CLOSE, NULL), ERROR_NONE);
    assert_int_equal(step_for(house, id, STEP_CLOSE, NULL), ERROR_CONFLICT);
    expect_events(house, house->brand.account, id,
                  "action_inquiry.opened action_inquiry.resolved action_inquiry.reopened "
                  "action_inquiry.resolved action_inquiry.closed");
    assert_true(look(house, &house->brand, id, &inquiry));
    assert_int_equal(inquiry.state, INQUIRY_CLOSED);
    assert_int_equal(inquiry.comment_count, 2);                    /* the refused one left none */
    assert_string_equal(inquiry.comments[0].text, "for our eyes"); /* C7: what came with it */
    assert_string_equal(inquiry.comments[1].text, "Look again");
    assert_string_equal(inquiry.comments[1].user, "Blog's key");
    inquiry_free(&inquiry);
}

static void test_a_reply_answers_what_was_asked(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct stepping words = { &house->brand, id, STEP_REPLY, "Which shop was it?" };
    struct inquiry inquiry;

    assert_int_equal(step_for(house, id, STEP_REPLY, "By the way"), ERROR_NONE); /* words only */
    assert_int_equal(decide_for(house, id, STEP_ASK), ERROR_NONE);
    assert_true(house_do(house, do_comment, &words, NULL));
    assert_int_equal(step_for(house, id, STEP_REPLY, "The one in Bonn"), ERROR_NONE);
    expect_events(house, house->partner.account, id,
                  "action_inquiry.opened action_inquiry.incomplete action_inquiry.replied");
    assert_true(look(house, &house->partner, id, &inquiry));
    assert_int_equal(inquiry.status, STATUS_UNRESOLVED);
    assert_int_equal(inquiry.comment_count, 4);
    assert_string_equal(inquiry.comments[2].user, "Acme's key");
    assert_string_equal(inquiry.comments[3].text, "The one in Bonn");
    inquiry_free(&inquiry);
}

static void test_another_partner_takes_no_step(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    struct stepping mine = { &house->other_partner, id, STEP_CLOSE, NULL };
    struct error error;

    assert_false(house_do(house, do_step, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    mine.words = "Hello";
    assert_false(house_do(house, do_comment, &mine, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
}

/* However much was written, an event stays within its cap and has the newest words. */
static void test_long_talk_keeps_its_newest_words_in_the_event(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A-1", NULL);
    char words[COMMENT_MAX + 1];
    json_t *data, *comments;

    memset(words, 'x', COMMENT_MAX);
    words[COMMENT_MAX] = '\0';
    for (int i = 1; i < 200; i++) { /* the first is what came with the inquiry */
        snprintf(words, 8, "no %04d", i);
        words[7] = 'x';
        assert_int_equal(step_for(house, id, STEP_REPLY, words), ERROR_NONE);
    }
    assert_int_equal(step_for(house, id, STEP_REPLY, "one more"), ERROR_CONFLICT);
    assert_int_equal(step_for(house, id, STEP_CLOSE, NULL), ERROR_NONE);
    data = last_event(house, house->brand.account, id);
    comments = json_object_get(data, "Comments");
    assert_in_range(json_array_size(comments), 10, 16);
    assert_memory_equal(member(json_array_get(comments, json_array_size(comments) - 1), "Comment"),
                        "no 0199", 7);
    json_decref(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_an_opened_inquiry_is_seen_by_both_sides),
        IN_HOUSE(test_opening_fires_an_event_for_each_side_in_its_own_view),
        IN_HOUSE(test_strangers_learn_nothing_of_a_campaign),
        IN_HOUSE(test_a_second_open_inquiry_is_refused_with_a_link),
        IN_HOUSE(test_accepting_makes_an_action_and_tells_both_sides),
        IN_HOUSE(test_accepting_needs_a_tracker_of_the_campaign),
        IN_HOUSE(test_only_its_own_brand_decides),
        IN_HOUSE(test_a_declined_inquiry_is_reopened_once),
        IN_HOUSE(test_a_reply_answers_what_was_asked),
        IN_HOUSE(test_another_partner_takes_no_step),
        IN_HOUSE(test_long_talk_keeps_its_newest_words_in_the_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
