/* retention.h — when old postbacks and events are deleted, and how gently.
 *
 * Its age is how long they are kept (sweep_set_age(); 0, as at the start: for ever).
 */
#ifndef POSTBACKD_ENGINE_RETENTION_H
#define POSTBACKD_ENGINE_RETENTION_H

#include "engine/sweep.h"

struct sweep *retention_new(struct work *work);
/* When the oldest event came that was left by the last step; wall ms; -1: none, or all are kept. */
int64_t retention_oldest_at(const struct sweep *retention);

#endif
