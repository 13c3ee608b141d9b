/* events.h — writing an event: one row for it, and one postback for each notification that wants
 * it. */
#ifndef POSTBACKD_EVENTS_H
#define POSTBACKD_EVENTS_H

#include "db/store.h"
#include "model/event.h"

/* The job is refused when too much of the account's waits (quotas.h), unless it is the engine's.
 * Writes the event (its id is set) and its postbacks; those that may go out at once are added to
 * what the commit hands on (tx.h), each with a reference of its own.  The caller keeps its
 * reference. */
void event_publish(struct job *job, struct db *db, struct event *event);
/* The same, but not to this notification. */
void event_publish_except(struct job *job, struct db *db, struct event *event,
                          int64_t notification);
/* An event that more than FAN_OUT_STEP notifications want gets the postbacks of the first ones at
 * once, as does one of a job that has written FAN_OUT_MOST.  The rest is on disk with it as a
 * fan-out (fan_outs.h), which the writer goes on with in transactions of its own, also after a
 * restart.  Every notification's postbacks are in the order of its account's events all the same.
 */
enum { FAN_OUT_STEP = 512, FAN_OUT_MOST = 4096, FAN_OUTS_MOST = 1000 };
/* The account has FAN_OUTS_MOST events that are not all fanned out: it should get no more just now.
 */
bool events_wait(struct db *db, int64_t account);
/* A step for job->account: its oldest fan-outs.  (A job's run().) */
bool events_fan_out(struct job *job, struct db *db);
/* The newest id of an event or a postback; 0: there is none.  (An event's postbacks have the ids
 * behind its own, also while they have no rows.) */
int64_t event_newest(struct db *db);
/* An account's newest events under `before` (0: from the newest), as objects of the API, of one
 * type where there is one; *next: where to go on, 0: nowhere.  No more than EVENTS_LOOKED of all
 * accounts' are looked at, so there may be none though others follow. */
enum { EVENTS_LOOKED = 20000 };
json_t *event_list(struct db *db, int64_t account, const struct event_type *type, int64_t before,
                   int limit, int64_t *next);
/* One reference for the caller; NULL: no such event of this account. */
struct event *event_load(struct db *db, int64_t account, int64_t id);

/* The writer keeps, per account, who wants what (from the notifications' revisions).  A lane that
 * is full, held or down takes no fresh postbacks: they are written WAITING.  Called in a write
 * job; forgotten with it if its transaction is undone. */
void event_route(struct db *db, int64_t notification, bool direct);

/* What this account's notifications want is read again when next needed: called by whatever adds,
 * changes, pauses, resumes or deletes one, in the same job. */
void events_forget(struct db *db, int64_t account);

#endif
