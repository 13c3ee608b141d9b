/* fan_outs_test.c — an event for very many notifications: its postbacks come in steps, all of them,
 * in the order of events, over a restart and a full disk, and others do not wait for them.
 */
#include "postback_house.h"

#include "base/id.h"
#include "fault_vfs.h"
#include "store/fan_outs.h"
#include "store/retention.h"

#define OPENED "action_inquiry.opened"

enum { MANY = 3 * FAN_OUT_STEP + 100 };

struct crowd {
    struct house *house;
    int64_t account, first, last; /* its notifications, in a row */
};

static bool do_crowd(struct job *job, struct db *db, void *with)
{
    struct crowd *crowd = with;
    for (int i = 0; i < MANY; i++) {
        struct new_notification new = { .account = crowd->account, .types = OPENED };
        house_add_notification(job, db, &new);
        crowd->first = i == 0 ? new.id : crowd->first;
        crowd->last = new.id;
    }
    return true;
}

static int setup(void **state)
{
    struct crowd *crowd = must_alloc(sizeof(*crowd));
    void *house = NULL;
    if (house_setup(&house) != 0)
        return -1;
    *state = crowd;
    crowd->house = house;
    crowd->account = crowd->house->partner.account;
    if (!house_do(crowd->house, do_crowd, crowd, NULL))
        return -1;
    store_fan_out(crowd->house->store, true);
    return 0;
}

static int teardown(void **state)
{
    struct crowd *crowd = *state;
    void *house = crowd->house;
    free(crowd);
    return house_teardown(&house);
}

/* ---- writing as the server does, and looking on ---- */

struct write {
    struct job job;
    struct crowd *crowd;
    int events;
    int64_t account;
    const char *type;
    bool fails;
    int64_t *event; /* of the last one */
    bool *ok;
    struct write *then[2]; /* given when it is done */
};

static int64_t rows(struct crowd *crowd)
{
    return house_number(crowd->house, "SELECT count(*) FROM postback", 0);
}

static int64_t unfinished(struct crowd *crowd)
{
    return house_number(crowd->house, "SELECT count(*) FROM fan_out", 0);
}

static bool write_run(struct job *job, struct db *db)
{
    struct write *write = (struct write *)job;
    struct published published = { .account = write->account, .type = write->type };
    for (int i = 0; i < write->events; i++) {
        const char data[] = "{\"CustomerId\":\"c-1\"}";
        struct event *event = event_new(write->account, catalog_type(write->type), db_now(db), 0,
                                        data, sizeof(data) - 1);
        event_publish(job, db, event);
        published.event = event->id;
        event_unref(event);
    }
    if (write->event != NULL)
        *write->event = published.event;
    if (write->fails)
        error_set(&job->error, ERROR_CONFLICT, "changed its mind");
    return !write->fails;
}

static void write_done(struct job *job, bool ok)
{
    struct write *write = (struct write *)job;
    if (write->ok != NULL)
        *write->ok = ok;
    for (int i = 0; i < 2; i++) {
        if (write->then[i] != NULL)
            store_write(write->crowd->house->store, &write->then[i]->job);
    }
    free(write);
}

static struct write *write_new(struct crowd *crowd, int64_t account, int events)
{
    struct write *write = must_alloc(sizeof(*write));
    *write = (struct write){ .job = { .run = write_run, .done = write_done, .account = account },
                             .crowd = crowd,
                             .account = account,
                             .type = OPENED,
                             .events = events };
    return write;
}

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Turns the loop until nothing is left to fan out and so many postbacks were handed over; false: it
 * takes too long. */
static bool await_fresh(struct crowd *crowd, size_t fresh)
{
    uv_timer_t ticks;
    int turns = 0;
    uv_timer_init(&crowd->house->loop, &ticks);
    uv_timer_start(&ticks, tick, 5, 5);
    while (store_writes_waiting(crowd->house->store) > 0 || unfinished(crowd) > 0 ||
           crowd->house->fresh < fresh) {
        uv_run(&crowd->house->loop, UV_RUN_ONCE);
        if (++turns == 4000)
            break;
    }
    uv_close((uv_handle_t *)&ticks, NULL);
    uv_run(&crowd->house->loop, UV_RUN_NOWAIT);
    house_recover(crowd->house);
    return turns < 4000;
}

static bool await_all(struct crowd *crowd)
{
    return await_fresh(crowd, 0);
}

static void expect_each_once(struct crowd *crowd, int64_t event)
{
    assert_int_equal(house_number(crowd->house,
                                  "SELECT count(DISTINCT notification) FROM postback "
                                  "WHERE event = ?",
                                  event),
                     MANY);
    assert_int_equal(
        house_number(crowd->house, "SELECT count(*) FROM postback WHERE event = ?", event), MANY);
}

/* No notification has a later event's postback before an earlier one's. */
static void expect_order(struct crowd *crowd)
{
    assert_int_equal(house_number(crowd->house,
                                  "SELECT count(*) FROM postback a JOIN postback b "
                                  "ON b.notification = a.notification AND b.id > a.id "
                                  "AND b.event < a.event",
                                  0),
                     0);
}

/* ---- the tests ---- */

static void test_the_answer_comes_with_the_event_and_the_rest_in_steps(void **state)
{
    struct crowd *crowd = *state;
    int64_t event = 0;
    bool ok = false;
    struct write *write = write_new(crowd, crowd->account, 1);
    write->event = &event;
    write->ok = &ok;
    store_write(crowd->house->store, &write->job);
    assert_true(await_fresh(crowd, MANY));
    assert_true(ok);
    expect_each_once(crowd, event);
    assert_int_equal(crowd->house->fresh, MANY);
    assert_int_equal(house_number(crowd->house, "SELECT sum(pending) FROM notification_count", 0),
                     MANY);
    assert_int_equal(
        house_number(crowd->house, "SELECT count(*) FROM postback WHERE resent IS NOT NULL", 0),
        MANY - FAN_OUT_STEP); /* where an inquiry's are looked for */
}

static void test_later_events_do_not_overtake(void **state)
{
    struct crowd *crowd = *state;
    int64_t last = 0;
    store_write(crowd->house->store, &write_new(crowd, crowd->account, 3)->job);
    /* For the same account, by somebody else: it need not wait, its postbacks do. */
    struct write *other = write_new(crowd, crowd->house->brand.account, 2);
    other->account = crowd->account;
    other->event = &last;
    store_write(crowd->house->store, &other->job);
    store_write(crowd->house->store, &write_new(crowd, crowd->account, 1)->job);
    assert_true(await_all(crowd));
    assert_int_equal(rows(crowd), 6 * MANY);
    expect_each_once(crowd, last);
    expect_order(crowd);
}

/* How many of the crowd's postbacks were written before the first one of that event. */
static int64_t written_before(struct crowd *crowd, int64_t event)
{
    int64_t first =
        house_number(crowd->house, "SELECT min(id) FROM postback WHERE event = ?", event);
    return house_number(crowd->house, "SELECT count(*) FROM postback WHERE id < ?", first);
}

static void test_the_account_s_next_job_waits_and_others_do_not(void **state)
{
    struct crowd *crowd = *state;
    int64_t others = 0, own = 0;
    house_notify(crowd->house, crowd->house->brand.account, OPENED);
    struct write *first = write_new(crowd, crowd->account, 20);
    first->then[0] = write_new(crowd, crowd->account, 1);
    first->then[0]->event = &own;
    first->then[1] = write_new(crowd, crowd->house->brand.account, 1);
    first->then[1]->event = &others;
    store_write(crowd->house->store, &first->job);
    assert_true(await_all(crowd));
    assert_true(written_before(crowd, others) < 10 * MANY);
    assert_true(written_before(crowd, own) >= 20 * MANY);
}

static void test_what_is_refused_leaves_nothing(void **state)
{
    struct crowd *crowd = *state;
    bool ok = true;
    struct write *write = write_new(crowd, crowd->account, 2);
    write->fails = true;
    write->ok = &ok;
    store_write(crowd->house->store, &write->job);
    assert_true(await_all(crowd));
    assert_false(ok);
    assert_int_equal(rows(crowd), 0);
    store_write(crowd->house->store, &write_new(crowd, crowd->account, 1)->job);
    assert_true(await_all(crowd));
    assert_int_equal(rows(crowd), MANY);
}

static bool do_change(struct job *job, struct db *db, void *with)
{
    struct crowd *crowd = with;
    struct new_notification late = { .account = crowd->account, .types = OPENED };
    house_add_notification(job, db, &late);
    notification_delete(db, crowd->account, crowd->last);
    return true;
}

/* As a crash leaves it: an event with no step taken.  The writer does not know of it. */
static bool do_leave(struct job *job, struct db *db, void *with)
{
    static const char *const texts[] = {
        "INSERT INTO event (id, account, type, occurred_at, data) VALUES (?, ?, ?, 0, '{}')",
        "INSERT INTO fan_out (event, account, after, last, left_out) VALUES (?, ?, 0, ?, 0)",
    };
    struct crowd *crowd = with;
    int64_t event = db_new_id(db);
    (void)job;
    for (int i = 0; i < 2; i++) {
        struct stmt *add = db_prepare(db, texts[i]);
        db_bind_int(add, 1, event);
        db_bind_int(add, 2, crowd->account);
        db_bind_int(add, 3, i == 0 ? catalog_type(OPENED)->number : crowd->last);
        db_run(db, add);
    }
    return true;
}

static bool do_retain(struct job *job, struct db *db, void *with)
{
    struct retention retention = { .before_ms = db_now(db) + 86400000 };
    (void)job;
    (void)with;
    house_all_have_rows(db);
    retention_step(db, &retention, 1000);
    return true;
}

static void test_retention_leaves_an_event_that_is_to_fan_out(void **state)
{
    struct crowd *crowd = *state;
    struct published published;
    house_publish(crowd->house, crowd->house->brand.account, OPENED, 0, &published);
    assert_true(house_do(crowd->house, do_leave, crowd, NULL));
    assert_true(house_do(crowd->house, do_retain, NULL, NULL));
    assert_int_equal(house_number(crowd->house, "SELECT count(*) FROM event", 0), 1);
    assert_int_equal(
        house_number(crowd->house, "SELECT count(*) FROM event WHERE account = ?", crowd->account),
        1);
}

static bool do_fill(struct job *job, struct db *db, void *with)
{
    struct crowd *crowd = with;
    (void)job;
    for (int i = 0; i < FAN_OUTS_MOST; i++) {
        assert_false(events_wait(db, crowd->account));
        fan_out_add(db, &(struct fan_out){ .event = i + 1, .account = crowd->account });
    }
    assert_true(events_wait(db, crowd->account));
    assert_false(events_wait(db, crowd->house->brand.account));
    error_set(&job->error, ERROR_CONFLICT, "undone");
    return false;
}

static void test_an_account_with_many_to_fan_out_should_get_no_more(void **state)
{
    struct crowd *crowd = *state;
    assert_false(house_do(crowd->house, do_fill, crowd, NULL));
    assert_int_equal(unfinished(crowd), 0);
}

static bool refuse_run(struct job *job, struct db *db)
{
    (void)db;
    error_set(&job->error, ERROR_UNAVAILABLE, "not now");
    return false;
}

static void test_a_sure_job_may_refuse_before_it_writes(void **state)
{
    struct crowd *crowd = *state;
    struct job job = { .run = refuse_run, .sure = true };
    assert_false(store_run_now(crowd->house->store, &job));
    assert_string_equal(job.error.message, "not now");
}

static void test_a_start_goes_on(void **state)
{
    struct crowd *crowd = *state;
    assert_true(house_do(crowd->house, do_leave, crowd, NULL));
    /* One that came later gets none, and none comes for one that is gone. */
    assert_true(house_do(crowd->house, do_change, crowd, NULL));
    store_close(crowd->house->store);
    assert_true(house_open(crowd->house));
    store_fan_out(crowd->house->store, true);
    assert_true(await_all(crowd));
    assert_int_equal(rows(crowd), MANY - 1);
    assert_int_equal(house_number(crowd->house,
                                  "SELECT count(*) FROM postback WHERE notification > ?",
                                  crowd->last - 1),
                     0);
}

static void test_a_full_disk_only_holds_it_up(void **state)
{
    struct crowd *crowd = *state;
    bool ok = true;
    if (!house_is_a_file(crowd->house))
        skip();
    assert_true(house_do(crowd->house, do_leave, crowd, NULL));
    atomic_store(&fault.full, true);
    struct write *write = write_new(crowd, crowd->account, 1);
    write->ok = &ok;
    store_write(crowd->house->store, &write->job); /* undone: it looks at the table */
    while (store_writes_waiting(crowd->house->store) > 0)
        uv_run(&crowd->house->loop, UV_RUN_ONCE);
    assert_false(ok);
    assert_int_equal(rows(crowd), 0);
    atomic_store(&fault.full, false);
    assert_true(await_all(crowd)); /* the probe finds that there is room again */
    assert_int_equal(rows(crowd), MANY);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_answer_comes_with_the_event_and_the_rest_in_steps),
        TEST(test_later_events_do_not_overtake),
        TEST(test_the_account_s_next_job_waits_and_others_do_not),
        TEST(test_what_is_refused_leaves_nothing),
        TEST(test_retention_leaves_an_event_that_is_to_fan_out),
        TEST(test_an_account_with_many_to_fan_out_should_get_no_more),
        TEST(test_a_sure_job_may_refuse_before_it_writes),
        TEST(test_a_start_goes_on),
        TEST(test_a_full_disk_only_holds_it_up),
    };
    fault_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
