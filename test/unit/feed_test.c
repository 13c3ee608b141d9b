/* feed_test.c — a postback is in memory once, however late the disk answers. */
#include "postback_house.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/listeners.h"

#include <pthread.h>

#define OPENED "action_inquiry.opened"

enum { EVENTS = 5, MINUTES_MS = 60 * 1000 };

/* The engine's reader waits at it, as behind a slow disk. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool inside, open;
};

struct gate_job {
    struct job job;
    struct gate *gate;
};

static bool gate_run(struct job *job, struct db *db)
{
    struct gate *gate = ((struct gate_job *)job)->gate;
    (void)db;
    pthread_mutex_lock(&gate->lock);
    gate->inside = true;
    pthread_cond_broadcast(&gate->moved);
    while (!gate->open)
        pthread_cond_wait(&gate->moved, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return true;
}

static void gate_done(struct job *job, bool ok)
{
    (void)ok;
    free(job);
}

static void shut(struct gate *gate, struct store *store)
{
    struct gate_job *job = must_alloc(sizeof(*job));
    *job = (struct gate_job){ .job = { .run = gate_run, .done = gate_done }, .gate = gate };
    store_read(store, &job->job);
    pthread_mutex_lock(&gate->lock);
    while (!gate->inside)
        pthread_cond_wait(&gate->moved, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->moved);
    pthread_mutex_unlock(&gate->lock);
}

/* One request a second, to where none may go: while time stands still, one fails and the others
 * are queued. */
static bool do_notify(struct job *job, struct db *db, void *with)
{
    struct new_notification *new = with;
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    json_t *from =
        json_pack("{s:s, s:s, s:s, s:s, s:i}", "Category", "Action Inquiry Events", "Method",
                  "POST", "Url", "http://127.0.0.1:9/", "EventTypes", OPENED, "MaximumRequests", 1);
    (void)job;
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    notification->account = new->account;
    notification_add(db, notification);
    new->id = notification->id;
    notification_unref(notification);
    json_decref(from);
    return true;
}

static void publish(struct house *house)
{
    struct published published = { .account = house->partner.account, .type = OPENED };
    assert_true(house_do(house, house_publish_run, &published, NULL));
}

static void tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Until so many rows wait on disk. */
static bool await_waiting(struct house *house, int64_t count)
{
    int64_t found = -1;
    for (int turns = 0; turns < 2000 && found != count; turns++) {
        uv_run(&house->loop, UV_RUN_ONCE);
        found = house_number(house, "SELECT count(*) FROM postback WHERE state = 1", 0);
    }
    return found == count;
}

static int64_t in_memory(struct engine *engine)
{
    struct engine_figures figures;
    engine_figures(engine, &figures);
    return figures.in_memory;
}

/* While the engine's reader is busy, fresh ones are queued for so long that their rows become
 * WAITING. */
static void test_a_late_read_takes_none_that_is_in_memory(void **state)
{
    struct house *house = *state;
    if (!house_is_a_file(house)) /* there what has a pace goes by the disk: none is fresh */
        return;
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };
    struct clock_source time = { clock_wall_ms(), clock_steady_us() };
    struct new_notification notification = { .account = house->partner.account };
    struct engine_config config = { .loop = &house->loop,
                                    .store = house->store,
                                    .lateness = { 15 * MINUTES_MS, 60 * MINUTES_MS } };
    struct error error = { 0 };
    uv_timer_t ticks;

    clock_set_source(&time);
    assert_true(house_do(house, do_notify, &notification, NULL));
    struct engine *engine = engine_new(&config, &error);
    assert_non_null(engine);
    time.steady_us += 2 * 1000000; /* after its start Maximum Requests holds the first one up */
    uv_timer_init(&house->loop, &ticks);
    uv_timer_start(&ticks, tick, 10, 10);
    publish(house);
    assert_true(await_waiting(house, 1)); /* it was tried, and failed */
    while (in_memory(engine) > 0)
        uv_run(&house->loop, UV_RUN_ONCE);

    shut(&gate, house->store);
    struct change resent = { CHANGE_RESENT, notification.account, notification.id };
    listeners_hear((void *)engine_services(engine), &resent); /* asks for a read */
    for (int i = 0; i < EVENTS; i++)
        publish(house);
    int64_t queued = in_memory(engine);
    time.wall_ms += 20 * 1000;
    time.steady_us += 20 * 1000000;
    bool aged = await_waiting(house, 1 + EVENTS);
    open_gate(&gate);
    assert_int_equal(queued, EVENTS);
    assert_true(aged);
    for (int turns = 0; turns < 20; turns++)
        uv_run(&house->loop, UV_RUN_ONCE);
    int64_t held = in_memory(engine);

    uv_close((uv_handle_t *)&ticks, NULL);
    engine_stop(engine, 0);
    engine_free(engine);
    uv_run(&house->loop, UV_RUN_NOWAIT);
    clock_set_source(NULL);
    assert_in_range(held, 0, 1 + EVENTS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_late_read_takes_none_that_is_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
