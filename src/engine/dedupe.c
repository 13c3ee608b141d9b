/* dedupe.c — every minute, in small steps: what is kept for a time alone. */
#include "engine/dedupe.h"

#include "store/dedupe.h"
#include "store/idempotency.h"
#include "store/news.h"

enum { EVERY_MS = 60000, REST_MS = 20, STEP = 500 };

static bool expire(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    (void)state;
    (void)times;
    int keys = idempotency_expire(db, STEP), events = dedupe_expire(db, STEP);
    int news = db_is_remote(db) ? news_expire(db, STEP) : 0;
    return keys == STEP || events == STEP || news == STEP;
}

struct sweep *dedupe_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .first_ms = EVERY_MS, .every_ms = EVERY_MS, .rest_ms = REST_MS, .step = expire
    };
    return sweep_new(work, &rule, 1);
}
