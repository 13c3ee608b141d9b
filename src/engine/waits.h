/* waits.h — what holds a notification's postbacks up just now, as the engine and its lane know. */
#ifndef POSTBACKD_ENGINE_WAITS_H
#define POSTBACKD_ENGINE_WAITS_H

#include "engine/engine.h"
#include "model/wait.h"

/* Sets what the engine knows: maintenance and store, down, and paced, busy and full. */
void engine_wait(const struct engine *engine, int64_t notification, struct wait_facts *facts);

#endif
