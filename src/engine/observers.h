/* observers.h — who in the engine is told of each attempt that has ended. */
#ifndef POSTBACKD_OBSERVERS_H
#define POSTBACKD_OBSERVERS_H

#include "engine/ended.h"

struct services;

/* Tells them all, in the order of the table; none keeps or changes what it is shown.  Tests are
 * told to nobody: they have no row and count for nothing (tester.h). */
void observers_tell(const struct services *services, const struct ended *ended);

#endif
