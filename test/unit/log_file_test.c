/* log_file_test.c — the write-ahead log written in large pieces: what others see of it and when,
 * frames that are written early, and writes that fail late.
 */
#include "db/sqlite_log_file.h"

#include "fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 200 }; /* of 4,000 bytes: six times what is gathered */

struct books {
    char directory[40], path[64];
    sqlite3 *writer, *other; /* the other one past the layer */
};

static void do_sql(sqlite3 *handle, const char *sql)
{
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
}

static int number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int found = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return found;
}

static int rows(sqlite3 *handle)
{
    return number(handle, "SELECT count(*) FROM book WHERE length(text) = 4000");
}

/* Stops at the first that fails. */
static int insert(struct books *books, int count)
{
    for (int i = 0; i < count; i++) {
        int code =
            sqlite3_exec(books->writer, "INSERT INTO book (text) VALUES (hex(zeroblob(2000)))",
                         NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

static void open_both(struct books *books)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(books->path, &books->writer, flags, log_file_vfs()),
                     SQLITE_OK);
    sqlite3_extended_result_codes(books->writer, 1);
    do_sql(books->writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                          "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 20; "
                          "CREATE TABLE IF NOT EXISTS book (id INTEGER PRIMARY KEY, text TEXT)");
    assert_int_equal(sqlite3_open_v2(books->path, &books->other, flags, NULL), SQLITE_OK);
}

static void close_both(struct books *books)
{
    sqlite3_close(books->other);
    assert_int_equal(sqlite3_close(books->writer), SQLITE_OK);
}

static int setup(void **state)
{
    struct books *books = must_alloc(sizeof(*books));
    snprintf(books->directory, sizeof(books->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(books->directory) == NULL)
        return -1;
    snprintf(books->path, sizeof(books->path), "%s/log.db", books->directory);
    open_both(books);
    *state = books;
    return 0;
}

static int teardown(void **state)
{
    struct books *books = *state;
    close_both(books);
    unlink(books->path);
    rmdir(books->directory);
    free(books);
    return 0;
}

static void test_a_commit_is_one_write(void **state)
{
    struct books *books = *state;
    do_sql(books->writer, "BEGIN");
    assert_int_equal(insert(books, 10), SQLITE_OK);
    fault_arm(&fault.writes_left, 1000);
    do_sql(books->writer, "COMMIT");
    int writes = 1000 - atomic_exchange(&fault.writes_left, 0);
    assert_in_range(writes, 1, 2); /* the log's header is one by itself */
    assert_int_equal(rows(books->other), 10);
}

static void test_what_is_written_early_is_seen_by_its_writer_alone_until_the_commit(void **state)
{
    struct books *books = *state;
    do_sql(books->writer, "BEGIN");
    assert_int_equal(insert(books, ROWS), SQLITE_OK);
    assert_int_equal(rows(books->writer), ROWS); /* most are read back from the file */
    assert_int_equal(rows(books->other), 0);
    do_sql(books->writer, "COMMIT");
    assert_int_equal(rows(books->other), ROWS);
    do_sql(books->writer, "BEGIN");
    assert_int_equal(insert(books, ROWS), SQLITE_OK);
    do_sql(books->writer, "ROLLBACK");
    assert_int_equal(insert(books, 1), SQLITE_OK);
    assert_int_equal(rows(books->other), ROWS + 1);
    assert_int_equal(
        number(books->other,
               "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
        1);
}

static void test_a_log_that_is_copied_begins_again(void **state)
{
    struct books *books = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(insert(books, 20), SQLITE_OK);
        do_sql(books->other, "PRAGMA wal_checkpoint(RESTART)");
    }
    assert_int_equal(rows(books->writer), 100);
    assert_int_equal(
        sqlite3_wal_checkpoint_v2(books->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(insert(books, 1), SQLITE_OK);
    assert_int_equal(rows(books->other), 101);
    close_both(books);
    open_both(books);
    assert_int_equal(rows(books->writer), 101);
}

/* The Nth write of a transaction that needs many. */
static void test_a_write_that_fails_undoes_its_transaction(void **state)
{
    struct books *books = *state;
    int nth = 0;
    bool fired = true;
    assert_int_equal(insert(books, 1), SQLITE_OK);
    while (fired) {
        fault_arm(&fault.writes_left, ++nth);
        do_sql(books->writer, "BEGIN");
        int code = insert(books, ROWS);
        if (code == SQLITE_OK)
            code = sqlite3_exec(books->writer, "COMMIT", NULL, NULL, NULL);
        fired = fault_fired(&fault.writes_left);
        fault_errno = 0;
        assert_int_equal(code, fired ? SQLITE_IOERR_WRITE : SQLITE_OK);
        if (sqlite3_get_autocommit(books->writer) == 0)
            do_sql(books->writer, "ROLLBACK");
        assert_int_equal(rows(books->other), fired ? 1 : 1 + ROWS);
    }
    assert_in_range(nth, 7, 1000);
    assert_int_equal(insert(books, 1), SQLITE_OK);
    close_both(books);
    open_both(books);
    assert_int_equal(rows(books->writer), 2 + ROWS);
}

/* What was written early and undone is not written over what another process has put there since.
 */
static void test_what_is_undone_spoils_nothing_that_another_process_commits(void **state)
{
    struct books *books = *state;
    do_sql(books->writer, "BEGIN");
    assert_int_equal(insert(books, 40), SQLITE_OK); /* some of it is gathered */
    do_sql(books->writer, "ROLLBACK");
    log_file_forget(books->writer);
    for (int i = 0; i < 30; i++)
        do_sql(books->other, "INSERT INTO book (text) VALUES (hex(zeroblob(2000)))");
    assert_int_equal(insert(books, 1), SQLITE_OK);
    assert_int_equal(rows(books->writer), 31);
    log_file_forget(books->other); /* past the layer: nothing to forget */
    close_both(books);
    open_both(books);
    assert_int_equal(rows(books->other), 31);
    assert_int_equal(
        number(books->other,
               "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
        1);
}

static void test_a_full_disk_is_said_as_such(void **state)
{
    struct books *books = *state;
    do_sql(books->writer, "BEGIN");
    assert_int_equal(insert(books, 10), SQLITE_OK);
    atomic_store(&fault.full, true);
    assert_int_equal(sqlite3_exec(books->writer, "COMMIT", NULL, NULL, NULL), SQLITE_FULL);
    atomic_store(&fault.full, false);
    if (sqlite3_get_autocommit(books->writer) == 0)
        do_sql(books->writer, "ROLLBACK");
    assert_int_equal(rows(books->writer), 0);
    assert_int_equal(insert(books, 10), SQLITE_OK);
    assert_int_equal(rows(books->other), 10);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_commit_is_one_write),
        TEST(test_what_is_written_early_is_seen_by_its_writer_alone_until_the_commit),
        TEST(test_a_log_that_is_copied_begins_again),
        TEST(test_a_write_that_fails_undoes_its_transaction),
        TEST(test_what_is_undone_spoils_nothing_that_another_process_commits),
        TEST(test_a_full_disk_is_said_as_such),
    };
    fault_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
