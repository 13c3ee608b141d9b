/* waits.h — what holds a notification's postbacks up just now, as the engine and its lane know. */
#ifndef POSTBACKD_ENGINE_WAITS_H
#define POSTBACKD_ENGINE_WAITS_H

#include "courier/courier.h"
#include "engine/holds.h"
#include "engine/maintenance.h"
#include "model/wait.h"

struct waits {
    const struct holds *holds;
    const struct pause *pause;
    const struct courier *courier;
};

/* Sets what they know: maintenance and store, down, and paced, busy and full. */
void waits_look(const struct waits *waits, int64_t notification, struct wait_facts *facts);

#endif
