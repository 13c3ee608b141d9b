/* retention.h — deleting what is old: postbacks that have ended, their attempts, and events that
 * no postback is left of. */
#ifndef POSTBACKD_RETENTION_H
#define POSTBACKD_RETENTION_H

#include "db/db.h"

/* A walk over the hot tables in order of id, a step at a time. */
struct retention {
    int64_t before_ms;                   /* what ended, or was taken in, before then is old */
    int64_t place;                       /* ids under it have been looked at */
    bool whole;                          /* nothing old lies behind the place */
    int64_t postbacks, attempts, events; /* deleted by the last step */
    int64_t oldest;                      /* the oldest event that is left; 0: none */
};

/* One step, in a write job: looks at about `most` postbacks and `most` events from the
 * place on, deletes the old ones among them and moves the place.  An undelivered postback is never
 * deleted, nor an event that any postback is left of (one that was sent again names an old one), or
 * that has one without a row yet.
 * What had to stay is looked at when the walk begins anew, at zero. */
void retention_step(struct db *db, struct retention *retention, int most);

#endif
