/* expiry.h — undelivered postbacks that have reached the operator's maximum age. */
#ifndef POSTBACKD_EXPIRY_H
#define POSTBACKD_EXPIRY_H

#include "db/store.h"

enum { EXPIRY_STEP = 500, EXPIRY_LOOK = 5000 }; /* given up, and looked at, by one step at most */

struct expiry {
    int64_t before_ms; /* what was made before then is given up */
    int64_t place;     /* ids under it have been looked at */
    bool whole;        /* nothing that old lies behind the place */
};

/* One step in a write job: FRESH and WAITING to EXPIRED, counted, and each owner told (once for
 * each event notification until it has read that).  What is under way may still be delivered. */
void expiry_step(struct db *db, struct expiry *expiry, int64_t age_s);

#endif
