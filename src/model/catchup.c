/* catchup.c — a ring of samples; the rate is that between the oldest and the newest of them. */
#include "model/catchup.h"

enum { SPAN_LEAST_MS = 500 }; /* a shorter one says nothing: a few may have gone at once */

void catchup_sample(struct catchup *catchup, int64_t at_ms, int64_t left)
{
    catchup->left = left;
    if (left > catchup->total)
        catchup->total = left;
    size_t at = catchup->count++ % CATCHUP_SAMPLES;
    catchup->samples[at].at_ms = at_ms;
    catchup->samples[at].left = left;
}

int64_t catchup_done(const struct catchup *catchup)
{
    return catchup->total - catchup->left;
}

double catchup_rate(const struct catchup *catchup)
{
    if (catchup->count < 2)
        return 0;
    size_t newest = (catchup->count - 1) % CATCHUP_SAMPLES;
    size_t oldest = catchup->count > CATCHUP_SAMPLES ? catchup->count % CATCHUP_SAMPLES : 0;
    int64_t passed = catchup->samples[newest].at_ms - catchup->samples[oldest].at_ms;
    int64_t done = catchup->samples[oldest].left - catchup->samples[newest].left;
    return passed >= SPAN_LEAST_MS && done > 0 ? (double)done * 1000 / (double)passed : 0;
}

int64_t catchup_remaining_ms(const struct catchup *catchup)
{
    double rate = catchup_rate(catchup);
    if (catchup->left == 0)
        return 0;
    return rate > 0 ? (int64_t)((double)catchup->left * 1000 / rate) : -1;
}
