/* news_test.c — two stores on one PostgreSQL: what one has answered is in force for the other's
 * next transaction, and each change is heard once, in order. */
#include "postback_house.h"

#include "base/metrics.h"
#include "db/tx.h"
#include "postgres_server.h"
#include "store/event_types.h"
#include "store/fan_outs.h"
#include "store/news.h"
#include "until.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OPENED "action_inquiry.opened"
#define CLOSED "action_inquiry.closed"

enum { HEARD_MOST = 1024 };

struct heard {
    struct change changes[HEARD_MOST];
    size_t count;
};

struct pair {
    struct house *a, *b;
    struct heard at_a, at_b; /* of other nodes */
    uv_timer_t alive[2];     /* as a server's loops are, also while nothing is asked for */
};

static void hear(void *context, const struct change *change)
{
    struct heard *heard = context;
    if (change->from != 0 && heard->count < HEARD_MOST)
        heard->changes[heard->count++] = *change;
}

/* ---- two houses, of which the first one has filled the database ---- */

static struct house *house_new(const char *schema)
{
    struct house *house = must_alloc(sizeof(*house));
    snprintf(house->directory, sizeof(house->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(house->directory) == NULL)
        die("no directory for a test");
    uv_loop_init(&house->loop);
    postgres_server_uri(house->uri, postgres_server.folder, schema);
    return house;
}

/* Under the key of the first one. */
static void open_beside(struct house *house, const struct house *first, int node)
{
    struct error error = { 0 };
    struct store_config config = house_config(house);
    char key[96];
    snprintf(key, sizeof(key), "%s/secret.key", first->directory);
    config.key_file = key;
    config.node = node;
    house->store = store_open(&config, &error);
    if (house->store == NULL)
        die("%s", error.message);
    store_on_fresh(house->store, house_fresh, house);
}

static void never(uv_timer_t *timer)
{
    (void)timer;
}

static int set_up(void **state)
{
    struct pair *pair = must_alloc(sizeof(*pair));
    char schema[64];
    snprintf(schema, sizeof(schema), "%s", postgres_server_schema());
    pair->a = house_new(schema);
    pair->b = house_new(schema);
    open_beside(pair->a, pair->a, 1);
    if (!house_do(pair->a, house_fill, pair->a, NULL))
        return -1;
    open_beside(pair->b, pair->a, 2);
    store_listen(pair->a->store, hear, &pair->at_a);
    store_listen(pair->b->store, hear, &pair->at_b);
    for (int i = 0; i < 2; i++) {
        uv_timer_init(i == 0 ? &pair->a->loop : &pair->b->loop, &pair->alive[i]);
        uv_timer_start(&pair->alive[i], never, INT32_MAX, 0);
    }
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    void *a = pair->a, *b = pair->b;
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&pair->alive[i], NULL);
    house_teardown(&b);
    house_teardown(&a);
    catalog_forget_added();
    free(pair);
    return 0;
}

/* ---- what they do ---- */

static bool do_nothing(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)db;
    (void)with;
    return true;
}

static void met_done(struct job *job, bool ok)
{
    struct house_job *mine = container_of(job, struct house_job, job);
    assert_true(ok);
    *(bool *)mine->with = true;
    free(mine);
}

static bool do_sql(struct job *job, struct db *db, void *with)
{
    (void)job;
    db_run(db, db_prepare_once(db, with));
    return !db_failed(db);
}

static void sql(struct house *house, const char *text)
{
    assert_true(house_do(house, do_sql, (void *)(uintptr_t)text, NULL));
}

static bool do_note(struct job *job, struct db *db, void *with)
{
    (void)job;
    tx_note(db_tx(db), *(const struct change *)with);
    return true;
}

static void note(struct house *house, struct change change)
{
    assert_true(house_do(house, do_note, &change, NULL));
}

/* The loop takes what the writer's thread has put there. */
static void hear_all(struct house *house, const struct heard *heard, size_t count)
{
    store_poke(house->store);
    UNTIL((uv_run(&house->loop, UV_RUN_NOWAIT), heard->count >= count));
    assert_int_equal(heard->count, count);
}

/* How many postbacks an event of the partner's makes on this node. */
static size_t published(struct house *house, int64_t account, const char *type)
{
    struct published out = { .house = house, .account = account, .type = type, .direct = true };
    house_publish_this(house, &out);
    size_t count = 0;
    for (struct list *node; (node = list_first(&out.fresh)) != NULL; count++) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
    return count;
}

/* ---- hearing ---- */

static void test_each_change_is_heard_once_and_in_order(void **state)
{
    struct pair *pair = *state;
    for (int i = 1; i <= 100; i++)
        note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, i });
    hear_all(pair->b, &pair->at_b, 100);
    for (int i = 1; i <= 100; i++) {
        assert_int_equal(pair->at_b.changes[i - 1].kind, CHANGE_REPLAY);
        assert_int_equal(pair->at_b.changes[i - 1].account, 5);
        assert_int_equal(pair->at_b.changes[i - 1].notification, 6);
        assert_int_equal(pair->at_b.changes[i - 1].id, i);
        assert_int_equal(pair->at_b.changes[i - 1].from, pair->at_b.changes[0].from);
    }
    note(pair->b, (struct change){ CHANGE_RETRIED, 7, 8, 9 });
    hear_all(pair->a, &pair->at_a, 1);
    note(pair->a, (struct change){ CHANGE_RETRIED, 7, 8, 10 });
    hear_all(pair->b, &pair->at_b, 101); /* and nothing of its own */
    assert_int_equal(pair->at_b.changes[100].id, 10);
}

static void test_it_is_heard_within_a_second_without_a_word(void **state)
{
    struct pair *pair = *state;
    note(pair->a, (struct change){ CHANGE_ACCESS, 5 });
    UNTIL((uv_run(&pair->b->loop, UV_RUN_NOWAIT), pair->at_b.count == 1));
    assert_int_equal(pair->at_b.changes[0].kind, CHANGE_ACCESS);
}

static bool do_note_and_fail(struct job *job, struct db *db, void *with)
{
    do_note(job, db, with);
    error_set(&job->error, ERROR_CONFLICT, "no");
    return false;
}

static bool do_break(struct job *job, struct db *db, void *with)
{
    do_note(job, db, with);
    db_run(db, db_prepare(db, "INSERT INTO news_version (one, number) VALUES (1, 1)"));
    return true;
}

static void test_what_is_undone_leaves_no_gap(void **state)
{
    struct pair *pair = *state;
    struct change change = { CHANGE_REPLAY, 5, 6, 1 };
    note(pair->a, change);
    assert_false(house_do(pair->a, do_note_and_fail, &change, NULL));
    assert_false(house_do(pair->a, do_break, &change, NULL));
    sql(pair->a, "UPDATE news_version SET number = number"); /* notes nothing */
    change.id = 2;
    note(pair->a, change);
    hear_all(pair->b, &pair->at_b, 2);
    assert_int_equal(pair->at_b.changes[0].id, 1);
    assert_int_equal(pair->at_b.changes[1].id, 2);
    assert_int_equal(house_number(pair->a, "SELECT count(*) - max(seq) FROM news", 0), 0);
}

static void test_who_joins_begins_at_the_present(void **state)
{
    struct pair *pair = *state;
    store_close(pair->b->store);
    note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, 1 });
    open_beside(pair->b, pair->a, 2);
    store_listen(pair->b->store, hear, &pair->at_b);
    note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, 2 });
    hear_all(pair->b, &pair->at_b, 1);
    assert_int_equal(pair->at_b.changes[0].id, 2);
}

static void test_who_was_away_for_too_long_begins_anew(void **state)
{
    struct pair *pair = *state;
    note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, 1 });
    hear_all(pair->b, &pair->at_b, 1);
    /* three rows of a node that B has heard up to 4; two of them are gone */
    sql(pair->a, "INSERT INTO news (node, seq, at_ms, body) VALUES (99, 3, 1, '1 p5,6,3')");
    hear_all(pair->b, &pair->at_b, 3);
    assert_int_equal(pair->at_b.changes[1].kind, CHANGE_EVERYTHING);
    assert_int_equal(pair->at_b.changes[1].from, 100);
    assert_int_equal(pair->at_b.changes[2].id, 3);
}

static void test_a_node_that_comes_later_is_heard_from_its_first_row(void **state)
{
    struct pair *pair = *state;
    sql(pair->a, "INSERT INTO news (node, seq, at_ms, body) VALUES (99, 1, 1, '1 p5,6,1'), "
                 "(99, 2, 1, '1 p5,6,2')");
    hear_all(pair->b, &pair->at_b, 2);
    assert_int_equal(pair->at_b.changes[0].id, 1);
    assert_int_equal(pair->at_b.changes[1].id, 2);
}

static void test_what_another_release_says_is_passed_over(void **state)
{
    struct pair *pair = *state;
    sql(pair->a, "INSERT INTO news (node, seq, at_ms, body) VALUES "
                 "(99, 1, 1, '1 Q5,6 p7,8,9,10,11,12 ?'), (99, 2, 1, '2 p7')");
    hear_all(pair->b, &pair->at_b, 2);
    assert_int_equal(pair->at_b.changes[0].kind, CHANGE_REPLAY);
    assert_int_equal(pair->at_b.changes[0].account, 7);
    assert_int_equal(pair->at_b.changes[0].due_at, 10);
    assert_int_equal(pair->at_b.changes[1].kind, CHANGE_EVERYTHING);
}

static bool do_expire(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(int *)with = news_expire(db, 10);
    return true;
}

static void test_what_all_have_heard_is_deleted(void **state)
{
    struct pair *pair = *state;
    int rows;
    sql(pair->a, "INSERT INTO news (node, seq, at_ms, body) VALUES (99, 1, 1, '1'), "
                 "(99, 2, 2, '1'), (99, 3, 3, '1'), (98, 7, 1, '1')");
    note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, 1 });
    assert_true(house_do(pair->a, do_expire, &rows, NULL));
    assert_int_equal(rows, 2);
    assert_int_equal(house_number(pair->a, "SELECT seq FROM news WHERE node = 99", 0), 3);
    assert_int_equal(house_number(pair->a, "SELECT seq FROM news WHERE node = 98", 0), 7);
    assert_int_equal(house_number(pair->a, "SELECT count(*) FROM news", 0), 3);
}

/* ---- the word that there is some ---- */

struct asides {
    struct db_source *source;
    struct id_source ids;
    struct db *a, *b;
};

static void tell(struct db *db)
{
    db_begin(db, 1, 1);
    db_tell(db);
    assert_true(db_commit(db));
}

static bool readable(struct db *db)
{
    struct pollfd socket = { .fd = db_socket(db), .events = POLLIN };
    return poll(&socket, 1, 0) == 1;
}

static void test_others_are_told_and_oneself_is_not(void **state)
{
    struct pair *pair = *state;
    struct asides asides = { .ids = { 0 } };
    struct error error = { 0 };
    const struct db_where where = { .uri = pair->a->uri };
    bool fresh;
    asides.source = db_source_open(&where, &fresh, &error);
    assert_non_null(asides.source);
    asides.a = db_open(asides.source, DB_ASIDE, &asides.ids, &error);
    asides.b = db_open(asides.source, DB_ASIDE, &asides.ids, &error);
    assert_true(asides.a != NULL && asides.b != NULL);
    assert_false(db_told(asides.a));
    tell(asides.b);
    UNTIL(readable(asides.a));
    assert_true(db_told(asides.a));
    assert_false(db_told(asides.b));
    tell(asides.a);
    UNTIL(readable(asides.b));
    assert_true(db_told(asides.b));
    assert_false(db_told(asides.b));
    db_close(asides.a);
    db_close(asides.b);
    db_source_close(asides.source);
}

/* By whoever commits news, and gathered. */
static void test_what_is_committed_is_told(void **state)
{
    struct pair *pair = *state;
    int64_t before = metric_value(METRIC_NEWS), sent = metric_value(METRIC_NEWS_SENT);
    for (int i = 1; i <= 200; i++)
        note(pair->a, (struct change){ CHANGE_REPLAY, 5, 6, i });
    UNTIL((uv_run(&pair->b->loop, UV_RUN_NOWAIT), pair->at_b.count == 200));
    assert_int_equal(metric_value(METRIC_NEWS) - before, 200);
    struct house_job *mine = must_alloc(sizeof(*mine));
    bool done = false; /* what was sent is counted with the next job aside */
    *mine = (struct house_job){ .job = { .run = house_run, .done = met_done },
                                .does = do_nothing,
                                .with = &done };
    store_aside(pair->a->store, &mine->job);
    UNTIL((uv_run(&pair->a->loop, UV_RUN_NOWAIT), done));
    assert_in_range(metric_value(METRIC_NEWS_SENT) - sent, 1, 200);
}

/* ---- what writers rely on ---- */

static void test_a_new_notification_misses_no_event_of_the_other_node(void **state)
{
    struct pair *pair = *state;
    int64_t account = pair->a->partner.account;
    assert_int_equal(published(pair->b, account, OPENED), 0); /* B remembers that there is none */
    house_notify(pair->a, account, OPENED);
    assert_int_equal(published(pair->b, account, OPENED), 1);
    assert_int_equal(published(pair->a, account, OPENED), 1);
    house_notify(pair->b, account, OPENED);
    assert_int_equal(published(pair->a, account, OPENED), 2);
    assert_int_equal(published(pair->b, account, OPENED), 2);
}

struct edit {
    int64_t account, notification;
    bool pause;
};

static bool do_state(struct job *job, struct db *db, void *with)
{
    const struct edit *edit = with;
    (void)job;
    return notification_set_state(db, edit->account, edit->notification,
                                  edit->pause ? NOTIFICATION_PAUSED : NOTIFICATION_ACTIVE, "");
}

static void set_state(struct house *house, int64_t notification, bool pause)
{
    struct edit edit = { house->partner.account, notification, pause };
    if (edit.account == 0)
        fail();
    assert_true(house_do(house, do_state, &edit, NULL));
}

static void test_an_edit_is_in_force_in_the_next_event_of_the_other_node(void **state)
{
    struct pair *pair = *state;
    int64_t account = pair->a->partner.account;
    int64_t notification = house_notify(pair->a, account, OPENED);
    pair->b->partner = pair->a->partner;
    assert_int_equal(published(pair->b, account, OPENED), 1);
    for (int i = 0; i < 3; i++) { /* one that is paused waits on disk */
        set_state(pair->a, notification, true);
        assert_int_equal(published(pair->b, account, OPENED), 0);
        set_state(pair->b, notification, false);
        assert_int_equal(published(pair->a, account, OPENED), 1);
    }
}

struct counted {
    struct change change;
    int runs;
};

static bool do_count(struct job *job, struct db *db, void *with)
{
    struct counted *counted = with;
    counted->runs++;
    return do_note(job, db, &counted->change);
}

static int runs(struct house *house)
{
    static int id;
    struct counted counted = { .change = { CHANGE_NOTIFICATION, 5, ++id } };
    assert_true(house_do(house, do_count, &counted, NULL));
    return counted.runs;
}

static void test_a_node_waits_for_no_change_of_its_own(void **state)
{
    struct pair *pair = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(runs(pair->a), 1);
    hear_all(pair->b, &pair->at_b, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(runs(pair->b), 1);
}

/* What the job has sent is answered only when its node's last row is looked up. */
static void test_a_last_row_that_was_not_found_out_is_looked_up_again(void **state)
{
    struct pair *pair = *state;
    struct change change = { CHANGE_REPLAY, 5, 6, 1 };
    note(pair->b, change);
    store_close(pair->b->store);
    open_beside(pair->b, pair->a, 2);
    struct house_job sure = { .job = { .run = house_run, .sure = true },
                              .does = do_break,
                              .with = &change };
    assert_false(store_run_now(pair->b->store, &sure.job));
    assert_int_equal(runs(pair->b), 1);
    hear_all(pair->a, &pair->at_a, 2);
}

/* Each run of B's is met by a change of A's, until A has to wait. */
struct met {
    struct pair *pair;
    int runs;
    bool committed; /* A's last one */
};

static bool do_raise(struct job *job, struct db *db, void *with)
{
    struct change change = { CHANGE_NOTIFICATION, 5, 6 };
    (void)with;
    return do_note(job, db, &change);
}

static bool do_meet(struct job *job, struct db *db, void *with)
{
    struct met *met = with;
    struct house_job *raise = must_alloc(sizeof(*raise));
    (void)job;
    *raise = (struct house_job){ .job = { .run = house_run, .done = met_done },
                                 .does = do_raise,
                                 .with = &met->committed };
    met->committed = false;
    store_write(met->pair->a->store, &raise->job);
    if (++met->runs <= 4)
        UNTIL((uv_run(&met->pair->a->loop, UV_RUN_NOWAIT), met->committed));
    tx_note(db_tx(db), (struct change){ CHANGE_REPLAY, 5, 6, met->runs });
    return true;
}

static void test_nobody_is_kept_from_writing_for_ever(void **state)
{
    struct pair *pair = *state;
    struct met met = { .pair = pair };
    assert_true(house_do(pair->b, do_meet, &met, NULL));
    assert_int_equal(met.runs, 5);
    UNTIL((uv_run(&pair->a->loop, UV_RUN_NOWAIT), met.committed));
}

/* What this transaction did before it heard A's change may rest on what was before it. */
static bool do_meet_and_hear(struct job *job, struct db *db, void *with)
{
    struct met *met = with;
    struct change change = { CHANGE_NOTIFICATION, 5, 6 };
    if (met->runs++ == 0)
        assert_true(house_do(met->pair->a, do_note, &change, NULL));
    tx_hear_now(db_tx(db));
    return do_note(job, db, &change);
}

static void test_what_is_heard_within_a_transaction_is_too_late_for_it(void **state)
{
    struct pair *pair = *state;
    struct met met = { .pair = pair };
    assert_true(house_do(pair->b, do_meet_and_hear, &met, NULL));
    assert_int_equal(met.runs, 2);
}

/* ---- fan-outs ---- */

static bool do_fan_out(struct job *job, struct db *db, void *with)
{
    const struct fan_out fan_out = { .event = *(const int64_t *)with, .account = 5, .last = 9 };
    (void)job;
    fan_out_add(db, &fan_out);
    return true;
}

static bool do_end_fan_out(struct job *job, struct db *db, void *with)
{
    const struct fan_out fan_out = { .event = *(const int64_t *)with, .account = 5 };
    (void)job;
    fan_out_end(db, &fan_out);
    return true;
}

/* In a transaction that writes, as one that publishes does. */
static bool do_ask_fan_outs(struct job *job, struct db *db, void *with)
{
    (void)job;
    *(size_t *)with = fan_outs_of(db, 5);
    tx_note(db_tx(db), (struct change){ CHANGE_REPLAY, 5, 6, 7 });
    return true;
}

static size_t fan_outs(struct house *house)
{
    size_t rows;
    assert_true(house_do(house, do_ask_fan_outs, &rows, NULL));
    return rows;
}

static void test_an_account_that_fans_out_does_so_on_every_node(void **state)
{
    struct pair *pair = *state;
    int64_t first = 1, second = 2;
    assert_int_equal(fan_outs(pair->b), 0);
    assert_true(house_do(pair->a, do_fan_out, &first, NULL));
    assert_int_equal(fan_outs(pair->b), 1);
    assert_true(house_do(pair->b, do_fan_out, &second, NULL)); /* not told: it has some already */
    assert_true(house_do(pair->a, do_end_fan_out, &first, NULL));
    assert_int_equal(fan_outs(pair->a), 1); /* B's, of which it was not told */
    assert_int_equal(fan_outs(pair->b), 1);
    assert_true(house_do(pair->a, do_end_fan_out, &second, NULL));
    assert_int_equal(fan_outs(pair->b), 0);
    assert_false(house_do(pair->b, do_end_fan_out, &second, NULL)); /* another was quicker */
}

/* ---- event types ---- */

static bool do_add_type(struct job *job, struct db *db, void *with)
{
    struct problems problems = { 0 };
    json_t *definition =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:s}]}", "Name", with, "Meaning", "m",
                  "DataPoints", "Name", "P", "Type", "text", "Meaning", "m", "Sample", "s");
    struct event_type *type = event_type_read(definition, NULL, &problems);
    (void)job;
    json_decref(definition);
    bool saved = event_type_save(db, type) == EVENT_TYPE_SAVED;
    event_type_free(type);
    return saved;
}

/* While B writes A adds one.  Both are of one process here, which has one catalog: so it is emptied
 * in between. */
static bool do_meet_type(struct job *job, struct db *db, void *with)
{
    struct met *met = with;
    (void)job;
    if (met->runs++ == 0) {
        assert_true(house_do(met->pair->a, do_add_type, (void *)(uintptr_t) "shop.sold", NULL));
        assert_non_null(catalog_type("shop.sold"));
        catalog_forget_added();
    }
    tx_note(db_tx(db), (struct change){ CHANGE_REPLAY, 5, 6, met->runs });
    return true;
}

static void test_a_new_event_type_is_known_to_the_other_node(void **state)
{
    struct pair *pair = *state;
    struct met met = { .pair = pair };
    assert_true(house_do(pair->b, do_meet_type, &met, NULL));
    assert_int_equal(met.runs, 2);
    assert_non_null(catalog_type("shop.sold"));
    assert_int_equal(catalog_type("shop.sold")->number, CATALOG_ADDED_FIRST);
    assert_true(house_do(pair->b, do_add_type, (void *)(uintptr_t) "shop.lost", NULL));
    assert_int_equal(catalog_type("shop.lost")->number, CATALOG_ADDED_FIRST + 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int need_server(void **state)
{
    (void)state;
    postgres_server_need(true);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_each_change_is_heard_once_and_in_order),
        test(test_it_is_heard_within_a_second_without_a_word),
        test(test_what_is_undone_leaves_no_gap),
        test(test_who_joins_begins_at_the_present),
        test(test_who_was_away_for_too_long_begins_anew),
        test(test_a_node_that_comes_later_is_heard_from_its_first_row),
        test(test_what_another_release_says_is_passed_over),
        test(test_what_all_have_heard_is_deleted),
        test(test_others_are_told_and_oneself_is_not),
        test(test_what_is_committed_is_told),
        test(test_a_new_notification_misses_no_event_of_the_other_node),
        test(test_an_edit_is_in_force_in_the_next_event_of_the_other_node),
        test(test_a_node_waits_for_no_change_of_its_own),
        test(test_a_last_row_that_was_not_found_out_is_looked_up_again),
        test(test_nobody_is_kept_from_writing_for_ever),
        test(test_what_is_heard_within_a_transaction_is_too_late_for_it),
        test(test_an_account_that_fans_out_does_so_on_every_node),
        test(test_a_new_event_type_is_known_to_the_other_node),
    };
    return cmocka_run_group_tests(tests, need_server, NULL);
}
