/* nodes_ordered_test.c — postbacks of an Ordered event notification, written by two nodes: their
 * ids rise in the order of commits, whatever the nodes' clocks say, so what reads on from an id
 * passes none. */
#include "two_nodes.h"
#include "until.h"

#include "base/id.h"
#include "store/ordered_turns.h"

#include <pthread.h>

#define OPENED "action_inquiry.opened"

enum { AHEAD_MS = 2000, EVENTS = 20 };

static bool do_notify(struct job *job, struct db *db, void *with)
{
    struct new_notification *new = with;
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    json_t *from =
        json_pack("{s:s, s:s, s:s, s:s, s:b}", "Category", "Action Inquiry Events", "Method",
                  "POST", "Url", "http://receiver.example/", "EventTypes", OPENED, "Ordered", true);
    (void)job;
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    assert_non_null(notification);
    notification->account = new->account;
    notification_add(db, notification);
    new->id = notification->id;
    notification_unref(notification);
    json_decref(from);
    problems_free(&problems);
    return true;
}

static int64_t ordered_notification(struct two_nodes *two)
{
    struct new_notification new = { .account = two->house->partner.account };
    assert_true(house_do(two->house, do_notify, &new, NULL));
    return new.id;
}

/* Its clock is ahead: so are the ids that it draws. */
static bool do_run_ahead(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    db_seen_id(db, id_first_at(db_due_now(db) + AHEAD_MS));
    return true;
}

static int64_t newest(struct two_nodes *two)
{
    return house_number(two->house, "SELECT max(id) FROM postback", 0);
}

static void publish(struct house *house, struct two_nodes *two)
{
    assert_int_equal(house_postback(house, two->house->partner.account, OPENED, 0), 0);
}

static void test_ids_rise_in_the_order_of_commits_with_clocks_apart(void **state)
{
    struct two_nodes *two = *state;
    ordered_notification(two);
    assert_true(house_do(&two->other, do_run_ahead, NULL, NULL));
    int64_t last = 0, own = 0;
    for (int i = 0; i < EVENTS; i++) {
        publish(i % 2 == 0 ? &two->other : two->house, two);
        assert_true(newest(two) > last);
        last = newest(two);
        own += id_node(last) == node_of(two->house);
    }
    assert_int_equal(own, EVENTS / 2);
    assert_int_equal(house_number(two->house, "SELECT count(*) FROM postback", 0), EVENTS);
}

struct reading {
    int64_t notification, from;
    size_t count;
    int64_t ids[EVENTS];
};

static bool do_read(struct job *job, struct db *db, void *with)
{
    struct reading *reading = with;
    struct list found;
    int64_t next_due;
    (void)job;
    list_init(&found);
    postback_due_in_order(db, reading->notification, INT64_MAX, false, &reading->from, EVENTS,
                          &found, &next_due);
    for (struct list *node; (node = list_first(&found)) != NULL;) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        reading->ids[reading->count++] = postback->id;
        postback_free(postback);
    }
    return true;
}

/* A transaction of the other node that has drawn its id, and not committed. */
struct turn {
    struct job job;
    struct two_nodes *two;
    int64_t notification, id;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool drawn, may_commit, done;
};

static bool take_turn(struct job *job, struct db *db)
{
    struct turn *turn = container_of(job, struct turn, job);
    int64_t account = turn->two->house->partner.account;
    turn->id = ordered_new_id(db, account, turn->notification);
    struct stmt *add = db_prepare(
        db, "INSERT INTO postback (id, bucket, account, notification, event, state, due_at, "
            "resent) SELECT ?1, bucket, account, notification, event, 1, 1, id FROM postback "
            "ORDER BY id LIMIT 1");
    db_bind_int(add, 1, turn->id);
    db_run(db, add);
    pthread_mutex_lock(&turn->lock);
    turn->drawn = true;
    pthread_cond_broadcast(&turn->moved);
    while (!turn->may_commit)
        pthread_cond_wait(&turn->moved, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
    return true;
}

static void turn_done(struct job *job, bool ok)
{
    assert_true(ok);
    container_of(job, struct turn, job)->done = true;
}

static void begin_turn(struct turn *turn, struct two_nodes *two, int64_t notification)
{
    *turn = (struct turn){ .job = { .run = take_turn, .done = turn_done },
                           .two = two,
                           .notification = notification };
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->moved, NULL);
    store_write(two->other.store, &turn->job);
    pthread_mutex_lock(&turn->lock);
    while (!turn->drawn)
        pthread_cond_wait(&turn->moved, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
}

static void end_turn(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->may_commit = true;
    pthread_cond_broadcast(&turn->moved);
    pthread_mutex_unlock(&turn->lock);
    UNTIL((uv_run(&turn->two->other.loop, UV_RUN_NOWAIT), turn->done));
    pthread_mutex_destroy(&turn->lock);
    pthread_cond_destroy(&turn->moved);
}

struct publishing {
    struct job job;
    int64_t account;
    bool done;
};

static bool publish_run(struct job *job, struct db *db)
{
    struct publishing *publishing = container_of(job, struct publishing, job);
    struct event *event =
        event_new(publishing->account, catalog_type(OPENED), db_now(db), 0, "{}", 2);
    event_publish(job, db, event);
    event_unref(event);
    return true;
}

static void publish_done(struct job *job, bool ok)
{
    assert_true(ok);
    container_of(job, struct publishing, job)->done = true;
}

static bool somebody_waits(void)
{
    const char *count = postgres_server_sql(
        "public", "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return strcmp(count, "0") != 0;
}

/* Whoever commits later has a higher id, though his transaction drew its own first. */
static void test_who_comes_second_waits_for_the_first_to_commit(void **state)
{
    struct two_nodes *two = *state;
    struct reading reading = { .notification = ordered_notification(two) };
    struct publishing publishing = { .job = { .run = publish_run, .done = publish_done },
                                     .account = two->house->partner.account };
    struct turn turn;
    publish(&two->other, two); /* it has heard of the notification then */
    begin_turn(&turn, two, reading.notification);
    store_write(two->house->store, &publishing.job);
    UNTIL(somebody_waits());
    assert_false(publishing.done);
    end_turn(&turn);
    UNTIL((uv_run(&two->house->loop, UV_RUN_NOWAIT), publishing.done));
    assert_true(house_do(two->house, do_read, &reading, NULL));
    assert_int_equal(reading.count, 3);
    assert_int_equal(reading.ids[1], turn.id);
    assert_int_equal(reading.ids[2], newest(two));
    assert_int_equal(id_node(reading.ids[2]), node_of(two->house));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OF_TWO_NODES(test_ids_rise_in_the_order_of_commits_with_clocks_apart),
        OF_TWO_NODES(test_who_comes_second_waits_for_the_first_to_commit),
    };
    return two_nodes_need() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
