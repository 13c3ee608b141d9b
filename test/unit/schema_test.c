/* A file of an earlier version is brought up to date when it is opened, with all that it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "db/sqlite_schema.h"
#include "house.h"

#include <sqlite3.h>

/* The database as version 1 left it, with one event notification. */
static void write_first_version(const char *path)
{
    struct buf sql = { 0 };
    sqlite3 *handle;
    char *problem = NULL;

    assert_int_equal(unlink(path), 0);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    buf_add(&sql, schema[0].data, schema[0].len);
    buf_fmt(&sql,
            "INSERT INTO account (id, kind, sid, name, created_at) VALUES (7, 1, 'PA7', 'Old', 5);"
            "INSERT INTO notification (id, account, revision, state, created_at, updated_at) "
            "VALUES (3, 7, 1, 0, 1000, 2000);"
            "PRAGMA application_id = %d; PRAGMA user_version = 1;",
            SCHEMA_APPLICATION);
    sqlite3_exec(handle, buf_text(&sql), NULL, NULL, &problem);
    if (problem != NULL)
        fail_msg("%s", problem);
    sqlite3_close(handle);
    buf_free(&sql);
}

static bool read_upgraded(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int64_t *)with = db_number(
        db_prepare(db, "SELECT active_at FROM notification WHERE id = 3 AND account = 7"), -1);
    return true;
}

static void test_a_file_of_the_first_version_is_brought_up_to_date(void **state)
{
    struct house *house = *state;
    const struct store_config config = { .directory = house->directory,
                                         .loop = &house->loop,
                                         .nouns = &store_nouns };
    struct error error = { 0 };
    char path[96];
    int64_t active_at = 0;

    store_close(house->store);
    snprintf(path, sizeof(path), "%s/postbackd.db", house->directory);
    write_first_version(path);
    house->store = store_open(&config, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
    assert_true(house_do(house, read_upgraded, &active_at, NULL));
    assert_int_equal(active_at, 2000);
    store_close(house->store); /* and once more: nothing is done twice */
    house->store = store_open(&config, &error);
    assert_non_null(house->store);
}

/* ---- parts that are missing ---- */

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *handle;
    char *problem = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    sqlite3_exec(handle, sql, NULL, NULL, &problem);
    if (problem != NULL)
        fail_msg("%s: %s", sql, problem);
    sqlite3_close(handle);
}

/* Writes over the file; the store is closed. */
static void expect_refused(struct house *house, const char *path, const char *sql, const char *word)
{
    const struct store_config config = { .directory = house->directory,
                                         .loop = &house->loop,
                                         .nouns = &store_nouns };
    struct error error = { 0 };
    run_sql(path, sql);
    struct store *store = store_open(&config, &error);
    if (store != NULL)
        fail_msg("opened after: %s", sql);
    if (strstr(error.message, "is damaged (") == NULL || strstr(error.message, word) == NULL)
        fail_msg("after \"%s\": \"%s\"; expected a damage that names %s", sql, error.message, word);
}

struct parts {
    struct buf names[100];
    size_t count;
};

static void list_parts(const char *path, const char *sql, struct parts *out)
{
    sqlite3 *handle;
    sqlite3_stmt *list;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &list, NULL), SQLITE_OK);
    while (sqlite3_step(list) == SQLITE_ROW)
        buf_str(&out->names[out->count++], (const char *)sqlite3_column_text(list, 0));
    sqlite3_finalize(list);
    sqlite3_close(handle);
}

/* Each table and each index of the file, whatever there will be of them, is missed. */
static void expect_each_missed(struct house *house, const char *kind, const char *list)
{
    struct parts parts = { 0 };
    struct buf sql = { 0 };
    char path[96];
    snprintf(path, sizeof(path), "%s/postbackd.db", house->directory);
    list_parts(path, list, &parts);
    assert_true(parts.count >= 20);
    for (size_t i = 0; i < parts.count; i++) {
        const char *name = buf_text(&parts.names[i]);
        buf_reset(&sql);
        buf_fmt(&sql, "ALTER TABLE %s RENAME TO gone", name);
        if (strcmp(kind, "index") == 0) {
            buf_reset(&sql);
            buf_fmt(&sql,
                    "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = '%s'",
                    name);
        }
        expect_refused(house, path, buf_text(&sql), name);
        unlink(path);
        assert_true(house_open(house)); /* a new one */
        store_close(house->store);
        buf_free(&parts.names[i]);
    }
    buf_free(&sql);
}

static void test_every_table_is_missed_at_the_start(void **state)
{
    struct house *house = *state;
    store_close(house->store);
    expect_each_missed(house, "table",
                       "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                       "name NOT LIKE 'sqlite_%' ORDER BY name");
    assert_true(house_open(house));
}

static void test_every_index_is_missed_at_the_start(void **state)
{
    struct house *house = *state;
    store_close(house->store);
    expect_each_missed(house, "index",
                       "SELECT name FROM sqlite_schema WHERE type = 'index' AND "
                       "name NOT LIKE 'sqlite_%' ORDER BY name");
    assert_true(house_open(house));
}

static void test_a_column_is_missed_at_the_start(void **state)
{
    struct house *house = *state;
    char path[96];
    snprintf(path, sizeof(path), "%s/postbackd.db", house->directory);
    store_close(house->store);
    expect_refused(house, path, "ALTER TABLE notification DROP COLUMN active_at",
                   "table notification");
    unlink(path);
    assert_true(house_open(house));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_table_is_missed_at_the_start, house_setup,
                                        house_teardown),
        cmocka_unit_test_setup_teardown(test_every_index_is_missed_at_the_start, house_setup,
                                        house_teardown),
        cmocka_unit_test_setup_teardown(test_a_column_is_missed_at_the_start, house_setup,
                                        house_teardown),
        cmocka_unit_test_setup_teardown(test_a_file_of_the_first_version_is_brought_up_to_date,
                                        house_setup, house_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
