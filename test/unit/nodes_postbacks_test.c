/* nodes_postbacks_test.c — postbacks of two nodes on one database: what each has out is its own
 * until it is taken over, and nothing of it is forgotten by what looks at all of them. */
#include "two_nodes.h"

#include "base/id.h"
#include "store/direct.h"
#include "store/retention.h"

#define OPENED "action_inquiry.opened"

/* One that went straight to a lane of the house's node, and has no row. */
static int64_t direct_of(struct house *house)
{
    struct published published = {
        .house = house, .account = house->partner.account, .type = OPENED, .direct = true
    };
    house_publish_this(house, &published);
    int64_t id = house_only_fresh(&published);
    assert_int_equal(id_node(id), node_of(house));
    return id;
}

struct recovering {
    int node;
    int64_t count;
};

static bool do_recover_node(struct job *job, struct db *db, void *with)
{
    struct recovering *recovering = with;
    (void)job;
    recovering->count = postback_recover_node(db, recovering->node);
    return true;
}

struct heard {
    size_t waiting;
    int64_t notification;
};

static void hear(void *context, const struct change *change)
{
    struct heard *heard = context;
    if (change->kind != CHANGE_WAITING)
        return;
    heard->waiting++;
    heard->notification = change->notification;
}

static int64_t rows_of(struct house *house, int64_t postback)
{
    return house_number(house, "SELECT count(*) FROM postback WHERE id = ?", postback);
}

static void test_a_start_takes_up_what_its_own_number_had_out(void **state)
{
    struct two_nodes *two = *state;
    house_notify(two->house, two->house->partner.account, OPENED);
    int64_t own = direct_of(two->house), others = direct_of(&two->other);
    int64_t shown = house_postback(&two->other, two->house->partner.account, OPENED, 0);
    assert_int_equal(house_recover(two->house), 1);
    assert_int_equal(state_of(two->house, own), POSTBACK_WAITING);
    assert_int_equal(rows_of(two->house, others), 0);
    assert_int_equal(state_of(two->house, shown), POSTBACK_FRESH);
    assert_int_equal(house_recover(two->house), 0);
    assert_int_equal(house_recover(&two->other), 2);
    assert_int_equal(state_of(two->house, others), POSTBACK_WAITING);
    assert_int_equal(state_of(two->house, shown), POSTBACK_WAITING);
}

static void test_what_a_dead_node_had_out_is_made_to_wait_and_told(void **state)
{
    struct two_nodes *two = *state;
    struct recovering dead = { .node = node_of(&two->other) };
    struct heard heard = { 0 };
    int64_t notification = house_notify(two->house, two->house->partner.account, OPENED);
    int64_t own = direct_of(two->house), others = direct_of(&two->other);
    int64_t shown = house_postback(&two->other, two->house->partner.account, OPENED, 0);
    store_listen(two->house->store, hear, &heard);
    assert_true(house_do(two->house, do_recover_node, &dead, NULL));
    store_unlisten(two->house->store, &heard);
    assert_int_equal(dead.count, 2);
    assert_int_equal(heard.waiting, 1);
    assert_int_equal(heard.notification, notification);
    assert_int_equal(state_of(two->house, others), POSTBACK_WAITING);
    assert_int_equal(state_of(two->house, shown), POSTBACK_WAITING);
    assert_int_equal(rows_of(two->house, own), 0);
    assert_true(house_do(two->house, do_recover_node, &dead, NULL));
    assert_int_equal(dead.count, 0);
}

static bool do_move_floor(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    direct_set_floor(db, db_new_id(db));
    return true;
}

static bool do_read_floor(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int64_t *)with = direct_floor(db);
    return true;
}

/* One that lifts its own does not lift another's: that one's postback is found all the same. */
static void test_a_floor_is_one_nodes(void **state)
{
    struct two_nodes *two = *state;
    int64_t floor;
    house_notify(two->house, two->house->partner.account, OPENED);
    int64_t others = direct_of(&two->other);
    assert_true(house_do(two->house, do_move_floor, NULL, NULL));
    assert_true(house_do(two->house, do_read_floor, &floor, NULL));
    assert_true(floor < others);
    assert_int_equal(house_recover(&two->other), 1);
    assert_int_equal(state_of(two->house, others), POSTBACK_WAITING);
    assert_true(house_do(two->house, do_read_floor, &floor, NULL));
    assert_true(floor > 1);
}

static bool do_cancel_all(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int64_t *)with = postback_cancel_all(db, *(int64_t *)with);
    return true;
}

static void test_deleting_a_notification_cancels_what_all_nodes_have_out(void **state)
{
    struct two_nodes *two = *state;
    int64_t with = house_notify(two->house, two->house->partner.account, OPENED);
    int64_t own = direct_of(two->house), others = direct_of(&two->other);
    assert_true(house_do(two->house, do_move_floor, NULL, NULL)); /* own has been written off */
    assert_true(house_do(&two->other, do_cancel_all, &with, NULL));
    assert_int_equal(state_of(two->house, others), POSTBACK_CANCELLED);
    assert_int_equal(rows_of(two->house, own), 0);
    assert_int_equal(with, 1);
}

static bool do_retain(struct job *job, struct db *db, void *with)
{
    (void)job;
    retention_step(db, with, 500);
    return true;
}

/* Its age is over, and it is still on its way from the other node. */
static void test_retention_leaves_what_another_node_has_out(void **state)
{
    struct two_nodes *two = *state;
    struct retention retention = { .before_ms = INT64_MAX };
    house_notify(two->house, two->house->partner.account, OPENED);
    int64_t others = direct_of(&two->other);
    assert_true(house_do(two->house, do_move_floor, NULL, NULL));
    assert_true(house_do(two->house, do_retain, &retention, NULL));
    assert_int_equal(house_number(two->house, "SELECT count(*) FROM event", 0), 1);
    assert_int_equal(house_recover(&two->other), 1);
    assert_true(house_do(two->house, do_retain, &retention, NULL));
    assert_int_equal(house_number(two->house, "SELECT count(*) FROM event", 0), 1);
    assert_int_equal(state_of(two->house, others), POSTBACK_WAITING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OF_TWO_NODES(test_a_start_takes_up_what_its_own_number_had_out),
        OF_TWO_NODES(test_what_a_dead_node_had_out_is_made_to_wait_and_told),
        OF_TWO_NODES(test_a_floor_is_one_nodes),
        OF_TWO_NODES(test_deleting_a_notification_cancels_what_all_nodes_have_out),
        OF_TWO_NODES(test_retention_leaves_what_another_node_has_out),
    };
    return two_nodes_need() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
