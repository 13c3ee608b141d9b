/* duty_test.c — two servers over one store: what is done once for all is done once, whoever has it.
 *
 * Each has services of its own; the store stands for the database that they share.
 */
#include "engine_house.h"
#include "fake_membership.h"

#include "db/partitions.h"
#include "engine/lateness.h"
#include "engine/maintenance.h"
#include "engine/retention_days.h"
#include "engine/room.h"
#include "engine/sweep.h"
#include "model/date.h"
#include "store/direct.h"
#include "store/maintenance.h"

enum { SERVERS = 2, LATE_MS = 15 * MINUTE_MS, ALARM_MS = HOUR_MS, LOOK_MS = 5 * SECOND_MS };

struct server {
    struct work work;
    struct membership membership;
    struct holds holds;
    struct list fresh;
};

struct town {
    struct engine_house *engine;
    struct house *house;
    struct server servers[SERVERS];
    int64_t account, notification;
};

static void held(void *context, bool hold)
{
    (void)context;
    (void)hold;
}

static int setup(void **state)
{
    struct town *town = must_alloc(sizeof(*town));
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    town->engine = engine;
    town->house = town->engine->house;
    town->account = town->house->partner.account;
    town->notification = house_notify_late(town->house, town->account, 1);
    for (int i = 0; i < SERVERS; i++) {
        struct server *server = &town->servers[i];
        work_init(&server->work, &town->house->loop, town->house->store);
        server->membership = (struct membership){ true, i == 0, i == 0 };
        server->work.membership = &server->membership;
        server->holds.changed = held;
        list_init(&server->fresh);
    }
    *state = town;
    return 0;
}

static int teardown(void **state)
{
    struct town *town = *state;
    void *engine = town->engine;
    free(town);
    return engine_house_teardown(&engine);
}

/* Everything that was the first one's is the second one's. */
static void move_to_the_second(struct town *town)
{
    town->servers[0].membership.duty = town->servers[0].membership.buckets = false;
    town->servers[1].membership.duty = town->servers[1].membership.buckets = true;
}

static void both_on_duty(struct town *town)
{
    for (int i = 0; i < SERVERS; i++)
        town->servers[i].membership.duty = town->servers[i].membership.buckets = true;
}

static size_t under_way(const struct town *town)
{
    return town->servers[0].work.under_way + town->servers[1].work.under_way;
}

static void settle_both(struct town *town)
{
    do {
        while (under_way(town) > 0)
            uv_run(&town->house->loop, UV_RUN_ONCE);
        for (int i = 0; i < SERVERS; i++)
            periodics_run_due(&town->servers[i].work.timers);
    } while (under_way(town) > 0);
}

static void pass(struct town *town, int64_t ms, int64_t step_ms)
{
    for (int64_t passed = 0; passed < ms; passed += step_ms) {
        town->engine->time.wall_ms += step_ms;
        town->engine->time.steady_us += step_ms * 1000;
        settle_both(town);
    }
}

static int64_t number(struct town *town, const char *sql, int64_t with)
{
    return house_number(town->house, sql, with);
}

static int64_t notices(struct town *town, int64_t account)
{
    return number(town, "SELECT count(*) FROM notice WHERE account = ?", account);
}

static int64_t news(struct town *town, const char *type)
{
    return number(town, "SELECT count(*) FROM event WHERE type = ?", catalog_type(type)->number);
}

/* ---- sweeps ---- */

static int64_t steps, seen; /* how many, and the state that the last one found */

static bool step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    int64_t *place = state;
    (void)job;
    (void)db;
    (void)times;
    steps++;
    seen = *place;
    *place += 1;
    return false;
}

static void test_a_sweep_is_taken_by_the_one_on_duty(void **state)
{
    static const struct sweep_rule rule = {
        .first_ms = SECOND_MS, .every_ms = 10 * SECOND_MS, .size = sizeof(int64_t), .step = step
    };
    struct town *town = *state;
    struct sweep *sweeps[SERVERS];
    steps = 0;
    for (int i = 0; i < SERVERS; i++)
        sweeps[i] = sweep_new(&town->servers[i].work, &rule, 1);
    pass(town, 31 * SECOND_MS, SECOND_MS);
    assert_int_equal(steps, 4);
    assert_int_equal(seen, 3);
    move_to_the_second(town);
    pass(town, SECOND_MS, SECOND_MS);
    assert_int_equal(steps, 5);
    assert_int_equal(seen, 0);
    pass(town, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(steps, 6);
    town->servers[1].membership.valid = false; /* its lease is over, and nobody has it yet */
    pass(town, 30 * SECOND_MS, SECOND_MS);
    assert_int_equal(steps, 6);
    for (int i = 0; i < SERVERS; i++)
        sweep_free(sweeps[i]);
}

/* ---- lateness ---- */

static struct lateness_watch *watch(struct town *town, int server)
{
    struct error error = { 0 };
    struct lateness_watch *made = lateness_new(
        &(struct lateness_config){
            &town->servers[server].work, &town->servers[server].holds, { LATE_MS, ALARM_MS } },
        &error);
    assert_non_null(made);
    return made;
}

static void hear(struct lateness_watch *lateness, int64_t notification, int64_t kind, int64_t since)
{
    lateness_heard(lateness, &(struct change){ .kind = CHANGE_EPISODE,
                                               .notification = notification,
                                               .id = kind,
                                               .due_at = since });
}

static void test_what_is_late_is_told_by_the_owner_of_its_bucket(void **state)
{
    struct town *town = *state;
    struct lateness_watch *watches[SERVERS] = { watch(town, 0), watch(town, 1) };
    int64_t postback = house_waiting(town->house, town->account);
    for (int i = 0; i < SERVERS; i++)
        lateness_wanted(watches[i]);
    pass(town, ALARM_MS + 2 * LOOK_MS, LOOK_MS);
    assert_int_equal(notices(town, town->account), 1);
    struct lateness_figures figures;
    lateness_figures(watches[1], &figures); /* who only looks knows it as well */
    assert_int_equal(figures.late, 1);
    assert_int_equal(figures.alarmed, 0);
    hear(watches[1], town->notification, 2, clock_wall_ms());
    pass(town, LOOK_MS, LOOK_MS);
    lateness_figures(watches[1], &figures);
    assert_int_equal(figures.alarmed, 1);
    move_to_the_second(town);
    house_delivered(town->house, postback);
    pass(town, 3 * LOOK_MS, LOOK_MS);
    assert_int_equal(notices(town, town->account), 2); /* it is on time again */
    assert_int_equal(number(town, "SELECT count(*) FROM episode", 0), 0);
    for (int i = 0; i < SERVERS; i++)
        lateness_free(watches[i]);
}

static void test_two_who_tell_of_it_at_once_tell_it_once(void **state)
{
    struct town *town = *state;
    both_on_duty(town);
    struct lateness_watch *watches[SERVERS] = { watch(town, 0), watch(town, 1) };
    house_waiting(town->house, town->account);
    for (int i = 0; i < SERVERS; i++)
        lateness_wanted(watches[i]);
    pass(town, ALARM_MS + 2 * LOOK_MS, LOOK_MS);
    assert_int_equal(notices(town, town->account), 1);
    assert_int_equal(notices(town, town->house->operator.account), 1);
    for (int i = 0; i < SERVERS; i++)
        lateness_free(watches[i]);
}

static void attempted(struct town *town, struct lateness_watch *lateness, int status, int times)
{
    for (int i = 0; i < times; i++) {
        struct told_attempt told;
        told_attempt_make(&told, town->account, town->notification, OPENED, status, -1);
        lateness_ended(lateness, &told.ended);
        told_attempt_clear(&told);
    }
}

static void test_who_fails_at_both_is_told_of_once_and_recovers_at_either(void **state)
{
    struct town *town = *state;
    house_notify(town->house, town->account, "notification.failing");
    house_notify(town->house, town->account, "notification.recovered");
    struct lateness_watch *watches[SERVERS] = { watch(town, 0), watch(town, 1) };
    attempted(town, watches[0], 500, 10);
    attempted(town, watches[1], 500, 10);
    settle_both(town);
    assert_int_equal(news(town, "notification.failing"), 1);
    attempted(town, watches[1], 200, 1);
    settle_both(town);
    assert_int_equal(news(town, "notification.recovered"), 1);
    hear(watches[0], town->notification, 1, -1);
    attempted(town, watches[0], 500, 9); /* counted from there */
    settle_both(town);
    assert_int_equal(news(town, "notification.failing"), 1);
    attempted(town, watches[0], 500, 1);
    settle_both(town);
    assert_int_equal(news(town, "notification.failing"), 2);
    hear(watches[1], town->notification, 1, clock_wall_ms());
    attempted(town, watches[1], 200, 1); /* it had not seen it fail */
    settle_both(town);
    assert_int_equal(news(town, "notification.recovered"), 2);
    for (int i = 0; i < SERVERS; i++)
        lateness_free(watches[i]);
}

/* ---- the operator's pause ---- */

static bool is_stuck(void *context, int64_t notification)
{
    (void)context;
    (void)notification;
    return false;
}

static bool do_plan(struct job *job, struct db *db, void *with)
{
    struct maintenance plan = { .start_at = clock_wall_ms(),
                                .expected_end_at = DATE_NONE,
                                .started_at = DATE_NONE,
                                .ended_at = DATE_NONE,
                                .message = must_copy("New disks") };
    (void)with;
    bool done = maintenance_add(job, db, &plan);
    maintenance_clear(&plan);
    return done;
}

static bool do_end(struct job *job, struct db *db, void *with)
{
    struct maintenance ended = { 0 };
    (void)with;
    bool done = maintenance_end(job, db, &ended);
    maintenance_clear(&ended);
    return done;
}

struct pausing {
    struct town *town;
    struct pause *pauses[SERVERS];
};

/* As the listeners would. */
static void hear_of_it(struct pausing *pausing)
{
    for (int i = 0; i < SERVERS; i++)
        maintenance_changed(pausing->pauses[i]);
    settle_both(pausing->town);
}

static struct pausing pausing_in(struct town *town)
{
    struct pausing pausing = { .town = town };
    for (int i = 0; i < SERVERS; i++) {
        struct error error = { 0 };
        struct server *server = &town->servers[i];
        pausing.pauses[i] = maintenance_new(&(struct maintenance_config){ .work = &server->work,
                                                                          .holds = &server->holds,
                                                                          .fresh = &server->fresh,
                                                                          .is_stuck = is_stuck },
                                            &error);
        assert_non_null(pausing.pauses[i]);
    }
    return pausing;
}

static bool holds(const struct town *town, int server)
{
    return holds_have(&town->servers[server].holds, HOLD_MAINTENANCE);
}

static void test_a_pause_is_told_once_and_in_force_everywhere(void **state)
{
    struct town *town = *state;
    struct pausing pausing = pausing_in(town);
    assert_true(house_do(town->house, do_plan, NULL, NULL));
    hear_of_it(&pausing);
    for (int i = 0; i < 4; i++)
        hear_of_it(&pausing);
    assert_int_equal(notices(town, town->account), 1);
    assert_true(holds(town, 0) && holds(town, 1));
    move_to_the_second(town);
    assert_true(house_do(town->house, do_end, NULL, NULL));
    hear_of_it(&pausing);
    pass(town, 5 * SECOND_MS, SECOND_MS);
    assert_int_equal(notices(town, town->account), 2);
    assert_false(holds(town, 0) || holds(town, 1));
    assert_int_equal(number(town, "SELECT state FROM maintenance", 0), MAINTENANCE_OVER);
    for (int i = 0; i < SERVERS; i++)
        maintenance_free(pausing.pauses[i]);
}

static void test_two_who_tell_of_a_pause_at_once_tell_it_once(void **state)
{
    struct town *town = *state;
    both_on_duty(town);
    struct pausing pausing = pausing_in(town);
    assert_true(house_do(town->house, do_plan, NULL, NULL));
    for (int i = 0; i < 5; i++)
        hear_of_it(&pausing);
    assert_int_equal(notices(town, town->account), 1);
    for (int i = 0; i < SERVERS; i++)
        maintenance_free(pausing.pauses[i]);
}

/* The one on duty dies before it has told anybody: what it began goes on within a second. */
static void test_who_comes_on_duty_goes_on_with_the_pause(void **state)
{
    struct town *town = *state;
    struct pausing pausing = pausing_in(town);
    town->servers[0].membership.valid = false;
    assert_true(house_do(town->house, do_plan, NULL, NULL));
    hear_of_it(&pausing);
    pass(town, 3 * SECOND_MS, SECOND_MS);
    assert_int_equal(notices(town, town->account), 0);
    move_to_the_second(town);
    pass(town, SECOND_MS, SECOND_MS);
    for (int i = 0; i < 3; i++)
        hear_of_it(&pausing);
    assert_int_equal(notices(town, town->account), 1);
    assert_true(holds(town, 0) && holds(town, 1));
    for (int i = 0; i < SERVERS; i++)
        maintenance_free(pausing.pauses[i]);
}

/* A receiver of another server's that takes nothing does not keep the catch-up from its end. */
static void test_what_is_stuck_at_another_server_is_counted_apart(void **state)
{
    struct town *town = *state;
    struct pausing pausing = pausing_in(town);
    town->servers[0].membership.buckets = false;
    town->servers[1].membership.buckets = true;
    assert_true(house_do(town->house, do_plan, NULL, NULL));
    for (int i = 0; i < 5; i++)
        hear_of_it(&pausing);
    house_waiting(town->house, town->account);
    pass(town, 5 * SECOND_MS, SECOND_MS);
    assert_true(house_do(town->house, do_end, NULL, NULL));
    hear_of_it(&pausing);
    pass(town, 5 * SECOND_MS, SECOND_MS);
    assert_int_equal(number(town, "SELECT state FROM maintenance", 0), MAINTENANCE_CATCHING_UP);
    pass(town, 10 * SECOND_MS, SECOND_MS);
    assert_int_equal(number(town, "SELECT state FROM maintenance", 0), MAINTENANCE_OVER);
    for (int i = 0; i < SERVERS; i++)
        maintenance_free(pausing.pauses[i]);
}

/* ---- days of the hot tables ---- */

static int64_t days_there(struct town *town)
{
    return number(town,
                  "SELECT count(*) FROM pg_class WHERE relname ~ '^event_[0-9]{5}$' AND "
                  "relnamespace = current_schema()::regnamespace",
                  0);
}

/* As outcomes do: nothing before now is without a row. */
static bool do_lift_floor(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    direct_set_floor(db, db_new_id(db));
    return true;
}

static void test_days_are_made_ahead_and_old_ones_dropped_by_the_one_on_duty(void **state)
{
    struct town *town = *state;
    struct retention_days *days[SERVERS];
    const int64_t age_ms = 2 * 24 * HOUR_MS;
    if (house_is_a_file(town->house))
        return;
    for (int i = 0; i < SERVERS; i++) {
        days[i] = retention_days_new(&town->servers[i].work);
        retention_days_set_age(days[i], age_ms);
    }
    pass(town, SECOND_MS, SECOND_MS / 2);
    assert_int_equal(days_there(town), 1 + PARTITION_DAYS_AHEAD);
    int64_t postback = house_waiting(town->house, town->account);
    house_delivered(town->house, postback);
    move_to_the_second(town);
    pass(town, 24 * HOUR_MS, HOUR_MS);
    assert_int_equal(days_there(town), 2 + PARTITION_DAYS_AHEAD);
    assert_true(house_do(town->house, do_lift_floor, NULL, NULL));
    pass(town, 3 * 24 * HOUR_MS, HOUR_MS);
    assert_true(house_do(town->house, do_lift_floor, NULL, NULL));
    pass(town, HOUR_MS, HOUR_MS);
    assert_int_equal(days_there(town), 3 + PARTITION_DAYS_AHEAD);
    assert_int_equal(number(town, "SELECT count(*) FROM postback", 0), 0);
    assert_int_equal(number(town, "SELECT count(*) FROM event", 0), 0);
    for (int i = 0; i < SERVERS; i++)
        retention_days_free(days[i]);
}

static int64_t events(struct town *town)
{
    return number(town, "SELECT count(*) FROM event", 0);
}

/* One server's days, of which one is `old_ms` old, with all its rows. */
static struct retention_days *days_with_an_old_one(struct town *town, int64_t age_ms,
                                                   int64_t old_ms)
{
    struct retention_days *days = retention_days_new(&town->servers[0].work);
    retention_days_set_age(days, age_ms);
    pass(town, SECOND_MS, SECOND_MS / 2);
    house_delivered(town->house, house_waiting(town->house, town->account));
    pass(town, old_ms, HOUR_MS);
    assert_true(house_do(town->house, do_lift_floor, NULL, NULL));
    assert_int_equal(events(town), 1);
    return days;
}

static void test_an_age_that_is_changed_amid_a_round_holds_at_once(void **state)
{
    struct town *town = *state;
    if (house_is_a_file(town->house))
        return;
    struct retention_days *days = days_with_an_old_one(town, 9 * 24 * HOUR_MS, 5 * 24 * HOUR_MS);
    town->engine->time.steady_us += MINUTE_MS * INT64_C(1000);
    periodics_run_due(&town->servers[0].work.timers);
    assert_int_not_equal(town->servers[0].work.under_way, 0);
    retention_days_set_age(days, 0); /* all is kept for ever */
    settle_both(town);
    pass(town, HOUR_MS, HOUR_MS);
    assert_int_equal(events(town), 1);
    retention_days_set_age(days, 2 * 24 * HOUR_MS);
    pass(town, SECOND_MS, SECOND_MS / 2);
    assert_int_equal(events(town), 0);
    retention_days_free(days);
}

static void test_a_clock_that_jumps_ahead_drops_no_day(void **state)
{
    struct town *town = *state;
    if (house_is_a_file(town->house))
        return;
    struct retention_days *days = days_with_an_old_one(town, 9 * 24 * HOUR_MS, 5 * 24 * HOUR_MS);
    town->engine->time.wall_ms += INT64_C(30) * 24 * HOUR_MS;
    pass(town, HOUR_MS, HOUR_MS);
    assert_int_equal(events(town), 1);
    retention_days_free(days);
}

/* ---- room ---- */

static void test_little_room_is_told_once(void **state)
{
    struct town *town = *state;
    static const struct room_limits limits = { { .waiting = 1 }, INT64_MAX / 2 };
    house_waiting(town->house, town->account);
    both_on_duty(town); /* they meet */
    struct room *rooms[SERVERS];
    for (int i = 0; i < SERVERS; i++)
        rooms[i] = room_new(&town->servers[i].work, &limits);
    settle_both(town);
    assert_int_equal(notices(town, town->account), 1);
    /* of the account, and of the disk where the database is on this machine's */
    assert_int_equal(notices(town, town->house->operator.account),
                     house_is_a_file(town->house) ? 2 : 1);
    for (int i = 0; i < SERVERS; i++)
        room_free(rooms[i]);
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOWN(test_a_sweep_is_taken_by_the_one_on_duty),
        IN_TOWN(test_what_is_late_is_told_by_the_owner_of_its_bucket),
        IN_TOWN(test_two_who_tell_of_it_at_once_tell_it_once),
        IN_TOWN(test_who_fails_at_both_is_told_of_once_and_recovers_at_either),
        IN_TOWN(test_a_pause_is_told_once_and_in_force_everywhere),
        IN_TOWN(test_two_who_tell_of_a_pause_at_once_tell_it_once),
        IN_TOWN(test_who_comes_on_duty_goes_on_with_the_pause),
        IN_TOWN(test_what_is_stuck_at_another_server_is_counted_apart),
        IN_TOWN(test_days_are_made_ahead_and_old_ones_dropped_by_the_one_on_duty),
        IN_TOWN(test_an_age_that_is_changed_amid_a_round_holds_at_once),
        IN_TOWN(test_a_clock_that_jumps_ahead_drops_no_day),
        IN_TOWN(test_little_room_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
