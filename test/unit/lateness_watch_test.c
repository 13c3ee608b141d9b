/* lateness_watch_test.c — who is told when that postbacks are late, and that attempts fail; once.
 */
#include "engine_house.h"

#include "engine/lateness.h"

enum { LATE_MS = 15 * MINUTE_MS, ALARM_MS = HOUR_MS, LOOK_MS = 5 * SECOND_MS };

struct watching {
    struct engine_house *engine;
    struct house *house;
    struct holds holds;
    struct lateness_watch *watch;
    int64_t account, notification;
};

static void held(void *context, bool hold)
{
    (void)context;
    (void)hold;
}

static void start(struct watching *watching)
{
    struct error error = { 0 };
    const struct lateness_config config = { .work = &watching->engine->work,
                                            .holds = &watching->holds,
                                            .limits = { LATE_MS, ALARM_MS } };
    watching->watch = lateness_new(&config, &error);
    assert_non_null(watching->watch);
}

static int setup(void **state)
{
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct watching *watching = must_alloc(sizeof(*watching));
    watching->engine = engine;
    watching->house = watching->engine->house;
    watching->holds.changed = held;
    watching->account = watching->house->partner.account;
    watching->notification = house_notify_late(watching->house, watching->account, 1);
    house_notify(watching->house, watching->account, "notification.failing");
    house_notify(watching->house, watching->account, "notification.recovered");
    start(watching);
    *state = watching;
    return 0;
}

static int teardown(void **state)
{
    struct watching *watching = *state;
    void *engine = watching->engine;
    lateness_free(watching->watch);
    free(watching);
    return engine_house_teardown(&engine);
}

/* As if the listener of changes had heard of it. */
static int64_t wait_for(struct watching *watching)
{
    int64_t id = house_waiting(watching->house, watching->account);
    lateness_wanted(watching->watch);
    return id;
}

static void pass(struct watching *watching, int64_t ms)
{
    pass_in_steps(watching->engine, ms, LOOK_MS);
}

static int64_t notices(struct watching *watching, int64_t account)
{
    return house_number(watching->house, "SELECT count(*) FROM notice WHERE account = ?", account);
}

static int64_t episodes(struct watching *watching)
{
    return house_number(watching->house, "SELECT count(*) FROM episode", 0);
}

static struct lateness_figures figures(struct watching *watching)
{
    struct lateness_figures now;
    lateness_figures(watching->watch, &now);
    return now;
}

static int64_t news(struct watching *watching, const char *type)
{
    return house_number(watching->house, "SELECT count(*) FROM event WHERE type = ?",
                        catalog_type(type)->number);
}

static void attempted(struct watching *watching, const char *type, int status, int times)
{
    for (int i = 0; i < times; i++) {
        struct told_attempt told;
        told_attempt_make(&told, watching->account, watching->notification, type, status, -1);
        lateness_ended(watching->watch, &told.ended);
        told_attempt_clear(&told);
    }
    settle(watching->engine);
}

/* ---- late ---- */

static void test_what_waits_for_long_is_late_and_then_told_once(void **state)
{
    struct watching *watching = *state;
    int64_t postback = wait_for(watching);
    pass(watching, LATE_MS - LOOK_MS);
    assert_int_equal(figures(watching).late, 0);
    assert_true(figures(watching).oldest_at > 0);
    pass(watching, 3 * LOOK_MS);
    assert_int_equal(figures(watching).late, 1);
    assert_int_equal(notices(watching, watching->account), 0);
    pass(watching, ALARM_MS - LATE_MS);
    assert_int_equal(figures(watching).alarmed, 1);
    assert_int_equal(notices(watching, watching->account), 1);
    assert_int_equal(notices(watching, watching->house->operator.account), 1);
    pass(watching, HOUR_MS);
    assert_int_equal(notices(watching, watching->account), 1);
    assert_int_equal(episodes(watching), 1);

    house_delivered(watching->house, postback);
    pass(watching, 2 * LOOK_MS);
    assert_int_equal(episodes(watching), 0);
    assert_int_equal(figures(watching).late + figures(watching).alarmed, 0);
    assert_int_equal(figures(watching).oldest_at, -1);
    assert_int_equal(lateness_oldest(watching->watch, 0, watching->notification), -1);
}

static void test_it_is_told_once_over_a_restart(void **state)
{
    struct watching *watching = *state;
    wait_for(watching);
    pass(watching, ALARM_MS + 2 * LOOK_MS);
    assert_int_equal(notices(watching, watching->account), 1);
    lateness_free(watching->watch);
    start(watching);
    pass(watching, HOUR_MS);
    assert_int_equal(figures(watching).alarmed, 1);
    assert_int_equal(notices(watching, watching->account), 1);
}

static void test_what_its_owner_paused_is_not_late(void **state)
{
    struct watching *watching = *state;
    wait_for(watching);
    house_number(watching->house, "UPDATE notification SET state = 1 WHERE id = ? RETURNING 1",
                 watching->notification);
    pass(watching, 2 * HOUR_MS);
    assert_int_equal(notices(watching, watching->account) + episodes(watching), 0);
    assert_int_equal(figures(watching).late, 0);
}

static void test_a_clock_set_ahead_begins_no_alarm(void **state)
{
    struct watching *watching = *state;
    int64_t postback = wait_for(watching);
    pass(watching, LOOK_MS);
    watching->engine->time.wall_ms += 24 * (int64_t)HOUR_MS;
    pass(watching, LOOK_MS); /* nothing had a chance to be sent */
    assert_int_equal(notices(watching, watching->account), 0);
    house_delivered(watching->house, postback);
    pass(watching, 4 * LOOK_MS);
    assert_int_equal(notices(watching, watching->account), 0);
}

static void test_a_full_disk_puts_the_telling_off(void **state)
{
    struct watching *watching = *state;
    wait_for(watching);
    pass(watching, ALARM_MS - MINUTE_MS);
    disk_full(true);
    pass(watching, 5 * MINUTE_MS);
    disk_full(false);
    assert_int_equal(episodes(watching), 0);
    pass(watching, 2 * LOOK_MS);
    assert_int_equal(episodes(watching), 1);
    assert_int_equal(notices(watching, watching->account), 1);
}

static void test_while_the_operator_pauses_an_account_is_told_once(void **state)
{
    struct watching *watching = *state;
    house_notify_late(watching->house, watching->account, 1);
    holds_set(&watching->holds, HOLD_MAINTENANCE, true);
    wait_for(watching); /* at both */
    pass(watching, ALARM_MS + 4 * LOOK_MS);
    assert_int_equal(figures(watching).alarmed, 2);
    assert_int_equal(episodes(watching), 2);
    assert_int_equal(notices(watching, watching->account), 1);
    assert_int_equal(notices(watching, watching->house->operator.account), 1);
}

/* ---- failing ---- */

static void test_it_is_failing_after_many_failures_in_a_row(void **state)
{
    struct watching *watching = *state;
    attempted(watching, OPENED, 500, 9);
    assert_int_equal(figures(watching).failing, 0);
    attempted(watching, OPENED, 200, 1);
    attempted(watching, OPENED, 500, 9);
    assert_int_equal(figures(watching).failing, 0); /* in a row */
    attempted(watching, OPENED, 500, 5);
    assert_int_equal(figures(watching).failing, 1);
    assert_int_equal(news(watching, "notification.failing"), 1);
    attempted(watching, OPENED, 200, 1);
    assert_int_equal(figures(watching).failing, 0);
    assert_int_equal(news(watching, "notification.recovered"), 1);
    assert_int_equal(episodes(watching), 0);
}

static void test_fewer_will_do_when_its_destination_is_down(void **state)
{
    struct watching *watching = *state;
    attempted(watching, OPENED, 500, 3);
    assert_int_equal(figures(watching).failing, 0);
    lateness_down(watching->watch, watching->notification);
    settle(watching->engine);
    assert_int_equal(figures(watching).failing, 1);
    assert_int_equal(news(watching, "notification.failing"), 1);
}

static void test_news_about_notifications_do_not_count(void **state)
{
    struct watching *watching = *state;
    attempted(watching, "notification.failing", 500, 30);
    lateness_down(watching->watch, watching->notification);
    settle(watching->engine);
    assert_int_equal(figures(watching).failing + news(watching, "notification.failing"), 0);
}

static void test_a_failing_one_that_is_deleted_fails_no_more(void **state)
{
    struct watching *watching = *state;
    attempted(watching, OPENED, 500, 10);
    assert_int_equal(figures(watching).failing, 1);
    lateness_gone(watching->watch, watching->notification);
    settle(watching->engine);
    assert_int_equal(figures(watching).failing, 0);
}

static void test_a_full_disk_does_not_swallow_that_it_fails(void **state)
{
    struct watching *watching = *state;
    disk_full(true);
    attempted(watching, OPENED, 500, 10);
    assert_int_equal(figures(watching).failing, 0);
    disk_full(false);
    attempted(watching, OPENED, 500, 1); /* the next attempt decides again */
    assert_int_equal(figures(watching).failing, 1);
    assert_int_equal(news(watching, "notification.failing"), 1);
}

#define WATCHING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHING(test_what_waits_for_long_is_late_and_then_told_once),
        WATCHING(test_it_is_told_once_over_a_restart),
        WATCHING(test_what_its_owner_paused_is_not_late),
        WATCHING(test_a_clock_set_ahead_begins_no_alarm),
        WATCHING(test_a_full_disk_puts_the_telling_off),
        WATCHING(test_while_the_operator_pauses_an_account_is_told_once),
        WATCHING(test_it_is_failing_after_many_failures_in_a_row),
        WATCHING(test_fewer_will_do_when_its_destination_is_down),
        WATCHING(test_news_about_notifications_do_not_count),
        WATCHING(test_a_failing_one_that_is_deleted_fails_no_more),
        WATCHING(test_a_full_disk_does_not_swallow_that_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
