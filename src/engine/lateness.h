/* lateness.h — watches how far behind each notification is, and which fail.
 *
 * Every few seconds while anything waits, what is on disk is looked at; nothing is while all is
 * delivered.  A notification is failing when its destination is down, or after many failures in a
 * row; what is told about notifications does not count, so that news make no news.  One that its
 * owner paused, or that is held after 410 (its owner was told then), is not called late.
 */
#ifndef POSTBACKD_ENGINE_LATENESS_H
#define POSTBACKD_ENGINE_LATENESS_H

#include "engine/engine.h"
#include "model/lateness.h"

struct lateness_figures { /* as last looked at; failing: as it is */
    int64_t oldest_at;    /* when the oldest that waits was first due; -1: nothing waits */
    int64_t late, alarmed, failing; /* notifications; those alarmed are among the late */
};
void engine_lateness(const struct engine *engine, struct lateness_figures *out);
const struct lateness_limits *engine_lateness_limits(const struct engine *engine);

#endif
