/* store_test.c — the store as the loop sees it: jobs, group commit, a full disk, a bad disk, a
 * killed process, and what is refused at the start. */
#include "house.h"

#include "base/embedded.h"
#include "db/sqlite.h"
#include "db/sqlite_schema.h"
#include "fault_vfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ---- jobs that write down what they are told ---- */

struct ledger_job {
    struct job job;
    struct trace *trace;
    int number;
    size_t bytes; /* of ballast */
    bool refuses, breaks;
    int64_t found; /* by a read */
};

struct trace { /* what came back, in order */
    int numbers[2000];
    bool ok[2000];
    enum error_kind kinds[2000];
    int64_t found[2000];
    int count;
    char message[128];      /* of the last that failed */
    int healthy, unhealthy; /* news */
    bool writable;
};

static char ballast[64 * 1024];

static bool write_run(struct job *job, struct db *db)
{
    struct ledger_job *mine = container_of(job, struct ledger_job, job);
    char key[32];
    snprintf(key, sizeof(key), "n%d", mine->number);
    struct stmt *add = db_prepare(db, "INSERT INTO meta (key, value) VALUES (?, ?)");
    db_bind_text(add, 1, key);
    db_bind_chars(add, 2, ballast, mine->bytes);
    db_run(db, add);
    if (mine->breaks) {
        add = db_prepare(db, "INSERT INTO person (account, email, name, role, password_hash, "
                             "created_at) VALUES (999, 'e', 'n', 1, '', 0)");
        db_run(db, add); /* there is no such account */
    }
    if (mine->refuses)
        error_set(&job->error, ERROR_CONFLICT, "not now");
    return !mine->refuses;
}

static bool count_run(struct job *job, struct db *db)
{
    struct ledger_job *mine = container_of(job, struct ledger_job, job);
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM meta WHERE key LIKE 'n%'");
    mine->found = db_step(find) == DB_ROW ? db_int(find, 0) : -1;
    db_finish(find);
    return true;
}

static void job_done(struct job *job, bool ok)
{
    struct ledger_job *mine = container_of(job, struct ledger_job, job);
    struct trace *trace = mine->trace;
    trace->numbers[trace->count] = mine->number;
    trace->ok[trace->count] = ok;
    trace->kinds[trace->count] = job->error.kind;
    trace->found[trace->count] = mine->found;
    trace->count++;
    if (!ok)
        snprintf(trace->message, sizeof(trace->message), "%.127s", job->error.message);
    free(mine);
}

/* Nothing of it may be touched once it is given. */
static void give_job(struct store *store, struct trace *trace, struct ledger_job with)
{
    struct ledger_job *job = must_alloc(sizeof(*job));
    *job = with;
    job->job = (struct job){ .run = write_run, .done = job_done };
    job->trace = trace;
    job->found = -1;
    store_write(store, &job->job);
}

static void give(struct store *store, struct trace *trace, int number)
{
    give_job(store, trace, (struct ledger_job){ .number = number, .bytes = 10 });
}

static void give_large(struct store *store, struct trace *trace, int number)
{
    give_job(store, trace, (struct ledger_job){ .number = number, .bytes = sizeof(ballast) });
}

static void ask(struct store *store, struct trace *trace)
{
    struct ledger_job *job = must_alloc(sizeof(*job));
    *job = (struct ledger_job){ .job = { .run = count_run, .done = job_done }, .trace = trace };
    store_read(store, &job->job);
}

static void await_all(struct house *house)
{
    uv_run(&house->loop, UV_RUN_DEFAULT); /* ends when no job is under way */
    assert_int_equal(store_writes_waiting(house->store) + store_reads_waiting(house->store), 0);
}

static int64_t written(struct house *house)
{
    struct trace trace = { 0 };
    ask(house->store, &trace);
    await_all(house);
    assert_int_equal(trace.count, 1);
    assert_true(trace.ok[0]);
    return trace.found[0];
}

static struct store *open_at(const char *directory, uv_loop_t *loop, struct error *error)
{
    struct store_config config = { .directory = directory, .loop = loop, .nouns = &store_nouns };
    *error = (struct error){ 0 };
    return store_open(&config, error);
}

/* ---- order and visibility ---- */

static void test_jobs_are_done_in_the_order_given(void **state)
{
    struct house *house = *state;
    struct trace *trace = must_alloc(sizeof(*trace));

    for (int i = 0; i < 1500; i++)
        give(house->store, trace, i);
    assert_int_equal(store_writes_waiting(house->store), 1500);
    await_all(house);
    assert_int_equal(trace->count, 1500);
    for (int i = 0; i < 1500; i++) {
        assert_int_equal(trace->numbers[i], i);
        assert_true(trace->ok[i]);
    }
    assert_int_equal(written(house), 1500);
    free(trace);
}

struct reading_after {
    struct ledger_job write;
    struct store *store;
};

static void then_ask(struct job *job, bool ok)
{
    struct ledger_job *mine = container_of(job, struct ledger_job, job);
    struct reading_after *after = container_of(mine, struct reading_after, write);
    assert_true(ok);
    ask(after->store, mine->trace);
    free(after);
}

static void test_a_read_sees_every_write_done_before(void **state)
{
    struct house *house = *state;

    for (int i = 0; i < 50; i++) {
        struct trace trace = { 0 };
        struct reading_after *job = must_alloc(sizeof(*job));
        job->store = house->store;
        job->write = (struct ledger_job){ .job = { .run = write_run, .done = then_ask },
                                          .trace = &trace,
                                          .number = i };
        store_write(house->store, &job->write.job);
        await_all(house);
        assert_int_equal(trace.count, 1);
        assert_int_equal(trace.found[0], i + 1);
    }
}

static void test_many_jobs_share_a_commit(void **state)
{
    struct house *house = *state;
    struct trace *trace = must_alloc(sizeof(*trace));
    int before = atomic_load(&fault.syncs);

    for (int i = 0; i < 1000; i++)
        give(house->store, trace, i);
    await_all(house);
    int syncs = atomic_load(&fault.syncs) - before;
    if (syncs < 1 || syncs > 100)
        fail_msg("1000 jobs took %d fsyncs", syncs);
    free(trace);
}

static void test_a_job_that_fails_is_undone_alone(void **state)
{
    struct house *house = *state;
    struct trace trace = { 0 };

    give(house->store, &trace, 0);
    give_job(house->store, &trace, (struct ledger_job){ .number = 1, .refuses = true });
    give_job(house->store, &trace, (struct ledger_job){ .number = 2, .breaks = true });
    give(house->store, &trace, 0); /* the key is taken */
    give(house->store, &trace, 4);
    await_all(house);
    const bool expected[] = { true, false, false, false, true };
    for (int i = 0; i < 5; i++)
        assert_int_equal(trace.ok[i], expected[i]);
    assert_int_equal(trace.kinds[1], ERROR_CONFLICT);
    assert_int_equal(trace.kinds[2], ERROR_BROKEN);
    assert_int_equal(trace.kinds[3], ERROR_BROKEN);
    assert_int_equal(written(house), 2);
}

static void test_closing_runs_what_was_given(void **state)
{
    struct house *house = *state;
    struct trace trace = { 0 };

    for (int i = 0; i < 20; i++)
        give(house->store, &trace, i);
    ask(house->store, &trace);
    store_close(house->store);
    assert_int_equal(trace.count, 21);
    assert_true(house_open(house));
    assert_int_equal(written(house), 20);
}

/* ---- a disk that is full, and one that is bad ---- */

static void news(void *context, bool writable)
{
    struct trace *trace = context;
    trace->writable = writable;
    if (writable)
        trace->healthy++;
    else
        trace->unhealthy++;
}

static void run_until(struct house *house, struct trace *trace, bool writable)
{
    uv_timer_t keep; /* the store's own handle keeps no idle loop alive */
    uv_timer_init(&house->loop, &keep);
    uv_timer_start(&keep, (uv_timer_cb)abort, 20000, 0);
    while (trace->writable != writable)
        uv_run(&house->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&keep, NULL);
    uv_run(&house->loop, UV_RUN_NOWAIT);
}

static void test_a_full_disk_loses_nothing_and_service_comes_back(void **state)
{
    struct house *house = *state;
    struct trace trace = { .writable = true };
    struct error error;
    int acknowledged = 0, refused = 0;

    store_on_health(house->store, news, &trace);
    for (int i = 0; i < 200 && trace.writable; i++) {
        if (i == 20)
            atomic_store(&fault.full, true);
        give_large(house->store, &trace, i);
        await_all(house);
    }
    assert_false(trace.writable);
    assert_int_equal(trace.unhealthy, 1);
    for (int i = 200; i < 210; i++)
        give_large(house->store, &trace, i);
    ask(house->store, &trace);
    await_all(house);
    for (int i = 0; i < trace.count; i++) {
        acknowledged += trace.ok[i] && trace.found[i] == -1;
        refused += !trace.ok[i];
        if (!trace.ok[i])
            assert_int_equal(trace.kinds[i], ERROR_UNAVAILABLE);
    }
    assert_int_equal(refused, 11);
    assert_true(acknowledged >= 20);
    assert_int_equal(written(house), acknowledged); /* reads go on */
    atomic_store(&fault.full, false);
    run_until(house, &trace, true); /* by the probe: nothing is written meanwhile */
    assert_int_equal(trace.unhealthy, trace.healthy);
    give_large(house->store, &trace, 300);
    await_all(house);
    assert_true(trace.ok[trace.count - 1]);
    store_close(house->store);
    house->store = open_at(house->directory, &house->loop, &error);
    assert_non_null(house->store);
    assert_int_equal(written(house), acknowledged + 1);
}

static void test_each_write_that_fails_fails_its_batch_only(void **state)
{
    struct house *house = *state;
    struct trace trace = { .writable = true };
    int acknowledged = 0;

    store_on_health(house->store, news, &trace);
    for (int i = 0; i < 40; i++) {
        if (i % 4 == 1)
            atomic_store(&fault.bad_writes, 1);
        give_job(house->store, &trace, (struct ledger_job){ .number = i, .bytes = 5000 });
        await_all(house);
        assert_int_equal(trace.ok[i], i % 4 != 1);
        acknowledged += trace.ok[i];
    }
    assert_int_equal(atomic_load(&fault.bad_writes), 0);
    assert_int_equal(trace.unhealthy, 10);
    assert_int_equal(trace.healthy, 10);
    assert_int_equal(written(house), acknowledged);
}

/* Runs `does` in a child with a store of its own on the house's directory; gives its exit status.
 */
static int in_a_child(struct house *house, void (*does)(struct house *house))
{
    int status;
    store_close(house->store);
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(77);
        uv_loop_fork(&house->loop);
        house->store = open_at(house->directory, &house->loop, &error);
        if (house->store == NULL)
            _exit(78);
        does(house);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    struct error error;
    house->store = open_at(house->directory, &house->loop, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
    return status;
}

static void write_with_a_bad_fsync(struct house *house)
{
    struct trace trace = { 0 };
    give(house->store, &trace, 1);
    await_all(house);
    atomic_store(&fault.bad_syncs, 1);
    give(house->store, &trace, 2);
    await_all(house);
}

static void test_a_failed_fsync_ends_the_program(void **state)
{
    int status = in_a_child(*state, write_with_a_bad_fsync);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_true(written(*state) >= 1); /* the first; the second was not acknowledged */
}

static void write_to_a_bad_disk(struct house *house)
{
    struct trace trace = { 0 };
    atomic_store(&fault.bad_writes, 1000);
    for (int i = 0; i < 10; i++) {
        give(house->store, &trace, i);
        await_all(house);
    }
}

static void test_a_store_that_stays_broken_ends_the_program(void **state)
{
    int status = in_a_child(*state, write_to_a_bad_disk);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(written(*state), 0);
}

static void write_over_the_size_limit(struct house *house)
{
    struct trace trace = { .writable = true };
    struct rlimit limit = { .rlim_cur = 2 * 1024 * 1024, .rlim_max = RLIM_INFINITY };
    int count = 0;

    store_on_health(house->store, news, &trace);
    setrlimit(RLIMIT_FSIZE, &limit);
    while (trace.writable && count < 200) {
        give_large(house->store, &trace, count++);
        await_all(house);
    }
    if (trace.writable || strcmp(trace.message, "the disk is full; try again later") != 0)
        _exit(2);
    int acknowledged = trace.count - 1;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    run_until(house, &trace, true);
    if (written(house) != acknowledged)
        _exit(3);
    store_close(house->store);
    _exit(42);
}

static void test_a_limit_of_file_size_is_a_full_disk(void **state)
{
    int status = in_a_child(*state, write_over_the_size_limit);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* ---- a killed process ---- */

static int acknowledged_pipe[2];

static void tell_pipe(struct job *job, bool ok)
{
    struct ledger_job *mine = container_of(job, struct ledger_job, job);
    if (ok && write(acknowledged_pipe[1], &mine->number, sizeof(mine->number)) == -1)
        _exit(2);
    free(mine);
}

static void write_until_killed(struct house *house)
{
    for (int number = 0;;) {
        while (store_writes_waiting(house->store) < 40) {
            struct ledger_job *job = must_alloc(sizeof(*job));
            *job = (struct ledger_job){ .job = { .run = write_run, .done = tell_pipe },
                                        .number = number++,
                                        .bytes = 500 };
            store_write(house->store, &job->job);
        }
        uv_run(&house->loop, UV_RUN_ONCE);
    }
}

static void kill_one(struct house *house, int after)
{
    int number, highest = -1;
    assert_int_equal(pipe(acknowledged_pipe), 0);
    store_close(house->store);
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        uv_loop_fork(&house->loop);
        house->store = open_at(house->directory, &house->loop, &error);
        write_until_killed(house);
    }
    close(acknowledged_pipe[1]);
    while (read(acknowledged_pipe[0], &number, sizeof(number)) == sizeof(number)) {
        assert_int_equal(number, highest + 1);
        highest = number;
        if (number == after)
            kill(child, SIGKILL);
    }
    close(acknowledged_pipe[0]);
    assert_int_equal(waitpid(child, &number, 0), child);
    assert_true(highest >= after);
    struct error error;
    house->store = open_at(house->directory, &house->loop, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
    if (written(house) < highest + 1)
        fail_msg("%d were acknowledged, %d are there", highest + 1, (int)written(house));
}

static bool forget_all(struct job *job, struct db *db)
{
    (void)job;
    db_run(db, db_prepare(db, "DELETE FROM meta"));
    return true;
}

static void test_what_was_acknowledged_is_there_after_kill_9(void **state)
{
    struct house *house = *state;
    for (int round = 0; round < 6; round++) {
        struct job forget = { .run = forget_all };
        kill_one(house, 50 + 300 * round);
        assert_true(store_run_now(house->store, &forget));
    }
}

/* ---- what is refused ---- */

static void refused(struct house *house, const char *words)
{
    struct error error;
    struct store *store = open_at(house->directory, &house->loop, &error);
    assert_null(store);
    assert_int_equal(error.kind, ERROR_BROKEN);
    if (strstr(error.message, words) == NULL || strstr(error.message, house->directory) == NULL)
        fail_msg("expected \"%s\" and the path in: %s", words, error.message);
}

static void reopened(struct house *house)
{
    struct error error;
    house->store = open_at(house->directory, &house->loop, &error);
    if (house->store == NULL)
        fail_msg("%s", error.message);
}

static void path_of(struct house *house, const char *name, char path[96])
{
    snprintf(path, 96, "%s/%s", house->directory, name);
}

static void set_pragma(struct house *house, const char *sql)
{
    char path[96];
    sqlite3 *handle;
    path_of(house, "postbackd.db", path);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static void test_a_second_server_is_refused(void **state)
{
    char words[64];
    snprintf(words, sizeof(words), "another postbackd (pid %d) uses", (int)getpid());
    refused(*state, words);
    assert_int_equal(written(*state), 0); /* the first goes on */
}

static void test_modes_keep_others_out(void **state)
{
    struct house *house = *state;
    struct stat about;
    char directory[96], path[96];
    static const char *const files[] = { "postbackd.db", "postbackd.db-wal", "secret.key", "lock" };
    struct error error;
    uv_loop_t loop;

    for (size_t i = 0; i < 4; i++) {
        path_of(house, files[i], path);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    store_close(house->store);
    path_of(house, "new", directory);
    uv_loop_init(&loop);
    struct store *store = open_at(directory, &loop, &error);
    assert_non_null(store);
    assert_int_equal(stat(directory, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    store_close(store);
    assert_int_equal(uv_loop_close(&loop), 0);
    reopened(house);
}

static void test_a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
    struct house *house = *state;
    char path[96], text[32] = "";

    store_close(house->store);
    path_of(house, "postbackd.db", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("Dear diary,\n", file);
    fclose(file);
    refused(house, "is not a database");
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_string_equal(text, "Dear diary,\n");
    fclose(file);
    assert_int_equal(unlink(path), 0);
    reopened(house);
}

static void test_another_program_s_database_is_refused(void **state)
{
    struct house *house = *state;

    store_close(house->store);
    set_pragma(house, "PRAGMA application_id = 252006673");
    refused(house, "belongs to another program");
    set_pragma(house, "PRAGMA application_id = 0");
    refused(house, "belongs to another program");
    set_pragma(house, "PRAGMA application_id = 1885498212");
    reopened(house);
}

static void test_a_later_version_is_refused(void **state)
{
    struct house *house = *state;
    char sql[48];

    store_close(house->store);
    set_pragma(house, "PRAGMA user_version = 9999");
    refused(house, "later version");
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu", schema_count);
    set_pragma(house, sql);
    reopened(house);
}

static void test_a_damaged_database_is_refused(void **state)
{
    struct house *house = *state;
    struct stat about;
    char path[96], saved[4096], junk[4096];

    store_close(house->store);
    path_of(house, "postbackd.db", path);
    assert_int_equal(stat(path, &about), 0);
    memset(junk, 0x5a, sizeof(junk));
    int file = open(path, O_RDWR);
    off_t last = about.st_size - (off_t)sizeof(saved);
    assert_int_equal(pread(file, saved, sizeof(saved), last), sizeof(saved));
    assert_int_equal(ftruncate(file, last), 0);
    refused(house, "damaged");
    assert_int_equal(pwrite(file, saved, sizeof(saved), last), sizeof(saved));
    assert_int_equal(pread(file, saved, sizeof(saved), 4096), sizeof(saved)); /* a table's root */
    assert_int_equal(pwrite(file, junk, sizeof(junk), 4096), sizeof(junk));
    refused(house, "damaged");
    assert_int_equal(pwrite(file, saved, sizeof(saved), 4096), sizeof(saved));
    close(file);
    set_pragma(house, "DROP TABLE notice");
    refused(house, "notice");
    set_pragma(house, "CREATE TABLE notice (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, "
                      "kind TEXT, text TEXT, created_at INTEGER, read_at INTEGER)");
    refused(house, "index notice_of of table notice is missing");
    set_pragma(house, "CREATE INDEX notice_of ON notice (account, id); "
                      "CREATE INDEX notice_unread ON notice (account) WHERE read_at IS NULL");
    reopened(house);
}

static void test_a_database_without_its_key_is_refused(void **state)
{
    struct house *house = *state;
    char path[96], away[96];

    store_close(house->store);
    path_of(house, "secret.key", path);
    path_of(house, "away", away);
    assert_int_equal(rename(path, away), 0);
    refused(house, "secret.key is missing");
    assert_int_equal(rename(away, path), 0);
    reopened(house);
}

static void test_a_place_that_is_no_directory_is_refused(void **state)
{
    struct house *house = *state;
    struct error error;
    char path[96];

    path_of(house, "lock", path);
    assert_null(open_at(path, &house->loop, &error));
    assert_non_null(strstr(error.message, "is not a directory"));
    path_of(house, "no/such", path);
    assert_null(open_at(path, &house->loop, &error));
    assert_non_null(strstr(error.message, "cannot be made"));
    assert_non_null(strstr(error.message, path));
}

static void test_a_crash_at_the_very_start_leaves_a_place_to_start_again(void **state)
{
    struct house *house = *state;
    char path[96];

    store_close(house->store);
    path_of(house, "postbackd.db", path);
    assert_int_equal(truncate(path, 0), 0); /* made, and nothing written yet */
    reopened(house);
    assert_int_equal(written(house), 0);
}

static void test_a_start_that_finds_no_more_files_is_refused(void **state)
{
    /* Each of the files that it opens is the first one too many, the last reader's too. */
    enum { MOST = 512 };
    struct house *house = *state;
    struct rlimit all, few;
    struct error error;
    struct store *store = NULL;
    int taken[MOST], count = 0, refusals = 0;

    store_close(house->store);
    getrlimit(RLIMIT_NOFILE, &all);
    few = (struct rlimit){ .rlim_cur = MOST, .rlim_max = all.rlim_max };
    setrlimit(RLIMIT_NOFILE, &few);
    while (count < MOST && (taken[count] = dup(0)) != -1)
        count++;
    while (store == NULL && count > 0) {
        error = (struct error){ 0 };
        store = open_at(house->directory, &house->loop, &error);
        assert_true(store != NULL || error.message[0] != '\0');
        refusals += store == NULL;
        close(taken[--count]);
    }
    while (count > 0)
        close(taken[--count]);
    setrlimit(RLIMIT_NOFILE, &all);
    assert_non_null(store);
    assert_true(refusals > 5); /* lock, key, database, log, …; connections */
    store_close(store);
    reopened(house);
}

static int sound_house(void **state)
{
    atomic_store(&fault.full, false);
    atomic_store(&fault.bad_writes, 0);
    atomic_store(&fault.bad_syncs, 0);
    return house_setup(state);
}

#define test(f) cmocka_unit_test_setup_teardown(f, sound_house, house_teardown)

int main(void)
{
    const struct CMUnitTest of_any[] = {
        test(test_jobs_are_done_in_the_order_given),
        test(test_a_read_sees_every_write_done_before),
        test(test_a_job_that_fails_is_undone_alone),
        test(test_closing_runs_what_was_given),
    };
    const struct CMUnitTest of_a_file[] = {
        test(test_many_jobs_share_a_commit),
        test(test_a_full_disk_loses_nothing_and_service_comes_back),
        test(test_each_write_that_fails_fails_its_batch_only),
        test(test_a_failed_fsync_ends_the_program),
        test(test_a_store_that_stays_broken_ends_the_program),
        test(test_a_limit_of_file_size_is_a_full_disk),
        test(test_what_was_acknowledged_is_there_after_kill_9),
        test(test_a_second_server_is_refused),
        test(test_modes_keep_others_out),
        test(test_a_file_that_is_no_database_is_refused_and_left_alone),
        test(test_another_program_s_database_is_refused),
        test(test_a_later_version_is_refused),
        test(test_a_damaged_database_is_refused),
        test(test_a_database_without_its_key_is_refused),
        test(test_a_place_that_is_no_directory_is_refused),
        test(test_a_start_that_finds_no_more_files_is_refused),
        test(test_a_crash_at_the_very_start_leaves_a_place_to_start_again),
    };
    memset(ballast, 'b', sizeof(ballast));
    fault_install();
    const char *engine = getenv("POSTBACKD_TEST_ENGINE");
    int failed = cmocka_run_group_tests(of_any, NULL, NULL);
    if (engine == NULL || strcmp(engine, "sqlite") == 0)
        failed += cmocka_run_group_tests(of_a_file, NULL, NULL);
    return failed;
}
