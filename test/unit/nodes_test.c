/* nodes_test.c — two stores on one PostgreSQL, as two servers have them: who has which number, and
 * which part of the work. */
#include "base/clock.h"
#include "engine/membership.h"
#include "house.h"
#include "store/leases.h"

#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct pair {
    struct house *first, *second;
    char schema[32];
};

/* The key is one for all. */
static void share_key(const char *from, const char *to)
{
    char old[96], new[96];
    snprintf(old, sizeof(old), "%s/secret.key", from);
    snprintf(new, sizeof(new), "%s/secret.key", to);
    assert_int_equal(link(old, new), 0);
}

static struct house *house_new(const char *schema, const struct house *other)
{
    struct house *house = must_alloc(sizeof(*house));
    snprintf(house->directory, sizeof(house->directory), "/tmp/postbackd-test-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    if (other != NULL)
        share_key(other->directory, house->directory);
    uv_loop_init(&house->loop);
    postgres_server_uri(house->uri, postgres_server.folder, schema);
    assert_true(house_open(house));
    return house;
}

static int set_up(void **state)
{
    struct pair *pair = must_alloc(sizeof(*pair));
    postgres_server_need(true);
    snprintf(pair->schema, sizeof(pair->schema), "%s", postgres_server_schema());
    pair->first = house_new(pair->schema, NULL);
    pair->second = house_new(pair->schema, pair->first);
    *state = pair;
    return house_do(pair->first, house_fill, pair->first, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    house_teardown((void **)&pair->second);
    house_teardown((void **)&pair->first);
    free(pair);
    return 0;
}

static struct membership *start(struct house *house)
{
    struct membership *membership = NULL;
    struct error error = { 0 };
    const struct membership_config config = { .loop = &house->loop,
                                              .store = house->store,
                                              .deadline_ms = 10000 };
    if (!membership_start(&config, &membership, &error))
        fail_msg("%s", error.message);
    return membership;
}

static void stop(struct membership *membership)
{
    membership_stop(membership);
    membership_free(membership);
}

static int parts_of(const struct membership *membership)
{
    int parts = 0;
    for (int part = 0; part < MEMBERSHIP_PARTS; part++)
        parts += membership_owns(membership, part);
    return parts;
}

static void test_each_has_a_number_of_its_own(void **state)
{
    const struct pair *pair = *state;
    int64_t first = store_guard(pair->first->store)->node;
    int64_t second = store_guard(pair->second->store)->node;
    assert_int_not_equal(first, second);
    assert_int_equal(id_node(store_new_id(pair->first->store)), first);
    assert_int_equal(id_node(store_new_id(pair->second->store)), second);
}

static void test_one_that_starts_again_has_its_number_and_another_epoch(void **state)
{
    const struct pair *pair = *state;
    const struct db_guard before = *store_guard(pair->second->store);
    store_close(pair->second->store);
    assert_true(house_open(pair->second));
    assert_int_equal(store_guard(pair->second->store)->node, before.node);
    assert_int_equal(store_guard(pair->second->store)->epoch, before.epoch + 1);
}

/* Both loops turn. */
static bool turn(const struct pair *pair)
{
    uv_run(&pair->first->loop, UV_RUN_NOWAIT);
    uv_run(&pair->second->loop, UV_RUN_NOWAIT);
    return true;
}

static void test_two_share_all_and_one_alone_has_all(void **state)
{
    const struct pair *pair = *state;
    struct membership *first = start(pair->first), *second = start(pair->second);
    assert_true(membership_valid(first));
    UNTIL((turn(pair), parts_of(first) == 129 && parts_of(second) == 128));
    for (int part = 0; part < MEMBERSHIP_PARTS; part++)
        assert_int_not_equal(membership_owns(first, part), membership_owns(second, part));
    assert_int_not_equal(membership_strict_from(first, MEMBERSHIP_DUTY), INT64_MAX);
    stop(first);
    UNTIL((turn(pair), parts_of(second) == MEMBERSHIP_PARTS));
    struct membership *again = NULL;
    assert_true(membership_valid(second));
    store_close(pair->first->store);
    assert_true(house_open(pair->first));
    again = start(pair->first);
    UNTIL((turn(pair), parts_of(again) == 128 && parts_of(second) == 129));
    stop(second);
    stop(again);
}

/* ---- a node that dies, or is taken for dead ---- */

static int64_t ask(const struct pair *pair, const char *sql)
{
    return strtoll(postgres_server_sql(pair->schema, sql), NULL, 10);
}

/* Its lease has been over for long, as the rows say. */
static void let_lease_end(const struct pair *pair, const struct house *house)
{
    char sql[96];
    snprintf(sql, sizeof(sql), "UPDATE node SET until_at = 1 WHERE number = %d",
             (int)store_guard(house->store)->node);
    postgres_server_sql(pair->schema, sql);
}

struct taking {
    struct dead_node dead;
    bool taken;
};

static bool take(struct job *job, struct db *db, void *with)
{
    struct taking *taking = with;
    int64_t ahead, now = db_clock(db, &ahead);
    (void)job;
    taking->taken = lease_take_over(db, &taking->dead, now);
    return true;
}

/* By the second, of the first's place. */
static bool takes_over(const struct pair *pair)
{
    const struct db_guard *guard = store_guard(pair->first->store);
    struct taking taking = { .dead = { guard->node, guard->epoch } };
    assert_true(house_do(pair->second, take, &taking, NULL));
    return taking.taken;
}

static bool write_row(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    db_run(db, db_prepare(db, "INSERT INTO quota_episode (account, since) VALUES (1, 1)"));
    return true;
}

static void count_call(void *context)
{
    (*(int *)context)++;
}

static void test_one_that_slept_through_its_lease_writes_nothing(void **state)
{
    const struct pair *pair = *state;
    struct error error = { 0 };
    int fenced = 0;
    store_on_fence(pair->first->store, count_call, &fenced);
    assert_false(takes_over(pair)); /* it is alive */
    let_lease_end(pair, pair->first);
    assert_true(takes_over(pair));
    assert_false(takes_over(pair)); /* it is done, once */
    assert_int_equal(ask(pair, "SELECT count(*) FROM notice WHERE kind = 'node.dead'"), 1);
    assert_false(house_do(pair->first, write_row, NULL, &error));
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_int_equal(fenced, 1);
    assert_int_equal(ask(pair, "SELECT count(*) FROM quota_episode"), 0);
    assert_true(house_do(pair->second, write_row, NULL, NULL));
}

static void test_a_lease_that_is_over_and_not_taken_stands_again(void **state)
{
    const struct pair *pair = *state;
    let_lease_end(pair, pair->first);
    assert_true(house_do(pair->first, write_row, NULL, NULL));
    struct membership *first = start(pair->first);
    assert_true(membership_valid(first));
    assert_false(takes_over(pair));
    stop(first);
}

static void note_fence(void *context)
{
    *(bool *)context = true;
}

static void test_a_membership_hears_that_its_place_is_taken(void **state)
{
    const struct pair *pair = *state;
    struct membership *first = NULL;
    struct error error = { 0 };
    bool fenced = false;
    const struct membership_config config = { .loop = &pair->first->loop,
                                              .store = pair->first->store,
                                              .fenced = note_fence,
                                              .context = &fenced };
    assert_true(membership_start(&config, &first, &error));
    let_lease_end(pair, pair->first);
    if (!takes_over(pair)) { /* it was renewed in between */
        let_lease_end(pair, pair->first);
        assert_true(takes_over(pair));
    }
    UNTIL((turn(pair), fenced));
    assert_false(membership_valid(first));
    assert_int_equal(parts_of(first), 0);
    stop(first);
    assert_int_equal(ask(pair, "SELECT count(*) FROM node WHERE until_at <> 0"), 1);
}

static void note_valid(void *context, bool valid)
{
    char *told = context;
    told[strlen(told)] = valid ? 'v' : 'o';
}

static void ignore_part(void *context, int part, bool own)
{
    (void)context;
    (void)part;
    (void)own;
}

static bool is_quiet(void *context, int part)
{
    (void)context;
    (void)part;
    return true;
}

/* Its timers have stood still as long as it was. */
static void test_one_that_was_suspended_past_its_lease_tells_its_end_before_it_goes_on(void **state)
{
    const struct pair *pair = *state;
    static const struct membership_events events = { note_valid, ignore_part, is_quiet };
    struct clock_source time = { clock_wall_ms(), clock_steady_us() };
    char told[8] = "";
    clock_set_source(&time);
    struct membership *first = start(pair->first);
    membership_tell(first, &events, told);
    assert_true(membership_valid(first));
    time.steady_us += LEASE_MS * 1000;
    assert_false(membership_valid(first));
    UNTIL((turn(pair), membership_valid(first)));
    stop(first);
    clock_set_source(NULL);
    assert_string_equal(told, "ov");
}

static void test_a_part_of_a_dead_one_is_strict_until_nothing_of_it_can_arrive(void **state)
{
    const struct pair *pair = *state;
    struct membership *first = start(pair->first);
    assert_true(parts_of(first) > 0);
    postgres_server_sql(pair->schema, "UPDATE node SET deadline = 3600000");
    let_lease_end(pair, pair->first);
    assert_true(takes_over(pair));
    struct membership *second = start(pair->second);
    assert_int_equal(parts_of(second), MEMBERSHIP_PARTS);
    /* the end of the old lease, a request's deadline, a second: counted from 1970 here */
    assert_int_equal(ask(pair, "SELECT count(*) FROM lease WHERE strict_at = 3600000 + 1001"),
                     ask(pair, "SELECT count(*) FROM lease WHERE strict_at <> 0"));
    stop(second);
    assert_true(ask(pair, "SELECT min(strict_at) FROM lease") > 1700000000000);
    UNTIL((turn(pair), !membership_valid(first)));
    stop(first);
}

/* ---- numbers ---- */

struct joiner {
    struct db_where where;
    pthread_t thread;
    struct db_guard guard;
};

static void *join_one(void *context)
{
    struct joiner *joiner = context;
    struct id_source ids = { 0 };
    struct error error = { 0 };
    char instance[32];
    bool fresh, joined = false;
    struct db_source *source = db_source_open(&joiner->where, &fresh, &error);
    struct db *db = source != NULL ? db_open(source, DB_WRITER, &ids, &error) : NULL;
    if (db == NULL)
        die("%s", error.message);
    snprintf(instance, sizeof(instance), "%p", context);
    while (!joined) {
        db_begin(db, 0, 0);
        if (!node_join(db, instance, "crowd", 1000, &joiner->guard, &error))
            die("%s", error.message);
        joined = db_commit(db);
        if (!joined && db_failure(db) != DB_RETRY)
            die("%s", db_failure_text(db));
    }
    db_close(db);
    db_source_close(source);
    return NULL;
}

static void test_those_that_join_at_once_have_numbers_and_names_of_their_own(void **state)
{
    enum { CROWD = 6 };
    const struct pair *pair = *state;
    struct joiner crowd[CROWD];
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct joiner){ .where = { .uri = pair->first->uri } };
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, join_one, &crowd[i]), 0);
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(crowd[i].thread, NULL);
    assert_int_equal(ask(pair, "SELECT count(DISTINCT number) FROM node"), CROWD + 2);
    assert_int_equal(ask(pair, "SELECT max(number) FROM node"), CROWD + 1);
    assert_int_equal(ask(pair, "SELECT count(DISTINCT name) FROM node"), CROWD + 2);
}

static void test_when_all_numbers_are_taken_one_more_is_refused(void **state)
{
    const struct pair *pair = *state;
    struct error error = { 0 };
    const struct store_config config = house_config(pair->second);
    store_close(pair->second->store);
    postgres_server_sql(pair->schema, "DELETE FROM node WHERE number <> 0");
    postgres_server_sql(pair->schema,
                        "INSERT INTO node (number, epoch, until_at, instance, name, address, "
                        "version, since_at, heartbeat_at) SELECT n, 5, 9000000000000, n, n, '', "
                        "'', 1, 9000000000000 FROM generate_series(1, 1023) n");
    assert_null(store_open(&config, &error));
    assert_non_null(strstr(error.message, "1024 servers share this database"));
    postgres_server_sql(pair->schema, "UPDATE node SET until_at = 0 WHERE number = 700");
    assert_true(house_open(pair->second));
    assert_int_equal(store_guard(pair->second->store)->node, 700);
    assert_int_equal(store_guard(pair->second->store)->epoch, 6);
}

int main(void)
{
#define PAIRED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PAIRED(test_each_has_a_number_of_its_own),
        PAIRED(test_one_that_starts_again_has_its_number_and_another_epoch),
        PAIRED(test_two_share_all_and_one_alone_has_all),
        PAIRED(test_one_that_slept_through_its_lease_writes_nothing),
        PAIRED(test_a_lease_that_is_over_and_not_taken_stands_again),
        PAIRED(test_a_membership_hears_that_its_place_is_taken),
        PAIRED(test_one_that_was_suspended_past_its_lease_tells_its_end_before_it_goes_on),
        PAIRED(test_a_part_of_a_dead_one_is_strict_until_nothing_of_it_can_arrive),
        PAIRED(test_those_that_join_at_once_have_numbers_and_names_of_their_own),
        PAIRED(test_when_all_numbers_are_taken_one_more_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
