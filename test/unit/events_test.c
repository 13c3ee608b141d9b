/* events_test.c — publishing: who gets a postback of an event, and in which state. */
#include "postback_house.h"

#include "db/tx.h"

#define OPENED "action_inquiry.opened"
#define CLOSED "action_inquiry.closed"

static void test_each_notification_that_wants_the_type_gets_a_postback(void **state)
{
    struct house *house = *state;
    int64_t partner = house->partner.account;
    int64_t first = house_notify(house, partner, OPENED);
    int64_t both = house_notify(house, partner, OPENED "," CLOSED);
    struct published published;

    house_notify(house, partner, CLOSED);
    house_notify(house, house->brand.account, OPENED); /* another account's */
    house_publish(house, partner, OPENED, 7, &published);
    assert_int_equal(list_length(&published.fresh), 2);
    struct postback *one = container_of(published.fresh.next, struct postback, in);
    struct postback *two = container_of(published.fresh.next->next, struct postback, in);
    assert_int_equal(one->notification, first);
    assert_int_equal(two->notification, both);
    assert_true(published.event < one->id && one->id < two->id);
    assert_ptr_equal(one->event, two->event);
    assert_int_equal(one->event->id, published.event);
    assert_int_equal(one->event->inquiry, 7);
    assert_string_equal(one->event->data, "{\"CustomerId\":\"c-1\"}");
    assert_false(one->waiting);
    assert_true(one->accepted_us > 0);
    assert_int_equal(state_of(house, one->id), POSTBACK_FRESH);
    assert_int_equal(house_number(house, "SELECT bucket FROM postback WHERE id = ?", two->id),
                     notification_bucket(both));
    assert_int_equal(published.hints, 0);
    house_free_list(&published.fresh);
}

static void test_an_event_that_nobody_wants_is_kept(void **state)
{
    struct house *house = *state;
    struct published published;

    house_publish(house, house->partner.account, OPENED, 0, &published);
    assert_int_equal(list_length(&published.fresh), 0);
    assert_int_equal(
        house_number(house, "SELECT count(*) FROM event WHERE id = ?", published.event), 1);
}

struct changing {
    struct house *house;
    int64_t account, notification;
    enum notification_state state;
    const char *types;
    bool direct, fails;
};

static bool set_state(struct job *job, struct db *db, void *with)
{
    struct changing *change = with;
    (void)job;
    return notification_set_state(db, change->account, change->notification, change->state, "x");
}

static bool set_types(struct job *job, struct db *db, void *with)
{
    struct changing *change = with;
    struct notification *notification = house_compile(change->account, change->types, 0);
    notification->id = change->notification;
    assert_true(notification_change(db, notification));
    notification_unref(notification);
    if (change->fails) { /* after an event has gone by the changed settings */
        struct published published = { .account = change->account, .type = CLOSED };
        house_publish_run(job, db, &published);
        assert_int_equal(tx_counted(db_tx(db), METRIC_POSTBACKS), 1);
        error_set(&job->error, ERROR_CONFLICT, "changed its mind");
    }
    return !change->fails;
}

static bool set_direct(struct job *job, struct db *db, void *with)
{
    struct changing *change = with;
    event_route(db, change->notification, change->direct);
    if (change->fails)
        error_set(&job->error, ERROR_CONFLICT, "changed its mind");
    return !change->fails;
}

static void test_a_paused_notification_s_postbacks_wait(void **state)
{
    struct house *house = *state;
    struct changing change = { .account = house->partner.account, .state = NOTIFICATION_PAUSED };
    struct published published;

    change.notification = house_notify(house, change.account, OPENED);
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
    assert_true(house_do(house, set_state, &change, NULL));
    house_publish(house, change.account, OPENED, 0, &published);
    assert_int_equal(list_length(&published.fresh), 0);
    assert_int_equal(published.hints, 1);
    assert_int_equal(published.hint_due_at, -1); /* nothing to do until it is resumed */
    assert_int_equal(published.hint_id, house_number(house, "SELECT max(id) FROM postback", 0));
    assert_int_equal(house_number(house, "SELECT count(*) FROM postback WHERE state = 1", 0), 1);
    change.state = NOTIFICATION_ACTIVE;
    assert_true(house_do(house, set_state, &change, NULL));
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
}

static void test_a_minimum_delay_puts_the_due_time_off(void **state)
{
    struct house *house = *state;
    struct new_notification late = { .account = house->partner.account,
                                     .types = OPENED,
                                     .minimum_delay_s = 60 };
    struct published published;

    assert_true(house_do(house, house_add_notification, &late, NULL));
    house_publish(house, late.account, OPENED, 0, &published);
    assert_int_equal(list_length(&published.fresh), 0);
    assert_int_equal(published.hints, 1);
    assert_int_equal(published.hint_notification, late.id);
    assert_int_equal(
        published.hint_due_at,
        house_number(house, "SELECT due_at FROM postback WHERE notification = ?", late.id));
    assert_int_equal(house_number(house,
                                  "SELECT p.due_at - e.occurred_at FROM postback p JOIN event "
                                  "e ON e.id = p.event WHERE p.notification = ?",
                                  late.id),
                     60000);
}

static void test_a_lane_that_takes_none_has_them_written_to_disk(void **state)
{
    struct house *house = *state;
    struct changing change = { .account = house->partner.account };
    struct published published;

    change.notification = house_notify(house, change.account, OPENED);
    assert_true(house_do(house, set_direct, &change, NULL));
    house_publish(house, change.account, OPENED, 0, &published);
    assert_int_equal(list_length(&published.fresh), 0);
    assert_int_equal(published.hints, 1);
    assert_int_equal(published.hint_notification, change.notification);
    change.direct = true;
    assert_true(house_do(house, set_direct, &change, NULL));
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
}

/* As many bytes of large ones as there may be are in memory; small ones do not wait for that. */
static void test_large_events_past_their_bytes_are_left_on_disk(void **state)
{
    enum { COUNT = EVENT_LARGE_BYTES_MOST / 60000 };
    static struct event *others[COUNT];
    struct house *house = *state;
    int64_t account = house->partner.account, notification = house_notify(house, account, OPENED);
    const char *data = house_large_data();

    for (int i = 0; i < COUNT; i++)
        others[i] = event_new(1, catalog_type(OPENED), 0, 0, data, strlen(data));
    assert_true(events_large_bytes() >= EVENT_LARGE_BYTES_MOST);
    assert_int_equal(house_large_postback(house, account, OPENED), 0);
    assert_int_equal(
        house_number(house, "SELECT state FROM postback WHERE notification = ?", notification),
        POSTBACK_WAITING);
    assert_int_not_equal(house_postback(house, account, OPENED, 0), 0);
    for (int i = 0; i < COUNT; i++)
        event_unref(others[i]);
    assert_int_equal(events_large_bytes(), 0);
    assert_int_not_equal(house_large_postback(house, account, OPENED), 0);
}

static void test_a_route_is_forgotten_with_the_job_that_set_it(void **state)
{
    struct house *house = *state;
    struct changing change = { .account = house->partner.account, .fails = true };
    struct error error;

    change.notification = house_notify(house, change.account, OPENED);
    assert_false(house_do(house, set_direct, &change, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
}

static void test_changed_settings_count_from_the_next_event(void **state)
{
    struct house *house = *state;
    struct changing change = { .account = house->partner.account, .types = CLOSED };

    change.notification = house_notify(house, change.account, OPENED);
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
    assert_true(house_do(house, set_types, &change, NULL));
    assert_int_equal(house_postback(house, change.account, OPENED, 0), 0);
    assert_int_not_equal(house_postback(house, change.account, CLOSED, 0), 0);
}

static void test_settings_of_a_change_that_was_undone_do_not_count(void **state)
{
    struct house *house = *state;
    struct changing change = { .account = house->partner.account, .types = CLOSED, .fails = true };

    change.notification = house_notify(house, change.account, OPENED);
    assert_false(house_do(house, set_types, &change, NULL));
    assert_int_equal(house_postback(house, change.account, CLOSED, 0), 0);
    assert_int_not_equal(house_postback(house, change.account, OPENED, 0), 0);
}

static bool load_event(struct job *job, struct db *db, void *with)
{
    struct published *published = with;
    struct event *event = event_load(db, published->account, published->event);
    (void)job;
    assert_non_null(event);
    assert_int_equal(event->id, published->event);
    assert_string_equal(event->type->name, OPENED);
    assert_string_equal(event->data, "{\"CustomerId\":\"c-1\"}");
    assert_int_equal(event->inquiry, 9);
    event_unref(event);
    assert_null(event_load(db, published->account + 1, published->event));
    assert_null(event_load(db, published->account, published->event + 1));
    return true;
}

static void test_an_event_is_read_back_by_its_account_only(void **state)
{
    struct house *house = *state;
    struct published published;

    house_publish(house, house->partner.account, OPENED, 9, &published);
    assert_true(house_do(house, load_event, &published, NULL));
}

/* ---- through the writer ---- */

struct flow {
    int64_t last;         /* the newest id handed over */
    int handed, done, ok; /* postbacks; jobs */
};

struct flow_job {
    struct job job;
    struct flow *flow;
    int64_t account;
    bool fails;
};

static bool flow_run(struct job *job, struct db *db)
{
    struct flow_job *mine = container_of(job, struct flow_job, job);
    struct published published = { .account = mine->account, .type = OPENED };
    house_publish_run(job, db, &published);
    house_publish_run(job, db, &published);
    return !mine->fails;
}

static void flow_done(struct job *job, bool ok)
{
    struct flow_job *mine = container_of(job, struct flow_job, job);
    mine->flow->done++;
    mine->flow->ok += ok;
    assert_true(mine->flow->handed >= 2 * mine->flow->ok);
    free(mine);
}

static void flow_fresh(void *context, struct list *postbacks)
{
    struct flow *flow = context;
    for (struct list *node = postbacks->next; node != postbacks; node = node->next) {
        int64_t id = container_of(node, struct postback, in)->id;
        assert_true(id > flow->last);
        flow->last = id;
        flow->handed++;
    }
    house_free_list(postbacks);
}

static void test_postbacks_are_handed_over_in_order_before_their_jobs_are_done(void **state)
{
    struct house *house = *state;
    struct flow flow = { 0 };

    house_notify(house, house->partner.account, OPENED);
    store_on_fresh(house->store, flow_fresh, &flow);
    for (int i = 0; i < 700; i++) {
        struct flow_job *job = must_alloc(sizeof(*job));
        *job = (struct flow_job){ .job = { .run = flow_run, .done = flow_done },
                                  .flow = &flow,
                                  .account = house->partner.account,
                                  .fails = i % 10 == 3 };
        store_write(house->store, &job->job);
    }
    uv_run(&house->loop, UV_RUN_DEFAULT);
    assert_int_equal(flow.done, 700);
    assert_int_equal(flow.ok, 630);
    assert_int_equal(flow.handed, 1260); /* none of a job that failed */
    assert_int_equal(house_recover(house), 1260);
    assert_int_equal(house_number(house, "SELECT count(*) FROM postback", 0), 1260);
    assert_int_equal(house_number(house, "SELECT pending FROM notification_count", 0), 1260);
}

static void test_buckets_are_the_same_for_ever(void **state)
{
    (void)state;
    assert_int_equal(notification_bucket(1), 229);
    assert_int_equal(notification_bucket(2), 138);
    assert_int_equal(notification_bucket(1000000), 86);
}

#define test(f) cmocka_unit_test_setup_teardown(f, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_each_notification_that_wants_the_type_gets_a_postback),
        test(test_an_event_that_nobody_wants_is_kept),
        test(test_a_paused_notification_s_postbacks_wait),
        test(test_a_minimum_delay_puts_the_due_time_off),
        test(test_a_lane_that_takes_none_has_them_written_to_disk),
        test(test_large_events_past_their_bytes_are_left_on_disk),
        test(test_a_route_is_forgotten_with_the_job_that_set_it),
        test(test_changed_settings_count_from_the_next_event),
        test(test_settings_of_a_change_that_was_undone_do_not_count),
        test(test_an_event_is_read_back_by_its_account_only),
        test(test_postbacks_are_handed_over_in_order_before_their_jobs_are_done),
        cmocka_unit_test(test_buckets_are_the_same_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
