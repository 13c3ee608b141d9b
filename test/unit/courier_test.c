/* courier_test.c — lanes over the real client, to a receiver on the same loop. */
#include "deliveries.h"

/* ---- what the receivers of these tests do ---- */

static struct reply by_path(struct world *world, const char *path, int64_t postback)
{
    (void)world;
    (void)postback;
    if (strcmp(path, "/hang") == 0)
        return (struct reply){ 0, NEVER };
    if (strcmp(path, "/late") == 0)
        return (struct reply){ 200, 20 };
    if (strcmp(path, "/busy") == 0)
        return (struct reply){ 503, 0 };
    if (strcmp(path, "/gone") == 0)
        return (struct reply){ 410, 0 };
    return (struct reply){ 200, 0 };
}

/* The first request of each postback fails. */
static struct reply second_time(struct world *world, const char *path, int64_t postback)
{
    int times = 0;
    (void)path;
    for (int i = 0; i < world->arrived; i++)
        times += world->arrivals[i] == postback;
    return (struct reply){ times > 1 ? 200 : 500, 1 };
}

static void retry_in_order(struct world *world, struct postback *postback)
{
    struct list queued, *node;
    list_init(&queued);
    list_append(&queued, &postback->in);
    courier_recall(world->courier, postback->notification, &queued);
    while ((node = list_first(&queued)) != NULL) {
        list_remove(node);
        assert_true(courier_push(world->courier, container_of(node, struct postback, in)));
    }
}

static int attempts_of(const struct world *world, int64_t notification)
{
    int count = 0;
    for (int i = 0; i < world->attempted; i++)
        count += world->attempts[i].notification == notification;
    return count;
}

static void free_list(struct list *list)
{
    struct list *node;
    while ((node = list_first(list)) != NULL) {
        list_remove(node);
        postback_end(container_of(node, struct postback, in));
    }
}

/* ---- delivery ---- */

static void test_postbacks_arrive_and_their_attempts_are_told(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    int64_t before = clock_wall_ms();
    set(world, 7, "/ok", "");
    assert_int_equal(push(world, 7, 100, 5), 5);
    assert_int_equal(world->arrived, 0);
    AWAIT(world, world->attempted == 5);
    assert_int_equal(world->delivered, 5);
    for (int i = 0; i < 5; i++) {
        const struct attempt_seen *attempt = &world->attempts[i];
        assert_in_range(world->arrivals[i], 100, 104);
        assert_int_equal(attempt->notification, 7);
        assert_int_equal(attempt->status, 200);
        assert_int_equal(attempt->number, 1);
        assert_in_range(attempt->started_at, before, clock_wall_ms());
    }
    assert_int_equal(courier_in_flight(world->courier), 0);
    assert_int_equal(world->downs + world->ups, 0);
    assert_int_equal(world_free(world), 0);
}

static void test_no_lane_takes_none(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    assert_false(courier_has(world->courier, 7));
    assert_int_equal(courier_room(world->courier, 7), 0);
    assert_int_equal(push(world, 7, 1, 1), 0);
    set(world, 7, "/ok", "");
    assert_true(courier_has(world->courier, 7));
    assert_int_equal(courier_room(world->courier, 7), LANE_HIGH_WATER);
    assert_int_equal(push(world, 7, 1, 1000), LANE_HIGH_WATER);
    assert_int_equal(courier_room(world->courier, 7), 0);
    AWAIT(world, world->delivered == LANE_HIGH_WATER);
    assert_int_equal(world_free(world), 0);
}

static void test_the_window_grows_while_a_receiver_is_well(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    set(world, 7, "/late", "");
    world->stock_of = 7;
    world->stock_next = 1;
    world->stock = 600; /* more than a lane takes: the rest comes as it gets hungry */
    hungry(world, 7);
    assert_int_equal(world->stock, 600 - LANE_HIGH_WATER);
    AWAIT(world, world->seen[0].requests >= 8);
    assert_int_equal(world->seen[0].most, 8);
    AWAIT(world, world->delivered == 600);
    assert_in_range(world->seen[0].most, 20, LANE_WINDOW_MOST);
    assert_in_range(world->hungers, 2, 20);
    assert_int_equal(world_free(world), 0);
}

static void test_maximum_concurrent_requests(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    set(world, 7, "/late", "\"MaximumConcurrentRequests\":3");
    push(world, 7, 1, 30);
    AWAIT(world, world->delivered == 30);
    assert_int_equal(world->seen[0].most, 3);
    assert_int_equal(world_free(world), 0);
}

static void test_maximum_requests_hold_in_any_second(void **state)
{
    (void)state;
    enum { RATE = 40, COUNT = 60 };
    struct world *world = world_new((struct courier_config){ 0 });
    set(world, 7, "/ok", "\"MaximumRequests\":40");
    assert_int_equal(push(world, 7, 1, COUNT), COUNT);
    AWAIT(world, world->delivered == COUNT);
    for (int i = RATE; i < COUNT; i++) { /* times are of the wall clock, cut to ms */
        int64_t span = world->attempts[i].started_at - world->attempts[i - RATE].started_at;
        if (span < 990)
            fail_msg("%d requests within %lld ms", RATE + 1, (long long)span);
    }
    assert_int_equal(world_free(world), 0);
}

/* As they arrived, from the first-th on; a twentieth is allowed for the way. */
static void expect_pace(const struct world *world, int first, int most)
{
    for (int i = first + most; i < world->arrived; i++) {
        int64_t span = world->arrived_at[i] - world->arrived_at[i - most];
        if (span < 950)
            fail_msg("%d requests within %lld ms", most + 1, (long long)span);
    }
}

static void pass_time(struct world *world, int64_t ms)
{
    int64_t until = clock_steady_ms() + ms;
    AWAIT(world, clock_steady_ms() >= until);
}

static void test_maximum_requests_after_holds(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    set(world, 7, "/ok", "\"MaximumRequests\":10");
    push(world, 7, 1, 100);
    for (int round = 0; round < 4; round++) {
        int before = world->arrived;
        AWAIT(world, world->arrived == before + 4);
        courier_hold_all(world->courier, true);
        pass_time(world, round < 3 ? 10 : 1500);
        courier_hold_all(world->courier, false);
    }
    int before = world->arrived;
    AWAIT(world, world->arrived == before + 15);
    expect_pace(world, 0, 10);
    world_free(world);
}

static void test_maximum_requests_changed(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    set(world, 7, "/ok", "");
    push(world, 7, 1, 20);
    AWAIT(world, world->arrived == 20);
    set(world, 7, "/ok", "\"MaximumRequests\":20");
    push(world, 7, 100, 100);
    AWAIT(world, world->arrived == 45);
    expect_pace(world, 20, 20);
    set(world, 7, "/ok", "\"MaximumRequests\":4"); /* nothing is under way any more */
    AWAIT(world, world->arrived == 51);
    expect_pace(world, 45, 4);
    for (int i = 0; i < 20; i++) { /* an edit gives nothing away */
        set(world, 7, "/ok", i % 2 == 0 ? "\"MaximumRequests\":20" : "\"MaximumRequests\":4");
        pass_time(world, 1);
    }
    set(world, 7, "/ok", "\"MaximumRequests\":20");
    AWAIT(world, world->arrived == 80);
    expect_pace(world, 20, 20);
    world_free(world);
}

static struct reply half_fail(struct world *world, const char *path, int64_t postback)
{
    (void)path;
    (void)postback;
    return (struct reply){ world->arrived % 2 == 0 ? 200 : 500, 30 };
}

static void retry_at_once(struct world *world, struct postback *postback)
{
    assert_true(courier_push(world->courier, postback));
}

static void test_maximum_requests_with_retries_and_few_at_once(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = half_fail;
    world->failed = retry_at_once;
    set(world, 7, "/ok", "\"MaximumRequests\":12,\"MaximumConcurrentRequests\":2");
    push(world, 7, 1, 15);
    AWAIT(world, world->delivered == 15);
    assert_in_range(world->arrived, 29, 31);
    assert_in_range(world->seen[0].most, 1, 2);
    expect_pace(world, 0, 12);
    world_free(world);
}

/* Every other postback's first request is read, and the connection then closed. */
static struct reply closes_on_even(struct world *world, const char *path, int64_t postback)
{
    struct reply reply = second_time(world, path, postback);
    if (postback % 2 == 1)
        reply.status = 200;
    else if (reply.status == 500)
        reply.status = CLOSES;
    return reply;
}

static void test_what_is_sent_once_more_counts_by_maximum_requests(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = closes_on_even;
    set(world, 7, "/ok", "\"MaximumRequests\":8,\"MaximumConcurrentRequests\":1");
    push(world, 7, 1, 14);
    AWAIT(world, world->delivered == 14);
    assert_int_equal(world->arrived, 21);
    assert_int_equal(world->attempted, 14);
    expect_pace(world, 0, 8);
    world_free(world);
}

/* One connection, for which seven wait when the limit comes. */
static struct world *world_with_seven_waiting(void)
{
    struct world *world =
        world_new((struct courier_config){ .client.connections_per_destination = 1 });
    world->answer = by_path;
    set(world, 7, "/late", "");
    push(world, 7, 1, 8);
    AWAIT(world, world->arrived == 1);
    return world;
}

static void test_what_was_handed_out_before_a_limit_leaves_by_it(void **state)
{
    (void)state;
    struct world *world = world_with_seven_waiting();
    struct list queued;
    list_init(&queued);
    set(world, 7, "/late", "\"MaximumRequests\":3");
    AWAIT(world, world->arrived == 5);
    expect_pace(world, 1, 3);
    courier_drop(world->courier, 7, &queued);
    AWAIT(world, world->arrived == 6); /* it goes on */
    expect_pace(world, 1, 3);
    int left = 8 - world->delivered;
    assert_int_equal(courier_in_flight(world->courier), left);
    assert_int_equal(world_free(world), left);
}

static void test_without_a_limit_nothing_waits_to_leave(void **state)
{
    (void)state;
    struct world *world = world_with_seven_waiting();
    set(world, 7, "/late", "\"MaximumRequests\":1");
    AWAIT(world, world->delivered == 2);
    int64_t before = clock_steady_ms();
    set(world, 7, "/late", "");
    AWAIT(world, world->delivered == 8);
    assert_in_range(clock_steady_ms() - before, 0, 900);
    assert_int_equal(world_free(world), 0);
}

static void test_a_request_that_cannot_be_built_is_told_as_an_attempt(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    struct buf data = { 0 };
    set(world, 7, "/{InquiryNotes}", "");
    buf_str(&data, "{\"InquiryNotes\":\"");
    for (int i = 0; i < 20000; i++)
        buf_char(&data, 'x');
    buf_str(&data, "\"}");
    struct postback *postback = postback_for(world, 7, 1);
    event_unref(postback->event);
    postback->event =
        event_new(1, catalog_type("action_inquiry.opened"), 0, 0, data.data, data.len);
    postback->attempts = 4;
    assert_true(courier_push(world->courier, postback));
    assert_int_equal(push(world, 7, 2, 1), 1);
    AWAIT(world, world->attempted == 2);
    const struct attempt_seen *failed = &world->attempts[0];
    assert_int_equal(failed->postback, 1);
    assert_int_equal(failed->error, EXCHANGE_BUILD);
    assert_int_equal(failed->verdict, VERDICT_FAILED);
    assert_int_equal(failed->number, 5);
    assert_non_null(strstr(failed->detail, "bytes"));
    assert_int_equal(world->delivered, 1); /* the other one */
    buf_free(&data);
    assert_int_equal(world_free(world), 0);
}

/* ---- one does not delay another ---- */

static void test_a_hanging_destination_delays_nobody_else(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .client.deadline_ms = 1500 });
    world->answer = by_path;
    set(world, 1, "/hang", "");
    set(world, 2, "/ok", "");
    assert_int_equal(push(world, 1, 1000, 100), 100);
    assert_int_equal(push(world, 2, 1, 200), 200);
    AWAIT(world, world->delivered == 200);
    assert_int_equal(attempts_of(world, 1), 0);
    assert_int_equal(courier_in_flight(world->courier), 8);

    /* The dead one costs its window, then goes down; from then on it takes a window at most. */
    AWAIT(world, world->downs == 1);
    assert_int_equal(attempts_of(world, 1), 8);
    assert_int_equal(world->attempts[200].error, EXCHANGE_TIMEOUT);
    assert_int_equal(courier_state(world->courier, 1), LANE_DOWN);
    assert_int_equal(courier_in_flight(world->courier), 0);
    assert_int_equal(courier_room(world->courier, 1), 0);
    assert_int_equal(push(world, 2, 300, 1), 1);
    AWAIT(world, courier_in_flight(world->courier) == 0 && world->delivered == 201);
    AWAIT(world, courier_in_flight(world->courier) == 1); /* the probe, alone */
    assert_int_equal(world->ups, 0);
    world_free(world);
}

static void test_hanging_destinations_leave_room_in_the_client(void **state)
{
    (void)state;
    struct world *world =
        world_new((struct courier_config){ .client = { .connections = 16, .deadline_ms = 15000 } });
    world->answer = by_path;
    set(world, 1, "/hang", "");
    set(world, 2, "/hang", "");
    set(world, 3, "/ok", "");
    push(world, 1, 1000, 50);
    push(world, 2, 2000, 50);
    AWAIT(world, world->arrived == 12); /* three quarters */
    assert_int_equal(push(world, 3, 1, 100), 100);
    AWAIT(world, world->delivered == 100);
    assert_int_equal(world->arrived, 112);
    assert_int_equal(courier_in_flight(world->courier), 12);
    world_free(world);
}

static void test_the_cap_on_all_lanes(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .postbacks = 80 });
    set(world, 1, "/ok", "");
    set(world, 2, "/ok", "");
    set(world, 3, "/ok", "");
    assert_int_equal(push(world, 1, 1000, 100), 40); /* half: from here on a window each */
    assert_int_equal(push(world, 2, 2000, 100), 8);
    assert_int_equal(push(world, 1, 3000, 70), 0);
    assert_int_equal(courier_room(world->courier, 3), 8);
    AWAIT(world, world->delivered == 48);
    assert_int_equal(push(world, 1, 3000, 70), 40);
    AWAIT(world, world->delivered == 88);
    assert_int_equal(world_free(world), 0);
}

static void test_who_was_refused_by_the_cap_is_told_when_there_is_room(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .postbacks = 8 });
    world->answer = by_path;
    set(world, 1, "/late", "");
    assert_int_equal(push(world, 1, 1000, 8), 4 + 2);
    set(world, 3, "/ok", "");
    set(world, 4, "/ok", "");
    set(world, 5, "/ok", "");
    assert_int_equal(push(world, 3, 3000, 2), 1);
    assert_int_equal(push(world, 4, 4000, 1), 1);
    assert_int_equal(courier_room(world->courier, 5), 0);
    world->stock_of = 5;
    world->stock_next = 1;
    world->stock = 10;
    AWAIT(world, world->delivered == 18);
    assert_int_equal(world_free(world), 0);
}

/* ---- one account does not crowd out another ---- */

static void test_accounts_take_turns(void **state)
{
    (void)state;
    enum { LANES = 50 };
    struct world *world = world_new((struct courier_config){ .client.connections = 1 });
    for (int lane = 0; lane < LANES; lane++) {
        set(world, 100 + lane, "/ok", "");
        assert_int_equal(push(world, 100 + lane, 1000 + 10 * lane, 4), 4);
    }
    set(world, 200, "/ok", "");
    assert_int_equal(push(world, 200, 1, 3), 3);
    AWAIT(world, world->delivered == LANES * 4 + 3);
    for (int i = 0; i < 3; i++) { /* every second one, as long as it has any */
        assert_int_equal(world->arrivals[2 * i], 1000 + 10 * i);
        assert_int_equal(world->arrivals[2 * i + 1], 1 + i);
    }
    for (int i = 6; i < LANES * 4 + 3; i++) /* and lanes take turns within an account */
        assert_int_equal(world->arrivals[i], 1000 + 10 * ((i - 3) % LANES) + (i - 3) / LANES);
    assert_int_equal(world_free(world), 0);
}

static void test_an_account_of_many_leaves_room_in_the_client(void **state)
{
    (void)state;
    struct world *world =
        world_new((struct courier_config){ .client = { .connections = 16, .deadline_ms = 15000 } });
    world->answer = by_path;
    for (int lane = 0; lane < 50; lane++) {
        set(world, 100 + lane, "/hang", "");
        assert_int_equal(push(world, 100 + lane, 1000 + 10 * lane, 2), 2);
    }
    AWAIT(world, world->arrived == 14); /* seven eighths */
    set(world, 200, "/ok", "");
    assert_int_equal(push(world, 200, 1, 100), 100);
    AWAIT(world, world->delivered == 100);
    assert_int_equal(world->arrived, 114);
    assert_int_equal(attempts_of(world, 200), 100);
    assert_int_equal(courier_in_flight(world->courier), 14);
    world_free(world);
}

/* Who had to wait goes on as room comes, the last of them too. */
static void test_an_account_of_many_goes_on_when_there_is_room(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .client.connections = 16 });
    world->answer = by_path;
    for (int lane = 0; lane < 50; lane++) {
        set(world, 100 + lane, "/late", "");
        set(world, 200 + lane, "/late", "");
        assert_int_equal(push(world, 100 + lane, 1000 + 10 * lane, 5), 5);
        assert_int_equal(push(world, 200 + lane, 2000 + 10 * lane, 5), 5);
    }
    AWAIT(world, world->delivered == 500);
    assert_int_equal(world->seen[0].most, 14);
    assert_int_equal(world_free(world), 0);
}

static void test_an_account_of_many_leaves_room_in_the_lanes(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .postbacks = 80 });
    int taken = 0;
    for (int lane = 0; lane < 100; lane++) {
        set(world, 100 + lane, "/ok", "");
        taken += push(world, 100 + lane, 1000 + 300 * lane, 300);
    }
    assert_int_equal(taken, 70);
    set(world, 200, "/ok", "");
    set(world, 300, "/ok", "");
    assert_int_equal(push(world, 200, 1, 10), 1);
    assert_int_equal(push(world, 300, 2, 10), 1);
    world->stock_of = 199; /* the last that was refused is told as well */
    world->stock_next = 100000;
    world->stock = 5;
    AWAIT(world, world->delivered == 72 + 5);
    assert_int_equal(world_free(world), 0);
}

/* ---- large events ---- */

enum { LARGE_ALL = 16 * 1024 * 1024 / EVENT_DATA_MAX, LARGE_ONE = LARGE_ALL - LARGE_ALL / 8 };

/* All that its lanes take. */
static int push_to_all(struct world *world, int64_t account, int lanes, const char *path, int each)
{
    int taken = 0;
    for (int lane = 0; lane < lanes; lane++) {
        int64_t id = account * 100 + lane;
        set(world, id, path, "");
        taken += push(world, id, id * 1000, each);
    }
    return taken;
}

static void test_large_events_of_an_account_leave_room_in_the_lanes(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ .client.deadline_ms = 15000 });
    world->answer = by_path;
    world->event_len = EVENT_DATA_MAX;
    assert_int_equal(push_to_all(world, 1, 99, "/hang", 200), LARGE_ONE);
    assert_int_equal(push_to_all(world, 2, 9, "/hang", 200), LARGE_ALL - LARGE_ONE);
    assert_int_equal(push_to_all(world, 3, 9, "/hang", 200), 1);
    world->event_len = 0;
    set(world, 400, "/ok", ""); /* small ones do not notice */
    assert_int_equal(push(world, 400, 1, 100), 100);
    AWAIT(world, world->delivered == 100);
    assert_int_equal(attempts_of(world, 400), 100);
    assert_int_equal(world_free(world), LARGE_ALL + 1);
}

/* Refused ones are asked for again, until all have gone. */
static void test_large_events_all_go_in_the_end(void **state)
{
    (void)state;
    enum { STOCK = 40 };
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    world->event_len = EVENT_DATA_MAX;
    int taken = push_to_all(world, 1, 50, "/late", 20);
    assert_int_equal(taken, LARGE_ONE);
    assert_int_equal(courier_room(world->courier, 149), 0);
    world->stock_of = 149;
    world->stock_next = 1;
    world->stock = STOCK;
    AWAIT(world, world->delivered == taken + STOCK);
    assert_int_equal(push_to_all(world, 1, 50, "/late", 20), LARGE_ONE); /* all of it is back */
    AWAIT(world, world->delivered == 2 * taken + STOCK);
    assert_int_equal(world_free(world), 0);
}

static void test_an_event_for_many_is_in_memory_once(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    world->event = event_of(EVENT_DATA_MAX);
    assert_int_equal(push_to_all(world, 1, 99, "/ok", 10), 990);
    struct list queued, *node;
    list_init(&queued);
    courier_recall(world->courier, 100, &queued);
    assert_non_null(courier_take(world->courier, 101, 101000));
    AWAIT(world, world->delivered == 990 - 10 - 1);
    while ((node = list_first(&queued)) != NULL)
        list_remove(node);
    event_unref(world->event);
    world->event = NULL;
    world->event_len = EVENT_DATA_MAX;
    assert_int_equal(push_to_all(world, 1, 50, "/hang", 20), LARGE_ONE); /* none of it is left */
    assert_int_equal(world_free(world), LARGE_ONE + 10 + 1);
}

/* ---- down, gone, held ---- */

static bool well_again;

static struct reply busy_until_well(struct world *world, const char *path, int64_t postback)
{
    (void)world;
    (void)path;
    (void)postback;
    return (struct reply){ well_again ? 200 : 503, 0 };
}

static void test_down_and_up_again(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    well_again = false;
    world->answer = busy_until_well;
    set(world, 7, "/", "");
    push(world, 7, 1, 50);
    AWAIT(world, world->downs == 1);
    assert_int_equal(world->arrived, 8);
    assert_int_equal(world->attempts[7].verdict, VERDICT_DESTINATION);
    assert_int_equal(world->ups, 0);
    well_again = true;
    AWAIT(world, world->delivered == 1); /* the probe */
    assert_int_equal(courier_state(world->courier, 7), LANE_READY);
    AWAIT(world, world->delivered == 42);
    assert_int_equal(world->ups, 1);
    assert_int_equal(world->downs, 1);
    assert_in_range(world->hungers, 1, 5);
    assert_int_equal(world_free(world), 0);
}

static void test_gone_holds_until_it_is_set_again(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    set(world, 7, "/gone", "");
    push(world, 7, 1, 20);
    AWAIT(world, world->attempted == 8);
    assert_int_equal(world->attempts[0].verdict, VERDICT_GONE);
    assert_int_equal(courier_state(world->courier, 7), LANE_HELD);
    assert_int_equal(push(world, 7, 50, 1), 0);
    courier_hold_all(world->courier, true);
    courier_hold_all(world->courier, false); /* maintenance does not forgive it */
    assert_int_equal(courier_state(world->courier, 7), LANE_HELD);
    set(world, 7, "/ok", "");
    AWAIT(world, world->delivered == 12);
    assert_int_equal(world_free(world), 0);
}

static void test_a_test_postback_goes_beside_held_lanes(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    set(world, 7, "/ok", "");
    assert_int_equal(push(world, 7, 1, 20), 20);
    courier_hold_all(world->courier, true);
    assert_int_equal(courier_state(world->courier, 7), LANE_HELD);
    assert_int_equal(push(world, 7, 50, 1), 0);

    struct notification *notification = notification_for(world, 7, "/test", "");
    struct postback *test = postback_for(world, 7, 999);
    test->test = true;
    courier_test(world->courier, notification, test);
    notification_unref(notification);
    AWAIT(world, world->delivered == 1);
    assert_int_equal(world->arrived, 1);
    assert_int_equal(world->arrivals[0], 999);

    set(world, 8, "/ok", ""); /* a lane made while all are held is held too */
    assert_int_equal(push(world, 8, 60, 1), 0);
    int hungers = world->hungers;
    courier_hold_all(world->courier, false);
    assert_int_equal(push(world, 8, 60, 1), 1);
    AWAIT(world, world->delivered == 22);
    assert_true(world->hungers > hungers);
    assert_int_equal(world_free(world), 0);
}

static void test_a_paused_notification(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    struct notification *paused = notification_for(world, 7, "/ok", "");
    set(world, 7, "/ok", "");
    push(world, 7, 1, 5);
    paused->state = NOTIFICATION_PAUSED;
    courier_set(world->courier, paused);
    assert_int_equal(courier_state(world->courier, 7), LANE_HELD);
    courier_hold_all(world->courier, true);
    courier_hold_all(world->courier, false);
    assert_int_equal(courier_state(world->courier, 7), LANE_HELD);
    set(world, 7, "/ok", "");
    AWAIT(world, world->delivered == 5);
    notification_unref(paused);
    assert_int_equal(world_free(world), 0);
}

/* ---- taking away ---- */

static void test_drop_gives_back_what_is_queued(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    struct list queued;
    list_init(&queued);
    world->answer = by_path;
    set(world, 7, "/late", "");
    push(world, 7, 1, 20);
    AWAIT(world, world->arrived == 8);
    courier_drop(world->courier, 7, &queued);
    assert_false(courier_has(world->courier, 7));
    assert_int_equal(courier_in_flight(world->courier), 8);
    assert_int_equal(container_of(list_first(&queued), struct postback, in)->id, 9);
    free_list(&queued);
    assert_int_equal(push(world, 7, 100, 1), 0);

    /* Set again at once, it goes on in its old window: eight are out there. */
    set(world, 7, "/late", "");
    push(world, 7, 200, 20);
    AWAIT(world, world->delivered == 28);
    assert_in_range(world->seen[0].most, 8, 10);

    courier_drop(world->courier, 7, &queued);
    courier_drop(world->courier, 7, &queued);
    assert_true(list_empty(&queued));
    assert_int_equal(world_free(world), 0);
}

static void test_a_dropped_lane_keeps_its_rate(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    struct list queued;
    list_init(&queued);
    for (int i = 0; i < 3; i++) { /* as if to get around one request a second */
        set(world, 7, "/ok", "\"MaximumRequests\":1");
        push(world, 7, 1 + i, 1);
        AWAIT(world, world->delivered == i + 1);
        courier_drop(world->courier, 7, &queued);
    }
    assert_true(world->attempts[1].started_at - world->attempts[0].started_at >= 990);
    assert_true(world->attempts[2].started_at - world->attempts[1].started_at >= 990);
    assert_int_equal(world_free(world), 0);
}

static void test_take_one_out_of_the_queue(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    set(world, 7, "/ok", "");
    push(world, 7, 1, 3);
    struct postback *taken = courier_take(world->courier, 7, 2);
    assert_int_equal(taken->id, 2);
    postback_end(taken);
    assert_null(courier_take(world->courier, 7, 2));
    assert_null(courier_take(world->courier, 8, 1));
    AWAIT(world, world->delivered == 2);
    assert_int_equal(world->arrived, 2);
    assert_int_equal(world->arrivals[0] + world->arrivals[1], 1 + 3);
    assert_int_equal(world_free(world), 0);
}

static void drop_and_free(struct world *world, struct postback *postback)
{
    struct list queued;
    list_init(&queued);
    courier_drop(world->courier, postback->notification, &queued);
    free_list(&queued);
    postback_end(postback);
}

static void test_a_lane_may_be_dropped_by_who_is_told(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    world->failed = drop_and_free;
    set(world, 7, "/busy", "");
    push(world, 7, 1, 30);
    AWAIT(world, world->attempted == 8);
    assert_false(courier_has(world->courier, 7));
    assert_int_equal(world->arrived, 8);
    assert_int_equal(world_free(world), 0);
}

/* ---- in order ---- */

static void test_ordered_goes_on_when_its_head_is_delivered(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = second_time;
    world->failed = retry_in_order;
    set(world, 7, "/in-order", "\"Ordered\":true");
    push(world, 7, 1, 10);
    AWAIT(world, world->delivered == 10);
    assert_int_equal(world->arrived, 20);
    assert_int_equal(world->seen[0].most, 1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(world->arrivals[i], 1 + i / 2);
        assert_int_equal(world->attempts[i].number, 1 + i % 2);
    }
    assert_int_equal(world_free(world), 0);
}

static void give_up(struct world *world, struct postback *postback)
{
    (void)world;
    postback_end(postback);
}

static void test_ordered_goes_on_when_its_head_is_given_up(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = second_time;
    world->failed = give_up;
    set(world, 7, "/in-order", "\"Ordered\":true");
    push(world, 7, 1, 5);
    AWAIT(world, world->attempted == 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(world->arrivals[i], 1 + i);
    assert_int_equal(world_free(world), 0);
}

/* ---- the end ---- */

static void test_stop_lets_what_is_in_flight_end(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    struct list queued;
    list_init(&queued);
    world->answer = by_path;
    set(world, 7, "/late", "");
    push(world, 7, 1, 20);
    AWAIT(world, world->arrived == 8);
    courier_stop(world->courier);
    AWAIT(world, courier_in_flight(world->courier) == 0);
    assert_int_equal(world->delivered, 8);
    assert_int_equal(world->arrived, 8);
    assert_int_equal(push(world, 7, 100, 1), 0);
    courier_drop(world->courier, 7, &queued);
    free_list(&queued);
    assert_int_equal(world_free(world), 0);
}

static void test_free_gives_all_back(void **state)
{
    (void)state;
    struct world *world = world_new((struct courier_config){ 0 });
    world->answer = by_path;
    set(world, 7, "/hang", "");
    assert_int_equal(push(world, 7, 1, 20), 20);
    struct notification *notification = notification_for(world, 9, "/hang", "");
    struct postback *test = postback_for(world, 9, 999);
    test->test = true;
    courier_test(world->courier, notification, test);
    notification_unref(notification);
    AWAIT(world, world->arrived == 9);
    assert_int_equal(world_free(world), 20); /* the test's sender was told, and has ended it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postbacks_arrive_and_their_attempts_are_told),
        cmocka_unit_test(test_no_lane_takes_none),
        cmocka_unit_test(test_the_window_grows_while_a_receiver_is_well),
        cmocka_unit_test(test_maximum_concurrent_requests),
        cmocka_unit_test(test_maximum_requests_hold_in_any_second),
        cmocka_unit_test(test_maximum_requests_after_holds),
        cmocka_unit_test(test_maximum_requests_changed),
        cmocka_unit_test(test_maximum_requests_with_retries_and_few_at_once),
        cmocka_unit_test(test_what_is_sent_once_more_counts_by_maximum_requests),
        cmocka_unit_test(test_what_was_handed_out_before_a_limit_leaves_by_it),
        cmocka_unit_test(test_without_a_limit_nothing_waits_to_leave),
        cmocka_unit_test(test_a_request_that_cannot_be_built_is_told_as_an_attempt),
        cmocka_unit_test(test_a_hanging_destination_delays_nobody_else),
        cmocka_unit_test(test_hanging_destinations_leave_room_in_the_client),
        cmocka_unit_test(test_the_cap_on_all_lanes),
        cmocka_unit_test(test_who_was_refused_by_the_cap_is_told_when_there_is_room),
        cmocka_unit_test(test_accounts_take_turns),
        cmocka_unit_test(test_an_account_of_many_leaves_room_in_the_client),
        cmocka_unit_test(test_an_account_of_many_goes_on_when_there_is_room),
        cmocka_unit_test(test_an_account_of_many_leaves_room_in_the_lanes),
        cmocka_unit_test(test_large_events_of_an_account_leave_room_in_the_lanes),
        cmocka_unit_test(test_large_events_all_go_in_the_end),
        cmocka_unit_test(test_an_event_for_many_is_in_memory_once),
        cmocka_unit_test(test_down_and_up_again),
        cmocka_unit_test(test_gone_holds_until_it_is_set_again),
        cmocka_unit_test(test_a_test_postback_goes_beside_held_lanes),
        cmocka_unit_test(test_a_paused_notification),
        cmocka_unit_test(test_drop_gives_back_what_is_queued),
        cmocka_unit_test(test_a_dropped_lane_keeps_its_rate),
        cmocka_unit_test(test_take_one_out_of_the_queue),
        cmocka_unit_test(test_a_lane_may_be_dropped_by_who_is_told),
        cmocka_unit_test(test_ordered_goes_on_when_its_head_is_delivered),
        cmocka_unit_test(test_ordered_goes_on_when_its_head_is_given_up),
        cmocka_unit_test(test_stop_lets_what_is_in_flight_end),
        cmocka_unit_test(test_free_gives_all_back),
    };
    return cmocka_run_group_tests_name("courier", tests, NULL, NULL);
}
