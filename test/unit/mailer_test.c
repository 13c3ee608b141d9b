/* mailer_test.c — letters reach the operator's mailer, a few at a time, and none is lost. */
#include "engine_house.h"

#include "engine/mailer.h"
#include "model/mail.h"
#include "store/letters.h"
#include "until.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

/* A mailer that takes a letter, begins (a file begun-PID), and ends it once the gate is open. */
static const char program[] = "#!/bin/sh\n"
                              "cd \"${0%/*}\"\n"
                              "cat > taken-$$\n"
                              ": > begun-$$\n"
                              ": < gate\n"
                              "mv taken-$$ letter-$$\n";

struct post {
    struct engine_house *engine;
    struct house *house;
    char path[80], gate[80];
    struct mailer *mailer;
    int open; /* the gate; -1: shut */
};

static void put_program(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd != -1);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static bool do_letters_on(struct job *job, struct db *db, void *with)
{
    (void)job;
    letters_set(db, *(const bool *)with);
    return true;
}

static void letters_on(struct post *post, bool on)
{
    assert_true(house_do(post->house, do_letters_on, &on, NULL));
}

static int setup(void **state)
{
    struct post *post = must_alloc(sizeof(*post));
    void *engine = NULL;
    if (engine_house_setup(&engine) != 0)
        return -1;
    post->engine = engine;
    post->house = post->engine->house;
    post->open = -1;
    snprintf(post->path, sizeof(post->path), "%s/sendmail", post->house->directory);
    snprintf(post->gate, sizeof(post->gate), "%s/gate", post->house->directory);
    put_program(post->path, program);
    letters_on(post, true);
    *state = post;
    return mkfifo(post->gate, 0600);
}

static int teardown(void **state)
{
    struct post *post = *state;
    void *engine = post->engine;
    if (post->open != -1)
        close(post->open);
    free(post);
    return engine_house_teardown(&engine);
}

static void open_gate(struct post *post)
{
    post->open = open(post->gate, O_RDWR | O_CLOEXEC);
    assert_true(post->open != -1);
}

static void begin(struct post *post, const char *path)
{
    post->mailer = mailer_new(&post->engine->work, path);
}

/* What comes of what has happened. */
static void turn(struct post *post)
{
    periodics_run_due(&post->engine->work.timers);
    uv_run(&post->house->loop, UV_RUN_NOWAIT);
}

/* Files of that kind, after a turn of the loop. */
static int there(struct post *post, const char *prefix)
{
    int count = 0;
    turn(post);
    DIR *folder = opendir(post->house->directory);
    for (struct dirent *one; (one = readdir(folder)) != NULL;)
        count += strncmp(one->d_name, prefix, strlen(prefix)) == 0;
    closedir(folder);
    return count;
}

static int64_t left(struct post *post)
{
    turn(post);
    return house_number(post->house, "SELECT count(*) FROM letter", 0);
}

struct writing {
    int letters;
    const char *to;
};

static bool do_write(struct job *job, struct db *db, void *with)
{
    const struct writing *writing = with;
    (void)job;
    for (int i = 0; i < writing->letters; i++)
        letter_add(db, writing->to, "Postbacks are late", "Those of yours.\n");
    return true;
}

static void write_letters(struct post *post, int letters)
{
    struct writing writing = { letters, "ann@example.com" };
    assert_true(house_do(post->house, do_write, &writing, NULL));
    mailer_wanted(post->mailer);
}

static void pass(struct post *post, int64_t ms)
{
    post->engine->time.wall_ms += ms;
    post->engine->time.steady_us += ms * 1000;
}

/* All programs have ended, and that is written. */
static void await_quiet(struct post *post)
{
    UNTIL((turn(post), !mailer_runs(post->mailer) && post->engine->work.under_way == 0));
}

static void test_a_letter_is_handed_over_whole_and_gone(void **state)
{
    struct post *post = *state;
    begin(post, post->path);
    open_gate(post);
    write_letters(post, 1);
    UNTIL(there(post, "letter-") == 1);
    UNTIL(left(post) == 0);
    await_quiet(post);
    mailer_free(post->mailer);
}

static void test_few_run_at_a_time_and_all_are_sent(void **state)
{
    struct post *post = *state;
    begin(post, post->path);
    write_letters(post, 11);
    UNTIL(there(post, "begun-") == 4);
    write_letters(post, 2);
    for (int i = 0; i < 20; i++)
        assert_int_equal(there(post, "begun-"), 4);
    assert_int_equal(there(post, "letter-"), 0);
    assert_int_equal(left(post), 13);
    open_gate(post);
    UNTIL(left(post) == 0);
    assert_int_equal(there(post, "letter-"), 13);
    await_quiet(post);
    mailer_free(post->mailer);
}

static void test_without_a_program_no_letter_is_written(void **state)
{
    struct post *post = *state;
    letters_on(post, false);
    begin(post, NULL);
    write_letters(post, 3);
    assert_int_equal(left(post), 0);
    mailer_free(post->mailer);
}

static void test_without_an_address_no_letter_is_written(void **state)
{
    struct post *post = *state;
    struct writing none[] = { { 1, "" }, { 1, NULL } };
    begin(post, post->path);
    for (int i = 0; i < 2; i++)
        assert_true(house_do(post->house, do_write, &none[i], NULL));
    assert_int_equal(left(post), 0);
    await_quiet(post);
    mailer_free(post->mailer);
}

static void test_what_is_refused_is_tried_again_ever_later(void **state)
{
    static const char *const programs[] = { NULL,
                                            "#!/bin/sh\ncd \"${0%/*}\"\n: > failed-$$\nexit 75\n" };
    struct post *post = *state;
    for (int i = 0; i < 2; i++) {
        begin(post, programs[i] == NULL ? "/no/such/program" : post->path);
        if (programs[i] != NULL)
            put_program(post->path, programs[i]);
        write_letters(post, 9);
        int64_t wait = LETTER_AGAIN_MS;
        for (int tries = 1; tries <= 3; tries++, wait *= 2) {
            static const char has_tried[] = "SELECT count(*) FROM letter WHERE tries = ?",
                              is_due[] = "SELECT count(*) FROM letter WHERE due_at = ?";
            UNTIL((turn(post), house_number(post->house, has_tried, tries) == 9));
            await_quiet(post);
            assert_int_equal(house_number(post->house, is_due, clock_due_ms() + wait), 9);
            if (tries < 3)
                pass(post, wait);
        }
        mailer_free(post->mailer);
        house_number(post->house, "DELETE FROM letter RETURNING id", 0);
    }
}

static void test_after_three_days_it_is_given_up(void **state)
{
    struct post *post = *state;
    begin(post, "/no/such/program");
    write_letters(post, 2);
    await_quiet(post);
    assert_int_equal(left(post), 2);
    pass(post, LETTER_AGE_MOST_MS);
    UNTIL(left(post) == 0);
    await_quiet(post);
    mailer_free(post->mailer);
}

/* Those that run end by themselves; as nobody wrote down that they did, they come once more. */
static void test_an_end_waits_for_nobody_and_loses_nothing(void **state)
{
    struct post *post = *state;
    begin(post, post->path);
    write_letters(post, 9);
    UNTIL(there(post, "begun-") == 4);
    mailer_free(post->mailer);
    for (int i = 0; i < 20; i++)
        assert_int_equal(there(post, "begun-"), 4);
    open_gate(post);
    UNTIL(there(post, "letter-") == 4);
    assert_int_equal(left(post), 9);
    begin(post, post->path);
    UNTIL(left(post) == 4);
    await_quiet(post);
    pass(post, LETTER_TAKEN_MS);
    UNTIL(left(post) == 0);
    assert_int_equal(there(post, "letter-"), 13);
    await_quiet(post);
    mailer_free(post->mailer);
}

static void test_an_address_that_is_none_is_left_out(void **state)
{
    struct post *post = *state;
    struct writing wrong = { 1, "-oQ/tmp@example.com" };
    begin(post, post->path);
    open_gate(post);
    assert_true(house_do(post->house, do_write, &wrong, NULL));
    write_letters(post, 1);
    UNTIL(left(post) == 0);
    assert_int_equal(there(post, "begun-"), 1);
    await_quiet(post);
    mailer_free(post->mailer);
}

static void test_of_too_many_the_newest_are_kept(void **state)
{
    struct post *post = *state;
    begin(post, "/no/such/program");
    write_letters(post, LETTERS_MOST + 7);
    UNTIL(left(post) == LETTERS_MOST);
    await_quiet(post);
    mailer_free(post->mailer);
}

/* Two servers look at once: one of them gets it. */
struct taking {
    struct list first, second;
};

static bool do_take_twice(struct job *job, struct db *db, void *with)
{
    struct taking *taking = with;
    int64_t next;
    (void)job;
    assert_int_equal(letters_take(db, 2, &taking->first, &next), 2);
    assert_int_equal(next, db_due_now(db));
    assert_int_equal(letters_take(db, 2, &taking->second, &next), 1);
    assert_int_equal(next, db_due_now(db) + LETTER_TAKEN_MS);
    return true;
}

static void test_what_one_has_taken_nobody_else_gets(void **state)
{
    struct post *post = *state;
    struct taking taking;
    list_init(&taking.first);
    list_init(&taking.second);
    begin(post, NULL);
    write_letters(post, 3);
    assert_true(house_do(post->house, do_take_twice, &taking, NULL));
    letters_free(&taking.first);
    letters_free(&taking.second);
    mailer_free(post->mailer);
}

#define POST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POST(test_a_letter_is_handed_over_whole_and_gone),
        POST(test_few_run_at_a_time_and_all_are_sent),
        POST(test_without_a_program_no_letter_is_written),
        POST(test_without_an_address_no_letter_is_written),
        POST(test_what_is_refused_is_tried_again_ever_later),
        POST(test_after_three_days_it_is_given_up),
        POST(test_an_end_waits_for_nobody_and_loses_nothing),
        POST(test_an_address_that_is_none_is_left_out),
        POST(test_of_too_many_the_newest_are_kept),
        POST(test_what_one_has_taken_nobody_else_gets),
    };
    signal(SIGPIPE, SIG_IGN); /* as the server does: a mailer may end before it has read all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
