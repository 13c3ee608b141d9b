/* postbacks_test.c — the delivery queue and the log on a real database. */
#include "postback_house.h"
#include "store/direct.h"

#include "base/id.h"
#include "db/sqlite.h"
#include "model/date.h"
#include "store/ledger.h"

#define OPENED   "action_inquiry.opened"
#define CLOSED   "action_inquiry.closed"
#define RESOLVED "action_inquiry.resolved"

enum {
    AT = 1800000000, /* seconds: a due time that no clock here reaches by itself */
    LARGE = 20,      /* large events, more than one read takes */
};

/* ---- steps ---- */

struct outcome {
    int64_t id, notification, due_at;
    struct attempt attempt;
    enum verdict verdict;
};

static bool do_record(struct job *job, struct db *db, void *with)
{
    struct outcome *outcome = with;
    struct postback postback = { .id = outcome->id,
                                 .notification = outcome->notification,
                                 .written = true };
    (void)job;
    postback_record(db, &postback, &outcome->attempt, outcome->verdict, outcome->due_at);
    return true;
}

static struct outcome outcome_of(int64_t id, int64_t notification, int number, int status)
{
    return (struct outcome){
        .id = id,
        .notification = notification,
        .due_at = AT * 1000LL,
        .attempt = { .started_at = 1700000000123,
                     .duration_us = 12345,
                     .number = number,
                     .revision = 1,
                     .status = status,
                     .retry_after_ms = -1 },
        .verdict = status == 200 ? VERDICT_DELIVERED : VERDICT_FAILED,
    };
}

static void record(struct house *house, int64_t id, int64_t notification, int number, int status)
{
    struct outcome outcome = outcome_of(id, notification, number, status);
    assert_true(house_do(house, do_record, &outcome, NULL));
}

static void record_due(struct house *house, int64_t id, int64_t notification, int number,
                       int64_t due_at)
{
    struct outcome outcome = outcome_of(id, notification, number, 500);
    outcome.due_at = due_at;
    assert_true(house_do(house, do_record, &outcome, NULL));
}

static bool do_park(struct job *job, struct db *db, void *with)
{
    (void)job;
    postback_park(db, with);
    return true;
}

static void park(struct house *house, int64_t id, int64_t due_at)
{
    struct postback postback = { .id = id, .due_at = due_at, .written = true };
    assert_true(house_do(house, do_park, &postback, NULL));
}

struct due {
    int64_t notification, now_ms;
    bool probing;
    const int64_t *skip;
    size_t skip_count, limit;
    size_t count;
    int64_t ids[LARGE], next_due;
    int attempts[LARGE];
    bool large;
};

static bool do_due(struct job *job, struct db *db, void *with)
{
    struct due *due = with;
    struct list out;
    (void)job;
    list_init(&out);
    due->count = postback_due(db, due->notification, due->now_ms, due->probing, due->skip,
                              due->skip_count, due->limit, &out, &due->next_due);
    assert_int_equal(list_length(&out), due->count);
    size_t at = 0;
    for (struct list *node = out.next; node != &out; node = node->next) {
        struct postback *postback = container_of(node, struct postback, in);
        assert_true(postback->waiting);
        assert_string_equal(postback->event->data,
                            due->large ? house_large_data() : "{\"CustomerId\":\"c-1\"}");
        due->attempts[at] = postback->attempts;
        due->ids[at++] = postback->id;
    }
    house_free_list(&out);
    return true;
}

struct action {
    bool (*does)(struct job *job, struct db *db, int64_t account, int64_t id,
                 int64_t *notification);
    int64_t account, id, notification, new_id;
};

static bool cancel_one(struct job *job, struct db *db, int64_t account, int64_t id,
                       int64_t *notification)
{
    (void)notification;
    return postback_cancel(job, db, account, id);
}

static bool do_action(struct job *job, struct db *db, void *with)
{
    struct action *action = with;
    if (action->does != NULL)
        return action->does(job, db, action->account, action->id, &action->notification);
    return postback_resend(job, db, action->account, action->id, &action->new_id);
}

static enum error_kind act(struct house *house, struct action *action)
{
    struct error error = { 0 };
    return house_do(house, do_action, action, &error) ? ERROR_NONE : error.kind;
}

static int64_t pending(struct house *house, int64_t notification)
{
    return house_number(house, "SELECT sum(pending) FROM notification_count WHERE notification = ?",
                        notification);
}

/* ---- outcomes ---- */

static void test_a_delivered_postback_is_over(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t id = house_postback(house, house->partner.account, OPENED, 0);

    assert_int_equal(pending(house, notification), 1);
    record(house, id, notification, 1, 200);
    assert_int_equal(state_of(house, id), POSTBACK_DELIVERED);
    assert_int_equal(house_number(house, "SELECT finished_at FROM postback WHERE id = ?", id),
                     1700000000135);
    assert_int_equal(house_number(house, "SELECT last_status FROM postback WHERE id = ?", id), 200);
    assert_int_equal(pending(house, notification), 0);
    record(house, id, notification, 2, 500); /* late news of another try */
    assert_int_equal(state_of(house, id), POSTBACK_DELIVERED);
    assert_int_equal(pending(house, notification), 0);
}

static void test_a_failed_postback_waits_for_its_next_try(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t id = house_postback(house, house->partner.account, OPENED, 0);

    record(house, id, notification, 1, 503);
    assert_int_equal(state_of(house, id), POSTBACK_WAITING);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", id),
                     AT * 1000LL);
    assert_int_equal(
        house_number(house, "SELECT last_error = 'status 503' FROM postback WHERE id = ?", id), 1);
    assert_int_equal(house_number(house, "SELECT attempts FROM postback WHERE id = ?", id), 1);
    record(house, id, notification, 2, 200);
    assert_int_equal(state_of(house, id), POSTBACK_DELIVERED);
    assert_int_equal(house_number(house, "SELECT last_error FROM postback WHERE id = ?", id), -1);
    assert_int_equal(house_number(house, "SELECT count(*) FROM attempt WHERE postback = ?", id), 2);
}

static void test_a_cancelled_postback_comes_back_only_if_it_arrived(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t lost = house_postback(house, house->partner.account, OPENED, 0);
    int64_t arrived = house_postback(house, house->partner.account, OPENED, 0);
    struct action cancel = { .does = cancel_one, .account = house->partner.account };

    cancel.id = lost;
    assert_int_equal(act(house, &cancel), ERROR_NONE);
    cancel.id = arrived;
    assert_int_equal(act(house, &cancel), ERROR_NONE);
    assert_int_equal(pending(house, notification), 0);
    record(house, lost, notification, 1, 500);
    record(house, arrived, notification, 1, 200);
    park(house, lost, 0);
    assert_int_equal(state_of(house, lost), POSTBACK_CANCELLED);
    assert_int_equal(state_of(house, arrived), POSTBACK_DELIVERED);
    assert_int_equal(pending(house, notification), 0);
    assert_int_equal(act(house, &cancel), ERROR_CONFLICT);
}

static void test_counts_are_undone_with_their_job(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t id = house_postback(house, house->partner.account, OPENED, 0);
    struct action wrong = { .does = cancel_one, .account = house->partner.account, .id = id };

    assert_int_equal(act(house, &wrong), ERROR_NONE);
    assert_int_equal(act(house, &wrong), ERROR_CONFLICT);
    assert_int_equal(pending(house, notification), 0);
    assert_int_equal(
        house_number(house,
                     "SELECT delivered + failed FROM notification_count WHERE notification = ?",
                     notification),
        0);
}

/* The store as the server of this number has it. */
static void become_node(struct house *house, int node)
{
    struct store_config config = house_config(house);
    struct error error = { 0 };
    config.node = node;
    store_close(house->store);
    house->store = store_open(&config, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
    store_on_fresh(house->store, house_fresh, house);
}

struct counts {
    int64_t account, notification, pending[3];
    json_t *shown;
};

static bool do_counts(struct job *job, struct db *db, void *with)
{
    struct counts *counts = with;
    (void)job;
    counts->pending[0] = ledger_pending(db, 0, counts->notification);
    counts->pending[1] = ledger_pending(db, counts->account, 0);
    counts->pending[2] = ledger_sum(db, counts->notification).pending;
    counts->shown = postback_health(db, counts->account, counts->notification);
    return true;
}

static void test_each_node_has_counts_and_all_are_summed(void **state)
{
    struct house *house = *state;
    if (!house_is_a_file(house)) /* there its number stays its own */
        return;
    int64_t account = house->partner.account, notification = house_notify(house, account, OPENED);
    int64_t first = house_postback(house, account, OPENED, 0);
    become_node(house, 7);
    int64_t second = house_postback(house, account, OPENED, 0);
    record(house, first, notification, 1, 200); /* another's: below 0 in its own row */
    record(house, second, notification, 1, 500);
    struct counts counts = { account, notification, { 0 }, NULL };
    assert_true(house_do(house, do_counts, &counts, NULL));
    for (int i = 0; i < 3; i++)
        assert_int_equal(counts.pending[i], 1);
    assert_string_equal(json_string_value(json_object_get(counts.shown, "Pending")), "1");
    assert_string_equal(json_string_value(json_object_get(counts.shown, "Delivered")), "1");
    assert_string_equal(json_string_value(json_object_get(counts.shown, "FailedAttempts")), "1");
    json_decref(counts.shown);
    assert_int_equal(house_number(house, "SELECT count(*) FROM notification_count", 0), 2);
    assert_int_equal(
        house_number(house, "SELECT pending FROM notification_count WHERE node = ?", 0), 1);
}

/* ---- the queue ---- */

/* Three parked ones, due at 1000, 2000 and 3000, not in order of id. */
static int64_t three_waiting(struct house *house, int64_t ids[3])
{
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    static const int64_t due[] = { 3000, 1000, 2000 };
    for (int i = 0; i < 3; i++) {
        ids[i] = house_postback(house, house->partner.account, OPENED, 0);
        park(house, ids[i], due[i]);
    }
    return notification;
}

static void test_what_is_due_comes_oldest_first(void **state)
{
    struct house *house = *state;
    int64_t ids[3];
    struct due due = { .notification = three_waiting(house, ids), .now_ms = 2500, .limit = 10 };

    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 2);
    assert_int_equal(due.ids[0], ids[1]);
    assert_int_equal(due.ids[1], ids[2]);
    assert_int_equal(due.next_due, 3000);
    due.now_ms = 3000;
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 3);
    assert_int_equal(due.next_due, -1);
}

static void test_a_limit_leaves_the_rest_due(void **state)
{
    struct house *house = *state;
    int64_t ids[3];
    struct due due = { .notification = three_waiting(house, ids), .now_ms = 9000, .limit = 1 };

    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 1);
    assert_int_equal(due.ids[0], ids[1]);
    assert_int_equal(due.next_due, 2000);
    due.skip = (int64_t[]){ ids[2], ids[1] }; /* held in memory; in no order */
    due.skip_count = 2;
    due.limit = 5;
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 1);
    assert_int_equal(due.ids[0], ids[0]);
    assert_int_equal(due.next_due, -1);
    due.limit = 0;
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 0);
    assert_int_equal(due.next_due, 3000);
}

static void test_a_probe_takes_the_oldest_that_was_tried(void **state)
{
    struct house *house = *state;
    int64_t ids[3];
    struct due due = {
        .notification = three_waiting(house, ids), .now_ms = 500, .limit = 1, .probing = true
    };

    record_due(house, ids[0], due.notification, 1, 8000);
    record_due(house, ids[2], due.notification, 1, 7000);
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 1);
    assert_int_equal(due.ids[0], ids[2]); /* ids[1] is delayed: it was never tried */
    assert_int_equal(due.attempts[0], 1);
    assert_int_equal(due.next_due, 1000);
    due.probing = false;
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, 0);
}

struct in_order {
    struct due due;
    int64_t from;
};

static bool do_due_in_order(struct job *job, struct db *db, void *with)
{
    struct in_order *order = with;
    struct due *due = &order->due;
    struct list out;
    (void)job;
    list_init(&out);
    due->count = postback_due_in_order(db, due->notification, due->now_ms, due->probing,
                                       &order->from, due->limit, &out, &due->next_due);
    assert_int_equal(list_length(&out), due->count);
    size_t at = 0;
    for (struct list *node = out.next; node != &out; node = node->next)
        due->ids[at++] = container_of(node, struct postback, in)->id;
    house_free_list(&out);
    return true;
}

/* A read ends once it has a megabyte. */
static void test_a_read_of_large_events_leaves_the_rest_due(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account, notification = house_notify(house, account, OPENED);
    size_t some = 1024 * 1024 / 65000 + 1;
    int64_t ids[LARGE];
    struct due due = {
        .notification = notification, .now_ms = 9000, .limit = LARGE, .large = true
    };

    for (int i = 0; i < LARGE; i++) {
        ids[i] = house_large_postback(house, account, OPENED);
        park(house, ids[i], 1000 + i);
    }
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, some);
    assert_int_equal(due.next_due, 1000 + (int64_t)some);
    due.skip = ids;
    due.skip_count = some;
    assert_true(house_do(house, do_due, &due, NULL));
    assert_int_equal(due.count, LARGE - some);
    assert_int_equal(due.next_due, -1);

    struct in_order order = { due, 0 };
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, some);
    assert_int_equal(order.from, ids[some]);
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, LARGE - some);
    assert_int_equal(order.due.next_due, -1);
}

static void test_in_order_none_goes_before_one_that_is_not_due(void **state)
{
    struct house *house = *state;
    int64_t ids[3], notification = three_waiting(house, ids);
    struct in_order order = { { .notification = notification, .now_ms = 2500, .limit = 10 }, 0 };

    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, 0);
    assert_int_equal(order.due.next_due, 3000);
    assert_int_equal(order.from, ids[0]);
    order.due.now_ms = 3000;
    order.due.limit = 2;
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, 2);
    assert_int_equal(order.due.ids[0], ids[0]);
    assert_int_equal(order.due.ids[1], ids[1]);
    assert_int_equal(order.due.next_due, 2000);
    assert_int_equal(order.from, ids[2]);
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, 1);
    assert_int_equal(order.due.next_due, -1);
    assert_true(order.from > ids[2]);
}

static void test_in_order_those_that_have_ended_are_passed_over(void **state)
{
    struct house *house = *state;
    int64_t ids[3], notification = three_waiting(house, ids);
    struct in_order order = { { .notification = notification, .now_ms = 500, .limit = 1 }, ids[0] };

    record(house, ids[0], notification, 1, 200);
    record_due(house, ids[1], notification, 1, 8000);
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, 0);
    assert_int_equal(order.due.next_due, 8000);
    assert_int_equal(order.from, ids[1]);
    order.due.probing = true;
    assert_true(house_do(house, do_due_in_order, &order, NULL));
    assert_int_equal(order.due.count, 1);
    assert_int_equal(order.due.ids[0], ids[1]);
    assert_int_equal(order.from, ids[2]);
}

static bool do_wake(struct job *job, struct db *db, void *with)
{
    (void)job;
    postback_wake(db, *(int64_t *)with, 5000);
    return true;
}

static void test_waking_makes_failed_ones_due_and_leaves_delayed_ones(void **state)
{
    struct house *house = *state;
    int64_t ids[3], notification = three_waiting(house, ids);

    record_due(house, ids[0], notification, 1, 60000);
    int64_t delayed = house_postback(house, house->partner.account, OPENED, 0);
    park(house, delayed, 70000);
    assert_true(house_do(house, do_wake, &notification, NULL));
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", ids[0]), 5000);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", ids[1]), 1000);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", delayed),
                     70000);
}

static bool do_wake_now(struct job *job, struct db *db, void *with)
{
    (void)job;
    postback_wake(db, *(int64_t *)with, db_due_now(db));
    return true;
}

static int64_t due_of(struct house *house, int64_t id)
{
    return house_number(house, "SELECT due_at FROM postback WHERE id = ?", id);
}

static void test_what_is_woken_is_as_old_as_it_is(void **state)
{
    struct house *house = *state;
    static const int64_t later = 4000000000000;
    int64_t ids[3], notification = three_waiting(house, ids);

    record_due(house, ids[0], notification, 1, later);
    record_due(house, ids[1], notification, POSTBACK_WAKE_FIRST_TRIES, later);
    record_due(house, ids[2], notification, POSTBACK_WAKE_FIRST_TRIES + 1, later);
    assert_true(house_do(house, do_wake_now, &notification, NULL));
    assert_int_equal(due_of(house, ids[0]), id_time_ms(ids[0]));
    assert_int_equal(due_of(house, ids[1]), id_time_ms(ids[1]));
    assert_true(due_of(house, ids[2]) > due_of(house, ids[1])); /* it had its chances */
    assert_true(due_of(house, ids[2]) < later);
}

static bool do_maintenance(struct job *job, struct db *db, void *with)
{
    (void)job;
    db_run(db, db_prepare(db, "INSERT INTO maintenance (state, start_at, ended_at) "
                              "VALUES (7, 0, 0)"));
    struct stmt *put = db_prepare(db, "UPDATE maintenance SET ended_at = ?");
    db_bind_int(put, 1, *(int64_t *)with);
    db_run(db, put);
    return true;
}

static void test_what_is_woken_is_not_counted_by_a_catch_up_again(void **state)
{
    struct house *house = *state;
    int64_t ids[3], notification = three_waiting(house, ids);
    int64_t end = id_time_ms(ids[0]) + 1;

    record_due(house, ids[0], notification, 1, 4000000000000);
    assert_true(house_do(house, do_maintenance, &end, NULL));
    while (id_time_ms(house_postback(house, house->partner.account, OPENED, 0)) <= end)
        continue; /* the clock passes it */
    assert_true(house_do(house, do_wake_now, &notification, NULL));
    assert_int_equal(due_of(house, ids[0]), end + 1);
}

struct all_waiting {
    struct waiting *list;
    size_t count;
};

static bool do_waiting(struct job *job, struct db *db, void *with)
{
    struct all_waiting *all = with;
    (void)job;
    all->count = postback_waiting(db, &all->list);
    return true;
}

static void test_who_has_something_waiting_is_known_with_its_earliest_time(void **state)
{
    struct house *house = *state;
    int64_t ids[3], first = three_waiting(house, ids);
    int64_t idle = house_notify(house, house->brand.account, OPENED);
    int64_t second = house_notify(house, house->brand.account, CLOSED);
    struct all_waiting all;

    park(house, house_postback(house, house->brand.account, CLOSED, 0), 4000);
    assert_int_not_equal(house_postback(house, house->brand.account, OPENED, 0), 0); /* of idle */
    assert_true(idle > first && idle < second);
    assert_true(house_do(house, do_waiting, &all, NULL));
    assert_int_equal(all.count, 2);
    assert_int_equal(all.list[0].notification, first);
    assert_int_equal(all.list[0].due_at, 1000);
    assert_int_equal(all.list[1].notification, second);
    assert_int_equal(all.list[1].due_at, 4000);
    free(all.list);
}

static bool do_recover(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int64_t *)with = postback_recover(db);
    return true;
}

static bool do_floor(struct job *job, struct db *db, void *with)
{
    (void)job;
    direct_set_floor(db, *(int64_t *)with);
    return true;
}

static void test_fresh_ones_wait_again_after_a_restart(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t below = house_postback(house, house->partner.account, OPENED, 0);
    int64_t delivered = house_postback(house, house->partner.account, OPENED, 0);
    int64_t fresh = house_postback(house, house->partner.account, OPENED, 0);
    int64_t recovered;

    record(house, delivered, notification, 1, 200);
    assert_true(house_do(house, do_floor, &delivered, NULL));
    assert_true(house_do(house, do_recover, &recovered, NULL));
    assert_int_equal(recovered, 1);
    assert_int_equal(state_of(house, fresh), POSTBACK_WAITING);
    assert_int_equal(state_of(house, below),
                     POSTBACK_FRESH); /* the floor was wrong: not looked at */
    int64_t later = house_postback(house, house->partner.account, OPENED, 0);
    assert_true(house_do(house, do_recover, &recovered, NULL));
    assert_int_equal(recovered, 1);
    assert_int_equal(state_of(house, later), POSTBACK_WAITING);
    assert_int_equal(
        house_number(house, "DELETE FROM meta WHERE key LIKE 'fresh_floor%' RETURNING 1", 0), 1);
    assert_true(house_do(house, do_recover, &recovered, NULL));
    if (!house_is_a_file(house)) {
        assert_int_equal(recovered, 0); /* its number had nothing out */
        return;
    }
    assert_int_equal(recovered, 1); /* without a floor all are looked at */
    assert_int_equal(state_of(house, below), POSTBACK_WAITING);
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    struct action *action = with;
    (void)job;
    return notification_delete(db, action->account, action->notification);
}

static void test_deleting_a_notification_cancels_what_is_undelivered(void **state)
{
    struct house *house = *state;
    struct action action = { .account = house->partner.account };
    action.notification = house_notify(house, action.account, OPENED);
    int64_t delivered = house_postback(house, action.account, OPENED, 0);
    int64_t waiting = house_postback(house, action.account, OPENED, 0);
    int64_t fresh = house_postback(house, action.account, OPENED, 0);

    record(house, delivered, action.notification, 1, 200);
    park(house, waiting, 0);
    assert_true(house_do(house, do_delete, &action, NULL));
    assert_int_equal(state_of(house, delivered), POSTBACK_DELIVERED);
    assert_int_equal(state_of(house, waiting), POSTBACK_CANCELLED);
    assert_int_equal(state_of(house, fresh), POSTBACK_CANCELLED);
    assert_int_equal(pending(house, action.notification), 0);
    action.id = delivered;
    assert_int_equal(act(house, &action), ERROR_CONFLICT); /* nowhere to send it again */
}

/* ---- what accounts do ---- */

static void test_retry_makes_a_waiting_one_due(void **state)
{
    struct house *house = *state;
    struct action retry = { .does = postback_retry, .account = house->partner.account };
    int64_t notification = house_notify(house, retry.account, OPENED);

    retry.id = house_postback(house, retry.account, OPENED, 0);
    assert_int_equal(act(house, &retry), ERROR_CONFLICT); /* on its way */
    park(house, retry.id, INT64_C(4000000000000));
    assert_int_equal(act(house, &retry), ERROR_NONE);
    assert_int_equal(retry.notification, notification);
    assert_true(house_number(house, "SELECT due_at FROM postback WHERE id = ?", retry.id) <
                INT64_C(3000000000000));
    /* R9: it goes before another one that is due already. */
    int64_t other = house_postback(house, retry.account, OPENED, 0);
    park(house, other, 1000);
    assert_int_equal(act(house, &retry), ERROR_NONE);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", retry.id),
                     999);
    record(house, retry.id, notification, 1, 200);
    assert_int_equal(act(house, &retry), ERROR_CONFLICT);
    retry.account = house->brand.account;
    assert_int_equal(act(house, &retry), ERROR_NOT_FOUND);
}

static void test_resend_makes_a_new_postback(void **state)
{
    struct house *house = *state;
    struct action resend = { .account = house->partner.account };
    int64_t notification = house_notify(house, resend.account, OPENED);

    resend.id = house_postback(house, resend.account, OPENED, 0);
    record(house, resend.id, notification, 1, 200);
    assert_int_equal(act(house, &resend), ERROR_NONE);
    assert_true(resend.new_id > resend.id);
    assert_int_equal(state_of(house, resend.id), POSTBACK_DELIVERED);
    assert_int_equal(state_of(house, resend.new_id), POSTBACK_WAITING);
    assert_int_equal(pending(house, notification), 1);
    resend.account = house->other_partner.account;
    assert_int_equal(act(house, &resend), ERROR_NOT_FOUND);
}

/* ---- the log ---- */

struct listing {
    int64_t account;
    struct postback_filter filter;
    json_t *page;
    int64_t next;
};

static bool do_list(struct job *job, struct db *db, void *with)
{
    struct listing *listing = with;
    (void)job;
    listing->page = postback_list(db, listing->account, &listing->filter, &listing->next);
    return true;
}

/* The ids of a page as text, for one assertion: "5 3 1". */
static void expect_page(struct house *house, struct listing *listing, const int64_t *ids,
                        size_t count)
{
    char expected[1024] = "", got[1024] = "";
    size_t at;
    json_t *item;

    assert_true(house_do(house, do_list, listing, NULL));
    for (size_t i = 0; i < count; i++)
        snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%" PRId64 " ",
                 ids[i]);
    json_array_foreach(listing->page, at, item)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
                 json_string_value(json_object_get(item, "Id")));
    assert_string_equal(got, expected);
    json_decref(listing->page);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "(absent)";
}

#define list_of(...) (const int64_t[]){ __VA_ARGS__ }, sizeof((int64_t[]){ __VA_ARGS__ }) / 8

static void test_the_list_is_newest_first_over_all_notifications(void **state)
{
    struct house *house = *state;
    struct listing all = { .account = house->partner.account, .filter = { .state = -1 } };
    int64_t opened = house_notify(house, all.account, OPENED);
    int64_t closed = house_notify(house, all.account, CLOSED);
    int64_t a = house_postback(house, all.account, OPENED, 0);
    int64_t b = house_postback(house, all.account, CLOSED, 0);
    int64_t c = house_postback(house, all.account, CLOSED, 0);
    int64_t d = house_postback(house, all.account, OPENED, 0);

    expect_page(house, &all, list_of(d, c, b, a));
    assert_int_equal(all.next, 0);
    all.filter.limit = 2;
    expect_page(house, &all, list_of(d, c));
    assert_int_equal(all.next, c);
    all.filter.before = all.next;
    expect_page(house, &all, list_of(b, a));
    assert_int_equal(all.next, 0);
    all.filter = (struct postback_filter){ .state = -1, .notification = opened };
    expect_page(house, &all, list_of(d, a));
    all.filter.notification = closed;
    all.filter.from = id_time_ms(a) - 1000;
    all.filter.until = id_time_ms(d) + 1000;
    expect_page(house, &all, list_of(c, b));
    all.filter.until = all.filter.from;
    expect_page(house, &all, NULL, 0);
    all = (struct listing){ .account = house->brand.account, .filter = { .state = -1 } };
    expect_page(house, &all, NULL, 0);
    all.filter.notification = opened; /* another's */
    expect_page(house, &all, NULL, 0);
}

static void test_the_list_is_filtered_by_type_and_state(void **state)
{
    struct house *house = *state;
    struct listing all = { .account = house->partner.account, .filter = { .state = -1 } };
    int64_t notification = house_notify(house, all.account, OPENED "," CLOSED);
    int64_t a = house_postback(house, all.account, OPENED, 0);
    int64_t b = house_postback(house, all.account, CLOSED, 0);
    int64_t c = house_postback(house, all.account, OPENED, 0);
    int64_t d = house_postback(house, all.account, OPENED, 0);

    record(house, a, notification, 1, 200);
    record(house, b, notification, 1, 500);
    record_due(house, c, notification, 1, 1000);
    all.filter.type = catalog_type(CLOSED);
    expect_page(house, &all, list_of(b));
    all.filter = (struct postback_filter){ .state = POSTBACK_WAITING };
    expect_page(house, &all, list_of(c, b));
    all.filter.before = c;
    expect_page(house, &all, list_of(b));
    all.filter = (struct postback_filter){ .state = POSTBACK_DELIVERED };
    expect_page(house, &all, list_of(a));
    all.filter.state = POSTBACK_FRESH;
    expect_page(house, &all, list_of(d));
}

static void test_the_list_of_an_inquiry_has_what_was_sent_again(void **state)
{
    struct house *house = *state;
    struct listing all = { .account = house->partner.account,
                           .filter = { .state = -1, .inquiry = 5 } };
    int64_t first = house_notify(house, all.account, OPENED "," CLOSED);
    struct published published;
    struct action resend = { .account = all.account };

    house_notify(house, all.account, OPENED);
    house_publish(house, all.account, OPENED, 5, &published);
    int64_t a = container_of(published.fresh.next, struct postback, in)->id;
    int64_t b = container_of(published.fresh.next->next, struct postback, in)->id;
    house_free_list(&published.fresh);
    resend.id = a;
    assert_int_equal(act(house, &resend), ERROR_NONE);
    house_postback(house, all.account, OPENED, 6); /* of another inquiry */
    int64_t c = house_postback(house, all.account, CLOSED, 5);
    expect_page(house, &all, list_of(c, resend.new_id, b, a));
    all.filter.limit = 3;
    expect_page(house, &all, list_of(c, resend.new_id, b));
    all.filter.before = all.next;
    expect_page(house, &all, list_of(a));
    all.filter = (struct postback_filter){ .state = -1, .inquiry = 5, .notification = first };
    expect_page(house, &all, list_of(c, resend.new_id, a));
    all.account = house->brand.account;
    expect_page(house, &all, NULL, 0);
}

struct crowd {
    int64_t account;
    size_t notifications, events;
};

static bool do_crowd(struct job *job, struct db *db, void *with)
{
    struct crowd *crowd = with;
    for (size_t i = 0; i < crowd->notifications; i++) {
        struct notification *one = house_compile(crowd->account, OPENED, 0);
        notification_add(db, one);
        notification_unref(one);
    }
    for (size_t i = 0; i < crowd->events; i++) {
        struct published published = { .account = crowd->account, .type = OPENED };
        house_publish_run(job, db, &published);
    }
    return true;
}

static void test_pages_of_many_notifications_are_whole_and_in_order(void **state)
{
    struct house *house = *state;
    struct crowd crowd = { .account = house->partner.account, .notifications = 150, .events = 9 };
    struct listing page = { .account = crowd.account, .filter = { .state = -1, .limit = 97 } };
    int64_t last = INT64_MAX;
    size_t count = 0;

    assert_true(house_do(house, do_crowd, &crowd, NULL));
    house_recover(house);
    do {
        size_t at;
        json_t *item;
        assert_true(house_do(house, do_list, &page, NULL));
        json_array_foreach(page.page, at, item)
        {
            int64_t id = strtoll(member(item, "Id"), NULL, 10);
            assert_true(id < last);
            last = id;
            count++;
        }
        json_decref(page.page);
        page.filter.before = page.next;
    } while (page.next != 0);
    assert_int_equal(count, 150 * 9);
}

struct showing {
    int64_t account, id;
    const char *sid;
    json_t *shown;
};

static bool do_show(struct job *job, struct db *db, void *with)
{
    struct showing *showing = with;
    (void)job;
    showing->shown = postback_show(db, showing->account, showing->sid, showing->id);
    return true;
}

static void test_a_postback_is_shown_with_each_request_and_answer(void **state)
{
    struct house *house = *state;
    struct showing showing = { .account = house->partner.account, .sid = house->partner.sid };
    int64_t notification = house_notify(house, showing.account, OPENED);
    showing.id = house_postback(house, showing.account, OPENED, 3);
    struct outcome failed = outcome_of(showing.id, notification, 1, 0);
    struct outcome delivered = outcome_of(showing.id, notification, 2, 200);
    char body[300], headers[] = "Server: x\nX-Bad: \xff\n";

    memset(body, 'b', sizeof(body));
    memcpy(body, "\xc3\xa9\xc3(", 4);
    failed.attempt.error = EXCHANGE_TLS;
    snprintf(failed.attempt.detail, sizeof(failed.attempt.detail), "certificate has expired");
    delivered.attempt.body = body;
    delivered.attempt.body_len = sizeof(body);
    delivered.attempt.headers = headers;
    delivered.attempt.headers_len = sizeof(headers) - 1;
    assert_true(house_do(house, do_record, &failed, NULL));
    assert_true(house_do(house, do_record, &delivered, NULL));
    assert_true(house_do(house, do_show, &showing, NULL));
    assert_string_equal(member(showing.shown, "State"), "DELIVERED");
    assert_string_equal(member(showing.shown, "Attempts"), "2");
    assert_string_equal(member(showing.shown, "EventType"), OPENED);
    assert_string_equal(member(showing.shown, "InquiryId"), "3");
    assert_string_equal(member(showing.shown, "DueDate"), "");
    assert_string_equal(member(showing.shown, "LastError"), "");
    const json_t *attempts = json_object_get(showing.shown, "AttemptList");
    assert_int_equal(json_array_size(attempts), 2);
    const json_t *one = json_array_get(attempts, 0), *two = json_array_get(attempts, 1);
    assert_string_equal(member(one, "Error"), "tls");
    assert_string_equal(member(one, "Detail"), "certificate has expired");
    assert_string_equal(member(one, "DurationMs"), "12.345");
    assert_string_equal(member(one, "StartDate"), "2023-11-14T22:13:20.123+00:00");
    assert_string_equal(member(json_object_get(one, "Response"), "Status"), "");
    assert_string_equal(member(two, "Number"), "2");
    const json_t *answer = json_object_get(two, "Response");
    assert_string_equal(member(answer, "Status"), "200");
    assert_string_equal(member(answer, "Headers"), "Server: x\nX-Bad: \xef\xbf\xbd\n");
    assert_memory_equal(member(answer, "Body"), "\xc3\xa9\xef\xbf\xbd(", 6);
    assert_int_equal(strlen(member(answer, "Body")), 256 + 2);
    assert_string_equal(member(answer, "Truncated"), "true");
    char *request = json_dumps(json_object_get(two, "Request"), 0);
    assert_non_null(strstr(request, "receiver.example"));
    assert_null(strstr(request, "v1,")); /* the signature is hidden */
    free(request);
    json_decref(showing.shown);
    showing.account = house->brand.account;
    assert_true(house_do(house, do_show, &showing, NULL));
    assert_null(showing.shown);
}

static bool do_health(struct job *job, struct db *db, void *with)
{
    struct showing *showing = with;
    (void)job;
    showing->shown = postback_health(db, showing->account, showing->id);
    return true;
}

static void test_health_counts_what_is_pending_and_what_was_done(void **state)
{
    struct house *house = *state;
    struct showing health = { .account = house->partner.account };
    health.id = house_notify(house, health.account, OPENED);

    assert_true(house_do(house, do_health, &health, NULL));
    assert_string_equal(member(health.shown, "Pending"), "0");
    assert_string_equal(member(health.shown, "OldestDueDate"), "");
    json_decref(health.shown);
    int64_t a = house_postback(house, health.account, OPENED, 0);
    int64_t b = house_postback(house, health.account, OPENED, 0);
    house_postback(house, health.account, OPENED, 0);
    record(house, a, health.id, 1, 500);
    record(house, a, health.id, 2, 200);
    record_due(house, b, health.id, 1, 1700000000000);
    assert_true(house_do(house, do_health, &health, NULL));
    assert_string_equal(member(health.shown, "Pending"), "2");
    assert_string_equal(member(health.shown, "Delivered"), "1");
    assert_string_equal(member(health.shown, "FailedAttempts"), "2");
    assert_string_equal(member(health.shown, "OldestDueDate"), "2023-11-14T22:13:20+00:00");
    json_decref(health.shown);
    health.account = house->brand.account;
    assert_true(house_do(house, do_health, &health, NULL));
    assert_null(health.shown);
}

/* ---- plans ---- */

/* Every statement on the hot tables that the functions here have prepared is found by an index. */
static bool do_check_plans(struct job *job, struct db *db, void *with)
{
    sqlite3 *handle = sqlite_handle(db);
    int *checked = with;
    char *texts[100];
    size_t count = 0;

    (void)job;
    for (sqlite3_stmt *stmt = sqlite3_next_stmt(handle, NULL); stmt != NULL && count < 100;
         stmt = sqlite3_next_stmt(handle, stmt)) {
        const char *sql = sqlite3_sql(stmt);
        if (strstr(sql, "postback") != NULL || strstr(sql, "event ") != NULL ||
            strstr(sql, "attempt") != NULL)
            texts[count++] = must_copy(sql);
    }
    for (size_t i = 0; i < count; i++) {
        struct buf sql = { 0 };
        sqlite3_stmt *plan = NULL;
        buf_fmt(&sql, "EXPLAIN QUERY PLAN %s", texts[i]);
        assert_int_equal(sqlite3_prepare_v2(handle, buf_text(&sql), -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            if (strncmp(step, "SCAN postback", 13) == 0 || strncmp(step, "SCAN p", 6) == 0 ||
                strncmp(step, "SCAN e", 6) == 0 || strncmp(step, "SCAN attempt", 12) == 0 ||
                strstr(step, "TEMP B-TREE") != NULL)
                fail_msg("%s: %s", texts[i], step);
        }
        sqlite3_finalize(plan);
        buf_free(&sql);
        free(texts[i]);
    }
    *checked = (int)count;
    return true;
}

static void test_no_hot_query_scans_or_sorts(void **state)
{
    struct house *house = *state;
    int64_t ids[3], recovered;
    struct due due = { .notification = three_waiting(house, ids), .now_ms = 9000, .limit = 9 };
    struct listing all = { .account = house->partner.account, .filter = { .state = -1 } };
    struct showing show = { .account = house->partner.account, .id = ids[0] };
    struct all_waiting waiting;
    struct action action = { .account = all.account, .id = ids[0] };
    int checked = 0;

    if (!house_is_a_file(house))
        skip(); /* it reads SQLite's plans */
    house_do(house, do_due, &due, NULL);
    house_do(house, do_wake, &due.notification, NULL);
    house_do(house, do_waiting, &waiting, NULL);
    house_do(house, do_recover, &recovered, NULL);
    free(waiting.list);
    for (int i = 0; i < 6; i++) {
        all.filter.inquiry = i == 1;
        all.filter.state = i == 2 ? POSTBACK_WAITING : i == 3 ? POSTBACK_CANCELLED : -1;
        all.filter.status_from = all.filter.status_until = i == 4 ? 500 : 0;
        all.filter.error = i == 5 ? "" : NULL;
        house_do(house, do_list, &all, NULL);
        json_decref(all.page);
    }
    house_do(house, do_show, &show, NULL);
    json_decref(show.shown);
    act(house, &action);
    action.does = postback_retry;
    act(house, &action);
    record(house, ids[0], due.notification, 1, 500);
    record(house, ids[0], due.notification, 2, 200);
    action.notification = due.notification;
    house_do(house, do_delete, &action, NULL);
    assert_true(house_do(house, do_check_plans, &checked, NULL));
    assert_true(checked >= 18);
}

#define test(f) cmocka_unit_test_setup_teardown(f, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_delivered_postback_is_over),
        test(test_a_failed_postback_waits_for_its_next_try),
        test(test_a_cancelled_postback_comes_back_only_if_it_arrived),
        test(test_counts_are_undone_with_their_job),
        test(test_each_node_has_counts_and_all_are_summed),
        test(test_what_is_due_comes_oldest_first),
        test(test_a_read_of_large_events_leaves_the_rest_due),
        test(test_a_limit_leaves_the_rest_due),
        test(test_a_probe_takes_the_oldest_that_was_tried),
        test(test_in_order_none_goes_before_one_that_is_not_due),
        test(test_in_order_those_that_have_ended_are_passed_over),
        test(test_waking_makes_failed_ones_due_and_leaves_delayed_ones),
        test(test_what_is_woken_is_as_old_as_it_is),
        test(test_what_is_woken_is_not_counted_by_a_catch_up_again),
        test(test_who_has_something_waiting_is_known_with_its_earliest_time),
        test(test_fresh_ones_wait_again_after_a_restart),
        test(test_deleting_a_notification_cancels_what_is_undelivered),
        test(test_retry_makes_a_waiting_one_due),
        test(test_resend_makes_a_new_postback),
        test(test_the_list_is_newest_first_over_all_notifications),
        test(test_the_list_is_filtered_by_type_and_state),
        test(test_the_list_of_an_inquiry_has_what_was_sent_again),
        test(test_pages_of_many_notifications_are_whole_and_in_order),
        test(test_a_postback_is_shown_with_each_request_and_answer),
        test(test_health_counts_what_is_pending_and_what_was_done),
        test(test_no_hot_query_scans_or_sorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
