/* observers_test.c — an attempt that has ended is told to all who watch, the figures first. */
#include "engine_house.h"

#include "base/metrics.h"
#include "engine/lateness.h"
#include "engine/maintenance.h"
#include "engine/observers.h"
#include "engine/recorder.h"
#include "engine/services.h"

struct watchers {
    struct engine_house *engine;
    struct holds holds;
    struct list fresh;
    struct services services;
    int64_t account, notification;
};

static void held(void *context, bool hold)
{
    (void)context;
    (void)hold;
}

static int setup(void **state)
{
    struct error error = { 0 };
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    struct watchers *watchers = must_alloc(sizeof(*watchers));
    watchers->engine = engine;
    struct work *work = &watchers->engine->work;
    struct services *services = &watchers->services;
    watchers->holds.changed = held;
    list_init(&watchers->fresh);
    services->lateness = lateness_new(
        &(struct lateness_config){ work, &watchers->holds, { 15 * MINUTE_MS, HOUR_MS } }, &error);
    services->pause = maintenance_new(&(struct maintenance_config){ .work = work,
                                                                    .holds = &watchers->holds,
                                                                    .fresh = &watchers->fresh },
                                      &error);
    services->recorder = recorder_new(work, services->lateness);
    watchers->account = watchers->engine->house->partner.account;
    watchers->notification = house_notify(watchers->engine->house, watchers->account, OPENED);
    *state = watchers;
    return 0;
}

static int teardown(void **state)
{
    struct watchers *watchers = *state;
    void *engine = watchers->engine;
    recorder_free(watchers->services.recorder);
    maintenance_free(watchers->services.pause);
    lateness_free(watchers->services.lateness);
    free(watchers);
    return engine_house_teardown(&engine);
}

static void ended(struct watchers *watchers, int status, int64_t latency_us)
{
    struct told_attempt told;
    told_attempt_make(&told, watchers->account, watchers->notification, OPENED, status, latency_us);
    observers_tell(&watchers->services, &told.ended);
    told_attempt_clear(&told);
}

static void test_all_who_watch_are_told(void **state)
{
    struct watchers *watchers = *state;
    struct under_way minute;
    struct lateness_figures late;
    int64_t attempts = metric_value(METRIC_ATTEMPTS), delivered = metric_value(METRIC_DELIVERED),
            failed = metric_value(METRIC_FAILED);
    ended(watchers, 200, 3000);
    for (int i = 0; i < 10; i++)
        ended(watchers, 500, -1);
    settle(watchers->engine);
    assert_int_equal(metric_value(METRIC_ATTEMPTS) - attempts, 11);
    assert_int_equal(metric_value(METRIC_DELIVERED) - delivered, 1);
    assert_int_equal(metric_value(METRIC_FAILED) - failed, 10);
    recorder_under_way(watchers->services.recorder, watchers->account, watchers->notification,
                       &minute);
    assert_int_equal(minute.open.sample.delivered, 1);
    assert_int_equal(minute.open.sample.failed, 10);
    assert_true(sample_latency_us(&minute.open.sample, 0.5) > 0);
    lateness_figures(watchers->services.lateness, &late);
    assert_int_equal(late.failing, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_who_watch_are_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
