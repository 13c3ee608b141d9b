/* feed_settings_test.c — settings are read once at a time, and the last change is what stands. */
#include "engine_house.h"

#include "engine/feed_settings.h"

struct told {
    int count, again, turned, failed;
};

static void told(void *context, const struct settings_read *read)
{
    struct told *told = context;
    told->count++;
    told->again += read->again;
    told->turned += read->turned;
    told->failed += !read->ok;
}

struct changing {
    int64_t account, id;
    bool ordered;
};

static bool do_change(struct job *job, struct db *db, void *with)
{
    struct changing *changing = with;
    struct notification *notification = notification_load(db, changing->account, changing->id, 0);
    (void)job;
    notification->settings.ordered = changing->ordered;
    bool changed = notification_change(db, notification);
    notification_unref(notification);
    return changed;
}

static bool do_pause(struct job *job, struct db *db, void *with)
{
    struct changing *changing = with;
    (void)job;
    return notification_set_state(db, changing->account, changing->id, NOTIFICATION_PAUSED, NULL);
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    struct changing *changing = with;
    (void)job;
    return notification_delete(db, changing->account, changing->id);
}

static void begin(struct engine_house *own, struct feed_settings *settings, struct told *tally,
                  struct changing *changing)
{
    *tally = (struct told){ 0 };
    *changing = (struct changing){ .account = own->house->partner.account };
    changing->id = house_notify(own->house, changing->account, OPENED);
    feed_settings_init(settings, &own->work, changing->id, told, tally);
}

static void test_they_are_read_when_they_are_asked_for(void **state)
{
    struct engine_house *own = *state;
    struct feed_settings settings;
    struct told tally;
    struct changing changing;
    begin(own, &settings, &tally, &changing);
    assert_false(feed_settings_stand(&settings));
    feed_settings_load(&settings);
    await_jobs(own);
    assert_int_equal(tally.count, 1);
    assert_true(feed_settings_stand(&settings));
    assert_true(feed_settings_active(&settings));
    assert_int_equal(settings.now->id, changing.id);
    assert_true(house_do(own->house, do_pause, &changing, NULL));
    feed_settings_load(&settings);
    assert_false(feed_settings_stand(&settings)); /* others are on their way … */
    assert_true(feed_settings_active(&settings)); /* … these are still known */
    await_jobs(own);
    assert_false(feed_settings_active(&settings));
    assert_int_equal(tally.turned, 0);
    feed_settings_free(&settings);
}

static void test_what_is_asked_for_during_a_read_is_read_again(void **state)
{
    struct engine_house *own = *state;
    struct feed_settings settings;
    struct told tally;
    struct changing changing;
    begin(own, &settings, &tally, &changing);
    for (int i = 0; i < 3; i++)
        feed_settings_load(&settings);
    assert_int_equal(own->work.under_way, 1); /* one read at a time */
    await_jobs(own);
    assert_int_equal(tally.count, 2); /* and one more, however often */
    assert_int_equal(tally.again, 1);
    assert_true(feed_settings_stand(&settings));
    feed_settings_free(&settings);
}

static void test_it_says_when_it_has_become_ordered(void **state)
{
    struct engine_house *own = *state;
    struct feed_settings settings;
    struct told tally;
    struct changing changing;
    begin(own, &settings, &tally, &changing);
    changing.ordered = true;
    assert_true(house_do(own->house, do_change, &changing, NULL));
    feed_settings_load(&settings);
    await_jobs(own);
    assert_true(feed_settings_ordered(&settings));
    assert_int_equal(tally.turned, 1);
    feed_settings_load(&settings);
    await_jobs(own);
    assert_int_equal(tally.turned, 1);
    assert_true(house_do(own->house, do_delete, &changing, NULL));
    feed_settings_load(&settings);
    await_jobs(own);
    assert_null(settings.now);
    assert_int_equal(tally.turned, 2);
    assert_int_equal(tally.failed, 0); /* it was read that it is gone */
    feed_settings_free(&settings);
}

static void test_nothing_is_read_once_the_work_stops(void **state)
{
    struct engine_house *own = *state;
    struct feed_settings settings;
    struct told tally;
    struct changing changing;
    begin(own, &settings, &tally, &changing);
    work_stop(&own->work);
    feed_settings_load(&settings);
    assert_int_equal(own->work.under_way, 0);
    assert_int_equal(tally.count, 0);
    feed_settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_they_are_read_when_they_are_asked_for),
        IN_ENGINE(test_what_is_asked_for_during_a_read_is_read_again),
        IN_ENGINE(test_it_says_when_it_has_become_ordered),
        IN_ENGINE(test_nothing_is_read_once_the_work_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
