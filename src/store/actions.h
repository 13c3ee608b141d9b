/* actions.h — actions on disk: conversions credited to a partner. */
#ifndef POSTBACKD_ACTIONS_H
#define POSTBACKD_ACTIONS_H

#include "model/action.h"
#include "store/store.h"

/* Writes it, sets its id, and publishes action.tracked to its partner and its brand. */
bool action_track(struct job *job, struct db *db, struct action *action);

#endif
