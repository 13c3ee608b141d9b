/* holds.h — why nothing goes out: each reason by itself, so that none lifts another's. */
#ifndef POSTBACKD_HOLDS_H
#define POSTBACKD_HOLDS_H

#include <stdbool.h>

enum hold {
    HOLD_STORE = 1,       /* what was sent could not be recorded */
    HOLD_MAINTENANCE = 2, /* the operator's pause */
    HOLD_LEASE = 4,       /* another server may have been given what is this one's to send */
};

struct holds {
    unsigned reasons;                          /* enum hold */
    void (*changed)(void *context, bool held); /* the first reason came, the last one went */
    void *context;
};

void holds_set(struct holds *holds, enum hold reason, bool hold);
bool holds_have(const struct holds *holds, enum hold reason);

#endif
