/* waits.c — reads the holds, the pause and the lane; changes nothing. */
#include "engine/waits.h"

#include "base/clock.h"
#include "model/date.h"

/* A time of the steady clock as one of the wall's. */
static int64_t wall(int64_t steady_ms)
{
    return clock_wall_ms() + steady_ms - clock_steady_ms();
}

void waits_look(const struct waits *waits, int64_t notification, struct wait_facts *facts)
{
    struct courier_view view;
    facts->store = holds_have(waits->holds, HOLD_STORE) || holds_have(waits->holds, HOLD_LEASE);
    facts->maintenance = holds_have(waits->holds, HOLD_MAINTENANCE);
    facts->maintenance_since = facts->maintenance_until = DATE_NONE;
    facts->down_since = facts->probe_at = DATE_NONE;
    if (facts->maintenance)
        maintenance_span(waits->pause, &facts->maintenance_since, &facts->maintenance_until);
    if (!courier_look(waits->courier, notification, &view))
        return;
    facts->down = view.state == LANE_DOWN;
    if (facts->down) {
        facts->down_since = wall(view.since_ms);
        facts->probe_at = wall(view.next_at_ms);
    }
    facts->paced = view.paced;
    facts->busy = view.busy;
    facts->full = view.full;
}
