/* conversions.h — a conversion becomes an action: for /Track and for POST …/Conversions. */
#ifndef POSTBACKD_CONVERSIONS_H
#define POSTBACKD_CONVERSIONS_H

#include "api/api.h"
#include "model/conversion.h"

struct campaign;

enum { CONVERSION_AHEAD_MS = 5 * 60 * 1000 /* a clock of a shop's may be so fast */ };

/* In a write job, for a campaign that the caller has a right to.  *action is the one that it makes,
 * or (*duplicate) the one that its order has made before.  `partner_field` names the partner in the
 * request.  False: job->error, and problems. */
bool conversion_track(struct job *job, struct db *db, const struct conversion *conversion,
                      const struct campaign *campaign, int64_t tracker, const char *partner_field,
                      struct problems *problems, int64_t *action, bool *duplicate);

#endif
