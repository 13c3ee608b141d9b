/* episodes.h — notifications in trouble: which are behind, and who is told of it.
 *
 * An episode (failing, late) is a row while it lasts, so that it is told once whatever is restarted
 * meanwhile.
 */
#ifndef POSTBACKD_EPISODES_H
#define POSTBACKD_EPISODES_H

#include "db/store.h"
#include "model/notification.h"

/* ---- what waits ---- */

struct overdue {
    int64_t notification, account;
    enum notification_state state;
    int64_t due_at;     /* when the oldest that waits was first due, wall ms; -1: nothing waits */
    int64_t counted_at; /* the same, but not before the notification was last made active */
    int64_t waiting;    /* how many */
};
/* Of each notification with postbacks that wait on disk.  Walks the rows that wait. */
size_t episodes_overdue(struct db *db, struct overdue **out /* the caller frees */);
void episode_overdue(struct db *db, int64_t notification, struct overdue *out);

/* ---- episodes ---- */

enum episode_kind { EPISODE_FAILING = 1, EPISODE_LATE = 2 }; /* on disk */

struct episode {
    int64_t notification, account;
    enum episode_kind kind;
    bool maintenance; /* late because of the operator's pause */
    int64_t since;    /* wall ms */
};
/* Those on disk; of deleted notifications they are removed.  A write job. */
size_t episodes_load(struct db *db, struct episode **out /* the caller frees */);
/* Since when it lasts, wall ms; -1: there is none. */
int64_t episode_since(struct db *db, int64_t notification, enum episode_kind kind);

struct episode_news {
    struct episode episode;
    bool begins;                      /* else it ends */
    bool tell_account, tell_operator; /* LATE: by notice, and mail where there is an address */
    char reason[200];
    int last_status;            /* 0: none */
    int64_t waiting, oldest_at; /* oldest_at: -1: none */
};
/* Writes it and tells, unless somebody else has: FAILING by the events notification.failing and
 * .recovered, LATE by notices and notification.late.  No event about a notification goes to itself.
 */
void episode_tell(struct job *job, struct db *db, const struct episode_news *news);

#endif
