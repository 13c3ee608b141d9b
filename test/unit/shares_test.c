/* shares_test.c — fair shares: all of it is somebody's, nobody has two more than another, and who
 * drains has nothing. */
#include "model/shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NODES = 9, FREE = -1 };

struct world { /* who has what, as rows say it */
    struct share_node nodes[NODES];
    size_t count;
    int owner[SHARES_PARTS]; /* a place in nodes, or FREE */
};

static struct world world_of(size_t count)
{
    struct world world = { .count = count };
    for (size_t i = 0; i < count; i++)
        world.nodes[i].number = (int64_t)(i * 100 + 3);
    for (int part = 0; part < SHARES_PARTS; part++)
        world.owner[part] = FREE;
    return world;
}

static int parts_of(const struct world *world, int at, int parts)
{
    int count = 0;
    for (int part = 0; part < parts; part++)
        count += world->owner[part] == at;
    return count;
}

/* One node's look: what it takes and what it gives back. */
static int look(struct world *world, int at)
{
    bool has[SHARES_PARTS], is_free[SHARES_PARTS], taken[SHARES_PARTS], given[SHARES_PARTS];
    int moved = 0;
    for (int part = 0; part < SHARES_PARTS; part++) {
        has[part] = world->owner[part] == at;
        is_free[part] = world->owner[part] == FREE;
    }
    shares_take(world->nodes, world->count, world->nodes[at].number, has, is_free, taken);
    shares_give(world->nodes, world->count, world->nodes[at].number, has, given);
    for (int part = 0; part < SHARES_PARTS; part++) {
        assert_false(taken[part] && !is_free[part]);
        assert_false(given[part] && !has[part]);
        moved += taken[part] + given[part];
        if (taken[part] || given[part])
            world->owner[part] = taken[part] ? at : FREE;
    }
    return moved;
}

/* They look in turn until nobody moves anything. */
static void settle(struct world *world)
{
    int rounds = 0, moved = 1;
    for (; moved > 0; rounds++) {
        moved = 0;
        for (int at = 0; at < (int)world->count; at++)
            moved += look(world, at);
        assert_true(rounds < 4);
    }
}

static void expect_fair(const struct world *world, int sharers)
{
    int each = SHARES_BUCKETS / sharers;
    for (int at = 0; at < (int)world->count; at++) {
        int has = parts_of(world, at, SHARES_BUCKETS);
        bool shares = !world->nodes[at].draining || sharers == (int)world->count;
        assert_true(shares ? has == each || has == each + 1 : has == 0);
    }
    assert_int_equal(parts_of(world, FREE, SHARES_PARTS), 0);
}

static void test_one_alone_has_all(void **state)
{
    (void)state;
    struct world world = world_of(1);
    settle(&world);
    assert_int_equal(parts_of(&world, 0, SHARES_PARTS), SHARES_PARTS);
}

static void test_all_join_and_leave_and_it_is_fair_each_time(void **state)
{
    (void)state;
    struct world world = world_of(1);
    settle(&world);
    for (size_t count = 2; count <= NODES; count++) {
        world.nodes[count - 1].number = (int64_t)(count * 50);
        world.count = count;
        settle(&world);
        expect_fair(&world, (int)count);
    }
    while (world.count > 1) { /* the last one goes, and leaves what it had */
        for (int part = 0; part < SHARES_PARTS; part++) {
            if (world.owner[part] == (int)world.count - 1)
                world.owner[part] = FREE;
        }
        world.count--;
        settle(&world);
        expect_fair(&world, (int)world.count);
    }
}

static void test_only_what_has_to_moves(void **state)
{
    (void)state;
    struct world before = world_of(2), after;
    settle(&before);
    after = before;
    after.nodes[2].number = 999;
    after.count = 3;
    settle(&after);
    int moved = 0;
    for (int part = 0; part < SHARES_BUCKETS; part++)
        moved += before.owner[part] != after.owner[part];
    assert_int_equal(moved, SHARES_BUCKETS / 3);
}

static void test_who_drains_has_nothing_and_not_the_duty(void **state)
{
    (void)state;
    struct world world = world_of(3);
    settle(&world);
    int on_duty = world.owner[SHARES_DUTY];
    world.nodes[on_duty].draining = true;
    settle(&world);
    expect_fair(&world, 2);
    assert_int_not_equal(world.owner[SHARES_DUTY], on_duty);
    world.nodes[on_duty].draining = false;
    settle(&world);
    expect_fair(&world, 3);
}

static void test_when_all_drain_they_go_on(void **state)
{
    (void)state;
    struct world world = world_of(2);
    world.nodes[0].draining = world.nodes[1].draining = true;
    settle(&world);
    expect_fair(&world, 2);
}

static void test_one_that_is_not_among_them_has_no_share(void **state)
{
    (void)state;
    const struct world world = world_of(2);
    assert_int_equal(share_of(world.nodes, 2, 777, SHARES_BUCKETS), 0);
    assert_int_equal(share_of(world.nodes, 0, 3, SHARES_BUCKETS), 0);
}

static void test_more_nodes_than_buckets(void **state)
{
    (void)state;
    struct share_node nodes[300];
    int sum = 0;
    for (int i = 0; i < 300; i++)
        nodes[i] = (struct share_node){ .number = i };
    for (int i = 0; i < 300; i++)
        sum += share_of(nodes, 300, i, SHARES_BUCKETS);
    assert_int_equal(sum, SHARES_BUCKETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_alone_has_all),
        cmocka_unit_test(test_all_join_and_leave_and_it_is_fair_each_time),
        cmocka_unit_test(test_only_what_has_to_moves),
        cmocka_unit_test(test_who_drains_has_nothing_and_not_the_duty),
        cmocka_unit_test(test_when_all_drain_they_go_on),
        cmocka_unit_test(test_one_that_is_not_among_them_has_no_share),
        cmocka_unit_test(test_more_nodes_than_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
