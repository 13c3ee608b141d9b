/* pace.c — a bucket that holds millionths of a request.
 *
 * It fills at 99 % of N a second and holds one request and about 11 ms worth more, which makes up
 * for a late wake-up.  In a thousand consecutive ticks of the ms clock it gives at most
 * CAP + 999 × FILL < (N + 1) × 10^6: never more than N requests, after a pause too.  A change of N
 * leaves what is in it, cut to the new CAP, so a second across it has no more than the larger N.
 *
 * The rule that must never break: it is never below zero and never above CAP.
 */
#include "courier/pace.h"

enum {
    REQUEST = 1000000,     /* in the bucket's units */
    FILL_PER_MS = 990,     /* for each request a second */
    SPARE = 10989,         /* the same, above one request: see the sum at the top */
    BUCKET_FULL_MS = 2000, /* an empty bucket is full again before */
};

static int64_t cap(const struct pace *pace)
{
    return REQUEST + (int64_t)SPARE * pace->most;
}

static int64_t fill(const struct pace *pace)
{
    return (int64_t)FILL_PER_MS * pace->most;
}

static void refill(struct pace *pace, int64_t now_ms)
{
    int64_t passed = now_ms - pace->filled_at;
    if (passed <= 0)
        return;
    pace->tokens += (passed < BUCKET_FULL_MS ? passed : BUCKET_FULL_MS) * fill(pace);
    if (pace->tokens > cap(pace))
        pace->tokens = cap(pace);
    pace->filled_at = now_ms;
}

void pace_start(struct pace *pace, int most, int64_t since_ms)
{
    *pace = (struct pace){ .most = most, .filled_at = since_ms };
}

void pace_limit(struct pace *pace, int most, int64_t now_ms)
{
    if (most == pace->most)
        return;
    if (pace->most > 0)
        refill(pace, now_ms);
    else
        pace->tokens = 0;
    pace->filled_at = now_ms;
    pace->most = most;
    if (most > 0 && pace->tokens > cap(pace))
        pace->tokens = cap(pace);
}

int64_t pace_ready_at(struct pace *pace, int64_t now_ms)
{
    if (pace->most <= 0)
        return now_ms;
    refill(pace, now_ms);
    if (pace->tokens >= REQUEST)
        return now_ms;
    return now_ms + (REQUEST - pace->tokens + fill(pace) - 1) / fill(pace);
}

void pace_take(struct pace *pace)
{
    if (pace->most > 0)
        pace->tokens -= REQUEST;
}
