/* recorder_test.c — minutes are counted in memory and written when they are over, each once. */
#include "engine_house.h"

#include "engine/recorder.h"

struct recording {
    struct engine_house *engine;
    struct recorder *recorder;
    int64_t account, notification;
};

/* At the beginning of a minute. */
static int setup(void **state)
{
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct recording *recording = must_alloc(sizeof(*recording));
    recording->engine = engine;
    pass_ms(engine, MINUTE_MS - clock_wall_ms() % MINUTE_MS);
    recording->recorder = recorder_new(&recording->engine->work, NULL);
    recording->account = recording->engine->house->partner.account;
    recording->notification = house_notify(recording->engine->house, recording->account, OPENED);
    *state = recording;
    return 0;
}

static int teardown(void **state)
{
    struct recording *recording = *state;
    void *engine = recording->engine;
    recorder_free(recording->recorder);
    free(recording);
    return engine_house_teardown(&engine);
}

static void ended_for(struct recording *recording, int64_t notification, int status)
{
    struct told_attempt told;
    told_attempt_make(&told, recording->account, notification, OPENED, status,
                      status == 200 ? 4000 : -1);
    recorder_ended(recording->recorder, &told.ended);
    told_attempt_clear(&told);
}

static void ended(struct recording *recording, int status, int times)
{
    for (int i = 0; i < times; i++)
        ended_for(recording, recording->notification, status);
}

static int64_t written(struct recording *recording, const char *sql)
{
    return house_number(recording->engine->house, sql, 0);
}

#define ROWS      "SELECT count(*) FROM sample"
#define MINUTES   "SELECT count(*) FROM sample WHERE account = 0"
#define DELIVERED "SELECT coalesce(sum(delivered), 0) FROM sample WHERE account = 0"
#define FAILED    "SELECT coalesce(sum(failed), 0) FROM sample WHERE account = 0"

static struct under_way under_way(struct recording *recording)
{
    struct under_way now;
    recorder_under_way(recording->recorder, 0, 0, &now);
    return now;
}

static void test_a_minute_is_written_when_it_is_over(void **state)
{
    struct recording *recording = *state;
    int64_t minute = clock_wall_ms();
    ended(recording, 200, 3);
    ended(recording, 500, 1);
    assert_int_equal(under_way(recording).open.at, minute);
    assert_int_equal(under_way(recording).open.sample.delivered, 3);
    assert_int_equal(under_way(recording).open.sample.failed, 1);
    pass_ms(recording->engine, MINUTE_MS - 1);
    assert_int_equal(written(recording, ROWS), 0);
    pass_ms(recording->engine, 1);
    assert_int_equal(written(recording, ROWS), 3); /* of it, of its account, of all */
    assert_int_equal(written(recording, DELIVERED), 3);
    assert_int_equal(written(recording, FAILED), 1);
    assert_int_equal(written(recording, "SELECT at FROM sample WHERE account = 0"), minute);
    assert_int_equal(under_way(recording).open.sample.delivered, 0);
    assert_int_equal(under_way(recording).closing.sample.delivered, 0);
}

static void test_nothing_is_written_while_nothing_happens(void **state)
{
    struct recording *recording = *state;
    ended(recording, 200, 1);
    pass_in_steps(recording->engine, 10 * MINUTE_MS, MINUTE_MS / 2);
    assert_int_equal(written(recording, MINUTES), 1);
    recorder_touch(recording->recorder, recording->notification, recording->account);
    pass_in_steps(recording->engine, 2 * MINUTE_MS, MINUTE_MS / 2);
    assert_int_equal(written(recording, MINUTES), 2); /* what was pending then is known */
}

static void test_a_full_disk_loses_no_count(void **state)
{
    struct recording *recording = *state;
    ended(recording, 200, 5);
    disk_full(true);
    pass_in_steps(recording->engine, MINUTE_MS + 5 * SECOND_MS, SECOND_MS);
    struct under_way now = under_way(recording);
    assert_int_equal(now.closing.sample.delivered, 5); /* a series is read with it */
    ended(recording, 200, 2);
    pass_in_steps(recording->engine, 2 * MINUTE_MS, SECOND_MS);
    now = under_way(recording);
    assert_int_equal(now.open.sample.delivered, 2);
    assert_int_equal(now.closing.sample.delivered, 5);
    disk_full(false);
    pass_in_steps(recording->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(written(recording, MINUTES), 2);
    assert_int_equal(written(recording, DELIVERED), 7);
    now = under_way(recording);
    assert_int_equal(now.open.sample.delivered + now.closing.sample.delivered, 0);
}

static void test_very_many_notifications_are_written_before_the_minute_is_over(void **state)
{
    struct recording *recording = *state;
    for (int64_t i = 0; i < 2500; i++) /* most are of nobody: they were deleted meanwhile */
        ended_for(recording, recording->notification + i % 1250, 200);
    settle(recording->engine);
    assert_int_equal(written(recording, DELIVERED), 1); /* those that are there, so far */
    pass_in_steps(recording->engine, 2 * MINUTE_MS, SECOND_MS);
    assert_int_equal(written(recording, DELIVERED), 2);
    assert_int_equal(written(recording, MINUTES), 1); /* parts of a minute add up */
}

static void test_a_stop_writes_what_is_under_way(void **state)
{
    struct recording *recording = *state;
    ended(recording, 200, 4);
    work_stop(&recording->engine->work);
    recorder_finish(recording->recorder);
    await_jobs(recording->engine);
    assert_int_equal(written(recording, DELIVERED), 4);
}

static void test_a_stop_does_not_wait_for_a_full_disk(void **state)
{
    struct recording *recording = *state;
    ended(recording, 200, 4);
    disk_full(true);
    work_stop(&recording->engine->work);
    recorder_finish(recording->recorder);
    await_jobs(recording->engine);
    disk_full(false);
    assert_int_equal(under_way(recording).closing.sample.delivered, 0);
}

static void test_rates_are_of_the_last_ten_seconds(void **state)
{
    struct recording *recording = *state;
    struct recorder_rates rates;
    pass_ms(recording->engine, SECOND_MS - clock_steady_ms() % SECOND_MS);
    ended(recording, 200, 20);
    ended(recording, 500, 10);
    recorder_rates(recording->recorder, &rates);
    assert_true(rates.delivered == 0); /* the second is not over */
    pass_ms(recording->engine, SECOND_MS);
    recorder_rates(recording->recorder, &rates);
    assert_true(rates.delivered == 2 && rates.failed == 1);
    pass_ms(recording->engine, 9 * SECOND_MS);
    recorder_rates(recording->recorder, &rates);
    assert_true(rates.delivered == 2 && rates.failed == 1);
    pass_ms(recording->engine, SECOND_MS);
    recorder_rates(recording->recorder, &rates);
    assert_true(rates.delivered == 0 && rates.failed == 0);
}

static void test_what_is_asked_for_is_of_whom_it_is_asked(void **state)
{
    struct recording *recording = *state;
    struct house *house = recording->engine->house;
    int64_t other = house_notify(house, house->partner.account, OPENED);
    struct under_way now;
    ended(recording, 200, 3);
    ended_for(recording, other, 200);
    recorder_under_way(recording->recorder, house->partner.account, other, &now);
    assert_int_equal(now.open.sample.delivered, 1);
    recorder_under_way(recording->recorder, house->partner.account, 0, &now);
    assert_int_equal(now.open.sample.delivered, 4);
    recorder_under_way(recording->recorder, house->other_partner.account, 0, &now);
    assert_int_equal(now.open.sample.delivered, 0);
}

/* Minutes of more than two days ago become hours, a few at a time. */
static void test_old_minutes_become_hours(void **state)
{
    struct recording *recording = *state;
    for (int minute = 0; minute < 90; minute++) {
        ended(recording, 200, 1);
        pass_ms(recording->engine, MINUTE_MS);
    }
    assert_int_equal(written(recording, DELIVERED), 90);
    int64_t before = written(recording, MINUTES);
    pass_ms(recording->engine, 3 * 24 * (int64_t)HOUR_MS);
    pass_in_steps(recording->engine, 10 * SECOND_MS, SECOND_MS);
    assert_true(before >= 90);
    assert_true(written(recording, MINUTES) <= 3);
    assert_int_equal(written(recording, DELIVERED), 90);
}

#define RECORDING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORDING(test_a_minute_is_written_when_it_is_over),
        RECORDING(test_nothing_is_written_while_nothing_happens),
        RECORDING(test_a_full_disk_loses_no_count),
        RECORDING(test_very_many_notifications_are_written_before_the_minute_is_over),
        RECORDING(test_a_stop_writes_what_is_under_way),
        RECORDING(test_a_stop_does_not_wait_for_a_full_disk),
        RECORDING(test_rates_are_of_the_last_ten_seconds),
        RECORDING(test_what_is_asked_for_is_of_whom_it_is_asked),
        RECORDING(test_old_minutes_become_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
