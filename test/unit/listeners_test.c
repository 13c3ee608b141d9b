/* listeners_test.c — what a job has changed reaches the engine with the commit: nobody calls it. */
#include "model/date.h"
#include "postback_house.h"

#include "engine/engine.h"
#include "engine/marks.h"
#include "model/maintenance.h"
#include "store/maintenance.h"
#include "store/replays.h"
#include "until.h"

#define OPENED "action_inquiry.opened"

struct town {
    struct house *house;
    struct engine *engine;
    uv_timer_t ticks; /* the engine's timers alone do not keep the loop going */
    int64_t account, notification, postback;
};

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Its postbacks wait for an hour: nothing is sent. */
static int setup(void **state)
{
    struct town *town = must_alloc(sizeof(*town));
    void *house = NULL;
    if (house_setup(&house) != 0)
        return -1;
    town->house = house;
    town->account = town->house->partner.account;
    struct engine_config config = { .loop = &town->house->loop,
                                    .store = town->house->store,
                                    .lateness = { 15 * 60 * 1000, 60 * 60 * 1000 } };
    struct error error = { 0 };
    uv_timer_init(config.loop, &town->ticks);
    uv_timer_start(&town->ticks, tick, 1, 1);
    town->engine = engine_new(&config, &error);
    assert_non_null(town->engine);
    struct new_notification new = { .account = town->account,
                                    .types = OPENED,
                                    .minimum_delay_s = 3600 };
    assert_true(house_do(town->house, house_add_notification, &new, NULL));
    town->notification = new.id;
    *state = town;
    return 0;
}

static int teardown(void **state)
{
    struct town *town = *state;
    void *house = town->house;
    uv_close((uv_handle_t *)&town->ticks, NULL);
    engine_stop(town->engine, 0);
    engine_free(town->engine);
    int failed = house_teardown(&house);
    free(town);
    return failed;
}

static void turn(struct town *town)
{
    uv_run(&town->house->loop, UV_RUN_NOWAIT);
}

static int64_t lanes(struct town *town)
{
    struct engine_figures figures;
    turn(town);
    engine_figures(town->engine, &figures);
    return figures.lanes;
}

static int64_t number(struct town *town, const char *sql)
{
    turn(town);
    return house_number(town->house, sql, 0);
}

/* ---- what jobs do ---- */

static bool do_publish(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    struct published published = { .account = town->account, .type = OPENED };
    return house_publish_run(job, db, &published);
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    return postback_cancel(job, db, town->account, town->postback);
}

static bool do_cancel_and_fail(struct job *job, struct db *db, void *with)
{
    do_cancel(job, db, with);
    error_set(&job->error, ERROR_CONFLICT, "changed its mind");
    return false;
}

static bool do_revoke(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    static const unsigned char hash[TOKEN_HASH_BYTES] = { 1 };
    (void)job;
    return token_revoke(db, town->account,
                        token_add(db, town->account, SCOPE_API, "", DATE_NONE, hash));
}

static bool do_pause(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    (void)job;
    return notification_set_state(db, town->account, town->notification, NOTIFICATION_PAUSED, NULL);
}

static bool do_resume(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    (void)job;
    return notification_set_state(db, town->account, town->notification, NOTIFICATION_ACTIVE, NULL);
}

static bool do_hold(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    int64_t account;
    (void)job;
    return notification_hold(db, town->notification, 1, "gone", &account);
}

static bool do_replay(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    struct replay replay = { .account = town->account,
                             .notification = town->notification,
                             .end_at = db_now(db) };
    return replay_add(job, db, &replay);
}

static bool do_maintain(struct job *job, struct db *db, void *with)
{
    char message[] = "";
    struct maintenance maintenance = { .message = message, .expected_end_at = db_now(db) };
    (void)with;
    return maintenance_add(job, db, &maintenance);
}

/* ---- what the engine does then ---- */

static bool changed(struct town *town, int64_t account, const struct marks_seen *seen)
{
    return marks_changed(engine_marks(town->engine), account, seen, 0);
}

/* All that there is is seen now. */
static struct marks_seen seen_now(struct town *town)
{
    struct marks_seen seen = { 0 };
    marks_see(engine_marks(town->engine), &seen);
    assert_false(changed(town, town->account, &seen)); /* and from now on it is looked at */
    assert_false(changed(town, town->house->other_partner.account, &seen));
    assert_false(changed(town, 0, &seen));
    return seen;
}

static void test_an_accounts_mark_follows_what_its_people_look_at(void **state)
{
    struct town *town = *state;
    struct marks_seen seen = seen_now(town), later;

    assert_true(house_do(town->house, do_publish, town, NULL)); /* it waits on disk */
    assert_true(changed(town, town->account, &seen));
    town->postback = number(town, "SELECT max(id) FROM postback");
    later = seen_now(town);
    assert_false(house_do(town->house, do_cancel_and_fail, town, NULL));
    assert_false(changed(town, town->account, &later));
    assert_true(house_do(town->house, do_cancel, town, NULL));
    assert_true(changed(town, town->account, &later));
    assert_true(changed(town, 0, &later));
    assert_false(changed(town, town->house->other_partner.account, &seen));

    later = seen_now(town);
    assert_true(house_do(town->house, do_revoke, town, NULL)); /* no page shows that */
    assert_false(changed(town, town->account, &later));
    assert_false(changed(town, 0, &later));
}

static void test_a_lane_follows_its_notification(void **state)
{
    struct town *town = *state;
    UNTIL(lanes(town) == 1); /* it was added */
    assert_true(house_do(town->house, do_pause, town, NULL));
    UNTIL(lanes(town) == 0);
    assert_true(house_do(town->house, do_resume, town, NULL));
    UNTIL(lanes(town) == 1);
    assert_true(house_do(town->house, do_hold, town, NULL));
    UNTIL(lanes(town) == 0);
}

static void test_a_replay_that_is_begun_goes_on_by_itself(void **state)
{
    struct town *town = *state;
    assert_true(house_do(town->house, do_replay, town, NULL));
    UNTIL(number(town, "SELECT state FROM replay") != REPLAY_RUNNING);
}

static void test_a_maintenance_that_is_added_takes_force_by_itself(void **state)
{
    struct town *town = *state;
    assert_true(house_do(town->house, do_maintain, town, NULL));
    UNTIL(number(town, "SELECT state FROM maintenance") == MAINTENANCE_ON);
    assert_int_equal(engine_retry_turn(town->engine, town->notification, 1), RETRY_HELD);
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOWN(test_an_accounts_mark_follows_what_its_people_look_at),
        IN_TOWN(test_a_lane_follows_its_notification),
        IN_TOWN(test_a_replay_that_is_begun_goes_on_by_itself),
        IN_TOWN(test_a_maintenance_that_is_added_takes_force_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
