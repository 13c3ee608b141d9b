/* A file of an earlier version is brought up to date when it is opened, with all that it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "house.h"
#include "store/schema.h"

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
    const struct store_config config = { .directory = house->directory, .loop = &house->loop };
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_of_the_first_version_is_brought_up_to_date,
                                        house_setup, house_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
