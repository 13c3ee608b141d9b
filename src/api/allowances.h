/* allowances.h — the API's limit an hour where servers share a database: blocks of it are drawn
 * (store/allowances.h) and counted by limits.h, and a call that finds its server without any waits
 * for the next block.
 */
#ifndef POSTBACKD_API_ALLOWANCES_H
#define POSTBACKD_API_ALLOWANCES_H

#include "api/api.h"

struct allowances;
struct allowances *allowances_new(struct api *api);
void allowances_free(struct allowances *allowances); /* no call waits any more; NULL is allowed */

/* call_enter(), at once or when there is a block; call->caller is known. */
void allowances_enter(struct allowances *allowances, struct call *call);

#endif
