/* maintenance.h — the operator's pauses on disk, and telling accounts of them. */
#ifndef POSTBACKD_STORE_MAINTENANCE_H
#define POSTBACKD_STORE_MAINTENANCE_H

#include "db/store.h"
#include "model/maintenance.h"

/* The latest one; false: there has been none.  The caller clears it. */
bool maintenance_load(struct db *db, struct maintenance *out);
/* Writes a new one (SCHEDULED or, when its start is not later than now, STARTING) and sets its id
 * and state; one that is still catching up is over then.  False with ERROR_CONFLICT while another
 * one has not ended. */
bool maintenance_add(struct job *job, struct db *db, struct maintenance *maintenance);
/* Ends the latest: ENDING, or CANCELLED when it had not started.  ERROR_CONFLICT: there is none. */
bool maintenance_end(struct job *job, struct db *db, struct maintenance *out);
/* False: it is in another state by now. */
bool maintenance_move(struct db *db, const struct maintenance *maintenance,
                      enum maintenance_state to, int64_t backlog);

/* Tells the next `most` active accounts of its state: a notice each, a letter (letters.h) to
 * those with an address, and its event to those who subscribed.  Sets told.  Gives how many
 * postbacks of the event may go out at once; -1: it is in another state by now, or somebody else
 * has told these. */
int64_t maintenance_tell(struct job *job, struct db *db, struct maintenance *maintenance, int most);

/* For each active notification with postbacks that were due by `until` and have not been tried
 * since then: how many.  Costs a step for each of them. */
struct backlog {
    int64_t notification, left;
};
size_t maintenance_left(struct db *db, int64_t until, struct backlog **out /* the caller frees */);

#endif
