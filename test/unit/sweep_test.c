/* sweep_test.c — when a sweep takes its steps, and that one which failed is taken again. */
#include "engine_house.h"

#include "engine/sweep.h"

enum { FIRST_MS = 5000, EVERY_MS = 60000, REST_MS = 20, STEPS_MOST = 64 };

/* What its steps did: written by the writer, read while none is under way. */
static struct {
    int steps, more;          /* so many of them have more behind them */
    int64_t took_us;          /* by the test's clock, each */
    bool writes;              /* or the disk does not notice */
    int64_t seen[STEPS_MOST]; /* the state that each one found */
    struct sweep_times times;
    int64_t told; /* of what was committed */
    struct clock_source *time;
} did;

static bool step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    int64_t *place = state;
    (void)job;
    did.seen[did.steps % STEPS_MOST] = *place;
    did.steps++;
    did.times = *times;
    *place += 10;
    did.time->steady_us += did.took_us;
    if (did.writes) {
        struct stmt *put = db_prepare_once(
            db, "INSERT INTO meta (key, value) VALUES ('swept', ?1) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value || meta.value");
        char text[1001];
        memset(text, 'x', 1000);
        text[1000] = '\0';
        db_bind_text(put, 1, text);
        db_run(db, put);
    }
    return did.steps < did.more;
}

static void stepped(const void *state)
{
    did.told = *(const int64_t *)state;
}

static const struct sweep_rule rule = {
    .first_ms = FIRST_MS,
    .every_ms = EVERY_MS,
    .rest_ms = REST_MS,
    .size = sizeof(int64_t),
    .step = step,
    .stepped = stepped,
};

static const struct sweep_rule gentle_rule = {
    .first_ms = FIRST_MS,
    .every_ms = EVERY_MS,
    .rest_ms = REST_MS,
    .share = 10,
    .size = sizeof(int64_t),
    .step = step,
};

static struct sweep *begin(struct engine_house *engine, const struct sweep_rule *own, int64_t age)
{
    memset(&did, 0, sizeof(did));
    did.time = &engine->time;
    return sweep_new(&engine->work, own, age);
}

static void test_it_looks_first_after_its_time_and_then_each_period(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 1);
    pass_ms(engine, FIRST_MS - 1);
    assert_int_equal(did.steps, 0);
    pass_ms(engine, 1);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, EVERY_MS - 1);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, 1);
    assert_int_equal(did.steps, 2);
    sweep_free(sweep);
}

static void test_while_there_is_more_it_rests_only_a_little(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 1);
    did.more = 3;
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, REST_MS - 1);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, 1);
    assert_int_equal(did.steps, 2);
    pass_ms(engine, REST_MS);
    assert_int_equal(did.steps, 3); /* which was the last one */
    pass_ms(engine, EVERY_MS - 1);
    assert_int_equal(did.steps, 3);
    assert_int_equal(did.seen[0], 0);
    assert_int_equal(did.seen[1], 10);
    assert_int_equal(did.seen[2], 20);
    assert_int_equal(did.told, 30);
    assert_int_equal(*(const int64_t *)sweep_state(sweep), 30);
    sweep_free(sweep);
}

static void test_a_step_that_was_not_committed_is_taken_again(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 1);
    did.writes = true;
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.told, 10);
    disk_full(true);
    int before = did.steps;
    for (int tries = 0; tries < 3; tries++)
        pass_ms(engine, tries == 0 ? EVERY_MS : SECOND_MS);
    assert_true(did.steps >= before + 3);
    assert_int_equal(did.told, 10);
    assert_int_equal(*(const int64_t *)sweep_state(sweep), 10);
    disk_full(false);
    int failed = did.steps;
    pass_ms(engine, SECOND_MS - 1);
    assert_int_equal(did.steps, failed);
    pass_ms(engine, 1);
    assert_int_equal(did.seen[did.steps - 1], 10); /* from where it stood */
    assert_int_equal(did.told, 20);
    sweep_free(sweep);
}

static void test_while_the_store_takes_no_writes_it_takes_no_step(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 1);
    engine->work.writable = false;
    pass_in_steps(engine, 2 * EVERY_MS, SECOND_MS);
    assert_int_equal(did.steps, 0);
    engine->work.writable = true;
    pass_ms(engine, SECOND_MS);
    assert_int_equal(did.steps, 1);
    sweep_free(sweep);
}

static void test_without_an_age_it_rests(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 0);
    pass_in_steps(engine, 2 * EVERY_MS, SECOND_MS);
    assert_int_equal(did.steps, 0);
    sweep_set_age(sweep, HOUR_MS);
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.steps, 1);
    assert_int_equal(did.times.age_ms, HOUR_MS);
    sweep_set_age(sweep, 2 * (int64_t)HOUR_MS); /* the look that is to come takes it */
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, EVERY_MS - FIRST_MS);
    assert_int_equal(did.steps, 2);
    assert_int_equal(did.times.age_ms, 2 * (int64_t)HOUR_MS);
    sweep_set_age(sweep, 0);
    pass_in_steps(engine, 2 * EVERY_MS, SECOND_MS);
    assert_int_equal(did.steps, 2);
    sweep_free(sweep);
}

static void test_a_clock_that_jumps_ahead_makes_nothing_old(void **state)
{
    struct engine_house *engine = *state;
    int64_t began = clock_wall_ms();
    struct sweep *sweep = begin(engine, &rule, 1);
    engine->time.wall_ms += 400 * 24 * (int64_t)HOUR_MS;
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.times.now_ms, began + FIRST_MS);
    engine->time.wall_ms = began - HOUR_MS; /* set back: it is followed */
    pass_ms(engine, EVERY_MS);
    assert_int_equal(did.times.now_ms, began - HOUR_MS + EVERY_MS);
    sweep_free(sweep);
}

static void test_its_part_of_the_writer_is_one_in_so_many(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &gentle_rule, 1);
    did.more = 100;
    did.took_us = 50000;
    pass_ms(engine, FIRST_MS);
    assert_int_equal(did.steps, 1);
    pass_ms(engine, 9 * 50 - 1);
    assert_int_equal(did.steps, 1);
    did.took_us = 500000;
    pass_ms(engine, 1);
    assert_int_equal(did.steps, 2);
    pass_ms(engine, SECOND_MS - 1); /* nine times as long, but a second at most */
    assert_int_equal(did.steps, 2);
    did.took_us = 1;
    pass_ms(engine, 1);
    assert_int_equal(did.steps, 3);
    pass_ms(engine, REST_MS); /* and rest_ms at least */
    assert_int_equal(did.steps, 4);
    sweep_free(sweep);
}

static void test_once_it_stops_it_takes_no_step(void **state)
{
    struct engine_house *engine = *state;
    struct sweep *sweep = begin(engine, &rule, 1);
    pass_ms(engine, FIRST_MS);
    work_stop(&engine->work);
    pass_in_steps(engine, 3 * EVERY_MS, EVERY_MS);
    assert_int_equal(did.steps, 1);
    sweep_free(sweep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_it_looks_first_after_its_time_and_then_each_period),
        IN_ENGINE(test_while_there_is_more_it_rests_only_a_little),
        IN_ENGINE(test_a_step_that_was_not_committed_is_taken_again),
        IN_ENGINE(test_while_the_store_takes_no_writes_it_takes_no_step),
        IN_ENGINE(test_without_an_age_it_rests),
        IN_ENGINE(test_a_clock_that_jumps_ahead_makes_nothing_old),
        IN_ENGINE(test_its_part_of_the_writer_is_one_in_so_many),
        IN_ENGINE(test_once_it_stops_it_takes_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
