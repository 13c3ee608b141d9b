/* listeners.h — who in the engine hears of which change. */
#ifndef POSTBACKD_LISTENERS_H
#define POSTBACKD_LISTENERS_H

#include "model/change.h"

/* For store_listen(); the context is the struct services. */
void listeners_hear(void *context, const struct change *change);

#endif
