/* inquiry_list_test.c — lists of inquiries by filter and page, on a real database. */
#include "inquiry_house.h"

#include <inttypes.h>

struct listing {
    const struct caller *caller;
    struct inquiry_filter filter;
    json_t *list;
    int64_t total;
};

static bool do_list(struct job *job, struct db *db, void *with)
{
    struct listing *mine = with;

    struct id_list ids = { 0 };
    struct inquiry inquiry;
    int64_t id;

    (void)job;
    mine->list = json_array();
    inquiry_ids(db, mine->caller, &mine->filter, &ids, &mine->total);
    while (id_list_next(&ids, &id)) {
        assert_true(inquiry_find(db, mine->caller, id, &inquiry));
        json_array_append_new(mine->list,
                              inquiry_show(&inquiry, mine->caller->kind == ACCOUNT_BRAND));
        inquiry_free(&inquiry);
    }
    id_list_free(&ids);
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
        { &house->partner, FILTERED(filter_.type = INQUIRY_UNTRACKED), "A-3 A-2 A-1", 3 },
        { &house->brand, FILTERED(filter_.type = INQUIRY_INCORRECT), "", 0 },
        { &house->partner, FILTERED(filter_.created_until = 1000), "", 0 },
        { &house->partner, FILTERED(filter_.created_from = 1000), "A-3 A-2 A-1", 3 },
        { &house->partner, FILTERED(filter_.transaction_from = INT64_C(1767607200000)),
          "A-3 A-2 A-1", 3 }, /* 2026-01-05T10:00:00Z itself is within */
        { &house->partner, FILTERED(filter_.transaction_until = INT64_C(1767607200000)), "", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_list(house, cases[i].caller, cases[i].filter, cases[i].orders, cases[i].total);
}

static void test_a_search_looks_where_the_caller_may_see(void **state)
{
    struct house *house = *state;
    char id[24];

    snprintf(id, sizeof(id), "%" PRId64, open_for(house, "A-1", NULL));
    open_for(house, "A-20", NULL);
    open_for(house, "B-\xf4\x8f\xbf\xbf", NULL);
    const struct {
        const struct caller *caller;
        const char *search, *orders;
    } cases[] = {
        { &house->partner, "A-", "A-20 A-1" },
        { &house->brand, "A-2", "A-20" },
        { &house->partner, "B-\xf4\x8f\xbf\xbf", "B-\xf4\x8f\xbf\xbf" },
        { &house->partner, "a-", "A-20 A-1" },
        { &house->partner, "-1", "A-1" },
        { &house->partner, id, "B-\xf4\x8f\xbf\xbf A-20 A-1" }, /* in REF-1 too */
        { &house->brand, id, "A-1" },
        { &house->other_partner, id, "" },
        { &house->other_brand, id, "" },
        { &house->other_partner, "A-", "" },
        { &house->partner, "REF", "B-\xf4\x8f\xbf\xbf A-20 A-1" },
        { &house->partner, "c-77", "B-\xf4\x8f\xbf\xbf A-20 A-1" },
        { &house->brand, "REF", "" },
        { &house->brand, "c-77", "" },
        { &house->partner, "%", "" },
        { &house->partner, "' OR 1=1 --", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct inquiry_filter filter = any();
        int64_t total = cases[i].orders[0] == '\0' ? 0 : 1;
        for (const char *at = cases[i].orders; *at != '\0'; at++)
            total += *at == ' ';
        filter.search = cases[i].search;
        expect_list(house, cases[i].caller, filter, cases[i].orders, total);
    }
}

static void test_lists_are_sorted(void **state)
{
    struct house *house = *state;
    struct inquiry_filter filter = any();

    open_for(house, "A-2", "9.00");
    open_for(house, "A-3", NULL);
    decide_for(house, open_for(house, "A-1", "10.00"), STEP_DECLINE);
    filter.order = inquiry_order_named("OrderId", false);
    filter.rising = true;
    expect_list(house, &house->partner, filter, "A-1 A-2 A-3", 3);
    filter.rising = false;
    expect_list(house, &house->brand, filter, "A-3 A-2 A-1", 3);
    filter.order = inquiry_order_named("ExpectedPayout", true); /* as amounts, not as texts */
    expect_list(house, &house->brand, filter, "A-1 A-2 A-3", 3);
    filter.order = inquiry_order_named("ResolutionStatus", false);
    filter.rising = true;
    filter.page_size = 2;
    expect_list(house, &house->partner, filter, "A-2 A-3", 3);
    filter.page = 2;
    expect_list(house, &house->partner, filter, "A-1", 3);
    assert_null(inquiry_order_named("CustomerId", true));
    assert_null(inquiry_order_named("MediaPartnerId", false));
    assert_null(inquiry_order_named("orderid", false));
    assert_null(inquiry_order_named("", false));
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
    assert_int_equal(json_array_size(comments), 1); /* what came with the inquiry */
    comments = json_object_get(json_array_get(mine.list, 1), "Comments");
    assert_int_equal(json_array_size(comments), 3);
    assert_string_equal(member(json_array_get(comments, 1), "Comment"), "second, one");
    assert_string_equal(member(json_array_get(comments, 2), "Comment"), "second, two");
    comments = json_object_get(json_array_get(mine.list, 2), "Comments");
    assert_int_equal(json_array_size(comments), 2);
    assert_string_equal(member(json_array_get(comments, 1), "Comment"), "first, one");
    json_decref(mine.list);
    mine.filter.order = inquiry_order_named("OrderId", true); /* whatever the order */
    mine.filter.rising = true;
    assert_true(house_do(house, do_list, &mine, NULL));
    comments = json_object_get(json_array_get(mine.list, 1), "Comments");
    assert_string_equal(member(json_array_get(comments, 2), "Comment"), "second, two");
    comments = json_object_get(json_array_get(mine.list, 0), "Comments");
    assert_string_equal(member(json_array_get(comments, 1), "Comment"), "first, one");
    json_decref(mine.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_lists_are_filtered),
        IN_HOUSE(test_a_search_looks_where_the_caller_may_see),
        IN_HOUSE(test_lists_are_sorted),
        IN_HOUSE(test_lists_are_paged_newest_first),
        IN_HOUSE(test_a_page_has_each_inquirys_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
