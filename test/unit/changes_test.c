/* changes_test.c — what a job changed is heard once, in order, and only when it is committed. */
#include "model/date.h"
#include "postback_house.h"

#include "db/tx.h"
#include "fault_vfs.h"
#include "store/expiry.h"
#include "store/maintenance.h"
#include "store/opened.h"
#include "store/replays.h"
#include "store/sessions.h"

#define OPENED "action_inquiry.opened"

enum { HEARD_MOST = 64 };

struct ear {
    struct change heard[HEARD_MOST];
    size_t count;
    size_t fresh;       /* postbacks handed over so far */
    size_t fresh_first; /* … when the first change was heard */
};

static void hear(void *context, const struct change *change)
{
    struct ear *ear = context;
    if (ear->count == 0)
        ear->fresh_first = ear->fresh;
    assert_true(ear->count < HEARD_MOST);
    ear->heard[ear->count++] = *change;
}

static void hear_fresh(void *context, struct list *postbacks)
{
    ((struct ear *)context)->fresh += list_length(postbacks);
    house_free_list(postbacks);
}

/* ---- jobs that note what the test says ---- */

struct noting {
    struct job job;
    const struct change *changes;
    size_t count;
    bool fails, sure, publishes;
    const struct ear *ear;
    int64_t account;
    size_t heard_at_done; /* how many had been heard by then */
    bool done, ok;
};

static bool note_run(struct job *job, struct db *db)
{
    struct noting *noting = container_of(job, struct noting, job);
    for (size_t i = 0; i < noting->count; i++)
        tx_note(db_tx(db), noting->changes[i]);
    if (noting->publishes) {
        struct published published = { .account = noting->account, .type = OPENED };
        house_publish_run(job, db, &published);
    }
    return !noting->fails;
}

static void note_done(struct job *job, bool ok)
{
    struct noting *noting = container_of(job, struct noting, job);
    noting->heard_at_done = noting->ear->count;
    noting->done = true;
    noting->ok = ok;
}

/* All in one transaction: they are given before the writer can have taken the first, or it has
 * taken some; in order in any case. */
static void give(struct house *house, const struct ear *ear, struct noting *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        jobs[i].job = (struct job){ .run = note_run, .done = note_done, .sure = jobs[i].sure };
        jobs[i].ear = ear;
        jobs[i].done = false;
        store_write(house->store, &jobs[i].job);
    }
    uv_run(&house->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < count; i++)
        assert_true(jobs[i].done);
}

static struct change of_account(int64_t account)
{
    return (struct change){ CHANGE_ACCOUNT, .account = account };
}

static void assert_heard(const struct ear *ear, const int64_t *accounts, size_t count)
{
    assert_int_equal(ear->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ear->heard[i].account, accounts[i]);
}

static void test_changes_are_heard_in_order_before_their_jobs_are_done(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change first[] = { of_account(3), of_account(1) }, second = of_account(2);
    struct noting jobs[] = { { .changes = first, .count = 2, .sure = true },
                             { .changes = &second, .count = 1 } };
    store_listen(house->store, hear, &ear);
    give(house, &ear, jobs, 2);
    assert_heard(&ear, (int64_t[]){ 3, 1, 2 }, 3);
    assert_true(jobs[0].heard_at_done >= 2);
    assert_int_equal(jobs[1].heard_at_done, 3);
}

static void test_they_are_heard_behind_the_commits_postbacks(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change change = of_account(1);
    struct noting job = {
        .changes = &change, .count = 1, .publishes = true, .account = house->partner.account
    };
    house_notify(house, house->partner.account, OPENED);
    store_listen(house->store, hear, &ear);
    store_on_fresh(house->store, hear_fresh, &ear);
    give(house, &ear, &job, 1);
    assert_int_equal(ear.count, 1);
    assert_int_equal(ear.fresh_first, 1);
}

static void test_what_a_part_that_is_undone_noted_is_not_heard(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change changes[] = { of_account(1), of_account(2), of_account(3) };
    struct noting jobs[] = { { .changes = &changes[0], .count = 1 },
                             { .changes = &changes[1], .count = 1, .fails = true },
                             { .changes = &changes[2], .count = 1 } };
    store_listen(house->store, hear, &ear);
    give(house, &ear, jobs, 3);
    assert_false(jobs[1].ok);
    assert_heard(&ear, (int64_t[]){ 1, 3 }, 2);
}

/* A sure job that wrote before it failed has no part to go back to: all are run again. */
static void test_a_transaction_that_is_run_again_tells_once(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change changes[] = { of_account(1), of_account(2), of_account(3) };
    struct noting jobs[] = {
        { .changes = &changes[0], .count = 1, .sure = true },
        { .changes = &changes[1],
          .count = 1,
          .sure = true,
          .publishes = true,
          .account = house->partner.account,
          .fails = true },
        { .changes = &changes[2], .count = 1, .sure = true },
    };
    store_listen(house->store, hear, &ear);
    give(house, &ear, jobs, 3);
    assert_true(jobs[0].ok);
    assert_false(jobs[1].ok);
    assert_true(jobs[2].ok);
    assert_heard(&ear, (int64_t[]){ 1, 3 }, 2);
}

/* Were it compared with what another part noted, it would go with that one. */
static void test_what_is_noted_again_outlives_the_part_that_noted_it_first(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change change = of_account(7);
    struct noting jobs[] = { { .changes = &change, .count = 1, .fails = true },
                             { .changes = &change, .count = 1 } };
    store_listen(house->store, hear, &ear);
    give(house, &ear, jobs, 2);
    assert_heard(&ear, (int64_t[]){ 7 }, 1);
}

static void test_what_is_noted_again_and_again_is_heard_once(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change changes[20];
    struct noting job = { .changes = changes, .count = 20 };
    for (size_t i = 0; i < 20; i++)
        changes[i] = of_account(i % 2 == 0 ? 1 : 2);
    store_listen(house->store, hear, &ear);
    give(house, &ear, &job, 1);
    assert_heard(&ear, (int64_t[]){ 1, 2 }, 2);
    give(house, &ear, &job, 1); /* another transaction */
    assert_heard(&ear, (int64_t[]){ 1, 2, 1, 2 }, 4);
}

static void test_what_was_taken_back_in_between_is_heard_again(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change changes[] = { { CHANGE_LANE_DOWN, 1, 6 },  { CHANGE_LANE_DOWN, 2, 7 },
                                { CHANGE_LANE_DOWN, 1, 6 },  { CHANGE_LANE_READY, 1, 6 },
                                { CHANGE_LANE_READY, 1, 6 }, { CHANGE_LANE_DOWN, 1, 6 } };
    struct noting job = { .changes = changes, .count = 6 };
    store_listen(house->store, hear, &ear);
    give(house, &ear, &job, 1);
    assert_heard(&ear, (int64_t[]){ 1, 2, 1, 1 }, 4);
    assert_int_equal(ear.heard[2].kind, CHANGE_LANE_READY);
    assert_int_equal(ear.heard[3].kind, CHANGE_LANE_DOWN);
}

static void test_a_commit_that_fails_tells_nothing(void **state)
{
    struct house *house = *state;
    struct ear ear = { 0 };
    struct change change = of_account(1), later = of_account(2);
    struct noting job = {
        .changes = &change, .count = 1, .publishes = true, .account = house->partner.account
    };
    if (!house_is_a_file(house))
        skip();
    store_listen(house->store, hear, &ear);
    atomic_store(&fault.full, true);
    for (int i = 0; i < 200 && (!job.done || job.ok); i++) { /* until the file had to grow */
        ear.count = 0;
        give(house, &ear, &job, 1);
    }
    atomic_store(&fault.full, false);
    assert_false(job.ok);
    assert_int_equal(ear.count, 0);
    job = (struct noting){ .changes = &later, .count = 1 };
    give(house, &ear, &job, 1);
    assert_heard(&ear, (int64_t[]){ 2 }, 1);
}

static void test_who_has_left_hears_no_more(void **state)
{
    struct house *house = *state;
    struct ear one = { 0 }, two = { 0 };
    struct change change = of_account(1);
    struct noting job = { .changes = &change, .count = 1 };
    store_listen(house->store, hear, &one);
    store_listen(house->store, hear, &two);
    give(house, &one, &job, 1);
    store_unlisten(house->store, &one);
    give(house, &one, &job, 1);
    assert_int_equal(one.count, 1);
    assert_int_equal(two.count, 2);
}

/* ---- what the nouns say ---- */

struct doing {
    struct house *house;
    int64_t notification, postback, id;
};

static bool do_set_state(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    (void)job;
    return notification_set_state(db, doing->house->partner.account, doing->notification,
                                  NOTIFICATION_PAUSED, NULL);
}

static bool do_hold(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    int64_t account;
    (void)job;
    return notification_hold(db, doing->notification, 1, "gone", &account);
}

static bool do_open_points(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    struct opened opened = { 0 };
    (void)job;
    opened_add(&opened, "CustomerId");
    opened_set(db, doing->house->partner.account, &opened);
    opened_clear(&opened);
    return true;
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    (void)job;
    return notification_delete(db, doing->house->partner.account, doing->notification);
}

static bool do_park(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    struct postback postback = { .id = doing->postback,
                                 .notification = doing->notification,
                                 .written = true };
    (void)job;
    postback_park(db, &postback);
    return true;
}

static bool do_retry(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    int64_t notification;
    return postback_retry(job, db, doing->house->partner.account, doing->postback, &notification);
}

static bool do_resend(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    return postback_resend(job, db, doing->house->partner.account, doing->postback, &doing->id);
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    return postback_cancel(job, db, doing->house->partner.account, doing->postback);
}

static bool do_expire(struct job *job, struct db *db, void *with)
{
    struct expiry *expiry = must_alloc(sizeof(*expiry));
    (void)job;
    (void)with;
    expiry->before_ms = db_due_now(db) + 60 * 1000;
    expiry_step(db, expiry, 60);
    free(expiry);
    return true;
}

static bool do_replay(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    struct replay replay = { .account = doing->house->partner.account,
                             .notification = doing->notification,
                             .end_at = db_now(db) };
    bool added = replay_add(job, db, &replay);
    doing->id = replay.id;
    return added;
}

static bool do_maintain(struct job *job, struct db *db, void *with)
{
    char message[] = "";
    struct maintenance maintenance = { .message = message, .expected_end_at = db_now(db) };
    (void)with;
    return maintenance_add(job, db, &maintenance);
}

static bool do_end_maintenance(struct job *job, struct db *db, void *with)
{
    struct maintenance maintenance;
    (void)with;
    bool ended = maintenance_end(job, db, &maintenance);
    maintenance_clear(&maintenance);
    return ended;
}

static bool do_revoke(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    int64_t account = doing->house->partner.account;
    static const unsigned char hash[TOKEN_HASH_BYTES] = { 1 };
    (void)job;
    return token_revoke(db, account, token_add(db, account, SCOPE_API, "", DATE_NONE, hash));
}

static bool do_shut_out(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    int64_t account = doing->house->partner.account;
    struct user_change change = { .active_given = true };
    (void)job;
    int64_t user = user_add(db, account, "a@b.example", "Ann", ROLE_USER, "hash");
    return user_change(db, account, user, &change);
}

static bool do_sign_in(struct job *job, struct db *db, void *with)
{
    struct doing *doing = with;
    static const unsigned char hash[TOKEN_HASH_BYTES] = { 2 };
    (void)job;
    int64_t user =
        user_add(db, doing->house->partner.account, "c@d.example", "Cid", ROLE_USER, "hash");
    session_end(db, hash); /* there is none */
    session_add(db, user, hash, "127.0.0.1", "");
    return true;
}

static bool do_sign_out(struct job *job, struct db *db, void *with)
{
    static const unsigned char hash[TOKEN_HASH_BYTES] = { 2 };
    (void)job;
    (void)with;
    session_end(db, hash);
    return true;
}

static void hears(struct doing *doing, house_step *does, enum change_kind kind, int64_t account,
                  int64_t notification, int64_t id)
{
    struct ear ear = { 0 };
    store_listen(doing->house->store, hear, &ear);
    assert_true(house_do(doing->house, does, doing, NULL));
    store_unlisten(doing->house->store, &ear);
    size_t of_kind = 0;
    for (size_t i = 0; i < ear.count; i++) {
        if (ear.heard[i].kind != kind)
            continue;
        of_kind++;
        assert_int_equal(ear.heard[i].account, account);
        assert_int_equal(ear.heard[i].notification, notification);
        assert_int_equal(ear.heard[i].id, id == -1 ? doing->id : id);
    }
    assert_int_equal(of_kind, 1);
}

/* What is refused, or changes nothing. */
static void hears_nothing(struct doing *doing, house_step *does)
{
    struct ear ear = { 0 };
    store_listen(doing->house->store, hear, &ear);
    house_do(doing->house, does, doing, NULL);
    store_unlisten(doing->house->store, &ear);
    assert_int_equal(ear.count, 0);
}

static void test_whoever_writes_says_what_it_changed(void **state)
{
    struct house *house = *state;
    int64_t account = house->partner.account;
    struct doing doing = { .house = house };
    doing.notification = house_notify(house, account, OPENED);
    doing.postback = house_postback(house, account, OPENED, 0);
    int64_t notification = doing.notification, postback = doing.postback;

    hears_nothing(&doing, do_retry); /* it does not wait */
    assert_true(house_do(house, do_park, &doing, NULL));
    hears(&doing, do_retry, CHANGE_RETRIED, account, notification, postback);
    hears(&doing, do_resend, CHANGE_RESENT, account, notification, -1);
    hears(&doing, do_cancel, CHANGE_CANCELLED, account, notification, postback);
    hears_nothing(&doing, do_cancel);
    hears(&doing, do_expire, CHANGE_CANCELLED, account, notification, doing.id);
    hears_nothing(&doing, do_expire);
    hears(&doing, do_replay, CHANGE_REPLAY, account, notification, -1);
    hears(&doing, do_open_points, CHANGE_NOTIFICATION, account, notification, 0);
    hears_nothing(&doing, do_hold); /* its settings are others by now */
    hears(&doing, do_set_state, CHANGE_NOTIFICATION, account, notification, 0);
    hears(&doing, do_delete, CHANGE_NOTIFICATION, account, notification, 0);
    hears_nothing(&doing, do_delete);
    hears(&doing, do_maintain, CHANGE_MAINTENANCE, 0, 0, 0);
    hears_nothing(&doing, do_maintain);
    hears(&doing, do_end_maintenance, CHANGE_MAINTENANCE, 0, 0, 0);
    hears(&doing, do_revoke, CHANGE_ACCESS, account, 0, 0);
    hears(&doing, do_shut_out, CHANGE_ACCESS, account, 0, 0);
    hears_nothing(&doing, do_sign_in);
    hears(&doing, do_sign_out, CHANGE_ACCESS, 0, 0, 0);
    hears_nothing(&doing, do_sign_out);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_changes_are_heard_in_order_before_their_jobs_are_done),
        IN_HOUSE(test_they_are_heard_behind_the_commits_postbacks),
        IN_HOUSE(test_what_a_part_that_is_undone_noted_is_not_heard),
        IN_HOUSE(test_a_transaction_that_is_run_again_tells_once),
        IN_HOUSE(test_what_is_noted_again_outlives_the_part_that_noted_it_first),
        IN_HOUSE(test_what_is_noted_again_and_again_is_heard_once),
        IN_HOUSE(test_what_was_taken_back_in_between_is_heard_again),
        IN_HOUSE(test_a_commit_that_fails_tells_nothing),
        IN_HOUSE(test_who_has_left_hears_no_more),
        IN_HOUSE(test_whoever_writes_says_what_it_changed),
    };
    fault_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
