/* backoff.c — the waits after failures, as two small rules.
 *
 * A postback's waits are a table of seconds whose last row holds for ever: no count of failures
 * ends a delivery.  The spread of 20 % keeps the postbacks that failed together from coming back
 * together.  A destination's probes double instead, because they are few and should notice soon
 * that the receiver is back.
 *
 * The rule that must never break: a receiver that asks for a longer pause gets it, up to a day.
 */
#include "model/backoff.h"

static const int64_t waits_ms[] = { 5000, 30000, 120000, 600000, 1800000, 3600000 };
enum { WAITS = sizeof(waits_ms) / sizeof(waits_ms[0]) };

enum { PROBE_FIRST_MS = 1000, PROBE_MOST_MS = 300000 };

int64_t backoff_ms(int attempt, int64_t retry_after_ms, uint32_t random)
{
    int row = attempt < 1 ? 0 : attempt > WAITS ? WAITS - 1 : attempt - 1;
    int64_t wait = waits_ms[row];
    /* From -wait/5 to +wait/5; the product stays far below 2^63. */
    int64_t spread = (wait * 2 / 5) * (int64_t)random / UINT32_MAX - wait / 5;
    int64_t own = wait + spread;
    int64_t most = (int64_t)BACKOFF_RETRY_AFTER_MAX_S * 1000;
    int64_t asked = retry_after_ms > most ? most : retry_after_ms;
    return asked > own ? asked : own;
}

int64_t backoff_probe_ms(int probe)
{
    int64_t wait = PROBE_FIRST_MS;
    for (int i = 0; i < probe && wait < PROBE_MOST_MS; i++)
        wait *= 2;
    return wait < PROBE_MOST_MS ? wait : PROBE_MOST_MS;
}
