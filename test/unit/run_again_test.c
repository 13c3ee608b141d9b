/* run_again_test.c — the same things are done in two stores.  In one each transaction is run,
 * undone and run again; then all tables have the same rows, and all answers were the same.
 *
 * The clock stands still, and random bytes follow from how many transactions were committed.  Ids
 * of the hot tables rise with each run, so they are compared by their order.
 */
#include "inquiry_house.h"
#include "model/date.h"
#include "postback_house.h"

#include "base/clock.h"
#include "base/map.h"
#include "model/mail.h"
#include "store/dedupe.h"
#include "store/episodes.h"
#include "store/event_types.h"
#include "store/expiry.h"
#include "store/idempotency.h"
#include "store/letters.h"
#include "store/maintenance.h"
#include "store/opened.h"
#include "store/replays.h"
#include "store/retention.h"
#include "store/samples.h"
#include "store/sessions.h"
#include "store/support.h"
#include "store/tracking.h"

#include "fault_driver.h"

#include <sodium.h>
#include <sqlite3.h>

#define OPENED "action_inquiry.opened"

enum { HOT_DIGITS = 16 /* an id of the hot tables has as many, and nothing else does */ };

#define NOW INT64_C(1796000000000)

/* ---- random bytes that are the same when a run comes again ---- */

static int run = -1;
static uint32_t drawn; /* in this run */

static void random_fill(void *out, size_t len)
{
    unsigned char *bytes = out;
    int begun = atomic_load(&fault_driver.begun);
    uint32_t seed = (uint32_t)atomic_load(&fault_driver.written);
    if (begun != run)
        drawn = 0;
    run = begun;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)((++drawn * 2654435761u + seed * 40503u) >> 13);
}

static uint32_t random_number(void)
{
    uint32_t number;
    random_fill(&number, sizeof(number));
    return number;
}

static const char *random_name(void)
{
    return "of the test";
}

static struct randombytes_implementation random_source = { .implementation_name = random_name,
                                                           .random = random_number,
                                                           .buf = random_fill };

/* ---- what is done ---- */

struct life {
    struct house *house;
    struct buf answers;
    int64_t notification, postback, user, inquiry, replay, support;
    struct replay_look look;
    struct maintenance maintenance;
    struct published published;
};

static bool do_people(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    const struct caller *brand = &life->house->brand;
    unsigned char hash[TOKEN_HASH_BYTES] = { 1 }, other[TOKEN_HASH_BYTES] = { 2 };
    (void)job;
    token_revoke(db, brand->account,
                 token_add(db, brand->account, SCOPE_API, "key", DATE_NONE, hash));
    life->user = user_add(db, brand->account, "a@b.example", "A", ROLE_USER, "hash");
    session_add(db, life->user, hash, "127.0.0.1", "");
    session_add(db, life->user, other, "127.0.0.1", "");
    session_end(db, hash);
    user_change(db, brand->account, life->user, &(struct user_change){ .name = "B" });
    tracking_token_add(db, life->house->campaign, "shop", other);
    notice_mark_read(db, brand->account, notice_add(db, brand->account, "a.kind", "A text"));
    audit_add(db, brand, "127.0.0.1", "an.action", "/There", json_pack("{s:s}", "A", "b"));
    return true;
}

static bool do_settings(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct opened opened = { 0 };
    struct notification *changed = house_compile(life->house->partner.account, OPENED, 0);
    (void)job;
    changed->id = life->notification;
    changed->revision = 1;
    notification_change(db, changed);
    notification_unref(changed);
    notification_set_state(db, 0, life->notification, NOTIFICATION_PAUSED, "");
    notification_set_state(db, 0, life->notification, NOTIFICATION_ACTIVE, "");
    opened_add(&opened, "CustomerEmail");
    opened_set(db, life->house->partner.account, &opened);
    opened_clear(&opened);
    return true;
}

static bool do_outcome(struct job *job, struct db *db, void *with)
{
    const struct life *life = with;
    const struct list *first = life->published.fresh.next;
    struct attempt attempt = { .number = 1, .revision = 1, .status = 500, .started_at = NOW };
    (void)job;
    postback_record(db, container_of(first, struct postback, in), &attempt, VERDICT_FAILED,
                    NOW + 5000);
    postback_park(db, container_of(first->next, struct postback, in));
    return true;
}

static bool do_actions(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    int64_t account = life->house->partner.account, again;
    return postback_retry(job, db, account, life->postback, &again) &&
           postback_resend(job, db, account, life->postback, &again) &&
           postback_cancel(job, db, account, again);
}

static bool do_replay(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct replay replay = { .account = life->house->partner.account,
                             .notification = life->notification,
                             .start_at = 1600000000000,
                             .end_at = NOW + 1,
                             .states = REPLAY_ALL_STATES };
    db_new_id(db); /* or the id behind the last row would be the one that ends the replay's range */
    db_new_id(db);
    bool added = replay_add(job, db, &replay);
    if (added)
        life->replay = replay.id;
    return added;
}

static bool do_replay_step(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct replay replay;
    (void)job;
    assert_true(replay_load(db, life->replay, &replay));
    struct notification *to = notification_load(db, replay.account, replay.notification, 0);
    life->look = (struct replay_look){ .rows = 1000, .limit = REPLAY_STEP_MOST };
    replay_look(db, &replay, to, &life->look);
    notification_unref(to);
    replay_counted(db, life->replay, life->look.found);
    replay_write(db, life->replay, replay.next, &life->look);
    return true;
}

static bool do_maintenance(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct maintenance *pause = &life->maintenance;
    letters_set(db, true);
    maintenance_clear(pause);
    *pause = (struct maintenance){ .message = must_copy("soon"),
                                   .start_at = NOW,
                                   .expected_end_at = DATE_NONE };
    bool done = maintenance_add(job, db, pause) && maintenance_tell(job, db, pause, 3) != -1 &&
                maintenance_move(db, pause, MAINTENANCE_ON, 0);
    struct list letters;
    int64_t next_due;
    list_init(&letters);
    buf_fmt(&life->answers, "%zu letters ", letters_take(db, 2, &letters, &next_due));
    letters_free(&letters);
    return done;
}

static bool do_support(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct support_request request = { .account = life->house->brand.account,
                                       .kind = SUPPORT_OTHER,
                                       .state = SUPPORT_OPEN,
                                       .subject = must_copy("help") };
    struct problems problems = { 0 };
    bool added = support_add(job, db, &request, "A", "please", &problems);
    life->support = request.id;
    support_free(&request);
    problems_free(&problems);
    bool found = added && support_find(db, 0, life->support, &request);
    bool written = found && support_write(job, db, &request, life->house->operator.account, "O",
                                          "so it is", SUPPORT_ANSWERED);
    support_free(&request);
    return written;
}

static bool do_keys(struct job *job, struct db *db, void *with)
{
    const struct life *life = with;
    int64_t account = life->house->brand.account, ids[] = { 7, 8 };
    struct idempotency_key key = { .account = account, .name = { 1 }, .request = { 2 } };
    struct buf answer = { 0 };
    (void)job;
    buf_str(&answer, "{}");
    dedupe_add(db, account, "k", ids, 2);
    bool added = idempotency_add(db, &key);
    idempotency_answer(db, &key, 200, &answer);
    buf_free(&answer);
    return added && idempotency_expire(db, 10) == 0;
}

static bool do_samples(struct job *job, struct db *db, void *with)
{
    const struct life *life = with;
    struct sample_row row = { life->house->partner.account,
                              life->notification,
                              { .delivered = 3, .failed = 1, .pending = 2, .oldest_at = -1 } };
    (void)job;
    samples_write(db, NOW - 3 * (int64_t)86400000, &row, 1, 5);
    samples_age(db, NOW - 86400000, NOW - 400 * (int64_t)86400000, 100);
    return true;
}

static bool do_type(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct problems problems = { 0 };
    json_t *definition =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:s}]}", "Name", "shop.sold", "Meaning", "m",
                  "DataPoints", "Name", "P", "Type", "text", "Meaning", "m", "Sample", "s");
    struct event_type *type = event_type_read(definition, NULL, &problems);
    (void)job;
    json_decref(definition);
    problems_free(&problems);
    bool saved = event_type_save(db, type) == EVENT_TYPE_SAVED;
    buf_fmt(&life->answers, "type %d ", type->number);
    event_type_delete(db, type->number);
    event_type_free(type);
    return saved;
}

static bool do_episode(struct job *job, struct db *db, void *with)
{
    const struct life *life = with;
    struct episode_news news = { .episode = { .notification = life->notification,
                                              .account = life->house->partner.account,
                                              .kind = EPISODE_FAILING,
                                              .since = NOW },
                                 .begins = true,
                                 .oldest_at = -1 };
    episode_tell(job, db, &news);
    return true;
}

static bool do_sweeps(struct job *job, struct db *db, void *with)
{
    struct life *life = with;
    struct expiry expiry = { .before_ms = NOW + 1000 };
    struct retention retention = { .before_ms = NOW + 1000 };
    (void)job;
    expiry_step(db, &expiry, 3600);
    house_all_have_rows(db);
    retention_step(db, &retention, 2);
    buf_fmt(&life->answers, "swept %" PRId64 " %" PRId64 " %d ", retention.postbacks,
            retention.events, expiry.whole);
    return true;
}

/* What was answered twice, as what wrote something was run twice, was the same. */
static void take_once(struct buf *answers, size_t from)
{
    size_t half = (answers->len - from) / 2;
    if (half == 0 || half * 2 != answers->len - from ||
        memcmp(answers->data + from, answers->data + from + half, half) != 0)
        return;
    answers->len -= half;
    answers->data[answers->len] = '\0';
}

static void act(struct life *life, house_step *does)
{
    size_t before = life->answers.len;
    struct error error = { 0 };
    bool ok = house_do(life->house, does, life, &error);
    take_once(&life->answers, before);
    buf_fmt(&life->answers, "%d %d %s\n", ok, error.kind, error.message);
}

static void live(struct life *life)
{
    struct house *house = life->house;
    buf_str(&life->answers, "");
    act(life, do_people);
    life->notification = house_notify(house, house->partner.account, OPENED);
    act(life, do_settings);
    house_notify(house, house->partner.account, OPENED);
    house_publish(house, house->partner.account, OPENED, 0, &life->published);
    assert_int_equal(list_length(&life->published.fresh), 2);
    life->postback = container_of(life->published.fresh.next, struct postback, in)->id;
    act(life, do_outcome);
    act(life, do_actions);
    act(life, do_actions); /* refused: it is not waiting for a later time any more, or is */
    life->inquiry = open_for(house, "O-1", "5.00");
    buf_fmt(&life->answers, "%d ", step_for(house, life->inquiry, STEP_CLOSE, NULL));
    buf_fmt(&life->answers, "%d ", step_for(house, life->inquiry, STEP_REOPEN, "again"));
    buf_fmt(&life->answers, "%d ", decide_for(house, life->inquiry, STEP_ACCEPT));
    buf_fmt(&life->answers, "%d\n", decide_for(house, life->inquiry, STEP_DECLINE)); /* refused */
    act(life, do_replay);
    act(life, do_replay); /* refused: one is running */
    act(life, do_replay_step);
    act(life, do_maintenance);
    act(life, do_maintenance); /* refused */
    act(life, do_support);
    act(life, do_keys);
    act(life, do_samples);
    act(life, do_type);
    act(life, do_episode);
    act(life, do_sweeps);
}

/* ---- all tables ---- */

/* An id of the hot tables becomes its place among those met before. */
static void add_text(struct buf *out, struct map *ids, const char *text)
{
    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789");
        if (digits < HOT_DIGITS) {
            size_t len = digits > 0 ? digits : 1;
            buf_add(out, text, len);
            text += len;
            continue;
        }
        int64_t id = strtoll(text, NULL, 10);
        if (map_get(ids, id) == NULL)
            map_put(ids, id, (void *)(uintptr_t)(ids->count + 1));
        buf_fmt(out, "#%zu", (size_t)(uintptr_t)map_get(ids, id));
        text += digits;
    }
}

static void add_blob(struct buf *out, sqlite3_stmt *row, int column)
{
    const unsigned char *bytes = sqlite3_column_blob(row, column);
    for (int i = 0; i < sqlite3_column_bytes(row, column); i++)
        buf_fmt(out, "%02x", bytes[i]);
}

static void add_table(struct buf *out, struct map *ids, sqlite3 *file, const char *table)
{
    char sql[120];
    sqlite3_stmt *row;
    snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", table);
    assert_int_equal(sqlite3_prepare_v2(file, sql, -1, &row, NULL), SQLITE_OK);
    while (sqlite3_step(row) == SQLITE_ROW) {
        buf_fmt(out, "%s", table);
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            buf_str(out, " | ");
            if (sqlite3_column_type(row, i) == SQLITE_BLOB)
                add_blob(out, row, i);
            else if (sqlite3_column_type(row, i) == SQLITE_NULL)
                buf_str(out, "NULL");
            else
                add_text(out, ids, (const char *)sqlite3_column_text(row, i));
        }
        buf_char(out, '\n');
    }
    sqlite3_finalize(row);
}

static void add_all(struct buf *out, const char *directory)
{
    struct map ids = { 0 };
    char path[120];
    sqlite3 *file;
    sqlite3_stmt *tables;
    snprintf(path, sizeof(path), "%s/postbackd.db", directory);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(file,
                                        "SELECT name FROM sqlite_master WHERE type = 'table' AND "
                                        "name NOT LIKE 'sqlite_%' ORDER BY name",
                                        -1, &tables, NULL),
                     SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW)
        add_table(out, &ids, file, (const char *)sqlite3_column_text(tables, 0));
    sqlite3_finalize(tables);
    sqlite3_close(file);
    map_free(&ids);
}

/* Answers, and then the rows. */
static char *outcome_of_life(bool each)
{
    static const struct clock_source standing = { .wall_ms = NOW, .steady_us = 1000000 };
    struct life life = { 0 };
    struct buf rows = { 0 };
    void *state = NULL;
    clock_set_source(&standing);
    fault_clear();
    run = -1;
    fault_driver.failure = DB_RETRY;
    fault_driver.each = each;
    assert_int_equal(house_setup(&state), 0);
    life.house = state;
    live(&life);
    int begun = atomic_load(&fault_driver.begun);
    assert_true(!each || begun >= 2 * atomic_load(&fault_driver.written));
    store_close(life.house->store);
    add_text(&rows, &(struct map){ 0 }, buf_text(&life.answers));
    add_all(&rows, life.house->directory);
    fault_driver.each = false;
    assert_true(house_open(life.house));
    house_teardown(&state);
    clock_set_source(NULL);
    maintenance_clear(&life.maintenance);
    house_free_list(&life.published.fresh);
    buf_free(&life.answers);
    return buf_take(&rows);
}

/* The first line that is another one. */
static void expect_same(const char *once, const char *again)
{
    while (*once != '\0' || *again != '\0') {
        size_t a = strcspn(once, "\n"), b = strcspn(again, "\n");
        if (a != b || memcmp(once, again, a) != 0)
            fail_msg("run once:\n%.*s\nrun, undone, run:\n%.*s", (int)a, once, (int)b, again);
        once += a + (once[a] != '\0');
        again += b + (again[b] != '\0');
    }
}

static void test_what_is_run_again_leaves_the_same(void **state)
{
    (void)state;
    char *once = outcome_of_life(false), *again = outcome_of_life(true);
    assert_non_null(strstr(once, "\npostback | "));
    assert_non_null(strstr(once, "\nreplay | "));
    expect_same(once, again);
    free(once);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_run_again_leaves_the_same),
    };

    struct map drawn_once = { 0 }; /* a key, when the first map is used */

    randombytes_set_implementation(&random_source);
    map_put_text(&drawn_once, "a", 1, &drawn_once);
    map_free(&drawn_once);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
