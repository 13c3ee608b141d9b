/* sweeps_test.c — what each sweep of the engine takes, and when: approvals, keys, what is given up,
 * what is deleted. */
#include "engine_house.h"

#include "base/metrics.h"
#include "engine/approvals.h"
#include "engine/dedupe.h"
#include "engine/expiry.h"
#include "engine/locking.h"
#include "engine/retention.h"
#include "store/dedupe.h"
#include "store/idempotency.h"

static const int64_t day_ms = 24 * (int64_t)HOUR_MS;

static int64_t count(struct engine_house *engine, const char *sql)
{
    return house_number(engine->house, sql, 0);
}

/* ---- approvals ---- */

/* So many inquiries of one brand, due at that time. */
struct approving {
    struct house *house;
    int count;
    int64_t due_at;
};

static bool do_ask_for_approval(struct job *job, struct db *db, void *with)
{
    const struct approving *approving = with;
    const struct house *house = approving->house;
    (void)job;
    struct stmt *rule = db_prepare(
        db, "INSERT INTO approval_rule (brand, campaign, tracker, wait, days, created_at) "
            "VALUES (?1, ?2, ?3, 1, 0, 1) RETURNING id");
    db_bind_int(rule, 1, house->brand.account);
    db_bind_int(rule, 2, house->campaign);
    db_bind_int(rule, 3, house->tracker);
    int64_t id = db_number(rule, 0);
    for (int i = 0; i < approving->count; i++) {
        struct stmt *put = db_prepare(
            db, "INSERT INTO inquiry (partner, brand, campaign, order_id, transaction_at, amount, "
                "currency, type, approval_rule, auto_approval_at, status, state, created_at) "
                "VALUES (?1, ?2, ?3, 'A-' || ?4, 1, 1000, 'EUR', 1, ?5, ?6, 1, 1, 1)");
        db_bind_int(put, 1, house->partner.account);
        db_bind_int(put, 2, house->brand.account);
        db_bind_int(put, 3, house->campaign);
        db_bind_int(put, 4, i);
        db_bind_int(put, 5, id);
        db_bind_int(put, 6, approving->due_at);
        db_run(db, put);
    }
    return true;
}

static int64_t approved(struct engine_house *engine)
{
    return count(engine, "SELECT count(*) FROM inquiry WHERE status = 2");
}

static void test_inquiries_are_approved_within_ten_seconds_of_their_time(void **state)
{
    struct engine_house *engine = *state;
    struct approving approving = { engine->house, 120, clock_wall_ms() + 30 * SECOND_MS };
    assert_true(house_do(engine->house, do_ask_for_approval, &approving, NULL));
    struct sweep *approvals = approvals_new(&engine->work);
    pass_in_steps(engine, 29 * SECOND_MS, SECOND_MS);
    assert_int_equal(approved(engine), 0);
    pass_in_steps(engine, 11 * SECOND_MS, SECOND_MS);
    assert_int_equal(approved(engine), 120); /* though a step takes fewer */
    sweep_free(approvals);
}

/* ---- locking and clearing ---- */

/* So many actions of each of two brands, which lock at that time and clear a minute later. */
static bool do_sell(struct job *job, struct db *db, void *with)
{
    const struct approving *selling = with;
    const struct house *house = selling->house;
    (void)job;
    for (int i = 0; i < selling->count; i++) {
        bool other = i % 2 == 1;
        struct stmt *put = db_prepare(
            db, "INSERT INTO action (partner, brand, campaign, tracker, order_id, status, amount, "
                "payout, currency, referring_type, event_at, created_at, locking_at, clearing_at) "
                "VALUES (?1, ?2, ?3, ?4, 'A-' || ?5, 1, 1000, 50, 'EUR', 'DATAPOST', 1, 1, ?6, "
                "?7)");
        db_bind_int(put, 1, house->partner.account);
        db_bind_int(put, 2, other ? house->other_brand.account : house->brand.account);
        db_bind_int(put, 3, other ? house->other_campaign : house->campaign);
        db_bind_int(put, 4, other ? house->other_tracker : house->tracker);
        db_bind_int(put, 5, i);
        db_bind_int(put, 6, selling->due_at);
        db_bind_int(put, 7, selling->due_at + MINUTE_MS);
        db_run(db, put);
    }
    return true;
}

static int64_t locked(struct engine_house *engine)
{
    return count(engine, "SELECT count(*) FROM action WHERE status = 2");
}

static int64_t cleared(struct engine_house *engine)
{
    return count(engine, "SELECT count(*) FROM action WHERE cleared_at IS NOT NULL");
}

static void test_actions_lock_and_clear_within_ten_seconds_of_their_time(void **state)
{
    struct engine_house *engine = *state;
    struct approving selling = { engine->house, 260, clock_wall_ms() + 30 * SECOND_MS };
    assert_true(house_do(engine->house, do_sell, &selling, NULL));
    struct sweep *locking = locking_new(&engine->work);
    pass_in_steps(engine, 29 * SECOND_MS, SECOND_MS);
    assert_int_equal(locked(engine), 0);
    pass_in_steps(engine, 11 * SECOND_MS, SECOND_MS);
    assert_int_equal(locked(engine), 260); /* though a step takes fewer */
    assert_int_equal(cleared(engine), 0);
    assert_int_equal(count(engine, "SELECT count(*) FROM action_update WHERE step = 5"), 260);
    assert_int_equal(count(engine, "SELECT count(*) FROM event"), 2 * 260);
    pass_in_steps(engine, 61 * SECOND_MS, SECOND_MS);
    assert_int_equal(cleared(engine), 260);
    sweep_free(locking);
}

static void test_a_clock_that_is_set_back_locks_nothing_twice(void **state)
{
    struct engine_house *engine = *state;
    struct approving selling = { engine->house, 10, clock_wall_ms() + 5 * SECOND_MS };
    assert_true(house_do(engine->house, do_sell, &selling, NULL));
    struct sweep *locking = locking_new(&engine->work);
    pass_in_steps(engine, 20 * SECOND_MS, SECOND_MS);
    assert_int_equal(locked(engine), 10);
    engine->time.wall_ms -= HOUR_MS;
    pass_in_steps(engine, 2 * MINUTE_MS, 10 * SECOND_MS);
    assert_int_equal(cleared(engine), 0); /* by the clock it is an hour early */
    pass_in_steps(engine, HOUR_MS, MINUTE_MS);
    assert_int_equal(cleared(engine), 10);
    assert_int_equal(count(engine, "SELECT count(*) FROM action_update"), 20);
    sweep_free(locking);
}

static void test_a_full_disk_puts_locking_off(void **state)
{
    struct engine_house *engine = *state;
    struct approving selling = { engine->house, 120, clock_wall_ms() };
    assert_true(house_do(engine->house, do_sell, &selling, NULL));
    struct sweep *locking = locking_new(&engine->work);
    engine->work.writable = false;
    pass_in_steps(engine, MINUTE_MS, SECOND_MS);
    assert_int_equal(locked(engine), 0);
    engine->work.writable = true;
    pass_in_steps(engine, 12 * SECOND_MS, SECOND_MS);
    assert_int_equal(locked(engine), 120);
    sweep_free(locking);
}

/* ---- a full disk ---- */

static void test_a_full_disk_puts_approvals_off(void **state)
{
    struct engine_house *engine = *state;
    struct approving approving = { engine->house, 60, clock_wall_ms() };
    assert_true(house_do(engine->house, do_ask_for_approval, &approving, NULL));
    struct sweep *approvals = approvals_new(&engine->work);
    disk_full(true);
    pass_in_steps(engine, 30 * SECOND_MS, SECOND_MS);
    disk_full(false);
    assert_int_equal(approved(engine), 0);
    pass_in_steps(engine, 2 * SECOND_MS, SECOND_MS);
    assert_int_equal(approved(engine), 60);
    sweep_free(approvals);
}

/* ---- keys ---- */

static bool do_remember(struct job *job, struct db *db, void *with)
{
    struct idempotency_key key = { .account = ((struct house *)with)->partner.account };
    int64_t now = db_now(db);
    (void)job;
    for (int i = 0; i < 1200; i++) {
        char name[16];
        int64_t id = id_first_at(now) + i;
        snprintf(name, sizeof(name), "key-%d", i);
        dedupe_add(db, key.account, name, &id, 1);
    }
    for (int i = 0; i < 700; i++) {
        memcpy(key.name, &i, sizeof(i));
        assert_true(idempotency_add(db, &key));
    }
    return true;
}

static int64_t keys(struct engine_house *engine)
{
    return count(engine, "SELECT (SELECT count(*) FROM event_dedupe) + "
                         "(SELECT count(*) FROM idempotency)");
}

static void test_keys_are_forgotten_after_a_day(void **state)
{
    struct engine_house *engine = *state;
    assert_true(house_do(engine->house, do_remember, engine->house, NULL));
    struct sweep *dedupe = dedupe_new(&engine->work);
    pass_ms(engine, day_ms - MINUTE_MS);
    pass_ms(engine, 20);
    assert_int_equal(keys(engine), 1900);
    pass_ms(engine, MINUTE_MS);
    assert_true(keys(engine) < 1900); /* in steps, with a rest between them */
    assert_true(keys(engine) > 0);
    pass_in_steps(engine, 100, 20);
    assert_int_equal(keys(engine), 0);
    sweep_free(dedupe);
}

/* ---- giving up ---- */

static void test_what_is_too_old_is_given_up_and_told(void **state)
{
    struct engine_house *engine = *state;
    int64_t before = metric_value(METRIC_EXPIRED);
    house_notify_late(engine->house, engine->house->partner.account, 1);
    int64_t old = house_waiting(engine->house, engine->house->partner.account);
    struct sweep *expiry = expiry_new(&engine->work);
    pass_ms(engine, 2 * HOUR_MS);
    assert_int_equal(state_of(engine->house, old), POSTBACK_WAITING); /* no age is set */
    int64_t young = house_waiting(engine->house, engine->house->partner.account);
    sweep_set_age(expiry, 3 * (int64_t)HOUR_MS);
    pass_ms(engine, HOUR_MS - SECOND_MS);
    assert_int_equal(state_of(engine->house, old), POSTBACK_WAITING);
    pass_ms(engine, 2 * SECOND_MS);
    assert_int_equal(state_of(engine->house, old), POSTBACK_EXPIRED);
    assert_int_equal(state_of(engine->house, young), POSTBACK_WAITING);
    assert_int_equal(metric_value(METRIC_EXPIRED) - before, 1);
    assert_int_equal(count(engine, "SELECT count(*) FROM notice"), 1);
    pass_ms(engine, 2 * HOUR_MS);
    assert_int_equal(state_of(engine->house, young), POSTBACK_EXPIRED);
    assert_int_equal(metric_value(METRIC_EXPIRED) - before, 2);
    sweep_free(expiry);
}

/* ---- deleting ---- */

static int64_t rows(struct engine_house *engine)
{
    return count(engine, "SELECT (SELECT count(*) FROM postback) + (SELECT count(*) FROM event)");
}

static void test_what_has_ended_is_deleted_when_it_is_old(void **state)
{
    struct engine_house *engine = *state;
    house_notify_late(engine->house, engine->house->partner.account, 1);
    int64_t first = house_waiting(engine->house, engine->house->partner.account);
    int64_t second = house_waiting(engine->house, engine->house->partner.account);
    house_delivered(engine->house, second);
    struct sweep *retention = retention_new(&engine->work);
    pass_ms(engine, 40 * day_ms);
    assert_int_equal(rows(engine), 4); /* all is kept for ever */
    assert_int_equal(retention_oldest_at(retention), -1);
    sweep_set_age(retention, 50 * day_ms);
    pass_ms(engine, 9 * day_ms);
    assert_int_equal(rows(engine), 4);
    pass_ms(engine, 2 * day_ms);
    pass_in_steps(engine, 30 * SECOND_MS, SECOND_MS);
    assert_int_equal(rows(engine), 2);
    assert_int_equal(state_of(engine->house, first), POSTBACK_WAITING);
    assert_int_equal(retention_oldest_at(retention), id_time_ms(first));
    /* The walk has gone by it: once it has ended and is old, the walk of another day takes it. */
    house_delivered(engine->house, first);
    pass_ms(engine, 51 * day_ms);
    pass_in_steps(engine, 30 * SECOND_MS, SECOND_MS);
    assert_int_equal(rows(engine), 0);
    sweep_free(retention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_inquiries_are_approved_within_ten_seconds_of_their_time),
        IN_ENGINE(test_a_full_disk_puts_approvals_off),
        IN_ENGINE(test_actions_lock_and_clear_within_ten_seconds_of_their_time),
        IN_ENGINE(test_a_clock_that_is_set_back_locks_nothing_twice),
        IN_ENGINE(test_a_full_disk_puts_locking_off),
        IN_ENGINE(test_keys_are_forgotten_after_a_day),
        IN_ENGINE(test_what_is_too_old_is_given_up_and_told),
        IN_ENGINE(test_what_has_ended_is_deleted_when_it_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
