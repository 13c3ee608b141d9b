/* samples_test.c — minutes written, read back as series, made into hours and deleted. */
#include "postback_house.h"

#include "store/samples.h"

#define MINUTE ((int64_t)SERIES_MINUTE_MS)
#define HOUR   ((int64_t)SERIES_HOUR_MS)
#define DAY    ((int64_t)SERIES_DAY_MS)

/* ---- steps ---- */

struct minute {
    int64_t at, batch;
    struct sample_row *rows;
    size_t count;
};

static bool do_complete(struct job *job, struct db *db, void *with)
{
    struct minute *minute = with;
    (void)job;
    samples_complete(db, &minute->rows, &minute->count);
    return true;
}

static bool do_write(struct job *job, struct db *db, void *with)
{
    const struct minute *minute = with;
    (void)job;
    samples_write(db, minute->at, minute->rows, minute->count, minute->batch);
    return true;
}

/* One notification's minute: so many delivered, each after so long. */
static void write_minute(struct house *house, int64_t notification, int64_t at, int delivered,
                         int64_t latency_us)
{
    struct minute minute = { .at = at, .batch = at, .count = 1 };
    minute.rows = must_alloc(sizeof(*minute.rows));
    minute.rows[0].notification = notification;
    sample_clear(&minute.rows[0].sample);
    minute.rows[0].sample.delivered = delivered;
    minute.rows[0].sample.failed = 1;
    minute.rows[0].sample.latencies[histogram_bin(latency_us)] = delivered;
    assert_true(house_do(house, do_complete, &minute, NULL));
    assert_true(house_do(house, do_write, &minute, NULL));
    free(minute.rows);
}

struct asking {
    int64_t account, notification;
    struct series *series;
    struct sample before;
    int64_t batch;
};

static bool do_read(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    (void)job;
    samples_read(db, asking->account, asking->notification, asking->series, &asking->before);
    asking->batch = samples_batch(db);
    return true;
}

/* The sum of a whole span, one step. */
static struct sample sum_of(struct house *house, int64_t account, int64_t notification)
{
    struct series series;
    struct sample sum;
    series_new(&series, 0, 4000 * DAY, 5000 * DAY, 1);
    struct asking asking = { .account = account, .notification = notification, .series = &series };
    series.from = 0;
    series.step = series.until = 100000 * DAY;
    assert_true(house_do(house, do_read, &asking, NULL));
    sum = series.samples[0];
    series_free(&series);
    return sum;
}

struct ageing {
    int64_t minutes_ms, hours_ms;
    size_t most, did;
};

static bool do_age(struct job *job, struct db *db, void *with)
{
    struct ageing *ageing = with;
    (void)job;
    ageing->did = samples_age(db, ageing->minutes_ms, ageing->hours_ms, ageing->most);
    return true;
}

static size_t age(struct house *house, int64_t minutes_ms, int64_t hours_ms, size_t most)
{
    struct ageing ageing = { minutes_ms, hours_ms, most, 0 };
    assert_true(house_do(house, do_age, &ageing, NULL));
    return ageing.did;
}

static int64_t rows(struct house *house, int step)
{
    return house_number(house, "SELECT count(*) FROM sample WHERE step = ?", step);
}

/* ---- tests ---- */

static void test_a_minute_counts_for_its_notification_its_account_and_all(void **state)
{
    struct house *house = *state;
    int64_t one = house_notify(house, house->partner.account, "action_inquiry.opened");
    int64_t two = house_notify(house, house->partner.account, "action_inquiry.opened");
    int64_t brands = house_notify(house, house->brand.account, "action_inquiry.opened");
    int64_t at = 20000 * DAY;
    house_postback(house, house->partner.account, "action_inquiry.opened", 0);
    write_minute(house, one, at, 3, 1000);
    write_minute(house, two, at, 5, 100000);
    write_minute(house, brands, at + MINUTE, 7, 1000);
    assert_int_equal(sum_of(house, house->partner.account, one).delivered, 3);
    assert_int_equal(sum_of(house, house->partner.account, two).delivered, 5);
    struct sample partners = sum_of(house, house->partner.account, 0);
    assert_int_equal(partners.delivered, 8);
    assert_int_equal(partners.failed, 2);
    assert_int_equal(partners.pending, 2); /* of both notifications */
    assert_int_equal(sum_of(house, house->partner.account, one).pending, 1);
    assert_int_equal(sum_of(house, house->brand.account, 0).pending, 0);
    assert_int_equal(sum_of(house, 0, 0).delivered, 15);
    assert_int_equal(sum_of(house, 0, 0).pending, 2);
    assert_in_range(sample_latency_us(&partners, 0.5), 100000, 125000);
    assert_in_range(sample_latency_us(&partners, 0.1), 1000, 1250);
    assert_int_equal(sum_of(house, house->other_partner.account, 0).delivered, 0);
    /* Another account's name for it finds nothing. */
    assert_int_equal(sum_of(house, house->brand.account, one).delivered, 0);
}

static void test_a_minute_that_is_written_twice_is_added_up(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, "action_inquiry.opened");
    write_minute(house, id, 20000 * DAY, 3, 1000);
    write_minute(house, id, 20000 * DAY, 4, 1000);
    struct sample sum = sum_of(house, house->partner.account, id);
    assert_int_equal(sum.delivered, 7);
    assert_int_equal(sum.latencies[histogram_bin(1000)], 7);
    assert_int_equal(rows(house, 60), 3);
}

static void test_a_batch_has_a_number_and_what_is_gone_writes_nothing(void **state)
{
    struct house *house = *state;
    struct series series;
    series_new(&series, 0, HOUR, HOUR, 10);
    struct asking asking = { .series = &series };
    assert_true(house_do(house, do_read, &asking, NULL));
    assert_int_equal(asking.batch, 0);
    assert_int_equal(asking.before.pending, -1);
    write_minute(house, 987654, 20000 * DAY, 3, 1000);
    assert_true(house_do(house, do_read, &asking, NULL));
    assert_int_equal(asking.batch, 20000 * DAY);
    assert_int_equal(sum_of(house, 0, 987654).delivered, 0);
    assert_int_equal(sum_of(house, 0, 0).delivered, 0);
    series_free(&series);
}

static void test_a_series_has_its_minutes_and_what_was_before(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, "action_inquiry.opened");
    int64_t at = 20000 * DAY;
    struct series series;
    house_postback(house, house->partner.account, "action_inquiry.opened", 0);
    write_minute(house, id, at - HOUR, 1, 1000);
    write_minute(house, id, at + 2 * MINUTE, 2, 1000);
    write_minute(house, id, at + 5 * MINUTE, 4, 1000); /* outside */
    series_new(&series, at, at + 5 * MINUTE, at + HOUR, 5);
    struct asking asking = { house->partner.account, id, &series, { 0 }, 0 };
    assert_true(house_do(house, do_read, &asking, NULL));
    assert_int_equal(asking.before.pending, 1);
    assert_int_equal(series.count, 5);
    for (size_t i = 0; i < series.count; i++)
        assert_int_equal(series.samples[i].delivered, i == 2 ? 2 : 0);
    series_free(&series);
}

static void test_old_minutes_become_hours_with_nothing_lost(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, "action_inquiry.opened");
    int64_t at = 20000 * DAY;
    for (int i = 0; i < 90; i++)
        write_minute(house, id, at + i * MINUTE, i % 3 + 1, 1000 * (i + 1));
    struct sample before = sum_of(house, house->partner.account, id);
    assert_int_equal(rows(house, 60), 3 * 90);
    assert_int_equal(age(house, at + HOUR, 0, 2), 2); /* a small step: two of the three rows */
    assert_int_equal(age(house, at + HOUR, 0, 2), 1);
    assert_int_equal(age(house, at + HOUR, 0, 2), 0);
    assert_int_equal(rows(house, 3600), 3);
    assert_int_equal(rows(house, 60), 3 * 30); /* the younger hour stays as it is */
    struct sample after = sum_of(house, house->partner.account, id);
    assert_memory_equal(&before, &after, sizeof(before));
    /* A minute of that hour that comes late is added to it. */
    write_minute(house, id, at + MINUTE, 100, 1000);
    assert_int_equal(age(house, at + HOUR, 0, 10), 3);
    assert_int_equal(rows(house, 3600), 3);
    assert_int_equal(sum_of(house, house->partner.account, id).delivered, before.delivered + 100);
}

static void test_old_hours_are_deleted_a_few_at_a_time(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, "action_inquiry.opened");
    int64_t at = 20000 * DAY;
    for (int i = 0; i < 4; i++)
        write_minute(house, id, at + i * HOUR, 1, 1000);
    assert_int_equal(age(house, at + 4 * HOUR, 0, 100), 12);
    assert_int_equal(age(house, at + 4 * HOUR, at + 3 * HOUR, 5), 5);
    assert_int_equal(age(house, at + 4 * HOUR, at + 3 * HOUR, 5), 4);
    assert_int_equal(rows(house, 3600), 3);
    assert_int_equal(sum_of(house, house->partner.account, id).delivered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_minute_counts_for_its_notification_its_account_and_all, house_setup,
            house_teardown),
        cmocka_unit_test_setup_teardown(test_a_minute_that_is_written_twice_is_added_up,
                                        house_setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_a_batch_has_a_number_and_what_is_gone_writes_nothing,
                                        house_setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_a_series_has_its_minutes_and_what_was_before,
                                        house_setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_old_minutes_become_hours_with_nothing_lost,
                                        house_setup, house_teardown),
        cmocka_unit_test_setup_teardown(test_old_hours_are_deleted_a_few_at_a_time, house_setup,
                                        house_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
