/* direct_test.c — postbacks that go straight to a lane: two statements an event, and everything
 * that reads them before they have a row. */
#include "postback_house.h"

#include "base/id.h"
#include "db/sqlite.h"
#include "store/direct.h"
#include "store/expiry.h"
#include "store/replays.h"
#include "store/retention.h"

#define OPENED "action_inquiry.opened"

enum { MANY = 50, INQUIRY = 5 };

/* ---- steps ---- */

static struct attempt attempt_of(int number, int status)
{
    return (struct attempt){ .started_at = 1700000000123,
                             .duration_us = 12345,
                             .number = number,
                             .revision = 1,
                             .status = status,
                             .headers = "Server: x\n",
                             .headers_len = 10,
                             .body = "fine",
                             .body_len = 4,
                             .retry_after_ms = -1 };
}

static void record(struct db *db, const struct postback *postback, int status)
{
    struct attempt attempt = attempt_of(1, status);
    postback_record(db, postback, &attempt, status == 200 ? VERDICT_DELIVERED : VERDICT_FAILED,
                    1800000000000);
}

static bool do_deliver(struct job *job, struct db *db, void *with)
{
    (void)job;
    record(db, with, 200);
    return true;
}

static bool do_fail(struct job *job, struct db *db, void *with)
{
    (void)job;
    record(db, with, 500);
    return true;
}

static bool do_park(struct job *job, struct db *db, void *with)
{
    (void)job;
    postback_park(db, with);
    return true;
}

static bool retry_it(struct job *job, struct db *db, int64_t account, int64_t id)
{
    int64_t notification;
    return postback_retry(job, db, account, id, &notification);
}

struct action {
    bool (*does)(struct job *job, struct db *db, int64_t account, int64_t id);
    int64_t account, id;
};

static bool do_action(struct job *job, struct db *db, void *with)
{
    const struct action *action = with;
    return action->does(job, db, action->account, action->id);
}

static bool do_cancel_all(struct job *job, struct db *db, void *with)
{
    (void)job;
    return postback_cancel_all(db, *(int64_t *)with) == 1;
}

static bool do_retain(struct job *job, struct db *db, void *with)
{
    (void)job;
    retention_step(db, with, 500);
    return true;
}

static bool do_set_floor(struct job *job, struct db *db, void *with)
{
    (void)job;
    direct_set_floor(db, *(int64_t *)with);
    return true;
}

static bool do_route_off(struct job *job, struct db *db, void *with)
{
    (void)job;
    event_route(db, *(int64_t *)with, false);
    return true;
}

struct showing {
    int64_t account, id;
    json_t *shown;
};

static bool do_show(struct job *job, struct db *db, void *with)
{
    struct showing *showing = with;
    (void)job;
    showing->shown = postback_show(db, showing->account, "sid", showing->id);
    return true;
}

static json_t *show(struct house *house, int64_t id)
{
    struct showing showing = { .account = house->partner.account, .id = id };
    assert_true(house_do(house, do_show, &showing, NULL));
    return showing.shown;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* An event; what it handed over is the caller's. */
static void publish(struct house *house, struct published *out)
{
    *out = (struct published){ .house = house,
                               .account = house->partner.account,
                               .inquiry = INQUIRY,
                               .type = OPENED,
                               .direct = true };
    house_publish_this(house, out);
}

static struct postback *only(struct published *published)
{
    assert_int_equal(list_length(&published->fresh), 1);
    return container_of(list_first(&published->fresh), struct postback, in);
}

static int64_t rows(struct house *house)
{
    return house_number(house, "SELECT count(*) FROM postback", 0);
}

static int64_t pending(struct house *house, int64_t notification)
{
    return house_number(house, "SELECT pending FROM notification_count WHERE notification = ?",
                        notification);
}

/* ---- statements ---- */

struct flow {
    int64_t account;
    int statements;
    struct list fresh;
};

static int count_statement(unsigned kind, void *context, void *statement, void *text)
{
    (void)kind;
    (void)statement;
    (void)text;
    (*(int *)context)++;
    return 0;
}

static void count_from_here(struct db *db, int *count)
{
    sqlite3_trace_v2(sqlite_handle(db), count != NULL ? SQLITE_TRACE_STMT : 0, count_statement,
                     count);
}

static bool do_publish_many(struct job *job, struct db *db, void *with)
{
    struct flow *flow = with;
    const struct event_type *type = catalog_type(OPENED);
    for (int i = 0; i <= MANY; i++) {
        struct event *event = event_new(flow->account, type, db_now(db), 0, "{}", 2);
        event_publish(job, db, event);
        event_unref(event);
        if (i == 0) /* what is read once is */
            count_from_here(db, &flow->statements);
    }
    count_from_here(db, NULL);
    return true;
}

static bool do_deliver_many(struct job *job, struct db *db, void *with)
{
    struct flow *flow = with;
    (void)job;
    count_from_here(db, &flow->statements);
    for (struct list *node = flow->fresh.next->next; node != &flow->fresh; node = node->next)
        record(db, container_of(node, struct postback, in), 200);
    count_from_here(db, NULL);
    return true;
}

static void keep_fresh(void *context, struct list *postbacks)
{
    struct flow *flow = context;
    for (struct list *node; (node = list_first(postbacks)) != NULL;) {
        list_remove(node);
        list_append(&flow->fresh, node);
    }
}

static void test_an_event_that_arrives_at_once_takes_two_statements(void **state)
{
    struct house *house = *state;
    struct flow flow = { .account = house->partner.account };
    if (!house_is_a_file(house))
        skip(); /* it counts SQLite's */
    list_init(&flow.fresh);
    int64_t notification = house_notify(house, flow.account, OPENED);
    store_on_fresh(house->store, keep_fresh, &flow);
    assert_true(house_do(house, do_publish_many, &flow, NULL));
    assert_int_equal(list_length(&flow.fresh), MANY + 1);
    assert_int_equal(flow.statements, MANY);
    assert_int_equal(rows(house), 0);
    assert_true(house_do(house, do_deliver_many, &flow, NULL));
    assert_int_equal(flow.statements, 2 * MANY);
    assert_int_equal(rows(house), MANY);
    assert_int_equal(house_number(house, "SELECT count(*) FROM attempt", 0), 0);
    assert_int_equal(pending(house, notification), 1); /* the first one */
    store_on_fresh(house->store, house_fresh, house);
    house_free_list(&flow.fresh);
}

/* ---- with its first outcome ---- */

static void test_it_is_shown_with_its_attempt_once_it_is_delivered(void **state)
{
    struct house *house = *state;
    struct published published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    int64_t id = only(&published)->id;

    json_t *shown = show(house, id); /* no row yet */
    assert_string_equal(member(shown, "State"), "DELIVERING");
    assert_string_equal(member(shown, "Attempts"), "0");
    assert_string_equal(member(shown, "EventType"), OPENED);
    assert_int_equal(json_array_size(json_object_get(shown, "AttemptList")), 0);
    json_decref(shown);

    assert_true(house_do(house, do_deliver, only(&published), NULL));
    shown = show(house, id);
    const json_t *attempt = json_array_get(json_object_get(shown, "AttemptList"), 0);
    assert_string_equal(member(shown, "State"), "DELIVERED");
    assert_string_equal(member(shown, "Attempts"), "1");
    assert_string_equal(member(attempt, "Number"), "1");
    assert_string_equal(member(attempt, "DurationMs"), "12.345");
    assert_string_equal(member(attempt, "Verdict"), "delivered");
    assert_non_null(member(json_object_get(attempt, "Request"), "Url"));
    const json_t *answer = json_object_get(attempt, "Response");
    assert_string_equal(member(answer, "Status"), "200");
    assert_string_equal(member(answer, "Headers"), "Server: x\n");
    assert_string_equal(member(answer, "Body"), "fine");
    json_decref(shown);
    assert_int_equal(pending(house, notification), 0);
    assert_null(show(house, id + 1));
    house_free_list(&published.fresh);
}

static bool do_deliver_second(struct job *job, struct db *db, void *with)
{
    struct attempt attempt = attempt_of(2, 200);
    (void)job;
    snprintf(attempt.detail, sizeof(attempt.detail), "at the second try");
    postback_record(db, with, &attempt, VERDICT_DELIVERED, 0);
    return true;
}

static void test_an_attempt_that_a_row_has_no_room_for_is_kept_too(void **state)
{
    /* A first attempt without a detail stands in the postback's row; any other in its own. */
    struct house *house = *state;
    struct published published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    int64_t id = only(&published)->id;
    assert_true(house_do(house, do_deliver_second, only(&published), NULL));
    assert_int_equal(state_of(house, id), POSTBACK_DELIVERED);
    json_t *shown = show(house, id);
    const json_t *attempt = json_array_get(json_object_get(shown, "AttemptList"), 0);
    assert_string_equal(member(shown, "Attempts"), "2");
    assert_string_equal(member(attempt, "Number"), "2");
    json_decref(shown);
    assert_int_equal(pending(house, notification), 0);
    house_free_list(&published.fresh);
}

static void test_a_failed_one_waits_with_its_attempt(void **state)
{
    struct house *house = *state;
    struct published published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    struct postback *postback = only(&published);
    assert_true(house_do(house, do_fail, postback, NULL));
    assert_int_equal(state_of(house, postback->id), POSTBACK_WAITING);
    assert_int_equal(
        house_number(house, "SELECT count(*) FROM attempt WHERE postback = ?", postback->id), 1);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", postback->id),
                     1800000000000);
    assert_int_equal(pending(house, notification), 1);
    house_free_list(&published.fresh);
}

static void test_a_parked_one_waits(void **state)
{
    struct house *house = *state;
    struct published published;
    house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    struct postback *postback = only(&published);
    assert_true(house_do(house, do_park, postback, NULL));
    assert_int_equal(state_of(house, postback->id), POSTBACK_WAITING);
    assert_int_equal(house_number(house, "SELECT due_at FROM postback WHERE id = ?", postback->id),
                     postback->due_at);
    house_free_list(&published.fresh);
}

/* ---- before it ---- */

static void test_what_an_account_does_meets_one_without_a_row(void **state)
{
    struct house *house = *state;
    struct published published;
    struct error error = { 0 };
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    struct postback *postback = only(&published);
    struct action retry = { retry_it, house->partner.account, postback->id };
    struct action cancel = { postback_cancel, house->partner.account, postback->id };
    struct action others = { postback_cancel, house->brand.account, postback->id };

    assert_false(house_do(house, do_action, &others, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    error = (struct error){ 0 };
    assert_false(house_do(house, do_action, &retry, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "is on its way"));
    assert_true(house_do(house, do_action, &cancel, NULL));
    assert_int_equal(state_of(house, postback->id), POSTBACK_CANCELLED);
    assert_int_equal(pending(house, notification), 0);
    assert_true(house_do(house, do_park, postback, NULL)); /* too late */
    assert_int_equal(state_of(house, postback->id), POSTBACK_CANCELLED);
    assert_true(house_do(house, do_deliver, postback, NULL)); /* it did arrive */
    assert_int_equal(state_of(house, postback->id), POSTBACK_DELIVERED);
    assert_int_equal(pending(house, notification), 0);
    assert_int_equal(house_number(house, "SELECT delivered FROM notification_count", 0), 1);
    house_free_list(&published.fresh);
}

static void test_deleting_its_notification_cancels_it(void **state)
{
    struct house *house = *state;
    struct published published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t other = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    struct postback *postback = container_of(list_first(&published.fresh), struct postback, in);
    assert_int_equal(postback->notification, notification);
    assert_true(house_do(house, do_cancel_all, &notification, NULL));
    assert_int_equal(state_of(house, postback->id), POSTBACK_CANCELLED);
    assert_int_equal(rows(house), 1);
    assert_int_equal(pending(house, notification), 0);
    assert_int_equal(pending(house, other), 1);
    assert_true(house_do(house, do_fail, postback, NULL));
    assert_int_equal(state_of(house, postback->id), POSTBACK_CANCELLED);
    house_free_list(&published.fresh);
}

/* ---- after a crash ---- */

static void test_a_start_finds_it_under_the_same_id(void **state)
{
    struct house *house = *state;
    struct published published;
    int64_t first = house_notify(house, house->partner.account, OPENED);
    int64_t busy = house_notify(house, house->partner.account, OPENED);
    int64_t third = house_notify(house, house->partner.account, OPENED);
    assert_true(house_do(house, do_route_off, &busy, NULL)); /* its lane is full */
    publish(house, &published);
    struct postback *one = container_of(published.fresh.next, struct postback, in);
    struct postback *two = container_of(published.fresh.prev, struct postback, in);
    assert_int_equal(list_length(&published.fresh), 2);
    assert_int_equal(one->notification, first);
    assert_int_equal(two->notification, third);
    assert_int_equal(rows(house), 1);
    assert_int_equal(
        house_number(house, "SELECT notification FROM postback WHERE id = ?", published.event + 2),
        busy);
    assert_true(house_do(house, do_deliver, one, NULL)); /* and no more than that */

    assert_int_equal(house_recover(house), 1);
    assert_int_equal(rows(house), 3);
    assert_int_equal(state_of(house, one->id), POSTBACK_DELIVERED);
    assert_int_equal(state_of(house, two->id), POSTBACK_WAITING);
    assert_int_equal(two->id, published.event + 3);
    assert_int_equal(house_number(house, "SELECT notification FROM postback WHERE id = ?", two->id),
                     third);
    assert_int_equal(house_number(house, "SELECT bucket FROM postback WHERE id = ?", two->id),
                     notification_bucket(third));
    assert_int_equal(house_number(house, "SELECT event FROM postback WHERE id = ?", two->id),
                     published.event);
    assert_int_equal(house_recover(house), 0);
    assert_int_equal(pending(house, third), 1);
    house_free_list(&published.fresh);
}

/* ---- what walks ---- */

static void test_retention_stops_at_the_floor(void **state)
{
    struct house *house = *state;
    struct published published;
    house_notify(house, house->partner.account, OPENED);
    house_recover(house); /* the engine's start */
    publish(house, &published);
    struct retention walk = { .before_ms = id_time_ms(published.event) + 1000000000000 };
    assert_true(house_do(house, do_retain, &walk, NULL));
    assert_int_equal(walk.events, 0);
    assert_true(walk.whole);
    assert_true(house_do(house, do_deliver, only(&published), NULL));
    int64_t floor = published.event + 2;
    assert_true(house_do(house, do_set_floor, &floor, NULL));
    assert_true(house_do(house, do_retain, &walk, NULL));
    assert_int_equal(walk.postbacks, 1);
    assert_int_equal(walk.attempts, 1);
    assert_int_equal(walk.events, 1);
    house_free_list(&published.fresh);
}

struct listing {
    int64_t account;
    json_t *page;
};

static bool do_list_inquiry(struct job *job, struct db *db, void *with)
{
    struct listing *listing = with;
    struct postback_filter filter = { .inquiry = INQUIRY, .state = -1 };
    int64_t next;
    (void)job;
    listing->page = postback_list(db, listing->account, &filter, &next);
    return true;
}

static void test_an_inquirys_list_has_it(void **state)
{
    struct house *house = *state;
    struct published published;
    struct listing listing = { .account = house->partner.account };
    house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    assert_true(house_do(house, do_list_inquiry, &listing, NULL));
    assert_int_equal(json_array_size(listing.page), 1);
    const json_t *shown = json_array_get(listing.page, 0);
    assert_string_equal(member(shown, "State"), "DELIVERING");
    json_decref(listing.page);
    listing.account = house->brand.account;
    assert_true(house_do(house, do_list_inquiry, &listing, NULL));
    assert_int_equal(json_array_size(listing.page), 0);
    json_decref(listing.page);
    house_free_list(&published.fresh);
}

static bool do_expire(struct job *job, struct db *db, void *with)
{
    (void)job;
    expiry_step(db, with, 1);
    return true;
}

static void test_it_is_given_up_at_its_age(void **state)
{
    struct house *house = *state;
    struct published published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &published);
    struct expiry expiry = { .before_ms = id_time_ms(published.event) + 1 };
    assert_true(house_do(house, do_expire, &expiry, NULL));
    assert_int_equal(state_of(house, only(&published)->id), POSTBACK_EXPIRED);
    assert_int_equal(pending(house, notification), 0);
    house_free_list(&published.fresh);
}

struct look {
    struct replay replay;
    struct replay_look look;
};

static bool do_look(struct job *job, struct db *db, void *with)
{
    struct look *look = with;
    (void)job;
    struct notification *to = notification_load(db, 0, look->replay.notification, 0);
    replay_look(db, &look->replay, to, &look->look);
    notification_unref(to);
    return true;
}

static void test_a_replay_waits_for_its_row(void **state)
{
    struct house *house = *state;
    struct published before, published;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    publish(house, &before);
    assert_true(house_do(house, do_deliver, only(&before), NULL));
    publish(house, &published);
    struct look look = { .replay = { .account = house->partner.account,
                                     .notification = notification,
                                     .source = notification,
                                     .until = INT64_MAX,
                                     .states = ~0u } };
    look.look = (struct replay_look){ .horizon = published.event, .rows = 100, .limit = 100 };
    assert_true(house_do(house, do_look, &look, NULL));
    assert_int_equal(look.look.count, 1);
    assert_true(look.look.wait);
    assert_false(look.look.end);
    assert_true(house_do(house, do_deliver, only(&published), NULL));
    look.look.horizon = INT64_MAX;
    assert_true(house_do(house, do_look, &look, NULL));
    assert_int_equal(look.look.count, 1); /* the one that came later */
    assert_true(look.look.end);
    house_free_list(&before.fresh);
    house_free_list(&published.fresh);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_event_that_arrives_at_once_takes_two_statements),
        TEST(test_it_is_shown_with_its_attempt_once_it_is_delivered),
        TEST(test_an_attempt_that_a_row_has_no_room_for_is_kept_too),
        TEST(test_a_failed_one_waits_with_its_attempt),
        TEST(test_a_parked_one_waits),
        TEST(test_what_an_account_does_meets_one_without_a_row),
        TEST(test_deleting_its_notification_cancels_it),
        TEST(test_a_start_finds_it_under_the_same_id),
        TEST(test_retention_stops_at_the_floor),
        TEST(test_an_inquirys_list_has_it),
        TEST(test_it_is_given_up_at_its_age),
        TEST(test_a_replay_waits_for_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
