/* db_conformance_test.c — what a driver must do (driver.h): values, statements, errors,
 * transactions and their parts, two connections.  db_conformance_faults_test.c has what may fail.
 *
 *     POSTBACKD_TEST_ENGINE=NAME db_conformance_test
 */
#include "db_engine.h"

#include "base/buf.h"
#include "db/disk.h"
#include "db/driver.h"
#include "db/nouns.h"
#include "db/tx.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { LONG = 1 << 20 };

static struct db *writer_of(void **state)
{
    return ((struct base *)*state)->db;
}

static void commit(struct db *db)
{
    if (!db_commit(db))
        fail_msg("not committed: %s", db_failure_text(db));
}

/* ---- values ---- */

static void test_integers_come_back_as_they_went_in(void **state)
{
    struct db *db = writer_of(state);
    static const int64_t numbers[] = { 0,         1,         -1,        INT32_MAX,     INT32_MIN,
                                       1LL << 32, INT64_MAX, INT64_MIN, INT64_MAX - 1, 255,
                                       1234567890 };
    begin(db);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct stmt *put = db_prepare(db, "INSERT INTO t (n) VALUES (?) RETURNING n, id");
        db_bind_int(put, 1, numbers[i]);
        assert_int_equal(db_step(put), DB_ROW);
        assert_true(db_int(put, 0) == numbers[i]);
        assert_true(db_opt(put, 0, 77) == numbers[i]);
        int64_t id = db_int(put, 1);
        assert_int_equal(db_step(put), DB_DONE);
        db_finish(put);
        struct stmt *find = db_prepare(db, "SELECT id FROM t WHERE n = ? AND id = ?");
        db_bind_int(find, 1, numbers[i]);
        db_bind_int(find, 2, id);
        assert_true(db_number(find, -1) == id);
    }
    commit(db);
}

static void put_text(struct db *db, const char *text, size_t len)
{
    struct stmt *put = db_prepare(db, "INSERT INTO t (words) VALUES (?) RETURNING words");
    size_t found;
    db_bind_chars(put, 1, text, len);
    assert_int_equal(db_step(put), DB_ROW);
    assert_int_equal(strlen(db_text(put, 0)), len);
    assert_memory_equal(db_text(put, 0), text, len);
    const void *bytes = db_bytes(put, 0, &found);
    assert_int_equal(found, len);
    if (len > 0)
        assert_memory_equal(bytes, text, len);
    char *copy = db_copy(put, 0);
    assert_int_equal(strlen(copy), len);
    free(copy);
    assert_int_equal(db_step(put), DB_DONE);
    db_finish(put);
}

static void test_texts_come_back_as_they_went_in(void **state)
{
    struct db *db = writer_of(state);
    char *much = must_alloc(LONG);
    memset(much, 'x', LONG);
    begin(db);
    put_text(db, "", 0);
    put_text(db, "1", 1);
    put_text(db, "it's \"quoted\" \\ back, %s ? ?1 $1 --", 34);
    put_text(db, "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\n\t\x7f", 12);
    put_text(db, "cut here: not this", 9);
    put_text(db, much, LONG);
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM t WHERE words = ?");
    db_bind_text(find, 1, "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\n\t\x7f");
    assert_int_equal(db_number(find, -1), 1);
    /* An empty one is not NULL. */
    assert_int_equal(db_number(db_prepare(db, "SELECT count(*) FROM t WHERE words IS NULL"), -1),
                     0);
    commit(db);
    free(much);
}

static void put_bytes(struct db *db, const void *bytes, size_t len)
{
    struct stmt *put = db_prepare(db, "INSERT INTO t (b) VALUES (?) RETURNING b");
    size_t found = 1;
    db_bind_bytes(put, 1, bytes, len);
    assert_int_equal(db_step(put), DB_ROW);
    const void *there = db_bytes(put, 0, &found);
    assert_int_equal(found, len);
    if (len > 0)
        assert_memory_equal(there, bytes, len);
    assert_int_equal(db_step(put), DB_DONE);
    db_finish(put);
}

static void test_bytes_come_back_as_they_went_in(void **state)
{
    struct db *db = writer_of(state);
    unsigned char every[512], *much = must_alloc(LONG);
    for (size_t i = 0; i < sizeof(every); i++)
        every[i] = (unsigned char)i;
    for (size_t i = 0; i < LONG; i++)
        much[i] = (unsigned char)(i * 7);
    begin(db);
    put_bytes(db, every, sizeof(every));
    put_bytes(db, "\0", 1);
    put_bytes(db, "", 0);
    put_bytes(db, "\\x41 is no escape", 16);
    put_bytes(db, much, LONG);
    /* None is not NULL. */
    assert_int_equal(db_number(db_prepare(db, "SELECT count(*) FROM t WHERE b IS NULL"), -1), 0);
    commit(db);
    free(much);
}

static void test_null_is_no_value(void **state)
{
    struct db *db = writer_of(state);
    size_t len = 1;
    begin(db);
    struct stmt *put = db_prepare(db, "INSERT INTO t (name, n, b) VALUES (?, ?, ?) "
                                      "RETURNING name, n, b, NULL");
    db_bind_text(put, 1, NULL);
    db_bind_opt(put, 2, -1, -1);
    db_bind_bytes(put, 3, NULL, 5);
    assert_int_equal(db_step(put), DB_ROW);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(db_opt(put, i, -7), -7);
        assert_int_equal(db_int(put, i), 0);
        assert_string_equal(db_text(put, i), "");
        assert_null(db_bytes(put, i, &len));
        assert_int_equal(len, 0);
    }
    assert_int_equal(db_step(put), DB_DONE);
    db_finish(put);
    struct stmt *unbound = db_prepare(db, "INSERT INTO t (n, name) VALUES (?, ?)");
    db_bind_text(unbound, 2, "what is not bound is NULL");
    db_run(db, unbound);
    assert_int_equal(db_number(db_prepare(db, "SELECT count(*) FROM t WHERE n IS NULL"), -1), 2);
    commit(db);
}

/* What the nouns read by db_int() has other types than a column in some engines. */
static void test_what_is_computed_reads_as_an_integer(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "a", 4611686018427387904);
    add(db, "b", 3);
    struct stmt *find = db_prepare(
        db, "SELECT count(*), sum(n), max(n), min(n), coalesce(sum(n), 0), max(n) IS NOT NULL, "
            "count(*) = 7, CASE WHEN max(n) > 3 THEN 5 ELSE 6 END, length(max(name)) FROM t");
    static const int64_t expected[] = {
        2, 4611686018427387907, 4611686018427387904, 3, 4611686018427387907, 1, 0, 5, 1
    };
    assert_int_equal(db_step(find), DB_ROW);
    for (int i = 0; i < 9; i++) {
        if (db_int(find, i) != expected[i])
            fail_msg("column %d: %lld", i, (long long)db_int(find, i));
    }
    db_finish(find);
    struct stmt *none = db_prepare(db, "SELECT sum(n), max(n) FROM t WHERE n < 0");
    assert_int_equal(db_step(none), DB_ROW);
    assert_int_equal(db_opt(none, 0, -7), -7);
    assert_int_equal(db_opt(none, 1, -7), -7);
    db_finish(none);
    commit(db);
}

static void test_parameters_by_place_and_by_number(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "a", 5);
    struct stmt *find = db_prepare(
        db, "SELECT count(*) FROM t WHERE n = ?1 AND (n = ?1 OR n = ?2) AND name <> '?3'"
            " AND n <> ?3 AND n <> ?4 AND n <> ?5 AND n <> ?6 AND n <> ?7 AND n <> ?8 AND n <> ?9 "
            "AND n <> ?10 AND n < ?11");
    db_bind_int(find, 1, 5);
    for (int i = 2; i <= 10; i++)
        db_bind_int(find, i, -i);
    db_bind_int(find, 11, 6);
    assert_int_equal(db_number(find, -1), 1);
    struct stmt *by_place = db_prepare(db, "SELECT count(*) FROM t WHERE n > ? AND n < ? AND "
                                           "name <> 'who?' AND name = ?");
    db_bind_int(by_place, 1, 4);
    db_bind_int(by_place, 2, 6);
    db_bind_text(by_place, 3, "a");
    assert_int_equal(db_number(by_place, -1), 1);
    commit(db);
}

/* ---- order ---- */

static void expect_order(struct db *db, const char *sql, const char *expected)
{
    struct buf found = { 0 };
    struct stmt *list = db_prepare_once(db, sql);
    while (db_step(list) == DB_ROW)
        buf_fmt(&found, "%s,", db_text(list, 0));
    db_finish(list);
    if (strcmp(buf_text(&found), expected) != 0)
        fail_msg("%s: %s; expected %s", sql, buf_text(&found), expected);
    buf_free(&found);
}

static void test_texts_are_ordered_by_code_point(void **state)
{
    struct db *db = writer_of(state);
    static const char *const names[] = { "b", "\xf0\x9f\x98\x80", "B",  "a b", "\xc3\xa9", "a",
                                         "_", "\xef\xbc\xa1",     "ab", "-a" };
    begin(db);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add(db, names[i], 0);
    expect_order(db, "SELECT name FROM t ORDER BY name",
                 "-a,B,_,a,a b,ab,b,\xc3\xa9,\xef\xbc\xa1,\xf0\x9f\x98\x80,");
    expect_order(db, "SELECT name FROM t WHERE name >= 'a' AND name < 'b' ORDER BY name DESC",
                 "ab,a b,a,");
    assert_int_equal(db_number(db_prepare(db, "SELECT count(*) FROM t WHERE name = 'A'"), -1), 0);
    commit(db);
}

static void test_numbers_and_null_are_ordered_as_the_statement_says(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "ten", 10);
    add(db, "none", 0);
    add(db, "minus", -5);
    add(db, "nine", 9);
    expect_order(db, "SELECT name FROM t ORDER BY n NULLS FIRST", "none,minus,nine,ten,");
    expect_order(db, "SELECT name FROM t ORDER BY n NULLS LAST", "minus,nine,ten,none,");
    expect_order(db, "SELECT name FROM t ORDER BY n DESC NULLS FIRST", "none,ten,nine,minus,");
    expect_order(db, "SELECT name FROM t ORDER BY id DESC LIMIT 2 OFFSET 1", "minus,none,");
    commit(db);
}

/* ---- statements that change rows ---- */

static void test_returning_gives_each_row_that_was_changed(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    int64_t first = add(db, "a", 1), second = add(db, "b", 2);
    assert_true(first > 0 && second > first);
    struct stmt *raise =
        db_prepare(db, "UPDATE t SET n = n + 10 WHERE n < ? RETURNING id, n, born");
    int64_t ids = 0, numbers = 0;
    db_bind_int(raise, 1, 100);
    for (int rows = 0; db_step(raise) == DB_ROW; rows++) {
        assert_int_equal(db_int(raise, 2), 7);
        ids += db_int(raise, 0);
        numbers += db_int(raise, 1);
    }
    db_finish(raise);
    assert_int_equal(ids, first + second);
    assert_int_equal(numbers, 23);
    assert_int_equal(db_changes(db), 2);
    struct stmt *gone = db_prepare(db, "DELETE FROM t WHERE id = ? RETURNING name");
    db_bind_int(gone, 1, first);
    assert_int_equal(db_step(gone), DB_ROW);
    assert_string_equal(db_text(gone, 0), "a");
    assert_int_equal(db_step(gone), DB_DONE);
    db_finish(gone);
    assert_int_equal(count(db), 1);
    commit(db);
}

static void test_rows_changed_are_counted(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    int64_t before = db_all_changes(db);
    for (int i = 1; i <= 5; i++)
        add(db, NULL, i);
    assert_int_equal(db_changes(db), 1);
    assert_true(db_all_changes(db) != before);
    db_run(db, db_prepare(db, "UPDATE t SET born = 1 WHERE n >= 3"));
    assert_int_equal(db_changes(db), 3);
    db_run(db, db_prepare(db, "UPDATE t SET born = 1 WHERE n >= 300"));
    assert_int_equal(db_changes(db), 0);
    db_run(db, db_prepare(db, "DELETE FROM t WHERE n < 3"));
    assert_int_equal(db_changes(db), 2);
    assert_int_equal(count(db), 3);
    commit(db);
    begin(db);
    before = db_all_changes(db);
    assert_int_equal(count(db), 3);
    assert_true(db_all_changes(db) == before);
    commit(db);
}

static void test_a_conflict_is_what_the_statement_says(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "a", 1);
    struct stmt *skip = db_prepare(
        db, "INSERT INTO t (name, n) VALUES ('a', 2) ON CONFLICT DO NOTHING RETURNING id");
    assert_int_equal(db_insert(skip), 0);
    assert_int_equal(db_changes(db), 0);
    struct stmt *merge =
        db_prepare(db, "INSERT INTO t (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = "
                       "t.n + excluded.n WHERE t.n < 100 RETURNING n");
    db_bind_text(merge, 1, "a");
    db_bind_int(merge, 2, 100);
    assert_int_equal(db_insert(merge), 101);
    merge =
        db_prepare(db, "INSERT INTO t (name, n) VALUES ('a', 1) ON CONFLICT (name) DO UPDATE SET "
                       "n = t.n + excluded.n WHERE t.n < 100");
    db_run(db, merge);
    assert_int_equal(db_changes(db), 0);
    assert_int_equal(db_number(db_prepare(db, "SELECT n FROM t"), -1), 101);
    assert_false(db_failed(db));
    commit(db);
}

static void test_null_is_distinct_from_all_else(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "one", 1);
    add(db, "none", 0);
    static const char sql[] = "SELECT count(*) FROM t WHERE n IS DISTINCT FROM ?";
    struct stmt *find = db_prepare(db, sql);
    db_bind_int(find, 1, 1);
    assert_int_equal(db_number(find, -1), 1);
    find = db_prepare(db, sql);
    db_bind_opt(find, 1, 0, 0);
    assert_int_equal(db_number(find, -1), 1);
    find = db_prepare(db, "SELECT count(*) FROM t WHERE n IS NOT DISTINCT FROM ?");
    db_bind_opt(find, 1, 0, 0);
    assert_int_equal(db_number(find, -1), 1);
    commit(db);
}

/* ---- statements that are kept ---- */

static void test_a_kept_statement_is_as_new(void **state)
{
    struct db *db = writer_of(state);
    static const char sql[] = "SELECT count(*) FROM t WHERE n IS NOT DISTINCT FROM ?";
    begin(db);
    add(db, "a", 1);
    add(db, "b", 1);
    add(db, "c", 0);
    struct stmt *first = db_prepare(db, sql);
    db_bind_int(first, 1, 1);
    assert_int_equal(db_step(first), DB_ROW);
    assert_int_equal(db_int(first, 0), 2);
    struct stmt *inner = db_prepare(db, sql); /* in use: another one */
    assert_ptr_not_equal(inner, first);
    db_finish(inner);
    db_finish(first);
    db_finish(first); /* again: nothing */
    struct stmt *again = db_prepare(db, sql);
    assert_ptr_equal(again, first);
    assert_int_equal(db_number(again, -1), 1); /* nothing is bound any more */
    commit(db);
    begin(db);
    assert_ptr_equal(db_prepare(db, sql), first);
    db_undo(db);
}

static void test_a_statement_of_the_moment_needs_its_text_no_longer(void **state)
{
    struct db *db = writer_of(state);
    char text[] = "SELECT name, n FROM t WHERE n = ? OR n = ? ORDER BY n";
    begin(db);
    add(db, "a", 1);
    add(db, "b", 2);
    struct stmt *first = db_prepare_once(db, text), *second = db_prepare_once(db, text);
    assert_ptr_not_equal(first, second);
    memset(text, '?', sizeof(text) - 1);
    for (int i = 1; i <= 2; i++) {
        db_bind_int(first, i, i);
        db_bind_int(second, i, 2);
    }
    assert_int_equal(db_step(first), DB_ROW);
    assert_string_equal(db_text(first, 0), "a");
    assert_int_equal(db_step(second), DB_ROW);
    assert_string_equal(db_text(second, 0), "b");
    assert_int_equal(db_step(second), DB_DONE);
    db_finish(second);
    assert_int_equal(db_step(first), DB_ROW);
    assert_int_equal(db_int(first, 1), 2);
    db_finish(first);
    commit(db);
}

static void test_many_rows(void **state)
{
    enum { MANY = 20000 };
    struct db *db = writer_of(state);
    int64_t sum = 0;
    begin(db);
    struct stmt *fill = db_prepare(
        db, "INSERT INTO t (n, name) WITH RECURSIVE r(i) AS (SELECT 100 UNION ALL SELECT i + 1 "
            "FROM r WHERE i < ?) SELECT i, CAST(i AS TEXT) || ' and some words' FROM r");
    db_bind_int(fill, 1, MANY + 99);
    db_run(db, fill);
    assert_int_equal(db_changes(db), MANY);
    struct stmt *list = db_prepare(db, "SELECT n, name FROM t ORDER BY n");
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(db_step(list), DB_ROW);
        sum += db_int(list, 0) == i + 100 && strtol(db_text(list, 1), NULL, 10) == i + 100;
    }
    assert_int_equal(db_step(list), DB_DONE);
    db_finish(list);
    assert_int_equal(sum, MANY);
    commit(db);
}

static void test_a_statement_left_half_way_begins_anew(void **state)
{
    struct db *db = writer_of(state);
    static const char sql[] = "SELECT n FROM t ORDER BY n";
    begin(db);
    for (int i = 1; i <= 300; i++)
        add(db, NULL, i + 100);
    for (int times = 0; times < 3; times++) {
        struct stmt *list = db_prepare(db, sql);
        for (int i = 1; i <= 20; i++) {
            assert_int_equal(db_step(list), DB_ROW);
            assert_int_equal(db_int(list, 0), i + 100);
        }
        db_finish(list);
    }
    commit(db);
}

static void test_two_statements_are_stepped_in_turn(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    for (int i = 1; i <= 50; i++)
        add(db, NULL, i + 100);
    struct stmt *up = db_prepare(db, "SELECT n FROM t ORDER BY n");
    struct stmt *down = db_prepare(db, "SELECT n FROM t ORDER BY n DESC");
    for (int i = 1; i <= 50; i++) {
        assert_int_equal(db_step(up), DB_ROW);
        assert_int_equal(db_step(down), DB_ROW);
        assert_int_equal(db_int(up, 0) + db_int(down, 0), 251);
    }
    assert_int_equal(db_step(up), DB_DONE);
    db_finish(up);
    db_finish(down);
    commit(db);
}

/* ---- errors ---- */

static const char *const broken_rules[] = {
    "INSERT INTO t (n) VALUES (13)",
    "INSERT INTO t (name) VALUES ('taken')",
    "UPDATE t SET name = 'taken'",
    "INSERT INTO t (born) VALUES (NULL)",
    "INSERT INTO child (id, parent) VALUES (1, 999999)",
    "INSERT INTO t (id, name) SELECT id, 'other' FROM t WHERE name = 'taken'",
};
enum { BROKEN_RULES = sizeof(broken_rules) / sizeof(broken_rules[0]) };

static void add_taken(struct db *db)
{
    begin(db);
    add(db, "taken", 1);
    add(db, "another", 1);
    commit(db);
}

static void test_an_error_sticks_until_the_next_transaction(void **state)
{
    struct db *db = writer_of(state);
    add_taken(db);
    for (int i = 0; i < BROKEN_RULES; i++) {
        begin(db);
        add(db, "before", 1);
        struct stmt *open = db_prepare(db, "SELECT n FROM t");
        assert_int_equal(db_step(open), DB_ROW); /* left open, as after an early return */
        db_run(db, db_prepare(db, broken_rules[i]));
        int64_t id = add(db, "after", 1);
        assert_int_equal(db_commit(db), false);
        if (db_failure(db) != DB_CONSTRAINT)
            fail_msg("%s: %d %s", broken_rules[i], db_failure(db), db_failure_text(db));
        assert_int_equal(id, 0);
        assert_non_null(
            strstr(db_failure_text(db), db_source_name(((struct base *)*state)->source)));
        assert_int_equal(count_now(db), 2);
        assert_false(db_failed(db));
    }
}

static void test_after_an_error_nothing_is_read(void **state)
{
    struct db *db = writer_of(state);
    size_t len = 1;
    add_taken(db);
    begin(db);
    add(db, "taken", 1);
    assert_int_equal(db_step(db_prepare(db, "SELECT 1")), DB_DONE);
    assert_int_equal(db_failure(db), DB_CONSTRAINT);
    struct stmt *dead = db_prepare(db, "SELECT n, name FROM t");
    db_bind_int(dead, 1, 1);
    db_bind_text(dead, 1, "x");
    assert_int_equal(db_step(dead), DB_DONE);
    assert_int_equal(db_int(dead, 0), 0);
    assert_int_equal(db_opt(dead, 0, -7), -7);
    assert_string_equal(db_text(dead, 1), "");
    assert_null(db_bytes(dead, 1, &len));
    assert_int_equal(db_changes(db), 0);
    db_finish(dead);
    assert_int_equal(count(db), -1);
    db_undo(db);
}

/* In a process of its own, with a connection of its own. */
static void expect_abort(struct base *base, const char *sql, int parameter)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(3);
        signal(SIGABRT, SIG_DFL);
        struct db *db = db_open(base->source, DB_READER, &base->ids, &(struct error){ 0 });
        if (db == NULL)
            _exit(4);
        begin(db);
        struct stmt *wrong = db_prepare(db, sql);
        if (parameter > 0)
            db_bind_int(wrong, parameter, 1);
        db_step(wrong);
        if (parameter >= 0)
            db_finish(wrong);
        db_commit(db);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
        fail_msg("%s: status %x; expected an abort", sql, status);
}

static void test_what_only_a_wrong_program_does_ends_it(void **state)
{
    expect_abort(*state, "SELEKT 1", 0);
    expect_abort(*state, "SELECT nothing FROM t", 0);
    expect_abort(*state, "SELECT count(*) FROM t WHERE n = ?", 2);
    expect_abort(*state, "SELECT 1", -1); /* never finished */
}

/* ---- transactions ---- */

static void test_an_undone_transaction_leaves_nothing(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "a", 1);
    struct stmt *open = db_prepare(db, "SELECT n FROM t");
    assert_int_equal(db_step(open), DB_ROW);
    struct stmt *once = db_prepare_once(db, "SELECT n, n FROM t");
    assert_int_equal(db_step(once), DB_ROW);
    db_undo(db);
    assert_int_equal(count_now(db), 0);
    begin(db);
    add(db, "a", 1); /* the name is free */
    commit(db);
    assert_int_equal(count_now(db), 1);
}

static void test_a_part_is_undone_alone(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    add(db, "before", 1);
    db_begin_part(db);
    add(db, "kept", 1);
    db_keep_part(db);
    db_begin_part(db);
    add(db, "undone", 1);
    assert_int_equal(count(db), 3);
    assert_true(db_undo_part(db));
    assert_int_equal(count(db), 2);
    db_begin_part(db);
    add(db, "undone", 1); /* the name is free */
    db_keep_part(db);
    commit(db);
    begin(db);
    expect_order(db, "SELECT name FROM t ORDER BY id", "before,kept,undone,");
    commit(db);
}

static void test_a_part_that_breaks_a_rule_is_undone_and_the_others_go_on(void **state)
{
    struct db *db = writer_of(state);
    add_taken(db);
    begin(db);
    add(db, "before", 1);
    for (int i = 0; i < BROKEN_RULES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "part %d", i);
        db_begin_part(db);
        add(db, name, 1);
        db_run(db, db_prepare(db, broken_rules[i]));
        add(db, "after the error", 1);
        db_keep_part(db); /* tells of it at the latest */
        assert_int_equal(db_failure(db), DB_CONSTRAINT);
        assert_true(db_undo_part(db));
        assert_int_equal(db_failure(db), DB_FINE);
        db_begin_part(db);
        add(db, name, 1);
        db_keep_part(db);
    }
    commit(db);
    assert_int_equal(count_now(db), 3 + BROKEN_RULES);
}

static void test_a_part_within_a_part(void **state)
{
    struct db *db = writer_of(state);
    begin(db);
    db_begin_part(db);
    add(db, "outer", 1);
    db_begin_part(db);
    add(db, "inner, undone", 1);
    assert_true(db_undo_part(db));
    db_begin_part(db);
    add(db, "inner, kept", 1);
    db_keep_part(db);
    assert_int_equal(count(db), 2);
    db_keep_part(db);
    db_begin_part(db);
    add(db, "undone", 1);
    db_begin_part(db);
    add(db, "kept in what is undone", 1);
    db_keep_part(db);
    assert_true(db_undo_part(db));
    commit(db);
    begin(db);
    expect_order(db, "SELECT name FROM t ORDER BY id", "outer,inner, kept,");
    commit(db);
}

/* ---- two connections ---- */

static void test_a_reader_sees_what_was_committed_when_it_began(void **state)
{
    struct base *base = *state;
    assert_true(db_writes(base->db));
    assert_false(db_writes(base->reader));
    begin(base->db);
    add(base->db, "a", 1);
    assert_int_equal(count(base->db), 1); /* its own */
    begin(base->reader);
    assert_int_equal(count(base->reader), 0);
    add(base->db, "b", 1);
    commit(base->db);
    assert_int_equal(count(base->reader), 0); /* the same as before */
    assert_true(db_commit(base->reader));
    assert_int_equal(count_now(base->reader), 2);
    begin(base->reader);
    struct stmt *list = db_prepare(base->reader, "SELECT n FROM t ORDER BY n");
    assert_int_equal(db_step(list), DB_ROW);
    begin(base->db);
    db_run(base->db, db_prepare(base->db, "DELETE FROM t"));
    commit(base->db); /* a reader holds nobody up */
    assert_int_equal(db_step(list), DB_ROW);
    assert_int_equal(db_step(list), DB_DONE);
    db_finish(list);
    db_undo(base->reader);
    assert_int_equal(count_now(base->reader), 0);
}

/* Where a database can be shared: a node as node_join() would have it. */
static void put_node(struct base *base, int64_t epoch)
{
    begin(base->db);
    struct stmt *put = db_prepare(
        base->db, "INSERT INTO node (number, epoch, until_at, instance, name, address, version, "
                  "since_at, heartbeat_at) VALUES (7, ?, 1, 'i', 'n', '', '', 0, 0) ON CONFLICT "
                  "(number) DO UPDATE SET epoch = excluded.epoch");
    db_bind_int(put, 1, epoch);
    db_run(base->db, put);
    commit(base->db);
}

static bool commits(struct db *db)
{
    begin(db);
    add(db, "a", 1);
    db_run(db, db_prepare(db, "DELETE FROM t"));
    return db_commit(db);
}

static void test_a_guard_lets_nobody_commit_whose_place_is_taken(void **state)
{
    struct base *base = *state;
    bool shared = db_is_remote(base->db);
    put_node(base, 3);
    assert_null(db_guard(base->db));
    db_set_guard(base->db, &(struct db_guard){ 7, 3, DB_NO_VERSION });
    assert_true(commits(base->db));
    db_guard(base->db)->epoch = 2;
    assert_int_equal(commits(base->db), !shared);
    assert_int_equal(db_failure(base->db), shared ? DB_FENCED : DB_FINE);
    assert_int_equal(count_now(base->db), 0); /* what only reads is asked nothing */
    db_guard(base->db)->epoch = 3;
    assert_true(commits(base->db));
    db_guard(base->db)->version = 5;
    assert_int_equal(commits(base->db), !shared);
    assert_int_equal(db_failure(base->db), shared ? DB_RETRY : DB_FINE);
    db_guard(base->db)->version = 0;
    assert_true(commits(base->db));
}

static void test_the_databases_clock_is_read(void **state)
{
    struct base *base = *state;
    int64_t ahead;
    begin(base->db);
    int64_t now = db_clock(base->db, &ahead);
    commit(base->db);
    assert_true(now > 1700000000000); /* 2023: it is the time since 1970, ms */
    assert_true(ahead > -60000 && ahead < 60000);
}

static void test_a_reader_cannot_write(void **state)
{
    struct base *base = *state;
    begin(base->reader);
    add(base->reader, "a", 1);
    assert_false(db_commit(base->reader));
    assert_int_not_equal(db_failure(base->reader), DB_FINE);
    assert_int_equal(count_now(base->reader), 0);
    assert_int_equal(count_now(base->db), 0);
}

static void test_what_was_committed_is_there_when_all_is_opened_anew(void **state)
{
    struct base *base = *state;
    begin(base->db);
    int64_t id = add(base->db, "a", 1);
    commit(base->db);
    begin(base->db);
    add(base->db, "given up", 1);
    db_undo(base->db);
    base_disconnect(base);
    base_connect(base);
    assert_int_equal(count_now(base->reader), 1);
    begin(base->db);
    assert_true(add(base->db, "b", 1) > id);
    commit(base->db);
}

/* ---- beside the statements ---- */

static bool stop_soon(void *asked)
{
    return ++*(int *)asked >= 3;
}

static void test_a_statement_under_watch_is_stopped(void **state)
{
    struct base *base = *state;
    int asked = 0;
    db_watch(base->reader, stop_soon, &asked);
    begin(base->reader);
    db_number(db_prepare(base->reader,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                         "n WHERE i < 1000000000000) SELECT count(*) FROM n"),
              0);
    assert_int_equal(db_failure(base->reader), DB_TROUBLE);
    assert_false(db_commit(base->reader));
    assert_true(asked >= 3);
    asked = -1000000;
    assert_int_equal(count_now(base->reader), 0); /* and it goes on */
}

static void test_ids_rise_though_the_clock_goes_back(void **state)
{
    struct db *db = writer_of(state);
    db_begin(db, 1700000000001, 1700000000000);
    assert_int_equal(db_now(db), 1700000000001);
    assert_int_equal(db_due_now(db), 1700000000000);
    int64_t first = db_new_id(db);
    assert_int_equal(id_time_ms(first), 1700000000000);
    commit(db);
    db_begin(db, 1600000000000, 1600000000000);
    assert_true(db_new_id(db) > first);
    assert_true(db_newest_id(db) > first);
    commit(db);
}

static int destroyed;

static void count_destroyed(void *memory)
{
    destroyed += *(int *)memory;
}

static const struct db_memory one_memory = { .size = sizeof(int), .clear = count_destroyed };
static const struct db_memory *const memories[] = { &one_memory };
static const struct db_nouns one_noun = { .memories = memories, .memory_count = 1 };

static void test_a_connection_takes_its_memory_along(void **state)
{
    struct base *base = *state;
    struct db *db = db_open(base->source, DB_READER, &base->ids, &(struct error){ 0 });
    assert_non_null(db);
    tx_open(db, &one_noun);
    assert_int_equal(*(int *)db_memory(db, 0), 0);
    *(int *)db_memory(db, 0) = 7;
    assert_null(db_tx(base->reader));
    db_close(db);
    assert_int_equal(destroyed, 7);
}

static void test_upkeep_loses_nothing(void **state)
{
    enum { ROUNDS = 400, BYTES = 100000 };
    struct base *base = *state;
    struct disk_figures disk;
    char *ballast = must_alloc(BYTES);
    memset(ballast, 'x', BYTES);
    assert_true(db_upkeep_start(base->db, &(struct error){ 0 }));
    for (int i = 0; i < ROUNDS; i++) {
        begin(base->db);
        struct stmt *put = db_prepare(base->db, "INSERT INTO t (b) VALUES (?)");
        db_bind_bytes(put, 1, ballast, BYTES);
        db_run(base->db, put);
        commit(base->db);
        db_upkeep(base->db);
        if (i % 100 == 0)
            db_make_room(base->db);
    }
    assert_int_equal(count_now(base->reader), ROUNDS);
    begin(base->reader);
    disk_look(base->reader, &disk);
    commit(base->reader);
    assert_true(disk.database == -1 || disk.database + disk.log >= (int64_t)ROUNDS * BYTES);
    assert_true(disk.free == -1 || disk.free <= disk.size);
    free(ballast);
}

/* The table has no holes. */
static void test_the_driver_is_whole(void **state)
{
    const struct db_driver *driver = ((struct base *)*state)->source->driver;
    void *const *members = (void *const *)(const void *)driver;
    assert_string_equal(driver->name, engine->name);
    for (size_t i = 0; i < sizeof(*driver) / sizeof(*members); i++) {
        if (members[i] == NULL)
            fail_msg("member %zu of the driver's table is missing", i);
    }
}

#define test(f) cmocka_unit_test_setup_teardown(f, base_set_up, base_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_the_driver_is_whole),
        test(test_integers_come_back_as_they_went_in),
        test(test_texts_come_back_as_they_went_in),
        test(test_bytes_come_back_as_they_went_in),
        test(test_null_is_no_value),
        test(test_what_is_computed_reads_as_an_integer),
        test(test_parameters_by_place_and_by_number),
        test(test_texts_are_ordered_by_code_point),
        test(test_numbers_and_null_are_ordered_as_the_statement_says),
        test(test_returning_gives_each_row_that_was_changed),
        test(test_rows_changed_are_counted),
        test(test_a_conflict_is_what_the_statement_says),
        test(test_null_is_distinct_from_all_else),
        test(test_a_kept_statement_is_as_new),
        test(test_a_statement_of_the_moment_needs_its_text_no_longer),
        test(test_many_rows),
        test(test_a_statement_left_half_way_begins_anew),
        test(test_two_statements_are_stepped_in_turn),
        test(test_an_error_sticks_until_the_next_transaction),
        test(test_after_an_error_nothing_is_read),
        test(test_what_only_a_wrong_program_does_ends_it),
        test(test_an_undone_transaction_leaves_nothing),
        test(test_a_part_is_undone_alone),
        test(test_a_part_that_breaks_a_rule_is_undone_and_the_others_go_on),
        test(test_a_part_within_a_part),
        test(test_a_reader_sees_what_was_committed_when_it_began),
        test(test_a_guard_lets_nobody_commit_whose_place_is_taken),
        test(test_the_databases_clock_is_read),
        test(test_a_reader_cannot_write),
        test(test_what_was_committed_is_there_when_all_is_opened_anew),
        test(test_a_statement_under_watch_is_stopped),
        test(test_ids_rise_though_the_clock_goes_back),
        test(test_a_connection_takes_its_memory_along),
        test(test_upkeep_loses_nothing),
    };
    engine_choose();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
