/* A10: how much of an account's may wait: the bound in memory against the rows. */
#include "postback_house.h"
#include "until.h"

#include "store/direct.h"
#include "store/quotas.h"

static const struct quota_limits limits = { .waiting = 10 };

static bool do_set(struct job *job, struct db *db, void *with)
{
    (void)job;
    quotas_set(db, with);
    return true;
}

static void set_limits(struct house *house, struct quota_limits of)
{
    assert_true(house_do(house, do_set, &of, NULL));
}

struct publishing {
    int64_t account;
    int events, percent; /* that it asks the quota for; 0: it does not ask */
    bool fails;          /* in the end */
    bool by_engine;
};

static bool do_publish(struct job *job, struct db *db, void *with)
{
    const struct publishing *mine = with;
    static const char data[] = "{\"InquiryId\":\"7\"}";
    job->account = mine->by_engine ? 0 : 5;
    if (mine->percent != 0 && !quota_admits(job, db, mine->account, mine->percent))
        return false;
    for (int i = 0; i < mine->events; i++) {
        struct event *event = event_new(mine->account, catalog_type("action_inquiry.opened"),
                                        db_now(db), 0, data, sizeof(data) - 1);
        event_publish(job, db, event);
        event_unref(event);
    }
    return !mine->fails;
}

static bool publish(struct house *house, struct publishing mine, struct error *error)
{
    *error = (struct error){ 0 };
    return house_do(house, do_publish, &mine, error);
}

#define PUBLISH(...) publish(house, (struct publishing){ .account = account, __VA_ARGS__ }, &error)

static bool do_number(struct job *job, struct db *db, void *with)
{
    (void)job;
    direct_write_all(db, 0, POSTBACK_FRESH, INT64_MAX);
    *(int64_t *)with =
        db_number(db_prepare(db, "SELECT count(*) FROM postback WHERE state <= 1"), 0);
    return true;
}

static int64_t rows(struct house *house)
{
    int64_t count = -1;
    assert_true(house_do(house, do_number, &count, NULL));
    return count;
}

static void test_the_limit_is_for_what_is_sent_and_the_reserve_for_what_is_done(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account;
    struct error error;
    house_notify(house, account, "action_inquiry.opened");
    set_limits(house, limits);
    assert_true(PUBLISH(.events = 9, .percent = 100));
    assert_true(PUBLISH(.events = 1, .percent = 100));
    assert_false(PUBLISH(.events = 1, .percent = 100));
    assert_int_equal(error.kind, ERROR_QUOTA);
    assert_non_null(strstr(error.message, house->partner.sid));
    assert_non_null(strstr(error.message, "10 postbacks"));
    assert_true(PUBLISH(.events = 1)); /* by hand */
    assert_true(PUBLISH(.events = 1));
    assert_false(PUBLISH(.events = 1)); /* 12 of 10 are 120 %, but 12 is the last below 125 % */
    assert_int_equal(error.kind, ERROR_QUOTA);
    assert_true(PUBLISH(.events = 3, .by_engine = true));
    assert_int_equal(rows(house), 15);
}

static void test_a_refused_job_leaves_nothing(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account;
    struct error error;
    house_notify(house, account, "action_inquiry.opened");
    set_limits(house, limits);
    assert_true(PUBLISH(.events = 11, .by_engine = true));
    assert_false(PUBLISH(.events = 5)); /* the second of them is too many */
    assert_int_equal(rows(house), 11);
    UNTIL(PUBLISH(.events = 1)); /* as soon as what waits may be read again */
    assert_int_equal(rows(house), 12);
}

static void test_what_is_undone_takes_no_room(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account;
    struct error error;
    house_notify(house, account, "action_inquiry.opened");
    set_limits(house, limits);
    for (int i = 0; i < 20; i++)
        assert_false(PUBLISH(.events = 3, .percent = 100, .fails = true));
    assert_int_equal(rows(house), 0);
    UNTIL(PUBLISH(.events = 10, .percent = 100));
    assert_int_equal(rows(house), 10);
}

struct elsewhere {
    int64_t notification, waiting;
};

/* As another node's commits do, of which this one hears afterwards. */
static bool do_wait_elsewhere(struct job *job, struct db *db, void *with)
{
    const struct elsewhere *elsewhere = with;
    (void)job;
    struct stmt *put = db_prepare(
        db, "INSERT INTO notification_count (notification, node, pending, delivered, failed) "
            "VALUES (?1, 900, ?2, 0, 0) ON CONFLICT (notification, node) DO UPDATE SET "
            "pending = excluded.pending");
    db_bind_int(put, 1, elsewhere->notification);
    db_bind_int(put, 2, elsewhere->waiting);
    db_run(db, put);
    return true;
}

static bool do_hear(struct job *job, struct db *db, void *with)
{
    (void)job;
    quotas_memory.hear(db, with);
    return true;
}

static void test_what_another_node_has_added_counts_once_it_is_heard(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account;
    struct error error;
    struct elsewhere many = { house_notify(house, account, "action_inquiry.opened"), 1000000 };
    struct elsewhere none = { many.notification, 0 };
    struct change of_another = { CHANGE_TOUCHED, house->brand.account };
    struct change changes[] = { { CHANGE_TOUCHED, account },
                                { CHANGE_TOUCHED, .account = 0 },
                                { CHANGE_EVERYTHING, .account = 0 } };
    set_limits(house, (struct quota_limits){ .waiting = 1000000 });
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        UNTIL(PUBLISH(.percent = 100)); /* as soon as what waits may be read again */
        assert_true(house_do(house, do_wait_elsewhere, &many, NULL));
        assert_true(house_do(house, do_hear, &of_another, NULL));
        assert_true(PUBLISH(.percent = 100));
        assert_true(house_do(house, do_hear, &changes[i], NULL));
        UNTIL(!PUBLISH(.percent = 100));
        assert_true(house_do(house, do_wait_elsewhere, &none, NULL));
    }
}

static void test_without_a_notification_nothing_waits(void **state)
{
    struct house *house = *state;
    int64_t account = house->brand.account;
    struct error error;
    set_limits(house, limits);
    for (int i = 0; i < 5; i++)
        assert_true(PUBLISH(.events = 10, .percent = 100));
    assert_int_equal(rows(house), 0);
}

static void test_a_part_of_the_room_is_the_larger_of_both(void **state)
{
    static const struct {
        struct quota_limits limits;
        struct quota_use use;
        int64_t percent;
    } cases[] = {
        { { 0, 0 }, { .waiting = 1000, .bytes = 1000 }, 0 },
        { { 100, 0 }, { .waiting = 80, .bytes = 1000 }, 80 },
        { { 100, 1000 }, { .waiting = 10, .bytes = 999 }, 99 },
        { { 100, 1000 }, { .waiting = 200, .bytes = 1 }, 200 },
        { { INT64_MAX, INT64_MAX }, { .waiting = INT64_MAX / 2 }, 50 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(quota_percent(&cases[i].limits, &cases[i].use), cases[i].percent);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_the_limit_is_for_what_is_sent_and_the_reserve_for_what_is_done),
        CASE(test_a_refused_job_leaves_nothing),
        CASE(test_what_is_undone_takes_no_room),
        CASE(test_what_another_node_has_added_counts_once_it_is_heard),
        CASE(test_without_a_notification_nothing_waits),
        cmocka_unit_test(test_a_part_of_the_room_is_the_larger_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
