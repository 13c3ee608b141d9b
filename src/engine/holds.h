/* holds.h — why nothing goes out: each reason by itself, so that none lifts another's. */
#ifndef POSTBACKD_HOLDS_H
#define POSTBACKD_HOLDS_H

#include <stdbool.h>

struct engine;

enum hold {
    HOLD_STORE = 1,       /* what was sent could not be recorded */
    HOLD_MAINTENANCE = 2, /* the operator's pause */
};

void engine_hold(struct engine *engine, enum hold reason, bool hold);
bool engine_held(const struct engine *engine, enum hold reason);

#endif
