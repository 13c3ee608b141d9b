/* feed_reading_test.c — one read at a time, a few of all, in turn; and never what is held. */
#include "engine_house.h"

#include "engine/feed_reading.h"

enum { FEEDS_MOST = 12, AT_ONCE = 8, FOUND_MOST = 16 };

/* A feed, as far as reading goes. */
struct reader {
    struct reading reading;
    struct held held;
    int64_t account;
    bool wants, asks_again, keeps;
    int began, ended, again, stale;
    int64_t found[FOUND_MOST];
    size_t count;
    int64_t next_due;
};

struct library {
    struct engine_house *own;
    struct readings readings;
    size_t total;
    struct reader readers[FEEDS_MOST];
    int order[FEEDS_MOST]; /* of ends */
    int ends;
};

static struct library *library;

static bool may(void *context, struct reading_wish *wish)
{
    struct reader *reader = context;
    *wish = (struct reading_wish){ .account = reader->account, .limit = 10 };
    return reader->wants;
}

static void began(void *context)
{
    ((struct reader *)context)->began++;
}

static void ended(void *context, const struct reading_found *found)
{
    struct reader *reader = context;
    struct list *node;
    assert_true(found->ok);
    reader->ended++;
    reader->again += found->again;
    reader->stale += found->stale;
    reader->next_due = found->next_due;
    reader->count = 0;
    library->order[library->ends++ % FEEDS_MOST] = (int)(reader - library->readers);
    while ((node = list_first(found->all)) != NULL) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        reader->found[reader->count++] = postback->id;
        if (reader->keeps)
            held_add(&reader->held, postback);
        else
            postback_free(postback);
    }
    if (reader->asks_again) {
        reader->asks_again = false;
        reading_ask(&reader->reading);
    }
}

static void reader_open(int at, int64_t notification)
{
    struct reader *reader = &library->readers[at];
    *reader = (struct reader){ .account = library->own->house->partner.account, .wants = true };
    held_init(&reader->held, &library->total);
    reader->reading = (struct reading){ .readings = &library->readings,
                                        .notification = notification,
                                        .held = &reader->held,
                                        .may = may,
                                        .began = began,
                                        .ended = ended,
                                        .context = reader };
}

static int setup(void **state)
{
    void *own = NULL;
    if (engine_house_setup(&own) != 0)
        return -1;
    library = must_alloc(sizeof(*library));
    library->own = own;
    readings_init(&library->readings, &library->own->work);
    *state = library->own;
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < FEEDS_MOST; i++) {
        struct reader *reader = &library->readers[i];
        if (reader->reading.readings == NULL)
            continue;
        held_free(&reader->held);
        reading_free(&reader->reading);
    }
    readings_free(&library->readings);
    free(library);
    return engine_house_teardown(state);
}

struct parking {
    int64_t id, due_at;
};

static bool do_park(struct job *job, struct db *db, void *with)
{
    struct parking *parking = with;
    struct postback postback = { .id = parking->id, .due_at = parking->due_at, .written = true };
    (void)job;
    postback_park(db, &postback);
    return true;
}

/* A row that waits, due so many ms from now. */
static int64_t wait_for(struct house *house, int64_t in_ms)
{
    struct parking parking = { house_postback(house, house->partner.account, OPENED, 0),
                               clock_due_ms() + in_ms };
    assert_int_not_equal(parking.id, 0);
    assert_true(house_do(house, do_park, &parking, NULL));
    return parking.id;
}

static void test_it_finds_what_is_due_and_says_when_the_next_is(void **state)
{
    struct engine_house *own = *state;
    struct reader *reader = &library->readers[0];
    reader_open(0, house_notify(own->house, own->house->partner.account, OPENED));
    int64_t due = wait_for(own->house, 0), later = clock_due_ms() + 5000;
    wait_for(own->house, 5000);
    reading_ask(&reader->reading);
    assert_int_equal(reader->began, 1);
    await_jobs(own);
    assert_int_equal(reader->count, 1);
    assert_int_equal(reader->found[0], due);
    assert_int_equal(reader->next_due, later);
    reader->wants = false;
    reading_ask(&reader->reading);
    assert_int_equal(reader->began, 1);
}

static void test_what_is_held_is_left_out(void **state)
{
    struct engine_house *own = *state;
    struct reader *reader = &library->readers[0];
    reader_open(0, house_notify(own->house, own->house->partner.account, OPENED));
    int64_t first = wait_for(own->house, 0);
    reader->keeps = true;
    reading_ask(&reader->reading);
    await_jobs(own);
    assert_int_equal(reader->found[0], first);
    int64_t second = wait_for(own->house, 0);
    reading_ask(&reader->reading);
    await_jobs(own);
    assert_int_equal(reader->count, 1);
    assert_int_equal(reader->found[0], second);
}

/* A fresh one that is handed over during the read, and becomes WAITING before that ends. */
static void test_what_came_to_be_held_during_a_slow_read_is_left_out(void **state)
{
    struct engine_house *own = *state;
    struct reader *reader = &library->readers[0];
    reader_open(0, house_notify(own->house, own->house->partner.account, OPENED));
    struct postback *late = postback_new();
    late->id = wait_for(own->house, 0);
    reading_ask(&reader->reading);
    held_add(&reader->held, late);
    own->time.wall_ms += 6000;
    own->time.steady_us += 6000 * 1000;
    await_jobs(own);
    assert_int_equal(reader->ended, 1);
    assert_int_equal(reader->count, 0);
    assert_ptr_equal(held_find(&reader->held, late->id), late);
}

static void test_it_reads_one_time_after_the_other(void **state)
{
    struct engine_house *own = *state;
    struct reader *reader = &library->readers[0];
    reader_open(0, house_notify(own->house, own->house->partner.account, OPENED));
    reading_ask(&reader->reading);
    reading_ask(&reader->reading);
    assert_int_equal(own->work.under_way, 1);
    reader->asks_again = true;
    await_jobs(own);
    assert_int_equal(reader->ended, 2);
    assert_int_equal(reader->again, 1);
}

static void test_what_is_called_off_finds_nothing(void **state)
{
    struct engine_house *own = *state;
    struct reader *reader = &library->readers[0];
    reader_open(0, house_notify(own->house, own->house->partner.account, OPENED));
    wait_for(own->house, 0);
    reading_ask(&reader->reading);
    reading_call_off(&reader->reading);
    await_jobs(own);
    assert_int_equal(reader->stale, 1);
    assert_int_equal(reader->count, 0);
    reading_ask(&reader->reading);
    await_jobs(own);
    assert_int_equal(reader->stale, 1);
    assert_int_equal(reader->count, 1);
}

/* Eleven of one account, then one of another: it is the first that has its turn. */
static void test_few_read_at_once_and_accounts_take_turns(void **state)
{
    struct engine_house *own = *state;
    for (int i = 0; i < FEEDS_MOST; i++)
        reader_open(i, house_notify(own->house, own->house->partner.account, OPENED));
    library->readers[FEEDS_MOST - 1].account = own->house->other_partner.account;
    for (int i = 0; i < FEEDS_MOST; i++)
        reading_ask(&library->readers[i].reading);
    assert_int_equal(own->work.under_way, AT_ONCE);
    for (int i = 0; i < FEEDS_MOST; i++)
        assert_int_equal(library->readers[i].began, i < AT_ONCE);
    await_jobs(own);
    for (int i = 0; i < FEEDS_MOST; i++)
        assert_int_equal(library->readers[i].ended, 1);
    int place = 0;
    while (library->order[place] != FEEDS_MOST - 1)
        place++;
    assert_true(place < FEEDS_MOST - 1);
    assert_int_equal(library->readings.under_way, 0);
}

/* It had to wait, and meanwhile there is nothing to read for any more. */
static void test_who_has_lost_interest_leaves_its_turn_to_others(void **state)
{
    struct engine_house *own = *state;
    for (int i = 0; i < FEEDS_MOST; i++) {
        reader_open(i, house_notify(own->house, own->house->partner.account, OPENED));
        reading_ask(&library->readers[i].reading);
    }
    library->readers[AT_ONCE].wants = false;
    await_jobs(own);
    for (int i = 0; i < FEEDS_MOST; i++)
        assert_int_equal(library->readers[i].ended, i != AT_ONCE);
}

#define IN_LIBRARY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LIBRARY(test_it_finds_what_is_due_and_says_when_the_next_is),
        IN_LIBRARY(test_what_is_held_is_left_out),
        IN_LIBRARY(test_what_came_to_be_held_during_a_slow_read_is_left_out),
        IN_LIBRARY(test_it_reads_one_time_after_the_other),
        IN_LIBRARY(test_what_is_called_off_finds_nothing),
        IN_LIBRARY(test_few_read_at_once_and_accounts_take_turns),
        IN_LIBRARY(test_who_has_lost_interest_leaves_its_turn_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
