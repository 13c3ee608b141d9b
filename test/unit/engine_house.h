/* engine_house.h — one service of the engine over a real store, without the engine: with a clock
 * that stands until the test lets time pass, and a disk that fails when told so.
 *
 * pass_ms() sets the clock, fires what is due, and turns the loop until no job is under way and
 * nothing more is due; so what a service does at which time is seen step by step, and no test waits
 * for real time.  The service is freed before the house: each test makes and frees its own.
 */
#ifndef POSTBACKD_TEST_ENGINE_HOUSE_H
#define POSTBACKD_TEST_ENGINE_HOUSE_H

#include "postback_house.h"

#include "base/clock.h"
#include "engine/ended.h"
#include "engine/work.h"
#include "fault_vfs.h"

#define OPENED "action_inquiry.opened"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

struct engine_house {
    struct house *house;
    struct work work;
    struct clock_source time;
};

static inline int engine_house_setup(void **state)
{
    struct engine_house *engine = must_alloc(sizeof(*engine));
    void *house = NULL;
    static bool installed;
    if (!installed)
        fault_install();
    installed = true;
    if (house_setup(&house) != 0)
        return -1;
    engine->house = house;
    engine->time = (struct clock_source){ clock_wall_ms(), clock_steady_us() };
    clock_set_source(&engine->time);
    work_init(&engine->work, &engine->house->loop, engine->house->store);
    *state = engine;
    return 0;
}

static inline int engine_house_teardown(void **state)
{
    struct engine_house *engine = *state;
    void *house = engine->house;
    int code = house_teardown(&house);
    clock_set_source(NULL);
    free(engine);
    return code;
}

static inline void await_jobs(struct engine_house *engine)
{
    while (engine->work.under_way > 0)
        uv_run(engine->work.loop, UV_RUN_ONCE);
}

/* What is due now is done, and what that begins. */
static inline void settle(struct engine_house *engine)
{
    do {
        await_jobs(engine);
        periodics_run_due(&engine->work.timers);
    } while (engine->work.under_way > 0);
}

static inline void pass_ms(struct engine_house *engine, int64_t ms)
{
    engine->time.wall_ms += ms;
    engine->time.steady_us += ms * 1000;
    settle(engine);
}

/* In steps, for what looks again and again. */
static inline void pass_in_steps(struct engine_house *engine, int64_t ms, int64_t step_ms)
{
    for (int64_t passed = 0; passed < ms; passed += step_ms)
        pass_ms(engine, step_ms);
}

/* What a job writes fails, what it reads does not. */
static inline void disk_full(bool full)
{
    atomic_store(&fault.no_room, full);
}

/* ---- what waits on disk ---- */

/* An event notification of the account whose postbacks go through the disk: they have a delay. */
static inline int64_t house_notify_late(struct house *house, int64_t account, int delay_s)
{
    struct new_notification new = { .account = account,
                                    .types = OPENED,
                                    .minimum_delay_s = delay_s };
    assert_true(house_do(house, house_add_notification, &new, NULL));
    return new.id;
}

/* An event of the account, whose one event notification has a delay: the postback that waits. */
static inline int64_t house_waiting(struct house *house, int64_t account)
{
    struct published published;
    house_publish(house, account, OPENED, 0, &published);
    assert_true(list_empty(&published.fresh));
    return house_number(house, "SELECT max(id) FROM postback", 0);
}

static inline bool house_delivered_run(struct job *job, struct db *db, void *with)
{
    struct stmt *put = db_prepare(
        db, "UPDATE postback SET state = 2, attempts = 1, finished_at = ?1 WHERE id = ?2");
    (void)job;
    db_bind_int(put, 1, db_now(db));
    db_bind_int(put, 2, *(const int64_t *)with);
    db_run(db, put);
    return true;
}

/* It has arrived, now. */
static inline void house_delivered(struct house *house, int64_t postback)
{
    assert_true(house_do(house, house_delivered_run, &postback, NULL));
}

/* ---- an attempt that has ended, as observers are told of it ---- */

struct told_attempt {
    struct postback postback;
    struct event *event;
    struct attempt attempt;
    struct ended ended;
};

/* Of the account's event of that type; latency_us -1: not at once.  told_attempt_clear() after. */
static inline void told_attempt_make(struct told_attempt *told, int64_t account,
                                     int64_t notification, const char *type, int status,
                                     int64_t latency_us)
{
    *told = (struct told_attempt){
        .event = event_new(account, catalog_type(type), clock_wall_ms(), 0, "{}", 2),
        .attempt = { .number = 1,
                     .revision = 1,
                     .status = status,
                     .started_at = clock_wall_ms(),
                     .retry_after_ms = -1 },
    };
    told->postback = (struct postback){
        .notification = notification, .event = told->event, .attempts = 1, .due_at = clock_wall_ms()
    };
    told->ended = (struct ended){ .postback = &told->postback,
                                  .attempt = &told->attempt,
                                  .verdict = status == 200 ? VERDICT_DELIVERED : VERDICT_FAILED,
                                  .at_us = clock_steady_us(),
                                  .latency_us = latency_us };
}

static inline void told_attempt_clear(struct told_attempt *told)
{
    event_unref(told->event);
}

#define IN_ENGINE(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, engine_house_setup, engine_house_teardown)

#endif
