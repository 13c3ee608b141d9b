/* notifications.h — event notifications on disk: settings by revision, secrets sealed. */
#ifndef POSTBACKD_NOTIFICATIONS_H
#define POSTBACKD_NOTIFICATIONS_H

#include "db/store.h"
#include "model/notification.h"

/* Writes a new one, revision 1; sets notification->id, revision, created_at.  A signing secret is
 * made when it has none. */
void notification_add(struct db *db, struct notification *notification);
/* Writes its settings, headers and secrets as the next revision.  False: not there (any more). */
bool notification_change(struct db *db, struct notification *notification);
bool notification_set_state(struct db *db, int64_t account /* 0: any */, int64_t id,
                            enum notification_state state, const char *held_reason);
/* ACTIVE to HELD, unless the owner has changed, paused or deleted it since that revision.  False:
 * it was left as it is; else *account is its owner. */
bool notification_hold(struct db *db, int64_t id, int revision, const char *reason,
                       int64_t *account);
/* Marks it deleted and cancels its undelivered postbacks.  False: not there. */
bool notification_delete(struct db *db, int64_t account, int64_t id);

/* One reference for the caller; NULL: no such one of this account (0: any).  revision 0: the one
 * in force; with an old revision deleted notifications are found too. */
struct notification *notification_load(struct db *db, int64_t account, int64_t id, int revision);
/* The one in force, not compiled: to be changed (notification_keep()). */
struct notification *notification_load_kept(struct db *db, int64_t account, int64_t id);
/* Whether there is such a one, not deleted, of the account (0: of any). */
bool notification_exists(struct db *db, int64_t account, int64_t id);
/* The ids of an account's (0: of all accounts'), not deleted, ascending. */
size_t notification_ids(struct db *db, int64_t account, int64_t **ids /* the caller frees */);

struct notification_filter {
    bool failing; /* only those that are held by the system, fail, or are late by themselves */
    const char *search; /* only those that have it in name or URL, in any case; NULL or "": all */
};
/* Of an account's the ids of those that pass, ascending; one that cannot be read is found by no
 * search. */
size_t notification_find(struct db *db, int64_t account, const struct notification_filter *filter,
                         int64_t **ids /* the caller frees */);
/* How many of an account's are as the filter's `failing` has it. */
int64_t notification_failing(struct db *db, int64_t account);

#endif
