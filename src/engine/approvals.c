/* approvals.c — every ten seconds, and every second, in steps of fifty. */
#include "engine/approvals.h"

#include "store/inquiries.h"

enum { FIRST_MS = 1000, EVERY_MS = 10000, HELD_MS = 1000, BATCH = 50 };

static bool approve(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)state;
    (void)times;
    return inquiry_approve_due(job, db, BATCH) == BATCH;
}

struct sweep *approvals_new(struct work *work)
{
    static const struct sweep_rule rule = { .first_ms = FIRST_MS,
                                            .every_ms = EVERY_MS,
                                            .step = approve };
    return sweep_new(work, &rule, 1);
}

static bool fire(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)state;
    (void)times;
    return inquiry_fire_due(job, db, BATCH) == BATCH;
}

struct sweep *held_decisions_new(struct work *work)
{
    static const struct sweep_rule rule = { .first_ms = FIRST_MS,
                                            .every_ms = HELD_MS,
                                            .step = fire };
    return sweep_new(work, &rule, 1);
}
