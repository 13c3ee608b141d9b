/* ordered_turns.h — who is next to write postbacks of an Ordered event notification, where several
 * servers write to one database.
 *
 * The order in which such a notification's postbacks are sent is that of their ids, and what reads
 * them goes on from where it was: so ids have to rise in the order of commits, whoever commits and
 * whatever his clock says.  A server alone has that by itself, as it has one writer.  Otherwise
 * there is a row for each such notification, with its newest id: a transaction locks it, draws ids
 * above it, and leaves its own newest there.
 *
 * Belongs to the writer's connection.
 */
#ifndef POSTBACKD_ORDERED_TURNS_H
#define POSTBACKD_ORDERED_TURNS_H

#include "db/nouns.h"

struct ordered_postback { /* of an event, WAITING */
    int64_t notification, account, event, due_at;
};

/* Its id is drawn and its row written just before the commit: so the lock is held for that long
 * only, and all of a transaction are locked in one order, by which no two servers wait for each
 * other. */
void ordered_write(struct db *db, const struct ordered_postback *postback);
/* An id for one of any notification, whose row is written at once. */
int64_t ordered_new_id(struct db *db, int64_t account, int64_t notification);

extern const struct db_memory ordered_turns_memory;

#endif
