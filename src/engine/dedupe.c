/* dedupe.c — every minute, in small steps: what is kept for a time alone. */
#include "engine/dedupe.h"

#include "store/allowances.h"
#include "store/dedupe.h"
#include "store/idempotency.h"
#include "store/news.h"

enum { MINUTE_MS = 60000, MINUTES_AN_HOUR = 60 };
enum { EVERY_MS = 60000, REST_MS = 20, STEP = 500 };

/* Of what only servers that share a database write.  True: there is more. */
static bool expire_shared(struct db *db, int64_t now_ms)
{
    int64_t minute = now_ms / MINUTE_MS;
    int spans = allowances_expire(db, ALLOWANCE_REQUESTS, minute / MINUTES_AN_HOUR - 1, STEP);
    int tries = allowances_expire(db, ALLOWANCE_PASSWORDS, minute - 2, STEP);
    return news_expire(db, STEP) == STEP || spans == STEP || tries == STEP;
}

static bool expire(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    (void)state;
    int keys = idempotency_expire(db, STEP), events = dedupe_expire(db, STEP);
    bool more = db_is_remote(db) && expire_shared(db, times->now_ms);
    return keys == STEP || events == STEP || more;
}

struct sweep *dedupe_new(struct work *work)
{
    static const struct sweep_rule rule = {
        .first_ms = EVERY_MS, .every_ms = EVERY_MS, .rest_ms = REST_MS, .step = expire
    };
    return sweep_new(work, &rule, 1);
}
