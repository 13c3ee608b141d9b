/* inquiries_test.c — the steps of an inquiry's life with the events they fire, approval rules, and
 * lists, on a real database. */
#include "house.h"

#include "model/event.h"
#include "store/inquiries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- steps, each a job of its own ---- */

struct opening {
    const struct caller *partner;
    int64_t campaign;
    const char *order, *payout, *type, *currency;
    int64_t id;
    char field[64], problem[200]; /* the first problem, when refused */
};

static bool do_open(struct job *job, struct db *db, void *with)
{
    struct opening *mine = with;
    struct inquiry inquiry;
    struct problems problems = { 0 };
    bool opened;
    json_t *from = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "CampaignId",
                             (json_int_t)mine->campaign, "OrderId", mine->order, "TransactionDate",
                             "2026-01-05T10:00:00Z", "TransactionAmount", "49.90", "InquiryType",
                             mine->type != NULL ? mine->type : "UNTRACKED", "ExpectedPayout",
                             mine->payout != NULL ? mine->payout : "", "CustomerId", "c-77",
                             "InquiryNotes", "for our eyes", "MediaPartnerInquiryId", "REF1",
                             "Currency", mine->currency != NULL ? mine->currency : "EUR");

    inquiry_read(&inquiry, from, NULL, db_now(db), &problems);
    assert_int_equal(problems.count, 0);
    json_decref(from);
    opened = inquiry_open(job, db, mine->partner, &inquiry, &problems);
    mine->id = opened ? inquiry.id : 0;
    if (problems.count > 0) {
        snprintf(mine->field, sizeof(mine->field), "%s", problems.items[0].field);
        snprintf(mine->problem, sizeof(mine->problem), "%s", problems.items[0].message);
    }
    problems_free(&problems);
    inquiry_free(&inquiry);
    return opened;
}

/* Opens one of the house's partner about an order; gives its id. */
static int64_t open_for(struct house *house, const char *order, const char *payout)
{
    struct opening mine = {
        .partner = &house->partner, .campaign = house->campaign, .order = order, .payout = payout
    };
    struct error error;

    if (!house_do(house, do_open, &mine, &error))
        fail_msg("not opened: %s %s %s", error.message, mine.field, mine.problem);
    return mine.id;
}

struct stepping {
    const struct caller *caller;
    int64_t id;
    enum inquiry_step step;
    const char *words;
};

static bool do_step(struct job *job, struct db *db, void *with)
{
    const struct stepping *mine = with;

    return inquiry_partner_step(job, db, mine->caller, mine->id, mine->step, mine->words);
}

static bool do_comment(struct job *job, struct db *db, void *with)
{
    const struct stepping *mine = with;

    return inquiry_comment(job, db, mine->caller, mine->id, mine->words);
}

static enum error_kind step_for(struct house *house, int64_t id, enum inquiry_step step,
                                const char *words)
{
    struct stepping mine = { &house->partner, id, step, words };
    struct error error;

    return house_do(house, do_step, &mine, &error) ? ERROR_NONE : error.kind;
}

struct deciding {
    const struct caller *brand;
    struct resolution resolution;
    char field[64];
};

static bool do_decide(struct job *job, struct db *db, void *with)
{
    struct deciding *mine = with;
    struct problems problems = { 0 };
    bool done = inquiry_resolve(job, db, mine->brand, &mine->resolution, &problems);

    mine->field[0] = '\0';
    if (problems.count > 0)
        snprintf(mine->field, sizeof(mine->field), "%s", problems.items[0].field);
    problems_free(&problems);
    return done;
}

static struct deciding decision_of(struct house *house, int64_t id, enum inquiry_step step)
{
    return (struct deciding){
        .brand = &house->brand,
        .resolution = { .id = id,
                        .step = step,
                        .tracker = step == STEP_ACCEPT ? house->tracker : 0,
                        .reject_reason = step == STEP_DECLINE ? 5 : -1,
                        .transaction_at = DATE_NONE },
    };
}

static enum error_kind decide_for(struct house *house, int64_t id, enum inquiry_step step)
{
    struct deciding mine = decision_of(house, id, step);
    struct error error;

    return house_do(house, do_decide, &mine, &error) ? ERROR_NONE : error.kind;
}

/* ---- looking ---- */

struct looking {
    const struct caller *caller;
    int64_t id;
    struct inquiry inquiry;
    bool found;
};

static bool do_look(struct job *job, struct db *db, void *with)
{
    struct looking *mine = with;

    (void)job;
    mine->found = inquiry_find(db, mine->caller, mine->id, &mine->inquiry);
    return true;
}

/* The caller frees out. */
static bool look(struct house *house, const struct caller *caller, int64_t id, struct inquiry *out)
{
    struct looking mine = { .caller = caller, .id = id };

    assert_true(house_do(house, do_look, &mine, NULL));
    *out = mine.inquiry;
    return mine.found;
}

struct event_list {
    int64_t account, inquiry;
    struct buf names, last; /* "opened resolved", and the data of the last */
};

static bool do_list_events(struct job *job, struct db *db, void *with)
{
    struct event_list *mine = with;
    struct stmt *list = db_prepare(db, "SELECT type, data FROM event WHERE account = ? AND "
                                       "inquiry = ? ORDER BY id");

    (void)job;
    db_bind_int(list, 1, mine->account);
    db_bind_int(list, 2, mine->inquiry);
    while (db_step(list) == DB_ROW) {
        if (mine->names.len > 0)
            buf_char(&mine->names, ' ');
        buf_str(&mine->names, catalog_type_numbered((int)db_int(list, 0))->name);
        buf_reset(&mine->last);
        buf_str(&mine->last, db_text(list, 1));
    }
    db_finish(list);
    return true;
}

static void expect_events(struct house *house, int64_t account, int64_t inquiry, const char *names)
{
    struct event_list mine = { .account = account, .inquiry = inquiry };

    assert_true(house_do(house, do_list_events, &mine, NULL));
    assert_string_equal(buf_text(&mine.names), names);
    buf_free(&mine.names);
    buf_free(&mine.last);
}

/* The last event's data of an account about an inquiry; the caller frees. */
static json_t *last_event(struct house *house, int64_t account, int64_t inquiry)
{
    struct event_list mine = { .account = account, .inquiry = inquiry };
    json_t *data;

    assert_true(house_do(house, do_list_events, &mine, NULL));
    assert_true(mine.last.len <= EVENT_DATA_MAX);
    data = json_loads(buf_text(&mine.last), 0, NULL);
    assert_non_null(data);
    buf_free(&mine.names);
    buf_free(&mine.last);
    return data;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "(absent)";
}

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

static bool count_actions(struct job *job, struct db *db, void *with)
{
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM action");

    (void)job;
    if (db_step(find) == DB_ROW)
        *(int64_t *)with = db_int(find, 0);
    db_finish(find);
    return true;
}

static int64_t actions(struct house *house)
{
    int64_t count = -1;

    assert_true(house_do(house, count_actions, &count, NULL));
    return count;
}

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
    assert_int_equal(inquiry.comment_count, 1); /* the refused one left none */
    assert_string_equal(inquiry.comments[0].text, "Look again");
    assert_string_equal(inquiry.comments[0].user, "Blog's key");
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
    assert_int_equal(inquiry.comment_count, 3);
    assert_string_equal(inquiry.comments[1].user, "Acme's key");
    assert_string_equal(inquiry.comments[2].text, "The one in Bonn");
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
    for (int i = 0; i < 200; i++) {
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

/* ---- approval rules ---- */

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

/* ---- lists ---- */

struct listing {
    const struct caller *caller;
    struct inquiry_filter filter;
    json_t *list;
    int64_t total;
};

static bool do_list(struct job *job, struct db *db, void *with)
{
    struct listing *mine = with;

    (void)job;
    mine->list = inquiry_list(db, mine->caller, &mine->filter, &mine->total);
    return true;
}

static struct inquiry_filter any(void)
{
    return (struct inquiry_filter){ .created_from = DATE_NONE,
                                    .created_until = DATE_NONE,
                                    .transaction_from = DATE_NONE,
                                    .transaction_until = DATE_NONE,
                                    .page = 1,
                                    .page_size = 100 };
}

/* The orders on the page, as "A-3 A-2". */
static void expect_list(struct house *house, const struct caller *caller,
                        struct inquiry_filter filter, const char *orders, int64_t total)
{
    struct listing mine = { .caller = caller, .filter = filter };
    struct buf got = { 0 };

    assert_true(house_do(house, do_list, &mine, NULL));
    for (size_t i = 0; i < json_array_size(mine.list); i++)
        buf_fmt(&got, "%s%s", i > 0 ? " " : "", member(json_array_get(mine.list, i), "OrderId"));
    assert_string_equal(buf_text(&got), orders);
    assert_int_equal(mine.total, total);
    buf_free(&got);
    json_decref(mine.list);
}

#define FILTERED(...)                                                                              \
    ({                                                                                             \
        struct inquiry_filter filter_ = any();                                                     \
        __VA_ARGS__;                                                                               \
        filter_;                                                                                   \
    })

static void test_lists_are_filtered(void **state)
{
    struct house *house = *state;
    int64_t second;

    open_for(house, "A-1", NULL);
    second = open_for(house, "A-2", NULL);
    open_for(house, "A-3", NULL);
    decide_for(house, second, STEP_DECLINE);
    step_for(house, second, STEP_CLOSE, NULL);
    const struct {
        const struct caller *caller;
        struct inquiry_filter filter;
        const char *orders;
        int64_t total;
    } cases[] = {
        { &house->partner, any(), "A-3 A-2 A-1", 3 },
        { &house->brand, any(), "A-3 A-2 A-1", 3 },
        { &house->other_partner, any(), "", 0 },
        { &house->other_brand, any(), "", 0 },
        { &house->partner, FILTERED(filter_.order_id = "A-1"), "A-1", 1 },
        { &house->partner, FILTERED(filter_.order_id = "' OR 1=1 --"), "", 0 },
        { &house->partner, FILTERED(filter_.status = STATUS_DECLINED), "A-2", 1 },
        { &house->partner, FILTERED(filter_.state = INQUIRY_OPEN), "A-3 A-1", 2 },
        { &house->partner, FILTERED(filter_.campaign = house->other_campaign), "", 0 },
        { &house->partner, FILTERED(filter_.reference = "REF1"), "A-3 A-2 A-1", 3 },
        { &house->partner, FILTERED(filter_.customer_id = "c-78"), "", 0 },
        { &house->brand, FILTERED(filter_.partner = house->partner.account), "A-3 A-2 A-1", 3 },
        { &house->brand, FILTERED(filter_.partner = house->other_partner.account), "", 0 },
        { &house->partner, FILTERED(filter_.created_until = 1000), "", 0 },
        { &house->partner, FILTERED(filter_.created_from = 1000), "A-3 A-2 A-1", 3 },
        { &house->partner, FILTERED(filter_.transaction_from = INT64_C(1767607200000)),
          "A-3 A-2 A-1", 3 }, /* 2026-01-05T10:00:00Z itself is within */
        { &house->partner, FILTERED(filter_.transaction_until = INT64_C(1767607200000)), "", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_list(house, cases[i].caller, cases[i].filter, cases[i].orders, cases[i].total);
}

static void test_lists_are_paged_newest_first(void **state)
{
    struct house *house = *state;

    open_for(house, "A-1", NULL);
    open_for(house, "A-2", NULL);
    open_for(house, "A-3", NULL);
    expect_list(house, &house->partner, FILTERED(filter_.page_size = 2), "A-3 A-2", 3);
    expect_list(house, &house->partner, FILTERED(filter_.page_size = 2, filter_.page = 2), "A-1",
                3);
    expect_list(house, &house->partner, FILTERED(filter_.page_size = 2, filter_.page = 3), "", 3);
    expect_list(house, &house->partner,
                FILTERED(filter_.page_size = INT64_MAX, filter_.page = INT64_MAX), "", 3);
}

static void test_a_page_has_each_inquirys_comments(void **state)
{
    struct house *house = *state;
    int64_t first = open_for(house, "A-1", NULL), second = open_for(house, "A-2", NULL);
    struct listing mine = { .caller = &house->brand, .filter = any() };
    json_t *comments;

    open_for(house, "A-3", NULL);
    step_for(house, second, STEP_REPLY, "second, one");
    step_for(house, first, STEP_REPLY, "first, one");
    step_for(house, second, STEP_REPLY, "second, two");
    assert_true(house_do(house, do_list, &mine, NULL));
    comments = json_object_get(json_array_get(mine.list, 0), "Comments");
    assert_int_equal(json_array_size(comments), 0);
    comments = json_object_get(json_array_get(mine.list, 1), "Comments");
    assert_int_equal(json_array_size(comments), 2);
    assert_string_equal(member(json_array_get(comments, 0), "Comment"), "second, one");
    assert_string_equal(member(json_array_get(comments, 1), "Comment"), "second, two");
    comments = json_object_get(json_array_get(mine.list, 2), "Comments");
    assert_int_equal(json_array_size(comments), 1);
    assert_string_equal(member(json_array_get(comments, 0), "Comment"), "first, one");
    json_decref(mine.list);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

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
        IN_HOUSE(test_a_rule_accepts_at_once),
        IN_HOUSE(test_a_rules_total_holds),
        IN_HOUSE(test_a_rule_accepts_when_its_days_are_over),
        IN_HOUSE(test_a_rule_counts_days_from_the_months_end),
        IN_HOUSE(test_limits_are_checked_again_when_due),
        IN_HOUSE(test_a_removed_rule_accepts_nothing),
        IN_HOUSE(test_what_the_brand_declined_is_not_accepted_by_the_clock),
        IN_HOUSE(test_what_the_brand_accepts_itself_is_not_in_the_rules_total),
        IN_HOUSE(test_lists_are_filtered),
        IN_HOUSE(test_lists_are_paged_newest_first),
        IN_HOUSE(test_a_page_has_each_inquirys_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
