/* observers.c — an attempt that has ended, on its way to those who watch.
 *
 * A table: who looks and counts comes before the attempt goes to its feed and is written, so that
 * nobody sees a postback that is already gone.  Among them the figures are first, so that whoever
 * is told next finds them right.  The others do not know each other; their order is that of the
 * table because it has to be some order.
 */
#include "engine/observers.h"

#include "base/metrics.h"
#include "engine/lateness.h"
#include "engine/maintenance.h"
#include "engine/recorder.h"
#include "engine/services.h"

static void see_figures(const struct services *services, const struct ended *ended)
{
    (void)services;
    metric_add(METRIC_ATTEMPTS, 1);
    metric_add(ended->verdict == VERDICT_DELIVERED ? METRIC_DELIVERED : METRIC_FAILED, 1);
    if (ended->latency_us >= 0)
        histogram_add(&metric_latency, ended->latency_us);
}

static void see_maintenance(const struct services *services, const struct ended *ended)
{
    maintenance_ended(services->pause, ended);
}

static void see_lateness(const struct services *services, const struct ended *ended)
{
    lateness_ended(services->lateness, ended);
}

static void see_recorder(const struct services *services, const struct ended *ended)
{
    recorder_ended(services->recorder, ended);
}

static void (*const observers[])(const struct services *, const struct ended *) = {
    see_figures, see_maintenance, /* announcements that were tried: the pause waits for them */
    see_lateness,                 /* failing begins or ends */
    see_recorder,                 /* the minute's tallies */
};

void observers_tell(const struct services *services, const struct ended *ended)
{
    for (size_t i = 0; i < sizeof(observers) / sizeof(observers[0]); i++)
        observers[i](services, ended);
}
