/* replaying_test.c — replays take their steps while the receiver keeps up, each event once. */
#include "engine_house.h"

#include "engine/replays.h"
#include "store/replays.h"

enum { EVENTS = 400 };

struct replaying {
    struct engine_house *engine;
    struct house *house;
    struct replays *replays;
    bool ready; /* the lane is */
    int asked;
    int64_t notification;
};

static bool is_ready(void *context, int64_t notification, size_t postbacks)
{
    struct replaying *replaying = context;
    assert_int_equal(notification, replaying->notification);
    assert_true(postbacks > 0);
    replaying->asked++;
    return replaying->ready;
}

static int64_t horizon(void *context)
{
    (void)context;
    return INT64_MAX;
}

static void start(struct replaying *replaying)
{
    const struct replays_config config = { &replaying->engine->work, is_ready, horizon, replaying };
    replaying->replays = replays_new(&config);
    settle(replaying->engine);
}

/* All events of the account, which nobody wanted when they came. */
static bool do_publish(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    for (int i = 0; i < EVENTS; i++) {
        struct event *event =
            event_new(house->partner.account, catalog_type(OPENED), db_now(db), 0, "{}", 2);
        event_publish(job, db, event);
        event_unref(event);
    }
    return true;
}

static int setup(void **state)
{
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct replaying *replaying = must_alloc(sizeof(*replaying));
    replaying->engine = engine;
    replaying->house = replaying->engine->house;
    replaying->ready = true;
    assert_true(house_do(replaying->house, do_publish, replaying->house, NULL));
    replaying->notification =
        house_notify(replaying->house, replaying->house->partner.account, OPENED);
    start(replaying);
    *state = replaying;
    return 0;
}

static int teardown(void **state)
{
    struct replaying *replaying = *state;
    void *engine = replaying->engine;
    replays_free(replaying->replays);
    free(replaying);
    return engine_house_teardown(&engine);
}

static bool do_add(struct job *job, struct db *db, void *with)
{
    struct replay *replay = with;
    replay->end_at = db_now(db) + 1;
    return replay_add(job, db, replay);
}

static int64_t add(struct replaying *replaying)
{
    struct replay replay = { .account = replaying->house->partner.account,
                             .notification = replaying->notification,
                             .start_at = 1600000000000,
                             .states = REPLAY_ALL_STATES };
    assert_true(house_do(replaying->house, do_add, &replay, NULL));
    return replay.id;
}

static int64_t begin(struct replaying *replaying)
{
    int64_t id = add(replaying);
    replays_begun(replaying->replays, id, replaying->notification);
    settle(replaying->engine);
    return id;
}

static int64_t sent(struct replaying *replaying)
{
    return house_number(replaying->house, "SELECT count(*) FROM postback", 0);
}

static int64_t state_of_replay(struct replaying *replaying, int64_t id)
{
    return house_number(replaying->house, "SELECT state FROM replay WHERE id = ?", id);
}

/* All that waits has arrived. */
static void delivered(struct replaying *replaying)
{
    house_number(replaying->house,
                 "UPDATE postback SET state = 2, attempts = 1, finished_at = 1 RETURNING 1", 0);
}

/* Until it has ended, the receiver keeping up; gives how many steps that wrote anything it took. */
static int run_to_its_end(struct replaying *replaying, int64_t id, int64_t ms)
{
    int steps = 0;
    for (int turns = 0; turns < 2000 && state_of_replay(replaying, id) == REPLAY_RUNNING; turns++) {
        int64_t before = sent(replaying);
        pass_ms(replaying->engine, ms);
        steps += sent(replaying) > before;
        delivered(replaying);
    }
    return steps;
}

static void all_were_sent_once(struct replaying *replaying)
{
    assert_int_equal(sent(replaying), EVENTS);
    assert_int_equal(
        house_number(replaying->house, "SELECT count(DISTINCT event) FROM postback", 0), EVENTS);
}

static void test_a_quick_receiver_gets_more_at_once(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    int steps = run_to_its_end(replaying, id, 10);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_DONE);
    all_were_sent_once(replaying);
    assert_true(steps < EVENTS / 16 / 2);
    assert_int_equal(house_number(replaying->house, "SELECT sent FROM replay WHERE id = ?", id),
                     EVENTS);
}

static void test_a_slow_receiver_gets_fewer_at_once(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    int steps = run_to_its_end(replaying, id, 3 * SECOND_MS);
    all_were_sent_once(replaying);
    assert_true(steps > EVENTS / 16);
}

static void test_it_waits_while_what_it_wrote_waits(void **state)
{
    struct replaying *replaying = *state;
    begin(replaying);
    pass_in_steps(replaying->engine, SECOND_MS, 10);
    int64_t few = sent(replaying);
    assert_true(few > 0 && few < 100);
    pass_in_steps(replaying->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(sent(replaying), few);
    delivered(replaying);
    pass_in_steps(replaying->engine, SECOND_MS, 10);
    assert_true(sent(replaying) > few);
}

static void test_it_waits_for_a_lane_that_is_not_ready(void **state)
{
    struct replaying *replaying = *state;
    replaying->ready = false;
    int64_t id = begin(replaying);
    pass_in_steps(replaying->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(sent(replaying), 0);
    assert_true(replaying->asked <= 2 * 60 + 4); /* twice a second */
    assert_int_equal(house_number(replaying->house, "SELECT total FROM replay WHERE id = ?", id),
                     EVENTS); /* counted it is */
    replaying->ready = true;
    run_to_its_end(replaying, id, 10);
    all_were_sent_once(replaying);
}

static void test_a_restart_goes_on_where_it_was(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    while (sent(replaying) < EVENTS / 4) {
        pass_ms(replaying->engine, 10);
        delivered(replaying);
    }
    replays_free(replaying->replays);
    start(replaying);
    run_to_its_end(replaying, id, 10);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_DONE);
    all_were_sent_once(replaying);
}

static void test_a_restart_that_cannot_read_just_now_reads_again(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    replays_free(replaying->replays);
    fault_arm(&fault.allocs_left, 1);
    start(replaying);
    assert_true(fault_fired(&fault.allocs_left));
    run_to_its_end(replaying, id, 10);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_DONE);
    all_were_sent_once(replaying);
}

static void test_a_full_disk_loses_none_and_sends_none_twice(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    for (int round = 0; round < 6; round++) {
        disk_full(true);
        pass_in_steps(replaying->engine, 2 * SECOND_MS, SECOND_MS / 2);
        disk_full(false);
        pass_in_steps(replaying->engine, SECOND_MS, SECOND_MS / 2);
        delivered(replaying);
    }
    run_to_its_end(replaying, id, 10);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_DONE);
    all_were_sent_once(replaying);
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    const struct replay *replay = with;
    return replay_cancel(job, db, replay->account, replay->notification, replay->id);
}

static void test_a_cancelled_one_ends_by_itself(void **state)
{
    struct replaying *replaying = *state;
    struct replay replay = { .account = replaying->house->partner.account,
                             .notification = replaying->notification };
    replay.id = begin(replaying);
    assert_true(house_do(replaying->house, do_cancel, &replay, NULL));
    delivered(replaying);
    int64_t before = sent(replaying);
    pass_in_steps(replaying->engine, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(sent(replaying), before);
    assert_int_equal(state_of_replay(replaying, replay.id), REPLAY_CANCELLED);
    int asked = replaying->asked;
    pass_in_steps(replaying->engine, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(replaying->asked, asked);
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    (void)job;
    return notification_delete(db, 0, *(int64_t *)with);
}

static void test_it_ends_with_its_notification(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    assert_true(house_do(replaying->house, do_delete, &replaying->notification, NULL));
    pass_in_steps(replaying->engine, 2 * SECOND_MS, SECOND_MS / 2);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_CANCELLED);
}

static void test_one_that_is_begun_twice_is_one(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = add(replaying);
    replays_free(replaying->replays);
    start(replaying); /* which finds it on disk, while the change that began it is on its way */
    replays_begun(replaying->replays, id, replaying->notification);
    run_to_its_end(replaying, id, 10);
    all_were_sent_once(replaying);
}

static void test_a_stop_takes_no_further_step(void **state)
{
    struct replaying *replaying = *state;
    int64_t id = begin(replaying);
    work_stop(&replaying->engine->work);
    await_jobs(replaying->engine);
    delivered(replaying);
    int64_t before = sent(replaying);
    pass_in_steps(replaying->engine, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(sent(replaying), before);
    assert_int_equal(state_of_replay(replaying, id), REPLAY_RUNNING);
}

#define REPLAYING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAYING(test_a_quick_receiver_gets_more_at_once),
        REPLAYING(test_a_slow_receiver_gets_fewer_at_once),
        REPLAYING(test_it_waits_while_what_it_wrote_waits),
        REPLAYING(test_it_waits_for_a_lane_that_is_not_ready),
        REPLAYING(test_a_restart_goes_on_where_it_was),
        REPLAYING(test_a_restart_that_cannot_read_just_now_reads_again),
        REPLAYING(test_a_full_disk_loses_none_and_sends_none_twice),
        REPLAYING(test_a_cancelled_one_ends_by_itself),
        REPLAYING(test_it_ends_with_its_notification),
        REPLAYING(test_one_that_is_begun_twice_is_one),
        REPLAYING(test_a_stop_takes_no_further_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
