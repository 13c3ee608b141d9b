/* db_conformance_faults_test.c — what a driver must do when a call below it fails: the Nth of each
 * kind that the engine has (db_engine.h), for each N until the work makes no more of them.
 *
 * What was committed is there, what was not is not, the failure has its class, and the connection
 * goes on; after a failure that leaves open what is on disk, it does once all is opened anew.
 */
#include "db_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TRANSACTIONS = 3, ROWS = 2, BYTES = 50000, NTH_MOST = 500000 };

static bool may_be(const struct db_seam *seam, enum db_failure failure)
{
    for (int i = 0; i < 4 && seam->failures[i] != DB_FINE; i++) {
        if (seam->failures[i] == failure)
            return true;
    }
    return false;
}

static void expect_class(const struct db_seam *seam, const struct db *db, int nth)
{
    if (!may_be(seam, db_failure(db)))
        fail_msg("%s %d: failure %d: %s", seam->what, nth, db_failure(db), db_failure_text(db));
}

/* Two rows, one of them in a part, behind a part that is undone.  Whether it was committed. */
static bool write_rows(struct db *db)
{
    static char ballast[BYTES];
    begin(db);
    db_begin_part(db);
    add(db, NULL, 1);
    if (!db_undo_part(db)) {
        db_undo(db);
        return false;
    }
    db_begin_part(db);
    struct stmt *put = db_prepare(db, "INSERT INTO t (b, n) VALUES (?, 2)");
    memset(ballast, 'x', sizeof(ballast));
    db_bind_bytes(put, 1, ballast, sizeof(ballast));
    db_run(db, put);
    db_keep_part(db);
    add(db, NULL, 2);
    db_run(db, db_prepare(db, "UPDATE t SET born = born + 1 WHERE n = 2"));
    return db_commit(db);
}

/* All rows as text and bytes, so that no value is taken for empty; -1: it failed. */
static int64_t read_rows(struct db *db)
{
    int64_t rows = 0;
    begin(db);
    struct stmt *list = db_prepare(db, "SELECT b, n FROM t ORDER BY id");
    while (db_step(list) == DB_ROW) {
        size_t len;
        db_bytes(list, 0, &len);
        if (!db_failed(db) && (len == 0 || len == BYTES) && db_int(list, 1) == 2)
            rows++;
    }
    db_finish(list);
    return db_commit(db) ? rows : -1;
}

/* The rows that are there, after a commit of which that is not known. */
static int64_t settle(struct base *base, const struct db_seam *seam, int64_t rows)
{
    seam->fired();
    base_disconnect(base);
    base_connect(base);
    int64_t found = read_rows(base->db);
    if (found != rows && found != rows + ROWS)
        fail_msg("%s: %lld rows, and %lld are there", seam->what, (long long)rows,
                 (long long)found);
    return found;
}

static int64_t work(struct base *base, const struct db_seam *seam, int nth, int64_t rows)
{
    for (int i = 0; i < TRANSACTIONS; i++) {
        if (write_rows(base->db)) {
            rows += ROWS;
        } else {
            expect_class(seam, base->db, nth);
            if (seam->leaves_unknown)
                return settle(base, seam, rows);
        }
        int64_t found = read_rows(base->reader);
        if (found == -1)
            expect_class(seam, base->reader, nth);
        else if (found != rows)
            fail_msg("%s %d: %lld rows committed, %lld read", seam->what, nth, (long long)rows,
                     (long long)found);
    }
    return rows;
}

static void clear(struct db *db)
{
    begin(db);
    db_run(db, db_prepare(db, "DELETE FROM t"));
    assert_true(db_commit(db));
}

static void test_each_call_of_the_work_fails_once(void **state)
{
    struct base *base = *state;
    for (const struct db_seam *seam = engine->seams; seam->what != NULL; seam++) {
        int nth = 0;
        bool fired, unknown;
        do {
            seam->arm(++nth);
            int64_t rows = work(base, seam, nth, 0), found;
            fired = seam->fired();
            unknown = seam->leaves_unknown && rows < TRANSACTIONS * ROWS;
            if ((found = read_rows(base->db)) != rows)
                fail_msg("%s %d: %lld rows committed, %lld there", seam->what, nth, (long long)rows,
                         (long long)found);
            assert_true(write_rows(base->db)); /* and it goes on */
            assert_int_equal(read_rows(base->reader), rows + ROWS);
            clear(base->db);
        } while ((fired || unknown) && nth < NTH_MOST);
        assert_in_range(nth, 2, NTH_MOST - 1);
    }
}

/* An opening makes thousands: each of the first, then one of so many. */
static int next_of(int nth)
{
    return nth + 1 + nth / 10;
}

static void test_calls_of_an_opening_fail(void **state)
{
    struct base *base = *state;
    assert_true(write_rows(base->db));
    for (const struct db_seam *seam = engine->seams; seam->what != NULL; seam++) {
        int nth = 0;
        bool fired;
        do {
            struct error error = { 0 };
            base_disconnect(base);
            nth = next_of(nth);
            seam->arm(nth);
            bool opened = base_try(base, &error);
            fired = seam->fired();
            if (!opened) {
                assert_true(fired);
                assert_string_not_equal(error.message, "");
                base_connect(base);
            }
            assert_int_equal(read_rows(base->db), ROWS);
            assert_int_equal(read_rows(base->reader), ROWS);
        } while (fired && nth < NTH_MOST);
        assert_in_range(nth, 1, NTH_MOST - 1);
    }
}

#define test(f) cmocka_unit_test_setup_teardown(f, base_set_up, base_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_each_call_of_the_work_fails_once),
        test(test_calls_of_an_opening_fail),
    };
    engine_choose();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
