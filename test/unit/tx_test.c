/* tx_test.c — transactions that are run again, and connections that break, at each call in turn.
 *
 * Whatever happens on the way, what was acknowledged is there once, what it made was handed on
 * once, what was refused left nothing, and nobody was told before it was known.
 */
#include "postback_house.h"

#include "fault_driver.h"

#define OPENED "action_inquiry.opened"

enum { JOBS = 5, REFUSING = 2, SURE = 3 }; /* of a workload, by place */

/* ---- some jobs that share a transaction ---- */

struct workload {
    struct house *house;
    int acknowledged, refused, unavailable;
    int64_t handed; /* on: postbacks */
    bool health, health_told;
};

struct publishing {
    struct job job;
    struct workload *of;
    struct published published;
    int place, runs;
};

static bool publishing_run(struct job *job, struct db *db)
{
    struct publishing *mine = container_of(job, struct publishing, job);
    mine->runs++;
    house_publish_run(job, db, &mine->published);
    if (mine->place == REFUSING)
        error_set(&job->error, ERROR_CONFLICT, "changed its mind");
    return mine->place != REFUSING;
}

static void publishing_done(struct job *job, bool ok)
{
    struct publishing *mine = container_of(job, struct publishing, job);
    mine->of->acknowledged += ok;
    mine->of->refused += !ok && job->error.kind == ERROR_CONFLICT;
    mine->of->unavailable += !ok && job->error.kind == ERROR_UNAVAILABLE;
    free(mine);
}

static void count_handed(void *context, struct list *postbacks)
{
    struct workload *workload = context;
    workload->handed += (int64_t)list_length(postbacks);
    house_free_list(postbacks);
}

static void note_health(void *context, bool writable)
{
    struct workload *workload = context;
    workload->health = writable;
    workload->health_told = true;
}

static void give(struct workload *workload, int place)
{
    struct publishing *job = must_alloc(sizeof(*job));
    *job = (struct publishing){
        .job = { .run = publishing_run, .done = publishing_done, .sure = place == SURE },
        .of = workload,
        .published = { .account = workload->house->partner.account, .type = OPENED },
        .place = place
    };
    store_write(workload->house->store, &job->job);
}

static void begin(struct workload *workload, struct house *house)
{
    *workload = (struct workload){ .house = house };
    store_on_fresh(house->store, count_handed, workload);
    store_on_health(house->store, note_health, workload);
}

static void run(struct house *house)
{
    uv_run(&house->loop, UV_RUN_DEFAULT); /* ends when no job is under way */
}

static void give_all(struct workload *workload, struct house *house)
{
    begin(workload, house);
    for (int place = 0; place < JOBS; place++)
        give(workload, place);
}

static int64_t events_of(struct house *house)
{
    return house_number(house, "SELECT count(*) FROM event WHERE account = ?",
                        house->partner.account);
}

static int64_t pending_of(struct house *house, int64_t notification)
{
    return house_number(house, "SELECT sum(pending) FROM notification_count WHERE notification = ?",
                        notification);
}

/* Each event of the workload has one postback. */
static void expect_whole(struct house *house, const struct workload *workload, int64_t notification,
                         int64_t *events)
{
    *events += workload->acknowledged;
    assert_int_equal(workload->handed, workload->acknowledged);
    assert_int_equal(events_of(house), *events);
    if (*events > 0)
        assert_int_equal(pending_of(house, notification), *events);
}

/* ---- at each call ---- */

static void at_each_call(struct house *house, enum db_failure failure)
{
    int64_t notification = house_notify(house, house->partner.account, OPENED), events = 0;
    int unavailable = 0, nth = 0;
    bool failed;
    do {
        struct workload workload;
        fault_fail(++nth, failure);
        give_all(&workload, house);
        run(house);
        failed = fault_failed();
        unavailable += workload.unavailable;
        assert_int_equal(workload.acknowledged + workload.refused + workload.unavailable, JOBS);
        if (workload.unavailable == 0)
            assert_int_equal(workload.refused, 1);
        expect_whole(house, &workload, notification, &events);
    } while (failed);
    assert_in_range(nth, 10, 10000);
    if (failure == DB_RETRY) /* else: where there was no connection to begin with */
        assert_int_equal(unavailable, 0);
}

static void test_whatever_meets_others_is_run_again(void **state)
{
    at_each_call(*state, DB_RETRY);
}

static void test_a_connection_may_break_at_each_call(void **state)
{
    fault_driver.lands = false;
    at_each_call(*state, DB_LOST);
}

static void test_it_may_break_when_all_is_on_disk(void **state)
{
    fault_driver.lands = true;
    at_each_call(*state, DB_LOST);
    fault_driver.lands = false;
}

/* ---- how often ---- */

static void test_what_never_goes_is_given_up(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED), events = 0;
    struct workload workload;
    begin(&workload, house);
    atomic_store(&fault_driver.more, 1000);
    fault_fail_commit(1, DB_RETRY);
    give(&workload, 0);
    run(house);
    assert_int_equal(workload.unavailable, 1);
    assert_int_equal(1000 - atomic_load(&fault_driver.more), 10); /* runs */
    assert_false(workload.health_told);                           /* others may still write */
    atomic_store(&fault_driver.more, 0);
    atomic_store(&fault_driver.commits_left, 0);
    expect_whole(house, &workload, notification, &events);
    give_all(&workload, house);
    run(house);
    assert_int_equal(workload.acknowledged, JOBS - 1);
    expect_whole(house, &workload, notification, &events);
}

/* ---- the answer to a commit ---- */

/* The database cannot be asked for a while; then it says what became of the commit. */
static void lose_the_answer(struct house *house, bool lands)
{
    int64_t notification = house_notify(house, house->partner.account, OPENED), events = 0;
    struct workload workload;
    fault_driver.lands = lands;
    atomic_store(&fault_driver.unknown, 1000000);
    fault_fail_commit(1, DB_LOST);
    begin(&workload, house);
    give(&workload, 0);
    while (!workload.health_told)
        uv_run(&house->loop, UV_RUN_ONCE);
    assert_false(workload.health); /* the news comes first: nobody has been told anything */
    assert_int_equal(workload.acknowledged + workload.unavailable, 0);
    give(&workload, 1);
    while (workload.unavailable == 0)
        uv_run(&house->loop, UV_RUN_ONCE);
    assert_int_equal(workload.acknowledged, 0); /* who came later did not have to wait */
    atomic_store(&fault_driver.unknown, 0);
    run(house);
    assert_int_equal(workload.acknowledged, 1);
    assert_int_equal(workload.unavailable, 1);
    assert_true(workload.health);
    expect_whole(house, &workload, notification, &events);
    fault_driver.lands = false;
}

static void test_a_commit_that_landed_is_told_once_it_is_known(void **state)
{
    lose_the_answer(*state, true);
}

static void test_a_commit_that_did_not_land_is_run_again(void **state)
{
    lose_the_answer(*state, false);
}

/* Nobody is told ok; what is on disk is found by the next start. */
static void test_a_stop_does_not_wait_for_the_answer(void **state)
{
    struct house *house = *state;
    struct workload workload;
    house_notify(house, house->partner.account, OPENED);
    fault_driver.lands = true;
    atomic_store(&fault_driver.unknown, 1000000);
    fault_fail_commit(1, DB_LOST);
    begin(&workload, house);
    give(&workload, 0);
    while (!workload.health_told)
        uv_run(&house->loop, UV_RUN_ONCE);
    store_close(house->store);
    assert_int_equal(workload.unavailable, 1);
    assert_int_equal(workload.handed, 0);
    atomic_store(&fault_driver.unknown, 0);
    fault_driver.lands = false;
    assert_true(house_open(house));
    assert_int_equal(events_of(house), 1);
}

static void test_without_a_connection_all_is_refused_until_it_is_back(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED), events = 0;
    struct workload workload;
    begin(&workload, house);
    atomic_store(&fault_driver.closed, 1000000);
    give(&workload, 0);
    run(house);
    assert_int_equal(workload.unavailable, 1);
    assert_false(workload.health);
    atomic_store(&fault_driver.closed, 0);
    give(&workload, 0);
    run(house);
    assert_int_equal(workload.acknowledged, 1);
    assert_true(workload.health);
    expect_whole(house, &workload, notification, &events);
}

/* ---- jobs that were sure ---- */

struct rash {
    struct job job;
    bool breaks; /* a constraint; else it writes and gives false */
    struct workload *of;
    int runs;
};

static bool rash_run(struct job *job, struct db *db)
{
    struct rash *rash = container_of(job, struct rash, job);
    rash->runs++;
    db_run(db, db_prepare(db, "INSERT INTO meta (key, value) VALUES ('rash', 1)"));
    if (rash->breaks)
        db_run(db, db_prepare(db, "INSERT INTO meta (key, value) VALUES ('rash', 2)"));
    return false;
}

static void rash_done(struct job *job, bool ok)
{
    struct rash *rash = container_of(job, struct rash, job);
    assert_false(ok);
    assert_int_equal(job->error.kind, ERROR_BROKEN);
    rash->of->refused++;
}

static void fail_a_sure_one(struct house *house, bool breaks)
{
    int64_t notification = house_notify(house, house->partner.account, OPENED), events = 0;
    struct workload workload;
    struct rash rash = { .job = { .run = rash_run, .done = rash_done, .sure = true },
                         .breaks = breaks,
                         .of = &workload };
    begin(&workload, house);
    give(&workload, SURE);
    store_write(house->store, &rash.job);
    give(&workload, 0);
    run(house);
    assert_int_equal(rash.runs, 2); /* the second time it has a savepoint */
    assert_int_equal(workload.refused, 1);
    assert_int_equal(workload.acknowledged, 2);
    expect_whole(house, &workload, notification, &events);
    assert_int_equal(house_number(house, "SELECT count(*) FROM meta WHERE key = 'rash' AND ?1", 1),
                     0);
}

static void test_a_sure_job_that_breaks_a_constraint_takes_no_other_along(void **state)
{
    fail_a_sure_one(*state, true);
}

static void test_a_sure_job_that_writes_and_refuses_leaves_nothing(void **state)
{
    fail_a_sure_one(*state, false);
}

static int set_up(void **state)
{
    fault_clear();
    return house_setup(state);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, set_up, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_whatever_meets_others_is_run_again),
        IN_HOUSE(test_a_connection_may_break_at_each_call),
        IN_HOUSE(test_it_may_break_when_all_is_on_disk),
        IN_HOUSE(test_what_never_goes_is_given_up),
        IN_HOUSE(test_a_commit_that_landed_is_told_once_it_is_known),
        IN_HOUSE(test_a_commit_that_did_not_land_is_run_again),
        IN_HOUSE(test_a_stop_does_not_wait_for_the_answer),
        IN_HOUSE(test_without_a_connection_all_is_refused_until_it_is_back),
        IN_HOUSE(test_a_sure_job_that_breaks_a_constraint_takes_no_other_along),
        IN_HOUSE(test_a_sure_job_that_writes_and_refuses_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
