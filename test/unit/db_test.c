/* db_test.c — the driver: values in and out, errors that stick, transactions and their parts. */
#include "house.h"

#include "db/sqlite.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

struct file {
    char directory[64];
    struct id_source ids;
    struct db_source *source;
    struct db *db;
};

static int set_up(void **state)
{
    struct file *file = must_alloc(sizeof(*file));
    struct error error = { 0 };
    const struct db_where where = { .directory = file->directory };
    bool fresh;

    snprintf(file->directory, sizeof(file->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(file->directory) == NULL)
        return -1;
    file->source = db_source_open(&where, &fresh, &error);
    if (file->source == NULL || !fresh)
        return -1;
    file->db = db_open(file->source, DB_WRITER, &file->ids, &error);
    if (file->db == NULL)
        return -1;
    sqlite3_exec(
        sqlite_handle(file->db),
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, n INTEGER, "
        "b BLOB, CHECK (n IS NULL OR n <> 13))",
        NULL, NULL, NULL);
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    struct file *file = *state;
    db_close(file->db);
    db_source_close(file->source);
    nftw(file->directory, house_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(file);
    return 0;
}

static void add(struct db *db, const char *name, int64_t n)
{
    struct stmt *add = db_prepare(db, "INSERT INTO t (name, n) VALUES (?, ?)");
    db_bind_text(add, 1, name);
    db_bind_opt(add, 2, n, 0);
    db_run(db, add);
}

static int64_t rows(struct db *db)
{
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM t");
    int64_t count = db_step(find) == DB_ROW ? db_int(find, 0) : -1;
    db_finish(find);
    return count;
}

static void test_values_come_back_as_they_went_in(void **state)
{
    struct db *db = ((struct file *)*state)->db;
    size_t len;

    db_begin(db, 5, 5);
    struct stmt *put = db_prepare(db, "INSERT INTO t (name, n, b) VALUES (?, ?, ?) RETURNING id");
    db_bind_chars(put, 1, "na\0me and more", 5);
    db_bind_int(put, 2, INT64_MIN);
    db_bind_bytes(put, 3, "\0\1\2", 3);
    int64_t id = db_insert(put);
    assert_true(id > 0);
    assert_int_equal(db_changes(db), 1);
    struct stmt *find = db_prepare(db, "SELECT name, n, b, NULL FROM t WHERE id = ?");
    db_bind_int(find, 1, id);
    assert_int_equal(db_step(find), DB_ROW);
    assert_memory_equal(db_bytes(find, 0, &len), "na\0me", 5);
    assert_int_equal(len, 5);
    assert_true(db_int(find, 1) == INT64_MIN);
    assert_memory_equal(db_bytes(find, 2, &len), "\0\1\2", 3);
    assert_int_equal(len, 3);
    assert_string_equal(db_text(find, 3), "");
    assert_int_equal(db_opt(find, 3, -7), -7);
    assert_null(db_bytes(find, 3, &len));
    assert_int_equal(len, 0);
    assert_int_equal(db_step(find), DB_DONE);
    db_finish(find);
    assert_int_equal(db_now(db), 5);
    assert_true(db_commit(db));
}

static void test_a_kept_statement_has_forgotten_what_was_bound(void **state)
{
    struct db *db = ((struct file *)*state)->db;
    static const char sql[] = "SELECT ?1 IS NULL";

    db_begin(db, 0, 0);
    struct stmt *first = db_prepare(db, sql);
    db_bind_int(first, 1, 1);
    assert_int_equal(db_step(first), DB_ROW);
    assert_int_equal(db_int(first, 0), 0);
    struct stmt *inner = db_prepare(db, sql); /* in use: another one */
    assert_ptr_not_equal(inner, first);
    db_finish(inner);
    db_finish(first);
    struct stmt *again = db_prepare(db, sql);
    assert_ptr_equal(again, first);
    assert_int_equal(db_step(again), DB_ROW);
    assert_int_equal(db_int(again, 0), 1);
    db_finish(again);
    assert_true(db_commit(db));
}

static void test_after_an_error_nothing_more_is_done(void **state)
{
    struct db *db = ((struct file *)*state)->db;

    db_begin(db, 0, 0);
    add(db, "a", 1);
    add(db, "b", 13); /* the check */
    assert_true(db_failed(db));
    assert_int_equal(db_failure(db), DB_CONSTRAINT);
    add(db, "c", 1);
    assert_int_equal(rows(db), -1);
    assert_false(db_commit(db));
    db_begin(db, 0, 0);
    assert_int_equal(rows(db), 0);
    assert_true(db_commit(db));
}

static int64_t add_if_free(struct db *db, const char *name)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO t (name) VALUES (?) ON CONFLICT DO NOTHING RETURNING id");
    db_bind_text(add, 1, name);
    return db_insert(add);
}

static void test_a_taken_name_is_no_error_where_the_statement_says_so(void **state)
{
    struct db *db = ((struct file *)*state)->db;

    db_begin(db, 0, 0);
    int64_t first = add_if_free(db, "a");
    assert_true(first > 0);
    assert_int_equal(add_if_free(db, "a"), 0);
    assert_false(db_failed(db));
    assert_true(add_if_free(db, "b") > first);
    assert_int_equal(rows(db), 2);
    add(db, "a", 2);
    assert_int_equal(db_failure(db), DB_CONSTRAINT);
    assert_false(db_commit(db));
}

static void test_a_part_is_undone_alone(void **state)
{
    struct db *db = ((struct file *)*state)->db;

    db_begin(db, 0, 0);
    db_begin_part(db);
    add(db, "kept", 1);
    db_keep_part(db);
    db_begin_part(db);
    add(db, "undone", 1);
    add(db, "wrong", 13);
    struct stmt *left_open = db_prepare(db, "SELECT * FROM t");
    assert_int_equal(db_step(left_open), DB_DONE);
    assert_true(db_undo_part(db));
    db_begin_part(db);
    add(db, "later", 1);
    db_keep_part(db);
    assert_true(db_commit(db));
    db_begin(db, 0, 0);
    assert_int_equal(rows(db), 2);
    assert_true(db_commit(db));
}

static void test_an_undone_transaction_leaves_nothing(void **state)
{
    struct db *db = ((struct file *)*state)->db;

    db_begin(db, 0, 0);
    add(db, "a", 1);
    struct stmt *open = db_prepare(db, "SELECT * FROM t");
    assert_int_equal(db_step(open), DB_ROW); /* left open, as after an early return */
    db_undo(db);
    db_begin(db, 0, 0);
    assert_int_equal(rows(db), 0);
    assert_true(db_commit(db));
}

static void test_ids_rise_though_the_clock_goes_back(void **state)
{
    struct db *db = ((struct file *)*state)->db;

    db_begin(db, 1700000000000, 1700000000000);
    int64_t first = db_new_id(db);
    assert_true(db_commit(db));
    db_begin(db, 1600000000000, 1600000000000);
    assert_true(db_new_id(db) > first);
    assert_int_equal(id_time_ms(first), 1700000000000);
    assert_true(db_commit(db));
}

static void test_a_job_that_leaves_a_statement_open_ends_the_program(void **state)
{
    struct db *db = ((struct file *)*state)->db;
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(3);
        signal(SIGABRT, SIG_DFL);
        db_begin(db, 0, 0);
        db_step(db_prepare(db, "SELECT 1"));
        db_commit(db);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int destroyed;

static void count_destroyed(void *memory)
{
    (void)memory;
    destroyed++;
}

static void test_a_connection_takes_its_memory_along(void **state)
{
    struct file *file = *state;
    struct db *db = db_open(file->source, DB_READER, &file->ids, &(struct error){ 0 });
    assert_non_null(db);
    destroyed = 0;
    void **slot = db_state(db, DB_ROUTES, count_destroyed);
    assert_null(*slot);
    *slot = &destroyed;
    assert_ptr_equal(*db_state(db, DB_ROUTES, count_destroyed), &destroyed);
    db_close(db);
    assert_int_equal(destroyed, 1);
}

static void test_a_reader_cannot_write(void **state)
{
    struct file *file = *state;
    struct db *reader = db_open(file->source, DB_READER, &file->ids, &(struct error){ 0 });
    assert_non_null(reader);
    assert_false(db_writes(reader));
    db_begin(reader, 0, 0);
    add(reader, "a", 1);
    assert_true(db_failed(reader));
    assert_false(db_commit(reader));
    db_close(reader);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_values_come_back_as_they_went_in),
        test(test_a_kept_statement_has_forgotten_what_was_bound),
        test(test_after_an_error_nothing_more_is_done),
        test(test_a_taken_name_is_no_error_where_the_statement_says_so),
        test(test_a_part_is_undone_alone),
        test(test_an_undone_transaction_leaves_nothing),
        test(test_ids_rise_though_the_clock_goes_back),
        test(test_a_job_that_leaves_a_statement_open_ends_the_program),
        test(test_a_connection_takes_its_memory_along),
        test(test_a_reader_cannot_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
