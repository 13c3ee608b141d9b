/* work_test.c — a service's jobs are counted until they are done, and a stop begins nothing new. */
#include "engine_house.h"

struct service {
    struct engine_house *engine;
    int64_t read; /* by its job */
    int done, failed, fired;
};

struct counting {
    struct service_job job;
    int64_t accounts;
};

static bool count_run(struct job *job, struct db *db)
{
    ((struct counting *)job)->accounts =
        db_number(db_prepare_once(db, "SELECT count(*) FROM account"), 0);
    return true;
}

static bool write_run(struct job *job, struct db *db)
{
    struct stmt *put = db_prepare_once(db, "UPDATE account SET name = name || 'x'");
    (void)job;
    db_run(db, put);
    return true;
}

static void counted(struct job *job, bool ok)
{
    struct service *service = work_done(job);
    service->read = ((struct counting *)job)->accounts;
    service->done++;
    service->failed += !ok;
    free(job);
}

static struct counting *job_new(struct service *service, bool (*run)(struct job *, struct db *))
{
    return work_add(&service->engine->work, service, sizeof(struct counting), run, counted);
}

static void test_a_job_is_under_way_until_it_is_done(void **state)
{
    struct service service = { .engine = *state };
    struct work *work = &service.engine->work;
    struct counting *read = job_new(&service, count_run), *write = job_new(&service, write_run);
    assert_int_equal(work->under_way, 2);
    work_read(&read->job);
    work_write(&write->job);
    await_jobs(service.engine);
    assert_int_equal(work->under_way, 0);
    assert_int_equal(service.done, 2);
    assert_int_equal(service.failed, 0);
}

static void test_a_job_that_fails_is_done_too(void **state)
{
    struct service service = { .engine = *state };
    disk_full(true);
    work_write(&job_new(&service, write_run)->job);
    await_jobs(service.engine);
    disk_full(false);
    assert_int_equal(service.done, 1);
    assert_int_equal(service.failed, 1);
}

static void fire(void *context)
{
    ((struct service *)context)->fired++;
}

static void test_once_it_stops_no_timer_fires_and_what_is_under_way_ends(void **state)
{
    struct service service = { .engine = *state };
    struct work *work = &service.engine->work;
    struct periodic *timer = periodic_new(&work->timers, SECOND_MS, fire, &service);
    pass_ms(service.engine, SECOND_MS);
    assert_int_equal(service.fired, 1);
    struct counting *read = job_new(&service, count_run);
    work_read(&read->job);
    work_stop(work);
    assert_true(work->stopping);
    pass_ms(service.engine, 10 * SECOND_MS);
    assert_int_equal(service.fired, 1);
    assert_int_equal(service.done, 1);
    assert_int_equal(service.read, 5); /* those of the house */
    periodic_free(timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_a_job_is_under_way_until_it_is_done),
        IN_ENGINE(test_a_job_that_fails_is_done_too),
        IN_ENGINE(test_once_it_stops_no_timer_fires_and_what_is_under_way_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
