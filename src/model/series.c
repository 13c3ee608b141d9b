/* series.c — steps chosen, samples put into them, empty ones filled.
 *
 * The rule: a step is never finer than what is kept for any part of the span, or hours would show
 * as spikes between empty minutes.
 */
#include "model/series.h"

#include "base/fail.h"

#include <stdlib.h>

/* The round steps under a day, each a whole number of some before it; then whole days. */
static const int64_t steps[] = {
    SERIES_MINUTE_MS,      2 * SERIES_MINUTE_MS,  5 * SERIES_MINUTE_MS, 10 * SERIES_MINUTE_MS,
    15 * SERIES_MINUTE_MS, 30 * SERIES_MINUTE_MS, SERIES_HOUR_MS,       2 * SERIES_HOUR_MS,
    3 * SERIES_HOUR_MS,    6 * SERIES_HOUR_MS,    12 * SERIES_HOUR_MS,
};

static int64_t floor_to(int64_t at_ms, int64_t step)
{
    int64_t over = at_ms % step;
    return at_ms - (over < 0 ? over + step : over);
}

int64_t series_minute_of(int64_t at_ms)
{
    return floor_to(at_ms, SERIES_MINUTE_MS);
}

int64_t series_hour_of(int64_t at_ms)
{
    return floor_to(at_ms, SERIES_HOUR_MS);
}

int64_t series_minutes_since(int64_t now_ms)
{
    return series_hour_of(now_ms - SERIES_MINUTES_DAYS * (int64_t)SERIES_DAY_MS);
}

static int64_t count_of(int64_t span, int64_t step)
{
    return (span + step - 1) / step;
}

static int64_t step_for(int64_t span, int64_t least, int64_t most)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i] >= least && count_of(span, steps[i]) <= most)
            return steps[i];
    }
    return count_of(count_of(span, SERIES_DAY_MS), most) * SERIES_DAY_MS;
}

void series_new(struct series *series, int64_t from, int64_t until, int64_t now_ms, size_t most)
{
    int64_t least = from < series_minutes_since(now_ms) ? SERIES_HOUR_MS : SERIES_MINUTE_MS;
    if (until <= from)
        until = from + 1;
    /* "Two hours ago" was some milliseconds earlier when it was asked for. */
    series->step = step_for((until - from) / 1000 * 1000, least, (int64_t)most);
    series->from = floor_to(from, series->step);
    series->count = (size_t)count_of(until - series->from, series->step);
    if (series->count > most + 1) { /* less than a second of the first one is asked for */
        series->from += series->step;
        series->count--;
    }
    series->until = series->from + (int64_t)series->count * series->step;
    series->samples = must_alloc(series->count * sizeof(*series->samples));
    for (size_t i = 0; i < series->count; i++)
        sample_clear(&series->samples[i]);
}

void series_free(struct series *series)
{
    free(series->samples);
    series->samples = NULL;
    series->count = 0;
}

void series_put(struct series *series, int64_t at_ms, const struct sample *sample)
{
    if (at_ms < series->from || at_ms >= series->until)
        return;
    sample_follow(&series->samples[(at_ms - series->from) / series->step], sample);
}

void series_fill(struct series *series, const struct sample *before)
{
    int64_t pending = before->pending != -1 ? before->pending : 0, oldest_at = before->oldest_at;
    for (size_t i = 0; i < series->count; i++) {
        struct sample *sample = &series->samples[i];
        if (sample->pending == -1) {
            sample->pending = pending;
            sample->oldest_at = oldest_at;
        }
        pending = sample->pending;
        oldest_at = sample->oldest_at;
    }
}

int64_t series_oldest_s(const struct series *series, size_t at, int64_t now_ms)
{
    const struct sample *sample = &series->samples[at];
    int64_t end = series->from + (int64_t)(at + 1) * series->step;
    if (sample->pending <= 0 || sample->oldest_at == -1)
        return 0;
    int64_t age = (end < now_ms ? end : now_ms) - sample->oldest_at;
    return age > 0 ? age / 1000 : 0;
}
