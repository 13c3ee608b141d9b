/* postgres_store_test.c — the store on a PostgreSQL that is killed, cut off and broken: what was
 * acknowledged is there, once, and everything goes on by itself. */
#include "house.h"
#include "postgres_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROUNDS = 4, BURST = 300 };

struct work {
    struct house *house;
    int given, done, acknowledged;
    int64_t found;
    bool writable;
    int news;
    int written[ROUNDS * BURST * 4 +
                2 * UNTIL_PATIENCE_S * 1000]; /* numbers that were acknowledged */
};

struct work_job {
    struct job job;
    struct work *work;
    int number;
};

static bool write_run(struct job *job, struct db *db)
{
    struct work_job *mine = container_of(job, struct work_job, job);
    struct stmt *add = db_prepare(db, "INSERT INTO quota_episode (account, since) VALUES (?, 1)");
    db_bind_int(add, 1, mine->number);
    db_run(db, add);
    return true;
}

static void write_done(struct job *job, bool ok)
{
    struct work_job *mine = container_of(job, struct work_job, job);
    struct work *work = mine->work;
    work->done++;
    if (ok)
        work->written[work->acknowledged++] = mine->number;
    else
        assert_int_equal(job->error.kind, ERROR_UNAVAILABLE);
    free(mine);
}

static void give(struct work *work, bool sure)
{
    struct work_job *mine = must_alloc(sizeof(*mine));
    *mine = (struct work_job){ .job = { .run = write_run, .done = write_done, .sure = sure },
                               .work = work,
                               .number = ++work->given };
    store_write(work->house->store, &mine->job);
}

static void turn_until_done(struct work *work)
{
    UNTIL((uv_run(&work->house->loop, UV_RUN_NOWAIT), work->done == work->given));
}

static bool write_one(struct work *work)
{
    give(work, true);
    turn_until_done(work);
    return work->writable;
}

static void hear_health(void *context, bool writable)
{
    struct work *work = context;
    work->writable = writable;
    work->news++;
}

static int set_up(void **state)
{
    struct work *work = must_alloc(sizeof(*work));
    struct house *house = must_alloc(sizeof(*house));
    snprintf(house->directory, sizeof(house->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(house->directory) == NULL)
        return -1;
    uv_loop_init(&house->loop);
    proxy_start();
    postgres_server_uri(house->uri, proxy.folder, postgres_server_schema());
    if (!house_open(house))
        return -1;
    store_on_health(house->store, hear_health, work);
    work->house = house;
    work->writable = true;
    *state = work;
    return 0;
}

static int tear_down(void **state)
{
    struct work *work = *state;
    void *house = work->house;
    house_teardown(&house);
    proxy_end();
    free(work);
    return 0;
}

struct look {
    const struct work *work;
    int64_t missing, rows;
};

static bool do_look(struct job *job, struct db *db, void *with)
{
    struct look *look = with;
    (void)job;
    look->missing = 0;
    for (int i = 0; i < look->work->acknowledged; i++) {
        struct stmt *find = db_prepare(db, "SELECT 1 FROM quota_episode WHERE account = ?");
        db_bind_int(find, 1, look->work->written[i]);
        look->missing += db_number(find, 0) != 1;
    }
    look->rows = db_number(db_prepare(db, "SELECT count(*) FROM quota_episode"), -1);
    return !db_failed(db);
}

static struct look look(struct work *work)
{
    struct look found = { .work = work };
    UNTIL(house_do(work->house, do_look, &found, NULL));
    return found;
}

static void test_a_database_that_is_killed_loses_nothing_it_acknowledged(void **state)
{
    struct work *work = *state;

    for (int round = 0; round < ROUNDS; round++) {
        UNTIL(write_one(work)); /* the store has found the database again */
        for (int i = 0; i < BURST; i++)
            give(work, i % 2 == 0);
        UNTIL((uv_run(&work->house->loop, UV_RUN_NOWAIT), work->done > work->given - BURST));
        for (int i = 0; i < BURST; i++) {
            give(work, i % 2 == 0);
            uv_run(&work->house->loop, UV_RUN_NOWAIT);
        }
        postgres_server_kill();
        for (int i = 0; i < 10; i++)
            give(work, true);
        postgres_server_boot();
        turn_until_done(work);
    }
    assert_true(work->acknowledged >= ROUNDS);
    UNTIL(write_one(work));
    assert_int_equal(look(work).missing, 0);
    assert_int_equal(look(work).rows, work->acknowledged);
}

static void test_a_road_that_breaks_in_commits_loses_and_doubles_nothing(void **state)
{
    struct work *work = *state;

    for (int nth = 1; nth <= 40; nth++) {
        atomic_store(&proxy.pieces_left, nth);
        for (int i = 0; i < 10; i++)
            give(work, i % 3 != 0);
        turn_until_done(work);
        atomic_store(&proxy.pieces_left, 0);
        atomic_store(nth % 2 == 0 ? &proxy.cut_at_answer : &proxy.cut_at_request, "COMMIT");
        for (int i = 0; i < 10; i++)
            give(work, i % 3 != 0);
        turn_until_done(work);
    }
    assert_true(atomic_load(&proxy.cuts) >= 40);
    UNTIL(write_one(work));
    struct look found = look(work);
    assert_int_equal(found.missing, 0);
    assert_int_equal(found.rows, work->acknowledged);
}

static void test_what_is_wrong_there_does_not_end_the_program(void **state)
{
    struct work *work = *state;
    const char *schema = strstr(work->house->uri, "%22") + 3;
    char name[32];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(schema, "%"), schema);
    postgres_server_sql(name, "ALTER TABLE quota_episode RENAME TO gone");
    for (int i = 0; i < 15; i++) /* more often than a file's trouble is borne */
        write_one(work);
    assert_int_equal(work->acknowledged, 0);
    assert_false(work->writable);
    postgres_server_sql(name, "ALTER TABLE gone RENAME TO quota_episode");
    UNTIL(write_one(work));
    assert_true(work->acknowledged >= 1);
    assert_int_equal(look(work).rows, work->acknowledged);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_database_that_is_killed_loses_nothing_it_acknowledged),
        test(test_a_road_that_breaks_in_commits_loses_and_doubles_nothing),
        test(test_what_is_wrong_there_does_not_end_the_program),
    };
    return cmocka_run_group_tests(tests, postgres_server_start, postgres_server_stop);
}
