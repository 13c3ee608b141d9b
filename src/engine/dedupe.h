/* dedupe.h — takes away the DedupeKeys and Idempotency-Keys whose time is over. */
#ifndef POSTBACKD_ENGINE_DEDUPE_H
#define POSTBACKD_ENGINE_DEDUPE_H

#include "engine/sweep.h"

struct sweep *dedupe_new(struct work *work);

#endif
