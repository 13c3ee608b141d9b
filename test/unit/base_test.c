/* base_test.c — the mechanisms everything stands on. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/digits.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/id_list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/trim.h"
#include "base/turns.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_buffer_stops_at_its_cap(void **state)
{
    (void)state;
    struct buf buf = { .limit = 5 };
    buf_str(&buf, "abc");
    buf_str(&buf, "def");
    assert_true(buf.failed);
    buf_str(&buf, "x");
    assert_string_equal(buf_text(&buf), "abc");
    buf_reset(&buf);
    buf_fmt(&buf, "%d", 12345);
    assert_false(buf.failed);
    assert_string_equal(buf_text(&buf), "12345");
    buf_free(&buf);
}

static void test_groups_take_turns_whatever_waits_of_each(void **state)
{
    (void)state;
    struct turns turns = { 0 };
    struct heap_node many[100] = { 0 }, few[2] = { 0 };
    assert_null(turns_take(&turns));
    for (int i = 0; i < 100; i++)
        turns_add(&turns, &many[i], 7);
    for (int i = 0; i < 50; i++)
        assert_ptr_equal(turns_take(&turns), &many[i]);
    turns_add(&turns, &few[0], 8);
    turns_add(&turns, &few[1], 8);
    int place[2] = { -1, -1 };
    for (int i = 0; i < 4; i++) {
        turns_add(&turns, &many[99], 7); /* keeps its place */
        struct heap_node *next = turns_take(&turns);
        if (next == &few[0] || next == &few[1])
            place[next - few] = i;
    }
    assert_in_range(place[0], 0, 1);
    assert_in_range(place[1], 2, 3);
    turns_remove(&turns, &many[60]);
    turns_remove(&turns, &many[60]);
    for (int i = 52; i < 100; i++) {
        if (i != 60)
            assert_ptr_equal(turns_take(&turns), &many[i]);
    }
    assert_true(turns_empty(&turns));
    turns_free(&turns);
}

static void test_numbers_are_written_whole(void **state)
{
    (void)state;
    struct buf buf = { 0 };
    buf_int(&buf, INT64_MIN);
    buf_char(&buf, ' ');
    buf_int(&buf, 0);
    buf_char(&buf, ' ');
    buf_int(&buf, INT64_MAX);
    assert_string_equal(buf_text(&buf), "-9223372036854775808 0 9223372036854775807");
    buf_free(&buf);
    for (int64_t power = 1; power < INT64_MAX / 10; power *= 10) {
        int64_t near[] = { -power - 1, -power, 1 - power, power - 1, power, power + 1, power * 7 };
        for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
            int64_t number = near[i];
            char made[DIGITS_OF_INT], expected[DIGITS_OF_INT];
            snprintf(expected, sizeof(expected), "%" PRId64, number);
            assert_int_equal(digits_of_int(made, number), strlen(expected));
            assert_string_equal(made, expected);
        }
    }
}

static void test_numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    static const char *const wrong[] = { "", "-", "1 ", "+1", "0x1", "9223372036854775808", "1.0" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(text_int(wrong[i], INT64_MIN, INT64_MAX, &value));
    assert_false(text_int("11", 0, 10, &value));
}

static void test_ids_rise_when_the_clock_does_not(void **state)
{
    (void)state;
    struct id_source source = { .node = 1023 };
    int64_t now = 1795459217123, last = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t id = id_next(&source, i % 2 == 0 ? now : now - 60000);
        assert_true(id > last);
        last = id;
    }
    assert_true(id_time_ms(last) >= now && id_time_ms(last) < now + 10);
    assert_true(id_first_at(now) <= last);
    int64_t read;
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)last);
    assert_true(id_parse(text, &read) && read == last);
    assert_false(id_parse("-1", &read));
    assert_false(id_parse("", &read));
}

static void test_a_heap_gives_keys_in_order_after_moves_and_removals(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct heap heap = { 0 };
    struct heap_node nodes[COUNT] = { 0 };
    unsigned seed = 42;
    for (int i = 0; i < COUNT; i++)
        heap_put(&heap, &nodes[i], rand_r(&seed) % 1000);
    for (int i = 0; i < COUNT; i += 3)
        heap_put(&heap, &nodes[i], rand_r(&seed) % 1000);
    for (int i = 0; i < COUNT; i += 5)
        heap_remove(&heap, &nodes[i]);
    int64_t last = -1;
    size_t left = heap.count;
    assert_int_equal(left, COUNT - COUNT / 5);
    while (heap_min(&heap) != NULL) {
        struct heap_node *least = heap_min(&heap);
        assert_true(least->key >= last);
        last = least->key;
        heap_remove(&heap, least);
        heap_remove(&heap, least);
        left--;
    }
    assert_int_equal(left, 0);
    heap_free(&heap);
}

static void test_a_map_finds_what_was_put_and_not_removed(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct map map = { 0 };
    static int values[COUNT];
    char key[32];
    for (int i = 0; i < COUNT; i++) {
        assert_null(map_put(&map, i * 4096, &values[i]));
        int len = snprintf(key, sizeof(key), "key %d", i);
        assert_null(map_put_text(&map, key, (size_t)len, &values[i]));
    }
    for (int i = 0; i < COUNT; i += 2)
        assert_ptr_equal(map_remove(&map, i * 4096), &values[i]);
    for (int i = 0; i < COUNT; i++) {
        assert_ptr_equal(map_get(&map, i * 4096), i % 2 != 0 ? &values[i] : NULL);
        int len = snprintf(key, sizeof(key), "key %d", i);
        assert_ptr_equal(map_get_text(&map, key, (size_t)len), &values[i]);
    }
    size_t at = 0, seen = 0;
    while (map_each(&map, &at) != NULL)
        seen++;
    assert_int_equal(seen, COUNT + COUNT / 2);
    assert_int_equal(map.count, seen);
    map_free(&map);
}

static void test_percent_encoding_goes_both_ways(void **state)
{
    (void)state;
    struct buf there = { 0 }, back = { 0 };
    static const char text[] = "a b&c=d/é?%+~";
    text_percent_encode(&there, text, strlen(text));
    assert_string_equal(buf_text(&there), "a%20b%26c%3Dd%2F%C3%A9%3F%25%2B~");
    assert_true(text_percent_decode(&back, there.data, there.len, true));
    assert_string_equal(buf_text(&back), text);
    static const char *const wrong[] = { "%", "%1", "%zz", "%00" };
    for (size_t i = 0; i < 4; i++) {
        buf_reset(&back);
        assert_false(text_percent_decode(&back, wrong[i], strlen(wrong[i]), false));
    }
    buf_free(&there);
    buf_free(&back);
}

static void test_base64_refuses_what_is_not(void **state)
{
    (void)state;
    struct buf out = { 0 };
    text_base64(&out, "any carnal pleas", 16, false);
    assert_string_equal(buf_text(&out), "YW55IGNhcm5hbCBwbGVhcw==");
    struct buf back = { 0 };
    assert_true(text_unbase64(&back, out.data, out.len, false));
    assert_string_equal(buf_text(&back), "any carnal pleas");
    static const char *const wrong[] = { "YW5*", "YW55=", "YW5",  "Y===", "YW==YW==",
                                         "YR==", "YWF=",  "YW-5", "=",    "==" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(text_unbase64(&back, wrong[i], strlen(wrong[i]), false));
    for (size_t len = 0; len < 40; len++) {
        char bytes[40], *text;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(i * 37 + len * 101);
        for (int url_safe = 0; url_safe < 2; url_safe++) {
            buf_reset(&out);
            buf_reset(&back);
            text_base64(&out, bytes, len, url_safe);
            text = strdup(buf_text(&out));
            assert_true(text_unbase64(&back, text, strlen(text), url_safe));
            assert_int_equal(back.len, len);
            if (len > 0)
                assert_memory_equal(back.data, bytes, len);
            free(text);
        }
    }
    buf_free(&out);
    buf_free(&back);
}

static void test_utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_true(text_is_utf8("aé€😀", strlen("aé€😀")));
    assert_int_equal(text_length("aé€😀"), 4);
    assert_false(text_is_utf8("\xc0\x80", 2));         /* overlong */
    assert_false(text_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(text_is_utf8("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(text_is_utf8("\xe2\x82", 2));         /* cut short */
}

static void test_a_histogram_gives_its_quantiles_within_a_quarter(void **state)
{
    (void)state;
    struct histogram histogram = { 0 };
    for (int us = 1; us <= 10000; us++)
        histogram_add(&histogram, us);
    int64_t p50 = histogram_quantile(&histogram, 0.5), p99 = histogram_quantile(&histogram, 0.99);
    assert_in_range(p50, 5000, 6250);
    assert_in_range(p99, 9900, 12375);
}

static int read_config(struct config *config, struct error *error, char **argv)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    *error = (struct error){ 0 };
    return config_read(config, argc, argv, error);
}

static void test_a_flag_wins_over_a_variable_over_the_file(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    char path[] = "/tmp/config-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("deadline = 11\nnode = 11\nrate-limit = 11\nallow-egress = 10.0.0.0/8, ::1/128\n", file);
    fclose(file);
    setenv("POSTBACKD_NODE", "12", 1);
    setenv("POSTBACKD_RATE_LIMIT", "12", 1);
    char *argv[] = { "serve", "--data", "/d", "--config", path, "--rate-limit=13", NULL };
    assert_int_equal(read_config(&config, &error, argv), 0);
    assert_int_equal(config.deadline_s, 11);
    assert_int_equal(config.node, 12);
    assert_int_equal(config.rate_limit, 13);
    assert_int_equal(config.allow_egress.count, 2);
    assert_string_equal(config.allow_egress.items[1], "::1/128");
    assert_string_equal(config.listen, "127.0.0.1:8080");
    config_free(&config);
    unsetenv("POSTBACKD_NODE");
    unsetenv("POSTBACKD_RATE_LIMIT");
    remove(path);
}

static void test_a_wrong_setting_is_named(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    char *number[] = { "serve", "--data", "/d", "--node", "1024", NULL };
    assert_int_equal(read_config(&config, &error, number), -1);
    assert_string_equal(error.message, "--node: \"1024\" is not a whole number from 0 to 1023");
    char *unknown[] = { "serve", "--dat", "/d", "--colour", "red", NULL };
    assert_int_equal(read_config(&config, &error, unknown), -1);
    assert_non_null(strstr(error.message, "--colour"));
    char *none[] = { "serve", NULL };
    assert_int_equal(read_config(&config, &error, none), -1);
    assert_non_null(strstr(error.message, "--data DIR is required"));
    char *choice[] = { "serve", "--data", "/d", "--log-format", "xml", NULL };
    assert_int_equal(read_config(&config, &error, choice), -1);
    assert_non_null(strstr(error.message, "text json"));
}

static void test_a_password_has_no_place_in_a_flag(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    char *const wrong[] = { "postgresql://u:p@h/d",
                            "postgres://u:@h",
                            "postgresql://h/d?password=p",
                            "postgresql://h/d?a=b&password=p",
                            "host=h password=p",
                            "password = p",
                            "postgresql:///d?sslpassword=p" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *argv[] = { "serve", "--data", "/d", "--store", wrong[i], NULL };
        assert_int_equal(read_config(&config, &error, argv), -1);
        assert_non_null(strstr(error.message, "--store-password-file"));
    }
    char *const right[] = { "postgresql://u@h:5432/d", "postgresql://[::1]:5432/d?passfile=/f",
                            "host=h user=u", "postgresql://", "postgresql:///d?host=a:b@c" };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        char *argv[] = { "serve", "--data", "/d", "--store", right[i], NULL };
        assert_int_equal(read_config(&config, &error, argv), 0);
        assert_string_equal(config.store, right[i]);
        config_free(&config);
    }
    char *argv[] = { "serve", "--data", "/d", NULL };
    setenv("POSTBACKD_STORE", wrong[0], 1);
    assert_int_equal(read_config(&config, &error, argv), 0);
    assert_string_equal(config.store, wrong[0]);
    config_free(&config);
    unsetenv("POSTBACKD_STORE");
}

static void test_settings_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    char *node[] = { "serve", "--data", "/d", "--store", "postgresql://", "--node", "0", NULL };
    assert_int_equal(read_config(&config, &error, node), -1);
    assert_non_null(strstr(error.message, "--node"));
    char *file[] = { "serve", "--data", "/d", "--store-password-file", "/f", NULL };
    assert_int_equal(read_config(&config, &error, file), -1);
    assert_non_null(strstr(error.message, "--store-password-file"));
}

static int read_config_text(struct config *config, struct error *error, const char *text,
                            size_t len)
{
    char path[] = "/tmp/config-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    char *argv[] = { "serve", "--config", path, NULL };
    int result = read_config(config, error, argv);
    remove(path);
    return result;
}

static void test_each_line_of_the_file_stands_alone(void **state)
{
    /* S1: an indented line, a long one and one that ends the file are settings of their own. */
    (void)state;
    struct config config;
    struct error error;
    char text[2000], name[601];
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    int len = snprintf(text, sizeof(text),
                       "\xef\xbb\xbf data = /%s\r\n\t allow-egress=10.0.0.0/8, ::1/128\n"
                       "  allow-egress = 10.1.0.0/16\t; ours\n   ; node = 1\n \t \r\n"
                       "  ca-file = /ca;1#2=3\n    node: 7",
                       name);
    assert_int_equal(read_config_text(&config, &error, text, (size_t)len), 0);
    assert_string_equal(config.data + 1, name);
    assert_int_equal(config.allow_egress.count, 3);
    assert_string_equal(config.allow_egress.items[2], "10.1.0.0/16");
    assert_string_equal(config.ca_file, "/ca;1#2=3");
    assert_int_equal(config.node, 7);
    assert_string_equal(config.listen, "127.0.0.1:8080");
    config_free(&config);
    static const struct {
        const char *text, *words;
        size_t len; /* 0: as long as it is */
    } wrong[] = {
        { "data = /d\n listen\n", "line 2: expected", 0 },
        { "data = /d\nnode = 1\n\nnode = 1\n", "line 4: node: is set on line 2", 0 },
        { "data = '/d'\n", "line 1: the value stands in quotes", 0 },
        { "\xff\xfe"
          "d\0a\0",
          "line 1: is not text", 6 },
        { "data = /d\n\x1b\n", "line 2: a control character", 0 },
        { "data = ; none\n", "line 1: data: empty", 0 },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        size_t bytes = wrong[i].len > 0 ? wrong[i].len : strlen(wrong[i].text);
        assert_int_equal(read_config_text(&config, &error, wrong[i].text, bytes), -1);
        if (strstr(error.message, wrong[i].words) == NULL)
            fail_msg("expected \"%s\", got \"%s\"", wrong[i].words, error.message);
    }
}

static const int64_t noon = 1700000000000, hour = 3600000;

static void test_the_due_clock_is_the_wall_clock_and_goes_on_when_that_is_set_back(void **state)
{
    (void)state;
    struct due_clock clock = { 0 };
    assert_int_equal(due_clock_read(&clock, noon, 5000), noon);
    assert_int_equal(due_clock_read(&clock, noon + 1000, 6000), noon + 1000);
    assert_int_equal(due_clock_read(&clock, noon + hour, 6000), noon + hour); /* set ahead */
    assert_int_equal(due_clock_read(&clock, noon, 6000), noon + hour);        /* and back */
    for (int i = 1; i <= 1000; i++) /* a little slower, however often it is asked */
        assert_int_equal(due_clock_read(&clock, noon + i, 6000 + i), noon + hour + i * 9 / 10);
    assert_int_equal(due_clock_read(&clock, noon + 10 * hour, 6000 + 10 * hour), noon + 10 * hour);
    assert_int_equal(due_clock_read(&clock, noon + 10 * hour + 7, 6007 + 10 * hour),
                     noon + 10 * hour + 7); /* they have met */
}

/* A19: a jump of more than a year is not followed. */
static void test_the_due_clock_does_not_follow_a_clock_of_2109(void **state)
{
    (void)state;
    const int64_t day = 24 * 3600 * 1000, in_2109 = 4400000000000;
    struct due_clock clock = { 0 };
    assert_int_equal(due_clock_read(&clock, noon, 5000), noon);
    assert_int_equal(due_clock_read(&clock, in_2109, 6000), noon + 1000);
    assert_true(clock.mistrusts);
    assert_int_equal(due_clock_read(&clock, in_2109 + day, 6000 + day), noon + 1000 + day);
    assert_int_equal(due_clock_read(&clock, noon + day, 6000 + day), noon + 1000 + day);
    assert_false(clock.mistrusts);
    assert_int_equal(due_clock_read(&clock, noon + 3 * day, 6000 + 2 * day), noon + 3 * day);
    /* 300 days are a machine that slept, a little more than a year is none */
    assert_int_equal(due_clock_read(&clock, noon + 303 * day, 7000 + 2 * day), noon + 303 * day);
    due_clock_read(&clock, noon + 303 * day + CLOCK_JUMP_MOST_MS + 1, 7000 + 2 * day);
    assert_true(clock.mistrusts);
    /* the first look has nothing to compare with: the start's own check has */
    clock = (struct due_clock){ 0 };
    assert_int_equal(due_clock_read(&clock, in_2109, 1), in_2109);
}

static void end_of_ids(void *unused)
{
    struct id_source source = { .last = 0 };
    (void)unused;
    id_seen(&source, INT64_MAX - 1);
    assert_int_equal(id_next(&source, 0), INT64_MAX); /* the very last */
    id_next(&source, 0);
}

/* A19: behind the last id are no more, rather than negative ones. */
static void test_ids_end(void **state)
{
    int status;
    (void)state;
    assert_int_equal(id_time_ms(INT64_MAX), id_last_ms());
    pid_t child = fork();
    if (child == 0) {
        end_of_ids(NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void test_a_clock_that_is_followed_goes_on_whatever_becomes_of_the_own(void **state)
{
    struct clock_source source = { .wall_ms = 1000000, .steady_us = 5000000 };
    (void)state;
    clock_set_source(&source);
    assert_int_equal(clock_wall_ms(), 1000000);
    clock_follow(-700);
    assert_int_equal(clock_wall_ms(), 999300);
    assert_int_equal(clock_system_ms(), 1000000);
    source.wall_ms += 3600000; /* it is set */
    assert_int_equal(clock_wall_ms(), 999300);
    source.steady_us += 2000000;
    assert_int_equal(clock_wall_ms(), 1001300);
    clock_follow(1001300 - source.wall_ms); /* the next look finds it so far away */
    assert_int_equal(clock_wall_ms(), 1001300);
    clock_set_source(NULL);
    assert_true(clock_system_ms() - clock_wall_ms() < 60000);
}

static void test_the_program_s_clocks_follow_the_source(void **state)
{
    (void)state;
    struct clock_source source = { .wall_ms = noon, .steady_us = 1000000 };
    clock_set_source(&source);
    assert_int_equal(clock_wall_ms(), noon);
    assert_int_equal(clock_steady_ms(), 1000);
    assert_int_equal(clock_due_ms(), noon);
    clock_due_seen(noon + 500); /* written before a restart, by a clock that was ahead */
    assert_int_equal(clock_due_ms(), noon + 500);
    clock_due_seen(noon);
    source.wall_ms -= 24 * hour;
    source.steady_us += 100 * 1000;
    assert_int_equal(clock_due_ms(), noon + 590);
    assert_int_equal(clock_wall_ms(), noon - 24 * hour);
    source.wall_ms = noon + 24 * hour;
    assert_int_equal(clock_due_ms(), noon + 24 * hour);
    clock_set_source(NULL);
    assert_true(clock_wall_ms() > noon);
}

/* A4: what a long answer is still to be read of. */
static void test_a_list_of_ids_gives_them_back_in_their_order_and_takes_little(void **state)
{
    static const int64_t odd[] = { 0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN, 5, 5 };
    struct id_list list = { 0 };
    int64_t id;
    (void)state;
    assert_false(id_list_next(&list, &id));
    id_list_free(&list);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        id_list_add(&list, odd[i]);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_true(id_list_next(&list, &id));
        assert_int_equal(id, odd[i]);
    }
    assert_false(id_list_next(&list, &id));
    assert_false(id_list_next(&list, &id));
    id_list_free(&list);
    for (int64_t i = 0; i < 100000; i++)
        id_list_add(&list, 5000000 - i);
    assert_int_equal(list.count, 100000);
    assert_in_range(list.bytes.len, 1, 100010); /* neighbours take a byte */
    for (int64_t i = 0; i < 100000; i++)
        assert_true(id_list_next(&list, &id) && id == 5000000 - i);
    id_list_free(&list);
}

static int trims;

static void count_trim(void)
{
    trims++;
}

static void test_a_thread_trims_when_it_rests_and_now_and_then_while_it_works(void **state)
{
    (void)state;
    struct clock_source source = { .wall_ms = 0, .steady_us = 1000000000 };
    clock_set_source(&source);
    trim_idle(); /* nobody has said how */
    trim_by(count_trim);
    trim_busy();
    assert_int_equal(trims, 1);
    source.steady_us += TRIM_EVERY_MS * 1000 - 1000;
    trim_busy();
    assert_int_equal(trims, 1);
    source.steady_us += 1000;
    trim_busy();
    trim_busy();
    assert_int_equal(trims, 2);
    trim_idle();
    assert_int_equal(trims, 3);
    trim_by(NULL);
    clock_set_source(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_trims_when_it_rests_and_now_and_then_while_it_works),
        cmocka_unit_test(test_a_buffer_stops_at_its_cap),
        cmocka_unit_test(test_a_list_of_ids_gives_them_back_in_their_order_and_takes_little),
        cmocka_unit_test(test_groups_take_turns_whatever_waits_of_each),
        cmocka_unit_test(test_numbers_are_written_whole),
        cmocka_unit_test(test_numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(test_ids_rise_when_the_clock_does_not),
        cmocka_unit_test(test_the_due_clock_is_the_wall_clock_and_goes_on_when_that_is_set_back),
        cmocka_unit_test(test_the_due_clock_does_not_follow_a_clock_of_2109),
        cmocka_unit_test(test_ids_end),
        cmocka_unit_test(test_a_clock_that_is_followed_goes_on_whatever_becomes_of_the_own),
        cmocka_unit_test(test_the_program_s_clocks_follow_the_source),
        cmocka_unit_test(test_a_heap_gives_keys_in_order_after_moves_and_removals),
        cmocka_unit_test(test_a_map_finds_what_was_put_and_not_removed),
        cmocka_unit_test(test_percent_encoding_goes_both_ways),
        cmocka_unit_test(test_base64_refuses_what_is_not),
        cmocka_unit_test(test_utf8_is_told_from_other_bytes),
        cmocka_unit_test(test_a_histogram_gives_its_quantiles_within_a_quarter),
        cmocka_unit_test(test_a_flag_wins_over_a_variable_over_the_file),
        cmocka_unit_test(test_a_wrong_setting_is_named),
        cmocka_unit_test(test_a_password_has_no_place_in_a_flag),
        cmocka_unit_test(test_settings_that_do_not_go_together_are_refused),
        cmocka_unit_test(test_each_line_of_the_file_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
