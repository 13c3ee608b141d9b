/* action_changes.h — a brand's change of an action, for the call and for a file's rows alike. */
#ifndef POSTBACKD_ACTION_CHANGES_H
#define POSTBACKD_ACTION_CHANGES_H

#include "api/api.h"
#include "model/action_life.h"

/* Reads and takes one, in a write job, with its line in the audit log.  `removing`: of a call that
 * reverses.  *id is the action's, *step what it was; 0: all was so already.  False: job->error, and
 * problems. */
bool action_change_take(struct job *job, struct db *db, const struct call *call,
                        const json_t *fields, bool removing, const char *(*label)(const char *),
                        struct problems *problems, int64_t *id, enum action_step *step);

#endif
