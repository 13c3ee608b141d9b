/* expiry.h — when undelivered postbacks are given up: at the operator's maximum age.
 *
 * Its age is that one (sweep_set_age(); 0, as at the start: never).  What was given up is heard of
 * as what was cancelled is (listeners.h).
 */
#ifndef POSTBACKD_ENGINE_EXPIRY_H
#define POSTBACKD_ENGINE_EXPIRY_H

#include "engine/sweep.h"

struct sweep *expiry_new(struct work *work);

#endif
