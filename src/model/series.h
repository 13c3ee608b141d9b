/* series.h — samples in equal steps over a span of time, for a chart.
 *
 * Samples are kept by minute, and by hour after two days.  The steps of a series are whole numbers
 * of what is kept for all of its span, round (1, 2, 5, … minutes, … days), and begin where such
 * steps do by UTC.
 */
#ifndef POSTBACKD_SERIES_H
#define POSTBACKD_SERIES_H

#include "model/sample.h"

enum {
    SERIES_MINUTE_MS = 60 * 1000,
    SERIES_HOUR_MS = 3600 * 1000,
    SERIES_DAY_MS = 24 * SERIES_HOUR_MS,
    SERIES_MINUTES_DAYS = 2, /* as long minutes are kept */
    SERIES_HOURS_DAYS = 400, /* … and hours */
};

int64_t series_minute_of(int64_t at_ms); /* when it began */
int64_t series_hour_of(int64_t at_ms);
/* What is older is kept by the hour; when an hour begins. */
int64_t series_minutes_since(int64_t now_ms);

struct series {
    int64_t from, until, step; /* ms; until: the end of the last step */
    size_t count;
    struct sample *samples; /* pending -1: nothing is known of that step */
};

/* The steps from `from` to the one that `until` (not included) falls into, at most `most` (1 or
 * more) of them, and one more where the first began before `from`; all empty. */
void series_new(struct series *series, int64_t from, int64_t until, int64_t now_ms, size_t most);
void series_free(struct series *series);
/* Puts a sample of the minute or hour that began at at_ms where it belongs, behind earlier ones of
 * its step; nothing when that is outside. */
void series_put(struct series *series, int64_t at_ms, const struct sample *sample);
/* Steps of which nothing is known have what was pending before: `before`, or nothing if that is not
 * known either.  At the end, once. */
void series_fill(struct series *series, const struct sample *before);
/* How old the oldest pending one was at the end of a step, or is now; 0: nothing was pending. */
int64_t series_oldest_s(const struct series *series, size_t at, int64_t now_ms);

#endif
