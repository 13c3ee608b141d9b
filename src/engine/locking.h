/* locking.h — locks the actions whose LockingDate has come, and clears those whose ClearingDate
 * has.
 */
#ifndef POSTBACKD_LOCKING_H
#define POSTBACKD_LOCKING_H

#include "engine/sweep.h"

struct sweep *locking_new(struct work *work);

#endif
