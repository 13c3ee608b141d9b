/* mailer_test.c — letters reach the operator's mailer, a few at a time, and it is never waited for.
 */
#include "engine/mailer.h"

#include "base/fail.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mailer that takes a letter, begins (a file begun-PID), and ends it once the gate is open. */
static const char program[] = "#!/bin/sh\n"
                              "cd \"${0%/*}\"\n"
                              "cat > taken-$$\n"
                              ": > begun-$$\n"
                              ": < gate\n"
                              "mv taken-$$ letter-$$\n";

struct post {
    char folder[64], path[80], gate[80];
    uv_loop_t loop;
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

static int setup(void **state)
{
    struct post *post = must_alloc(sizeof(*post));
    post->open = -1;
    snprintf(post->folder, sizeof(post->folder), "/tmp/postbackd-mailer-XXXXXX");
    if (mkdtemp(post->folder) == NULL)
        return -1;
    snprintf(post->path, sizeof(post->path), "%s/sendmail", post->folder);
    snprintf(post->gate, sizeof(post->gate), "%s/gate", post->folder);
    put_program(post->path, program);
    uv_loop_init(&post->loop);
    *state = post;
    return mkfifo(post->gate, 0600);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int teardown(void **state)
{
    struct post *post = *state;
    if (post->open != -1)
        close(post->open);
    uv_run(&post->loop, UV_RUN_DEFAULT);
    int code = uv_loop_close(&post->loop);
    nftw(post->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(post);
    return code;
}

static void open_gate(struct post *post)
{
    post->open = open(post->gate, O_RDWR | O_CLOEXEC);
    assert_true(post->open != -1);
}

/* Files of that kind, after a turn of the loop. */
static int there(struct post *post, const char *prefix)
{
    int count = 0;
    uv_run(&post->loop, UV_RUN_NOWAIT);
    DIR *folder = opendir(post->folder);
    for (struct dirent *one; (one = readdir(folder)) != NULL;)
        count += strncmp(one->d_name, prefix, strlen(prefix)) == 0;
    closedir(folder);
    return count;
}

static void post_letters(struct post *post, int letters)
{
    struct list list;
    list_init(&list);
    for (int i = 0; i < letters; i++)
        letter_add(&list, "ann@example.com", "Postbacks are late", "Those of yours.\n");
    mailer_send(post->mailer, &list);
    assert_true(list_empty(&list));
}

static void test_a_letter_is_handed_over_whole(void **state)
{
    struct post *post = *state;
    post->mailer = mailer_new(&post->loop, post->path);
    open_gate(post);
    post_letters(post, 1);
    UNTIL(there(post, "letter-") == 1);
    mailer_free(post->mailer);
}

static void test_few_run_at_a_time_and_all_are_sent(void **state)
{
    struct post *post = *state;
    post->mailer = mailer_new(&post->loop, post->path);
    post_letters(post, 11);
    UNTIL(there(post, "begun-") == 4);
    post_letters(post, 2);
    assert_int_equal(there(post, "begun-"), 4);
    assert_int_equal(there(post, "letter-"), 0);
    open_gate(post);
    UNTIL(there(post, "letter-") == 13);
    mailer_free(post->mailer);
}

static void test_without_a_program_letters_are_only_freed(void **state)
{
    struct post *post = *state;
    post->mailer = mailer_new(&post->loop, NULL);
    post_letters(post, 3);
    assert_int_equal(there(post, "begun-"), 0);
    mailer_free(post->mailer);
}

static void test_a_program_that_is_not_there_stops_nobody(void **state)
{
    struct post *post = *state;
    post->mailer = mailer_new(&post->loop, "/no/such/program");
    post_letters(post, 10);
    uv_run(&post->loop, UV_RUN_DEFAULT); /* until nothing is left to close */
    mailer_free(post->mailer);
}

static void test_one_that_fails_does_not_keep_the_others(void **state)
{
    struct post *post = *state;
    put_program(post->path, "#!/bin/sh\ncd \"${0%/*}\"\n: > failed-$$\nexit 75\n");
    post->mailer = mailer_new(&post->loop, post->path);
    post_letters(post, 9);
    UNTIL(there(post, "failed-") == 9);
    mailer_free(post->mailer);
}

/* What stands in the queue is not sent: the notices on disk say the same. */
static void test_an_end_waits_for_nobody(void **state)
{
    struct post *post = *state;
    post->mailer = mailer_new(&post->loop, post->path);
    post_letters(post, 9);
    UNTIL(there(post, "begun-") == 4);
    mailer_free(post->mailer);
    uv_run(&post->loop, UV_RUN_DEFAULT);
    assert_int_equal(there(post, "begun-"), 4);
    open_gate(post);
    UNTIL(there(post, "letter-") == 4); /* those that ran end by themselves */
}

static void test_an_address_that_is_none_is_left_out(void **state)
{
    struct post *post = *state;
    struct list list;
    post->mailer = mailer_new(&post->loop, post->path);
    open_gate(post);
    list_init(&list);
    letter_add(&list, "-oQ/tmp@example.com", "x", "x");
    letter_add(&list, "ann@example.com", "x", "x");
    mailer_send(post->mailer, &list);
    UNTIL(there(post, "letter-") == 1);
    uv_run(&post->loop, UV_RUN_DEFAULT);
    assert_int_equal(there(post, "begun-"), 1);
    mailer_free(post->mailer);
}

#define POST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POST(test_a_letter_is_handed_over_whole),
        POST(test_few_run_at_a_time_and_all_are_sent),
        POST(test_without_a_program_letters_are_only_freed),
        POST(test_a_program_that_is_not_there_stops_nobody),
        POST(test_one_that_fails_does_not_keep_the_others),
        POST(test_an_end_waits_for_nobody),
        POST(test_an_address_that_is_none_is_left_out),
    };
    signal(SIGPIPE, SIG_IGN); /* as the server does: a mailer may end before it has read all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
