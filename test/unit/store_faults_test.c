/* store_faults_test.c — the Nth write, fsync, lock and allocation of the store fails, for each N
 * until the operation makes no more of them.
 *
 * After each: what was acknowledged is there and nothing else is, what was refused was told so, and
 * the store goes on, or (after a failed fsync) has ended the program.
 */
#include "house.h"

#include "fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { JOBS = 6, BYTES = 50000 }; /* three of them are more than log_file.c gathers */

struct note { /* a job that adds one row */
    struct job job;
    int number;
    struct tally *tally;
};

struct tally {
    int added, refused, read; /* read: rows seen by the last read; -1: it was refused */
};

static bool add_run(struct job *job, struct db *db)
{
    char ballast[BYTES];
    memset(ballast, 'x', sizeof(ballast));
    struct note *note = container_of(job, struct note, job);
    char key[32];
    snprintf(key, sizeof(key), "n%d", note->number);
    struct stmt *add = db_prepare(db, "INSERT INTO meta (key, value) VALUES (?, ?)");
    db_bind_text(add, 1, key);
    db_bind_chars(add, 2, ballast, sizeof(ballast));
    db_run(db, add);
    return true;
}

static void add_done(struct job *job, bool ok)
{
    struct note *note = container_of(job, struct note, job);
    if (ok)
        note->tally->added++;
    else
        note->tally->refused++;
    if (!ok)
        assert_int_equal(job->error.kind, ERROR_UNAVAILABLE);
    free(note);
}

/* Every key is looked at as text, so that no column is taken for empty. */
static bool count_run(struct job *job, struct db *db)
{
    struct note *note = container_of(job, struct note, job);
    struct stmt *find = db_prepare(db, "SELECT key, value FROM meta WHERE key LIKE 'n%'");
    note->number = 0;
    while (db_step(find) == DB_ROW) {
        size_t len;
        db_bytes(find, 1, &len);
        if (db_text(find, 0)[0] == 'n' && len == BYTES)
            note->number++;
    }
    db_finish(find);
    return true;
}

static void count_done(struct job *job, bool ok)
{
    struct note *note = container_of(job, struct note, job);
    note->tally->read = ok ? note->number : -1;
    if (!ok)
        assert_int_equal(job->error.kind, ERROR_UNAVAILABLE);
    free(note);
}

static struct note *note_new(struct tally *tally, int number, bool add)
{
    struct note *note = must_alloc(sizeof(*note));
    note->job.run = add ? add_run : count_run;
    note->job.done = add ? add_done : count_done;
    note->number = number;
    note->tally = tally;
    return note;
}

static void run(struct house *house)
{
    uv_run(&house->loop, UV_RUN_DEFAULT); /* ends when no job is under way */
}

static int rows(struct house *house)
{
    struct tally tally = { 0 };
    store_read(house->store, &note_new(&tally, 0, false)->job);
    run(house);
    return tally.read;
}

/* Some jobs that share commits, some alone, and a read.  Gives how many rows were acknowledged. */
static int workload(struct house *house, int first)
{
    struct tally tally = { 0 };
    int before = rows(house);
    for (int i = 0; i < JOBS; i++) {
        store_write(house->store, &note_new(&tally, first + i, true)->job);
        if (i % 3 == 0)
            run(house);
    }
    run(house);
    assert_int_equal(tally.added + tally.refused, JOBS);
    store_read(house->store, &note_new(&tally, 0, false)->job);
    run(house);
    if (tally.read != -1 && before != -1)
        assert_int_equal(tally.read, before + tally.added);
    return tally.added;
}

/* Gives how many N there were. */
static int for_each_call(struct house *house, atomic_int *left)
{
    int expected = 0, nth = 0;
    bool fired;
    do {
        fault_arm(left, ++nth);
        expected += workload(house, nth * JOBS);
        fired = fault_fired(left);
        fault_errno = 0;
        int found = rows(house);
        if (found != expected)
            fail_msg("call %d: %d rows were acknowledged, %d are there", nth, expected, found);
    } while (fired);
    store_close(house->store);
    assert_true(house_open(house));
    assert_int_equal(rows(house), expected);
    assert_int_equal(workload(house, (nth + 1) * JOBS), JOBS); /* and it goes on */
    return nth - 1;
}

static void test_each_write_of_a_workload(void **state)
{
    int count = for_each_call(*state, &fault.writes_left);
    assert_in_range(count, 4, 10000); /* three commits, one of them in pieces */
}

static void test_each_lock_of_a_workload(void **state)
{
    int count = for_each_call(*state, &fault.locks_left);
    assert_in_range(count, 3, 10000);
}

static void test_each_allocation_of_sqlite(void **state)
{
    int count = for_each_call(*state, &fault.allocs_left);
    assert_in_range(count, 20, 100000);
}

/* ---- fsync: the program ends, so each N is a child's ---- */

static int *acknowledged; /* shared with the child */

static void acknowledge(struct job *job, bool ok)
{
    struct note *note = container_of(job, struct note, job);
    *acknowledged += ok;
    free(note);
}

enum { NO_SUCH_CALL = 0, ENDED = 1, CLOSED = 2 }; /* how a child exits */

static void child(struct house *house, int nth)
{
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(77);
    uv_loop_fork(&house->loop);
    assert_true(house_open(house));
    fault_arm(&fault.syncs_left, nth);
    for (int i = 0; i < JOBS; i++) {
        struct note *note = note_new(NULL, nth * JOBS + i, true);
        note->job.done = acknowledge;
        store_write(house->store, &note->job);
        run(house);
    }
    /* This copies the log into the file: more fsyncs.  When one fails the log stays. */
    store_close(house->store);
    _exit(fault_fired(&fault.syncs_left) ? CLOSED : NO_SUCH_CALL);
}

static void test_each_fsync_that_fails_ends_the_program(void **state)
{
    struct house *house = *state;
    int status = 1, nth = 0, ended = 0;
    acknowledged =
        mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(acknowledged != MAP_FAILED);
    while (status != 0) {
        store_close(house->store);
        pid_t pid = fork();
        if (pid == 0)
            child(house, ++nth);
        nth++;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) > CLOSED)
            fail_msg("fsync %d: status %x", nth, status);
        ended += WEXITSTATUS(status) == ENDED;
        assert_true(house_open(house));
        int found = rows(house);
        if (found < *acknowledged)
            fail_msg("fsync %d: %d rows acknowledged, %d there", nth, *acknowledged, found);
    }
    assert_in_range(ended, JOBS, 100);
    munmap(acknowledged, sizeof(int));
}

static int sound_house(void **state)
{
    fault_errno = 0;
    return house_setup(state);
}

#define test(f) cmocka_unit_test_setup_teardown(f, sound_house, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_each_write_of_a_workload),
        test(test_each_lock_of_a_workload),
        test(test_each_allocation_of_sqlite),
        test(test_each_fsync_that_fails_ends_the_program),
    };
    fault_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
