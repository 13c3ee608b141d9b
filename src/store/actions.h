/* actions.h — actions on disk: conversions credited to a partner. */
#ifndef POSTBACKD_ACTIONS_H
#define POSTBACKD_ACTIONS_H

#include "model/action.h"
#include "store/store.h"

/* Writes it, sets its id, and publishes action.tracked to its partner and its brand. */
bool action_track(struct job *job, struct db *db, struct action *action);
/* The first action of this order by this tracker; 0: none. */
int64_t action_of_order(struct db *db, int64_t tracker, const char *order_id);

#endif
