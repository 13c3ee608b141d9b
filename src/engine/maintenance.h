/* maintenance.h — the operator's pause as it goes: told, held, ended, caught up.
 *
 * The row on disk says how far it is, so that it goes on after a restart; this moves it along.
 * Accounts are told in batches.  The pause takes force when system.maintenance_started has been
 * tried for all who subscribed, or MAINTENANCE_WAIT_MS later; at the end what is due is counted,
 * then everything goes out again, and its progress is looked at until all of it has been tried.
 * Receivers that are down, hang or hold up an order are left out of the progress: they come when
 * they come.
 */
#ifndef POSTBACKD_ENGINE_MAINTENANCE_H
#define POSTBACKD_ENGINE_MAINTENANCE_H

#include "engine/engine.h"
#include "model/maintenance.h"

enum { MAINTENANCE_WAIT_MS = 5000 };

struct maintenance_progress {
    bool known;              /* there is a catch-up, or was one since the start */
    int64_t total, left;     /* of what was due at the end */
    int64_t down;            /* besides: waiting for receivers that are down or hang */
    double rate;             /* a second; 0: not known */
    int64_t expected_end_at; /* wall ms; DATE_NONE: not known */
};
void engine_maintenance(const struct engine *engine, int64_t id, struct maintenance_progress *out);

#endif
