/* outcomes_test.c — the floor below which no row is FRESH: what it stays under, and after a start.
 */
#include "postback_house.h"

#include "base/clock.h"
#include "engine/state.h"

#define OPENED "action_inquiry.opened"

/* An engine of what outcomes and the recovery need: no courier, nothing is sent. */
struct bare {
    struct house *house;
    struct engine engine;
    struct clock_source time;
};

static int setup(void **state)
{
    struct bare *bare = must_alloc(sizeof(*bare));
    void *house = NULL;
    if (house_setup(&house) != 0)
        return -1;
    bare->house = house;
    bare->time = (struct clock_source){ clock_wall_ms(), clock_steady_us() };
    clock_set_source(&bare->time);
    bare->engine.loop = &bare->house->loop;
    bare->engine.store = bare->house->store;
    bare->engine.writable = true;
    bare->engine.stopping = true; /* nothing is read back */
    list_init(&bare->engine.fresh);
    list_init(&bare->engine.outcomes);
    uv_timer_init(bare->engine.loop, &bare->engine.wake_timer);
    house_notify(bare->house, bare->house->partner.account, OPENED);
    *state = bare;
    return 0;
}

static int teardown(void **state)
{
    struct bare *bare = *state;
    struct feed *feed;
    size_t at = 0;
    outcomes_free(&bare->engine);
    while ((feed = map_each(&bare->engine.feeds, &at)) != NULL)
        feed_free(feed);
    map_free(&bare->engine.feeds);
    for (struct list *node; (node = list_first(&bare->engine.fresh)) != NULL;) {
        list_remove(node);
        postback_free(container_of(node, struct postback, fresh));
    }
    heap_free(&bare->engine.wakes);
    uv_close((uv_handle_t *)&bare->engine.wake_timer, NULL);
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
    list_append(&bare->engine.fresh, &postback->fresh);
    return postback;
}

static void await_jobs(struct bare *bare)
{
    while (bare->engine.jobs > 0)
        uv_run(bare->engine.loop, UV_RUN_ONCE);
}

static int64_t floor_on_disk(struct bare *bare)
{
    return house_number(bare->house,
                        "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'fresh_floor'", 0);
}

static void test_the_floor_stays_under_an_aged_row_until_it_waits_on_disk(void **state)
{
    struct bare *bare = *state;
    struct engine *engine = &bare->engine;
    struct postback *old = fresh(bare);
    pass(bare, 20);
    struct postback *young = fresh(bare);
    engine->newest = young->id;

    outcomes_flush(engine); /* ages the old one; nothing is on disk yet */
    assert_int_equal(engine->floor, old->id);
    await_jobs(bare);
    assert_int_equal(state_of(bare->house, old->id), POSTBACK_WAITING);
    assert_int_equal(state_of(bare->house, young->id), POSTBACK_FRESH);
    assert_int_equal(floor_on_disk(bare), old->id);

    pass(bare, 20);
    outcomes_flush(engine); /* ages the young one; the old one holds nothing up any more */
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), young->id);
    assert_int_equal(state_of(bare->house, young->id), POSTBACK_WAITING);
    assert_true(list_empty(&engine->fresh));
    postback_free(old);
    postback_free(young);
}

static void test_the_floor_does_not_fall_back_after_a_start(void **state)
{
    struct bare *bare = *state;
    struct engine *engine = &bare->engine;
    struct error error = { 0 };
    int64_t crashed = house_postback(bare->house, bare->house->partner.account, OPENED, 0);
    assert_true(engine_recover(engine, &error));
    int64_t floor = floor_on_disk(bare);
    assert_true(floor > crashed);

    /* An outcome, before anything new was taken in. */
    struct postback *parked = postback_new();
    *parked = (struct postback){ .id = crashed, .due_at = clock_due_ms() };
    list_init(&parked->fresh);
    outcome_add(engine, OUTCOME_AGED, parked, NULL, VERDICT_FAILED);
    outcomes_flush(engine);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), floor);
}

static void test_the_floor_rises_with_what_waits_though_nothing_goes_out(void **state)
{
    struct bare *bare = *state;
    struct engine *engine = &bare->engine;
    struct postback *young = fresh(bare);
    engine->newest = young->id + 1000; /* of rows that wait on disk */
    outcomes_flush(engine);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), young->id);

    list_remove(&young->fresh);
    postback_free(young);
    pass(bare, 5);
    outcomes_flush(engine); /* soon after the last one: not for its own sake */
    assert_int_equal(engine->jobs, 0);
    pass(bare, 5);
    outcomes_flush(engine);
    await_jobs(bare);
    assert_int_equal(floor_on_disk(bare), engine->newest + 1);
    pass(bare, 20);
    outcomes_flush(engine); /* it is written */
    assert_int_equal(engine->jobs, 0);
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
