/* retention_test.c — what is deleted when it is old, what never is, and that the engine does it. */
#include "postback_house.h"

#include "base/metrics.h"
#include "db/partitions.h"
#include "engine/engine.h"
#include "store/retention.h"

#define OPENED "action_inquiry.opened"

enum { KEEP_DAYS = 30 };

static const int64_t day_ms = 24 * 3600 * 1000;

/* ---- steps ---- */

/* What ids differ by over so many days. */
static int64_t span_of(int days)
{
    const int64_t some_ms = 1700000000000;
    return id_first_at(some_ms + days * day_ms) - id_first_at(some_ms);
}

/* As if all that is there had happened so many days earlier. */
static bool do_age(struct job *job, struct db *db, void *with)
{
    static const char *const texts[] = {
        "UPDATE attempt SET postback = postback - ?1, started_at = started_at - ?2",
        "UPDATE postback SET id = id - ?1, event = event - ?1, resent = resent - ?1, "
        "finished_at = finished_at - ?2",
        "UPDATE event SET id = id - ?1, occurred_at = occurred_at - ?2",
    };
    int days = *(int *)with;
    (void)job;
    for (int i = 0; i < 3; i++) {
        struct stmt *put = db_prepare(db, texts[i]);
        db_bind_int(put, 1, span_of(days));
        db_bind_int(put, 2, days * day_ms);
        db_run(db, put);
    }
    return true;
}

static void age(struct house *house, int days)
{
    assert_true(house_do(house, do_age, &days, NULL));
}

struct ending {
    int64_t id, notification, finished_at;
    bool delivered; /* else it failed and waits */
};

static bool do_end(struct job *job, struct db *db, void *with)
{
    const struct ending *ending = with;
    struct postback postback = { .id = ending->id,
                                 .notification = ending->notification,
                                 .written = true };
    struct attempt attempt = { .number = 1,
                               .revision = 1,
                               .status = ending->delivered ? 200 : 500,
                               .started_at = ending->finished_at,
                               .retry_after_ms = -1 };
    (void)job;
    postback_record(db, &postback, &attempt, ending->delivered ? VERDICT_DELIVERED : VERDICT_FAILED,
                    db_now(db) + day_ms);
    return true;
}

static void attempted(struct house *house, int64_t id, int64_t notification, bool delivered)
{
    struct ending ending = { .id = id,
                             .notification = notification,
                             .finished_at = id_time_ms(id),
                             .delivered = delivered };
    assert_true(house_do(house, do_end, &ending, NULL));
}

struct resending {
    int64_t account, id, new_id;
};

static bool do_resend(struct job *job, struct db *db, void *with)
{
    struct resending *again = with;
    return postback_resend(job, db, again->account, again->id, &again->new_id);
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    struct resending *which = with;
    return postback_cancel(job, db, which->account, which->id);
}

struct sweep {
    struct retention walk;
    int limit, steps;
    int64_t postbacks, attempts, events;
};

static bool do_step(struct job *job, struct db *db, void *with)
{
    struct sweep *sweep = with;
    (void)job;
    sweep->walk.before_ms = db_now(db) - KEEP_DAYS * day_ms;
    house_all_have_rows(db);
    retention_step(db, &sweep->walk, sweep->limit);
    sweep->postbacks += sweep->walk.postbacks;
    sweep->attempts += sweep->walk.attempts;
    sweep->events += sweep->walk.events;
    return true;
}

/* A walk from the oldest row until nothing old is left. */
static struct sweep swept(struct house *house, int limit)
{
    struct sweep sweep = { .limit = limit };
    do {
        assert_true(house_do(house, do_step, &sweep, NULL));
        assert_true(++sweep.steps < 1000);
    } while (!sweep.walk.whole);
    return sweep;
}

static int64_t count(struct house *house, const char *sql)
{
    return house_number(house, sql, 0);
}

static int64_t postbacks(struct house *house)
{
    return count(house, "SELECT count(*) FROM postback");
}

static int64_t events(struct house *house)
{
    return count(house, "SELECT count(*) FROM event");
}

static int64_t attempts(struct house *house)
{
    return count(house, "SELECT count(*) FROM attempt");
}

/* ---- what goes and what stays ---- */

static void test_what_ended_long_ago_goes_with_all_that_is_its(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    for (int i = 0; i < 5; i++)
        attempted(house, house_postback(house, house->partner.account, OPENED, 0), notification,
                  true);
    age(house, KEEP_DAYS + 1);
    int64_t young = house_postback(house, house->partner.account, OPENED, 0);
    attempted(house, young, notification, true);

    struct sweep sweep = swept(house, 500);
    assert_int_equal(sweep.postbacks, 5);
    assert_int_equal(sweep.attempts, 5);
    assert_int_equal(sweep.events, 5);
    assert_int_equal(postbacks(house), 1);
    assert_int_equal(events(house), 1);
    assert_int_equal(attempts(house), 1);
    assert_int_equal(state_of(house, young), POSTBACK_DELIVERED);
    assert_int_equal(sweep.walk.oldest, count(house, "SELECT id FROM event"));
    /* The counts are of all that ever was. */
    assert_int_equal(house_number(house,
                                  "SELECT delivered FROM notification_count WHERE notification = ?",
                                  notification),
                     6);
    assert_int_equal(house_number(house,
                                  "SELECT pending FROM notification_count WHERE notification = ?",
                                  notification),
                     0);
}

static void test_nothing_goes_before_its_time(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    attempted(house, house_postback(house, house->partner.account, OPENED, 0), notification, true);
    age(house, KEEP_DAYS - 1);

    struct sweep sweep = swept(house, 500);
    assert_int_equal(sweep.postbacks + sweep.attempts + sweep.events, 0);
    assert_int_equal(postbacks(house), 1);
}

static void test_an_undelivered_one_stays_however_old(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    int64_t waiting = house_postback(house, house->partner.account, OPENED, 0);
    house_postback(house, house->partner.account, OPENED, 0); /* FRESH */
    attempted(house, waiting, notification, false);
    age(house, 400);
    waiting -= span_of(400);

    assert_int_equal(swept(house, 500).postbacks, 0);
    assert_int_equal(postbacks(house), 2);
    assert_int_equal(events(house), 2);
    assert_int_equal(attempts(house), 1);
    /* It arrived at last: its log is kept as long as any. */
    struct ending late = { waiting, notification, id_time_ms(waiting) + 399 * day_ms, true };
    assert_true(house_do(house, do_end, &late, NULL));
    assert_int_equal(swept(house, 500).postbacks, 0);
    assert_int_equal(state_of(house, waiting), POSTBACK_DELIVERED);
    age(house, KEEP_DAYS);
    assert_int_equal(swept(house, 500).postbacks, 1);
    assert_int_equal(postbacks(house), 1);
    assert_int_equal(events(house), 1);
    assert_int_equal(attempts(house), 0);
}

static void test_a_cancelled_one_goes_too(void **state)
{
    struct house *house = *state;
    house_notify(house, house->partner.account, OPENED);
    struct resending which = { .account = house->partner.account };
    which.id = house_postback(house, house->partner.account, OPENED, 0);
    assert_true(house_do(house, do_cancel, &which, NULL));
    age(house, KEEP_DAYS + 1);
    assert_int_equal(swept(house, 500).postbacks, 1);
    assert_int_equal(postbacks(house) + events(house), 0);
}

static void test_an_event_nobody_wanted_goes_too(void **state)
{
    struct house *house = *state;
    struct published published;
    house_publish(house, house->partner.account, OPENED, 0, &published);
    assert_int_equal(events(house), 1);
    age(house, KEEP_DAYS + 1);
    assert_int_equal(swept(house, 500).events, 1);
    assert_int_equal(events(house), 0);
}

static void test_an_event_stays_while_one_that_sent_it_again_does(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    struct resending again = { .account = house->partner.account };
    again.id = house_postback(house, house->partner.account, OPENED, 0);
    attempted(house, again.id, notification, true);
    age(house, KEEP_DAYS + 1);
    again.id -= span_of(KEEP_DAYS + 1);
    assert_true(house_do(house, do_resend, &again, NULL));

    struct sweep sweep = swept(house, 500);
    assert_int_equal(sweep.postbacks, 1);
    assert_int_equal(sweep.events, 0);
    assert_int_equal(events(house), 1); /* or it could not be sent */
    attempted(house, again.new_id, notification, true);
    age(house, KEEP_DAYS + 1);
    sweep = swept(house, 500);
    assert_int_equal(sweep.postbacks, 1);
    assert_int_equal(sweep.events, 1);
    assert_int_equal(postbacks(house) + events(house), 0);
}

/* Some delivered, some cancelled, some sent again, some that still wait, and ranges of all sizes.
 */
static void test_whatever_stays_keeps_its_event(void **state)
{
    struct house *house = *state;
    int64_t partner = house->partner.account;
    int64_t notification = house_notify(house, partner, OPENED);
    house_notify(house, partner, OPENED);
    for (unsigned round = 1; round <= 30; round++) {
        unsigned dice = round;
        int64_t ids[25];
        for (int i = 0; i < 25; i++) {
            struct resending one = { .account = partner };
            ids[i] = one.id = house_postback(house, partner, OPENED, 0);
            dice = dice * 1103515245 + 12345;
            if ((dice >> 16 & 7) < 2) {
                assert_true(house_do(house, do_cancel, &one, NULL));
                continue;
            }
            if ((dice >> 16 & 7) > 2)
                attempted(house, one.id, notification, true);
            one.id = ids[(dice >> 20) % (unsigned)(i + 1)]; /* the new one is behind others' */
            if ((dice >> 19 & 1) == 0)
                house_do(house, do_resend, &one, NULL);
        }
        house_number(house,
                     "UPDATE postback SET state = 2, finished_at = 1 WHERE notification <> ? "
                     "AND id % 3 <> 0 RETURNING 1",
                     notification);
        int64_t left = count(house, "SELECT count(*) FROM postback WHERE state < 2");
        age(house, KEEP_DAYS + 1);
        swept(house, (int)(2 + dice % 9));
        swept(house, 500);
        assert_int_equal(postbacks(house), left);
        assert_int_equal(count(house, "SELECT count(*) FROM postback WHERE state >= 2"), 0);
        assert_int_equal(count(house, "SELECT count(*) FROM postback WHERE event NOT IN "
                                      "(SELECT id FROM event)"),
                         0);
        assert_int_equal(count(house, "SELECT count(*) FROM event WHERE id NOT IN "
                                      "(SELECT event FROM postback)"),
                         0);
    }
}

/* Ranges end among the postbacks of an event, at undelivered ones, at events without any. */
static void test_small_steps_delete_the_same(void **state)
{
    struct house *house = *state;
    int64_t notifications[5];
    int kept = 0, gone = 0;
    for (int i = 0; i < 5; i++)
        notifications[i] = house_notify(house, house->partner.account, OPENED);
    for (int i = 0; i < 12; i++) {
        struct published published;
        house_publish(house, i % 4 == 3 ? house->other_partner.account : house->partner.account,
                      OPENED, 0, &published);
        int at = 0;
        for (struct list *node = published.fresh.next; node != &published.fresh;
             node = node->next, at++) {
            bool delivered = (i + at) % 3 != 0;
            attempted(house, container_of(node, struct postback, in)->id, notifications[at],
                      delivered);
            kept += !delivered;
            gone += delivered;
        }
        house_free_list(&published.fresh);
    }
    assert_true(kept > 5 && gone > 20);
    age(house, KEEP_DAYS + 1);

    struct sweep sweep = swept(house, 2);
    assert_true(sweep.steps > 10);
    assert_int_equal(sweep.postbacks, gone);
    assert_int_equal(sweep.attempts, gone);
    assert_int_equal(postbacks(house), kept);
    assert_int_equal(attempts(house), kept);
    assert_int_equal(count(house, "SELECT count(*) FROM postback WHERE state <> 1"), 0);
    assert_int_equal(events(house), count(house, "SELECT count(DISTINCT event) FROM postback"));
    assert_int_equal(swept(house, 500).events, 0); /* no walk anew was needed for any */
}

/* ---- the engine ---- */

static void gave_up(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void test_the_engine_deletes_by_itself(void **state)
{
    struct house *house = *state;
    struct error error = { 0 };
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    for (int i = 0; i < 20; i++)
        attempted(house, house_postback(house, house->partner.account, OPENED, 0), notification,
                  true);
    age(house, KEEP_DAYS + 1);
    struct engine_config config = { .loop = &house->loop, .store = house->store };
    struct engine *engine = engine_new(&config, &error);
    assert_non_null(engine);
    engine_keep(engine, KEEP_DAYS * day_ms);

    bool late = false;
    uv_timer_t limit;
    uv_timer_init(&house->loop, &limit);
    limit.data = &late;
    uv_timer_start(&limit, gave_up, 20000, 0);
    while (!late && metric_value(METRIC_OLD_EVENTS) < 20)
        uv_run(&house->loop, UV_RUN_ONCE);
    assert_int_equal(metric_value(METRIC_OLD_POSTBACKS), 20);
    assert_int_equal(metric_value(METRIC_OLD_ATTEMPTS), 20);
    assert_int_equal(metric_value(METRIC_OLD_EVENTS), 20);
    assert_int_equal(postbacks(house) + attempts(house) + events(house), 0);
    uv_close((uv_handle_t *)&limit, NULL);
    engine_stop(engine, 0);
    engine_free(engine);
    uv_run(&house->loop, UV_RUN_NOWAIT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, house_setup, house_teardown)

/* ---- by the day, where the engine has that ---- */

struct days {
    int ago;
    bool full; /* as if too much had to stay */
    struct retention_day day;
    bool found;
};

static int64_t ms_ago(struct db *db, int days)
{
    return db_now(db) - days * day_ms;
}

static bool do_make_days(struct job *job, struct db *db, void *with)
{
    (void)job;
    partitions_make(db, ms_ago(db, ((struct days *)with)->ago));
    return true;
}

static bool do_look(struct job *job, struct db *db, void *with)
{
    struct days *days = with;
    (void)job;
    retention_day_free(&days->day);
    days->found = retention_day_look(db, ms_ago(db, KEEP_DAYS), -1, &days->day);
    return true;
}

static bool do_drop(struct job *job, struct db *db, void *with)
{
    struct days *days = with;
    (void)job;
    days->day.full = days->day.full || days->full;
    retention_day_drop(db, &days->day);
    return true;
}

static int64_t pieces(struct house *house)
{
    return house_number(house,
                        "SELECT count(*) FROM pg_class WHERE relname ~ '_[0-9]{5}$' AND "
                        "relkind = 'r' AND relnamespace = current_schema()::regnamespace",
                        0);
}

/* One that has arrived, one that waits, one that has arrived and is sent again; of 40 days ago. */
static int64_t an_old_day(struct house *house, struct days *days, int64_t ids[3])
{
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    assert_true(house_do(house, do_make_days, days, NULL));
    for (int i = 0; i < 3; i++)
        ids[i] = house_postback(house, house->partner.account, OPENED, 0);
    for (int i = 0; i < 3; i++) {
        attempted(house, ids[i], notification, i != 1);
        ids[i] -= span_of(days->ago);
    }
    age(house, days->ago);
    struct resending again = { .account = house->partner.account, .id = ids[2] };
    assert_true(house_do(house, do_resend, &again, NULL));
    return notification;
}

static void test_a_day_that_is_old_is_dropped_and_what_waits_stays(void **state)
{
    struct house *house = *state;
    struct days days = { .ago = 40 };
    int64_t ids[3];
    if (house_is_a_file(house))
        return;
    an_old_day(house, &days, ids);
    int64_t before = pieces(house);
    assert_int_equal(before, 3 * (PARTITION_DAYS_AHEAD + 1));
    assert_int_equal(swept(house, 100).postbacks, 0); /* the walk leaves it alone */
    assert_true(house_do(house, do_look, &days, NULL));
    assert_true(days.found && !days.day.full);
    assert_int_equal(days.day.postbacks, 2);
    assert_true(house_do(house, do_drop, &days, NULL));
    retention_day_free(&days.day);
    assert_int_equal(pieces(house), before - 3);
    static const char there[] = "SELECT count(*) FROM postback WHERE id = ?",
                      has_event[] = "SELECT count(*) FROM postback p JOIN event e ON e.id = "
                                    "p.event WHERE p.id = ?";
    assert_int_equal(house_number(house, there, ids[0]), 0);
    assert_int_equal(house_number(house, has_event, ids[1]), 1);
    assert_int_equal(house_number(house, there, ids[2]), 0);
    assert_int_equal(house_number(house, "SELECT count(*) FROM attempt WHERE postback = ?", ids[1]),
                     1);
    assert_int_equal(house_number(house, "SELECT count(*) FROM postback", 0), 2);
    assert_int_equal(house_number(house, "SELECT count(*) FROM event", 0), 2);
    assert_int_equal(house_number(house,
                                  "SELECT count(*) FROM postback p LEFT JOIN event e ON "
                                  "e.id = p.event WHERE e.id IS NULL",
                                  0),
                     0);
}

static void test_a_day_of_which_too_much_stays_is_walked(void **state)
{
    struct house *house = *state;
    struct days days = { .ago = 40, .full = true };
    int64_t ids[3];
    if (house_is_a_file(house))
        return;
    an_old_day(house, &days, ids);
    int64_t before = pieces(house);
    assert_true(house_do(house, do_look, &days, NULL));
    assert_true(house_do(house, do_drop, &days, NULL));
    retention_day_free(&days.day);
    assert_int_equal(pieces(house), before);
    assert_int_equal(swept(house, 100).postbacks, 2);
    assert_int_equal(house_number(house, "SELECT count(*) FROM postback", 0), 2);
}

static void test_a_day_that_is_not_old_as_a_whole_is_left(void **state)
{
    struct house *house = *state;
    struct days days = { .ago = KEEP_DAYS };
    int64_t ids[3];
    if (house_is_a_file(house))
        return;
    an_old_day(house, &days, ids);
    assert_true(house_do(house, do_look, &days, NULL));
    assert_false(days.found);
    retention_day_free(&days.day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_day_that_is_old_is_dropped_and_what_waits_stays),
        TEST(test_a_day_of_which_too_much_stays_is_walked),
        TEST(test_a_day_that_is_not_old_as_a_whole_is_left),
        TEST(test_what_ended_long_ago_goes_with_all_that_is_its),
        TEST(test_nothing_goes_before_its_time),
        TEST(test_an_undelivered_one_stays_however_old),
        TEST(test_a_cancelled_one_goes_too),
        TEST(test_an_event_nobody_wanted_goes_too),
        TEST(test_an_event_stays_while_one_that_sent_it_again_does),
        TEST(test_whatever_stays_keeps_its_event),
        TEST(test_small_steps_delete_the_same),
        TEST(test_the_engine_deletes_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
