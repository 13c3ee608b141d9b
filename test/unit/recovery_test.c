/* recovery_test.c — what a crash left is taken up at the start, once, and nothing else is touched.
 */
#include "engine_house.h"

#include "engine/recovery.h"

static struct recovered recover(struct engine_house *engine)
{
    struct error error = { 0 };
    struct recovered found;
    assert_true(recovery_run(engine->house->store, &found, &error));
    return found;
}

static void test_what_was_on_its_way_waits_and_is_due_at_once(void **state)
{
    struct engine_house *engine = *state;
    int64_t notification = house_notify(engine->house, engine->house->partner.account, OPENED);
    for (int i = 0; i < 3; i++)
        house_postback(engine->house, engine->house->partner.account, OPENED, 0);
    pass_ms(engine, HOUR_MS);
    struct recovered found = recover(engine);
    assert_int_equal(found.undelivered, 3);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.waiting[0].notification, notification);
    assert_true(found.waiting[0].due_at <= clock_due_ms());
    recovery_free(&found);
    assert_int_equal(
        house_number(engine->house, "SELECT count(*) FROM postback WHERE state = 1", 0), 3);
}

static void test_a_second_start_finds_them_waiting(void **state)
{
    struct engine_house *engine = *state;
    house_notify(engine->house, engine->house->partner.account, OPENED);
    house_postback(engine->house, engine->house->partner.account, OPENED, 0);
    struct recovered first = recover(engine), second = recover(engine);
    assert_int_equal(second.undelivered, 0);
    assert_int_equal(second.count, 1);
    assert_true(second.floor >= first.floor);
    recovery_free(&first);
    recovery_free(&second);
}

static void test_what_has_ended_or_is_not_due_stays_as_it_is(void **state)
{
    struct engine_house *engine = *state;
    int64_t notification =
        house_notify_late(engine->house, engine->house->partner.account, 2 * 3600);
    int64_t arrived = house_waiting(engine->house, engine->house->partner.account);
    int64_t delayed = house_waiting(engine->house, engine->house->partner.account);
    house_delivered(engine->house, arrived);
    pass_ms(engine, HOUR_MS);
    struct recovered found = recover(engine);
    assert_int_equal(found.undelivered, 0);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.waiting[0].notification, notification);
    assert_true(found.waiting[0].due_at > clock_due_ms());
    assert_int_equal(state_of(engine->house, arrived), POSTBACK_DELIVERED);
    assert_int_equal(state_of(engine->house, delayed), POSTBACK_WAITING);
    recovery_free(&found);
}

static void test_an_empty_store_has_nothing(void **state)
{
    struct recovered found = recover(*state);
    assert_int_equal(found.undelivered, 0);
    assert_int_equal(found.count, 0);
    recovery_free(&found);
}

static void test_a_full_disk_refuses_the_start_with_words(void **state)
{
    struct engine_house *engine = *state;
    struct error error = { 0 };
    struct recovered found;
    house_notify(engine->house, engine->house->partner.account, OPENED);
    house_postback(engine->house, engine->house->partner.account, OPENED, 0);
    disk_full(true);
    assert_false(recovery_run(engine->house->store, &found, &error));
    disk_full(false);
    assert_true(error.kind != ERROR_NONE && error.message[0] != '\0');
    recovery_free(&found);
    found = recover(engine);
    assert_int_equal(found.undelivered, 1);
    recovery_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_what_was_on_its_way_waits_and_is_due_at_once),
        IN_ENGINE(test_a_second_start_finds_them_waiting),
        IN_ENGINE(test_what_has_ended_or_is_not_due_stays_as_it_is),
        IN_ENGINE(test_an_empty_store_has_nothing),
        IN_ENGINE(test_a_full_disk_refuses_the_start_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
