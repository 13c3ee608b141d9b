/* A3: who reads waits for nobody else: the roads, and reads that nobody waits for any more. */
#include "house.h"

#include "base/trim.h"
#include "db/readers.h"
#include "until.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

struct ask {
    struct job job;
    sem_t *gate, *at_gate;   /* where run() waits, and says that it does; NULL: it does not */
    const atomic_bool *left; /* who asks for it */
    bool long_walk;
    int *done; /* how many of the test's have come back */
    int place; /* of this one among them */
    bool ran, ok;
    enum error_kind error;
};

static bool ask_run(struct job *job, struct db *db)
{
    struct ask *ask = container_of(job, struct ask, job);
    ask->ran = true;
    if (ask->gate != NULL) {
        sem_post(ask->at_gate);
        while (sem_wait(ask->gate) == -1) {
        }
    }
    if (ask->long_walk) /* about for ever */
        db_number(db_prepare(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                 "WHERE i < 1000000000000) SELECT sum(i) FROM n"),
                  0);
    return true;
}

static void ask_done(struct job *job, bool ok)
{
    struct ask *ask = container_of(job, struct ask, job);
    ask->place = ++*ask->done;
    ask->ok = ok;
    ask->error = job->error.kind;
}

static bool ask_wanted(const struct job *job)
{
    return !atomic_load(container_of(job, struct ask, job)->left);
}

static void read_for(struct house *house, struct ask *ask, int64_t account, int *done)
{
    ask->job = (struct job){ .run = ask_run,
                             .done = ask_done,
                             .account = account,
                             .wanted = ask->left != NULL ? ask_wanted : NULL };
    ask->done = done;
    store_read(house->store, &ask->job);
}

static void await_done(struct house *house, const int *done, int count)
{
    while (*done < count)
        uv_run(&house->loop, UV_RUN_ONCE);
}

static void test_one_accounts_reads_hold_up_no_other_no_engine_and_no_look_up(void **state)
{
    struct house *house = *state;
    sem_t gate, at_gate;
    int greedy_done = 0, done = 0;
    struct ask greedy[60] = { 0 }, other = { 0 }, engine = { 0 }, look_up = { 0 };
    sem_init(&gate, 0, 0);
    sem_init(&at_gate, 0, 0);
    for (int i = 0; i < 60; i++) {
        greedy[i].gate = &gate;
        greedy[i].at_gate = &at_gate;
        read_for(house, &greedy[i], 1, &greedy_done);
    }
    sem_wait(&at_gate);
    read_for(house, &other, 2, &done);
    read_for(house, &engine, 0, &done);
    await_done(house, &done, 2);
    look_up.job = (struct job){ .run = ask_run, .done = ask_done, .account = 1 };
    look_up.done = &done;
    store_look_up(house->store, &look_up.job);
    await_done(house, &done, 3);
    assert_int_equal(greedy_done, 0);
    for (int i = 0; i < 60; i++)
        sem_post(&gate);
    await_done(house, &greedy_done, 60);
    for (int i = 0; i < 60; i++)
        assert_int_equal(greedy[i].place, i + 1);
    sem_destroy(&gate);
    sem_destroy(&at_gate);
}

static void test_two_greedy_accounts_let_a_third_have_its_turn(void **state)
{
    struct house *house = *state;
    sem_t gate, at_gate;
    int done = 0;
    struct ask greedy[40] = { 0 }, other = { 0 };
    sem_init(&gate, 0, 0);
    sem_init(&at_gate, 0, 0);
    for (int i = 0; i < 40; i++) {
        greedy[i].gate = &gate;
        greedy[i].at_gate = &at_gate;
        read_for(house, &greedy[i], 1 + i % 2, &done);
    }
    sem_wait(&at_gate);
    sem_wait(&at_gate); /* both readers are theirs */
    read_for(house, &other, 3, &done);
    for (int i = 0; i < 40; i++)
        sem_post(&gate);
    await_done(house, &done, 41);
    assert_in_range(other.place, 1, 6); /* behind those that ran, and a turn of each */
    sem_destroy(&gate);
    sem_destroy(&at_gate);
}

static void test_a_read_of_a_client_that_has_left_is_not_run(void **state)
{
    struct house *house = *state;
    const atomic_bool gone = true, there = false;
    sem_t gate, at_gate;
    int done = 0;
    struct ask first = { .gate = &gate, .at_gate = &at_gate }, left = { .left = &gone },
               stays = { .left = &there };
    sem_init(&gate, 0, 0);
    sem_init(&at_gate, 0, 0);
    read_for(house, &first, 1, &done);
    sem_wait(&at_gate);
    read_for(house, &left, 1, &done);
    read_for(house, &stays, 1, &done);
    sem_post(&gate);
    await_done(house, &done, 3);
    assert_false(left.ran);
    assert_false(left.ok);
    assert_int_equal(left.error, ERROR_UNAVAILABLE);
    assert_true(stays.ok);
    sem_destroy(&gate);
    sem_destroy(&at_gate);
}

static void test_a_long_read_ends_when_its_client_leaves_and_the_reader_goes_on(void **state)
{
    struct house *house = *state;
    atomic_bool left = false;
    sem_t gate, at_gate;
    int done = 0;
    struct ask walk = { .left = &left, .long_walk = true, .gate = &gate, .at_gate = &at_gate };
    struct ask next[8] = { 0 };
    sem_init(&gate, 0, 1);
    sem_init(&at_gate, 0, 0);
    read_for(house, &walk, 1, &done);
    sem_wait(&at_gate);
    atomic_store(&left, true);
    await_done(house, &done, 1);
    assert_true(walk.ran);
    assert_false(walk.ok);
    assert_int_equal(walk.error, ERROR_UNAVAILABLE);
    for (int i = 0; i < 8; i++)
        read_for(house, &next[i], 1 + i, &done);
    await_done(house, &done, 9);
    for (int i = 0; i < 8; i++)
        assert_true(next[i].ok);
    sem_destroy(&gate);
    sem_destroy(&at_gate);
}

static void test_too_many_reads_are_refused_on_the_loop_and_the_engines_are_not(void **state)
{
    struct house *house = *state;
    enum { MORE = 5, COUNT = 1 + READS_ACCOUNT_MOST + MORE };
    sem_t gate, at_gate;
    int done = 0, engine_done = 0, refused = 0;
    struct ask *asks = must_alloc(COUNT * sizeof(*asks));
    struct ask *engines = must_alloc(COUNT * sizeof(*engines));
    sem_init(&gate, 0, 0);
    sem_init(&at_gate, 0, 0);
    asks[0].gate = &gate;
    asks[0].at_gate = &at_gate;
    read_for(house, &asks[0], 1, &done);
    sem_wait(&at_gate);
    for (int i = 1; i < COUNT; i++)
        read_for(house, &asks[i], 1, &done);
    for (int i = 0; i < COUNT; i++)
        read_for(house, &engines[i], 0, &engine_done);
    assert_int_equal(done, 0); /* done() comes from the loop, also for those */
    await_done(house, &done, MORE);
    sem_post(&gate);
    await_done(house, &done, COUNT);
    await_done(house, &engine_done, COUNT);
    for (int i = 0; i < COUNT; i++) {
        refused += asks[i].error == ERROR_TOO_MANY && !asks[i].ran;
        assert_true(engines[i].ok);
    }
    assert_int_equal(refused, MORE);
    free(asks);
    free(engines);
    sem_destroy(&gate);
    sem_destroy(&at_gate);
}

/* ---- memory ---- */

static atomic_int trims;

static void count_trim(void)
{
    atomic_fetch_add(&trims, 1);
}

static int trim_setup(void **state)
{
    trim_by(count_trim);
    return house_setup(state);
}

static int trim_teardown(void **state)
{
    int code = house_teardown(state);
    trim_by(NULL);
    return code;
}

/* Four readers and the writer. */
static void test_each_thread_that_rests_gives_memory_back(void **state)
{
    struct house *house = *state;
    struct ask ask = { 0 };
    int done = 0;
    UNTIL(atomic_load(&trims) >= 5); /* after the start */
    int before = atomic_load(&trims);
    read_for(house, &ask, house->partner.account, &done);
    await_done(house, &done, 1);
    UNTIL(atomic_load(&trims) > before); /* the one that has read */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_accounts_reads_hold_up_no_other_no_engine_and_no_look_up),
        CASE(test_two_greedy_accounts_let_a_third_have_its_turn),
        CASE(test_a_read_of_a_client_that_has_left_is_not_run),
        CASE(test_a_long_read_ends_when_its_client_leaves_and_the_reader_goes_on),
        CASE(test_too_many_reads_are_refused_on_the_loop_and_the_engines_are_not),
        cmocka_unit_test_setup_teardown(test_each_thread_that_rests_gives_memory_back, trim_setup,
                                        trim_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
