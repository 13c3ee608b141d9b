/* sample_test.c — samples that add up, their bytes, and series of them. */
#include "model/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE ((int64_t)SERIES_MINUTE_MS)
#define HOUR   ((int64_t)SERIES_HOUR_MS)
#define DAY    ((int64_t)SERIES_DAY_MS)

/* 2026-11-23T18:40:17Z */
static const int64_t now = 1795459217000;

static void deliver(struct sample *sample, int64_t latency_us)
{
    sample->delivered++;
    sample->latencies[histogram_bin(latency_us)]++;
}

static struct sample pending(int64_t count, int64_t oldest_at)
{
    struct sample sample;
    sample_clear(&sample);
    sample.pending = count;
    sample.oldest_at = oldest_at;
    return sample;
}

/* ---- samples ---- */

static void test_outcomes_are_told_apart_up_to_a_cap_and_survive_as_bytes(void **state)
{
    struct sample sample, again;
    struct buf bytes = { 0 };
    (void)state;
    sample_clear(&sample);
    sample_count(&sample, 200, 7);
    sample_count(&sample, -6, 2);
    for (int code = 400; code < 430; code++)
        sample_count(&sample, code, 1);
    sample_count(&sample, 200, 1);
    assert_int_equal(sample.codes[0].code, 200);
    assert_int_equal(sample.codes[0].count, 8);
    assert_int_equal(sample.codes[1].code, -6);
    assert_int_equal(sample.codes[SAMPLE_CODES].code, 0);
    assert_int_equal(sample.codes[SAMPLE_CODES].count, 30 - (SAMPLE_CODES - 2));
    sample_pack_codes(&sample, &bytes);
    sample_clear(&again);
    assert_true(sample_unpack_codes(&again, bytes.data, bytes.len));
    assert_memory_equal(&again, &sample, sizeof(sample));
    assert_false(sample_unpack_codes(&again, bytes.data, bytes.len - 1));
    assert_memory_equal(&again, &sample, sizeof(sample));
    assert_true(sample_unpack_codes(&again, "", 0));
    buf_free(&bytes);
}

static void test_the_later_error_is_kept(void **state)
{
    struct sample first, second;
    (void)state;
    sample_clear(&first);
    sample_clear(&second);
    sample_add(&first, &second);
    assert_int_equal(first.error_at, -1);
    sample_error(&first, 2000, "status 503");
    sample_error(&second, 1000, "dns: no such name");
    sample_add(&first, &second);
    assert_string_equal(first.error, "status 503");
    sample_error(&second, 3000, "timeout: no answer");
    sample_follow(&first, &second);
    assert_int_equal(first.error_at, 3000);
    assert_string_equal(first.error, "timeout: no answer");
}

static void test_percentiles_are_within_a_quarter_and_those_of_a_sum_as_exact(void **state)
{
    struct sample whole, parts[7], sum;
    (void)state;
    sample_clear(&whole);
    sample_clear(&sum);
    for (int i = 0; i < 7; i++)
        sample_clear(&parts[i]);
    for (int i = 1; i <= 10000; i++) {
        deliver(&whole, i * 100);
        deliver(&parts[i * i % 7], i * 100);
    }
    for (int i = 0; i < 7; i++)
        sample_follow(&sum, &parts[i]);
    assert_int_equal(sum.delivered, 10000);
    const struct {
        double q;
        int64_t exact;
    } wanted[] = { { 0.5, 500000 }, { 0.99, 990000 }, { 0, 100 } };
    for (int i = 0; i < 3; i++) {
        int64_t got = sample_latency_us(&whole, wanted[i].q);
        assert_in_range(got, wanted[i].exact, wanted[i].exact * 5 / 4 + 1);
        assert_int_equal(sample_latency_us(&sum, wanted[i].q), got);
    }
}

static void test_a_sample_without_deliveries_has_no_latency(void **state)
{
    struct sample sample;
    (void)state;
    sample_clear(&sample);
    sample.failed = 3;
    assert_int_equal(sample_latency_us(&sample, 0.5), 0);
}

static void test_what_is_pending_is_as_the_later_one_says_if_it_does(void **state)
{
    struct sample sum = pending(5, 100), none = pending(-1, -1), later = pending(0, -1);
    (void)state;
    none.failed = 1;
    sample_follow(&sum, &none);
    assert_int_equal(sum.pending, 5);
    assert_int_equal(sum.oldest_at, 100);
    assert_int_equal(sum.failed, 1);
    sample_follow(&sum, &later);
    assert_int_equal(sum.pending, 0);
    assert_int_equal(sum.oldest_at, -1);
}

static void test_latencies_come_back_from_their_bytes(void **state)
{
    static const int64_t counts[] = { 1, 127, 128, 300, 16384, 1 << 30, (int64_t)1 << 40 };
    struct sample sample, back;
    struct buf packed = { 0 };
    (void)state;
    sample_clear(&sample);
    sample_clear(&back);
    for (size_t i = 0; i < 7; i++)
        sample.latencies[i * 21] = counts[i];
    sample.latencies[HISTOGRAM_BINS - 1] = 7;
    sample_pack(&sample, &packed);
    assert_in_range(packed.len, 1, 40);
    assert_true(sample_unpack(&back, packed.data, packed.len));
    assert_memory_equal(back.latencies, sample.latencies, sizeof(sample.latencies));
    assert_true(sample_unpack(&back, packed.data, packed.len)); /* added */
    assert_int_equal(back.latencies[21], 254);
    buf_free(&packed);
    sample_clear(&sample);
    sample_pack(&sample, &packed);
    assert_int_equal(packed.len, 0);
    assert_true(sample_unpack(&back, NULL, 0));
}

static void test_bytes_that_are_none_add_nothing(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        { "\x01", 1 },                                              /* no count */
        { "\x01\x80", 2 },                                          /* cut off */
        { "\x84\x01\x01", 3 },                                      /* bin 132 */
        { "\x83\x01\x01\x00\x01", 5 },                              /* a bin behind the last */
        { "\x00\x05\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12 }, /* more than any count */
    };
    struct sample sample, empty;
    (void)state;
    sample_clear(&empty);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sample_clear(&sample);
        if (sample_unpack(&sample, bad[i].bytes, bad[i].len))
            fail_msg("bytes %zu were taken", i);
        assert_memory_equal(&sample, &empty, sizeof(sample));
    }
}

/* ---- series ---- */

static void test_steps_are_round_no_more_than_asked_and_cover_the_span(void **state)
{
    static const struct {
        int64_t back, step;
        size_t most;
    } spans[] = {
        { 2 * HOUR, MINUTE, 120 },
        { 2 * HOUR, 2 * MINUTE, 119 },
        { DAY, 15 * MINUTE, 120 },
        { DAY, 2 * MINUTE, 1000 },
        { 60 * DAY, 12 * HOUR, 120 },
        { 3 * DAY, HOUR, 1000 },
        { 400 * DAY, 4 * DAY, 120 },
        { MINUTE, MINUTE, 1 },
        { 400 * DAY, 200 * DAY, 2 },
        { 7 * DAY, 2 * HOUR, 120 },
        { 1, MINUTE, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct series series;
        series_new(&series, now - spans[i].back, now, now, spans[i].most);
        if (series.step != spans[i].step)
            fail_msg("span %zu: a step of %lld min", i, (long long)(series.step / MINUTE));
        if (series.count > spans[i].most + 1 || series.count == 0)
            fail_msg("span %zu: %zu points", i, series.count);
        assert_int_equal(series.from % series.step, 0);
        assert_in_range(now - spans[i].back, series.from, series.from + series.step - 1);
        assert_in_range(now, series.until - series.step + 1, series.until);
        series_free(&series);
    }
}

static void test_a_span_that_is_a_little_longer_than_its_steps_has_no_coarser_ones(void **state)
{
    struct series series;
    int64_t minute = series_minute_of(now);
    (void)state;
    for (int64_t at = minute; at < minute + 2 * MINUTE; at += 250) {
        series_new(&series, at - 120 * MINUTE - 999, at, now, 120);
        assert_int_equal(series.step, MINUTE);
        assert_in_range(series.count, 120, 121);
        assert_int_equal(series.until, series_minute_of(at - 1) + MINUTE);
        series_free(&series);
    }
}

static void test_a_span_that_is_kept_by_the_hour_has_no_finer_steps(void **state)
{
    struct series series;
    (void)state;
    int64_t since = series_minutes_since(now);
    series_new(&series, since, since + HOUR, now, 1000);
    assert_int_equal(series.step, MINUTE);
    series_free(&series);
    series_new(&series, since - 1, since + HOUR, now, 1000);
    assert_int_equal(series.step, HOUR);
    series_free(&series);
}

static void test_the_ends_of_the_calendar_are_only_long(void **state)
{
    struct series series;
    (void)state;
    series_new(&series, -62135596800000, 253402300799999, now, 1000);
    assert_in_range(series.count, 1, 1001);
    assert_in_range(now, 0, series.until);
    series_free(&series);
}

static void test_samples_fall_into_their_steps_and_the_rest_is_filled(void **state)
{
    struct series series;
    struct sample before = pending(9, now - 2 * HOUR), one;
    (void)state;
    series_new(&series, now - 10 * MINUTE, now, now, 10);
    assert_int_equal(series.step, MINUTE);
    assert_int_equal(series.count, 11);
    one = pending(3, now - HOUR);
    deliver(&one, 2000);
    series_put(&series, series.from + 4 * MINUTE, &one);
    one = pending(0, -1);
    one.failed = 2;
    series_put(&series, series.from + 6 * MINUTE + 30000, &one);
    series_put(&series, series.from - 1, &one);
    series_put(&series, series.until, &one);
    series_fill(&series, &before);
    static const int64_t wanted[] = { 9, 9, 9, 9, 3, 3, 0, 0, 0, 0, 0 };
    for (size_t i = 0; i < series.count; i++) {
        const struct sample *sample = &series.samples[i];
        if (sample->pending != wanted[i] || sample->delivered != (i == 4) ||
            sample->failed != (i == 6) * 2)
            fail_msg("step %zu: pending %lld, delivered %lld, failed %lld", i,
                     (long long)sample->pending, (long long)sample->delivered,
                     (long long)sample->failed);
    }
    int64_t end = series.from + MINUTE;
    assert_int_equal(series_oldest_s(&series, 0, now), (end - (now - 2 * HOUR)) / 1000);
    end = series.from + 6 * MINUTE;
    assert_int_equal(series_oldest_s(&series, 5, now), (end - (now - HOUR)) / 1000);
    assert_int_equal(series_oldest_s(&series, 10, now), 0);
    series_free(&series);
}

static void test_the_step_under_way_is_as_old_as_it_is_now(void **state)
{
    struct series series;
    struct sample before = pending(1, now - 90000), unknown = pending(-1, -1);
    (void)state;
    series_new(&series, now - MINUTE, now, now, 5);
    series_fill(&series, &before);
    assert_int_equal(series_oldest_s(&series, series.count - 1, now), 90);
    series_free(&series);
    series_new(&series, now - MINUTE, now, now, 5);
    series_fill(&series, &unknown);
    assert_int_equal(series.samples[0].pending, 0);
    series_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes_are_told_apart_up_to_a_cap_and_survive_as_bytes),
        cmocka_unit_test(test_the_later_error_is_kept),
        cmocka_unit_test(test_percentiles_are_within_a_quarter_and_those_of_a_sum_as_exact),
        cmocka_unit_test(test_a_sample_without_deliveries_has_no_latency),
        cmocka_unit_test(test_what_is_pending_is_as_the_later_one_says_if_it_does),
        cmocka_unit_test(test_latencies_come_back_from_their_bytes),
        cmocka_unit_test(test_bytes_that_are_none_add_nothing),
        cmocka_unit_test(test_steps_are_round_no_more_than_asked_and_cover_the_span),
        cmocka_unit_test(test_a_span_that_is_a_little_longer_than_its_steps_has_no_coarser_ones),
        cmocka_unit_test(test_a_span_that_is_kept_by_the_hour_has_no_finer_steps),
        cmocka_unit_test(test_the_ends_of_the_calendar_are_only_long),
        cmocka_unit_test(test_samples_fall_into_their_steps_and_the_rest_is_filled),
        cmocka_unit_test(test_the_step_under_way_is_as_old_as_it_is_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
