/* engine_test.c — the whole engine between a store and a receiver: what is sent when, what is
 * recorded of it, who is told, and what a failing store or a pause holds up. */
#include "engine_house.h"

#include "engine/engine.h"
#include "engine/marks.h"
#include "engine/recorder.h"
#include "engine/tester.h"
#include "engine/waits.h"
#include "receiver.h"
#include "store/maintenance.h"

static _Atomic int answer; /* what the receiver answers */
static atomic_bool hangs;  /* it reads and says nothing */

struct town {
    struct engine_house *house_of; /* its clock; its work is not used: the engine has its own */
    struct house *house;
    struct receiver *receiver;
    struct engine *engine;
    uv_timer_t ticks; /* the engine's timers alone do not keep the loop going */
    int64_t account, notification;
};

static void answer_them(struct peer *peer)
{
    while (peer_request(peer)) {
        char text[80];
        if (atomic_load(&hangs)) {
            peer_wait_for_close(peer);
            return;
        }
        snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nOK",
                 atomic_load(&answer));
        if (!peer_say(peer, text))
            return;
    }
}

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

static void turn(struct town *town)
{
    uv_run(&town->house->loop, UV_RUN_NOWAIT);
}

/* The loop turns until it is so. */
#define AWAIT(town, condition) UNTIL((turn(town), (condition)))

static const char *const loopback[] = { "127.0.0.0/8" };

static void start(struct town *town)
{
    struct error error = { 0 };
    struct engine_config config = { .loop = &town->house->loop,
                                    .store = town->house->store,
                                    .lateness = { 15 * MINUTE_MS, HOUR_MS } };
    config.courier.client.allow_egress = loopback;
    config.courier.client.allow_egress_count = 1;
    town->engine = engine_new(&config, &error);
    if (town->engine == NULL)
        fail_msg("%s", error.message);
}

static void stop(struct town *town)
{
    engine_stop(town->engine, 0);
    engine_free(town->engine);
    town->engine = NULL;
    turn(town);
}

struct subscribing {
    const struct town *town;
    bool ordered;
    int64_t id;
};

static bool do_subscribe(struct job *job, struct db *db, void *with)
{
    struct subscribing *new = with;
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", new->town->receiver->port);
    json_t *from = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "Category", "Action Inquiry Events",
                             "Method", "POST", "BodyFormat", "JSON", "Url", url, "EventTypes",
                             OPENED, "Ordered", new->ordered ? "true" : "false");
    (void)job;
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    assert_int_equal(problems.count, 0);
    notification->account = new->town->account;
    notification_add(db, notification);
    new->id = notification->id;
    notification_unref(notification);
    json_decref(from);
    return true;
}

static int64_t subscribe(struct town *town, bool ordered)
{
    struct subscribing new = { .town = town, .ordered = ordered };
    assert_true(house_do(town->house, do_subscribe, &new, NULL));
    return new.id;
}

static int setup(void **state)
{
    void *house_of = NULL;
    if (engine_house_setup(&house_of) != 0)
        return -1;
    struct town *town = must_alloc(sizeof(*town));
    town->house_of = house_of;
    town->house = town->house_of->house;
    town->account = town->house->partner.account;
    atomic_store(&answer, 200);
    atomic_store(&hangs, false);
    town->receiver = receiver_start(answer_them, NULL);
    uv_timer_init(&town->house->loop, &town->ticks);
    uv_timer_start(&town->ticks, tick, 1, 1);
    town->notification = subscribe(town, false);
    start(town);
    *state = town;
    return 0;
}

static int teardown(void **state)
{
    struct town *town = *state;
    void *house_of = town->house_of;
    uv_close((uv_handle_t *)&town->ticks, NULL);
    if (town->engine != NULL)
        stop(town);
    turn(town);
    receiver_stop(town->receiver);
    free(town);
    return engine_house_teardown(&house_of);
}

static void pass_time(struct town *town, int64_t ms)
{
    town->house_of->time.wall_ms += ms;
    town->house_of->time.steady_us += ms * 1000;
}

static bool do_publish(struct job *job, struct db *db, void *with)
{
    struct town *town = with;
    struct published published = { .account = town->account, .type = OPENED };
    return house_publish_run(job, db, &published);
}

static void publish(struct town *town, int times)
{
    for (int i = 0; i < times; i++)
        assert_true(house_do(town->house, do_publish, town, NULL));
}

static int requests(struct town *town)
{
    return atomic_load(&town->receiver->requests);
}

static int64_t count(struct town *town, const char *sql)
{
    return house_number(town->house, sql, 0);
}

#define DELIVERED "SELECT count(*) FROM postback WHERE state = 2"
#define WAITING   "SELECT count(*) FROM postback WHERE state = 1"

/* ---- sent and recorded ---- */

static void test_an_event_is_sent_recorded_and_counted(void **state)
{
    struct town *town = *state;
    struct engine_figures before, after;
    struct under_way minute;
    engine_figures(town->engine, &before);
    struct marks_seen seen = { 0 };
    marks_see(engine_marks(town->engine), &seen);
    assert_false(marks_changed(engine_marks(town->engine), town->account, &seen, 0));
    publish(town, 3);
    AWAIT(town, count(town, DELIVERED) == 3);
    assert_int_equal(requests(town), 3);
    assert_int_equal(count(town, "SELECT sum(attempts) FROM postback"), 3);
    AWAIT(town, (engine_figures(town->engine, &after), after.in_memory == 0));
    assert_int_equal(after.delivered - before.delivered, 3); /* who observes attempts was told */
    recorder_under_way(engine_services(town->engine)->recorder, town->account, 0, &minute);
    assert_int_equal(minute.open.sample.delivered, 3);
    assert_true(marks_changed(engine_marks(town->engine), town->account, &seen, 0));
    assert_int_equal(after.recording, 0);
}

static void test_what_fails_is_sent_again_when_its_time_has_come(void **state)
{
    struct town *town = *state;
    struct engine_figures figures;
    atomic_store(&answer, 500);
    publish(town, 1);
    AWAIT(town,
          count(town, WAITING) == 1 && count(town, "SELECT max(attempts) FROM postback") == 1);
    pass_time(town, 3 * SECOND_MS);
    AWAIT(town, (engine_figures(town->engine, &figures), figures.in_memory == 0));
    assert_int_equal(requests(town), 1);
    atomic_store(&answer, 200);
    pass_time(town, 4 * SECOND_MS); /* 5 s, and a fifth more or less */
    AWAIT(town, count(town, DELIVERED) == 1);
    assert_int_equal(requests(town), 2);
    assert_int_equal(count(town, "SELECT max(attempts) FROM postback"), 2);
}

static void test_an_order_is_kept_over_a_failure(void **state)
{
    struct town *town = *state;
    int64_t ordered = subscribe(town, true);
    house_number(town->house, "UPDATE notification SET state = 1 WHERE id = ? RETURNING 1",
                 town->notification);
    stop(town);
    start(town); /* it takes the other one to be paused */
    atomic_store(&answer, 500);
    publish(town, 4);
    AWAIT(town, requests(town) == 1);
    AWAIT(town, count(town, "SELECT max(attempts) FROM postback") == 1);
    assert_int_equal(requests(town), 1); /* the others wait behind it */
    atomic_store(&answer, 200);
    pass_time(town, 7 * SECOND_MS);
    AWAIT(town, house_number(town->house,
                             "SELECT count(*) FROM postback WHERE state = 2 AND notification = ?",
                             ordered) == 4);
    assert_int_equal(requests(town), 5);
}

/* ---- held up ---- */

/* A call's job: it comes back by the loop, as the news of the store's health do. */
struct call_job {
    struct job job;
    struct town *town;
    bool done, written;
};

static bool call_run(struct job *job, struct db *db)
{
    return do_publish(job, db, ((struct call_job *)job)->town);
}

static void call_done(struct job *job, bool ok)
{
    struct call_job *call = (struct call_job *)job;
    call->done = true;
    call->written = ok;
}

static bool is_written(struct town *town)
{
    struct call_job call = { .job = { .run = call_run, .done = call_done }, .town = town };
    store_write(town->house->store, &call.job);
    AWAIT(town, call.done);
    return call.written;
}

static void test_what_cannot_be_recorded_is_not_sent_any_more(void **state)
{
    struct town *town = *state;
    struct wait_facts facts = { 0 };
    publish(town, 1);
    AWAIT(town, count(town, DELIVERED) == 1);
    disk_full(true);
    assert_false(is_written(town));
    AWAIT(town, (waits_look(engine_services(town->engine)->waits, town->notification, &facts),
                 facts.store));
    disk_full(false);
    AWAIT(town, (waits_look(engine_services(town->engine)->waits, town->notification, &facts),
                 !facts.store));
    publish(town, 1);
    AWAIT(town, count(town, DELIVERED) == 2);
    assert_int_equal(requests(town), 2);
}

static bool do_pause(struct job *job, struct db *db, void *with)
{
    struct maintenance pause = { .start_at = db_now(db),
                                 .expected_end_at = INT64_MIN,
                                 .started_at = INT64_MIN,
                                 .ended_at = INT64_MIN,
                                 .message = must_copy("") };
    (void)with;
    bool done = maintenance_add(job, db, &pause);
    maintenance_clear(&pause);
    return done;
}

static bool do_end_pause(struct job *job, struct db *db, void *with)
{
    struct maintenance ended = { 0 };
    (void)with;
    bool done = maintenance_end(job, db, &ended);
    maintenance_clear(&ended);
    return done;
}

static void test_while_the_operator_pauses_nothing_is_sent(void **state)
{
    struct town *town = *state;
    struct wait_facts facts = { 0 };
    assert_true(house_do(town->house, do_pause, NULL, NULL));
    AWAIT(town, (waits_look(engine_services(town->engine)->waits, town->notification, &facts),
                 facts.maintenance));
    publish(town, 3);
    for (int turns = 0; turns < 50; turns++)
        turn(town);
    assert_int_equal(requests(town), 0);
    assert_true(facts.maintenance_since > 0);
    assert_true(house_do(town->house, do_end_pause, NULL, NULL));
    AWAIT(town, count(town, DELIVERED) == 3);
    waits_look(engine_services(town->engine)->waits, town->notification, &facts);
    assert_false(facts.maintenance);
}

static void test_a_receiver_that_is_down_is_told_as_such(void **state)
{
    struct town *town = *state;
    struct engine_figures figures;
    struct wait_facts facts = { 0 };
    atomic_store(&answer, 503);
    publish(town, 12);
    AWAIT(town, (engine_figures(town->engine, &figures), figures.lanes_down == 1));
    waits_look(engine_services(town->engine)->waits, town->notification, &facts);
    assert_true(facts.down);
    assert_in_range(facts.down_since, 1, clock_wall_ms());
    assert_true(facts.probe_at >= facts.down_since);
    assert_false(facts.maintenance || facts.store);
}

/* ---- a test ---- */

struct trial {
    struct town *town;
    bool answered;
    enum verdict verdict;
    int status;
    json_t *request;
};

static void tried(void *context, const struct attempt *attempt, enum verdict verdict,
                  json_t *request)
{
    struct trial *trial = context;
    trial->answered = true;
    trial->verdict = verdict;
    trial->status = attempt->status;
    trial->request = request;
}

static bool do_load(struct job *job, struct db *db, void *with)
{
    struct notification **out = with;
    (void)job;
    *out = notification_load(db, 0, (*out)->id, 0);
    return *out != NULL;
}

static void try_once(struct town *town, struct trial *trial)
{
    struct notification named = { .id = town->notification }, *notification = &named;
    assert_true(house_do(town->house, do_load, &notification, NULL));
    struct event *event =
        event_new(town->account, catalog_type(OPENED), clock_wall_ms(), 0, "{}", 2);
    *trial = (struct trial){ .town = town };
    tester_send(engine_services(town->engine)->tester, notification, event, tried, trial);
    notification_unref(notification);
    event_unref(event);
}

static void test_a_test_goes_to_who_asked_and_leaves_no_trace(void **state)
{
    struct town *town = *state;
    struct engine_figures before, after;
    struct trial trial;
    engine_figures(town->engine, &before);
    atomic_store(&answer, 418);
    try_once(town, &trial);
    AWAIT(town, trial.answered);
    assert_int_equal(trial.status, 418);
    assert_int_equal(trial.verdict, VERDICT_FAILED);
    assert_non_null(json_object_get(trial.request, "Url"));
    json_decref(trial.request);
    engine_figures(town->engine, &after);
    assert_int_equal(after.failed, before.failed); /* it counts for nothing */
    assert_int_equal(count(town, "SELECT count(*) FROM postback"), 0);
}

static void test_a_test_under_way_is_answered_when_it_stops(void **state)
{
    struct town *town = *state;
    struct trial trial;
    atomic_store(&hangs, true);
    try_once(town, &trial);
    AWAIT(town, requests(town) == 1);
    stop(town);
    assert_true(trial.answered);
    assert_int_not_equal(trial.verdict, VERDICT_DELIVERED);
    json_decref(trial.request);
}

/* ---- a stop ---- */

static void test_a_stop_waits_for_what_is_in_flight_and_records_it(void **state)
{
    struct town *town = *state;
    publish(town, 20);
    AWAIT(town, requests(town) > 0);
    engine_stop(town->engine, 20000);
    engine_free(town->engine);
    town->engine = NULL;
    assert_true(count(town, DELIVERED) >= requests(town));
    int sent = requests(town);
    start(town); /* what was left is sent, and nothing again */
    AWAIT(town, count(town, DELIVERED) == 20);
    assert_int_equal(requests(town), 20);
    assert_true(sent <= 20);
}

static void test_what_hangs_at_a_stop_is_sent_again_under_its_id(void **state)
{
    struct town *town = *state;
    atomic_store(&hangs, true);
    publish(town, 3);
    AWAIT(town, requests(town) == 3);
    stop(town);
    atomic_store(&hangs, false);
    start(town);
    AWAIT(town, count(town, DELIVERED) == 3);
    assert_int_equal(requests(town), 6);
    assert_int_equal(count(town, "SELECT count(*) FROM postback"), 3);
}

/* ---- what it is told from outside ---- */

static void test_ages_are_passed_on(void **state)
{
    struct town *town = *state;
    atomic_store(&answer, 500);
    publish(town, 1);
    AWAIT(town, count(town, "SELECT max(attempts) FROM postback") == 1);
    engine_give_up(town->engine, HOUR_MS);
    pass_time(town, HOUR_MS + 2 * SECOND_MS);
    AWAIT(town, count(town, "SELECT count(*) FROM postback WHERE state = 4") == 1);
    engine_keep(town->engine, HOUR_MS);
    pass_time(town, HOUR_MS + 2 * SECOND_MS);
    AWAIT(town, count(town, "SELECT count(*) FROM postback") == 0);
}

#define TOWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOWN(test_an_event_is_sent_recorded_and_counted),
        TOWN(test_what_fails_is_sent_again_when_its_time_has_come),
        TOWN(test_an_order_is_kept_over_a_failure),
        TOWN(test_what_cannot_be_recorded_is_not_sent_any_more),
        TOWN(test_while_the_operator_pauses_nothing_is_sent),
        TOWN(test_a_receiver_that_is_down_is_told_as_such),
        TOWN(test_a_test_goes_to_who_asked_and_leaves_no_trace),
        TOWN(test_a_test_under_way_is_answered_when_it_stops),
        TOWN(test_a_stop_waits_for_what_is_in_flight_and_records_it),
        TOWN(test_what_hangs_at_a_stop_is_sent_again_under_its_id),
        TOWN(test_ages_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
