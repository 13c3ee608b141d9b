/* nodes_test.c — two stores on one PostgreSQL, as two servers have them: who has which number, and
 * which part of the work. */
#include "engine/membership.h"
#include "house.h"
#include "store/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct pair {
    struct house *first, *second;
};

/* The key is one for all. */
static void share_key(const char *from, const char *to)
{
    char old[96], new[96];
    snprintf(old, sizeof(old), "%s/secret.key", from);
    snprintf(new, sizeof(new), "%s/secret.key", to);
    assert_int_equal(link(old, new), 0);
}

static struct house *house_new(const char *schema, const struct house *other)
{
    struct house *house = must_alloc(sizeof(*house));
    snprintf(house->directory, sizeof(house->directory), "/tmp/postbackd-test-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    if (other != NULL)
        share_key(other->directory, house->directory);
    uv_loop_init(&house->loop);
    postgres_server_uri(house->uri, postgres_server.folder, schema);
    assert_true(house_open(house));
    return house;
}

static int set_up(void **state)
{
    struct pair *pair = must_alloc(sizeof(*pair));
    postgres_server_need(true);
    const char *schema = postgres_server_schema();
    pair->first = house_new(schema, NULL);
    pair->second = house_new(schema, pair->first);
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    house_teardown((void **)&pair->second);
    house_teardown((void **)&pair->first);
    free(pair);
    return 0;
}

static struct membership *start(struct house *house)
{
    struct membership *membership = NULL;
    struct error error = { 0 };
    const struct membership_config config = { .loop = &house->loop,
                                              .store = house->store,
                                              .deadline_ms = 10000 };
    if (!membership_start(&config, &membership, &error))
        fail_msg("%s", error.message);
    return membership;
}

static void stop(struct membership *membership)
{
    membership_stop(membership);
    membership_free(membership);
}

static int parts_of(const struct membership *membership)
{
    int parts = 0;
    for (int part = 0; part < MEMBERSHIP_PARTS; part++)
        parts += membership_owns(membership, part);
    return parts;
}

static void test_each_has_a_number_of_its_own(void **state)
{
    const struct pair *pair = *state;
    int64_t first = store_guard(pair->first->store)->node;
    int64_t second = store_guard(pair->second->store)->node;
    assert_int_not_equal(first, second);
    assert_int_equal(store_new_id(pair->first->store) >> 12 & 1023, first);
    assert_int_equal(store_new_id(pair->second->store) >> 12 & 1023, second);
}

static void test_one_that_starts_again_has_its_number_and_another_epoch(void **state)
{
    const struct pair *pair = *state;
    const struct db_guard before = *store_guard(pair->second->store);
    store_close(pair->second->store);
    assert_true(house_open(pair->second));
    assert_int_equal(store_guard(pair->second->store)->node, before.node);
    assert_int_equal(store_guard(pair->second->store)->epoch, before.epoch + 1);
}

/* Both loops turn. */
static bool turn(const struct pair *pair)
{
    uv_run(&pair->first->loop, UV_RUN_NOWAIT);
    uv_run(&pair->second->loop, UV_RUN_NOWAIT);
    return true;
}

static void test_two_share_all_and_one_alone_has_all(void **state)
{
    const struct pair *pair = *state;
    struct membership *first = start(pair->first), *second = start(pair->second);
    assert_true(membership_valid(first));
    UNTIL((turn(pair), parts_of(first) == 129 && parts_of(second) == 128));
    for (int part = 0; part < MEMBERSHIP_PARTS; part++)
        assert_int_not_equal(membership_owns(first, part), membership_owns(second, part));
    assert_int_not_equal(membership_strict_from(first, MEMBERSHIP_DUTY), INT64_MAX);
    stop(first);
    UNTIL((turn(pair), parts_of(second) == MEMBERSHIP_PARTS));
    struct membership *again = NULL;
    assert_true(membership_valid(second));
    store_close(pair->first->store);
    assert_true(house_open(pair->first));
    again = start(pair->first);
    UNTIL((turn(pair), parts_of(again) == 128 && parts_of(second) == 129));
    stop(second);
    stop(again);
}

int main(void)
{
#define PAIRED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PAIRED(test_each_has_a_number_of_its_own),
        PAIRED(test_one_that_starts_again_has_its_number_and_another_epoch),
        PAIRED(test_two_share_all_and_one_alone_has_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
