/* wakes_test.c — who is woken when, on a clock of the test's own. */
#include "engine_house.h"

#include "engine/wakes.h"

enum { SLEEPERS = 3 };

static struct sleeper {
    struct wake wake;
    int woken;
    int64_t again_in; /* it asks to be woken again; 0: no */
} sleepers[SLEEPERS];

static void woken(struct wake *wake)
{
    struct sleeper *sleeper = container_of(wake, struct sleeper, wake);
    assert_int_equal(wake->at, -1);
    sleeper->woken++;
    if (sleeper->again_in != 0)
        wake_by(wake, clock_due_ms() + sleeper->again_in);
}

static void lay_down(struct wakes *wakes, struct work *work)
{
    wakes_init(wakes, work, woken);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (struct sleeper){ 0 };
        wake_init(&sleepers[i].wake, wakes);
    }
}

static void get_up(struct wakes *wakes)
{
    for (int i = 0; i < SLEEPERS; i++)
        wake_never(&sleepers[i].wake);
    wakes_free(wakes);
}

static void assert_woken(int first, int second, int third)
{
    assert_int_equal(sleepers[0].woken, first);
    assert_int_equal(sleepers[1].woken, second);
    assert_int_equal(sleepers[2].woken, third);
}

static void test_each_is_woken_at_its_time(void **state)
{
    struct engine_house *own = *state;
    struct wakes wakes;
    lay_down(&wakes, &own->work);
    int64_t now = clock_due_ms();
    wake_by(&sleepers[0].wake, now + 500);
    wake_by(&sleepers[1].wake, now + 100);
    wake_by(&sleepers[1].wake, now + 800); /* it is to be earlier already */
    assert_int_equal(sleepers[1].wake.at, now + 100);
    pass_ms(own, 99);
    assert_woken(0, 0, 0);
    pass_ms(own, 1);
    assert_woken(0, 1, 0);
    wake_by(&sleepers[2].wake, now + 400);
    wake_by(&sleepers[2].wake, now + 300);
    pass_ms(own, 200);
    assert_woken(0, 1, 1);
    wake_never(&sleepers[0].wake);
    pass_ms(own, 5000);
    assert_woken(0, 1, 1);
    get_up(&wakes);
}

/* By the due clock, which the system's time may set ahead while the steady one stands. */
static void test_it_looks_at_the_clock_each_second(void **state)
{
    struct engine_house *own = *state;
    struct wakes wakes;
    lay_down(&wakes, &own->work);
    wake_by(&sleepers[0].wake, clock_due_ms() + 3600 * 1000);
    own->time.wall_ms += 3600 * 1000;
    pass_ms(own, 999);
    assert_woken(0, 0, 0); /* it sleeps for a second at the most … */
    pass_ms(own, 1);
    assert_woken(1, 0, 0); /* … and then sees that the time has come */
    get_up(&wakes);
}

static void test_who_asks_again_while_it_is_woken_is_woken_again(void **state)
{
    struct engine_house *own = *state;
    struct wakes wakes;
    lay_down(&wakes, &own->work);
    sleepers[0].again_in = 10;
    wake_by(&sleepers[0].wake, clock_due_ms());
    pass_ms(own, 0);
    assert_woken(1, 0, 0);
    pass_ms(own, 10);
    assert_woken(2, 0, 0);
    sleepers[0].again_in = 0;
    pass_ms(own, 10);
    pass_ms(own, 1000);
    assert_woken(3, 0, 0);
    get_up(&wakes);
}

static void test_nobody_is_woken_once_the_work_stops(void **state)
{
    struct engine_house *own = *state;
    struct wakes wakes;
    lay_down(&wakes, &own->work);
    wake_by(&sleepers[0].wake, clock_due_ms() + 10);
    work_stop(&own->work);
    wake_by(&sleepers[1].wake, clock_due_ms());
    pass_ms(own, 2000);
    assert_woken(0, 0, 0);
    get_up(&wakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_each_is_woken_at_its_time),
        IN_ENGINE(test_it_looks_at_the_clock_each_second),
        IN_ENGINE(test_who_asks_again_while_it_is_woken_is_woken_again),
        IN_ENGINE(test_nobody_is_woken_once_the_work_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
