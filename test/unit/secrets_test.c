/* secrets_test.c — the key file and what is sealed under it. */
#include "house.h"

#include "store/keyring.h"
#include "store/secrets.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct place {
    char directory[64], key[96];
};

static int set_up(void **state)
{
    struct place *place = must_alloc(sizeof(*place));
    snprintf(place->directory, sizeof(place->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(place->directory) == NULL)
        return -1;
    snprintf(place->key, sizeof(place->key), "%s/secret.key", place->directory);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    keyring_close();
    nftw(place->directory, house_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return 0;
}

static void refused(struct place *place, const char *words)
{
    struct error error = { 0 };
    assert_false(keyring_open(place->key, true, &error));
    assert_int_equal(error.kind, ERROR_BROKEN);
    assert_non_null(strstr(error.message, place->key));
    if (strstr(error.message, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, error.message);
}

static void test_what_is_sealed_is_read_after_a_restart(void **state)
{
    struct place *place = *state;
    struct error error = { 0 };
    struct buf sealed = { 0 }, again = { 0 }, plain = { 0 };
    struct stat about;

    assert_true(keyring_open(place->key, true, &error));
    assert_int_equal(stat(place->key, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    secrets_seal(&sealed, "Bearer 12345", 12);
    secrets_seal(&again, "Bearer 12345", 12);
    assert_true(sealed.len == again.len && memcmp(sealed.data, again.data, sealed.len) != 0);
    assert_null(memmem(sealed.data, sealed.len, "Bearer", 6));
    keyring_close();
    assert_true(keyring_open(place->key, false, &error));
    assert_true(secrets_unseal(&plain, sealed.data, sealed.len));
    assert_int_equal(plain.len, 12);
    assert_string_equal(buf_text(&plain), "Bearer 12345");
    buf_free(&sealed);
    buf_free(&again);
    buf_free(&plain);
}

static void test_nothing_is_sealed_as_well_as_much(void **state)
{
    struct place *place = *state;
    struct buf sealed = { 0 }, plain = { 0 };

    assert_true(keyring_open(place->key, true, NULL));
    secrets_seal(&sealed, "", 0);
    assert_true(secrets_unseal(&plain, sealed.data, sealed.len));
    assert_int_equal(plain.len, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

static void test_a_changed_byte_is_noticed(void **state)
{
    struct place *place = *state;
    struct buf sealed = { 0 }, plain = { 0 };

    assert_true(keyring_open(place->key, true, NULL));
    secrets_seal(&sealed, "secret", 6);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_false(secrets_unseal(&plain, sealed.data, sealed.len));
        sealed.data[i] ^= 1;
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_false(secrets_unseal(&plain, sealed.data, len));
    assert_int_equal(plain.len, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

static void test_another_key_opens_nothing(void **state)
{
    struct place *place = *state;
    struct buf sealed = { 0 }, plain = { 0 };

    assert_true(keyring_open(place->key, true, NULL));
    secrets_seal(&sealed, "secret", 6);
    assert_int_equal(unlink(place->key), 0);
    assert_true(keyring_open(place->key, true, NULL));
    assert_false(secrets_unseal(&plain, sealed.data, sealed.len));
    buf_free(&sealed);
    buf_free(&plain);
}

static void test_a_missing_key_is_not_made_anew_beside_a_database(void **state)
{
    struct place *place = *state;
    struct error error = { 0 };

    assert_false(keyring_open(place->key, false, &error));
    assert_non_null(strstr(error.message, place->key));
    assert_non_null(strstr(error.message, "missing"));
    assert_int_equal(access(place->key, F_OK), -1);
}

static void test_a_key_that_others_may_read_is_refused(void **state)
{
    struct place *place = *state;

    assert_true(keyring_open(place->key, true, NULL));
    assert_int_equal(chmod(place->key, 0644), 0);
    refused(place, "0600");
    assert_int_equal(chmod(place->key, 0620), 0);
    refused(place, "0600");
}

static void test_a_damaged_key_file_is_refused(void **state)
{
    struct place *place = *state;

    assert_true(keyring_open(place->key, true, NULL));
    assert_int_equal(truncate(place->key, 31), 0);
    refused(place, "damaged");
    assert_int_equal(truncate(place->key, 33), 0);
    refused(place, "damaged");
    assert_int_equal(unlink(place->key), 0);
    assert_int_equal(mkdir(place->key, 0700), 0);
    refused(place, "not a file");
    assert_int_equal(rmdir(place->key), 0);
    assert_int_equal(symlink("/dev/zero", place->key), 0);
    refused(place, "cannot be read");
}

static void test_of_nodes_that_begin_together_all_have_one_key(void **state)
{
    enum { NODES = 16 };
    struct place *place = *state;
    int go[2], said[2];
    unsigned char sealed[256];

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(said), 0);
    for (int i = 0; i < NODES; i++)
        if (fork() == 0) {
            struct buf word = { 0 };
            char none;
            close(go[1]);
            bool good = read(go[0], &none, 1) == 0 && keyring_open(place->key, true, NULL);
            secrets_seal(&word, "a word", 6);
            _exit(good && write(said[1], word.data, word.len) == (ssize_t)word.len ? 0 : 1);
        }
    close(go[0]);
    close(go[1]); /* now */
    for (int i = 0, status; i < NODES; i++)
        assert_true(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(keyring_open(place->key, false, NULL));
    struct buf plain = { 0 }, mine = { 0 };
    secrets_seal(&mine, "a word", 6);
    size_t len = mine.len;
    for (int i = 0; i < NODES; i++) {
        assert_int_equal(read(said[0], sealed, len), (ssize_t)len);
        buf_reset(&plain);
        assert_true(secrets_unseal(&plain, sealed, len));
    }
    buf_free(&mine);
    buf_free(&plain);
    close(said[0]);
    close(said[1]);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* ---- another key ---- */

static void opens(const struct buf *sealed, enum resealed how)
{
    struct buf plain = { 0 }, anew = { 0 };
    assert_int_equal(secrets_unseal(&plain, sealed->data, sealed->len), how != RESEAL_SHUT);
    assert_int_equal(secrets_reseal(&anew, sealed->data, sealed->len), how);
    assert_int_equal(anew.len > 0, how == RESEAL_DONE);
    buf_free(&plain);
    buf_free(&anew);
}

static void test_until_the_old_key_is_forgotten_both_open(void **state)
{
    struct place *place = *state;
    struct buf before = { 0 }, after = { 0 };
    struct keyring_prints first, now;
    assert_true(keyring_open(place->key, true, NULL));
    secrets_seal(&before, "secret", 6);
    keyring_prints(&first);
    assert_true(keyring_add(NULL));
    assert_false(keyring_add(&(struct error){ 0 }));
    opens(&before, RESEAL_NOT_NEEDED);
    assert_true(keyring_swap(NULL));
    keyring_prints(&now);
    assert_string_equal(now.other, first.seals);
    secrets_seal(&after, "secret", 6);
    assert_true(keyring_open(place->key, false, NULL)); /* a restart on the way */
    opens(&before, RESEAL_DONE);
    opens(&after, RESEAL_NOT_NEEDED);
    assert_true(keyring_forget(NULL));
    opens(&before, RESEAL_SHUT);
    opens(&after, RESEAL_NOT_NEEDED);
    assert_true(keyring_open(place->key, false, NULL));
    opens(&after, RESEAL_NOT_NEEDED);
    buf_free(&before);
    buf_free(&after);
}

static void test_a_file_that_another_server_changed_is_taken_when_it_is_the_same_key(void **state)
{
    struct place *place = *state;
    struct keyring_prints was, now;
    struct error error = { 0 };
    unsigned char keys[2 * 32];
    assert_true(keyring_open(place->key, true, NULL));
    keyring_prints(&was);
    assert_false(keyring_changed());
    int file = open(place->key, O_RDWR);
    assert_int_equal(read(file, keys, 32), 32);
    memset(keys + 32, 7, 32);
    assert_int_equal(pwrite(file, keys, 64, 0), 64);
    assert_true(keyring_changed());
    assert_true(keyring_reread(NULL));
    assert_false(keyring_changed());
    keyring_prints(&now);
    assert_string_equal(now.seals, was.seals);
    assert_int_equal(strlen(now.other), KEY_PRINT_TEXT - 1);
    memset(keys, 9, 64);
    assert_int_equal(pwrite(file, keys, 64, 0), 64);
    assert_int_equal(futimens(file, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
    assert_false(keyring_reread(&error));
    assert_non_null(strstr(error.message, "another key"));
    keyring_prints(&now);
    assert_string_equal(now.seals, was.seals);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_what_is_sealed_is_read_after_a_restart),
        test(test_nothing_is_sealed_as_well_as_much),
        test(test_a_changed_byte_is_noticed),
        test(test_another_key_opens_nothing),
        test(test_a_missing_key_is_not_made_anew_beside_a_database),
        test(test_a_key_that_others_may_read_is_refused),
        test(test_a_damaged_key_file_is_refused),
        test(test_of_nodes_that_begin_together_all_have_one_key),
        test(test_until_the_old_key_is_forgotten_both_open),
        test(test_a_file_that_another_server_changed_is_taken_when_it_is_the_same_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
