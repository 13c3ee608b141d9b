/* notifications_test.c — event notifications on disk: revisions, sealed secrets, states, and what
 * becomes of their postbacks. */
#include "house.h"

#include "model/event.h"
#include "store/direct.h"
#include "store/events.h"
#include "store/notifications.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- steps ---- */

struct setting {
    struct house *house;
    const struct caller *owner;
    const char *url;
    int64_t id; /* of the one added, or changed */
    int revision;
    const char *header; /* its value; NULL: none is set */
};

static struct notification *compile(const struct caller *owner, const char *url)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    struct notification *notification;
    json_t *from = json_pack("{s:s, s:s, s:s, s:s}", "Name", "Orders", "Category",
                             "Action Inquiry Events", "Url", url, "Method", "POST");

    notification_settings_read(&settings, from, &problems);
    notification = notification_compile(&settings, &problems);
    if (notification == NULL)
        fail_msg("%s: %s", problems.items[0].field, problems.items[0].message);
    notification->account = owner->account;
    json_decref(from);
    return notification;
}

static void set_header(struct notification *notification, const char *value)
{
    struct problems problems = { 0 };
    json_t *headers = json_pack("[{s:s, s:s}]", "Name", "X-Api-Key", "Value", value);

    assert_true(notification_headers_read(notification, headers, &problems));
    json_decref(headers);
}

static bool do_add(struct job *job, struct db *db, void *with)
{
    struct setting *mine = with;
    struct notification *notification = compile(mine->owner, mine->url);

    (void)job;
    if (mine->header != NULL)
        set_header(notification, mine->header);
    notification_add(db, notification);
    mine->id = notification->id;
    mine->revision = notification->revision;
    notification_unref(notification);
    return true;
}

static int64_t add_for(struct house *house, const struct caller *owner, const char *header)
{
    struct setting mine = { house, owner, "https://example.test/p?o={OrderId}", 0, 0, header };

    assert_true(house_do(house, do_add, &mine, NULL));
    assert_int_equal(mine.revision, 1);
    return mine.id;
}

struct loading {
    int64_t account, id;
    int revision;
    struct notification *notification;
};

static bool do_load(struct job *job, struct db *db, void *with)
{
    struct loading *mine = with;

    (void)job;
    mine->notification = notification_load(db, mine->account, mine->id, mine->revision);
    return true;
}

/* NULL, or one reference of the caller's. */
static struct notification *load(struct house *house, int64_t account, int64_t id, int revision)
{
    struct loading mine = { .account = account, .id = id, .revision = revision };

    assert_true(house_do(house, do_load, &mine, NULL));
    return mine.notification;
}

static bool do_publish(struct job *job, struct db *db, void *with)
{
    const struct caller *account = with;
    struct event *event =
        event_sample(catalog_type("action_inquiry.opened"), account->account, db_now(db));

    event_publish(job, db, event);
    event_unref(event);
    return true;
}

struct counting {
    int64_t notification;
    int state;
    int64_t count;
};

static bool do_count(struct job *job, struct db *db, void *with)
{
    struct counting *mine = with;
    direct_write_all(db, 0, POSTBACK_FRESH, INT64_MAX);
    struct stmt *find =
        db_prepare(db, "SELECT count(*) FROM postback WHERE notification = ? AND state = ?");

    (void)job;
    db_bind_int(find, 1, mine->notification);
    db_bind_int(find, 2, mine->state);
    if (db_step(find) == DB_ROW)
        mine->count = db_int(find, 0);
    db_finish(find);
    return true;
}

static int64_t postbacks(struct house *house, int64_t notification, enum postback_state state)
{
    struct counting mine = { notification, (int)state, -1 };

    assert_true(house_do(house, do_count, &mine, NULL));
    return mine.count;
}

/* ---- adding and loading ---- */

static void test_what_is_added_is_loaded_ready_to_send_with(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, "s3cret, \"quoted\" \\ and\ttabbed");
    struct notification *loaded = load(house, house->partner.account, id, 0);

    assert_non_null(loaded);
    assert_int_equal(loaded->id, id);
    assert_int_equal(loaded->account, house->partner.account);
    assert_string_equal(loaded->account_sid, house->partner.sid);
    assert_int_equal(loaded->revision, 1);
    assert_int_equal(loaded->state, NOTIFICATION_ACTIVE);
    assert_string_equal(loaded->held_reason, "");
    assert_string_equal(loaded->settings.name, "Orders");
    assert_string_equal(loaded->settings.url, "https://example.test/p?o={OrderId}");
    assert_string_equal(loaded->to.host, "example.test");
    assert_non_null(loaded->path);
    assert_int_equal(loaded->header_count, 1);
    assert_string_equal(loaded->headers[0].name, "X-Api-Key");
    assert_string_equal(loaded->headers[0].value, "s3cret, \"quoted\" \\ and\ttabbed");
    assert_true(loaded->secret.len >= 24); /* made when none was given */
    assert_int_equal(loaded->old_secret.len, 0);
    notification_unref(loaded);
}

static void test_another_account_loads_nothing(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, NULL);
    struct notification *any = load(house, 0, id, 0);

    assert_null(load(house, house->brand.account, id, 0));
    assert_null(load(house, house->partner.account, id + 1, 0));
    assert_null(load(house, house->partner.account, id, 2));
    assert_non_null(any);
    notification_unref(any);
}

/* Neither the header nor the signing secret can be read in the file. */
static bool find_in_row(struct job *job, struct db *db, void *with)
{
    struct stmt *find = db_prepare(db, "SELECT settings, secrets FROM notification_revision");
    const void *sealed;
    size_t len;

    (void)job;
    (void)with;
    assert_int_equal(db_step(find), DB_ROW);
    assert_null(strstr(db_text(find, 0), "pearl-diver"));
    assert_null(strstr(db_text(find, 0), "whsec_"));
    sealed = db_bytes(find, 1, &len);
    assert_true(len > 100);
    assert_null(memmem(sealed, len, "pearl-diver", strlen("pearl-diver")));
    assert_null(memmem(sealed, len, "whsec_", strlen("whsec_")));
    db_finish(find);
    return true;
}

static void test_secrets_cannot_be_read_in_the_rows(void **state)
{
    struct house *house = *state;

    add_for(house, &house->partner, "pearl-diver");
    assert_true(house_do(house, find_in_row, NULL, NULL));
}

static bool damage(struct job *job, struct db *db, void *with)
{
    (void)job;
    db_run(db, db_prepare(db, with));
    return true;
}

static bool damage_seal(struct job *job, struct db *db, void *with)
{
    struct stmt *put = db_prepare(db, "UPDATE notification_revision SET secrets = ?");
    (void)job;
    (void)with;
    db_bind_bytes(put, 1, "\1\2\3", 3);
    db_run(db, put);
    return true;
}

static void test_a_damaged_row_is_not_loaded(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, "x");
    static char json[] = "UPDATE notification_revision SET settings = '{'";

    assert_true(house_do(house, damage_seal, NULL, NULL));
    assert_null(load(house, house->partner.account, id, 0));
    assert_true(house_do(house, damage, json, NULL));
    assert_null(load(house, house->partner.account, id, 0));
}

/* ---- changing ---- */

static bool do_change(struct job *job, struct db *db, void *with)
{
    struct setting *mine = with;
    struct notification *old = notification_load(db, mine->owner->account, mine->id, 0);
    struct notification *notification;
    bool changed;

    (void)job;
    if (old == NULL)
        return false;
    notification = compile(mine->owner, mine->url);
    notification->id = old->id;
    notification->secret = old->secret;
    notification->old_secret = old->secret;
    notification->old_secret_until = 12345;
    if (mine->header != NULL)
        set_header(notification, mine->header);
    changed = notification_change(db, notification);
    mine->revision = notification->revision;
    notification_unref(notification);
    notification_unref(old);
    return changed;
}

static void test_a_change_is_a_new_revision_and_the_old_one_stays(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, "old");
    struct setting change = { house, &house->partner, "https://other.test/", id, 0, "new" };
    struct notification *now, *before;

    assert_true(house_do(house, do_change, &change, NULL));
    assert_int_equal(change.revision, 2);
    now = load(house, house->partner.account, id, 0);
    before = load(house, house->partner.account, id, 1);
    assert_int_equal(now->revision, 2);
    assert_string_equal(now->to.host, "other.test");
    assert_string_equal(now->headers[0].value, "new");
    assert_int_equal(now->old_secret_until, 12345);
    assert_int_equal(now->old_secret.len, now->secret.len);
    assert_int_equal(before->revision, 1);
    assert_string_equal(before->to.host, "example.test");
    assert_string_equal(before->headers[0].value, "old");
    assert_memory_equal(before->secret.bytes, now->secret.bytes, now->secret.len);
    notification_unref(now);
    notification_unref(before);
}

struct state_change {
    int64_t account, id;
    enum notification_state state;
    const char *reason;
};

static bool do_set_state(struct job *job, struct db *db, void *with)
{
    const struct state_change *mine = with;

    (void)job;
    return notification_set_state(db, mine->account, mine->id, mine->state, mine->reason);
}

static void test_the_state_is_changed_by_its_account_or_the_system(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, NULL);
    struct state_change stranger = { house->brand.account, id, NOTIFICATION_PAUSED, NULL };
    struct state_change held = { 0, id, NOTIFICATION_HELD, "It answered 410." };
    struct state_change resumed = { house->partner.account, id, NOTIFICATION_ACTIVE, "unused" };
    struct notification *loaded;

    assert_false(house_do(house, do_set_state, &stranger, NULL));
    assert_true(house_do(house, do_set_state, &held, NULL));
    loaded = load(house, 0, id, 0);
    assert_int_equal(loaded->state, NOTIFICATION_HELD);
    assert_string_equal(loaded->held_reason, "It answered 410.");
    assert_int_equal(loaded->revision, 1); /* a state is no setting */
    notification_unref(loaded);
    assert_true(house_do(house, do_set_state, &resumed, NULL));
    loaded = load(house, 0, id, 0);
    assert_int_equal(loaded->state, NOTIFICATION_ACTIVE);
    assert_string_equal(loaded->held_reason, "");
    notification_unref(loaded);
}

/* ---- events ---- */

static void test_an_event_goes_to_its_accounts_notifications(void **state)
{
    struct house *house = *state;
    int64_t mine = add_for(house, &house->partner, NULL);
    int64_t others = add_for(house, &house->brand, NULL);

    assert_true(house_do(house, do_publish, &house->partner, NULL));
    assert_int_equal(house->fresh, 1);
    assert_int_equal(postbacks(house, mine, POSTBACK_FRESH), 1);
    assert_int_equal(postbacks(house, others, POSTBACK_FRESH), 0);
    add_for(house, &house->partner, NULL); /* one more is known at once */
    assert_true(house_do(house, do_publish, &house->partner, NULL));
    assert_int_equal(house->fresh, 3);
}

static void test_a_paused_ones_events_wait(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, NULL);
    struct state_change pause = { house->partner.account, id, NOTIFICATION_PAUSED, NULL };

    assert_true(house_do(house, do_publish, &house->partner, NULL));
    assert_true(house_do(house, do_set_state, &pause, NULL));
    assert_true(house_do(house, do_publish, &house->partner, NULL));
    assert_int_equal(house->fresh, 1);
    assert_int_equal(postbacks(house, id, POSTBACK_FRESH), 1);
    assert_int_equal(postbacks(house, id, POSTBACK_WAITING), 1);
}

/* ---- deleting ---- */

struct deleting {
    int64_t account, id;
};

static bool do_delete(struct job *job, struct db *db, void *with)
{
    const struct deleting *mine = with;

    (void)job;
    return notification_delete(db, mine->account, mine->id);
}

static void test_deleting_cancels_what_was_not_delivered(void **state)
{
    struct house *house = *state;
    int64_t id = add_for(house, &house->partner, NULL);
    int64_t other = add_for(house, &house->partner, NULL);
    struct state_change pause = { house->partner.account, id, NOTIFICATION_PAUSED, NULL };
    struct deleting stranger = { house->brand.account, id };
    struct deleting mine = { house->partner.account, id };
    struct notification *old;

    assert_true(house_do(house, do_publish, &house->partner, NULL)); /* fresh */
    assert_true(house_do(house, do_set_state, &pause, NULL));
    assert_true(house_do(house, do_publish, &house->partner, NULL)); /* waiting */
    assert_false(house_do(house, do_delete, &stranger, NULL));
    assert_int_equal(postbacks(house, id, POSTBACK_CANCELLED), 0);
    assert_true(house_do(house, do_delete, &mine, NULL));
    assert_false(house_do(house, do_delete, &mine, NULL));
    assert_int_equal(postbacks(house, id, POSTBACK_CANCELLED), 2);
    assert_int_equal(postbacks(house, other, POSTBACK_FRESH), 2);
    assert_null(load(house, house->partner.account, id, 0));
    old = load(house, house->partner.account, id, 1); /* its attempts can still be shown */
    assert_non_null(old);
    notification_unref(old);
    house->fresh = 0;
    assert_true(house_do(house, do_publish, &house->partner, NULL));
    assert_int_equal(house->fresh, 1);
    assert_false(house_do(house, do_set_state, &pause, NULL));
}

struct ids_of {
    int64_t account, *ids;
    size_t count;
};

static bool do_ids(struct job *job, struct db *db, void *with)
{
    struct ids_of *mine = with;

    (void)job;
    mine->count = notification_ids(db, mine->account, &mine->ids);
    return true;
}

static void test_ids_are_listed_without_the_deleted(void **state)
{
    struct house *house = *state;
    int64_t first = add_for(house, &house->partner, NULL);
    int64_t second = add_for(house, &house->brand, NULL);
    int64_t third = add_for(house, &house->partner, NULL);
    struct deleting gone = { house->partner.account, first };
    struct ids_of all = { 0 }, own = { .account = house->partner.account };

    assert_true(house_do(house, do_delete, &gone, NULL));
    assert_true(house_do(house, do_ids, &all, NULL));
    assert_true(house_do(house, do_ids, &own, NULL));
    assert_int_equal(all.count, 2);
    assert_int_equal(all.ids[0], second);
    assert_int_equal(all.ids[1], third);
    assert_int_equal(own.count, 1);
    assert_int_equal(own.ids[0], third);
    free(all.ids);
    free(own.ids);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_what_is_added_is_loaded_ready_to_send_with),
        IN_HOUSE(test_another_account_loads_nothing),
        IN_HOUSE(test_secrets_cannot_be_read_in_the_rows),
        IN_HOUSE(test_a_damaged_row_is_not_loaded),
        IN_HOUSE(test_a_change_is_a_new_revision_and_the_old_one_stays),
        IN_HOUSE(test_the_state_is_changed_by_its_account_or_the_system),
        IN_HOUSE(test_an_event_goes_to_its_accounts_notifications),
        IN_HOUSE(test_a_paused_ones_events_wait),
        IN_HOUSE(test_deleting_cancels_what_was_not_delivered),
        IN_HOUSE(test_ids_are_listed_without_the_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
