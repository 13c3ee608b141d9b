/* lane_week_test.c — a week of outages on a fake clock, in seconds.
 *
 * A lane between a model of the engine (a disk with due times, back-off) and a model of a receiver
 * that is well, refuses, hangs, answers 500 or 503, is slow, or takes only so many requests a
 * second.  What a lane promises is checked at each step, for several fixed seeds, and in the end
 * every postback has been delivered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "courier/lane.h"
#include "model/backoff.h"

#include <stdlib.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY ((int64_t)24 * HOUR)

enum {
    WEEK_POSTBACKS = 4000,
    PHASES = 40,
    RATE_MOST = 50,
};

enum condition { WELL, REFUSES, HANGS, FAILS, BUSY, SLOW, CONDITIONS };

struct phase {
    int64_t from, to;
    enum condition condition;
};

struct parcel {
    struct postback postback; /* first: it is freed by nobody but the week */
    struct heap_node node;    /* on disk: due; in flight: when it ends */
    enum verdict verdict;     /* in flight: what will come back */
    bool delivered;
};

struct week {
    uint64_t seed;
    int64_t now;
    struct lane *lane;
    struct lane_limits limits;
    int receiver_rate; /* takes so many a second, then 429; 0: any */
    struct phase phases[PHASES];

    struct parcel *parcels;
    int64_t arrivals[WEEK_POSTBACKS];
    int arrived, delivered, attempts, downs, probes;
    struct heap disk, flying;
    int64_t rests_until; /* Ordered: the first of `due` failed, all wait for it */
    struct list due;     /* off the disk's heap, waiting for room in the lane */

    int64_t sent_at[RATE_MOST];
    int64_t received_second;
    int received;
};

static uint32_t chance(struct week *week)
{
    week->seed ^= week->seed << 13;
    week->seed ^= week->seed >> 7;
    week->seed ^= week->seed << 17;
    return (uint32_t)(week->seed >> 16);
}

static int64_t between(struct week *week, int64_t least, int64_t most)
{
    return least + (int64_t)(chance(week) % (uint64_t)(most - least + 1));
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct week *week_new(uint64_t seed, struct lane_limits limits, int receiver_rate)
{
    struct week *week = must_alloc(sizeof(*week));
    week->seed = seed * 0x9e3779b97f4a7c15u + 1;
    week->limits = limits;
    week->receiver_rate = receiver_rate;
    week->lane = lane_new(7, &limits, 0);
    week->parcels = must_alloc(WEEK_POSTBACKS * sizeof(*week->parcels));
    list_init(&week->due);
    for (int i = 0; i < PHASES; i++) {
        struct phase *phase = &week->phases[i];
        phase->from = between(week, 0, 7 * DAY);
        phase->to = phase->from + (i < 5 ? between(week, HOUR, 6 * HOUR)
                                         : between(week, 5 * SECOND, 20 * MINUTE));
        phase->condition = (enum condition)between(week, REFUSES, CONDITIONS - 1);
    }
    for (int i = 0; i < WEEK_POSTBACKS; i++) { /* a third comes in bursts */
        int64_t at = between(week, 0, 7 * DAY);
        week->arrivals[i] = i % 3 == 0 ? at / (4 * HOUR) * (4 * HOUR) : at;
        week->parcels[i].postback.id = i + 1;
        list_init(&week->parcels[i].postback.in);
    }
    qsort(week->arrivals, WEEK_POSTBACKS, sizeof(week->arrivals[0]), by_time);
    return week;
}

static void week_free(struct week *week)
{
    lane_free(week->lane);
    heap_free(&week->disk);
    heap_free(&week->flying);
    free(week->parcels);
    free(week);
}

static enum condition condition_at(const struct week *week, int64_t at)
{
    for (int i = 0; i < PHASES; i++) {
        if (at >= week->phases[i].from && at < week->phases[i].to)
            return week->phases[i].condition;
    }
    return WELL;
}

/* The receiver: what it will answer to a request of now, and when. */
static int64_t receive(struct week *week, enum verdict *verdict)
{
    *verdict = VERDICT_DESTINATION;
    switch (condition_at(week, week->now)) {
    case REFUSES:
        return between(week, 1, 3);
    case HANGS:
        return 30 * SECOND;
    case BUSY:
        return between(week, 2, 50);
    case FAILS:
        *verdict = VERDICT_FAILED;
        return between(week, 2, 200);
    case SLOW:
        *verdict = VERDICT_DELIVERED;
        return between(week, 2 * SECOND, 10 * SECOND);
    default:
        break;
    }
    if (week->received_second != week->now / SECOND) {
        week->received_second = week->now / SECOND;
        week->received = 0;
    }
    if (week->receiver_rate > 0 && ++week->received > week->receiver_rate)
        return between(week, 1, 5);
    *verdict = chance(week) % 100 == 0 ? VERDICT_FAILED : VERDICT_DELIVERED;
    return between(week, 10, 200);
}

static void check_rate(struct week *week)
{
    int most = week->limits.maximum_requests;
    if (most > 0) {
        int64_t *slot = &week->sent_at[week->attempts % most];
        if (week->attempts >= most && week->now - *slot < 1000)
            fail_msg("%d requests within %lld ms", most + 1, (long long)(week->now - *slot));
        *slot = week->now;
    }
}

static void week_send(struct week *week, struct parcel *parcel, int window)
{
    bool down = lane_state(week->lane) == LANE_DOWN;
    assert_int_not_equal(lane_state(week->lane), LANE_HELD);
    assert_false(parcel->delivered);
    assert_int_equal(parcel->node.place, 0);
    assert_in_range(lane_in_flight(week->lane), 1, down ? 1 : window);
    if (week->limits.ordered) /* all before it are delivered, it is not */
        assert_int_equal(parcel->postback.id, week->delivered + 1);
    check_rate(week);
    week->attempts++;
    week->probes += down;
    parcel->postback.attempts++;
    int64_t takes = receive(week, &parcel->verdict);
    heap_put(&week->flying, &parcel->node, week->now + takes);
}

/* What the courier does: everything that may go, goes. */
static int64_t week_pump(struct week *week, int *sent)
{
    struct postback *postback;
    int64_t wake;
    for (*sent = 0;; (*sent)++) {
        int window = lane_window(week->lane);
        postback = lane_next(week->lane, week->now, &wake);
        if (postback == NULL)
            return wake;
        week_send(week, (struct parcel *)postback, window);
    }
}

/* Ordered: what is queued waits behind it, from the next one's place on. */
static void week_failed_in_order(struct week *week, struct parcel *parcel, int64_t due)
{
    struct list queued, *node;
    list_init(&queued);
    list_append(&queued, &parcel->postback.in);
    lane_drain(week->lane, &queued);
    while (!list_empty(&queued)) {
        node = queued.prev;
        list_remove(node);
        list_prepend(&week->due, node);
    }
    week->rests_until = due;
}

/* What the engine does with a failure: the disk with a due time. */
static void week_failed(struct week *week, struct parcel *parcel)
{
    int64_t due = week->now + backoff_ms(parcel->postback.attempts, -1, chance(week));
    if (week->limits.ordered)
        week_failed_in_order(week, parcel, due);
    else
        heap_put(&week->disk, &parcel->node, due);
}

static void check_catch_up(struct week *week, size_t queued)
{
    int sent;
    size_t expected = queued < LANE_WINDOW_FIRST ? queued : LANE_WINDOW_FIRST;
    week_pump(week, &sent);
    if (week->limits.ordered)
        expected = queued > 0;
    if (week->limits.maximum_requests == 0)
        assert_int_equal(lane_in_flight(week->lane), expected);
}

static void week_land(struct week *week, struct parcel *parcel)
{
    enum lane_state before = lane_state(week->lane);
    bool alone = lane_in_flight(week->lane) == 1;
    heap_remove(&week->flying, &parcel->node);
    lane_done(week->lane, parcel->verdict, week->now);
    week->downs += before == LANE_READY && lane_state(week->lane) == LANE_DOWN;
    if (parcel->verdict != VERDICT_DELIVERED) {
        week_failed(week, parcel);
        return;
    }
    parcel->delivered = true;
    week->delivered++;
    assert_int_equal(lane_state(week->lane), LANE_READY);
    if (before == LANE_DOWN && alone)
        check_catch_up(week, lane_queued(week->lane));
}

/* What is due goes into the lane as far as it takes it; a down one takes a window. */
static void week_feed(struct week *week)
{
    struct heap_node *node;
    while (week->arrived < WEEK_POSTBACKS && week->arrivals[week->arrived] <= week->now)
        list_append(&week->due, &week->parcels[week->arrived++].postback.in);
    while ((node = heap_min(&week->disk)) != NULL && node->key <= week->now) {
        heap_remove(&week->disk, node);
        list_append(&week->due, &container_of(node, struct parcel, node)->postback.in);
    }
    struct list *first;
    bool down = lane_state(week->lane) == LANE_DOWN; /* then the first goes, as the probe */
    if (week->limits.ordered && week->now < week->rests_until && !down)
        return;
    while ((first = list_first(&week->due)) != NULL) {
        size_t most = down ? (size_t)lane_window(week->lane) : LANE_HIGH_WATER;
        if (lane_queued(week->lane) >= most)
            break;
        list_remove(first);
        assert_true(lane_push(week->lane, container_of(first, struct postback, in)));
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void week_run(struct week *week)
{
    struct heap_node *node;
    int sent;
    while (week->delivered < WEEK_POSTBACKS) {
        week_feed(week);
        int64_t next = week_pump(week, &sent);
        assert_true(next == -1 || next > week->now);
        if (week->arrived < WEEK_POSTBACKS)
            next = sooner(next, week->arrivals[week->arrived]);
        if ((node = heap_min(&week->disk)) != NULL)
            next = sooner(next, node->key);
        if (week->rests_until > week->now)
            next = sooner(next, week->rests_until);
        if ((node = heap_min(&week->flying)) != NULL)
            next = sooner(next, node->key);
        if (next < 0)
            fail_msg("stuck with %d of %d delivered, state %d, %zu queued", week->delivered,
                     WEEK_POSTBACKS, (int)lane_state(week->lane), lane_queued(week->lane));
        week->now = next;
        while ((node = heap_min(&week->flying)) != NULL && node->key <= week->now)
            week_land(week, container_of(node, struct parcel, node));
    }
    if (week->now > 8 * DAY)
        fail_msg("the last one arrived %lld s after the week",
                 (long long)(week->now / 1000 - 604800));
    for (int i = 0; i < WEEK_POSTBACKS; i++)
        assert_true(week->parcels[i].delivered);
    assert_int_equal(lane_queued(week->lane) + lane_in_flight(week->lane), 0);
    assert_true(week->downs > 3); /* otherwise the week was no test */
    assert_true(week->probes > week->downs);
}

static void run_weeks(struct lane_limits limits, int receiver_rate)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct week *week = week_new(seed, limits, receiver_rate);
        week_run(week);
        week_free(week);
    }
}

static void test_a_week_of_outages(void **state)
{
    (void)state;
    run_weeks((struct lane_limits){ 0 }, 0);
}

static void test_a_week_of_outages_with_a_limited_receiver(void **state)
{
    (void)state;
    run_weeks((struct lane_limits){ 0 }, 20);
}

static void test_a_week_of_outages_with_maximum_requests(void **state)
{
    (void)state;
    run_weeks((struct lane_limits){ .maximum_requests = RATE_MOST }, 0);
    run_weeks((struct lane_limits){ .maximum_requests = 3, .maximum_concurrent = 2 }, 0);
}

static void test_a_week_of_outages_in_order(void **state)
{
    (void)state;
    run_weeks((struct lane_limits){ .ordered = true }, 0);
    run_weeks((struct lane_limits){ .ordered = true, .maximum_requests = 5 }, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_week_of_outages),
        cmocka_unit_test(test_a_week_of_outages_with_a_limited_receiver),
        cmocka_unit_test(test_a_week_of_outages_with_maximum_requests),
        cmocka_unit_test(test_a_week_of_outages_in_order),
    };
    return cmocka_run_group_tests_name("lane week", tests, NULL, NULL);
}
