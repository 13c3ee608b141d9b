/* replays_test.c — what a replay finds, what it writes, and that no step is taken twice. */
#include "postback_house.h"

#include "store/replays.h"

#define OPENED   "action_inquiry.opened"
#define RESOLVED "action_inquiry.resolved"

/* ---- steps ---- */

static bool do_add(struct job *job, struct db *db, void *with)
{
    struct replay *replay = with;
    replay->end_at = db_now(db) + 1;
    return replay_add(job, db, replay);
}

static struct replay replay_of(struct house *house, int64_t notification, int64_t source)
{
    return (struct replay){ .account = house->partner.account,
                            .notification = notification,
                            .source = source,
                            .start_at = 1600000000000,
                            .states = REPLAY_ALL_STATES };
}

static int64_t started(struct house *house, int64_t notification, int64_t source)
{
    struct replay replay = replay_of(house, notification, source);
    assert_true(house_do(house, do_add, &replay, NULL));
    return replay.id;
}

struct step {
    int64_t id, from;
    struct replay_look look;
};

static bool do_look(struct job *job, struct db *db, void *with)
{
    struct step *step = with;
    struct replay replay;
    (void)job;
    assert_true(replay_load(db, step->id, &replay));
    struct notification *to = notification_load(db, replay.account, replay.notification, 0);
    assert_non_null(to);
    step->from = replay.next;
    step->look.horizon = INT64_MAX;
    replay_look(db, &replay, to, &step->look);
    notification_unref(to);
    return true;
}

static bool do_write(struct job *job, struct db *db, void *with)
{
    const struct step *step = with;
    (void)job;
    replay_write(db, step->id, step->from, &step->look);
    return true;
}

static struct step looked(struct house *house, int64_t id, int rows, size_t limit)
{
    struct step step = { .id = id, .look = { .rows = rows, .limit = limit } };
    assert_true(house_do(house, do_look, &step, NULL));
    return step;
}

static void take(struct house *house, const struct step *step)
{
    struct step copy = *step;
    assert_true(house_do(house, do_write, &copy, NULL));
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    const struct replay *replay = with;
    return replay_cancel(job, db, replay->account, replay->notification, replay->id);
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    (void)job;
    return notification_delete(db, 0, *(int64_t *)with);
}

static bool do_forget_event(struct job *job, struct db *db, void *with)
{
    static const char *const texts[] = { "DELETE FROM postback WHERE event = ?",
                                         "DELETE FROM event WHERE id = ?" };
    (void)job;
    for (int i = 0; i < 2; i++) {
        struct stmt *put = db_prepare(db, texts[i]);
        db_bind_int(put, 1, *(int64_t *)with);
        db_run(db, put);
    }
    return true;
}

static int64_t of_replay(struct house *house, const char *column, int64_t id)
{
    struct buf sql = { 0 };
    buf_fmt(&sql, "SELECT %s FROM replay WHERE id = ?", column);
    int64_t value = house_number(house, buf_text(&sql), id);
    buf_free(&sql);
    return value;
}

static int64_t made(struct house *house, int64_t id)
{
    return house_number(house, "SELECT count(*) FROM postback WHERE replay = ? AND state = 1", id);
}

/* ---- looking ---- */

static void test_a_look_stops_at_its_limits_and_goes_on_there(void **state)
{
    struct house *house = *state;
    int64_t source = house_notify(house, house->partner.account, OPENED);
    int64_t to = house_notify(house, house->partner.account, OPENED);
    for (int i = 0; i < 5; i++)
        house_postback(house, house->partner.account, OPENED, 0);
    int64_t id = started(house, to, source);

    struct step step = looked(house, id, 100, 3);
    assert_int_equal(step.look.count, 3);
    assert_int_equal(step.look.found, 3);
    assert_false(step.look.end);
    step.look.rows = 1;
    assert_true(house_do(house, do_look, &step, NULL));
    assert_int_equal(step.look.count, 1);
    assert_false(step.look.end);
    step.look.rows = 100;
    assert_true(house_do(house, do_look, &step, NULL));
    assert_int_equal(step.look.count, 1);
    assert_true(step.look.end);
    step = looked(house, id, 100, 0); /* counts */
    assert_int_equal(step.look.found, 5);
    assert_true(step.look.end);
}

static void test_all_events_are_the_accounts_own(void **state)
{
    struct house *house = *state;
    struct published published;
    house_publish(house, house->partner.account, OPENED, 0, &published);
    int64_t own = published.event;
    house_publish(house, house->other_partner.account, OPENED, 0, &published);
    house_publish(house, house->partner.account, RESOLVED, 0, &published);
    int64_t to = house_notify(house, house->partner.account, OPENED);

    struct step step = looked(house, started(house, to, 0), 100, 100);
    assert_int_equal(step.look.count, 1);
    assert_int_equal(step.look.items[0].event, own);
    assert_int_equal(step.look.items[0].postback, 0);
}

/* ---- writing ---- */

static void test_a_step_is_taken_once(void **state)
{
    struct house *house = *state;
    int64_t to = house_notify(house, house->partner.account, OPENED);
    for (int i = 0; i < 4; i++)
        house_postback(house, house->partner.account, OPENED, 0);
    int64_t id = started(house, to, to);

    struct step step = looked(house, id, 100, 3);
    take(house, &step);
    take(house, &step); /* as if its commit had come twice */
    assert_int_equal(made(house, id), 3);
    assert_int_equal(of_replay(house, "done", id), 3);
    assert_int_equal(of_replay(house, "state", id), REPLAY_RUNNING);
    assert_int_equal(
        house_number(house, "SELECT pending FROM notification_count WHERE notification = ?", to),
        7);
    step = looked(house, id, 100, 3);
    assert_true(step.look.end);
    take(house, &step);
    assert_int_equal(made(house, id), 4);
    assert_int_equal(of_replay(house, "state", id), REPLAY_DONE);
    assert_int_equal(of_replay(house, "total", id), 4);
    assert_int_equal(of_replay(house, "sent", id), 4);
    /* What it wrote is behind its end. */
    assert_int_equal(looked(house, id, 100, 0).look.found, 0);
}

static void test_what_was_deleted_meanwhile_is_left_out(void **state)
{
    struct house *house = *state;
    int64_t to = house_notify(house, house->partner.account, OPENED);
    struct published published;
    house_postback(house, house->partner.account, OPENED, 0);
    house_publish(house, house->partner.account, OPENED, 0, &published);
    house_free_list(&published.fresh);
    int64_t id = started(house, to, to);

    struct step step = looked(house, id, 100, 100);
    assert_int_equal(step.look.count, 2);
    assert_true(house_do(house, do_forget_event, &published.event, NULL));
    take(house, &step);
    assert_int_equal(made(house, id), 1);
    assert_int_equal(of_replay(house, "sent", id), 1);
    assert_int_equal(of_replay(house, "state", id), REPLAY_DONE);
}

static void test_a_cancelled_one_writes_no_more(void **state)
{
    struct house *house = *state;
    int64_t to = house_notify(house, house->partner.account, OPENED);
    house_postback(house, house->partner.account, OPENED, 0);
    struct replay replay = replay_of(house, to, to);
    struct error error;
    assert_true(house_do(house, do_add, &replay, NULL));
    struct replay second = replay_of(house, to, to);
    assert_false(house_do(house, do_add, &second, &error)); /* one at a time */
    assert_int_equal(error.kind, ERROR_CONFLICT);

    struct step step = looked(house, replay.id, 100, 100);
    assert_true(house_do(house, do_cancel, &replay, NULL));
    assert_false(house_do(house, do_cancel, &replay, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    take(house, &step);
    assert_int_equal(made(house, replay.id), 0);
    assert_int_equal(of_replay(house, "state", replay.id), REPLAY_CANCELLED);
    replay.account = house->other_partner.account;
    assert_false(house_do(house, do_cancel, &replay, &error));
    assert_int_not_equal(error.kind, ERROR_CONFLICT);
    assert_true(house_do(house, do_add, &second, NULL));
}

static void test_a_deleted_notification_gets_none(void **state)
{
    struct house *house = *state;
    int64_t to = house_notify(house, house->partner.account, OPENED);
    house_postback(house, house->partner.account, OPENED, 0);
    int64_t id = started(house, to, to);
    struct step step = looked(house, id, 100, 100);
    assert_true(house_do(house, do_delete, &to, NULL));
    take(house, &step);
    assert_int_equal(made(house, id), 0);
    assert_int_equal(of_replay(house, "state", id), REPLAY_CANCELLED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_look_stops_at_its_limits_and_goes_on_there),
        TEST(test_all_events_are_the_accounts_own),
        TEST(test_a_step_is_taken_once),
        TEST(test_what_was_deleted_meanwhile_is_left_out),
        TEST(test_a_cancelled_one_writes_no_more),
        TEST(test_a_deleted_notification_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
