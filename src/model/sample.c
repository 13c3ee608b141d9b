/* sample.c — samples added up, and their latencies and codes as a few bytes.
 *
 * Latencies of one notification lie close together, so of 132 bins some ten have a count: packed,
 * a minute's are about 20 bytes.
 */
#include "model/sample.h"

#include "model/show.h"

#include <string.h>

void sample_clear(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    sample->pending = sample->oldest_at = sample->error_at = -1;
}

void sample_count(struct sample *sample, int code, int64_t count)
{
    size_t at = 0;
    while (at < SAMPLE_CODES && sample->codes[at].count > 0 && sample->codes[at].code != code)
        at++;
    if (code == 0)
        at = SAMPLE_CODES;
    sample->codes[at].code = at < SAMPLE_CODES ? code : 0;
    sample->codes[at].count += count;
}

void sample_error(struct sample *sample, int64_t at, const char *error)
{
    if (at < sample->error_at)
        return;
    sample->error_at = at;
    show_cut(sample->error, sizeof(sample->error), error);
}

void sample_add(struct sample *into, const struct sample *from)
{
    into->delivered += from->delivered;
    into->failed += from->failed;
    for (size_t i = 0; i <= SAMPLE_CODES; i++) {
        if (from->codes[i].count > 0)
            sample_count(into, from->codes[i].code, from->codes[i].count);
    }
    if (from->error_at != -1)
        sample_error(into, from->error_at, from->error);
    if (from->delivered == 0)
        return;
    for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++)
        into->latencies[bin] += from->latencies[bin];
}

void sample_follow(struct sample *into, const struct sample *later)
{
    sample_add(into, later);
    if (later->pending == -1)
        return;
    into->pending = later->pending;
    into->oldest_at = later->oldest_at;
}

int64_t sample_latency_us(const struct sample *sample, double q)
{
    return histogram_at(sample->latencies, q);
}

/* ---- as bytes ---- */

static void pack_number(struct buf *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        buf_char(out, (char)(0x80 | (number & 0x7f)));
    buf_char(out, (char)number);
}

void sample_pack(const struct sample *sample, struct buf *out)
{
    size_t next = 0;
    for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
        if (sample->latencies[bin] <= 0)
            continue;
        pack_number(out, bin - next);
        pack_number(out, (uint64_t)sample->latencies[bin]);
        next = bin + 1;
    }
}

struct reading {
    const unsigned char *at, *end;
};

/* False: cut off, or more than 56 bits, which no count of ours has. */
static bool unpack_number(struct reading *from, uint64_t *number)
{
    *number = 0;
    for (int shift = 0; shift < 56 && from->at < from->end; shift += 7) {
        unsigned char byte = *from->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

bool sample_unpack(struct sample *sample, const void *bytes, size_t len)
{
    int64_t latencies[HISTOGRAM_BINS] = { 0 };
    struct reading from = { .at = bytes, .end = (const unsigned char *)bytes + len };
    uint64_t bin = 0, skipped, count;
    while (len > 0 && from.at < from.end) {
        if (!unpack_number(&from, &skipped) || !unpack_number(&from, &count))
            return false;
        if (skipped >= HISTOGRAM_BINS - bin)
            return false;
        bin += skipped;
        latencies[bin++] = (int64_t)count;
    }
    for (size_t i = 0; i < HISTOGRAM_BINS; i++)
        sample->latencies[i] += latencies[i];
    return true;
}

/* Code 1 is 2, code -1 is 3, and so on: small numbers, whatever their sign. */
void sample_pack_codes(const struct sample *sample, struct buf *out)
{
    for (size_t i = 0; i <= SAMPLE_CODES; i++) {
        int code = sample->codes[i].code;
        if (sample->codes[i].count <= 0)
            continue;
        pack_number(out, code < 0 ? (uint64_t)-code * 2 + 1 : (uint64_t)code * 2);
        pack_number(out, (uint64_t)sample->codes[i].count);
    }
}

bool sample_unpack_codes(struct sample *sample, const void *bytes, size_t len)
{
    struct sample read;
    struct reading from = { .at = bytes, .end = (const unsigned char *)bytes + len };
    uint64_t code, count;
    sample_clear(&read);
    while (len > 0 && from.at < from.end) {
        if (!unpack_number(&from, &code) || !unpack_number(&from, &count) || code > 2 * 1000 + 1)
            return false;
        sample_count(&read, code % 2 == 1 ? -(int)(code / 2) : (int)(code / 2), (int64_t)count);
    }
    sample_add(sample, &read);
    return true;
}
