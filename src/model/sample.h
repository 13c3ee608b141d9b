/* sample.h — what was delivered, what failed and how long it took, within a span of time.
 *
 * Samples of neighbouring spans, or of several notifications, add up to one of the whole: the
 * latencies are counts by bin (base/metrics.h), so percentiles of a sum are as exact as those of
 * its parts.
 */
#ifndef POSTBACKD_SAMPLE_H
#define POSTBACKD_SAMPLE_H

#include "base/buf.h"
#include "base/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLE_CODES = 12, /* different outcomes that are told apart; what comes after is "others" */
    SAMPLE_ERROR_TEXT = 120,
};

struct sample {
    int64_t delivered, failed; /* postbacks; attempts */
    int64_t pending;           /* postbacks when it ended; -1: not known */
    int64_t oldest_at;         /* when the oldest that waited then was first due, ms; -1: none */
    int64_t latencies[HISTOGRAM_BINS]; /* of deliveries at the first attempt: how many a bin */
    struct sample_code {
        int code;              /* the answer's status; below 0: an enum exchange_error, negated */
        int64_t count;         /* attempts; 0: the place is free, and all behind it but the last */
    } codes[SAMPLE_CODES + 1]; /* the last: others (code 0) */
    int64_t error_at;          /* when the last attempt that failed began, wall ms; -1: none did */
    char error[SAMPLE_ERROR_TEXT]; /* … and why, as in postback.last_error */
};

/* Nothing happened and nothing is known. */
void sample_clear(struct sample *sample);
/* Adds the counts; of two errors the later one is kept. */
void sample_add(struct sample *into, const struct sample *from);
/* The same for a later span of the same notification: what is pending is as it says, if it does. */
void sample_follow(struct sample *into, const struct sample *later);

void sample_count(struct sample *sample, int code, int64_t count); /* attempts that ended so */
void sample_error(struct sample *sample, int64_t at, const char *error);

/* From the acceptance to the delivery, µs (at most a quarter too much); 0: there is none. */
int64_t sample_latency_us(const struct sample *sample, double q);

/* The latencies as bytes: for each bin that is not empty how many bins were, and its count, both
 * in groups of seven bits, the lowest first.  Nothing for none. */
void sample_pack(const struct sample *sample, struct buf *out);
/* Adds those of the bytes; false (and nothing is added) when they are not what pack writes. */
bool sample_unpack(struct sample *sample, const void *bytes, size_t len);
/* The same for the codes. */
void sample_pack_codes(const struct sample *sample, struct buf *out);
bool sample_unpack_codes(struct sample *sample, const void *bytes, size_t len);

#endif
