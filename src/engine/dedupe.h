/* dedupe.h — takes away the DedupeKeys and Idempotency-Keys whose time is over. */
#ifndef POSTBACKD_ENGINE_DEDUPE_H
#define POSTBACKD_ENGINE_DEDUPE_H

#include "engine/work.h"

struct sweeper;
struct sweeper *dedupe_new(struct work *work); /* looks every minute from now on */
void dedupe_free(struct sweeper *sweeper);

#endif
