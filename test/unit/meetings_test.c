/* meetings_test.c — a change that looks first and then writes, met by another one in between.
 *
 * The other one is run on the same connection at the moment when the look is over, which SQLite
 * tells by its trace.  Whoever writes second must find what the first one wrote: refuse in the
 * words of what there is now, or leave it, and never count twice.
 */
#include "db/sqlite.h"
#include "inquiry_house.h"
#include "postback_house.h"
#include "store/actions.h"
#include "store/dedupe.h"
#include "store/event_types.h"
#include "store/replays.h"
#include "store/support.h"

#define OPENED "action_inquiry.opened"

/* ---- what comes in between ---- */

struct meeting {
    house_step *does; /* looks, then changes */
    void *with;
    const char *after; /* a statement that holds this is the look … */
    const char *sql;   /* … and this comes then; NULL: nothing does */
    int64_t id;        /* its ?1 */
    bool came;
};

static void change_now(sqlite3 *handle, const struct meeting *meeting)
{
    sqlite3_stmt *change;
    assert_int_equal(sqlite3_prepare_v2(handle, meeting->sql, -1, &change, NULL), SQLITE_OK);
    sqlite3_bind_int64(change, 1, meeting->id);
    assert_int_equal(sqlite3_step(change), SQLITE_DONE);
    sqlite3_finalize(change);
}

static int traced(unsigned kind, void *context, void *statement, void *took)
{
    struct meeting *meeting = context;
    (void)kind;
    (void)took;
    if (meeting->came || strstr(sqlite3_sql(statement), meeting->after) == NULL)
        return 0;
    meeting->came = true;
    change_now(sqlite3_db_handle(statement), meeting);
    return 0;
}

static bool do_meet(struct job *job, struct db *db, void *with)
{
    struct meeting *meeting = with;
    if (meeting->sql != NULL)
        sqlite3_trace_v2(sqlite_handle(db), SQLITE_TRACE_PROFILE, traced, meeting);
    bool done = meeting->does(job, db, meeting->with);
    sqlite3_trace_v2(sqlite_handle(db), 0, NULL, NULL);
    return done;
}

static bool meet(struct house *house, struct meeting *meeting, struct error *error)
{
    meeting->came = false;
    bool done = house_do(house, do_meet, meeting, error);
    assert_true(meeting->sql == NULL || meeting->came);
    return done;
}

/* ---- postbacks ---- */

struct postback_call {
    bool (*does)(struct job *job, struct db *db, int64_t account, int64_t id,
                 int64_t *notification);
    int64_t account, id, notification;
};

static bool cancel_one(struct job *job, struct db *db, int64_t account, int64_t id,
                       int64_t *notification)
{
    (void)notification;
    return postback_cancel(job, db, account, id);
}

static bool do_action(struct job *job, struct db *db, void *with)
{
    struct postback_call *action = with;
    return action->does(job, db, action->account, action->id, &action->notification);
}

static bool do_deliver(struct job *job, struct db *db, void *with)
{
    const struct postback *postback = with;
    struct attempt attempt = { .number = 1, .revision = 1, .started_at = 5, .status = 200 };
    (void)job;
    postback_record(db, postback, &attempt, VERDICT_DELIVERED, 0);
    return true;
}

static bool do_park(struct job *job, struct db *db, void *with)
{
    (void)job;
    postback_park(db, with);
    return true;
}

static int64_t pending(struct house *house, int64_t notification)
{
    return house_number(house, "SELECT pending FROM notification_count WHERE notification = ?",
                        notification);
}

static int64_t one_waiting(struct house *house, int64_t *notification)
{
    *notification = house_notify(house, house->partner.account, OPENED);
    int64_t id = house_postback(house, house->partner.account, OPENED, 0);
    struct postback parked = { .id = id, .due_at = INT64_MAX, .written = true };
    assert_true(house_do(house, do_park, &parked, NULL));
    return id;
}

#define THE_LOOK  "SELECT notification, event, bucket, state FROM postback"
#define DELIVERED "UPDATE postback SET state = 2, finished_at = 7 WHERE id = ?1"

static void test_a_cancel_meets_a_delivery(void **state)
{
    struct house *house = *state;
    int64_t notification, id = one_waiting(house, &notification);
    struct postback_call cancel = { .does = cancel_one,
                                    .account = house->partner.account,
                                    .id = id };
    struct meeting meeting = {
        .does = do_action, .with = &cancel, .after = THE_LOOK, .sql = DELIVERED, .id = id
    };
    struct error error = { 0 };

    /* it is delivered between the look and the change: the cancel is refused, and counts nothing */
    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "has ended already: DELIVERED"));
    assert_int_equal(pending(house, notification), 1); /* the meeting's was undone with the job */

    /* one after the other: the cancel first, and it arrives all the same … */
    struct postback postback = { .id = id, .notification = notification, .written = true };
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
    assert_int_equal(pending(house, notification), 0);
    assert_true(house_do(house, do_deliver, &postback, NULL));
    assert_int_equal(state_of(house, id), POSTBACK_DELIVERED);
    assert_int_equal(pending(house, notification), 0);

    /* … and the delivery first */
    postback.id = cancel.id = house_postback(house, house->partner.account, OPENED, 0);
    assert_true(house_do(house, do_deliver, &postback, NULL));
    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_int_equal(state_of(house, cancel.id), POSTBACK_DELIVERED);
    assert_int_equal(pending(house, notification), 0);
}

static void test_a_retry_meets_a_delivery(void **state)
{
    struct house *house = *state;
    int64_t notification, id = one_waiting(house, &notification);
    struct postback_call retry = { .does = postback_retry,
                                   .account = house->partner.account,
                                   .id = id };
    struct meeting meeting = {
        .does = do_action, .with = &retry, .after = THE_LOOK, .sql = DELIVERED, .id = id
    };
    struct error error = { 0 };

    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "is not waiting any more"));
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
}

/* ---- event notifications ---- */

struct gone {
    int64_t id, account;
    int revision;
};

static bool do_hold(struct job *job, struct db *db, void *with)
{
    struct gone *gone = with;
    (void)job;
    return notification_hold(db, gone->id, gone->revision, "gone", &gone->account);
}

static bool do_change(struct job *job, struct db *db, void *with)
{
    struct notification *changed = house_compile(*(int64_t *)with, OPENED, 0);
    (void)job;
    changed->id = ((int64_t *)with)[1];
    bool done = notification_change(db, changed);
    notification_unref(changed);
    return done;
}

static int64_t notification_state_of(struct house *house, int64_t id)
{
    return house_number(house, "SELECT state FROM notification WHERE id = ?", id);
}

static void test_a_410_meets_an_edit(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, OPENED);
    int64_t whose[2] = { house->partner.account, id };
    struct gone gone = { .id = id, .revision = 1 };
    struct error error;

    /* the owner is first: what the old URL answered holds nothing */
    assert_true(house_do(house, do_change, whose, &error));
    assert_false(house_do(house, do_hold, &gone, &error));
    assert_int_equal(notification_state_of(house, id), NOTIFICATION_ACTIVE);
    /* the answer is first */
    gone.revision = 2;
    assert_true(house_do(house, do_hold, &gone, &error));
    assert_int_equal(gone.account, house->partner.account);
    assert_int_equal(notification_state_of(house, id), NOTIFICATION_HELD);
    assert_false(house_do(house, do_hold, &gone, &error)); /* told once */
}

static bool do_delete(struct job *job, struct db *db, void *with)
{
    (void)job;
    return notification_delete(db, *(int64_t *)with, ((int64_t *)with)[1]);
}

static void test_two_deletions_meet(void **state)
{
    struct house *house = *state;
    int64_t id = house_notify(house, house->partner.account, OPENED);
    int64_t whose[2] = { house->partner.account, id };
    struct meeting meeting = { .does = do_delete,
                               .with = whose,
                               .after = "SELECT account FROM notification",
                               .sql = "UPDATE notification SET deleted_at = 9 WHERE id = ?1",
                               .id = id };
    struct error error;

    assert_false(meet(house, &meeting, &error));
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
    assert_false(meet(house, &meeting, &error));
}

/* ---- event types ---- */

struct added_type {
    const char *name;
    int number;
    enum event_type_saved saved;
};

static bool do_add_type(struct job *job, struct db *db, void *with)
{
    struct added_type *added = with;
    struct problems problems = { 0 };
    json_t *definition =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:s}]}", "Name", added->name, "Meaning", "m",
                  "DataPoints", "Name", "P", "Type", "text", "Meaning", "m", "Sample", "s");
    struct event_type *type = event_type_read(definition, NULL, &problems);
    (void)job;
    assert_int_equal(problems.count, 0);
    json_decref(definition);
    added->saved = event_type_save(db, type);
    added->number = type->number;
    event_type_free(type);
    return added->saved == EVENT_TYPE_SAVED;
}

#define OTHER_TYPE(name)                                                                           \
    "INSERT INTO event_type (number, name, definition, created_at) "                               \
    "VALUES (?1, '" name "', '{}', 1)"

static void test_two_new_event_types_meet(void **state)
{
    struct house *house = *state;
    struct added_type added = { .name = "shop.sold" };
    struct meeting meeting = { .does = do_add_type,
                               .with = &added,
                               .after = "SELECT max(number) FROM event_type",
                               .sql = OTHER_TYPE("shop.other"),
                               .id = CATALOG_ADDED_FIRST };
    struct error error;

    assert_true(meet(house, &meeting, &error)); /* it takes the next number */
    assert_int_equal(added.number, CATALOG_ADDED_FIRST + 1);
    added.name = "shop.gone";
    meeting.sql = OTHER_TYPE("shop.gone");
    meeting.id = CATALOG_ADDED_FIRST + 2;
    assert_false(meet(house, &meeting, &error));
    assert_int_equal(added.saved, EVENT_TYPE_TAKEN);
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
    assert_false(meet(house, &meeting, &error)); /* the other order */
    assert_int_equal(added.saved, EVENT_TYPE_TAKEN);
}

/* ---- what is there once ---- */

/* Looks for a thing and adds it where there is none; another one has added it in between.  When
 * this is run again, that one is on disk. */
struct once {
    struct house *house;
    bool (*find)(struct db *db, const struct once *once);
    bool (*add)(struct job *job, struct db *db, const struct once *once);
    int runs;
    bool found;
};

static bool do_once(struct job *job, struct db *db, void *with)
{
    struct once *once = with;
    bool again = once->runs++ > 0;
    if (again)
        assert_true(once->add(job, db, once));
    once->found = once->find(db, once);
    if (once->found)
        return true;
    assert_false(again);
    assert_true(once->add(job, db, once));
    assert_false(db_failed(db));
    bool done = once->add(job, db, once);
    assert_int_equal(db_failure(db), DB_RETRY);
    return done;
}

static void expect_once(struct once *once)
{
    struct error error;
    assert_true(house_do(once->house, do_once, once, &error));
    assert_int_equal(once->runs, 2);
    assert_true(once->found);
}

static bool find_key(struct db *db, const struct once *once)
{
    int64_t id;
    return dedupe_find(db, once->house->partner.account, "order 77", &id, 1) > 0;
}

static bool add_key(struct job *job, struct db *db, const struct once *once)
{
    int64_t id = db_new_id(db);
    (void)job;
    dedupe_add(db, once->house->partner.account, "order 77", &id, 1);
    return true;
}

static void test_two_events_of_one_dedupe_key_meet(void **state)
{
    struct once once = { .house = *state, .find = find_key, .add = add_key };
    expect_once(&once);
    assert_int_equal(house_number(*state, "SELECT count(*) FROM event_dedupe WHERE account = ?",
                                  once.house->partner.account),
                     1);
}

static bool find_order(struct db *db, const struct once *once)
{
    return action_of_order(db, once->house->tracker, "A-77") != 0;
}

static bool add_order(struct job *job, struct db *db, const struct once *once)
{
    struct action action = { .partner = once->house->partner.account,
                             .brand = once->house->brand.account,
                             .campaign = once->house->campaign,
                             .campaign_name = must_copy("C"),
                             .tracker = once->house->tracker,
                             .tracker_name = must_copy("T"),
                             .order_id = must_copy("A-77"),
                             .status = ACTION_PENDING,
                             .amount = MONEY_NONE,
                             .payout = MONEY_NONE,
                             .currency = "EUR",
                             .event_at = db_now(db),
                             .created_at = db_now(db) };
    action.referring_type = action_referring_type("DATAPOST");
    bool tracked = action_track(job, db, &action);
    action_free(&action);
    return tracked;
}

static void test_two_tracking_postbacks_of_one_order_meet(void **state)
{
    struct once once = { .house = *state, .find = find_order, .add = add_order };
    expect_once(&once);
    assert_int_equal(actions(once.house), 1);
}

/* ---- an action's change ---- */

struct cheaper {
    struct house *house;
    int64_t id;
    int runs;
};

static bool do_cheaper(struct job *job, struct db *db, void *with)
{
    struct cheaper *mine = with;
    struct action_change change;
    struct problems problems = { 0 };
    enum action_step step;
    int64_t id;
    json_t *from = json_pack("{s:I, s:s}", "ActionId", (json_int_t)mine->id, "Amount", "5");
    mine->runs++;
    action_change_read(&change, from, false, NULL, &problems);
    bool done = action_change(job, db, &mine->house->brand, &change, &problems, &id, &step);
    action_change_free(&change);
    problems_free(&problems);
    json_decref(from);
    return done;
}

static void test_two_changes_of_an_action_meet(void **state)
{
    struct house *house = *state;
    struct once sold = { .house = house, .find = find_order, .add = add_order };
    struct error error;
    expect_once(&sold);
    struct cheaper mine = { .house = house,
                            .id = house_number(house, "SELECT id FROM action WHERE brand = ?",
                                               house->brand.account) };
    struct meeting meeting = { .does = do_cheaper,
                               .with = &mine,
                               .after = "FROM action a ",
                               .sql = "UPDATE action SET revision = revision + 1 WHERE id = ?1",
                               .id = mine.id };
    assert_true(meet(house, &meeting, &error));
    assert_int_equal(mine.runs, 2); /* the first is undone: it did not see what was written */
    assert_int_equal(house_number(house, "SELECT amount FROM action WHERE id = ?", mine.id), 500);
    assert_int_equal(
        house_number(house, "SELECT count(*) FROM action_update WHERE action = ?", mine.id), 2);
}

/* ---- replays ---- */

static bool do_replay(struct job *job, struct db *db, void *with)
{
    return replay_add(job, db, with);
}

struct replay_step {
    int64_t account, notification, id;
    int64_t from;
    struct replay_look look;
};

static bool do_replay_cancel(struct job *job, struct db *db, void *with)
{
    struct replay_step *step = with;
    return replay_cancel(job, db, step->account, step->notification, step->id);
}

static bool do_replay_step(struct job *job, struct db *db, void *with)
{
    struct replay_step *step = with;
    (void)job;
    replay_write(db, step->id, step->from, &step->look);
    return true;
}

static void test_a_replays_step_meets_its_cancel(void **state)
{
    struct house *house = *state;
    int64_t notification = house_notify(house, house->partner.account, OPENED);
    struct published published;
    house_publish(house, house->partner.account, OPENED, 0, &published);
    house_free_list(&published.fresh);
    struct replay replay = { .account = house->partner.account,
                             .notification = notification,
                             .start_at = 1577836800000,
                             .end_at = INT64_MAX / 2 };
    struct error error = { 0 };
    assert_true(house_do(house, do_replay, &replay, &error));
    struct replay_step step = { .account = house->partner.account,
                                .notification = notification,
                                .id = replay.id,
                                .from = house_number(house, "SELECT next FROM replay WHERE id = ?",
                                                     replay.id) };
    step.look = (struct replay_look){ .found = 1, .count = 1, .at = published.event + 1 };
    step.look.items[0] = (struct replay_item){ .event = published.event };
    struct meeting meeting = { .does = do_replay_step,
                               .with = &step,
                               .after = "FROM replay",
                               .sql = "UPDATE replay SET state = 3 WHERE id = ?1",
                               .id = replay.id };

    /* cancelled between the look and the step: nothing is written */
    assert_true(meet(house, &meeting, &error));
    assert_int_equal(house_number(house, "SELECT sent FROM replay WHERE id = ?", replay.id), 0);
    assert_int_equal(pending(house, notification), 1);
    /* cancelled already: refused, and it stays as it is */
    meeting = (struct meeting){ .does = do_replay_cancel, .with = &step };
    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "has ended already"));
}

/* ---- inquiries ---- */

static void test_a_decision_meets_a_close(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A1", "1.00");
    struct deciding accept = decision_of(house, id, STEP_ACCEPT);
    struct meeting meeting = { .does = do_decide,
                               .with = &accept,
                               .after = "FROM inquiry",
                               .sql = "UPDATE inquiry SET state = 2 WHERE id = ?1",
                               .id = id };
    struct error error = { 0 };

    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "was changed just now"));
    assert_int_equal(actions(house), 0); /* no action of a decision that was not taken */
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
    assert_int_equal(actions(house), 1);
}

static void test_a_close_meets_a_decision(void **state)
{
    struct house *house = *state;
    int64_t id = open_for(house, "A1", "1.00");
    struct stepping close = { &house->partner, id, STEP_CLOSE, NULL };
    struct meeting meeting = { .does = do_step,
                               .with = &close,
                               .after = "FROM inquiry",
                               .sql = "UPDATE inquiry SET status = 3 WHERE id = ?1",
                               .id = id };
    struct error error = { 0 };

    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
    expect_events(house, house->partner.account, id, "action_inquiry.opened action_inquiry.closed");
}

/* ---- support requests ---- */

struct answering {
    struct house *house;
    struct support_request request;
    enum support_state to;
    bool by_operator;
};

static bool do_ask(struct job *job, struct db *db, void *with)
{
    struct answering *mine = with;
    struct problems problems = { 0 };
    return support_add(job, db, &mine->request, "Ann", "Help.", &problems);
}

static bool do_answer(struct job *job, struct db *db, void *with)
{
    struct answering *mine = with;
    struct support_request request;
    assert_true(support_find(db, 0, mine->request.id, &request));
    bool done =
        support_write(job, db, &request, mine->house->operator.account, "Op", "Done.", mine->to);
    support_free(&request);
    return done;
}

static void test_an_answer_meets_a_close(void **state)
{
    struct house *house = *state;
    struct answering mine = { .house = house, .to = SUPPORT_ANSWERED };
    mine.request = (struct support_request){ .account = house->partner.account,
                                             .kind = SUPPORT_OTHER,
                                             .subject = (char *)"Why?" };
    struct error error = { 0 };
    assert_true(house_do(house, do_ask, &mine, NULL));
    struct meeting meeting = { .does = do_answer,
                               .with = &mine,
                               .after = "FROM support_message WHERE request",
                               .sql = "UPDATE support_request SET state = 3 WHERE id = ?1",
                               .id = mine.request.id };

    assert_false(meet(house, &meeting, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_int_equal(house_number(house, "SELECT count(*) FROM support_message WHERE request = ?",
                                  mine.request.id),
                     1);
    meeting.sql = NULL;
    assert_true(meet(house, &meeting, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_a_cancel_meets_a_delivery),
        IN_HOUSE(test_a_retry_meets_a_delivery),
        IN_HOUSE(test_a_410_meets_an_edit),
        IN_HOUSE(test_two_deletions_meet),
        IN_HOUSE(test_two_events_of_one_dedupe_key_meet),
        IN_HOUSE(test_two_tracking_postbacks_of_one_order_meet),
        IN_HOUSE(test_two_changes_of_an_action_meet),
        IN_HOUSE(test_two_new_event_types_meet),
        IN_HOUSE(test_a_replays_step_meets_its_cancel),
        IN_HOUSE(test_a_decision_meets_a_close),
        IN_HOUSE(test_a_close_meets_a_decision),
        IN_HOUSE(test_an_answer_meets_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
