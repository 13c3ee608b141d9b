/* dedupe.h — takes away what is kept for a time alone: DedupeKeys, Idempotency-Keys, and the news
 * of nodes. */
#ifndef POSTBACKD_ENGINE_DEDUPE_H
#define POSTBACKD_ENGINE_DEDUPE_H

#include "engine/sweep.h"

struct sweep *dedupe_new(struct work *work);

#endif
