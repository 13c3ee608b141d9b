/* log_scan_test.c — A14: write-ahead logs as SQLite leaves them, with every kind of damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/sqlite_log_scan.h"
#include "house.h"

#include <fcntl.h>
#include <sqlite3.h>

enum { FRAME = 24 + 4096, HEADER = 32 };

struct log {
    char directory[64], path[80], copy[80];
    sqlite3 *handle;
    struct buf bytes; /* of the log as it was written */
};

static void run(struct log *log, const char *sql)
{
    char *problem = NULL;
    sqlite3_exec(log->handle, sql, NULL, NULL, &problem);
    if (problem != NULL)
        fail_msg("%s: %s", sql, problem);
}

static void read_all(const char *path, struct buf *out)
{
    char room[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_reset(out);
    for (size_t len; (len = fread(room, 1, sizeof(room), file)) > 0;)
        buf_add(out, room, len);
    fclose(file);
}

static void write_all(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void commit_rows(struct log *log, int transactions, int rows)
{
    for (int i = 0; i < transactions; i++) {
        struct buf sql = { 0 };
        buf_str(&sql, "BEGIN;");
        for (int row = 0; row < rows; row++)
            buf_str(&sql, "INSERT INTO t (text) VALUES (hex(randomblob(900)));");
        buf_str(&sql, "COMMIT");
        run(log, buf_text(&sql));
        buf_free(&sql);
    }
}

static int setup(void **state)
{
    struct log *log = must_alloc(sizeof(*log));
    char path[80];
    snprintf(log->directory, sizeof(log->directory), "/tmp/postbackd-test-XXXXXX");
    assert_non_null(mkdtemp(log->directory));
    snprintf(path, sizeof(path), "%s/db", log->directory);
    snprintf(log->path, sizeof(log->path), "%s/db-wal", log->directory);
    snprintf(log->copy, sizeof(log->copy), "%s/copy", log->directory);
    assert_int_equal(sqlite3_open(path, &log->handle), SQLITE_OK);
    run(log, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
             "CREATE TABLE t (id INTEGER PRIMARY KEY, text)");
    commit_rows(log, 8, 3);
    read_all(log->path, &log->bytes);
    *state = log;
    return 0;
}

static int teardown(void **state)
{
    struct log *log = *state;
    sqlite3_close(log->handle);
    nftw(log->directory, house_remove, 8, FTW_DEPTH | FTW_PHYS);
    buf_free(&log->bytes);
    free(log);
    return 0;
}

static struct log_scan scan(const char *path)
{
    struct log_scan out;
    struct error error = { 0 };
    if (!log_scan(path, &out, &error))
        fail_msg("%s", error.message);
    return out;
}

static int64_t frames_of(const struct log *log)
{
    return ((int64_t)log->bytes.len - HEADER) / FRAME;
}

static void test_a_whole_log(void **state)
{
    struct log *log = *state;
    struct log_scan found = scan(log->path);
    assert_int_equal(found.frames, frames_of(log));
    assert_false(log_scan_lost(&found));
    assert_int_equal(found.unfinished, 0);
    found = scan("/tmp/no-such-log");
    assert_int_equal(found.bytes, 0);
}

static struct log_scan scan_copy(struct log *log, size_t len)
{
    write_all(log->copy, log->bytes.data, len);
    return scan(log->copy);
}

/* What a killed process leaves: the log ends anywhere. */
static void test_a_log_that_ends_anywhere_lost_nothing(void **state)
{
    struct log *log = *state;
    for (size_t len = 0; len <= log->bytes.len; len += 331) {
        struct log_scan found = scan_copy(log, len);
        if (log_scan_lost(&found))
            fail_msg("cut after %zu bytes: %" PRId64 " frames are called lost", len, found.lost);
    }
}

/* … or goes on with frames of before the last time that it started from its beginning. */
static void test_what_is_left_of_before_is_not_ours(void **state)
{
    struct log *log = *state;
    struct buf old = { 0 };
    buf_add(&old, log->bytes.data, log->bytes.len);
    run(log, "PRAGMA wal_checkpoint(RESTART)");
    commit_rows(log, 2, 3);
    read_all(log->path, &log->bytes);
    assert_int_equal(log->bytes.len, old.len);
    struct log_scan whole = scan(log->path);
    assert_in_range(whole.frames, 2, frames_of(log) - 1);
    assert_false(log_scan_lost(&whole));
    /* the second commit's write cut in two at each page of the file */
    size_t end = HEADER + (size_t)whole.frames * FRAME;
    for (size_t cut = 4096; cut + FRAME <= end; cut += 4096) {
        buf_reset(&old);
        buf_add(&old, log->bytes.data, log->bytes.len);
        memset(old.data + cut, 0x5a, end - cut); /* no salt of ours */
        write_all(log->copy, old.data, old.len);
        struct log_scan found = scan(log->copy);
        /* a frame that is marked, cut behind its mark, is the one case that cannot be told */
        size_t frame = HEADER + (cut - HEADER) / FRAME * FRAME;
        bool marked = frame + 24 <= cut && memcmp(old.data + frame + 4, "\0\0\0\0", 4) != 0;
        if (log_scan_lost(&found) != marked || found.commits != marked)
            fail_msg("cut at %zu: %" PRId64 " frames are called lost", cut, found.lost);
    }
    buf_free(&old);
}

/* A transaction that did not fit into the cache and was undone leaves frames without a mark, and
 * the next one writes over some of them. */
static void test_what_was_undone_is_not_lost(void **state)
{
    struct log *log = *state;
    run(log, "PRAGMA cache_size = 5; BEGIN");
    for (int i = 0; i < 60; i++)
        run(log, "INSERT INTO t (text) VALUES (hex(randomblob(900)))");
    run(log, "ROLLBACK");
    struct log_scan found = scan(log->path);
    assert_true(found.unfinished > 5);
    assert_false(log_scan_lost(&found));
    commit_rows(log, 1, 1);
    found = scan(log->path);
    assert_true(found.unfinished > 3);
    assert_false(log_scan_lost(&found));
}

static void expect_said(struct log *log, size_t at, unsigned char bits)
{
    log->bytes.data[at] ^= (char)bits;
    struct log_scan found = scan_copy(log, log->bytes.len);
    if (!log_scan_lost(&found))
        fail_msg("byte %zu ^ %02x: nothing is called lost", at, bits);
    struct buf words = { 0 };
    log_scan_words(&found, &words);
    bool header = at < HEADER;
    assert_true(found.header_damaged == header);
    assert_non_null(
        strstr(buf_text(&words), header ? "the header of the write-ahead log" : "frame "));
    if (!header) {
        int64_t frame = ((int64_t)at - HEADER) / FRAME + 1;
        assert_int_equal(found.damaged, frame);
        assert_true(found.frames < frame && found.frames + found.lost <= frames_of(log));
    }
    buf_free(&words);
    log->bytes.data[at] ^= (char)bits;
}

static void test_every_bit_of_the_headers_is_missed(void **state)
{
    struct log *log = *state;
    for (int64_t frame = -1; frame < frames_of(log); frame++) {
        size_t from = frame == -1 ? 0 : HEADER + (size_t)frame * FRAME;
        for (size_t at = from; at < from + (frame == -1 ? HEADER : 24); at++) {
            for (int bit = 0; bit < 8; bit++)
                expect_said(log, at, (unsigned char)(1 << bit));
        }
    }
}

static void test_bits_anywhere_are_missed(void **state)
{
    struct log *log = *state;
    srandom(14);
    for (int i = 0; i < 1500; i++)
        expect_said(log, (size_t)random() % log->bytes.len, (unsigned char)(1 << random() % 8));
}

static void test_zeroes_are_missed(void **state)
{
    struct log *log = *state;
    struct buf saved = { 0 };
    for (size_t at = 4096; at + 512 < log->bytes.len - FRAME; at += 512) {
        buf_reset(&saved);
        buf_add(&saved, log->bytes.data + at, 512);
        memset(log->bytes.data + at, 0, 512);
        struct log_scan found = scan_copy(log, log->bytes.len);
        bool was_zero = memcmp(saved.data, log->bytes.data + at, 512) == 0;
        if (!was_zero && !log_scan_lost(&found))
            fail_msg("512 zeroes at %zu: nothing is called lost", at);
        memcpy(log->bytes.data + at, saved.data, 512);
    }
    buf_free(&saved);
}

static void test_how_many_are_lost(void **state)
{
    struct log *log = *state;
    int64_t before = scan(log->path).frames;
    commit_rows(log, 3, 2);
    read_all(log->path, &log->bytes);
    log->bytes.data[HEADER + (size_t)before * FRAME + 1000] ^= 4;
    struct log_scan found = scan_copy(log, log->bytes.len);
    assert_int_equal(found.frames, before);
    assert_int_equal(found.lost, frames_of(log) - before);
    assert_int_equal(found.commits, 3);
    struct buf words = { 0 };
    log_scan_words(&found, &words);
    assert_non_null(strstr(buf_text(&words), "of 3 committed transactions"));
    assert_non_null(strstr(buf_text(&words), "had been acknowledged"));
    buf_free(&words);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(test_a_whole_log),
        test(test_a_log_that_ends_anywhere_lost_nothing),
        test(test_what_is_left_of_before_is_not_ours),
        test(test_what_was_undone_is_not_lost),
        test(test_every_bit_of_the_headers_is_missed),
        test(test_bits_anywhere_are_missed),
        test(test_zeroes_are_missed),
        test(test_how_many_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
