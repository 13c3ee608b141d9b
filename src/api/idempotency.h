/* idempotency.h — headers that promise something about a change: Idempotency-Key, and those that
 * are not kept here, which are refused.
 *
 * A POST that makes something may have an Idempotency-Key.  The same account that sends the same
 * request to the same address under the same key within a day has the same answer again, and
 * nothing is made.  What failed has made nothing, and its key is free.
 */
#ifndef POSTBACKD_IDEMPOTENCY_H
#define POSTBACKD_IDEMPOTENCY_H

#include "api/api.h"

enum { IDEMPOTENCY_KEY_MAX = 255 /* characters */ };

/* server_config.handle: the route's handler, after that. */
void idempotency_handle(struct call *call, void *context);
/* For the job that writes what the call makes, within its transaction.  False with *error. */
bool idempotency_written(struct call *call, struct db *db, struct error *error);

#endif
