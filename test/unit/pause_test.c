/* pause_test.c — the operator's pause from its plan to the end of the catch-up, step by step. */
#include "engine_house.h"

#include "engine/maintenance.h"
#include "model/date.h"
#include "store/maintenance.h"

#define STARTED "system.maintenance_started"

struct pausing {
    struct engine_house *engine;
    struct house *house;
    struct holds holds;
    int held, lifted; /* how often */
    struct list fresh;
    int64_t stuck; /* a notification; 0: none is */
    struct pause *pause;
    int64_t account;
};

static void hold(void *context, bool held)
{
    struct pausing *pausing = context;
    *(held ? &pausing->held : &pausing->lifted) += 1;
}

static bool is_stuck(void *context, int64_t notification)
{
    return ((struct pausing *)context)->stuck == notification;
}

static void start(struct pausing *pausing)
{
    struct error error = { 0 };
    const struct maintenance_config config = { .work = &pausing->engine->work,
                                               .holds = &pausing->holds,
                                               .fresh = &pausing->fresh,
                                               .is_stuck = is_stuck,
                                               .context = pausing };
    pausing->pause = maintenance_new(&config, &error);
    assert_non_null(pausing->pause);
}

static int setup(void **state)
{
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct pausing *pausing = must_alloc(sizeof(*pausing));
    pausing->engine = engine;
    pausing->house = pausing->engine->house;
    pausing->holds = (struct holds){ .changed = hold, .context = pausing };
    list_init(&pausing->fresh);
    pausing->account = pausing->house->partner.account;
    start(pausing);
    *state = pausing;
    return 0;
}

static int teardown(void **state)
{
    struct pausing *pausing = *state;
    void *engine = pausing->engine;
    maintenance_free(pausing->pause);
    free(pausing);
    return engine_house_teardown(&engine);
}

static void restart(struct pausing *pausing)
{
    maintenance_free(pausing->pause);
    pausing->holds.reasons = 0;
    start(pausing);
}

/* ---- what the operator does ---- */

static bool do_plan(struct job *job, struct db *db, void *with)
{
    struct maintenance plan = { .start_at = *(const int64_t *)with,
                                .expected_end_at = DATE_NONE,
                                .started_at = DATE_NONE,
                                .ended_at = DATE_NONE,
                                .message = must_copy("New disks") };
    bool done = maintenance_add(job, db, &plan);
    maintenance_clear(&plan);
    return done;
}

static void plan_for(struct pausing *pausing, int64_t start_at)
{
    assert_true(house_do(pausing->house, do_plan, &start_at, NULL));
    maintenance_changed(pausing->pause);
    settle(pausing->engine);
}

static void begin(struct pausing *pausing)
{
    plan_for(pausing, clock_wall_ms());
}

static bool do_end(struct job *job, struct db *db, void *with)
{
    struct maintenance ended = { 0 };
    (void)with;
    bool done = maintenance_end(job, db, &ended);
    maintenance_clear(&ended);
    return done;
}

static void end(struct pausing *pausing)
{
    assert_true(house_do(pausing->house, do_end, NULL, NULL));
    maintenance_changed(pausing->pause);
    settle(pausing->engine);
}

/* ---- what is to be seen ---- */

static enum maintenance_state state_now(struct pausing *pausing)
{
    return (enum maintenance_state)house_number(
        pausing->house, "SELECT state FROM maintenance ORDER BY id DESC LIMIT 1", 0);
}

static bool is_held(const struct pausing *pausing)
{
    return holds_have(&pausing->holds, HOLD_MAINTENANCE);
}

static int64_t told(struct pausing *pausing, int64_t account)
{
    return house_number(pausing->house, "SELECT count(*) FROM notice WHERE account = ?", account);
}

static struct maintenance_progress progress(struct pausing *pausing)
{
    struct maintenance_progress now;
    maintenance_progress(pausing->pause,
                         house_number(pausing->house, "SELECT max(id) FROM maintenance", 0), &now);
    return now;
}

static void subscriber_was_tried(struct pausing *pausing)
{
    struct told_attempt attempt;
    told_attempt_make(&attempt, pausing->account, 1, STARTED, 200, 1000);
    maintenance_ended(pausing->pause, &attempt.ended);
    told_attempt_clear(&attempt);
    settle(pausing->engine);
}

/* ---- beginning ---- */

static void test_without_subscribers_it_holds_once_all_are_told(void **state)
{
    struct pausing *pausing = *state;
    begin(pausing);
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
    assert_true(is_held(pausing));
    assert_int_equal(told(pausing, pausing->account), 1);
    assert_int_equal(told(pausing, pausing->house->brand.account), 1);
    pass_in_steps(pausing->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(told(pausing, pausing->account), 1);
    assert_int_equal(pausing->held, 1);
}

static void test_it_holds_when_those_who_subscribed_were_tried(void **state)
{
    struct pausing *pausing = *state;
    house_notify(pausing->house, pausing->account, STARTED);
    house_notify(pausing->house, pausing->house->brand.account, STARTED);
    begin(pausing);
    pass_ms(pausing->engine, SECOND_MS);
    assert_false(is_held(pausing));
    subscriber_was_tried(pausing);
    assert_false(is_held(pausing));
    subscriber_was_tried(pausing);
    assert_true(is_held(pausing));
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
}

static void test_one_who_hangs_keeps_it_waiting_for_seconds_only(void **state)
{
    struct pausing *pausing = *state;
    house_notify(pausing->house, pausing->account, STARTED);
    begin(pausing);
    pass_ms(pausing->engine, MAINTENANCE_WAIT_MS - 1);
    assert_false(is_held(pausing));
    assert_int_equal(state_now(pausing), MAINTENANCE_STARTING);
    pass_ms(pausing->engine, 1);
    assert_true(is_held(pausing));
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
}

static void test_a_plan_is_told_and_begins_at_its_time(void **state)
{
    struct pausing *pausing = *state;
    plan_for(pausing, clock_wall_ms() + HOUR_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_SCHEDULED);
    assert_int_equal(told(pausing, pausing->account), 1);
    pass_in_steps(pausing->engine, HOUR_MS - SECOND_MS, MINUTE_MS / 2 - 500);
    assert_int_equal(state_now(pausing), MAINTENANCE_SCHEDULED);
    pass_in_steps(pausing->engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
    assert_int_equal(told(pausing, pausing->account), 2);
}

static void test_a_plan_follows_a_clock_that_is_set(void **state)
{
    struct pausing *pausing = *state;
    plan_for(pausing, clock_wall_ms() + 10 * (int64_t)HOUR_MS);
    pausing->engine->time.wall_ms += 11 * (int64_t)HOUR_MS;
    pass_ms(pausing->engine, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
}

static void test_a_plan_that_is_cancelled_never_holds(void **state)
{
    struct pausing *pausing = *state;
    plan_for(pausing, clock_wall_ms() + HOUR_MS);
    end(pausing);
    assert_int_equal(state_now(pausing), MAINTENANCE_OVER);
    assert_int_equal(told(pausing, pausing->account), 2);
    pass_in_steps(pausing->engine, 2 * HOUR_MS, MINUTE_MS);
    assert_int_equal(pausing->held, 0);
}

static bool do_add_accounts(struct job *job, struct db *db, void *with)
{
    struct caller caller;
    (void)job;
    for (int i = 0; i < *(int *)with; i++)
        house_account(db, ACCOUNT_PARTNER, "One of many", &caller);
    return true;
}

static void test_many_accounts_are_told_once_each_over_a_full_disk_and_a_restart(void **state)
{
    struct pausing *pausing = *state;
    int many = 700;
    assert_true(house_do(pausing->house, do_add_accounts, &many, NULL));
    int64_t start_at = clock_wall_ms();
    assert_true(house_do(pausing->house, do_plan, &start_at, NULL));
    disk_full(true);
    maintenance_changed(pausing->pause);
    pass_in_steps(pausing->engine, 5 * SECOND_MS, SECOND_MS);
    assert_false(is_held(pausing));
    disk_full(false);
    restart(pausing);
    pass_in_steps(pausing->engine, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_ON);
    assert_int_equal(house_number(pausing->house, "SELECT count(DISTINCT account) FROM notice", 0),
                     house_number(pausing->house, "SELECT count(*) FROM notice", 0));
    assert_true(house_number(pausing->house, "SELECT count(*) FROM notice", 0) >= many);
}

static void test_a_restart_holds_before_anything_is_sent(void **state)
{
    struct pausing *pausing = *state;
    int64_t since, until;
    begin(pausing);
    restart(pausing);
    assert_true(is_held(pausing)); /* before a turn of the loop */
    maintenance_span(pausing->pause, &since, &until);
    assert_true(since != DATE_NONE && until == DATE_NONE);
}

/* ---- ending ---- */

static void test_the_end_lifts_the_hold_and_is_over_once_all_is_gone(void **state)
{
    struct pausing *pausing = *state;
    house_notify_late(pausing->house, pausing->account, 1);
    begin(pausing);
    int64_t first = house_waiting(pausing->house, pausing->account);
    int64_t second = house_waiting(pausing->house, pausing->account);
    pass_ms(pausing->engine, MINUTE_MS);
    end(pausing);
    assert_false(is_held(pausing));
    assert_int_equal(state_now(pausing), MAINTENANCE_CATCHING_UP);
    assert_int_equal(progress(pausing).total, 2);
    assert_int_equal(progress(pausing).left, 2);
    house_delivered(pausing->house, first);
    pass_in_steps(pausing->engine, 2 * SECOND_MS, SECOND_MS);
    assert_int_equal(progress(pausing).left, 1);
    assert_int_equal(state_now(pausing), MAINTENANCE_CATCHING_UP);
    restart(pausing); /* it goes on from the row */
    pass_in_steps(pausing->engine, 2 * SECOND_MS, SECOND_MS);
    assert_false(is_held(pausing));
    assert_int_equal(progress(pausing).total, 2);
    house_delivered(pausing->house, second);
    pass_in_steps(pausing->engine, 2 * SECOND_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_OVER);
    assert_int_equal(progress(pausing).left, 0);
}

static void test_a_receiver_that_is_stuck_is_counted_apart(void **state)
{
    struct pausing *pausing = *state;
    pausing->stuck = house_notify_late(pausing->house, pausing->account, 1);
    begin(pausing);
    house_waiting(pausing->house, pausing->account);
    pass_ms(pausing->engine, MINUTE_MS);
    end(pausing);
    pass_in_steps(pausing->engine, 2 * SECOND_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_OVER);
    assert_int_equal(progress(pausing).left, 0);
    assert_int_equal(progress(pausing).down, 1);
}

/* What came straight into memory is in no index; it is part of what is left all the same. */
static void test_what_is_in_memory_alone_is_counted_too(void **state)
{
    struct pausing *pausing = *state;
    begin(pausing);
    struct postback *postback = postback_new();
    postback->notification = 7;
    postback->due_at = clock_due_ms();
    list_append(&pausing->fresh, &postback->fresh);
    pass_ms(pausing->engine, SECOND_MS);
    end(pausing);
    assert_int_equal(progress(pausing).left, 1);
    assert_int_equal(state_now(pausing), MAINTENANCE_CATCHING_UP);
    list_remove(&postback->fresh);
    postback_free(postback);
    pass_in_steps(pausing->engine, 2 * SECOND_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_OVER);
}

static void test_a_full_disk_puts_the_end_off_and_loses_nothing(void **state)
{
    struct pausing *pausing = *state;
    begin(pausing);
    assert_true(house_do(pausing->house, do_end, NULL, NULL));
    disk_full(true);
    maintenance_changed(pausing->pause);
    pass_in_steps(pausing->engine, 3 * SECOND_MS, SECOND_MS);
    disk_full(false);
    pass_in_steps(pausing->engine, 3 * SECOND_MS, SECOND_MS);
    assert_int_equal(state_now(pausing), MAINTENANCE_OVER);
    assert_false(is_held(pausing));
    assert_int_equal(pausing->held, 1);
    assert_int_equal(pausing->lifted, 1);
}

static void test_a_plan_that_cannot_be_read_just_now_is_read_again(void **state)
{
    struct pausing *pausing = *state;
    int64_t start_at = clock_wall_ms() + HOUR_MS;
    assert_true(house_do(pausing->house, do_plan, &start_at, NULL));
    fault_arm(&fault.allocs_left, 1);
    maintenance_changed(pausing->pause);
    settle(pausing->engine);
    assert_true(fault_fired(&fault.allocs_left));
    assert_int_equal(told(pausing, pausing->account), 0);
    pass_in_steps(pausing->engine, 3 * SECOND_MS, SECOND_MS);
    assert_int_equal(told(pausing, pausing->account), 1);
}

#define PAUSING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAUSING(test_without_subscribers_it_holds_once_all_are_told),
        PAUSING(test_it_holds_when_those_who_subscribed_were_tried),
        PAUSING(test_one_who_hangs_keeps_it_waiting_for_seconds_only),
        PAUSING(test_a_plan_is_told_and_begins_at_its_time),
        PAUSING(test_a_plan_follows_a_clock_that_is_set),
        PAUSING(test_a_plan_that_is_cancelled_never_holds),
        PAUSING(test_many_accounts_are_told_once_each_over_a_full_disk_and_a_restart),
        PAUSING(test_a_restart_holds_before_anything_is_sent),
        PAUSING(test_the_end_lifts_the_hold_and_is_over_once_all_is_gone),
        PAUSING(test_a_receiver_that_is_stuck_is_counted_apart),
        PAUSING(test_what_is_in_memory_alone_is_counted_too),
        PAUSING(test_a_full_disk_puts_the_end_off_and_loses_nothing),
        PAUSING(test_a_plan_that_cannot_be_read_just_now_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
