/* room_test.c — who is told when the disk, or what an account may have waiting, runs out. */
#include "engine_house.h"

#include "base/metrics.h"
#include "engine/room.h"

enum { MAY_WAIT = 10 };

static const int64_t more_than_any_disk = INT64_MAX / 4;

struct looking {
    struct engine_house *engine;
    struct house *house;
    struct room *room;
    int64_t account;
};

static void look_from_now(struct looking *looking, int64_t disk_alarm)
{
    const struct room_limits limits = { .quota = { .waiting = MAY_WAIT },
                                        .disk_alarm = disk_alarm };
    room_free(looking->room);
    looking->room = room_new(&looking->engine->work, &limits);
    settle(looking->engine);
}

static int setup(void **state)
{
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct looking *looking = must_alloc(sizeof(*looking));
    looking->engine = engine;
    looking->house = looking->engine->house;
    looking->account = looking->house->partner.account;
    house_notify_late(looking->house, looking->account, 1);
    *state = looking;
    return 0;
}

static int teardown(void **state)
{
    struct looking *looking = *state;
    void *engine = looking->engine;
    room_free(looking->room);
    free(looking);
    return engine_house_teardown(&engine);
}

static int64_t told(struct looking *looking, int64_t account)
{
    return house_number(looking->house, "SELECT count(*) FROM notice WHERE account = ?", account);
}

static int64_t operator_told(struct looking *looking)
{
    return told(looking, looking->house->operator.account);
}

/* As many postbacks of the account wait from now on, by its counts; nothing says so in memory. */
static void wait_for(struct looking *looking, int64_t postbacks)
{
    if (house_number(looking->house, "SELECT count(*) FROM notification_count", 0) == 0)
        house_waiting(looking->house, looking->account);
    house_number(looking->house, "UPDATE notification_count SET pending = ? RETURNING 1",
                 postbacks);
}

static void something_is_written(struct looking *looking)
{
    metric_add(METRIC_POSTBACKS, 1);
    pass_in_steps(looking->engine, 10 * SECOND_MS, SECOND_MS);
}

/* ---- the disk ---- */

static void test_the_disk_is_looked_at_from_the_start(void **state)
{
    struct looking *looking = *state;
    struct disk_figures disk;
    look_from_now(looking, 1);
    room_disk(looking->room, &disk);
    assert_true(disk.database > 0 && disk.free > 0 && disk.size >= disk.free);
    assert_false(room_disk_low(looking->room));
    assert_int_equal(operator_told(looking), 0);
}

static void test_a_disk_with_little_room_is_told_once(void **state)
{
    struct looking *looking = *state;
    look_from_now(looking, more_than_any_disk);
    assert_true(room_disk_low(looking->room));
    assert_int_equal(operator_told(looking), 1);
    pass_in_steps(looking->engine, 10 * MINUTE_MS, 5 * SECOND_MS);
    assert_int_equal(operator_told(looking), 1);
    look_from_now(looking, more_than_any_disk); /* a restart */
    assert_int_equal(operator_told(looking), 1);
    look_from_now(looking, 1); /* it has room again */
    assert_false(room_disk_low(looking->room));
    look_from_now(looking, more_than_any_disk);
    assert_int_equal(operator_told(looking), 2);
    assert_int_equal(told(looking, looking->account), 0);
}

static void test_on_a_full_disk_the_next_look_tells(void **state)
{
    struct looking *looking = *state;
    disk_full(true);
    look_from_now(looking, more_than_any_disk);
    assert_true(room_disk_low(looking->room)); /* the figures say so at once */
    pass_in_steps(looking->engine, MINUTE_MS, SECOND_MS);
    disk_full(false);
    assert_int_equal(operator_told(looking), 0);
    pass_in_steps(looking->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(operator_told(looking), 1);
}

/* ---- quotas ---- */

static void test_an_account_near_its_quota_is_told_once(void **state)
{
    struct looking *looking = *state;
    look_from_now(looking, 0);
    wait_for(looking, 7);
    something_is_written(looking);
    assert_int_equal(told(looking, looking->account), 0);
    wait_for(looking, 8);
    something_is_written(looking);
    assert_int_equal(room_quotas_near(looking->room), 1);
    assert_int_equal(told(looking, looking->account), 1);
    assert_int_equal(operator_told(looking), 1);
    wait_for(looking, 6); /* not yet far from it */
    something_is_written(looking);
    wait_for(looking, 9);
    something_is_written(looking);
    assert_int_equal(told(looking, looking->account), 1);
    wait_for(looking, 4);
    something_is_written(looking);
    wait_for(looking, 8);
    something_is_written(looking);
    assert_int_equal(told(looking, looking->account), 2);
}

static void test_who_has_most_that_waits_is_told_to_who_looks_on(void **state)
{
    struct looking *looking = *state;
    const struct quota_large *largest;
    look_from_now(looking, 0);
    something_is_written(looking);
    assert_int_equal(room_largest(looking->room, &largest), 0);
    wait_for(looking, 3);
    house_number(looking->house, "UPDATE notification_count SET bytes = ? RETURNING 1", 1000);
    something_is_written(looking);
    assert_int_equal(room_largest(looking->room, &largest), 1);
    assert_string_equal(largest[0].sid, looking->house->partner.sid);
    assert_int_equal(largest[0].bytes, 1000);
}

static void test_at_rest_it_looks_twice_a_minute(void **state)
{
    struct looking *looking = *state;
    look_from_now(looking, 0);
    wait_for(looking, 8);
    pass_in_steps(looking->engine, 40 * SECOND_MS, SECOND_MS); /* what was written to get there */
    wait_for(looking, 5);
    pass_in_steps(looking->engine, 40 * SECOND_MS, SECOND_MS);
    assert_int_equal(room_quotas_near(looking->room), 0);
    pass_in_steps(looking->engine, 30 * SECOND_MS, SECOND_MS);
    wait_for(looking, 8);
    int64_t seconds = 0;
    while (room_quotas_near(looking->room) == 0 && seconds < 60) {
        pass_ms(looking->engine, SECOND_MS);
        seconds++;
    }
    assert_in_range(seconds, 1, 35);
}

static void test_once_it_stops_it_tells_nothing(void **state)
{
    struct looking *looking = *state;
    look_from_now(looking, 1);
    room_free(looking->room);
    work_stop(&looking->engine->work);
    const struct room_limits limits = { .disk_alarm = more_than_any_disk };
    looking->room = room_new(&looking->engine->work, &limits);
    await_jobs(looking->engine);
    assert_int_equal(operator_told(looking), 0);
}

#define LOOKING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKING(test_the_disk_is_looked_at_from_the_start),
        LOOKING(test_a_disk_with_little_room_is_told_once),
        LOOKING(test_on_a_full_disk_the_next_look_tells),
        LOOKING(test_an_account_near_its_quota_is_told_once),
        LOOKING(test_who_has_most_that_waits_is_told_to_who_looks_on),
        LOOKING(test_at_rest_it_looks_twice_a_minute),
        LOOKING(test_once_it_stops_it_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
