/* outcomes_test.c — the floor below which no row is FRESH: what it stays under, and after a start.
 */
#include "postback_house.h"

#include "base/clock.h"
#include "engine/outcomes.h"
#include "engine/recovery.h"

#define OPENED "action_inquiry.opened"

/* Outcomes without an engine around them. */
struct bare {
    struct house *house;
    struct work work;
    struct outcomes *outcomes;
    int settled, shown;
    struct clock_source time;
};

static void settled(void *context, const struct settled *settled)
{
    struct bare *bare = context;
    bare->settled += settled->kind == OUTCOME_AGED;
    bare->shown += settled->kind == OUTCOME_SHOWN;
}

static int setup(void **state)
{
    struct bare *bare = must_alloc(sizeof(*bare));
    void *house = NULL;
    if (house_setup(&house) != 0)
        return -1;
    bare->house = house;
    bare->time = (struct clock_source){ clock_wall_ms(), clock_steady_us() };
    clock_set_source(&bare->time);
    work_init(&bare->work, &bare->house->loop, bare->house->store);
    bare->outcomes = outcomes_new(&(struct outcomes_config){ &bare->work, settled, bare });
    house_notify(bare->house, bare->house->partner.account, OPENED);
    *state = bare;
    return 0;
}

static int teardown(void **state)
{
    struct bare *bare = *state;
    periodics_stop(&bare->work.timers);
    outcomes_free(bare->outcomes);
    uv_run(&bare->house->loop, UV_RUN_NOWAIT);
    void *house = bare->house;
    house_teardown(&house);
    clock_set_source(NULL);
    free(bare);
    return 0;
}

static void pass(struct bare *bare, int64_t seconds)
{
    bare->time.wall_ms += seconds * 1000;
    bare->time.steady_us += seconds * 1000000;
}

/* A postback as the engine has it from a commit. */
static struct postback *fresh(struct bare *bare)
{
    struct published published = { .house = bare->house,
                                   .account = bare->house->partner.account,
                                   .type = OPENED,
                                   .direct = true };
    house_publish_this(bare->house, &published);
    struct postback *postback = container_of(list_first(&published.fresh), struct postback, in);
    list_remove(&postback->in);
    outcomes_hold(bare->outcomes, postback);
    return postback;
}

static void await_jobs(struct bare *bare)
{
    while (bare->work.under_way > 0)
        uv_run(bare->work.loop, UV_RUN_ONCE);
}

static int64_t floor_on_disk(struct bare *bare)
{
    return house_number(bare->house,
                        "SELECT CAST(value AS BIGINT) FROM meta WHERE key LIKE 'fresh_floor%'", 0);
}

static void test_the_floor_stays_under_an_aged_row_until_it_waits_on_disk(void **state)
{
    struct bare *bare = *state;
    struct postback *old = fresh(bare);
    pass(bare, 20);
    struct postback *young = fresh(bare);
    outcomes_seen(bare->outcomes, young->id);

    outcomes_flush(bare->outcomes); /* ages the old one; nothing is on disk yet */
    await_jobs(bare);
    assert_int_equal(state_of(bare->house, old->id), POSTBACK_WAITING);
    assert_int_equal(state_of(bare->house, young->id), -2); /* no row */
    assert_int_equal(floor_on_disk(bare), old->event->id);

    pass(bare, 20);
    outcomes_flush(bare->outcomes); /* ages the young one; the old one holds nothing up any more */
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), young->event->id);
    assert_int_equal(state_of(bare->house, young->id), POSTBACK_WAITING);
    assert_true(list_empty(outcomes_held(bare->outcomes)));
    assert_int_equal(bare->settled, 2);
    postback_free(old);
    postback_free(young);
}

static void test_the_floor_does_not_fall_back_after_a_start(void **state)
{
    struct bare *bare = *state;
    struct error error = { 0 };
    int64_t crashed = house_postback(bare->house, bare->house->partner.account, OPENED, 0);
    struct recovered recovered;
    assert_true(recovery_run(bare->house->store, &recovered, &error));
    assert_int_equal(recovered.undelivered, 1);
    int64_t floor = floor_on_disk(bare);
    assert_int_equal(recovered.floor, floor);
    outcomes_start(bare->outcomes, floor);
    recovery_free(&recovered);
    assert_true(floor > crashed);

    /* An outcome, before anything new was taken in. */
    struct postback *parked = postback_new();
    *parked = (struct postback){ .id = crashed, .due_at = clock_due_ms(), .written = true };
    parked->event = event_new(bare->house->partner.account, catalog_type(OPENED), 0, 0, "{}", 2);
    list_init(&parked->fresh);
    outcomes_add(bare->outcomes, OUTCOME_AGED, parked, NULL, VERDICT_FAILED);
    outcomes_flush(bare->outcomes);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), floor);
}

static void test_the_floor_rises_with_what_waits_though_nothing_goes_out(void **state)
{
    struct bare *bare = *state;
    struct postback *young = fresh(bare);
    int64_t newest = young->id + 1000; /* of rows that wait on disk */
    outcomes_seen(bare->outcomes, newest);
    outcomes_flush(bare->outcomes);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), young->event->id);

    list_remove(&young->fresh);
    postback_free(young);
    pass(bare, 5);
    outcomes_flush(bare->outcomes); /* soon after the last one: not for its own sake */
    assert_int_equal(bare->work.under_way, 0);
    pass(bare, 5);
    outcomes_flush(bare->outcomes);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), newest + 1);
    if (!house_is_a_file(bare->house))
        return; /* where others wait for it, it rises by ids that are drawn for that */
    pass(bare, 20);
    outcomes_flush(bare->outcomes); /* it is written */
    assert_int_equal(bare->work.under_way, 0);
}

static void deliver(struct bare *bare, struct postback *postback)
{
    struct attempt attempt = { .number = 1, .revision = 1, .status = 200, .retry_after_ms = -1 };
    outcomes_add(bare->outcomes, OUTCOME_ATTEMPTED, postback, &attempt, VERDICT_DELIVERED);
    outcomes_flush(bare->outcomes);
    await_jobs(bare);
    list_remove(&postback->fresh);
}

static void test_one_that_is_out_for_a_second_has_a_row(void **state)
{
    struct bare *bare = *state;
    struct postback *slow = fresh(bare);
    outcomes_flush(bare->outcomes);
    periodics_run_due(&bare->work.timers);
    assert_int_equal(bare->work.under_way, 1); /* the floor's */
    await_jobs(bare);
    assert_int_equal(state_of(bare->house, slow->id), -2);
    assert_int_equal(outcomes_horizon(bare->outcomes), slow->event->id);

    pass(bare, 2);
    struct postback *quick = fresh(bare);
    periodics_run_due(&bare->work.timers);
    await_jobs(bare);
    assert_int_equal(bare->shown, 1);
    assert_int_equal(state_of(bare->house, slow->id), POSTBACK_FRESH);
    assert_int_equal(state_of(bare->house, quick->id), -2);
    assert_int_equal(outcomes_horizon(bare->outcomes), quick->event->id);

    deliver(bare, slow);  /* by its row */
    deliver(bare, quick); /* with its row */
    assert_int_equal(state_of(bare->house, slow->id), POSTBACK_DELIVERED);
    assert_int_equal(state_of(bare->house, quick->id), POSTBACK_DELIVERED);
    assert_int_equal(house_number(bare->house, "SELECT count(*) FROM attempt", 0), 1);
    assert_int_equal(outcomes_horizon(bare->outcomes), INT64_MAX);
    assert_int_equal(house_number(bare->house, "SELECT pending FROM notification_count", 0), 0);
    postback_free(slow);
    postback_free(quick);
}

static int64_t rows(struct bare *bare)
{
    return house_number(bare->house, "SELECT count(*) FROM postback WHERE state = 0", 0);
}

static void test_many_that_are_out_get_their_rows_in_parts(void **state)
{
    enum { MANY = 600 };
    struct bare *bare = *state;
    struct postback *held[MANY];
    for (int i = 0; i < MANY; i++)
        held[i] = fresh(bare);
    pass(bare, 2);
    for (int64_t before = 0; before < MANY; before = rows(bare)) {
        outcomes_flush(bare->outcomes); /* looks when the next is due */
        periodics_run_due(&bare->work.timers);
        await_jobs(bare);
        assert_in_range(rows(bare) - before, 1, MANY - 1);
    }
    for (int i = 0; i < MANY; i++) {
        list_remove(&held[i]->fresh);
        postback_free(held[i]);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_floor_stays_under_an_aged_row_until_it_waits_on_disk),
        TEST(test_the_floor_does_not_fall_back_after_a_start),
        TEST(test_one_that_is_out_for_a_second_has_a_row),
        TEST(test_many_that_are_out_get_their_rows_in_parts),
        TEST(test_the_floor_rises_with_what_waits_though_nothing_goes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
