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
    int settled;
    struct clock_source time;
};

static void settled(void *context, const struct settled *settled)
{
    struct bare *bare = context;
    assert_int_equal(settled->kind, OUTCOME_AGED);
    bare->settled++;
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
    bare->work =
        (struct work){ .loop = &bare->house->loop, .store = bare->house->store, .writable = true };
    bare->outcomes = outcomes_new(&(struct outcomes_config){ &bare->work, settled, bare });
    house_notify(bare->house, bare->house->partner.account, OPENED);
    *state = bare;
    return 0;
}

static int teardown(void **state)
{
    struct bare *bare = *state;
    outcomes_free(bare->outcomes);
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

/* A FRESH row, and the postback as the engine has it. */
static struct postback *fresh(struct bare *bare)
{
    struct postback *postback = postback_new();
    postback->id = house_postback(bare->house, bare->house->partner.account, OPENED, 0);
    postback->due_at = clock_due_ms();
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
                        "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'fresh_floor'", 0);
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
    assert_int_equal(state_of(bare->house, young->id), POSTBACK_FRESH);
    assert_int_equal(floor_on_disk(bare), old->id);

    pass(bare, 20);
    outcomes_flush(bare->outcomes); /* ages the young one; the old one holds nothing up any more */
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), young->id);
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
    *parked = (struct postback){ .id = crashed, .due_at = clock_due_ms() };
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
    assert_int_equal(floor_on_disk(bare), young->id);

    list_remove(&young->fresh);
    postback_free(young);
    pass(bare, 5);
    outcomes_flush(bare->outcomes); /* soon after the last one: not for its own sake */
    assert_int_equal(bare->work.under_way, 0);
    pass(bare, 5);
    outcomes_flush(bare->outcomes);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), newest + 1);
    pass(bare, 20);
    outcomes_flush(bare->outcomes); /* it is written */
    assert_int_equal(bare->work.under_way, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_floor_stays_under_an_aged_row_until_it_waits_on_disk),
        TEST(test_the_floor_does_not_fall_back_after_a_start),
        TEST(test_the_floor_rises_with_what_waits_though_nothing_goes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
