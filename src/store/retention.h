/* retention.h — deleting what is old: postbacks that have ended, their attempts, and events that
 * no postback is left of. */
#ifndef POSTBACKD_RETENTION_H
#define POSTBACKD_RETENTION_H

#include "base/buf.h"
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

/* ---- where the hot tables are in pieces by day (db/partitions.h) ---- */

/* The walk leaves days alone that have pieces: what is old of them goes with the piece, once all of
 * it is; only a day of which more than this many postbacks have to stay is walked. */
enum { RETENTION_STAYS_MOST = 10000 };

struct retention_day { /* that is old as a whole */
    int64_t day;
    struct buf stays;                    /* its postbacks that have not ended long ago: "1,2" */
    bool full;                           /* these are too many: it is not to be dropped */
    int64_t postbacks, attempts, events; /* rows that go */
};
/* A read job: the first such day after that one.  False: there is none. */
bool retention_day_look(struct db *db, int64_t before_ms, int64_t after, struct retention_day *out);
void retention_day_free(struct retention_day *day);
/* Beside other writes (store_aside()): drops it, or hands it to the walk if it is full. */
void retention_day_drop(struct db *db, const struct retention_day *day);

#endif
