/* event_types_test.c — added event types on disk: numbers that are never used again, and the
 * catalog filled again at the next start. */
#include "store/event_types.h"

#include "house.h"
#include "store/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct change {
    const char *name;
    int points;
    int number; /* given */
    bool saved;
};

static bool save(struct job *job, struct db *db, void *with)
{
    struct change *change = with;
    const struct event_type *before = catalog_type(change->name);
    struct problems problems = { 0 };
    json_t *points = json_array(), *definition;
    for (int i = 0; i < change->points; i++)
        json_array_append_new(points,
                              json_pack("{s:o, s:s, s:s, s:s}", "Name", json_sprintf("P%d", i),
                                        "Type", "text", "Meaning", "m", "Sample", "s"));
    (void)job;
    definition =
        json_pack("{s:s, s:s, s:o}", "Name", change->name, "Meaning", "m", "DataPoints", points);
    struct event_type *type = event_type_read(definition, before, &problems);
    assert_int_equal(problems.count, 0);
    json_decref(definition);
    change->saved = event_type_save(db, type) == EVENT_TYPE_SAVED;
    change->number = type->number;
    event_type_free(type);
    return change->saved;
}

static int saved(struct house *house, const char *name, int points)
{
    struct change change = { .name = name, .points = points };
    assert_true(house_do(house, save, &change, NULL));
    return change.number;
}

static bool retire(struct job *job, struct db *db, void *with)
{
    const struct event_type *type = catalog_type(with);
    (void)job;
    event_type_delete(db, type->number);
    return true;
}

static void reopen(struct house *house)
{
    struct error error = { 0 };
    const struct store_config config = house_config(house);
    store_close(house->store);
    catalog_forget_added();
    house->store = store_open(&config, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
}

static void test_types_are_there_again_after_a_start(void **state)
{
    struct house *house = *state;
    assert_int_equal(saved(house, "shop.sent", 2), 1000);
    assert_int_equal(saved(house, "shop.lost", 0), 1001);
    assert_int_equal(saved(house, "shop.sent", 3), 1000);
    reopen(house);
    assert_int_equal(catalog_type("shop.sent")->number, 1000);
    assert_int_equal(catalog_type("shop.sent")->point_count, 3);
    assert_string_equal(catalog_type_numbered(1001)->name, "shop.lost");
}

static void test_a_number_is_never_used_again(void **state)
{
    struct house *house = *state;
    assert_int_equal(saved(house, "shop.sent", 1), 1000);
    assert_true(house_do(house, retire, (void *)(uintptr_t) "shop.sent", NULL));
    reopen(house);
    assert_true(catalog_type("shop.sent")->deleted);
    assert_int_equal(saved(house, "shop.lost", 1), 1001);
    assert_int_equal(saved(house, "shop.sent", 1), 1000); /* the same type, back */
    reopen(house);
    assert_false(catalog_type("shop.sent")->deleted);
}

struct sent {
    int64_t account, id;
};

static bool publish(struct job *job, struct db *db, void *with)
{
    struct sent *sent = with;
    struct event *event = event_new(sent->account, catalog_type("shop.sent"), db_now(db), 0,
                                    "{\"P0\":\"x\"}", strlen("{\"P0\":\"x\"}"));
    event_publish(job, db, event);
    sent->id = event->id;
    event_unref(event);
    return true;
}

static bool load(struct job *job, struct db *db, void *with)
{
    struct sent *sent = with;
    struct event *event = event_load(db, sent->account, sent->id);
    (void)job;
    assert_non_null(event);
    assert_string_equal(event->type->name, "shop.sent");
    assert_true(event->type->deleted);
    event_unref(event);
    return true;
}

static void test_events_of_a_deleted_type_can_be_read(void **state)
{
    struct house *house = *state;
    struct sent sent = { .account = house->partner.account };
    saved(house, "shop.sent", 1);
    assert_true(house_do(house, publish, &sent, NULL));
    assert_true(house_do(house, retire, (void *)(uintptr_t) "shop.sent", NULL));
    reopen(house);
    assert_true(house_do(house, load, &sent, NULL));
}

static bool damage(struct job *job, struct db *db, void *with)
{
    (void)job;
    db_run(db, db_prepare(db, with));
    return true;
}

static void test_a_damaged_definition_stops_the_start(void **state)
{
    struct house *house = *state;
    struct error error = { 0 };
    const struct store_config config = house_config(house);
    if (!house_is_a_file(house))
        skip(); /* the file is taken away */
    saved(house, "shop.sent", 1);
    assert_true(house_do(house, damage,
                         (void *)(uintptr_t) "UPDATE event_type SET definition = '{}' "
                                             "WHERE number = 1000",
                         NULL));
    store_close(house->store);
    assert_null(store_open(&config, &error));
    assert_non_null(strstr(error.message, "event type 1000 is damaged"));
    nftw(house->directory, house_remove, 8, FTW_DEPTH | FTW_PHYS);
    house->store = store_open(&config, &(struct error){ 0 }); /* for the teardown */
    assert_non_null(house->store);
    assert_null(catalog_type("shop.sent"));
}

static void test_there_is_an_end_to_the_numbers(void **state)
{
    struct house *house = *state;
    struct change change = { .name = "shop.late" };
    assert_true(house_do(house, damage,
                         (void *)(uintptr_t) "INSERT INTO event_type (number, name) "
                                             "VALUES (1999, 'shop.last')",
                         NULL));
    assert_false(house_do(house, save, &change, NULL));
    assert_false(change.saved);
    assert_null(catalog_type("shop.late"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_types_are_there_again_after_a_start),
        TEST(test_a_number_is_never_used_again),
        TEST(test_events_of_a_deleted_type_can_be_read),
        TEST(test_a_damaged_definition_stops_the_start),
        TEST(test_there_is_an_end_to_the_numbers),
    };
    return cmocka_run_group_tests_name("event_types", tests, NULL, NULL);
}
