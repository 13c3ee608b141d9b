/* marks_test.c — who looks on is told of a change of its account, whichever node it asks, and not
 * of one that there was not. */
#include "engine/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALICE = 3, BOB = 4, MINUTE = 60 * 1000, NODES = 3 };

struct world {
    struct marks alone;
    struct marks nodes[NODES];
};

static int begin(void **state)
{
    static struct world world;
    marks_init(&world.alone, 0, 1000);
    for (int i = 0; i < NODES; i++)
        marks_init(&world.nodes[i], i + 1, 1000);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    marks_free(&world->alone);
    for (int i = 0; i < NODES; i++)
        marks_free(&world->nodes[i]);
    return 0;
}

/* ---- alone ---- */

static struct marks_seen seen_now(const struct marks *marks)
{
    struct marks_seen seen = { 0 };
    marks_see(marks, &seen);
    return seen;
}

static void test_an_account_is_told_of_its_own_changes(void **state)
{
    struct marks *marks = &((struct world *)*state)->alone;
    struct marks_seen seen = seen_now(marks);
    assert_false(marks_changed(marks, ALICE, &seen, 0));
    marks_note(marks, BOB);
    assert_false(marks_changed(marks, ALICE, &seen, 0));
    marks_note(marks, ALICE);
    assert_true(marks_changed(marks, ALICE, &seen, 0));
    seen = seen_now(marks);
    assert_false(marks_changed(marks, ALICE, &seen, 0));
}

static void test_all_are_told_of_any(void **state)
{
    struct marks *marks = &((struct world *)*state)->alone;
    struct marks_seen seen = seen_now(marks);
    assert_false(marks_changed(marks, 0, &seen, 0));
    marks_note(marks, BOB); /* at whom nobody looks */
    assert_true(marks_changed(marks, 0, &seen, 0));
}

static void test_what_came_while_it_was_forgotten_is_told(void **state)
{
    struct marks *marks = &((struct world *)*state)->alone;
    struct marks_seen seen = seen_now(marks);
    assert_false(marks_changed(marks, ALICE, &seen, 0));
    marks_note(marks, BOB);
    struct marks_seen later = seen_now(marks);
    marks_changed(marks, BOB, &later, 11 * MINUTE); /* nobody has asked for Alice's: it goes */
    assert_int_equal(marks->accounts.count, 1);
    marks_note(marks, ALICE);
    assert_true(marks_changed(marks, ALICE, &seen, 11 * MINUTE));
}

static void test_one_that_is_asked_for_is_kept(void **state)
{
    struct marks *marks = &((struct world *)*state)->alone;
    struct marks_seen seen = seen_now(marks), now;
    assert_false(marks_changed(marks, ALICE, &seen, 0));
    for (int minute = 5; minute <= 60; minute += 5) {
        marks_note(marks, BOB);
        assert_false(marks_changed(marks, ALICE, &seen, (int64_t)minute * MINUTE));
        now = seen_now(marks); /* others come and go */
        marks_changed(marks, 1000 + minute, &now, (int64_t)minute * MINUTE);
    }
    assert_in_range(marks->accounts.count, 1, 5);
}

static void test_another_start_tells(void **state)
{
    struct marks *marks = &((struct world *)*state)->alone;
    struct marks_seen seen = seen_now(marks);
    marks_free(marks);
    marks_init(marks, 0, 2000);
    assert_true(marks_changed(marks, ALICE, &seen, 0));
    seen = seen_now(marks);
    marks_free(marks);
    marks_init(marks, 0, 1500); /* the clock was set back */
    assert_true(marks_changed(marks, ALICE, &seen, 0));
}

static void test_a_cursor_is_read_as_it_was_written(void **state)
{
    static const char *const none[] = { "",     "x",           "1",     "1-",
                                        "-1",   "1-2.",        "1-2.x", "1-ffffffffffffffff",
                                        "1-2 ", "1000000000-1" };
    struct marks_seen seen = { .count = 2 }, read;
    struct buf text = { 0 };
    (void)state;
    seen.of[0].from = 1;
    seen.of[0].mark = INT64_MAX;
    seen.of[1].from = 1024;
    marks_seen_write(&text, &seen);
    assert_string_equal(buf_text(&text), "1-7fffffffffffffff.400-0");
    assert_true(marks_seen_read(&read, buf_text(&text)));
    assert_int_equal(read.count, 2);
    assert_true(read.of[0].mark == INT64_MAX && read.of[1].from == 1024 && read.of[1].mark == 0);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(marks_seen_read(&read, none[i]));
    buf_free(&text);
}

/* ---- three nodes ---- */

/* What a node has to tell the others hear, but for one (-1: none). */
static void tell(struct world *world, int node, int deaf)
{
    struct change *changes = NULL;
    size_t count = marks_tell(&world->nodes[node], true, &changes);
    for (size_t i = 0; i < count; i++) {
        changes[i].from = node + 1;
        for (int to = 0; to < NODES; to++)
            if (to != node && to != deaf)
                marks_heard(&world->nodes[to], &changes[i]);
    }
    free(changes);
}

static void tell_all(struct world *world)
{
    for (int i = 0; i < NODES; i++)
        tell(world, i, -1);
}

/* Asks a node; whether there was a change, which is seen then. */
static bool ask(struct world *world, int node, int64_t account, struct marks_seen *seen)
{
    bool changed = marks_changed(&world->nodes[node], account, seen, 0);
    if (changed)
        marks_see(&world->nodes[node], seen);
    return changed;
}

static void test_nodes_in_turn_tell_each_change_once(void **state)
{
    struct world *world = *state;
    tell_all(world);
    struct marks_seen seen = seen_now(&world->nodes[0]), all = seen;
    for (int round = 0; round < 30; round++) {
        int by = round % NODES, ask_at = (round * 2 + 1) % NODES;
        marks_note(&world->nodes[by], round % 2 == 0 ? ALICE : BOB);
        tell_all(world);
        assert_int_equal(ask(world, ask_at, ALICE, &seen), round % 2 == 0);
        assert_true(ask(world, ask_at, 0, &all));
        for (int i = 0; i < NODES; i++) {
            assert_false(ask(world, i, ALICE, &seen));
            assert_false(ask(world, i, 0, &all));
        }
    }
}

static void test_who_was_told_early_is_not_told_again_late(void **state)
{
    struct world *world = *state;
    tell_all(world);
    struct marks_seen seen = seen_now(&world->nodes[0]);
    marks_note(&world->nodes[0], ALICE);
    assert_true(ask(world, 0, ALICE, &seen)); /* where it was, before others know */
    assert_false(ask(world, 1, ALICE, &seen));
    marks_note(&world->nodes[0], BOB);
    tell_all(world);
    assert_false(ask(world, 1, ALICE, &seen));
    assert_false(ask(world, 2, ALICE, &seen));
}

static void test_two_at_once_are_both_told(void **state)
{
    struct world *world = *state;
    tell_all(world);
    struct marks_seen seen = seen_now(&world->nodes[0]);
    marks_note(&world->nodes[0], ALICE);
    marks_note(&world->nodes[1], ALICE);
    assert_true(ask(world, 0, ALICE, &seen)); /* it knows of its own alone */
    tell_all(world);
    assert_true(ask(world, 0, ALICE, &seen));
    assert_false(ask(world, 1, ALICE, &seen));
}

static void test_what_a_node_has_missed_is_told(void **state)
{
    struct world *world = *state;
    tell_all(world);
    struct marks_seen seen = seen_now(&world->nodes[0]);
    marks_note(&world->nodes[0], ALICE);
    tell(world, 0, 2); /* the last one does not hear that */
    assert_false(ask(world, 2, ALICE, &seen));
    tell(world, 0, -1);
    assert_true(ask(world, 2, ALICE, &seen));
    assert_false(ask(world, 1, ALICE, &seen));
}

static void test_very_many_accounts_are_told_as_one(void **state)
{
    struct world *world = *state;
    tell_all(world);
    struct marks_seen seen = seen_now(&world->nodes[1]);
    for (int account = 10; account < 10000; account++)
        marks_note(&world->nodes[0], account);
    struct change *changes;
    size_t count = marks_tell(&world->nodes[0], false, &changes);
    assert_int_equal(count, 1);
    changes->from = 1;
    marks_heard(&world->nodes[1], changes);
    free(changes);
    assert_true(ask(world, 1, 77, &seen));
    assert_false(ask(world, 1, 78, &seen));
    assert_int_equal(marks_tell(&world->nodes[0], false, &changes), 0);
}

static void test_no_memory_grows_for_ever(void **state)
{
    struct world *world = *state;
    for (int account = 1; account < 2 * MARKS_ACCOUNTS_MOST; account++)
        marks_note(&world->nodes[0], account);
    assert_in_range(world->nodes[0].accounts.count, 1, MARKS_ACCOUNTS_MOST);
    for (int node = 2; node < 500; node++)
        marks_heard(&world->nodes[0], &(struct change){ CHANGE_TOUCHED, 0, 0, node * 10, 1, node });
    assert_int_equal(world->nodes[0].node_count, MARKS_NODES_MOST);
}

#define MARKS(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MARKS(test_an_account_is_told_of_its_own_changes),
        MARKS(test_all_are_told_of_any),
        MARKS(test_what_came_while_it_was_forgotten_is_told),
        MARKS(test_one_that_is_asked_for_is_kept),
        MARKS(test_another_start_tells),
        MARKS(test_a_cursor_is_read_as_it_was_written),
        MARKS(test_nodes_in_turn_tell_each_change_once),
        MARKS(test_who_was_told_early_is_not_told_again_late),
        MARKS(test_two_at_once_are_both_told),
        MARKS(test_what_a_node_has_missed_is_told),
        MARKS(test_very_many_accounts_are_told_as_one),
        MARKS(test_no_memory_grows_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
